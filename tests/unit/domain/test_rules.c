/* Every rule of records: the acceptable samples pass, and each way to bend them has its own error
 * and path. */
#include "domain/rules.h"

#include "unit/domain/sample_record.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static char long_text[RECORD_TEXT_MAX + 1];

/* A sample, what is done to it, and what record_check() must then say. */
struct row {
    void (*make)(struct sample *);
    void (*bend)(struct sample *);
    int err;
    const char *path;
};

static void run(const struct row *rows, size_t count)
{
    memset(long_text, 'x', sizeof long_text);
    for (size_t i = 0; i < count; i++) {
        struct sample s;
        struct record_fault fault = {.err = 77};
        rows[i].make(&s);
        rows[i].bend(&s);
        int err = record_check(&s.record, &fault);
        if (err != rows[i].err || (err && strcmp(fault.path, rows[i].path) != 0))
            fail_msg("row %zu: %s at '%s' instead of %s at '%s'", i, comity_err_token(err),
                     fault.path, comity_err_token(rows[i].err), rows[i].path);
        assert_int_equal(fault.err, err ? err : 77);
        if (err)
            assert_int_not_equal(strlen(fault.words), 0);
    }
}

/*
 * BEND(name, statements): a function of ${name} that does ${statements} to the sample `s`, with `r`
 * its record and `k`, `e`, `g` the content of each kind.
 */
#define BEND(name, ...)                                   \
    static void name(struct sample *s)                    \
    {                                                     \
        struct record *r = &s->record;                    \
        struct record_case *k = &r->u.case_content;       \
        struct record_evidence *e = &r->u.evidence;       \
        struct record_recognition *g = &r->u.recognition; \
        (void)k, (void)e, (void)g;                        \
        __VA_ARGS__;                                      \
    }

#define LONG(n) BYTES(long_text, (n))

BEND(nothing, (void)0)

static void record_samples_are_acceptable(void **state)
{
    (void)state;
    const struct row rows[] = {
        {sample_case, nothing, 0, ""},
        {sample_evidence, nothing, 0, ""},
        {sample_recognition, nothing, 0, ""},
    };
    run(rows, COUNT(rows));
}

/* ---- what kinds share ---- */

BEND(kind_unknown, r->kind = 4)
BEND(kind_zero, r->kind = 0)
BEND(schema_unknown, r->schema = 2)
BEND(created_missing, r->created = BYTES_NONE)
BEND(created_utc, r->created = bytes_of("2026-03-02T10:15:00Z"))
BEND(created_impossible, r->created = bytes_of("2026-02-30T10:15:00+08:00"))
BEND(doc_no_long, r->doc_no = LONG(RECORD_SHORT_MAX + 1))
BEND(doc_no_lines, r->doc_no = bytes_of("a\nb"))
BEND(doc_no_longest, r->doc_no = LONG(RECORD_SHORT_MAX))
BEND(approver_control, r->approver = bytes_of("a\x1b[0m"))
BEND(confidentiality_high, r->confidentiality = RECORD_CONFIDENTIALITY_MAX + 1)
BEND(case_ref_origin, r->case_ref.origin = bytes_of("330100-001"))
BEND(case_ref_no_origin, r->case_ref.origin = BYTES_NONE)
BEND(case_ref_leaf, r->case_ref.leaf.len = 31)
BEND(case_ref_no_leaf, r->case_ref.leaf = BYTES_NONE)
BEND(supersedes_origin, r->supersedes.origin = bytes_of("cn-samr/authority"))
BEND(officer_name, s->officers[1].name = BYTES_NONE)
BEND(officer_no_licence, s->officers[1].licence = BYTES_NONE)
BEND(officer_licence, s->officers[1].licence = bytes_of("3301 0012346"))
BEND(officer_licence_long, s->officers[0].licence = LONG(RECORD_LICENCE_MAX + 1))
BEND(officer_licence_longest, s->officers[0].licence = LONG(RECORD_LICENCE_MAX))
BEND(officers_too_many, static struct record_officer many[RECORD_OFFICERS_MAX + 1];
     r->officers = many; r->officer_count = RECORD_OFFICERS_MAX + 1)
