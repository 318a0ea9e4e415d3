/*
 * Fetches. See bulk_parts.h.
 *
 * Blocks are asked for in a window and taken in their order; each is verified against the blob id,
 * opened, written at its place and added to the digests, so that nothing has to be read again at
 * the end. What an earlier run has left is read again, once, while new blocks come behind it: a
 * fetch gets on however often it is interrupted. The file moves to its place when its length,
 * SHA-256 and SM3 are those of the record.
 */
#include "bulk_parts.h"

#include "base/file.h"
#include "base/log.h"
#include "base/text.h"
#include "domain/rules.h"
#include "files.h"

#include <comity/err.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SHORT_MS = 10 };

void fetch_free(struct fetch *f)
{
    if (f->fd >= 0)
        close(f->fd);
    if (f->have_fd >= 0)
        close(f->have_fd);
    file_digest_free(f->digest);
    wipe(&f->facts, sizeof f->facts);
    *f = (struct fetch){.fd = -1, .have_fd = -1};
}

static struct bulk_finished report_of(const struct fetch_facts *facts, int err)
{
    return (struct bulk_finished){
        .blob = facts->blob, .sha256 = facts->sha256, .sm3 = facts->sm3, .err = err};
}

static void finish(struct bulk *k, struct fetch *f, int err)
{
    const struct bulk_finished done = report_of(&f->facts, err);
    if (!err)
        log_event(LOG_INFO, "attachment_fetched", LOG_HEX("blob", hash_bytes(&done.blob)),
                  LOG_U64("bytes", f->facts.len));
    k->in.has_moved = k->in.has_moved || !err;
    bulk_report(k, &done);
    fetch_free(f);
    k->look_ms = k->now_ms;
}

/* What was asked for and is not here is asked for again, later. */
static void pause_fetch(struct bulk *k, struct fetch *f)
{
    bulk_pause_longer(&f->pause, k->now_ms);
    f->asked = f->next;
}

/* What cannot be told from a passing trouble is tried some times. */
static int try_again(struct bulk *k, struct fetch *f, int why)
{
    log_event(LOG_WARN, "fetch_refused", LOG_HEX("blob", hash_bytes(&f->facts.blob)),
              LOG_U64("block", f->next), LOG_ERR(why));
    if (++f->tries < BULK_TRIES_MAX) {
        pause_fetch(k, f);
        return COMITY_OK;
    }
    int err = part_drop(k, f);
    if (!err)
        finish(k, f, why);
    return err;
}

/* ---- begin ---- */

static int new_digest(struct fetch *f)
{
    file_digest_free(f->digest);
    f->digest = file_digest_new();
    f->read = 0;
    return f->digest ? COMITY_OK : COMITY_E_NOMEM;
}

static int begin_part(struct bulk *k, struct fetch *f)
{
    int err = new_digest(f);
    if (!err)
        err = part_open(k, f);
    f->state = FETCH_GET;
    return err;
}

/* The content may be here already: brought in, or fetched for another record. */
static int begin(struct bulk *k, struct fetch *f)
{
    f->blocks = blob_blocks(f->facts.len);
    if (!files_has(k->node, &f->facts.sha256, f->facts.len))
        return begin_part(k, f);
    char *path = files_path(k->node, &f->facts.sha256);
    if (!path)
        return COMITY_E_NOMEM;
    f->fd = open(path, O_RDONLY | O_CLOEXEC);
    free(path);
    f->state = FETCH_CHECK;
    return f->fd >= 0 ? new_digest(f) : begin_part(k, f);
}

static struct fetch *fetch_of(struct bulk *k, struct bytes blob)
{
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++)
        if (k->fetches[i].is_used && bytes_equal(hash_bytes(&k->fetches[i].facts.blob), blob))
            return &k->fetches[i];
    return NULL;
}

static const struct suite *suite_of(struct bulk *k, struct bytes origin)
{
    pthread_mutex_lock(&k->lock);
    const struct roster_origin *o = k->roster ? roster_origin_of(k->roster, origin) : NULL;
    const struct suite *suite = o ? o->suite : NULL;
    pthread_mutex_unlock(&k->lock);
    return suite;
}

