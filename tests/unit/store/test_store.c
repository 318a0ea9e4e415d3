/* Chunks in turns: rows and segments, reading, erasing, freeing, readers, export. */
#include "store/store_internal.h"

#include "store_support.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MARK = 0x436d7479, KIB = 1024 };

static const char *const steps[] = {"CREATE TABLE note (chunk INTEGER, text TEXT)"};

static struct store *open_store(void **state, enum db_mode mode)
{
    struct store *s = NULL;
    assert_int_equal(store_open(*state, "x", mode, &s), 0);
    assert_int_equal(store_migrate(s, MARK, steps, 1), 0);
    return s;
}

/* Content that tells by itself which chunk it is of. */
static void fill_content(struct buf *out, uint64_t tag, size_t len)
{
    buf_reset(out);
    while (out->len < len)
        buf_printf(out, "<%08llu:%zu>", (unsigned long long)tag, out->len);
    out->len = len;
}

static uint64_t put(struct store *s, uint64_t tag, size_t len)
{
    struct buf content = BUF_INIT;
    fill_content(&content, tag, len);
    uint64_t id = 0;
    assert_int_equal(store_put(s, buf_bytes(&content), &id), 0);
    buf_free(&content);
    return id;
}

static uint64_t put_turn(struct store *s, uint64_t tag, size_t len)
{
    assert_int_equal(store_begin(s), 0);
    uint64_t id = put(s, tag, len);
    assert_int_equal(store_commit(s), 0);
    return id;
}

static void free_turn(struct store *s, uint64_t id)
{
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_free(s, id), 0);
    assert_int_equal(store_commit(s), 0);
}

static void erase_turn(struct store *s, uint64_t id, uint64_t off, size_t len)
{
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_erase(s, id, off, len), 0);
    assert_int_equal(store_commit(s), 0);
}

/* Is chunk ${id} what put made, but for zeros in [from, to)? */
static void expect(struct store *s, uint64_t id, uint64_t tag, size_t len, size_t from, size_t to)
{
    struct buf wanted = BUF_INIT;
    struct buf got = BUF_INIT;
    fill_content(&wanted, tag, len);
    if (to > from)
        memset(wanted.data + from, 0, to - from);
    buf_put_str(&got, "before");
    assert_int_equal(store_get(s, id, &got), 0);
    assert_int_equal(got.len, 6 + len);
    assert_memory_equal(got.data, "before", 6);
    assert_true(bytes_equal(bytes_slice(buf_bytes(&got), 6, len), buf_bytes(&wanted)));
    buf_free(&wanted);
    buf_free(&got);
}

static void expect_gone(struct store *s, uint64_t id)
{
    struct buf got = BUF_INIT;
    assert_int_equal(store_get(s, id, &got), COMITY_E_NOT_FOUND);
    assert_int_equal(got.len, 0);
    buf_free(&got);
}

static uint64_t segment_of(struct store *s, uint64_t id)
{
    uint64_t segment = 99;
    assert_int_equal(db_get_u64(store_db(s), 0, &segment,
                                "SELECT segment FROM store_chunk WHERE id = ?1", &DB_U64(id), 1),
                     0);
    return segment;
}

/* ---- where chunks go ------------------------------------------------------------------------- */

static void small_turn_stays_in_rows(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    assert_int_equal(store_begin(s), 0);
    for (uint64_t i = 1; i <= 3; i++)
        assert_int_equal(put(s, i, 20 * KIB), i);
    assert_int_equal(store_commit(s), 0);
    for (uint64_t i = 1; i <= 3; i++) {
        assert_int_equal(segment_of(s, i), 0);
        expect(s, i, i, 20 * KIB, 0, 0);
    }
    assert_int_equal(access(in_dir(state, "x.seg"), F_OK), -1);
    store_close(s);
}

static void idle_turn_costs_one_sync(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    put_turn(s, 1, 100);
    sync_count = 0;
    put_turn(s, 2, 1000);
    assert_int_equal(sync_count, 1);
    put_turn(s, 3, 100 * KIB); /* the folder, its parent, and the file itself */
    sync_count = 0;
    put_turn(s, 4, 100 * KIB);
    assert_int_equal(sync_count, 2);
    store_close(s);
}

