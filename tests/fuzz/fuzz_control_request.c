/* Hostile bytes for control_request_decode(). */
#include "fuzz/round_trip.h"
#include "msg/control.h"

FUZZ_ROUND_TRIP(struct control_request, control_request)
