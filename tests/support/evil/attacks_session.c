/* Attacks on the session: who one is, what one says one has, and bytes that are no frames. */
#include "evil/attacks.h"

#include "evil/must.h"
#include "link/poll.h"

#include <string.h>

enum { ANSWER_MS = 10000, BIG = 900 * 1024 };

/* Say ${f} after a fresh connection, and see what comes. */
static void say_first(struct evil *e, const struct frame *f)
{
    if (evil_connect(e, NULL)) {
        evil_send(e, f);
        if (evil_wait(e, FRAME_WELCOME, ANSWER_MS) == FRAME_BYE)
            evil_wait(e, EVIL_CLOSED, ANSWER_MS);
    }
}

/* Within a session. */
static void say(struct evil *e, const struct frame *f)
{
    if (!evil_greet(e))
        return;
    evil_send(e, f);
    if (evil_wait(e, FRAME_WELCOME, ANSWER_MS) == FRAME_BYE)
        evil_wait(e, EVIL_CLOSED, ANSWER_MS);
}

static void say_bytes(struct evil *e, struct bytes payload)
{
    if (!evil_greet(e))
        return;
    evil_send_raw(e, payload);
    if (evil_wait(e, FRAME_WELCOME, ANSWER_MS) == FRAME_BYE)
        evil_wait(e, EVIL_CLOSED, ANSWER_MS);
}

static void stranger(struct evil *e, const struct attack_args *a)
{
    (void)a;
    uint8_t secret[32];
    random_bytes(secret, sizeof secret);
    if (evil_connect(e, secret))
        printf("connected\n");
}

static void other_origin(struct evil *e, const struct attack_args *a)
{
    struct frame f = evil_hello(e);
    char origin[ORIGIN_MAX + 1];
    snprintf(origin, sizeof origin, "%s/%s", e->site->network.name, a->other);
    f.u.hello.origin = bytes_of(origin);
    say_first(e, &f);
}

static void version(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct frame f = evil_hello(e);
    f.u.hello.version = PROTOCOL_VERSION + 1;
    say_first(e, &f);
}

static void hello_signature(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct frame f = evil_hello(e);
    struct note_signer *signer = NULL;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    uint8_t seed[NOTE_SEED_LEN];
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new(e->site->origin, seed, &signer));
    MUST(checkpoint_peek(f.u.hello.checkpoint, &c));
    MUST(checkpoint_sign(&c, signer, &note));
    f.u.hello.checkpoint = buf_bytes(&note);
    say_first(e, &f);
    note_signer_free(signer);
    buf_free(&note);
}

static void hello_old(struct evil *e, const struct attack_args *a)
{
    (void)a;
    loose_cut(&e->ledger, 1);
    struct frame f = evil_hello(e);
    say_first(e, &f);
}

static void hello_fork(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct entry note = {.time_ms = 1, .kind = ENTRY_NOTE};
    loose_cut(&e->ledger, e->ledger.count - 1);
    loose_append(&e->ledger, &note);
    struct frame f = evil_hello(e);
    say_first(e, &f);
}

static void hello_taken(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct frame f = evil_hello(e);
    f.u.hello.taken += 1000;
    say_first(e, &f);
}

static void hello_answered(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct frame f = evil_hello(e);
    f.u.hello.answered += 1000;
    say_first(e, &f);
}

static void hello_credit(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct frame f = evil_hello(e);
    f.u.hello.credit = 1;
    say_first(e, &f);
}

static void garbage(struct evil *e, const struct attack_args *a)
{
    (void)a;
    uint8_t bytes[1000];
    random_bytes(bytes, sizeof bytes);
    bytes[0] = 0xff;
    say_bytes(e, BYTES(bytes, sizeof bytes));
}

static void unknown_message(struct evil *e, const struct attack_args *a)
{
    (void)a;
    say_bytes(e, BYTES_LIT("\x9a\x06\x00")); /* field 99, empty */
}

/* What only a broker says. */
static void wrong_way(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (!evil_greet(e))
        return;
    const struct frame f = {.kind = FRAME_ANSWER,
                            .epoch = BYTES(e->epoch, EPOCH_LEN),
                            .u.answer = {.parcel_seq = 1, .credit = 1}};
    evil_send(e, &f);
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
}

static void two_frames(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (!evil_greet(e))
        return;
    evil_send_two(e, BYTES_LIT("one"), BYTES_LIT("two"));
    if (evil_wait(e, FRAME_WELCOME, ANSWER_MS) == FRAME_BYE)
        evil_wait(e, EVIL_CLOSED, ANSWER_MS);
}

static void oversize(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct buf big = BUF_INIT;
    uint8_t *room = buf_reserve(&big, 2 * FRAME_BYTES_MAX);
    MUST(room ? COMITY_OK : COMITY_E_NOMEM);
    memset(room, 0, 2 * FRAME_BYTES_MAX);
    big.len = 2 * FRAME_BYTES_MAX;
    say_bytes(e, buf_bytes(&big));
    buf_free(&big);
}

static void epoch(struct evil *e, const struct attack_args *a)
{
    (void)a;
    uint8_t other[EPOCH_LEN];
    random_bytes(other, sizeof other);
    const struct frame f = {
        .kind = FRAME_PING, .epoch = BYTES(other, EPOCH_LEN), .u.ping = {.credit = EVIL_CREDIT}};
    say(e, &f);
}

/* A frame before HELLO. */
static void no_hello(struct evil *e, const struct attack_args *a)
{
    (void)a;
    const struct frame f = {
        .kind = FRAME_PING, .epoch = BYTES(e->epoch, EPOCH_LEN), .u.ping = {.credit = EVIL_CREDIT}};
    say_first(e, &f);
}

