/*
 * Periods and deadlines: working days, the roll forward of a last day, and when a day ends.
 *
 * Rules (行政处罚法 article 85, 民法典 articles 201 and 203): the
 * first day is not counted; periods of 2, 3, 5 and 7 days are working days; a last day that is a
 * day off rolls forward to the first day that is not; the last day ends at 24:00, Beijing time, and
 * the limit itself is within it.
 *
 * Which weekdays are off and which weekend days are worked is announced year by year. It comes in
 * as text (data/holidays.tsv), is never compiled in, and bears a version that is signed into
 * whatever was computed with it. A year without a table is counted on Saturdays and Sundays alone,
 * and what depends on it is marked as provisional. Pure functions; a table may be shared between
 * threads.
 */
#ifndef DOMAIN_DEADLINE_H
#define DOMAIN_DEADLINE_H

#include "base/bytes.h"

enum {
    HOLIDAYS_VERSION_MAX = 32,
    HOLIDAYS_YEARS_MAX = 128,
    HOLIDAYS_DAYS_MAX = 8192,
    DEADLINE_COUNT_MAX = 3660 /* of days, in one period */
};

/* A day on which the weekday does not say whether work is done. */
struct holiday {
    int32_t day; /* as in domain/date.h */
    bool is_off;
};

struct holidays {
    struct bytes version;
    const int *years; /* that the table covers, ascending */
    size_t year_count;
    const struct holiday *days; /* ascending */
    size_t day_count;
};

/*
 * Read a table into ${a} (views point into it). Lines of fields with one tab between them; empty
 * lines and lines with '#' first are passed over:
 *
 *     version <TAB> 2026-1
 *     year <TAB> 2026              all exceptions of 2026 follow
 *     off  <TAB> 2026-02-16 [<TAB> 2026-02-20]    a weekday off, or each weekday of a run
 *     work <TAB> 2026-02-14        a Saturday or Sunday that is worked
 *
 * Years and days ascend; days belong to the year named last. COMITY_E_CONFIG when a line is not
 * like that (its number in ${ret_line}, which may be NULL), COMITY_E_NOMEM.
 */
int holidays_parse(struct arena *a, struct bytes text, struct holidays *ret, size_t *ret_line)
    __attribute__((warn_unused_result));

/* Is ${day} a working day? ${h} may be NULL: no table at all. */
bool holidays_is_working(const struct holidays *h, int32_t day);
/* Does the table cover the year of ${day}? */
bool holidays_covers(const struct holidays *h, int32_t day);

struct period {
    uint32_t count;
    bool is_working; /* working days, or calendar days */
};

/* A period of ${count} days as the law counts it: working days when it is 2, 3, 5 or 7 days. */
struct period period_of_days(uint32_t count);

struct deadline {
    int32_t last_day;
    int64_t end_ms;      /* 24:00 of that day, in milliseconds since 1970-01-01T00:00:00Z */
    bool is_provisional; /* a year without a table decided about a day */
};

/*
 * When does ${p} end that begins at ${start_ms}? A count of 0 ends on the day itself (or the
 * working day to which it rolls). COMITY_E_LIMIT beyond DEADLINE_COUNT_MAX, COMITY_E_INVALID for a
 * start outside the years 1970 to 9000.
 */
int deadline_compute(const struct holidays *h, int64_t start_ms, struct period p,
                     struct deadline *ret) __attribute__((warn_unused_result));

/* Was what happened at ${time_ms} in time? */
bool deadline_is_met(const struct deadline *d, int64_t time_ms);

#endif