static void large_turn_goes_to_a_segment_as_a_whole(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    assert_int_equal(store_begin(s), 0);
    put(s, 1, 20 * KIB);
    put(s, 2, 0);
    put(s, 3, 44 * KIB); /* the sum is exactly the limit */
    put(s, 4, 0);
    put(s, 5, 10);
    for (uint64_t i = 1; i <= 5; i++)
        expect(s, i, i, i == 1 ? 20 * KIB : i == 3 ? 44 * KIB : i == 5 ? 10 : 0, 0, 0);
    assert_int_equal(store_commit(s), 0);
    static const uint64_t segments[] = {1, 0, 1, 0, 1};
    for (uint64_t i = 1; i <= 5; i++) {
        assert_int_equal(segment_of(s, i), segments[i - 1]);
        expect(s, i, i, i == 1 ? 20 * KIB : i == 3 ? 44 * KIB : i == 5 ? 10 : 0, 0, 0);
    }
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 64 * KIB + 10);
    store_close(s);
    s = open_store(state, DB_WRITE);
    expect(s, 3, 3, 44 * KIB, 0, 0);
    store_close(s);
}

static void limit_between_rows_and_segments_is_64_kib(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    assert_int_equal(segment_of(s, put_turn(s, 1, 64 * KIB - 1)), 0);
    assert_int_equal(segment_of(s, put_turn(s, 2, 64 * KIB)), 1);
    store_close(s);
}

static void failed_put_fails_the_turn(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    static uint8_t content[100 * KIB];
    uint64_t id = 0;
    /* Where the folder of segments belongs stands a file. */
    assert_int_equal(file_write(in_dir(state, "x.seg"), BYTES_LIT(""), 0600), 0);
    assert_int_equal(store_begin(s), 0);
    uint64_t held = put(s, 1, 100);
    assert_int_equal(store_put(s, BYTES(content, sizeof content), &id), COMITY_E_EXISTS);
    assert_int_equal(store_put(s, BYTES(content, 1), &id), COMITY_E_EXISTS);
    assert_int_equal(store_commit(s), COMITY_E_EXISTS);
    expect_gone(s, held);
    assert_int_equal(unlink(in_dir(state, "x.seg")), 0);
    id = put_turn(s, 2, 100 * KIB);
    expect(s, id, 2, 100 * KIB, 0, 0);
    store_close(s);
}

static void segments_rotate_within_and_between_turns(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    segments_set_max(s->segments, 300 * KIB);
    for (uint64_t turn = 0; turn < 3; turn++) {
        assert_int_equal(store_begin(s), 0);
        for (uint64_t i = 1; i <= 4; i++)
            put(s, 4 * turn + i, 100 * KIB);
        assert_int_equal(store_commit(s), 0);
    }
    for (uint64_t i = 1; i <= 12; i++) {
        assert_int_equal(segment_of(s, i), (i + 2) / 3);
        expect(s, i, i, 100 * KIB, 0, 0);
    }
    store_close(s);
    s = open_store(state, DB_WRITE);
    for (uint64_t i = 1; i <= 12; i++)
        expect(s, i, i, 100 * KIB, 0, 0);
    store_close(s);
}

static void more_segments_than_descriptors_are_read(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    segments_set_max(s->segments, 70 * KIB);
    for (uint64_t i = 1; i <= 40; i++)
        put_turn(s, i, 70 * KIB);
    for (uint64_t i = 0; i < 400; i++) {
        uint64_t id = 1 + i * 7 % 40;
        expect(s, id, id, 70 * KIB, 0, 0);
    }
    store_close(s);
}

/* ---- reading --------------------------------------------------------------------------------- */

