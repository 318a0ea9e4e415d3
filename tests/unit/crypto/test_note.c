/* Signed notes: published notes byte for byte, and everything that is no note. */
#include "crypto/note.h"

#include "helper.h"

#include <comity/err.h>
#include <inttypes.h>
#include <string.h>

#define DASH "\xe2\x80\x94 "

/* The example of Go's package golang.org/x/mod/sumdb/note. */
static const char peter_vkey[] =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
static const char peter_key[] =
    "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"; /* 0x01 and the seed */
static const char peter_text[] = "If you think cryptography is the answer to your problem,\nthen "
                                 "you don't know what your problem is.\n";
#define PETER_LINE                                                                        \
    DASH "PeterNeumann "                                                                  \
         "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb" \
         "6KE6RyyBwJnAM=\n"
static const char enoch_vkey[] = "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
#define ENOCH_LINE                                                                           \
    DASH "EnochRoot "                                                                        \
         "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33W" \
         "Wd1RvMc+QQ=\n"

/* A public tile log's test data, and a witness's cosignature of its checkpoint at 15. */
static const char log_vkey[] =
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx";
static const char log_seed[] = "eca663f499017d2365c27c7a7679158d43cfec1330bdb259290afbd0d21777a0";
static const char log_text[] =
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n";
#define LOG_LINE                                                              \
    DASH "example.com/log/testdata "                                          \
         "M9e0luh4jTG+UMBqOUo9/q+yAEvx1ilBEniMvjf1zfcBOhg+CKubMt53MvIt/uEWP6" \
         "zdkdIQzd/fmwlM/dlPWF74ewI=\n"
static const char witness_seed[] =
    "31ffc2116ecbe003acaa800ab70757bd7d53206e3febef6a6d0796d95530b34f";
#define WITNESS_LINE                                                               \
    DASH "example.com/witness "                                                    \
         "EKHAGQAAAABkGFDLPX52bqsNVRwJszRsJ4CaZ2z8sjGx+b3pGEdRojnr3kzGm9mykMVsYyG" \
         "OkN5dOPZIj5bNxC6O/JjTfKFZwyP5Dg==\n"

static struct note_signer *signer(const char *name, const char *seed_hex)
{
    uint8_t seed[NOTE_SEED_LEN];
    struct note_signer *s = NULL;
    unhex(seed_hex, seed, sizeof seed);
    assert_int_equal(note_signer_new(name, seed, &s), 0);
    return s;
}

static struct note_verifier verifier(const char *vkey)
{
    struct note_verifier v;
    assert_int_equal(note_verifier_parse(bytes_of(vkey), &v), 0);
    return v;
}

static void assert_vkey(const struct note_verifier *v, const char *vkey)
{
    struct buf out = BUF_INIT;
    note_put_vkey(&out, v);
    assert_string_equal(buf_str(&out), vkey);
    buf_free(&out);
}

/* ---- keys ---- */

static void vkey_published_keys_round_trip(void **state)
{
    (void)state;
    static const char *const rows[] = {peter_vkey, enoch_vkey, log_vkey};
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct note_verifier v = verifier(rows[i]);
        assert_vkey(&v, rows[i]);
    }
    struct note_signer *s = signer("example.com/log/testdata", log_seed);
    assert_vkey(note_signer_public(s), log_vkey);
    note_signer_free(s);
}

static void vkey_cosignature_key_has_its_own_id(void **state)
{
    (void)state;
    struct note_signer *s = signer("example.com/witness", witness_seed);
    struct note_verifier v, parsed;
    assert_int_equal(note_verifier_make("example.com/witness", NOTE_TYPE_COSIGNATURE,
                                        note_signer_public(s)->pub, &v),
                     0);
    assert_int_equal(v.key_id, 0x10a1c019);
    assert_int_not_equal(v.key_id, note_signer_public(s)->key_id);
    struct buf out = BUF_INIT;
    note_put_vkey(&out, &v);
    assert_int_equal(note_verifier_parse(buf_bytes(&out), &parsed), 0);
    assert_int_equal(parsed.type, NOTE_TYPE_COSIGNATURE);
    assert_int_equal(parsed.key_id, v.key_id);
    buf_free(&out);
    note_signer_free(s);
}

