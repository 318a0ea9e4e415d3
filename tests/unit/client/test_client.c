/*
 * The control client against a node that the test plays: replies in any order, in pieces, too late,
 * too long, or not at all.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "msg/control.h"

#include <comity/client.h>
#include <jansson.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- a node to be played ---- */

struct played {
    char dir[64];
    char path[96];
    int listen_fd;
    int fd; /* of the one who has connected */
    pthread_t thread;
    void (*play)(struct played *p);
    struct arena *arena;
    struct buf in;
    size_t at;
    comity_client *client;
};

static void read_all(int fd, uint8_t *to, size_t n)
{
    for (size_t got = 0; got < n;) {
        ssize_t r = read(fd, to + got, n - got);
        if (r <= 0)
            return;
        got += (size_t)r;
    }
}

/* The next request. */
static struct control_request take(struct played *p)
{
    struct control_request r = {0};
    uint8_t length[4] = {0};
    read_all(p->fd, length, 4);
    buf_reset(&p->in);
    uint8_t *room = buf_reserve(&p->in, get_u32be(length) + 1);
    read_all(p->fd, room, get_u32be(length));
    if (control_request_decode(p->arena, BYTES(room, get_u32be(length)), &r))
        r.id = UINT64_MAX;
    return r;
}

static void put_reply(struct buf *out, uint64_t id, int err, const char *json, bool more)
{
    const struct control_reply r = {.id = id, .err = err, .json = bytes_of(json), .more = more};
    size_t start = out->len;
    buf_put_u32be(out, 0);
    if (control_reply_encode(&r, out) == 0)
        put_u32be(out->data + start, (uint32_t)(out->len - start - 4));
}

static void give(struct played *p, uint64_t id, int err, const char *json)
{
    struct buf out = BUF_INIT;
    put_reply(&out, id, err, json, false);
    if (write(p->fd, out.data, out.len) < 0)
        fprintf(stderr, "nobody listens\n");
    buf_free(&out);
}

static void *run(void *arg)
{
    struct played *p = arg;
    p->fd = accept(p->listen_fd, NULL, NULL);
    p->play(p);
    close(p->fd);
    return NULL;
}

static struct played *played_new(void (*play)(struct played *p))
{
    struct played *p = calloc(1, sizeof *p);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    assert_non_null(p);
    p->play = play;
    p->arena = arena_new(8 << 20);
    strcpy(p->dir, "/tmp/comity-client-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    snprintf(p->path, sizeof p->path, "%s/node.sock", p->dir);
    memcpy(address.sun_path, p->path, strlen(p->path));
    p->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(p->listen_fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(p->listen_fd, 4), 0);
    assert_int_equal(pthread_create(&p->thread, NULL, run, p), 0);
    assert_int_equal(comity_client_open(p->path, &p->client), 0);
    return p;
}

static void played_free(struct played *p)
{
    comity_client_close(p->client);
    pthread_join(p->thread, NULL);
    close(p->listen_fd);
    unlink(p->path);
    rmdir(p->dir);
    arena_free(p->arena);
    buf_free(&p->in);
    free(p);
}

static bool says(const struct comity_reply *r, const char *code)
{
    json_t *json = json_loads(r->json, 0, NULL);
    const char *text = json_string_value(json_object_get(json, "code"));
    bool same = text && strcmp(text, code) == 0;
    json_decref(json);
    return same;
}

static const struct comity_call ping = {.method = "status"};

/* ---- calls ---- */

static void play_echo(struct played *p)
{
    for (size_t i = 0; i < 2; i++) {
        struct control_request r = take(p);
        give(p, r.id, 0, bytes_is(r.method, "status") ? "{\"a\":1}" : "{\"a\":2}");
    }
}

static void call_gets_its_reply(void **state)
{
    struct played *p = played_new(play_echo);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_call(p->client, &ping, &r), 0);
    assert_string_equal(r.json, "{\"a\":1}");
    assert_int_equal(r.json_len, 7);
    assert_false(r.more);
    const struct comity_call other = {.method = "other"};
    assert_int_equal(comity_client_call(p->client, &other, &r), 0);
    assert_string_equal(r.json, "{\"a\":2}");
    played_free(p);
}

static void play_refusal(struct played *p)
{
    give(p, take(p).id, COMITY_E_COLLECTORS, "{\"code\":\"collectors_missing\"}");
}

static void error_of_the_node_is_returned_with_its_words(void **state)
{
    struct played *p = played_new(play_refusal);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_call(p->client, &ping, &r), COMITY_E_COLLECTORS);
    assert_int_equal(r.err, COMITY_E_COLLECTORS);
    assert_true(says(&r, "collectors_missing"));
    played_free(p);
}

