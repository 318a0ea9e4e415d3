/*
 * What follows from a refusal by the broker. See PROTOCOL.md, Refusals.
 *
 * The refused parcel's numbers are void: one REFUSED entry a recipient says so, in a parcel of its
 * own, submitted first. What was queued behind it was built upon it, and is proven and numbered
 * anew; entries and sealed part stay as they are. A parcel whose recipients are not all there any
 * more cannot be delivered as it is sealed, and is voided likewise.
 */
#include "base/log.h"
#include "core.h"
#include "outbox.h"
#include "outbox_parts.h"

#include <string.h>

/* A recipient of a parcel that may have to be voided. */
struct reader {
    struct bytes member;
    uint64_t first;
    uint64_t span;
};

struct queued_parcel {
    uint64_t id;
    uint64_t seq;
    struct hash hash;
    struct reader reader[PARCEL_RECIPIENTS_MAX];
    size_t reader_count;
};

static bool is_there(const struct node *n, struct bytes member)
{
    const struct roster_member *m = roster_member_of(n->roster, member);
    return m && m->role == MEMBER_BUREAU && roster_current_origin(n->roster, m);
}

static bool is_deliverable(const struct node *n, const struct queued_parcel *p)
{
    for (size_t i = 0; i < p->reader_count; i++)
        if (!is_there(n, p->reader[i].member))
            return false;
    return true;
}

/* The draft that voids the numbers of one recipient. */
static int add_void(struct turn *t, const struct answered *a, const struct queued_parcel *p,
                    const struct reader *r, const char *token)
{
    struct buf ref = BUF_INIT;
    ref_refused_put(&ref, &(struct ref_refused){.parcel = p->hash,
                                                .count = (uint32_t)r->span,
                                                .token = bytes_of(token)});
    struct bytes *to = arena_alloc(t->arena, sizeof *to);
    int err = buf_check(&ref);
    if (!err && !to)
        err = COMITY_E_NOMEM;
    if (err)
        goto out;
    *to = r->member;
    const struct draft d = {.kind = ENTRY_REFUSED,
                            .has_source = true,
                            .source = {.origin = core_broker_origin(t->node)->ledger->origin,
                                       .has_index = true,
                                       .index = a->routed,
                                       .leaf = hash_bytes(&a->leaf)},
                            .ref = arena_copy(t->arena, buf_bytes(&ref)),
                            .to = to,
                            .to_count = 1};
    size_t slot = 0;
    err = d.ref.data ? turn_add_slot(t, &d, SLOT_VOID, &slot) : COMITY_E_NOMEM;
    if (!err) {
        t->slots.at[slot].void_first = r->first;
        t->slots.at[slot].span = (uint32_t)r->span;
    }
out:
    buf_free(&ref);
    return err;
}

/* Decide what becomes of one parcel. */
static int settle(struct turn *t, const struct answered *a, const struct queued_parcel *p)
{
    bool is_refused = p->seq == a->parcel_seq;
    if (p->id == 0)
        return COMITY_OK;
    if (!is_refused && is_deliverable(t->node, p))
        return LIST_ADD(t->rebuild, p->id);
    const char *token = is_refused ? a->token : comity_err_token(COMITY_E_CLOSED);
    int err = is_refused ? COMITY_OK : LIST_ADD(t->voided, p->id);
    for (size_t i = 0; !err && i < p->reader_count; i++)
        if (is_there(t->node, p->reader[i].member))
            err = add_void(t, a, p, &p->reader[i], token);
    return err;
}

static int read_reader(struct turn *t, struct db_rows *rows, struct queued_parcel *p)
{
    if (db_is_null(rows, 3))
        return COMITY_OK;
    if (p->reader_count == PARCEL_RECIPIENTS_MAX)
        return COMITY_E_LEDGER_DAMAGED;
    struct reader *r = &p->reader[p->reader_count++];
    r->member = arena_copy(t->arena, db_bytes(rows, 3));
    r->first = db_u64(rows, 4);
    r->span = db_u64(rows, 5);
    return r->member.data ? COMITY_OK : COMITY_E_NOMEM;
}

int outbox_plan_refusal(struct turn *t)
{
    const struct answered *a = &t->answers.at[t->answers.count - 1];
    struct queued_parcel p = {0};
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(t->node->store), &rows,
                       "SELECT p.id, p.parcel_seq, p.hash, r.member, r.pair_first, r.span"
                       " FROM parcel_out p LEFT JOIN parcel_out_to r ON r.parcel = p.id"
                       " WHERE p.state = 0 AND p.parcel_seq >= ?1 ORDER BY p.parcel_seq, r.member",
                       DB_U64(a->parcel_seq));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        if (db_u64(rows, 0) != p.id) {
            err = settle(t, a, &p);
            p = (struct queued_parcel){.id = db_u64(rows, 0), .seq = db_u64(rows, 1)};
            struct bytes hash = db_bytes(rows, 2);
            if (!err && hash.len != HASH_LEN)
                err = COMITY_E_LEDGER_DAMAGED;
            if (!err)
                memcpy(p.hash.b, hash.data, HASH_LEN);
        }
        if (!err)
            err = read_reader(t, rows, &p);
    }
    db_done(rows);
    if (!err && got < 0)
        err = got;
    return err ? err : settle(t, a, &p);
}

