/*
 * The projections: what they show is what the ledger says, built anew they are the same, and a turn
 * of a thousand records pays little for them.
 */
#include "office.h"

#include "base/text.h"

/* ---- the same after a rebuild ---- */

static const char *const tables[] = {
    "SELECT "
    "quote(at)||quote(r.origin)||quote(idx)||quote(kind)||quote(time)||quote(case_idx)||quote("
    "title)"
    "||quote(doc_no)||quote(sub)||quote(files)||quote(notes)||quote(sender)||quote(leaf)||quote("
    "decided)"
    "||coalesce((SELECT origin FROM view_origin o WHERE o.id = case_origin), '-')"
    " FROM view_record r ORDER BY 1",
    "SELECT quote(id)||quote(origin) FROM view_origin ORDER BY 1",
    "SELECT quote(what)||quote(n) FROM view_count ORDER BY 1",
    "SELECT quote(blob)||quote(origin)||quote(idx)||quote(number)||quote(secret) FROM view_file "
    "ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(entry)||quote(licence)||quote(role)||quote(time)"
    " FROM view_signature ORDER BY 1",
    "SELECT quote(origin)||quote(idx)||quote(by)||quote(entry)||quote(time) FROM view_share ORDER "
    "BY 1",
    "SELECT quote(origin)||quote(idx)||quote(by)||quote(entry)||quote(decision)||quote(time)"
    " FROM view_recognition ORDER BY 1",
    "SELECT "
    "quote(origin)||quote(idx)||quote(licence)||quote(name)||quote(vkey)||quote(roles)||quote(time)"
    "||quote(retired) FROM view_officer ORDER BY 1",
    "SELECT quote(id)||quote(idx) FROM view_request ORDER BY 1",
};
enum { TABLES = sizeof tables / sizeof tables[0] };

static size_t put_table(struct node *n, size_t which, struct buf *out)
{
    struct db_rows *rows = NULL;
    size_t count = 0;
    assert_int_equal(db_query_values(store_db(n->store), &rows, tables[which], NULL, 0), 0);
    while (db_next(rows) == DB_ROW) {
        buf_put_bytes(out, db_bytes(rows, 0));
        buf_put_str(out, "\n");
        count++;
    }
    db_done(rows);
    return count;
}

static void assert_rebuilt_alike(struct node *n, size_t *ret_rows)
{
    struct buf before[TABLES] = {0};
    for (size_t i = 0; i < TABLES; i++)
        ret_rows[i] = put_table(n, i, &before[i]);
    assert_int_equal(node_reindex(n), 0);
    for (size_t i = 0; i < TABLES; i++) {
        struct buf after = BUF_INIT;
        assert_int_equal(put_table(n, i, &after), ret_rows[i]);
        assert_string_equal(buf_str(&before[i]), buf_str(&after));
        buf_free(&after);
        buf_free(&before[i]);
    }
}

static const struct record_officer collectors[] = {
    {(struct bytes){(const uint8_t *)"wang", 4},
     (struct bytes){(const uint8_t *)"33010012345", 11}},
    {(struct bytes){(const uint8_t *)"li", 2}, (struct bytes){(const uint8_t *)"33010012346", 11}}};

static void await(struct desk *d)
{
    desk_ask(d, "wait", NULL, "{'ref':'%s','stage':'received','timeout_ms':20000}",
             answer_text(d, "ref"));
    assert_answered(d);
}

static int add_evidence(struct desk *wang, struct desk *li, const struct record *r,
                        const char *args)
{
    struct paper p;
    paper_write(&p, wang, r);
    paper_sign(&p, wang, SIGNATURE_COLLECTOR);
    if (li)
        paper_sign(&p, li, SIGNATURE_COLLECTOR);
    int err = paper_add(wang, &p, args);
    paper_free(&p);
    return err;
}

/* A case, evidence of it with and without recipients, a late signature, shares, officers who come
 * and go: in three ledgers. */
