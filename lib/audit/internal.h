/*
 * The audit itself, and its passes. What they work on has headers of its own: copy.h, rosters.h,
 * claims.h, parcels.h, finding.h.
 *
 * An audit goes in passes, over copies sorted by what they are: the rosters (rosters.c), each copy
 * by itself (verify_ledger.c, locate.c, content.c), the parcels that each has kept (parcels.c), and
 * then all of them against one another (reconcile.c).
 */
#ifndef AUDIT_INTERNAL_H
#define AUDIT_INTERNAL_H

#include "audit/copy.h"
#include "wire/parcel.h"

struct claim;
struct finding;
struct group;
struct pair_row;
struct parcel_node;
struct roster_file;

/* Clocks of two members may differ by so much before anybody is told a lie. */
enum { AUDIT_CLOCK_MS = 10 * 60 * 1000 };

struct interned {
    struct bytes text;
    UT_hash_handle hh;
};

/* A note that was verified, by its hash. */
struct good_note {
    struct hash hash;
    struct checkpoint checkpoint;
    UT_hash_handle hh;
};

struct audit {
    struct network anchor;
    struct arena *arena;   /* lives as long as the audit */
    struct arena *scratch; /* of one thing at a time */
    LIST(struct audit_copy *) copies;
    LIST(struct roster_file) rosters;
    const struct roster *newest;
    struct origin_node *origins;
    struct interned *texts;
    struct claim *claims;
    struct parcel_node *parcels;
    struct group *groups;
    struct pair_row *pairs;
    LIST(struct finding) findings;
    uint64_t checked[CHECK_COUNT][2];
    struct good_note *good_notes;
    struct note_cache notes; /* what parcel_verify is handed */
    audit_progress *progress;
    void *progress_self;
    uint64_t done, total;
    bool has_run;
};

/* audit.c */
struct origin_node *audit_origin(struct audit *a, struct bytes name); /* NULL without memory */
/* One string for all with that text; none without memory. */
struct bytes audit_intern(struct audit *a, struct bytes text);
struct audit_copy *audit_copy_of(const struct origin_node *o); /* the first; or NULL */
int audit_advance(struct audit *a, uint64_t entries) __attribute__((warn_unused_result));
/* Count one performed check of a copy, or of all of them (NULL). */
void audit_did(struct audit *a, struct audit_copy *c, enum audit_check check, bool ok);

/* verify_ledger.c: entries, chain, tree and checkpoints; locate.c: which of them are wrong, if the
 * tree does not fit; interpret.c: what the entries say. */
int verify_ledger(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
int locate_damage(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
int interpret_entries(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
/* Whether entry ${index} is one that locate_damage has found to be wrong, or behind the place up to
 * which anything is known. */
bool copy_is_bad(const struct audit_copy *c, uint64_t index);

/* content.c */
struct content_item {
    struct audit_copy *copy;    /* where it lies */
    struct origin_node *origin; /* whose entry it is */
    const struct suite *suite;
    const struct entry *entry;
    struct opening opening;
    struct opening_reader *records; /* for the record that a SIGNATURE speaks of */
    bool skip_officers;             /* their notes were checked in the ledger's own copy */
};
/* Check body and officers' notes. ${ret_body} (may be NULL) is filled when the body is the right
 * one. */
int audit_content_check(struct audit *a, const struct content_item *it, struct body *ret_body,
                        bool *ret_ok) __attribute__((warn_unused_result));

/* forms.c: NULL when source, ref, body and to are such as the entry's kind needs; else which of
 * them is not. */
const char *form_check(const struct audit_copy *c, const struct entry *e);

/* signed.c: every signature is verified once, however many parcels and ledgers hold the note. */
int audit_open_note(struct audit *a, struct bytes note, const struct note_verifier *v,
                    struct checkpoint *ret) __attribute__((warn_unused_result));
/* parcel_verify, with what is known of notes. */
int audit_verify_parcel(struct audit *a, struct arena *arena, struct bytes parcel,
                        const struct parcel_rules *rules, struct parcel_facts **ret)
    __attribute__((warn_unused_result));

/* reconcile.c, times.c */
int reconcile(struct audit *a) __attribute__((warn_unused_result));
int times_check(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));

#endif
