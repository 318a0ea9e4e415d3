/* The command line: what is taken, and what is said about what is not. */
#include "rig.h"

#include "../../../cli/ask.h"

#include "base/file.h"

#include <comity/err.h>

static const struct flag flags[] = {
    {"title", "TEXT", FLAG_NEEDED, "the title"},
    {"tool", "TEXT", 0, "a tool"},
    {"tool-version", "TEXT", 0, "its version"},
    {NULL, NULL, 0, "A heading"},
    {"member", "ID", FLAG_MANY, "members"},
    {"fast", NULL, 0, "a switch"},
    {"count", "N", 0, "a number"},
    {0},
};

static int setup(void **state)
{
    int bad = rig_setup(state);
    struct rig *r = *state;
    r->command.flags = flags;
    r->command.args = "REF";
    r->command.args_max = 2;
    return bad;
}

static void flags_in_every_spelling_are_taken(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "a", "--title=x y", "--member", "m1", "--fast", "b", "--member",
                               "m2", "--count", "7"),
                     0);
    uint64_t n = 0;
    assert_string_equal(flag_text(&r->c, "title"), "x y");
    assert_int_equal(flag_count(&r->c, "member"), 2);
    assert_string_equal(flag_at(&r->c, "member", 0), "m1");
    assert_string_equal(flag_text(&r->c, "member"), "m2");
    assert_true(flag_given(&r->c, "fast"));
    assert_null(flag_text(&r->c, "tool"));
    assert_int_equal(flag_number(&r->c, "count", 1, 9, 0, &n), 0);
    assert_int_equal(n, 7);
    assert_int_equal(r->c.arg_count, 2);
    assert_string_equal(r->c.args[1], "b");
}

static void flag_exact_name_wins_over_longer_ones(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--tool", "y"), 0);
    assert_string_equal(flag_text(&r->c, "tool"), "y");
    assert_null(flag_text(&r->c, "tool-version"));
}

static void words_behind_two_dashes_are_no_flags(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--", "--fast"), 0);
    assert_string_equal(r->c.args[0], "--fast");
    assert_false(flag_given(&r->c, "fast"));
}

static void expect(struct rig *r, const char *message, const char *hint)
{
    assert_int_equal(r->c.failure.err, COMITY_E_USAGE);
    assert_string_equal(r->c.failure.message, message);
    if (hint)
        assert_string_equal(r->c.failure.hint, hint);
    else
        assert_null(r->c.failure.hint);
}

static void flag_misspelled_is_refused_with_the_near_one(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--titel", "x"), COMITY_E_USAGE);
    expect(r, "there is no flag --titel here", "did you mean --title?");
}

static void flag_unlike_any_is_refused_without_a_guess(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--zzzzzzzz"), COMITY_E_USAGE);
    expect(r, "there is no flag --zzzzzzzz here", NULL);
}

static void flag_without_its_value_is_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title"), COMITY_E_USAGE);
    expect(r, "--title needs a value: TEXT", NULL);
}

static void switch_with_a_value_is_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--fast=1"), COMITY_E_USAGE);
    expect(r, "--fast takes no value", NULL);
}

static void flag_that_counts_once_is_refused_twice(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--title", "y"), COMITY_E_USAGE);
    expect(r, "--title is given more than once", NULL);
}

static void flags_missing_are_named_together(void **state)
{
    struct rig *r = *state;
    static const struct flag needed[] = {{"one", "A", FLAG_NEEDED, "1"},
                                         {"two", "B", FLAG_NEEDED, "2"},
                                         {"three", "C", 0, "3"},
                                         {0}};
    r->command.flags = needed;
    assert_int_equal(RIG_PARSE(r, "--three", "x"), COMITY_E_USAGE);
    expect(r, "flags are missing: --one A, --two B", "comity thing do --help");
}

static void arguments_too_few_or_many_are_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "a", "b", "c"), COMITY_E_USAGE);
    expect(r, "\"c\" is one argument too many: comity thing do takes REF",
           "comity thing do --help");
    r->command.args_min = 1;
    assert_int_equal(RIG_PARSE(r, "--title", "x"), COMITY_E_USAGE);
    expect(r, "comity thing do needs REF", "comity thing do --help");
}

static void number_outside_its_bounds_is_refused(void **state)
{
    struct rig *r = *state;
    uint64_t n = 0;
    assert_int_equal(RIG_PARSE(r, "--title", "x", "--count", "10"), 0);
    assert_int_equal(flag_number(&r->c, "count", 1, 9, 0, &n), COMITY_E_USAGE);
    expect(r, "--count is a number from 1 to 9, not \"10\"", NULL);
}

