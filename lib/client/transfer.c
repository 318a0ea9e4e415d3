/*
 * Files to and from the node. See comity/client.h.
 *
 * Both directions hash what passes here, so that what the node says of a file is never taken on
 * trust.
 */
#include "client/client.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "msg/control.h"
#include "json/value_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, CHUNKS_IN_FLIGHT = 6 };

/* A transfer that runs. */
struct run {
    comity_client *c;
    const struct comity_transfer *t;
    struct file_digest *digest;
    uint64_t done;
    uint64_t len;
};

static int run_begin(struct run *r, comity_client *c, const struct comity_transfer *t)
{
    *r = (struct run){.c = c, .t = t};
    if (comity_client_in_flight(c) || c->first)
        return COMITY_E_STATE;
    int err = crypto_init();
    if (err)
        return err;
    r->digest = file_digest_new();
    return r->digest ? COMITY_OK : COMITY_E_NOMEM;
}

static int run_add(struct run *r, struct bytes piece)
{
    file_digest_add(r->digest, piece);
    r->done += piece.len;
    bool stop = r->t->progress && r->t->progress(r->t->self, r->done, r->len);
    return stop ? COMITY_E_INTERRUPTED : COMITY_OK;
}

static bool json_says(const json_t *json, const char *key, const struct hash *hash)
{
    struct hash said;
    const char *text = json_string_value(json_object_get(json, key));
    return text && text_get_hex(bytes_of(text), said.b, HASH_LEN) == COMITY_OK &&
           hash_equal(&said, hash);
}

/* Whether ${json} names the digests of what went through here. */
static int run_compare(struct run *r, const char *json)
{
    struct hash sha256, sm3;
    file_digest_finish(r->digest, &sha256, &sm3);
    json_t *file = json_loads(json, 0, NULL);
    bool same = json_says(file, "sha256", &sha256) && json_says(file, "sm3", &sm3);
    json_decref(file);
    return same ? COMITY_OK : COMITY_E_ATTACHMENT;
}

/* Call ${method} with ${args}, which is taken over. */
static int call_json(comity_client *c, const char *method, json_t *args, struct comity_reply *ret)
{
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    json_decref(args);
    if (!text)
        return client_fail(c, COMITY_E_NOMEM, ret);
    const struct comity_call call = {.method = method, .json = text};
    int err = comity_client_call(c, &call, ret);
    free(text);
    return err;
}

/* ---- up ---- */

static int call_begin(struct run *r, struct comity_reply *ret)
{
    struct value v = value_object();
    value_set(&v, "name", json_string(r->t->name));
    if (r->t->mime)
        value_set(&v, "mime", json_string(r->t->mime));
    value_set(&v, "len", value_u64(r->len));
    return call_json(r->c, "file.begin", v.json, ret);
}

/* Take replies until at most ${left} chunks are unanswered; the first error of one. */
static int settle_chunks(struct run *r, size_t left, struct comity_reply *ret)
{
    while (comity_client_in_flight(r->c) > left) {
        int err = comity_client_receive(r->c, -1, ret);
        if (err || ret->err)
            return err ? err : ret->err;
    }
    return COMITY_OK;
}

static int send_chunks(struct run *r, int fd, uint8_t *piece, struct comity_reply *ret)
{
    while (r->done < r->len) {
        size_t n = r->len - r->done < CHUNK ? (size_t)(r->len - r->done) : CHUNK;
        int err = file_pread_all(fd, piece, n, (off_t)r->done);
        const struct comity_call call = {.method = "file.chunk", .chunk = {piece, n}};
        if (!err)
            err = comity_client_send(r->c, &call, NULL);
        if (!err)
            err = comity_client_flush(r->c);
        if (err || (err = run_add(r, BYTES(piece, n))))
            return client_fail(r->c, err, ret);
        if ((err = settle_chunks(r, CHUNKS_IN_FLIGHT - 1, ret)))
            return err;
    }
    return settle_chunks(r, 0, ret);
}

