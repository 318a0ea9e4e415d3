/* Bodies: put and read in runs, withheld, erased from the disk, and erased for good. */
#include "ledger/ledger.h"

#include "ledgers.h"

#include <dirent.h>

static int set_up(void **state)
{
    *state = bench_new();
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

enum { RUN_MAX = OPENING_RUN_MAX };
static uint8_t salts[RUN_MAX][SALT_LEN];
static char bodies[RUN_MAX][200];
static struct opening list[RUN_MAX];

/* ${n} openings of entries first …; "marker NNN" stands in each body. Those in ${empty} (a bit
 * each) are withheld. */
static struct openings make_run(uint64_t first, size_t n, unsigned empty)
{
    for (size_t i = 0; i < n; i++) {
        memset(salts[i], (int)(first + i), SALT_LEN);
        snprintf(bodies[i], sizeof bodies[i],
                 "marker %llu of the run at %llu, and some text that makes it longer",
                 (unsigned long long)(first + i), (unsigned long long)first);
        list[i] = (struct opening){.salt = BYTES(salts[i], SALT_LEN), .body = bytes_of(bodies[i])};
        if (i < 32 && empty >> i & 1)
            list[i] = (struct opening){0};
    }
    return (struct openings){.opening = list, .count = n};
}

static void put(struct ledger *l, const char *from, uint64_t first, size_t n, unsigned empty)
{
    struct openings run = make_run(first, n, empty);
    assert_int_equal(ledger_begin(l), 0);
    assert_int_equal(ledger_openings_put(l, bytes_of(from), first, &run), 0);
    assert_int_equal(ledger_commit(l), 0);
}

static int get(struct ledger *l, const char *from, uint64_t index, char *ret, size_t cap)
{
    struct arena *a = arena_new(1 << 20);
    struct opening o = {0};
    int err = ledger_opening(l, bytes_of(from), index, a, &o);
    ret[0] = '\0';
    if (!err) {
        assert_int_equal(o.salt.len, SALT_LEN);
        assert_int_equal(o.salt.data[5], (uint8_t)index);
        snprintf(ret, cap, "%.*s", (int)o.body.len, (const char *)o.body.data);
    }
    arena_free(a);
    return err;
}

static void assert_marker(struct ledger *l, const char *from, uint64_t index, uint64_t run)
{
    char got[200], want[200];
    assert_int_equal(get(l, from, index, got, sizeof got), 0);
    snprintf(want, sizeof want, "marker %llu of the run at %llu,", (unsigned long long)index,
             (unsigned long long)run);
    assert_memory_equal(got, want, strlen(want));
}

static void put_run_is_read_one_by_one(void **state)
{
    struct bench *b = *state;
    char got[200];
    put(b->ledger, "cn-samr/330200-001", 100, 5, 1u << 2);
    put(b->ledger, origin, 0, RUN_MAX, 0); /* large enough to lie in a segment */
    assert_int_equal(bench_reopen(b), 0);
    for (uint64_t i = 0; i < RUN_MAX; i += 31)
        assert_marker(b->ledger, origin, i, 0);
    assert_marker(b->ledger, origin, RUN_MAX - 1, 0);
    assert_marker(b->ledger, "cn-samr/330200-001", 100, 100);
    assert_marker(b->ledger, "cn-samr/330200-001", 104, 100);
    assert_int_equal(get(b->ledger, "cn-samr/330200-001", 102, got, sizeof got), COMITY_E_WITHHELD);
    assert_int_equal(get(b->ledger, "cn-samr/330200-001", 99, got, sizeof got), COMITY_E_NOT_FOUND);
    assert_int_equal(get(b->ledger, "cn-samr/330200-001", 105, got, sizeof got),
                     COMITY_E_NOT_FOUND);
    assert_int_equal(get(b->ledger, "cn-samr/330200-002", 100, got, sizeof got),
                     COMITY_E_NOT_FOUND);
    assert_int_equal(get(b->ledger, origin, UINT64_MAX, got, sizeof got), COMITY_E_NOT_FOUND);
}

/* An enclosed record comes alone first, its parcel later; or withheld first, open later. */
static void overlapping_runs_are_all_found(void **state)
{
    struct bench *b = *state;
    static const char from[] = "cn-samr/330200-001";
    char got[200];
    put(b->ledger, from, 5, 1, 0);
    put(b->ledger, from, 0, 10, 0);
    put(b->ledger, from, 8, 1, 1);
    put(b->ledger, from, 20, 1, 1);
    assert_marker(b->ledger, from, 5, 0);
    assert_marker(b->ledger, from, 7, 0);
    assert_marker(b->ledger, from, 8, 0);
    assert_int_equal(get(b->ledger, from, 20, got, sizeof got), COMITY_E_WITHHELD);
    put(b->ledger, from, 20, 1, 0);
    assert_marker(b->ledger, from, 20, 20);
}

/* Whether any file of the store holds ${text}. */
static bool disk_has(const char *dir, const char *text)
{
    bool found = false;
    DIR *d = opendir(dir);
    struct dirent *e;
    assert_non_null(d);
    while (!found && (e = readdir(d))) {
        struct buf content = BUF_INIT;
        char path[512];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            found = disk_has(path, text);
        FILE *f = e->d_type == DT_REG ? fopen(path, "rb") : NULL;
        for (size_t n = 1; f && n > 0;) {
            uint8_t *to = buf_reserve(&content, 65536);
            assert_non_null(to);
            n = fread(to, 1, 65536, f);
            content.len += n;
        }
        if (f)
            fclose(f);
        found = found || (content.len > 0 && memmem(content.data, content.len, text, strlen(text)));
        buf_free(&content);
    }
    closedir(d);
    return found;
}

static void assert_erases(struct bench *b, uint64_t first, size_t n, uint64_t index)
{
    char got[200], marker[100];
    snprintf(marker, sizeof marker, "marker %llu of the run at %llu", (unsigned long long)index,
             (unsigned long long)first);
    put(b->ledger, origin, first, n, 0);
    assert_true(disk_has(b->dir, marker));
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_opening_erase(b->ledger, bytes_of(origin), index), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    assert_false(disk_has(b->dir, marker));
    assert_int_equal(get(b->ledger, origin, index, got, sizeof got), COMITY_E_ERASED);
    assert_marker(b->ledger, origin, index - 1, first);
    assert_marker(b->ledger, origin, index + 1, first);
}

static void erase_leaves_nothing_on_the_disk_and_the_neighbours_alone(void **state)
{
    struct bench *b = *state;
    assert_erases(b, 0, 5, 3);                 /* as a row */
    assert_erases(b, 5000, RUN_MAX, 5000 + 7); /* in a segment */
    assert_int_equal(bench_reopen(b), 0);
    char got[200];
    assert_int_equal(get(b->ledger, origin, 3, got, sizeof got), COMITY_E_ERASED);
}

static void erased_stays_erased_when_it_comes_again(void **state)
{
    struct bench *b = *state;
    char got[200];
    put(b->ledger, origin, 0, 3, 0);
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_opening_erase(b->ledger, bytes_of(origin), 1), 0);
    assert_int_equal(ledger_opening_erase(b->ledger, bytes_of(origin), 1), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    put(b->ledger, origin, 1, 2, 0);
    assert_int_equal(get(b->ledger, origin, 1, got, sizeof got), COMITY_E_ERASED);
    assert_false(disk_has(b->dir, "marker 1 of the run at 1"));
    assert_marker(b->ledger, origin, 2, 1);
}

static void erase_is_taken_back_with_its_turn(void **state)
{
    struct bench *b = *state;
    put(b->ledger, origin, 0, 3, 0);
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_opening_erase(b->ledger, bytes_of(origin), 1), 0);
    ledger_abort(b->ledger);
    assert_marker(b->ledger, origin, 1, 0);
}

