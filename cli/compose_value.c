/*
 * What officers type for one field, as JSON. See compose.h for the spellings.
 */
#include "compose_value.h"

#include "base/clock.h"
#include "base/text.h"
#include "domain/date.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *text_json(struct bytes b)
{
    return json_stringn((const char *)b.data, b.len); /* NULL for what is not UTF-8 */
}

/* Cut ${rest} at the first ${mark}; all of it when there is none. */
static struct bytes cut(struct bytes *rest, char mark)
{
    const uint8_t *at = rest->len ? memchr(rest->data, mark, rest->len) : NULL;
    struct bytes head = at ? bytes_slice(*rest, 0, (size_t)(at - rest->data)) : *rest;
    *rest = at ? bytes_slice(*rest, head.len + 1, rest->len) : BYTES_NONE;
    return head;
}

static void set_text(json_t *object, const char *name, struct bytes text)
{
    if (text.len)
        json_object_set_new(object, name, text_json(text));
}

const char *compose_time(struct cli *c, const char *text)
{
    int64_t ms;
    int day[3], clock[3] = {0}, end = 0;
    char mark = 0;
    if (date_get_time(bytes_of(text), &ms) != 0 && text_get_time(bytes_of(text), &ms) != 0) {
        int n = sscanf(text, "%4d-%2d-%2d%c%2d:%2d%n:%2d%n", &day[0], &day[1], &day[2], &mark,
                       &clock[0], &clock[1], &end, &clock[2], &end);
        if (n < 6 || text[end] || (mark != ' ' && mark != 'T'))
            return NULL;
        const char *whole = cli_text(c, "%04d-%02d-%02dT%02d:%02d:%02d+08:00", day[0], day[1],
                                     day[2], clock[0], clock[1], clock[2]);
        if (date_get_time(bytes_of(whole), &ms) != 0)
            return NULL;
    }
    struct buf b = BUF_INIT;
    text_put_time_china(&b, ms);
    const char *time = cli_text(c, "%s", buf_str(&b));
    buf_free(&b);
    return time;
}

const char *compose_now(struct cli *c)
{
    struct buf b = BUF_INIT;
    text_put_time_china(&b, clock_wall_ms(&clock_system));
    const char *time = cli_text(c, "%s", buf_str(&b));
    buf_free(&b);
    return time;
}

static json_t *place_json(struct bytes text)
{
    json_t *o = json_object();
    struct bytes head = cut(&text, ':');
    struct bytes division = cut(&head, '@');
    set_text(o, "division", division);
    set_text(o, "bureau", head);
    set_text(o, "address", text);
    return o;
}

static json_t *party_json(struct bytes text)
{
    json_t *o = json_object();
    set_text(o, "name", cut(&text, ':'));
    set_text(o, "uscc", cut(&text, ':'));
    set_text(o, "part", text);
    return o;
}

/* SCHEME=VALUE; a value alone is a bar code. */
static json_t *code_json(struct bytes text)
{
    json_t *o = json_object();
    bool has_scheme = text.len && memchr(text.data, '=', text.len);
    set_text(o, "scheme", has_scheme ? cut(&text, '=') : BYTES_LIT("gtin"));
    set_text(o, "value", text);
    return o;
}

static json_t *goods_json(struct bytes text)
{
    json_t *o = json_object();
    set_text(o, "name", cut(&text, ':'));
    if (text.len) {
        json_t *codes = json_array();
        while (text.len)
            json_array_append_new(codes, code_json(cut(&text, ',')));
        json_object_set_new(o, "codes", codes);
    }
    return o;
}

/* A number, a token, or a name in either language. */
static const struct record_term *find_term(enum record_vocabulary v, const char *text)
{
    size_t n = 0;
    const struct record_term *terms = record_terms(v, &n);
    for (size_t i = 0; i < n; i++) {
        char number[12];
        snprintf(number, sizeof number, "%u", terms[i].number);
        if (strcmp(text, number) == 0 || strcasecmp(text, terms[i].token) == 0 ||
            strcmp(text, terms[i].zh) == 0 || strcasecmp(text, terms[i].en) == 0)
            return &terms[i];
    }
    return NULL;
}

