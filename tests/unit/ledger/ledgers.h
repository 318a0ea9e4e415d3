/*
 * For the tests of the ledger: real ones, in a folder of their own.
 */
#ifndef TESTS_LEDGER_LEDGERS_H
#define TESTS_LEDGER_LEDGERS_H

#include "ledger/ledger.h"

#include <comity/err.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const char origin[] = "cn-samr/330100-001";
enum { TEST_APPLICATION_ID = 0x54455354 };

struct bench {
    char dir[64];
    struct note_signer *signer;
    struct store *store;
    struct ledger *ledger;
};

static inline int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void bench_close(struct bench *b)
{
    ledger_close(b->ledger);
    store_close(b->store);
    b->ledger = NULL;
    b->store = NULL;
}

static inline int bench_open_store(struct bench *b, enum db_mode mode)
{
    int err = store_open(b->dir, "ledger", mode, &b->store);
    if (!err)
        err = store_migrate(b->store, TEST_APPLICATION_ID, ledger_schema, ledger_schema_count);
    return err;
}

/* Open it anew, for writing. */
static inline int bench_reopen(struct bench *b)
{
    bench_close(b);
    int err = bench_open_store(b, DB_WRITE);
    return err ? err : ledger_open(b->store, b->signer, &b->ledger);
}

static inline struct note_signer *new_signer(const char *name, uint8_t byte)
{
    uint8_t seed[NOTE_SEED_LEN];
    struct note_signer *s = NULL;
    memset(seed, byte, sizeof seed);
    assert_int_equal(note_signer_new(name, seed, &s), 0);
    return s;
}

static inline struct bench *bench_new(void)
{
    struct bench *b = calloc(1, sizeof *b);
    assert_non_null(b);
    assert_int_equal(crypto_init(), 0);
    const char *tmp = getenv("TMPDIR");
    snprintf(b->dir, sizeof b->dir, "%s/comity-ledger-XXXXXX",
             tmp && strlen(tmp) < 30 ? tmp : "/tmp");
    assert_non_null(mkdtemp(b->dir));
    b->signer = new_signer(origin, 7);
    assert_int_equal(bench_open_store(b, DB_CREATE), 0);
    assert_int_equal(ledger_create(b->store, origin, SUITE_1, BYTES_NONE), 0);
    assert_int_equal(ledger_open(b->store, b->signer, &b->ledger), 0);
    return b;
}

static inline void bench_free(struct bench *b)
{
    bench_close(b);
    note_signer_free(b->signer);
    nftw(b->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(b);
}

/* A body hash that nothing else has. */
static inline int append_one(struct ledger *l, uint64_t salt, struct hash *ret_leaf)
{
    uint8_t body_hash[HASH_LEN] = {0};
    put_u64be(body_hash, salt);
    struct entry e = {.time_ms = 1764000000000 + salt,
                      .kind = ENTRY_RECORD,
                      .roster = 1,
                      .body_hash = BYTES(body_hash, HASH_LEN)};
    return ledger_append(l, &e, ret_leaf);
}

static inline void append_many(struct ledger *l, uint64_t n, uint64_t salt)
{
    for (uint64_t i = 0; i < n; i++)
        assert_int_equal(append_one(l, salt + i, NULL), 0);
}

/* A whole turn of ${n} entries. */
static inline void turn(struct ledger *l, uint64_t n)
{
    assert_int_equal(ledger_begin(l), 0);
    append_many(l, n, ledger_size(l));
    assert_int_equal(ledger_sign(l), 0);
    assert_int_equal(ledger_commit(l), 0);
}

#endif
