/* Hostile bytes for parcel_head_decode(). */
#include "fuzz/round_trip.h"
#include "msg/parcel.h"

FUZZ_ROUND_TRIP(struct parcel_head, parcel_head)
