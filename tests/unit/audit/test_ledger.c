/*
 * One ledger by itself: that an honest one passes, and that whatever is changed in it is found, at
 * its place and by its name.
 */
#include "life.h"

static struct audited audit_one(struct life *l, const char *id)
{
    const char *path = path_of(l, id);
    life_rest(l);
    return audit_paths(&l->net.network, &path, 1);
}

static void audit_honest_ledger_is_consistent(void **state)
{
    struct audited r = audit_one(*state, HANGZHOU);
    assert_codes(&r, NULL);
    assert_verdict(&r, "consistent", 0);
    audited_free(&r);
}

static void audit_live_ledger_is_read_beside_its_writer(void **state)
{
    struct life *l = *state;
    const char *path = path_of(l, HANGZHOU);
    struct audited r = audit_paths(&l->net.network, &path, 1);
    assert_verdict(&r, "consistent", 0);
    assert_true(json_is_true(
        json_object_get(json_array_get(json_object_get(r.report, "ledgers"), 0), "live")));
    append_note(l, net_party(&l->net, HANGZHOU), "still here");
    audited_free(&r);
}

static void audit_exported_file_gives_the_same_findings_as_the_folder(void **state)
{
    struct life *l = *state;
    char path[400];
    const char *paths[] = {path};
    snprintf(path, sizeof path, "%s/export", l->net.dir);
    OK(store_export(net_party(&l->net, HANGZHOU)->store, path));
    struct audited r = audit_paths(&l->net.network, paths, 1);
    assert_codes(&r, NULL);
    audited_free(&r);
}

static void audit_add_refuses_what_is_no_ledger(void **state)
{
    struct life *l = *state;
    struct audit *a = NULL;
    char path[400];
    OK(audit_new(&l->net.network, &a));
    assert_int_equal(audit_add(a, "/nonexistent"), COMITY_E_NOT_FOUND);
    assert_int_equal(audit_add(a, l->net.dir), COMITY_E_NOT_A_LEDGER);
    snprintf(path, sizeof path, "%s/text", l->net.dir);
    FILE *f = fopen(path, "w");
    fprintf(f, "this is no database, and it is longer than a few bytes\n");
    fclose(f);
    assert_int_equal(audit_add(a, path), COMITY_E_NOT_A_LEDGER);
    audit_free(a);
}

static void expect_at(struct life *l, const char *id, const char *code, uint64_t index)
{
    struct audited r = audit_one(l, id);
    assert_codes(&r, code, NULL);
    assert_int_equal(number_of(found(&r, code), "index"), index);
    assert_verdict(&r, "contradiction", 10);
    audited_free(&r);
}

static void audit_entry_byte_changed_names_the_entry(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 3, 9 + 3); /* its time */
    db_close(db);
    expect_at(l, HANGZHOU, "entry_changed", 3);
}

/* Nothing but the checkpoint knows the last entry. */
static void audit_last_entry_changed_names_the_entry(void **state)
{
    struct life *l = *state;
    uint64_t size = ledger_size(net_party(&l->net, HANGZHOU)->ledger);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, size - 1, 9 + 3);
    db_close(db);
    expect_at(l, HANGZHOU, "entry_changed", size - 1);
}

static void audit_entry_in_a_turn_of_many_changed_names_the_entry(void **state)
{
    struct life *l = *state;
    exchange(l, HANGZHOU, SHENZHEN, 700);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 100, -1);    /* inside a complete tile */
    change_entry(db, 600, 9 + 3); /* outside of any */
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    json_t *all = json_object_get(r.report, "findings");
    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(number_of(json_array_get(all, 0), "index"), 100);
    assert_int_equal(number_of(json_array_get(all, 1), "index"), 600);
    audited_free(&r);
}

/* Who changes an entry may make the next one fit: then only the stored hashes know which ones were
 * changed. */