static void vkey_malformed_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "+",
        "++",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a3+",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another id */
        "PeterNeumanN+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another name */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TX", /* another key */
        "PeterNeumann+c74f20a3+BBpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* another type */
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW", /* type 2 */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy1w==", /* too short */
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWAA==",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW\n",
        "PeterNeumann+c74f20a+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+0c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter+Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct note_verifier v = {.key_id = 4711};
        assert_int_equal(note_verifier_parse(bytes_of(bad[i]), &v), COMITY_E_MALFORMED);
        assert_int_equal(v.key_id, 4711);
    }
    struct note_verifier v;
    assert_int_equal(note_verifier_parse(BYTES_NONE, &v), COMITY_E_MALFORMED);
}

/* The vkey of the identity with its right id: everything about it is well-formed. */
static void vkey_of_small_order_is_refused(void **state)
{
    (void)state;
    static const uint8_t key[33] = {NOTE_TYPE_SIGNATURE, 1};
    struct buf vkey = BUF_INIT;
    struct note_verifier v;
    struct hash id;
    hash_of(suite_get(SUITE_1), &id, BYTES_LIT("evil\n"), BYTES(key, sizeof key));
    buf_printf(&vkey, "evil+%08" PRIx32 "+", get_u32be(id.b));
    text_put_base64(&vkey, BYTES(key, sizeof key));
    assert_int_equal(note_verifier_parse(buf_bytes(&vkey), &v), COMITY_E_BAD_KEY);
    assert_int_equal(note_verifier_make("evil", NOTE_TYPE_SIGNATURE, key + 1, &v),
                     COMITY_E_BAD_KEY);
    buf_free(&vkey);
}

static void key_name_rules(void **state)
{
    (void)state;
    static const char *const good[] = {
        "a",
        "cn-samr/330100-001",
        "cn-samr/330100-001.2",
        "cn-samr/330100-001/officer/33010012345",
        "\xe6\xb5\x99\xe6\xb1\x9f",
        "-",
        "\xf0\xa0\x80\x80",
        "\xe2\x80\x94",
    };
    static const char *const bad[] = {
        "",
        " ",
        "a b",
        "a ",
        "a+b",
        "a\nb",
        "a\tb",
        "a\x7f",
        "a\302\240b",   /* no-break space */
        "\xe3\x80\x80", /* ideographic space */
        "a\xe1\x9a\x80",
        "a\xe2\x80\x80",
        "a\xe2\x80\x8a",
        "a\xe2\x80\xa8",
        "a\xe2\x80\xa9",
        "a\xe2\x80\xaf",
        "a\xe2\x81\x9f",
        "a\xc2\x85", /* next line, a control character */
        "\xff",
        "\xc0\xa0",
        "\xed\xa0\x80", /* no UTF-8 */
    };
    uint8_t pub[NOTE_PUB_LEN], seed[NOTE_SEED_LEN] = {3};
    struct note_verifier v = verifier(peter_vkey);
    memcpy(pub, v.pub, sizeof pub);
    for (size_t i = 0; i < COUNT(good); i++) {
        assert_true(note_is_key_name(bytes_of(good[i])));
        assert_int_equal(note_verifier_make(good[i], NOTE_TYPE_SIGNATURE, pub, &v), 0);
    }
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct note_signer *s = NULL;
        assert_false(note_is_key_name(bytes_of(bad[i])));
        assert_int_equal(note_verifier_make(bad[i], NOTE_TYPE_SIGNATURE, pub, &v),
                         COMITY_E_MALFORMED);
        assert_int_equal(note_signer_new(bad[i], seed, &s), COMITY_E_MALFORMED);
        assert_null(s);
    }
}

