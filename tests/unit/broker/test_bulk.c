/*
 * The broker's bulk thread over real sockets, with nodes that the test plays itself: who may do
 * what, in which order, and what is there when.
 */
#include "broker.h"
#include "bulk.h"
#include "bulk_parts.h"
#include "link/link.h"
#include "link/poll.h"
#include "link/socket.h"
#include "net.h"
#include "sample_blob.h"
#include "store.h"

#include <arpa/inet.h>
#include <comity/err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define HUB "hub"
#define UPLOADER "330100-001"
#define READER "510100-001"
#define STRANGER "440300-001"

enum {
    THREE_BLOCKS = 2 * BLOB_PLAIN + 500,
    LONG = 64 * BLOB_PLAIN,
    WAIT_MS = 10000,
    QUIET_MS = 300
};

/* A member's side of the socket. */
struct caller {
    struct link_socket *socket;
    struct link_message m; /* of the frame last heard */
};

struct fixture {
    struct net net;
    struct site site;
    struct broker broker;
    struct link *link;
    struct bulk *bulk;
    struct caller uploader;
    struct caller reader;
    struct caller stranger;
    struct sample_blob sample;
    struct arena *arena;
};

static int free_port(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
    close(fd);
    return ntohs(a.sin_port);
}

static void call_up(struct fixture *f, struct caller *c, const char *member, int recv_hwm)
{
    struct link_client_options o = {.endpoint = f->net.endpoint[1],
                                    .max_message = BULK_FRAME_BYTES_MAX,
                                    .send_hwm = 100,
                                    .recv_hwm = recv_hwm,
                                    .reconnect_ms = 20,
                                    .reconnect_max_ms = 100};
    memcpy(o.secret, net_party(&f->net, member)->keys.curve_secret, sizeof o.secret);
    memcpy(o.server_public, net_party(&f->net, HUB)->keys.curve_public, sizeof o.server_public);
    assert_int_equal(link_connect(f->link, &o, &c->socket), 0);
    c->m = LINK_MESSAGE_INIT;
}

static void hang_up(struct caller *c)
{
    link_message_done(&c->m);
    link_close(c->socket);
    c->socket = NULL;
}

static int set_up(void **state)
{
    static const char *const ids[] = {HUB, UPLOADER, READER, STRANGER};
    struct fixture *f = calloc(1, sizeof *f);
    net_init(&f->net, ids, 4);
    snprintf(f->net.endpoint[1], sizeof f->net.endpoint[1], "tcp://127.0.0.1:%d", free_port());
    net_next_roster(&f->net, NULL);
    struct party *hub = net_party(&f->net, HUB);
    f->site =
        (struct site){.dir = hub->dir, .role = MEMBER_BROKER, .listen_bulk = f->net.endpoint[1]};
    f->broker = (struct broker){
        .site = &f->site, .keys = &hub->keys, .store = hub->store, .roster = f->net.roster};
    uint8_t keys[3][32];
    for (size_t i = 0; i < 3; i++)
        memcpy(keys[i], f->net.party[i + 1].keys.curve_public, 32);
    assert_int_equal(link_new(&f->link), 0);
    assert_int_equal(link_allow_set(f->link, keys, 3), 0);
    assert_int_equal(hub_bulk_start(&f->broker, f->link, &f->bulk), 0);
    call_up(f, &f->uploader, UPLOADER, 100);
    call_up(f, &f->reader, READER, 100);
    call_up(f, &f->stranger, STRANGER, 100);
    f->arena = arena_new(8 << 20);
    sample_init(&f->sample, THREE_BLOCKS);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    hang_up(&f->uploader);
    hang_up(&f->reader);
    hang_up(&f->stranger);
    hub_bulk_stop(f->bulk);
    link_free(f->link);
    sample_done(&f->sample);
    arena_free(f->arena);
    net_done(&f->net);
    free(f);
    return 0;
}

