/*
 * What goes into a package, found in a ledger: entries with their proofs.
 */
#ifndef PACKAGE_GATHER_H
#define PACKAGE_GATHER_H

#include "audit/shared.h"
#include "domain/record.h"
#include "ledger/ledger.h"
#include "package/files.h"
#include "package/package.h"
#include "wire/officer_check.h"
#include "wire/parcel.h"
#include "json/value_json.h"

/* An entry of any ledger, with what proves it; in the arena. */
struct gathered {
    struct bytes origin;
    const struct suite *suite;
    struct bytes bytes;
    struct entry entry;
    struct hash leaf;
    struct bytes proof;   /* a tlog-proof */
    struct bytes closing; /* of an earlier checkpoint than the closing one: closing.proof */
    struct checkpoint checkpoint;
    bool has_opening;
    struct opening opening;
    struct body body; /* of the opening, which is the one that the entry commits to */
};

struct making {
    const struct package_plan *plan;
    struct buf *detail;  /* or NULL */
    struct audit *audit; /* of the one ledger that the package is made from */
    struct store *store;
    struct db *db;
    bool is_node;
    struct ledger *ledger;
    const struct roster_ledger *closed; /* how the roster has closed it, if it is what was closed */
    struct arena *arena;
    struct arena *scratch; /* of one entry at a time */
    struct package_files files;
    struct bytes origin; /* of the record */
    uint64_t index;
    bool is_own;
    struct gathered record;
    struct record content;
    struct hash record_hash;
    /* own entries, found by reading the ledger once */
    LIST(uint64_t) keys;
    LIST(uint64_t) signatures; /* under the record */
    LIST(uint64_t) shares;     /* of the record */
    struct value about, signers, sent, accepted, receipts, recognitions,
        evidence; /* for README.html */
};

/* Say what was missing, and return ${err}. */
int gather_fail(struct making *m, int err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

/* An own entry under the checkpoint of ${size}; for 0 under the closing one if the ledger was
 * closed behind the entry, else under the newest. COMITY_E_NOT_FOUND, COMITY_E_UNCOVERED. */
int gather_own(struct making *m, uint64_t index, uint64_t size, struct gathered *ret)
    __attribute__((warn_unused_result));
/* An entry of another ledger, from the parcel that brought it; ${ret_own} (may be NULL): the own
 * entry about that parcel. */
int gather_foreign(struct making *m, struct bytes origin, uint64_t index, struct gathered *ret,
                   uint64_t *ret_own) __attribute__((warn_unused_result));
/* One or the other. */
int gather_any(struct making *m, struct bytes origin, uint64_t index, struct gathered *ret)
    __attribute__((warn_unused_result));
/* The entry of a verified parcel or statement. */
int gather_facts(struct making *m, const struct parcel_facts *f, size_t which, struct gathered *ret)
    __attribute__((warn_unused_result));
/* The parcel that own entry ${own} is about, verified again. */
int gather_parcel(struct making *m, uint64_t own, struct parcel_facts **ret)
    __attribute__((warn_unused_result));
/* The statement in chunk ${chunk}. */
int gather_statement(struct making *m, uint64_t chunk, struct parcel_facts **ret)
    __attribute__((warn_unused_result));
/* Read the own ledger once, for keys, and for SIGNATURE and SHARE entries about the record. */
int gather_scan(struct making *m) __attribute__((warn_unused_result));
/* Indices of entries of another ledger that came with parcels: entries of kind KEY, and SIGNATUREs
 * under the record. */
int gather_scan_foreign(struct making *m, struct bytes origin) __attribute__((warn_unused_result));
/* The enrolment of the officer with ${licence} in ${origin} that holds for its entry ${before}.
 * COMITY_E_UNKNOWN_KEY. */
int gather_key(struct making *m, struct bytes origin, struct bytes licence, uint64_t before,
               struct gathered *ret, struct officer_key *ret_key)
    __attribute__((warn_unused_result));

/* The name of whose ledger that is, by the newest roster; its origin where none names it. */
json_t *gather_owner(const struct making *m, struct bytes origin);

/* signers.c: signatures/ and recognitions/, and who signed for README.html. */
int package_take_signatures(struct making *m) __attribute__((warn_unused_result));
int package_take_recognitions(struct making *m) __attribute__((warn_unused_result));

/* way.c: sent/, broker/, receipts/; ${own}: of a received record, the own entry about the parcel
 * that brought it. */
int package_take_way(struct making *m, uint64_t own) __attribute__((warn_unused_result));

/* Put entry.bin, its proof as ${proof}, closing.proof and the content if there is any, into
 * ${folder}. */
int gather_save(struct making *m, const char *folder, const char *proof, const struct gathered *g)
    __attribute__((warn_unused_result));

#endif