static void part_is_the_part_and_not_beyond(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t ids[] = {put_turn(s, 1, 1000), put_turn(s, 1, 100 * KIB), 0};
    assert_int_equal(store_begin(s), 0);
    ids[2] = put(s, 1, 1000);
    for (size_t i = 0; i < 3; i++) {
        size_t len = i == 1 ? 100 * KIB : 1000;
        struct buf part = BUF_INIT;
        struct buf all = BUF_INIT;
        fill_content(&all, 1, len);
        assert_int_equal(store_get_part(s, ids[i], 300, 50, &part), 0);
        assert_true(bytes_equal(buf_bytes(&part), bytes_slice(buf_bytes(&all), 300, 50)));
        assert_int_equal(store_get_part(s, ids[i], len, 0, &part), 0);
        assert_int_equal(part.len, 50);
        assert_int_equal(store_get_part(s, ids[i], len - 10, 11, &part), COMITY_E_INVALID);
        assert_int_equal(store_get_part(s, ids[i], len + 1, 0, &part), COMITY_E_INVALID);
        assert_int_equal(store_get_part(s, ids[i], UINT64_MAX, 2, &part), COMITY_E_INVALID);
        assert_int_equal(store_get_part(s, ids[i], 0, SIZE_MAX, &part), COMITY_E_INVALID);
        assert_int_equal(part.len, 50);
        buf_free(&part);
        buf_free(&all);
    }
    expect_gone(s, ids[2] + 1);
    expect_gone(s, 0);
    store_close(s);
}

static void damaged_rows_are_ledger_damaged(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t row = put_turn(s, 1, 1000);
    uint64_t seg = put_turn(s, 1, 100 * KIB);
    struct buf out = BUF_INIT;
    static const char *const damage[] = {
        "UPDATE store_chunk SET len = 900 WHERE id = ?1",
        "UPDATE store_chunk SET segment = 7 WHERE id = ?1",
        "UPDATE store_chunk SET segment = 1, len = 1 << 50 WHERE id = ?1",
        "UPDATE store_chunk SET segment = 1, len = 200, off = 100 * 1024 WHERE id = ?1",
        "UPDATE store_chunk SET segment = 1, len = 200, off = -5 WHERE id = ?1",
    };
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(db_run(store_db(s), damage[i], DB_U64(i ? seg : row)), 0);
        assert_int_equal(store_get(s, i ? seg : row, &out), COMITY_E_LEDGER_DAMAGED);
    }
    assert_int_equal(out.len, 0);
    buf_free(&out);
    store_close(s);
}

/* ---- turns ----------------------------------------------------------------------------------- */

static void rollback_leaves_no_trace(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t kept = put_turn(s, 1, 100 * KIB);
    segments_set_max(s->segments, 300 * KIB);
    static const size_t sizes[] = {1000, 100 * KIB, 250 * KIB};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(store_begin(s), 0);
        uint64_t id = put(s, 2, sizes[i]);
        put(s, 3, sizes[i]);
        store_rollback(s);
        expect_gone(s, id);
        assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 100 * KIB);
        assert_int_equal(access(in_dir(state, "x.seg/000002"), F_OK), -1);
    }
    uint64_t next = put_turn(s, 4, 100 * KIB);
    expect(s, kept, 1, 100 * KIB, 0, 0);
    expect(s, next, 4, 100 * KIB, 0, 0);
    store_close(s);
    s = open_store(state, DB_WRITE);
    expect(s, kept, 1, 100 * KIB, 0, 0);
    expect(s, next, 4, 100 * KIB, 0, 0);
    store_close(s);
}

static void ids_are_never_reused(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    put_turn(s, 1, 10);
    uint64_t last = put_turn(s, 2, 10);
    free_turn(s, last);
    store_close(s);
    s = open_store(state, DB_WRITE);
    assert_int_equal(put_turn(s, 3, 10), last + 1);
    store_close(s);
}

static void calls_out_of_order_are_refused(void **state)
{
    struct store *s = NULL;
    uint64_t id = 0;
    assert_int_equal(store_open(*state, "x", DB_CREATE, &s), 0);
    assert_int_equal(store_begin(s), COMITY_E_INTERNAL); /* not migrated */
    struct buf out = BUF_INIT;
    assert_int_equal(store_get(s, 1, &out), COMITY_E_INTERNAL);
    assert_int_equal(store_migrate(s, MARK, steps, 1), 0);
    assert_int_equal(store_put(s, BYTES_LIT("a"), &id), COMITY_E_INTERNAL);
    assert_int_equal(store_erase(s, 1, 0, 1), COMITY_E_INTERNAL);
    assert_int_equal(store_free(s, 1), COMITY_E_INTERNAL);
    assert_int_equal(store_commit(s), COMITY_E_INTERNAL);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_begin(s), COMITY_E_INTERNAL);
    assert_int_equal(store_export(s, in_dir(state, "y.db")), COMITY_E_INTERNAL);
    assert_int_equal(store_commit(s), 0);
    store_rollback(s);
    store_close(s);
    store_close(NULL);
}

