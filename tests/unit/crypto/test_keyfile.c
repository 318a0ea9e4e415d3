/* Key files: opened by openssl, refused when anything about them was exchanged; and passphrases. */
#include "crypto/keyfile.h"

#include "base/file.h"
#include "crypto/seal.h"
#include "helper.h"

#include <comity/err.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char dir[] = "/tmp/comity-keyfile-XXXXXX";
static char path[64];
static const struct bytes pass = BYTES_LIT("correct horse");

static int make_dir(void **state)
{
    (void)state;
    if (!mkdtemp(dir))
        return -1;
    snprintf(path, sizeof path, "%s/key", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

static int remove_file(void **state)
{
    (void)state;
    unlink(path);
    return 0;
}

static struct key_public create(enum key_use use, const char *name)
{
    struct key_public k = {0};
    assert_int_equal(keyfile_create(path, use, name, pass, &k), 0);
    return k;
}

/* The first ${old} in the file becomes ${new}. */
static void replace(const char *old, const char *new)
{
    struct buf content = BUF_INIT, changed = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 20, &content), 0);
    const char *at = strstr(buf_str(&content), old);
    assert_non_null(at);
    size_t before = (size_t)(at - (const char *)content.data);
    buf_put(&changed, content.data, before);
    buf_put_str(&changed, new);
    buf_put_str(&changed, at + strlen(old));
    assert_int_equal(file_write(path, buf_bytes(&changed), 0600), 0);
    buf_free(&content);
    buf_free(&changed);
}

static int open_it(enum key_use use, struct bytes passphrase)
{
    struct key_public k = {.name = "untouched"};
    uint8_t secret[32] = {0xaa, 0xbb};
    int err = keyfile_open(path, use, passphrase, &k, secret);
    if (err) {
        assert_string_equal(k.name, "untouched");
        assert_int_equal(secret[0] << 8 | secret[1], 0xaabb);
    }
    return err;
}

static size_t run(const char *command, uint8_t *ret, size_t size)
{
    FILE *out = popen(command, "r"); /* NOLINT(cert-env33-c) */
    assert_non_null(out);
    size_t n = fread(ret, 1, size, out);
    assert_int_equal(pclose(out), 0);
    return n;
}

/* ---- key files ---- */

static void create_then_open_every_use(void **state)
{
    (void)state;
    static const char *const words[] = {"ledger", "seal", "curve", "officer", "authority"};
    for (int use = KEY_LEDGER; use <= KEY_AUTHORITY; use++) {
        assert_string_equal(key_use_word((enum key_use)use), words[use]);
        struct key_public made = create((enum key_use)use, "cn-samr/330100-001"), public, opened;
        uint8_t secret[32], pub[32];
        assert_int_equal(keyfile_public(path, &public), 0);
        assert_memory_equal(&public, &made, sizeof made);
        assert_int_equal(keyfile_open(path, (enum key_use)use, pass, &opened, secret), 0);
        assert_memory_equal(&opened, &made, sizeof made);
        if (use == KEY_SEAL || use == KEY_CURVE) {
            assert_int_equal(seal_public(secret, pub), 0);
        } else {
            struct note_signer *s = NULL;
            assert_int_equal(note_signer_new("x", secret, &s), 0);
            memcpy(pub, note_signer_public(s)->pub, sizeof pub);
            note_signer_free(s);
        }
        assert_memory_equal(pub, made.pub, sizeof pub);
        unlink(path);
    }
}

