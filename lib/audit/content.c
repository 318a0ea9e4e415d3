/*
 * The content of entries: that it is what the entry commits to, and that the officers whose notes
 * it bears have signed.
 */
#include "audit/finding.h"
#include "audit/internal.h"

#include "domain/record.h"
#include "msg/record.h"

#include <string.h>

static int tell(struct audit *a, const struct content_item *it, enum audit_code code,
                const char *why)
{
    struct finding *f = finding_add(a, code, it->origin);
    if (f) {
        finding_index(f, it->entry->index);
        finding_set(f, "other", json_string(it->copy->origin->name));
        if (why)
            finding_set(f, "why", json_string(why));
        if (it->copy->origin == it->origin)
            f->proof = proof_entry(it->copy, it->entry->index);
    }
    return finding_check(f);
}

/* ---- officers ---- */

/* Keep the key of a KEY entry; its views go to the audit's own memory. */
static int keep_key(struct audit *a, const struct content_item *it, const struct body *body)
{
    struct officer_key key;
    struct origin_node *o = it->origin;
    for (size_t i = o->keys.count; i > 0 && o->keys.at[i - 1].index >= it->entry->index; i--)
        if (o->keys.at[i - 1].index == it->entry->index)
            return COMITY_OK;
    struct bytes note = body->note_count == 1 ? arena_copy(a->arena, body->notes[0]) : BYTES_NONE;
    if (body->note_count == 1 && !note.data)
        return COMITY_E_NOMEM;
    const struct body kept = {.notes = &note,
                              .note_count = body->note_count,
                              .roles = body->roles,
                              .role_count = body->role_count};
    int err = officer_key_read(bytes_of(o->name), it->entry->index, &kept, &key);
    audit_did(a, it->copy, CHECK_OFFICERS, !err);
    if (err)
        return tell(a, it, AUDIT_OFFICER_KEY, comity_err_token(err));
    err = LIST_ADD(o->keys, key);
    if (!err)
        err = LIST_ADD(o->signed_by, 0);
    /* Those of a copy come in order; those that parcels brought come as they come. */
    for (size_t i = err ? 0 : o->keys.count - 1; i > 0 && o->keys.at[i - 1].index > key.index;
         i--) {
        o->keys.at[i] = o->keys.at[i - 1];
        o->keys.at[i - 1] = key;
        o->signed_by.at[i] = o->signed_by.at[i - 1];
        o->signed_by.at[i - 1] = 0;
    }
    return err;
}

static int tell_retired(struct audit *a, const struct content_item *it, struct bytes licence)
{
    struct finding *f = finding_add(a, AUDIT_OFFICER_RETIRED, it->origin);
    if (f) {
        finding_index(f, it->entry->index);
        finding_set(f, "licence", value_text(licence));
    }
    return finding_check(f);
}

/* The note verifies: count it for the officer, unless he was retired before. */
static int note_good(struct audit *a, const struct content_item *it, struct bytes note)
{
    struct officer_signature sig;
    struct origin_node *o = it->origin;
    size_t enrolled = SIZE_MAX;
    bool retired = false;
    int err = officer_signature_peek(note, &sig);
    if (err)
        return err;
    for (size_t i = 0; i < o->keys.count && o->keys.at[i].index < it->entry->index; i++) {
        const struct officer_key *k = &o->keys.at[i];
        if (!bytes_equal(k->enrolment.licence, sig.licence))
            continue;
        retired = k->is_retired;
        if (!retired)
            enrolled = i;
    }
    if (enrolled != SIZE_MAX)
        o->signed_by.at[enrolled]++;
    return retired ? tell_retired(a, it, sig.licence) : COMITY_OK;
}

