/*
 * Offices: the nodes of world.h with their control sockets, run by a thread of its own as their
 * loops would, while the test asks them as officers do, through the control client. Officers are
 * signers of the test's.
 */
#ifndef TEST_NODE_OFFICE_H
#define TEST_NODE_OFFICE_H

#include "world.h"

#include "../../../node/control.h"
#include "../../../node/view.h"
#include "domain/role.h"
#include "msg/control.h"
#include "msg/record.h"
#include "sample_evidence.h"
#include "wire/notes.h"

#include <comity/client.h>
#include <fcntl.h>
#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

struct offices {
    struct world *w;
    struct control *control[WORLD_NODES];
    char path[WORLD_NODES][320];
    pthread_t thread;
    pthread_mutex_t lock; /* held while the loops run: whoever looks at a node takes it */
    atomic_bool stop;
    bool is_running;
};

struct loop {
    struct offices *o;
    size_t i;
    struct link_poll_item items[128];
    size_t n;
};

static inline void loop_take(struct actor *a, struct turn *t, void *arg)
{
    struct loop *l = arg;
    (void)a;
    control_take(l->o->control[l->i], t, l->items, l->n);
}

static inline bool loop_once(struct offices *o, size_t i)
{
    struct loop l = {.o = o, .i = i};
    struct actor *a = &o->w->actor[i];
    if (!a->node || a->last)
        return false;
    l.n = control_poll(o->control[i], l.items, 128);
    assert_int_equal(link_poll(l.items, l.n, 0), 0);
    bool moved = actor_turn(o->w, a, loop_take, &l);
    control_settle(o->control[i]);
    for (size_t k = 0; k < l.n; k++)
        moved = moved || l.items[k].ready;
    return moved;
}

static inline int64_t real_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline void *loops_run(void *arg)
{
    struct offices *o = arg;
    int64_t began = real_ms();
    int64_t at = o->w->ms;
    while (!o->stop) {
        bool moved = false;
        pthread_mutex_lock(&o->lock);
        o->w->ms = at + real_ms() - began;
        for (size_t i = 0; i < WORLD_NODES; i++)
            moved = loop_once(o, i) || moved;
        if (o->w->broker && !o->w->cut && broker_has_work(o->w->broker)) {
            assert_int_equal(broker_step(o->w->broker, NULL, 0), 0);
            world_carry(o->w);
            moved = true;
        }
        pthread_mutex_unlock(&o->lock);
        if (!moved)
            usleep(300);
        else
            usleep(1); /* let the test have the lock */
    }
    return NULL;
}

static inline void office_open(struct offices *o, size_t i)
{
    struct actor *a = &o->w->actor[i];
    snprintf(o->path[i], sizeof o->path[i], "%s/node.sock", a->party->dir);
    a->site.control = o->path[i];
    a->site.name = a->party->id;
    assert_int_equal(control_open(a->node, &o->control[i]), 0);
}

static inline void offices_start(struct offices *o)
{
    o->stop = false;
    assert_int_equal(pthread_create(&o->thread, NULL, loops_run, o), 0);
    o->is_running = true;
}

static inline void offices_stop(struct offices *o)
{
    if (!o->is_running)
        return;
    o->stop = true;
    pthread_join(o->thread, NULL);
    o->is_running = false;
}

static inline struct offices *offices_new(void)
{
    struct offices *o = calloc(1, sizeof *o);
    assert_non_null(o);
    o->w = world_new();
    pthread_mutex_init(&o->lock, NULL);
    for (size_t i = 0; i < WORLD_NODES; i++)
        office_open(o, i);
    for (size_t i = 0; i < WORLD_NODES; i++)
        actor_connect(&o->w->actor[i]);
    offices_start(o);
    return o;
}

static inline void offices_free(struct offices *o)
{
    offices_stop(o);
    for (size_t i = 0; i < WORLD_NODES; i++)
        control_close(o->control[i]);
    world_free(o->w);
    pthread_mutex_destroy(&o->lock);
    free(o);
}

