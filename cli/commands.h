/*
 * The tables of commands: one a noun, in the file of that name. Each ends with a row without noun.
 */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli.h"

extern const struct command status_commands[];
extern const struct command inbox_commands[];
extern const struct command case_commands[];
extern const struct command evidence_commands[];
extern const struct command recognise_commands[];
extern const struct command track_commands[];
extern const struct command member_commands[];
extern const struct command authority_commands[];
extern const struct command node_commands[];
extern const struct command broker_commands[];
extern const struct command key_commands[];
extern const struct command ledger_commands[];
extern const struct command audit_commands[];
extern const struct command package_commands[];

#endif
