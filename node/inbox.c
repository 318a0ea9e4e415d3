/*
 * Deliveries, from the frame to the draft that says what became of them. See PROTOCOL.md, DELIVER,
 * Refusals and pair_seq. What is written about them is inbox_write.c's.
 *
 * Whose fault it is decides what happens. What the broker asserts (its statement, and that this is
 * the parcel that it routed) must hold, or the session ends and nothing is taken. What the sender
 * asserts must hold, or he is told so, and the queue moves on.
 */
#include "inbox.h"

#include "base/fault.h"
#include "base/log.h"
#include "core.h"
#include "inbox_parts.h"

#include <string.h>

/* ---- what is known of other ledgers ---- */

static int root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    struct node *n = self;
    const struct source *s = inbox_find_source(n, origin);
    if (!s)
        return COMITY_E_NOT_FOUND;
    if (s->size == size) {
        *ret = s->root;
        return COMITY_OK;
    }
    struct db_rows *rows = NULL;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT root FROM peer_root WHERE origin = ?1 AND size = ?2",
                       DB_TEXT(origin), DB_U64(size));
    if (err)
        return err;
    int got = db_next(rows);
    struct bytes root = got == DB_ROW ? db_bytes(rows, 0) : BYTES_NONE;
    err = got < 0 ? got : root.len == HASH_LEN ? COMITY_OK : COMITY_E_NOT_FOUND;
    if (!err)
        memcpy(ret->b, root.data, HASH_LEN);
    db_done(rows);
    return err;
}

static int knows(void *self, struct bytes origin)
{
    const struct source *s = inbox_find_source(self, origin);
    return s && s->size > 0;
}

/* ---- drafts ---- */

static bool can_be_told(const struct node *n, const struct delivery *d)
{
    return d->sender.data && core_recipient(n, d->sender) == COMITY_OK;
}

/* The entry about a delivery: back to its sender, or here alone. */
static int add_draft(struct turn *t, struct delivery *d, uint32_t kind, struct bytes ref,
                     bool answer)
{
    const struct parcel_claims *c = &d->claims;
    struct bytes *to = arena_alloc(t->arena, sizeof *to);
    struct draft draft = {.kind = kind,
                          .has_source = true,
                          .source = {.origin = c->origin,
                                     .has_index = c->has_index,
                                     .index = c->index,
                                     .has_size = true,
                                     .size = c->size,
                                     .root = arena_copy(t->arena, hash_bytes(&c->root))},
                          .ref = arena_copy(t->arena, ref),
                          .to = to};
    if (!to || !draft.ref.data || !draft.source.root.data)
        return COMITY_E_NOMEM;
    if (answer && can_be_told(t->node, d)) {
        *to = d->sender;
        draft.to_count = 1;
    }
    int err = turn_add_slot(t, &draft, draft.to_count ? SLOT_RECEIPT : SLOT_LOCAL, &d->slot);
    if (!err)
        t->slots.at[d->slot].delivery = t->deliveries.count;
    return err;
}

/* RECEIVED to the sender, or RECEIPT. */
static int add_received(struct turn *t, struct delivery *d, uint64_t known_size)
{
    struct buf ref = BUF_INIT;
    bool is_receipt = d->facts->is_receipt;
    ref_received_put(&ref, &(struct ref_received){.parcel = d->claims.hash,
                                                  .count = d->claims.count,
                                                  .known_size = known_size});
    int err = buf_check(&ref);
    if (!err)
        err = add_draft(t, d, is_receipt ? ENTRY_RECEIPT : ENTRY_RECEIVED, buf_bytes(&ref),
                        !is_receipt);
    buf_free(&ref);
    return err;
}

/*
 * It cannot be taken: REFUSED says why. A receipt is never answered, so a refusal of one stays
 * here, lest two members refuse each other's refusals for ever.
 */
static int add_refused(struct turn *t, struct delivery *d, int why, bool is_receipt)
{
    struct buf ref = BUF_INIT;
    d->token = comity_err_token(why);
    log_event(LOG_WARN, "delivery_refused", LOG_BYTES("origin", d->claims.origin), LOG_ERR(why),
              LOG_U64("delivery_seq", d->seq), LOG_HEX("parcel", hash_bytes(&d->claims.hash)));
    ref_refused_put(&ref, &(struct ref_refused){.parcel = d->claims.hash,
                                                .count = d->claims.count,
                                                .token = bytes_of(d->token)});
    int err = buf_check(&ref);
    if (!err)
        err = add_draft(t, d, ENTRY_REFUSED, buf_bytes(&ref), !is_receipt);
    buf_free(&ref);
    return err;
}

/* ---- what did not verify ---- */

