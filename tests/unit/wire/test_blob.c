/* Attachments: sizes, sealing, proving one block, and the same blob worked out by another program.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/seal.h"
#include "wire/blob.h"

#include <comity/err.h>
#include <unistd.h>

enum { THREE_BLOCKS = 2 * BLOB_PLAIN + 1000, BLOCKS_MAX = 3, TAG = BLOB_SEALED - BLOB_PLAIN };

static const size_t sizes[] = {0, 1, BLOB_PLAIN - 1, BLOB_PLAIN, BLOB_PLAIN + 1, THREE_BLOCKS};
static const uint64_t blocks_of[] = {1, 1, 1, 1, 2, 3};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const uint8_t secret[BLOB_SECRET_LEN] = "thirty-two bytes of known secret";
static const struct suite *suite;
static const int go_on = 0;

static int set_up(void **state)
{
    (void)state;
    suite = suite_get(SUITE_1);
    return crypto_init();
}

/* A file, and everything that is made of it. */
struct sample {
    uint8_t *plain;
    size_t len;
    char path[32];
    int fd;
    uint8_t key[32];
    uint64_t blocks;
    uint8_t *sealed[BLOCKS_MAX];
    struct blob_tree *tree;
    struct hash id;
};

static struct bytes sealed_block(const struct sample *s, uint64_t i)
{
    return BYTES(s->sealed[i], blob_block_plain(s->len, i) + TAG);
}

static void sample_init(struct sample *s, size_t len)
{
    struct hash sha256, sm3;
    *s = (struct sample){.len = len, .blocks = blob_blocks(len), .path = "/tmp/comity-blob-XXXXXX"};
    s->plain = malloc(len + 1);
    for (size_t i = 0; i < len; i++)
        s->plain[i] = (uint8_t)(i * 31 + i / 251);
    s->fd = mkstemp(s->path);
    assert_true(s->fd >= 0);
    assert_int_equal(file_pwrite_all(s->fd, BYTES(s->plain, len), 0), 0);
    struct file_digest *d = file_digest_new();
    file_digest_add(d, BYTES(s->plain, len));
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    blob_key(secret, &sha256, len, s->key);
    for (uint64_t i = 0; i < s->blocks; i++) {
        size_t n = blob_block_plain(len, i);
        s->sealed[i] = malloc(n + TAG);
        blob_block_seal(s->key, i, BYTES(s->plain + i * BLOB_PLAIN, n), s->sealed[i]);
    }
    assert_int_equal(blob_tree_of_file(suite, s->fd, len, s->key, &go_on, &s->tree), 0);
    assert_int_equal(blob_tree_root(s->tree, &s->id), 0);
}

static void sample_done(struct sample *s)
{
    blob_tree_free(s->tree);
    for (size_t i = 0; i < BLOCKS_MAX; i++)
        free(s->sealed[i]);
    free(s->plain);
    close(s->fd);
    unlink(s->path);
}

/* Whether ${sealed} passes for block ${i}, by the tree's path for block ${path_of}. */
static int verify_as(const struct sample *s, uint64_t len, uint64_t i, struct bytes sealed,
                     uint64_t path_of)
{
    struct hash_list path = {0};
    assert_int_equal(blob_tree_path(s->tree, path_of, &path), 0);
    int err = blob_block_verify(suite, &s->id, len, i, sealed, path.at, path.count);
    hash_list_free(&path);
    return err;
}

static int verify(const struct sample *s, uint64_t i, struct bytes sealed)
{
    return verify_as(s, s->len, i, sealed, i);
}

/* ---- sizes ---- */

static void blocks_cover_every_length(void **state)
{
    (void)state;
    for (size_t k = 0; k < SIZES; k++) {
        uint64_t sum = 0;
        assert_int_equal(blob_blocks(sizes[k]), blocks_of[k]);
        for (uint64_t i = 0; i < blocks_of[k] + 2; i++)
            sum += blob_block_plain(sizes[k], i);
        assert_int_equal(sum, sizes[k]);
        assert_int_equal(blob_block_plain(sizes[k], blocks_of[k]), 0);
    }
    assert_int_equal(BLOB_PLAIN, 262128);
    assert_int_equal(blob_block_plain(BLOB_PLAIN + 1, 1), 1);
    assert_true(blob_blocks(UINT64_MAX) == UINT64_MAX / BLOB_PLAIN + 1);
    assert_int_equal(blob_block_plain(UINT64_MAX, UINT64_MAX), 0);
}

