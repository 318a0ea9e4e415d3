/*
 * The node's attachment thread, against a broker that the test plays: what is sent, what is asked
 * for, what is there after a stop at any block, and what a broker or a record can get wrong.
 */
#include "base/file.h"
#include "bulk.h"
#include "files.h"
#include "link/link.h"
#include "link/message.h"
#include "link/poll.h"
#include "link/socket.h"
#include "msg/frame.h"
#include "net.h"
#include "node.h"
#include "sample_blob.h"

#include <arpa/inet.h>
#include <comity/err.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define HUB "hub"
#define SELF "330100-001"
#define OTHER "510100-001"

enum {
    THREE_BLOCKS = 2 * BLOB_PLAIN + 500,
    LONG = 79 * BLOB_PLAIN + 1, /* 80 blocks: the first sync is behind 64 */
    SYNCED = 64,
    WAIT_MS = 20000,
    QUIET_MS = 250
};

/* The broker: one blob, and how it treats it. All under the lock. */
struct hub {
    pthread_mutex_t lock;
    pthread_t thread;
    bool is_running;
    bool stop;
    struct link_socket *socket;
    struct arena *arena;
    struct sample_blob *sample;
    /* uploads */
    uint64_t have;   /* blocks that came, verified and in order */
    bool is_mute;    /* no HAVE for a PUT */
    unsigned full;   /* PUTs yet to be refused for want of room */
    bool is_unknown; /* everything is */
    size_t puts;
    uint64_t first_put; /* index */
    size_t bad_puts;
    size_t asks;
    /* fetches */
    uint64_t there;   /* blocks that can be had */
    unsigned spoil;   /* DATA frames yet to be spoiled */
    unsigned garbage; /* GETs yet to be answered by what is no frame */
    size_t gets;
    uint64_t first_get;
    size_t data;
};

struct fixture {
    struct net net;
    struct site site;
    struct node node;
    struct link *link;
    struct hub hub;
    struct sample_blob sample;
    bool is_started;
};

/* ---- the broker ---- */

static void hub_say(struct hub *h, const struct link_peer *to, const struct bulk_frame *f)
{
    struct buf out = BUF_INIT;
    sample_must(bulk_frame_encode(f, &out));
    int err = COMITY_E_AGAIN;
    for (int i = 0; i < 2000 && err == COMITY_E_AGAIN; i++) {
        err = link_send_buf(h->socket, to, &out);
        if (err == COMITY_E_AGAIN)
            usleep(1000);
    }
    buf_free(&out); /* a peer that has left hears nothing */
}

static void hub_say_have(struct hub *h, const struct link_peer *to, struct bytes blob,
                         uint64_t next, const char *token)
{
    const struct bulk_frame f = {.kind = BULK_HAVE,
                                 .blob = blob,
                                 .index = next,
                                 .complete = !token && next == h->sample->blocks,
                                 .token = bytes_of(token)};
    hub_say(h, to, &f);
}

static void hub_take_put(struct hub *h, const struct link_peer *from, const struct bulk_frame *f)
{
    struct hash path[PROOF_PATH_MAX];
    if (h->puts++ == 0)
        h->first_put = f->index;
    if (h->full) {
        h->full--;
        hub_say_have(h, from, f->blob, h->have, "disk_full");
        return;
    }
    for (size_t i = 0; i < f->proof_count; i++)
        memcpy(path[i].b, f->proof[i].data, HASH_LEN);
    bool fits = f->len == h->sample->len &&
                blob_block_verify(suite_get(SUITE_1), &h->sample->id, f->len, f->index, f->block,
                                  path, f->proof_count) == 0;
    h->bad_puts += !fits;
    if (fits && f->index == h->have)
        h->have++;
    if (!h->is_mute)
        hub_say_have(h, from, f->blob, h->have, NULL);
}

static void hub_say_data(struct hub *h, const struct link_peer *to, uint64_t i)
{
    struct hash_list list = {0};
    struct bytes path[PROOF_PATH_MAX];
    size_t n = sample_path(h->sample, i, &list, path);
    struct bytes block = sample_block(h->sample, i);
    if (h->spoil) {
        h->spoil--;
        h->sample->sealed[block.len / 2] ^= 1;
    }
    const struct bulk_frame f = {.kind = BULK_DATA,
                                 .blob = hash_bytes(&h->sample->id),
                                 .index = i,
                                 .block = block,
                                 .proof = path,
                                 .proof_count = n};
    hub_say(h, to, &f);
    h->data++;
    hash_list_free(&list);
}

