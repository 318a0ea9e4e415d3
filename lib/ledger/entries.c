/*
 * Rows of entries: a turn's entries stand in a few of them. See schema.c.
 */
#include "ledger/entries.h"

#include <comity/err.h>

enum { LP_LEN = 4 };

/* Cut one lp(…) off ${rest}; false when none is there. */
static bool next_entry(struct bytes *rest, struct bytes *ret)
{
    if (rest->len < LP_LEN)
        return false;
    size_t n = get_u32be(rest->data);
    if (n > rest->len - LP_LEN)
        return false;
    *ret = bytes_slice(*rest, LP_LEN, n);
    *rest = bytes_slice(*rest, LP_LEN + n, rest->len);
    return true;
}

/* How much of ${data}, and how many entries, go into the next row. */
static size_t row_of(struct bytes data, uint64_t *ret_count)
{
    struct bytes rest = data, entry;
    size_t len = 0;
    uint64_t count = 0;
    while (count < ENTRY_RUN_MAX && next_entry(&rest, &entry)) {
        if (count > 0 && len + LP_LEN + entry.len > ENTRY_RUN_BYTES_MAX)
            break;
        len += LP_LEN + entry.len;
        count++;
    }
    *ret_count = count;
    return len;
}

int entries_put(struct db *db, uint64_t first, struct bytes data)
{
    while (data.len > 0) {
        uint64_t count = 0;
        size_t len = row_of(data, &count);
        if (count == 0)
            return COMITY_E_INVALID;
        int err = db_run(db, "INSERT INTO entry_run (first, count, data) VALUES (?1, ?2, ?3)",
                         DB_U64(first), DB_U64(count), DB_BLOB(bytes_slice(data, 0, len)));
        if (err)
            return err;
        data = bytes_slice(data, len, data.len);
        first += count;
    }
    return COMITY_OK;
}

int entries_count(struct db *db, uint64_t *ret)
{
    return db_get_u64(db, 0, ret, "SELECT first + count FROM entry_run ORDER BY first DESC LIMIT 1",
                      &DB_NULL, 1);
}

/* A row, as it lies there: nothing in it is believed. */
struct run {
    uint64_t first;
    uint64_t count;
    struct bytes data; /* valid until db_done */
};

/* The row in which ${index} must be. */
static int run_find(struct db *db, uint64_t index, struct db_rows **rows, struct run *ret)
{
    int err = db_query(db, rows,
                       "SELECT first, count, data FROM entry_run WHERE first <= ?1"
                       " ORDER BY first DESC LIMIT 1",
                       DB_U64(index));
    if (!err)
        err = db_next(*rows);
    if (err < 0)
        return err;
    if (err != DB_ROW)
        return COMITY_E_LEDGER_DAMAGED;
    struct run run = {
        .first = db_u64(*rows, 0), .count = db_u64(*rows, 1), .data = db_bytes(*rows, 2)};
    if (run.first > index || index - run.first >= run.count || run.count > ENTRY_RUN_MAX)
        return COMITY_E_LEDGER_DAMAGED;
    *ret = run;
    return COMITY_OK;
}

int entries_get(struct db *db, uint64_t index, struct buf *out)
{
    struct db_rows *rows = NULL;
    struct run run = {0};
    struct bytes entry = BYTES_NONE;
    int err = run_find(db, index, &rows, &run);
    for (uint64_t at = run.first; !err && at <= index; at++)
        if (!next_entry(&run.data, &entry))
            err = COMITY_E_LEDGER_DAMAGED;
    size_t start = out->len;
    if (!err) {
        buf_put_bytes(out, entry);
        err = buf_check(out);
        if (err)
            out->len = start;
    }
    db_done(rows);
    return err;
}

/* Copy the row that holds ${index}, so that no statement stays open while somebody else looks at
 * it. */
static int run_copy(struct db *db, uint64_t index, struct buf *copy, struct run *ret)
{
    struct db_rows *rows = NULL;
    struct run run = {0};
    int err = run_find(db, index, &rows, &run);
    if (!err) {
        buf_reset(copy);
        buf_put_bytes(copy, run.data);
        err = buf_check(copy);
    }
    db_done(rows);
    run.data = buf_bytes(copy);
    if (!err)
        *ret = run;
    return err;
}

/* A row holds what it says, no more and no less. */
static int run_each(struct run *run, uint64_t from, uint64_t to,
                    int (*each)(void *self, uint64_t index, struct bytes entry), void *self)
{
    struct bytes rest = run->data, entry;
    for (uint64_t i = 0; i < run->count; i++)
        if (!next_entry(&rest, &entry))
            return COMITY_E_LEDGER_DAMAGED;
    if (rest.len > 0)
        return COMITY_E_LEDGER_DAMAGED;
    rest = run->data;
    for (uint64_t at = run->first; at < to && next_entry(&rest, &entry); at++) {
        int err = at >= from ? each(self, at, entry) : COMITY_OK;
        if (err)
            return err;
    }
    return COMITY_OK;
}

int entries_each(struct db *db, uint64_t from, uint64_t to,
                 int (*each)(void *self, uint64_t index, struct bytes entry), void *self)
{
    struct buf copy = BUF_INIT;
    int err = COMITY_OK;
    while (!err && from < to) {
        struct run run = {0};
        err = run_copy(db, from, &copy, &run);
        if (!err)
            err = run_each(&run, from, to, each, self);
        from = run.first + run.count;
    }
    buf_free(&copy);
    return err;
}
