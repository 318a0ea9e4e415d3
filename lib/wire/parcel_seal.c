/*
 * The sealed part of a parcel: made, bound, and opened.
 *
 *     CK     = 32 random bytes;  K[32] ‖ N[12] ‖ C[32] = HKDF-Expand(CK, "comity-seal-key/v1", 76)
 *     AAD    = "comity-seal/v1\n" ‖ lp(origin) ‖ lp(recipient 1) ‖ …
 *     sealed = C ‖ AES-256-GCM(K, N, AAD, openings)
 *     wrap   = key id[8] ‖ enc[32] ‖ ct[48]: HPKE of CK, aad = H(sealed),
 *              info = "comity-wrap/v1\n" ‖ lp(origin) ‖ lp(reader's member id) ‖ lp(key id)
 *     seal   = H("comity-parcel/v1\n" ‖ lp(sealed) ‖ list(wraps) ‖ list(blobs))
 *
 * C commits to the key: without it a sender could make one ciphertext that two readers open to two
 * texts.
 */
#include "wire/parcel.h"

#include "crypto/seal.h"
#include "wire/parcel_internal.h"

#include <comity/err.h>
#include <string.h>

enum { CK_LEN = 32, COMMIT_LEN = 32, KEYS_LEN = AEAD_KEY_LEN + AEAD_NONCE_LEN + COMMIT_LEN };

struct content_keys {
    uint8_t key[AEAD_KEY_LEN];
    uint8_t nonce[AEAD_NONCE_LEN];
    uint8_t commit[COMMIT_LEN];
};

static void derive(const uint8_t ck[CK_LEN], struct content_keys *ret)
{
    uint8_t out[KEYS_LEN];
    hkdf_expand(BYTES(ck, CK_LEN), BYTES_LIT("comity-seal-key/v1"), out, sizeof out);
    memcpy(ret->key, out, AEAD_KEY_LEN);
    memcpy(ret->nonce, out + AEAD_KEY_LEN, AEAD_NONCE_LEN);
    memcpy(ret->commit, out + AEAD_KEY_LEN + AEAD_NONCE_LEN, COMMIT_LEN);
    wipe(out, sizeof out);
}

static void put_aad_start(struct buf *out, struct bytes origin)
{
    buf_put_str(out, "comity-seal/v1\n");
    buf_put_lp(out, origin);
}

static void put_wrap_info(struct buf *out, struct bytes origin, struct bytes member,
                          const uint8_t key_id[SEAL_KEY_ID_LEN])
{
    buf_put_str(out, "comity-wrap/v1\n");
    buf_put_lp(out, origin);
    buf_put_lp(out, member);
    buf_put_lp(out, BYTES(key_id, SEAL_KEY_ID_LEN));
}

void parcel_seal_hash(const struct suite *suite, struct bytes sealed, const struct bytes *wraps,
                      size_t wrap_count, const struct bytes *blobs, size_t blob_count,
                      struct hash *ret)
{
    /* Everything but the sealed bytes is short: copy it, and hash the long part where it lies. */
    struct buf head = BUF_INIT;
    struct buf tail = BUF_INIT;
    buf_put_str(&head, "comity-parcel/v1\n");
    buf_put_u32be(&head, (uint32_t)sealed.len);
    buf_put_u32be(&tail, (uint32_t)wrap_count);
    for (size_t i = 0; i < wrap_count; i++)
        buf_put_lp(&tail, wraps[i]);
    buf_put_u32be(&tail, (uint32_t)blob_count);
    for (size_t i = 0; i < blob_count; i++)
        buf_put_lp(&tail, blobs[i]);
    if (buf_check(&head) || buf_check(&tail))
        memset(ret, 0, sizeof *ret); /* no memory: a hash that matches nothing */
    else
        hash_of(suite, ret, buf_bytes(&head), sealed, buf_bytes(&tail));
    buf_free(&head);
    buf_free(&tail);
}

