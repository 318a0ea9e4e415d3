/*
 * Attachments at a node. Files are brought in by node/files.c's worker, as officers do it. What
 * node/bulk.c's thread does is done here by hand with the same parts, and without a socket: blocks
 * go straight to the broker's folder, and come from there.
 */
#include "day.h"

#include "../../node/bulk_parts.h"
#include "../../node/files.h"
#include "base/file.h"

#include <comity/err.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* ---- the thread's own, without the thread ---- */

static struct bulk *carrier_new(struct node *n)
{
    struct bulk *k = calloc(1, sizeof *k);
    char *db = site_path(n->site, "ledger.db");
    MUST(k && db);
    pthread_mutex_init(&k->lock, NULL);
    k->node = n;
    k->roster = n->roster;
    k->to_thread = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->to_turn = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    k->dir = site_path(n->site, "files/fetch");
    k->arena = arena_new(1 << 20);
    k->plain = malloc(BLOB_PLAIN);
    k->sealed = malloc(BLOB_SEALED);
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        k->fetches[i].fd = k->fetches[i].have_fd = -1;
    MUST(k->dir && k->arena && k->plain && k->sealed && file_mkdirs(k->dir, 0700) == 0);
    MUST(db_open(db, DB_READ, &k->db) == 0);
    MUST(fetch_tidy(k) == 0);
    free(db);
    return k;
}

static void carrier_free(struct bulk *k)
{
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++) {
        if (k->fetches[i].is_used)
            MUST(part_sync(&k->fetches[i]) == 0);
        fetch_free(&k->fetches[i]);
    }
    db_close(k->db);
    arena_free(k->arena);
    close(k->to_thread);
    close(k->to_turn);
    free(k->plain);
    free(k->sealed);
    free(k->dir);
    pthread_mutex_destroy(&k->lock);
    free(k);
}

void day_office_open(struct day *d, struct actor *a)
{
    struct office *o = office_of(d, a);
    MUST(files_start(a->node, &o->files) == 0);
    o->carrier = carrier_new(a->node);
    a->node->bulk = o->carrier;
}

void day_office_close(struct day *d, struct actor *a)
{
    struct office *o = office_of(d, a);
    files_stop(o->files);
    o->files = NULL;
    a->node->bulk = NULL;
    carrier_free(o->carrier);
    o->carrier = NULL;
}

/* ---- brought in ---- */

static void wait_done(struct files *f, struct files_done *ret)
{
    struct pollfd p = {.fd = files_fd(f), .events = POLLIN};
    while (!files_take(f, ret))
        MUST(poll(&p, 1, 10000) == 1);
    MUST(ret->err == 0);
}

void day_keep_file(struct day *d, struct actor *a, uint64_t len, struct kept_file *ret)
{
    enum { CHUNK = 16 * 1024 };
    struct files *f = office_of(d, a)->files;
    struct files_stream *s = files_begin(f, len);
    struct files_done done = {0};
    uint8_t chunk[CHUNK];
    for (uint64_t at = 0; at < len; at += CHUNK) {
        size_t n = len - at < CHUNK ? (size_t)(len - at) : CHUNK;
        memset(chunk, 'a' + (int)day_draw(d, 26), sizeof chunk);
        memcpy(chunk, &d->dice, sizeof d->dice);
        MUST(files_ask(f, s, FILES_CHUNK, at, BYTES(chunk, n)) == 0);
        wait_done(f, &done);
    }
    MUST(files_ask(f, s, FILES_END, len, BYTES_NONE) == 0);
    wait_done(f, &done);
    files_drop(f, s);
    *ret =
        (struct kept_file){.len = len, .sha256 = done.sha256, .sm3 = done.sm3, .blob = done.blob};
    memcpy(ret->secret, done.secret, sizeof ret->secret);
    day_mark(d, a, &(struct mark){.kind = MARK_KEPT, .number = len, .hash = done.sha256});
}

/* ---- up ---- */

/* An attachment that may be uploaded, with what opens it. */
struct ready {
    struct hash blob;
    uint64_t len;
    struct hash sha256;
    uint8_t secret[32];
};

