/*
 * The folder files/: evidence in plain, by content.
 *
 *     files/<sha256, hex>     immutable and durable: it is there only when whole, checked and
 * synced files/tmp/…             being written; emptied at the start
 *
 * What an officer brings in is streamed here by a thread of its own, so that a large file never
 * holds up a turn: it writes, hashes, settles, and computes the blob id. Other parts that write
 * here (attachments fetched from the broker) have a folder of their own and settle by files_settle.
 */
#ifndef NODE_FILES_H
#define NODE_FILES_H

#include "base/bytes.h"
#include "crypto/hash.h"

struct node;
struct site;

/* Make files/ and files/tmp/, and remove what is left in files/tmp/. Once, before anything else of
 * this header. */
int files_prepare(const struct site *s) __attribute__((warn_unused_result));

/* The path of the file of that digest, whether it is there or not; to be freed, NULL without
 * memory. Any thread. */
char *files_path(const struct node *n, const struct hash *sha256);
/* Whether the file of that digest is there with that length. Any thread. */
bool files_has(const struct node *n, const struct hash *sha256, uint64_t len);
/* Move ${tmp}, complete and with that digest (which the caller has checked), to its place, durably.
 * Any thread. */
int files_settle(const struct node *n, const char *tmp, const struct hash *sha256)
    __attribute__((warn_unused_result));

/* ---- the worker ---- */

struct files;

int files_start(struct node *n, struct files **ret) __attribute__((warn_unused_result));
/* Waits for the piece at hand, drops what is unfinished. NULL is fine. */
void files_stop(struct files *f);
/* Readable when files_take has something. */
int files_fd(const struct files *f);

enum files_work { FILES_CHUNK, FILES_END, FILES_READ };

/* A file that is being brought in or read out, by one caller; what is asked of it is done in order.
 */
struct files_stream;

/* Begin to bring in ${len} bytes. NULL without memory. */
struct files_stream *files_begin(struct files *f, uint64_t len);
/* Begin to read the file of that digest. NULL without memory. */
struct files_stream *files_open(struct files *f, const struct hash *sha256, uint64_t len);
/* Never mind: what is asked and not done is dropped, and so is what was written. The stream is gone
 * for the caller; nothing more of it comes from files_take. NULL is fine. */
void files_drop(struct files *f, struct files_stream *s);

/* Ask for a piece of work, whose end files_take will tell, with ${id}. FILES_CHUNK: append
 * ${chunk}, which is copied. FILES_END: all is there; settle it. FILES_READ: the next
 * CONTROL_CHUNK_MAX bytes or fewer. */
int files_ask(struct files *f, struct files_stream *s, enum files_work what, uint64_t id,
              struct bytes chunk) __attribute__((warn_unused_result));

struct files_done {
    struct files_stream *stream;
    void *owner; /* of the stream: files_set_owner */
    enum files_work what;
    uint64_t id;
    int err;
    uint64_t at;      /* bytes so far */
    struct buf chunk; /* FILES_READ; owned by the caller now */
    /* FILES_END */
    struct hash sha256;
    struct hash sm3;
    struct hash blob;
    uint8_t secret[32];
};
void files_set_owner(struct files_stream *s, void *owner);
/* The next piece of work that has ended; false when there is none. */
bool files_take(struct files *f, struct files_done *ret);

#endif
