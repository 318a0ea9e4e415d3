/*
 * What makes a record acceptable. See rules.h.
 *
 * Fields of text are tables of rules (name, place in the struct, shape, limit); what a table cannot
 * say (pairs of fields, lists, uniqueness) stands in one function for each kind of thing.
 */
#include "domain/rules.h"

#include "base/text.h"
#include "domain/check.h"
#include "domain/code.h"
#include "domain/date.h"

#include <comity/err.h>

/* ---- what kinds of record share ---- */

static int check_ref(struct check *c, const char *name, const struct record_ref *r)
{
    static const struct check_rule rules[] = {
        RULE(record_ref, origin, ORIGIN, ORIGIN_MAX, true),
        RULE(record_ref, leaf, HASH, RECORD_HASH_LEN, true),
    };
    size_t back = check_enter(c, name, CHECK_NO_INDEX);
    int err = CHECK_FIELDS(c, r, rules);
    if (!err)
        check_leave(c, back);
    return err;
}

static int check_officer(struct check *c, const void *officer)
{
    static const struct check_rule rules[] = {
        RULE(record_officer, name, LINE, RECORD_NAME_MAX, true),
        RULE(record_officer, licence, LICENCE, RECORD_LICENCE_MAX, true),
    };
    return CHECK_FIELDS(c, officer, rules);
}

/* A check that failed on a code: the code's own words. */
static int refuse_code(struct check *c, int err, const char *name, const struct code_fault *fault)
{
    struct buf words = BUF_INIT;
    code_fault_put(&words, fault);
    check_refuse(c, err, name, buf_str(&words));
    buf_free(&words);
    return err;
}

static int check_code(struct check *c, const void *element)
{
    static const struct check_rule rules[] = {
        RULE(record_code, scheme, SCHEME, NETWORK_MAX, true),
        RULE(record_code, value, LINE, RECORD_SHORT_MAX, true),
    };
    const struct record_code *code = element;
    int err = CHECK_FIELDS(c, code, rules);
    if (err || code->unverified || !bytes_is(code->scheme, "gtin"))
        return err;
    struct code_fault fault = {0};
    err = code_check_gtin(code->value, &fault);
    return err ? refuse_code(c, err, "value", &fault) : COMITY_OK;
}

static int check_codes(struct check *c, const struct record_code *codes, size_t count)
{
    return check_list(c, &(struct check_list){"codes", codes, count, sizeof *codes,
                                              RECORD_CODES_MAX, check_code});
}

/* Officers are well formed, and no licence stands there twice. */
static int check_officers(struct check *c, const struct record *r)
{
    int err = check_list(c, &(struct check_list){"officers", r->officers, r->officer_count,
                                                 sizeof *r->officers, RECORD_OFFICERS_MAX,
                                                 check_officer});
    if (err)
        return err;
    for (size_t i = 1; i < r->officer_count; i++)
        for (size_t k = 0; k < i; k++)
            if (licence_equal(r->officers[i].licence, r->officers[k].licence)) {
                check_enter(c, "officers", (int)i);
                return check_refuse(
                    c, r->kind == RECORD_EVIDENCE ? COMITY_E_COLLECTORS : COMITY_E_INVALID,
                    "licence", "is that of another officer here");
            }
    return COMITY_OK;
}

/* ---- CASE ---- */

static int check_place(struct check *c, const char *name, const struct record_place *p)
{
    static const struct check_rule rules[] = {
        RULE(record_place, division, LINE, RECORD_SHORT_MAX, true),
        RULE(record_place, address, LINE, RECORD_TITLE_MAX, false),
        RULE(record_place, bureau, BUREAU, MEMBER_ID_MAX, false),
    };
    size_t back = check_enter(c, name, CHECK_NO_INDEX);
    int err = CHECK_FIELDS(c, p, rules);
    if (err)
        return err;
    struct code_fault fault = {0};
    err = code_check_division(p->division, &fault);
    if (err)
        return refuse_code(c, err, "division", &fault);
    check_leave(c, back);
    return COMITY_OK;
}

static int check_party(struct check *c, const void *element)
{
    static const struct check_rule rules[] = {
        RULE(record_party, name, LINE, RECORD_NAME_MAX, true),
        RULE(record_party, uscc, LINE, RECORD_SHORT_MAX, false),
        RULE(record_party, part, LINE, RECORD_SHORT_MAX, false),
    };
    const struct record_party *party = element;
    int err = CHECK_FIELDS(c, party, rules);
    if (err || party->unverified || party->uscc.len == 0)
        return err;
    struct code_fault fault = {0};
    err = code_check_uscc(party->uscc, &fault);
    return err ? refuse_code(c, err, "uscc", &fault) : COMITY_OK;
}

