/*
 * How people write the place of an entry: "330100-001/1042", "330100-001.2/17" for a member's
 * second ledger, and "1042" for an entry of the own ledger.
 *
 * One spelling for one place. Only the network's name is missing to make it an origin and an index.
 * Pure functions, safe from any thread.
 */
#ifndef DOMAIN_REF_H
#define DOMAIN_REF_H

#include "base/bytes.h"

struct record_ref;

enum { REF_TEXT_MAX = 32 + 1 + 10 + 1 + 20 }; /* member, ".", generation, "/", index */

struct ref {
    struct bytes member; /* none: the own ledger */
    uint32_t generation; /* 1 when not written */
    uint64_t index;
};

/* Views into ${text}. COMITY_E_REF when it is no reference. */
int ref_get(struct bytes text, struct ref *ret) __attribute__((warn_unused_result));
/* The text form; the member is left out when there is none. */
void ref_put(struct buf *out, const struct ref *r);

/* The place that ${r} names, without its network and leaf. COMITY_E_REF when its origin is none. */
int ref_of(const struct record_ref *r, struct ref *ret) __attribute__((warn_unused_result));

/* The origin "network/member[.generation]" of the ledger that ${r} names; ${r} must name a member.
 */
void ref_put_origin(struct buf *out, struct bytes network, const struct ref *r);

#endif
