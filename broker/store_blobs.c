/*
 * What the broker keeps about attachments, in SQLite. See store.h; the blocks themselves are
 * blobs.c's.
 */
#include "store.h"

#include "base/text.h"
#include "store_sql.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <string.h>

enum { BLOB_ID_LEN = 32 };

int queue_check_blob(struct store *s, struct bytes blob)
{
    uint64_t len = get_u64be(blob.data + BLOB_ID_LEN);
    uint64_t known_len = 0;
    const struct db_value id = DB_BLOB(bytes_slice(blob, 0, BLOB_ID_LEN));
    int err =
        db_get_u64(store_db(s), len, &known_len, "SELECT len FROM blob WHERE id = ?1", &id, 1);
    return err ? err : known_len == len ? COMITY_OK : COMITY_E_BLOB;
}

uint64_t queue_blob_weight(uint64_t len)
{
    uint64_t blocks = len / BLOB_PLAIN + 1;
    uint64_t seals = blocks * (BLOB_SEALED - BLOB_PLAIN);
    return len > UINT64_MAX - seals ? UINT64_MAX : len + seals;
}

/* Let ${member} upload or fetch a blob, besides what it may already. */
static int admit(struct store *s, struct bytes id, struct bytes member, bool may_put, bool may_get)
{
    return db_run(store_db(s),
                  "INSERT INTO blob_member(blob, member, may_put, may_get, done)"
                  " VALUES(?1, ?2, ?3, ?4, 0) ON CONFLICT(blob, member) DO UPDATE SET"
                  " may_put = may_put | ?3, may_get = may_get | ?4, done = done & ~?4",
                  DB_BLOB(id), DB_TEXT(member), DB_U64(may_put), DB_U64(may_get));
}

static int is_waiting(struct store *s, struct bytes id, struct bytes reader, bool *ret)
{
    const struct db_value v[] = {DB_BLOB(id), DB_TEXT(reader)};
    uint64_t waiting = 0;
    int err = db_get_u64(store_db(s), 0, &waiting,
                         "SELECT may_get AND NOT done FROM blob_member"
                         " WHERE blob = ?1 AND member = ?2",
                         v, 2);
    *ret = waiting != 0;
    return err;
}

/* The blob is kept for ${reader} from now on, and counted for ${sender}; once, however many parcels
 * name it. */
static int hold(struct store *s, struct bytes blob, struct bytes sender, struct bytes reader)
{
    const struct bytes id = bytes_slice(blob, 0, BLOB_ID_LEN);
    const uint64_t weight = queue_blob_weight(get_u64be(blob.data + BLOB_ID_LEN));
    bool was_waiting = false;
    int err = is_waiting(s, id, reader, &was_waiting);
    if (!err)
        err = admit(s, id, reader, false, true);
    if (err || was_waiting)
        return err;
    err = db_run(store_db(s),
                 "INSERT INTO recipient(member, given, taken, queued, held) VALUES(?1, 0, 0, 0, ?2)"
                 " ON CONFLICT(member) DO UPDATE SET held = held + ?2",
                 DB_TEXT(reader), DB_U64(weight));
    if (!err)
        err = db_run(store_db(s),
                     "UPDATE blob_member SET held_for = ?3 WHERE blob = ?1 AND member = ?2",
                     DB_BLOB(id), DB_TEXT(reader), DB_TEXT(sender));
    return err ? err : sql_enlarge_share(s, reader, sender, 0, weight);
}

int queue_name_blob(struct store *s, struct bytes blob, struct bytes uploader, struct bytes reader)
{
    struct bytes id = bytes_slice(blob, 0, BLOB_ID_LEN);
    uint64_t len = get_u64be(blob.data + BLOB_ID_LEN);
    int err = queue_check_blob(s, blob);
    if (!err)
        err = db_run(store_db(s),
                     "INSERT INTO blob(id, len, freed) VALUES(?1, ?2, 0)"
                     " ON CONFLICT(id) DO UPDATE SET freed = 0",
                     DB_BLOB(id), DB_U64(len));
    if (!err)
        err = admit(s, id, uploader, true, false);
    if (!err)
        err = hold(s, blob, uploader, reader);
    return err;
}

