/* Checkpoints and exported proofs: the published log, round trips, and every second spelling
 * refused. */
#include "ledger/checkpoint.h"
#include "ledger/proof.h"
#include "msg/entry.h"

#include "trees.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static const struct suite *suite;
static struct note_signer *signer; /* the published log's */
static struct checkpoint published;

static int set_up(void **state)
{
    (void)state;
    uint8_t seed[NOTE_SEED_LEN];
    if (crypto_init() || text_get_hex(bytes_of(tessera_seed), seed, sizeof seed) ||
        note_signer_new(tessera_origin, seed, &signer))
        return -1;
    suite = suite_get(SUITE_1);
    published.size = TESSERA_SIZE;
    strcpy(published.origin, tessera_origin);
    return text_get_hex(bytes_of(tessera_root), published.root.b, HASH_LEN);
}

static int tear_down(void **state)
{
    (void)state;
    note_signer_free(signer);
    return 0;
}

static const char published_text[] =
    "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n";

static void text_published_log_round_trips(void **state)
{
    (void)state;
    struct buf text = BUF_INIT;
    struct checkpoint c;
    checkpoint_put_text(&text, &published);
    assert_string_equal(buf_str(&text), published_text);
    assert_int_equal(checkpoint_parse_text(buf_bytes(&text), &c), 0);
    assert_string_equal(c.origin, tessera_origin);
    assert_true(c.size == 15);
    assert_memory_equal(c.root.b, published.root.b, HASH_LEN);
    buf_free(&text);
}

/* The published cosignature of a witness covers the published text: one other byte in ours and it
 * would not verify. */
static void text_published_cosignature_verifies(void **state)
{
    (void)state;
    static const char witness_seed[] =
        "31ffc2116ecbe003acaa800ab70757bd7d53206e3febef6a6d0796d95530b34f";
    static const char line[] =
        "\xe2\x80\x94 example.com/witness EKHAGQAAAABkGFDLPX52bqsNVRwJszRsJ4CaZ2z8sjGx+b3pGEdR"
        "ojnr3kzGm9mykMVsYyGOkN5dOPZIj5bNxC6O/JjTfKFZwyP5Dg==\n";
    uint8_t seed[NOTE_SEED_LEN];
    struct note_signer *witness = NULL;
    struct note_verifier v;
    struct buf note = BUF_INIT;
    struct bytes text;
    assert_int_equal(text_get_hex(bytes_of(witness_seed), seed, sizeof seed), 0);
    assert_int_equal(note_signer_new("example.com/witness", seed, &witness), 0);
    assert_int_equal(note_verifier_make("example.com/witness", NOTE_TYPE_COSIGNATURE,
                                        note_signer_public(witness)->pub, &v),
                     0);
    assert_int_equal(checkpoint_sign(&published, signer, &note), 0);
    buf_put_str(&note, line);
    assert_int_equal(note_open(buf_bytes(&note), &v, &text), 0);
    note_signer_free(witness);
    buf_free(&note);
}

static void sign_published_key_accepts(void **state)
{
    (void)state;
    struct note_verifier v;
    struct checkpoint c;
    struct buf note = BUF_INIT, again = BUF_INIT;
    assert_int_equal(note_verifier_parse(bytes_of(tessera_vkey), &v), 0);
    assert_int_equal(checkpoint_sign(&published, signer, &note), 0);
    assert_int_equal(checkpoint_open(buf_bytes(&note), &v, &c), 0);
    assert_true(c.size == 15);
    assert_int_equal(checkpoint_peek(buf_bytes(&note), &c), 0);
    assert_memory_equal(c.root.b, published.root.b, HASH_LEN);
    /* The same checkpoint is the same note. */
    assert_int_equal(checkpoint_sign(&published, signer, &again), 0);
    assert_true(bytes_equal(buf_bytes(&note), buf_bytes(&again)));
    buf_free(&note);
    buf_free(&again);
}

static void sign_for_another_origin_is_refused(void **state)
{
    (void)state;
    struct checkpoint c = published;
    struct buf note = BUF_INIT;
    strcpy(c.origin, "example.com/log/testdatb");
    assert_int_equal(checkpoint_sign(&c, signer, &note), COMITY_E_INVALID);
    c = published;
    c.size = LEDGER_SIZE_MAX + 1;
    assert_int_equal(checkpoint_sign(&c, signer, &note), COMITY_E_INVALID);
    assert_int_equal(note.len, 0);
    buf_free(&note);
}

