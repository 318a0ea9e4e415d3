/*
 * Records as JSON. See record_json.h. One walk over the tables of record_json_shape.h writes, one
 * reads.
 */
#include "json/record_json.h"

#include "base/text.h"
#include "domain/check.h"
#include "domain/ref.h"
#include "json/record_json_shape.h"

#include <comity/err.h>
#include <string.h>

#define AT(type, base, offset) ((type *)(void *)((char *)(base) + (offset)))
#define AT_CONST(type, base, offset) ((const type *)(const void *)((const char *)(base) + (offset)))

/* ---- to JSON: NULL stands for running out of memory or for what JSON cannot say ---- */

static json_t *write_object(const struct json_shape *shape, const void *self, unsigned flags);

static json_t *write_text(struct bytes b)
{
    return json_stringn(b.len ? (const char *)b.data : "", b.len);
}

static json_t *write_bytes(struct bytes b, void (*put)(struct buf *out, struct bytes b))
{
    struct buf text = BUF_INIT;
    put(&text, b);
    json_t *json = buf_check(&text) ? NULL : write_text(buf_bytes(&text));
    buf_wipe(&text); /* may be a secret */
    return json;
}

static json_t *write_u64(uint64_t v)
{
    return v <= INT64_MAX ? json_integer((json_int_t)v) : NULL;
}

/* The token, or the number itself when a later version knows its word. */
static json_t *write_term(enum record_vocabulary terms, uint32_t number)
{
    const struct record_term *term = record_term(terms, number);
    return term ? json_string(term->token) : json_integer(number);
}

static json_t *write_list(const struct json_field *f, const void *self, unsigned flags)
{
    size_t count = *AT_CONST(size_t, self, f->with);
    const char *list = *AT_CONST(char *, self, f->at);
    json_t *json = json_array();
    for (size_t i = 0; json && i < count; i++) {
        json_t *element = f->type == J_TEXTS
                              ? write_text(((const struct bytes *)(const void *)list)[i])
                              : write_object(f->of, list + i * f->of->size, flags);
        if (json_array_append_new(json, element)) {
            json_decref(json);
            json = NULL;
        }
    }
    return json;
}

static json_t *write_value(const struct json_field *f, const void *self, unsigned flags)
{
    switch (f->type) {
    case J_TEXT:
        return write_text(*AT_CONST(struct bytes, self, f->at));
    case J_HASH:
    case J_SECRET:
        return write_bytes(*AT_CONST(struct bytes, self, f->at), text_put_hex);
    case J_LEAF:
        return write_bytes(*AT_CONST(struct bytes, self, f->at), text_put_base64);
    case J_U32:
        return json_integer(*AT_CONST(uint32_t, self, f->at));
    case J_U64:
        return write_u64(*AT_CONST(uint64_t, self, f->at));
    case J_I64:
        return json_integer(*AT_CONST(int64_t, self, f->at));
    case J_BOOL:
        return json_boolean(*AT_CONST(bool, self, f->at));
    case J_TERM:
        return write_term(f->terms, *AT_CONST(uint32_t, self, f->at));
    case J_OBJECT:
        return write_object(f->of, AT_CONST(char, self, f->at), flags);
    case J_LIST:
    case J_TEXTS:
        return write_list(f, self, flags);
    }
    return NULL;
}

/* Does the field stand in JSON at all? */
static bool is_shown(const struct json_field *f, const void *self, unsigned flags)
{
    if (f->type == J_SECRET)
        return (flags & RECORD_JSON_SECRETS) && AT_CONST(struct bytes, self, f->at)->len;
    if (f->required)
        return true;
    switch (f->type) {
    case J_TEXT:
        return AT_CONST(struct bytes, self, f->at)->len > 0;
    case J_U32:
    case J_TERM:
        return *AT_CONST(uint32_t, self, f->at) != 0;
    case J_BOOL:
        return *AT_CONST(bool, self, f->at);
    case J_LIST:
    case J_TEXTS:
        return *AT_CONST(size_t, self, f->with) > 0;
    default:
        return *AT_CONST(bool, self, f->with);
    }
}

/* "ref", for people: nothing when the origin is none. */
static int write_short_ref(json_t *json, const struct record_ref *r)
{
    struct ref ref = {0};
    struct buf text = BUF_INIT;
    if (ref_of(r, &ref))
        return COMITY_OK;
    ref_put(&text, &ref);
    int failed = json_object_set_new(json, "ref", write_text(buf_bytes(&text)));
    buf_free(&text);
    return failed ? COMITY_E_NOMEM : COMITY_OK;
}

static json_t *write_object(const struct json_shape *shape, const void *self, unsigned flags)
{
    json_t *json = json_object();
    bool failed = !json || (shape->is_ref && write_short_ref(json, self));
    for (size_t i = 0; i < shape->count && !failed; i++) {
        const struct json_field *f = &shape->fields[i];
        if (is_shown(f, self, flags))
            failed = json_object_set_new(json, f->name, write_value(f, self, flags)) != 0;
    }
    if (!failed)
        return json;
    json_decref(json);
    return NULL;
}

