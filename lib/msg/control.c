/*
 * Requests and replies of the control socket. See control.h.
 */
#include "msg/control.h"

#include "msg/bind.h"
#include "msg/entry.h"

#include <comity/err.h>
#include <control.pb-c.h>

static const struct bind_field request_fields[] = {
    BIND_U64(struct control_request, id),
    BIND_TEXT(struct control_request, method, 1, CONTROL_METHOD_MAX, NULL),
    BIND_BYTES(struct control_request, json, 1, CONTROL_BYTES_MAX),
    BIND_BYTES(struct control_request, record, 1, BODY_BYTES_MAX),
    BIND_BYTES(struct control_request, salt, SALT_LEN, SALT_LEN),
    BIND_BYTES_LIST(struct control_request, notes, note_count, 1, BIND_NOTE_MAX),
    BIND_BYTES(struct control_request, chunk, 1, CONTROL_CHUNK_MAX),
};
static const struct bind request_bind =
    BIND_OF(request, struct control_request, request_fields, NULL);

static const struct codec_repeated request_repeated[] = {
    {&comity__request__descriptor, 6, CONTROL_NOTES_MAX},
};
static const struct codec_limits request_limits = {
    .bytes_max = CONTROL_BYTES_MAX,
    .depth_max = 1,
    .fields_max = 6 + CONTROL_NOTES_MAX,
    .repeated = request_repeated,
    .repeated_count = 1,
};

int control_request_encode(const struct control_request *r, struct buf *out)
{
    return bind_encode(r, &request_bind, &request_limits, out);
}

int control_request_decode(struct arena *a, struct bytes bytes, struct control_request *ret)
{
    return bind_decode(a, bytes, &request_bind, &request_limits, ret);
}

static const struct bind_field reply_fields[] = {
    BIND_U64(struct control_reply, id),
    BIND_S32(struct control_reply, err),
    BIND_BYTES(struct control_reply, json, 1, CONTROL_BYTES_MAX),
    BIND_BYTES(struct control_reply, chunk, 1, CONTROL_CHUNK_MAX),
    BIND_BOOL(struct control_reply, more),
};
static const struct bind reply_bind = BIND_OF(reply, struct control_reply, reply_fields, NULL);

static const struct codec_limits reply_limits = {
    .bytes_max = CONTROL_BYTES_MAX,
    .depth_max = 1,
    .fields_max = 5,
};

int control_reply_encode(const struct control_reply *r, struct buf *out)
{
    return bind_encode(r, &reply_bind, &reply_limits, out);
}

int control_reply_decode(struct arena *a, struct bytes bytes, struct control_reply *ret)
{
    return bind_decode(a, bytes, &reply_bind, &reply_limits, ret);
}
