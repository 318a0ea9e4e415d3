/*
 * Whether a parcel is true: the one verification for broker, recipient, sender and auditor. See
 * parcel.h.
 *
 * The order matters. What is cheap and bounds the rest comes first (decoding, whose ledger it is),
 * then the one signature, then everything that the signature is to cover; an entry is interpreted
 * only after the proof has shown that it is in the signed tree.
 */
#include "wire/parcel.h"
#include "wire/parcel_internal.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

/* What one verification works on. */
struct check {
    struct arena *a;
    const struct parcel_rules *rules;
    struct parcel_facts *f;
    struct entry *entries;
    struct hash *leaves;
    struct parcel_enclosed *enclosures;
};

static bool is_same_key(const struct note_verifier *a, const struct note_verifier *b)
{
    return a->key_id == b->key_id && a->type == b->type &&
           memcmp(a->pub, b->pub, sizeof a->pub) == 0 && strcmp(a->name, b->name) == 0;
}

int note_cache_open(struct note_cache *cache, struct bytes note, const struct note_verifier *v,
                    struct checkpoint *ret)
{
    for (size_t i = 0; cache && i < NOTE_CACHE_SLOTS; i++) {
        if (cache->slot[i].len == note.len && note.len &&
            memcmp(cache->slot[i].note, note.data, note.len) == 0 &&
            is_same_key(&cache->slot[i].verifier, v)) {
            *ret = cache->slot[i].checkpoint;
            return COMITY_OK;
        }
    }
    struct checkpoint c;
    int err = checkpoint_open(note, v, &c);
    if (err)
        return err;
    if (cache && note.len <= NOTE_CACHE_BYTES) {
        size_t i = cache->next++ % NOTE_CACHE_SLOTS;
        cache->slot[i].verifier = *v;
        cache->slot[i].len = note.len;
        memcpy(cache->slot[i].note, note.data, note.len);
        cache->slot[i].checkpoint = c;
    }
    *ret = c;
    return COMITY_OK;
}

int roster_origin_admits(const struct roster_origin *o, uint64_t size, const struct hash *root,
                         const struct parcel_routing *routing)
{
    const struct roster_ledger *l = o->ledger;
    if (!l->is_closed)
        return COMITY_OK;
    if (size == l->closed_size && bytes_equal(hash_bytes(root), l->closed_root))
        return COMITY_OK;
    for (size_t i = 0; routing && i < l->witness_count; i++)
        if (bytes_equal(l->witness[i].broker, routing->broker) &&
            routing->index <= l->witness[i].routed)
            return COMITY_OK;
    return COMITY_E_CLOSED;
}

/* The closing rule, with what is proven here of the closed ledger. */
static int check_closing(const struct check *c, const struct roster_origin *from,
                         const struct checkpoint *at, const struct parcel_routing *routing)
{
    const struct parcel_rules *r = c->rules;
    struct hash root;
    int err = roster_origin_admits(from, at->size, &at->root, routing);
    if (err != COMITY_E_CLOSED || !r->closed_root_at || at->size > from->ledger->closed_size)
        return err;
    int proven = r->closed_root_at(r->self, from->ledger->origin, at->size, &root);
    if (proven)
        return proven == COMITY_E_NOT_FOUND ? err : proven;
    return hash_equal(&root, &at->root) ? COMITY_OK : err;
}

/* ---- whose it is ---- */

static int check_origin(struct check *c)
{
    const struct parcel_rules *r = c->rules;
    const struct roster_origin *from = roster_origin_of(r->roster, c->f->head.origin);
    if (!from)
        return COMITY_E_UNKNOWN_MEMBER;
    if (r->sender.data && !bytes_equal(from->member->id, r->sender))
        return COMITY_E_NOT_MEMBER;
    if (r->place == PARCEL_SUBMITTED && (from->ledger->is_closed || !from->is_current))
        return COMITY_E_CLOSED;
    if (r->place == PARCEL_STATEMENT && from->member->role != MEMBER_BROKER)
        return COMITY_E_STATEMENT;
    c->f->from = from;
    return COMITY_OK;
}

static int check_checkpoint(struct check *c)
{
    struct parcel_facts *f = c->f;
    int err =
        note_cache_open(c->rules->notes, f->head.checkpoint, &f->from->verifier, &f->checkpoint);
    if (err)
        return err;
    return check_closing(c, f->from, &f->checkpoint, c->rules->routing);
}

/* ---- the entries ---- */

