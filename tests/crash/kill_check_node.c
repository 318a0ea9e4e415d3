/*
 * What lies in a dead node's folder beside its entries: numbers, what was received, files. See
 * kill.h.
 */
#include "kill.h"

#include "base/file.h"
#include "base/text.h"
#include "msg/parcel.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { ARENA = 8 * 1024 * 1024, FILE_MAX = 16 * 1024 * 1024 };

static uint64_t number(struct kill_daemon *d, struct db *db, const char *sql)
{
    uint64_t n = 0;
    if (db_get_u64(db, 0, &n, sql, &DB_NULL, 1))
        kill_fail(d->c, d->id, "cannot be asked: %s", db_detail(db));
    return n;
}

/* Rows of ${sql}, which asks for what must not be. */
static void none_of(struct kill_daemon *d, struct db *db, const char *what, const char *sql)
{
    uint64_t n = number(d, db, sql);
    if (n)
        kill_fail(d->c, d->id, "%s (%llu)", what, (unsigned long long)n);
}

static void check_numbers(struct kill_daemon *d, struct db *db)
{
    none_of(d, db, "a gap in parcel_seq",
            "SELECT coalesce(max(parcel_seq), 0) - count(parcel_seq) FROM parcel_out");
    none_of(d, db, "a gap or a repetition in delivery_seq",
            "SELECT (SELECT coalesce(max(delivery_seq), 0) <> count(*) OR count(*) <> "
            "count(DISTINCT delivery_seq) FROM parcel_in)");
    none_of(d, db, "the cursor of deliveries is not where the entries are",
            "SELECT (SELECT coalesce(max(delivery_seq), 0) FROM parcel_in) <>"
            " coalesce((SELECT value FROM cursor WHERE name = 'taken'), 0)");
    none_of(d, db, "answers are not where their cursor is",
            "SELECT (SELECT count(*) FROM parcel_out WHERE parcel_seq <="
            " (SELECT value FROM cursor WHERE name = 'answered') AND state = 0)"
            " + (SELECT count(*) FROM parcel_out WHERE parcel_seq >"
            " (SELECT value FROM cursor WHERE name = 'answered') AND state <> 0)");
    none_of(d, db, "a parcel waits for its answer without its content",
            "SELECT count(*) FROM parcel_out p WHERE state = 0 AND count > 0 AND NOT EXISTS"
            " (SELECT 1 FROM store_chunk c WHERE c.id = p.head)");
    none_of(d, db, "a sealed part is named that is not there",
            "SELECT count(*) FROM parcel_out p WHERE sealed IS NOT NULL AND NOT EXISTS"
            " (SELECT 1 FROM store_chunk c WHERE c.id = p.sealed)");
    none_of(
        d, db, "entries to others travel in no parcel",
        "SELECT count(*) FROM view_share s WHERE s.by = 0 AND NOT EXISTS"
        " (SELECT 1 FROM parcel_out p WHERE s.entry BETWEEN p.first AND p.first + p.count - 1)");
    none_of(d, db, "a parcel is unpaired",
            "SELECT count(*) FROM parcel_out_to t WHERE NOT EXISTS"
            " (SELECT 1 FROM parcel_out p WHERE p.id = t.parcel)");
    none_of(d, db, "a pair has a gap", "SELECT count(*) FROM pair_gap");
}

/* ---- what was received: every body is here ---- */

static bool is_for(const struct entry *e, const char *member)
{
    for (size_t i = 0; i < e->to_count; i++)
        if (bytes_is(e->to[i].member, member))
            return true;
    return false;
}

static void check_received_body(struct kill_daemon *d, struct ledger *l, struct arena *a,
                                struct bytes origin, struct bytes bytes)
{
    struct entry e;
    struct opening o;
    struct hash hash;
    if (entry_decode(a, bytes, &e)) {
        kill_fail(d->c, d->id, "a received entry is none");
        return;
    }
    if (!e.body_hash.len || !is_for(&e, d->id))
        return;
    int err = ledger_opening(l, origin, e.index, a, &o);
    if (!err)
        ledger_body_hash(ledger_suite(l), origin, o.salt, o.body, &hash);
    if (err || !bytes_equal(hash_bytes(&hash), e.body_hash))
        kill_fail(d->c, d->id, "the body of %.*s/%llu, received, is not here", (int)origin.len,
                  (const char *)origin.data, (unsigned long long)e.index);
}

