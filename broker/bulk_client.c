/*
 * Whom the bulk thread serves: members by key, their connections, and what waits for them. See
 * bulk_parts.h.
 */
#include "bulk_parts.h"

#include "base/log.h"
#include "link/socket.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

enum { RETRY_MS = 5, RETRY_MAX_MS = 100 };

static void cut(struct bulk *k, const struct link_peer *peer)
{
    if (link_drop(k->socket, peer) == COMITY_E_IO)
        log_event(LOG_ERROR, "drop_failed", LOG_ERR(COMITY_E_IO));
}

/* Nothing more is done for a connection. */
static void forget_line(struct bulk_client *c, const struct link_peer *peer)
{
    size_t kept = 0;
    for (size_t i = 0; i < c->reader_count; i++)
        if (!link_peer_same(&c->readers[i].peer, peer))
            c->readers[kept++] = c->readers[i];
    c->reader_count = kept;
    kept = 0;
    for (size_t i = 0; i < c->owed_count; i++)
        if (!link_peer_same(&c->owed[i].peer, peer))
            c->owed[kept++] = c->owed[i];
    c->owed_count = kept;
    lines_forget(&c->lines, peer);
}

struct bulk_client *hub_bulk_client(struct bulk *k, const struct link_peer *peer)
{
    struct bulk_client *c = NULL;
    struct link_peer old;
    HASH_FIND(hh, k->clients, peer->key, sizeof c->key, c);
    if (!c) {
        c = calloc(1, sizeof *c);
        if (!c)
            return NULL;
        memcpy(c->key, peer->key, sizeof c->key);
        HASH_ADD(hh, k->clients, key, sizeof c->key, c);
    }
    if (lines_heard(&c->lines, peer, &old)) {
        forget_line(c, &old);
        cut(k, &old);
    }
    return c;
}

/* ${at} with room for one more than ${count}, at most ${max}. */
static void *more(void *at, size_t count, size_t *cap, size_t size, size_t max)
{
    if (count < *cap)
        return at;
    size_t wanted = *cap ? 2 * *cap : 4;
    void *grown = count < max ? realloc(at, wanted * size) : NULL;
    if (grown)
        *cap = wanted;
    return grown;
}

struct bulk_reader *hub_bulk_add_reader(struct bulk_client *c)
{
    struct bulk_reader *r =
        more(c->readers, c->reader_count, &c->reader_cap, sizeof *r, READERS_A_KEY);
    if (!r)
        return NULL;
    c->readers = r;
    r = &c->readers[c->reader_count++];
    *r = (struct bulk_reader){0};
    return r;
}

struct bulk_owed *hub_bulk_add_owed(struct bulk_client *c)
{
    struct bulk_owed *o = more(c->owed, c->owed_count, &c->owed_cap, sizeof *o, OWED_A_KEY);
    if (!o)
        return NULL;
    c->owed = o;
    o = &c->owed[c->owed_count++];
    *o = (struct bulk_owed){0};
    return o;
}

/* ---- full queues ---- */

static void try_at(struct bulk *k, int64_t ms)
{
    if (k->try_ms == BULK_IDLE || ms < k->try_ms)
        k->try_ms = ms;
}

void hub_bulk_try_in(struct bulk *k, int ms)
{
    try_at(k, k->now_ms + ms);
}

bool hub_bulk_waits(struct bulk *k, struct bulk_client *c, const struct link_peer *peer)
{
    const struct line *l = lines_find(&c->lines, peer);
    if (!l || !l->full_ms || k->now_ms >= l->try_ms)
        return false;
    try_at(k, l->try_ms);
    return true;
}

void hub_bulk_moved(struct bulk_client *c, const struct link_peer *peer)
{
    struct line *l = lines_find(&c->lines, peer);
    if (l) {
        l->full_ms = 0;
        l->pause_ms = 0;
    }
}

/* To try costs reading a block: so ever less often. */
void hub_bulk_is_full(struct bulk *k, struct bulk_client *c, const struct link_peer *peer)
{
    struct line *l = lines_find(&c->lines, peer);
    if (!l)
        return;
    if (!l->full_ms)
        l->full_ms = k->now_ms;
    l->pause_ms = l->pause_ms ? 2 * l->pause_ms : RETRY_MS;
    if (l->pause_ms > RETRY_MAX_MS)
        l->pause_ms = RETRY_MAX_MS;
    l->try_ms = k->now_ms + l->pause_ms;
    try_at(k, l->try_ms);
}

void hub_bulk_cut_stalled(struct bulk *k)
{
    for (struct bulk_client *c = k->clients; c; c = c->hh.next)
        for (size_t i = c->lines.count; i > 0; i--) {
            const struct line *l = &c->lines.at[i - 1];
            if (!l->full_ms || k->now_ms - l->full_ms < k->stall_ms)
                continue;
            const struct link_peer peer = l->peer;
            const struct bulk_speaker *who = hub_bulk_speaker_of(k, c->key);
            log_event(LOG_WARN, "bulk_stalled", LOG_STR("member", who ? who->member : "-"));
            forget_line(c, &peer);
            cut(k, &peer);
        }
}

/* ---- the end ---- */

static void drop(struct bulk *k, struct bulk_client *c)
{
    HASH_DEL(k->clients, c);
    free(c->readers);
    free(c->owed);
    free(c);
}

void hub_bulk_drop_gone(struct bulk *k)
{
    struct bulk_client *c = NULL;
    struct bulk_client *next = NULL;
    HASH_ITER(hh, k->clients, c, next)
    {
        if (hub_bulk_speaker_of(k, c->key))
            continue;
        for (size_t i = 0; i < c->lines.count; i++)
            cut(k, &c->lines.at[i].peer);
        drop(k, c);
    }
}

void hub_bulk_drop_all(struct bulk *k)
{
    struct bulk_client *c = NULL;
    struct bulk_client *next = NULL;
    HASH_ITER(hh, k->clients, c, next)
    drop(k, c);
}
