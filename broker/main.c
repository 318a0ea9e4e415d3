/*
 * comity-broker: arguments, start, the loop, and the end. What a frame means is broker.c's.
 */
#include "base/fault.h"
#include "base/file.h"
#include "base/lang.h"
#include "base/log.h"
#include "bulk.h"
#include "front.h"
#include "link/link.h"
#include "link/socket.h"
#include "metrics.h"
#include "site/arguments.h"
#include "site/daemon.h"
#include "store.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TIDY_MS = 10 * 1000, WATCH_MS = 500 };

/* What tells one file from the next under the same name. */
struct roster_look {
    ino_t inode;
    off_t size;
    struct timespec modified;
};

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
    struct roster_look
        seen; /* the roster file of which is known that it is in force, or will never be */
    int roster_trouble; /* why the last look came to nothing; said once */
    bool wants_roster;  /* SIGHUP */
    uint64_t published; /* number of the roster by whose keys the two sockets let in; 0: none yet */
    int64_t tidied_ms;
    int64_t watched_ms;
    int64_t freed_ms;
};

static bool is_same_look(const struct roster_look *a, const struct roster_look *b)
{
    return a->inode == b->inode && a->size == b->size && a->modified.tv_sec == b->modified.tv_sec &&
           a->modified.tv_nsec == b->modified.tv_nsec;
}

/* Put the roster file into force. ${ret_settled}: there is no more to be expected of it.
 * COMITY_E_IO and its like: the turn was lost, and the process with it. */
static int take_roster_file(struct process *p, bool *ret_settled)
{
    struct buf file = BUF_INIT;
    bool is_read = false;
    int err = file_read(p->roster_path, ROSTER_FILE_MAX, &file);
    if (!err) {
        is_read = true;
        err = broker_take_roster(p->broker, buf_bytes(&file));
    }
    buf_free(&file);
    *ret_settled = !err || (!fault_is_ours(err) && err != COMITY_E_NOT_FOUND);
    if (err == COMITY_E_ROSTER_OLD && p->wants_roster)
        log_event(LOG_INFO, "roster_unchanged");
    else if (err && err != COMITY_E_ROSTER_OLD && err != p->roster_trouble)
        log_event(LOG_ERROR, *ret_settled ? "roster_rejected" : "roster_not_taken",
                  LOG_STR("file", p->roster_path), LOG_ERR(err));
    p->roster_trouble = *ret_settled ? COMITY_OK : err;
    return is_read && fault_is_ours(err) && fault_of(err) != FAULT_PASSING ? err : COMITY_OK;
}

/*
 * Look at the roster file when it is another than the one last settled, or when somebody asks. A
 * bad one changes nothing, and is said once; what this machine could not do (no room, no memory) is
 * tried again at every look: it may revoke somebody.
 */
static int watch_roster(struct process *p)
{
    struct stat st;
    if (stat(p->roster_path, &st) != 0)
        return COMITY_OK;
    const struct roster_look look = {
        .inode = st.st_ino, .size = st.st_size, .modified = st.st_mtim};
    bool is_settled = false;
    if (is_same_look(&look, &p->seen) && !p->wants_roster)
        return COMITY_OK;
    int err = take_roster_file(p, &is_settled);
    if (is_settled)
        p->seen = look;
    p->wants_roster = false;
    return err;
}

/* Whoever the roster in force knows, and nobody else, may come in and stay: until that is so
 * everywhere. */
static int publish_roster(struct process *p)
{
    uint64_t number = p->broker->roster ? roster_number(p->broker->roster) : 0;
    if (number == p->published)
        return COMITY_OK;
    int err = front_allow(p->broker, p->link);
    if (!err && p->front)
        front_cut_gone(p->front);
    if (!err && p->bulk)
        err = hub_bulk_take_roster(p->bulk, p->broker);
    if (!err)
        p->published = number;
    return err;
}