BEND(officer_twice, s->officers[1].licence = s->officers[0].licence)

static void record_common_rules(void **state)
{
    (void)state;
    const struct row rows[] = {
        {sample_case, kind_unknown, COMITY_E_UNSUPPORTED, "kind"},
        {sample_case, kind_zero, COMITY_E_UNSUPPORTED, "kind"},
        {sample_case, schema_unknown, COMITY_E_UNSUPPORTED, "schema"},
        {sample_case, created_missing, COMITY_E_FIELD_MISSING, "created"},
        {sample_case, created_utc, COMITY_E_INVALID, "created"},
        {sample_case, created_impossible, COMITY_E_INVALID, "created"},
        {sample_case, doc_no_long, COMITY_E_TOO_LARGE, "doc_no"},
        {sample_case, doc_no_longest, 0, ""},
        {sample_case, doc_no_lines, COMITY_E_INVALID, "doc_no"},
        {sample_case, approver_control, COMITY_E_INVALID, "approver"},
        {sample_case, confidentiality_high, COMITY_E_INVALID, "confidentiality"},
        {sample_evidence, case_ref_origin, COMITY_E_REF, "case_ref.origin"},
        {sample_evidence, case_ref_no_origin, COMITY_E_FIELD_MISSING, "case_ref.origin"},
        {sample_evidence, case_ref_leaf, COMITY_E_INVALID, "case_ref.leaf"},
        {sample_evidence, case_ref_no_leaf, COMITY_E_FIELD_MISSING, "case_ref.leaf"},
        {sample_evidence, supersedes_origin, COMITY_E_REF, "supersedes.origin"},
        {sample_case, officer_name, COMITY_E_FIELD_MISSING, "officers[1].name"},
        {sample_case, officer_no_licence, COMITY_E_FIELD_MISSING, "officers[1].licence"},
        {sample_case, officer_licence, COMITY_E_INVALID, "officers[1].licence"},
        {sample_case, officer_licence_long, COMITY_E_TOO_LARGE, "officers[0].licence"},
        {sample_case, officer_licence_longest, 0, ""},
        {sample_case, officers_too_many, COMITY_E_LIMIT, "officers"},
        {sample_case, officer_twice, COMITY_E_INVALID, "officers[1].licence"},
    };
    run(rows, COUNT(rows));
}

/* ---- CASE ---- */

BEND(title_missing, k->title = BYTES_NONE)
BEND(title_long, k->title = LONG(RECORD_TITLE_MAX + 1))
BEND(title_longest, k->title = LONG(RECORD_TITLE_MAX))
BEND(title_not_utf8, k->title = bytes_of("\xff"))
BEND(filed_missing, k->filed = BYTES_NONE)
BEND(filed_wrong, k->filed = bytes_of("2026-03-02"))
BEND(platform_long, k->platform = LONG(RECORD_NAME_MAX + 1))
BEND(basis_long, k->basis = LONG(RECORD_TEXT_MAX + 1))
BEND(basis_control, k->basis = bytes_of("a\x07"))
BEND(basis_del, k->basis = bytes_of("a\x7f"))
BEND(basis_c1, k->basis = bytes_of("a\xc2\x85"))
BEND(basis_tab, k->basis = bytes_of("a\tb\n\xc2\xa0"))
BEND(division_missing, k->platform_domicile.division = BYTES_NONE)
BEND(division_1, k->platform_domicile.division = bytes_of("990106"))
BEND(division_2, k->operator_place.division = bytes_of("44030"))
BEND(division_3, k->operator_domicile.division = bytes_of("44o300"))
BEND(division_4, k->violation_place.division = bytes_of("310015"))
BEND(bureau_wrong, k->violation_place.bureau = bytes_of("hub"))
BEND(address_long, k->violation_place.address = LONG(RECORD_TITLE_MAX + 1))
BEND(place_absent, k->has_violation_place = false; k->violation_place.division = BYTES_NONE)
BEND(party_name, s->parties[1].name = BYTES_NONE)
BEND(party_uscc, s->parties[0].uscc = bytes_of("91330100799655058C"))
BEND(party_unverified, s->parties[0].uscc = bytes_of("91330100799655058C");
     s->parties[0].unverified = true)
