/*
 * One request of the control socket: decode it, find its method, check what it brings, run it,
 * answer. What methods do is methods*.c's.
 */
#include "control_parts.h"

#include "base/text.h"
#include "domain/ref.h"
#include "turn.h"
#include "json/error_json.h"
#include "json/value_json.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- errors ---- */

int call_fail(struct call *k, int err, const char *field, const char *format, ...)
{
    va_list ap;
    snprintf(k->field, sizeof k->field, "%s", field ? field : "");
    if (!format)
        return err;
    va_start(ap, format);
    vsnprintf(k->message, sizeof k->message, format, ap);
    va_end(ap);
    return err;
}

int call_hint(struct call *k, int err, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    vsnprintf(k->hint, sizeof k->hint, format, ap);
    va_end(ap);
    return err;
}

int call_clip(struct bytes text)
{
    return text.len < 64 ? (int)text.len : 64;
}

/* ---- replies ---- */

void conn_reply_json(struct conn *conn, uint64_t id, json_t *json, struct bytes chunk, bool more)
{
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    size_t len = text ? strlen(text) : 0;
    json_decref(json);
    if (!text)
        conn_reply_error(conn, id, COMITY_E_NOMEM, NULL, NULL);
    else if (len + chunk.len + 64 > CONTROL_BYTES_MAX)
        conn_reply_error(conn, id, COMITY_E_TOO_LARGE, "the answer is too long for one message",
                         "ask for fewer at a time: limit");
    else
        conn_reply(conn, &(struct reply){
                             .id = id, .json = BYTES(text, len), .chunk = chunk, .more = more});
    free(text);
}

static void reply_error(struct conn *conn, uint64_t id, int err, const struct error_detail *d)
{
    json_t *json = error_json(err, d);
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;
    conn_reply(conn, &(struct reply){.id = id, .err = err, .json = bytes_of(text)});
    free(text);
    json_decref(json);
}

void conn_reply_error(struct conn *conn, uint64_t id, int err, const char *message,
                      const char *hint)
{
    const struct error_detail d = {.message = message, .hint = hint};
    reply_error(conn, id, err, &d);
}

/* ---- arguments ---- */

static int get_texts(struct call *k, const json_t *value, struct texts *ret)
{
    size_t n = json_array_size(value);
    struct bytes *at = arena_alloc(k->a, n * sizeof *at);
    if (!json_is_array(value))
        return COMITY_E_USAGE;
    if (!at)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(value, i);
        if (!json_is_string(item))
            return COMITY_E_USAGE;
        at[i] = BYTES(json_string_value(item), json_string_length(item));
    }
    *ret = (struct texts){.at = at, .count = n};
    return COMITY_OK;
}

static int get_arg(struct call *k, const struct arg *arg, const json_t *value)
{
    static const char *const wanted[] = {[ARG_TEXT] = "a text that is not empty",
                                         [ARG_U64] = "a whole number from 0 on",
                                         [ARG_BOOL] = "true or false",
                                         [ARG_TEXTS] = "a list of texts"};
    int err = COMITY_E_USAGE;
    if (arg->type == ARG_TEXT && json_string_length(value) > 0) {
        *(struct bytes *)arg->ret = BYTES(json_string_value(value), json_string_length(value));
        return COMITY_OK;
    }
    if (arg->type == ARG_U64 && json_is_integer(value) && json_integer_value(value) >= 0) {
        *(uint64_t *)arg->ret = (uint64_t)json_integer_value(value);
        return COMITY_OK;
    }
    if (arg->type == ARG_BOOL && json_is_boolean(value)) {
        *(bool *)arg->ret = json_is_true(value);
        return COMITY_OK;
    }
    if (arg->type == ARG_TEXTS && (err = get_texts(k, value, arg->ret)) != COMITY_E_USAGE)
        return err;
    return call_fail(k, COMITY_E_USAGE, arg->name, "'%s' must be %s", arg->name, wanted[arg->type]);
}

int call_args(struct call *k, const struct arg *args, size_t n)
{
    size_t known = 0;
    for (size_t i = 0; i < n; i++) {
        const json_t *value = json_object_get(k->args, args[i].name);
        if (!value && args[i].is_required)
            return call_fail(k, COMITY_E_USAGE, args[i].name, "'%s' is missing", args[i].name);
        int err = value ? get_arg(k, &args[i], value) : COMITY_OK;
        if (err)
            return err;
        known += value != NULL;
    }
    if (known == json_object_size(k->args))
        return COMITY_OK;
    const char *key = NULL;
    json_t *value = NULL;
    json_object_foreach(k->args, key, value)
    {
        size_t i = 0;
        while (i < n && strcmp(args[i].name, key) != 0)
            i++;
        if (i == n)
            return call_fail(k, COMITY_E_USAGE, key, "this method has no argument '%.40s'", key);
    }
    return COMITY_OK;
}

