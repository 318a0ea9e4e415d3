/* A network in one thread. See world.h. */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const ids[] = {HUB, CHENGDU, HANGZHOU, SHENZHEN};

#define MUST(is_good)                                                             \
    do {                                                                          \
        if (!(is_good)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #is_good); \
            abort();                                                              \
        }                                                                         \
    } while (0)

static int64_t world_ms(void *self)
{
    return ((struct world *)self)->ms;
}

struct actor *actor_of(struct world *w, const char *id)
{
    size_t i = 0;
    while (i < WORLD_NODES && !(w->actor[i].party && strcmp(w->actor[i].party->id, id) == 0))
        i++;
    MUST(i < WORLD_NODES);
    return &w->actor[i];
}

/* ---- processes ---- */

void world_write_roster(struct world *w, const struct party *p)
{
    char path[300];
    snprintf(path, sizeof path, "%s/roster", p->dir);
    FILE *f = fopen(path, "wb");
    MUST(f != NULL);
    MUST(fwrite(w->net.roster_file.data, 1, w->net.roster_file.len, f) == w->net.roster_file.len);
    fclose(f);
}

void actor_start(struct world *w, struct actor *a)
{
    char *control = a->site.control;
    char *name = a->site.name;
    a->site = (struct site){.dir = a->party->dir,
                            .role = MEMBER_BUREAU,
                            .member = a->party->id,
                            .origin = a->party->origin,
                            .suite = SUITE_1,
                            .network = w->net.network,
                            .control = control,
                            .name = name,
                            .checkpoint_entries = 100};
    MUST(node_open(&a->site, &a->party->keys, &w->clock, &a->node) == 0);
}

void actor_drop_frames(struct actor *a)
{
    for (size_t i = 0; i < a->in_count; i++)
        buf_free(&a->in[i]);
    a->in_count = 0;
}

void actor_kill(struct actor *a)
{
    node_close(a->node);
    a->node = NULL;
    actor_drop_frames(a);
    a->is_connected = a->up = a->down = false;
}

void world_start_broker(struct world *w)
{
    struct party *hub = net_party(&w->net, HUB);
    w->site = (struct site){.dir = hub->dir,
                            .role = MEMBER_BROKER,
                            .member = hub->id,
                            .origin = hub->origin,
                            .suite = SUITE_1,
                            .network = w->net.network,
                            .keep_days = 1,
                            .quota_bytes = 1 << 30};
    MUST(broker_open(&w->site, &hub->keys, &w->clock, &w->broker) == 0);
}

void world_stop_broker(struct world *w)
{
    broker_close(w->broker);
    w->broker = NULL;
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (w->actor[i].is_connected)
            actor_disconnect(&w->actor[i]);
}

struct world *world_found(void)
{
    struct world *w = calloc(1, sizeof *w);
    MUST(w != NULL);
    w->ms = 1800000000000;
    w->clock = (struct clock){.wall_ms = world_ms, .mono_ms = world_ms, .self = w};
    net_init_at(&w->net, ids, 4, w->ms);
    for (size_t i = 0; i < 4; i++)
        party_close(&w->net.party[i]);
    for (size_t i = 0; i < WORLD_NODES; i++)
        w->actor[i].party = &w->net.party[i + 1];
    return w;
}

struct world *world_new(void)
{
    struct world *w = world_found();
    world_start_broker(w);
    MUST(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)) == 0);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        world_write_roster(w, w->actor[i].party);
        actor_start(w, &w->actor[i]);
    }
    return w;
}

void world_free(struct world *w)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        actor_kill(&w->actor[i]);
    broker_close(w->broker);
    net_done(&w->net);
    free(w);
}

/* ---- frames ---- */

struct link_peer actor_peer(const struct actor *a)
{
    struct link_peer peer = {.route = {1}, .route_len = 1, .fd = -1};
    memcpy(peer.key, a->party->keys.curve_public, sizeof peer.key);
    return peer;
}

uint32_t frame_kind_of(struct bytes frame)
{
    return frame.len ? frame.data[0] >> 3 : 0;
}

void actor_connect(struct actor *a)
{
    a->up = true;
}

void actor_disconnect(struct actor *a)
{
    a->down = true;
    a->is_connected = false;
    actor_drop_frames(a);
}

static bool is_lost(struct world *w, const struct actor *from, const struct actor *to,
                    struct bytes frame)
{
    bool lost = w->watch.frame && w->watch.frame(w->watch.self, from, to, frame);
    if (!from && frame_kind_of(frame) == FRAME_ANSWER && w->drop_answers) {
        w->drop_answers--;
        lost = true;
    }
    return lost;
}

static void carry_one(struct world *w, struct actor *a, const struct broker_output *o)
{
    if (is_lost(w, NULL, a, buf_bytes(&o->frame)))
        return;
    if (o->frame.len) {
        MUST(a->in_count < WORLD_QUEUE);
        buf_put_bytes(&a->in[a->in_count++], buf_bytes(&o->frame));
        w->broker_frames++;
    }
    if (o->drop)
        a->down = true;
}

void world_carry(struct world *w)
{
    for (size_t i = 0; i < w->broker->out_count; i++) {
        const struct broker_output *o = &w->broker->out[i];
        for (size_t k = 0; k < WORLD_NODES; k++) {
            struct actor *a = &w->actor[k];
            if (memcmp(o->to.key, a->party->keys.curve_public, 32) == 0 && a->is_connected)
                carry_one(w, a, o);
        }
    }
    broker_sent(w->broker);
}

static void feed_broker(struct world *w, const struct actor *a, const struct node_out *out)
{
    size_t n = 0;
    struct broker_event *e = calloc(out->count + 1, sizeof *e);
    MUST(e != NULL);
    for (size_t i = 0; i < out->count; i++) {
        struct bytes frame = buf_bytes(&out->frames[i]);
        if (!is_lost(w, a, NULL, frame))
            e[n++] = (struct broker_event){.peer = actor_peer(a), .payload = frame};
    }
    if (w->broker && !w->cut && a->is_connected) {
        MUST(broker_step(w->broker, e, n) == 0);
        world_carry(w);
    }
    free(e);
}

bool actor_turn(struct world *w, struct actor *a,
                void (*add)(struct actor *a, struct turn *t, void *arg), void *arg)
{
    struct turn *t = NULL;
    struct node_out out = {0};
    static struct buf in[WORLD_QUEUE];
    static struct bytes frames[WORLD_QUEUE];
    size_t n = a->in_count;
    MUST(node_begin(a->node, &t) == 0);
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
    feed_broker(w, a, &out);
    if (out.reset) {
        a->down = true;
        actor_drop_frames(a);
    }
    node_out_free(&out);
    return moved;
}

size_t world_run(struct world *w)
{
    size_t turns = 0;
    bool moved = true;
    while (moved) {
        moved = false;
        for (size_t i = 0; i < WORLD_NODES; i++)
            if (w->actor[i].node && w->actor[i].last == 0)
                moved = actor_turn(w, &w->actor[i], NULL, NULL) || moved;
        if (w->broker && !w->cut && broker_has_work(w->broker)) {
            MUST(broker_step(w->broker, NULL, 0) == 0);
            world_carry(w);
        }
        MUST(++turns < 2000);
    }
    return turns;
}

void world_connect_all(struct world *w)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        actor_connect(&w->actor[i]);
    world_run(w);
}
