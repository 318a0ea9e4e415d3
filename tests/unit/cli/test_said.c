/* What the node says, said again in another language. */
#include "rig.h"

#include "../../../cli/said.h"

#include "base/file.h"

#include <glob.h>

static const char *filled(struct rig *r, const char *sentence, const char *message,
                          const char *text)
{
    struct buf out = BUF_INIT;
    const char *result = NULL;
    if (said_fill(sentence, message, text, &out))
        result = cli_text(&r->c, "%s", buf_str(&out));
    buf_free(&out);
    return result;
}

static void blanks_come_back_in_order_or_by_number(void **state)
{
    struct rig *r = *state;
    assert_string_equal(filled(r, "licence {} has a key: entry {}",
                               "licence HZ-1 has a key: entry 4", "执法证号 {}：记录 {}"),
                        "执法证号 HZ-1：记录 4");
    assert_string_equal(filled(r, "{} is no bureau of roster {}", "x y is no bureau of roster 7",
                               "第 {2} 号名册没有 {1}"),
                        "第 7 号名册没有 x y");
    assert_string_equal(filled(r, "plain", "plain", "直白"), "直白");
    assert_string_equal(
        filled(r, "the file '{}' is not here", "the file 'it's' is not here", "文件“{}”不在"),
        "文件“it's”不在");
}

static void sentence_of_another_shape_does_not_fit(void **state)
{
    struct rig *r = *state;
    static const char *const rows[][2] = {
        {"plain", "plainer"}, {"plain", "plai"},        {"entry {} is gone", "entry 4 is gone now"},
        {"{} is", "is"},      {"a {} b {} c", "a 1 b"}, {"entry {}", "Entry 4"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_null(filled(r, rows[i][0], rows[i][1], "x"));
}

/* ${text} with what makes one sentence of several literals taken out, and "{}" for each conversion.
 */
static void put_sentences(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        const char *at = (const char *)text.data + i;
        size_t left = text.len - i;
        size_t gap = 1;
        while (at[0] == '"' && gap < left && strchr(" \n\t", at[gap]))
            gap++;
        if (at[0] == '"' && gap > 1 && gap < left && at[gap] == '"') {
            i += gap;
        } else if (at[0] == '%') {
            size_t n = 1 + strspn(at + 1, ".*0123456789lz");
            buf_put_str(out, "{}");
            i += n;
        } else {
            buf_put_u8(out, text.data[i]);
        }
    }
}

static void sentences_all_are_ones_that_the_node_says(void **state)
{
    (void)state;
    glob_t found = {0};
    struct buf all = BUF_INIT;
    if (glob("node/*.c", 0, NULL, &found) != 0) {
        skip(); /* not run from the sources */
    }
    for (size_t i = 0; i < found.gl_pathc; i++) {
        struct buf file = BUF_INIT;
        assert_int_equal(file_read(found.gl_pathv[i], 1024 * 1024, &file), 0);
        put_sentences(&all, buf_bytes(&file));
        buf_free(&file);
    }
    globfree(&found);
    const char *sentence = NULL;
    for (size_t n = 0; (sentence = said_sentence(n)); n++) {
        struct buf literal = BUF_INIT;
        buf_printf(&literal, "\"%s\"", sentence);
        bool is_there = strstr(buf_str(&all), buf_str(&literal));
        buf_free(&literal);
        if (!is_there)
            fail_msg("the node does not say \"%s\" any more", sentence);
    }
    buf_free(&all);
}

#define T(test) cmocka_unit_test_setup_teardown(test, rig_setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(blanks_come_back_in_order_or_by_number),
        T(sentence_of_another_shape_does_not_fit),
        T(sentences_all_are_ones_that_the_node_says),
    };
    return cmocka_run_group_tests_name("said", tests, NULL, NULL);
}
