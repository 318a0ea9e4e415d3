/*
 * The roster's bytes, between bytes and structs. Whether a roster is the authority's, and what
 * follows from it, is lib/wire's (wire/roster.h).
 */
#ifndef MSG_ROSTER_H
#define MSG_ROSTER_H

#include "base/bytes.h"

enum {
    ROSTER_BYTES_MAX = 8 * 1024 * 1024,
    ROSTER_MEMBERS_MAX = 20000,
    ROSTER_AUTHORITY_MAX = 32,
    ROSTER_LEDGERS_MAX = 64,
    ROSTER_SEAL_KEYS_MAX = 64,
    ROSTER_ENDPOINTS_MAX = 8
};

enum member_role { MEMBER_BUREAU = 1, MEMBER_BROKER = 2, MEMBER_AUDITOR = 3 };

struct roster_witness {
    struct bytes broker;
    uint64_t routed;
};

struct roster_ledger {
    struct bytes origin;
    uint32_t suite;
    struct bytes vkey;
    bool is_closed;
    uint64_t closed_size;
    struct bytes closed_root;
    const struct roster_witness *witness;
    size_t witness_count;
};

struct roster_member {
    struct bytes id;
    uint32_t role;
    struct bytes name;
    struct bytes curve;       /* 32 bytes or none */
    const struct bytes *seal; /* 32 bytes each, the last is in use */
    size_t seal_count;
    const struct roster_ledger *ledgers;
    size_t ledger_count;
    const struct bytes *endpoints;
    size_t endpoint_count;
};

struct roster_doc {
    struct bytes network;
    uint64_t number;
    uint32_t threshold;
    const struct bytes *authority;
    size_t authority_count;
    const struct roster_member *members;
    size_t member_count;
};

int roster_doc_encode(const struct roster_doc *r, struct buf *out)
    __attribute__((warn_unused_result));
/* Checks bounds, lengths, order and uniqueness of member ids; not keys, names or signatures. */
int roster_doc_decode(struct arena *a, struct bytes bytes, struct roster_doc *ret)
    __attribute__((warn_unused_result));

#endif
