/* Records from flags: every spelling, and what is refused. */
#include "rig.h"

#include "../../../cli/compose.h"

#include <comity/err.h>
#include <stdio.h>
#include <unistd.h>

static const struct flag flags[] = {
    {"title", "T", 0, "x"},         {"filed", "T", 0, "x"},         {"place", "P", 0, "x"},
    {"party", "P", FLAG_MANY, "x"}, {"goods", "G", FLAG_MANY, "x"}, {"kind", "K", 0, "x"},
    {"offset", "N", 0, "x"},        {"level", "N", 0, "x"},         {"cause", "T", 0, "x"},
    {"from", "F", 0, "x"},          {"request-id", "T", 0, "x"},    {0}};
static const struct compose_row rows[] = {
    {"title", "case_content.title", COMPOSE_TEXT, NEED_ALWAYS},
    {"filed", "case_content.filed", COMPOSE_TIME, NEED_NOT},
    {"place", "case_content.platform_domicile", COMPOSE_PLACE, NEED_NOT},
    {"party", "case_content.parties", COMPOSE_PARTIES, NEED_NOT},
    {"goods", "case_content.goods", COMPOSE_GOODS, NEED_NOT},
    {"kind", "evidence.kind", COMPOSE_EVIDENCE, NEED_NOT},
    {"offset", "offset", COMPOSE_SIGNED, NEED_NOT},
    {"level", "level", COMPOSE_NUMBER, NEED_NOT},
    {"cause", "evidence.electronic.cause", COMPOSE_TEXT, NEED_ELECTRONIC},
    {0},
};

static int setup(void **state)
{
    int bad = rig_setup(state);
    ((struct rig *)*state)->command.flags = flags;
    return bad;
}

/* What the words make, as sorted JSON. */
static const char *made(struct rig *r)
{
    json_t *json = NULL;
    assert_int_equal(compose_begin(&r->c, RECORD_CASE, rows, &json), 0);
    char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS);
    const char *kept = cli_text(&r->c, "%s", text);
    free(text);
    json_decref(json);
    return kept;
}

static void flags_become_members_of_the_record(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "案", "--place", "330106@330106-001:文三路 1 号",
                               "--party", "甲:91330100799655058B:经营者", "--party", "乙",
                               "--goods", "奶粉:6901234567892,passport=X-1", "--filed",
                               "2026-11-24 17:47", "--offset", "-500", "--level", "3"),
                     0);
    assert_string_equal(made(r), "{\"case_content\":{\"filed\":\"2026-11-24T17:47:00+08:00\","
                                 "\"goods\":[{\"codes\":[{\"scheme\":\"gtin\",\"value\":"
                                 "\"6901234567892\"},{\"scheme\":\"passport\",\"value\":\"X-1\"}],"
                                 "\"name\":\"奶粉\"}],\"parties\":[{\"name\":\"甲\","
                                 "\"part\":\"经营者\",\"uscc\":\"91330100799655058B\"},{\"name\":"
                                 "\"乙\"}],\"platform_domicile\":{\"address\":\"文三路 1 "
                                 "号\",\"bureau\":\"330106-001\",\"division\":\"330106\"},"
                                 "\"title\":\"案\"},\"kind\":\"CASE\",\"level\":3,\"offset\":-500,"
                                 "\"schema\":1}");
}

static void time_every_spelling_is_chinas_time(void **state)
{
    struct rig *r = *state;
    static const struct {
        const char *text;
        const char *time;
    } spellings[] = {
        {"2026-11-24T17:47:15+08:00", "2026-11-24T17:47:15+08:00"},
        {"2026-11-24 17:47:15", "2026-11-24T17:47:15+08:00"},
        {"2026-11-24 17:47", "2026-11-24T17:47:00+08:00"},
        {"2026-11-24T17:47", "2026-11-24T17:47:00+08:00"},
        {"2026-11-24T09:47:15Z", "2026-11-24T17:47:15+08:00"},
    };
    static const char *const bad[] = {"",
                                      "2026-11-24",
                                      "2026-11-31 10:00",
                                      "2026-11-24 25:00",
                                      "2026-11-24 10:00 x",
                                      "morgen",
                                      "2026-11-24x10:00",
                                      "2026-11-24T10:00:00+01:00"};
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++)
        assert_string_equal(compose_time(&r->c, spellings[i].text), spellings[i].time);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_null(compose_time(&r->c, bad[i]));
}

static void kind_is_a_number_a_token_or_a_name(void **state)
{
    static const char *const spellings[] = {"4", "electronic", "ELECTRONIC", "电子数据",
                                            "Electronic data"};
    struct rig *r = *state;
    for (size_t i = 0; i < sizeof spellings / sizeof spellings[0]; i++) {
        assert_int_equal(RIG_PARSE(r, "--kind", spellings[i]), 0);
        assert_non_null(strstr(made(r), "\"evidence\":{\"kind\":\"electronic\"}"));
    }
    json_t *json = NULL;
    assert_int_equal(RIG_PARSE(r, "--kind", "9"), 0);
    assert_int_equal(compose_begin(&r->c, RECORD_EVIDENCE, rows, &json), COMITY_E_USAGE);
    assert_non_null(strstr(r->c.failure.message, "4 electronic"));
}