int call_place(struct call *k, const char *field, struct bytes text, struct place *ret)
{
    struct ref ref = {0};
    struct buf origin = BUF_INIT;
    struct origin own = {0};
    struct bytes own_origin = bytes_of(ledger_origin(k->n->ledger));
    if (ref_get(text, &ref)) {
        call_fail(k, COMITY_E_REF, field, "'%.*s' is not a reference", call_clip(text),
                  (const char *)text.data);
        return call_hint(k, COMITY_E_REF, "write 330100-001/1042, or 1042 for the own ledger");
    }
    *ret = (struct place){.origin = own_origin, .index = ref.index, .is_own = true};
    if (!ref.member.len || text_get_origin(own_origin, &own))
        return COMITY_OK;
    ref_put_origin(&origin, own.network, &ref);
    ret->origin = buf_check(&origin) ? BYTES_NONE : arena_copy(k->a, buf_bytes(&origin));
    ret->is_own = bytes_equal(ret->origin, own_origin);
    buf_free(&origin);
    return ret->origin.data ? COMITY_OK : COMITY_E_NOMEM;
}

int call_note(struct call *k, struct bytes *ret)
{
    if (k->rq->note_count != 1)
        return call_fail(k, COMITY_E_USAGE, "notes", "this method takes exactly one note");
    *ret = k->rq->notes[0];
    return COMITY_OK;
}

static int compare_views(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int check_recipient(struct call *k, struct bytes id)
{
    const struct roster_member *m = roster_member_of(k->n->roster, id);
    int len = call_clip(id);
    const char *text = (const char *)id.data;
    if (bytes_is(id, k->n->member))
        return call_fail(k, COMITY_E_RECIPIENTS, "to", "%.*s is this very bureau", len, text);
    if (!m || m->role != MEMBER_BUREAU) {
        call_fail(k, COMITY_E_UNKNOWN_MEMBER, "to", "%.*s is no bureau of roster %llu", len, text,
                  (unsigned long long)roster_number(k->n->roster));
        return call_hint(k, COMITY_E_UNKNOWN_MEMBER, "comity member find %.*s", len, text);
    }
    if (!roster_current_origin(k->n->roster, m))
        return call_fail(k, COMITY_E_CLOSED, "to", "the ledger of %.*s is closed", len, text);
    return COMITY_OK;
}

int call_recipients(struct call *k, const struct texts *to, const struct bytes **ret,
                    size_t *ret_count)
{
    if (to->count == 0) {
        *ret_count = 0;
        return COMITY_OK;
    }
    if (!k->n->roster) {
        call_fail(k, COMITY_E_NO_ROSTER, "to", NULL);
        return call_hint(k, COMITY_E_NO_ROSTER, "comity node join");
    }
    if (to->count > ENTRY_TO_MAX)
        return call_fail(k, COMITY_E_RECIPIENTS, "to", "at most %d recipients at a time",
                         ENTRY_TO_MAX);
    struct bytes *sorted = arena_alloc(k->c->arena, to->count * sizeof *sorted);
    if (!sorted)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < to->count; i++) {
        int err = check_recipient(k, to->at[i]);
        sorted[i] = call_keep(k, to->at[i]);
        if (err || !sorted[i].data)
            return err ? err : COMITY_E_NOMEM;
    }
    qsort(sorted, to->count, sizeof *sorted, compare_views);
    for (size_t i = 1; i < to->count; i++)
        if (bytes_equal(sorted[i - 1], sorted[i]))
            return call_fail(k, COMITY_E_RECIPIENTS, "to", "%.*s is named twice",
                             (int)sorted[i].len, (const char *)sorted[i].data);
    *ret = sorted;
    *ret_count = to->count;
    return COMITY_OK;
}

/* ---- drafts ---- */

struct bytes call_keep(struct call *k, struct bytes b)
{
    return arena_copy(k->c->arena, b);
}

static void put_place(struct buf *json, const struct node *n, const struct draft *d)
{
    const char *origin = ledger_origin(n->ledger);
    buf_put_str(json, "{\"ref\":\"");
    value_put_ref(json, bytes_of(origin), d->index);
    buf_printf(json, "\",\"origin\":\"%s\",\"index\":%llu,\"leaf\":\"", origin,
               (unsigned long long)d->index);
    text_put_base64(json, hash_bytes(&d->leaf));
    buf_put_str(json, "\"");
}

/* The texts in it need no escaping: origins, references, base64, member ids. */
static void reply_done(struct draft *d, int err)
{
    struct pending *p = d->owner;
    struct conn *conn = p->conn;
    struct buf json = BUF_INIT;
    conn->in_flight--;
    if (err) {
        conn_reply_error(conn, p->id, err, NULL, "nothing was written; try again");
    } else {
        put_place(&json, conn->control->n, d);
        if (p->show)
            p->show(p, d, &json);
        buf_put_str(&json, "}");
        if (buf_check(&json))
            conn->is_gone = true; /* done, but nobody can be told */
        else
            conn_reply(conn, &(struct reply){.id = p->id, .json = buf_bytes(&json)});
        if (p->after)
            p->after(p);
    }
    buf_free(&json);
}

