/*
 * Ed25519 signatures, and which public keys must not be used. See ed25519.h.
 */
#include "crypto/ed25519.h"

#include <comity/err.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct ed25519_key {
    EVP_PKEY *pkey;
};

int ed25519_key_new(const uint8_t seed[ED25519_LEN], uint8_t ret_pub[ED25519_LEN],
                    struct ed25519_key **ret)
{
    uint8_t pub[ED25519_LEN];
    size_t pub_len = sizeof pub;
    struct ed25519_key *k = calloc(1, sizeof *k);
    if (!k)
        return COMITY_E_NOMEM;
    k->pkey = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, ED25519_LEN);
    if (!k->pkey || EVP_PKEY_get_raw_public_key(k->pkey, pub, &pub_len) != 1) {
        ERR_clear_error();
        ed25519_key_free(k);
        return COMITY_E_NOMEM;
    }
    memcpy(ret_pub, pub, sizeof pub);
    *ret = k;
    return COMITY_OK;
}

void ed25519_key_free(struct ed25519_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey); /* which overwrites the secret */
    free(k);
}

int ed25519_sign(const struct ed25519_key *k, struct bytes message,
                 uint8_t ret_signature[ED25519_SIGNATURE_LEN])
{
    uint8_t signature[ED25519_SIGNATURE_LEN];
    size_t len = sizeof signature;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool done = ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, k->pkey) == 1 &&
                EVP_DigestSign(ctx, signature, &len, message.data, message.len) == 1 &&
                len == sizeof signature;
    EVP_MD_CTX_free(ctx);
    if (!done) {
        ERR_clear_error();
        return COMITY_E_NOMEM;
    }
    memcpy(ret_signature, signature, sizeof signature);
    return COMITY_OK;
}

int ed25519_verify(const uint8_t pub[ED25519_LEN], struct bytes message,
                   const uint8_t signature[ED25519_SIGNATURE_LEN])
{
    int err = COMITY_E_NOMEM;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, pub, ED25519_LEN);
    if (ctx && pkey && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
        err =
            EVP_DigestVerify(ctx, signature, ED25519_SIGNATURE_LEN, message.data, message.len) == 1
                ? COMITY_OK
                : COMITY_E_SIGNATURE;
    EVP_PKEY_free(pkey);
    EVP_MD_CTX_free(ctx);
    if (err)
        ERR_clear_error();
    return err;
}

/* The curve's constants: p = 2^255 - 19, and d of -x² + y² = 1 + d·x²·y². */
static const char prime_hex[] = "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed";
static const char d_hex[] = "52036cee2b6ffe738cc740797779e89800700a4d4141d8ab75eb4dca135978a3";

struct field {
    BN_CTX *ctx;
    BIGNUM *p, *d, *y, *y2, *u, *v, *t;
};

static bool field_start(struct field *f)
{
    BN_CTX_start(f->ctx);
    f->p = BN_CTX_get(f->ctx);
    f->d = BN_CTX_get(f->ctx);
    f->y = BN_CTX_get(f->ctx);
    f->y2 = BN_CTX_get(f->ctx);
    f->u = BN_CTX_get(f->ctx);
    f->v = BN_CTX_get(f->ctx);
    f->t = BN_CTX_get(f->ctx);
    return f->t && BN_hex2bn(&f->p, prime_hex) && BN_hex2bn(&f->d, d_hex);
}

/*
 * x² = u/v with u = y² - 1, v = d·y² + 1. There is such an x when u/v is 0 or a square, and u/v is
 * a square exactly when u·v is; v is never 0, because -1/d is not a square. (Where x is 0, its sign
 * must be too. That is where y is 1 or -1, which not_of_low_order refuses with either sign.)
 */
static int on_curve(struct field *f)
{
    if (!BN_mod_sqr(f->y2, f->y, f->p, f->ctx) ||
        !BN_mod_sub(f->u, f->y2, BN_value_one(), f->p, f->ctx) ||
        !BN_mod_mul(f->v, f->d, f->y2, f->p, f->ctx) ||
        !BN_mod_add(f->v, f->v, BN_value_one(), f->p, f->ctx) ||
        !BN_mod_mul(f->t, f->u, f->v, f->p, f->ctx))
        return COMITY_E_NOMEM;
    int kronecker = BN_kronecker(f->t, f->p, f->ctx);
    if (kronecker < -1)
        return COMITY_E_NOMEM;
    return kronecker == -1 ? COMITY_E_BAD_KEY : COMITY_OK;
}

/*
 * The points whose order divides 8, by their y: 1 (order 1), -1 (2), 0 (4), and, where doubling
 * leads to y = 0, that is x² = -y², the roots of d·y⁴ + 2·y² - 1 (8).
 */
static int not_of_low_order(struct field *f)
{
    if (BN_is_zero(f->y) || BN_is_zero(f->u))
        return COMITY_E_BAD_KEY;
    if (!BN_mod_sqr(f->t, f->y2, f->p, f->ctx) || !BN_mod_mul(f->t, f->t, f->d, f->p, f->ctx) ||
        !BN_mod_add(f->t, f->t, f->y2, f->p, f->ctx) || !BN_mod_add(f->t, f->t, f->u, f->p, f->ctx))
        return COMITY_E_NOMEM;
    return BN_is_zero(f->t) ? COMITY_E_BAD_KEY : COMITY_OK;
}

int ed25519_public_check(const uint8_t pub[ED25519_LEN])
{
    struct field f = {.ctx = BN_CTX_new()};
    if (!f.ctx)
        return COMITY_E_NOMEM;
    uint8_t little[ED25519_LEN];
    memcpy(little, pub, sizeof little);
    little[ED25519_LEN - 1] &= 0x7f; /* the sign of x */

    int err = COMITY_E_NOMEM;
    if (field_start(&f) && BN_lebin2bn(little, sizeof little, f.y))
        err = BN_cmp(f.y, f.p) < 0 ? on_curve(&f) : COMITY_E_BAD_KEY;
    if (!err)
        err = not_of_low_order(&f);
    BN_CTX_end(f.ctx);
    BN_CTX_free(f.ctx);
    if (err)
        ERR_clear_error();
    return err;
}
