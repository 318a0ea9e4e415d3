/*
 * Uploads. See bulk_parts.h.
 *
 * ASK tells where to begin. Only if something is missing the file is read, once, for the tree whose
 * root must be the blob id; then blocks go out in their order, sealed again one by one, each with
 * its path from the tree.
 */
#include "bulk_parts.h"

#include "base/file.h"
#include "base/log.h"
#include "files.h"

#include <comity/err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void upload_free(struct upload *u)
{
    if (u->fd >= 0)
        close(u->fd);
    blob_tree_free(u->tree);
    wipe(u->key, sizeof u->key);
    *u = (struct upload){.fd = -1};
}

static void finish(struct bulk *k, struct upload *u, int err)
{
    if (!err)
        log_event(LOG_INFO, "attachment_uploaded", LOG_HEX("blob", hash_bytes(&u->blob)),
                  LOG_U64("bytes", u->len));
    bulk_report(k, &(struct bulk_finished){.blob = u->blob, .is_upload = true, .err = err});
    upload_free(u);
    k->look_ms = k->now_ms;
}

static void pause_upload(struct bulk *k, struct upload *u)
{
    bulk_pause_longer(&u->pause, k->now_ms);
    u->state = UPLOAD_ASK;
}

/* ---- which file ---- */

static int open_file(struct bulk *k, struct upload *u, const struct hash *sha256)
{
    char *path = files_path(k->node, sha256);
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    int err = !path ? COMITY_E_NOMEM : fd < 0 ? COMITY_E_NOT_FOUND : COMITY_OK;
    free(path);
    if (!err)
        u->fd = fd;
    return err;
}

/* Several records may name a blob; those of others may be wrong about it. Take the next one whose
 * file is here, own ones first. COMITY_E_NOT_FOUND when there is none. */
static int choose(struct bulk *k, struct upload *u)
{
    struct db_rows *rows = NULL;
    size_t at = 0;
    int got = 0;
    int err = db_query(k->db, &rows,
                       "SELECT sha256, secret FROM view_file WHERE blob = ?1 AND len = ?2"
                       " GROUP BY sha256, secret ORDER BY min(origin), sha256, secret",
                       DB_BLOB(hash_bytes(&u->blob)), DB_U64(u->len));
    if (err)
        return err;
    err = COMITY_E_NOT_FOUND;
    while (err == COMITY_E_NOT_FOUND && (got = db_next(rows)) == DB_ROW) {
        struct hash sha256;
        struct bytes digest = db_bytes(rows, 0);
        struct bytes secret = db_bytes(rows, 1);
        if (at++ < u->candidate || digest.len != HASH_LEN || secret.len != BLOB_SECRET_LEN)
            continue;
        memcpy(sha256.b, digest.data, HASH_LEN);
        if (!files_has(k->node, &sha256, u->len))
            continue;
        blob_key(secret.data, &sha256, u->len, u->key);
        err = open_file(k, u, &sha256);
    }
    db_done(rows);
    u->candidate = at;
    return got < 0 ? got : err;
}

static struct upload *upload_of(struct bulk *k, struct bytes blob)
{
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++)
        if (k->uploads[i].is_used && bytes_equal(hash_bytes(&k->uploads[i].blob), blob))
            return &k->uploads[i];
    return NULL;
}

static int take_row(struct bulk *k, struct db_rows *rows, bool *ret_full)
{
    struct bulk_finished f = {.is_upload = true};
    struct upload fresh = {.is_used = true, .fd = -1, .len = db_u64(rows, 1)};
    struct bytes blob = db_bytes(rows, 0);
    struct upload *place = NULL;
    memcpy(f.blob.b, blob.data, HASH_LEN);
    if (upload_of(k, blob) || bulk_is_reported(k, &f))
        return COMITY_OK;
    for (size_t i = 0; !place && i < BULK_UPLOADS_MAX; i++)
        if (!k->uploads[i].is_used)
            place = &k->uploads[i];
    *ret_full = !place || !bulk_can_report(k);
    if (*ret_full)
        return COMITY_OK;
    fresh.blob = f.blob;
    fresh.blocks = blob_blocks(fresh.len);
    int err = choose(k, &fresh);
    if (err) {
        upload_free(&fresh);
        return err == COMITY_E_NOT_FOUND ? COMITY_OK : err; /* it may be on its way here */
    }
    *place = fresh;
    wipe(fresh.key, sizeof fresh.key);
    return COMITY_OK;
}

