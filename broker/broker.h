/*
 * The broker as a pure step: frames in, one transaction, frames out. No sockets here and no clock
 * but the one given, so that a simulator can drive it; front.c brings the sockets.
 *
 * One step is one turn: take in the frames, write everything in one transaction, sign, commit, and
 * only then answer and deliver. A turn that fails for a reason that lies in what came in is undone,
 * and its halves are taken, each in a turn of its own, until the event stands alone that it was:
 * that one's session ends. When a step fails for this machine's sake nothing of it is said to
 * anybody: all sessions are forgotten, and the peers say HELLO again. What it had committed by then
 * stands, and is answered and delivered then.
 */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "base/clock.h"
#include "ledger/ledger.h"
#include "link/message.h"
#include "msg/frame.h"
#include "session.h"
#include "site/site.h"
#include "wire/parcel.h"

/* What /metrics tells; counted since the start. */
struct broker_counters {
    uint64_t turns;
    uint64_t turns_undone;  /* and taken in parts */
    uint64_t events_failed; /* alone, so that the session ended */
    uint64_t frames_in;
    uint64_t malformed;
    uint64_t parcels_accepted;
    uint64_t parcels_refused;
    uint64_t deliveries_sent;
    uint64_t resyncs;
    uint64_t byes;
    uint64_t strangers; /* frames of keys that the roster does not know */
};

/* A frame to be sent, or a connection to be cut (after the frame, when there is both). */
struct broker_output {
    struct link_peer to;
    struct buf frame;
    bool drop;
};

struct parcel_cache;

struct broker {
    const struct site *site;
    const struct site_keys *keys;
    const struct clock *clock;
    struct store *store;
    struct ledger *ledger;
    struct roster *roster; /* NULL until there is one: then nobody is served */
    struct note_cache notes;
    struct arena *arena; /* of the running turn */
    struct session_table sessions;
    struct parcel_cache *cache;
    struct broker_counters count;
    uint64_t
        held_against;  /* number of the roster by which members without a place were dropped … */
    uint64_t enforced; /* … and which every session was handed … */
    size_t handed_at_once;  /* … so many bytes of it in one turn */
    bool is_roster_expired; /* the roster is past its renew-by date: an alarm */

    struct broker_output *out;
    size_t out_count;
    size_t out_cap;
};

/* Open store and ledger; the roster is the newest one stored. ${site}, ${keys}, ${clock} must
 * outlive it. */
int broker_open(const struct site *site, const struct site_keys *keys, const struct clock *clock,
                struct broker **ret) __attribute__((warn_unused_result));
void broker_close(struct broker *b);

/* One message that came in. A peer whose message could not be taken in (more than one frame,
 * oversize) is reported with no payload. */
struct broker_event {
    struct link_peer peer;
    struct bytes payload;
};

/*
 * One turn. What is to be sent afterwards is in ${b}->out, to be taken and then dropped with
 * broker_sent. After an error that is FAULT_PASSING another step may be taken; any other must
 * end the process: what the disk holds is unknown or damaged, or this program is wrong.
 */
int broker_step(struct broker *b, const struct broker_event *events, size_t n)
    __attribute__((warn_unused_result));
void broker_sent(struct broker *b);

/*
 * Put a roster file into force in a turn of its own: verified against the one in force or the
 * site's anchor, stored, logged as a ROSTER entry. 0: it is in force; members that are no longer in
 * it are dropped now, or at the next step should that fail. COMITY_E_ROSTER_OLD for one that is in
 * force already.
 */
int broker_take_roster(struct broker *b, struct bytes file) __attribute__((warn_unused_result));

/* Housekeeping in a turn of its own: parcels whose time is over, sessions that fell silent. */
int broker_tidy(struct broker *b) __attribute__((warn_unused_result));

/* Whether something could be sent at once if broker_step were called without events. */
bool broker_has_work(const struct broker *b);

/* ---- shared by the parts of the broker ---- */

/* One transaction around ${work}: begin, work, sign, commit; taken back as a whole when any of it
 * fails. */
int broker_turn(struct broker *b, int (*work)(struct broker *b, void *self), void *self)
    __attribute__((warn_unused_result));

/* Queue ${f} for ${to}. */
int broker_send(struct broker *b, const struct link_peer *to, const struct frame *f)
    __attribute__((warn_unused_result));
/* Cut a connection that is not told why. */
int broker_cut(struct broker *b, const struct link_peer *to) __attribute__((warn_unused_result));
/* End a session with the token of ${err}: BYE, and the connection is cut. */
int broker_bye(struct broker *b, const struct link_peer *to, int err, const char *detail,
               uint64_t known_size) __attribute__((warn_unused_result));

#endif