static void second_process_is_busy(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    struct store *other = NULL;
    assert_int_equal(store_open(*state, "x", DB_WRITE, &other), COMITY_E_BUSY);
    assert_int_equal(store_open(*state, "x", DB_CREATE, &other), COMITY_E_BUSY);
    assert_null(other);
    store_close(s);
    assert_int_equal(store_open(*state, "none", DB_WRITE, &other), COMITY_E_NOT_FOUND);
    assert_int_equal(access(in_dir(state, "none.lock"), F_OK), -1);
    s = open_store(state, DB_WRITE);
    store_close(s);
}

static void failing_segment_sync_is_io_for_ever(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t kept = put_turn(s, 1, 100 * KIB);
    assert_int_equal(store_begin(s), 0);
    put(s, 2, 100 * KIB);
    fail_syncs_of = in_dir(state, "x.seg/000001");
    assert_int_equal(store_commit(s), COMITY_E_IO);
    fail_syncs_of = NULL;
    assert_int_equal(store_begin(s), COMITY_E_IO);
    store_close(s);
    s = open_store(state, DB_WRITE);
    expect(s, kept, 1, 100 * KIB, 0, 0);
    expect_gone(s, kept + 1);
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 100 * KIB);
    store_close(s);
}

/* The commit may stand after all, so what its rows name must not be cut off. */
static void failing_wal_sync_leaves_the_segment_alone(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t kept = put_turn(s, 1, 100 * KIB);
    assert_int_equal(store_begin(s), 0);
    put(s, 2, 100 * KIB);
    fail_syncs_of = in_dir(state, "x.db-wal");
    assert_int_equal(store_commit(s), COMITY_E_IO);
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 200 * KIB);
    assert_int_equal(store_begin(s), COMITY_E_IO);
    store_close(s);
    fail_syncs_of = NULL;
    s = open_store(state, DB_WRITE);
    expect(s, kept, 1, 100 * KIB, 0, 0);
    if (segment_of(s, kept + 1) == 1)
        expect(s, kept + 1, 2, 100 * KIB, 0, 0);
    else
        assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 100 * KIB);
    store_close(s);
}

static void full_disk_fails_the_turn_and_not_the_next(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    assert_int_equal(db_run(store_db(s), "PRAGMA max_page_count = 30", DB_NULL), 0);
    uint64_t kept = put_turn(s, 1, 100 * KIB);
    assert_int_equal(store_begin(s), 0);
    uint64_t lost = put(s, 2, 100 * KIB);
    assert_int_equal(db_run(store_db(s), "INSERT INTO note VALUES (1, zeroblob(1000000))", DB_NULL),
                     COMITY_E_DISK_FULL);
    assert_int_equal(store_commit(s), COMITY_E_DISK_FULL);
    expect_gone(s, lost);
    assert_int_equal(file_size(in_dir(state, "x.seg/000001")), 100 * KIB);
    uint64_t next = put_turn(s, 3, 100 * KIB);
    expect(s, kept, 1, 100 * KIB, 0, 0);
    expect(s, next, 3, 100 * KIB, 0, 0);
    store_close(s);
}

/* ---- erasing --------------------------------------------------------------------------------- */

