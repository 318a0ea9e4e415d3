/*
 * The audit: verify ledgers one by one, hold them against each other, and say what is proven, what
 * is open, and what is withheld.
 *
 *     audit_new(anchor, &a); audit_add(a, path) …; audit_run(a); audit_to_json(a, &report);
 * audit_write_proofs(a, dir);
 *
 * Trust begins with the authority's keys, which come from outside: a roster that a ledger holds
 * counts only when those keys lead to it. Ledgers are read and never written. Nothing that one
 * ledger says of another is believed without the other's signature; what cannot be settled by what
 * was given is unresolved and never called proven.
 *
 * The same inputs, added in any order, give the same report, byte for byte. One thread.
 */
#ifndef AUDIT_AUDIT_H
#define AUDIT_AUDIT_H

#include "audit/codes.h"
#include "wire/roster.h"

#include <jansson.h>

/* In the order in which the worse one is told. */
enum audit_verdict {
    AUDIT_CONSISTENT,   /* everything checked fits; exit 0 */
    AUDIT_WITHHELD,     /* … but content was erased or is withheld; exit 11 */
    AUDIT_UNRESOLVED,   /* what was given does not settle everything; exit 11 */
    AUDIT_CONTRADICTION /* a contradiction is proven; exit 10 */
};
/* "consistent", "withheld", "unresolved", "contradiction". */
const char *audit_verdict_word(enum audit_verdict v);
int audit_verdict_exit(enum audit_verdict v);

struct audit;

/* Begin. ${anchor} is copied. */
int audit_new(const struct network *anchor, struct audit **ret) __attribute__((warn_unused_result));
void audit_free(struct audit *a);

/*
 * Add a ledger: a member's folder (node or broker, also while its daemon runs), its .db file, or an
 * exported file. It is opened now, read-only, and shows the state of this moment. Two copies of one
 * ledger may be added. COMITY_E_NOT_FOUND, COMITY_E_NOT_A_LEDGER, COMITY_E_SUITE,
 * COMITY_E_PERMISSION, COMITY_E_IO, COMITY_E_BUSY.
 */
int audit_add(struct audit *a, const char *path) __attribute__((warn_unused_result));
/* A copy that was given and cannot be read: a finding, so that the others can be audited. */
int audit_add_unreadable(struct audit *a, const char *path, int why)
    __attribute__((warn_unused_result));
/* After audit_run failed with COMITY_E_LEDGER_DAMAGED, _INTERNAL or _IO: the path of the first copy
 * that cannot be read to its end, valid as long as the audit; NULL when all can be. Begin anew
 * without it. */
const char *audit_find_unreadable(struct audit *a, int *ret_why);
/* Add a roster file from outside, beside those that the ledgers hold. Whether it is the authority's
 * is checked by audit_run. */
int audit_add_roster(struct audit *a, struct bytes file) __attribute__((warn_unused_result));

/* Called now and then with entries read so far and in all; non-zero ends audit_run with
 * COMITY_E_INTERRUPTED. */
typedef int audit_progress(void *self, uint64_t done, uint64_t total);
void audit_set_progress(struct audit *a, audit_progress *progress, void *self);

/* Verify and reconcile. COMITY_OK whatever is found; an error says that the audit itself could not
 * be done. Once. */
int audit_run(struct audit *a) __attribute__((warn_unused_result));

enum audit_verdict audit_verdict(const struct audit *a);

/*
 * The report:
 *
 *  {"verdict","exit","sentence",
 *   "authority":{"network","threshold","keys":[vkey…]},
 *   "ledgers":[{"path","ledger":origin,"member","role":"bureau|broker","suite","size","root"?,"checkpoint"?:size,"sha256"?,"live",
 *               "first_time"?,"last_time"?,"known_outside":size up to which others hold its
 * checkpoints,"sound":bool}…], "absent":[origins that the ledgers speak of, and of which no copy
 * was given], "rosters":[{"number","issued_by_authority":bool}…],
 *   "checks":[{"check","ledger"?,"count","failed","text"}…]          only those that ran
 *   "findings":[{"id":"F1","code","class","text","limit","settle"?,"ledger","index"?,…,"earliest"?,"latest"?,
 *                "ref"?,"proof"?:"F1-fork.json","material"?:[…]}…]      worst first
 *   "pairs":[{"sender","recipient","sent"?,"accepted","received","receipted","refused","open"}…] in
 * parcels, receipts apart; sent is absent without the sender's ledger
 *   "officers":[{"ledger","licence","name","roles","enrolled","retired"?,"signatures"}…],
 *   "limits":[sentences]}
 */
int audit_to_json(struct audit *a, json_t **ret) __attribute__((warn_unused_result));

/*
 * Write one file for each finding that is proven by signed material: what a third party needs to
 * see it without the ledgers (notes, entries, inclusion proofs). The names are those in the
 * report's "proof". ${dir} is made if missing. COMITY_E_EXISTS.
 */
int audit_write_proofs(const struct audit *a, const char *dir) __attribute__((warn_unused_result));

#endif
