/*
 * The context and its allow table. The handler's thread is in zap.c. See link.h.
 */
#include "link/link.h"

#include "base/bytes.h"
#include "link/link_internal.h"

#include <assert.h>
#include <comity/err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

int link_err(int errno_value)
{
    switch (errno_value) {
    case EAGAIN:
        return COMITY_E_AGAIN;
    case EHOSTUNREACH:
        return COMITY_E_UNREACHABLE;
    case EADDRINUSE:
        return COMITY_E_EXISTS;
    case EADDRNOTAVAIL:
    case ENODEV:
    case ENOENT:
        return COMITY_E_NOT_FOUND;
    case EACCES:
    case EPERM:
        return COMITY_E_PERMISSION;
    case EMFILE:
    case ENFILE:
        return COMITY_E_LIMIT;
    case ENOMEM:
    case ENOBUFS:
        return COMITY_E_NOMEM;
    case EINVAL:
    case EPROTONOSUPPORT:
        return COMITY_E_INVALID;
    case ENAMETOOLONG:
        return COMITY_E_TOO_LARGE;
    default:
        return COMITY_E_IO;
    }
}

int link_new(struct link **ret)
{
    return link_new_faulty(&(struct link_faults){0}, ret);
}

int link_new_faulty(const struct link_faults *faults, struct link **ret)
{
    if (!zmq_has("curve"))
        return COMITY_E_UNSUPPORTED;
    struct link *link = calloc(1, sizeof *link);
    if (!link)
        return COMITY_E_NOMEM;
    link->faults = *faults;
    link->stop_fd = -1;
    pthread_mutex_init(&link->lock, NULL);
    pthread_mutex_init(&link->probe_turn, NULL);

    int err = COMITY_OK;
    link->zmq = zmq_ctx_new();
    if (!link->zmq)
        err = link_err(errno);
    else if (zmq_ctx_set(link->zmq, ZMQ_BLOCKY, 0) != 0)
        err = COMITY_E_IO;
    else if (!faults->no_handler)
        err = link_zap_start(link);
    if (err < 0) {
        link_free(link);
        return err;
    }
    *ret = link;
    return COMITY_OK;
}

void link_free(struct link *link)
{
    if (!link)
        return;
    assert(link->sockets == 0);
    link_zap_stop(link);
    if (link->zmq)
        while (zmq_ctx_term(link->zmq) != 0 && errno == EINTR)
            ;
    pthread_mutex_destroy(&link->probe_turn);
    pthread_mutex_destroy(&link->lock);
    free(link->allowed);
    free(link);
}

static int compare_keys(const void *a, const void *b)
{
    return memcmp(a, b, LINK_KEY_LEN);
}

int link_allow_set(struct link *link, const uint8_t (*keys)[32], size_t n)
{
    uint8_t(*table)[LINK_KEY_LEN] = calloc(n > 0 ? n : 1, sizeof *table);
    if (!table)
        return COMITY_E_NOMEM;
    if (n > 0) {
        memcpy(table, keys, n * sizeof *table);
        qsort(table, n, sizeof *table, compare_keys);
    }
    pthread_mutex_lock(&link->lock);
    uint8_t(*old)[LINK_KEY_LEN] = link->allowed;
    link->allowed = table;
    link->n_allowed = n;
    link->loaded = true;
    pthread_mutex_unlock(&link->lock);
    free(old);
    return COMITY_OK;
}

void link_zap_counts(struct link *link, struct link_zap_counts *ret)
{
    pthread_mutex_lock(&link->lock);
    *ret = link->counts;
    pthread_mutex_unlock(&link->lock);
}

/*
 * The key of a start-up test goes the way of every other: it is let in if the table has it. It only
 * differs in being told 400 where others are told 300, since the test must see a refusal also
 * before a table is loaded.
 */
int link_zap_decide(struct link *link, const uint8_t key[LINK_KEY_LEN])
{
    pthread_mutex_lock(&link->lock);
    bool probe = link->probing && memcmp(key, link->probe_key, LINK_KEY_LEN) == 0;
    int status = 400;
    if (link->n_allowed > 0 &&
        bsearch(key, link->allowed, link->n_allowed, sizeof *link->allowed, compare_keys))
        status = 200;
    else if (!link->loaded && !probe)
        status = 300;
    if (probe)
        link->probe_status = status;
    else if (status == 200)
        link->counts.allowed++;
    else if (status == 300)
        link->counts.deferred++;
    else
        link->counts.denied++;
    pthread_mutex_unlock(&link->lock);
    return status;
}

void link_zap_deny(struct link *link)
{
    pthread_mutex_lock(&link->lock);
    link->counts.denied++;
    pthread_mutex_unlock(&link->lock);
}
