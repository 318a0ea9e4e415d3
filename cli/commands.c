/*
 * All commands, in the order in which the help shows them.
 */
#include "commands.h"

static const struct command *const tables[] = {
    status_commands, inbox_commands,  case_commands,    evidence_commands,  recognise_commands,
    track_commands,  member_commands, key_commands,     node_commands,      broker_commands,
    ledger_commands, audit_commands,  package_commands, authority_commands,
};

const struct command *cli_command(size_t n)
{
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++)
        for (const struct command *m = tables[i]; m->noun; m++)
            if (n-- == 0)
                return m;
    return NULL;
}
