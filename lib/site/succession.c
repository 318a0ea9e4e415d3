/*
 * A ledger that cannot be gone on with is succeeded by another one, in the same folder. See
 * restore.h.
 *
 *     next/            what is to come: ledger.key (curve.key, seal.key), join; then the new
 * ledger, and `ready` once it is whole archive/<n>/     what was: the n-th ledger of this member,
 * its key, and the file `rollback`
 *
 * Files are renamed, one after the other, each only when it is still to be done. Between the first
 * and the last of these no daemon starts: there is no ledger in its place, or another one than the
 * key's.
 */
#include "site/restore.h"

#include "base/file.h"
#include "base/text.h"
#include "crypto/keyfile.h"

#include <comity/err.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NEXT_FILE_MAX = 64 * 1024 };

static bool is_there(const struct site *s, const char *name)
{
    struct stat st;
    char *path = site_path(s, name);
    bool is = path && stat(path, &st) == 0;
    free(path);
    return is;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static void remove_all(const struct site *s, const char *name)
{
    char *path = site_path(s, name);
    if (path)
        nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(path);
}

/* ---- begun ---- */

bool site_succession_is_begun(const struct site *s)
{
    return is_there(s, "next/join");
}

static unsigned generation_of(const char *origin)
{
    struct origin o;
    return text_get_origin(bytes_of(origin), &o) ? 0 : o.generation;
}

static char *next_origin(const struct site *s)
{
    char *origin = NULL;
    if (asprintf(&origin, "%s/%s.%u", s->network.name, s->member, generation_of(s->origin) + 1) < 0)
        return NULL;
    return origin;
}

/* Nobody works on the ledger: its lock is to be had. */
static int lock(const struct site *s, int *ret_fd, struct buf *detail)
{
    char name[32];
    snprintf(name, sizeof name, "%s.lock", site_store_name(s));
    char *path = site_path(s, name);
    int err = path ? file_lock(path, ret_fd) : COMITY_E_NOMEM;
    if (err == COMITY_E_BUSY)
        buf_printf(detail, "%s: the daemon runs; stop it first", s->dir);
    free(path);
    return err;
}

static int public_key(const struct site *s, const char *name, struct key_public *ret)
{
    char *path = site_path(s, name);
    int err = path ? keyfile_public(path, ret) : COMITY_E_NOMEM;
    free(path);
    return err;
}

static int make_key(const struct site *s, const char *name, enum key_use use, const char *origin,
                    struct bytes passphrase, struct key_public *ret)
{
    char *path = site_path(s, name);
    int err = path ? keyfile_create(path, use, origin, passphrase, ret) : COMITY_E_NOMEM;
    free(path);
    return err;
}

/* The seal key in use: the last one. */
static int last_seal(const struct site *s, struct key_public *ret, size_t *ret_count)
{
    int err = COMITY_OK;
    size_t n = 0;
    while (!err && n < SITE_SEAL_KEYS_MAX) {
        char name[32];
        snprintf(name, sizeof name, "keys/seal-%zu.key", n + 1);
        if (!is_there(s, name))
            break;
        err = public_key(s, name, ret);
        n++;
    }
    *ret_count = n;
    return err ? err : n ? COMITY_OK : COMITY_E_NOT_FOUND;
}

/* The CURVE and seal keys that the join note names: those there are, or new ones. */
static int fill_other_keys(const struct site *s, const struct site_succession *how,
                           const char *origin, struct bytes passphrase, struct join_request *j)
{
    struct key_public key;
    size_t seals = 0;
    int err = how->new_keys ? make_key(s, "next.new/curve.key", KEY_CURVE, origin, passphrase, &key)
                            : public_key(s, "keys/curve.key", &key);
    if (err)
        return err;
    memcpy(j->curve, key.pub, sizeof j->curve);
    if (s->role == MEMBER_BROKER) {
        j->endpoint[0] = bytes_of(how->endpoint[0]);
        j->endpoint[1] = bytes_of(how->endpoint[1]);
        return COMITY_OK;
    }
    err = how->new_keys ? make_key(s, "next.new/seal.key", KEY_SEAL, origin, passphrase, &key)
                        : last_seal(s, &key, &seals);
    j->has_seal = true;
    memcpy(j->seal, key.pub, sizeof j->seal);
    return err;
}

static int sign_join(const struct site *s, struct join_request *j, struct bytes passphrase,
                     struct buf *note)
{
    struct note_signer *signer = NULL;
    struct buf text = BUF_INIT;
    char *path = site_path(s, "next.new/ledger.key");
    int err = path ? keyfile_open_signer(path, KEY_LEDGER, passphrase, &signer) : COMITY_E_NOMEM;
    if (!err) {
        j->ledger = *note_signer_public(signer);
        err = join_put_text(&text, j);
    }
    if (!err)
        err = note_sign(signer, buf_bytes(&text), note);
    free(path);
    if (!err) {
        path = site_path(s, "next.new/join");
        err = path ? file_create(path, buf_bytes(note), 0600) : COMITY_E_NOMEM;
        free(path);
    }
    buf_free(&text);
    note_signer_free(signer);
    return err;
}

/* The folder `next`, made as a whole. */
static int make_next(const struct site *s, const struct site_succession *how,
                     struct bytes passphrase, struct buf *note)
{
    struct key_public pub;
    struct join_request j = {.member = bytes_of(s->member),
                             .role = s->role,
                             .name = bytes_of(s->name),
                             .suite = SUITE_1};
    char *origin = next_origin(s);
    char *temporary = site_path(s, "next.new");
    char *next = site_path(s, "next");
    remove_all(s, "next.new");
    int err = origin && temporary && next ? file_mkdirs(temporary, 0700) : COMITY_E_NOMEM;
    if (!err)
        err = make_key(s, "next.new/ledger.key", KEY_LEDGER, origin, passphrase, &pub);
    if (!err)
        err = fill_other_keys(s, how, origin, passphrase, &j);
    if (!err)
        err = sign_join(s, &j, passphrase, note);
    if (!err)
        err = file_settle(temporary, next);
    free(origin);
    free(temporary);
    free(next);
    return err;
}

int site_succession_begin(const struct site *s, const struct site_succession *how,
                          struct bytes passphrase, struct buf *join, struct buf *detail)
{
    struct buf note = BUF_INIT;
    int fd = -1;
    int err = lock(s, &fd, detail);
    if (!err && site_succession_is_begun(s)) {
        char *path = site_path(s, "next/join");
        err = path ? file_read(path, NEXT_FILE_MAX, &note) : COMITY_E_NOMEM;
        free(path);
    } else if (!err) {
        err = make_next(s, how, passphrase, &note);
    }
    if (!err) {
        buf_put_bytes(join, buf_bytes(&note));
        err = buf_check(join);
    }
    if (err && detail->len == 0)
        buf_printf(detail, "%s: %s", s->dir, comity_err_text(err));
    if (fd >= 0)
        close(fd);
    buf_free(&note);
    return err;
}

/* ---- finished ---- */

/* What is worked with. */
struct succeeding {
    const struct site *s;
    struct bytes passphrase;
    int64_t now_ms;
    struct roster *roster;
    const struct roster_origin *before;
    struct key_public key; /* of what is to come */
    struct site_succeeded is;
    char archive[32]; /* archive/<number> */
};

/* Which ledger is to come, and so which one it succeeds: in the middle of the way no other file
 * tells. */
static int read_key(struct succeeding *k, struct buf *detail)
{
    int err = public_key(k->s, "next/ledger.key", &k->key);
    unsigned next = err ? 0 : generation_of(k->key.name);
    if (err == COMITY_E_NOT_FOUND)
        buf_printf(detail, "%s: no succession was begun here", k->s->dir);
    if (err || next < 2 || strlen(k->key.name) > ORIGIN_MAX)
        return err ? err : COMITY_E_KEY_DAMAGED;
    k->is.number = next - 1;
    memcpy(k->is.origin, k->key.name, strlen(k->key.name) + 1);
    if (k->is.number == 1)
        snprintf(k->is.before, sizeof k->is.before, "%s/%s", k->s->network.name, k->s->member);
    else
        snprintf(k->is.before, sizeof k->is.before, "%s/%s.%u", k->s->network.name, k->s->member,
                 k->is.number);
    snprintf(k->archive, sizeof k->archive, "archive/%u", k->is.number);
    return COMITY_OK;
}

/* The roster closes the one and lists the other, under the key that was made for it. */
static int read_roster(struct succeeding *k, struct bytes file, uint64_t least, struct buf *detail)
{
    const struct site *s = k->s;
    struct roster *previous = NULL;
    int err = site_roster(s, NULL, &previous);
    if (err == COMITY_E_NO_ROSTER)
        err = COMITY_OK;
    if (!err)
        err = roster_open(file, &s->network, previous, &k->roster);
    if (err == COMITY_E_ROSTER_OLD && previous && bytes_equal(roster_file(previous), file))
        err = roster_open(file, &s->network, NULL, &k->roster);
    roster_free(previous);
    if (err)
        return err;
    const struct roster_origin *next = roster_origin_of(k->roster, bytes_of(k->is.origin));
    k->before = roster_origin_of(k->roster, bytes_of(k->is.before));
    if (!k->before || !k->before->ledger->is_closed) {
        buf_printf(detail, "the roster does not close %s", k->is.before);
        return COMITY_E_CLOSED;
    }
    if (!next || memcmp(next->verifier.pub, k->key.pub, sizeof k->key.pub) != 0) {
        buf_printf(detail, "the roster does not list %s with the key that was made for it here",
                   k->is.origin);
        return COMITY_E_NOT_MEMBER;
    }
    k->is.closed_size = k->before->ledger->closed_size;
    if (k->is.closed_size >= least)
        return COMITY_OK;
    buf_printf(
        detail,
        "the roster closes %s at %llu entries, but the broker has seen %llu: the ones between "
        "are void for ever",
        k->is.before, (unsigned long long)k->is.closed_size, (unsigned long long)least);
    return COMITY_E_ROLLBACK;
}

/* The closing checkpoint's text: what the new ledger's genesis names. */
static void put_predecessor(const struct succeeding *k, struct buf *out)
{
    struct checkpoint c = {.size = k->is.closed_size};
    memcpy(c.origin, k->is.before, sizeof k->is.before);
    memcpy(c.root.b, k->before->ledger->closed_root.data, HASH_LEN);
    checkpoint_put_text(out, &c);
}

static int append_note(const struct succeeding *k, struct ledger *l)
{
    const struct site_succeeded *is = &k->is;
    struct buf remark = BUF_INIT;
    buf_printf(
        &remark,
        "ledger opened; it succeeds %s, closed at %llu entries, of which the copy that was put "
        "back had %llu: %s",
        is->before, (unsigned long long)is->closed_size, (unsigned long long)is->size, k->archive);
    int err = buf_check(&remark);
    if (!err)
        err = site_append_note(l, buf_bytes(&remark), k->now_ms);
    buf_free(&remark);
    return err;
}

static int carry_over(const struct succeeding *k, struct store *from, struct store *to)
{
    int err = store_begin(to);
    if (err)
        return err;
    err = site_carry_node(from, to, &k->is);
    if (!err)
        return store_commit(to);
    store_rollback(to);
    return err;
}

/* The new ledger, whole, in next/. */
static int make_ledger(struct succeeding *k, struct store *from)
{
    const struct site *s = k->s;
    struct note_signer *signer = NULL;
    struct store *store = NULL;
    struct ledger *ledger = NULL;
    struct buf predecessor = BUF_INIT;
    char *key = site_path(s, "next/ledger.key");
    char *next = site_path(s, "next");
    const struct site as_site = {.dir = next, .role = s->role};
    put_predecessor(k, &predecessor);
    int err = key && next ? buf_check(&predecessor) : COMITY_E_NOMEM;
    if (!err)
        err = keyfile_open_signer(key, KEY_LEDGER, k->passphrase, &signer);
    if (!err)
        err = site_open_store(&as_site, DB_CREATE, &store);
    if (!err)
        err = ledger_create(store, k->is.origin, SUITE_1, buf_bytes(&predecessor));
    if (!err)
        err = ledger_open(store, signer, &ledger);
    if (!err)
        err = carry_over(k, from, store);
    if (!err)
        err = append_note(k, ledger);
    ledger_close(ledger);
    store_close(store);
    note_signer_free(signer);
    buf_free(&predecessor);
    free(key);
    free(next);
    return err;
}

static void remove_unfinished(const struct site *s)
{
    static const char *const tails[] = {".db", ".db-wal", ".db-shm", ".seg", ".lock"};
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        char name[32];
        snprintf(name, sizeof name, "next/%s%s", site_store_name(s), tails[i]);
        remove_all(s, name);
    }
}

