/*
 * A member that speaks the protocol as it likes: its site's keys, a loose ledger, a connection to
 * the broker, and what it remembers between runs. Every frame that comes in is told on standard
 * output, one line each:
 *
 *     welcome parcel_seq=N seen=N          routed N index=I        delivered N from MEMBER KIND…
 * [TOKEN] refused TOKEN                        bye TOKEN [known=N]     resync answered N closed
 * denied
 */
#ifndef EVIL_PEER_H
#define EVIL_PEER_H

#include "evil/loose.h"
#include "link/link.h"
#include "link/message.h"
#include "link/socket.h"
#include "msg/frame.h"
#include "wire/roster.h"

enum { EVIL_PEERS_MAX = 16, EVIL_FLIGHT_MAX = 64, EVIL_TO_MAX = 8, EVIL_CREDIT = 64 * 1024 * 1024 };

/* Numbers towards a member: as the broker confirmed them, and as they would go on behind what is in
 * flight. */
struct evil_peer {
    char member[MEMBER_ID_MAX + 1];
    uint64_t next;
    uint64_t sent;
    uint64_t next_now;
    uint64_t sent_now;
};

/* A parcel on its way. */
struct evil_flight {
    uint64_t seq;
    uint64_t size;
    size_t count;
    char to[EVIL_TO_MAX][MEMBER_ID_MAX + 1];
    size_t to_count;
};

/* What evil_wait came back with, besides the numbers of frames. */
enum { EVIL_SILENCE = 0, EVIL_CLOSED = 100, EVIL_DENIED = 101 };

struct evil {
    struct site *site;
    struct site_keys keys;
    struct roster *roster;
    const struct roster_member *broker;
    struct loose ledger;
    struct arena *arena;

    struct link *link;
    struct link_socket *socket;
    struct link_message message;
    bool is_up;

    /* the session */
    uint8_t epoch[EPOCH_LEN];
    uint64_t parcel_seq;  /* the last one given out */
    uint64_t broker_sent; /* size of our ledger that the broker will know by then */
    uint64_t receipts;    /* delivered in this run */
    struct evil_flight flight[EVIL_FLIGHT_MAX];
    size_t flight_count;

    bool forgets; /* the loose ledger stays as it was before this run */
    /* kept */
    uint64_t taken;
    uint64_t answered;
    struct evil_peer peer[EVIL_PEERS_MAX];
    size_t peer_count;
};

/* Everything that fails by itself ends the program. */
void evil_open(struct evil *e, const char *conf, const char *passphrase_file);
void evil_close(struct evil *e);

/* Connect with the site's CURVE key, or with ${secret}. Whether the broker let it in. */
bool evil_connect(struct evil *e, const uint8_t *secret);
void evil_disconnect(struct evil *e);

void evil_send(struct evil *e, const struct frame *f);
void evil_send_raw(struct evil *e, struct bytes payload);
/* One message of two payload frames. */
void evil_send_two(struct evil *e, struct bytes first, struct bytes second);

/* Take frames in until one of ${kind} came, or BYE, RESYNC, or the end of the connection: which. */
int evil_wait(struct evil *e, int kind, int timeout_ms);

/* HELLO as an honest node says it; to be changed before it is sent. The note is kept in the arena.
 */
struct frame evil_hello(struct evil *e);
/* Connect, say it, and wait for what comes. True: WELCOME. */
bool evil_greet(struct evil *e);
/* SUBMIT under the next number; the number. */
uint64_t evil_submit(struct evil *e, struct bytes parcel);
void evil_submit_as(struct evil *e, uint64_t seq, struct bytes parcel);

struct evil_peer *evil_peer(struct evil *e, const char *member);

#endif
