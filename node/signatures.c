/*
 * Signatures under a record. See signatures.h.
 */
#include "signatures.h"

#include "domain/rules.h"

#include <comity/err.h>
#include <string.h>

/* The enrolment of that licence in force at entry ${before} of the ledger numbered ${origin}. */
static int find_key(struct node *n, struct arena *a, uint64_t origin, struct bytes licence,
                    uint64_t before, struct signed_by *s, struct bytes *ret_vkey,
                    uint64_t *ret_roles)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT idx, name, vkey, roles FROM view_officer WHERE origin = ?1"
                       " AND licence = ?2 AND idx < ?3 AND (retired IS NULL OR retired > ?3)"
                       " ORDER BY idx DESC LIMIT 1",
                       DB_U64(origin), DB_TEXT(licence), DB_U64(before));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW) {
        s->has_key = true;
        s->key = db_u64(rows, 0);
        s->name = arena_copy(a, db_bytes(rows, 1));
        *ret_vkey = arena_copy(a, db_bytes(rows, 2));
        *ret_roles = db_u64(rows, 3);
        if (!s->name.data || !ret_vkey->data)
            got = COMITY_E_NOMEM;
    }
    db_done(rows);
    return got < 0 ? got : got == DB_ROW ? COMITY_OK : COMITY_E_UNKNOWN_KEY;
}

static int check_signature(const struct content_of *c, const struct record_row *row,
                           struct bytes vkey, uint64_t roles_bits, struct signed_by *s)
{
    struct note_verifier key;
    struct officer_signature sig;
    uint32_t roles[BODY_ROLES_MAX];
    size_t count = 0;
    for (uint32_t role = 1; role < 32 && count < BODY_ROLES_MAX; role++)
        if (roles_bits & (UINT64_C(1) << role))
            roles[count++] = role;
    int err = note_verifier_parse(vkey, &key);
    if (!err)
        err = signature_role_check(s->sig.role, roles, count);
    if (!err)
        err = officer_signature_open(s->note, &key, &sig);
    if (!err && (!bytes_equal(sig.origin, row->origin) || sig.record_kind != c->record.kind ||
                 !hash_equal(&sig.record_hash, &c->record_hash)))
        err = COMITY_E_SIGNATURE;
    return err;
}

static int add_note(struct node *n, struct arena *a, const struct record_row *row,
                    const struct content_of *c, struct bytes note, uint64_t entry,
                    struct signatures *all)
{
    struct signed_by s = {.note = note, .entry = entry};
    struct bytes vkey = BYTES_NONE;
    uint64_t roles = 0;
    if (all->count == SIGNATURES_MAX || officer_signature_peek(note, &s.sig))
        return COMITY_OK;
    s.time_ms = s.sig.time_ms;
    s.err = find_key(n, a, row->origin_id, s.sig.licence, entry, &s, &vkey, &roles);
    if (s.err == COMITY_E_NOMEM)
        return s.err;
    if (!s.err)
        s.err = check_signature(c, row, vkey, roles, &s);
    bool is_new = !s.err && s.sig.role == SIGNATURE_COLLECTOR;
    for (size_t i = 0; is_new && i < all->count; i++)
        is_new = all->at[i].err || all->at[i].sig.role != SIGNATURE_COLLECTOR ||
                 !licence_equal(all->at[i].sig.licence, s.sig.licence);
    all->collectors += is_new;
    all->at[all->count++] = s;
    return COMITY_OK;
}

int signatures_load(struct node *n, struct arena *a, const struct record_row *row,
                    const struct content_of *c, struct signatures *ret)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = COMITY_OK;
    memset(ret, 0, sizeof *ret);
    for (size_t i = 0; !err && i < c->body.note_count; i++)
        err = add_note(n, a, row, c, c->body.notes[i], row->index, ret);
    if (!err)
        err = db_query(store_db(n->store), &rows,
                       "SELECT entry FROM view_signature WHERE origin = ?1 AND idx = ?2"
                       " ORDER BY entry",
                       DB_U64(row->origin_id), DB_U64(row->index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct content_of s;
        uint64_t entry = db_u64(rows, 0);
        err = content_load(n, a, row->origin, entry, &s);
        for (size_t i = 0; !err && i < s.body.note_count; i++)
            err = add_note(n, a, row, c, s.body.notes[i], entry, ret);
        if (err == COMITY_E_ERASED || err == COMITY_E_WITHHELD || err == COMITY_E_NOT_FOUND)
            err = COMITY_OK;
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}
