/*
 * What lies in a dead process's folder: its ledger. See kill.h.
 *
 * Everything is read through the store opened for reading, as an auditor beside the folder would
 * see it: the folder itself is left as the death left it, for the start to deal with.
 *
 * All entries are read after every death. What costs more per entry (bodies, signatures, files) is
 * checked once, when it is new, and again by the audit at the end of the network.
 */
#include "kill.h"

#include "store/db.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA = 8 * 1024 * 1024, STACK = 64 };

/* ---- the book: leaves and roots ---- */

static void book_reserve(struct book *k, uint64_t size)
{
    if (size + 1 <= k->cap)
        return;
    k->cap = 2 * (size + 1);
    k->leaf = realloc(k->leaf, k->cap * sizeof(struct hash));
    k->root = realloc(k->root, k->cap * sizeof(struct hash));
    if (!k->leaf || !k->root)
        kill_die("memory", "none");
}

/* The roots of all prefixes, by our own few lines rather than lib/ledger's. */
struct growing {
    struct hash stack[STACK];
    unsigned depth;
    uint64_t size;
};

static void grow(struct growing *g, const struct suite *s, const struct hash *leaf)
{
    g->stack[g->depth++] = *leaf;
    for (uint64_t n = ++g->size; !(n & 1); n >>= 1) {
        hash_node(s, &g->stack[g->depth - 2], &g->stack[g->depth - 1], &g->stack[g->depth - 2]);
        g->depth--;
    }
}

static void root_of(const struct growing *g, const struct suite *s, struct hash *ret)
{
    *ret = g->stack[g->depth - 1];
    for (unsigned i = g->depth - 1; i > 0; i--)
        hash_node(s, &g->stack[i - 1], ret, ret);
}

struct reading {
    struct kill_daemon *d;
    struct ledger *l;
    struct arena *a;
    struct growing g;
    struct hash prev;
    uint64_t pair_next[DAEMONS + 8]; /* of each member that entries go to */
    char pair_member[DAEMONS + 8][40];
    size_t pairs;
};

/* ---- numbers: entries to one member count up from 1 without a gap ---- */

static void see_number(struct reading *r, uint64_t index, const struct entry_to *to)
{
    size_t i = 0;
    while (i < r->pairs && !bytes_is(to->member, r->pair_member[i]))
        i++;
    if (i == r->pairs) {
        if (r->pairs == DAEMONS + 8)
            kill_die("members", "too many");
        snprintf(r->pair_member[r->pairs++], sizeof r->pair_member[0], "%.*s", (int)to->member.len,
                 (const char *)to->member.data);
        r->pair_next[i] = 1;
    }
    if (to->pair_seq != r->pair_next[i])
        kill_fail(r->d->c, r->d->id, "entry %llu: number %llu to %s, wanted %llu",
                  (unsigned long long)index, (unsigned long long)to->pair_seq, r->pair_member[i],
                  (unsigned long long)r->pair_next[i]);
    r->pair_next[i] = to->pair_seq + 1;
}

static void check_body(struct reading *r, const struct entry *e)
{
    struct opening o;
    struct hash hash;
    struct bytes origin = bytes_of(r->d->origin);
    int err = ledger_opening(r->l, origin, e->index, r->a, &o);
    if (err) {
        kill_fail(r->d->c, r->d->id, "entry %llu: its body cannot be read: %s",
                  (unsigned long long)e->index, comity_err_text(err));
        return;
    }
    ledger_body_hash(ledger_suite(r->l), origin, o.salt, o.body, &hash);
    if (!bytes_equal(hash_bytes(&hash), e->body_hash))
        kill_fail(r->d->c, r->d->id, "entry %llu: its body is another one",
                  (unsigned long long)e->index);
}

static int see_entry(void *self, uint64_t index, struct bytes bytes)
{
    struct reading *r = self;
    struct book *k = &r->d->book;
    const struct suite *s = ledger_suite(r->l);
    struct hash leaf;
    struct entry e;
    arena_reset(r->a);
    hash_leaf(s, bytes, &leaf);
    if (entry_decode(r->a, bytes, &e) || e.index != index ||
        !bytes_equal(e.prev, hash_bytes(&r->prev)))
        kill_fail(r->d->c, r->d->id, "entry %llu does not follow the one before it",
                  (unsigned long long)index);
    if (index < k->size && !hash_equal(&leaf, &k->leaf[index]))
        kill_fail(r->d->c, r->d->id, "entry %llu is another one than before",
                  (unsigned long long)index);
    for (size_t i = 0; i < e.to_count && e.kind != ENTRY_ROUTED; i++)
        see_number(r, index, &e.to[i]);
    if (index >= k->size && e.body_hash.len)
        check_body(r, &e);
    grow(&r->g, s, &leaf);
    k->leaf[index] = leaf;
    root_of(&r->g, s, &k->root[index + 1]);
    r->prev = leaf;
    return COMITY_OK;
}

