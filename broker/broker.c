/*
 * The broker's turn. See broker.h; the parts are frames.c, hello.c, submit.c, deliver.c and
 * roster.c.
 */
#include "broker.h"

#include "base/fault.h"
#include "base/log.h"
#include "parts.h"
#include "store.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum {
    TURN_ARENA =
        512 * 1024 * 1024, /* a cap, not an allocation: what one turn's frames may decode to */
    CACHE_BYTES = 32 * 1024 * 1024,
    SILENCE_MS = 90 * 1000,
    SWEEP_AT_ONCE = 256,
    DAY_MS = 24 * 3600 * 1000
};

static int load_roster(struct broker *b)
{
    struct buf file = BUF_INIT;
    int err = queue_roster(b->store, UINT64_MAX, &file);
    if (!err)
        err = roster_open(buf_bytes(&file), &b->site->network, NULL, &b->roster);
    else if (err == COMITY_E_NOT_FOUND)
        err = COMITY_OK;
    buf_free(&file);
    return err;
}

int broker_open(const struct site *site, const struct site_keys *keys, const struct clock *clock,
                struct broker **ret)
{
    struct broker *b = calloc(1, sizeof *b);
    if (!b)
        return COMITY_E_NOMEM;
    b->site = site;
    b->keys = keys;
    b->clock = clock;
    b->handed_at_once = ROSTER_FILE_MAX;
    b->arena = arena_new(TURN_ARENA);
    b->cache = parcel_cache_new(CACHE_BYTES);
    int err = b->arena && b->cache ? COMITY_OK : COMITY_E_NOMEM;
    if (!err)
        err = site_open_store(site, DB_WRITE, &b->store);
    if (!err)
        err = ledger_open(b->store, keys->ledger, &b->ledger);
    if (!err)
        err = load_roster(b);
    if (err) {
        broker_close(b);
        return err;
    }
    *ret = b;
    return COMITY_OK;
}

void broker_close(struct broker *b)
{
    if (!b)
        return;
    broker_sent(b);
    free(b->out);
    session_table_done(&b->sessions);
    ledger_close(b->ledger);
    store_close(b->store);
    roster_free(b->roster);
    parcel_cache_free(b->cache);
    arena_free(b->arena);
    free(b);
}

/* ---- output ---- */

int broker_send(struct broker *b, const struct link_peer *to, const struct frame *f)
{
    if (b->out_count == b->out_cap) {
        size_t cap = b->out_cap ? b->out_cap * 2 : 64;
        struct broker_output *out = realloc(b->out, cap * sizeof *out);
        if (!out)
            return COMITY_E_NOMEM;
        b->out = out;
        b->out_cap = cap;
    }
    struct broker_output o = {.to = *to};
    int err = f ? frame_encode(f, &o.frame) : COMITY_OK;
    if (err) {
        buf_free(&o.frame);
        return err;
    }
    b->out[b->out_count++] = o;
    return COMITY_OK;
}

int broker_bye(struct broker *b, const struct link_peer *to, int err, const char *detail,
               uint64_t known_size)
{
    const struct frame f = {.kind = FRAME_BYE,
                            .u.bye = {.token = bytes_of(comity_err_token(err)),
                                      .detail = bytes_of(detail),
                                      .has_known_size = known_size != 0,
                                      .known_size = known_size}};
    struct session *s = session_find(&b->sessions, to->key);
    const struct roster_member *m = b->roster ? roster_member_by_curve(b->roster, to->key) : NULL;
    log_event(LOG_WARN, "bye", LOG_BYTES("member", m ? m->id : BYTES_LIT("-")), LOG_ERR(err),
              LOG_STR("detail", detail ? detail : "-"));
    int sent = broker_send(b, to, &f);
    if (sent)
        return sent;
    b->out[b->out_count - 1].drop = true;
    b->count.byes++;
    if (s && link_peer_same(&s->peer, to))
        session_drop(&b->sessions, s); /* ${to} may lie in it */
    return COMITY_OK;
}

int broker_cut(struct broker *b, const struct link_peer *to)
{
    int err = broker_send(b, to, NULL);
    if (!err)
        b->out[b->out_count - 1].drop = true;
    return err;
}

