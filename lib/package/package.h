/*
 * The evidence package: one record with everything that proves it, which a court's expert verifies
 * with stock tools.
 *
 *     README.html VERIFY.txt verify.sh SHA256SUMS SHA256SUMS.note
 *     files/…                 the evidence files, under safe ASCII names
 *     record/                 entry.bin salt.bin body.bin body.json record.tlog-proof
 *     signatures/             <licence>.note, and <licence>/: the KEY entry that enrolled the
 * officer (as record/, key.tlog-proof); for a note of a SIGNATURE entry also that entry
 *     receipts/<member>/      the RECEIVED entry, proven under the receiver's checkpoint
 *     broker/<index>/         the ROUTED entry, proven under the broker's
 *     recognitions/<n>/       as record/, with the reviewer's signature
 *     roster.bin roster.note  and the .proto files in proto/
 *
 * Where the roster has closed the ledger at hand, its entries are proven at the size where it was
 * closed, if the ledger kept a checkpoint of that size. Those that must stand under an earlier one
 * (in sent/) have closing.proof beside them: that what was closed holds all that this checkpoint
 * did.
 *
 * verify.sh (plain sh, openssl, sha256sum, base64, od) and package_verify come to the same verdict.
 * The authority's key comes from outside.
 */
#ifndef PACKAGE_PACKAGE_H
#define PACKAGE_PACKAGE_H

#include "wire/roster.h"

#include <jansson.h>

struct package_plan {
    const char *site; /* a member's folder, whose files/ is beside it, or a ledger file */
    const char
        *files; /* folder of plain files by SHA-256; NULL: "files" in the folder of the ledger */
    const char *ref;              /* "330100-001/1042", or "1042" for that ledger's own */
    const char *out;              /* a folder, or a name that ends in ".zip"; must not exist */
    const struct network *anchor; /* the authority */
    const struct note_signer
        *officer; /* who seals the package: enrolled in the ledger at hand and not retired */
    int64_t now_ms;
};

/*
 * Make the package of a record, own or received. Nothing is left behind on failure; ${detail},
 * which may be NULL, says what was missing. COMITY_E_REF, COMITY_E_NOT_FOUND, COMITY_E_EXISTS,
 * COMITY_E_WITHHELD, COMITY_E_ERASED, COMITY_E_AGAIN (a file is not there yet), COMITY_E_ATTACHMENT
 * (a file does not match its hash), COMITY_E_NO_ROSTER, COMITY_E_AUTHORITY, COMITY_E_UNKNOWN_KEY
 * and COMITY_E_RETIRED (the officer), COMITY_E_UNCOVERED, errors of audit_add.
 */
int package_make(const struct package_plan *plan, struct buf *detail)
    __attribute__((warn_unused_result));

/*
 * Verify the package at ${path}, a folder or zip. COMITY_OK with the report whatever the verdict;
 * COMITY_E_NOT_A_PACKAGE, COMITY_E_TOO_LARGE, COMITY_E_NOT_FOUND, COMITY_E_IO.
 *
 *  {"verdict":"authentic|unresolved|contradiction","exit":0|11|10,"sentence",
 *   "wrapping_alone"?:true where nothing failed but the sums and the seal, for files that are for
 * reading only: record, entries, signatures and evidence files hold; "other_keys"?:true where
 * another authority than the anchor's signed the roster,
 *   "checks":[{"check","what","ok":true|false|null (not settled),"files"?:[names of those that it
 * fails for]}…],
 *   "record":{"ref","origin","index","time","kind","title"?},"sealed_by":{"licence","name","time"},
 *   "signatures":[{"licence","name","role","time"}…],"receipts":[{"member","time"}…],
 *   "recognitions":[{"folder","ref"?,"member"?,"reviewer"?,"licence"?,"decision"?,"basis"?,"limits"?,
 * "time"?,"proven":true where every check about it passed}…],
 *   "files":[{"name","sha256","path"?}…]}
 */
int package_verify(const char *path, const struct network *anchor, json_t **ret)
    __attribute__((warn_unused_result));

#endif
