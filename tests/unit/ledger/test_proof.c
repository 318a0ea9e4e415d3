/* RFC 6962 paths: published trees, every small size against the definition, the largest sizes, and
 * what is refused. */
#include "ledger/proof.h"

#include "base/text.h"
#include "trees.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct suite *suite;

enum { SMALL_MAX = 65 };
static struct hash leaf[SMALL_MAX];

static int set_up(void **state)
{
    (void)state;
    if (crypto_init())
        return -1;
    suite = suite_get(SUITE_1);
    number_leaves(suite, leaf, SMALL_MAX);
    return 0;
}

static void assert_hash_hex(const struct hash *h, const char *hex)
{
    uint8_t want[HASH_LEN];
    assert_int_equal(text_get_hex(bytes_of(hex), want, HASH_LEN), 0);
    assert_memory_equal(h->b, want, HASH_LEN);
}

static void root_of(uint64_t n, struct hash *ret)
{
    naive_hash(suite, leaf, n, ret);
}

static void tree_hash_published_roots_match(void **state)
{
    (void)state;
    struct hash leaves[8], root;
    for (size_t i = 0; i < 8; i++) {
        uint8_t entry[16];
        size_t len = strlen(rfc6962_leaf[i]) / 2;
        assert_int_equal(text_get_hex(bytes_of(rfc6962_leaf[i]), entry, len), 0);
        hash_leaf(suite, BYTES(entry, len), &leaves[i]);
    }
    for (uint64_t n = 0; n <= 8; n++) {
        struct naive_tree t = {.suite = suite, .leaf = leaves, .size = n};
        struct tree_source src = naive_source(&t);
        assert_int_equal(tree_hash(&src, 0, n, &root), 0);
        assert_hash_hex(&root, rfc6962_root[n]);
    }
}

static void inclusion_published_path_matches(void **state)
{
    (void)state;
    struct hash leaves[TESSERA_SIZE], root;
    for (size_t i = 0; i < TESSERA_SIZE; i++)
        hash_leaf(suite, bytes_of(tessera_entry[i]), &leaves[i]);
    struct naive_tree t = {.suite = suite, .leaf = leaves, .size = TESSERA_SIZE};
    struct tree_source src = naive_source(&t);
    struct hash_list path = {0};
    assert_int_equal(tree_hash(&src, 0, TESSERA_SIZE, &root), 0);
    assert_hash_hex(&root, tessera_root);
    assert_int_equal(proof_inclusion(&src, 4, TESSERA_SIZE, &path), 0);
    assert_int_equal(path.count, 4);
    for (size_t i = 0; i < 4; i++) {
        struct hash want;
        assert_int_equal(text_get_base64_exact(bytes_of(tessera_path[i]), want.b, HASH_LEN), 0);
        assert_memory_equal(path.at[i].b, want.b, HASH_LEN);
    }
    assert_int_equal(
        proof_inclusion_verify(suite, &leaves[4], 4, TESSERA_SIZE, path.at, path.count, &root), 0);
    hash_list_free(&path);
}

static void tree_hash_every_shape_matches_the_definition(void **state)
{
    (void)state;
    struct naive_tree t = {.suite = suite, .leaf = leaf, .size = SMALL_MAX};
    struct tree_source src = naive_source(&t);
    struct hash got, want;
    for (uint64_t lo = 0; lo <= SMALL_MAX; lo++)
        for (uint64_t hi = lo; hi <= SMALL_MAX; hi++) {
            uint64_t k = 1;
            while (k * 2 <= hi - lo)
                k *= 2;
            bool occurs = hi == lo || lo % k == 0;
            assert_int_equal(tree_hash(&src, lo, hi, &got), occurs ? 0 : COMITY_E_INVALID);
            if (!occurs)
                continue;
            naive_hash(suite, leaf + lo, hi - lo, &want);
            assert_memory_equal(got.b, want.b, HASH_LEN);
        }
    assert_int_equal(tree_hash(&src, 2, 1, &got), COMITY_E_INVALID);
}

