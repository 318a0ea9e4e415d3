/* The connection: modes, statements, transactions, schema versions, what erasing leaves behind. */
#include "store/db.h"

#include "store_support.h"

#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MARK = 0x436d7479 };

static const char *const steps[] = {
    "CREATE TABLE t (a INTEGER PRIMARY KEY, b BLOB); CREATE TABLE u (a INTEGER REFERENCES t);",
    "CREATE TRIGGER t_kept BEFORE DELETE ON t BEGIN SELECT RAISE(ABORT, 't is kept'); END;",
};

static struct db *open_migrated(const char *path)
{
    struct db *db = NULL;
    assert_int_equal(db_open(path, DB_CREATE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    return db;
}

static uint64_t get(struct db *db, const char *sql)
{
    uint64_t v = 0;
    assert_int_equal(db_get_u64(db, 0, &v, sql, &DB_NULL, 1), 0);
    return v;
}

static void open_sets_every_pragma(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(get(db, "PRAGMA page_size"), 4096);
    assert_int_equal(get(db, "PRAGMA synchronous"), 2);
    assert_int_equal(get(db, "PRAGMA foreign_keys"), 1);
    assert_int_equal(get(db, "PRAGMA temp_store"), 2);
    assert_int_equal(get(db, "PRAGMA trusted_schema"), 0);
    assert_int_equal(get(db, "PRAGMA cell_size_check"), 1);
    assert_int_equal(get(db, "PRAGMA secure_delete"), 1);
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db, &rows, "PRAGMA journal_mode", DB_NULL), 0);
    assert_int_equal(db_next(rows), DB_ROW);
    assert_true(bytes_is(db_bytes(rows, 0), "wal"));
    db_done(rows);
    db_close(db);
    struct stat st;
    assert_int_equal(stat(in_dir(state, "x.db"), &st), 0);
    assert_int_equal(st.st_mode & 07, 0);
}

static void open_missing_file_is_not_found(void **state)
{
    struct db *db = NULL;
    static const enum db_mode modes[] = {DB_WRITE, DB_READ, DB_IMMUTABLE};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(db_open(in_dir(state, "none.db"), modes[i], &db), COMITY_E_NOT_FOUND);
    assert_null(db);
    assert_int_equal(access(in_dir(state, "none.db"), F_OK), -1);
}

static void open_other_file_is_not_a_ledger(void **state)
{
    const char *path = in_dir(state, "text.db");
    struct db *db = NULL;
    static const size_t sizes[] = {1, 99, 5000};
    for (size_t i = 0; i < 3; i++) {
        char text[5000];
        memset(text, 'x', sizeof text);
        assert_int_equal(file_write(path, BYTES(text, sizes[i]), 0600), 0);
        for (enum db_mode mode = DB_CREATE; mode <= DB_IMMUTABLE; mode++)
            assert_int_equal(db_open(path, mode, &db), COMITY_E_NOT_A_LEDGER);
        struct buf kept = BUF_INIT;
        assert_int_equal(file_read(path, 10000, &kept), 0);
        assert_true(bytes_equal(buf_bytes(&kept), BYTES(text, sizes[i])));
        buf_free(&kept);
    }
}

static void values_round_trip(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_run(db, "CREATE TABLE v (n, big, b, empty, none, s)", DB_NULL), 0);
    assert_int_equal(db_run(db, "INSERT INTO v VALUES (?1, ?2, ?3, ?4, ?5, ?6)", DB_U64(7),
                            DB_U64(UINT64_MAX - 1), DB_BLOB(BYTES("a\0b", 3)),
                            DB_BLOB(BYTES("", 0)), DB_BLOB(BYTES_NONE), DB_STR("王")),
                     0);
    assert_int_equal(db_changes(db), 1);
    struct db_rows *rows = NULL;
    assert_int_equal(db_query(db, &rows, "SELECT * FROM v", DB_NULL), 0);
    assert_int_equal(db_next(rows), DB_ROW);
    assert_true(db_u64(rows, 0) == 7);
    assert_true(db_u64(rows, 1) == UINT64_MAX - 1);
    assert_true(bytes_equal(db_bytes(rows, 2), BYTES("a\0b", 3)));
    assert_false(db_is_null(rows, 3));
    assert_non_null(db_bytes(rows, 3).data);
    assert_int_equal(db_bytes(rows, 3).len, 0);
    assert_true(db_is_null(rows, 4));
    assert_null(db_bytes(rows, 4).data);
    assert_true(bytes_is(db_bytes(rows, 5), "王"));
    assert_int_equal(db_next(rows), 0);
    assert_int_equal(db_next(rows), 0); /* and does not start over */
    db_done(rows);
    db_close(db);
}

