/*
 * wait: an answer once a stage is reached. Who waits is looked at behind every turn; there are few
 * of them, and the tables say it all.
 */
#include "methods.h"

#include "stages.h"
#include "json/error_json.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_DEFAULT_MS = 30 * 1000, WAIT_MAX_MS = 3600 * 1000 };

static void waiter_free(struct control *c, struct waiter *w)
{
    LIST_REMOVE(w, next);
    c->waiter_count--;
    free(w->to);
    free(w);
}

void waiters_drop(struct control *c, const struct conn *conn)
{
    struct waiter *next = NULL;
    for (struct waiter *w = LIST_FIRST(&c->waiters); w; w = next) {
        next = LIST_NEXT(w, next);
        if (w->conn == conn)
            waiter_free(c, w);
    }
}

int waiters_timeout_ms(const struct control *c)
{
    int64_t now = clock_mono_ms(&c->n->clock);
    int64_t least = -1;
    const struct waiter *w = NULL;
    LIST_FOREACH(w, &c->waiters, next)
    {
        int64_t left = w->end_ms > now ? w->end_ms - now : 0;
        if (least < 0 || left < least)
            least = left;
    }
    return (int)least;
}

static bool is_meant(const struct waiter *w, struct bytes member)
{
    for (size_t i = 0; i < w->to_count; i++)
        if (bytes_is(member, w->to[i]))
            return true;
    return w->to_count == 0;
}

/* The record that goes out by own entry ${index}: itself, or what it shares. */
static int find_carried(struct control *c, uint64_t index, struct record_row *ret)
{
    struct buf bytes = BUF_INIT;
    struct entry e = {0};
    struct bytes origin = bytes_of(ledger_origin(c->n->ledger));
    int err = ledger_entry(c->n->ledger, index, &bytes);
    if (!err)
        err = entry_decode(c->scratch, buf_bytes(&bytes), &e);
    if (!err && e.kind == ENTRY_SHARE)
        err = record_row_find(c->n, c->scratch, e.source.origin, e.source.index, ret);
    else if (!err)
        err = record_row_find(c->n, c->scratch, origin, index, ret);
    buf_free(&bytes);
    return err;
}

struct seen {
    enum stage stage;        /* the least */
    struct stage_of refused; /* who refused, when somebody did */
    const struct stage_of *stages;
    size_t count;
};

/* What stands for those who are waited for. COMITY_E_STATE when there is nobody; COMITY_E_REFUSED
 * with who refused. */
static int look(struct control *c, const struct waiter *w, struct seen *ret)
{
    struct stage_of *stages = NULL;
    struct record_row row;
    size_t count = 0;
    size_t kept = 0;
    int err = stages_of_entry(c->n, c->scratch, w->index, &stages, &count);
    for (size_t i = 0; !err && i < count; i++)
        if (is_meant(w, stages[i].member))
            stages[kept++] = stages[i];
    if (err || kept == 0)
        return err ? err : COMITY_E_STATE;
    if (w->stage == STAGE_DECIDED && find_carried(c, w->index, &row) == COMITY_OK)
        err = stages_decide(c->n, c->scratch, &row, stages, kept);
    for (size_t i = 0; !err && i < kept; i++)
        if (stages[i].stage == STAGE_REFUSED) {
            ret->refused = stages[i];
            return COMITY_E_REFUSED;
        }
    if (!err) {
        ret->stages = stages;
        ret->count = kept;
        ret->stage = stages_least(stages, kept);
    }
    return err;
}

/* Who decided what: the stage alone says only that somebody did. */
static json_t *decisions_json(const struct seen *seen)
{
    struct value v = value_array();
    for (size_t i = 0; i < seen->count; i++) {
        struct value item = value_object();
        value_set(&item, "member", value_text(seen->stages[i].member));
        set_decision(&item, seen->stages[i].decision);
        value_add(&v, item.json);
    }
    return v.json;
}

static void answer(struct control *c, struct waiter *w, const struct seen *seen)
{
    struct hash leaf;
    struct value v = value_object();
    bool has_leaf = ledger_leaf(c->n->ledger, w->index, &leaf) == COMITY_OK;
    value_set_place(&v, bytes_of(ledger_origin(c->n->ledger)), w->index, has_leaf ? &leaf : NULL);
    value_set(&v, "stage", json_string(stage_token(seen->stage)));
    if (seen->stage == STAGE_DECIDED)
        value_set(&v, "decisions", decisions_json(seen));
    conn_reply_json(w->conn, w->id, v.json, BYTES_NONE, false);
}

/* An error that says besides which stage is reached. */
static void answer_late(struct waiter *w, int err, const struct error_detail *d, enum stage stage)
{
    json_t *json = error_json(err, d);
    if (json)
        json_object_set_new(json, "stage", json_string(stage_token(stage)));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    conn_reply(w->conn, &(struct reply){.id = w->id, .err = err, .json = bytes_of(text)});
    free(text);
    json_decref(json);
}

