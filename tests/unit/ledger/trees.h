/*
 * For the tests of proofs: trees whose hashes are computed the slow and obvious way, and the
 * published ones.
 */
#ifndef TESTS_LEDGER_TREES_H
#define TESTS_LEDGER_TREES_H

#include "ledger/proof.h"

/* Words of RFC 6962 on the left, code on the right: MTH(D[n]), word by word, without any
 * cleverness. */
static inline void naive_hash(const struct suite *s, const struct hash *leaf, uint64_t n,
                              struct hash *ret)
{
    if (n == 0) {
        hash_of(s, ret, BYTES_NONE);
    } else if (n == 1) {
        *ret = leaf[0];
    } else {
        uint64_t k = 1;
        while (k * 2 < n)
            k *= 2;
        struct hash left, right;
        naive_hash(s, leaf, k, &left);
        naive_hash(s, leaf + k, n - k, &right);
        hash_node(s, &left, &right, ret);
    }
}

/* A source over an array of leaf hashes. */
struct naive_tree {
    const struct suite *suite;
    const struct hash *leaf;
    uint64_t size;
};

static inline int naive_subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    const struct naive_tree *t = self;
    uint64_t n = hi - lo;
    if (hi > t->size || n == 0 || (n & (n - 1)) != 0 || lo % n != 0)
        return -1;
    naive_hash(t->suite, t->leaf + lo, n, ret);
    return 0;
}

static inline struct tree_source naive_source(struct naive_tree *t)
{
    return (struct tree_source){.subtree = naive_subtree, .self = t, .suite = t->suite};
}

/* ${n} different leaf hashes. */
static inline void number_leaves(const struct suite *s, struct hash *leaf, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        uint8_t entry[8];
        put_u64be(entry, i);
        hash_leaf(s, BYTES(entry, sizeof entry), &leaf[i]);
    }
}

/* The same numbers on every run. */
static inline uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* The tree of Certificate Transparency's reference tests. */
static const char *const rfc6962_leaf[8] = {"",
                                            "00",
                                            "10",
                                            "2021",
                                            "3031",
                                            "40414243",
                                            "5051525354555657",
                                            "606162636465666768696a6b6c6d6e6f"};
static const char *const rfc6962_root[9] = {
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
};

/* A published tile log: the test data of Tessera, an implementation of C2SP's tlog-tiles. */
static const char *const tessera_entry[16] = {
    "one",  "two", "three",  "four",  "five",     "six",     "seven",  "eit",
    "nain", "ten", "ileven", "twelf", "threeten", "fourten", "fivten", NULL};
enum { TESSERA_SIZE = 15 };
static const char tessera_origin[] = "example.com/log/testdata";
static const char tessera_vkey[] =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
static const char tessera_seed[] =
    "eca663f499017d2365c27c7a7679158d43cfec1330bdb259290afbd0d21777a0";
static const char tessera_root[] =
    "aca6c38a90af86e5f5199ee0e4105ef2c03a05b27b8daff59e4e36eefdfcddcb";
/* The path of entry 4 in the tree of 15. */
static const char *const tessera_path[4] = {
    "yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=", "nk9gCR+floFqznAPtqjjcnnV64dge2jQB95D5t164Hg=",
    "zY1lN35vrXYAPixXSd59LsU29xUJtuW4o2dNNg5Y2Co=", "5jLpqTgjsBDSEX6SgZiRnbTMdTuRd8bQ5tSsAOxe0Ks="};

#endif