static void erased_range_is_zeros_everywhere(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    static const size_t sizes[] = {1000, 50 * KIB, 100 * KIB};
    for (uint64_t i = 0; i < 3; i++) {
        uint64_t id = put_turn(s, 7000 + i, sizes[i]);
        put_turn(s, 1, 50 * KIB);
        erase_turn(s, id, 100, 0);
        expect(s, id, 7000 + i, sizes[i], 0, 0);
        erase_turn(s, id, 100, 800);
        expect(s, id, 7000 + i, sizes[i], 100, 900);
        erase_turn(s, id, 0, sizes[i]);
        expect(s, id, 7000 + i, sizes[i], 0, sizes[i]);
    }
    assert_false(file_contains(in_dir(state, "x.db-wal"), "<0000700"));
    assert_false(file_contains(in_dir(state, "x.db"), "<0000700"));
    assert_false(file_contains(in_dir(state, "x.seg/000001"), "<0000700"));
    assert_true(file_contains(in_dir(state, "x.db"), "<00000001"));
    uint64_t left = 9;
    assert_int_equal(
        db_get_u64(store_db(s), 9, &left, "SELECT count(*) FROM store_erasure", &DB_NULL, 1), 0);
    assert_int_equal(left, 0);
    store_close(s);
}

static void erase_is_seen_in_its_turn_and_undone_by_rollback(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    static const size_t sizes[] = {1000, 100 * KIB};
    for (uint64_t i = 0; i < 2; i++) {
        uint64_t id = put_turn(s, 5, sizes[i]);
        assert_int_equal(store_begin(s), 0);
        assert_int_equal(store_erase(s, id, 10, 100), 0);
        expect(s, id, 5, sizes[i], 10, 110);
        struct buf part = BUF_INIT;
        assert_int_equal(store_get_part(s, id, 105, 10, &part), 0);
        assert_memory_equal(part.data, "\0\0\0\0\0", 5);
        assert_int_not_equal(part.data[5], 0);
        buf_free(&part);
        store_rollback(s);
        expect(s, id, 5, sizes[i], 0, 0);
        assert_int_equal(store_begin(s), 0);
        assert_int_equal(store_erase(s, id, 0, sizes[i] + 1), COMITY_E_INVALID);
        assert_int_equal(store_erase(s, id + 1, 0, 0), COMITY_E_NOT_FOUND);
        assert_int_equal(store_commit(s), 0);
    }
    store_close(s);
}

static void chunk_of_this_turn_can_be_erased_and_freed(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    static const size_t sizes[] = {1000, 100 * KIB};
    for (uint64_t i = 0; i < 2; i++) {
        assert_int_equal(store_begin(s), 0);
        uint64_t a = put(s, 1, sizes[i]);
        uint64_t b = put(s, 2, sizes[i]);
        assert_int_equal(store_erase(s, a, 5, 10), 0);
        assert_int_equal(store_free(s, b), 0);
        assert_int_equal(store_free(s, b), COMITY_E_NOT_FOUND);
        expect(s, a, 1, sizes[i], 5, 15);
        expect_gone(s, b);
        assert_int_equal(store_commit(s), 0);
        expect(s, a, 1, sizes[i], 5, 15);
        expect_gone(s, b);
    }
    store_close(s);
}

static void reader_delays_the_emptying_of_the_wal_but_not_for_ever(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t id = put_turn(s, 7777, 1000);
    struct store *r = open_store(state, DB_READ);
    assert_int_equal(store_begin(r), 0);
    expect(r, id, 7777, 1000, 0, 0);
    erase_turn(s, id, 0, 1000);
    assert_true(file_contains(in_dir(state, "x.db-wal"), "<00007777"));
    expect(r, id, 7777, 1000, 0, 0);
    store_rollback(r);
    store_close(r);
    put_turn(s, 1, 10);
    assert_false(file_contains(in_dir(state, "x.db-wal"), "<00007777"));
    assert_false(file_contains(in_dir(state, "x.db"), "<00007777"));
    expect(s, id, 7777, 1000, 0, 1000);
    store_close(s);
}

