/*
 * What a successor's tables take over of those of the ledger before: how far this member had got
 * with others, which goes on, whatever it writes itself. Numbers of its own begin anew. What was
 * received stays where it is, in the archive.
 */
#include "site/restore.h"

#include <comity/err.h>
#include <string.h>

enum { COLUMNS_MAX = 16 };

/* One table: rows as they are selected, by the types of their columns (i, t, b). */
struct carried {
    const char *types;
    const char *select;
    const char *insert;
};

static struct db_value value_at(struct db_rows *rows, int column, char type)
{
    if (db_is_null(rows, column))
        return DB_NULL;
    if (type == 'i')
        return DB_U64(db_u64(rows, column));
    return type == 't' ? DB_TEXT(db_bytes(rows, column)) : DB_BLOB(db_bytes(rows, column));
}

static int carry(struct db *from, struct db *to, const struct carried *c)
{
    struct db_rows *rows = NULL;
    size_t n = strlen(c->types);
    int got = 0;
    int err = db_query_values(from, &rows, c->select, (const struct db_value[]){DB_U64(1)}, 1);
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct db_value v[COLUMNS_MAX];
        for (size_t i = 0; i < n; i++)
            v[i] = value_at(rows, (int)i, c->types[i]);
        err = db_run_values(to, c->insert, v, n);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static const struct carried node_tables[] = {
    /* Deliveries and the broker's history go on. */
    {"tib", "SELECT name, value, data FROM cursor WHERE name IN ('taken', 'broker') AND ?1",
     "INSERT INTO cursor(name, value, data) VALUES(?1, ?2, ?3)"},
    {"tiib", "SELECT origin, next, size, root FROM pair_in WHERE ?1",
     "INSERT INTO pair_in(origin, next, size, root) VALUES(?1, ?2, ?3, ?4)"},
    {"tii", "SELECT origin, first, last FROM pair_gap WHERE ?1",
     "INSERT INTO pair_gap(origin, first, last) VALUES(?1, ?2, ?3)"},
    {"tib", "SELECT origin, size, root FROM peer_root WHERE ?1",
     "INSERT INTO peer_root(origin, size, root) VALUES(?1, ?2, ?3)"},
    /* Attachments, also those still to be moved; the FILE entries about them are the old ledger's.
     */
    {"btitibbbttit",
     "SELECT blob, origin, idx, sender, len, sha256, sm3, secret, name, mime, state, token"
     " FROM attachment_in WHERE ?1",
     "INSERT INTO attachment_in(blob, origin, idx, sender, len, sha256, sm3, secret, name, mime,"
     " state, token) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"},
    {"bii", "SELECT blob, len, state FROM attachment_out WHERE state = ?1",
     "INSERT INTO attachment_out(blob, len, state) VALUES(?1, ?2, ?3)"},
    {"itiiiiiii",
     "SELECT number, origin, size, closed, taken, after, done, lost, lost_to FROM archive WHERE ?1",
     "INSERT INTO archive(number, origin, size, closed, taken, after, done, lost, lost_to)"
     " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)"},
};

static int cursor_of(struct db *db, const char *name, uint64_t *ret)
{
    const struct db_value v = DB_STR(name);
    return db_get_u64(db, 0, ret, "SELECT value FROM cursor WHERE name = ?1", &v, 1);
}

int site_carry_node(struct store *from, struct store *to, const struct site_succeeded *s)
{
    uint64_t taken = 0;
    uint64_t answered = 0;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < sizeof node_tables / sizeof node_tables[0]; i++)
        err = carry(store_db(from), store_db(to), &node_tables[i]);
    if (!err)
        err = cursor_of(store_db(from), "taken", &taken);
    if (!err)
        err = cursor_of(store_db(from), "answered", &answered);
    if (err)
        return err;
    return db_run(store_db(to),
                  "INSERT INTO archive(number, origin, size, closed, taken, after, done)"
                  " VALUES(?1, ?2, ?3, ?4, ?5, ?6, 0)",
                  DB_U64(s->number), DB_STR(s->before), DB_U64(s->size), DB_U64(s->closed_size),
                  DB_U64(taken), DB_U64(answered));
}
