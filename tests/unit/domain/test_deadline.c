/* Periods: working days, the roll forward of the last day, and years without a table. */
#include "domain/deadline.h"

#include "base/file.h"
#include "domain/date.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { ARENA = 1024 * 1024 };

struct fixture {
    struct arena *arena;
    struct holidays holidays;
};

static int set_up(void **state)
{
    static struct fixture f;
    struct buf text = BUF_INIT;
    size_t line = 0;
    f.arena = arena_new(ARENA);
    int err = file_read("data/holidays.tsv", 1 << 20, &text);
    if (!err)
        err = holidays_parse(f.arena, buf_bytes(&text), &f.holidays, &line);
    if (err)
        print_error("data/holidays.tsv:%zu: %s\n", line, comity_err_token(err));
    buf_free(&text);
    *state = &f;
    return err;
}

static int tear_down(void **state)
{
    arena_free(((struct fixture *)*state)->arena);
    return 0;
}

static int64_t ms(const char *text)
{
    int64_t t = 0;
    assert_int_equal(date_get_time(bytes_of(text), &t), 0);
    return t;
}

static void assert_due(const struct holidays *h, const char *start, struct period p,
                       const char *last_day, bool is_provisional)
{
    struct deadline d = {0};
    int32_t expected = 0;
    assert_int_equal(deadline_compute(h, ms(start), p, &d), 0);
    assert_int_equal(date_get_day(bytes_of(last_day), &expected), 0);
    if (d.last_day != expected)
        fail_msg("%s + %u: %d days from %s", start, p.count, d.last_day - expected, last_day);
    assert_int_equal(d.is_provisional, is_provisional);
    assert_true(d.end_ms == date_start_ms(d.last_day + 1));
}

#define WORKING(n) ((struct period){.count = (n), .is_working = true})
#define CALENDAR(n) ((struct period){.count = (n)})

static void deadline_first_day_is_not_counted(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    /* a Monday, at its first and its last second */
    assert_due(h, "2026-03-02T00:00:00+08:00", WORKING(1), "2026-03-03", false);
    assert_due(h, "2026-03-02T23:59:59+08:00", WORKING(1), "2026-03-03", false);
    assert_due(h, "2026-03-02T12:00:00+08:00", CALENDAR(1), "2026-03-03", false);
    assert_due(h, "2026-03-02T12:00:00+08:00", WORKING(0), "2026-03-02", false);
}

static void deadline_working_days_step_over_days_off(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    assert_due(h, "2026-03-06T12:00:00+08:00", WORKING(1), "2026-03-09", false); /* a weekend */
    /* the spring festival of 2026, 02-15 … 02-23; Saturdays 14 and 28 are worked */
    assert_due(h, "2026-02-13T12:00:00+08:00", WORKING(1), "2026-02-14", false);
    assert_due(h, "2026-02-13T12:00:00+08:00", WORKING(2), "2026-02-24", false);
    assert_due(h, "2026-02-13T12:00:00+08:00", WORKING(5), "2026-02-27", false);
    assert_due(h, "2026-02-13T12:00:00+08:00", WORKING(6), "2026-02-28", false);
    assert_due(h, "2026-02-13T12:00:00+08:00", WORKING(7), "2026-03-02", false);
    /* the assistance period of 15 working days across the national holiday of 2024 */
    assert_due(h, "2024-09-25T09:00:00+08:00", WORKING(15), "2024-10-21", false);
    /* the whole of a run, one day at a time: off 10-01 to 10-08 in 2025 */
    assert_due(h, "2025-09-30T09:00:00+08:00", WORKING(1), "2025-10-09", false);
    /* from a day off */
    assert_due(h, "2025-10-04T09:00:00+08:00", WORKING(1), "2025-10-09", false);
}

static void deadline_last_day_on_holiday_rolls_forward(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    assert_due(h, "2025-12-04T09:00:00+08:00", CALENDAR(90), "2026-03-04", false);
    assert_due(h, "2026-01-06T09:00:00+08:00", CALENDAR(30), "2026-02-05", false);
    assert_due(h, "2026-01-16T09:00:00+08:00", CALENDAR(30), "2026-02-24", false);
    assert_due(h, "2026-01-15T09:00:00+08:00", CALENDAR(30), "2026-02-14", false); /* worked */
    assert_due(h, "2026-02-05T09:00:00+08:00", CALENDAR(30), "2026-03-09", false); /* Saturday */
    assert_due(h, "2024-04-20T09:00:00+08:00", CALENDAR(8), "2024-04-28",
               false); /* worked Sunday */
}

