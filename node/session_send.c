/*
 * What the session says by itself: HELLO and WELCOME's checks, and what is due by the clock or
 * after a commit.
 */
#include "base/log.h"
#include "core.h"
#include "outbox.h"
#include "session_parts.h"

#include <string.h>

enum {
    HOUR_MS = 3600 * 1000,
    DAY_MS = 24 * HOUR_MS,
    LOOK_MS = 60 * 1000, /* look at the clock at least so often */
};

/* ---- HELLO and WELCOME ---- */

static int say_hello(struct turn *t, struct node_out *out)
{
    struct node *n = t->node;
    struct session *s = &n->core->session;
    struct checkpoint c;
    struct bytes note;
    if (!n->roster)
        return COMITY_OK;
    int err = ledger_checkpoint(n->ledger, &c, &note);
    if (err)
        return err;
    const struct frame f = {
        .kind = FRAME_HELLO,
        .u.hello = {.version = PROTOCOL_VERSION,
                    .origin = bytes_of(ledger_origin(n->ledger)),
                    .roster = roster_number(n->roster),
                    .taken = n->core->cursor[CURSOR_TAKEN],
                    .answered = n->core->cursor[CURSOR_ANSWERED],
                    .checkpoint = note,
                    .broker_note = n->core->broker.note_len
                                       ? BYTES(n->core->broker.note, n->core->broker.note_len)
                                       : BYTES_NONE,
                    .credit = SESSION_WINDOW}};
    s->hello_due = false;
    s->hello_ms = t->mono_ms;
    return session_send(out, &f);
}

/* The broker's checkpoint extends the one that HELLO named. */
static int check_broker(struct turn *t, const struct frame *f, struct checkpoint *ret)
{
    struct node *n = t->node;
    const struct roster_origin *o = core_broker_origin(n);
    int err = o ? note_cache_open(&n->core->notes, f->u.welcome.checkpoint, &o->verifier, ret)
                : COMITY_E_UNKNOWN_MEMBER;
    if (err || n->core->broker.note_len == 0)
        return err;
    err = session_check_consistency(t, &n->core->broker.checkpoint, ret, f->u.welcome.proof,
                                    f->u.welcome.proof_count);
    if (err)
        log_event(LOG_ERROR, "broker_inconsistent",
                  LOG_U64("known", n->core->broker.checkpoint.size), LOG_U64("size", ret->size));
    return err;
}

/* What the broker has seen of this ledger, signed by our own key, must be in it: else an old copy
 * was restored. */
static int check_own(struct turn *t, const struct frame *f)
{
    struct node *n = t->node;
    struct checkpoint seen;
    struct hash root;
    uint64_t size = ledger_signed_size(n->ledger);
    if (f->u.welcome.seen.len == 0)
        return COMITY_OK;
    int err = note_cache_open(&n->core->notes, f->u.welcome.seen,
                              note_signer_public(n->keys->ledger), &seen);
    if (!err && seen.size <= size)
        err = ledger_root(n->ledger, seen.size, &root);
    if (err)
        return err;
    if (seen.size <= size && hash_equal(&root, &seen.root))
        return COMITY_OK;
    log_event(LOG_ERROR, "rollback", LOG_U64("size", size), LOG_U64("known_size", seen.size));
    n->core->session.known_size = seen.size;
    return COMITY_E_ROLLBACK;
}

/* Both sides remember the same parcels and deliveries. */
static int check_cursors(struct turn *t, const struct frame *f)
{
    const struct node_core *c = t->node->core;
    bool is_lost = f->u.welcome.first_delivery > c->cursor[CURSOR_TAKEN] + 1;
    /* A successor goes on where the copy had stopped; what was taken since may be let go by now. */
    if (is_lost && archive_note_lost(t, f->u.welcome.first_delivery) == COMITY_OK)
        is_lost = false;
    if (f->u.welcome.parcel_seq > c->last_parcel_seq ||
        f->u.welcome.parcel_seq < c->cursor[CURSOR_ANSWERED] || is_lost) {
        log_event(LOG_ERROR, "cursors_disagree", LOG_U64("parcel_seq", f->u.welcome.parcel_seq),
                  LOG_U64("last", c->last_parcel_seq),
                  LOG_U64("answered", c->cursor[CURSOR_ANSWERED]),
                  LOG_U64("first_delivery", f->u.welcome.first_delivery),
                  LOG_U64("taken", c->cursor[CURSOR_TAKEN]));
        return COMITY_E_PARCEL_SEQ;
    }
    return COMITY_OK;
}

