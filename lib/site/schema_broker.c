/*
 * The broker's tables beside its ledger. Sources, all of them: what a member was answered must be
 * answered again after a crash, and a delivery number is given once.
 */
#include "site/schema.h"

const char *const site_broker_schema[] = {
    /* Rosters that came into force; a node that was away asks for those it missed. */
    "CREATE TABLE roster(number INTEGER PRIMARY KEY, file BLOB NOT NULL) STRICT;"

    /* What is known of each member ledger: the last parcel_seq taken in, and the newest checkpoint
       accepted. */
    "CREATE TABLE known(origin TEXT PRIMARY KEY, parcel_seq INTEGER NOT NULL, size INTEGER NOT "
    "NULL,"
    " root BLOB, note BLOB) STRICT, WITHOUT ROWID;"

    /*
     * Parcels accepted (routed: index of the ROUTED entry) or refused (token; routed: of the
     * REFUSED entry). chunk is 0 once the parcel itself was let go; done_ms is when the last
     * recipient had taken it.
     *
     * Rows stay for ever, as the entries in the ledger do, of which each is a small part. Who needs
     * them: a node that says HELLO with an older `answered` is answered again, and nothing here
     * says how far back that may be; and every root that was accepted is held against later parcels
     * that have a cut there, so that a history changed years back is still seen. So no statement of
     * the housekeeping may walk over this table (broker/store_sql.h).
     */
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

    /* Each recipient's cursors: the last delivery_seq given, the last one taken, bytes between the
     * two; and (held, below) the bytes of attachments that are kept for it. queued + held is what
     * its quota bounds. */
    "CREATE TABLE recipient(member TEXT PRIMARY KEY, given INTEGER NOT NULL, taken INTEGER NOT "
    "NULL,"
    " queued INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    /* Attachments named by accepted parcels. freed: 0 wanted, 1 every reader has it, 2 its blocks
       are gone. (complete: see below.) */
    "CREATE TABLE blob(id BLOB PRIMARY KEY, len INTEGER NOT NULL, complete INTEGER NOT NULL,"
    " freed INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE INDEX blob_by_freed ON blob(freed) WHERE freed = 1;"
    /* Who may upload a blob, who may fetch it, and which of these have it whole. */
    "CREATE TABLE blob_member(blob BLOB NOT NULL, member TEXT NOT NULL, may_put INTEGER NOT NULL,"
    " may_get INTEGER NOT NULL, done INTEGER NOT NULL, PRIMARY KEY(blob, member)) STRICT, WITHOUT "
    "ROWID;",

    /* Step 2. What is due is found by an index, not by walking over all parcels that ever were;
     * those that were done before get their time now. */
    "CREATE INDEX parcel_by_done ON parcel(done_ms) WHERE chunk <> 0 AND done_ms IS NOT NULL;"
    "UPDATE parcel SET done_ms = CAST(strftime('%s', 'now') AS INTEGER) * 1000"
    " WHERE chunk <> 0 AND done_ms IS NULL AND NOT EXISTS (SELECT 1 FROM delivery d"
    "  JOIN recipient r ON r.member = d.member WHERE d.parcel = parcel.id AND d.seq > r.taken);"
    /* Attachments count against the quota: sealed bytes of those that were named for a recipient
       and are not done. */
    "ALTER TABLE recipient ADD COLUMN held INTEGER NOT NULL DEFAULT 0;"
    "UPDATE recipient SET held = (SELECT coalesce(sum(b.len + (b.len / 262128 + 1) * 16), 0)"
    " FROM blob_member m JOIN blob b ON b.id = m.blob"
    " WHERE m.member = recipient.member AND m.may_get AND NOT m.done"
    " AND b.len BETWEEN 0 AND 1125899906842624);"
    /* Nobody asked whether a blob was complete: the bulk thread sees it in the file. */
    "ALTER TABLE blob DROP COLUMN complete;",

    /* Step 3. The last parcel_seq that was refused, so that a HELLO need not read the history
       behind what it says was answered. */
    "ALTER TABLE known ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;"
    "UPDATE known SET refused = (SELECT coalesce(max(p.parcel_seq), 0) FROM parcel p"
    " WHERE p.origin = known.origin AND p.token IS NOT NULL);",

    /* Step 4. Of what waits for a recipient (queued, held), how much each sender has sent, so that
     * none of them fills the quota alone; and whom a blob that is held is counted for: the first
     * who named it. What was held before is nobody's. */
    "CREATE TABLE share(member TEXT NOT NULL, sender TEXT NOT NULL, queued INTEGER NOT NULL, held "
    "INTEGER NOT NULL,"
    " PRIMARY KEY(member, sender)) STRICT, WITHOUT ROWID;"
    "INSERT INTO share SELECT member, substr(id, 1, instr(id || '.', '.') - 1) AS sender, "
    "sum(len), 0 FROM"
    " (SELECT d.member AS member, substr(p.origin, instr(p.origin, '/') + 1) AS id, p.len AS len "
    "FROM delivery d"
    "  JOIN recipient r ON r.member = d.member JOIN parcel p ON p.id = d.parcel WHERE d.seq > "
    "r.taken) GROUP BY 1, 2;"
    "ALTER TABLE blob_member ADD COLUMN held_for TEXT;",

    /* Step 5. Which ledger of the member has taken what `taken` says; NULL: its first. */
    "ALTER TABLE recipient ADD COLUMN origin TEXT;",
};
const size_t site_broker_schema_count = sizeof site_broker_schema / sizeof site_broker_schema[0];
