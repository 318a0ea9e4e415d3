/*
 * The bureau's own officers as the ledger has them now: keys in force, and their roles.
 *
 * An officer's key is good by ledger order. What is asked here is asked for the next entry to be
 * appended: KEY entries are appended by requests that are alone in their turn (METHOD_ALONE), so
 * what the tables say when a request is checked still holds when it is appended.
 */
#ifndef NODE_OFFICERS_H
#define NODE_OFFICERS_H

#include "wire/notes.h"
#include "wire/officer_check.h"

struct node;
struct officers;

struct officer {
    uint64_t index; /* of the KEY entry */
    const char *name;
    const char *licence;
    struct note_verifier key;
    uint32_t roles[BODY_ROLES_MAX];
    size_t role_count;
};

/* NULL without memory. */
struct officers *officers_new(struct node *n);
void officers_free(struct officers *o);
/* The tables may have changed. */
void officers_forget(struct officers *o);

/* The officer of that licence whose key is in force; valid until officers_forget.
 * COMITY_E_UNKNOWN_KEY when the licence was never enrolled, COMITY_E_RETIRED. */
int officers_find(struct officers *o, struct bytes licence, const struct officer **ret)
    __attribute__((warn_unused_result));

/*
 * Verify a signature note over ${s} (whose index is not looked at) under a key in force.
 * COMITY_E_MALFORMED, _UNKNOWN_KEY, _RETIRED, _ROLE, _SIGNATURE (also for another record, or
 * another ledger). ${ret} is read from the note.
 */
int officers_verify(struct officers *o, const struct officer_subject *s, struct bytes note,
                    struct officer_signature *ret, const struct officer **ret_officer)
    __attribute__((warn_unused_result));

#endif
