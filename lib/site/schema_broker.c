/*
 * The broker's tables beside its ledger. Sources, all of them: what a member was answered must be answered again after a
 * crash, and a delivery number is given once.
 */
#include "site/schema.h"

const char *const site_broker_schema[] = {
    /* Rosters that came into force; a node that was away asks for those it missed. */
    "CREATE TABLE roster(number INTEGER PRIMARY KEY, file BLOB NOT NULL) STRICT;"

    /* What is known of each member ledger: the last parcel_seq taken in, and the newest checkpoint accepted. */
    "CREATE TABLE known(origin TEXT PRIMARY KEY, parcel_seq INTEGER NOT NULL, size INTEGER NOT NULL,"
    " root BLOB, note BLOB) STRICT, WITHOUT ROWID;"

    /* Parcels accepted (routed: index of the ROUTED entry) or refused (token; routed: of the REFUSED entry). chunk is 0 once
     * the parcel itself was let go; done_ms is when the last recipient had taken it. */
    "CREATE TABLE parcel(id INTEGER PRIMARY KEY AUTOINCREMENT, origin TEXT NOT NULL,"
    " parcel_seq INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,"
    " routed INTEGER NOT NULL, token TEXT, chunk INTEGER NOT NULL, len INTEGER NOT NULL,"
    " done_ms INTEGER) STRICT;"
    "CREATE UNIQUE INDEX parcel_by_seq ON parcel(origin, parcel_seq);"
    "CREATE INDEX parcel_by_size ON parcel(origin, size);"

    /* Insert-only until the parcel is let go. */
    "CREATE TABLE delivery(member TEXT NOT NULL, seq INTEGER NOT NULL, parcel INTEGER NOT NULL,"
    " PRIMARY KEY(member, seq)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX delivery_by_parcel ON delivery(parcel);"

    /* Each recipient's cursors: the last delivery_seq given, the last one taken, bytes between the two. */
    "CREATE TABLE recipient(member TEXT PRIMARY KEY, given INTEGER NOT NULL, taken INTEGER NOT NULL,"
    " queued INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    /* Attachments named by accepted parcels. freed: 0 wanted, 1 every reader has it, 2 its blocks are gone. */
    "CREATE TABLE blob(id BLOB PRIMARY KEY, len INTEGER NOT NULL, complete INTEGER NOT NULL,"
    " freed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX blob_by_freed ON blob(freed) WHERE freed = 1;"
    /* Who may upload a blob, who may fetch it, and which of these have it whole. */
    "CREATE TABLE blob_member(blob BLOB NOT NULL, member TEXT NOT NULL, may_put INTEGER NOT NULL,"
    " may_get INTEGER NOT NULL, done INTEGER NOT NULL, PRIMARY KEY(blob, member)) STRICT, WITHOUT ROWID;",
};
const size_t site_broker_schema_count = sizeof site_broker_schema / sizeof site_broker_schema[0];
