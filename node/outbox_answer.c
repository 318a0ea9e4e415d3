/*
 * What is said of own parcels: by the broker in ANSWER, by the recipients in receipts.
 */
#include "base/log.h"
#include "core.h"
#include "outbox.h"
#include "outbox_parts.h"

#include <string.h>

/* ---- the broker's answer ---- */

/* An own parcel as it was queued. */
struct queued {
    uint64_t id;
    struct hash hash;
    struct hash root;
    uint64_t size;
    uint64_t count;
};

static void hash_from(struct db_rows *rows, int column, struct hash *ret)
{
    struct bytes b = db_bytes(rows, column);
    memset(ret, 0, sizeof *ret);
    if (b.len == HASH_LEN)
        memcpy(ret->b, b.data, HASH_LEN);
}

static int find_queued(struct node *n, uint64_t parcel_seq, struct queued *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT id, hash, size, root, count FROM parcel_out"
                       " WHERE parcel_seq = ?1 AND state = 0",
                       DB_U64(parcel_seq));
    if (err)
        return err;
    int got = db_next(rows);
    if (got == DB_ROW) {
        ret->id = db_u64(rows, 0);
        hash_from(rows, 1, &ret->hash);
        ret->size = db_u64(rows, 2);
        hash_from(rows, 3, &ret->root);
        ret->count = db_u64(rows, 4);
    }
    db_done(rows);
    return got == DB_ROW ? COMITY_OK : got < 0 ? got : COMITY_E_STATEMENT;
}

/* The last parcel_seq answered, those of this turn included. */
static uint64_t answered_here(const struct turn *t)
{
    return t->answers.count ? t->answers.at[t->answers.count - 1].parcel_seq
                            : t->node->core->cursor[CURSOR_ANSWERED];
}

/* Whether the entry speaks of this very parcel. */
static bool is_about(const struct node *n, const struct entry *e, const struct queued *q,
                     const struct hash *hash)
{
    const struct entry_source *s = &e->source;
    return e->has_source && s->has_size && s->size == q->size && hash_equal(hash, &q->hash) &&
           bytes_equal(s->root, hash_bytes(&q->root)) &&
           bytes_is(s->origin, ledger_origin(n->ledger));
}

/* A refusal that is told again: it was dealt with. */
static bool was_refused(struct node *n, const struct hash *hash)
{
    const struct db_value v[] = {DB_BLOB(hash_bytes(hash))};
    uint64_t found = 0;
    return db_get_u64(store_db(n->store), 0, &found,
                      "SELECT count(*) FROM parcel_out WHERE hash = ?1 AND state = 2", v, 1) == 0 &&
           found > 0;
}

/* One entry of the statement; the next parcel in order, or one that was answered before. */
static int take_entry(struct turn *t, const struct parcel_facts *s, size_t i,
                      struct bytes statement)
{
    const struct entry *e = &s->entries[i];
    struct ref_routed routed = {0};
    struct ref_refused refused = {0};
    struct queued q;
    bool is_refused = e->kind == ENTRY_REFUSED;
    uint64_t seq = answered_here(t) + 1;
    if (is_refused ? ref_refused_parse(e->ref, &refused) : ref_routed_parse(e->ref, &routed))
        return COMITY_E_STATEMENT;
    if (t->refused_seq || (is_refused && i + 1 != s->count))
        return COMITY_E_STATEMENT;
    if (!is_refused && routed.parcel_seq < seq)
        return COMITY_OK;
    if (is_refused && was_refused(t->node, &refused.parcel))
        return COMITY_OK;
    int err = !is_refused && routed.parcel_seq != seq ? COMITY_E_STATEMENT
                                                      : find_queued(t->node, seq, &q);
    if (!err && !is_about(t->node, e, &q, is_refused ? &refused.parcel : &routed.parcel))
        err = COMITY_E_STATEMENT;
    if (err)
        return err;
    struct answered a = {.parcel_seq = seq,
                         .parcel = q.id,
                         .statement = statement,
                         .routed = e->index,
                         .leaf = s->leaves[i],
                         .hash = q.hash};
    if (is_refused) {
        a.token = arena_strdup(t->arena, refused.token);
        if (!a.token)
            return COMITY_E_NOMEM;
        t->refused_seq = seq;
        log_event(LOG_WARN, "parcel_refused", LOG_U64("parcel_seq", seq), LOG_STR("token", a.token),
                  LOG_HEX("parcel", hash_bytes(&q.hash)));
    }
    return LIST_ADD(t->answers, a);
}

