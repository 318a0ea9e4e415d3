/* A ledger that is not the one of its last checkpoint does not open for writing: nothing damaged is
 * signed over. */
#include "ledger/ledger.h"

#include "ledgers.h"
#include "trees.h"

/* ---- changing what lies on the disk, triggers out of the way ---- */

static void run_sql(struct bench *b, const char *sql, const struct db_value *values, size_t n)
{
    static const char *const triggers[] = {
        "DROP TRIGGER IF EXISTS ledger_is_never_changed",
        "DROP TRIGGER IF EXISTS entry_run_is_never_changed",
        "DROP TRIGGER IF EXISTS entry_run_is_never_cut",
        "DROP TRIGGER IF EXISTS tile_is_never_changed",
        "DROP TRIGGER IF EXISTS tile_is_never_cut",
        "DROP TRIGGER IF EXISTS checkpoint_is_never_changed",
        "DROP TRIGGER IF EXISTS checkpoint_is_never_cut",
    };
    struct store *s = NULL;
    assert_null(b->ledger);
    assert_int_equal(store_open(b->dir, "ledger", DB_WRITE, &s), 0);
    struct db *db = store_db(s);
    for (size_t i = 0; i < sizeof triggers / sizeof triggers[0]; i++)
        assert_int_equal(db_run(db, triggers[i], DB_NULL), 0);
    assert_int_equal(db_run_values(db, sql, values, n), 0);
    assert_true(db_changes(db) > 0);
    store_close(s);
}

static void run_plain(struct bench *b, const char *sql)
{
    run_sql(b, sql, &DB_NULL, 1);
}

/* The one value that ${sql} selects. */
static void get_blob(struct bench *b, const char *sql, struct buf *out)
{
    struct store *s = NULL;
    struct db_rows *rows = NULL;
    buf_reset(out);
    assert_int_equal(store_open(b->dir, "ledger", DB_WRITE, &s), 0);
    assert_int_equal(db_query(store_db(s), &rows, sql, DB_NULL), 0);
    assert_int_equal(db_next(rows), DB_ROW);
    buf_put_bytes(out, db_bytes(rows, 0));
    db_done(rows);
    store_close(s);
    assert_true(out->len > 0);
}

static void assert_damaged(struct bench *b)
{
    assert_int_equal(bench_reopen(b), COMITY_E_LEDGER_DAMAGED);
    assert_null(b->ledger);
    bench_close(b);
}

static void assert_sound(struct bench *b)
{
    assert_int_equal(bench_reopen(b), 0);
    bench_close(b);
}

