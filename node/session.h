/*
 * The session with the broker: who says what when. See PROTOCOL.md, Session.
 *
 * A step over frames and the clock that the turn brings, without sockets; what it decides to send
 * goes to the turn's struct node_out. Verifying reads the ledger, nothing here writes it.
 */
#ifndef NODE_SESSION_H
#define NODE_SESSION_H

#include "ledger/checkpoint.h"
#include "node.h"

#include "msg/frame.h"

enum {
    SESSION_WINDOW =
        8 * 1024 * 1024,           /* bytes of DELIVER frames that the broker may have on the way */
    SESSION_PING_MS = 15 * 1000,   /* of silence */
    SESSION_PONG_MS = 30 * 1000,   /* without anything heard since: the connection is dead */
    SESSION_HELLO_AGAIN_MS = 1000, /* HELLO after RESYNC or a failed turn: no faster than this */
    SESSION_ROOTS = 64
};

struct session {
    enum node_session state;
    uint8_t epoch[EPOCH_LEN];
    bool hello_due;
    int64_t hello_ms;  /* monotonic: when HELLO was last said */
    int64_t heard_ms;  /* when anything was last heard */
    int64_t ping_ms;   /* when PING was sent and nothing heard since; 0: none is out */
    int64_t online_ms; /* wall clock */
    int64_t broker_ms; /* the broker's clock, as WELCOME said; 0: none did since the start … */
    int64_t broker_mono_ms; /* … and when that came in */
    bool is_clock_off;      /* it was said in the log */
    const char *last_token;
    uint64_t known_size; /* of this ledger, as the broker said when it found us behind */

    uint64_t their_grant; /* bytes of SUBMIT frames since WELCOME: may be sent … */
    uint64_t sent;        /* … and were */
    uint64_t submitted;   /* last parcel_seq sent, or durable at the broker */
    uint64_t durable;     /* parcel_seq that WELCOME named: what is answered up to it comes first */

    uint64_t our_grant; /* bytes of DELIVER frames: may come … */
    uint64_t received;  /* … and did */
    uint64_t told;      /* the grant that the broker knows of */
    uint64_t seen;      /* last delivery_seq that came in this session */
    uint64_t taken_told;

    /* Checkpoints of the broker proven in this session, the newest last: what statements link to.
     */
    struct checkpoint root[SESSION_ROOTS];
    size_t root_count;

    /* A roster that comes in parts. */
    uint64_t wanted; /* number to be fetched; 0: none */
    bool asked;      /* for its first part */
    uint64_t part_number;
    uint32_t part_next;
    struct buf parts;

    bool recalling;   /* RECALL is out */
    uint64_t proving; /* size of the checkpoint that PROVE asked about; 0: none */
};

void session_done(struct session *s);

/* The connection came up, or went down. */
void session_up(struct node *n);
void session_down(struct node *n);
/* Say HELLO again: what was sent in this session does not count any more. Unless ${at_once}, not
 * sooner than SESSION_HELLO_AGAIN_MS after the last one: lest two sides that disagree keep each
 * other busy. */
void session_restart(struct node *n, bool at_once);

/* Another roster is in force. */
void session_has_roster(struct node *n);

/* One frame. Errors are this node's own, and end the turn or the process; what is the broker's ends
 * the session. */
int session_take(struct turn *t, struct bytes frame, struct node_out *out)
    __attribute__((warn_unused_result));
/* What is due by the clock, before the turn is written. */
int session_tick(struct turn *t, struct node_out *out) __attribute__((warn_unused_result));
/* After the commit: HELLO, TAKEN, SUBMIT as far as credit goes, PING. */
int session_pump(struct turn *t, struct node_out *out) __attribute__((warn_unused_result));
/* The broker's clock minus ours now: what WELCOME said, carried on by our monotonic clock. 0
 * before.
 */
int64_t session_clock_offset_ms(const struct node *n);
int session_timeout_ms(const struct node *n, int64_t mono_ms);

/* Note that an entry names roster ${number}: a higher one must be fetched. True when it is higher.
 */
bool session_sees_roster(struct node *n, uint64_t number);

/*
 * Verify a statement of the broker: a parcel of ROUTED and REFUSED entries, linked to its history
 * as known here, for which it becomes the newest. Errors of parcel_verify.
 */
int session_open_statement(struct turn *t, struct bytes statement, struct parcel_facts **ret)
    __attribute__((warn_unused_result));

#endif
