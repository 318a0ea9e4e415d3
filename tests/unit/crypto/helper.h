/* What the tests of lib/crypto share: vectors written in hex. */
#ifndef TEST_CRYPTO_HELPER_H
#define TEST_CRYPTO_HELPER_H

#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Exactly ${len} bytes of hex. */
static inline void unhex(const char *hex, uint8_t *ret, size_t len)
{
    assert_int_equal(text_get_hex(bytes_of(hex), ret, len), 0);
}

static inline void assert_hex(const uint8_t *bytes, size_t len, const char *hex)
{
    struct buf text = BUF_INIT;
    text_put_hex(&text, BYTES(bytes, len));
    assert_string_equal(buf_str(&text), hex);
    buf_free(&text);
}

#endif