static void open_any_flipped_bit_is_refused(void **state)
{
    (void)state;
    struct buf note = BUF_INIT;
    struct checkpoint c = {.size = 77};
    assert_int_equal(checkpoint_sign(&published, signer, &note), 0);
    for (size_t i = 0; i < note.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            note.data[i] ^= (uint8_t)(1 << bit);
            assert_int_not_equal(checkpoint_open(buf_bytes(&note), note_signer_public(signer), &c),
                                 0);
            note.data[i] ^= (uint8_t)(1 << bit);
        }
    assert_true(c.size == 77);
    buf_free(&note);
}

/* A key may sign notes of other kinds, and name another log in one: neither is that key's
 * checkpoint. */
static void open_signed_text_that_is_no_checkpoint_of_the_key_is_refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "comity-roster/v1\nexample\n",
        "example.com/log/testdatb\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\n",
        "example.com/log/testdata\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs=\nextension\n",
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buf note = BUF_INIT;
        struct checkpoint c;
        assert_int_equal(note_sign(signer, bytes_of(texts[i]), &note), 0);
        assert_int_equal(checkpoint_open(buf_bytes(&note), note_signer_public(signer), &c),
                         COMITY_E_MALFORMED);
        buf_free(&note);
    }
}

static void parse_second_spelling_is_refused(void **state)
{
    (void)state;
#define ROOT "rKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs="
    static const char *const bad[] = {
        "",
        "\n",
        "a\n15\n" ROOT,
        "a\n15\n" ROOT "\n\n",
        "a\n15\n" ROOT "\next\n",
        "\n15\n" ROOT "\n",
        "a\n015\n" ROOT "\n",
        "a\n+15\n" ROOT "\n",
        "a\n-1\n" ROOT "\n",
        "a\n15 \n" ROOT "\n",
        "a\n\n" ROOT "\n",
        "a\n9223372036854775809\n" ROOT "\n",
        "a\n281474976710657\n" ROOT "\n",
        "a\n18446744073709551616\n" ROOT "\n",
        "a\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383ct=\n", /* spare bits */
        "a\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs\n",
        "a\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383cs= \n",
        "a\n15\nrKbDipCvhuX1GZ7g5BBe8sA6BbJ7ja/1nk427v383c==\n",
        "a\r\n15\r\n" ROOT "\r\n",
        "a\tb\n15\n" ROOT "\n",
        "a\xff\n15\n" ROOT "\n",
        "0123456789012345678901234567890123456789012345678901234567890123456789012345678901\n15"
        "\n" ROOT "\n",
    };
    struct checkpoint c = {.size = 77};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(checkpoint_parse_text(bytes_of(bad[i]), &c), COMITY_E_MALFORMED);
    assert_int_equal(checkpoint_parse_text(BYTES_LIT("a\0b\n15\n" ROOT "\n"), &c),
                     COMITY_E_MALFORMED);
    assert_true(c.size == 77);
    assert_int_equal(
        checkpoint_parse_text(bytes_of("go.sum database tree\n281474976710656\n" ROOT "\n"), &c),
        0);
    assert_true(c.size == LEDGER_SIZE_MAX);
    assert_string_equal(c.origin, "go.sum database tree");
}

/* The published path of entry 4, as a file. */
static void make_tlog_proof(struct buf *out)
{
    struct hash path[4];
    struct buf note = BUF_INIT;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(text_get_base64_exact(bytes_of(tessera_path[i]), path[i].b, HASH_LEN), 0);
    assert_int_equal(checkpoint_sign(&published, signer, &note), 0);
    tlog_proof_put(out, 4, path, 4, buf_bytes(&note));
    assert_int_equal(buf_check(out), 0);
    buf_free(&note);
}

static void tlog_proof_round_trips_and_proves(void **state)
{
    (void)state;
    struct buf file = BUF_INIT;
    struct tlog_proof p;
    struct checkpoint c;
    struct hash leaf;
    make_tlog_proof(&file);
    assert_true(bytes_has_prefix(buf_bytes(&file),
                                 "c2sp.org/tlog-proof@v1\nindex 4\n"
                                 "yiM+eia4w1wsk/Ukx7kF56IQVkDW3MWUaUz/VtJu+yU=\n"));
    assert_int_equal(tlog_proof_parse(buf_bytes(&file), &p), 0);
    assert_true(p.index == 4);
    assert_int_equal(p.path_count, 4);
    assert_int_equal(checkpoint_open(p.note, note_signer_public(signer), &c), 0);
    hash_leaf(suite, bytes_of("five"), &leaf);
    assert_int_equal(
        proof_inclusion_verify(suite, &leaf, p.index, c.size, p.path, p.path_count, &c.root), 0);
    struct buf again = BUF_INIT;
    tlog_proof_put(&again, p.index, p.path, p.path_count, p.note);
    assert_true(bytes_equal(buf_bytes(&file), buf_bytes(&again)));
    buf_free(&again);
    buf_free(&file);
}

