/*
 * What ledgers show of one another: that some ledger had this root at that size. Each is held
 * against the ledger's own copy, where one was given, else against the others. Two roots of one
 * size, both with the owner's signature, are a fork.
 */
#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdlib.h>
#include <string.h>

int claim_add(struct audit *a, struct origin_node *of, uint64_t size, const struct hash *root,
              int basis, const struct claim_at *at)
{
    struct claim *c = NULL;
    struct claim_key key;
    memset(&key, 0, sizeof key);
    key.of = of;
    key.size = size;
    key.root = *root;
    HASH_FIND(hh, a->claims, &key, sizeof key, c);
    /* The better shown, and what others hold rather than what the ledger holds of itself. */
    bool is_outside =
        c && c->holder->origin == of && at->holder->origin != of && (int)c->basis == basis;
    if (c && (int)c->basis >= basis && !is_outside)
        return COMITY_OK;
    bool is_new = !c;
    if (is_new && !(c = arena_alloc(a->arena, sizeof *c)))
        return COMITY_E_NOMEM;
    c->key = key;
    c->basis = basis;
    c->holder = at->holder;
    c->place = at->place;
    c->at = at->at;
    c->index = at->index;
    if (is_new)
        HASH_ADD(hh, a->claims, key, sizeof c->key, c);
    return COMITY_OK;
}

/* ---- what shows it ---- */

static int claim_chunk(const struct claim *c, const char *sql, struct buf *out)
{
    const struct db_value v[] = {DB_U64(c->at)};
    uint64_t chunk = 0;
    int err = db_get_u64(c->holder->db, 0, &chunk, sql, v, 1);
    return err ? err : store_get(c->holder->store, chunk, out);
}

/* The head of the parcel or statement in which the claim was found. */
static int claim_head(struct audit *a, const struct claim *c, struct buf *kept, struct bytes *ret)
{
    static const char *const sql[] = {
        [PLACE_PARCEL_IN] = "SELECT head FROM parcel_in WHERE own = ?1",
        [PLACE_STATEMENT_IN] = "SELECT statement FROM parcel_in WHERE own = ?1",
        [PLACE_PARCEL_OUT] = "SELECT head FROM parcel_out WHERE id = ?1",
        [PLACE_STATEMENT_OUT] = "SELECT statement FROM parcel_out WHERE id = ?1"};
    struct parcel p;
    int err = claim_chunk(c, sql[c->place], kept);
    *ret = buf_bytes(kept);
    if (err || c->place == PLACE_PARCEL_IN || c->place == PLACE_PARCEL_OUT)
        return err;
    err = parcel_decode(a->scratch, buf_bytes(kept), &p);
    if (!err)
        *ret = p.head;
    return err;
}

static bool is_note_of(struct bytes note, const struct claim *c)
{
    struct checkpoint found;
    return note.data && checkpoint_peek(note, &found) == COMITY_OK &&
           strcmp(found.origin, c->key.of->name) == 0 &&
           (c->basis == CLAIM_DERIVED ||
            (found.size == c->key.size && hash_equal(&found.root, &c->key.root)));
}

static struct bytes note_of_head(struct audit *a, const struct claim *c, struct bytes head)
{
    struct parcel_head h;
    if (parcel_head_decode(a->scratch, head, &h))
        return BYTES_NONE;
    if (is_note_of(h.checkpoint, c))
        return h.checkpoint;
    for (size_t i = 0; i < h.enclosure_count; i++)
        if (is_note_of(h.enclosures[i].checkpoint, c))
            return h.enclosures[i].checkpoint;
    return BYTES_NONE;
}

/* The note in the body of a CHECKPOINT entry. */
static struct bytes note_of_entry(struct audit *a, const struct claim *c, struct opening_reader *r)
{
    struct opening o;
    struct body body;
    if (opening_find(r, bytes_of(c->holder->origin->name), c->at, &o) ||
        body_decode(a->scratch, o.body, &body) || body.note_count != 1)
        return BYTES_NONE;
    return is_note_of(body.notes[0], c) ? body.notes[0] : BYTES_NONE;
}

