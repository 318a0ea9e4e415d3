/*
 * The node's core opened and closed: the roster in force, cursors, and what else is kept in memory
 * of the tables. Turns are turn.c's.
 */
#include "node.h"

#include "archive.h"
#include "base/log.h"
#include "core.h"
#include "inbox.h"
#include "outbox.h"

#include <stdlib.h>
#include <string.h>

/* All that a turn decodes. Intake stops far below it (turn.c), so that the last frame has room
 * whatever is in it. */
enum {
    TURN_MEMORY = 160 * 1024 * 1024,
    SCRATCH_MEMORY = 8 * 1024 * 1024, /* a kept record, decoded */
    ANCHOR_MAX = 64 * 1024
};

int list_reserve(void *at, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return COMITY_OK;
    void *old = NULL;
    memcpy(&old, at, sizeof old);
    size_t more = *cap ? 2 * *cap : 16;
    void *grown = realloc(old, more * size);
    if (!grown)
        return COMITY_E_NOMEM;
    memcpy(at, &grown, sizeof grown);
    *cap = more;
    return COMITY_OK;
}

/* ---- the roster ---- */

const struct roster_member *core_broker(const struct node *n)
{
    return n->roster ? roster_broker(n->roster) : NULL;
}

const struct roster_origin *core_broker_origin(const struct node *n)
{
    const struct roster_member *b = core_broker(n);
    return b ? roster_current_origin(n->roster, b) : NULL;
}

int core_recipient(const struct node *n, struct bytes member)
{
    const struct roster_member *m = n->roster ? roster_member_of(n->roster, member) : NULL;
    if (!m)
        return n->roster ? COMITY_E_UNKNOWN_MEMBER : COMITY_E_NO_ROSTER;
    if (m->role != MEMBER_BUREAU || m->seal_count == 0)
        return COMITY_E_UNKNOWN_MEMBER;
    if (bytes_is(member, n->member))
        return COMITY_E_RECIPIENTS;
    return roster_current_origin(n->roster, m) ? COMITY_OK : COMITY_E_CLOSED;
}

int core_put_roster_ref(const struct roster *r, struct buf *out)
{
    struct hash text;
    roster_text_hash(r, &text);
    buf_put_u64be(out, roster_number(r));
    buf_put_bytes(out, hash_bytes(&text));
    return buf_check(out);
}

int core_write_roster(struct node *n, const struct roster *r, uint64_t own)
{
    struct buf anchor = BUF_INIT;
    uint64_t chunk = 0;
    network_put(&anchor, n->roster ? roster_network(n->roster) : &n->site->network);
    int err = buf_check(&anchor);
    if (!err)
        err = store_put(n->store, roster_file(r), &chunk);
    if (!err)
        err = db_run(store_db(n->store),
                     "INSERT INTO roster(number, own, anchor, file) VALUES(?1, ?2, ?3, ?4)",
                     DB_U64(roster_number(r)), DB_U64(own), DB_BLOB(buf_bytes(&anchor)),
                     DB_U64(chunk));
    buf_free(&anchor);
    return err;
}

int core_take_roster(struct node *n, struct turn *t, struct bytes file)
{
    struct roster *r = NULL;
    int err = roster_open(file, n->roster ? NULL : &n->site->network, n->roster, &r);
    if (err)
        return err;
    if (t->roster && roster_number(t->roster) >= roster_number(r)) {
        roster_free(r);
        return COMITY_E_ROSTER_OLD;
    }
    roster_free(t->roster);
    t->roster = r;
    return COMITY_OK;
}

int node_take_roster(struct node *n, struct turn *t)
{
    struct roster *r = NULL;
    int err = site_roster(n->site, n->roster, &r);
    if (!err)
        err = core_take_roster(n, t, roster_file(r));
    roster_free(r);
    return err;
}

