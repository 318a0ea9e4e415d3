/*
 * Hostile texts for the readers of join notes, officers' notes and package seals: as they come, and
 * signed, so that what follows the signature is reached. What is read must be written as the same
 * text.
 *
 * The key that signs is the one of the seed 00 … 01 under the name that the text's vkey, or its
 * origin, asks for; the seeds in the corpus are texts by that key.
 */
#include "base/text.h"
#include "wire/notes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Three names by which a text of the corpus can be signed: a ledger, a broker, an officer. */
static const char *const names[] = {"zhejiang/330100-001", "zhejiang/broker",
                                    "zhejiang/330100-001/officer/A0042"};
enum { NAMES = sizeof names / sizeof names[0] };
static struct note_signer *signers[NAMES];

static void set_up(void)
{
    const uint8_t seed[NOTE_SEED_LEN] = {[NOTE_SEED_LEN - 1] = 1};
    if (signers[0])
        return;
    if (crypto_init())
        abort();
    for (size_t i = 0; i < NAMES; i++)
        if (note_signer_new(names[i], seed, &signers[i]))
            abort();
}

static void must_equal(int err, struct buf *again, struct bytes text)
{
    if (err || !bytes_equal(buf_bytes(again), text))
        abort();
    buf_reset(again);
}

/* Read ${note} as each of them; ${text} is what it must be written as again. */
static void read_all(struct bytes note, struct bytes text, const struct note_verifier *key)
{
    struct join_request j;
    struct officer_enrolment e;
    struct officer_signature s;
    struct package_seal p;
    struct buf again = BUF_INIT;
    if (join_open(note, &j) == 0)
        must_equal(join_put_text(&again, &j), &again, text);
    if (officer_open(note, &e) == 0)
        must_equal(officer_put_text(&again, &e), &again, text);
    if (officer_signature_peek(note, &s) == 0)
        must_equal(officer_signature_put_text(&again, &s), &again, text);
    if (officer_signature_open(note, key, &s) == 0)
        must_equal(officer_signature_put_text(&again, &s), &again, text);
    if (package_open(note, key, &p) == 0)
        must_equal(package_put_text(&again, &p), &again, text);
    buf_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes input = BYTES(data, len), text, signatures;
    struct buf note = BUF_INIT;
    set_up();
    if (note_split(input, &text, &signatures) == 0)
        read_all(input, text, note_signer_public(signers[2]));
    for (size_t i = 0; i < NAMES; i++) {
        buf_reset(&note);
        if (note_sign(signers[i], input, &note) == 0)
            read_all(buf_bytes(&note), input, note_signer_public(signers[i]));
    }
    buf_free(&note);
    return 0;
}
