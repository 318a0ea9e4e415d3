/*
 * A network that lives: bureaus and a broker that write, step by step, what nodes and a broker
 * write, so that a test can leave a step out, or do it wrong. Sealing is left out: what is kept of
 * a parcel is without its sealed part anyhow.
 *
 * Paths of ledgers are l->net.party[i].dir; a test closes them (life_rest) before it audits them as
 * copies at rest.
 */
#ifndef TEST_AUDIT_LIFE_H
#define TEST_AUDIT_LIFE_H

#include "../../support/net.h"
#include "audit/audit.h"
#include "wire/notes.h"
#include "wire/officer_check.h"
#include "wire/pair.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define HUB "hub"
#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"
#define CHENGDU "510100-001"

#define OK(call) assert_int_equal((call), 0)

enum { LIFE_ENTRIES_MAX = 1024 };

struct life {
    struct net net;
    uint64_t ms;
    uint64_t pair[NET_PARTIES_MAX][NET_PARTIES_MAX]; /* last number given, from and to */
    uint64_t delivery[NET_PARTIES_MAX];              /* last delivery_seq given */
    uint64_t parcel_seq[NET_PARTIES_MAX];
    uint64_t sent[NET_PARTIES_MAX]; /* size last submitted */
    uint64_t roster[NET_PARTIES_MAX];
};

/* A parcel on its way. */
struct mail {
    struct party *from;
    struct party *to;
    struct buf head;
    struct hash hash;
    uint64_t first, count, size;
    struct hash root;
    uint64_t id; /* in parcel_out */
    uint64_t parcel_seq;
    uint64_t pair_first;
    uint64_t routed;
    uint64_t delivery_seq;
    struct buf statement;
    struct arena *arena; /* what the openings lie in */
    struct opening opening[LIFE_ENTRIES_MAX];
    uint64_t enclosed[8];
    struct opening enclosed_opening[8];
    size_t enclosed_count;
};

static inline size_t at_of(const struct life *l, const struct party *p)
{
    return (size_t)(p - l->net.party);
}

static inline const struct suite *the_suite(void)
{
    return suite_get(SUITE_1);
}

static inline struct mail *mail_new(struct party *from, struct party *to)
{
    struct mail *m = calloc(1, sizeof *m);
    assert_non_null(m);
    m->from = from;
    m->to = to;
    m->arena = arena_new((size_t)64 << 20);
    return m;
}

static inline void mail_free(struct mail *m)
{
    buf_free(&m->head);
    buf_free(&m->statement);
    arena_free(m->arena);
    free(m);
}

/* ---- entries ---- */

/* What to append: with a body it gets a salt and a hash. */
struct item {
    uint32_t kind;
    struct bytes body; /* encoded, or none */
    struct bytes salt; /* chosen if none */
    struct bytes ref;
    bool has_source;
    struct entry_source source;
};

static inline struct bytes remark_body(struct arena *a, const char *fmt, uint64_t n)
{
    char remark[64];
    struct buf out = BUF_INIT;
    snprintf(remark, sizeof remark, "%s %llu", fmt, (unsigned long long)n);
    OK(body_encode(&(struct body){.remark = bytes_of(remark)}, &out));
    struct bytes copy = arena_copy(a, buf_bytes(&out));
    buf_free(&out);
    return copy;
}

/* Append within a turn. ${ret} is filled when there is a body. */
static inline uint64_t append(struct life *l, struct party *p, const struct item *it,
                              const struct entry_to *to, size_t to_count, struct arena *a,
                              struct opening *ret)
{
    struct hash body_hash;
    struct entry e = {.time_ms = l->ms,
                      .kind = it->kind,
                      .roster = l->roster[at_of(l, p)],
                      .has_source = it->has_source,
                      .source = it->source,
                      .to = to,
                      .to_count = to_count,
                      .ref = it->ref};
    if (it->body.data) {
        uint8_t salt[SALT_LEN];
        random_bytes(salt, sizeof salt);
        *ret = (struct opening){.salt = it->salt.len ? it->salt
                                                     : arena_copy(a, BYTES(salt, sizeof salt)),
                                .body = it->body};
        ledger_body_hash(the_suite(), bytes_of(p->origin), ret->salt, ret->body, &body_hash);
        e.body_hash = hash_bytes(&body_hash);
    }
    OK(ledger_append(p->ledger, &e, NULL));
    return e.index;
}

