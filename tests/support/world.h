/*
 * A network in one thread: the broker's core and several nodes' cores, frames carried between them
 * by hand, on a clock that moves when told. Everything that fails here ends the test program.
 *
 * What may go wrong is a function: actor_kill and actor_start, world_stop_broker and
 * world_start_broker (as by kill -9: nothing is said, what was on the way is lost),
 * world_disconnect, and struct world_watch, which sees every frame and may lose it.
 */
#ifndef SUPPORT_WORLD_H
#define SUPPORT_WORLD_H

#include "../../broker/broker.h"
#include "../../node/node.h"
#include "net.h"

#define HUB "hub"
#define CHENGDU "510100-001"
#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"

enum { WORLD_NODES = 3, WORLD_QUEUE = 4096 };

/* A bureau's node; its process, when ${node} is not NULL. */
struct actor {
    struct party *party;
    struct site site;
    struct node *node;
    struct buf in[WORLD_QUEUE]; /* frames on the way to it */
    size_t in_count;
    bool up; /* tell it so at its next turn */
    bool down;
    bool is_connected;
    size_t frames_out;
    int last;     /* what its last step returned */
    size_t done;  /* drafts that were told … */
    int done_err; /* … and what, last */
};

struct world;

/* Whoever looks on. */
struct world_watch {
    /* A frame leaves a party: ${from} for the broker (${to} NULL), or the broker's (${from} NULL).
     * True: it gets lost. */
    bool (*frame)(void *self, const struct actor *from, const struct actor *to, struct bytes frame);
    void *self;
};

struct world {
    struct net net;
    struct site site; /* the broker's */
    struct broker *broker;
    struct actor actor[WORLD_NODES];
    struct clock clock;
    int64_t ms;
    bool cut; /* the broker does not run */
    size_t broker_frames;
    size_t drop_answers; /* frames of kind ANSWER to be lost */
    struct world_watch watch;
};

/* Members, keys, ledgers and roster 1, and all processes started. */
struct world *world_new(void);
/* The same, but nobody has a process or a roster yet: neither broker nor nodes were started. */
struct world *world_found(void);
void world_free(struct world *w);

struct actor *actor_of(struct world *w, const char *id);

/* ---- processes ---- */

void world_start_broker(struct world *w);
void world_stop_broker(struct world *w);
void actor_start(struct world *w, struct actor *a);
/* As if the process had been killed: nothing is said, what was on the way is lost. */
void actor_kill(struct actor *a);
/* The newest roster as a file in the member's folder, where an administrator would put it. */
void world_write_roster(struct world *w, const struct party *p);

/* ---- frames ---- */

struct link_peer actor_peer(const struct actor *a);
uint32_t frame_kind_of(struct bytes frame);
/* The connection comes up with the next turn. */
void actor_connect(struct actor *a);
/* It breaks; what was on the way to the node is lost. */
void actor_disconnect(struct actor *a);
void actor_drop_frames(struct actor *a);
/* What the broker has sent goes on its way. */
void world_carry(struct world *w);
/* One turn of a node, with all that is on the way to it, and what it sends to the broker. ${add}
 * may add drafts. True when something happened. */
bool actor_turn(struct world *w, struct actor *a,
                void (*add)(struct actor *a, struct turn *t, void *arg), void *arg);
/* Until nothing is on the way any more. Returns the number of turns it took. */
size_t world_run(struct world *w);
void world_connect_all(struct world *w);

#endif
