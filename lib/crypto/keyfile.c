/*
 * Key files and passphrases. See keyfile.h.
 */
#include "crypto/keyfile.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/ed25519.h"
#include "crypto/seal.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char first_line[] = "comity key v1";
static const char pem_start[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\n";

enum {
    KEYFILE_MAX = 16 * 1024,
    SECRET_LEN = 32,
    PASSPHRASE_MAX = 1024,
    /*
     * 16 MiB and some 100 ms. OpenSSL opens no PKCS#8 file whose scrypt takes more than 32 MiB,
     * which N = 2^15 with r = 8 exceeds by a little; more passes (p) make up for the memory.
     */
    SCRYPT_N = 1 << 14,
    SCRYPT_R = 8,
    SCRYPT_P = 3,
    SCRYPT_SALT_LEN = 16
};

static const struct {
    const char *word;
    int type; /* of key, as OpenSSL numbers it */
} uses[] = {
    [KEY_LEDGER] = {"ledger", EVP_PKEY_ED25519},
    [KEY_SEAL] = {"seal", EVP_PKEY_X25519},
    [KEY_CURVE] = {"curve", EVP_PKEY_X25519},
    [KEY_OFFICER] = {"officer", EVP_PKEY_ED25519},
    [KEY_AUTHORITY] = {"authority", EVP_PKEY_ED25519},
};

const char *key_use_word(enum key_use use)
{
    return uses[use].word;
}

static bool use_from_word(struct bytes word, enum key_use *ret)
{
    for (size_t i = 0; i < sizeof uses / sizeof uses[0]; i++) {
        if (bytes_is(word, uses[i].word)) {
            *ret = (enum key_use)i;
            return true;
        }
    }
    return false;
}

static int public_check(const struct key_public *k)
{
    return uses[k->use].type == EVP_PKEY_ED25519 ? ed25519_public_check(k->pub)
                                                 : seal_public_check(k->pub);
}

/*
 * Use and name, as they stand in the encrypted part too (attribute `description`): somebody who
 * cannot decrypt the file cannot make an officer's key pass for a ledger's.
 */
static void put_description(struct buf *out, const struct key_public *k)
{
    buf_printf(out, "%s %s", key_use_word(k->use), k->name);
}

/* ---- writing ---- */

static X509_SIG *encrypt(const PKCS8_PRIV_KEY_INFO *plain, struct bytes passphrase)
{
    X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, SCRYPT_SALT_LEN, NULL,
                                            SCRYPT_N, SCRYPT_R, SCRYPT_P);
    if (!pbe)
        return NULL;
    X509_SIG *sealed = PKCS8_set0_pbe((const char *)passphrase.data, (int)passphrase.len,
                                      (PKCS8_PRIV_KEY_INFO *)plain, pbe);
    if (!sealed)
        X509_ALGOR_free(pbe);
    return sealed;
}

static PKCS8_PRIV_KEY_INFO *key_info(const struct key_public *k, const uint8_t secret[SECRET_LEN])
{
    struct buf description = BUF_INIT;
    EVP_PKEY *pkey = EVP_PKEY_new_raw_private_key(uses[k->use].type, NULL, secret, SECRET_LEN);
    PKCS8_PRIV_KEY_INFO *info = pkey ? EVP_PKEY2PKCS8(pkey) : NULL;
    put_description(&description, k);
    if (info && (buf_check(&description) ||
                 PKCS8_pkey_add1_attr_by_NID(info, NID_description, V_ASN1_UTF8STRING,
                                             description.data, (int)description.len) != 1)) {
        PKCS8_PRIV_KEY_INFO_free(info);
        info = NULL;
    }
    buf_free(&description);
    EVP_PKEY_free(pkey);
    return info;
}

static int put_pem(struct buf *out, const struct key_public *k, const uint8_t secret[SECRET_LEN],
                   struct bytes passphrase)
{
    int err = COMITY_E_NOMEM;
    BIO *bio = BIO_new(BIO_s_mem());
    PKCS8_PRIV_KEY_INFO *info = key_info(k, secret);
    X509_SIG *sealed = info ? encrypt(info, passphrase) : NULL;
    if (bio && sealed && PEM_write_bio_PKCS8(bio, sealed) == 1) {
        char *pem = NULL;
        long len = BIO_get_mem_data(bio, &pem);
        buf_put(out, pem, (size_t)len);
        err = buf_check(out);
    }
    X509_SIG_free(sealed);
    PKCS8_PRIV_KEY_INFO_free(info); /* which overwrites the secret */
    BIO_free(bio);
    ERR_clear_error();
    return err;
}

