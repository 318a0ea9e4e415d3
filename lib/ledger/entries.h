/*
 * Rows of entries. Internal to lib/ledger.
 */
#ifndef LEDGER_ENTRIES_H
#define LEDGER_ENTRIES_H

#include "store/db.h"

enum { ENTRY_RUN_MAX = 256, ENTRY_RUN_BYTES_MAX = 64 * 1024 };

/* Put the entries in ${data}, lp(bytes) one behind the other, the first with index ${first}, into
 * rows. */
int entries_put(struct db *db, uint64_t first, struct bytes data)
    __attribute__((warn_unused_result));
/* The number of entries, by the last row. */
int entries_count(struct db *db, uint64_t *ret) __attribute__((warn_unused_result));
/* Append entry ${index} to ${out}. COMITY_E_LEDGER_DAMAGED when no row has it. */
int entries_get(struct db *db, uint64_t index, struct buf *out) __attribute__((warn_unused_result));
/* Call ${each} for stored entries from … to-1, until it returns non-zero, which is passed on. No
 * statement is open meanwhile. COMITY_E_LEDGER_DAMAGED when one is missing. */
int entries_each(struct db *db, uint64_t from, uint64_t to,
                 int (*each)(void *self, uint64_t index, struct bytes entry), void *self)
    __attribute__((warn_unused_result));

#endif
