/*
 * What the parts of the inbox share. Internal to node/inbox*.c.
 */
#ifndef NODE_INBOX_PARTS_H
#define NODE_INBOX_PARTS_H

#include "wire/parcel.h"

struct node;
struct source;
struct turn;

/* NULL when nothing ever came from ${origin}. */
struct source *inbox_find_source(struct node *n, struct bytes origin);
/* Made if missing; NULL without memory. */
struct source *inbox_source(struct node *n, struct bytes origin);

/*
 * COMITY_OK when every entry of the parcel is one that was received before. COMITY_E_EQUIVOCATION
 * when another one stands at the same place; COMITY_E_PAIR_SEQ when nothing was received there.
 */
int inbox_is_duplicate(struct turn *t, const struct parcel_facts *f)
    __attribute__((warn_unused_result));

#endif
