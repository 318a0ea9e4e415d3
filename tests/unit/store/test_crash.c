/* What a dying process leaves behind, and what the next start makes of it. */
#include "store/store_internal.h"

#include "store_support.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

enum { MARK = 0x436d7479, KIB = 1024, ROUNDS = 40, SEGMENT = 512 * KIB };

/* What each living chunk must be, written in the turn that makes it so. */
static const char *const steps[] = {
    "CREATE TABLE wanted (id INTEGER PRIMARY KEY, tag INTEGER, len INTEGER, blank INTEGER);"
    "CREATE TABLE turns (n INTEGER); INSERT INTO turns VALUES (0);"};

static struct store *open_store(void **state)
{
    struct store *s = NULL;
    assert_int_equal(store_open(*state, "x", DB_CREATE, &s), 0);
    assert_int_equal(store_migrate(s, MARK, steps, 1), 0);
    return s;
}

static uint64_t get(struct store *s, const char *sql)
{
    uint64_t v = 0;
    assert_int_equal(db_get_u64(store_db(s), 0, &v, sql, &DB_NULL, 1), 0);
    return v;
}

/* Every 8 bytes say whose they are and where; the first ${blank} are erased. */
static void fill_content(struct buf *out, uint64_t tag, size_t len, size_t blank)
{
    buf_reset(out);
    for (size_t off = 0; off < len; off += 8)
        buf_put_u64be(out, off < blank ? 0 : (tag << 24) + off);
    out->len = len;
}

/* ---- the child: it works until it is killed -------------------------------------------------- */

static unsigned seed;

static size_t dice(size_t n)
{
    seed = seed * 1103515245 + 12345;
    return (seed >> 8) % n;
}

static int put_one(struct store *s, uint64_t tag, struct buf *content)
{
    size_t len = 8 * (dice(4) ? dice(1000) : dice(16 * KIB));
    fill_content(content, tag, len, 0);
    uint64_t id = 0;
    int err = store_put(s, buf_bytes(content), &id);
    return err ? err
               : db_run(store_db(s), "INSERT INTO wanted VALUES (?1, ?2, ?3, 0)", DB_U64(id),
                        DB_U64(tag), DB_U64(len));
}

/* The oldest goes, so that whole segments die. */
static int free_oldest(struct store *s)
{
    uint64_t id = 0;
    int err = db_get_u64(store_db(s), 0, &id, "SELECT min(id) FROM wanted", &DB_NULL, 1);
    if (err || id == 0)
        return err;
    err = store_free(s, id);
    return err ? err : db_run(store_db(s), "DELETE FROM wanted WHERE id = ?1", DB_U64(id));
}

static int erase_some_head(struct store *s)
{
    uint64_t id = 0;
    uint64_t len = 0;
    int err = db_get_u64(store_db(s), 0, &id, "SELECT id FROM wanted ORDER BY random() LIMIT 1",
                         &DB_NULL, 1);
    if (!err)
        err = db_get_u64(store_db(s), 0, &len, "SELECT len FROM wanted WHERE id = ?1", &DB_U64(id),
                         1);
    if (err || id == 0)
        return err;
    len = len / 16 * 8;
    err = store_erase(s, id, 0, len);
    return err ? err
               : db_run(store_db(s), "UPDATE wanted SET blank = max(blank, ?2) WHERE id = ?1",
                        DB_U64(id), DB_U64(len));
}

static int remove_some(struct store *s)
{
    int err = free_oldest(s);
    return err || dice(8) ? err : erase_some_head(s);
}

static int one_turn(struct store *s, uint64_t turn, struct buf *content)
{
    int err = store_begin(s);
    for (size_t i = 0, n = dice(8); !err && i < n; i++)
        err = put_one(s, turn * 8 + i, content);
    for (size_t i = 0, n = turn > 20 ? dice(8) : 0; !err && i < n; i++)
        err = remove_some(s);
    if (!err)
        err = db_run(store_db(s), "UPDATE turns SET n = ?1", DB_U64(turn));
    if (!err && dice(8) == 0) {
        store_rollback(s);
        return 1;
    }
    return err ? err : store_commit(s);
}

static void work(const char *dir, unsigned start, volatile uint64_t *committed)
{
    struct store *s = NULL;
    struct buf content = BUF_INIT;
    seed = start;
    if (store_open(dir, "x", DB_CREATE, &s) || store_migrate(s, MARK, steps, 1))
        _exit(2);
    segments_set_max(s->segments, SEGMENT);
    for (uint64_t turn = *committed + 1;;) {
        int err = one_turn(s, turn, &content);
        if (err < 0)
            _exit(3);
        if (err == 0)
            *committed = turn++;
    }
}

/* ---- the parent: it looks at what is there --------------------------------------------------- */