int record_to_json(const struct record *r, unsigned flags, json_t **ret)
{
    const struct json_shape *shape = record_json_shape(r->kind);
    json_t *json = shape ? write_object(shape, r, flags) : NULL;
    if (!json)
        return COMITY_E_INVALID;
    *ret = json;
    return COMITY_OK;
}

/* ---- from JSON ---- */

struct reader {
    struct arena *arena;
    struct check check; /* where we are */
};

static int read_object(struct reader *r, const struct json_shape *shape, const json_t *json,
                       void *self);

static int refuse(struct reader *r, const char *words)
{
    return check_refuse(&r->check, COMITY_E_INVALID, "", words);
}

static int no_memory(struct reader *r)
{
    return check_refuse(&r->check, COMITY_E_NOMEM, "", "needs more memory than there is");
}

static int read_text(struct reader *r, const json_t *json, struct bytes *ret)
{
    if (!json_is_string(json))
        return refuse(r, "is not a string");
    if (json_string_length(json) == 0)
        return refuse(r, "is empty; leave it out");
    *ret = arena_copy(r->arena, BYTES(json_string_value(json), json_string_length(json)));
    return ret->data ? COMITY_OK : no_memory(r);
}

static int read_hash(struct reader *r, const json_t *json, bool is_hex, struct bytes *ret)
{
    uint8_t *hash = arena_alloc(r->arena, RECORD_HASH_LEN);
    if (!hash)
        return no_memory(r);
    struct bytes text = json_is_string(json)
                            ? BYTES(json_string_value(json), json_string_length(json))
                            : BYTES_NONE;
    if (is_hex ? text_get_hex(text, hash, RECORD_HASH_LEN)
               : text_get_base64_exact(text, hash, RECORD_HASH_LEN))
        return refuse(r, is_hex ? "is not 32 bytes in hex" : "is not 32 bytes in base64");
    *ret = BYTES(hash, RECORD_HASH_LEN);
    return COMITY_OK;
}

static int read_integer(struct reader *r, const json_t *json, int64_t min, int64_t max,
                        int64_t *ret)
{
    if (!json_is_integer(json))
        return refuse(r, "is not an integer");
    if (json_integer_value(json) < min || json_integer_value(json) > max)
        return refuse(r, "is out of range");
    *ret = json_integer_value(json);
    return COMITY_OK;
}

static int read_term(struct reader *r, const json_t *json, enum record_vocabulary terms,
                     uint32_t *ret)
{
    const struct record_term *term = NULL;
    if (json_is_string(json))
        term = record_term_named(terms, BYTES(json_string_value(json), json_string_length(json)));
    if (!term)
        return refuse(r, "is not one of the words that can stand here");
    *ret = term->number;
    return COMITY_OK;
}

static int read_list(struct reader *r, const struct json_field *f, const json_t *json, void *self)
{
    if (!json_is_array(json))
        return refuse(r, "is not an array");
    size_t count = json_array_size(json);
    if (count > f->max)
        return check_refuse_too_many(&r->check, "", f->max);
    size_t size = f->type == J_TEXTS ? sizeof(struct bytes) : f->of->size;
    char *list = arena_alloc(r->arena, count * size);
    if (!list)
        return no_memory(r);
    /* The path ends with the name of this list; its elements stand in its place. */
    size_t end = r->check.path_len;
    int err = COMITY_OK;
    for (size_t i = 0; i < count && !err; i++) {
        const json_t *element = json_array_get(json, i);
        check_enter_element(&r->check, (int)i);
        err = f->type == J_TEXTS ? read_text(r, element, (struct bytes *)(void *)(list + i * size))
                                 : read_object(r, f->of, element, list + i * size);
        if (!err)
            check_leave(&r->check, end);
    }
    *AT(size_t, self, f->with) = count;
    *AT(const void *, self, f->at) = list;
    return err;
}

static int read_number(struct reader *r, const struct json_field *f, const json_t *json, void *self)
{
    bool is_wide = f->type == J_U64 || f->type == J_I64;
    int64_t v = 0;
    int err = read_integer(r, json, f->type == J_I64 ? INT64_MIN : 0,
                           is_wide ? INT64_MAX : UINT32_MAX, &v);
    if (err)
        return err;
    if (f->type == J_U32)
        *AT(uint32_t, self, f->at) = (uint32_t)v;
    else
        *AT(int64_t, self, f->at) = v;
    if (f->with != JSON_FIELD_ALONE)
        *AT(bool, self, f->with) = true;
    return COMITY_OK;
}

