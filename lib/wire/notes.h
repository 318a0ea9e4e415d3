/*
 * The texts that are signed, apart from checkpoints and rosters: joining, officers, and packages.
 *
 * Each is a note whose first line names what it is. Integers are decimal, hashes and raw keys
 * base64, times RFC 3339 in UTC, whole seconds. Texts are built and parsed here and nowhere else;
 * keys are chosen by the caller.
 *
 * `_put_text` appends a text that `_open` will take, or COMITY_E_INVALID (COMITY_E_BAD_KEY,
 * COMITY_E_SUITE): one set of rules. `_open` gives the errors of note_open, COMITY_E_MALFORMED for
 * other lines than these, and COMITY_E_BAD_KEY. Lines are never empty. Results are views into the
 * note. Any thread.
 */
#ifndef WIRE_NOTES_H
#define WIRE_NOTES_H

#include "crypto/note.h"
#include "domain/role.h"

/*
 * A join file is a note by the new ledger key:
 *
 *     comity join v1
 *     <member>
 *     <role: bureau, broker, auditor>
 *     <name>
 *     <ledger vkey>
 *     <suite>
 *     <curve key, base64>
 *     <seal key, base64>        "-" for a member without one
 *     <endpoint>                brokers: main and bulk, one line each; "-" for others
 *     <endpoint>
 *
 * The key's name is an origin of that member. X25519 keys are not of low order, and the two are
 * different.
 */
struct join_request {
    struct bytes member;
    uint32_t role; /* enum member_role */
    struct bytes name;
    struct note_verifier ledger;
    uint32_t suite;
    uint8_t curve[32];
    bool has_seal;
    uint8_t seal[32];
    struct bytes endpoint[2]; /* none for others than brokers */
};
int join_put_text(struct buf *out, const struct join_request *j)
    __attribute__((warn_unused_result));
/* Verify the note under the key that it names and read it: proof that the key is held, not by whom.
 * COMITY_E_SUITE. */
int join_open(struct bytes note, struct join_request *ret) __attribute__((warn_unused_result));

/* What an officer may be enrolled as (Body.roles of a KEY entry), and as what he signs. */
enum officer_role {
    OFFICER_OFFICER = 1,
    OFFICER_APPROVER = 2,
    OFFICER_REVIEWER = 3,
    OFFICER_AUDITOR = 4
};
/* enum signature_role is in domain/role.h, which says who may sign as what. */
/* "collector", "approver", "reviewer"; NULL for another. */
const char *signature_role_word(enum signature_role role);

/*
 * An enrolment, signed by the officer, in the body of a KEY entry: the ledger certifies it.
 *
 *     comity officer v1
 *     <origin>
 *     <officer's name>
 *     <licence>
 *     <vkey>                    its key name is origin "/officer/" licence
 */
struct officer_enrolment {
    struct bytes origin;
    struct bytes name;
    struct bytes licence;
    struct note_verifier key;
};
int officer_put_text(struct buf *out, const struct officer_enrolment *e)
    __attribute__((warn_unused_result));
int officer_open(struct bytes note, struct officer_enrolment *ret)
    __attribute__((warn_unused_result));

/*
 * An officer's signature under a record:
 *
 *     comity officer signature v1
 *     <origin>
 *     <licence>
 *     <role: collector, approver, reviewer>
 *     <kind of the record, decimal>
 *     <record_hash, base64>
 *     <time>
 */
struct officer_signature {
    struct bytes origin;
    struct bytes licence;
    enum signature_role role;
    uint32_t record_kind;
    struct hash record_hash;
    int64_t time_ms;
};
int officer_signature_put_text(struct buf *out, const struct officer_signature *s)
    __attribute__((warn_unused_result));
/* Read without verifying, to learn whose key is needed. */
int officer_signature_peek(struct bytes note, struct officer_signature *ret)
    __attribute__((warn_unused_result));
/* COMITY_E_SIGNATURE also when ${key} is not named after the origin and the licence in the text. */
int officer_signature_open(struct bytes note, const struct note_verifier *key,
                           struct officer_signature *ret) __attribute__((warn_unused_result));

/*
 * The seal of an evidence package, signed by an officer:
 *
 *     comity package v1
 *     <origin>
 *     <H(SHA256SUMS), base64>
 *     <time>
 */
struct package_seal {
    struct bytes origin;
    struct hash sums;
    int64_t time_ms;
};
int package_put_text(struct buf *out, const struct package_seal *p)
    __attribute__((warn_unused_result));
/* COMITY_E_SIGNATURE also when ${key} is not an officer's key of the origin in the text. */
int package_open(struct bytes note, const struct note_verifier *key, struct package_seal *ret)
    __attribute__((warn_unused_result));

#endif