static void hub_take_get(struct hub *h, const struct link_peer *from, const struct bulk_frame *f)
{
    if (h->gets++ == 0)
        h->first_get = f->index;
    if (h->garbage) {
        h->garbage--;
        sample_must(link_send(h->socket, from, BYTES_LIT("this is no frame")));
        return;
    }
    bool is_ours = bytes_equal(f->blob, hash_bytes(&h->sample->id));
    uint64_t i = f->index;
    for (; is_ours && i < f->index + f->count && i < h->there; i++)
        hub_say_data(h, from, i);
    if (i < f->index + f->count)
        hub_say_have(h, from, f->blob, is_ours ? h->there : 0, NULL);
}

static void hub_take(struct hub *h, const struct link_message *m)
{
    struct bulk_frame f;
    arena_reset(h->arena);
    sample_must(bulk_frame_decode(h->arena, m->payload, &f));
    h->asks += f.kind == BULK_ASK;
    if (h->is_unknown)
        hub_say_have(h, &m->peer, f.blob, 0, "blob_unknown");
    else if (f.kind == BULK_PUT)
        hub_take_put(h, &m->peer, &f);
    else if (f.kind == BULK_GET)
        hub_take_get(h, &m->peer, &f);
    else if (f.kind == BULK_ASK)
        hub_say_have(h, &m->peer, f.blob, h->have, NULL);
}

static void *hub_run(void *self)
{
    struct hub *h = self;
    struct link_message m = LINK_MESSAGE_INIT;
    bool stop = false;
    while (!stop) {
        struct link_poll_item item = {.socket = h->socket, .events = LINK_IN};
        sample_must(link_poll(&item, 1, 10));
        pthread_mutex_lock(&h->lock);
        while (link_recv(h->socket, &m) == 0)
            hub_take(h, &m);
        stop = h->stop;
        pthread_mutex_unlock(&h->lock);
    }
    link_message_done(&m);
    link_close(h->socket);
    return NULL;
}

static void hub_start(struct fixture *f)
{
    struct hub *h = &f->hub;
    struct link_server_options o = {.endpoint = f->net.endpoint[1],
                                    .max_message = BULK_FRAME_BYTES_MAX,
                                    .send_hwm = 100,
                                    .recv_hwm = 100};
    memcpy(o.secret, net_party(&f->net, HUB)->keys.curve_secret, sizeof o.secret);
    int err = COMITY_E_EXISTS;
    for (int i = 0; i < 100 && err == COMITY_E_EXISTS; i++) { /* the last one is just closing */
        err = link_listen(f->link, &o, &h->socket);
        if (err)
            usleep(20000);
    }
    assert_int_equal(err, 0);
    h->stop = false;
    assert_int_equal(pthread_create(&h->thread, NULL, hub_run, h), 0);
    h->is_running = true;
}

static void hub_stop(struct fixture *f)
{
    struct hub *h = &f->hub;
    if (!h->is_running)
        return;
    pthread_mutex_lock(&h->lock);
    h->stop = true;
    pthread_mutex_unlock(&h->lock);
    pthread_join(h->thread, NULL);
    h->is_running = false;
}

/* Wait until ${*what}, which is under the lock, is at least ${n}. */
#define hub_wait(h, what, n)                                          \
    do {                                                              \
        bool is_there = false;                                        \
        for (int turn = 0; turn < WAIT_MS / 5 && !is_there; turn++) { \
            pthread_mutex_lock(&(h)->lock);                           \
            is_there = (h)->what >= (n);                              \
            pthread_mutex_unlock(&(h)->lock);                         \
            if (!is_there)                                            \
                usleep(5000);                                         \
        }                                                             \
        assert_true(is_there);                                        \
    } while (0)

#define hub_set(h, what, value)           \
    do {                                  \
        pthread_mutex_lock(&(h)->lock);   \
        (h)->what = (value);              \
        pthread_mutex_unlock(&(h)->lock); \
    } while (0)

