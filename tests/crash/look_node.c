/* What a cut has left of a node. See look.h. */
#include "look.h"

#include "../../node/core.h"
#include "../../node/files.h"

#include "base/file.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- files ---- */

/* The file of that digest is there, with that content. */
static bool look_file(struct look *l, struct node *n, const struct hash *sha256, uint64_t len)
{
    struct buf content = BUF_INIT;
    struct hash found;
    struct hash sm3;
    struct file_digest *d = file_digest_new();
    char *path = files_path(n, sha256);
    const char *name = path ? strrchr(path, '/') + 1 : "";
    bool ok = d && path && file_read(path, (size_t)len, &content) == 0 && content.len == len;
    if (ok) {
        file_digest_add(d, buf_bytes(&content));
        file_digest_finish(d, &found, &sm3);
        ok = hash_equal(&found, sha256);
    }
    if (!ok)
        look_fails(l, "file %.8s… is not there, or damaged", name);
    file_digest_free(d);
    buf_free(&content);
    free(path);
    return ok;
}

static bool look_due_files(struct look *l, struct node *n)
{
    bool ok = true;
    for (size_t i = 0; ok && i < l->due->files; i++)
        ok = look_file(l, n, &l->due->file[i].hash, l->due->file[i].len);
    return ok;
}

/* Every row that says that a file is here. */
static bool look_rows_of_files(struct look *l, struct node *n)
{
    static const char *const sql[] = {
        "SELECT sha256, len FROM attachment_in WHERE state = 2 AND ?1",
        "SELECT sha256, len FROM view_file WHERE origin = 0 AND ?1"};
    bool ok = true;
    for (size_t i = 0; ok && i < 2; i++) {
        struct db_rows *rows = NULL;
        int got = 0;
        int err = db_query_values(store_db(n->store), &rows, sql[i], &DB_U64(1), 1);
        while (!err && ok && (got = db_next(rows)) == DB_ROW) {
            struct hash sha256;
            memcpy(sha256.b, db_bytes(rows, 0).data, HASH_LEN);
            ok = look_file(l, n, &sha256, db_u64(rows, 1));
        }
        db_done(rows);
        if (err || got < 0)
            ok = look_fails(l, "rows of files: %s", comity_err_token(err ? err : got));
    }
    return ok;
}

/* ---- parcels ---- */

/* A head is the one whose hash stands beside it. */
static bool look_heads(struct look *l, struct node *n, const char *sql)
{
    struct db_rows *rows = NULL;
    bool ok = true;
    int got = 0;
    int err = db_query_values(store_db(n->store), &rows, sql, &DB_U64(1), 1);
    while (!err && ok && (got = db_next(rows)) == DB_ROW) {
        struct buf head = BUF_INIT;
        struct hash hash;
        int bad = store_get(n->store, db_u64(rows, 0), &head);
        parcel_hash(suite_get(SUITE_1), buf_bytes(&head), &hash);
        if (bad || !bytes_equal(hash_bytes(&hash), db_bytes(rows, 1)))
            ok = look_fails(l, "the head in chunk %llu is not that of its row (%s)",
                            (unsigned long long)db_u64(rows, 0), comity_err_token(bad));
        buf_free(&head);
    }
    db_done(rows);
    if (err || got < 0)
        ok = look_fails(l, "heads: %s", comity_err_token(err ? err : got));
    return ok;
}

static int put_parcel(struct node *n, struct db_rows *rows, struct buf *out)
{
    struct buf head = BUF_INIT;
    struct buf sealed = BUF_INIT;
    struct bytes wraps = db_bytes(rows, 2);
    struct bytes wrap[PARCEL_RECIPIENTS_MAX + 1];
    struct parcel p = {.wraps = wrap};
    int err = store_get(n->store, db_u64(rows, 0), &head);
    if (!err && !db_is_null(rows, 1))
        err = store_get(n->store, db_u64(rows, 1), &sealed);
    for (; p.wrap_count < wraps.len / PARCEL_WRAP_LEN; p.wrap_count++)
        wrap[p.wrap_count] = bytes_slice(wraps, p.wrap_count * PARCEL_WRAP_LEN, PARCEL_WRAP_LEN);
    p.head = buf_bytes(&head);
    p.sealed = sealed.len ? buf_bytes(&sealed) : BYTES_NONE;
    if (!err)
        err = parcel_encode(&p, out);
    buf_free(&head);
    buf_free(&sealed);
    return err;
}

/* What waits to be sent is true, and can be opened by this member itself. */
static bool look_queue(struct look *l, struct node *n)
{
    struct db_rows *rows = NULL;
    bool ok = true;
    int got = 0;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT head, sealed, wraps, parcel_seq FROM parcel_out WHERE state = ?1",
                       DB_U64(0));
    struct arena *a = arena_new(64 << 20);
    while (!err && ok && (got = db_next(rows)) == DB_ROW) {
        struct buf parcel = BUF_INIT;
        struct parcel_facts *facts = NULL;
        struct openings openings;
        const struct parcel_rules rules = {.roster = n->roster, .place = PARCEL_FILED};
        arena_reset(a);
        int bad = put_parcel(n, rows, &parcel);
        if (!bad)
            bad = parcel_verify(a, buf_bytes(&parcel), &rules, &facts);
        if (!bad && facts->parcel.sealed.len)
            bad = parcel_unseal(a, facts, bytes_of(n->member), n->keys->seal, n->keys->seal_count,
                                &openings);
        if (bad)
            ok = look_fails(l, "queued parcel %llu: %s", (unsigned long long)db_u64(rows, 3),
                            comity_err_token(bad));
        buf_free(&parcel);
    }
    arena_free(a);
    db_done(rows);
    if (err || got < 0)
        ok = look_fails(l, "queue: %s", comity_err_token(err ? err : got));
    return ok;
}

