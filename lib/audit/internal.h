/*
 * What the files of lib/audit share: copies of ledgers, what ledgers say of one another, findings.
 *
 * An audit goes in passes, over copies sorted by what they are: the rosters (rosters.c), each copy by itself (verify_ledger.c,
 * locate.c, content.c), the parcels that each has kept (parcels.c), and then all of them against one another (reconcile.c).
 */
#ifndef AUDIT_INTERNAL_H
#define AUDIT_INTERNAL_H

#include "audit/shared.h"
#include "json/value_json.h"
#include "ledger/ledger.h"
#include "wire/officer_check.h"
#include "wire/pair.h"
#include "wire/parcel.h"

#include <uthash.h>

/* Clocks of two members may differ by so much before anybody is told a lie. */
enum { AUDIT_CLOCK_MS = 10 * 60 * 1000 };

/* ---- leaves.c: a tree in memory, from which the root at any size is had ---- */

struct leaves {
    const struct suite *suite;
    LIST(struct hash) leaf;
    struct hash *level[64]; /* level[h]: nodes over 2^h leaves, from LEAVES_LOWEST up */
};
enum { LEAVES_LOWEST = 3 };
void leaves_done(struct leaves *t);
/* Build the levels above, again if leaves were changed since. */
int leaves_build(struct leaves *t) __attribute__((warn_unused_result));
struct tree_source leaves_source(struct leaves *t);
/* ${size} is at most the number of leaves. */
int leaves_root(struct leaves *t, uint64_t size, struct hash *ret)
    __attribute__((warn_unused_result));

/* ---- names: origins and members, once each ---- */

struct origin_node;
struct audit_copy;

/* The broker had this ledger's checkpoint of ${size} by ${time_ms} of its own clock, says its ROUTED entry. */
struct routed_at {
    uint64_t size;
    uint64_t time_ms;
    struct origin_node *broker;
    uint64_t index;
};

struct origin_node {
    char name[ORIGIN_MAX + 1];
    struct bytes member; /* view into name */
    LIST(struct audit_copy *) copies;
    const struct roster_origin *owner; /* in the newest roster that names it; or NULL */
    LIST(struct officer_key) keys;     /* of its KEY entries, by index; views into the audit's arena */
    LIST(uint64_t) signed_by;          /* signatures that each of them made */
    LIST(struct routed_at) routed;     /* in no order */
    UT_hash_handle hh;
};

/* ---- what is checked ---- */

enum audit_check {
    CHECK_ENTRIES,
    CHECK_LINKS,
    CHECK_ROOTS,
    CHECK_NOTES,
    CHECK_TILES,
    CHECK_NUMBERS,
    CHECK_FORMS,
    CHECK_BODIES,
    CHECK_OFFICERS,
    CHECK_ROSTERS,
    CHECK_CLOSED,
    CHECK_PARCELS,
    CHECK_STATEMENTS,
    CHECK_CLOCK,
    /* of several */
    CHECK_FOREIGN,
    CHECK_HELD,
    CHECK_ACCEPTED,
    CHECK_TIMES,
    CHECK_COUNT
};

/* ---- a copy of a ledger ---- */

/* At entry ${index} its owner knew ledger ${of} up to ${size}. */
struct known {
    uint64_t index;
    struct origin_node *of;
    uint64_t size;
};

/* What is not as it should be in the entries as they lie there, before anybody is blamed: see locate.c. */
enum odd { ODD_TILE, ODD_LINK, ODD_INVALID, ODD_MISSING };
struct odd_entry {
    uint64_t index;
    enum odd what;
    struct hash hash; /* TILE: the stored hash of this entry; LINK: what this entry names as the one before */
};

struct stored_checkpoint {
    uint64_t size;
    struct hash root;
    bool is_signed;
    bool fits;
};

struct audit_copy {
    char *path;
    struct store *store;
    struct db *db;
    bool is_live;
    bool has_digest;
    struct hash digest; /* SHA-256 of the file */
    struct origin_node *origin;
    uint32_t suite_number;
    const struct suite *suite;
    struct hash genesis;
    bool is_node;
    bool is_broker;

    uint64_t size; /* entries, missing ones in between counted */
    struct leaves tree;
    LIST(uint64_t) time_ms;
    LIST(uint8_t) kind;
    uint8_t *opened; /* a bit for each entry: its content was here, and officers' notes were checked */
    LIST(struct odd_entry) odd;
    LIST(uint64_t) bad;     /* entries that are wrong, ascending */
    uint64_t believed;      /* entries from here on are not interpreted: UINT64_MAX where all can be */
    LIST(struct stored_checkpoint) checkpoints;