static int check_note(struct audit *a, const struct content_item *it,
                      const struct officer_subject *s, struct bytes note)
{
    const struct body one = {.notes = &note, .note_count = 1};
    int err = officer_check(s, &one, it->origin->keys.at, it->origin->keys.count);
    audit_did(a, it->copy, CHECK_OFFICERS, !err);
    if (!err)
        return note_good(a, it, note);
    if (err == COMITY_E_NOMEM)
        return err;
    if (err != COMITY_E_UNKNOWN_KEY)
        return tell(a, it, AUDIT_OFFICER_SIGNATURE, comity_err_token(err));
    /* In the ledger's own copy, where all KEY entries are, an unknown key is no officer's. */
    if (it->copy->origin == it->origin && it->copy->is_sound)
        return tell(a, it, AUDIT_OFFICER_SIGNATURE, comity_err_token(err));
    struct group *g = NULL;
    const struct group_key key = {
        .code = AUDIT_OFFICER_UNKNOWN, .of = it->origin, .other = it->copy->origin};
    return group_add(a, &key, it->entry->index, 0, &g);
}

/* What a record's officers have signed. COMITY_E_NOT_FOUND when it cannot be told. */
static int subject_of(struct audit *a, const struct content_item *it, struct bytes salt,
                      struct bytes record, struct officer_subject *s)
{
    struct record r;
    int err = record_decode(a->scratch, record, &r);
    if (err)
        return err == COMITY_E_NOMEM ? err : COMITY_E_NOT_FOUND;
    ledger_record_hash(it->suite, bytes_of(it->origin->name), salt, record, &s->record_hash);
    s->record_kind = r.kind;
    s->has_record_hash = true;
    return COMITY_OK;
}

/* A SIGNATURE speaks of an earlier record, whose content may be here. */
static int find_signed(struct audit *a, const struct content_item *it, struct officer_subject *s)
{
    struct opening opening;
    struct body body;
    if (!it->records || !it->entry->has_source || !it->entry->source.has_index)
        return COMITY_OK;
    int err =
        opening_find(it->records, bytes_of(it->origin->name), it->entry->source.index, &opening);
    if (!err)
        err = body_decode(a->scratch, opening.body, &body);
    if (!err && body.record.len)
        err = subject_of(a, it, opening.salt, body.record, s);
    return err == COMITY_E_NOMEM || err == COMITY_E_IO ? err : COMITY_OK;
}

static int check_officers(struct audit *a, const struct content_item *it, const struct body *body)
{
    struct officer_subject s = {.origin = bytes_of(it->origin->name), .index = it->entry->index};
    int err = COMITY_OK;
    if (!body->note_count)
        return COMITY_OK;
    if (it->entry->kind == ENTRY_SIGNATURE)
        err = find_signed(a, it, &s);
    else
        err = subject_of(a, it, it->opening.salt, body->record, &s);
    if (err == COMITY_E_NOT_FOUND)
        return tell(a, it, AUDIT_OFFICER_SIGNATURE, comity_err_token(COMITY_E_MALFORMED));
    for (size_t i = 0; !err && i < body->note_count; i++)
        err = check_note(a, it, &s, body->notes[i]);
    return err;
}

/* ---- all of it ---- */

int audit_content_check(struct audit *a, const struct content_item *it, struct body *ret_body,
                        bool *ret_ok)
{
    struct hash hash;
    struct body body = {0};
    ledger_body_hash(it->suite, bytes_of(it->origin->name), it->opening.salt, it->opening.body,
                     &hash);
    *ret_ok = it->opening.salt.len && bytes_equal(hash_bytes(&hash), it->entry->body_hash);
    audit_did(a, it->copy, CHECK_BODIES, *ret_ok);
    if (!*ret_ok)
        return tell(a, it, AUDIT_BODY_MISMATCH, NULL);
    int err = body_decode(a->scratch, it->opening.body, &body);
    if (err)
        return err == COMITY_E_NOMEM ? err : tell(a, it, AUDIT_ENTRY_FORM, "body");
    if (it->entry->kind == ENTRY_KEY)
        err = keep_key(a, it, &body);
    if ((it->entry->kind == ENTRY_RECORD || it->entry->kind == ENTRY_SIGNATURE) &&
        !it->skip_officers)
        err = check_officers(a, it, &body);
    if (!err && ret_body)
        *ret_body = body;
    return err;
}
