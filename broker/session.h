/*
 * The broker's sessions, one a CURVE key and one a member: all that is known of a connection, gone
 * with the process. What must survive is in the store.
 */
#ifndef BROKER_SESSION_H
#define BROKER_SESSION_H

#include "base/text.h"
#include "link/message.h"
#include "msg/frame.h"

#include <uthash.h>

enum {
    SUBMIT_WINDOW = 8 * 1024 * 1024, /* bytes of SUBMIT frames that a node may have on the way */
    /* Bytes of DELIVER frames that are on the way to a node, whatever it grants: until it takes
     * them they lie in our memory. */
    DELIVER_AHEAD = 2 * SUBMIT_WINDOW,
    DELIVER_MARK = 512 * 1024,
    DELIVER_MARKS = 64 /* more than what is on the way can have */
};

/* How far the bytes had come with a delivery; one for every DELIVER_MARK. */
struct deliver_mark {
    uint64_t seq;
    uint64_t bytes;
};

/* What turns change, and what is taken back with a turn that is undone. */
struct session_state {
    bool has_refusal;        /* a parcel was refused: further SUBMITs of this session are ignored */
    uint64_t parcel_seq;     /* last one durable here */
    uint64_t answered;       /* last one answered in this session */
    uint64_t submit_granted; /* bytes of SUBMIT frames that may have come since WELCOME, as we have
                                told */
    uint64_t submit_bytes;   /* that came */

    uint64_t next_delivery;
    uint64_t given;           /* last delivery_seq that exists for the member */
    uint64_t deliver_granted; /* bytes of DELIVER frames that may be sent since WELCOME */
    uint64_t deliver_bytes;   /* that were sent */
    uint64_t deliver_taken;   /* of these, that were taken, or a little less: up to a mark */
    size_t mark_first;        /* the oldest mark that is not taken; counts on, modulo the ring */
    size_t mark_end;
    uint64_t deliver_short; /* the grant under which the next one does not fit; 0: not known to be
                               too small */

    uint64_t checkpoint_size; /* of our checkpoint last sent in this session */

    bool
        recall_due; /* RECALL that is not answered yet: of that ledger, what comes after that one */
    char recall_origin[ORIGIN_MAX + 1];
    uint64_t recall_after;
};

struct session {
    struct link_peer peer; /* where the last HELLO came from; peer.key is the table's key */
    char member[MEMBER_ID_MAX + 1];
    char origin[ORIGIN_MAX + 1];
    uint8_t epoch[EPOCH_LEN];
    int64_t heard_ms;        /* monotonic */
    uint64_t hello_answered; /* what its HELLO said that it was answered */
    uint64_t roster;         /* number of the roster that it was last held against, and given */

    struct session_state now;
    struct session_state kept; /* as it was when the running turn began */
    bool is_fresh;             /* opened in the running turn */
    struct deliver_mark mark[DELIVER_MARKS];

    UT_hash_handle hh;
    UT_hash_handle hh_member;
};

/* What a key has cost us. It outlives sessions: hanging up must not renew it. */
struct account {
    uint8_t key[LINK_KEY_LEN];
    uint64_t parcels; /* accepted, since the start … */
    uint64_t bytes;   /* … and how large these were */
    /* in one hour: */
    uint64_t hour;
    uint64_t refusals;     /* REFUSED entries */
    uint64_t failures;     /* events that failed here, each alone */
    uint64_t roster_bytes; /* of roster parts that it asked for */
    UT_hash_handle hh;
};

struct session_table {
    struct session *by_key;
    struct session *by_member;
    struct account *accounts; /* of members' keys, so there are not many */
};

struct session *session_find(const struct session_table *t, const uint8_t key[32]);
/* The session of ${member}, or NULL. */
struct session *session_of_member(const struct session_table *t, struct bytes member);
/* A fresh session of ${member} for ${peer}, in place of older ones of that key and of that member;
 * NULL without memory. */
struct session *session_open(struct session_table *t, const struct link_peer *peer,
                             struct bytes member);
/* What is granted now: SUBMIT_WINDOW beyond what has come. To be told with the frame that is made
 * of it. */
uint64_t session_grant(struct session *s);
/* How many bytes of DELIVER frames may have been sent by now: as the node grants, and as far as it
 * takes. */
uint64_t session_may_deliver(const struct session *s);
/* A DELIVER frame of ${len} bytes with the next number was sent. */
void session_delivered(struct session *s, size_t len);
/* Everything up to ${seq} was taken. */
void session_taken(struct session *s, uint64_t seq);
void session_drop(struct session_table *t, struct session *s);
void session_drop_all(struct session_table *t);
/* A turn begins: what is done to sessions from now on can be taken back. */
void session_keep_all(struct session_table *t);
/* Take it back. Sessions that were opened since are dropped; those that were dropped do not come
 * back: their peers are told to say HELLO again. */
void session_undo_all(struct session_table *t);

/* What ${key} has cost in the hour ${now_ms} (monotonic) lies in; made if missing, NULL without
 * memory. */
struct account *session_account(struct session_table *t, const uint8_t key[32], int64_t now_ms);
/* Sessions and accounts. */
void session_table_done(struct session_table *t);

#endif