static void audit_entry_changed_and_linked_again_names_both(void **state)
{
    struct life *l = *state;
    exchange(l, HANGZHOU, SHENZHEN, 300);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 100, 9 + 3);
    relink(db, 101);
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    json_t *all = json_object_get(r.report, "findings");
    assert_int_equal(json_array_size(all), 2);
    assert_int_equal(number_of(json_array_get(all, 0), "index"), 100);
    assert_int_equal(number_of(json_array_get(all, 1), "index"), 101);
    audited_free(&r);
}

static void audit_prev_changed_is_a_broken_link(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 3, 9 + 9 + 2 + 2 + 2 + 5);
    db_close(db);
    expect_at(l, HANGZHOU, "link_broken", 3);
}

static void audit_entry_that_is_no_entry_is_named(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 4, 0); /* the tag of its first field */
    db_close(db);
    expect_at(l, HANGZHOU, "entry_changed", 4);
}

static void audit_row_removed_is_missing(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "DELETE FROM entry_run WHERE first = 1", DB_NULL));
    db_close(db);
    expect_at(l, HANGZHOU, "entry_missing", 1);
}

static void audit_entries_cut_but_not_the_checkpoint_is_found(void **state)
{
    struct life *l = *state;
    uint64_t size = ledger_size(net_party(&l->net, HANGZHOU)->ledger);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "DELETE FROM entry_run WHERE first = ?1", DB_U64(size - 1)));
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    json_t *f = found(&r, "tail_missing");
    assert_non_null(f);
    assert_int_equal(number_of(f, "index"), size - 1);
    audited_free(&r);
}

static void audit_checkpoint_removed_is_not_covered(void **state)
{
    struct life *l = *state;
    uint64_t size = ledger_size(net_party(&l->net, CHENGDU)->ledger);
    life_rest(l);
    struct db *db = tamper(path_of(l, CHENGDU), false);
    OK(db_run(db, "DELETE FROM checkpoint WHERE size = ?1", DB_U64(size)));
    db_close(db);
    struct audited r = audit_one(l, CHENGDU);
    assert_codes(&r, "uncovered", NULL);
    assert_int_equal(number_of(found(&r, "uncovered"), "index"), size - 1);
    assert_verdict(&r, "unresolved", 11);
    audited_free(&r);
}

static void audit_checkpoint_signature_changed_is_found(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    struct buf note = BUF_INIT;
    struct db_rows *rows = NULL;
    OK(db_query(db, &rows, "SELECT note FROM checkpoint WHERE size = ?1", DB_U64(2)));
    assert_int_equal(db_next(rows), DB_ROW);
    buf_put_bytes(&note, db_bytes(rows, 0));
    db_done(rows);
    uint8_t *c = &note.data[note.len - 20];
    *c = *c == 'A' ? 'B' : 'A';
    OK(db_run(db, "UPDATE checkpoint SET note = ?1 WHERE size = 2", DB_BLOB(buf_bytes(&note))));
    buf_free(&note);
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "checkpoint_signature", NULL);
    assert_int_equal(number_of(found(&r, "checkpoint_signature"), "size"), 2);
    audited_free(&r);
}

static void audit_checkpoint_row_beside_the_note_changed_is_found(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "UPDATE checkpoint SET root = zeroblob(32) WHERE size = 2", DB_NULL));
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "checkpoint_row", NULL);
    audited_free(&r);
}

static void audit_tile_changed_is_a_note(void **state)
{
    struct life *l = *state;
    exchange(l, HANGZHOU, SHENZHEN, 300);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "UPDATE tile SET hashes = zeroblob(8192) WHERE key = 0", DB_NULL));
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "tile_mismatch", NULL);
    assert_verdict(&r, "consistent", 0);
    audited_free(&r);
}

