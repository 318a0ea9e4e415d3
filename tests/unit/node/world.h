/*
 * A network in one thread: the broker's core and several nodes' cores, frames carried between them
 * by hand, on a clock that moves when told. For tests of node/.
 */
#ifndef TEST_NODE_WORLD_H
#define TEST_NODE_WORLD_H

#include "../../../broker/broker.h"
#include "../../../node/bulk.h"
#include "../../../node/node.h"
#include "../../support/net.h"

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

enum { WORLD_NODES = 3, WORLD_QUEUE = 4096 };

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

struct world {
    struct net net;
    struct site site; /* the broker's */
    struct broker *broker;
    struct actor actor[WORLD_NODES];
    int64_t ms;
    bool cut; /* the broker does not run */
    size_t broker_frames;
    size_t drop_answers; /* frames of kind ANSWER to be lost */
    size_t (*bulk)(struct node *n, struct bulk_finished *ret, size_t max);
};

static struct world *the_world;

/* Attachments are moved by nobody here; a test says what was. */
__attribute__((weak)) int bulk_start(struct node *n)
{
    (void)n;
    return 0;
}
__attribute__((weak)) void bulk_stop(struct node *n)
{
    (void)n;
}
__attribute__((weak)) void bulk_wake(struct node *n)
{
    (void)n;
}
__attribute__((weak)) int bulk_fd(const struct node *n)
{
    (void)n;
    return -1;
}
__attribute__((weak)) size_t bulk_take_finished(struct node *n, struct bulk_finished *ret,
                                                size_t max)
{
    return the_world->bulk ? the_world->bulk(n, ret, max) : 0;
}

static inline int64_t world_ms(void *self)
{
    return ((struct world *)self)->ms;
}

static inline struct clock world_clock(struct world *w)
{
    return (struct clock){.wall_ms = world_ms, .mono_ms = world_ms, .self = w};
}

static inline struct actor *actor_of(struct world *w, const char *id)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (w->actor[i].party && strcmp(w->actor[i].party->id, id) == 0)
            return &w->actor[i];
    fail_msg("no node %s", id);
    return NULL;
}

/* ---- starting ---- */

static inline void world_write_roster(struct world *w, const struct party *p)
{
    char path[300];
    snprintf(path, sizeof path, "%s/roster", p->dir);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(w->net.roster_file.data, 1, w->net.roster_file.len, f),
                     w->net.roster_file.len);
    fclose(f);
}

static inline void actor_start(struct world *w, struct actor *a)
{
    struct clock c = world_clock(w);
    a->site = (struct site){.dir = a->party->dir,
                            .role = MEMBER_BUREAU,
                            .member = a->party->id,
                            .origin = a->party->origin,
                            .suite = SUITE_1,
                            .network = w->net.network,
                            .checkpoint_entries = 100};
    assert_int_equal(node_open(&a->site, &a->party->keys, &c, &a->node), 0);
}

static inline void actor_drop_frames(struct actor *a)
{
    for (size_t i = 0; i < a->in_count; i++)
        buf_free(&a->in[i]);
    a->in_count = 0;
}

/* As if the process had been killed: nothing is said, what was on the way is lost. */
static inline void actor_kill(struct actor *a)
{
    node_close(a->node);
    a->node = NULL;
    actor_drop_frames(a);
    a->is_connected = a->up = a->down = false;
}

static inline void world_start_broker(struct world *w)
{
    static struct clock c;
    struct party *hub = net_party(&w->net, HUB);
    c = world_clock(w);
    w->site = (struct site){.dir = hub->dir,
                            .role = MEMBER_BROKER,
                            .member = hub->id,
                            .origin = hub->origin,
                            .suite = SUITE_1,
                            .network = w->net.network,
                            .keep_days = 1,
                            .quota_bytes = 1 << 30};
    assert_int_equal(broker_open(&w->site, &hub->keys, &c, &w->broker), 0);
}