    uint64_t covered; /* entries below are those of a checkpoint with its owner's signature; the tree stands for these */
    bool is_sound;    /* … as they lie in this copy */
    struct buf note;  /* of the checkpoint of size ${covered} */
    uint64_t known_outside; /* the largest size that another ledger holds a signed checkpoint of */

    LIST(struct known) known;
    uint64_t checked[CHECK_COUNT][2]; /* done, failed */
    struct taken_from *senders;
    uint64_t last_delivery; /* the highest delivery_seq taken */
};

/* ---- what ledgers say of one another ---- */

enum claim_place {
    PLACE_CHECKPOINT,  /* the table of own checkpoints */
    PLACE_ENTRY,       /* the entry itself, or the note in its body */
    PLACE_PARCEL_IN,   /* the head of the parcel that own entry ${at} is about */
    PLACE_STATEMENT_IN,
    PLACE_PARCEL_OUT, /* row ${at} of parcel_out */
    PLACE_STATEMENT_OUT
};

/* ${holder} shows that ${of} had this root at this size. */
struct claim_key {
    struct origin_node *of;
    uint64_t size;
    struct hash root;
};
struct claim {
    struct claim_key key;
    enum { CLAIM_STATED, CLAIM_DERIVED, CLAIM_SIGNED } basis; /* DERIVED: a cut of a signed parcel leads to it */
    struct audit_copy *holder;
    enum claim_place place;
    uint64_t at;
    uint64_t index; /* the holder's own entry, or UINT64_MAX */
    UT_hash_handle hh;
};

/* The numbers of one sender, as they came. */
struct taken_from {
    struct origin_node *origin;
    struct pair pair;
    UT_hash_handle hh;
};

/* A parcel on its way to one member. */
struct parcel_to {
    struct bytes member; /* in the audit's arena */
    uint64_t delivery_seq;
    struct origin_node *broker;
    uint64_t routed;     /* index there */
    bool is_accepted;
    bool is_routed_here; /* the broker's own copy says so */
    bool is_received;    /* the recipient's own ledger has it */
    bool is_refused;
    bool is_receipted;   /* the sender holds what the recipient signed about it */
};

struct parcel_node {
    struct hash hash;
    struct origin_node *from;
    bool is_out;     /* the sender's own ledger has it */
    bool is_refused; /* by the broker */
    bool has_class;
    bool is_receipt;
    uint64_t first;
    uint64_t count;
    struct parcel_to *to; /* by member */
    size_t to_count;
    UT_hash_handle hh;
};

/* What one ledger sent to one member, in parcels; receipts apart. */
struct pair_row {
    struct pair_key {
        struct origin_node *from;
        const uint8_t *member; /* of an interned text */
    } key;
    struct bytes member;
    bool has_sent; /* the sender's ledger is at hand */
    uint64_t sent, accepted, received, receipted, refused, open;
    UT_hash_handle hh;
};

/* ---- findings ---- */

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

struct roster_file {
    uint64_t number;
    struct buf file;
    struct audit_copy *holder; /* NULL: given from outside */
    struct roster *roster;     /* NULL: not the authority's … */
    int err;                   /* … and why */
};

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
struct audit_copy *audit_copy_of(const struct audit *a, const struct origin_node *o); /* the first; or NULL */
int audit_advance(struct audit *a, uint64_t entries) __attribute__((warn_unused_result));
/* Count one performed check of a copy, or of all of them (NULL). */
void audit_did(struct audit *a, struct audit_copy *c, enum audit_check check, bool ok);

/* source.c: opening, and reading what lies there. Nothing read is believed. */
int copy_open(struct audit *a, const char *path, struct audit_copy **ret)
    __attribute__((warn_unused_result));
void copy_free(struct audit_copy *c);
/* Call ${each} for every entry in order, with none for one that is missing, until it returns non-zero, which is passed on. */
typedef int copy_each(void *self, uint64_t index, struct bytes entry);
int copy_each_entry(struct audit_copy *c, copy_each *each, void *self, uint64_t *ret_size)
    __attribute__((warn_unused_result));
/* Entry ${index} as it lies there, appended. COMITY_E_NOT_FOUND. */
int copy_entry(struct audit_copy *c, uint64_t index, struct buf *out)
    __attribute__((warn_unused_result));
/* Cut one lp(…) off ${rest}. */
bool audit_lp_next(struct bytes *rest, struct bytes *ret);
int copy_checkpoint_note(struct audit_copy *c, uint64_t size, struct buf *out)
    __attribute__((warn_unused_result));