static int start(struct process *p, const struct arguments *a, struct buf *detail)
{
    int err = daemon_open(a->config, MEMBER_BROKER, a->passphrase_file, &p->site, &p->keys, detail);
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
        err = publish_roster(p);
    if (!err)
        err = front_open(p->broker, p->link, &p->front);
    if (!err)
        err = hub_bulk_start(p->broker, p->link, &p->bulk);
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
    hub_bulk_stop(p->bulk);
    front_close(p->front);
    link_free(p->link);
    broker_close(p->broker);
    site_keys_wipe(&p->keys);
    site_free(p->site);
    free(p->roster_path);
    if (p->signal_fd >= 0)
        close(p->signal_fd);
}

/* What the bulk thread has removed is written down in a turn of its own. What a failing turn
 * forgets is removed again. */
static int write_removed(struct broker *b, void *self)
{
    enum { AT_ONCE = 64 };
    struct hash gone[AT_ONCE];
    int err = COMITY_OK;
    size_t n = hub_bulk_take_removed(self, gone, AT_ONCE);
    for (size_t i = 0; !err && i < n; i++)
        err = queue_blob_gone(b->store, hash_bytes(&gone[i]));
    return err;
}

/* Blocks that no reader waits for any more. */
static int remove_freed(struct process *p)
{
    enum { AT_ONCE = 64 };
    struct hash id[AT_ONCE];
    size_t n = 0;
    int err = queue_freed(p->broker->store, id, AT_ONCE, &n);
    for (size_t i = 0; !err && i < n; i++)
        hub_bulk_remove(p->bulk, &id[i]);
    return err;
}

static int housekeeping(struct process *p)
{
    int64_t now = clock_mono_ms(&clock_system);
    int err = COMITY_OK;
    if (p->wants_roster || now - p->watched_ms >= WATCH_MS) {
        p->watched_ms = now;
        err = watch_roster(p);
        front_send(
            p->front); /* what it put into force is handed on at once, whatever else failed */
    }
    if (!err)
        err = publish_roster(p);
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

static int serve(struct process *p)
{
    bool busy = false; /* without an event from outside */
    bool is_stopping = false;
    for (;;) {
        struct link_poll_item items[] = {
            {.fd = p->signal_fd, .events = LINK_IN},
            {.socket = front_socket(p->front), .events = LINK_IN},
            {.fd = hub_bulk_fd(p->bulk), .events = LINK_IN},
            {.fd = p->metrics ? metrics_fd(p->metrics) : -1, .events = LINK_IN},
        };
        int timeout = front_timeout_ms(p->front);
        if (timeout < 0 || timeout > WATCH_MS)
            timeout = WATCH_MS;
        int err = link_poll(items, sizeof items / sizeof items[0], busy ? 0 : timeout);
        if (err)
            return err;
        front_tidy(p->front);
        daemon_take_signals(p->signal_fd, &p->wants_roster, &is_stopping);
        if (is_stopping)
            return COMITY_OK;
        if (p->metrics && items[3].ready)
            metrics_run(p->metrics);
        if (items[1].ready || busy)
            err = front_turn(p->front, &busy);
        if (!err && items[2].ready)
            err = broker_turn(p->broker, write_removed, p->bulk);
        if (!err)
            err = housekeeping(p);
        if (err && fault_of(err) != FAULT_PASSING)
            return err;
        busy = !err && broker_has_work(p->broker); /* a roster that came into force, too */
    }
}

int main(int argc, char **argv)
{
    const struct arguments_program program = {
        .name = "comity-broker",
        .doc = N_("The broker of a network: takes sealed parcels in, keeps them, and delivers them "
                  "in order.\nIt cannot read them."),
        .config = "broker.conf"};
    struct arguments a;
    daemon_harden();
    arguments_parse(&program, argc, argv, &a);
    struct process p = {.signal_fd = -1};
    struct buf detail = BUF_INIT;
    int err = crypto_init();
    if (!err)
        err = start(&p, &a, &detail);
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