/* ---- checkpoints ---- */

static void check_notes(struct kill_daemon *d, struct db *db, uint64_t size, uint64_t from)
{
    struct db_rows *rows = NULL;
    const struct note_verifier *key = note_signer_public(d->keys.ledger);
    uint64_t last = 0;
    int got = db_query(db, &rows, "SELECT size, root, note FROM checkpoint ORDER BY size", DB_NULL);
    while (got >= 0 && (got = db_next(rows)) == DB_ROW) {
        struct checkpoint p;
        last = db_u64(rows, 0);
        if (last > size || !bytes_equal(db_bytes(rows, 1), hash_bytes(&d->book.root[last])))
            kill_fail(d->c, d->id, "checkpoint %llu is not of these entries",
                      (unsigned long long)last);
        else if (last > from && (checkpoint_open(db_bytes(rows, 2), key, &p) || p.size != last ||
                                 !hash_equal(&p.root, &d->book.root[last])))
            kill_fail(d->c, d->id, "checkpoint %llu is not signed", (unsigned long long)last);
    }
    db_done(rows);
    if (got < 0 || last != size)
        kill_fail(d->c, d->id, "%llu entries, and the last checkpoint is of %llu",
                  (unsigned long long)size, (unsigned long long)last);
}

void check_book(struct kill_daemon *d, struct ledger *l, struct db *db)
{
    struct book *k = &d->book;
    uint64_t size = ledger_size(l);
    uint64_t before = k->size;
    struct reading r = {.d = d, .l = l, .a = arena_new(ARENA), .prev = *ledger_genesis(l)};
    if (!r.a)
        kill_die("memory", "none");
    if (size < before)
        kill_fail(d->c, d->id, "it had %llu entries, and has %llu", (unsigned long long)before,
                  (unsigned long long)size);
    book_reserve(k, size);
    int err = ledger_each(l, 0, size, see_entry, &r);
    if (err)
        kill_fail(d->c, d->id, "its entries cannot be read: %s", comity_err_text(err));
    check_notes(d, db, size, before);
    k->size = size;
    d->is_read = true;
    arena_free(r.a);
}

/* ---- what was acknowledged is there, where it was said to be ---- */

static bool is_there(const struct book *k, const struct push *p)
{
    return p->index < k->size && hash_equal(&p->leaf, &k->leaf[p->index]);
}

static void check_acknowledged(struct kill_daemon *d)
{
    const struct bureau *b = &d->c->bureau[d->at];
    const struct push *lost = NULL;
    size_t n = 0;
    pthread_mutex_lock(&d->c->lock);
    for (size_t i = 0; i < b->count; i++) {
        if (!b->push[i]->is_acked || is_there(&d->book, b->push[i]))
            continue;
        lost = lost ? lost : b->push[i];
        n++;
    }
    pthread_mutex_unlock(&d->c->lock);
    if (lost)
        kill_fail(d->c, d->id, "%zu acknowledged and lost: %s was entry %llu, there are %llu", n,
                  lost->id, (unsigned long long)lost->index, (unsigned long long)d->book.size);
}

/* ---- all ---- */

static struct store *open_read(struct kill_daemon *d)
{
    struct store *s = NULL;
    int err = site_open_store(d->site, DB_READ, &s);
    if (err)
        kill_fail(d->c, d->id, "its store does not open: %s", comity_err_text(err));
    return err ? NULL : s;
}

static void check_others(struct kill_daemon *d, struct store *s)
{
    for (size_t i = 0; i < DAEMONS; i++) {
        struct kill_daemon *o = &d->c->daemon[i];
        struct store *other = i == d->at ? NULL : open_read(o);
        if (!other)
            continue;
        if (i == HUB)
            check_with_broker(d, store_db(s), o, store_db(other));
        else if (d->at == HUB)
            check_with_broker(o, store_db(other), d, store_db(s));
        else
            check_with_node(d, store_db(s), o, store_db(other));
        store_close(other);
    }
}

void check_dead(struct kill_daemon *d)
{
    int64_t begun = mono_us();
    struct store *s = open_read(d);
    struct ledger *l = NULL;
    int err = s ? ledger_open_read(s, &l) : COMITY_E_IO;
    if (!err) {
        check_book(d, l, store_db(s));
        check_acknowledged(d);
        if (d->at == HUB)
            check_broker(d, l, s);
        else
            check_node(d, l, s);
        check_others(d, s);
    } else if (s) {
        kill_fail(d->c, d->id, "its ledger does not open: %s", comity_err_text(err));
    }
    ledger_close(l);
    store_close(s);
    int64_t rebuild = mono_us();
    check_rebuilt(d);
    d->c->rebuild_us += mono_us() - rebuild;
    d->c->checks++;
    d->c->check_us += mono_us() - begun;
}