static bool is_receipt_kind(uint32_t kind)
{
    return kind == ENTRY_RECEIVED || kind == ENTRY_REFUSED || kind == ENTRY_FILE;
}

static int check_to(const struct check *c, const struct entry *e)
{
    if (c->rules->place == PARCEL_STATEMENT)
        return e->kind == ENTRY_ROUTED || e->kind == ENTRY_REFUSED ? COMITY_OK : COMITY_E_STATEMENT;
    const struct parcel_head *h = &c->f->head;
    if (e->to_count != h->recipient_count)
        return COMITY_E_RECIPIENTS;
    for (size_t i = 0; i < e->to_count; i++)
        if (!bytes_equal(e->to[i].member, h->recipients[i]))
            return COMITY_E_RECIPIENTS;
    return COMITY_OK;
}

/* Entries of a parcel follow one another; those of a statement only ascend. */
static int check_order(const struct check *c, size_t i)
{
    const struct entry *e = &c->entries[i];
    const struct entry *before = e - 1;
    if (e->index != before->index + 1)
        return c->rules->place == PARCEL_STATEMENT && e->index > before->index ? COMITY_OK
                                                                               : COMITY_E_CHAIN;
    return bytes_equal(e->prev, hash_bytes(&c->leaves[i - 1])) ? COMITY_OK : COMITY_E_CHAIN;
}

static int read_entries(struct check *c)
{
    struct parcel_facts *f = c->f;
    f->count = f->head.entry_count;
    c->entries = arena_alloc(c->a, f->count * sizeof *c->entries);
    c->leaves = arena_alloc(c->a, f->count * sizeof *c->leaves);
    if (!c->entries || !c->leaves)
        return COMITY_E_NOMEM;
    f->entries = c->entries;
    f->leaves = c->leaves;
    f->is_receipt = f->count > 0;
    for (size_t i = 0; i < f->count; i++) {
        int err = entry_decode(c->a, f->head.entries[i], &c->entries[i]);
        if (err)
            return err;
        hash_leaf(f->from->suite, f->head.entries[i], &c->leaves[i]);
        if ((err = check_to(c, &c->entries[i])))
            return err;
        if (i > 0 && (err = check_order(c, i)))
            return err;
        f->is_receipt = f->is_receipt && is_receipt_kind(c->entries[i].kind);
    }
    return COMITY_OK;
}

/* ---- enclosures ---- */

/* The inclusion of one foreign entry under its own checkpoint, in multiproof order. */
static int check_foreign_inclusion(const struct check *c, const struct parcel_enclosure *raw,
                                   const struct parcel_enclosed *e)
{
    const struct multiproof_shape shape = {
        .index = &e->entry.index, .index_count = 1, .size = e->checkpoint.size};
    struct hash *proof = arena_alloc_raw(c->a, raw->proof_count * sizeof *proof);
    if (!proof)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < raw->proof_count; i++)
        memcpy(proof[i].b, raw->proof[i].data, HASH_LEN);
    struct hash root;
    int err =
        multiproof_roots(e->from->suite, &shape, &e->leaf, proof, raw->proof_count, &root, NULL);
    if (err)
        return err;
    return hash_equal(&root, &e->checkpoint.root) ? COMITY_OK : COMITY_E_INCLUSION;
}

/* The broker's statement for the checkpoint under which a foreign entry is enclosed. */
static int check_foreign_routing(const struct check *c, const struct parcel_enclosure *raw,
                                 struct parcel_enclosed *e)
{
    if (!raw->routed.data)
        return COMITY_OK;
    const struct parcel_rules rules = {
        .roster = c->rules->roster, .place = PARCEL_STATEMENT, .notes = c->rules->notes};
    struct parcel_facts *s = NULL;
    int err = parcel_verify(c->a, raw->routed, &rules, &s);
    if (err)
        return err;
    for (size_t i = 0; i < s->count; i++) {
        const struct entry *r = &s->entries[i];
        if (r->kind != ENTRY_ROUTED || !r->has_source || !r->source.has_size ||
            !bytes_equal(r->source.origin, bytes_of(e->checkpoint.origin)) ||
            r->source.size != e->checkpoint.size ||
            !bytes_equal(r->source.root, hash_bytes(&e->checkpoint.root)))
            continue;
        e->has_routing = true;
        e->routing = (struct parcel_routing){.broker = s->from->ledger->origin, .index = r->index};
        return COMITY_OK;
    }
    return COMITY_E_STATEMENT;
}

