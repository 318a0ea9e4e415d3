/*
 * A store: one database, the chunks beside it, and the lock that keeps a second process out.
 *
 * Bodies and parcels are chunks: put in a turn, read, erased, freed, by id; where they lie is the
 * store's secret. A turn that puts less than 64 KiB keeps its chunks as rows, so that an idle
 * officer pays one fsync; a larger one appends them to a segment file (`<name>.seg/NNNNNN`): write,
 * fdatasync, and only then COMMIT, whose rows name the place. A segment's bytes beyond the
 * committed end are cut off at the next start; a segment with nothing live in it is removed, and
 * the room of a freed chunk is given back before that where the file system can punch holes. Since
 * store_commit does all of this, no caller can forget it.
 *
 * Chunks bear no checksum: their content is proven by the hashes in the entries, which their
 * readers check.
 *
 * COMITY_E_IO from store_commit must end the process: what the disk holds is unknown, and the turn
 * may turn out to be committed at the next start. Every later store_begin and store_commit fails
 * with it, too. After any other error of a put, erase or free but NOT_FOUND, INVALID and TOO_LARGE
 * the turn cannot be committed any more: store_commit rolls back and returns that error.
 *
 * A reader beside a living writer may find that a chunk, whose id it has just read, is gone
 * (COMITY_E_NOT_FOUND) or reads as zeros because the writer freed or erased it meanwhile: the hash
 * tells.
 *
 * A store belongs to one thread.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/db.h"

struct store;

/*
 * Open ${dir}/${name}.db with its chunks. DB_CREATE and DB_WRITE take the lock ${dir}/${name}.lock
 * (COMITY_E_BUSY for the second process) and clean up after a crash; COMITY_E_LEDGER_DAMAGED when a
 * segment is missing or shorter than what was committed. For DB_READ and DB_IMMUTABLE
 * ${dir}/${name}.db is only read. ${dir} must exist.
 */
int store_open(const char *dir, const char *name, enum db_mode mode, struct store **ret)
    __attribute__((warn_unused_result));
/* Open one file, as `ledger export` writes it, read-only and immutable. */
int store_open_file(const char *path, struct store **ret) __attribute__((warn_unused_result));
void store_close(struct store *s);

struct db *store_db(struct store *s);
/* Schema of the user of the store; the store's own tables (store_…) are made besides, in the same
 * transaction. To be called once behind store_open, in every mode: before it an empty store keeps
 * nothing. See db_migrate. */
int store_migrate(struct store *s, uint32_t application_id, const char *const *steps, size_t n)
    __attribute__((warn_unused_result));

int store_begin(struct store *s) __attribute__((warn_unused_result));
int store_commit(struct store *s) __attribute__((warn_unused_result));
void store_rollback(struct store *s);

/* Keep ${content}, durable with the transaction; ids count up from 1 and are never reused (those of
 * a turn that was rolled back may be skipped). COMITY_E_TOO_LARGE beyond 256 MiB. */
int store_put(struct store *s, struct bytes content, uint64_t *ret_id)
    __attribute__((warn_unused_result));
/* Append chunk ${id} to ${out}; also one put in this transaction. COMITY_E_NOT_FOUND. */
int store_get(struct store *s, uint64_t id, struct buf *out) __attribute__((warn_unused_result));
/* ${len} bytes at ${off} of a chunk, appended to ${out}. COMITY_E_INVALID when the chunk ends
 * before. */
int store_get_part(struct store *s, uint64_t id, uint64_t off, size_t len, struct buf *out)
    __attribute__((warn_unused_result));
/*
 * Overwrite ${len} bytes at ${off} by zeros, in place, on the disk, done when store_commit returns
 * 0 (or at the next start, if the process dies in between); a rollback undoes it. COMITY_E_INVALID
 * when the chunk ends before.
 *
 * The WAL, where older images of a row may stand, is emptied behind such a commit, so that what the
 * caller's own SQL overwrote or deleted in the same turn is gone from it, too. A reader that still
 * holds on to an older state delays that to the first commit behind its end. Not reached: what a
 * copy-on-write file system or the disk itself keeps of overwritten blocks, the freed blocks of the
 * WAL until they are used again, and copies and exports.
 */
int store_erase(struct store *s, uint64_t id, uint64_t off, size_t len)
    __attribute__((warn_unused_result));
/* Forget a chunk; its room is given back after the commit. That is not erasing. */
int store_free(struct store *s, uint64_t id) __attribute__((warn_unused_result));

/* Bytes that the database and the segments take on the disk. */
int store_disk_bytes(struct store *s, uint64_t *ret) __attribute__((warn_unused_result));

/*
 * Write one file at ${path} that holds all of it, chunks as rows, nothing beside it: any SQLite
 * reads it. COMITY_E_EXISTS when ${path} exists; COMITY_E_AGAIN when a writer beside us kept
 * erasing meanwhile. Not inside a turn.
 */
int store_export(struct store *s, const char *path) __attribute__((warn_unused_result));

#endif
