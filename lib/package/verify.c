/*
 * Verifying an evidence package, check by check as verify.sh does. See package.h.
 */
#include "package/package.h"

#include "domain/rules.h"
#include "msg/record.h"
#include "package/checks.h"
#include "package/text.h"
#include "wire/notes.h"
#include "wire/parcel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARENA_MAX = 256 * 1024 * 1024, WHAT_MAX = 2 * PACKAGE_PATH_MAX };

/* What the package is about, once shown. */
struct verifying {
    struct package_checks c;
    struct package_shown record;
    struct record content;
    struct hash record_hash;
    bool has_record;
    LIST(struct package_shown) sent;
    struct value signatures, receipts, recognitions, files;
    struct value report;
};

static void say(struct verifying *v, bool ok, const char *check, const char *what)
{
    package_say(&v->c, ok ? PACKAGE_OK : PACKAGE_FAIL, check, what);
}

/* ---- signatures ---- */

/* A SIGNATURE entry that bears the note: it is of the record's ledger, and about the record. */
static bool bearer_fits(const struct verifying *v, const struct package_shown *b, struct bytes note)
{
    const struct entry_source *s = &b->entry.source;
    bool bears = false;
    for (size_t i = 0; b->has_body && i < b->body.note_count; i++)
        bears = bears || bytes_equal(b->body.notes[i], note);
    return bears && b->entry.kind == ENTRY_SIGNATURE && b->entry.has_source && s->has_index &&
           strcmp(b->checkpoint.origin, v->record.checkpoint.origin) == 0 &&
           s->index == v->record.entry.index && bytes_equal(s->leaf, hash_bytes(&v->record.leaf));
}

static bool is_word(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++)
        if (!((b.data[i] >= '0' && b.data[i] <= '9') || (b.data[i] >= 'a' && b.data[i] <= 'z') ||
              (b.data[i] >= 'A' && b.data[i] <= 'Z') || b.data[i] == '-'))
            return false;
    return b.len > 0 && b.len <= RECORD_LICENCE_MAX;
}

struct collectors {
    struct bytes licence[RECORD_OFFICERS_MAX];
    size_t count;
};

static void note_collector(struct collectors *c, const struct officer_signature *sig)
{
    for (size_t i = 0; i < c->count; i++)
        if (bytes_equal(c->licence[i], sig->licence))
            return;
    if (sig->role == SIGNATURE_COLLECTOR && c->count < RECORD_OFFICERS_MAX)
        c->licence[c->count++] = sig->licence;
}

static void check_signature(struct verifying *v, const struct package_file *f,
                            struct collectors *collectors)
{
    struct bytes text, signatures, lines[7];
    struct bytes note = buf_bytes(&f->bytes);
    struct officer_subject s = {.origin = bytes_of(v->record.checkpoint.origin),
                                .index = v->record.entry.index,
                                .record_kind = v->content.kind,
                                .has_record_hash = true,
                                .record_hash = v->record_hash};
    struct officer_key key;
    struct officer_signature sig;
    struct package_shown bearer;
    char folder[WHAT_MAX];
    char signed_by[WHAT_MAX + 64];
    char path[WHAT_MAX + 128];
    bool is_borne = true;
    if (note_split(note, &text, &signatures) ||
        note_fields(text, "comity officer signature v1", lines, 7) || !is_word(lines[2]) ||
        !is_word(lines[3])) {
        say(v, false, "signature", f->path);
        return;
    }
    snprintf(folder, sizeof folder, "signatures/%.*s", (int)lines[2].len, lines[2].data);
    snprintf(signed_by, sizeof signed_by, "%s/signed-%.*s", folder, (int)lines[3].len,
             lines[3].data);
    snprintf(path, sizeof path, "%s/entry.bin", signed_by);
    if (package_find(&v->c.files, path)) {
        package_show(&v->c, signed_by, "entry.tlog-proof", &bearer);
        package_content(&v->c, signed_by, &bearer);
        is_borne = bearer_fits(v, &bearer, note);
        s.index = bearer.entry.index;
    }
    bool ok = package_officer(&v->c, folder, &key) && is_borne && v->has_record &&
              package_signature_holds(&s, note, &key, &sig);
    say(v, ok, "signature", f->path);
    if (!ok)
        return;
    note_collector(collectors, &sig);
    package_add_signer(&v->signatures, &sig, &key);
}

