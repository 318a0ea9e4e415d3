/*
 * The history checker: whether what was told to people agrees with what is there in the end.
 *
 * A history is what clients saw, in the order in which they saw it, under ids that are unique: a
 * push begun, how it ended as far as its client knows, each receipt that somebody was shown; and,
 * once all faults are healed and everything has drained, what stands in each member's ledger, in
 * the ledger's order. Nothing of how the system works goes in, so nothing of that can excuse it.
 *
 * An outcome that the client does not know (it was killed, its connection broke) may turn out
 * either way, but the same way everywhere: at all recipients or at none, once.
 *
 * Time and memory are linear in the number of operations. A full history is not kept in order of
 * time by anybody but the caller: operations are to be told as they happen. One thread.
 */
#ifndef TESTS_SUPPORT_HISTORY_H
#define TESTS_SUPPORT_HISTORY_H

#include <stddef.h>
#include <stdint.h>

enum { HISTORY_RECIPIENTS_MAX = 64 };

enum outcome {
    OUTCOME_UNKNOWN, /* of every push, until something else is told */
    OUTCOME_DONE,    /* it was acknowledged: it is in the sender's ledger, for good */
    OUTCOME_FAILED   /* it was refused: it has not happened */
};

enum anomaly {
    ANOMALY_LOST,      /* acknowledged, or at the sender or another recipient: and not here */
    ANOMALY_DUPLICATE, /* twice in one ledger, or pushed twice under one id */
    ANOMALY_PHANTOM,   /* never pushed by whom it is said to be from, or refused */
    ANOMALY_MISROUTED, /* at somebody to whom it was not addressed */
    ANOMALY_REORDERED, /* of one sender at one member: not in the sender's order; or at the sender:
                          behind what was begun only after it had been acknowledged */
    ANOMALY_CONTRADICTED, /* a receipt was shown by a member that has it not, or for what was never
                             pushed; an outcome was told twice, and differently */
    ANOMALY_COUNT
};

/* "lost" … */
const char *anomaly_word(enum anomaly a);

struct history;

struct history *history_new(void);
void history_free(struct history *h);

/* ${id} and member names: up to 63 bytes, copied. */
void history_push(struct history *h, const char *id, const char *from, const char *const *to,
                  size_t to_count);
void history_outcome(struct history *h, const char *id, enum outcome outcome);
/* The sender was shown that ${by} has received it. */
void history_receipt(struct history *h, const char *id, const char *by);
/* ${at}'s ledger is told in full: what is not told of it is not there. */
void history_ledger(struct history *h, const char *at);
/* In the end it stands in ${at}'s ledger as one of ${from}'s: told in the order of that ledger.
 * ${at} may be ${from}: then it is the sender's own entry. */
void history_found(struct history *h, const char *id, const char *from, const char *at);

/* How many operations were told so far. */
uint64_t history_operations(const struct history *h);

/* Check it all; ${tell} is called for each anomaly (${at}: the member where, or ""). Returns how
 * many there are. */
uint64_t history_check(struct history *h,
                       void (*tell)(void *self, enum anomaly a, const char *id, const char *at),
                       void *self);

/*
 * The same from a file, one operation a line, fields between single spaces:
 *     push ID FROM TO[,TO…]    done ID    failed ID    unknown ID    receipt ID BY    ledger AT
 * found ID FROM AT 0, or the number of the first line that is none.
 */
uint64_t history_read(struct history *h, const char *path);

#endif