#define hub_get(h, what)                       \
    __extension__({                            \
        pthread_mutex_lock(&(h)->lock);        \
        __typeof__((h)->what) got = (h)->what; \
        pthread_mutex_unlock(&(h)->lock);      \
        got;                                   \
    })

/* ---- the node ---- */

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

static int set_up(void **state)
{
    static const char *const ids[] = {HUB, SELF, OTHER};
    struct fixture *f = calloc(1, sizeof *f);
    net_init(&f->net, ids, 3);
    snprintf(f->net.endpoint[1], sizeof f->net.endpoint[1], "tcp://127.0.0.1:%d", free_port());
    net_next_roster(&f->net, NULL);
    struct party *self = net_party(&f->net, SELF);
    uint8_t keys[1][32];
    memcpy(keys[0], self->keys.curve_public, 32);
    assert_int_equal(link_new(&f->link), 0);
    assert_int_equal(link_allow_set(f->link, keys, 1), 0);
    f->site = (struct site){.dir = self->dir,
                            .role = MEMBER_BUREAU,
                            .member = self->id,
                            .origin = self->origin,
                            .suite = SUITE_1};
    f->node = (struct node){.site = &f->site,
                            .keys = &self->keys,
                            .clock = clock_system,
                            .store = self->store,
                            .ledger = self->ledger,
                            .roster = f->net.roster,
                            .member = self->id,
                            .link = f->link};
    assert_int_equal(files_prepare(&f->site), 0);
    sample_init(&f->sample, THREE_BLOCKS);
    pthread_mutex_init(&f->hub.lock, NULL);
    f->hub.arena = arena_new(8 << 20);
    f->hub.sample = &f->sample;
    *state = f;
    return 0;
}

/* From here on what is the broker's is under its lock. */
static void start(struct fixture *f)
{
    if (!f->hub.is_running)
        hub_start(f);
    assert_int_equal(bulk_start(&f->node), 0);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    bulk_stop(&f->node);
    hub_stop(f);
    link_free(f->link);
    sample_done(&f->sample);
    arena_free(f->hub.arena);
    pthread_mutex_destroy(&f->hub.lock);
    net_done(&f->net);
    free(f);
    return 0;
}

static void other_sample(struct fixture *f, uint64_t len)
{
    sample_done(&f->sample);
    sample_init(&f->sample, len);
}

static void run(struct fixture *f, const char *sql, const struct db_value *v, size_t n)
{
    assert_int_equal(store_begin(f->node.store), 0);
    assert_int_equal(db_run_values(store_db(f->node.store), sql, v, n), 0);
    assert_int_equal(store_commit(f->node.store), 0);
}

/* Bring the sample's file in. */
static void bring(struct fixture *f)
{
    char *path = files_path(&f->node, &f->sample.sha256);
    assert_int_equal(file_write(path, BYTES(f->sample.plain, f->sample.len), 0600), 0);
    free(path);
}

/* A record of ${origin} names the blob, with that digest and secret. */
static void name_file(struct fixture *f, uint64_t origin, const struct hash *sha256,
                      const uint8_t *secret)
{
    const struct db_value v[] = {DB_BLOB(hash_bytes(&f->sample.id)), DB_U64(origin),
                                 DB_U64(f->sample.len), DB_BLOB(hash_bytes(sha256)),
                                 DB_BLOB(BYTES(secret, BLOB_SECRET_LEN))};
    run(f,
        "INSERT INTO view_file(blob, origin, idx, number, len, sha256, secret)"
        " VALUES(?1, ?2, 7, 0, ?3, ?4, ?5)",
        v, 5);
}

static void set_out(struct fixture *f, enum attachment_state state)
{
    const struct db_value v[] = {DB_BLOB(hash_bytes(&f->sample.id)), DB_U64(f->sample.len),
                                 DB_U64(state)};
    run(f, "INSERT OR REPLACE INTO attachment_out(blob, len, state) VALUES(?1, ?2, ?3)", v, 3);
}

/* A file of an own record, in a parcel that was accepted. */
static void want_upload(struct fixture *f)
{
    bring(f);
    name_file(f, 0, &f->sample.sha256, f->sample.secret);
    set_out(f, ATTACHMENT_READY);
}