static void key_name_longest_fits_a_vkey(void **state)
{
    (void)state;
    char name[NOTE_KEY_NAME_MAX + 2];
    struct note_verifier v = verifier(peter_vkey), again;
    memset(name, 'n', sizeof name - 1);
    name[NOTE_KEY_NAME_MAX + 1] = 0;
    assert_int_equal(note_verifier_make(name, NOTE_TYPE_SIGNATURE, v.pub, &again),
                     COMITY_E_MALFORMED);
    name[NOTE_KEY_NAME_MAX] = 0;
    assert_int_equal(note_verifier_make(name, NOTE_TYPE_SIGNATURE, v.pub, &v), 0);
    struct buf out = BUF_INIT;
    note_put_vkey(&out, &v);
    assert_true(out.len < NOTE_VKEY_MAX);
    assert_int_equal(note_verifier_parse(buf_bytes(&out), &again), 0);
    assert_string_equal(again.name, name);
    buf_free(&out);
}

/* ---- signing ---- */

static void sign_published_note_byte_for_byte(void **state)
{
    (void)state;
    uint8_t key[1 + NOTE_SEED_LEN];
    struct note_signer *s = NULL;
    struct buf out = BUF_INIT;
    assert_int_equal(text_get_base64_exact(bytes_of(peter_key), key, sizeof key), 0);
    assert_int_equal(note_signer_new("PeterNeumann", key + 1, &s), 0);
    assert_vkey(note_signer_public(s), peter_vkey);
    buf_put_str(&out, "kept|");
    assert_int_equal(note_sign(s, bytes_of(peter_text), &out), 0);
    struct buf expected = BUF_INIT;
    buf_printf(&expected, "kept|%s\n%s", peter_text, PETER_LINE);
    assert_string_equal(buf_str(&out), buf_str(&expected));
    buf_free(&expected);
    buf_free(&out);
    note_signer_free(s);
}

static void sign_checkpoint_of_the_test_log(void **state)
{
    (void)state;
    struct note_signer *s = signer("example.com/log/testdata", log_seed);
    struct buf out = BUF_INIT, expected = BUF_INIT;
    assert_int_equal(note_sign(s, bytes_of(log_text), &out), 0);
    buf_printf(&expected, "%s\n%s", log_text, LOG_LINE);
    assert_string_equal(buf_str(&out), buf_str(&expected));
    buf_free(&expected);
    buf_free(&out);
    note_signer_free(s);
}

static void cosign_published_line_byte_for_byte(void **state)
{
    (void)state;
    struct note_signer *s = signer("example.com/witness", witness_seed);
    struct buf out = BUF_INIT;
    assert_int_equal(note_cosign(s, bytes_of(log_text), 1679315147, &out), 0);
    assert_string_equal(buf_str(&out), WITNESS_LINE);
    buf_free(&out);
    note_signer_free(s);
}

static void sign_text_that_is_no_text_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "a",
        "a\n\n",
        "\n\n",
        "a\n\n\n",
        "a\r\n",
        "a\tb\n",
        "\x7f\n",
        "a\xc2\x80\n",
        "\xff\n",
        "\xe2\x80\n",
        "cosignature/v1\ntime 5\nexample.com/x\n1\nAA==\n",
    };
    struct note_signer *s = signer("a", log_seed);
    struct buf out = BUF_INIT;
    buf_put_str(&out, "kept");
    for (size_t i = 0; i < COUNT(bad); i++) {
        assert_int_equal(note_sign(s, bytes_of(bad[i]), &out), COMITY_E_INVALID);
        if (!bytes_has_prefix(bytes_of(bad[i]), "cosignature"))
            assert_int_equal(note_cosign(s, bytes_of(bad[i]), 1, &out), COMITY_E_INVALID);
    }
    assert_int_equal(note_sign(s, BYTES("a\0b\n", 4), &out), COMITY_E_INVALID);
    assert_int_equal(note_sign(s, BYTES_NONE, &out), COMITY_E_INVALID);
    assert_string_equal(buf_str(&out), "kept");
    buf_free(&out);
    note_signer_free(s);
}

