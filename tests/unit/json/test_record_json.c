/* Records as JSON: every field comes back, secrets stay, and what is not a record is refused where
 * it is wrong. */
#include "json/record_json.h"

#include "msg/record.h"
#include "unit/domain/sample_record.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum { ARENA = 1024 * 1024 };

static void (*const samples[])(struct sample *) = {sample_case, sample_evidence,
                                                   sample_recognition};

static json_t *to_json(void (*make)(struct sample *), unsigned flags)
{
    struct sample s;
    json_t *json = NULL;
    make(&s);
    assert_int_equal(record_to_json(&s.record, flags, &json), 0);
    return json;
}

static void record_json_every_kind_comes_back(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    for (size_t i = 0; i < COUNT(samples); i++) {
        struct sample s;
        struct record r;
        struct record_fault fault = {0};
        struct buf first = BUF_INIT, second = BUF_INIT;
        samples[i](&s);
        json_t *json = to_json(samples[i], RECORD_JSON_SECRETS);
        if (record_from_json(a, json, &r, &fault))
            fail_msg("%s %s", fault.path, fault.words);
        assert_int_equal(record_encode(&s.record, &first), 0);
        assert_int_equal(record_encode(&r, &second), 0);
        assert_true(bytes_equal(buf_bytes(&first), buf_bytes(&second)));
        buf_free(&first);
        buf_free(&second);
        json_decref(json);
    }
    arena_free(a);
}

/* The text of ${path} ("evidence.files.0.name") in ${json}. */
static const char *at(const json_t *json, const char *path)
{
    char name[64];
    while (json && *path) {
        size_t n = strcspn(path, ".");
        memcpy(name, path, n);
        name[n] = 0;
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
                                   : json_object_get(json, name);
        path += n + (path[n] == '.');
    }
    return json_string_value(json);
}

static void record_json_reads_as_people_expect(void **state)
{
    (void)state;
    json_t *json = to_json(sample_evidence, 0);
    static const struct {
        const char *path;
        const char *text;
    } rows[] = {
        {"kind", "EVIDENCE"},
        {"created", "2026-03-02T10:15:00+08:00"},
        {"case_ref.ref", "330100-001.2/17"},
        {"case_ref.origin", "cn-samr/330100-001.2"},
        {"case_ref.leaf", "ISEhISEhISEhISEhISEhISEhISEhISEhISEhISEhISE="},
        {"officers.1.licence", "33010012346"},
        {"evidence.kind", "electronic"},
        {"evidence.form", "copy"},
        {"evidence.files.0.name", "网页截图.png"},
        {"evidence.files.0.sha256",
         "1111111111111111111111111111111111111111111111111111111111111111"},
        {"evidence.codes.1.scheme", "passport"},
        {"evidence.electronic.holder_signed", "refused"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        assert_non_null(at(json, rows[i].path));
        assert_string_equal(at(json, rows[i].path), rows[i].text);
    }
    json_t *evidence = json_object_get(json, "evidence");
    json_t *electronic = json_object_get(evidence, "electronic");
    assert_int_equal(json_integer_value(json_object_get(electronic, "clock_offset_ms")), -1250);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "case_ref"), "index")), 17);
    assert_true(json_is_true(
        json_object_get(json_array_get(json_object_get(evidence, "codes"), 1), "unverified")));
    /* what is absent in the record is absent here; what must be there is, though it be 0 */
    json_t *file = json_array_get(json_object_get(evidence, "files"), 1);
    assert_null(json_object_get(file, "mime"));
    assert_true(json_is_integer(json_object_get(file, "len")));
    assert_null(json_object_get(electronic, "medium"));
    assert_null(
        json_object_get(json_array_get(json_object_get(evidence, "codes"), 0), "unverified"));
    json_decref(json);
    json = to_json(sample_recognition, 0);
    assert_string_equal(at(json, "recognition.decision"), "DIRECT");
    assert_string_equal(at(json, "recognition.tests.0"), "校验值一致");
    assert_string_equal(at(json, "recognition.evidence.ref"), "330100-001/1042");
    assert_null(json_object_get(json, "officers"));
    json_decref(json);
}

