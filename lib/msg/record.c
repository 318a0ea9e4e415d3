/*
 * Records. See record.h.
 *
 * Which content a record has is said twice in its bytes, by its kind and by the field that holds
 * it.
 */
#include "msg/record.h"

#include "msg/bind.h"

#include <comity/err.h>
#include <record.pb-c.h>

static const struct codec_repeated record_repeated[] = {
    {&comity__record__descriptor, 6, RECORD_OFFICERS_MAX},
    {&comity__case__descriptor, 7, RECORD_PARTIES_MAX},
    {&comity__case__descriptor, 9, RECORD_GOODS_MAX},
    {&comity__goods__descriptor, 2, RECORD_CODES_MAX},
    {&comity__evidence__descriptor, 8, RECORD_FILES_MAX},
    {&comity__evidence__descriptor, 9, RECORD_CODES_MAX},
    {&comity__recognition__descriptor, 5, RECORD_TESTS_MAX},
};

static const struct codec_limits record_limits = {
    .bytes_max = RECORD_BYTES_MAX,
    .depth_max = 4, /* record, case, goods, code */
    /* the most that goods, parties and the rest can have; evidence with its files has fewer */
    .fields_max = RECORD_GOODS_MAX * (2 + 4 * RECORD_CODES_MAX) + 5 * RECORD_PARTIES_MAX + 128,
    .repeated = record_repeated,
    .repeated_count = sizeof record_repeated / sizeof record_repeated[0],
};

/* ---- the parts; how long a text may be is the domain's to say ---- */

#define TEXT(s, m) BIND_TEXT(s, m, 0, UINT32_MAX, NULL)
#define HASH(s, m) BIND_BYTES(s, m, RECORD_HASH_LEN, RECORD_HASH_LEN)

static const struct bind_field ref_fields[] = {
    TEXT(struct record_ref, origin),
    BIND_F64(struct record_ref, index),
    HASH(struct record_ref, leaf),
};
static const struct bind ref_bind = BIND_OF(ref, struct record_ref, ref_fields, NULL);

static const struct bind_field officer_fields[] = {
    TEXT(struct record_officer, name),
    TEXT(struct record_officer, licence),
};
static const struct bind officer_bind =
    BIND_OF(officer, struct record_officer, officer_fields, NULL);

static const struct bind_field file_fields[] = {
    TEXT(struct record_file, name),    TEXT(struct record_file, mime),
    BIND_U64(struct record_file, len), HASH(struct record_file, sha256),
    HASH(struct record_file, sm3),     HASH(struct record_file, blob),
    HASH(struct record_file, secret),
};
static const struct bind file_bind = BIND_OF(file, struct record_file, file_fields, NULL);

static const struct bind_field place_fields[] = {
    TEXT(struct record_place, division),
    TEXT(struct record_place, address),
    TEXT(struct record_place, bureau),
};
static const struct bind place_bind = BIND_OF(place, struct record_place, place_fields, NULL);

static const struct bind_field party_fields[] = {
    TEXT(struct record_party, name),
    TEXT(struct record_party, uscc),
    BIND_BOOL(struct record_party, unverified),
    TEXT(struct record_party, part),
};
static const struct bind party_bind = BIND_OF(party, struct record_party, party_fields, NULL);

static const struct bind_field code_fields[] = {
    TEXT(struct record_code, scheme),
    TEXT(struct record_code, value),
    BIND_BOOL(struct record_code, unverified),
};
static const struct bind code_bind = BIND_OF(product_code, struct record_code, code_fields, NULL);

static const struct bind_field goods_fields[] = {
    TEXT(struct record_goods, name),
    BIND_MESSAGE_LIST(struct record_goods, codes, code_count, struct record_code, &code_bind),
};
static const struct bind goods_bind = BIND_OF(goods, struct record_goods, goods_fields, NULL);

/* ---- the three kinds ---- */

#define PLACE(m) BIND_MESSAGE(struct record_case, m, has_##m, &place_bind)

static const struct bind_field case_fields[] = {
    TEXT(struct record_case, title),
    TEXT(struct record_case, filed),
    PLACE(platform_domicile),
    PLACE(operator_place),
    PLACE(operator_domicile),
    PLACE(violation_place),
    BIND_MESSAGE_LIST(struct record_case, parties, party_count, struct record_party, &party_bind),
    TEXT(struct record_case, platform),
    BIND_MESSAGE_LIST(struct record_case, goods, goods_count, struct record_goods, &goods_bind),
    TEXT(struct record_case, basis),
};
static const struct bind case_bind = BIND_OF(case, struct record_case, case_fields, NULL);

