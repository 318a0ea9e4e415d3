/*
 * recognitions/: what reviewers have decided about the record, and how far that is proven.
 */
#include "package/checks.h"

#include <stdio.h>
#include <string.h>

/* What a folder says of one decision. */
struct decision {
    struct package_shown entry;
    struct record record;
    struct hash hash;
    struct officer_key key;
    bool has_record;
    bool is_signed; /* by that officer, as reviewer */
};

static bool reviewer_signed(struct package_checks *c, struct decision *d, const char *note_path)
{
    const struct officer_subject subject = {.origin = bytes_of(d->entry.checkpoint.origin),
                                            .index = d->entry.entry.index,
                                            .record_kind = d->record.kind,
                                            .has_record_hash = true,
                                            .record_hash = d->hash};
    struct officer_signature sig = {0};
    struct bytes note = package_bytes(&c->files, note_path);
    return d->has_record && note.data && package_signature_holds(&subject, note, &d->key, &sig) &&
           sig.role == SIGNATURE_REVIEWER;
}

static bool is_about(const struct decision *d, const struct package_subject *s)
{
    const struct record_recognition *r = &d->record.u.recognition;
    return s->has_record && d->has_record && d->record.kind == RECORD_RECOGNITION &&
           bytes_is(r->evidence.origin, s->entry->checkpoint.origin) &&
           r->evidence.index == s->entry->entry.index &&
           bytes_equal(r->evidence.leaf, hash_bytes(&s->entry->leaf)) &&
           bytes_equal(r->record_hash, hash_bytes(&s->hash));
}

static void check(struct package_checks *c, const struct package_subject *s, const char *folder,
                  struct decision *d)
{
    char path[2 * PACKAGE_PATH_MAX + 32];
    package_show(c, folder, "entry.tlog-proof", &d->entry);
    package_content(c, folder, &d->entry);
    d->has_record = package_record(c, &d->entry, &d->record, &d->hash);
    snprintf(path, sizeof path, "%s/key", folder);
    bool is_enrolled = package_officer(c, path, &d->key);
    snprintf(path, sizeof path, "%s/reviewer.note", folder);
    d->is_signed = is_enrolled && reviewer_signed(c, d, path);
    package_say(c, d->is_signed ? PACKAGE_OK : PACKAGE_FAIL, "signature", path);
    package_say(c, is_about(d, s) ? PACKAGE_OK : PACKAGE_FAIL, "recognition", folder);
}

/* Who signed, where somebody did; else whom the record names. Of an entry that is not proven there
 * is nothing to tell but its folder. */
static void list(struct value *decisions, const char *folder, const struct decision *d,
                 bool is_proven)
{
    struct value v = value_object();
    const struct record_recognition *r = &d->record.u.recognition;
    value_set(&v, "folder", json_string(folder));
    if (d->has_record && d->record.kind == RECORD_RECOGNITION) {
        value_set(&v, "ref", value_ref(bytes_of(d->entry.checkpoint.origin), d->entry.entry.index));
        value_set(&v, "member", value_text(d->entry.from->member->id));
        value_set(&v, "reviewer",
                  value_text(d->is_signed ? d->key.enrolment.name : r->reviewer.name));
        value_set(&v, "licence",
                  value_text(d->is_signed ? d->key.enrolment.licence : r->reviewer.licence));
        value_set(&v, "decision", json_string(record_token(TERMS_DECISION, r->decision)));
        value_set_text(&v, "basis", r->basis);
        value_set_text(&v, "limits", r->limits);
        value_set(&v, "time", value_time((int64_t)d->entry.entry.time_ms));
    }
    value_set(&v, "proven", json_boolean(is_proven));
    value_add(decisions, v.json);
}

void package_check_decisions(struct package_checks *c, const struct package_subject *s,
                             struct value *decisions)
{
    char folder[2 * PACKAGE_PATH_MAX] = "";
    size_t at = 0;
    while (package_next_folder(&c->files, "recognitions", &at, folder)) {
        struct decision d = {.has_record = false};
        size_t before = c->failed + c->open;
        check(c, s, folder, &d);
        list(decisions, folder, &d, c->failed + c->open == before);
    }
}
