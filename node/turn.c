/*
 * A turn from its begin to its end: what it takes in, whether it is written, and who is told. What
 * is written is turn_write.c's.
 */
#include "turn.h"

#include "base/fault.h"
#include "base/log.h"
#include "core.h"
#include "inbox.h"
#include "outbox.h"

#include <stdlib.h>
#include <string.h>

enum {
    PARCEL_SINGLE_MAX =
        640 * 1024, /* what one draft may add to a parcel, its enclosures included */
    TURN_DECODED_BYTES = 48 * 1024 * 1024,
    TURNS_ALONE = 512,         /* at least as many as a turn's deliveries: one of them was it */
    LOG_CHECKPOINT_MS = 1000,  /* CHECKPOINT entries are no closer than this */
    LOG_ALONE_ENTRIES = 4096,  /* … and one without other entries says at least so much … */
    LOG_ALONE_MS = 3600 * 1000 /* … and comes so rarely */
};

struct arena *turn_arena(struct turn *t)
{
    return t->arena;
}

bool turn_is_full(const struct turn *t)
{
    return t->slots.count >= TURN_REQUEST_DRAFTS || t->bytes >= TURN_REQUEST_BYTES;
}

/* ---- begin, end ---- */

static void forget_planned(struct turn *t)
{
    for (size_t i = 0; i < t->planned.count; i++)
        if (t->planned.at[i].is_sealed)
            parcel_sealed_free(&t->planned.at[i].sealed);
    t->planned.count = 0;
}

/* Empty all lists, keep their memory. */
static void reset(struct turn *t)
{
    forget_planned(t);
    HASH_CLEAR(hh, t->enclosed);
    t->slots.count = 0;
    t->bytes = 0;
    t->salts_left = 0;
    t->tried = 0;
    t->trying = 0;
    t->order.count = 0;
    t->deliveries.count = 0;
    t->answers.count = 0;
    t->receipts.count = 0;
    t->finished.count = 0;
    t->recalled.count = 0;
    t->rebuild.count = 0;
    t->voided.count = 0;
    t->refused_seq = 0;
    roster_free(t->roster);
    t->roster = NULL;
    t->publish = false;
    t->is_open = false;
}

void turn_free(struct node *n)
{
    struct turn *t = &n->core->turn;
    reset(t);
    free(t->slots.at);
    free(t->order.at);
    free(t->planned.at);
    free(t->deliveries.at);
    free(t->answers.at);
    free(t->receipts.at);
    free(t->finished.at);
    free(t->recalled.at);
    free(t->rebuild.at);
    free(t->voided.at);
}

int node_begin(struct node *n, struct turn **ret)
{
    struct node_core *c = n->core;
    struct turn *t = &c->turn;
    if (t->is_open)
        return COMITY_E_INVALID;
    roster_free(c->old_roster);
    c->old_roster = NULL;
    arena_reset(c->arena);
    t->node = n;
    t->arena = c->arena;
    t->now_ms = clock_wall_ms(&n->clock);
    t->mono_ms = clock_mono_ms(&n->clock);
    t->is_open = true;
    *ret = t;
    return COMITY_OK;
}

/* ---- drafts ---- */

static bool is_receipt_kind(uint32_t kind)
{
    return kind == ENTRY_RECEIVED || kind == ENTRY_REFUSED || kind == ENTRY_FILE;
}

static int check_recipients(const struct turn *t, const struct draft *d)
{
    if (d->to_count > PARCEL_RECIPIENTS_MAX)
        return COMITY_E_RECIPIENTS;
    for (size_t i = 0; i < d->to_count; i++) {
        if (i > 0 && bytes_compare(d->to[i - 1], d->to[i]) >= 0)
            return COMITY_E_RECIPIENTS;
        int err = core_recipient(t->node, d->to[i]);
        if (err)
            return err;
    }
    return COMITY_OK;
}

