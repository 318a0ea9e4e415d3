/* Hostile bytes for roster_doc_decode(). */
#include "fuzz/round_trip.h"
#include "msg/roster.h"

FUZZ_ROUND_TRIP(struct roster_doc, roster_doc)
