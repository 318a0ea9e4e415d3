/*
 * Days and times of day in China, where records are dated: always +08:00, no other zone and no
 * daylight saving.
 *
 * A day is the number of days since 1970-01-01. Pure functions, safe from any thread.
 */
#ifndef DOMAIN_DATE_H
#define DOMAIN_DATE_H

#include "base/bytes.h"

enum { DATE_MS_PER_DAY = 86400000, DATE_CHINA_OFFSET_MS = 8 * 3600 * 1000 };

enum date_weekday { MONDAY, TUESDAY, WEDNESDAY, THURSDAY, FRIDAY, SATURDAY, SUNDAY };

/*
 * RFC 3339 with whole seconds and the offset +08:00, "2026-11-24T17:47:15+08:00", a time that
 * exists, into milliseconds since 1970-01-01T00:00:00Z. COMITY_E_MALFORMED. text_put_time_china()
 * is the way back.
 */
int date_get_time(struct bytes text, int64_t *ret_ms) __attribute__((warn_unused_result));

/* "2026-11-24", a day that exists. COMITY_E_MALFORMED. */
int date_get_day(struct bytes text, int32_t *ret_day) __attribute__((warn_unused_result));

/* The day in China at ${time_ms}. */
int32_t date_day_of(int64_t time_ms);
/* When ${day} begins in China, in milliseconds since 1970-01-01T00:00:00Z. */
int64_t date_start_ms(int32_t day);
enum date_weekday date_weekday_of(int32_t day);
int date_year_of(int32_t day);

#endif