static void create_file_is_private_and_readable_text(void **state)
{
    (void)state;
    struct key_public k = create(KEY_OFFICER, "cn-samr/330100-001/officer/\xe5\xbc\xa0");
    struct buf content = BUF_INIT, expected = BUF_INIT;
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    buf_printf(&expected, "comity key v1\nofficer\n%s\n", k.name);
    text_put_base64(&expected, BYTES(k.pub, 32));
    buf_put_str(&expected, "\n-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
    assert_int_equal(file_read(path, 1 << 16, &content), 0);
    assert_true(bytes_has_prefix(buf_bytes(&content), buf_str(&expected)));
    buf_free(&content);
    buf_free(&expected);
}

/* In twenty years there may be openssl, and no Comity. */
static void openssl_opens_the_file(void **state)
{
    (void)state;
    static const enum key_use both[] = {KEY_LEDGER, KEY_SEAL};
    for (size_t i = 0; i < COUNT(both); i++) {
        struct key_public k = create(both[i], "cn-samr/330100-001"), opened;
        char command[256];
        uint8_t der[256], secret[32];
        snprintf(command, sizeof command,
                 "openssl pkey -in %s -passin 'pass:correct horse' -pubout -outform DER", path);
        size_t n = run(command, der, sizeof der);
        assert_true(n > 32);
        assert_memory_equal(der + n - 32, k.pub, 32);
        snprintf(command, sizeof command,
                 "openssl pkey -in %s -passin 'pass:correct horse' -outform DER", path);
        n = run(command, der, sizeof der);
        assert_int_equal(keyfile_open(path, both[i], pass, &opened, secret), 0);
        assert_non_null(memmem(der, n, secret, sizeof secret));
        unlink(path);
    }
}

static void encryption_is_pbes2_with_scrypt_and_aes256(void **state)
{
    (void)state;
    (void)create(KEY_LEDGER, "x");
    char command[128];
    uint8_t text[8192] = {0};
    snprintf(command, sizeof command, "openssl asn1parse -strictpem -in %s", path);
    run(command, text, sizeof text - 1);
    static const char *const expected[] = {":PBES2", ":scrypt", ":4000",
                                           ":08",    ":03",     ":aes-256-cbc"};
    const char *at = (const char *)text;
    for (size_t i = 0; i < COUNT(expected); i++) {
        at = strstr(at, expected[i]);
        assert_non_null(at);
    }
}

static void create_refusals(void **state)
{
    (void)state;
    struct key_public k = {.name = "untouched"};
    static uint8_t long_pass[1025];
    assert_int_equal(keyfile_create(path, KEY_LEDGER, "a b", pass, &k), COMITY_E_INVALID);
    assert_int_equal(keyfile_create(path, KEY_LEDGER, "", pass, &k), COMITY_E_INVALID);
    assert_int_equal(keyfile_create(path, KEY_SEAL, "a\nb", pass, &k), COMITY_E_INVALID);
    assert_int_equal(keyfile_create(path, KEY_LEDGER, "a", BYTES_NONE, &k), COMITY_E_INVALID);
    assert_int_equal(keyfile_create(path, KEY_LEDGER, "a", BYTES(long_pass, 1025), &k),
                     COMITY_E_INVALID);
    assert_int_equal(access(path, F_OK), -1);
    assert_int_equal(keyfile_create("/nonexistent/key", KEY_LEDGER, "a", pass, &k),
                     COMITY_E_NOT_FOUND);
    assert_string_equal(k.name, "untouched");
}

static void create_over_a_key_is_refused_and_keeps_it(void **state)
{
    (void)state;
    struct key_public first = create(KEY_LEDGER, "a"), second, still;
    assert_int_equal(keyfile_create(path, KEY_LEDGER, "a", pass, &second), COMITY_E_EXISTS);
    assert_int_equal(keyfile_public(path, &still), 0);
    assert_memory_equal(&still, &first, sizeof first);
}

static void open_wrong_passphrase_is_refused(void **state)
{
    (void)state;
    static uint8_t long_pass[1025];
    (void)create(KEY_LEDGER, "a");
    assert_int_equal(open_it(KEY_LEDGER, BYTES_LIT("correct horsf")), COMITY_E_PASSPHRASE);
    assert_int_equal(open_it(KEY_LEDGER, BYTES_LIT("correct horse ")), COMITY_E_PASSPHRASE);
    assert_int_equal(open_it(KEY_LEDGER, BYTES_NONE), COMITY_E_PASSPHRASE);
    assert_int_equal(open_it(KEY_LEDGER, BYTES(long_pass, 1025)), COMITY_E_PASSPHRASE);
    assert_int_equal(open_it(KEY_LEDGER, pass), 0);
}

static void open_exposed_file_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0644, 0640, 0604, 0660, 0620, 0601};
    struct key_public k;
    struct note_signer *s = NULL;
    (void)create(KEY_LEDGER, "a");
    for (size_t i = 0; i < COUNT(modes); i++) {
        assert_int_equal(chmod(path, modes[i]), 0);
        assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_PUBLIC_KEY_FILE);
        assert_int_equal(keyfile_public(path, &k), COMITY_E_PUBLIC_KEY_FILE);
        assert_int_equal(keyfile_open_signer(path, KEY_LEDGER, pass, &s), COMITY_E_PUBLIC_KEY_FILE);
    }
}