static void get_u64_gives_otherwise_for_nothing_and_null(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    uint64_t v = 0;
    assert_int_equal(db_get_u64(db, 5, &v, "SELECT a FROM t", &DB_NULL, 1), 0);
    assert_int_equal(v, 5);
    assert_int_equal(db_get_u64(db, 6, &v, "SELECT max(a) FROM t", &DB_NULL, 1), 0);
    assert_int_equal(v, 6);
    db_close(db);
}

static void wrong_number_of_values_is_refused(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (?1, ?2)", DB_U64(1)), COMITY_E_INTERNAL);
    assert_int_equal(db_run(db, "SELECT 1", DB_U64(1)), COMITY_E_INTERNAL);
    assert_int_equal(db_run(db, "SELECT 1; SELECT 2", DB_NULL), COMITY_E_INTERNAL);
    assert_int_equal(db_run(db, "no such thing", DB_NULL), COMITY_E_INTERNAL);
    assert_non_null(strstr(db_detail(db), "syntax error"));
    db_close(db);
}

static void statement_used_while_its_rows_are_open_gets_its_own(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(db_run(db, "INSERT INTO t VALUES (?1, NULL)", DB_U64(i)), 0);
    static const char sql[] = "SELECT a FROM t WHERE a < ?1 ORDER BY a";
    uint64_t pairs = 0;
    for (int round = 0; round < 2; round++) {
        struct db_rows *outer = NULL;
        assert_int_equal(db_query(db, &outer, sql, DB_U64(4)), 0);
        for (uint64_t i = 0; db_next(outer) == DB_ROW; i++) {
            assert_int_equal(db_u64(outer, 0), i);
            struct db_rows *inner = NULL;
            assert_int_equal(db_query(db, &inner, sql, DB_U64(3)), 0);
            while (db_next(inner) == DB_ROW)
                pairs++;
            db_done(inner);
        }
        db_done(outer);
    }
    assert_int_equal(pairs, 2 * 4 * 3);
    db_close(db);
}

static void statement_is_found_by_text_not_by_address_alone(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    char sql[2][64];
    for (int i = 0; i < 1000; i++) {
        struct db_rows *rows = NULL;
        snprintf(sql[i % 2], sizeof sql[0], "SELECT %d", i % 7);
        assert_int_equal(db_query(db, &rows, sql[i % 2], DB_NULL), 0);
        assert_int_equal(db_next(rows), DB_ROW);
        assert_int_equal(db_u64(rows, 0), i % 7);
        db_done(rows);
    }
    db_close(db);
}

static void constraints_have_their_errors(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), COMITY_E_EXISTS);
    assert_int_equal(db_run(db, "INSERT INTO u VALUES (2)", DB_NULL), COMITY_E_INVALID);
    assert_int_equal(db_run(db, "DELETE FROM t", DB_NULL), COMITY_E_INVALID);
    assert_string_equal(db_detail(db), "t is kept");
    db_close(db);
}

static void rollback_takes_back_and_commit_keeps(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_begin(db), COMITY_E_INTERNAL);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    db_rollback(db);
    assert_int_equal(db_commit(db), COMITY_E_INTERNAL);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, NULL)", DB_NULL), 0);
    assert_int_equal(db_commit(db), 0);
    db_close(db);
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_WRITE, &db), 0);
    assert_int_equal(get(db, "SELECT group_concat(a) FROM t"), 2);
    db_close(db);
}

