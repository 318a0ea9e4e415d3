/* The multiproof with cuts: every set and every cut of small trees against the definition, large
 * ones at random. */
#include "ledger/proof.h"

#include "trees.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct suite *suite;

enum { LEAVES_MAX = 5000, EXHAUSTIVE_MAX = 8 };
static struct hash leaf[LEAVES_MAX];
static struct hash root_at[LEAVES_MAX + 1];
static unsigned others_refused;

static int set_up(void **state)
{
    (void)state;
    if (crypto_init())
        return -1;
    suite = suite_get(SUITE_1);
    number_leaves(suite, leaf, LEAVES_MAX);
    for (uint64_t n = 0; n <= 300; n++)
        naive_hash(suite, leaf, n, &root_at[n]);
    return 0;
}

/* A shape with room for its own lists, and the leaves that belong to it. */
struct claim {
    struct multiproof_shape shape;
    uint64_t index[LEAVES_MAX];
    uint64_t cut[LEAVES_MAX];
    struct hash leaf[LEAVES_MAX];
};

static void claim_settle(struct claim *c, uint64_t size, size_t index_count, size_t cut_count)
{
    c->shape = (struct multiproof_shape){.index = c->index,
                                         .index_count = index_count,
                                         .cut = c->cut,
                                         .cut_count = cut_count,
                                         .size = size};
    for (size_t i = 0; i < index_count; i++)
        if (c->index[i] < LEAVES_MAX)
            c->leaf[i] = leaf[c->index[i]];
}

/* Bit i of ${set}: leaf i; bit i of ${cuts}: a cut at i. */
static void claim_from_bits(struct claim *c, uint64_t size, unsigned set, unsigned cuts)
{
    size_t s = 0, k = 0;
    for (uint64_t i = 0; i < size; i++) {
        if (set >> i & 1)
            c->index[s++] = i;
        if (i > 0 && cuts >> i & 1)
            c->cut[k++] = i;
    }
    claim_settle(c, size, s, k);
}

/* The definition, over bits. */
static size_t define(unsigned set, unsigned cuts, uint64_t lo, uint64_t hi, struct hash *out)
{
    bool asked = false;
    for (uint64_t i = lo; i < hi; i++)
        asked = asked || (set >> i & 1) || (i > lo && (cuts >> i & 1));
    if (!asked) {
        naive_hash(suite, leaf + lo, hi - lo, out);
        return 1;
    }
    if (hi - lo == 1)
        return 0;
    uint64_t k = 1;
    while (k * 2 < hi - lo)
        k *= 2;
    size_t n = define(set, cuts, lo, lo + k, out);
    return n + define(set, cuts, lo + k, hi, out + n);
}

/* Whether the proof convinces somebody who knows the roots of the tree and of all cuts. */
static int convince(const struct claim *c, const struct hash *proof, size_t n)
{
    struct hash root, *cuts = calloc(c->shape.cut_count + 1, sizeof *cuts), want;
    assert_non_null(cuts);
    int err = multiproof_roots(suite, &c->shape, c->leaf, proof, n, &root, cuts);
    if (!err) {
        naive_hash(suite, leaf, c->shape.size, &want);
        if (!hash_equal(&root, &want))
            err = COMITY_E_PROOF;
    }
    for (size_t i = 0; !err && i < c->shape.cut_count; i++) {
        naive_hash(suite, leaf, c->shape.cut[i], &want);
        if (!hash_equal(&cuts[i], &want))
            err = COMITY_E_PROOF;
    }
    free(cuts);
    return err;
}

static struct tree_source source_of(struct naive_tree *t, uint64_t size)
{
    *t = (struct naive_tree){.suite = suite, .leaf = leaf, .size = size};
    return naive_source(t);
}