static void every_size_seals_proves_and_opens(void **state)
{
    (void)state;
    uint8_t *opened = malloc(BLOB_PLAIN);
    for (size_t k = 0; k < SIZES; k++) {
        struct sample s;
        sample_init(&s, sizes[k]);
        assert_int_equal(blob_tree_count(s.tree), blocks_of[k]);
        for (uint64_t i = 0; i < s.blocks; i++) {
            struct bytes sealed = sealed_block(&s, i);
            assert_int_equal(verify(&s, i, sealed), 0);
            assert_int_equal(blob_block_open(s.key, i, sealed, opened), 0);
            assert_memory_equal(opened, s.plain + i * BLOB_PLAIN, blob_block_plain(s.len, i));
        }
        sample_done(&s);
    }
    free(opened);
}

/* ---- refusals ---- */

static void flipped_bit_anywhere_is_refused(void **state)
{
    (void)state;
    struct sample s;
    uint8_t opened[64];
    sample_init(&s, 40);
    for (size_t bit = 0; bit < (40 + TAG) * 8; bit++) {
        s.sealed[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(verify(&s, 0, sealed_block(&s, 0)), COMITY_E_BLOB);
        assert_int_equal(blob_block_open(s.key, 0, sealed_block(&s, 0), opened), COMITY_E_UNSEAL);
        s.sealed[0][bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(verify(&s, 0, sealed_block(&s, 0)), 0);
    sample_done(&s);
}

static void flipped_bit_of_a_large_blob_is_refused(void **state)
{
    (void)state;
    struct sample s;
    uint8_t *opened = malloc(BLOB_PLAIN);
    sample_init(&s, THREE_BLOCKS);
    for (uint64_t i = 0; i < s.blocks; i++) {
        struct bytes sealed = sealed_block(&s, i);
        for (size_t at = 0; at < sealed.len; at += at + 2048 < sealed.len ? sealed.len / 7 : 97) {
            s.sealed[i][at] ^= 0x10;
            assert_int_equal(verify(&s, i, sealed), COMITY_E_BLOB);
            assert_int_equal(blob_block_open(s.key, i, sealed, opened), COMITY_E_UNSEAL);
            s.sealed[i][at] ^= 0x10;
        }
    }
    free(opened);
    sample_done(&s);
}

static void block_in_anothers_place_is_refused(void **state)
{
    (void)state;
    struct sample s;
    uint8_t *opened = malloc(BLOB_PLAIN);
    sample_init(&s, THREE_BLOCKS);
    struct bytes first = sealed_block(&s, 0), second = sealed_block(&s, 1);
    assert_int_equal(verify_as(&s, s.len, 0, second, 0), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, s.len, 0, second, 1), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, s.len, 1, first, 0), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, s.len, 1, second, 0), COMITY_E_BLOB);
    assert_int_equal(blob_block_open(s.key, 0, second, opened), COMITY_E_UNSEAL);
    assert_int_equal(blob_block_open(s.key, 1, first, opened), COMITY_E_UNSEAL);
    free(opened);
    sample_done(&s);
}

static void block_of_another_length_is_refused(void **state)
{
    (void)state;
    struct sample s;
    sample_init(&s, THREE_BLOCKS);
    for (uint64_t i = 0; i < 3; i++) {
        struct bytes sealed = sealed_block(&s, i);
        assert_int_equal(verify(&s, i, BYTES(sealed.data, sealed.len - 1)), COMITY_E_BLOB);
    }
    /* The signed length says how long each block is, and how many there are. */
    assert_int_equal(verify_as(&s, THREE_BLOCKS - 1, 2, sealed_block(&s, 2), 2), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, THREE_BLOCKS - 1, 0, sealed_block(&s, 0), 0), 0);
    assert_int_equal(verify_as(&s, BLOB_PLAIN, 0, sealed_block(&s, 0), 0), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, 4 * BLOB_PLAIN, 0, sealed_block(&s, 0), 2), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, s.len, 3, BYTES(s.sealed[0], TAG), 2), COMITY_E_BLOB);
    assert_int_equal(verify_as(&s, s.len, UINT64_MAX, BYTES(s.sealed[0], TAG), 2), COMITY_E_BLOB);
    sample_done(&s);
}

static void block_shorter_than_its_tag_is_refused(void **state)
{
    (void)state;
    uint8_t key[32] = {1}, sealed[TAG] = {0}, out[TAG];
    for (size_t n = 0; n < TAG; n++)
        assert_int_equal(blob_block_open(key, 0, BYTES(sealed, n), out), COMITY_E_UNSEAL);
}

