/* A member's folder: made as a whole or not at all, read strictly, opened only with the right
 * passphrase. */
#include "base/file.h"
#include "crypto/keyfile.h"
#include "net.h"
#include "site/restore.h"
#include "site/site.h"
#include "wire/notes.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define BUREAU "330100-001"

struct fixture {
    struct net net;
    char network[300];
    char dir[300];
    char conf[320];
    struct buf detail;
    struct buf join;
};

static int setup(void **state)
{
    static const char *const ids[] = {"hub"};
    struct fixture *f = calloc(1, sizeof *f);
    struct buf text = BUF_INIT;
    net_init(&f->net, ids, 1);
    network_put(&text, &f->net.network);
    snprintf(f->network, sizeof f->network, "%s/NET.network", f->net.dir);
    snprintf(f->dir, sizeof f->dir, "%s/site", f->net.dir);
    snprintf(f->conf, sizeof f->conf, "%s/node.conf", f->dir);
    assert_int_equal(file_write(f->network, buf_bytes(&text), 0600), 0);
    buf_free(&text);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    buf_free(&f->detail);
    buf_free(&f->join);
    net_done(&f->net);
    free(f);
    return 0;
}

static struct site_plan plan_of(struct fixture *f)
{
    return (struct site_plan){.dir = f->dir,
                              .network = f->network,
                              .role = MEMBER_BUREAU,
                              .member = BUREAU,
                              .name = "杭州市 \"市场\" $HOME \\ 局"};
}

static int create(struct fixture *f)
{
    struct site_plan plan = plan_of(f);
    return site_create(&plan, bytes_of("correct horse"), 1700000000000, &f->join, &f->detail);
}

static void created_site_loads_unlocks_and_has_its_first_entry(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    struct site_keys keys;
    struct join_request j;
    assert_int_equal(create(f), 0);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    assert_string_equal(s->origin, "test-net/" BUREAU);
    assert_string_equal(s->name, plan_of(f).name); /* whatever libconfuse would make of it */
    assert_int_equal(site_unlock(s, bytes_of("correct horse"), &keys, &f->detail), 0);
    assert_int_equal(join_open(buf_bytes(&f->join), &j), 0);
    assert_memory_equal(j.curve, keys.curve_public, 32);
    assert_memory_equal(j.seal, keys.seal_public, 32);
    struct store *store = NULL;
    struct ledger *ledger = NULL;
    assert_int_equal(site_open_store(s, DB_WRITE, &store), 0);
    assert_int_equal(ledger_open(store, keys.ledger, &ledger), 0);
    assert_int_equal(ledger_size(ledger), 1);
    /* A second process finds it taken. */
    struct store *second = NULL;
    assert_int_equal(site_open_store(s, DB_WRITE, &second), COMITY_E_BUSY);
    ledger_close(ledger);
    store_close(store);
    site_keys_wipe(&keys);
    site_free(s);
}

static void wrong_passphrase_and_exposed_key_are_refused_by_name(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    struct site_keys keys;
    assert_int_equal(create(f), 0);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    assert_int_equal(site_unlock(s, bytes_of("wrong"), &keys, &f->detail), COMITY_E_PASSPHRASE);
    assert_non_null(strstr(buf_str(&f->detail), "ledger.key"));
    buf_reset(&f->detail);
    char *key = site_path(s, "keys/curve.key");
    assert_int_equal(chmod(key, 0644), 0);
    assert_int_equal(site_unlock(s, bytes_of("correct horse"), &keys, &f->detail),
                     COMITY_E_PUBLIC_KEY_FILE);
    assert_non_null(strstr(buf_str(&f->detail), "curve.key"));
    free(key);
    site_free(s);
}

