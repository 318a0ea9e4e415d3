/* A member that speaks the protocol as it likes. See peer.h. */
#include "evil/peer.h"

#include "base/file.h"
#include "crypto/keyfile.h"
#include "crypto/seal.h"
#include "evil/must.h"
#include "link/link_internal.h"
#include "link/poll.h"
#include "wire/parcel.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { ARENA = 512 * 1024 * 1024, CONNECT_MS = 12000 };

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- what is kept between runs ---- */

static FILE *open_kept(const struct evil *e, const char *mode)
{
    char *path = site_path(e->site, "evil.state");
    FILE *f = path ? fopen(path, mode) : NULL;
    free(path);
    return f;
}

static void load_kept(struct evil *e)
{
    FILE *f = open_kept(e, "r");
    if (!f)
        return;
    struct evil_peer p = {0};
    if (fscanf(f, "%lu %lu", &e->taken, &e->answered) != 2)
        exit(1);
    while (fscanf(f, "%32s %lu %lu", p.member, &p.next, &p.sent) == 3) {
        p.next_now = p.next;
        p.sent_now = p.sent;
        e->peer[e->peer_count++] = p;
    }
    fclose(f);
}

static void save_kept(const struct evil *e)
{
    FILE *f = open_kept(e, "w");
    if (!f)
        exit(1);
    fprintf(f, "%lu %lu\n", e->taken, e->answered);
    for (size_t i = 0; i < e->peer_count; i++)
        fprintf(f, "%s %lu %lu\n", e->peer[i].member, e->peer[i].next, e->peer[i].sent);
    fclose(f);
}

struct evil_peer *evil_peer(struct evil *e, const char *member)
{
    for (size_t i = 0; i < e->peer_count; i++)
        if (strcmp(e->peer[i].member, member) == 0)
            return &e->peer[i];
    if (e->peer_count == EVIL_PEERS_MAX)
        exit(1);
    struct evil_peer *p = &e->peer[e->peer_count++];
    *p = (struct evil_peer){.next = 1, .next_now = 1};
    snprintf(p->member, sizeof p->member, "%s", member);
    return p;
}

/*
 * The site's secrets. Opening key files is meant to take its time, so what came out of them is kept
 * beside them, in plain: a scenario tries many attacks, and nothing in its folder is worth
 * protecting.
 */
enum { SECRET_LEDGER, SECRET_CURVE, SECRET_SEAL, SECRETS };
static void open_secrets(struct evil *e, const char *passphrase_file, uint8_t secret[SECRETS][32])
{
    static const struct {
        const char *file;
        enum key_use use;
    } keys[SECRETS] = {{"keys/ledger.key", KEY_LEDGER},
                       {"keys/curve.key", KEY_CURVE},
                       {"keys/seal-1.key", KEY_SEAL}};
    char *kept = site_path(e->site, "evil.secrets");
    struct buf bytes = BUF_INIT;
    struct buf passphrase = BUF_INIT;
    struct key_public pub;
    if (file_read(kept, SECRETS * 32, &bytes) == COMITY_OK && bytes.len == SECRETS * 32) {
        memcpy(secret, bytes.data, bytes.len);
    } else {
        MUST(passphrase_read(passphrase_file, &passphrase));
        for (size_t i = 0; i < SECRETS; i++) {
            char *path = site_path(e->site, keys[i].file);
            MUST(keyfile_open(path, keys[i].use, buf_bytes(&passphrase), &pub, secret[i]));
            free(path);
        }
        MUST(file_write(kept, BYTES(secret, SECRETS * 32), 0600));
    }
    buf_wipe(&passphrase);
    buf_wipe(&bytes);
    free(kept);
}

static void open_keys(struct evil *e, const char *passphrase_file)
{
    struct site_keys *k = &e->keys;
    uint8_t secret[SECRETS][32];
    open_secrets(e, passphrase_file, secret);
    MUST(note_signer_new(e->site->origin, secret[SECRET_LEDGER], &k->ledger));
    memcpy(k->curve_secret, secret[SECRET_CURVE], 32);
    MUST(seal_public(k->curve_secret, k->curve_public));
    memcpy(k->seal[0].secret, secret[SECRET_SEAL], 32);
    MUST(seal_public(k->seal[0].secret, k->seal_public));
    seal_key_id(suite_get(e->site->suite), k->seal_public, k->seal[0].id);
    k->seal_count = 1;
}

void evil_open(struct evil *e, const char *conf, const char *passphrase_file)
{
    struct buf detail = BUF_INIT;
    *e = (struct evil){.message = LINK_MESSAGE_INIT};
    setvbuf(stdout, NULL, _IOLBF, 0);
    MUST(crypto_init());
    MUST(site_load(conf, &e->site, &detail));
    open_keys(e, passphrase_file);
    MUST(site_roster(e->site, NULL, &e->roster));
    e->broker = roster_broker(e->roster);
    e->arena = arena_new(ARENA);
    MUST(e->broker && e->arena ? COMITY_OK : COMITY_E_NOMEM);
    MUST(link_new(&e->link));
    loose_open(&e->ledger, e->site, &e->keys);
    load_kept(e);
    buf_free(&detail);
}

