/*
 * One copy by itself, as bytes: entries in their order, each naming the one before, the tree over
 * them, and every checkpoint that the copy has stored. Nothing is interpreted; that comes when it
 * is known which entries are those that were signed.
 */
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    TILE_ENTRIES = 256,
    TILE_LEN = TILE_ENTRIES * HASH_LEN,
    ODD_MAX = 4096,
    TILE_LEVEL_SHIFT = 56
};

struct pass {
    struct audit *a;
    struct audit_copy *c;
    struct hash prev; /* the leaf before, or the genesis hash */
    bool has_tile;
    uint8_t tile[TILE_LEN];
};

static int note_odd(struct audit_copy *c, uint64_t index, enum odd what, struct bytes hash)
{
    struct odd_entry odd = {.index = index, .what = what};
    if (c->odd.count >= ODD_MAX)
        return COMITY_OK;
    if (hash.len == HASH_LEN)
        memcpy(odd.hash.b, hash.data, HASH_LEN);
    return LIST_ADD(c->odd, odd);
}

/* The complete tile in which entry ${index}, its first, stands. */
static int load_tile(struct pass *p, uint64_t index)
{
    struct db_rows *rows = NULL;
    int err = db_query(p->c->db, &rows, "SELECT hashes FROM tile WHERE key = ?1",
                       DB_U64(index / TILE_ENTRIES));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes hashes = db_bytes(rows, 0);
        p->has_tile = hashes.len == TILE_LEN;
        if (p->has_tile)
            memcpy(p->tile, hashes.data, TILE_LEN);
        err = COMITY_OK;
    } else if (!err) {
        p->has_tile = false;
    }
    db_done(rows);
    return err;
}

static int add_leaf(struct pass *p, uint64_t index, const struct hash *leaf, uint64_t time_ms,
                    uint8_t kind)
{
    struct audit_copy *c = p->c;
    int err = LIST_ADD(c->tree.leaf, *leaf);
    if (!err)
        err = LIST_ADD(c->time_ms, time_ms);
    if (!err)
        err = LIST_ADD(c->kind, kind);
    p->prev = *leaf;
    return err ? err : audit_advance(p->a, index % TILE_ENTRIES == 0 ? TILE_ENTRIES : 0);
}

static struct bytes tile_leaf(const struct pass *p, uint64_t index)
{
    return p->has_tile ? BYTES(p->tile + index % TILE_ENTRIES * HASH_LEN, HASH_LEN) : BYTES_NONE;
}

/* There is no telling what its leaf is, but perhaps the tile knows. */
static int take_missing(struct pass *p, uint64_t index)
{
    struct hash leaf = {0};
    struct bytes stored = tile_leaf(p, index);
    int err = note_odd(p->c, index, ODD_MISSING, BYTES_NONE);
    if (!err && stored.data)
        err = note_odd(p->c, index, ODD_TILE, stored);
    return err ? err : add_leaf(p, index, &leaf, 0, 0);
}

static int take_entry(void *self, uint64_t index, struct bytes entry)
{
    struct pass *p = self;
    struct hash leaf;
    uint64_t time_ms = 0;
    uint8_t kind = 0;
    struct bytes prev;
    int err = index % TILE_ENTRIES == 0 ? load_tile(p, index) : COMITY_OK;
    if (err)
        return err;
    if (!entry.data)
        return take_missing(p, index);
    audit_did(p->a, p->c, CHECK_LINKS, true);
    hash_leaf(p->c->suite, entry, &leaf);
    if (!entry_peek(entry, &time_ms, &kind, &prev))
        err = note_odd(p->c, index, ODD_INVALID, BYTES_NONE);
    else if (!bytes_equal(prev, hash_bytes(&p->prev)))
        err = note_odd(p->c, index, ODD_LINK, prev);
    struct bytes stored = tile_leaf(p, index);
    if (!err && stored.data && !bytes_equal(stored, hash_bytes(&leaf)))
        err = note_odd(p->c, index, ODD_TILE, stored);
    return err ? err : add_leaf(p, index, &leaf, time_ms, kind);
}

/* ---- checkpoints ---- */