static int fail_term(struct cli *c, const char *flag, enum record_vocabulary v, const char *text)
{
    struct buf list = BUF_INIT;
    size_t n = 0;
    const struct record_term *terms = record_terms(v, &n);
    for (size_t i = 0; i < n; i++)
        buf_printf(&list, "%s%u %s%s%s", i ? ", " : "", terms[i].number, terms[i].token,
                   lang_is_zh() ? " " : "", lang_is_zh() ? terms[i].zh : "");
    int err = cli_fail(c, COMITY_E_USAGE, _("--%s is not \"%s\" but one of %s"), flag, text,
                       buf_str(&list));
    buf_free(&list);
    return err;
}

static int term_value(struct cli *c, const char *flag, enum record_vocabulary v, json_t **ret)
{
    const char *text = flag_text(c, flag);
    const struct record_term *t = find_term(v, text);
    if (!t)
        return fail_term(c, flag, v, text);
    *ret = json_string(t->token);
    return COMITY_OK;
}

static int number_value(struct cli *c, const char *flag, bool is_signed, json_t **ret)
{
    const char *text = flag_text(c, flag);
    char *end = NULL;
    long long v = strtoll(text, &end, 10);
    if (text[0] == 0 || *end || (v < 0 && !is_signed))
        return cli_fail(c, COMITY_E_USAGE, _("--%s is a number, not \"%s\""), flag, text);
    *ret = json_integer(v);
    return COMITY_OK;
}

static int time_value(struct cli *c, const char *flag, json_t **ret)
{
    const char *time = compose_time(c, flag_text(c, flag));
    if (!time)
        return cli_fail(c, COMITY_E_USAGE,
                        _("--%s is a time like \"2026-11-24 17:47\", not \"%s\""), flag,
                        flag_text(c, flag));
    *ret = json_string(time);
    return COMITY_OK;
}

static json_t *list_value(struct cli *c, const struct compose_row *row)
{
    json_t *list = json_array();
    for (size_t i = 0; i < flag_count(c, row->flag); i++) {
        struct bytes text = bytes_of(flag_at(c, row->flag, i));
        json_t *one = row->as == COMPOSE_PARTIES ? party_json(text)
                      : row->as == COMPOSE_GOODS ? goods_json(text)
                      : row->as == COMPOSE_CODES ? code_json(text)
                                                 : text_json(text);
        if (!one || json_array_append_new(list, one) != 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

int compose_value(struct cli *c, const struct compose_row *row, json_t **ret)
{
    struct bytes text = bytes_of(flag_text(c, row->flag));
    json_t *value = NULL;
    int err = COMITY_OK;
    if (!text_is_utf8(text) || text.len == 0)
        return cli_fail(c, COMITY_E_USAGE, _("--%s is empty, or not UTF-8 text"), row->flag);
    switch (row->as) {
    case COMPOSE_TEXT:
        value = text_json(text);
        break;
    case COMPOSE_TEXTS:
    case COMPOSE_PARTIES:
    case COMPOSE_GOODS:
    case COMPOSE_CODES:
        value = list_value(c, row);
        break;
    case COMPOSE_PLACE:
        value = place_json(text);
        break;
    case COMPOSE_TIME:
        err = time_value(c, row->flag, &value);
        break;
    case COMPOSE_NUMBER:
    case COMPOSE_SIGNED:
        err = number_value(c, row->flag, row->as == COMPOSE_SIGNED, &value);
        break;
    case COMPOSE_EVIDENCE:
        err = term_value(c, row->flag, TERMS_EVIDENCE_KIND, &value);
        break;
    case COMPOSE_FORM:
        err = term_value(c, row->flag, TERMS_FORM, &value);
        break;
    case COMPOSE_HOLDER:
        err = term_value(c, row->flag, TERMS_HOLDER, &value);
        break;
    case COMPOSE_DECISION:
        err = term_value(c, row->flag, TERMS_DECISION, &value);
        break;
    }
    if (!err)
        *ret = cli_json(value);
    return err;
}
