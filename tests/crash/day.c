/* The day itself, and the marks that it leaves. See day.h. */
#include "day.h"

#include "base/file.h"
#include "base/log.h"
#include "dice.h"
#include "store/db_internal.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

unsigned day_draw(struct day *d, unsigned n)
{
    return (unsigned)(dice_next(&d->dice) % n);
}

/* ---- what is recorded ---- */

void day_mark(struct day *d, const struct actor *a, const struct mark *m)
{
    trace_add_mark(&d->trace, party_of(d, a), m);
}

/* Whose folder ${path} is in; ${ret} is the path below that. -1 for nobody's. */
static int party_at(const struct day *d, const char *path, const char **ret)
{
    for (int i = 0; path && i < TRACE_PARTIES; i++) {
        size_t len = strlen(d->world->net.party[i].id);
        if (strncmp(path, d->world->net.party[i].id, len) != 0 ||
            (path[len] != '/' && path[len] != '\0'))
            continue;
        *ret = path[len] ? path + len + 1 : "";
        return i;
    }
    return -1;
}

static void record_call(void *self, const struct tap_call *call)
{
    struct day *d = self;
    struct tap_call below = *call;
    int party = party_at(d, call->path, &below.path);
    if (party < 0 || (call->kind == TAP_MKDIR && !*below.path))
        return;
    if (call->to)
        MUST(party_at(d, call->to, &below.to) == party);
    trace_add_call(&d->trace, party, &below);
}

/* The ledger's newest checkpoint goes along with all that is sent. */
static void mark_shown(struct day *d, const struct actor *a, struct ledger *l)
{
    struct mark m = {.kind = MARK_SHOWN, .number = ledger_signed_size(l)};
    if (m.number && ledger_root(l, m.number, &m.hash) == 0)
        day_mark(d, a, &m);
}

static void mark_from_node(struct day *d, const struct actor *a, const struct frame *f)
{
    mark_shown(d, a, a->node->ledger);
    if (f->kind == FRAME_HELLO) {
        day_mark(d, a, &(struct mark){.kind = MARK_TAKEN, .number = f->u.hello.taken});
        day_mark(d, a, &(struct mark){.kind = MARK_ANSWERED, .number = f->u.hello.answered});
    } else if (f->kind == FRAME_TAKEN) {
        day_mark(d, a, &(struct mark){.kind = MARK_TAKEN, .number = f->u.taken.delivery_seq});
    }
}

static void mark_from_broker(struct day *d, const struct actor *to, const struct frame *f)
{
    struct mark m = {0};
    mark_shown(d, NULL, d->world->broker->ledger);
    if (f->kind == FRAME_ANSWER) {
        m.kind = MARK_KNOWN;
        m.number = f->u.answer.parcel_seq;
        snprintf(m.who, sizeof m.who, "%s", to->party->origin);
        day_mark(d, NULL, &m);
    } else if (f->kind == FRAME_DELIVER) {
        m.kind = MARK_GIVEN;
        m.number = f->u.deliver.delivery_seq;
        snprintf(m.who, sizeof m.who, "%s", to->party->id);
        day_mark(d, NULL, &m);
    }
}

static bool see_frame(void *self, const struct actor *from, const struct actor *to,
                      struct bytes frame)
{
    struct day *d = self;
    struct arena *arena = arena_new(8 << 20);
    struct frame f = {0};
    MUST(arena != NULL);
    if (frame_decode(arena, frame, &f) == 0) {
        if (from)
            mark_from_node(d, from, &f);
        else
            mark_from_broker(d, to, &f);
    }
    arena_free(arena);
    return false;
}

/* ---- what is done ---- */

void day_turn(struct day *d, struct actor *a,
              void (*add)(struct actor *a, struct turn *t, void *arg), void *arg)
{
    actor_turn(d->world, a, add, arg);
    world_run(d->world);
}

static void start_node(struct day *d, struct actor *a)
{
    actor_start(d->world, a);
    day_office_open(d, a);
    actor_connect(a);
}

