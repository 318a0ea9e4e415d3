/*
 * Whether bytes from strangers are a message, bounded and canonical. Internal to lib/msg; bind.h
 * reads what was found good here.
 *
 * protobuf-c gives the descriptors, and no more: its decoder has no depth limit, takes duplicate
 * fields, padded varints and unknown fields, and lets a megabyte of input become fifty of memory.
 * So bytes are walked against the descriptor, without allocating and without recursion. One message
 * has one encoding:
 *
 *   - fields stand in the order of their numbers, singular ones once, of a oneof at most one;
 *   - varints are as short as they can be and fit their type;
 *   - strings are UTF-8 without NUL;
 *   - an optional bytes or string field is never present and empty: structs in lib/msg say "none"
 * by length 0, and present-but-empty would be a second spelling of that.
 *
 * Nothing else is left to choose when a message is written, so bytes that pass are those that
 * encoding would give; fuzzers, and a cross-check with another implementation, hold us to it.
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
 * Whether ${bytes} are one canonical message of ${type}, which must not be recursive.
 * COMITY_E_TOO_LARGE beyond a limit, COMITY_E_TOO_DEEP, COMITY_E_MALFORMED (not protocol buffers,
 * wrong wire type, a required field is missing, a string that is no text), COMITY_E_NOT_CANONICAL
 * (another spelling, unknown fields).
 */
int codec_check(struct bytes bytes, const ProtobufCMessageDescriptor *type,
                const struct codec_limits *limits) __attribute__((warn_unused_result));

/* The number of the first field in ${bytes}, 0 when there is none: which message of a oneof this
 * is. */
uint32_t codec_first_field(struct bytes bytes);

/* How often ${field} of ${type} may occur; 0 when ${limits} do not list it. */
uint32_t codec_repeated_max(const struct codec_limits *limits,
                            const ProtobufCMessageDescriptor *type, uint32_t field);

/* UTF-8 without NUL: what a string field may hold. */
bool codec_is_text(struct bytes text);

#endif
