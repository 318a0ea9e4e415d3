/*
 * The outbox: queueing what a turn has built, and what the broker and the recipients say of it.
 * Refusals are outbox_refuse.c's.
 */
#include "outbox.h"

#include "base/log.h"
#include "core.h"
#include "outbox_parts.h"

#include <stdlib.h>
#include <string.h>

/* ---- members ---- */

struct peer *outbox_peer(struct node *n, struct bytes member)
{
    struct peer *p = NULL;
    if (member.len > MEMBER_ID_MAX)
        return NULL;
    HASH_FIND(hh, n->core->peers, member.data, member.len, p);
    if (p)
        return p;
    p = calloc(1, sizeof *p);
    if (!p)
        return NULL;
    memcpy(p->member, member.data, member.len);
    p->next = 1;
    HASH_ADD_KEYPTR(hh, n->core->peers, p->member, member.len, p);
    return p;
}

void outbox_unload(struct node *n)
{
    struct peer *p = NULL;
    struct peer *next = NULL;
    HASH_ITER(hh, n->core->peers, p, next)
    {
        HASH_DEL(n->core->peers, p);
        free(p);
    }
}

int outbox_load(struct node *n)
{
    struct db *db = store_db(n->store);
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(db, &rows, "SELECT member, next, sent, accepted, ask FROM pair_out WHERE ?1",
                       DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct peer *p = outbox_peer(n, db_bytes(rows, 0));
        if (!p) {
            err = COMITY_E_NOMEM;
            break;
        }
        p->next = db_u64(rows, 1);
        p->sent = db_u64(rows, 2);
        p->accepted = db_u64(rows, 3);
        p->ask = db_u64(rows, 4);
    }
    db_done(rows);
    if (!err && got < 0)
        err = got;
    if (!err)
        err = db_get_u64(db, 0, &n->core->last_parcel_seq, "SELECT max(parcel_seq) FROM parcel_out",
                         NULL, 0);
    if (!err)
        err = db_get_u64(db, 0, &n->core->uploads_waiting,
                         "SELECT count(*) FROM attachment_out WHERE state = 0", NULL, 0);
    return err;
}

int outbox_write_peers(struct node *n)
{
    int err = COMITY_OK;
    for (struct peer *p = n->core->peers; p && !err; p = p->hh.next) {
        if (!p->is_dirty)
            continue;
        err = db_run(
            store_db(n->store),
            "INSERT INTO pair_out(member, next, sent, accepted, ask) VALUES(?1,?2,?3,?4,?5)"
            " ON CONFLICT(member) DO UPDATE SET next = ?2, sent = ?3, accepted = ?4, ask = ?5",
            DB_STR(p->member), DB_U64(p->next), DB_U64(p->sent), DB_U64(p->accepted),
            DB_U64(p->ask));
        p->is_dirty = false;
    }
    return err;
}

/* ---- queueing ---- */

static int compare_since(const void *x, const void *y)
{
    const struct parcel_since *a = x;
    const struct parcel_since *b = y;
    int order = bytes_compare(a->member, b->member);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* The cuts for one member: the size last sent, and the one that it asked for. */
static size_t put_since(struct peer *p, uint64_t size, struct parcel_since *at)
{
    size_t n = 0;
    struct bytes member = bytes_of(p->member);
    if (p->sent && p->sent <= size)
        at[n++] = (struct parcel_since){.member = member, .size = p->sent};
    if (p->ask && p->ask != p->sent && p->ask <= size)
        at[n++] = (struct parcel_since){.member = member, .size = p->ask};
    p->ask = 0;
    p->sent = size;
    p->is_dirty = true;
    return n;
}

int outbox_prove(struct turn *t, struct parcel_plan *plan, struct peer *const *peers,
                 struct proven *ret)
{
    struct node *n = t->node;
    struct parcel_since since[PARCEL_SINCE_MAX];
    struct bytes note;
    const struct roster_member *broker = core_broker(n);
    int err = ledger_checkpoint(n->ledger, &ret->checkpoint, &note);
    if (err)
        return err;
    struct peer *b = broker ? outbox_peer(n, broker->id) : NULL;
    if (broker && !b)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < plan->recipient_count; i++)
        plan->since_count += put_since(peers[i], ret->checkpoint.size, since + plan->since_count);
    if (b)
        plan->since_count += put_since(b, ret->checkpoint.size, since + plan->since_count);
    qsort(since, plan->since_count, sizeof since[0], compare_since);
    plan->since = since;
    struct buf head = BUF_INIT;
    err = parcel_build(n->ledger, plan, &head);
    if (!err) {
        parcel_hash(ledger_suite(n->ledger), buf_bytes(&head), &ret->hash);
        err = store_put(n->store, buf_bytes(&head), &ret->head);
    }
    plan->since = NULL;
    buf_free(&head);
    core_set_cursor(n, CURSOR_PUBLISHED_MS, (uint64_t)t->now_ms);
    return err;
}

