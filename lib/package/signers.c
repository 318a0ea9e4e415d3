/*
 * Who has signed a record, and which reviewers of others have recognised it: their notes, and the
 * entries that enrolled them.
 */
#include "package/gather.h"

#include "msg/record.h"
#include "package/text.h"

#include <stdio.h>
#include <string.h>

enum { FOLDER_MAX = 160 };

/* ---- officers ---- */

/* A KEY entry is kept once, however many notes the officer has signed. */
static int save_key(struct making *m, const char *folder, const struct gathered *key)
{
    char path[FOLDER_MAX + 16];
    snprintf(path, sizeof path, "%s/entry.bin", folder);
    for (size_t i = 0; i < m->files.file.count; i++)
        if (strcmp(m->files.file.at[i].path, path) == 0)
            return COMITY_OK;
    return gather_save(m, folder, "entry.tlog-proof", key);
}

/* One note, borne by the record's own entry or by SIGNATURE entry ${by}. */
static int take_note(struct making *m, struct bytes note, const struct gathered *by)
{
    struct officer_signature sig;
    struct gathered key;
    struct officer_key officer;
    char folder[FOLDER_MAX];
    char path[FOLDER_MAX + 32];
    int err = officer_signature_peek(note, &sig);
    if (err)
        return err;
    snprintf(folder, sizeof folder, "signatures/%.*s", (int)sig.licence.len, sig.licence.data);
    err = gather_key(m, m->origin, sig.licence, by ? by->entry.index : m->index, &key, &officer);
    if (err)
        return gather_fail(m, err, "officer %.*s", (int)sig.licence.len, sig.licence.data);
    err = save_key(m, folder, &key);
    if (!err && by) {
        snprintf(path, sizeof path, "%s/signed-%s", folder, signature_role_word(sig.role));
        err = gather_save(m, path, "entry.tlog-proof", by);
    }
    if (!err) {
        snprintf(path, sizeof path, "%s.note", folder);
        err = package_add(&m->files, path, note);
    }
    if (err == COMITY_E_EXISTS) {
        snprintf(path, sizeof path, "%s.%s.note", folder, signature_role_word(sig.role));
        err = package_add(&m->files, path, note);
    }
    if (!err)
        package_add_signer(&m->signers, &sig, &officer);
    return err;
}

int package_take_signatures(struct making *m)
{
    int err = gather_scan(m);
    if (!err && !m->is_own)
        err = gather_scan_foreign(m, m->origin);
    for (size_t i = 0; !err && i < m->record.body.note_count; i++)
        err = take_note(m, m->record.body.notes[i], NULL);
    for (size_t i = 0; !err && i < m->signatures.count; i++) {
        struct gathered g;
        err = gather_any(m, m->origin, m->signatures.at[i], &g);
        for (size_t k = 0; !err && g.has_opening && k < g.body.note_count; k++)
            err = take_note(m, g.body.notes[k], &g);
    }
    return err;
}

/* ---- recognitions ---- */

/* For README.html. */
static int add_decision(struct making *m, const struct gathered *g,
                        const struct record_recognition *r)
{
    struct value v = value_object();
    value_set(&v, "name", gather_owner(m, g->origin));
    value_set(&v, "decision", json_string(record_token(TERMS_DECISION, r->decision)));
    value_set_text(&v, "basis", r->basis);
    value_set_text(&v, "limits", r->limits);
    value_set(&v, "reviewer", value_text(r->reviewer.name));
    value_set(&v, "licence", value_text(r->reviewer.licence));
    value_set(&v, "time", value_time((int64_t)g->entry.time_ms));
    value_add(&m->recognitions, v.json);
    return m->recognitions.json ? COMITY_OK : COMITY_E_NOMEM;
}

/* A RECOGNITION about the record, with its reviewer's note and key. */
static int take_recognition(struct making *m, struct bytes origin, uint64_t index, size_t number)
{
    struct gathered g, key;
    struct officer_signature sig;
    struct officer_key officer;
    struct record r;
    char folder[FOLDER_MAX];
    char path[FOLDER_MAX + 32];
    int err = gather_any(m, origin, index, &g);
    if (err || !g.has_opening || g.body.note_count == 0)
        return err == COMITY_E_NOMEM ? err : COMITY_OK;
    err = officer_signature_peek(g.body.notes[0], &sig);
    if (err)
        return COMITY_OK;
    m->keys.count = 0;
    err = bytes_is(origin, ledger_origin(m->ledger)) ? COMITY_OK : gather_scan_foreign(m, origin);
    if (!err && bytes_is(origin, ledger_origin(m->ledger))) {
        bool was_own = m->is_own;
        m->is_own = true;
        m->shares.count = 0;
        err = gather_scan(m);
        m->is_own = was_own;
    }
    if (!err)
        err = gather_key(m, origin, sig.licence, index, &key, &officer);
    if (err)
        return err == COMITY_E_UNKNOWN_KEY || err == COMITY_E_RETIRED ? COMITY_OK : err;
    snprintf(folder, sizeof folder, "recognitions/%zu", number);
    err = gather_save(m, folder, "entry.tlog-proof", &g);
    if (!err) {
        snprintf(path, sizeof path, "%s/key", folder);
        err = gather_save(m, path, "entry.tlog-proof", &key);
    }
    if (!err) {
        snprintf(path, sizeof path, "%s/reviewer.note", folder);
        err = package_add(&m->files, path, g.body.notes[0]);
    }
    if (!err && record_decode(m->arena, g.body.record, &r) == COMITY_OK &&
        r.kind == RECORD_RECOGNITION)
        err = add_decision(m, &g, &r.u.recognition);
    return err;
}

/* The lists that a node keeps know where they are; a ledger without such lists shows none. */
int package_take_recognitions(struct making *m)
{
    struct db_rows *rows = NULL;
    size_t number = 0;
    int got = 0;
    if (!audit_has_table(m->db, "view_recognition"))
        return COMITY_OK;
    int err = db_query(m->db, &rows,
                       "SELECT o.origin, r.by, r.entry FROM view_recognition r"
                       " LEFT JOIN view_origin o ON o.id = r.by"
                       " LEFT JOIN view_origin e ON e.id = r.origin"
                       " WHERE r.idx = ?2 AND (e.origin = ?1 OR (r.origin = 0 AND ?3 = 1))"
                       " ORDER BY r.by, r.entry",
                       DB_TEXT(m->origin), DB_U64(m->index), DB_U64(m->is_own));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct bytes by = db_u64(rows, 1) ? arena_copy(m->arena, db_bytes(rows, 0))
                                          : bytes_of(ledger_origin(m->ledger));
        err = by.data ? take_recognition(m, by, db_u64(rows, 2), ++number) : COMITY_E_NOMEM;
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}
