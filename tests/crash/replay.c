/* Replaying. See replay.h. */
#include "replay.h"

#include "dice.h"
#include "disk/ram.h"
#include "look.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Points next to each other stay with one worker, for they share most of what they leave. */
enum { CHUNK = 32 };

const char *cut_word(enum cut cut)
{
    static const char *const words[] = {
        [CUT_ALL_LOST] = "lost", [CUT_ALL_KEPT] = "kept", [CUT_SOME] = "some", [CUT_TORN] = "torn"};
    return words[cut];
}

/* ---- numbers seen ---- */

struct set {
    uint64_t *at;
    size_t count;
    size_t cap; /* a power of two */
};

static bool set_put(uint64_t *at, size_t cap, uint64_t key)
{
    size_t i = (size_t)(key * 0x9e3779b97f4a7c15 >> 17) & (cap - 1);
    for (; at[i]; i = (i + 1) & (cap - 1))
        if (at[i] == key)
            return false;
    at[i] = key;
    return true;
}

static void set_grow(struct set *s)
{
    size_t cap = s->cap ? 2 * s->cap : 1 << 16;
    uint64_t *at = calloc(cap, sizeof *at);
    MUST(at != NULL);
    for (size_t i = 0; i < s->cap; i++)
        if (s->at[i])
            set_put(at, cap, s->at[i]);
    free(s->at);
    s->at = at;
    s->cap = cap;
}

/* True when it is new. */
static bool set_add(struct set *s, uint64_t key)
{
    if (2 * s->count >= s->cap)
        set_grow(s);
    bool is_new = set_put(s->at, s->cap, key ? key : 1);
    s->count += is_new;
    return is_new;
}

static uint64_t combine(uint64_t hash, int party, uint64_t marks)
{
    uint64_t state = hash ^ marks * 0x9e3779b97f4a7c15 ^ (uint64_t)party << 60;
    return dice_next(&state);
}

/* ---- the way through a day ---- */

struct way {
    struct day *day;
    uint64_t seed;
    const char *folder;
    struct image *image[TRACE_PARTIES];
    struct due due[TRACE_PARTIES];
    struct set states;
    struct set starts;
    struct set whole;
    struct figures *f;
};

static void way_begin(struct way *w)
{
    for (int i = 0; i < TRACE_PARTIES; i++) {
        if (w->image[i])
            image_free(w->image[i]);
        w->image[i] = image_new();
        w->due[i] = (struct due){0};
    }
}

static void way_end(struct way *w)
{
    for (int i = 0; i < TRACE_PARTIES; i++)
        image_free(w->image[i]);
    free(w->states.at);
    free(w->starts.at);
    free(w->whole.at);
}

static void way_take(struct way *w, const struct event *e)
{
    if (e->is_mark)
        due_take(&w->due[e->party], &e->mark);
    else
        image_take(w->image[e->party], &e->call);
}

/* ---- one state ---- */

static int64_t later_ms(void *self)
{
    const struct day *d = self;
    return d->world->ms + 1000;
}

static void look_begin(const struct way *w, int party, const char *where, char path[PATH_MAX],
                       struct look *l)
{
    struct party *p = &w->day->world->net.party[party];
    struct world *world = w->day->world;
    snprintf(path, PATH_MAX, "%s/%s-%s", w->folder, p->id, where);
    *l = (struct look){.site = party ? world->actor[party - 1].site : world->site,
                       .keys = &p->keys,
                       .due = &w->due[party],
                       .roster = buf_bytes(&world->net.roster_file),
                       .clock = {.wall_ms = later_ms, .mono_ms = later_ms, .self = w->day}};
    l->site.dir = path;
}

static void find(struct way *w, const struct look *l)
{
    struct figures *f = w->f;
    if (f->found < FINDINGS_MAX) {
        f->finding[f->found].at = f->now;
        memcpy(f->finding[f->found].why, l->why, sizeof l->why);
    }
    f->found++;
}