static void wait_every_spelling_is_read(void **state)
{
    static const struct {
        const char *text;
        const char *stage;
        uint64_t ms;
    } rows[] = {
        {"received", "received", 30000},         {"accepted:5", "accepted", 5000},
        {"recognised:90s", "recognised", 90000}, {"received:5m", "received", 300000},
        {"received:1h", "received", 3600000},
    };
    static const char *const bad[] = {
        "",           "recieved",    "received:",   "received:0", "received:2h",
        "received:s", "received:-1", "received:1d", "recorded",   "received:99999999999999999999h"};
    char stage[16];
    uint64_t ms;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(wait_parse(rows[i].text, stage, &ms), 0);
        assert_string_equal(stage, rows[i].stage);
        assert_int_equal(ms, rows[i].ms);
    }
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(wait_parse(bad[i], stage, &ms), COMITY_E_USAGE);
}

static void word_that_is_not_utf8_is_refused(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "a\xff"), COMITY_E_USAGE);
    expect(r, "argument 2 is not UTF-8 text", NULL);
}

/* ---- the table of commands ---- */

static void commands_all_are_complete(void **state)
{
    struct rig *r = *state;
    const struct command *m = NULL;
    size_t n = 0;
    for (; (m = cli_command(n)); n++) {
        assert_non_null(m->doc);
        assert_non_null(m->run);
        assert_true(m->view || m->render);
        assert_true(m->args_max == 0 || m->args);
        size_t count = 0;
        const struct flag **all = args_flags(&r->c, m, &count);
        for (size_t i = 0; i < count; i++)
            for (size_t k = 0; k < i; k++)
                assert_true(!all[i]->name || !all[k]->name ||
                            strcmp(all[i]->name, all[k]->name) != 0);
        for (size_t k = 0; k < n; k++) {
            const struct command *o = cli_command(k);
            assert_false(strcmp(m->noun, o->noun) == 0 &&
                         (!m->verb || strcmp(m->verb, o->verb) == 0));
        }
    }
    assert_true(n > 25);
}

static void help_names_every_flag_of_every_command(void **state)
{
    struct rig *r = *state;
    const struct command *m = NULL;
    for (size_t n = 0; (m = cli_command(n)); n++) {
        struct buf out = BUF_INIT;
        size_t count = 0;
        const struct flag **all = args_flags(&r->c, m, &count);
        help_command(&r->c, m, &out);
        for (size_t i = 0; i < count; i++)
            if (all[i]->name)
                assert_non_null(strstr(buf_str(&out), cli_text(&r->c, "--%s", all[i]->name)));
        buf_free(&out);
    }
}

static void man_page_names_every_command_and_flag(void **state)
{
    struct rig *r = *state;
    struct buf page = BUF_INIT;
    const struct command *m = NULL;
    if (file_read("docs/man/comity.1", 1024 * 1024, &page) != 0)
        skip(); /* not run from the sources */
    for (size_t n = 0; (m = cli_command(n)); n++) {
        size_t count = 0;
        const struct flag **all = args_flags(&r->c, m, &count);
        if (!strstr(buf_str(&page), cli_text(&r->c, ".It Nm Cm %s%s%s", m->noun, m->verb ? " " : "",
                                             m->verb ? m->verb : "")))
            fail_msg("comity(1) does not have %s %s", m->noun, m->verb ? m->verb : "");
        for (size_t i = 0; i < count; i++)
            if (all[i]->name && !strstr(buf_str(&page), cli_text(&r->c, "Fl -%s", all[i]->name)) &&
                !strstr(buf_str(&page), cli_text(&r->c, ", -%s", all[i]->name)))
                fail_msg("comity(1) does not have --%s of %s", all[i]->name, m->noun);
    }
    buf_free(&page);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(flags_in_every_spelling_are_taken),
        T(flag_exact_name_wins_over_longer_ones),
        T(words_behind_two_dashes_are_no_flags),
        T(flag_misspelled_is_refused_with_the_near_one),
        T(flag_unlike_any_is_refused_without_a_guess),
        T(flag_without_its_value_is_refused),
        T(switch_with_a_value_is_refused),
        T(flag_that_counts_once_is_refused_twice),
        T(flags_missing_are_named_together),
        T(arguments_too_few_or_many_are_refused),
        T(number_outside_its_bounds_is_refused),
        T(wait_every_spelling_is_read),
        T(word_that_is_not_utf8_is_refused),
        T(commands_all_are_complete),
        T(help_names_every_flag_of_every_command),
        T(man_page_names_every_command_and_flag),
    };
    return cmocka_run_group_tests_name("args", tests, NULL, NULL);
}