static void audit_body_changed_does_not_match(void **state)
{
    struct life *l = *state;
    struct party *p = net_party(&l->net, HANGZHOU);
    struct mail *m = post(l, p, net_party(&l->net, SHENZHEN), &(struct posting){.count = 1});
    uint64_t index = m->first;
    mail_free(m);
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db,
              "UPDATE store_chunk SET data = CAST(replace(CAST(data AS TEXT), 'record', 'rekord') "
              "AS BLOB)"
              " WHERE id = (SELECT chunk FROM opening_run WHERE first = ?1 AND origin = "
              "'test-net/330100-001')",
              DB_U64(index)));
    db_close(db);
    /* SQL text stops at a zero byte, so the run was cut: as good a change as any. */
    expect_at(l, HANGZHOU, "body_mismatch", index);
}

static void audit_body_erased_is_withheld_and_nothing_worse(void **state)
{
    struct life *l = *state;
    struct party *p = net_party(&l->net, HANGZHOU);
    OK(ledger_begin(p->ledger));
    OK(ledger_opening_erase(p->ledger, bytes_of(p->origin), 3));
    OK(ledger_commit(p->ledger));
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "body_erased", NULL);
    assert_int_equal(number_of(found(&r, "body_erased"), "index"), 3);
    assert_verdict(&r, "withheld", 11);
    audited_free(&r);
}

static void audit_body_left_out_is_withheld(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "DELETE FROM opening_run WHERE origin = ?1", DB_STR("test-net/330100-001")));
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "body_withheld", NULL);
    assert_int_equal(number_of(found(&r, "body_withheld"), "count"), 3);
    audited_free(&r);
}

static void audit_number_left_out_is_a_gap(void **state)
{
    struct life *l = *state;
    struct party *p = net_party(&l->net, HANGZHOU);
    struct mail *m = post(l, p, net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 1, .pair_first = l->pair[at_of(l, p)][2] + 3});
    struct audited r = audit_one(l, HANGZHOU);
    json_t *f = found(&r, "pair_gap");
    assert_non_null(f);
    assert_int_equal(number_of(f, "index"), m->first);
    assert_int_equal(number_of(f, "count"), 2);
    assert_string_equal(text_of(f, "member"), SHENZHEN);
    assert_non_null(json_object_get(f, "proof"));
    mail_free(m);
    audited_free(&r);
}

static void audit_number_given_twice_is_found(void **state)
{
    struct life *l = *state;
    struct party *p = net_party(&l->net, HANGZHOU);
    struct mail *m =
        post(l, p, net_party(&l->net, SHENZHEN), &(struct posting){.count = 1, .pair_first = 2});
    mail_free(m);
    struct audited r = audit_one(l, HANGZHOU);
    assert_non_null(found(&r, "pair_reused"));
    audited_free(&r);
}

static void audit_entry_without_its_reference_is_found(void **state)
{
    struct life *l = *state;
    static const uint8_t root[HASH_LEN] = {1};
    const struct entry_source source = {.origin = bytes_of("test-net/440300-001"),
                                        .has_index = true,
                                        .has_size = true,
                                        .size = 9,
                                        .root = BYTES(root, sizeof root)};
    const struct item items[] = {
        {.kind = ENTRY_FILE, .ref = bytes_of("short")},
        {.kind = ENTRY_RECEIPT, .ref = bytes_of("short"), .has_source = true, .source = source},
        {.kind = ENTRY_REFUSED, .ref = bytes_of("short"), .has_source = true, .source = source},
    };
    uint64_t index[3];
    for (size_t i = 0; i < 3; i++)
        index[i] = append_alone(l, net_party(&l->net, HANGZHOU), &items[i]);
    struct audited r = audit_one(l, HANGZHOU);
    json_t *all = json_object_get(r.report, "findings");
    for (size_t i = 0; i < 3; i++) {
        assert_string_equal(text_of(json_array_get(all, i), "code"), "entry_form");
        assert_string_equal(text_of(json_array_get(all, i), "why"), "ref");
        assert_int_equal(number_of(json_array_get(all, i), "index"), index[i]);
    }
    audited_free(&r);
}

