/*
 * The control socket: who gets what answers, what is refused and why, and that nothing is answered twice, lost, or before it
 * is durable.
 */
#include "office.h"

#include "base/text.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

/* Two collectors and a reviewer in Hangzhou, one reviewer in Shenzhen. */
struct staff {
    struct desk wang, li, sun, shen;
    struct record_officer collectors[2];
};

static void staff_come(struct staff *s, struct offices *o)
{
    desk_sit(&s->wang, o, HANGZHOU, "33010012345");
    desk_sit(&s->li, o, HANGZHOU, "33010012346");
    desk_sit(&s->sun, o, HANGZHOU, "33010012347");
    desk_sit(&s->shen, o, SHENZHEN, "44030099999");
    s->collectors[0] = (struct record_officer){bytes_of("王芳"), bytes_of("33010012345")};
    s->collectors[1] = (struct record_officer){bytes_of("李强"), bytes_of("33010012346")};
    assert_int_equal(desk_enrol(&s->wang, "'officer'"), 0);
    assert_int_equal(desk_enrol(&s->li, "'officer'"), 0);
    assert_int_equal(desk_enrol(&s->sun, "'reviewer','officer'"), 0);
    assert_int_equal(desk_enrol(&s->shen, "'reviewer'"), 0);
}

static void staff_go(struct staff *s)
{
    desk_leave(&s->wang);
    desk_leave(&s->li);
    desk_leave(&s->sun);
    desk_leave(&s->shen);
}

/* Evidence signed by both collectors, added with ${args}. */
static int add_evidence(struct staff *s, const char *args)
{
    struct paper p;
    const struct record r = evidence_record(s->collectors, NULL);
    paper_write(&p, &s->wang, &r);
    paper_sign(&p, &s->wang, SIGNATURE_COLLECTOR);
    paper_sign(&p, &s->li, SIGNATURE_COLLECTOR);
    int err = paper_add(&s->wang, &p, args);
    paper_free(&p);
    return err;
}

/* Wait, by the node's own means, until the entry that was just added is received. */
static void await_received(struct desk *d)
{
    char ref[64];
    snprintf(ref, sizeof ref, "%s", answer_text(d, "ref"));
    desk_ask(d, "wait", NULL, "{'ref':'%s','stage':'received','timeout_ms':20000}", ref);
    assert_answered(d);
    assert_string_equal(answer_text(d, "stage"), "received");
}

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
    const struct record r = case_record("批量");
    long long index[CALLS / 2] = {0};
    char json[64];
    desk_sit(&d, o, HANGZHOU, "1");
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

/* ---- evidence ---- */

static void evidence_needs_two_collectors_to_be_sent(void **state)
{
    struct staff s;
    struct paper p;
    staff_come(&s, *state);
    const struct record r = evidence_record(s.collectors, NULL);
    paper_write(&p, &s.wang, &r);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_UNSIGNED);
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{\"to\":[\"" SHENZHEN "\"]}"), COMITY_E_COLLECTORS);
    assert_string_not_equal(answer_text(&s.wang, "hint"), "");
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{\"to\":[\"" SHENZHEN "\"]}"), COMITY_E_COLLECTORS);
    paper_free(&p);
    staff_go(&s);
}

static void signatures_are_held_against_the_keys_in_force(void **state)
{
    struct staff s;
    struct paper p;
    struct desk stranger;
    staff_come(&s, *state);
    desk_sit(&stranger, *state, HANGZHOU, "777");
    const struct record r = evidence_record(s.collectors, NULL);

    paper_write(&p, &s.wang, &r); /* not enrolled */
    paper_sign(&p, &stranger, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_UNKNOWN_KEY);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* enrolled, but not named by the record */
    paper_sign(&p, &s.sun, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_COLLECTORS);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* not a reviewer */
    paper_sign(&p, &s.wang, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_ROLE);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* over another record */
    p.hash.b[0] ^= 1;
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_SIGNATURE);
    paper_free(&p);

    assert_int_equal(desk_ask(&s.li, "key.retire", NULL, "{'licence':'%s'}", s.wang.licence), 0);
    paper_write(&p, &s.wang, &r); /* retired */
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_RETIRED);
    assert_string_equal(answer_text(&s.wang, "field"), "notes[0]");
    paper_free(&p);
    desk_leave(&stranger);
    staff_go(&s);
}

