/*
 * Tables that say which member of a plain struct holds which field of a message, and what it may
 * hold. Internal to lib/msg: every decoder and encoder of the module is such a table and, where
 * fields depend on each other, a rule.
 *
 * The same check of the struct, bind_check(), stands behind decoding and before encoding, so that
 * what one side can write the other can read.
 *
 * How a field lies in a struct:
 *   required number    the number
 *   optional number    the number and a bool has_x; or the number alone, where 0 means absent
 *   bytes, string      struct bytes; an optional one is absent when its length is 0
 *   repeated           a pointer to const elements and a size_t count
 *   message            a bool has_x, and its fields in the same struct or in a nested one
 *   required message   its fields in a nested struct
 *   message of a oneof the enum that holds the number of the field, and its fields in the same
 * struct
 */
#ifndef MSG_BIND_H
#define MSG_BIND_H

#include "msg/codec.h"

enum {
    BIND_ALONE = 0xffff,
    BIND_NOTE_MAX = 64 * 1024 /* the longest signed note */
};

struct bind;

struct bind_field {
    ProtobufCType type;       /* as in the descriptor */
    uint16_t at;              /* offset of the value */
    uint16_t with;            /* offset of its has_x, count or enum; or BIND_ALONE */
    uint32_t min, max;        /* bytes, string and elements of these: lengths */
    bool (*is)(struct bytes); /* string: what it must be besides text, or NULL */
    const struct bind *of;    /* message */
};

struct bind {
    const ProtobufCMessageDescriptor *type;
    size_t size; /* of the struct, which is the step of an array of them */
    const struct bind_field
        *fields; /* one for each field of ${type}, in the order of their numbers */
    size_t field_count;
    /* What no single field can say: COMITY_OK or an error as of codec_check(). NULL for none. */
    int (*rule)(const void *self);
};

/* What lies ${offset} behind ${base}. */
#define BIND_IN(type, base, offset) ((const type *)(const void *)((const char *)(base) + (offset)))

