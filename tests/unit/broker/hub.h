/*
 * The broker's core with a small real network around it, for tests of broker/: one turn at a time,
 * frames as the parties' own nodes would send them.
 */
#ifndef TEST_BROKER_HUB_H
#define TEST_BROKER_HUB_H

#include "broker.h"
#include "net.h"
#include "store.h"
#include "wire/parcel.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HUB "hub"
#define CHENGDU "510100-001"
#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"

enum { CREDIT = 64 * 1024 * 1024, QUOTA = 1 << 20, SHARE = QUOTA / 2 };

struct fixture {
    struct net net;
    struct site site;
    struct broker *broker;
    struct arena *arena;
    struct clock clock;
    int64_t start_ms;
    uint64_t sent;    /* size of CHENGDU's ledger that was last accepted */
    uint64_t refused; /* refusals that were dealt with */
};

/* The machine's clock, but that the monotonic one begins with the test: no hour ends during it. */
static inline int64_t hub_wall_ms(void *self)
{
    (void)self;
    return clock_wall_ms(&clock_system);
}

static inline int64_t hub_mono_ms(void *self)
{
    const struct fixture *f = self;
    return clock_mono_ms(&clock_system) - f->start_ms + 1;
}

static inline void start_broker(struct fixture *f)
{
    struct party *hub = net_party(&f->net, HUB);
    f->site = (struct site){.dir = hub->dir,
                            .role = MEMBER_BROKER,
                            .member = hub->id,
                            .origin = hub->origin,
                            .suite = SUITE_1,
                            .network = f->net.network,
                            .keep_days = 1,
                            .quota_bytes = QUOTA};
    assert_int_equal(broker_open(&f->site, &hub->keys, &f->clock, &f->broker), 0);
}

static inline int setup(void **state)
{
    static const char *const ids[] = {HUB, CHENGDU, HANGZHOU, SHENZHEN};
    struct fixture *f = calloc(1, sizeof *f);
    net_init(&f->net, ids, 4);
    party_close(net_party(&f->net, HUB));
    f->arena = arena_new(64 << 20);
    f->start_ms = clock_mono_ms(&clock_system);
    f->clock = (struct clock){.wall_ms = hub_wall_ms, .mono_ms = hub_mono_ms, .self = f};
    start_broker(f);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    broker_close(f->broker);
    arena_free(f->arena);
    net_done(&f->net);
    free(f);
    return 0;
}

static inline struct link_peer peer_of(const struct party *p)
{
    struct link_peer peer = {.route = {1}, .route_len = 1, .fd = -1};
    memcpy(peer.key, p->keys.curve_public, sizeof peer.key);
    return peer;
}

/* One step with a frame of each of ${p}; what it came to. */
static inline int step_all(struct fixture *f, const struct party *const *p,
                           const struct frame *frame, size_t n)
{
    struct buf bytes[8] = {BUF_INIT};
    struct broker_event e[8];
    assert_true(n <= 8);
    broker_sent(f->broker);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(frame_encode(&frame[i], &bytes[i]), 0);
        e[i] = (struct broker_event){.peer = peer_of(p[i]), .payload = buf_bytes(&bytes[i])};
    }
    int err = broker_step(f->broker, e, n);
    for (size_t i = 0; i < n; i++)
        buf_free(&bytes[i]);
    return err;
}

/* One turn with one frame of ${p}. */
static inline void step(struct fixture *f, const struct party *p, const struct frame *frame)
{
    assert_int_equal(step_all(f, &p, frame, 1), 0);
}

/* The ${nth} frame of ${kind} that the broker sent to ${p} in its last turn; false when there is
 * none. */
static inline bool sent(struct fixture *f, const struct party *p, enum frame_kind kind, size_t nth,
                        struct frame *ret)
{
    for (size_t i = 0; i < f->broker->out_count; i++) {
        const struct broker_output *o = &f->broker->out[i];
        if (memcmp(o->to.key, p->keys.curve_public, 32) != 0)
            continue;
        assert_int_equal(frame_decode(f->arena, buf_bytes(&o->frame), ret), 0);
        if (ret->kind == kind && nth-- == 0)
            return true;
    }
    return false;
}

static inline struct frame hello_frame(struct fixture *f, struct party *p, struct bytes broker_note)
{
    struct checkpoint c;
    struct bytes note;
    assert_int_equal(ledger_checkpoint(p->ledger, &c, &note), 0);
    return (struct frame){.kind = FRAME_HELLO,
                          .u.hello = {.version = PROTOCOL_VERSION,
                                      .origin = bytes_of(p->origin),
                                      .roster = roster_number(f->net.roster),
                                      .checkpoint = note,
                                      .broker_note = broker_note,
                                      .credit = CREDIT}};
}

/* Say HELLO; the epoch is kept in the arena. */
static inline struct frame greet(struct fixture *f, struct party *p, uint64_t taken,
                                 uint64_t answered)
{
    struct frame hello = hello_frame(f, p, BYTES_NONE);
    struct frame welcome;
    hello.u.hello.taken = taken;
    hello.u.hello.answered = answered;
    step(f, p, &hello);
    assert_true(sent(f, p, FRAME_WELCOME, 0, &welcome));
    return welcome;
}

static inline void submit(struct fixture *f, const struct party *p, struct bytes epoch,
                          uint64_t seq, struct bytes parcel)
{
    const struct frame s = {
        .kind = FRAME_SUBMIT, .epoch = epoch, .u.submit = {.parcel_seq = seq, .parcel = parcel}};
    step(f, p, &s);
}

static inline void make(struct fixture *f, const char *from, const char *to, size_t count,
                        uint64_t pair_seq, uint64_t since, struct buf *out)
{
    const struct party_parcel what = {.to = &to,
                                      .to_count = 1,
                                      .count = count,
                                      .pair_seq = pair_seq,
                                      .since = since,
                                      .broker = HUB};
    party_make_parcel(&f->net, net_party(&f->net, from), &what, out);
}

/* Damage done behind the broker's back. */
static inline void spoil(struct fixture *f, const char *sql)
{
    char path[300];
    char command[700];
    snprintf(path, sizeof path, "%s/broker.db", f->site.dir);
    snprintf(command, sizeof command, "sqlite3 '%s' \"%s\"", path, sql);
    assert_int_equal(system(command), 0);
}

/* Whether the broker cuts the connection of ${p} after its last turn. */
static inline bool is_cut(struct fixture *f, const struct party *p)
{
    for (size_t i = 0; i < f->broker->out_count; i++)
        if (f->broker->out[i].drop &&
            memcmp(f->broker->out[i].to.key, p->keys.curve_public, 32) == 0)
            return true;
    return false;
}

static inline void expect_bye(struct fixture *f, const struct party *p, const char *token)
{
    struct frame bye;
    assert_true(sent(f, p, FRAME_BYE, 0, &bye));
    assert_true(bytes_is(bye.u.bye.token, token));
    assert_true(is_cut(f, p));
}

#endif
