/*
 * Parcels, heads and openings. See parcel.h.
 */
#include "msg/parcel.h"

#include "base/text.h"
#include "msg/bind.h"

#include <comity/err.h>
#include <parcel.pb-c.h>

/* ---- head ---- */

static const struct bind_field since_fields[] = {
    BIND_TEXT(struct parcel_since, member, 1, MEMBER_ID_MAX, text_is_member_id),
    BIND_F64(struct parcel_since, size),
};
static const struct bind since_bind = BIND_OF(since, struct parcel_since, since_fields, NULL);

static const struct bind_field enclosure_fields[] = {
    BIND_BYTES(struct parcel_enclosure, entry, 1, ENTRY_BYTES_MAX),
    BIND_BYTES(struct parcel_enclosure, checkpoint, 1, BIND_NOTE_MAX),
    BIND_BYTES_LIST(struct parcel_enclosure, proof, proof_count, 32, 32),
    BIND_BYTES(struct parcel_enclosure, routed, 1, PARCEL_BYTES_MAX),
};
static const struct bind enclosure_bind =
    BIND_OF(enclosure, struct parcel_enclosure, enclosure_fields, NULL);

static bool since_ascends(const struct parcel_since *since, size_t n)
{
    for (size_t i = 1; i < n; i++) {
        int order = bytes_compare(since[i - 1].member, since[i].member);
        if (order > 0 || (order == 0 && since[i - 1].size >= since[i].size))
            return false;
    }
    return true;
}

static int head_rule(const void *self)
{
    const struct parcel_head *h = self;
    if (!bind_ascends(h->recipients, h->recipient_count) ||
        !bind_ascends(h->blobs, h->blob_count) || !since_ascends(h->since, h->since_count))
        return COMITY_E_NOT_CANONICAL;
    return COMITY_OK;
}

static const struct bind_field head_fields[] = {
    BIND_TEXT(struct parcel_head, origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_TEXT_LIST(struct parcel_head, recipients, recipient_count, 1, MEMBER_ID_MAX,
                   text_is_member_id),
    BIND_BYTES_LIST(struct parcel_head, entries, entry_count, 1, ENTRY_BYTES_MAX),
    BIND_BYTES(struct parcel_head, checkpoint, 1, BIND_NOTE_MAX),
    BIND_MESSAGE_LIST(struct parcel_head, since, since_count, struct parcel_since, &since_bind),
    BIND_BYTES_LIST(struct parcel_head, proof, proof_count, 32, 32),
    BIND_BYTES_LIST(struct parcel_head, blobs, blob_count, PARCEL_BLOB_LEN, PARCEL_BLOB_LEN),
    BIND_MESSAGE_LIST(struct parcel_head, enclosures, enclosure_count, struct parcel_enclosure,
                      &enclosure_bind),
};
static const struct bind head_bind = BIND_OF(head, struct parcel_head, head_fields, head_rule);

/* The path of one leaf in a tree of at most 2^64. */
enum { ENCLOSURE_PROOF_MAX = 64 };

static const struct codec_repeated head_repeated[] = {
    {&comity__head__descriptor, 2, PARCEL_RECIPIENTS_MAX},
    {&comity__head__descriptor, 3, PARCEL_ENTRIES_MAX},
    {&comity__head__descriptor, 5, PARCEL_SINCE_MAX},
    {&comity__head__descriptor, 6, PARCEL_PROOF_MAX},
    {&comity__head__descriptor, 7, PARCEL_BLOBS_MAX},
    {&comity__head__descriptor, 8, PARCEL_ENCLOSURES_MAX},
    {&comity__enclosure__descriptor, 3, ENCLOSURE_PROOF_MAX},
};
static const struct codec_limits head_limits = {
    .bytes_max = PARCEL_BYTES_MAX,
    .depth_max = 2,
    .fields_max = 2 + PARCEL_RECIPIENTS_MAX + PARCEL_ENTRIES_MAX + 3 * PARCEL_SINCE_MAX +
                  PARCEL_PROOF_MAX + PARCEL_BLOBS_MAX +
                  PARCEL_ENCLOSURES_MAX * (4 + ENCLOSURE_PROOF_MAX),
    .repeated = head_repeated,
    .repeated_count = sizeof head_repeated / sizeof head_repeated[0],
};

int parcel_head_encode(const struct parcel_head *h, struct buf *out)
{
    return bind_encode(h, &head_bind, &head_limits, out);
}

int parcel_head_decode(struct arena *a, struct bytes bytes, struct parcel_head *ret)
{
    return bind_decode(a, bytes, &head_bind, &head_limits, ret);
}

/* ---- parcel ---- */

static const struct bind_field parcel_fields[] = {
    BIND_BYTES(struct parcel, head, 1, PARCEL_BYTES_MAX),
    BIND_BYTES(struct parcel, sealed, 1, PARCEL_BYTES_MAX),
    BIND_BYTES_LIST(struct parcel, wraps, wrap_count, PARCEL_WRAP_LEN, PARCEL_WRAP_LEN),
};
static const struct bind parcel_bind = BIND_OF(parcel, struct parcel, parcel_fields, NULL);

/* One wrap for each recipient and one for the sender. */
static const struct codec_repeated parcel_repeated[] = {
    {&comity__parcel__descriptor, 3, PARCEL_RECIPIENTS_MAX + 1},
};
static const struct codec_limits parcel_limits = {
    .bytes_max = PARCEL_BYTES_MAX,
    .depth_max = 1,
    .fields_max = 3 + PARCEL_RECIPIENTS_MAX,
    .repeated = parcel_repeated,
    .repeated_count = 1,
};

int parcel_encode(const struct parcel *p, struct buf *out)
{
    return bind_encode(p, &parcel_bind, &parcel_limits, out);
}

int parcel_decode(struct arena *a, struct bytes bytes, struct parcel *ret)
{
    return bind_decode(a, bytes, &parcel_bind, &parcel_limits, ret);
}

/* ---- openings ---- */

/* A salt without a body opens the empty body; a body without its salt opens nothing. */
static int opening_rule(const void *self)
{
    const struct opening *o = self;
    return o->body.len > 0 && o->salt.len == 0 ? COMITY_E_MALFORMED : COMITY_OK;
}

static const struct bind_field opening_fields[] = {
    BIND_BYTES(struct opening, salt, SALT_LEN, SALT_LEN),
    BIND_BYTES(struct opening, body, 1, BODY_BYTES_MAX),
};
static const struct bind opening_bind =
    BIND_OF(opening, struct opening, opening_fields, opening_rule);

static const struct bind_field openings_fields[] = {
    BIND_MESSAGE_LIST(struct openings, opening, count, struct opening, &opening_bind),
};
static const struct bind openings_bind = BIND_OF(openings, struct openings, openings_fields, NULL);

static const struct codec_repeated openings_repeated[] = {
    {&comity__openings__descriptor, 1, PARCEL_ENTRIES_MAX + PARCEL_ENCLOSURES_MAX},
};
static const struct codec_limits openings_limits = {
    .bytes_max = PARCEL_BYTES_MAX,
    .depth_max = 2,
    .fields_max = 3 * (PARCEL_ENTRIES_MAX + PARCEL_ENCLOSURES_MAX),
    .repeated = openings_repeated,
    .repeated_count = 1,
};

int openings_encode(const struct openings *o, struct buf *out)
{
    return bind_encode(o, &openings_bind, &openings_limits, out);
}

int openings_decode(struct arena *a, struct bytes bytes, struct openings *ret)
{
    return bind_decode(a, bytes, &openings_bind, &openings_limits, ret);
}