/* The newest roster of the store. */
static int load_roster(struct node *n)
{
    struct db_rows *rows = NULL;
    struct buf file = BUF_INIT;
    struct network anchor;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT anchor, file FROM roster WHERE ?1 ORDER BY number DESC LIMIT 1",
                       DB_U64(1));
    if (err)
        return err;
    int got = db_next(rows);
    if (got == DB_ROW)
        err = network_parse(db_bytes(rows, 0), &anchor);
    if (!err && got == DB_ROW)
        err = store_get(n->store, db_u64(rows, 1), &file);
    if (!err && got == DB_ROW)
        err = roster_open(buf_bytes(&file), &anchor, NULL, &n->core->roster);
    db_done(rows);
    buf_free(&file);
    n->roster = n->core->roster;
    if (got < 0)
        return got;
    return err && err != COMITY_E_NOMEM && err != COMITY_E_IO ? COMITY_E_LEDGER_DAMAGED : err;
}

/* A roster that the administrator handed in while the node was down comes into force in a turn of
 * its own. */
static int take_handed_in(struct node *n)
{
    struct turn *t = NULL;
    struct node_out out = {0};
    int err = node_begin(n, &t);
    if (err)
        return err;
    int taken = node_take_roster(n, t);
    if (taken && taken != COMITY_E_NO_ROSTER && taken != COMITY_E_ROSTER_OLD)
        log_event(LOG_ERROR, "roster_rejected", LOG_ERR(taken));
    err = node_step(n, &(struct node_in){0}, &out);
    node_out_free(&out);
    return err;
}

/* ---- cursors ---- */

static const char *const cursor_names[CURSOR_COUNT] = {
    [CURSOR_TAKEN] = "taken",
    [CURSOR_ANSWERED] = "answered",
    [CURSOR_LOGGED] = "logged",
    [CURSOR_LOGGED_MS] = "logged_ms",
    [CURSOR_PUBLISHED_MS] = "published_ms",
};
static const char broker_name[] = "broker";

void core_set_cursor(struct node *n, enum cursor_name name, uint64_t value)
{
    n->core->cursor[name] = value;
    n->core->is_cursor_dirty[name] = true;
}

void core_see_broker(struct node *n, const struct checkpoint *c, struct bytes note)
{
    struct broker_seen *b = &n->core->broker;
    if (note.len > sizeof b->note || c->size < b->checkpoint.size)
        return;
    b->checkpoint = *c;
    memcpy(b->note, note.data, note.len);
    b->note_len = note.len;
    b->is_dirty = true;
}

static int load_broker(struct node *n, struct bytes note)
{
    struct broker_seen *b = &n->core->broker;
    if (note.len > sizeof b->note || checkpoint_peek(note, &b->checkpoint))
        return COMITY_E_LEDGER_DAMAGED;
    memcpy(b->note, note.data, note.len);
    b->note_len = note.len;
    return COMITY_OK;
}

static int load_cursors(struct node *n)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(store_db(n->store), &rows, "SELECT name, value, data FROM cursor WHERE ?1",
                       DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        for (size_t i = 0; i < CURSOR_COUNT; i++)
            if (bytes_is(db_bytes(rows, 0), cursor_names[i]))
                n->core->cursor[i] = db_u64(rows, 1);
        if (bytes_is(db_bytes(rows, 0), broker_name))
            err = load_broker(n, db_bytes(rows, 2));
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int write_cursor(struct node *n, const char *name, uint64_t value, struct db_value data)
{
    return db_run(store_db(n->store),
                  "INSERT INTO cursor(name, value, data) VALUES(?1, ?2, ?3)"
                  " ON CONFLICT(name) DO UPDATE SET value = ?2, data = ?3",
                  DB_STR(name), DB_U64(value), data);
}

int core_write_cursors(struct node *n)
{
    struct node_core *c = n->core;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < CURSOR_COUNT; i++) {
        if (c->is_cursor_dirty[i])
            err = write_cursor(n, cursor_names[i], c->cursor[i], DB_NULL);
        c->is_cursor_dirty[i] = false;
    }
    if (!err && c->broker.is_dirty)
        err = write_cursor(n, broker_name, c->broker.checkpoint.size,
                           DB_BLOB(BYTES(c->broker.note, c->broker.note_len)));
    c->broker.is_dirty = false;
    return err;
}