static void failed_init_leaves_nothing_behind(void **state)
{
    struct fixture *f = *state;
    struct site_plan plan = plan_of(f);
    static const char *const bad_ids[] = {"hub", "33010-001", "authority", ""};
    for (size_t i = 0; i < 4; i++) {
        plan.member = bad_ids[i];
        assert_int_equal(site_create(&plan, bytes_of("p"), 0, &f->join, &f->detail),
                         COMITY_E_MEMBER_ID);
    }
    plan = plan_of(f);
    plan.network = "/nonexistent";
    assert_int_equal(site_create(&plan, bytes_of("p"), 0, &f->join, &f->detail),
                     COMITY_E_NOT_FOUND);
    plan = plan_of(f);
    assert_int_equal(site_create(&plan, BYTES_NONE, 0, &f->join, &f->detail), COMITY_E_INVALID);
    char command[700];
    snprintf(command, sizeof command, "! ls -d '%s'* >/dev/null 2>&1", f->dir);
    assert_int_equal(system(command), 0);
    assert_int_equal(f->join.len, 0);
}

static void init_never_touches_a_folder_with_something_in_it(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create(f), 0);
    buf_reset(&f->detail);
    assert_int_equal(create(f), COMITY_E_EXISTS);
    assert_non_null(strstr(buf_str(&f->detail), "not empty"));
}

static void configuration_errors_name_file_and_line(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(create(f), 0);
    static const struct {
        const char *text;
        const char *says;
    } rows[] = {
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\ntypo = 1\n", "node.conf:4"},
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\nlog_level = \"loud\"\n",
         "log_level"},
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\nsuite = 0\n", "suite"},
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\nsuite = 99\n", "suite 99"},
        {"role = \"pope\"\nmember = \"330100-001\"\nname = \"x\"\n", "role must be"},
        {"role = \"node\"\nmember = \"nobody!\"\nname = \"x\"\n", "member"},
        {"role = \"node\"\nname = \"x\"\n", "member"},
        {"role = \"broker\"\nmember = \"hub\"\nname = \"x\"\n", "listen"},
        {"role = \"node\nmember", "node.conf"},
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\nkeep_days = 90\n",
         "keep_days is a broker's"},
        {"role = \"node\"\nmember = \"330100-001\"\nname = \"x\"\nlisten = \"tcp://*:1\"\n",
         "listen is a broker's"},
        {"role = \"broker\"\nmember = \"hub\"\nname = \"x\"\nlisten = \"a\"\nlisten_bulk = \"b\"\n"
         "checkpoint_entries = 9\n",
         "checkpoint_entries is a node's"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct site *s = NULL;
        buf_reset(&f->detail);
        assert_int_equal(file_write(f->conf, bytes_of(rows[i].text), 0600), 0);
        assert_int_not_equal(site_load(f->conf, &s, &f->detail), 0);
        if (!strstr(buf_str(&f->detail), rows[i].says))
            fail_msg("row %zu: %s", i, buf_str(&f->detail));
    }
    struct site *s = NULL;
    assert_int_equal(site_load("/nonexistent/node.conf", &s, &f->detail), COMITY_E_NOT_FOUND);
}

static void roster_without_this_member_is_not_joined(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    assert_int_equal(create(f), 0);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    struct roster *r = NULL;
    assert_int_equal(site_roster(s, NULL, &r), COMITY_E_NO_ROSTER);
    assert_int_equal(site_join(s, buf_bytes(&f->net.roster_file), &f->detail), COMITY_E_NOT_MEMBER);
    assert_non_null(strstr(buf_str(&f->detail), BUREAU));
    buf_reset(&f->detail);
    f->net.roster_file.data[f->net.roster_file.len - 1] ^= 1;
    assert_int_not_equal(site_join(s, buf_bytes(&f->net.roster_file), &f->detail), 0);
    assert_int_equal(site_roster(s, NULL, &r), COMITY_E_NO_ROSTER); /* nothing was written */
    site_free(s);
}

/* ---- an old copy ---- */