static int public_of(enum key_use use, const uint8_t secret[SECRET_LEN], uint8_t ret_pub[32])
{
    if (uses[use].type == EVP_PKEY_X25519)
        return seal_public(secret, ret_pub);
    struct ed25519_key *key = NULL;
    int err = ed25519_key_new(secret, ret_pub, &key);
    ed25519_key_free(key);
    return err;
}

int keyfile_create(const char *path, enum key_use use, const char *name, struct bytes passphrase,
                   struct key_public *ret)
{
    uint8_t secret[SECRET_LEN];
    struct key_public k = {.use = use};
    struct buf content = BUF_INIT;
    if (!note_is_key_name(bytes_of(name)) || passphrase.len == 0 || passphrase.len > PASSPHRASE_MAX)
        return COMITY_E_INVALID;
    if (access(path, F_OK) == 0)
        return COMITY_E_EXISTS;
    strcpy(k.name, name);

    random_bytes(secret, sizeof secret);
    int err = public_of(use, secret, k.pub);
    buf_printf(&content, "%s\n%s\n%s\n", first_line, key_use_word(use), name);
    text_put_base64(&content, BYTES(k.pub, sizeof k.pub));
    buf_put_u8(&content, '\n');
    if (!err)
        err = put_pem(&content, &k, secret, passphrase);
    wipe(secret, sizeof secret);
    if (!err)
        err = file_create(path, buf_bytes(&content), 0600);
    buf_free(&content);
    if (!err)
        *ret = k;
    return err;
}

/* ---- reading ---- */

/* The text lines; ${rest} is left at the PEM block. */
static int read_lines(struct bytes *rest, struct key_public *ret)
{
    struct bytes first, use, name, pub;
    struct key_public k = {0};
    if (!bytes_next_line(rest, &first) || !bytes_is(first, first_line) ||
        !bytes_next_line(rest, &use) || !use_from_word(use, &k.use) ||
        !bytes_next_line(rest, &name) || !note_is_key_name(name) || !bytes_next_line(rest, &pub) ||
        text_get_base64_exact(pub, k.pub, sizeof k.pub) || !bytes_has_prefix(*rest, pem_start))
        return COMITY_E_KEY_DAMAGED;
    memcpy(k.name, name.data, name.len);
    int err = public_check(&k);
    if (err)
        return err == COMITY_E_BAD_KEY ? COMITY_E_KEY_DAMAGED : err;
    *ret = k;
    return COMITY_OK;
}

int keyfile_public(const char *path, struct key_public *ret)
{
    struct buf content = BUF_INIT;
    int err = file_read_private(path, KEYFILE_MAX, &content);
    if (!err) {
        struct bytes rest = buf_bytes(&content);
        err = read_lines(&rest, ret);
    }
    buf_free(&content);
    return err;
}

/*
 * Why decryption failed. CBC has no check of its own: a wrong passphrase shows as bad padding, or
 * as something that is no key, and so does a flipped bit in what is encrypted. Whatever goes wrong
 * before that is damage.
 */
static int decrypt_error(void)
{
    int err = COMITY_E_KEY_DAMAGED;
    unsigned long e = 0;
    while ((e = ERR_get_error()) != 0) {
        int reason = ERR_GET_REASON(e);
        if (ERR_GET_LIB(e) == ERR_LIB_PKCS12 &&
            (reason == PKCS12_R_PKCS12_CIPHERFINAL_ERROR || reason == PKCS12_R_DECODE_ERROR))
            err = COMITY_E_PASSPHRASE;
    }
    return err;
}

static int decrypt(struct bytes pem, struct bytes passphrase, PKCS8_PRIV_KEY_INFO **ret)
{
    BIO *bio = BIO_new_mem_buf(pem.data, (int)pem.len);
    if (!bio)
        return COMITY_E_NOMEM;
    X509_SIG *sealed = PEM_read_bio_PKCS8(bio, NULL, NULL, NULL);
    BIO_free(bio);
    ERR_clear_error();
    if (!sealed)
        return COMITY_E_KEY_DAMAGED;
    PKCS8_PRIV_KEY_INFO *info =
        PKCS8_decrypt(sealed, (const char *)passphrase.data, (int)passphrase.len);
    X509_SIG_free(sealed);
    if (!info)
        return decrypt_error();
    *ret = info;
    return COMITY_OK;
}

static bool description_matches(const PKCS8_PRIV_KEY_INFO *info, const struct key_public *k)
{
    struct buf expected = BUF_INIT;
    const STACK_OF(X509_ATTRIBUTE) *attributes = PKCS8_pkey_get0_attrs(info);
    int at = X509at_get_attr_by_NID(attributes, NID_description, -1);
    X509_ATTRIBUTE *attribute = at >= 0 ? X509at_get_attr(attributes, at) : NULL;
    const ASN1_STRING *found =
        attribute ? X509_ATTRIBUTE_get0_data(attribute, 0, V_ASN1_UTF8STRING, NULL) : NULL;
    put_description(&expected, k);
    bool same = found && !buf_check(&expected) &&
                bytes_equal(buf_bytes(&expected),
                            BYTES(ASN1_STRING_get0_data(found), (size_t)ASN1_STRING_length(found)));
    buf_free(&expected);
    return same;
}

