/*
 * Signatures of checkpoints. One note is held by many: by its owner, by the broker, in every parcel
 * that was proven under it. A signature takes a hundred times as long to verify as a hash, so each
 * note is verified once.
 */
#include "audit/internal.h"

#include <string.h>

/* The same bytes under the same key. */
static void hash_note(struct bytes note, const struct note_verifier *v, struct hash *ret)
{
    hash_of(suite_get(SUITE_1), ret, BYTES(v->pub, NOTE_PUB_LEN), bytes_of(v->name),
            BYTES_LIT("\n"), note);
}

static struct good_note *find(struct audit *a, const struct hash *hash)
{
    struct good_note *g = NULL;
    HASH_FIND(hh, a->good_notes, hash, sizeof *hash, g);
    return g;
}

int audit_open_note(struct audit *a, struct bytes note, const struct note_verifier *v,
                    struct checkpoint *ret)
{
    struct hash hash;
    hash_note(note, v, &hash);
    struct good_note *g = find(a, &hash);
    if (!g) {
        struct checkpoint c;
        int err = checkpoint_open(note, v, &c);
        if (err)
            return err;
        g = arena_alloc(a->arena, sizeof *g);
        if (!g)
            return COMITY_E_NOMEM;
        g->hash = hash;
        g->checkpoint = c;
        HASH_ADD(hh, a->good_notes, hash, sizeof g->hash, g);
    }
    *ret = g->checkpoint;
    return COMITY_OK;
}

/* Into the cache that parcel_verify asks, in the place of its oldest. */
static void hand_over(struct note_cache *cache, struct bytes note, const struct note_verifier *v,
                      const struct checkpoint *c)
{
    if (note.len > NOTE_CACHE_BYTES)
        return;
    size_t at = cache->next++ % NOTE_CACHE_SLOTS;
    cache->slot[at].verifier = *v;
    cache->slot[at].len = note.len;
    memcpy(cache->slot[at].note, note.data, note.len);
    cache->slot[at].checkpoint = *c;
}

/* Verify the note of a parcel's head here, so that it is found again. What is wrong with it,
 * parcel_verify will say. */
static void see_note(struct audit *a, struct arena *arena, struct bytes parcel,
                     const struct roster *roster)
{
    struct parcel p;
    struct parcel_head h;
    struct checkpoint c;
    if (parcel_decode(arena, parcel, &p) || parcel_head_decode(arena, p.head, &h))
        return;
    const struct roster_origin *from = roster_origin_of(roster, h.origin);
    if (from && audit_open_note(a, h.checkpoint, &from->verifier, &c) == COMITY_OK)
        hand_over(&a->notes, h.checkpoint, &from->verifier, &c);
}

int audit_verify_parcel(struct audit *a, struct arena *arena, struct bytes parcel,
                        const struct parcel_rules *rules, struct parcel_facts **ret)
{
    see_note(a, arena, parcel, rules->roster);
    return parcel_verify(arena, parcel, rules, ret);
}
