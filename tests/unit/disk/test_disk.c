/* What the tap sees, and what a cut may leave: the rules of image.h, one by one. */
#include "disk/image.h"
#include "disk/tap.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

struct desk {
    char root[64]; /* watched */
    char left[64]; /* what a cut left */
    struct image *image;
    struct tap tap;
    size_t calls[TAP_KINDS];
    int fail_with; /* the next write, if not 0 */
    size_t short_by;
};

static int before(void *self, const struct tap_call *c, size_t *len)
{
    struct desk *d = self;
    int err = c->kind == TAP_WRITE ? d->fail_with : 0;
    d->fail_with = err ? 0 : d->fail_with;
    if (c->kind == TAP_WRITE && d->short_by < *len)
        *len -= d->short_by;
    return err;
}

static void after(void *self, const struct tap_call *c)
{
    struct desk *d = self;
    d->calls[c->kind]++;
    image_take(d->image, c);
}

static int setup(void **state)
{
    struct desk *d = calloc(1, sizeof *d);
    snprintf(d->root, sizeof d->root, "/tmp/comity-disk-XXXXXX");
    snprintf(d->left, sizeof d->left, "/tmp/comity-left-XXXXXX");
    assert_non_null(mkdtemp(d->root));
    assert_non_null(mkdtemp(d->left));
    d->image = image_new();
    d->tap = (struct tap){.before = before, .after = after, .self = d};
    tap_begin(d->root, &d->tap);
    *state = d;
    return 0;
}

static int teardown(void **state)
{
    struct desk *d = *state;
    char command[256];
    tap_end();
    image_free(d->image);
    snprintf(command, sizeof command, "rm -rf %s %s", d->root, d->left);
    assert_int_equal(system(command), 0);
    free(d);
    return 0;
}

static const char *at(const struct desk *d, const char *name)
{
    static char path[4][128];
    static unsigned next;
    char *p = path[next++ % 4];
    snprintf(p, 128, "%s/%s", d->root, name);
    return p;
}

static int make(struct desk *d, const char *name, const char *content)
{
    int fd = open(at(d, name), O_RDWR | O_CREAT | O_EXCL, 0600);
    assert_true(fd >= 0);
    if (*content)
        assert_int_equal(pwrite(fd, content, strlen(content), 0), strlen(content));
    return fd;
}

static void sync_dir(struct desk *d, const char *name)
{
    int fd = open(at(d, name), O_RDONLY | O_DIRECTORY);
    assert_int_equal(fsync(fd), 0);
    close(fd);
}

/* What is in ${name} behind the last cut; NULL when it is not there. */
static const char *left(const struct desk *d, const char *name)
{
    static char text[4096];
    char path[256];
    snprintf(path, sizeof path, "%s/%s", d->left, name);
    FILE *f = fopen(path, "rb");
    if (!f)
        return NULL;
    text[fread(text, 1, sizeof text - 1, f)] = '\0';
    fclose(f);
    return text;
}

static void cut_loses_what_is_not_synced_and_keeps_what_is(void **state)
{
    struct desk *d = *state;
    int fd = make(d, "a", "durable");
    assert_true(image_is_pending(d->image));
    image_cut(d->image, CUT_ALL_LOST, 0, d->left);
    assert_null(left(d, "a")); /* not even its name is there */
    assert_int_equal(fsync(fd), 0);
    image_cut(d->image, CUT_ALL_LOST, 0, d->left);
    assert_null(left(d, "a")); /* that is the folder's */
    sync_dir(d, "");
    assert_false(image_is_pending(d->image));
    assert_int_equal(pwrite(fd, "lost", 4, 0), 4);
    assert_int_equal(write(fd, "xx", 2), 2); /* at the descriptor's own place */
    assert_int_equal(ftruncate(fd, 5), 0);
    image_cut(d->image, CUT_ALL_LOST, 0, d->left);
    assert_string_equal(left(d, "a"), "durable");
    image_cut(d->image, CUT_ALL_KEPT, 0, d->left);
    assert_string_equal(left(d, "a"), "xxstb");
    close(fd);
}