static int check_sizes(const struct draft *d)
{
    if (d->body.len > BODY_BYTES_MAX || d->ref.len > ENTRY_REF_MAX)
        return COMITY_E_TOO_LARGE;
    if (d->salt.len && (d->salt.len != SALT_LEN || !d->body.data))
        return COMITY_E_INVALID;
    if (d->blob_count > PARCEL_BLOBS_MAX || d->enclosed_own_count > TURN_ENCLOSED_MAX ||
        d->enclosed_foreign_count > TURN_ENCLOSED_MAX)
        return COMITY_E_LIMIT;
    if (!d->to_count && (d->enclosed_own_count || d->enclosed_foreign_count))
        return COMITY_E_INVALID;
    for (size_t i = 0; i < d->blob_count; i++)
        if (d->blobs[i].len != PARCEL_BLOB_LEN ||
            (i > 0 && bytes_compare(d->blobs[i - 1], d->blobs[i]) >= 0))
            return COMITY_E_INVALID;
    return COMITY_OK;
}

/* What the enclosures weigh; own ones are looked up, so that they exist when they are needed. */
static int weigh_enclosures(struct turn *t, const struct draft *d, size_t *ret)
{
    size_t own = 0;
    size_t foreign = 0;
    for (size_t i = 0; i < d->enclosed_own_count; i++) {
        const struct enclosed *e = NULL;
        if (d->enclosed_own[i] >= ledger_signed_size(t->node->ledger))
            return COMITY_E_NOT_FOUND;
        if (i > 0 && d->enclosed_own[i - 1] >= d->enclosed_own[i])
            return COMITY_E_INVALID;
        int err = turn_enclose(t, d->enclosed_own[i], &e);
        if (err)
            return err;
        own += e->entry.len + e->opening.body.len;
    }
    for (size_t i = 0; i < d->enclosed_foreign_count; i++) {
        const struct parcel_enclosure *e = &d->enclosed_foreign[i];
        foreign += e->entry.len + e->checkpoint.len + 34 * e->proof_count + e->routed.len +
                   d->enclosed_opening[i].body.len;
    }
    if (foreign > TURN_ENCLOSED_BYTES_MAX)
        return COMITY_E_TOO_LARGE;
    *ret = own + foreign;
    return COMITY_OK;
}

int turn_add_slot(struct turn *t, const struct draft *d, enum slot_class class, size_t *ret_slot)
{
    struct slot s = {.d = *d,
                     .class = class,
                     .order = t->slots.count,
                     .span = 1,
                     .delivery = SLOT_NONE,
                     .weight = d->body.len + d->ref.len + 320 + 24 * d->to_count +
                               (PARCEL_BLOB_LEN + 2) * d->blob_count};
    int err = LIST_ADD(t->slots, s);
    if (err)
        return err;
    t->bytes += d->body.len;
    *ret_slot = s.order;
    return COMITY_OK;
}

int turn_add(struct turn *t, const struct draft *d)
{
    size_t enclosed = 0;
    size_t slot = 0;
    if (d->kind == 0 || d->kind == ENTRY_CHECKPOINT || d->kind == ENTRY_ROSTER ||
        d->kind == ENTRY_ROUTED)
        return COMITY_E_INVALID;
    if (t->slots.count >= TURN_DRAFTS_MAX)
        return COMITY_E_LIMIT;
    bool is_receipt = d->to_count && is_receipt_kind(d->kind);
    if (is_receipt && d->body.data)
        return COMITY_E_INVALID;
    int err = check_sizes(d);
    if (!err)
        err = check_recipients(t, d);
    if (!err)
        err = weigh_enclosures(t, d, &enclosed);
    if (!err && enclosed + d->body.len > PARCEL_SINGLE_MAX)
        err = COMITY_E_TOO_LARGE;
    if (err)
        return err;
    return turn_add_slot(t, d,
                         is_receipt    ? SLOT_RECEIPT
                         : d->to_count ? SLOT_CONTENT
                                       : SLOT_LOCAL,
                         &slot);
}

/* ---- what the turn adds itself ---- */

/*
 * The newest checkpoint of the broker goes into the ledger beside what is appended anyway: it dates
 * our entries. Alone it does so rarely, and never because of what we sent ourselves, so that two
 * idle parties do not keep each other busy.
 */
static bool should_log_checkpoint(const struct turn *t)
{
    const struct node_core *c = t->node->core;
    int64_t since = t->now_ms - (int64_t)c->cursor[CURSOR_LOGGED_MS];
    uint64_t grown = c->broker.checkpoint.size - c->cursor[CURSOR_LOGGED];
    if (c->broker.checkpoint.size <= c->cursor[CURSOR_LOGGED])
        return false;
    if (t->slots.count)
        return since >= LOG_CHECKPOINT_MS || since < 0;
    return grown >= LOG_ALONE_ENTRIES && since >= LOG_ALONE_MS;
}

