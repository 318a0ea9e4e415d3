/*
 * Rosters, wherever they were found, and whether the authority's keys lead to them.
 *
 * They are taken in the order of their numbers: the first by the anchor, each one behind by the one
 * before. An anchor that is younger than some of them vouches for those, too, as far as each names
 * the text of the one before.
 */
#include "audit/rosters.h"
#include "audit/finding.h"
#include "audit/internal.h"

#include <stdlib.h>
#include <string.h>

static int add(struct audit *a, struct audit_copy *holder, uint64_t number, struct bytes file)
{
    struct roster_file r = {.number = number, .holder = holder, .err = COMITY_E_AUTHORITY};
    buf_put_bytes(&r.file, file);
    int err = buf_check(&r.file);
    if (!err)
        err = LIST_ADD(a->rosters, r);
    if (err)
        buf_free(&r.file);
    return err;
}

int audit_add_roster(struct audit *a, struct bytes file)
{
    return a->has_run ? COMITY_E_STATE : add(a, NULL, 0, file);
}

/* A broker keeps the file in the row, a node as a chunk. */
static int read_row(struct audit *a, struct audit_copy *c, struct db_rows *rows)
{
    struct buf file = BUF_INIT;
    if (c->is_broker)
        return add(a, c, db_u64(rows, 0), db_bytes(rows, 1));
    int err = store_get(c->store, db_u64(rows, 1), &file);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_LEDGER_DAMAGED)
        err = COMITY_OK; /* its ROSTER entry will find none */
    else if (!err)
        err = add(a, c, db_u64(rows, 0), buf_bytes(&file));
    buf_free(&file);
    return err;
}

