/*
 * Whether the officers whose notes a body bears have signed it: under keys that a ledger has
 * enrolled, in a role that the enrolment allows, over the very record. One check for recipients and
 * auditors.
 *
 * An officer's key is good by the order of his ledger, between its KEY entries: a KEY entry with
 * roles enrols, one without roles retires. A recipient sees the enrolment only, which travels with
 * the record; that the key was not retired before is the audit's to see.
 */
#ifndef WIRE_OFFICER_CHECK_H
#define WIRE_OFFICER_CHECK_H

#include "msg/entry.h"
#include "wire/notes.h"

/* A key that a KEY entry speaks of. Views into the note. */
struct officer_key {
    struct bytes origin; /* of the ledger whose entry it is */
    uint64_t index;
    bool is_retired; /* the entry retires it */
    struct officer_enrolment enrolment;
    uint32_t roles[BODY_ROLES_MAX];
    size_t role_count;
};

/*
 * Read the body of KEY entry ${index} of ${origin}. COMITY_E_MALFORMED unless it has exactly one
 * note, an enrolment, whose origin is this one (COMITY_E_SIGNATURE when it names another);
 * COMITY_E_ROLE for a role that is none; errors of officer_open.
 */
int officer_key_read(struct bytes origin, uint64_t index, const struct body *body,
                     struct officer_key *ret) __attribute__((warn_unused_result));

/* What notes are held against. */
struct officer_subject {
    struct bytes origin; /* of the record */
    uint64_t index;      /* of the entry whose body bears the notes */
    uint32_t record_kind;
    bool has_record_hash; /* false: the record is not at hand, and only the signature itself is
                             checked */
    struct hash record_hash;
};

/*
 * Verify every note of ${body} as an officer's signature. COMITY_E_MALFORMED for a note that is
 * none; COMITY_E_UNKNOWN_KEY when no key among ${keys} (of the same origin, enrolled before the
 * entry) is that officer's; COMITY_E_ROLE; COMITY_E_SIGNATURE when it does not verify, or speaks of
 * another record.
 */
int officer_check(const struct officer_subject *s, const struct body *body,
                  const struct officer_key *keys, size_t n) __attribute__((warn_unused_result));

#endif
