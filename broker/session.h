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

/* Bytes of SUBMIT frames that a node may have on the way. */
enum { SUBMIT_WINDOW = 8 * 1024 * 1024 };

struct session {
    struct link_peer peer; /* where the last HELLO came from; peer.key is the table's key */
    char member[MEMBER_ID_MAX + 1];
    char origin[ORIGIN_MAX + 1];
    uint8_t epoch[EPOCH_LEN];
    int64_t heard_ms; /* monotonic */
    uint64_t roster;  /* number of the roster that it was last held against, and given */

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
    uint64_t deliver_short;   /* the grant under which the next one does not fit; 0: not known to be
                                 too small */

    uint64_t checkpoint_size; /* of our checkpoint last sent in this session */

    UT_hash_handle hh;
    UT_hash_handle hh_member;
};

/* How many REFUSED entries a key has cost us in one hour. It outlives sessions: hanging up must not
 * renew it. */
struct allowance {
    uint8_t key[LINK_KEY_LEN];
    uint64_t hour;
    uint64_t refusals;
    UT_hash_handle hh;
};

struct session_table {
    struct session *by_key;
    struct session *by_member;
    struct allowance *allowances; /* of members' keys, so there are not many */
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
void session_drop(struct session_table *t, struct session *s);
void session_drop_all(struct session_table *t);
/* Made if missing; NULL without memory. */
struct allowance *session_allowance(struct session_table *t, const uint8_t key[32]);
/* Sessions and allowances. */
void session_table_done(struct session_table *t);

#endif