/* As if an accepted parcel of UPLOADER named the sample for READER. */
static void name_blob(struct fixture *f)
{
    struct buf id = BUF_INIT;
    buf_put_bytes(&id, hash_bytes(&f->sample.id));
    buf_put_u64be(&id, f->sample.len);
    assert_int_equal(store_begin(f->broker.store), 0);
    assert_int_equal(
        queue_name_blob(f->broker.store, buf_bytes(&id), bytes_of(UPLOADER), bytes_of(READER)), 0);
    assert_int_equal(store_commit(f->broker.store), 0);
    buf_free(&id);
}

static void other_sample(struct fixture *f, uint64_t len)
{
    sample_done(&f->sample);
    sample_init(&f->sample, len);
}

static void say(struct caller *c, const struct bulk_frame *frame)
{
    int64_t until = clock_mono_ms(&clock_system) + WAIT_MS;
    struct buf out = BUF_INIT;
    int err = COMITY_E_AGAIN;
    assert_int_equal(bulk_frame_encode(frame, &out), 0);
    while (err == COMITY_E_AGAIN && clock_mono_ms(&clock_system) < until) {
        err = link_send_buf(c->socket, NULL, &out);
        if (err)
            usleep(2000);
    }
    assert_int_equal(err, 0);
    buf_free(&out);
}

static void say_ask(struct fixture *f, struct caller *c)
{
    say(c, &(struct bulk_frame){.kind = BULK_ASK, .blob = hash_bytes(&f->sample.id)});
}

static void say_get(struct fixture *f, struct caller *c, uint64_t from, uint32_t count)
{
    say(c, &(struct bulk_frame){
               .kind = BULK_GET, .blob = hash_bytes(&f->sample.id), .index = from, .count = count});
}

/* PUT of a block, said to be number ${as}. */
static void say_put_as(struct fixture *f, struct caller *c, uint64_t i, uint64_t as)
{
    struct hash_list list = {0};
    struct bytes path[PROOF_PATH_MAX];
    size_t n = sample_path(&f->sample, i, &list, path);
    say(c, &(struct bulk_frame){.kind = BULK_PUT,
                                .blob = hash_bytes(&f->sample.id),
                                .len = f->sample.len,
                                .index = as,
                                .block = sample_block(&f->sample, i),
                                .proof = path,
                                .proof_count = n});
    hash_list_free(&list);
}

static void say_put(struct fixture *f, struct caller *c, uint64_t i)
{
    say_put_as(f, c, i, i);
}

/* The next frame, or false when there is none for a while. Views live until the next call. */
static bool hears(struct fixture *f, struct caller *c, int wait_ms, struct bulk_frame *ret)
{
    int64_t until = clock_mono_ms(&clock_system) + wait_ms;
    arena_reset(f->arena);
    for (int64_t left = wait_ms; left > 0; left = until - clock_mono_ms(&clock_system)) {
        struct link_poll_item item = {.socket = c->socket, .events = LINK_IN};
        assert_int_equal(link_poll(&item, 1, (int)left), 0);
        int err = link_recv(c->socket, &c->m);
        if (err == COMITY_E_AGAIN)
            continue;
        assert_int_equal(err, 0);
        assert_int_equal(bulk_frame_decode(f->arena, c->m.payload, ret), 0);
        return true;
    }
    return false;
}

static void expect_have(struct fixture *f, struct caller *c, uint64_t next, bool complete)
{
    struct bulk_frame frame;
    assert_true(hears(f, c, WAIT_MS, &frame));
    assert_int_equal(frame.kind, BULK_HAVE);
    assert_int_equal(frame.token.len, 0);
    assert_int_equal(frame.index, next);
    assert_int_equal(frame.complete, complete);
}

static void expect_refusal(struct fixture *f, struct caller *c, int err)
{
    struct bulk_frame frame;
    assert_true(hears(f, c, WAIT_MS, &frame));
    assert_int_equal(frame.kind, BULK_HAVE);
    assert_true(bytes_is(frame.token, comity_err_token(err)));
}

