/*
 * Passphrases and the key files that they open.
 *
 * The nth key of a command is opened with the nth --passphrase-file; when there are fewer of these,
 * the last one serves for the rest. Without any, the terminal is asked.
 */
#ifndef CLI_SECRET_H
#define CLI_SECRET_H

#include "cli.h"
#include "crypto/keyfile.h"

/* The passphrase for the nth key, ${what} it belongs to; valid until secret_forget. ${is_new}:
 * asked for twice. */
int secret_passphrase(struct cli *c, size_t n, const char *what, bool is_new, struct bytes *ret)
    __attribute__((warn_unused_result));
/* What the public lines of a key file say. */
int secret_public(struct cli *c, const char *path, struct key_public *ret)
    __attribute__((warn_unused_result));
/* Open the nth key; a person at a terminal has three tries. To be freed with note_signer_free. */
int secret_open(struct cli *c, size_t n, const char *path, enum key_use use,
                struct note_signer **ret) __attribute__((warn_unused_result));
/* Make a key file with the passphrase for the nth key. */
int secret_make(struct cli *c, size_t n, const char *path, enum key_use use, const char *name,
                struct key_public *ret) __attribute__((warn_unused_result));
/* Wipe all passphrases. */
void secret_forget(struct cli *c);

#endif
