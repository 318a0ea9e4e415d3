/*
 * Files into the node and out of it, through the client: what arrives is what was sent, whole and
 * named by its content, and nothing is left of what was given up.
 */
#include "office.h"

#include "base/text.h"
#include "wire/blob.h"

#include <dirent.h>
#include <sys/stat.h>

static int temporary_file(const uint8_t *data, size_t len)
{
    char path[] = "/tmp/comity-file-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    unlink(path);
    assert_int_equal(write(fd, data, len), len);
    return fd;
}

static uint8_t *pattern(size_t len)
{
    uint8_t *data = malloc(len + 1);
    assert_non_null(data);
    for (size_t i = 0; i < len; i++)
        data[i] = (uint8_t)(i * 131 + (i >> 9));
    return data;
}

static int upload(struct desk *d, int fd, const char *name, comity_progress *progress, void *self)
{
    const struct comity_transfer t = {
        .name = name, .mime = "image/png", .progress = progress, .self = self};
    struct comity_reply r = {0};
    return desk_keep(d, comity_client_upload(d->client, fd, &t, &r), &r);
}

static size_t count_files(const struct desk *d, const char *sub)
{
    char path[400];
    snprintf(path, sizeof path, "%s/%s", d->o->w->actor[d->at].party->dir, sub);
    DIR *dir = opendir(path);
    assert_non_null(dir);
    size_t n = 0;
    for (struct dirent *e = NULL; (e = readdir(dir));)
        n += e->d_type == DT_REG;
    closedir(dir);
    return n;
}

/* The File that was answered, as it stands in a record. */
struct file_of {
    struct record_file file;
    uint8_t b[4][HASH_LEN];
};

static void read_file(const struct desk *d, struct file_of *f)
{
    static const char *const keys[] = {"sha256", "sm3", "blob", "secret"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(text_get_hex(bytes_of(answer_text(d, keys[i])), f->b[i], HASH_LEN), 0);
    f->file = (struct record_file){.name = bytes_of(answer_text(d, "name")),
                                   .mime = bytes_of(answer_text(d, "mime")),
                                   .len = (uint64_t)answer_number(d, "len"),
                                   .sha256 = BYTES(f->b[0], HASH_LEN),
                                   .sm3 = BYTES(f->b[1], HASH_LEN),
                                   .blob = BYTES(f->b[2], HASH_LEN),
                                   .secret = BYTES(f->b[3], HASH_LEN)};
}

static void upload_is_named_by_its_content(void **state)
{
    static const size_t sizes[] = {0, 1, BLOB_PLAIN, BLOB_PLAIN + 1, 3 * 1024 * 1024 + 17};
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "1");
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        uint8_t *data = pattern(sizes[i]);
        int fd = temporary_file(data, sizes[i]);
        struct file_of f;
        assert_int_equal(upload(&d, fd, "截图.png", NULL, NULL), 0);
        assert_int_equal(answer_number(&d, "len"), sizes[i]);
        read_file(&d, &f);
        /* The blob id, made here once more. */
        struct blob_tree *tree = NULL;
        struct hash root, sha256;
        uint8_t key[32];
        int stop = 0;
        memcpy(sha256.b, f.b[0], HASH_LEN);
        blob_key(f.b[3], &sha256, sizes[i], key);
        assert_int_equal(blob_tree_of_file(suite_get(SUITE_1), fd, sizes[i], key, &stop, &tree), 0);
        assert_int_equal(blob_tree_root(tree, &root), 0);
        assert_memory_equal(root.b, f.b[2], HASH_LEN);
        blob_tree_free(tree);
        assert_int_equal(count_files(&d, "files"), i + 1);
        assert_int_equal(count_files(&d, "files/tmp"), 0);
        close(fd);
        free(data);
    }
    desk_leave(&d);
}

static void same_bytes_are_kept_once_under_other_secrets(void **state)
{
    struct desk d;
    struct file_of one, two;
    uint8_t *data = pattern(5000);
    int fd = temporary_file(data, 5000);
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(upload(&d, fd, "a", NULL, NULL), 0);
    read_file(&d, &one);
    assert_int_equal(upload(&d, fd, "b", NULL, NULL), 0);
    read_file(&d, &two);
    assert_memory_equal(one.b[0], two.b[0], HASH_LEN);
    assert_memory_not_equal(one.b[2], two.b[2], HASH_LEN);
    assert_memory_not_equal(one.b[3], two.b[3], HASH_LEN);
    assert_int_equal(count_files(&d, "files"), 1);
    close(fd);
    free(data);
    desk_leave(&d);
}

