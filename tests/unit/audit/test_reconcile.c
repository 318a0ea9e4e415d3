/*
 * Several ledgers against one another: each attack is found and named, and what is merely late, or
 * not shown, is not called proven.
 */
#include "life.h"

static void audit_honest_network_is_consistent(void **state)
{
    struct life *l = *state;
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, NULL);
    assert_verdict(&r, "consistent", 0);
    audited_free(&r);
}

static void audit_counts_what_was_sent_and_received(void **state)
{
    struct life *l = *state;
    struct audited r = audit_all(l, NULL, NULL);
    json_t *pairs = json_object_get(r.report, "pairs");
    assert_int_equal(json_array_size(pairs), 3);
    json_t *p = json_array_get(pairs, 0);
    assert_string_equal(text_of(p, "sender"), "test-net/330100-001");
    assert_string_equal(text_of(p, "recipient"), SHENZHEN);
    static const char *const columns[] = {"sent", "accepted", "received", "receipted"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(number_of(p, columns[i]), 1);
    assert_int_equal(number_of(p, "open"), 0);
    audited_free(&r);
}

/* Who stands alone cannot be blamed for what the others' copies would settle. */
static void audit_of_one_ledger_fails_no_check(void **state)
{
    struct life *l = *state;
    static const char *const ids[] = {HUB, HANGZHOU, SHENZHEN, CHENGDU};
    for (size_t i = 0; i < 4; i++) {
        const char *paths[] = {path_of(l, ids[i])};
        struct audited r = audit_paths(&l->net.network, paths, 1);
        json_t *check;
        size_t k;
        assert_true(json_array_size(json_object_get(r.report, "checks")) > 0);
        json_array_foreach(json_object_get(r.report, "checks"), k, check)
            assert_int_equal(number_of(check, "failed"), 0);
        audited_free(&r);
    }
}

static char *report_of(struct life *l, const char *const *ids, size_t n)
{
    const char *paths[8];
    for (size_t i = 0; i < n; i++)
        paths[i] = path_of(l, ids[i]);
    struct audited r = audit_paths(&l->net.network, paths, n);
    char *text = json_dumps(r.report, JSON_INDENT(1));
    audited_free(&r);
    return text;
}

static void audit_report_does_not_depend_on_the_order_of_inputs(void **state)
{
    struct life *l = *state;
    static const char *const one[] = {HUB, HANGZHOU, SHENZHEN, CHENGDU};
    static const char *const other[] = {CHENGDU, SHENZHEN, HUB, HANGZHOU};
    life_rest(l);
    char *a = report_of(l, one, 4);
    char *b = report_of(l, other, 4);
    assert_string_equal(a, b);
    free(a);
    free(b);
}

/* ---- forks and cuts ---- */

/* The owner goes on from an old copy, and shows that to the auditor. */
static void audit_fork_is_proven_and_is_one_finding(void **state)
{
    struct life *l = *state;
    const char *other = copy_of(l, HANGZHOU, "other");
    struct party old = *net_party(&l->net, HANGZHOU);
    uint64_t agreed = ledger_size(old.ledger);
    for (int i = 0; i < 5; i++)
        exchange(l, HANGZHOU, SHENZHEN, 2);
    snprintf(old.dir, sizeof old.dir, "%s", other);
    party_open(&old);
    struct party *own = net_party(&l->net, HANGZHOU);
    struct party kept = *own;
    *own = old;
    for (int i = 0; i < 40; i++)
        append_note(l, own, "another history");
    party_close(own);
    *own = kept;
    struct audited r = audit_all(l, HANGZHOU, other);
    json_t *f = found(&r, "fork");
    assert_non_null(f);
    assert_verdict(&r, "contradiction", 10);
    assert_string_equal(text_of(f, "ledger"), "test-net/330100-001");
    assert_true(number_of(f, "agreed") >= agreed - 2 && number_of(f, "agreed") <= agreed);
    size_t forks = 0;
    size_t i = 0;
    json_t *each = NULL;
    json_array_foreach(json_object_get(r.report, "findings"), i, each)
    {
        forks += strcmp(text_of(each, "code"), "fork") == 0;
    }
    assert_int_equal(forks, 1);
    audited_free(&r);
}

/* The proof of a fork: both notes verify under the ledger's key, and the copy's is consistent with
 * its own root only. */
static void audit_fork_proof_stands_by_itself(void **state)
{
    struct life *l = *state;
    char dir[400];
    char path[600];
    audit_fork_is_proven_and_is_one_finding(state);
    const char *paths[] = {NULL, path_of(l, SHENZHEN)};
    snprintf(path, sizeof path, "%s/other", l->net.dir);
    paths[0] = path;
    struct audited r = audit_paths(&l->net.network, paths, 2);
    snprintf(dir, sizeof dir, "%s/proofs", l->net.dir);
    OK(audit_write_proofs(r.audit, dir));
    json_t *f = found(&r, "fork");
    assert_non_null(f);
    snprintf(path, sizeof path, "%s/%s", dir, text_of(f, "proof"));
    json_error_t where;
    json_t *file = json_load_file(path, 0, &where);
    assert_non_null(file);
    json_t *proof = json_object_get(file, "proof");
    struct note_verifier key;
    struct checkpoint one, other;
    OK(note_verifier_parse(bytes_of(text_of(proof, "key")), &key));
    json_t *a = json_object_get(proof, "one");
    json_t *b = json_object_get(proof, "other");
    OK(checkpoint_open(bytes_of(text_of(a, "checkpoint")), &key, &one));
    OK(checkpoint_open(bytes_of(text_of(b, "checkpoint")), &key, &other));
    /* The root that the copy has at the size of the other note, proven to be in its own history, is
     * another one. */
    struct hash root, path_hash[64];
    size_t i = 0;
    json_t *item = NULL;
    OK(text_get_base64_exact(bytes_of(text_of(a, "root")), root.b, HASH_LEN));
    json_array_foreach(json_object_get(a, "consistency"), i, item)
        OK(text_get_base64_exact(bytes_of(json_string_value(item)), path_hash[i].b, HASH_LEN));
    OK(proof_consistency_verify(the_suite(), other.size, &root, one.size, &one.root, path_hash,
                                json_array_size(json_object_get(a, "consistency"))));
    assert_false(hash_equal(&root, &other.root));
    json_decref(file);
    audited_free(&r);
}

static void audit_fork_at_one_size_is_seen_without_the_ledger(void **state)
{
    struct life *l = *state;
    const char *before = copy_of(l, HANGZHOU, "before");
    struct party *own = net_party(&l->net, HANGZHOU);
    struct party kept = *own;
    struct mail *m = post(l, own, net_party(&l->net, SHENZHEN), &(struct posting){.count = 1});
    route(l, m);
    mail_free(receive(l, m));
    mail_free(m);
    kept = *own;
    snprintf(own->dir, sizeof own->dir, "%s", before);
    party_close(own);
    party_open(own);
    l->parcel_seq[1]--;
    m = post(l, own, net_party(&l->net, CHENGDU), &(struct posting){.count = 1});
    route(l, m);
    mail_free(receive(l, m));
    mail_free(m);
    snprintf(own->dir, sizeof own->dir, "%s", kept.dir);
    life_rest(l);
    const char *paths[] = {path_of(l, SHENZHEN), path_of(l, CHENGDU)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, "fork", NULL);
    assert_verdict(&r, "contradiction", 10);
    json_t *absent = json_object_get(r.report, "absent");
    assert_string_equal(json_string_value(json_array_get(absent, 0)), "test-net/330100-001");
    audited_free(&r);
}

static void audit_two_copies_that_differ_are_a_fork(void **state)
{
    struct life *l = *state;
    const char *other = copy_of(l, CHENGDU, "other");
    append_note(l, net_party(&l->net, CHENGDU), "one");
    struct party *own = net_party(&l->net, CHENGDU);
    struct party kept = *own;
    party_close(own);
    snprintf(own->dir, sizeof own->dir, "%s", other);
    party_open(own);
    append_note(l, own, "other");
    party_close(own);
    snprintf(own->dir, sizeof own->dir, "%s", kept.dir);
    life_rest(l);
    const char *paths[] = {path_of(l, CHENGDU), other};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, "fork", NULL);
    audited_free(&r);
}

