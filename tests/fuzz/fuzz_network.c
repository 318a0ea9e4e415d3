/* Hostile bytes for network_parse(): what is read must be written as the same text. */
#include "wire/roster.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct network n;
    struct buf again = BUF_INIT;
    if (network_parse(BYTES(data, len), &n) == 0) {
        network_put(&again, &n);
        if (!bytes_equal(buf_bytes(&again), BYTES(data, len)))
            abort();
    }
    buf_free(&again);
    return 0;
}