int call_append(struct call *k, struct draft *d, const struct pending *p)
{
    struct pending *kept = arena_alloc(k->c->arena, sizeof *kept);
    if (!kept)
        return COMITY_E_NOMEM;
    *kept = *p;
    kept->conn = k->conn;
    kept->id = k->rq->id;
    d->owner = kept;
    d->done = reply_done;
    int err = turn_add(k->c->turn, d);
    if (err)
        return call_fail(k, err, NULL, NULL);
    k->conn->in_flight++;
    k->c->drafts++;
    k->c->is_closed = k->c->is_closed || turn_is_full(k->c->turn);
    return CALL_TAKEN;
}

int call_claim(struct call *k, struct bytes request_id)
{
    struct claimed *claim = NULL;
    uint8_t id[BODY_REQUEST_ID_MAX] = {0};
    memcpy(id, request_id.data, request_id.len);
    HASH_FIND(hh, k->c->claimed, id, sizeof id, claim);
    if (claim)
        return CALL_NOT_NOW;
    if (!(claim = arena_alloc(k->c->arena, sizeof *claim)))
        return COMITY_E_NOMEM;
    memcpy(claim->id, id, sizeof id);
    HASH_ADD(hh, k->c->claimed, id, sizeof claim->id, claim);
    return COMITY_OK;
}

/* ---- running ---- */

/* The binary fields must be those that the method takes. */
static int check_fields(struct call *k, const struct method *m)
{
    const struct {
        const char *name;
        bool is_there;
        unsigned flag;
    } field[] = {{"record", k->rq->record.len > 0, METHOD_RECORD},
                 {"salt", k->rq->salt.len > 0, METHOD_SALT},
                 {"notes", k->rq->note_count > 0, METHOD_NOTES},
                 {"chunk", k->rq->chunk.len > 0, METHOD_CHUNK}};
    for (size_t i = 0; i < sizeof field / sizeof field[0]; i++)
        if (field[i].is_there && !(m->flags & field[i].flag))
            return call_fail(k, COMITY_E_USAGE, field[i].name, "%s takes no %s", m->name,
                             field[i].name);
    return COMITY_OK;
}

static int read_args(struct call *k)
{
    json_error_t why;
    k->args = k->rq->json.len ? json_loadb((const char *)k->rq->json.data, k->rq->json.len,
                                           JSON_REJECT_DUPLICATES, &why)
                              : json_object();
    if (!k->args)
        return call_fail(k, COMITY_E_USAGE, "json", "the arguments are no JSON: %.120s", why.text);
    return json_is_object(k->args)
               ? COMITY_OK
               : call_fail(k, COMITY_E_USAGE, "json", "the arguments must be an object");
}

static int run_method(struct call *k, const struct method *m)
{
    struct control *c = k->c;
    if ((m->flags & METHOD_APPENDS) && c->is_closed)
        return CALL_NOT_NOW;
    if ((m->flags & METHOD_ALONE) && c->drafts)
        return CALL_NOT_NOW;
    if ((m->flags & METHOD_ROSTER) && !k->n->roster) {
        call_fail(k, COMITY_E_NO_ROSTER, NULL, NULL);
        return call_hint(k, COMITY_E_NO_ROSTER, "comity node join");
    }
    int err = check_fields(k, m);
    if (!err)
        err = read_args(k);
    if (!err)
        err = m->run(k);
    if (err == CALL_TAKEN && (m->flags & METHOD_ALONE))
        c->is_closed = true;
    return err;
}

int call_run(struct conn *conn, struct bytes message)
{
    struct control *c = conn->control;
    struct control_request rq = {0};
    struct call k = {.c = c, .n = c->n, .conn = conn, .a = c->scratch, .rq = &rq};
    const struct method *m = NULL;
    arena_reset(c->scratch);
    int err = control_request_decode(c->scratch, message, &rq);
    if (err)
        call_fail(&k, err, NULL, NULL);
    else if ((m = method_find(rq.method)))
        err = run_method(&k, m);
    else
        err = call_fail(&k, COMITY_E_UNSUPPORTED, "method", "this node has no method '%.*s'",
                        call_clip(rq.method), (const char *)rq.method.data);
    if (err < 0) {
        const struct error_detail d = {.message = *k.message ? k.message : NULL,
                                       .hint = *k.hint ? k.hint : NULL,
                                       .field = *k.field ? k.field : NULL};
        json_decref(k.result);
        reply_error(conn, rq.id, err, &d);
    } else if (err == COMITY_OK) {
        conn_reply_json(conn, rq.id, k.result, k.chunk, false);
    }
    json_decref(k.args);
    return err == CALL_NOT_NOW ? CALL_NOT_NOW : COMITY_OK;
}