/* What shows a claim that is signed or derived, as JSON; NULL when it cannot be had any more. */
static json_t *claim_proof(struct audit *a, const struct claim *c)
{
    struct opening_reader r = {.copy = c->holder};
    struct buf kept = BUF_INIT;
    struct bytes head = BYTES_NONE;
    struct bytes note = BYTES_NONE;
    struct value v = value_object();
    json_t *json = NULL;
    arena_reset(a->scratch);
    if (c->place == PLACE_CHECKPOINT) {
        if (copy_checkpoint_note(c->holder, c->key.size, &kept) == COMITY_OK)
            note = buf_bytes(&kept);
    } else if (c->place == PLACE_ENTRY) {
        note = note_of_entry(a, c, &r);
    } else if (claim_head(a, c, &kept, &head) == COMITY_OK) {
        note = note_of_head(a, c, head);
    }
    value_set(&v, "holder", json_string(c->holder->origin->name));
    if (c->index != UINT64_MAX)
        value_set(&v, "holder_entry", value_u64(c->index));
    value_set(&v, "size", value_u64(c->key.size));
    value_set(&v, "root", value_base64(hash_bytes(&c->key.root)));
    if (note.data)
        value_set(&v, c->basis == CLAIM_DERIVED ? "under" : "checkpoint", proof_note(note));
    if (c->basis == CLAIM_DERIVED)
        value_set(&v, "parcel_head", value_base64(head));
    buf_free(&kept);
    opening_reader_done(&r);
    return value_finish(&v, &json) ? NULL : json;
}

/* ---- against a copy ---- */

/* What all claims about one origin come to, held against one copy. */
struct outcome {
    const struct claim *fork;      /* the smallest that differs */
    const struct claim *unsigned_; /* one that nobody signed */
    const struct claim *beyond;    /* the largest beyond the end */
    const struct claim *uncovered; /* one that differs where the copy has no signature of its own */
    uint64_t agreed;               /* the largest size below the fork that is the same */
    uint64_t forks, beyonds;
};

static bool is_own_checkpoint(const struct claim *c, const struct audit_copy *k)
{
    return c->holder == k && c->place == PLACE_CHECKPOINT;
}

static int hold(struct audit *a, struct audit_copy *k, const struct claim *c, struct outcome *o)
{
    struct hash root;
    if (c->key.size > k->size) {
        if (c->basis == CLAIM_STATED)
            return COMITY_OK;
        o->beyonds++;
        o->beyond = c;
        return COMITY_OK;
    }
    if (c->key.size > k->believed)
        return COMITY_OK;
    int err = leaves_root(&k->tree, c->key.size, &root);
    if (err)
        return err;
    bool ok = hash_equal(&root, &c->key.root);
    audit_did(a, NULL, CHECK_FOREIGN, ok);
    if (ok) {
        if (!o->fork)
            o->agreed = c->key.size;
        if (c->basis != CLAIM_STATED && c->holder->origin != k->origin &&
            c->key.size > k->known_outside)
            k->known_outside = c->key.size;
    } else if (c->basis == CLAIM_STATED) {
        o->unsigned_ = o->unsigned_ ? o->unsigned_ : c;
    } else if (c->key.size <= k->covered) {
        o->fork = o->fork ? o->fork : c;
        o->forks++;
    } else {
        o->uncovered = o->uncovered ? o->uncovered : c;
    }
    return COMITY_OK;
}

static struct finding *tell(struct audit *a, enum audit_code code, const struct claim *c)
{
    struct finding *f = finding_add(a, code, c->key.of);
    if (!f)
        return NULL;
    finding_number(f, "size", c->key.size);
    finding_set(f, "other", json_string(c->holder->origin->name));
    return f;
}

static json_t *key_of(const struct origin_node *o)
{
    struct buf vkey = BUF_INIT;
    if (o->owner)
        note_put_vkey(&vkey, &o->owner->verifier);
    json_t *json = value_text(buf_bytes(&vkey));
    buf_free(&vkey);
    return json;
}