BEND(party_unverified_lines, s->parties[1].uscc = bytes_of("a\nb"))
BEND(party_no_uscc, s->parties[0].uscc = BYTES_NONE)
BEND(party_part, s->parties[0].part = LONG(RECORD_SHORT_MAX + 1))
BEND(parties_too_many, k->party_count = RECORD_PARTIES_MAX + 1)
BEND(goods_name, s->goods[1].name = BYTES_NONE)
BEND(goods_gtin, s->codes[0].value = bytes_of("6901234567890"))
BEND(goods_unverified, s->codes[0].value = bytes_of("6901234567890"); s->codes[0].unverified = true)
BEND(goods_scheme, s->codes[1].scheme = bytes_of("GTIN"))
BEND(goods_no_scheme, s->codes[1].scheme = BYTES_NONE)
BEND(goods_no_value, s->codes[1].value = BYTES_NONE)
BEND(goods_value_long, s->codes[1].value = LONG(RECORD_SHORT_MAX + 1))
BEND(goods_too_many, k->goods_count = RECORD_GOODS_MAX + 1)
BEND(goods_codes_too_many, s->goods[0].code_count = RECORD_CODES_MAX + 1)

static void case_rules(void **state)
{
    (void)state;
    const struct row rows[] = {
        {sample_case, title_missing, COMITY_E_FIELD_MISSING, "case_content.title"},
        {sample_case, title_long, COMITY_E_TOO_LARGE, "case_content.title"},
        {sample_case, title_longest, 0, ""},
        {sample_case, title_not_utf8, COMITY_E_INVALID, "case_content.title"},
        {sample_case, filed_missing, COMITY_E_FIELD_MISSING, "case_content.filed"},
        {sample_case, filed_wrong, COMITY_E_INVALID, "case_content.filed"},
        {sample_case, platform_long, COMITY_E_TOO_LARGE, "case_content.platform"},
        {sample_case, basis_long, COMITY_E_TOO_LARGE, "case_content.basis"},
        {sample_case, basis_control, COMITY_E_INVALID, "case_content.basis"},
        {sample_case, basis_del, COMITY_E_INVALID, "case_content.basis"},
        {sample_case, basis_c1, COMITY_E_INVALID, "case_content.basis"},
        {sample_case, basis_tab, 0, ""},
        {sample_case, division_missing, COMITY_E_FIELD_MISSING,
         "case_content.platform_domicile.division"},
        {sample_case, division_1, COMITY_E_DIVISION, "case_content.platform_domicile.division"},
        {sample_case, division_2, COMITY_E_DIVISION, "case_content.operator_place.division"},
        {sample_case, division_3, COMITY_E_DIVISION, "case_content.operator_domicile.division"},
        {sample_case, division_4, COMITY_E_DIVISION, "case_content.violation_place.division"},
        {sample_case, bureau_wrong, COMITY_E_MEMBER_ID, "case_content.violation_place.bureau"},
        {sample_case, address_long, COMITY_E_TOO_LARGE, "case_content.violation_place.address"},
        {sample_case, place_absent, 0, ""},
        {sample_case, party_name, COMITY_E_FIELD_MISSING, "case_content.parties[1].name"},
        {sample_case, party_uscc, COMITY_E_USCC, "case_content.parties[0].uscc"},
        {sample_case, party_unverified, 0, ""},
        {sample_case, party_unverified_lines, COMITY_E_INVALID, "case_content.parties[1].uscc"},
        {sample_case, party_no_uscc, 0, ""},
        {sample_case, party_part, COMITY_E_TOO_LARGE, "case_content.parties[0].part"},
        {sample_case, parties_too_many, COMITY_E_LIMIT, "case_content.parties"},
        {sample_case, goods_name, COMITY_E_FIELD_MISSING, "case_content.goods[1].name"},
        {sample_case, goods_gtin, COMITY_E_GTIN, "case_content.goods[0].codes[0].value"},
        {sample_case, goods_unverified, 0, ""},
        {sample_case, goods_scheme, COMITY_E_INVALID, "case_content.goods[0].codes[1].scheme"},
        {sample_case, goods_no_scheme, COMITY_E_FIELD_MISSING,
         "case_content.goods[0].codes[1].scheme"},
        {sample_case, goods_no_value, COMITY_E_FIELD_MISSING,
         "case_content.goods[0].codes[1].value"},
        {sample_case, goods_value_long, COMITY_E_TOO_LARGE, "case_content.goods[0].codes[1].value"},
        {sample_case, goods_too_many, COMITY_E_LIMIT, "case_content.goods"},
        {sample_case, goods_codes_too_many, COMITY_E_LIMIT, "case_content.goods[0].codes"},
    };
    run(rows, COUNT(rows));
}