static void open_missing_file_or_other_use_is_refused(void **state)
{
    (void)state;
    struct note_signer *s = NULL;
    assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_NOT_FOUND);
    (void)create(KEY_LEDGER, "a");
    assert_int_equal(open_it(KEY_OFFICER, pass), COMITY_E_INVALID);
    assert_int_equal(keyfile_open_signer(path, KEY_SEAL, pass, &s), COMITY_E_INVALID);
    assert_null(s);
}

static void open_exchanged_public_half_is_damaged(void **state)
{
    (void)state;
    struct key_public k = create(KEY_LEDGER, "a"), seen;
    struct buf old = BUF_INIT;
    text_put_base64(&old, BYTES(k.pub, 32));
    /* RFC 8032's first public key: a good key, and not this one. */
    replace(buf_str(&old), "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=");
    assert_int_equal(keyfile_public(path, &seen), 0); /* it cannot be told without the passphrase */
    assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_KEY_DAMAGED);
    buf_free(&old);
}

static void open_exchanged_name_or_use_is_damaged(void **state)
{
    (void)state;
    (void)create(KEY_LEDGER, "abc");
    replace("\nabc\n", "\nabd\n");
    assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_KEY_DAMAGED);
    replace("\nabd\n", "\nabc\n");
    assert_int_equal(open_it(KEY_LEDGER, pass), 0);
    replace("\nledger\n", "\nofficer\n");
    assert_int_equal(open_it(KEY_OFFICER, pass), COMITY_E_KEY_DAMAGED);
    replace("\nofficer\n", "\nseal\n");
    assert_int_equal(open_it(KEY_SEAL, pass), COMITY_E_KEY_DAMAGED);
}

static void open_damaged_lines_are_damaged(void **state)
{
    (void)state;
    struct key_public k = create(KEY_LEDGER, "abc");
    struct buf pub = BUF_INIT, whole = BUF_INIT;
    text_put_base64(&pub, BYTES(k.pub, 32));
    assert_int_equal(file_read(path, 1 << 16, &whole), 0);
    const char *const changes[][2] = {
        {"comity key v1", "comity key v2"},
        {"comity key v1\n", ""},
        {"ledger", "ledgers"},
        {"abc", "a c"},
        {"abc", ""},
        {buf_str(&pub), ""},
        {buf_str(&pub), "AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}, /* the identity */
        {"BEGIN ENCRYPTED", "BEGIN"},
        {"\n-----BEGIN", "\n\n-----BEGIN"},
        {"-----END", ""},
        {"\nMI", "\nNI"},
        {"\nMI", "\n*I"},
    };
    for (size_t i = 0; i < COUNT(changes); i++) {
        replace(changes[i][0], changes[i][1]);
        assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_KEY_DAMAGED);
        assert_int_equal(file_write(path, buf_bytes(&whole), 0600), 0);
    }
    assert_int_equal(file_write(path, BYTES_NONE, 0600), 0);
    assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_KEY_DAMAGED);
    buf_free(&pub);
    buf_free(&whole);
}

