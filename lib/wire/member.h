/*
 * What a member must be, whether he asks to join or stands in a roster. Internal to lib/wire.
 */
#ifndef WIRE_MEMBER_H
#define WIRE_MEMBER_H

#include "msg/roster.h"

/* A bureau bears a bureau's id; brokers and auditors bear another one; there is no other role. */
bool member_id_fits(uint32_t role, struct bytes id);
/* Brokers have two different endpoints, main and bulk; others have none. */
bool member_endpoints_fit(uint32_t role, const struct bytes *endpoints, size_t n);

#endif
