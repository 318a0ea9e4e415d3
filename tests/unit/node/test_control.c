/*
 * The control socket: who gets what answers, what is refused and why, and that nothing is answered
 * twice, lost, or before it is durable.
 */
#include "../../../node/control_parts.h"
#include "office.h"

#include "base/text.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* ---- the socket ---- */

static void socket_is_for_the_group(void **state)
{
    struct offices *o = *state;
    struct stat st;
    assert_int_equal(stat(o->path[0], &st), 0);
    assert_int_equal(st.st_mode & 0777, 0660);
}

static void stale_socket_is_replaced(void **state)
{
    struct offices *o = *state;
    struct stat st;
    offices_stop(o);
    /* As after a kill: the file stays, nobody listens. */
    char kept[330];
    snprintf(kept, sizeof kept, "%s.kept", o->path[0]);
    assert_int_equal(link(o->path[0], kept), 0);
    control_close(o->control[0]);
    assert_int_equal(rename(kept, o->path[0]), 0);
    office_open(o, 0);
    assert_int_equal(stat(o->path[0], &st), 0);
    offices_start(o);
    struct desk d;
    desk_sit(&d, o, o->w->actor[0].party->id, "1");
    assert_int_equal(desk_ask(&d, "status", NULL, "%s", ""), 0);
    desk_leave(&d);
}

static void file_at_the_path_is_left_alone(void **state)
{
    struct offices *o = *state;
    struct control *c = NULL;
    offices_stop(o);
    control_close(o->control[0]);
    FILE *f = fopen(o->path[0], "w");
    assert_non_null(f);
    fclose(f);
    assert_int_equal(control_open(o->w->actor[0].node, &c), COMITY_E_EXISTS);
    assert_int_equal(unlink(o->path[0]), 0);
    office_open(o, 0);
}

static int raw_connect(struct offices *o)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_true(strlen(o->path[0]) < sizeof address.sun_path);
    memcpy(address.sun_path, o->path[0], strlen(o->path[0]));
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void length_beyond_the_limit_ends_the_connection(void **state)
{
    int fd = raw_connect(*state);
    uint8_t length[4];
    uint8_t answer[512];
    put_u32be(length, CONTROL_BYTES_MAX + 1);
    assert_int_equal(write(fd, length, 4), 4);
    ssize_t n = 0;
    bool told = false;
    while ((n = read(fd, answer, sizeof answer)) > 0)
        told = told || memmem(answer, (size_t)n, "too_large", 9);
    assert_int_equal(n, 0);
    assert_true(told);
    close(fd);
}

static void bytes_that_are_no_request_are_refused(void **state)
{
    int fd = raw_connect(*state);
    uint8_t answer[512];
    assert_int_equal(write(fd, "\0\0\0\4abcd", 8), 8);
    ssize_t n = read(fd, answer, sizeof answer);
    assert_true(n > 0);
    assert_non_null(memmem(answer, (size_t)n, "\"exit\":12", 9));
    close(fd);
}

/* A request cut into single bytes is one request. */
static void request_in_pieces_is_answered_once(void **state)
{
    int fd = raw_connect(*state);
    struct buf message = BUF_INIT;
    uint8_t answer[4096];
    buf_put_u32be(&message, 0);
    const struct control_request r = {.id = 7, .method = bytes_of("status")};
    assert_int_equal(control_request_encode(&r, &message), 0);
    put_u32be(message.data, (uint32_t)message.len - 4);
    for (size_t i = 0; i < message.len; i++) {
        assert_int_equal(write(fd, message.data + i, 1), 1);
        usleep(100);
    }
    ssize_t n = read(fd, answer, sizeof answer);
    assert_true(n > 4);
    assert_int_equal(get_u32be(answer), n - 4);
    buf_free(&message);
    close(fd);
}

static void connections_beyond_the_limit_wait(void **state)
{
    struct offices *o = *state;
    int fds[70];
    for (size_t i = 0; i < 70; i++)
        fds[i] = raw_connect(o);
    for (size_t i = 0; i < 10; i++)
        close(fds[i]);
    struct buf message = BUF_INIT;
    uint8_t answer[4096];
    buf_put_u32be(&message, 0);
    const struct control_request r = {.id = 7, .method = bytes_of("status")};
    assert_int_equal(control_request_encode(&r, &message), 0);
    put_u32be(message.data, (uint32_t)message.len - 4);
    assert_int_equal(write(fds[69], message.data, message.len), message.len);
    assert_true(read(fds[69], answer, sizeof answer) > 4);
    for (size_t i = 10; i < 70; i++)
        close(fds[i]);
    buf_free(&message);
}

