/*
 * From messages to plain structs, by table, and the check that stands behind both directions. The
 * other one is bind_encode.c's. See bind.h.
 */
#include "msg/bind.h"

#include "base/text.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

#define AT(type, base, offset) ((type *)(void *)((char *)(base) + (offset)))
#define AT_CONST(type, base, offset) BIND_IN(type, base, offset)

/* ---- check ---- */

static int check_bytes(const struct bind_field *f, struct bytes b)
{
    if (b.len > f->max)
        return f->min == f->max ? COMITY_E_MALFORMED : COMITY_E_TOO_LARGE;
    if (b.len < f->min)
        return COMITY_E_MALFORMED;
    if (f->type == PROTOBUF_C_TYPE_BYTES)
        return COMITY_OK;
    return (f->is ? f->is(b) : codec_is_text(b)) ? COMITY_OK : COMITY_E_MALFORMED;
}

static int check_list(const struct bind_field *f, const struct codec_limits *limits,
                      const void *list, size_t n)
{
    int err = COMITY_OK;
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_STRING:
        for (size_t i = 0; i < n && !err; i++)
            err = check_bytes(f, ((const struct bytes *)list)[i]);
        return err;
    case PROTOBUF_C_TYPE_MESSAGE:
        for (size_t i = 0; i < n && !err; i++)
            err = bind_check(f->of, limits, (const char *)list + i * f->of->size);
        return err;
    default:
        return COMITY_OK;
    }
}

static int check_field(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                       const struct codec_limits *limits, const void *self)
{
    struct bytes b = BYTES_NONE;
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_STRING:
        b = *AT_CONST(struct bytes, self, f->at);
        if (b.len == 0 && field->label == PROTOBUF_C_LABEL_OPTIONAL)
            return COMITY_OK;
        return check_bytes(f, b);
    case PROTOBUF_C_TYPE_MESSAGE:
        if (!bind_has_message(f, field, self))
            return COMITY_OK;
        return bind_check(f->of, limits, AT_CONST(char, self, f->at));
    default:
        return COMITY_OK;
    }
}

int bind_check(const struct bind *b, const struct codec_limits *limits, const void *self)
{
    assert(b->field_count == b->type->n_fields);
    for (size_t i = 0; i < b->field_count; i++) {
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        int err = COMITY_OK;
        if (bind_is_repeated(field)) {
            size_t n = *AT_CONST(size_t, self, f->with);
            if (n > 0 && n > codec_repeated_max(limits, b->type, field->id))
                return COMITY_E_TOO_LARGE;
            err = check_list(f, limits, *AT_CONST(void *, self, f->at), n);
        } else {
            err = check_field(f, field, limits, self);
        }
        if (err)
            return err;
    }
    return b->rule ? b->rule(self) : COMITY_OK;
}

/* ---- from bytes that codec_check() has found good ---- */

struct reader {
    struct arena *a;
    const uint8_t *at;
};

static int read_message(struct reader *r, const struct bind *b, const uint8_t *end, void *self);

static uint64_t read_varint(const uint8_t **at)
{
    uint64_t v = 0;
    for (unsigned shift = 0;; shift += 7) {
        uint8_t c = *(*at)++;
        v |= (uint64_t)(c & 0x7f) << shift;
        if (c < 0x80)
            return v;
    }
}

static struct bytes read_bytes(struct reader *r)
{
    size_t len = read_varint(&r->at);
    struct bytes b = len ? BYTES(r->at, len) : BYTES_NONE;
    r->at += len;
    return b;
}

static uint64_t read_fixed64(struct reader *r)
{
    uint64_t v = 0;
    for (unsigned i = 0; i < 8; i++)
        v |= (uint64_t)r->at[i] << (8 * i);
    r->at += 8;
    return v;
}

static uint64_t unzigzag(uint64_t v)
{
    return v >> 1 ^ (0 - (v & 1));
}

/* What follows for ${field} from ${at} on: how many elements stand one behind the other. In
 * canonical bytes that is all of them. */
static size_t count_elements(const uint8_t *at, const uint8_t *end, uint64_t tag)
{
    size_t n = 0;
    while (at < end && read_varint(&at) == tag) {
        uint64_t v = read_varint(&at);
        at += (tag & 7) == 2 ? v : 0;
        n++;
    }
    return n;
}

static size_t size_of_element(const struct bind_field *f)
{
    if (f->type == PROTOBUF_C_TYPE_MESSAGE)
        return f->of->size;
    return f->type == PROTOBUF_C_TYPE_UINT32 ? sizeof(uint32_t) : sizeof(struct bytes);
}

