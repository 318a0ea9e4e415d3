/* Killed at any moment, a ledger opens again: with everything that was committed, and nothing by
 * halves. */
#include "ledger/ledger.h"

#include "ledgers.h"
#include "trees.h"

#include <signal.h>
#include <sys/wait.h>

/* Turns of many sizes, with bodies, until somebody ends it; the size committed is told through the
 * pipe. */
static void write_without_end(struct bench *b, int pipe_fd, uint64_t seed)
{
    static char body[40000];
    if (bench_open_store(b, DB_WRITE) || ledger_open(b->store, b->signer, &b->ledger))
        _exit(1);
    for (;;) {
        uint64_t n = 1 + next_random(&seed) % 600, first = ledger_size(b->ledger);
        struct opening o = {.body = BYTES(body, 1 + next_random(&seed) % sizeof body)};
        struct openings run = {.opening = &o, .count = 1};
        int err = ledger_begin(b->ledger);
        for (uint64_t i = 0; !err && i < n; i++)
            err = append_one(b->ledger, first + i, NULL);
        if (!err)
            err = ledger_openings_put(b->ledger, bytes_of(origin), first, &run);
        if (!err)
            err = ledger_sign(b->ledger);
        if (!err)
            err = ledger_commit(b->ledger);
        uint64_t size = ledger_size(b->ledger);
        if (err || write(pipe_fd, &size, sizeof size) != sizeof size)
            _exit(2);
    }
}

static void killed_writer_leaves_a_sound_ledger(void **state)
{
    struct bench *b = *state;
    uint64_t random = (uint64_t)getpid() * 7919 + 1, known = 0, grown = 0;
    struct hash known_root;
    bench_close(b);
    for (int round = 0; round < 25; round++) {
        int fds[2], status = 0;
        assert_int_equal(pipe(fds), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            close(fds[0]);
            write_without_end(b, fds[1], random + (uint64_t)round);
        }
        close(fds[1]);
        uint64_t told = known, size;
        /* Every other round early, perhaps while it opens; else somewhere behind its first commit.
         */
        if (round % 2)
            assert_int_equal(read(fds[0], &told, sizeof told), sizeof told);
        usleep((useconds_t)(next_random(&random) % 40000));
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status));
        while (read(fds[0], &size, sizeof size) == sizeof size)
            told = size;
        close(fds[0]);
        assert_int_equal(bench_reopen(b), 0);
        size = ledger_size(b->ledger);
        assert_true(size >= told);
        if (known > 0) {
            struct hash again;
            assert_int_equal(ledger_root(b->ledger, known, &again), 0);
            assert_memory_equal(again.b, known_root.b, HASH_LEN);
        }
        grown += size > known;
        known = size;
        assert_int_equal(ledger_root(b->ledger, known, &known_root), 0);
        bench_close(b);
    }
    /* Otherwise nothing was tried. */
    assert_true(grown >= 12);
}

static int set_up(void **state)
{
    *state = bench_new();
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(killed_writer_leaves_a_sound_ledger, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ledger/crash", tests, NULL, NULL);
}
