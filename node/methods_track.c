/*
 * track and wait: how far a record is, and the chain of custody, every link with the entry that
 * proves it.
 */
#include "methods.h"

#include "archive.h"

#include "base/text.h"
#include "render.h"

#include <stdlib.h>
#include <string.h>

/* ---- the chain ---- */

struct link {
    int64_t time_ms;
    const char *stage;
    struct bytes origin;
    uint64_t index;
    struct bytes member;
    struct bytes token;
    uint32_t decision; /* decided: which */
    size_t order;      /* links of one moment stay in the order in which they were found */
};

enum { CHAIN_MAX = 2048 };

struct chain {
    struct link *at;
    size_t count;
};

static void add_link(struct chain *c, struct link l)
{
    l.order = c->count;
    if (c->count < CHAIN_MAX)
        c->at[c->count++] = l;
}

static int compare_links(const void *a, const void *b)
{
    const struct link *x = a;
    const struct link *y = b;
    if (x->time_ms != y->time_ms)
        return x->time_ms < y->time_ms ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

struct tracked {
    struct record_row row;
    struct content_of content;
    struct signatures signatures;
    struct stage_of *stages;
    size_t stage_count;
    struct chain chain;
};

static int64_t time_of_own(struct call *k, struct node *home, uint64_t index)
{
    struct buf bytes = BUF_INIT;
    struct entry e = {0};
    if (ledger_entry(home->ledger, index, &bytes) || entry_decode(k->a, buf_bytes(&bytes), &e))
        e.time_ms = 0;
    buf_free(&bytes);
    return (int64_t)e.time_ms;
}

static void chain_record(struct call *k, struct tracked *t)
{
    uint64_t own = 0;
    struct node *home = archive_at(k->n, t->row.at, &own);
    if (record_is_ours(&t->row))
        add_link(&t->chain, (struct link){.time_ms = t->row.time_ms,
                                          .stage = "recorded",
                                          .origin = t->row.origin,
                                          .index = t->row.index});
    else
        add_link(&t->chain, (struct link){.time_ms = t->row.time_ms,
                                          .stage = "received",
                                          .origin = bytes_of(ledger_origin(home->ledger)),
                                          .index = own,
                                          .member = bytes_of(k->n->member)});
    for (size_t i = 0; i < t->signatures.count; i++)
        if (t->signatures.at[i].entry != t->row.index)
            add_link(&t->chain, (struct link){.time_ms = t->signatures.at[i].time_ms,
                                              .stage = "signed",
                                              .origin = t->row.origin,
                                              .index = t->signatures.at[i].entry});
}

static void chain_files(struct call *k, struct tracked *t, const struct stage_of *s)
{
    const struct record_evidence *e = &t->content.record.u.evidence;
    struct received_fact f;
    for (size_t i = 0; t->row.kind == RECORD_EVIDENCE && i < e->file_count; i++)
        if (file_received_find(k, s, e->files[i].blob, &f) == COMITY_OK)
            add_link(&t->chain, (struct link){.time_ms = f.time_ms,
                                              .stage = "file",
                                              .origin = f.origin,
                                              .index = f.index,
                                              .member = s->member});
}

static void chain_recipient(struct call *k, struct tracked *t, const struct stage_of *s)
{
    struct routed_fact routed;
    struct received_fact received;
    bool is_refused = s->stage == STAGE_REFUSED;
    bool by_broker = is_refused && !s->has_receipt;
    if (s->entry != t->row.index || !record_is_ours(&t->row))
        add_link(&t->chain, (struct link){.time_ms = time_of_own(k, s->entry_home, s->entry),
                                          .stage = "shared",
                                          .origin = bytes_of(ledger_origin(s->entry_home->ledger)),
                                          .index = s->entry,
                                          .member = s->member});
    if (routed_find(k, s, &routed) == COMITY_OK)
        add_link(&t->chain, (struct link){.time_ms = routed.time_ms,
                                          .stage = by_broker ? "refused" : "accepted",
                                          .origin = routed.broker,
                                          .index = routed.index,
                                          .member = s->member,
                                          .token = by_broker ? s->token : BYTES_NONE});
    if (received_find(k, s, &received) == COMITY_OK)
        add_link(&t->chain, (struct link){.time_ms = received.time_ms,
                                          .stage = is_refused ? "refused" : "received",
                                          .origin = received.origin,
                                          .index = received.index,
                                          .member = s->member,
                                          .token = is_refused ? s->token : BYTES_NONE});
    chain_files(k, t, s);
}

static int chain_recognitions(struct call *k, struct tracked *t)
{
    struct origin by;
    struct db_rows *rows = NULL;
    int got = 0;
    int err = db_query(
        store_db(k->n->store), &rows,
        "SELECT by, entry, time, decision FROM view_recognition WHERE origin = ?1 AND idx = ?2",
        DB_U64(t->row.origin_id), DB_U64(t->row.index));
    while (!err && (got = db_next(rows)) == DB_ROW) {
        struct link l = {.time_ms = (int64_t)db_u64(rows, 2),
                         .stage = stage_token(STAGE_DECIDED),
                         .index = db_u64(rows, 1),
                         .decision = (uint32_t)db_u64(rows, 3)};
        err = record_origin_name(k->n, k->a, db_u64(rows, 0), &l.origin);
        if (!err && text_get_origin(l.origin, &by) == COMITY_OK)
            l.member = by.member;
        if (!err)
            add_link(&t->chain, l);
    }
    db_done(rows);
    return err ? err : got < 0 ? got : COMITY_OK;
}

static int build_chain(struct call *k, struct tracked *t)
{
    t->chain.at = arena_alloc_raw(k->a, CHAIN_MAX * sizeof *t->chain.at);
    if (!t->chain.at)
        return COMITY_E_NOMEM;
    chain_record(k, t);
    for (size_t i = 0; i < t->stage_count; i++)
        chain_recipient(k, t, &t->stages[i]);
    int err = chain_recognitions(k, t);
    qsort(t->chain.at, t->chain.count, sizeof *t->chain.at, compare_links);
    return err;
}

static json_t *chain_json(const struct chain *c)
{
    struct value v = value_array();
    for (size_t i = 0; i < c->count; i++) {
        const struct link *l = &c->at[i];
        struct value item = value_object();
        value_set(&item, "time", value_time(l->time_ms));
        value_set(&item, "stage", json_string(l->stage));
        value_set(&item, "ref", value_ref(l->origin, l->index));
        value_set_text(&item, "member", l->member);
        value_set_text(&item, "token", l->token);
        set_decision(&item, l->decision);
        value_add(&v, item.json);
    }
    return v.json;
}

/* ---- track ---- */

static enum stage stage_of_tracked(const struct tracked *t)
{
    if (!record_is_ours(&t->row))
        return t->row.decided ? STAGE_DECIDED : STAGE_RECEIVED;
    return stages_least(t->stages, t->stage_count);
}

/* Of received evidence what we decided; of own evidence the least favourable decision known. */
static void set_what_was_decided(struct call *k, struct value *v, const struct tracked *t)
{
    struct record_row evidence;
    if (t->row.kind == RECORD_EVIDENCE)
        set_decision(v, evidence_decision(k, &t->row));
    if (t->row.kind != RECORD_RECOGNITION)
        return;
    set_decision(v, t->row.sub);
    value_set(v, "recognition", recognition_item(k, &t->row));
    if (recognition_evidence(k, &t->row, &evidence) == COMITY_OK)
        value_set_text(v, "title", evidence.title);
}

static int track_result(struct call *k, struct tracked *t)
{
    struct value v = value_object();
    json_t *arrived = arrived_json(k, &t->row);
    value_set_place(&v, t->row.origin, t->row.index, &t->row.leaf);
    value_set(&v, "kind", json_string(kind_token(t->row.kind)));
    value_set_text(&v, "title", t->row.title);
    value_set(&v, "time", value_time(t->row.time_ms));
    value_set(&v, "stage", json_string(stage_token(stage_of_tracked(t))));
    set_what_was_decided(k, &v, t);
    value_set(&v, "signatures", signatures_json(&t->row, &t->signatures));
    value_set(&v, "files", files_json(k, &t->row, &t->content));
    value_set(&v, "recipients",
              recipients_json(k, &t->row, &t->content, t->stages, t->stage_count));
    if (arrived)
        value_set(&v, "arrived", arrived);
    value_set(&v, "chain", chain_json(&t->chain));
    return value_finish(&v, &k->result);
}

int method_track(struct call *k)
{
    struct bytes ref = BYTES_NONE;
    struct tracked *t = arena_alloc(k->a, sizeof *t);
    if (!t)
        return COMITY_E_NOMEM;
    int err = CALL_ARGS(k, {"ref", ARG_TEXT, true, &ref});
    if (!err)
        err = record_find(k, "ref", ref, &t->row);
    if (!err)
        err = record_load(k, &t->row, &t->content);
    if (!err)
        err = signatures_load(k->n, k->a, &t->row, &t->content, &t->signatures);
    if (!err)
        err = stages_of_record(k->n, k->a, &t->row, &t->stages, &t->stage_count);
    if (!err)
        err = stages_decide(k->n, k->a, &t->row, t->stages, t->stage_count);
    if (!err)
        err = build_chain(k, t);
    if (!err)
        t->stage_count = stages_merge(t->stages, t->stage_count);
    return err ? err : track_result(k, t);
}
