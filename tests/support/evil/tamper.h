/*
 * What a broker can do to the frames that pass between its honest core and its members.
 */
#ifndef EVIL_TAMPER_H
#define EVIL_TAMPER_H

#include "broker.h"
#include "link/socket.h"

struct loose;

/* A frame on its way out. */
struct emission {
    struct link_peer to;
    struct buf frame;
    bool drop;
    int64_t due_ms; /* monotonic */
};

struct tampering;

struct tamper {
    const char *name;
    const char *what; /* one line for --help */
    /* A frame that came in, which may be changed. False: the core never sees it. */
    bool (*in)(struct tampering *t, const struct link_peer *from, struct buf *frame,
               const struct frame *f);
    /* A frame that the core sends: emit what is to be sent instead. */
    void (*out)(struct tampering *t, const struct link_peer *to, const struct frame *f,
                struct buf *frame);
};
extern const struct tamper tampers[];

struct tampering {
    const struct tamper *tamper;
    struct broker *broker;
    struct arena *arena; /* of one frame */
    struct link_socket *socket;

    struct emission *queue;
    size_t count;
    size_t cap;

    /* what attacks remember */
    struct link_peer held_to;
    struct buf held;
    uint64_t shift;
    uint64_t hits; /* frames tampered with */
};

/* Queue ${frame}, which is taken over, to be sent after ${delay_ms}. */
void tamper_emit(struct tampering *t, const struct link_peer *to, struct buf *frame,
                 int64_t delay_ms);
/* Cut the connection a moment later. */
void tamper_emit_cut(struct tampering *t, const struct link_peer *to);
void tamper_emit_frame(struct tampering *t, const struct link_peer *to, const struct frame *f);

#endif