int outbox_unnumber(struct turn *t)
{
    struct node *n = t->node;
    struct db *db = store_db(n->store);
    if (!t->refused_seq)
        return COMITY_OK;
    int err = db_run(db, "UPDATE parcel_out SET parcel_seq = NULL WHERE parcel_seq > ?1",
                     DB_U64(t->refused_seq));
    for (size_t i = 0; !err && i < t->voided.count; i++) {
        const struct db_value id[] = {DB_U64(t->voided.at[i])};
        uint64_t sealed = 0;
        err = db_get_u64(db, 0, &sealed, "SELECT sealed FROM parcel_out WHERE id = ?1", id, 1);
        if (!err && sealed)
            err = store_free(n->store, sealed);
        if (!err)
            err = db_run(db,
                         "UPDATE parcel_out SET state = 2, token = ?2, sealed = NULL WHERE id = ?1",
                         id[0], DB_STR(comity_err_token(COMITY_E_CLOSED)));
        if (!err)
            err = db_run(db, "UPDATE parcel_out_to SET state = 2, token = ?2 WHERE parcel = ?1",
                         id[0], DB_STR(comity_err_token(COMITY_E_CLOSED)));
        if (!err)
            err = outbox_ask_for_files(n, t->voided.at[i]);
    }
    n->core->last_parcel_seq = t->refused_seq;
    for (struct peer *p = n->core->peers; p; p = p->hh.next) {
        p->sent = p->accepted;
        p->is_dirty = true;
    }
    return err;
}

/* The plan of a head that was built before. */
static int plan_again(struct node *n, struct arena *a, struct bytes head, struct parcel_plan *plan,
                      struct peer **peers)
{
    struct parcel_head h;
    int err = parcel_head_decode(a, head, &h);
    if (err)
        return err;
    uint64_t *index = arena_alloc(a, h.entry_count * sizeof *index);
    uint64_t *enclosed = arena_alloc(a, h.enclosure_count * sizeof *enclosed);
    if (!index || !enclosed)
        return COMITY_E_NOMEM;
    *plan = (struct parcel_plan){.index = index,
                                 .count = h.entry_count,
                                 .recipients = h.recipients,
                                 .recipient_count = h.recipient_count,
                                 .blobs = h.blobs,
                                 .blob_count = h.blob_count,
                                 .enclosures = h.enclosures,
                                 .enclosure_count = h.enclosure_count,
                                 .enclosed_index = enclosed};
    struct entry e;
    for (size_t i = 0; !err && i < h.entry_count; i++) {
        err = entry_decode(a, h.entries[i], &e);
        if (!err)
            index[i] = e.index;
    }
    for (size_t i = 0; !err && i < h.enclosure_count; i++) {
        if (h.enclosures[i].checkpoint.data)
            continue;
        err = entry_decode(a, h.enclosures[i].entry, &e);
        if (!err)
            enclosed[plan->enclosed_count++] = e.index;
    }
    for (size_t i = 0; !err && i < h.recipient_count; i++)
        if (!(peers[i] = outbox_peer(n, h.recipients[i])))
            err = COMITY_E_NOMEM;
    return err;
}

static int rebuild(struct turn *t, struct arena *a, uint64_t id)
{
    struct node *n = t->node;
    struct db *db = store_db(n->store);
    const struct db_value v[] = {DB_U64(id)};
    struct peer *peers[PARCEL_RECIPIENTS_MAX];
    struct parcel_plan plan;
    struct proven proven;
    struct buf head = BUF_INIT;
    uint64_t chunk = 0;
    int err = db_get_u64(db, 0, &chunk, "SELECT head FROM parcel_out WHERE id = ?1", v, 1);
    if (!err)
        err = store_get(n->store, chunk, &head);
    if (!err)
        err = plan_again(n, a, buf_bytes(&head), &plan, peers);
    if (!err)
        err = outbox_prove(t, &plan, peers, &proven);
    if (!err)
        err = store_free(n->store, chunk);
    if (!err)
        err = db_run(
            db,
            "UPDATE parcel_out SET parcel_seq = ?2, hash = ?3, size = ?4, root = ?5, head = ?6"
            " WHERE id = ?1",
            v[0], DB_U64(++n->core->last_parcel_seq), DB_BLOB(hash_bytes(&proven.hash)),
            DB_U64(proven.checkpoint.size), DB_BLOB(hash_bytes(&proven.checkpoint.root)),
            DB_U64(proven.head));
    buf_free(&head);
    return err;
}

int outbox_rebuild(struct turn *t)
{
    enum { REBUILD_MEMORY = 16 * 1024 * 1024 };
    struct arena *a = arena_new(REBUILD_MEMORY);
    int err = a ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < t->rebuild.count; i++) {
        arena_reset(a);
        err = rebuild(t, a, t->rebuild.at[i]);
    }
    arena_free(a);
    log_event(LOG_WARN, "outbox_rebuilt", LOG_U64("parcels", t->rebuild.count), LOG_ERR(err));
    return err;
}
