/*
 * record.share: a record, own or received, for further members. The parcel brings along whatever
 * proves it: the entry with checkpoint, proof and the broker's statement, the signatures under it,
 * and the KEY entries of who signed.
 */
#include "methods.h"

#include "signatures.h"
#include "turn.h"

#include <stdlib.h>
#include <string.h>

struct sharing {
    struct bytes request_id;
    struct record_row row;
    struct content_of content;
    struct signatures signatures;
    const struct bytes *to;
    size_t to_count;
    uint64_t
        entry[2 * SIGNATURES_MAX + 1]; /* of the record's ledger, ascending: what is enclosed */
    size_t count;
    const struct bytes *blobs;
    size_t blob_count;
};

static int check_ready(struct call *k, const struct sharing *s)
{
    if (s->row.kind != RECORD_EVIDENCE || s->signatures.collectors >= 2)
        return COMITY_OK;
    call_fail(k, COMITY_E_COLLECTORS, "ref",
              "evidence is sent with the signatures of two collectors; %zu so far",
              s->signatures.collectors);
    return call_hint(k, COMITY_E_COLLECTORS, "comity evidence sign %llu",
                     (unsigned long long)s->row.index);
}

static void add_entry(struct sharing *s, uint64_t index)
{
    size_t at = 0;
    while (at < s->count && s->entry[at] < index)
        at++;
    if (at < s->count && s->entry[at] == index)
        return;
    memmove(&s->entry[at + 1], &s->entry[at], (s->count - at) * sizeof s->entry[0]);
    s->entry[at] = index;
    s->count++;
}

static void choose_entries(struct sharing *s)
{
    add_entry(s, s->row.index);
    for (size_t i = 0; i < s->signatures.count; i++) {
        const struct signed_by *by = &s->signatures.at[i];
        if (by->err)
            continue; /* nobody could check it */
        add_entry(s, by->entry);
        add_entry(s, by->key);
    }
}

/* Its files travel along: they must lie here to be sealed. */
static int choose_blobs(struct call *k, struct sharing *s)
{
    const struct record_evidence *e = &s->content.record.u.evidence;
    size_t n = s->row.kind == RECORD_EVIDENCE ? e->file_count : 0;
    struct bytes *blobs = arena_alloc(k->c->arena, n * sizeof *blobs);
    if (!blobs)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++) {
        struct hash sha256;
        uint8_t *blob = arena_alloc(k->c->arena, PARCEL_BLOB_LEN);
        if (!blob)
            return COMITY_E_NOMEM;
        memcpy(sha256.b, e->files[i].sha256.data, HASH_LEN);
        if (!files_has(k->n, &sha256, e->files[i].len)) {
            call_fail(k, COMITY_E_AGAIN, "ref", "the file '%.*s' has not been fetched yet",
                      call_clip(e->files[i].name), (const char *)e->files[i].name.data);
            return call_hint(k, COMITY_E_AGAIN, "comity track shows how far it is");
        }
        memcpy(blob, e->files[i].blob.data, HASH_LEN);
        put_u64be(blob + HASH_LEN, e->files[i].len);
        size_t at = s->blob_count;
        while (at > 0 && bytes_compare(BYTES(blob, PARCEL_BLOB_LEN), blobs[at - 1]) < 0)
            at--;
        if (at > 0 && bytes_equal(blobs[at - 1], BYTES(blob, PARCEL_BLOB_LEN)))
            continue;
        memmove(&blobs[at + 1], &blobs[at], (s->blob_count - at) * sizeof *blobs);
        blobs[at] = BYTES(blob, PARCEL_BLOB_LEN);
        s->blob_count++;
    }
    s->blobs = blobs;
    return COMITY_OK;
}

/* ---- enclosures ---- */

static struct bytes keep_optional(struct call *k, struct bytes b)
{
    return b.data ? call_keep(k, b) : BYTES_NONE;
}