/* Rows come and go around the erased ones, pages are split and merged: no stale copy may stay. */
static void erased_rows_leave_no_copy_in_a_churned_database(void **state)
{
    enum { N = 400, SECRET = 70000000 };
    struct store *s = open_store(state, DB_CREATE);
    uint64_t ids[N] = {0};
    size_t sizes[N] = {0};
    srand(7);
    for (size_t i = 0; i < N; i++) {
        sizes[i] = (size_t)(rand() % 10 ? 100 + rand() % 4000 : 20000 + rand() % 20000);
        ids[i] = put_turn(s, SECRET + i, sizes[i]);
    }
    for (size_t round = 0; round < N; round++) {
        size_t i = (size_t)rand() % N;
        if (!ids[i])
            continue;
        assert_int_equal(store_begin(s), 0);
        if (rand() % 3 == 0) {
            assert_int_equal(store_free(s, ids[i]), 0);
            ids[i] = 0;
        } else {
            assert_int_equal(store_erase(s, ids[i], 0, sizes[i]), 0);
        }
        assert_int_equal(store_commit(s), 0);
    }
    for (size_t i = 0; i < N; i++)
        if (ids[i])
            erase_turn(s, ids[i], 0, sizes[i]);
    store_close(s);
    assert_false(file_contains(in_dir(state, "x.db"), "<7000"));
    assert_int_equal(file_size(in_dir(state, "x.db-wal")), 0);
}

/* ---- freeing --------------------------------------------------------------------------------- */

static void segment_without_anything_alive_is_removed(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    segments_set_max(s->segments, 200 * KIB);
    uint64_t ids[5];
    for (uint64_t i = 0; i < 5; i++)
        ids[i] = put_turn(s, i, 100 * KIB); /* 1 1 2 2 3 */
    free_turn(s, ids[2]);
    assert_int_equal(access(in_dir(state, "x.seg/000002"), F_OK), 0);
    free_turn(s, ids[4]); /* alone in the active one */
    assert_int_equal(access(in_dir(state, "x.seg/000003"), F_OK), 0);
    expect(s, ids[3], 3, 100 * KIB, 0, 0);
    free_turn(s, ids[3]);
    assert_int_equal(access(in_dir(state, "x.seg/000002"), F_OK), -1);
    expect_gone(s, ids[3]);
    put_turn(s, 9, 150 * KIB); /* rotates: now the third may go */
    assert_int_equal(access(in_dir(state, "x.seg/000003"), F_OK), -1);
    expect(s, ids[0], 0, 100 * KIB, 0, 0);
    expect(s, ids[1], 1, 100 * KIB, 0, 0);
    store_close(s);
    s = open_store(state, DB_WRITE);
    expect(s, ids[0], 0, 100 * KIB, 0, 0);
    store_close(s);
}

static void freed_room_is_given_back_before_the_segment_goes(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t id = put_turn(s, 1, 8 * KIB * KIB);
    put_turn(s, 2, 100 * KIB);
    uint64_t before = 0;
    uint64_t after = 0;
    assert_int_equal(store_disk_bytes(s, &before), 0);
    assert_true(before > 8 * KIB * KIB);
    free_turn(s, id);
    assert_int_equal(store_disk_bytes(s, &after), 0);
    assert_true(after < before - 7 * KIB * KIB);
    expect(s, id + 1, 2, 100 * KIB, 0, 0);
    store_close(s);
}

static void free_is_undone_by_rollback(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t a = put_turn(s, 1, 100);
    uint64_t b = put_turn(s, 2, 100 * KIB);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_free(s, a), 0);
    assert_int_equal(store_free(s, b), 0);
    expect_gone(s, b);
    store_rollback(s);
    expect(s, a, 1, 100, 0, 0);
    expect(s, b, 2, 100 * KIB, 0, 0);
    free_turn(s, b);
    assert_int_equal(store_begin(s), 0);
    assert_int_equal(store_free(s, b), COMITY_E_NOT_FOUND);
    assert_int_equal(store_commit(s), 0);
    store_close(s);
}

/* ---- readers and copies ---------------------------------------------------------------------- */

static void reader_beside_the_writer_reads_and_writes_nothing(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    uint64_t a = put_turn(s, 1, 100);
    uint64_t b = put_turn(s, 2, 100 * KIB);
    struct store *r = open_store(state, DB_READ);
    expect(r, a, 1, 100, 0, 0);
    expect(r, b, 2, 100 * KIB, 0, 0);
    uint64_t c = put_turn(s, 3, 100 * KIB);
    expect(r, c, 3, 100 * KIB, 0, 0);
    assert_int_equal(store_begin(r), 0);
    uint64_t id = 0;
    assert_int_equal(store_put(r, BYTES_LIT("a"), &id), COMITY_E_PERMISSION);
    assert_int_equal(store_erase(r, a, 0, 1), COMITY_E_PERMISSION);
    assert_int_equal(store_free(r, a), COMITY_E_PERMISSION);
    assert_int_equal(store_commit(r), 0);
    store_close(s);
    expect(r, c, 3, 100 * KIB, 0, 0);
    store_close(r);
    r = open_store(state, DB_IMMUTABLE);
    expect(r, c, 3, 100 * KIB, 0, 0);
    store_close(r);
}

