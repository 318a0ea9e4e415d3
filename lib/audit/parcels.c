/*
 * The parcels that a node has kept: those it received, each with the broker's statement, and those
 * it sent. Each is verified again; what it proves about other ledgers is noted, and held against
 * their own copies.
 */
#include "audit/internal.h"

#include <string.h>

/* A row of parcel_in or parcel_out, and the own entry that it belongs to. */
struct kept {
    bool is_in;
    uint64_t id; /* own index, or row id */
    uint64_t first, count, size;
    struct hash root, hash;
    uint64_t head, statement; /* chunks; statement 0: none */
    uint64_t routed;
    uint64_t delivery_seq;
    bool has_token;
    struct entry entry; /* of parcel_in */
};

struct passing {
    struct audit *a;
    struct audit_copy *c;
    const struct roster *roster; /* in force for the parcel at hand */
    struct buf head, parcel, statement, entry;
    uint64_t statement_chunk; /* what ${statement} holds; one may answer for many parcels */
    struct arena *statement_arena;
    struct parcel_facts *statement_facts;
    int statement_err;
    struct opening_reader openings, records;
    uint64_t next_own; /* everything below was looked at for whether its parcel is kept */
    uint64_t lost, lost_first;
};

/* ---- nodes ---- */

struct parcel_node *parcel_node(struct audit *a, struct bytes hash)
{
    struct parcel_node *n = NULL;
    HASH_FIND(hh, a->parcels, hash.data, hash.len, n);
    if (n || !(n = arena_alloc(a->arena, sizeof *n)))
        return n;
    memcpy(n->hash.b, hash.data, HASH_LEN);
    HASH_ADD(hh, a->parcels, hash, sizeof n->hash, n);
    return n;
}

struct parcel_to *parcel_node_to(struct audit *a, struct parcel_node *n, struct bytes member)
{
    for (size_t i = 0; i < n->to_count; i++)
        if (bytes_equal(n->to[i].member, member))
            return &n->to[i];
    struct bytes kept = audit_intern(a, member);
    struct parcel_to *more = arena_alloc(a->arena, (n->to_count + 1) * sizeof *more);
    if (!more || !kept.data)
        return NULL;
    if (n->to_count)
        memcpy(more, n->to, n->to_count * sizeof *more);
    n->to = more;
    n->to[n->to_count].member = kept;
    return &n->to[n->to_count++];
}

/* ---- telling ---- */

static int tell(struct passing *p, const struct kept *k, enum audit_code code, struct bytes other,
                int why)
{
    struct finding *f = finding_add(p->a, code, p->c->origin);
    if (f) {
        finding_index(f, k->is_in ? k->id : k->first);
        finding_set(f, "other", value_text(other));
        if (why)
            finding_set(f, "why", json_string(comity_err_token(why)));
    }
    return finding_check(f);
}

/* ---- what a proven entry says against a copy of its own ledger ---- */

static enum audit_code denial_of(uint32_t kind)
{
    if (kind == ENTRY_RECEIVED)
        return AUDIT_RECEIPT_DENIED;
    return kind == ENTRY_ROUTED ? AUDIT_NOT_ROUTED : AUDIT_ENTRY_DENIED;
}

static json_t *proof_held(const struct parcel_facts *f, size_t which)
{
    struct hash_list path = {0};
    struct value v = value_object();
    struct value list = value_array();
    json_t *json = NULL;
    if (parcel_path(f, which, &path) == COMITY_OK) {
        for (size_t i = 0; i < path.count; i++)
            value_add(&list, value_base64(hash_bytes(&path.at[i])));
        value_set_place(&v, f->head.origin, f->entries[which].index, &f->leaves[which]);
        value_set(&v, "entry", value_base64(f->head.entries[which]));
        value_set(&v, "inclusion", list.json);
        value_set(&v, "checkpoint", proof_note(f->head.checkpoint));
        list.json = NULL;
    } else {
        json_decref(v.json);
        v.json = NULL;
    }
    json_decref(list.json);
    hash_list_free(&path);
    return value_finish(&v, &json) ? NULL : json;
}

static bool is_in_copy(const struct audit_copy *k, uint64_t index, const struct hash *leaf)
{
    if (index >= k->believed)
        return true; /* what is wrong there was told already */
    if (index >= k->size)
        return k->is_live;
    return hash_equal(&k->tree.leaf.at[index], leaf);
}

