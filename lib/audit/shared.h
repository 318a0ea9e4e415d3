/*
 * What lib/package takes of the audit beside its results: a ledger wherever it lies, and the
 * rosters that it holds, each proven by the authority's keys. For these two modules alone.
 */
#ifndef AUDIT_SHARED_H
#define AUDIT_SHARED_H

#include "audit/audit.h"
#include "audit/list.h"
#include "store/store.h"

/* ---- source.c: what lies there. Nothing read is believed ---- */

/* The store of the ledger that was added first, read-only, as it was at that moment. The audit's.
 */
struct store *audit_store(const struct audit *a);
/* A ledger has the tables of whoever keeps it: "parcel_in" is a node's, "delivery" a broker's. */
bool audit_has_table(struct db *db, const char *name);
/* Time, kind and prev of an entry from where they always are, without decoding it: see
 * proto/ledger.proto. False for bytes that cannot be an entry's. */
bool entry_peek(struct bytes entry, uint64_t *ret_time, uint8_t *ret_kind, struct bytes *ret_prev);

/* ---- rosters.c ---- */

/* Read the rosters of all ledgers that were added, and open those to which the authority's keys
 * lead. Once; audit_run does it itself. */
int rosters_collect(struct audit *a) __attribute__((warn_unused_result));
/* How many were found, proven or not. */
size_t rosters_count(const struct audit *a);
/* The roster of that number, or the newest one (also for number 0, which no roster has); NULL when
 * none is proven. */
const struct roster *rosters_at(const struct audit *a, uint64_t number);
/* Open a roster under the authority that it names itself: whether that one counts is the caller's
 * to know. ${note} and ${doc} are the parts of its file; ${anchor} has the network's name. */
int rosters_open_by_itself(const struct network *anchor, struct arena *arena, struct bytes note,
                           struct bytes doc, struct roster **ret)
    __attribute__((warn_unused_result));

#endif
