/*
 * init and join, which nodes and brokers have in common.
 */
#ifndef CLI_SITE_COMMAND_H
#define CLI_SITE_COMMAND_H

#include "cli.h"
#include "site/site.h"

int site_command_init(struct cli *c, enum member_role role) __attribute__((warn_unused_result));
int site_command_join(struct cli *c, enum member_role role) __attribute__((warn_unused_result));
extern const struct view site_init_view;
extern const struct view site_join_view;

/* Load the site of the folder --dir, which must be one of ${role}. */
int site_command_load(struct cli *c, enum member_role role, struct site **ret)
    __attribute__((warn_unused_result));

#endif
