/*
 * The broker's bulk socket: sealed blocks of attachments, in a thread of its own, so that a video
 * never delays a receipt.
 *
 * What may be uploaded and fetched, and by whom, stands in the tables blob and blob_member, which
 * the turn alone writes. The thread reads them over a connection of its own (DB_READ), keeps the
 * blocks in blobs/ (blobs.h), and reports what it has finished. Functions here are called by the
 * main thread.
 */
#ifndef BROKER_BULK_H
#define BROKER_BULK_H

#include "crypto/hash.h"

struct broker;
struct link;
struct bulk;

/* Bind site->listen_bulk and start the thread. Of ${b} it reads site and keys. */
int bulk_start(struct broker *b, struct link *link, struct bulk **ret)
    __attribute__((warn_unused_result));
void bulk_stop(struct bulk *bulk);

/* Readable when something was finished. */
int bulk_fd(const struct bulk *bulk);

struct bulk_finished {
    struct hash blob;
    bool is_gone; /* its blocks were removed, as bulk_remove asked; else: it is complete and durable
                   */
};
/* Take what was finished since the last call, at most ${max}. */
size_t bulk_take_finished(struct bulk *bulk, struct bulk_finished *ret, size_t max);

/* A roster came into force: who speaks with which key. COMITY_E_NOMEM: the old one stays. */
int bulk_take_roster(struct bulk *bulk, const struct broker *b) __attribute__((warn_unused_result));

/* Remove the blocks of a blob that nobody waits for any more. */
void bulk_remove(struct bulk *bulk, const struct hash *blob);

#endif
