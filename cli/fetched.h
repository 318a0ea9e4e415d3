/*
 * A record as the node has it, with what was signed: fetched, checked against its hash, and decoded
 * on the officer's side.
 */
#ifndef CLI_FETCHED_H
#define CLI_FETCHED_H

#include "cli.h"
#include "crypto/hash.h"
#include "domain/record.h"

struct fetched {
    const char *ref;
    const char *origin;
    uint64_t index;
    struct bytes leaf; /* base64 text */
    struct record record;
    struct hash hash;   /* recomputed here: what officers sign */
    const json_t *json; /* the whole reply; kept by the command */
};

/* COMITY_E_BODY when the node's bytes are not those whose hash it names. */
int fetched_get(struct cli *c, const char *ref, struct fetched *ret)
    __attribute__((warn_unused_result));
/* COMITY_E_STATE: it is no evidence, and what shows it. */
int fetched_fail_kind(struct cli *c, const struct fetched *f);
/* Show to a person, on stderr, what he is about to sign. */
void fetched_preview(struct cli *c, const struct fetched *f);

#endif
