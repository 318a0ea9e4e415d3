/*
 * Link: the process's one ZeroMQ context, and the thread that decides who may come in.
 *
 * libzmq asks a ZAP handler (ZeroMQ RFC 27) about the CURVE key of every client that connects. Ours
 * answers from the allow table: 200 for a key in it, 400 for one that is not, 300 ("come back
 * later") while no table was loaded yet. It starts before any socket can exist and ends after the
 * last one. With 200 it hands the client's public key back as the User-Id, 64 digits of lower-case
 * hex, so every message can be told by key.
 *
 * The table holds keys, not members: which member a key belongs to, and whether that member may do
 * what it asks, is for the owner to check on every message. Taking a key out of the table stops new
 * connections only; a live one is cut with link_drop() (link/message.h).
 *
 * Sockets are in link/socket.h.
 */
#ifndef LINK_LINK_H
#define LINK_LINK_H

#include <stddef.h>
#include <stdint.h>

struct link;

/*
 * Make the context and start the handler. One a process. Nobody may come in until link_allow_set().
 *
 * Errors: COMITY_E_NOMEM; COMITY_E_FILES without descriptors, _LIMIT without threads;
 * COMITY_E_UNSUPPORTED when libzmq was built without CURVE; COMITY_E_IO.
 */
int link_new(struct link **ret) __attribute__((warn_unused_result));

/*
 * Stop the handler and free the context. Every socket must be closed before, by the thread that
 * uses it; one that is still open is a programmer's error. NULL is fine.
 */
void link_free(struct link *link);

/*
 * Replace the allow table by the ${n} public keys at ${keys} (any order, copied; duplicates do no
 * harm). A key may connect 128 times at once, and then every 4 s; beyond that it is told to come
 * again later. 0 keys is a loaded table that lets nobody in. Takes effect as a whole, for every
 * handshake that asks afterwards; one that was answered just before may still complete.
 * COMITY_E_NOMEM leaves the old table in force.
 *
 * Any thread.
 */
int link_allow_set(struct link *link, const uint8_t (*keys)[32], size_t n)
    __attribute__((warn_unused_result));

/* What the handler answered since link_new(), the start-up tests of our own sockets left out. */
struct link_zap_counts {
    uint64_t allowed;  /* 200 */
    uint64_t deferred; /* 300: no table was loaded, or the key connects too often */
    uint64_t denied;   /* 400: a key that is not in the table, or a request that is not CURVE's */
};

/* Any thread. */
void link_zap_counts(struct link *link, struct link_zap_counts *ret);

#endif
