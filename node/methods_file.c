/*
 * Files into the node and out of it, piece by piece. The pieces are written and read by the thread
 * of files.c; here it is only seen to that few of them wait at a time, and that everybody gets his
 * own answers.
 */
#include "methods.h"

#include "base/text.h"
#include "bulk.h"
#include "domain/rules.h"

#include <stdlib.h>
#include <string.h>

/* Whose stream it is: the owner of its work. */
static struct transfer *transfer_of(struct conn *conn, const struct files_stream *s)
{
    return conn->up.stream == s ? &conn->up : &conn->down;
}

void transfer_drop(struct control *c, struct transfer *t)
{
    files_drop(c->files, t->stream);
    free(t->name);
    free(t->mime);
    json_decref(t->about);
    *t = (struct transfer){0};
}

static json_t *file_json(const struct transfer *t, const struct files_done *d)
{
    struct value v = value_object();
    value_set(&v, "name", json_string(t->name));
    if (t->mime)
        value_set(&v, "mime", json_string(t->mime));
    value_set(&v, "len", value_u64(t->len));
    value_set(&v, "sha256", value_hex(hash_bytes(&d->sha256)));
    value_set(&v, "sm3", value_hex(hash_bytes(&d->sm3)));
    value_set(&v, "blob", value_hex(hash_bytes(&d->blob)));
    value_set(&v, "secret", value_hex(BYTES(d->secret, sizeof d->secret)));
    return v.json;
}

/* ---- in ---- */

int method_file_begin(struct call *k)
{
    struct transfer *t = &k->conn->up;
    struct bytes name = BYTES_NONE;
    struct bytes mime = BYTES_NONE;
    uint64_t len = 0;
    struct value v = value_object();
    int err = CALL_ARGS(k, {"name", ARG_TEXT, true, &name}, {"mime", ARG_TEXT, false, &mime},
                        {"len", ARG_U64, true, &len});
    if (!err && t->stream) {
        call_fail(k, COMITY_E_STATE, NULL, "another file is on its way on this connection");
        err = call_hint(k, COMITY_E_STATE, "file.end or file.abort first");
    }
    if (!err && !file_name_is_safe(name))
        err = call_fail(k, COMITY_E_INVALID, "name",
                        "a file's name is one line without slashes, at most %d bytes",
                        RECORD_FILE_NAME_MAX);
    if (!err && len > RECORD_FILE_LEN_MAX)
        err = call_fail(k, COMITY_E_TOO_LARGE, "len", "no file may be longer than 16 TiB");
    if (!err) {
        t->stream = files_begin(k->c->files, len);
        t->len = len;
        t->name = strndup((const char *)name.data, name.len);
        t->mime = mime.len ? strndup((const char *)mime.data, mime.len) : NULL;
        if (!t->stream || !t->name || (mime.len && !t->mime)) {
            transfer_drop(k->c, t);
            err = COMITY_E_NOMEM;
        }
    }
    if (err) {
        json_decref(v.json);
        return err;
    }
    files_set_owner(t->stream, k->conn);
    value_set(&v, "chunk_max", json_integer(CONTROL_CHUNK_MAX));
    return value_finish(&v, &k->result);
}

static int ask(struct call *k, enum files_work what)
{
    struct transfer *t = &k->conn->up;
    if (!t->stream) {
        call_fail(k, COMITY_E_STATE, NULL, "no file was begun on this connection");
        return call_hint(k, COMITY_E_STATE, "file.begin first");
    }
    int err = files_ask(k->c->files, t->stream, what, k->rq->id, k->rq->chunk);
    if (err)
        return err;
    t->pending++;
    return CALL_TAKEN;
}

int method_file_chunk(struct call *k)
{
    int err = call_args(k, NULL, 0);
    if (!err && !k->rq->chunk.len)
        err = call_fail(k, COMITY_E_USAGE, "chunk", "the chunk is missing");
    return err ? err : ask(k, FILES_CHUNK);
}

int method_file_end(struct call *k)
{
    int err = call_args(k, NULL, 0);
    return err ? err : ask(k, FILES_END);
}

int method_file_abort(struct call *k)
{
    int err = call_args(k, NULL, 0);
    if (err)
        return err;
    transfer_drop(k->c, &k->conn->up);
    k->result = json_object();
    return k->result ? COMITY_OK : COMITY_E_NOMEM;
}