/* ---- projections ---- */

static const char *const views[] = {
    "SELECT quote(at)||quote(r.origin)||quote(idx)||quote(kind)||quote(time)||quote(case_idx)"
    "||quote(title)||quote(doc_no)||quote(sub)||quote(files)||quote(notes)||quote(sender)"
    "||quote(leaf)||quote(decided)||coalesce((SELECT origin FROM view_origin o WHERE o.id ="
    " case_origin), '-') FROM view_record r WHERE ?1 ORDER BY 1",
    "SELECT quote(id)||quote(origin) FROM view_origin WHERE ?1 ORDER BY 1",
    "SELECT quote(what)||quote(n) FROM view_count WHERE ?1 ORDER BY 1",
    "SELECT quote(blob)||quote(origin)||quote(idx)||quote(number)||quote(len)||quote(sha256)"
    "||quote(secret) FROM view_file WHERE ?1 ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(entry)||quote(licence)||quote(role)||quote(time)"
    " FROM view_signature WHERE ?1 ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(by)||quote(entry)||quote(time) FROM view_share"
    " WHERE ?1 ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(by)||quote(entry)||quote(decision)||quote(time)"
    " FROM view_recognition WHERE ?1 ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(licence)||quote(name)||quote(vkey)||quote(roles)"
    "||quote(time)||quote(retired) FROM view_officer WHERE ?1 ORDER BY 1",
    "SELECT quote(id)||quote(idx) FROM view_request WHERE ?1 ORDER BY 1",
};
enum { VIEWS = sizeof views / sizeof views[0] };

static int put_views(struct node *n, struct buf *out)
{
    int err = 0;
    for (size_t i = 0; !err && i < VIEWS; i++) {
        struct db_rows *rows = NULL;
        err = db_query_values(store_db(n->store), &rows, views[i], &DB_U64(1), 1);
        while (!err && (err = db_next(rows)) == DB_ROW) {
            buf_printf(out, "%zu ", i);
            buf_put_bytes(out, db_bytes(rows, 0));
            buf_put_str(out, "\n");
            err = 0;
        }
        db_done(rows);
    }
    return err ? err : buf_check(out);
}

static bool look_views(struct look *l, struct node *n)
{
    struct buf before = BUF_INIT;
    struct buf after = BUF_INIT;
    int err = put_views(n, &before);
    if (!err)
        err = node_reindex(n);
    if (!err)
        err = put_views(n, &after);
    bool ok = !err && bytes_equal(buf_bytes(&before), buf_bytes(&after));
    if (!ok)
        look_fails(l, "the projections are not what a rebuild makes (%s)", comity_err_token(err));
    buf_free(&before);
    buf_free(&after);
    return ok;
}

/* ---- on it goes ---- */

static void note_done(struct draft *d, int err)
{
    *(int *)d->owner = err;
}

static bool look_turn(struct look *l, struct node *n)
{
    struct turn *t = NULL;
    struct node_out out = {0};
    int done = COMITY_E_INTERNAL;
    const struct draft d = {.kind = ENTRY_NOTE, .done = note_done, .owner = &done};
    int err = node_begin(n, &t);
    if (!err)
        err = turn_add(t, &d);
    if (!err)
        err = node_step(n, &(struct node_in){.up = true}, &out);
    if (err || done || (n->roster && out.count == 0))
        look_fails(l, "one more turn: %s, %s, %zu frames", comity_err_token(err),
                   comity_err_token(done), out.count);
    node_out_free(&out);
    return !*l->why;
}

/* ---- all of it ---- */

static bool look_cursors(struct look *l, const struct node *n)
{
    const struct node_core *c = n->core;
    if (c->cursor[CURSOR_TAKEN] < l->due->taken)
        return look_fails(l, "delivery %llu was taken, and is not here",
                          (unsigned long long)l->due->taken);
    if (c->cursor[CURSOR_ANSWERED] < l->due->answered)
        return look_fails(l, "the answer to parcel %llu was let go, and is not here",
                          (unsigned long long)l->due->answered);
    return true;
}

static bool look_due(struct look *l, struct node *n)
{
    return look_ledger(l, n->ledger) && look_cursors(l, n) && look_due_files(l, n) &&
           look_erased(l, n->ledger);
}

static bool look_parts(struct look *l, struct node *n)
{
    return look_rows_of_files(l, n) &&
           look_heads(l, n, "SELECT head, hash FROM parcel_out WHERE ?1") &&
           look_heads(l, n, "SELECT head, hash FROM parcel_in WHERE ?1") && look_queue(l, n) &&
           look_views(l, n) && look_turn(l, n);
}

bool look_node(struct look *l)
{
    struct node *n = NULL;
    int err = node_open(&l->site, l->keys, &l->clock, &n);
    if (!err)
        err = files_prepare(&l->site);
    bool ok = err ? look_fails(l, "the node does not start: %s", comity_err_token(err))
                  : look_due(l, n) && (l->is_known || look_parts(l, n));
    node_close(n);
    return ok && (l->is_known || look_audit(l));
}
