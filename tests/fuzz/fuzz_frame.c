/* Hostile bytes for frame_decode(). */
#include "fuzz/round_trip.h"
#include "msg/frame.h"

FUZZ_ROUND_TRIP(struct frame, frame)
