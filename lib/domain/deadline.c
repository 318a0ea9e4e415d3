/*
 * Working days and the end of periods. See deadline.h.
 */
#include "domain/deadline.h"

#include "base/text.h"
#include "domain/date.h"

#include <comity/err.h>
#include <string.h>

/* ---- the table --------------------------------------------------------------------------------
 */

struct parse {
    struct bytes version;
    int *years;
    size_t year_count;
    struct holiday *days;
    size_t day_count;
};

/* Cut ${line} at its tabs; the number of fields, or 0 when there are more than ${max}. */
static size_t split(struct bytes line, struct bytes *fields, size_t max)
{
    size_t n = 0;
    for (;;) {
        const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
        if (n == max)
            return 0;
        fields[n++] = tab ? bytes_slice(line, 0, (size_t)(tab - line.data)) : line;
        if (!tab)
            return n;
        line = bytes_slice(line, fields[n - 1].len + 1, line.len);
    }
}

static bool is_weekend(int32_t day)
{
    return date_weekday_of(day) >= SATURDAY;
}

static int parse_version(struct parse *p, const struct bytes *fields, size_t n)
{
    if (n != 2 || p->version.len || fields[1].len == 0 || fields[1].len > HOLIDAYS_VERSION_MAX ||
        !text_is_line(fields[1]))
        return COMITY_E_CONFIG;
    p->version = fields[1];
    return COMITY_OK;
}

static int parse_year(struct parse *p, const struct bytes *fields, size_t n)
{
    uint64_t year = 0;
    if (n != 2 || text_get_u64(fields[1], &year) || year < 1970 || year > 9000 ||
        p->year_count == HOLIDAYS_YEARS_MAX)
        return COMITY_E_CONFIG;
    if (p->year_count && p->years[p->year_count - 1] >= (int)year)
        return COMITY_E_CONFIG;
    p->years[p->year_count++] = (int)year;
    return COMITY_OK;
}

static int add_day(struct parse *p, int32_t day, bool is_off)
{
    if (p->day_count == HOLIDAYS_DAYS_MAX || (p->day_count && p->days[p->day_count - 1].day >= day))
        return COMITY_E_CONFIG;
    p->days[p->day_count++] = (struct holiday){.day = day, .is_off = is_off};
    return COMITY_OK;
}

/* One day or a run of days; a run of days off steps over weekends, which are off anyway. */
static int parse_days(struct parse *p, const struct bytes *fields, size_t n, bool is_off)
{
    int32_t from = 0;
    if (n < 2 || date_get_day(fields[1], &from))
        return COMITY_E_CONFIG;
    int32_t to = from;
    if (n == 3 && (!is_off || date_get_day(fields[2], &to) || to <= from))
        return COMITY_E_CONFIG;
    int year = p->year_count ? p->years[p->year_count - 1] : 0;
    if (date_year_of(from) != year || date_year_of(to) != year || is_weekend(from) == is_off ||
        (is_off && is_weekend(to)))
        return COMITY_E_CONFIG;
    int err = COMITY_OK;
    for (int32_t day = from; day <= to && !err; day++)
        if (!is_off || !is_weekend(day))
            err = add_day(p, day, is_off);
    return err;
}

static int parse_line(struct parse *p, struct bytes line)
{
    struct bytes fields[3] = {BYTES_NONE};
    if (line.len == 0 || line.data[0] == '#')
        return COMITY_OK;
    size_t n = split(line, fields, 3);
    if (n == 0)
        return COMITY_E_CONFIG;
    if (bytes_is(fields[0], "version"))
        return parse_version(p, fields, n);
    if (bytes_is(fields[0], "year"))
        return parse_year(p, fields, n);
    if (bytes_is(fields[0], "off") || bytes_is(fields[0], "work"))
        return parse_days(p, fields, n, bytes_is(fields[0], "off"));
    return COMITY_E_CONFIG;
}

int holidays_parse(struct arena *a, struct bytes text, struct holidays *ret, size_t *ret_line)
{
    struct bytes rest = arena_copy(a, text);
    struct parse p = {.years = arena_alloc(a, HOLIDAYS_YEARS_MAX * sizeof *p.years),
                      .days = arena_alloc(a, HOLIDAYS_DAYS_MAX * sizeof *p.days)};
    if (!p.years || !p.days || (text.len && !rest.data))
        return COMITY_E_NOMEM;
    size_t number = 0;
    int err = COMITY_OK;
    for (struct bytes line = BYTES_NONE; !err && bytes_next_line(&rest, &line);) {
        number++;
        err = parse_line(&p, line);
    }
    if (!err && (!p.version.len || !p.year_count))
        err = COMITY_E_CONFIG;
    if (err && ret_line)
        *ret_line = number;
    if (!err)
        *ret = (struct holidays){.version = p.version,
                                 .years = p.years,
                                 .year_count = p.year_count,
                                 .days = p.days,
                                 .day_count = p.day_count};
    return err;
}

bool holidays_covers(const struct holidays *h, int32_t day)
{
    int year = date_year_of(day);
    for (size_t i = 0; h && i < h->year_count; i++)
        if (h->years[i] == year)
            return true;
    return false;
}

bool holidays_is_working(const struct holidays *h, int32_t day)
{
    size_t from = 0;
    size_t to = h ? h->day_count : 0;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        if (h->days[middle].day == day)
            return !h->days[middle].is_off;
        if (h->days[middle].day < day)
            from = middle + 1;
        else
            to = middle;
    }
    return !is_weekend(day);
}

/* ---- periods -----------------------------------------------------------------------------------
 */

struct period period_of_days(uint32_t count)
{
    return (struct period){.count = count,
                           .is_working = count == 2 || count == 3 || count == 5 || count == 7};
}

/* As holidays_is_working, remembering whether a table said so. */
static bool look(const struct holidays *h, int32_t day, struct deadline *d)
{
    d->is_provisional |= !holidays_covers(h, day);
    return holidays_is_working(h, day);
}

int deadline_compute(const struct holidays *h, int64_t start_ms, struct period p,
                     struct deadline *ret)
{
    /* 7030 years of 365.2425 days */
    if (start_ms < -DATE_CHINA_OFFSET_MS || start_ms / DATE_MS_PER_DAY > 2567654)
        return COMITY_E_INVALID;
    if (p.count > DEADLINE_COUNT_MAX)
        return COMITY_E_LIMIT;
    struct deadline d = {.last_day = date_day_of(start_ms)};
    if (p.is_working) {
        for (uint32_t counted = 0; counted < p.count;)
            counted += look(h, ++d.last_day, &d);
    } else {
        d.last_day += (int32_t)p.count;
    }
    while (!look(h, d.last_day, &d))
        d.last_day++;
    d.end_ms = date_start_ms(d.last_day + 1);
    *ret = d;
    return COMITY_OK;
}

bool deadline_is_met(const struct deadline *d, int64_t time_ms)
{
    return time_ms <= d->end_ms;
}
