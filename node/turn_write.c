/*
 * A turn's transaction: append, sign, prove, queue, write down, commit. The order is PROTOCOL.md's:
 * seal first, then append what commits to the sealed part, then sign, then prove.
 */
#include "core.h"
#include "inbox.h"
#include "outbox.h"

#include <comity/err.h>
#include <string.h>

/* ---- appending ---- */

/* Random bytes come in lots: a call for each salt costs more than the salt. */
static int choose_salt(struct turn *t, struct slot *s)
{
    enum { LOT = 128 };
    if (!s->d.body.data || s->d.salt.len)
        return COMITY_OK;
    if (t->salts_left == 0) {
        t->salts = arena_alloc_raw(t->arena, LOT * SALT_LEN);
        if (!t->salts)
            return COMITY_E_NOMEM;
        random_bytes(t->salts, LOT * SALT_LEN);
        t->salts_left = LOT;
    }
    s->d.salt = BYTES(t->salts + --t->salts_left * SALT_LEN, SALT_LEN);
    return COMITY_OK;
}

static int append(struct turn *t, struct slot *s, struct entry *e)
{
    struct node *n = t->node;
    struct hash *body_hash = NULL;
    e->time_ms = (uint64_t)t->now_ms;
    e->kind = s->d.kind;
    e->roster = s->class == SLOT_ROSTER ? roster_number(t->roster)
                : n->roster             ? roster_number(n->roster)
                                        : 0;
    e->has_source = s->d.has_source;
    e->source = s->d.source;
    e->ref = s->d.ref;
    if (s->d.body.data) {
        if (!(body_hash = arena_alloc_raw(t->arena, sizeof *body_hash)))
            return COMITY_E_NOMEM;
        ledger_body_hash(ledger_suite(n->ledger), bytes_of(ledger_origin(n->ledger)), s->d.salt,
                         s->d.body, body_hash);
        e->body_hash = hash_bytes(body_hash);
    }
    int err = ledger_append(n->ledger, e, &s->d.leaf);
    if (err)
        return err;
    s->d.index = e->index;
    e->prev = arena_copy(t->arena, e->prev);
    s->entry = *e;
    return e->prev.data ? COMITY_OK : COMITY_E_NOMEM;
}

/* Entries that stay here, up to (or from) those that travel; their openings in runs. */
static int append_local(struct turn *t, bool roster)
{
    struct opening *run = arena_alloc_raw(t->arena, t->order.count * sizeof *run);
    uint64_t first = 0;
    size_t count = 0;
    int err = run ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i <= t->order.count; i++) {
        struct slot *s = i < t->order.count ? t->order.at[i] : NULL;
        bool is_ours = s && (roster ? s->class == SLOT_ROSTER : s->class <= SLOT_LOCAL);
        bool has_body = is_ours && s->d.body.data;
        if (count && (!has_body || count == OPENING_RUN_MAX)) {
            const struct openings o = {.opening = run, .count = count};
            err = ledger_openings_put(t->node->ledger, bytes_of(ledger_origin(t->node->ledger)),
                                      first, &o);
            count = 0;
        }
        if (err || !is_ours)
            continue;
        struct entry e = {0};
        err = choose_salt(t, s);
        if (!err)
            err = append(t, s, &e);
        if (!err && has_body) {
            if (count == 0)
                first = s->d.index;
            run[count++] = (struct opening){.salt = s->d.salt, .body = s->d.body};
        }
    }
    return err;
}

/* ---- parcels ---- */

static size_t fill_openings(const struct planned *p, struct opening *o)
{
    size_t n = 0;
    for (size_t i = 0; i < p->count; i++) {
        const struct draft *d = &p->slot[i]->d;
        o[n++] =
            d->body.data ? (struct opening){.salt = d->salt, .body = d->body} : (struct opening){0};
    }
    for (size_t i = 0; i < p->own_count; i++)
        o[n++] = p->own[i]->opening;
    for (size_t i = 0; i < p->foreign_count; i++)
        o[n++] = *p->foreign_opening[i];
    return n;
}

static bool is_anything_opened(const struct opening *o, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (o[i].salt.len)
            return true;
    return false;
}

static const uint8_t *seal_key_of(const struct roster_member *m)
{
    return m->seal_count ? m->seal[m->seal_count - 1].data : NULL;
}

static int seal_for(struct turn *t, struct planned *p, struct bytes openings)
{
    struct node *n = t->node;
    struct parcel_reader reader[PARCEL_RECIPIENTS_MAX];
    const struct draft *d = &p->slot[0]->d;
    for (size_t i = 0; i < d->to_count; i++) {
        const struct roster_member *m = roster_member_of(n->roster, d->to[i]);
        if (!m || !seal_key_of(m))
            return COMITY_E_UNKNOWN_MEMBER;
        reader[i] = (struct parcel_reader){.member = d->to[i], .pub = seal_key_of(m)};
    }
    const struct parcel_seal_input in = {
        .suite = ledger_suite(n->ledger),
        .origin = bytes_of(ledger_origin(n->ledger)),
        .recipients = reader,
        .recipient_count = d->to_count,
        .sender = {.member = bytes_of(n->member), .pub = n->keys->seal_public},
        .openings = openings,
        .blobs = p->blobs,
        .blob_count = p->blob_count};
    int err = parcel_seal(&in, &p->sealed);
    p->is_sealed = !err;
    return err;
}

