/*
 * A store: one database, the chunks beside it, and the lock that keeps a second process out.
 *
 * Bodies and parcels are chunks: put in a turn, read, erased, freed, by id; where they lie is the store's secret. A
 * turn that puts less than 64 KiB keeps its chunks as rows, so that an idle officer pays one fsync; a larger one
 * appends them to a segment file (`<name>.seg/NNNNNN`): write, fdatasync, and only then COMMIT, whose rows name the
 * place. A segment's bytes beyond the committed end are cut off at the next start; a segment with nothing live in it is
 * removed. Since store_commit does all of this, no caller can forget it.
 *
 * A store belongs to one thread. COMITY_E_IO from store_commit must end the process: what the disk holds is unknown.
 */
#ifndef STORE_STORE_H
#define STORE_STORE_H

#include "store/db.h"

struct store;

/*
 * Open ${dir}/${name}.db with its chunks. DB_CREATE and DB_WRITE take the lock ${dir}/${name}.lock (COMITY_E_BUSY for the
 * second process) and clean up after a crash. For DB_READ and DB_IMMUTABLE ${dir}/${name}.db is only read.
 */
int store_open(const char *dir, const char *name, enum db_mode mode, struct store **ret)
    __attribute__((warn_unused_result));
/* Open one file, as `ledger export` writes it, read-only and immutable. */
int store_open_file(const char *path, struct store **ret) __attribute__((warn_unused_result));
void store_close(struct store *s);

struct db *store_db(struct store *s);
/* Schema of the user of the store; the store's own tables are made besides. See db_migrate. */
int store_migrate(struct store *s, uint32_t application_id, const char *const *steps, size_t n)
    __attribute__((warn_unused_result));

int store_begin(struct store *s) __attribute__((warn_unused_result));
int store_commit(struct store *s) __attribute__((warn_unused_result));
void store_rollback(struct store *s);

/* Keep ${content}, durable with the transaction; ids count up from 1 and are never reused. */
int store_put(struct store *s, struct bytes content, uint64_t *ret_id)
    __attribute__((warn_unused_result));
/* Append chunk ${id} to ${out}; also one put in this transaction. COMITY_E_NOT_FOUND. */
int store_get(struct store *s, uint64_t id, struct buf *out) __attribute__((warn_unused_result));
/* ${len} bytes at ${off} of a chunk, appended to ${out}. */
int store_get_part(struct store *s, uint64_t id, uint64_t off, size_t len, struct buf *out)
    __attribute__((warn_unused_result));
/* Overwrite ${len} bytes at ${off} by zeros, on the disk, durable when store_commit returns. Not undone by a rollback
 * once store_commit has begun. */
int store_erase(struct store *s, uint64_t id, uint64_t off, size_t len)
    __attribute__((warn_unused_result));
/* Forget a chunk; its room is given back after the commit. */
int store_free(struct store *s, uint64_t id) __attribute__((warn_unused_result));

/* Bytes that the database and the segments take on the disk. */
int store_disk_bytes(struct store *s, uint64_t *ret) __attribute__((warn_unused_result));

/* Write one file at ${path} that holds all of it, chunks as rows, nothing beside it. ${path} must not exist. */
int store_export(struct store *s, const char *path) __attribute__((warn_unused_result));

#endif