static void transaction_given_up_by_sqlite_lets_nothing_through(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    assert_int_equal(db_run(db, "INSERT OR ROLLBACK INTO t VALUES (1, NULL)", DB_NULL),
                     COMITY_E_EXISTS);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, NULL)", DB_NULL), COMITY_E_EXISTS);
    assert_int_equal(db_commit(db), COMITY_E_EXISTS);
    assert_int_equal(get(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_commit(db), 0);
    db_close(db);
}

static void second_writer_is_busy(void **state)
{
    struct db *a = open_migrated(in_dir(state, "x.db"));
    struct db *b = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_WRITE, &b), 0);
    assert_int_equal(db_begin(a), 0);
    assert_int_equal(db_run(b, "PRAGMA busy_timeout = 10", DB_NULL), 0);
    assert_int_equal(db_begin(b), COMITY_E_BUSY);
    assert_int_equal(db_commit(a), 0);
    assert_int_equal(db_begin(b), 0);
    db_rollback(b);
    db_close(a);
    db_close(b);
}

static void reader_sees_commits_and_writes_nothing(void **state)
{
    struct db *w = open_migrated(in_dir(state, "x.db"));
    struct db *r = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_READ, &r), 0);
    assert_int_equal(db_migrate(r, MARK, steps, 2), 0);
    assert_int_equal(db_run(w, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    assert_int_equal(get(r, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_run(r, "INSERT INTO t VALUES (2, NULL)", DB_NULL), COMITY_E_PERMISSION);
    assert_int_equal(db_begin(r), 0);
    assert_int_equal(get(r, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_run(w, "INSERT INTO t VALUES (2, NULL)", DB_NULL), 0);
    assert_int_equal(get(r, "SELECT count(*) FROM t"), 1);
    assert_int_equal(db_run(r, "INSERT INTO t VALUES (3, NULL)", DB_NULL), COMITY_E_PERMISSION);
    assert_int_equal(db_commit(r), 0);
    db_close(w);
    assert_int_equal(get(r, "SELECT count(*) FROM t"), 2);
    db_close(r);
}

/* Leave behind what a killed writer leaves behind: a WAL with content. */
static void leave_wal(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        struct db *db = NULL;
        bool done = db_open(path, DB_WRITE, &db) == 0 &&
                    db_run(db, "INSERT INTO t VALUES (9, NULL)", DB_NULL) == 0;
        _exit(done ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void last_reader_leaves_the_wal_alone(void **state)
{
    db_close(open_migrated(in_dir(state, "x.db")));
    leave_wal(in_dir(state, "x.db"));
    size_t before = file_size(in_dir(state, "x.db-wal"));
    assert_true(before > 0);
    struct db *r = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_READ, &r), 0);
    assert_int_equal(get(r, "SELECT count(*) FROM t"), 1);
    db_close(r);
    assert_int_equal(file_size(in_dir(state, "x.db-wal")), before);
}

static void immutable_refuses_a_wal_and_leaves_nothing_beside(void **state)
{
    db_close(open_migrated(in_dir(state, "x.db")));
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_IMMUTABLE, &db), 0);
    assert_int_equal(get(db, "SELECT count(*) FROM t"), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, NULL)", DB_NULL), COMITY_E_PERMISSION);
    assert_int_equal(access(in_dir(state, "x.db-shm"), F_OK), -1);
    db_close(db);
    leave_wal(in_dir(state, "x.db"));
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_IMMUTABLE, &db), COMITY_E_BUSY);
}