static const struct bind_field electronic_fields[] = {
    TEXT(struct record_electronic, cause),
    TEXT(struct record_electronic, object),
    TEXT(struct record_electronic, method),
    TEXT(struct record_electronic, process),
    TEXT(struct record_electronic, medium),
    TEXT(struct record_electronic, no_medium),
    TEXT(struct record_electronic, tool),
    TEXT(struct record_electronic, tool_version),
    BIND_OPT_S64(struct record_electronic, clock_offset_ms, has_clock_offset),
    TEXT(struct record_electronic, holder),
    BIND_U32(struct record_electronic, holder_signed),
    TEXT(struct record_electronic, witness),
};
static const struct bind electronic_bind =
    BIND_OF(electronic_data, struct record_electronic, electronic_fields, NULL);

static const struct bind_field evidence_fields[] = {
    BIND_U32(struct record_evidence, kind),
    TEXT(struct record_evidence, title),
    TEXT(struct record_evidence, source),
    TEXT(struct record_evidence, place),
    TEXT(struct record_evidence, taken),
    BIND_U32(struct record_evidence, form),
    TEXT(struct record_evidence, method),
    BIND_MESSAGE_LIST(struct record_evidence, files, file_count, struct record_file, &file_bind),
    BIND_MESSAGE_LIST(struct record_evidence, codes, code_count, struct record_code, &code_bind),
    BIND_MESSAGE(struct record_evidence, electronic, has_electronic, &electronic_bind),
};
static const struct bind evidence_bind =
    BIND_OF(evidence, struct record_evidence, evidence_fields, NULL);

static const struct bind_field recognition_fields[] = {
    BIND_REQUIRED(struct record_recognition, evidence, &ref_bind),
    HASH(struct record_recognition, record_hash),
    BIND_U32(struct record_recognition, decision),
    TEXT(struct record_recognition, basis),
    BIND_TEXT_LIST(struct record_recognition, tests, test_count, 0, UINT32_MAX, NULL),
    TEXT(struct record_recognition, limits),
    BIND_REQUIRED(struct record_recognition, reviewer, &officer_bind),
    TEXT(struct record_recognition, agreement),
};
static const struct bind recognition_bind =
    BIND_OF(recognition, struct record_recognition, recognition_fields, NULL);

/* ---- the whole ---- */

/* A record, and the field that holds its content. */
struct whole {
    struct record r;
    uint32_t content;
};

static uint32_t field_of_kind(uint32_t kind)
{
    switch ((enum record_kind)kind) {
    case RECORD_CASE:
        return COMITY__RECORD__CONTENT_CASE_CONTENT;
    case RECORD_EVIDENCE:
        return COMITY__RECORD__CONTENT_EVIDENCE;
    case RECORD_RECOGNITION:
        return COMITY__RECORD__CONTENT_RECOGNITION;
    }
    return COMITY__RECORD__CONTENT__NOT_SET;
}

static int whole_rule(const void *self)
{
    const struct whole *w = self;
    return w->content != COMITY__RECORD__CONTENT__NOT_SET && w->content == field_of_kind(w->r.kind)
               ? COMITY_OK
               : COMITY_E_MALFORMED;
}

static const struct bind_field whole_fields[] = {
    BIND_U32(struct whole, r.kind),
    BIND_U32(struct whole, r.schema),
    BIND_MESSAGE(struct whole, r.case_ref, r.has_case_ref, &ref_bind),
    TEXT(struct whole, r.doc_no),
    TEXT(struct whole, r.created),
    BIND_MESSAGE_LIST(struct whole, r.officers, r.officer_count, struct record_officer,
                      &officer_bind),
    BIND_MESSAGE(struct whole, r.supersedes, r.has_supersedes, &ref_bind),
    TEXT(struct whole, r.approver),
    BIND_U32(struct whole, r.confidentiality),
    BIND_CASE_IN(struct whole, content, r.u.case_content, &case_bind),
    BIND_CASE_IN(struct whole, content, r.u.evidence, &evidence_bind),
    BIND_CASE_IN(struct whole, content, r.u.recognition, &recognition_bind),
};
static const struct bind whole_bind = BIND_OF(record, struct whole, whole_fields, whole_rule);

int record_encode(const struct record *r, struct buf *out)
{
    const struct whole w = {.r = *r, .content = field_of_kind(r->kind)};
    struct codec_limits limits = record_limits;
    limits.bytes_max = SIZE_MAX;
    size_t before = out->len;
    int err = bind_encode(&w, &whole_bind, &limits, out);
    if (!err && out->len - before > RECORD_BYTES_MAX) {
        out->len = before;
        err = COMITY_E_TOO_LARGE;
    }
    return err;
}

/* A kind that stands in bytes which otherwise need not be understood; 0 when they do not begin with
 * one. */
static uint32_t kind_of(struct bytes bytes)
{
    return bytes.len >= 2 && bytes.data[0] == 0x08 && bytes.data[1] < 0x80 ? bytes.data[1] : 0;
}

int record_decode(struct arena *a, struct bytes bytes, struct record *ret)
{
    struct whole w;
    if (kind_of(bytes) > RECORD_RECOGNITION)
        return COMITY_E_UNSUPPORTED;
    int err = bind_decode(a, bytes, &whole_bind, &record_limits, &w);
    if (!err)
        *ret = w.r;
    return err;
}
