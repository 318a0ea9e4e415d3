/* Turns: append, sign, commit, take back, read, open again; trees across the borders of tiles. */
#include "ledger/ledger.h"

#include "ledgers.h"
#include "trees.h"

#include <signal.h>
#include <sys/resource.h>

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

/* ---- formulas: expected values were made with another program ---- */

static void assert_hash_is(const struct hash *h, const char *hex)
{
    uint8_t want[HASH_LEN];
    assert_int_equal(text_get_hex(bytes_of(hex), want, HASH_LEN), 0);
    assert_memory_equal(h->b, want, HASH_LEN);
}

static void formulas_known_answers(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), 0);
    const struct suite *s = suite_get(SUITE_1);
    struct bytes name = bytes_of(origin);
    uint8_t salt[SALT_LEN];
    struct hash h;
    for (size_t i = 0; i < SALT_LEN; i++)
        salt[i] = (uint8_t)i;
    ledger_genesis_hash(s, name, BYTES_NONE, &h);
    assert_hash_is(&h, "8f047eb05bca11eda080f60a11c36fff7fb6d3822e1ad98d26ccf9b74a67f9f1");
    ledger_genesis_hash(
        s, bytes_of("cn-samr/330100-001.2"),
        bytes_of("cn-samr/330100-001\n5\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n"), &h);
    assert_hash_is(&h, "02f4b2ebed29a6493be73f20f3d15c629abe52285a3e2bcd0b01c228842a686f");
    ledger_body_hash(s, name, BYTES(salt, SALT_LEN), bytes_of("body"), &h);
    assert_hash_is(&h, "65188a7aa9c0e1a46846d920ff28a97ecfeda4e1aac539dc5c41867b44a841da");
    ledger_record_hash(s, name, BYTES(salt, SALT_LEN), bytes_of("record"), &h);
    assert_hash_is(&h, "dae66f080e73e9b72b9d3a1c2d7ec635935ea7692125706c92eae9425c2df3fd");
}

/* ---- making ---- */

static void create_twice_or_without_sense_is_refused(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ledger_create(b->store, origin, SUITE_1, BYTES_NONE), COMITY_E_EXISTS);
    assert_int_equal(ledger_create(b->store, "no-slash", SUITE_1, BYTES_NONE), COMITY_E_INVALID);
    assert_int_equal(ledger_create(b->store, origin, 99, BYTES_NONE), COMITY_E_SUITE);
    assert_int_equal(ledger_create(b->store, origin, SUITE_1, BYTES_LIT("text")), COMITY_E_INVALID);
    assert_int_equal(bench_reopen(b), 0);
    assert_string_equal(ledger_origin(b->ledger), origin);
    assert_int_equal(suite_id(ledger_suite(b->ledger)), SUITE_1);
}

static void create_successor_has_its_own_genesis(void **state)
{
    (void)state;
    struct bench *b = bench_new();
    bench_close(b);
    struct store *s = NULL;
    struct ledger *l = NULL;
    struct note_signer *signer = new_signer("cn-samr/330100-001.2", 8);
    struct bytes closing =
        BYTES_LIT("cn-samr/330100-001\n5\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n");
    assert_int_equal(store_open(b->dir, "second", DB_CREATE, &s), 0);
    assert_int_equal(store_migrate(s, TEST_APPLICATION_ID, ledger_schema, ledger_schema_count), 0);
    assert_int_equal(ledger_open(s, signer, &l), COMITY_E_NOT_FOUND);
    assert_int_equal(ledger_create(s, "cn-samr/330100-001.2", SUITE_1, closing), 0);
    assert_int_equal(ledger_open(s, signer, &l), 0);
    assert_hash_is(ledger_genesis(l),
                   "02f4b2ebed29a6493be73f20f3d15c629abe52285a3e2bcd0b01c228842a686f");
    ledger_close(l);
    store_close(s);
    note_signer_free(signer);
    bench_free(b);
}

/* ---- turns ---- */

