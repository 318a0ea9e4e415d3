/* Which word of a command line is wrong, and what is said about it. */
#include "base/lang.h"
#include "base/options.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { WORDS_MAX = 16 };

static const struct argp_option options[] = {
    {"config", 'c', "FILE", 0, NULL, 0}, {"count", 'n', "N", 0, NULL, 0},
    {"reindex", 'r', NULL, 0, NULL, 0},  {"quick", 'q', NULL, 0, NULL, 0},
    {"quickest", 'Q', NULL, 0, NULL, 0}, {0}};

/* "c=x r arg" */
static void take(void *self, int key, char *value)
{
    struct buf *out = self;
    if (key != ARGP_KEY_ARG)
        buf_put_u8(out, (uint8_t)key);
    buf_printf(out, "%s%s ", key != ARGP_KEY_ARG && value ? "=" : "", value ? value : "");
}

/* What was taken of ${line}, or what is said about it. */
static void expect(const char *line, const char *wanted)
{
    char copy[256];
    char *argv[WORDS_MAX + 1] = {"program"};
    int argc = 1;
    struct buf taken = BUF_INIT;
    struct buf said = BUF_INIT;
    struct options_trouble t;
    snprintf(copy, sizeof copy, "%s", line);
    for (char *w = strtok(copy, " "); w && argc < WORDS_MAX; w = strtok(NULL, " "))
        argv[argc++] = w;
    int err = options_parse(options, argc, argv, take, &taken, &t);
    if (err) {
        assert_int_equal(err, COMITY_E_USAGE);
        options_explain(&said, &t);
    }
    assert_string_equal(buf_str(err ? &said : &taken), wanted);
    buf_free(&taken);
    buf_free(&said);
}

static void options_in_every_spelling_are_taken(void **state)
{
    (void)state;
    expect("", "");
    expect("-c x --count=3 a -rq --quick", "c=x n=3 r q q a ");
    expect("-rcx --co y --conf z", "--co can be several flags");
    expect("-rcx --conf z --qui", "--qui can be several flags");
    expect("-rcx --conf z --quick", "r c=x c=z q ");
    expect("-c -r -- -q", "c=-r -q ");
}

static void options_wrong_word_is_named(void **state)
{
    (void)state;
    expect("--cofnig x", "there is no flag --cofnig here");
    expect("x --cofnig=y z", "there is no flag --cofnig=y here");
    expect("-x", "there is no flag -x here");
    expect("--reindex=now", "--reindex takes no value");
    expect("a --count", "--count needs a value: N");
    expect("-r -n", "--count needs a value: N");
    expect("-rn", "--count needs a value: N");
}

/* argp stops at it, not behind it. */
static void options_letter_in_a_word_of_several_is_found(void **state)
{
    (void)state;
    expect("--reindex -xr", "there is no flag -xr here");
    expect("--config x -rxq", "there is no flag -rxq here");
    expect("-q -xr --quick", "there is no flag -xr here");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_in_every_spelling_are_taken),
        cmocka_unit_test(options_wrong_word_is_named),
        cmocka_unit_test(options_letter_in_a_word_of_several_is_found),
    };
    lang_init("en", false);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
