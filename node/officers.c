/*
 * The bureau's own officers. See officers.h. Keys are read from the table once and kept, since
 * reading a public key costs as much as a row.
 */
#include "officers.h"

#include "domain/role.h"
#include "domain/rules.h"
#include "node.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

struct kept {
    struct officer officer;
    char *name;
    char licence[RECORD_LICENCE_MAX + 1];
    UT_hash_handle hh;
};

struct officers {
    struct node *n;
    struct kept *kept; /* by licence, as the note spells it */
};

struct officers *officers_new(struct node *n)
{
    struct officers *o = calloc(1, sizeof *o);
    if (o)
        o->n = n;
    return o;
}

static void kept_free(struct kept *k)
{
    if (k)
        free(k->name);
    free(k);
}

void officers_forget(struct officers *o)
{
    struct kept *k = NULL;
    struct kept *next = NULL;
    HASH_ITER(hh, o->kept, k, next)
    {
        HASH_DEL(o->kept, k);
        kept_free(k);
    }
}

void officers_free(struct officers *o)
{
    if (o)
        officers_forget(o);
    free(o);
}

static int fill(struct kept *k, struct db_rows *rows)
{
    uint64_t roles = db_u64(rows, 3);
    struct bytes name = db_bytes(rows, 1);
    struct officer *f = &k->officer;
    f->index = db_u64(rows, 0);
    k->name = strndup(name.len ? (const char *)name.data : "", name.len);
    if (!k->name)
        return COMITY_E_NOMEM;
    f->name = k->name;
    f->licence = k->licence;
    for (uint32_t role = 1; role < 32 && f->role_count < BODY_ROLES_MAX; role++)
        if (roles & (UINT64_C(1) << role))
            f->roles[f->role_count++] = role;
    return note_verifier_parse(db_bytes(rows, 2), &f->key);
}

/* The newest enrolment of the licence, in force or not. */
static int read_officer(struct officers *o, struct bytes licence, struct kept *k)
{
    struct db_rows *rows = NULL;
    int err = db_query(store_db(o->n->store), &rows,
                       "SELECT idx, name, vkey, roles, retired FROM view_officer"
                       " WHERE origin = 0 AND licence = ?1 ORDER BY idx DESC LIMIT 1",
                       DB_TEXT(licence));
    if (err)
        return err;
    int got = db_next(rows);
    if (got != DB_ROW)
        err = got < 0 ? got : COMITY_E_UNKNOWN_KEY;
    else if (!db_is_null(rows, 4))
        err = COMITY_E_RETIRED;
    else
        err = fill(k, rows);
    db_done(rows);
    return err;
}

int officers_find(struct officers *o, struct bytes licence, const struct officer **ret)
{
    struct kept *k = NULL;
    if (!licence_is_valid(licence))
        return COMITY_E_UNKNOWN_KEY;
    HASH_FIND(hh, o->kept, licence.data, licence.len, k);
    if (!k) {
        if (!(k = calloc(1, sizeof *k)))
            return COMITY_E_NOMEM;
        memcpy(k->licence, licence.data, licence.len);
        int err = read_officer(o, licence, k);
        if (err) {
            kept_free(k);
            return err;
        }
        HASH_ADD_KEYPTR(hh, o->kept, k->licence, licence.len, k);
    }
    *ret = &k->officer;
    return COMITY_OK;
}

int officers_verify(struct officers *o, const struct officer_subject *s, struct bytes note,
                    struct officer_signature *ret, const struct officer **ret_officer)
{
    struct officer_signature sig;
    const struct officer *f = NULL;
    if (officer_signature_peek(note, &sig))
        return COMITY_E_MALFORMED;
    if (!bytes_equal(sig.origin, s->origin))
        return COMITY_E_SIGNATURE;
    int err = officers_find(o, sig.licence, &f);
    if (!err)
        err = signature_role_check(sig.role, f->roles, f->role_count);
    if (!err)
        err = officer_signature_open(note, &f->key, &sig);
    if (err) /* signed by another key than the one enrolled is as good as not signed by it */
        return err == COMITY_E_UNSIGNED ? COMITY_E_SIGNATURE : err;
    if (sig.record_kind != s->record_kind || !hash_equal(&sig.record_hash, &s->record_hash))
        return COMITY_E_SIGNATURE;
    *ret = sig;
    *ret_officer = f;
    return COMITY_OK;
}
