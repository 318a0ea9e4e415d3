/*
 * The broker's bulk socket: sealed blocks of attachments, in a thread of its own, so that a video
 * never delays a receipt.
 *
 * What may be uploaded and fetched, and by whom, stands in the tables blob and blob_member, which
 * the turn alone writes. The thread reads them over a connection of its own (DB_READ), keeps the
 * blocks in blobs/ (blobs.h), and reports what it has removed. Functions here are called by the
 * main thread. (hub_ keeps them apart from the node's, with which tests link them.)
 */
#ifndef BROKER_BULK_H
#define BROKER_BULK_H

#include "crypto/hash.h"

struct broker;
struct link;
struct bulk;

/* Bind site->listen_bulk and start the thread. Of ${b} it reads site and keys. */
int hub_bulk_start(struct broker *b, struct link *link, struct bulk **ret)
    __attribute__((warn_unused_result));
void hub_bulk_stop(struct bulk *bulk);

/* Readable when blocks were removed. */
int hub_bulk_fd(const struct bulk *bulk);

/* Take the blobs whose blocks were removed, as hub_bulk_remove asked, since the last call; at most
 * ${max}. */
size_t hub_bulk_take_removed(struct bulk *bulk, struct hash *ret, size_t max);

/* A roster came into force: who speaks with which key. COMITY_E_NOMEM: the old one stays. */
int hub_bulk_take_roster(struct bulk *bulk, const struct broker *b)
    __attribute__((warn_unused_result));

/* Remove the blocks of a blob that nobody waits for any more. */
void hub_bulk_remove(struct bulk *bulk, const struct hash *blob);

#endif
