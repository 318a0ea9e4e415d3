/* Each anomaly is found where it is, and nothing is where there is none. */
#include "history/history.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

/* What was found: "lost x at b; " … */
static char said[1024];

static void tell(void *self, enum anomaly a, const char *id, const char *at)
{
    (void)self;
    size_t len = strlen(said);
    snprintf(said + len, sizeof said - len, "%s%s %s%s%s", len ? "; " : "", anomaly_word(a), id,
             *at ? " at " : "", at);
}

/* Check a history given as lines, and that ${expected} is all that is wrong with it. */
static void assert_wrong(const char *lines, const char *expected)
{
    char path[] = "/tmp/comity-history-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, lines, strlen(lines)), strlen(lines));
    close(fd);
    struct history *h = history_new();
    assert_int_equal(history_read(h, path), 0);
    said[0] = '\0';
    uint64_t n = history_check(h, tell, NULL);
    assert_string_equal(said, expected);
    assert_int_equal(n == 0, *expected == '\0');
    said[0] = '\0';
    assert_int_equal(history_check(h, tell, NULL), n); /* and again */
    history_free(h);
    unlink(path);
}

#define PUSHED "push x a b,c\ndone x\n"
#define LEDGERS "ledger a\nledger b\nledger c\n"
#define EVERYWHERE "found x a a\nfound x a b\nfound x a c\n"

static void history_without_fault_is_good(void **state)
{
    (void)state;
    assert_wrong(PUSHED "receipt x b\n" LEDGERS EVERYWHERE, "");
    assert_wrong("", "");
}

static void history_unknown_outcome_may_be_either(void **state)
{
    (void)state;
    assert_wrong("push x a b,c\nunknown x\n" LEDGERS, "");
    assert_wrong("push x a b,c\nunknown x\n" LEDGERS EVERYWHERE, "");
    assert_wrong("push x a b,c\n" LEDGERS "found x a a\nfound x a b\n", "lost x at c");
    assert_wrong("push x a b,c\nunknown x\nfailed x\n" LEDGERS, ""); /* it was learnt later */
}

static void history_lost_is_found(void **state)
{
    (void)state;
    assert_wrong(PUSHED LEDGERS "found x a a\nfound x a c\n", "lost x at b");
    assert_wrong(PUSHED LEDGERS "found x a b\nfound x a c\n", "lost x at a");
    assert_wrong(PUSHED LEDGERS, "lost x at b; lost x at c; lost x at a");
    assert_wrong(PUSHED "ledger a\nledger b\nfound x a a\nfound x a b\n", ""); /* c is not told */
}

static void history_duplicate_is_found(void **state)
{
    (void)state;
    assert_wrong(PUSHED LEDGERS EVERYWHERE "found x a b\n", "duplicate x at b");
    assert_wrong(PUSHED LEDGERS EVERYWHERE "found x a a\n", "duplicate x at a");
    assert_wrong(PUSHED "push x a b,c\n" LEDGERS EVERYWHERE, "duplicate x");
}

static void history_phantom_is_found(void **state)
{
    (void)state;
    assert_wrong(LEDGERS "found y a b\n", "phantom y at b");
    assert_wrong("push x a b\nfailed x\n" LEDGERS "found x a b\n", "phantom x at b");
    assert_wrong("push x a b\ndone x\n" LEDGERS "found x a a\nfound x a b\nfound x c b\n",
                 "phantom x at b"); /* under another's name */
    assert_wrong("done x\n", "phantom x");
}

static void history_misrouted_is_found(void **state)
{
    (void)state;
    assert_wrong("push x a b\ndone x\n" LEDGERS EVERYWHERE, "misrouted x at c");
}

static void history_reordered_is_found(void **state)
{
    (void)state;
    const char *two = "push x a b\npush y a b\ndone x\ndone y\n" LEDGERS;
    char lines[512];
    snprintf(lines, sizeof lines, "%sfound x a a\nfound y a a\nfound x a b\nfound y a b\n", two);
    assert_wrong(lines, "");
    snprintf(lines, sizeof lines, "%sfound y a a\nfound x a a\nfound y a b\nfound x a b\n", two);
    assert_wrong(lines, ""); /* begun at one time */
    snprintf(lines, sizeof lines, "%sfound x a a\nfound y a a\nfound y a b\nfound x a b\n", two);
    assert_wrong(lines, "reordered x at b");
    assert_wrong("push x a b\ndone x\npush y a b\ndone y\n" LEDGERS
                 "found y a a\nfound x a a\nfound y a b\nfound x a b\n",
                 "reordered y at a");
}

/* What two senders sent may come in any order. */
static void history_order_is_of_one_pair(void **state)
{
    (void)state;
    assert_wrong("push x a c\ndone x\npush y b c\ndone y\n" LEDGERS
                 "found x a a\nfound y b b\nfound y b c\nfound x a c\n",
                 "");
}

static void history_contradicted_is_found(void **state)
{
    (void)state;
    assert_wrong("push x a b\n" LEDGERS "receipt x b\n", "contradicted x at b");
    assert_wrong(PUSHED LEDGERS EVERYWHERE "receipt x d\n", "contradicted x at d");
    assert_wrong("receipt y b\n" LEDGERS, "contradicted y at b");
    assert_wrong("push x a b\nfailed x\ndone x\n" LEDGERS "found x a a\nfound x a b\n",
                 "contradicted x");
}

static void history_odd_lines_are_refused(void **state)
{
    (void)state;
    static const char *const lines[] = {"push x a\n",     "done\n", "done  x\n",
                                        "pushed x a b\n", "\n",     "done x y z u v\n"};
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char path[] = "/tmp/comity-history-XXXXXX";
        int fd = mkstemp(path);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, "done x\n", 7), 7);
        assert_int_equal(write(fd, lines[i], strlen(lines[i])), strlen(lines[i]));
        close(fd);
        struct history *h = history_new();
        assert_int_equal(history_read(h, path), 2);
        history_free(h);
        unlink(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(history_without_fault_is_good),
        cmocka_unit_test(history_unknown_outcome_may_be_either),
        cmocka_unit_test(history_lost_is_found),
        cmocka_unit_test(history_duplicate_is_found),
        cmocka_unit_test(history_phantom_is_found),
        cmocka_unit_test(history_misrouted_is_found),
        cmocka_unit_test(history_reordered_is_found),
        cmocka_unit_test(history_order_is_of_one_pair),
        cmocka_unit_test(history_contradicted_is_found),
        cmocka_unit_test(history_odd_lines_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
