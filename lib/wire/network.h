/*
 * The authority as a set of keys with a threshold. Internal to lib/wire; reading and writing the
 * file is in roster.h.
 */
#ifndef WIRE_NETWORK_H
#define WIRE_NETWORK_H

#include "wire/roster.h"

/* The authority that a roster's bytes name. */
int network_of_doc(const struct roster_doc *doc, struct network *ret)
    __attribute__((warn_unused_result));

/* COMITY_E_AUTHORITY unless a threshold of ${n}'s keys have signed ${note}, each counted once;
 * errors of note_open_many. */
int network_signed(const struct network *n, struct bytes note, struct bytes *ret_text)
    __attribute__((warn_unused_result));

#endif