static void what_makes_no_sense_is_refused(void **state)
{
    struct bench *b = *state;
    struct openings run = make_run(0, 3, 0), none = {0},
                    many = {.opening = list, .count = RUN_MAX + 1};
    struct bytes name = bytes_of(origin);
    assert_int_equal(ledger_openings_put(b->ledger, name, 0, &run), COMITY_E_INVALID);
    assert_int_equal(ledger_opening_erase(b->ledger, name, 0), COMITY_E_INVALID);
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_opening_erase(b->ledger, name, 0), COMITY_E_NOT_FOUND);
    assert_int_equal(ledger_openings_put(b->ledger, name, 0, &none), COMITY_E_INVALID);
    assert_int_equal(ledger_openings_put(b->ledger, name, 0, &many), COMITY_E_INVALID);
    assert_int_equal(ledger_openings_put(b->ledger, bytes_of("nobody"), 0, &run), COMITY_E_INVALID);
    assert_int_equal(ledger_openings_put(b->ledger, name, UINT64_MAX, &run), COMITY_E_INVALID);
    list[1].salt.len = 31;
    assert_int_equal(ledger_openings_put(b->ledger, name, 0, &run), COMITY_E_INVALID);
    run = make_run(0, 3, 0);
    list[2].body.len = BODY_BYTES_MAX + 1;
    assert_int_equal(ledger_openings_put(b->ledger, name, 0, &run), COMITY_E_INVALID);
    ledger_abort(b->ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(put_run_is_read_one_by_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overlapping_runs_are_all_found, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erase_leaves_nothing_on_the_disk_and_the_neighbours_alone,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(erased_stays_erased_when_it_comes_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(erase_is_taken_back_with_its_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_no_sense_is_refused, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ledger/openings", tests, NULL, NULL);
}