static void sign_and_open_at_the_size_limit(void **state)
{
    (void)state;
    struct note_signer *s = signer("a", log_seed);
    struct buf text = BUF_INIT, out = BUF_INIT;
    struct bytes got;
    size_t overhead = 1 + strlen(DASH "a ") + 92 + 1;
    while (text.len < NOTE_MAX - overhead - 1)
        buf_put_u8(&text, 'x');
    buf_put_u8(&text, '\n');
    assert_int_equal(note_sign(s, buf_bytes(&text), &out), 0);
    assert_int_equal(out.len, NOTE_MAX);
    assert_int_equal(note_open(buf_bytes(&out), note_signer_public(s), &got), 0);
    assert_int_equal(got.len, text.len);
    buf_reset(&out);
    text.data[text.len - 1] = 'x';
    buf_put_u8(&text, '\n');
    assert_int_equal(note_sign(s, buf_bytes(&text), &out), COMITY_E_TOO_LARGE);
    assert_int_equal(out.len, 0);
    buf_free(&text);
    buf_free(&out);
    note_signer_free(s);
}

static void text_that_looks_like_signatures_stays_text(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "a\n\n" DASH "b AAAAAAAA\n", "\nb\n", "a\n\n\nb\n",          DASH "x\n",
        "a\n\n" PETER_LINE,          " \n",   "cosignature/v2\nx\n",
    };
    struct note_signer *s = signer("signer", log_seed);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct buf out = BUF_INIT;
        struct bytes text;
        assert_int_equal(note_sign(s, bytes_of(texts[i]), &out), 0);
        assert_int_equal(note_open(buf_bytes(&out), note_signer_public(s), &text), 0);
        assert_true(bytes_is(text, texts[i]));
        buf_free(&out);
    }
    note_signer_free(s);
}

static void add_signature_second_signer_and_both_verify(void **state)
{
    (void)state;
    struct note_signer *first = signer("first", log_seed), *second = signer("second", witness_seed);
    struct buf one = BUF_INIT, two = BUF_INIT;
    struct bytes text;
    assert_int_equal(note_sign(first, BYTES_LIT("t\n"), &one), 0);
    assert_int_equal(note_add_signature(second, buf_bytes(&one), &two), 0);
    assert_true(bytes_has_prefix(buf_bytes(&two), buf_str(&one)));
    assert_int_equal(note_open(buf_bytes(&two), note_signer_public(first), &text), 0);
    assert_int_equal(note_open(buf_bytes(&two), note_signer_public(second), &text), 0);
    assert_true(bytes_is(text, "t\n"));
    buf_reset(&one);
    assert_int_equal(note_add_signature(second, BYTES_LIT("t\n"), &one), COMITY_E_NOT_A_NOTE);
    assert_int_equal(one.len, 0);
    buf_free(&one);
    buf_free(&two);
    note_signer_free(first);
    note_signer_free(second);
}

static void add_signature_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct note_signer *s = signer("s", log_seed);
    struct buf note = BUF_INIT, out = BUF_INIT;
    struct bytes text, lines;
    buf_put_str(&note, "t\n\n");
    for (int i = 0; i < NOTE_SIGNATURES_MAX; i++)
        buf_put_str(&note, DASH "other AAAAAAAA\n");
    assert_int_equal(note_split(buf_bytes(&note), &text, &lines), 0);
    assert_int_equal(note_add_signature(s, buf_bytes(&note), &out), COMITY_E_LIMIT);
    buf_put_str(&note, DASH "other AAAAAAAA\n");
    assert_int_equal(note_split(buf_bytes(&note), &text, &lines), COMITY_E_NOT_A_NOTE);
    buf_free(&note);
    buf_free(&out);
    note_signer_free(s);
}

/* ---- opening ---- */