static struct store *make_mixed_store(void **state)
{
    struct store *s = open_store(state, DB_CREATE);
    segments_set_max(s->segments, 200 * KIB);
    for (uint64_t i = 1; i <= 12; i++)
        put_turn(s, i, i % 3 ? 80 * KIB : 100);
    free_turn(s, 4);
    erase_turn(s, 5, 10, 1000);
    assert_int_equal(db_run(store_db(s), "INSERT INTO note VALUES (5, 'hello')", DB_NULL), 0);
    return s;
}

static void expect_mixed(struct store *s)
{
    for (uint64_t i = 1; i <= 12; i++) {
        if (i == 4)
            expect_gone(s, i);
        else
            expect(s, i, i, i % 3 ? 80 * KIB : 100, i == 5 ? 10 : 0, i == 5 ? 1010 : 0);
    }
}

static void export_is_one_file_with_all_of_it(void **state)
{
    struct store *s = make_mixed_store(state);
    const char *path = in_dir(state, "export.db");
    assert_int_equal(store_export(s, path), 0);
    assert_int_equal(store_export(s, path), COMITY_E_EXISTS);
    expect_mixed(s);
    store_close(s);

    assert_int_equal(access(in_dir(state, "export.db-wal"), F_OK), -1);
    char command[PATH_MAX + 200];
    snprintf(command, sizeof command,
             "mkdir %s/alone && mv %s %s/alone/e.db && ls %s | grep -c export", (char *)*state,
             path, (char *)*state, (char *)*state);
    assert_int_not_equal(system(command), 0); /* grep finds nothing else */
    path = in_dir(state, "alone/e.db");
    struct store *e = NULL;
    assert_int_equal(store_open_file(path, &e), 0);
    assert_int_equal(store_migrate(e, MARK, steps, 1), 0);
    expect_mixed(e);
    uint64_t n = 0;
    assert_int_equal(store_begin(e), 0);
    assert_int_equal(store_put(e, BYTES_LIT("a"), &n), COMITY_E_PERMISSION);
    store_close(e);
    snprintf(command, sizeof command, "ls %s/alone | wc -l | grep -qx 1", (char *)*state);
    assert_int_equal(system(command), 0);
}

static void export_opens_in_the_sqlite_shell(void **state)
{
    struct store *s = make_mixed_store(state);
    assert_int_equal(store_export(s, in_dir(state, "export.db")), 0);
    store_close(s);
    if (system("command -v sqlite3 >/dev/null") != 0)
        skip();
    char command[PATH_MAX + 400];
    snprintf(
        command, sizeof command,
        "chmod 444 %s && test \"$(sqlite3 -readonly %s \"SELECT count(*), sum(length(data) = len),"
        " sum(segment), substr(data, 1, 11), (SELECT text FROM note) FROM store_chunk;"
        " PRAGMA integrity_check; PRAGMA journal_mode\")\" = "
        "'11|11|0|<00000001:0|hello\nok\ndelete'",
        in_dir(state, "export.db"), in_dir(state, "export.db"));
    assert_int_equal(system(command), 0);
}

static void export_from_a_reader_beside_the_writer(void **state)
{
    struct store *s = make_mixed_store(state);
    struct store *r = open_store(state, DB_READ);
    assert_int_equal(store_export(r, in_dir(state, "export.db")), 0);
    assert_int_equal(db_run(store_db(s), "INSERT INTO store_erasure VALUES (1, 0, 1)", DB_NULL), 0);
    assert_int_equal(store_export(r, in_dir(state, "export2.db")), COMITY_E_AGAIN);
    assert_int_equal(access(in_dir(state, "export2.db"), F_OK), -1);
    store_close(r);
    store_close(s);
    struct store *e = NULL;
    assert_int_equal(store_open_file(in_dir(state, "export.db"), &e), 0);
    expect_mixed(e);
    store_close(e);
}