static int check_goods(struct check *c, const void *element)
{
    static const struct check_rule rules[] = {
        RULE(record_goods, name, LINE, RECORD_NAME_MAX, true)};
    const struct record_goods *goods = element;
    int err = CHECK_FIELDS(c, goods, rules);
    return err ? err : check_codes(c, goods->codes, goods->code_count);
}

static int check_case(struct check *c, const struct record_case *k)
{
    static const struct check_rule rules[] = {
        RULE(record_case, title, LINE, RECORD_TITLE_MAX, true),
        RULE(record_case, filed, TIME, RECORD_SHORT_MAX, true),
        RULE(record_case, platform, LINE, RECORD_NAME_MAX, false),
        RULE(record_case, basis, TEXT, RECORD_TEXT_MAX, false),
    };
    const struct {
        const char *name;
        bool has;
        const struct record_place *place;
    } places[] = {
        {"platform_domicile", k->has_platform_domicile, &k->platform_domicile},
        {"operator_place", k->has_operator_place, &k->operator_place},
        {"operator_domicile", k->has_operator_domicile, &k->operator_domicile},
        {"violation_place", k->has_violation_place, &k->violation_place},
    };
    int err = CHECK_FIELDS(c, k, rules);
    for (size_t i = 0; !err && i < CHECK_COUNT(places); i++)
        if (places[i].has)
            err = check_place(c, places[i].name, places[i].place);
    if (!err)
        err = check_list(c,
                         &(struct check_list){"parties", k->parties, k->party_count,
                                              sizeof *k->parties, RECORD_PARTIES_MAX, check_party});
    if (!err)
        err = check_list(c, &(struct check_list){"goods", k->goods, k->goods_count,
                                                 sizeof *k->goods, RECORD_GOODS_MAX, check_goods});
    return err;
}

/* ---- EVIDENCE ---- */

static int check_file(struct check *c, const void *element)
{
    static const struct check_rule rules[] = {
        RULE(record_file, name, FILE_NAME, RECORD_FILE_NAME_MAX, true),
        RULE(record_file, mime, MIME, RECORD_SHORT_MAX, false),
        RULE(record_file, sha256, HASH, RECORD_HASH_LEN, true),
        RULE(record_file, sm3, HASH, RECORD_HASH_LEN, true),
        RULE(record_file, blob, HASH, RECORD_HASH_LEN, true),
        RULE(record_file, secret, HASH, RECORD_HASH_LEN, true),
    };
    const struct record_file *file = element;
    int err = CHECK_FIELDS(c, file, rules);
    if (!err && file->len > RECORD_FILE_LEN_MAX)
        err = check_refuse(c, COMITY_E_TOO_LARGE, "len", "is more than 16 TiB");
    return err;
}

static int check_files(struct check *c, const struct record_evidence *e)
{
    int err = check_list(c, &(struct check_list){"files", e->files, e->file_count, sizeof *e->files,
                                                 RECORD_FILES_MAX, check_file});
    if (err)
        return err;
    for (size_t i = 1; i < e->file_count; i++)
        for (size_t k = 0; k < i; k++)
            if (bytes_equal(e->files[i].name, e->files[k].name)) {
                check_enter(c, "files", (int)i);
                return check_refuse(c, COMITY_E_INVALID, "name", "is that of another file here");
            }
    return COMITY_OK;
}

/* The extraction record (P26): the original medium, or why it was not taken; the holder's
 * signature, or why not. */