int core_load(struct node *n)
{
    struct node_core *c = n->core;
    outbox_unload(n);
    inbox_unload(n);
    memset(c->cursor, 0, sizeof c->cursor);
    memset(c->is_cursor_dirty, 0, sizeof c->is_cursor_dirty);
    c->broker = (struct broker_seen){0};
    int err = load_cursors(n);
    if (!err)
        err = outbox_load(n);
    if (!err)
        err = inbox_load(n);
    if (!err)
        err = archives_load(n);
    return err;
}

/* A successor's projections are still without what the archives hold. */
static int show_archives(struct node *n)
{
    const struct db_value any = DB_U64(1);
    uint64_t origins = 0;
    int err = db_get_u64(store_db(n->store), 0, &origins,
                         "SELECT count(*) FROM view_origin WHERE ?1", &any, 1);
    return err || origins || n->archive_count == 0 ? err : node_reindex(n);
}

/* ---- open, close ---- */

static int open_parts(struct node *n)
{
    int err = site_open_store(n->site, DB_WRITE, &n->store);
    if (!err)
        err = ledger_open(n->store, n->keys->ledger, &n->ledger);
    if (!err && strcmp(ledger_origin(n->ledger), n->site->origin) != 0)
        err = COMITY_E_LEDGER_DAMAGED;
    if (!err)
        err = load_roster(n);
    if (!err)
        err = archives_open(n);
    if (!err)
        err = core_load(n);
    if (!err)
        err = take_handed_in(n);
    return err ? err : show_archives(n);
}

int node_open(const struct site *site, const struct site_keys *keys, const struct clock *clock,
              struct node **ret)
{
    struct node *n = calloc(1, sizeof *n);
    if (!n)
        return COMITY_E_NOMEM;
    n->site = site;
    n->keys = keys;
    n->clock = *clock;
    n->member = site->member;
    n->core = calloc(1, sizeof *n->core);
    int err = n->core ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && (!(n->core->arena = arena_new(TURN_MEMORY)) ||
                 !(n->core->scratch = arena_new(SCRATCH_MEMORY))))
        err = COMITY_E_NOMEM;
    if (!err)
        err = open_parts(n);
    if (err) {
        node_close(n);
        return err;
    }
    *ret = n;
    return COMITY_OK;
}

void node_close(struct node *n)
{
    if (!n)
        return;
    if (n->core) {
        turn_free(n);
        session_done(&n->core->session);
        outbox_unload(n);
        inbox_unload(n);
        roster_free(n->core->old_roster);
        roster_free(n->core->roster);
        arena_free(n->core->arena);
        arena_free(n->core->scratch);
    }
    archives_close(n);
    ledger_close(n->ledger);
    store_close(n->store);
    free(n->core);
    free(n);
}

/* ---- status ---- */

const char *node_session_word(enum node_session s)
{
    static const char *const words[] = {[NODE_OFFLINE] = "offline",
                                        [NODE_GREETING] = "greeting",
                                        [NODE_FETCHING_ROSTER] = "fetching_roster",
                                        [NODE_ONLINE] = "online",
                                        [NODE_REJECTED] = "rejected"};
    return words[s];
}

int64_t node_latest_ms(const struct node *n)
{
    const int64_t offset = session_clock_offset_ms(n);
    return clock_wall_ms(&n->clock) + (offset > 0 ? offset : 0);
}

void node_status(const struct node *n, struct node_status *ret)
{
    const struct node_core *c = n->core;
    bool is_online = c->session.state == NODE_ONLINE || c->session.state == NODE_FETCHING_ROSTER;
    *ret = (struct node_status){.session = c->session.state,
                                .online_since_ms = is_online ? c->session.online_ms : 0,
                                .last_token = c->session.last_token,
                                .known_size = c->session.known_size,
                                .parcels_queued = c->last_parcel_seq - c->cursor[CURSOR_ANSWERED],
                                .deliveries_taken = c->cursor[CURSOR_TAKEN],
                                .turns_undone = c->turns_undone,
                                .trouble = c->trouble.err,
                                .trouble_since_ms = c->trouble.since_ms,
                                .broker_size = c->broker.checkpoint.size,
                                .clock_offset_ms = session_clock_offset_ms(n),
                                .roster_expired = n->roster && clock_wall_ms(&n->clock) >
                                                                   roster_renew_by_ms(n->roster)};
}
