/*
 * What the files of the evidence package share. Internal to lib/audit/package*.c.
 */
#ifndef AUDIT_PACKAGE_INTERNAL_H
#define AUDIT_PACKAGE_INTERNAL_H

#include "audit/internal.h"
#include "audit/package.h"
#include "domain/record.h"

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

/* ---- package_files.c ---- */

void package_files_free(struct package_files *p);
/* Letters, digits, "._-" and single slashes; no part begins with a dot. */
bool package_path_is_safe(struct bytes path);
/* COMITY_E_EXISTS for a path that is there already. */
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

/* ---- package_text.c ---- */

/* README.html, VERIFY.txt, verify.sh and the .proto files. ${about}: "title"?, "ref", "origin", "kind", "time", "record_hash",
 * "made_by", "made", "files", "signatures", "receipts". */
int package_add_texts(struct package_files *p, const json_t *about)
    __attribute__((warn_unused_result));

/* ---- package_check.c: what one check after the other says ---- */

enum package_status { PACKAGE_OK, PACKAGE_OPEN, PACKAGE_FAIL };

struct package_checks {
    struct package_files files;
    const struct network *anchor;
    struct roster *roster;
    struct arena *arena;
    struct value list;
    size_t failed;
    size_t open;
};

/* package_roots.c: "sums" and "complete"; "roster" and "authority", and the roster itself. */
void package_check_sums(struct package_checks *c);
void package_check_roster(struct package_checks *c);

void package_say(struct package_checks *c, enum package_status status, const char *check, const char *what);

/* An entry that a folder shows: proven, or not. */
struct package_shown {
    bool is_proven;
    bool has_entry;
    struct entry entry;
    struct hash leaf;
    struct checkpoint checkpoint;
    const struct roster_origin *from;
    bool has_body; /* the body is what the entry commits to */
    struct bytes salt;
    struct body body;
};
/* "entry", and "closed" where the roster closed its ledger. */
void package_show(struct package_checks *c, const char *folder, const char *proof, struct package_shown *ret);
/* "content" */
void package_content(struct package_checks *c, const char *folder, struct package_shown *s);
/* The record in a body that was shown. False when there is none. */
bool package_record(struct package_checks *c, const struct package_shown *s, struct record *ret,
                    struct hash *ret_hash);
/* The officer that the KEY entry in ${folder} enrols: "entry", "content"; false when it enrols nobody. */
bool package_officer(struct package_checks *c, const char *folder, struct officer_key *ret);

#endif