static void play_backwards(struct played *p)
{
    uint64_t id[3];
    for (size_t i = 0; i < 3; i++)
        id[i] = take(p).id;
    for (size_t i = 3; i-- > 0;)
        give(p, id[i], i == 1 ? COMITY_E_STATE : 0, i == 2 ? "{\"n\":3}" : "{}");
}

static void replies_in_another_order_find_their_calls(void **state)
{
    struct played *p = played_new(play_backwards);
    struct comity_reply r;
    uint64_t first = 0;
    uint64_t second = 0;
    (void)state;
    assert_int_equal(comity_client_send(p->client, &ping, &first), 0);
    assert_int_equal(comity_client_send(p->client, &ping, &second), 0);
    assert_int_equal(comity_client_call(p->client, &ping, &r), 0);
    assert_string_equal(r.json, "{\"n\":3}");
    assert_int_equal(comity_client_in_flight(p->client), 2);
    assert_int_equal(comity_client_receive(p->client, 5000, &r), 0);
    assert_int_equal(r.id, second);
    assert_int_equal(r.err, COMITY_E_STATE);
    assert_int_equal(comity_client_receive(p->client, 5000, &r), 0);
    assert_int_equal(r.id, first);
    assert_int_equal(comity_client_receive(p->client, 0, &r), COMITY_E_STATE);
    played_free(p);
}

/* The first reply comes while another call waits for its own: it is kept. */
static void play_in_order(struct played *p)
{
    uint64_t id[2] = {take(p).id, take(p).id};
    give(p, id[0], 0, "{\"n\":1}");
    give(p, id[1], 0, "{\"n\":2}");
}

static void reply_that_nobody_waits_for_is_kept(void **state)
{
    struct played *p = played_new(play_in_order);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_send(p->client, &ping, NULL), 0);
    assert_int_equal(comity_client_call(p->client, &ping, &r), 0);
    assert_string_equal(r.json, "{\"n\":2}");
    assert_int_equal(comity_client_receive(p->client, 0, &r), 0);
    assert_string_equal(r.json, "{\"n\":1}");
    played_free(p);
}

static void play_pieces(struct played *p)
{
    struct buf out = BUF_INIT;
    uint64_t id = take(p).id;
    put_reply(&out, id, 0, "{\"n\":1}", true);
    put_reply(&out, id, 0, "{\"n\":2}", false);
    for (size_t i = 0; i < out.len; i++) {
        if (write(p->fd, out.data + i, 1) != 1)
            break;
        usleep(200);
    }
    buf_free(&out);
}

static void reply_in_pieces_is_whole_and_more_is_told(void **state)
{
    struct played *p = played_new(play_pieces);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_call(p->client, &ping, &r), 0);
    assert_true(r.more);
    assert_int_equal(comity_client_in_flight(p->client), 1);
    assert_int_equal(comity_client_receive(p->client, 5000, &r), 0);
    assert_string_equal(r.json, "{\"n\":2}");
    assert_false(r.more);
    assert_int_equal(comity_client_in_flight(p->client), 0);
    played_free(p);
}

/* ---- a node that fails ---- */

static void play_silence(struct played *p)
{
    uint64_t id = take(p).id;
    usleep(60 * 1000);
    give(p, id, 0, "{}");
}

static void receive_gives_up_in_time(void **state)
{
    struct played *p = played_new(play_silence);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_send(p->client, &ping, NULL), 0);
    assert_int_equal(comity_client_receive(p->client, 10, &r), COMITY_E_TIMEOUT);
    assert_true(says(&r, "timeout"));
    assert_int_equal(comity_client_receive(p->client, 5000, &r), 0);
    played_free(p);
}

static void play_death(struct played *p)
{
    take(p);
}

static void node_that_goes_away_is_unreachable(void **state)
{
    struct played *p = played_new(play_death);
    struct comity_reply r;
    (void)state;
    assert_int_equal(comity_client_call(p->client, &ping, &r), COMITY_E_UNREACHABLE);
    assert_true(says(&r, "unreachable"));
    assert_int_equal(comity_client_call(p->client, &ping, &r), COMITY_E_UNREACHABLE);
    played_free(p);
}

static void play_too_long(struct played *p)
{
    take(p);
    uint8_t length[4];
    put_u32be(length, CONTROL_BYTES_MAX + 1);
    if (write(p->fd, length, 4) == 4)
        usleep(20 * 1000);
}

