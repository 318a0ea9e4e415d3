/*
 * comity-node: a bureau's ledger and its line to the broker. The one loop; what happens in a turn
 * is the core's (node.h).
 */
#include "base/fault.h"
#include "base/lang.h"
#include "base/log.h"
#include "bulk.h"
#include "control.h"
#include "crypto/hash.h"
#include "link/link.h"
#include "node.h"
#include "site/arguments.h"
#include "site/daemon.h"
#include "site/restore.h"
#include "uplink.h"

#include <comity/err.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LOOK_AGAIN_MS = 1000 };

/* What the daemon holds. */
struct daemon {
    struct site *site;
    struct site_keys keys;
    struct node *node;
    struct link *link;
    struct uplink *uplink;
    struct control *control;
    int signals;
    bool has_bulk;
    bool is_stopping;
    bool is_in_order;   /* the broker has found nothing wrong with the ledger */
    bool wants_roster;  /* SIGHUP */
    int roster_trouble; /* why the last look came to nothing; said once */
};

/* ---- starting ---- */

static int open_sockets(struct daemon *d)
{
    int err = link_new(&d->link);
    if (err)
        return err;
    d->node->link = d->link;
    if (!(err = uplink_open(d->node, d->link, &d->uplink)))
        err = control_open(d->node, &d->control);
    if (!err) {
        err = bulk_start(d->node);
        d->has_bulk = !err;
    }
    return err;
}

/* ${wants_reindex}: no sockets are needed. */
static int start(struct daemon *d, const struct arguments *a, bool wants_reindex,
                 struct buf *detail)
{
    int err = crypto_init();
    if (!err)
        err = daemon_open(a->config, MEMBER_BUREAU, a->passphrase_file, &d->site, &d->keys, detail);
    if (!err)
        err = daemon_signals(&d->signals);
    if (!err)
        err = node_open(d->site, &d->keys, &clock_system, &d->node);
    if (err || wants_reindex)
        return err;
    err = open_sockets(d);
    if (!err)
        log_event(LOG_INFO, "started", LOG_STR("origin", d->site->origin),
                  LOG_U64("size", ledger_size(d->node->ledger)),
                  LOG_U64("roster", d->node->roster ? roster_number(d->node->roster) : 0));
    return err;
}

static void stop(struct daemon *d)
{
    if (d->has_bulk)
        bulk_stop(d->node);
    control_close(d->control);
    uplink_close(d->uplink);
    node_close(d->node);
    link_free(d->link);
    site_keys_wipe(&d->keys);
    site_free(d->site);
    if (d->signals >= 0)
        close(d->signals);
}

/* ---- the loop ---- */

/*
 * The roster file, if somebody wants it to be looked at. He wants until it is in force, or
 * something is wrong with the file itself: a turn that fails takes the roster back, and what this
 * machine could not read it may read the next time.
 */
static void take_roster(struct daemon *d, struct turn *t)
{
    if (!d->wants_roster)
        return;
    int err = node_take_roster(d->node, t);
    if (err == COMITY_E_ROSTER_OLD)
        log_event(LOG_INFO, "roster_unchanged");
    else if (err && err != d->roster_trouble)
        log_event(LOG_ERROR, "roster_rejected", LOG_ERR(err));
    d->wants_roster = !err || (fault_is_ours(err) && err != COMITY_E_NO_ROSTER);
    d->roster_trouble = d->wants_roster ? err : COMITY_OK;
}

/* The sooner of two timeouts, of which -1 is never. */
static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* Wait for something to do; ${items} are the uplink, signals, bulk, and control's. */
static int wait_for(struct daemon *d, struct link_poll_item items[LINK_POLL_MAX],
                    size_t *ret_control)
{
    int timeout = sooner(node_timeout_ms(d->node), uplink_timeout_ms(d->uplink));
    uplink_poll(d->uplink, &items[0]);
    items[1] = (struct link_poll_item){.fd = d->signals, .events = LINK_IN};
    items[2] = (struct link_poll_item){.fd = bulk_fd(d->node), .events = LINK_IN};
    *ret_control = control_poll(d->control, items + 3, LINK_POLL_MAX - 3);
    timeout = sooner(timeout, control_timeout_ms(d->control));
    if (d->wants_roster)
        timeout = sooner(timeout, LOOK_AGAIN_MS);
    return link_poll(items, 3 + *ret_control, timeout);
}