/* As parcel_facts.is_receipt, of a head that is only claimed; true when nobody can tell. */
static bool claims_receipt(struct turn *t, struct bytes head)
{
    struct parcel_head h;
    struct entry e;
    if (parcel_head_decode(t->arena, head, &h))
        return true;
    for (size_t i = 0; i < h.entry_count; i++) {
        if (entry_decode(t->arena, h.entries[i], &e))
            return true;
        if (e.kind != ENTRY_RECEIVED && e.kind != ENTRY_REFUSED && e.kind != ENTRY_FILE)
            return false;
    }
    return true;
}

/* ${routed}: the broker's entry. It must at least be the parcel that was routed. */
static int take_unverified(struct turn *t, struct delivery *d, const struct entry *routed,
                           struct bytes parcel, int why)
{
    struct parcel p;
    struct ref_routed ref;
    const struct roster_origin *from = roster_origin_of(t->node->roster, routed->source.origin);
    const struct suite *suite = from ? from->suite : ledger_suite(t->node->ledger);
    int err = ref_routed_parse(routed->ref, &ref);
    if (!err)
        err = parcel_decode(t->arena, parcel, &p);
    if (err)
        return err == COMITY_E_NOMEM ? err : COMITY_E_STATEMENT;
    struct hash hash;
    parcel_hash(suite, p.head, &hash);
    if (!hash_equal(&hash, &ref.parcel))
        return COMITY_E_STATEMENT;
    d->head = p.head;
    err = parcel_read_claims(t->arena, parcel, suite, &d->claims);
    if (err == COMITY_E_NOMEM)
        return err;
    if (err)
        d->claims = (struct parcel_claims){.hash = hash};
    /* Whose it is, and at what size, is what the broker has signed. */
    d->claims.origin = routed->source.origin;
    d->claims.size = routed->source.size;
    memcpy(d->claims.root.b, routed->source.root.data, HASH_LEN);
    d->sender = from ? from->member->id : BYTES_NONE;
    return add_refused(t, d, why, claims_receipt(t, p.head));
}

/* ---- what did ---- */

/* Note what the entries of a receipt say. One that says nothing we understand is logged all the
 * same. */
static int read_receipts(struct turn *t, const struct delivery *d)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < d->facts->count; i++) {
        const struct entry *e = &d->facts->entries[i];
        struct receipt r = {.member = d->sender, .slot = d->slot};
        struct ref_received received;
        struct ref_refused refused;
        if (e->kind == ENTRY_FILE && e->ref.len == HASH_LEN) {
            r.is_file = true;
            memcpy(r.name.b, e->ref.data, HASH_LEN);
        } else if (e->kind == ENTRY_RECEIVED && ref_received_parse(e->ref, &received) == 0) {
            r.name = received.parcel;
            r.known_size = received.known_size;
        } else if (e->kind == ENTRY_REFUSED && !pair_is_void(e) &&
                   ref_refused_parse(e->ref, &refused) == 0) {
            r.name = refused.parcel;
            r.token = arena_strdup(t->arena, refused.token);
            if (!r.token)
                return COMITY_E_NOMEM;
        } else {
            continue;
        }
        err = LIST_ADD(t->receipts, r);
    }
    return err;
}

/* Open the sealed part and look at what is in it. */
static int open_content(struct turn *t, struct delivery *d)
{
    struct node *n = t->node;
    const struct parcel_facts *f = d->facts;
    if (f->parcel.sealed.data) {
        int err = parcel_unseal(t->arena, f, bytes_of(n->member), n->keys->seal,
                                n->keys->seal_count, &d->openings);
        if (err)
            return err;
    }
    return content_check(n, t->arena, f, &d->openings, &d->content);
}

/* Its numbers count from here on, and its checkpoint is known. */
static int take_numbers(struct turn *t, const struct delivery *d, struct source *s,
                        struct pair_range range, enum pair_verdict verdict)
{
    (void)t;
    const struct checkpoint *c = &d->facts->checkpoint;
    uint64_t next = s->pair.next;
    int err = pair_take(&s->pair, range);
    if (err)
        return err;
    s->is_dirty = true;
    if (verdict == PAIR_BEYOND)
        log_event(LOG_WARN, "pair_gap", LOG_STR("origin", s->origin), LOG_U64("first", next),
                  LOG_U64("last", range.first - 1));
    if (verdict == PAIR_BEYOND || verdict == PAIR_FILLS)
        s->is_gap_dirty = true;
    if (c->size > s->size) {
        s->size = c->size;
        s->root = c->root;
    }
    return COMITY_OK;
}

static int take_content(struct turn *t, struct delivery *d, uint64_t known_size)
{
    const struct suspicion *s = &t->node->core->suspicion;
    bool is_receipt = d->facts->is_receipt;
    int err = d->seq == s->seq ? s->why : is_receipt ? COMITY_OK : open_content(t, d);
    if (err && d->seq == s->seq)
        return add_refused(t, d, err, is_receipt);
    if (err)
        return !fault_is_ours(err) ? add_refused(t, d, err, false) : err;
    err = add_received(t, d, known_size);
    if (!err && is_receipt)
        err = read_receipts(t, d);
    return err;
}

