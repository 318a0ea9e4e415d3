/*
 * The table of division codes. See division.h.
 */
#include "domain/division.h"

#include "base/text.h"
#include "domain/date.h"

#include <comity/err.h>
#include <string.h>

enum { FIELDS = 4 };

static bool split(struct bytes line, struct bytes fields[FIELDS])
{
    for (size_t i = 0; i < FIELDS; i++) {
        const uint8_t *tab = line.len ? memchr(line.data, '\t', line.len) : NULL;
        if ((tab == NULL) != (i == FIELDS - 1))
            return false;
        fields[i] = tab ? bytes_slice(line, 0, (size_t)(tab - line.data)) : line;
        line = bytes_slice(line, fields[i].len + 1, line.len);
    }
    return true;
}

/* A day, or ${open} for "-". */
static int get_day(struct bytes text, int32_t open, int32_t *ret)
{
    if (!bytes_is(text, "-"))
        return date_get_day(text, ret);
    *ret = open;
    return COMITY_OK;
}

static int parse_line(struct bytes line, struct division *ret)
{
    struct bytes fields[FIELDS] = {BYTES_NONE};
    if (!split(line, fields) || code_check_division(fields[0], NULL) || fields[1].len == 0 ||
        fields[1].len > DIVISION_NAME_MAX || !text_is_line(fields[1]) ||
        get_day(fields[2], INT32_MIN, &ret->from) || get_day(fields[3], INT32_MAX, &ret->until) ||
        ret->from >= ret->until)
        return COMITY_E_CONFIG;
    ret->code = fields[0];
    ret->name = fields[1];
    return COMITY_OK;
}

int divisions_parse(struct arena *a, struct bytes text, struct divisions *ret, size_t *ret_line)
{
    struct bytes rest = arena_copy(a, text);
    size_t lines = 0;
    for (size_t i = 0; i < text.len; i++)
        lines += text.data[i] == '\n';
    if (lines >= DIVISIONS_MAX)
        return COMITY_E_CONFIG;
    struct division *rows = arena_alloc(a, (lines + 1) * sizeof *rows);
    if (!rows || (text.len && !rest.data))
        return COMITY_E_NOMEM;
    size_t count = 0;
    size_t number = 0;
    int err = COMITY_OK;
    for (struct bytes line = BYTES_NONE; !err && bytes_next_line(&rest, &line);) {
        number++;
        if (line.len == 0 || line.data[0] == '#')
            continue;
        err = parse_line(line, &rows[count]);
        if (!err && count && bytes_compare(rows[count - 1].code, rows[count].code) >= 0)
            err = COMITY_E_CONFIG;
        count++;
    }
    if (err && ret_line)
        *ret_line = number;
    if (!err)
        *ret = (struct divisions){.rows = rows, .count = count};
    return err;
}

const struct division *divisions_find(const struct divisions *t, struct bytes code)
{
    size_t from = 0;
    size_t to = t->count;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = bytes_compare(t->rows[middle].code, code);
        if (order == 0)
            return &t->rows[middle];
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return NULL;
}

/* The row of the level of ${code} that has ${digits}: 2 province, 4 prefecture, 6 itself. NULL when
 * there is none. */
static const struct division *level(const struct divisions *t, struct bytes code, size_t digits)
{
    char at[] = "000000";
    if (code.len != DIVISION_LEN)
        return NULL;
    memcpy(at, code.data, digits);
    /* a level that is all zeros is the level above */
    if (digits > 2 && memcmp(at + digits - 2, "00", 2) == 0)
        return NULL;
    return divisions_find(t, BYTES(at, DIVISION_LEN));
}

int divisions_check(const struct divisions *t, struct bytes code, int32_t day,
                    struct code_fault *ret_fault)
{
    int err = code_check_division(code, ret_fault);
    if (err)
        return err;
    for (size_t digits = 2; digits <= DIVISION_LEN; digits += 2) {
        const struct division *row = level(t, code, digits);
        if (row && (day < row->from || day >= row->until)) {
            if (ret_fault)
                *ret_fault = (struct code_fault){.flaw = CODE_FLAW_DATE, .at = digits - 1};
            return COMITY_E_DIVISION;
        }
    }
    return COMITY_OK;
}

void divisions_put_name(struct buf *out, const struct divisions *t, struct bytes code)
{
    for (size_t digits = 2; digits <= DIVISION_LEN; digits += 2) {
        const struct division *row = level(t, code, digits);
        if (row)
            buf_put_bytes(out, row->name);
    }
}