static void settle_in(struct control *c, struct conn *conn, const struct files_done *d)
{
    struct transfer *t = &conn->up;
    struct value v = value_object();
    t->pending--;
    if (d->err == COMITY_E_INVALID) {
        conn_reply_error(conn, d->id, d->err, "the file is not as long as file.begin said",
                         "send exactly len bytes; begin again");
    } else if (d->err) {
        conn_reply_error(conn, d->id, d->err, NULL, NULL);
    } else if (d->what == FILES_CHUNK) {
        value_set(&v, "got", value_u64(d->at));
        conn_reply_json(conn, d->id, v.json, BYTES_NONE, false);
        return;
    } else {
        conn_reply_json(conn, d->id, file_json(t, d), BYTES_NONE, false);
    }
    json_decref(v.json);
    if (d->what == FILES_END)
        transfer_drop(c, t);
}

/* ---- out ---- */

/* The file of the evidence that ${name} names: by its name, or its number. */
static int find_file(struct call *k, const struct content_of *content, struct bytes name,
                     const struct record_file **ret)
{
    uint64_t number = 0;
    const struct record_evidence *e = &content->record.u.evidence;
    bool is_number = text_get_u64(name, &number) == COMITY_OK;
    if (content->record.kind != RECORD_EVIDENCE)
        return call_fail(k, COMITY_E_NOT_FOUND, "ref",
                         "this record is no evidence: it has no files");
    for (size_t i = 0; i < e->file_count; i++)
        if (bytes_equal(e->files[i].name, name) || (is_number && number == i)) {
            *ret = &e->files[i];
            return COMITY_OK;
        }
    return call_fail(k, COMITY_E_NOT_FOUND, "file", "the evidence has no file '%.*s'",
                     call_clip(name), (const char *)name.data);
}

static json_t *about_json(const struct record_file *f)
{
    struct value v = value_object();
    value_set(&v, "name", value_text(f->name));
    value_set_text(&v, "mime", f->mime);
    value_set(&v, "len", value_u64(f->len));
    value_set(&v, "sha256", value_hex(f->sha256));
    value_set(&v, "sm3", value_hex(f->sm3));
    return v.json;
}

static int begin_out(struct call *k, const struct record_file *f)
{
    struct transfer *t = &k->conn->down;
    struct hash sha256;
    memcpy(sha256.b, f->sha256.data, HASH_LEN);
    if (!files_has(k->n, &sha256, f->len)) {
        call_fail(k, COMITY_E_AGAIN, "file", "the file has not been fetched yet");
        return call_hint(k, COMITY_E_AGAIN, "comity track shows how far it is");
    }
    *t = (struct transfer){.stream = files_open(k->c->files, &sha256, f->len),
                           .id = k->rq->id,
                           .len = f->len,
                           .about = about_json(f)};
    if (!t->stream || !t->about) {
        transfer_drop(k->c, t);
        return COMITY_E_NOMEM;
    }
    files_set_owner(t->stream, k->conn);
    transfer_pump(k->conn);
    return CALL_TAKEN;
}

int method_evidence_get(struct call *k)
{
    struct bytes ref = BYTES_NONE;
    struct bytes name = BYTES_NONE;
    struct record_row row;
    struct content_of content;
    const struct record_file *file = NULL;
    if (k->conn->down.stream)
        return call_fail(k, COMITY_E_STATE, NULL, "another file is on its way on this connection");
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref}, {"file", ARG_TEXT, true, &name});
    if (!err)
        err = record_find(k, "ref", ref, &row);
    if (!err)
        err = record_load(k, &row, &content);
    if (!err)
        err = find_file(k, &content, name, &file);
    return err ? err : begin_out(k, file);
}

void transfer_pump(struct conn *conn)
{
    struct transfer *t = &conn->down;
    size_t waiting = conn->out.len - conn->out_at;
    if (!t->stream || t->pending || conn->is_gone || waiting >= CONTROL_OUT_MAX)
        return;
    if (files_ask(conn->control->files, t->stream, FILES_READ, t->id, BYTES_NONE))
        conn->is_gone = true; /* no memory: better a broken answer than one that never ends */
    else
        t->pending++;
}

static void settle_out(struct control *c, struct conn *conn, struct files_done *d)
{
    struct transfer *t = &conn->down;
    t->pending--;
    if (d->err) {
        conn_reply_error(conn, d->id, d->err, "the stored file cannot be read", NULL);
    } else {
        json_t *json = t->about ? t->about : json_object();
        t->about = NULL;
        t->sent = d->at;
        conn_reply_json(conn, d->id, json, buf_bytes(&d->chunk), t->sent < t->len);
    }
    if (d->err || t->sent == t->len)
        transfer_drop(c, t);
}

void transfers_take(struct control *c)
{
    struct files_done d;
    while (files_take(c->files, &d)) {
        struct conn *conn = d.owner;
        if (transfer_of(conn, d.stream) == &conn->up)
            settle_in(c, conn, &d);
        else
            settle_out(c, conn, &d);
        buf_free(&d.chunk);
        wipe(&d, sizeof d);
    }
}
