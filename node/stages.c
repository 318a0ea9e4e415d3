/*
 * How far own entries are. See stages.h.
 */
#include "stages.h"

#include "archive.h"

#include "base/text.h"
#include "outbox.h"

#include <comity/err.h>
#include <string.h>

enum { CARRIERS_MAX = 1024, RECIPIENTS_MAX = 64 * 64 };

static const char *const tokens[] = {[STAGE_RECORDED] = "recorded",
                                     [STAGE_ACCEPTED] = "accepted",
                                     [STAGE_RECEIVED] = "received",
                                     [STAGE_DECIDED] = "decided",
                                     [STAGE_REFUSED] = "refused"};

const char *stage_token(enum stage s)
{
    return tokens[s];
}

int stage_get(struct bytes token, enum stage *ret)
{
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++)
        if (bytes_is(token, tokens[i])) {
            *ret = (enum stage)i;
            return COMITY_OK;
        }
    return COMITY_E_INVALID;
}

static enum stage stage_from(uint64_t parcel_state, uint64_t reader_state)
{
    if (reader_state == READER_RECEIVED)
        return STAGE_RECEIVED;
    if (reader_state == READER_REFUSED || parcel_state == PARCEL_REFUSED)
        return STAGE_REFUSED;
    return parcel_state == PARCEL_ACCEPTED ? STAGE_ACCEPTED : STAGE_RECORDED;
}

/* What they said to this ledger of a parcel of one before it. */
static int add_late_receipt(struct node *n, struct arena *a, struct stage_of *s)
{
    struct db_rows *rows = NULL;
    if (s->has_receipt)
        return COMITY_OK;
    int err =
        db_query(store_db(n->store), &rows,
                 "SELECT state, receipt, token FROM late_receipt WHERE name = ?1 AND member = ?2",
                 DB_BLOB(hash_bytes(&s->hash)), DB_TEXT(s->member));
    int got = err ? err : db_next(rows);
    if (got == DB_ROW) {
        s->stage = stage_from(PARCEL_ACCEPTED, db_u64(rows, 0));
        s->has_receipt = true;
        s->receipt = db_u64(rows, 1);
        s->receipt_home = n;
        s->token = arena_copy(a, db_bytes(rows, 2));
        if (!s->token.data)
            got = COMITY_E_NOMEM;
    }
    db_done(rows);
    return got < 0 ? got : COMITY_OK;
}

/* Append the stages of entry ${index} of the ledger of ${home} to ${all}, which has room for
 * RECIPIENTS_MAX. */
