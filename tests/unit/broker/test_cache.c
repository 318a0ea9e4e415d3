/* The ring of parcels that came in lately: what is found, and what gives way. */
#include "parts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { MAX = 1000 };

static int setup(void **state)
{
    *state = parcel_cache_new(MAX);
    return *state ? 0 : -1;
}

static int teardown(void **state)
{
    parcel_cache_free(*state);
    return 0;
}

static void put(struct parcel_cache *c, uint64_t id, size_t len)
{
    uint8_t bytes[MAX + 1];
    memset(bytes, (int)id, sizeof bytes);
    parcel_cache_put(c, id, BYTES(bytes, len));
}

static void expect(struct parcel_cache *c, uint64_t id, size_t len)
{
    struct bytes b = parcel_cache_get(c, id);
    assert_int_equal(b.len, len);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(b.data[i], (uint8_t)id);
}

static void what_was_put_is_found_by_its_id(void **state)
{
    put(*state, 3, 10);
    put(*state, 7, 20);
    put(*state, 9, 30);
    expect(*state, 3, 10);
    expect(*state, 7, 20);
    expect(*state, 9, 30);
    expect(*state, 8, 0);
    expect(*state, 10, 0);
    expect(*state, 1, 0);
}

static void oldest_gives_way_to_bytes(void **state)
{
    put(*state, 1, 400);
    put(*state, 2, 400);
    put(*state, 3, 400);
    expect(*state, 1, 0);
    expect(*state, 2, 400);
    expect(*state, 3, 400);
    put(*state, 4, MAX);
    expect(*state, 2, 0);
    expect(*state, 3, 0);
    expect(*state, 4, MAX);
}

static void oldest_gives_way_to_number(void **state)
{
    enum { SLOTS = 1024 };
    for (uint64_t i = 1; i <= 2 * SLOTS; i++)
        put(*state, i, i % 2);
    expect(*state, SLOTS - 1, 0);
    expect(*state, SLOTS + 1, 1);
    expect(*state, 2 * SLOTS - 1, 1);
}

static void what_is_larger_than_all_of_it_is_left_out(void **state)
{
    put(*state, 1, 10);
    put(*state, 2, MAX + 1);
    expect(*state, 1, 10);
    expect(*state, 2, 0);
}

static void nothing_is_left_after_clear_and_ids_may_come_again(void **state)
{
    put(*state, 5, 500);
    put(*state, 6, 500);
    parcel_cache_clear(*state);
    expect(*state, 5, 0);
    put(*state, 5, 700);
    expect(*state, 5, 700);
    expect(*state, 6, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(what_was_put_is_found_by_its_id),
        TEST(oldest_gives_way_to_bytes),
        TEST(oldest_gives_way_to_number),
        TEST(what_is_larger_than_all_of_it_is_left_out),
        TEST(nothing_is_left_after_clear_and_ids_may_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