/* A record received from ${sender} names the sample, and says that of it. */
static void want_fetch_as(struct fixture *f, const char *sender, const struct hash *sha256,
                          const struct hash *sm3, const uint8_t *secret)
{
    const struct db_value v[] = {DB_BLOB(hash_bytes(&f->sample.id)),
                                 DB_STR(net_party(&f->net, OTHER)->origin),
                                 DB_STR(sender),
                                 DB_U64(f->sample.len),
                                 DB_BLOB(hash_bytes(sha256)),
                                 DB_BLOB(hash_bytes(sm3)),
                                 DB_BLOB(BYTES(secret, BLOB_SECRET_LEN))};
    run(f,
        "INSERT INTO attachment_in(blob, origin, idx, sender, len, sha256, sm3, secret, name, "
        "state)"
        " VALUES(?1, ?2, 1, ?3, ?4, ?5, ?6, ?7, 'video.mp4', 1)",
        v, 7);
}

static void want_fetch(struct fixture *f)
{
    want_fetch_as(f, OTHER, &f->sample.sha256, &f->sample.sm3, f->sample.secret);
}

static bool finishes(struct fixture *f, int wait_ms, struct bulk_finished *ret)
{
    int64_t until = clock_mono_ms(&clock_system) + wait_ms;
    while (clock_mono_ms(&clock_system) < until) {
        struct link_poll_item item = {.fd = bulk_fd(&f->node), .events = LINK_IN};
        assert_int_equal(link_poll(&item, 1, 100), 0);
        if (bulk_take_finished(&f->node, ret, 1) == 1)
            return true;
    }
    return false;
}

/* It ends with ${err}; the turn writes that down. */
static void expect_finished(struct fixture *f, bool is_upload, int err)
{
    struct bulk_finished done;
    assert_true(finishes(f, WAIT_MS, &done));
    assert_int_equal(done.is_upload, is_upload);
    assert_string_equal(comity_err_token(done.err), comity_err_token(err));
    assert_true(hash_equal(&done.blob, &f->sample.id));
    const struct db_value v[] = {DB_BLOB(hash_bytes(&done.blob)),
                                 DB_U64(err ? ATTACHMENT_FAILED : ATTACHMENT_DONE),
                                 DB_BLOB(hash_bytes(&done.sha256)), DB_BLOB(hash_bytes(&done.sm3))};
    run(f,
        is_upload
            ? "UPDATE attachment_out SET state = ?2 WHERE blob = ?1"
            : "UPDATE attachment_in SET state = ?2 WHERE blob = ?1 AND sha256 = ?3 AND sm3 = ?4",
        v, is_upload ? 2 : 4);
    bulk_wake(&f->node);
}

static void expect_quiet(struct fixture *f)
{
    struct bulk_finished done;
    assert_false(finishes(f, QUIET_MS, &done));
}

static void expect_file(struct fixture *f)
{
    char *path = files_path(&f->node, &f->sample.sha256);
    struct buf content = BUF_INIT;
    assert_int_equal(file_read(path, f->sample.len, &content), 0);
    assert_true(bytes_equal(buf_bytes(&content), BYTES(f->sample.plain, f->sample.len)));
    buf_free(&content);
    free(path);
}

/* Names in files/fetch; one of them with that end into ${path}, if asked for. */
static size_t parts(struct fixture *f, const char *end, char *path, size_t room)
{
    char dir[256];
    size_t n = 0;
    snprintf(dir, sizeof dir, "%s/files/fetch", f->site.dir);
    DIR *d = opendir(dir);
    assert_non_null(d);
    for (struct dirent *e = NULL; (e = readdir(d));) {
        if (e->d_name[0] == '.')
            continue;
        n++;
        if (end && strcmp(e->d_name + strlen(e->d_name) - strlen(end), end) == 0)
            snprintf(path, room, "%s/%s", dir, e->d_name);
    }
    closedir(d);
    return n;
}

static void expect_no_file(struct fixture *f)
{
    assert_false(files_has(&f->node, &f->sample.sha256, f->sample.len));
    assert_int_equal(parts(f, NULL, NULL, 0), 0);
}

/* ---- uploads ---- */

