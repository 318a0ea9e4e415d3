/* Hostile bytes as a checkpoint, bare and signed. What is read must be written again in the same
 * way. */
#include "ledger/checkpoint.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct checkpoint c;
    struct bytes text, signatures;
    struct buf again = BUF_INIT;
    struct bytes input = BYTES(data, len);
    if (!checkpoint_parse_text(input, &c)) {
        checkpoint_put_text(&again, &c);
        if (!bytes_equal(buf_bytes(&again), input))
            abort();
    }
    buf_reset(&again);
    if (!checkpoint_peek(input, &c)) {
        checkpoint_put_text(&again, &c);
        if (note_split(input, &text, &signatures) || !bytes_equal(buf_bytes(&again), text))
            abort();
    }
    buf_free(&again);
    return 0;
}
