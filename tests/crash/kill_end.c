/*
 * The end: all processes live, everything drains, they are stopped, and what was told is held
 * against what the ledgers hold. (The audit of all four ledgers, and that the broker has let go of
 * every block, is for kill.sh to see.) See kill.h.
 */
#include "kill.h"

#include "base/text.h"
#include "msg/parcel.h"
#include "msg/record.h"

#include <comity/err.h>
#include <string.h>
#include <unistd.h>

enum { DRAIN_MS = 90000, LOOK_MS = 50, ARENA = 16 * 1024 * 1024 };

/* ---- draining ---- */

static int64_t count_at(const json_t *status, const char *part, const char *key)
{
    return (int64_t)json_integer_value(json_object_get(json_object_get(status, part), key));
}

/* What is still on its way at a node; -1: it cannot be asked. */
static int64_t undone(struct kill_daemon *d)
{
    char path[PATH_MAX];
    comity_client *client = NULL;
    struct comity_reply r = {0};
    int64_t n = -1;
    const struct comity_call call = {.method = "status"};
    path_put(path, "%s/node.sock", d->dir);
    if (comity_client_open(path, &client))
        return -1;
    if (comity_client_call(client, &call, &r) == 0) {
        json_t *s = json_loads(r.json, 0, NULL);
        n = count_at(s, "outbox", "parcels") + count_at(s, "outbox", "undelivered") +
            count_at(s, "files", "upload") + count_at(s, "files", "fetch");
        if (count_at(s, "outbox", "refused") || count_at(s, "files", "failed"))
            kill_fail(d->c, d->id, "something was refused, or a file has failed");
        json_decref(s);
    }
    comity_client_close(client);
    return n;
}

/* Whether the broker has let go of every blob that all have: it looks once a second. */
static bool has_let_go(struct campaign *c)
{
    struct store *s = NULL;
    uint64_t n = 1;
    if (site_open_store(c->daemon[HUB].site, DB_READ, &s) == 0 &&
        db_get_u64(store_db(s), 1, &n, "SELECT count(*) FROM blob WHERE freed <> 2", &DB_NULL, 1))
        n = 1;
    store_close(s);
    return n == 0;
}

static void drain(struct campaign *c)
{
    int64_t until = mono_ms() + DRAIN_MS;
    int64_t left = 1;
    while ((left || !officers_settled(c)) && mono_ms() < until) {
        left = 0;
        for (size_t i = 1; i < DAEMONS; i++)
            if (left == 0)
                left = undone(&c->daemon[i]);
        if (left == 0 && !has_let_go(c))
            left = 1;
        bool killed = false;
        if (process_reap(c, LOOK_MS, &killed))
            break;
    }
    if (left || !officers_settled(c))
        kill_fail(c, "end", "it does not drain within %d s", DRAIN_MS / 1000);
}

/* ---- what the ledgers hold ---- */

struct telling {
    struct campaign *c;
    struct kill_daemon *at;
    struct ledger *l;
    struct store *s;
    struct arena *a;
};

/* The id that an officer put into the record of entry ${e} of ${origin}, or false. */
static bool id_of(struct telling *t, struct bytes origin, const struct entry *e, char ret[64])
{
    struct opening o;
    struct body body;
    struct record r;
    struct bytes id = BYTES_NONE;
    if (e->kind != ENTRY_RECORD || ledger_opening(t->l, origin, e->index, t->a, &o) ||
        body_decode(t->a, o.body, &body) || record_decode(t->a, body.record, &r))
        return false;
    id = r.kind == RECORD_CASE       ? r.u.case_content.title
         : r.kind == RECORD_EVIDENCE ? r.u.evidence.title
                                     : r.u.recognition.basis;
    if (id.len >= 48 || !memchr(id.data, '-', id.len))
        return false; /* of before the campaign */
    snprintf(ret, 64, "%.*s", (int)id.len, (const char *)id.data);
    return true;
}

