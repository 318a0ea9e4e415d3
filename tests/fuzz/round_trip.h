/*
 * What every decoder of lib/msg must do with any bytes: refuse them, or give a struct that encodes
 * to the same bytes.
 */
#ifndef FUZZ_ROUND_TRIP_H
#define FUZZ_ROUND_TRIP_H

#include "base/bytes.h"

#include <stdlib.h>

/* Enough for the largest message that the limits let through; reaching it is a refusal like others.
 */
enum { FUZZ_ARENA = 64 * 1024 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define FUZZ_ROUND_TRIP(type, noun)                                                               \
    int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)                                   \
    {                                                                                             \
        struct arena *a = arena_new(FUZZ_ARENA);                                                  \
        struct buf out = BUF_INIT;                                                                \
        type decoded;                                                                             \
        if (a && noun##_decode(a, BYTES(data, len), &decoded) == 0)                               \
            if (noun##_encode(&decoded, &out) || !bytes_equal(buf_bytes(&out), BYTES(data, len))) \
                abort();                                                                          \
        buf_free(&out);                                                                           \
        arena_free(a);                                                                            \
        return 0;                                                                                 \
    }

#endif