static int read_value(struct reader *r, const struct json_field *f, const json_t *json, void *self)
{
    switch (f->type) {
    case J_TEXT:
        return read_text(r, json, AT(struct bytes, self, f->at));
    case J_HASH:
    case J_SECRET:
    case J_LEAF:
        return read_hash(r, json, f->type != J_LEAF, AT(struct bytes, self, f->at));
    case J_U32:
    case J_U64:
    case J_I64:
        return read_number(r, f, json, self);
    case J_BOOL:
        if (!json_is_boolean(json))
            return refuse(r, "is not true or false");
        *AT(bool, self, f->at) = json_is_true(json);
        return COMITY_OK;
    case J_TERM:
        return read_term(r, json, f->terms, AT(uint32_t, self, f->at));
    case J_OBJECT:
        if (f->with != JSON_FIELD_ALONE)
            *AT(bool, self, f->with) = true;
        return read_object(r, f->of, json, AT(char, self, f->at));
    case J_LIST:
    case J_TEXTS:
        return read_list(r, f, json, self);
    }
    return COMITY_E_INTERNAL;
}

/* Go to the unknown member ${name}, whose characters are a stranger's. */
static int refuse_member(struct reader *r, const char *name)
{
    char shown[32] = "";
    for (size_t i = 0; name[i] && i < sizeof shown - 1; i++) {
        bool plain = (name[i] >= 'a' && name[i] <= 'z') || (name[i] >= 'A' && name[i] <= 'Z') ||
                     (name[i] >= '0' && name[i] <= '9') || name[i] == '_' || name[i] == '-';
        shown[i] = plain ? name[i] : '?';
    }
    return check_refuse(&r->check, COMITY_E_INVALID, *shown ? shown : "?", "is not known here");
}

static bool is_member(const struct json_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return true;
    return shape->is_ref && strcmp(name, "ref") == 0;
}

/* When "ref" is given, it must say the same as the rest. */
static int check_short_ref(struct reader *r, const json_t *given, const struct record_ref *place)
{
    struct ref ref = {0};
    struct buf text = BUF_INIT;
    if (!given)
        return COMITY_OK;
    bool same = json_is_string(given) && ref_of(place, &ref) == COMITY_OK;
    if (same) {
        ref_put(&text, &ref);
        same = bytes_equal(buf_bytes(&text),
                           BYTES(json_string_value(given), json_string_length(given)));
    }
    buf_free(&text);
    return same ? COMITY_OK
                : check_refuse(&r->check, COMITY_E_INVALID, "ref",
                               "is not that of origin and index");
}

static int read_field(struct reader *r, const struct json_field *f, const json_t *object,
                      void *self)
{
    const json_t *value = json_object_get(object, f->name);
    if (!value && f->required)
        return check_refuse(&r->check, COMITY_E_FIELD_MISSING, f->name, "is missing");
    if (!value)
        return COMITY_OK;
    size_t back = check_enter(&r->check, f->name, CHECK_NO_INDEX);
    int err = read_value(r, f, value, self);
    if (!err)
        check_leave(&r->check, back);
    return err;
}

/* ${self} is all zeros. */
static int read_object(struct reader *r, const struct json_shape *shape, const json_t *json,
                       void *self)
{
    if (!json_is_object(json))
        return refuse(r, "is not an object");
    /* jansson's iterator takes a pointer to non-const, but only reads. */
    json_t *object = (json_t *)(uintptr_t)json;
    for (void *i = json_object_iter(object); i; i = json_object_iter_next(object, i))
        if (!is_member(shape, json_object_iter_key(i)))
            return refuse_member(r, json_object_iter_key(i));
    int err = COMITY_OK;
    for (size_t i = 0; i < shape->count && !err; i++)
        err = read_field(r, &shape->fields[i], json, self);
    if (!err && shape->is_ref)
        err = check_short_ref(r, json_object_get(json, "ref"), self);
    return err;
}

static int read_record(struct reader *r, const json_t *json, struct record *ret)
{
    uint32_t kind = 0;
    const json_t *word = json_object_get(json, "kind");
    if (!json_is_object(json))
        return refuse(r, "the record is not an object");
    if (!word)
        return check_refuse(&r->check, COMITY_E_FIELD_MISSING, "kind", "is missing");
    size_t back = check_enter(&r->check, "kind", CHECK_NO_INDEX);
    int err = read_term(r, word, TERMS_RECORD_KIND, &kind);
    if (err)
        return err;
    check_leave(&r->check, back);
    return read_object(r, record_json_shape(kind), json, ret);
}

int record_from_json(struct arena *a, const json_t *json, struct record *ret,
                     struct record_fault *ret_fault)
{
    struct reader r = {.arena = a};
    struct record record = {0};
    int err = read_record(&r, json, &record);
    if (!err)
        *ret = record;
    else if (ret_fault)
        *ret_fault = r.check.fault;
    return err;
}