static bool is_note_of(const char *path, const char *folder)
{
    size_t n = strlen(folder);
    size_t len = strlen(path);
    return strncmp(path, folder, n) == 0 && !strchr(path + n, '/') && len > n + 5 &&
           strcmp(path + len - 5, ".note") == 0;
}

static void check_signatures(struct verifying *v)
{
    struct collectors collectors = {.count = 0};
    for (size_t i = 0; i < v->c.files.file.count; i++)
        if (is_note_of(v->c.files.file.at[i].path, "signatures/"))
            check_signature(v, &v->c.files.file.at[i], &collectors);
    if (v->has_record && v->content.kind == RECORD_EVIDENCE)
        package_say(&v->c, collectors.count >= 2 ? PACKAGE_OK : PACKAGE_OPEN, "collectors",
                    "record");
}

/* ---- sent, accepted, received ---- */

static bool is_record_or_share(const struct verifying *v, const struct package_shown *s)
{
    const struct entry_source *src = &s->entry.source;
    if (hash_equal(&s->leaf, &v->record.leaf) &&
        strcmp(s->checkpoint.origin, v->record.checkpoint.origin) == 0)
        return true;
    return s->entry.kind == ENTRY_SHARE && s->entry.has_source && src->has_index &&
           bytes_is(src->origin, v->record.checkpoint.origin) &&
           src->index == v->record.entry.index &&
           bytes_equal(src->leaf, hash_bytes(&v->record.leaf));
}

static int check_sent(struct verifying *v)
{
    char folder[WHAT_MAX] = "";
    size_t at = 0;
    while (package_next_folder(&v->c.files, "sent", &at, folder)) {
        struct package_shown s;
        char expected[64];
        package_show(&v->c, folder, "entry.tlog-proof", &s);
        snprintf(expected, sizeof expected, "sent/%llu", (unsigned long long)s.checkpoint.size);
        bool ok = s.is_proven && strcmp(folder, expected) == 0 && v->record.is_proven &&
                  is_record_or_share(v, &s);
        say(v, ok, "sent", folder);
        if (ok && LIST_ADD(v->sent, s))
            return COMITY_E_NOMEM;
    }
    return COMITY_OK;
}

/* The sending that an entry's source names, or NULL. */
static const struct package_shown *was_sent(const struct verifying *v, const struct entry *e)
{
    for (size_t i = 0; e->has_source && i < v->sent.count; i++) {
        const struct checkpoint *c = &v->sent.at[i].checkpoint;
        if (bytes_is(e->source.origin, c->origin) && e->source.has_size &&
            e->source.size == c->size && bytes_equal(e->source.root, hash_bytes(&c->root)))
            return &v->sent.at[i];
    }
    return NULL;
}

static void check_broker(struct verifying *v)
{
    char folder[WHAT_MAX] = "";
    size_t at = 0;
    while (package_next_folder(&v->c.files, "broker", &at, folder)) {
        struct package_shown s;
        package_show(&v->c, folder, "entry.tlog-proof", &s);
        say(v, s.is_proven && s.entry.kind == ENTRY_ROUTED && was_sent(v, &s.entry), "broker",
            folder);
    }
}

static bool receipt_holds(const struct verifying *v, const struct package_shown *s,
                          const char *folder)
{
    struct ref_received ref;
    char expected[64];
    const struct package_shown *sent = s->is_proven ? was_sent(v, &s->entry) : NULL;
    if (!sent || s->entry.kind != ENTRY_RECEIVED || ref_received_parse(s->entry.ref, &ref) ||
        !s->entry.source.has_index)
        return false;
    snprintf(expected, sizeof expected, "receipts/%.*s", (int)s->from->member->id.len,
             (const char *)s->from->member->id.data);
    return strcmp(folder, expected) == 0 && sent->entry.index >= s->entry.source.index &&
           sent->entry.index - s->entry.source.index < ref.count;
}

