/* What a cut has left of a broker. See look.h. */
#include "look.h"

#include "../../broker/blobs.h"
#include "../../broker/broker.h"
#include "../../broker/store.h"

#include "wire/blob.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

/* ---- what was said ---- */

static bool look_numbers(struct look *l, struct broker *b)
{
    for (size_t i = 0; i < DUE_NAMES_MAX && *l->due->known[i].who; i++) {
        const struct due_number *n = &l->due->known[i];
        struct known known = {0};
        int err = queue_known(b->store, bytes_of(n->who), &known, NULL);
        if (err || known.parcel_seq < n->number)
            return look_fails(l, "parcel %llu of %s was answered, and is not known",
                              (unsigned long long)n->number, n->who);
    }
    for (size_t i = 0; i < DUE_NAMES_MAX && *l->due->given[i].who; i++) {
        const struct due_number *n = &l->due->given[i];
        struct recipient r = {0};
        int err = queue_recipient(b->store, bytes_of(n->who), &r);
        if (err || r.given < n->number)
            return look_fails(l, "delivery %llu to %s was handed out, and is not here",
                              (unsigned long long)n->number, n->who);
    }
    return true;
}

/* ---- parcels ---- */

static int check_kept(struct broker *b, struct arena *a, struct db_rows *rows)
{
    struct buf bytes = BUF_INIT;
    struct buf entry = BUF_INIT;
    struct parcel_facts *facts = NULL;
    struct entry e;
    struct ref_routed ref;
    const struct parcel_rules rules = {.roster = b->roster, .place = PARCEL_FILED};
    arena_reset(a);
    int err = store_get(b->store, db_u64(rows, 0), &bytes);
    if (!err)
        err = parcel_verify(a, buf_bytes(&bytes), &rules, &facts);
    if (!err)
        err = ledger_entry(b->ledger, db_u64(rows, 1), &entry);
    if (!err)
        err = entry_decode(a, buf_bytes(&entry), &e);
    if (!err)
        err = ref_routed_parse(e.ref, &ref);
    if (!err && !hash_equal(&ref.parcel, &facts->hash))
        err = COMITY_E_STATEMENT;
    buf_free(&bytes);
    buf_free(&entry);
    return err;
}

/* Every parcel that is kept is true, and the one that its ROUTED entry names. */
static bool look_parcels(struct look *l, struct broker *b)
{
    struct db_rows *rows = NULL;
    struct arena *a = arena_new(64 << 20);
    bool ok = true;
    int got = 0;
    int err =
        db_query(store_db(b->store), &rows,
                 "SELECT chunk, routed FROM parcel WHERE chunk <> ?1 AND token IS NULL", DB_U64(0));
    while (!err && ok && (got = db_next(rows)) == DB_ROW) {
        int bad = check_kept(b, a, rows);
        if (bad)
            ok = look_fails(l, "the parcel in chunk %llu: %s", (unsigned long long)db_u64(rows, 0),
                            comity_err_token(bad));
    }
    db_done(rows);
    arena_free(a);
    if (err || got < 0)
        ok = look_fails(l, "parcels: %s", comity_err_token(err ? err : got));
    return ok;
}

/* Every delivery that may be asked for leads to a parcel that is kept. */
static bool look_deliveries(struct look *l, struct broker *b)
{
    uint64_t n = 0;
    int err = db_get_u64(store_db(b->store), 0, &n,
                         "SELECT count(*) FROM delivery d LEFT JOIN parcel p ON p.id = d.parcel"
                         " WHERE p.id IS NULL OR (p.chunk = 0 AND ?1)",
                         &DB_U64(1), 1);
    return !err && n == 0 ? true : look_fails(l, "a delivery without its parcel");
}

/* ---- blobs ---- */

