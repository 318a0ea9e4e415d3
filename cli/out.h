/*
 * From JSON to what people read: records and tables.
 *
 * A view is a table of sections; each shows one object (a line a field) or one array of objects (a
 * line an element). On a terminal columns are aligned, Chinese characters counted two columns wide,
 * times short, and long texts cut to fit. Through a pipe fields are separated by tabs, there is no
 * heading, nothing is cut or translated, and control characters are written as \t, \n, \\ or \xNN.
 */
#ifndef CLI_OUT_H
#define CLI_OUT_H

#include "base/bytes.h"

#include <jansson.h>

enum view_as {
    AS_TEXT,
    AS_WHOLE,    /* a text that is never cut */
    AS_TIME,     /* RFC 3339; shown in China's time; of a table the zone is in the heading */
    AS_MINUTES,  /* the same to the minute, in long lists */
    AS_DATE,     /* RFC 3339; shown as a day */
    AS_SIZE,     /* bytes */
    AS_NUMBER,   /* right-aligned */
    AS_COUNT,    /* elements of an array */
    AS_YES,      /* a bool: ✓ or - */
    AS_VALID,    /* a bool: ✓ or ✗ */
    AS_VERIFIED, /* a bool: ✓ verified or ✗ not verified */
    AS_ALARM,    /* a bool: ! or - */
    AS_STAGE,    /* a stage, with its mark */
    AS_STATE,    /* a word of the program: translated on a terminal */
    AS_RECORD,   /* a kind of record */
    AS_EVIDENCE, /* a kind of evidence */
    AS_FORM,     /* original or copy */
    AS_DECISION, /* a decision about evidence */
    AS_HEX       /* a fingerprint: groups of four on a terminal */
};

struct view_field {
    /* Members with dots between them; "a[].b" is every b of the array a, with commas between them.
     * Several paths with '|' between them: the first that is there. */
    const char *path;
    const char *label; /* for terminals; translated */
    enum view_as as;
};

struct view_section {
    const char
        *path; /* of an array; NULL: the object itself; "" when the result itself is the array */
    const char *title;               /* for terminals; NULL: none */
    const struct view_field *fields; /* ends with a row without path */
    const char
        *empty; /* what a terminal shows for an array without elements; NULL: not even the title */
};

struct view {
    const struct view_section *sections; /* ends with a row without fields */
    /* Through a pipe nothing but the first field of the first section: for commands that do one
     * thing and answer with a ref, so that a script can take it. */
    bool is_ref;
    /* On a terminal this sentence, with its mark, comes first; NULL: none. */
    const char *done;
};

struct out_style {
    bool is_terminal;
    bool is_coloured;
    unsigned width; /* of the terminal, in columns */
    bool is_table;  /* cells of a table, whose heading says what they share */
};

/* How standard output or standard error (1 or 2) is to be written. */
struct out_style out_style_of(int fd);

/* Append ${json}, rendered through ${view}, to ${out}. */
void out_render(const struct view *view, const json_t *json, const struct out_style *style,
                struct buf *out);

/* Columns that ${text} takes on a terminal; a control character takes one, as it is shown as one.
 */
size_t out_width(struct bytes text);
/* Append ${text} for a terminal: control characters become U+FFFD; cut to ${max} columns with "…"
 * (0: not cut). */
void out_put_shown(struct buf *out, struct bytes text, size_t max);
/* Append ${text} for a pipe. */
void out_put_plain(struct buf *out, struct bytes text);
/* Append ${text} between the escape codes of ${colour}, where there is colour. */
enum out_colour { OUT_PLAIN, OUT_BOLD, OUT_DIM, OUT_RED, OUT_GREEN, OUT_YELLOW };
void out_put_coloured(struct buf *out, const struct out_style *style, enum out_colour colour,
                      const char *text);
/* "3 bytes", "1.5 KiB", … */
void out_put_size(struct buf *out, uint64_t bytes);
/* Append ${text} in lines of at most ${width} columns, ${indent} spaces before each but the first;
 * words are kept whole. */
void out_put_wrapped(struct buf *out, const char *text, size_t width, size_t indent);

#endif
