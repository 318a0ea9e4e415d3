/*
 * What an officer may do, and what he must be to sign as.
 *
 * A KEY entry enrols an officer's key with roles; a signature note says in which role he signs. The
 * table in role.c says which of the first the second needs. Pure functions, safe from any thread.
 */
#ifndef DOMAIN_ROLE_H
#define DOMAIN_ROLE_H

#include "base/bytes.h"

/* Of a KEY entry; numbered for ever. */
enum key_role { ROLE_OFFICER = 1, ROLE_APPROVER = 2, ROLE_REVIEWER = 3, ROLE_AUDITOR = 4 };

/* Of a signature note, where it stands as its token. */
enum signature_role { SIGNATURE_COLLECTOR = 1, SIGNATURE_APPROVER = 2, SIGNATURE_REVIEWER = 3 };

/* "officer", "approver", "reviewer", "auditor"; NULL for another number. */
const char *key_role_token(uint32_t role);
/* COMITY_E_INVALID for another word. */
int key_role_get(struct bytes token, uint32_t *ret) __attribute__((warn_unused_result));

/* "collector", "approver", "reviewer"; NULL for another number. */
const char *signature_role_token(uint32_t role);

/*
 * May an officer with these ${roles} (of his KEY entry) sign as ${role}? COMITY_E_ROLE when he may
 * not, COMITY_E_INVALID for a signature role that does not exist.
 */
int signature_role_check(uint32_t role, const uint32_t *roles, size_t role_count)
    __attribute__((warn_unused_result));

#endif