static int stop_half_way(void *self, uint64_t done, uint64_t len)
{
    uint64_t *seen = self;
    *seen = done;
    return done >= len / 2;
}

static void upload_that_is_stopped_leaves_nothing(void **state)
{
    enum { LEN = 4 * 1024 * 1024 };
    struct desk d;
    uint64_t seen = 0;
    uint8_t *data = pattern(LEN);
    int fd = temporary_file(data, LEN);
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(upload(&d, fd, "a", stop_half_way, &seen), COMITY_E_INTERRUPTED);
    assert_string_equal(answer_text(&d, "code"), "interrupted");
    assert_in_range(seen, LEN / 2, LEN - 1);
    /* The connection is as good as new. */
    assert_int_equal(upload(&d, fd, "a", NULL, NULL), 0);
    assert_int_equal(count_files(&d, "files"), 1);
    assert_int_equal(count_files(&d, "files/tmp"), 0);
    close(fd);
    free(data);
    desk_leave(&d);
}

static void files_are_begun_and_ended_in_order(void **state)
{
    struct desk d;
    const struct comity_call three = {.chunk = {"abc", 3}};
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(desk_ask(&d, "file.chunk", &three, "%s", ""), COMITY_E_STATE);
    assert_int_equal(desk_ask(&d, "file.end", NULL, "%s", ""), COMITY_E_STATE);
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'../x','len':3}"), COMITY_E_INVALID);
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'x'}"), COMITY_E_USAGE);
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'x','len':4}"), 0);
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'y','len':4}"), COMITY_E_STATE);
    assert_int_equal(desk_ask(&d, "file.chunk", NULL, "%s", ""), COMITY_E_USAGE);
    assert_int_equal(desk_ask(&d, "file.chunk", &three, "%s", ""), 0);
    assert_int_equal(answer_number(&d, "got"), 3);
    assert_int_equal(desk_ask(&d, "file.chunk", &three, "%s", ""), COMITY_E_INVALID); /* too many */
    assert_int_equal(desk_ask(&d, "file.end", NULL, "%s", ""), COMITY_E_INVALID);
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'x','len':4}"), 0);
    assert_int_equal(desk_ask(&d, "file.chunk", &three, "%s", ""), 0);
    assert_int_equal(desk_ask(&d, "file.end", NULL, "%s", ""), COMITY_E_INVALID); /* too few */
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'x','len':4}"), 0);
    assert_int_equal(desk_ask(&d, "file.abort", NULL, "%s", ""), 0);
    assert_int_equal(count_files(&d, "files"), 0);
    desk_leave(&d);
}

static void upload_that_loses_its_connection_leaves_nothing(void **state)
{
    struct offices *o = *state;
    struct desk d, other;
    const struct comity_call three = {.chunk = {"abc", 3}};
    desk_sit(&d, o, HANGZHOU, "1");
    desk_sit(&other, o, HANGZHOU, "2");
    assert_int_equal(desk_ask(&d, "file.begin", NULL, "{'name':'x','len':6}"), 0);
    assert_int_equal(desk_ask(&d, "file.chunk", &three, "%s", ""), 0);
    assert_int_equal(count_files(&other, "files/tmp"), 1);
    desk_leave(&d);
    for (size_t i = 0; i < 500 && count_files(&other, "files/tmp"); i++)
        usleep(1000);
    assert_int_equal(count_files(&other, "files/tmp"), 0);
    desk_leave(&other);
}

/* Evidence with ${file}, recorded here. */
static void record_evidence(struct desk *wang, const struct record_file *file, int want)
{
    struct paper p;
    const struct record_officer officers[] = {{bytes_of("王芳"), bytes_of("33010012345")},
                                              {bytes_of("李强"), bytes_of("33010012346")}};
    const struct record r = evidence_record(officers, file);
    paper_write(&p, wang, &r);
    paper_sign(&p, wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(wang, &p, "{}"), want);
    paper_free(&p);
}

