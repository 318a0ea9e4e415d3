/*
 * The parcel: how entries travel, and the one function that says whether a parcel is true.
 *
 * A submission, a delivery, a receipt and a broker's statement are the same structure, built by
 * parcel_build and verified by parcel_verify, which broker, recipient, sender and auditor all call.
 * What it cannot know (pair_seq, who may send to whom next, what a body says) is its callers': the
 * numbering is wire/pair.h's, the content the node's.
 *
 * Verification interprets nothing before it is verified, and returns views into an arena.
 */
#ifndef WIRE_PARCEL_H
#define WIRE_PARCEL_H

#include "ledger/ledger.h"
#include "msg/parcel.h"
#include "wire/roster.h"

/* H("comity-parcel-head/v1\n" ‖ head): the parcel's name. The sealed part is bound by the entries'
 * `seal` instead, so that it can be dropped and one record erased while the name still stands. */
void parcel_hash(const struct suite *suite, struct bytes head, struct hash *ret);

/* ---- sealing ---- */

struct parcel_reader {
    struct bytes member;
    const uint8_t *pub; /* 32 bytes: the member's seal key in use */
};

/* A sealed part, made before the entries that commit to it. */
struct parcel_sealed {
    struct buf sealed;
    struct buf wraps; /* PARCEL_WRAP_LEN each, recipients in order, then the sender's own */
    size_t wrap_count;
    struct hash seal;
};

struct parcel_seal_input {
    const struct suite *suite;
    struct bytes origin;
    const struct parcel_reader *recipients; /* in the order of `to` */
    size_t recipient_count;
    struct parcel_reader sender;
    struct bytes openings; /* encoded */
    const struct bytes *blobs;
    size_t blob_count;
};

/* Seal the openings for the recipients and the sender. To be freed with parcel_sealed_free. */
int parcel_seal(const struct parcel_seal_input *in, struct parcel_sealed *ret)
    __attribute__((warn_unused_result));
void parcel_sealed_free(struct parcel_sealed *s);

/* The secrets with which a member opens what was sealed for it; old ones are kept. */
struct parcel_key {
    uint8_t id[SEAL_KEY_ID_LEN];
    uint8_t secret[32];
};

/* ---- building ---- */

struct parcel_plan {
    const uint64_t *index; /* entries, ascending; consecutive but for a statement */
    size_t count;
    const struct bytes *recipients; /* sorted */
    size_t recipient_count;
    const struct parcel_since
        *since; /* sorted by member, then size; sizes above the checkpoint's are refused */
    size_t since_count;
    const struct bytes *blobs;
    size_t blob_count;
    const struct parcel_enclosure *enclosures;
    size_t enclosure_count;
    const uint64_t *enclosed_index; /* the index of each enclosure without checkpoint, in order */
    size_t enclosed_count;
};

/* Append to ${out} the bytes of the head: the entries, proven at the ledger's newest checkpoint (of
 * this turn, once signed). */
int parcel_build(struct ledger *l, const struct parcel_plan *plan, struct buf *out)
    __attribute__((warn_unused_result));

/* ---- verifying ---- */

enum parcel_place {
    PARCEL_SUBMITTED, /* at the broker: from the member whose session it is; the ledger must be open
                       */
    PARCEL_DELIVERED, /* at a recipient, with the broker's statement verified before */
    PARCEL_STATEMENT, /* a broker's statement: ROUTED and REFUSED entries, no recipients, gaps
                         between indices */
    PARCEL_FILED      /* kept from earlier: the sealed part may be gone */
};

/* Notes verified lately, so that the one signature of a turn is verified once. Zeroed to begin
 * with; one thread. */
enum { NOTE_CACHE_SLOTS = 32, NOTE_CACHE_BYTES = 512 };
struct note_cache {
    struct {
        struct note_verifier verifier;
        size_t len;
        uint8_t note[NOTE_CACHE_BYTES];
        struct checkpoint checkpoint;
    } slot[NOTE_CACHE_SLOTS];
    size_t next;
};
/* checkpoint_open, through the cache (which may be NULL). */
int note_cache_open(struct note_cache *cache, struct bytes note, const struct note_verifier *v,
                    struct checkpoint *ret) __attribute__((warn_unused_result));

/* Where and by whom an entry was routed, as a verified statement says. */
struct parcel_routing {
    struct bytes broker; /* origin of the broker's ledger */
    uint64_t index;      /* of the ROUTED entry */
};

struct parcel_rules {
    const struct roster *roster;
    enum parcel_place place;
    struct bytes sender; /* member id that the origin must belong to, or none: any */
    struct bytes me; /* DELIVERED: must be a recipient. Also whose `since` links: of the broker its
                        own member id */
    const struct parcel_routing *routing; /* DELIVERED, FILED: for the closing rule; or NULL */
    /* The root known here of ${origin} at ${size}: 0, COMITY_E_NOT_FOUND, or an error. NULL:
     * nothing is known. */
    int (*root_at)(void *self, struct bytes origin, uint64_t size, struct hash *ret);
    /* Whether any checkpoint of ${origin} is known here: 1, 0, or an error. */
    int (*knows)(void *self, struct bytes origin);
    /* The root that the closed ledger ${origin} has at ${size}, where its closing root is at hand
     * and proves it: 0, COMITY_E_NOT_FOUND, or an error. NULL: nothing is proven. */
    int (*closed_root_at)(void *self, struct bytes origin, uint64_t size, struct hash *ret);
    void *self;
    struct note_cache *notes; /* or NULL */
};