static void audit_older_copy_of_one_ledger_is_no_fork(void **state)
{
    struct life *l = *state;
    const char *other = copy_of(l, CHENGDU, "other");
    append_note(l, net_party(&l->net, CHENGDU), "more");
    life_rest(l);
    const char *paths[] = {path_of(l, CHENGDU), other};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, NULL);
    audited_free(&r);
}

static void audit_short_copy_is_shown_by_who_holds_more_and_proves_nothing(void **state)
{
    struct life *l = *state;
    uint64_t size = ledger_size(net_party(&l->net, HANGZHOU)->ledger);
    const char *cut = copy_of(l, HANGZHOU, "cut");
    exchange(l, HANGZHOU, SHENZHEN, 4);
    life_rest(l);
    const char *paths[] = {cut, path_of(l, SHENZHEN)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    json_t *f = found(&r, "copy_short");
    assert_non_null(f);
    assert_int_equal(number_of(f, "index"), size);
    assert_true(number_of(f, "size") > size);
    assert_string_equal(text_of(f, "other"), "test-net/440300-001");
    assert_verdict(&r, "unresolved", 11);
    audited_free(&r);
}

/* Copies of a network that works are never made at one instant. */
static void audit_copies_of_different_ages_contradict_nobody(void **state)
{
    struct life *l = *state;
    static const char *const ids[] = {HUB, HANGZHOU, SHENZHEN, CHENGDU};
    static const char *const names[] = {"old-0", "old-1", "old-2", "old-3"};
    const char *old[4];
    for (size_t i = 0; i < 4; i++) {
        old[i] = copy_of(l, ids[i], names[i]);
        exchange(l, HANGZHOU, SHENZHEN, 2);
        exchange(l, SHENZHEN, CHENGDU, 1);
        exchange(l, CHENGDU, HANGZHOU, 1);
    }
    for (size_t i = 0; i < 4; i++) {
        struct audited r = audit_all(l, ids[i], old[i]);
        assert_verdict(&r, "unresolved", 11);
        audited_free(&r);
    }
}

/* The owner goes on from an older copy of its ledger, as if what came after it had never been. */
static void go_on_from(struct life *l, const char *id, const char *dir)
{
    struct party *p = net_party(&l->net, id);
    struct party kept = *p;
    snprintf(p->dir, sizeof p->dir, "%s", dir);
    party_open(p);
    for (int i = 0; i < 8; i++)
        append_note(l, p, "something else");
    party_close(p);
    *p = kept;
}

static void audit_running_node_behind_others_is_no_cut(void **state)
{
    struct life *l = *state;
    const char *old = copy_of(l, HANGZHOU, "old");
    exchange(l, HANGZHOU, SHENZHEN, 4);
    struct party running = *net_party(&l->net, HANGZHOU);
    snprintf(running.dir, sizeof running.dir, "%s", old);
    party_open(&running);
    life_rest(l);
    const char *paths[] = {old, path_of(l, SHENZHEN)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    party_close(&running);
    assert_null(found(&r, "copy_short"));
    assert_non_null(found(&r, "copy_older"));
    audited_free(&r);
}

static void audit_content_changed_and_signed_again_is_a_fork(void **state)
{
    struct life *l = *state;
    /* Somebody with the ledger's key makes the whole ledger anew, with other entries. */
    struct party *own = net_party(&l->net, CHENGDU);
    char dir[600];
    life_rest(l);
    snprintf(dir, sizeof dir, "rm '%s/ledger.db'", own->dir);
    assert_int_equal(system(dir), 0);
    const struct site site = {.dir = own->dir, .role = own->role};
    OK(site_open_store(&site, DB_CREATE, &own->store));
    OK(ledger_create(own->store, own->origin, SUITE_1, BYTES_NONE));
    OK(ledger_open(own->store, own->keys.ledger, &own->ledger));
    l->roster[3] = 0;
    for (int i = 0; i < 20; i++)
        append_note(l, own, "nothing was ever sent");
    struct audited r = audit_all(l, NULL, NULL);
    assert_non_null(found(&r, "fork"));
    assert_non_null(found(&r, "entry_denied"));
    audited_free(&r);
}

/* A copy without any checkpoint of its own is still held against those of others. */
static void audit_copy_without_checkpoints_is_held_against_those_of_others(void **state)
{
    struct life *l = *state;
    life_rest(l);
    struct db *db = tamper(path_of(l, HANGZHOU), false);
    OK(db_run(db, "DELETE FROM checkpoint", DB_NULL));
    db_close(db);
    const char *paths[] = {path_of(l, HANGZHOU), path_of(l, SHENZHEN)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, "uncovered", NULL);
    audited_free(&r);
    db = tamper_again(path_of(l, HANGZHOU), false);
    change_entry(db, 0, 9 + 3);
    db_close(db);
    r = audit_paths(&l->net.network, paths, 2);
    assert_non_null(found(&r, "copy_other"));
    assert_verdict(&r, "contradiction", 10);
    audited_free(&r);
}

/* What only the broker says of a ledger, without a note, is not proven. */
static void audit_broker_that_states_another_root_is_unresolved(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 1});
    m->root.b[0] ^= 1;
    route(l, m);
    life_rest(l);
    const char *paths[] = {path_of(l, HANGZHOU), path_of(l, HUB)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_non_null(found(&r, "stated_other"));
    assert_verdict(&r, "unresolved", 11);
    mail_free(m);
    audited_free(&r);
}

static void audit_two_rosters_of_one_number_are_the_authoritys_fork(void **state)
{
    struct life *l = *state;
    struct buf one = BUF_INIT;
    struct audit *a = NULL;
    struct roster *first = NULL;
    OK(roster_open(roster_file(l->net.roster), &l->net.network, NULL, &first));
    net_next_roster(&l->net, NULL);
    buf_put_bytes(&one, roster_file(l->net.roster));
    roster_free(l->net.roster);
    l->net.roster = first;
    net_next_roster(&l->net, CHENGDU);
    life_rest(l);
    OK(audit_new(&l->net.network, &a));
    OK(audit_add(a, path_of(l, HANGZHOU)));
    OK(audit_add_roster(a, buf_bytes(&one)));
    OK(audit_add_roster(a, roster_file(l->net.roster)));
    OK(audit_run(a));
    struct audited r = {.audit = a};
    OK(audit_to_json(a, &r.report));
    assert_codes(&r, "roster_fork", NULL);
    audited_free(&r);
    buf_free(&one);
}

/* ---- receipts ---- */

static void audit_receipt_denied_is_proven(void **state)
{
    struct life *l = *state;
    const char *before = copy_of(l, SHENZHEN, "before");
    exchange(l, HANGZHOU, SHENZHEN, 1);
    go_on_from(l, SHENZHEN, before);
    struct audited r = audit_all(l, SHENZHEN, before);
    json_t *f = found(&r, "receipt_denied");
    assert_non_null(f);
    assert_string_equal(text_of(f, "ledger"), "test-net/440300-001");
    assert_string_equal(text_of(f, "other"), "test-net/330100-001");
    assert_int_equal(number_of(f, "count"), 1);
    assert_verdict(&r, "contradiction", 10);
    audited_free(&r);
}

static void audit_without_receipt_and_recipient_is_unresolved(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    route(l, m);
    answer(l, m);
    life_rest(l);
    const char *paths[] = {path_of(l, HANGZHOU), path_of(l, HUB)};
    struct audited r = audit_paths(&l->net.network, paths, 2);
    assert_codes(&r, "not_received", NULL);
    assert_verdict(&r, "unresolved", 11);
    mail_free(m);
    audited_free(&r);
}

static void audit_parcel_on_its_way_is_a_note(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    route(l, m);
    answer(l, m);
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "on_the_way", NULL);
    assert_verdict(&r, "consistent", 0);
    mail_free(m);
    audited_free(&r);
}