/* One entry without recipients, in a turn of its own. */
static inline uint64_t append_alone(struct life *l, struct party *p, const struct item *it)
{
    struct arena *a = arena_new(1 << 20);
    struct opening o = {0};
    OK(ledger_begin(p->ledger));
    uint64_t index = append(l, p, it, NULL, 0, a, &o);
    if (it->body.data)
        OK(ledger_openings_put(p->ledger, bytes_of(p->origin), index,
                               &(struct openings){.opening = &o, .count = 1}));
    OK(ledger_sign(p->ledger));
    OK(ledger_commit(p->ledger));
    arena_free(a);
    return index;
}

static inline void append_note(struct life *l, struct party *p, const char *remark)
{
    struct arena *a = arena_new(1 << 16);
    append_alone(l, p, &(struct item){.kind = ENTRY_NOTE, .body = remark_body(a, remark, 0)});
    arena_free(a);
}

/* The CHECKPOINT entry that logs the newest one of ${of}. */
static inline void log_checkpoint(struct life *l, struct party *p, struct party *of)
{
    struct checkpoint c;
    struct bytes note;
    struct buf body = BUF_INIT;
    OK(ledger_checkpoint(of->ledger, &c, &note));
    OK(body_encode(&(struct body){.notes = &note, .note_count = 1}, &body));
    append_alone(l, p,
                 &(struct item){.kind = ENTRY_CHECKPOINT,
                                .body = buf_bytes(&body),
                                .has_source = true,
                                .source = {.origin = bytes_of(of->origin),
                                           .has_size = true,
                                           .size = c.size,
                                           .root = hash_bytes(&c.root)}});
    buf_free(&body);
}

/* ---- rosters ---- */

/* The net's roster comes into force at ${p}. */
static inline void take_roster(struct life *l, struct party *p)
{
    struct buf ref = BUF_INIT;
    struct buf anchor = BUF_INIT;
    struct hash text;
    uint64_t chunk = 0;
    const struct roster *r = l->net.roster;
    roster_text_hash(r, &text);
    buf_put_u64be(&ref, roster_number(r));
    buf_put_bytes(&ref, hash_bytes(&text));
    network_put(&anchor, &l->net.network);
    l->roster[at_of(l, p)] = roster_number(r);
    OK(ledger_begin(p->ledger));
    uint64_t own = append(l, p, &(struct item){.kind = ENTRY_ROSTER, .ref = buf_bytes(&ref)}, NULL,
                          0, NULL, NULL);
    if (p->role == MEMBER_BROKER) {
        OK(db_run(store_db(p->store), "INSERT INTO roster(number, file) VALUES(?1, ?2)",
                  DB_U64(roster_number(r)), DB_BLOB(roster_file(r))));
    } else {
        OK(store_put(p->store, roster_file(r), &chunk));
        OK(db_run(store_db(p->store),
                  "INSERT INTO roster(number, own, anchor, file) VALUES(?1, ?2, ?3, ?4)",
                  DB_U64(roster_number(r)), DB_U64(own), DB_BLOB(buf_bytes(&anchor)),
                  DB_U64(chunk)));
    }
    OK(ledger_sign(p->ledger));
    OK(ledger_commit(p->ledger));
    buf_free(&ref);
    buf_free(&anchor);
}

/* ---- the sender ---- */

struct posting {
    const struct item *items; /* NULL: ${count} RECORDs that hold a remark */
    size_t count;
    uint64_t pair_first;      /* 0: the next one */
    const uint64_t *enclosed; /* own entries that travel along, ascending */
    size_t enclosed_count;
};