/* Opened twice when it is new: the second time as it was left, too, and by the daemon itself. */
static void look_at(struct way *w, int party, const struct left *left)
{
    char path[PATH_MAX];
    struct look l;
    uint64_t hash = 0;
    look_begin(w, party, "store", path, &l);
    bool ok = look_store(&l, left, &hash);
    if (ok && set_add(&w->starts, combine(hash, party, w->due[party].marks))) {
        w->f->starts++;
        look_begin(w, party, "whole", path, &l);
        l.is_known = !set_add(&w->whole, combine(hash, party, 0));
        w->f->whole += !l.is_known;
        left_write(left, path);
        ok = party ? look_node(&l) : look_broker(&l);
    }
    if (!ok)
        find(w, &l);
}

static void cut_at(struct way *w, size_t point, enum cut cut, uint64_t seed)
{
    int party = w->day->trace.at[point].party;
    struct left *left = image_leave(w->image[party], cut, seed);
    w->f->cuts++;
    if (set_add(&w->states, combine(left_hash(left), party, w->due[party].marks))) {
        w->f->now = (struct place){w->seed, point, cut, seed};
        w->f->states++;
        look_at(w, party, left);
    }
    left_free(left);
}

/* ---- all of them ---- */

static bool is_enough(const struct way *w, const struct replay_plan *plan)
{
    return w->f->states >= plan->states || (plan->stops && w->f->found);
}

/* ${pass} 0 leaves all and nothing at every point; each leaves some of it, by chance. */
static void cut_point(struct way *w, size_t point, uint64_t pass)
{
    bool is_pending = image_is_pending(w->image[w->day->trace.at[point].party]);
    if (pass == 0) {
        w->f->points++;
        cut_at(w, point, CUT_ALL_KEPT, 0);
    }
    if (pass == 0 && is_pending)
        cut_at(w, point, CUT_ALL_LOST, 0);
    if (is_pending) {
        cut_at(w, point, CUT_SOME, pass);
        cut_at(w, point, CUT_TORN, pass);
    }
}

static void walk(struct way *w, const struct replay_plan *plan, uint64_t pass)
{
    const struct trace *t = &w->day->trace;
    way_begin(w);
    for (size_t i = 0; i < t->count && !is_enough(w, plan); i++) {
        way_take(w, &t->at[i]);
        if (i >= w->day->began && !t->at[i].is_mark && i / CHUNK % plan->workers == plan->worker)
            cut_point(w, i, pass);
    }
}

static void make_folders(const struct day *d, const char *folder)
{
    static const char *const where[] = {"store", "whole"};
    for (int i = 0; i < 2 * TRACE_PARTIES; i++) {
        char path[PATH_MAX];
        snprintf(path, sizeof path, "%s/%s-%s", folder, d->world->net.party[i / 2].id,
                 where[i % 2]);
        MUST(mkdir(path, 0700) == 0);
    }
}

void replay(struct day *d, uint64_t seed, const struct replay_plan *plan, struct figures *f)
{
    struct way w = {.day = d, .seed = seed, .folder = plan->folder, .f = f};
    uint64_t before = UINT64_MAX;
    make_folders(d, plan->folder);
    ram_tune();
    for (uint64_t pass = 0; !is_enough(&w, plan) && f->states != before; pass++) {
        before = f->states;
        walk(&w, plan, pass);
    }
    way_end(&w);
}

/* ---- one of them ---- */

static void tell_call(const struct event *e)
{
    const struct tap_call *c = &e->call;
    if (e->is_mark)
        printf("  %d mark %d: %llu %s\n", e->party, e->mark.kind,
               (unsigned long long)e->mark.number, e->mark.who);
    else
        printf("  %d %s %s %s off %llu len %llu\n", e->party, tap_word(c->kind), c->path,
               c->to ? c->to : "", (unsigned long long)c->off, (unsigned long long)c->len);
}

bool replay_one(struct day *d, const struct place *at, const char *folder)
{
    enum { TOLD = 40 };
    struct figures f = {0};
    struct way w = {.day = d, .seed = at->day, .folder = folder, .f = &f};
    const struct trace *t = &d->trace;
    way_begin(&w);
    make_folders(d, folder);
    for (size_t i = 0; i <= at->point && i < t->count; i++) {
        way_take(&w, &t->at[i]);
        if (t->at[i].party == t->at[at->point].party && i + TOLD > at->point)
            tell_call(&t->at[i]);
    }
    cut_at(&w, at->point, at->cut, at->seed);
    way_end(&w);
    printf("%s\n", f.found ? f.finding[0].why : "nothing is wrong");
    return f.found == 0;
}
