/*
 * Paths, shapes of text, tables of fields and lists, for the rules of records. See check.h.
 */
#include "domain/check.h"

#include "base/text.h"
#include "domain/date.h"

#include <comity/err.h>
#include <stdio.h>
#include <string.h>

/* ---- the path, and saying no ---- */

size_t check_enter(struct check *c, const char *name, int index)
{
    size_t back = c->path_len;
    size_t room = sizeof c->path - back;
    const char *dot = back ? "." : "";
    int n = index == CHECK_NO_INDEX ? snprintf(c->path + back, room, "%s%s", dot, name)
                                    : snprintf(c->path + back, room, "%s%s[%d]", dot, name, index);
    if (n > 0 && (size_t)n < room)
        c->path_len = back + (size_t)n;
    return back;
}

void check_enter_element(struct check *c, int index)
{
    size_t room = sizeof c->path - c->path_len;
    int n = snprintf(c->path + c->path_len, room, "[%d]", index);
    if (n > 0 && (size_t)n < room)
        c->path_len += (size_t)n;
}

void check_leave(struct check *c, size_t back)
{
    c->path_len = back;
    c->path[back] = 0;
}

int check_refuse(struct check *c, int err, const char *name, const char *words)
{
    if (*name)
        check_enter(c, name, CHECK_NO_INDEX);
    c->fault.err = err;
    memcpy(c->fault.path, c->path, sizeof c->path);
    snprintf(c->fault.words, sizeof c->fault.words, "%s", words);
    return err;
}

int check_refuse_too_many(struct check *c, const char *name, size_t max)
{
    char words[RECORD_WORDS_MAX] = "";
    snprintf(words, sizeof words, "has more than %zu elements", max);
    return check_refuse(c, COMITY_E_LIMIT, name, words);
}

/* ---- shapes of fields ---- */

static bool is_line(struct bytes b)
{
    return text_is_line(b);
}

static bool is_text(struct bytes b)
{
    return text_is_paragraphs(b);
}

static bool is_time(struct bytes b)
{
    int64_t ms = 0;
    return date_get_time(b, &ms) == COMITY_OK;
}

bool licence_is_valid(struct bytes licence)
{
    if (licence.len == 0 || licence.len > RECORD_LICENCE_MAX)
        return false;
    for (size_t i = 0; i < licence.len; i++) {
        uint8_t c = licence.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        if (!letter && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return true;
}

static uint8_t upper(uint8_t c)
{
    return c >= 'a' && c <= 'z' ? (uint8_t)(c - 'a' + 'A') : c;
}

bool licence_equal(struct bytes a, struct bytes b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (upper(a.data[i]) != upper(b.data[i]))
            return false;
    return true;
}

bool file_name_is_safe(struct bytes name)
{
    if (name.len == 0 || name.len > RECORD_FILE_NAME_MAX || bytes_is(name, ".") ||
        bytes_is(name, ".."))
        return false;
    return text_is_line(name) && !memchr(name.data, '/', name.len) &&
           !memchr(name.data, '\\', name.len);
}

/* [a-z][a-z0-9-]* */
static bool is_scheme(struct bytes b)
{
    return text_is_network(b);
}

/* type "/" subtype, of the characters that RFC 6838 allows in them. */
static bool is_mime(struct bytes b)
{
    size_t slashes = 0;
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        bool other = (c >= '0' && c <= '9') || (c && strchr("!#$&-^_.+", c));
        if (c == '/')
            slashes++;
        else if (!letter && !other)
            return false;
    }
    return slashes == 1 && b.data[0] != '/' && b.data[b.len - 1] != '/';
}

static bool is_hash(struct bytes b)
{
    return b.len == RECORD_HASH_LEN;
}

static bool is_origin(struct bytes b)
{
    struct origin o;
    return text_get_origin(b, &o) == COMITY_OK;
}

static const struct {
    bool (*holds)(struct bytes b);
    int err;
    const char *words;
} shapes[] = {
    [LINE] = {is_line, COMITY_E_INVALID, "is not one line of UTF-8 text"},
    [TEXT] = {is_text, COMITY_E_INVALID, "is not UTF-8 text, or has control characters"},
    [TIME] = {is_time, COMITY_E_INVALID, "is not a time like 2026-01-31T09:30:00+08:00"},
    [LICENCE] = {licence_is_valid, COMITY_E_INVALID, "has other than letters, digits and hyphens"},
    [FILE_NAME] = {file_name_is_safe, COMITY_E_INVALID, "is not a safe name for a file"},
    [SCHEME] = {is_scheme, COMITY_E_INVALID, "is not a word of small letters, digits and hyphens"},
    [MIME] = {is_mime, COMITY_E_INVALID, "is not a media type"},
    [HASH] = {is_hash, COMITY_E_INVALID, "does not have 32 bytes"},
    [ORIGIN] = {is_origin, COMITY_E_REF, "is not the origin of a ledger"},
    [BUREAU] = {text_is_bureau_id, COMITY_E_MEMBER_ID, "is not a bureau's member id"},
};

int check_value(struct check *c, const char *name, struct bytes value, enum check_shape shape,
                size_t max)
{
    if (value.len > max) {
        char words[RECORD_WORDS_MAX] = "";
        snprintf(words, sizeof words, "is longer than %zu bytes", max);
        return check_refuse(c, COMITY_E_TOO_LARGE, name, words);
    }
    if (!shapes[shape].holds(value))
        return check_refuse(c, shapes[shape].err, name, shapes[shape].words);
    return COMITY_OK;
}

int check_fields(struct check *c, const void *thing, const struct check_rule *rules, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct bytes *value = (const void *)((const uint8_t *)thing + rules[i].at);
        if (value->len == 0 && rules[i].required)
            return check_refuse(c, COMITY_E_FIELD_MISSING, rules[i].name, "is missing");
        if (value->len == 0)
            continue;
        int err = check_value(c, rules[i].name, *value, rules[i].shape, rules[i].max);
        if (err)
            return err;
    }
    return COMITY_OK;
}

/* ---- lists ---- */

int check_list(struct check *c, const struct check_list *l)
{
    if (l->count > l->max)
        return check_refuse_too_many(c, l->name, l->max);
    for (size_t i = 0; i < l->count; i++) {
        size_t back = check_enter(c, l->name, (int)i);
        int err = l->check(c, (const uint8_t *)l->first + i * l->size);
        if (err)
            return err;
        check_leave(c, back);
    }
    return COMITY_OK;
}
