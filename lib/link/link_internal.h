/*
 * What the files of this module share, and nobody else sees. Tests of this module may include it
 * too: for the faults, which no public option reaches.
 */
#ifndef LINK_LINK_INTERNAL_H
#define LINK_LINK_INTERNAL_H

#include "link/endpoint.h"
#include "link/link.h"
#include "link/socket.h"

#include <pthread.h>
#include <stdatomic.h>
#include <zmq.h>

#define LINK_ZAP_ENDPOINT "inproc://zeromq.zap.01"
#define LINK_ZAP_DOMAIN "comity"

enum { LINK_Z85_LEN = 40 };

/* Ways to make a link that does not authenticate, to see that link_listen() notices. */
struct link_faults {
    bool no_handler; /* no ZAP thread at all */
    bool no_enforce; /* and libzmq told that this is fine */
};

/* How often one key may connect: so many times at once, and then once an interval. */
enum { LINK_CONNECTS_BURST = 128, LINK_CONNECT_INTERVAL_MS = 4000 };

struct link_key_allowed {
    uint8_t key[LINK_KEY_LEN];
    int64_t free_ms; /* see may_connect(); monotonic */
};

struct link {
    void *zmq;
    struct link_faults faults;
    _Atomic unsigned sockets; /* open ones */
    _Atomic unsigned names;   /* monitor endpoints given out */

    pthread_mutex_t lock;             /* of all that follows, up to the next blank line */
    struct link_key_allowed *allowed; /* sorted */
    size_t n_allowed;
    bool loaded;
    struct link_zap_counts counts;
    bool probing; /* a start-up test is under way, with this key */
    uint8_t probe_key[LINK_KEY_LEN];
    int probe_status; /* what the handler answered it; 0: it was not asked */

    pthread_mutex_t probe_turn; /* one start-up test at a time */

    void *zap; /* the handler's socket: the thread's own, once it runs */
    pthread_t thread;
    bool running;
    int stop_fd; /* eventfd: written to, the thread ends */
};

int link_new_faulty(const struct link_faults *faults, struct link **ret)
    __attribute__((warn_unused_result));

/* The ZAP thread (zap.c). Start: the handler is bound when it returns. */
int link_zap_start(struct link *link) __attribute__((warn_unused_result));
void link_zap_stop(struct link *link);
/* The answer to ${key}: 200, 300 or 400; counted. */
int link_zap_decide(struct link *link, const uint8_t key[LINK_KEY_LEN]);
/* Count a request that is answered 400 unseen. */
void link_zap_deny(struct link *link);

struct link_monitor {
    void *zmq; /* PAIR */
};

struct link_event {
    int kind; /* ZMQ_EVENT_… */
    int value;
};

/* Watch ${socket}, which is not connected yet. */
int link_monitor_open(struct link *link, void *socket, struct link_monitor *ret)
    __attribute__((warn_unused_result));
void link_monitor_close(struct link_monitor *m, void *socket);
/* The next event; false when there is none. */
bool link_monitor_next(struct link_monitor *m, struct link_event *ret);

struct link_socket {
    struct link *link;
    void *zmq;
    bool server;
    char endpoint[LINK_ENDPOINT_MAX + 1];
    size_t max_message;

    /* server */
    uint16_t port;  /* of a tcp endpoint, else 0 */
    int reserve_fd; /* a descriptor held ready for link_drop(), which must work when all are used up
                     */

    /* client */
    uint8_t server_public[LINK_KEY_LEN];
    struct link_monitor monitor;
    enum link_client_state state;
    bool lost; /* disconnected, and no word yet of another attempt */
    int64_t lost_ms;
    uint64_t generation;
};

/* Set every option (options.c). */
int link_options_set_server(void *zmq, const struct link *link, const struct link_server_options *o)
    __attribute__((warn_unused_result));
int link_options_set_client(void *zmq, const struct link_client_options *o,
                            const uint8_t public[LINK_KEY_LEN]) __attribute__((warn_unused_result));

/* Whether a stranger is refused at ${socket}, which is bound (probe.c): COMITY_OK or
 * COMITY_E_NO_ZAP, or what kept it from finding out. */
int link_probe(struct link_socket *socket, const uint8_t server_public[LINK_KEY_LEN])
    __attribute__((warn_unused_result));

/* The error that stands for ${errno_value} of a libzmq call. */
int link_err(int errno_value);

#endif