static int read_element(struct reader *r, const struct bind_field *f, void *to)
{
    if (f->type == PROTOBUF_C_TYPE_UINT32) {
        *(uint32_t *)to = (uint32_t)read_varint(&r->at);
        return COMITY_OK;
    }
    struct bytes b = read_bytes(r);
    if (f->type != PROTOBUF_C_TYPE_MESSAGE) {
        *(struct bytes *)to = b;
        return COMITY_OK;
    }
    r->at -= b.len;
    return read_message(r, f->of, r->at + b.len, to);
}

/* All elements of the field whose first tag was just read. */
static int read_list(struct reader *r, const struct bind_field *f, uint64_t tag, const uint8_t *end,
                     void *self)
{
    const uint8_t *at = r->at;
    uint64_t first = read_varint(&at);
    size_t n = 1 + count_elements(at + ((tag & 7) == 2 ? first : 0), end, tag);
    size_t size = size_of_element(f);
    char *list = arena_alloc(r->a, n * size);
    int err = list ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < n; i++) {
        if (i > 0)
            read_varint(&r->at); /* the tag again */
        err = read_element(r, f, list + i * size);
    }
    *AT(size_t, self, f->with) = n;
    *AT(const void *, self, f->at) = list;
    return err;
}

/* An optional number: with its has_x, or alone, where 0 means absent and must not be written. */
static int note_presence(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                         bool is_zero, void *self)
{
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return COMITY_OK;
    if (f->with != BIND_ALONE)
        *AT(bool, self, f->with) = true;
    else if (is_zero)
        return COMITY_E_NOT_CANONICAL;
    return COMITY_OK;
}

static int read_submessage(struct reader *r, const struct bind_field *f,
                           const ProtobufCFieldDescriptor *field, void *self)
{
    size_t len = read_varint(&r->at);
    if (bind_is_case(field))
        *AT(uint32_t, self, f->with) = field->id;
    else if (f->with != BIND_ALONE)
        *AT(bool, self, f->with) = true;
    return read_message(r, f->of, r->at + len, AT(char, self, f->at));
}

static int read_field(struct reader *r, const struct bind_field *f,
                      const ProtobufCFieldDescriptor *field, void *self)
{
    uint64_t v = 0;
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
    case PROTOBUF_C_TYPE_STRING:
        *AT(struct bytes, self, f->at) = read_bytes(r);
        return COMITY_OK;
    case PROTOBUF_C_TYPE_UINT64:
        *AT(uint64_t, self, f->at) = v = read_varint(&r->at);
        break;
    case PROTOBUF_C_TYPE_FIXED64:
        *AT(uint64_t, self, f->at) = v = read_fixed64(r);
        break;
    case PROTOBUF_C_TYPE_SINT64:
        *AT(uint64_t, self, f->at) = v = unzigzag(read_varint(&r->at));
        break;
    case PROTOBUF_C_TYPE_UINT32:
        v = read_varint(&r->at);
        *AT(uint32_t, self, f->at) = (uint32_t)v;
        break;
    case PROTOBUF_C_TYPE_SINT32:
        v = unzigzag(read_varint(&r->at));
        *AT(uint32_t, self, f->at) = (uint32_t)v;
        break;
    case PROTOBUF_C_TYPE_BOOL:
        v = read_varint(&r->at);
        *AT(bool, self, f->at) = v != 0;
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_submessage(r, f, field, self);
    default:
        assert(!"a type that no table has");
        return COMITY_E_INTERNAL;
    }
    return note_presence(f, field, v == 0, self);
}

static int read_message(struct reader *r, const struct bind *b, const uint8_t *end, void *self)
{
    int err = COMITY_OK;
    size_t i = 0;
    assert(b->field_count == b->type->n_fields);
    while (!err && r->at < end) {
        uint64_t tag = read_varint(&r->at);
        while (b->type->fields[i].id != tag >> 3)
            i++;
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        assert(f->type == field->type);
        err = bind_is_repeated(field) ? read_list(r, f, tag, end, self)
                                      : read_field(r, f, field, self);
    }
    return err;
}

int bind_decode(struct arena *a, struct bytes bytes, const struct bind *b,
                const struct codec_limits *limits, void *ret)
{
    int err = codec_check(bytes, b->type, limits);
    if (err)
        return err;
    struct bytes kept = arena_has(a, bytes) ? bytes : arena_copy(a, bytes);
    void *self = arena_alloc(a, b->size);
    if (!kept.data || !self)
        return COMITY_E_NOMEM;
    struct reader r = {.a = a, .at = kept.data};
    err = read_message(&r, b, kept.data + kept.len, self);
    if (!err)
        err = bind_check(b, limits, self);
    if (!err)
        memcpy(ret, self, b->size);
    return err;
}

bool bind_ascends(const struct bytes *list, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (bytes_compare(list[i - 1], list[i]) >= 0)
            return false;
    return true;
}

bool bind_is_origin(struct bytes text)
{
    struct origin origin;
    return text_get_origin(text, &origin) == COMITY_OK;
}
