/*
 * Several ledgers against one another: what each sent, what the broker accepted, what arrived, and
 * who holds a receipt.
 *
 * A parcel is known by its hash. What is missing at one place counts as proven only where the
 * ledgers themselves show that it cannot be merely late: deliveries are taken in their order, so a
 * later one at the recipient settles it.
 */
#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"
#include "audit/parcels.h"

#include <stdlib.h>
#include <string.h>

/* ---- who is who ---- */

/* A node's ledger of that member, the newest first; NULL when none was given. */
static struct audit_copy *copy_of_member(const struct audit *a, struct bytes member)
{
    for (size_t i = a->copies.count; i > 0; i--) {
        struct audit_copy *c = a->copies.at[i - 1];
        if (c->is_node && !c->is_renamed && bytes_equal(c->origin->member, member))
            return c;
    }
    return NULL;
}

/* The ledger of that member that is in use, by the roster, or its first. */
static struct origin_node *origin_of_member(struct audit *a, struct bytes member,
                                            const struct origin_node *like)
{
    const struct roster_member *m = a->newest ? roster_member_of(a->newest, member) : NULL;
    if (m && m->ledger_count)
        return audit_origin(a, m->ledgers[m->ledger_count - 1].origin);
    struct origin parts;
    struct buf name = BUF_INIT;
    struct origin_node *o = NULL;
    if (text_get_origin(bytes_of(like->name), &parts) == COMITY_OK) {
        buf_put_bytes(&name, parts.network);
        buf_put_u8(&name, '/');
        buf_put_bytes(&name, member);
        o = buf_check(&name) ? NULL : audit_origin(a, buf_bytes(&name));
    }
    buf_free(&name);
    return o;
}

/* How far this copy knew that ledger. */
static uint64_t known_size(const struct audit_copy *c, const struct origin_node *of)
{
    uint64_t size = 0;
    for (size_t i = 0; i < c->known.count; i++)
        if (c->known.at[i].of == of && c->known.at[i].size > size)
            size = c->known.at[i].size;
    return size;
}

/* ---- the pairs ---- */

static struct pair_row *pair_row(struct audit *a, struct origin_node *from, struct bytes member)
{
    struct pair_row *r = NULL;
    struct pair_key key;
    memset(&key, 0, sizeof key);
    key.from = from;
    key.member = member.data;
    HASH_FIND(hh, a->pairs, &key, sizeof key, r);
    if (r || !(r = arena_alloc(a->arena, sizeof *r)))
        return r;
    r->key = key;
    r->member = member;
    r->has_sent = audit_copy_of(from) != NULL;
    HASH_ADD(hh, a->pairs, key, sizeof r->key, r);
    return r;
}

static int count_pair(struct audit *a, const struct parcel_node *n, const struct parcel_to *to)
{
    if (n->has_class && n->is_receipt)
        return COMITY_OK;
    struct pair_row *r = pair_row(a, n->from, to->member);
    if (!r)
        return COMITY_E_NOMEM;
    r->sent += n->is_out;
    r->accepted += to->is_accepted;
    r->received += to->is_received || (to->is_receipted && !to->is_refused);
    r->receipted += to->is_receipted && !to->is_refused;
    r->refused += n->is_refused || to->is_refused;
    r->open += !to->is_received && !to->is_receipted && !to->is_refused && !n->is_refused;
    return COMITY_OK;
}

/* ---- one parcel at one recipient ---- */

/* What it means that a parcel which the broker accepted is not in the recipient's ledger. */
static enum audit_code judge_absent(const struct audit_copy *r, const struct parcel_to *to,
                                    uint64_t broker_size)
{
    if (to->delivery_seq < r->last_delivery)
        return AUDIT_SUPPRESSED;
    return broker_size > to->routed ? AUDIT_NOT_RECEIVED : AUDIT_ON_THE_WAY;
}

static json_t *proof_absent(const struct parcel_node *n, const struct parcel_to *to)
{
    struct audit_copy *b = to->is_routed_here ? audit_copy_of(to->broker) : NULL;
    struct value v = value_object();
    json_t *json = NULL;
    value_set(&v, "parcel", value_hex(hash_bytes(&n->hash)));
    value_set(&v, "delivery_seq", value_u64(to->delivery_seq));
    if (b)
        value_set(&v, "accepted", proof_entry(b, to->routed));
    return value_finish(&v, &json) ? NULL : json;
}

