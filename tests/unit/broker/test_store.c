/*
 * The broker's tables: what its housekeeping reads of them, and what becomes of those that an
 * earlier version made. And the table of sessions.
 */
#include "session.h"
#include "site/schema.h"
#include "site/site.h"
#include "store.h"
#include "store_sql.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"

enum { MARK = 0x436d4272 }; /* of a broker's store */

struct fixture {
    char dir[64];
    struct site site;
    struct store *store;
};

static void open_store(struct fixture *f)
{
    f->site = (struct site){.dir = f->dir, .role = MEMBER_BROKER};
    assert_int_equal(site_open_store(&f->site, DB_CREATE, &f->store), 0);
}

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    snprintf(f->dir, sizeof f->dir, "/tmp/comity-store-XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    char command[100];
    store_close(f->store);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* ---- plans ---- */

/* How many parameters a statement has: the highest ?N. */
static size_t parameters_of(const char *sql)
{
    size_t n = 0;
    for (const char *c = sql; (c = strchr(c, '?')); c++)
        if ((size_t)(c[1] - '0') > n)
            n = (size_t)(c[1] - '0');
    return n;
}

static void expect_no_scan(struct fixture *f, const char *sql)
{
    static const struct db_value nothing[4] = {DB_NULL, DB_NULL, DB_NULL, DB_NULL};
    struct buf explain = BUF_INIT;
    struct db_rows *rows = NULL;
    int got = 0;
    size_t steps = 0;
    buf_printf(&explain, "EXPLAIN QUERY PLAN %s", sql);
    assert_int_equal(
        db_query_values(store_db(f->store), &rows, buf_str(&explain), nothing, parameters_of(sql)),
        0);
    while ((got = db_next(rows)) == DB_ROW) {
        struct bytes step = db_bytes(rows, 3);
        steps++;
        if (step.len >= 4 && memcmp(step.data, "SCAN", 4) == 0)
            fail_msg("%s: %.*s", sql, (int)step.len, (const char *)step.data);
    }
    assert_int_equal(got, 0);
    assert_true(steps > 0);
    db_done(rows);
    buf_free(&explain);
}

static void housekeeping_walks_over_no_table(void **state)
{
    struct fixture *f = *state;
    open_store(f);
    for (size_t i = 0; i < SQL_HOUSEKEEPING_COUNT; i++)
        expect_no_scan(f, sql_housekeeping[i]);
}

/* ---- what an earlier version left ---- */

static void run(struct fixture *f, const char *sql)
{
    assert_int_equal(db_run(store_db(f->store), sql, DB_NULL), 0);
}

/* The tables as step 1 makes them. */
static void open_first_version(struct fixture *f)
{
    const char *steps[8];
    size_t n = 0;
    assert_true(ledger_schema_count < 7);
    for (size_t i = 0; i < ledger_schema_count; i++)
        steps[n++] = ledger_schema[i];
    steps[n++] = site_broker_schema[0];
    assert_int_equal(store_open(f->dir, "broker", DB_CREATE, &f->store), 0);
    assert_int_equal(store_migrate(f->store, MARK, steps, n), 0);
}

static void earlier_tables_are_brought_up_to_date(void **state)
{
    struct fixture *f = *state;
    struct recipient r;
    struct known k;
    uint64_t share = 0;
    size_t freed = 0;
    uint64_t chunk = 0;
    uint64_t other = 0;
    open_first_version(f);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(store_put(f->store, BYTES_LIT("taken"), &chunk), 0);
    assert_int_equal(store_put(f->store, BYTES_LIT("waiting"), &other), 0);
    assert_int_equal(chunk, 1);
    assert_int_equal(other, 2);
    run(f, "INSERT INTO parcel VALUES(1, 'n/" SHENZHEN ".2', 1, 1, x'', 1, NULL, 1, 5, NULL)");
    run(f, "INSERT INTO parcel VALUES(2, 'n/" SHENZHEN ".2', 2, 2, x'', 2, NULL, 2, 7, NULL)");
    run(f, "INSERT INTO parcel VALUES(3, 'o', 3, 0, x'', 3, 'quota', 0, 0, NULL)");
    run(f, "INSERT INTO known VALUES('o', 4, 1, zeroblob(32), NULL)");
    run(f, "INSERT INTO known VALUES('p', 4, 1, zeroblob(32), NULL)");
    run(f, "INSERT INTO delivery VALUES('" HANGZHOU "', 1, 1)");
    run(f, "INSERT INTO delivery VALUES('" HANGZHOU "', 2, 2)");
    run(f, "INSERT INTO recipient VALUES('" HANGZHOU "', 2, 1, 7)");
    run(f, "INSERT INTO blob VALUES(x'01', 1000, 1, 0)");
    run(f, "INSERT INTO blob VALUES(x'02', 500000, 0, 0)");
    run(f, "INSERT INTO blob_member VALUES(x'01', '" HANGZHOU "', 0, 1, 1)");
    run(f, "INSERT INTO blob_member VALUES(x'02', '" HANGZHOU "', 0, 1, 0)");
    run(f, "INSERT INTO blob_member VALUES(x'02', '" SHENZHEN "', 1, 0, 0)");
    assert_int_equal(store_commit(f->store), 0);
    store_close(f->store);
    open_store(f);
    assert_int_equal(queue_recipient(f->store, bytes_of(HANGZHOU), &r), 0);
    assert_true(r.given == 2 && r.taken == 1 && r.queued == 7);
    assert_int_equal(r.held, queue_blob_weight(500000));
    assert_int_equal(queue_share(f->store, bytes_of(HANGZHOU), bytes_of(SHENZHEN), &share), 0);
    assert_int_equal(share, 7);
    assert_int_equal(queue_known(f->store, BYTES_LIT("o"), &k, NULL), 0);
    assert_int_equal(k.refused, 3);
    assert_int_equal(queue_known(f->store, BYTES_LIT("p"), &k, NULL), 0);
    assert_int_equal(k.refused, 0);
    assert_int_equal(store_begin(f->store), 0);
    assert_int_equal(queue_sweep(f->store, INT64_MAX, 100, &freed), 0);
    assert_int_equal(freed, 1); /* the one that was taken */
    assert_int_equal(store_commit(f->store), 0);
}

static void weight_is_that_of_the_sealed_blocks(void **state)
{
    (void)state;
    assert_int_equal(queue_blob_weight(0), 16);
    assert_int_equal(queue_blob_weight(1000), 1016);
    assert_int_equal(queue_blob_weight(BLOB_PLAIN + 1), BLOB_PLAIN + 1 + 32);
    assert_true(queue_blob_weight(UINT64_MAX) == UINT64_MAX);
}

static void blobs_that_may_go_are_found_at_once(void **state)
{
    struct fixture *f = *state;
    struct hash freed[2];
    size_t n = 9;
    open_store(f);
    assert_int_equal(queue_freed(f->store, freed, 2, &n), 0);
    assert_int_equal(n, 0);
    assert_int_equal(store_begin(f->store), 0);
    for (uint8_t i = 1; i <= 3; i++) {
        uint8_t blob[HASH_LEN + 8] = {i};
        assert_int_equal(queue_name_blob(f->store, BYTES(blob, sizeof blob), bytes_of(SHENZHEN),
                                         bytes_of(HANGZHOU)),
                         0);
        assert_int_equal(queue_file_done(f->store, BYTES(blob, HASH_LEN), bytes_of(HANGZHOU)), 0);
    }
    assert_int_equal(queue_freed(f->store, freed, 2, &n), 0);
    assert_int_equal(n, 2);
    assert_int_equal(queue_blob_gone(f->store, hash_bytes(&freed[0])), 0);
    assert_int_equal(queue_blob_gone(f->store, hash_bytes(&freed[1])), 0);
    assert_int_equal(queue_freed(f->store, freed, 2, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(store_commit(f->store), 0);
}

/* What cannot be a root was not written by us: it must not read as a history that a member denies.
 */
static void root_of_wrong_length_is_damage(void **state)
{
    struct fixture *f = *state;
    struct known k;
    struct hash root;
    open_store(f);
    run(f, "INSERT INTO known VALUES('o', 1, 5, x'0102', NULL, 0)");
    run(f, "INSERT INTO parcel VALUES(1, 'p', 1, 7, x'', 1, NULL, 0, 0, NULL)");
    assert_int_equal(queue_known(f->store, BYTES_LIT("o"), &k, NULL), COMITY_E_LEDGER_DAMAGED);
    assert_int_equal(queue_root_at(f->store, BYTES_LIT("p"), 7, &root), COMITY_E_LEDGER_DAMAGED);
    assert_int_equal(queue_known(f->store, BYTES_LIT("nobody"), &k, NULL), 0);
    assert_int_equal(k.size, 0);
}

/* ---- sessions ---- */

static struct link_peer peer(uint8_t key)
{
    struct link_peer p = {.fd = -1};
    memset(p.key, key, sizeof p.key);
    return p;
}

static void session_is_found_by_key_and_by_member(void **state)
{
    (void)state;
    struct session_table t = {0};
    struct link_peer one = peer(1);
    struct link_peer two = peer(2);
    struct link_peer three = peer(3);
    struct session *a = session_open(&t, &one, bytes_of(HANGZHOU));
    struct session *b = session_open(&t, &two, bytes_of(SHENZHEN));
    assert_ptr_equal(session_of_member(&t, bytes_of(HANGZHOU)), a);
    assert_ptr_equal(session_of_member(&t, bytes_of(SHENZHEN)), b);
    assert_null(session_of_member(&t, bytes_of("330100-00")));
    /* A member that comes with another key has one session still. */
    struct session *c = session_open(&t, &three, bytes_of(HANGZHOU));
    assert_null(session_find(&t, one.key));
    assert_ptr_equal(session_of_member(&t, bytes_of(HANGZHOU)), c);
    session_drop(&t, c);
    assert_null(session_of_member(&t, bytes_of(HANGZHOU)));
    assert_null(session_find(&t, three.key));
    session_drop_all(&t);
    assert_null(session_of_member(&t, bytes_of(SHENZHEN)));
    session_table_done(&t);
}

static void account_begins_anew_with_the_hour(void **state)
{
    (void)state;
    enum { HOUR = 3600 * 1000 };
    struct session_table t = {0};
    const struct link_peer one = peer(1);
    const struct link_peer two = peer(2);
    struct account *a = session_account(&t, one.key, 5 * HOUR);
    a->refusals = a->failures = a->roster_bytes = a->parcels = 7;
    a = session_account(&t, one.key, 6 * HOUR - 1);
    assert_true(a->refusals == 7 && a->failures == 7 && a->roster_bytes == 7);
    assert_int_equal(session_account(&t, two.key, 6 * HOUR - 1)->refusals, 0);
    a = session_account(&t, one.key, 6 * HOUR);
    assert_true(a->refusals == 0 && a->failures == 0 && a->roster_bytes == 0);
    assert_int_equal(a->parcels, 7); /* since the start */
    session_table_done(&t);
}

/* However much is granted: until it is taken it lies in our memory. */
static void deliveries_run_ahead_of_taken_only_so_far(void **state)
{
    (void)state;
    struct session s = {.now = {.deliver_granted = (uint64_t)1 << 60, .next_delivery = 1}};
    const size_t len = 100 * 1024;
    uint64_t sent = 0;
    for (uint64_t round = 0; round < 50; round++) {
        while (s.now.deliver_bytes + len <= session_may_deliver(&s)) {
            session_delivered(&s, len);
            sent++;
        }
        assert_true(s.now.deliver_bytes - s.now.deliver_taken <= DELIVER_AHEAD);
        const uint64_t taken = sent - 20 - round % 7; /* at a mark, and anywhere between two */
        session_taken(&s, taken); /* what is counted as taken was, and is less than a mark behind */
        assert_true(s.now.deliver_taken <= taken * len);
        assert_true(s.now.deliver_taken + DELIVER_MARK > taken * len);
    }
    session_taken(&s, sent);
    assert_int_equal(s.now.deliver_taken, s.now.deliver_bytes);
    s.now.deliver_granted = s.now.deliver_bytes + 5;
    assert_int_equal(session_may_deliver(&s), s.now.deliver_bytes + 5);
}

/* ---- a successor ---- */

static uint64_t put_parcel(struct fixture *f, uint64_t seq, const char *bytes)
{
    uint64_t id = 0;
    const struct queue_parcel p = {.origin = BYTES_LIT("net/" HANGZHOU),
                                   .parcel_seq = seq,
                                   .size = seq,
                                   .routed = seq,
                                   .bytes = bytes_of(bytes)};
    assert_int_equal(queue_put_parcel(f->store, &p, &id), 0);
    const struct queue_put d = {.member = BYTES_LIT(SHENZHEN),
                                .seq = seq,
                                .parcel = id,
                                .sender = BYTES_LIT(HANGZHOU),
                                .len = strlen(bytes)};
    assert_int_equal(queue_put_delivery(f->store, &d), 0);
    return id;
}

static void what_a_lost_ledger_took_waits_for_its_successor(void **state)
{
    struct fixture *f = *state;
    struct arena *a = arena_new(1 << 16);
    struct recipient r;
    struct bytes taker;
    uint64_t share = 0;
    size_t freed = 0;
    open_store(f);
    assert_int_equal(store_begin(f->store), 0);
    put_parcel(f, 1, "one");
    put_parcel(f, 2, "two, and longer");
    put_parcel(f, 3, "three");
    assert_int_equal(queue_set_taken(f->store, BYTES_LIT(SHENZHEN), 3, 1000), 0);
    assert_int_equal(queue_taker(f->store, BYTES_LIT(SHENZHEN), a, &taker), 0);
    assert_null(taker.data);

    assert_int_equal(
        queue_set_taker(f->store, BYTES_LIT(SHENZHEN), BYTES_LIT("net/" SHENZHEN ".2"), 1), 0);
    assert_int_equal(queue_taker(f->store, BYTES_LIT(SHENZHEN), a, &taker), 0);
    assert_true(bytes_is(taker, "net/" SHENZHEN ".2"));
    assert_int_equal(queue_recipient(f->store, BYTES_LIT(SHENZHEN), &r), 0);
    assert_int_equal(r.taken, 1);
    assert_int_equal(r.given, 3);
    assert_int_equal(r.queued, strlen("two, and longer") + strlen("three"));
    assert_int_equal(queue_share(f->store, BYTES_LIT(SHENZHEN), BYTES_LIT(HANGZHOU), &share), 0);
    assert_int_equal(share, r.queued);
    /* Only what was not given up again may go. */
    assert_int_equal(queue_sweep(f->store, 5000, 16, &freed), 0);
    assert_int_equal(freed, 1);
    /* A cursor is never moved forward by it. */
    assert_int_equal(
        queue_set_taker(f->store, BYTES_LIT(SHENZHEN), BYTES_LIT("net/" SHENZHEN ".3"), 2), 0);
    assert_int_equal(queue_recipient(f->store, BYTES_LIT(SHENZHEN), &r), 0);
    assert_int_equal(r.taken, 1);
    assert_int_equal(store_commit(f->store), 0);
    arena_free(a);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(housekeeping_walks_over_no_table),
        TEST(earlier_tables_are_brought_up_to_date),
        TEST(weight_is_that_of_the_sealed_blocks),
        TEST(blobs_that_may_go_are_found_at_once),
        TEST(account_begins_anew_with_the_hour),
        TEST(deliveries_run_ahead_of_taken_only_so_far),
        TEST(root_of_wrong_length_is_damage),
        TEST(session_is_found_by_key_and_by_member),
        TEST(what_a_lost_ledger_took_waits_for_its_successor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
