/*
 * The ledger itself: entries as they stand there.
 */
#include "methods.h"

#include "archive.h"

#include "json/ledger_json.h"

#include <string.h>

/* The title of the record that entry ${index} of the own ledger holds, where it is one. */
static void set_title(struct call *k, json_t *item, struct bytes origin, const struct entry *e)
{
    struct record_row row;
    if (e->kind == ENTRY_RECORD &&
        record_row_find(k->n, k->a, origin, e->index, &row) == COMITY_OK && row.title.len)
        json_object_set_new(item, "title", value_text(row.title));
}

/* ---- ledger.log ---- */

struct log {
    struct call *k;
    struct node *home; /* whose ledger */
    struct value items;
};

static int log_one(void *self, uint64_t index, struct bytes bytes)
{
    struct log *l = self;
    struct call *k = l->k;
    struct bytes origin = bytes_of(ledger_origin(l->home->ledger));
    struct entry e;
    struct hash leaf;
    json_t *item = NULL;
    (void)index;
    int err = entry_decode(k->a, bytes, &e);
    hash_leaf(ledger_suite(l->home->ledger), bytes, &leaf);
    if (!err)
        err = entry_to_json(origin, &e, &leaf, 0, &item);
    if (err)
        return err;
    set_title(k, item, origin, &e);
    value_add(&l->items, item);
    return COMITY_OK;
}

/* `of`: a ledger before this one, as a REF names it. */
static int find_home(struct call *k, struct bytes of, struct node **ret)
{
    struct node *home = NULL;
    for (size_t i = 0; (home = archive_home_at(k->n, i)); i++) {
        struct bytes origin = bytes_of(ledger_origin(home->ledger));
        const uint8_t *slash = memchr(origin.data, '/', origin.len);
        if (slash &&
            bytes_equal(of, bytes_slice(origin, (size_t)(slash - origin.data) + 1, origin.len))) {
            *ret = home;
            return COMITY_OK;
        }
    }
    return call_fail(k, COMITY_E_NOT_FOUND, "of", "'%.*s' is no ledger of this node", call_clip(of),
                     (const char *)of.data);
}

int method_ledger_log(struct call *k)
{
    uint64_t from = UINT64_MAX;
    uint64_t count = PAGE_DEFAULT;
    struct bytes of = BYTES_NONE;
    struct log l = {.k = k, .home = k->n, .items = value_array()};
    int err = CALL_ARGS(k, {"from", ARG_U64, false, &from}, {"count", ARG_U64, false, &count},
                        {"of", ARG_TEXT, false, &of});
    if (!err && of.len)
        err = find_home(k, of, &l.home);
    uint64_t size = ledger_signed_size(l.home->ledger);
    if (!err && (count < 1 || count > PAGE_MAX))
        err = call_fail(k, COMITY_E_USAGE, "count", "'count' must be from 1 to %d", PAGE_MAX);
    if (from == UINT64_MAX)
        from = size > count ? size - count : 0;
    if (!err && from > size)
        err = call_fail(k, COMITY_E_NOT_FOUND, "from", "this ledger has %llu entries",
                        (unsigned long long)size);
    uint64_t to = err || size - from < count ? size : from + count;
    if (!err)
        err = ledger_each(l.home->ledger, from, to, log_one, &l);
    if (err) {
        json_decref(l.items.json);
        return err;
    }
    struct value v = value_object();
    char next[24];
    snprintf(next, sizeof next, "%llu", (unsigned long long)to);
    value_set(&v, "items", l.items.json);
    value_set(&v, "next", to < size ? json_string(next) : json_null());
    return value_finish(&v, &k->result);
}

/* ---- ledger.entry ---- */

/* The exact bytes of an entry: of this ledger, or as a parcel brought it. */
static int load_bytes(struct call *k, const struct place *place, struct bytes *ret)
{
    struct buf bytes = BUF_INIT;
    struct parcel_enclosure kept;
    struct opening opening;
    struct node *home = archive_home(k->n, place->origin);
    int err = COMITY_OK;
    if (!home || place->index >= ledger_size(home->ledger)) {
        err = kept_enclosure(k->n, k->a, place->origin, place->index, &kept, &opening);
        if (!err)
            *ret = kept.entry;
        return err;
    }
    err = ledger_entry(home->ledger, place->index, &bytes);
    if (!err && !(*ret = arena_copy(k->a, buf_bytes(&bytes))).data)
        err = COMITY_E_NOMEM;
    buf_free(&bytes);
    return err;
}

