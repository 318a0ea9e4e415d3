/* The main socket: who gets in, what becomes a turn, and how a connection ends that was told BYE.
 */
#include "front.h"
#include "hub.h"
#include "link/poll.h"
#include "link/socket.h"

#include <unistd.h>

enum { WAIT_MS = 10000 };

struct gate {
    struct fixture *f;
    struct link *link;
    struct front *front;
};

static void open_gate(struct fixture *f, struct gate *g)
{
    *g = (struct gate){.f = f};
    f->site.listen = strdup("tcp://127.0.0.1:*");
    assert_int_equal(link_new(&g->link), 0);
    assert_int_equal(front_allow(f->broker, g->link), 0);
    assert_int_equal(front_open(f->broker, g->link, &g->front), 0);
}

static void close_gate(struct gate *g)
{
    front_close(g->front);
    link_free(g->link);
    free(g->f->site.listen);
}

static struct link_socket *call(struct gate *g, const char *member)
{
    struct link_socket *s = NULL;
    struct link_client_options o = {.endpoint = link_endpoint(front_socket(g->front)),
                                    .max_message = FRAME_BYTES_MAX,
                                    .send_hwm = 10,
                                    .recv_hwm = 10,
                                    .reconnect_ms = 20};
    memcpy(o.secret, net_party(&g->f->net, member)->keys.curve_secret, sizeof o.secret);
    memcpy(o.server_public, net_party(&g->f->net, HUB)->keys.curve_public, sizeof o.server_public);
    assert_int_equal(link_connect(g->link, &o, &s), 0);
    return s;
}

/* Turns, until ${until} holds of the client or the time is over. */
static bool run(struct gate *g, struct link_socket *s, bool (*until)(struct link_socket *s))
{
    int64_t end = clock_mono_ms(&clock_system) + WAIT_MS;
    while (clock_mono_ms(&clock_system) < end) {
        bool busy = false;
        struct link_poll_item items[] = {{.socket = front_socket(g->front), .events = LINK_IN},
                                         {.socket = s, .fd = -1, .events = LINK_IN | LINK_STATE}};
        assert_int_equal(link_poll(items, 2, 20), 0);
        assert_int_equal(front_turn(g->front, &busy), 0);
        front_tidy(g->front);
        if (until(s))
            return true;
    }
    return false;
}

static bool is_connected(struct link_socket *s)
{
    return link_client_state(s) == LINK_CONNECTED;
}

static bool is_refused(struct link_socket *s)
{
    return link_client_state(s) == LINK_REFUSED;
}

static struct link_message heard = LINK_MESSAGE_INIT;

static bool hears(struct link_socket *s)
{
    return link_recv(s, &heard) == COMITY_OK;
}

static uint64_t generation;

static bool is_cut_off(struct link_socket *s)
{
    return link_client_state(s) != LINK_CONNECTED || link_client_generation(s) > generation;
}

static void say(struct link_socket *s, const struct frame *f)
{
    struct buf out = BUF_INIT;
    assert_int_equal(frame_encode(f, &out), 0);
    assert_int_equal(link_send_buf(s, NULL, &out), 0);
    buf_free(&out);
}

static void member_is_greeted_and_told_bye_before_it_is_cut(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    struct frame answer;
    open_gate(f, &g);
    struct link_socket *s = call(&g, CHENGDU);
    struct frame hello = hello_frame(f, net_party(&f->net, CHENGDU), BYTES_NONE);
    assert_true(run(&g, s, is_connected));
    assert_int_equal(front_timeout_ms(g.front), -1);
    say(s, &hello);
    assert_true(run(&g, s, hears));
    assert_int_equal(frame_decode(f->arena, heard.payload, &answer), 0);
    assert_int_equal(answer.kind, FRAME_WELCOME);
    /* It asks for another version: it hears why, and only then is it cut. */
    generation = link_client_generation(s);
    hello.u.hello.version = 99;
    say(s, &hello);
    assert_true(run(&g, s, hears));
    assert_int_equal(frame_decode(f->arena, heard.payload, &answer), 0);
    assert_int_equal(answer.kind, FRAME_BYE);
    assert_in_range(front_timeout_ms(g.front), 0, 250);
    /* Nothing of it is taken in meanwhile. */
    uint64_t frames = f->broker->count.frames_in;
    hello.u.hello.version = PROTOCOL_VERSION;
    say(s, &hello);
    assert_true(run(&g, s, is_cut_off));
    assert_int_equal(f->broker->count.frames_in, frames);
    assert_int_equal(front_timeout_ms(g.front), -1);
    link_message_done(&heard);
    link_close(s);
    close_gate(&g);
}

static void only_bureaus_of_the_roster_in_force_get_in(void **state)
{
    struct fixture *f = *state;
    struct gate g;
    open_gate(f, &g);
    struct link_socket *hub = call(&g, HUB);
    assert_true(run(&g, hub, is_refused)); /* a member, but no bureau */
    link_close(hub);
    net_next_roster(&f->net, CHENGDU);
    assert_int_equal(broker_take_roster(f->broker, buf_bytes(&f->net.roster_file)), 0);
    assert_int_equal(front_allow(f->broker, g.link), 0);
    struct link_socket *closed = call(&g, CHENGDU);
    assert_true(run(&g, closed, is_refused));
    link_close(closed);
    struct link_socket *other = call(&g, HANGZHOU);
    assert_true(run(&g, other, is_connected));
    link_close(other);
    close_gate(&g);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(member_is_greeted_and_told_bye_before_it_is_cut),
        TEST(only_bureaus_of_the_roster_in_force_get_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