static void busy_day(struct offices *o)
{
    struct desk wang, li, shen, cheng;
    struct paper p;
    char ref[64];
    uint8_t leaf[HASH_LEN];
    const struct record of_case = case_record("案");
    desk_sit(&wang, o, HANGZHOU, "33010012345");
    desk_sit(&li, o, HANGZHOU, "33010012346");
    desk_sit(&shen, o, SHENZHEN, "44030099999");
    desk_sit(&cheng, o, CHENGDU, "1");
    assert_int_equal(desk_enrol(&wang, "'officer','approver'"), 0);
    assert_int_equal(desk_enrol(&li, "'officer'"), 0);
    assert_int_equal(desk_enrol(&shen, "'reviewer'"), 0);
    paper_write(&p, &wang, &of_case);
    assert_int_equal(paper_add(&wang, &p, "{\"to\":[\"" SHENZHEN "\"],\"request_id\":\"c\"}"), 0);
    paper_free(&p);
    json_t *place = json_incref(wang.answer);
    assert_int_equal(text_get_base64_exact(bytes_of(answer_text(&wang, "leaf")), leaf, HASH_LEN),
                     0);
    struct record r = evidence_record(collectors, NULL);
    r.has_case_ref = true;
    r.case_ref =
        (struct record_ref){bytes_of(answer_text(&wang, "origin")),
                            (uint64_t)answer_number(&wang, "index"), BYTES(leaf, HASH_LEN)};
    assert_int_equal(
        add_evidence(&wang, &li, &r, "{\"to\":[\"" SHENZHEN "\"],\"request_id\":\"e\"}"), 0);
    await(&wang);
    snprintf(ref, sizeof ref, "%s", answer_text(&wang, "ref"));
    assert_int_equal(add_evidence(&wang, NULL, &r, "{}"), 0);
    assert_int_equal(
        desk_ask(&wang, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, CHENGDU), 0);
    await(&wang);
    assert_int_equal(
        desk_ask(&shen, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, CHENGDU), 0);
    await(&shen);
    desk_ask(&wang, "case.show", NULL, "{'ref':'%s'}",
             json_string_value(json_object_get(place, "ref")));
    assert_answered(&wang);
    assert_int_equal(json_array_size(answer_at(&wang, "evidence")), 2);
    desk_ask(&shen, "case.show", NULL, "{'ref':'%s'}",
             json_string_value(json_object_get(place, "ref")));
    assert_answered(&shen);
    assert_int_equal(json_array_size(answer_at(&shen, "evidence")), 1);
    /* It came to Chengdu twice. */
    desk_ask(&cheng, "status", NULL, "%s", "");
    assert_int_equal(json_integer_value(answer_at(&cheng, "inbox.records")), 1);
    assert_int_equal(desk_ask(&wang, "key.retire", NULL, "{'licence':'33010012346'}"), 0);
    assert_int_equal(desk_enrol(&li, "'officer'"), 0);
    json_decref(place);
    desk_leave(&wang);
    desk_leave(&li);
    desk_leave(&shen);
    desk_leave(&cheng);
}

static void rebuilt_tables_are_those_built_live(void **state)
{
    struct offices *o = *state;
    size_t rows[TABLES];
    busy_day(o);
    offices_stop(o);
    for (size_t i = 0; i < WORLD_NODES; i++) {
        struct actor *a = &o->w->actor[i];
        assert_rebuilt_alike(a->node, rows);
        bool is_hangzhou = strcmp(a->party->id, HANGZHOU) == 0;
        assert_int_equal(rows[0], is_hangzhou ? 3 : strcmp(a->party->id, SHENZHEN) == 0 ? 2 : 1);
        assert_int_equal(rows[7], is_hangzhou ? 3 : strcmp(a->party->id, SHENZHEN) == 0 ? 3 : 2);
    }
    /* Once more, to see that the rebuilt ones are live again. */
    assert_rebuilt_alike(actor_of(o->w, SHENZHEN)->node, rows);
}

/* ---- what a turn pays ---- */

static double thread_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* 1,024 own records with a request id each: the import of an hour, a turn. */
static void turn_of_records_costs_microseconds_each(void **state)
{
    enum { TURNS = 40, RECORDS = 1024 };
    static struct buf body[RECORDS];
    struct offices *o = *state;
    struct buf record = BUF_INIT;
    struct entry e = {.kind = ENTRY_RECORD};
    double spent = 0;
    uint64_t index = 1000;
    offices_stop(o);
    struct node *n = actor_of(o->w, HANGZHOU)->node;
    const struct record r = evidence_record(collectors, NULL);
    assert_int_equal(record_encode(&r, &record), 0);
    for (size_t t = 0; t < TURNS; t++) {
        for (size_t i = 0; i < RECORDS; i++) {
            char id[32];
            snprintf(id, sizeof id, "%08x-%zu", (unsigned)(index + i) * 2654435761u, i);
            buf_reset(&body[i]);
            const struct body b = {.record = buf_bytes(&record), .request_id = bytes_of(id)};
            assert_int_equal(body_encode(&b, &body[i]), 0);
        }
        assert_int_equal(store_begin(n->store), 0);
        double began = thread_us();
        for (size_t i = 0; i < RECORDS; i++) {
            const struct view_item item = {.from = VIEW_OWN,
                                           .origin = bytes_of(ledger_origin(n->ledger)),
                                           .index = index++,
                                           .entry = &e,
                                           .body = buf_bytes(&body[i]),
                                           .time_ms = 1800000000000};
            assert_int_equal(view_apply(n, &item), 0);
        }
        assert_int_equal(view_flush(n), 0);
        view_forget(n);
        spent += thread_us() - began;
        assert_int_equal(store_commit(n->store), 0);
    }
    double each = spent / (TURNS * RECORDS);
    print_message("view_apply: %.2f us a record\n", each);
    assert_true(each <
                60); /* far above what it takes: to notice an index too many, not a busy machine */
    buf_free(&record);
    for (size_t i = 0; i < RECORDS; i++)
        buf_free(&body[i]);
}