/* Whoever knows the key can seal a longer block; its reader has room for BLOB_PLAIN bytes. */
static void block_longer_than_any_is_refused(void **state)
{
    (void)state;
    const uint8_t key[32] = {1}, nonce[AEAD_NONCE_LEN] = {0};
    uint8_t *plain = calloc(1, BLOB_PLAIN + 1), *sealed = malloc(BLOB_SEALED + 1);
    aead_seal(key, nonce, BYTES_NONE, BYTES(plain, BLOB_PLAIN + 1), sealed);
    assert_int_equal(blob_block_open(key, 0, BYTES(sealed, BLOB_SEALED + 1), plain),
                     COMITY_E_UNSEAL);
    aead_seal(key, nonce, BYTES_NONE, BYTES(plain, BLOB_PLAIN), sealed);
    assert_int_equal(blob_block_open(key, 0, BYTES(sealed, BLOB_SEALED), plain), 0);
    free(plain);
    free(sealed);
}

static void path_too_short_or_too_long_is_refused(void **state)
{
    (void)state;
    struct sample s;
    struct hash_list path = {0};
    sample_init(&s, THREE_BLOCKS);
    assert_int_equal(blob_tree_path(s.tree, 0, &path), 0);
    struct bytes first = sealed_block(&s, 0);
    assert_int_equal(path.count, 2);
    assert_int_equal(blob_block_verify(suite, &s.id, s.len, 0, first, path.at, 1), COMITY_E_BLOB);
    assert_int_equal(hash_list_add(&path, &s.id), 0);
    assert_int_equal(blob_block_verify(suite, &s.id, s.len, 0, first, path.at, 2), 0);
    assert_int_equal(blob_block_verify(suite, &s.id, s.len, 0, first, path.at, 3), COMITY_E_BLOB);
    path.at[1].b[31] ^= 1;
    assert_int_equal(blob_block_verify(suite, &s.id, s.len, 0, first, path.at, 2), COMITY_E_BLOB);
    hash_list_free(&path);
    assert_int_equal(blob_tree_path(s.tree, 3, &path), COMITY_E_INVALID);
    sample_done(&s);
}

/* ---- keys ---- */

static void key_depends_on_content_length_and_secret(void **state)
{
    (void)state;
    struct hash h = {{1}};
    uint8_t other[BLOB_SECRET_LEN] = {0}, key[4][32];
    blob_key(secret, &h, 5, key[0]);
    blob_key(secret, &h, 6, key[1]);
    blob_key(other, &h, 5, key[2]);
    h.b[31] ^= 1;
    blob_key(secret, &h, 5, key[3]);
    for (size_t i = 0; i < 4; i++)
        for (size_t k = 0; k < i; k++)
            assert_memory_not_equal(key[i], key[k], 32);
}

/* ---- trees ---- */

/* RFC 6962, 2.1, word for word. */
static void naive_root(const struct hash *leaf, uint64_t n, struct hash *ret)
{
    uint64_t k = 1;
    struct hash left, right;
    if (n == 1) {
        *ret = leaf[0];
        return;
    }
    while (k * 2 < n)
        k *= 2;
    naive_root(leaf, k, &left);
    naive_root(leaf + k, n - k, &right);
    hash_node(suite, &left, &right, ret);
}

static void tree_of_every_small_size_agrees_with_the_definition(void **state)
{
    (void)state;
    enum { MAX = 130 };
    struct hash leaf[MAX], root, want;
    struct blob_tree *t = NULL;
    assert_int_equal(blob_tree_new(suite, &t), 0);
    for (uint64_t n = 1; n <= MAX; n++) {
        uint8_t block[TAG] = {(uint8_t)n};
        hash_leaf(suite, BYTES(block, sizeof block), &leaf[n - 1]);
        assert_int_equal(blob_tree_add(t, BYTES(block, sizeof block)), 0);
        assert_int_equal(blob_tree_count(t), n);
        assert_int_equal(blob_tree_root(t, &root), 0);
        naive_root(leaf, n, &want);
        assert_true(hash_equal(&root, &want));
        for (uint64_t i = 0; i < n; i++) {
            struct hash_list path = {0};
            assert_int_equal(blob_tree_path(t, i, &path), 0);
            assert_int_equal(
                proof_inclusion_verify(suite, &leaf[i], i, n, path.at, path.count, &want), 0);
            hash_list_free(&path);
        }
    }
    blob_tree_free(t);
}

static void file_shorter_than_said_is_an_error(void **state)
{
    (void)state;
    struct sample s;
    struct blob_tree *t = NULL;
    sample_init(&s, 100);
    assert_int_equal(blob_tree_of_file(suite, s.fd, 101, s.key, &go_on, &t), COMITY_E_IO);
    assert_int_equal(blob_tree_of_file(suite, s.fd, UINT64_MAX, s.key, &go_on, &t),
                     COMITY_E_TOO_LARGE);
    assert_null(t);
    sample_done(&s);
}

static void sealing_stops_when_told(void **state)
{
    (void)state;
    struct sample s;
    struct blob_tree *t = NULL;
    const int stop = 1;
    sample_init(&s, 100);
    assert_int_equal(blob_tree_of_file(suite, s.fd, 100, s.key, &stop, &t), COMITY_E_INTERRUPTED);
    assert_null(t);
    sample_done(&s);
}