static void upload_of_an_accepted_file_sends_every_block_once(void **state)
{
    struct fixture *f = *state;
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, puts), 3);
    assert_int_equal(hub_get(&f->hub, bad_puts), 0);
    expect_quiet(f);
}

static void upload_of_an_empty_file_sends_one_block(void **state)
{
    struct fixture *f = *state;
    other_sample(f, 0);
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, have), 1);
}

static void upload_begins_when_the_parcel_was_accepted(void **state)
{
    struct fixture *f = *state;
    want_upload(f);
    set_out(f, ATTACHMENT_WAITING);
    start(f);
    expect_quiet(f);
    assert_int_equal(hub_get(&f->hub, asks), 0);
    set_out(f, ATTACHMENT_READY);
    bulk_wake(&f->node);
    expect_finished(f, true, COMITY_OK);
}

static void upload_waits_for_a_file_that_is_not_here(void **state)
{
    struct fixture *f = *state;
    name_file(f, 3, &f->sample.sha256, f->sample.secret);
    set_out(f, ATTACHMENT_READY);
    start(f);
    expect_quiet(f);
    bring(f);
    bulk_wake(&f->node);
    expect_finished(f, true, COMITY_OK);
}

static void upload_of_what_is_there_sends_nothing(void **state)
{
    struct fixture *f = *state;
    f->hub.have = 3;
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, puts), 0);
}

static void upload_goes_on_where_the_broker_is(void **state)
{
    struct fixture *f = *state;
    f->hub.have = 2;
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, first_put), 2);
    assert_int_equal(hub_get(&f->hub, puts), 1);
}

static void upload_keeps_within_the_window(void **state)
{
    struct fixture *f = *state;
    other_sample(f, 20 * BLOB_PLAIN);
    f->hub.is_mute = true;
    want_upload(f);
    start(f);
    hub_wait(&f->hub, puts, 8);
    usleep(QUIET_MS * 1000);
    assert_int_equal(hub_get(&f->hub, puts), 8);
}

static void upload_refused_for_want_of_room_is_tried_again(void **state)
{
    struct fixture *f = *state;
    f->hub.full = 2;
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_true(hub_get(&f->hub, asks) > 1);
}

static void upload_survives_the_brokers_restart(void **state)
{
    struct fixture *f = *state;
    other_sample(f, 20 * BLOB_PLAIN);
    f->hub.is_mute = true;
    want_upload(f);
    start(f);
    hub_wait(&f->hub, puts, 8);
    hub_stop(f);
    f->hub.have = 5; /* that was durable */
    f->hub.puts = 0;
    f->hub.is_mute = false;
    hub_start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, first_put), 5);
}

static void upload_survives_a_broker_that_has_less_than_it_had(void **state)
{
    struct fixture *f = *state;
    other_sample(f, 20 * BLOB_PLAIN);
    want_upload(f);
    f->hub.is_mute = true;
    start(f);
    hub_wait(&f->hub, puts, 8);
    pthread_mutex_lock(&f->hub.lock);
    f->hub.have = 0; /* its blocks were let go, and named again */
    f->hub.is_mute = false;
    pthread_mutex_unlock(&f->hub.lock);
    hub_stop(f);
    hub_start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, have), 20);
}

static void upload_with_a_wrong_secret_fails_before_it_sends(void **state)
{
    struct fixture *f = *state;
    f->sample.secret[0] ^= 1;
    want_upload(f);
    start(f);
    expect_finished(f, true, COMITY_E_BLOB);
    assert_int_equal(hub_get(&f->hub, puts), 0);
}

static void upload_named_by_a_wrong_and_a_right_record_succeeds(void **state)
{
    struct fixture *f = *state;
    uint8_t secret[BLOB_SECRET_LEN] = {1};
    want_upload(f);
    run(f, "UPDATE view_file SET origin = 5", (const struct db_value[]){DB_NULL}, 1);
    name_file(f, 4, &f->sample.sha256, secret);
    start(f);
    expect_finished(f, true, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, bad_puts), 0);
}

