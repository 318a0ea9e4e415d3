/*
 * The tap: what a process does to the files below one folder, call by call.
 *
 * The calls of libc that change files are ours (tap.c). Linked into a test they stand before libc's
 * for the test itself, for lib/ and for SQLite alike; preloaded as a shared object they do so in a
 * daemon as it is shipped. Each call is shown before it is made, and may be refused, cut short or
 * answered by the end of the process; and after it has succeeded. Reading is not watched.
 *
 * What is written through a mapping is not seen: of SQLite that is the -shm file, which holds
 * nothing that counts after a crash.
 */
#ifndef TESTS_SUPPORT_DISK_TAP_H
#define TESTS_SUPPORT_DISK_TAP_H

#include <stddef.h>
#include <stdint.h>

enum tap_kind {
    TAP_CREATE,   /* ${path} is a new, empty file ${file} */
    TAP_WRITE,    /* ${data}, ${len} at ${off} of ${file} */
    TAP_TRUNCATE, /* ${file} has ${len} bytes now: fewer or more */
    TAP_PUNCH,    /* ${len} bytes at ${off} of ${file} read as zeros now */
    TAP_SYNC,     /* ${file}, by fsync or fdatasync */
    TAP_MKDIR,    /* ${path} */
    TAP_RMDIR,    /* ${path} */
    TAP_LINK,     /* ${to} is another name of ${path} */
    TAP_RENAME,   /* ${path} is ${to} now, and what ${to} was has lost that name */
    TAP_UNLINK,   /* ${path} */
    TAP_SYNC_DIR, /* ${path} */
    TAP_KINDS
};

/* "write", "sync_dir" …; what no kind is is NULL. */
const char *tap_word(enum tap_kind kind);

struct tap_call {
    enum tap_kind kind;
    uint64_t file;    /* who a file is, whatever it is called; never given to a second one */
    const char *path; /* below the root, without a leading slash; of files: a name it has or had */
    const char *to;
    uint64_t off;
    uint64_t len;
    const uint8_t *data;
};

struct tap {
    /*
     * A call is about to be made. 0: it is made. An errno: it is not made, and fails with that. Of
     * a TAP_WRITE, ${*len} (not 0) may be lessened: then it is made for so many bytes. NULL: all
     * are made.
     */
    int (*before)(void *self, const struct tap_call *call, size_t *len);
    /* It was made and has succeeded. NULL: nobody wants to know. */
    void (*after)(void *self, const struct tap_call *call);
    void *self;
};

/*
 * Watch what is below ${root} from now on, in all threads. The files that are there are shown
 * first, as if they had just been made, written and synced with their folders. Both functions of
 * ${tap} are called by one thread at a time, and may use files outside of ${root}. One tap a
 * process.
 */
void tap_begin(const char *root, const struct tap *tap);
void tap_end(void);

#endif
