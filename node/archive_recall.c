/*
 * What the broker still holds of an earlier ledger, parcel by parcel. See archive.h, and
 * PROTOCOL.md, RECALL.
 *
 * A parcel that comes back is verified as any other, under the closing rule, and against the copy
 * where it reaches into that; it is opened with the own wrap. Nothing of it is appended anywhere:
 * the old ledger is closed, and these are its entries as others have them.
 */
#include "archive.h"
#include "base/fault.h"
#include "base/log.h"
#include "core.h"
#include "domain/rules.h"
#include "msg/record.h"
#include "session_parts.h"
#include "wire/parcel.h"

#include <string.h>

static struct archive *next_to_ask(struct node *n)
{
    for (size_t i = 0; i < n->archive_count; i++)
        if (!n->archives[i].is_done)
            return &n->archives[i];
    return NULL;
}

int archive_ask(struct turn *t, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    struct archive *a = next_to_ask(t->node);
    if (!a || s->recalling)
        return COMITY_OK;
    s->recalling = true;
    const struct frame f = {.kind = FRAME_RECALL,
                            .epoch = BYTES(s->epoch, EPOCH_LEN),
                            .u.recall = {.origin = bytes_of(a->origin), .after = a->after}};
    return session_send(out, &f);
}

/* ---- a parcel that came back ---- */

/* The copy's own roots: what comes back must be of the same history. */
static int root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    const struct archive *a = self;
    if (!bytes_is(origin, a->origin) || size > a->size)
        return COMITY_E_NOT_FOUND;
    return ledger_root(a->as_node.ledger, size, ret);
}

/* Where it reaches into the copy, the same entries stand there. */
static int check_overlap(const struct archive *a, const struct parcel_facts *f)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < f->count && f->entries[i].index < a->size; i++) {
        struct hash leaf;
        err = ledger_leaf(a->as_node.ledger, f->entries[i].index, &leaf);
        if (!err && !hash_equal(&leaf, &f->leaves[i]))
            err = COMITY_E_EQUIVOCATION;
    }
    return err;
}

static int open_parcel(struct turn *t, struct recalled *r, const struct parcel_facts *statement,
                       struct bytes parcel)
{
    struct node *n = t->node;
    struct parcel_facts *f = NULL;
    const struct parcel_routing routing = {.broker = statement->from->ledger->origin,
                                           .index = statement->entries[0].index};
    const struct parcel_rules rules = {.roster = n->roster,
                                       .place = PARCEL_FILED,
                                       .sender = bytes_of(n->member),
                                       .routing = &routing,
                                       .root_at = root_at,
                                       .self = r->of,
                                       .notes = &n->core->notes};
    uint64_t seq = 0;
    int err = parcel_verify(t->arena, parcel, &rules, &f);
    if (!err)
        err = bytes_is(f->head.origin, r->of->origin) ? COMITY_OK : COMITY_E_NOT_MEMBER;
    if (!err)
        err = statement_routes(statement, 0, f->head.origin, &f->checkpoint, &f->hash, BYTES_NONE,
                               &seq);
    if (!err)
        err = check_overlap(r->of, f);
    if (err)
        return err;
    if (f->parcel.sealed.data && parcel_unseal(t->arena, f, bytes_of(n->member), n->keys->seal,
                                               n->keys->seal_count, &r->openings))
        log_event(LOG_WARN, "recalled_not_opened", LOG_U64("parcel_seq", r->parcel_seq));
    r->facts = f;
    r->routed = routing.index;
    return COMITY_OK;
}

/* ---- the end ---- */