static void check_receipts(struct verifying *v)
{
    char folder[WHAT_MAX] = "";
    size_t at = 0;
    while (package_next_folder(&v->c.files, "receipts", &at, folder)) {
        struct package_shown s;
        package_show(&v->c, folder, "entry.tlog-proof", &s);
        bool ok = receipt_holds(v, &s, folder);
        say(v, ok, "receipt", folder);
        if (!ok)
            continue;
        struct value r = value_object();
        value_set(&r, "member", value_text(s.from->member->id));
        value_set(&r, "time", value_time((int64_t)s.entry.time_ms));
        value_add(&v->receipts, r.json);
    }
}

/* ---- files ---- */

static const struct package_file *file_number(const struct package_files *p, size_t number)
{
    char prefix[32];
    const struct package_file *found = NULL;
    snprintf(prefix, sizeof prefix, "files/%zu-", number);
    for (size_t i = 0; i < p->file.count; i++)
        if (strncmp(p->file.at[i].path, prefix, strlen(prefix)) == 0)
            found = &p->file.at[i];
    return found;
}

static void check_files(struct verifying *v)
{
    const struct record_evidence *e = &v->content.u.evidence;
    if (!v->has_record || v->content.kind != RECORD_EVIDENCE)
        return;
    for (size_t i = 0; i < e->file_count; i++) {
        char what[32];
        const struct package_file *f = file_number(&v->c.files, i + 1);
        bool ok = f && bytes_equal(hash_bytes(&f->sha256), e->files[i].sha256) &&
                  bytes_equal(hash_bytes(&f->sm3), e->files[i].sm3);
        struct value named = value_array();
        if (!ok)
            value_add(&named, value_text(e->files[i].name));
        snprintf(what, sizeof what, "files/%zu", i + 1);
        package_say_files(&v->c, ok ? PACKAGE_OK : PACKAGE_FAIL, "file", what, &named);
        struct value file = value_object();
        value_set(&file, "name", value_text(e->files[i].name));
        value_set(&file, "sha256", value_hex(e->files[i].sha256));
        if (f)
            value_set(&file, "path", json_string(f->path));
        value_add(&v->files, file.json);
    }
}

/* ---- the seal ---- */

static void check_seal(struct verifying *v)
{
    struct officer_key key;
    struct package_seal seal;
    struct hash sums;
    bool ok = package_officer(&v->c, "seal", &key);
    struct bytes note = package_bytes(&v->c.files, "SHA256SUMS.note");
    hash_of(suite_get(SUITE_1), &sums, package_bytes(&v->c.files, "SHA256SUMS"));
    ok = ok && note.data && package_open(note, &key.enrolment.key, &seal) == COMITY_OK &&
         bytes_equal(seal.origin, key.origin) && hash_equal(&seal.sums, &sums);
    say(v, ok, "seal", "SHA256SUMS.note");
    if (!ok)
        return;
    struct value s = value_object();
    value_set(&s, "licence", value_text(key.enrolment.licence));
    value_set(&s, "name", value_text(key.enrolment.name));
    value_set(&s, "time", value_time(seal.time_ms));
    value_set(&v->report, "sealed_by", s.json);
}

/* ---- all of it ---- */

static void check_record(struct verifying *v)
{
    package_show(&v->c, "record", "record.tlog-proof", &v->record);
    package_content(&v->c, "record", &v->record);
    v->has_record = package_record(&v->c, &v->record, &v->content, &v->record_hash);
    if (!v->record.is_proven)
        return;
    struct value r = value_object();
    value_set_place(&r, bytes_of(v->record.checkpoint.origin), v->record.entry.index,
                    &v->record.leaf);
    value_set(&r, "time", value_time((int64_t)v->record.entry.time_ms));
    if (v->has_record) {
        value_set(&r, "kind", json_string(record_token(TERMS_RECORD_KIND, v->content.kind)));
        value_set(&r, "record_hash", value_hex(hash_bytes(&v->record_hash)));
        if (v->content.kind == RECORD_EVIDENCE)
            value_set_text(&r, "title", v->content.u.evidence.title);
        if (v->content.kind == RECORD_CASE)
            value_set_text(&r, "title", v->content.u.case_content.title);
    }
    value_set(&v->report, "record", r.json);
}