/* What lies in the table against the note, and the note against the key of the ledger's owner. */
static int open_checkpoint(struct audit *a, struct audit_copy *c, uint64_t size, struct bytes root,
                           struct bytes note, struct stored_checkpoint *ret)
{
    struct checkpoint signed_one = {0};
    const struct roster_origin *owner = c->origin->owner;
    *ret = (struct stored_checkpoint){.size = size};
    int err = owner ? audit_open_note(a, note, &owner->verifier, &signed_one)
                    : checkpoint_peek(note, &signed_one);
    bool is_same = !err && signed_one.size == size &&
                   bytes_equal(root, hash_bytes(&signed_one.root)) &&
                   strcmp(signed_one.origin, c->origin->name) == 0;
    if (owner)
        audit_did(a, c, CHECK_NOTES, !err);
    if (!err) {
        ret->size = signed_one.size;
        ret->root = signed_one.root;
        ret->is_signed = owner && strcmp(signed_one.origin, c->origin->name) == 0;
    } else if (root.len == HASH_LEN) {
        memcpy(ret->root.b, root.data, HASH_LEN);
    }
    if (is_same || (err && !owner))
        return COMITY_OK;
    struct finding *f =
        finding_add(a, err ? AUDIT_CHECKPOINT_SIGNATURE : AUDIT_CHECKPOINT_ROW, c->origin);
    if (f) {
        finding_number(f, "size", size);
        if (err)
            finding_set(f, "why", json_string(comity_err_token(err)));
    }
    return finding_check(f);
}

/* A copy whose checkpoints, all of them, are another ledger's was renamed: that is one thing, and
 * nothing that it says counts under the name that it bears. */
static int check_name(struct audit *a, struct audit_copy *c)
{
    struct db_rows *rows = NULL;
    char other[ORIGIN_MAX + 1] = "";
    uint64_t own = 0;
    int got = 0;
    int err =
        db_query(c->db, &rows, "SELECT note FROM checkpoint WHERE ?1 ORDER BY size", DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct checkpoint cp = {0};
        if (checkpoint_peek(db_bytes(rows, 0), &cp))
            continue;
        if (strcmp(cp.origin, c->origin->name) == 0)
            own++;
        else
            snprintf(other, sizeof other, "%s", cp.origin);
    }
    db_done(rows);
    if (err || got < 0 || own || !other[0])
        return err ? err : got < 0 ? got : COMITY_OK;
    struct finding *f = finding_add(a, AUDIT_COPY_RENAMED, c->origin);
    if (f) {
        finding_set(f, "path", json_string(c->path));
        finding_set(f, "other", json_string(other));
    }
    c->is_renamed = true;
    c->believed = 0;
    for (size_t i = 0; i < c->origin->copies.count; i++)
        if (c->origin->copies.at[i] == c)
            c->origin->copies.at[i--] = c->origin->copies.at[--c->origin->copies.count];
    return finding_check(f);
}