static inline struct world *world_new(void)
{
    static const char *const ids[] = {HUB, CHENGDU, HANGZHOU, SHENZHEN};
    struct world *w = calloc(1, sizeof *w);
    assert_non_null(w);
    the_world = w;
    w->ms = 1800000000000;
    net_init(&w->net, ids, 4);
    for (size_t i = 0; i < 4; i++)
        party_close(&w->net.party[i]);
    world_start_broker(w);
    assert_int_equal(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)), 0);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        w->actor[i].party = &w->net.party[i + 1];
        world_write_roster(w, w->actor[i].party);
        actor_start(w, &w->actor[i]);
    }
    return w;
}

static inline void world_free(struct world *w)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        actor_kill(&w->actor[i]);
    broker_close(w->broker);
    net_done(&w->net);
    free(w);
}

static inline int world_setup(void **state)
{
    *state = world_new();
    return 0;
}

static inline int world_teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- frames ---- */

static inline struct link_peer actor_peer(const struct actor *a)
{
    struct link_peer peer = {.route = {1}, .route_len = 1, .fd = -1};
    memcpy(peer.key, a->party->keys.curve_public, sizeof peer.key);
    return peer;
}

static inline uint32_t frame_kind_of(struct bytes frame)
{
    return frame.len ? frame.data[0] >> 3 : 0;
}

/* What the broker has sent goes on its way. */
static inline void world_carry(struct world *w)
{
    for (size_t i = 0; i < w->broker->out_count; i++) {
        struct broker_output *o = &w->broker->out[i];
        for (size_t k = 0; k < WORLD_NODES; k++) {
            struct actor *a = &w->actor[k];
            if (memcmp(o->to.key, a->party->keys.curve_public, 32) != 0 || !a->is_connected)
                continue;
            if (frame_kind_of(buf_bytes(&o->frame)) == FRAME_ANSWER && w->drop_answers) {
                w->drop_answers--;
                continue;
            }
            if (o->frame.len) {
                assert_true(a->in_count < WORLD_QUEUE);
                buf_put_bytes(&a->in[a->in_count++], buf_bytes(&o->frame));
                w->broker_frames++;
            }
            if (o->drop)
                a->down = true;
        }
    }
    broker_sent(w->broker);
}

static inline void world_feed_broker(struct world *w, const struct actor *a, struct node_out *out)
{
    struct broker_event *e = calloc(out->count + 1, sizeof *e);
    assert_non_null(e);
    for (size_t i = 0; i < out->count; i++)
        e[i] = (struct broker_event){.peer = actor_peer(a), .payload = buf_bytes(&out->frames[i])};
    if (w->broker && !w->cut && a->is_connected) {
        assert_int_equal(broker_step(w->broker, e, out->count), 0);
        world_carry(w);
    }
    free(e);
}

/* One turn of a node, with all that is on the way to it. ${add} may add drafts. True when something
 * happened. */
static inline bool actor_turn(struct world *w, struct actor *a,
                              void (*add)(struct actor *a, struct turn *t, void *arg), void *arg)
{
    struct turn *t = NULL;
    struct node_out out = {0};
    struct buf in[WORLD_QUEUE];
    struct bytes frames[WORLD_QUEUE];
    size_t n = a->in_count;
    assert_int_equal(node_begin(a->node, &t), 0);
    if (add)
        add(a, t, arg);
    for (size_t i = 0; i < n; i++) {
        in[i] = a->in[i];
        frames[i] = buf_bytes(&in[i]);
        a->in[i] = BUF_INIT;
    }
    a->in_count = 0;
    const struct node_in events = {
        .up = a->up, .down = a->down, .frames = frames, .frame_count = n};
    bool moved = n || a->up || a->down;
    if (a->down)
        a->is_connected = false;
    a->is_connected = a->is_connected || a->up;
    a->up = a->down = false;
    a->last = node_step(a->node, &events, &out);
    for (size_t i = 0; i < n; i++)
        buf_free(&in[i]);
    moved = moved || out.count;
    a->frames_out += out.count;
    world_feed_broker(w, a, &out);
    if (out.reset) {
        a->down = true;
        actor_drop_frames(a);
    }
    node_out_free(&out);
    return moved;
}