/* A copy for the turn of what was found with the memory of the request. */
static int keep_enclosure(struct call *k, const struct parcel_enclosure *e, const struct opening *o,
                          struct parcel_enclosure *ret, struct opening *ret_opening)
{
    struct bytes *proof = arena_alloc(k->c->arena, e->proof_count * sizeof *proof);
    if (!proof)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < e->proof_count; i++)
        proof[i] = call_keep(k, e->proof[i]);
    *ret = (struct parcel_enclosure){.entry = keep_optional(k, e->entry),
                                     .checkpoint = keep_optional(k, e->checkpoint),
                                     .proof = proof,
                                     .proof_count = e->proof_count,
                                     .routed = keep_optional(k, e->routed)};
    *ret_opening =
        (struct opening){.salt = keep_optional(k, o->salt), .body = keep_optional(k, o->body)};
    bool lost = (e->routed.data && !ret->routed.data) || !ret->entry.data ||
                !ret->checkpoint.data || (o->body.data && !ret_opening->body.data);
    return lost ? COMITY_E_NOMEM : COMITY_OK;
}

static int enclose_foreign(struct call *k, const struct sharing *s, struct draft *d)
{
    struct parcel_enclosure *e = arena_alloc(k->c->arena, s->count * sizeof *e);
    struct opening *o = arena_alloc(k->c->arena, s->count * sizeof *o);
    int err = e && o ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < s->count; i++) {
        struct parcel_enclosure found;
        struct opening opening;
        err = kept_enclosure(k->n, k->a, s->row.origin, s->entry[i], &found, &opening);
        if (!err)
            err = keep_enclosure(k, &found, &opening, &e[i], &o[i]);
    }
    d->enclosed_foreign = e;
    d->enclosed_opening = o;
    d->enclosed_foreign_count = s->count;
    return err;
}

static int enclose_own(struct call *k, const struct sharing *s, struct draft *d)
{
    uint64_t *own = arena_alloc_raw(k->c->arena, s->count * sizeof *own);
    if (!own)
        return COMITY_E_NOMEM;
    memcpy(own, s->entry, s->count * sizeof *own);
    d->enclosed_own = own;
    d->enclosed_own_count = s->count;
    return COMITY_OK;
}

/* ---- answers ---- */

static void show_shared(struct pending *p, const struct draft *d, struct buf *json)
{
    struct value v = value_object();
    struct hash leaf;
    (void)p;
    memcpy(leaf.b, d->source.leaf.data, HASH_LEN);
    value_set_place(&v, d->source.origin, d->source.index, &leaf);
    char *place = v.json ? json_dumps(v.json, JSON_COMPACT) : NULL;
    buf_printf(json, ",\"record\":%s,\"to\":[", place ? place : "null");
    for (size_t i = 0; i < d->to_count; i++)
        buf_printf(json, "%s\"%.*s\"", i ? "," : "", (int)d->to[i].len,
                   (const char *)d->to[i].data);
    buf_put_str(json, "],\"again\":false");
    free(place);
    json_decref(v.json);
}

static json_t *again_json(const struct sharing *s, const struct entry *e, struct bytes origin,
                          const struct hash *leaf)
{
    struct value v = value_object();
    struct value place = value_object();
    struct value to = value_array();
    value_set_place(&v, origin, e->index, leaf);
    value_set_place(&place, s->row.origin, s->row.index, &s->row.leaf);
    value_set(&v, "record", place.json);
    for (size_t i = 0; i < e->to_count; i++)
        value_add(&to, value_text(e->to[i].member));
    value_set(&v, "to", to.json);
    value_set(&v, "again", json_true());
    return v.json;
}

