/*
 * The authority as a set of keys with a threshold. Internal to lib/wire; reading and writing the
 * file is in roster.h.
 */
#ifndef WIRE_NETWORK_H
#define WIRE_NETWORK_H

#include "wire/roster.h"

/* COMITY_OK for a valid name, a threshold from 1 to the number of keys, keys named network
 * "/authority" ["." n] (n from 2), and no key twice. COMITY_E_MALFORMED, COMITY_E_BAD_KEY for a key
 * that stands there twice. */
int network_check(const struct network *n) __attribute__((warn_unused_result));

/* The authority that a roster's bytes name. */
int network_of_doc(const struct roster_doc *doc, struct network *ret)
    __attribute__((warn_unused_result));

/* COMITY_E_AUTHORITY unless a threshold of ${n}'s keys have signed ${note}, each counted once;
 * errors of note_open_many. */
int network_signed(const struct network *n, struct bytes note, struct bytes *ret_text)
    __attribute__((warn_unused_result));

#endif
