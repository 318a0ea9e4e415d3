/*
 * Making and opening a ledger, and what is checked then.
 *
 * Opened for writing, a ledger proves to itself that it is the one of its last checkpoint, as far
 * as the next signature will depend on it: every hash that goes into the next root is recomputed,
 * from entries at the right end, from complete tiles below a tile that is not, and the root must be
 * the signed one. The last complete tile of each level is compared with what is below it, and the
 * chain of all entries read for this is followed. Older entries and tiles are not read: no
 * signature depends on them, and an audit reads them all.
 */
#include "ledger/entries.h"
#include "ledger/internal.h"

#include <comity/err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* Whether ${err} says that what was read is wrong, rather than that it could not be read. */
static bool is_damage(int err)
{
    switch (err) {
    case COMITY_OK:
    case COMITY_E_NOMEM:
    case COMITY_E_IO:
    case COMITY_E_BUSY:
    case COMITY_E_DISK_FULL:
    case COMITY_E_PERMISSION:
    case COMITY_E_INTERRUPTED:
    case COMITY_E_INTERNAL:
        return false;
    default:
        return true;
    }
}

/* ---- making ---- */

static int check_new(const char *origin, uint32_t suite, struct bytes predecessor)
{
    struct origin parts;
    struct checkpoint closing;
    if (text_get_origin(bytes_of(origin), &parts))
        return COMITY_E_INVALID;
    if (!suite_get(suite))
        return COMITY_E_SUITE;
    if (predecessor.len > 0 && checkpoint_parse_text(predecessor, &closing))
        return COMITY_E_INVALID;
    return COMITY_OK;
}

int ledger_create(struct store *s, const char *origin, uint32_t suite, struct bytes predecessor)
{
    int err = check_new(origin, suite, predecessor);
    if (!err)
        err = store_begin(s);
    if (err)
        return err;
    if (predecessor.len == 0)
        predecessor = BYTES_LIT("");
    err = db_run(store_db(s),
                 "INSERT INTO ledger (one, origin, suite, predecessor) VALUES (1, ?1, ?2, ?3)",
                 DB_STR(origin), DB_U64(suite), DB_BLOB(predecessor));
    if (!err)
        return store_commit(s);
    store_rollback(s);
    return err;
}

/* ---- what the ledger says it is ---- */

static int read_identity(struct ledger *l)
{
    struct db_rows *rows = NULL;
    int err = db_query(l->db, &rows, "SELECT origin, suite, predecessor FROM ledger WHERE one = ?1",
                       DB_U64(1));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes origin = db_bytes(rows, 0);
        struct origin parts;
        uint64_t suite = db_u64(rows, 1);
        err = text_get_origin(origin, &parts) || origin.len > ORIGIN_MAX ? COMITY_E_LEDGER_DAMAGED
                                                                         : COMITY_OK;
        l->suite = suite <= UINT32_MAX ? suite_get((uint32_t)suite) : NULL;
        if (!err && !l->suite)
            err = COMITY_E_SUITE;
        if (!err) {
            memcpy(l->origin, origin.data, origin.len);
            ledger_genesis_hash(l->suite, origin, db_bytes(rows, 2), &l->genesis);
            if (db_bytes(rows, 2).len && checkpoint_parse_text(db_bytes(rows, 2), &l->predecessor))
                err = COMITY_E_LEDGER_DAMAGED;
        }
    } else if (!err) {
        err = COMITY_E_NOT_FOUND;
    }
    db_done(rows);
    return err;
}

/* The newest checkpoint, as it lies there; size 0 when there is none. */
static int read_checkpoint(struct ledger *l)
{
    struct db_rows *rows = NULL;
    struct signed_checkpoint *s = &l->stored;
    int err =
        db_query(l->db, &rows, "SELECT size, root, note FROM checkpoint ORDER BY size DESC LIMIT 1",
                 DB_NULL);
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes root = db_bytes(rows, 1);
        buf_put_bytes(&s->note, db_bytes(rows, 2));
        err = buf_check(&s->note);
        if (!err && checkpoint_peek(buf_bytes(&s->note), &s->c))
            err = COMITY_E_LEDGER_DAMAGED;
        if (!err &&
            (s->c.size != db_u64(rows, 0) || s->c.size == 0 ||
             !bytes_equal(root, hash_bytes(&s->c.root)) || strcmp(s->c.origin, l->origin) != 0))
            err = COMITY_E_LEDGER_DAMAGED;
    }
    db_done(rows);
    l->size = s->c.size;
    return err;
}

static int ledger_new(struct store *s, struct ledger **ret)
{
    struct ledger *l = calloc(1, sizeof *l);
    if (!l)
        return COMITY_E_NOMEM;
    l->store = s;
    l->db = store_db(s);
    int err = read_identity(l);
    if (!err)
        err = read_checkpoint(l);
    if (!err)
        err = tree_init(&l->tree, l->suite, l->db);
    if (err) {
        ledger_close(l);
        return err;
    }
    l->last[0] = l->genesis;
    *ret = l;
    return COMITY_OK;
}

int ledger_open_read(struct store *s, struct ledger **ret)
{
    return ledger_new(s, ret);
}

void ledger_close(struct ledger *l)
{
    if (!l)
        return;
    if (l->turn != TURN_NONE && l->turn != TURN_LOST)
        store_rollback(l->store);
    tree_done(&l->tree);
    buf_free(&l->stored.note);
    buf_free(&l->own.note);
    buf_free(&l->data);
    free(l->at);
    free(l);
}