/* Openings of one origin after the other; a run that was read is kept until another one is needed. */
struct opening_reader {
    struct audit_copy *copy;
    struct bytes origin;
    uint64_t first;
    uint64_t count;
    struct buf chunk;
};
void opening_reader_done(struct opening_reader *r);
/* As ledger_opening; the opening is valid until the next call. COMITY_E_LEDGER_DAMAGED for a run that is none. */
int opening_find(struct opening_reader *r, struct bytes origin, uint64_t index,
                 struct opening *ret) __attribute__((warn_unused_result));

/* rosters.c */
const struct roster_file *rosters_find(const struct audit *a, uint64_t number);
/* The ledger in the newest roster that names it; NULL when none does. */
const struct roster_origin *rosters_owner(const struct audit *a, struct bytes origin);

/* verify_ledger.c: entries, chain, tree and checkpoints; locate.c: which of them are wrong, if the tree does not fit; interpret.c:
 * what the entries say. */
int verify_ledger(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
int locate_damage(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
int interpret_entries(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
/* Whether entry ${index} is one that locate_damage has found to be wrong, or behind the place up to which anything is known. */
bool copy_is_bad(const struct audit_copy *c, uint64_t index);

/* content.c */
struct content_item {
    struct audit_copy *copy;     /* where it lies */
    struct origin_node *origin;  /* whose entry it is */
    const struct suite *suite;
    const struct entry *entry;
    struct opening opening;
    struct opening_reader *records; /* for the record that a SIGNATURE speaks of */
    bool skip_officers;             /* their notes were checked in the ledger's own copy */
};
/* Check body and officers' notes. ${ret_body} (may be NULL) is filled when the body is the right one. */
int audit_content_check(struct audit *a, const struct content_item *it, struct body *ret_body,
                  bool *ret_ok) __attribute__((warn_unused_result));

/* forms.c: NULL when source, ref, body and to are such as the entry's kind needs; else which of them is not. */
const char *form_check(const struct audit_copy *c, const struct entry *e);

/* parcels.c */
int parcels_verify(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));
struct parcel_node *parcel_node(struct audit *a, struct bytes hash); /* made if missing; NULL without memory */
struct parcel_to *parcel_node_to(struct audit *a, struct parcel_node *n, struct bytes member);

/* signed.c: every signature is verified once, however many parcels and ledgers hold the note. */
int audit_open_note(struct audit *a, struct bytes note, const struct note_verifier *v,
                    struct checkpoint *ret) __attribute__((warn_unused_result));
/* parcel_verify, with what is known of notes. */
int audit_verify_parcel(struct audit *a, struct arena *arena, struct bytes parcel,
                        const struct parcel_rules *rules, struct parcel_facts **ret)
    __attribute__((warn_unused_result));

/* claims.c */
struct claim_at {
    struct audit_copy *holder;
    enum claim_place place;
    uint64_t at;
    uint64_t index;
};
int claim_add(struct audit *a, struct origin_node *of, uint64_t size, const struct hash *root,
              int basis, const struct claim_at *at) __attribute__((warn_unused_result));
/* What shows a claim that is signed or derived, as JSON; NULL when it cannot be had any more. */
json_t *claim_proof(struct audit *a, const struct claim *c);
int claims_check(struct audit *a) __attribute__((warn_unused_result));

/* reconcile.c, times.c */
int reconcile(struct audit *a) __attribute__((warn_unused_result));
int times_check(struct audit *a, struct audit_copy *c) __attribute__((warn_unused_result));

/* finding.c */
struct finding *finding_add(struct audit *a, enum audit_code code, const struct origin_node *of);
void finding_index(struct finding *f, uint64_t index); /* sets index and ref */
void finding_set(struct finding *f, const char *key, json_t *item);
void finding_number(struct finding *f, const char *key, uint64_t v);
/* ${f} may be NULL: then there was no memory, and audit_failed says so. */
int finding_check(const struct finding *f) __attribute__((warn_unused_result));
int group_add(struct audit *a, const struct group_key *key, uint64_t index, uint64_t time_ms,
              struct group **ret) __attribute__((warn_unused_result));
int groups_settle(struct audit *a) __attribute__((warn_unused_result));
int findings_settle(struct audit *a) __attribute__((warn_unused_result));

/* proofs.c: signed material as JSON, each NULL without memory or where it cannot be had */
json_t *proof_note(struct bytes note);
/* The entry of a copy with its bytes and the inclusion path under the copy's newest checkpoint. */
json_t *proof_entry(struct audit_copy *c, uint64_t index);
json_t *proof_consistency_of(struct audit_copy *c, uint64_t size);

#endif