/* Let the node forget the file; the reply that told the reason is made anew, since it has gone. */
static int give_up(struct run *r, int err, struct comity_reply *ret)
{
    char *json = strdup(ret->json);
    while (comity_client_in_flight(r->c))
        if (comity_client_receive(r->c, -1, NULL))
            break;
    const struct comity_call call = {.method = "file.abort"};
    if (!r->c->is_broken && comity_client_call(r->c, &call, NULL))
        r->c->is_broken = true;
    buf_reset(&r->c->explained);
    buf_put_str(&r->c->explained, json ? json : "{}");
    free(json);
    const char *text = buf_str(&r->c->explained);
    *ret = (struct comity_reply){.err = err, .json = text, .json_len = strlen(text)};
    return err;
}

int comity_client_upload(comity_client *c, int fd, const struct comity_transfer *t,
                         struct comity_reply *ret)
{
    struct run r;
    struct stat st;
    struct comity_reply reply = {0};
    uint8_t *piece = malloc(CHUNK);
    int err = run_begin(&r, c, t);
    if (!err && !piece)
        err = COMITY_E_NOMEM;
    if (!err && fstat(fd, &st))
        err = file_err(errno);
    if (!err && !S_ISREG(st.st_mode))
        err = COMITY_E_INVALID;
    if (err) {
        client_fail(c, err, &reply);
        goto out;
    }
    r.len = (uint64_t)st.st_size;
    if ((err = call_begin(&r, &reply)))
        goto out;
    if ((err = send_chunks(&r, fd, piece, &reply))) {
        give_up(&r, err, &reply);
        goto out;
    }
    const struct comity_call end = {.method = "file.end"};
    if (!(err = comity_client_call(c, &end, &reply)) && (err = run_compare(&r, reply.json)))
        client_fail(c, err, &reply);
out:
    file_digest_free(r.digest);
    free(piece);
    if (ret)
        *ret = reply;
    return err;
}

/* ---- down ---- */

static int write_all(int fd, struct comity_bytes piece)
{
    const uint8_t *at = piece.data;
    for (size_t left = piece.len; left;) {
        ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return file_err(n ? errno : EIO);
        at += n;
        left -= (size_t)n;
    }
    return COMITY_OK;
}

static int take_piece(struct run *r, int fd, const struct comity_reply *reply)
{
    int err = write_all(fd, reply->chunk);
    return err ? err : run_add(r, BYTES(reply->chunk.data, reply->chunk.len));
}

/* The rest of an answer that nobody wants. */
static void drain(comity_client *c)
{
    while (comity_client_in_flight(c))
        if (comity_client_receive(c, -1, NULL))
            break;
}

static uint64_t len_in(const char *json)
{
    json_t *file = json_loads(json, 0, NULL);
    json_int_t len = json_integer_value(json_object_get(file, "len"));
    json_decref(file);
    return len > 0 ? (uint64_t)len : 0;
}

/* The replies of evidence.get, from the first one on, whose JSON goes to ${about}. */
static int take_pieces(struct run *r, int fd, struct comity_reply *reply, struct buf *about)
{
    r->len = len_in(reply->json);
    buf_put(about, reply->json, reply->json_len);
    int err = buf_check(about);
    while (!err && !(err = take_piece(r, fd, reply)) && reply->more) {
        err = comity_client_receive(r->c, -1, reply);
        if (!err && reply->err)
            return reply->err;
    }
    if (!err)
        err = run_compare(r, buf_str(about));
    if (err) {
        drain(r->c);
        return client_fail(r->c, err, reply);
    }
    return COMITY_OK;
}

int comity_client_download(comity_client *c, int fd, const struct comity_transfer *t,
                           struct comity_reply *ret)
{
    struct run r;
    struct comity_reply reply = {0};
    struct buf about = BUF_INIT;
    struct value v = value_object();
    int err = run_begin(&r, c, t);
    value_set(&v, "ref", json_string(t->ref));
    value_set(&v, "file", json_string(t->file));
    if (err) {
        client_fail(c, err, &reply);
        json_decref(v.json);
    } else if (!(err = call_json(c, "evidence.get", v.json, &reply)) &&
               !(err = take_pieces(&r, fd, &reply, &about))) {
        buf_reset(&c->explained);
        buf_put_bytes(&c->explained, buf_bytes(&about));
        const char *text = buf_str(&c->explained);
        reply = (struct comity_reply){.json = text, .json_len = strlen(text)};
    }
    file_digest_free(r.digest);
    buf_free(&about);
    if (ret)
        *ret = reply;
    return err;
}