/* Every proof one step away from ${path}: a bit flipped, one hash fewer, one more, two swapped. */
static void each_mutant(const struct hash_list *path,
                        void (*try)(void *self, const struct hash *at, size_t n), void *self)
{
    struct hash at[PROOF_PATH_MAX + 2];
    size_t n = path->count;
    assert_true(n <= PROOF_PATH_MAX);
    for (size_t i = 0; i < n; i++) {
        memcpy(at, path->at, n * sizeof *at);
        at[i].b[i % HASH_LEN] ^= 0x10;
        try(self, at, n);
        memcpy(at, path->at, n * sizeof *at);
        memmove(at + i, at + i + 1, (n - i - 1) * sizeof *at);
        try(self, at, n - 1);
        if (i == 0)
            continue;
        memcpy(at, path->at, n * sizeof *at);
        at[i] = path->at[i - 1];
        at[i - 1] = path->at[i];
        try(self, at, n);
    }
    if (n > 0)
        memcpy(at, path->at, n * sizeof *at);
    at[n] = leaf[0];
    try(self, at, n + 1);
    if (n > 0)
        memmove(at + 1, path->at, n * sizeof *at);
    at[0] = leaf[0];
    try(self, at, n + 1);
}

struct inclusion {
    uint64_t index;
    uint64_t size;
    struct hash root;
};

static void inclusion_mutant_is_refused(void *self, const struct hash *at, size_t n)
{
    struct inclusion *p = self;
    assert_int_equal(
        proof_inclusion_verify(suite, &leaf[p->index], p->index, p->size, at, n, &p->root),
        COMITY_E_INCLUSION);
}

static void inclusion_all_small_trees_verify_and_nothing_else_does(void **state)
{
    (void)state;
    struct naive_tree t = {.suite = suite, .leaf = leaf, .size = SMALL_MAX};
    struct tree_source src = naive_source(&t);
    for (uint64_t size = 1; size <= SMALL_MAX; size++)
        for (uint64_t index = 0; index < size; index++) {
            struct inclusion p = {.index = index, .size = size};
            struct hash_list path = {0};
            root_of(size, &p.root);
            assert_int_equal(proof_inclusion(&src, index, size, &path), 0);
            assert_int_equal(proof_inclusion_verify(suite, &leaf[index], index, size, path.at,
                                                    path.count, &p.root),
                             0);
            each_mutant(&path, inclusion_mutant_is_refused, &p);
            for (uint64_t other = 0; other <= size; other++)
                if (other != index)
                    assert_int_equal(proof_inclusion_verify(suite, &leaf[index], other, size,
                                                            path.at, path.count, &p.root),
                                     COMITY_E_INCLUSION);
            /* Under another size the root that was signed for it is another one. */
            for (uint64_t other = 0; other <= SMALL_MAX; other++) {
                struct hash root;
                root_of(other, &root);
                if (other != size)
                    assert_int_equal(proof_inclusion_verify(suite, &leaf[index], index, other,
                                                            path.at, path.count, &root),
                                     COMITY_E_INCLUSION);
            }
            struct hash wrong = leaf[index];
            wrong.b[31] ^= 1;
            assert_int_equal(
                proof_inclusion_verify(suite, &wrong, index, size, path.at, path.count, &p.root),
                COMITY_E_INCLUSION);
            wrong = p.root;
            wrong.b[0] ^= 1;
            assert_int_equal(proof_inclusion_verify(suite, &leaf[index], index, size, path.at,
                                                    path.count, &wrong),
                             COMITY_E_INCLUSION);
            hash_list_free(&path);
        }
}

struct consistency {
    uint64_t from;
    uint64_t to;
    struct hash from_root;
    struct hash to_root;
};

static int check(const struct consistency *p, const struct hash *at, size_t n)
{
    return proof_consistency_verify(suite, p->from, &p->from_root, p->to, &p->to_root, at, n);
}

static void consistency_mutant_is_refused(void *self, const struct hash *at, size_t n)
{
    assert_int_equal(check(self, at, n), COMITY_E_CONSISTENCY);
}