/* False for a row that says nothing that could be. */
static bool get_facts(struct bulk *k, struct db_rows *rows, struct fetch_facts *ret)
{
    struct bytes sha256 = db_bytes(rows, 2);
    struct bytes sm3 = db_bytes(rows, 3);
    struct bytes secret = db_bytes(rows, 4);
    struct fetch_facts facts = {.len = db_u64(rows, 1), .suite = suite_of(k, db_bytes(rows, 5))};
    if (sha256.len != HASH_LEN || sm3.len != HASH_LEN || secret.len != BLOB_SECRET_LEN ||
        facts.len > RECORD_FILE_LEN_MAX || !facts.suite)
        return false;
    memcpy(facts.blob.b, db_bytes(rows, 0).data, HASH_LEN);
    memcpy(facts.sha256.b, sha256.data, HASH_LEN);
    memcpy(facts.sm3.b, sm3.data, HASH_LEN);
    blob_key(secret.data, &facts.sha256, facts.len, facts.key);
    *ret = facts;
    wipe(&facts, sizeof facts);
    return true;
}

static int take_row(struct bulk *k, struct db_rows *rows, bool *ret_full)
{
    struct fetch *place = NULL;
    struct fetch_facts facts;
    if (fetch_of(k, db_bytes(rows, 0)) || !get_facts(k, rows, &facts))
        return COMITY_OK;
    const struct bulk_finished done = report_of(&facts, COMITY_OK);
    for (size_t i = 0; !place && i < BULK_FETCHES_MAX; i++)
        if (!k->fetches[i].is_used)
            place = &k->fetches[i];
    bool is_done = bulk_is_reported(k, &done);
    *ret_full = !is_done && (!place || !bulk_can_report(k));
    int err = COMITY_OK;
    if (!is_done && !*ret_full) {
        *place = (struct fetch){.is_used = true, .facts = facts, .fd = -1, .have_fd = -1};
        err = begin(k, place);
    }
    wipe(&facts, sizeof facts);
    return err;
}

int fetch_refill(struct bulk *k)
{
    static const struct bulk_search search = {
        "SELECT blob, len, sha256, sm3, secret, origin FROM attachment_in"
        " WHERE state < 2 AND blob > ?1 ORDER BY blob LIMIT ?2",
        take_row};
    return bulk_search(k, &k->in, &search);
}

/* ---- the end ---- */

static bool digests_fit(struct fetch *f, bool *ret_sha256_fits)
{
    struct hash sha256;
    struct hash sm3;
    file_digest_finish(f->digest, &sha256, &sm3);
    *ret_sha256_fits = hash_equal(&sha256, &f->facts.sha256);
    return *ret_sha256_fits && hash_equal(&sm3, &f->facts.sm3);
}

/* All blocks are here. One that an earlier run has left may have been damaged on the disk: then all
 * is fetched anew. */
static int complete(struct bulk *k, struct fetch *f)
{
    bool is_sha256 = false;
    if (digests_fit(f, &is_sha256)) {
        f->state = FETCH_SETTLE;
        return COMITY_OK;
    }
    bool was_resumed = f->is_resumed;
    int err = part_drop(k, f);
    if (err)
        return err;
    if (!was_resumed) {
        finish(k, f, COMITY_E_BLOB);
        return COMITY_OK;
    }
    log_event(LOG_WARN, "fetch_restarted", LOG_HEX("blob", hash_bytes(&f->facts.blob)));
    f->state = FETCH_GET;
    return new_digest(f);
}

static int settle(struct bulk *k, struct fetch *f)
{
    int err = part_settle(k, f);
    if (err == COMITY_E_DISK_FULL) {
        bulk_pause_longer(&f->pause, k->now_ms);
        return COMITY_OK;
    }
    if (!err)
        finish(k, f, COMITY_OK);
    return err;
}

/* ---- what the broker says ---- */

static int take_have(struct bulk *k, struct fetch *f, const struct bulk_frame *frame)
{
    char word[64] = "";
    if (frame->token.len >= sizeof word)
        return try_again(k, f, COMITY_E_INTERNAL);
    if (frame->token.len) {
        memcpy(word, frame->token.data, frame->token.len);
        return try_again(k, f, comity_err_from_token(word));
    }
    if (frame->index > f->next) { /* it has come meanwhile */
        f->asked = f->next;
        f->pause.due_ms = k->now_ms + SHORT_MS;
    } else {
        pause_fetch(k, f); /* not there yet */
    }
    return COMITY_OK;
}

