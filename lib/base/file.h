/*
 * Files that survive a power cut: written beside, synced, renamed, and the folder synced.
 *
 * A failing fsync is reported as COMITY_E_IO and must stop the process (the kernel may have dropped
 * the pages; a second fsync would lie). Paths are plain strings; functions are safe from any
 * thread.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/bytes.h"

#include <sys/types.h>

/* The error that stands for ${errno_value} of a file call. */
int file_err(int errno_value);

/* Append the whole file to ${out}; COMITY_E_TOO_LARGE beyond ${max} bytes, COMITY_E_NOT_FOUND when
 * missing. */
int file_read(const char *path, size_t max, struct buf *out) __attribute__((warn_unused_result));

/* As file_read, for a secret: refuses a file that group or others can read
 * (COMITY_E_PUBLIC_KEY_FILE). */
int file_read_private(const char *path, size_t max, struct buf *out)
    __attribute__((warn_unused_result));

/* Replace ${path} by ${content}, durably and as a whole: temporary name, fsync, rename, fsync of
 * the folder. */
int file_write(const char *path, struct bytes content, mode_t mode)
    __attribute__((warn_unused_result));

/* As file_write, but COMITY_E_EXISTS when ${path} is there already (nothing is changed then). */
int file_create(const char *path, struct bytes content, mode_t mode)
    __attribute__((warn_unused_result));

/* fsync ${from}, rename it to ${to} (replacing), fsync the folder of ${to}. */
int file_settle(const char *from, const char *to) __attribute__((warn_unused_result));

/* fsync a folder. */
int file_sync_dir(const char *dir) __attribute__((warn_unused_result));

/* Make ${dir} and its missing parents with ${mode}. An existing folder is fine. */
int file_mkdirs(const char *dir, mode_t mode) __attribute__((warn_unused_result));

/* Write all of ${data} at ${off}, across short writes and EINTR. */
int file_pwrite_all(int fd, struct bytes data, off_t off) __attribute__((warn_unused_result));

/* Read exactly ${len} bytes at ${off}; COMITY_E_IO when the file ends before. */
int file_pread_all(int fd, uint8_t *ret, size_t len, off_t off) __attribute__((warn_unused_result));

/* Take an exclusive lock on ${path} (made if missing), held until the descriptor is closed.
 * COMITY_E_BUSY when another process holds it. */
int file_lock(const char *path, int *ret_fd) __attribute__((warn_unused_result));

/* "${dir}/${name}" as a new string, to be freed; NULL without memory. */
char *file_path(const char *dir, const char *name);

#endif
