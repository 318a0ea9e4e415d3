/*
 * Do the entries lead to the checkpoints that their owner signed, and if not, which of them is
 * wrong?
 *
 * Three things know an entry's hash: the entry behind it, the stored tile, and, through the tree,
 * every checkpoint. Where entry and tile or successor differ, the leaf that these name is tried in
 * the tree; when the newest checkpoint's root comes out, the entry is wrong, and it is proven which
 * one. When it does not come out, what can be said is that everything below the last checkpoint
 * that fits is as it was signed.
 */
#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdlib.h>
#include <string.h>

enum { TILE_ENTRIES = 256, TOLD_MAX = 16 };

/* A leaf that is to be tried, and the one that the entry as it lies there has. */
struct repair {
    uint64_t index;
    struct hash expected;
    struct hash found;
};

struct locating {
    struct audit *a;
    struct audit_copy *c;
    uint64_t good;  /* the largest checkpoint that fits */
    uint64_t wrong; /* the smallest above it that does not; 0: none */
    uint64_t newest;
    LIST(struct repair) repairs;
};

static bool counts(const struct locating *l, const struct stored_checkpoint *s)
{
    return s->size <= l->c->size && (s->is_signed || !l->c->origin->owner);
}

/* Hold the tree against every checkpoint. */
static int compare(struct locating *l, bool count)
{
    struct audit_copy *c = l->c;
    l->good = l->wrong = l->newest = 0;
    for (size_t i = 0; i < c->checkpoints.count; i++) {
        struct stored_checkpoint *s = &c->checkpoints.at[i];
        struct hash root;
        s->fits = false;
        if (!counts(l, s))
            continue;
        int err = leaves_root(&c->tree, s->size, &root);
        if (err)
            return err;
        s->fits = hash_equal(&root, &s->root);
        l->newest = s->size;
        if (s->fits) {
            l->good = s->size;
            l->wrong = 0;
        } else if (!l->wrong) {
            l->wrong = s->size;
        }
        if (count)
            audit_did(l->a, c, CHECK_ROOTS, s->fits);
    }
    return COMITY_OK;
}

/* ---- hypotheses ---- */

enum hypothesis {
    TILES_AND_LINKS, /* tiles are right; where there is none, one entry's own prev may be what was
                        changed */
    LINKS_OR_PREV,   /* tiles are not asked */
    LINKS            /* every successor is right */
};

static const struct odd_entry *find_link(const struct audit_copy *c, size_t from, uint64_t index)
{
    for (size_t i = from; i < c->odd.count && c->odd.at[i].index <= index; i++)
        if (c->odd.at[i].what == ODD_LINK && c->odd.at[i].index == index)
            return &c->odd.at[i];
    return NULL;
}

static int expect(struct locating *l, uint64_t index, const struct hash *leaf)
{
    struct audit_copy *c = l->c;
    if (index < l->good || index >= c->tree.leaf.count || hash_equal(&c->tree.leaf.at[index], leaf))
        return COMITY_OK;
    for (size_t i = 0; i < l->repairs.count; i++)
        if (l->repairs.at[i].index == index)
            return COMITY_OK;
    const struct repair r = {.index = index, .expected = *leaf, .found = c->tree.leaf.at[index]};
    return LIST_ADD(l->repairs, r);
}

static bool has_tile(const struct audit_copy *c, uint64_t index)
{
    return index / TILE_ENTRIES < c->size / TILE_ENTRIES;
}

static bool has_odd(const struct audit_copy *c, uint64_t index, enum odd what)
{
    for (size_t i = 0; i < c->odd.count && c->odd.at[i].index <= index; i++)
        if (c->odd.at[i].index == index && c->odd.at[i].what == what)
            return true;
    return false;
}

/* What an entry says of the one before is not so. Either of the two is wrong; ${ret_used}: its
 * successor was taken for right. */
