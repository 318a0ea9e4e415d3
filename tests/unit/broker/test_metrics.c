/* Where the metrics may be served, and what they say. */
#include "hub.h"
#include "link/poll.h"
#include "metrics.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

static int connect_to(int port)
{
    struct sockaddr_in a = {.sin_family = AF_INET,
                            .sin_port = htons((uint16_t)port),
                            .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof a), 0);
    return fd;
}

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

/* What is answered to a request line, in the broker's own thread. */
static void ask(struct metrics *m, int port, const char *line, struct buf *out)
{
    struct buf request = BUF_INIT;
    int fd = connect_to(port);
    ssize_t got = 1;
    buf_reset(out);
    buf_printf(&request, "%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", line);
    assert_int_equal(write(fd, request.data, request.len), request.len);
    for (int i = 0; i < 1000 && got; i++) {
        char part[4096];
        struct link_poll_item items[] = {{.fd = metrics_fd(m), .events = LINK_IN},
                                         {.fd = fd, .events = LINK_IN}};
        assert_int_equal(link_poll(items, 2, 10000), 0);
        if (items[0].ready)
            metrics_run(m);
        if (items[1].ready && (got = read(fd, part, sizeof part)) > 0)
            buf_put_bytes(out, BYTES(part, (size_t)got));
    }
    assert_int_equal(got, 0);
    close(fd);
    buf_free(&request);
}

static void only_loopback_is_served(void **state)
{
    static const char *const bad[] = {
        "0.0.0.0:9464",
        "10.0.0.1:9464",
        "localhost:9464",
        "[::1]:9464",
        "::1:9464",
        "127.0.0.1",
        "127.0.0.1:",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        ":9464",
        "127.0.0.1:94x4",
        "128.0.0.1:80",
        "",
        "127.0.0.1.127.0.0.1.127.0.0.1.127.0.0.1.127.0.0.1.127.0.0.1.127.0.0.1:9464"};
    struct fixture *f = *state;
    struct metrics *m = NULL;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (metrics_open(f->broker, NULL, bad[i], &m) != COMITY_E_CONFIG)
            fail_msg("%s is served", bad[i]);
    assert_null(m);
}

static void page_has_each_figure_once(void **state)
{
    static const char *const names[] = {"comity_turns_total",
                                        "comity_turns_undone_total",
                                        "comity_events_failed_total",
                                        "comity_frames_received_total",
                                        "comity_frames_malformed_total",
                                        "comity_parcels_accepted_total",
                                        "comity_parcels_refused_total",
                                        "comity_deliveries_sent_total",
                                        "comity_resyncs_total",
                                        "comity_byes_total",
                                        "comity_strangers_total",
                                        "comity_handshakes_denied_total",
                                        "comity_sessions",
                                        "comity_parcels_queued",
                                        "comity_bytes_queued",
                                        "comity_attachment_bytes_held",
                                        "comity_disk_bytes",
                                        "comity_ledger_entries",
                                        "comity_roster_number",
                                        "comity_roster_expired"};
    struct fixture *f = *state;
    struct link *link = NULL;
    struct metrics *m = NULL;
    struct metrics *second = NULL;
    struct buf page = BUF_INIT;
    char address[32];
    int port = free_port();
    snprintf(address, sizeof address, "127.0.0.1:%d", port);
    assert_int_equal(link_new(&link), 0);
    assert_int_equal(metrics_open(f->broker, link, address, &m), 0);
    assert_int_equal(metrics_open(f->broker, link, address, &second), COMITY_E_EXISTS);
    struct buf parcel = BUF_INIT;
    struct party *a = net_party(&f->net, CHENGDU);
    struct frame to_a = greet(f, a, 0, 0);
    make(f, CHENGDU, HANGZHOU, 1, 1, 0, &parcel);
    submit(f, a, to_a.epoch, 1, buf_bytes(&parcel));
    buf_free(&parcel);
    ask(m, port, "GET /metrics", &page);
    assert_non_null(strstr(buf_str(&page), " 200 "));
    size_t figures = 0;
    for (const char *c = buf_str(&page); (c = strstr(c, "\n# TYPE ")); c++)
        figures++;
    assert_int_equal(figures, sizeof names / sizeof names[0] + 2); /* and those by member */
    assert_non_null(
        strstr(buf_str(&page), "\ncomity_member_parcels_total{member=\"" CHENGDU "\"} 1\n"));
    assert_non_null(strstr(buf_str(&page), "\ncomity_member_bytes_total{member=\"" CHENGDU "\"} "));
    assert_null(strstr(buf_str(&page), "{member=\"" HANGZHOU));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char line[80];
        snprintf(line, sizeof line, "\n%s ", names[i]);
        if (!strstr(buf_str(&page), line))
            fail_msg("no %s", names[i]);
    }
    assert_non_null(strstr(buf_str(&page), "\ncomity_sessions 1\n"));
    assert_non_null(strstr(buf_str(&page), "\ncomity_roster_number 1\n"));
    ask(m, port, "GET /healthz", &page);
    assert_non_null(strstr(buf_str(&page), " 200 "));
    ask(m, port, "GET /", &page);
    assert_non_null(strstr(buf_str(&page), " 404 "));
    ask(m, port, "POST /metrics", &page);
    assert_non_null(strstr(buf_str(&page), " 405 "));
    /* Who asks before there is a roster hears that nobody is served. */
    struct roster *roster = f->broker->roster;
    f->broker->roster = NULL;
    ask(m, port, "GET /healthz", &page);
    assert_non_null(strstr(buf_str(&page), " 503 "));
    f->broker->roster = roster;
    metrics_close(m);
    link_free(link);
    buf_free(&page);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(only_loopback_is_served),
        TEST(page_has_each_figure_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
