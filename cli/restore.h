/*
 * restore of nodes: the one way out of an old copy. See docs/LEDGER.md, Rollback.
 */
#ifndef CLI_RESTORE_H
#define CLI_RESTORE_H

#include "cli.h"
#include "site/site.h"

int restore_command(struct cli *c, enum member_role role);
extern const struct view restore_view;

#endif