static void check_contents(struct store *s)
{
    struct db_rows *rows = NULL;
    struct buf wanted = BUF_INIT;
    struct buf got = BUF_INIT;
    assert_int_equal(
        db_query(store_db(s), &rows, "SELECT id, tag, len, blank FROM wanted", DB_NULL), 0);
    while (db_next(rows) == DB_ROW) {
        fill_content(&wanted, db_u64(rows, 1), db_u64(rows, 2), db_u64(rows, 3));
        buf_reset(&got);
        assert_int_equal(store_get(s, db_u64(rows, 0), &got), 0);
        assert_true(bytes_equal(buf_bytes(&got), buf_bytes(&wanted)));
    }
    db_done(rows);
    buf_free(&wanted);
    buf_free(&got);
}

static void check_files(struct store *s, void **state)
{
    struct db_rows *rows = NULL;
    uint64_t n = 0;
    assert_int_equal(db_query(store_db(s), &rows, "SELECT id, end FROM store_segment", DB_NULL), 0);
    for (; db_next(rows) == DB_ROW; n++) {
        char name[32];
        snprintf(name, sizeof name, "x.seg/%06llu", (unsigned long long)db_u64(rows, 0));
        assert_int_equal(file_size(in_dir(state, name)), db_u64(rows, 1));
    }
    db_done(rows);
    char command[PATH_MAX + 64];
    snprintf(command, sizeof command, "test $(ls %s/x.seg 2>/dev/null | wc -l) -eq %llu",
             (char *)*state, (unsigned long long)n);
    assert_int_equal(system(command), 0);
}

static void check_store(struct store *s, void **state)
{
    check_contents(s);
    check_files(s, state);
    assert_int_equal(get(s, "SELECT count(*) FROM store_chunk"),
                     get(s, "SELECT count(*) FROM wanted"));
    assert_int_equal(get(s, "SELECT count(*) FROM store_chunk JOIN wanted USING (id)"),
                     get(s, "SELECT count(*) FROM wanted"));
    assert_int_equal(get(s, "SELECT count(*) FROM store_segment g WHERE live <> "
                            "(SELECT ifnull(sum(len), 0) FROM store_chunk WHERE segment = g.id)"),
                     0);
    assert_int_equal(get(s, "SELECT count(*) FROM store_erasure"), 0);
}

static void killed_at_any_moment_keeps_what_was_committed(void **state)
{
    volatile uint64_t *committed =
        mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(committed, MAP_FAILED);
    srand((unsigned)time(NULL));
    /* A slow machine gets further rounds, and longer ones, until something was committed. */
    for (unsigned round = 0; round < ROUNDS || *committed <= ROUNDS; round++) {
        unsigned start = (unsigned)rand();
        assert_true(round < 20 * ROUNDS);
        pid_t child = fork();
        if (child == 0)
            work(*state, start, committed);
        struct timespec wait = {.tv_sec = round / ROUNDS / 4,
                                .tv_nsec = (5 + rand() % 95) * 1000000L};
        nanosleep(&wait, NULL);
        kill(child, SIGKILL);
        int status = 0;
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_int_equal(status, SIGKILL); /* it did not end by itself, with an error */

        struct store *s = open_store(state);
        uint64_t turn = get(s, "SELECT n FROM turns");
        assert_in_range(turn, *committed, *committed + 1);
        *committed = turn;
        check_store(s, state);
        store_close(s);
    }
    munmap((void *)committed, 4096);
}

/* ---- states that a crash can leave, made by hand --------------------------------------------- */

static uint64_t put_turn(struct store *s, uint64_t tag, size_t len)
{
    struct buf content = BUF_INIT;
    uint64_t id = 0;
    fill_content(&content, tag, len, 0);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_put(s, buf_bytes(&content), &id), 0);
    assert_int_equal(db_run(store_db(s), "INSERT INTO wanted VALUES (?1, ?2, ?3, 0)", DB_U64(id),
                            DB_U64(tag), DB_U64(len)),
                     0);
    assert_int_equal(store_commit(s), 0);
    buf_free(&content);
    return id;
}

static void append(const char *path, size_t len)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
    assert_true(fd >= 0);
    for (size_t i = 0; i < len; i++)
        assert_int_equal(write(fd, "x", 1), 1);
    close(fd);
}

