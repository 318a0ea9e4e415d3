/* Hashes, file digests, randomness, and contexts that threads keep. */
#include "crypto/hash.h"

#include "helper.h"

#include <comity/err.h>
#include <pthread.h>
#include <string.h>

static void crypto_init_repeated_succeeds(void **state)
{
    (void)state;
    assert_int_equal(crypto_init(), COMITY_OK);
    assert_int_equal(crypto_init(), COMITY_OK);
}

static void suite_unknown_number_is_null(void **state)
{
    (void)state;
    assert_null(suite_get(0));
    assert_null(suite_get(2));
    assert_null(suite_get(UINT32_MAX));
    assert_int_equal(suite_id(suite_get(SUITE_1)), 1);
}

static void hash_parts_split_anywhere_is_the_same(void **state)
{
    (void)state;
    static const char text[] = "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq";
    const struct suite *s = suite_get(SUITE_1);
    for (size_t i = 0; i <= strlen(text); i++) {
        struct hash h;
        hash_of(s, &h, BYTES(text, i), BYTES_NONE, BYTES(text + i, strlen(text) - i));
        /* FIPS 180-2, appendix B.2 */
        assert_hex(h.b, HASH_LEN,
                   "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
    }
    struct hash none;
    hash_parts(s, NULL, 0, &none);
    assert_hex(none.b, HASH_LEN,
               "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

/* RFC 6962, 2.1, straight from its definition. */
static void tree_root(const char *const *leaves, size_t n, struct hash *ret)
{
    const struct suite *s = suite_get(SUITE_1);
    if (n == 1) {
        uint8_t entry[16];
        size_t len = strlen(leaves[0]) / 2;
        unhex(leaves[0], entry, len);
        hash_leaf(s, BYTES(entry, len), ret);
        return;
    }
    size_t k = 1;
    while (k * 2 < n)
        k *= 2;
    struct hash left, right;
    tree_root(leaves, k, &left);
    tree_root(leaves + k, n - k, &right);
    hash_node(s, &left, &right, ret);
}

/* The reference tree of Certificate Transparency. */
static void tree_rfc6962_reference_roots(void **state)
{
    (void)state;
    static const char *const leaves[] = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const roots[] = {
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
    for (size_t n = 1; n <= COUNT(leaves); n++) {
        struct hash root;
        tree_root(leaves, n, &root);
        assert_hex(root.b, HASH_LEN, roots[n - 1]);
    }
}

static void hash_node_into_its_own_operand(void **state)
{
    (void)state;
    const struct suite *s = suite_get(SUITE_1);
    struct hash left = {{1}}, right = {{2}}, apart;
    hash_node(s, &left, &right, &apart);
    hash_node(s, &left, &right, &left);
    assert_true(hash_equal(&apart, &left));
    assert_false(hash_equal(&apart, &right));
}

static void file_digest_published_vectors(void **state)
{
    (void)state;
    static const struct {
        const char *text, *sha256, *sm3;
    } rows[] = {
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"},
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
         "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"},
        /* GB/T 32905-2016, appendix A.2 */
        {"abcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcdabcd",
         "625b41490b883891943c5fa54ad45d7c900b9b6e91e159334e320b1f5215a209",
         "debe9ff92275b8a138604889c18e5a4d6fdb70e5387e5765293dcba39c0c5732"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct file_digest *d = file_digest_new();
        struct hash sha256, sm3;
        assert_non_null(d);
        for (const char *c = rows[i].text; *c; c++)
            file_digest_add(d, BYTES(c, 1));
        file_digest_add(d, BYTES_NONE);
        file_digest_finish(d, &sha256, &sm3);
        file_digest_free(d);
        assert_hex(sha256.b, HASH_LEN, rows[i].sha256);
        assert_hex(sm3.b, HASH_LEN, rows[i].sm3);
    }
    file_digest_free(NULL);
}

static void random_bytes_are_not_repeated(void **state)
{
    (void)state;
    static const uint8_t zero[32];
    uint8_t a[33] = {0}, b[33] = {0};
    random_bytes(a, 32);
    random_bytes(b, 32);
    random_bytes(b, 0);
    assert_memory_not_equal(a, b, 32);
    assert_memory_not_equal(a, zero, 32);
    assert_int_equal(a[32], 0);
}

static void secret_equal_compares_every_byte(void **state)
{
    (void)state;
    for (size_t i = 0; i < 32; i++) {
        uint8_t a[32] = {0}, b[32] = {0};
        assert_true(secret_equal(a, b, 32));
        b[i] = 0x80;
        assert_false(secret_equal(a, b, 32));
        assert_true(secret_equal(a, b, i));
    }
}

enum { THREADS = 4 };
static pthread_barrier_t together;

static void *hash_many(void *arg)
{
    struct hash *h = arg;
    pthread_barrier_wait(&together);
    for (int i = 0; i < 50000; i++)
        hash_node(suite_get(SUITE_1), h, h, h);
    return NULL;
}

/* Under the leak checker this also shows that a thread's contexts end with it. */
static void threads_do_not_share_contexts(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    struct hash results[THREADS] = {0}, alone = {0};
    assert_int_equal(pthread_barrier_init(&together, NULL, THREADS + 1), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hash_many, &results[i]), 0);
    hash_many(&alone);
    for (int i = 0; i < THREADS; i++) {
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        assert_true(hash_equal(&results[i], &alone));
    }
    pthread_barrier_destroy(&together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(crypto_init_repeated_succeeds),
        cmocka_unit_test(suite_unknown_number_is_null),
        cmocka_unit_test(hash_parts_split_anywhere_is_the_same),
        cmocka_unit_test(tree_rfc6962_reference_roots),
        cmocka_unit_test(hash_node_into_its_own_operand),
        cmocka_unit_test(file_digest_published_vectors),
        cmocka_unit_test(random_bytes_are_not_repeated),
        cmocka_unit_test(secret_equal_compares_every_byte),
        cmocka_unit_test(threads_do_not_share_contexts),
    };
    return cmocka_run_group_tests_name("crypto/hash", tests, NULL, NULL);
}