void evil_close(struct evil *e)
{
    evil_disconnect(e);
    save_kept(e); /* what was answered was answered */
    if (!e->forgets)
        loose_save(&e->ledger, e->site);
    loose_done(&e->ledger);
    link_free(e->link);
    roster_free(e->roster);
    site_keys_wipe(&e->keys);
    site_free(e->site);
    arena_free(e->arena);
}

/* ---- the connection ---- */

bool evil_connect(struct evil *e, const uint8_t *secret)
{
    char *endpoint = arena_strdup(e->arena, e->broker->endpoints[0]);
    struct link_client_options o = {.endpoint = endpoint,
                                    .max_message = LINK_MESSAGE_MAX,
                                    .send_hwm = 4096,
                                    .recv_hwm = 4096,
                                    .reconnect_ms = 30000};
    memcpy(o.secret, secret ? secret : e->keys.curve_secret, sizeof o.secret);
    memcpy(o.server_public, e->broker->curve.data, sizeof o.server_public);
    evil_disconnect(e);
    MUST(link_connect(e->link, &o, &e->socket));
    wipe(&o, sizeof o);
    for (int64_t end = now_ms() + CONNECT_MS; now_ms() < end;) {
        struct link_poll_item item = {.socket = e->socket, .events = LINK_STATE};
        MUST(link_poll(&item, 1, 50));
        enum link_client_state state = link_client_state(e->socket);
        e->is_up = state == LINK_CONNECTED;
        if (e->is_up)
            return true;
        if (state != LINK_CONNECTING)
            break;
    }
    printf("denied\n");
    return false;
}

void evil_disconnect(struct evil *e)
{
    link_message_done(&e->message);
    link_close(e->socket);
    e->socket = NULL;
    e->is_up = false;
}

void evil_send_raw(struct evil *e, struct bytes payload)
{
    for (int tries = 0;; tries++) {
        int err = link_send(e->socket, NULL, payload);
        if (err == COMITY_E_AGAIN && tries < 200 &&
            link_client_state(e->socket) == LINK_CONNECTED) {
            struct link_poll_item item = {.socket = e->socket, .events = LINK_OUT};
            MUST(link_poll(&item, 1, 50));
            continue;
        }
        if (err != COMITY_E_AGAIN) /* the connection may be gone: that is told by evil_wait */
            MUST(err);
        return;
    }
}

void evil_send_two(struct evil *e, struct bytes first, struct bytes second)
{
    if (zmq_send(e->socket->zmq, first.data, first.len, ZMQ_SNDMORE) < 0 ||
        zmq_send(e->socket->zmq, second.data, second.len, 0) < 0)
        exit(1);
}

void evil_send(struct evil *e, const struct frame *f)
{
    struct buf bytes = BUF_INIT;
    MUST(frame_encode(f, &bytes));
    evil_send_raw(e, buf_bytes(&bytes));
    buf_free(&bytes);
}

/* ---- what comes in ---- */

static void drop_flight(struct evil *e)
{
    e->flight_count = 0;
    for (size_t i = 0; i < e->peer_count; i++) {
        e->peer[i].next_now = e->peer[i].next;
        e->peer[i].sent_now = e->peer[i].sent;
    }
}

static void take_welcome(struct evil *e, const struct frame *f)
{
    struct checkpoint seen = {0};
    if (f->u.welcome.seen.len)
        MUST(checkpoint_peek(f->u.welcome.seen, &seen));
    memcpy(e->epoch, f->epoch.data, EPOCH_LEN);
    e->parcel_seq = f->u.welcome.parcel_seq;
    e->broker_sent = seen.size;
    printf("welcome parcel_seq=%lu seen=%lu\n", e->parcel_seq, seen.size);
}

static void confirm(struct evil *e, uint64_t seq)
{
    for (size_t i = 0; i < e->flight_count; i++) {
        const struct evil_flight *fl = &e->flight[i];
        for (size_t k = 0; fl->seq == seq && k < fl->to_count; k++) {
            struct evil_peer *p = evil_peer(e, fl->to[k]);
            p->next = p->next_now;
            p->sent = fl->size;
        }
    }
}

static void take_answer(struct evil *e, const struct frame *f)
{
    struct parcel_facts *s = NULL;
    const struct parcel_rules rules = {.roster = e->roster, .place = PARCEL_STATEMENT};
    if (f->u.answer.statement.data)
        MUST(parcel_verify(e->arena, f->u.answer.statement, &rules, &s));
    for (size_t i = 0; s && i < s->count; i++) {
        struct ref_routed routed;
        struct ref_refused refused;
        if (s->entries[i].kind == ENTRY_ROUTED) {
            MUST(ref_routed_parse(s->entries[i].ref, &routed));
            printf("routed %lu index=%lu\n", routed.parcel_seq, s->entries[i].index);
            confirm(e, routed.parcel_seq);
        } else {
            MUST(ref_refused_parse(s->entries[i].ref, &refused));
            printf("refused %.*s\n", (int)refused.token.len, refused.token.data);
            drop_flight(e);
        }
    }
    e->answered = f->u.answer.parcel_seq;
    printf("answered %lu\n", e->answered);
}