/* The raw secret, when it belongs to the public half and was made for this use and name. */
static int secret_from(const PKCS8_PRIV_KEY_INFO *info, const struct key_public *k,
                       uint8_t ret_secret[SECRET_LEN])
{
    int err = COMITY_E_KEY_DAMAGED;
    uint8_t pub[SECRET_LEN], secret[SECRET_LEN];
    size_t pub_len = sizeof pub, secret_len = sizeof secret;
    EVP_PKEY *pkey = EVP_PKCS82PKEY(info);
    if (pkey && EVP_PKEY_get_id(pkey) == uses[k->use].type && description_matches(info, k) &&
        EVP_PKEY_get_raw_public_key(pkey, pub, &pub_len) == 1 &&
        EVP_PKEY_get_raw_private_key(pkey, secret, &secret_len) == 1 && pub_len == sizeof pub &&
        secret_len == sizeof secret && memcmp(pub, k->pub, sizeof pub) == 0) {
        memcpy(ret_secret, secret, sizeof secret);
        err = COMITY_OK;
    }
    wipe(secret, sizeof secret);
    EVP_PKEY_free(pkey);
    ERR_clear_error();
    return err;
}

int keyfile_open(const char *path, enum key_use use, struct bytes passphrase,
                 struct key_public *ret, uint8_t ret_secret[32])
{
    struct buf content = BUF_INIT;
    struct key_public k;
    PKCS8_PRIV_KEY_INFO *info = NULL;
    int err = file_read_private(path, KEYFILE_MAX, &content);
    struct bytes rest = buf_bytes(&content);
    if (!err)
        err = read_lines(&rest, &k);
    if (!err && k.use != use)
        err = COMITY_E_INVALID;
    if (!err && (passphrase.len == 0 || passphrase.len > PASSPHRASE_MAX))
        err = COMITY_E_PASSPHRASE;
    if (!err)
        err = decrypt(rest, passphrase, &info);
    if (!err)
        err = secret_from(info, &k, ret_secret);
    if (!err)
        *ret = k;
    PKCS8_PRIV_KEY_INFO_free(info);
    buf_free(&content);
    return err;
}

int keyfile_open_signer(const char *path, enum key_use use, struct bytes passphrase,
                        struct note_signer **ret)
{
    struct key_public k;
    uint8_t secret[SECRET_LEN];
    if (uses[use].type != EVP_PKEY_ED25519)
        return COMITY_E_INVALID;
    int err = keyfile_open(path, use, passphrase, &k, secret);
    if (err)
        return err;
    err = note_signer_new(k.name, secret, ret);
    wipe(secret, sizeof secret);
    return err;
}

/* ---- passphrases ---- */

/* Byte by byte, so that what follows the line stays in the descriptor for the next reader. */
static int read_line(int fd, struct buf *out)
{
    size_t start = out->len;
    uint8_t *to = buf_reserve(out, PASSPHRASE_MAX); /* at once: growing later would leave copies */
    if (!to)
        return COMITY_E_NOMEM;
    for (size_t len = 0;;) {
        uint8_t c = 0;
        ssize_t n = read(fd, &c, 1);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return file_err(errno);
        if (n == 0 || c == '\n') {
            out->len = start + len;
            return len > 0 ? COMITY_OK : COMITY_E_INVALID;
        }
        if (len == PASSPHRASE_MAX) {
            wipe(to, len);
            return COMITY_E_TOO_LARGE;
        }
        to[len++] = c;
        wipe(&c, 1);
    }
}

static int passphrase_from_fd(int fd, struct buf *out)
{
    struct stat st;
    if (fstat(fd, &st) != 0)
        return file_err(errno);
    if (S_ISREG(st.st_mode) && (st.st_mode & 077) != 0)
        return COMITY_E_PUBLIC_KEY_FILE;
    return read_line(fd, out);
}

int passphrase_read(const char *path, struct buf *out)
{
    struct bytes word = bytes_of(path);
    if (bytes_is(word, "-"))
        return passphrase_from_fd(STDIN_FILENO, out);
    if (bytes_has_prefix(word, "fd:")) {
        uint64_t number = 0;
        if (text_get_u64(bytes_slice(word, 3, word.len), &number) || number > INT_MAX)
            return COMITY_E_INVALID;
        return passphrase_from_fd((int)number, out);
    }
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return file_err(errno);
    int err = passphrase_from_fd(fd, out);
    close(fd);
    return err;
}