static int read_foreign(struct check *c, const struct parcel_enclosure *raw,
                        struct parcel_enclosed *e)
{
    struct checkpoint claimed;
    int err = checkpoint_peek(raw->checkpoint, &claimed);
    if (err)
        return err;
    e->from = roster_origin_of(c->rules->roster, bytes_of(claimed.origin));
    if (!e->from)
        return COMITY_E_UNKNOWN_MEMBER;
    err = note_cache_open(c->rules->notes, raw->checkpoint, &e->from->verifier, &e->checkpoint);
    if (err)
        return err;
    e->note = raw->checkpoint;
    hash_leaf(e->from->suite, e->bytes, &e->leaf);
    if ((err = check_foreign_inclusion(c, raw, e)) || (err = check_foreign_routing(c, raw, e)))
        return err;
    return check_closing(c, e->from, &e->checkpoint, e->has_routing ? &e->routing : NULL);
}

static int read_enclosure(struct check *c, const struct parcel_enclosure *raw,
                          struct parcel_enclosed *e)
{
    int err = entry_decode(c->a, raw->entry, &e->entry);
    if (err)
        return err;
    e->bytes = raw->entry;
    if (raw->checkpoint.data)
        return read_foreign(c, raw, e);
    if (raw->proof_count || raw->routed.data)
        return COMITY_E_MALFORMED;
    e->is_own = true;
    e->from = c->f->from;
    e->checkpoint = c->f->checkpoint;
    e->note = c->f->head.checkpoint;
    hash_leaf(e->from->suite, e->bytes, &e->leaf);
    return COMITY_OK;
}

static int read_enclosures(struct check *c)
{
    struct parcel_facts *f = c->f;
    f->enclosure_count = f->head.enclosure_count;
    if (f->enclosure_count && c->rules->place == PARCEL_STATEMENT)
        return COMITY_E_STATEMENT;
    c->enclosures = arena_alloc(c->a, f->enclosure_count * sizeof *c->enclosures);
    if (!c->enclosures)
        return COMITY_E_NOMEM;
    f->enclosures = c->enclosures;
    for (size_t i = 0; i < f->enclosure_count; i++) {
        int err = read_enclosure(c, &f->head.enclosures[i], &c->enclosures[i]);
        if (err)
            return err;
    }
    return COMITY_OK;
}

/* What a SHARE hands on must be enclosed. */
static int check_shares(const struct check *c)
{
    const struct parcel_facts *f = c->f;
    for (size_t i = 0; i < f->count; i++) {
        const struct entry *e = &f->entries[i];
        if (e->kind != ENTRY_SHARE)
            continue;
        if (!e->has_source || !e->source.has_index || e->source.leaf.len != HASH_LEN)
            return COMITY_E_MALFORMED;
        bool found = false;
        for (size_t k = 0; k < f->enclosure_count && !found; k++)
            found = f->enclosures[k].entry.index == e->source.index &&
                    bytes_equal(f->enclosures[k].from->ledger->origin, e->source.origin) &&
                    bytes_equal(hash_bytes(&f->enclosures[k].leaf), e->source.leaf);
        if (!found)
            return COMITY_E_MALFORMED;
    }
    return COMITY_OK;
}

/* ---- the proof ---- */

struct numbered_leaf {
    uint64_t index;
    struct hash leaf;
};

static int numbered_compare(const void *a, const void *b)
{
    return uint64_compare(&((const struct numbered_leaf *)a)->index,
                          &((const struct numbered_leaf *)b)->index);
}

/* The leaves of the proof: the entries and the own enclosed ones, by index. */
static int shape_leaves(struct check *c)
{
    struct parcel_facts *f = c->f;
    size_t max = f->count + f->enclosure_count;
    struct numbered_leaf *all = arena_alloc_raw(c->a, max * sizeof *all);
    uint64_t *index = arena_alloc_raw(c->a, max * sizeof *index);
    struct hash *leaf = arena_alloc_raw(c->a, max * sizeof *leaf);
    if (!all || !index || !leaf)
        return COMITY_E_NOMEM;
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        all[n++] = (struct numbered_leaf){.index = f->entries[i].index, .leaf = f->leaves[i]};
    for (size_t i = 0; i < f->enclosure_count; i++)
        if (f->enclosures[i].is_own)
            all[n++] = (struct numbered_leaf){.index = f->enclosures[i].entry.index,
                                              .leaf = f->enclosures[i].leaf};
    if (n > f->count)
        qsort(all, n, sizeof *all, numbered_compare);
    for (size_t i = 0; i < n; i++) {
        if (i > 0 && all[i].index == all[i - 1].index)
            return COMITY_E_MALFORMED;
        if (all[i].index >= f->checkpoint.size)
            return COMITY_E_INCLUSION;
        index[i] = all[i].index;
        leaf[i] = all[i].leaf;
    }
    f->shape.index = index;
    f->shape.index_count = n;
    f->shape_leaf = leaf;
    return COMITY_OK;
}