static int mark_ready(const struct succeeding *k)
{
    struct buf text = BUF_INIT;
    char *path = site_path(k->s, "next/ready");
    buf_printf(&text, "%s\n%llu\n", k->is.origin, (unsigned long long)k->is.size);
    int err = path ? buf_check(&text) : COMITY_E_NOMEM;
    if (!err)
        err = file_write(path, buf_bytes(&text), 0600);
    buf_free(&text);
    free(path);
    return err;
}

/* The new ledger was made before: how large the old one was. */
static int read_ready(struct succeeding *k)
{
    struct bytes line[2];
    struct buf text = BUF_INIT;
    char *path = site_path(k->s, "next/ready");
    int err = path ? file_read(path, NEXT_FILE_MAX, &text) : COMITY_E_NOMEM;
    if (!err && (note_fields(buf_bytes(&text), k->is.origin, line, 2) != 0 ||
                 text_get_u64(line[1], &k->is.size) != 0))
        err = COMITY_E_MALFORMED;
    buf_free(&text);
    free(path);
    return err;
}

/* Opened for writing once more, so that what a crash left in its -wal is in the file that is moved.
 */
static int build(struct succeeding *k)
{
    struct store *from = NULL;
    struct ledger *old = NULL;
    int err = site_open_store(k->s, DB_WRITE, &from);
    if (!err)
        err = ledger_open_read(from, &old);
    if (!err && strcmp(ledger_origin(old), k->is.before) != 0)
        err = COMITY_E_LEDGER_DAMAGED;
    if (!err) {
        k->is.size = ledger_signed_size(old);
        remove_unfinished(k->s);
        err = make_ledger(k, from);
    }
    ledger_close(old);
    store_close(from);
    return err ? err : mark_ready(k);
}

