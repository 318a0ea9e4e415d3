/*
 * Memory, failure and result of a command. See cli.h.
 */
#include "cli.h"

#include "said.h"
#include "term.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- memory ---- */

static void __attribute__((noreturn)) end_without_memory(void)
{
    fputs("comity: ", stderr);
    fputs(_(comity_err_text(COMITY_E_NOMEM)), stderr);
    fputs(" [no_memory]\n", stderr);
    exit(comity_err_exit(COMITY_E_NOMEM));
}

void *cli_alloc(struct cli *c, size_t n)
{
    void *p = arena_alloc(c->arena, n);
    if (!p)
        end_without_memory();
    return p;
}

static char *__attribute__((format(printf, 2, 0)))
text_v(struct cli *c, const char *fmt, va_list ap)
{
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(NULL, 0, fmt, again);
    va_end(again);
    char *text = cli_alloc(c, n < 0 ? 1 : (size_t)n + 1);
    if (n >= 0)
        vsnprintf(text, (size_t)n + 1, fmt, ap);
    return text;
}

char *cli_text(struct cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    char *text = text_v(c, fmt, ap);
    va_end(ap);
    return text;
}

struct bytes cli_copy(struct cli *c, struct bytes bytes)
{
    uint8_t *copy = cli_alloc(c, bytes.len + 1);
    if (bytes.len)
        memcpy(copy, bytes.data, bytes.len);
    return BYTES(copy, bytes.len);
}

json_t *cli_json(json_t *value)
{
    if (!value)
        end_without_memory();
    return value;
}

/* ---- failing ---- */

int cli_fail(struct cli *c, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->failure = (struct failure){.err = err, .message = text_v(c, fmt, ap)};
    va_end(ap);
    return err;
}

int cli_fail_at(struct cli *c, int err, const char *what)
{
    const char *sentence = _(comity_err_text(err));
    return what ? cli_fail(c, err, "%s: %s", what, sentence) : cli_fail(c, err, "%s", sentence);
}

int cli_fail_detail(struct cli *c, int err, struct buf *detail)
{
    const char *sentence = comity_err_text(err);
    const char *words = buf_str(detail);
    size_t tail = strlen(sentence);
    /* a detail often ends with the sentence itself */
    if (detail->len >= tail && strcmp(words + detail->len - tail, sentence) == 0)
        return cli_fail(c, err, "%.*s%s", (int)(detail->len - tail), words, _(sentence));
    if (detail->len == 0)
        return cli_fail_at(c, err, NULL);
    return cli_fail(c, err, "%s: %s", _(sentence), words);
}

/* What the node says in English is translated when it is the plain sentence, and shown behind the
 * sentence when it is more. */
static const char *translate(struct cli *c, int err, const char *message)
{
    const char *sentence = comity_err_text(err);
    if (!message || strcmp(message, sentence) == 0)
        return _(sentence);
    if (!lang_is_zh())
        return message;
    const char *whole = said_translate(c, message);
    if (whole)
        return whole;
    size_t len = strlen(sentence);
    if (strncmp(message, sentence, len) == 0)
        return cli_text(c, "%s%s", _(sentence), message + len);
    return cli_text(c, "%s: %s", _(sentence), message);
}

/* Most hints are commands, and the same in any language. */
static const char *translate_hint(struct cli *c, const char *hint)
{
    const char *said = lang_is_zh() ? said_translate(c, hint) : NULL;
    return said ? said : gettext(hint);
}

static const char *member_text(struct cli *c, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? cli_text(c, "%s", text) : NULL;
}

int cli_fail_json(struct cli *c, int err, const char *json)
{
    json_t *object = json ? json_loads(json, JSON_ALLOW_NUL, NULL) : NULL;
    const char *code = json_string_value(json_object_get(object, "code"));
    const char *hint = member_text(c, object, "hint");
    int named = code ? comity_err_from_token(code) : err;
    c->failure = (struct failure){
        .err = code && strcmp(comity_err_token(named), code) == 0 ? named : err,
        .message = translate(c, err, member_text(c, object, "message")),
        .hint = hint ? translate_hint(c, hint) : NULL,
        .field = member_text(c, object, "field"),
    };
    json_decref(object);
    return c->failure.err;
}