/* Seal what there is to seal, and keep the openings of the parcel's own entries. ${ret_run}: those
 * of the entries. */
static int seal_parcel(struct turn *t, struct planned *p, struct openings *ret_run)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < p->count; i++)
        err = choose_salt(t, p->slot[i]);
    size_t n = p->count + p->own_count + p->foreign_count;
    struct opening *o = arena_alloc_raw(t->arena, n * sizeof *o);
    if (err || !o)
        return err ? err : COMITY_E_NOMEM;
    fill_openings(p, o);
    *ret_run =
        (struct openings){.opening = o, .count = is_anything_opened(o, p->count) ? p->count : 0};
    if (!is_anything_opened(o, n) && p->blob_count == 0)
        return COMITY_OK;
    struct buf encoded = BUF_INIT;
    err = openings_encode(&(struct openings){.opening = o, .count = n}, &encoded);
    if (!err)
        err = seal_for(t, p, buf_bytes(&encoded));
    buf_wipe(&encoded);
    return err;
}

/* The next numbers of each recipient; void ones are taken again. */
static int number_parcel(struct turn *t, struct planned *p)
{
    const struct slot *s = p->slot[0];
    for (size_t i = 0; i < s->d.to_count; i++) {
        p->peer[i] = outbox_peer(t->node, s->d.to[i]);
        if (!p->peer[i])
            return COMITY_E_NOMEM;
        p->pair_first[i] = s->class == SLOT_VOID ? s->void_first : p->peer[i]->next;
    }
    return COMITY_OK;
}

static int append_parcel(struct turn *t, struct planned *p)
{
    struct openings run = {0};
    int err = seal_parcel(t, p, &run);
    if (!err)
        err = number_parcel(t, p);
    size_t to_count = p->slot[0]->d.to_count;
    struct entry_to *to = arena_alloc_raw(t->arena, p->count * to_count * sizeof *to);
    if (!err && !to)
        err = COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < p->count; i++) {
        struct slot *s = p->slot[i];
        struct entry e = {.to = to + i * to_count, .to_count = to_count};
        if (p->is_sealed)
            e.seal = hash_bytes(&p->sealed.seal);
        for (size_t k = 0; k < to_count; k++) {
            uint64_t number = s->class == SLOT_VOID ? s->void_first : p->peer[k]->next++;
            to[i * to_count + k] = (struct entry_to){.member = s->d.to[k], .pair_seq = number};
            p->peer[k]->is_dirty = true;
        }
        err = append(t, s, &e);
    }
    if (!err && run.count)
        err = ledger_openings_put(t->node->ledger, bytes_of(ledger_origin(t->node->ledger)),
                                  p->slot[0]->d.index, &run);
    return err;
}

static int queue_parcels(struct turn *t)
{
    size_t i = 0;
    int err = COMITY_OK;
    for (; !err && i < t->planned.count && t->planned.at[i].slot[0]->class == SLOT_VOID; i++)
        err = outbox_queue(t, &t->planned.at[i]);
    if (!err && t->rebuild.count)
        err = outbox_rebuild(t);
    for (; !err && i < t->planned.count; i++)
        err = outbox_queue(t, &t->planned.at[i]);
    if (!err && t->publish && t->planned.count == 0)
        err = outbox_queue_checkpoint(t);
    return err;
}

/* ---- projections ---- */

static int show(struct turn *t)
{
    struct node *n = t->node;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->order.count; i++) {
        const struct slot *s = t->order.at[i];
        const struct view_item item = {.from = VIEW_OWN,
                                       .origin = bytes_of(ledger_origin(n->ledger)),
                                       .index = s->d.index,
                                       .leaf = s->d.leaf,
                                       .entry = &s->entry,
                                       .salt = s->d.body.data ? s->d.salt : BYTES_NONE,
                                       .body = s->d.body,
                                       .time_ms = t->now_ms};
        err = view_apply(n, &item);
        if (!err && s->delivery != SLOT_NONE)
            err = inbox_show(t, &t->deliveries.at[s->delivery]);
    }
    return err ? err : view_flush(n);
}

static int write_roster(struct turn *t)
{
    for (size_t i = 0; t->roster && i < t->order.count; i++)
        if (t->order.at[i]->class == SLOT_ROSTER)
            return core_write_roster(t->node, t->roster, t->order.at[i]->d.index);
    return COMITY_OK;
}

int turn_write(struct turn *t)
{
    static int (*const after_signing[])(struct turn *) = {
        outbox_write_answers, outbox_write_receipts, outbox_unnumber, queue_parcels, inbox_write,
        inbox_write_finished, write_roster,          archive_write,   show};
    struct node *n = t->node;
    int err = ledger_begin(n->ledger);
    if (err)
        return err;
    err = append_local(t, false);
    for (size_t i = 0; !err && i < t->planned.count; i++)
        err = append_parcel(t, &t->planned.at[i]);
    if (!err)
        err = append_local(t, true);
    if (!err)
        err = ledger_sign(n->ledger);
    for (size_t i = 0; !err && i < sizeof after_signing / sizeof after_signing[0]; i++)
        err = after_signing[i](t);
    if (!err)
        err = outbox_write_peers(n);
    if (!err)
        err = core_write_cursors(n);
    if (err) {
        ledger_abort(n->ledger);
        return err;
    }
    err = ledger_commit(n->ledger);
    return err && err != COMITY_E_DISK_FULL ? COMITY_E_IO : err;
}
