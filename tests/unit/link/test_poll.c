/* Waiting for sockets and descriptors together. */
#include "rig.h"

#include <sys/eventfd.h>
#include <sys/socket.h>

static void poll_nothing_waits_for_the_time_given(void **state)
{
    (void)state;
    struct rig r;
    rig_up(&r);
    struct link_poll_item items[] = {
        {.socket = r.server, .events = LINK_IN, .ready = LINK_IN},
        {.fd = -1, .events = LINK_IN},
        {.fd = 1 << 20, .events = 0},
    };
    int64_t begin = rig_now_ms();
    assert_err(link_poll(items, 3, 80), COMITY_OK);
    assert_in_range(rig_now_ms() - begin, 79, 5000);
    for (int i = 0; i < 3; i++)
        assert_int_equal(items[i].ready, 0);
    rig_down(&r);
}

static void poll_reports_each_item_that_is_ready_and_no_other(void **state)
{
    (void)state;
    struct rig r;
    struct link_peer peer;
    struct link_message m = LINK_MESSAGE_INIT;
    int pair[2];
    rig_up(&r);
    struct link_socket *client = rig_member(&r, &peer);
    int event = eventfd(1, EFD_CLOEXEC);
    int quiet = eventfd(0, EFD_CLOEXEC);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    assert_err(link_send(client, NULL, BYTES_LIT("knock")), COMITY_OK);
    struct link_poll_item items[] = {
        {.fd = quiet, .events = LINK_IN},
        {.socket = client, .events = LINK_IN | LINK_OUT | LINK_STATE},
        {.fd = event, .events = LINK_IN},
        {.socket = r.server, .events = LINK_IN},
        {.fd = pair[0], .events = LINK_IN | LINK_OUT},
    };
    for (int i = 0; i < 100 && !items[3].ready; i++) {
        assert_err(link_poll(items, 5, 1000), COMITY_OK);
        usleep(1000);
    }
    assert_int_equal(items[0].ready, 0);
    assert_int_equal(items[1].ready, LINK_OUT); /* the monitor was read to its end */
    assert_int_equal(items[2].ready, LINK_IN);
    assert_int_equal(items[3].ready, LINK_IN);
    assert_int_equal(items[4].ready, LINK_OUT);
    assert_err(link_recv(r.server, &m), COMITY_OK);
    assert_err(link_poll(items, 5, 0), COMITY_OK);
    assert_int_equal(items[3].ready, 0);

    close(pair[1]);
    assert_err(link_drop(r.server, &peer), COMITY_OK);
    struct link_poll_item more[] = {{.socket = client, .events = LINK_STATE},
                                    {.fd = pair[0], .events = LINK_OUT}};
    for (int i = 0; i < 100 && !more[0].ready; i++) {
        assert_err(link_poll(more, 2, 1000), COMITY_OK);
        usleep(1000);
    }
    assert_int_equal(more[0].ready, LINK_STATE);
    assert_true(more[1].ready & LINK_ERROR);
    link_message_done(&m);
    close(pair[0]);
    close(event);
    close(quiet);
    link_close(client);
    rig_down(&r);
}

static void poll_descriptor_that_is_not_open_is_an_error_of_that_item(void **state)
{
    (void)state;
    int fd = eventfd(0, EFD_CLOEXEC);
    assert_true(fd >= 0);
    close(fd);
    struct link_poll_item item = {.fd = fd, .events = LINK_IN};
    assert_err(link_poll(&item, 1, 1000), COMITY_OK);
    assert_int_equal(item.ready, LINK_ERROR);
}

static void poll_too_many_items_are_refused(void **state)
{
    (void)state;
    static struct link_poll_item items[LINK_POLL_MAX + 1];
    for (size_t i = 0; i <= LINK_POLL_MAX; i++)
        items[i].fd = -1;
    assert_err(link_poll(items, LINK_POLL_MAX + 1, 0), COMITY_E_LIMIT);
    assert_err(link_poll(items, LINK_POLL_MAX, 0), COMITY_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(poll_nothing_waits_for_the_time_given),
        cmocka_unit_test(poll_reports_each_item_that_is_ready_and_no_other),
        cmocka_unit_test(poll_descriptor_that_is_not_open_is_an_error_of_that_item),
        cmocka_unit_test(poll_too_many_items_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