/* The public half is read without any secret to check it against: the form is all that there is. */
static void public_of_damaged_lines_is_refused(void **state)
{
    (void)state;
    char long_name[NOTE_KEY_NAME_MAX + 2] = {0};
    memset(long_name, 'n', NOTE_KEY_NAME_MAX + 1);
    const char *const changes[][2] = {
        {"v1", "v2"}, {"ledger", "lodger"}, {"abc", "a c"},
        {"abc", ""},  {"abc", long_name},   {"ENCRYPTED PRIVATE", "PRIVATE"},
    };
    (void)create(KEY_LEDGER, "abc");
    struct buf whole = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 16, &whole), 0);
    for (size_t i = 0; i < COUNT(changes); i++) {
        struct key_public k = {.name = "untouched"};
        replace(changes[i][0], changes[i][1]);
        assert_int_equal(keyfile_public(path, &k), COMITY_E_KEY_DAMAGED);
        assert_string_equal(k.name, "untouched");
        assert_int_equal(file_write(path, buf_bytes(&whole), 0600), 0);
    }
    buf_free(&whole);
}

/* Cut anywhere, it is never opened and never read beyond its end. */
static void open_truncated_file_is_damaged(void **state)
{
    (void)state;
    (void)create(KEY_LEDGER, "abc");
    struct buf whole = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 16, &whole), 0);
    for (size_t len = 0; len + 2 < whole.len; len += 7) {
        assert_int_equal(file_write(path, BYTES(whole.data, len), 0600), 0);
        assert_int_equal(open_it(KEY_LEDGER, pass), COMITY_E_KEY_DAMAGED);
    }
    buf_free(&whole);
}

static void open_damaged_encryption_is_refused(void **state)
{
    (void)state;
    (void)create(KEY_LEDGER, "abc");
    struct buf whole = BUF_INIT;
    assert_int_equal(file_read(path, 1 << 16, &whole), 0);
    const char *pem = strstr(buf_str(&whole), "\nMI");
    assert_non_null(pem);
    size_t start = (size_t)(pem + 1 - (const char *)whole.data);
    const char *end = strstr(pem, "\n-----END");
    assert_non_null(end);
    for (size_t i = start; i + 4 < (size_t)(end - (const char *)whole.data); i += 19) {
        uint8_t was = whole.data[i];
        if (was == '\n')
            continue;
        whole.data[i] = was == 'A' ? 'B' : 'A';
        assert_int_equal(file_write(path, buf_bytes(&whole), 0600), 0);
        int err = open_it(KEY_LEDGER, pass);
        assert_true(err == COMITY_E_KEY_DAMAGED || err == COMITY_E_PASSPHRASE);
        whole.data[i] = was;
    }
    buf_free(&whole);
}

static void open_signer_signs_under_the_files_name(void **state)
{
    (void)state;
    struct key_public k = create(KEY_AUTHORITY, "cn-samr/authority");
    struct note_signer *s = NULL;
    struct note_verifier v;
    struct buf note = BUF_INIT;
    struct bytes text;
    assert_int_equal(keyfile_open_signer(path, KEY_AUTHORITY, pass, &s), 0);
    assert_int_equal(note_sign(s, BYTES_LIT("t\n"), &note), 0);
    assert_int_equal(note_verifier_make(k.name, NOTE_TYPE_SIGNATURE, k.pub, &v), 0);
    assert_int_equal(note_open(buf_bytes(&note), &v, &text), 0);
    buf_free(&note);
    note_signer_free(s);
}

/* ---- passphrases ---- */

static int read_passphrase(const char *content, const char *expected, mode_t mode)
{
    struct buf out = BUF_INIT;
    assert_int_equal(file_write(path, bytes_of(content), mode), 0);
    int err = passphrase_read(path, &out);
    assert_string_equal(buf_str(&out), expected);
    buf_wipe(&out);
    return err;
}

static void passphrase_is_the_first_line(void **state)
{
    (void)state;
    assert_int_equal(read_passphrase("secret\nmore\n", "secret", 0600), 0);
    assert_int_equal(read_passphrase("no line feed", "no line feed", 0400), 0);
    assert_int_equal(read_passphrase(" kept as it is \r\n", " kept as it is \r", 0600), 0);
    assert_int_equal(read_passphrase("", "", 0600), COMITY_E_INVALID);
    assert_int_equal(read_passphrase("\nsecret\n", "", 0600), COMITY_E_INVALID);
    assert_int_equal(read_passphrase("secret\n", "", 0644), COMITY_E_PUBLIC_KEY_FILE);
    assert_int_equal(read_passphrase("secret\n", "", 0640), COMITY_E_PUBLIC_KEY_FILE);
    unlink(path);
    struct buf out = BUF_INIT;
    assert_int_equal(passphrase_read(path, &out), COMITY_E_NOT_FOUND);
    buf_free(&out);
}