static int verify(const struct fetch *f, const struct bulk_frame *frame)
{
    struct hash path[PROOF_PATH_MAX];
    if (frame->proof_count > PROOF_PATH_MAX)
        return COMITY_E_BLOB;
    for (size_t i = 0; i < frame->proof_count; i++)
        memcpy(path[i].b, frame->proof[i].data, HASH_LEN);
    return blob_block_verify(f->facts.suite, &f->facts.blob, f->facts.len, f->next, frame->block,
                             path, frame->proof_count);
}

/* Keep the verified block. */
static int keep(struct bulk *k, struct fetch *f, struct bytes plain)
{
    int err = part_put(k, f, plain);
    if (err == COMITY_E_DISK_FULL) {
        log_event(LOG_WARN, "fetch_paused", LOG_HEX("blob", hash_bytes(&f->facts.blob)),
                  LOG_ERR(err));
        pause_fetch(k, f);
        return COMITY_OK;
    }
    if (err)
        return err;
    if (f->read + 1 == f->next) {
        file_digest_add(f->digest, plain);
        f->read++;
    }
    f->tries = 0;
    f->pause = (struct bulk_pause){0};
    f->progress_ms = k->now_ms;
    k->in.has_moved = true;
    if (f->read == f->blocks)
        return complete(k, f);
    return f->next - f->synced >= BULK_SYNC_BLOCKS ? part_sync(f) : COMITY_OK;
}

static int take_data(struct bulk *k, struct fetch *f, const struct bulk_frame *frame)
{
    if (frame->index != f->next || f->asked <= f->next)
        return COMITY_OK; /* of a window that was given up */
    int err = verify(f, frame);
    if (err)
        return try_again(k, f, err);
    if (blob_block_open(f->facts.key, f->next, frame->block, k->plain)) {
        /* It is the blob's block, so the record is wrong about the key. */
        err = part_drop(k, f);
        if (!err)
            finish(k, f, COMITY_E_BLOB);
        return err;
    }
    return keep(k, f, BYTES(k->plain, blob_block_plain(f->facts.len, f->next)));
}

int fetch_take(struct bulk *k, const struct bulk_frame *frame)
{
    struct fetch *f = fetch_of(k, frame->blob);
    if (!f || f->state != FETCH_GET)
        return COMITY_OK;
    f->heard_ms = k->now_ms;
    if (frame->kind == BULK_DATA)
        return take_data(k, f, frame);
    return frame->kind == BULK_HAVE && fetch_waits(f) ? take_have(k, f, frame) : COMITY_OK;
}

/* ---- work ---- */

/* Add a few blocks of a file that is here to the digests. ${ret_end}: when all was read. */
static int read_on(struct bulk *k, struct fetch *f, uint64_t blocks, bool *ret_end)
{
    for (size_t n = 0; n < BULK_SLICE_BLOCKS && f->read < blocks; n++, f->read++) {
        size_t len = blob_block_plain(f->facts.len, f->read);
        int err = file_pread_all(f->fd, k->plain, len, (off_t)(f->read * BLOB_PLAIN));
        if (err)
            return err;
        file_digest_add(f->digest, BYTES(k->plain, len));
    }
    *ret_end = f->read == blocks;
    return COMITY_OK;
}

static int check(struct bulk *k, struct fetch *f)
{
    bool is_end = false;
    bool is_sha256 = false;
    int err = read_on(k, f, f->blocks, &is_end);
    if (!err && !is_end)
        return COMITY_OK;
    if (!err && digests_fit(f, &is_sha256)) {
        finish(k, f, COMITY_OK);
    } else if (!err && is_sha256) {
        finish(k, f, COMITY_E_BLOB); /* the record is wrong about the other digest */
    } else {
        log_event(LOG_ERROR, "file_damaged", LOG_HEX("sha256", hash_bytes(&f->facts.sha256)));
        close(f->fd);
        f->fd = -1;
        return begin_part(k, f);
    }
    return COMITY_OK;
}

