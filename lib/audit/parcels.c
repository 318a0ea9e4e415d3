/*
 * The parcels that a node has kept: those it received, each with the broker's statement, and those
 * it sent. Each is verified again. What they prove is parcels_facts.c's.
 */
#include "audit/parcels_parts.h"

#include <string.h>

/* ---- the parcel itself ---- */

/* What a copy with the closing root proves of a ledger that was closed. */
static int closed_root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    const struct passing *p = self;
    const struct origin_node *o = audit_origin(p->a, origin);
    struct hash closing;
    for (size_t i = 0; o && i < o->copies.count; i++) {
        struct audit_copy *c = o->copies.at[i];
        const struct roster_ledger *l = o->owner ? o->owner->ledger : NULL;
        if (!l || !l->is_closed || size > l->closed_size || l->closed_size > c->size)
            continue;
        int err = leaves_root(&c->tree, l->closed_size, &closing);
        if (err)
            return err;
        if (bytes_equal(hash_bytes(&closing), l->closed_root))
            return leaves_root(&c->tree, size, ret);
    }
    return COMITY_E_NOT_FOUND;
}

static int verify_parcel(struct passing *p, const struct kept *k, struct parcel_facts **ret)
{
    const struct parcel parcel = {.head = buf_bytes(&p->head)};
    const struct parcel_rules rules = {.roster = p->roster,
                                       .place = PARCEL_FILED,
                                       .closed_root_at = closed_root_at,
                                       .routing = p->has_routing ? &p->routing : NULL,
                                       .self = p,
                                       .notes = &p->a->notes,
                                       .me = p->c->origin->member};
    (void)k;
    buf_reset(&p->parcel);
    int err = parcel_encode(&parcel, &p->parcel);
    return err ? err : audit_verify_parcel(p->a, p->a->scratch, buf_bytes(&p->parcel), &rules, ret);
}

static struct taken_from *sender_of(struct passing *p, struct origin_node *of)
{
    struct taken_from *t = NULL;
    HASH_FIND_PTR(p->c->senders, &of, t);
    if (t || !(t = arena_alloc(p->a->arena, sizeof *t)))
        return t;
    t->origin = of;
    HASH_ADD_PTR(p->c->senders, origin, t);
    return t;
}

/* The numbers of a parcel that came, as the recipient must have taken them. */
static int take_numbers(struct passing *p, const struct kept *k, struct origin_node *of,
                        const struct parcel_facts *f)
{
    struct taken_from *t = sender_of(p, of);
    struct pair_range range;
    enum pair_verdict verdict;
    if (!t)
        return COMITY_E_NOMEM;
    int err = pair_of_entries(f->entries, f->count, p->c->origin->member, &range);
    if (!err)
        err = pair_judge(&t->pair, range, &verdict);
    audit_did(p->a, p->c, CHECK_NUMBERS, !err);
    if (err)
        return err == COMITY_E_LIMIT
                   ? COMITY_OK
                   : parcels_tell(p, k, AUDIT_PARCEL_INVALID, f->head.origin, err);
    return verdict == PAIR_BELOW ? COMITY_OK : pair_take(&t->pair, range);
}

/* What a receipt says of parcels that were sent. */
static int take_receipts(struct passing *p, const struct parcel_facts *f)
{
    for (size_t i = 0; i < f->count; i++) {
        const struct entry *e = &f->entries[i];
        struct ref_received received;
        struct ref_refused refused;
        const struct hash *hash = NULL;
        if (e->kind == ENTRY_RECEIVED && !ref_received_parse(e->ref, &received))
            hash = &received.parcel;
        else if (e->kind == ENTRY_REFUSED && !pair_is_void(e) &&
                 !ref_refused_parse(e->ref, &refused))
            hash = &refused.parcel;
        if (!hash)
            continue;
        struct parcel_node *n = parcel_node(p->a, hash_bytes(hash));
        struct parcel_to *to = n ? parcel_node_to(p->a, n, f->from->member->id) : NULL;
        if (!to)
            return COMITY_E_NOMEM;
        to->is_receipted = true;
        to->is_refused |= e->kind == ENTRY_REFUSED;
        if (!n->from)
            n->from = p->c->origin;
    }
    return COMITY_OK;
}

