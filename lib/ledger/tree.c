/*
 * Tiles and the right edge. See tree.h.
 */
#include "ledger/tree.h"

#include "ledger/proof.h"
#include "msg/entry.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

/* ---- one tile ---- */

static size_t row_start(unsigned height)
{
    return 2 * TILE_WIDTH - ((size_t)(2 * TILE_WIDTH) >> height);
}

static struct hash *tile_node(struct tile *t, unsigned height, size_t at)
{
    return &t->node[row_start(height) + at];
}

/* One more hash, and the nodes that it completes. */
static void tile_add(const struct suite *suite, struct tile *t, const struct hash *h)
{
    size_t at = t->count++;
    *tile_node(t, 0, at) = *h;
    for (unsigned height = 0; at & 1; height++, at >>= 1)
        hash_node(suite, tile_node(t, height, at - 1), tile_node(t, height, at),
                  tile_node(t, height + 1, at >> 1));
}

/* The nodes of a tile that was read. */
static void tile_build(const struct suite *suite, struct tile *t)
{
    for (unsigned height = 0; height < TILE_HEIGHT && !t->built; height++)
        for (size_t at = 0; at < (size_t)TILE_WIDTH >> (height + 1); at++)
            hash_node(suite, tile_node(t, height, 2 * at), tile_node(t, height, 2 * at + 1),
                      tile_node(t, height + 1, at));
    t->built = true;
}

static const struct hash *tile_root(const struct suite *suite, struct tile *t)
{
    tile_build(suite, t);
    return tile_node(t, TILE_HEIGHT, 0);
}

static struct tile *tile_new(void)
{
    struct tile *t = malloc(sizeof *t);
    if (t) {
        t->count = 0;
        t->built = true;
    }
    return t;
}

/* ---- rows ---- */

/* Level and index in one integer, so that a tile is found by rowid: index is below 2^55, level
 * below 8. */
static uint64_t tile_key(unsigned level, uint64_t index)
{
    return (uint64_t)level << 56 | index;
}

static int tile_read(struct tree *t, unsigned level, uint64_t index, struct tile *ret)
{
    struct db_rows *rows = NULL;
    int err = db_query(t->db, &rows, "SELECT hashes FROM tile WHERE key = ?1",
                       DB_U64(tile_key(level, index)));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes hashes = db_bytes(rows, 0);
        err = hashes.len == TILE_BYTES ? COMITY_OK : COMITY_E_LEDGER_DAMAGED;
        if (!err) {
            memcpy(ret->node, hashes.data, TILE_BYTES);
            ret->count = TILE_WIDTH;
            ret->built = false;
        }
    } else if (!err) {
        err = COMITY_E_LEDGER_DAMAGED;
    }
    db_done(rows);
    return err;
}

/* ---- complete tiles ---- */

static void cache_put(struct tree *t, const struct tile_place *place)
{
    struct tile_place *oldest = &t->cache[0];
    for (size_t i = 1; i < TREE_CACHE; i++)
        if (t->cache[i].used < oldest->used)
            oldest = &t->cache[i];
    free(oldest->tile);
    *oldest = *place;
    oldest->used = ++t->clock;
}

static bool is_at(const struct tile_place *p, unsigned level, uint64_t index)
{
    return p->tile && p->index == index && p->level == level;
}

/* A complete tile: waiting, read lately, or in the store. It stays ours, and valid until the next
 * call. */
static int find_complete(struct tree *t, unsigned level, uint64_t index, struct tile **ret)
{
    for (size_t i = t->pending_count; i-- > 0;)
        if (is_at(&t->pending[i], level, index)) {
            *ret = t->pending[i].tile;
            return COMITY_OK;
        }
    for (size_t i = 0; i < TREE_CACHE; i++)
        if (is_at(&t->cache[i], level, index)) {
            t->cache[i].used = ++t->clock;
            *ret = t->cache[i].tile;
            return COMITY_OK;
        }
    struct tile_place place = {.level = level, .index = index, .tile = tile_new()};
    if (!place.tile)
        return COMITY_E_NOMEM;
    int err = tile_read(t, level, index, place.tile);
    if (err) {
        free(place.tile);
        return err;
    }
    cache_put(t, &place);
    *ret = place.tile;
    return COMITY_OK;
}

static int complete_root(struct tree *t, unsigned level, uint64_t index, struct hash *ret)
{
    struct tile *tile = NULL;
    int err = find_complete(t, level, index, &tile);
    if (!err)
        *ret = *tile_root(t->suite, tile);
    return err;
}

/* ---- the whole ---- */

int tree_init(struct tree *t, const struct suite *suite, struct db *db)
{
    *t = (struct tree){.suite = suite, .db = db};
    for (unsigned level = 0; level < TREE_LEVELS; level++) {
        t->edge[level] = tile_new();
        if (!t->edge[level]) {
            tree_done(t);
            return COMITY_E_NOMEM;
        }
    }
    return COMITY_OK;
}

void tree_done(struct tree *t)
{
    for (unsigned level = 0; level < TREE_LEVELS; level++) {
        free(t->edge[level]);
        free(t->spare[level]);
    }
    for (size_t i = 0; i < t->pending_count; i++)
        free(t->pending[i].tile);
    free(t->pending);
    for (size_t i = 0; i < TREE_CACHE; i++)
        free(t->cache[i].tile);
    *t = (struct tree){0};
}

