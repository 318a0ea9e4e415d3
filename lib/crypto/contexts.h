/*
 * OpenSSL's side of lib/crypto: algorithms that are fetched once, and the contexts that each thread
 * keeps.
 *
 * OpenSSL 3 looks an algorithm up by name at every one-shot call and allocates a context for it;
 * for a hash of 65 bytes that costs more than the hash. Private to lib/crypto.
 */
#ifndef CRYPTO_CONTEXTS_H
#define CRYPTO_CONTEXTS_H

#include "base/bytes.h"

#include <openssl/evp.h>

enum digest_alg { DIGEST_SHA256, DIGEST_SM3, DIGEST_ALGS };
enum aead_alg { AEAD_AES_256_GCM, AEAD_AES_128_GCM, AEAD_ALGS };

/* Fetch every algorithm, once a process; false when OpenSSL lacks one. Any thread. */
bool contexts_fetch(void);

/*
 * The calling thread's context for ${alg}, made at its first use and freed when the thread ends.
 * Not initialised for a message yet. The process ends when it cannot be made.
 */
EVP_MD_CTX *context_digest(enum digest_alg alg);
EVP_CIPHER_CTX *context_seal(enum aead_alg alg);
EVP_CIPHER_CTX *context_open(enum aead_alg alg);
/* HMAC with SHA-256. */
EVP_MAC_CTX *context_hmac(void);

/* The fetched digest itself; the process ends when it cannot be fetched. */
const EVP_MD *contexts_md(enum digest_alg alg);

/* End the process unless ${done}: for calls that can only fail when memory is exhausted or OpenSSL
 * is broken. */
void must(bool done);

#endif
