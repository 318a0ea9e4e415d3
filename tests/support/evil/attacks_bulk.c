/* Attacks on the bulk socket: blocks that nobody asked for, that are not what they should be, or
 * that are somebody else's. */
#include "evil/attacks.h"

#include "evil/forge.h"
#include "evil/must.h"
#include "link/poll.h"
#include "wire/blob.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_MS = 10000, FILE_LEN = 1000, STARVE_S = 60 };

/* A connection to the bulk socket, on which so many messages are taken in that nobody asks for. */
static struct link_socket *connect_bulk(struct evil *e, int recv_hwm)
{
    struct link_socket *s = NULL;
    struct link_client_options o = {.endpoint = arena_strdup(e->arena, e->broker->endpoints[1]),
                                    .max_message = LINK_MESSAGE_MAX,
                                    .send_hwm = 64,
                                    .recv_hwm = recv_hwm,
                                    .reconnect_ms = 30000};
    memcpy(o.secret, e->keys.curve_secret, sizeof o.secret);
    memcpy(o.server_public, e->broker->curve.data, sizeof o.server_public);
    MUST(link_connect(e->link, &o, &s));
    wipe(&o, sizeof o);
    for (int i = 0; i < ANSWER_MS / 50 && link_client_state(s) == LINK_CONNECTING; i++) {
        struct link_poll_item item = {.socket = s, .events = LINK_STATE};
        MUST(link_poll(&item, 1, 50));
    }
    if (link_client_state(s) != LINK_CONNECTED)
        printf("denied\n");
    return s;
}

static void print_frame(struct evil *e, struct bytes payload)
{
    struct bulk_frame f;
    MUST(bulk_frame_decode(e->arena, payload, &f));
    if (f.kind == BULK_HAVE)
        printf("have next=%lu%s %.*s\n", f.index, f.complete ? " complete" : "", (int)f.token.len,
               f.token.data);
    else if (f.kind == BULK_DATA)
        printf("data %lu\n", f.index);
}

/* Send bytes, and tell what comes, or that the connection ends. */
static void say_bulk_bytes(struct evil *e, struct bytes payload)
{
    struct link_socket *s = connect_bulk(e, 64);
    struct link_message m = LINK_MESSAGE_INIT;
    MUST(link_send(s, NULL, payload));
    for (int i = 0; i < ANSWER_MS / 20; i++) {
        struct link_poll_item item = {.socket = s, .events = LINK_IN | LINK_STATE};
        if (link_recv(s, &m) == COMITY_OK) {
            print_frame(e, m.payload);
            break;
        }
        if (link_client_state(s) != LINK_CONNECTED) {
            printf("closed\n");
            break;
        }
        MUST(link_poll(&item, 1, 20));
    }
    link_message_done(&m);
    link_close(s);
}

static void say_bulk(struct evil *e, const struct bulk_frame *f)
{
    struct buf bytes = BUF_INIT;
    MUST(bulk_frame_encode(f, &bytes));
    say_bulk_bytes(e, buf_bytes(&bytes));
    buf_free(&bytes);
}

/* PUT of ${index} of a blob of FILE_LEN bytes; the block is random, so it is not what the blob's id
 * says. */
static void put_random(struct evil *e, struct bytes blob, uint64_t index)
{
    uint8_t block[FILE_LEN + 16];
    random_bytes(block, sizeof block);
    const struct bulk_frame f = {.kind = BULK_PUT,
                                 .blob = blob,
                                 .len = FILE_LEN,
                                 .index = index,
                                 .block = BYTES(block, sizeof block)};
    say_bulk(e, &f);
}

static void put_unknown(struct evil *e, const struct attack_args *a)
{
    struct hash id;
    (void)a;
    random_bytes(id.b, sizeof id.b);
    put_random(e, hash_bytes(&id), 0);
}

/* The parcel names a file, as an honest one does; what is uploaded is another. */
static void put_other(struct evil *e, const struct attack_args *a)
{
    struct forge what = {.to_count = a->to_count, .names_a_file = true};
    struct buf bytes = BUF_INIT;
    struct parcel p;
    struct parcel_head h;
    memcpy(what.to, a->to, sizeof what.to);
    if (!evil_greet(e))
        return;
    forge_parcel(e, &what, &bytes);
    evil_submit(e, buf_bytes(&bytes));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    MUST(parcel_decode(e->arena, buf_bytes(&bytes), &p));
    MUST(parcel_head_decode(e->arena, p.head, &h));
    put_random(e, bytes_slice(h.blobs[0], 0, HASH_LEN), 0);
    put_random(e, bytes_slice(h.blobs[0], 0, HASH_LEN), 7);
    buf_free(&bytes);
}