static void deadline_year_without_table_is_provisional(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    assert_due(h, "2026-12-31T09:00:00+08:00", WORKING(1), "2027-01-01", true);
    assert_due(h, "2026-12-30T09:00:00+08:00", WORKING(1), "2026-12-31", false);
    assert_due(h, "2026-12-29T09:00:00+08:00", WORKING(3), "2027-01-01", true);
    assert_due(h, "2023-12-29T09:00:00+08:00", WORKING(2), "2024-01-03",
               true); /* Saturday 30 looked at */
    assert_due(h, "2023-12-31T09:00:00+08:00", WORKING(1), "2024-01-02", false);
    /* the days in between do not matter to a calendar period, only where it ends */
    assert_due(h, "2023-11-01T09:00:00+08:00", CALENDAR(90), "2024-01-30", false);
    assert_due(h, "2026-11-01T09:00:00+08:00", CALENDAR(90), "2027-02-01", true);
    assert_due(NULL, "2026-02-13T12:00:00+08:00", WORKING(1), "2026-02-16", true);
}

static void deadline_end_of_day_is_within(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    struct deadline d = {0};
    assert_int_equal(deadline_compute(h, ms("2026-03-02T12:00:00+08:00"), WORKING(1), &d), 0);
    assert_true(d.end_ms == ms("2026-03-04T00:00:00+08:00"));
    assert_true(deadline_is_met(&d, ms("2026-03-03T23:59:59+08:00")));
    assert_true(deadline_is_met(&d, d.end_ms));
    assert_false(deadline_is_met(&d, d.end_ms + 1));
}

static void deadline_absurd_input_is_refused(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    struct deadline d = {.last_day = 77};
    assert_int_equal(deadline_compute(h, 0, WORKING(DEADLINE_COUNT_MAX + 1), &d), COMITY_E_LIMIT);
    assert_int_equal(deadline_compute(h, -DATE_CHINA_OFFSET_MS - 1, WORKING(1), &d),
                     COMITY_E_INVALID);
    assert_int_equal(deadline_compute(h, INT64_MAX, WORKING(1), &d), COMITY_E_INVALID);
    assert_int_equal(d.last_day, 77);
    assert_int_equal(deadline_compute(h, 0, WORKING(DEADLINE_COUNT_MAX), &d), 0);
}

static void period_short_ones_are_working_days(void **state)
{
    (void)state;
    for (uint32_t n = 0; n < 40; n++)
        assert_int_equal(period_of_days(n).is_working, n == 2 || n == 3 || n == 5 || n == 7);
    assert_int_equal(period_of_days(90).count, 90);
}

/* Weekdays less days off, and days worked, make the 251, 248 and 248 working days of these years.
 */
static void holidays_year_has_its_working_days(void **state)
{
    const struct holidays *h = &((struct fixture *)*state)->holidays;
    static const struct {
        int year;
        size_t off, work;
    } rows[] = {{2024, 19, 8}, {2025, 18, 5}, {2026, 19, 6}};
    assert_true(bytes_is(h->version, "2026-1"));
    assert_int_equal(h->year_count, 3);
    for (size_t i = 0; i < 3; i++) {
        size_t off = 0, work = 0;
        for (size_t k = 0; k < h->day_count; k++)
            if (date_year_of(h->days[k].day) == rows[i].year) {
                off += h->days[k].is_off;
                work += !h->days[k].is_off;
            }
        assert_int_equal(off, rows[i].off);
        assert_int_equal(work, rows[i].work);
    }
}