static void audit_parcel_that_the_recipient_should_know_of_is_unresolved(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    route(l, m);
    answer(l, m);
    log_checkpoint(l, net_party(&l->net, SHENZHEN), net_party(&l->net, HUB));
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "not_received", NULL);
    mail_free(m);
    audited_free(&r);
}

static void audit_suppressed_record_is_found_by_a_later_delivery(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    route(l, m);
    answer(l, m);
    exchange(l, HANGZHOU, SHENZHEN, 1);
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "suppressed", NULL);
    json_t *f = found(&r, "suppressed");
    assert_string_equal(text_of(f, "ledger"), "test-net/440300-001");
    assert_string_equal(text_of(f, "other"), "test-net/330100-001");
    assert_verdict(&r, "contradiction", 10);
    mail_free(m);
    audited_free(&r);
}

/* What is queued last is never handed in; its number at the broker goes to the next one. */
static void forget_parcel(struct life *l, const char *id)
{
    struct party *p = net_party(&l->net, id);
    OK(db_run(store_db(p->store), "UPDATE parcel_out SET parcel_seq = NULL WHERE state = 0",
              DB_NULL));
    l->parcel_seq[at_of(l, p)]--;
}

static void audit_numbers_that_never_came_are_unresolved_without_the_sender(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    mail_free(m);
    forget_parcel(l, HANGZHOU);
    exchange(l, HANGZHOU, SHENZHEN, 1);
    life_rest(l);
    const char *paths[] = {path_of(l, SHENZHEN)};
    struct audited r = audit_paths(&l->net.network, paths, 1);
    assert_codes(&r, "numbers_missing", NULL);
    assert_int_equal(number_of(found(&r, "numbers_missing"), "count"), 2);
    assert_verdict(&r, "unresolved", 11);
    audited_free(&r);
}