static void expect_data(struct fixture *f, struct caller *c, uint64_t i)
{
    struct bulk_frame frame;
    struct hash path[PROOF_PATH_MAX];
    assert_true(hears(f, c, WAIT_MS, &frame));
    assert_int_equal(frame.kind, BULK_DATA);
    assert_int_equal(frame.index, i);
    for (size_t k = 0; k < frame.proof_count; k++)
        memcpy(path[k].b, frame.proof[k].data, HASH_LEN);
    assert_int_equal(blob_block_verify(suite_get(SUITE_1), &f->sample.id, f->sample.len, i,
                                       frame.block, path, frame.proof_count),
                     0);
}

static void expect_quiet(struct fixture *f, struct caller *c)
{
    struct bulk_frame frame;
    assert_false(hears(f, c, QUIET_MS, &frame));
}

/* PUT block after block, each when the last one is durable. */
static void upload(struct fixture *f, uint64_t from, uint64_t to)
{
    for (uint64_t i = from; i < to; i++) {
        say_put(f, &f->uploader, i);
        expect_have(f, &f->uploader, i + 1, i + 1 == f->sample.blocks);
    }
}

/* Whether the sample's blocks are reported as removed within ${wait_ms}. */
static bool is_removed(struct fixture *f, int wait_ms)
{
    struct hash gone;
    struct link_poll_item item = {.fd = hub_bulk_fd(f->bulk), .events = LINK_IN};
    assert_int_equal(link_poll(&item, 1, wait_ms), 0);
    return hub_bulk_take_removed(f->bulk, &gone, 1) == 1 && hash_equal(&gone, &f->sample.id);
}

static void free_blob(struct fixture *f)
{
    assert_int_equal(store_begin(f->broker.store), 0);
    assert_int_equal(queue_file_done(f->broker.store, hash_bytes(&f->sample.id), bytes_of(READER)),
                     0);
    assert_int_equal(store_commit(f->broker.store), 0);
}

/* ---- uploads ---- */

static void put_in_order_is_durable_block_by_block(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 0, false);
    upload(f, 0, 2);
    upload(f, 2, 3);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 3, true);
}

static void put_out_of_order_is_told_where_to_begin(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    say_put(f, &f->uploader, 1);
    expect_have(f, &f->uploader, 0, false);
    upload(f, 0, 1);
    say_put(f, &f->uploader, 0); /* once more */
    expect_have(f, &f->uploader, 1, false);
    upload(f, 1, 3);
}

static void put_of_a_wrong_block_is_refused_and_changes_nothing(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 1);
    say_put_as(f, &f->uploader, 2, 1);
    expect_refusal(f, &f->uploader, COMITY_E_BLOB);
    f->sample.plain[BLOB_PLAIN] ^= 1;
    say_put(f, &f->uploader, 1);
    expect_refusal(f, &f->uploader, COMITY_E_BLOB);
    f->sample.plain[BLOB_PLAIN] ^= 1;
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 1, false);
}

static void put_of_an_unknown_blob_is_refused(void **state)
{
    struct fixture *f = *state;
    say_put(f, &f->uploader, 0);
    expect_refusal(f, &f->uploader, COMITY_E_UNKNOWN_BLOB);
    say_ask(f, &f->uploader);
    expect_refusal(f, &f->uploader, COMITY_E_UNKNOWN_BLOB);
}

static void put_with_another_length_is_refused(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    f->sample.len++;
    say_put(f, &f->uploader, 0);
    expect_refusal(f, &f->uploader, COMITY_E_UNKNOWN_BLOB);
    f->sample.len--;
}

static void put_by_a_reader_is_refused(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    say_put(f, &f->reader, 0);
    expect_refusal(f, &f->reader, COMITY_E_UNKNOWN_BLOB);
    say_ask(f, &f->reader);
    expect_refusal(f, &f->reader, COMITY_E_UNKNOWN_BLOB);
}