static int shape_cuts(struct check *c)
{
    struct parcel_facts *f = c->f;
    for (size_t i = 0; i < f->head.since_count; i++)
        if (f->head.since[i].size > f->checkpoint.size)
            return COMITY_E_PROOF;
    uint64_t *cut = arena_alloc_raw(c->a, f->head.since_count * sizeof *cut);
    if (!cut)
        return COMITY_E_NOMEM;
    f->shape.size = f->checkpoint.size;
    f->shape.cut = cut;
    f->shape.cut_count = parcel_cuts(f->head.since, f->head.since_count, f->checkpoint.size, cut);
    return COMITY_OK;
}

/* Compare the root at ${size} with the one known here; COMITY_E_NOT_FOUND when none is. */
static int check_known_root(const struct check *c, uint64_t size, const struct hash *root)
{
    struct hash known;
    if (!c->rules->root_at)
        return COMITY_E_NOT_FOUND;
    int err = c->rules->root_at(c->rules->self, c->f->head.origin, size, &known);
    if (err)
        return err;
    return hash_equal(&known, root) ? COMITY_OK : COMITY_E_CONSISTENCY;
}

/* Hold every root that the proof yields against what is known here, and learn whether the parcel
 * links. */
static int check_history(struct check *c, const struct hash *cut_roots)
{
    struct parcel_facts *f = c->f;
    int err = check_known_root(c, f->checkpoint.size, &f->checkpoint.root);
    if (err && err != COMITY_E_NOT_FOUND)
        return err == COMITY_E_CONSISTENCY ? COMITY_E_EQUIVOCATION : err;
    bool linked = false;
    for (size_t i = 0; i < f->head.since_count; i++) {
        uint64_t size = f->head.since[i].size;
        const struct hash *root = &f->checkpoint.root;
        for (size_t k = 0; k < f->shape.cut_count; k++)
            if (f->shape.cut[k] == size)
                root = &cut_roots[k];
        err = size ? check_known_root(c, size, root) : COMITY_E_NOT_FOUND;
        if (err && err != COMITY_E_NOT_FOUND)
            return err;
        if (!err && bytes_equal(f->head.since[i].member, c->rules->me)) {
            linked = true;
            f->since = size;
        }
    }
    if (!linked && c->rules->knows) {
        int knows = c->rules->knows(c->rules->self, f->head.origin);
        if (knows < 0)
            return knows;
        linked = knows == 0;
    }
    f->is_linked = linked || !c->rules->knows;
    bool must_link = c->rules->place == PARCEL_SUBMITTED || c->rules->place == PARCEL_STATEMENT;
    return f->is_linked || !must_link ? COMITY_OK : COMITY_E_UNLINKED;
}

static int check_proof(struct check *c)
{
    struct parcel_facts *f = c->f;
    int err = shape_leaves(c);
    if (!err)
        err = shape_cuts(c);
    if (err)
        return err;
    f->proof_count = f->head.proof_count;
    struct hash *proof = arena_alloc_raw(c->a, f->proof_count * sizeof *proof);
    struct hash *cut_roots = arena_alloc_raw(c->a, f->shape.cut_count * sizeof *cut_roots);
    if (!proof || !cut_roots)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < f->proof_count; i++)
        memcpy(proof[i].b, f->head.proof[i].data, HASH_LEN);
    f->proof = proof;
    struct hash root;
    err = multiproof_roots(f->from->suite, &f->shape, f->shape_leaf, proof, f->proof_count, &root,
                           cut_roots);
    if (err)
        return err;
    if (!hash_equal(&root, &f->checkpoint.root))
        return COMITY_E_INCLUSION;
    return check_history(c, cut_roots);
}

/* ---- the sealed part ---- */

