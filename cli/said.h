/*
 * What the node says about a single case, in the officer's language.
 *
 * The node answers in English, with names and numbers filled in. The table holds its sentences with
 * "{}" for each blank; what matches one is said in the translation of it, whose blanks are "{}" in
 * the same order, or "{1}", "{2}", ….
 */
#ifndef CLI_SAID_H
#define CLI_SAID_H

#include "cli.h"

/* The translation of ${message}; NULL when no sentence of the table fits it. */
const char *said_translate(struct cli *c, const char *message);

/* Fill ${text} with the blanks of ${message} as ${sentence} has them; false when the two do not
 * fit. */
bool said_fill(const char *sentence, const char *message, const char *text, struct buf *out);

/* The nth sentence, NULL behind the last. */
const char *said_sentence(size_t n);

#endif
