/*
 * Officers: one thread a bureau, which pushes, asks what became of it, and asks again under the
 * same request id whatever it was not told. See kill.h.
 */
#include "kill.h"

#include "base/text.h"
#include "domain/record.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
    BURST_MAX = 18,
    BURST_USUAL = 4,
    FIRST = 60, /* an officer pushes so much, and with every death some more */
    PER_DEATH = 7,
    PAUSE_US = 70000,
    RETRY_US = 8000,
    REPLY_MS = 20000,
    BULKY = 4000,
    BLOCK = 262128
};

static void lock(struct bureau *b)
{
    pthread_mutex_lock(&b->c->lock);
}

static void unlock(struct bureau *b)
{
    pthread_mutex_unlock(&b->c->lock);
}

/* ---- the connection ---- */

static void hang_up(struct bureau *b)
{
    comity_client_close(b->client);
    b->client = NULL;
}

static bool connect_to(struct bureau *b)
{
    char path[PATH_MAX];
    path_put(path, "%s/node.sock", b->d->dir);
    if (b->client || comity_client_open(path, &b->client) == 0)
        return true;
    b->client = NULL;
    usleep(RETRY_US);
    return false;
}

/* Ask; a result (NULL: refused, or the node is gone). */
static json_t *ask(struct bureau *b, const char *method, const char *args)
{
    struct comity_reply r = {0};
    const struct comity_call call = {.method = method, .json = args};
    int err = comity_client_call(b->client, &call, &r);
    json_t *result = err ? NULL : json_loads(r.json, 0, NULL);
    if (err == COMITY_E_UNREACHABLE)
        hang_up(b);
    return result;
}

/* ---- pushes ---- */

static void members_of(const struct campaign *c, unsigned to, const char *ret[DAEMONS], size_t *n)
{
    *n = 0;
    for (size_t i = 0; i < DAEMONS; i++)
        if (to & (1u << i))
            ret[(*n)++] = c->daemon[i].id;
}

static void take_push(struct bureau *b, struct push *p)
{
    const char *to[DAEMONS];
    size_t n = 0;
    if (b->count == b->cap) {
        b->cap = b->cap ? 2 * b->cap : 256;
        lock(b); /* the monster reads the list */
        b->push = realloc(b->push, b->cap * sizeof(struct push *));
        unlock(b);
        if (!b->push)
            kill_die("memory", "none");
    }
    members_of(b->c, p->to, to, &n);
    lock(b);
    b->push[b->count++] = p;
    history_push(b->c->history, p->id, b->d->id, to, n);
    unlock(b);
}

static bool send_push(struct bureau *b, struct push *p)
{
    struct comity_bytes notes[2];
    const char *to[DAEMONS];
    size_t n = 0;
    members_of(b->c, p->to, to, &n);
    json_t *list = json_array();
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, json_string(to[i]));
    json_t *args = json_pack("{soss}", "to", list, "request_id", p->id);
    char *text = json_dumps(args, JSON_COMPACT);
    for (size_t i = 0; i < p->note_count; i++)
        notes[i] = (struct comity_bytes){p->note[i].data, p->note[i].len};
    const struct comity_call call = {.method = "record.add",
                                     .json = text,
                                     .record = {p->record.data, p->record.len},
                                     .salt = {p->salt, sizeof p->salt},
                                     .notes = notes,
                                     .note_count = p->note_count};
    p->is_open = !p->is_acked;
    p->call = 0;
    int err = comity_client_send(b->client, &call, &p->call);
    free(text);
    json_decref(args);
    return err == 0;
}

static void acknowledged(struct bureau *b, struct push *p, const json_t *place)
{
    struct hash leaf = {0};
    const char *text = json_string_value(json_object_get(place, "leaf"));
    uint64_t index = (uint64_t)json_integer_value(json_object_get(place, "index"));
    bool again = json_is_true(json_object_get(place, "again"));
    if (!text || text_get_base64_exact(bytes_of(text), leaf.b, HASH_LEN))
        kill_fail(b->c, b->d->id, "%s: the answer is no place", p->id);
    else if (p->is_acked && (!again || index != p->index || !hash_equal(&leaf, &p->leaf)))
        kill_fail(b->c, b->d->id, "%s: asked again it has another place: %llu, before %llu", p->id,
                  (unsigned long long)index, (unsigned long long)p->index);
    lock(b);
    if (again)
        b->c->repeated++;
    if (!p->is_acked)
        history_outcome(b->c->history, p->id, OUTCOME_DONE);
    p->is_acked = true;
    p->is_open = false;
    p->index = index;
    p->leaf = leaf;
    unlock(b);
}