static void play_nonsense(struct played *p)
{
    take(p);
    if (write(p->fd, "\0\0\0\3abc", 7) == 7)
        usleep(20 * 1000);
}

static void nonsense_ends_the_connection(void **state)
{
    static void (*const plays[])(struct played *) = {play_too_long, play_nonsense};
    (void)state;
    for (size_t i = 0; i < 2; i++) {
        struct played *p = played_new(plays[i]);
        struct comity_reply r;
        assert_int_equal(comity_client_call(p->client, &ping, &r), COMITY_E_UNREACHABLE);
        assert_int_equal(comity_client_send(p->client, &ping, NULL), COMITY_E_UNREACHABLE);
        played_free(p);
    }
}

/* ---- much at once ---- */

enum { MANY = 3000 };

/* Answers as it reads: with replies that together fill any socket's buffer. */
static void play_many(struct played *p)
{
    char json[1024] = {0};
    snprintf(json, sizeof json, "{\"x\":\"%0900d\"}", 1);
    for (size_t i = 0; i < MANY; i++) {
        arena_reset(p->arena);
        give(p, take(p).id, 0, json);
    }
}

static void many_in_flight_do_not_lock_both_sides(void **state)
{
    struct played *p = played_new(play_many);
    char json[2048] = {0};
    (void)state;
    snprintf(json, sizeof json, "{\"y\":\"%01500d\"}", 1);
    const struct comity_call call = {.method = "status", .json = json};
    for (uint64_t i = 0; i < MANY; i++)
        assert_int_equal(comity_client_send(p->client, &call, NULL), 0);
    for (uint64_t i = 0; i < MANY; i++) {
        struct comity_reply r;
        assert_int_equal(comity_client_receive(p->client, 20000, &r), 0);
        assert_int_equal(r.id, i + 1);
    }
    played_free(p);
}

static void call_that_fits_no_message_is_not_sent(void **state)
{
    struct played *p = played_new(play_refusal);
    struct comity_reply r;
    struct comity_bytes note = {"n", 1};
    struct comity_bytes notes[CONTROL_NOTES_MAX + 1];
    char *large = calloc(1, CONTROL_BYTES_MAX + 2);
    (void)state;
    memset(large, 'x', CONTROL_BYTES_MAX + 1);
    for (size_t i = 0; i < CONTROL_NOTES_MAX + 1; i++)
        notes[i] = note;
    const struct comity_call json = {.method = "status", .json = large};
    const struct comity_call chunk = {.method = "status", .chunk = {large, CONTROL_CHUNK_MAX + 1}};
    const struct comity_call many = {
        .method = "status", .notes = notes, .note_count = CONTROL_NOTES_MAX + 1};
    assert_int_equal(comity_client_call(p->client, &json, &r), COMITY_E_TOO_LARGE);
    assert_int_equal(comity_client_call(p->client, &chunk, &r), COMITY_E_TOO_LARGE);
    assert_int_equal(comity_client_call(p->client, &many, &r), COMITY_E_TOO_LARGE);
    assert_int_equal(comity_client_in_flight(p->client), 0);
    assert_int_equal(comity_client_call(p->client, &ping, &r), COMITY_E_COLLECTORS);
    free(large);
    played_free(p);
}

/* ---- opening ---- */

static void path_without_a_node_is_unreachable(void **state)
{
    comity_client *c = NULL;
    char path[300];
    (void)state;
    assert_int_equal(comity_client_open("/tmp/comity-no-such/node.sock", &c), COMITY_E_UNREACHABLE);
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_int_equal(comity_client_open(path, &c), COMITY_E_INVALID);
    assert_null(c);
    assert_non_null(strstr(comity_client_explain(NULL, COMITY_E_UNREACHABLE), "\"exit\":7"));
    comity_client_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(call_gets_its_reply),
        cmocka_unit_test(error_of_the_node_is_returned_with_its_words),
        cmocka_unit_test(replies_in_another_order_find_their_calls),
        cmocka_unit_test(reply_that_nobody_waits_for_is_kept),
        cmocka_unit_test(reply_in_pieces_is_whole_and_more_is_told),
        cmocka_unit_test(receive_gives_up_in_time),
        cmocka_unit_test(node_that_goes_away_is_unreachable),
        cmocka_unit_test(nonsense_ends_the_connection),
        cmocka_unit_test(many_in_flight_do_not_lock_both_sides),
        cmocka_unit_test(call_that_fits_no_message_is_not_sent),
        cmocka_unit_test(path_without_a_node_is_unreachable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
