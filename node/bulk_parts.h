/*
 * What the parts of the attachment thread share. Internal to node/bulk*.c.
 *
 * One thread, one socket, and a fixed number of transfers, each a small state machine that is given
 * a slice of work in every round, so that a long file holds up neither a short one nor the other
 * direction. Memory does not grow with what waits: that stays in the tables until a place is free.
 */
#ifndef NODE_BULK_PARTS_H
#define NODE_BULK_PARTS_H

#include "bulk.h"
#include "msg/frame.h"
#include "node.h"
#include "wire/blob.h"

#include <pthread.h>

enum {
    BULK_UPLOADS_MAX = 8,
    BULK_FETCHES_MAX = 32,
    BULK_REPORTED_MAX = 256, /* finished, and not yet written down by the turn */
    BULK_PUT_AHEAD = 8,      /* blocks beyond the last HAVE */
    BULK_GET_WINDOW = 32,    /* blocks asked for and not here */
    BULK_SLICE_BLOCKS = 4,   /* of a file that is read through, in one round */
    BULK_SYNC_BLOCKS = 64,   /* 16 MiB between two syncs of a file that is being fetched */
    BULK_PAUSE_MIN_MS = 200,
    BULK_PAUSE_MAX_MS = 10 * 1000,
    BULK_STALL_MS = 30 * 1000, /* without an answer: ask again */
    BULK_KEEP_MS = 60 * 1000,  /* a transfer without progress gives way to one that waits */
    BULK_TRIES_MAX = 24        /* refusals in a row, with pauses between, before one is final */
};

/* When something is tried again: pauses double from 0.2 s to 10 s. */
struct bulk_pause {
    int64_t due_ms;
    int64_t ms;
};
void bulk_pause_longer(struct bulk_pause *p, int64_t now_ms);

enum upload_state {
    UPLOAD_ASK,   /* how much is there? to be sent */
    UPLOAD_ASKED, /* sent */
    UPLOAD_TREE,  /* sealing the file once, for the proofs */
    UPLOAD_SEND
};

struct upload {
    bool is_used;
    enum upload_state state;
    struct hash blob;
    uint64_t len;
    uint64_t blocks;
    size_t candidate; /* which of the records that name the blob is believed */
    uint8_t key[32];
    int fd;
    struct blob_tree *tree; /* NULL until it is needed; complete in UPLOAD_SEND */
    uint64_t have;          /* the broker's */
    uint64_t sent;          /* the next block to be sent */
    unsigned tries;
    int64_t heard_ms;    /* last answer, or when it was first waited for */
    int64_t progress_ms; /* last block that counted */
    struct bulk_pause pause;
};

enum fetch_state {
    FETCH_CHECK, /* reading the file that is in its place already */
    FETCH_GET,
    FETCH_SETTLE /* complete and checked; to be moved to its place */
};

/* What one or several rows of attachment_in say of a blob. */
struct fetch_facts {
    struct hash blob;
    uint64_t len;
    struct hash sha256;
    struct hash sm3;
    uint8_t key[32];
    const struct suite *suite; /* that of the ledger in which the record stands */
};

struct fetch {
    bool is_used;
    enum fetch_state state;
    struct fetch_facts facts;
    uint64_t blocks;
    int fd;                     /* -1: nothing is here */
    int have_fd;                /* how much of it is durable */
    struct file_digest *digest; /* of the blocks below `read` */
    uint64_t read;
    uint64_t next;   /* the next block that is wanted */
    uint64_t synced; /* blocks that are durable */
    uint64_t asked;  /* the next block to be asked for */
    bool is_resumed; /* some of it is an earlier run's */
    unsigned tries;
    int64_t heard_ms;
    int64_t progress_ms;
    struct bulk_pause pause;
};

/* Where the search for rows that wait goes on. */
struct bulk_lane {
    uint8_t cursor[HASH_LEN];
    size_t cursor_len; /* 0: from the beginning */
    bool is_crowded;   /* there are more rows than places */
    bool has_moved;    /* some transfer got on since the search began anew */
    struct bulk_pause rest;
};

struct bulk_reported {
    struct bulk_finished f;
    int64_t ms;
};

struct bulk {
    struct node *node;
    pthread_t thread;
    int to_thread; /* eventfds */
    int to_turn;

    /* Under the lock, which nobody holds while reading, writing or sending. */
    pthread_mutex_t lock;
    bool is_stopping;
    const struct roster *roster; /* the node's; valid while the lock is held */
    struct bulk_finished finished[BULK_REPORTED_MAX];
    size_t finished_count;

