/*
 * Merkle proofs between two parties: the RFC 6962 paths. The multiproof is in multiproof.c. See
 * proof.h.
 */
#include "ledger/proof.h"

#include "ledger/shape.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

/* ---- lists ---- */

int hash_list_add(struct hash_list *l, const struct hash *h)
{
    if (l->count == l->cap) {
        size_t cap = l->cap ? 2 * l->cap : 32;
        struct hash *at = reallocarray(l->at, cap, sizeof *at);
        if (!at)
            return COMITY_E_NOMEM;
        l->at = at;
        l->cap = cap;
    }
    l->at[l->count++] = *h;
    return COMITY_OK;
}

void hash_list_free(struct hash_list *l)
{
    if (!l)
        return;
    free(l->at);
    *l = (struct hash_list){0};
}

/* What a prover has added behind ${start} becomes part of the list, or is taken back. Provers walk
 * from the root to the leaf; paths are written from the leaf to the root. */
static int settle_reversed(struct hash_list *l, size_t start, int err)
{
    if (err) {
        l->count = start;
        return err;
    }
    for (size_t i = start, j = l->count; i + 1 < j; i++, j--) {
        struct hash h = l->at[i];
        l->at[i] = l->at[j - 1];
        l->at[j - 1] = h;
    }
    return COMITY_OK;
}

/* ---- the hash of a part of the tree ---- */

/* Down the right edge: complete subtrees from left to right, then folded from the right. */
int tree_hash(const struct tree_source *src, uint64_t lo, uint64_t hi, struct hash *ret)
{
    struct hash part[PROOF_PATH_MAX];
    size_t n = 0;
    if (lo > hi || hi > PROOF_SIZE_MAX)
        return COMITY_E_INVALID;
    if (lo == hi) {
        hash_of(src->suite, ret, BYTES_NONE);
        return COMITY_OK;
    }
    for (uint64_t at = lo; at < hi;) {
        uint64_t width = power_of_two_within(hi - at);
        if (at % width != 0)
            return COMITY_E_INVALID;
        int err = src->subtree(src->self, at, at + width, &part[n++]);
        if (err)
            return err;
        at += width;
    }
    struct hash h = part[--n];
    while (n > 0)
        hash_node(src->suite, &part[--n], &h, &h);
    *ret = h;
    return COMITY_OK;
}

static int add_tree_hash(const struct tree_source *src, uint64_t lo, uint64_t hi,
                         struct hash_list *out)
{
    struct hash h;
    int err = tree_hash(src, lo, hi, &h);
    return err ? err : hash_list_add(out, &h);
}

/* ---- inclusion ---- */

int proof_inclusion(const struct tree_source *src, uint64_t index, uint64_t size,
                    struct hash_list *out)
{
    size_t start = out->count;
    int err = COMITY_OK;
    if (index >= size || size > PROOF_SIZE_MAX)
        return COMITY_E_INVALID;
    for (uint64_t lo = 0, hi = size; !err && hi - lo > 1;) {
        uint64_t mid = split_of(lo, hi);
        if (index < mid) {
            err = add_tree_hash(src, mid, hi, out);
            hi = mid;
        } else {
            err = add_tree_hash(src, lo, mid, out);
            lo = mid;
        }
    }
    return settle_reversed(out, start, err);
}

/*
 * Climbing (RFC 9162, 2.1.3.2): `node` is the place of what we have in its row, `last` that of the
 * row's last node. The last node of a row of odd length has no sibling and climbs without a hash
 * until it is a right child.
 */
struct climb {
    uint64_t node;
    uint64_t last;
};

/* Whether the next hash of the path stands to the left; false when the path is longer than the tree
 * is high. */
static bool climb_step(struct climb *c, bool *ret_sibling_is_left)
{
    if (c->last == 0)
        return false;
    bool left = (c->node & 1) || c->node == c->last;
    if (left)
        while (!(c->node & 1) && c->node != 0) {
            c->node >>= 1;
            c->last >>= 1;
        }
    c->node >>= 1;
    c->last >>= 1;
    *ret_sibling_is_left = left;
    return true;
}

int proof_inclusion_verify(const struct suite *suite, const struct hash *leaf, uint64_t index,
                           uint64_t size, const struct hash *path, size_t n,
                           const struct hash *root)
{
    if (index >= size || size > PROOF_SIZE_MAX || n > PROOF_PATH_MAX)
        return COMITY_E_INCLUSION;
    struct climb c = {.node = index, .last = size - 1};
    struct hash h = *leaf;
    for (size_t i = 0; i < n; i++) {
        bool left = false;
        if (!climb_step(&c, &left))
            return COMITY_E_INCLUSION;
        hash_node(suite, left ? &path[i] : &h, left ? &h : &path[i], &h);
    }
    return c.last == 0 && hash_equal(&h, root) ? COMITY_OK : COMITY_E_INCLUSION;
}

/* ---- consistency ---- */

int proof_consistency(const struct tree_source *src, uint64_t from, uint64_t to,
                      struct hash_list *out)
{
    size_t start = out->count;
    uint64_t lo = 0, hi = to;
    int err = COMITY_OK;
    if (from > to || to > PROOF_SIZE_MAX)
        return COMITY_E_INVALID;
    if (from == 0 || from == to)
        return COMITY_OK;
    while (!err && hi != from) {
        uint64_t mid = split_of(lo, hi);
        if (from <= mid) {
            err = add_tree_hash(src, mid, hi, out);
            hi = mid;
        } else {
            err = add_tree_hash(src, lo, mid, out);
            lo = mid;
        }
    }
    /* A left part that is the whole old tree is known to the verifier. */
    if (!err && lo != 0)
        err = add_tree_hash(src, lo, hi, out);
    return settle_reversed(out, start, err);
}

/* RFC 9162, 2.1.4.2, for 0 < from < to. */
static bool consistency_holds(const struct suite *suite, uint64_t from,
                              const struct hash *from_root, uint64_t to, const struct hash *to_root,
                              const struct hash *path, size_t n)
{
    struct climb c = {.node = from - 1, .last = to - 1};
    while (c.node & 1) {
        c.node >>= 1;
        c.last >>= 1;
    }
    /* Where the old tree is complete, its root is the start; else the path brings one along. */
    bool complete = c.node == 0;
    if (n == 0)
        return false;
    size_t i = complete ? 0 : 1;
    struct hash old = complete ? *from_root : path[0], new = old;
    for (; i < n; i++) {
        bool left = false;
        if (!climb_step(&c, &left))
            return false;
        if (left)
            hash_node(suite, &path[i], &old, &old);
        hash_node(suite, left ? &path[i] : &new, left ? &new : &path[i], &new);
    }
    return c.last == 0 && hash_equal(&old, from_root) && hash_equal(&new, to_root);
}

int proof_consistency_verify(const struct suite *suite, uint64_t from, const struct hash *from_root,
                             uint64_t to, const struct hash *to_root, const struct hash *path,
                             size_t n)
{
    bool holds = false;
    if (from > to || to > PROOF_SIZE_MAX || n > PROOF_CONSISTENCY_MAX)
        return COMITY_E_CONSISTENCY;
    if (from == 0)
        holds = n == 0;
    else if (from == to)
        holds = n == 0 && hash_equal(from_root, to_root);
    else
        holds = consistency_holds(suite, from, from_root, to, to_root, path, n);
    return holds ? COMITY_OK : COMITY_E_CONSISTENCY;
}