/* Flip single bits of a stored value, ${step} bits apart, each refused; then all is well again. */
static void assert_every_flip_is_damage(struct bench *b, const char *select, const char *update,
                                        size_t step)
{
    struct buf blob = BUF_INIT;
    get_blob(b, select, &blob);
    for (size_t bit = 0; bit < 8 * blob.len; bit += step) {
        blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        run_sql(b, update, &DB_BLOB(buf_bytes(&blob)), 1);
        assert_damaged(b);
        blob.data[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    run_sql(b, update, &DB_BLOB(buf_bytes(&blob)), 1);
    assert_sound(b);
    buf_free(&blob);
}

/* Two complete tiles and a part of a third, in rows of 1, 256, 43 and 260 entries. */
static int set_up(void **state)
{
    struct bench *b = bench_new();
    turn(b->ledger, 1);
    turn(b->ledger, 299);
    turn(b->ledger, 260);
    bench_close(b);
    *state = b;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static void flipped_bit_in_an_entry_is_refused(void **state)
{
    struct bench *b = *state;
    assert_every_flip_is_damage(b, "SELECT data FROM entry_run WHERE first = 556",
                                "UPDATE entry_run SET data = ?1 WHERE first = 556", 37);
    /* In the last complete tile, too, whose hashes are not recomputed otherwise. */
    assert_every_flip_is_damage(b, "SELECT data FROM entry_run WHERE first = 257",
                                "UPDATE entry_run SET data = ?1 WHERE first = 257", 997);
    assert_every_flip_is_damage(b, "SELECT data FROM entry_run WHERE first = 300",
                                "UPDATE entry_run SET data = ?1 WHERE first = 300", 9973);
}

/* No entry follows whose prev would tell, and the root comes from the tile. */
static void flipped_bit_in_the_last_entry_of_a_full_tile_is_refused(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    turn(b->ledger, 511);
    turn(b->ledger, 1);
    bench_close(b);
    assert_every_flip_is_damage(b, "SELECT data FROM entry_run WHERE first = 511",
                                "UPDATE entry_run SET data = ?1 WHERE first = 511", 41);
    bench_free(b);
}

static void flipped_bit_in_a_tile_is_refused(void **state)
{
    struct bench *b = *state;
    assert_every_flip_is_damage(b, "SELECT hashes FROM tile WHERE key = 1",
                                "UPDATE tile SET hashes = ?1 WHERE key = 1", 1777);
    /* Its root is part of the edge. */
    assert_every_flip_is_damage(b, "SELECT hashes FROM tile WHERE key = 0",
                                "UPDATE tile SET hashes = ?1 WHERE key = 0", 1777);
}

static void flipped_bit_in_a_checkpoint_is_refused(void **state)
{
    struct bench *b = *state;
    assert_every_flip_is_damage(b, "SELECT root FROM checkpoint WHERE size = 560",
                                "UPDATE checkpoint SET root = ?1 WHERE size = 560", 7);
    assert_every_flip_is_damage(b, "SELECT note FROM checkpoint WHERE size = 560",
                                "UPDATE checkpoint SET note = ?1 WHERE size = 560", 11);
}

static void missing_or_surplus_rows_are_refused(void **state)
{
    struct bench *b = *state;
    static const struct {
        const char *harm;
        const char *repair;
    } rows[] = {
        {"UPDATE entry_run SET count = count + 1 WHERE first = 556",
         "UPDATE entry_run SET count = 4 WHERE first = 556"},
        {"UPDATE entry_run SET count = 3 WHERE first = 556",
         "UPDATE entry_run SET count = 4 WHERE first = 556"},
        {"UPDATE entry_run SET count = -1 WHERE first = 300",
         "UPDATE entry_run SET count = 256 WHERE first = 300"},
        {"UPDATE entry_run SET count = 255 WHERE first = 300",
         "UPDATE entry_run SET count = 256 WHERE first = 300"},
        {"UPDATE entry_run SET first = 557 WHERE first = 556",
         "UPDATE entry_run SET first = 556 WHERE first = 557"},
        {"UPDATE entry_run SET data = CAST(data || x'00' AS BLOB) WHERE first = 556",
         "UPDATE entry_run SET data = substr(data, 1, length(data) - 1) WHERE first = 556"},
        {"INSERT INTO entry_run (first, count, data) SELECT 560, 1, data FROM entry_run WHERE "
         "first = 0",
         "DELETE FROM entry_run WHERE first = 560"},
        {"UPDATE tile SET key = 2 WHERE key = 1", "UPDATE tile SET key = 1 WHERE key = 2"},
        {"UPDATE tile SET key = 7 WHERE key = 0", "UPDATE tile SET key = 0 WHERE key = 7"},
        {"INSERT INTO tile (key, hashes) SELECT 2, hashes FROM tile WHERE key = 0",
         "DELETE FROM tile WHERE key = 2"},
        {"INSERT INTO tile (key, hashes) SELECT 1 << 56, hashes FROM tile WHERE key = 0",
         "DELETE FROM tile WHERE key = 1 << 56"},
        {"UPDATE tile SET hashes = CAST(hashes || x'00' AS BLOB) WHERE key = 1",
         "UPDATE tile SET hashes = substr(hashes, 1, 8192) WHERE key = 1"},
        {"UPDATE checkpoint SET size = 561 WHERE size = 560",
         "UPDATE checkpoint SET size = 560 WHERE size = 561"},
        {"UPDATE checkpoint SET size = 2 WHERE size = 560",
         "UPDATE checkpoint SET size = 560 WHERE size = 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_plain(b, rows[i].harm);
        assert_damaged(b);
        run_plain(b, rows[i].repair);
        assert_sound(b);
    }
    run_plain(b, "DELETE FROM entry_run WHERE first = 556");
    assert_damaged(b);
}

/* Somebody cuts the last turn off, checkpoint and all: that this is an older ledger, only others
 * can know. But a cut that forgets one of the three is seen here. */
static void half_a_rollback_is_refused(void **state)
{
    struct bench *b = *state;
    run_plain(b, "DELETE FROM checkpoint WHERE size = 560");
    assert_damaged(b);
    run_plain(b, "DELETE FROM entry_run WHERE first >= 300");
    assert_damaged(b);
    run_plain(b, "DELETE FROM tile WHERE key = 1");
    assert_sound(b);
}

static void no_checkpoint_at_all_is_refused(void **state)
{
    struct bench *b = *state;
    run_plain(b, "DELETE FROM checkpoint");
    assert_damaged(b);
    run_plain(b, "DELETE FROM entry_run");
    assert_damaged(b);
    run_plain(b, "DELETE FROM tile");
    assert_sound(b);
}

/* Entries changed together with tiles and root still need the key. */
static void checkpoint_of_another_key_is_refused(void **state)
{
    struct bench *b = *state;
    struct note_signer *own = b->signer;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    b->signer = new_signer(origin, 99);
    assert_damaged(b);
    get_blob(b, "SELECT note FROM checkpoint WHERE size = 560", &note);
    assert_int_equal(checkpoint_peek(buf_bytes(&note), &c), 0);
    buf_reset(&note);
    assert_int_equal(checkpoint_sign(&c, b->signer, &note), 0);
    note_signer_free(b->signer);
    b->signer = own;
    run_sql(b, "UPDATE checkpoint SET note = ?1 WHERE size = 560", &DB_BLOB(buf_bytes(&note)), 1);
    assert_damaged(b);
    buf_free(&note);
}

static void signer_of_another_name_is_refused(void **state)
{
    struct bench *b = *state;
    struct note_signer *own = b->signer;
    b->signer = new_signer("cn-samr/330100-002", 7);
    assert_int_equal(bench_reopen(b), COMITY_E_INVALID);
    bench_close(b);
    note_signer_free(b->signer);
    b->signer = own;
    assert_sound(b);
}

/* The root and every signature fit, but the chain does not: a ledger that its own key has signed
 * wrongly. */
static void broken_chain_under_a_good_root_is_refused(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    const struct suite *s = ledger_suite(b->ledger);
    struct hash genesis = *ledger_genesis(b->ledger);
    bench_close(b);
    for (int broken = 0; broken < 3; broken++) {
        struct hash leaf[2];
        struct buf data = BUF_INIT, note = BUF_INIT, bytes = BUF_INIT;
        struct checkpoint c = {.size = 2};
        for (uint64_t i = 0; i < 2; i++) {
            struct entry e = {
                .index = broken == 1 && i == 1 ? 7 : i, .kind = ENTRY_NOTE, .roster = 1};
            e.prev = hash_bytes(i == 0 ? &genesis : broken == 2 ? &genesis : &leaf[0]);
            buf_reset(&bytes);
            assert_int_equal(entry_encode(&e, &bytes), 0);
            hash_leaf(s, buf_bytes(&bytes), &leaf[i]);
            buf_put_lp(&data, buf_bytes(&bytes));
        }
        strcpy(c.origin, origin);
        hash_node(s, &leaf[0], &leaf[1], &c.root);
        assert_int_equal(checkpoint_sign(&c, b->signer, &note), 0);
        run_sql(b, "INSERT OR REPLACE INTO entry_run (first, count, data) VALUES (0, 2, ?1)",
                &DB_BLOB(buf_bytes(&data)), 1);
        const struct db_value values[] = {DB_BLOB(hash_bytes(&c.root)), DB_BLOB(buf_bytes(&note))};
        run_sql(b, "INSERT OR REPLACE INTO checkpoint (size, root, note) VALUES (2, ?1, ?2)",
                values, 2);
        if (broken)
            assert_damaged(b);
        else
            assert_sound(b);
        buf_free(&data);
        buf_free(&note);
        buf_free(&bytes);
    }
    bench_free(b);
}

static void triggers_refuse_to_change_or_cut(void **state)
{
    struct bench *b = *state;
    static const char *const statements[] = {
        "UPDATE entry_run SET count = 1",        "DELETE FROM entry_run",
        "UPDATE tile SET hashes = x'00'",        "DELETE FROM tile",
        "UPDATE checkpoint SET size = size + 1", "DELETE FROM checkpoint",
        "UPDATE ledger SET suite = 2",           "DELETE FROM ledger",
    };
    assert_int_equal(bench_reopen(b), 0);
    for (size_t i = 0; i < sizeof statements / sizeof statements[0]; i++)
        assert_int_equal(db_run(store_db(b->store), statements[i], DB_NULL), COMITY_E_INVALID);
    assert_int_equal(bench_reopen(b), 0);
}

/* Above 65,536 entries there is a complete tile of level 1, which is no part of the edge's level 0
 * and 1. */
static void flipped_bit_in_higher_tiles_is_refused(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    turn(b->ledger, 65536 + 256 + 3);
    bench_close(b);
    assert_sound(b);
    assert_every_flip_is_damage(b, "SELECT hashes FROM tile WHERE key = 1 << 56",
                                "UPDATE tile SET hashes = ?1 WHERE key = 1 << 56", 16001);
    assert_every_flip_is_damage(b, "SELECT hashes FROM tile WHERE key = 77",
                                "UPDATE tile SET hashes = ?1 WHERE key = 77", 32001);
    assert_every_flip_is_damage(b, "SELECT hashes FROM tile WHERE key = 256",
                                "UPDATE tile SET hashes = ?1 WHERE key = 256", 32001);
    bench_free(b);
}

/* For an auditor a damaged ledger opens: what he asks for is what he gets to see. */
static void damaged_ledger_can_be_read(void **state)
{
    struct bench *b = *state;
    struct buf out = BUF_INIT;
    run_plain(b, "DELETE FROM tile");
    assert_damaged(b);
    assert_int_equal(bench_open_store(b, DB_READ), 0);
    assert_int_equal(ledger_open_read(b->store, &b->ledger), 0);
    assert_true(ledger_size(b->ledger) == 560);
    assert_int_equal(ledger_entry(b->ledger, 559, &out), 0);
    struct hash h;
    assert_int_equal(ledger_root(b->ledger, 560, &h), COMITY_E_LEDGER_DAMAGED);
    buf_free(&out);
}

#define WITH_LEDGER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_LEDGER(flipped_bit_in_an_entry_is_refused),
        cmocka_unit_test(flipped_bit_in_the_last_entry_of_a_full_tile_is_refused),
        WITH_LEDGER(flipped_bit_in_a_tile_is_refused),
        WITH_LEDGER(flipped_bit_in_a_checkpoint_is_refused),
        WITH_LEDGER(missing_or_surplus_rows_are_refused),
        WITH_LEDGER(half_a_rollback_is_refused),
        WITH_LEDGER(no_checkpoint_at_all_is_refused),
        WITH_LEDGER(checkpoint_of_another_key_is_refused),
        WITH_LEDGER(signer_of_another_name_is_refused),
        cmocka_unit_test(broken_chain_under_a_good_root_is_refused),
        WITH_LEDGER(triggers_refuse_to_change_or_cut),
        cmocka_unit_test(flipped_bit_in_higher_tiles_is_refused),
        WITH_LEDGER(damaged_ledger_can_be_read),
    };
    return cmocka_run_group_tests_name("ledger/open", tests, NULL, NULL);
}
