/*
 * pair_seq at the recipient, held against a model that remembers every number.
 */
#include "wire/pair.h"

#include "wire/parcel.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define RANGE(a, b) ((struct pair_range){.first = (a), .last = (b)})

static enum pair_verdict judged(const struct pair *p, uint64_t first, uint64_t last)
{
    enum pair_verdict v = PAIR_BELOW;
    assert_int_equal(pair_judge(p, RANGE(first, last), &v), 0);
    return v;
}

static void take(struct pair *p, uint64_t first, uint64_t last, enum pair_verdict expected)
{
    assert_int_equal(judged(p, first, last), expected);
    assert_int_equal(pair_take(p, RANGE(first, last)), 0);
}

static void first_number_sets_the_base(void **state)
{
    (void)state;
    struct pair p = PAIR_INIT;
    take(&p, 17, 19, PAIR_FIRST);
    assert_int_equal(p.next, 20);
    assert_int_equal(p.gap_count, 0);
    assert_int_equal(judged(&p, 3, 4), PAIR_BELOW);
    assert_int_equal(judged(&p, 17, 19), PAIR_BELOW);
    take(&p, 20, 20, PAIR_NEXT);
    pair_free(&p);
}

static void beyond_next_leaves_a_gap_that_shrinks_and_closes(void **state)
{
    (void)state;
    struct pair p = PAIR_INIT;
    take(&p, 1, 1, PAIR_FIRST);
    take(&p, 10, 12, PAIR_BEYOND);
    assert_int_equal(p.gap_count, 1);
    take(&p, 4, 5, PAIR_FILLS); /* splits it */
    assert_int_equal(p.gap_count, 2);
    take(&p, 2, 2, PAIR_FILLS);
    take(&p, 9, 9, PAIR_FILLS);
    assert_int_equal(judged(&p, 4, 5), PAIR_BELOW);
    take(&p, 3, 3, PAIR_FILLS);
    take(&p, 6, 8, PAIR_FILLS);
    assert_int_equal(p.gap_count, 0);
    assert_int_equal(p.next, 13);
    pair_free(&p);
}

static void range_that_is_partly_taken_is_refused(void **state)
{
    (void)state;
    enum pair_verdict v;
    struct pair p = PAIR_INIT;
    take(&p, 1, 3, PAIR_FIRST);
    take(&p, 8, 9, PAIR_BEYOND);
    static const struct pair_range bad[] = {{3, 4}, {7, 8}, {3, 8}, {9, 10}, {2, 20}, {5, 12}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pair_judge(&p, bad[i], &v), COMITY_E_PAIR_SEQ);
    pair_free(&p);
}

static void numbers_that_are_none_are_refused(void **state)
{
    (void)state;
    enum pair_verdict v;
    struct pair p = PAIR_INIT;
    assert_int_equal(pair_judge(&p, RANGE(0, 1), &v), COMITY_E_PAIR_SEQ);
    assert_int_equal(pair_judge(&p, RANGE(2, 1), &v), COMITY_E_PAIR_SEQ);
    assert_int_equal(pair_judge(&p, RANGE(1, UINT64_MAX), &v), COMITY_E_PAIR_SEQ);
    pair_free(&p);
}

static void gaps_are_bounded(void **state)
{
    (void)state;
    enum pair_verdict v;
    struct pair p = PAIR_INIT;
    take(&p, 1, 1, PAIR_FIRST);
    for (uint64_t i = 0; i < PAIR_GAPS_MAX; i++)
        take(&p, 11 + 10 * i, 11 + 10 * i, PAIR_BEYOND);
    assert_int_equal(p.gap_count, PAIR_GAPS_MAX);
    assert_int_equal(pair_judge(&p, RANGE(p.next + 1, p.next + 1), &v), COMITY_E_LIMIT);
    assert_int_equal(pair_judge(&p, RANGE(5, 5), &v), COMITY_E_LIMIT); /* would split one */
    take(&p, 2, 2, PAIR_FILLS);
    take(&p, p.next, p.next, PAIR_NEXT);
    pair_free(&p);
}