static int add_entry(struct node *home, struct arena *a, uint64_t index, struct stage_of *all,
                     size_t *count)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(
        store_db(home->store), &rows,
        "SELECT t.member, p.state, t.state, coalesce(t.token, p.token), p.id, p.hash, p.routed,"
        " p.statement, t.receipt FROM parcel_out p JOIN parcel_out_to t ON t.parcel = p.id"
        " WHERE p.first <= ?1 AND p.first > ?1 - ?2 AND p.first + p.count > ?1 ORDER BY t.member",
        DB_U64(index), DB_U64(PARCEL_ENTRIES_MAX));
    while (!err && (got = db_next(rows)) == DB_ROW && *count < RECIPIENTS_MAX) {
        struct stage_of *s = &all[(*count)++];
        struct bytes hash = db_bytes(rows, 5);
        *s = (struct stage_of){.member = arena_copy(a, db_bytes(rows, 0)),
                               .stage = stage_from(db_u64(rows, 1), db_u64(rows, 2)),
                               .token = arena_copy(a, db_bytes(rows, 3)),
                               .entry = index,
                               .parcel = db_u64(rows, 4),
                               .is_answered = !db_is_null(rows, 7),
                               .routed = db_u64(rows, 6),
                               .statement = db_u64(rows, 7),
                               .has_receipt = !db_is_null(rows, 8),
                               .receipt = db_u64(rows, 8),
                               .entry_home = home,
                               .home = home,
                               .receipt_home = home};
        if (hash.len == HASH_LEN)
            memcpy(s->hash.b, hash.data, HASH_LEN);
        if (!s->member.data || !s->token.data)
            err = COMITY_E_NOMEM;
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* The recipients of entry ${index} in a parcel that the broker gave back: it was accepted. */
static int add_recipients_back(struct arena *a, const struct stage_of *like, struct bytes head,
                               struct stage_of *all, size_t *count)
{
    struct parcel_head h;
    int err = parcel_head_decode(a, head, &h);
    for (size_t i = 0; !err && i < h.recipient_count && *count < RECIPIENTS_MAX; i++) {
        struct stage_of *s = &all[(*count)++];
        *s = *like;
        s->member = h.recipients[i];
    }
    return err;
}

static int add_back(struct node *kept, struct node *home, struct arena *a, uint64_t index,
                    struct stage_of *all, size_t *count)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err =
        db_query(store_db(kept->store), &rows,
                 "SELECT id, hash, head, routed, statement FROM parcel_back WHERE origin = ?1"
                 " AND first <= ?2 AND first > ?2 - ?3 AND first + count > ?2",
                 DB_STR(ledger_origin(home->ledger)), DB_U64(index), DB_U64(PARCEL_ENTRIES_MAX));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct stage_of like = {.stage = STAGE_ACCEPTED,
                                .entry = index,
                                .parcel = db_u64(rows, 0),
                                .is_answered = true,
                                .routed = db_u64(rows, 3),
                                .statement = db_u64(rows, 4),
                                .entry_home = home,
                                .home = kept,
                                .receipt_home = kept};
        struct buf head = BUF_INIT;
        if (db_bytes(rows, 1).len == HASH_LEN)
            memcpy(like.hash.b, db_bytes(rows, 1).data, HASH_LEN);
        err = store_get(kept->store, db_u64(rows, 2), &head);
        struct bytes bytes = err ? BYTES_NONE : arena_copy(a, buf_bytes(&head));
        buf_free(&head);
        if (!err)
            err = bytes.data ? add_recipients_back(a, &like, bytes, all, count) : COMITY_E_NOMEM;
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* All that is known of an entry of this ledger, or of one before it. */
static int add_stages(struct node *n, struct node *home, struct arena *a, uint64_t index,
                      struct stage_of *all, size_t *count)
{
    size_t first = *count;
    int err = add_entry(home, a, index, all, count);
    if (err || home == n)
        return err;
    struct node *kept = NULL;
    for (size_t i = 0; !err && (kept = archive_home_at(n, i)); i++)
        err = add_back(kept, home, a, index, all, count);
    for (size_t i = 0; !err && (kept = archive_home_at(n, i)); i++)
        for (size_t k = first; !err && k < *count; k++)
            err = add_late_receipt(kept, a, &all[k]);
    return err;
}

/* An entry of one of our ledgers. */
struct carrier {
    struct node *home;
    uint64_t index;
};

static int collect(struct node *n, struct arena *a, const struct carrier *entries, size_t n_entries,
                   struct stage_of **ret, size_t *ret_count)
{
    size_t room = n_entries && n->archive_count ? RECIPIENTS_MAX : n_entries * ENTRY_TO_MAX;
    room = room < RECIPIENTS_MAX ? room : RECIPIENTS_MAX;
    struct stage_of *all = arena_alloc_raw(a, room * sizeof *all);
    size_t count = 0;
    int err = all ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < n_entries && count + ENTRY_TO_MAX <= room; i++)
        err = add_stages(n, entries[i].home, a, entries[i].index, all, &count);
    if (err)
        return err;
    *ret = all;
    *ret_count = count;
    return COMITY_OK;
}

int stages_of_entry(struct node *n, struct arena *a, uint64_t index, struct stage_of **ret,
                    size_t *ret_count)
{
    return collect(n, a, &(struct carrier){.home = n, .index = index}, 1, ret, ret_count);
}

