/*
 * Officers' keys at work: who signs, and as what.
 */
#ifndef CLI_OFFICER_H
#define CLI_OFFICER_H

#include "cli.h"
#include "crypto/note.h"
#include "domain/role.h"
#include "wire/notes.h"

/* An officer with his key in hand. */
struct officer {
    struct note_signer *signer;
    const char *licence;
    const char *name; /* as enrolled at the node */
};

/* Open the key file at ${path} (the nth of the command) of an officer who is enrolled at the node,
 * key in force. */
int officer_open_key(struct cli *c, size_t n, const char *path, struct officer *ret)
    __attribute__((warn_unused_result));
void officer_done(struct officer *o);

/* The name under which ${licence} is enrolled. COMITY_E_NOT_FOUND. */
int officer_name(struct cli *c, const char *licence, const char **ret)
    __attribute__((warn_unused_result));

/* The officer's signature note under a record, in the arena. */
int officer_sign_record(struct cli *c, const struct officer *o,
                        const struct officer_signature *what, struct bytes *ret)
    __attribute__((warn_unused_result));

#endif
