/* Hostile bytes as a signed note, and as a verifier's key. Nobody has signed them: nothing may
 * verify. */
#include "crypto/note.h"

#include <stdlib.h>
#include <string.h>

static struct note_verifier keys[2];

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    static const uint8_t seed[NOTE_SEED_LEN] = {42};
    struct note_signer *s = NULL;
    (void)argc;
    (void)argv;
    if (crypto_init() || note_signer_new("example.com/fuzz", seed, &s) ||
        note_verifier_make("example.com/fuzz", NOTE_TYPE_COSIGNATURE, note_signer_public(s)->pub,
                           &keys[1]))
        abort();
    keys[0] = *note_signer_public(s);
    note_signer_free(s);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct bytes input = BYTES(data, len), text, signatures;
    struct note_verifier v;
    struct buf again = BUF_INIT;
    bool signed_by[2] = {false, false};
    if (!note_split(input, &text, &signatures)) {
        buf_put_bytes(&again, text);
        buf_put_u8(&again, '\n');
        buf_put_bytes(&again, signatures);
        if (!bytes_equal(buf_bytes(&again), input))
            abort();
    }
    if (!note_open(input, &keys[0], &text))
        abort();
    if (!note_open_many(input, keys, 2, signed_by, &text) && (signed_by[0] || signed_by[1]))
        abort();
    buf_reset(&again);
    if (!note_verifier_parse(input, &v)) {
        struct note_verifier same;
        note_put_vkey(&again, &v);
        if (note_verifier_parse(buf_bytes(&again), &same) || same.key_id != v.key_id ||
            !bytes_equal(bytes_of(same.name), bytes_of(v.name)) ||
            memcmp(same.pub, v.pub, sizeof v.pub) != 0)
            abort();
    }
    buf_free(&again);
    return 0;
}
