/*
 * Cells of records and tables. See cells.h.
 */
#include "cells.h"

#include "base/lang.h"
#include "base/text.h"
#include "domain/date.h"
#include "domain/record.h"

#include <string.h>

enum { VALUES_MAX = 256, MINUTES_SHOWN = 16, SECONDS_SHOWN = 19, DATE_SHOWN = 10, ZONE_LEN = 6 };

/* ---- paths ---- */

/* One alternative of a path, ${len} bytes; appends what it leads to. */
static size_t walk(const json_t *at, const char *path, size_t len, const json_t **ret, size_t n)
{
    while (len > 0 && at) {
        size_t name = 0;
        while (name < len && path[name] != '.' && path[name] != '[')
            name++;
        char key[64];
        if (name >= sizeof key)
            return n;
        memcpy(key, path, name);
        key[name] = 0;
        at = json_object_get(at, key);
        path += name;
        len -= name;
        if (len >= 2 && path[0] == '[') {
            size_t skip = len > 2 ? 3 : 2; /* "[]" or "[]." */
            for (size_t i = 0; i < json_array_size(at); i++)
                n = walk(json_array_get(at, i), path + skip, len - skip, ret, n);
            return n;
        }
        if (len > 0) {
            path++;
            len--;
        }
    }
    if (at && !json_is_null(at) && n < VALUES_MAX)
        ret[n++] = at;
    return n;
}

static size_t find(const json_t *object, const char **path, const json_t **ret)
{
    for (;;) {
        size_t len = strcspn(*path, "|");
        size_t n = walk(object, *path, len, ret, 0);
        if (n || (*path)[len] == 0)
            return n;
        *path += len + 1;
    }
}

const json_t *cell_value(const json_t *object, const char *path)
{
    const json_t *values[VALUES_MAX];
    return find(object, &path, values) ? values[0] : NULL;
}

const char *cell_path(const json_t *object, const char *path)
{
    const json_t *values[VALUES_MAX];
    find(object, &path, values);
    return path;
}

bool cell_exists(const json_t *object, const char *path)
{
    return cell_value(object, path) != NULL;
}

/* ---- words ---- */

struct word {
    const char *token;
    const char *shown;
    const char *mark;
    enum out_colour colour;
};

/* Stages of a record, states of files and of the link, and what a timeline tells of. */
static const struct word words[] = {
    {"recorded", N_("recorded"), "-", OUT_PLAIN},
    {"accepted", N_("accepted"), "-", OUT_YELLOW},
    {"received", N_("received"), "✓", OUT_PLAIN},
    {"decided", N_("decided"), "-", OUT_PLAIN},
    {"recognised", N_("recognised"), "✓", OUT_GREEN}, /* asked for with --wait only */
    {"refused", N_("refused"), "✗", OUT_RED},
    {"signed", N_("signed"), "✓", OUT_PLAIN},
    {"shared", N_("shared"), "-", OUT_PLAIN},
    {"file", N_("file complete"), "✓", OUT_PLAIN},
    {"waiting", N_("waiting"), "!", OUT_YELLOW},
    {"ready", N_("being moved"), "-", OUT_YELLOW},
    {"done", N_("complete"), "✓", OUT_GREEN},
    {"failed", N_("failed"), "✗", OUT_RED},
    {"online", N_("online"), "✓", OUT_GREEN},
    {"offline", N_("offline"), "✗", OUT_RED},
    {"greeting", N_("connecting"), "!", OUT_YELLOW},
    {"fetching_roster", N_("fetching the roster"), "!", OUT_YELLOW},
    {"rejected", N_("rejected by the broker"), "✗", OUT_RED},
    {"case", N_("case filed"), "-", OUT_PLAIN},
    {"evidence", N_("evidence"), "-", OUT_PLAIN},
    {"recognition", N_("decision"), "-", OUT_PLAIN},
    {"signature", N_("signature"), "✓", OUT_PLAIN},
    {"share", N_("shared"), "-", OUT_PLAIN},
    {"bureau", N_("bureau"), NULL, OUT_PLAIN},
    {"broker", N_("broker"), NULL, OUT_PLAIN},
    {"auditor", N_("auditor"), NULL, OUT_PLAIN},
    {"officer", N_("officer"), NULL, OUT_PLAIN},
    {"approver", N_("approver"), NULL, OUT_PLAIN},
    {"reviewer", N_("reviewer"), NULL, OUT_PLAIN},
    {"collector", N_("collector"), NULL, OUT_PLAIN},
    {"consistent", N_("consistent"), "✓", OUT_GREEN},
    {"contradiction", N_("contradiction proven"), "✗", OUT_RED},
    {"unresolved", N_("unresolved"), "!", OUT_YELLOW},
    {"withheld", N_("content withheld"), "!", OUT_YELLOW},
    {"authentic", N_("authentic"), "✓", OUT_GREEN},
    {"note", N_("worth knowing"), NULL, OUT_PLAIN},
    {"added", N_("added"), NULL, OUT_PLAIN},
    {"readmitted", N_("comes back"), NULL, OUT_PLAIN},
    {"closed", N_("closed"), NULL, OUT_PLAIN},
    {"network", N_("network file"), NULL, OUT_PLAIN},
    {"join", N_("join file"), NULL, OUT_PLAIN},
    {"roster", N_("roster"), NULL, OUT_PLAIN},
    {"key", N_("key file"), NULL, OUT_PLAIN},
    {"witness", N_("witness file"), NULL, OUT_PLAIN},
    {"ledger", N_("ledger"), NULL, OUT_PLAIN},
    {"authority", N_("authority"), NULL, OUT_PLAIN},
    {"curve", N_("connection"), NULL, OUT_PLAIN},
    {"seal", N_("sealing"), NULL, OUT_PLAIN},
    {"RECORD", N_("record"), NULL, OUT_PLAIN},
    {"SIGNATURE", N_("signature"), NULL, OUT_PLAIN},
    {"SHARE", N_("shared"), NULL, OUT_PLAIN},
    {"RECEIVED", N_("received"), NULL, OUT_PLAIN},
    {"RECEIPT", N_("receipt"), NULL, OUT_PLAIN},
    {"ROUTED", N_("routed"), NULL, OUT_PLAIN},
    {"CHECKPOINT", N_("checkpoint"), NULL, OUT_PLAIN},
    {"ROSTER", N_("roster"), NULL, OUT_PLAIN},
    {"FILE", N_("file complete"), NULL, OUT_PLAIN},
    {"KEY", N_("officer's key"), NULL, OUT_PLAIN},
    {"REFUSED", N_("refused"), NULL, OUT_RED},
    {"ERASED", N_("erased"), NULL, OUT_PLAIN},
    {"NOTE", N_("note"), NULL, OUT_PLAIN},
};