static void value_empty_or_wrong_is_refused(void **state)
{
    struct rig *r = *state;
    static const char *const words[][2] = {{"--title", ""},
                                           {"--filed", "soon"},
                                           {"--level", "-1"},
                                           {"--level", "x"},
                                           {"--offset", ""}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        json_t *json = NULL;
        assert_int_equal(RIG_PARSE(r, words[i][0], words[i][1]), 0);
        assert_int_equal(compose_begin(&r->c, RECORD_CASE, rows, &json), COMITY_E_USAGE);
    }
}

static void needs_of_electronic_data_are_asked_for_that_kind_only(void **state)
{
    struct rig *r = *state;
    json_t *json = NULL;
    assert_int_equal(RIG_PARSE(r, "--kind", "1", "--title", "x"), 0);
    assert_int_equal(compose_begin(&r->c, RECORD_EVIDENCE, rows, &json), 0);
    assert_int_equal(compose_check_needs(&r->c, json, rows), 0);
    json_decref(json);
    assert_int_equal(RIG_PARSE(r, "--kind", "4"), 0);
    assert_int_equal(compose_begin(&r->c, RECORD_EVIDENCE, rows, &json), 0);
    assert_int_equal(compose_check_needs(&r->c, json, rows), COMITY_E_USAGE);
    assert_string_equal(r->c.failure.message, "flags are missing: --title, --cause");
    json_decref(json);
}

/* ---- from a file ---- */

static const char *write_file(struct rig *r, const char *text)
{
    char path[] = "/tmp/comity-compose-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    close(fd);
    return cli_text(&r->c, "%s", path);
}

static void file_is_the_base_and_flags_come_on_top(void **state)
{
    struct rig *r = *state;
    const char *path =
        write_file(r, "{\"doc_no\":\"7\",\"case_content\":{\"title\":\"old\",\"platform\":\"p\"}}");
    assert_int_equal(RIG_PARSE(r, "--from", path, "--title", "new"), 0);
    assert_string_equal(made(r), "{\"case_content\":{\"platform\":\"p\",\"title\":\"new\"},\"doc_"
                                 "no\":\"7\",\"kind\":\"CASE\","
                                 "\"schema\":1}");
    unlink(path);
}

static void file_that_is_no_object_is_refused_with_its_place(void **state)
{
    struct rig *r = *state;
    static const char *const texts[] = {"[]", "{\"a\":1,\n\"a\":2}", "{", "nothing"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        json_t *json = NULL;
        const char *path = write_file(r, texts[i]);
        assert_int_equal(RIG_PARSE(r, "--from", path), 0);
        assert_int_equal(compose_begin(&r->c, RECORD_CASE, rows, &json), COMITY_E_INVALID);
        assert_non_null(strstr(r->c.failure.message, path));
        unlink(path);
    }
}

/* ---- request ids ---- */

static const char *request_id(struct rig *r, const char *json_text, const char *to_text)
{
    const char *id = NULL;
    json_t *json = json_loads(json_text, 0, NULL);
    json_t *to = json_loads(to_text, 0, NULL);
    assert_int_equal(compose_request_id(&r->c, json, to, NULL, &id), 0);
    json_decref(json);
    json_decref(to);
    return id;
}

static void request_id_follows_content_and_recipients(void **state)
{
    struct rig *r = *state;
    assert_int_equal(RIG_PARSE(r, "--title", "x"), 0);
    const char *id = request_id(r, "{\"a\":1,\"b\":2}", "[\"m\"]");
    assert_int_equal(strlen(id), 64);
    assert_string_equal(id, request_id(r, "{\"b\":2,\"a\":1}", "[\"m\"]"));
    assert_string_not_equal(id, request_id(r, "{\"b\":2,\"a\":2}", "[\"m\"]"));
    assert_string_not_equal(id, request_id(r, "{\"b\":2,\"a\":1}", "[\"n\"]"));
}

static void request_id_given_is_taken_when_it_fits(void **state)
{
    struct rig *r = *state;
    const char *id = NULL;
    json_t *json = json_object();
    assert_int_equal(RIG_PARSE(r, "--request-id", "mine"), 0);
    assert_int_equal(compose_request_id(&r->c, json, NULL, NULL, &id), 0);
    assert_string_equal(id, "mine");
    assert_int_equal(RIG_PARSE(r, "--request-id",
                               "01234567890123456789012345678901234567890123456789012345678901234"),
                     0);
    assert_int_equal(compose_request_id(&r->c, json, NULL, NULL, &id), COMITY_E_USAGE);
    json_decref(json);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(flags_become_members_of_the_record),
        T(time_every_spelling_is_chinas_time),
        T(kind_is_a_number_a_token_or_a_name),
        T(value_empty_or_wrong_is_refused),
        T(needs_of_electronic_data_are_asked_for_that_kind_only),
        T(file_is_the_base_and_flags_come_on_top),
        T(file_that_is_no_object_is_refused_with_its_place),
        T(request_id_follows_content_and_recipients),
        T(request_id_given_is_taken_when_it_fits),
    };
    return cmocka_run_group_tests_name("compose", tests, NULL, NULL);
}
