/* The pause between attempts. */
#include "link/backoff.h"
#include "rig.h"

static void backoff_doubles_up_to_the_most(void **state)
{
    (void)state;
    static const uint32_t least[] = {250, 500, 1000, 2000, 4000, 8000, 15000, 15000};
    static const uint32_t most[] = {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};
    struct link_backoff low = LINK_BACKOFF_INIT;
    struct link_backoff high = LINK_BACKOFF_INIT;
    for (size_t i = 0; i < sizeof least / sizeof least[0]; i++) {
        assert_int_equal(link_backoff_next_ms(&low, 0), least[i]);
        /* step / 2 leads to the upper end: random is taken modulo step / 2 + 1 */
        assert_int_equal(link_backoff_next_ms(&high, most[i] / 2), most[i]);
    }
}

static void backoff_any_random_stays_within_bounds(void **state)
{
    (void)state;
    uint32_t random = 12345;
    struct link_backoff b = LINK_BACKOFF_INIT;
    for (int i = 0; i < 100000; i++) {
        random = random * 1664525 + 1013904223;
        uint32_t ms = link_backoff_next_ms(&b, random);
        assert_in_range(ms, LINK_BACKOFF_MIN_MS, LINK_BACKOFF_MAX_MS);
    }
    b.failures = UINT32_MAX;
    assert_in_range(link_backoff_next_ms(&b, UINT32_MAX), 15000, LINK_BACKOFF_MAX_MS);
    assert_int_equal(b.failures, UINT32_MAX);
}

static void backoff_reset_begins_anew(void **state)
{
    (void)state;
    struct link_backoff b = LINK_BACKOFF_INIT;
    for (int i = 0; i < 5; i++)
        (void)link_backoff_next_ms(&b, 0);
    link_backoff_reset(&b);
    assert_int_equal(link_backoff_next_ms(&b, 0), LINK_BACKOFF_MIN_MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(backoff_doubles_up_to_the_most),
        cmocka_unit_test(backoff_any_random_stays_within_bounds),
        cmocka_unit_test(backoff_reset_begins_anew),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
