/*
 * Which member of JSON stands for which field of a record: tables of what msg/record.h and
 * domain/record.h have, for record_json.c, which walks them. Internal to lib/json.
 */
#ifndef JSON_RECORD_JSON_SHAPE_H
#define JSON_RECORD_JSON_SHAPE_H

#include "domain/record.h"

enum json_field_type {
    J_TEXT,
    J_HASH,   /* RECORD_HASH_LEN bytes in hex */
    J_SECRET, /* as J_HASH, shown on demand only */
    J_LEAF,   /* RECORD_HASH_LEN bytes in base64 */
    J_U32,
    J_U64,
    J_I64,
    J_BOOL,
    J_TERM, /* uint32_t, as the token of a vocabulary */
    J_OBJECT,
    J_LIST, /* of objects */
    J_TEXTS /* a list of texts */
};

struct json_shape;

enum { JSON_FIELD_ALONE = 0xffff };

struct json_field {
    const char *name;
    enum json_field_type type;
    bool required;
    uint16_t at;
    uint16_t with; /* of its has_x or count; or JSON_FIELD_ALONE: absent when empty or 0 */
    uint16_t max;  /* elements */
    enum record_vocabulary terms;
    const struct json_shape *of;
};

struct json_shape {
    const struct json_field *fields;
    size_t count;
    size_t size; /* of the struct */
    bool is_ref; /* shown with its short form */
};

/* The shape of a record of ${kind}, from its first field down; NULL for an unknown kind. */
const struct json_shape *record_json_shape(uint32_t kind);

#endif