int upload_refill(struct bulk *k)
{
    static const struct bulk_search search = {
        "SELECT blob, len FROM attachment_out WHERE state = 1 AND blob > ?1 ORDER BY blob LIMIT ?2",
        take_row};
    return bulk_search(k, &k->up, &search);
}

/* ---- what the broker says ---- */

/*
 * The broker does not know the blob, and will not: everybody who was to have it has it (${ret_how}
 * is COMITY_OK), or nobody is to have it, since every parcel that named it was refused.
 */
static int is_for_nobody(struct bulk *k, const struct upload *u, bool *ret, int *ret_how)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(k->db, &rows,
                       "SELECT count(*), count(o.receipt) FROM attachment_out_to o"
                       " LEFT JOIN parcel_out p ON p.id = o.parcel"
                       " WHERE o.blob = ?1 AND (p.state IS NOT 2 OR o.receipt IS NOT NULL)",
                       DB_BLOB(hash_bytes(&u->blob)));
    if (!err && (got = db_next(rows)) == DB_ROW) {
        *ret = db_u64(rows, 0) == db_u64(rows, 1);
        *ret_how = db_u64(rows, 0) ? COMITY_OK : COMITY_E_UNKNOWN_BLOB;
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int take_refusal(struct bulk *k, struct upload *u, struct bytes token)
{
    char word[64] = "";
    bool is_over = false;
    int how = COMITY_OK;
    if (token.len < sizeof word)
        memcpy(word, token.data, token.len);
    int why = comity_err_from_token(word);
    int err = why == COMITY_E_UNKNOWN_BLOB ? is_for_nobody(k, u, &is_over, &how) : COMITY_OK;
    if (err)
        return err;
    if (is_over) {
        finish(k, u, how);
        return COMITY_OK;
    }
    log_event(LOG_WARN, "upload_refused", LOG_HEX("blob", hash_bytes(&u->blob)),
              LOG_BYTES("error", token));
    bool is_passing = why == COMITY_E_DISK_FULL || why == COMITY_E_QUOTA;
    if (!is_passing && ++u->tries >= BULK_TRIES_MAX)
        finish(k, u, why);
    else
        pause_upload(k, u);
    return COMITY_OK;
}

static void take_progress(struct bulk *k, struct upload *u, uint64_t next)
{
    u->tries = 0;
    u->pause = (struct bulk_pause){0};
    u->progress_ms = k->now_ms;
    u->have = next;
    k->up.has_moved = true;
}

/* What is on the way counts as sent, unless the broker has less than it had: then it begins there.
 */
static void take_have(struct bulk *k, struct upload *u, uint64_t next)
{
    if (next > u->blocks)
        return;
    if (u->state == UPLOAD_ASKED) {
        u->have = u->sent = next;
        u->state = u->tree && blob_tree_count(u->tree) == u->blocks ? UPLOAD_SEND : UPLOAD_TREE;
    } else if (u->state == UPLOAD_SEND && next > u->have) {
        take_progress(k, u, next);
        u->sent = next > u->sent ? next : u->sent;
    } else if (u->state == UPLOAD_SEND && next < u->have) {
        u->have = u->sent = next;
    }
}

int upload_take(struct bulk *k, const struct bulk_frame *f)
{
    struct upload *u = f->kind == BULK_HAVE ? upload_of(k, f->blob) : NULL;
    if (!u || u->state == UPLOAD_ASK) /* nothing is waited for: it is late */
        return COMITY_OK;
    u->heard_ms = k->now_ms;
    if (f->token.len)
        return take_refusal(k, u, f->token);
    if (f->complete) {
        k->up.has_moved = true;
        finish(k, u, COMITY_OK);
    } else {
        take_have(k, u, f->index);
    }
    return COMITY_OK;
}

/* ---- work ---- */

static int ask(struct bulk *k, struct upload *u)
{
    const struct bulk_frame f = {.kind = BULK_ASK, .blob = hash_bytes(&u->blob)};
    int err = bulk_send(k, &f);
    if (!err) {
        u->state = UPLOAD_ASKED;
        u->heard_ms = k->now_ms;
    }
    return err == COMITY_E_AGAIN ? COMITY_OK : err;
}

/* Block ${i} of the file, sealed, into k->sealed. */
static int seal_block(struct bulk *k, const struct upload *u, uint64_t i, struct bytes *ret)
{
    size_t n = blob_block_plain(u->len, i);
    int err = file_pread_all(u->fd, k->plain, n, (off_t)(i * BLOB_PLAIN));
    if (err)
        return err;
    blob_block_seal(u->key, i, BYTES(k->plain, n), k->sealed);
    *ret = BYTES(k->sealed, n + (BLOB_SEALED - BLOB_PLAIN));
    return COMITY_OK;
}

/* The tree is complete: is it the blob's? If not, this was not its file, or not its secret. */
static int check_tree(struct bulk *k, struct upload *u)
{
    struct hash root;
    int err = blob_tree_root(u->tree, &root);
    if (err)
        return err;
    if (hash_equal(&root, &u->blob)) {
        u->state = UPLOAD_SEND;
        return COMITY_OK;
    }
    blob_tree_free(u->tree);
    u->tree = NULL;
    close(u->fd);
    u->fd = -1;
    err = choose(k, u);
    if (err == COMITY_E_NOT_FOUND) {
        finish(k, u, COMITY_E_BLOB);
        return COMITY_OK;
    }
    return err;
}

static int grow_tree(struct bulk *k, struct upload *u)
{
    int err = u->tree ? COMITY_OK : blob_tree_new(suite_get(k->node->site->suite), &u->tree);
    if (err)
        return err;
    for (size_t n = 0; n < BULK_SLICE_BLOCKS && blob_tree_count(u->tree) < u->blocks; n++) {
        struct bytes sealed;
        err = seal_block(k, u, blob_tree_count(u->tree), &sealed);
        if (err) {
            finish(k, u, err); /* evidence that cannot be read */
            return COMITY_OK;
        }
        err = blob_tree_add(u->tree, sealed);
        if (err)
            return err;
    }
    return blob_tree_count(u->tree) == u->blocks ? check_tree(k, u) : COMITY_OK;
}

static int send_block(struct bulk *k, struct upload *u)
{
    struct bulk_frame f = {
        .kind = BULK_PUT, .blob = hash_bytes(&u->blob), .len = u->len, .index = u->sent};
    struct bytes proof[PROOF_PATH_MAX];
    struct hash_list path = {0};
    int err = seal_block(k, u, u->sent, &f.block);
    if (err) {
        finish(k, u, err);
        return COMITY_OK;
    }
    err = blob_tree_path(u->tree, u->sent, &path);
    for (size_t i = 0; !err && i < path.count; i++)
        proof[i] = hash_bytes(&path.at[i]);
    f.proof = proof;
    f.proof_count = path.count;
    if (!err)
        err = bulk_send(k, &f);
    if (!err && u->sent++ == u->have)
        u->heard_ms = k->now_ms;
    hash_list_free(&path);
    return err == COMITY_E_AGAIN ? COMITY_OK : err;
}

static bool can_send(const struct bulk *k, const struct upload *u)
{
    return k->is_connected && !k->is_blocked && u->state == UPLOAD_SEND && u->sent < u->blocks &&
           u->sent < u->have + BULK_PUT_AHEAD;
}

bool upload_waits(const struct upload *u)
{
    return u->state == UPLOAD_ASKED || (u->state == UPLOAD_SEND && u->sent > u->have);
}

int upload_step(struct bulk *k, struct upload *u, bool *ret_more)
{
    int err = COMITY_OK;
    if (upload_waits(u) && k->now_ms - u->heard_ms > BULK_STALL_MS)
        u->state = UPLOAD_ASK;
    if (u->state == UPLOAD_ASK && k->now_ms >= u->pause.due_ms) {
        err = ask(k, u);
    } else if (u->state == UPLOAD_ASK && k->up.is_crowded &&
               k->now_ms - u->progress_ms > BULK_KEEP_MS) {
        upload_free(u);
        k->look_ms = k->now_ms;
    } else if (u->state == UPLOAD_TREE) {
        err = grow_tree(k, u);
    } else if (can_send(k, u)) {
        err = send_block(k, u);
    }
    *ret_more = *ret_more || (u->is_used && (u->state == UPLOAD_TREE || can_send(k, u)));
    return err;
}

void upload_restart(struct bulk *k)
{
    for (size_t i = 0; i < BULK_UPLOADS_MAX; i++) {
        struct upload *u = &k->uploads[i];
        u->pause = (struct bulk_pause){0};
        if (u->is_used && (u->state == UPLOAD_ASKED || u->state == UPLOAD_SEND))
            u->state = UPLOAD_ASK;
    }
}