static size_t find_ready(struct bulk *k, struct ready *ret, size_t max)
{
    struct db_rows *rows = NULL;
    size_t n = 0;
    MUST(db_query(k->db, &rows,
                  "SELECT o.blob, o.len, f.sha256, f.secret FROM attachment_out o"
                  " JOIN view_file f ON f.blob = o.blob WHERE o.state = ?1 GROUP BY o.blob",
                  DB_U64(ATTACHMENT_READY)) == 0);
    while (n < max && db_next(rows) == DB_ROW) {
        ret[n].len = db_u64(rows, 1);
        memcpy(ret[n].blob.b, db_bytes(rows, 0).data, HASH_LEN);
        memcpy(ret[n].sha256.b, db_bytes(rows, 2).data, HASH_LEN);
        memcpy(ret[n].secret, db_bytes(rows, 3).data, sizeof ret[n].secret);
        n++;
    }
    db_done(rows);
    return n;
}

static void put_block(struct day *d, struct actor *a, const struct ready *r, uint64_t i,
                      const struct blob_tree *tree)
{
    struct bulk *k = office_of(d, a)->carrier;
    struct hash_list path = {0};
    struct bytes hashes[PROOF_PATH_MAX];
    uint8_t key[32];
    size_t len = blob_block_plain(r->len, i);
    blob_key(r->secret, &r->sha256, r->len, key);
    char *name = files_path(a->node, &r->sha256);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    MUST(fd >= 0 && file_pread_all(fd, k->plain, len, (off_t)(i * BLOB_PLAIN)) == 0);
    close(fd);
    free(name);
    blob_block_seal(key, i, BYTES(k->plain, len), k->sealed);
    MUST(blob_tree_path(tree, i, &path) == 0);
    for (size_t h = 0; h < path.count; h++)
        hashes[h] = hash_bytes(&path.at[h]);
    day_blob_put(d, a->party->id, &r->blob, r->len, BYTES(k->sealed, len + 16), hashes, path.count);
    hash_list_free(&path);
}

static void upload_one(struct day *d, struct actor *a, const struct ready *r)
{
    struct bulk *k = office_of(d, a)->carrier;
    struct blob_tree *tree = NULL;
    uint8_t key[32];
    blob_key(r->secret, &r->sha256, r->len, key);
    char *name = files_path(a->node, &r->sha256);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    MUST(blob_tree_of_file(ledger_suite(a->node->ledger), fd, r->len, key, &(const volatile int){0},
                           &tree) == 0);
    close(fd);
    free(name);
    uint64_t n = blob_blocks(r->len);
    for (uint64_t i = 0; i < n; i++) {
        put_block(d, a, r, i, tree);
        if (day_draw(d, 2))
            day_blob_sync(d, &r->blob, r->len);
    }
    if (day_blob_sync(d, &r->blob, r->len) == n)
        bulk_report(k, &(struct bulk_finished){.blob = r->blob, .is_upload = true});
    blob_tree_free(tree);
}

void day_upload(struct day *d, struct actor *a)
{
    struct ready r[16];
    size_t n = find_ready(office_of(d, a)->carrier, r, 16);
    for (size_t i = 0; i < n; i++)
        upload_one(d, a, &r[i]);
}

/* ---- down ---- */

static void take_block(struct day *d, struct bulk *k, struct fetch *f)
{
    struct buf block = BUF_INIT;
    struct hash path[PROOF_PATH_MAX];
    struct bytes proof[PROOF_PATH_MAX];
    size_t n = 0;
    f->asked = f->next;
    if (day_blob_get(d, &f->facts.blob, f->facts.len, f->next, &block, path, &n)) {
        for (size_t i = 0; i < n; i++)
            proof[i] = hash_bytes(&path[i]);
        f->asked = f->blocks;
        const struct bulk_frame frame = {.kind = BULK_DATA,
                                         .blob = hash_bytes(&f->facts.blob),
                                         .index = f->next,
                                         .block = buf_bytes(&block),
                                         .proof = proof,
                                         .proof_count = n};
        MUST(fetch_take(k, &frame) == 0);
    }
    buf_free(&block);
}

static void fetch_on(struct day *d, struct bulk *k, struct fetch *f, unsigned blocks)
{
    bool has_more = true;
    for (unsigned i = 0; f->is_used && f->state == FETCH_GET && f->next < f->blocks && i < blocks;
         i++)
        take_block(d, k, f);
    while (f->is_used && has_more) {
        has_more = false;
        MUST(fetch_step(k, f, &has_more) == 0);
    }
}

void day_fetch(struct day *d, struct actor *a, unsigned blocks)
{
    struct bulk *k = office_of(d, a)->carrier;
    k->now_ms = d->world->ms;
    k->reported_count = 0;
    MUST(fetch_refill(k) == 0);
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        if (k->fetches[i].is_used)
            fetch_on(d, k, &k->fetches[i], blocks);
}