    /* The thread's own. */
    struct db *db;
    char *dir; /* files/fetch */
    struct arena *arena;
    uint8_t *plain; /* room for one block */
    uint8_t *sealed;
    struct link_socket *socket; /* NULL: see link_due_ms */
    char *endpoint;             /* what it is, or will be, connected to; NULL: no broker is known */
    uint8_t broker_key[32];
    bool is_connected;
    bool is_blocked; /* the socket's queue is full */
    uint64_t generation;
    int64_t link_due_ms;
    uint32_t link_failures;
    int64_t heard_ms; /* last frame, or when nothing was waited for */
    int64_t now_ms;
    int64_t look_ms; /* when the tables are to be looked at again */
    struct upload uploads[BULK_UPLOADS_MAX];
    struct fetch fetches[BULK_FETCHES_MAX];
    struct bulk_lane up;
    struct bulk_lane in;
    struct bulk_reported reported[BULK_REPORTED_MAX];
    size_t reported_count;
};

/* All functions that return int: an error ends the process. */

/* ---- bulk.c ---- */

/* Rows that wait, by blob from ?1 on, at most ?2; the blob is column 0. */
struct bulk_search {
    const char *sql;
    /* ${ret_full}: set when the row needs a place and there is none. */
    int (*take)(struct bulk *k, struct db_rows *rows, bool *ret_full);
};
/* Go on with the search for rows that wait; behind the last one it begins anew. */
int bulk_search(struct bulk *k, struct bulk_lane *lane, const struct bulk_search *search)
    __attribute__((warn_unused_result));
void bulk_report(struct bulk *k, const struct bulk_finished *f);
bool bulk_is_reported(const struct bulk *k, const struct bulk_finished *f);
/* Room for one more report. */
bool bulk_can_report(const struct bulk *k);

/* ---- bulk_line.c: the connection ---- */

/* The roster may have changed: find out where the broker is. */
int line_look(struct bulk *k) __attribute__((warn_unused_result));
/* Once in a round. */
int line_run(struct bulk *k) __attribute__((warn_unused_result));
int line_take(struct bulk *k) __attribute__((warn_unused_result));
void line_watch(struct bulk *k);
/* Whether some transfer waits for the broker. */
bool line_waits(const struct bulk *k);
/* COMITY_E_AGAIN: there is no connection, or no room. */
int bulk_send(struct bulk *k, const struct bulk_frame *f) __attribute__((warn_unused_result));

/* ---- bulk_upload.c ---- */

/* Give rows of attachment_out that wait the places that are free. */
int upload_refill(struct bulk *k) __attribute__((warn_unused_result));
int upload_take(struct bulk *k, const struct bulk_frame *f) __attribute__((warn_unused_result));
/* A slice of work. ${ret_more}: set when there is more to be done without waiting. */
int upload_step(struct bulk *k, struct upload *u, bool *ret_more)
    __attribute__((warn_unused_result));
/* The connection is new: what was on the way is lost. */
void upload_restart(struct bulk *k);
bool upload_waits(const struct upload *u);
void upload_free(struct upload *u);

/* ---- bulk_fetch.c ---- */

/* Remove what is left of fetches that nobody waits for any more. */
int fetch_tidy(struct bulk *k) __attribute__((warn_unused_result));
int fetch_refill(struct bulk *k) __attribute__((warn_unused_result));
int fetch_take(struct bulk *k, const struct bulk_frame *f) __attribute__((warn_unused_result));
int fetch_step(struct bulk *k, struct fetch *f, bool *ret_more) __attribute__((warn_unused_result));
void fetch_restart(struct bulk *k);
bool fetch_waits(const struct fetch *f);
/* What is here stays here. */
void fetch_free(struct fetch *f);

/* ---- bulk_part.c: a file that is not complete yet ---- */

/* Open what an earlier run has left, if anything; f->next says how much of it can be relied on. */
int part_open(struct bulk *k, struct fetch *f) __attribute__((warn_unused_result));
/* Append block f->next. COMITY_E_DISK_FULL: nothing has changed. */
int part_put(struct bulk *k, struct fetch *f, struct bytes plain)
    __attribute__((warn_unused_result));
int part_sync(struct fetch *f) __attribute__((warn_unused_result));
/* COMITY_E_DISK_FULL: try again. */
int part_settle(struct bulk *k, struct fetch *f) __attribute__((warn_unused_result));
/* Forget all of it. */
int part_drop(struct bulk *k, struct fetch *f) __attribute__((warn_unused_result));

#endif