static void upload_that_all_readers_have_is_done(void **state)
{
    struct fixture *f = *state;
    const struct db_value v[] = {DB_BLOB(hash_bytes(&f->sample.id)), DB_STR(OTHER)};
    f->hub.is_unknown = true;
    want_upload(f);
    run(f, "INSERT INTO attachment_out_to(blob, member, parcel, receipt) VALUES(?1, ?2, 1, 9)", v,
        2);
    start(f);
    expect_finished(f, true, COMITY_OK);
}

/* ---- fetches ---- */

static void fetch_of_a_blob_puts_its_file_in_place(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 3;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(parts(f, NULL, NULL, 0), 0);
    assert_int_equal(hub_get(&f->hub, gets), 1);
    expect_quiet(f);
}

static void fetch_of_an_empty_blob_puts_its_file_in_place(void **state)
{
    struct fixture *f = *state;
    other_sample(f, 0);
    f->hub.there = 1;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
}

static void fetch_of_a_long_blob_asks_window_by_window(void **state)
{
    struct fixture *f = *state;
    other_sample(f, LONG);
    f->hub.there = f->sample.blocks;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(hub_get(&f->hub, data), 80); /* none twice */
    assert_in_range(hub_get(&f->hub, gets), 3, 10);
}

static void fetch_of_what_is_not_there_asks_again_with_pauses(void **state)
{
    struct fixture *f = *state;
    int64_t begin_ms = clock_mono_ms(&clock_system);
    want_fetch(f);
    start(f);
    hub_wait(&f->hub, gets, 3);
    assert_true(clock_mono_ms(&clock_system) - begin_ms >= 200 + 400);
    assert_in_range(hub_get(&f->hub, gets), 3, 4);
    hub_set(&f->hub, there, 3);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
}

static void fetch_while_it_is_uploaded_takes_what_is_there(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 1;
    want_fetch(f);
    start(f);
    hub_wait(&f->hub, data, 1);
    hub_set(&f->hub, there, 2);
    hub_wait(&f->hub, data, 2);
    hub_set(&f->hub, there, 3);
    expect_finished(f, false, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, data), 3);
    expect_file(f);
}

static void fetch_with_a_wrong_block_refuses_it_and_asks_again(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 3;
    f->hub.spoil = 2;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_true(hub_get(&f->hub, gets) >= 2);
}

static void fetch_answered_by_no_frame_connects_again(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 3;
    f->hub.garbage = 1;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
}

static void fetch_survives_the_brokers_restart(void **state)
{
    struct fixture *f = *state;
    other_sample(f, LONG);
    f->hub.there = 30;
    want_fetch(f);
    start(f);
    hub_wait(&f->hub, data, 30);
    hub_stop(f);
    f->hub.there = 80;
    hub_start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_true(hub_get(&f->hub, data) < 2 * 80); /* some were lost on the way */
}

/* Fetch ${there} blocks and stop. */
static void fetch_some(struct fixture *f, uint64_t there)
{
    f->hub.there = there;
    want_fetch(f);
    start(f);
    hub_wait(&f->hub, data, there);
    hub_wait(&f->hub, gets, 4); /* an answer of this kind comes behind the last block */
    bulk_stop(&f->node);
    hub_stop(f);
    f->hub.gets = f->hub.data = 0;
    f->hub.there = f->sample.blocks;
}

static void fetch_stopped_anywhere_goes_on_there(void **state)
{
    struct fixture *f = *state;
    other_sample(f, LONG);
    fetch_some(f, 37);
    assert_int_equal(parts(f, NULL, NULL, 0), 2);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(hub_get(&f->hub, first_get), 37);
    assert_int_equal(hub_get(&f->hub, data), 80 - 37);
    assert_int_equal(parts(f, NULL, NULL, 0), 0);
}

static void fetch_killed_goes_on_behind_the_last_sync(void **state)
{
    struct fixture *f = *state;
    char have[600] = "";
    struct buf kept = BUF_INIT;
    other_sample(f, LONG);
    f->hub.there = 70;
    want_fetch(f);
    start(f);
    hub_wait(&f->hub, gets, 6);
    assert_int_equal(parts(f, ".have", have, sizeof have), 2);
    assert_int_equal(file_read(have, 8, &kept), 0);
    bulk_stop(&f->node); /* which writes down more than a killed one could */
    assert_int_equal(file_write(have, buf_bytes(&kept), 0600), 0);
    hub_stop(f);
    f->hub.gets = f->hub.data = 0;
    f->hub.there = 80;
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(hub_get(&f->hub, first_get), SYNCED);
    buf_free(&kept);
}

