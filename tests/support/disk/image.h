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

/* Write into ${folder} (which must be there, and is emptied) what a cut now may leave; the same for
 * the same calls, cut and seed. Returns a hash of the content: equal for equal content. */
uint64_t image_cut(const struct image *g, enum cut cut, uint64_t seed, const char *folder);

#endif
