/*
 * Attachments: the sealed form of a file, in blocks that prove themselves.
 *
 *     FK      = HKDF-Expand(secret[32], "comity-blob/v1\n" ‖ SHA-256(plain) ‖ u64be len, 32)
 *     block i = AES-256-GCM(FK, nonce = u96be(i), no AAD) of 262,128 plain bytes, or what is left
 *     n       = max(1, ⌈len / 262128⌉)
 *     blob id = RFC 6962 root over the sealed blocks
 *
 * FK depends on the content, so that no nonce is ever used for two plaintexts, whatever happens to
 * the file meanwhile.
 */
#ifndef WIRE_BLOB_H
#define WIRE_BLOB_H

#include "ledger/proof.h"

enum { BLOB_PLAIN = 262128, BLOB_SEALED = BLOB_PLAIN + 16, BLOB_SECRET_LEN = 32 };

uint64_t blob_blocks(uint64_t len);
/* Plain bytes in block ${i} of a file of ${len} bytes. */
size_t blob_block_plain(uint64_t len, uint64_t i);

void blob_key(const uint8_t secret[BLOB_SECRET_LEN], const struct hash *sha256, uint64_t len,
              uint8_t ret_key[32]);
/* plain.len + 16 bytes to ${out}; at most BLOB_PLAIN plain ones. */
void blob_block_seal(const uint8_t key[32], uint64_t i, struct bytes plain, uint8_t *out);
/* sealed.len - 16 bytes to ${out}. COMITY_E_UNSEAL: not block ${i} under this key. */
int blob_block_open(const uint8_t key[32], uint64_t i, struct bytes sealed, uint8_t *out)
    __attribute__((warn_unused_result));

/* COMITY_E_BLOB unless ${sealed} is block ${i} of the blob ${id} of plain length ${len}. */
int blob_block_verify(const struct suite *suite, const struct hash *id, uint64_t len, uint64_t i,
                      struct bytes sealed, const struct hash *path, size_t n)
    __attribute__((warn_unused_result));

/* The tree over a blob's blocks: 64 bytes of memory a block. */
struct blob_tree;
int blob_tree_new(const struct suite *suite, struct blob_tree **ret)
    __attribute__((warn_unused_result));
void blob_tree_free(struct blob_tree *t);
/* Add the next block. */
int blob_tree_add(struct blob_tree *t, struct bytes sealed) __attribute__((warn_unused_result));
uint64_t blob_tree_count(const struct blob_tree *t);
int blob_tree_root(const struct blob_tree *t, struct hash *ret) __attribute__((warn_unused_result));
/* RFC 6962 path of block ${i}, leaf to root, appended. COMITY_E_INVALID beyond the last block. */
int blob_tree_path(const struct blob_tree *t, uint64_t i, struct hash_list *out)
    __attribute__((warn_unused_result));

/* Seal the open file ${fd} of ${len} bytes block by block into a tree: its blob id is the root.
 * Reads the file once. COMITY_E_INTERRUPTED when ${*stop} becomes non-zero, COMITY_E_IO when the
 * file is shorter. */
int blob_tree_of_file(const struct suite *suite, int fd, uint64_t len, const uint8_t key[32],
                      const volatile int *stop, struct blob_tree **ret)
    __attribute__((warn_unused_result));

#endif
