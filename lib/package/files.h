/*
 * The files of a package: in memory, and as a folder or a zip.
 */
#ifndef PACKAGE_FILES_H
#define PACKAGE_FILES_H

#include "audit/list.h"
#include "crypto/hash.h"

enum {
    PACKAGE_PATH_MAX = 200,
    PACKAGE_FILES_MAX = 20000,
    PACKAGE_LOADED_MAX = 16 * 1024 * 1024, /* of one file that is not evidence */
    PACKAGE_TOTAL_MAX = 512 * 1024 * 1024  /* of all of them */
};

/* One file of a package: in memory, or (evidence) only its digests and where it lies. */
struct package_file {
    char path[PACKAGE_PATH_MAX + 1];
    struct buf bytes;
    bool is_loaded;
    char *source; /* make: the file to be copied */
    uint64_t len;
    struct hash sha256;
    struct hash sm3;
};

/* Sorted by path, once package_sort has run. */
struct package_files {
    LIST(struct package_file) file;
    uint64_t loaded;
};

void package_files_free(struct package_files *p);
/* COMITY_E_EXISTS for a path that is there already, COMITY_E_NOT_A_PACKAGE for one that no package
 * may have. */
int package_add(struct package_files *p, const char *path, struct bytes content)
    __attribute__((warn_unused_result));
/* A file that lies at ${source}, whose digests are computed now. */
int package_add_source(struct package_files *p, const char *path, const char *source)
    __attribute__((warn_unused_result));
void package_sort(struct package_files *p);
/* NULL when it is not there. Files must be sorted. */
const struct package_file *package_find(const struct package_files *p, const char *path);
/* Its content; none when it is not there, or not loaded. */
struct bytes package_bytes(const struct package_files *p, const char *path);

/* Read a folder or a zip. COMITY_E_NOT_A_PACKAGE, COMITY_E_TOO_LARGE, COMITY_E_LIMIT. */
int package_load(const char *path, struct package_files *ret) __attribute__((warn_unused_result));
/* Write a folder, or a zip where ${path} ends in ".zip". Nothing is there after a failure. */
int package_write(const char *path, const struct package_files *p, int64_t time_ms)
    __attribute__((warn_unused_result));

/* Remove what package_write has written. */
void package_remove(const char *path);

#endif
