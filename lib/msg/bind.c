/*
 * Between messages and plain structs, by table. See bind.h.
 */
#include "msg/bind.h"

#include "base/text.h"

#include <assert.h>
#include <comity/err.h>
#include <string.h>

#define AT(type, base, offset) ((type *)(void *)((char *)(base) + (offset)))
#define AT_CONST(type, base, offset) ((const type *)(const void *)((const char *)(base) + (offset)))

static bool is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static bool is_case(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Whether a singular message is there. */
static bool has_message(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                        const void *self)
{
    return is_case(field) ? *AT_CONST(uint32_t, self, f->with) == field->id
                          : *AT_CONST(bool, self, f->with);
}

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
        if (!has_message(f, field, self))
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
        if (is_repeated(field)) {
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

/* ---- from the message to the struct ---- */

static int read_message(struct arena *a, const struct bind *b, const ProtobufCMessage *m,
                        void *self);

static int read_list(struct arena *a, const struct bind_field *f, size_t n, const void *from,
                     const void **ret)
{
    const struct bytes *views = NULL;
    int err = COMITY_OK;
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
        err = codec_view_list(a, from, n, &views);
        *ret = views;
        return err;
    case PROTOBUF_C_TYPE_STRING:
        err = codec_view_text_list(a, from, n, &views);
        *ret = views;
        return err;
    case PROTOBUF_C_TYPE_UINT32:
        *ret = from; /* in the arena already */
        return COMITY_OK;
    default:
        break;
    }
    assert(f->type == PROTOBUF_C_TYPE_MESSAGE);
    char *list = arena_alloc(a, n * f->of->size);
    if (!list)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n && !err; i++)
        err = read_message(a, f->of, ((ProtobufCMessage *const *)from)[i], list + i * f->of->size);
    *ret = list;
    return err;
}

/* An optional number: with its has_x, or alone, where 0 means absent and must not be written. */
static int read_presence(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                         const ProtobufCMessage *m, bool is_zero, void *self)
{
    if (field->label != PROTOBUF_C_LABEL_OPTIONAL)
        return COMITY_OK;
    bool has = *AT_CONST(protobuf_c_boolean, m, field->quantifier_offset);
    if (f->with != BIND_ALONE)
        *AT(bool, self, f->with) = has;
    else if (has && is_zero)
        return COMITY_E_NOT_CANONICAL;
    return COMITY_OK;
}

static int read_submessage(struct arena *a, const struct bind_field *f,
                           const ProtobufCFieldDescriptor *field, const ProtobufCMessage *m,
                           void *self)
{
    if (is_case(field)) {
        if (*AT_CONST(uint32_t, m, field->quantifier_offset) != field->id)
            return COMITY_OK;
        *AT(uint32_t, self, f->with) = field->id;
    }
    const ProtobufCMessage *sub = *AT_CONST(ProtobufCMessage *, m, field->offset);
    if (!sub)
        return COMITY_OK;
    if (!is_case(field))
        *AT(bool, self, f->with) = true;
    return read_message(a, f->of, sub, AT(char, self, f->at));
}

static int read_field(struct arena *a, const struct bind_field *f,
                      const ProtobufCFieldDescriptor *field, const ProtobufCMessage *m, void *self)
{
    const void *from = AT_CONST(char, m, field->offset);
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
        *AT(struct bytes, self, f->at) = codec_view(*AT_CONST(ProtobufCBinaryData, from, 0));
        return COMITY_OK;
    case PROTOBUF_C_TYPE_STRING:
        *AT(struct bytes, self, f->at) = codec_view_text(*AT_CONST(char *, from, 0));
        return COMITY_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *AT(uint64_t, self, f->at) = *AT_CONST(uint64_t, from, 0);
        return read_presence(f, field, m, *AT_CONST(uint64_t, from, 0) == 0, self);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        *AT(uint32_t, self, f->at) = *AT_CONST(uint32_t, from, 0);
        return read_presence(f, field, m, *AT_CONST(uint32_t, from, 0) == 0, self);
    case PROTOBUF_C_TYPE_BOOL:
        *AT(bool, self, f->at) = *AT_CONST(protobuf_c_boolean, from, 0) != 0;
        return read_presence(f, field, m, *AT_CONST(protobuf_c_boolean, from, 0) == 0, self);
    case PROTOBUF_C_TYPE_MESSAGE:
        return read_submessage(a, f, field, m, self);
    default:
        assert(!"a type that no table has");
        return COMITY_E_INTERNAL;
    }
}

static int read_message(struct arena *a, const struct bind *b, const ProtobufCMessage *m,
                        void *self)
{
    int err = COMITY_OK;
    for (size_t i = 0; i < b->field_count && !err; i++) {
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        assert(f->type == field->type);
        if (!is_repeated(field)) {
            err = read_field(a, f, field, m, self);
            continue;
        }
        size_t n = *AT_CONST(size_t, m, field->quantifier_offset);
        if (n == 0)
            continue;
        *AT(size_t, self, f->with) = n;
        err =
            read_list(a, f, n, *AT_CONST(void *, m, field->offset), AT(const void *, self, f->at));
    }
    return err;
}