/* Look once. True when the waiter got his answer. */
static bool settle(struct control *c, struct waiter *w, int64_t now)
{
    struct seen seen = {.stage = STAGE_RECORDED};
    char message[160];
    arena_reset(c->scratch);
    int err = look(c, w, &seen);
    if (!err && (int)seen.stage >= w->stage) {
        answer(c, w, &seen);
        return true;
    }
    if (!err && now < w->end_ms)
        return false;
    if (err == COMITY_E_REFUSED)
        snprintf(message, sizeof message, "refused on its way to %.*s: %.*s",
                 call_clip(seen.refused.member), (const char *)seen.refused.member.data,
                 call_clip(seen.refused.token), (const char *)seen.refused.token.data);
    else if (!err)
        snprintf(message, sizeof message, "it is safe here, and %s so far; not %s in time",
                 stage_token(seen.stage), stage_token((enum stage)w->stage));
    else
        snprintf(message, sizeof message, "%s",
                 err == COMITY_E_STATE ? "this entry goes to nobody of those named"
                                       : comity_err_text(err));
    const struct error_detail d = {.message = message, .hint = "comity track REF"};
    if (err == COMITY_E_STATE)
        conn_reply_error(w->conn, w->id, err, message, d.hint);
    else
        answer_late(w, err ? err : COMITY_E_TIMEOUT, &d,
                    err == COMITY_E_REFUSED ? STAGE_REFUSED : seen.stage);
    return true;
}

void waiters_settle(struct control *c)
{
    int64_t now = clock_mono_ms(&c->n->clock);
    struct waiter *next = NULL;
    for (struct waiter *w = LIST_FIRST(&c->waiters); w; w = next) {
        next = LIST_NEXT(w, next);
        if (settle(c, w, now))
            waiter_free(c, w);
    }
}

/* ---- wait ---- */

static int read_members(struct call *k, const struct texts *to, struct waiter *w)
{
    if (to->count > ENTRY_TO_MAX)
        return call_fail(k, COMITY_E_USAGE, "to", "at most %d members", ENTRY_TO_MAX);
    w->to = calloc(to->count ? to->count : 1, sizeof *w->to);
    if (!w->to)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < to->count; i++) {
        if (to->at[i].len > MEMBER_ID_MAX)
            return call_fail(k, COMITY_E_UNKNOWN_MEMBER, "to", NULL);
        memcpy(w->to[i], to->at[i].data, to->at[i].len);
    }
    w->to_count = to->count;
    return COMITY_OK;
}

static int read_wait(struct call *k, struct waiter *w)
{
    struct bytes ref = BYTES_NONE;
    struct bytes word = BYTES_NONE;
    struct texts to = {0};
    struct place place;
    uint64_t timeout_ms = WAIT_DEFAULT_MS;
    enum stage stage = STAGE_RECORDED;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref}, {"stage", ARG_TEXT, true, &word},
                        {"timeout_ms", ARG_U64, false, &timeout_ms}, {"to", ARG_TEXTS, false, &to});
    if (!err)
        err = call_place(k, "ref", ref, &place);
    if (!err && (stage_get(word, &stage) || stage < STAGE_ACCEPTED || stage > STAGE_DECIDED))
        err =
            call_fail(k, COMITY_E_USAGE, "stage", "'stage' must be accepted, received or decided");
    if (!err && timeout_ms > WAIT_MAX_MS)
        err = call_fail(k, COMITY_E_USAGE, "timeout_ms", "'timeout_ms' is at most %d", WAIT_MAX_MS);
    if (!err && !place.is_own)
        err = call_fail(k, COMITY_E_STATE, "ref", "only own entries are on their way from here");
    if (!err && place.index >= ledger_size(k->n->ledger))
        err = call_fail(k, COMITY_E_NOT_FOUND, "ref", "this ledger has %llu entries",
                        (unsigned long long)ledger_size(k->n->ledger));
    if (err)
        return err;
    w->index = place.index;
    w->stage = stage;
    w->end_ms = clock_mono_ms(&k->n->clock) + (int64_t)timeout_ms;
    return read_members(k, &to, w);
}

int method_wait(struct call *k)
{
    if (k->c->waiter_count >= CONTROL_WAITERS_MAX)
        return call_fail(k, COMITY_E_LIMIT, NULL, "too many wait here already");
    struct waiter *w = calloc(1, sizeof *w);
    if (!w)
        return COMITY_E_NOMEM;
    w->conn = k->conn;
    w->id = k->rq->id;
    int err = read_wait(k, w);
    if (err) {
        free(w->to);
        free(w);
        return err;
    }
    LIST_INSERT_HEAD(&k->c->waiters, w, next);
    k->c->waiter_count++;
    return CALL_TAKEN; /* looked at behind this turn */
}
