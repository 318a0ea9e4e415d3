/*
 * Small values as JSON. See value_json.h.
 */
#include "json/value_json.h"

#include "base/text.h"
#include "domain/record.h"
#include "domain/ref.h"

#include <comity/err.h>

json_t *value_text(struct bytes text)
{
    return json_stringn(text.len ? (const char *)text.data : "", text.len);
}

/* Takes ${text} over. */
static json_t *text_of(struct buf *text)
{
    json_t *json = buf_check(text) ? NULL : value_text(buf_bytes(text));
    buf_wipe(text); /* may be a secret */
    return json;
}

json_t *value_hex(struct bytes b)
{
    struct buf text = BUF_INIT;
    text_put_hex(&text, b);
    return text_of(&text);
}

json_t *value_base64(struct bytes b)
{
    struct buf text = BUF_INIT;
    text_put_base64(&text, b);
    return text_of(&text);
}

json_t *value_u64(uint64_t v)
{
    return v <= INT64_MAX ? json_integer((json_int_t)v) : NULL;
}

json_t *value_time(int64_t time_ms)
{
    struct buf text = BUF_INIT;
    text_put_time(&text, time_ms);
    return text_of(&text);
}

struct value value_object(void)
{
    return (struct value){.json = json_object()};
}

struct value value_array(void)
{
    return (struct value){.json = json_array()};
}

static void fail(struct value *v)
{
    json_decref(v->json);
    v->json = NULL;
}

void value_set(struct value *v, const char *key, json_t *item)
{
    if (!v->json)
        json_decref(item);
    else if (json_object_set_new(v->json, key, item))
        fail(v);
}

void value_add(struct value *v, json_t *item)
{
    if (!v->json)
        json_decref(item);
    else if (json_array_append_new(v->json, item))
        fail(v);
}

void value_set_text(struct value *v, const char *key, struct bytes text)
{
    if (text.len)
        value_set(v, key, value_text(text));
}

int value_finish(struct value *v, json_t **ret)
{
    if (!v->json)
        return COMITY_E_NOMEM;
    *ret = v->json;
    v->json = NULL;
    return COMITY_OK;
}

void value_put_ref(struct buf *out, struct bytes origin, uint64_t index)
{
    const struct record_ref place = {.origin = origin, .index = index};
    struct ref ref = {0};
    if (ref_of(&place, &ref) == COMITY_OK)
        ref_put(out, &ref);
    else {
        buf_put_bytes(out, origin);
        buf_printf(out, "/%llu", (unsigned long long)index);
    }
}

json_t *value_ref(struct bytes origin, uint64_t index)
{
    struct buf text = BUF_INIT;
    value_put_ref(&text, origin, index);
    return text_of(&text);
}

void value_set_place(struct value *v, struct bytes origin, uint64_t index, const struct hash *leaf)
{
    value_set(v, "ref", value_ref(origin, index));
    value_set(v, "origin", value_text(origin));
    value_set(v, "index", value_u64(index));
    if (leaf)
        value_set(v, "leaf", value_base64(hash_bytes(leaf)));
}
