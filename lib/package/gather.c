/*
 * Entries with what proves them: own ones from the ledger, those of others from the parcels that
 * brought them. See gather.h.
 */
#include "package/gather.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int gather_fail(struct making *m, int err, const char *fmt, ...)
{
    char text[256];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    if (m->detail && m->detail->len == 0)
        buf_put_str(m->detail, text);
    return err;
}

/* ---- own entries ---- */

static int put_proof(struct making *m, const struct hash_list *path, struct bytes note,
                     struct gathered *g)
{
    struct buf text = BUF_INIT;
    tlog_proof_put(&text, g->entry.index, path->at, path->count, note);
    int err = buf_check(&text);
    if (!err)
        g->proof = arena_copy(m->arena, buf_bytes(&text));
    buf_free(&text);
    return err ? err : g->proof.data ? COMITY_OK : COMITY_E_NOMEM;
}

/* Salt and body, when they are here, are those that the entry commits to. */
static int find_opening(struct making *m, struct gathered *g)
{
    struct hash hash;
    if (!g->entry.body_hash.len)
        return COMITY_OK;
    int err = ledger_opening(m->ledger, g->origin, g->entry.index, m->arena, &g->opening);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_WITHHELD || err == COMITY_E_ERASED)
        return COMITY_OK;
    if (err)
        return err;
    ledger_body_hash(g->suite, g->origin, g->opening.salt, g->opening.body, &hash);
    if (!bytes_equal(hash_bytes(&hash), g->entry.body_hash))
        return COMITY_E_BODY;
    g->has_opening = true;
    return body_decode(m->arena, g->opening.body, &g->body);
}

/* For an entry that the closing of the ledger covers, the closing checkpoint, if it was kept. */
static int own_checkpoint(struct making *m, uint64_t index, uint64_t size, struct checkpoint *ret,
                          struct buf *note)
{
    struct bytes newest;
    if (!size && m->closed && index < m->closed->closed_size) {
        int err = ledger_checkpoint_from(m->ledger, m->closed->closed_size, ret, note);
        if (!err && ret->size == m->closed->closed_size)
            return COMITY_OK;
        if (err && err != COMITY_E_UNCOVERED)
            return err;
        buf_reset(note);
    }
    if (size) {
        int err = ledger_checkpoint_from(m->ledger, size, ret, note);
        return err || ret->size == size ? err : COMITY_E_UNCOVERED;
    }
    int err = ledger_checkpoint(m->ledger, ret, &newest);
    if (!err)
        buf_put_bytes(note, newest);
    return err ? err : buf_check(note);
}

/* That what was closed holds all that an earlier checkpoint did. */
static int put_closing(struct making *m, const struct tree_source *tree, struct gathered *g)
{
    struct hash_list steps = {0};
    struct buf text = BUF_INIT;
    if (!m->closed || g->checkpoint.size >= m->closed->closed_size)
        return COMITY_OK;
    int err = proof_consistency(tree, g->checkpoint.size, m->closed->closed_size, &steps);
    for (size_t i = 0; !err && i < steps.count; i++) {
        text_put_base64(&text, hash_bytes(&steps.at[i]));
        buf_put_u8(&text, '\n');
    }
    if (!err)
        err = buf_check(&text);
    if (!err && !(g->closing = arena_copy(m->arena, buf_bytes(&text))).data)
        err = COMITY_E_NOMEM;
    hash_list_free(&steps);
    buf_free(&text);
    return err;
}

int gather_own(struct making *m, uint64_t index, uint64_t size, struct gathered *ret)
{
    struct gathered g = {.origin = bytes_of(ledger_origin(m->ledger)),
                         .suite = ledger_suite(m->ledger)};
    struct tree_source tree = ledger_tree(m->ledger);
    struct hash_list path = {0};
    struct buf entry = BUF_INIT;
    struct buf note = BUF_INIT;
    int err = ledger_entry(m->ledger, index, &entry);
    if (!err && !(g.bytes = arena_copy(m->arena, buf_bytes(&entry))).data)
        err = COMITY_E_NOMEM;
    if (!err)
        err = entry_decode(m->arena, g.bytes, &g.entry);
    if (!err)
        err = own_checkpoint(m, index, size, &g.checkpoint, &note);
    if (!err)
        err = proof_inclusion(&tree, index, g.checkpoint.size, &path);
    if (!err)
        err = put_proof(m, &path, buf_bytes(&note), &g);
    if (!err)
        err = put_closing(m, &tree, &g);
    if (!err) {
        hash_leaf(g.suite, g.bytes, &g.leaf);
        err = find_opening(m, &g);
    }
    hash_list_free(&path);
    buf_free(&entry);
    buf_free(&note);
    if (!err)
        *ret = g;
    return err;
}

