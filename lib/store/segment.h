/*
 * Segment files: `<folder>/NNNNNN`, numbered from 1, appended to, each full at 256 MiB.
 *
 * A segment knows nothing of chunks or rows; its content is content and nothing else. Who calls
 * says which number and which end are committed, and the order that makes it durable:
 *
 *     segments_append …, segments_sync, COMMIT, segments_committed     (or segments_roll_back)
 *
 * A file is made, and its folder synced, by the append that needs it, so before the commit that
 * names it. No checksums: what a body or a parcel is, is proven by the hash in its entry, which
 * whoever uses it checks anyway.
 *
 * One thread.
 */
#ifndef STORE_SEGMENT_H
#define STORE_SEGMENT_H

#include "base/bytes.h"

enum { SEGMENT_MAX = 256 * 1024 * 1024 };

struct segments;

struct place {
    uint64_t segment;
    uint64_t off;
    uint64_t len;
};

/* ${folder} need not exist: the first append makes it. NULL without memory. */
struct segments *segments_new(const char *folder);
void segments_free(struct segments *g);
/* Rotate at ${max} bytes instead of SEGMENT_MAX: for tests. */
void segments_set_max(struct segments *g, uint64_t max);

/* ---- at the start, before the first append --------------------------------------------------- */

/* Cut segment ${id} to its committed end. COMITY_E_LEDGER_DAMAGED when it is shorter than that, or
 * missing. */
int segments_cut(struct segments *g, uint64_t id, uint64_t end) __attribute__((warn_unused_result));
/* Remove the files that ${is_known} (1, 0 or a negative error) does not know. Other names are left
 * alone. */
int segments_sweep(struct segments *g, int (*is_known)(void *self, uint64_t id), void *self)
    __attribute__((warn_unused_result));
/* The segment to go on with: the last one, or 0 when there is none. */
int segments_resume(struct segments *g, uint64_t id, uint64_t end)
    __attribute__((warn_unused_result));

/* ---- writing --------------------------------------------------------------------------------- */

/* COMITY_E_TOO_LARGE beyond one segment's size. After another error the turn must be rolled back.
 */
int segments_append(struct segments *g, struct bytes content, struct place *ret)
    __attribute__((warn_unused_result));
/* Make every append durable. COMITY_E_IO: what the disk holds is unknown. */
int segments_sync(struct segments *g) __attribute__((warn_unused_result));
void segments_committed(struct segments *g);
/* Cut off what was appended since the last commit. Not after COMITY_E_IO, when the commit may yet
 * turn out to stand. */
void segments_roll_back(struct segments *g);

/* Overwrite by zeros, durably. COMITY_E_NOT_FOUND when the segment is gone. */
int segments_overwrite(struct segments *g, const struct place *at)
    __attribute__((warn_unused_result));
/* Give the room of ${at} back, where the file system can; its content reads as zeros then, or as
 * before. */
void segments_punch(struct segments *g, const struct place *at);
/* Remove a whole file. If that fails, the sweep at the next start does it. */
void segments_remove(struct segments *g, uint64_t id);

/* ---- reading --------------------------------------------------------------------------------- */

/* Append the content of ${at} to ${out}. COMITY_E_NOT_FOUND when the segment is gone,
 * COMITY_E_LEDGER_DAMAGED when it ends before. */
int segments_read(struct segments *g, const struct place *at, struct buf *out)
    __attribute__((warn_unused_result));
/* What they take on the disk, holes not counted. */
uint64_t segments_disk_bytes(struct segments *g);

#endif
