/*
 * Building a parcel's head from a ledger: the exact entries, the newest checkpoint, and one proof
 * for all of it. Sealing is parcel_seal.c's, verifying parcel_verify.c's.
 */
#include "wire/parcel.h"
#include "wire/parcel_internal.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

void parcel_hash(const struct suite *suite, struct bytes head, struct hash *ret)
{
    hash_of(suite, ret, BYTES_LIT("comity-parcel-head/v1\n"), head);
}

int uint64_compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

size_t parcel_cuts(const struct parcel_since *since, size_t since_count, uint64_t size,
                   uint64_t *ret)
{
    size_t n = 0;
    for (size_t i = 0; i < since_count; i++)
        if (since[i].size > 0 && since[i].size < size)
            ret[n++] = since[i].size;
    qsort(ret, n, sizeof *ret, uint64_compare);
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || ret[kept - 1] != ret[i])
            ret[kept++] = ret[i];
    return kept;
}

/* The exact bytes of the entries one behind the other in ${store}, and views of them in ${ret}. */
static int collect_entries(struct ledger *l, const struct parcel_plan *plan, struct buf *store,
                           struct bytes *ret)
{
    for (size_t i = 0; i < plan->count; i++) {
        size_t before = store->len;
        int err = ledger_entry(l, plan->index[i], store);
        if (err)
            return err;
        ret[i] = BYTES(NULL, store->len - before);
    }
    size_t at = 0;
    for (size_t i = 0; i < plan->count; i++) {
        ret[i].data = store->data + at;
        at += ret[i].len;
    }
    return COMITY_OK;
}

/* The leaves that the proof is about: the parcel's entries and the own ones that it encloses,
 * ascending, unique. */
static int collect_indices(const struct parcel_plan *plan, uint64_t *ret)
{
    size_t n = plan->count + plan->enclosed_count;
    if (plan->count)
        memcpy(ret, plan->index, plan->count * sizeof *ret);
    if (plan->enclosed_count)
        memcpy(ret + plan->count, plan->enclosed_index, plan->enclosed_count * sizeof *ret);
    qsort(ret, n, sizeof *ret, uint64_compare);
    for (size_t i = 1; i < n; i++)
        if (ret[i] == ret[i - 1])
            return COMITY_E_INVALID;
    return COMITY_OK;
}

static int prove(struct ledger *l, const struct parcel_plan *plan, uint64_t size,
                 struct hash_list *ret)
{
    for (size_t i = 0; i < plan->since_count; i++)
        if (plan->since[i].size > size)
            return COMITY_E_INVALID;
    size_t n = plan->count + plan->enclosed_count;
    uint64_t *index = calloc(n + plan->since_count + 1, sizeof *index);
    if (!index)
        return COMITY_E_NOMEM;
    uint64_t *cut = index + n;
    struct multiproof_shape shape = {.index = index, .index_count = n, .cut = cut, .size = size};
    shape.cut_count = parcel_cuts(plan->since, plan->since_count, size, cut);
    struct tree_source tree = ledger_tree(l);
    int err = collect_indices(plan, index);
    if (!err)
        err = multiproof_prove(&tree, &shape, ret);
    free(index);
    return err;
}

int parcel_build(struct ledger *l, const struct parcel_plan *plan, struct buf *out)
{
    struct buf store = BUF_INIT;
    struct hash_list proof = {0};
    struct bytes *hashes = NULL;
    struct bytes *entries = calloc(plan->count + 1, sizeof *entries);
    struct checkpoint checkpoint;
    struct bytes note;
    int err = entries ? ledger_checkpoint(l, &checkpoint, &note) : COMITY_E_NOMEM;
    if (!err)
        err = collect_entries(l, plan, &store, entries);
    if (!err)
        err = prove(l, plan, checkpoint.size, &proof);
    if (!err && !(hashes = calloc(proof.count + 1, sizeof *hashes)))
        err = COMITY_E_NOMEM;
    if (err)
        goto out;
    for (size_t i = 0; i < proof.count; i++)
        hashes[i] = hash_bytes(&proof.at[i]);
    const struct parcel_head head = {.origin = bytes_of(ledger_origin(l)),
                                     .recipients = plan->recipients,
                                     .recipient_count = plan->recipient_count,
                                     .entries = entries,
                                     .entry_count = plan->count,
                                     .checkpoint = note,
                                     .since = plan->since,
                                     .since_count = plan->since_count,
                                     .proof = hashes,
                                     .proof_count = proof.count,
                                     .blobs = plan->blobs,
                                     .blob_count = plan->blob_count,
                                     .enclosures = plan->enclosures,
                                     .enclosure_count = plan->enclosure_count};
    err = parcel_head_encode(&head, out);
out:
    buf_free(&store);
    hash_list_free(&proof);
    free(hashes);
    free(entries);
    return err;
}
