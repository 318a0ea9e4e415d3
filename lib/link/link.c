/*
 * The context and its allow table. The handler's thread is in zap.c. See link.h.
 */
#include "link/link.h"

#include "base/bytes.h"
#include "base/clock.h"
#include "link/link_internal.h"

#include <assert.h>
#include <comity/err.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

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
        return COMITY_E_FILES;
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

/*
 * libzmq counts the routing ids that it gives out up from a number that it takes from rand(), and
 * aborts the process when a peer has chosen the next one for itself. So nobody may know where it
 * begins; link_zap_decide() bounds how often a member may try.
 */
static int hide_routing_ids(void)
{
    unsigned seed;
    if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
        return COMITY_E_IO;
    srand(seed);
    return COMITY_OK;
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

    int err = hide_routing_ids();
    link->zmq = zmq_ctx_new();
    if (!link->zmq)
        err = link_err(errno);
    else if (zmq_ctx_set(link->zmq, ZMQ_BLOCKY, 0) != 0)
        err = COMITY_E_IO;
    else if (!err && !faults->no_handler)
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
    const struct link_key_allowed *x = a;
    const struct link_key_allowed *y = b;
    return memcmp(x->key, y->key, LINK_KEY_LEN);
}

static struct link_key_allowed *find_allowed(struct link *link, const uint8_t key[LINK_KEY_LEN])
{
    struct link_key_allowed wanted;
    memcpy(wanted.key, key, LINK_KEY_LEN);
    return link->n_allowed
               ? bsearch(&wanted, link->allowed, link->n_allowed, sizeof wanted, compare_keys)
               : NULL;
}

int link_allow_set(struct link *link, const uint8_t (*keys)[32], size_t n)
{
    struct link_key_allowed *table = calloc(n > 0 ? n : 1, sizeof *table);
    if (!table)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        memcpy(table[i].key, keys[i], LINK_KEY_LEN);
    qsort(table, n, sizeof *table, compare_keys);
    pthread_mutex_lock(&link->lock);
    for (size_t i = 0; i < n; i++) {
        const struct link_key_allowed *before = find_allowed(link, table[i].key);
        table[i].free_ms = before ? before->free_ms : 0;
    }
    struct link_key_allowed *old = link->allowed;
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

/* ${free_ms} runs ahead of the clock by one interval a connection, and no further than the burst.
 */
static bool may_connect(struct link_key_allowed *k, int64_t now_ms)
{
    if (k->free_ms < now_ms)
        k->free_ms = now_ms;
    if (k->free_ms - now_ms > (LINK_CONNECTS_BURST - 1) * (int64_t)LINK_CONNECT_INTERVAL_MS)
        return false;
    k->free_ms += LINK_CONNECT_INTERVAL_MS;
    return true;
}

/*
 * The key of a start-up test goes the way of every other: it is let in if the table has it. It only
 * differs in being told 400 where others are told 300, since the test must see a refusal also
 * before a table is loaded.
 */
int link_zap_decide(struct link *link, const uint8_t key[LINK_KEY_LEN])
{
    int64_t now_ms = clock_mono_ms(&clock_system);
    pthread_mutex_lock(&link->lock);
    bool probe = link->probing && memcmp(key, link->probe_key, LINK_KEY_LEN) == 0;
    struct link_key_allowed *known = find_allowed(link, key);
    int status = 400;
    if (known)
        status = probe || may_connect(known, now_ms) ? 200 : 300;
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