static const struct word *word_of(const char *token)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strcmp(words[i].token, token) == 0)
            return &words[i];
    return NULL;
}

static const char *term_of(enum record_vocabulary v, const char *token)
{
    const struct record_term *t = record_term_named(v, bytes_of(token));
    if (!t)
        return token;
    return lang_is_zh() ? t->zh : t->en;
}

const char *cell_word(const char *token)
{
    const struct word *w = word_of(token);
    return w ? _(w->shown) : token;
}

const char *cell_decision(const char *token)
{
    return term_of(TERMS_DECISION, token);
}

/* ---- values ---- */

/* One form for all times, whoever wrote them: China's, as records have it. False for what is none.
 */
static bool put_china(struct buf *out, const char *text)
{
    int64_t ms;
    if (text_get_time(bytes_of(text), &ms) != 0 && date_get_time(bytes_of(text), &ms) != 0)
        return false;
    text_put_time_china(out, ms);
    return true;
}

/* "2026-11-24 17:47:15 +08:00" or the first ${len} characters of that. What is no time stands as it
 * is. */
static void put_time(struct buf *out, const char *text, size_t len)
{
    struct buf whole = BUF_INIT;
    if (!put_china(&whole, text)) {
        out_put_shown(out, bytes_of(text), 0);
        return;
    }
    for (size_t i = 0; i < whole.len && i < len; i++) {
        if (i == SECONDS_SHOWN)
            buf_put_u8(out, ' ');
        buf_put_u8(out, whole.data[i] == 'T' ? ' ' : whole.data[i]);
    }
    buf_free(&whole);
}

void cell_put_time(struct buf *out, const char *text)
{
    put_time(out, text, SECONDS_SHOWN + ZONE_LEN);
}

static void put_hex_groups(struct buf *out, const char *text)
{
    for (size_t i = 0; text[i]; i++) {
        if (i && i % 4 == 0)
            buf_put_u8(out, ' ');
        buf_put_u8(out, (uint8_t)text[i]);
    }
}

static void put_string(struct buf *out, enum view_as as, const struct out_style *style,
                       const char *text)
{
    const struct word *w = NULL;
    switch (as) {
    case AS_TIME:
        /* the zone stands with each time, but in a table once, in the heading */
        put_time(out, text, style->is_table ? SECONDS_SHOWN : SECONDS_SHOWN + ZONE_LEN);
        break;
    case AS_MINUTES:
        put_time(out, text, MINUTES_SHOWN);
        break;
    case AS_DATE:
        put_time(out, text, DATE_SHOWN);
        break;
    case AS_STAGE:
    case AS_STATE:
        w = word_of(text);
        out_put_shown(out, bytes_of(w ? _(w->shown) : text), 0);
        break;
    case AS_RECORD:
        out_put_shown(out, bytes_of(term_of(TERMS_RECORD_KIND, text)), 0);
        break;
    case AS_EVIDENCE:
        out_put_shown(out, bytes_of(term_of(TERMS_EVIDENCE_KIND, text)), 0);
        break;
    case AS_FORM:
        out_put_shown(out, bytes_of(term_of(TERMS_FORM, text)), 0);
        break;
    case AS_DECISION:
        out_put_shown(out, bytes_of(term_of(TERMS_DECISION, text)), 0);
        break;
    case AS_HEX:
        put_hex_groups(out, text);
        break;
    default:
        out_put_shown(out, bytes_of(text), 0);
    }
}