/* ---- another program ---- */

static void put_sha256(struct buf *out, struct bytes b)
{
    struct hash h;
    hash_of(suite_get(SUITE_1), &h, b); /* suite 1's hash is SHA-256 */
    text_put_hex(out, hash_bytes(&h));
    buf_put_u8(out, '\n');
}

/* Once worked out by tests/vectors/blob_check.py for the file "abc". */
static void blob_of_abc_is_the_known_one(void **state)
{
    (void)state;
    struct hash sha256, id;
    uint8_t key[32], sealed[3 + TAG];
    struct buf out = BUF_INIT;
    hash_of(suite, &sha256, BYTES_LIT("abc"));
    blob_key(secret, &sha256, 3, key);
    text_put_hex(&out, BYTES(key, 32));
    assert_string_equal(buf_str(&out),
                        "7d0e4887f76a281a4fb9fda3aea2b7f7047c966cf97262d610165327b69ee0d9");
    buf_reset(&out);
    blob_block_seal(key, 0, BYTES_LIT("abc"), sealed);
    hash_leaf(suite, BYTES(sealed, sizeof sealed), &id);
    text_put_hex(&out, hash_bytes(&id));
    assert_string_equal(buf_str(&out),
                        "7d15ac37e0e35097509efa7c47fc110937a5636f40c951edb9ce3647385491b8");
    buf_free(&out);
}

static void every_size_is_sealed_alike_by_python(void **state)
{
    (void)state;
    if (system("python3 -c 'import cryptography' 2>/dev/null") != 0) {
        print_message("# no python3-cryptography here\n");
        skip();
    }
    for (size_t k = 0; k < SIZES; k++) {
        struct sample s;
        struct buf command = BUF_INIT, want = BUF_INIT;
        char got[1024];
        sample_init(&s, sizes[k]);
        text_put_hex(&want, BYTES(s.key, 32));
        buf_printf(&want, "\n%u\n", (unsigned)s.blocks);
        for (uint64_t i = 0; i < s.blocks; i++)
            put_sha256(&want, sealed_block(&s, i));
        text_put_hex(&want, hash_bytes(&s.id));
        buf_put_u8(&want, '\n');

        buf_put_str(&command, "python3 tests/vectors/blob_check.py ");
        text_put_hex(&command, BYTES(secret, sizeof secret));
        buf_printf(&command, " %s", s.path);
        FILE *pipe = popen(buf_str(&command), "r");
        assert_non_null(pipe);
        got[fread(got, 1, sizeof got - 1, pipe)] = '\0';
        assert_int_equal(pclose(pipe), 0);
        assert_string_equal(buf_str(&want), got);
        buf_free(&command);
        buf_free(&want);
        sample_done(&s);
    }
}

static void sealing_speed(void **state)
{
    (void)state;
    enum { MIB = 1024 * 1024, LEN = 64 * MIB };
    char path[] = "/tmp/comity-blob-XXXXXX";
    uint8_t key[32] = {1};
    struct blob_tree *t = NULL;
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, LEN), 0);
    int64_t start = clock_mono_ms(&clock_system);
    assert_int_equal(blob_tree_of_file(suite, fd, LEN, key, &go_on, &t), 0);
    int64_t took = clock_mono_ms(&clock_system) - start;
    print_message("# sealed and hashed %d MiB in %d ms: %d MB/s\n", LEN / MIB, (int)took,
                  (int)(LEN / 1000 / (took > 0 ? took : 1)));
    blob_tree_free(t);
    close(fd);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(blocks_cover_every_length),
        cmocka_unit_test(every_size_seals_proves_and_opens),
        cmocka_unit_test(flipped_bit_anywhere_is_refused),
        cmocka_unit_test(flipped_bit_of_a_large_blob_is_refused),
        cmocka_unit_test(block_in_anothers_place_is_refused),
        cmocka_unit_test(block_of_another_length_is_refused),
        cmocka_unit_test(block_shorter_than_its_tag_is_refused),
        cmocka_unit_test(block_longer_than_any_is_refused),
        cmocka_unit_test(path_too_short_or_too_long_is_refused),
        cmocka_unit_test(key_depends_on_content_length_and_secret),
        cmocka_unit_test(tree_of_every_small_size_agrees_with_the_definition),
        cmocka_unit_test(file_shorter_than_said_is_an_error),
        cmocka_unit_test(sealing_stops_when_told),
        cmocka_unit_test(blob_of_abc_is_the_known_one),
        cmocka_unit_test(every_size_is_sealed_alike_by_python),
        cmocka_unit_test(sealing_speed),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