/* ---- EVIDENCE ---- */

BEND(no_collectors, r->officer_count = 0)
BEND(one_collector, r->officer_count = 1)
BEND(same_letters, s->officers[0].licence = bytes_of("zj-7a");
     s->officers[1].licence = bytes_of("ZJ-7A"))
BEND(kind_0, e->kind = 0)
BEND(kind_9, e->kind = 9)
BEND(form_0, e->form = 0)
BEND(form_3, e->form = 3)
BEND(e_title, e->title = BYTES_NONE)
BEND(e_source, e->source = BYTES_NONE)
BEND(e_place, e->place = BYTES_NONE)
BEND(e_taken, e->taken = BYTES_NONE)
BEND(e_taken_wrong, e->taken = bytes_of("2026-03-02T24:00:00+08:00"))
BEND(e_method, e->method = BYTES_NONE)
BEND(e_method_long, e->method = LONG(RECORD_TEXT_MAX + 1))
BEND(file_no_name, s->files[1].name = BYTES_NONE)
BEND(file_slash, s->files[1].name = bytes_of("../etc/passwd"))
BEND(file_backslash, s->files[1].name = bytes_of("..\\x"))
BEND(file_dot, s->files[1].name = bytes_of("."))
BEND(file_dots, s->files[1].name = bytes_of(".."))
BEND(file_control, s->files[1].name = bytes_of("a\x7f"))
BEND(file_nul, s->files[1].name = BYTES_LIT("a\0b"))
BEND(file_name_long, s->files[1].name = LONG(RECORD_FILE_NAME_MAX + 1))
BEND(file_three_dots, s->files[1].name = bytes_of("..."))
BEND(file_twice, s->files[1].name = s->files[0].name)
BEND(file_mime, s->files[0].mime = bytes_of("image"))
BEND(file_mime_empty, s->files[0].mime = bytes_of("image/"))
BEND(file_mime_space, s->files[0].mime = bytes_of("image/ png"))
BEND(file_len, s->files[0].len = RECORD_FILE_LEN_MAX + 1)
BEND(file_sha256, s->files[0].sha256.len = 20)
BEND(file_sm3, s->files[0].sm3 = BYTES_NONE)
BEND(file_blob, s->files[1].blob.len = 31)
BEND(file_secret, s->files[0].secret = BYTES_NONE)
BEND(files_too_many, e->file_count = RECORD_FILES_MAX + 1)
BEND(files_none, e->file_count = 0)
BEND(e_codes, s->codes[0].value = bytes_of("6901234567890"))
BEND(e_codes_too_many, e->code_count = RECORD_CODES_MAX + 1)
BEND(no_electronic, e->has_electronic = false)
BEND(no_electronic_on_paper, e->has_electronic = false; e->kind = EVIDENCE_DOCUMENTARY)
BEND(cause, e->electronic.cause = BYTES_NONE)
BEND(object, e->electronic.object = BYTES_NONE)
BEND(method, e->electronic.method = BYTES_NONE)
BEND(process, e->electronic.process = BYTES_NONE)
BEND(no_medium_nor_why, e->electronic.no_medium = BYTES_NONE)
BEND(medium_and_why_not, e->electronic.medium = bytes_of("硬盘"))
BEND(medium_alone, e->electronic.medium = e->electronic.no_medium;
     e->electronic.no_medium = BYTES_NONE)