static int read_copy(struct audit *a, struct audit_copy *c)
{
    struct db_rows *rows = NULL;
    int got = 0;
    if (!audit_has_table(c->db, "roster"))
        return COMITY_OK;
    int err = db_query(c->db, &rows, "SELECT number, file FROM roster WHERE ?1 ORDER BY number",
                       DB_U64(1));
    while (!err && (got = db_next(rows)) == DB_ROW)
        err = read_row(a, c, rows);
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* The number that a file claims, before anything of it is verified; 0 when it claims none. */
static uint64_t claimed_number(struct bytes file)
{
    struct bytes lines[7];
    uint64_t number = 0;
    struct bytes note, text, signatures;
    if (!audit_lp_next(&file, &note) || note_split(note, &text, &signatures) ||
        note_fields(text, "comity roster v1", lines, 7) || text_get_u64(lines[2], &number))
        return 0;
    return number;
}

static int compare_files(const void *p, const void *q)
{
    const struct roster_file *x = p;
    const struct roster_file *y = q;
    if (x->number != y->number)
        return x->number < y->number ? -1 : 1;
    int order = bytes_compare(buf_bytes(&x->file), buf_bytes(&y->file));
    if (order)
        return order;
    return strcmp(x->holder ? x->holder->origin->name : "",
                  y->holder ? y->holder->origin->name : "");
}

/* Sort by number, and keep each file once. */
static void sort(struct audit *a)
{
    size_t kept = 0;
    for (size_t i = 0; i < a->rosters.count; i++)
        if (!a->rosters.at[i].holder)
            a->rosters.at[i].number = claimed_number(buf_bytes(&a->rosters.at[i].file));
    if (a->rosters.count)
        qsort(a->rosters.at, a->rosters.count, sizeof *a->rosters.at, compare_files);
    for (size_t i = 0; i < a->rosters.count; i++) {
        struct roster_file *r = &a->rosters.at[i];
        if (kept && r->number == a->rosters.at[kept - 1].number &&
            bytes_equal(buf_bytes(&r->file), buf_bytes(&a->rosters.at[kept - 1].file)))
            buf_free(&r->file);
        else
            a->rosters.at[kept++] = *r;
    }
    a->rosters.count = kept;
}

static void open_forwards(struct audit *a)
{
    for (size_t i = 0; i < a->rosters.count; i++) {
        struct roster_file *r = &a->rosters.at[i];
        const struct roster *before = NULL;
        for (size_t k = 0; k < i; k++)
            if (a->rosters.at[k].roster && a->rosters.at[k].number < r->number)
                before = a->rosters.at[k].roster;
        r->err = roster_open(buf_bytes(&r->file), before ? NULL : &a->anchor, before, &r->roster);
        if (!r->err && roster_number(r->roster) != r->number) {
            roster_free(r->roster);
            r->roster = NULL;
            r->err = COMITY_E_MALFORMED;
        }
    }
}

int rosters_open_by_itself(const struct network *anchor, struct arena *arena, struct bytes note,
                           struct bytes doc, struct roster **ret)
{
    struct roster_doc d;
    struct network n = *anchor;
    struct buf file = BUF_INIT;
    buf_put_lp(&file, note);
    buf_put_lp(&file, doc);
    int err = buf_check(&file);
    if (!err)
        err = roster_doc_decode(arena, doc, &d);
    if (!err && d.authority_count > ROSTER_AUTHORITY_MAX)
        err = COMITY_E_LIMIT;
    if (!err) {
        n.threshold = d.threshold;
        n.authority_count = d.authority_count;
    }
    for (size_t i = 0; !err && i < d.authority_count; i++)
        err = note_verifier_parse(d.authority[i], &n.authority[i]);
    if (!err)
        err = roster_open(buf_bytes(&file), &n, NULL, ret);
    buf_free(&file);
    return err;
}

/* For a file whose text a proven roster vouches for. */
static int open_by_itself(struct audit *a, const struct roster_file *r, struct roster **ret)
{
    struct bytes rest = buf_bytes(&r->file);
    struct bytes note, doc;
    if (!audit_lp_next(&rest, &note) || !audit_lp_next(&rest, &doc) || rest.len)
        return COMITY_E_NOT_A_ROSTER;
    arena_reset(a->scratch);
    return rosters_open_by_itself(&a->anchor, a->scratch, note, doc, ret);
}

static bool names_as_previous(const struct roster *r, const struct roster *before)
{
    struct bytes lines[7];
    struct hash named, text;
    roster_text_hash(before, &text);
    return roster_number(r) == roster_number(before) + 1 &&
           !note_fields(roster_note_text(r), "comity roster v1", lines, 7) &&
           !text_get_base64_exact(lines[3], named.b, HASH_LEN) && hash_equal(&named, &text);
}

static void open_backwards(struct audit *a)
{
    for (size_t i = a->rosters.count; i > 1; i--) {
        const struct roster *known = a->rosters.at[i - 1].roster;
        for (size_t k = i - 1; known && k > 0; k--) {
            struct roster_file *r = &a->rosters.at[k - 1];
            struct roster *found = NULL;
            if (r->roster || r->number + 1 != roster_number(known) || open_by_itself(a, r, &found))
                continue;
            if (names_as_previous(known, found)) {
                r->roster = found;
                r->err = COMITY_OK;
            } else {
                roster_free(found);
            }
        }
    }
}

static int tell(struct audit *a)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < a->rosters.count; i++) {
        const struct roster_file *r = &a->rosters.at[i];
        struct finding *f = NULL;
        struct hash one, other;
        audit_did(a, r->holder, CHECK_ROSTERS, r->roster != NULL);
        if (!r->roster) {
            /* Where no roster at all is the authority's, the wrong network file may have been
             * given. */
            f = finding_add(a, a->newest ? AUDIT_ROSTER_UNPROVEN : AUDIT_AUTHORITY_OTHER,
                            r->holder ? r->holder->origin : NULL);
            if (f && !r->holder)
                finding_set(f, "ledger", json_string("what was given beside"));
            if (f)
                finding_set(f, "why", json_string(comity_err_token(r->err)));
        } else if (i > 0 && a->rosters.at[i - 1].roster &&
                   a->rosters.at[i - 1].number == r->number) {
            roster_text_hash(r->roster, &one);
            roster_text_hash(a->rosters.at[i - 1].roster, &other);
            if (hash_equal(&one, &other))
                continue;
            f = finding_add(a, AUDIT_ROSTER_FORK, NULL);
            if (f)
                f->proof = json_pack("{s:o,s:o}", "one",
                                     proof_note(roster_note(a->rosters.at[i - 1].roster)), "other",
                                     proof_note(roster_note(r->roster)));
        } else {
            continue;
        }
        if (f)
            finding_number(f, "number", r->number);
        err = finding_check(f);
    }
    return err;
}

const struct roster_origin *rosters_owner(const struct audit *a, struct bytes origin)
{
    const struct roster_origin *o = NULL;
    for (size_t i = a->rosters.count; !o && i > 0; i--)
        if (a->rosters.at[i - 1].roster)
            o = roster_origin_of(a->rosters.at[i - 1].roster, origin);
    return o;
}

int rosters_collect(struct audit *a)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < a->copies.count; i++)
        err = read_copy(a, a->copies.at[i]);
    if (err)
        return err;
    sort(a);
    open_forwards(a);
    open_backwards(a);
    for (size_t i = 0; i < a->rosters.count; i++)
        if (a->rosters.at[i].roster)
            a->newest = a->rosters.at[i].roster;
    for (struct origin_node *o = a->origins; o; o = o->hh.next)
        o->owner = rosters_owner(a, bytes_of(o->name));
    return tell(a);
}

const struct roster_file *rosters_find(const struct audit *a, uint64_t number)
{
    for (size_t i = 0; i < a->rosters.count; i++)
        if (a->rosters.at[i].roster && a->rosters.at[i].number == number)
            return &a->rosters.at[i];
    return NULL;
}

const struct roster *rosters_at(const struct audit *a, uint64_t number)
{
    const struct roster_file *f = rosters_find(a, number);
    return f ? f->roster : a->newest;
}

size_t rosters_count(const struct audit *a)
{
    return a->rosters.count;
}
