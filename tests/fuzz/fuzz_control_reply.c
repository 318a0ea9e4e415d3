/* Hostile bytes for control_reply_decode(). */
#include "fuzz/round_trip.h"
#include "msg/control.h"

FUZZ_ROUND_TRIP(struct control_reply, control_reply)