static void evidence_that_was_sent_is_received_and_tracked(void **state)
{
    struct staff s;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.wang);
    assert_string_equal(answer_text(&s.wang, "stage"), "received");
    assert_string_equal(text_at(&s.wang, "recipients.0.member"), SHENZHEN);
    assert_string_equal(text_at(&s.wang, "recipients.0.accepted.broker"), "test-net/hub");
    assert_memory_equal(text_at(&s.wang, "recipients.0.received.ref"), SHENZHEN "/", 11);
    assert_string_equal(text_at(&s.wang, "chain.0.stage"), "recorded");
    assert_int_equal(json_array_size(answer_at(&s.wang, "signatures")), 2);
    assert_true(json_is_true(answer_at(&s.wang, "signatures.1.valid")));
    /* … and on the other side */
    desk_ask(&s.shen, "inbox.list", NULL, "%s", "{}");
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "items.0.ref"), ref);
    assert_string_equal(text_at(&s.shen, "items.0.sender"), HANGZHOU);
    desk_ask(&s.shen, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_true(json_is_true(answer_at(&s.shen, "signatures.0.valid")));
    assert_true(json_is_true(answer_at(&s.shen, "signatures.1.valid")));
    desk_ask(&s.shen, "track", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "arrived.sender"), HANGZHOU);
    desk_ask(&s.shen, "key.list", NULL, "{'origin':'test-net/%s'}", HANGZHOU);
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 2);
    staff_go(&s);
}

static void second_collector_signs_and_then_it_is_shared(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    const struct record r = evidence_record(s.collectors, NULL);
    paper_write(&p, &s.wang, &r);
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    desk_ask(&s.wang, "status", NULL, "%s", "");
    assert_int_equal(json_integer_value(answer_at(&s.wang, "own.unsigned")), 1);
    assert_int_equal(desk_ask(&s.wang, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, SHENZHEN),
                     COMITY_E_COLLECTORS);

    struct buf note = BUF_INIT;
    put_signature(&s.li, desk_origin(&s.li), RECORD_EVIDENCE, SIGNATURE_COLLECTOR, &p.hash, &note);
    const struct comity_bytes notes[] = {{note.data, note.len}};
    const struct comity_call with = {.notes = notes, .note_count = 1};
    desk_ask(&s.li, "record.sign", &with, "{'ref':'%s'}", ref);
    assert_answered(&s.li);
    assert_int_equal(answer_number(&s.li, "signatures"), 2);
    assert_int_equal(desk_ask(&s.li, "record.sign", &with, "{'ref':'%s'}", ref), COMITY_E_EXISTS);
    desk_ask(&s.wang, "status", NULL, "%s", "");
    assert_int_equal(json_integer_value(answer_at(&s.wang, "own.unsigned")), 0);

    desk_ask(&s.wang, "record.share", NULL, "{'ref':'%s','to':['%s'],'request_id':'x'}", ref,
             SHENZHEN);
    assert_answered(&s.wang);
    long long index = answer_number(&s.wang, "index");
    desk_ask(&s.li, "record.share", NULL, "{'ref':'%s','to':['%s'],'request_id':'x'}", ref, SHENZHEN);
    assert_int_equal(answer_number(&s.li, "index"), index);
    assert_true(json_is_true(answer_at(&s.li, "again")));
    assert_int_equal(desk_ask(&s.li, "record.share", NULL,
                              "{'ref':'%s','to':['%s'],'request_id':'x'}", ref, CHENGDU),
                     COMITY_E_REQUEST_CONFLICT);
    await_received(&s.wang);
    desk_ask(&s.shen, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_int_equal(json_array_size(answer_at(&s.shen, "signatures")), 2);
    assert_true(json_is_true(answer_at(&s.shen, "signatures.1.valid")));
    buf_free(&note);
    paper_free(&p);
    staff_go(&s);
}

/* What came from Hangzhou goes on to Chengdu, with everything that proves it. */
static void received_evidence_is_shared_on(void **state)
{
    struct staff s;
    struct desk chengdu;
    char ref[64];
    staff_come(&s, *state);
    desk_sit(&chengdu, *state, CHENGDU, "1");
    /* Neighbours in the same parcel, so that its proof must be narrowed. */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.shen, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, CHENGDU);
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "record.ref"), ref);
    await_received(&s.shen);
    desk_ask(&chengdu, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&chengdu);
    assert_string_equal(answer_text(&chengdu, "sender"), SHENZHEN);
    assert_true(json_is_true(answer_at(&chengdu, "signatures.0.valid")));
    /* … and from there on again: an enclosure is enclosed. */
    desk_ask(&chengdu, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, HANGZHOU);
    assert_answered(&chengdu);
    await_received(&chengdu);
    staff_go(&s);
    desk_leave(&chengdu);
}