int64_t session_clock_offset_ms(const struct node *n)
{
    const struct session *s = &n->core->session;
    if (s->broker_ms == 0)
        return 0;
    return s->broker_ms + (clock_mono_ms(&n->clock) - s->broker_mono_ms) - clock_wall_ms(&n->clock);
}

/* Clocks are set while we run: it is said when they begin to differ, and when they agree again. */
static void watch_clock(struct node *n)
{
    struct session *s = &n->core->session;
    const int64_t ms = session_clock_offset_ms(n);
    const bool is_off = ms > CLOCK_TOLERANCE_MS || ms < -CLOCK_TOLERANCE_MS;
    if (is_off && !s->is_clock_off)
        log_event(LOG_WARN, "clocks_differ", LOG_U64("ms", (uint64_t)(ms < 0 ? -ms : ms)),
                  LOG_STR("ours_is", ms < 0 ? "ahead" : "behind"));
    else if (!is_off && s->is_clock_off)
        log_event(LOG_INFO, "clocks_agree");
    s->is_clock_off = is_off;
}

static void open_session(struct turn *t, const struct frame *f, const struct checkpoint *c)
{
    struct node *n = t->node;
    struct session *s = &n->core->session;
    memcpy(s->epoch, f->epoch.data, EPOCH_LEN);
    s->state = NODE_ONLINE;
    s->online_ms = t->now_ms;
    s->last_token = NULL;
    s->broker_ms = (int64_t)f->u.welcome.clock_ms;
    s->broker_mono_ms = t->mono_ms;
    s->their_grant = f->u.welcome.credit;
    s->sent = 0;
    s->submitted = s->durable = f->u.welcome.parcel_seq;
    s->our_grant = s->told = SESSION_WINDOW;
    s->received = 0;
    s->seen = s->taken_told = n->core->cursor[CURSOR_TAKEN];
    s->root_count = 0;
    session_see_root(n, c, f->u.welcome.checkpoint);
    log_event(LOG_INFO, "online", LOG_U64("parcel_seq", s->durable), LOG_U64("taken", s->seen),
              LOG_U64("broker_size", c->size));
    watch_clock(n);
    session_sees_roster(n, f->u.welcome.roster);
}

int session_welcome(struct turn *t, const struct frame *f, struct node_out *out)
{
    struct checkpoint c;
    (void)out;
    if (t->node->core->session.hello_due)
        return COMITY_OK; /* to a HELLO of before */
    int err = check_own(t, f);
    if (!err)
        err = check_broker(t, f, &c);
    if (!err)
        err = check_cursors(t, f);
    if (!err)
        open_session(t, f, &c);
    return err;
}

/* ---- by the clock ---- */

/* Nothing was heard for too long: the connection is dead, whatever TCP believes. */
static void lose(struct node *n, struct node_out *out)
{
    log_event(LOG_WARN, "offline", LOG_STR("reason", "silence"));
    session_down(n);
    out->reset = true;
}

static int say_ping(struct turn *t, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    s->ping_ms = t->mono_ms;
    const struct frame f = {.kind = FRAME_PING,
                            .epoch = BYTES(s->epoch, EPOCH_LEN),
                            .u.ping = {.credit = s->our_grant}};
    return session_send(out, &f);
}

/* A checkpoint is published when nothing else carries one: hourly when the ledger grew much, else
 * daily. */
static bool should_publish(const struct turn *t)
{
    struct node *n = t->node;
    struct node_core *c = n->core;
    const struct roster_member *broker = core_broker(n);
    struct peer *p = broker ? outbox_peer(n, broker->id) : NULL;
    if (!p || c->last_parcel_seq != c->cursor[CURSOR_ANSWERED])
        return false;
    uint64_t size = ledger_signed_size(n->ledger);
    if (size <= p->sent)
        return false;
    int64_t after = size - p->sent > n->site->checkpoint_entries ? HOUR_MS : DAY_MS;
    int64_t since = t->now_ms - (int64_t)c->cursor[CURSOR_PUBLISHED_MS];
    return since >= after || since < 0;
}

