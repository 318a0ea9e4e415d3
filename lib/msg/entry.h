/*
 * Ledger entries and their bodies, between bytes and structs.
 *
 * Decoding is bounded (size, counts, allocation), canonical (bytes for which pack(unpack(x))
 * differs from x, with unknown fields at any depth, or with an optional field that is present and
 * empty, are refused) and checks every length that the format fixes. Decoded views point into the
 * arena. What an entry means, and whether it is where it claims to be, is lib/ledger's and
 * lib/wire's.
 */
#ifndef MSG_ENTRY_H
#define MSG_ENTRY_H

#include "base/bytes.h"

/* Numbered for ever; entries of other kinds are kept and passed over, never interpreted. */
enum entry_kind {
    ENTRY_RECORD = 1,     /* own record: a case filed, evidence fixed */
    ENTRY_SIGNATURE = 2,  /* an officer's note under an earlier own record; source = that record */
    ENTRY_SHARE = 3,      /* an own or received record, handed to further recipients */
    ENTRY_RECEIVED = 4,   /* a parcel was opened and every body hash matched */
    ENTRY_RECEIPT = 5,    /* a receipt-class parcel was received */
    ENTRY_ROUTED = 6,     /* broker: a parcel was accepted; its pair_seq is the delivery_seq */
    ENTRY_CHECKPOINT = 7, /* the newest checkpoint of another ledger */
    ENTRY_ROSTER = 8,     /* a roster came into force */
    ENTRY_FILE = 9,       /* an attachment is complete and verified */
    ENTRY_KEY = 10,       /* an officer was enrolled or retired */
    ENTRY_REFUSED = 11,   /* what was turned away, and why */
    ENTRY_ERASED = 12,    /* the content of an entry was erased here */
    ENTRY_NOTE = 13       /* operator's remark */
};

enum {
    ENTRY_BYTES_MAX = 16 * 1024,
    ENTRY_REF_MAX = 1024,
    ENTRY_TO_MAX = 64,
    BODY_BYTES_MAX = 64 * 1024,
    BODY_NOTES_MAX = 16,
    BODY_ROLES_MAX = 8,
    BODY_REQUEST_ID_MAX = 64,
    SALT_LEN = 32
};

/*
 * No ledger has more entries, no pair more numbers, and no clock shows more milliseconds (until the
 * year 10889): whatever decodes can be added to, stored as a signed integer, and compared, without
 * a thought of overflow.
 */
#define LEDGER_SIZE_MAX ((uint64_t)1 << 48)

/* "RECORD" …; "UNKNOWN" for a kind not in the table. */
const char *entry_kind_word(uint32_t kind);

struct entry_source {
    struct bytes origin;
    bool has_index;
    uint64_t index;
    struct bytes leaf; /* 32 bytes or none */
    bool has_size;
    uint64_t size;
    struct bytes root; /* 32 bytes or none */
};

struct entry_to {
    struct bytes member;
    uint64_t pair_seq;
};

struct entry {
    uint64_t index;
    uint64_t time_ms;
    uint32_t kind;
    uint64_t roster;
    struct bytes prev;      /* 32 bytes */
    struct bytes body_hash; /* 32 bytes or none */
    struct bytes seal;      /* 32 bytes or none */
    bool has_source;
    struct entry_source source;
    const struct entry_to *to;
    size_t to_count;
    struct bytes ref;
};

/* Append the bytes of ${e} to ${out}. COMITY_E_INVALID when a length or bound of the format is not
 * kept. */
int entry_encode(const struct entry *e, struct buf *out) __attribute__((warn_unused_result));
/*
 * Views point into ${a} or into ${bytes} (keep both). COMITY_E_MALFORMED, COMITY_E_NOT_CANONICAL,
 * COMITY_E_TOO_LARGE, COMITY_E_NOMEM when the arena's cap is reached.
 */
int entry_decode(struct arena *a, struct bytes bytes, struct entry *ret)
    __attribute__((warn_unused_result));

struct body {
    struct bytes record;
    const struct bytes *notes;
    size_t note_count;
    struct bytes request_id;
    const uint32_t *roles;
    size_t role_count;
    struct bytes remark; /* UTF-8 */
};

int body_encode(const struct body *b, struct buf *out) __attribute__((warn_unused_result));
int body_decode(struct arena *a, struct bytes bytes, struct body *ret)
    __attribute__((warn_unused_result));

#endif