static int suppose_link(struct locating *l, enum hypothesis h, size_t at, bool *ret_used)
{
    const struct audit_copy *c = l->c;
    const struct odd_entry *odd = &c->odd.at[at];
    const struct odd_entry *next = h == LINKS ? NULL : find_link(c, at, odd->index + 1);
    *ret_used = false;
    if (odd->index == 0)
        return COMITY_OK;
    bool is_before_right = odd->index - 1 < l->good;
    if (h == TILES_AND_LINKS && has_tile(c, odd->index - 1)) {
        if (has_tile(c, odd->index) || has_odd(c, odd->index - 1, ODD_TILE))
            return COMITY_OK;
        is_before_right = true;
    }
    *ret_used = next != NULL;
    if (next)
        return expect(l, odd->index, &next->hash);
    return is_before_right ? COMITY_OK : expect(l, odd->index - 1, &odd->hash);
}

static int suppose(struct locating *l, enum hypothesis h)
{
    int err = COMITY_OK;
    uint64_t skip = UINT64_MAX;
    l->repairs.count = 0;
    for (size_t i = 0; !err && i < l->c->odd.count; i++) {
        const struct odd_entry *odd = &l->c->odd.at[i];
        bool used = false;
        if (odd->what == ODD_TILE && h == TILES_AND_LINKS)
            err = expect(l, odd->index, &odd->hash);
        if (odd->what == ODD_LINK && odd->index != skip)
            err = suppose_link(l, h, i, &used);
        if (used)
            skip = odd->index + 1;
    }
    return err;
}

static int set_leaves(struct locating *l, bool expected)
{
    for (size_t i = 0; i < l->repairs.count; i++) {
        const struct repair *r = &l->repairs.at[i];
        l->c->tree.leaf.at[r->index] = expected ? r->expected : r->found;
    }
    return leaves_build(&l->c->tree);
}

/* Whether the newest checkpoint comes out; if it does not, the tree is as it was. */
static int attempt(struct locating *l, enum hypothesis h, bool *ret)
{
    int err = suppose(l, h);
    if (err || l->repairs.count == 0)
        return err;
    uint64_t newest = l->newest;
    err = set_leaves(l, true);
    if (!err)
        err = compare(l, false);
    *ret = l->good == newest;
    if (err || *ret)
        return err;
    err = set_leaves(l, false);
    return err ? err : compare(l, false);
}

/* ---- telling ---- */

static int tell(struct locating *l, enum audit_code code, uint64_t index, uint64_t size)
{
    struct finding *f = finding_add(l->a, code, l->c->origin);
    if (f) {
        finding_index(f, index);
        finding_number(f, "size", size);
        if (code == AUDIT_ENTRY_INVALID)
            finding_set(f, "why", json_string(comity_err_token(COMITY_E_MALFORMED)));
    }
    return finding_check(f);
}

static int compare_u64(const void *x, const void *y)
{
    uint64_t a = *(const uint64_t *)x;
    uint64_t b = *(const uint64_t *)y;
    return (a > b) - (a < b);
}

/* It is proven which entries are wrong: say so of the first few, and mark all. */
static int tell_repaired(struct locating *l)
{
    struct audit_copy *c = l->c;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < l->repairs.count; i++)
        err = LIST_ADD(c->bad, l->repairs.at[i].index);
    if (c->bad.count)
        qsort(c->bad.at, c->bad.count, sizeof *c->bad.at, compare_u64);
    for (size_t i = 0; !err && i < c->bad.count && i < TOLD_MAX; i++) {
        uint64_t index = c->bad.at[i];
        enum audit_code code = AUDIT_ENTRY_CHANGED;
        if (has_odd(c, index, ODD_MISSING))
            code = AUDIT_ENTRY_MISSING;
        else if (has_odd(c, index, ODD_LINK) && !copy_is_bad(c, index - 1))
            code = AUDIT_LINK_BROKEN;
        err = tell(l, code, index, l->good);
    }
    return err;
}

/* The first odd entry of a kind that is not vouched for. */
static const struct odd_entry *first_odd(const struct locating *l, enum odd what)
{
    for (size_t i = 0; i < l->c->odd.count; i++)
        if (l->c->odd.at[i].what == what && l->c->odd.at[i].index >= l->good)
            return &l->c->odd.at[i];
    return NULL;
}

