/*
 * Making a site, and joining it to its network. Everything is made in a temporary folder beside the
 * wanted one and renamed as a whole, so that a failure leaves nothing behind.
 */
#include "site/restore.h"

#include "base/file.h"
#include "crypto/keyfile.h"
#include "site/conf.h"

#include <comity/err.h>
#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NETWORK_FILE_MAX = 64 * 1024 };

/* What is being made. */
struct making {
    const struct site_plan *plan;
    struct bytes passphrase;
    char *dir; /* the temporary folder */
    char *origin;
    struct buf network_text;
    struct network network;
    struct key_public ledger;
    struct key_public curve;
    struct key_public seal;
};

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_tree(const char *dir)
{
    nftw(dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Not there, or an empty folder. */
static int check_vacant(const char *dir, struct buf *detail)
{
    DIR *d = opendir(dir);
    if (!d)
        return errno == ENOENT ? COMITY_OK : file_err(errno);
    size_t n = 0;
    while (readdir(d))
        n++;
    closedir(d);
    if (n <= 2)
        return COMITY_OK;
    buf_printf(detail, "%s is not empty", dir);
    return COMITY_E_EXISTS;
}

static int check_plan(const struct site_plan *plan, struct buf *detail)
{
    bool is_broker = plan->role == MEMBER_BROKER;
    struct bytes id = bytes_of(plan->member);
    if (!text_is_member_id(id) || text_is_bureau_id(id) == is_broker) {
        buf_printf(detail,
                   is_broker ? "a broker's id is [a-z][a-z0-9-]*, not \"%s\""
                             : "a bureau's id is six digits, a hyphen, three digits, not \"%s\"",
                   plan->member);
        return COMITY_E_MEMBER_ID;
    }
    if (!plan->name[0] || !text_is_line(bytes_of(plan->name))) {
        buf_put_str(detail, "the name must be one line of text");
        return COMITY_E_INVALID;
    }
    return check_vacant(plan->dir, detail);
}

static int read_network(struct making *m, struct buf *detail)
{
    int err = file_read(m->plan->network, NETWORK_FILE_MAX, &m->network_text);
    if (!err)
        err = network_parse(buf_bytes(&m->network_text), &m->network);
    if (err) {
        buf_printf(detail, "%s: %s", m->plan->network,
                   err == COMITY_E_NOT_FOUND ? comity_err_text(err) : "not a network file");
        return err;
    }
    if (asprintf(&m->origin, "%s/%s", m->network.name, m->plan->member) < 0) {
        m->origin = NULL;
        return COMITY_E_NOMEM;
    }
    return COMITY_OK;
}

static int make_folder(struct making *m)
{
    char *copy = strdup(m->plan->dir);
    int err = copy ? file_mkdirs(dirname(copy), 0700) : COMITY_E_NOMEM;
    free(copy);
    if (err)
        return err;
    if (asprintf(&m->dir, "%s.new-%ld", m->plan->dir, (long)getpid()) < 0) {
        m->dir = NULL;
        return COMITY_E_NOMEM;
    }
    if (mkdir(m->dir, 0710) != 0)
        return file_err(errno);
    static const char *const bureau[] = {"keys", "files", NULL};
    static const char *const broker[] = {"keys", "blobs", NULL};
    const char *const *names = m->plan->role == MEMBER_BROKER ? broker : bureau;
    for (; !err && *names; names++) {
        char *path = file_path(m->dir, *names);
        err = path ? file_mkdirs(path, 0700) : COMITY_E_NOMEM;
        free(path);
    }
    return err;
}

static int make_key(const struct making *m, const char *file, enum key_use use,
                    struct key_public *ret)
{
    char *path = file_path(m->dir, file);
    int err = path ? keyfile_create(path, use, m->origin, m->passphrase, ret) : COMITY_E_NOMEM;
    free(path);
    return err;
}

static int make_keys(struct making *m)
{
    int err = make_key(m, "keys/ledger.key", KEY_LEDGER, &m->ledger);
    if (!err)
        err = make_key(m, "keys/curve.key", KEY_CURVE, &m->curve);
    if (!err && m->plan->role != MEMBER_BROKER)
        err = make_key(m, "keys/seal-1.key", KEY_SEAL, &m->seal);
    return err;
}

static int make_file(const struct making *m, const char *name, struct bytes content)
{
    char *path = file_path(m->dir, name);
    int err = path ? file_create(path, content, 0600) : COMITY_E_NOMEM;
    free(path);
    return err;
}

static int open_signer(const struct making *m, struct note_signer **ret)
{
    char *path = file_path(m->dir, "keys/ledger.key");
    int err = path ? keyfile_open_signer(path, KEY_LEDGER, m->passphrase, ret) : COMITY_E_NOMEM;
    free(path);
    return err;
}

int site_append_note(struct ledger *l, struct bytes remark, int64_t now_ms)
{
    uint8_t salt[SALT_LEN];
    random_bytes(salt, sizeof salt);
    const struct body body = {.remark = remark};
    struct buf bytes = BUF_INIT;
    struct hash body_hash;
    int err = body_encode(&body, &bytes);
    if (!err)
        err = ledger_begin(l);
    if (err) {
        buf_free(&bytes);
        return err;
    }
    struct bytes origin = bytes_of(ledger_origin(l));
    ledger_body_hash(ledger_suite(l), origin, BYTES(salt, sizeof salt), buf_bytes(&bytes),
                     &body_hash);
    struct entry e = {
        .time_ms = (uint64_t)now_ms, .kind = ENTRY_NOTE, .body_hash = hash_bytes(&body_hash)};
    const struct opening opening = {.salt = BYTES(salt, sizeof salt), .body = buf_bytes(&bytes)};
    const struct openings run = {.opening = &opening, .count = 1};
    err = ledger_append(l, &e, NULL);
    if (!err)
        err = ledger_openings_put(l, origin, e.index, &run);
    if (!err)
        err = ledger_sign(l);
    if (!err)
        err = ledger_commit(l);
    else
        ledger_abort(l);
    buf_free(&bytes);
    return err;
}

static int make_ledger(const struct making *m, const struct note_signer *signer, int64_t now_ms)
{
    const struct site as_site = {.dir = m->dir, .role = m->plan->role};
    struct store *store = NULL;
    struct ledger *ledger = NULL;
    int err = site_open_store(&as_site, DB_CREATE, &store);
    if (!err)
        err = ledger_create(store, m->origin, SUITE_1, BYTES_NONE);
    if (!err)
        err = ledger_open(store, signer, &ledger);
    if (!err)
        err = site_append_note(ledger, BYTES_LIT("ledger opened"), now_ms);
    ledger_close(ledger);
    store_close(store);
    return err;
}

static int make_join(const struct making *m, const struct note_signer *signer, struct buf *join)
{
    bool is_broker = m->plan->role == MEMBER_BROKER;
    struct join_request j = {.member = bytes_of(m->plan->member),
                             .role = m->plan->role,
                             .name = bytes_of(m->plan->name),
                             .ledger = *note_signer_public(signer),
                             .suite = SUITE_1,
                             .has_seal = !is_broker};
    memcpy(j.curve, m->curve.pub, sizeof j.curve);
    memcpy(j.seal, m->seal.pub, sizeof j.seal);
    if (is_broker) {
        j.endpoint[0] = bytes_of(m->plan->endpoint);
        j.endpoint[1] = bytes_of(m->plan->endpoint_bulk);
    }
    struct buf text = BUF_INIT;
    int err = join_put_text(&text, &j);
    if (!err)
        err = note_sign(signer, buf_bytes(&text), join);
    buf_free(&text);
    return err;
}

static int make_all(struct making *m, int64_t now_ms, struct buf *join, struct buf *detail)
{
    struct note_signer *signer = NULL;
    struct buf conf = BUF_INIT;
    int err = read_network(m, detail);
    if (!err)
        err = make_folder(m);
    if (!err)
        err = make_keys(m);
    if (!err)
        err = open_signer(m, &signer);
    if (!err)
        err = make_file(m, "network", buf_bytes(&m->network_text));
    if (!err) {
        conf_put(&conf, m->plan);
        err = buf_check(&conf);
    }
    if (!err)
        err = make_file(m, m->plan->role == MEMBER_BROKER ? "broker.conf" : "node.conf",
                        buf_bytes(&conf));
    if (!err)
        err = make_ledger(m, signer, now_ms);
    if (!err)
        err = make_join(m, signer, join);
    if (!err)
        err = make_file(m, "join", buf_bytes(join));
    note_signer_free(signer);
    buf_free(&conf);
    return err;
}

int site_create(const struct site_plan *plan, struct bytes passphrase, int64_t now_ms,
                struct buf *join, struct buf *detail)
{
    struct making m = {.plan = plan, .passphrase = passphrase};
    struct buf note = BUF_INIT;
    int err = check_plan(plan, detail);
    if (err)
        return err;
    err = make_all(&m, now_ms, &note, detail);
    if (!err) {
        buf_put_bytes(join, buf_bytes(&note));
        err = buf_check(join);
    }
    if (!err) {
        rmdir(plan->dir); /* an empty folder of that name gives way */
        err = file_settle(m.dir, plan->dir);
    }
    if (err && m.dir)
        remove_tree(m.dir);
    if (err && detail->len == 0)
        buf_printf(detail, "%s: %s", plan->dir, comity_err_text(err));
    buf_free(&note);
    buf_free(&m.network_text);
    free(m.origin);
    free(m.dir);
    return err;
}

/* Whether the roster has this member with the keys of this folder. */
static int check_own_keys(const struct site *s, const struct roster *r, struct buf *detail)
{
    const struct roster_member *me = roster_member_of(r, bytes_of(s->member));
    if (!me) {
        buf_printf(detail, "the roster does not name %s", s->member);
        return COMITY_E_NOT_MEMBER;
    }
    static const struct {
        const char *file;
        enum key_use use;
    } keys[] = {{"keys/ledger.key", KEY_LEDGER}, {"keys/curve.key", KEY_CURVE}};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        struct key_public pub;
        char *path = site_path(s, keys[i].file);
        int err = path ? keyfile_public(path, &pub) : COMITY_E_NOMEM;
        free(path);
        if (err)
            return err;
        const struct roster_origin *o = roster_origin_of(r, bytes_of(s->origin));
        bool fits = keys[i].use == KEY_CURVE
                        ? bytes_equal(me->curve, BYTES(pub.pub, sizeof pub.pub))
                        : o && memcmp(o->verifier.pub, pub.pub, sizeof pub.pub) == 0;
        if (!fits) {
            buf_printf(detail, "the roster has another %s key for %s than %s/%s",
                       key_use_word(keys[i].use), s->member, s->dir, keys[i].file);
            return COMITY_E_NOT_MEMBER;
        }
    }
    return COMITY_OK;
}

int site_join(const struct site *s, struct bytes roster_file_bytes, struct buf *detail)
{
    struct roster *previous = NULL;
    struct roster *next = NULL;
    char *path = NULL;
    int err = site_roster(s, NULL, &previous);
    if (err == COMITY_E_NO_ROSTER)
        err = COMITY_OK;
    if (!err)
        err = roster_open(roster_file_bytes, &s->network, previous, &next);
    if (err == COMITY_E_ROSTER_OLD && previous &&
        bytes_equal(roster_file(previous), roster_file_bytes))
        err = COMITY_OK; /* handed in a second time */
    else if (!err)
        err = check_own_keys(s, next, detail);
    if (!err && !(path = site_path(s, "roster")))
        err = COMITY_E_NOMEM;
    if (!err)
        err = file_write(path, roster_file_bytes, 0600);
    if (err && detail->len == 0)
        buf_put_str(detail, comity_err_text(err));
    free(path);
    roster_free(next);
    roster_free(previous);
    return err;
}