/* What people read, and nothing rests on. */
static bool is_rendering(const char *path)
{
    static const char *const names[] = {"README.html", "VERIFY.txt", "verify.sh",
                                        "record/body.json"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strcmp(path, names[i]) == 0)
            return true;
    return strncmp(path, "proto/", strlen("proto/")) == 0;
}

/* Nothing failed but the list of sums, its completeness and its seal, and that for what nothing
 * rests on: record, entries, signatures and files hold. */
static bool is_rendering_alone(const struct verifying *v)
{
    const json_t *check = NULL;
    size_t i = 0;
    json_array_foreach(v->c.list.json, i, check)
    {
        const char *name = json_string_value(json_object_get(check, "check"));
        const json_t *files = json_object_get(check, "files");
        if (!name || !json_is_false(json_object_get(check, "ok")))
            continue;
        if (strcmp(name, "seal") == 0)
            continue;
        if (strcmp(name, "sums") != 0 && strcmp(name, "complete") != 0)
            return false;
        for (size_t k = 0; k < json_array_size(files); k++) {
            const char *path = json_string_value(json_array_get(files, k));
            if (!path || (!is_rendering(path) && strcmp(path, "SHA256SUMS") != 0))
                return false;
        }
    }
    return v->has_record && v->c.failed > 0;
}

static void conclude(struct verifying *v)
{
    char sentence[160];
    bool is_bad = v->c.failed > 0;
    bool is_open = !is_bad && v->c.open > 0;
    bool is_one = (is_bad ? v->c.failed : v->c.open) == 1;
    if (is_bad)
        snprintf(sentence, sizeof sentence, "This package is not authentic: %zu check%s failed.",
                 v->c.failed, is_one ? "" : "s");
    else if (is_open)
        snprintf(sentence, sizeof sentence,
                 "Nothing is wrong, and %zu check%s not settled by what is here.", v->c.open,
                 is_one ? " is" : "s are");
    else
        snprintf(sentence, sizeof sentence, "This package is authentic: every check passed.");
    if (is_bad && is_rendering_alone(v))
        value_set(&v->report, "wrapping_alone", json_true());
    if (v->c.has_other_keys)
        value_set(&v->report, "other_keys", json_true());
    value_set(&v->report, "verdict",
              json_string(is_bad    ? "contradiction"
                          : is_open ? "unresolved"
                                    : "authentic"));
    value_set(&v->report, "exit",
              json_integer(is_bad    ? comity_err_exit(COMITY_E_CONTRADICTION)
                           : is_open ? comity_err_exit(COMITY_E_UNRESOLVED)
                                     : 0));
    value_set(&v->report, "sentence", json_string(sentence));
    value_set(&v->report, "checks", v->c.list.json);
    value_set(&v->report, "signatures", v->signatures.json);
    value_set(&v->report, "receipts", v->receipts.json);
    value_set(&v->report, "recognitions", v->recognitions.json);
    value_set(&v->report, "files", v->files.json);
}

int package_verify(const char *path, const struct network *anchor, json_t **ret)
{
    struct verifying *v = calloc(1, sizeof *v);
    if (!v)
        return COMITY_E_NOMEM;
    int err = package_load(path, &v->c.files);
    if (err) {
        free(v);
        return err;
    }
    v->c.anchor = anchor;
    v->c.arena = arena_new(ARENA_MAX);
    v->c.list = value_array();
    v->signatures = value_array();
    v->receipts = value_array();
    v->recognitions = value_array();
    v->files = value_array();
    v->report = value_object();
    err = v->c.arena ? COMITY_OK : COMITY_E_NOMEM;
    if (!err) {
        package_check_sums(&v->c);
        package_check_roster(&v->c);
        check_record(v);
        check_signatures(v);
        err = check_sent(v);
    }
    if (!err) {
        check_broker(v);
        check_receipts(v);
        package_check_decisions(
            &v->c, &(struct package_subject){&v->record, v->has_record, v->record_hash},
            &v->recognitions);
        check_files(v);
        check_seal(v);
        conclude(v);
        err = value_finish(&v->report, ret);
    }
    package_files_free(&v->c.files);
    roster_free(v->c.roster);
    arena_free(v->c.arena);
    LIST_FREE(v->sent);
    free(v);
    return err;
}