static void empty_ledger_has_no_checkpoint(void **state)
{
    struct bench *b = *state;
    struct checkpoint c;
    struct bytes note;
    struct buf out = BUF_INIT;
    struct hash h;
    assert_true(ledger_size(b->ledger) == 0);
    assert_int_equal(ledger_checkpoint(b->ledger, &c, &note), COMITY_E_UNCOVERED);
    assert_int_equal(ledger_checkpoint_from(b->ledger, 0, &c, &out), COMITY_E_UNCOVERED);
    assert_int_equal(ledger_entry(b->ledger, 0, &out), COMITY_E_NOT_FOUND);
    assert_int_equal(ledger_leaf(b->ledger, 0, &h), COMITY_E_NOT_FOUND);
    assert_int_equal(ledger_root(b->ledger, 0, &h), 0);
    assert_hash_is(&h, rfc6962_root[0]);
    assert_int_equal(bench_reopen(b), 0);
}

static void commit_survives_opening_again(void **state)
{
    struct bench *b = *state;
    struct checkpoint before, after;
    struct bytes note;
    struct buf kept = BUF_INIT;
    turn(b->ledger, 3);
    turn(b->ledger, 1);
    assert_int_equal(ledger_checkpoint(b->ledger, &before, &note), 0);
    buf_put_bytes(&kept, note);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 4 && ledger_signed_size(b->ledger) == 4);
    assert_int_equal(ledger_checkpoint(b->ledger, &after, &note), 0);
    assert_true(bytes_equal(note, buf_bytes(&kept)));
    assert_int_equal(checkpoint_open(note, note_signer_public(b->signer), &after), 0);
    assert_true(after.size == 4);
    turn(b->ledger, 2);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 6);
    buf_free(&kept);
}

static void append_links_each_entry_to_the_leaf_before(void **state)
{
    struct bench *b = *state;
    struct arena *a = arena_new(1 << 20);
    struct hash prev = *ledger_genesis(b->ledger), leaf, again;
    struct buf bytes = BUF_INIT;
    turn(b->ledger, 2);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 2, 40);
    for (uint64_t i = 0; i < 4; i++) { /* two are stored, two of the running turn */
        struct entry e;
        buf_reset(&bytes);
        assert_int_equal(ledger_entry(b->ledger, i, &bytes), 0);
        assert_int_equal(entry_decode(a, buf_bytes(&bytes), &e), 0);
        assert_true(e.index == i);
        assert_memory_equal(e.prev.data, prev.b, HASH_LEN);
        hash_leaf(ledger_suite(b->ledger), buf_bytes(&bytes), &leaf);
        assert_int_equal(ledger_leaf(b->ledger, i, &again), 0);
        assert_memory_equal(leaf.b, again.b, HASH_LEN);
        prev = leaf;
    }
    ledger_abort(b->ledger);
    buf_free(&bytes);
    arena_free(a);
}

static void append_after_sign_is_refused(void **state)
{
    struct bench *b = *state;
    assert_int_equal(append_one(b->ledger, 1, NULL), COMITY_E_INVALID);
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_begin(b->ledger), COMITY_E_INVALID);
    append_many(b->ledger, 1, 1);
    assert_int_equal(ledger_sign(b->ledger), 0);
    assert_int_equal(append_one(b->ledger, 2, NULL), COMITY_E_INVALID);
    assert_int_equal(ledger_sign(b->ledger), COMITY_E_INVALID);
    assert_true(ledger_size(b->ledger) == 1);
    assert_int_equal(ledger_commit(b->ledger), 0);
    assert_int_equal(ledger_commit(b->ledger), COMITY_E_INVALID);
}

static void commit_of_unsigned_entries_is_refused(void **state)
{
    struct bench *b = *state;
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 2, 1);
    assert_int_equal(ledger_commit(b->ledger), COMITY_E_UNCOVERED);
    bench_close(b);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 0);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 2, 1);
    assert_int_equal(ledger_commit(b->ledger), COMITY_E_UNCOVERED);
    assert_int_equal(ledger_sign(b->ledger), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 2);
}

