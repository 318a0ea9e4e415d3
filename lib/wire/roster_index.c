/*
 * The rules that a roster's content must keep, and the indexes over it. See roster_index.h.
 *
 * Members are sorted by id, which makes ids unique. An origin is made of its
 * member's id and of its ledger's place, so origins, and with them the names of ledger keys, are
 * unique by their form; an authority key's name is no origin. What is left to compare across the
 * roster is the keys themselves.
 */
#include "wire/roster_index.h"

#include "base/text.h"
#include "crypto/seal.h"
#include "wire/lines.h"
#include "wire/member.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_LEN = 32 };

/* A set of public keys of one kind, of which none may stand in the roster twice. */
struct keys {
    const uint8_t **at;
    size_t count;
};

/* ---- one member ---- */

/* An unknown generation would be a ledger that nobody here can check; so there are no gaps. */
static int origin_check(const struct roster_member *m, size_t place, const struct network *network)
{
    struct origin parts;
    int err = text_get_origin(m->ledgers[place].origin, &parts);
    if (err)
        return err;
    if (!bytes_is(parts.network, network->name) || !bytes_equal(parts.member, m->id) ||
        parts.generation != place + 1)
        return COMITY_E_MALFORMED;
    return COMITY_OK;
}

static int closing_check(const struct roster_ledger *ledger, bool is_last,
                         const struct network *network)
{
    if (!ledger->is_closed)
        return is_last && ledger->closed_root.len == 0 && ledger->witness_count == 0
                   ? COMITY_OK
                   : COMITY_E_MALFORMED;
    if (ledger->closed_root.len != HASH_LEN)
        return COMITY_E_MALFORMED;
    for (size_t i = 0; i < ledger->witness_count; i++) {
        struct origin parts;
        if (text_get_origin(ledger->witness[i].broker, &parts) ||
            !bytes_is(parts.network, network->name))
            return COMITY_E_MALFORMED;
    }
    return COMITY_OK;
}

static int ledger_read(const struct roster_member *m, size_t place, const struct network *network,
                       struct roster_origin *ret)
{
    const struct roster_ledger *ledger = &m->ledgers[place];
    bool is_last = place + 1 == m->ledger_count;
    struct roster_origin o = {.member = m,
                              .ledger = ledger,
                              .suite = suite_get(ledger->suite),
                              .is_current = is_last && !ledger->is_closed};
    int err = origin_check(m, place, network);
    if (!err)
        err = closing_check(ledger, is_last, network);
    if (!err && !o.suite)
        err = COMITY_E_SUITE;
    if (!err)
        err = vkey_read(ledger->vkey, &o.verifier);
    if (!err && !bytes_is(ledger->origin, o.verifier.name))
        err = COMITY_E_MALFORMED;
    if (!err)
        *ret = o;
    return err;
}

static int x25519_check(struct bytes key)
{
    return key.len == KEY_LEN ? seal_public_check(key.data) : COMITY_E_MALFORMED;
}

static int member_check(const struct roster_member *m)
{
    if (!member_id_fits(m->role, m->id) || m->name.len == 0 || !text_is_line(m->name) ||
        !member_endpoints_fit(m->role, m->endpoints, m->endpoint_count))
        return COMITY_E_MALFORMED;
    int err = COMITY_OK;
    if (m->curve.len > 0 || m->role != MEMBER_AUDITOR)
        err = x25519_check(m->curve);
    for (size_t i = 0; !err && i < m->seal_count; i++)
        err = x25519_check(m->seal[i]);
    return err;
}

/* ---- across the roster ---- */

static int compare_keys(const void *a, const void *b)
{
    return memcmp(*(const uint8_t *const *)a, *(const uint8_t *const *)b, KEY_LEN);
}

static int keys_check_unique(struct keys *k)
{
    qsort(k->at, k->count, sizeof k->at[0], compare_keys);
    for (size_t i = 1; i < k->count; i++)
        if (memcmp(k->at[i - 1], k->at[i], KEY_LEN) == 0)
            return COMITY_E_BAD_KEY;
    return COMITY_OK;
}

