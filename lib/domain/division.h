/*
 * The table of division codes (GB/T 2260): names, and when a code was in force.
 *
 * The table comes in as text (data/divisions.tsv). It holds provinces and prefectures, not
 * counties: a code that is not in it is therefore not wrong, while one that is in it is wrong on
 * days on which it was not in force. Pure functions; a table may be shared between threads.
 */
#ifndef DOMAIN_DIVISION_H
#define DOMAIN_DIVISION_H

#include "domain/code.h"

enum { DIVISIONS_MAX = 8192, DIVISION_NAME_MAX = 128 };

struct division {
    struct bytes code;
    struct bytes name;
    int32_t from;  /* first day in force, as in domain/date.h; INT32_MIN: before the table begins */
    int32_t until; /* first day no longer in force; INT32_MAX: in force */
};

struct divisions {
    const struct division *rows; /* ascending by code */
    size_t count;
};

/*
 * Read a table into ${a} (views point into it). Lines of four fields with one tab between them:
 * code, name, valid from, valid until; the days as 2026-01-31, the second one no longer valid; "-"
 * for the beginning of the table and for "in force". Empty lines and lines with '#' first are
 * passed over. Codes ascend. COMITY_E_CONFIG when a line is not like that (its number in
 * ${ret_line}, which may be NULL), COMITY_E_NOMEM.
 */
int divisions_parse(struct arena *a, struct bytes text, struct divisions *ret, size_t *ret_line)
    __attribute__((warn_unused_result));

/* The row of exactly ${code}; NULL when there is none. */
const struct division *divisions_find(const struct divisions *t, struct bytes code);

/* As code_check_division, and refuses a code that the table knows and that was not in force on
 * ${day}, or whose prefecture or province was not. */
int divisions_check(const struct divisions *t, struct bytes code, int32_t day,
                    struct code_fault *ret_fault) __attribute__((warn_unused_result));

/* Append what the table knows of ${code}, from the province down: "浙江省杭州市" for 330106.
 * Nothing when it knows nothing. */
void divisions_put_name(struct buf *out, const struct divisions *t, struct bytes code);

#endif
