/*
 * Key files that cost nothing to open. See kill.h.
 */
#include "kill.h"

#include "base/file.h"
#include "crypto/keyfile.h"

#include <dirent.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>
#include <string.h>
#include <sys/stat.h>

enum { CHEAP_N = 2, KEY_FILE_MAX = 64 * 1024 };

static const char pem_begins[] = "-----BEGIN";

/* The PEM block ${pem} under the cheapest derivation, to ${out}. */
static bool seal_anew(const char *pem, struct bytes pass, BIO *out)
{
    BIO *in = BIO_new_mem_buf(pem, -1);
    X509_SIG *old = in ? PEM_read_bio_PKCS8(in, NULL, NULL, NULL) : NULL;
    PKCS8_PRIV_KEY_INFO *info =
        old ? PKCS8_decrypt(old, (const char *)pass.data, (int)pass.len) : NULL;
    X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 16, NULL, CHEAP_N, 1, 1);
    X509_SIG *fresh =
        info && pbe ? PKCS8_set0_pbe((const char *)pass.data, (int)pass.len, info, pbe) : NULL;
    bool ok = fresh && PEM_write_bio_PKCS8(out, fresh) == 1;
    X509_SIG_free(old);
    X509_SIG_free(fresh);
    PKCS8_PRIV_KEY_INFO_free(info);
    BIO_free(in);
    return ok;
}

static void cheapen(const char *path, struct bytes pass)
{
    struct buf file = BUF_INIT;
    struct buf anew = BUF_INIT;
    char *sealed = NULL;
    if (file_read(path, KEY_FILE_MAX, &file))
        kill_die(path, "cannot be read");
    const char *text = buf_str(&file);
    const char *pem = strstr(text, pem_begins);
    BIO *out = BIO_new(BIO_s_mem());
    if (!pem || !out || !seal_anew(pem, pass, out))
        kill_die(path, "is no key file of that passphrase");
    long len = BIO_get_mem_data(out, &sealed);
    buf_put(&anew, text, (size_t)(pem - text));
    buf_put(&anew, sealed, (size_t)len);
    if (file_write(path, buf_bytes(&anew), 0600))
        kill_die(path, "cannot be written");
    BIO_free(out);
    buf_free(&file);
    buf_free(&anew);
}

void keys_cheapen(const char *dir, const char *passphrase_file)
{
    struct buf pass = BUF_INIT;
    DIR *d = opendir(dir);
    if (!d || passphrase_read(passphrase_file, &pass))
        kill_die(dir, "or its passphrase cannot be read");
    for (struct dirent *e = NULL; (e = readdir(d));) {
        size_t len = strlen(e->d_name);
        if (len < 4 || strcmp(e->d_name + len - 4, ".key") != 0)
            continue;
        char *path = file_path(dir, e->d_name);
        cheapen(path, buf_bytes(&pass));
        free(path);
    }
    closedir(d);
    buf_free(&pass);
}
