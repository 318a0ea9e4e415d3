/*
 * The table of sessions. See session.h.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

struct session *session_find(const struct session_table *t, const uint8_t key[32])
{
    struct session *s = NULL;
    HASH_FIND(hh, t->by_key, key, 32, s);
    return s;
}

struct session *session_of_member(const struct session_table *t, struct bytes member)
{
    for (struct session *s = t->by_key; s; s = s->hh.next)
        if (bytes_is(member, s->member))
            return s;
    return NULL;
}

struct session *session_open(struct session_table *t, const struct link_peer *peer)
{
    struct session *old = session_find(t, peer->key);
    struct session kept = {0};
    if (old) {
        kept.refusals_hour = old->refusals_hour; /* saying HELLO again must not renew the allowance */
        kept.refusals = old->refusals;
        session_drop(t, old);
    }
    struct session *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    s->peer = *peer;
    s->refusals_hour = kept.refusals_hour;
    s->refusals = kept.refusals;
    HASH_ADD(hh, t->by_key, peer.key, 32, s);
    return s;
}

uint64_t session_grant(struct session *s)
{
    s->submit_granted = s->submit_bytes + SUBMIT_WINDOW;
    return s->submit_granted;
}

void session_drop(struct session_table *t, struct session *s)
{
    HASH_DEL(t->by_key, s);
    free(s);
}

void session_drop_all(struct session_table *t)
{
    struct session *s = NULL;
    struct session *next = NULL;
    HASH_ITER(hh, t->by_key, s, next)
        session_drop(t, s);
}
