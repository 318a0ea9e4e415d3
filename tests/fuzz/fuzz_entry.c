/* Hostile bytes for entry_decode(). */
#include "fuzz/round_trip.h"
#include "msg/entry.h"

FUZZ_ROUND_TRIP(struct entry, entry)
