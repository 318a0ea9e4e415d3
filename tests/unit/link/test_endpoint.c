/* Which endpoints are taken, and how a bound one is reached from here. */
#include "link/endpoint.h"
#include "rig.h"

static void endpoint_tcp_and_ipc_are_taken(void **state)
{
    (void)state;
    static const char *const good[] = {"tcp://127.0.0.1:*", "tcp://*:5670", "tcp://[::]:5670",
                                       "tcp://broker.example:5670", "ipc:///run/comity/b.sock"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_err(link_endpoint_check(good[i], NULL), COMITY_OK);
}

static void endpoint_other_transports_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const char *const bad[] = {"inproc://x", "udp://1.2.3.4:5", "pgm://x", "127.0.0.1:5670",
                                      "TCP://x:1"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        const char *reason = NULL;
        assert_err(link_endpoint_check(bad[i], &reason), COMITY_E_UNSUPPORTED);
        assert_non_null(reason);
    }
    assert_err(link_endpoint_check("", NULL), COMITY_E_INVALID);
    assert_err(link_endpoint_check(NULL, NULL), COMITY_E_INVALID);
    assert_err(link_endpoint_check("tcp://", NULL), COMITY_E_INVALID);
}

static void endpoint_ipc_path_beyond_107_bytes_is_refused(void **state)
{
    (void)state;
    char text[LINK_ENDPOINT_MAX + 2];
    const char *reason = NULL;
    memset(text, 'x', sizeof text);
    memcpy(text, "ipc:///", 7);
    text[6 + 107] = '\0';
    assert_err(link_endpoint_check(text, &reason), COMITY_OK);
    assert_null(reason);
    text[6 + 107] = 'x';
    text[6 + 108] = '\0';
    assert_err(link_endpoint_check(text, &reason), COMITY_E_TOO_LARGE);
    assert_non_null(strstr(reason, "107"));
}

static void endpoint_of_a_wildcard_is_reached_over_loopback(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"tcp://0.0.0.0:5670", "tcp://127.0.0.1:5670"},
        {"tcp://[::]:5670", "tcp://127.0.0.1:5670"},
        {"tcp://*:5670", "tcp://127.0.0.1:5670"},
        {"tcp://10.0.0.7:5670", "tcp://10.0.0.7:5670"},
        {"tcp://[::1]:5670", "tcp://[::1]:5670"},
        {"ipc:///run/x", "ipc:///run/x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;
        link_endpoint_put_local(&out, rows[i][0]);
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_free(&out);
    }
}

static void endpoint_mapped_address_is_written_plainly(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"tcp://[::ffff:127.0.0.1]:5670", "tcp://127.0.0.1:5670"},
        {"tcp://[::ffff:7f00]:5670", "tcp://[::ffff:7f00]:5670"},
        {"tcp://[::1]:5670", "tcp://[::1]:5670"},
        {"tcp://[::ffff:127.0.0.1", "tcp://[::ffff:127.0.0.1"},
        {"ipc:///run/x", "ipc:///run/x"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct buf out = BUF_INIT;
        link_endpoint_put_plain(&out, rows[i][0]);
        assert_string_equal(buf_str(&out), rows[i][1]);
        buf_free(&out);
    }
}

static void endpoint_port_is_that_of_tcp_only(void **state)
{
    (void)state;
    assert_int_equal(link_endpoint_port("tcp://127.0.0.1:5670"), 5670);
    assert_int_equal(link_endpoint_port("tcp://[::1]:65535"), 65535);
    assert_int_equal(link_endpoint_port("tcp://[::1]:65536"), 0);
    assert_int_equal(link_endpoint_port("tcp://x"), 0);
    assert_int_equal(link_endpoint_port("ipc:///a:12"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoint_tcp_and_ipc_are_taken),
        cmocka_unit_test(endpoint_other_transports_are_refused_with_a_reason),
        cmocka_unit_test(endpoint_ipc_path_beyond_107_bytes_is_refused),
        cmocka_unit_test(endpoint_of_a_wildcard_is_reached_over_loopback),
        cmocka_unit_test(endpoint_mapped_address_is_written_plainly),
        cmocka_unit_test(endpoint_port_is_that_of_tcp_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
