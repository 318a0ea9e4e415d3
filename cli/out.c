/*
 * Rendering JSON through views. See out.h; cells.c says what stands in a cell, out_text.c how wide
 * a text is.
 */
#include "out.h"

#include "base/lang.h"
#include "cells.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { WIDTH_DEFAULT = 80, WIDTH_MIN = 40, COLUMN_MIN = 12, GAP = 2, COLUMNS_MAX = 16 };

struct out_style out_style_of(int fd)
{
    struct winsize size = {0};
    struct out_style s = {.is_terminal = isatty(fd), .width = WIDTH_DEFAULT};
    const char *term = getenv("TERM");
    const char *no_colour = getenv("NO_COLOR");
    s.is_coloured =
        s.is_terminal && !(no_colour && no_colour[0]) && term && strcmp(term, "dumb") != 0;
    if (s.is_terminal && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= WIDTH_MIN)
        s.width = size.ws_col;
    return s;
}

static void put_spaces(struct buf *out, size_t n)
{
    while (n-- > 0)
        buf_put_u8(out, ' ');
}

/* ---- one object ---- */

static void put_record_plain(struct buf *out, const struct view_section *s, const json_t *object)
{
    for (const struct view_field *f = s->fields; f->path; f++) {
        if (!cell_exists(object, f->path))
            continue;
        const char *path = cell_path(object, f->path);
        buf_printf(out, "%.*s\t", (int)strcspn(path, "|["), path);
        cell_put_plain(out, f, object);
        buf_put_u8(out, '\n');
    }
}

static void put_line_plain(struct buf *out, const struct view_section *s, const json_t *object)
{
    for (const struct view_field *f = s->fields; f->path; f++) {
        if (f != s->fields)
            buf_put_u8(out, '\t');
        cell_put_plain(out, f, object);
    }
    buf_put_u8(out, '\n');
}

static void put_record(struct buf *out, const struct view_section *s, const json_t *object,
                       const struct out_style *style)
{
    size_t widest = 0;
    for (const struct view_field *f = s->fields; f->path; f++)
        if (f->label && cell_exists(object, f->path)) {
            size_t w = out_width(bytes_of(_(f->label)));
            widest = w > widest ? w : widest;
        }
    for (const struct view_field *f = s->fields; f->path; f++) {
        if (!f->label || !cell_exists(object, f->path))
            continue;
        const char *label = _(f->label);
        struct cell cell = {0};
        cell_make(&cell, f, object, style);
        buf_put_str(out, "  ");
        out_put_coloured(out, style, OUT_DIM, label);
        put_spaces(out, widest - out_width(bytes_of(label)) + GAP);
        cell_put(out, &cell, style, 0);
        buf_put_u8(out, '\n');
        cell_done(&cell);
    }
}

/* ---- an array ---- */

struct table {
    const struct view_section *section;
    size_t columns;
    size_t width[COLUMNS_MAX];
    bool is_used[COLUMNS_MAX];
    struct cell *cells; /* row by row */
    size_t rows;
};

static size_t count_columns(const struct view_section *s)
{
    size_t n = 0;
    while (n < COLUMNS_MAX && s->fields[n].path)
        n++;
    return n;
}

/* What stands over a column: of times, with their zone. To be freed. */
static struct buf heading_of(const struct view_field *f)
{
    struct buf b = BUF_INIT;
    buf_put_str(&b, f->label ? _(f->label) : "");
    if (f->label && (f->as == AS_TIME || f->as == AS_MINUTES))
        buf_put_str(&b, " (+08:00)");
    return b;
}

/* Columns in which nothing stands are left out. */
static void measure(struct table *t)
{
    for (size_t k = 0; k < t->columns; k++) {
        for (size_t i = 0; i < t->rows; i++) {
            size_t w = cell_width(&t->cells[i * t->columns + k]);
            t->width[k] = w > t->width[k] ? w : t->width[k];
        }
        t->is_used[k] = t->width[k] > 0;
        struct buf label = heading_of(&t->section->fields[k]);
        size_t w = t->is_used[k] ? out_width(buf_bytes(&label)) : 0;
        buf_free(&label);
        t->width[k] = w > t->width[k] ? w : t->width[k];
    }
}

/* Take from the widest column of text until the line fits, or nothing can be taken any more. */
static void squeeze(struct table *t, size_t room)
{
    for (;;) {
        size_t total = 0;
        size_t widest = t->columns;
        for (size_t k = 0; k < t->columns; k++) {
            total += t->is_used[k] ? t->width[k] + GAP : 0;
            bool can_shrink = t->section->fields[k].as == AS_TEXT && t->width[k] > COLUMN_MIN;
            if (can_shrink && (widest == t->columns || t->width[k] > t->width[widest]))
                widest = k;
        }
        if (total <= room + GAP || widest == t->columns)
            return;
        size_t over = total - room - GAP;
        size_t can = t->width[widest] - COLUMN_MIN;
        /* no more at a time than makes it equal to its neighbours: one column, unless it alone is
         * wide */
        t->width[widest] -= over < can ? (over + 1) / 2 : (can + 1) / 2;
    }
}