static int answer_again(struct call *k, const struct sharing *s, uint64_t index)
{
    struct buf bytes = BUF_INIT;
    struct entry e = {0};
    struct hash leaf;
    int err = ledger_entry(k->n->ledger, index, &bytes);
    if (!err)
        err = entry_decode(k->a, buf_bytes(&bytes), &e);
    if (!err)
        err = ledger_leaf(k->n->ledger, index, &leaf);
    bool same = !err && e.kind == ENTRY_SHARE && e.to_count == s->to_count &&
                e.source.index == s->row.index && bytes_equal(e.source.origin, s->row.origin);
    for (size_t i = 0; same && i < s->to_count; i++)
        same = bytes_equal(e.to[i].member, s->to[i]);
    if (!err && !same)
        err = call_fail(k, COMITY_E_REQUEST_CONFLICT, "request_id",
                        "entry %llu was made under this request id, for something else",
                        (unsigned long long)index);
    if (!err)
        k->result = again_json(s, &e, bytes_of(ledger_origin(k->n->ledger)), &leaf);
    buf_free(&bytes);
    return err ? err : k->result ? COMITY_OK : COMITY_E_NOMEM;
}

/* ---- sharing ---- */

static int append(struct call *k, struct sharing *s)
{
    struct buf bytes = BUF_INIT;
    struct draft d = {.kind = ENTRY_SHARE,
                      .has_source = true,
                      .source = {.origin = call_keep(k, s->row.origin),
                                 .has_index = true,
                                 .index = s->row.index,
                                 .leaf = call_keep(k, hash_bytes(&s->row.leaf))},
                      .to = s->to,
                      .to_count = s->to_count,
                      .blobs = s->blobs,
                      .blob_count = s->blob_count};
    int err = d.source.origin.data && d.source.leaf.data ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && s->request_id.len) {
        err = body_encode(&(struct body){.request_id = s->request_id}, &bytes);
        if (!err && !(d.body = call_keep(k, buf_bytes(&bytes))).data)
            err = COMITY_E_NOMEM;
    }
    buf_free(&bytes);
    if (!err)
        err = s->row.origin_id == 0 ? enclose_own(k, s, &d) : enclose_foreign(k, s, &d);
    if (err)
        return err;
    err = call_append(k, &d, &(struct pending){.show = show_shared});
    if (err == COMITY_E_TOO_LARGE)
        call_fail(k, err, "ref",
                  "the record with its proofs and signatures is too large to be shared");
    return err;
}

/* Answered from what was done under the request id before: 0; CALL_TAKEN: go on. */
static int find_again(struct call *k, const struct sharing *s)
{
    uint64_t index = 0;
    if (!s->request_id.len)
        return CALL_TAKEN;
    if (s->request_id.len > BODY_REQUEST_ID_MAX)
        return call_fail(k, COMITY_E_USAGE, "request_id", "a request id has at most %d bytes",
                         BODY_REQUEST_ID_MAX);
    int err = request_find(k, s->request_id, &index);
    if (err == COMITY_E_NOT_FOUND)
        return CALL_TAKEN;
    return err ? err : answer_again(k, s, index);
}

int method_record_share(struct call *k)
{
    struct bytes ref = BYTES_NONE;
    struct texts to = {0};
    struct sharing *s = arena_alloc(k->a, sizeof *s);
    if (!s)
        return COMITY_E_NOMEM;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref}, {"to", ARG_TEXTS, true, &to},
                        {"request_id", ARG_TEXT, false, &s->request_id});
    if (!err && to.count == 0)
        err = call_fail(k, COMITY_E_USAGE, "to", "'to' names nobody");
    if (!err)
        err = call_recipients(k, &to, &s->to, &s->to_count);
    if (!err)
        err = record_find(k, "ref", ref, &s->row);
    if (!err && (err = find_again(k, s)) == CALL_TAKEN)
        err = COMITY_OK;
    else
        return err;
    err = record_load(k, &s->row, &s->content);
    if (!err)
        err = signatures_load(k->n, k->a, &s->row, &s->content, &s->signatures);
    if (!err)
        err = check_ready(k, s);
    if (!err)
        err = choose_blobs(k, s);
    if (!err && s->request_id.len)
        err = call_claim(k, s->request_id);
    if (err)
        return err;
    choose_entries(s);
    return append(k, s);
}