/* Rename, unless that was done before. */
static int move(const struct site *s, const char *from, const char *to)
{
    if (!is_there(s, from) || is_there(s, to))
        return COMITY_OK;
    char *a = site_path(s, from);
    char *b = site_path(s, to);
    int err = a && b ? file_settle(a, b) : COMITY_E_NOMEM;
    free(a);
    free(b);
    return err;
}

/* ${folder}/${name} to ${to_folder}/${to}; an empty folder is the site's own. */
static int move_between(const struct site *s, const char *folder, const char *name,
                        const char *to_folder, const char *to)
{
    char a[96];
    char b[96];
    snprintf(a, sizeof a, "%s%s%s", folder, folder[0] ? "/" : "", name);
    snprintf(b, sizeof b, "%s%s%s", to_folder, to_folder[0] ? "/" : "", to);
    return move(s, a, b);
}

/* Everything of the old ledger, then everything of the new one. */
static int swap(const struct succeeding *k)
{
    const struct site *s = k->s;
    struct key_public seal;
    size_t seals = 0;
    char db[32];
    char seg[32];
    char seal_name[32];
    snprintf(db, sizeof db, "%s.db", site_store_name(s));
    snprintf(seg, sizeof seg, "%s.seg", site_store_name(s));
    bool has_seal = is_there(s, "next/seal.key");
    bool has_curve = is_there(s, "next/curve.key");
    int err = has_seal ? last_seal(s, &seal, &seals) : COMITY_OK;
    snprintf(seal_name, sizeof seal_name, "seal-%zu.key", seals + 1);
    if (!err)
        err = move_between(s, "", db, k->archive, db);
    if (!err)
        err = move_between(s, "", seg, k->archive, seg);
    if (!err)
        err = move_between(s, "keys", "ledger.key", k->archive, "ledger.key");
    if (!err && has_curve)
        err = move_between(s, "keys", "curve.key", k->archive, "curve.key");
    if (!err)
        err = move_between(s, "", "rollback", k->archive, "rollback");
    if (!err)
        err = move_between(s, "next", seg, "", seg);
    if (!err)
        err = move_between(s, "next", db, "", db);
    if (!err && has_curve)
        err = move_between(s, "next", "curve.key", "keys", "curve.key");
    if (!err && has_seal)
        err = move_between(s, "next", "seal.key", "keys", seal_name);
    return err;
}

