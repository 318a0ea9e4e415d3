/*
 * Two folders held against each other, one of a process that is dead: nobody knows more of a ledger
 * than the ledger holds, nothing is taken for received that is not durable where it was received.
 * See kill.h.
 *
 * The dead one stands still, and what it was told was durable at the other one before: so the other
 * one may live and go on while it is read.
 */
#include "kill.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

static uint64_t number(struct kill_daemon *d, struct db *db, const char *sql, const char *arg)
{
    uint64_t n = 0;
    if (db_get_u64(db, 0, &n, sql, &DB_STR(arg), 1))
        kill_fail(d->c, d->id, "cannot be asked: %s", db_detail(db));
    return n;
}

static void at_most(struct kill_daemon *d, const char *what, uint64_t a, uint64_t b)
{
    if (a > b)
        kill_fail(d->c, d->id, "%s: %llu > %llu", what, (unsigned long long)a,
                  (unsigned long long)b);
}

/* ${root} at ${size} is one of the ledger of ${d}, whose book is of its death. */
static void check_root(struct kill_daemon *d, const char *by, uint64_t size, struct bytes root)
{
    if (size > d->book.size)
        kill_fail(d->c, d->id, "%s knows %llu entries of it, and it has %llu", by,
                  (unsigned long long)size, (unsigned long long)d->book.size);
    else if (size && !bytes_equal(root, hash_bytes(&d->book.root[size])))
        kill_fail(d->c, d->id, "%s knows another history of it at %llu", by,
                  (unsigned long long)size);
}

/* Every root that ${sql} finds in ${db} of ${d}'s ledger. */
static void check_roots(struct kill_daemon *d, const char *by, struct db *db, const char *sql)
{
    struct db_rows *rows = NULL;
    int got = db_query(db, &rows, sql, DB_STR(d->origin));
    while (got >= 0 && (got = db_next(rows)) == DB_ROW)
        check_root(d, by, db_u64(rows, 0), db_bytes(rows, 1));
    db_done(rows);
    if (got < 0)
        kill_fail(d->c, by, "cannot be asked: %s", db_detail(db));
}

/* ---- a set of numbers with what belongs to each ---- */

struct set {
    struct pair_of {
        uint64_t key;
        uint64_t value;
    } * at;
    size_t count;
    size_t cap;
};

static int by_key(const void *a, const void *b)
{
    const struct pair_of *x = a;
    const struct pair_of *y = b;
    return (x->key > y->key) - (x->key < y->key);
}

/* ${sql} gives two numbers a row, ordered by the first. */
static void set_read(struct kill_daemon *d, struct db *db, const char *sql, const char *arg,
                     struct set *s)
{
    struct db_rows *rows = NULL;
    int got = db_query(db, &rows, sql, DB_STR(arg));
    s->count = 0;
    while (got >= 0 && (got = db_next(rows)) == DB_ROW) {
        if (s->count == s->cap) {
            s->cap = s->cap ? 2 * s->cap : 512;
            s->at = realloc(s->at, s->cap * sizeof *s->at);
            if (!s->at)
                kill_die("memory", "none");
        }
        s->at[s->count++] = (struct pair_of){db_u64(rows, 0), db_u64(rows, 1)};
    }
    db_done(rows);
    if (got < 0)
        kill_fail(d->c, d->id, "cannot be asked: %s", db_detail(db));
}

/* Every row of ${a} is one of ${b}. */
static void is_part(struct kill_daemon *d, const char *what, const struct set *a,
                    const struct set *b)
{
    for (size_t i = 0; i < a->count; i++) {
        const struct pair_of *found =
            b->count ? bsearch(&a->at[i], b->at, b->count, sizeof *b->at, by_key) : NULL;
        if (found && found->value == a->at[i].value)
            continue;
        kill_fail(d->c, d->id, "%s: %llu (%llu)", what, (unsigned long long)a->at[i].key,
                  (unsigned long long)a->at[i].value);
        return;
    }
}

/* ---- node and broker ---- */

static void check_outbox(struct kill_daemon *node, struct db *db, struct kill_daemon *hub,
                         struct db *hub_db)
{
    struct set here = {0};
    struct set there = {0};
    at_most(node, "more answers than the broker has given",
            number(node, db, "SELECT value FROM cursor WHERE name = ?1", "answered"),
            number(hub, hub_db, "SELECT parcel_seq FROM known WHERE origin = ?1", node->origin));
    at_most(
        hub, "more parcels than the node has sent",
        number(hub, hub_db, "SELECT max(parcel_seq) FROM parcel WHERE origin = ?1", node->origin),
        number(node, db, "SELECT max(parcel_seq) FROM parcel_out WHERE ?1 <> ''", "x"));
    set_read(node, db,
             "SELECT parcel_seq, routed FROM parcel_out WHERE state = 1 AND ?1 <> '' ORDER BY 1",
             "x", &here);
    set_read(hub, hub_db, "SELECT parcel_seq, routed FROM parcel WHERE origin = ?1 ORDER BY 1",
             node->origin, &there);
    is_part(node, "answered, and not in the broker's ledger", &here, &there);
    set_read(hub, hub_db, "SELECT parcel_seq, size FROM parcel WHERE origin = ?1 ORDER BY 1",
             node->origin, &there);
    set_read(node, db,
             "SELECT parcel_seq, size FROM parcel_out WHERE parcel_seq IS NOT NULL AND ?1 <> ''"
             " ORDER BY 1",
             "x", &here);
    if (node->pid == 0) /* the broker has nothing that the dead node has not */
        is_part(hub, "a parcel that its sender does not know", &there, &here);
    free(here.at);
    free(there.at);
}

