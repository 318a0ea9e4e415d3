/*
 * The lines of a text that is signed: read one after the other, and written. Internal to lib/wire.
 *
 * A reader's first error stays (COMITY_E_MALFORMED, or COMITY_E_BAD_KEY for a key), and what is
 * read after it is empty or zero: so read every field, then ask lines_end() once. Every value has
 * one spelling.
 *
 * Writers check nothing. A text is written to a buffer of its own, read back by the function that
 * reads such texts, and only then handed on by lines_settle(): what cannot be read is never signed,
 * and there is one set of rules.
 */
#ifndef WIRE_LINES_H
#define WIRE_LINES_H

#include "crypto/note.h"
#include "msg/roster.h"

/* A network file has the most: its three lines, and the authority's keys. */
enum { LINES_MAX = 3 + ROSTER_AUTHORITY_MAX };

struct lines {
    struct bytes line[LINES_MAX];
    size_t count;
    size_t at;
    int err;
};

/* ${text} ends with a line feed, and its first line is ${first}. Views into ${text}. */
void lines_open(struct lines *l, struct bytes text, const char *first);
/* Whether a line is left to read. */
bool lines_more(const struct lines *l);
/* A line that is not empty, of printable UTF-8. */
struct bytes lines_text(struct lines *l);
/* Such a line, or none for "-". */
struct bytes lines_optional(struct lines *l);
/* A decimal number of at least ${least} and at most ${most}. */
uint64_t lines_u64(struct lines *l, uint64_t least, uint64_t most);
/* Base64 of ${len} bytes; ${ret} is zeroed after an error. */
void lines_raw(struct lines *l, uint8_t *ret, size_t len);
int64_t lines_time(struct lines *l);
/* The place of the word in ${words}, whose place 0 is no word; 0 after an error. */
uint32_t lines_word(struct lines *l, const char *const *words, size_t n);
/* A ledger's origin. */
struct bytes lines_origin(struct lines *l);
/* A vkey as vkey_read() takes it. */
void lines_key(struct lines *l, struct note_verifier *ret);
/* Refuse the text, unless something was wrong with it before. */
void lines_refuse_unless(struct lines *l, bool condition, int err);
/* The first error; COMITY_E_MALFORMED when lines are left. */
int lines_end(struct lines *l) __attribute__((warn_unused_result));

void line_put(struct buf *out, struct bytes text);
/* "-" for none. */
void line_put_optional(struct buf *out, struct bytes text);
void line_put_u64(struct buf *out, uint64_t v);
void line_put_raw(struct buf *out, struct bytes raw);
/* Cut to the second. A time outside of the years 1970 to 9999 makes an empty line, which no reader
 * takes. */
void line_put_time(struct buf *out, int64_t time_ms);
void line_put_key(struct buf *out, const struct note_verifier *key);

/* Append ${text}, which reading back has found to be ${err}, to ${out}, and free it.
 * COMITY_E_INVALID for a text that was malformed. */
int lines_settle(struct buf *out, struct buf *text, int err) __attribute__((warn_unused_result));

/* A key that makes plain signatures, in its one spelling: note_verifier_parse() also takes a key id
 * in capitals. */
int vkey_read(struct bytes vkey, struct note_verifier *ret) __attribute__((warn_unused_result));

#endif