static void every_set_and_cut_of_small_trees_matches_the_definition(void **state)
{
    (void)state;
    struct claim *c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (uint64_t size = 1; size <= EXHAUSTIVE_MAX; size++)
        for (unsigned set = 0; set < 1u << size; set++)
            for (unsigned cuts = 0; cuts < 1u << size; cuts += 2) {
                struct naive_tree t;
                struct tree_source src = source_of(&t, size);
                struct hash_list proof = {0};
                struct hash want[2 * EXHAUSTIVE_MAX];
                claim_from_bits(c, size, set, cuts);
                assert_int_equal(multiproof_prove(&src, &c->shape, &proof), 0);
                assert_int_equal(proof.count, define(set, cuts, 0, size, want));
                if (proof.count > 0)
                    assert_memory_equal(proof.at, want, proof.count * sizeof *want);
                assert_int_equal(convince(c, proof.at, proof.count), 0);
                hash_list_free(&proof);
            }
    free(c);
}

/* Whether these very hashes are the honest proof of ${c} as it stands: with leaves 0 and 1 of 3
 * known, one hash proves a cut at 1 as well as one at 2. */
static bool is_honest(const struct claim *c, const struct hash_list *proof)
{
    struct naive_tree t;
    struct tree_source src = source_of(&t, c->shape.size);
    struct hash_list own = {0};
    bool same = multiproof_prove(&src, &c->shape, &own) == 0 && own.count == proof->count &&
                (own.count == 0 || memcmp(own.at, proof->at, own.count * sizeof *own.at) == 0);
    for (size_t i = 0; same && i < c->shape.index_count; i++)
        same = hash_equal(&c->leaf[i], &leaf[c->index[i]]);
    hash_list_free(&own);
    return same;
}

/* With ${number}, which is part of ${c}, changed, the same hashes must not convince. */
static void assert_other_claim_fails(struct claim *c, uint64_t *number, uint64_t value,
                                     const struct hash_list *proof)
{
    uint64_t kept = *number;
    *number = value;
    if (value != kept && !is_honest(c, proof)) {
        others_refused++;
        assert_int_equal(convince(c, proof->at, proof->count), COMITY_E_PROOF);
    }
    *number = kept;
}

static void every_single_change_is_refused(void **state)
{
    (void)state;
    struct claim *c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (uint64_t size = 1; size <= 7; size++)
        for (unsigned set = 0; set < 1u << size; set++)
            for (unsigned cuts = 0; cuts < 1u << size; cuts += 2) {
                struct naive_tree t;
                struct tree_source src = source_of(&t, size);
                struct hash_list proof = {0};
                claim_from_bits(c, size, set, cuts);
                assert_int_equal(multiproof_prove(&src, &c->shape, &proof), 0);
                assert_int_equal(hash_list_add(&proof, &leaf[0]), 0);
                assert_int_equal(convince(c, proof.at, proof.count), COMITY_E_PROOF);
                proof.count--;
                if (proof.count > 0)
                    assert_int_equal(convince(c, proof.at, proof.count - 1), COMITY_E_PROOF);
                for (size_t i = 0; i < proof.count; i++) {
                    proof.at[i].b[i] ^= 1;
                    assert_int_equal(convince(c, proof.at, proof.count), COMITY_E_PROOF);
                    proof.at[i].b[i] ^= 1;
                }
                for (size_t i = 0; i < c->shape.index_count; i++) {
                    c->leaf[i].b[0] ^= 1;
                    assert_int_equal(convince(c, proof.at, proof.count), COMITY_E_PROOF);
                    c->leaf[i].b[0] ^= 1;
                    for (uint64_t v = 0; v <= size; v++)
                        assert_other_claim_fails(c, &c->index[i], v, &proof);
                }
                for (size_t i = 0; i < c->shape.cut_count; i++)
                    for (uint64_t v = 0; v <= size; v++)
                        assert_other_claim_fails(c, &c->cut[i], v, &proof);
                for (uint64_t v = 0; v <= 2 * size; v++)
                    assert_other_claim_fails(c, &c->shape.size, v, &proof);
                assert_int_equal(convince(c, proof.at, proof.count), 0);
                hash_list_free(&proof);
            }
    assert_true(others_refused > 100000);
    free(c);
}