/* A record has content, a receipt has none, and a checkpoint is that of another ledger. */
static void audit_entry_with_what_its_kind_has_not_is_found(void **state)
{
    struct life *l = *state;
    struct arena *a = arena_new(1 << 16);
    struct party *p = net_party(&l->net, HANGZHOU);
    append_alone(l, p, &(struct item){.kind = ENTRY_RECORD});
    append_alone(l, p, &(struct item){.kind = ENTRY_ROUTED});
    append_alone(l, p, &(struct item){.kind = ENTRY_CHECKPOINT, .body = remark_body(a, "none", 0)});
    struct audited r = audit_one(l, HANGZHOU);
    static const char *const why[] = {"body", "kind", "source"};
    json_t *all = json_object_get(r.report, "findings");
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(text_of(json_array_get(all, i), "why"), why[i]);
    audited_free(&r);
    arena_free(a);
}

static void audit_unknown_kind_is_passed_over(void **state)
{
    struct life *l = *state;
    append_alone(l, net_party(&l->net, HANGZHOU),
                 &(struct item){.kind = 99, .ref = bytes_of("of tomorrow")});
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, NULL);
    audited_free(&r);
}

static void audit_clock_set_back_is_a_note(void **state)
{
    struct life *l = *state;
    l->ms -= 3600 * 1000;
    append_note(l, net_party(&l->net, CHENGDU), "an hour before");
    struct audited r = audit_one(l, CHENGDU);
    assert_codes(&r, "time_backwards", NULL);
    assert_verdict(&r, "consistent", 0);
    audited_free(&r);
}

static void audit_other_authority_proves_nothing(void **state)
{
    struct life *l = *state;
    uint8_t seed[32] = {7};
    struct note_signer *other = NULL;
    struct network anchor = l->net.network;
    const char *path = path_of(l, HANGZHOU);
    OK(note_signer_new("test-net/authority", seed, &other));
    anchor.authority[0] = *note_signer_public(other);
    life_rest(l);
    struct audited r = audit_paths(&anchor, &path, 1);
    assert_non_null(found(&r, "authority_other"));
    assert_non_null(found(&r, "origin_unknown"));
    assert_verdict(&r, "unresolved", 11);
    audited_free(&r);
    note_signer_free(other);
}

static void audit_roster_of_another_is_not_the_authoritys(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HUB), true);
    OK(db_run(db, "UPDATE roster SET file = zeroblob(length(file))", DB_NULL));
    db_close(db);
    const char *paths[] = {path_of(l, HUB), path_of(l, HANGZHOU)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, "roster_unproven", NULL);
    assert_string_equal(text_of(found(&r, "roster_unproven"), "ledger"), "test-net/hub");
    audited_free(&r);
}

static void audit_follows_rosters_from_the_first(void **state)
{
    struct life *l = *state;
    net_next_roster(&l->net, NULL);
    take_roster(l, net_party(&l->net, HANGZHOU));
    append_note(l, net_party(&l->net, HANGZHOU), "under the second");
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, NULL);
    assert_int_equal(json_array_size(json_object_get(r.report, "rosters")), 2);
    audited_free(&r);
}

static void audit_roster_that_never_came_into_force_is_named(void **state)
{
    struct life *l = *state;
    l->roster[1] = 9;
    append_note(l, net_party(&l->net, HANGZHOU), "under the ninth");
    struct audited r = audit_one(l, HANGZHOU);
    assert_codes(&r, "roster_order", NULL);
    audited_free(&r);
}

static void audit_parcel_changed_is_not_the_one_named(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, SHENZHEN), false);
    OK(db_run(db,
              "UPDATE store_chunk SET data = zeroblob(length(data))"
              " WHERE id = (SELECT head FROM parcel_in ORDER BY own LIMIT 1)",
              DB_NULL));
    db_close(db);
    struct audited r = audit_one(l, SHENZHEN);
    assert_codes(&r, "parcel_other", NULL);
    audited_free(&r);
}