static void tlog_proof_cut_anywhere_is_refused_or_unsigned(void **state)
{
    (void)state;
    struct buf file = BUF_INIT;
    struct tlog_proof p;
    struct checkpoint c;
    make_tlog_proof(&file);
    for (size_t n = 0; n < file.len; n++) {
        int err = tlog_proof_parse(BYTES(file.data, n), &p);
        if (!err)
            err = checkpoint_open(p.note, note_signer_public(signer), &c);
        assert_int_not_equal(err, 0);
    }
    buf_free(&file);
}

static void tlog_proof_other_forms_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *from;
        const char *to;
    } rows[] = {
        {"@v1", "@v2"},
        {"c2sp.org", " c2sp.org"},
        {"index 4", "index 04"},
        {"index 4", "index  4"},
        {"index 4", "index"},
        {"index 4", "index 9223372036854775808"},
        {"index 4\n", "extra aGVsbG8=\nindex 4\n"},
        {"index 4\n", "index 4\n\nindex 4\n"},
        {"index 4\n", "index 4\nyiM+\n"},
        {"VtJu+yU=\n", "VtJu+yU= \n"},
        {"VtJu+yU=\n", "VtJu+yU=\r\n"},
        {"\n\nexample.com", "\nexample.com"},
        {"\n15\n", "\n15\n\n"},
    };
    struct buf file = BUF_INIT;
    make_tlog_proof(&file);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *at = strstr(buf_str(&file), rows[i].from);
        struct buf changed = BUF_INIT;
        struct tlog_proof p;
        struct checkpoint c;
        assert_non_null(at);
        buf_put(&changed, file.data, (size_t)(at - (const char *)file.data));
        buf_put_str(&changed, rows[i].to);
        buf_put_str(&changed, at + strlen(rows[i].from));
        int err = tlog_proof_parse(buf_bytes(&changed), &p);
        if (!err)
            err = checkpoint_open(p.note, note_signer_public(signer), &c);
        if (!err)
            print_error("row %zu\n", i);
        assert_int_not_equal(err, 0);
        buf_free(&changed);
    }
    buf_free(&file);
}

static void tlog_proof_of_too_many_hashes_is_refused(void **state)
{
    (void)state;
    struct hash path[TLOG_PROOF_PATH_MAX + 1] = {0};
    struct buf note = BUF_INIT, file = BUF_INIT;
    struct tlog_proof p;
    assert_int_equal(checkpoint_sign(&published, signer, &note), 0);
    tlog_proof_put(&file, 0, path, TLOG_PROOF_PATH_MAX, buf_bytes(&note));
    assert_int_equal(tlog_proof_parse(buf_bytes(&file), &p), 0);
    buf_reset(&file);
    tlog_proof_put(&file, 0, path, TLOG_PROOF_PATH_MAX + 1, buf_bytes(&note));
    assert_int_equal(tlog_proof_parse(buf_bytes(&file), &p), COMITY_E_MALFORMED);
    buf_free(&note);
    buf_free(&file);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_published_log_round_trips),
        cmocka_unit_test(text_published_cosignature_verifies),
        cmocka_unit_test(sign_published_key_accepts),
        cmocka_unit_test(sign_for_another_origin_is_refused),
        cmocka_unit_test(open_any_flipped_bit_is_refused),
        cmocka_unit_test(open_signed_text_that_is_no_checkpoint_of_the_key_is_refused),
        cmocka_unit_test(parse_second_spelling_is_refused),
        cmocka_unit_test(tlog_proof_round_trips_and_proves),
        cmocka_unit_test(tlog_proof_cut_anywhere_is_refused_or_unsigned),
        cmocka_unit_test(tlog_proof_other_forms_are_refused),
        cmocka_unit_test(tlog_proof_of_too_many_hashes_is_refused),
    };
    return cmocka_run_group_tests_name("ledger/checkpoint", tests, set_up, tear_down);
}