/* Forget what was queued behind the first ${count}. */
static void unsend(struct broker *b, size_t count)
{
    for (size_t i = count; i < b->out_count; i++)
        buf_free(&b->out[i].frame);
    b->out_count = count;
}

void broker_sent(struct broker *b)
{
    unsend(b, 0);
}

/* ---- the turn ---- */

struct intake {
    struct link_peer peer;
    struct frame frame;
    size_t len;
};

/* Whose frame this is, by key: every message is held against the roster. */
static bool is_member(struct broker *b, const struct link_peer *peer)
{
    if (b->roster && roster_member_by_curve(b->roster, peer->key))
        return true;
    b->count.strangers++;
    return false;
}

/* Decode what came in; what does not decode ends its session here. */
static int decode_all(struct broker *b, const struct broker_event *events, size_t n,
                      struct intake *ret, size_t *ret_count, bool *ret_writes)
{
    size_t count = 0;
    bool writes = false;
    for (size_t i = 0; i < n; i++) {
        struct intake *in = &ret[count];
        in->peer = events[i].peer;
        in->len = events[i].payload.len;
        b->count.frames_in++;
        int err = COMITY_E_NOT_MEMBER;
        if (is_member(b, &in->peer))
            err = events[i].payload.data ? frame_decode(b->arena, events[i].payload, &in->frame)
                                         : COMITY_E_MALFORMED;
        if (err == COMITY_E_NOMEM)
            return err;
        if (err) {
            b->count.malformed += err != COMITY_E_NOT_MEMBER;
            if ((err = broker_bye(b, &in->peer, err, NULL, 0)))
                return err;
            continue;
        }
        writes = writes || frame_writes(in->frame.kind);
        count++;
    }
    *ret_count = count;
    *ret_writes = writes;
    return COMITY_OK;
}

int broker_turn(struct broker *b, int (*work)(struct broker *b, void *self), void *self)
{
    int err = ledger_begin(b->ledger);
    if (err)
        return err;
    err = work(b, self);
    if (!err)
        err = ledger_sign(b->ledger);
    if (err) {
        ledger_abort(b->ledger);
        return err;
    }
    return ledger_commit(b->ledger);
}

struct intakes {
    const struct intake *at;
    size_t count;
};

static int take_all(struct broker *b, void *self)
{
    const struct intakes *in = self;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < in->count; i++)
        err = frame_take(b, &in->at[i].peer, &in->at[i].frame, in->at[i].len);
    return err;
}

static int one_turn(struct broker *b, const struct broker_event *events, size_t n)
{
    arena_reset(b->arena);
    session_keep_all(&b->sessions);
    struct intake *in = arena_alloc(b->arena, n * sizeof *in);
    struct intakes all = {.at = in};
    bool writes = false;
    int err = in ? decode_all(b, events, n, in, &all.count, &writes) : COMITY_E_NOMEM;
    if (!err)
        err = writes ? broker_turn(b, take_all, &all) : take_all(b, &all);
    b->count.turns++;
    return err;
}

/* ---- events that fail (node/turn.c has the like for deliveries) ---- */

/* Whether a turn failed for what was in it: then it would fail with it again. What it decoded to
 * was too much for one turn, when the arena is spent; memory that the system does not give is
 * nobody's fault. */
static bool is_for_an_event(const struct broker *b, int err)
{
    if (err == COMITY_E_NOMEM)
        return arena_is_spent(b->arena);
    return fault_of(err) == FAULT_THEIRS || fault_of(err) == FAULT_OURS;
}

/* Nothing of the turn has happened: no row, no number, no frame. */
static void undo(struct broker *b, size_t out_count, const struct broker_counters *count,
                 size_t events, int why)
{
    const uint64_t undone = b->count.turns_undone + 1;
    log_event(LOG_ERROR, "turn_undone", LOG_ERR(why), LOG_U64("events", events),
              LOG_STR("detail", db_detail(store_db(b->store))));
    unsend(b, out_count);
    session_undo_all(&b->sessions);
    parcel_cache_clear(b->cache); /* ids are given again */
    b->count = *count;
    b->count.turns_undone = undone;
}

