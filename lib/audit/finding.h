/*
 * What an audit found, and the signed material that shows it.
 */
#ifndef AUDIT_FINDING_H
#define AUDIT_FINDING_H

#include "audit/copy.h"
#include "json/value_json.h"

struct finding {
    enum audit_code code;
    const struct origin_node *of;
    enum audit_class class;
    struct value json;
    json_t *proof; /* or NULL */
};

/* Findings of one cause and two parties are one: the first place, and how many. */
struct group {
    struct group_key {
        enum audit_code code;
        struct origin_node *of;
        struct origin_node *other;
        struct bytes member; /* compared by address: interned */
    } key;
    uint64_t index; /* the lowest */
    uint64_t count;
    uint64_t earliest_ms; /* 0: not known */
    uint64_t latest_ms;
    json_t *proof; /* of the first that came */
    bool has_number;
    uint64_t number;
    UT_hash_handle hh;
};

/* ---- finding.c ---- */

struct finding *finding_add(struct audit *a, enum audit_code code, const struct origin_node *of);
void finding_index(struct finding *f, uint64_t index); /* sets index and ref */
void finding_set(struct finding *f, const char *key, json_t *item);
void finding_number(struct finding *f, const char *key, uint64_t v);
/* ${f} may be NULL: then there was no memory, and audit_failed says so. */
int finding_check(const struct finding *f) __attribute__((warn_unused_result));
int group_add(struct audit *a, const struct group_key *key, uint64_t index, uint64_t time_ms,
              struct group **ret) __attribute__((warn_unused_result));
int findings_settle(struct audit *a) __attribute__((warn_unused_result));

/* ---- proofs.c: signed material as JSON, each NULL without memory or where it cannot be had ----
 */

json_t *proof_note(struct bytes note);
/* The entry of a copy with its bytes and the inclusion path under the copy's newest checkpoint. */
json_t *proof_entry(struct audit_copy *c, uint64_t index);
json_t *proof_consistency_of(struct audit_copy *c, uint64_t size);

#endif