static void record_json_shows_no_secret_unless_asked(void **state)
{
    (void)state;
    static const char secret[] = "4141414141414141414141414141414141414141414141414141414141414141";
    json_t *json = to_json(sample_evidence, 0);
    char *text = json_dumps(json, 0);
    assert_null(strstr(text, "secret"));
    assert_null(strstr(text, secret));
    free(text);
    json_decref(json);
    json = to_json(sample_evidence, RECORD_JSON_SECRETS);
    assert_string_equal(at(json, "evidence.files.0.secret"), secret);
    json_decref(json);
}

static void record_json_without_secret_is_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    struct record r;
    struct record_fault fault = {0};
    json_t *json = to_json(sample_evidence, 0);
    assert_int_equal(record_from_json(a, json, &r, NULL), 0);
    assert_int_equal(r.u.evidence.files[0].secret.len, 0);
    assert_int_equal(record_check(&r, &fault), COMITY_E_FIELD_MISSING);
    assert_string_equal(fault.path, "evidence.files[0].secret");
    json_decref(json);
    arena_free(a);
}

/* Put ${value} (JSON; "" removes) at ${path} of a sample, and say what reading it must answer. */
struct row {
    void (*make)(struct sample *);
    const char *path;
    const char *value;
    int err;
    const char *fault;
};