/* ---- against a model ---- */

enum { MODEL = 24 };

/* What the verdict should be, from the set of numbers taken; COMITY_E_PAIR_SEQ as -1. */
static int model_verdict(const bool taken[MODEL + 2], uint64_t base, uint64_t next, uint64_t first,
                         uint64_t last)
{
    if (next == 0)
        return PAIR_FIRST;
    if (first >= next)
        return first == next ? PAIR_NEXT : PAIR_BEYOND;
    if (last >= next)
        return -1;
    size_t open = 0;
    for (uint64_t i = first; i <= last; i++)
        open += i >= base && !taken[i];
    return open == 0 ? PAIR_BELOW : open == last - first + 1 ? PAIR_FILLS : -1;
}

static void random_orders_agree_with_the_model(void **state)
{
    (void)state;
    srand(1);
    for (size_t run = 0; run < 20000; run++) {
        struct pair p = PAIR_INIT;
        bool taken[MODEL + 2] = {0};
        uint64_t base = 0;
        uint64_t next = 0;
        for (size_t step = 0; step < 24; step++) {
            uint64_t first = 1 + (uint64_t)rand() % MODEL;
            uint64_t last = first + (uint64_t)rand() % 4;
            if (last > MODEL)
                last = MODEL;
            int expected = model_verdict(taken, base, next, first, last);
            enum pair_verdict v = PAIR_BELOW;
            int err = pair_judge(&p, RANGE(first, last), &v);
            assert_int_equal(err, expected < 0 ? COMITY_E_PAIR_SEQ : 0);
            if (err)
                continue;
            assert_int_equal(v, expected);
            if (v == PAIR_BELOW)
                continue;
            assert_int_equal(pair_take(&p, RANGE(first, last)), 0);
            if (v == PAIR_FIRST)
                base = first;
            for (uint64_t i = first; i <= last; i++)
                taken[i] = true;
            if (last >= next)
                next = last + 1;
        }
        /* The gaps are exactly what is missing, and reading them back gives the same. */
        struct pair again = {.next = p.next};
        size_t missing = 0;
        for (size_t i = 0; i < p.gap_count; i++) {
            for (uint64_t k = p.gap[i].first; k <= p.gap[i].last; k++)
                assert_false(taken[k]);
            missing += p.gap[i].last - p.gap[i].first + 1;
            assert_int_equal(pair_add_gap(&again, p.gap[i]), 0);
        }
        for (uint64_t i = base; next && i < next; i++)
            missing -= !taken[i];
        assert_int_equal(missing, 0);
        assert_int_equal(again.gap_count, p.gap_count);
        pair_free(&again);
        pair_free(&p);
    }
}