static inline void build_head(struct life *l, struct mail *m, const struct posting *what,
                              uint64_t first)
{
    struct party *p = m->from;
    uint64_t index[LIFE_ENTRIES_MAX];
    struct parcel_enclosure enclosures[8] = {0};
    struct buf kept[8] = {0};
    for (size_t i = 0; i < what->count; i++)
        index[i] = first + i;
    for (size_t i = 0; i < what->enclosed_count; i++) {
        OK(ledger_entry(p->ledger, what->enclosed[i], &kept[i]));
        enclosures[i].entry = buf_bytes(&kept[i]);
        m->enclosed[i] = what->enclosed[i];
        OK(ledger_opening(p->ledger, bytes_of(p->origin), what->enclosed[i], m->arena,
                          &m->enclosed_opening[i]));
    }
    m->enclosed_count = what->enclosed_count;
    struct bytes recipient = bytes_of(m->to->id);
    const struct parcel_since since = {.member = bytes_of(HUB), .size = l->sent[at_of(l, p)]};
    const struct parcel_plan plan = {.index = index,
                                     .count = what->count,
                                     .recipients = &recipient,
                                     .recipient_count = 1,
                                     .since = &since,
                                     .since_count = since.size > 0,
                                     .enclosures = enclosures,
                                     .enclosure_count = what->enclosed_count,
                                     .enclosed_index = what->enclosed,
                                     .enclosed_count = what->enclosed_count};
    struct checkpoint c;
    struct bytes note;
    OK(parcel_build(p->ledger, &plan, &m->head));
    OK(ledger_checkpoint(p->ledger, &c, &note));
    parcel_hash(the_suite(), buf_bytes(&m->head), &m->hash);
    m->first = first;
    m->count = what->count;
    m->size = c.size;
    m->root = c.root;
    l->sent[at_of(l, p)] = c.size;
    for (size_t i = 0; i < what->enclosed_count; i++)
        buf_free(&kept[i]);
}

/* Within a turn that is signed: the row of parcel_out. */
static inline void queue(struct life *l, struct mail *m)
{
    struct party *p = m->from;
    uint64_t head = 0;
    m->parcel_seq = ++l->parcel_seq[at_of(l, p)];
    OK(store_put(p->store, buf_bytes(&m->head), &head));
    OK(db_run(store_db(p->store),
              "INSERT INTO parcel_out(parcel_seq, hash, first, count, size, root, head, state)"
              " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)",
              DB_U64(m->parcel_seq), DB_BLOB(hash_bytes(&m->hash)), DB_U64(m->first),
              DB_U64(m->count), DB_U64(m->size), DB_BLOB(hash_bytes(&m->root)), DB_U64(head)));
    OK(db_get_u64(store_db(p->store), 0, &m->id, "SELECT last_insert_rowid()", NULL, 0));
    OK(db_run(store_db(p->store),
              "INSERT INTO parcel_out_to(parcel, member, pair_first, span, state) VALUES(?1, ?2, "
              "?3, ?4, 0)",
              DB_U64(m->id), DB_STR(m->to->id), DB_U64(m->pair_first), DB_U64(m->count)));
}

static inline struct mail *post(struct life *l, struct party *from, struct party *to,
                                const struct posting *what)
{
    struct mail *m = mail_new(from, to);
    uint64_t *last = &l->pair[at_of(l, from)][at_of(l, to)];
    uint64_t first = 0;
    m->pair_first = what->pair_first ? what->pair_first : *last + 1;
    *last = m->pair_first + what->count - 1;
    OK(ledger_begin(from->ledger));
    for (size_t i = 0; i < what->count; i++) {
        const struct entry_to entry_to = {.member = bytes_of(to->id),
                                          .pair_seq = m->pair_first + i};
        const struct item plain = {.kind = ENTRY_RECORD,
                                   .body = remark_body(m->arena, "record", i)};
        uint64_t index = append(l, from, what->items ? &what->items[i] : &plain, &entry_to, 1,
                                m->arena, &m->opening[i]);
        first = i ? first : index;
    }
    if (m->opening[0].salt.len)
        OK(ledger_openings_put(from->ledger, bytes_of(from->origin), first,
                               &(struct openings){.opening = m->opening, .count = what->count}));
    OK(ledger_sign(from->ledger));
    build_head(l, m, what, first);
    queue(l, m);
    OK(ledger_commit(from->ledger));
    return m;
}