/* The key last: with it the folder is the new ledger's. */
static int settle(const struct succeeding *k, struct bytes roster_file_bytes)
{
    const struct site *s = k->s;
    char *path = site_path(s, "roster");
    int err = path ? file_write(path, roster_file_bytes, 0600) : COMITY_E_NOMEM;
    free(path);
    if (!err && is_there(s, "next/join")) {
        char *from = site_path(s, "next/join");
        char *to = site_path(s, "join");
        err = from && to ? file_settle(from, to) : COMITY_E_NOMEM;
        free(from);
        free(to);
    }
    if (!err)
        err = move_between(s, "next", "ledger.key", "keys", "ledger.key");
    if (!err)
        remove_all(s, "next");
    return err;
}

int site_succession_finish(const struct site *s, struct bytes roster_file_bytes,
                           struct bytes passphrase, uint64_t least, int64_t now_ms,
                           struct site_succeeded *ret, struct buf *detail)
{
    struct succeeding k = {.s = s, .passphrase = passphrase, .now_ms = now_ms};
    int fd = -1;
    char *archive = NULL;
    int err = read_key(&k, detail);
    if (!err)
        err = read_roster(&k, roster_file_bytes, least, detail);
    if (!err)
        err = (archive = site_path(s, k.archive)) ? file_mkdirs(archive, 0700) : COMITY_E_NOMEM;
    if (!err)
        err = is_there(s, "next/ready") ? read_ready(&k) : build(&k);
    if (!err)
        err = lock(s, &fd, detail);
    if (!err)
        err = swap(&k);
    if (!err)
        err = settle(&k, roster_file_bytes);
    if (err && detail->len == 0)
        buf_printf(detail, "%s: %s", s->dir, comity_err_text(err));
    if (fd >= 0)
        close(fd);
    roster_free(k.roster);
    free(archive);
    if (!err)
        *ret = k.is;
    return err;
}
