/*
 * The multiproof with cuts: one recursion over the tree, for prover and verifier. See proof.h.
 *
 * The recursion goes through the leaves from left to right, so that "which leaves and cuts are
 * inside" is a cursor into two ascending lists. What the shape asks for is counted before anything
 * is hashed: a proof of another length costs nothing and touches nothing. Depth is bounded by the
 * size, at most 2^63.
 */
#include "ledger/proof.h"
#include "ledger/shape.h"

#include <comity/err.h>

/* What has been passed of a shape. */
struct cursor {
    const struct multiproof_shape *shape;
    size_t index;
    size_t cut;
};

static bool ascending(const uint64_t *v, size_t n, uint64_t least, uint64_t below)
{
    for (size_t i = 0; i < n; i++)
        if (v[i] >= below || v[i] < least || (i > 0 && v[i] <= v[i - 1]))
            return false;
    return true;
}

static bool shape_is_valid(const struct multiproof_shape *s)
{
    return s->size <= PROOF_SIZE_MAX && ascending(s->index, s->index_count, 0, s->size) &&
           ascending(s->cut, s->cut_count, 1, s->size);
}

/* Nothing about leaves lo … hi-1 is asked: no leaf of the set inside, no cut strictly inside. */
static bool is_opaque(const struct cursor *c, uint64_t hi)
{
    const struct multiproof_shape *s = c->shape;
    return (c->index == s->index_count || s->index[c->index] >= hi) &&
           (c->cut == s->cut_count || s->cut[c->cut] >= hi);
}

/* Pass the cut between two halves, if there is one. True when there was. */
static bool pass_cut(struct cursor *c, uint64_t at)
{
    bool here = c->cut < c->shape->cut_count && c->shape->cut[c->cut] == at;
    c->cut += here;
    return here;
}

/* Call ${emit} for each part whose hash the shape needs, from left to right. */
static int walk(struct cursor *c, uint64_t lo, uint64_t hi,
                int (*emit)(void *self, uint64_t lo, uint64_t hi), void *self)
{
    if (is_opaque(c, hi))
        return emit(self, lo, hi);
    if (hi - lo == 1) {
        c->index++;
        return COMITY_OK;
    }
    uint64_t mid = split_of(lo, hi);
    int err = walk(c, lo, mid, emit, self);
    if (err)
        return err;
    (void)pass_cut(c, mid);
    return walk(c, mid, hi, emit, self);
}

static int count_one(void *self, uint64_t lo, uint64_t hi)
{
    (void)lo;
    (void)hi;
    ++*(size_t *)self;
    return COMITY_OK;
}

struct prover {
    const struct tree_source *src;
    struct hash_list *out;
};

static int prove_one(void *self, uint64_t lo, uint64_t hi)
{
    struct prover *p = self;
    struct hash h;
    int err = tree_hash(p->src, lo, hi, &h);
    return err ? err : hash_list_add(p->out, &h);
}

int multiproof_prove(const struct tree_source *src, const struct multiproof_shape *shape,
                     struct hash_list *out)
{
    if (!shape_is_valid(shape))
        return COMITY_E_INVALID;
    size_t start = out->count;
    struct cursor c = {.shape = shape};
    int err = walk(&c, 0, shape->size, prove_one, &(struct prover){.src = src, .out = out});
    if (err)
        out->count = start;
    return err;
}

/* ---- verifying ---- */

struct verifier {
    struct cursor at;
    const struct suite *suite;
    const struct hash *leaf;
    const struct hash *proof; /* the next one */
    struct hash *cuts;        /* NULL when nobody asks for them */
    bool follow;              /* collect the path of leaf `target` */
    uint64_t target;
    struct hash path[PROOF_PATH_MAX];
    size_t path_count;
};

/* The hash of leaves lo … hi-1. Cuts inside get the hash of what stands between lo and them. */
static void climb(struct verifier *v, uint64_t lo, uint64_t hi, struct hash *ret)
{
    struct hash left, right;
    if (is_opaque(&v->at, hi)) {
        *ret = *v->proof++;
        return;
    }
    if (hi - lo == 1) {
        *ret = v->leaf[v->at.index++];
        return;
    }
    uint64_t mid = split_of(lo, hi);
    climb(v, lo, mid, &left);
    if (pass_cut(&v->at, mid) && v->cuts)
        v->cuts[v->at.cut - 1] = left;
    size_t first = v->at.cut;
    climb(v, mid, hi, &right);
    for (size_t i = first; v->cuts && i < v->at.cut; i++)
        hash_node(v->suite, &left, &v->cuts[i], &v->cuts[i]);
    if (v->follow && v->target >= lo && v->target < hi)
        v->path[v->path_count++] = v->target < mid ? right : left;
    hash_node(v->suite, &left, &right, ret);
}

/* Whether ${shape} is one, and ${n} the number of hashes that it takes. */
static bool fits(const struct multiproof_shape *shape, size_t n)
{
    size_t need = 0;
    struct cursor c = {.shape = shape};
    return shape_is_valid(shape) && walk(&c, 0, shape->size, count_one, &need) == COMITY_OK &&
           need == n;
}

int multiproof_roots(const struct suite *suite, const struct multiproof_shape *shape,
                     const struct hash *leaf, const struct hash *proof, size_t n,
                     struct hash *ret_root, struct hash *ret_cuts)
{
    if (!fits(shape, n))
        return COMITY_E_PROOF;
    struct verifier v = {
        .at.shape = shape, .suite = suite, .leaf = leaf, .proof = proof, .cuts = ret_cuts};
    struct hash root, nothing;
    climb(&v, 0, shape->size, &root);
    hash_of(suite, &nothing, BYTES_NONE);
    if (shape->size == 0 && !hash_equal(&root, &nothing))
        return COMITY_E_PROOF;
    *ret_root = root;
    return COMITY_OK;
}

int multiproof_narrow(const struct suite *suite, const struct multiproof_shape *shape,
                      const struct hash *leaf, const struct hash *proof, size_t n, size_t which,
                      struct hash_list *out)
{
    if (!fits(shape, n))
        return COMITY_E_PROOF;
    if (which >= shape->index_count)
        return COMITY_E_INVALID;
    struct verifier v = {.at.shape = shape,
                         .suite = suite,
                         .leaf = leaf,
                         .proof = proof,
                         .follow = true,
                         .target = shape->index[which]};
    struct hash root;
    size_t start = out->count;
    int err = COMITY_OK;
    climb(&v, 0, shape->size, &root);
    for (size_t i = 0; !err && i < v.path_count; i++)
        err = hash_list_add(out, &v.path[i]);
    if (err)
        out->count = start;
    return err;
}