static void recognise(struct desk *d, const char *ref, const char *licence, struct paper *p)
{
    struct record_recognition r = {.decision = DECISION_VERIFIED,
                                   .basis = bytes_of("核对原件"),
                                   .reviewer = {bytes_of("沈"), bytes_of(licence)}};
    uint8_t hash[HASH_LEN], leaf[HASH_LEN];
    desk_ask(d, "record.get", NULL, "{'ref':'%s'}", ref);
    assert_answered(d);
    assert_int_equal(text_get_hex(bytes_of(answer_text(d, "record_hash")), hash, HASH_LEN), 0);
    assert_int_equal(text_get_base64_exact(bytes_of(answer_text(d, "leaf")), leaf, HASH_LEN), 0);
    r.record_hash = BYTES(hash, HASH_LEN);
    r.evidence = (struct record_ref){bytes_of(answer_text(d, "origin")),
                                     (uint64_t)answer_number(d, "index"), BYTES(leaf, HASH_LEN)};
    static const struct bytes test = {(const uint8_t *)"sha256", 6};
    r.tests = &test;
    r.test_count = 1;
    const struct record record = {.kind = RECORD_RECOGNITION,
                                  .schema = RECORD_SCHEMA,
                                  .created = bytes_of("2026-03-03T10:15:00+08:00"),
                                  .u.recognition = r};
    paper_write(p, d, &record);
}

static void recognition_travels_back_to_who_collected(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.shen, "evidence.list", NULL, "{'unrecognised':true}");
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 1);
    recognise(&s.shen, ref, s.shen.licence, &p);
    assert_int_equal(paper_add(&s.shen, &p, "{}"), COMITY_E_UNSIGNED);
    paper_sign(&p, &s.shen, SIGNATURE_REVIEWER);
    paper_add(&s.shen, &p, "{\"to\":[\"" HANGZHOU "\"]}");
    assert_answered(&s.shen);
    await_received(&s.shen);
    desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'recognised','timeout_ms':20000}", ref);
    assert_answered(&s.wang);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_string_equal(answer_text(&s.wang, "stage"), "recognised");
    assert_string_equal(text_at(&s.wang, "recipients.0.recognised.0.decision"), "VERIFIED");
    desk_ask(&s.wang, "recognition.list", NULL, "{'evidence':'%s'}", ref);
    assert_string_equal(text_at(&s.wang, "items.0.reviewer.licence"), s.shen.licence);
    desk_ask(&s.shen, "evidence.list", NULL, "{'unrecognised':true}");
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 0);
    desk_ask(&s.shen, "evidence.list", NULL, "%s", "{}");
    assert_string_equal(text_at(&s.shen, "items.0.decision"), "VERIFIED");
    paper_free(&p);
    staff_go(&s);
}