int archive_missing(struct node *n, const struct archive *of, struct arena *a,
                    struct archive_range **ret, size_t *ret_count)
{
    struct db_rows *rows = NULL;
    const struct db_value v = DB_STR(of->origin);
    uint64_t parcels = 0;
    uint64_t next = of->size;
    size_t count = 0;
    int got = 0;
    int err = db_get_u64(store_db(n->store), 0, &parcels,
                         "SELECT count(*) FROM parcel_back WHERE origin = ?1", &v, 1);
    struct archive_range *all = err ? NULL : arena_alloc_raw(a, (parcels + 1) * sizeof *all);
    if (!err && !all)
        err = COMITY_E_NOMEM;
    if (!err)
        err = db_query(store_db(n->store), &rows,
                       "SELECT first, count FROM parcel_back WHERE origin = ?1 ORDER BY first", v);
    while (!err && count < parcels && (got = db_next(rows)) == DB_ROW) {
        uint64_t first = db_u64(rows, 0);
        uint64_t end = first + db_u64(rows, 1);
        if (first > next && next < of->closed)
            all[count++] = (struct archive_range){next, first - 1};
        next = end > next ? end : next;
    }
    db_done(rows);
    if (err || got < 0)
        return err ? err : got;
    if (next < of->closed)
        all[count++] = (struct archive_range){next, of->closed - 1};
    *ret = all;
    *ret_count = count;
    return COMITY_OK;
}

static void put_range(struct buf *out, const char *between, uint64_t first, uint64_t last)
{
    buf_printf(out, first == last ? "%s%llu" : "%s%llu-%llu", between, (unsigned long long)first,
               (unsigned long long)last);
}

/* What stays missing, in the ledger for ever: a NOTE of ours. */
static int add_note(struct turn *t, const struct archive *a)
{
    enum { RANGES_SHOWN = 64 };
    struct archive_range *range = NULL;
    size_t count = 0;
    struct buf remark = BUF_INIT;
    struct buf body = BUF_INIT;
    int err = archive_missing(t->node, a, t->arena, &range, &count);
    if (err)
        return err;
    buf_printf(&remark, "archive of %s complete; missing entries:", a->origin);
    for (size_t i = 0; i < count && i < RANGES_SHOWN; i++)
        put_range(&remark, i ? ", " : " ", range[i].first, range[i].last);
    buf_put_str(&remark, count == 0 ? " none" : count > RANGES_SHOWN ? ", and more" : "");
    if (a->has_lost && a->lost <= a->lost_to)
        put_range(&remark, "; deliveries that the broker let go: ", a->lost, a->lost_to);
    err = buf_check(&remark);
    if (!err)
        err = body_encode(&(struct body){.remark = buf_bytes(&remark)}, &body);
    struct draft d = {.kind = ENTRY_NOTE};
    if (!err && !(d.body = arena_copy(t->arena, buf_bytes(&body))).data)
        err = COMITY_E_NOMEM;
    if (!err)
        err = turn_add(t, &d);
    if (!err)
        log_event(LOG_INFO, "archive_complete", LOG_STR("origin", a->origin),
                  LOG_STR("note", buf_str(&remark)));
    buf_free(&remark);
    buf_free(&body);
    return err;
}

int archive_take(struct turn *t, const struct frame *f)
{
    struct session *s = &t->node->core->session;
    struct archive *a = archive_of(t->node, f->u.recalled.origin);
    struct parcel_facts *statement = NULL;
    if (!s->recalling || !a || a->is_done || f->u.recalled.parcel_seq < a->after)
        return COMITY_E_INVALID;
    struct recalled r = {.of = a,
                         .parcel_seq = f->u.recalled.parcel_seq,
                         .is_end = !f->u.recalled.parcel.data &&
                                   f->u.recalled.parcel_seq == f->u.recalled.last,
                         .statement = f->u.recalled.statement};
    int err = COMITY_OK;
    if (f->u.recalled.parcel.data) {
        err = session_open_statement(t, f->u.recalled.statement, &statement);
        if (!err && statement->count != 1)
            err = COMITY_E_STATEMENT;
        if (err)
            return err;
        err = open_parcel(t, &r, statement, f->u.recalled.parcel);
        if (err && fault_is_ours(err))
            return err;
        if (err)
            log_event(LOG_WARN, "recalled_refused", LOG_STR("origin", a->origin),
                      LOG_U64("parcel_seq", r.parcel_seq), LOG_ERR(err));
        err = COMITY_OK;
    } else if (!r.is_end && f->u.recalled.parcel_seq == a->after) {
        return COMITY_E_INVALID; /* it would be asked for for ever */
    }
    if (r.is_end)
        err = add_note(t, a);
    if (!err)
        err = LIST_ADD(t->recalled, r);
    if (!err) {
        a->after = r.parcel_seq;
        a->is_done = r.is_end;
        s->recalling = false;
    }
    return err;
}