/* The broker's answer arrives. */
static inline void answer(struct life *l, struct mail *m)
{
    struct party *p = m->from;
    uint64_t chunk = 0;
    (void)l;
    OK(ledger_begin(p->ledger));
    OK(store_put(p->store, buf_bytes(&m->statement), &chunk));
    OK(db_run(store_db(p->store),
              "UPDATE parcel_out SET state = 1, statement = ?2, routed = ?3 WHERE id = ?1",
              DB_U64(m->id), DB_U64(chunk), DB_U64(m->routed)));
    OK(ledger_commit(p->ledger));
}

/* ---- the broker ---- */

static inline void route(struct life *l, struct mail *m)
{
    struct party *hub = net_party(&l->net, HUB);
    struct buf ref = BUF_INIT;
    struct buf head = BUF_INIT;
    m->delivery_seq = ++l->delivery[at_of(l, m->to)];
    ref_routed_put(&ref, &(struct ref_routed){.parcel = m->hash, .parcel_seq = m->parcel_seq});
    const struct entry_to to = {.member = bytes_of(m->to->id), .pair_seq = m->delivery_seq};
    const struct item it = {.kind = ENTRY_ROUTED,
                            .ref = buf_bytes(&ref),
                            .has_source = true,
                            .source = {.origin = bytes_of(m->from->origin),
                                       .has_size = true,
                                       .size = m->size,
                                       .root = hash_bytes(&m->root)}};
    OK(ledger_begin(hub->ledger));
    m->routed = append(l, hub, &it, &to, 1, NULL, NULL);
    OK(ledger_sign(hub->ledger));
    OK(ledger_commit(hub->ledger));
    OK(parcel_build(hub->ledger, &(struct parcel_plan){.index = &m->routed, .count = 1}, &head));
    buf_reset(&m->statement);
    OK(parcel_encode(&(struct parcel){.head = buf_bytes(&head)}, &m->statement));
    buf_free(&ref);
    buf_free(&head);
}

/* ---- the recipient ---- */

static inline void keep_in(struct mail *m, uint64_t own)
{
    struct party *p = m->to;
    uint64_t head = 0;
    uint64_t statement = 0;
    OK(store_put(p->store, buf_bytes(&m->head), &head));
    OK(store_put(p->store, buf_bytes(&m->statement), &statement));
    OK(db_run(store_db(p->store),
              "INSERT INTO parcel_in(own, origin, first, count, size, root, hash, head, statement, "
              "routed,"
              " delivery_seq) VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)",
              DB_U64(own), DB_STR(m->from->origin), DB_U64(m->first), DB_U64(m->count),
              DB_U64(m->size), DB_BLOB(hash_bytes(&m->root)), DB_BLOB(hash_bytes(&m->hash)),
              DB_U64(head), DB_U64(statement), DB_U64(m->routed), DB_U64(m->delivery_seq)));
}

static inline struct item received_item(const struct mail *m, uint32_t kind, struct buf *ref)
{
    ref_received_put(ref, &(struct ref_received){.parcel = m->hash, .count = (uint32_t)m->count});
    return (struct item){.kind = kind,
                         .ref = buf_bytes(ref),
                         .has_source = true,
                         .source = {.origin = bytes_of(m->from->origin),
                                    .has_index = true,
                                    .index = m->first,
                                    .has_size = true,
                                    .size = m->size,
                                    .root = hash_bytes(&m->root)}};
}

