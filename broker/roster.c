/*
 * The roster in force at the broker: taken, handed on, enforced.
 */
#include "base/log.h"
#include "parts.h"
#include "store.h"

#include <comity/err.h>


int roster_send_part(struct broker *b, const struct session *s, uint64_t number, uint32_t part)
{
    struct buf stored = BUF_INIT;
    struct bytes file = roster_file(b->roster);
    uint64_t sent = roster_number(b->roster);
    if (number < sent && queue_roster(b->store, number, &stored) == COMITY_OK) {
        file = buf_bytes(&stored);
        sent = number;
    }
    uint32_t parts = (uint32_t)((file.len + ROSTER_PART_MAX - 1) / ROSTER_PART_MAX);
    int err = COMITY_OK;
    if (part < parts) {
        const struct frame f = {
            .kind = FRAME_ROSTER_PART,
            .epoch = BYTES(s->epoch, EPOCH_LEN),
            .u.roster_part = {.number = sent,
                              .part = part,
                              .parts = parts,
                              .data = bytes_slice(file, (size_t)part * ROSTER_PART_MAX,
                                                  ROSTER_PART_MAX)}};
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

static int write_down(struct broker *b, const struct roster *r)
{
    int err = ledger_begin(b->ledger);
    if (err)
        return err;
    err = queue_put_roster(b->store, roster_number(r), roster_file(r));
    if (!err)
        err = append_entry(b, r);
    if (!err)
        err = ledger_sign(b->ledger);
    if (err) {
        ledger_abort(b->ledger);
        return err;
    }
    return ledger_commit(b->ledger);
}

static bool is_still_welcome(const struct broker *b, const struct session *s)
{
    const struct roster_member *m = roster_member_by_curve(b->roster, s->peer.key);
    const struct roster_origin *o = roster_origin_of(b->roster, bytes_of(s->origin));
    return m && o && o->member == m && o->is_current && !o->ledger->is_closed;
}

/* Live sessions: those that are over hear BYE and are cut; the others are handed the new roster. */
static int enforce(struct broker *b)
{
    struct session *s = NULL;
    struct session *next = NULL;
    int err = COMITY_OK;
    HASH_ITER(hh, b->sessions.by_key, s, next)
    {
        if (err)
            break;
        if (is_still_welcome(b, s)) {
            uint32_t parts = (uint32_t)((roster_file(b->roster).len + ROSTER_PART_MAX - 1) /
                                        ROSTER_PART_MAX);
            for (uint32_t i = 0; !err && i < parts; i++)
                err = roster_send_part(b, s, roster_number(b->roster), i);
            continue;
        }
        log_event(LOG_WARN, "member_dropped", LOG_STR("member", s->member),
                  LOG_STR("origin", s->origin));
        err = broker_bye(b, &s->peer, COMITY_E_CLOSED, NULL, 0);
    }
    return err;
}

int broker_take_roster(struct broker *b, struct bytes file)
{
    struct roster *r = NULL;
    if (b->roster && bytes_equal(file, roster_file(b->roster)))
        return COMITY_E_ROSTER_OLD;
    int err = roster_open(file, &b->site->network, b->roster, &r);
    if (!err)
        err = write_down(b, r);
    if (err) {
        roster_free(r);
        return err;
    }
    roster_free(b->roster);
    b->roster = r;
    arena_reset(b->arena);
    log_event(LOG_INFO, "roster_in_force", LOG_U64("number", roster_number(r)),
              LOG_U64("members", roster_doc(r)->member_count));
    return enforce(b);
}