static void cut_leaves_a_rename_whole_or_not_at_all(void **state)
{
    struct desk *d = *state;
    bool is_old = false, is_new = false;
    int fd = make(d, "a", "old");
    fsync(fd);
    close(fd);
    sync_dir(d, "");
    fd = make(d, "a.new", "new");
    fsync(fd);
    close(fd);
    assert_int_equal(rename(at(d, "a.new"), at(d, "a")), 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        image_cut(d->image, CUT_TORN, seed, d->left);
        const char *text = left(d, "a");
        assert_non_null(text);
        assert_true(strcmp(text, "old") == 0 || strcmp(text, "new") == 0);
        is_old = is_old || strcmp(text, "old") == 0;
        is_new = is_new || strcmp(text, "new") == 0;
    }
    assert_true(is_old && is_new);
    sync_dir(d, "");
    image_cut(d->image, CUT_ALL_LOST, 0, d->left);
    assert_string_equal(left(d, "a"), "new");
    assert_null(left(d, "a.new"));
}

/* The rename of a file that was not synced: its name may be there without its content. */
static void cut_may_leave_a_name_without_its_content(void **state)
{
    struct desk *d = *state;
    bool is_empty = false;
    close(make(d, "a.new", "content"));
    assert_int_equal(rename(at(d, "a.new"), at(d, "a")), 0);
    sync_dir(d, "");
    for (uint64_t seed = 0; seed < 50 && !is_empty; seed++) {
        image_cut(d->image, CUT_SOME, seed, d->left);
        is_empty = left(d, "a") && strcmp(left(d, "a"), "") == 0;
    }
    assert_true(is_empty);
}

static void cut_may_reorder_writes_and_tear_them_at_sectors(void **state)
{
    struct desk *d = *state;
    char block[1536];
    bool is_later_alone = false, is_torn = false;
    int fd = make(d, "a", "");
    memset(block, '.', sizeof block);
    assert_int_equal(pwrite(fd, block, sizeof block, 0), sizeof block);
    fsync(fd);
    sync_dir(d, "");
    memset(block, '1', sizeof block);
    assert_int_equal(pwrite(fd, block, sizeof block, 0), sizeof block);
    assert_int_equal(pwrite(fd, "22", 2, 1534), 2);
    for (uint64_t seed = 0; seed < 200; seed++) {
        image_cut(d->image, CUT_TORN, seed, d->left);
        const char *text = left(d, "a");
        assert_int_equal(strlen(text), 1536);
        for (size_t i = 0; i < 1536; i++) /* a sector is there or not */
            assert_true(text[i] == text[i / 512 * 512] || i >= 1534);
        is_later_alone = is_later_alone || (text[1024] == '.' && text[1535] == '2');
        is_torn = is_torn || text[0] != text[512] || text[512] != text[1024];
    }
    assert_true(is_later_alone && is_torn);
    close(fd);
}

static void cut_may_leave_a_longer_file_as_zeros(void **state)
{
    struct desk *d = *state;
    bool is_zero = false;
    int fd = make(d, "a", "");
    sync_dir(d, "");
    assert_int_equal(pwrite(fd, "content", 7, 0), 7);
    for (uint64_t seed = 0; seed < 100 && !is_zero; seed++) {
        char path[128];
        struct stat st;
        image_cut(d->image, CUT_TORN, seed, d->left);
        snprintf(path, sizeof path, "%s/a", d->left);
        assert_int_equal(stat(path, &st), 0);
        is_zero = st.st_size == 7 && left(d, "a")[0] == '\0';
    }
    assert_true(is_zero);
    close(fd);
}

