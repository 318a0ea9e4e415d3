/*
 * The folder blobs/: what is durable, what a restart finds, and files that somebody has cut.
 */
#include "blobs.h"
#include "sample_blob.h"

#include <comity/err.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

enum { FIVE_BLOCKS = 4 * BLOB_PLAIN + 77, MANY = 70 };

struct fixture {
    char dir[200];
    struct blobs *blobs;
    struct sample_blob sample;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    assert_int_equal(crypto_init(), 0);
    snprintf(f->dir, sizeof f->dir, "%s/comity-blobs-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(blobs_open(f->dir, &f->blobs), 0);
    sample_init(&f->sample, FIVE_BLOCKS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[256];
    blobs_close(f->blobs);
    sample_done(&f->sample);
    snprintf(command, sizeof command, "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static struct blob *open_blob(struct fixture *f)
{
    struct blob *b = NULL;
    assert_int_equal(blobs_get(f->blobs, &f->sample.id, f->sample.len, true, &b), 0);
    return b;
}

/* As after kill -9: nothing is synced or said. */
static struct blob *restart(struct fixture *f)
{
    blobs_close(f->blobs);
    assert_int_equal(blobs_open(f->dir, &f->blobs), 0);
    return open_blob(f);
}

static void put(struct fixture *f, struct blob *b, uint64_t i)
{
    struct hash_list list = {0};
    struct bytes path[PROOF_PATH_MAX];
    size_t n = sample_path(&f->sample, i, &list, path);
    assert_int_equal(blob_put(b, sample_block(&f->sample, i), path, n), 0);
    hash_list_free(&list);
}

static void check_block(struct fixture *f, struct blob *b, uint64_t i)
{
    struct buf block = BUF_INIT;
    struct hash path[PROOF_PATH_MAX];
    size_t n = 0;
    assert_int_equal(blob_get(b, i, &block, path, &n), 0);
    assert_true(bytes_equal(buf_bytes(&block), sample_block(&f->sample, i)));
    assert_int_equal(blob_block_verify(suite_get(SUITE_1), &f->sample.id, f->sample.len, i,
                                       buf_bytes(&block), path, n),
                     0);
    buf_free(&block);
}

static void cut(struct fixture *f, const char *suffix, off_t len)
{
    char path[300];
    size_t at = (size_t)snprintf(path, sizeof path, "%s/", f->dir);
    for (size_t i = 0; i < HASH_LEN; i++)
        at += (size_t)snprintf(path + at, sizeof path - at, "%02x", f->sample.id.b[i]);
    snprintf(path + at, sizeof path - at, "%s", suffix);
    blobs_close(f->blobs);
    assert_int_equal(truncate(path, len), 0);
    assert_int_equal(blobs_open(f->dir, &f->blobs), 0);
}

static void blobs_with_unsynced_blocks_count_only_durable_ones(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    put(f, b, 0);
    put(f, b, 1);
    assert_int_equal(blob_next(b), 2);
    assert_int_equal(blob_durable(b), 0);
    assert_int_equal(blob_sync(b), 0);
    assert_int_equal(blob_durable(b), 2);
    put(f, b, 2);
    b = restart(f);
    assert_int_equal(blob_next(b), 2);
    assert_int_equal(blob_durable(b), 2);
    check_block(f, b, 0);
    check_block(f, b, 1);
}

static void blobs_complete_come_back_with_all_paths(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    for (uint64_t i = 0; i < f->sample.blocks; i++)
        put(f, b, i);
    assert_int_equal(blob_sync(b), 0);
    b = restart(f);
    assert_int_equal(blob_durable(b), blob_count(b));
    for (uint64_t i = 0; i < f->sample.blocks; i++) /* paths of 3, 3, 3, 3 and 1 */
        check_block(f, b, i);
}

static void blobs_asked_beyond_the_last_block_say_not_found(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    struct buf block = BUF_INIT;
    struct hash path[PROOF_PATH_MAX];
    size_t n = 0;
    put(f, b, 0);
    assert_int_equal(blob_get(b, 1, &block, path, &n), COMITY_E_NOT_FOUND);
    assert_int_equal(blob_get(b, UINT64_MAX, &block, path, &n), COMITY_E_NOT_FOUND);
    buf_free(&block);
}

static void blobs_with_a_path_of_another_length_are_refused(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    struct hash_list list = {0};
    struct bytes path[PROOF_PATH_MAX];
    size_t n = sample_path(&f->sample, 0, &list, path);
    assert_int_equal(blob_put(b, sample_block(&f->sample, 0), path, n - 1), COMITY_E_BLOB);
    assert_int_equal(blob_put(b, sample_block(&f->sample, 0), path, n + 1), COMITY_E_BLOB);
    assert_int_equal(blob_next(b), 0);
    hash_list_free(&list);
}

static void blobs_whose_blocks_were_cut_begin_at_the_last_whole_one(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    for (uint64_t i = 0; i < f->sample.blocks; i++)
        put(f, b, i);
    assert_int_equal(blob_sync(b), 0);
    cut(f, ".blocks", 4 * BLOB_SEALED + 77); /* the tag of the last one is gone */
    b = open_blob(f);
    assert_int_equal(blob_next(b), 4);
    put(f, b, 4);
    assert_int_equal(blob_sync(b), 0);
    cut(f, ".blocks", 2 * BLOB_SEALED - 1);
    b = open_blob(f);
    assert_int_equal(blob_next(b), 1);
    assert_int_equal(blob_durable(b), 1);
    check_block(f, b, 0);
    cut(f, ".blocks", 0);
    assert_int_equal(blob_next(open_blob(f)), 0);
}

static void blobs_whose_paths_were_cut_begin_at_the_last_whole_one(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    for (uint64_t i = 0; i < 3; i++)
        put(f, b, i);
    assert_int_equal(blob_sync(b), 0);
    cut(f, ".paths", 8 + 2 * 4 * HASH_LEN + 5); /* a slot has room for four hashes */
    b = open_blob(f);
    assert_int_equal(blob_next(b), 2);
    check_block(f, b, 1);
    cut(f, ".paths", 8 + 5);
    assert_int_equal(blob_next(open_blob(f)), 0);
    cut(f, ".paths", 7);
    assert_int_equal(blob_next(open_blob(f)), 0);
    cut(f, ".paths", 0);
    assert_int_equal(blob_next(open_blob(f)), 0);
}

static void blobs_removed_are_gone_and_can_be_made_anew(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    put(f, b, 0);
    assert_int_equal(blob_sync(b), 0);
    assert_int_equal(blobs_remove(f->blobs, &f->sample.id), 0);
    assert_int_equal(blobs_get(f->blobs, &f->sample.id, f->sample.len, false, &b),
                     COMITY_E_NOT_FOUND);
    assert_int_equal(blobs_remove(f->blobs, &f->sample.id), 0);
    b = open_blob(f);
    assert_int_equal(blob_next(b), 0);
    put(f, b, 0);
    check_block(f, b, 0);
}

static void blobs_of_another_length_are_refused(void **state)
{
    struct fixture *f = *state;
    struct blob *b = open_blob(f);
    assert_int_equal(blobs_get(f->blobs, &f->sample.id, f->sample.len + 1, true, &b),
                     COMITY_E_BLOB);
}

static void blobs_empty_have_one_block(void **state)
{
    struct fixture *f = *state;
    sample_done(&f->sample);
    sample_init(&f->sample, 0);
    struct blob *b = open_blob(f);
    assert_int_equal(blob_count(b), 1);
    put(f, b, 0);
    assert_int_equal(blob_sync(b), 0);
    b = restart(f);
    assert_int_equal(blob_durable(b), 1);
    check_block(f, b, 0);
}

static void blobs_in_large_numbers_give_way_durably(void **state)
{
    struct fixture *f = *state;
    struct sample_blob *many = calloc(MANY, sizeof *many);
    struct sample_blob first = f->sample;
    for (size_t i = 0; i < MANY; i++) {
        sample_init(&many[i], 1 + i);
        f->sample = many[i];
        put(f, open_blob(f), 0);
    }
    f->sample = many[0]; /* its place was given to another one */
    assert_int_equal(blob_durable(open_blob(f)), 1);
    for (size_t i = 0; i < MANY; i++) {
        f->sample = many[i];
        check_block(f, open_blob(f), 0);
        sample_done(&many[i]);
    }
    f->sample = first;
    free(many);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(blobs_with_unsynced_blocks_count_only_durable_ones),
        TEST(blobs_complete_come_back_with_all_paths),
        TEST(blobs_asked_beyond_the_last_block_say_not_found),
        TEST(blobs_with_a_path_of_another_length_are_refused),
        TEST(blobs_whose_blocks_were_cut_begin_at_the_last_whole_one),
        TEST(blobs_whose_paths_were_cut_begin_at_the_last_whole_one),
        TEST(blobs_removed_are_gone_and_can_be_made_anew),
        TEST(blobs_of_another_length_are_refused),
        TEST(blobs_empty_have_one_block),
        TEST(blobs_in_large_numbers_give_way_durably),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