static void path_with_uri_characters_is_a_path(void **state)
{
    const char *path = in_dir(state, "100%41?mode=memory#x.db");
    db_close(open_migrated(path));
    assert_true(file_size(path) > 0);
    struct db *db = NULL;
    assert_int_equal(db_open(path, DB_IMMUTABLE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    db_close(db);
}

static void migrate_goes_on_from_where_the_file_is(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 1), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    assert_int_equal(get(db, "PRAGMA user_version"), 2);
    assert_int_equal(get(db, "PRAGMA application_id"), MARK);
    assert_int_equal(db_migrate(db, MARK, steps, 1), COMITY_E_VERSION);
    assert_int_equal(db_migrate(db, MARK + 1, steps, 2), COMITY_E_NOT_A_LEDGER);
    db_close(db);
}

static void migrate_failing_step_takes_all_back(void **state)
{
    static const char *const broken[] = {"CREATE TABLE a (x)", "CREATE TABLE a (x)"};
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, broken, 2), COMITY_E_INTERNAL);
    assert_int_equal(get(db, "SELECT count(*) FROM sqlite_schema"), 0);
    assert_int_equal(get(db, "PRAGMA user_version"), 0);
    assert_int_equal(get(db, "PRAGMA application_id"), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    db_close(db);
}

static void migrate_does_not_take_over_a_file_without_mark(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_run(db, "CREATE TABLE somebody_s (x)", DB_NULL), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), COMITY_E_NOT_A_LEDGER);
    db_close(db);
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_READ, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), COMITY_E_NOT_A_LEDGER);
    db_close(db);
}

static void read_only_refuses_an_older_schema(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 1), 0);
    db_close(db);
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_READ, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), COMITY_E_VERSION);
    db_close(db);
}

static void damaged_page_is_ledger_damaged(void **state)
{
    const char *path = in_dir(state, "x.db");
    struct db *db = open_migrated(path);
    for (uint64_t i = 0; i < 100; i++)
        assert_int_equal(db_run(db, "INSERT INTO t VALUES (?1, zeroblob(1000))", DB_U64(i)), 0);
    db_close(db);
    for (size_t page = 1; page < file_size(path) / 4096; page++)
        overwrite(path, page * 4096, 0xa5, 64);
    assert_int_equal(db_open(path, DB_READ, &db), 0);
    uint64_t v = 0;
    assert_int_equal(db_get_u64(db, 0, &v, "SELECT sum(length(b)) FROM t", &DB_NULL, 1),
                     COMITY_E_LEDGER_DAMAGED);
    db_close(db);
}

static void full_disk_is_disk_full_and_the_transaction_is_gone(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_run(db, "PRAGMA max_page_count = 20", DB_NULL), 0);
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, zeroblob(1000))", DB_NULL), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (2, zeroblob(1000000))", DB_NULL),
                     COMITY_E_DISK_FULL);
    db_rollback(db);
    assert_false(db_is_poisoned(db));
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (3, zeroblob(1000))", DB_NULL), 0);
    assert_int_equal(db_commit(db), 0);
    assert_int_equal(get(db, "SELECT group_concat(a) FROM t"), 3);
    db_close(db);
}

static void failing_sync_is_io_for_ever(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, NULL)", DB_NULL), 0);
    sync_fails = true;
    assert_int_equal(db_commit(db), COMITY_E_IO);
    sync_fails = false;
    assert_true(db_is_poisoned(db));
    assert_int_equal(db_begin(db), COMITY_E_IO);
    db_close(db);
}

static void failing_sync_of_a_checkpoint_is_io_for_ever(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    /* 3,000 pages: enough for a checkpoint behind the commit. */
    fail_syncs_of = in_dir(state, "x.db");
    assert_int_equal(db_begin(db), 0);
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, zeroblob(12000 * 4096))", DB_NULL), 0);
    int err = db_commit(db);
    fail_syncs_of = NULL;
    assert_int_equal(err, COMITY_E_IO);
    assert_int_equal(db_begin(db), COMITY_E_IO);
    db_close(db);
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_WRITE, &db), 0);
    assert_int_equal(get(db, "SELECT count(*) FROM t"), 1);
    db_close(db);
}

static void wal_is_checkpointed_by_itself(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    for (uint64_t i = 0; i < 60; i++)
        assert_int_equal(db_run(db, "INSERT INTO t VALUES (?1, zeroblob(2000000))", DB_U64(i)), 0);
    assert_true(file_size(in_dir(state, "x.db")) > 60000000);
    assert_true(file_size(in_dir(state, "x.db-wal")) < 50000000);
    db_close(db);
}

