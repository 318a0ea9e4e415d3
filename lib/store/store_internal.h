/*
 * What store.c (opening, cleaning up), chunk.c, turn.c and export.c share. Tests may look in,
 * nobody else.
 *
 * Tables: store_chunk has a row a chunk, with its content (segment 0) or its place; store_segment a
 * row a file; store_erasure the ranges whose overwriting is committed but not yet known to be done;
 * store_state one row.
 */
#ifndef STORE_STORE_INTERNAL_H
#define STORE_STORE_INTERNAL_H

#include "store/segment.h"
#include "store/store.h"

/* A chunk put in this turn, ids counting up from first_id: in ${held} while its segment is 0. */
struct put {
    struct place at;
    bool freed;
};

struct turn {
    bool running;
    int err; /* the turn can only be rolled back, because of this */
    uint64_t first_id;
    struct buf puts; /* of struct put */
    struct buf held; /* content that may still become rows */
    bool spilled;    /* more than rows should hold: it goes to the segments */
    bool has_freed;
    struct buf erased;  /* of struct place, in segments: overwritten behind the commit */
    struct buf freed;   /* of struct place, in segments: punched behind the commit */
    struct buf removed; /* of uint64_t: segments whose rows are gone */
    bool must_empty_wal;
};

struct store {
    struct db *db;
    struct segments *segments; /* NULL for a single file */
    char *db_path;
    int lock_fd;
    int dir_fd; /* of the folder: locked, shared, by an export that is under way; -1 for a single
                   file */
    bool is_writer;
    bool is_loaded; /* the tables are there, and what a crash left has been cleaned up */
    bool wal_due;   /* something was erased, but a reader kept the WAL from being emptied */
    uint64_t next_id;
    struct turn turn;
    struct buf late_freed;   /* as turn.freed and turn.removed: what could not be done yet, */
    struct buf late_removed; /* because an export still reads it */
};

/* From this on a turn's chunks go to a segment file. */
enum { TURN_INLINE_MAX = 64 * 1024 };

/* The puts of ${t}, valid until the next one. */
static inline struct put *turn_puts(const struct turn *t, size_t *ret_n)
{
    *ret_n = t->puts.len / sizeof(struct put);
    return (struct put *)(void *)t->puts.data;
}

/* Is its content still in ${held}, and to become a row? */
static inline bool is_held(const struct put *p)
{
    return p->at.segment == 0;
}

/* Write the rows of the turn, and sync its segments: what must be done before COMMIT. */
int turn_finish(struct store *s) __attribute__((warn_unused_result));
/* What must wait until COMMIT: overwrite, give back room, remove files. COMITY_E_IO only. */
int turn_settle(struct store *s) __attribute__((warn_unused_result));
/* Punch and remove what was freed, unless an export is under way. */
void turn_give_back(struct store *s);
void turn_reset(struct turn *t);
void turn_done(struct turn *t);
/* Do again what a crash may have kept from being done. */
int store_redo_erasures(struct store *s) __attribute__((warn_unused_result));

#endif