static void consistency_all_small_trees_verify_and_nothing_else_does(void **state)
{
    (void)state;
    struct naive_tree t = {.suite = suite, .leaf = leaf, .size = SMALL_MAX};
    struct tree_source src = naive_source(&t);
    for (uint64_t to = 0; to <= SMALL_MAX; to++)
        for (uint64_t from = 0; from <= to; from++) {
            struct consistency p = {.from = from, .to = to}, wrong;
            struct hash_list path = {0};
            root_of(from, &p.from_root);
            root_of(to, &p.to_root);
            assert_int_equal(proof_consistency(&src, from, to, &path), 0);
            assert_int_equal(check(&p, path.at, path.count), 0);
            if (from == 0 || from == to)
                assert_int_equal(path.count, 0);
            each_mutant(&path, consistency_mutant_is_refused, &p);
            for (uint64_t other = 1; other <= SMALL_MAX; other++) {
                wrong = p;
                wrong.from = other;
                root_of(other, &wrong.from_root);
                if (from != 0 && other != from && other != to)
                    assert_int_equal(check(&wrong, path.at, path.count), COMITY_E_CONSISTENCY);
                wrong = p;
                wrong.to = other;
                root_of(other, &wrong.to_root);
                if (from != 0 && from != to && other != from && other != to)
                    assert_int_equal(check(&wrong, path.at, path.count), COMITY_E_CONSISTENCY);
            }
            wrong = p;
            wrong.from_root.b[5] ^= 4;
            assert_int_equal(check(&wrong, path.at, path.count), from ? COMITY_E_CONSISTENCY : 0);
            wrong = p;
            wrong.to_root.b[5] ^= 4;
            assert_int_equal(check(&wrong, path.at, path.count), from ? COMITY_E_CONSISTENCY : 0);
            hash_list_free(&path);
        }
}

/* Whoever signs one root for two sizes is not believed by a proof that is too short for the larger.
 */
static void consistency_same_root_under_a_larger_size_is_refused(void **state)
{
    (void)state;
    struct naive_tree t = {.suite = suite, .leaf = leaf, .size = SMALL_MAX};
    struct tree_source src = naive_source(&t);
    struct consistency p = {.from = 4, .to = 8};
    struct hash_list path = {0};
    root_of(4, &p.from_root);
    root_of(8, &p.to_root);
    assert_int_equal(proof_consistency(&src, 4, 8, &path), 0);
    assert_int_equal(check(&p, path.at, path.count), 0);
    for (p.to = 9; p.to <= 64; p.to++)
        assert_int_equal(check(&p, path.at, path.count), COMITY_E_CONSISTENCY);
    hash_list_free(&path);
}

/* A tree all of whose leaves are the same: any size costs nothing. */
static struct hash uniform[64];

static int uniform_subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    (void)self;
    assert_true(hi > lo && lo % (hi - lo) == 0);
    *ret = uniform[__builtin_ctzll(hi - lo)];
    return 0;
}

static const struct tree_source *uniform_source(void)
{
    static struct tree_source src;
    uniform[0] = leaf[0];
    for (size_t h = 1; h < 64; h++)
        hash_node(suite, &uniform[h - 1], &uniform[h - 1], &uniform[h]);
    src = (struct tree_source){.subtree = uniform_subtree, .suite = suite};
    return &src;
}

static void largest_trees_are_proven_without_overflow(void **state)
{
    (void)state;
    const struct tree_source *src = uniform_source();
    uint64_t random = 7;
    for (int round = 0; round < 200; round++) {
        uint64_t size = PROOF_SIZE_MAX -
                        (round < 4 ? (uint64_t)round : next_random(&random) >> (1 + round % 62));
        uint64_t part = round % 3 == 0   ? size - 1
                        : round % 3 == 1 ? 1
                                         : next_random(&random) % size;
        struct consistency p = {.from = part, .to = size};
        struct hash_list path = {0};
        assert_int_equal(tree_hash(src, 0, part, &p.from_root), 0);
        assert_int_equal(tree_hash(src, 0, size, &p.to_root), 0);
        assert_int_equal(proof_inclusion(src, part, size, &path), 0);
        assert_true(path.count <= PROOF_PATH_MAX);
        assert_int_equal(
            proof_inclusion_verify(suite, &leaf[0], part, size, path.at, path.count, &p.to_root),
            0);
        path.count = 0;
        assert_int_equal(proof_consistency(src, part, size, &path), 0);
        assert_true(path.count <= PROOF_CONSISTENCY_MAX);
        assert_int_equal(check(&p, path.at, path.count), 0);
        hash_list_free(&path);
    }
}