static void audit_numbers_that_were_never_sent_are_proven_with_all_three(void **state)
{
    struct life *l = *state;
    struct mail *m = post(l, net_party(&l->net, HANGZHOU), net_party(&l->net, SHENZHEN),
                          &(struct posting){.count = 2});
    mail_free(m);
    forget_parcel(l, HANGZHOU);
    exchange(l, HANGZHOU, SHENZHEN, 1);
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "never_sent", NULL);
    audited_free(&r);
}

/* ---- the broker ---- */

static void audit_broker_that_forgets_what_it_accepted_is_found(void **state)
{
    struct life *l = *state;
    const char *before = copy_of(l, HUB, "before");
    exchange(l, HANGZHOU, SHENZHEN, 1);
    go_on_from(l, HUB, before);
    struct audited r = audit_all(l, HUB, before);
    json_t *f = found(&r, "not_routed");
    assert_non_null(f);
    assert_string_equal(text_of(f, "ledger"), "test-net/hub");
    assert_non_null(found(&r, "fork"));
    assert_verdict(&r, "contradiction", 10);
    audited_free(&r);
}

static void audit_broker_that_skips_a_delivery_number_is_found(void **state)
{
    struct life *l = *state;
    l->delivery[at_of(l, net_party(&l->net, SHENZHEN))] += 2;
    exchange(l, HANGZHOU, SHENZHEN, 1);
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "delivery_gap", NULL);
    assert_int_equal(number_of(found(&r, "delivery_gap"), "count"), 2);
    audited_free(&r);
}