/* Something from l->good on is wrong, and nothing shows what: say the most that can be said. */
static int tell_unknown(struct locating *l)
{
    const struct odd_entry *odd = NULL;
    l->c->believed = l->good;
    if (l->wrong - l->good == 1)
        return tell(l,
                    has_odd(l->c, l->good, ODD_MISSING) ? AUDIT_ENTRY_MISSING : AUDIT_ENTRY_CHANGED,
                    l->good, l->wrong);
    if ((odd = first_odd(l, ODD_MISSING)))
        return tell(l, AUDIT_ENTRY_MISSING, odd->index, l->wrong);
    if ((odd = first_odd(l, ODD_INVALID)))
        return tell(l, AUDIT_ENTRY_INVALID, odd->index, l->wrong);
    if ((odd = first_odd(l, ODD_LINK)))
        return tell(l, AUDIT_LINK_BROKEN, odd->index, l->wrong);
    return tell(l, AUDIT_ROOT_MISMATCH, l->good, l->wrong);
}

/* What is odd although the entries are those that were signed, or although nothing was signed, is
 * so by the owner's hand. */
static int tell_signed(struct locating *l)
{
    int err = COMITY_OK;
    size_t told = 0;
    for (size_t i = 0; !err && told < TOLD_MAX && i < l->c->odd.count; i++) {
        const struct odd_entry *odd = &l->c->odd.at[i];
        if (copy_is_bad(l->c, odd->index) || (odd->index && copy_is_bad(l->c, odd->index - 1)))
            continue;
        if (odd->what != ODD_LINK && odd->what != ODD_MISSING)
            continue;
        told++;
        if (odd->what == ODD_MISSING)
            err = tell(l, AUDIT_ENTRY_MISSING, odd->index, l->good);
        else
            err = tell(l, odd->index ? AUDIT_LINK_BROKEN : AUDIT_GENESIS, odd->index, l->good);
    }
    return err;
}

/* A checkpoint with the owner's signature that does not fit, below one that does: two histories. */
static int tell_own_forks(struct locating *l)
{
    struct audit_copy *c = l->c;
    for (size_t i = 0; i < c->checkpoints.count; i++) {
        const struct stored_checkpoint *s = &c->checkpoints.at[i];
        if (!s->is_signed || s->fits || s->size > l->good)
            continue;
        const struct claim_at at = {
            .holder = c, .place = PLACE_CHECKPOINT, .at = s->size, .index = UINT64_MAX};
        int err = claim_add(l->a, c->origin, s->size, &s->root, CLAIM_SIGNED, &at);
        if (err)
            return err;
    }
    return COMITY_OK;
}

static int settle(struct locating *l)
{
    struct audit_copy *c = l->c;
    c->covered = 0;
    for (size_t i = 0; i < c->checkpoints.count; i++)
        if (c->checkpoints.at[i].is_signed && c->checkpoints.at[i].fits)
            c->covered = c->checkpoints.at[i].size;
    return c->covered ? copy_checkpoint_note(c, c->covered, &c->note) : COMITY_OK;
}

int locate_damage(struct audit *a, struct audit_copy *c)
{
    struct locating l = {.a = a, .c = c};
    bool is_repaired = false;
    c->believed = UINT64_MAX;
    int err = compare(&l, true);
    c->is_sound = l.good == l.newest;
    for (enum hypothesis h = TILES_AND_LINKS; !err && !c->is_sound && !is_repaired && h <= LINKS;
         h++)
        err = attempt(&l, h, &is_repaired);
    if (!err && is_repaired)
        err = tell_repaired(&l);
    if (!err && !is_repaired && !c->is_sound)
        err = tell_unknown(&l);
    if (!err && (is_repaired || c->is_sound))
        err = tell_signed(&l);
    if (!err)
        err = tell_own_forks(&l);
    LIST_FREE(l.repairs);
    return err ? err : settle(&l);
}

bool copy_is_bad(const struct audit_copy *c, uint64_t index)
{
    return index >= c->believed || (c->bad.count && bsearch(&index, c->bad.at, c->bad.count,
                                                            sizeof *c->bad.at, compare_u64));
}
