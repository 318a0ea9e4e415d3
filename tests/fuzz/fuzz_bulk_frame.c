/* Hostile bytes for bulk_frame_decode(). */
#include "fuzz/round_trip.h"
#include "msg/frame.h"

FUZZ_ROUND_TRIP(struct bulk_frame, bulk_frame)
