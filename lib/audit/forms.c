/*
 * What each kind of entry must look like: which of source, ref, body and recipients it has, and
 * what stands in ref. See PROTOCOL.md; what a parcel or a body behind it says is checked elsewhere.
 */
#include "audit/internal.h"

#include <string.h>

enum { NO = 1, YES = 2 }; /* 0: either */

enum source_form {
    SOURCE_ANY,
    SOURCE_NONE,
    SOURCE_OWN_ENTRY, /* index and leaf of an earlier entry of this ledger */
    SOURCE_ENTRY,     /* index and leaf, of any ledger */
    SOURCE_CHECKPOINT /* size and root, of another ledger */
};

static const struct form {
    enum source_form source;
    uint8_t body;
    uint8_t to;
    bool of_broker; /* in a broker's ledger only */
    bool of_node;
} forms[] = {
    [ENTRY_RECORD] = {SOURCE_NONE, YES, 0, false, true},
    [ENTRY_SIGNATURE] = {SOURCE_OWN_ENTRY, YES, 0, false, true},
    [ENTRY_SHARE] = {SOURCE_ENTRY, 0, YES, false, true},
    [ENTRY_RECEIVED] = {SOURCE_CHECKPOINT, NO, 0, false, true},
    [ENTRY_RECEIPT] = {SOURCE_CHECKPOINT, NO, NO, false, true},
    [ENTRY_ROUTED] = {SOURCE_CHECKPOINT, NO, 0, true, false},
    [ENTRY_CHECKPOINT] = {SOURCE_CHECKPOINT, YES, NO, false, false},
    [ENTRY_ROSTER] = {SOURCE_NONE, NO, NO, false, false},
    [ENTRY_FILE] = {SOURCE_NONE, NO, 0, false, true},
    [ENTRY_KEY] = {SOURCE_ANY, YES, 0, false, true},
    [ENTRY_REFUSED] = {SOURCE_ANY, NO, 0, false, false},
    [ENTRY_ERASED] = {SOURCE_ENTRY, 0, NO, false, true},
};

static const char *check_ref(const struct entry *e)
{
    struct ref_received received;
    struct ref_routed routed;
    struct ref_refused refused;
    enum { ROSTER_LEN = 8 + HASH_LEN };
    switch (e->kind) {
    case ENTRY_RECEIVED:
    case ENTRY_RECEIPT:
        return ref_received_parse(e->ref, &received) ? "ref" : NULL;
    case ENTRY_ROUTED:
        return ref_routed_parse(e->ref, &routed) ? "ref" : NULL;
    case ENTRY_REFUSED:
        return ref_refused_parse(e->ref, &refused) ? "ref" : NULL;
    case ENTRY_ROSTER:
        return e->ref.len == ROSTER_LEN ? NULL : "ref";
    case ENTRY_FILE:
        return e->ref.len == HASH_LEN ? NULL : "ref";
    default:
        return NULL;
    }
}

/* An entry of this ledger that another one refers to: it comes before, and has that leaf. */
static bool is_own_before(const struct audit_copy *c, const struct entry *e)
{
    const struct entry_source *s = &e->source;
    return s->has_index && s->index < e->index && s->index < c->tree.leaf.count &&
           bytes_equal(s->leaf, hash_bytes(&c->tree.leaf.at[s->index]));
}

static bool source_fits(const struct audit_copy *c, const struct entry *e, enum source_form form)
{
    const struct entry_source *s = &e->source;
    bool is_own = e->has_source && bytes_is(s->origin, c->origin->name);
    switch (form) {
    case SOURCE_ANY:
        return true;
    case SOURCE_NONE:
        return !e->has_source;
    case SOURCE_OWN_ENTRY:
        return is_own && is_own_before(c, e);
    case SOURCE_ENTRY:
        return e->has_source && s->has_index && s->leaf.len == HASH_LEN &&
               (!is_own || is_own_before(c, e));
    case SOURCE_CHECKPOINT:
        return e->has_source && !is_own && s->has_size && s->root.len == HASH_LEN;
    }
    return false;
}

const char *form_check(const struct audit_copy *c, const struct entry *e)
{
    /* Kinds of a later version are passed over. */
    if (e->kind >= sizeof forms / sizeof forms[0] || e->kind == 0)
        return NULL;
    const struct form *f = &forms[e->kind];
    if ((f->of_broker && !c->is_broker) || (f->of_node && !c->is_node))
        return "kind";
    if (!source_fits(c, e, f->source))
        return "source";
    if ((f->body == YES && !e->body_hash.len) || (f->body == NO && e->body_hash.len))
        return "body";
    if ((f->to == YES && !e->to_count) || (f->to == NO && e->to_count))
        return "to";
    return check_ref(e);
}