static int note_withheld(struct passing *p, struct origin_node *of, uint64_t index, int err)
{
    struct group *g = NULL;
    const struct group_key key = {.code = err == COMITY_E_ERASED ? AUDIT_BODY_ERASED
                                                                 : AUDIT_BODY_WITHHELD,
                                  .of = of,
                                  .other = p->c->origin};
    return group_add(p->a, &key, index, 0, &g);
}

/* The content of one received entry, or of one that came enclosed, of which nothing need be there.
 */
static int take_content(struct passing *p, const struct roster_origin *from, const struct entry *e,
                        bool is_enclosed)
{
    struct origin_node *of = audit_origin(p->a, from->ledger->origin);
    bool ok = false;
    if (!of)
        return COMITY_E_NOMEM;
    if (!e->body_hash.len || of == p->c->origin)
        return COMITY_OK;
    struct content_item it = {
        .copy = p->c, .origin = of, .suite = from->suite, .entry = e, .records = &p->records};
    int err = opening_find(&p->openings, bytes_of(of->name), e->index, &it.opening);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_WITHHELD || err == COMITY_E_ERASED)
        return is_enclosed ? COMITY_OK : note_withheld(p, of, e->index, err);
    if (err && err != COMITY_E_LEDGER_DAMAGED)
        return err;
    struct audit_copy *own = audit_copy_of(of);
    it.skip_officers = own && e->index < own->size && own->opened &&
                       (own->opened[e->index / 8] >> e->index % 8 & 1);
    return audit_content_check(p->a, &it, NULL, &ok);
}

/* Officers' keys first: what else is enclosed, and the entries themselves, bear their signatures.
 */
static int take_contents(struct passing *p, const struct parcel_facts *f)
{
    int err = COMITY_OK;
    for (int keys = 1; keys >= 0; keys--)
        for (size_t i = 0; !err && i < f->enclosure_count; i++) {
            const struct parcel_enclosed *e = &f->enclosures[i];
            if ((e->entry.kind == ENTRY_KEY) == (keys == 1))
                err = take_content(p, e->from, &e->entry, true);
        }
    for (size_t i = 0; !err && i < f->count; i++)
        err = take_content(p, f->from, &f->entries[i], false);
    return err;
}

/* ---- received ---- */

/* Entries that should have a parcel, up to ${own}, and have none. */
static void count_lost(struct passing *p, uint64_t own)
{
    for (; p->next_own < own && p->next_own < p->c->kind.count; p->next_own++) {
        uint8_t kind = p->c->kind.at[p->next_own];
        if ((kind == ENTRY_RECEIVED || kind == ENTRY_RECEIPT) && !copy_is_bad(p->c, p->next_own) &&
            p->lost++ == 0)
            p->lost_first = p->next_own;
    }
    if (p->next_own == own)
        p->next_own++;
}

/* The own entry must speak of this very parcel. */
static bool entry_names(const struct kept *k, struct bytes origin)
{
    const struct entry *e = &k->entry;
    const struct entry_source *s = &e->source;
    struct ref_received received;
    struct ref_refused refused;
    bool is_refusal = e->kind == ENTRY_REFUSED;
    if (is_refusal ? ref_refused_parse(e->ref, &refused) : ref_received_parse(e->ref, &received))
        return false;
    return hash_equal(is_refusal ? &refused.parcel : &received.parcel, &k->hash) && e->has_source &&
           bytes_equal(s->origin, origin) && s->has_size && s->size == k->size &&
           bytes_equal(s->root, hash_bytes(&k->root)) && (is_refusal || s->index == k->first);
}

static bool facts_fit(const struct kept *k, const struct parcel_facts *f, struct bytes origin)
{
    return f->count == k->count && f->count > 0 && f->entries[0].index == k->first &&
           f->checkpoint.size == k->size && hash_equal(&f->checkpoint.root, &k->root) &&
           bytes_equal(f->head.origin, origin);
}

static int take_received(struct passing *p, const struct kept *k, struct origin_node *from)
{
    struct parcel_facts *f = NULL;
    struct bytes origin = bytes_of(from->name);
    int err = verify_parcel(p, k, &f);
    audit_did(p->a, p->c, CHECK_PARCELS, !err);
    if (err)
        return err == COMITY_E_NOMEM ? err : parcels_tell(p, k, AUDIT_PARCEL_INVALID, origin, err);
    if (!facts_fit(k, f, origin))
        return parcels_tell(p, k, AUDIT_PARCEL_OTHER, origin, 0);
    err = parcels_note_facts(p, f, PLACE_PARCEL_IN, k);
    if (!err)
        err = take_numbers(p, k, from, f);
    if (!err && f->is_receipt)
        err = take_receipts(p, f);
    if (!err && k->entry.kind == ENTRY_RECEIVED)
        err = take_contents(p, f);
    return err;
}

