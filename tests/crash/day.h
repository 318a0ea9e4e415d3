/*
 * A day of a small network: three bureaus and their broker, cores and all, join, send records with
 * and without recipients, receipts and refusals, evidence with files, turns large and small; erase,
 * change the roster, break off, restart, keep house. What is done, to whom and how large is drawn
 * from a seed: the same seed, the same day, byte for byte.
 */
#ifndef CRASH_DAY_H
#define CRASH_DAY_H

#include "trace.h"
#include "world.h"

#include <stdio.h>

#define MUST(is_good)                                                             \
    do {                                                                          \
        if (!(is_good)) {                                                         \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #is_good); \
            abort();                                                              \
        }                                                                         \
    } while (0)

struct day;
struct files;
struct bulk;

/* A node's officers and files. */
struct office {
    struct day *day;
    struct actor *actor;
    struct files *files;  /* node/files.c's worker */
    struct bulk *carrier; /* what node/bulk*.c keep of attachments; without its thread */
    struct note_signer *officer[2];
    uint64_t officer_key[2]; /* their KEY entries */
    size_t officers;
};

/* A file that an office has kept, and what a record says of it. */
struct kept_file {
    uint64_t len;
    struct hash sha256;
    struct hash sm3;
    struct hash blob;
    uint8_t secret[32];
};

struct day {
    struct world *world;
    struct trace trace;
    size_t began; /* events before are what lay there already */
    struct tap tap;
    struct office office[WORLD_NODES];
    struct broker_blobs *blobs;
    uint64_t dice;
    unsigned records; /* drafts so far */
};

/* Live it, with ${actions} things done after everybody has joined; afterwards all processes have
 * ended, and the members' keys are in d->world->net. */
struct day *day_record(uint64_t seed, unsigned actions);
void day_free(struct day *d);

/* Which of TRACE_PARTIES a node is; the broker is 0. */
static inline int party_of(const struct day *d, const struct actor *a)
{
    return a ? 1 + (int)(a - d->world->actor) : 0;
}
static inline struct office *office_of(struct day *d, const struct actor *a)
{
    return &d->office[a - d->world->actor];
}
/* A number below ${n}. */
unsigned day_draw(struct day *d, unsigned n);
void day_mark(struct day *d, const struct actor *a, const struct mark *m);
/* One turn in which ${a} does what ${add} adds, and then whatever follows from it. */
void day_turn(struct day *d, struct actor *a,
              void (*add)(struct actor *a, struct turn *t, void *arg), void *arg);

/* ---- day_records.c: what officers write ---- */

void day_enrol(struct day *d, struct actor *a);
void day_forget_officers(struct office *o);
/* NOTE entries, ${count} of ${size} bytes. */
struct notes {
    struct day *day;
    const char *to[3]; /* sorted */
    size_t to_count;
    size_t count;
    size_t size;
};
void day_write_notes(struct actor *a, const struct notes *n);
void day_file_case(struct day *d, struct actor *a, const char *to);
/* Evidence with one file, or without (NULL), signed by ${signers} collectors: with fewer than two,
 * whoever receives it refuses it. */
void day_add_evidence(struct day *d, struct actor *a, const char *to, const struct kept_file *file,
                      size_t signers);
/* The content of one NOTE entry is overwritten. */
void day_erase(struct day *d, struct actor *a);

/* ---- day_files.c: attachments at a node ---- */

void day_office_open(struct day *d, struct actor *a);
void day_office_close(struct day *d, struct actor *a);
/* An officer brings in a file of ${len} bytes. */
void day_keep_file(struct day *d, struct actor *a, uint64_t len, struct kept_file *ret);
/* What waits to be uploaded is, block by block, into the broker's folder; what waits to be fetched
 * is, ${blocks} of each at most. */
void day_upload(struct day *d, struct actor *a);
void day_fetch(struct day *d, struct actor *a, unsigned blocks);

/* ---- day_blobs.c: attachments at the broker ---- */

struct broker_blobs;
void day_blobs_open(struct day *d);
void day_blobs_close(struct day *d);
/* One block arrives of ${member}. */
void day_blob_put(struct day *d, const char *member, const struct hash *id, uint64_t len,
                  struct bytes block, const struct bytes *path, size_t n);
/* All that came is made durable, and said. The number of durable blocks. */
uint64_t day_blob_sync(struct day *d, const struct hash *id, uint64_t len);
/* False when it is not here. */
bool day_blob_get(struct day *d, const struct hash *id, uint64_t len, uint64_t i, struct buf *block,
                  struct hash *path, size_t *ret_count);
/* Remove what nobody waits for. */
void day_blobs_tidy(struct day *d);

#endif
