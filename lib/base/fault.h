/*
 * Whose trouble an error is that came up while something of another party's was taken in: its own,
 * so that the party is told and what it sent turned away for good, or this machine's, so that the
 * turn fails and the party tries again. To blame a party for a disk that is full here would refuse
 * evidence for ever.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

enum fault {
    FAULT_THEIRS,  /* says something about what the party sent, or about the party */
    FAULT_PASSING, /* this machine is short of something now: the same may well succeed later */
    FAULT_STORE,   /* what the disk holds is unknown or damaged: the process must end */
    FAULT_OURS     /* anything else of this machine, its set-up or this program */
};

/* Whose fault ${err} (not COMITY_OK) is. What is not in the table is ours. */
enum fault fault_of(int err);

/* Whether it says something about this machine, in whichever way. */
static inline bool fault_is_ours(int err)
{
    return fault_of(err) != FAULT_THEIRS;
}

#endif