/* A node at work: every turn brings something and frees what came before. */
static void write_and_free(void **state)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    struct store *s = open_store(state, DB_WRITE);
    segments_set_max(s->segments, 200 * KIB);
    for (uint64_t id = 13;; id++) {
        put_turn(s, id, 80 * KIB);
        free_turn(s, id - 1);
    }
}

static void export_beside_a_writer_that_frees_all_the_time(void **state)
{
    store_close(make_mixed_store(state));
    pid_t writer = fork();
    assert_true(writer >= 0);
    if (writer == 0)
        write_and_free(state);
    usleep(50000);
    struct store *r = open_store(state, DB_READ);
    for (int i = 0; i < 20; i++) {
        struct store *e = NULL;
        const char *path = in_dir(state, "export.db");
        unlink(path);
        assert_int_equal(store_export(r, path), 0);
        assert_int_equal(store_open_file(path, &e), 0);
        expect(e, 11, 11, 80 * KIB, 0, 0);
        store_close(e);
    }
    store_close(r);
    kill(writer, SIGKILL);
    waitpid(writer, NULL, 0);
    struct store *s = open_store(state, DB_WRITE);
    expect(s, 11, 11, 80 * KIB, 0, 0);
    store_close(s);
}

static void export_of_a_store_with_a_hole_is_refused(void **state)
{
    struct store *s = make_mixed_store(state);
    assert_int_equal(unlink(in_dir(state, "x.seg/000002")), 0);
    assert_int_not_equal(store_export(s, in_dir(state, "export.db")), 0);
    assert_int_equal(access(in_dir(state, "export.db"), F_OK), -1);
    store_close(s);
}

static void file_without_a_store_is_not_a_ledger(void **state)
{
    struct db *db = NULL;
    assert_int_equal(db_open(in_dir(state, "y.db"), DB_CREATE, &db), 0);
    assert_int_equal(db_migrate(db, MARK, steps, 1), 0);
    db_close(db);
    struct store *s = NULL;
    assert_int_equal(store_open_file(in_dir(state, "y.db"), &s), 0);
    assert_int_equal(store_migrate(s, MARK, steps, 1), COMITY_E_NOT_A_LEDGER);
    store_close(s);
}

#define T(name) cmocka_unit_test_setup_teardown(name, make_fast_dir, remove_dir)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(small_turn_stays_in_rows),
        T(idle_turn_costs_one_sync),
        T(large_turn_goes_to_a_segment_as_a_whole),
        T(limit_between_rows_and_segments_is_64_kib),
        T(failed_put_fails_the_turn),
        T(segments_rotate_within_and_between_turns),
        T(more_segments_than_descriptors_are_read),
        T(part_is_the_part_and_not_beyond),
        T(damaged_rows_are_ledger_damaged),
        T(rollback_leaves_no_trace),
        T(ids_are_never_reused),
        T(calls_out_of_order_are_refused),
        T(second_process_is_busy),
        T(failing_segment_sync_is_io_for_ever),
        T(failing_wal_sync_leaves_the_segment_alone),
        T(full_disk_fails_the_turn_and_not_the_next),
        T(erased_range_is_zeros_everywhere),
        T(erase_is_seen_in_its_turn_and_undone_by_rollback),
        T(chunk_of_this_turn_can_be_erased_and_freed),
        T(reader_delays_the_emptying_of_the_wal_but_not_for_ever),
        T(erased_rows_leave_no_copy_in_a_churned_database),
        T(segment_without_anything_alive_is_removed),
        T(freed_room_is_given_back_before_the_segment_goes),
        T(free_is_undone_by_rollback),
        T(reader_beside_the_writer_reads_and_writes_nothing),
        T(export_is_one_file_with_all_of_it),
        T(export_opens_in_the_sqlite_shell),
        T(export_from_a_reader_beside_the_writer),
        T(export_beside_a_writer_that_frees_all_the_time),
        T(export_of_a_store_with_a_hole_is_refused),
        T(file_without_a_store_is_not_a_ledger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
