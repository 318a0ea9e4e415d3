/*
 * The parts of a broker's turn, one a file. Internal to broker/.
 */
#ifndef BROKER_PARTS_H
#define BROKER_PARTS_H

#include "broker.h"

/* frames.c: one frame inside the turn. */
int frame_take(struct broker *b, const struct link_peer *peer, const struct frame *f,
               size_t frame_len) __attribute__((warn_unused_result));
/* Whether a frame of that kind makes the turn a transaction. */
bool frame_writes(enum frame_kind kind);

/* hello.c: open a session, or say BYE. */
int hello_take(struct broker *b, const struct link_peer *peer, const struct frame *f)
    __attribute__((warn_unused_result));

/* submit.c: one SUBMIT inside the turn's transaction. ${frame_len} is what it costs in credit. */
int submit_take(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
    __attribute__((warn_unused_result));

/* deliver.c: after the commit, one answer to ${s} for what is durable and not answered yet … */
int deliver_answers(struct broker *b, struct session *s) __attribute__((warn_unused_result));
/* … and deliveries, as far as credit goes. */
int deliver_parcels(struct broker *b, struct session *s) __attribute__((warn_unused_result));
/* … and what was asked for of an earlier ledger. */
int deliver_recalled(struct broker *b, struct session *s) __attribute__((warn_unused_result));
/* Whether there is more of any. */
bool deliver_is_due(const struct session *s);

/* roster.c: hold all sessions against the roster in force, and hand it to some of those that stay.
 * What fails, and what is left, is for the next call. */
int roster_enforce(struct broker *b) __attribute__((warn_unused_result));
/* Whether something is left. */
bool roster_is_due(const struct broker *b);

/* Send roster ${number} (or the one in force, when that is not held): part ${part} of it, if there
 * is such. */
int roster_send_part(struct broker *b, const struct session *s, uint64_t number, uint32_t part)
    __attribute__((warn_unused_result));

/* cache.c: parcels that came in lately, so that what is delivered at once is not read from the
 * disk. Bounded. */
struct parcel_cache *parcel_cache_new(size_t max_bytes);
void parcel_cache_free(struct parcel_cache *c);
/* Copies; forgets the oldest. Failing for want of memory is no error: it is a cache. */
void parcel_cache_put(struct parcel_cache *c, uint64_t id, struct bytes parcel);
/* None when it is not there. Valid until the next put. */
struct bytes parcel_cache_get(const struct parcel_cache *c, uint64_t id);
/* Forget everything: ids of a turn that failed are given again. */
void parcel_cache_clear(struct parcel_cache *c);

#endif
