/*
 * The roster in force at the broker: taken, handed on, enforced.
 */
#include "base/log.h"
#include "parts.h"
#include "store.h"

#include <comity/err.h>

static uint32_t parts_of(struct bytes file)
{
    return (uint32_t)((file.len + ROSTER_PART_MAX - 1) / ROSTER_PART_MAX);
}

int roster_send_part(struct broker *b, const struct session *s, uint64_t number, uint32_t part)
{
    struct buf stored = BUF_INIT;
    struct bytes file = roster_file(b->roster);
    uint64_t sent = roster_number(b->roster);
    int err = number < sent ? queue_roster(b->store, number, &stored) : COMITY_E_NOT_FOUND;
    if (!err) {
        file = buf_bytes(&stored);
        sent = number;
    }
    uint32_t parts = parts_of(file);
    if (err == COMITY_E_NOT_FOUND)
        err = COMITY_OK;
    if (!err && part < parts) {
        const struct frame f = {
            .kind = FRAME_ROSTER_PART,
            .epoch = BYTES(s->epoch, EPOCH_LEN),
            .u.roster_part = {
                .number = sent,
                .part = part,
                .parts = parts,
                .data = bytes_slice(file, (size_t)part * ROSTER_PART_MAX, ROSTER_PART_MAX)}};
        err = broker_send(b, &s->peer, &f);
    }
    buf_free(&stored);
    return err;
}

static int append_entry(struct broker *b, const struct roster *r)
{
    struct buf ref = BUF_INIT;
    struct hash text;
    roster_text_hash(r, &text);
    buf_put_u64be(&ref, roster_number(r));
    buf_put_bytes(&ref, hash_bytes(&text));
    struct entry e = {.time_ms = (uint64_t)clock_wall_ms(b->clock),
                      .kind = ENTRY_ROSTER,
                      .roster = roster_number(r),
                      .ref = buf_bytes(&ref)};
    int err = buf_check(&ref);
    if (!err)
        err = ledger_append(b->ledger, &e, NULL);
    buf_free(&ref);
    return err;
}

static int write_down(struct broker *b, void *self)
{
    const struct roster *r = self;
    int err = queue_put_roster(b->store, roster_number(r), roster_file(r));
    return err ? err : append_entry(b, r);
}

static bool is_still_welcome(const struct broker *b, const struct session *s)
{
    const struct roster_member *m = roster_member_by_curve(b->roster, s->peer.key);
    const struct roster_origin *o = roster_origin_of(b->roster, bytes_of(s->origin));
    return m && o && o->member == m && o->is_current && !o->ledger->is_closed;
}

static int send_roster(struct broker *b, const struct session *s)
{
    int err = COMITY_OK;
    uint32_t parts = parts_of(roster_file(b->roster));
    for (uint32_t i = 0; !err && i < parts; i++)
        err = roster_send_part(b, s, roster_number(b->roster), i);
    return err;
}

static int drop_the_gone(struct broker *b)
{
    struct session *s = NULL;
    struct session *next = NULL;
    int err = COMITY_OK;
    HASH_ITER(hh, b->sessions.by_key, s, next)
    {
        if (err || is_still_welcome(b, s))
            continue;
        log_event(LOG_WARN, "member_dropped", LOG_STR("member", s->member),
                  LOG_STR("origin", s->origin));
        err = broker_bye(b, &s->peer, COMITY_E_CLOSED, NULL, 0);
    }
    return err;
}

bool roster_is_due(const struct broker *b)
{
    return b->roster && b->enforced != roster_number(b->roster);
}

/* Those that are over hear BYE at once, all of them. The others are handed the new roster by and
 * by: the largest one for every session lies in no memory. */
int roster_enforce(struct broker *b)
{
    size_t sent = 0;
    struct session *s = NULL;
    int err = COMITY_OK;
    if (!roster_is_due(b))
        return COMITY_OK;
    const uint64_t number = roster_number(b->roster);
    if (b->held_against != number)
        err = drop_the_gone(b);
    if (!err)
        b->held_against = number;
    for (s = b->sessions.by_key; s && !err && sent < b->handed_at_once; s = s->hh.next) {
        if (s->roster == number)
            continue;
        err = send_roster(b, s);
        if (!err)
            s->roster = number;
        sent += roster_file(b->roster).len;
    }
    if (!err && !s)
        b->enforced = number;
    return err;
}

int broker_take_roster(struct broker *b, struct bytes file)
{
    struct roster *r = NULL;
    if (b->roster && bytes_equal(file, roster_file(b->roster)))
        return COMITY_E_ROSTER_OLD;
    int err = roster_open(file, &b->site->network, b->roster, &r);
    if (!err)
        err = broker_turn(b, write_down, r);
    if (err) {
        roster_free(r);
        return err;
    }
    roster_free(b->roster);
    b->roster = r;
    arena_reset(b->arena);
    log_event(LOG_INFO, "roster_in_force", LOG_U64("number", roster_number(r)),
              LOG_U64("members", roster_doc(r)->member_count));
    err = roster_enforce(b);
    if (err) /* it is in force all the same: the next step begins with what is left of this */
        log_event(LOG_ERROR, "roster_enforced_later", LOG_ERR(err));
    return COMITY_OK;
}
