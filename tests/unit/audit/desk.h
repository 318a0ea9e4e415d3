/*
 * Officers at their desks: enrolled, with keys of their own, they write evidence, sign it, send it,
 * and decide about it.
 */
#ifndef TEST_AUDIT_DESK_H
#define TEST_AUDIT_DESK_H

#include "life.h"

#include "domain/record.h"
#include "msg/record.h"

#include <sys/stat.h>

#define WANG "33010012345"
#define LI "33010012346"
#define ZHAO "44030054321"

struct officer {
    struct party *party;
    const char *licence;
    struct note_signer *signer;
    uint64_t key; /* index of the KEY entry */
};

static inline struct bytes arena_take(struct arena *a, struct buf *b)
{
    struct bytes copy = arena_copy(a, buf_bytes(b));
    assert_non_null(copy.data);
    buf_free(b);
    return copy;
}

static inline struct bytes enrolment_body(const struct officer *o, const uint32_t *roles, size_t n,
                                          struct arena *a)
{
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf body = BUF_INIT;
    const struct officer_enrolment e = {.origin = bytes_of(o->party->origin),
                                        .name = bytes_of("王芳"),
                                        .licence = bytes_of(o->licence),
                                        .key = *note_signer_public(o->signer)};
    OK(officer_put_text(&text, &e));
    OK(note_sign(o->signer, buf_bytes(&text), &note));
    const struct bytes view = buf_bytes(&note);
    OK(body_encode(&(struct body){.notes = &view, .note_count = 1, .roles = roles, .role_count = n},
                   &body));
    buf_free(&text);
    buf_free(&note);
    return arena_take(a, &body);
}

static inline void enrol(struct life *l, struct officer *o, struct party *p, const char *licence,
                         uint32_t role)
{
    char name[NOTE_KEY_NAME_MAX + 1];
    uint8_t seed[NOTE_SEED_LEN];
    struct arena *a = arena_new(1 << 20);
    *o = (struct officer){.party = p, .licence = licence};
    snprintf(name, sizeof name, "%s/officer/%s", p->origin, licence);
    random_bytes(seed, sizeof seed);
    OK(note_signer_new(name, seed, &o->signer));
    o->key = append_alone(
        l, p, &(struct item){.kind = ENTRY_KEY, .body = enrolment_body(o, &role, 1, a)});
    arena_free(a);
}

/* A KEY entry without roles. */
static inline void retire(struct life *l, struct officer *o)
{
    struct arena *a = arena_new(1 << 20);
    append_alone(l, o->party,
                 &(struct item){.kind = ENTRY_KEY, .body = enrolment_body(o, NULL, 0, a)});
    arena_free(a);
}

static inline struct bytes sign_record(const struct officer *o, const char *origin,
                                       enum signature_role role, uint32_t kind,
                                       const struct hash *record_hash, struct arena *a)
{
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    const struct officer_signature s = {.origin = bytes_of(origin),
                                        .licence = bytes_of(o->licence),
                                        .role = role,
                                        .record_kind = kind,
                                        .record_hash = *record_hash,
                                        .time_ms = 1800000000000};
    OK(officer_signature_put_text(&text, &s));
    OK(note_sign(o->signer, buf_bytes(&text), &note));
    buf_free(&text);
    return arena_take(a, &note);
}

/* A record with its salt, so that it can be signed before it is appended. */
struct drafted {
    struct bytes salt;
    struct bytes record;
    uint32_t kind;
    struct hash hash;
};

static inline struct drafted draft_record(const struct party *p, const struct record *r,
                                          struct arena *a)
{
    struct buf bytes = BUF_INIT;
    uint8_t salt[SALT_LEN];
    random_bytes(salt, sizeof salt);
    OK(record_encode(r, &bytes));
    struct drafted d = {.salt = arena_copy(a, BYTES(salt, sizeof salt)),
                        .record = arena_take(a, &bytes),
                        .kind = r->kind};
    ledger_record_hash(the_suite(), bytes_of(p->origin), d.salt, d.record, &d.hash);
    return d;
}

static inline struct item record_item(const struct drafted *d, const struct bytes *notes, size_t n,
                                      struct arena *a)
{
    struct buf body = BUF_INIT;
    OK(body_encode(&(struct body){.record = d->record, .notes = notes, .note_count = n}, &body));
    return (struct item){.kind = ENTRY_RECORD, .salt = d->salt, .body = arena_take(a, &body)};
}