static int wrap_for(const struct parcel_seal_input *in, const struct parcel_reader *reader,
                    const uint8_t ck[CK_LEN], const struct hash *sealed_hash, struct buf *out)
{
    uint8_t wrap[PARCEL_WRAP_LEN];
    uint8_t *key_id = wrap;
    uint8_t *enc = wrap + SEAL_KEY_ID_LEN;
    uint8_t *ct = enc + HPKE_ENC_LEN;
    seal_key_id(in->suite, reader->pub, key_id);
    struct buf info = BUF_INIT;
    put_wrap_info(&info, in->origin, reader->member, key_id);
    int err = buf_check(&info);
    if (!err)
        err = hpke_seal(reader->pub, buf_bytes(&info), hash_bytes(sealed_hash), BYTES(ck, CK_LEN),
                        enc, ct);
    if (!err)
        buf_put(out, wrap, sizeof wrap);
    buf_free(&info);
    return err ? err : buf_check(out);
}

static int seal_content(const struct parcel_seal_input *in, const uint8_t ck[CK_LEN],
                        struct buf *out)
{
    struct content_keys keys;
    derive(ck, &keys);
    struct buf aad = BUF_INIT;
    put_aad_start(&aad, in->origin);
    for (size_t i = 0; i < in->recipient_count; i++)
        buf_put_lp(&aad, in->recipients[i].member);
    buf_put(out, keys.commit, sizeof keys.commit);
    size_t len = in->openings.len + AEAD_TAG_LEN;
    uint8_t *to = buf_reserve(out, len);
    int err = to ? buf_check(&aad) : COMITY_E_NOMEM;
    if (!err) {
        aead_seal(keys.key, keys.nonce, buf_bytes(&aad), in->openings, to);
        out->len += len;
    }
    buf_free(&aad);
    wipe(&keys, sizeof keys);
    return err;
}

int parcel_seal(const struct parcel_seal_input *in, struct parcel_sealed *ret)
{
    struct parcel_sealed s = {0};
    struct bytes wraps[PARCEL_RECIPIENTS_MAX + 1];
    uint8_t ck[CK_LEN];
    if (in->recipient_count > PARCEL_RECIPIENTS_MAX)
        return COMITY_E_INVALID;
    random_bytes(ck, sizeof ck);
    struct hash sealed_hash;
    int err = seal_content(in, ck, &s.sealed);
    if (err)
        goto out;
    hash_of(in->suite, &sealed_hash, buf_bytes(&s.sealed));
    s.wrap_count = in->recipient_count + 1;
    for (size_t i = 0; !err && i < s.wrap_count; i++)
        err = wrap_for(in, i < in->recipient_count ? &in->recipients[i] : &in->sender, ck,
                       &sealed_hash, &s.wraps);
    if (err)
        goto out;
    for (size_t i = 0; i < s.wrap_count; i++)
        wraps[i] = BYTES(s.wraps.data + i * PARCEL_WRAP_LEN, PARCEL_WRAP_LEN);
    parcel_seal_hash(in->suite, buf_bytes(&s.sealed), wraps, s.wrap_count, in->blobs,
                     in->blob_count, &s.seal);
    *ret = s;
    s = (struct parcel_sealed){0};
out:
    wipe(ck, sizeof ck);
    parcel_sealed_free(&s);
    return err;
}

void parcel_sealed_free(struct parcel_sealed *s)
{
    if (!s)
        return;
    buf_free(&s->sealed);
    buf_free(&s->wraps);
    *s = (struct parcel_sealed){0};
}

/* The place of ${me} among the wraps: recipients in order, the sender last. -1 when it is none of
 * them. */
static ptrdiff_t wrap_place(const struct parcel_facts *f, struct bytes me)
{
    for (size_t i = 0; i < f->head.recipient_count; i++)
        if (bytes_equal(f->head.recipients[i], me))
            return (ptrdiff_t)i;
    return bytes_equal(f->from->member->id, me) ? (ptrdiff_t)f->head.recipient_count : -1;
}

static const struct parcel_key *key_named(const struct parcel_key *keys, size_t n,
                                          const uint8_t *id)
{
    for (size_t i = 0; i < n; i++)
        if (memcmp(keys[i].id, id, SEAL_KEY_ID_LEN) == 0)
            return &keys[i];
    return NULL;
}