/* Add what an earlier run has left, and what has come behind it meanwhile. */
static int catch_up(struct bulk *k, struct fetch *f)
{
    bool is_end = false;
    int err = read_on(k, f, f->next, &is_end);
    if (err) {
        log_event(LOG_WARN, "fetch_restarted", LOG_HEX("blob", hash_bytes(&f->facts.blob)),
                  LOG_ERR(err));
        err = part_drop(k, f);
        return err ? err : new_digest(f);
    }
    return f->read == f->blocks ? complete(k, f) : COMITY_OK;
}

/* Ask for more when half of the window is free. */
static bool can_get(const struct bulk *k, const struct fetch *f)
{
    return k->is_connected && !k->is_blocked && f->state == FETCH_GET && f->asked < f->blocks &&
           k->now_ms >= f->pause.due_ms && f->asked - f->next <= BULK_GET_WINDOW / 2;
}

static int get(struct bulk *k, struct fetch *f)
{
    uint64_t end = f->next + BULK_GET_WINDOW;
    if (end > f->blocks)
        end = f->blocks;
    const struct bulk_frame frame = {.kind = BULK_GET,
                                     .blob = hash_bytes(&f->facts.blob),
                                     .index = f->asked,
                                     .count = (uint32_t)(end - f->asked)};
    int err = bulk_send(k, &frame);
    if (err)
        return err == COMITY_E_AGAIN ? COMITY_OK : err;
    if (f->asked == f->next)
        f->heard_ms = k->now_ms;
    f->asked = end;
    return COMITY_OK;
}

bool fetch_waits(const struct fetch *f)
{
    return f->state == FETCH_GET && f->asked > f->next;
}

static bool gives_way(const struct bulk *k, const struct fetch *f)
{
    return k->in.is_crowded && f->state == FETCH_GET && k->now_ms < f->pause.due_ms &&
           k->now_ms - f->progress_ms > BULK_KEEP_MS;
}

int fetch_step(struct bulk *k, struct fetch *f, bool *ret_more)
{
    int err = COMITY_OK;
    if (fetch_waits(f) && k->now_ms - f->heard_ms > BULK_STALL_MS)
        f->asked = f->next;
    if (gives_way(k, f)) {
        err = part_sync(f);
        fetch_free(f);
        k->look_ms = k->now_ms;
    } else if (f->state == FETCH_CHECK) {
        err = check(k, f);
    } else if (f->state == FETCH_SETTLE && k->now_ms >= f->pause.due_ms) {
        err = settle(k, f);
    } else if (f->state == FETCH_GET) {
        err = can_get(k, f) ? get(k, f) : COMITY_OK;
        if (!err && f->read < f->next)
            err = catch_up(k, f);
    }
    bool is_reading = f->state == FETCH_CHECK || (f->state == FETCH_GET && f->read < f->next);
    bool can_settle = f->state == FETCH_SETTLE && k->now_ms >= f->pause.due_ms;
    *ret_more = *ret_more || (f->is_used && (is_reading || can_settle || can_get(k, f)));
    return err;
}

void fetch_restart(struct bulk *k)
{
    for (size_t i = 0; i < BULK_FETCHES_MAX; i++) {
        k->fetches[i].asked = k->fetches[i].next;
        k->fetches[i].pause = (struct bulk_pause){0};
    }
}

/* ---- what is left over ---- */

static int is_wanted(struct bulk *k, const char *name, bool *ret)
{
    struct hash blob;
    uint64_t n = 0;
    *ret = false;
    if (strlen(name) < 2 * HASH_LEN || text_get_hex(BYTES(name, 2 * HASH_LEN), blob.b, HASH_LEN))
        return COMITY_OK;
    const struct db_value v = DB_BLOB(hash_bytes(&blob));
    int err = db_get_u64(k->db, 0, &n,
                         "SELECT count(*) FROM attachment_in WHERE blob = ?1 AND state < 2", &v, 1);
    *ret = n > 0;
    return err;
}

int fetch_tidy(struct bulk *k)
{
    DIR *d = opendir(k->dir);
    int err = d ? COMITY_OK : file_err(errno);
    for (struct dirent *e = NULL; !err && (e = readdir(d));) {
        bool keep_it = false;
        if (e->d_name[0] == '.')
            continue;
        err = is_wanted(k, e->d_name, &keep_it);
        if (!err && !keep_it && unlinkat(dirfd(d), e->d_name, 0) != 0)
            err = file_err(errno);
    }
    if (d)
        closedir(d);
    return err;
}