static int set_body(struct call *k, json_t *json, const struct place *place, const struct entry *e)
{
    struct content_of c;
    json_t *body = NULL;
    if (!e->body_hash.len)
        return COMITY_OK;
    int err = content_load(k->n, k->a, place->origin, place->index, &c);
    if (err == COMITY_E_ERASED)
        return json_object_set_new(json, "erased", json_true()) ? COMITY_E_NOMEM : COMITY_OK;
    if (err == COMITY_E_WITHHELD || err == COMITY_E_NOT_FOUND)
        return json_object_set_new(json, "withheld", json_true()) ? COMITY_E_NOMEM : COMITY_OK;
    if (!err)
        err = body_to_json(k->a, &c.body, 0, &body);
    if (!err && json_object_set_new(json, "body", body))
        err = COMITY_E_NOMEM;
    return err;
}

static int entry_result(struct call *k, const struct place *place)
{
    struct entry e;
    struct hash leaf;
    json_t *json = NULL;
    struct bytes bytes = BYTES_NONE;
    int err = load_bytes(k, place, &bytes);
    if (err == COMITY_E_NOT_FOUND)
        return place->is_own ? call_fail(k, err, "index", "this ledger has %llu entries",
                                         (unsigned long long)ledger_size(k->n->ledger))
                             : call_fail(k, err, "ref", "no parcel brought that entry here");
    if (!err)
        err = entry_decode(k->a, bytes, &e);
    if (err)
        return err;
    hash_leaf(suite_of(k->n, place->origin), bytes, &leaf);
    err = entry_to_json(place->origin, &e, &leaf, ENTRY_JSON_HASHES, &json);
    if (err)
        return err;
    set_title(k, json, place->origin, &e);
    if (json_object_set_new(json, "entry", value_base64(bytes)))
        err = COMITY_E_NOMEM;
    if (!err)
        err = set_body(k, json, place, &e);
    if (err) {
        json_decref(json);
        return err;
    }
    k->result = json;
    k->chunk = bytes;
    return COMITY_OK;
}

int method_ledger_entry(struct call *k)
{
    uint64_t index = UINT64_MAX;
    struct bytes ref = BYTES_NONE;
    struct place place = {.origin = bytes_of(ledger_origin(k->n->ledger)), .is_own = true};
    int err = CALL_ARGS(k, {"index", ARG_U64, false, &index}, {"ref", ARG_TEXT, false, &ref});
    if (!err && (index == UINT64_MAX) == (ref.len == 0))
        err = call_fail(k, COMITY_E_USAGE, "index", "give either 'index' or 'ref'");
    if (!err && ref.len)
        err = call_place(k, "ref", ref, &place);
    else
        place.index = index;
    return err ? err : entry_result(k, &place);
}

/* ---- request.find ---- */

int method_request_find(struct call *k)
{
    struct bytes id = BYTES_NONE;
    struct buf bytes = BUF_INIT;
    struct entry e = {0};
    struct hash leaf;
    uint64_t index = 0;
    int err = CALL_ARGS(k, {"request_id", ARG_TEXT, true, &id});
    if (!err)
        err = request_find(k, id, &index);
    if (err == COMITY_E_NOT_FOUND)
        return call_fail(k, err, "request_id", "nothing was done under this request id");
    if (!err)
        err = ledger_entry(k->n->ledger, index, &bytes);
    if (!err)
        err = entry_decode(k->a, buf_bytes(&bytes), &e);
    if (!err)
        err = ledger_leaf(k->n->ledger, index, &leaf);
    if (!err) {
        struct value v = value_object();
        value_set_place(&v, bytes_of(ledger_origin(k->n->ledger)), index, &leaf);
        value_set(&v, "entry", json_string(entry_kind_word(e.kind)));
        err = value_finish(&v, &k->result);
    }
    buf_free(&bytes);
    return err;
}