static int unwrap(const struct parcel_facts *f, struct bytes me, const struct parcel_key *keys,
                  size_t n, uint8_t ret_ck[CK_LEN])
{
    ptrdiff_t place = wrap_place(f, me);
    if (place < 0)
        return COMITY_E_NOT_RECIPIENT;
    struct bytes wrap = f->parcel.wraps[place];
    const struct parcel_key *key = key_named(keys, n, wrap.data);
    if (!key)
        return COMITY_E_UNSEAL;
    struct hash sealed_hash;
    hash_of(f->from->suite, &sealed_hash, f->parcel.sealed);
    struct buf info = BUF_INIT;
    put_wrap_info(&info, f->head.origin, me, key->id);
    int err = buf_check(&info);
    if (!err)
        err = hpke_open(key->secret, bytes_slice(wrap, SEAL_KEY_ID_LEN, HPKE_ENC_LEN),
                        buf_bytes(&info), hash_bytes(&sealed_hash),
                        bytes_slice(wrap, SEAL_KEY_ID_LEN + HPKE_ENC_LEN, wrap.len), ret_ck);
    buf_free(&info);
    return err;
}

static int open_content(struct arena *a, const struct parcel_facts *f, const uint8_t ck[CK_LEN],
                        struct bytes *ret)
{
    struct bytes sealed = f->parcel.sealed;
    if (sealed.len < COMMIT_LEN + AEAD_TAG_LEN)
        return COMITY_E_UNSEAL;
    struct content_keys keys;
    derive(ck, &keys);
    struct buf aad = BUF_INIT;
    put_aad_start(&aad, f->head.origin);
    for (size_t i = 0; i < f->head.recipient_count; i++)
        buf_put_lp(&aad, f->head.recipients[i]);
    size_t len = sealed.len - COMMIT_LEN - AEAD_TAG_LEN;
    uint8_t *plain = arena_alloc_raw(a, len);
    int err = plain ? buf_check(&aad) : COMITY_E_NOMEM;
    if (!err && !secret_equal(keys.commit, sealed.data, COMMIT_LEN))
        err = COMITY_E_UNSEAL;
    if (!err)
        err = aead_open(keys.key, keys.nonce, buf_bytes(&aad),
                        bytes_slice(sealed, COMMIT_LEN, sealed.len), plain);
    if (!err)
        *ret = BYTES(plain, len);
    buf_free(&aad);
    wipe(&keys, sizeof keys);
    return err;
}

/* An opening must match its entry; only an enclosure's may be empty where the entry has a body. */
static int check_opening(const struct roster_origin *from, const struct entry *e,
                         const struct opening *o, bool is_enclosed)
{
    bool is_empty = o->salt.len == 0 && o->body.len == 0;
    if (e->body_hash.len == 0)
        return is_empty ? COMITY_OK : COMITY_E_BODY;
    if (is_empty)
        return is_enclosed ? COMITY_OK : COMITY_E_WITHHELD;
    if (o->salt.len != SALT_LEN)
        return COMITY_E_BODY;
    struct hash h;
    ledger_body_hash(from->suite, from->ledger->origin, o->salt, o->body, &h);
    return bytes_equal(hash_bytes(&h), e->body_hash) ? COMITY_OK : COMITY_E_BODY;
}

int parcel_unseal(struct arena *a, const struct parcel_facts *f, struct bytes me,
                  const struct parcel_key *keys, size_t n, struct openings *ret)
{
    if (!f->parcel.sealed.data)
        return COMITY_E_UNSEAL;
    uint8_t ck[CK_LEN];
    struct bytes plain;
    struct openings o;
    int err = unwrap(f, me, keys, n, ck);
    if (!err)
        err = open_content(a, f, ck, &plain);
    wipe(ck, sizeof ck);
    if (!err)
        err = openings_decode(a, plain, &o);
    if (err)
        return err;
    if (o.count != f->count + f->enclosure_count)
        return COMITY_E_MALFORMED;
    for (size_t i = 0; !err && i < f->count; i++)
        err = check_opening(f->from, &f->entries[i], &o.opening[i], false);
    for (size_t i = 0; !err && i < f->enclosure_count; i++) {
        const struct parcel_enclosed *e = &f->enclosures[i];
        err = check_opening(e->from, &e->entry, &o.opening[f->count + i], true);
    }
    if (!err)
        *ret = o;
    return err;
}