static void copy_is_complete_and_alone(void **state)
{
    struct db *db = open_migrated(in_dir(state, "x.db"));
    assert_int_equal(db_run(db, "INSERT INTO t VALUES (1, zeroblob(5))", DB_NULL), 0);
    const char *copy = in_dir(state, "copy.db");
    assert_int_equal(db_copy_to(db, copy), 0);
    assert_int_equal(db_copy_to(db, copy), COMITY_E_EXISTS);
    db_close(db);
    assert_int_equal(db_open(copy, DB_IMMUTABLE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 2), 0);
    assert_int_equal(get(db, "SELECT length(b) FROM t"), 5);
    assert_int_equal(get(db, "PRAGMA page_size"), 4096);
    db_close(db);
}

static void deleted_and_overwritten_content_is_in_no_file(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "x.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_run(db, "CREATE TABLE s (a INTEGER PRIMARY KEY, b BLOB)", DB_NULL), 0);
    struct buf secret = BUF_INIT;
    for (int i = 0; i < 3000; i++)
        buf_put_str(&secret, "THE-SECRET,");
    struct buf other = BUF_INIT;
    for (size_t i = 0; i < secret.len; i++)
        buf_put_u8(&other, 0);
    for (uint64_t i = 0; i < 50; i++) {
        size_t n = i % 3 == 0 ? secret.len : 300;
        assert_int_equal(db_run(db, "INSERT INTO s VALUES (?1, ?2)", DB_U64(i),
                                DB_BLOB(bytes_slice(buf_bytes(&secret), 0, n))),
                         0);
    }
    assert_true(file_contains(in_dir(state, "x.db-wal"), "THE-SECRET"));
    assert_int_equal(db_run(db, "DELETE FROM s WHERE a % 2", DB_NULL), 0);
    assert_int_equal(
        db_run(db, "UPDATE s SET b = substr(?1, 1, length(b))", DB_BLOB(buf_bytes(&other))), 0);
    assert_int_equal(db_empty_wal(db, 100), 0);
    assert_int_equal(file_size(in_dir(state, "x.db-wal")), 0);
    assert_false(file_contains(in_dir(state, "x.db"), "THE-SECRET"));
    db_close(db);
    assert_false(file_contains(in_dir(state, "x.db"), "THE-SECRET"));
    buf_free(&secret);
    buf_free(&other);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(open_sets_every_pragma),
        T(open_missing_file_is_not_found),
        T(open_other_file_is_not_a_ledger),
        T(values_round_trip),
        T(get_u64_gives_otherwise_for_nothing_and_null),
        T(wrong_number_of_values_is_refused),
        T(statement_used_while_its_rows_are_open_gets_its_own),
        T(statement_is_found_by_text_not_by_address_alone),
        T(constraints_have_their_errors),
        T(rollback_takes_back_and_commit_keeps),
        T(transaction_given_up_by_sqlite_lets_nothing_through),
        T(second_writer_is_busy),
        T(reader_sees_commits_and_writes_nothing),
        T(last_reader_leaves_the_wal_alone),
        T(immutable_refuses_a_wal_and_leaves_nothing_beside),
        T(path_with_uri_characters_is_a_path),
        T(migrate_goes_on_from_where_the_file_is),
        T(migrate_failing_step_takes_all_back),
        T(migrate_does_not_take_over_a_file_without_mark),
        T(read_only_refuses_an_older_schema),
        T(damaged_page_is_ledger_damaged),
        T(full_disk_is_disk_full_and_the_transaction_is_gone),
        T(failing_sync_is_io_for_ever),
        T(failing_sync_of_a_checkpoint_is_io_for_ever),
        T(wal_is_checkpointed_by_itself),
        T(copy_is_complete_and_alone),
        T(deleted_and_overwritten_content_is_in_no_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