/* The copy's side: its note, and the way from the claim's size to it. */
static json_t *proof_of_copy(struct audit_copy *k, uint64_t size)
{
    struct value v = value_object();
    struct hash root;
    json_t *json = NULL;
    value_set(&v, "holder", json_string(k->origin->name));
    value_set(&v, "size", value_u64(size));
    if (leaves_root(&k->tree, size, &root) == COMITY_OK)
        value_set(&v, "root", value_base64(hash_bytes(&root)));
    value_set(&v, "checkpoint", proof_note(buf_bytes(&k->note)));
    value_set(&v, "consistency", proof_consistency_of(k, size));
    return value_finish(&v, &json) ? NULL : json;
}

static json_t *proof_of_two(const struct origin_node *of, json_t *one, json_t *other)
{
    struct value v = value_object();
    json_t *json = NULL;
    value_set(&v, "ledger", json_string(of->name));
    value_set(&v, "key", key_of(of));
    value_set(&v, "one", one);
    value_set(&v, "other", other);
    return value_finish(&v, &json) ? NULL : json;
}

static void set_times(struct finding *f, const struct audit_copy *k, uint64_t from, uint64_t to)
{
    if (from && from <= k->time_ms.count)
        finding_set(f, "earliest", value_time((int64_t)k->time_ms.at[from - 1]));
    if (to && to <= k->time_ms.count)
        finding_set(f, "latest", value_time((int64_t)k->time_ms.at[to - 1]));
}

static int tell_fork(struct audit *a, struct audit_copy *k, const struct outcome *o)
{
    struct finding *f = tell(a, AUDIT_FORK, o->fork);
    if (f) {
        finding_index(f, o->agreed);
        finding_number(f, "agreed", o->agreed);
        finding_number(f, "count", o->forks);
        set_times(f, k, o->agreed, o->fork->key.size);
        f->proof =
            proof_of_two(k->origin, proof_of_copy(k, o->fork->key.size), claim_proof(a, o->fork));
    }
    return finding_check(f);
}

/* A copy that ends before what its owner has signed: it was cut, or made earlier, and what stands
 * behind its end is not known. One of a running node has merely grown since. */
static int tell_beyond(struct audit *a, struct audit_copy *k, const struct outcome *o)
{
    uint64_t newest = k->checkpoints.count ? k->checkpoints.at[k->checkpoints.count - 1].size : 0;
    if (newest > k->size)
        return COMITY_OK; /* its own checkpoint has told so */
    struct finding *f = tell(a, k->is_live ? AUDIT_COPY_OLDER : AUDIT_COPY_SHORT, o->beyond);
    if (f) {
        finding_index(f, k->size);
        finding_number(f, "count", o->beyonds);
        set_times(f, k, k->size, 0);
        f->proof = proof_of_two(k->origin, proof_of_copy(k, k->covered), claim_proof(a, o->beyond));
    }
    return finding_check(f);
}

static int tell_outcome(struct audit *a, struct audit_copy *k, const struct outcome *o)
{
    int err = COMITY_OK;
    if (o->fork)
        err = tell_fork(a, k, o);
    if (!err && o->beyond)
        err = tell_beyond(a, k, o);
    if (!err && o->uncovered) {
        struct finding *f = tell(a, AUDIT_COPY_OTHER, o->uncovered);
        if (f)
            f->proof = claim_proof(a, o->uncovered);
        err = finding_check(f);
    }
    if (!err && o->unsigned_ && !o->fork) {
        struct finding *f = tell(a, AUDIT_STATED_OTHER, o->unsigned_);
        if (f && o->unsigned_->index != UINT64_MAX)
            finding_number(f, "entry", o->unsigned_->index);
        err = finding_check(f);
    }
    return err;
}

static int hold_all(struct audit *a, struct audit_copy *k, struct claim *const *c, size_t n)
{
    struct outcome o = {0};
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < n; i++) {
        if (is_own_checkpoint(c[i], k)) {
            o.fork = o.fork ? o.fork : c[i];
            o.forks++;
        } else {
            err = hold(a, k, c[i], &o);
        }
    }
    return err ? err : tell_outcome(a, k, &o);
}

/* ---- without a copy ---- */

