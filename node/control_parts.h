/*
 * What the parts of the control socket share: connections, a call that runs, and what handlers of
 * methods may use. Internal to node/control*.c and node/methods*.c.
 *
 *     control.c        the socket: accept, wait, read, write, in turns
 *     control_call.c   one request: decode, find its method, check arguments, answer
 *     methods*.c       what methods do
 */
#ifndef NODE_CONTROL_PARTS_H
#define NODE_CONTROL_PARTS_H

#include "control.h"
#include "files.h"
#include "msg/control.h"
#include "node.h"
#include "officers.h"

#include <comity/err.h>
#include <jansson.h>
#include <sys/queue.h>
#include <uthash.h>

enum {
    CONTROL_CONNECTIONS_MAX = 64,
    CONTROL_LENGTH_LEN = 4,
    CONTROL_READ_MAX = 1024 * 1024, /* in one piece */
    CONTROL_OUT_MAX = 1024 * 1024,  /* with more replies not taken, nothing more is asked for */
    CONTROL_CHUNKS_MAX = 8,         /* of one file that wait for the disk */
    CONTROL_ROUND = 64,    /* requests of one connection before it is the next one's turn */
    CONTROL_TAKE_MS = 40,  /* of requests a turn */
    CONTROL_LINGER_MS = 1, /* for more of a stream of requests */
    CONTROL_WAITERS_MAX = 256,
    CONTROL_ARENA = 64 * 1024 * 1024,  /* of the drafts of a turn */
    CONTROL_SCRATCH = 16 * 1024 * 1024 /* of one request */
};

/* A file on its way in or out. */
struct transfer {
    struct files_stream *stream; /* NULL: none */
    uint64_t id;                 /* out: the request that is being answered */
    size_t pending;              /* pieces that wait for the disk */
    uint64_t len;
    uint64_t sent; /* out */
    char *name;
    char *mime;
    json_t *about; /* out: what goes with the first piece */
};

struct conn {
    struct control *control;
    int fd;
    size_t slot; /* in the items of the wait; SIZE_MAX: not among them */
    struct buf in;
    size_t in_at;
    struct buf out;
    size_t out_at;
    bool is_gone;     /* nothing more comes or goes */
    bool is_drained;  /* no whole request is left, and nothing to read */
    size_t in_flight; /* drafts of this turn that will be answered here */
    struct transfer up;
    struct transfer down;
};

/* Somebody waits for a stage. */
struct waiter {
    LIST_ENTRY(waiter) next;
    struct conn *conn;
    uint64_t id;
    uint64_t index; /* own entry */
    int stage;      /* enum stage */
    int64_t end_ms; /* monotonic */
    char (*to)[MEMBER_ID_MAX + 1];
    size_t to_count; /* 0: everybody */
};
LIST_HEAD(waiter_list, waiter);

/* A request id that a draft of this turn bears. */
struct claimed {
    uint8_t id[BODY_REQUEST_ID_MAX];
    UT_hash_handle hh;
};

struct control {
    struct node *n;
    int listen_fd;
    char *path;
    struct files *files;
    struct officers *officers;
    struct conn *conn[CONTROL_CONNECTIONS_MAX];
    size_t conn_count;
    size_t first; /* who is asked first in the next turn */
    size_t files_slot;
    struct waiter_list waiters;
    size_t waiter_count;
    int64_t offline_since_ms; /* wall clock; 0 while online */

    /* of the turn */
    struct turn *turn;
    struct arena *arena; /* what drafts point to */
    struct arena *scratch;
    struct claimed *claimed; /* in the arena */
    size_t drafts;
    bool is_closed;          /* nothing more is taken in */
    bool is_left;            /* somebody's requests were left for the next turn */
    int64_t began_ms;        /* monotonic */
    struct db_rows *reading; /* keeps one read transaction open while requests are run */
};

/* ---- a call ---- */

enum {
    CALL_TAKEN = 1, /* the reply comes later */
    CALL_NOT_NOW =
        2 /* not in this turn: the request stays where it is, and so does what is behind it */
};

struct call {
    struct control *c;
    struct node *n;
    struct conn *conn;
    struct arena *a; /* of this request */
    const struct control_request *rq;
    json_t *args;
    /* the reply */
    json_t *result;
    struct bytes chunk;
    /* the error */
    char message[256];
    char hint[256];
    char field[96];
};

