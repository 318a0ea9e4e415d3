/*
 * The ledgers of this member before the one that is kept now: read, never written. See
 * docs/LEDGER.md, Rollback.
 *
 * Each lies in archive/<number>/ of the folder, as it was put back. To those parts that only read
 * tables (records, stages) an archive is a struct node of its own: its ledger, its store, no core.
 * What the broker gave back of it is in the tables of the ledger in use.
 */
#ifndef NODE_ARCHIVE_H
#define NODE_ARCHIVE_H

#include "msg/frame.h"
#include "msg/parcel.h"
#include "node.h"
#include "json/value_json.h"

#include <comity/err.h>

struct turn;

struct archive {
    struct node as_node;
    unsigned number;
    char origin[ORIGIN_MAX + 1];
    uint64_t base;   /* where its entries begin in `at` of the projections */
    uint64_t size;   /* entries that the copy has */
    uint64_t closed; /* where the roster closed it */
    /* as the table says: */
    uint64_t taken;
    uint64_t after;
    bool is_done;
    bool has_lost;
    uint64_t lost;
    uint64_t lost_to;
};

/* Open what the table names, and say where each begins. */
int archives_open(struct node *n) __attribute__((warn_unused_result));
void archives_close(struct node *n);
/* Read anew what turns change. */
int archives_load(struct node *n) __attribute__((warn_unused_result));

/* The archive of ledger ${origin}, or NULL. */
struct archive *archive_of(struct node *n, struct bytes origin);
/* The node whose own ledger ${origin} is: ${n} itself, an archive's, or NULL. */
struct node *archive_home(struct node *n, struct bytes origin);
/* Home number ${i}: the archives, oldest first, then ${n} itself; NULL behind that. */
struct node *archive_home_at(struct node *n, size_t i);
/* Which home's entry the place ${at} of the projections is, and its index there. */
struct node *archive_at(struct node *n, uint64_t at, uint64_t *ret_index);

/* ledger_opening, here or in the archives. */
int archive_opening(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                    struct opening *ret) __attribute__((warn_unused_result));

/* ---- archive_recall.c: what the broker still holds of them ---- */

/* A parcel that came back. */
struct recalled {
    struct archive *of;
    uint64_t parcel_seq;
    bool is_end;                      /* there is nothing more */
    const struct parcel_facts *facts; /* NULL: none, or it does not hold */
    struct bytes statement;
    uint64_t routed;
    struct openings openings;
};

/* Ask for the next parcel of an earlier ledger, if one is to be asked for; the session is open. */
int archive_ask(struct turn *t, struct node_out *out) __attribute__((warn_unused_result));
/* RECALLED. What does not hold is passed over and logged; an error ends the session. */
int archive_take(struct turn *t, const struct frame *f) __attribute__((warn_unused_result));
/* Inside the transaction: rows, openings, projections. */
int archive_write(struct turn *t) __attribute__((warn_unused_result));
/* Deliveries before ${first} were let go: of those, what the ledger before had not taken is lost.
 */
int archive_note_lost(struct turn *t, uint64_t first) __attribute__((warn_unused_result));

/* Entries first … last. */
struct archive_range {
    uint64_t first;
    uint64_t last;
};
/* What is neither in the copy nor came back, below the size at which it was closed; in the arena.
 */
int archive_missing(struct node *n, const struct archive *of, struct arena *a,
                    struct archive_range **ret, size_t *ret_count)
    __attribute__((warn_unused_result));
/* For `status`: a list; NULL without any archive. */
json_t *archive_status(struct node *n, struct arena *a);

#endif