static int hold_against_copies(struct passing *p, struct origin_node *of,
                               const struct parcel_facts *f, size_t which, uint64_t time_ms)
{
    const struct entry *e = &f->entries[which];
    for (size_t i = 0; i < of->copies.count; i++) {
        struct audit_copy *k = of->copies.at[i];
        bool ok = is_in_copy(k, e->index, &f->leaves[which]);
        if (k == p->c)
            continue;
        audit_did(p->a, NULL, CHECK_HELD, ok);
        if (ok)
            continue;
        struct group *g = NULL;
        const struct group_key key = {.code = denial_of(e->kind), .of = of, .other = p->c->origin};
        int err = group_add(p->a, &key, e->index, time_ms, &g);
        if (err)
            return err;
        if (!g->proof)
            g->proof = proof_held(f, which);
    }
    return COMITY_OK;
}

/* Roots at the cuts, which the proof yields on its way. */
static int claim_cuts(struct passing *p, struct origin_node *of, const struct parcel_facts *f,
                      const struct claim_at *at)
{
    if (!f->shape.cut_count)
        return COMITY_OK;
    struct hash root;
    struct hash *cuts = arena_alloc_raw(p->a->scratch, f->shape.cut_count * sizeof *cuts);
    if (!cuts)
        return COMITY_E_NOMEM;
    int err = multiproof_roots(f->from->suite, &f->shape, f->shape_leaf, f->proof, f->proof_count,
                               &root, cuts);
    for (size_t i = 0; !err && i < f->shape.cut_count; i++)
        err = claim_add(p->a, of, f->shape.cut[i], &cuts[i], CLAIM_DERIVED, at);
    return err;
}

/* Everything that a verified parcel or statement proves of the ledger that it comes from. */
static int note_facts(struct passing *p, const struct parcel_facts *f, enum claim_place place,
                      const struct kept *k)
{
    struct origin_node *of = audit_origin(p->a, f->head.origin);
    const struct claim_at at = {
        .holder = p->c, .place = place, .at = k->id, .index = k->is_in ? k->id : UINT64_MAX};
    if (!of)
        return COMITY_E_NOMEM;
    uint64_t time_ms = k->is_in && k->id < p->c->time_ms.count ? p->c->time_ms.at[k->id] : 0;
    int err = claim_add(p->a, of, f->checkpoint.size, &f->checkpoint.root, CLAIM_SIGNED, &at);
    if (!err)
        err = claim_cuts(p, of, f, &at);
    for (size_t i = 0; !err && i < f->count; i++)
        err = hold_against_copies(p, of, f, i, time_ms);
    for (size_t i = 0; !err && i < f->enclosure_count; i++) {
        const struct parcel_enclosed *e = &f->enclosures[i];
        struct origin_node *other =
            e->is_own ? NULL : audit_origin(p->a, bytes_of(e->checkpoint.origin));
        if (other)
            err =
                claim_add(p->a, other, e->checkpoint.size, &e->checkpoint.root, CLAIM_SIGNED, &at);
    }
    return err;
}

/* ---- the broker's statement ---- */

static int note_accepted(struct passing *p, const struct parcel_facts *s, size_t which,
                         struct parcel_node *n, struct origin_node *from)
{
    const struct entry *e = &s->entries[which];
    struct origin_node *broker = audit_origin(p->a, s->head.origin);
    if (!broker)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < e->to_count; i++) {
        struct parcel_to *to = parcel_node_to(p->a, n, e->to[i].member);
        if (!to)
            return COMITY_E_NOMEM;
        to->is_accepted = true;
        to->delivery_seq = e->to[i].pair_seq;
        to->broker = broker;
        to->routed = e->index;
    }
    const struct routed_at at = {
        .size = e->source.size, .time_ms = e->time_ms, .broker = broker, .index = e->index};
    return audit_copy_of(p->a, broker) ? COMITY_OK : LIST_ADD(from->routed, at);
}

/* The entry of the statement that is about this parcel. */
static int find_statement(struct passing *p, const struct kept *k, const struct parcel_facts *s,
                          struct bytes origin, size_t *ret)
{
    const struct checkpoint c = {.size = k->size, .root = k->root};
    struct ref_refused refused;
    uint64_t seq = 0;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *e = &s->entries[i];
        if (e->index != k->routed)
            continue;
        *ret = i;
        if (!k->is_in && e->kind == ENTRY_REFUSED)
            return ref_refused_parse(e->ref, &refused) || !hash_equal(&refused.parcel, &k->hash)
                       ? COMITY_E_STATEMENT
                       : COMITY_OK;
        int err = statement_routes(s, i, origin, &c, &k->hash,
                                   k->is_in ? p->c->origin->member : BYTES_NONE, &seq);
        return !err && k->is_in && seq != k->delivery_seq ? COMITY_E_STATEMENT : err;
    }
    return COMITY_E_STATEMENT;
}