int archive_note_lost(struct turn *t, uint64_t first)
{
    struct node *n = t->node;
    if (n->archive_count == 0)
        return COMITY_E_PARCEL_SEQ;
    struct archive *a = &n->archives[n->archive_count - 1];
    if (a->has_lost)
        return COMITY_E_PARCEL_SEQ;
    log_event(LOG_WARN, "deliveries_lost", LOG_U64("first", n->core->cursor[CURSOR_TAKEN] + 1),
              LOG_U64("last", first - 1));
    a->has_lost = true;
    a->lost = n->core->cursor[CURSOR_TAKEN] + 1;
    a->lost_to = first - 1;
    core_set_cursor(n, CURSOR_TAKEN, first - 1);
    struct recalled r = {.of = a, .parcel_seq = a->after};
    return LIST_ADD(t->recalled, r);
}

/* ---- the transaction ---- */

static int write_row(struct node *n, const struct recalled *r)
{
    const struct parcel_facts *f = r->facts;
    struct db *db = store_db(n->store);
    uint64_t head = 0;
    uint64_t statement = 0;
    int err = store_put(n->store, f->parcel.head, &head);
    if (!err)
        err = store_put(n->store, r->statement, &statement);
    return err ? err
               : db_run(
                     db,
                     "INSERT INTO parcel_back(origin, parcel_seq, hash, first, count, size, root,"
                     " head, statement, routed) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                     DB_STR(r->of->origin), DB_U64(r->parcel_seq), DB_BLOB(hash_bytes(&f->hash)),
                     DB_U64(f->count ? f->entries[0].index : f->checkpoint.size), DB_U64(f->count),
                     DB_U64(f->checkpoint.size), DB_BLOB(hash_bytes(&f->checkpoint.root)),
                     DB_U64(head), DB_U64(statement), DB_U64(r->routed));
}

/* Files of own evidence that are not here any more: whoever uploaded them may fetch them. */
static int want_files(struct turn *t, const struct archive *a, const struct entry *e,
                      struct bytes body)
{
    struct node *n = t->node;
    struct body b;
    struct record rec;
    int err = COMITY_OK;
    if (e->kind != ENTRY_RECORD || !body.len || body_decode(t->arena, body, &b) || !b.record.len ||
        record_decode(t->arena, b.record, &rec) || rec.kind != RECORD_EVIDENCE)
        return COMITY_OK;
    for (size_t i = 0; !err && i < rec.u.evidence.file_count; i++) {
        const struct record_file *f = &rec.u.evidence.files[i];
        if (f->len > RECORD_FILE_LEN_MAX)
            continue;
        err = db_run(
            store_db(n->store),
            "INSERT OR IGNORE INTO attachment_in(blob, origin, idx, sender, len, sha256, sm3,"
            " secret, name, mime, state) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,1)",
            DB_BLOB(f->blob), DB_STR(a->origin), DB_U64(e->index), DB_STR(n->member),
            DB_U64(f->len), DB_BLOB(f->sha256), DB_BLOB(f->sm3), DB_BLOB(f->secret),
            DB_TEXT(f->name), f->mime.len ? DB_TEXT(f->mime) : DB_NULL);
    }
    return err;
}

