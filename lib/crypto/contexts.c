/*
 * Fetched algorithms and the threads' contexts. See contexts.h.
 */
#include "crypto/contexts.h"

#include <openssl/core_names.h>
#include <openssl/params.h>
#include <pthread.h>
#include <stdlib.h>

static struct {
    EVP_MD *digest[DIGEST_ALGS];
    EVP_CIPHER *aead[AEAD_ALGS];
    EVP_MAC *hmac;
    pthread_key_t at_exit;
    bool complete;
} fetched;

struct thread_contexts {
    EVP_MD_CTX *digest[DIGEST_ALGS];
    EVP_CIPHER_CTX *seal[AEAD_ALGS];
    EVP_CIPHER_CTX *open[AEAD_ALGS];
    EVP_MAC_CTX *hmac;
};

static __thread struct thread_contexts mine;

void must(bool done)
{
    if (!done)
        abort();
}

/* Runs as the thread ends, while its thread-local storage still stands. */
static void free_contexts(void *arg)
{
    struct thread_contexts *t = arg;
    for (size_t i = 0; i < DIGEST_ALGS; i++)
        EVP_MD_CTX_free(t->digest[i]);
    for (size_t i = 0; i < AEAD_ALGS; i++) {
        EVP_CIPHER_CTX_free(t->seal[i]);
        EVP_CIPHER_CTX_free(t->open[i]);
    }
    EVP_MAC_CTX_free(t->hmac);
    *t = (struct thread_contexts){0};
}

static void fetch(void)
{
    static const char *const digests[DIGEST_ALGS] = {
        [DIGEST_SHA256] = "SHA2-256", [DIGEST_SM3] = "SM3"};
    static const char *const aeads[AEAD_ALGS] = {
        [AEAD_AES_256_GCM] = "AES-256-GCM", [AEAD_AES_128_GCM] = "AES-128-GCM"};
    bool complete = pthread_key_create(&fetched.at_exit, free_contexts) == 0;

    for (size_t i = 0; i < DIGEST_ALGS; i++) {
        fetched.digest[i] = EVP_MD_fetch(NULL, digests[i], NULL);
        complete = complete && fetched.digest[i];
    }
    for (size_t i = 0; i < AEAD_ALGS; i++) {
        fetched.aead[i] = EVP_CIPHER_fetch(NULL, aeads[i], NULL);
        complete = complete && fetched.aead[i];
    }
    fetched.hmac = EVP_MAC_fetch(NULL, "HMAC", NULL);
    fetched.complete = complete && fetched.hmac;
}

bool contexts_fetch(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    return pthread_once(&once, fetch) == 0 && fetched.complete;
}

/* To be called before a context is made: there are algorithms, and the thread's end will free it.
 */
static void prepare(void)
{
    must(contexts_fetch());
    must(pthread_setspecific(fetched.at_exit, &mine) == 0);
}

EVP_MD_CTX *context_digest(enum digest_alg alg)
{
    if (__builtin_expect(!mine.digest[alg], 0)) {
        prepare();
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        must(ctx && EVP_DigestInit_ex2(ctx, fetched.digest[alg], NULL) == 1);
        mine.digest[alg] = ctx;
    }
    return mine.digest[alg];
}

EVP_CIPHER_CTX *context_seal(enum aead_alg alg)
{
    if (!mine.seal[alg]) {
        prepare();
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        must(ctx && EVP_EncryptInit_ex2(ctx, fetched.aead[alg], NULL, NULL, NULL) == 1);
        mine.seal[alg] = ctx;
    }
    return mine.seal[alg];
}

EVP_CIPHER_CTX *context_open(enum aead_alg alg)
{
    if (!mine.open[alg]) {
        prepare();
        EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
        must(ctx && EVP_DecryptInit_ex2(ctx, fetched.aead[alg], NULL, NULL, NULL) == 1);
        mine.open[alg] = ctx;
    }
    return mine.open[alg];
}

EVP_MAC_CTX *context_hmac(void)
{
    if (!mine.hmac) {
        prepare();
        char digest[] = "SHA2-256";
        const OSSL_PARAM params[] = {
            OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
            OSSL_PARAM_construct_end(),
        };
        EVP_MAC_CTX *ctx = EVP_MAC_CTX_new(fetched.hmac);
        must(ctx && EVP_MAC_CTX_set_params(ctx, params) == 1);
        mine.hmac = ctx;
    }
    return mine.hmac;
}

const EVP_MD *contexts_md(enum digest_alg alg)
{
    must(contexts_fetch());
    return fetched.digest[alg];
}