static inline void actor_connect(struct actor *a)
{
    a->up = true;
}

/* Until nothing is on the way any more. Returns the number of turns it took. */
static inline size_t world_run(struct world *w)
{
    size_t turns = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < WORLD_NODES; i++)
            if (w->actor[i].node && w->actor[i].last == 0)
                moved = actor_turn(w, &w->actor[i], NULL, NULL) || moved;
        if (w->broker && !w->cut && broker_has_work(w->broker)) {
            assert_int_equal(broker_step(w->broker, NULL, 0), 0);
            world_carry(w);
        }
        assert_true(++turns < 2000);
    }
    return turns;
}

static inline void world_connect_all(struct world *w)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        actor_connect(&w->actor[i]);
    world_run(w);
}

/* ---- drafts ---- */

static inline void note_done(struct draft *d, int err)
{
    struct actor *a = d->owner;
    a->done++;
    a->done_err = err;
}

/* What to send: NOTE entries with a remark. */
struct mail {
    const char *to[4];
    size_t to_count;
    size_t count;
    size_t size; /* of each remark */
    int err;     /* what turn_add said, last */
};

static inline void add_mail(struct actor *a, struct turn *t, void *arg)
{
    struct mail *m = arg;
    struct bytes *to = arena_alloc(turn_arena(t), m->to_count * sizeof *to);
    for (size_t i = 0; i < m->to_count; i++)
        to[i] = bytes_of(m->to[i]);
    for (size_t i = 0; i < m->count; i++) {
        struct buf body = BUF_INIT;
        char *remark = calloc(1, m->size + 32);
        snprintf(remark, 32, "remark %zu ", i);
        memset(remark + strlen(remark), 'x', m->size);
        /* The body of a NOTE is interpreted by nobody. */
        assert_int_equal(body_encode(&(struct body){.record = bytes_of(remark)}, &body), 0);
        const struct draft d = {.kind = ENTRY_NOTE,
                                .body = arena_copy(turn_arena(t), buf_bytes(&body)),
                                .to = to,
                                .to_count = m->to_count,
                                .done = note_done,
                                .owner = a};
        m->err = turn_add(t, &d);
        free(remark);
        buf_free(&body);
    }
}

/* One turn that sends ${count} entries to ${to}; nothing is carried on beyond the broker's own
 * turn. */
static inline void mail(struct world *w, const char *from, const char *to, size_t count)
{
    struct mail m = {.to = {to}, .to_count = to != NULL, .count = count, .size = 100};
    actor_turn(w, actor_of(w, from), add_mail, &m);
    assert_int_equal(m.err, 0);
}

/* ---- looking ---- */

static inline uint64_t number(const struct actor *a, const char *sql)
{
    uint64_t n = 0;
    assert_int_equal(db_get_u64(store_db(a->node->store), 0, &n, sql, NULL, 0), 0);
    return n;
}

/* How many entries of ${kind} stand in the ledger. */
struct kind_count {
    uint32_t kind;
    size_t count;
    struct arena *a;
};

static inline int count_entry(void *self, uint64_t index, struct bytes entry)
{
    struct kind_count *k = self;
    struct entry e;
    (void)index;
    arena_reset(k->a);
    assert_int_equal(entry_decode(k->a, entry, &e), 0);
    k->count += e.kind == k->kind;
    return 0;
}

static inline size_t entries_of(const struct actor *a, uint32_t kind)
{
    struct kind_count k = {.kind = kind, .a = arena_new(1 << 20)};
    assert_int_equal(ledger_each(a->node->ledger, 0, ledger_size(a->node->ledger), count_entry, &k),
                     0);
    arena_free(k.a);
    return k.count;
}

static inline struct node_status status_of(const struct actor *a)
{
    struct node_status s;
    node_status(a->node, &s);
    return s;
}

#endif