static void passphrase_at_and_beyond_the_limit(void **state)
{
    (void)state;
    char text[1026];
    memset(text, 'p', sizeof text);
    text[1024] = 0;
    assert_int_equal(read_passphrase(text, text, 0600), 0);
    text[1024] = 'p';
    text[1025] = 0;
    assert_int_equal(read_passphrase(text, "", 0600), COMITY_E_TOO_LARGE);
}

static void passphrase_from_descriptor_leaves_the_rest(void **state)
{
    (void)state;
    int fds[2];
    char name[16];
    struct buf out = BUF_INIT;
    assert_int_equal(pipe(fds), 0);
    assert_int_equal(write(fds[1], "one\ntwo\n", 8), 8);
    close(fds[1]);
    snprintf(name, sizeof name, "fd:%d", fds[0]);
    assert_int_equal(passphrase_read(name, &out), 0);
    assert_string_equal(buf_str(&out), "one");
    buf_reset(&out);
    int stdin_was = dup(STDIN_FILENO);
    assert_int_equal(dup2(fds[0], STDIN_FILENO), STDIN_FILENO);
    assert_int_equal(passphrase_read("-", &out), 0);
    assert_string_equal(buf_str(&out), "two");
    assert_int_equal(passphrase_read("-", &out), COMITY_E_INVALID); /* nothing is left */
    if (stdin_was >= 0) {
        assert_int_equal(dup2(stdin_was, STDIN_FILENO), STDIN_FILENO);
        close(stdin_was);
    }
    close(fds[0]);
    assert_int_equal(passphrase_read(name, &out), COMITY_E_IO); /* closed */
    assert_int_equal(passphrase_read("fd:", &out), COMITY_E_INVALID);
    assert_int_equal(passphrase_read("fd:-1", &out), COMITY_E_INVALID);
    assert_int_equal(passphrase_read("fd:3x", &out), COMITY_E_INVALID);
    assert_int_equal(passphrase_read("fd:4294967296", &out), COMITY_E_INVALID);
    assert_string_equal(buf_str(&out), "two");
    buf_wipe(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(create_then_open_every_use, remove_file),
        cmocka_unit_test_teardown(create_file_is_private_and_readable_text, remove_file),
        cmocka_unit_test_teardown(openssl_opens_the_file, remove_file),
        cmocka_unit_test_teardown(encryption_is_pbes2_with_scrypt_and_aes256, remove_file),
        cmocka_unit_test_teardown(create_refusals, remove_file),
        cmocka_unit_test_teardown(create_over_a_key_is_refused_and_keeps_it, remove_file),
        cmocka_unit_test_teardown(open_wrong_passphrase_is_refused, remove_file),
        cmocka_unit_test_teardown(open_exposed_file_is_refused, remove_file),
        cmocka_unit_test_teardown(open_missing_file_or_other_use_is_refused, remove_file),
        cmocka_unit_test_teardown(open_exchanged_public_half_is_damaged, remove_file),
        cmocka_unit_test_teardown(open_exchanged_name_or_use_is_damaged, remove_file),
        cmocka_unit_test_teardown(open_damaged_lines_are_damaged, remove_file),
        cmocka_unit_test_teardown(public_of_damaged_lines_is_refused, remove_file),
        cmocka_unit_test_teardown(open_truncated_file_is_damaged, remove_file),
        cmocka_unit_test_teardown(open_damaged_encryption_is_refused, remove_file),
        cmocka_unit_test_teardown(open_signer_signs_under_the_files_name, remove_file),
        cmocka_unit_test_teardown(passphrase_is_the_first_line, remove_file),
        cmocka_unit_test_teardown(passphrase_at_and_beyond_the_limit, remove_file),
        cmocka_unit_test_teardown(passphrase_from_descriptor_leaves_the_rest, remove_file),
    };
    return cmocka_run_group_tests_name("crypto/keyfile", tests, make_dir, remove_dir);
}