static inline int offices_setup(void **state)
{
    *state = offices_new();
    return 0;
}

static inline int offices_teardown(void **state)
{
    offices_free(*state);
    return 0;
}

static inline size_t office_at(struct offices *o, const char *id)
{
    return (size_t)(actor_of(o->w, id) - o->w->actor);
}

/* ---- asking ---- */

/* An officer at his desk: a connection to his office, and his key. */
struct desk {
    struct offices *o;
    size_t at;
    comity_client *client;
    struct note_signer *key;
    char licence[33];
    json_t *answer; /* to the last question */
    struct buf chunk;
    int err;
};

static inline void desk_sit(struct desk *d, struct offices *o, const char *id, const char *licence)
{
    uint8_t seed[NOTE_SEED_LEN] = {0};
    char name[200];
    *d = (struct desk){.o = o, .at = office_at(o, id)};
    snprintf(d->licence, sizeof d->licence, "%s", licence);
    snprintf(name, sizeof name, "%s/officer/%s", o->w->actor[d->at].party->origin, licence);
    memcpy(seed, licence, strlen(licence));
    assert_int_equal(note_signer_new(name, seed, &d->key), 0);
    assert_int_equal(comity_client_open(o->path[d->at], &d->client), 0);
}

static inline void desk_leave(struct desk *d)
{
    comity_client_close(d->client);
    note_signer_free(d->key);
    json_decref(d->answer);
    buf_free(&d->chunk);
}

static inline const char *desk_origin(const struct desk *d)
{
    return d->o->w->actor[d->at].party->origin;
}

static inline int desk_keep(struct desk *d, int err, const struct comity_reply *r)
{
    json_decref(d->answer);
    d->answer = json_loads(r->json, 0, NULL);
    assert_non_null(d->answer);
    buf_reset(&d->chunk);
    buf_put(&d->chunk, r->chunk.data, r->chunk.len);
    d->err = err;
    return err;
}

