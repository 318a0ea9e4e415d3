/* From JSON to what people, and what pipes, get. */
#include "rig.h"

static const struct view_field item_fields[] = {
    {"name", "name", AS_TEXT}, {"len", "size", AS_SIZE},   {"stage", "stage", AS_STAGE},
    {"to[]", "to", AS_WHOLE},  {"note", "note", AS_WHOLE}, {0}};
static const struct view list = {
    .sections = (const struct view_section[]){{"items", NULL, item_fields, "nothing"}, {0}}};

static const struct view_field record_fields[] = {{"a.b", "inner", AS_WHOLE},
                                                  {"x|y", "either", AS_WHOLE},
                                                  {"time", "time", AS_TIME},
                                                  {"ok", "ok", AS_VALID},
                                                  {0}};
static const struct view record = {
    .sections = (const struct view_section[]){
        {NULL, NULL, record_fields, NULL}, {"items", "Items", item_fields, NULL}, {0}}};

static const struct out_style terminal = {.is_terminal = true, .width = 80};
static const struct out_style pipe_style = {.width = 80};

static const char *render(struct rig *r, const struct view *view, const char *json,
                          const struct out_style *style)
{
    struct buf out = BUF_INIT;
    json_error_t where;
    json_t *value = json_loads(json, 0, &where);
    assert_non_null(value);
    out_render(view, value, style, &out);
    assert_int_equal(buf_check(&out), 0);
    const char *text = cli_text(&r->c, "%s", buf_str(&out));
    buf_free(&out);
    json_decref(value);
    return text;
}

static void width_counts_wide_characters_twice(void **state)
{
    (void)state;
    assert_int_equal(out_width(bytes_of("abc")), 3);
    assert_int_equal(out_width(bytes_of("证据")), 4);
    assert_int_equal(out_width(bytes_of("a证b")), 4);
    assert_int_equal(out_width(bytes_of("e\xcc\x81")), 1); /* a letter and a combining accent */
    assert_int_equal(out_width(BYTES("\xff\xfe", 2)), 2);
}

static void shown_text_is_cut_between_characters(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t max;
        const char *shown;
    } rows[] = {
        {"证据清单", 8, "证据清单"}, {"证据清单", 7, "证据清…"}, {"证据清单", 6, "证据…"},
        {"abcdef", 4, "abc…"},       {"abcdef", 0, "abcdef"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;
        out_put_shown(&out, bytes_of(rows[i].text), rows[i].max);
        assert_string_equal(buf_str(&out), rows[i].shown);
        assert_true(rows[i].max == 0 || out_width(buf_bytes(&out)) <= rows[i].max);
        buf_free(&out);
    }
}

static void shown_text_of_others_cannot_steer_the_terminal(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    out_put_shown(&out,
                  bytes_of("a\x1b[2Jb\rc\x7f\xc2\x9b"
                           "d\xe2\x80\xae"
                           "e\nf"),
                  0);
    assert_string_equal(buf_str(&out), "a\xef\xbf\xbd[2Jb\xef\xbf\xbd"
                                       "c\xef\xbf\xbd\xef\xbf\xbd"
                                       "d\xef\xbf\xbd"
                                       "e f");
    buf_free(&out);
}

static void pipe_list_has_tabs_no_heading_and_nothing_cut(void **state)
{
    const char *text = render(
        *state, &list,
        "{\"items\":[{\"name\":\"某直播间销售假冒婴儿奶粉案的全部录屏与聊天记录以及进货单据\","
        "\"len\":1048576,\"stage\":\"received\",\"to\":[\"a\",\"b\"]},{\"name\":"
        "\"x\\ty\\n\\\\\\u001b\"}]}",
        &pipe_style);
    assert_string_equal(
        text,
        "某直播间销售假冒婴儿奶粉案的全部录屏与聊天记录以及进货单据\t1048576\treceived\ta,b\t\n"
        "x\\ty\\n\\\\\\x1b\t\t\t\t\n");
}

static void pipe_record_names_its_fields(void **state)
{
    const char *text = render(
        *state, &record,
        "{\"a\":{\"b\":\"in\"},\"y\":\"second\",\"time\":\"2026-11-24T09:47:15Z\",\"ok\":false,"
        "\"items\":[{\"name\":\"n\",\"len\":3}]}",
        &pipe_style);
    assert_string_equal(
        text,
        "a.b\tin\ny\tsecond\ntime\t2026-11-24T17:47:15+08:00\nok\tfalse\nitems\tn\t3\t\t\t\n");
}

static const struct view_field time_fields[] = {
    {"time", "time", AS_TIME}, {"seen", "seen", AS_MINUTES}, {0}};
static const struct view both = {
    .sections = (const struct view_section[]){
        {NULL, NULL, record_fields, NULL}, {"items", NULL, time_fields, NULL}, {0}}};

