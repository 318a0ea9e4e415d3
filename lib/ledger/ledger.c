/*
 * Turns, and reading what they have written. See ledger.h.
 *
 * A turn's entries are encoded one behind the other into one buffer, which is what goes to the
 * disk: an append costs no allocation and no copy. Taking a turn back means forgetting that buffer
 * and cutting the tree.
 */
#include "ledger/ledger.h"

#include "ledger/entries.h"
#include "ledger/internal.h"

#include <comity/err.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- formulas ---- */

void ledger_genesis_hash(const struct suite *suite, struct bytes origin, struct bytes predecessor,
                         struct hash *ret)
{
    char number[16];
    int n = snprintf(number, sizeof number, "\n%" PRIu32 "\n", suite_id(suite));
    hash_of(suite, ret, BYTES_LIT("comity-genesis/v1\n"), origin, BYTES(number, (size_t)n),
            predecessor);
}

void ledger_body_hash(const struct suite *suite, struct bytes origin, struct bytes salt,
                      struct bytes body, struct hash *ret)
{
    hash_of(suite, ret, BYTES_LIT("comity-body/v1\n"), origin, BYTES_LIT("\n"), salt, body);
}

void ledger_record_hash(const struct suite *suite, struct bytes origin, struct bytes salt,
                        struct bytes record, struct hash *ret)
{
    hash_of(suite, ret, BYTES_LIT("comity-record/v1\n"), origin, BYTES_LIT("\n"), salt, record);
}

/* ---- what it is ---- */

const char *ledger_origin(const struct ledger *l)
{
    return l->origin;
}

const struct suite *ledger_suite(const struct ledger *l)
{
    return l->suite;
}

bool ledger_predecessor(const struct ledger *l, struct checkpoint *ret)
{
    if (!l->predecessor.origin[0])
        return false;
    *ret = l->predecessor;
    return true;
}

const struct hash *ledger_genesis(const struct ledger *l)
{
    return &l->genesis;
}

uint64_t ledger_size(const struct ledger *l)
{
    return l->size;
}

static const struct signed_checkpoint *newest(const struct ledger *l)
{
    return l->turn == TURN_SIGNED && l->own.c.size > 0 ? &l->own : &l->stored;
}

uint64_t ledger_signed_size(const struct ledger *l)
{
    return newest(l)->c.size;
}

/* ---- turns ---- */

int ledger_begin(struct ledger *l)
{
    if (!l->signer || l->turn == TURN_LOST)
        return l->signer ? COMITY_E_IO : COMITY_E_PERMISSION;
    if (l->turn != TURN_NONE)
        return COMITY_E_INVALID;
    int err = store_begin(l->store);
    if (err)
        return err;
    l->turn = TURN_OPEN;
    l->base = l->size;
    l->base_last = l->last[l->last_at];
    return COMITY_OK;
}

/* Room to note where one more entry of the turn begins. */
static int reserve_place(struct ledger *l)
{
    if (l->size - l->base < l->at_cap)
        return COMITY_OK;
    size_t cap = l->at_cap ? 2 * l->at_cap : 256;
    size_t *at = reallocarray(l->at, cap, sizeof *at);
    if (!at)
        return COMITY_E_NOMEM;
    l->at = at;
    l->at_cap = cap;
    return COMITY_OK;
}

/* Append lp(bytes of ${e}) to the turn's buffer; on failure it is as before. */
static int put_entry(struct ledger *l, const struct entry *e, struct bytes *ret)
{
    size_t start = l->data.len;
    buf_put_u32be(&l->data, 0);
    int err = buf_check(&l->data);
    if (!err)
        err = entry_encode(e, &l->data);
    if (!err)
        err = buf_check(&l->data);
    if (err) {
        l->data.len = start;
        l->data.failed = false;
        return err;
    }
    struct bytes bytes = bytes_slice(buf_bytes(&l->data), start + 4, l->data.len);
    put_u32be(l->data.data + start, (uint32_t)bytes.len);
    *ret = bytes;
    return COMITY_OK;
}

int ledger_append(struct ledger *l, struct entry *e, struct hash *ret_leaf)
{
    struct bytes bytes = BYTES_NONE;
    if (l->turn != TURN_OPEN)
        return COMITY_E_INVALID;
    int err = reserve_place(l);
    if (err)
        return err;
    size_t start = l->data.len;
    struct hash *leaf = &l->last[!l->last_at];
    e->index = l->size;
    e->prev = hash_bytes(&l->last[l->last_at]);
    err = put_entry(l, e, &bytes);
    if (err)
        return err;
    hash_leaf(l->suite, bytes, leaf);
    err = tree_add(&l->tree, leaf);
    if (err) {
        l->data.len = start;
        return err;
    }
    l->at[l->size - l->base] = start;
    l->last_at = !l->last_at;
    l->size++;
    if (ret_leaf)
        *ret_leaf = *leaf;
    return COMITY_OK;
}

static int sign_root(struct ledger *l)
{
    struct signed_checkpoint *own = &l->own;
    own->c = (struct checkpoint){.size = l->size};
    memcpy(own->c.origin, l->origin, sizeof own->c.origin);
    buf_reset(&own->note);
    int err = ledger_root(l, l->size, &own->c.root);
    return err ? err : checkpoint_sign(&own->c, l->signer, &own->note);
}

static int store_turn(struct ledger *l)
{
    const struct signed_checkpoint *own = &l->own;
    int err = entries_put(l->db, l->base, buf_bytes(&l->data));
    if (!err)
        err = tree_store(&l->tree);
    if (!err)
        err = db_run(l->db, "INSERT INTO checkpoint (size, root, note) VALUES (?1, ?2, ?3)",
                     DB_U64(own->c.size), DB_BLOB(hash_bytes(&own->c.root)),
                     DB_BLOB(buf_bytes(&own->note)));
    return err;
}

