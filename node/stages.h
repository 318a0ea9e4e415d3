/*
 * How far own entries are on their way: the stages of docs/CONTROL.md, out of the tables of the
 * outbox and of what was received.
 */
#ifndef NODE_STAGES_H
#define NODE_STAGES_H

#include "records.h"

/* In their order; refused stands apart. */
enum stage { STAGE_RECORDED, STAGE_ACCEPTED, STAGE_RECEIVED, STAGE_DECIDED, STAGE_REFUSED };
const char *stage_token(enum stage s);
/* COMITY_E_INVALID for a word that is none. */
int stage_get(struct bytes token, enum stage *ret) __attribute__((warn_unused_result));

/* One recipient of one own entry. */
struct stage_of {
    struct bytes member;
    enum stage stage;   /* up to received: what was decided is about the record, not the entry */
    uint32_t decision;  /* decided: which, the newest; DECISION_… */
    struct bytes token; /* refused: why */
    uint64_t entry;     /* the own RECORD or SHARE entry */
    uint64_t parcel;
    struct hash hash; /* of the parcel */
    bool is_answered;
    uint64_t routed;    /* index of the broker's entry */
    uint64_t statement; /* chunk */
    bool has_receipt;
    uint64_t receipt; /* index of our RECEIPT entry */
    /* Whose these are: this node, or an archive. */
    struct node *entry_home;   /* entry */
    struct node *home;         /* statement */
    struct node *receipt_home; /* receipt */
};

/* One for each recipient of own entry ${index}, by member. Views into ${a}. */
int stages_of_entry(struct node *n, struct arena *a, uint64_t index, struct stage_of **ret,
                    size_t *ret_count) __attribute__((warn_unused_result));
/* Over the own entries by which a record goes to others: its RECORD entry, when it is own, and
 * SHARE entries. */
int stages_of_record(struct node *n, struct arena *a, const struct record_row *r,
                     struct stage_of **ret, size_t *ret_count) __attribute__((warn_unused_result));

/* Raise to decided those whose officers have decided about evidence ${r}, with what they decided.
 */
int stages_decide(struct node *n, struct arena *a, const struct record_row *r,
                  struct stage_of *stages, size_t count) __attribute__((warn_unused_result));
/* One for each member: where several entries went to one, what is farthest. Returns how many are
 * left. */
size_t stages_merge(struct stage_of *stages, size_t count);
/* The least that all have reached, refused only when all are; recorded when there are none. */
enum stage stages_least(const struct stage_of *stages, size_t count);

#endif
