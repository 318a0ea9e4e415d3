/*
 * What we write, the Go project's own implementation accepts (tests/vectors/tlogcheck.go); what is
 * changed, it refuses. Skipped where Go or its module x/mod is not installed.
 */
#include "base/file.h"

#include "ledgers.h"

#include <sys/wait.h>

static char checker[128];
static char vkey[NOTE_VKEY_MAX];

/* The exit code of a command, or -1. */
static int run(const char *command)
{
    int status = system(command);
    return status >= 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int set_up(void **state)
{
    struct bench *b = bench_new();
    char command[512];
    struct buf key = BUF_INIT;
    snprintf(checker, sizeof checker, "%s/tlogcheck", b->dir);
    snprintf(command, sizeof command,
             "GO111MODULE=off GOFLAGS= GOPATH=${GOPATH:-/usr/share/gocode} GOCACHE='%s/cache' "
             "go build -o '%s' tests/vectors/tlogcheck.go >/dev/null 2>&1",
             b->dir, checker);
    bool there =
        run("command -v go >/dev/null") == 0 &&
        (access("/usr/share/gocode/src/golang.org/x/mod/sumdb", F_OK) == 0 || getenv("GOPATH"));
    if (!there)
        checker[0] = '\0';
    else
        assert_int_equal(run(command), 0);
    note_put_vkey(&key, note_signer_public(b->signer));
    snprintf(vkey, sizeof vkey, "%s", buf_str(&key));
    buf_free(&key);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static void write_file(struct bench *b, const char *name, struct bytes content)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    assert_int_equal(file_write(path, content, 0600), 0);
}

static int check_record(struct bench *b, struct bytes entry, struct bytes proof)
{
    char command[1024];
    write_file(b, "entry", entry);
    write_file(b, "proof", proof);
    snprintf(command, sizeof command, "'%s' '%s' '%s/entry' '%s/proof' >/dev/null", checker, vkey,
             b->dir, b->dir);
    return run(command);
}

static void make_proof(struct bench *b, uint64_t index, uint64_t size, struct buf *entry,
                       struct buf *proof)
{
    struct tree_source src = ledger_tree(b->ledger);
    struct hash_list path = {0};
    struct checkpoint c;
    struct buf note = BUF_INIT;
    buf_reset(entry);
    buf_reset(proof);
    assert_int_equal(ledger_entry(b->ledger, index, entry), 0);
    assert_int_equal(ledger_checkpoint_from(b->ledger, size, &c, &note), 0);
    assert_true(c.size == size);
    assert_int_equal(proof_inclusion(&src, index, size, &path), 0);
    tlog_proof_put(proof, index, path.at, path.count, buf_bytes(&note));
    assert_int_equal(buf_check(proof), 0);
    hash_list_free(&path);
    buf_free(&note);
}

static void grow_to(struct bench *b, uint64_t size)
{
    if (ledger_size(b->ledger) < size)
        turn(b->ledger, size - ledger_size(b->ledger));
}

static void exported_proofs_are_accepted(void **state)
{
    struct bench *b = *state;
    static const uint64_t rows[][2] = {{0, 1},   {0, 2},     {1, 2},     {4, 7},      {6, 7},
                                       {0, 256}, {255, 256}, {256, 257}, {700, 1000}, {999, 1000}};
    struct buf entry = BUF_INIT, proof = BUF_INIT;
    if (!checker[0])
        skip();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        grow_to(b, rows[i][1]);
        make_proof(b, rows[i][0], rows[i][1], &entry, &proof);
        assert_int_equal(check_record(b, buf_bytes(&entry), buf_bytes(&proof)), 0);
    }
    buf_free(&entry);
    buf_free(&proof);
}

static void changed_proofs_are_refused(void **state)
{
    struct bench *b = *state;
    struct buf entry = BUF_INIT, proof = BUF_INIT;
    if (!checker[0])
        skip();
    grow_to(b, 1000);
    make_proof(b, 700, 1000, &entry, &proof);
    assert_int_equal(check_record(b, buf_bytes(&entry), buf_bytes(&proof)), 0);
    entry.data[entry.len - 1] ^= 1;
    assert_int_equal(check_record(b, buf_bytes(&entry), buf_bytes(&proof)), 1);
    entry.data[entry.len - 1] ^= 1;
    for (size_t at = strlen("c2sp.org/tlog-proof@v1\nindex "); at < proof.len; at += 61) {
        proof.data[at] = proof.data[at] == 'A' ? 'B' : 'A';
        assert_int_equal(check_record(b, buf_bytes(&entry), buf_bytes(&proof)), 1);
        make_proof(b, 700, 1000, &entry, &proof);
    }
    buf_free(&entry);
    buf_free(&proof);
}

static int check_extends(struct bench *b, uint64_t from, uint64_t to)
{
    struct tree_source src = ledger_tree(b->ledger);
    struct hash_list path = {0};
    struct checkpoint c;
    struct buf old_note = BUF_INIT, new_note = BUF_INIT, text = BUF_INIT;
    char command[1024];
    assert_int_equal(ledger_checkpoint_from(b->ledger, from, &c, &old_note), 0);
    assert_int_equal(ledger_checkpoint_from(b->ledger, to, &c, &new_note), 0);
    assert_int_equal(proof_consistency(&src, from, to, &path), 0);
    for (size_t i = 0; i < path.count; i++) {
        text_put_base64(&text, hash_bytes(&path.at[i]));
        buf_put_u8(&text, '\n');
    }
    write_file(b, "old", buf_bytes(&old_note));
    write_file(b, "new", buf_bytes(&new_note));
    write_file(b, "path", buf_bytes(&text));
    snprintf(command, sizeof command, "'%s' '%s' -extends '%s/old' '%s/new' '%s/path' >/dev/null",
             checker, vkey, b->dir, b->dir, b->dir);
    int code = run(command);
    hash_list_free(&path);
    buf_free(&old_note);
    buf_free(&new_note);
    buf_free(&text);
    return code;
}

static void consistency_proofs_are_accepted(void **state)
{
    struct bench *b = *state;
    static const uint64_t sizes[] = {1, 2, 7, 256, 257, 1000};
    if (!checker[0])
        skip();
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        grow_to(b, sizes[i]);
    for (size_t to = 0; to < sizeof sizes / sizeof sizes[0]; to++)
        for (size_t from = 0; from <= to; from++)
            assert_int_equal(check_extends(b, sizes[from], sizes[to]), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exported_proofs_are_accepted),
        cmocka_unit_test(changed_proofs_are_refused),
        cmocka_unit_test(consistency_proofs_are_accepted),
    };
    return cmocka_run_group_tests_name("ledger/go", tests, set_up, tear_down);
}