static void cut_keeps_changes_of_one_folder_in_order(void **state)
{
    struct desk *d = *state;
    bool is_some = false;
    assert_int_equal(mkdir(at(d, "folder"), 0700), 0);
    sync_dir(d, "");
    close(make(d, "folder/1", ""));
    close(make(d, "folder/2", ""));
    assert_int_equal(unlink(at(d, "folder/1")), 0);
    for (uint64_t seed = 0; seed < 200; seed++) {
        image_cut(d->image, CUT_SOME, seed, d->left);
        bool one = left(d, "folder/1") != NULL;
        bool two = left(d, "folder/2") != NULL;
        is_some = is_some || (one && two);
    }
    assert_true(is_some);
    image_cut(d->image, CUT_ALL_KEPT, 0, d->left);
    assert_null(left(d, "folder/1"));
    assert_non_null(left(d, "folder/2"));
}

static void cut_is_the_same_for_the_same_seed(void **state)
{
    struct desk *d = *state;
    uint64_t other = 0;
    for (int i = 0; i < 10; i++)
        close(make(d, (const char[]){(char)('a' + i), '\0'}, "content"));
    uint64_t hash = image_cut(d->image, CUT_TORN, 7, d->left);
    assert_int_equal(image_cut(d->image, CUT_TORN, 7, d->left), hash);
    for (uint64_t seed = 8; seed < 20 && (other == 0 || other == hash); seed++)
        other = image_cut(d->image, CUT_TORN, seed, d->left);
    assert_int_not_equal(other, hash);
}

static void call_that_is_refused_is_not_made(void **state)
{
    struct desk *d = *state;
    struct stat st;
    int fd = make(d, "a", "");
    d->fail_with = ENOSPC;
    assert_int_equal(pwrite(fd, "12345678", 8, 0), -1);
    assert_int_equal(errno, ENOSPC);
    d->short_by = 3;
    assert_int_equal(pwrite(fd, "12345678", 8, 0), 5);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_size, 5);
    close(fd);
}

/* SQLite's calls go through the same tap, and a commit with synchronous=FULL is durable when it
 * returns. */
static void commit_of_sqlite_is_seen_and_survives(void **state)
{
    struct desk *d = *state;
    sqlite3 *db = NULL;
    char path[128];
    assert_int_equal(sqlite3_open(at(d, "a.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                                  "CREATE TABLE t (x); INSERT INTO t VALUES (42);",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_true(d->calls[TAP_WRITE] > 2 && d->calls[TAP_SYNC] > 1 && d->calls[TAP_SYNC_DIR] > 0);
    snprintf(path, sizeof path, "%s/a.db", d->left);
    for (uint64_t seed = 0; seed < 20; seed++) {
        sqlite3 *left_db = NULL;
        sqlite3_stmt *select = NULL;
        image_cut(d->image, seed ? CUT_TORN : CUT_ALL_LOST, seed, d->left);
        assert_int_equal(sqlite3_open(path, &left_db), SQLITE_OK);
        assert_int_equal(sqlite3_prepare_v2(left_db, "SELECT x FROM t", -1, &select, NULL), 0);
        assert_int_equal(sqlite3_step(select), SQLITE_ROW);
        assert_int_equal(sqlite3_column_int(select, 0), 42);
        sqlite3_finalize(select);
        sqlite3_close(left_db);
    }
    sqlite3_close(db);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(cut_loses_what_is_not_synced_and_keeps_what_is, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(cut_leaves_a_rename_whole_or_not_at_all, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_may_leave_a_name_without_its_content, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_may_reorder_writes_and_tear_them_at_sectors, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(cut_may_leave_a_longer_file_as_zeros, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_keeps_changes_of_one_folder_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(cut_is_the_same_for_the_same_seed, setup, teardown),
        cmocka_unit_test_setup_teardown(call_that_is_refused_is_not_made, setup, teardown),
        cmocka_unit_test_setup_teardown(commit_of_sqlite_is_seen_and_survives, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