/* ---- parcels ---- */

static int get_chunk(struct making *m, uint64_t chunk, struct bytes *ret)
{
    struct buf bytes = BUF_INIT;
    int err = store_get(m->store, chunk, &bytes);
    if (!err && !(*ret = arena_copy(m->arena, buf_bytes(&bytes))).data)
        err = COMITY_E_NOMEM;
    buf_free(&bytes);
    return err;
}

static int verify(struct making *m, struct bytes parcel, enum parcel_place place, uint64_t roster,
                  struct parcel_facts **ret)
{
    const struct parcel_rules rules = {.roster = rosters_at(m->audit, roster), .place = place};
    return parcel_verify(m->arena, parcel, &rules, ret);
}

int gather_statement(struct making *m, uint64_t chunk, struct parcel_facts **ret)
{
    struct bytes statement = BYTES_NONE;
    int err = get_chunk(m, chunk, &statement);
    return err ? err : verify(m, statement, PARCEL_STATEMENT, 0, ret);
}

int gather_parcel(struct making *m, uint64_t own, struct parcel_facts **ret)
{
    const struct db_value v[] = {DB_U64(own)};
    struct bytes head = BYTES_NONE;
    struct buf parcel = BUF_INIT;
    struct buf entry = BUF_INIT;
    struct entry e;
    uint64_t chunk = 0;
    int err = db_get_u64(m->db, 0, &chunk, "SELECT head FROM parcel_in WHERE own = ?1", v, 1);
    if (!err)
        err = chunk ? get_chunk(m, chunk, &head) : COMITY_E_NOT_FOUND;
    if (!err)
        err = ledger_entry(m->ledger, own, &entry);
    if (!err)
        err = entry_decode(m->arena, buf_bytes(&entry), &e);
    if (!err)
        err = parcel_encode(&(struct parcel){.head = head}, &parcel);
    if (!err) {
        uint64_t roster = e.roster;
        struct bytes kept = arena_copy(m->arena, buf_bytes(&parcel));
        err = kept.data ? verify(m, kept, PARCEL_FILED, roster, ret) : COMITY_E_NOMEM;
    }
    buf_free(&parcel);
    buf_free(&entry);
    return err;
}

static int from_facts(struct making *m, const struct parcel_facts *f, struct bytes bytes,
                      const struct entry *e, struct gathered *g)
{
    size_t at = 0;
    struct hash_list path = {0};
    *g = (struct gathered){.origin = f->head.origin,
                           .suite = f->from->suite,
                           .bytes = bytes,
                           .entry = *e,
                           .checkpoint = f->checkpoint};
    while (at < f->shape.index_count && f->shape.index[at] != e->index)
        at++;
    int err = multiproof_narrow(f->from->suite, &f->shape, f->shape_leaf, f->proof, f->proof_count,
                                at, &path);
    if (!err)
        err = put_proof(m, &path, f->head.checkpoint, g);
    hash_list_free(&path);
    hash_leaf(g->suite, bytes, &g->leaf);
    return err ? err : find_opening(m, g);
}

int gather_facts(struct making *m, const struct parcel_facts *f, size_t which, struct gathered *ret)
{
    return from_facts(m, f, f->head.entries[which], &f->entries[which], ret);
}

