/*
 * Requests and replies of a node's control socket, between bytes and structs.
 */
#ifndef MSG_CONTROL_H
#define MSG_CONTROL_H

#include "base/bytes.h"

enum {
    CONTROL_BYTES_MAX = 1024 * 1024, /* of one message, without its length */
    CONTROL_CHUNK_MAX = 512 * 1024,
    CONTROL_NOTES_MAX = 16,
    CONTROL_METHOD_MAX = 64
};

struct control_request {
    uint64_t id;
    struct bytes method;
    struct bytes json;
    struct bytes record;
    struct bytes salt;
    const struct bytes *notes;
    size_t note_count;
    struct bytes chunk;
};

struct control_reply {
    uint64_t id;
    int err;
    struct bytes json;
    struct bytes chunk;
    bool more;
};

int control_request_encode(const struct control_request *r, struct buf *out)
    __attribute__((warn_unused_result));
int control_request_decode(struct arena *a, struct bytes bytes, struct control_request *ret)
    __attribute__((warn_unused_result));
int control_reply_encode(const struct control_reply *r, struct buf *out)
    __attribute__((warn_unused_result));
int control_reply_decode(struct arena *a, struct bytes bytes, struct control_reply *ret)
    __attribute__((warn_unused_result));

#endif
