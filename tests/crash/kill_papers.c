/*
 * Records as officers write and sign them, each with its id in it. See kill.h.
 */
#include "kill.h"

#include "base/text.h"
#include "msg/record.h"
#include "wire/notes.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FILES_MAX = 4 };

static const char *const licence[OFFICERS] = {"01", "02", "03"};
static const char *const officer_name[OFFICERS] = {"办案人员01", "办案人员02", "办案人员03"};

static struct push *paper_new(struct bureau *b, uint32_t kind)
{
    struct push *p = calloc(1, sizeof *p);
    if (!p)
        kill_die("memory", "none");
    p->from = b->d->at;
    p->kind = kind;
    snprintf(p->id, sizeof p->id, "%zu-%llu", p->from, (unsigned long long)++b->numbered);
    random_bytes(p->salt, sizeof p->salt);
    return p;
}

void paper_free(struct push *p)
{
    if (!p)
        return;
    buf_free(&p->record);
    for (size_t i = 0; i < 2; i++)
        buf_free(&p->note[i]);
    free(p);
}

static void sign(struct bureau *b, struct push *p, size_t officer, enum signature_role role)
{
    struct hash hash;
    struct buf text = BUF_INIT;
    ledger_record_hash(suite_get(SUITE_1), bytes_of(b->d->origin), BYTES(p->salt, sizeof p->salt),
                       buf_bytes(&p->record), &hash);
    const struct officer_signature s = {.origin = bytes_of(b->d->origin),
                                        .licence = bytes_of(licence[officer]),
                                        .role = role,
                                        .record_kind = p->kind,
                                        .record_hash = hash,
                                        .time_ms = 1800000000000};
    if (officer_signature_put_text(&text, &s) ||
        note_sign(b->officer[officer], buf_bytes(&text), &p->note[p->note_count++]))
        kill_die("officer", "cannot sign");
    buf_free(&text);
}

static void write_record(struct push *p, const struct record *r)
{
    if (record_encode(r, &p->record))
        kill_die("record", "cannot be encoded");
}

/* Nobody has to sign it. ${filler} bytes of it are there to make the turn large. */
struct push *paper_case(struct bureau *b, size_t filler)
{
    struct push *p = paper_new(b, RECORD_CASE);
    char *words = malloc(filler + 1);
    if (!words)
        kill_die("memory", "none");
    memset(words, 'x', filler);
    words[filler] = '\0';
    const struct record r = {.kind = RECORD_CASE,
                             .schema = RECORD_SCHEMA,
                             .created = bytes_of("2026-03-02T10:15:00+08:00"),
                             .u.case_content = {.title = bytes_of(p->id),
                                                .filed = bytes_of("2026-03-02T10:00:00+08:00"),
                                                .basis = bytes_of(filler ? words : "第十条")}};
    write_record(p, &r);
    free(words);
    return p;
}

static struct bytes text_of(const json_t *o, const char *key)
{
    const char *text = json_string_value(json_object_get(o, key));
    return text ? bytes_of(text) : BYTES_NONE;
}

/* What file.end answered, as a record names it. */
static void take_file(const json_t *o, struct record_file *f, uint8_t room[4][32])
{
    static const char *const keys[4] = {"sha256", "sm3", "blob", "secret"};
    struct bytes *const to[4] = {&f->sha256, &f->sm3, &f->blob, &f->secret};
    f->name = text_of(o, "name");
    f->mime = text_of(o, "mime");
    f->len = (uint64_t)json_integer_value(json_object_get(o, "len"));
    for (size_t i = 0; i < 4; i++) {
        if (text_get_hex(text_of(o, keys[i]), room[i], 32))
            kill_die("file.end", "has no digest");
        *to[i] = BYTES(room[i], 32);
    }
}

struct push *paper_evidence(struct bureau *b, json_t *const *files, size_t n)
{
    struct push *p = paper_new(b, RECORD_EVIDENCE);
    struct record_file file[FILES_MAX] = {0};
    uint8_t room[FILES_MAX][4][32];
    for (size_t i = 0; i < n; i++)
        take_file(files[i], &file[i], room[i]);
    const struct record_officer collectors[2] = {{bytes_of(officer_name[0]), bytes_of(licence[0])},
                                                 {bytes_of(officer_name[1]), bytes_of(licence[1])}};
    const struct record r = {.kind = RECORD_EVIDENCE,
                             .schema = RECORD_SCHEMA,
                             .created = bytes_of("2026-03-02T10:15:00+08:00"),
                             .officers = collectors,
                             .officer_count = 2,
                             .u.evidence = {.kind = EVIDENCE_DOCUMENTARY,
                                            .title = bytes_of(p->id),
                                            .source = bytes_of("某某公司仓库"),
                                            .place = bytes_of("杭州市西湖区"),
                                            .taken = bytes_of("2026-03-02T09:40:00+08:00"),
                                            .form = FORM_ORIGINAL,
                                            .method = bytes_of("现场提取"),
                                            .files = file,
                                            .file_count = n}};
    write_record(p, &r);
    sign(b, p, 0, SIGNATURE_COLLECTOR);
    sign(b, p, 1, SIGNATURE_COLLECTOR);
    return p;
}

/* ${evidence}: what record.get answered. */
struct push *paper_recognition(struct bureau *b, const json_t *evidence)
{
    struct push *p = paper_new(b, RECORD_RECOGNITION);
    uint8_t hash[HASH_LEN];
    uint8_t leaf[HASH_LEN];
    static const struct bytes test = BYTES_LIT("sha256");
    if (text_get_hex(text_of(evidence, "record_hash"), hash, HASH_LEN) ||
        text_get_base64_exact(text_of(evidence, "leaf"), leaf, HASH_LEN))
        kill_die("record.get", "names no evidence");
    const struct record r = {
        .kind = RECORD_RECOGNITION,
        .schema = RECORD_SCHEMA,
        .created = bytes_of("2026-03-03T10:15:00+08:00"),
        .u.recognition = {
            .evidence = {text_of(evidence, "origin"),
                         (uint64_t)json_integer_value(json_object_get(evidence, "index")),
                         BYTES(leaf, HASH_LEN)},
            .record_hash = BYTES(hash, HASH_LEN),
            .decision = DECISION_VERIFIED,
            .basis = bytes_of(p->id),
            .tests = &test,
            .test_count = 1,
            .reviewer = {bytes_of(officer_name[2]), bytes_of(licence[2])}}};
    write_record(p, &r);
    sign(b, p, 2, SIGNATURE_REVIEWER);
    return p;
}