static void print_entry(struct evil *e, struct bytes bytes)
{
    struct entry entry;
    struct ref_refused refused;
    struct ref_received received;
    MUST(entry_decode(e->arena, bytes, &entry));
    printf(" %s", entry_kind_word(entry.kind));
    if (entry.kind == ENTRY_REFUSED && ref_refused_parse(entry.ref, &refused) == COMITY_OK)
        printf(" %.*s", (int)refused.token.len, refused.token.data);
    if (entry.kind == ENTRY_RECEIVED && ref_received_parse(entry.ref, &received) == COMITY_OK &&
        received.known_size)
        printf(" known=%lu", received.known_size);
}

static void take_deliver(struct evil *e, const struct frame *f)
{
    struct parcel p;
    struct parcel_head h;
    MUST(parcel_decode(e->arena, f->u.deliver.parcel, &p));
    MUST(parcel_head_decode(e->arena, p.head, &h));
    struct origin o;
    MUST(text_get_origin(h.origin, &o));
    printf("delivered %lu from %.*s", f->u.deliver.delivery_seq, (int)o.member.len, o.member.data);
    for (size_t i = 0; i < h.entry_count; i++)
        print_entry(e, h.entries[i]);
    printf("\n");
    e->taken = f->u.deliver.delivery_seq;
    e->receipts++;
    const struct frame taken = {.kind = FRAME_TAKEN,
                                .epoch = BYTES(e->epoch, EPOCH_LEN),
                                .u.taken = {.delivery_seq = e->taken, .credit = EVIL_CREDIT}};
    evil_send(e, &taken);
}

static void take_bye(const struct frame *f)
{
    printf("bye %.*s", (int)f->u.bye.token.len, f->u.bye.token.data);
    if (f->u.bye.has_known_size)
        printf(" known=%lu", f->u.bye.known_size);
    printf("\n");
}

static int take_frame(struct evil *e, struct bytes payload)
{
    struct frame f;
    MUST(frame_decode(e->arena, payload, &f));
    switch (f.kind) {
    case FRAME_WELCOME:
        take_welcome(e, &f);
        break;
    case FRAME_ANSWER:
        take_answer(e, &f);
        break;
    case FRAME_DELIVER:
        take_deliver(e, &f);
        break;
    case FRAME_BYE:
        take_bye(&f);
        break;
    case FRAME_RESYNC:
        printf("resync\n");
        break;
    default:
        break;
    }
    return (int)f.kind;
}

int evil_wait(struct evil *e, int kind, int timeout_ms)
{
    int64_t end = now_ms() + timeout_ms;
    while (now_ms() < end && e->socket) {
        struct link_poll_item item = {.socket = e->socket, .events = LINK_IN | LINK_STATE};
        int err = link_recv(e->socket, &e->message);
        if (err == COMITY_OK) {
            int got = take_frame(e, e->message.payload);
            if (got == kind || got == FRAME_BYE || got == FRAME_RESYNC)
                return got;
            continue;
        }
        enum link_client_state state = link_client_state(e->socket);
        if (state != LINK_CONNECTED && link_recv(e->socket, &e->message) == COMITY_E_AGAIN) {
            printf("closed\n");
            evil_disconnect(e);
            return EVIL_CLOSED;
        }
        MUST(link_poll(&item, 1, 20));
    }
    return EVIL_SILENCE;
}

/* ---- as an honest node would ---- */

struct frame evil_hello(struct evil *e)
{
    struct checkpoint c;
    struct buf note = BUF_INIT;
    loose_sign(&e->ledger, e->ledger.count, &c, &note);
    struct bytes kept = arena_copy(e->arena, buf_bytes(&note));
    buf_free(&note);
    return (struct frame){.kind = FRAME_HELLO,
                          .u.hello = {.version = PROTOCOL_VERSION,
                                      .origin = bytes_of(e->site->origin),
                                      .roster = roster_number(e->roster),
                                      .taken = e->taken,
                                      .answered = e->answered,
                                      .checkpoint = kept,
                                      .credit = EVIL_CREDIT}};
}

bool evil_greet(struct evil *e)
{
    if (!e->is_up && !evil_connect(e, NULL))
        return false;
    struct frame hello = evil_hello(e);
    drop_flight(e);
    evil_send(e, &hello);
    return evil_wait(e, FRAME_WELCOME, 10000) == FRAME_WELCOME;
}

void evil_submit_as(struct evil *e, uint64_t seq, struct bytes parcel)
{
    const struct frame f = {.kind = FRAME_SUBMIT,
                            .epoch = BYTES(e->epoch, EPOCH_LEN),
                            .u.submit = {.parcel_seq = seq, .parcel = parcel}};
    evil_send(e, &f);
}

uint64_t evil_submit(struct evil *e, struct bytes parcel)
{
    evil_submit_as(e, ++e->parcel_seq, parcel);
    return e->parcel_seq;
}
