/* Hostile bytes for body_decode(). */
#include "fuzz/round_trip.h"
#include "msg/entry.h"

FUZZ_ROUND_TRIP(struct body, body)
