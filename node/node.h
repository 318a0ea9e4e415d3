/*
 * The node's core: a ledger, a session with the broker, an outbox and an inbox, driven in turns.
 *
 * No sockets and no clock of its own: frames and connection events come in, frames go out, time is
 * asked of the clock given, so that a test or a simulation can drive it. The loop (main.c) is
 *
 *     node_begin(n, &turn);          drafts may be added from here on: control_take(…, turn, …)
 *     node_step(n, &in, &out);       verify, append, commit, call `done` of each draft; frames to
 * be sent in ${out}
 *
 * The order is the whole of its safety: nothing is sent that is not durable, and what a turn does
 * is one transaction. One thread, but for what bulk.h says.
 */
#ifndef NODE_NODE_H
#define NODE_NODE_H

#include "base/clock.h"
#include "site/site.h"
#include "turn.h"

struct link;
struct node_core;
struct view;
struct bulk;

struct node {
    const struct site *site;
    const struct site_keys *keys;
    struct clock clock;
    struct store *store;
    struct ledger *ledger;
    /* In force; NULL before the network was joined. Replaced only at the end of a turn: another
     * thread copies what it needs while it holds nothing of it across bulk_wake. */
    const struct roster *roster;
    const char *member; /* own id: site->member */

    struct archive *archives; /* ledgers of this member before this one, oldest first; archive.h */
    size_t archive_count;
    uint64_t base; /* where the own entries begin in the projections' order, behind the archives' */

    struct link
        *link; /* the process's; set by main.c before any part with sockets starts, NULL in tests */
    struct node_core *core; /* turn, session, outbox, inbox: core.h */
    struct view *view;      /* view.c's */
    struct bulk *bulk;      /* bulk.c's */
};

/*
 * Open ${site}'s store and ledger, and bring into force the newest roster (of the store, or a newer
 * one that the administrator handed in). Keeps ${site} and ${keys}. COMITY_E_LEDGER_DAMAGED,
 * COMITY_E_BUSY, and what store_open says.
 */
int node_open(const struct site *site, const struct site_keys *keys, const struct clock *clock,
              struct node **ret) __attribute__((warn_unused_result));
void node_close(struct node *n);

/* Look again at the roster file of the site (SIGHUP): a newer one comes into force with this turn's
 * end. COMITY_E_NO_ROSTER, COMITY_E_ROSTER_OLD when there is nothing new, and what verifying says:
 * then nothing has changed. */
int node_take_roster(struct node *n, struct turn *t) __attribute__((warn_unused_result));

/* What came in since the last turn, in this order: the last frames of a connection (BYE) must be
 * heard before it is known to be gone. */
struct node_in {
    const struct bytes *frames; /* they must live until node_step returns */
    size_t frame_count;
    bool down; /* the connection to the broker is gone */
    bool up;   /* a fresh one stands: the session begins anew */
};

/* Intake of one turn that the loop should not exceed: frames' bytes, number, and time. */
enum { NODE_TURN_BYTES = 4 * 1024 * 1024, NODE_TURN_FRAMES = 256, NODE_TURN_MS = 20 };

/* What is to be sent, in order, by whoever owns the connection. To be zeroed before the first use;
 * kept between turns. */
struct node_out {
    struct buf *frames;
    size_t count;
    size_t cap;
    bool reset;   /* drop the connection, and make it anew after a pause */
    bool healthy; /* a session is open: the pause may begin short again */
};
void node_out_reset(struct node_out *out); /* frees the frames that were not taken */
void node_out_free(struct node_out *out);

/* Begin a turn: views of the last one are gone. */
int node_begin(struct node *n, struct turn **ret) __attribute__((warn_unused_result));

/*
 * End the turn that node_begin began. COMITY_OK also when the turn was undone (no room on the
 * disk): its drafts were told, and the session begins anew. An error ends the process: COMITY_E_IO
 * (what the disk holds is unknown), COMITY_E_ROLLBACK (the broker has seen more of this ledger than
 * there is, or another history of it: it was restored from an old copy; nothing was written),
 * COMITY_E_LEDGER_DAMAGED.
 */
int node_step(struct node *n, const struct node_in *in, struct node_out *out)
    __attribute__((warn_unused_result));

/* Empty the projections and fill them again from what is kept, in one transaction. Between turns.
 */
int node_reindex(struct node *n) __attribute__((warn_unused_result));

/* Milliseconds until node_step wants to be called even if nothing comes in; -1 for never. */
int node_timeout_ms(const struct node *n);

/* Now, by this machine's clock or by the broker's, as far as it is known: whichever is later. What
 * is not in the future by one of them is not turned away for the other's sake. */
int64_t node_latest_ms(const struct node *n);

/* How things stand, for status. */
enum node_session { NODE_OFFLINE, NODE_GREETING, NODE_FETCHING_ROSTER, NODE_ONLINE, NODE_REJECTED };
const char *node_session_word(enum node_session s);
struct node_status {
    enum node_session session;
    int64_t online_since_ms; /* wall clock; 0 when not online */
    const char *last_token;  /* why the broker or we ended the last session; NULL for none */
    uint64_t known_size;     /* COMITY_E_ROLLBACK: entries that the broker has seen; 0: not said */
    uint64_t parcels_queued; /* not answered yet */
    uint64_t deliveries_taken;
    uint64_t turns_undone; /* since the start */
    int trouble;           /* why nothing can be written now (FAULT_PASSING), or COMITY_OK … */
    int64_t trouble_since_ms;
    uint64_t broker_size;    /* of its newest checkpoint seen */
    int64_t clock_offset_ms; /* the broker's clock minus ours; 0 until a broker has told */
    bool roster_expired;
};
void node_status(const struct node *n, struct node_status *ret);

#endif
