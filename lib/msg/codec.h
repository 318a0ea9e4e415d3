/*
 * The one door to protobuf-c: bounded, canonical decoding into an arena, and encoding. Internal to
 * lib/msg.
 *
 * protobuf-c alone is too trusting for bytes from strangers: it has no depth limit, takes duplicate
 * fields, padded varints and unknown fields, and lets a megabyte of input become fifty of memory.
 * So bytes are walked here first, without allocating, against the generated descriptor; only then
 * does protobuf-c unpack them, into the arena; and what it packs again must be the same bytes. One
 * message has one encoding:
 *
 *   - fields stand in the order of their numbers, singular ones once, of a oneof at most one;
 *   - varints are as short as they can be and fit their type;
 *   - strings are UTF-8 without NUL;
 *   - an optional bytes or string field is never present and empty: structs in lib/msg say "none"
 * by length 0, and present-but-empty would be a second spelling of that.
 *
 * Required fields and list elements may be empty here; what lengths a field may have is checked on
 * the struct, by the same function for encoding and decoding.
 */
#ifndef MSG_CODEC_H
#define MSG_CODEC_H

#include "base/bytes.h"

#include <protobuf-c/protobuf-c.h>

/* How often the repeated field ${field} of one ${message} may occur. */
struct codec_repeated {
    const ProtobufCMessageDescriptor *message;
    uint32_t field;
    uint32_t max;
};

enum { CODEC_DEPTH_MAX = 8 };

struct codec_limits {
    size_t bytes_max;
    unsigned depth_max;  /* nested messages count from 1, the outermost; at most CODEC_DEPTH_MAX */
    uint32_t fields_max; /* in the whole message, at all depths */
    /* Every repeated field that can occur; one that is not listed here may not occur at all. */
    const struct codec_repeated *repeated;
    size_t repeated_count;
};

/*
 * Decode ${bytes} as a message of ${type}, which must not be recursive, into ${a}; nothing of it
 * points into ${bytes}. It is released with the arena, never by protobuf-c. COMITY_E_TOO_LARGE
 * beyond a limit, COMITY_E_TOO_DEEP, COMITY_E_MALFORMED (not protocol buffers, wrong wire type, a
 * required field is missing, a string that is no text), COMITY_E_NOT_CANONICAL (another spelling,
 * unknown fields), COMITY_E_NOMEM (the arena's cap).
 */
int codec_decode(struct arena *a, struct bytes bytes, const ProtobufCMessageDescriptor *type,
                 const struct codec_limits *limits, ProtobufCMessage **ret)
    __attribute__((warn_unused_result));

/* The number of the first field in ${bytes}, 0 when there is none: which message of a oneof this
 * is. */
uint32_t codec_first_field(struct bytes bytes);

/* How often ${field} of ${type} may occur; 0 when ${limits} do not list it. */
uint32_t codec_repeated_max(const struct codec_limits *limits,
                            const ProtobufCMessageDescriptor *type, uint32_t field);

/* Append the encoding of ${message} to ${out}. COMITY_E_NOMEM. */
int codec_encode(const ProtobufCMessage *message, struct buf *out)
    __attribute__((warn_unused_result));

/* UTF-8 without NUL: what a string field may hold. */
bool codec_is_text(struct bytes text);

/* ---- from protobuf-c's types to views ---- */

static inline struct bytes codec_view(ProtobufCBinaryData b)
{
    return b.len ? BYTES(b.data, b.len) : BYTES_NONE;
}

/* An absent string and an empty one are both BYTES_NONE. */
static inline struct bytes codec_view_text(const char *s)
{
    return s && *s ? bytes_of(s) : BYTES_NONE;
}

/* The ${n} elements at ${from} as views in an array in ${a}. COMITY_E_NOMEM. */
int codec_view_list(struct arena *a, const ProtobufCBinaryData *from, size_t n,
                    const struct bytes **ret) __attribute__((warn_unused_result));
int codec_view_text_list(struct arena *a, char *const *from, size_t n, const struct bytes **ret)
    __attribute__((warn_unused_result));

/* ---- from views to protobuf-c's types, for as long as one encoding takes ---- */

/*
 * Short-lived memory for encoding: the first few KiB on the stack, the rest in an arena. Running
 * out is sticky: the pointers are NULL from then on, so check once, with codec_scratch_check(),
 * before encoding.
 */
struct codec_scratch {
    struct arena *more;
    size_t used;
    bool failed;
    _Alignas(16) uint8_t first[4096];
};

/* Leaves ${first} as it is: clearing it would cost more than a small encoding. */
static inline void codec_scratch_init(struct codec_scratch *s)
{
    s->more = NULL;
    s->used = 0;
    s->failed = false;
}
void codec_scratch_done(struct codec_scratch *s);
/* COMITY_OK or COMITY_E_NOMEM. */
int codec_scratch_check(const struct codec_scratch *s) __attribute__((warn_unused_result));
/* Not zeroed, 16-byte aligned; NULL once failed. */
void *codec_scratch_alloc(struct codec_scratch *s, size_t n);

/* No copy: protobuf-c only reads it. */
static inline ProtobufCBinaryData codec_data(struct bytes b)
{
    return (ProtobufCBinaryData){.len = b.len, .data = (uint8_t *)(uintptr_t)b.data};
}
ProtobufCBinaryData *codec_data_list(struct codec_scratch *s, const struct bytes *from, size_t n);
/* A copy with an end mark; NULL when empty, which is "absent" for an optional field and "" for a
 * required one. The caller has checked codec_is_text(). */
char *codec_text(struct codec_scratch *s, struct bytes text);
/* As codec_text for each, but never NULL inside. */
char **codec_text_list(struct codec_scratch *s, const struct bytes *from, size_t n);

#endif