int bind_decode(struct arena *a, struct bytes bytes, const struct bind *b,
                const struct codec_limits *limits, void *ret)
{
    assert(b->field_count == b->type->n_fields);
    ProtobufCMessage *m = NULL;
    int err = codec_decode(a, bytes, b->type, limits, &m);
    if (err)
        return err;
    void *self = arena_alloc(a, b->size);
    if (!self)
        return COMITY_E_NOMEM;
    err = read_message(a, b, m, self);
    if (!err)
        err = bind_check(b, limits, self);
    if (!err)
        memcpy(ret, self, b->size);
    return err;
}

/* ---- from the struct to the message; out of memory is the scratch's to remember ---- */

static ProtobufCMessage *write_message(struct codec_scratch *s, const struct bind *b,
                                       const void *self);

static void *write_list(struct codec_scratch *s, const struct bind_field *f, const void *from,
                        size_t n)
{
    if (f->type == PROTOBUF_C_TYPE_BYTES)
        return codec_data_list(s, from, n);
    if (f->type == PROTOBUF_C_TYPE_STRING)
        return codec_text_list(s, from, n);
    if (f->type == PROTOBUF_C_TYPE_UINT32)
        return (void *)(uintptr_t)from; /* protobuf-c only reads it */
    assert(f->type == PROTOBUF_C_TYPE_MESSAGE);
    ProtobufCMessage **list = codec_scratch_alloc(s, n * sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        list[i] = write_message(s, f->of, (const char *)from + i * f->of->size);
    return list;
}

static void write_presence(const struct bind_field *f, const ProtobufCFieldDescriptor *field,
                           const void *self, bool otherwise, ProtobufCMessage *m)
{
    if (field->label == PROTOBUF_C_LABEL_OPTIONAL)
        *AT(protobuf_c_boolean, m, field->quantifier_offset) =
            f->with != BIND_ALONE ? *AT_CONST(bool, self, f->with) : otherwise;
}

static void write_field(struct codec_scratch *s, const struct bind_field *f,
                        const ProtobufCFieldDescriptor *field, const void *self,
                        ProtobufCMessage *m)
{
    void *to = AT(char, m, field->offset);
    const void *from = AT_CONST(char, self, f->at);
    switch (f->type) {
    case PROTOBUF_C_TYPE_BYTES:
        *AT(ProtobufCBinaryData, to, 0) = codec_data(*AT_CONST(struct bytes, from, 0));
        write_presence(f, field, self, AT_CONST(struct bytes, from, 0)->len > 0, m);
        return;
    case PROTOBUF_C_TYPE_STRING:
        *AT(char *, to, 0) = codec_text(s, *AT_CONST(struct bytes, from, 0));
        return;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        *AT(uint64_t, to, 0) = *AT_CONST(uint64_t, from, 0);
        write_presence(f, field, self, *AT_CONST(uint64_t, from, 0) != 0, m);
        return;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_SINT32:
        *AT(uint32_t, to, 0) = *AT_CONST(uint32_t, from, 0);
        write_presence(f, field, self, *AT_CONST(uint32_t, from, 0) != 0, m);
        return;
    case PROTOBUF_C_TYPE_BOOL:
        *AT(protobuf_c_boolean, to, 0) = *AT_CONST(bool, from, 0);
        write_presence(f, field, self, *AT_CONST(bool, from, 0), m);
        return;
    default:
        break;
    }
    assert(f->type == PROTOBUF_C_TYPE_MESSAGE);
    if (!has_message(f, field, self))
        return;
    *AT(ProtobufCMessage *, to, 0) = write_message(s, f->of, from);
    if (is_case(field))
        *AT(uint32_t, m, field->quantifier_offset) = field->id;
}

static ProtobufCMessage *write_message(struct codec_scratch *s, const struct bind *b,
                                       const void *self)
{
    ProtobufCMessage *m = codec_scratch_alloc(s, b->type->sizeof_message);
    if (!m)
        return NULL;
    memset(m, 0, b->type->sizeof_message);
    m->descriptor = b->type;
    for (size_t i = 0; i < b->field_count; i++) {
        const struct bind_field *f = &b->fields[i];
        const ProtobufCFieldDescriptor *field = &b->type->fields[i];
        assert(f->type == field->type);
        size_t n = is_repeated(field) ? *AT_CONST(size_t, self, f->with) : 0;
        if (!is_repeated(field)) {
            write_field(s, f, field, self, m);
        } else if (n > 0) {
            *AT(size_t, m, field->quantifier_offset) = n;
            *AT(void *, m, field->offset) = write_list(s, f, *AT_CONST(void *, self, f->at), n);
        }
    }
    return m;
}

int bind_encode(const void *self, const struct bind *b, const struct codec_limits *limits,
                struct buf *out)
{
    if (bind_check(b, limits, self))
        return COMITY_E_INVALID;
    size_t before = out->len;
    struct codec_scratch scratch;
    codec_scratch_init(&scratch);
    const ProtobufCMessage *m = write_message(&scratch, b, self);
    int err = codec_scratch_check(&scratch);
    if (!err)
        err = codec_encode(m, out);
    codec_scratch_done(&scratch);
    if (!err && out->len - before > limits->bytes_max) {
        out->len = before;
        return COMITY_E_INVALID;
    }
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
