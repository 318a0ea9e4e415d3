/*
 * A ledger read from its files: a member's folder, also while its daemon runs, or one exported
 * file.
 */
#ifndef CLI_OFFLINE_H
#define CLI_OFFLINE_H

#include "cli.h"
#include "ledger/ledger.h"

struct offline {
    const char *path;
    struct store *store;
    struct ledger *ledger;
};

/* The folder or file of --ledger; without it the folder of the node that would be asked. */
int offline_path(struct cli *c, const char **ret) __attribute__((warn_unused_result));
/* Open it for reading. COMITY_E_NOT_A_LEDGER for anything else. */
int offline_open(struct cli *c, struct offline *ret) __attribute__((warn_unused_result));
void offline_close(struct offline *o);

/* An index of this ledger, or a ref whose ledger it is. */
int offline_index(struct cli *c, const struct offline *o, const char *text, uint64_t *ret)
    __attribute__((warn_unused_result));

#endif
