/*
 * What a node may say, frame by frame: those of a session that need no file of their own are
 * answered here. See PROTOCOL.md, Session.
 */
#include "parts.h"
#include "store.h"

#include <comity/err.h>
#include <string.h>

enum {
    ROSTER_BYTES_AN_HOUR = 128 * 1024 * 1024 /* asked for by one key; the largest, 16 times */
};

static int resync(struct broker *b, const struct link_peer *to)
{
    const struct frame f = {.kind = FRAME_RESYNC};
    b->count.resyncs++;
    return broker_send(b, to, &f);
}

/* A grant never falls. */
static void take_credit(struct session *s, uint64_t credit)
{
    if (credit > s->now.deliver_granted)
        s->now.deliver_granted = credit;
}

static int take_taken(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    (void)frame_len;
    take_credit(s, f->u.taken.credit);
    if (f->u.taken.delivery_seq >= s->now.next_delivery)
        return broker_bye(b, &s->peer, COMITY_E_INVALID, "TAKEN beyond what was delivered", 0);
    session_taken(s, f->u.taken.delivery_seq);
    return queue_set_taken(b->store, bytes_of(s->member), f->u.taken.delivery_seq,
                           clock_wall_ms(b->clock));
}

/* Parts lie in our memory until they are sent, and credit does not count them. */
static int take_roster_ask(struct broker *b, struct session *s, const struct frame *f,
                           size_t frame_len)
{
    (void)frame_len;
    struct account *a = session_account(&b->sessions, s->peer.key, clock_mono_ms(b->clock));
    size_t queued = b->out_count;
    if (!a)
        return COMITY_E_NOMEM;
    if (a->roster_bytes >= ROSTER_BYTES_AN_HOUR)
        return broker_bye(b, &s->peer, COMITY_E_LIMIT, "rosters are asked for without end", 0);
    int err = roster_send_part(b, s, f->u.roster_ask.number, f->u.roster_ask.part);
    for (; !err && queued < b->out_count; queued++)
        a->roster_bytes += b->out[queued].frame.len;
    return err;
}

static int take_ping(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    (void)frame_len;
    take_credit(s, f->u.ping.credit);
    struct checkpoint c;
    struct bytes note;
    int err = ledger_checkpoint(b->ledger, &c, &note);
    const struct frame pong = {.kind = FRAME_PONG,
                               .epoch = BYTES(s->epoch, EPOCH_LEN),
                               .u.pong = {.credit = session_grant(s), .checkpoint = note}};
    return err ? err : broker_send(b, &s->peer, &pong);
}

static int take_pong(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    (void)b;
    (void)s;
    (void)f;
    (void)frame_len;
    return COMITY_OK; /* heard of is all that it says */
}

/* The proof that our checkpoint of size `to` extends that of size `from`. */
static int take_prove(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    (void)frame_len;
    uint64_t from = f->u.prove.from;
    uint64_t to = f->u.prove.to;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    struct hash_list path = {0};
    struct bytes *proof = NULL;
    int err =
        from && from <= to ? ledger_checkpoint_from(b->ledger, to, &c, &note) : COMITY_E_INVALID;
    if (!err && c.size != to)
        err = COMITY_E_NOT_FOUND;
    if (!err) {
        struct tree_source tree = ledger_tree(b->ledger);
        err = proof_consistency(&tree, from, to, &path);
    }
    if (!err && !(proof = arena_alloc(b->arena, path.count * sizeof *proof)))
        err = COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < path.count; i++)
        proof[i] = hash_bytes(&path.at[i]);
    if (!err) {
        const struct frame answer = {.kind = FRAME_PROOF,
                                     .epoch = BYTES(s->epoch, EPOCH_LEN),
                                     .u.proof = {.from = from,
                                                 .to = to,
                                                 .proof = proof,
                                                 .proof_count = path.count,
                                                 .checkpoint = buf_bytes(&note)}};
        err = broker_send(b, &s->peer, &answer);
    } else if (err == COMITY_E_INVALID || err == COMITY_E_NOT_FOUND || err == COMITY_E_UNCOVERED) {
        err = broker_bye(b, &s->peer, COMITY_E_INVALID, "PROVE of sizes never signed", 0);
    }
    hash_list_free(&path);
    buf_free(&note);
    return err;
}

/* A ledger of this very member; one question at a time, so that little of it lies in our memory. */
static int take_recall(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    (void)frame_len;
    struct bytes origin = f->u.recall.origin;
    const struct roster_origin *o = roster_origin_of(b->roster, origin);
    if (!o || !bytes_is(o->member->id, s->member) || origin.len > ORIGIN_MAX)
        return broker_bye(b, &s->peer, COMITY_E_NOT_MEMBER, "RECALL of another's ledger", 0);
    if (s->now.recall_due)
        return broker_bye(b, &s->peer, COMITY_E_INVALID, "RECALL before an answer", 0);
    memcpy(s->now.recall_origin, origin.data, origin.len);
    s->now.recall_origin[origin.len] = '\0';
    s->now.recall_after = f->u.recall.after;
    s->now.recall_due = true;
    return COMITY_OK;
}

/* Frames that a node may send, within a session but for HELLO and BYE; `writes` makes the turn a
 * transaction. */
static const struct {
    int (*take)(struct broker *b, struct session *s, const struct frame *f, size_t frame_len);
    bool writes;
} handlers[FRAME_LAST + 1] = {
    [FRAME_HELLO] = {NULL, true},        [FRAME_SUBMIT] = {submit_take, true},
    [FRAME_TAKEN] = {take_taken, true},  [FRAME_ROSTER_ASK] = {take_roster_ask, false},
    [FRAME_PING] = {take_ping, false},   [FRAME_PONG] = {take_pong, false},
    [FRAME_PROVE] = {take_prove, false}, [FRAME_RECALL] = {take_recall, false},
};

static int take_session_frame(struct broker *b, const struct link_peer *peer, const struct frame *f,
                              size_t frame_len)
{
    struct session *s = session_find(&b->sessions, peer->key);
    if (!s || !link_peer_same(&s->peer, peer) || !bytes_equal(f->epoch, BYTES(s->epoch, EPOCH_LEN)))
        return resync(b, peer);
    s->heard_ms = clock_mono_ms(b->clock);
    return handlers[f->kind].take(b, s, f, frame_len);
}

bool frame_writes(enum frame_kind kind)
{
    return handlers[kind].writes;
}

int frame_take(struct broker *b, const struct link_peer *peer, const struct frame *f,
               size_t frame_len)
{
    struct session *s = session_find(&b->sessions, peer->key);
    switch (f->kind) {
    case FRAME_HELLO:
        return hello_take(b, peer, f);
    case FRAME_BYE:
        if (s && link_peer_same(&s->peer, peer))
            session_drop(&b->sessions, s);
        return COMITY_OK;
    default:
        if (!handlers[f->kind].take)
            return broker_bye(b, peer, COMITY_E_UNKNOWN_MESSAGE, frame_kind_word(f->kind), 0);
        return take_session_frame(b, peer, f, frame_len);
    }
}
