/*
 * The fixed bytes of an entry's `ref`, kind by kind. See parcel.h.
 */
#include "wire/parcel.h"

#include <comity/err.h>
#include <string.h>

void ref_received_put(struct buf *out, const struct ref_received *r)
{
    buf_put_bytes(out, hash_bytes(&r->parcel));
    buf_put_u32be(out, r->count);
    buf_put_u64be(out, r->known_size);
}

int ref_received_parse(struct bytes ref, struct ref_received *ret)
{
    if (ref.len != REF_RECEIVED_LEN)
        return COMITY_E_MALFORMED;
    memcpy(ret->parcel.b, ref.data, HASH_LEN);
    ret->count = get_u32be(ref.data + HASH_LEN);
    ret->known_size = get_u64be(ref.data + HASH_LEN + 4);
    return COMITY_OK;
}

void ref_routed_put(struct buf *out, const struct ref_routed *r)
{
    buf_put_bytes(out, hash_bytes(&r->parcel));
    buf_put_u64be(out, r->parcel_seq);
}

int ref_routed_parse(struct bytes ref, struct ref_routed *ret)
{
    if (ref.len != REF_ROUTED_LEN)
        return COMITY_E_MALFORMED;
    memcpy(ret->parcel.b, ref.data, HASH_LEN);
    ret->parcel_seq = get_u64be(ref.data + HASH_LEN);
    return COMITY_OK;
}

void ref_refused_put(struct buf *out, const struct ref_refused *r)
{
    buf_put_bytes(out, hash_bytes(&r->parcel));
    buf_put_u32be(out, r->count);
    buf_put_bytes(out, r->token);
}

int ref_refused_parse(struct bytes ref, struct ref_refused *ret)
{
    enum { FIXED = HASH_LEN + 4, TOKEN_MAX = 40 };
    if (ref.len <= FIXED || ref.len > FIXED + TOKEN_MAX)
        return COMITY_E_MALFORMED;
    struct bytes token = bytes_slice(ref, FIXED, TOKEN_MAX);
    for (size_t i = 0; i < token.len; i++)
        if ((token.data[i] < 'a' || token.data[i] > 'z') && token.data[i] != '_')
            return COMITY_E_MALFORMED;
    memcpy(ret->parcel.b, ref.data, HASH_LEN);
    ret->count = get_u32be(ref.data + HASH_LEN);
    ret->token = token;
    return COMITY_OK;
}