static void fetch_whose_beginning_was_damaged_begins_anew(void **state)
{
    struct fixture *f = *state;
    char part[600] = "";
    other_sample(f, LONG);
    fetch_some(f, 37);
    parts(f, ".part", part, sizeof part);
    int fd = open(part, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, "damaged", 7, BLOB_PLAIN + 5), 7);
    close(fd);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(hub_get(&f->hub, data), 80 - 37 + 80);
}

static void fetch_whose_beginning_was_cut_begins_anew(void **state)
{
    struct fixture *f = *state;
    char part[600] = "";
    other_sample(f, LONG);
    fetch_some(f, 37);
    parts(f, ".part", part, sizeof part);
    assert_int_equal(truncate(part, 37 * BLOB_PLAIN - 1), 0);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
    assert_int_equal(hub_get(&f->hub, first_get), 0);
}

static void fetch_of_what_is_here_asks_nobody(void **state)
{
    struct fixture *f = *state;
    bring(f);
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    assert_int_equal(hub_get(&f->hub, gets), 0);
}

static void fetch_of_what_is_here_and_damaged_replaces_it(void **state)
{
    struct fixture *f = *state;
    f->sample.plain[3] ^= 1;
    bring(f);
    f->sample.plain[3] ^= 1;
    f->hub.there = 3;
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
}

static void fetch_with_another_sm3_fails_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct hash sm3 = f->sample.sm3;
    sm3.b[31] ^= 1;
    f->hub.there = 3;
    want_fetch_as(f, OTHER, &f->sample.sha256, &sm3, f->sample.secret);
    start(f);
    expect_finished(f, false, COMITY_E_BLOB);
    expect_no_file(f);
}

static void fetch_of_what_is_here_with_another_sm3_fails(void **state)
{
    struct fixture *f = *state;
    struct hash sm3 = f->sample.sm3;
    sm3.b[0] ^= 1;
    bring(f);
    want_fetch_as(f, OTHER, &f->sample.sha256, &sm3, f->sample.secret);
    start(f);
    expect_finished(f, false, COMITY_E_BLOB);
    expect_file(f);
}

static void fetch_with_another_sha256_fails_and_leaves_nothing(void **state)
{
    struct fixture *f = *state;
    struct hash sha256 = f->sample.sha256;
    sha256.b[0] ^= 1;
    f->hub.there = 3;
    want_fetch_as(f, OTHER, &sha256, &f->sample.sm3, f->sample.secret);
    start(f);
    expect_finished(f, false, COMITY_E_BLOB);
    expect_no_file(f);
}

static void fetch_named_by_a_wrong_and_a_right_record_tells_them_apart(void **state)
{
    struct fixture *f = *state;
    struct hash sm3 = f->sample.sm3;
    struct bulk_finished done;
    sm3.b[5] ^= 1;
    f->hub.there = 3;
    want_fetch_as(f, "110000-001", &f->sample.sha256, &sm3, f->sample.secret);
    want_fetch(f);
    start(f);
    for (int i = 0; i < 2; i++) {
        assert_true(finishes(f, WAIT_MS, &done));
        assert_int_equal(done.err, hash_equal(&done.sm3, &f->sample.sm3) ? 0 : COMITY_E_BLOB);
        bulk_wake(&f->node);
    }
    expect_file(f);
}

/* ${n} blobs that the broker has not got. */
static void want_missing(struct fixture *f, uint8_t n)
{
    const struct hash id = f->sample.id;
    memset(f->sample.id.b, 0, 8); /* before any other */
    for (uint8_t i = 0; i < n; i++) {
        f->sample.id.b[8] = i;
        want_fetch(f);
    }
    f->sample.id = id;
}

static void fetch_is_not_held_up_by_more_missing_ones_than_there_are_places(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 3;
    want_missing(f, 80);
    want_fetch(f);
    start(f);
    expect_finished(f, false, COMITY_OK);
    expect_file(f);
}

