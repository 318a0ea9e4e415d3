/*
 * The broker's bulk socket: sealed blocks of attachments, in a thread of its own, so that a video never delays a receipt.
 *
 * What may be uploaded and fetched, and by whom, stands in the tables blob and blob_reader, which the turn alone writes. The
 * thread reads them over a connection of its own (DB_READ), keeps the blocks under blobs/, and reports what is complete.
 */
#ifndef BROKER_BULK_H
#define BROKER_BULK_H

#include "crypto/hash.h"

struct broker;
struct link;
struct bulk;

/* Bind site->listen_bulk and start the thread. ${b} is only read for what never changes: site and keys. */
int bulk_start(struct broker *b, struct link *link, struct bulk **ret)
    __attribute__((warn_unused_result));
void bulk_stop(struct bulk *bulk);

/* Readable when something was finished. */
int bulk_fd(const struct bulk *bulk);
/* Take the ids of blobs that became complete (durable in blobs/) since the last call, at most ${max}. */
size_t bulk_take_complete(struct bulk *bulk, struct hash *ret, size_t max);
/* The tables or the roster may have changed (after a commit): ${keys} and ${members} of the roster in force are taken over. */
void bulk_wake(struct bulk *bulk);

#endif
