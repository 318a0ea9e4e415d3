/*
 * Single flags as values of a record. Internal to compose.c.
 */
#ifndef CLI_COMPOSE_VALUE_H
#define CLI_COMPOSE_VALUE_H

#include "compose.h"

/* The value of the flag of ${row}, a new reference; a failure that names the flag. */
int compose_value(struct cli *c, const struct compose_row *row, json_t **ret)
    __attribute__((warn_unused_result));

#endif