static void reviewer_is_no_collector_and_the_evidence_is_that_one(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(desk_ask(&s.li, "key.retire", NULL, "{'licence':'%s'}", s.li.licence), 0);
    assert_int_equal(desk_enrol(&s.li, "'officer','reviewer'"), 0);
    assert_int_equal(add_evidence(&s, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    recognise(&s.li, ref, s.li.licence, &p);
    paper_sign(&p, &s.li, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.li, &p, "{}"), COMITY_E_REVIEWER);
    paper_free(&p);
    recognise(&s.sun, ref, s.li.licence, &p); /* signed by another than the one named */
    paper_sign(&p, &s.sun, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.sun, &p, "{}"), COMITY_E_REVIEWER);
    paper_free(&p);
    recognise(&s.sun, ref, s.sun.licence, &p);
    paper_sign(&p, &s.sun, SIGNATURE_REVIEWER);
    paper_add(&s.sun, &p, "{}");
    assert_answered(&s.sun);
    paper_free(&p);
    staff_go(&s);
}

/* ---- waiting ---- */

static void wait_gives_up_in_time(void **state)
{
    struct offices *o = *state;
    struct staff s;
    char ref[64];
    staff_come(&s, o);
    pthread_mutex_lock(&o->lock);
    o->w->cut = true;
    pthread_mutex_unlock(&o->lock);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    int64_t began = real_ms();
    assert_int_equal(desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'accepted','timeout_ms':50}",
                              ref),
                     COMITY_E_TIMEOUT);
    assert_true(real_ms() - began >= 45);
    assert_int_equal(answer_number(&s.wang, "exit"), 6);
    assert_int_equal(add_evidence(&s, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    assert_int_equal(desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'accepted'}", ref),
                     COMITY_E_STATE);
    assert_int_equal(desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'eaten'}", ref),
                     COMITY_E_USAGE);
    staff_go(&s);
}

/* Other calls are answered while one waits. */
static void wait_does_not_hold_up_others(void **state)
{
    struct offices *o = *state;
    struct staff s;
    char json[200];
    uint64_t waiting = 0;
    struct comity_reply reply;
    staff_come(&s, o);
    pthread_mutex_lock(&o->lock);
    o->w->cut = true;
    pthread_mutex_unlock(&o->lock);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(json, sizeof json, "{\"ref\":\"%s\",\"stage\":\"accepted\",\"timeout_ms\":100}",
             answer_text(&s.wang, "ref"));
    const struct comity_call call = {.method = "wait", .json = json};
    assert_int_equal(comity_client_send(s.wang.client, &call, &waiting), 0);
    assert_int_equal(desk_ask(&s.wang, "status", NULL, "%s", ""), 0);
    assert_int_equal(comity_client_receive(s.wang.client, 5000, &reply), 0);
    assert_int_equal(reply.id, waiting);
    assert_int_equal(reply.err, COMITY_E_TIMEOUT);
    /* Who goes while he waits is forgotten. */
    assert_int_equal(comity_client_send(s.wang.client, &call, NULL), 0);
    assert_int_equal(comity_client_flush(s.wang.client), 0);
    staff_go(&s);
    usleep(150 * 1000);
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
        TEST(same_request_gives_the_same_place),
        TEST(pipelined_requests_are_each_done_once),
        TEST(record_that_breaks_a_rule_names_its_field),
        TEST(recipients_must_be_other_bureaus),
        TEST(evidence_needs_two_collectors_to_be_sent),
        TEST(signatures_are_held_against_the_keys_in_force),
        TEST(evidence_that_was_sent_is_received_and_tracked),
        TEST(second_collector_signs_and_then_it_is_shared),
        TEST(received_evidence_is_shared_on),
        TEST(recognition_travels_back_to_who_collected),
        TEST(reviewer_is_no_collector_and_the_evidence_is_that_one),
        TEST(wait_gives_up_in_time),
        TEST(wait_does_not_hold_up_others),
        TEST(ledger_is_shown_as_it_stands),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
