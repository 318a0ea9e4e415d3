/*
 * Copies of ledgers, whose they are, and what is read of them (source.c). Nothing read is believed.
 */
#ifndef AUDIT_COPY_H
#define AUDIT_COPY_H

#include "audit/leaves.h"
#include "audit/shared.h"
#include "ledger/ledger.h"
#include "wire/officer_check.h"

#include <uthash.h>

/* ---- names: origins and members, once each ---- */

struct origin_node;
struct audit_copy;

/* The broker had this ledger's checkpoint of ${size} by ${time_ms} of its own clock, says its
 * ROUTED entry. */
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
    LIST(struct officer_key) keys; /* of its KEY entries, by index; views into the audit's arena */
    LIST(uint64_t) signed_by;      /* signatures that each of them made */
    LIST(struct routed_at) routed; /* in no order */
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

/* What is not as it should be in the entries as they lie there, before anybody is blamed: see
 * locate.c. */
enum odd { ODD_TILE, ODD_LINK, ODD_INVALID, ODD_MISSING };
struct odd_entry {
    uint64_t index;
    enum odd what;
    struct hash hash; /* TILE: the stored hash of this entry; LINK: what this entry names as the one
                         before */
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
    bool is_renamed; /* its checkpoints are another ledger's */

    uint64_t size; /* entries, missing ones in between counted */
    struct leaves tree;
    LIST(uint64_t) time_ms;
    LIST(uint8_t) kind;
    uint8_t
        *opened; /* a bit for each entry: its content was here, and officers' notes were checked */
    LIST(struct odd_entry) odd;
    LIST(uint64_t) bad; /* entries that are wrong, ascending */
    uint64_t believed;  /* entries from here on are not interpreted: UINT64_MAX where all can be */
    LIST(struct stored_checkpoint) checkpoints;

    uint64_t covered; /* entries below are those of a checkpoint with its owner's signature; the
                         tree stands for these */
    bool is_sound;    /* … as they lie in this copy */
    struct buf note;  /* of the checkpoint of size ${covered} */
    uint64_t known_outside; /* the largest size that another ledger holds a signed checkpoint of */

    LIST(struct known) known;
    uint64_t checked[CHECK_COUNT][2]; /* done, failed */
    struct taken_from *senders;
    uint64_t last_delivery; /* the highest delivery_seq taken */
};

/* ---- source.c ---- */

int copy_open(struct audit *a, const char *path, struct audit_copy **ret)
    __attribute__((warn_unused_result));
void copy_free(struct audit_copy *c);
/* Read all that an audit reads of it: an error that says that it cannot be read. */
int copy_probe(struct audit_copy *c) __attribute__((warn_unused_result));
/* Call ${each} for every entry in order, with none for one that is missing, until it returns
 * non-zero, which is passed on. */
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

/* Openings of one origin after the other; a run that was read is kept until another one is needed.
 */
struct opening_reader {
    struct audit_copy *copy;
    struct bytes origin;
    uint64_t first;
    uint64_t count;
    struct buf chunk;
};
void opening_reader_done(struct opening_reader *r);
/* As ledger_opening; the opening is valid until the next call. COMITY_E_LEDGER_DAMAGED for a run
 * that is none. */
int opening_find(struct opening_reader *r, struct bytes origin, uint64_t index, struct opening *ret)
    __attribute__((warn_unused_result));

#endif
