/*
 * What the parts of the node's core share: the turn that runs, and what is kept in memory of the
 * tables. Internal to node/{node,turn*,outbox*,inbox*,session*,content}.c.
 *
 * Everything in struct node_core that mirrors a table is changed during a turn and written in its
 * transaction; a turn that fails reads it all back (core_load).
 */
#ifndef NODE_CORE_H
#define NODE_CORE_H

#include "archive.h"
#include "bulk.h"
#include "content.h"
#include "node.h"
#include "session.h"
#include "view.h"
#include "wire/pair.h"
#include "wire/parcel_claims.h"

#include <comity/err.h>

#include <uthash.h>

/* ---- cursors: table cursor, one row each ---- */

enum cursor_name {
    CURSOR_TAKEN,        /* last delivery_seq that is durable here */
    CURSOR_ANSWERED,     /* last parcel_seq whose answer is durable here */
    CURSOR_LOGGED,       /* size of the broker's checkpoint in our newest CHECKPOINT entry */
    CURSOR_LOGGED_MS,    /* and when that was appended */
    CURSOR_PUBLISHED_MS, /* when a checkpoint of ours was last queued for the broker */
    CURSOR_COUNT
};

/* The newest checkpoint of the broker that was verified and linked here; a row of cursor, with the
 * note. */
struct broker_seen {
    struct checkpoint checkpoint; /* size 0: none */
    uint8_t note[NOTE_CACHE_BYTES];
    size_t note_len;
    bool is_dirty;
};

/* ---- members that parcels go to: table pair_out ---- */

struct peer {
    char member[MEMBER_ID_MAX + 1];
    uint64_t next;     /* pair_seq of the next entry */
    uint64_t sent;     /* size of our ledger in the last parcel queued for it */
    uint64_t accepted; /* in the last one that the broker accepted */
    uint64_t ask;      /* a cut that it asked for; 0: none */
    bool is_dirty;
    UT_hash_handle hh;
};

/* ---- ledgers that parcels come from: tables pair_in, pair_gap, peer_root ---- */

struct source {
    char origin[ORIGIN_MAX + 1];
    struct pair pair;
    uint64_t size; /* of its newest checkpoint here; 0: none */
    struct hash root;
    bool is_dirty;
    bool is_gap_dirty;
    UT_hash_handle hh;
};

/* ---- the turn ---- */

/* The order in which a turn appends. */
enum slot_class {
    SLOT_CHECKPOINT,
    SLOT_LOCAL,
    SLOT_VOID,    /* REFUSED that voids numbers: a parcel of its own, submitted first */
    SLOT_RECEIPT, /* to somebody: RECEIVED, REFUSED, FILE */
    SLOT_CONTENT, /* to somebody: everything else */
    SLOT_ROSTER
};

#define SLOT_NONE SIZE_MAX

struct slot {
    struct draft d;
    enum slot_class class;
    size_t order;
    size_t weight;       /* bytes that it adds to a parcel, its enclosures apart */
    uint64_t void_first; /* SLOT_VOID: the first number that it takes … */
    uint32_t span;       /* … and how many numbers it stands for; otherwise 1 */
    size_t delivery;     /* SLOT_NONE, or the delivery that it is about */
    struct entry entry;  /* as appended */
};

/* An own entry that travels along, as looked up. */
struct enclosed {
    uint64_t index;
    struct bytes entry;
    struct opening opening;
    UT_hash_handle hh;
};

/* A parcel that the turn builds: a run of slots. */
struct planned {
    struct slot *const *slot;
    size_t count;
    struct peer **peer; /* one a recipient */
    uint64_t *pair_first;
    const struct enclosed *const *own;
    size_t own_count;
    const struct parcel_enclosure **foreign;
    const struct opening **foreign_opening;
    size_t foreign_count;
    const struct bytes *blobs;
    size_t blob_count;
    struct parcel_sealed sealed;
    bool is_sealed;
};

/* A parcel that was delivered. */
struct delivery {
    uint64_t seq;
    struct bytes statement; /* exact bytes */
    uint64_t routed;        /* index of the ROUTED entry */
    struct parcel_claims claims;
    struct bytes sender;              /* member id; none when the roster does not know the origin */
    struct bytes head;                /* none when it did not decode */
    const struct parcel_facts *facts; /* NULL when it did not verify */
    struct openings openings;
    struct content content;
    const char *token; /* refused, and why */
    bool is_duplicate; /* nothing is appended */
    size_t slot;
};

/* What the broker said of an own parcel. */
struct answered {
    uint64_t parcel_seq;
    uint64_t parcel; /* id */
    struct bytes statement;
    uint64_t routed;
    const char *token; /* refused, and why; NULL: accepted */
    struct hash leaf;  /* of the broker's entry */
    struct hash hash;
};

/* What a receipt says: of an own parcel (hash), or of an attachment. */
struct receipt {
    bool is_file;
    struct hash name; /* parcel hash or blob id */
    struct bytes member;
    uint64_t known_size;
    const char *token; /* refused */
    size_t slot;       /* of the RECEIPT entry */
};

/* An attachment that was moved, or cannot be. */
struct finished {
    struct bulk_finished f;
    struct bytes sender; /* of the record that names it, for a fetched one */
    size_t slot;         /* of its FILE entry */
};

