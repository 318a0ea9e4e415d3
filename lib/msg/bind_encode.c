/*
 * From plain structs to messages, by table: how long it becomes, then the bytes, where they stay.
 * See bind.h.
 */
#include "msg/bind.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_LENGTH = 2 };

#define AT(type, base, offset) BIND_IN(type, base, offset)

static size_t size_of_message(const struct bind *b, const void *self);
static uint8_t *put_message(uint8_t *at, const struct bind *b, const void *self);

static size_t size_of_varint(uint64_t v)
{
    size_t n = 1;
    for (; v >= 0x80; v >>= 7)
        n++;
    return n;
}

static uint8_t *put_varint(uint8_t *at, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        *at++ = (uint8_t)v | 0x80;
    *at++ = (uint8_t)v;
    return at;
}

static uint8_t *put_fixed64(uint8_t *at, uint64_t v)
{
    for (unsigned i = 0; i < 8; i++)
        *at++ = (uint8_t)(v >> (8 * i));
    return at;
}

static uint64_t zigzag(int64_t v)
{
    return (uint64_t)v << 1 ^ (v < 0 ? UINT64_MAX : 0);
}

/* A number as the varint that stands for it. */
static uint64_t number_at(const struct bind_field *f, const void *self)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_UINT32:
        return *AT(uint32_t, self, f->at);
    case PROTOBUF_C_TYPE_SINT32:
        return zigzag(*AT(int32_t, self, f->at));
    case PROTOBUF_C_TYPE_SINT64:
        return zigzag(*AT(int64_t, self, f->at));
    case PROTOBUF_C_TYPE_BOOL:
        return *AT(bool, self, f->at);
    default:
        return *AT(uint64_t, self, f->at);
    }
}

static bool is_text_or_bytes(const struct bind_field *f)
{
    return f->type == PROTOBUF_C_TYPE_BYTES || f->type == PROTOBUF_C_TYPE_STRING;
}

/* Whether a singular field is written. */
static bool is_there(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                     const void *self)
{
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return bind_has_message(f, field, self);
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return true;
    if (is_text_or_bytes(f))
        return AT(struct bytes, self, f->at)->len > 0;
    return f->with != BIND_ALONE ? *AT(bool, self, f->with) : number_at(f, self) != 0;
}

/* ---- how long ---- */

static size_t size_with_length(size_t len)
{
    return size_of_varint(len) + len;
}

static size_t size_of_value(const struct bind_field *f, const void *self)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_STRING:
        return size_with_length(AT(struct bytes, self, f->at)->len);
    case PROTOBUF_C_TYPE_MESSAGE:
        return size_with_length(size_of_message(f->of, AT(char, self, f->at)));
    case PROTOBUF_C_TYPE_FIXED64:
        return 8;
    default:
        return size_of_varint(number_at(f, self));
    }
}

static size_t size_of_element(const struct bind_field *f, const void *list, size_t i)
{
    if (f->type == PROTOBUF_C_TYPE_UINT32)
        return size_of_varint(((const uint32_t *)list)[i]);
    if (is_text_or_bytes(f))
        return size_with_length(((const struct bytes *)list)[i].len);
    return size_with_length(size_of_message(f->of, (const char *)list + i * f->of->size));
}

static size_t size_of_message(const struct bind *b, const void *self)
{
    size_t size = 0;
    for (size_t i = 0; i < b->field_count; i++) {
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        size_t tag = size_of_varint((uint64_t)field->id << 3);
        if (!bind_is_repeated(field)) {
            size += is_there(f, field, self) ? tag + size_of_value(f, self) : 0;
            continue;
        }
        for (size_t k = 0; k < *AT(size_t, self, f->with); k++)
            size += tag + size_of_element(f, *AT(void *, self, f->at), k);
    }
    return size;
}

/* ---- the bytes ---- */

static uint8_t *put_tag(uint8_t *at, const ProtobufCFieldDescriptor *field)
{
    unsigned wire = field->type == PROTOBUF_C_TYPE_FIXED64 ? WIRE_FIXED64
                    : field->type == PROTOBUF_C_TYPE_BYTES ||
                            field->type == PROTOBUF_C_TYPE_STRING ||
                            field->type == PROTOBUF_C_TYPE_MESSAGE
                        ? WIRE_LENGTH
                        : WIRE_VARINT;
    return put_varint(at, (uint64_t)field->id << 3 | wire);
}

static uint8_t *put_bytes(uint8_t *at, struct bytes b)
{
    at = put_varint(at, b.len);
    if (b.len)
        memcpy(at, b.data, b.len);
    return at + b.len;
}

static uint8_t *put_submessage(uint8_t *at, const struct bind *b, const void *self)
{
    return put_message(put_varint(at, size_of_message(b, self)), b, self);
}

static uint8_t *put_value(uint8_t *at, const struct bind_field *f, const void *self)
{
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_STRING:
        return put_bytes(at, *AT(struct bytes, self, f->at));
    case PROTOBUF_C_TYPE_MESSAGE:
        return put_submessage(at, f->of, AT(char, self, f->at));
    case PROTOBUF_C_TYPE_FIXED64:
        return put_fixed64(at, number_at(f, self));
    default:
        return put_varint(at, number_at(f, self));
    }
}

static uint8_t *put_element(uint8_t *at, const struct bind_field *f, const void *list, size_t i)
{
    if (f->type == PROTOBUF_C_TYPE_UINT32)
        return put_varint(at, ((const uint32_t *)list)[i]);
    if (is_text_or_bytes(f))
        return put_bytes(at, ((const struct bytes *)list)[i]);
    return put_submessage(at, f->of, (const char *)list + i * f->of->size);
}

static uint8_t *put_message(uint8_t *at, const struct bind *b, const void *self)
{
    for (size_t i = 0; i < b->field_count; i++) {
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        assert(f->type == field->type);
        if (!bind_is_repeated(field)) {
            if (is_there(f, field, self))
                at = put_value(put_tag(at, field), f, self);
            continue;
        }
        for (size_t k = 0; k < *AT(size_t, self, f->with); k++)
            at = put_element(put_tag(at, field), f, *AT(void *, self, f->at), k);
    }
    return at;
}

int bind_encode(const void *self, const struct bind *b, const struct codec_limits *limits,
                struct buf *out)
{
    if (bind_check(b, limits, self))
        return COMITY_E_INVALID;
    size_t size = size_of_message(b, self);
    if (size > limits->bytes_max)
        return COMITY_E_INVALID;
    uint8_t *to = buf_reserve(out, size);
    if (!to)
        return COMITY_E_NOMEM;
    uint8_t *end = put_message(to, b, self);
    assert((size_t)(end - to) == size);
    (void)end;
    out->len += size;
    return COMITY_OK;
}