enum method_flag {
    METHOD_ROSTER = 1,  /* only with a roster in force */
    METHOD_APPENDS = 2, /* not once the turn is full */
    METHOD_ALONE =
        4, /* the only request of its turn that appends: its checks must hold when it is appended */
    METHOD_RECORD = 8, /* which binary fields it takes */
    METHOD_SALT = 16,
    METHOD_NOTES = 32,
    METHOD_CHUNK = 64
};

struct method {
    const char *name;
    /* COMITY_OK with a result, a negative error (call_fail), CALL_TAKEN or CALL_NOT_NOW. */
    int (*run)(struct call *k);
    unsigned flags;
};
const struct method *method_find(struct bytes name);

/* One request of ${conn}. CALL_NOT_NOW, or 0: it is answered, or will be. */
int call_run(struct conn *conn, struct bytes message);

/* Say why: ${field} may be NULL, ${format} too (the error's own sentence). Returns ${err}. */
int call_fail(struct call *k, int err, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
/* What to do next. Returns ${err}. */
int call_hint(struct call *k, int err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* For "%.*s" in messages: the length of ${text}, cut. */
int call_clip(struct bytes text);

/* ---- arguments ---- */

enum arg_type { ARG_TEXT, ARG_U64, ARG_BOOL, ARG_TEXTS };
struct texts {
    const struct bytes *at;
    size_t count;
};
struct arg {
    const char *name;
    enum arg_type type;
    bool is_required;
    void *ret; /* struct bytes, uint64_t, bool, struct texts: untouched when absent */
};
/* Views live as long as k->args and k->a. COMITY_E_USAGE. */
int call_args(struct call *k, const struct arg *args, size_t n) __attribute__((warn_unused_result));
#define CALL_ARGS(k, ...)                             \
    call_args((k), (const struct arg[]){__VA_ARGS__}, \
              sizeof((const struct arg[]){__VA_ARGS__}) / sizeof(struct arg))

struct place {
    struct bytes origin;
    uint64_t index;
    bool is_own;
};
/* The place that ${text}, argument ${field}, names. COMITY_E_REF. */
int call_place(struct call *k, const char *field, struct bytes text, struct place *ret)
    __attribute__((warn_unused_result));
/* The recipients of ${to}, sorted, in memory of the turn's. COMITY_E_RECIPIENTS, _UNKNOWN_MEMBER,
 * _CLOSED, _NO_ROSTER. */
int call_recipients(struct call *k, const struct texts *to, const struct bytes **ret,
                    size_t *ret_count) __attribute__((warn_unused_result));
/* The one note that the request must bear. */
int call_note(struct call *k, struct bytes *ret) __attribute__((warn_unused_result));

/* ---- drafts ---- */

/* What is answered when a draft is done. In the turn's memory. */
struct pending {
    struct conn *conn;
    uint64_t id;
    /* Fill ${v}, which holds the place, with the rest of the result. May be NULL. */
    void (*show)(struct pending *p, const struct draft *d, struct buf *json);
    void (*after)(struct pending *p);
    void *self;
};
/* Add ${d} to the turn, to be answered as ${p} says. CALL_TAKEN, or the error of turn_add told. */
int call_append(struct call *k, struct draft *d, const struct pending *p)
    __attribute__((warn_unused_result));
/* Keep ${b} for the turn; none without memory. */
struct bytes call_keep(struct call *k, struct bytes b);

/* Whether a draft of this turn bears the request id already: then CALL_NOT_NOW. Otherwise remember
 * it. */
int call_claim(struct call *k, struct bytes request_id) __attribute__((warn_unused_result));

/* ---- replies ---- */

struct reply {
    uint64_t id;
    int err;
    struct bytes json;
    struct bytes chunk;
    bool more;
};
void conn_reply(struct conn *conn, const struct reply *r);
void conn_reply_json(struct conn *conn, uint64_t id, json_t *json, struct bytes chunk, bool more);
void conn_reply_error(struct conn *conn, uint64_t id, int err, const char *message,
                      const char *hint);

/* ---- methods_file.c, methods_wait.c: what goes on between the requests ---- */

void transfers_take(struct control *c);
void transfer_drop(struct control *c, struct transfer *t);
/* Ask for the next piece while there is room for it. */
void transfer_pump(struct conn *conn);
void waiters_settle(struct control *c);
void waiters_drop(struct control *c, const struct conn *conn);
/* When the first of them gives up: milliseconds from now, or -1. */
int waiters_timeout_ms(const struct control *c);

#endif
