/*
 * The ledger's tables.
 *
 * The triggers are against accidents, such as a slip of the hand in a SQL shell; against malice
 * there are the proofs.
 *
 *   entry_run   entries first … first+count-1 of one turn, each as lp(exact bytes); at most 256 and
 * 64 KiB a row (one entry always fits), so that reading one entry never means reading much more
 *   tile        key = level << 56 | index; 256 hashes
 *   opening_run bodies: where the openings of entries first … of an origin lie in the store's
 * chunks
 */
#include "ledger/ledger.h"

#define REFUSE(table)                                                            \
    "CREATE TRIGGER " table "_is_never_changed BEFORE UPDATE ON " table " BEGIN" \
    " SELECT RAISE(ABORT, 'a ledger is only appended to'); END;"                 \
    "CREATE TRIGGER " table "_is_never_cut BEFORE DELETE ON " table " BEGIN"     \
    " SELECT RAISE(ABORT, 'a ledger is only appended to'); END;"

const char *const ledger_schema[] = {
    "CREATE TABLE ledger ("
    " one INTEGER PRIMARY KEY CHECK (one = 1),"
    " origin TEXT NOT NULL,"
    " suite INTEGER NOT NULL,"
    " predecessor BLOB NOT NULL);"
    "CREATE TABLE entry_run ("
    " first INTEGER PRIMARY KEY,"
    " count INTEGER NOT NULL,"
    " data BLOB NOT NULL);"
    "CREATE TABLE tile ("
    " key INTEGER PRIMARY KEY,"
    " hashes BLOB NOT NULL);"
    "CREATE TABLE checkpoint ("
    " size INTEGER PRIMARY KEY,"
    " root BLOB NOT NULL,"
    " note BLOB NOT NULL);"
    "CREATE TABLE opening_run ("
    " chunk INTEGER PRIMARY KEY,"
    " origin TEXT NOT NULL,"
    " first INTEGER NOT NULL,"
    " count INTEGER NOT NULL);"
    "CREATE INDEX opening_run_place ON opening_run (origin, first);"
    "CREATE TABLE opening_erased ("
    " origin TEXT NOT NULL,"
    " entry INTEGER NOT NULL,"
    " PRIMARY KEY (origin, entry)) WITHOUT ROWID;" REFUSE("ledger") REFUSE("entry_run")
        REFUSE("tile") REFUSE("checkpoint"),
};

const size_t ledger_schema_count = sizeof ledger_schema / sizeof ledger_schema[0];