static int check_seal(const struct check *c)
{
    const struct parcel_facts *f = c->f;
    bool has_sealed = f->parcel.sealed.data != NULL;
    if (has_sealed && f->parcel.wrap_count != f->head.recipient_count + 1)
        return COMITY_E_SEAL;
    if (!has_sealed && f->parcel.wrap_count && c->rules->place != PARCEL_FILED)
        return COMITY_E_SEAL;
    struct hash seal;
    if (has_sealed)
        parcel_seal_hash(f->from->suite, f->parcel.sealed, f->parcel.wraps, f->parcel.wrap_count,
                         f->head.blobs, f->head.blob_count, &seal);
    else if (f->head.blob_count && c->rules->place != PARCEL_FILED)
        return COMITY_E_SEAL;
    for (size_t i = 0; i < f->count; i++) {
        const struct entry *e = &f->entries[i];
        if (has_sealed && !bytes_equal(e->seal, hash_bytes(&seal)))
            return COMITY_E_SEAL;
        if (!has_sealed && c->rules->place != PARCEL_FILED && (e->seal.len || e->body_hash.len) &&
            c->rules->place != PARCEL_STATEMENT)
            return COMITY_E_SEAL;
    }
    return COMITY_OK;
}

static int check_addressee(const struct check *c)
{
    const struct parcel_head *h = &c->f->head;
    if (c->rules->place == PARCEL_STATEMENT)
        return h->recipient_count || h->blob_count || c->f->parcel.sealed.data ? COMITY_E_STATEMENT
                                                                               : COMITY_OK;
    if (h->entry_count > 0 && h->recipient_count == 0)
        return COMITY_E_RECIPIENTS;
    if (h->entry_count == 0 && (h->recipient_count || h->enclosure_count || h->blob_count))
        return COMITY_E_RECIPIENTS;
    if (c->rules->place != PARCEL_DELIVERED)
        return COMITY_OK;
    for (size_t i = 0; i < h->recipient_count; i++)
        if (bytes_equal(h->recipients[i], c->rules->me))
            return COMITY_OK;
    return COMITY_E_NOT_RECIPIENT;
}

int parcel_verify(struct arena *a, struct bytes bytes, const struct parcel_rules *rules,
                  struct parcel_facts **ret)
{
    struct parcel_facts *f = arena_alloc(a, sizeof *f);
    if (!f)
        return COMITY_E_NOMEM;
    struct check c = {.a = a, .rules = rules, .f = f};
    int err = parcel_decode(a, bytes, &f->parcel);
    if (!err)
        err = parcel_head_decode(a, f->parcel.head, &f->head);
    if (!err)
        err = check_origin(&c);
    if (err)
        return err;
    parcel_hash(f->from->suite, f->parcel.head, &f->hash);
    static int (*const steps[])(struct check *) = {check_checkpoint, read_entries, read_enclosures,
                                                   check_proof};
    static int (*const verdicts[])(const struct check *) = {check_addressee, check_shares,
                                                            check_seal};
    for (size_t i = 0; !err && i < sizeof steps / sizeof steps[0]; i++)
        err = steps[i](&c);
    for (size_t i = 0; !err && i < sizeof verdicts / sizeof verdicts[0]; i++)
        err = verdicts[i](&c);
    if (!err)
        *ret = f;
    return err;
}

int parcel_path(const struct parcel_facts *f, size_t which, struct hash_list *out)
{
    if (which >= f->count)
        return COMITY_E_NOT_FOUND;
    size_t at = 0;
    while (at < f->shape.index_count && f->shape.index[at] != f->entries[which].index)
        at++;
    return multiproof_narrow(f->from->suite, &f->shape, f->shape_leaf, f->proof, f->proof_count, at,
                             out);
}

int statement_routes(const struct parcel_facts *statement, size_t which, struct bytes origin,
                     const struct checkpoint *checkpoint, const struct hash *parcel,
                     struct bytes me, uint64_t *ret_delivery_seq)
{
    if (which >= statement->count)
        return COMITY_E_STATEMENT;
    const struct entry *e = &statement->entries[which];
    struct ref_routed ref;
    if (e->kind != ENTRY_ROUTED || ref_routed_parse(e->ref, &ref) ||
        !hash_equal(&ref.parcel, parcel))
        return COMITY_E_STATEMENT;
    const struct entry_source *s = &e->source;
    if (!e->has_source || !s->has_size || !bytes_equal(s->origin, origin) ||
        s->size != checkpoint->size || !bytes_equal(s->root, hash_bytes(&checkpoint->root)))
        return COMITY_E_STATEMENT;
    if (!me.data)
        return COMITY_OK;
    for (size_t i = 0; i < e->to_count; i++) {
        if (bytes_equal(e->to[i].member, me)) {
            *ret_delivery_seq = e->to[i].pair_seq;
            return COMITY_OK;
        }
    }
    return COMITY_E_STATEMENT;
}