static void what_was_found_of_an_old_copy_is_remembered(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    struct site_rollback r = {0};
    char path[340];
    assert_int_equal(create(f), 0);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    assert_int_equal(site_rollback_read(f->dir, &r), COMITY_E_NOT_FOUND);
    assert_int_equal(site_rollback_forget(s), 0);
    const struct site_rollback found = {.size = 812, .known_size = 1024, .time_ms = 1700000000000};
    assert_int_equal(site_rollback_write(s, &found), 0);
    assert_int_equal(site_rollback_read(f->dir, &r), 0);
    assert_true(r.size == 812 && r.known_size == 1024 && r.time_ms == 1700000000000);
    snprintf(path, sizeof path, "%s/rollback", f->dir);
    assert_int_equal(file_write(path, BYTES_LIT("comity rollback v1\n812\nmany\n"), 0600), 0);
    assert_int_equal(site_rollback_read(f->dir, &r), COMITY_E_MALFORMED);
    assert_int_equal(site_rollback_forget(s), 0);
    assert_int_equal(site_rollback_read(f->dir, &r), COMITY_E_NOT_FOUND);
    site_free(s);
}

static void succession_begins_once_and_touches_nothing(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    struct store *store = NULL;
    struct site_keys keys;
    struct join_request j;
    struct buf again = BUF_INIT;
    const struct site_succession how = {0};
    const struct bytes passphrase = BYTES_LIT("correct horse");
    assert_int_equal(create(f), 0);
    buf_reset(&f->join);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    assert_int_equal(site_open_store(s, DB_WRITE, &store), 0);
    assert_int_equal(site_succession_begin(s, &how, passphrase, &f->join, &f->detail),
                     COMITY_E_BUSY);
    assert_non_null(strstr(buf_str(&f->detail), "the daemon runs"));
    store_close(store);
    assert_false(site_succession_is_begun(s));
    assert_int_equal(site_succession_begin(s, &how, passphrase, &f->join, &f->detail), 0);
    assert_true(site_succession_is_begun(s));
    assert_int_equal(site_succession_begin(s, &how, passphrase, &again, &f->detail), 0);
    assert_true(bytes_equal(buf_bytes(&f->join), buf_bytes(&again)));
    assert_int_equal(join_open(buf_bytes(&f->join), &j), 0);
    assert_string_equal(j.ledger.name, "test-net/" BUREAU ".2");
    assert_int_equal(site_unlock(s, passphrase, &keys, &f->detail), 0);
    assert_memory_equal(j.curve, keys.curve_public, sizeof j.curve);
    assert_memory_equal(j.seal, keys.seal_public, sizeof j.seal);
    site_keys_wipe(&keys);
    buf_free(&again);
    site_free(s);
}

static void succession_is_not_finished_without_its_roster(void **state)
{
    struct fixture *f = *state;
    struct site *s = NULL;
    struct site_succeeded is;
    struct stat st;
    char path[340];
    const struct bytes passphrase = BYTES_LIT("correct horse");
    assert_int_equal(create(f), 0);
    buf_reset(&f->join);
    assert_int_equal(site_load(f->conf, &s, &f->detail), 0);
    assert_int_equal(site_succession_finish(s, buf_bytes(&f->net.roster_file), passphrase, 0, 1,
                                            &is, &f->detail),
                     COMITY_E_NOT_FOUND);
    assert_int_equal(site_succession_begin(s, &(struct site_succession){.new_keys = true},
                                           passphrase, &f->join, &f->detail),
                     0);
    assert_int_equal(site_succession_finish(s, buf_bytes(&f->net.roster_file), passphrase, 0, 1,
                                            &is, &f->detail),
                     COMITY_E_CLOSED);
    snprintf(path, sizeof path, "%s/archive", f->dir);
    assert_int_not_equal(stat(path, &st), 0);
    snprintf(path, sizeof path, "%s/ledger.db", f->dir);
    assert_int_equal(stat(path, &st), 0);
    site_free(s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(created_site_loads_unlocks_and_has_its_first_entry),
        TEST(wrong_passphrase_and_exposed_key_are_refused_by_name),
        TEST(failed_init_leaves_nothing_behind),
        TEST(init_never_touches_a_folder_with_something_in_it),
        TEST(configuration_errors_name_file_and_line),
        TEST(roster_without_this_member_is_not_joined),
        TEST(what_was_found_of_an_old_copy_is_remembered),
        TEST(succession_begins_once_and_touches_nothing),
        TEST(succession_is_not_finished_without_its_roster),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