static int by_number(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Up to ${n} different numbers from ${least} to ${below}-1, ascending. */
static size_t random_numbers(uint64_t *state, uint64_t *out, size_t n, uint64_t least,
                             uint64_t below)
{
    size_t kept = 0;
    if (below <= least)
        return 0;
    for (size_t i = 0; i < n; i++)
        out[i] = least + next_random(state) % (below - least);
    qsort(out, n, sizeof *out, by_number);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || out[kept - 1] != out[i])
            out[kept++] = out[i];
    return kept;
}

static void random_claims_on_large_trees_verify(void **state)
{
    (void)state;
    uint64_t random = 20260101;
    struct claim *c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (int round = 0; round < 60; round++) {
        uint64_t size = 1 + next_random(&random) % LEAVES_MAX;
        size_t s = random_numbers(&random, c->index, next_random(&random) % 60, 0, size);
        size_t k = random_numbers(&random, c->cut, next_random(&random) % 6, 1, size);
        struct naive_tree t;
        struct tree_source src = source_of(&t, size);
        struct hash_list proof = {0};
        claim_settle(c, size, s, k);
        assert_int_equal(multiproof_prove(&src, &c->shape, &proof), 0);
        assert_int_equal(convince(c, proof.at, proof.count), 0);
        if (proof.count > 0) {
            proof.at[next_random(&random) % proof.count].b[7] ^= 0x80;
            assert_int_equal(convince(c, proof.at, proof.count), COMITY_E_PROOF);
        }
        hash_list_free(&proof);
    }
    free(c);
}

static void one_leaf_without_cut_is_the_inclusion_path_from_left_to_right(void **state)
{
    (void)state;
    for (uint64_t size = 1; size <= 130; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct naive_tree t;
            struct tree_source src = source_of(&t, size);
            struct multiproof_shape shape = {.index = &index, .index_count = 1, .size = size};
            struct hash_list proof = {0}, path = {0};
            assert_int_equal(multiproof_prove(&src, &shape, &proof), 0);
            assert_int_equal(proof_inclusion(&src, index, size, &path), 0);
            assert_int_equal(proof.count, path.count);
            /* Siblings to the left, the farthest first; then those to the right, the nearest first.
             */
            size_t left = 0, right = path.count;
            uint64_t lo = 0, hi = size;
            while (hi - lo > 1) {
                uint64_t k = 1;
                while (k * 2 < hi - lo)
                    k *= 2;
                size_t depth_from_leaf = path.count - 1 - (left + (path.count - right));
                const struct hash *want = &path.at[depth_from_leaf];
                bool go_right = index >= lo + k;
                const struct hash *got = go_right ? &proof.at[left++] : &proof.at[--right];
                assert_memory_equal(got->b, want->b, HASH_LEN);
                if (go_right)
                    lo += k;
                else
                    hi = lo + k;
            }
            assert_int_equal(left, right);
            hash_list_free(&proof);
            hash_list_free(&path);
        }
}

static void narrow_gives_the_inclusion_path_of_each_leaf(void **state)
{
    (void)state;
    uint64_t random = 99;
    struct claim *c = calloc(1, sizeof *c);
    assert_non_null(c);
    for (int round = 0; round < 300; round++) {
        uint64_t size = 1 + next_random(&random) % 300;
        size_t s = random_numbers(&random, c->index, 1 + next_random(&random) % 40, 0, size);
        size_t k = random_numbers(&random, c->cut, next_random(&random) % 4, 1, size);
        if (round % 2) { /* a run, as parcels have them */
            s = 1 + next_random(&random) % size;
            for (size_t i = 0; i < s; i++)
                c->index[i] = size - s + i;
        }
        struct naive_tree t;
        struct tree_source src = source_of(&t, size);
        struct hash_list proof = {0};
        claim_settle(c, size, s, k);
        assert_int_equal(multiproof_prove(&src, &c->shape, &proof), 0);
        for (size_t i = 0; i < s; i++) {
            struct hash_list path = {0}, want = {0};
            assert_int_equal(
                multiproof_narrow(suite, &c->shape, c->leaf, proof.at, proof.count, i, &path), 0);
            assert_int_equal(proof_inclusion(&src, c->index[i], size, &want), 0);
            assert_int_equal(path.count, want.count);
            if (want.count > 0)
                assert_memory_equal(path.at, want.at, want.count * sizeof *want.at);
            assert_int_equal(proof_inclusion_verify(suite, &leaf[c->index[i]], c->index[i], size,
                                                    path.at, path.count, &root_at[size]),
                             0);
            hash_list_free(&path);
            hash_list_free(&want);
        }
        struct hash_list path = {0};
        assert_int_equal(
            multiproof_narrow(suite, &c->shape, c->leaf, proof.at, proof.count, s, &path),
            COMITY_E_INVALID);
        assert_int_equal(
            multiproof_narrow(suite, &c->shape, c->leaf, proof.at, proof.count + 1, 0, &path),
            COMITY_E_PROOF);
        assert_int_equal(path.count, 0);
        hash_list_free(&proof);
    }
    free(c);
}

