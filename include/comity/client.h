/*
 * Drive a bureau's node over its control socket.
 *
 * What can be asked, with arguments and results, is in docs/CONTROL.md; JSON goes in and comes out
 * as text. Two ways to ask:
 *
 *     one at a time      comity_client_call
 *     many in flight     comity_client_send … comity_client_receive …, replies matched by id
 *
 * Binary values are a pointer and a length, and are copied while the function runs. What a reply
 * points to stays valid until the next function on the same client. A client belongs to one thread;
 * several clients may be open at once.
 *
 * Functions return 0 or a negative error of comity/err.h. When they fail, the reply they fill
 * (unless it is NULL) holds the error as JSON, `{"code","exit","message","hint"?,"field"?}`, also
 * where the node could not be reached, so that there is one way to show it.
 */
#ifndef COMITY_CLIENT_H
#define COMITY_CLIENT_H

#include <comity/err.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct comity_client comity_client;

struct comity_bytes {
    const void *data;
    size_t len;
};

struct comity_call {
    const char *method;
    const char *json; /* arguments: an object; NULL for none */
    struct comity_bytes record;
    struct comity_bytes salt;
    const struct comity_bytes *notes;
    size_t note_count;
    struct comity_bytes chunk;
};

struct comity_reply {
    uint64_t id;
    int err;
    const char *json; /* the result, or the error; never NULL in a reply that was filled in */
    size_t json_len;
    struct comity_bytes chunk;
    bool more; /* further replies to the same call follow */
};

/*
 * Connect to the node's socket at ${path} (`node.sock` in the site's folder). COMITY_E_UNREACHABLE
 * when nobody listens there, COMITY_E_PERMISSION, COMITY_E_INVALID for a path too long for a
 * socket, COMITY_E_NOMEM. No reply holds these: see comity_client_explain.
 */
int comity_client_open(const char *path, comity_client **ret) __attribute__((warn_unused_result));
/* Calls in flight are given up; what they append may or may not be done. NULL is fine. */
void comity_client_close(comity_client *c);

/*
 * Ask, and wait for the answer. Returns the reply's own `err`. Replies to calls that were sent
 * before and are received here are kept for comity_client_receive. A call with several replies
 * gives the first one; fetch the others by comity_client_receive. COMITY_E_UNREACHABLE: the node
 * went away; the call may or may not have been carried out (a request_id makes it safe to ask
 * again). COMITY_E_TOO_LARGE: the call does not fit a message; nothing was sent.
 */
int comity_client_call(comity_client *c, const struct comity_call *call, struct comity_reply *ret)
    __attribute__((warn_unused_result));

/*
 * Put one call on its way without waiting; ${ret_id} (may be NULL) is what its reply will bear.
 * What is sent is gathered and written in large pieces: by comity_client_receive, by
 * comity_client_flush, or when a few hundred KiB have come together. Never blocks for long: while
 * the node does not read, replies are read and kept. Errors as comity_client_call.
 */
int comity_client_send(comity_client *c, const struct comity_call *call, uint64_t *ret_id)
    __attribute__((warn_unused_result));
/* Write what was gathered. */
int comity_client_flush(comity_client *c) __attribute__((warn_unused_result));
/*
 * The next reply to any call that was sent, in the order in which they arrive; waits at most
 * ${timeout_ms} (-1: for ever). Returns COMITY_OK for every reply that was received, whatever its
 * `err`. COMITY_E_TIMEOUT, COMITY_E_UNREACHABLE; COMITY_E_STATE when nothing is in flight.
 */
int comity_client_receive(comity_client *c, int timeout_ms, struct comity_reply *ret)
    __attribute__((warn_unused_result));
/* Calls sent whose last reply has not been received yet. */
size_t comity_client_in_flight(const comity_client *c);
/* For a program that waits for several things: readable when comity_client_receive may have
 * something. */
int comity_client_fd(const comity_client *c);

/* Called now and then with the bytes moved so far and in all; non-zero stops the transfer with
 * COMITY_E_INTERRUPTED. */
typedef int comity_progress(void *self, uint64_t done, uint64_t len);

struct comity_transfer {
    const char *name;          /* upload: the file's name in the record */
    const char *mime;          /* upload: may be NULL */
    const char *ref;           /* download: the evidence … */
    const char *file;          /* … and the name of the file, or its number in the record */
    comity_progress *progress; /* may be NULL */
    void *self;
};

/*
 * Stream the open file ${fd} from its beginning into the node (file.begin, file.chunk, file.end);
 * the reply's JSON is the File for the record. SHA-256 and SM3 are computed here as well and
 * compared with the node's: COMITY_E_ATTACHMENT when they differ. COMITY_E_IO when reading fails or
 * the file shrinks meanwhile. Nothing else may be in flight (COMITY_E_STATE).
 */
int comity_client_upload(comity_client *c, int fd, const struct comity_transfer *t,
                         struct comity_reply *ret) __attribute__((warn_unused_result));
/*
 * Write a file of a piece of evidence to ${fd} at its current offset; the reply's JSON is what
 * evidence.get said of it. Its SHA-256 and SM3 are checked against the record's:
 * COMITY_E_ATTACHMENT, and then what was written must not be used. Nothing else may be in flight
 * (COMITY_E_STATE).
 */
int comity_client_download(comity_client *c, int fd, const struct comity_transfer *t,
                           struct comity_reply *ret) __attribute__((warn_unused_result));

/* The error ${err} as a reply would hold it, for failures without one; valid until the next
 * function on ${c}, which may be NULL: then until the next such call of the same thread. */
const char *comity_client_explain(comity_client *c, int err);

#ifdef __cplusplus
}
#endif
#endif