static int take_turn(struct daemon *d, struct node_out *out, const struct link_poll_item *control,
                     size_t n)
{
    struct turn *t = NULL;
    struct node_in in;
    const struct roster *before = d->node->roster;
    int err = node_begin(d->node, &t);
    if (err)
        return err;
    take_roster(d, t);
    control_take(d->control, t, control, n);
    err = uplink_take(d->uplink, &in);
    if (!err)
        err = node_step(d->node, &in, out);
    if (d->node->roster != before)
        d->wants_roster = false;
    if (!err)
        err = uplink_settle(d->uplink, out);
    control_settle(d->control);
    return err;
}

/*
 * The broker knows more of this ledger than there is. It must not grow, so this is remembered
 * beside it, for those who ask with the command why nobody answers.
 */
static void say_rolled_back(const struct daemon *d)
{
    struct node_status s;
    struct buf next = BUF_INIT;
    node_status(d->node, &s);
    const struct site_rollback r = {.size = ledger_signed_size(d->node->ledger),
                                    .known_size = s.known_size,
                                    .time_ms = clock_wall_ms(&d->node->clock)};
    buf_printf(&next, "comity node restore --dir %s", d->site->dir);
    log_event(LOG_ERROR, "restored_from_an_old_copy", LOG_U64("size", r.size),
              LOG_U64("known_size", r.known_size),
              LOG_STR("sentence", "the broker has seen more of this ledger than there is: the "
                                  "folder was put back from an old copy; nothing was written, and "
                                  "nothing that was sent is lost"),
              LOG_STR("next", buf_str(&next)));
    buf_free(&next);
    int err = site_rollback_write(d->site, &r);
    if (err)
        log_event(LOG_ERROR, "rollback_not_noted", LOG_ERR(err));
}

/* Online: whatever was found once, the ledger is in order. */
static void forget_rollback(struct daemon *d)
{
    struct node_status s;
    if (d->is_in_order)
        return;
    node_status(d->node, &s);
    d->is_in_order = s.session == NODE_ONLINE;
    if (d->is_in_order && site_rollback_forget(d->site))
        log_event(LOG_WARN, "rollback_not_forgotten");
}

static int run(struct daemon *d)
{
    struct link_poll_item items[LINK_POLL_MAX];
    struct node_out out = {0};
    int err = COMITY_OK;
    while (!err && !d->is_stopping) {
        size_t n = 0;
        err = wait_for(d, items, &n);
        if (err)
            break;
        daemon_take_signals(d->signals, &d->wants_roster, &d->is_stopping);
        err = take_turn(d, &out, items + 3, n);
        if (!err)
            forget_rollback(d);
    }
    if (err == COMITY_E_ROLLBACK)
        say_rolled_back(d);
    node_out_free(&out);
    log_event(err ? LOG_ERROR : LOG_INFO, "stopped", LOG_ERR(err));
    return err;
}

int main(int argc, char **argv)
{
    bool wants_reindex = false;
    const struct arguments_switch switches[] = {
        {"reindex", 'r', N_("Build the lists of cases, evidence and messages anew, and exit"),
         &wants_reindex},
        {0}};
    const struct arguments_program program = {
        .name = "comity-node",
        .doc = N_("Keeps a bureau's ledger, and exchanges sealed parcels with its broker."),
        .config = "node.conf",
        .switches = switches};
    struct arguments a;
    struct daemon d = {.signals = -1};
    struct buf detail = BUF_INIT;
    arguments_parse(&program, argc, argv, &a);
    daemon_harden();
    int err = start(&d, &a, wants_reindex, &detail);
    if (err)
        daemon_not_started(err, &detail);
    else
        err = wants_reindex ? node_reindex(d.node) : run(&d);
    buf_free(&detail);
    stop(&d);
    return err ? comity_err_exit(err) : 0;
}
