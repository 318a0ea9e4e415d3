/*
 * What the broker keeps beside its ledger: queues, cursors, rosters, attachments. All SQL of the
 * broker is in store_sqlite.c and store_blobs.c.
 *
 * This is the seam for a second engine (several brokers over one PostgreSQL): deliveries are only
 * inserted, and each recipient has its own cursor, which is moved for nobody else. The cursors of a
 * parcel's other recipients are read in one place alone: when one of them passes it, to see whether
 * that was the last. Calls that write belong into a turn (broker_turn).
 */
#ifndef BROKER_STORE_H
#define BROKER_STORE_H

#include "crypto/hash.h"
#include "store/store.h"

/* ---- what is known of a member's ledger ---- */

struct known {
    uint64_t parcel_seq; /* last one taken in */
    uint64_t refused;    /* last one that was refused; never falls, whatever queue_set_known says */
    uint64_t size;       /* of the newest checkpoint accepted; 0: none */
    struct hash root;
};

/* Zeros when nothing is known. The note is appended to ${note} unless that is NULL. */
int queue_known(struct store *s, struct bytes origin, struct known *ret, struct buf *note)
    __attribute__((warn_unused_result));
int queue_set_known(struct store *s, struct bytes origin, const struct known *k, struct bytes note)
    __attribute__((warn_unused_result));
/* The root of an accepted checkpoint of ${origin} of exactly ${size}; COMITY_E_NOT_FOUND. */
int queue_root_at(struct store *s, struct bytes origin, uint64_t size, struct hash *ret)
    __attribute__((warn_unused_result));

/* ---- parcels ---- */

struct queue_parcel {
    struct bytes origin;
    uint64_t parcel_seq;
    uint64_t size;
    struct hash root;
    uint64_t routed;    /* index of the ROUTED or REFUSED entry */
    const char *token;  /* of a refused one, else NULL */
    struct bytes bytes; /* kept when not none */
};
int queue_put_parcel(struct store *s, const struct queue_parcel *p, uint64_t *ret_id)
    __attribute__((warn_unused_result));
struct queue_put {
    struct bytes member;
    uint64_t seq;
    uint64_t parcel;     /* id */
    struct bytes sender; /* member */
    uint64_t len;
};
int queue_put_delivery(struct store *s, const struct queue_put *d)
    __attribute__((warn_unused_result));

struct recipient {
    uint64_t given;  /* last delivery_seq given out */
    uint64_t taken;  /* last one taken */
    uint64_t queued; /* bytes of the parcels between the two */
    uint64_t held;   /* bytes of the blobs that are kept for it: named, and no FILE entry yet
                        (queue_blob_weight) */
};
int queue_recipient(struct store *s, struct bytes member, struct recipient *ret)
    __attribute__((warn_unused_result));
/* The bytes among queued and held of ${member} that ${sender} has sent. A blob is counted for the
 * first who named it. */
int queue_share(struct store *s, struct bytes member, struct bytes sender, uint64_t *ret)
    __attribute__((warn_unused_result));
/* The lowest delivery_seq still held for ${member}; given + 1 when none is. */
int queue_first_delivery(struct store *s, struct bytes member, uint64_t *ret)
    __attribute__((warn_unused_result));
/* ${member} has taken everything up to ${seq}. Parcels for which it was the last are done from
 * ${now_ms} on. */
int queue_set_taken(struct store *s, struct bytes member, uint64_t seq, int64_t now_ms)
    __attribute__((warn_unused_result));

struct queue_delivery {
    uint64_t parcel; /* id */
    uint64_t routed;
    uint64_t chunk;
};
/* COMITY_E_NOT_FOUND when there is no such delivery (yet). */
int queue_delivery(struct store *s, struct bytes member, uint64_t seq, struct queue_delivery *ret)
    __attribute__((warn_unused_result));

/* Up to ${max} answers for parcels of ${origin} above ${after}: indices of their entries,
 * ascending. ${ret_last} is the last parcel_seq among them, ${ret_refused} whether that one was
 * refused (it is then the last of these). */