/* The row of a parcel, whose head is stored. */
static int insert(struct turn *t, const struct planned *p, const struct proven *proven,
                  uint64_t *ret_id)
{
    struct node *n = t->node;
    struct db *db = store_db(n->store);
    struct db_value sealed = DB_NULL;
    struct db_value wraps = DB_NULL;
    if (p && p->is_sealed) {
        uint64_t id = 0;
        int err = store_put(n->store, buf_bytes(&p->sealed.sealed), &id);
        if (err)
            return err;
        sealed = DB_U64(id);
        wraps = DB_BLOB(buf_bytes(&p->sealed.wraps));
    }
    int err =
        db_run(db,
               "INSERT INTO parcel_out(parcel_seq, hash, first, count, size, root, head, sealed,"
               " wraps, state) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,0)",
               DB_U64(++n->core->last_parcel_seq), DB_BLOB(hash_bytes(&proven->hash)),
               DB_U64(p ? p->slot[0]->d.index : proven->checkpoint.size), DB_U64(p ? p->count : 0),
               DB_U64(proven->checkpoint.size), DB_BLOB(hash_bytes(&proven->checkpoint.root)),
               DB_U64(proven->head), sealed, wraps);
    return err ? err : db_get_u64(db, 0, ret_id, "SELECT last_insert_rowid()", NULL, 0);
}

static int insert_recipients(struct turn *t, const struct planned *p, uint64_t id)
{
    const struct slot *s = p->slot[0];
    uint64_t span = s->class == SLOT_VOID ? s->span : p->count;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < s->d.to_count; i++)
        err = db_run(store_db(t->node->store),
                     "INSERT INTO parcel_out_to(parcel, member, pair_first, span, state)"
                     " VALUES(?1,?2,?3,?4,0)",
                     DB_U64(id), DB_TEXT(s->d.to[i]), DB_U64(p->pair_first[i]), DB_U64(span));
    return err;
}

static int insert_attachments(struct turn *t, const struct planned *p, uint64_t id)
{
    struct node *n = t->node;
    struct db *db = store_db(n->store);
    const struct draft *d = &p->slot[0]->d;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < p->blob_count; i++) {
        struct bytes blob = BYTES(p->blobs[i].data, HASH_LEN);
        /* A blob whose upload is over may have been freed at the broker: a new parcel begins it
         * anew. */
        err = db_run(db,
                     "INSERT INTO attachment_out(blob, len, state) VALUES(?1, ?2, 0)"
                     " ON CONFLICT(blob) DO UPDATE SET state = 0, token = NULL WHERE state <> 0",
                     DB_BLOB(blob), DB_U64(get_u64be(p->blobs[i].data + HASH_LEN)));
        if (!err)
            n->core->uploads_waiting += db_changes(db);
        for (size_t k = 0; !err && k < d->to_count; k++)
            err = db_run(db,
                         "INSERT INTO attachment_out_to(blob, member, parcel) VALUES(?1, ?2, ?3)"
                         " ON CONFLICT(blob, member) DO UPDATE SET parcel = ?3",
                         DB_BLOB(blob), DB_TEXT(d->to[k]), DB_U64(id));
    }
    return err;
}