static int check_electronic(struct check *c, const struct record_electronic *e)
{
    static const struct check_rule rules[] = {
        RULE(record_electronic, cause, TEXT, RECORD_TEXT_MAX, true),
        RULE(record_electronic, object, TEXT, RECORD_TEXT_MAX, true),
        RULE(record_electronic, method, TEXT, RECORD_TEXT_MAX, true),
        RULE(record_electronic, process, TEXT, RECORD_TEXT_MAX, true),
        RULE(record_electronic, medium, TEXT, RECORD_TEXT_MAX, false),
        RULE(record_electronic, no_medium, TEXT, RECORD_TEXT_MAX, false),
        RULE(record_electronic, tool, LINE, RECORD_SHORT_MAX, false),
        RULE(record_electronic, tool_version, LINE, RECORD_SHORT_MAX, false),
        RULE(record_electronic, holder, LINE, RECORD_NAME_MAX, false),
        RULE(record_electronic, witness, LINE, RECORD_NAME_MAX, false),
    };
    size_t back = check_enter(c, "electronic", CHECK_NO_INDEX);
    int err = CHECK_FIELDS(c, e, rules);
    if (err)
        return err;
    if (!e->medium.len && !e->no_medium.len)
        return check_refuse(c, COMITY_E_FIELD_MISSING, "medium",
                            "is missing, and so is no_medium, which would say why");
    if (e->medium.len && e->no_medium.len)
        return check_refuse(c, COMITY_E_INVALID, "no_medium", "contradicts medium");
    if (e->holder_signed && !record_term(TERMS_HOLDER, e->holder_signed))
        return check_refuse(c, COMITY_E_INVALID, "holder_signed",
                            "is not signed, refused or absent");
    if ((e->holder_signed == HOLDER_SIGNED || e->holder_signed == HOLDER_REFUSED) && !e->holder.len)
        return check_refuse(c, COMITY_E_FIELD_MISSING, "holder", "is missing");
    check_leave(c, back);
    return COMITY_OK;
}

static int check_evidence(struct check *c, const struct record_evidence *e)
{
    static const struct check_rule rules[] = {
        RULE(record_evidence, title, LINE, RECORD_TITLE_MAX, true),
        RULE(record_evidence, source, TEXT, RECORD_TITLE_MAX, true),
        RULE(record_evidence, place, LINE, RECORD_TITLE_MAX, true),
        RULE(record_evidence, taken, TIME, RECORD_SHORT_MAX, true),
        RULE(record_evidence, method, TEXT, RECORD_TEXT_MAX, true),
    };
    if (!record_term(TERMS_EVIDENCE_KIND, e->kind))
        return check_refuse(c, COMITY_E_INVALID, "kind",
                            "is not one of the eight kinds of evidence");
    if (!record_term(TERMS_FORM, e->form))
        return check_refuse(c, COMITY_E_INVALID, "form", "is not original or copy");
    int err = CHECK_FIELDS(c, e, rules);
    if (!err)
        err = check_files(c, e);
    if (!err)
        err = check_codes(c, e->codes, e->code_count);
    if (err)
        return err;
    if (e->has_electronic)
        return check_electronic(c, &e->electronic);
    if (e->kind == EVIDENCE_ELECTRONIC)
        return check_refuse(c, COMITY_E_FIELD_MISSING, "electronic",
                            "is missing: electronic data needs its extraction record");
    return COMITY_OK;
}

/* ---- RECOGNITION ---- */

static int check_tests(struct check *c, const struct record_recognition *g)
{
    if (g->test_count > RECORD_TESTS_MAX)
        return check_refuse_too_many(c, "tests", RECORD_TESTS_MAX);
    for (size_t i = 0; i < g->test_count; i++) {
        size_t back = check_enter(c, "tests", (int)i);
        if (g->tests[i].len == 0)
            return check_refuse(c, COMITY_E_FIELD_MISSING, "", "is empty");
        int err = check_value(c, "", g->tests[i], TEXT, RECORD_TITLE_MAX);
        if (err)
            return err;
        check_leave(c, back);
    }
    return COMITY_OK;
}

static int check_recognition(struct check *c, const struct record_recognition *g)
{
    static const struct check_rule rules[] = {
        RULE(record_recognition, record_hash, HASH, RECORD_HASH_LEN, true),
        RULE(record_recognition, basis, TEXT, RECORD_TEXT_MAX, true),
        RULE(record_recognition, limits, TEXT, RECORD_TEXT_MAX, false),
        RULE(record_recognition, agreement, LINE, RECORD_SHORT_MAX, false),
    };
    int err = check_ref(c, "evidence", &g->evidence);
    if (err)
        return err;
    if (!record_term(TERMS_DECISION, g->decision))
        return check_refuse(c, COMITY_E_INVALID, "decision",
                            "is not DIRECT, VERIFIED, SUPPLEMENT or REJECTED");
    err = CHECK_FIELDS(c, g, rules);
    if (!err)
        err = check_tests(c, g);
    if (err)
        return err;
    size_t back = check_enter(c, "reviewer", CHECK_NO_INDEX);
    err = check_officer(c, &g->reviewer);
    if (err)
        return err;
    check_leave(c, back);
    if (g->decision == DECISION_DIRECT && !g->agreement.len)
        return check_refuse(c, COMITY_E_FIELD_MISSING, "agreement",
                            "is missing: a DIRECT recognition needs the agreement that allows it");
    return COMITY_OK;
}

