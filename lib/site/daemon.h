/*
 * What both daemons do before they serve: harden the process, read the folder, open the keys, take
 * signals as a descriptor.
 */
#ifndef SITE_DAEMON_H
#define SITE_DAEMON_H

#include "site/site.h"

/* First of all: umask 077, no core dumps or tracing, no SIGPIPE, as many descriptors as the
 * hard limit allows, and an allocator that keeps parcels' memory. */
void daemon_harden(void);

/*
 * Read the configuration, which must be of ${role}, set the log's level, and open the keys with the
 * passphrase from
 * ${passphrase_file} or, when that is NULL, from where the configuration says. Caps the address
 * space at site->memory_bytes: what libzmq gathers of a message before it hands it over is bounded
 * by nothing else. ${detail} says what is wrong.
 */
int daemon_open(const char *config, enum member_role role, const char *passphrase_file,
                struct site **ret, struct site_keys *ret_keys, struct buf *detail)
    __attribute__((warn_unused_result));

/* SIGTERM, SIGINT and SIGHUP as a descriptor. Before any thread starts, so that all of them leave
 * signals to the loop. */
int daemon_signals(int *ret_fd) __attribute__((warn_unused_result));
/* Read what came at that descriptor. SIGHUP sets ${*wants_hup}: look at the roster file now.
 * SIGTERM and SIGINT set
 * ${*wants_stop}. What did not come is left as it is. */
void daemon_take_signals(int fd, bool *wants_hup, bool *wants_stop);

/* Log why a daemon does not start: the one line that whoever started it will read. */
void daemon_not_started(int err, struct buf *detail);

#endif
