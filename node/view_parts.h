/*
 * What the parts of the projections share: what is kept during a turn, and how records are found in
 * the tables. The tables are described in lib/site/schema_node.c. Internal to node/view*.c,
 * node/methods*.c and node/reindex.c.
 */
#ifndef NODE_VIEW_PARTS_H
#define NODE_VIEW_PARTS_H

#include "node.h"
#include "view.h"

#include <uthash.h>

/* The number of the own ledger in view_origin. */
enum { VIEW_ORIGIN_OWN = 0 };

enum { VIEW_KINDS = 4, VIEW_BATCH = 16 };

/* A record on its way into view_record (and view_request). Texts are in the rows' memory. */
struct view_row {
    uint64_t at;
    uint64_t origin;
    uint64_t index;
    uint32_t kind;
    int64_t time_ms;
    bool has_case;
    uint64_t case_origin;
    uint64_t case_index;
    struct bytes title;
    struct bytes doc_no;
    uint64_t sub;
    uint64_t files;
    uint64_t notes;
    struct bytes request_id; /* of own ones */
    struct bytes sender;     /* of received ones */
    struct hash leaf;
};

/* Rows that wait; received ones all of one kind. */
struct view_rows {
    struct view_row row[VIEW_BATCH];
    size_t count;
    struct arena *kept;
};

struct view_origin {
    char name[ORIGIN_MAX + 1];
    uint64_t id;
    UT_hash_handle hh;
};

/* Lives from the first view_apply of a turn to view_forget: whatever it remembers is what this
 * turn's transaction sees. */
struct view {
    struct arena *scratch; /* of one item */
    struct view_rows own;
    struct view_rows received;
    struct view_origin *origins;
    uint64_t added[VIEW_KINDS][2]; /* records of that kind: received, own */
};

/* The number of ${origin}, given out now if need be. COMITY_E_INVALID when it is none. */
int view_origin_id(struct node *n, struct bytes origin, uint64_t *ret)
    __attribute__((warn_unused_result));

/* ---- view_rows.c ---- */

/* Write the records that wait: before anything is done that must see them, or come behind them. */
int view_write_rows(struct node *n) __attribute__((warn_unused_result));
/* Let ${row} wait, whose texts are copied. */
int view_add_row(struct node *n, const struct view_row *row) __attribute__((warn_unused_result));
/* Write the received record ${row}, and say whether it is the first of its place. */
int view_write_row(struct node *n, const struct view_row *row, bool *ret_new)
    __attribute__((warn_unused_result));

/* ---- view_project.c: one kind of entry each; the body of ${item} has been decoded ---- */

struct body;
int view_project_record(struct node *n, const struct view_item *item, const struct body *body)
    __attribute__((warn_unused_result));
int view_project_signature(struct node *n, const struct view_item *item, const struct body *body)
    __attribute__((warn_unused_result));
int view_project_share(struct node *n, const struct view_item *item, const struct body *body)
    __attribute__((warn_unused_result));
int view_project_key(struct node *n, const struct view_item *item, const struct body *body)
    __attribute__((warn_unused_result));

#endif
