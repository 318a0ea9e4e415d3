/*
 * The words for the numbers in records. See record.h.
 */
#include "domain/record.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static const struct record_term record_kinds[] = {
    {RECORD_CASE, "CASE", "立案登记", "case"},
    {RECORD_EVIDENCE, "EVIDENCE", "证据", "evidence"},
    {RECORD_RECOGNITION, "RECOGNITION", "证据采信", "recognition of evidence"},
};

static const struct record_term evidence_kinds[] = {
    {EVIDENCE_DOCUMENTARY, "documentary", "书证", "documentary evidence"},
    {EVIDENCE_PHYSICAL, "physical", "物证", "physical evidence"},
    {EVIDENCE_AUDIOVISUAL, "audiovisual", "视听资料", "audio-visual material"},
    {EVIDENCE_ELECTRONIC, "electronic", "电子数据", "electronic data"},
    {EVIDENCE_TESTIMONY, "testimony", "证人证言", "testimony of a witness"},
    {EVIDENCE_STATEMENT, "statement", "当事人的陈述", "statement of a party"},
    {EVIDENCE_EXPERT, "expert", "鉴定意见", "expert opinion"},
    {EVIDENCE_INSPECTION, "inspection", "勘验笔录、现场笔录",
     "record of inspection or of the scene"},
};

static const struct record_term forms[] = {
    {FORM_ORIGINAL, "original", "原件", "original"},
    {FORM_COPY, "copy", "复制件", "copy"},
};

static const struct record_term holders[] = {
    {HOLDER_SIGNED, "signed", "已签名", "signed"},
    {HOLDER_REFUSED, "refused", "拒绝签名", "refused to sign"},
    {HOLDER_ABSENT, "absent", "不在场", "absent"},
};

static const struct record_term decisions[] = {
    {DECISION_DIRECT, "DIRECT", "直接采信", "admitted directly"},
    {DECISION_VERIFIED, "VERIFIED", "核实后采信", "admitted after verification"},
    {DECISION_SUPPLEMENT, "SUPPLEMENT", "需要补充", "to be supplemented"},
    {DECISION_REJECTED, "REJECTED", "不予采信", "not admitted"},
};

static const struct {
    const struct record_term *terms;
    size_t count;
} vocabularies[] = {
    [TERMS_RECORD_KIND] = {record_kinds, COUNT(record_kinds)},
    [TERMS_EVIDENCE_KIND] = {evidence_kinds, COUNT(evidence_kinds)},
    [TERMS_FORM] = {forms, COUNT(forms)},
    [TERMS_HOLDER] = {holders, COUNT(holders)},
    [TERMS_DECISION] = {decisions, COUNT(decisions)},
};

const struct record_term *record_terms(enum record_vocabulary v, size_t *ret_count)
{
    *ret_count = vocabularies[v].count;
    return vocabularies[v].terms;
}

const struct record_term *record_term(enum record_vocabulary v, uint32_t number)
{
    size_t count = 0;
    const struct record_term *terms = record_terms(v, &count);
    for (size_t i = 0; i < count; i++)
        if (terms[i].number == number)
            return &terms[i];
    return NULL;
}

const struct record_term *record_term_named(enum record_vocabulary v, struct bytes token)
{
    size_t count = 0;
    const struct record_term *terms = record_terms(v, &count);
    for (size_t i = 0; i < count; i++)
        if (bytes_is(token, terms[i].token))
            return &terms[i];
    return NULL;
}

const char *record_token(enum record_vocabulary v, uint32_t number)
{
    const struct record_term *term = record_term(v, number);
    return term ? term->token : "UNKNOWN";
}