static void audit_broker_that_skips_a_parcel_is_found(void **state)
{
    struct life *l = *state;
    l->parcel_seq[1]++;
    exchange(l, HANGZHOU, SHENZHEN, 1);
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, "parcel_gap", NULL);
    audited_free(&r);
}

/* ---- times ---- */

static void audit_back_dated_entry_is_found(void **state)
{
    struct life *l = *state;
    exchange(l, CHENGDU, SHENZHEN, 1);
    l->ms += 86400 * 1000;
    exchange(l, CHENGDU, SHENZHEN, 1);
    log_checkpoint(l, net_party(&l->net, HANGZHOU), net_party(&l->net, HUB));
    uint64_t index = ledger_size(net_party(&l->net, HANGZHOU)->ledger);
    l->ms -= 80000 * 1000;
    append_note(l, net_party(&l->net, HANGZHOU), "as if it were yesterday");
    struct audited r = audit_all(l, NULL, NULL);
    json_t *f = found(&r, "back_dated");
    assert_non_null(f);
    assert_int_equal(number_of(f, "index"), index);
    assert_string_equal(text_of(f, "other"), "test-net/hub");
    audited_free(&r);
}

static void audit_post_dated_entry_is_found(void **state)
{
    struct life *l = *state;
    l->ms += 86400 * 1000;
    append_note(l, net_party(&l->net, HANGZHOU), "of tomorrow");
    uint64_t index = ledger_size(net_party(&l->net, HANGZHOU)->ledger) - 1;
    l->ms -= 86400 * 1000;
    exchange(l, HANGZHOU, SHENZHEN, 1);
    struct audited r = audit_all(l, NULL, NULL);
    json_t *f = found(&r, "post_dated");
    assert_non_null(f);
    assert_int_equal(number_of(f, "index"), index);
    audited_free(&r);
}