static void turn_without_entries_keeps_the_checkpoint(void **state)
{
    struct bench *b = *state;
    struct checkpoint c;
    struct bytes note;
    uint64_t n = 0;
    turn(b->ledger, 5);
    turn(b->ledger, 0);
    assert_int_equal(ledger_begin(b->ledger), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    assert_int_equal(ledger_checkpoint(b->ledger, &c, &note), 0);
    assert_true(c.size == 5);
    assert_int_equal(
        db_get_u64(store_db(b->store), 0, &n, "SELECT count(*) FROM checkpoint", &DB_NULL, 1), 0);
    assert_true(n == 1);
}

static void append_of_an_entry_that_is_none_changes_nothing(void **state)
{
    struct bench *b = *state;
    struct hash before, after;
    uint8_t short_hash[31] = {0};
    struct entry bad = {
        .kind = ENTRY_RECORD, .roster = 1, .body_hash = BYTES(short_hash, sizeof short_hash)};
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 3, 1);
    assert_int_equal(ledger_root(b->ledger, 3, &before), 0);
    assert_int_not_equal(ledger_append(b->ledger, &bad, NULL), 0);
    assert_true(ledger_size(b->ledger) == 3);
    assert_int_equal(ledger_root(b->ledger, 3, &after), 0);
    assert_memory_equal(before.b, after.b, HASH_LEN);
    append_many(b->ledger, 1, 9);
    assert_int_equal(ledger_sign(b->ledger), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 4);
}

/* ---- taking back ---- */

/* A ledger of ${base}; ${n} more, taken back, at each point of the turn; then ${m} others: as if
 * nothing had been. */
static void assert_abort_restores(uint64_t base, uint64_t n, uint64_t m)
{
    struct bench *b = bench_new(), *reference = bench_new();
    struct hash root, want;
    struct checkpoint c;
    struct bytes note;
    if (base > 0) {
        turn(b->ledger, base);
        turn(reference->ledger, base);
    }
    for (int signing = 0; signing < 2; signing++) {
        assert_int_equal(ledger_begin(b->ledger), 0);
        append_many(b->ledger, n, 1000000);
        if (signing) {
            assert_int_equal(ledger_sign(b->ledger), 0);
            assert_true(ledger_signed_size(b->ledger) == base + n);
        }
        ledger_abort(b->ledger);
        assert_true(ledger_size(b->ledger) == base && ledger_signed_size(b->ledger) == base);
        assert_int_equal(ledger_root(b->ledger, base, &root), 0);
        assert_int_equal(ledger_root(reference->ledger, base, &want), 0);
        assert_memory_equal(root.b, want.b, HASH_LEN);
        assert_int_equal(ledger_checkpoint(b->ledger, &c, &note),
                         base > 0 ? 0 : COMITY_E_UNCOVERED);
    }
    turn(b->ledger, m);
    turn(reference->ledger, m);
    assert_int_equal(ledger_root(b->ledger, base + m, &root), 0);
    assert_int_equal(ledger_root(reference->ledger, base + m, &want), 0);
    assert_memory_equal(root.b, want.b, HASH_LEN);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == base + m);
    bench_free(b);
    bench_free(reference);
}

static void abort_restores_everything_at_any_border(void **state)
{
    (void)state;
    static const uint64_t rows[][3] = {
        {0, 1, 1},   {0, 300, 2},   {1, 254, 300},   {250, 5, 6}, {250, 6, 6},     {250, 600, 7},
        {255, 1, 1}, {256, 1, 255}, {256, 256, 256}, {511, 2, 1}, {513, 1100, 900}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_abort_restores(rows[i][0], rows[i][1], rows[i][2]);
    assert_abort_restores(65400, 300, 200);
}

static void close_in_a_turn_takes_it_back(void **state)
{
    struct bench *b = *state;
    turn(b->ledger, 2);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 5, 1);
    assert_int_equal(ledger_sign(b->ledger), 0);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 2);
}

/* The disk takes no more in the middle of a commit: what is there now, only the next start can
 * tell. */
