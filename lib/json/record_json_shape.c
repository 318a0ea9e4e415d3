/*
 * The fields of records, as members of JSON. See record_json_shape.h.
 */
#include "json/record_json_shape.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define FIELD(s, member, json_type, must)                          \
    {                                                              \
        .name = #member, .type = (json_type), .required = (must),  \
        .at = offsetof(struct s, member), .with = JSON_FIELD_ALONE \
    }
#define FIELD_TERM(s, member, vocabulary, must)                                                \
    {                                                                                          \
        .name = #member, .type = J_TERM, .required = (must), .at = offsetof(struct s, member), \
        .with = JSON_FIELD_ALONE, .terms = (vocabulary)                                        \
    }
#define FIELD_OBJECT(s, member, shape)                                       \
    {                                                                        \
        .name = #member, .type = J_OBJECT, .at = offsetof(struct s, member), \
        .with = offsetof(struct s, has_##member), .of = &(shape)             \
    }
#define FIELD_OBJECT_MUST(s, member, shape)                                                    \
    {                                                                                          \
        .name = #member, .type = J_OBJECT, .required = true, .at = offsetof(struct s, member), \
        .with = JSON_FIELD_ALONE, .of = &(shape)                                               \
    }
#define FIELD_LIST(s, member, n, limit, shape)                             \
    {                                                                      \
        .name = #member, .type = J_LIST, .at = offsetof(struct s, member), \
        .with = offsetof(struct s, n), .max = (limit), .of = &(shape)      \
    }
#define SHAPE(s, list)                                                   \
    {                                                                    \
        .fields = (list), .count = COUNT(list), .size = sizeof(struct s) \
    }

static const struct json_field ref_fields[] = {
    FIELD(record_ref, origin, J_TEXT, true),
    FIELD(record_ref, index, J_U64, true),
    FIELD(record_ref, leaf, J_LEAF, true),
};
static const struct json_shape ref_shape = {.fields = ref_fields,
                                            .count = COUNT(ref_fields),
                                            .size = sizeof(struct record_ref),
                                            .is_ref = true};

static const struct json_field officer_fields[] = {
    FIELD(record_officer, name, J_TEXT, true),
    FIELD(record_officer, licence, J_TEXT, true),
};
static const struct json_shape officer_shape = SHAPE(record_officer, officer_fields);

static const struct json_field place_fields[] = {
    FIELD(record_place, division, J_TEXT, true),
    FIELD(record_place, address, J_TEXT, false),
    FIELD(record_place, bureau, J_TEXT, false),
};
static const struct json_shape place_shape = SHAPE(record_place, place_fields);

static const struct json_field party_fields[] = {
    FIELD(record_party, name, J_TEXT, true),
    FIELD(record_party, uscc, J_TEXT, false),
    FIELD(record_party, unverified, J_BOOL, false),
    FIELD(record_party, part, J_TEXT, false),
};
static const struct json_shape party_shape = SHAPE(record_party, party_fields);

static const struct json_field code_fields[] = {
    FIELD(record_code, scheme, J_TEXT, true),
    FIELD(record_code, value, J_TEXT, true),
    FIELD(record_code, unverified, J_BOOL, false),
};
static const struct json_shape code_shape = SHAPE(record_code, code_fields);

static const struct json_field goods_fields[] = {
    FIELD(record_goods, name, J_TEXT, true),
    FIELD_LIST(record_goods, codes, code_count, RECORD_CODES_MAX, code_shape),
};
static const struct json_shape goods_shape = SHAPE(record_goods, goods_fields);

static const struct json_field case_fields[] = {
    FIELD(record_case, title, J_TEXT, true),
    FIELD(record_case, filed, J_TEXT, true),
    FIELD_OBJECT(record_case, platform_domicile, place_shape),
    FIELD_OBJECT(record_case, operator_place, place_shape),
    FIELD_OBJECT(record_case, operator_domicile, place_shape),
    FIELD_OBJECT(record_case, violation_place, place_shape),
    FIELD_LIST(record_case, parties, party_count, RECORD_PARTIES_MAX, party_shape),
    FIELD(record_case, platform, J_TEXT, false),
    FIELD_LIST(record_case, goods, goods_count, RECORD_GOODS_MAX, goods_shape),
    FIELD(record_case, basis, J_TEXT, false),
};
static const struct json_shape case_shape = SHAPE(record_case, case_fields);

static const struct json_field file_fields[] = {
    FIELD(record_file, name, J_TEXT, true),      FIELD(record_file, mime, J_TEXT, false),
    FIELD(record_file, len, J_U64, true),        FIELD(record_file, sha256, J_HASH, true),
    FIELD(record_file, sm3, J_HASH, true),       FIELD(record_file, blob, J_HASH, true),
    FIELD(record_file, secret, J_SECRET, false),
};
static const struct json_shape file_shape = SHAPE(record_file, file_fields);

static const struct json_field electronic_fields[] = {
    FIELD(record_electronic, cause, J_TEXT, true),
    FIELD(record_electronic, object, J_TEXT, true),
    FIELD(record_electronic, method, J_TEXT, true),
    FIELD(record_electronic, process, J_TEXT, true),
    FIELD(record_electronic, medium, J_TEXT, false),
    FIELD(record_electronic, no_medium, J_TEXT, false),
    FIELD(record_electronic, tool, J_TEXT, false),
    FIELD(record_electronic, tool_version, J_TEXT, false),
    {.name = "clock_offset_ms",
     .type = J_I64,
     .at = offsetof(struct record_electronic, clock_offset_ms),
     .with = offsetof(struct record_electronic, has_clock_offset)},
    FIELD(record_electronic, holder, J_TEXT, false),
    FIELD_TERM(record_electronic, holder_signed, TERMS_HOLDER, false),
    FIELD(record_electronic, witness, J_TEXT, false),
};
static const struct json_shape electronic_shape = SHAPE(record_electronic, electronic_fields);

static const struct json_field evidence_fields[] = {
    FIELD_TERM(record_evidence, kind, TERMS_EVIDENCE_KIND, true),
    FIELD(record_evidence, title, J_TEXT, true),
    FIELD(record_evidence, source, J_TEXT, true),
    FIELD(record_evidence, place, J_TEXT, true),
    FIELD(record_evidence, taken, J_TEXT, true),
    FIELD_TERM(record_evidence, form, TERMS_FORM, true),
    FIELD(record_evidence, method, J_TEXT, true),
    FIELD_LIST(record_evidence, files, file_count, RECORD_FILES_MAX, file_shape),
    FIELD_LIST(record_evidence, codes, code_count, RECORD_CODES_MAX, code_shape),
    FIELD_OBJECT(record_evidence, electronic, electronic_shape),
};
static const struct json_shape evidence_shape = SHAPE(record_evidence, evidence_fields);

static const struct json_field recognition_fields[] = {
    FIELD_OBJECT_MUST(record_recognition, evidence, ref_shape),
    FIELD(record_recognition, record_hash, J_HASH, true),
    FIELD_TERM(record_recognition, decision, TERMS_DECISION, true),
    FIELD(record_recognition, basis, J_TEXT, true),
    {.name = "tests",
     .type = J_TEXTS,
     .at = offsetof(struct record_recognition, tests),
     .with = offsetof(struct record_recognition, test_count),
     .max = RECORD_TESTS_MAX},
    FIELD(record_recognition, limits, J_TEXT, false),
    FIELD_OBJECT_MUST(record_recognition, reviewer, officer_shape),
    FIELD(record_recognition, agreement, J_TEXT, false),
};
static const struct json_shape recognition_shape = SHAPE(record_recognition, recognition_fields);

#define RECORD_COMMON                                                                        \
    FIELD_TERM(record, kind, TERMS_RECORD_KIND, true), FIELD(record, schema, J_U32, true),   \
        FIELD_OBJECT(record, case_ref, ref_shape), FIELD(record, doc_no, J_TEXT, false),     \
        FIELD(record, created, J_TEXT, true),                                                \
        FIELD_LIST(record, officers, officer_count, RECORD_OFFICERS_MAX, officer_shape),     \
        FIELD_OBJECT(record, supersedes, ref_shape), FIELD(record, approver, J_TEXT, false), \
        FIELD(record, confidentiality, J_U32, false)
#define RECORD_CONTENT(member, shape)                                                     \
    {                                                                                     \
        .name = #member, .type = J_OBJECT, .required = true,                              \
        .at = offsetof(struct record, u.member), .with = JSON_FIELD_ALONE, .of = &(shape) \
    }

/* One shape for each kind of record: they differ in the content. */
static const struct json_field case_record[] = {RECORD_COMMON,
                                                RECORD_CONTENT(case_content, case_shape)};
static const struct json_field evidence_record[] = {RECORD_COMMON,
                                                    RECORD_CONTENT(evidence, evidence_shape)};
static const struct json_field recognition_record[] = {
    RECORD_COMMON, RECORD_CONTENT(recognition, recognition_shape)};
static const struct json_shape record_shapes[] = {
    [RECORD_CASE] = SHAPE(record, case_record),
    [RECORD_EVIDENCE] = SHAPE(record, evidence_record),
    [RECORD_RECOGNITION] = SHAPE(record, recognition_record),
};

const struct json_shape *record_json_shape(uint32_t kind)
{
    return kind < COUNT(record_shapes) && record_shapes[kind].count ? &record_shapes[kind] : NULL;
}