/* ---- records ---- */

static int check_content(struct check *c, const struct record *r)
{
    size_t back = 0;
    int err = COMITY_OK;
    switch ((enum record_kind)r->kind) {
    case RECORD_CASE:
        back = check_enter(c, "case_content", CHECK_NO_INDEX);
        err = check_case(c, &r->u.case_content);
        break;
    case RECORD_EVIDENCE:
        back = check_enter(c, "evidence", CHECK_NO_INDEX);
        err = check_evidence(c, &r->u.evidence);
        break;
    case RECORD_RECOGNITION:
        back = check_enter(c, "recognition", CHECK_NO_INDEX);
        err = check_recognition(c, &r->u.recognition);
        break;
    }
    if (!err)
        check_leave(c, back);
    return err;
}

static int check_record(struct check *c, const struct record *r)
{
    static const struct check_rule rules[] = {
        RULE(record, doc_no, LINE, RECORD_SHORT_MAX, false),
        RULE(record, created, TIME, RECORD_SHORT_MAX, true),
        RULE(record, approver, LINE, RECORD_NAME_MAX, false),
    };
    if (!record_term(TERMS_RECORD_KIND, r->kind))
        return check_refuse(c, COMITY_E_UNSUPPORTED, "kind", "is none that this version knows");
    if (r->schema != RECORD_SCHEMA)
        return check_refuse(c, COMITY_E_UNSUPPORTED, "schema", "is none that this version knows");
    int err = CHECK_FIELDS(c, r, rules);
    if (!err && r->has_case_ref)
        err = check_ref(c, "case_ref", &r->case_ref);
    if (!err && r->has_supersedes)
        err = check_ref(c, "supersedes", &r->supersedes);
    if (!err && r->confidentiality > RECORD_CONFIDENTIALITY_MAX)
        err = check_refuse(c, COMITY_E_INVALID, "confidentiality", "is more than 9");
    if (!err)
        err = check_officers(c, r);
    if (!err && r->kind == RECORD_EVIDENCE && r->officer_count < 2)
        err = check_refuse(c, COMITY_E_COLLECTORS, "officers", "has fewer than two collectors");
    return err ? err : check_content(c, r);
}

int record_check(const struct record *r, struct record_fault *ret_fault)
{
    struct check c = {0};
    int err = check_record(&c, r);
    if (err && ret_fault)
        *ret_fault = c.fault;
    return err;
}

int record_check_clock(const struct record *r, int64_t now_ms, struct record_fault *ret_fault)
{
    struct check c = {0};
    bool is_case = r->kind == RECORD_CASE;
    struct bytes time = is_case                      ? r->u.case_content.filed
                        : r->kind == RECORD_EVIDENCE ? r->u.evidence.taken
                                                     : BYTES_NONE;
    int64_t ms = 0;
    if (!time.len || date_get_time(time, &ms) || ms <= now_ms + RECORD_AHEAD_MS)
        return COMITY_OK;
    check_enter(&c, is_case ? "case_content" : "evidence", CHECK_NO_INDEX);
    int err = check_refuse(&c, COMITY_E_INVALID, is_case ? "filed" : "taken", "lies in the future");
    if (ret_fault)
        *ret_fault = c.fault;
    return err;
}

int recognition_check(const struct record *recognition, const struct record *evidence,
                      struct record_fault *ret_fault)
{
    struct check c = {0};
    int err = COMITY_OK;
    if (recognition->kind != RECORD_RECOGNITION)
        err = check_refuse(&c, COMITY_E_INVALID, "kind", "is not RECOGNITION");
    else if (evidence->kind != RECORD_EVIDENCE)
        err =
            check_refuse(&c, COMITY_E_INVALID, "recognition.evidence", "is not an EVIDENCE record");
    for (size_t i = 0; !err && i < evidence->officer_count; i++)
        if (licence_equal(recognition->u.recognition.reviewer.licence,
                          evidence->officers[i].licence))
            err = check_refuse(&c, COMITY_E_REVIEWER, "recognition.reviewer.licence",
                               "is that of a collector of the evidence");
    if (err && ret_fault)
        *ret_fault = c.fault;
    return err;
}