/* More bytes of SUBMIT than were granted, faster than they can be answered. */
static void over_credit(struct evil *e, const struct attack_args *a)
{
    (void)a;
    struct buf junk = BUF_INIT;
    uint8_t *room = buf_reserve(&junk, BIG);
    MUST(room ? COMITY_OK : COMITY_E_NOMEM);
    memset(room, 1, BIG);
    junk.len = BIG;
    if (evil_greet(e)) {
        for (int i = 0; i < 12; i++)
            evil_submit_as(e, e->parcel_seq + 100, buf_bytes(&junk));
        int got = FRAME_RESYNC;
        while (got == FRAME_RESYNC)
            got = evil_wait(e, FRAME_BYE, ANSWER_MS);
    }
    buf_free(&junk);
}

static void taken_ahead(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (!evil_greet(e))
        return;
    const struct frame f = {.kind = FRAME_TAKEN,
                            .epoch = BYTES(e->epoch, EPOCH_LEN),
                            .u.taken = {.delivery_seq = 1000000, .credit = EVIL_CREDIT}};
    evil_send(e, &f);
    evil_wait(e, FRAME_BYE, ANSWER_MS);
}

static void prove_nonsense(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (!evil_greet(e))
        return;
    const struct frame f = {.kind = FRAME_PROVE,
                            .epoch = BYTES(e->epoch, EPOCH_LEN),
                            .u.prove = {.from = 7, .to = UINT64_MAX}};
    evil_send(e, &f);
    evil_wait(e, FRAME_PROOF, ANSWER_MS);
}

/* Frames by their kind, until none comes for a while. */
static void count_frames(struct evil *e, size_t count[FRAME_PROOF + 1])
{
    struct frame f;
    for (int quiet = 0; quiet < 20 && link_client_state(e->socket) == LINK_CONNECTED;) {
        struct link_poll_item item = {.socket = e->socket, .events = LINK_IN};
        if (link_recv(e->socket, &e->message)) {
            MUST(link_poll(&item, 1, 50));
            quiet++;
            continue;
        }
        quiet = 0;
        arena_reset(e->arena);
        MUST(frame_decode(e->arena, e->message.payload, &f));
        count[f.kind]++;
    }
}

/* --count times HELLO, each as if nothing had ever been answered. */
static void hello_again(struct evil *e, const struct attack_args *a)
{
    struct frame f = evil_hello(e);
    size_t count[FRAME_PROOF + 1] = {0};
    struct buf bytes = BUF_INIT;
    f.u.hello.answered = 0;
    MUST(frame_encode(&f, &bytes));
    if (!evil_connect(e, NULL))
        return;
    for (size_t i = 0; i < a->count; i++)
        evil_send_raw(e, buf_bytes(&bytes));
    count_frames(e, count);
    printf("welcomes %zu answers %zu\n", count[FRAME_WELCOME], count[FRAME_ANSWER]);
    buf_free(&bytes);
}

/* HELLO on a second connection, while the first one stays. */
static void twice(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (!evil_greet(e))
        return;
    struct link_socket *first = e->socket;
    link_message_done(&e->message);
    e->socket = NULL;
    e->is_up = false;
    if (evil_greet(e)) {
        for (int i = 0; i < ANSWER_MS / 50 && link_client_state(first) == LINK_CONNECTED; i++) {
            struct link_poll_item item = {.socket = first, .events = LINK_STATE};
            MUST(link_poll(&item, 1, 50));
        }
        printf("first %s\n", link_client_state(first) == LINK_CONNECTED ? "open" : "closed");
        evil_wait(e, EVIL_CLOSED, 500);
    }
    link_close(first);
}

/* Stay, and tell when it is over. */
static void stay(struct evil *e, const struct attack_args *a)
{
    (void)a;
    if (evil_greet(e)) {
        printf("staying\n");
        if (evil_wait(e, FRAME_BYE, 60000) == FRAME_BYE)
            evil_wait(e, EVIL_CLOSED, ANSWER_MS);
    }
}

const struct attack session_attacks[] = {
    {"stay", "be honest, and wait until the broker ends it", stay, false, false},
    {"stranger", "connect with a CURVE key that no member has", stranger, false, true},
    {"other-origin", "HELLO in the name of --other", other_origin, false, true},
    {"version", "HELLO of another version of the protocol", version, false, true},
    {"hello-signature", "HELLO with a checkpoint that another key has signed", hello_signature,
     false, true},
    {"hello-old", "HELLO with a checkpoint older than the one seen", hello_old, false, true},
    {"hello-fork", "HELLO with another root at the size seen", hello_fork, false, true},
    {"hello-taken", "HELLO that has taken what was never delivered", hello_taken, false, true},
    {"hello-answered", "HELLO that has answers that were never given", hello_answered, false, true},
    {"hello-credit", "HELLO that grants less than the least", hello_credit, false, true},
    {"no-hello", "a frame before any HELLO", no_hello, false, true},
    {"garbage", "bytes that are no frame", garbage, false, true},
    {"unknown-message", "a frame of a kind that is none", unknown_message, false, true},
    {"wrong-way", "a frame that only a broker sends", wrong_way, false, true},
    {"two-frames", "one message of two payload frames", two_frames, false, true},
    {"oversize", "a frame of 2 MiB", oversize, false, true},
    {"hello-again", "--count times HELLO, as if nothing had been answered", hello_again, false,
     true},
    {"twice", "HELLO on a second connection", twice, false, true},
    {"epoch", "a frame of an epoch that is none", epoch, false, true},
    {"over-credit", "more bytes than were granted", over_credit, false, true},
    {"taken-ahead", "TAKEN of what was never delivered", taken_ahead, false, true},
    {"prove-nonsense", "PROVE of sizes that were never signed", prove_nonsense, false, true},
    {0}};