/* Somebody else may have decided about the evidence meanwhile; nothing else is ever refused. */
static void refused(struct bureau *b, struct push *p, const struct comity_reply *r)
{
    if (p->is_acked)
        kill_fail(b->c, b->d->id, "%s: acknowledged, and refused when asked again: %s", p->id,
                  r->json);
    else if (p->kind != RECORD_RECOGNITION || (r->err != COMITY_E_STATE))
        kill_fail(b->c, b->d->id, "%s: refused: %s", p->id, r->json);
    lock(b);
    history_outcome(b->c->history, p->id, OUTCOME_FAILED);
    p->is_open = false;
    unlock(b);
}

static struct push *push_of_call(struct push **some, size_t n, uint64_t call)
{
    for (size_t i = 0; i < n; i++)
        if (some[i]->call == call)
            return some[i];
    return NULL;
}

/* Send all, then take what is answered: false when the node went away meanwhile. */
static bool push_all(struct bureau *b, struct push **some, size_t n)
{
    size_t sent = 0;
    while (sent < n && send_push(b, some[sent]))
        sent++;
    bool ok = sent == n;
    for (size_t i = 0; ok && i < n; i++) {
        struct comity_reply r = {0};
        int err = comity_client_receive(b->client, REPLY_MS, &r);
        struct push *p = err ? NULL : push_of_call(some, n, r.id);
        ok = p != NULL;
        if (err == COMITY_E_TIMEOUT)
            kill_fail(b->c, b->d->id, "no answer within %d s", REPLY_MS / 1000);
        if (!p)
            continue;
        if (r.err) {
            refused(b, p, &r);
        } else {
            json_t *place = json_loads(r.json, 0, NULL);
            acknowledged(b, p, place);
            json_decref(place);
        }
    }
    if (!ok)
        hang_up(b);
    return ok;
}

static unsigned others(const struct bureau *b)
{
    return 0xeu & ~(1u << b->d->at);
}

/* One of the others, or both, or (rarely) nobody. */
static unsigned some_recipients(struct bureau *b)
{
    uint64_t chance = rand_below(&b->rand, 20);
    if (chance == 0)
        return 0;
    if (chance < 5)
        return others(b);
    unsigned one = 0;
    while (!(one & others(b)))
        one = 1u << rand_below(&b->rand, DAEMONS);
    return one;
}

static void push_cases(struct bureau *b)
{
    struct push *some[BURST_MAX];
    bool is_bulky = rand_below(&b->rand, 5) == 0; /* a turn of so much goes to a segment */
    size_t n = is_bulky ? BURST_MAX : 1 + rand_below(&b->rand, BURST_USUAL);
    unsigned to = some_recipients(b);
    for (size_t i = 0; i < n; i++) {
        some[i] = paper_case(b, is_bulky ? BULKY : 0);
        some[i]->to = is_bulky ? to : some_recipients(b);
        take_push(b, some[i]);
    }
    push_all(b, some, n);
}

/* ---- evidence ---- */

static void make_file(struct bureau *b)
{
    static const size_t sizes[] = {0, 700, 700, BLOCK, BLOCK + 1, 3 * BLOCK - 5};
    size_t len = sizes[rand_below(&b->rand, sizeof sizes / sizeof sizes[0])];
    if (b->last && rand_below(&b->rand, 6) == 0)
        return; /* the same bytes again, as another blob */
    free(b->last);
    b->last = malloc(len + 1);
    if (!b->last)
        kill_die("memory", "none");
    random_bytes(b->last, len);
    b->last_len = len;
}

static json_t *bring_in(struct bureau *b, const char *name)
{
    struct comity_reply r = {0};
    const struct comity_transfer t = {.name = name, .mime = "application/octet-stream"};
    make_file(b);
    int fd = memfd_create("attachment", MFD_CLOEXEC);
    if (fd < 0 || pwrite(fd, b->last, b->last_len, 0) != (ssize_t)b->last_len)
        kill_die("memfd", "cannot be written");
    int err = comity_client_upload(b->client, fd, &t, &r);
    json_t *file = err ? NULL : json_loads(r.json, 0, NULL);
    close(fd);
    if (err && err != COMITY_E_UNREACHABLE)
        kill_fail(b->c, b->d->id, "a file is refused: %s", r.json);
    if (err)
        hang_up(b);
    return file;
}

static void push_evidence(struct bureau *b)
{
    static const char *const name[2] = {"附件一.bin", "附件二.bin"};
    json_t *file[2] = {NULL, NULL};
    size_t want = 1 + rand_below(&b->rand, 2);
    size_t n = 0;
    while (n < want && (file[n] = bring_in(b, name[n])))
        n++;
    if (n == want) {
        struct push *p = paper_evidence(b, file, n);
        p->to = some_recipients(b);
        take_push(b, p);
        push_all(b, &p, 1);
    }
    for (size_t i = 0; i < n; i++)
        json_decref(file[i]);
}

/* ---- recognitions ---- */