static void stop_node(struct day *d, struct actor *a)
{
    day_office_close(d, a);
    actor_kill(a);
}

static void start_broker(struct day *d)
{
    world_start_broker(d->world);
    day_blobs_open(d);
    for (size_t i = 0; i < WORLD_NODES; i++)
        if (d->world->actor[i].node)
            actor_connect(&d->world->actor[i]);
}

static void stop_broker(struct day *d)
{
    day_blobs_close(d);
    world_stop_broker(d->world);
}

static void join(struct day *d)
{
    struct world *w = d->world;
    start_broker(d);
    MUST(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)) == 0);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        world_write_roster(w, w->actor[i].party);
        start_node(d, &w->actor[i]);
    }
    world_run(w);
}

static struct actor *draw_actor(struct day *d)
{
    return &d->world->actor[day_draw(d, WORLD_NODES)];
}

/* One of the other two. */
static const char *draw_peer(struct day *d, const struct actor *a)
{
    size_t i = (size_t)(a - d->world->actor);
    return d->world->actor[(i + 1 + day_draw(d, WORLD_NODES - 1)) % WORLD_NODES].party->id;
}

static void send_notes(struct day *d)
{
    struct actor *a = draw_actor(d);
    struct notes n = {.day = d, .count = 1 + day_draw(d, 4), .size = 20 + day_draw(d, 1500)};
    unsigned which = day_draw(d, 4);
    if (which == 0) { /* both of the others, sorted */
        static const char *const sorted[] = {HANGZHOU, SHENZHEN, CHENGDU};
        _Static_assert(sizeof(HANGZHOU) == sizeof(CHENGDU), "33… < 44… < 51…");
        for (size_t i = 0; i < 3; i++)
            if (strcmp(sorted[i], a->party->id) != 0)
                n.to[n.to_count++] = sorted[i];
    } else if (which < 3) {
        n.to[n.to_count++] = draw_peer(d, a);
    }
    day_write_notes(a, &n);
}

/* Enough for a segment file, here, at the broker and at the recipient. */
static void send_much(struct day *d)
{
    struct actor *a = draw_actor(d);
    struct notes n = {.day = d, .to_count = 1, .count = 24, .size = 3000 + day_draw(d, 1000)};
    n.to[0] = draw_peer(d, a);
    day_write_notes(a, &n);
}

static void file_case(struct day *d)
{
    struct actor *a = draw_actor(d);
    day_file_case(d, a, day_draw(d, 3) ? draw_peer(d, a) : NULL);
}

static void add_evidence(struct day *d)
{
    struct actor *a = actor_of(d->world, HANGZHOU);
    struct kept_file file;
    uint64_t len = day_draw(d, 8) ? day_draw(d, 20000) : 262128 + day_draw(d, 2000);
    day_keep_file(d, a, len, &file);
    day_add_evidence(d, a, draw_peer(d, a), &file, 2);
    if (day_draw(d, 2))
        day_upload(d, a);
    world_run(d->world);
}

static void move_files(struct day *d)
{
    for (size_t i = 0; i < WORLD_NODES; i++)
        day_upload(d, &d->world->actor[i]);
    world_run(d->world);
    for (size_t i = 0; i < WORLD_NODES; i++)
        day_fetch(d, &d->world->actor[i], 1 + day_draw(d, 2));
    world_run(d->world);
}

/* Of one collector, where two are needed: received, and refused. */
static void add_refused(struct day *d)
{
    struct actor *a = actor_of(d->world, HANGZHOU);
    day_add_evidence(d, a, draw_peer(d, a), NULL, 1);
}

static void restart_node(struct day *d)
{
    struct actor *a = draw_actor(d);
    stop_node(d, a);
    start_node(d, a);
    world_run(d->world);
}

static void restart_broker(struct day *d)
{
    stop_broker(d);
    world_run(d->world);
    start_broker(d);
    world_run(d->world);
}

