/* Views, buffers, arenas. */
#include "base/bytes.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void bytes_compare_orders_prefix_first(void **state)
{
    (void)state;
    assert_true(bytes_compare(bytes_of("ab"), bytes_of("abc")) < 0);
    assert_true(bytes_compare(bytes_of("b"), bytes_of("abc")) > 0);
    assert_true(bytes_compare(BYTES_LIT("\xff"), BYTES_LIT("\x01")) > 0);
    assert_int_equal(bytes_compare(BYTES_NONE, bytes_of("")), 0);
    assert_true(bytes_equal(bytes_of("x"), BYTES_LIT("x")));
    assert_false(bytes_equal(bytes_of("x"), bytes_of("y")));
}

static void bytes_slice_is_cut_to_what_is_there(void **state)
{
    (void)state;
    struct bytes b = bytes_of("hello");
    assert_true(bytes_is(bytes_slice(b, 1, 3), "ell"));
    assert_true(bytes_is(bytes_slice(b, 3, 99), "lo"));
    assert_int_equal(bytes_slice(b, 9, 1).len, 0);
    assert_int_equal(bytes_slice(b, SIZE_MAX, SIZE_MAX).len, 0);
}

static void lines_are_cut_one_by_one(void **state)
{
    (void)state;
    struct bytes rest = bytes_of("a\n\nlast");
    struct bytes line;
    assert_true(bytes_next_line(&rest, &line) && bytes_is(line, "a"));
    assert_true(bytes_next_line(&rest, &line) && line.len == 0);
    assert_true(bytes_next_line(&rest, &line) && bytes_is(line, "last"));
    assert_false(bytes_next_line(&rest, &line));
}

static void buf_grows_and_keeps_an_end_mark(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    assert_string_equal(buf_str(&b), "");
    for (int i = 0; i < 1000; i++)
        buf_printf(&b, "%03d", i % 1000);
    assert_int_equal(b.len, 3000);
    assert_int_equal(strlen(buf_str(&b)), 3000);
    buf_reset(&b);
    buf_put_u32be(&b, 0x01020304);
    buf_put_u64be(&b, 0x0102030405060708ULL);
    buf_put_lp(&b, bytes_of("xy"));
    static const uint8_t expected[] = {1, 2, 3, 4, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 2, 'x', 'y'};
    assert_int_equal(b.len, sizeof expected);
    assert_memory_equal(b.data, expected, sizeof expected);
    assert_true(get_u32be(b.data) == 0x01020304 && get_u64be(b.data + 4) == 0x0102030405060708ULL);
    buf_free(&b);
}

static void buf_without_memory_stays_failed(void **state)
{
    (void)state;
    struct buf b = BUF_INIT;
    buf_put_str(&b, "kept");
    assert_null(buf_reserve(&b, SIZE_MAX / 2));
    buf_put_str(&b, "more");
    assert_int_equal(buf_check(&b), COMITY_E_NOMEM);
    assert_int_equal(b.len, 4);
    buf_reset(&b);
    assert_int_equal(buf_check(&b), COMITY_OK);
    buf_free(&b);
}

static void arena_never_exceeds_its_cap(void **state)
{
    (void)state;
    struct arena *a = arena_new(1000);
    assert_non_null(arena_alloc(a, 500));
    assert_null(arena_alloc(a, 500));
    assert_non_null(arena_alloc(a, 400));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_true(arena_used(a) <= 1000);
    arena_reset(a);
    assert_int_equal(arena_used(a), 0);
    assert_non_null(arena_alloc(a, 900));
    arena_free(a);
}

static void arena_memory_is_zeroed_aligned_and_distinct(void **state)
{
    (void)state;
    struct arena *a = arena_new(64 << 20);
    for (int round = 0; round < 3; round++) {
        uint8_t *p[200];
        for (size_t i = 0; i < 200; i++) {
            size_t n = i * 997 % 100000;
            p[i] = arena_alloc(a, n);
            assert_non_null(p[i]);
            assert_int_equal((uintptr_t)p[i] % 16, 0);
            for (size_t k = 0; k < n; k++)
                assert_int_equal(p[i][k], 0);
            memset(p[i], (int)i, n);
        }
        for (size_t i = 0; i < 200; i++)
            for (size_t k = 0; k < i * 997 % 100000; k++)
                assert_int_equal(p[i][k], (uint8_t)i);
        arena_reset(a);
    }
    arena_free(a);
}

static void arena_has_what_it_gave_out_and_nothing_else(void **state)
{
    (void)state;
    struct arena *a = arena_new(64 << 20);
    struct bytes small = arena_copy(a, bytes_of("small"));
    struct bytes large = BYTES(arena_alloc(a, 1 << 20), 1 << 20);
    struct bytes other = bytes_of("other");
    assert_true(arena_has(a, small));
    assert_true(arena_has(a, bytes_slice(large, 1000, 1000)));
    assert_true(arena_has(a, large));
    assert_false(arena_has(a, BYTES(large.data, large.len + 16)));
    assert_false(arena_has(a, other));
    assert_false(arena_has(a, BYTES_NONE));
    arena_reset(a);
    assert_false(arena_has(a, large));
    arena_free(a);
}

static void arena_copies_have_data_even_when_empty(void **state)
{
    (void)state;
    struct arena *a = arena_new(100);
    assert_non_null(arena_copy(a, BYTES_NONE).data);
    assert_string_equal(arena_strdup(a, bytes_of("name")), "name");
    assert_null(arena_copy(a, BYTES("", 4096)).data);
    arena_free(a);
}

static void wipe_overwrites(void **state)
{
    (void)state;
    uint8_t secret[32];
    memset(secret, 7, sizeof secret);
    wipe(secret, sizeof secret);
    for (size_t i = 0; i < sizeof secret; i++)
        assert_int_equal(secret[i], 0);
    wipe(NULL, 0);
}

static void arena_tells_its_cap_from_want_of_memory(void **state)
{
    (void)state;
    struct arena *a = arena_new(100);
    assert_non_null(arena_alloc(a, 64));
    assert_false(arena_is_spent(a));
    assert_null(arena_alloc(a, 64));
    assert_true(arena_is_spent(a));
    assert_non_null(arena_alloc(a, 16));
    assert_true(arena_is_spent(a));
    arena_reset(a);
    assert_false(arena_is_spent(a));
    assert_null(arena_alloc(a, SIZE_MAX));
    assert_true(arena_is_spent(a));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_compare_orders_prefix_first),
        cmocka_unit_test(bytes_slice_is_cut_to_what_is_there),
        cmocka_unit_test(lines_are_cut_one_by_one),
        cmocka_unit_test(buf_grows_and_keeps_an_end_mark),
        cmocka_unit_test(buf_without_memory_stays_failed),
        cmocka_unit_test(arena_tells_its_cap_from_want_of_memory),
        cmocka_unit_test(arena_never_exceeds_its_cap),
        cmocka_unit_test(arena_memory_is_zeroed_aligned_and_distinct),
        cmocka_unit_test(arena_has_what_it_gave_out_and_nothing_else),
        cmocka_unit_test(arena_copies_have_data_even_when_empty),
        cmocka_unit_test(wipe_overwrites),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