static bool is_right(const struct view_field *f)
{
    return f->as == AS_NUMBER || f->as == AS_SIZE || f->as == AS_COUNT;
}

/* Is a column used behind column ${k}? Trailing spaces are not written. */
static bool is_last(const struct table *t, size_t k)
{
    while (++k < t->columns)
        if (t->is_used[k])
            return false;
    return true;
}

static void put_heading(struct buf *out, const struct table *t, const struct out_style *style)
{
    buf_put_str(out, "  ");
    for (size_t k = 0; k < t->columns; k++) {
        if (!t->is_used[k])
            continue;
        struct buf label = heading_of(&t->section->fields[k]);
        size_t pad = t->width[k] - out_width(buf_bytes(&label));
        bool right = is_right(&t->section->fields[k]);
        put_spaces(out, right ? pad : 0);
        out_put_coloured(out, style, OUT_DIM, buf_str(&label));
        buf_free(&label);
        if (!is_last(t, k))
            put_spaces(out, (right ? 0 : pad) + GAP);
    }
    buf_put_u8(out, '\n');
}

static void put_row(struct buf *out, const struct table *t, size_t row,
                    const struct out_style *style)
{
    buf_put_str(out, "  ");
    for (size_t k = 0; k < t->columns; k++) {
        if (!t->is_used[k])
            continue;
        const struct cell *cell = &t->cells[row * t->columns + k];
        size_t w = cell_width(cell);
        size_t pad = w < t->width[k] ? t->width[k] - w : 0;
        bool right = is_right(&t->section->fields[k]);
        put_spaces(out, right ? pad : 0);
        cell_put(out, cell, style, w > t->width[k] ? t->width[k] : 0);
        if (!is_last(t, k))
            put_spaces(out, (right ? 0 : pad) + GAP);
    }
    while (out->len && out->data[out->len - 1] == ' ')
        out->len--; /* cells at the end may be empty */
    buf_put_u8(out, '\n');
}

static void put_table(struct buf *out, const struct view_section *s, const json_t *array,
                      const struct out_style *of)
{
    struct out_style table_style = *of;
    const struct out_style *style = &table_style;
    table_style.is_table = true;
    struct table t = {.section = s, .columns = count_columns(s), .rows = json_array_size(array)};
    t.cells = calloc(t.rows * t.columns + 1, sizeof *t.cells);
    if (!t.cells) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < t.rows; i++)
        for (size_t k = 0; k < t.columns; k++)
            cell_make(&t.cells[i * t.columns + k], &s->fields[k], json_array_get(array, i), style);
    measure(&t);
    squeeze(&t, style->width - 2);
    put_heading(out, &t, style);
    for (size_t i = 0; i < t.rows; i++)
        put_row(out, &t, i, style);
    for (size_t i = 0; i < t.rows * t.columns; i++)
        cell_done(&t.cells[i]);
    free(t.cells);
}

static void put_table_plain(struct buf *out, const struct view_section *s, const json_t *array,
                            bool is_named)
{
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (is_named)
            buf_printf(out, "%s\t", s->path);
        put_line_plain(out, s, json_array_get(array, i));
    }
}

/* ---- a view ---- */

static void render_plain(const struct view *view, const json_t *json, struct buf *out)
{
    bool is_list = view->sections[0].path && !view->sections[1].fields;
    for (const struct view_section *s = view->sections; s->fields; s++) {
        if (!s->path && view->is_ref) {
            cell_put_plain(out, s->fields, json);
            buf_put_u8(out, '\n');
            return;
        }
        if (!s->path)
            put_record_plain(out, s, json);
        else
            put_table_plain(out, s, s->path[0] ? cell_value(json, s->path) : json, !is_list);
    }
}

static void put_title(struct buf *out, const char *title, const struct out_style *style)
{
    if (out->len)
        buf_put_u8(out, '\n');
    out_put_coloured(out, style, OUT_BOLD, _(title));
    buf_put_u8(out, '\n');
}

void out_render(const struct view *view, const json_t *json, const struct out_style *style,
                struct buf *out)
{
    if (!style->is_terminal) {
        render_plain(view, json, out);
        return;
    }
    if (view->done) {
        out_put_coloured(out, style, OUT_GREEN, "✓");
        buf_printf(out, " %s\n", _(view->done));
    }
    for (const struct view_section *s = view->sections; s->fields; s++) {
        const json_t *value = s->path && s->path[0] ? cell_value(json, s->path) : json;
        bool is_empty = s->path && json_array_size(value) == 0;
        if (is_empty && !s->empty)
            continue;
        if (s->title)
            put_title(out, s->title, style);
        if (is_empty)
            buf_printf(out, "  %s\n", _(s->empty));
        else if (s->path)
            put_table(out, s, value, style);
        else
            put_record(out, s, value, style);
    }
}
