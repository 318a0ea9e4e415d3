/*
 * Loading a site, its keys and its roster. Making one is create.c's.
 */
#include "site/site.h"

#include "base/file.h"
#include "crypto/keyfile.h"
#include "crypto/seal.h"
#include "site/conf.h"

#include <comity/err.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NETWORK_FILE_MAX = 64 * 1024 };

char *site_path(const struct site *s, const char *name)
{
    return file_path(s->dir, name);
}

const char *site_store_name(const struct site *s)
{
    return s->role == MEMBER_BROKER ? "broker" : "ledger";
}

static int load_network(struct site *s, struct buf *detail)
{
    struct buf text = BUF_INIT;
    char *path = site_path(s, "network");
    int err = path ? file_read(path, NETWORK_FILE_MAX, &text) : COMITY_E_NOMEM;
    if (!err)
        err = network_parse(buf_bytes(&text), &s->network);
    if (err)
        buf_printf(detail, "%s: not a network file", path ? path : "network");
    buf_free(&text);
    free(path);
    return err;
}

static char *folder_of(const char *path)
{
    char *copy = strdup(path);
    char *dir = copy ? strdup(dirname(copy)) : NULL;
    free(copy);
    return dir;
}

/*
 * Which of the member's ledgers this folder keeps: the one whose key lies in it. Before there is a
 * key it is the first.
 */
static int set_origin(struct site *s)
{
    struct key_public pub;
    struct origin o;
    char *path = site_path(s, "keys/ledger.key");
    int err = path ? COMITY_OK : COMITY_E_NOMEM;
    bool is_own = !err && keyfile_public(path, &pub) == COMITY_OK &&
                  text_get_origin(bytes_of(pub.name), &o) == COMITY_OK &&
                  bytes_is(o.network, s->network.name) && bytes_is(o.member, s->member);
    free(path);
    if (err)
        return err;
    int len = is_own ? asprintf(&s->origin, "%s", pub.name)
                     : asprintf(&s->origin, "%s/%s", s->network.name, s->member);
    if (len >= 0)
        return COMITY_OK;
    s->origin = NULL;
    return COMITY_E_NOMEM;
}

int site_load(const char *conf_path, struct site **ret, struct buf *detail)
{
    struct site *s = calloc(1, sizeof *s);
    int err = s && (s->dir = folder_of(conf_path)) ? COMITY_OK : COMITY_E_NOMEM;
    if (!err)
        err = conf_read(conf_path, s, detail);
    if (!err)
        err = load_network(s, detail);
    if (!err && !suite_get(s->suite)) {
        buf_printf(detail, "%s: suite %u is not known here", conf_path, s->suite);
        err = COMITY_E_SUITE;
    }
    if (!err)
        err = set_origin(s);
    if (err) {
        site_free(s);
        return err;
    }
    *ret = s;
    return COMITY_OK;
}

void site_free(struct site *s)
{
    if (!s)
        return;
    free(s->dir);
    free(s->member);
    free(s->origin);
    free(s->name);
    free(s->passphrase_file);
    free(s->control);
    free(s->listen);
    free(s->listen_bulk);
    free(s->metrics);
    free(s);
}

static int unlock(const struct site *s, const char *file, enum key_use use, struct bytes passphrase,
                  struct key_public *ret, uint8_t ret_secret[32], struct buf *detail)
{
    char *path = site_path(s, file);
    int err = path ? keyfile_open(path, use, passphrase, ret, ret_secret) : COMITY_E_NOMEM;
    if (err && err != COMITY_E_NOT_FOUND)
        buf_printf(detail, "%s: %s", path ? path : file, comity_err_text(err));
    free(path);
    return err;
}

static int unlock_ledger(const struct site *s, struct bytes passphrase, struct site_keys *k,
                         struct buf *detail)
{
    struct key_public pub;
    uint8_t seed[32];
    int err = unlock(s, "keys/ledger.key", KEY_LEDGER, passphrase, &pub, seed, detail);
    if (!err && strcmp(pub.name, s->origin) != 0) {
        buf_printf(detail, "keys/ledger.key is the key of %s, not of %s", pub.name, s->origin);
        err = COMITY_E_KEY_DAMAGED;
    }
    if (!err)
        err = note_signer_new(pub.name, seed, &k->ledger);
    wipe(seed, sizeof seed);
    return err;
}

/* seal-1.key, seal-2.key, … until one is missing; the first must be there. */
static int unlock_seals(const struct site *s, struct bytes passphrase, struct site_keys *k,
                        struct buf *detail)
{
    for (size_t i = 0; i < SITE_SEAL_KEYS_MAX; i++) {
        char file[32];
        snprintf(file, sizeof file, "keys/seal-%zu.key", i + 1);
        struct key_public pub;
        struct parcel_key *key = &k->seal[i];
        int err = unlock(s, file, KEY_SEAL, passphrase, &pub, key->secret, detail);
        if (err == COMITY_E_NOT_FOUND && i > 0)
            return COMITY_OK;
        if (err) {
            if (err == COMITY_E_NOT_FOUND)
                buf_printf(detail, "%s: missing", file);
            return err;
        }
        seal_key_id(suite_get(s->suite), pub.pub, key->id);
        memcpy(k->seal_public, pub.pub, sizeof k->seal_public);
        k->seal_count = i + 1;
    }
    return COMITY_OK;
}

int site_unlock(const struct site *s, struct bytes passphrase, struct site_keys *ret,
                struct buf *detail)
{
    struct site_keys k = {0};
    struct key_public pub;
    int err = unlock_ledger(s, passphrase, &k, detail);
    if (!err)
        err = unlock(s, "keys/curve.key", KEY_CURVE, passphrase, &pub, k.curve_secret, detail);
    if (!err)
        memcpy(k.curve_public, pub.pub, sizeof k.curve_public);
    if (!err && s->role != MEMBER_BROKER)
        err = unlock_seals(s, passphrase, &k, detail);
    if (err && detail->len == 0)
        buf_printf(detail, "%s/keys: %s", s->dir, comity_err_text(err));
    if (err)
        site_keys_wipe(&k);
    else
        *ret = k;
    wipe(&k, sizeof k);
    return err;
}

void site_keys_wipe(struct site_keys *k)
{
    if (!k)
        return;
    note_signer_free(k->ledger);
    wipe(k, sizeof *k);
}

int site_roster(const struct site *s, const struct roster *previous, struct roster **ret)
{
    struct buf file = BUF_INIT;
    char *path = site_path(s, "roster");
    int err = path ? file_read(path, ROSTER_FILE_MAX, &file) : COMITY_E_NOMEM;
    if (err == COMITY_E_NOT_FOUND)
        err = COMITY_E_NO_ROSTER;
    if (!err)
        err = roster_open(buf_bytes(&file), &s->network, previous, ret);
    buf_free(&file);
    free(path);
    return err;
}
