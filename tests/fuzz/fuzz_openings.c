/* Hostile bytes for openings_decode(). */
#include "fuzz/round_trip.h"
#include "msg/parcel.h"

FUZZ_ROUND_TRIP(struct openings, openings)