static void sizes_that_make_no_sense_are_refused(void **state)
{
    (void)state;
    const struct tree_source *src = uniform_source();
    struct hash_list path = {0};
    struct hash h = leaf[0];
    assert_int_equal(proof_inclusion(src, 5, 5, &path), COMITY_E_INVALID);
    assert_int_equal(proof_inclusion(src, 0, 0, &path), COMITY_E_INVALID);
    assert_int_equal(proof_inclusion(src, 0, PROOF_SIZE_MAX + 1, &path), COMITY_E_INVALID);
    assert_int_equal(proof_consistency(src, 6, 5, &path), COMITY_E_INVALID);
    assert_int_equal(proof_consistency(src, 1, UINT64_MAX, &path), COMITY_E_INVALID);
    assert_int_equal(tree_hash(src, 0, PROOF_SIZE_MAX + 1, &h), COMITY_E_INVALID);
    assert_int_equal(path.count, 0);
    assert_int_equal(proof_inclusion_verify(suite, &h, 0, 0, NULL, 0, &h), COMITY_E_INCLUSION);
    assert_int_equal(proof_inclusion_verify(suite, &h, UINT64_MAX, UINT64_MAX, NULL, 0, &h),
                     COMITY_E_INCLUSION);
    assert_int_equal(proof_inclusion_verify(suite, &h, 0, UINT64_MAX, NULL, 0, &h),
                     COMITY_E_INCLUSION);
    assert_int_equal(proof_consistency_verify(suite, 2, &h, 1, &h, NULL, 0), COMITY_E_CONSISTENCY);
    assert_int_equal(proof_consistency_verify(suite, UINT64_MAX, &h, UINT64_MAX, &h, NULL, 0),
                     COMITY_E_CONSISTENCY);
    assert_int_equal(proof_consistency_verify(suite, 1, &h, 2, &h, NULL, 0), COMITY_E_CONSISTENCY);
}

static int failing_subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    int *left = self;
    if ((*left)-- == 0)
        return COMITY_E_IO;
    return uniform_subtree(NULL, lo, hi, ret);
}

static void prover_whose_source_fails_leaves_the_list_alone(void **state)
{
    (void)state;
    (void)uniform_source();
    for (int good = 0; good < 11; good++) {
        int left = good;
        struct tree_source src = {.subtree = failing_subtree, .self = &left, .suite = suite};
        struct hash_list path = {0};
        assert_int_equal(hash_list_add(&path, &leaf[3]), 0);
        assert_int_equal(proof_inclusion(&src, 37, 127, &path), COMITY_E_IO);
        assert_int_equal(path.count, 1);
        left = good;
        assert_int_equal(proof_consistency(&src, 37, 127, &path), COMITY_E_IO);
        assert_int_equal(path.count, 1);
        assert_memory_equal(path.at[0].b, leaf[3].b, HASH_LEN);
        hash_list_free(&path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tree_hash_published_roots_match),
        cmocka_unit_test(inclusion_published_path_matches),
        cmocka_unit_test(tree_hash_every_shape_matches_the_definition),
        cmocka_unit_test(inclusion_all_small_trees_verify_and_nothing_else_does),
        cmocka_unit_test(consistency_all_small_trees_verify_and_nothing_else_does),
        cmocka_unit_test(consistency_same_root_under_a_larger_size_is_refused),
        cmocka_unit_test(largest_trees_are_proven_without_overflow),
        cmocka_unit_test(sizes_that_make_no_sense_are_refused),
        cmocka_unit_test(prover_whose_source_fails_leaves_the_list_alone),
    };
    return cmocka_run_group_tests_name("ledger/proof", tests, set_up, NULL);
}
