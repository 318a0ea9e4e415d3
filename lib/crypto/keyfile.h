/*
 * Key files: private keys at rest, encrypted, 0600.
 *
 * The format is a standard one, so that a key outlives this program: a few text lines that name the
 * key and give its public half, then a PEM block `ENCRYPTED PRIVATE KEY` (PKCS#8, PBES2 with scrypt
 * and AES-256-CBC), which `openssl pkey -in FILE` opens. The text lines are
 *
 *     comity key v1
 *     <use>                ledger, seal, curve, officer, authority
 *     <key name>
 *     <public key, base64>
 *
 * After decryption the public half must match the private one, and use and name those in the
 * encrypted part (attribute `description`, "<use> <key name>"), so that none of them can be
 * exchanged unnoticed. The passphrase has at most 1024 bytes.
 */
#ifndef CRYPTO_KEYFILE_H
#define CRYPTO_KEYFILE_H

#include "crypto/note.h"

enum key_use { KEY_LEDGER, KEY_SEAL, KEY_CURVE, KEY_OFFICER, KEY_AUTHORITY };

/* "ledger", "seal", "curve", "officer", "authority". */
const char *key_use_word(enum key_use use);

struct key_public {
    enum key_use use;
    char name[NOTE_KEY_NAME_MAX + 1];
    uint8_t pub[32]; /* Ed25519 for ledger, officer, authority; X25519 for seal and curve */
};

/*
 * Make a new random key and write it, encrypted under ${passphrase}, to ${path}, which must not
 * exist (COMITY_E_EXISTS). ${passphrase} must not be empty, ${name} must be able to name a key
 * (COMITY_E_INVALID).
 */
int keyfile_create(const char *path, enum key_use use, const char *name, struct bytes passphrase,
                   struct key_public *ret) __attribute__((warn_unused_result));

/* The public half, without the passphrase. COMITY_E_PUBLIC_KEY_FILE when group or others can read
 * the file. */
int keyfile_public(const char *path, struct key_public *ret) __attribute__((warn_unused_result));

/*
 * Decrypt: ${ret_secret} is the Ed25519 seed or the X25519 secret, to be wiped by the caller.
 * COMITY_E_PASSPHRASE, COMITY_E_KEY_DAMAGED, COMITY_E_PUBLIC_KEY_FILE, COMITY_E_NOT_FOUND,
 * COMITY_E_INVALID for a key of another use. A damaged cipher text mostly looks like a wrong
 * passphrase.
 */
int keyfile_open(const char *path, enum key_use use, struct bytes passphrase,
                 struct key_public *ret, uint8_t ret_secret[32])
    __attribute__((warn_unused_result));

/* As keyfile_open, straight into a signer (uses with Ed25519 keys only). */
int keyfile_open_signer(const char *path, enum key_use use, struct bytes passphrase,
                        struct note_signer **ret) __attribute__((warn_unused_result));

/*
 * A passphrase from the first line of ${path}; "-" is standard input, "fd:N" an open descriptor, of
 * which no more than that line is read. Refuses a file that others can read
 * (COMITY_E_PUBLIC_KEY_FILE), an empty line (COMITY_E_INVALID), and one of more than 1024 bytes
 * (COMITY_E_TOO_LARGE). Appended to ${out}, which the caller wipes.
 */
int passphrase_read(const char *path, struct buf *out) __attribute__((warn_unused_result));

#endif
