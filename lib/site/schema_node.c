/*
 * The node's tables beside its ledger, in two steps: first what cannot be made again (what was sent
 * and received, numbers, cursors), then the projections, which `comity-node --reindex` empties and
 * fills anew.
 *
 * Chunks (store/store.h) are named by their id. Numbers of states are those of node/outbox.h and
 * node/bulk.h.
 */
#include "site/schema.h"

const char *const site_node_schema[] = {
    /* ---- sources ---- */

    /* How far things are: node/core.h lists the names. */
    "CREATE TABLE cursor(name TEXT PRIMARY KEY, value INTEGER NOT NULL, data BLOB) STRICT, WITHOUT "
    "ROWID;"

    /* Rosters that came into force, the file as a chunk. anchor: the text of NET.network under
     * which it was accepted, so that it can be opened again by itself. own: index of the ROSTER
     * entry. */
    "CREATE TABLE roster(number INTEGER PRIMARY KEY, own INTEGER NOT NULL, anchor BLOB NOT NULL,"
    " file INTEGER NOT NULL) STRICT;"

    /* Own parcels. The entries first … first+count-1 of this ledger travelled in it, proven at
     * size. parcel_seq is its number at the broker: rebuilt parcels get another one behind a
     * refusal, and one that was voided before it was ever submitted has none. head and statement
     * (NULL until answered; several parcels may share one) prove what the broker accepted or
     * refused; sealed is NULL once answered, or when nothing was sealed. routed: index of the
     * broker's ROUTED or REFUSED entry. token: why it was refused. */
    "CREATE TABLE parcel_out(id INTEGER PRIMARY KEY, parcel_seq INTEGER UNIQUE, hash BLOB NOT NULL,"
    " first INTEGER NOT NULL, count INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,"
    " head INTEGER NOT NULL, sealed INTEGER, wraps BLOB, state INTEGER NOT NULL, token TEXT,"
    " statement INTEGER, routed INTEGER) STRICT;"
    "CREATE INDEX parcel_out_by_hash ON parcel_out(hash);"
    "CREATE INDEX parcel_out_by_first ON parcel_out(first);"
    "CREATE INDEX parcel_out_queued ON parcel_out(parcel_seq) WHERE state = 0;"

    /* One row a parcel and recipient: its numbers there (span of them from pair_first), and what
     * the recipient said of it in the parcel that our RECEIPT entry ${receipt} logs. */
    "CREATE TABLE parcel_out_to(parcel INTEGER NOT NULL, member TEXT NOT NULL,"
    " pair_first INTEGER NOT NULL, span INTEGER NOT NULL, state INTEGER NOT NULL, receipt INTEGER,"
    " token TEXT, PRIMARY KEY(parcel, member)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX parcel_out_to_by_member ON parcel_out_to(member, state, parcel);"

    /* What each member is sent next: pair_seq, and the sizes of our ledger that it was last sent:
     * sent (queued included) and accepted (by the broker). ask: a size that it named because it
     * could not link; 0 for none. The broker has a row, too. */
    "CREATE TABLE pair_out(member TEXT PRIMARY KEY, next INTEGER NOT NULL, sent INTEGER NOT NULL,"
    " accepted INTEGER NOT NULL, ask INTEGER NOT NULL) STRICT, WITHOUT ROWID;"

    /* Parcels received, by the index of the own entry about each: RECEIVED (opened; openings are in
     * the ledger's store), RECEIPT, or REFUSED (then with a token). sealed is not kept. */
    "CREATE TABLE parcel_in(own INTEGER PRIMARY KEY, origin TEXT NOT NULL, first INTEGER NOT NULL,"
    " count INTEGER NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, hash BLOB NOT NULL,"
    " head INTEGER NOT NULL, wraps BLOB, statement INTEGER NOT NULL, routed INTEGER NOT NULL,"
    " delivery_seq INTEGER NOT NULL, token TEXT) STRICT;"
    "CREATE INDEX parcel_in_by_place ON parcel_in(origin, first);"

    /* Each ledger that sends to this member: its numbering (wire/pair.h) and its newest checkpoint
       here. */
    "CREATE TABLE pair_in(origin TEXT PRIMARY KEY, next INTEGER NOT NULL, size INTEGER NOT NULL,"
    " root BLOB NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE pair_gap(origin TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,"
    " PRIMARY KEY(origin, first)) STRICT, WITHOUT ROWID;"

    /* Every root of another ledger that was proven here. */
    "CREATE TABLE peer_root(origin TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL,"
    " PRIMARY KEY(origin, size)) STRICT, WITHOUT ROWID;"

    /* Openings of entries that parcels brought along (officers' KEY entries, shared records) are
       kept once. */
    "CREATE TABLE enclosed(origin TEXT NOT NULL, idx INTEGER NOT NULL, leaf BLOB NOT NULL,"
    " own INTEGER NOT NULL, opened INTEGER NOT NULL, PRIMARY KEY(origin, idx)) STRICT, WITHOUT "
    "ROWID;"

    /* Attachments of own records, and who has them. */
    "CREATE TABLE attachment_out(blob BLOB PRIMARY KEY, len INTEGER NOT NULL, state INTEGER NOT "
    "NULL,"
    " token TEXT) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attachment_out_ready ON attachment_out(blob) WHERE state = 1;"
    "CREATE TABLE attachment_out_to(blob BLOB NOT NULL, member TEXT NOT NULL, parcel INTEGER NOT "
    "NULL,"
    " receipt INTEGER, PRIMARY KEY(blob, member)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attachment_out_to_by_parcel ON attachment_out_to(parcel);"

    /* Attachments of records received: the record is entry idx of origin; sender is the member
     * whose parcel brought it, to whom FILE goes when it is complete; file: index of that own FILE
     * entry. */
    "CREATE TABLE attachment_in(blob BLOB NOT NULL, origin TEXT NOT NULL, idx INTEGER NOT NULL,"
    " sender TEXT NOT NULL, len INTEGER NOT NULL, sha256 BLOB NOT NULL, sm3 BLOB NOT NULL,"
    " secret BLOB NOT NULL, name TEXT NOT NULL, mime TEXT, state INTEGER NOT NULL, token TEXT,"
    " file INTEGER, PRIMARY KEY(blob, sender, origin, idx)) STRICT, WITHOUT ROWID;"
    "CREATE INDEX attachment_in_open ON attachment_in(blob) WHERE state < 2;"
    "CREATE INDEX attachment_in_by_record ON attachment_in(origin, idx);",

    /* ---- projections, and what else lies beside the core: one step for each who adds ---- */

    /* What node/view.c keeps of cases, evidence and officers, so that lists need not read the
     * ledger. `at` is a place in the own ledger, by which everything is ordered: of an own record
     * its index, of a received one the index of the RECEIVED entry that brought it first. Ledgers
     * are numbered; 0 is the own one. */
    "CREATE TABLE view_origin(id INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE) STRICT;"

    /* Records. sub: kind of evidence, or decision of a recognition. notes: officers' notes in the
     * body. leaf: of received ones. decided: the decision of the newest own recognition. */
    "CREATE TABLE view_record(at INTEGER NOT NULL, origin INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " kind INTEGER NOT NULL, time INTEGER NOT NULL, case_origin INTEGER, case_idx INTEGER, title "
    "TEXT,"
    " doc_no TEXT, sub INTEGER, files INTEGER NOT NULL, notes INTEGER NOT NULL, sender TEXT, leaf "
    "BLOB,"
    " decided INTEGER, PRIMARY KEY(at, origin, idx)) STRICT, WITHOUT ROWID;"
    /* Own evidence, of which there is most, is in none of these unless it belongs to a case. */
    "CREATE UNIQUE INDEX view_record_received ON view_record(origin, idx) WHERE origin > 0;"
    "CREATE INDEX view_record_inbox ON view_record(at, origin, idx, kind, sender) WHERE origin > 0;"
    "CREATE INDEX view_record_undecided ON view_record(at) WHERE origin > 0 AND kind = 2 AND "
    "decided IS NULL;"
    "CREATE INDEX view_record_by_kind ON view_record(kind, at) WHERE kind <> 2;"
    "CREATE INDEX view_record_by_case ON view_record(case_origin, case_idx, kind, at) WHERE "
    "case_idx IS NOT NULL;"
    "CREATE INDEX view_record_by_doc_no ON view_record(doc_no) WHERE doc_no IS NOT NULL;"
    "CREATE INDEX view_record_unsigned ON view_record(at, notes) WHERE origin = 0 AND kind = 2 AND "
    "notes < 2;"
    /* How many there are: kind * 2, and 1 more for own ones. */
    "CREATE TABLE view_count(what INTEGER PRIMARY KEY, n INTEGER NOT NULL) STRICT;"

    /* Files of evidence, to be found by blob: the plain one is files/<sha256>. */
    "CREATE TABLE view_file(blob BLOB NOT NULL, origin INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " number INTEGER NOT NULL, len INTEGER NOT NULL, sha256 BLOB NOT NULL, secret BLOB NOT NULL,"
    " PRIMARY KEY(blob, origin, idx, number)) STRICT, WITHOUT ROWID;"

    /* SIGNATURE entries (entry) under records, SHARE entries (by, entry) of records, recognitions
       of evidence. */
    "CREATE TABLE view_signature(origin INTEGER NOT NULL, idx INTEGER NOT NULL, entry INTEGER NOT "
    "NULL,"
    " licence TEXT NOT NULL COLLATE NOCASE, role INTEGER NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY(origin, idx, entry)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE view_share(origin INTEGER NOT NULL, idx INTEGER NOT NULL, by INTEGER NOT NULL,"
    " entry INTEGER NOT NULL, time INTEGER NOT NULL, PRIMARY KEY(origin, idx, by, entry))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE view_recognition(origin INTEGER NOT NULL, idx INTEGER NOT NULL, by INTEGER NOT "
    "NULL,"
    " entry INTEGER NOT NULL, decision INTEGER NOT NULL, time INTEGER NOT NULL,"
    " PRIMARY KEY(origin, idx, by, entry)) STRICT, WITHOUT ROWID;"

    /* Officers, one row an enrolment. roles: bit n is role n. retired: index of the KEY entry that
       retires it. */
    "CREATE TABLE view_officer(origin INTEGER NOT NULL, idx INTEGER NOT NULL,"
    " licence TEXT NOT NULL COLLATE NOCASE, name TEXT NOT NULL, vkey TEXT NOT NULL,"
    " roles INTEGER NOT NULL, time INTEGER NOT NULL, retired INTEGER, PRIMARY KEY(origin, idx))"
    " STRICT, WITHOUT ROWID;"
    "CREATE INDEX view_officer_by_licence ON view_officer(origin, licence);"

    /* Request ids of own entries. */
    "CREATE TABLE view_request(id BLOB PRIMARY KEY, idx INTEGER NOT NULL) STRICT, WITHOUT ROWID;",

    /* ---- sources again: the ledgers before this one (docs/LEDGER.md, Rollback) ---- */

    /* One row each: archive/<number>/ holds it with size entries; it was closed at closed. taken:
     * the last delivery that it had taken. What the broker still holds of it is asked for: after is
     * the last parcel_seq that was asked for, done says that there is no more. lost: the deliveries
     * from there on, up to lost_to, that the broker had let go already. */
    "CREATE TABLE archive(number INTEGER PRIMARY KEY, origin TEXT NOT NULL UNIQUE,"
    " size INTEGER NOT NULL, closed INTEGER NOT NULL, taken INTEGER NOT NULL, after INTEGER NOT "
    "NULL,"
    " done INTEGER NOT NULL, lost INTEGER, lost_to INTEGER) STRICT;"

    /* Own parcels of such a ledger as the broker gave them back: as in parcel_out. Openings are in
     * the ledger's store, under the old origin. */
    "CREATE TABLE parcel_back(id INTEGER PRIMARY KEY, origin TEXT NOT NULL,"
    " parcel_seq INTEGER NOT NULL, hash BLOB NOT NULL, first INTEGER NOT NULL, count INTEGER NOT "
    "NULL,"
    " size INTEGER NOT NULL, root BLOB NOT NULL, head INTEGER NOT NULL, statement INTEGER NOT NULL,"
    " routed INTEGER NOT NULL, UNIQUE(origin, parcel_seq)) STRICT;"
    "CREATE INDEX parcel_back_by_first ON parcel_back(origin, first);"
    "CREATE INDEX parcel_back_by_hash ON parcel_back(hash);"

    /* What recipients say to this ledger of the parcels and attachments (name: hash or blob) of
     * those before it; receipt: own RECEIPT entry. */
    "CREATE TABLE late_receipt(name BLOB NOT NULL, member TEXT NOT NULL, state INTEGER NOT NULL,"
    " receipt INTEGER NOT NULL, token TEXT, PRIMARY KEY(name, member)) STRICT, WITHOUT ROWID;",
};
const size_t site_node_schema_count = sizeof site_node_schema / sizeof site_node_schema[0];
