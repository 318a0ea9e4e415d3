/*
 * What lies in a dead broker's folder beside its entries: numbers, parcels, blobs. See kill.h.
 */
#include "kill.h"

#include "base/file.h"
#include "base/text.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 16 * 1024 * 1024, HEADER = 8, PATH_HASHES = 8 };

static void none_of(struct kill_daemon *d, struct db *db, const char *what, const char *sql)
{
    uint64_t n = 0;
    if (db_get_u64(db, 0, &n, sql, &DB_NULL, 1))
        kill_fail(d->c, d->id, "cannot be asked: %s", db_detail(db));
    if (n)
        kill_fail(d->c, d->id, "%s (%llu)", what, (unsigned long long)n);
}

static void check_numbers(struct kill_daemon *d, struct db *db)
{
    none_of(
        d, db, "a parcel_seq was taken twice, or has a gap",
        "SELECT count(*) FROM (SELECT max(parcel_seq) m, count(*) n FROM parcel GROUP BY origin)"
        " WHERE m <> n");
    none_of(d, db, "known is not where the parcels are",
            "SELECT count(*) FROM known k WHERE parcel_seq <> (SELECT coalesce(max(parcel_seq), 0)"
            " FROM parcel p WHERE p.origin = k.origin)");
    none_of(d, db, "a parcel was refused", "SELECT count(*) FROM parcel WHERE token IS NOT NULL");
    none_of(d, db, "a delivery_seq was given twice, or has a gap",
            "SELECT count(*) FROM (SELECT max(seq) m, count(*) n FROM delivery GROUP BY member)"
            " WHERE m <> n");
    none_of(d, db, "given is not where the deliveries are",
            "SELECT count(*) FROM recipient r WHERE given <> (SELECT coalesce(max(seq), 0)"
            " FROM delivery q WHERE q.member = r.member)");
    none_of(d, db, "more was taken than was given",
            "SELECT count(*) FROM recipient WHERE taken > given");
    none_of(d, db, "a parcel that is kept is not there",
            "SELECT count(*) FROM parcel p WHERE chunk <> 0 AND NOT EXISTS"
            " (SELECT 1 FROM store_chunk c WHERE c.id = p.chunk)");
    none_of(d, db, "a quota does not count what is queued",
            "SELECT count(*) FROM recipient r WHERE queued <> (SELECT coalesce(sum(p.len), 0) FROM"
            " delivery q JOIN parcel p ON p.id = q.parcel WHERE q.member = r.member AND q.seq > "
            "r.taken)");
}

/* ---- blobs ---- */

static size_t path_length(uint64_t i, uint64_t n)
{
    size_t len = 0;
    for (; n > 1; len++) {
        uint64_t k = 1;
        while (k < n - k)
            k <<= 1;
        if (i >= k) {
            i -= k;
            n -= k;
        } else {
            n = k;
        }
    }
    return len;
}

static int read_part(struct kill_daemon *d, struct bytes id, const char *suffix, struct buf *out)
{
    struct buf name = BUF_INIT;
    buf_printf(&name, "%s/blobs/", d->dir);
    text_put_hex(&name, id);
    buf_put_str(&name, suffix);
    int err = file_read(buf_str(&name), FILE_MAX, out);
    buf_free(&name);
    return err;
}

static bool block_is_good(const struct hash *id, uint64_t len, uint64_t i, struct bytes blocks,
                          struct bytes paths)
{
    struct hash path[PATH_HASHES];
    uint64_t n = blob_blocks(len);
    size_t slot = (path_length(0, n) + 1) * HASH_LEN;
    size_t hashes = path_length(i, n);
    size_t block = blob_block_plain(len, i) + (BLOB_SEALED - BLOB_PLAIN);
    if (i * BLOB_SEALED + block > blocks.len || HEADER + i * slot + hashes * HASH_LEN > paths.len)
        return false;
    memcpy(path, paths.data + HEADER + i * slot, hashes * HASH_LEN);
    return blob_block_verify(suite_get(SUITE_1), id, len, i,
                             BYTES(blocks.data + i * BLOB_SEALED, block), path, hashes) == 0;
}

/* Every block that the header vouches for leads to the blob's root; and it vouches for all when a
 * member was told that it is complete. */
static void check_blob(struct kill_daemon *d, const struct hash *id, uint64_t len, bool is_told)
{
    struct buf blocks = BUF_INIT;
    struct buf paths = BUF_INIT;
    int none = read_part(d, hash_bytes(id), ".paths", &paths);
    if (!none)
        none = read_part(d, hash_bytes(id), ".blocks", &blocks);
    uint64_t n = !none && paths.len >= HEADER ? get_u64be(paths.data) : 0;
    for (uint64_t i = 0; i < n; i++)
        if (!block_is_good(id, len, i, buf_bytes(&blocks), buf_bytes(&paths)))
            kill_fail(d->c, d->id, "block %llu of a blob does not lead to its root",
                      (unsigned long long)i);
    if (is_told && n != blob_blocks(len))
        kill_fail(d->c, d->id, "a blob that is said to be complete has %llu of %llu blocks",
                  (unsigned long long)n, (unsigned long long)blob_blocks(len));
    buf_free(&blocks);
    buf_free(&paths);
}

static void check_blobs(struct kill_daemon *d, struct db *db)
{
    struct db_rows *rows = NULL;
    struct hash id;
    int got =
        db_query(db, &rows,
                 "SELECT b.id, b.len, EXISTS(SELECT 1 FROM blob_member m WHERE m.blob = b.id AND"
                 " m.may_put AND m.done) FROM blob b WHERE freed = 0",
                 DB_NULL);
    while (got >= 0 && (got = db_next(rows)) == DB_ROW) {
        memcpy(id.b, db_bytes(rows, 0).data, HASH_LEN);
        check_blob(d, &id, db_u64(rows, 1), db_u64(rows, 2) != 0);
    }
    db_done(rows);
    none_of(d, db, "a blob is freed before all have it",
            "SELECT count(*) FROM blob b WHERE freed <> 0 AND EXISTS (SELECT 1 FROM blob_member m"
            " WHERE m.blob = b.id AND m.may_get AND NOT m.done)");
}

void check_broker(struct kill_daemon *d, struct ledger *l, struct store *s)
{
    (void)l;
    check_numbers(d, store_db(s));
    check_blobs(d, store_db(s));
}