static struct kill_daemon *owner_of(struct campaign *c, struct bytes origin)
{
    for (size_t i = 1; i < DAEMONS; i++)
        if (bytes_is(origin, c->daemon[i].origin))
            return &c->daemon[i];
    return NULL;
}

static bool is_to(const struct entry *e, const char *member)
{
    for (size_t i = 0; i < e->to_count; i++)
        if (bytes_is(e->to[i].member, member))
            return true;
    return false;
}

static int tell_received(struct telling *t, uint64_t own)
{
    struct db_rows *rows = NULL;
    struct buf head = BUF_INIT;
    struct parcel_head h;
    uint64_t chunk = 0;
    int err = db_query(store_db(t->s), &rows,
                       "SELECT head FROM parcel_in WHERE own = ?1 AND token IS NULL", DB_U64(own));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW)
        chunk = db_u64(rows, 0);
    db_done(rows);
    if (got != DB_ROW)
        return COMITY_E_NOT_FOUND;
    err = store_get(t->s, chunk, &head);
    if (!err)
        err = parcel_head_decode(t->a, buf_bytes(&head), &h);
    for (size_t i = 0; !err && i < h.entry_count; i++) {
        struct entry e;
        char id[64];
        const struct kill_daemon *from = owner_of(t->c, h.origin);
        err = entry_decode(t->a, h.entries[i], &e);
        if (!err && from && is_to(&e, t->at->id) && id_of(t, h.origin, &e, id))
            history_found(t->c->history, id, from->id, t->at->id);
    }
    buf_free(&head);
    return err;
}

static int tell_entry(void *self, uint64_t index, struct bytes bytes)
{
    struct telling *t = self;
    struct entry e;
    char id[64];
    arena_reset(t->a);
    int err = entry_decode(t->a, bytes, &e);
    if (!err && id_of(t, bytes_of(t->at->origin), &e, id))
        history_found(t->c->history, id, t->at->id, t->at->id);
    return !err && e.kind == ENTRY_RECEIVED ? tell_received(t, index) : err;
}

static void tell_ledger(struct campaign *c, struct kill_daemon *d)
{
    struct telling t = {.c = c, .at = d, .a = arena_new(ARENA)};
    history_ledger(c->history, d->id);
    int err = t.a ? site_open_store(d->site, DB_READ, &t.s) : COMITY_E_NOMEM;
    if (!err)
        err = ledger_open_read(t.s, &t.l);
    if (!err)
        err = ledger_each(t.l, 0, ledger_size(t.l), tell_entry, &t);
    if (err)
        kill_fail(c, d->id, "its ledger cannot be told: %s", comity_err_text(err));
    ledger_close(t.l);
    store_close(t.s);
    arena_free(t.a);
}

static void tell_anomaly(void *self, enum anomaly a, const char *id, const char *at)
{
    struct campaign *c = self;
    if (c->failures++ < 40)
        printf("# %s: %s %s\n", anomaly_word(a), id, at);
}

void end_judge(struct campaign *c)
{
    for (size_t i = 0; i < DAEMONS; i++)
        if (!c->daemon[i].pid || c->daemon[i].step) {
            /* A step that is still armed must not be hit any more. */
            process_kill(&c->daemon[i]);
            bool killed = false;
            while (c->daemon[i].pid && process_reap(c, 1000, &killed)) {
            }
        }
    for (size_t i = 0; i < DAEMONS; i++)
        if (!c->daemon[i].pid)
            process_start(&c->daemon[i], NULL);
    c->is_closing = true;
    drain(c);
    officers_stop(c);
    for (size_t i = DAEMONS; i-- > 0;)
        process_stop(&c->daemon[i]);
    /* Twice: only when all have been read can all be held against each other. */
    for (size_t i = 0; i < 2 * DAEMONS; i++)
        if (!c->failures)
            check_dead(&c->daemon[i % DAEMONS]);
    for (size_t i = 1; i < DAEMONS; i++)
        tell_ledger(c, &c->daemon[i]);
    history_check(c->history, tell_anomaly, c);
}