static void check_inbox(struct kill_daemon *node, struct db *db, struct kill_daemon *hub,
                        struct db *hub_db)
{
    struct set here = {0};
    struct set there = {0};
    /* Read first what must be behind. */
    uint64_t taken_there =
        number(hub, hub_db, "SELECT taken FROM recipient WHERE member = ?1", node->id);
    uint64_t taken = number(node, db, "SELECT value FROM cursor WHERE name = ?1", "taken");
    at_most(hub, "the broker takes more for taken than is durable", taken_there, taken);
    if (hub->pid == 0 || node->pid == 0)
        at_most(node, "more was taken than was given", taken,
                number(hub, hub_db, "SELECT given FROM recipient WHERE member = ?1", node->id));
    set_read(node, db, "SELECT delivery_seq, routed FROM parcel_in WHERE ?1 <> '' ORDER BY 1", "x",
             &here);
    set_read(hub, hub_db,
             "SELECT d.seq, p.routed FROM delivery d JOIN parcel p ON p.id = d.parcel"
             " WHERE d.member = ?1 ORDER BY 1",
             node->id, &there);
    is_part(node, "received, and never delivered", &here, &there);
    set_read(hub, hub_db,
             "SELECT d.seq, p.routed FROM delivery d JOIN parcel p ON p.id = d.parcel"
             " JOIN recipient r ON r.member = d.member WHERE d.member = ?1 AND d.seq <= r.taken"
             " ORDER BY 1",
             node->id, &there);
    set_read(node, db, "SELECT delivery_seq, routed FROM parcel_in WHERE ?1 <> '' ORDER BY 1", "x",
             &here);
    is_part(hub, "taken, and not received", &there, &here);
    free(here.at);
    free(there.at);
}

void check_with_broker(struct kill_daemon *node, struct db *db, struct kill_daemon *hub,
                       struct db *hub_db)
{
    check_outbox(node, db, hub, hub_db);
    check_inbox(node, db, hub, hub_db);
    if (node->is_read)
        check_roots(node, hub->id, hub_db, "SELECT size, root FROM known WHERE origin = ?1");
    if (hub->is_read)
        check_roots(hub, node->id, db, "SELECT size, root FROM peer_root WHERE origin = ?1");
}

/* ---- node and node ---- */

/* What ${from} was told that ${to} has: ${to} has it. ${from} was read when it was dead, or is read
 * first. */
static void check_receipts(struct kill_daemon *from, struct db *from_db, struct kill_daemon *to,
                           struct db *to_db)
{
    struct set told = {0};
    struct set has = {0};
    set_read(from, from_db,
             "SELECT p.first, p.count FROM parcel_out p JOIN parcel_out_to t ON t.parcel = p.id"
             " WHERE t.state = 1 AND t.member = ?1 ORDER BY 1",
             to->id, &told);
    set_read(to, to_db,
             "SELECT first, count FROM parcel_in WHERE origin = ?1 AND token IS NULL AND count > 0"
             " ORDER BY 1",
             from->origin, &has);
    is_part(from, "a receipt for what is not durable", &told, &has);
    at_most(from, "more receipts for files than files",
            number(from, from_db,
                   "SELECT count(*) FROM attachment_out_to WHERE receipt IS NOT NULL AND"
                   " member = ?1",
                   to->id),
            number(to, to_db,
                   "SELECT count(DISTINCT blob) FROM attachment_in WHERE state = 2 AND sender = ?1",
                   from->id));
    free(told.at);
    free(has.at);
}

void check_with_node(struct kill_daemon *dead, struct db *db, struct kill_daemon *other,
                     struct db *other_db)
{
    check_roots(dead, other->id, other_db, "SELECT size, root FROM peer_root WHERE origin = ?1");
    check_receipts(dead, db, other, other_db);
    check_receipts(other, other_db, dead, db);
    at_most(other, "it has taken more numbers than were given",
            number(other, other_db, "SELECT next FROM pair_in WHERE origin = ?1", dead->origin),
            1 + number(dead, db, "SELECT next FROM pair_out WHERE member = ?1", other->id));
}
