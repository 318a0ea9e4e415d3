/*
 * Whose trouble an error is that came up while something of another party's was taken in: its own,
 * so that the party is told and what it sent turned away for good, or this machine's, so that the
 * turn fails and the party tries again. To blame a party for a disk that is full here would refuse
 * evidence for ever.
 */
#ifndef BASE_FAULT_H
#define BASE_FAULT_H

#include <stdbool.h>

/* Whether ${err} (not COMITY_OK) says something about this machine. What is not in the table does.
 */
bool fault_is_ours(int err);

#endif