/* ---- the edge ---- */

/* Entries at the right end, read again. */
struct reread {
    struct ledger *l;
    struct arena *arena; /* NULL: take the leaves as they are */
    uint64_t first;
    struct hash prev;
    struct hash leaf[2 * TILE_WIDTH];
};

static int check_link(struct reread *r, uint64_t index, struct bytes bytes)
{
    struct entry e;
    arena_reset(r->arena);
    int err = entry_decode(r->arena, bytes, &e);
    if (err)
        return err;
    if (e.index != index || !bytes_equal(e.prev, hash_bytes(&r->prev)))
        return COMITY_E_LEDGER_DAMAGED;
    return COMITY_OK;
}

static int reread_one(void *self, uint64_t index, struct bytes bytes)
{
    struct reread *r = self;
    int err = r->arena ? check_link(r, index, bytes) : COMITY_OK;
    if (err)
        return err;
    hash_leaf(r->l->suite, bytes, &r->prev);
    r->leaf[index - r->first] = r->prev;
    return COMITY_OK;
}

int ledger_load(struct ledger *l)
{
    if (l->loaded)
        return COMITY_OK;
    struct reread r = {.l = l, .first = l->size - l->size % TILE_WIDTH};
    int err = entries_each(l->db, r.first, l->size, reread_one, &r);
    if (!err)
        err = tree_load(&l->tree, l->size, r.leaf);
    l->loaded = !err;
    return err;
}

/* ---- the check ---- */

static int check_checkpoint(const struct ledger *l)
{
    struct checkpoint c;
    if (l->size == 0)
        return COMITY_OK;
    int err = checkpoint_open(buf_bytes(&l->stored.note), note_signer_public(l->signer), &c);
    if (!err && (c.size != l->size || !hash_equal(&c.root, &l->stored.c.root)))
        err = COMITY_E_LEDGER_DAMAGED;
    return err;
}

/* There are as many entries and tiles as the checkpoint says, and nothing behind them. */
static int check_counts(struct ledger *l)
{
    uint64_t n = 0;
    int err = entries_count(l->db, &n);
    if (!err && n != l->size)
        err = COMITY_E_LEDGER_DAMAGED;
    for (unsigned level = 0; !err && level < TREE_LEVELS; level++) {
        const struct db_value range[] = {DB_U64((uint64_t)level << 56),
                                         DB_U64(((uint64_t)level + 1) << 56)};
        /* One more than the highest index, so that 0 stands for none. */
        err =
            db_get_u64(l->db, 0, &n,
                       "SELECT max(key) - ?1 + 1 FROM tile WHERE key >= ?1 AND key < ?2", range, 2);
        if (!err && n != tile_count(l->size, level))
            err = COMITY_E_LEDGER_DAMAGED;
    }
    return err;
}

/* Read the entries of the last complete tile and all behind, follow their chain, and hold the tile
 * against them. */
static int check_edge(struct ledger *l, struct reread *r)
{
    uint64_t tiles = tile_count(l->size, 0);
    r->first = tiles > 0 ? (tiles - 1) * TILE_WIDTH : 0;
    r->prev = l->genesis;
    int err = COMITY_OK;
    /* Complete tiles can be read before the edge stands. */
    l->tree.size = l->size;
    if (r->first > 0)
        err = tree_subtree(&l->tree, r->first - 1, r->first, &r->prev);
    if (!err)
        err = entries_each(l->db, r->first, l->size, reread_one, r);
    for (uint64_t i = 0; !err && tiles > 0 && i < TILE_WIDTH; i++) {
        struct hash h;
        err = tree_subtree(&l->tree, r->first + i, r->first + i + 1, &h);
        if (!err && !hash_equal(&h, &r->leaf[i]))
            err = COMITY_E_LEDGER_DAMAGED;
    }
    if (!err)
        err = tree_load(&l->tree, l->size, &r->leaf[tiles > 0 ? TILE_WIDTH : 0]);
    l->loaded = !err;
    l->last[0] = r->prev;
    return err;
}

static int check_root(struct ledger *l)
{
    struct hash root;
    if (l->size == 0)
        return COMITY_OK;
    int err = ledger_root(l, l->size, &root);
    if (!err && !hash_equal(&root, &l->stored.c.root))
        err = COMITY_E_LEDGER_DAMAGED;
    return err;
}

static int check_all(struct ledger *l)
{
    /* Room for one decoded entry of the largest size. */
    struct reread *r = calloc(1, sizeof *r);
    if (!r)
        return COMITY_E_NOMEM;
    r->l = l;
    r->arena = arena_new(16 * (size_t)ENTRY_BYTES_MAX);
    int err = r->arena ? check_checkpoint(l) : COMITY_E_NOMEM;
    if (!err)
        err = check_counts(l);
    if (!err)
        err = check_edge(l, r);
    if (!err)
        err = tree_check_last_tiles(&l->tree);
    if (!err)
        err = check_root(l);
    arena_free(r->arena);
    free(r);
    return is_damage(err) ? COMITY_E_LEDGER_DAMAGED : err;
}

int ledger_open(struct store *s, const struct note_signer *signer, struct ledger **ret)
{
    struct ledger *l = NULL;
    int err = ledger_new(s, &l);
    if (!err && strcmp(note_signer_public(signer)->name, l->origin) != 0)
        err = COMITY_E_INVALID;
    if (!err) {
        l->signer = signer;
        err = check_all(l);
    }
    if (err) {
        ledger_close(l);
        return err;
    }
    *ret = l;
    return COMITY_OK;
}