/* Written while the line is down, and sent afterwards. */
static void break_off(struct day *d)
{
    struct actor *a = draw_actor(d);
    struct notes n = {.day = d, .to_count = 1, .count = 2, .size = 100};
    n.to[0] = draw_peer(d, a);
    actor_disconnect(a);
    world_run(d->world);
    day_write_notes(a, &n);
    day_write_notes(a, &n);
    d->world->drop_answers = day_draw(d, 2);
    actor_connect(a);
    world_run(d->world);
    d->world->drop_answers = 0;
    actor_disconnect(a);
    actor_connect(a);
    world_run(d->world);
}

static void change_roster(struct day *d)
{
    struct world *w = d->world;
    w->net.now_ms = w->ms;
    net_next_roster(&w->net, NULL);
    MUST(broker_take_roster(w->broker, buf_bytes(&w->net.roster_file)) == 0);
    world_carry(w);
    world_write_roster(w, draw_actor(d)->party);
    world_run(w);
}

static void keep_house(struct day *d)
{
    d->world->ms += (int64_t)2 * 24 * 3600 * 1000;
    world_run(d->world);
    day_blobs_tidy(d);
    MUST(broker_tidy(d->world->broker) == 0);
    world_run(d->world);
}

static void erase(struct day *d)
{
    day_erase(d, draw_actor(d));
}

/* With its next commit somebody's WAL goes into the database, and begins anew with the one after.
 * As it comes after 16 MiB else, days would be long without this. */
static void fill_wal(struct day *d)
{
    const struct actor *a = draw_actor(d);
    struct store *s = day_draw(d, 3) ? a->node->store : d->world->broker->store;
    store_db(s)->wal_frames = 1 << 20;
}

static void (*const actions[])(struct day *d) = {
    send_notes,    send_notes, send_notes,  send_much,    file_case,      add_evidence,
    add_evidence,  move_files, add_refused, restart_node, restart_broker, break_off,
    change_roster, keep_house, erase,       erase};
enum { ACTIONS = sizeof actions / sizeof actions[0] };

/* Each in its turn, in an order that is drawn: a short day has seen all of them, too. */
static void act(struct day *d, unsigned count)
{
    unsigned order[ACTIONS];
    for (unsigned i = 0; i < count; i++) {
        unsigned at = i % ACTIONS;
        for (unsigned k = 0; at == 0 && k < ACTIONS; k++)
            order[k] = k;
        unsigned other = at + day_draw(d, ACTIONS - at);
        unsigned drawn = order[other];
        order[other] = order[at];
        d->world->ms += 1000 * (int64_t)(1 + day_draw(d, 60));
        actions[drawn](d);
        if (day_draw(d, 2))
            fill_wal(d);
    }
    move_files(d);
    move_files(d);
}

struct day *day_record(uint64_t seed, unsigned count)
{
    struct day *d = calloc(1, sizeof *d);
    MUST(d != NULL);
    dice_seed(seed);
    d->dice = seed ^ 0x5bd1e995;
    d->world = world_found();
    for (size_t i = 0; i < WORLD_NODES; i++)
        d->office[i] = (struct office){.day = d, .actor = &d->world->actor[i]};
    d->world->watch = (struct world_watch){.frame = see_frame, .self = d};
    d->tap = (struct tap){.after = record_call, .self = d};
    tap_begin(d->world->net.dir, &d->tap);
    d->began = d->trace.count;
    join(d);
    day_enrol(d, actor_of(d->world, HANGZHOU));
    act(d, count);
    for (size_t i = 0; i < WORLD_NODES; i++)
        stop_node(d, &d->world->actor[i]);
    stop_broker(d);
    tap_end();
    return d;
}

void day_free(struct day *d)
{
    trace_free(&d->trace);
    for (size_t i = 0; i < WORLD_NODES; i++)
        day_forget_officers(&d->office[i]);
    world_free(d->world);
    free(d);
}