static inline bool bind_is_repeated(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

static inline bool bind_is_case(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

/* Whether a singular message is there. */
static inline bool bind_has_message(const struct bind_field *f,
                                    const ProtobufCFieldDescriptor *field, const void *self)
{
    if (bind_is_case(field))
        return *BIND_IN(uint32_t, self, f->with) == field->id;
    return f->with == BIND_ALONE || *BIND_IN(bool, self, f->with);
}

/* The offset of ${m} in ${s}; does not compile unless it has the type ${t}. */
#define BIND_AT(s, m, t) ((uint16_t)(offsetof(s, m) + 0 * sizeof(1 ? &((s *)0)->m : (t *)0)))

#define BIND_NUMBER(pb, s, m, t)                                                 \
    {                                                                            \
        .type = PROTOBUF_C_TYPE_##pb, .at = BIND_AT(s, m, t), .with = BIND_ALONE \
    }
#define BIND_U32(s, m) BIND_NUMBER(UINT32, s, m, uint32_t)
#define BIND_U64(s, m) BIND_NUMBER(UINT64, s, m, uint64_t)
#define BIND_F64(s, m) BIND_NUMBER(FIXED64, s, m, uint64_t)
#define BIND_S32(s, m) BIND_NUMBER(SINT32, s, m, int)
#define BIND_BOOL(s, m) BIND_NUMBER(BOOL, s, m, bool)
#define BIND_OPT_U64(s, m, has)                                        \
    {                                                                  \
        .type = PROTOBUF_C_TYPE_UINT64, .at = BIND_AT(s, m, uint64_t), \
        .with = BIND_AT(s, has, bool)                                  \
    }
#define BIND_OPT_F64(s, m, has)                                         \
    {                                                                   \
        .type = PROTOBUF_C_TYPE_FIXED64, .at = BIND_AT(s, m, uint64_t), \
        .with = BIND_AT(s, has, bool)                                   \
    }
#define BIND_OPT_S64(s, m, has)                                       \
    {                                                                 \
        .type = PROTOBUF_C_TYPE_SINT64, .at = BIND_AT(s, m, int64_t), \
        .with = BIND_AT(s, has, bool)                                 \
    }
#define BIND_BYTES(s, m, lo, hi)                                                              \
    {                                                                                         \
        .type = PROTOBUF_C_TYPE_BYTES, .at = BIND_AT(s, m, struct bytes), .with = BIND_ALONE, \
        .min = (lo), .max = (hi)                                                              \
    }
#define BIND_TEXT(s, m, lo, hi, test)                                                          \
    {                                                                                          \
        .type = PROTOBUF_C_TYPE_STRING, .at = BIND_AT(s, m, struct bytes), .with = BIND_ALONE, \
        .min = (lo), .max = (hi), .is = (test)                                                 \
    }
#define BIND_BYTES_LIST(s, m, n, lo, hi)                                          \
    {                                                                             \
        .type = PROTOBUF_C_TYPE_BYTES, .at = BIND_AT(s, m, const struct bytes *), \
        .with = BIND_AT(s, n, size_t), .min = (lo), .max = (hi)                   \
    }
#define BIND_TEXT_LIST(s, m, n, lo, hi, test)                                      \
    {                                                                              \
        .type = PROTOBUF_C_TYPE_STRING, .at = BIND_AT(s, m, const struct bytes *), \
        .with = BIND_AT(s, n, size_t), .min = (lo), .max = (hi), .is = (test)      \
    }
#define BIND_U32_LIST(s, m, n)                                                 \
    {                                                                          \
        .type = PROTOBUF_C_TYPE_UINT32, .at = BIND_AT(s, m, const uint32_t *), \
        .with = BIND_AT(s, n, size_t)                                          \
    }
/* An optional message in the nested struct ${m}. */
#define BIND_MESSAGE(s, m, has, b)                                                            \
    {                                                                                         \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = offsetof(s, m), .with = BIND_AT(s, has, bool), \
        .of = (b)                                                                             \
    }
#define BIND_REQUIRED(s, m, b)                                                             \
    {                                                                                      \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = offsetof(s, m), .with = BIND_ALONE, .of = b \
    }
/* An optional message whose fields lie in the same struct. */
#define BIND_MESSAGE_HERE(s, has, b)                                                       \
    {                                                                                      \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = 0, .with = BIND_AT(s, has, bool), .of = (b) \
    }
#define BIND_MESSAGE_LIST(s, m, n, t, b)                                 \
    {                                                                    \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = BIND_AT(s, m, const t *), \
        .with = BIND_AT(s, n, size_t), .of = (b)                         \
    }
/* One of a oneof; ${kind} is an enum of the field numbers. In a nested struct: BIND_CASE_IN. */
#define BIND_CASE(s, kind, b)                                                          \
    {                                                                                  \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = 0, .with = offsetof(s, kind), .of = (b) \
    }

#define BIND_CASE_IN(s, kind, m, b)                                                       \
    {                                                                                     \
        .type = PROTOBUF_C_TYPE_MESSAGE, .at = offsetof(s, m), .with = offsetof(s, kind), \
        .of = (b)                                                                         \
    }

#define BIND_OF(pb_name, s, list, rule_or_null)                                        \
    {                                                                                  \
        .type = &comity__##pb_name##__descriptor, .size = sizeof(s), .fields = (list), \
        .field_count = sizeof(list) / sizeof(list)[0], .rule = (rule_or_null)          \
    }

/* Whether ${self} keeps the lengths, counts and rules of ${b}; the error that decoding it would
 * give. */
int bind_check(const struct bind *b, const struct codec_limits *limits, const void *self)
    __attribute__((warn_unused_result));

/*
 * Decode into ${ret}, a struct of ${b}->size, untouched on failure. Views point into ${bytes} when
 * those lie in ${a}, else into a copy there. Errors as of codec_check(), COMITY_E_NOMEM (the
 * arena's cap), and COMITY_E_MALFORMED for a wrong length or a name that is none,
 * COMITY_E_TOO_LARGE for a value that is too long.
 */
int bind_decode(struct arena *a, struct bytes bytes, const struct bind *b,
                const struct codec_limits *limits, void *ret) __attribute__((warn_unused_result));

/* Append the encoding of ${self} to ${out}, which is as it was on failure. COMITY_E_INVALID where
 * bind_check() or the size says no, COMITY_E_NOMEM. */
int bind_encode(const void *self, const struct bind *b, const struct codec_limits *limits,
                struct buf *out) __attribute__((warn_unused_result));

/* For rules: ${list} ascends in memcmp order and names nothing twice. */
bool bind_ascends(const struct bytes *list, size_t n);
/* For tables. */
bool bind_is_origin(struct bytes text);

#endif