/* Arguments are printf's; single quotes stand for double ones. */
static inline int __attribute__((format(printf, 4, 5)))
desk_ask(struct desk *d, const char *method, const struct comity_call *with, const char *format,
         ...)
{
    char json[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(json, sizeof json, format, ap);
    va_end(ap);
    for (char *p = json; *p; p++)
        if (*p == '\'')
            *p = '"';
    struct comity_call call = with ? *with : (struct comity_call){0};
    struct comity_reply r = {0};
    call.method = method;
    call.json = *json ? json : NULL;
    return desk_keep(d, comity_client_call(d->client, &call, &r), &r);
}

static inline const char *answer_text(const struct desk *d, const char *key)
{
    const char *text = json_string_value(json_object_get(d->answer, key));
    return text ? text : "";
}

static inline long long answer_number(const struct desk *d, const char *key)
{
    return json_integer_value(json_object_get(d->answer, key));
}

/* "a.0.b" */
static inline json_t *answer_at(const struct desk *d, const char *path)
{
    char copy[200];
    json_t *at = d->answer;
    snprintf(copy, sizeof copy, "%s", path);
    for (char *part = strtok(copy, "."); part && at; part = strtok(NULL, "."))
        at = json_is_array(at) ? json_array_get(at, (size_t)atoi(part)) : json_object_get(at, part);
    return at;
}

static inline const char *text_at(const struct desk *d, const char *path)
{
    const char *text = json_string_value(answer_at(d, path));
    return text ? text : "";
}

#define assert_answered(d)                           \
    do {                                             \
        if ((d)->err) {                              \
            char *dump = json_dumps((d)->answer, 0); \
            print_error("%s\n", dump);               \
            free(dump);                              \
        }                                            \
        assert_int_equal((d)->err, 0);               \
    } while (0)

/* ---- officers ---- */

static inline void put_enrolment(const struct desk *d, struct buf *note)
{
    struct buf text = BUF_INIT;
    const struct officer_enrolment e = {.origin = bytes_of(desk_origin(d)),
                                        .name = bytes_of("王芳"),
                                        .licence = bytes_of(d->licence),
                                        .key = *note_signer_public(d->key)};
    assert_int_equal(officer_put_text(&text, &e), 0);
    assert_int_equal(note_sign(d->key, buf_bytes(&text), note), 0);
    buf_free(&text);
}

/* ${roles}: "'officer','reviewer'" */
static inline int desk_enrol(struct desk *d, const char *roles)
{
    struct buf note = BUF_INIT;
    put_enrolment(d, &note);
    const struct comity_bytes notes[] = {{note.data, note.len}};
    const struct comity_call with = {.notes = notes, .note_count = 1};
    int err = desk_ask(d, "key.add", &with, "{'roles':[%s]}", roles);
    buf_free(&note);
    return err;
}

static inline void put_signature(const struct desk *d, const char *origin, uint32_t kind,
                                 enum signature_role role, const struct hash *record_hash,
                                 struct buf *note)
{
    struct buf text = BUF_INIT;
    const struct officer_signature s = {.origin = bytes_of(origin),
                                        .licence = bytes_of(d->licence),
                                        .role = role,
                                        .record_kind = kind,
                                        .record_hash = *record_hash,
                                        .time_ms = 1800000000000};
    assert_int_equal(officer_signature_put_text(&text, &s), 0);
    assert_int_equal(note_sign(d->key, buf_bytes(&text), note), 0);
    buf_free(&text);
}

/* ---- records ---- */

/* A record, its salt, and the notes under it. */
struct paper {
    struct buf record;
    uint8_t salt[SALT_LEN];
    struct hash hash;
    uint32_t kind;
    struct buf note[4];
    size_t note_count;
};

static inline void paper_write(struct paper *p, const struct desk *d, const struct record *r)
{
    *p = (struct paper){.kind = r->kind};
    memset(p->salt, 0x5a, sizeof p->salt);
    assert_int_equal(record_encode(r, &p->record), 0);
    ledger_record_hash(suite_get(SUITE_1), bytes_of(desk_origin(d)), BYTES(p->salt, SALT_LEN),
                       buf_bytes(&p->record), &p->hash);
}

static inline void paper_sign(struct paper *p, const struct desk *d, enum signature_role role)
{
    put_signature(d, desk_origin(d), p->kind, role, &p->hash, &p->note[p->note_count++]);
}

static inline void paper_free(struct paper *p)
{
    buf_free(&p->record);
    for (size_t i = 0; i < p->note_count; i++)
        buf_free(&p->note[i]);
}

static inline int paper_add(struct desk *d, const struct paper *p, const char *args)
{
    struct comity_bytes notes[4];
    for (size_t i = 0; i < p->note_count; i++)
        notes[i] = (struct comity_bytes){p->note[i].data, p->note[i].len};
    const struct comity_call with = {.record = {p->record.data, p->record.len},
                                     .salt = {p->salt, SALT_LEN},
                                     .notes = notes,
                                     .note_count = p->note_count};
    return desk_ask(d, "record.add", &with, "%s", args);
}

static inline struct record case_record(const char *title)
{
    return (struct record){.kind = RECORD_CASE,
                           .schema = RECORD_SCHEMA,
                           .doc_no = bytes_of("杭市监立〔2026〕17号"),
                           .created = bytes_of("2026-03-02T10:15:00+08:00"),
                           .u.case_content = {.title = bytes_of(title),
                                              .filed = bytes_of("2026-03-02T10:00:00+08:00"),
                                              .has_platform_domicile = true,
                                              .platform_domicile = {.division = bytes_of("330106")},
                                              .basis = bytes_of("第十条")}};
}

#endif
