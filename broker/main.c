/*
 * comity-broker: arguments, start, the loop, and the end. What a frame means is broker.c's.
 */
#include "base/file.h"
#include "base/log.h"
#include "bulk.h"
#include "front.h"
#include "link/link.h"
#include "link/socket.h"
#include "metrics.h"
#include "site/daemon.h"
#include "store.h"

#include <argp.h>
#include <comity/err.h>
#include <comity/version.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIDY_MS = 10 * 1000, WATCH_MS = 500, ROSTER_READ_MAX = ROSTER_BYTES_MAX + NOTE_MAX };

const char *argp_program_version = "comity-broker " COMITY_VERSION;

struct options {
    const char *config;
    const char *passphrase_file;
};

static const struct argp_option option_table[] = {
    {"config", 'c', "FILE", 0, "Configuration (default: broker.conf in this folder)", 0},
    {"passphrase-file", 'p', "FILE", 0,
     "First line of FILE opens the keys; \"-\" is standard input, \"fd:N\" an open descriptor", 0},
    {0}};

static error_t parse_option(int key, char *arg, struct argp_state *state)
{
    struct options *o = state->input;
    switch (key) {
    case 'c':
        o->config = arg;
        return 0;
    case 'p':
        o->passphrase_file = arg;
        return 0;
    case ARGP_KEY_ARG:
        argp_usage(state);
        return EINVAL;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Everything that the process holds, in the order in which it is let go. */
struct process {
    struct site *site;
    struct site_keys keys;
    struct broker *broker;
    struct link *link;
    struct front *front;
    struct bulk *bulk;
    struct metrics *metrics;
    int signal_fd;
    char *roster_path;
    struct timespec roster_seen; /* modification time of the roster file last looked at */
    int64_t tidied_ms;
    int64_t watched_ms;
    int64_t freed_ms;
};

/* Look at the roster file when it has changed. A bad one changes nothing, and is said once. */
static int watch_roster(struct process *p)
{
    struct stat st;
    if (stat(p->roster_path, &st) != 0 ||
        (st.st_mtim.tv_sec == p->roster_seen.tv_sec && st.st_mtim.tv_nsec == p->roster_seen.tv_nsec))
        return COMITY_OK;
    p->roster_seen = st.st_mtim;
    struct buf file = BUF_INIT;
    int err = file_read(p->roster_path, ROSTER_READ_MAX, &file);
    if (!err)
        err = broker_take_roster(p->broker, buf_bytes(&file));
    buf_free(&file);
    if (err == COMITY_E_IO)
        return err;
    if (err && err != COMITY_E_ROSTER_OLD)
        log_event(LOG_ERROR, "roster_rejected", LOG_STR("file", p->roster_path), LOG_ERR(err));
    if (err)
        return COMITY_OK;
    err = front_allow(p->broker, p->link);
    if (p->front)
        front_send(p->front);
    if (!err && p->bulk)
        err = bulk_take_roster(p->bulk, p->broker);
    return err;
}

static int start(struct process *p, const struct options *o, struct buf *detail)
{
    int err = daemon_open(o->config, MEMBER_BROKER, o->passphrase_file, &p->site, &p->keys, detail);
    if (!err)
        err = daemon_signals(&p->signal_fd);
    if (!err)
        err = broker_open(p->site, &p->keys, &clock_system, &p->broker);
    if (!err && !(p->roster_path = site_path(p->site, "roster")))
        err = COMITY_E_NOMEM;
    if (!err)
        err = link_new(&p->link);
    if (!err)
        err = watch_roster(p);
    if (!err)
        err = front_allow(p->broker, p->link);
    if (!err)
        err = front_open(p->broker, p->link, &p->front);
    if (!err)
        err = bulk_start(p->broker, p->link, &p->bulk);
    if (!err && p->site->metrics)
        err = metrics_open(p->broker, p->link, p->site->metrics, &p->metrics);
    if (!err)
        log_event(LOG_INFO, "started", LOG_STR("origin", p->site->origin),
                  LOG_STR("endpoint", link_endpoint(front_socket(p->front))),
                  LOG_U64("entries", ledger_size(p->broker->ledger)),
                  LOG_U64("roster", p->broker->roster ? roster_number(p->broker->roster) : 0));
    return err;
}

static void stop(struct process *p)
{
    metrics_close(p->metrics);
    bulk_stop(p->bulk);
    front_close(p->front);
    link_free(p->link);
    broker_close(p->broker);
    site_keys_wipe(&p->keys);
    site_free(p->site);
    free(p->roster_path);
    if (p->signal_fd >= 0)
        close(p->signal_fd);
}

/* What the bulk thread has finished is written down in a turn of its own. */
static int take_finished(struct process *p)
{
    enum { AT_ONCE = 64 };
    struct bulk_finished done[AT_ONCE];
    size_t n = bulk_take_finished(p->bulk, done, AT_ONCE);
    if (n == 0)
        return COMITY_OK;
    int err = ledger_begin(p->broker->ledger);
    if (err)
        return err;
    for (size_t i = 0; !err && i < n; i++) {
        struct bytes id = hash_bytes(&done[i].blob);
        err = done[i].is_gone ? queue_blob_gone(p->broker->store, id)
                              : queue_blob_complete(p->broker->store, id);
    }
    if (!err)
        err = ledger_sign(p->broker->ledger);
    if (err) {
        ledger_abort(p->broker->ledger);
        return err;
    }
    return ledger_commit(p->broker->ledger);
}

/* Blocks that no reader waits for any more. */
static int remove_freed(struct process *p)
{
    struct hash id;
    int err = queue_next_freed(p->broker->store, &id);
    if (!err)
        bulk_remove(p->bulk, &id);
    return err == COMITY_E_NOT_FOUND ? COMITY_OK : err;
}

static int housekeeping(struct process *p)
{
    int64_t now = clock_mono_ms(&clock_system);
    int err = COMITY_OK;
    if (now - p->watched_ms >= WATCH_MS) {
        p->watched_ms = now;
        err = watch_roster(p);
    }
    if (!err && now - p->freed_ms >= WATCH_MS) {
        p->freed_ms = now;
        err = remove_freed(p);
    }
    if (!err && now - p->tidied_ms >= TIDY_MS) {
        p->tidied_ms = now;
        err = broker_tidy(p->broker);
    }
    return err;
}

/* Errors that a later turn may not meet again. */
static bool is_passing(int err)
{
    return err == COMITY_E_DISK_FULL || err == COMITY_E_NOMEM || err == COMITY_E_BUSY;
}

static int serve(struct process *p)
{
    bool busy = false;
    for (;;) {
        struct link_poll_item items[] = {
            {.fd = p->signal_fd, .events = LINK_IN},
            {.socket = front_socket(p->front), .events = LINK_IN},
            {.fd = bulk_fd(p->bulk), .events = LINK_IN},
            {.fd = p->metrics ? metrics_fd(p->metrics) : -1, .events = LINK_IN},
        };
        int timeout = front_timeout_ms(p->front);
        if (timeout < 0 || timeout > WATCH_MS)
            timeout = WATCH_MS;
        int err = link_poll(items, sizeof items / sizeof items[0], busy ? 0 : timeout);
        if (err)
            return err;
        front_tidy(p->front);
        if (items[0].ready)
            return COMITY_OK;
        if (p->metrics && items[3].ready)
            metrics_run(p->metrics);
        if (items[1].ready || busy)
            err = front_turn(p->front, &busy);
        if (!err && items[2].ready)
            err = take_finished(p);
        if (!err)
            err = housekeeping(p);
        if (err && !is_passing(err))
            return err;
    }
}

int main(int argc, char **argv)
{
    static const struct argp argp = {.options = option_table,
                                     .parser = parse_option,
                                     .doc = "The broker of a Comity network: takes parcels in, keeps "
                                            "them, and delivers them in order. It cannot read them."};
    struct options o = {.config = "broker.conf"};
    daemon_harden();
    argp_parse(&argp, argc, argv, 0, NULL, &o);
    struct process p = {.signal_fd = -1};
    struct buf detail = BUF_INIT;
    int err = crypto_init();
    if (!err)
        err = start(&p, &o, &detail);
    if (err) {
        daemon_not_started(err, &detail);
    } else {
        err = serve(&p);
        log_event(err ? LOG_ERROR : LOG_INFO, "stopped", LOG_ERR(err));
    }
    stop(&p);
    buf_free(&detail);
    return comity_err_exit(err);
}
