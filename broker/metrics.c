/*
 * What a monitoring system asks the broker. See metrics.h.
 */
#include "metrics.h"

#include "store.h"

#include <arpa/inet.h>
#include <comity/err.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct metrics {
    struct broker *broker;
    struct link *link;
    struct MHD_Daemon *daemon;
};

struct figure {
    const char *name;
    const char *type;
    const char *help;
    uint64_t value;
};

static void put_figure(struct buf *out, const struct figure *f)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %llu\n", f->name, f->help, f->name, f->type,
               f->name, (unsigned long long)f->value);
}

static void put_figures(struct metrics *m, struct buf *out)
{
    const struct broker *b = m->broker;
    const struct broker_counters *c = &b->count;
    struct link_zap_counts zap;
    struct queue_totals waiting;
    uint64_t disk = 0;
    link_zap_counts(m->link, &zap);
    if (queue_totals(b->store, &waiting) || store_disk_bytes(b->store, &disk))
        return; /* half of the figures would mislead */
    const struct figure figures[] = {
        {"comity_turns_total", "counter", "Turns taken.", c->turns},
        {"comity_turns_undone_total", "counter", "Turns undone, and taken in parts.",
         c->turns_undone},
        {"comity_events_failed_total", "counter", "Sessions ended for an event that failed here.",
         c->events_failed},
        {"comity_frames_received_total", "counter", "Frames received.", c->frames_in},
        {"comity_frames_malformed_total", "counter", "Frames that did not decode.", c->malformed},
        {"comity_parcels_accepted_total", "counter", "Parcels routed.", c->parcels_accepted},
        {"comity_parcels_refused_total", "counter", "Parcels refused.", c->parcels_refused},
        {"comity_deliveries_sent_total", "counter", "Deliveries sent.", c->deliveries_sent},
        {"comity_resyncs_total", "counter", "RESYNC sent.", c->resyncs},
        {"comity_byes_total", "counter", "Sessions ended with BYE.", c->byes},
        {"comity_strangers_total", "counter", "Frames of keys not in the roster.", c->strangers},
        {"comity_handshakes_denied_total", "counter", "Connections refused by key.", zap.denied},
        {"comity_sessions", "gauge", "Open sessions.", HASH_COUNT(b->sessions.by_key)},
        {"comity_parcels_queued", "gauge", "Deliveries waiting for recipients.", waiting.parcels},
        {"comity_bytes_queued", "gauge", "Bytes of parcels waiting for recipients.",
         waiting.parcel_bytes},
        {"comity_attachment_bytes_held", "gauge",
         "Bytes of attachments that recipients have yet to fetch, once for each recipient.",
         waiting.blob_bytes},
        {"comity_disk_bytes", "gauge", "Bytes of database and segments, without attachments.",
         disk},
        {"comity_ledger_entries", "gauge", "Entries of the broker's ledger.",
         ledger_size(b->ledger)},
        {"comity_roster_number", "gauge", "Roster in force; 0 for none.",
         b->roster ? roster_number(b->roster) : 0},
        {"comity_roster_expired", "gauge", "1 when the roster is past its renew-by date.",
         b->is_roster_expired},
    };
    for (size_t i = 0; i < sizeof figures / sizeof figures[0]; i++)
        put_figure(out, &figures[i]);
}

/* A line for each member that has submitted anything: the tables are as long as the roster. */
static void put_by_member(const struct broker *b, struct buf *out, const char *name,
                          const char *help, size_t field)
{
    buf_printf(out, "# HELP %s %s\n# TYPE %s counter\n", name, help, name);
    for (const struct account *a = b->sessions.accounts; a; a = a->hh.next) {
        const struct roster_member *m = roster_member_by_curve(b->roster, a->key);
        uint64_t value = 0;
        memcpy(&value, (const char *)a + field, sizeof value);
        if (m && value)
            buf_printf(out, "%s{member=\"%.*s\"} %llu\n", name, (int)m->id.len,
                       (const char *)m->id.data, (unsigned long long)value);
    }
}

static void put_members(const struct broker *b, struct buf *out)
{
    if (!b->roster)
        return;
    put_by_member(b, out, "comity_member_parcels_total", "Parcels routed, by sender.",
                  offsetof(struct account, parcels));
    put_by_member(b, out, "comity_member_bytes_total", "Bytes of parcels routed, by sender.",
                  offsetof(struct account, bytes));
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status, struct buf *text)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(text->len, text->data, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result ok = MHD_NO;
    if (r) {
        MHD_add_response_header(r, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
        ok = MHD_queue_response(connection, status, r);
        MHD_destroy_response(r);
    }
    buf_free(text);
    return ok;
}

static enum MHD_Result on_request(void *self, struct MHD_Connection *connection, const char *url,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
    (void)version;
    (void)upload;
    (void)upload_size;
    (void)state;
    struct metrics *m = self;
    struct buf text = BUF_INIT;
    bool is_get = strcmp(method, "GET") == 0;
    if (is_get && strcmp(url, "/metrics") == 0) {
        put_figures(m, &text);
        if (text.len)
            put_members(m->broker, &text);
        return answer(connection, text.len ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &text);
    }
    if (is_get && strcmp(url, "/healthz") == 0) {
        bool serves = m->broker->roster != NULL;
        buf_put_str(&text, serves ? "ok\n" : "no roster yet\n");
        return answer(connection, serves ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE, &text);
    }
    buf_put_str(&text, "/metrics, /healthz\n");
    return answer(connection, is_get ? MHD_HTTP_NOT_FOUND : MHD_HTTP_METHOD_NOT_ALLOWED, &text);
}

static int parse_address(const char *address, struct sockaddr_in *ret)
{
    const char *colon = strrchr(address, ':');
    uint64_t port = 0;
    char host[64];
    if (!colon || (size_t)(colon - address) >= sizeof host ||
        text_get_u64(bytes_of(colon + 1), &port) || port == 0 || port > UINT16_MAX)
        return COMITY_E_CONFIG;
    memcpy(host, address, (size_t)(colon - address));
    host[colon - address] = '\0';
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &a.sin_addr) != 1 || (ntohl(a.sin_addr.s_addr) >> 24) != 127)
        return COMITY_E_CONFIG;
    *ret = a;
    return COMITY_OK;
}

int metrics_open(struct broker *b, struct link *link, const char *address, struct metrics **ret)
{
    struct sockaddr_in where;
    int err = parse_address(address, &where);
    if (err)
        return err;
    struct metrics *m = calloc(1, sizeof *m);
    if (!m)
        return COMITY_E_NOMEM;
    m->broker = b;
    m->link = link;
    m->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, on_request, m, MHD_OPTION_SOCK_ADDR,
                                 &where, MHD_OPTION_CONNECTION_LIMIT, 8U,
                                 MHD_OPTION_CONNECTION_TIMEOUT, 10U, MHD_OPTION_END);
    if (!m->daemon) {
        free(m);
        return COMITY_E_EXISTS;
    }
    *ret = m;
    return COMITY_OK;
}

void metrics_close(struct metrics *m)
{
    if (!m)
        return;
    MHD_stop_daemon(m->daemon);
    free(m);
}

int metrics_fd(const struct metrics *m)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(m->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    return info ? info->epoll_fd : -1;
}

void metrics_run(struct metrics *m)
{
    MHD_run(m->daemon);
}
