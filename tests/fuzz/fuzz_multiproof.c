/*
 * Hostile shapes and hashes for the multiproof: it ends, stays in bounds, and each leaf of what it
 * accepts has an inclusion path to the same root.
 *
 * Input: u64be size, u8 number of indices, u8 number of cuts, the indices and cuts (u64be each),
 * then hashes: of the leaves, and what is left is the proof.
 */
#include "ledger/proof.h"

#include <stdlib.h>
#include <string.h>

enum { LIST_MAX = 255 };

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

static bool take_numbers(struct bytes *in, uint64_t *out, size_t n)
{
    if (in->len < 8 * n)
        return false;
    for (size_t i = 0; i < n; i++)
        out[i] = get_u64be(in->data + 8 * i);
    *in = bytes_slice(*in, 8 * n, in->len);
    return true;
}

static void check_paths(const struct suite *s, const struct multiproof_shape *shape,
                        const struct hash *leaf, const struct hash *proof, size_t n,
                        const struct hash *root)
{
    struct hash_list path = {0};
    for (size_t i = 0; i < shape->index_count; i += 1 + i / 2) {
        path.count = 0;
        if (multiproof_narrow(s, shape, leaf, proof, n, i, &path) ||
            proof_inclusion_verify(s, &leaf[i], shape->index[i], shape->size, path.at, path.count,
                                   root))
            abort();
    }
    hash_list_free(&path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    uint64_t size = 0, index[LIST_MAX], cut[LIST_MAX];
    struct hash root, cuts[LIST_MAX];
    struct bytes in = BYTES(data, len);
    const struct suite *s = suite_get(SUITE_1);
    if (!take_numbers(&in, &size, 1) || in.len < 2)
        return 0;
    struct multiproof_shape shape = {.index = index,
                                     .index_count = in.data[0],
                                     .cut = cut,
                                     .cut_count = in.data[1],
                                     .size = size};
    in = bytes_slice(in, 2, in.len);
    if (!take_numbers(&in, index, shape.index_count) || !take_numbers(&in, cut, shape.cut_count))
        return 0;
    size_t n = in.len / HASH_LEN;
    struct hash *hashes = malloc(n * HASH_LEN + 1);
    if (hashes && n > 0)
        memcpy(hashes, in.data, n * HASH_LEN);
    if (hashes && n >= shape.index_count) {
        const struct hash *proof = hashes + shape.index_count;
        n -= shape.index_count;
        if (!multiproof_roots(s, &shape, hashes, proof, n, &root, cuts))
            check_paths(s, &shape, hashes, proof, n, &root);
    }
    free(hashes);
    return 0;
}