/* Ed25519: a ledger that signs with another's key, or with the authority's. */
static int signing_keys_check(const struct roster_index *x, const struct network *network)
{
    struct keys k = {0};
    k.at = calloc(x->origin_count + network->authority_count, sizeof k.at[0]);
    if (!k.at)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < x->origin_count; i++)
        k.at[k.count++] = x->origins[i].verifier.pub;
    for (size_t i = 0; i < network->authority_count; i++)
        k.at[k.count++] = network->authority[i].pub;
    int err = keys_check_unique(&k);
    free(k.at);
    return err;
}

/* X25519: of sessions and of seals. */
static int exchange_keys_check(const struct roster_doc *doc, size_t count)
{
    struct keys k = {0};
    k.at = calloc(count + 1, sizeof k.at[0]);
    if (!k.at)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < doc->member_count; i++) {
        const struct roster_member *m = &doc->members[i];
        if (m->curve.len > 0)
            k.at[k.count++] = m->curve.data;
        for (size_t s = 0; s < m->seal_count; s++)
            k.at[k.count++] = m->seal[s].data;
    }
    int err = keys_check_unique(&k);
    free(k.at);
    return err;
}

/* ---- the indexes ---- */

static int compare_origins(const void *a, const void *b)
{
    return bytes_compare(((const struct roster_origin *)a)->ledger->origin,
                         ((const struct roster_origin *)b)->ledger->origin);
}

static int compare_curves(const void *a, const void *b)
{
    return memcmp((*(const struct roster_member *const *)a)->curve.data,
                  (*(const struct roster_member *const *)b)->curve.data, KEY_LEN);
}

size_t roster_index_find(const struct roster_index *x, struct bytes origin)
{
    struct roster_ledger ledger = {.origin = origin};
    struct roster_origin wanted = {.ledger = &ledger};
    const struct roster_origin *found =
        x->origin_count == 0
            ? NULL
            : bsearch(&wanted, x->origins, x->origin_count, sizeof x->origins[0], compare_origins);
    return found ? (size_t)(found - x->origins) : SIZE_MAX;
}

static int members_read(struct roster_index *x, const struct roster_doc *doc,
                        const struct network *network)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < doc->member_count; i++) {
        const struct roster_member *m = &doc->members[i];
        err = i > 0 && bytes_compare(m[-1].id, m->id) >= 0 ? COMITY_E_MALFORMED : member_check(m);
        if (!err && m->curve.len > 0)
            x->by_curve[x->curve_count++] = m;
        for (size_t place = 0; !err && place < m->ledger_count; place++) {
            err = ledger_read(m, place, network, &x->origins[x->origin_count]);
            x->origin_count += !err;
        }
    }
    return err;
}

static void find_current(struct roster_index *x, const struct roster_doc *doc)
{
    for (size_t i = 0; i < doc->member_count; i++)
        x->current[i] = SIZE_MAX;
    for (size_t i = 0; i < x->origin_count; i++)
        if (x->origins[i].is_current)
            x->current[x->origins[i].member - doc->members] = i;
}

int roster_index_init(struct roster_index *x, const struct roster_doc *doc,
                      const struct network *network)
{
    size_t ledgers = 0, exchange = 0;
    for (size_t i = 0; i < doc->member_count; i++) {
        ledgers += doc->members[i].ledger_count;
        exchange += doc->members[i].seal_count + 1;
    }
    *x = (struct roster_index){
        .origins = calloc(ledgers + 1, sizeof x->origins[0]),
        .by_curve = calloc(doc->member_count + 1, sizeof x->by_curve[0]),
        .current = calloc(doc->member_count + 1, sizeof x->current[0]),
    };
    int err = x->origins && x->by_curve && x->current ? COMITY_OK : COMITY_E_NOMEM;
    if (!err)
        err = members_read(x, doc, network);
    if (!err)
        err = signing_keys_check(x, network);
    if (!err)
        err = exchange_keys_check(doc, exchange);
    if (!err) {
        qsort(x->origins, x->origin_count, sizeof x->origins[0], compare_origins);
        qsort(x->by_curve, x->curve_count, sizeof x->by_curve[0], compare_curves);
        find_current(x, doc);
    } else {
        roster_index_done(x);
    }
    return err;
}

void roster_index_done(struct roster_index *x)
{
    free(x->origins);
    free(x->by_curve);
    free(x->current);
    *x = (struct roster_index){0};
}