/* ---- what comes again ---- */

static uint64_t asked(struct node *n, const char *sql)
{
    uint64_t ret = 0;
    const struct db_value none = DB_NULL;
    assert_int_equal(db_get_u64(store_db(n->store), 0, &ret, sql, &none, 1), 0);
    return ret;
}

/* Records of both kinds, in several batches, and each a second time, brought by another parcel. */
static void received_record_that_comes_again_is_shown_and_counted_once(void **state)
{
    enum { RECORDS = 50 };
    struct offices *o = *state;
    struct entry e = {.kind = ENTRY_RECORD};
    struct buf record = BUF_INIT;
    struct buf body[2] = {BUF_INIT, BUF_INIT};
    offices_stop(o);
    struct node *n = actor_of(o->w, HANGZHOU)->node;
    const struct record kinds[2] = {
        {.kind = RECORD_CASE,
         .schema = 1,
         .created = bytes_of("2026-11-24T10:00:00+08:00"),
         .u.case_content = {.title = bytes_of("a case"),
                            .filed = bytes_of("2026-11-24T10:00:00+08:00")}},
        evidence_record(collectors, NULL)};
    for (size_t i = 0; i < 2; i++) {
        buf_reset(&record);
        assert_int_equal(record_encode(&kinds[i], &record), 0);
        const struct body b = {.record = buf_bytes(&record)};
        assert_int_equal(body_encode(&b, &body[i]), 0);
    }
    uint64_t rows = asked(n, "SELECT count(*) FROM view_record WHERE origin > 0");
    uint64_t counted = asked(n, "SELECT sum(n) FROM view_count WHERE what % 2 = 0");
    assert_int_equal(store_begin(n->store), 0);
    for (uint64_t i = 0; i < 2 * RECORDS; i++) {
        const struct view_item item = {.from = VIEW_DELIVERED,
                                       .origin = bytes_of("test-net/" SHENZHEN),
                                       .index = 5000 + i % RECORDS,
                                       .entry = &e,
                                       .body = buf_bytes(&body[i % RECORDS % 20 == 19]),
                                       .received = 9000 + i,
                                       .sender = bytes_of(SHENZHEN)};
        assert_int_equal(view_apply(n, &item), 0);
    }
    assert_int_equal(view_flush(n), 0);
    view_forget(n);
    assert_int_equal(store_commit(n->store), 0);
    assert_int_equal(asked(n, "SELECT count(*) FROM view_record WHERE origin > 0"), rows + RECORDS);
    assert_int_equal(asked(n, "SELECT count(*) FROM view_record WHERE at >= 9000"), RECORDS);
    assert_int_equal(asked(n, "SELECT max(at) FROM view_record"), 9000 + RECORDS - 1);
    assert_int_equal(asked(n, "SELECT sum(n) FROM view_count WHERE what % 2 = 0"),
                     counted + RECORDS);
    buf_free(&record);
    for (size_t i = 0; i < 2; i++)
        buf_free(&body[i]);
}

/* ---- what makes no sense ---- */

static void nonsense_is_passed_over(void **state)
{
    struct offices *o = *state;
    offices_stop(o);
    struct node *n = actor_of(o->w, HANGZHOU)->node;
    static const struct bytes junk[] = {{(const uint8_t *)"\xff\xff", 2}, {NULL, 0}};
    for (uint32_t kind = 0; kind < 20; kind++)
        for (size_t i = 0; i < 2; i++) {
            struct entry e = {.kind = kind, .index = 5};
            e.has_source = true;
            e.source = (struct entry_source){
                .origin = bytes_of("no origin"), .has_index = true, .index = UINT64_MAX};
            const struct view_item item = {.from = VIEW_DELIVERED,
                                           .origin = bytes_of("test-net/" SHENZHEN),
                                           .index = 5,
                                           .entry = &e,
                                           .body = junk[i],
                                           .sender = bytes_of(SHENZHEN)};
            assert_int_equal(store_begin(n->store), 0);
            assert_int_equal(view_apply(n, &item), 0);
            assert_int_equal(view_flush(n), 0);
            assert_int_equal(store_commit(n->store), 0);
            view_forget(n);
        }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)
    const struct CMUnitTest tests[] = {
        TEST(rebuilt_tables_are_those_built_live),
        TEST(turn_of_records_costs_microseconds_each),
        TEST(received_record_that_comes_again_is_shown_and_counted_once),
        TEST(nonsense_is_passed_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