static void put_value(struct buf *out, enum view_as as, const struct out_style *style,
                      const json_t *v)
{
    if (as == AS_COUNT)
        buf_printf(out, "%zu", json_array_size(v));
    else if (json_is_string(v))
        put_string(out, as, style, json_string_value(v));
    else if (as == AS_SIZE)
        out_put_size(out, (uint64_t)json_integer_value(v));
    else if (json_is_integer(v))
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
    else if (json_is_boolean(v) && as == AS_VERIFIED)
        buf_put_str(out, json_is_true(v) ? _("verified") : _("not verified"));
    else if (json_is_boolean(v) && as == AS_TEXT)
        buf_put_str(out, json_is_true(v) ? _("yes") : _("no"));
}

static void set_mark(struct cell *cell, enum view_as as, const json_t *v)
{
    bool yes = json_is_true(v);
    const struct word *w = json_is_string(v) ? word_of(json_string_value(v)) : NULL;
    if (as == AS_YES) {
        cell->mark = yes ? "✓" : "-";
        cell->colour = yes ? OUT_GREEN : OUT_PLAIN;
    } else if (as == AS_VALID || as == AS_VERIFIED) {
        cell->mark = yes ? "✓" : "✗";
        cell->colour = yes ? OUT_GREEN : OUT_RED;
    } else if (as == AS_ALARM) {
        cell->mark = yes ? "!" : "-";
        cell->colour = yes ? OUT_YELLOW : OUT_PLAIN;
    } else if (as == AS_STAGE && w) {
        cell->mark = w->mark;
        cell->colour = w->colour;
    } else if (as == AS_DECISION && json_is_string(v)) {
        bool is_taken = strcmp(json_string_value(v), "DIRECT") == 0 ||
                        strcmp(json_string_value(v), "VERIFIED") == 0;
        bool is_rejected = strcmp(json_string_value(v), "REJECTED") == 0;
        cell->mark = is_taken ? "✓" : is_rejected ? "✗" : "!";
        cell->colour = is_taken ? OUT_GREEN : is_rejected ? OUT_RED : OUT_YELLOW;
    }
}

void cell_make(struct cell *cell, const struct view_field *field, const json_t *object,
               const struct out_style *style)
{
    const json_t *values[VALUES_MAX];
    const char *path = field->path;
    size_t n = find(object, &path, values);
    for (size_t i = 0; i < n; i++) {
        if (i)
            buf_put_str(&cell->text, lang_is_zh() ? "、" : ", ");
        else
            set_mark(cell, field->as, values[0]);
        put_value(&cell->text, field->as, style, values[i]);
    }
}

void cell_done(struct cell *cell)
{
    buf_free(&cell->text);
}

size_t cell_width(const struct cell *cell)
{
    size_t text = out_width(buf_bytes(&cell->text));
    return text + (cell->mark ? (text ? 2 : 1) : 0);
}

void cell_put(struct buf *out, const struct cell *cell, const struct out_style *style, size_t max)
{
    struct bytes text = buf_bytes(&cell->text);
    if (cell->mark) {
        out_put_coloured(out, style, cell->colour, cell->mark);
        if (text.len)
            buf_put_u8(out, ' ');
        max = max > 2 ? max - 2 : max;
    }
    out_put_shown(out, text, max);
}

static bool is_time(enum view_as as)
{
    return as == AS_TIME || as == AS_MINUTES || as == AS_DATE;
}

void cell_put_plain(struct buf *out, const struct view_field *field, const json_t *object)
{
    const json_t *values[VALUES_MAX];
    const char *path = field->path;
    size_t n = find(object, &path, values);
    for (size_t i = 0; i < n; i++) {
        const json_t *v = values[i];
        if (i)
            buf_put_u8(out, ',');
        if (field->as == AS_COUNT)
            buf_printf(out, "%zu", json_array_size(v));
        else if (json_is_string(v) && is_time(field->as) && put_china(out, json_string_value(v)))
            continue;
        else if (json_is_string(v))
            out_put_plain(out, bytes_of(json_string_value(v)));
        else if (json_is_integer(v))
            buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(v));
        else if (json_is_boolean(v))
            buf_put_str(out, json_is_true(v) ? "true" : "false");
    }
}