int cli_hint(struct cli *c, int err, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    c->failure.hint = text_v(c, fmt, ap);
    va_end(ap);
    return err;
}

static void show_failure_json(const struct failure *f)
{
    json_t *o = json_pack("{s:{s:s, s:i, s:s, s:s*, s:s*}}", "error", "code",
                          comity_err_token(f->err), "exit", comity_err_exit(f->err), "message",
                          f->message, "hint", f->hint, "field", f->field);
    if (o)
        json_dumpf(o, stderr, JSON_COMPACT);
    fputs(o ? "\n" : "{\"error\":{\"code\":\"internal\",\"exit\":1}}\n", stderr);
    json_decref(o);
}

void cli_show_failure(const struct cli *c)
{
    struct failure f = c->failure;
    if (!f.message)
        f.message = _(comity_err_text(f.err));
    if (c->is_json) {
        show_failure_json(&f);
        return;
    }
    struct out_style style = out_style_of(2);
    struct buf out = BUF_INIT;
    if (style.is_terminal)
        out_put_coloured(&out, &style, OUT_RED, "✗ ");
    else if (strncmp(f.message, "comity ", 7) != 0) /* a sentence about a command names it itself */
        buf_put_str(&out, "comity: ");
    /* a member of a record is worth naming; the name of an argument is not */
    if (f.field && strchr(f.field, '.') && !strstr(f.message, f.field) &&
        strncmp(f.message, "--", 2) != 0)
        buf_printf(&out, "%s: ", f.field);
    out_put_shown(&out, bytes_of(f.message), 0);
    buf_put_u8(&out, ' ');
    out_put_coloured(&out, &style, OUT_DIM, "[");
    out_put_coloured(&out, &style, OUT_DIM, comity_err_token(f.err));
    out_put_coloured(&out, &style, OUT_DIM, "]");
    buf_put_u8(&out, '\n');
    if (f.hint) {
        buf_put_str(&out, "  ");
        out_put_shown(&out, bytes_of(f.hint), 0);
        buf_put_u8(&out, '\n');
    }
    fputs(buf_str(&out), stderr);
    buf_free(&out);
}

/* ---- the result ---- */

int cli_result(struct cli *c, json_t *json)
{
    json_decref(c->result);
    c->result = cli_json(json);
    return COMITY_OK;
}

void cli_next(struct cli *c, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    buf_printf(&c->next, "%s\n", text_v(c, fmt, ap));
    va_end(ap);
}

bool cli_is_dry_run(const struct cli *c)
{
    return flag_given(c, "dry-run");
}

int cli_confirm(struct cli *c, const char *fmt, ...)
{
    if (flag_given(c, "yes"))
        return COMITY_OK;
    va_list ap;
    va_start(ap, fmt);
    const char *question = text_v(c, fmt, ap);
    va_end(ap);
    bool yes = false;
    int err = term_ask(question, &yes);
    if (err == COMITY_E_NOT_FOUND)
        return cli_hint(
            c, cli_fail(c, COMITY_E_USAGE, _("there is no terminal on which to ask: %s"), question),
            _("say --yes"));
    if (err)
        return cli_fail_at(c, err, NULL);
    return yes ? COMITY_OK : cli_fail(c, COMITY_E_INTERRUPTED, _("nothing was done"));
}

void cli_preview(struct cli *c, const struct view *view, const json_t *json)
{
    struct out_style style = out_style_of(2);
    bool is_answered = flag_exists(c, "yes") && flag_given(c, "yes");
    if (c->is_json || (is_answered && !style.is_terminal))
        return;
    struct buf out = BUF_INIT;
    style.is_terminal = true; /* for people, even when a script keeps it */
    out_render(view, json, &style, &out);
    fputs(buf_str(&out), stderr);
    buf_free(&out);
}
