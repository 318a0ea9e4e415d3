/*
 * One event, one line. See log.h.
 */
#include "base/log.h"

#include "base/clock.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

static enum log_level threshold = LOG_INFO;
static const char *const level_words[] = {"debug", "info", "warn", "error"};

void log_init(enum log_level level)
{
    threshold = level;
}

bool log_level_from(const char *word, enum log_level *ret)
{
    for (size_t i = 0; i < sizeof level_words / sizeof level_words[0]; i++) {
        if (strcmp(word, level_words[i]) == 0) {
            *ret = (enum log_level)i;
            return true;
        }
    }
    return false;
}

static bool is_plain(struct bytes b)
{
    if (b.len == 0)
        return false;
    for (size_t i = 0; i < b.len; i++)
        if (b.data[i] <= ' ' || b.data[i] == '"' || b.data[i] == '=' || b.data[i] == '\\' ||
            b.data[i] >= 0x7f)
            return false;
    return true;
}

static void put_quoted(struct buf *line, struct bytes b)
{
    bool utf8 = text_is_utf8(b);
    buf_put_u8(line, '"');
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.data[i];
        /* C1 controls are two bytes of valid UTF-8, 0xc2 0x80…0x9f: escape both. */
        bool c1 = c == 0xc2 && i + 1 < b.len && b.data[i + 1] < 0xa0;
        bool after_c1 = i > 0 && b.data[i - 1] == 0xc2 && c < 0xa0;
        if (c == '"' || c == '\\')
            buf_printf(line, "\\%c", c);
        else if (c < 0x20 || c == 0x7f || c1 || after_c1 || (c >= 0x80 && !utf8))
            buf_printf(line, "\\x%02x", c);
        else
            buf_put_u8(line, c);
    }
    buf_put_u8(line, '"');
}

static void put_field(struct buf *line, const struct log_field *f)
{
    buf_printf(line, " %s=", f->key);
    if (f->kind == LOG_FIELD_U64)
        buf_printf(line, "%llu", (unsigned long long)f->number);
    else if (f->kind == LOG_FIELD_HEX)
        text_put_hex(line, f->bytes);
    else if (is_plain(f->bytes))
        buf_put_bytes(line, f->bytes);
    else
        put_quoted(line, f->bytes);
}

void log_fields(enum log_level level, const char *event, const struct log_field *fields, size_t n)
{
    if (level < threshold)
        return;
    struct buf line = BUF_INIT;
    text_put_time(&line, clock_wall_ms(&clock_system));
    buf_printf(&line, " %s %s", level_words[level], event);
    for (size_t i = 0; i < n; i++)
        put_field(&line, &fields[i]);
    buf_put_u8(&line, '\n');
    if (!buf_check(&line)) {
        ssize_t written = write(STDERR_FILENO, line.data, line.len);
        (void)written; /* a log that cannot be written must not stop what it tells of */
    }
    buf_free(&line);
}
