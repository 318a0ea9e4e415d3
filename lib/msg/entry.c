/*
 * Ledger entries and bodies. See entry.h.
 */
#include "msg/entry.h"

#include "base/text.h"
#include "msg/bind.h"

#include <comity/err.h>
#include <ledger.pb-c.h>

const char *entry_kind_word(uint32_t kind)
{
    static const char *const words[] = {
        [ENTRY_RECORD] = "RECORD",
        [ENTRY_SIGNATURE] = "SIGNATURE",
        [ENTRY_SHARE] = "SHARE",
        [ENTRY_RECEIVED] = "RECEIVED",
        [ENTRY_RECEIPT] = "RECEIPT",
        [ENTRY_ROUTED] = "ROUTED",
        [ENTRY_CHECKPOINT] = "CHECKPOINT",
        [ENTRY_ROSTER] = "ROSTER",
        [ENTRY_FILE] = "FILE",
        [ENTRY_KEY] = "KEY",
        [ENTRY_REFUSED] = "REFUSED",
        [ENTRY_ERASED] = "ERASED",
        [ENTRY_NOTE] = "NOTE",
    };
    if (kind >= sizeof words / sizeof words[0] || !words[kind])
        return "UNKNOWN";
    return words[kind];
}

/* ---- entry ---- */

static int source_rule(const void *self)
{
    const struct entry_source *s = self;
    return s->index < LEDGER_SIZE_MAX && s->size <= LEDGER_SIZE_MAX ? COMITY_OK
                                                                    : COMITY_E_MALFORMED;
}

static const struct bind_field source_fields[] = {
    BIND_TEXT(struct entry_source, origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_OPT_F64(struct entry_source, index, has_index),
    BIND_BYTES(struct entry_source, leaf, 32, 32),
    BIND_OPT_F64(struct entry_source, size, has_size),
    BIND_BYTES(struct entry_source, root, 32, 32),
};
static const struct bind source_bind =
    BIND_OF(source, struct entry_source, source_fields, source_rule);

static int to_rule(const void *self)
{
    const struct entry_to *to = self;
    return to->pair_seq >= 1 && to->pair_seq < LEDGER_SIZE_MAX ? COMITY_OK : COMITY_E_MALFORMED;
}

static const struct bind_field to_fields[] = {
    BIND_TEXT(struct entry_to, member, 1, MEMBER_ID_MAX, text_is_member_id),
    BIND_U64(struct entry_to, pair_seq),
};
static const struct bind to_bind = BIND_OF(to, struct entry_to, to_fields, to_rule);

static int entry_rule(const void *self)
{
    const struct entry *e = self;
    if (e->index >= LEDGER_SIZE_MAX || e->time_ms >= LEDGER_SIZE_MAX ||
        e->roster >= LEDGER_SIZE_MAX)
        return COMITY_E_MALFORMED;
    for (size_t i = 1; i < e->to_count; i++)
        if (bytes_compare(e->to[i - 1].member, e->to[i].member) >= 0)
            return COMITY_E_NOT_CANONICAL;
    return COMITY_OK;
}

static const struct bind_field entry_fields[] = {
    BIND_F64(struct entry, index),
    BIND_F64(struct entry, time_ms),
    BIND_U32(struct entry, kind),
    BIND_U64(struct entry, roster),
    BIND_BYTES(struct entry, prev, 32, 32),
    BIND_BYTES(struct entry, body_hash, 32, 32),
    BIND_BYTES(struct entry, seal, 32, 32),
    BIND_MESSAGE(struct entry, source, has_source, &source_bind),
    BIND_MESSAGE_LIST(struct entry, to, to_count, struct entry_to, &to_bind),
    BIND_BYTES(struct entry, ref, 1, ENTRY_REF_MAX),
};
static const struct bind entry_bind = BIND_OF(ledger_entry, struct entry, entry_fields, entry_rule);

static const struct codec_repeated entry_repeated[] = {
    {&comity__ledger_entry__descriptor, 9, ENTRY_TO_MAX},
};
static const struct codec_limits entry_limits = {
    .bytes_max = ENTRY_BYTES_MAX,
    .depth_max = 2,
    .fields_max = 16 + 3 * ENTRY_TO_MAX,
    .repeated = entry_repeated,
    .repeated_count = 1,
};

int entry_encode(const struct entry *e, struct buf *out)
{
    return bind_encode(e, &entry_bind, &entry_limits, out);
}

int entry_decode(struct arena *a, struct bytes bytes, struct entry *ret)
{
    return bind_decode(a, bytes, &entry_bind, &entry_limits, ret);
}

/* ---- body ---- */

static const struct bind_field body_fields[] = {
    BIND_BYTES(struct body, record, 1, BODY_BYTES_MAX),
    BIND_BYTES_LIST(struct body, notes, note_count, 1, BIND_NOTE_MAX),
    BIND_BYTES(struct body, request_id, 1, BODY_REQUEST_ID_MAX),
    BIND_U32_LIST(struct body, roles, role_count),
    BIND_TEXT(struct body, remark, 1, BODY_BYTES_MAX, NULL),
};
static const struct bind body_bind = BIND_OF(body, struct body, body_fields, NULL);

static const struct codec_repeated body_repeated[] = {
    {&comity__body__descriptor, 2, BODY_NOTES_MAX},
    {&comity__body__descriptor, 4, BODY_ROLES_MAX},
};
static const struct codec_limits body_limits = {
    .bytes_max = BODY_BYTES_MAX,
    .depth_max = 1,
    .fields_max = 3 + BODY_NOTES_MAX + BODY_ROLES_MAX,
    .repeated = body_repeated,
    .repeated_count = 2,
};

int body_encode(const struct body *b, struct buf *out)
{
    return bind_encode(b, &body_bind, &body_limits, out);
}

int body_decode(struct arena *a, struct bytes bytes, struct body *ret)
{
    return bind_decode(a, bytes, &body_bind, &body_limits, ret);
}