static void fetch_of_more_than_there_are_places_rests_between_rounds(void **state)
{
    struct fixture *f = *state;
    want_missing(f, 80);
    start(f);
    hub_wait(&f->hub, gets, 80);
    usleep(1000 * 1000);
    assert_in_range(hub_get(&f->hub, gets), 80, 80 * 6);
}

static void fetch_begins_when_a_roster_comes(void **state)
{
    struct fixture *f = *state;
    f->hub.there = 3;
    f->node.roster = NULL;
    want_fetch(f);
    start(f);
    expect_quiet(f);
    f->node.roster = f->net.roster;
    bulk_wake(&f->node);
    expect_finished(f, false, COMITY_OK);
}

static void left_overs_that_nobody_waits_for_are_removed(void **state)
{
    struct fixture *f = *state;
    other_sample(f, LONG);
    fetch_some(f, 37);
    run(f, "UPDATE attachment_in SET state = 3", (const struct db_value[]){DB_NULL}, 1);
    start(f);
    for (int i = 0; i < 200 && parts(f, NULL, NULL, 0); i++)
        usleep(10000);
    expect_no_file(f);
}

static void both_directions_run_at_once(void **state)
{
    struct fixture *f = *state;
    struct sample_blob up;
    struct sample_blob down = {0};
    other_sample(f, LONG);
    down = f->sample;
    sample_init(&up, LONG / 2);
    f->hub.there = 80;
    want_fetch(f);
    f->sample = up; /* the hub knows one blob only: PUTs of another one do not fit */
    f->hub.sample = &down;
    want_upload(f);
    start(f);
    struct bulk_finished done;
    assert_true(finishes(f, WAIT_MS, &done));
    assert_false(done.is_upload);
    hub_wait(&f->hub, puts, 8);
    bulk_stop(&f->node);
    hub_stop(f);
    f->sample = down;
    expect_file(f);
    sample_done(&up);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(upload_of_an_accepted_file_sends_every_block_once),
        TEST(upload_of_an_empty_file_sends_one_block),
        TEST(upload_begins_when_the_parcel_was_accepted),
        TEST(upload_waits_for_a_file_that_is_not_here),
        TEST(upload_of_what_is_there_sends_nothing),
        TEST(upload_goes_on_where_the_broker_is),
        TEST(upload_keeps_within_the_window),
        TEST(upload_refused_for_want_of_room_is_tried_again),
        TEST(upload_survives_the_brokers_restart),
        TEST(upload_survives_a_broker_that_has_less_than_it_had),
        TEST(upload_with_a_wrong_secret_fails_before_it_sends),
        TEST(upload_named_by_a_wrong_and_a_right_record_succeeds),
        TEST(upload_that_all_readers_have_is_done),
        TEST(fetch_of_a_blob_puts_its_file_in_place),
        TEST(fetch_of_an_empty_blob_puts_its_file_in_place),
        TEST(fetch_of_a_long_blob_asks_window_by_window),
        TEST(fetch_of_what_is_not_there_asks_again_with_pauses),
        TEST(fetch_while_it_is_uploaded_takes_what_is_there),
        TEST(fetch_with_a_wrong_block_refuses_it_and_asks_again),
        TEST(fetch_answered_by_no_frame_connects_again),
        TEST(fetch_survives_the_brokers_restart),
        TEST(fetch_stopped_anywhere_goes_on_there),
        TEST(fetch_killed_goes_on_behind_the_last_sync),
        TEST(fetch_whose_beginning_was_damaged_begins_anew),
        TEST(fetch_whose_beginning_was_cut_begins_anew),
        TEST(fetch_of_what_is_here_asks_nobody),
        TEST(fetch_of_what_is_here_and_damaged_replaces_it),
        TEST(fetch_with_another_sm3_fails_and_leaves_nothing),
        TEST(fetch_of_what_is_here_with_another_sm3_fails),
        TEST(fetch_with_another_sha256_fails_and_leaves_nothing),
        TEST(fetch_named_by_a_wrong_and_a_right_record_tells_them_apart),
        TEST(fetch_is_not_held_up_by_more_missing_ones_than_there_are_places),
        TEST(fetch_of_more_than_there_are_places_rests_between_rounds),
        TEST(fetch_begins_when_a_roster_comes),
        TEST(left_overs_that_nobody_waits_for_are_removed),
        TEST(both_directions_run_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
