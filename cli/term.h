/*
 * The terminal: questions, passphrases, progress.
 */
#ifndef CLI_TERM_H
#define CLI_TERM_H

#include "base/bytes.h"

/* Ask a question whose answer is yes or no (the default). COMITY_E_NOT_FOUND without a terminal,
 * COMITY_E_INTERRUPTED. */
int term_ask(const char *question, bool *ret) __attribute__((warn_unused_result));

/* A line for whoever sits at the terminal, whatever the streams lead to. */
void term_say(const char *text);

/* Read a line without echo, appended to ${out}, which the caller wipes. Errors as term_ask;
 * COMITY_E_TOO_LARGE. */
int term_secret(const char *prompt, struct buf *out) __attribute__((warn_unused_result));

/* Until term_interrupts_end, Ctrl-C is only noted, so that a command can say what stands; a second
 * one ends it as ever. Where it was ignored, it still is. */
void term_interrupts_begin(void);
void term_interrupts_end(void);
bool term_is_interrupted(void);

/* A bar on stderr, on terminals only, from the first second on. */
struct progress {
    const char *label;
    int64_t began_ms;
    int64_t drawn_ms;
    bool is_shown;
};
void progress_begin(struct progress *p, const char *label);
/* A comity_progress: draws now and then; non-zero once the user has interrupted. */
int progress_step(void *self, uint64_t done, uint64_t len);
/* Remove the bar. */
void progress_end(struct progress *p);

#endif
