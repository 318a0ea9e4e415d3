/*
 * Checkpoints: what a ledger's owner signs (C2SP tlog-checkpoint).
 *
 *     origin\nsize\nbase64(root)\n
 *
 * and nothing else: no extension lines. The note's key name is the origin.
 */
#ifndef LEDGER_CHECKPOINT_H
#define LEDGER_CHECKPOINT_H

#include "base/text.h"
#include "crypto/note.h"

struct checkpoint {
    char origin[ORIGIN_MAX + 1];
    uint64_t size;
    struct hash root;
};

/* The text, without signature. */
void checkpoint_put_text(struct buf *out, const struct checkpoint *c);
/* Exactly that text, whose origin may be any non-empty line of at most ORIGIN_MAX bytes (foreign
 * logs have other names than ours) and whose size is at most 2^63. COMITY_E_MALFORMED. */
int checkpoint_parse_text(struct bytes text, struct checkpoint *ret)
    __attribute__((warn_unused_result));
/* Append the signed note. The signer's name must be the origin (COMITY_E_INVALID). */
int checkpoint_sign(const struct checkpoint *c, const struct note_signer *signer, struct buf *out)
    __attribute__((warn_unused_result));
/* Verify the note under ${v} and read it; the origin must be the key's name. Errors of note_open,
 * COMITY_E_MALFORMED. */
int checkpoint_open(struct bytes note, const struct note_verifier *v, struct checkpoint *ret)
    __attribute__((warn_unused_result));
/* Read without verifying: to learn whose key to verify it with. */
int checkpoint_peek(struct bytes note, struct checkpoint *ret) __attribute__((warn_unused_result));

/* Append a C2SP tlog-proof: "c2sp.org/tlog-proof@v1", "index N", one base64 hash a line (leaf to
 * root), a blank line, and the signed checkpoint. */
void tlog_proof_put(struct buf *out, uint64_t index, const struct hash *path, size_t n,
                    struct bytes note);

enum { TLOG_PROOF_PATH_MAX = 64 };
struct tlog_proof {
    uint64_t index;
    struct hash path[TLOG_PROOF_PATH_MAX];
    size_t path_count;
    struct bytes note; /* view into the text */
};
/*
 * Read one back; nothing is verified but that the end has the form of a note (COMITY_E_NOT_A_NOTE).
 * COMITY_E_MALFORMED for anything else, also for the format's optional "extra" line: it is not
 * covered by any signature, and we would neither check nor keep it.
 */
int tlog_proof_parse(struct bytes text, struct tlog_proof *ret) __attribute__((warn_unused_result));

#endif
