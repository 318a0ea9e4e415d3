/* Strict text forms: hex, base64, numbers, times, names. */
#include "base/text.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void base64_rfc4648_vectors_round_trip(void **state)
{
    (void)state;
    static const char *const rows[][2] = {{"", ""},
                                          {"f", "Zg=="},
                                          {"fo", "Zm8="},
                                          {"foo", "Zm9v"},
                                          {"foob", "Zm9vYg=="},
                                          {"fooba", "Zm9vYmE="},
                                          {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;
        text_put_base64(&out, bytes_of(rows[i][0]));
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_reset(&out);
        assert_int_equal(text_get_base64(bytes_of(rows[i][1]), &out), 0);
        assert_string_equal(buf_str(&out), rows[i][0]);
        buf_free(&out);
    }
}

static void base64_second_spelling_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"Zg",     "Zg=",  "Zh==",     "Zm9=", "Zm 9v",
                                      "Zm9v\n", "=m9v", "Zg==Zg==", "====", "Z==="};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out = BUF_INIT;
        assert_int_equal(text_get_base64(bytes_of(bad[i]), &out), COMITY_E_MALFORMED);
        buf_free(&out);
    }
}

static void u64_edges(void **state)
{
    (void)state;
    uint64_t v = 7;
    assert_int_equal(text_get_u64(bytes_of("18446744073709551615"), &v), 0);
    assert_true(v == UINT64_MAX);
    assert_int_equal(text_get_u64(bytes_of("0"), &v), 0);
    assert_true(v == 0);
    static const char *const bad[] = {
        "", "01", "18446744073709551616", "99999999999999999999", "-1", "1 ", "+1", "1a"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_get_u64(bytes_of(bad[i]), &v), COMITY_E_MALFORMED);
    assert_true(v == 0);
}

static void time_round_trip_and_refusals(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_int_equal(text_get_time(bytes_of("2024-02-29T23:59:59Z"), &ms), 0);
    assert_true(ms == 1709251199000);
    struct buf out = BUF_INIT;
    text_put_time(&out, ms + 999);
    assert_string_equal(buf_str(&out), "2024-02-29T23:59:59Z");
    buf_reset(&out);
    text_put_time_china(&out, ms);
    assert_string_equal(buf_str(&out), "2024-03-01T07:59:59+08:00");
    buf_free(&out);
    static const char *const bad[] = {"2023-02-29T00:00:00Z",      "2024-13-01T00:00:00Z",
                                      "2024-02-29 23:59:59Z",      "2024-02-29T24:00:00Z",
                                      "2024-02-29T23:59:59+08:00", "2024-2-29T23:59:59Z"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_get_time(bytes_of(bad[i]), &ms), COMITY_E_MALFORMED);
}

/* Whatever stands among plain characters, at whatever place in a group of eight, counts as it does
 * alone. */
static void one_byte_among_plain_ones_counts_at_every_place(void **state)
{
    (void)state;
    for (unsigned c = 0; c < 256; c++) {
        bool is_control = c < 0x20 || c == 0x7f;
        for (size_t at = 0; at < 20; at++) {
            uint8_t text[20];
            memset(text, '~', sizeof text);
            text[at] = (uint8_t)c;
            struct bytes b = BYTES(text, sizeof text);
            assert_int_equal(text_is_utf8(b), c < 0x80);
            assert_int_equal(text_is_line(b), c < 0x80 && !is_control);
            assert_int_equal(text_is_paragraphs(b),
                             c < 0x80 && (!is_control || c == '\n' || c == '\t'));
        }
    }
    assert_true(text_is_paragraphs(bytes_of("第一段\n\t第二段 and more of it")));
    assert_false(text_is_paragraphs(BYTES_LIT("12345678\xc2\x9f"
                                              "12345678")));
}

static void utf8_and_lines(void **state)
{
    (void)state;
    assert_true(text_is_line(bytes_of("杭州 330100-001")));
    assert_false(text_is_line(bytes_of("a\nb")));
    assert_true(text_is_utf8(bytes_of("a\nb")));
    assert_false(text_is_line(BYTES_LIT("\xc2\x85")));
    static const char *const bad[] = {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe6\x9d",
                                      "\xff"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_utf8(bytes_of(bad[i])));
}

static void member_ids(void **state)
{
    (void)state;
    assert_true(text_is_member_id(bytes_of("330100-001")));
    assert_true(text_is_bureau_id(bytes_of("330100-001")));
    assert_true(text_is_member_id(bytes_of("hub")));
    assert_false(text_is_bureau_id(bytes_of("hub")));
    static const char *const bad[] = {"",     "authority",   "330100-1", "33010-0001", "Hub",
                                      "-hub", "330100-0011", "hub.2",    "a/b"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(text_is_member_id(bytes_of(bad[i])));
}

static void origins(void **state)
{
    (void)state;
    struct origin o;
    assert_int_equal(text_get_origin(bytes_of("cn-samr/330100-001"), &o), 0);
    assert_true(bytes_is(o.network, "cn-samr") && bytes_is(o.member, "330100-001"));
    assert_int_equal(o.generation, 1);
    assert_int_equal(text_get_origin(bytes_of("cn-samr/330100-001.2"), &o), 0);
    assert_true(bytes_is(o.member, "330100-001"));
    assert_int_equal(o.generation, 2);
    static const char *const bad[] = {"cn-samr",
                                      "cn-samr/",
                                      "/330100-001",
                                      "cn-samr/330100-001.1",
                                      "cn-samr/330100-001.02",
                                      "cn-samr/330100-001.",
                                      "cn samr/hub",
                                      "cn-samr/authority",
                                      "cn-samr/hub/x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(text_get_origin(bytes_of(bad[i]), &o), COMITY_E_MALFORMED);
}

static void hex_round_trip(void **state)
{
    (void)state;
    uint8_t v[3];
    assert_int_equal(text_get_hex(bytes_of("00fFa5"), v, 3), 0);
    assert_memory_equal(v, "\x00\xff\xa5", 3);
    assert_int_equal(text_get_hex(bytes_of("00ff"), v, 3), COMITY_E_MALFORMED);
    assert_int_equal(text_get_hex(bytes_of("00ffg5"), v, 3), COMITY_E_MALFORMED);
    struct buf out = BUF_INIT;
    text_put_hex(&out, BYTES(v, 3));
    assert_string_equal(buf_str(&out), "00ffa5");
    buf_free(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_rfc4648_vectors_round_trip),
        cmocka_unit_test(base64_second_spelling_is_refused),
        cmocka_unit_test(u64_edges),
        cmocka_unit_test(time_round_trip_and_refusals),
        cmocka_unit_test(utf8_and_lines),
        cmocka_unit_test(one_byte_among_plain_ones_counts_at_every_place),
        cmocka_unit_test(member_ids),
        cmocka_unit_test(origins),
        cmocka_unit_test(hex_round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
