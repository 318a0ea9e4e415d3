/*
 * What a disk may hold after the power was cut: files and folders as a tap shows them, and of each
 * what is durable and what was written since.
 *
 * The rules are those that a program may rely on, and no kinder:
 *  - what was written to a file is durable once the file was synced; before that each write, cut or
 *    hole is there or not, by itself, whatever was done in which order; and of a write, each sector
 *    of 512 bytes. Where a write made a file longer, the end may be there without the content: as
 *    zeros.
 *  - a name (made, removed, changed) is durable once its folder was synced; before that the changes
 *    in one folder are there in their order up to some point, whatever other folders and the
 *    content of the file hold. A change of name is there as a whole or not at all.
 *
 * Not modelled: a disk that loses what it said was durable.
 */
#ifndef TESTS_SUPPORT_DISK_IMAGE_H
#define TESTS_SUPPORT_DISK_IMAGE_H

#include "tap.h"

#include <stdbool.h>

struct image;

/* A quick hash, good enough to tell contents apart; ${h} to go on from. */
uint64_t image_mix(uint64_t h, const void *data, size_t len);

struct image *image_new(void);
void image_free(struct image *g);

/* The next call. What it shows is copied. */
void image_take(struct image *g, const struct tap_call *call);

/* Whether a cut can leave more than one content: something is not durable. */
bool image_is_pending(const struct image *g);

enum cut {
    CUT_ALL_LOST, /* nothing that was not durable is there */
    CUT_ALL_KEPT, /* everything is: as after kill -9 */
    CUT_SOME,     /* by ${seed}: whole writes and names, each there or not */
    CUT_TORN      /* by ${seed}: sectors, too */
};

/* What a cut now may leave; the same for the same calls, cut and seed. It points into ${g}: valid
 * until the next image_take. */
struct left;
struct left *image_leave(struct image *g, enum cut cut, uint64_t seed);
/* A hash of names and content: equal for what is equal. */
uint64_t left_hash(const struct left *l);
/* Write all of it into ${folder}, which must be there, and is emptied. */
void left_write(const struct left *l, const char *folder);
void left_free(struct left *l);

/* One after the other, folders before what is in them. */
struct left_file {
    const char *path;
    bool is_folder;
    const uint8_t *data;
    size_t len;
    uint64_t hash; /* of the content */
};
bool left_next(const struct left *l, size_t *at, struct left_file *ret);

/* image_leave, left_write, left_hash. */
uint64_t image_cut(struct image *g, enum cut cut, uint64_t seed, const char *folder);

#endif