/* A growing array in plain memory, kept from turn to turn. */
#define LIST(type)    \
    struct {          \
        type *at;     \
        size_t count; \
        size_t cap;   \
    }
int list_reserve(void *at, size_t *cap, size_t count, size_t size)
    __attribute__((warn_unused_result));
#define LIST_ADD(list, value)                                               \
    (list_reserve(&(list).at, &(list).cap, (list).count, sizeof *(list).at) \
         ? COMITY_E_NOMEM                                                   \
         : ((list).at[(list).count++] = (value), COMITY_OK))

struct turn {
    struct node *node;
    struct arena *arena;
    int64_t now_ms;
    int64_t mono_ms;
    bool is_open;
    size_t tried;    /* deliveries begun … */
    uint64_t trying; /* … and the last of them */
    LIST(struct slot) slots;
    size_t bytes;   /* of bodies */
    uint8_t *salts; /* not used yet, in the arena */
    size_t salts_left;
    LIST(struct slot *) order;
    struct enclosed *enclosed; /* by index, in the arena */
    LIST(struct planned) planned;
    LIST(struct delivery) deliveries;
    LIST(struct answered) answers;
    LIST(struct receipt) receipts;
    LIST(struct finished) finished;
    LIST(struct recalled) recalled;
    LIST(uint64_t) rebuild; /* ids of queued parcels behind a refused one, in their order */
    uint64_t refused_seq;   /* parcel_seq of the refused one; 0: none */
    LIST(uint64_t) voided;  /* those that cannot go any more, for a recipient is gone */
    struct roster *roster;  /* comes into force with the turn's end */
    bool publish;           /* queue a parcel without entries: a checkpoint alone */
};

/*
 * A delivery that makes its turn fail, whatever the reason, must not come again for ever and hold
 * up all behind it. After a failed turn deliveries are taken alone for a while; one that fails
 * alone is refused.
 */
struct suspicion {
    unsigned alone; /* turns with a delivery that are still to be alone */
    uint64_t seq;   /* the one that failed alone; 0: none */
    unsigned
        times; /* how often: once, its content is refused; more often, it is not even verified */
    int why;
};

/* What keeps turns from being written, since when: until one is. */
struct trouble {
    int err; /* FAULT_PASSING, or COMITY_OK */
    int64_t since_ms;
};

struct node_core {
    struct turn turn;
    struct arena *arena;
    struct arena *scratch; /* for one thing at a time, reset by who uses it */
    struct suspicion suspicion;
    uint64_t turns_undone;
    struct trouble trouble;
    struct note_cache notes;
    struct session session;
    struct roster *roster;     /* owns node->roster */
    struct roster *old_roster; /* freed when the next turn begins: views may point there */
    uint64_t cursor[CURSOR_COUNT];
    bool is_cursor_dirty[CURSOR_COUNT];
    struct broker_seen broker;
    struct peer *peers;
    struct source *sources;
    uint64_t last_parcel_seq; /* given out */
    uint64_t uploads_waiting; /* attachments whose parcel is not accepted yet */
};

/* ---- node.c ---- */

/* Read what is mirrored from the tables; after a failed turn, too. */
int core_load(struct node *n) __attribute__((warn_unused_result));
int core_write_cursors(struct node *n) __attribute__((warn_unused_result));
void core_set_cursor(struct node *n, enum cursor_name name, uint64_t value);
/* The broker's member row and its ledger in the roster in force, or NULL. */
const struct roster_member *core_broker(const struct node *n);
const struct roster_origin *core_broker_origin(const struct node *n);
/* Whether ${member} can be sent to: a bureau with an open ledger, and another one than this.
 * COMITY_OK, or why not. */
int core_recipient(const struct node *n, struct bytes member) __attribute__((warn_unused_result));
/* A verified checkpoint of the broker that extends the one known. */
void core_see_broker(struct node *n, const struct checkpoint *c, struct bytes note);
/* Take ${file} as the next roster of the turn. */
int core_take_roster(struct node *n, struct turn *t, struct bytes file)
    __attribute__((warn_unused_result));
/* Write the turn's new roster into its table; ${own} is the index of the ROSTER entry. */
int core_write_roster(struct node *n, const struct roster *r, uint64_t own)
    __attribute__((warn_unused_result));
int core_put_roster_ref(const struct roster *r, struct buf *out)
    __attribute__((warn_unused_result));

/* ---- turn.c ---- */

void turn_free(struct node *n);
/* turn_add for the core's own drafts; ${delivery} as in struct slot. */
int turn_add_slot(struct turn *t, const struct draft *d, enum slot_class class, size_t *ret_slot)
    __attribute__((warn_unused_result));

/* ---- turn_group.c: which slots travel together ---- */

/* Look an own entry up that is to be enclosed, with its opening; kept for the turn. */
int turn_enclose(struct turn *t, uint64_t index, const struct enclosed **ret)
    __attribute__((warn_unused_result));
/* Fill t->order and t->planned. */
int turn_group(struct turn *t) __attribute__((warn_unused_result));

/* ---- turn_write.c: the transaction ---- */

int turn_write(struct turn *t) __attribute__((warn_unused_result));

#endif