static void commit_of_unknown_outcome_ends_all_turns(void **state)
{
    struct bench *b = *state;
    struct rlimit kept, small;
    struct hash before, after;
    turn(b->ledger, 300);
    assert_int_equal(ledger_root(b->ledger, 300, &before), 0);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 3000, 1);
    assert_int_equal(ledger_sign(b->ledger), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &kept), 0);
    small = kept;
    small.rlim_cur = 65536;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    int err = ledger_commit(b->ledger);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &kept), 0);
    assert_int_equal(err, COMITY_E_IO);
    assert_true(ledger_size(b->ledger) == 300 && ledger_signed_size(b->ledger) == 300);
    assert_int_equal(ledger_root(b->ledger, 300, &after), 0);
    assert_memory_equal(before.b, after.b, HASH_LEN);
    assert_int_equal(ledger_begin(b->ledger), COMITY_E_IO);
    assert_int_equal(bench_reopen(b), 0);
    assert_true(ledger_size(b->ledger) == 300);
    turn(b->ledger, 1);
}

/* ---- trees across borders ---- */

/* Grow to each size in turn; roots, leaves and proofs must be those of the definition, before and
 * after opening again. */
static void assert_tree_is(struct bench *b, const struct hash *leaf, uint64_t size)
{
    const struct suite *s = ledger_suite(b->ledger);
    struct tree_source src = ledger_tree(b->ledger);
    struct hash root, want;
    uint64_t random = size + 1;
    assert_true(ledger_size(b->ledger) == size);
    assert_int_equal(ledger_root(b->ledger, size, &root), 0);
    naive_hash(s, leaf, size, &want);
    assert_memory_equal(root.b, want.b, HASH_LEN);
    for (int i = 0; i < 12; i++) {
        uint64_t at = i == 0 ? size - 1 : i == 1 ? 0 : next_random(&random) % size;
        struct hash_list path = {0};
        struct hash old;
        assert_int_equal(proof_inclusion(&src, at, size, &path), 0);
        assert_int_equal(proof_inclusion_verify(s, &leaf[at], at, size, path.at, path.count, &want),
                         0);
        path.count = 0;
        naive_hash(s, leaf, at, &old);
        assert_int_equal(proof_consistency(&src, at, size, &path), 0);
        assert_int_equal(proof_consistency_verify(s, at, &old, size, &want, path.at, path.count),
                         0);
        hash_list_free(&path);
    }
    assert_int_equal(src.subtree(src.self, size, size + 1, &root), COMITY_E_NOT_FOUND);
}

static void tree_is_right_across_the_borders_of_tiles(void **state)
{
    struct bench *b = *state;
    static const uint64_t sizes[] = {1,   2,    255,  256,   257,   511,   512,   513,
                                     768, 5000, 5001, 65535, 65536, 65537, 65792, 66000};
    struct hash *leaf = calloc(66000, sizeof *leaf);
    uint64_t size = 0;
    assert_non_null(leaf);
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        assert_int_equal(ledger_begin(b->ledger), 0);
        for (; size < sizes[i]; size++)
            assert_int_equal(append_one(b->ledger, size, &leaf[size]), 0);
        assert_tree_is(b, leaf, size);
        assert_int_equal(ledger_sign(b->ledger), 0);
        assert_int_equal(ledger_commit(b->ledger), 0);
        assert_tree_is(b, leaf, size);
        assert_int_equal(bench_reopen(b), 0);
        assert_tree_is(b, leaf, size);
    }
    free(leaf);
}

static void every_size_has_its_root(void **state)
{
    struct bench *b = *state;
    static struct hash leaf[700];
    struct hash root, want;
    assert_int_equal(ledger_begin(b->ledger), 0);
    for (uint64_t n = 0; n < 700; n++) {
        assert_int_equal(ledger_root(b->ledger, n, &root), 0);
        naive_hash(ledger_suite(b->ledger), leaf, n, &want);
        assert_memory_equal(root.b, want.b, HASH_LEN);
        assert_int_equal(append_one(b->ledger, n, &leaf[n]), 0);
    }
    assert_int_equal(ledger_root(b->ledger, 701, &root), COMITY_E_NOT_FOUND);
    ledger_abort(b->ledger);
}

/* ---- reading ---- */

struct seen {
    struct ledger *l;
    uint64_t next;
    uint64_t stop_at;
};

static int see(void *self, uint64_t index, struct bytes entry)
{
    struct seen *s = self;
    struct buf again = BUF_INIT;
    assert_true(index == s->next);
    /* Reading inside a walk is allowed. */
    assert_int_equal(ledger_entry(s->l, index, &again), 0);
    assert_true(bytes_equal(buf_bytes(&again), entry));
    buf_free(&again);
    s->next++;
    return index == s->stop_at ? 42 : 0;
}