static void nothing_asked_is_proven_by_the_root(void **state)
{
    (void)state;
    for (uint64_t size = 0; size <= 20; size++) {
        struct naive_tree t;
        struct tree_source src = source_of(&t, size);
        struct multiproof_shape shape = {.size = size};
        struct hash_list proof = {0};
        struct hash root;
        assert_int_equal(multiproof_prove(&src, &shape, &proof), 0);
        assert_int_equal(proof.count, 1);
        assert_memory_equal(proof.at[0].b, root_at[size].b, HASH_LEN);
        assert_int_equal(multiproof_roots(suite, &shape, NULL, proof.at, 1, &root, NULL), 0);
        assert_memory_equal(root.b, root_at[size].b, HASH_LEN);
        assert_int_equal(multiproof_roots(suite, &shape, NULL, NULL, 0, &root, NULL),
                         COMITY_E_PROOF);
        hash_list_free(&proof);
    }
    /* The empty tree has one root only. */
    struct multiproof_shape empty = {.size = 0};
    struct hash root;
    assert_int_equal(multiproof_roots(suite, &empty, NULL, &leaf[0], 1, &root, NULL),
                     COMITY_E_PROOF);
}

static void shapes_that_are_none_are_refused(void **state)
{
    (void)state;
    static const struct {
        uint64_t index[2];
        size_t index_count;
        uint64_t cut[2];
        size_t cut_count;
        uint64_t size;
    } rows[] = {
        {.index = {3, 3}, .index_count = 2, .size = 9},
        {.index = {4, 3}, .index_count = 2, .size = 9},
        {.index = {9}, .index_count = 1, .size = 9},
        {.index = {0}, .index_count = 1, .size = 0},
        {.cut = {0}, .cut_count = 1, .size = 9},
        {.cut = {9}, .cut_count = 1, .size = 9},
        {.cut = {2, 2}, .cut_count = 2, .size = 9},
        {.cut = {3, 2}, .cut_count = 2, .size = 9},
        {.cut = {1}, .cut_count = 1, .size = 1},
        {.size = PROOF_SIZE_MAX + 1},
        {.index = {UINT64_MAX}, .index_count = 1, .size = UINT64_MAX},
    };
    struct naive_tree t;
    struct tree_source src = source_of(&t, 9);
    struct hash at[2] = {leaf[0], leaf[1]}, untouched = leaf[2], cuts[2] = {leaf[3], leaf[3]};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct multiproof_shape shape = {.index = rows[i].index,
                                         .index_count = rows[i].index_count,
                                         .cut = rows[i].cut,
                                         .cut_count = rows[i].cut_count,
                                         .size = rows[i].size};
        struct hash_list proof = {0};
        assert_int_equal(multiproof_prove(&src, &shape, &proof), COMITY_E_INVALID);
        for (size_t n = 0; n <= 2; n++)
            assert_int_equal(multiproof_roots(suite, &shape, at, at, n, &untouched, cuts),
                             COMITY_E_PROOF);
        assert_memory_equal(untouched.b, leaf[2].b, HASH_LEN);
        assert_memory_equal(cuts[0].b, leaf[3].b, HASH_LEN);
    }
}