/* It need not be kept for ${reader} any more: its bytes, and those of its sender's share. */
static int let_hold_go(struct store *s, struct bytes id, struct bytes reader)
{
    struct db *db = store_db(s);
    struct db_rows *rows = NULL;
    char sender[MEMBER_ID_MAX + 1] = "";
    uint64_t len = 0;
    int err = db_query(db, &rows,
                       "SELECT b.len, m.held_for FROM blob b JOIN blob_member m ON m.blob = b.id"
                       " WHERE b.id = ?1 AND m.member = ?2",
                       DB_BLOB(id), DB_TEXT(reader));
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err) {
        struct bytes held_for = db_bytes(rows, 1);
        len = db_u64(rows, 0);
        if (held_for.len <= MEMBER_ID_MAX && held_for.len)
            memcpy(sender, held_for.data, held_for.len);
    }
    db_done(rows);
    const uint64_t weight = queue_blob_weight(len);
    if (!err)
        err = db_run(db, "UPDATE recipient SET held = held - ?2 WHERE member = ?1", DB_TEXT(reader),
                     DB_U64(weight));
    return err || !*sender ? err
                           : db_run(db, sql_housekeeping[SQL_LESSEN], DB_TEXT(reader),
                                    DB_STR(sender), DB_U64(0), DB_U64(weight));
}

int queue_file_done(struct store *s, struct bytes id, struct bytes reader)
{
    struct db *db = store_db(s);
    const struct db_value v = DB_BLOB(id);
    int err = db_run(db, sql_housekeeping[SQL_FILE_DONE], v, DB_TEXT(reader));
    if (err || db_changes(db) == 0)
        return err;
    err = let_hold_go(s, id, reader);
    if (!err)
        err = db_run(db, sql_housekeeping[SQL_FREE_BLOB], v);
    return err;
}

int queue_blob_gone(struct store *s, struct bytes id)
{
    return db_run(store_db(s), "UPDATE blob SET freed = 2 WHERE id = ?1 AND freed = 1",
                  DB_BLOB(id));
}

int queue_blob_is_freed(struct db *db, struct bytes id, bool *ret)
{
    uint64_t freed = 0;
    const struct db_value v = DB_BLOB(id);
    int err = db_get_u64(db, 0, &freed, "SELECT freed FROM blob WHERE id = ?1", &v, 1);
    if (!err)
        *ret = freed != 0;
    return err;
}

int queue_freed(struct store *s, struct hash *ret, size_t max, size_t *ret_count)
{
    struct db_rows *rows = NULL;
    size_t n = 0;
    int got = 0;
    int err = db_query(store_db(s), &rows, sql_housekeeping[SQL_FREED], DB_U64(max));
    while (!err && n < max && (got = db_next(rows)) == DB_ROW)
        err = sql_hash(rows, 0, &ret[n++]);
    db_done(rows);
    if (!err && got < 0)
        err = got;
    if (!err)
        *ret_count = n;
    return err;
}

int queue_blob_access(struct db *db, struct bytes id, struct bytes member, struct blob_access *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(
        db, &rows,
        "SELECT b.len, m.may_put, m.may_get FROM blob b JOIN blob_member m ON m.blob = b.id"
        " WHERE b.id = ?1 AND m.member = ?2 AND b.freed = 0",
        DB_BLOB(id), DB_TEXT(member));
    if (err)
        return err;
    err = sql_one_row(rows);
    if (!err)
        *ret = (struct blob_access){.len = db_u64(rows, 0),
                                    .may_put = db_u64(rows, 1) != 0,
                                    .may_get = db_u64(rows, 2) != 0 || db_u64(rows, 1) != 0};
    db_done(rows);
    return err;
}
