/*
 * Signed notes (C2SP signed-note): the one way in which anything in Comity is signed.
 *
 * A note is a text of lines, a blank line, and one line a signature:
 *
 *     — <key name> base64(key id[4] ‖ signature[64])
 *
 * with key id = SHA-256(name ‖ 0x0A ‖ type ‖ public key[32])[0..4], type 0x01 for Ed25519 notes and
 * 0x04 for a timestamped cosignature (C2SP tlog-cosignature: u64be seconds before the signature). A
 * public key is written as a vkey: name+hex(key id)+base64(type ‖ public key). The text's first
 * line names what the note is.
 */
#ifndef CRYPTO_NOTE_H
#define CRYPTO_NOTE_H

#include "crypto/hash.h"

enum {
    NOTE_KEY_NAME_MAX = 120,
    NOTE_VKEY_MAX = 200, /* with its end mark */
    NOTE_MAX = 64 * 1024,
    NOTE_SIGNATURES_MAX = 64,
    NOTE_PUB_LEN = 32,
    NOTE_SEED_LEN = 32,
    NOTE_TYPE_SIGNATURE = 0x01,
    NOTE_TYPE_COSIGNATURE = 0x04
};

/* A public key that can verify notes: plain data, copyable. */
struct note_verifier {
    char name[NOTE_KEY_NAME_MAX + 1];
    uint32_t key_id;
    uint8_t type;
    uint8_t pub[NOTE_PUB_LEN];
};

/* Whether ${name} can name a key: not empty, at most NOTE_KEY_NAME_MAX bytes, fit for one line, no
 * space, no '+'. */
bool note_is_key_name(struct bytes name);

/*
 * Read a vkey. COMITY_E_MALFORMED when it is none or its key id is not that of its key;
 * COMITY_E_BAD_KEY for a public key of low order or not on the curve (with the identity key any
 * text "verifies").
 */
int note_verifier_parse(struct bytes vkey, struct note_verifier *ret)
    __attribute__((warn_unused_result));
/* The vkey that stands for ${name} and ${pub}. Same errors for a bad name or key. */
int note_verifier_make(const char *name, uint8_t type, const uint8_t pub[NOTE_PUB_LEN],
                       struct note_verifier *ret) __attribute__((warn_unused_result));
void note_put_vkey(struct buf *out, const struct note_verifier *v);

/* A private key with its name. Not shared between threads. */
struct note_signer;

/* From a 32-byte Ed25519 seed (RFC 8032). */
int note_signer_new(const char *name, const uint8_t seed[NOTE_SEED_LEN], struct note_signer **ret)
    __attribute__((warn_unused_result));
void note_signer_free(struct note_signer *s);
const struct note_verifier *note_signer_public(const struct note_signer *s);

/*
 * Append to ${out} the note of ${text}: the text, a blank line, one signature line. ${text} must be
 * UTF-8, end with a line feed, hold no other control character and no blank line at its end
 * (COMITY_E_INVALID otherwise).
 */
int note_sign(const struct note_signer *s, struct bytes text, struct buf *out)
    __attribute__((warn_unused_result));
/*
 * Append one more signature line over the text of ${note} to ${out}, after a copy of ${note}. The
 * other lines are not verified. As note_sign, and COMITY_E_NOT_A_NOTE, COMITY_E_LIMIT beyond
 * NOTE_SIGNATURES_MAX lines.
 */
int note_add_signature(const struct note_signer *s, struct bytes note, struct buf *out)
    __attribute__((warn_unused_result));
/* Append a cosignature line (type 0x04) at ${time_s}, without the note, as a witness returns it. */
int note_cosign(const struct note_signer *s, struct bytes text, uint64_t time_s, struct buf *out)
    __attribute__((warn_unused_result));

/*
 * Where a note's text ends: the text with its last line feed, and the signature lines, all of the
 * right form; none is verified. COMITY_E_NOT_A_NOTE, also beyond NOTE_MAX or NOTE_SIGNATURES_MAX.
 * Views into ${note}.
 */
int note_split(struct bytes note, struct bytes *ret_text, struct bytes *ret_signatures)
    __attribute__((warn_unused_result));

/*
 * Verify ${note} against one key: COMITY_OK and the text when a signature line with that key's name
 * and id verifies. COMITY_E_NOT_A_NOTE, COMITY_E_UNSIGNED (no line of that key), COMITY_E_SIGNATURE
 * (a line of that key is wrong).
 */
int note_open(struct bytes note, const struct note_verifier *v, struct bytes *ret_text)
    __attribute__((warn_unused_result));

/*
 * Which of ${n} keys have signed ${note}: ${ret_signed}[i] is set for each key with a verifying
 * line; each key counts once. A wrong signature under a known key fails the whole note. COMITY_OK
 * also when no key has signed: the caller counts.
 */
int note_open_many(struct bytes note, const struct note_verifier *keys, size_t n, bool *ret_signed,
                   struct bytes *ret_text) __attribute__((warn_unused_result));

/* Text of a note: first line and fields, one a line. Cut ${n} lines of ${text} into ${ret_lines};
 * COMITY_E_MALFORMED unless the text has exactly that many lines and the first is ${first}. */
int note_fields(struct bytes text, const char *first, struct bytes *ret_lines, size_t n)
    __attribute__((warn_unused_result));

#endif