int queue_answers(struct store *s, struct bytes origin, uint64_t after, size_t max,
                  uint64_t *ret_index, size_t *ret_count, uint64_t *ret_last, bool *ret_refused)
    __attribute__((warn_unused_result));

/* The next parcel of ${origin} behind ${after} that was accepted and is still held, within the next
 * QUEUE_LOOK numbers, so that looking ends. COMITY_E_NOT_FOUND when there is none among them.
 * ${ret_seq} is its parcel_seq, or the last one that was looked at. */
enum { QUEUE_LOOK = 4096 };
int queue_kept(struct store *s, struct bytes origin, uint64_t after, struct queue_delivery *ret,
               uint64_t *ret_seq) __attribute__((warn_unused_result));

/* Which ledger of ${member} has taken what recipient.taken says; none: its first one. Into ${a}. */
int queue_taker(struct store *s, struct bytes member, struct arena *a, struct bytes *ret)
    __attribute__((warn_unused_result));
/* Ledger ${origin} takes for ${member} from now on, and has everything up to ${seq}: of what was
 * taken before it, and is still held, the rest waits again. */
int queue_set_taker(struct store *s, struct bytes member, struct bytes origin, uint64_t seq)
    __attribute__((warn_unused_result));

/* Let go of up to ${max} parcels that were done by ${before_ms}. */
int queue_sweep(struct store *s, int64_t before_ms, size_t max, size_t *ret_freed)
    __attribute__((warn_unused_result));

/* What waits for all recipients together. */
struct queue_totals {
    uint64_t parcels; /* deliveries */
    uint64_t parcel_bytes;
    uint64_t blob_bytes; /* once for each recipient that a blob is kept for */
};
int queue_totals(struct store *s, struct queue_totals *ret) __attribute__((warn_unused_result));

/* ---- attachments ---- */

/* COMITY_E_BLOB when ${blob}[32 ‖ u64be len] was named with another length before. */
int queue_check_blob(struct store *s, struct bytes blob) __attribute__((warn_unused_result));
/* What a blob of plain length ${len} counts against a recipient's quota: its sealed blocks, or a
 * few bytes more. */
uint64_t queue_blob_weight(uint64_t len);
/* An accepted parcel of ${uploader} names ${blob}[32 ‖ u64be len] for ${reader}. COMITY_E_BLOB for
 * another length than before. */
int queue_name_blob(struct store *s, struct bytes blob, struct bytes uploader, struct bytes reader)
    __attribute__((warn_unused_result));
/* ${reader} has the whole of ${id}: a FILE entry came by. After the last one the blocks may go. */
int queue_file_done(struct store *s, struct bytes id, struct bytes reader)
    __attribute__((warn_unused_result));
/* Up to ${max} blobs whose blocks may go. queue_blob_gone once they are gone. */
int queue_freed(struct store *s, struct hash *ret, size_t max, size_t *ret_count)
    __attribute__((warn_unused_result));
int queue_blob_gone(struct store *s, struct bytes id) __attribute__((warn_unused_result));
/* Whether the blocks of ${id} may go still: a new parcel may name a blob that was let go. Any
 * connection. */
int queue_blob_is_freed(struct db *db, struct bytes id, bool *ret)
    __attribute__((warn_unused_result));

struct blob_access {
    uint64_t len; /* plain length */
    bool may_put;
    bool may_get;
};
/* What ${member} may do with a blob; COMITY_E_NOT_FOUND: nothing. Any connection, so that the bulk
 * thread asks its own. */
int queue_blob_access(struct db *db, struct bytes id, struct bytes member, struct blob_access *ret)
    __attribute__((warn_unused_result));

/* ---- rosters ---- */

int queue_put_roster(struct store *s, uint64_t number, struct bytes file)
    __attribute__((warn_unused_result));
/* Roster ${number}, or the newest for UINT64_MAX. COMITY_E_NOT_FOUND. */
int queue_roster(struct store *s, uint64_t number, struct buf *file)
    __attribute__((warn_unused_result));

#endif