/* libzmq lets go of the address some time after the socket was closed. */
static void restart(struct fixture *f)
{
    int64_t until = clock_mono_ms(&clock_system) + WAIT_MS;
    hub_bulk_stop(f->bulk);
    f->bulk = NULL;
    int err = hub_bulk_start(&f->broker, f->link, &f->bulk);
    while (err == COMITY_E_EXISTS && clock_mono_ms(&clock_system) < until) {
        usleep(20000);
        err = hub_bulk_start(&f->broker, f->link, &f->bulk);
    }
    assert_int_equal(err, 0);
}

static void upload_goes_on_after_a_restart(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 2);
    restart(f);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 2, false);
    upload(f, 2, 3);
}

/* ---- fetches ---- */

static void get_while_uploading_sends_what_is_there(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    say_get(f, &f->reader, 0, 3);
    expect_have(f, &f->reader, 0, false);
    upload(f, 0, 2);
    say_get(f, &f->reader, 0, 3);
    expect_data(f, &f->reader, 0);
    expect_data(f, &f->reader, 1);
    expect_have(f, &f->reader, 2, false);
    say_get(f, &f->reader, 2, 1);
    expect_have(f, &f->reader, 2, false);
    upload(f, 2, 3);
    say_get(f, &f->reader, 2, 1);
    expect_data(f, &f->reader, 2);
    expect_quiet(f, &f->reader);
}

static void get_by_the_uploader_is_served(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 1);
    say_get(f, &f->uploader, 0, 1);
    expect_data(f, &f->uploader, 0);
}

static void get_by_a_stranger_is_refused(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 3);
    say_get(f, &f->stranger, 0, 3);
    expect_refusal(f, &f->stranger, COMITY_E_UNKNOWN_BLOB);
    expect_quiet(f, &f->stranger);
}

static void get_out_of_range_is_refused(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 3);
    say_get(f, &f->reader, 3, 1);
    expect_refusal(f, &f->reader, COMITY_E_LIMIT);
    say_get(f, &f->reader, UINT64_MAX, 2);
    expect_refusal(f, &f->reader, COMITY_E_LIMIT);
    say_get(f, &f->reader, 1, 64); /* to its end */
    expect_data(f, &f->reader, 1);
    expect_data(f, &f->reader, 2);
    expect_quiet(f, &f->reader);
}

static void get_that_goes_on_keeps_the_order(void **state)
{
    struct fixture *f = *state;
    other_sample(f, LONG);
    name_blob(f);
    upload(f, 0, f->sample.blocks);
    say_get(f, &f->reader, 0, 30);
    say_get(f, &f->reader, 30, 10);
    say_get(f, &f->reader, 40, 24);
    for (uint64_t i = 0; i < 64; i++)
        expect_data(f, &f->reader, i);
    expect_quiet(f, &f->reader);
}

/* A caller who asks for 32 MiB and does not listen: more than sockets and queues take up. */
static void call_up_deaf(struct fixture *f, struct caller *c)
{
    call_up(f, c, UPLOADER, 1);
    for (int i = 0; i < 2; i++) {
        other_sample(f, LONG);
        name_blob(f);
        upload(f, 0, f->sample.blocks);
        say_get(f, c, 0, 64);
    }
    usleep(QUIET_MS * 1000);
}

static void answers_wait_for_room_behind_data(void **state)
{
    struct fixture *f = *state;
    struct caller deaf;
    size_t answers = 0;
    call_up_deaf(f, &deaf);
    say_ask(f, &deaf);
    usleep(QUIET_MS * 1000);
    for (size_t n = 0; n < 2 * 64 + 1; n++) {
        struct bulk_frame frame;
        assert_true(hears(f, &deaf, WAIT_MS, &frame));
        answers += frame.kind == BULK_HAVE;
    }
    assert_int_equal(answers, 1);
    hang_up(&deaf);
}