BEND(tool_long, e->electronic.tool = LONG(RECORD_SHORT_MAX + 1))
BEND(holder_signed, e->electronic.holder_signed = 4)
BEND(holder_refused_who, e->electronic.holder = BYTES_NONE)
BEND(holder_absent, e->electronic.holder = BYTES_NONE; e->electronic.holder_signed = HOLDER_ABSENT)

static void evidence_rules(void **state)
{
    (void)state;
    const struct row rows[] = {
        {sample_evidence, no_collectors, COMITY_E_COLLECTORS, "officers"},
        {sample_evidence, one_collector, COMITY_E_COLLECTORS, "officers"},
        {sample_evidence, officer_twice, COMITY_E_COLLECTORS, "officers[1].licence"},
        {sample_evidence, same_letters, COMITY_E_COLLECTORS, "officers[1].licence"},
        {sample_evidence, kind_0, COMITY_E_INVALID, "evidence.kind"},
        {sample_evidence, kind_9, COMITY_E_INVALID, "evidence.kind"},
        {sample_evidence, form_0, COMITY_E_INVALID, "evidence.form"},
        {sample_evidence, form_3, COMITY_E_INVALID, "evidence.form"},
        {sample_evidence, e_title, COMITY_E_FIELD_MISSING, "evidence.title"},
        {sample_evidence, e_source, COMITY_E_FIELD_MISSING, "evidence.source"},
        {sample_evidence, e_place, COMITY_E_FIELD_MISSING, "evidence.place"},
        {sample_evidence, e_taken, COMITY_E_FIELD_MISSING, "evidence.taken"},
        {sample_evidence, e_taken_wrong, COMITY_E_INVALID, "evidence.taken"},
        {sample_evidence, e_method, COMITY_E_FIELD_MISSING, "evidence.method"},
        {sample_evidence, e_method_long, COMITY_E_TOO_LARGE, "evidence.method"},
        {sample_evidence, file_no_name, COMITY_E_FIELD_MISSING, "evidence.files[1].name"},
        {sample_evidence, file_slash, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_backslash, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_dot, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_dots, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_control, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_nul, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_name_long, COMITY_E_TOO_LARGE, "evidence.files[1].name"},
        {sample_evidence, file_three_dots, 0, ""},
        {sample_evidence, file_twice, COMITY_E_INVALID, "evidence.files[1].name"},
        {sample_evidence, file_mime, COMITY_E_INVALID, "evidence.files[0].mime"},
        {sample_evidence, file_mime_empty, COMITY_E_INVALID, "evidence.files[0].mime"},
        {sample_evidence, file_mime_space, COMITY_E_INVALID, "evidence.files[0].mime"},
        {sample_evidence, file_len, COMITY_E_TOO_LARGE, "evidence.files[0].len"},
        {sample_evidence, file_sha256, COMITY_E_INVALID, "evidence.files[0].sha256"},
        {sample_evidence, file_sm3, COMITY_E_FIELD_MISSING, "evidence.files[0].sm3"},
        {sample_evidence, file_blob, COMITY_E_INVALID, "evidence.files[1].blob"},
        {sample_evidence, file_secret, COMITY_E_FIELD_MISSING, "evidence.files[0].secret"},
        {sample_evidence, files_too_many, COMITY_E_LIMIT, "evidence.files"},
        {sample_evidence, files_none, 0, ""},
        {sample_evidence, e_codes, COMITY_E_GTIN, "evidence.codes[0].value"},
        {sample_evidence, e_codes_too_many, COMITY_E_LIMIT, "evidence.codes"},
        {sample_evidence, no_electronic, COMITY_E_FIELD_MISSING, "evidence.electronic"},
        {sample_evidence, no_electronic_on_paper, 0, ""},
        {sample_evidence, cause, COMITY_E_FIELD_MISSING, "evidence.electronic.cause"},
        {sample_evidence, object, COMITY_E_FIELD_MISSING, "evidence.electronic.object"},
        {sample_evidence, method, COMITY_E_FIELD_MISSING, "evidence.electronic.method"},
        {sample_evidence, process, COMITY_E_FIELD_MISSING, "evidence.electronic.process"},
        {sample_evidence, no_medium_nor_why, COMITY_E_FIELD_MISSING, "evidence.electronic.medium"},
        {sample_evidence, medium_and_why_not, COMITY_E_INVALID, "evidence.electronic.no_medium"},
        {sample_evidence, medium_alone, 0, ""},
        {sample_evidence, tool_long, COMITY_E_TOO_LARGE, "evidence.electronic.tool"},
        {sample_evidence, holder_signed, COMITY_E_INVALID, "evidence.electronic.holder_signed"},
        {sample_evidence, holder_refused_who, COMITY_E_FIELD_MISSING, "evidence.electronic.holder"},
        {sample_evidence, holder_absent, 0, ""},
    };
    run(rows, COUNT(rows));
}