/* RECEIVED, the content kept, and the receipt on its way. */
static inline struct mail *receive(struct life *l, struct mail *m)
{
    struct party *p = m->to;
    struct mail *receipt = mail_new(p, m->from);
    struct buf ref = BUF_INIT;
    const struct item it = received_item(m, ENTRY_RECEIVED, &ref);
    receipt->pair_first = ++l->pair[at_of(l, p)][at_of(l, m->from)];
    const struct entry_to to = {.member = bytes_of(m->from->id), .pair_seq = receipt->pair_first};
    OK(ledger_begin(p->ledger));
    uint64_t own = append(l, p, &it, &to, 1, NULL, NULL);
    if (m->opening[0].salt.len)
        OK(ledger_openings_put(p->ledger, bytes_of(m->from->origin), m->first,
                               &(struct openings){.opening = m->opening, .count = m->count}));
    for (size_t i = 0; i < m->enclosed_count; i++) {
        struct hash leaf;
        OK(ledger_leaf(m->from->ledger, m->enclosed[i], &leaf));
        OK(db_run(store_db(p->store),
                  "INSERT OR IGNORE INTO enclosed(origin, idx, leaf, own, opened) VALUES(?1, ?2, "
                  "?3, ?4, 1)",
                  DB_STR(m->from->origin), DB_U64(m->enclosed[i]), DB_BLOB(hash_bytes(&leaf)),
                  DB_U64(own)));
        OK(ledger_openings_put(p->ledger, bytes_of(m->from->origin), m->enclosed[i],
                               &(struct openings){.opening = &m->enclosed_opening[i], .count = 1}));
    }
    OK(ledger_sign(p->ledger));
    keep_in(m, own);
    build_head(l, receipt, &(struct posting){.count = 1}, own);
    queue(l, receipt);
    OK(ledger_commit(p->ledger));
    buf_free(&ref);
    return receipt;
}

/* RECEIPT of what was sent as ${of}. */
static inline void take_receipt(struct life *l, struct mail *m, const struct mail *of)
{
    struct party *p = m->to;
    struct buf ref = BUF_INIT;
    const struct item it = received_item(m, ENTRY_RECEIPT, &ref);
    OK(ledger_begin(p->ledger));
    uint64_t own = append(l, p, &it, NULL, 0, NULL, NULL);
    OK(ledger_sign(p->ledger));
    keep_in(m, own);
    OK(db_run(store_db(p->store),
              "UPDATE parcel_out_to SET state = 1, receipt = ?2 WHERE parcel = ?1", DB_U64(of->id),
              DB_U64(own)));
    OK(ledger_commit(p->ledger));
    buf_free(&ref);
}

/* The whole way of a receipt back. */
static inline void return_receipt(struct life *l, struct mail *receipt, const struct mail *of)
{
    route(l, receipt);
    answer(l, receipt);
    take_receipt(l, receipt, of);
    mail_free(receipt);
}

static inline void deliver(struct life *l, struct mail *m)
{
    route(l, m);
    answer(l, m);
    return_receipt(l, receive(l, m), m);
    mail_free(m);
}

/* ${count} records from one to the other, and the receipt back. */
static inline void exchange(struct life *l, const char *from, const char *to, size_t count)
{
    deliver(l, post(l, net_party(&l->net, from), net_party(&l->net, to),
                    &(struct posting){.count = count}));
    l->ms += 1000;
}

/* ---- beginning, end ---- */

static inline struct life *life_new(void)
{
    static const char *const ids[] = {HUB, HANGZHOU, SHENZHEN, CHENGDU};
    struct life *l = calloc(1, sizeof *l);
    assert_non_null(l);
    l->ms = 1800000000000;
    net_init(&l->net, ids, 4);
    for (size_t i = 0; i < l->net.count; i++)
        take_roster(l, &l->net.party[i]);
    return l;
}

