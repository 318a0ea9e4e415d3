/*
 * Days and times of day in China. See date.h.
 */
#include "domain/date.h"

#include "base/text.h"

#include <comity/err.h>
#include <string.h>
#include <time.h>

int date_get_time(struct bytes text, int64_t *ret_ms)
{
    static const char shape[] = "2026-11-24T17:47:15+08:00";
    enum { BARE = 19 }; /* without the offset */
    if (text.len != sizeof shape - 1 || memcmp(text.data + BARE, "+08:00", 6) != 0)
        return COMITY_E_MALFORMED;
    char utc[BARE + 1];
    memcpy(utc, text.data, BARE);
    utc[BARE] = 'Z';
    int64_t ms = 0;
    int err = text_get_time(BYTES(utc, sizeof utc), &ms);
    if (!err)
        *ret_ms = ms - DATE_CHINA_OFFSET_MS;
    return err;
}

int date_get_day(struct bytes text, int32_t *ret_day)
{
    static const char midnight[] = "T00:00:00+08:00";
    char full[sizeof "2026-11-24" - 1 + sizeof midnight - 1];
    if (text.len != 10)
        return COMITY_E_MALFORMED;
    memcpy(full, text.data, 10);
    memcpy(full + 10, midnight, sizeof midnight - 1);
    int64_t ms = 0;
    int err = date_get_time(BYTES(full, sizeof full), &ms);
    if (!err)
        *ret_day = date_day_of(ms);
    return err;
}

static struct tm civil(int32_t day)
{
    struct tm tm = {0};
    time_t t = (time_t)day * (DATE_MS_PER_DAY / 1000);
    gmtime_r(&t, &tm);
    return tm;
}

int32_t date_day_of(int64_t time_ms)
{
    int64_t ms = time_ms + DATE_CHINA_OFFSET_MS;
    return (int32_t)(ms / DATE_MS_PER_DAY - (ms % DATE_MS_PER_DAY < 0));
}

int64_t date_start_ms(int32_t day)
{
    return (int64_t)day * DATE_MS_PER_DAY - DATE_CHINA_OFFSET_MS;
}

enum date_weekday date_weekday_of(int32_t day)
{
    /* 1970-01-01 was a Thursday. */
    int32_t w = (day + THURSDAY) % 7;
    return (enum date_weekday)(w < 0 ? w + 7 : w);
}

int date_year_of(int32_t day)
{
    return civil(day).tm_year + 1900;
}