static void torn_tail_and_files_without_a_row_are_cut_off(void **state)
{
    struct store *s = open_store(state);
    put_turn(s, 1, 100 * KIB);
    store_close(s);
    append(in_dir(state, "x.seg/000001"), 777);
    append(in_dir(state, "x.seg/000002"), 5000);
    append(in_dir(state, "x.seg/1000003"), 0);
    append(in_dir(state, "x.seg/README"), 3);
    append(in_dir(state, "x.seg/12345"), 3);
    s = open_store(state);
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 100 * KIB);
    assert_int_equal(access(in_dir(state, "x.seg/000002"), F_OK), -1);
    assert_int_equal(access(in_dir(state, "x.seg/1000003"), F_OK), -1);
    assert_int_equal(access(in_dir(state, "x.seg/README"), F_OK), 0);
    assert_int_equal(access(in_dir(state, "x.seg/12345"), F_OK), 0);
    put_turn(s, 2, 100 * KIB);
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 200 * KIB);
    check_contents(s);
    store_close(s);
}

static void segment_that_lost_bytes_does_not_open_for_writing(void **state)
{
    struct store *s = open_store(state);
    uint64_t first = put_turn(s, 1, 100 * KIB);
    uint64_t second = put_turn(s, 2, 100 * KIB);
    store_close(s);
    assert_int_equal(truncate(in_dir(state, "x.seg/000001"), 200 * KIB - 1), 0);
    assert_int_equal(store_open(*state, "x", DB_WRITE, &s), COMITY_E_LEDGER_DAMAGED);
    assert_int_equal(store_open(*state, "x", DB_READ, &s), 0);
    struct buf out = BUF_INIT;
    assert_int_equal(store_get(s, first, &out), 0);
    assert_int_equal(out.len, 100 * KIB);
    assert_int_equal(store_get(s, second, &out), COMITY_E_LEDGER_DAMAGED);
    assert_int_equal(out.len, 100 * KIB);
    buf_free(&out);
    store_close(s);
    assert_int_equal(unlink(in_dir(state, "x.seg/000001")), 0);
    assert_int_equal(store_open(*state, "x", DB_WRITE, &s), COMITY_E_LEDGER_DAMAGED);
}

static void erasure_that_was_only_committed_is_done_at_the_next_start(void **state)
{
    struct store *s = open_store(state);
    uint64_t id = put_turn(s, 1, 100 * KIB);
    assert_int_equal(
        db_run(store_db(s), "INSERT INTO store_erasure VALUES (1, 0, 51200), (9, 0, 5)", DB_NULL),
        0);
    assert_int_equal(
        db_run(store_db(s), "UPDATE wanted SET blank = 51200 WHERE id = ?1", DB_U64(id)), 0);
    store_close(s);
    s = open_store(state);
    check_store(s, state);
    store_close(s);
}

static void erasure_that_fails_behind_the_commit_is_made_good_at_the_next_start(void **state)
{
    struct store *s = open_store(state);
    uint64_t id = put_turn(s, 1, 100 * KIB);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_erase(s, id, 0, 51200), 0);
    assert_int_equal(db_run(store_db(s), "UPDATE wanted SET blank = 51200", DB_NULL), 0);
    fail_syncs_of = in_dir(state, "x.seg/000001");
    assert_int_equal(store_commit(s), COMITY_E_IO);
    assert_int_equal(store_begin(s), COMITY_E_IO);
    fail_syncs_of = NULL;
    store_close(s);
    s = open_store(state);
    check_store(s, state);
    store_close(s);
}

/* Power may fail between any two of these; only this order is safe at each. */
static void files_are_synced_before_the_commit_that_names_them(void **state)
{
    struct store *s = open_store(state);
    segments_set_max(s->segments, 200 * KIB);
    char wanted[200];
    put_turn(s, 1, 8); /* the WAL's own beginning */
    sync_log_start();
    put_turn(s, 1, 100 * KIB);
    snprintf(wanted, sizeof wanted, "%s x.seg 000001 x.db-wal ", strrchr(*state, '/') + 1);
    assert_string_equal(sync_log, wanted);
    sync_log_start();
    put_turn(s, 2, 100 * KIB);
    assert_string_equal(sync_log, "000001 x.db-wal ");
    struct buf content = BUF_INIT;
    uint64_t id = 0;
    fill_content(&content, 3, 150 * KIB, 0);
    sync_log_start();
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_put(s, buf_bytes(&content), &id), 0);
    assert_int_equal(store_put(s, buf_bytes(&content), &id), 0);
    assert_int_equal(store_commit(s), 0);
    assert_string_equal(sync_log, "x.seg 000002 x.seg 000003 x.db-wal ");
    buf_free(&content);
    store_close(s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(torn_tail_and_files_without_a_row_are_cut_off),
        T(segment_that_lost_bytes_does_not_open_for_writing),
        T(erasure_that_was_only_committed_is_done_at_the_next_start),
        T(erasure_that_fails_behind_the_commit_is_made_good_at_the_next_start),
        T(files_are_synced_before_the_commit_that_names_them),
        cmocka_unit_test_setup_teardown(killed_at_any_moment_keeps_what_was_committed,
                                        make_fast_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