static inline int life_setup(void **state)
{
    struct life *l = life_new();
    exchange(l, HANGZHOU, SHENZHEN, 3);
    exchange(l, SHENZHEN, HANGZHOU, 2);
    exchange(l, CHENGDU, HANGZHOU, 1);
    *state = l;
    return 0;
}

static inline int life_teardown(void **state)
{
    struct life *l = *state;
    net_done(&l->net);
    free(l);
    return 0;
}

/* Close all ledgers, so that they are copies at rest. */
static inline void life_rest(struct life *l)
{
    for (size_t i = 0; i < l->net.count; i++)
        if (l->net.party[i].ledger)
            party_close(&l->net.party[i]);
}

static inline const char *path_of(struct life *l, const char *id)
{
    return net_party(&l->net, id)->dir;
}

/* A copy of a member's folder as it is now; the ledger is closed for that, and opened again. */
static inline const char *copy_of(struct life *l, const char *id, const char *name)
{
    static char path[8][400];
    static size_t next;
    struct party *p = net_party(&l->net, id);
    char *ret = path[next++ % 8];
    char command[1000];
    snprintf(ret, sizeof path[0], "%s/%s", l->net.dir, name);
    party_close(p);
    snprintf(command, sizeof command, "cp -r '%s' '%s' && rm -f '%s'/*.lock", p->dir, ret, ret);
    assert_int_equal(system(command), 0);
    party_open(p);
    return ret;
}

/* ---- tampering ---- */

/* Somebody with a SQL shell; ${drop}: the triggers are in his way. */
static inline struct db *tamper_with(const char *dir, bool is_broker, bool drop)
{
    static const char *const guards[] = {
        "DROP TRIGGER entry_run_is_never_changed",  "DROP TRIGGER entry_run_is_never_cut",
        "DROP TRIGGER tile_is_never_changed",       "DROP TRIGGER tile_is_never_cut",
        "DROP TRIGGER checkpoint_is_never_changed", "DROP TRIGGER checkpoint_is_never_cut"};
    char path[400];
    struct db *db = NULL;
    snprintf(path, sizeof path, "%s/%s.db", dir, is_broker ? "broker" : "ledger");
    OK(db_open(path, DB_WRITE, &db));
    for (size_t i = 0; drop && i < sizeof guards / sizeof guards[0]; i++)
        OK(db_run(db, guards[i], DB_NULL));
    return db;
}

static inline struct db *tamper(const char *dir, bool is_broker)
{
    return tamper_with(dir, is_broker, true);
}

static inline struct db *tamper_again(const char *dir, bool is_broker)
{
    return tamper_with(dir, is_broker, false);
}

/* The row of entry ${index}, and where the entry begins in it. */
static inline void read_row(struct db *db, uint64_t index, struct buf *data, uint64_t *first,
                            size_t *at, size_t *len)
{
    struct db_rows *rows = NULL;
    OK(db_query(db, &rows,
                "SELECT first, data FROM entry_run WHERE first <= ?1 ORDER BY first DESC LIMIT 1",
                DB_U64(index)));
    assert_int_equal(db_next(rows), DB_ROW);
    *first = db_u64(rows, 0);
    buf_put_bytes(data, db_bytes(rows, 1));
    db_done(rows);
    *at = 4;
    for (uint64_t i = *first; i < index; i++)
        *at += 4 + get_u32be(data->data + *at - 4);
    *len = get_u32be(data->data + *at - 4);
}

static inline void write_row(struct db *db, uint64_t first, struct buf *data)
{
    OK(db_run(db, "UPDATE entry_run SET data = ?2 WHERE first = ?1", DB_U64(first),
              DB_BLOB(buf_bytes(data))));
    buf_free(data);
}

