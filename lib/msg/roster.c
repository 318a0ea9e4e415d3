/*
 * The roster's bytes. See roster.h.
 */
#include "msg/roster.h"

#include "base/text.h"
#include "msg/bind.h"

#include <comity/err.h>
#include <roster.pb-c.h>

enum { TEXT_MAX = 1024, WITNESS_MAX = 64 };

static const struct bind_field witness_fields[] = {
    BIND_TEXT(struct roster_witness, broker, 1, ORIGIN_MAX, bind_is_origin),
    BIND_F64(struct roster_witness, routed),
};
static const struct bind witness_bind =
    BIND_OF(witness, struct roster_witness, witness_fields, NULL);

/* How a ledger was closed lies in the ledger's own struct. */
static const struct bind_field closed_fields[] = {
    BIND_F64(struct roster_ledger, closed_size),
    BIND_BYTES(struct roster_ledger, closed_root, 32, 32),
    BIND_MESSAGE_LIST(struct roster_ledger, witness, witness_count, struct roster_witness,
                      &witness_bind),
};
static const struct bind closed_bind = BIND_OF(closed, struct roster_ledger, closed_fields, NULL);

/* What an open ledger says about its closing would be lost in writing. */
static int ledger_rule(const void *self)
{
    const struct roster_ledger *l = self;
    bool says = l->closed_size > 0 || l->closed_root.len > 0 || l->witness_count > 0;
    return says && !l->is_closed ? COMITY_E_MALFORMED : COMITY_OK;
}

static const struct bind_field ledger_fields[] = {
    BIND_TEXT(struct roster_ledger, origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_U32(struct roster_ledger, suite),
    BIND_BYTES(struct roster_ledger, vkey, 1, TEXT_MAX),
    BIND_MESSAGE_HERE(struct roster_ledger, is_closed, &closed_bind),
};
static const struct bind ledger_bind =
    BIND_OF(ledger, struct roster_ledger, ledger_fields, ledger_rule);

static const struct bind_field member_fields[] = {
    BIND_TEXT(struct roster_member, id, 1, MEMBER_ID_MAX, text_is_member_id),
    BIND_U32(struct roster_member, role),
    BIND_TEXT(struct roster_member, name, 0, TEXT_MAX, NULL),
    BIND_BYTES(struct roster_member, curve, 32, 32),
    BIND_BYTES_LIST(struct roster_member, seal, seal_count, 32, 32),
    BIND_MESSAGE_LIST(struct roster_member, ledgers, ledger_count, struct roster_ledger,
                      &ledger_bind),
    BIND_TEXT_LIST(struct roster_member, endpoints, endpoint_count, 1, TEXT_MAX, NULL),
};
static const struct bind member_bind = BIND_OF(member, struct roster_member, member_fields, NULL);

static int roster_rule(const void *self)
{
    const struct roster_doc *r = self;
    for (size_t i = 1; i < r->member_count; i++)
        if (bytes_compare(r->members[i - 1].id, r->members[i].id) >= 0)
            return COMITY_E_NOT_CANONICAL;
    return COMITY_OK;
}

static const struct bind_field roster_fields[] = {
    BIND_TEXT(struct roster_doc, network, 1, NETWORK_MAX, text_is_network),
    BIND_U64(struct roster_doc, number),
    BIND_U32(struct roster_doc, threshold),
    BIND_BYTES_LIST(struct roster_doc, authority, authority_count, 1, TEXT_MAX),
    BIND_MESSAGE_LIST(struct roster_doc, members, member_count, struct roster_member, &member_bind),
};
static const struct bind roster_bind =
    BIND_OF(roster, struct roster_doc, roster_fields, roster_rule);

static const struct codec_repeated roster_repeated[] = {
    {&comity__member__descriptor, 6, ROSTER_LEDGERS_MAX},
    {&comity__member__descriptor, 5, ROSTER_SEAL_KEYS_MAX},
    {&comity__member__descriptor, 7, ROSTER_ENDPOINTS_MAX},
    {&comity__closed__descriptor, 3, WITNESS_MAX},
    {&comity__roster__descriptor, 4, ROSTER_AUTHORITY_MAX},
    {&comity__roster__descriptor, 5, ROSTER_MEMBERS_MAX},
};
static const struct codec_limits roster_limits = {
    .bytes_max = ROSTER_BYTES_MAX,
    .depth_max = 5,
    .fields_max = 50 * ROSTER_MEMBERS_MAX,
    .repeated = roster_repeated,
    .repeated_count = sizeof roster_repeated / sizeof roster_repeated[0],
};

int roster_doc_encode(const struct roster_doc *r, struct buf *out)
{
    return bind_encode(r, &roster_bind, &roster_limits, out);
}

int roster_doc_decode(struct arena *a, struct bytes bytes, struct roster_doc *ret)
{
    return bind_decode(a, bytes, &roster_bind, &roster_limits, ret);
}