/* Claims of one size, the best shown first. */
static int hold_together(struct audit *a, struct claim *const *c, size_t n, bool *forked)
{
    for (size_t i = 1; i < n; i++)
        audit_did(a, NULL, CHECK_FOREIGN, false);
    if (n == 1)
        audit_did(a, NULL, CHECK_FOREIGN, true);
    if (n < 2 || *forked)
        return COMITY_OK;
    bool is_proven = c[1]->basis != CLAIM_STATED;
    struct finding *f = tell(a, is_proven ? AUDIT_FORK : AUDIT_STATED_OTHER, c[1]);
    if (f) {
        if (is_proven)
            f->proof = proof_of_two(c[0]->key.of, claim_proof(a, c[0]), claim_proof(a, c[1]));
        else if (c[1]->index != UINT64_MAX)
            finding_number(f, "entry", c[1]->index);
        finding_set(f, "holder", json_string(c[0]->holder->origin->name));
        *forked = is_proven;
    }
    return finding_check(f);
}

/* ---- two copies of one ledger ---- */

static uint64_t first_difference(const struct audit_copy *a, const struct audit_copy *b, uint64_t n)
{
    uint64_t i = 0;
    while (i < n && hash_equal(&a->tree.leaf.at[i], &b->tree.leaf.at[i]))
        i++;
    return i;
}

static int hold_copies(struct audit *a, struct audit_copy *x, struct audit_copy *y)
{
    uint64_t n = x->covered < y->covered ? x->covered : y->covered;
    uint64_t at = first_difference(x, y, n);
    audit_did(a, NULL, CHECK_FOREIGN, at == n);
    if (at == n)
        return COMITY_OK;
    struct finding *f = finding_add(a, AUDIT_FORK, x->origin);
    if (f) {
        finding_index(f, at);
        finding_number(f, "size", n);
        finding_number(f, "agreed", at);
        finding_set(f, "other", json_string(y->path));
        finding_set(f, "holder", json_string(x->path));
        set_times(f, x, at, at + 1);
        f->proof = proof_of_two(x->origin, proof_of_copy(x, n), proof_of_copy(y, n));
    }
    return finding_check(f);
}

/* ---- all of them ---- */

static int compare_claims(const void *p, const void *q)
{
    const struct claim *x = *(struct claim *const *)p;
    const struct claim *y = *(struct claim *const *)q;
    int order = strcmp(x->key.of->name, y->key.of->name);
    if (order)
        return order;
    if (x->key.size != y->key.size)
        return x->key.size < y->key.size ? -1 : 1;
    if (x->basis != y->basis)
        return x->basis > y->basis ? -1 : 1;
    return memcmp(x->key.root.b, y->key.root.b, HASH_LEN);
}

static int check_origin(struct audit *a, struct claim *const *c, size_t n)
{
    struct origin_node *of = c[0]->key.of;
    bool forked = false;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < of->copies.count; i++)
        err = hold_all(a, of->copies.at[i], c, n);
    for (size_t i = 0; !err && !of->copies.count && i < n;) {
        size_t k = i + 1;
        while (k < n && c[k]->key.size == c[i]->key.size)
            k++;
        err = hold_together(a, c + i, k - i, &forked);
        i = k;
    }
    return err;
}

static int check_copies(struct audit *a)
{
    int err = COMITY_OK;
    for (struct origin_node *o = a->origins; o && !err; o = o->hh.next)
        for (size_t i = 1; !err && i < o->copies.count; i++)
            err = hold_copies(a, o->copies.at[i - 1], o->copies.at[i]);
    return err;
}

int claims_check(struct audit *a)
{
    size_t n = HASH_COUNT(a->claims);
    struct claim **all = calloc(n ? n : 1, sizeof *all);
    size_t at = 0;
    if (!all)
        return COMITY_E_NOMEM;
    for (struct claim *c = a->claims; c; c = c->hh.next)
        all[at++] = c;
    if (n)
        qsort(all, n, sizeof *all, compare_claims);
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < n;) {
        size_t k = i + 1;
        while (k < n && all[k]->key.of == all[i]->key.of)
            k++;
        err = check_origin(a, all + i, k - i);
        i = k;
    }
    free(all);
    return err ? err : check_copies(a);
}