static void each_walks_rows_and_the_running_turn(void **state)
{
    struct bench *b = *state;
    turn(b->ledger, 1);
    turn(b->ledger, 600);
    turn(b->ledger, 3);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 10, 7);
    static const uint64_t ranges[][2] = {{0, 614},   {0, 1},     {1, 2},     {256, 258},
                                         {300, 610}, {604, 614}, {609, 611}, {5, 5}};
    for (size_t i = 0; i < sizeof ranges / sizeof ranges[0]; i++) {
        struct seen s = {.l = b->ledger, .next = ranges[i][0], .stop_at = UINT64_MAX};
        assert_int_equal(ledger_each(b->ledger, ranges[i][0], ranges[i][1], see, &s), 0);
        assert_true(s.next == ranges[i][1]);
    }
    struct seen s = {.l = b->ledger, .next = 3, .stop_at = 300};
    assert_int_equal(ledger_each(b->ledger, 3, 614, see, &s), 42);
    assert_true(s.next == 301);
    s = (struct seen){.l = b->ledger, .next = 606, .stop_at = 607};
    assert_int_equal(ledger_each(b->ledger, 606, 614, see, &s), 42);
    assert_int_equal(ledger_each(b->ledger, 0, 615, see, &s), COMITY_E_NOT_FOUND);
    assert_int_equal(ledger_each(b->ledger, 2, 1, see, &s), COMITY_E_NOT_FOUND);
    ledger_abort(b->ledger);
}

/* Entries of the largest size fill a row long before there are 256 of them. */
static void large_entries_are_spread_over_rows(void **state)
{
    struct bench *b = *state;
    struct entry_to to[ENTRY_TO_MAX];
    char names[ENTRY_TO_MAX][MEMBER_ID_MAX + 1];
    uint8_t ref[ENTRY_REF_MAX] = {1};
    uint64_t rows = 0, largest = 0;
    for (unsigned i = 0; i < ENTRY_TO_MAX; i++) {
        snprintf(names[i], sizeof names[i], "broker-with-a-very-long-name-%03u", i);
        to[i] = (struct entry_to){.member = bytes_of(names[i]), .pair_seq = LEDGER_SIZE_MAX - 1};
    }
    assert_int_equal(ledger_begin(b->ledger), 0);
    for (int i = 0; i < 100; i++) {
        struct entry e = {.kind = ENTRY_SHARE,
                          .roster = 1,
                          .to = to,
                          .to_count = ENTRY_TO_MAX,
                          .ref = BYTES(ref, sizeof ref)};
        assert_int_equal(ledger_append(b->ledger, &e, NULL), 0);
    }
    assert_int_equal(ledger_sign(b->ledger), 0);
    assert_int_equal(ledger_commit(b->ledger), 0);
    struct db *db = store_db(b->store);
    assert_int_equal(db_get_u64(db, 0, &rows, "SELECT count(*) FROM entry_run", &DB_NULL, 1), 0);
    assert_int_equal(
        db_get_u64(db, 0, &largest, "SELECT max(length(data)) FROM entry_run", &DB_NULL, 1), 0);
    assert_true(rows > 4 && largest <= 64 * 1024);
    struct seen s = {.l = b->ledger, .stop_at = UINT64_MAX};
    assert_int_equal(bench_reopen(b), 0);
    s.l = b->ledger;
    assert_int_equal(ledger_each(b->ledger, 0, 100, see, &s), 0);
}