static void get_other(struct evil *e, const struct attack_args *a)
{
    struct hash id;
    MUST(text_get_hex(bytes_of(a->blob), id.b, sizeof id.b));
    const struct bulk_frame f = {.kind = BULK_GET, .blob = hash_bytes(&id), .index = 0, .count = 8};
    say_bulk(e, &f);
}

static void bulk_garbage(struct evil *e, const struct attack_args *a)
{
    (void)a;
    say_bulk_bytes(e, BYTES_LIT("\xff\xff\xff"));
}

static void bulk_oversize(struct evil *e, const struct attack_args *a)
{
    struct buf big = BUF_INIT;
    uint8_t *room = buf_reserve(&big, FRAME_BYTES_MAX);
    (void)a;
    MUST(room ? COMITY_OK : COMITY_E_NOMEM);
    memset(room, 0, FRAME_BYTES_MAX);
    big.len = FRAME_BYTES_MAX;
    say_bulk_bytes(e, buf_bytes(&big));
    buf_free(&big);
}

/* On --count connections, GET of every file in --blob (large ones first, divided by commas), and
 * not a glance at what comes. */
static void starve(struct evil *e, const struct attack_args *a)
{
    for (size_t i = 0; i < a->count; i++) {
        struct link_socket *s = connect_bulk(e, 1);
        const char *next = a->blob;
        for (size_t n = 0; *next && link_client_state(s) == LINK_CONNECTED; n++) {
            struct hash id;
            struct buf bytes = BUF_INIT;
            MUST(text_get_hex(BYTES(next, 2 * HASH_LEN), id.b, sizeof id.b));
            const struct bulk_frame f = {.kind = BULK_GET, .blob = hash_bytes(&id), .count = 64};
            MUST(bulk_frame_encode(&f, &bytes));
            (void)(link_send(s, NULL, buf_bytes(&bytes)) == COMITY_OK);
            buf_free(&bytes);
            next += 2 * HASH_LEN;
            next += *next == ',';
            if (n == 0)
                usleep(100 * 1000); /* until the way to us is full */
        }
    }
    printf("starving\n");
    sleep(STARVE_S);
    exit(0); /* with all its connections */
}

/* A word on each of the two sockets, no session, and silence until somebody ends it. */
static void lurk(struct evil *e, const struct attack_args *a)
{
    (void)a;
    const struct frame ping = {
        .kind = FRAME_PING, .epoch = BYTES(e->epoch, EPOCH_LEN), .u.ping = {.credit = EVIL_CREDIT}};
    struct hash id = {{1}};
    const struct bulk_frame ask = {.kind = BULK_ASK, .blob = hash_bytes(&id)};
    struct buf bytes = BUF_INIT;
    struct link_socket *bulk = connect_bulk(e, 64);
    if (!evil_connect(e, NULL))
        return;
    evil_send(e, &ping);
    evil_wait(e, FRAME_RESYNC, ANSWER_MS);
    MUST(bulk_frame_encode(&ask, &bytes));
    MUST(link_send(bulk, NULL, buf_bytes(&bytes)));
    buf_free(&bytes);
    usleep(500 * 1000);
    printf("lurking\n");
    bool is_open[2] = {true, true};
    for (int i = 0; i < STARVE_S * 20 && (is_open[0] || is_open[1]); i++) {
        struct link_socket *s[2] = {e->socket, bulk};
        for (int k = 0; k < 2; k++) {
            if (!is_open[k] || link_client_state(s[k]) == LINK_CONNECTED)
                continue;
            printf("%s closed\n", k ? "bulk" : "main");
            is_open[k] = false;
        }
        usleep(50 * 1000);
    }
    link_close(bulk);
}

const struct attack bulk_attacks[] = {
    {"put-unknown", "a block of a file that no parcel names", put_unknown, false, true},
    {"put-other", "a block that is not the file's that the parcel names", put_other, false, false},
    {"get-other", "blocks of --blob, which is for others", get_other, false, true},
    {"bulk-garbage", "bytes that are no frame, to the bulk socket", bulk_garbage, false, true},
    {"bulk-oversize", "a frame of 1 MiB, to the bulk socket", bulk_oversize, false, true},
    {"lurk", "a word on both sockets, and then silence", lurk, false, true},
    {"starve", "GETs of the files --blob on --count connections, and no listening", starve, false,
     true},
    {0}};