static int take_verified(struct turn *t, struct delivery *d)
{
    struct node *n = t->node;
    const struct parcel_facts *f = d->facts;
    struct pair_range range;
    enum pair_verdict verdict = PAIR_NEXT;
    struct source *s = inbox_source(n, f->head.origin);
    if (!s)
        return COMITY_E_NOMEM;
    int err = f->from->member == roster_member_of(n->roster, bytes_of(n->member))
                  ? COMITY_E_RECIPIENTS
                  : pair_of_entries(f->entries, f->count, bytes_of(n->member), &range);
    if (!err)
        err = pair_judge(&s->pair, range, &verdict);
    if (!err && verdict == PAIR_BELOW)
        err = inbox_is_duplicate(t, f);
    if (err)
        return !fault_is_ours(err) ? add_refused(t, d, err, f->is_receipt) : err;
    if (verdict == PAIR_BELOW) {
        d->is_duplicate = true;
        return COMITY_OK;
    }
    uint64_t known_size = f->is_linked ? 0 : s->size;
    if (!f->is_linked)
        log_event(LOG_WARN, "delivery_unlinked", LOG_STR("origin", s->origin),
                  LOG_U64("known_size", s->size), LOG_U64("size", f->checkpoint.size));
    err = take_numbers(t, d, s, range, verdict);
    return err ? err : take_content(t, d, known_size);
}

static void fill_claims(struct delivery *d)
{
    const struct parcel_facts *f = d->facts;
    d->claims = (struct parcel_claims){.hash = f->hash,
                                       .origin = f->head.origin,
                                       .has_index = true,
                                       .index = f->entries[0].index,
                                       .count = (uint32_t)f->count,
                                       .size = f->checkpoint.size,
                                       .root = f->checkpoint.root};
    d->head = f->parcel.head;
    d->sender = f->from->member->id;
}

static int take_parcel(struct turn *t, struct delivery *d, const struct parcel_facts *statement,
                       struct bytes parcel)
{
    struct node *n = t->node;
    const struct entry *routed = &statement->entries[0];
    const struct parcel_routing routing = {.broker = statement->from->ledger->origin,
                                           .index = routed->index};
    const struct parcel_rules rules = {.roster = n->roster,
                                       .place = PARCEL_DELIVERED,
                                       .me = bytes_of(n->member),
                                       .routing = &routing,
                                       .root_at = root_at,
                                       .knows = knows,
                                       .self = n,
                                       .notes = &n->core->notes};
    const struct suspicion *suspicion = &n->core->suspicion;
    struct parcel_facts *f = NULL;
    uint64_t seq = 0;
    if (d->seq == suspicion->seq && suspicion->times > 1)
        return take_unverified(t, d, routed, parcel, suspicion->why);
    int err = parcel_verify(t->arena, parcel, &rules, &f);
    if (!err && f->count == 0)
        err = COMITY_E_NOT_RECIPIENT;
    if (err)
        return !fault_is_ours(err) ? take_unverified(t, d, routed, parcel, err) : err;
    err = statement_routes(statement, 0, f->head.origin, &f->checkpoint, &f->hash,
                           bytes_of(n->member), &seq);
    if (err)
        return err;
    d->facts = f;
    fill_claims(d);
    return take_verified(t, d);
}

/* The statement routes exactly one parcel, to this member, as delivery ${seq}. */
static int check_routed(const struct node *n, const struct parcel_facts *s, uint64_t seq)
{
    const struct entry *e = s->entries;
    if (s->count != 1 || e->kind != ENTRY_ROUTED || !e->has_source || !e->source.has_size ||
        e->source.root.len != HASH_LEN)
        return COMITY_E_STATEMENT;
    for (size_t i = 0; i < e->to_count; i++)
        if (bytes_is(e->to[i].member, n->member))
            return e->to[i].pair_seq == seq ? COMITY_OK : COMITY_E_STATEMENT;
    return COMITY_E_STATEMENT;
}

int inbox_take(struct turn *t, const struct frame *f)
{
    struct node *n = t->node;
    struct parcel_facts *s = NULL;
    struct delivery d = {
        .seq = f->u.deliver.delivery_seq, .statement = f->u.deliver.statement, .slot = SLOT_NONE};
    int err = session_open_statement(t, d.statement, &s);
    if (!err)
        err = check_routed(n, s, d.seq);
    if (err)
        return err;
    if (session_sees_roster(n, s->entries[0].roster))
        return COMITY_E_AGAIN;
    d.routed = s->entries[0].index;
    t->tried++;
    t->trying = d.seq;
    err = take_parcel(t, &d, s, f->u.deliver.parcel);
    if (!err)
        err = LIST_ADD(t->deliveries, d);
    if (!err)
        core_set_cursor(n, CURSOR_TAKEN, d.seq);
    return err;
}