static void evidence_every_kind_and_form_is_known(void **state)
{
    (void)state;
    for (uint32_t kind = 1; kind <= 8; kind++)
        for (uint32_t form = 1; form <= 2; form++) {
            struct sample s;
            sample_evidence(&s);
            s.record.u.evidence.kind = kind;
            s.record.u.evidence.form = form;
            assert_int_equal(record_check(&s.record, NULL), 0);
        }
}

/* ---- RECOGNITION ---- */

BEND(g_origin, g->evidence.origin = bytes_of("x"))
BEND(g_leaf, g->evidence.leaf = BYTES_NONE)
BEND(g_hash, g->record_hash.len = 33)
BEND(g_hash_missing, g->record_hash = BYTES_NONE)
BEND(g_decision_0, g->decision = 0)
BEND(g_decision_5, g->decision = 5)
BEND(g_basis, g->basis = BYTES_NONE)
BEND(g_test_empty, s->tests[1] = BYTES_NONE)
BEND(g_test_long, s->tests[0] = LONG(RECORD_TITLE_MAX + 1))
BEND(g_tests_too_many, g->test_count = RECORD_TESTS_MAX + 1)
BEND(g_limits, g->limits = LONG(RECORD_TEXT_MAX + 1))
BEND(g_reviewer_name, g->reviewer.name = BYTES_NONE)
BEND(g_reviewer_licence, g->reviewer.licence = bytes_of("a b"))
BEND(g_direct, g->agreement = BYTES_NONE)
BEND(g_verified, g->agreement = BYTES_NONE; g->decision = DECISION_VERIFIED)
BEND(g_rejected, g->agreement = BYTES_NONE; g->decision = DECISION_REJECTED; g->test_count = 0)
BEND(g_agreement, g->agreement = LONG(RECORD_SHORT_MAX + 1))

static void recognition_rules(void **state)
{
    (void)state;
    const struct row rows[] = {
        {sample_recognition, g_origin, COMITY_E_REF, "recognition.evidence.origin"},
        {sample_recognition, g_leaf, COMITY_E_FIELD_MISSING, "recognition.evidence.leaf"},
        {sample_recognition, g_hash, COMITY_E_TOO_LARGE, "recognition.record_hash"},
        {sample_recognition, g_hash_missing, COMITY_E_FIELD_MISSING, "recognition.record_hash"},
        {sample_recognition, g_decision_0, COMITY_E_INVALID, "recognition.decision"},
        {sample_recognition, g_decision_5, COMITY_E_INVALID, "recognition.decision"},
        {sample_recognition, g_basis, COMITY_E_FIELD_MISSING, "recognition.basis"},
        {sample_recognition, g_test_empty, COMITY_E_FIELD_MISSING, "recognition.tests[1]"},
        {sample_recognition, g_test_long, COMITY_E_TOO_LARGE, "recognition.tests[0]"},
        {sample_recognition, g_tests_too_many, COMITY_E_LIMIT, "recognition.tests"},
        {sample_recognition, g_limits, COMITY_E_TOO_LARGE, "recognition.limits"},
        {sample_recognition, g_reviewer_name, COMITY_E_FIELD_MISSING, "recognition.reviewer.name"},
        {sample_recognition, g_reviewer_licence, COMITY_E_INVALID, "recognition.reviewer.licence"},
        {sample_recognition, g_direct, COMITY_E_FIELD_MISSING, "recognition.agreement"},
        {sample_recognition, g_verified, 0, ""},
        {sample_recognition, g_rejected, 0, ""},
        {sample_recognition, g_agreement, COMITY_E_TOO_LARGE, "recognition.agreement"},
    };
    run(rows, COUNT(rows));
}

