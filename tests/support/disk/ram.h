/*
 * Files in memory for SQLite alone: a VFS that stands in for the default one while it is in use, so
 * that a database of some hundred kilobytes is opened without a call to the system. One thread, one
 * process.
 */
#ifndef TESTS_SUPPORT_DISK_RAM_H
#define TESTS_SUPPORT_DISK_RAM_H

#include "base/bytes.h"

/* SQLite keeps no statistics of its memory, which would take a lock at each allocation. No database
 * may be open. */
void ram_tune(void);

/* Databases that are opened from now on are in memory; or, after ram_end, on the disk. */
void ram_begin(void);
void ram_end(void);

/* All files are gone. None may be open. */
void ram_clear(void);
/* A file is there, with a copy of ${content}. */
void ram_put(const char *path, struct bytes content);
/* What is in it now; none when it is not there. Valid until it changes. */
struct bytes ram_content(const char *path);

#endif