/* A moment is told to the second and with its zone; in a table the zone stands in the heading. */
static void terminal_times_have_seconds_and_a_zone(void **state)
{
    const char *text = render(*state, &both,
                              "{\"time\":\"2026-11-24T09:47:15Z\",\"items\":[{\"time\":"
                              "\"2026-11-24T09:47:15Z\",\"seen\":\"2026-11-24T17:48:00+08:00\"}]}",
                              &terminal);
    assert_string_equal(text, "  time  2026-11-24 17:47:15 +08:00\n"
                              "  time (+08:00)        seen (+08:00)\n"
                              "  2026-11-24 17:47:15  2026-11-24 17:48\n");
}

static const struct view_field ref_fields[] = {
    {"ref", "ref", AS_WHOLE}, {"stage", "stage", AS_STAGE}, {0}};
static const struct view ref_view = {
    .done = "Done.",
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, ref_fields, NULL}, {0}}};

static void pipe_ref_view_is_the_ref_alone(void **state)
{
    assert_string_equal(
        render(*state, &ref_view, "{\"ref\":\"330100-001/5\",\"stage\":\"received\"}", &pipe_style),
        "330100-001/5\n");
    assert_string_equal(
        render(*state, &ref_view, "{\"ref\":\"330100-001/5\",\"stage\":\"received\"}", &terminal),
        "✓ Done.\n  ref    330100-001/5\n  stage  ✓ received\n");
}

static void terminal_list_is_aligned_and_leaves_empty_columns_out(void **state)
{
    const char *text =
        render(*state, &list,
               "{\"items\":[{\"name\":\"证据\",\"len\":3000000,\"stage\":\"refused\"},"
               "{\"name\":\"abcdefgh\",\"len\":1,\"stage\":\"recorded\"}]}",
               &terminal);
    assert_string_equal(text, "  name         size  stage\n"
                              "  证据      2.9 MiB  ✗ refused\n"
                              "  abcdefgh   1 byte  - recorded\n");
}

static void terminal_list_without_elements_says_so(void **state)
{
    assert_string_equal(render(*state, &list, "{\"items\":[]}", &terminal), "  nothing\n");
    assert_string_equal(render(*state, &list, "{\"items\":[]}", &pipe_style), "");
}

static void terminal_narrow_cuts_texts_only(void **state)
{
    struct out_style narrow = {.is_terminal = true, .width = 40};
    const char *text = render(
        *state, &list,
        "{\"items\":[{\"name\":\"0123456789012345678901234567890123456789\",\"stage\":\"received\","
        "\"note\":\"wholewhole\"}]}",
        &narrow);
    const char *line = strchr(text, '\n') + 1;
    assert_non_null(strstr(line, "…"));
    assert_non_null(strstr(line, "wholewhole"));
    assert_true(out_width(bytes_of(line)) - 1 <= 40);
}

static void terminal_time_is_chinas(void **state)
{
    const char *text =
        render(*state, &record, "{\"time\":\"2026-11-24T23:47:15Z\",\"ok\":true}", &terminal);
    assert_string_equal(text, "  time  2026-11-25 07:47:15 +08:00\n  ok    ✓\n");
}

static void wrapped_text_keeps_words_and_width(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    out_put_wrapped(&out, "one two three four\n\nfive 证据互认平台", 9, 2);
    assert_string_equal(buf_str(&out), "one two\n  three\n  four\n\n  five 证据\n  互认平台");
    buf_free(&out);
}

static void colour_is_written_where_there_is_colour_only(void **state)
{
    (void)state;
    struct out_style coloured = {.is_terminal = true, .is_coloured = true, .width = 80};
    struct buf out = BUF_INIT;
    out_put_coloured(&out, &terminal, OUT_RED, "x");
    assert_string_equal(buf_str(&out), "x");
    buf_reset(&out);
    out_put_coloured(&out, &coloured, OUT_RED, "x");
    assert_string_equal(buf_str(&out), "\033[31mx\033[0m");
    buf_free(&out);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(width_counts_wide_characters_twice),
        T(shown_text_is_cut_between_characters),
        T(shown_text_of_others_cannot_steer_the_terminal),
        T(pipe_list_has_tabs_no_heading_and_nothing_cut),
        T(pipe_record_names_its_fields),
        T(terminal_times_have_seconds_and_a_zone),
        T(pipe_ref_view_is_the_ref_alone),
        T(terminal_list_is_aligned_and_leaves_empty_columns_out),
        T(terminal_list_without_elements_says_so),
        T(terminal_narrow_cuts_texts_only),
        T(terminal_time_is_chinas),
        T(wrapped_text_keeps_words_and_width),
        T(colour_is_written_where_there_is_colour_only),
    };
    return cmocka_run_group_tests_name("out", tests, NULL, NULL);
}
