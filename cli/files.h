/*
 * Files that commands read and write, with the failures that an officer can act on.
 */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "base/file.h"
#include "cli.h"

/* As file_read, into the arena. */
int files_read(struct cli *c, const char *path, size_t max, struct bytes *ret)
    __attribute__((warn_unused_result));
/* As file_write, mode 0644: what is meant to be given to others. */
int files_write(struct cli *c, const char *path, struct bytes content)
    __attribute__((warn_unused_result));
/* As file_create, mode 0644. */
int files_create(struct cli *c, const char *path, struct bytes content)
    __attribute__((warn_unused_result));
/* COMITY_E_EXISTS, noted, when something is at ${path}. */
int files_check_new(struct cli *c, const char *path) __attribute__((warn_unused_result));
/* COMITY_E_NOT_A_FILE, noted with what to do, when a folder is at ${path}: where a file is wanted,
 * people name the folder that it lies in. */
int files_check_no_folder(struct cli *c, const char *path) __attribute__((warn_unused_result));
/* The last part of ${path}. */
const char *files_name(const char *path);
/* The SHA-256 of a file's bytes in hex, as sha256sum prints it: people compare it by voice. */
const char *files_fingerprint(struct cli *c, struct bytes content);
/* The absolute path; ${path} as it is for "-" and "fd:N". NULL when it does not exist. */
const char *files_absolute(struct cli *c, const char *path);

#endif