static void put(json_t *json, const char *path, const char *value)
{
    char name[64] = "";
    for (;;) {
        size_t n = strcspn(path, ".");
        memcpy(name, path, n);
        name[n] = 0;
        path += n;
        if (!*path)
            break;
        path++;
        json = json_is_array(json) ? json_array_get(json, (size_t)atoi(name))
                                   : json_object_get(json, name);
        assert_non_null(json);
    }
    json_t *new = *value ? json_loads(value, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
    assert_true(new || !*value);
    if (json_is_array(json))
        assert_int_equal(json_array_set_new(json, (size_t)atoi(name), new), 0);
    else if (new)
        assert_int_equal(json_object_set_new(json, name, new), 0);
    else
        assert_int_equal(json_object_del(json, name), 0);
}

static void record_json_refuses_with_the_path(void **state)
{
    (void)state;
    static const struct row rows[] = {
        /* what is fine */
        {sample_case, "confidentiality", "0", 0, ""},
        {sample_case, "confidentiality", "4294967295", 0, ""},
        {sample_case, "supersedes.ref", "", 0, ""},
        {sample_case, "case_content.goods.0.codes.0.unverified", "false", 0, ""},
        {sample_case, "case_content.goods.1.codes", "[]", 0, ""},
        {sample_case, "case_content.violation_place", "", 0, ""},
        {sample_evidence, "evidence.electronic.clock_offset_ms", "-9223372036854775808", 0, ""},
        {sample_evidence, "evidence.electronic.clock_offset_ms", "0", 0, ""},
        /* members that are not known, at each depth */
        {sample_case, "colour", "1", COMITY_E_INVALID, "colour"},
        {sample_case, "evidence", "{}", COMITY_E_INVALID, "evidence"},
        {sample_case, "ref", "\"1\"", COMITY_E_INVALID, "ref"},
        {sample_case, "case_content.Title", "\"t\"", COMITY_E_INVALID, "case_content.Title"},
        {sample_case, "case_content.goods.1.price", "5", COMITY_E_INVALID,
         "case_content.goods[1].price"},
        {sample_case, "case_content.goods.0.codes.1.x", "5", COMITY_E_INVALID,
         "case_content.goods[0].codes[1].x"},
        {sample_case, "case_content.x\x1b[0m", "5", COMITY_E_INVALID, "case_content.x??0m"},
        {sample_evidence, "case_ref.size", "5", COMITY_E_INVALID, "case_ref.size"},
        {sample_evidence, "evidence.electronic.witnesses", "[]", COMITY_E_INVALID,
         "evidence.electronic.witnesses"},
        /* members that are missing */
        {sample_case, "kind", "", COMITY_E_FIELD_MISSING, "kind"},
        {sample_case, "schema", "", COMITY_E_FIELD_MISSING, "schema"},
        {sample_case, "created", "", COMITY_E_FIELD_MISSING, "created"},
        {sample_case, "case_content", "", COMITY_E_FIELD_MISSING, "case_content"},
        {sample_case, "case_content.title", "", COMITY_E_FIELD_MISSING, "case_content.title"},
        {sample_case, "case_content.parties.1.name", "", COMITY_E_FIELD_MISSING,
         "case_content.parties[1].name"},
        {sample_evidence, "case_ref.index", "", COMITY_E_FIELD_MISSING, "case_ref.index"},
        {sample_evidence, "evidence.files.1.len", "", COMITY_E_FIELD_MISSING,
         "evidence.files[1].len"},
        {sample_recognition, "recognition.evidence", "", COMITY_E_FIELD_MISSING,
         "recognition.evidence"},
        {sample_recognition, "recognition.reviewer", "", COMITY_E_FIELD_MISSING,
         "recognition.reviewer"},
        /* wrong types and values */
        {sample_case, "kind", "1", COMITY_E_INVALID, "kind"},
        {sample_case, "kind", "\"case\"", COMITY_E_INVALID, "kind"},
        {sample_case, "kind", "\"EVIDENCE\"", COMITY_E_INVALID, "case_content"},
        {sample_case, "schema", "\"1\"", COMITY_E_INVALID, "schema"},
        {sample_case, "schema", "1.0", COMITY_E_INVALID, "schema"},
        {sample_case, "schema", "-1", COMITY_E_INVALID, "schema"},
        {sample_case, "schema", "4294967296", COMITY_E_INVALID, "schema"},
        {sample_case, "doc_no", "\"\"", COMITY_E_INVALID, "doc_no"},
        {sample_case, "doc_no", "null", COMITY_E_INVALID, "doc_no"},
        {sample_case, "doc_no", "17", COMITY_E_INVALID, "doc_no"},
        {sample_case, "officers", "{}", COMITY_E_INVALID, "officers"},
        {sample_case, "officers.1", "\"王芳\"", COMITY_E_INVALID, "officers[1]"},
        {sample_case, "case_content", "[]", COMITY_E_INVALID, "case_content"},
        {sample_case, "case_content.parties.0.unverified", "1", COMITY_E_INVALID,
         "case_content.parties[0].unverified"},
        {sample_evidence, "evidence.kind", "4", COMITY_E_INVALID, "evidence.kind"},
        {sample_evidence, "evidence.kind", "\"UNKNOWN\"", COMITY_E_INVALID, "evidence.kind"},
        {sample_evidence, "evidence.files.0.sha256", "\"11\"", COMITY_E_INVALID,
         "evidence.files[0].sha256"},
        {sample_evidence, "evidence.files.0.blob", "5", COMITY_E_INVALID, "evidence.files[0].blob"},
        {sample_evidence, "evidence.files.0.len", "-1", COMITY_E_INVALID, "evidence.files[0].len"},
        {sample_evidence, "case_ref.leaf",
         "\"1111111111111111111111111111111111111111111111111111111111111111\"", COMITY_E_INVALID,
         "case_ref.leaf"},
        {sample_evidence, "case_ref.ref", "\"330100-001.2/18\"", COMITY_E_INVALID, "case_ref.ref"},
        {sample_evidence, "case_ref.ref", "\"330100-001/17\"", COMITY_E_INVALID, "case_ref.ref"},
        {sample_evidence, "case_ref.ref", "17", COMITY_E_INVALID, "case_ref.ref"},
        {sample_evidence, "case_ref.index", "-17", COMITY_E_INVALID, "case_ref.index"},
        {sample_recognition, "recognition.tests.1", "5", COMITY_E_INVALID, "recognition.tests[1]"},
        {sample_recognition, "recognition.tests.1", "\"\"", COMITY_E_INVALID,
         "recognition.tests[1]"},
        {sample_recognition, "recognition.tests", "\"a\"", COMITY_E_INVALID, "recognition.tests"},
        {sample_recognition, "recognition.decision", "\"direct\"", COMITY_E_INVALID,
         "recognition.decision"},
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new(ARENA);
        struct record r = {.kind = 77};
        struct record_fault fault = {0};
        json_t *json = to_json(rows[i].make, RECORD_JSON_SECRETS);
        put(json, rows[i].path, rows[i].value);
        int err = record_from_json(a, json, &r, &fault);
        if (err != rows[i].err || strcmp(fault.path, rows[i].fault) != 0)
            fail_msg("%s = %s: %s at '%s' (%s)", rows[i].path, rows[i].value, comity_err_token(err),
                     fault.path, fault.words);
        assert_int_equal(fault.err, err);
        if (err)
            assert_int_equal(r.kind, 77);
        json_decref(json);
        arena_free(a);
    }
}

static void record_json_lists_are_bounded(void **state)
{
    (void)state;
    struct arena *a = arena_new(ARENA);
    for (size_t n = RECORD_TESTS_MAX; n <= RECORD_TESTS_MAX + 1; n++) {
        json_t *json = to_json(sample_recognition, 0);
        json_t *tests = json_array();
        struct record r;
        struct record_fault fault = {0};
        for (size_t i = 0; i < n; i++)
            json_array_append_new(tests, json_string("x"));
        json_object_set_new(json_object_get(json, "recognition"), "tests", tests);
        assert_int_equal(record_from_json(a, json, &r, &fault),
                         n > RECORD_TESTS_MAX ? COMITY_E_LIMIT : 0);
        assert_string_equal(fault.path, n > RECORD_TESTS_MAX ? "recognition.tests" : "");
        json_decref(json);
    }
    arena_free(a);
}

static void record_json_that_is_no_object_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {"[]", "\"CASE\"", "null", "5"};
    struct arena *a = arena_new(ARENA);
    for (size_t i = 0; i < COUNT(bad); i++) {
        json_t *json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
        struct record r;
        assert_int_equal(record_from_json(a, json, &r, NULL), COMITY_E_INVALID);
        json_decref(json);
    }
    arena_free(a);
}

