/*
 * Which drafts of a turn travel together: the order in which it appends, and the parcels that it
 * builds. See PROTOCOL.md, SUBMIT; the bounds here keep every parcel below PARCEL_BYTES_MAX.
 */
#include "core.h"

#include <stdlib.h>
#include <string.h>

enum {
    GROUP_ENTRIES_MAX = 256,
    GROUP_BYTES = 256 * 1024, /* of openings and entries, unless a single one takes more */
    GROUP_ENCLOSED_MAX = PARCEL_ENCLOSURES_MAX / 2
};

int turn_enclose(struct turn *t, uint64_t index, const struct enclosed **ret)
{
    struct enclosed *e = NULL;
    struct buf entry = BUF_INIT;
    HASH_FIND(hh, t->enclosed, &index, sizeof index, e);
    if (e) {
        *ret = e;
        return COMITY_OK;
    }
    struct ledger *l = t->node->ledger;
    e = arena_alloc(t->arena, sizeof *e);
    int err = e ? ledger_entry(l, index, &entry) : COMITY_E_NOMEM;
    if (!err) {
        e->index = index;
        e->entry = arena_copy(t->arena, buf_bytes(&entry));
        err = e->entry.data ? COMITY_OK : COMITY_E_NOMEM;
    }
    buf_free(&entry);
    if (!err)
        err = ledger_opening(l, bytes_of(ledger_origin(l)), index, t->arena, &e->opening);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_ERASED || err == COMITY_E_WITHHELD) {
        e->opening = (struct opening){0};
        err = COMITY_OK;
    }
    if (err)
        return err;
    HASH_ADD(hh, t->enclosed, index, sizeof e->index, e);
    *ret = e;
    return COMITY_OK;
}

/* ---- order ---- */

static int compare_to(const struct draft *a, const struct draft *b)
{
    if (a->to_count != b->to_count)
        return a->to_count < b->to_count ? -1 : 1;
    for (size_t i = 0; i < a->to_count; i++) {
        int order = bytes_compare(a->to[i], b->to[i]);
        if (order)
            return order;
    }
    return 0;
}

static int compare_slots(const void *x, const void *y)
{
    const struct slot *a = *(struct slot *const *)x;
    const struct slot *b = *(struct slot *const *)y;
    if (a->class != b->class)
        return a->class < b->class ? -1 : 1;
    int order = a->class == SLOT_RECEIPT || a->class == SLOT_CONTENT ? compare_to(&a->d, &b->d) : 0;
    if (order)
        return order;
    return a->order < b->order ? -1 : a->order > b->order;
}

static bool travels(const struct slot *s)
{
    return s->class == SLOT_VOID || s->class == SLOT_RECEIPT || s->class == SLOT_CONTENT;
}

/* ---- parcels ---- */

/* The parcel that is being filled. */
struct filling {
    struct slot *const *slot;
    size_t count;
    size_t bytes;
    size_t blobs;
    const struct enclosed *own[GROUP_ENCLOSED_MAX];
    size_t own_count;
    const struct parcel_enclosure *foreign[GROUP_ENCLOSED_MAX];
    const struct opening *foreign_opening[GROUP_ENCLOSED_MAX];
    size_t foreign_count;
};

/* The place of ${index} in f->own; *ret_found says whether it is there. */
static size_t own_place(const struct filling *f, uint64_t index, bool *ret_found)
{
    size_t lo = 0;
    size_t hi = f->own_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (f->own[mid]->index < index)
            lo = mid + 1;
        else
            hi = mid;
    }
    *ret_found = lo < f->own_count && f->own[lo]->index == index;
    return lo;
}

static size_t enclosed_weight(const struct enclosed *e)
{
    return e->entry.len + e->opening.body.len + 96;
}

static size_t foreign_weight(const struct parcel_enclosure *e, const struct opening *o)
{
    return e->entry.len + e->checkpoint.len + 34 * e->proof_count + e->routed.len + o->body.len +
           128;
}

static bool has_foreign(const struct filling *f, const struct parcel_enclosure *e)
{
    for (size_t i = 0; i < f->foreign_count; i++)
        if (bytes_equal(f->foreign[i]->entry, e->entry) &&
            bytes_equal(f->foreign[i]->checkpoint, e->checkpoint))
            return true;
    return false;
}

/* Add the enclosures of ${s}; false when there is no room left for them. The filling may be half
 * changed then. */