static int check_blob(struct blob *b, const struct hash *id, uint64_t len)
{
    struct buf block = BUF_INIT;
    struct hash path[PROOF_PATH_MAX];
    size_t n = 0;
    int err = COMITY_OK;
    for (uint64_t i = 0; !err && i < blob_durable(b); i++) {
        buf_reset(&block);
        err = blob_get(b, i, &block, path, &n);
        if (!err)
            err = blob_block_verify(suite_get(SUITE_1), id, len, i, buf_bytes(&block), path, n);
    }
    buf_free(&block);
    return err;
}

/* Blocks that are said to be durable are those of the blob. ${ret_whole}: all are here. */
static bool look_blob(struct look *l, struct blobs *folder, const struct hash *id, uint64_t len,
                      bool *ret_whole)
{
    struct blob *b = NULL;
    int err = blobs_get(folder, id, len, false, &b);
    *ret_whole = !err && blob_durable(b) == blob_count(b);
    if (err == COMITY_E_NOT_FOUND)
        return true;
    if (!err)
        err = check_blob(b, id, len);
    return err ? look_fails(l, "blob %02x%02x…: %s", id->b[0], id->b[1], comity_err_token(err))
               : true;
}

static bool look_due_blobs(struct look *l, struct blobs *folder)
{
    bool ok = true;
    for (size_t i = 0; ok && i < l->due->files; i++) {
        const struct due_file *f = &l->due->file[i];
        bool is_whole = false;
        ok = look_blob(l, folder, &f->hash, f->len, &is_whole);
        if (ok && !is_whole && !f->is_gone)
            ok = look_fails(l, "blob %02x%02x… was said to be whole", f->hash.b[0], f->hash.b[1]);
    }
    return ok;
}

static bool look_blobs(struct look *l, struct broker *b)
{
    struct blobs *folder = NULL;
    struct db_rows *rows = NULL;
    char *dir = site_path(&l->site, "blobs");
    int got = 0;
    int err = dir ? blobs_open(dir, &folder) : COMITY_E_NOMEM;
    bool ok = !err && look_due_blobs(l, folder);
    if (!err)
        err = db_query(store_db(b->store), &rows, "SELECT id, len FROM blob WHERE freed <> ?1",
                       DB_U64(2));
    while (!err && ok && (got = db_next(rows)) == DB_ROW) {
        struct hash id;
        bool is_whole = false;
        memcpy(id.b, db_bytes(rows, 0).data, HASH_LEN);
        ok = look_blob(l, folder, &id, db_u64(rows, 1), &is_whole);
    }
    db_done(rows);
    blobs_close(folder);
    free(dir);
    if (err || got < 0)
        ok = look_fails(l, "blobs: %s", comity_err_token(err ? err : got));
    return ok;
}

/* ---- on it goes ---- */

static int write_note(struct broker *b, void *self)
{
    (void)self;
    struct entry e = {.kind = ENTRY_NOTE,
                      .roster = b->roster ? roster_number(b->roster) : 0,
                      .time_ms = (uint64_t)clock_wall_ms(b->clock)};
    return ledger_append(b->ledger, &e, NULL);
}

static bool look_turn(struct look *l, struct broker *b)
{
    int err = broker_tidy(b);
    if (!err)
        err = broker_turn(b, write_note, NULL);
    return err ? look_fails(l, "one more turn: %s", comity_err_token(err)) : true;
}

static bool look_parts(struct look *l, struct broker *b)
{
    return look_parcels(l, b) && look_deliveries(l, b) && look_turn(l, b);
}

bool look_broker(struct look *l)
{
    struct broker *b = NULL;
    int err = broker_open(&l->site, l->keys, &l->clock, &b);
    bool ok = err ? look_fails(l, "the broker does not start: %s", comity_err_token(err))
                  : look_ledger(l, b->ledger) && look_numbers(l, b) && look_blobs(l, b) &&
                        (l->is_known || look_parts(l, b));
    broker_close(b);
    return ok && (l->is_known || look_audit(l));
}