/* A foreign enclosure has a proof of its own, in multiproof order. */
static int from_enclosure(struct making *m, const struct parcel_facts *f, size_t which,
                          struct gathered *g)
{
    const struct parcel_enclosed *e = &f->enclosures[which];
    const struct parcel_enclosure *raw = &f->head.enclosures[which];
    const struct multiproof_shape shape = {
        .index = &e->entry.index, .index_count = 1, .size = e->checkpoint.size};
    struct hash_list path = {0};
    if (e->is_own)
        return from_facts(m, f, e->bytes, &e->entry, g);
    struct hash *proof = arena_alloc_raw(m->arena, raw->proof_count * sizeof *proof);
    if (!proof)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < raw->proof_count; i++)
        memcpy(proof[i].b, raw->proof[i].data, HASH_LEN);
    *g = (struct gathered){.origin = e->from->ledger->origin,
                           .suite = e->from->suite,
                           .bytes = e->bytes,
                           .entry = e->entry,
                           .leaf = e->leaf,
                           .checkpoint = e->checkpoint};
    int err = multiproof_narrow(g->suite, &shape, &e->leaf, proof, raw->proof_count, 0, &path);
    if (!err)
        err = put_proof(m, &path, e->note, g);
    hash_list_free(&path);
    return err ? err : find_opening(m, g);
}

static int find_in_parcel(struct making *m, uint64_t own, struct bytes origin, uint64_t index,
                          struct gathered *ret)
{
    struct parcel_facts *f = NULL;
    int err = gather_parcel(m, own, &f);
    if (err)
        return err;
    for (size_t i = 0; i < f->count; i++)
        if (f->entries[i].index == index && bytes_equal(f->head.origin, origin))
            return gather_facts(m, f, i, ret);
    for (size_t i = 0; i < f->enclosure_count; i++)
        if (f->enclosures[i].entry.index == index &&
            bytes_equal(f->enclosures[i].from->ledger->origin, origin))
            return from_enclosure(m, f, i, ret);
    return COMITY_E_NOT_FOUND;
}

int gather_foreign(struct making *m, struct bytes origin, uint64_t index, struct gathered *ret,
                   uint64_t *ret_own)
{
    const struct db_value v[] = {DB_TEXT(origin), DB_U64(index)};
    uint64_t own = UINT64_MAX;
    if (!m->is_node)
        return COMITY_E_NOT_FOUND;
    int err = db_get_u64(
        m->db, UINT64_MAX, &own,
        "SELECT own FROM parcel_in WHERE origin = ?1 AND first <= ?2 AND first + count > ?2"
        " AND token IS NULL ORDER BY own LIMIT 1",
        v, 2);
    if (!err && own == UINT64_MAX)
        err = db_get_u64(m->db, UINT64_MAX, &own,
                         "SELECT own FROM enclosed WHERE origin = ?1 AND idx = ?2", v, 2);
    if (!err && own == UINT64_MAX)
        err = COMITY_E_NOT_FOUND;
    if (!err)
        err = find_in_parcel(m, own, origin, index, ret);
    if (!err && ret_own)
        *ret_own = own;
    return err;
}

int gather_any(struct making *m, struct bytes origin, uint64_t index, struct gathered *ret)
{
    return bytes_is(origin, ledger_origin(m->ledger)) ? gather_own(m, index, 0, ret)
                                                      : gather_foreign(m, origin, index, ret, NULL);
}

/* ---- looking for what belongs to the record ---- */

static int scan_one(void *self, uint64_t index, struct bytes bytes)
{
    struct making *m = self;
    struct entry e;
    uint64_t time = 0;
    uint8_t kind = 0;
    struct bytes prev;
    if (!entry_peek(bytes, &time, &kind, &prev))
        return COMITY_E_LEDGER_DAMAGED;
    if (kind == ENTRY_KEY && m->is_own)
        return LIST_ADD(m->keys, index);
    if (kind != ENTRY_SIGNATURE && kind != ENTRY_SHARE)
        return COMITY_OK;
    arena_reset(m->scratch);
    int err = entry_decode(m->scratch, bytes, &e);
    if (err || !e.has_source || !e.source.has_index || e.source.index != m->index ||
        !bytes_equal(e.source.origin, m->origin))
        return err;
    if (kind == ENTRY_SHARE)
        return LIST_ADD(m->shares, index);
    return m->is_own ? LIST_ADD(m->signatures, index) : COMITY_OK;
}