static void file_comes_out_as_it_went_in(void **state)
{
    enum { LEN = 5 * 1024 * 1024 + 3 };
    struct desk d;
    struct file_of f;
    char ref[64];
    uint8_t *data = pattern(LEN);
    uint8_t *back = malloc(LEN);
    int fd = temporary_file(data, LEN);
    int to = temporary_file(NULL, 0);
    desk_sit(&d, *state, HANGZHOU, "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), 0);
    assert_int_equal(upload(&d, fd, "a.png", NULL, NULL), 0);
    json_t *kept = json_incref(d.answer);
    read_file(&d, &f);
    record_evidence(&d, &f.file, 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&d, "ref"));
    const struct comity_transfer t = {.ref = ref, .file = "a.png"};
    struct comity_reply r;
    assert_int_equal(desk_keep(&d, comity_client_download(d.client, to, &t, &r), &r), 0);
    assert_int_equal(answer_number(&d, "len"), LEN);
    assert_int_equal(pread(to, back, LEN, 0), LEN);
    assert_memory_equal(back, data, LEN);
    const struct comity_transfer by_number = {.ref = ref, .file = "0"};
    assert_int_equal(comity_client_download(d.client, to, &by_number, &r), 0);
    const struct comity_transfer none = {.ref = ref, .file = "b.png"};
    assert_int_equal(comity_client_download(d.client, to, &none, &r), COMITY_E_NOT_FOUND);
    desk_ask(&d, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_true(json_is_true(answer_at(&d, "files.0.here")));
    assert_null(answer_at(&d, "record.evidence.files.0.secret"));
    json_decref(kept);
    close(fd);
    close(to);
    free(data);
    free(back);
    desk_leave(&d);
}

/* A stored file that has changed is noticed by who fetches it. */
static void spoilt_file_is_noticed(void **state)
{
    struct offices *o = *state;
    struct desk d;
    struct file_of f;
    char ref[64], path[500];
    uint8_t *data = pattern(1000);
    int fd = temporary_file(data, 1000);
    desk_sit(&d, o, HANGZHOU, "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), 0);
    assert_int_equal(upload(&d, fd, "a.png", NULL, NULL), 0);
    json_t *kept = json_incref(d.answer);
    read_file(&d, &f);
    snprintf(path, sizeof path, "%s/files/%s", o->w->actor[d.at].party->dir,
             answer_text(&d, "sha256"));
    record_evidence(&d, &f.file, 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&d, "ref"));
    assert_int_equal(chmod(path, 0600), 0);
    int stored = open(path, O_WRONLY);
    assert_int_equal(pwrite(stored, "x", 1, 500), 1);
    close(stored);
    const struct comity_transfer t = {.ref = ref, .file = "a.png"};
    struct comity_reply r;
    assert_int_equal(comity_client_download(d.client, fd, &t, &r), COMITY_E_ATTACHMENT);
    json_decref(kept);
    close(fd);
    free(data);
    desk_leave(&d);
}

static void record_of_a_file_that_is_not_here_is_refused(void **state)
{
    struct desk d;
    uint8_t b[HASH_LEN] = {1};
    const struct record_file file = {.name = bytes_of("x.png"),
                                     .len = 5,
                                     .sha256 = BYTES(b, HASH_LEN),
                                     .sm3 = BYTES(b, HASH_LEN),
                                     .blob = BYTES(b, HASH_LEN),
                                     .secret = BYTES(b, HASH_LEN)};
    desk_sit(&d, *state, HANGZHOU, "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), 0);
    record_evidence(&d, &file, COMITY_E_NOT_FOUND);
    assert_string_equal(answer_text(&d, "field"), "evidence.files[0]");
    desk_leave(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)
    const struct CMUnitTest tests[] = {
        TEST(upload_is_named_by_its_content),
        TEST(same_bytes_are_kept_once_under_other_secrets),
        TEST(upload_that_is_stopped_leaves_nothing),
        TEST(files_are_begun_and_ended_in_order),
        TEST(upload_that_loses_its_connection_leaves_nothing),
        TEST(file_comes_out_as_it_went_in),
        TEST(spoilt_file_is_noticed),
        TEST(record_of_a_file_that_is_not_here_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