/* The enclosures as the head wants them: own ones first. */
static int plan_enclosures(struct turn *t, const struct planned *p, struct parcel_plan *plan)
{
    size_t n = p->own_count + p->foreign_count;
    struct parcel_enclosure *e = arena_alloc(t->arena, n * sizeof *e);
    uint64_t *index = arena_alloc(t->arena, p->own_count * sizeof *index);
    if (!e || !index)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < p->own_count; i++) {
        e[i] = (struct parcel_enclosure){.entry = p->own[i]->entry};
        index[i] = p->own[i]->index;
    }
    for (size_t i = 0; i < p->foreign_count; i++)
        e[p->own_count + i] = *p->foreign[i];
    plan->enclosures = e;
    plan->enclosure_count = n;
    plan->enclosed_index = index;
    plan->enclosed_count = p->own_count;
    return COMITY_OK;
}

int outbox_queue(struct turn *t, struct planned *p)
{
    const struct draft *d = &p->slot[0]->d;
    struct proven proven;
    uint64_t id = 0;
    uint64_t *index = arena_alloc_raw(t->arena, p->count * sizeof *index);
    if (!index)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < p->count; i++)
        index[i] = p->slot[i]->d.index;
    struct parcel_plan plan = {.index = index,
                               .count = p->count,
                               .recipients = d->to,
                               .recipient_count = d->to_count,
                               .blobs = p->blobs,
                               .blob_count = p->blob_count};
    int err = plan_enclosures(t, p, &plan);
    if (!err)
        err = outbox_prove(t, &plan, p->peer, &proven);
    if (!err)
        err = insert(t, p, &proven, &id);
    if (!err)
        err = insert_recipients(t, p, id);
    if (!err && p->blob_count)
        err = insert_attachments(t, p, id);
    return err;
}

int outbox_queue_checkpoint(struct turn *t)
{
    struct parcel_plan plan = {0};
    struct proven proven;
    uint64_t id = 0;
    int err = outbox_prove(t, &plan, NULL, &proven);
    return err ? err : insert(t, NULL, &proven, &id);
}

/* ---- submitting ---- */

int outbox_put_submit(struct node *n, uint64_t parcel_seq, struct bytes epoch, struct buf *out)
{
    struct db_rows *rows = NULL;
    struct buf head = BUF_INIT;
    struct buf sealed = BUF_INIT;
    struct buf bytes = BUF_INIT;
    struct bytes wrap[PARCEL_RECIPIENTS_MAX + 1];
    int err =
        db_query(store_db(n->store), &rows,
                 "SELECT head, sealed, wraps FROM parcel_out WHERE parcel_seq = ?1 AND state = 0",
                 DB_U64(parcel_seq));
    if (err)
        return err;
    int got = db_next(rows);
    err = got == DB_ROW ? COMITY_OK : got < 0 ? got : COMITY_E_NOT_FOUND;
    if (!err)
        err = store_get(n->store, db_u64(rows, 0), &head);
    if (!err && !db_is_null(rows, 1))
        err = store_get(n->store, db_u64(rows, 1), &sealed);
    if (!err) {
        struct bytes wraps = db_bytes(rows, 2);
        struct parcel p = {.head = buf_bytes(&head), .wraps = wrap};
        if (sealed.len)
            p.sealed = buf_bytes(&sealed);
        while (p.wrap_count < sizeof wrap / sizeof wrap[0] &&
               (p.wrap_count + 1) * PARCEL_WRAP_LEN <= wraps.len) {
            wrap[p.wrap_count] =
                BYTES(wraps.data + p.wrap_count * PARCEL_WRAP_LEN, PARCEL_WRAP_LEN);
            p.wrap_count++;
        }
        err = parcel_encode(&p, &bytes);
    }
    db_done(rows);
    if (!err) {
        const struct frame f = {
            .kind = FRAME_SUBMIT,
            .epoch = epoch,
            .u.submit = {.parcel_seq = parcel_seq, .parcel = buf_bytes(&bytes)}};
        err = frame_encode(&f, out);
    }
    buf_free(&head);
    buf_free(&sealed);
    buf_free(&bytes);
    return err;
}