static void audit_small_differences_of_clocks_are_no_lies(void **state)
{
    struct life *l = *state;
    l->ms += 86400 * 1000;
    exchange(l, CHENGDU, SHENZHEN, 1);
    log_checkpoint(l, net_party(&l->net, HANGZHOU), net_party(&l->net, HUB));
    l->ms -= 5 * 60 * 1000;
    append_note(l, net_party(&l->net, HANGZHOU), "five minutes before");
    struct audited r = audit_all(l, NULL, NULL);
    assert_codes(&r, NULL);
    audited_free(&r);
}

/* ---- closed ledgers ---- */

static void audit_closed_ledger_that_differs_is_found(void **state)
{
    struct life *l = *state;
    net_next_roster(&l->net, CHENGDU); /* closed at size 0, with the root of nothing */
    take_roster(l, net_party(&l->net, HANGZHOU));
    struct audited r = audit_all(l, NULL, NULL);
    assert_non_null(found(&r, "closed_beyond"));
    assert_null(found(&r, "closed_other"));
    audited_free(&r);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, life_setup, life_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(audit_honest_network_is_consistent),
        TEST(audit_of_one_ledger_fails_no_check),
        TEST(audit_counts_what_was_sent_and_received),
        TEST(audit_report_does_not_depend_on_the_order_of_inputs),
        TEST(audit_fork_is_proven_and_is_one_finding),
        TEST(audit_fork_proof_stands_by_itself),
        TEST(audit_fork_at_one_size_is_seen_without_the_ledger),
        TEST(audit_two_copies_that_differ_are_a_fork),
        TEST(audit_older_copy_of_one_ledger_is_no_fork),
        TEST(audit_short_copy_is_shown_by_who_holds_more_and_proves_nothing),
        TEST(audit_copies_of_different_ages_contradict_nobody),
        TEST(audit_running_node_behind_others_is_no_cut),
        TEST(audit_content_changed_and_signed_again_is_a_fork),
        TEST(audit_copy_without_checkpoints_is_held_against_those_of_others),
        TEST(audit_broker_that_states_another_root_is_unresolved),
        TEST(audit_two_rosters_of_one_number_are_the_authoritys_fork),
        TEST(audit_receipt_denied_is_proven),
        TEST(audit_without_receipt_and_recipient_is_unresolved),
        TEST(audit_parcel_on_its_way_is_a_note),
        TEST(audit_parcel_that_the_recipient_should_know_of_is_unresolved),
        TEST(audit_suppressed_record_is_found_by_a_later_delivery),
        TEST(audit_numbers_that_never_came_are_unresolved_without_the_sender),
        TEST(audit_numbers_that_were_never_sent_are_proven_with_all_three),
        TEST(audit_broker_that_forgets_what_it_accepted_is_found),
        TEST(audit_broker_that_skips_a_delivery_number_is_found),
        TEST(audit_broker_that_skips_a_parcel_is_found),
        TEST(audit_back_dated_entry_is_found),
        TEST(audit_post_dated_entry_is_found),
        TEST(audit_small_differences_of_clocks_are_no_lies),
        TEST(audit_closed_ledger_that_differs_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
