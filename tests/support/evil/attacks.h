/* What a hostile member can try, by name. */
#ifndef EVIL_ATTACKS_H
#define EVIL_ATTACKS_H

#include "evil/peer.h"

struct attack_args {
    const char *to[EVIL_TO_MAX]; /* sorted */
    size_t to_count;
    size_t count;      /* entries of a parcel; 0 for one */
    const char *other; /* a member whose name is taken in vain */
    const char *blob;  /* in hex: somebody else's file */
};

struct attack {
    const char *name;
    const char *what; /* one line for --help */
    void (*run)(struct evil *e, const struct attack_args *a);
    bool waits; /* for a delivery: what the recipient says to it */
    bool forgets;
};

extern const struct attack session_attacks[];
extern const struct attack parcel_attacks[];
extern const struct attack bulk_attacks[];

#endif