/* It failed alone. The session ends; the others never notice. */
static int end_for(struct broker *b, const struct link_peer *peer, int why)
{
    struct account *a = session_account(&b->sessions, peer->key, clock_mono_ms(b->clock));
    const struct roster_member *m = b->roster ? roster_member_by_curve(b->roster, peer->key) : NULL;
    if (a)
        a->failures++;
    b->count.events_failed++;
    log_event(LOG_ERROR, "event_fails", LOG_BYTES("member", m ? m->id : BYTES_LIT("-")),
              LOG_ERR(why), LOG_U64("times", a ? a->failures : 0));
    return broker_bye(b, peer, why == COMITY_E_NOMEM ? COMITY_E_LIMIT : why,
                      "what was sent could not be taken in", 0);
}

/* Take events in, all in one turn if that can be; else by halves. */
static int take_in(struct broker *b, const struct broker_event *events, size_t n)
{
    const size_t out_count = b->out_count;
    const struct broker_counters count = b->count;
    int err = one_turn(b, events, n);
    if (!err || n == 0 || !is_for_an_event(b, err))
        return err;
    undo(b, out_count, &count, n, err);
    if (n == 1)
        return end_for(b, &events[0].peer, err);
    err = take_in(b, events, n / 2);
    return err ? err : take_in(b, events + n / 2, n - n / 2);
}

/* ---- what goes out ---- */

/* What cannot be answered or delivered to one is that one's matter; it says HELLO again. */
static void drop_unanswered(struct broker *b, struct session *s, int why)
{
    struct link_peer peer = s->peer;
    log_event(LOG_ERROR, "answer_fails", LOG_STR("member", s->member), LOG_ERR(why));
    session_drop(&b->sessions, s);
    int err = broker_cut(b, &peer);
    if (err) /* then it is told at its next frame, or by silence */
        log_event(LOG_ERROR, "drop_failed", LOG_ERR(err));
}

static int answer_all(struct broker *b)
{
    struct session *s = NULL;
    struct session *next = NULL;
    HASH_ITER(hh, b->sessions.by_key, s, next)
    {
        int err = deliver_answers(b, s);
        if (!err)
            err = deliver_parcels(b, s);
        if (!err)
            err = deliver_recalled(b, s);
        if (err && fault_of(err) == FAULT_STORE)
            return err;
        if (err)
            drop_unanswered(b, s, err);
    }
    return COMITY_OK;
}

int broker_step(struct broker *b, const struct broker_event *events, size_t n)
{
    int err = roster_enforce(b);
    if (!err)
        err = take_in(b, events, n);
    if (!err)
        err = answer_all(b);
    if (err) {
        /* Nobody has heard of this turn, whether it was committed or not: whoever was in it finds
         * its epoch unknown, says HELLO again, and is told from what is durable. */
        log_event(LOG_ERROR, "turn_failed", LOG_ERR(err),
                  LOG_STR("detail", db_detail(store_db(b->store))));
        broker_sent(b);
        session_drop_all(&b->sessions);
        parcel_cache_clear(b->cache);
    }
    return err;
}

bool broker_has_work(const struct broker *b)
{
    for (const struct session *s = b->sessions.by_key; s; s = s->hh.next)
        if (deliver_is_due(s))
            return true;
    return roster_is_due(b);
}

/* ---- housekeeping ---- */

static void drop_silent(struct broker *b)
{
    int64_t now = clock_mono_ms(b->clock);
    struct session *s = NULL;
    struct session *next = NULL;
    HASH_ITER(hh, b->sessions.by_key, s, next)
    if (now - s->heard_ms > SILENCE_MS)
        session_drop(&b->sessions, s);
}

static int sweep(struct broker *b, void *self)
{
    size_t freed = 0;
    const int64_t *now_ms = self;
    return queue_sweep(b->store, *now_ms - (int64_t)b->site->keep_days * DAY_MS, SWEEP_AT_ONCE,
                       &freed);
}

int broker_tidy(struct broker *b)
{
    int64_t now = clock_wall_ms(b->clock);
    bool late = b->roster && now > roster_renew_by_ms(b->roster);
    drop_silent(b);
    if (late && !b->is_roster_expired)
        log_event(LOG_WARN, "roster_expired", LOG_U64("number", roster_number(b->roster)));
    b->is_roster_expired = late;
    return broker_turn(b, sweep, &now);
}