static int show(struct turn *t, const struct recalled *r, const struct entry *e,
                const struct hash *leaf, const struct opening *o)
{
    struct view_item item = {.from = VIEW_ARCHIVED,
                             .origin = bytes_of(r->of->origin),
                             .index = e->index,
                             .leaf = *leaf,
                             .entry = e,
                             .time_ms = (int64_t)e->time_ms,
                             .received = r->of->base + e->index};
    if (o) {
        item.salt = o->salt;
        item.body = o->body;
    }
    int err = view_apply(t->node, &item);
    if (!err && e->index >= r->of->size)
        err = want_files(t, r->of, e, item.body);
    return err;
}

static const struct opening *opening_at(const struct recalled *r, size_t i)
{
    return i < r->openings.count ? &r->openings.opening[i] : NULL;
}

/* What it encloses of the old ledger itself (officers' keys), then its entries. */
static int write_entries(struct turn *t, const struct recalled *r)
{
    struct node *n = t->node;
    const struct parcel_facts *f = r->facts;
    struct bytes origin = bytes_of(r->of->origin);
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < f->enclosure_count; i++) {
        const struct parcel_enclosed *e = &f->enclosures[i];
        const struct opening *o = opening_at(r, f->count + i);
        if (!e->is_own || e->entry.index < r->of->size)
            continue;
        if (o && o->salt.len)
            err = ledger_openings_put(n->ledger, origin, e->entry.index,
                                      &(struct openings){.opening = o, .count = 1});
        if (!err)
            err = show(t, r, &e->entry, &e->leaf, o);
    }
    if (!err && f->count && r->openings.count >= f->count)
        err = ledger_openings_put(
            n->ledger, origin, f->entries[0].index,
            &(struct openings){.opening = r->openings.opening, .count = f->count});
    for (size_t i = 0; !err && i < f->count; i++)
        err = show(t, r, &f->entries[i], &f->leaves[i], opening_at(r, i));
    return err;
}

static int write_state(struct node *n, const struct archive *a)
{
    return db_run(store_db(n->store),
                  "UPDATE archive SET after = ?2, done = ?3, lost = ?4, lost_to = ?5"
                  " WHERE number = ?1",
                  DB_U64(a->number), DB_U64(a->after), DB_U64(a->is_done),
                  a->has_lost ? DB_U64(a->lost) : DB_NULL,
                  a->has_lost ? DB_U64(a->lost_to) : DB_NULL);
}

int archive_write(struct turn *t)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->recalled.count; i++) {
        const struct recalled *r = &t->recalled.at[i];
        if (r->facts)
            err = write_row(t->node, r);
        if (!err && r->facts)
            err = write_entries(t, r);
        if (!err)
            err = write_state(t->node, r->of);
    }
    return err;
}

/* ---- status ---- */

json_t *archive_status(struct node *n, struct arena *a)
{
    struct value list = value_array();
    if (n->archive_count == 0) {
        json_decref(list.json);
        return NULL;
    }
    for (size_t i = 0; i < n->archive_count; i++) {
        const struct archive *of = &n->archives[i];
        struct archive_range *range = NULL;
        size_t count = 0;
        struct value v = value_object();
        struct value missing = value_array();
        value_set(&v, "origin", json_string(of->origin));
        value_set(&v, "size", value_u64(of->size));
        value_set(&v, "closed", value_u64(of->closed));
        value_set(&v, "complete", json_boolean(of->is_done));
        if (archive_missing(n, of, a, &range, &count))
            count = 0;
        for (size_t k = 0; k < count; k++) {
            struct value r = value_object();
            value_set(&r, "first", value_u64(range[k].first));
            value_set(&r, "last", value_u64(range[k].last));
            value_add(&missing, r.json);
        }
        value_set(&v, "missing", missing.json);
        if (of->has_lost) {
            struct value r = value_object();
            value_set(&r, "first", value_u64(of->lost));
            value_set(&r, "last", value_u64(of->lost_to));
            value_set(&v, "deliveries_lost", r.json);
        }
        value_add(&list, v.json);
    }
    return list.json;
}