static void check_received(struct kill_daemon *d, struct ledger *l, struct store *s, uint64_t from)
{
    struct db_rows *rows = NULL;
    struct arena *a = arena_new(ARENA);
    int got = db_query(store_db(s), &rows,
                       "SELECT own, origin, head FROM parcel_in WHERE own >= ?1 AND token IS NULL",
                       DB_U64(from));
    while (a && got >= 0 && (got = db_next(rows)) == DB_ROW) {
        struct buf head = BUF_INIT;
        struct parcel_head h;
        arena_reset(a);
        if (store_get(s, db_u64(rows, 2), &head) || parcel_head_decode(a, buf_bytes(&head), &h))
            kill_fail(d->c, d->id, "what entry %llu is about is not here",
                      (unsigned long long)db_u64(rows, 0));
        else
            for (size_t i = 0; i < h.entry_count; i++)
                check_received_body(d, l, a, h.origin, h.entries[i]);
        buf_free(&head);
    }
    db_done(rows);
    arena_free(a);
    if (got < 0)
        kill_fail(d->c, d->id, "cannot be asked: %s", db_detail(store_db(s)));
}

/* ---- files: what a row says is here is here, whole ---- */

static void check_file(struct kill_daemon *d, struct bytes sha256, uint64_t len, const char *what)
{
    struct buf name = BUF_INIT;
    struct buf content = BUF_INIT;
    struct hash got = {0};
    struct hash sm3;
    buf_printf(&name, "%s/files/", d->dir);
    text_put_hex(&name, sha256);
    int err = file_read(buf_str(&name), FILE_MAX, &content);
    struct file_digest *digest = err ? NULL : file_digest_new();
    if (digest) {
        file_digest_add(digest, buf_bytes(&content));
        file_digest_finish(digest, &got, &sm3);
    }
    if (err || content.len != len || !bytes_equal(hash_bytes(&got), sha256))
        kill_fail(d->c, d->id, "%s: %s is not here, or not whole (%llu bytes)", what,
                  buf_str(&name), (unsigned long long)len);
    file_digest_free(digest);
    buf_free(&name);
    buf_free(&content);
}

/* Own evidence may only name what was brought in. New rows only: a file is never written again. */
static void check_files(struct kill_daemon *d, struct db *db, uint64_t from)
{
    struct db_rows *rows = NULL;
    int got =
        db_query(db, &rows, "SELECT sha256, len FROM view_file WHERE origin = 0 AND idx >= ?1",
                 DB_U64(from));
    while (got >= 0 && (got = db_next(rows)) == DB_ROW)
        check_file(d, db_bytes(rows, 0), db_u64(rows, 1), "own evidence");
    db_done(rows);
    rows = NULL;
    got =
        db_query(db, &rows, "SELECT sha256, len FROM attachment_in WHERE state = 2 AND file >= ?1",
                 DB_U64(from));
    while (got >= 0 && (got = db_next(rows)) == DB_ROW)
        check_file(d, db_bytes(rows, 0), db_u64(rows, 1), "fetched, it is said");
    db_done(rows);
    none_of(d, db, "fetched, and no FILE entry",
            "SELECT count(*) FROM attachment_in WHERE state = 2 AND file IS NULL");
    none_of(d, db, "an attachment has failed",
            "SELECT (SELECT count(*) FROM attachment_in WHERE state = 3)"
            " + (SELECT count(*) FROM attachment_out WHERE state = 3)");
}

void check_node(struct kill_daemon *d, struct ledger *l, struct store *s)
{
    check_numbers(d, store_db(s));
    check_received(d, l, s, d->book.files_checked);
    check_files(d, store_db(s), d->book.files_checked);
    d->book.files_checked = d->book.size;
}