static void open_published_note_of_two_signers(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct note_verifier keys[] = {verifier(log_vkey), verifier(enoch_vkey), verifier(peter_vkey)};
    bool by[3] = {true, false, false};
    struct bytes text;
    buf_printf(&note, "%s\n%s%s", peter_text, PETER_LINE, ENOCH_LINE);
    assert_int_equal(note_open(buf_bytes(&note), &keys[1], &text), 0);
    assert_int_equal(note_open(buf_bytes(&note), &keys[2], &text), 0);
    assert_true(bytes_is(text, peter_text));
    assert_int_equal(note_open(buf_bytes(&note), &keys[0], &text), COMITY_E_UNSIGNED);
    assert_int_equal(note_open_many(buf_bytes(&note), keys, 3, by, &text), 0);
    assert_false(by[0]);
    assert_true(by[1]);
    assert_true(by[2]);
    assert_int_equal(note_open_many(buf_bytes(&note), keys, 0, NULL, &text), 0);
    assert_int_equal(note_open_many(buf_bytes(&note), keys, 1, by, &text), 0);
    assert_false(by[0]);
    buf_free(&note);
}

static void open_cosigned_checkpoint(void **state)
{
    (void)state;
    struct note_signer *s = signer("example.com/witness", witness_seed);
    struct note_verifier keys[2] = {verifier(log_vkey)};
    struct buf note = BUF_INIT;
    struct bytes text;
    bool by[2] = {false, false};
    assert_int_equal(note_verifier_make("example.com/witness", NOTE_TYPE_COSIGNATURE,
                                        note_signer_public(s)->pub, &keys[1]),
                     0);
    buf_printf(&note, "%s\n%s%s", log_text, LOG_LINE, WITNESS_LINE);
    assert_int_equal(note_open_many(buf_bytes(&note), keys, 2, by, &text), 0);
    assert_true(by[0] && by[1]);
    assert_int_equal(note_open(buf_bytes(&note), note_signer_public(s), &text), COMITY_E_UNSIGNED);

    /* One second later is another statement. */
    uint8_t *at = memmem(note.data, note.len, "ABkGFDL", 7);
    assert_non_null(at);
    at[6] = 'M';
    assert_int_equal(note_open(buf_bytes(&note), &keys[1], &text), COMITY_E_SIGNATURE);
    assert_int_equal(note_open(buf_bytes(&note), &keys[0], &text), 0);
    buf_free(&note);
    note_signer_free(s);
}

/* The same key under both types: a signature made for one must not pass for the other. */
static void open_signature_in_place_of_cosignature_is_refused(void **state)
{
    (void)state;
    static const char text[] = "cosignature/v1\ntime 7\nexample.com/x\n1\nAAAA\n";
    struct note_signer *s = signer("w", witness_seed);
    struct buf line = BUF_INIT, note = BUF_INIT, blob = BUF_INIT;
    struct bytes got;
    assert_int_equal(note_cosign(s, BYTES_LIT("example.com/x\n1\nAAAA\n"), 7, &line), 0);
    struct bytes base64 = bytes_slice(buf_bytes(&line), strlen(DASH "w "), line.len);
    base64.len--;
    assert_int_equal(text_get_base64(base64, &blob), 0);
    buf_printf(&note, "%s\n" DASH "w ", text);
    put_u32be(blob.data + 8,
              note_signer_public(s)->key_id); /* over the time, before the signature */
    text_put_base64(&note, bytes_slice(buf_bytes(&blob), 8, blob.len));
    buf_put_str(&note, "\n");
    assert_int_equal(note_open(buf_bytes(&note), note_signer_public(s), &got), COMITY_E_SIGNATURE);
    buf_free(&line);
    buf_free(&note);
    buf_free(&blob);
    note_signer_free(s);
}