/*
 * A parcel that was refused: nothing that it says is believed, but the numbers that it bears are no
 * riddle. The recipient counts them if it verified; if it did not, they are a gap that the REFUSED
 * entry explains.
 */
static int take_refused(struct passing *p, struct origin_node *from)
{
    struct parcel_head h;
    struct pair_range range;
    enum pair_verdict verdict;
    struct taken_from *t = NULL;
    int err = parcel_head_decode(p->a->scratch, buf_bytes(&p->head), &h);
    struct entry *entries =
        err ? NULL : arena_alloc(p->a->scratch, h.entry_count * sizeof *entries);
    if (err || !entries)
        return err && err != COMITY_E_NOMEM ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; i < h.entry_count; i++)
        if (entry_decode(p->a->scratch, h.entries[i], &entries[i]))
            return COMITY_OK;
    if (!(t = sender_of(p, from)))
        return COMITY_E_NOMEM;
    if (pair_of_entries(entries, h.entry_count, p->c->origin->member, &range) ||
        pair_judge(&t->pair, range, &verdict) || verdict == PAIR_BELOW)
        return COMITY_OK;
    return pair_take(&t->pair, range);
}

static void read_hash(struct db_rows *rows, int column, struct hash *ret)
{
    struct bytes b = db_bytes(rows, column);
    memset(ret, 0, sizeof *ret);
    if (b.len == HASH_LEN)
        memcpy(ret->b, b.data, HASH_LEN);
}

static int load_head(struct passing *p, const struct kept *k, bool *ret_there)
{
    struct hash hash;
    buf_reset(&p->head);
    int err = store_get(p->c->store, k->head, &p->head);
    *ret_there = !err;
    if (err)
        return err == COMITY_E_NOMEM || err == COMITY_E_IO ? err : COMITY_OK;
    parcel_hash(p->c->suite, buf_bytes(&p->head), &hash);
    *ret_there = hash_equal(&hash, &k->hash);
    return *ret_there ? COMITY_OK
                      : parcels_tell(p, k, AUDIT_PARCEL_OTHER, bytes_of(p->c->origin->name), 0);
}

static int take_in(struct passing *p, struct db_rows *rows)
{
    struct kept k = {.is_in = true,
                     .id = db_u64(rows, 0),
                     .first = db_u64(rows, 2),
                     .count = db_u64(rows, 3),
                     .size = db_u64(rows, 4),
                     .head = db_u64(rows, 7),
                     .statement = db_u64(rows, 8),
                     .routed = db_u64(rows, 9),
                     .delivery_seq = db_u64(rows, 10),
                     .has_token = !db_is_null(rows, 11)};
    bool is_there = false;
    struct origin_node *from = audit_origin(p->a, db_bytes(rows, 1));
    read_hash(rows, 5, &k.root);
    read_hash(rows, 6, &k.hash);
    count_lost(p, k.id);
    if (!from)
        return COMITY_E_NOMEM;
    if (k.id >= p->c->size || copy_is_bad(p->c, k.id))
        return COMITY_OK;
    arena_reset(p->a->scratch);
    buf_reset(&p->entry);
    int err = copy_entry(p->c, k.id, &p->entry);
    if (!err)
        err = entry_decode(p->a->scratch, buf_bytes(&p->entry), &k.entry);
    if (err)
        return err == COMITY_E_NOMEM ? err : COMITY_OK; /* told when the entries were read */
    if (!entry_names(&k, bytes_of(from->name)))
        return parcels_tell(p, &k, AUDIT_PARCEL_OTHER, bytes_of(from->name), 0);
    p->roster = rosters_at(p->a, k.entry.roster);
    struct parcel_node *n = parcel_node(p->a, hash_bytes(&k.hash));
    if (!n)
        return COMITY_E_NOMEM;
    n->from = from;
    if (k.delivery_seq > p->c->last_delivery)
        p->c->last_delivery = k.delivery_seq;
    err = parcels_take_statement(p, &k, n, from);
    if (!err)
        err = load_head(p, &k, &is_there);
    if (err || !is_there)
        return err;
    return k.has_token ? take_refused(p, from) : take_received(p, &k, from);
}

