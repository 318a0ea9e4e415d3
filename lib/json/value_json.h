/*
 * Small values as JSON: texts, hashes, times, numbers, and the place of an entry.
 *
 * Every function returns a new reference, or NULL without memory or for what JSON cannot say (bytes
 * that are not UTF-8, integers beyond 63 bits). NULL may be handed to jansson's setters of new
 * references, which fail on it: so a whole object is built first and checked once, by value_set's
 * and value_add's sticky failure.
 */
#ifndef JSON_VALUE_JSON_H
#define JSON_VALUE_JSON_H

#include "crypto/hash.h"

#include <jansson.h>

json_t *value_text(struct bytes text);
json_t *value_hex(struct bytes b);
json_t *value_base64(struct bytes b);
json_t *value_u64(uint64_t v);
/* RFC 3339, UTC, whole seconds. */
json_t *value_time(int64_t time_ms);

/* An object or a list that is being filled: once anything failed, `json` is NULL, and stays so. */
struct value {
    json_t *json;
};
struct value value_object(void);
struct value value_array(void);
/* Both take ${item} over. */
void value_set(struct value *v, const char *key, json_t *item);
void value_add(struct value *v, json_t *item);
/* Only where ${text} is not empty. */
void value_set_text(struct value *v, const char *key, struct bytes text);
/* COMITY_OK and the reference, or COMITY_E_NOMEM. */
int value_finish(struct value *v, json_t **ret) __attribute__((warn_unused_result));

/* The place of an entry: "ref", "origin", "index", and "leaf" unless ${leaf} is NULL. */
void value_set_place(struct value *v, struct bytes origin, uint64_t index, const struct hash *leaf);
/* "330100-001/1042" for the entry; the origin's text itself where it is no member's. */
json_t *value_ref(struct bytes origin, uint64_t index);
void value_put_ref(struct buf *out, struct bytes origin, uint64_t index);

#endif
