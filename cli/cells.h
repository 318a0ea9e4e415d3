/*
 * What stands in one cell: from a JSON value to text, for terminals and for pipes. Internal to
 * out.c and its kin.
 */
#ifndef CLI_CELLS_H
#define CLI_CELLS_H

#include "out.h"

/* A cell as a terminal shows it. */
struct cell {
    const char *mark;       /* before the text; NULL: none */
    enum out_colour colour; /* of the mark; of the text when there is no mark */
    struct buf text;
};

/* What ${path}, without "[]", leads to; NULL when nothing is there. Borrowed. */
const json_t *cell_value(const json_t *object, const char *path);
/* Whether ${path} leads to anything. */
bool cell_exists(const json_t *object, const char *path);

/* Where in ${path} the alternative begins that leads somewhere. */
const char *cell_path(const json_t *object, const char *path);

/* The cell of ${field} for ${object}; without text when nothing is there. */
void cell_make(struct cell *cell, const struct view_field *field, const json_t *object,
               const struct out_style *style);
void cell_done(struct cell *cell);
size_t cell_width(const struct cell *cell);
/* At most ${max} columns; 0: all of it. */
void cell_put(struct buf *out, const struct cell *cell, const struct out_style *style, size_t max);

/* A time in full, as records of a terminal have it. */
void cell_put_time(struct buf *out, const char *text);
/* The word for a stage or state, and for a decision, in the officer's language. Borrowed. */
const char *cell_word(const char *token);
const char *cell_decision(const char *token);

void cell_put_plain(struct buf *out, const struct view_field *field, const json_t *object);

#endif