static void recognise(struct bureau *b)
{
    char args[TEXT];
    json_t *inbox = ask(b, "inbox.list", "{\"kind\":\"EVIDENCE\",\"limit\":20}");
    json_t *items = json_object_get(inbox, "items");
    json_t *item = json_array_get(items, rand_below(&b->rand, json_array_size(items) + 1));
    const char *ref = json_string_value(json_object_get(item, "ref"));
    const char *sender = json_string_value(json_object_get(item, "sender"));
    if (!ref || !sender || json_is_true(json_object_get(item, "decided"))) {
        json_decref(inbox);
        return;
    }
    unsigned to = 0;
    for (size_t i = 1; i < DAEMONS; i++)
        if (strcmp(b->c->daemon[i].id, sender) == 0)
            to = 1u << i;
    snprintf(args, sizeof args, "{\"ref\":\"%s\"}", ref);
    json_t *evidence = ask(b, "record.get", args);
    if (evidence) {
        struct push *p = paper_recognition(b, evidence);
        p->to = to;
        take_push(b, p);
        push_all(b, &p, 1);
    }
    json_decref(evidence);
    json_decref(inbox);
}

/* ---- looking, and asking again ---- */

static void see_recipient(struct bureau *b, struct push *p, const json_t *r)
{
    const char *member = json_string_value(json_object_get(r, "member"));
    if (!member || !json_object_get(r, "received"))
        return;
    for (size_t i = 1; i < DAEMONS; i++) {
        unsigned bit = 1u << i;
        if (strcmp(b->c->daemon[i].id, member) != 0 || (p->receipts & bit))
            continue;
        lock(b);
        p->receipts |= bit;
        history_receipt(b->c->history, p->id, member);
        unlock(b);
    }
}

static struct push *some_push(struct bureau *b)
{
    if (b->count == 0)
        return NULL;
    size_t back = rand_below(&b->rand, b->count < 60 ? b->count : 60);
    return b->push[b->count - 1 - back];
}

/* What an officer is shown of a record; once he was shown a receipt, it stays. */
static void track(struct bureau *b)
{
    char args[TEXT];
    struct push *p = some_push(b);
    if (!p || !p->is_acked)
        return;
    snprintf(args, sizeof args, "{\"ref\":\"%llu\"}", (unsigned long long)p->index);
    json_t *shown = ask(b, "track", args);
    size_t i = 0;
    json_t *r = NULL;
    if (!shown && b->client)
        kill_fail(b->c, b->d->id, "%s: acknowledged, and cannot be tracked", p->id);
    json_array_foreach(json_object_get(shown, "recipients"), i, r) see_recipient(b, p, r);
    json_decref(shown);
}

/* All whose outcome is open; the node is back. */
static void ask_again(struct bureau *b)
{
    while (b->client && b->settled < b->count) {
        struct push *p = b->push[b->settled];
        if (p->is_open) {
            if (!push_all(b, &p, 1))
                return;
            b->c->asked_again++;
        }
        b->settled++;
    }
}

/* What was acknowledged is asked again, too: it has the same place. */
static void ask_twice(struct bureau *b)
{
    struct push *p = some_push(b);
    if (p && p->is_acked)
        push_all(b, &p, 1);
}

static void work(struct bureau *b)
{
    uint64_t what = rand_below(&b->rand, 20);
    if (what < 8)
        push_cases(b);
    else if (what < 13)
        push_evidence(b);
    else if (what < 15)
        recognise(b);
    else if (what < 18)
        track(b);
    else
        ask_twice(b);
}

static void *officers_run(void *arg)
{
    struct bureau *b = arg;
    while (!b->c->is_stopping) {
        if (!connect_to(b))
            continue;
        ask_again(b);
        if (!b->client)
            continue;
        if (!b->c->is_closing && b->count < FIRST + PER_DEATH * b->c->cycle)
            work(b);
        usleep((useconds_t)rand_below(&b->rand, PAUSE_US));
    }
    hang_up(b);
    return NULL;
}

bool officers_settled(struct campaign *c)
{
    bool all = true;
    pthread_mutex_lock(&c->lock);
    for (size_t i = 1; i < DAEMONS; i++)
        for (size_t k = c->bureau[i].settled; k < c->bureau[i].count; k++)
            all = all && !c->bureau[i].push[k]->is_open;
    pthread_mutex_unlock(&c->lock);
    return all;
}

void officers_start(struct campaign *c)
{
    for (size_t i = 1; i < DAEMONS; i++) {
        struct bureau *b = &c->bureau[i];
        b->rand = rand_next(&c->rand);
        if (pthread_create(&b->thread, NULL, officers_run, b))
            kill_die("thread", "none");
        b->is_running = true;
    }
}

void officers_stop(struct campaign *c)
{
    c->is_stopping = true;
    for (size_t i = 1; i < DAEMONS; i++)
        if (c->bureau[i].is_running)
            pthread_join(c->bureau[i].thread, NULL);
}
