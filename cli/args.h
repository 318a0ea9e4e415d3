/*
 * What main.c needs of args.c besides cli.h.
 */
#ifndef CLI_ARGS_H
#define CLI_ARGS_H

#include "cli.h"

/* Which of ${names} was probably meant by ${word}; NULL when none is near. */
const char *args_nearest(const char *word, const char *const *names, size_t count);

#endif