/* ---- evidence with files ---- */

#define FILE_ONE "this is what the camera saw\n"
#define FILE_TWO "第二个文件\n"

static inline void put_file(const struct party *p, const char *content, struct record_file *f,
                            struct arena *a)
{
    struct file_digest *d = file_digest_new();
    struct hash sha256, sm3;
    char path[600];
    struct buf name = BUF_INIT;
    file_digest_add(d, bytes_of(content));
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    text_put_hex(&name, hash_bytes(&sha256));
    snprintf(path, sizeof path, "%s/files", p->dir);
    (void)mkdir(path, 0700);
    snprintf(path, sizeof path, "%s/files/%s", p->dir, buf_str(&name));
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    fputs(content, out);
    fclose(out);
    buf_free(&name);
    f->len = strlen(content);
    f->sha256 = arena_copy(a, hash_bytes(&sha256));
    f->sm3 = arena_copy(a, hash_bytes(&sm3));
    f->blob = arena_copy(a, hash_bytes(&sm3)); /* of no importance here */
    f->secret = arena_copy(a, hash_bytes(&sha256));
}

static inline struct drafted draft_evidence(const struct party *p, struct arena *a)
{
    struct record_file files[2] = {{.name = bytes_of("现场照片.jpg")},
                                   {.name = bytes_of("notes of the day.txt")}};
    const struct record_officer officers[] = {{bytes_of("王芳"), bytes_of(WANG)},
                                              {bytes_of("李强"), bytes_of(LI)}};
    put_file(p, FILE_ONE, &files[0], a);
    put_file(p, FILE_TWO, &files[1], a);
    const struct record r = {.kind = RECORD_EVIDENCE,
                             .schema = RECORD_SCHEMA,
                             .created = bytes_of("2026-03-02T10:15:00+08:00"),
                             .officers = officers,
                             .officer_count = 2,
                             .u.evidence = {.kind = EVIDENCE_ELECTRONIC,
                                            .title = bytes_of("网页截图 <第一页>"),
                                            .source = bytes_of("某某商城"),
                                            .place = bytes_of("杭州"),
                                            .taken = bytes_of("2026-03-02T10:00:00+08:00"),
                                            .form = FORM_COPY,
                                            .method = bytes_of("截屏"),
                                            .files = files,
                                            .file_count = 2}};
    return draft_record(p, &r, a);
}

/* ---- a day at two desks ---- */

struct desk {
    struct life *l;
    struct arena *arena;
    struct party *hangzhou, *shenzhen;
    struct officer wang, li, zhao;
    uint64_t evidence; /* index in Hangzhou's ledger */
    struct hash evidence_hash, evidence_leaf;
    uint64_t recognition; /* index in Shenzhen's */
};

/* The second collector signs in an entry of its own. */
static inline void send_signature(struct desk *d, const struct officer *o, enum signature_role role)
{
    struct buf body = BUF_INIT;
    const struct bytes note =
        sign_record(o, d->hangzhou->origin, role, RECORD_EVIDENCE, &d->evidence_hash, d->arena);
    OK(body_encode(&(struct body){.notes = &note, .note_count = 1}, &body));
    const struct item it = {.kind = ENTRY_SIGNATURE,
                            .body = arena_take(d->arena, &body),
                            .has_source = true,
                            .source = {.origin = bytes_of(d->hangzhou->origin),
                                       .has_index = true,
                                       .index = d->evidence,
                                       .leaf = hash_bytes(&d->evidence_leaf)}};
    deliver(d->l, post(d->l, d->hangzhou, d->shenzhen,
                       &(struct posting){
                           .items = &it, .count = 1, .enclosed = &o->key, .enclosed_count = 1}));
}

static inline void send_evidence(struct desk *d)
{
    const struct drafted e = draft_evidence(d->hangzhou, d->arena);
    const struct bytes note =
        sign_record(&d->wang, d->hangzhou->origin, SIGNATURE_COLLECTOR, e.kind, &e.hash, d->arena);
    const struct item it = record_item(&e, &note, 1, d->arena);
    struct mail *m = post(
        d->l, d->hangzhou, d->shenzhen,
        &(struct posting){.items = &it, .count = 1, .enclosed = &d->wang.key, .enclosed_count = 1});
    d->evidence = m->first;
    d->evidence_hash = e.hash;
    OK(ledger_leaf(d->hangzhou->ledger, m->first, &d->evidence_leaf));
    deliver(d->l, m);
}