static void audit_statement_changed_is_found(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, SHENZHEN), false);
    OK(db_run(db,
              "UPDATE store_chunk SET data = zeroblob(length(data))"
              " WHERE id = (SELECT statement FROM parcel_in ORDER BY own LIMIT 1)",
              DB_NULL));
    db_close(db);
    struct audited r = audit_one(l, SHENZHEN);
    assert_codes(&r, "statement_invalid", NULL);
    audited_free(&r);
}

static void audit_parcel_left_out_is_lost(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, SHENZHEN), false);
    OK(db_run(db, "DELETE FROM parcel_in WHERE own = (SELECT min(own) FROM parcel_in)", DB_NULL));
    db_close(db);
    struct audited r = audit_one(l, SHENZHEN);
    assert_non_null(found(&r, "parcel_lost"));
    assert_verdict(&r, "unresolved", 11);
    audited_free(&r);
}

static void audit_text_is_filled_in(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    change_entry(db, 3, 9 + 3);
    db_close(db);
    struct audited r = audit_one(l, HANGZHOU);
    json_t *f = json_array_get(json_object_get(r.report, "findings"), 0);
    assert_non_null(strstr(text_of(f, "text"), "entry 3 of test-net/330100-001 does not match"));
    assert_string_equal(text_of(f, "id"), "F1");
    assert_string_equal(text_of(f, "ref"), "330100-001/3");
    assert_null(strchr(text_of(f, "text"), '{'));
    assert_int_equal(audit_code_from_token("entry_changed"), AUDIT_ENTRY_CHANGED);
    assert_int_equal(audit_code_from_token("nothing"), AUDIT_CODE_COUNT);
    audited_free(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, life_setup, life_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(audit_honest_ledger_is_consistent),
        TEST(audit_live_ledger_is_read_beside_its_writer),
        TEST(audit_exported_file_gives_the_same_findings_as_the_folder),
        TEST(audit_add_refuses_what_is_no_ledger),
        TEST(audit_entry_byte_changed_names_the_entry),
        TEST(audit_last_entry_changed_names_the_entry),
        TEST(audit_entry_in_a_turn_of_many_changed_names_the_entry),
        TEST(audit_entry_changed_and_linked_again_names_both),
        TEST(audit_prev_changed_is_a_broken_link),
        TEST(audit_entry_that_is_no_entry_is_named),
        TEST(audit_row_removed_is_missing),
        TEST(audit_entries_cut_but_not_the_checkpoint_is_found),
        TEST(audit_checkpoint_removed_is_not_covered),
        TEST(audit_checkpoint_signature_changed_is_found),
        TEST(audit_checkpoint_row_beside_the_note_changed_is_found),
        TEST(audit_tile_changed_is_a_note),
        TEST(audit_body_changed_does_not_match),
        TEST(audit_body_erased_is_withheld_and_nothing_worse),
        TEST(audit_body_left_out_is_withheld),
        TEST(audit_number_left_out_is_a_gap),
        TEST(audit_number_given_twice_is_found),
        TEST(audit_entry_without_its_reference_is_found),
        TEST(audit_entry_with_what_its_kind_has_not_is_found),
        TEST(audit_unknown_kind_is_passed_over),
        TEST(audit_clock_set_back_is_a_note),
        TEST(audit_other_authority_proves_nothing),
        TEST(audit_roster_of_another_is_not_the_authoritys),
        TEST(audit_follows_rosters_from_the_first),
        TEST(audit_roster_that_never_came_into_force_is_named),
        TEST(audit_parcel_changed_is_not_the_one_named),
        TEST(audit_statement_changed_is_found),
        TEST(audit_parcel_left_out_is_lost),
        TEST(audit_text_is_filled_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
