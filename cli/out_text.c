/*
 * Text on terminals and through pipes: widths, control characters, cutting, wrapping, colour. See
 * out.h.
 *
 * Much of what is shown was written by others, so that no control character of theirs may reach a
 * terminal.
 */
#include "out.h"

#include "base/lang.h"

#include <string.h>
#include <wchar.h>

/* One character of UTF-8: its code point and length. A byte that begins none counts as U+FFFD. */
static wchar_t next_char(struct bytes text, size_t *ret_len)
{
    wchar_t c = 0;
    mbstate_t state = {0};
    size_t n = mbrtowc(&c, (const char *)text.data, text.len, &state);
    if (n == 0 || n > text.len) {
        *ret_len = 1;
        return n == 0 ? 0 : 0xfffd;
    }
    *ret_len = n;
    return c;
}

/* Bidirectional controls would let a text show itself in another order than it has. */
static bool is_control(wchar_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x202a && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069) || c == 0x2028 || c == 0x2029;
}

static size_t char_width(wchar_t c)
{
    int w = is_control(c) ? 1 : wcwidth(c);
    return w < 0 ? 1 : (size_t)w;
}

size_t out_width(struct bytes text)
{
    size_t width = 0;
    for (size_t i = 0, n = 0; i < text.len; i += n)
        width += char_width(next_char(bytes_slice(text, i, text.len - i), &n));
    return width;
}

void out_put_shown(struct buf *out, struct bytes text, size_t max)
{
    bool cut = max && out_width(text) > max;
    size_t width = 0;
    for (size_t i = 0, n = 0; i < text.len; i += n) {
        wchar_t c = next_char(bytes_slice(text, i, text.len - i), &n);
        width += char_width(c);
        if (cut && width > max - 1) {
            buf_put_str(out, "…");
            return;
        }
        if (c == '\n' || c == '\t')
            buf_put_u8(out, ' ');
        else if (is_control(c) || c == 0xfffd)
            buf_put_str(out, "\xef\xbf\xbd");
        else
            buf_put(out, text.data + i, n);
    }
}

void out_put_plain(struct buf *out, struct bytes text)
{
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c == '\t')
            buf_put_str(out, "\\t");
        else if (c == '\n')
            buf_put_str(out, "\\n");
        else if (c == '\\')
            buf_put_str(out, "\\\\");
        else if (c < 0x20 || c == 0x7f)
            buf_printf(out, "\\x%02x", c);
        else
            buf_put_u8(out, c);
    }
}

void out_put_coloured(struct buf *out, const struct out_style *style, enum out_colour colour,
                      const char *text)
{
    static const char *const codes[] = {
        [OUT_PLAIN] = "",       [OUT_BOLD] = "\033[1m",   [OUT_DIM] = "\033[2m",
        [OUT_RED] = "\033[31m", [OUT_GREEN] = "\033[32m", [OUT_YELLOW] = "\033[33m",
    };
    bool is_on = style->is_coloured && colour != OUT_PLAIN && text[0];
    buf_printf(out, "%s%s%s", is_on ? codes[colour] : "", text, is_on ? "\033[0m" : "");
}

void out_put_size(struct buf *out, uint64_t bytes)
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB", "PiB"};
    if (bytes < 1024) {
        buf_printf(out, ngettext("%llu byte", "%llu bytes", bytes), (unsigned long long)bytes);
        return;
    }
    double v = (double)bytes / 1024;
    size_t unit = 0;
    while (v >= 1000 && unit + 1 < sizeof units / sizeof units[0]) {
        v /= 1024;
        unit++;
    }
    buf_printf(out, v < 10 ? "%.1f %s" : "%.0f %s", v, units[unit]);
}

/* Marks that must not end a line, and marks that must not begin one. */
static bool is_opening(wchar_t c)
{
    return c && wcschr(L"（《〈「『【“‘", c);
}

static bool is_closing(wchar_t c)
{
    return c && wcschr(L"）》〉」』】”’，。、；：！？…", c);
}

/* Whether a line may end behind ${c}, when ${next} comes next. */
static bool may_break(wchar_t c, wchar_t next)
{
    if (c == ' ')
        return true;
    return (char_width(c) == 2 || is_closing(c)) && !is_opening(c) && !is_closing(next) &&
           next != ' ';
}

/* Where the line that begins at ${text} ends, within ${width} columns: behind a space, or between
 * two wide characters. */
static size_t line_end(struct bytes text, size_t width)
{
    size_t used = 0;
    size_t last = 0;
    for (size_t i = 0, n = 0; i < text.len; i += n) {
        size_t next_len = 0;
        wchar_t c = next_char(bytes_slice(text, i, text.len - i), &n);
        if (c == '\n')
            return i;
        used += char_width(c);
        if (used > width && c != ' ')
            return last ? last : i;
        struct bytes rest = bytes_slice(text, i + n, text.len);
        if (rest.len && may_break(c, next_char(rest, &next_len)))
            last = i + n;
    }
    return text.len;
}

void out_put_wrapped(struct buf *out, const char *text, size_t width, size_t indent)
{
    struct bytes rest = bytes_of(text);
    for (bool is_first = true; rest.len; is_first = false) {
        size_t n = line_end(rest, width);
        struct bytes line = bytes_slice(rest, 0, n);
        while (line.len && line.data[line.len - 1] == ' ')
            line.len--;
        if (!is_first)
            buf_printf(out, "\n%*s", line.len ? (int)indent : 0, "");
        buf_put_bytes(out, line);
        if (n < rest.len && rest.data[n] == '\n')
            n++;
        rest = bytes_slice(rest, n, rest.len - n);
    }
}