static int add_checkpoint(struct turn *t)
{
    struct node_core *c = t->node->core;
    struct buf body = BUF_INIT;
    size_t slot = 0;
    if (!should_log_checkpoint(t))
        return COMITY_OK;
    const struct bytes note = arena_copy(t->arena, BYTES(c->broker.note, c->broker.note_len));
    int err = note.data ? body_encode(&(struct body){.notes = &note, .note_count = 1}, &body)
                        : COMITY_E_NOMEM;
    struct draft d = {.kind = ENTRY_CHECKPOINT,
                      .has_source = true,
                      .source = {.origin = bytes_of(c->broker.checkpoint.origin),
                                 .has_size = true,
                                 .size = c->broker.checkpoint.size,
                                 .root = hash_bytes(&c->broker.checkpoint.root)}};
    if (!err && !(d.body = arena_copy(t->arena, buf_bytes(&body))).data)
        err = COMITY_E_NOMEM;
    buf_free(&body);
    if (!err)
        err = turn_add_slot(t, &d, SLOT_CHECKPOINT, &slot);
    if (!err) {
        core_set_cursor(t->node, CURSOR_LOGGED, c->broker.checkpoint.size);
        core_set_cursor(t->node, CURSOR_LOGGED_MS, (uint64_t)t->now_ms);
    }
    return err;
}

static int add_roster(struct turn *t)
{
    struct buf ref = BUF_INIT;
    size_t slot = 0;
    if (!t->roster)
        return COMITY_OK;
    int err = core_put_roster_ref(t->roster, &ref);
    struct draft d = {.kind = ENTRY_ROSTER};
    if (!err && !(d.ref = arena_copy(t->arena, buf_bytes(&ref))).data)
        err = COMITY_E_NOMEM;
    buf_free(&ref);
    return err ? err : turn_add_slot(t, &d, SLOT_ROSTER, &slot);
}

/* ---- the step ---- */

static bool is_anything_to_write(const struct turn *t)
{
    return t->slots.count || t->answers.count || t->deliveries.count || t->finished.count ||
           t->recalled.count || t->publish;
}

static int work(struct turn *t)
{
    int err = COMITY_OK;
    if (t->refused_seq)
        err = outbox_plan_refusal(t);
    if (!err)
        err = add_roster(t);
    if (!err)
        err = add_checkpoint(t);
    if (err || !is_anything_to_write(t))
        return err;
    err = turn_group(t);
    return err ? err : turn_write(t);
}

/* Everybody whose draft was in the turn is told. */
static void tell(struct turn *t, int err)
{
    for (size_t i = 0; i < t->slots.count; i++)
        if (t->slots.at[i].d.done)
            t->slots.at[i].d.done(&t->slots.at[i].d, err);
}

/* Whether the turn failed for what was in it. An arena that is spent was spent by its content;
 * memory that the system does not give is nobody's fault. */
static bool is_for_its_content(const struct turn *t, int err)
{
    if (err == COMITY_E_NOMEM)
        return arena_is_spent(t->arena) || arena_is_spent(t->node->core->scratch);
    return fault_of(err) == FAULT_THEIRS || fault_of(err) == FAULT_OURS;
}

/* See struct suspicion. */
static void suspect(struct turn *t, int why)
{
    struct suspicion *s = &t->node->core->suspicion;
    if (!is_for_its_content(t, why))
        return;
    if (s->alone && t->tried) {
        s->times = t->trying == s->seq ? s->times + 1 : 1;
        s->seq = t->trying;
        s->why = why == COMITY_E_NOMEM ? COMITY_E_LIMIT : why;
        log_event(LOG_ERROR, "delivery_fails", LOG_U64("delivery_seq", s->seq), LOG_ERR(s->why),
                  LOG_U64("times", s->times));
    }
    s->alone = TURNS_ALONE;
}

static void note_trouble(struct turn *t, int why)
{
    struct trouble *now = &t->node->core->trouble;
    if (fault_of(why) != FAULT_PASSING || is_for_its_content(t, why))
        return;
    if (!now->err)
        now->since_ms = t->now_ms;
    now->err = why;
}

