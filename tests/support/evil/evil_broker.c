/*
 * evil-broker: the broker's own core behind a front that tampers with what passes.
 *
 *     evil-broker -c SITE/broker.conf -p PASSPHRASE [--member ID] ATTACK
 *     evil-broker -c SITE/broker.conf -p PASSPHRASE [--member ID] --as FILE
 *
 * With --member only that member's frames are touched. With --as the attack is the one that FILE
 * names, from one moment to the next, and the broker is honest while there is no such file.
 */
#include "base/file.h"
#include "base/log.h"
#include "bulk.h"
#include "crypto/keyfile.h"
#include "evil/must.h"
#include "evil/tamper.h"
#include "front.h"
#include "link/link.h"
#include "link/poll.h"
#include "store.h"

#include <argp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TURN_MESSAGES = 256, HWM = 4096, WATCH_MS = 50, FRAME_ARENA = 64 * 1024 * 1024 };

struct options {
    const char *conf;
    const char *passphrase_file;
    const char *member;
    const char *as;
    const char *attack;
};

static const struct argp_option option_table[] = {
    {"config", 'c', "FILE", 0, "the broker's broker.conf", 0},
    {"passphrase-file", 'p', "FILE", 0, "opens its keys", 0},
    {"member", 'm', "ID", 0, "whose frames are touched (default: everybody's)", 0},
    {"as", 'a', "FILE", 0, "do what FILE says, and be honest when it is not there", 0},
    {"list", 'l', NULL, 0, "say what attacks there are", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->conf = arg;
        return 0;
    case 'p':
        o->passphrase_file = arg;
        return 0;
    case 'm':
        o->member = arg;
        return 0;
    case 'a':
        o->as = arg;
        return 0;
    case 'l':
        for (const struct tamper *t = tampers; t->name; t++)
            printf("%-20s %s\n", t->name, t->what);
        exit(0);
    case ARGP_KEY_ARG:
        o->attack = arg;
        return 0;
    case ARGP_KEY_END:
        if (!o->attack == !o->as || !o->conf || !o->passphrase_file)
            argp_usage(state);
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

struct process {
    struct options o;
    struct site *site;
    struct site_keys keys;
    struct broker *broker;
    struct link *link;
    struct link_socket *socket;
    struct bulk *bulk;
    struct tampering t;
    char chosen[64]; /* what --as said last */
    char *roster_path;
    struct timespec roster_seen;
    struct link_message message[TURN_MESSAGES];
    struct buf frame[TURN_MESSAGES];
};

/* Whether frames of ${peer} are touched now. */
static bool is_victim(const struct process *p, const struct link_peer *peer)
{
    const struct roster_member *m =
        p->broker->roster ? roster_member_by_curve(p->broker->roster, peer->key) : NULL;
    return p->t.tamper && m && (!p->o.member || bytes_is(m->id, p->o.member));
}

static const struct tamper *find(const char *name)
{
    const struct tamper *t = tampers;
    while (t->name && strcmp(t->name, name) != 0)
        t++;
    return t->name ? t : NULL;
}

/* Victims say HELLO again. */
static void resync(struct process *p)
{
    static const struct frame resync = {.kind = FRAME_RESYNC};
    for (struct session *s = p->broker->sessions.by_key; s; s = s->hh.next)
        if (!p->o.member || strcmp(s->member, p->o.member) == 0)
            tamper_emit_frame(&p->t, &s->peer, &resync);
}

/* What --as says now: the name of an attack, and perhaps "resync". */
static void choose(struct process *p)
{
    char name[64] = "";
    char how[64] = "";
    FILE *f = p->o.as ? fopen(p->o.as, "r") : NULL;
    if (!p->o.as)
        return;
    if (f) {
        if (fscanf(f, "%63s %63s", name, how) < 1)
            name[0] = 0;
        fclose(f);
    }
    if (strcmp(name, p->chosen) == 0)
        return;
    memcpy(p->chosen, name, sizeof p->chosen);
    p->t.tamper = find(name);
    buf_free(&p->t.held);
    log_event(LOG_INFO, "attack", LOG_STR("name", p->t.tamper ? name : "none"));
    if (strcmp(how, "resync") == 0)
        resync(p);
}

/* ---- in ---- */

static bool may_pass(struct process *p, const struct link_peer *from, struct buf *frame)
{
    struct frame f;
    arena_reset(p->t.arena);
    if (!p->t.tamper || !p->t.tamper->in || !is_victim(p, from) ||
        frame_decode(p->t.arena, buf_bytes(frame), &f))
        return true;
    return p->t.tamper->in(&p->t, from, frame, &f);
}

static size_t take_in(struct process *p, struct broker_event *events)
{
    size_t n = 0;
    while (n < TURN_MESSAGES) {
        int err = link_recv(p->socket, &p->message[n]);
        if (err == COMITY_E_AGAIN)
            break;
        if (err == COMITY_E_MALFORMED) {
            events[n] = (struct broker_event){.peer = p->message[n].peer};
            n++;
            continue;
        }
        MUST(err);
        buf_reset(&p->frame[n]);
        buf_put_bytes(&p->frame[n], p->message[n].payload);
        MUST(buf_check(&p->frame[n]));
        if (!may_pass(p, &p->message[n].peer, &p->frame[n]))
            continue;
        events[n] =
            (struct broker_event){.peer = p->message[n].peer, .payload = buf_bytes(&p->frame[n])};
        n++;
    }
    return n;
}

/* ---- out ---- */

static void emit(struct process *p, struct broker_output *o)
{
    struct frame f;
    arena_reset(p->t.arena);
    if (o->frame.len && p->t.tamper && p->t.tamper->out && is_victim(p, &o->to) &&
        frame_decode(p->t.arena, buf_bytes(&o->frame), &f) == COMITY_OK) {
        p->t.tamper->out(&p->t, &o->to, &f, &o->frame);
    } else {
        tamper_emit(&p->t, &o->to, &o->frame, 0);
    }
    if (o->drop)
        tamper_emit_cut(&p->t, &o->to);
}

static void send_due(struct process *p)
{
    int64_t now = clock_mono_ms(&clock_system);
    size_t kept = 0;
    for (size_t i = 0; i < p->t.count; i++) {
        struct emission *q = &p->t.queue[i];
        if (q->due_ms > now) {
            p->t.queue[kept++] = *q;
            continue;
        }
        if (q->frame.len)
            (void)(link_send_buf(p->socket, &q->to, &q->frame) == COMITY_OK);
        if (q->drop)
            (void)(link_drop(p->socket, &q->to) == COMITY_OK);
        buf_free(&q->frame);
    }
    p->t.count = kept;
}

static void send_all(struct process *p)
{
    for (size_t i = 0; i < p->broker->out_count; i++)
        emit(p, &p->broker->out[i]);
    broker_sent(p->broker);
    send_due(p);
}

/* ---- the rest of a broker ---- */

static void watch_roster(struct process *p)
{
    struct stat st;
    struct buf file = BUF_INIT;
    if (stat(p->roster_path, &st) != 0 ||
        memcmp(&st.st_mtim, &p->roster_seen, sizeof st.st_mtim) == 0)
        return;
    p->roster_seen = st.st_mtim;
    if (file_read(p->roster_path, ROSTER_FILE_MAX, &file) == COMITY_OK &&
        broker_take_roster(p->broker, buf_bytes(&file)) == COMITY_OK) {
        MUST(front_allow(p->broker, p->link));
        if (p->bulk)
            MUST(hub_bulk_take_roster(p->bulk, p->broker));
    }
    buf_free(&file);
}

static int write_removed(struct broker *b, void *self)
{
    struct hash gone[16];
    size_t n = hub_bulk_take_removed(self, gone, 16);
    for (size_t i = 0; i < n; i++)
        MUST(queue_blob_gone(b->store, hash_bytes(&gone[i])));
    return COMITY_OK;
}

static void start(struct process *p)
{
    struct buf detail = BUF_INIT;
    struct buf passphrase = BUF_INIT;
    MUST(crypto_init());
    MUST(site_load(p->o.conf, &p->site, &detail));
    log_init(p->site->log_level);
    MUST(passphrase_read(p->o.passphrase_file, &passphrase));
    MUST(site_unlock(p->site, buf_bytes(&passphrase), &p->keys, &detail));
    MUST(broker_open(p->site, &p->keys, &clock_system, &p->broker));
    p->roster_path = site_path(p->site, "roster");
    MUST(link_new(&p->link));
    watch_roster(p);
    MUST(front_allow(p->broker, p->link));
    struct link_server_options o = {.endpoint = p->site->listen,
                                    .max_message = LINK_MESSAGE_MAX,
                                    .send_hwm = HWM,
                                    .recv_hwm = HWM};
    memcpy(o.secret, p->keys.curve_secret, sizeof o.secret);
    MUST(link_listen(p->link, &o, &p->socket));
    MUST(hub_bulk_start(p->broker, p->link, &p->bulk));
    p->t.broker = p->broker;
    p->t.socket = p->socket;
    p->t.arena = arena_new(FRAME_ARENA);
    log_event(LOG_INFO, "started", LOG_STR("attack", p->o.attack ? p->o.attack : p->o.as),
              LOG_STR("endpoint", link_endpoint(p->socket)));
    buf_wipe(&passphrase);
    buf_free(&detail);
}

static void serve(struct process *p, int signals)
{
    for (bool busy = false;;) {
        struct broker_event events[TURN_MESSAGES];
        struct link_poll_item items[] = {{.fd = signals, .events = LINK_IN},
                                         {.socket = p->socket, .events = LINK_IN},
                                         {.fd = hub_bulk_fd(p->bulk), .events = LINK_IN}};
        MUST(link_poll(items, 3, busy ? 0 : WATCH_MS));
        choose(p);
        if (items[0].ready)
            return;
        size_t n = take_in(p, events);
        if (n || busy)
            MUST(broker_step(p->broker, events, n));
        send_all(p);
        busy = broker_has_work(p->broker);
        if (items[2].ready)
            MUST(broker_turn(p->broker, write_removed, p->bulk));
        watch_roster(p);
        send_all(p);
    }
}

static void stop(struct process *p)
{
    log_event(LOG_INFO, "stopped", LOG_U64("hits", p->t.hits));
    for (size_t i = 0; i < TURN_MESSAGES; i++) {
        link_message_done(&p->message[i]);
        buf_free(&p->frame[i]);
    }
    for (size_t i = 0; i < p->t.count; i++)
        buf_free(&p->t.queue[i].frame);
    free(p->t.queue);
    buf_free(&p->t.held);
    arena_free(p->t.arena);
    hub_bulk_stop(p->bulk);
    link_close(p->socket);
    link_free(p->link);
    broker_close(p->broker);
    site_keys_wipe(&p->keys);
    site_free(p->site);
    free(p->roster_path);
}

int main(int argc, char **argv)
{
    static const struct argp argp = {
        .options = option_table, .parser = parse_option, .args_doc = "ATTACK"};
    static struct process p;
    sigset_t set;
    argp_parse(&argp, argc, argv, 0, NULL, &p.o);
    p.t.tamper = p.o.attack ? find(p.o.attack) : NULL;
    if (p.o.attack && !p.t.tamper) {
        fprintf(stderr, "evil-broker: no such attack: %s\n", p.o.attack);
        return 2;
    }
    umask(077);
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    start(&p);
    serve(&p, signalfd(-1, &set, SFD_CLOEXEC));
    stop(&p);
    return 0;
}
