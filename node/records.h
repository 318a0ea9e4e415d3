/*
 * Records as the node finds them again: the rows of the projections, the content of entries, and
 * the kept parcels that brought what others sent. For methods*.c; nothing here writes.
 */
#ifndef NODE_RECORDS_H
#define NODE_RECORDS_H

#include "domain/record.h"
#include "msg/parcel.h"
#include "node.h"

/* ---- rows of view_record ---- */

struct record_row {
    uint64_t at;
    uint64_t origin_id; /* 0: own */
    struct bytes origin;
    uint64_t index;
    uint32_t kind;
    int64_t time_ms;
    struct bytes case_origin; /* none: no case */
    uint64_t case_origin_id;
    uint64_t case_index;
    struct bytes title;
    struct bytes doc_no;
    uint32_t sub;
    uint64_t files;
    uint64_t notes;
    struct bytes sender; /* none: own */
    struct hash leaf;
    uint32_t decided; /* 0: not by us */
};

/* A record of this member: of this ledger, or of one before it. */
bool record_is_ours(const struct record_row *r);

/* What RECORD_ROW_SQL selects, from view_record r. Behind it: WHERE … */
#define RECORD_ROW_SQL                                                                             \
    "SELECT r.at, r.origin, o.origin, r.idx, r.kind, r.time, c.origin, r.case_origin, r.case_idx," \
    " r.title, r.doc_no, r.sub, r.files, r.notes, r.sender, r.leaf, r.decided FROM view_record r"  \
    " JOIN view_origin o ON o.id = r.origin LEFT JOIN view_origin c ON c.id = r.case_origin "
enum { RECORD_ROW_COLUMNS = 17 };

/* The row that ${rows} stands at, copied into ${a}. */
int record_row_read(struct node *n, struct arena *a, struct db_rows *rows, struct record_row *ret)
    __attribute__((warn_unused_result));
/* The row of the record at that place. COMITY_E_NOT_FOUND: there is no record, or it was not opened
 * here. */
int record_row_find(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                    struct record_row *ret) __attribute__((warn_unused_result));
/* The number of ${origin} in the projections; COMITY_E_NOT_FOUND. */
int record_origin_id(struct node *n, struct bytes origin, uint64_t *ret)
    __attribute__((warn_unused_result));
/* The origin of that number, copied into ${a}. */
int record_origin_name(struct node *n, struct arena *a, uint64_t id, struct bytes *ret)
    __attribute__((warn_unused_result));

/* ---- contents ---- */

struct content_of {
    struct opening opening;
    struct body body;
    struct record record; /* kind 0: the body has none */
    struct hash record_hash;
};

/* Open the entry at that place; views into ${a}. COMITY_E_NOT_FOUND, COMITY_E_ERASED,
 * COMITY_E_WITHHELD, errors of decoding. */
int content_load(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                 struct content_of *ret) __attribute__((warn_unused_result));
/* The suite of that ledger: of the roster's, or ours. */
const struct suite *suite_of(const struct node *n, struct bytes origin);

/* ---- what was kept of parcels ---- */

/* The head in chunk ${id}; or that of the statement in chunk ${id}. Views into ${a}. */
int kept_head(struct node *n, struct arena *a, uint64_t id, struct parcel_head *ret)
    __attribute__((warn_unused_result));
int kept_statement(struct node *n, struct arena *a, uint64_t id, struct bytes *ret_bytes,
                   struct parcel_head *ret) __attribute__((warn_unused_result));
/* Decode entry ${i} of a head. */
int kept_entry(struct arena *a, const struct parcel_head *h, size_t i, struct entry *ret)
    __attribute__((warn_unused_result));
/* The entry of ${h} with that index. COMITY_E_NOT_FOUND. */
int kept_find(struct arena *a, const struct parcel_head *h, uint64_t index, struct entry *ret,
              size_t *ret_at) __attribute__((warn_unused_result));

/*
 * The entry of another ledger at that place, as a parcel brought it, ready to be enclosed: its
 * bytes, with the checkpoint, proof and statement that it came with, and its opening (empty when it
 * is not known here). COMITY_E_NOT_FOUND. Views into ${a}.
 */
int kept_enclosure(struct node *n, struct arena *a, struct bytes origin, uint64_t index,
                   struct parcel_enclosure *ret, struct opening *ret_opening)
    __attribute__((warn_unused_result));

#endif