/* Something was written: whatever it was is over. */
static void forget_trouble(struct turn *t)
{
    struct trouble *now = &t->node->core->trouble;
    if (now->err && is_anything_to_write(t)) {
        log_event(LOG_INFO, "recovered", LOG_ERR(now->err));
        *now = (struct trouble){0};
    }
}

/* Nothing of the turn has happened. */
static int undo(struct turn *t, int why)
{
    struct node *n = t->node;
    view_forget(n);
    suspect(t, why);
    note_trouble(t, why);
    n->core->turns_undone++;
    log_event(LOG_ERROR, "turn_undone", LOG_ERR(why), LOG_U64("drafts", t->slots.count),
              LOG_STR("detail", db_detail(store_db(n->store))));
    session_restart(n, false);
    int err = fault_of(why) == FAULT_STORE ? why : core_load(n);
    tell(t, why);
    return err;
}

static void put_roster_in_force(struct turn *t)
{
    struct node_core *c = t->node->core;
    if (!t->roster)
        return;
    c->old_roster = c->roster;
    c->roster = t->roster;
    t->node->roster = c->roster;
    t->roster = NULL;
    log_event(LOG_INFO, "roster_in_force", LOG_U64("number", roster_number(c->roster)));
    session_has_roster(t->node);
}

static int settle(struct turn *t)
{
    struct node *n = t->node;
    view_forget(n);
    forget_trouble(t);
    put_roster_in_force(t);
    if (n->core->suspicion.alone && t->tried)
        n->core->suspicion.alone--;
    if (t->refused_seq)
        session_restart(n, true);
    tell(t, COMITY_OK);
    if (t->deliveries.count || t->answers.count || t->finished.count || t->recalled.count ||
        n->core->old_roster)
        bulk_wake(n);
    return COMITY_OK;
}

/* Whether what was taken in is enough for one transaction; what is decoded of frames lies in memory
 * until then. */
static bool is_enough(const struct turn *t)
{
    if (t->node->core->suspicion.alone && (t->tried || is_anything_to_write(t)))
        return true;
    return arena_used(t->arena) >= TURN_DECODED_BYTES;
}

/* Take frames in from ${*next} on; ${*next} is where the following part begins. */
static int take_in(struct turn *t, const struct node_in *in, size_t *next, struct node_out *out)
{
    struct node *n = t->node;
    int err = COMITY_OK;
    while (!err && *next < in->frame_count && !is_enough(t))
        err = session_take(t, in->frames[(*next)++], out);
    bool is_last = *next == in->frame_count;
    if (is_last && in->down)
        session_down(n);
    if (is_last && in->up)
        session_up(n);
    if (!err && !is_enough(t))
        err = inbox_take_finished(t);
    return err ? err : session_tick(t, out);
}

static int one_part(struct turn *t, const struct node_in *in, size_t *next, struct node_out *out)
{
    int err = take_in(t, in, next, out);
    if (!err)
        err = work(t);
    err = err ? undo(t, err) : settle(t);
    if (!err)
        err = session_pump(t, out);
    reset(t);
    return err;
}

/* Frames that would take too much memory in one transaction are taken in several; drafts are in the
 * first. */
int node_step(struct node *n, const struct node_in *in, struct node_out *out)
{
    struct turn *t = &n->core->turn;
    size_t next = 0;
    if (!t->is_open)
        return COMITY_E_INVALID;
    int err = one_part(t, in, &next, out);
    while (!err && next < in->frame_count) {
        err = node_begin(n, &t);
        if (!err)
            err = one_part(t, in, &next, out);
    }
    enum node_session s = n->core->session.state;
    out->healthy = s == NODE_ONLINE || s == NODE_FETCHING_ROSTER;
    return err;
}

int node_timeout_ms(const struct node *n)
{
    return session_timeout_ms(n, clock_mono_ms(&n->clock));
}

/* ---- what is sent ---- */

void node_out_reset(struct node_out *out)
{
    for (size_t i = 0; i < out->count; i++)
        buf_free(&out->frames[i]);
    out->count = 0;
    out->reset = false;
    out->healthy = false;
}

void node_out_free(struct node_out *out)
{
    node_out_reset(out);
    free(out->frames);
    *out = (struct node_out){0};
}