/* SHARE entries of ${home} about the record. */
static int add_shares(struct node *n, struct node *home, const struct record_row *r,
                      struct carrier *at, size_t *count)
{
    struct db_rows *rows = NULL;
    uint64_t by = 0;
    int got = 0;
    int err = record_origin_id(n, bytes_of(ledger_origin(home->ledger)), &by);
    if (err)
        return err == COMITY_E_NOT_FOUND ? COMITY_OK : err;
    err = db_query(store_db(n->store), &rows,
                   "SELECT entry FROM view_share WHERE origin = ?1 AND idx = ?2 AND by = ?3"
                   " ORDER BY entry",
                   DB_U64(r->origin_id), DB_U64(r->index), DB_U64(by));
    while (!err && *count < CARRIERS_MAX && (got = db_next(rows)) == DB_ROW)
        at[(*count)++] = (struct carrier){.home = home, .index = db_u64(rows, 0)};
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

/* The own entries by which a record goes to others. Views into ${a}. */
static int carriers(struct node *n, struct arena *a, const struct record_row *r,
                    struct carrier **ret, size_t *ret_count)
{
    struct carrier *at = arena_alloc_raw(a, CARRIERS_MAX * sizeof *at);
    struct node *home = record_is_ours(r) ? archive_home(n, r->origin) : NULL;
    size_t count = 0;
    int err = at ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && home)
        at[count++] = (struct carrier){.home = home, .index = r->index};
    for (size_t i = 0; !err && (home = archive_home_at(n, i)); i++)
        err = add_shares(n, home, r, at, &count);
    if (err)
        return err;
    *ret = at;
    *ret_count = count;
    return COMITY_OK;
}

int stages_of_record(struct node *n, struct arena *a, const struct record_row *r,
                     struct stage_of **ret, size_t *ret_count)
{
    struct carrier *entries = NULL;
    size_t count = 0;
    int err = carriers(n, a, r, &entries, &count);
    return err ? err : collect(n, a, entries, count, ret, ret_count);
}

int stages_decide(struct node *n, struct arena *a, const struct record_row *r,
                  struct stage_of *stages, size_t count)
{
    struct db_rows *rows = NULL;
    struct origin by;
    int got = 0;
    (void)a;
    if (r->kind != RECORD_EVIDENCE)
        return COMITY_OK;
    int err = db_query(store_db(n->store), &rows,
                       "SELECT o.origin, v.decision FROM view_recognition v"
                       " JOIN view_origin o ON o.id = v.by"
                       " WHERE v.origin = ?1 AND v.idx = ?2 AND v.by > 0 ORDER BY v.time, v.entry",
                       DB_U64(r->origin_id), DB_U64(r->index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        if (text_get_origin(db_bytes(rows, 0), &by))
            continue;
        for (size_t i = 0; i < count; i++)
            if (stages[i].stage != STAGE_REFUSED && bytes_equal(stages[i].member, by.member)) {
                stages[i].stage = STAGE_DECIDED;
                stages[i].decision = (uint32_t)db_u64(rows, 1);
            }
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int rank(enum stage s)
{
    return s == STAGE_REFUSED ? -1 : (int)s;
}

size_t stages_merge(struct stage_of *stages, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        size_t at = 0;
        while (at < kept && !bytes_equal(stages[at].member, stages[i].member))
            at++;
        if (at == kept)
            stages[kept++] = stages[i];
        else if (rank(stages[i].stage) > rank(stages[at].stage))
            stages[at] = stages[i];
    }
    return kept;
}

enum stage stages_least(const struct stage_of *stages, size_t count)
{
    enum stage least = count ? STAGE_REFUSED : STAGE_RECORDED;
    for (size_t i = 0; i < count; i++)
        if (stages[i].stage < least)
            least = stages[i].stage;
    return least;
}
