/*
 * The provable time of an entry: not before the time of the last entry that the newest foreign
 * checkpoint logged before it covers (read in that ledger), and not after the broker had a
 * checkpoint that covers it. A clock may differ by AUDIT_CLOCK_MS.
 */
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdlib.h>

static int compare_known(const void *p, const void *q)
{
    const struct known *x = p;
    const struct known *y = q;
    if (x->index != y->index)
        return x->index < y->index ? -1 : 1;
    return (x->size > y->size) - (x->size < y->size);
}

static int compare_routed(const void *p, const void *q)
{
    const struct routed_at *x = p;
    const struct routed_at *y = q;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    return (x->time_ms > y->time_ms) - (x->time_ms < y->time_ms);
}

/* When ledger ${k->of} was that large, by its own copy; 0 when that cannot be told. */
static uint64_t time_of(const struct known *k)
{
    const struct audit_copy *c = audit_copy_of(k->of);
    if (!c || k->size == 0 || k->size > c->covered || copy_is_bad(c, k->size - 1))
        return 0;
    return c->time_ms.at[k->size - 1];
}

static int tell(struct audit *a, struct audit_copy *c, enum audit_code code, uint64_t index,
                struct origin_node *other, uint64_t bound_ms)
{
    struct group *g = NULL;
    const struct group_key key = {.code = code, .of = c->origin, .other = other};
    int err = group_add(a, &key, index, bound_ms, &g);
    if (!err && !g->proof)
        g->proof = proof_entry(c, index);
    return err;
}

/* Later entries cannot be older than what was known before. */
static int check_lower(struct audit *a, struct audit_copy *c)
{
    uint64_t bound = 0;
    struct origin_node *by = NULL;
    size_t at = 0;
    if (c->known.count)
        qsort(c->known.at, c->known.count, sizeof *c->known.at, compare_known);
    int err = COMITY_OK;
    for (uint64_t i = 0; !err && i < c->size; i++) {
        for (; at < c->known.count && c->known.at[at].index <= i; at++) {
            uint64_t time_ms = time_of(&c->known.at[at]);
            if (time_ms > bound) {
                bound = time_ms;
                by = c->known.at[at].of;
            }
        }
        if (!bound || copy_is_bad(c, i))
            continue;
        bool ok = c->time_ms.at[i] + AUDIT_CLOCK_MS >= bound;
        audit_did(a, NULL, CHECK_TIMES, ok);
        if (!ok)
            err = tell(a, c, AUDIT_BACK_DATED, i, by, bound);
    }
    return err;
}

/* From the end: the earliest time at which the broker had any checkpoint that covers the entry. */
static int check_upper(struct audit *a, struct audit_copy *c)
{
    struct origin_node *o = c->origin;
    const struct routed_at *bound = NULL;
    size_t left = o->routed.count;
    if (left)
        qsort(o->routed.at, left, sizeof *o->routed.at, compare_routed);
    int err = COMITY_OK;
    for (uint64_t i = c->size; !err && i > 0; i--) {
        for (; left > 0 && o->routed.at[left - 1].size >= i; left--)
            if (!bound || o->routed.at[left - 1].time_ms <= bound->time_ms)
                bound = &o->routed.at[left - 1];
        if (!bound || copy_is_bad(c, i - 1))
            continue;
        bool ok = c->time_ms.at[i - 1] <= bound->time_ms + AUDIT_CLOCK_MS;
        audit_did(a, NULL, CHECK_TIMES, ok);
        if (!ok)
            err = tell(a, c, AUDIT_POST_DATED, i - 1, bound->broker, bound->time_ms);
    }
    return err;
}

int times_check(struct audit *a, struct audit_copy *c)
{
    int err = check_lower(a, c);
    return err ? err : check_upper(a, c);
}