/* ---- calls ---- */

static void unknown_method_is_unsupported(void **state)
{
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(desk_ask(&d, "case.eat", NULL, "%s", "{}"), COMITY_E_UNSUPPORTED);
    assert_string_equal(answer_text(&d, "code"), "unsupported");
    assert_string_equal(answer_text(&d, "field"), "method");
    desk_leave(&d);
}

static void unknown_argument_is_named(void **state)
{
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(desk_ask(&d, "case.list", NULL, "{'limt':3}"), COMITY_E_USAGE);
    assert_string_equal(answer_text(&d, "field"), "limt");
    assert_int_equal(answer_number(&d, "exit"), 2);
    assert_int_equal(desk_ask(&d, "case.list", NULL, "{'limit':'x'}"), COMITY_E_USAGE);
    assert_string_equal(answer_text(&d, "field"), "limit");
    assert_int_equal(desk_ask(&d, "case.list", NULL, "[1]"), COMITY_E_USAGE);
    assert_int_equal(desk_ask(&d, "case.list", NULL, "{"), COMITY_E_USAGE);
    assert_int_equal(desk_ask(&d, "case.list", NULL, "{'limit':0}"), COMITY_E_USAGE);
    desk_leave(&d);
}

static void field_that_a_method_does_not_take_is_refused(void **state)
{
    struct desk d;
    const struct comity_call with = {.salt = {"01234567890123456789012345678901", 32}};
    desk_sit(&d, *state, HANGZHOU, "1");
    assert_int_equal(desk_ask(&d, "status", &with, "%s", ""), COMITY_E_USAGE);
    assert_string_equal(answer_text(&d, "field"), "salt");
    desk_leave(&d);
}

static void status_says_how_things_stand(void **state)
{
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "1");
    desk_ask(&d, "status", NULL, "%s", "");
    assert_answered(&d);
    assert_string_equal(answer_text(&d, "member"), HANGZHOU);
    assert_string_equal(answer_text(&d, "network"), "test-net");
    assert_int_equal(json_integer_value(answer_at(&d, "roster.number")), 1);
    assert_true(json_integer_value(answer_at(&d, "ledger.size")) >= 1);
    assert_non_null(answer_at(&d, "own.unsigned"));
    assert_non_null(answer_at(&d, "outbox.parcels"));
    desk_leave(&d);
}

static void members_are_found_by_id_name_and_part(void **state)
{
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "1");
    desk_ask(&d, "member.list", NULL, "{'role':'bureau','limit':2}");
    assert_answered(&d);
    assert_int_equal(json_array_size(answer_at(&d, "items")), 2);
    assert_string_equal(text_at(&d, "items.0.id"), HANGZHOU);
    assert_string_equal(text_at(&d, "next"), SHENZHEN);
    desk_ask(&d, "member.list", NULL, "{'role':'bureau','limit':2,'after':'%s'}", SHENZHEN);
    assert_int_equal(json_array_size(answer_at(&d, "items")), 1);
    assert_true(json_is_null(answer_at(&d, "next")));
    desk_ask(&d, "member.find", NULL, "{'q':'100-0'}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 2);
    desk_ask(&d, "member.find", NULL, "{'q':'hub'}");
    assert_string_equal(text_at(&d, "items.0.role"), "broker");
    desk_leave(&d);
}

/* ---- officers ---- */

