/*
 * What parcels and statements that verify are worth: what they prove of the ledger that they come
 * from, held against its own copies, and what the broker has accepted.
 */
#include "audit/parcels_parts.h"

#include <string.h>

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

int parcels_tell(struct passing *p, const struct kept *k, enum audit_code code, struct bytes other,
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
    return hash_equal(&k->tree.leaf.at[index], leaf);
}

static int hold_against_copies(struct passing *p, struct origin_node *of,
                               const struct parcel_facts *f, size_t which, uint64_t time_ms)
{
    const struct entry *e = &f->entries[which];
    for (size_t i = 0; i < of->copies.count; i++) {
        struct audit_copy *k = of->copies.at[i];
        if (k == p->c || e->index >= k->size)
            continue; /* what stands behind the end of a copy nobody can say; that it ends is told
                       */
        bool ok = is_in_copy(k, e->index, &f->leaves[which]);
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
int parcels_note_facts(struct passing *p, const struct parcel_facts *f, enum claim_place place,
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
    return audit_copy_of(broker) ? COMITY_OK : LIST_ADD(from->routed, at);
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
        p->statement_err = audit_verify_parcel(p->a, p->statement_arena, buf_bytes(&p->statement),
                                               &rules, &p->statement_facts);
    return p->statement_err == COMITY_E_NOMEM || p->statement_err == COMITY_E_IO ? p->statement_err
                                                                                 : COMITY_OK;
}

int parcels_take_statement(struct passing *p, const struct kept *k, struct parcel_node *n,
                           struct origin_node *from)
{
    size_t which = 0;
    bool is_new = false;
    p->has_routing = false;
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
        return parcels_tell(p, k, AUDIT_STATEMENT_INVALID, bytes_of(from->name), why);
    if (is_new)
        err = parcels_note_facts(p, s, k->is_in ? PLACE_STATEMENT_IN : PLACE_STATEMENT_OUT, k);
    if (!err && s->entries[which].kind == ENTRY_REFUSED)
        n->is_refused = true;
    else if (!err)
        err = note_accepted(p, s, which, n, from);
    /* What was routed before its ledger was closed is good, also where the copy does not reach the
     * place of the closing. */
    p->has_routing = s->entries[which].kind == ENTRY_ROUTED;
    p->routing = (struct parcel_routing){.broker = s->from->ledger->origin,
                                         .index = s->entries[which].index};
    struct origin_node *broker = audit_origin(p->a, s->head.origin);
    if (!err && k->is_in && broker) {
        const struct known known = {.index = k->id, .of = broker, .size = s->checkpoint.size};
        err = LIST_ADD(p->c->known, known);
    }
    return err;
}
