/*
 * Hostile bytes for record_decode(), which must give a record that encodes to the same bytes or
 * refuse them; and for record_check(), which must say where it is wrong, or that it is not.
 */
#include "domain/rules.h"
#include "fuzz/round_trip.h"
#include "msg/record.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena *a = arena_new(FUZZ_ARENA);
    struct buf out = BUF_INIT;
    struct record r;
    struct record_fault fault = {0};
    if (a && record_decode(a, BYTES(data, len), &r) == 0) {
        if (record_encode(&r, &out) || !bytes_equal(buf_bytes(&out), BYTES(data, len)))
            abort();
        int err = record_check(&r, &fault);
        if (err != fault.err || (err && (!fault.path[0] || !fault.words[0])))
            abort();
        if (strnlen(fault.path, sizeof fault.path) == sizeof fault.path)
            abort();
    }
    buf_free(&out);
    arena_free(a);
    return 0;
}
