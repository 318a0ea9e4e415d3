/*
 * pair_seq at the recipient. See pair.h.
 */
#include "wire/pair.h"

#include "wire/parcel.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

#define PAIR_MAX ((uint64_t)1 << 62)

void pair_free(struct pair *p)
{
    if (!p)
        return;
    free(p->gap);
    *p = PAIR_INIT;
}

/* The first gap that ends at or behind ${number}; gap_count when there is none. */
static size_t gap_at(const struct pair *p, uint64_t number)
{
    size_t lo = 0;
    size_t hi = p->gap_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (p->gap[mid].last < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Whether ${r} lies strictly inside ${gap}: taking it leaves two. */
static bool splits(struct pair_range gap, struct pair_range r)
{
    return r.first > gap.first && r.last < gap.last;
}

int pair_judge(const struct pair *p, struct pair_range r, enum pair_verdict *ret)
{
    if (r.first == 0 || r.last < r.first || r.last > PAIR_MAX)
        return COMITY_E_PAIR_SEQ;
    if (p->next == 0 || r.first == p->next) {
        *ret = p->next == 0 ? PAIR_FIRST : PAIR_NEXT;
        return COMITY_OK;
    }
    if (r.first > p->next) {
        if (p->gap_count >= PAIR_GAPS_MAX)
            return COMITY_E_LIMIT;
        *ret = PAIR_BEYOND;
        return COMITY_OK;
    }
    if (r.last >= p->next)
        return COMITY_E_PAIR_SEQ;
    size_t i = gap_at(p, r.first);
    if (i == p->gap_count || r.last < p->gap[i].first) {
        *ret = PAIR_BELOW;
        return COMITY_OK;
    }
    if (r.first < p->gap[i].first || r.last > p->gap[i].last)
        return COMITY_E_PAIR_SEQ;
    if (splits(p->gap[i], r) && p->gap_count >= PAIR_GAPS_MAX)
        return COMITY_E_LIMIT;
    *ret = PAIR_FILLS;
    return COMITY_OK;
}

/* Room for one more gap. */
static int reserve(struct pair *p)
{
    if (p->gap_count < p->gap_cap)
        return COMITY_OK;
    size_t cap = p->gap_cap ? 2 * p->gap_cap : 4;
    struct pair_range *gap = realloc(p->gap, cap * sizeof *gap);
    if (!gap)
        return COMITY_E_NOMEM;
    p->gap = gap;
    p->gap_cap = cap;
    return COMITY_OK;
}

/* Cut ${r} out of gap ${i}, which holds all of it. */
static int cut(struct pair *p, size_t i, struct pair_range r)
{
    struct pair_range *gap = &p->gap[i];
    size_t behind = p->gap_count - i - 1;
    if (splits(*gap, r)) {
        int err = reserve(p);
        if (err)
            return err;
        gap = &p->gap[i];
        memmove(gap + 1, gap, (behind + 1) * sizeof *gap);
        gap[0].last = r.first - 1;
        gap[1].first = r.last + 1;
        p->gap_count++;
    } else if (r.first == gap->first && r.last == gap->last) {
        memmove(gap, gap + 1, behind * sizeof *gap);
        p->gap_count--;
    } else if (r.first == gap->first) {
        gap->first = r.last + 1;
    } else {
        gap->last = r.first - 1;
    }
    return COMITY_OK;
}

int pair_take(struct pair *p, struct pair_range r)
{
    if (p->next && r.first < p->next)
        return cut(p, gap_at(p, r.first), r);
    if (p->next && r.first > p->next) {
        int err = reserve(p);
        if (err)
            return err;
        p->gap[p->gap_count++] = (struct pair_range){.first = p->next, .last = r.first - 1};
    }
    p->next = r.last + 1;
    return COMITY_OK;
}

int pair_add_gap(struct pair *p, struct pair_range r)
{
    if (r.first == 0 || r.last < r.first || r.last >= p->next ||
        (p->gap_count && r.first <= p->gap[p->gap_count - 1].last + 1) ||
        p->gap_count >= PAIR_GAPS_MAX)
        return COMITY_E_INVALID;
    int err = reserve(p);
    if (!err)
        p->gap[p->gap_count++] = r;
    return err;
}

bool pair_is_void(const struct entry *e)
{
    return e->kind == ENTRY_REFUSED && e->has_source && e->source.leaf.len && !e->source.has_size;
}

int pair_span(const struct entry *e, uint32_t *ret)
{
    struct ref_refused ref;
    if (!pair_is_void(e)) {
        *ret = 1;
        return COMITY_OK;
    }
    if (ref_refused_parse(e->ref, &ref) || ref.count == 0)
        return COMITY_E_MALFORMED;
    *ret = ref.count;
    return COMITY_OK;
}

static uint64_t number_for(const struct entry *e, struct bytes member)
{
    for (size_t i = 0; i < e->to_count; i++)
        if (bytes_equal(e->to[i].member, member))
            return e->to[i].pair_seq;
    return 0;
}

int pair_of_entries(const struct entry *entries, size_t n, struct bytes member,
                    struct pair_range *ret)
{
    struct pair_range r = {0};
    for (size_t i = 0; i < n; i++) {
        uint32_t span;
        uint64_t number = number_for(&entries[i], member);
        int err = pair_span(&entries[i], &span);
        if (err)
            return err;
        if (number == 0 || number > PAIR_MAX || (i > 0 && number != r.last + 1))
            return COMITY_E_PAIR_SEQ;
        if (i == 0)
            r.first = number;
        r.last = number + span - 1;
    }
    if (r.first == 0)
        return COMITY_E_PAIR_SEQ;
    *ret = r;
    return COMITY_OK;
}