static void officer_is_enrolled_once_and_retired_once(void **state)
{
    struct desk d;
    desk_sit(&d, *state, HANGZHOU, "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), 0);
    assert_string_equal(answer_text(&d, "licence"), "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), COMITY_E_EXISTS);
    desk_ask(&d, "key.list", NULL, "%s", "{}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 1);
    assert_string_equal(text_at(&d, "items.0.roles.0"), "officer");
    assert_int_equal(desk_ask(&d, "key.retire", NULL, "{'licence':'33010012345'}"), 0);
    assert_int_equal(desk_ask(&d, "key.retire", NULL, "{'licence':'33010012345'}"),
                     COMITY_E_RETIRED);
    assert_int_equal(desk_ask(&d, "key.retire", NULL, "{'licence':'4711'}"), COMITY_E_NOT_FOUND);
    desk_ask(&d, "key.list", NULL, "%s", "{}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 0);
    desk_ask(&d, "key.list", NULL, "{'all':true}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 1);
    assert_true(json_is_false(answer_at(&d, "items.0.in_force")));
    assert_int_equal(desk_enrol(&d, "'approver'"), 0);
    desk_leave(&d);
}

static void enrolment_for_another_ledger_is_refused(void **state)
{
    struct desk at_home;
    struct desk d;
    struct buf note = BUF_INIT;
    desk_sit(&at_home, *state, SHENZHEN, "44030099999");
    desk_sit(&d, *state, HANGZHOU, "1");
    put_enrolment(&at_home, &note);
    const struct comity_bytes notes[] = {{note.data, note.len}};
    const struct comity_call with = {.notes = notes, .note_count = 1};
    assert_int_equal(desk_ask(&d, "key.add", &with, "{'roles':['officer']}"), COMITY_E_INVALID);
    assert_int_equal(desk_ask(&d, "key.add", NULL, "{'roles':['officer']}"), COMITY_E_USAGE);
    note.data[note.len - 5] ^= 1;
    const struct comity_call bent = {.notes = notes, .note_count = 1};
    assert_true(desk_ask(&at_home, "key.add", &bent, "{'roles':['officer']}") < 0);
    assert_int_equal(desk_enrol(&at_home, "'king'"), COMITY_E_INVALID);
    assert_int_equal(desk_enrol(&at_home, ""), COMITY_E_INVALID);
    buf_free(&note);
    desk_leave(&d);
    desk_leave(&at_home);
}

/* ---- records ---- */

static void case_is_recorded_and_listed(void **state)
{
    struct desk d;
    struct paper p;
    char ref[64];
    const struct record r = case_record("儿童座椅案");
    desk_sit(&d, *state, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), 0);
    assert_string_equal(answer_text(&d, "kind"), "CASE");
    snprintf(ref, sizeof ref, "%s", answer_text(&d, "ref"));
    desk_ask(&d, "case.list", NULL, "{'q':'座椅'}");
    assert_string_equal(text_at(&d, "items.0.ref"), ref);
    assert_string_equal(text_at(&d, "items.0.filed"), "2026-03-02T10:00:00+08:00");
    desk_ask(&d, "case.list", NULL, "{'q':'自行车'}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 0);
    desk_ask(&d, "case.show", NULL, "{'doc_no':'杭市监立〔2026〕17号'}");
    assert_answered(&d);
    assert_string_equal(answer_text(&d, "ref"), ref);
    assert_string_equal(text_at(&d, "record.case_content.title"), "儿童座椅案");
    assert_string_equal(text_at(&d, "timeline.0.what"), "case");
    paper_free(&p);
    desk_leave(&d);
}

static void case_of_one_number_is_filed_once_unless_told_otherwise(void **state)
{
    struct desk d;
    struct paper p;
    struct record r = case_record("第一次");
    desk_sit(&d, *state, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), 0);
    long long first = answer_number(&d, "index");
    char reason[64];
    snprintf(reason, sizeof reason, "entry %lld", first);
    assert_int_equal(paper_add(&d, &p, "{}"), COMITY_E_EXISTS);
    assert_string_equal(answer_text(&d, "field"), "doc_no");
    assert_non_null(strstr(answer_text(&d, "message"), reason));
    assert_int_equal(paper_add(&d, &p, "{\"anew\":true}"), 0);
    r.doc_no = BYTES_NONE; /* without a number there is nothing to be one of */
    paper_free(&p);
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), 0);
    assert_int_equal(paper_add(&d, &p, "{}"), 0);
    paper_free(&p);
    desk_leave(&d);
}

static void what_lies_in_the_future_was_not_filed(void **state)
{
    struct offices *o = *state;
    struct desk d;
    struct paper p;
    struct record r = case_record("将来");
    struct buf time = BUF_INIT;
    desk_sit(&d, o, HANGZHOU, "1");
    pthread_mutex_lock(&o->lock);
    int64_t now = o->w->ms;
    pthread_mutex_unlock(&o->lock);
    text_put_time_china(&time, now + 20 * 60 * 1000);
    r.u.case_content.filed = buf_bytes(&time);
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), COMITY_E_INVALID);
    assert_string_equal(answer_text(&d, "field"), "case_content.filed");
    paper_free(&p);
    buf_reset(&time);
    text_put_time_china(&time, now + 5 * 60 * 1000); /* clocks differ */
    r.u.case_content.filed = buf_bytes(&time);
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), 0);
    paper_free(&p);
    buf_free(&time);
    desk_leave(&d);
}

