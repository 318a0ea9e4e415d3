/*
 * Merkle proofs over RFC 6962 trees: inclusion, consistency, and the multiproof with cuts that
 * parcels carry.
 *
 * Pure functions. A prover reads subtree hashes from a `tree_source`; a verifier needs nothing but
 * the hashes. Every verifier consumes all of the proof or refuses it, and its depth is bounded
 * by 64. Provers take back what they have appended when they fail (COMITY_E_INVALID for sizes and
 * indices that make no sense, COMITY_E_NOMEM, or what the source said). A root does not say how
 * large its tree is: compare it only with one that was signed together with the size.
 *
 * The multiproof proves a set S of leaves in a tree of size n and, in one run, its consistency with
 * earlier sizes (cuts). prove(lo, hi): no leaf of S inside and no cut strictly inside: emit
 * hash(lo, hi). One leaf, in S: emit nothing. Else split at the largest power of two below hi - lo,
 * left first. The verifier runs the same recursion and obtains the roots at the cuts on the way: a
 * cut at lo + k is the left hash; one further right is H(0x01 ‖ left ‖ cut(right)); one in the left
 * passes up. For one leaf and no cut the hashes are those of the inclusion path, from left to
 * right. For no leaf and no cut the proof is the root itself, and for the empty tree that can only
 * be the hash of nothing.
 */
#ifndef LEDGER_PROOF_H
#define LEDGER_PROOF_H

#include "crypto/hash.h"

/* No tree is larger: everything here refuses a size above it, so that nothing can overflow. */
#define PROOF_SIZE_MAX ((uint64_t)1 << 63)

/* No inclusion path and no consistency proof has more hashes. */
enum { PROOF_PATH_MAX = 64, PROOF_CONSISTENCY_MAX = 64 };

/* Where subtree hashes come from. */
struct tree_source {
    /* The RFC 6962 hash of leaves lo … hi-1, where hi - lo is a power of two and lo a multiple of
     * it. */
    int (*subtree)(void *self, uint64_t lo, uint64_t hi, struct hash *ret);
    void *self;
    const struct suite *suite;
};

/* The hash of leaves lo … hi-1, of any shape that occurs in a tree (lo a multiple of the largest
 * power of two below hi - lo). hi == lo gives the hash of nothing. */
int tree_hash(const struct tree_source *src, uint64_t lo, uint64_t hi, struct hash *ret)
    __attribute__((warn_unused_result));

/* A growing list of hashes. */
struct hash_list {
    struct hash *at;
    size_t count;
    size_t cap;
};
int hash_list_add(struct hash_list *l, const struct hash *h) __attribute__((warn_unused_result));
void hash_list_free(struct hash_list *l);

/* RFC 6962, 2.1.1: the path of leaf ${index} in the tree of ${size}, leaf to root, appended to
 * ${out}. */
int proof_inclusion(const struct tree_source *src, uint64_t index, uint64_t size,
                    struct hash_list *out) __attribute__((warn_unused_result));
/* COMITY_E_INCLUSION unless the path leads from ${leaf} to ${root}. */
int proof_inclusion_verify(const struct suite *suite, const struct hash *leaf, uint64_t index,
                           uint64_t size, const struct hash *path, size_t n,
                           const struct hash *root) __attribute__((warn_unused_result));

/* RFC 6962, 2.1.2. Empty when from == to or from == 0. */
int proof_consistency(const struct tree_source *src, uint64_t from, uint64_t to,
                      struct hash_list *out) __attribute__((warn_unused_result));
/* COMITY_E_CONSISTENCY unless the tree of ${to} extends that of ${from}. from == 0 is consistent
 * with everything: the proof must be empty and no root is looked at. */
int proof_consistency_verify(const struct suite *suite, uint64_t from, const struct hash *from_root,
                             uint64_t to, const struct hash *to_root, const struct hash *path,
                             size_t n) __attribute__((warn_unused_result));

/* What a multiproof is about. ${index} ascending and unique, all below ${size}; ${cut} ascending
 * and unique, each above 0 and below ${size}. COMITY_E_INVALID (prover) or COMITY_E_PROOF
 * (verifier) otherwise. */
struct multiproof_shape {
    const uint64_t *index;
    size_t index_count;
    const uint64_t *cut;
    size_t cut_count;
    uint64_t size;
};

int multiproof_prove(const struct tree_source *src, const struct multiproof_shape *shape,
                     struct hash_list *out) __attribute__((warn_unused_result));

/*
 * Run the verifier: ${leaf}[i] is the leaf hash at shape->index[i]. The root to which the proof
 * leads goes to ${ret_root}, the roots at the cuts to ${ret_cuts} (cut_count of them, or NULL):
 * comparing them with roots known is the caller's. COMITY_E_PROOF when the shape is none, or the
 * number of hashes is not exactly what it takes; nothing is hashed then.
 */
int multiproof_roots(const struct suite *suite, const struct multiproof_shape *shape,
                     const struct hash *leaf, const struct hash *proof, size_t n,
                     struct hash *ret_root, struct hash *ret_cuts)
    __attribute__((warn_unused_result));

/*
 * From a multiproof that multiproof_roots accepted, the RFC 6962 inclusion path (leaf to root) of
 * shape->index[which] in the tree of shape->size, appended to ${out}: so that one record of a
 * parcel can be proven by itself. COMITY_E_INVALID when there is no such leaf.
 */
int multiproof_narrow(const struct suite *suite, const struct multiproof_shape *shape,
                      const struct hash *leaf, const struct hash *proof, size_t n, size_t which,
                      struct hash_list *out) __attribute__((warn_unused_result));

#endif