static void record_json_small_arena_is_no_memory(void **state)
{
    (void)state;
    json_t *json = to_json(sample_evidence, RECORD_JSON_SECRETS);
    for (size_t cap = 0; cap < 1024; cap += 16) {
        struct arena *a = arena_new(cap);
        struct record r;
        struct record_fault fault = {0};
        assert_int_equal(record_from_json(a, json, &r, &fault), COMITY_E_NOMEM);
        assert_int_equal(fault.err, COMITY_E_NOMEM);
        arena_free(a);
    }
    json_decref(json);
}

static void record_json_says_no_to_what_json_cannot_say(void **state)
{
    (void)state;
    struct sample s;
    json_t *json = NULL;
    sample_case(&s);
    s.record.u.case_content.title = bytes_of("\xff");
    assert_int_equal(record_to_json(&s.record, 0, &json), COMITY_E_INVALID);
    sample_case(&s);
    s.record.kind = 4;
    assert_int_equal(record_to_json(&s.record, 0, &json), COMITY_E_INVALID);
    sample_evidence(&s);
    s.files[1].len = (uint64_t)INT64_MAX + 1;
    assert_int_equal(record_to_json(&s.record, 0, &json), COMITY_E_INVALID);
    assert_null(json);
    /* a word of a later version is shown as its number */
    sample_recognition(&s);
    s.record.u.recognition.decision = 9;
    assert_int_equal(record_to_json(&s.record, 0, &json), 0);
    assert_int_equal(
        json_integer_value(json_object_get(json_object_get(json, "recognition"), "decision")), 9);
    json_decref(json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_json_every_kind_comes_back),
        cmocka_unit_test(record_json_reads_as_people_expect),
        cmocka_unit_test(record_json_shows_no_secret_unless_asked),
        cmocka_unit_test(record_json_without_secret_is_read),
        cmocka_unit_test(record_json_refuses_with_the_path),
        cmocka_unit_test(record_json_lists_are_bounded),
        cmocka_unit_test(record_json_that_is_no_object_is_refused),
        cmocka_unit_test(record_json_small_arena_is_no_memory),
        cmocka_unit_test(record_json_says_no_to_what_json_cannot_say),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
