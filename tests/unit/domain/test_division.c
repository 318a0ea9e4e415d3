/* The table of division codes: the one that is shipped, and dates. */
#include "domain/division.h"

#include "base/file.h"
#include "domain/date.h"

#include <comity/err.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum { ARENA = 1024 * 1024 };

static int32_t day(const char *text)
{
    int32_t d = 0;
    assert_int_equal(date_get_day(bytes_of(text), &d), 0);
    return d;
}

static void assert_name(const struct divisions *t, const char *code, const char *name)
{
    struct buf out = BUF_INIT;
    divisions_put_name(&out, t, bytes_of(code));
    assert_string_equal(buf_str(&out), name);
    buf_free(&out);
}

static void divisions_shipped_table_is_complete(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct buf text = BUF_INIT;
    struct divisions t = {0};
    size_t line = 0;
    assert_int_equal(file_read("data/divisions.tsv", 1 << 20, &text), 0);
    if (divisions_parse(a, buf_bytes(&text), &t, &line))
        fail_msg("data/divisions.tsv:%zu", line);
    buf_free(&text);
    size_t provinces = 0;
    for (size_t i = 0; i < t.count; i++)
        provinces += bytes_equal(bytes_slice(t.rows[i].code, 2, 4), BYTES_LIT("0000"));
    assert_int_equal(provinces, 35);
    static const char *const sub_provincial[] = {"210100", "210200", "220100", "230100", "320100",
                                                 "330100", "330200", "350200", "370100", "370200",
                                                 "420100", "440100", "440300", "510100", "610100"};
    for (size_t i = 0; i < sizeof sub_provincial / sizeof sub_provincial[0]; i++)
        assert_non_null(divisions_find(&t, bytes_of(sub_provincial[i])));
    assert_name(&t, "330106", "浙江省杭州市");
    assert_name(&t, "440300", "广东省深圳市");
    assert_name(&t, "310115", "上海市");
    assert_name(&t, "110000", "北京市");
    assert_name(&t, "990000", "");
    assert_name(&t, "33", "");
    assert_int_equal(divisions_check(&t, bytes_of("460300"), day("2012-06-20"), NULL),
                     COMITY_E_DIVISION);
    assert_int_equal(divisions_check(&t, bytes_of("460300"), day("2012-06-21"), NULL), 0);
    assert_int_equal(divisions_check(&t, bytes_of("500112"), day("1997-03-13"), NULL),
                     COMITY_E_DIVISION);
    arena_free(a);
}

static void divisions_code_out_of_force_is_refused(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct divisions t = {0};
    assert_int_equal(divisions_parse(a,
                                     BYTES_LIT("# a comment\n\n"
                                               "330000\t甲省\t-\t-\n"
                                               "330100\t乙市\t2000-01-01\t2020-01-01\n"
                                               "330102\t丙区\t2010-06-01\t-\n"),
                                     &t, NULL),
                     0);
    assert_int_equal(t.count, 3);
    static const struct {
        const char *code;
        const char *day;
        int err;
    } rows[] = {
        {"330000", "1970-01-01", 0},
        {"330100", "1999-12-31", COMITY_E_DIVISION},
        {"330100", "2000-01-01", 0},
        {"330100", "2019-12-31", 0},
        {"330100", "2020-01-01", COMITY_E_DIVISION},
        {"330102", "2010-05-31", COMITY_E_DIVISION},
        {"330102", "2010-06-01", 0},
        {"330102", "2020-01-01", COMITY_E_DIVISION}, /* its city is gone */
        {"330103", "2015-01-01", 0},                 /* not in the table */
        {"330103", "2020-01-01", COMITY_E_DIVISION},
        {"330006", "2015-01-01", COMITY_E_DIVISION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct code_fault fault = {0};
        int err = divisions_check(&t, bytes_of(rows[i].code), day(rows[i].day), &fault);
        if (err != rows[i].err)
            fail_msg("%s on %s: %d", rows[i].code, rows[i].day, err);
        assert_int_equal(err != 0, fault.flaw != CODE_FLAW_NONE);
    }
    arena_free(a);
}

static void divisions_bad_table_is_refused_with_its_line(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "330000\t甲省\t-\n",
        "330000\t甲省\t-\t-\t-\n",
        "330000\t\t-\t-\n",
        "33000\t甲省\t-\t-\n",
        "990000\t甲省\t-\t-\n",
        "330000\t甲省\t2020-02-30\t-\n",
        "330000\t甲省\t2020-01-01\t2020-01-01\n",
        "330100\t乙市\t-\t-\n330000\t甲省\t-\t-\n",
        "330000\t甲省\t-\t-\n330000\t甲省\t-\t-\n",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct arena *a = arena_new(ARENA);
        struct divisions t = {.count = 77};
        size_t line = 0;
        assert_int_equal(divisions_parse(a, bytes_of(bad[i]), &t, &line), COMITY_E_CONFIG);
        assert_int_equal(line, i < 7 ? 1 : 2);
        assert_int_equal(t.count, 77);
        arena_free(a);
    }
    struct arena *small = arena_new(64);
    struct divisions t = {0};
    assert_int_equal(divisions_parse(small, bytes_of("330000\t甲省\t-\t-\n"), &t, NULL),
                     COMITY_E_NOMEM);
    arena_free(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(divisions_shipped_table_is_complete),
        cmocka_unit_test(divisions_code_out_of_force_is_refused),
        cmocka_unit_test(divisions_bad_table_is_refused_with_its_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