static void same_request_gives_the_same_place(void **state)
{
    struct offices *o = *state;
    struct desk d;
    struct paper p;
    const struct record r = case_record("案一");
    const struct record other = case_record("案二");
    desk_sit(&d, o, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{\"request_id\":\"r1\"}"), 0);
    long long index = answer_number(&d, "index");
    assert_true(json_is_false(json_object_get(d.answer, "again")));
    assert_int_equal(paper_add(&d, &p, "{\"request_id\":\"r1\"}"), 0);
    assert_int_equal(answer_number(&d, "index"), index);
    assert_true(json_is_true(json_object_get(d.answer, "again")));
    assert_int_equal(paper_add(&d, &p, "{\"request_id\":\"r1\",\"to\":[\"" SHENZHEN "\"]}"),
                     COMITY_E_REQUEST_CONFLICT);
    paper_free(&p);
    paper_write(&p, &d, &other);
    assert_int_equal(paper_add(&d, &p, "{\"request_id\":\"r1\"}"), COMITY_E_REQUEST_CONFLICT);
    assert_int_equal(desk_ask(&d, "request.find", NULL, "{'request_id':'r1'}"), 0);
    assert_int_equal(answer_number(&d, "index"), index);
    assert_int_equal(desk_ask(&d, "request.find", NULL, "{'request_id':'r2'}"), COMITY_E_NOT_FOUND);
    paper_free(&p);
    desk_leave(&d);
}

/* Many at once, some of them twice: every id has one entry, and every call one answer. */
static void pipelined_requests_are_each_done_once(void **state)
{
    enum { CALLS = 600 };
    struct offices *o = *state;
    struct desk d;
    struct paper p;
    struct record r = case_record("批量");
    long long index[CALLS / 2] = {0};
    char json[64];
    desk_sit(&d, o, HANGZHOU, "1");
    r.doc_no = BYTES_NONE; /* one case of a number */
    paper_write(&p, &d, &r);
    for (size_t i = 0; i < CALLS; i++) {
        snprintf(json, sizeof json, "{\"request_id\":\"r%zu\"}", i / 2);
        const struct comity_call call = {.method = "record.add",
                                         .json = json,
                                         .record = {p.record.data, p.record.len},
                                         .salt = {p.salt, SALT_LEN}};
        assert_int_equal(comity_client_send(d.client, &call, NULL), 0);
    }
    for (size_t i = 0; i < CALLS; i++) {
        struct comity_reply reply;
        assert_int_equal(comity_client_receive(d.client, 20000, &reply), 0);
        desk_keep(&d, reply.err, &reply);
        assert_answered(&d);
        size_t which = (size_t)(reply.id - 1) / 2;
        assert_in_range(which, 0, CALLS / 2 - 1);
        if (index[which])
            assert_int_equal(index[which], answer_number(&d, "index"));
        index[which] = answer_number(&d, "index");
    }
    assert_int_equal(comity_client_in_flight(d.client), 0);
    struct comity_reply none;
    assert_int_equal(comity_client_receive(d.client, 0, &none), COMITY_E_STATE);
    pthread_mutex_lock(&o->lock);
    assert_int_equal(entries_of(actor_of(o->w, HANGZHOU), ENTRY_RECORD), CALLS / 2);
    pthread_mutex_unlock(&o->lock);
    paper_free(&p);
    desk_leave(&d);
}

