/*
 * Running an audit, and showing what it found: for `ledger verify` and `audit run`.
 */
#ifndef CLI_VERIFY_H
#define CLI_VERIFY_H

#include "cli.h"
#include "wire/roster.h"

struct verify_plan {
    const char *const *paths; /* of ledgers */
    size_t path_count;
    struct network anchor;
    bool is_own_anchor; /* the keys came from the folder that is verified: they prove less */
    const char *proofs; /* folder for the proofs of findings, or NULL */
};

/* Audit; the report becomes the command's result, and its verdict the exit code. Rosters of
 * --roster, if there is such a flag. */
int verify_run(struct cli *c, const struct verify_plan *plan) __attribute__((warn_unused_result));
extern const struct view verify_view;
/* The report for people. */
void verify_render(const struct cli *c, const struct out_style *style, struct buf *out);

int ledger_verify(struct cli *c);
extern const struct flag ledger_verify_flags[];

#endif