static struct hash uniform[64];

static int uniform_subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    (void)self;
    *ret = uniform[__builtin_ctzll(hi - lo)];
    return 0;
}

static void largest_trees_are_proven_without_overflow(void **state)
{
    (void)state;
    uniform[0] = leaf[0];
    for (size_t h = 1; h < 64; h++)
        hash_node(suite, &uniform[h - 1], &uniform[h - 1], &uniform[h]);
    struct tree_source src = {.subtree = uniform_subtree, .suite = suite};
    uint64_t random = 5;
    for (int round = 0; round < 200; round++) {
        uint64_t size = PROOF_SIZE_MAX -
                        (round < 4 ? (uint64_t)round : next_random(&random) >> (1 + round % 62));
        uint64_t index[12], cut[5];
        struct hash leaves[12], cuts[5], root, want;
        struct multiproof_shape shape = {.index = index, .cut = cut, .size = size};
        shape.index_count = random_numbers(&random, index, 11, 0, size);
        shape.cut_count = random_numbers(&random, cut, 4, 1, size);
        if (index[shape.index_count - 1] != size - 1)
            index[shape.index_count++] = size - 1;
        for (size_t i = 0; i < 12; i++)
            leaves[i] = leaf[0];
        struct hash_list proof = {0}, path = {0};
        assert_int_equal(multiproof_prove(&src, &shape, &proof), 0);
        assert_int_equal(
            multiproof_roots(suite, &shape, leaves, proof.at, proof.count, &root, cuts), 0);
        assert_int_equal(tree_hash(&src, 0, size, &want), 0);
        assert_memory_equal(root.b, want.b, HASH_LEN);
        for (size_t i = 0; i < shape.cut_count; i++) {
            assert_int_equal(tree_hash(&src, 0, cut[i], &want), 0);
            assert_memory_equal(cuts[i].b, want.b, HASH_LEN);
        }
        assert_int_equal(multiproof_narrow(suite, &shape, leaves, proof.at, proof.count, 0, &path),
                         0);
        assert_int_equal(
            proof_inclusion_verify(suite, &leaf[0], index[0], size, path.at, path.count, &root), 0);
        hash_list_free(&proof);
        hash_list_free(&path);
    }
}

static int failing_subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    int *left = self;
    return (*left)-- == 0 ? COMITY_E_IO : uniform_subtree(NULL, lo, hi, ret);
}

static void prover_whose_source_fails_leaves_the_list_alone(void **state)
{
    (void)state;
    uint64_t index = 37, cut = 70;
    struct multiproof_shape shape = {
        .index = &index, .index_count = 1, .cut = &cut, .cut_count = 1, .size = 127};
    for (int good = 0; good < 12; good++) {
        int left = good;
        struct tree_source src = {.subtree = failing_subtree, .self = &left, .suite = suite};
        struct hash_list proof = {0};
        assert_int_equal(hash_list_add(&proof, &leaf[3]), 0);
        assert_int_equal(multiproof_prove(&src, &shape, &proof), COMITY_E_IO);
        assert_int_equal(proof.count, 1);
        hash_list_free(&proof);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_set_and_cut_of_small_trees_matches_the_definition),
        cmocka_unit_test(every_single_change_is_refused),
        cmocka_unit_test(random_claims_on_large_trees_verify),
        cmocka_unit_test(one_leaf_without_cut_is_the_inclusion_path_from_left_to_right),
        cmocka_unit_test(narrow_gives_the_inclusion_path_of_each_leaf),
        cmocka_unit_test(nothing_asked_is_proven_by_the_root),
        cmocka_unit_test(shapes_that_are_none_are_refused),
        cmocka_unit_test(largest_trees_are_proven_without_overflow),
        cmocka_unit_test(prover_whose_source_fails_leaves_the_list_alone),
    };
    return cmocka_run_group_tests_name("ledger/multiproof", tests, set_up, NULL);
}