struct parcel_enclosed {
    struct bytes bytes; /* exact */
    struct entry entry;
    struct hash leaf;
    bool is_own;                      /* of the parcel's own ledger */
    const struct roster_origin *from; /* the ledger it is an entry of */
    struct checkpoint checkpoint;     /* the one that it is proven under */
    struct bytes note;
    bool has_routing;
    struct parcel_routing routing;
};

/* What a parcel that passed says. Lives in the arena; views point there, into the parcel's bytes
 * and into the roster. */
struct parcel_facts {
    struct parcel parcel;
    struct parcel_head head;
    struct hash hash; /* parcel_hash */
    const struct roster_origin *from;
    struct checkpoint checkpoint;
    const struct entry *entries;
    const struct hash *leaves;
    size_t count;
    const struct parcel_enclosed *enclosures;
    size_t enclosure_count;
    bool is_receipt; /* all entries are RECEIVED, REFUSED or FILE */
    bool is_linked;  /* it shares the history known here, or nothing was known */
    uint64_t since;  /* the size that it links to here; 0 for none */
    /* for parcel_path */
    struct multiproof_shape shape;
    const struct hash *shape_leaf;
    const struct hash *proof;
    size_t proof_count;
};

/*
 * Verify ${bytes}: decode within bounds; the origin is the sender's and its ledger open (or the
 * closing rule holds); the note's signature; every entry canonical, at its proven position,
 * adjacent ones linked by prev; `to` of each equals the recipients; the seal, while the sealed part
 * is there; no hash left over in the proof; every cut whose root is known here; every enclosure
 * likewise. Errors: those of decoding, COMITY_E_UNKNOWN_MEMBER, _NOT_MEMBER, _CLOSED, _SIGNATURE,
 * _UNSIGNED, _CHAIN, _PROOF, _INCLUSION, _RECIPIENTS, _NOT_RECIPIENT, _SEAL, _CONSISTENCY,
 * _EQUIVOCATION, _STATEMENT, _UNLINKED (SUBMITTED and STATEMENT only; elsewhere is_linked tells).
 */
int parcel_verify(struct arena *a, struct bytes bytes, const struct parcel_rules *rules,
                  struct parcel_facts **ret) __attribute__((warn_unused_result));

/* The RFC 6962 path (leaf to root) of entry ${which} of a verified parcel under its checkpoint,
 * appended to ${out}. */
int parcel_path(const struct parcel_facts *f, size_t which, struct hash_list *out)
    __attribute__((warn_unused_result));

/*
 * Open the sealed part of a verified parcel as ${me} (a recipient or the sender): the openings, one
 * an entry and one an enclosure, each body checked against its entry's body_hash. Views into ${a}.
 * COMITY_E_UNSEAL, _BODY, _WITHHELD (an entry of the parcel itself without its opening),
 * _MALFORMED.
 */
int parcel_unseal(struct arena *a, const struct parcel_facts *f, struct bytes me,
                  const struct parcel_key *keys, size_t n, struct openings *ret)
    __attribute__((warn_unused_result));

/* Whether the closing rule lets checkpoint (${size}, ${root}) of ${o} stand: COMITY_OK or
 * COMITY_E_CLOSED. ${routing} may be NULL. */
int roster_origin_admits(const struct roster_origin *o, uint64_t size, const struct hash *root,
                         const struct parcel_routing *routing) __attribute__((warn_unused_result));

/* ---- the fixed bytes of `ref` ---- */

enum { REF_RECEIVED_LEN = 44, REF_ROUTED_LEN = 40 };

struct ref_received {
    struct hash parcel;
    uint32_t count;
    uint64_t known_size; /* what the recipient knew when it could not link; 0 if linked */
};
void ref_received_put(struct buf *out, const struct ref_received *r);
int ref_received_parse(struct bytes ref, struct ref_received *ret)
    __attribute__((warn_unused_result));

struct ref_routed {
    struct hash parcel;
    uint64_t parcel_seq;
};
void ref_routed_put(struct buf *out, const struct ref_routed *r);
int ref_routed_parse(struct bytes ref, struct ref_routed *ret) __attribute__((warn_unused_result));

struct ref_refused {
    struct hash parcel;
    uint32_t count;
    struct bytes token; /* [a-z_]{1,40} */
};
void ref_refused_put(struct buf *out, const struct ref_refused *r);
int ref_refused_parse(struct bytes ref, struct ref_refused *ret)
    __attribute__((warn_unused_result));

/* ---- statements ---- */

/*
 * Whether entry ${which} of a verified statement routes exactly this parcel: its origin, checkpoint
 * and hash. COMITY_E_STATEMENT otherwise. ${me}, unless none, must be among its `to`, and the
 * number there goes to ${ret_delivery_seq}.
 */
int statement_routes(const struct parcel_facts *statement, size_t which, struct bytes origin,
                     const struct checkpoint *checkpoint, const struct hash *parcel,
                     struct bytes me, uint64_t *ret_delivery_seq)
    __attribute__((warn_unused_result));

#endif
