/*
 * What the parts of the bulk thread share. Internal to broker/bulk*.c.
 */
#ifndef BROKER_BULK_PARTS_H
#define BROKER_BULK_PARTS_H

#include "base/text.h"
#include "blobs.h"
#include "bulk.h"
#include "link/message.h"

#include <pthread.h>

enum {
    BULK_READERS_MAX = 4096, /* GETs being served */
    BULK_OWED_MAX = 4096     /* answers that wait */
};

struct bulk_speaker {
    uint8_t key[32];
    char member[MEMBER_ID_MAX + 1];
    const struct suite *suite;
};

/* A GET being served. */
struct bulk_reader {
    struct link_peer peer;
    struct hash blob;
    uint64_t len;
    uint64_t next;
    uint64_t end;
};

/* A HAVE that is to be sent once what came is synced, and there is room. */
struct bulk_owed {
    struct link_peer peer;
    struct hash blob;
    bool is_known; /* the peer may know how much is here */
    uint64_t len;
    const char *token; /* or NULL */
};

struct bulk {
    pthread_t thread;
    bool runs;
    struct link_socket *socket;
    char *dir;
    char *db_path;
    int to_thread; /* eventfds */
    int to_main;

    /* Shared, under the lock. */
    pthread_mutex_t lock;
    bool stop;
    struct bulk_speaker *speakers; /* sorted by key */
    size_t speaker_count;
    struct hash *remove;
    size_t remove_count;
    struct hash *removed;
    size_t removed_count;

    /* The thread's own. */
    struct blobs *blobs;
    struct db *db;
    struct arena *arena;
    struct bulk_speaker *known; /* the copy that it works with */
    size_t known_count;
    struct bulk_reader readers[BULK_READERS_MAX];
    size_t reader_count;
    struct bulk_owed owed[BULK_OWED_MAX];
    size_t owed_count;
};

/* An error of any of these ends the process. */

/* ---- bulk.c ---- */

/* The member that speaks with ${key}; NULL for a stranger. */
const struct bulk_speaker *hub_bulk_speaker_of(const struct bulk *k, const uint8_t key[32]);

/* ---- bulk_serve.c ---- */

/* Take in a batch of messages; what they earn is owed, or served. */
int hub_bulk_take_in(struct bulk *k) __attribute__((warn_unused_result));
/* Sync what came, then say so. */
int hub_bulk_pay(struct bulk *k) __attribute__((warn_unused_result));
/* A few blocks for each reader. ${ret_blocked}: nothing could be sent, for all queues are full. */
int hub_bulk_serve(struct bulk *k, bool *ret_blocked) __attribute__((warn_unused_result));
/* Members that have left, or changed their key, are sent nothing more. */
void hub_bulk_drop_readers(struct bulk *k);

#endif
