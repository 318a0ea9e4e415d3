/*
 * The connections of one key. See lines.h.
 */
#include "lines.h"

#include <string.h>

struct line *lines_find(struct lines *l, const struct link_peer *peer)
{
    for (size_t i = l->count; i > 0; i--)
        if (link_peer_same(&l->at[i - 1].peer, peer))
            return &l->at[i - 1];
    return NULL;
}

static void remove_at(struct lines *l, size_t i)
{
    memmove(&l->at[i], &l->at[i + 1], (l->count - i - 1) * sizeof l->at[0]);
    l->count--;
}

bool lines_heard(struct lines *l, const struct link_peer *peer, struct link_peer *ret_old)
{
    bool gave_way = false;
    if (lines_find(l, peer))
        return false;
    if (l->count == LINES_A_KEY) {
        *ret_old = l->at[0].peer;
        remove_at(l, 0);
        gave_way = true;
    }
    l->at[l->count++] = (struct line){.peer = *peer};
    return gave_way;
}

void lines_forget(struct lines *l, const struct link_peer *peer)
{
    struct line *found = lines_find(l, peer);
    if (found)
        remove_at(l, (size_t)(found - l->at));
}