static void checkpoint_from_finds_the_smallest_that_covers(void **state)
{
    struct bench *b = *state;
    static const uint64_t rows[][2] = {{0, 3}, {1, 3}, {3, 3}, {4, 10}, {10, 10}, {11, 11}};
    struct checkpoint c;
    turn(b->ledger, 3);
    turn(b->ledger, 7);
    assert_int_equal(ledger_begin(b->ledger), 0);
    append_many(b->ledger, 1, 1);
    struct buf note = BUF_INIT;
    assert_int_equal(ledger_checkpoint_from(b->ledger, 11, &c, &note), COMITY_E_UNCOVERED);
    assert_int_equal(note.len, 0);
    assert_int_equal(ledger_sign(b->ledger), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct hash root;
        buf_reset(&note);
        assert_int_equal(ledger_checkpoint_from(b->ledger, rows[i][0], &c, &note), 0);
        assert_true(c.size == rows[i][1]);
        assert_int_equal(checkpoint_open(buf_bytes(&note), note_signer_public(b->signer), &c), 0);
        assert_int_equal(ledger_root(b->ledger, c.size, &root), 0);
        assert_memory_equal(root.b, c.root.b, HASH_LEN);
    }
    buf_reset(&note);
    assert_int_equal(ledger_checkpoint_from(b->ledger, 12, &c, &note), COMITY_E_UNCOVERED);
    assert_int_equal(ledger_checkpoint_from(b->ledger, UINT64_MAX, &c, &note), COMITY_E_UNCOVERED);
    buf_free(&note);
}

static void reader_beside_the_writer_sees_what_was_covered(void **state)
{
    struct bench *b = *state;
    struct store *s = NULL;
    struct ledger *reader = NULL;
    struct hash got, want;
    turn(b->ledger, 700);
    assert_int_equal(store_open(b->dir, "ledger", DB_READ, &s), 0);
    assert_int_equal(store_migrate(s, TEST_APPLICATION_ID, ledger_schema, ledger_schema_count), 0);
    assert_int_equal(ledger_open_read(s, &reader), 0);
    turn(b->ledger, 700);
    assert_true(ledger_size(reader) == 700);
    assert_int_equal(ledger_root(reader, 700, &got), 0);
    assert_int_equal(ledger_root(b->ledger, 700, &want), 0);
    assert_memory_equal(got.b, want.b, HASH_LEN);
    struct seen seen = {.l = reader, .stop_at = UINT64_MAX};
    assert_int_equal(ledger_each(reader, 0, 700, see, &seen), 0);
    assert_int_equal(ledger_begin(reader), COMITY_E_PERMISSION);
    ledger_close(reader);
    store_close(s);
}

static void exported_file_can_be_read(void **state)
{
    struct bench *b = *state;
    struct store *s = NULL;
    struct ledger *reader = NULL;
    struct hash got, want;
    char path[128];
    turn(b->ledger, 300);
    snprintf(path, sizeof path, "%s/copy.ledger", b->dir);
    assert_int_equal(store_export(b->store, path), 0);
    assert_int_equal(store_open_file(path, &s), 0);
    assert_int_equal(store_migrate(s, TEST_APPLICATION_ID, ledger_schema, ledger_schema_count), 0);
    assert_int_equal(ledger_open_read(s, &reader), 0);
    assert_int_equal(ledger_root(reader, 299, &got), 0);
    assert_int_equal(ledger_root(b->ledger, 299, &want), 0);
    assert_memory_equal(got.b, want.b, HASH_LEN);
    ledger_close(reader);
    store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formulas_known_answers),
        cmocka_unit_test_setup_teardown(create_twice_or_without_sense_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test(create_successor_has_its_own_genesis),
        cmocka_unit_test_setup_teardown(empty_ledger_has_no_checkpoint, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commit_survives_opening_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(append_links_each_entry_to_the_leaf_before, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(append_after_sign_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(commit_of_unsigned_entries_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(turn_without_entries_keeps_the_checkpoint, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(append_of_an_entry_that_is_none_changes_nothing, set_up,
                                        tear_down),
        cmocka_unit_test(abort_restores_everything_at_any_border),
        cmocka_unit_test_setup_teardown(commit_of_unknown_outcome_ends_all_turns, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(close_in_a_turn_takes_it_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tree_is_right_across_the_borders_of_tiles, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_size_has_its_root, set_up, tear_down),
        cmocka_unit_test_setup_teardown(each_walks_rows_and_the_running_turn, set_up, tear_down),
        cmocka_unit_test_setup_teardown(large_entries_are_spread_over_rows, set_up, tear_down),
        cmocka_unit_test_setup_teardown(checkpoint_from_finds_the_smallest_that_covers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(reader_beside_the_writer_sees_what_was_covered, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(exported_file_can_be_read, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("ledger/ledger", tests, NULL, NULL);
}