static unsigned edge_count(uint64_t size, unsigned level)
{
    return (unsigned)(size >> (TILE_HEIGHT * level)) % TILE_WIDTH;
}

int tree_load(struct tree *t, uint64_t size, const struct hash *leaf)
{
    for (unsigned i = 0; i < edge_count(size, 0); i++)
        tile_add(t->suite, t->edge[0], &leaf[i]);
    for (unsigned level = 1; level < TREE_LEVELS; level++) {
        uint64_t first = tile_count(size, level) * TILE_WIDTH;
        for (unsigned i = 0; i < edge_count(size, level); i++) {
            struct hash h;
            int err = complete_root(t, level - 1, first + i, &h);
            if (err)
                return err;
            tile_add(t->suite, t->edge[level], &h);
        }
    }
    t->size = size;
    return COMITY_OK;
}

int tree_check_last_tiles(struct tree *t)
{
    for (unsigned level = 1; level < TREE_LEVELS; level++) {
        uint64_t n = tile_count(t->size, level);
        for (size_t i = 0; n > 0 && i < TILE_WIDTH; i++) {
            struct hash below;
            struct tile *last = NULL;
            int err = complete_root(t, level - 1, (n - 1) * TILE_WIDTH + i, &below);
            if (!err)
                err = find_complete(t, level, n - 1, &last);
            if (err)
                return err;
            if (!hash_equal(tile_node(last, 0, i), &below))
                return COMITY_E_LEDGER_DAMAGED;
        }
    }
    return COMITY_OK;
}

/* Room for ${levels} tiles that become complete, so that adding cannot stop half-way. */
static int reserve(struct tree *t, unsigned levels)
{
    if (t->pending_cap - t->pending_count < levels) {
        size_t cap = 2 * t->pending_cap + TREE_LEVELS;
        struct tile_place *pending = reallocarray(t->pending, cap, sizeof *pending);
        if (!pending)
            return COMITY_E_NOMEM;
        t->pending = pending;
        t->pending_cap = cap;
    }
    for (unsigned level = 0; level < levels; level++) {
        if (!t->spare[level])
            t->spare[level] = tile_new();
        if (!t->spare[level])
            return COMITY_E_NOMEM;
    }
    return COMITY_OK;
}

int tree_add(struct tree *t, const struct hash *leaf)
{
    unsigned complete = 0;
    if (t->size >= LEDGER_SIZE_MAX)
        return COMITY_E_LIMIT;
    while (t->edge[complete]->count == TILE_WIDTH - 1)
        complete++;
    int err = complete > 0 ? reserve(t, complete) : COMITY_OK;
    if (err)
        return err;
    const struct hash *h = leaf;
    for (unsigned level = 0; level < complete; level++) {
        tile_add(t->suite, t->edge[level], h);
        h = tile_root(t->suite, t->edge[level]);
        t->pending[t->pending_count++] = (struct tile_place){
            .level = level, .index = tile_count(t->size, level), .tile = t->edge[level]};
        t->edge[level] = t->spare[level];
        t->spare[level] = NULL;
    }
    tile_add(t->suite, t->edge[complete], h);
    t->size++;
    return COMITY_OK;
}

int tree_store(struct tree *t)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->pending_count; i++) {
        const struct tile_place *p = &t->pending[i];
        err =
            db_run(t->db, "INSERT INTO tile (key, hashes) VALUES (?1, ?2)",
                   DB_U64(tile_key(p->level, p->index)), DB_BLOB(BYTES(p->tile->node, TILE_BYTES)));
    }
    return err;
}

void tree_settle(struct tree *t)
{
    for (size_t i = 0; i < t->pending_count; i++)
        cache_put(t, &t->pending[i]);
    t->pending_count = 0;
}

/* The first tile that a level has completed since began as its edge: it only has more hashes now.
 */
void tree_truncate(struct tree *t, uint64_t size)
{
    while (t->pending_count > 0) {
        struct tile_place *p = &t->pending[--t->pending_count];
        free(t->edge[p->level]);
        t->edge[p->level] = p->tile;
    }
    for (unsigned level = 0; level < TREE_LEVELS; level++)
        t->edge[level]->count = edge_count(size, level);
    t->size = size;
}

int tree_subtree(struct tree *t, uint64_t lo, uint64_t hi, struct hash *ret)
{
    unsigned height = (unsigned)__builtin_ctzll(hi - lo);
    unsigned level = height / TILE_HEIGHT;
    unsigned row = height % TILE_HEIGHT;
    size_t at = (size_t)(lo >> height) % ((size_t)TILE_WIDTH >> row);
    if (hi > t->size)
        return COMITY_E_NOT_FOUND;
    uint64_t complete = tile_count(t->size, level);
    unsigned shift = TILE_HEIGHT * (level + 1);
    uint64_t index = shift < 64 ? lo >> shift : 0;
    struct tile *tile = t->edge[level];
    if (index < complete) {
        int err = find_complete(t, level, index, &tile);
        if (err)
            return err;
        if (row > 0)
            tile_build(t->suite, tile);
    }
    *ret = *tile_node(tile, row, at);
    return COMITY_OK;
}
