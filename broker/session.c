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
    struct session *s = NULL;
    HASH_FIND(hh_member, t->by_member, member.data, member.len, s);
    return s;
}

struct session *session_open(struct session_table *t, const struct link_peer *peer,
                             struct bytes member)
{
    struct session *s = calloc(1, sizeof *s);
    struct session *old = session_find(t, peer->key);
    if (!s || member.len > MEMBER_ID_MAX) {
        free(s);
        return NULL;
    }
    if (old)
        session_drop(t, old);
    old = session_of_member(t, member);
    if (old)
        session_drop(t, old);
    s->peer = *peer;
    memcpy(s->member, member.data, member.len);
    HASH_ADD(hh, t->by_key, peer.key, 32, s);
    HASH_ADD(hh_member, t->by_member, member, (unsigned)member.len, s);
    return s;
}

uint64_t session_grant(struct session *s)
{
    s->submit_granted = s->submit_bytes + SUBMIT_WINDOW;
    return s->submit_granted;
}

void session_drop(struct session_table *t, struct session *s)
{
    HASH_DELETE(hh_member, t->by_member, s);
    HASH_DEL(t->by_key, s);
    free(s);
}

void session_drop_all(struct session_table *t)
{
    struct session *s = t->by_key;
    HASH_CLEAR(hh_member, t->by_member);
    HASH_CLEAR(hh, t->by_key);
    while (s) {
        struct session *next = s->hh.next;
        free(s);
        s = next;
    }
}

struct allowance *session_allowance(struct session_table *t, const uint8_t key[32])
{
    struct allowance *a = NULL;
    HASH_FIND(hh, t->allowances, key, sizeof a->key, a);
    if (a)
        return a;
    a = calloc(1, sizeof *a);
    if (!a)
        return NULL;
    memcpy(a->key, key, sizeof a->key);
    HASH_ADD(hh, t->allowances, key, sizeof a->key, a);
    return a;
}

void session_table_done(struct session_table *t)
{
    struct allowance *a = NULL;
    struct allowance *next = NULL;
    session_drop_all(t);
    HASH_ITER(hh, t->allowances, a, next)
    {
        HASH_DEL(t->allowances, a);
        free(a);
    }
}