static void open_every_changed_byte_is_noticed(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct note_verifier v = verifier(peter_vkey);
    buf_printf(&note, "%s\n%s", peter_text, PETER_LINE);
    for (size_t i = 0; i < note.len; i++) {
        struct bytes text = BYTES_NONE;
        note.data[i] ^= 1;
        int err = note_open(buf_bytes(&note), &v, &text);
        assert_true(err == COMITY_E_SIGNATURE || err == COMITY_E_NOT_A_NOTE ||
                    err == COMITY_E_UNSIGNED);
        assert_null(text.data);
        if (i < strlen(peter_text) - 1)
            assert_true(err == COMITY_E_SIGNATURE || peter_text[i] == '\n');
        note.data[i] ^= 1;
    }
    for (size_t len = 0; len < note.len; len++) {
        struct bytes text;
        assert_int_equal(note_open(BYTES(note.data, len), &v, &text), COMITY_E_NOT_A_NOTE);
    }
    buf_free(&note);
}

static void open_wrong_line_of_a_known_key_fails_the_note(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct note_verifier keys[] = {verifier(enoch_vkey), verifier(peter_vkey)};
    bool by[2] = {false, false};
    struct bytes text = BYTES_NONE;
    /* Enoch's id, name and the right length, behind a good line of each. */
    buf_printf(&note, "%s\n%s%s" DASH "EnochRoot ", peter_text, PETER_LINE, ENOCH_LINE);
    uint8_t blob[68] = {0xaf, 0x0c, 0xfe, 0x78};
    text_put_base64(&note, BYTES(blob, sizeof blob));
    buf_put_str(&note, "\n");
    assert_int_equal(note_open(buf_bytes(&note), &keys[0], &text), COMITY_E_SIGNATURE);
    assert_int_equal(note_open(buf_bytes(&note), &keys[1], &text), 0);
    text = BYTES_NONE;
    assert_int_equal(note_open_many(buf_bytes(&note), keys, 2, by, &text), COMITY_E_SIGNATURE);
    assert_false(by[0] || by[1]);
    assert_null(text.data);
    buf_free(&note);
}

static void open_good_line_behind_a_wrong_one_does_not_help(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct note_verifier v = verifier(enoch_vkey);
    struct bytes text;
    uint8_t blob[68] = {0xaf, 0x0c, 0xfe, 0x78};
    buf_printf(&note, "%s\n" DASH "EnochRoot ", peter_text);
    text_put_base64(&note, BYTES(blob, sizeof blob));
    buf_put_str(&note, "\n" ENOCH_LINE);
    assert_int_equal(note_open(buf_bytes(&note), &v, &text), COMITY_E_SIGNATURE);
    buf_free(&note);
}

/* A good signature and one byte more, or one less, of either type. */
static void open_good_signature_of_wrong_length_is_refused(void **state)
{
    (void)state;
    struct note_signer *s = signer("s", log_seed);
    for (int type = NOTE_TYPE_SIGNATURE; type <= NOTE_TYPE_COSIGNATURE; type += 3) {
        struct note_verifier v;
        struct buf line = BUF_INIT, blob = BUF_INIT;
        struct bytes text;
        assert_int_equal(note_verifier_make("s", (uint8_t)type, note_signer_public(s)->pub, &v), 0);
        assert_int_equal(type == NOTE_TYPE_COSIGNATURE ? note_cosign(s, BYTES_LIT("t\n"), 9, &line)
                                                       : note_sign(s, BYTES_LIT("t\n"), &line),
                         0);
        const char *base64 = strstr(buf_str(&line), DASH "s ") + strlen(DASH "s ");
        assert_int_equal(text_get_base64(BYTES(base64, strlen(base64) - 1), &blob), 0);
        size_t len = blob.len;
        buf_put_u8(&blob, 0);
        for (size_t n = len - 1; n <= len + 1; n++) {
            buf_reset(&line);
            buf_put_str(&line, "t\n\n" DASH "s ");
            text_put_base64(&line, BYTES(blob.data, n));
            buf_put_str(&line, "\n");
            assert_int_equal(note_open(buf_bytes(&line), &v, &text),
                             n == len ? COMITY_OK : COMITY_E_SIGNATURE);
        }
        buf_free(&line);
        buf_free(&blob);
    }
    note_signer_free(s);
}