int ledger_sign(struct ledger *l)
{
    if (l->turn != TURN_OPEN)
        return COMITY_E_INVALID;
    int err = COMITY_OK;
    if (l->size > l->base) {
        err = sign_root(l);
        if (!err)
            err = store_turn(l);
    }
    l->turn = err ? TURN_FAILED : TURN_SIGNED;
    return err;
}

static void forget_turn(struct ledger *l)
{
    buf_reset(&l->data);
    l->own.c = (struct checkpoint){0};
    l->turn = TURN_NONE;
}

static void take_back(struct ledger *l)
{
    tree_truncate(&l->tree, l->base);
    l->size = l->base;
    l->last[l->last_at] = l->base_last;
    forget_turn(l);
}

static void settle(struct ledger *l)
{
    tree_settle(&l->tree);
    if (l->own.c.size > 0) {
        struct buf note = l->stored.note;
        l->stored = l->own;
        l->own.note = note;
    }
    forget_turn(l);
}

int ledger_commit(struct ledger *l)
{
    if (l->turn == TURN_OPEN && l->size > l->base)
        return COMITY_E_UNCOVERED;
    if (l->turn != TURN_OPEN && l->turn != TURN_SIGNED)
        return COMITY_E_INVALID;
    int err = store_commit(l->store);
    if (!err) {
        settle(l);
        return COMITY_OK;
    }
    take_back(l);
    /* A full disk was told before anything was written for good. After anything else we do not know
     * what is there. */
    if (err != COMITY_E_DISK_FULL)
        l->turn = TURN_LOST;
    return err;
}

void ledger_abort(struct ledger *l)
{
    if (l->turn == TURN_NONE || l->turn == TURN_LOST)
        return;
    store_rollback(l->store);
    take_back(l);
}

/* ---- checkpoints ---- */

int ledger_checkpoint(const struct ledger *l, struct checkpoint *ret, struct bytes *ret_note)
{
    const struct signed_checkpoint *s = newest(l);
    if (s->c.size == 0)
        return COMITY_E_UNCOVERED;
    *ret = s->c;
    *ret_note = buf_bytes(&s->note);
    return COMITY_OK;
}

int ledger_checkpoint_from(struct ledger *l, uint64_t size, struct checkpoint *ret,
                           struct buf *note)
{
    struct db_rows *rows = NULL;
    struct checkpoint c;
    if (size >= LEDGER_SIZE_MAX)
        return COMITY_E_UNCOVERED;
    int err =
        db_query(l->db, &rows, "SELECT note FROM checkpoint WHERE size >= ?1 ORDER BY size LIMIT 1",
                 DB_U64(size));
    if (!err)
        err = db_next(rows);
    if (err == DB_ROW) {
        struct bytes found = db_bytes(rows, 0);
        size_t start = note->len;
        err = checkpoint_peek(found, &c) ? COMITY_E_LEDGER_DAMAGED : COMITY_OK;
        if (!err) {
            buf_put_bytes(note, found);
            err = buf_check(note);
        }
        if (err)
            note->len = start;
        else
            *ret = c;
    } else if (!err) {
        err = COMITY_E_UNCOVERED;
    }
    db_done(rows);
    return err;
}

/* ---- the tree ---- */

static int subtree(void *self, uint64_t lo, uint64_t hi, struct hash *ret)
{
    struct ledger *l = self;
    int err = ledger_load(l);
    return err ? err : tree_subtree(&l->tree, lo, hi, ret);
}

struct tree_source ledger_tree(struct ledger *l)
{
    return (struct tree_source){.subtree = subtree, .self = l, .suite = l->suite};
}

int ledger_root(struct ledger *l, uint64_t size, struct hash *ret)
{
    struct tree_source src = ledger_tree(l);
    return size > l->size ? COMITY_E_NOT_FOUND : tree_hash(&src, 0, size, ret);
}

int ledger_leaf(struct ledger *l, uint64_t index, struct hash *ret)
{
    return index >= l->size ? COMITY_E_NOT_FOUND : subtree(l, index, index + 1, ret);
}

/* ---- entries ---- */

/* Entries below this are rows; those above stand in the turn's buffer. */
static uint64_t stored_size(const struct ledger *l)
{
    return l->turn == TURN_NONE || l->turn == TURN_LOST ? l->size : l->base;
}

/* Entry ${index} of the running turn: valid until the next append. */
static struct bytes own_entry(const struct ledger *l, uint64_t index)
{
    size_t start = l->at[index - l->base];
    size_t len = get_u32be(l->data.data + start);
    return bytes_slice(buf_bytes(&l->data), start + 4, len);
}

int ledger_entry(struct ledger *l, uint64_t index, struct buf *out)
{
    if (index >= l->size)
        return COMITY_E_NOT_FOUND;
    if (index < stored_size(l))
        return entries_get(l->db, index, out);
    size_t start = out->len;
    buf_put_bytes(out, own_entry(l, index));
    int err = buf_check(out);
    if (err)
        out->len = start;
    return err;
}

int ledger_each(struct ledger *l, uint64_t from, uint64_t to,
                int (*each)(void *self, uint64_t index, struct bytes entry), void *self)
{
    uint64_t stored = stored_size(l);
    if (from > to || to > l->size)
        return COMITY_E_NOT_FOUND;
    int err = COMITY_OK;
    if (from < stored)
        err = entries_each(l->db, from, to < stored ? to : stored, each, self);
    for (uint64_t i = from > stored ? from : stored; !err && i < to; i++)
        err = each(self, i, own_entry(l, i));
    return err;
}