/* ---- sent ---- */

static int take_sent(struct passing *p, const struct kept *k, struct parcel_node *n)
{
    struct parcel_facts *f = NULL;
    struct bytes origin = bytes_of(p->c->origin->name);
    int err = verify_parcel(p, k, &f);
    audit_did(p->a, p->c, CHECK_PARCELS, !err);
    if (err)
        return err == COMITY_E_NOMEM ? err : parcels_tell(p, k, AUDIT_PARCEL_INVALID, origin, err);
    for (size_t i = 0; i < f->count; i++)
        if (f->entries[i].index < p->c->believed &&
            (f->entries[i].index >= p->c->size ||
             !hash_equal(&p->c->tree.leaf.at[f->entries[i].index], &f->leaves[i])))
            return parcels_tell(p, k, AUDIT_PARCEL_OTHER, origin, 0);
    n->is_out = true;
    n->first = k->first;
    n->count = f->count;
    n->has_class = true;
    n->is_receipt = f->is_receipt;
    for (size_t i = 0; i < f->head.recipient_count; i++)
        if (!parcel_node_to(p->a, n, f->head.recipients[i]))
            return COMITY_E_NOMEM;
    return parcels_note_facts(p, f, PLACE_PARCEL_OUT, k);
}

static int take_out(struct passing *p, struct db_rows *rows)
{
    struct kept k = {.id = db_u64(rows, 0),
                     .first = db_u64(rows, 2),
                     .count = db_u64(rows, 3),
                     .size = db_u64(rows, 4),
                     .head = db_u64(rows, 6),
                     .statement = db_u64(rows, 7),
                     .routed = db_u64(rows, 8)};
    bool is_there = false;
    read_hash(rows, 1, &k.hash);
    read_hash(rows, 5, &k.root);
    arena_reset(p->a->scratch);
    p->roster = p->a->newest;
    struct parcel_node *n = parcel_node(p->a, hash_bytes(&k.hash));
    if (!n)
        return COMITY_E_NOMEM;
    n->from = p->c->origin;
    int err = parcels_take_statement(p, &k, n, p->c->origin);
    if (!err)
        err = load_head(p, &k, &is_there);
    return err || !is_there ? err : take_sent(p, &k, n);
}

/* ---- both tables ---- */

static int each_row(struct passing *p, struct db_rows *rows,
                    int (*take)(struct passing *, struct db_rows *))
{
    int err = COMITY_OK;
    int got = 0;
    while (!err && (got = db_next(rows)) == DB_ROW)
        err = take(p, rows);
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int read_tables(struct passing *p)
{
    struct db *db = p->c->db;
    struct db_rows *rows = NULL;
    int err =
        db_query(db, &rows,
                 "SELECT own, origin, first, count, size, root, hash, head, statement, routed,"
                 " delivery_seq, token FROM parcel_in WHERE ?1 ORDER BY own",
                 DB_U64(1));
    if (!err)
        err = each_row(p, rows, take_in);
    count_lost(p, p->c->size);
    rows = NULL;
    if (!err)
        err = db_query(db, &rows,
                       "SELECT id, hash, first, count, size, root, head, statement, routed"
                       " FROM parcel_out WHERE ?1 ORDER BY id",
                       DB_U64(1));
    return err ? err : each_row(p, rows, take_out);
}

int parcels_verify(struct audit *a, struct audit_copy *c)
{
    struct passing p = {.a = a, .c = c, .openings = {.copy = c}, .records = {.copy = c}};
    if (!c->is_node || !a->newest)
        return COMITY_OK;
    p.statement_arena = arena_new((size_t)256 * 1024 * 1024);
    int err = p.statement_arena ? read_tables(&p) : COMITY_E_NOMEM;
    if (!err && p.lost) {
        struct finding *f = finding_add(a, AUDIT_PARCEL_LOST, c->origin);
        if (f) {
            finding_index(f, p.lost_first);
            finding_number(f, "count", p.lost);
        }
        err = finding_check(f);
    }
    arena_free(p.statement_arena);
    buf_free(&p.head);
    buf_free(&p.parcel);
    buf_free(&p.statement);
    buf_free(&p.entry);
    opening_reader_done(&p.openings);
    opening_reader_done(&p.records);
    return err;
}
