/*
 * One acceptable record of each kind with every field filled, for tests to bend out of shape.
 *
 * The structs point into each other, so a `struct sample` must not be copied or moved.
 */
#ifndef TESTS_SAMPLE_RECORD_H
#define TESTS_SAMPLE_RECORD_H

#include "domain/record.h"

#include <string.h>

struct sample {
    struct record record;
    struct record_officer officers[2];
    struct record_party parties[2];
    struct record_code codes[2];
    struct record_goods goods[2];
    struct record_file files[2];
    struct bytes tests[2];
    uint8_t hash[5][RECORD_HASH_LEN];
};

#define SAMPLE_HASH(s, i) BYTES((s)->hash[i], RECORD_HASH_LEN)

static inline void sample_common(struct sample *s, uint32_t kind)
{
    memset(s, 0, sizeof *s);
    for (size_t i = 0; i < 5; i++)
        memset(s->hash[i], 0x10 * (int)(i + 1) + 1, RECORD_HASH_LEN);
    s->officers[0] = (struct record_officer){bytes_of("王芳"), bytes_of("33010012345")};
    s->officers[1] = (struct record_officer){bytes_of("李强"), bytes_of("33010012346")};
    s->codes[0] = (struct record_code){bytes_of("gtin"), bytes_of("6901234567892"), false};
    s->codes[1] = (struct record_code){bytes_of("passport"), bytes_of("DPP:7/冷库#2"), true};
    s->record =
        (struct record){.kind = kind,
                        .schema = RECORD_SCHEMA,
                        .doc_no = bytes_of("杭市监立〔2026〕17号"),
                        .created = bytes_of("2026-03-02T10:15:00+08:00"),
                        .officers = s->officers,
                        .officer_count = 2,
                        .has_supersedes = true,
                        .supersedes = {bytes_of("cn-samr/330100-001"), 12, SAMPLE_HASH(s, 0)},
                        .approver = bytes_of("33010010001"),
                        .confidentiality = 1};
}

static inline void sample_case(struct sample *s)
{
    sample_common(s, RECORD_CASE);
    s->parties[0] =
        (struct record_party){bytes_of("杭州某某商贸有限公司"), bytes_of("91330100799655058B"),
                              false, bytes_of("当事人")};
    s->parties[1] =
        (struct record_party){bytes_of("某网店"), bytes_of("91330100799655058C"), true, BYTES_NONE};
    s->goods[0] = (struct record_goods){bytes_of("儿童座椅"), s->codes, 2};
    s->goods[1] = (struct record_goods){bytes_of("无码商品"), NULL, 0};
    s->record.u.case_content = (struct record_case){
        .title = bytes_of("涉嫌销售不合格儿童座椅案"),
        .filed = bytes_of("2026-03-02T10:00:00+08:00"),
        .has_platform_domicile = true,
        .platform_domicile = {bytes_of("330106"), bytes_of("文一西路 1 号"),
                              bytes_of("330106-001")},
        .has_operator_place = true,
        .operator_place = {bytes_of("440300"), BYTES_NONE, BYTES_NONE},
        .has_operator_domicile = true,
        .operator_domicile = {bytes_of("441900"), bytes_of("长安镇"), BYTES_NONE},
        .has_violation_place = true,
        .violation_place = {bytes_of("310115"), BYTES_NONE, bytes_of("310115-002")},
        .parties = s->parties,
        .party_count = 2,
        .platform = bytes_of("某某商城"),
        .goods = s->goods,
        .goods_count = 2,
        .basis = bytes_of("第十条\n平台住所地")};
}

static inline void sample_evidence(struct sample *s)
{
    sample_common(s, RECORD_EVIDENCE);
    s->record.has_case_ref = true;
    s->record.case_ref =
        (struct record_ref){bytes_of("cn-samr/330100-001.2"), 17, SAMPLE_HASH(s, 1)};
    s->files[0] =
        (struct record_file){bytes_of("网页截图.png"), bytes_of("image/png"), 48213,
                             SAMPLE_HASH(s, 0),        SAMPLE_HASH(s, 1),     SAMPLE_HASH(s, 2),
                             SAMPLE_HASH(s, 3)};
    s->files[1] = s->files[0];
    s->files[1].name = bytes_of("page.warc");
    s->files[1].mime = BYTES_NONE;
    s->files[1].len = 0;
    s->record.u.evidence =
        (struct record_evidence){.kind = EVIDENCE_ELECTRONIC,
                                 .title = bytes_of("商品页面"),
                                 .source = bytes_of("某某商城网页"),
                                 .place = bytes_of("杭州市西湖区文一西路 1 号"),
                                 .taken = bytes_of("2026-03-02T09:40:00+08:00"),
                                 .form = FORM_COPY,
                                 .method = bytes_of("浏览器保存页面\n并截图"),
                                 .files = s->files,
                                 .file_count = 2,
                                 .codes = s->codes,
                                 .code_count = 2,
                                 .has_electronic = true,
                                 .electronic = {.cause = bytes_of("核查投诉"),
                                                .object = bytes_of("商品详情页"),
                                                .method = bytes_of("在线提取"),
                                                .process = bytes_of("打开页面，保存，计算校验值"),
                                                .no_medium = bytes_of("服务器在境外"),
                                                .tool = bytes_of("取证浏览器"),
                                                .tool_version = bytes_of("3.2"),
                                                .has_clock_offset = true,
                                                .clock_offset_ms = -1250,
                                                .holder = bytes_of("赵某"),
                                                .holder_signed = HOLDER_REFUSED,
                                                .witness = bytes_of("钱某")}};
}

static inline void sample_recognition(struct sample *s)
{
    sample_common(s, RECORD_RECOGNITION);
    s->record.officer_count = 0;
    s->record.officers = NULL;
    s->tests[0] = bytes_of("校验值一致");
    s->tests[1] = bytes_of("与原页面核对");
    s->record.u.recognition = (struct record_recognition){
        .evidence = {bytes_of("cn-samr/330100-001"), 1042, SAMPLE_HASH(s, 2)},
        .record_hash = SAMPLE_HASH(s, 4),
        .decision = DECISION_DIRECT,
        .basis = bytes_of("长三角证据互认协议第五条"),
        .tests = s->tests,
        .test_count = 2,
        .limits = bytes_of("仅限本案"),
        .reviewer = {bytes_of("孙立"), bytes_of("SH-310115-7")},
        .agreement = bytes_of("csj-2025-3")};
}

#endif
