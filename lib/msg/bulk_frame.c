/*
 * The frames of the bulk socket. See frame.h.
 */
#include "msg/bind.h"
#include "msg/frame.h"

#include <comity/err.h>
#include <session.pb-c.h>

enum {
    BLOCK_MAX = 256 * 1024, /* a sealed block */
    BLOCK_PROOF_MAX = 64,   /* the path of one leaf in a tree of at most 2^64 */
    GET_COUNT_MAX = 64,
    TOKEN_MAX = 64
};

/* Each kind's fields lie in struct bulk_frame itself. */

#define BLOB BIND_BYTES(struct bulk_frame, blob, 32, 32)
#define BLOCK BIND_BYTES(struct bulk_frame, block, 1, BLOCK_MAX)
#define PROOF BIND_BYTES_LIST(struct bulk_frame, proof, proof_count, 32, 32)

static const struct bind_field put_fields[] = {
    BLOB, BIND_U64(struct bulk_frame, len), BIND_U64(struct bulk_frame, index), BLOCK, PROOF,
};
static const struct bind put_bind = BIND_OF(put, struct bulk_frame, put_fields, NULL);

static const struct bind_field have_fields[] = {
    BLOB,
    BIND_U64(struct bulk_frame, index),
    BIND_BOOL(struct bulk_frame, complete),
    BIND_TEXT(struct bulk_frame, token, 1, TOKEN_MAX, NULL),
};
static const struct bind have_bind = BIND_OF(have, struct bulk_frame, have_fields, NULL);

static const struct bind_field ask_fields[] = {BLOB};
static const struct bind ask_bind = BIND_OF(ask, struct bulk_frame, ask_fields, NULL);

static int get_rule(const void *self)
{
    const struct bulk_frame *f = self;
    if (f->count > GET_COUNT_MAX)
        return COMITY_E_TOO_LARGE;
    return f->count > 0 ? COMITY_OK : COMITY_E_MALFORMED;
}

static const struct bind_field get_fields[] = {
    BLOB,
    BIND_U64(struct bulk_frame, index),
    BIND_U32(struct bulk_frame, count),
};
static const struct bind get_bind = BIND_OF(get, struct bulk_frame, get_fields, get_rule);

static const struct bind_field data_fields[] = {
    BLOB,
    BIND_U64(struct bulk_frame, index),
    BLOCK,
    PROOF,
};
static const struct bind data_bind = BIND_OF(data, struct bulk_frame, data_fields, NULL);

static int bulk_frame_rule(const void *self)
{
    const struct bulk_frame *f = self;
    return f->kind >= BULK_PUT && f->kind <= BULK_DATA ? COMITY_OK : COMITY_E_UNKNOWN_MESSAGE;
}

static const struct bind_field bulk_frame_fields[] = {
    BIND_CASE(struct bulk_frame, kind, &put_bind),  BIND_CASE(struct bulk_frame, kind, &have_bind),
    BIND_CASE(struct bulk_frame, kind, &ask_bind),  BIND_CASE(struct bulk_frame, kind, &get_bind),
    BIND_CASE(struct bulk_frame, kind, &data_bind),
};
static const struct bind bulk_frame_bind =
    BIND_OF(bulk_frame, struct bulk_frame, bulk_frame_fields, bulk_frame_rule);

static const struct codec_repeated bulk_frame_repeated[] = {
    {&comity__put__descriptor, 5, BLOCK_PROOF_MAX},
    {&comity__data__descriptor, 4, BLOCK_PROOF_MAX},
};
static const struct codec_limits bulk_frame_limits = {
    .bytes_max = BULK_FRAME_BYTES_MAX,
    .depth_max = 2,
    .fields_max = 8 + BLOCK_PROOF_MAX,
    .repeated = bulk_frame_repeated,
    .repeated_count = 2,
};

int bulk_frame_encode(const struct bulk_frame *f, struct buf *out)
{
    return bind_encode(f, &bulk_frame_bind, &bulk_frame_limits, out);
}

int bulk_frame_decode(struct arena *a, struct bytes bytes, struct bulk_frame *ret)
{
    if (bytes.len == 0 || codec_first_field(bytes) > BULK_DATA)
        return COMITY_E_UNKNOWN_MESSAGE;
    return bind_decode(a, bytes, &bulk_frame_bind, &bulk_frame_limits, ret);
}
