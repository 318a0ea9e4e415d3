/*
 * What the parts of the bulk thread share. Internal to broker/bulk*.c.
 */
#ifndef BROKER_BULK_PARTS_H
#define BROKER_BULK_PARTS_H

#include "base/text.h"
#include "blobs.h"
#include "bulk.h"
#include "lines.h"
#include "link/message.h"

#include <pthread.h>
#include <uthash.h>

enum {
    READERS_A_KEY = 64,        /* GETs being served */
    OWED_A_KEY = 64,           /* answers that wait */
    BULK_STALL_MS = 60 * 1000, /* a connection that takes nothing for so long is cut */
    BULK_IDLE = -1             /* nothing is to be tried again */
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

/* What is done for one key, over all its connections: readers and answers are counted here, and it
 * is the keys that are served in turn, so that nobody gains by connecting more often. */
struct bulk_client {
    uint8_t key[LINK_KEY_LEN];
    struct lines lines;
    struct bulk_reader *readers;
    size_t reader_count;
    size_t reader_cap;
    size_t reader_turn; /* whose turn it is among them */
    struct bulk_owed *owed;
    size_t owed_count;
    size_t owed_cap;
    UT_hash_handle hh;
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
    struct bulk_client *clients; /* members that have spoken */
    int64_t now_ms;              /* of the round */
    int64_t try_ms;              /* when something that waits is to be tried again, or BULK_IDLE */
    int stall_ms;
    bool is_short; /* of descriptors: said once */
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
/* A few blocks for each key. ${ret_sent}: something was sent. */
int hub_bulk_serve(struct bulk *k, bool *ret_sent) __attribute__((warn_unused_result));

/* ---- bulk_client.c ---- */

/* The client that ${peer} belongs to, and ${peer} among its connections; made if missing, NULL
 * without memory. Should it have too many, the oldest one is cut. */
struct bulk_client *hub_bulk_client(struct bulk *k, const struct link_peer *peer);
/* Room for one more at the end, zeroed; NULL when there are too many, or no memory. */
struct bulk_reader *hub_bulk_add_reader(struct bulk_client *c);
struct bulk_owed *hub_bulk_add_owed(struct bulk_client *c);

/* Whether it is not yet time to try ${peer} again, whose queue was full. */
bool hub_bulk_waits(struct bulk *k, struct bulk_client *c, const struct link_peer *peer);
/* Something could be sent to ${peer}, or not for its queue is full. */
void hub_bulk_moved(struct bulk_client *c, const struct link_peer *peer);
void hub_bulk_is_full(struct bulk *k, struct bulk_client *c, const struct link_peer *peer);
/* Try again in ${ms}, whatever is waited for. */
void hub_bulk_try_in(struct bulk *k, int ms);

/* Cut the connections whose queue has been full for too long. */
void hub_bulk_cut_stalled(struct bulk *k);
/* Members that have left, or changed their key, are cut off. */
void hub_bulk_drop_gone(struct bulk *k);
void hub_bulk_drop_all(struct bulk *k);

#endif