static void open_signature_of_wrong_length_is_refused(void **state)
{
    (void)state;
    struct note_verifier v = verifier(enoch_vkey);
    for (size_t len = 5; len < 80; len++) {
        uint8_t blob[80] = {0xaf, 0x0c, 0xfe, 0x78};
        struct buf note = BUF_INIT;
        struct bytes text;
        buf_put_str(&note, "t\n\n" DASH "EnochRoot ");
        text_put_base64(&note, BYTES(blob, len));
        buf_put_str(&note, "\n");
        assert_int_equal(note_open(buf_bytes(&note), &v, &text), COMITY_E_SIGNATURE);
        buf_free(&note);
    }
}

static void open_unknown_algorithms_are_passed_over(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct note_verifier v = verifier(peter_vkey);
    struct bytes text;
    uint8_t large[3000] = {9};
    buf_printf(&note, "%s\n" DASH "post-quantum.example ", peter_text);
    text_put_base64(&note, BYTES(large, sizeof large));
    buf_put_str(&note, "\n" PETER_LINE DASH "PeterNeumann AAAAAAAA\n");
    assert_int_equal(note_open(buf_bytes(&note), &v, &text), 0);
    buf_free(&note);
}

static void split_what_is_no_note_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "\n",
        "\n\n",
        "\n\n\n",
        "t\n",
        "t\n\n",
        "t\n" DASH "a AAAAAAAA\n",                     /* no blank line */
        "t\n\n" DASH "a AAAAAAAA",                     /* no line feed at the end */
        "t\n\n" DASH "a AAAAAAAA\n\n",                 /* blank line behind */
        "t\n\n" DASH "a AAAAAAAA\n\n" DASH "a AAAA\n", /* the last one is too short */
        "\n\n" DASH "a AAAAAAAA\n",                    /* no text */
        "\n" DASH "a AAAAAAAA\n",
        "t\n\n\n" DASH "a AAAAAAAA\n",    /* the text ends with a blank line */
        "t\n\n- a AAAAAAAA\n",            /* hyphen */
        "t\n\n\xe2\x80\x93 a AAAAAAAA\n", /* en dash */
        "t\n\n\xe2\x80\x94"
        "a AAAAAAAA\n",             /* no space */
        "t\n\n" DASH " AAAAAAAA\n", /* no name */
        "t\n\n" DASH "a\n",
        "t\n\n" DASH "a \n",
        "t\n\n" DASH "a  AAAAAAAA\n",
        "t\n\n" DASH "a AAAAAAAA \n",
        "t\n\n" DASH "a AAAAAAAA\r\n",
        "t\n\n" DASH "a+b AAAAAAAA\n",
        "t\n\n" DASH "a\xe3\x80\x80"
        "b AAAAAAAA\n",
        "t\n\n" DASH "a\xff AAAAAAAA\n",
        "t\n\n" DASH "a AAAAAA==\n", /* a key id, and no signature */
        "t\n\n" DASH "a AAAAAAB=\n", /* not canonical */
        "t\n\n" DASH "a AAAAAAA\n",
        "t\r\n\n" DASH "a AAAAAAAA\n",
        "\xc3\n\n" DASH "a AAAAAAAA\n",
        "t\n\n" DASH "a AAAAAAAA\nx\n",
    };
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct bytes text = BYTES_NONE, lines = BYTES_NONE;
        assert_int_equal(note_split(bytes_of(bad[i]), &text, &lines), COMITY_E_NOT_A_NOTE);
        assert_null(text.data);
        assert_null(lines.data);
    }
    struct bytes text, lines;
    assert_int_equal(note_split(BYTES("t\0\n\n" DASH "a AAAAAAAA\n", 20), &text, &lines),
                     COMITY_E_NOT_A_NOTE);
    assert_int_equal(note_split(BYTES_NONE, &text, &lines), COMITY_E_NOT_A_NOTE);
}

