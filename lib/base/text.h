/*
 * Small text work: hex, base64, numbers, times, UTF-8, and the two kinds of name that a Comity
 * network has.
 *
 * All parsers are strict: one spelling for one value, so that what is compared as text is also
 * equal as a value. They touch their out-parameters only on success.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include "base/bytes.h"

/* Lower-case hex of ${b}, appended to ${out}. */
void text_put_hex(struct buf *out, struct bytes b);
/* Exactly ${len} bytes of lower- or upper-case hex. COMITY_E_MALFORMED otherwise. */
int text_get_hex(struct bytes text, uint8_t *ret, size_t len) __attribute__((warn_unused_result));

/* RFC 4648 section 4, with padding, without line breaks. */
void text_put_base64(struct buf *out, struct bytes b);
/* Append what ${text} decodes to; refuses missing padding, other characters and non-zero spare
 * bits. */
int text_get_base64(struct bytes text, struct buf *out) __attribute__((warn_unused_result));
/* As text_get_base64, but exactly ${len} bytes into ${ret}. */
int text_get_base64_exact(struct bytes text, uint8_t *ret, size_t len)
    __attribute__((warn_unused_result));

/* Decimal without sign, without leading zero. */
int text_get_u64(struct bytes text, uint64_t *ret) __attribute__((warn_unused_result));

/* RFC 3339 in UTC, whole seconds: "2026-11-24T09:47:15Z". */
void text_put_time(struct buf *out, int64_t time_ms);
int text_get_time(struct bytes text, int64_t *ret_ms) __attribute__((warn_unused_result));
/* As text_put_time with the offset of China Standard Time: "2026-11-24T17:47:15+08:00". */
void text_put_time_china(struct buf *out, int64_t time_ms);

/* Valid UTF-8 (no overlong form, no surrogate, at most U+10FFFF). */
bool text_is_utf8(struct bytes text);
/* UTF-8 without control characters (C0, DEL, C1): fit for one line of a note. */
bool text_is_line(struct bytes text);
/* Likewise, but with line feeds and tabs: running text. */
bool text_is_paragraphs(struct bytes text);

/* Network names: [a-z][a-z0-9-]*, at most 32 bytes. */
bool text_is_network(struct bytes text);

/* A bureau's member id: six digits, a hyphen, three digits: "330100-001". */
bool text_is_bureau_id(struct bytes text);
/* Any member id: a bureau's, or a broker's or auditor's: [a-z][a-z0-9-]*, at most 32 bytes, never
 * "authority". */
bool text_is_member_id(struct bytes text);

/* origin = network "/" member ["." generation], generation >= 2. At most ORIGIN_MAX bytes. */
enum { MEMBER_ID_MAX = 32, NETWORK_MAX = 32, ORIGIN_MAX = 80 };

struct origin {
    struct bytes network;
    struct bytes member;
    uint32_t generation; /* 1 when not written */
};

/* Views into ${text}. COMITY_E_MALFORMED when it is no origin. */
int text_get_origin(struct bytes text, struct origin *ret) __attribute__((warn_unused_result));

#endif
