/*
 * Bounded, canonical protocol buffers. See codec.h for what is refused and why.
 */
#include "msg/codec.h"

#include "base/text.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

/* Where the walk is in one of the nested messages. */
struct level {
    const ProtobufCMessageDescriptor *type;
    const uint8_t *end;
    unsigned field; /* index of the field that came last */
    uint32_t times; /* how often it came; 0: none came yet */
    uint32_t times_max;
    bool missing; /* a required field was passed over */
    bool has_oneof;
    unsigned oneof; /* quantifier offset of the oneof that is taken */
};

struct walk {
    const uint8_t *at;
    const struct codec_limits *limits;
    uint32_t fields;
    unsigned depth;
    struct level level[CODEC_DEPTH_MAX];
};

static int walk_varint(struct walk *w, const uint8_t *end, uint64_t *ret)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 10; i++) {
        if (w->at == end)
            return COMITY_E_MALFORMED;
        uint8_t c = *w->at++;
        if (i == 9 && c > 1)
            return COMITY_E_MALFORMED;
        v |= (uint64_t)(c & 0x7f) << (7 * i);
        if (c & 0x80)
            continue;
        if (c == 0 && i > 0)
            return COMITY_E_NOT_CANONICAL;
        *ret = v;
        return COMITY_OK;
    }
    return COMITY_E_MALFORMED;
}

uint32_t codec_repeated_max(const struct codec_limits *limits,
                            const ProtobufCMessageDescriptor *type, uint32_t field)
{
    for (size_t i = 0; i < limits->repeated_count; i++)
        if (limits->repeated[i].message == type && limits->repeated[i].field == field)
            return limits->repeated[i].max;
    return 0;
}

static int walk_enter(struct walk *w, const ProtobufCMessageDescriptor *type, const uint8_t *end)
{
    if (w->depth >= w->limits->depth_max || w->depth >= CODEC_DEPTH_MAX)
        return COMITY_E_TOO_DEEP;
    w->level[w->depth++] = (struct level){.type = type, .end = end};
    return COMITY_OK;
}

static bool is_required(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REQUIRED;
}

static int walk_leave(struct walk *w)
{
    struct level *l = &w->level[--w->depth];
    for (unsigned i = l->field + (l->times > 0); i < l->type->n_fields && !l->missing; i++)
        l->missing = is_required(&l->type->fields[i]);
    return l->missing ? COMITY_E_MALFORMED : COMITY_OK;
}

/* The field that bears ${id}, at its place in the order. */
static int walk_field(struct walk *w, uint64_t id, const ProtobufCFieldDescriptor **ret)
{
    struct level *l = &w->level[w->depth - 1];
    const ProtobufCFieldDescriptor *fields = l->type->fields;
    if (l->times > 0 && fields[l->field].id == id) {
        if (fields[l->field].label != PROTOBUF_C_LABEL_REPEATED)
            return COMITY_E_NOT_CANONICAL;
    } else {
        unsigned i = l->field + (l->times > 0);
        for (; i < l->type->n_fields && fields[i].id < id; i++)
            l->missing |= is_required(&fields[i]);
        if (i == l->type->n_fields || fields[i].id != id)
            return COMITY_E_NOT_CANONICAL;
        l->field = i;
        l->times = 0;
        l->times_max = fields[i].label == PROTOBUF_C_LABEL_REPEATED
                           ? codec_repeated_max(w->limits, l->type, fields[i].id)
                           : 1;
        if (fields[i].flags & PROTOBUF_C_FIELD_FLAG_ONEOF) {
            if (l->has_oneof && l->oneof == fields[i].quantifier_offset)
                return COMITY_E_NOT_CANONICAL;
            l->has_oneof = true;
            l->oneof = fields[i].quantifier_offset;
        }
    }
    if (++l->times > l->times_max || ++w->fields > w->limits->fields_max)
        return COMITY_E_TOO_LARGE;
    *ret = &fields[l->field];
    return COMITY_OK;
}

static int walk_length_prefixed(struct walk *w, const ProtobufCFieldDescriptor *field,
                                const uint8_t *end)
{
    uint64_t len = 0;
    int err = walk_varint(w, end, &len);
    if (err)
        return err;
    if (len > (size_t)(end - w->at))
        return COMITY_E_MALFORMED;
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return walk_enter(w, field->descriptor, w->at + len);
    struct bytes value = BYTES(w->at, len);
    w->at += len;
    if (len == 0 && field->label == PROTOBUF_C_LABEL_OPTIONAL)
        return COMITY_E_NOT_CANONICAL;
    if (field->type == PROTOBUF_C_TYPE_STRING && !codec_is_text(value))
        return COMITY_E_MALFORMED;
    return COMITY_OK;
}

static int walk_number(struct walk *w, const uint8_t *end, uint64_t max)
{
    uint64_t v = 0;
    int err = walk_varint(w, end, &v);
    if (err)
        return err;
    return v > max ? COMITY_E_MALFORMED : COMITY_OK;
}

static int walk_value(struct walk *w, const ProtobufCFieldDescriptor *field, unsigned wire_type,
                      const uint8_t *end)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        return wire_type == 0 ? walk_number(w, end, UINT32_MAX) : COMITY_E_MALFORMED;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_SINT64:
        return wire_type == 0 ? walk_number(w, end, UINT64_MAX) : COMITY_E_MALFORMED;
    case PROTOBUF_C_TYPE_BOOL:
        return wire_type == 0 ? walk_number(w, end, 1) : COMITY_E_MALFORMED;
    case PROTOBUF_C_TYPE_FIXED64:
        if (wire_type != 1 || end - w->at < 8)
            return COMITY_E_MALFORMED;
        w->at += 8;
        return COMITY_OK;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_MESSAGE:
        return wire_type == 2 ? walk_length_prefixed(w, field, end) : COMITY_E_MALFORMED;
    default:
        assert(!"a type that no message of ours has");
        return COMITY_E_INTERNAL;
    }
}

int codec_check(struct bytes bytes, const ProtobufCMessageDescriptor *type,
                const struct codec_limits *limits)
{
    static const uint8_t nothing[1];
    if (bytes.len > limits->bytes_max)
        return COMITY_E_TOO_LARGE;
    if (!bytes.data)
        bytes = BYTES(nothing, 0);
    struct walk w;
    w.at = bytes.data;
    w.limits = limits;
    w.fields = 0;
    w.depth = 0;
    int err = walk_enter(&w, type, bytes.data + bytes.len);
    while (!err && w.depth > 0) {
        const uint8_t *end = w.level[w.depth - 1].end;
        if (w.at == end) {
            err = walk_leave(&w);
            continue;
        }
        uint64_t tag = 0;
        const ProtobufCFieldDescriptor *field = NULL;
        err = walk_varint(&w, end, &tag);
        if (!err)
            err = walk_field(&w, tag >> 3, &field);
        if (!err)
            err = walk_value(&w, field, tag & 7, end);
    }
    return err;
}

uint32_t codec_first_field(struct bytes bytes)
{
    struct walk w = {.at = bytes.data};
    uint64_t tag = 0;
    if (bytes.len == 0 || walk_varint(&w, bytes.data + bytes.len, &tag) || tag > UINT32_MAX)
        return 0;
    return (uint32_t)tag >> 3;
}

bool codec_is_text(struct bytes text)
{
    return text.len == 0 || (!memchr(text.data, 0, text.len) && text_is_utf8(text));
}
