/*
 * Strict text forms of bytes, numbers, times and names. See text.h.
 */
#include "base/text.h"

#include <comity/err.h>
#include <string.h>
#include <time.h>

static const char hex_digits[] = "0123456789abcdef";
static const char base64_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void text_put_hex(struct buf *out, struct bytes b)
{
    uint8_t *to = buf_reserve(out, b.len * 2);
    if (!to)
        return;
    for (size_t i = 0; i < b.len; i++) {
        to[2 * i] = (uint8_t)hex_digits[b.data[i] >> 4];
        to[2 * i + 1] = (uint8_t)hex_digits[b.data[i] & 15];
    }
    out->len += b.len * 2;
}

static int hex_value(uint8_t c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int text_get_hex(struct bytes text, uint8_t *ret, size_t len)
{
    if (text.len != len * 2)
        return COMITY_E_MALFORMED;
    for (size_t i = 0; i < text.len; i++)
        if (hex_value(text.data[i]) < 0)
            return COMITY_E_MALFORMED;
    for (size_t i = 0; i < len; i++) {
        unsigned high = (unsigned)hex_value(text.data[2 * i]);
        unsigned low = (unsigned)hex_value(text.data[2 * i + 1]);
        ret[i] = (uint8_t)(high << 4 | low);
    }
    return COMITY_OK;
}

void text_put_base64(struct buf *out, struct bytes b)
{
    size_t len = (b.len + 2) / 3 * 4;
    uint8_t *to = buf_reserve(out, len);
    if (!to)
        return;
    for (size_t i = 0; i < b.len; i += 3, to += 4) {
        size_t left = b.len - i;
        uint32_t v = (uint32_t)b.data[i] << 16;
        if (left > 1)
            v |= (uint32_t)b.data[i + 1] << 8;
        if (left > 2)
            v |= b.data[i + 2];
        to[0] = (uint8_t)base64_digits[v >> 18];
        to[1] = (uint8_t)base64_digits[v >> 12 & 63];
        to[2] = left > 1 ? (uint8_t)base64_digits[v >> 6 & 63] : '=';
        to[3] = left > 2 ? (uint8_t)base64_digits[v & 63] : '=';
    }
    out->len += len;
}

static int base64_value(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    if (c == '+')
        return 62;
    return c == '/' ? 63 : -1;
}

int text_get_base64(struct bytes text, struct buf *out)
{
    if (text.len % 4 != 0)
        return COMITY_E_MALFORMED;
    size_t pad = 0;
    while (pad < 2 && pad < text.len && text.data[text.len - 1 - pad] == '=')
        pad++;
    size_t len = text.len / 4 * 3 - pad;
    uint8_t *to = buf_reserve(out, len + 2);
    if (!to)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < text.len; i += 4) {
        bool last = i + 4 == text.len;
        uint32_t v = 0;
        for (size_t k = 0; k < 4; k++) {
            bool padding = last && k >= 4 - pad;
            int d = padding ? 0 : base64_value(text.data[i + k]);
            if (d < 0)
                return COMITY_E_MALFORMED;
            v = v << 6 | (uint32_t)d;
        }
        if (last && pad && (v & (pad == 1 ? 0xffU : 0xffffU)) != 0)
            return COMITY_E_MALFORMED;
        *to++ = (uint8_t)(v >> 16);
        if (!last || pad < 2)
            *to++ = (uint8_t)(v >> 8);
        if (!last || pad < 1)
            *to++ = (uint8_t)v;
    }
    out->len += len;
    return COMITY_OK;
}

int text_get_base64_exact(struct bytes text, uint8_t *ret, size_t len)
{
    if (text.len != (len + 2) / 3 * 4)
        return COMITY_E_MALFORMED;
    struct buf out = BUF_INIT;
    int err = text_get_base64(text, &out);
    if (!err && out.len != len)
        err = COMITY_E_MALFORMED;
    if (!err && len)
        memcpy(ret, out.data, len);
    buf_wipe(&out);
    return err;
}

int text_get_u64(struct bytes text, uint64_t *ret)
{
    if (text.len == 0 || text.len > 20 || (text.len > 1 && text.data[0] == '0'))
        return COMITY_E_MALFORMED;
    uint64_t v = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (c < '0' || c > '9')
            return COMITY_E_MALFORMED;
        if (v > (UINT64_MAX - (uint64_t)(c - '0')) / 10)
            return COMITY_E_MALFORMED;
        v = v * 10 + (uint64_t)(c - '0');
    }
    *ret = v;
    return COMITY_OK;
}

static void put_time(struct buf *out, int64_t time_ms, int64_t offset_s, const char *suffix)
{
    int64_t s = time_ms / 1000 - (time_ms % 1000 < 0) + offset_s;
    time_t t = (time_t)s;
    struct tm tm;
    if (!gmtime_r(&t, &tm) || tm.tm_year + 1900 < 0 || tm.tm_year + 1900 > 9999) {
        out->failed = true;
        return;
    }
    buf_printf(out, "%04d-%02d-%02dT%02d:%02d:%02d%s", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday,
               tm.tm_hour, tm.tm_min, tm.tm_sec, suffix);
}

void text_put_time(struct buf *out, int64_t time_ms)
{
    put_time(out, time_ms, 0, "Z");
}

void text_put_time_china(struct buf *out, int64_t time_ms)
{
    put_time(out, time_ms, 8 * 3600, "+08:00");
}