static void reader_who_does_not_listen_holds_up_nobody(void **state)
{
    struct fixture *f = *state;
    struct caller deaf;
    call_up_deaf(f, &deaf);
    say_get(f, &f->reader, 0, 64);
    for (uint64_t i = 0; i < 64; i++)
        expect_data(f, &f->reader, i);
    hang_up(&deaf);
}

static bool is_connected(struct caller *c)
{
    return link_client_state(c->socket) == LINK_CONNECTED;
}

/* Whether the connection that ${c} has now ends within ${wait_ms}; it may come back. */
static bool is_cut(struct caller *c, int wait_ms)
{
    const uint64_t before = link_client_generation(c->socket);
    for (int i = 0; i < wait_ms / 10; i++) {
        if (!is_connected(c) || link_client_generation(c->socket) != before)
            return true;
        usleep(10000);
    }
    return false;
}

static void connection_that_takes_nothing_is_cut(void **state)
{
    struct fixture *f = *state;
    struct caller deaf;
    struct bulk_frame frame;
    call_up_deaf(f, &deaf);
    assert_true(is_connected(&deaf));
    const uint64_t before = link_client_generation(deaf.socket);
    f->bulk->stall_ms = 600;
    usleep(1500 * 1000);
    /* It sees the end once it listens; of what it had asked for the rest does not come. */
    size_t came = 0;
    while (hears(f, &deaf, QUIET_MS, &frame))
        came += frame.kind == BULK_DATA;
    assert_in_range(came, 1, 2 * 64 - 1);
    assert_true(link_client_generation(deaf.socket) != before || !is_connected(&deaf));
    say_get(f, &f->reader, 0, 64); /* one that listens stays */
    for (uint64_t i = 0; i < 64; i++)
        expect_data(f, &f->reader, i);
    assert_false(is_cut(&f->reader, 1000));
    hang_up(&deaf);
}

/* What it asks for on one is counted with what it asks for on the others, and there are not many.
 */
static void key_has_so_many_connections(void **state)
{
    struct fixture *f = *state;
    struct caller more[LINES_A_KEY];
    name_blob(f);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 0, false);
    for (size_t i = 0; i < LINES_A_KEY; i++) {
        assert_true(is_connected(&f->uploader));
        call_up(f, &more[i], UPLOADER, 100);
        say_ask(f, &more[i]);
        expect_have(f, &more[i], 0, false);
    }
    assert_true(is_cut(&f->uploader, 2000));
    for (size_t i = 0; i < LINES_A_KEY; i++) {
        assert_true(is_connected(&more[i]));
        hang_up(&more[i]);
    }
}

/* ---- no descriptors ---- */

static struct rlimit files_before;

/* No descriptor can be opened any more in this process. */
static void use_up_files(void)
{
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &files_before), 0);
    int fd = open("/dev/null", O_RDONLY);
    assert_true(fd > 0);
    close(fd);
    const struct rlimit none = {.rlim_cur = (rlim_t)fd, .rlim_max = files_before.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
    assert_true(open("/dev/null", O_RDONLY) < 0);
}

static void give_back_files(void)
{
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &files_before), 0);
}

static void without_descriptors_the_answer_waits(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 0, false);
    use_up_files();
    say_put(f, &f->uploader, 0);
    say_get(f, &f->reader, 0, 1);
    expect_quiet(f, &f->uploader);
    expect_quiet(f, &f->reader);
    give_back_files();
    expect_have(f, &f->uploader, 0, false); /* the block is lost, and asked for again */
    expect_have(f, &f->reader, 0, false);
    upload(f, 0, 3);
    say_get(f, &f->reader, 0, 1);
    expect_data(f, &f->reader, 0);
}

/* Its own descriptors are used for what is asked for now. */
static void without_descriptors_another_file_gives_way(void **state)
{
    struct fixture *f = *state;
    struct hash first = f->sample.id;
    name_blob(f);
    upload(f, 0, 3);
    other_sample(f, THREE_BLOCKS + 1);
    name_blob(f);
    use_up_files();
    say_put(f, &f->uploader, 0);
    expect_have(f, &f->uploader, 0, false);
    give_back_files();
    upload(f, 0, 3);
    assert_false(hash_equal(&first, &f->sample.id));
}