static void recognition_by_a_collector_is_refused(void **state)
{
    (void)state;
    struct sample evidence, recognition;
    struct record_fault fault = {0};
    sample_evidence(&evidence);
    sample_recognition(&recognition);
    struct bytes *reviewer = &recognition.record.u.recognition.reviewer.licence;
    assert_int_equal(recognition_check(&recognition.record, &evidence.record, &fault), 0);
    assert_string_equal(fault.path, "");
    for (size_t i = 0; i < 2; i++) {
        *reviewer = evidence.officers[i].licence;
        assert_int_equal(recognition_check(&recognition.record, &evidence.record, &fault),
                         COMITY_E_REVIEWER);
        assert_string_equal(fault.path, "recognition.reviewer.licence");
    }
    evidence.officers[1].licence = bytes_of("sh-310115-7");
    *reviewer = bytes_of("SH-310115-7");
    assert_int_equal(recognition_check(&recognition.record, &evidence.record, NULL),
                     COMITY_E_REVIEWER);
    assert_int_equal(recognition_check(&evidence.record, &evidence.record, &fault),
                     COMITY_E_INVALID);
    assert_string_equal(fault.path, "kind");
    assert_int_equal(recognition_check(&recognition.record, &recognition.record, &fault),
                     COMITY_E_INVALID);
    assert_string_equal(fault.path, "recognition.evidence");
}

static void fault_words_name_the_check_character(void **state)
{
    (void)state;
    struct sample s;
    struct record_fault fault = {0};
    sample_case(&s);
    s.parties[0].uscc = bytes_of("91330100799655058C");
    assert_int_equal(record_check(&s.record, &fault), COMITY_E_USCC);
    assert_string_equal(fault.words, "character 18 is 'C', but the others call for 'B'");
    sample_case(&s);
    s.record.u.case_content.title = BYTES_NONE;
    assert_int_equal(record_check(&s.record, &fault), COMITY_E_FIELD_MISSING);
    assert_string_equal(fault.words, "is missing");
}

/* What is told as past may be a little ahead of a clock that is late, not more. */
static void clock_refuses_what_lies_in_the_future(void **state)
{
    (void)state;
    struct sample s;
    struct record_fault fault = {0};
    int64_t filed = 0;
    sample_case(&s);
    s.record.u.case_content.filed = bytes_of("2026-03-02T10:00:00+08:00");
    filed = 1772416800000;
    assert_int_equal(record_check_clock(&s.record, filed, &fault), 0);
    assert_int_equal(record_check_clock(&s.record, filed - RECORD_AHEAD_MS, &fault), 0);
    assert_int_equal(record_check_clock(&s.record, filed - RECORD_AHEAD_MS - 1, &fault),
                     COMITY_E_INVALID);
    assert_string_equal(fault.path, "case_content.filed");
    sample_evidence(&s);
    s.record.u.evidence.taken = bytes_of("2026-03-02T10:00:00+08:00");
    assert_int_equal(record_check_clock(&s.record, filed, NULL), 0);
    assert_int_equal(record_check_clock(&s.record, 0, &fault), COMITY_E_INVALID);
    assert_string_equal(fault.path, "evidence.taken");
    sample_recognition(&s); /* tells of no moment but its own making */
    assert_int_equal(record_check_clock(&s.record, 0, NULL), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(record_samples_are_acceptable),
        cmocka_unit_test(record_common_rules),
        cmocka_unit_test(case_rules),
        cmocka_unit_test(evidence_rules),
        cmocka_unit_test(evidence_every_kind_and_form_is_known),
        cmocka_unit_test(recognition_rules),
        cmocka_unit_test(recognition_by_a_collector_is_refused),
        cmocka_unit_test(fault_words_name_the_check_character),
        cmocka_unit_test(clock_refuses_what_lies_in_the_future),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