static void gaps_out_of_order_are_not_read_back(void **state)
{
    (void)state;
    struct pair p = {.next = 20};
    assert_int_equal(pair_add_gap(&p, RANGE(5, 7)), 0);
    static const struct pair_range bad[] = {{3, 4}, {7, 9}, {8, 9}, {12, 11}, {15, 20}, {0, 0}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(pair_add_gap(&p, bad[i]), COMITY_E_INVALID);
    assert_int_equal(pair_add_gap(&p, RANGE(9, 9)), 0);
    pair_free(&p);
}

/* ---- the numbers of a parcel ---- */

struct numbered {
    struct entry entry;
    struct entry_to to[2];
    struct buf ref;
    struct hash leaf;
};

/* An entry for "a" and "b" with these numbers; ${span}: a REFUSED that voids so many, 0 for an
 * ordinary one. */
static void number(struct numbered *n, uint64_t a, uint64_t b, uint32_t span)
{
    *n = (struct numbered){.to = {{.member = BYTES_LIT("a"), .pair_seq = a},
                                  {.member = BYTES_LIT("b"), .pair_seq = b}}};
    n->entry.kind = ENTRY_RECORD;
    n->entry.to = n->to;
    n->entry.to_count = 2;
    if (!span)
        return;
    ref_refused_put(&n->ref, &(struct ref_refused){.count = span, .token = BYTES_LIT("quota")});
    n->entry.kind = ENTRY_REFUSED;
    n->entry.ref = buf_bytes(&n->ref);
    n->entry.has_source = true;
    n->entry.source = (struct entry_source){
        .origin = BYTES_LIT("net/hub"), .has_index = true, .leaf = hash_bytes(&n->leaf)};
}

static int range_of(struct numbered *n, size_t count, const char *member, struct pair_range *ret)
{
    struct entry e[4];
    for (size_t i = 0; i < count; i++)
        e[i] = n[i].entry;
    int err = pair_of_entries(e, count, bytes_of(member), ret);
    for (size_t i = 0; i < count; i++)
        buf_free(&n[i].ref);
    return err;
}

static void parcel_numbers_are_consecutive_for_each_recipient(void **state)
{
    (void)state;
    struct numbered n[3];
    struct pair_range r;
    number(&n[0], 4, 9, 0);
    number(&n[1], 5, 10, 0);
    number(&n[2], 6, 12, 0);
    assert_int_equal(range_of(n, 3, "a", &r), 0);
    assert_true(r.first == 4 && r.last == 6);
    assert_int_equal(range_of(n, 3, "b", &r), COMITY_E_PAIR_SEQ);
    assert_int_equal(range_of(n, 3, "c", &r), COMITY_E_PAIR_SEQ);
    assert_int_equal(range_of(n, 0, "a", &r), COMITY_E_PAIR_SEQ);
}

static void voiding_entry_stands_for_its_count(void **state)
{
    (void)state;
    struct numbered n[2];
    struct pair_range r;
    number(&n[0], 4, 1, 5);
    number(&n[1], 9, 6, 0);
    assert_int_equal(range_of(n, 2, "a", &r), 0);
    assert_true(r.first == 4 && r.last == 9);
    number(&n[0], 4, 1, 5);
    number(&n[1], 5, 6, 0);
    assert_int_equal(range_of(n, 2, "a", &r), COMITY_E_PAIR_SEQ);
}

static void refusal_of_a_delivery_voids_nothing(void **state)
{
    (void)state;
    struct numbered n;
    struct pair_range r;
    number(&n, 4, 1, 5);
    n.entry.source.leaf = BYTES_NONE; /* it names a parcel by its size and root instead */
    n.entry.source.has_size = true;
    assert_false(pair_is_void(&n.entry));
    assert_int_equal(range_of(&n, 1, "a", &r), 0);
    assert_true(r.first == 4 && r.last == 4);
}

static void voiding_entry_without_a_count_is_malformed(void **state)
{
    (void)state;
    struct numbered n;
    struct pair_range r;
    number(&n, 4, 1, 5);
    n.entry.ref = bytes_slice(n.entry.ref, 0, 20);
    assert_int_equal(range_of(&n, 1, "a", &r), COMITY_E_MALFORMED);
    number(&n, 4, 1, 5);
    memset(n.ref.data + HASH_LEN, 0, 4);
    assert_int_equal(range_of(&n, 1, "a", &r), COMITY_E_MALFORMED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_number_sets_the_base),
        cmocka_unit_test(beyond_next_leaves_a_gap_that_shrinks_and_closes),
        cmocka_unit_test(range_that_is_partly_taken_is_refused),
        cmocka_unit_test(numbers_that_are_none_are_refused),
        cmocka_unit_test(gaps_are_bounded),
        cmocka_unit_test(random_orders_agree_with_the_model),
        cmocka_unit_test(gaps_out_of_order_are_not_read_back),
        cmocka_unit_test(parcel_numbers_are_consecutive_for_each_recipient),
        cmocka_unit_test(voiding_entry_stands_for_its_count),
        cmocka_unit_test(refusal_of_a_delivery_voids_nothing),
        cmocka_unit_test(voiding_entry_without_a_count_is_malformed),
    };
    return cmocka_run_group_tests_name("pair", tests, NULL, NULL);
}