/* Read and verify statement ${k->statement}, unless it is the one that was looked at last. */
static int open_statement(struct passing *p, const struct kept *k, bool *ret_new)
{
    const struct parcel_rules rules = {
        .roster = p->roster, .place = PARCEL_STATEMENT, .notes = &p->a->notes};
    *ret_new = p->statement_chunk != k->statement;
    if (!*ret_new)
        return COMITY_OK;
    buf_reset(&p->statement);
    arena_reset(p->statement_arena);
    p->statement_chunk = k->statement;
    p->statement_facts = NULL;
    p->statement_err = store_get(p->c->store, k->statement, &p->statement);
    if (!p->statement_err)
        p->statement_err = parcel_verify(p->statement_arena, buf_bytes(&p->statement), &rules,
                                         &p->statement_facts);
    return p->statement_err == COMITY_E_NOMEM || p->statement_err == COMITY_E_IO ? p->statement_err
                                                                                 : COMITY_OK;
}

static int take_statement(struct passing *p, const struct kept *k, struct parcel_node *n,
                          struct origin_node *from)
{
    size_t which = 0;
    bool is_new = false;
    if (!k->statement)
        return COMITY_OK;
    int err = open_statement(p, k, &is_new);
    if (err)
        return err;
    const struct parcel_facts *s = p->statement_facts;
    int why =
        p->statement_err ? p->statement_err : find_statement(p, k, s, bytes_of(from->name), &which);
    audit_did(p->a, p->c, CHECK_STATEMENTS, !why);
    if (why)
        return tell(p, k, AUDIT_STATEMENT_INVALID, bytes_of(from->name), why);
    if (is_new)
        err = note_facts(p, s, k->is_in ? PLACE_STATEMENT_IN : PLACE_STATEMENT_OUT, k);
    if (!err && s->entries[which].kind == ENTRY_REFUSED)
        n->is_refused = true;
    else if (!err)
        err = note_accepted(p, s, which, n, from);
    struct origin_node *broker = audit_origin(p->a, s->head.origin);
    if (!err && k->is_in && broker) {
        const struct known known = {.index = k->id, .of = broker, .size = s->checkpoint.size};
        err = LIST_ADD(p->c->known, known);
    }
    return err;
}

/* ---- the parcel itself ---- */

static int verify_parcel(struct passing *p, const struct kept *k, struct parcel_facts **ret)
{
    const struct parcel parcel = {.head = buf_bytes(&p->head)};
    const struct parcel_rules rules = {.roster = p->roster,
                                       .place = PARCEL_FILED,
                                       .notes = &p->a->notes,
                                       .me = p->c->origin->member};
    (void)k;
    buf_reset(&p->parcel);
    int err = parcel_encode(&parcel, &p->parcel);
    return err ? err : parcel_verify(p->a->scratch, buf_bytes(&p->parcel), &rules, ret);
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
        return err == COMITY_E_LIMIT ? COMITY_OK
                                     : tell(p, k, AUDIT_PARCEL_INVALID, f->head.origin, err);
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
    struct audit_copy *own = audit_copy_of(p->a, of);
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
        return err == COMITY_E_NOMEM ? err : tell(p, k, AUDIT_PARCEL_INVALID, origin, err);
    if (!facts_fit(k, f, origin))
        return tell(p, k, AUDIT_PARCEL_OTHER, origin, 0);
    err = note_facts(p, f, PLACE_PARCEL_IN, k);
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
    return *ret_there ? COMITY_OK : tell(p, k, AUDIT_PARCEL_OTHER, bytes_of(p->c->origin->name), 0);
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
        return tell(p, &k, AUDIT_PARCEL_OTHER, bytes_of(from->name), 0);
    p->roster = rosters_at(p->a, k.entry.roster);
    struct parcel_node *n = parcel_node(p->a, hash_bytes(&k.hash));
    if (!n)
        return COMITY_E_NOMEM;
    n->from = from;
    if (k.delivery_seq > p->c->last_delivery)
        p->c->last_delivery = k.delivery_seq;
    err = take_statement(p, &k, n, from);
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
        return err == COMITY_E_NOMEM ? err : tell(p, k, AUDIT_PARCEL_INVALID, origin, err);
    for (size_t i = 0; i < f->count; i++)
        if (f->entries[i].index < p->c->believed &&
            (f->entries[i].index >= p->c->size ||
             !hash_equal(&p->c->tree.leaf.at[f->entries[i].index], &f->leaves[i])))
            return tell(p, k, AUDIT_PARCEL_OTHER, origin, 0);
    n->is_out = true;
    n->first = k->first;
    n->count = f->count;
    n->has_class = true;
    n->is_receipt = f->is_receipt;
    for (size_t i = 0; i < f->head.recipient_count; i++)
        if (!parcel_node_to(p->a, n, f->head.recipients[i]))
            return COMITY_E_NOMEM;
    return note_facts(p, f, PLACE_PARCEL_OUT, k);
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
    int err = take_statement(p, &k, n, p->c->origin);
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