/* Change one byte of entry ${index}: ${off} from its beginning, or from its end when negative. */
static inline void change_entry(struct db *db, uint64_t index, int off)
{
    struct buf data = BUF_INIT;
    uint64_t first = 0;
    size_t at = 0;
    size_t len = 0;
    read_row(db, index, &data, &first, &at, &len);
    data.data[at + (off < 0 ? len - (size_t)-off : (size_t)off)] ^= 1;
    write_row(db, first, &data);
}

/* Let entry ${index} name the entry before it as that one is now. */
static inline void relink(struct db *db, uint64_t index)
{
    enum { PREV_AT = 9 + 9 + 2 + 2 + 2 }; /* for kinds and rosters below 128 */
    struct buf data = BUF_INIT;
    struct hash leaf;
    uint64_t first = 0;
    size_t at = 0;
    size_t len = 0;
    read_row(db, index - 1, &data, &first, &at, &len);
    hash_leaf(the_suite(), BYTES(data.data + at, len), &leaf);
    buf_free(&data);
    read_row(db, index, &data, &first, &at, &len);
    memcpy(data.data + at + PREV_AT, leaf.b, HASH_LEN);
    write_row(db, first, &data);
}

/* ---- auditing ---- */

struct audited {
    struct audit *audit;
    json_t *report;
};

static inline struct audited audit_paths(const struct network *anchor, const char *const *paths,
                                         size_t n)
{
    struct audited r = {0};
    OK(audit_new(anchor, &r.audit));
    for (size_t i = 0; i < n; i++)
        OK(audit_add(r.audit, paths[i]));
    OK(audit_run(r.audit));
    OK(audit_to_json(r.audit, &r.report));
    return r;
}

static inline void audited_free(struct audited *r)
{
    json_decref(r->report);
    audit_free(r->audit);
}

/* All four ledgers of the network, but ${instead} in the place of ${id} (both may be NULL). */
static inline struct audited audit_all(struct life *l, const char *id, const char *instead)
{
    const char *paths[NET_PARTIES_MAX];
    life_rest(l);
    for (size_t i = 0; i < l->net.count; i++)
        paths[i] = id && strcmp(l->net.party[i].id, id) == 0 ? instead : l->net.party[i].dir;
    return audit_paths(&l->net.network, paths, l->net.count);
}

/* The finding of that code, or NULL. */
static inline json_t *found(const struct audited *r, const char *code)
{
    size_t i = 0;
    json_t *f = NULL;
    json_array_foreach(json_object_get(r->report, "findings"), i, f)
    {
        if (strcmp(json_string_value(json_object_get(f, "code")), code) == 0)
            return f;
    }
    return NULL;
}

static inline void show(const struct audited *r)
{
    json_dumpf(json_object_get(r->report, "findings"), stderr, JSON_INDENT(1));
    fprintf(stderr, "\n");
}

/* Exactly these codes, in any order; the last one is NULL. */
static inline void assert_codes(const struct audited *r, const char *first, ...)
{
    va_list args;
    size_t n = 0;
    va_start(args, first);
    for (const char *code = first; code; code = va_arg(args, const char *), n++) {
        if (!found(r, code)) {
            show(r);
            fail_msg("no finding %s", code);
        }
    }
    va_end(args);
    if (json_array_size(json_object_get(r->report, "findings")) != n) {
        show(r);
        fail_msg("%zu findings were expected", n);
    }
}

static inline uint64_t number_of(const json_t *finding, const char *key)
{
    const json_t *v = json_object_get(finding, key);
    if (!json_is_integer(v))
        fail_msg("no number %s", key);
    return (uint64_t)json_integer_value(v);
}

static inline const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    if (!text)
        fail_msg("no text %s", key);
    return text;
}

static inline void assert_verdict(const struct audited *r, const char *verdict, int exit)
{
    if (strcmp(text_of(r->report, "verdict"), verdict) != 0)
        show(r);
    assert_string_equal(text_of(r->report, "verdict"), verdict);
    assert_int_equal(json_integer_value(json_object_get(r->report, "exit")), exit);
}

#endif