static int check_absent(struct audit *a, const struct parcel_node *n, const struct parcel_to *to)
{
    struct audit_copy *r = copy_of_member(a, to->member);
    struct group *g = NULL;
    enum audit_code code = AUDIT_NOT_RECEIVED;
    bool is_there = to->is_received || to->is_refused || to->is_receipted;
    if (!is_there && !r && (!audit_copy_of(n->from) || (n->has_class && n->is_receipt)))
        return COMITY_OK; /* neither end was given, or nothing answers it: there is nothing to check
                           */
    audit_did(a, NULL, CHECK_ACCEPTED, is_there);
    if (is_there)
        return COMITY_OK;
    if (r)
        code = judge_absent(r, to, known_size(r, to->broker));
    struct origin_node *of = r ? r->origin : origin_of_member(a, to->member, n->from);
    if (!of)
        return COMITY_E_NOMEM;
    const struct group_key key = {.code = code, .of = of, .other = n->from};
    struct audit_copy *b = audit_copy_of(to->broker);
    uint64_t time_ms = b && to->routed < b->time_ms.count ? b->time_ms.at[to->routed] : 0;
    int err = group_add(a, &key, to->routed, time_ms, &g);
    if (!err && !g->proof)
        g->proof = proof_absent(n, to);
    return err;
}

static int check_parcels(struct audit *a)
{
    int err = COMITY_OK;
    for (struct parcel_node *n = a->parcels; n && !err; n = n->hh.next) {
        if (!n->from)
            continue;
        for (size_t i = 0; !err && i < n->to_count; i++) {
            const struct parcel_to *to = &n->to[i];
            err = count_pair(a, n, to);
            if (!err && to->is_accepted)
                err = check_absent(a, n, to);
        }
    }
    return err;
}

/* ---- numbers that never came ---- */

static bool has_group(const struct audit *a, enum audit_code code, struct origin_node *of,
                      struct origin_node *other)
{
    for (const struct group *g = a->groups; g; g = g->hh.next)
        if (g->key.code == code && g->key.of == of && g->key.other == other)
            return true;
    return false;
}

static bool has_broker(const struct audit *a)
{
    for (size_t i = 0; i < a->copies.count; i++)
        if (a->copies.at[i]->is_broker && !a->copies.at[i]->is_renamed)
            return true;
    return false;
}

static int check_gaps(struct audit *a, struct audit_copy *c, const struct taken_from *t)
{
    if (!t->pair.gap_count || has_group(a, AUDIT_SUPPRESSED, c->origin, t->origin) ||
        has_group(a, AUDIT_NOT_RECEIVED, c->origin, t->origin) ||
        has_group(a, AUDIT_ON_THE_WAY, c->origin, t->origin))
        return COMITY_OK;
    bool is_settled = has_broker(a) && audit_copy_of(t->origin);
    const struct group_key key = {.code = is_settled ? AUDIT_NEVER_SENT : AUDIT_NUMBERS_MISSING,
                                  .of = c->origin,
                                  .other = t->origin};
    struct group *g = NULL;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->pair.gap_count; i++) {
        err = group_add(a, &key, t->pair.gap[i].first, 0, &g);
        if (!err)
            g->count += t->pair.gap[i].last - t->pair.gap[i].first;
    }
    if (!err) {
        g->has_number = true;
        g->number = t->pair.gap[0].first;
    }
    return err;
}

static int check_all_gaps(struct audit *a)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < a->copies.count; i++)
        for (struct taken_from *t = a->copies.at[i]->senders; t && !err; t = t->hh.next)
            err = check_gaps(a, a->copies.at[i], t);
    return err;
}

int reconcile(struct audit *a)
{
    int err = claims_check(a);
    if (!err)
        err = check_parcels(a);
    if (!err)
        err = check_all_gaps(a);
    for (size_t i = 0; !err && i < a->copies.count; i++)
        err = a->copies.at[i]->is_renamed ? COMITY_OK : times_check(a, a->copies.at[i]);
    return err;
}