int session_tick(struct turn *t, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    int64_t now = t->mono_ms;
    if (s->state == NODE_GREETING && !s->hello_due && now - s->hello_ms >= SESSION_PONG_MS)
        lose(t->node, out);
    if (s->state != NODE_ONLINE && s->state != NODE_FETCHING_ROSTER)
        return COMITY_OK;
    if (s->ping_ms && now - s->ping_ms >= SESSION_PONG_MS) {
        lose(t->node, out);
        return COMITY_OK;
    }
    watch_clock(t->node);
    t->publish = s->state == NODE_ONLINE && should_publish(t);
    return !s->ping_ms && now - s->heard_ms >= SESSION_PING_MS ? say_ping(t, out) : COMITY_OK;
}

static int64_t at_least_zero(int64_t ms)
{
    return ms < 0 ? 0 : ms;
}

int session_timeout_ms(const struct node *n, int64_t mono_ms)
{
    const struct session *s = &n->core->session;
    int64_t left = LOOK_MS;
    if (s->state == NODE_GREETING && s->hello_due)
        left = s->hello_ms ? s->hello_ms + SESSION_HELLO_AGAIN_MS - mono_ms : 0;
    else if (s->state == NODE_GREETING)
        left = s->hello_ms + SESSION_PONG_MS - mono_ms;
    else if (s->state == NODE_ONLINE || s->state == NODE_FETCHING_ROSTER)
        left = s->ping_ms ? s->ping_ms + SESSION_PONG_MS - mono_ms
                          : s->heard_ms + SESSION_PING_MS - mono_ms;
    left = at_least_zero(left);
    return (int)(left < LOOK_MS ? left : LOOK_MS);
}

/* ---- after the commit ---- */

/* What was taken is durable now; and the window moves on. */
static int say_taken(struct turn *t, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    uint64_t taken = t->node->core->cursor[CURSOR_TAKEN];
    s->our_grant = s->received + SESSION_WINDOW;
    if (taken == s->taken_told && s->our_grant < s->told + SESSION_WINDOW / 2)
        return COMITY_OK;
    s->taken_told = taken;
    s->told = s->our_grant;
    const struct frame f = {.kind = FRAME_TAKEN,
                            .epoch = BYTES(s->epoch, EPOCH_LEN),
                            .u.taken = {.delivery_seq = taken, .credit = s->our_grant}};
    return session_send(out, &f);
}

int session_ask_roster(struct node *n, struct node_out *out)
{
    struct session *s = &n->core->session;
    if (s->state != NODE_FETCHING_ROSTER)
        return COMITY_OK;
    const struct frame f = {.kind = FRAME_ROSTER_ASK,
                            .epoch = BYTES(s->epoch, EPOCH_LEN),
                            .u.roster_ask = {.number = s->wanted, .part = s->part_next}};
    return session_send(out, &f);
}

/*
 * Parcels that are queued and not sent yet, as far as credit goes. What the broker has but we have
 * no answer for is answered first: it may be a refusal, and then what is queued behind must not go
 * as it is.
 */
static int submit(struct turn *t, struct node_out *out)
{
    struct node *n = t->node;
    struct session *s = &n->core->session;
    int err = COMITY_OK;
    if (n->core->cursor[CURSOR_ANSWERED] < s->durable)
        return COMITY_OK;
    while (!err && s->submitted < n->core->last_parcel_seq && s->sent < s->their_grant) {
        struct buf frame = BUF_INIT;
        err = outbox_put_submit(n, s->submitted + 1, BYTES(s->epoch, EPOCH_LEN), &frame);
        if (!err && s->sent + frame.len > s->their_grant) {
            buf_free(&frame);
            return COMITY_OK;
        }
        size_t len = frame.len;
        if (!err)
            err = session_send_buf(out, &frame);
        buf_free(&frame);
        if (!err) {
            s->sent += len;
            s->submitted++;
        }
    }
    return err;
}

int session_pump(struct turn *t, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    if (s->state == NODE_GREETING && s->hello_due &&
        (s->hello_ms == 0 || t->mono_ms - s->hello_ms >= SESSION_HELLO_AGAIN_MS))
        return say_hello(t, out);
    if (s->state != NODE_ONLINE && s->state != NODE_FETCHING_ROSTER)
        return COMITY_OK;
    int err = COMITY_OK;
    if (s->state == NODE_FETCHING_ROSTER && !s->asked) {
        s->asked = true;
        err = session_ask_roster(t->node, out);
    }
    /* Receipts before TAKEN: the broker's turn begins with the first frame, and somebody waits for
     * the receipts. */
    if (!err && s->state == NODE_ONLINE)
        err = submit(t, out);
    if (!err && s->state == NODE_ONLINE)
        err = archive_ask(t, out);
    return err ? err : say_taken(t, out);
}