static void record_that_breaks_a_rule_names_its_field(void **state)
{
    struct desk d;
    struct paper p;
    struct record r = case_record("案");
    r.u.case_content.platform_domicile.division = bytes_of("990000");
    desk_sit(&d, *state, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{}"), COMITY_E_DIVISION);
    assert_string_equal(answer_text(&d, "field"), "case_content.platform_domicile.division");
    assert_int_equal(answer_number(&d, "exit"), 3);
    paper_free(&p);
    desk_leave(&d);
}

static void recipients_must_be_other_bureaus(void **state)
{
    struct desk d;
    struct paper p;
    const struct record r = case_record("案");
    desk_sit(&d, *state, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    assert_int_equal(paper_add(&d, &p, "{\"to\":[\"999999-001\"]}"), COMITY_E_UNKNOWN_MEMBER);
    assert_int_equal(paper_add(&d, &p, "{\"to\":[\"hub\"]}"), COMITY_E_UNKNOWN_MEMBER);
    assert_int_equal(paper_add(&d, &p, "{\"to\":[\"" HANGZHOU "\"]}"), COMITY_E_RECIPIENTS);
    assert_int_equal(paper_add(&d, &p, "{\"to\":[\"" SHENZHEN "\",\"" SHENZHEN "\"]}"),
                     COMITY_E_RECIPIENTS);
    paper_free(&p);
    desk_leave(&d);
}

/* ---- the ledger ---- */

static void ledger_is_shown_as_it_stands(void **state)
{
    struct offices *o = *state;
    struct desk d;
    desk_sit(&d, o, HANGZHOU, "33010012345");
    assert_int_equal(desk_enrol(&d, "'officer'"), 0);
    long long index = answer_number(&d, "index");
    desk_ask(&d, "ledger.entry", NULL, "{'index':%lld}", index);
    assert_answered(&d);
    assert_string_equal(answer_text(&d, "kind"), "KEY");
    assert_string_equal(text_at(&d, "body.roles.0"), "officer");
    struct hash leaf;
    uint8_t said[HASH_LEN];
    hash_leaf(suite_get(SUITE_1), buf_bytes(&d.chunk), &leaf);
    assert_int_equal(text_get_base64_exact(bytes_of(answer_text(&d, "leaf")), said, HASH_LEN), 0);
    assert_memory_equal(said, leaf.b, HASH_LEN);
    desk_ask(&d, "ledger.log", NULL, "{'from':0,'count':1}");
    assert_int_equal(json_array_size(answer_at(&d, "items")), 1);
    assert_string_equal(text_at(&d, "next"), "1");
    assert_string_equal(text_at(&d, "items.0.kind"), "NOTE");
    assert_int_equal(desk_ask(&d, "ledger.entry", NULL, "{'index':99999}"), COMITY_E_NOT_FOUND);
    assert_int_equal(desk_ask(&d, "ledger.entry", NULL, "%s", "{}"), COMITY_E_USAGE);
    assert_int_equal(desk_ask(&d, "record.get", NULL, "{'ref':'0'}"), COMITY_E_NOT_FOUND);
    assert_int_equal(desk_ask(&d, "record.get", NULL, "{'ref':'a b'}"), COMITY_E_REF);
    desk_leave(&d);
}

/* ---- when it is answered ---- */

static void appended_is_answered_behind_the_commit(void **state)
{
    struct offices *o = *state;
    struct desk d;
    struct paper p;
    struct turn *t = NULL;
    struct node_out out = {0};
    const struct node_in in = {0};
    struct link_poll_item items[128];
    struct comity_reply r;
    const struct record record = case_record("案");
    desk_sit(&d, o, HANGZHOU, "1");
    desk_ask(&d, "status", NULL, "%s", "");
    offices_stop(o);
    struct control *c = o->control[d.at];
    struct node *n = actor_of(o->w, HANGZHOU)->node;
    paper_write(&p, &d, &record);
    const struct comity_call call = {.method = "record.add",
                                     .record = {p.record.data, p.record.len},
                                     .salt = {p.salt, SALT_LEN}};
    assert_int_equal(comity_client_send(d.client, &call, NULL), 0);
    assert_int_equal(comity_client_flush(d.client), 0);
    uint64_t size = ledger_size(n->ledger);
    size_t count = control_poll(c, items, 128);
    assert_int_equal(link_poll(items, count, 1000), 0);
    assert_int_equal(node_begin(n, &t), 0);
    control_take(c, t, items, count);
    control_settle(c);
    assert_int_equal(comity_client_receive(d.client, 0, &r), COMITY_E_TIMEOUT);
    assert_int_equal(ledger_size(n->ledger), size);
    assert_int_equal(node_step(n, &in, &out), 0);
    assert_true(ledger_signed_size(n->ledger) > size);
    control_settle(c);
    assert_int_equal(comity_client_receive(d.client, 0, &r), 0);
    assert_int_equal(r.err, 0);
    node_out_free(&out);
    paper_free(&p);
    desk_leave(&d);
}

/* Who does not take his answers is not read from. */
static void replies_not_taken_hold_up_their_connection_alone(void **state)
{
    enum { CALLS = 4000 };
    struct offices *o = *state;
    struct buf message = BUF_INIT;
    struct desk d;
    int fd = raw_connect(o);
    size_t sent = 0;
    buf_put_u32be(&message, 0);
    const struct control_request r = {.id = 7, .method = bytes_of("status")};
    assert_int_equal(control_request_encode(&r, &message), 0);
    put_u32be(message.data, (uint32_t)message.len - 4);
    for (size_t quiet = 0; quiet < 40 && sent < 40 * CALLS;) {
        ssize_t n = send(fd, message.data, message.len, MSG_DONTWAIT);
        sent += n > 0;
        quiet = n > 0 ? 0 : quiet + 1;
        if (n <= 0)
            usleep(5000);
    }
    assert_true(sent < 40 * CALLS);
    pthread_mutex_lock(&o->lock);
    for (size_t i = 0; i < o->control[0]->conn_count; i++)
        assert_in_range(o->control[0]->conn[i]->out.len, 1, 2 * CONTROL_OUT_MAX);
    pthread_mutex_unlock(&o->lock);
    desk_sit(&d, o, o->w->actor[0].party->id, "1");
    assert_int_equal(desk_ask(&d, "status", NULL, "%s", ""), 0);
    desk_leave(&d);
    close(fd);
    buf_free(&message);
}

static void lists_go_on_where_the_page_ended(void **state)
{
    struct desk d;
    struct paper p;
    char after[64] = "";
    long long last = INT64_MAX;
    size_t seen = 0;
    const struct record r = case_record("案");
    desk_sit(&d, *state, HANGZHOU, "1");
    paper_write(&p, &d, &r);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(paper_add(&d, &p, "{\"anew\":true}"), 0);
    for (size_t page = 0; page < 3; page++) {
        desk_ask(&d, "case.list", NULL, *after ? "{'limit':2,'after':'%s'}" : "{'limit':2}%s",
                 after);
        assert_answered(&d);
        for (size_t i = 0; i < json_array_size(answer_at(&d, "items")); i++, seen++) {
            json_t *item = json_array_get(answer_at(&d, "items"), i);
            long long index = json_integer_value(json_object_get(item, "index"));
            assert_true(index < last);
            last = index;
        }
        snprintf(after, sizeof after, "%s", text_at(&d, "next"));
    }
    assert_int_equal(seen, 5);
    assert_string_equal(after, "");
    assert_int_equal(desk_ask(&d, "case.list", NULL, "{'after':'x'}"), COMITY_E_USAGE);
    paper_free(&p);
    desk_leave(&d);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)
    const struct CMUnitTest tests[] = {
        TEST(socket_is_for_the_group),
        TEST(stale_socket_is_replaced),
        TEST(file_at_the_path_is_left_alone),
        TEST(length_beyond_the_limit_ends_the_connection),
        TEST(bytes_that_are_no_request_are_refused),
        TEST(request_in_pieces_is_answered_once),
        TEST(connections_beyond_the_limit_wait),
        TEST(unknown_method_is_unsupported),
        TEST(unknown_argument_is_named),
        TEST(field_that_a_method_does_not_take_is_refused),
        TEST(status_says_how_things_stand),
        TEST(members_are_found_by_id_name_and_part),
        TEST(officer_is_enrolled_once_and_retired_once),
        TEST(enrolment_for_another_ledger_is_refused),
        TEST(case_is_recorded_and_listed),
        TEST(case_of_one_number_is_filed_once_unless_told_otherwise),
        TEST(what_lies_in_the_future_was_not_filed),
        TEST(same_request_gives_the_same_place),
        TEST(pipelined_requests_are_each_done_once),
        TEST(record_that_breaks_a_rule_names_its_field),
        TEST(recipients_must_be_other_bureaus),
        TEST(ledger_is_shown_as_it_stands),
        TEST(appended_is_answered_behind_the_commit),
        TEST(replies_not_taken_hold_up_their_connection_alone),
        TEST(lists_go_on_where_the_page_ended),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