static void holidays_bad_table_is_refused_with_its_line(void **state)
{
    (void)state;
#define HEAD "version\t1\nyear\t2026\n"
    static const struct {
        const char *text;
        size_t line;
    } rows[] = {
        {"", 0},
        {"year\t2026\n", 1},
        {"version\t1\n", 1},
        {"version\t1\nversion\t2\nyear\t2026\n", 2},
        {"version\t\nyear\t2026\n", 1},
        {"version\t1\nyear\t2026\nyear\t2026\n", 3},
        {"version\t1\nyear\t2026\nyear\t2025\n", 3},
        {"version\t1\nyear\t1969\n", 2},
        {"version\t1\noff\t2026-01-01\n", 2},
        {HEAD "off\t2026-01-03\n", 3},             /* a Saturday is off anyway */
        {HEAD "work\t2026-01-05\n", 3},            /* a Monday is worked anyway */
        {HEAD "off\t2025-01-01\n", 3},             /* of another year */
        {HEAD "off\t2026-12-31\t2027-01-01\n", 3}, /* into another year */
        {HEAD "off\t2026-01-02\noff\t2026-01-01\n", 4},
        {HEAD "off\t2026-01-02\noff\t2026-01-02\n", 4},
        {HEAD "off\t2026-02-20\t2026-02-16\n", 3},
        {HEAD "work\t2026-01-04\t2026-01-10\n", 3},
        {HEAD "off\t2026-01-01\t2026-01-03\n", 3}, /* ends on a Saturday */
        {HEAD "off\t2026-02-30\n", 3},
        {HEAD "off\t2026-1-1\n", 3},
        {HEAD "off\n", 3},
        {HEAD "off\t2026-01-01\t2026-01-02\tx\n", 3},
        {HEAD "on\t2026-01-01\n", 3},
        {HEAD " off\t2026-01-01\n", 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena *a = arena_new(ARENA);
        struct holidays h = {.day_count = 77};
        size_t line = 0;
        int err = holidays_parse(a, bytes_of(rows[i].text), &h, &line);
        if (err != COMITY_E_CONFIG || line != rows[i].line)
            fail_msg("row %zu: %d at line %zu", i, err, line);
        assert_int_equal(h.day_count, 77);
        arena_free(a);
    }
}

/* A run of days off steps over its weekend, which needs no exception. */
static void holidays_run_across_a_weekend(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct holidays h = {0};
    assert_int_equal(holidays_parse(a, bytes_of(HEAD "off\t2026-01-01\t2026-01-06\n"), &h, NULL),
                     0);
    assert_int_equal(h.day_count, 4);
    int32_t thursday = h.days[0].day;
    for (int32_t i = -1; i <= 6; i++)
        assert_int_equal(holidays_is_working(&h, thursday + i), i == -1 || i == 6);
    arena_free(a);
}

static void date_reads_only_times_that_exist_in_china(void **state)
{
    (void)state;
    int64_t t = 7;
    assert_int_equal(date_get_time(bytes_of("1970-01-01T08:00:00+08:00"), &t), 0);
    assert_true(t == 0);
    static const char *const bad[] = {
        "",
        "2026-02-29T00:00:00+08:00",
        "2026-03-01T24:00:00+08:00",
        "2026-03-01T23:59:60+08:00",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00:00+07:00",
        "2026-03-01T00:00:00-08:00",
        "2026-03-01T00:00:00.5+08:00",
        "2026-03-01 00:00:00+08:00",
        "2026-03-01T00:00:00+08:00 ",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(date_get_time(bytes_of(bad[i]), &t), COMITY_E_MALFORMED);
    assert_true(t == 0);
    int32_t d = 7;
    assert_int_equal(date_get_day(bytes_of("1970-01-01"), &d), 0);
    assert_int_equal(d, 0);
    assert_int_equal(date_get_day(bytes_of("2026-13-01"), &d), COMITY_E_MALFORMED);
    assert_int_equal(date_weekday_of(0), THURSDAY);
    assert_int_equal(date_weekday_of(-4), SUNDAY);
    assert_int_equal(date_day_of(-1), 0);
    assert_int_equal(date_day_of(-DATE_CHINA_OFFSET_MS - 1), -1);
    assert_int_equal(date_year_of(-1), 1969);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deadline_first_day_is_not_counted),
        cmocka_unit_test(deadline_working_days_step_over_days_off),
        cmocka_unit_test(deadline_last_day_on_holiday_rolls_forward),
        cmocka_unit_test(deadline_year_without_table_is_provisional),
        cmocka_unit_test(deadline_end_of_day_is_within),
        cmocka_unit_test(deadline_absurd_input_is_refused),
        cmocka_unit_test(period_short_ones_are_working_days),
        cmocka_unit_test(holidays_year_has_its_working_days),
        cmocka_unit_test(holidays_bad_table_is_refused_with_its_line),
        cmocka_unit_test(holidays_run_across_a_weekend),
        cmocka_unit_test(date_reads_only_times_that_exist_in_china),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
