/*
 * The table of sessions. See session.h.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

enum { HOUR_MS = 3600 * 1000 };

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
    s->is_fresh = true;
    memcpy(s->member, member.data, member.len);
    HASH_ADD(hh, t->by_key, peer.key, 32, s);
    HASH_ADD(hh_member, t->by_member, member, (unsigned)member.len, s);
    return s;
}

uint64_t session_grant(struct session *s)
{
    s->now.submit_granted = s->now.submit_bytes + SUBMIT_WINDOW;
    return s->now.submit_granted;
}

uint64_t session_may_deliver(const struct session *s)
{
    const uint64_t ahead = s->now.deliver_taken + DELIVER_AHEAD;
    return s->now.deliver_granted < ahead ? s->now.deliver_granted : ahead;
}

void session_delivered(struct session *s, size_t len)
{
    struct session_state *n = &s->now;
    n->deliver_bytes += len;
    const uint64_t marked = n->mark_end > n->mark_first
                                ? s->mark[(n->mark_end - 1) % DELIVER_MARKS].bytes
                                : n->deliver_taken;
    if (n->deliver_bytes - marked >= DELIVER_MARK)
        s->mark[n->mark_end++ % DELIVER_MARKS] =
            (struct deliver_mark){.seq = n->next_delivery, .bytes = n->deliver_bytes};
    n->next_delivery++;
}

void session_taken(struct session *s, uint64_t seq)
{
    struct session_state *n = &s->now;
    while (n->mark_first < n->mark_end && s->mark[n->mark_first % DELIVER_MARKS].seq <= seq)
        n->deliver_taken = s->mark[n->mark_first++ % DELIVER_MARKS].bytes;
    if (seq + 1 == n->next_delivery) {
        n->deliver_taken = n->deliver_bytes;
        n->mark_first = n->mark_end;
    }
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

void session_keep_all(struct session_table *t)
{
    for (struct session *s = t->by_key; s; s = s->hh.next) {
        s->kept = s->now;
        s->is_fresh = false;
    }
}

void session_undo_all(struct session_table *t)
{
    struct session *s = NULL;
    struct session *next = NULL;
    HASH_ITER(hh, t->by_key, s, next)
    {
        s->now = s->kept;
        if (s->is_fresh)
            session_drop(t, s);
    }
}

struct account *session_account(struct session_table *t, const uint8_t key[32], int64_t now_ms)
{
    struct account *a = NULL;
    const uint64_t hour = (uint64_t)(now_ms / HOUR_MS);
    HASH_FIND(hh, t->accounts, key, sizeof a->key, a);
    if (!a) {
        a = calloc(1, sizeof *a);
        if (!a)
            return NULL;
        memcpy(a->key, key, sizeof a->key);
        a->hour = hour;
        HASH_ADD(hh, t->accounts, key, sizeof a->key, a);
    }
    if (a->hour != hour) {
        a->hour = hour;
        a->refusals = a->failures = a->roster_bytes = 0;
    }
    return a;
}

void session_table_done(struct session_table *t)
{
    struct account *a = NULL;
    struct account *next = NULL;
    session_drop_all(t);
    HASH_ITER(hh, t->accounts, a, next)
    {
        HASH_DEL(t->accounts, a);
        free(a);
    }
}