int outbox_take_answer(struct turn *t, const struct frame *f)
{
    struct parcel_facts *s = NULL;
    if (f->u.answer.parcel_seq <= t->node->core->cursor[CURSOR_ANSWERED] &&
        !f->u.answer.statement.data)
        return COMITY_OK;
    if (!f->u.answer.statement.data)
        return COMITY_E_STATEMENT;
    int err = session_open_statement(t, f->u.answer.statement, &s);
    for (size_t i = 0; !err && i < s->count; i++)
        err = take_entry(t, s, i, f->u.answer.statement);
    if (!err && answered_here(t) < f->u.answer.parcel_seq)
        err = COMITY_E_STATEMENT;
    return err;
}

/* The recipients of an accepted parcel, and the broker, have been sent its size. */
static int note_accepted(struct turn *t, const struct answered *a)
{
    struct node *n = t->node;
    struct db_rows *rows = NULL;
    const struct roster_member *broker = core_broker(n);
    uint64_t size = 0;
    int got = 0;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT p.size, r.member FROM parcel_out p LEFT JOIN parcel_out_to r"
                       " ON r.parcel = p.id WHERE p.id = ?1",
                       DB_U64(a->parcel));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        size = db_u64(rows, 0);
        if (db_is_null(rows, 1))
            continue;
        struct peer *p = outbox_peer(n, db_bytes(rows, 1));
        if (!p) {
            err = COMITY_E_NOMEM;
            break;
        }
        p->accepted = size;
        p->is_dirty = true;
    }
    db_done(rows);
    struct peer *b = broker && !err ? outbox_peer(n, broker->id) : NULL;
    if (b) {
        b->accepted = size;
        b->is_dirty = true;
    }
    return err ? err : got < 0 ? got : COMITY_OK;
}

int outbox_ask_for_files(struct node *n, uint64_t id)
{
    struct db *db = store_db(n->store);
    if (!n->core->uploads_waiting)
        return COMITY_OK;
    int err = db_run(db,
                     "UPDATE attachment_out SET state = 1 WHERE state = 0 AND blob IN"
                     " (SELECT blob FROM attachment_out_to WHERE parcel = ?1) AND NOT EXISTS"
                     " (SELECT 1 FROM attachment_out_to o JOIN parcel_out p ON p.id = o.parcel"
                     "  WHERE o.blob = attachment_out.blob AND p.state = 0)",
                     DB_U64(id));
    if (!err)
        n->core->uploads_waiting -= db_changes(db);
    return err;
}

static int write_answer(struct turn *t, const struct answered *a, uint64_t statement)
{
    struct db *db = store_db(t->node->store);
    uint64_t sealed = 0;
    const struct db_value id[] = {DB_U64(a->parcel)};
    int err = db_get_u64(db, 0, &sealed, "SELECT sealed FROM parcel_out WHERE id = ?1", id, 1);
    if (!err && sealed)
        err = store_free(t->node->store, sealed);
    if (!err)
        err = db_run(db,
                     "UPDATE parcel_out SET state = ?2, token = ?3, statement = ?4, routed = ?5,"
                     " sealed = NULL WHERE id = ?1",
                     DB_U64(a->parcel), DB_U64(a->token ? PARCEL_REFUSED : PARCEL_ACCEPTED),
                     a->token ? DB_STR(a->token) : DB_NULL, DB_U64(statement), DB_U64(a->routed));
    if (!err && a->token)
        err = db_run(db, "UPDATE parcel_out_to SET state = 2, token = ?2 WHERE parcel = ?1",
                     DB_U64(a->parcel), DB_STR(a->token));
    if (!err && a->token)
        err = outbox_ask_for_files(t->node, a->parcel);
    if (!err && !a->token)
        err = note_accepted(t, a);
    if (!err && !a->token && t->node->core->uploads_waiting) {
        err = db_run(db,
                     "UPDATE attachment_out SET state = 1 WHERE state = 0 AND blob IN"
                     " (SELECT blob FROM attachment_out_to WHERE parcel = ?1)",
                     DB_U64(a->parcel));
        if (!err)
            t->node->core->uploads_waiting -= db_changes(db);
    }
    return err;
}