/* The list of recognitions as a node keeps it. */
static inline void list_recognition(struct party *p, uint64_t evidence_origin, uint64_t evidence,
                                    uint64_t by, uint64_t entry)
{
    struct db *db = store_db(p->store);
    OK(ledger_begin(p->ledger));
    OK(db_run(db, "INSERT OR IGNORE INTO view_origin(id, origin) VALUES(0, ?1)",
              DB_STR(p->origin)));
    OK(db_run(db, "INSERT OR IGNORE INTO view_origin(id, origin) VALUES(1, ?1)",
              DB_STR(strstr(p->origin, "330100") ? "test-net/440300-001" : "test-net/330100-001")));
    OK(db_run(db,
              "INSERT INTO view_recognition(origin, idx, by, entry, decision, time) VALUES(?1, ?2, "
              "?3, ?4, 2, 0)",
              DB_U64(evidence_origin), DB_U64(evidence), DB_U64(by), DB_U64(entry)));
    OK(ledger_commit(p->ledger));
}

static inline void send_recognition(struct desk *d)
{
    const struct record r = {.kind = RECORD_RECOGNITION,
                             .schema = RECORD_SCHEMA,
                             .created = bytes_of("2026-03-03T10:15:00+08:00"),
                             .u.recognition = {.evidence = {.origin = bytes_of(d->hangzhou->origin),
                                                            .index = d->evidence,
                                                            .leaf = hash_bytes(&d->evidence_leaf)},
                                               .record_hash = hash_bytes(&d->evidence_hash),
                                               .decision = DECISION_VERIFIED,
                                               .basis = bytes_of("第二十三条"),
                                               .reviewer = {bytes_of("赵敏"), bytes_of(ZHAO)}}};
    const struct drafted e = draft_record(d->shenzhen, &r, d->arena);
    const struct bytes note =
        sign_record(&d->zhao, d->shenzhen->origin, SIGNATURE_REVIEWER, e.kind, &e.hash, d->arena);
    const struct item it = record_item(&e, &note, 1, d->arena);
    struct mail *m = post(
        d->l, d->shenzhen, d->hangzhou,
        &(struct posting){.items = &it, .count = 1, .enclosed = &d->zhao.key, .enclosed_count = 1});
    d->recognition = m->first;
    deliver(d->l, m);
    list_recognition(d->hangzhou, 0, d->evidence, 1, d->recognition);
    list_recognition(d->shenzhen, 1, d->evidence, 0, d->recognition);
}

static inline struct desk *desk_new(struct life *l)
{
    struct desk *d = calloc(1, sizeof *d);
    assert_non_null(d);
    d->l = l;
    d->arena = arena_new((size_t)16 << 20);
    d->hangzhou = net_party(&l->net, HANGZHOU);
    d->shenzhen = net_party(&l->net, SHENZHEN);
    enrol(l, &d->wang, d->hangzhou, WANG, OFFICER_OFFICER);
    enrol(l, &d->li, d->hangzhou, LI, OFFICER_OFFICER);
    enrol(l, &d->zhao, d->shenzhen, ZHAO, OFFICER_REVIEWER);
    return d;
}

static inline void desk_free(struct desk *d)
{
    note_signer_free(d->wang.signer);
    note_signer_free(d->li.signer);
    note_signer_free(d->zhao.signer);
    arena_free(d->arena);
    free(d);
}

static inline int desk_setup(void **state)
{
    struct life *l = life_new();
    exchange(l, CHENGDU, HANGZHOU, 2);
    struct desk *d = desk_new(l);
    send_evidence(d);
    exchange(l, HANGZHOU, CHENGDU, 5);
    send_signature(d, &d->li, SIGNATURE_COLLECTOR);
    send_recognition(d);
    exchange(l, HANGZHOU, SHENZHEN, 3);
    *state = d;
    return 0;
}

static inline int desk_teardown(void **state)
{
    struct desk *d = *state;
    void *life = d->l;
    desk_free(d);
    return life_teardown(&life);
}

#endif