/* ---- the end of a blob, and of a member ---- */

static void blob_that_everybody_has_is_removed(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 3);
    free_blob(f);
    hub_bulk_remove(f->bulk, &f->sample.id);
    assert_true(is_removed(f, WAIT_MS));
    say_get(f, &f->reader, 0, 1);
    expect_refusal(f, &f->reader, COMITY_E_UNKNOWN_BLOB);
    name_blob(f); /* another parcel */
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 0, false);
}

static void blob_that_was_named_again_is_kept(void **state)
{
    struct fixture *f = *state;
    name_blob(f);
    upload(f, 0, 3);
    free_blob(f);
    name_blob(f);
    hub_bulk_remove(f->bulk, &f->sample.id); /* asked for before that parcel came */
    assert_false(is_removed(f, QUIET_MS));
    say_get(f, &f->reader, 0, 1);
    expect_data(f, &f->reader, 0);
}

static void member_that_has_left_is_sent_nothing(void **state)
{
    struct fixture *f = *state;
    struct bulk_frame frame;
    name_blob(f);
    upload(f, 0, 3);
    say_get(f, &f->reader, 0, 1);
    expect_data(f, &f->reader, 0);
    net_next_roster(&f->net, READER);
    f->broker.roster = f->net.roster;
    assert_int_equal(hub_bulk_take_roster(f->bulk, &f->broker), 0);
    assert_true(is_cut(&f->reader, 1000)); /* though it does not say a word */
    say_get(f, &f->reader, 0, 3);
    assert_false(hears(f, &f->reader, QUIET_MS, &frame));
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 3, true);
}

static void frame_that_is_none_cuts_its_connection_only(void **state)
{
    struct fixture *f = *state;
    struct caller fresh;
    name_blob(f);
    say_ask(f, &f->reader);
    expect_refusal(f, &f->reader, COMITY_E_UNKNOWN_BLOB);
    uint64_t before = link_client_generation(f->reader.socket);
    assert_int_equal(link_send(f->reader.socket, NULL, BYTES_LIT("this is no frame")), 0);
    for (int i = 0; i < 100 && link_client_generation(f->reader.socket) == before; i++) {
        (void)link_client_state(f->reader.socket);
        usleep(50000);
    }
    assert_true(link_client_generation(f->reader.socket) > before);
    say_ask(f, &f->uploader);
    expect_have(f, &f->uploader, 0, false);
    call_up(f, &fresh, READER, 100);
    say_get(f, &fresh, 0, 1);
    expect_have(f, &fresh, 0, false);
    hang_up(&fresh);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(put_in_order_is_durable_block_by_block),
        TEST(put_out_of_order_is_told_where_to_begin),
        TEST(put_of_a_wrong_block_is_refused_and_changes_nothing),
        TEST(put_of_an_unknown_blob_is_refused),
        TEST(put_with_another_length_is_refused),
        TEST(put_by_a_reader_is_refused),
        TEST(upload_goes_on_after_a_restart),
        TEST(get_while_uploading_sends_what_is_there),
        TEST(get_by_the_uploader_is_served),
        TEST(get_by_a_stranger_is_refused),
        TEST(get_out_of_range_is_refused),
        TEST(get_that_goes_on_keeps_the_order),
        TEST(answers_wait_for_room_behind_data),
        TEST(reader_who_does_not_listen_holds_up_nobody),
        TEST(connection_that_takes_nothing_is_cut),
        TEST(key_has_so_many_connections),
        TEST(without_descriptors_the_answer_waits),
        TEST(without_descriptors_another_file_gives_way),
        TEST(blob_that_everybody_has_is_removed),
        TEST(blob_that_was_named_again_is_kept),
        TEST(member_that_has_left_is_sent_nothing),
        TEST(frame_that_is_none_cuts_its_connection_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
