/*
 * Reading and writing the lines of a text that is signed. See lines.h.
 */
#include "wire/lines.h"

#include "base/text.h"

#include <comity/err.h>
#include <inttypes.h>
#include <string.h>

static const int64_t time_end_ms = INT64_C(253402300800000); /* the year 10000 */

static size_t count_lines(struct bytes text)
{
    size_t n = 0;
    struct bytes line;
    while (n <= LINES_MAX && bytes_next_line(&text, &line))
        n++;
    return n;
}

void lines_open(struct lines *l, struct bytes text, const char *first)
{
    *l = (struct lines){.count = count_lines(text), .at = 1};
    if (l->count == 0 || l->count > LINES_MAX)
        l->err = COMITY_E_MALFORMED;
    else
        l->err = note_fields(text, first, l->line, l->count);
}

bool lines_more(const struct lines *l)
{
    return !l->err && l->at < l->count;
}

void lines_refuse_unless(struct lines *l, bool condition, int err)
{
    if (!l->err && !condition)
        l->err = err;
}

/* None after an error. */
static struct bytes next(struct lines *l)
{
    lines_refuse_unless(l, l->at < l->count, COMITY_E_MALFORMED);
    return l->err ? BYTES_NONE : l->line[l->at++];
}

struct bytes lines_text(struct lines *l)
{
    struct bytes line = next(l);
    lines_refuse_unless(l, line.len > 0 && text_is_line(line), COMITY_E_MALFORMED);
    return l->err ? BYTES_NONE : line;
}

struct bytes lines_optional(struct lines *l)
{
    struct bytes line = lines_text(l);
    return bytes_is(line, "-") ? BYTES_NONE : line;
}

uint64_t lines_u64(struct lines *l, uint64_t least, uint64_t most)
{
    uint64_t v = 0;
    struct bytes line = next(l);
    if (!l->err && (text_get_u64(line, &v) || v < least || v > most))
        l->err = COMITY_E_MALFORMED;
    return l->err ? 0 : v;
}

void lines_raw(struct lines *l, uint8_t *ret, size_t len)
{
    struct bytes line = next(l);
    memset(ret, 0, len);
    if (!l->err)
        l->err = text_get_base64_exact(line, ret, len);
}

int64_t lines_time(struct lines *l)
{
    int64_t ms = 0;
    struct bytes line = next(l);
    if (!l->err && (text_get_time(line, &ms) || ms < 0))
        l->err = COMITY_E_MALFORMED;
    return l->err ? 0 : ms;
}

uint32_t lines_word(struct lines *l, const char *const *words, size_t n)
{
    struct bytes line = next(l);
    for (uint32_t i = 1; i < n; i++)
        if (!l->err && bytes_is(line, words[i]))
            return i;
    lines_refuse_unless(l, false, COMITY_E_MALFORMED);
    return 0;
}

struct bytes lines_origin(struct lines *l)
{
    struct origin parts;
    struct bytes line = next(l);
    if (!l->err)
        l->err = text_get_origin(line, &parts);
    return l->err ? BYTES_NONE : line;
}

void lines_key(struct lines *l, struct note_verifier *ret)
{
    struct bytes line = next(l);
    *ret = (struct note_verifier){0};
    if (!l->err)
        l->err = vkey_read(line, ret);
}

int lines_end(struct lines *l)
{
    lines_refuse_unless(l, l->at == l->count, COMITY_E_MALFORMED);
    return l->err;
}

void line_put(struct buf *out, struct bytes text)
{
    buf_put_bytes(out, text);
    buf_put_u8(out, '\n');
}

void line_put_optional(struct buf *out, struct bytes text)
{
    line_put(out, text.len > 0 ? text : BYTES_LIT("-"));
}

void line_put_u64(struct buf *out, uint64_t v)
{
    buf_printf(out, "%" PRIu64 "\n", v);
}

void line_put_raw(struct buf *out, struct bytes raw)
{
    text_put_base64(out, raw);
    buf_put_u8(out, '\n');
}

void line_put_time(struct buf *out, int64_t time_ms)
{
    if (time_ms >= 0 && time_ms < time_end_ms)
        text_put_time(out, time_ms);
    buf_put_u8(out, '\n');
}

void line_put_key(struct buf *out, const struct note_verifier *key)
{
    note_put_vkey(out, key);
    buf_put_u8(out, '\n');
}

int lines_settle(struct buf *out, struct buf *text, int err)
{
    if (err == COMITY_E_MALFORMED)
        err = COMITY_E_INVALID;
    if (!err) {
        buf_put_bytes(out, buf_bytes(text));
        err = buf_check(out);
    }
    buf_free(text);
    return err;
}

int vkey_read(struct bytes vkey, struct note_verifier *ret)
{
    struct note_verifier key;
    struct buf again = BUF_INIT;
    int err = note_verifier_parse(vkey, &key);
    if (err)
        return err;
    note_put_vkey(&again, &key);
    err = buf_check(&again);
    if (!err && (key.type != NOTE_TYPE_SIGNATURE || !bytes_equal(buf_bytes(&again), vkey)))
        err = COMITY_E_MALFORMED;
    buf_free(&again);
    if (!err)
        *ret = key;
    return err;
}
