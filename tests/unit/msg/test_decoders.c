/* What must hold for every decoder of lib/msg, whatever its message. */
#include "unit/msg/samples.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { ARENA_CAP = 4 * 1024 * 1024 };

/* Calls ${test} with each sample of each decoder. */
static void for_each_sample(void (*test)(const struct decoder *d, struct bytes sample))
{
    for (size_t i = 0; i < DECODER_COUNT; i++) {
        struct buf out = BUF_INIT;
        int err = 0;
        unsigned n = 0;
        for (; sample_put(&decoders[i], n, &out, &err); n++) {
            assert_int_equal(err, 0);
            /* A copy of exactly that size, so that a sanitizer sees a read behind it. */
            uint8_t *copy = malloc(out.len ? out.len : 1);
            assert_non_null(copy);
            memcpy(copy, out.data, out.len);
            test(&decoders[i], BYTES(copy, out.len));
            free(copy);
            buf_reset(&out);
        }
        assert_true(n > 0);
        buf_free(&out);
    }
}

static void expect_again(const struct decoder *d, struct bytes sample)
{
    struct arena *a = arena_new(ARENA_CAP);
    struct buf out = BUF_INIT;
    buf_put_str(&out, "before");
    assert_int_equal(d->again(a, sample, &out), 0);
    assert_true(bytes_equal(bytes_slice(buf_bytes(&out), 6, out.len), sample));
    assert_true(bytes_has_prefix(buf_bytes(&out), "before"));
    buf_free(&out);
    arena_free(a);
}

static void samples_round_trip(void **state)
{
    (void)state;
    for_each_sample(expect_again);
}

static void expect_no_prefix(const struct decoder *d, struct bytes sample)
{
    struct arena *a = arena_new(ARENA_CAP);
    struct buf out = BUF_INIT;
    for (size_t len = 0; len < sample.len; len++) {
        uint8_t *cut = malloc(len ? len : 1);
        assert_non_null(cut);
        if (len)
            memcpy(cut, sample.data, len);
        /* Cut between two optional fields it is another message; then its encoding is what was
         * left. */
        if (d->again(a, BYTES(cut, len), &out) == 0)
            assert_true(bytes_equal(buf_bytes(&out), BYTES(cut, len)));
        buf_reset(&out);
        arena_reset(a);
        free(cut);
    }
    buf_free(&out);
    arena_free(a);
}

static void truncation_at_every_byte_is_refused_or_another_message(void **state)
{
    (void)state;
    for_each_sample(expect_no_prefix);
}

static void expect_no_tail(const struct decoder *d, struct bytes sample)
{
    struct arena *a = arena_new(ARENA_CAP);
    struct buf out = BUF_INIT;
    struct buf longer = BUF_INIT;
    buf_put_bytes(&longer, sample);
    raw_number(&longer, 1000, 1);
    assert_int_equal(d->again(a, buf_bytes(&longer), &out), COMITY_E_NOT_CANONICAL);
    longer.len = sample.len;
    buf_put_u8(&longer, 0);
    assert_int_not_equal(d->again(a, buf_bytes(&longer), &out), 0);
    assert_int_equal(out.len, 0);
    buf_free(&longer);
    buf_free(&out);
    arena_free(a);
}

static void bytes_behind_the_message_are_refused(void **state)
{
    (void)state;
    for_each_sample(expect_no_tail);
}

static uint32_t next_random(uint32_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 17;
    *seed ^= *seed << 5;
    return *seed;
}

static void expect_one_spelling(const struct decoder *d, struct bytes sample)
{
    struct arena *a = arena_new(ARENA_CAP);
    struct buf out = BUF_INIT;
    uint8_t *bent = malloc(sample.len + 1);
    assert_non_null(bent);
    uint32_t seed = 0x5eed;
    for (unsigned round = 0; round < 4000 && sample.len; round++) {
        memcpy(bent, sample.data, sample.len);
        for (uint32_t flips = 1 + next_random(&seed) % 3; flips; flips--)
            bent[next_random(&seed) % sample.len] ^= (uint8_t)(1U << next_random(&seed) % 8);
        if (d->again(a, BYTES(bent, sample.len), &out) == 0)
            assert_true(bytes_equal(buf_bytes(&out), BYTES(bent, sample.len)));
        buf_reset(&out);
        arena_reset(a);
    }
    free(bent);
    buf_free(&out);
    arena_free(a);
}

static void bit_flips_are_refused_or_another_message(void **state)
{
    (void)state;
    for_each_sample(expect_one_spelling);
}

static void expect_nomem_below_some_cap(const struct decoder *d, struct bytes sample)
{
    struct buf out = BUF_INIT;
    int err = COMITY_E_NOMEM;
    for (size_t cap = 0; err; cap += 16) {
        assert_true(cap < 64 * 1024);
        struct arena *a = arena_new(cap);
        err = d->again(a, sample, &out);
        assert_true(err == 0 || err == COMITY_E_NOMEM);
        arena_free(a);
    }
    assert_true(bytes_equal(buf_bytes(&out), sample));
    buf_free(&out);
}

static void arena_too_small_is_out_of_memory_at_every_size(void **state)
{
    (void)state;
    for_each_sample(expect_nomem_below_some_cap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_round_trip),
        cmocka_unit_test(truncation_at_every_byte_is_refused_or_another_message),
        cmocka_unit_test(bytes_behind_the_message_are_refused),
        cmocka_unit_test(bit_flips_are_refused_or_another_message),
        cmocka_unit_test(arena_too_small_is_out_of_memory_at_every_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