static int read_checkpoints(struct audit *a, struct audit_copy *c)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(c->db, &rows,
                       "SELECT size, root, note FROM checkpoint WHERE ?1 ORDER BY size", DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct stored_checkpoint s;
        err = open_checkpoint(a, c, db_u64(rows, 0), db_bytes(rows, 1), db_bytes(rows, 2), &s);
        if (!err)
            err = LIST_ADD(c->checkpoints, s);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* ---- stored tiles above the leaves ---- */

static int report_tile(struct audit *a, struct audit_copy *c, unsigned level, uint64_t tile)
{
    struct finding *f = finding_add(a, AUDIT_TILE_MISMATCH, c->origin);
    if (f) {
        finding_number(f, "level", level);
        finding_number(f, "tile", tile);
    }
    return finding_check(f);
}

/* Whether the 256 hashes of a tile are those of the tree; one that reaches beyond the entries is
 * passed over. */
static int check_tile(struct audit_copy *c, unsigned level, uint64_t tile, struct bytes hashes,
                      bool *ret_ok)
{
    struct tree_source src = leaves_source(&c->tree);
    unsigned shift = 8 * level;
    *ret_ok = hashes.len == TILE_LEN;
    if (level > 6 || (tile + 1) > c->size >> (shift + 8))
        return COMITY_OK;
    for (uint64_t i = 0; *ret_ok && i < TILE_ENTRIES; i++) {
        struct hash h;
        uint64_t lo = (tile * TILE_ENTRIES + i) << shift;
        int err = src.subtree(src.self, lo, lo + ((uint64_t)1 << shift), &h);
        if (err)
            return err;
        *ret_ok = bytes_equal(BYTES(hashes.data + i * HASH_LEN, HASH_LEN), hash_bytes(&h));
    }
    return COMITY_OK;
}

/* Only the first that is wrong is told: what one wrong byte leads to is one thing. */
static int check_tiles(struct audit *a, struct audit_copy *c)
{
    struct db_rows *rows = NULL;
    bool has_told = false;
    int got = 0;
    int err =
        db_query(c->db, &rows, "SELECT key, hashes FROM tile WHERE ?1 ORDER BY key", DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        uint64_t key = db_u64(rows, 0);
        unsigned level = (unsigned)(key >> TILE_LEVEL_SHIFT);
        uint64_t tile = key & (((uint64_t)1 << TILE_LEVEL_SHIFT) - 1);
        bool ok = true;
        err = check_tile(c, level, tile, db_bytes(rows, 1), &ok);
        audit_did(a, c, CHECK_TILES, ok);
        if (!err && !ok && !has_told) {
            has_told = true;
            err = report_tile(a, c, level, tile);
        }
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* ---- all of it ---- */

static int check_owner(struct audit *a, struct audit_copy *c)
{
    if (c->origin->owner)
        return COMITY_OK;
    return finding_check(finding_add(a, AUDIT_ORIGIN_UNKNOWN, c->origin));
}

static int check_end(struct audit *a, struct audit_copy *c)
{
    uint64_t newest = c->checkpoints.count ? c->checkpoints.at[c->checkpoints.count - 1].size : 0;
    struct finding *f = NULL;
    if (newest > c->size) {
        f = finding_add(a, AUDIT_TAIL_MISSING, c->origin);
        if (f) {
            finding_number(f, "size", newest);
            finding_number(f, "index", c->size);
        }
        return finding_check(f);
    }
    if (newest < c->size) {
        f = finding_add(a, AUDIT_UNCOVERED, c->origin);
        if (f) {
            finding_index(f, newest);
            finding_number(f, "last", c->size - 1);
            finding_number(f, "count", c->size - newest);
        }
        return finding_check(f);
    }
    return COMITY_OK;
}

/* The closing rule: what the roster says of a ledger that was closed. */
static int check_closed(struct audit *a, struct audit_copy *c)
{
    const struct roster_origin *o = c->origin->owner;
    struct hash root;
    if (!o || !o->ledger->is_closed)
        return COMITY_OK;
    uint64_t size = o->ledger->closed_size;
    bool ok = true;
    if (size <= c->size) {
        int err = leaves_root(&c->tree, size, &root);
        if (err)
            return err;
        ok = bytes_equal(hash_bytes(&root), o->ledger->closed_root);
    }
    audit_did(a, c, CHECK_CLOSED, ok);
    if (ok && size >= c->size)
        return COMITY_OK;
    struct finding *f = finding_add(a, ok ? AUDIT_CLOSED_BEYOND : AUDIT_CLOSED_OTHER, c->origin);
    if (f) {
        finding_number(f, "size", size);
        if (ok)
            finding_index(f, size);
    }
    return finding_check(f);
}

int verify_ledger(struct audit *a, struct audit_copy *c)
{
    struct pass *p = calloc(1, sizeof *p);
    if (!p)
        return COMITY_E_NOMEM;
    p->a = a;
    p->c = c;
    p->prev = c->genesis;
    int err = copy_each_entry(c, take_entry, p, &c->size);
    free(p);
    if (!err)
        err = leaves_build(&c->tree);
    if (!err)
        err = check_name(a, c);
    if (err || c->is_renamed)
        return err;
    err = check_owner(a, c);
    if (!err)
        err = read_checkpoints(a, c);
    if (!err)
        err = locate_damage(a, c);
    if (!err && c->believed == UINT64_MAX)
        err = check_tiles(a, c);
    if (!err)
        err = check_end(a, c);
    if (!err)
        err = check_closed(a, c);
    if (!err && c->size) {
        c->opened = calloc((c->size + 7) / 8, 1);
        if (!c->opened)
            err = COMITY_E_NOMEM;
    }
    return err ? err : interpret_entries(a, c);
}