static int add_enclosures(struct turn *t, struct filling *f, const struct slot *s, bool *ret_fits)
{
    *ret_fits = false;
    for (size_t i = 0; i < s->d.enclosed_own_count; i++) {
        bool found = false;
        size_t at = own_place(f, s->d.enclosed_own[i], &found);
        if (found)
            continue;
        if (f->own_count == GROUP_ENCLOSED_MAX)
            return COMITY_OK;
        const struct enclosed *e = NULL;
        int err = turn_enclose(t, s->d.enclosed_own[i], &e);
        if (err)
            return err;
        memmove(&f->own[at + 1], &f->own[at], (f->own_count - at) * sizeof f->own[0]);
        f->own[at] = e;
        f->own_count++;
        f->bytes += enclosed_weight(e);
    }
    for (size_t i = 0; i < s->d.enclosed_foreign_count; i++) {
        const struct parcel_enclosure *e = &s->d.enclosed_foreign[i];
        if (has_foreign(f, e))
            continue;
        if (f->foreign_count == GROUP_ENCLOSED_MAX)
            return COMITY_OK;
        f->foreign[f->foreign_count] = e;
        f->foreign_opening[f->foreign_count++] = &s->d.enclosed_opening[i];
        f->bytes += foreign_weight(e, &s->d.enclosed_opening[i]);
    }
    *ret_fits = true;
    return COMITY_OK;
}

/* Take ${s} into the parcel, if there is room. An empty one takes any. */
static int try_fill(struct turn *t, struct filling *f, const struct slot *s, bool *ret_fits)
{
    const struct slot *first = f->count ? f->slot[0] : NULL;
    if (first &&
        (s->class != first->class || s->class == SLOT_VOID || compare_to(&s->d, &first->d) != 0 ||
         f->count == GROUP_ENTRIES_MAX || f->blobs + s->d.blob_count > PARCEL_BLOBS_MAX)) {
        *ret_fits = false;
        return COMITY_OK;
    }
    size_t own_count = f->own_count;
    bool has_enclosures = s->d.enclosed_own_count || s->d.enclosed_foreign_count;
    struct filling before;
    if (has_enclosures)
        before = *f;
    size_t bytes = f->bytes;
    int err = add_enclosures(t, f, s, ret_fits);
    if (err)
        return err;
    f->bytes += s->weight;
    if (first && f->bytes > GROUP_BYTES)
        *ret_fits = false;
    if (!*ret_fits) {
        if (has_enclosures)
            *f = before;
        f->own_count = own_count;
        f->bytes = bytes;
        return COMITY_OK;
    }
    f->count++;
    f->blobs += s->d.blob_count;
    return COMITY_OK;
}

static int compare_blobs(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static int gather_blobs(struct turn *t, const struct filling *f, struct planned *p)
{
    struct bytes *blobs = arena_alloc(t->arena, f->blobs * sizeof *blobs);
    size_t n = 0;
    size_t kept = 0;
    if (!blobs)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; k < f->slot[i]->d.blob_count; k++)
            blobs[n++] = f->slot[i]->d.blobs[k];
    qsort(blobs, n, sizeof *blobs, compare_blobs);
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || !bytes_equal(blobs[kept - 1], blobs[i]))
            blobs[kept++] = blobs[i];
    p->blobs = blobs;
    p->blob_count = kept;
    return COMITY_OK;
}

static void *copy_of(struct arena *a, const void *from, size_t len)
{
    void *to = arena_alloc_raw(a, len);
    if (to && len)
        memcpy(to, from, len);
    return to;
}

/* The filling becomes a planned parcel. */
static int close_filling(struct turn *t, struct filling *f)
{
    if (f->count == 0)
        return COMITY_OK;
    struct planned p = {.slot = f->slot,
                        .count = f->count,
                        .own_count = f->own_count,
                        .foreign_count = f->foreign_count};
    size_t recipients = f->slot[0]->d.to_count;
    p.own = copy_of(t->arena, f->own, f->own_count * sizeof f->own[0]);
    p.foreign = copy_of(t->arena, f->foreign, f->foreign_count * sizeof f->foreign[0]);
    p.foreign_opening =
        copy_of(t->arena, f->foreign_opening, f->foreign_count * sizeof f->foreign_opening[0]);
    p.peer = arena_alloc(t->arena, recipients * sizeof(*p.peer));
    p.pair_first = arena_alloc(t->arena, recipients * sizeof(*p.pair_first));
    if (!p.own || !p.foreign || !p.foreign_opening || !p.peer || !p.pair_first)
        return COMITY_E_NOMEM;
    int err = gather_blobs(t, f, &p);
    if (!err)
        err = LIST_ADD(t->planned, p);
    f->count = 0;
    f->bytes = 0;
    f->blobs = 0;
    f->own_count = 0;
    f->foreign_count = 0;
    return err;
}

int turn_group(struct turn *t)
{
    t->order.count = 0;
    for (size_t i = 0; i < t->slots.count; i++) {
        int err = LIST_ADD(t->order, &t->slots.at[i]);
        if (err)
            return err;
    }
    if (t->order.count)
        qsort(t->order.at, t->order.count, sizeof(struct slot *), compare_slots);
    struct filling f = {0};
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < t->order.count; i++) {
        const struct slot *s = t->order.at[i];
        bool fits = false;
        if (!travels(s))
            continue;
        if (f.count)
            err = try_fill(t, &f, s, &fits);
        if (!err && !fits) {
            err = close_filling(t, &f);
            f.slot = &t->order.at[i];
            if (!err)
                err = try_fill(t, &f, s, &fits);
            if (!err && !fits)
                err = COMITY_E_TOO_LARGE;
        }
    }
    return err ? err : close_filling(t, &f);
}
