/*
 * The folder blobs/: sealed blocks as they came, each with its proof, so that any block can be
 * handed on as soon as it is here.
 *
 *     <blob id, hex>.blocks    block 0, block 1, … each of 262,144 bytes but the last
 *     <blob id, hex>.paths     u64be number of durable blocks, then a slot of fixed size a block:
 * its RFC 6962 path
 *
 * The number is written after the blocks that it counts are synced, so what it says is durable;
 * blocks beyond it are asked for again. One thread.
 */
#ifndef BROKER_BLOBS_H
#define BROKER_BLOBS_H

#include "ledger/proof.h"

struct blobs;
struct blob;

int blobs_open(const char *dir, struct blobs **ret) __attribute__((warn_unused_result));
void blobs_close(struct blobs *b);

/* The blob ${id} of plain length ${len}; made when ${make}, else COMITY_E_NOT_FOUND. Belongs to
 * ${b}; valid until the next call. COMITY_E_FILES when there is no descriptor, though others were
 * closed. */
int blobs_get(struct blobs *b, const struct hash *id, uint64_t len, bool make, struct blob **ret)
    __attribute__((warn_unused_result));
/* Remove its blocks. */
int blobs_remove(struct blobs *b, const struct hash *id) __attribute__((warn_unused_result));

/* Blocks that are here in order, and how many of these are durable. */
uint64_t blob_next(const struct blob *b);
uint64_t blob_durable(const struct blob *b);
uint64_t blob_count(const struct blob *b);

/* Keep block blob_next(b), verified by the caller. COMITY_E_DISK_FULL, COMITY_E_IO. */
int blob_put(struct blob *b, struct bytes block, const struct bytes *path, size_t n)
    __attribute__((warn_unused_result));
/* Make everything that is here durable. COMITY_E_IO must end the process. */
int blob_sync(struct blob *b) __attribute__((warn_unused_result));
/* Block ${i} appended to ${block}, its path into ${path} (PROOF_PATH_MAX hashes).
 * COMITY_E_NOT_FOUND when it is not here yet. */
int blob_get(struct blob *b, uint64_t i, struct buf *block, struct hash *path, size_t *ret_count)
    __attribute__((warn_unused_result));

#endif
