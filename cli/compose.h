/*
 * From flags and JSON to a record that can be signed.
 *
 * A record begins as JSON (lib/json's form of records): what --from gives, with what the flags say
 * put over it. It is then checked by the same rules as everywhere, and a refusal names the flag
 * that would mend it.
 */
#ifndef CLI_COMPOSE_H
#define CLI_COMPOSE_H

#include "cli.h"
#include "crypto/hash.h"
#include "domain/record.h"
#include "msg/entry.h"

/* How the text of a flag becomes a member of the record. */
enum compose_as {
    COMPOSE_TEXT,
    COMPOSE_TEXTS, /* a repeatable flag */
    COMPOSE_TIME,  /* also "2026-11-24 17:47", in China's time */
    COMPOSE_NUMBER,
    COMPOSE_SIGNED,
    COMPOSE_PLACE,    /* DIVISION[@BUREAU][:ADDRESS] */
    COMPOSE_PARTIES,  /* NAME[:USCC[:PART]] */
    COMPOSE_GOODS,    /* NAME[:SCHEME=VALUE[,…]] */
    COMPOSE_CODES,    /* SCHEME=VALUE */
    COMPOSE_EVIDENCE, /* a kind of evidence: number, token or name */
    COMPOSE_FORM,
    COMPOSE_HOLDER,
    COMPOSE_DECISION
};

/* Which records need the field, to name all flags that are missing at once. */
enum compose_need { NEED_NOT, NEED_ALWAYS, NEED_ELECTRONIC };

struct compose_row {
    const char *flag;
    const char *path; /* in the record's JSON: "evidence.electronic.cause" */
    enum compose_as as;
    enum compose_need need;
};

/* The JSON of --from and of the flags in ${rows}, which end with a row without flag; kind and
 * schema are set. */
int compose_begin(struct cli *c, uint32_t kind, const struct compose_row *rows, json_t **ret)
    __attribute__((warn_unused_result));
/* COMITY_E_USAGE with the names of all flags that are missing. */
int compose_check_needs(struct cli *c, const json_t *json, const struct compose_row *rows)
    __attribute__((warn_unused_result));

/* Set the member at ${path}, whose objects are made on the way. ${value} is taken. */
void compose_set(json_t *json, const char *path, json_t *value);
const json_t *compose_get(const json_t *json, const char *path);
/* Now, as records write times. */
const char *compose_now(struct cli *c);

/*
 * The request id of --request-id, or one derived from what the command was told: the same command
 * line with the same files is the same request, also tomorrow and after a crash. ${files} (may be
 * NULL) are their names and digests. Call it before anything is set that differs from run to run.
 */
int compose_request_id(struct cli *c, const json_t *json, const json_t *to, const json_t *files,
                       const char **ret) __attribute__((warn_unused_result));

/* A record as it goes to the node. */
struct composed {
    struct record record;
    struct bytes bytes;
    uint8_t salt[SALT_LEN];
    struct hash hash; /* what officers sign: of this node's ledger */
};

/* Set `created`, check by all rules, encode, salt, hash. ${rows} name the flags in refusals. */
int compose_finish(struct cli *c, json_t *json, const struct compose_row *rows,
                   struct composed *ret) __attribute__((warn_unused_result));

/* Hand it to the node with its signatures; ${to} (may be NULL) is borrowed. The reply becomes the
 * command's result. */
struct compose_send {
    const struct composed *record;
    const struct bytes *notes;
    size_t note_count;
    const json_t *to;
    const char *request_id;
};
int compose_send(struct cli *c, const struct compose_send *what)
    __attribute__((warn_unused_result));

/*
 * What an earlier run of the same request has done: COMITY_OK and the result is set, or
 * COMITY_E_NOT_FOUND (not noted). COMITY_E_REQUEST_CONFLICT when a request of that id recorded
 * something other than ${json} says.
 */
int compose_find_request(struct cli *c, const char *request_id, const json_t *json,
                         const json_t *to) __attribute__((warn_unused_result));

/* "2026-11-24T17:47:15+08:00" from that, from "2026-11-24 17:47[:15]" or from UTC; NULL when it is
 * no time. */
const char *compose_time(struct cli *c, const char *text);

/* The place {origin, index, leaf} of the case that ${text} names: a ref or a document number. */
int compose_case(struct cli *c, const char *text, json_t **ret) __attribute__((warn_unused_result));
/* Its REF. */
int compose_case_ref(struct cli *c, const char *text, const char **ret)
    __attribute__((warn_unused_result));

#endif