static void split_at_the_last_blank_line(void **state)
{
    (void)state;
    struct bytes text, lines;
    assert_int_equal(
        note_split(BYTES_LIT("t\n\nu\n\n" DASH "a AAAAAAAA\n" DASH "b AAAAAAAA\n"), &text, &lines),
        0);
    assert_true(bytes_is(text, "t\n\nu\n"));
    assert_true(bytes_is(lines, DASH "a AAAAAAAA\n" DASH "b AAAAAAAA\n"));
    assert_int_equal(note_split(BYTES_LIT("t\n\n" DASH "a AAAAAAA=\n"), &text, &lines), 0);
}

/* ---- fields ---- */

static void fields_exact_count_and_first_line(void **state)
{
    (void)state;
    struct bytes lines[4] = {{0}};
    assert_int_equal(note_fields(bytes_of(log_text), "example.com/log/testdata", lines, 3), 0);
    assert_true(bytes_is(lines[1], "15"));
    assert_true(bytes_is(lines[2], "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="));
    struct bytes none[4] = {{0}};
    assert_int_equal(note_fields(bytes_of(log_text), "example.com/log", none, 3),
                     COMITY_E_MALFORMED);
    assert_int_equal(note_fields(bytes_of(log_text), "example.com/log/testdata", none, 2),
                     COMITY_E_MALFORMED);
    assert_int_equal(note_fields(bytes_of(log_text), "example.com/log/testdata", none, 4),
                     COMITY_E_MALFORMED);
    assert_int_equal(note_fields(BYTES_LIT("a\nb"), "a", none, 2), COMITY_E_MALFORMED);
    assert_int_equal(note_fields(BYTES_NONE, "", none, 0), COMITY_E_MALFORMED);
    assert_null(none[0].data);
    assert_int_equal(note_fields(BYTES_LIT("a\n\n"), "a", lines, 2), 0);
    assert_int_equal(lines[1].len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vkey_published_keys_round_trip),
        cmocka_unit_test(vkey_cosignature_key_has_its_own_id),
        cmocka_unit_test(vkey_malformed_is_refused),
        cmocka_unit_test(vkey_of_small_order_is_refused),
        cmocka_unit_test(key_name_rules),
        cmocka_unit_test(key_name_longest_fits_a_vkey),
        cmocka_unit_test(sign_published_note_byte_for_byte),
        cmocka_unit_test(sign_checkpoint_of_the_test_log),
        cmocka_unit_test(cosign_published_line_byte_for_byte),
        cmocka_unit_test(sign_text_that_is_no_text_is_refused),
        cmocka_unit_test(sign_and_open_at_the_size_limit),
        cmocka_unit_test(text_that_looks_like_signatures_stays_text),
        cmocka_unit_test(add_signature_second_signer_and_both_verify),
        cmocka_unit_test(add_signature_beyond_the_limit_is_refused),
        cmocka_unit_test(open_published_note_of_two_signers),
        cmocka_unit_test(open_cosigned_checkpoint),
        cmocka_unit_test(open_signature_in_place_of_cosignature_is_refused),
        cmocka_unit_test(open_every_changed_byte_is_noticed),
        cmocka_unit_test(open_wrong_line_of_a_known_key_fails_the_note),
        cmocka_unit_test(open_good_line_behind_a_wrong_one_does_not_help),
        cmocka_unit_test(open_good_signature_of_wrong_length_is_refused),
        cmocka_unit_test(open_signature_of_wrong_length_is_refused),
        cmocka_unit_test(open_unknown_algorithms_are_passed_over),
        cmocka_unit_test(split_what_is_no_note_is_refused),
        cmocka_unit_test(split_at_the_last_blank_line),
        cmocka_unit_test(fields_exact_count_and_first_line),
    };
    return cmocka_run_group_tests_name("crypto/note", tests, NULL, NULL);
}
