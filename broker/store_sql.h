/*
 * What the files with the broker's SQL share. And what it runs by itself in the thread of the
 * turns: at every TAKEN, and every few seconds. The tables grow for ever, so none of these may read
 * more than the rows it is about; tests/unit/broker/test_store.c asks SQLite how it would run them.
 */
#ifndef BROKER_STORE_SQL_H
#define BROKER_STORE_SQL_H

#include "store.h"

enum {
    SQL_PASSED,     /* what a recipient's cursor passes, by ledger of the sender */
    SQL_MOVE_TAKEN, /* the cursor, and the bytes that it passes */
    SQL_LESSEN,     /* … of each sender's share */
    SQL_MARK_DONE,  /* … and the parcels for which it was the last one */
    SQL_DUE,        /* parcels whose time is over */
    SQL_FORGET_DELIVERIES,
    SQL_FORGET_PARCEL,
    SQL_FREED, /* blobs whose blocks may go */
    SQL_FILE_DONE,
    SQL_FREE_BLOB,
    SQL_HOUSEKEEPING_COUNT
};
extern const char *const sql_housekeeping[SQL_HOUSEKEEPING_COUNT];

/* The one row of a query: DB_ROW becomes 0, no row COMITY_E_NOT_FOUND. */
int sql_one_row(struct db_rows *rows) __attribute__((warn_unused_result));
/* What is no hash was not written by us: zeros in its place would read as another's equivocation.
 * COMITY_E_LEDGER_DAMAGED. */
int sql_hash(struct db_rows *rows, int column, struct hash *ret)
    __attribute__((warn_unused_result));
/* What ${sender} has waiting for ${member} grows. */
int sql_enlarge_share(struct store *s, struct bytes member, struct bytes sender, uint64_t queued,
                      uint64_t held) __attribute__((warn_unused_result));

#endif