int text_get_time(struct bytes text, int64_t *ret_ms)
{
    static const char shape[] = "dddd-dd-ddTdd:dd:ddZ";
    if (text.len != sizeof shape - 1)
        return COMITY_E_MALFORMED;
    int field[6] = {0};
    int n = 0;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        if (shape[i] == 'd' && c >= '0' && c <= '9')
            field[n] = field[n] * 10 + (c - '0');
        else if (shape[i] == 'd' || c != (uint8_t)shape[i])
            return COMITY_E_MALFORMED;
        else if (n < 5)
            n++;
    }
    struct tm tm = {.tm_year = field[0] - 1900,
                    .tm_mon = field[1] - 1,
                    .tm_mday = field[2],
                    .tm_hour = field[3],
                    .tm_min = field[4],
                    .tm_sec = field[5]};
    struct tm given = tm;
    time_t t = timegm(&tm);
    if (tm.tm_year != given.tm_year || tm.tm_mon != given.tm_mon || tm.tm_mday != given.tm_mday ||
        tm.tm_hour != given.tm_hour || tm.tm_min != given.tm_min || tm.tm_sec != given.tm_sec)
        return COMITY_E_MALFORMED;
    *ret_ms = (int64_t)t * 1000;
    return COMITY_OK;
}

/* The code point at ${text}[${at}], its length in bytes into ${ret_len}; -1 when it is not valid
 * UTF-8. */
static int32_t utf8_at(struct bytes text, size_t at, size_t *ret_len)
{
    uint8_t c = text.data[at];
    size_t len = c < 0x80             ? 1
                 : (c & 0xe0) == 0xc0 ? 2
                 : (c & 0xf0) == 0xe0 ? 3
                 : (c & 0xf8) == 0xf0 ? 4
                                      : 0;
    if (len == 0 || len > text.len - at)
        return -1;
    static const uint8_t mask[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    static const int32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    int32_t v = c & mask[len];
    for (size_t i = 1; i < len; i++) {
        if ((text.data[at + i] & 0xc0) != 0x80)
            return -1;
        v = v << 6 | (text.data[at + i] & 0x3f);
    }
    if (v < least[len] || v > 0x10ffff || (v >= 0xd800 && v <= 0xdfff))
        return -1;
    *ret_len = len;
    return v;
}

/* How many bytes from ${at} on are ASCII without controls, looked at in groups of eight: of most
 * texts, nearly all. */
static size_t plain_run(struct bytes text, size_t at)
{
    const uint64_t each = UINT64_C(0x0101010101010101);
    size_t i = at;
    for (; text.len - i >= 8; i += 8) {
        uint64_t v;
        memcpy(&v, text.data + i, sizeof v);
        uint64_t del = v ^ each * 0x7f;
        /* The high bit of a byte: it is not ASCII, is below 0x20, is 0x7f. A borrow only makes more
         * of them. */
        if ((v | (v - each * 0x20) | (del - each)) & each * 0x80)
            break;
    }
    return i - at;
}

enum controls { CONTROLS_NONE, CONTROLS_OF_TEXT, CONTROLS_ALL };

static bool utf8_valid(struct bytes text, enum controls allowed)
{
    for (size_t i = 0, len = 0; i < text.len; i += len) {
        if ((len = plain_run(text, i)) > 0)
            continue;
        int32_t c = utf8_at(text, i, &len);
        if (c < 0)
            return false;
        if (allowed == CONTROLS_ALL || (allowed == CONTROLS_OF_TEXT && (c == '\n' || c == '\t')))
            continue;
        if (c < 0x20 || (c >= 0x7f && c < 0xa0))
            return false;
    }
    return true;
}

bool text_is_utf8(struct bytes text)
{
    return utf8_valid(text, CONTROLS_ALL);
}

bool text_is_line(struct bytes text)
{
    return utf8_valid(text, CONTROLS_NONE);
}

bool text_is_paragraphs(struct bytes text)
{
    return utf8_valid(text, CONTROLS_OF_TEXT);
}

static bool is_label(struct bytes text, size_t max)
{
    if (text.len == 0 || text.len > max)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        uint8_t c = text.data[i];
        bool letter = c >= 'a' && c <= 'z';
        if (!letter && (i == 0 || ((c < '0' || c > '9') && c != '-')))
            return false;
    }
    return true;
}

bool text_is_network(struct bytes text)
{
    return is_label(text, NETWORK_MAX);
}

bool text_is_bureau_id(struct bytes text)
{
    if (text.len != 10 || text.data[6] != '-')
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (i != 6 && (text.data[i] < '0' || text.data[i] > '9'))
            return false;
    return true;
}

bool text_is_member_id(struct bytes text)
{
    return text_is_bureau_id(text) ||
           (is_label(text, MEMBER_ID_MAX) && !bytes_is(text, "authority"));
}

int text_get_origin(struct bytes text, struct origin *ret)
{
    if (text.len > ORIGIN_MAX)
        return COMITY_E_MALFORMED;
    const uint8_t *slash = text.len ? memchr(text.data, '/', text.len) : NULL;
    if (!slash)
        return COMITY_E_MALFORMED;
    size_t at = (size_t)(slash - text.data);
    struct origin o = {.network = bytes_slice(text, 0, at),
                       .member = bytes_slice(text, at + 1, text.len),
                       .generation = 1};
    const uint8_t *dot = o.member.len ? memchr(o.member.data, '.', o.member.len) : NULL;
    if (dot) {
        uint64_t g = 0;
        size_t dot_at = (size_t)(dot - o.member.data);
        struct bytes digits = bytes_slice(o.member, dot_at + 1, o.member.len);
        if (text_get_u64(digits, &g) || g < 2 || g > UINT32_MAX)
            return COMITY_E_MALFORMED;
        o.generation = (uint32_t)g;
        o.member = bytes_slice(o.member, 0, dot_at);
    }
    if (!text_is_network(o.network) || !text_is_member_id(o.member))
        return COMITY_E_MALFORMED;
    *ret = o;
    return COMITY_OK;
}