int outbox_write_answers(struct turn *t)
{
    const uint8_t *last = NULL;
    uint64_t statement = 0;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->answers.count; i++) {
        const struct answered *a = &t->answers.at[i];
        if (a->statement.data != last)
            err = store_put(t->node->store, a->statement, &statement);
        last = a->statement.data;
        if (!err)
            err = write_answer(t, a, statement);
    }
    if (!err && t->answers.count)
        core_set_cursor(t->node, CURSOR_ANSWERED, answered_here(t));
    return err;
}

/* ---- receipts ---- */

/*
 * He refused it: what he is known to have is the newest that he received. He may know the refused
 * one's size as well, if it was its content that he refused, so the next parcel carries both cuts.
 */
static int forget_sent(struct turn *t, const struct receipt *r, uint64_t id)
{
    struct peer *p = outbox_peer(t->node, r->member);
    if (!p)
        return COMITY_E_NOMEM;
    const struct db_value member[] = {DB_TEXT(r->member)};
    const struct db_value parcel[] = {DB_U64(id)};
    p->is_dirty = true;
    int err = db_get_u64(store_db(t->node->store), 0, &p->ask,
                         "SELECT size FROM parcel_out WHERE id = ?1", parcel, 1);
    if (err)
        return err;
    return db_get_u64(store_db(t->node->store), 0, &p->sent,
                      "SELECT max(p.size) FROM parcel_out_to r JOIN parcel_out p ON p.id = r.parcel"
                      " WHERE r.member = ?1 AND r.state = 1",
                      member, 1);
}

/* It is about what an earlier ledger of ours had sent. */
static int write_late_receipt(struct turn *t, const struct receipt *r)
{
    return db_run(store_db(t->node->store),
                  "INSERT OR IGNORE INTO late_receipt(name, member, state, receipt, token)"
                  " VALUES(?1, ?2, ?3, ?4, ?5)",
                  DB_BLOB(hash_bytes(&r->name)), DB_TEXT(r->member),
                  DB_U64(r->token ? READER_REFUSED : READER_RECEIVED),
                  DB_U64(t->slots.at[r->slot].d.index), r->token ? DB_STR(r->token) : DB_NULL);
}

static int write_parcel_receipt(struct turn *t, const struct receipt *r)
{
    struct db *db = store_db(t->node->store);
    const struct db_value hash[] = {DB_BLOB(hash_bytes(&r->name))};
    uint64_t id = 0;
    int err = db_get_u64(db, 0, &id, "SELECT id FROM parcel_out WHERE hash = ?1", hash, 1);
    if (err)
        return err;
    if (!id && t->node->archive_count)
        return write_late_receipt(t, r);
    if (!id) {
        log_event(LOG_WARN, "receipt_unknown", LOG_BYTES("member", r->member),
                  LOG_HEX("parcel", hash_bytes(&r->name)));
        return COMITY_OK;
    }
    err =
        db_run(db,
               "UPDATE parcel_out_to SET state = ?3, receipt = ?4, token = ?5"
               " WHERE parcel = ?1 AND member = ?2 AND state = 0",
               DB_U64(id), DB_TEXT(r->member), DB_U64(r->token ? READER_REFUSED : READER_RECEIVED),
               DB_U64(t->slots.at[r->slot].d.index), r->token ? DB_STR(r->token) : DB_NULL);
    if (err || (!r->token && !r->known_size))
        return err;
    if (r->token) {
        log_event(LOG_WARN, "parcel_refused_by_recipient", LOG_BYTES("member", r->member),
                  LOG_STR("token", r->token), LOG_HEX("parcel", hash_bytes(&r->name)));
        return forget_sent(t, r, id);
    }
    struct peer *p = outbox_peer(t->node, r->member);
    if (!p)
        return COMITY_E_NOMEM;
    p->ask = r->known_size;
    p->is_dirty = true;
    return COMITY_OK;
}

int outbox_write_receipts(struct turn *t)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->receipts.count; i++) {
        const struct receipt *r = &t->receipts.at[i];
        if (!r->is_file)
            err = write_parcel_receipt(t, r);
        else
            err = db_run(store_db(t->node->store),
                         "UPDATE attachment_out_to SET receipt = ?3 WHERE blob = ?1 AND member = ?2"
                         " AND receipt IS NULL",
                         DB_BLOB(hash_bytes(&r->name)), DB_TEXT(r->member),
                         DB_U64(t->slots.at[r->slot].d.index));
        if (!err && r->is_file && t->node->archive_count &&
            db_changes(store_db(t->node->store)) == 0)
            err = write_late_receipt(t, r);
    }
    return err;
}