int gather_scan(struct making *m)
{
    return ledger_each(m->ledger, 0, ledger_size(m->ledger), scan_one, m);
}

/* One that came along with a parcel. */
static int look_at(struct making *m, struct bytes origin, uint64_t index)
{
    struct gathered g;
    for (size_t i = 0; i < m->signatures.count; i++)
        if (m->signatures.at[i] == index)
            return COMITY_OK;
    int err = gather_foreign(m, origin, index, &g, NULL);
    if (err)
        return err == COMITY_E_NOMEM ? err : COMITY_OK;
    const struct entry_source *s = &g.entry.source;
    if (g.entry.kind == ENTRY_KEY)
        return LIST_ADD(m->keys, index);
    if (g.entry.kind == ENTRY_SIGNATURE && g.entry.has_source && s->index == m->index &&
        bytes_equal(s->origin, m->origin))
        return LIST_ADD(m->signatures, index);
    return COMITY_OK;
}

/* Entries of the parcels themselves: SIGNATUREs that were sent behind the record. */
static int scan_parcels(struct making *m, struct bytes origin)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(
        m->db, &rows,
        "SELECT head, first FROM parcel_in WHERE origin = ?1 AND token IS NULL AND first >= ?2",
        DB_TEXT(origin), DB_U64(m->index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct buf bytes = BUF_INIT;
        struct parcel_head h;
        arena_reset(m->scratch);
        err = store_get(m->store, db_u64(rows, 0), &bytes);
        if (!err)
            err = parcel_head_decode(m->scratch, buf_bytes(&bytes), &h);
        for (size_t i = 0; !err && i < h.entry_count; i++) {
            uint64_t time = 0;
            uint8_t kind = 0;
            struct bytes prev;
            if (entry_peek(h.entries[i], &time, &kind, &prev) && kind == ENTRY_SIGNATURE)
                err = look_at(m, origin, db_u64(rows, 1) + i);
        }
        buf_free(&bytes);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

int gather_scan_foreign(struct making *m, struct bytes origin)
{
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(m->db, &rows, "SELECT idx FROM enclosed WHERE origin = ?1 ORDER BY idx",
                       DB_TEXT(origin));
    while (!err && (got = db_next(rows)) == DB_ROW)
        err = look_at(m, origin, db_u64(rows, 0));
    db_done(rows);
    if (!err && got < 0)
        err = got;
    return err ? err : scan_parcels(m, origin);
}

int gather_key(struct making *m, struct bytes origin, struct bytes licence, uint64_t before,
               struct gathered *ret, struct officer_key *ret_key)
{
    for (size_t i = m->keys.count; i > 0; i--) {
        struct gathered g;
        struct officer_key key;
        if (m->keys.at[i - 1] >= before)
            continue;
        int err = gather_any(m, origin, m->keys.at[i - 1], &g);
        if (err)
            return err;
        if (!g.has_opening || officer_key_read(origin, g.entry.index, &g.body, &key) ||
            !bytes_equal(key.enrolment.licence, licence))
            continue;
        if (key.is_retired)
            return COMITY_E_RETIRED;
        *ret = g;
        *ret_key = key;
        return COMITY_OK;
    }
    return COMITY_E_UNKNOWN_KEY;
}

json_t *gather_owner(const struct making *m, struct bytes origin)
{
    const struct roster_origin *o = roster_origin_of(rosters_at(m->audit, 0), origin);
    return value_text(o ? o->member->name : origin);
}

/* ---- keeping ---- */

static int save_one(struct making *m, const char *folder, const char *name, struct bytes content)
{
    char path[2 * PACKAGE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return package_add(&m->files, path, content);
}

int gather_save(struct making *m, const char *folder, const char *proof, const struct gathered *g)
{
    int err = save_one(m, folder, "entry.bin", g->bytes);
    if (!err)
        err = save_one(m, folder, proof, g->proof);
    if (!err && g->closing.len)
        err = save_one(m, folder, "closing.proof", g->closing);
    if (err || !g->has_opening)
        return err;
    err = save_one(m, folder, "salt.bin", g->opening.salt);
    return err ? err : save_one(m, folder, "body.bin", g->opening.body);
}
