/*
 * After the commit: answers, and deliveries with their statements. See PROTOCOL.md, ANSWER and
 * DELIVER.
 */
#include "parts.h"
#include "store.h"

#include <comity/err.h>

enum { ANSWERS_AT_ONCE = 256, DELIVERIES_AT_ONCE = 64 };

/* The statement: these entries of our ledger, proven at its newest checkpoint, linked to the one
 * last sent in the session. */
static int put_statement(struct broker *b, struct session *s, const uint64_t *index, size_t n,
                         struct buf *out)
{
    struct buf head = BUF_INIT;
    const struct parcel_since since = {.member = bytes_of(s->member),
                                       .size = s->now.checkpoint_size};
    const struct parcel_plan plan = {.index = index, .count = n, .since = &since, .since_count = 1};
    int err = parcel_build(b->ledger, &plan, &head);
    if (!err) {
        const struct parcel statement = {.head = buf_bytes(&head)};
        err = parcel_encode(&statement, out);
    }
    if (!err)
        s->now.checkpoint_size = ledger_signed_size(b->ledger);
    buf_free(&head);
    return err;
}

static bool is_answer_due(const struct session *s)
{
    return s->now.answered < s->now.parcel_seq;
}

/* One statement a turn: a node that asks for all that it was ever answered has its turn as the
 * others have, and does not fill our memory. */
int deliver_answers(struct broker *b, struct session *s)
{
    uint64_t index[ANSWERS_AT_ONCE];
    size_t n = 0;
    uint64_t last = s->now.parcel_seq;
    bool refused = false;
    struct buf statement = BUF_INIT;
    if (!is_answer_due(s))
        return COMITY_OK;
    int err = queue_answers(b->store, bytes_of(s->origin), s->now.answered, ANSWERS_AT_ONCE, index,
                            &n, &last, &refused);
    if (!err && n > 0)
        err = put_statement(b, s, index, n, &statement);
    if (!err && n > 0) {
        const struct frame f = {.kind = FRAME_ANSWER,
                                .epoch = BYTES(s->epoch, EPOCH_LEN),
                                .u.answer = {.parcel_seq = last,
                                             .statement = buf_bytes(&statement),
                                             .credit = session_grant(s)}};
        err = broker_send(b, &s->peer, &f);
    }
    if (!err)
        s->now.answered = last;
    buf_free(&statement);
    return err;
}

/* The parcel of a delivery: as it came in lately, or from the store into ${kept}. */
static int find_parcel(struct broker *b, const struct queue_delivery *d, struct buf *kept,
                       struct bytes *ret)
{
    *ret = parcel_cache_get(b->cache, d->parcel);
    if (ret->data)
        return COMITY_OK;
    int err = store_get(b->store, d->chunk, kept);
    if (!err)
        *ret = buf_bytes(kept);
    return err;
}

/* Encode the next delivery into ${frame}; COMITY_E_CREDIT when it would exceed the grant. */
static int put_delivery(struct broker *b, struct session *s, struct buf *frame)
{
    struct queue_delivery d;
    struct buf kept = BUF_INIT;
    struct buf statement = BUF_INIT;
    struct bytes parcel = BYTES_NONE;
    uint64_t size_before = s->now.checkpoint_size;
    int err = queue_delivery(b->store, bytes_of(s->member), s->now.next_delivery, &d);
    if (!err)
        err = find_parcel(b, &d, &kept, &parcel);
    if (!err && s->now.deliver_bytes + parcel.len > session_may_deliver(s))
        err = COMITY_E_CREDIT;
    if (!err)
        err = put_statement(b, s, &d.routed, 1, &statement);
    if (!err) {
        const struct frame f = {.kind = FRAME_DELIVER,
                                .epoch = BYTES(s->epoch, EPOCH_LEN),
                                .u.deliver = {.delivery_seq = s->now.next_delivery,
                                              .statement = buf_bytes(&statement),
                                              .parcel = parcel}};
        err = frame_encode(&f, frame);
    }
    if (!err && s->now.deliver_bytes + frame->len > session_may_deliver(s))
        err = COMITY_E_CREDIT;
    if (err)
        s->now.checkpoint_size = size_before; /* what was not sent cannot be linked to */
    buf_free(&kept);
    buf_free(&statement);
    return err;
}

static bool is_delivery_due(const struct session *s)
{
    const uint64_t may = session_may_deliver(s);
    return s->now.next_delivery <= s->now.given && may > s->now.deliver_bytes &&
           may > s->now.deliver_short;
}

bool deliver_is_due(const struct session *s)
{
    return is_answer_due(s) || is_delivery_due(s) || s->now.recall_due;
}

static struct broker_output *next_output(struct broker *b)
{
    return &b->out[b->out_count - 1];
}

int deliver_parcels(struct broker *b, struct session *s)
{
    for (size_t i = 0; i < DELIVERIES_AT_ONCE && is_delivery_due(s); i++) {
        struct buf frame = BUF_INIT;
        int err = put_delivery(b, s, &frame);
        if (err) {
            buf_free(&frame);
            if (err == COMITY_E_CREDIT) {
                s->now.deliver_short =
                    session_may_deliver(s); /* until the node grants or takes more */
                return COMITY_OK;
            }
            return err;
        }
        session_delivered(s, frame.len);
        b->count.deliveries_sent++;
        err = broker_send(b, &s->peer, NULL);
        if (err) {
            buf_free(&frame);
            return err;
        }
        next_output(b)->frame = frame;
    }
    return COMITY_OK;
}

/* What there is behind what was asked for; nothing more, when the next numbers are all let go. */
static int fill_recalled(struct broker *b, struct session *s, struct frame *f, struct buf *kept,
                         struct buf *statement)
{
    struct queue_delivery d;
    struct known known;
    struct bytes origin = bytes_of(s->now.recall_origin);
    int err = queue_known(b->store, origin, &known, NULL);
    if (err)
        return err;
    int found = queue_kept(b->store, origin, s->now.recall_after, &d, &f->u.recalled.parcel_seq);
    if (found && found != COMITY_E_NOT_FOUND)
        return found;
    f->u.recalled.last =
        known.parcel_seq > f->u.recalled.parcel_seq ? known.parcel_seq : f->u.recalled.parcel_seq;
    if (found)
        return COMITY_OK;
    err = find_parcel(b, &d, kept, &f->u.recalled.parcel);
    if (!err)
        err = put_statement(b, s, &d.routed, 1, statement);
    f->u.recalled.statement = buf_bytes(statement);
    return err;
}

/* One question is open at a time, and its answer is one frame: that is all its credit. */
int deliver_recalled(struct broker *b, struct session *s)
{
    struct buf kept = BUF_INIT;
    struct buf statement = BUF_INIT;
    struct frame f = {.kind = FRAME_RECALLED,
                      .epoch = BYTES(s->epoch, EPOCH_LEN),
                      .u.recalled = {.origin = bytes_of(s->now.recall_origin)}};
    uint64_t size_before = s->now.checkpoint_size;
    if (!s->now.recall_due)
        return COMITY_OK;
    int err = fill_recalled(b, s, &f, &kept, &statement);
    if (!err)
        err = broker_send(b, &s->peer, &f);
    if (err)
        s->now.checkpoint_size = size_before;
    else
        s->now.recall_due = false;
    buf_free(&kept);
    buf_free(&statement);
    return err;
}
