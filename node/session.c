/*
 * The session's state machine: which frame is taken when, and what it changes. See session.h;
 * what is sent, and what WELCOME brings about, is
 * session_send.c's.
 */
#include "session.h"

#include "base/fault.h"
#include "base/log.h"
#include "core.h"
#include "inbox.h"
#include "outbox.h"
#include "session_parts.h"

#include <stdlib.h>
#include <string.h>

/* The broker's ledger has grown by so much since the newest checkpoint that is proven here: ask for
 * a proof. */
enum { PROVE_ENTRIES = 1024 };

void session_done(struct session *s)
{
    buf_free(&s->parts);
}

/* ---- frames out ---- */

int session_send(struct node_out *out, const struct frame *f)
{
    struct buf b = BUF_INIT;
    int err = frame_encode(f, &b);
    if (!err)
        err = session_send_buf(out, &b);
    buf_free(&b);
    return err;
}

int session_send_buf(struct node_out *out, struct buf *frame)
{
    int err = list_reserve(&out->frames, &out->cap, out->count, sizeof *out->frames);
    if (err)
        return err;
    out->frames[out->count++] = *frame;
    *frame = BUF_INIT;
    return COMITY_OK;
}

/* ---- up and down ---- */

/* Nothing of an earlier session counts. */
static void begin(struct session *s, enum node_session state)
{
    s->state = state;
    s->hello_due = state == NODE_GREETING;
    s->ping_ms = 0;
    s->wanted = 0;
    s->asked = false;
    s->proving = 0;
    s->recalling = false;
    s->part_next = 0;
    buf_reset(&s->parts);
}

void session_up(struct node *n)
{
    struct session *s = &n->core->session;
    begin(s, NODE_GREETING);
    s->hello_ms = 0;
    s->heard_ms = clock_mono_ms(&n->clock);
}

void session_down(struct node *n)
{
    struct session *s = &n->core->session;
    if (s->state == NODE_ONLINE || s->state == NODE_FETCHING_ROSTER)
        log_event(LOG_INFO, "offline", LOG_STR("reason", "connection"));
    begin(s, NODE_OFFLINE);
}

void session_restart(struct node *n, bool at_once)
{
    struct session *s = &n->core->session;
    if (s->state == NODE_OFFLINE || s->state == NODE_REJECTED)
        return;
    begin(s, NODE_GREETING);
    if (at_once)
        s->hello_ms = 0;
}

void session_has_roster(struct node *n)
{
    struct session *s = &n->core->session;
    if (s->wanted && roster_number(n->roster) >= s->wanted)
        session_restart(n, true);
}

/* End the session for what the broker did: BYE with the token of ${why}. */
static int fail(struct node *n, struct node_out *out, int why)
{
    struct session *s = &n->core->session;
    const char *token = comity_err_token(why);
    log_event(LOG_WARN, "session_ended", LOG_STR("by", "us"), LOG_ERR(why));
    begin(s, NODE_REJECTED);
    s->last_token = token;
    out->reset = true;
    const struct frame f = {.kind = FRAME_BYE, .u.bye = {.token = bytes_of(token)}};
    return session_send(out, &f);
}

/* ---- what is known of the broker ---- */

void session_see_root(struct node *n, const struct checkpoint *c, struct bytes note)
{
    struct session *s = &n->core->session;
    if (s->root_count && c->size <= s->root[s->root_count - 1].size)
        return;
    if (s->root_count == SESSION_ROOTS) {
        memmove(&s->root[0], &s->root[1], (SESSION_ROOTS - 1) * sizeof s->root[0]);
        s->root_count--;
    }
    s->root[s->root_count++] = *c;
    core_see_broker(n, c, note);
}

static int root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    const struct session *s = self;
    (void)origin;
    for (size_t i = s->root_count; i-- > 0;) {
        if (s->root[i].size == size) {
            *ret = s->root[i].root;
            return COMITY_OK;
        }
    }
    return COMITY_E_NOT_FOUND;
}

static int knows(void *self, struct bytes origin)
{
    (void)self;
    (void)origin;
    return 1;
}

bool session_sees_roster(struct node *n, uint64_t number)
{
    struct session *s = &n->core->session;
    if (number <= roster_number(n->roster))
        return false;
    if (number > s->wanted)
        s->wanted = number;
    if (s->state == NODE_ONLINE) {
        s->state = NODE_FETCHING_ROSTER;
        s->part_next = 0;
    }
    return true;
}

int session_open_statement(struct turn *t, struct bytes statement, struct parcel_facts **ret)
{
    struct node *n = t->node;
    struct parcel_facts *f = NULL;
    const struct roster_member *broker = core_broker(n);
    const struct parcel_rules rules = {.roster = n->roster,
                                       .place = PARCEL_STATEMENT,
                                       .sender = broker ? broker->id : BYTES_NONE,
                                       .me = bytes_of(n->member),
                                       .root_at = root_at,
                                       .knows = knows,
                                       .self = &n->core->session,
                                       .notes = &n->core->notes};
    int err = broker ? parcel_verify(t->arena, statement, &rules, &f) : COMITY_E_NO_ROSTER;
    if (err)
        return err;
    session_see_root(n, &f->checkpoint, f->head.checkpoint);
    *ret = f;
    return COMITY_OK;
}

/* ---- frames in ---- */

/* What a handler works on. */
struct taking {
    struct turn *t;
    struct session *s;
    const struct frame *f;
    size_t len; /* of the frame */
    struct node_out *out;
};

static void raise_grant(struct session *s, uint64_t credit)
{
    if (credit > s->their_grant)
        s->their_grant = credit;
}

static int take_welcome(const struct taking *k)
{
    return session_welcome(k->t, k->f, k->out);
}

static int take_answer(const struct taking *k)
{
    raise_grant(k->s, k->f->u.answer.credit);
    return outbox_take_answer(k->t, k->f);
}

static int take_deliver(const struct taking *k)
{
    struct session *s = k->s;
    s->received += k->len;
    if (s->received > s->our_grant)
        return COMITY_E_CREDIT;
    if (s->state == NODE_FETCHING_ROSTER)
        return COMITY_OK; /* comes again after the next HELLO */
    if (k->f->u.deliver.delivery_seq != s->seen + 1)
        return COMITY_E_PAIR_SEQ;
    int err = inbox_take(k->t, k->f);
    if (err == COMITY_E_AGAIN)
        return COMITY_OK;
    if (!err)
        s->seen++;
    return err;
}

/*
 * What the broker says of us is believed where it can only stop us: a ledger that was restored must
 * not grow. A rollback that names no size of ours is the broker's own.
 */
static int take_bye(const struct taking *k)
{
    struct node *n = k->t->node;
    const char *token = arena_strdup(k->t->arena, k->f->u.bye.token);
    int why = token ? comity_err_from_token(token) : COMITY_E_NOMEM;
    uint64_t size = ledger_signed_size(n->ledger);
    log_event(LOG_WARN, "session_ended", LOG_STR("by", "broker"),
              LOG_BYTES("token", k->f->u.bye.token), LOG_BYTES("detail", k->f->u.bye.detail));
    begin(k->s, NODE_REJECTED);
    k->s->last_token = comity_err_token(why);
    k->out->reset = true;
    if ((why == COMITY_E_ROLLBACK && k->f->u.bye.has_known_size) || why == COMITY_E_EQUIVOCATION) {
        log_event(LOG_ERROR, "rollback", LOG_U64("size", size),
                  LOG_U64("known_size", k->f->u.bye.known_size));
        k->s->known_size = k->f->u.bye.known_size;
        return COMITY_E_ROLLBACK;
    }
    if (why == COMITY_E_ROLLBACK)
        log_event(LOG_ERROR, "broker_rolled_back",
                  LOG_U64("known_size", n->core->broker.checkpoint.size),
                  LOG_STR("sentence", "the broker was put back from an old copy, and has forgotten "
                                      "what this node knows of it; nothing is sent to it, and what "
                                      "is recorded is safe here"));
    return COMITY_OK;
}

static int take_resync(const struct taking *k)
{
    log_event(LOG_INFO, "resync");
    session_restart(k->t->node, false);
    return COMITY_OK;
}

static int take_ping(const struct taking *k)
{
    struct bytes note;
    struct checkpoint c;
    raise_grant(k->s, k->f->u.ping.credit);
    int err = ledger_checkpoint(k->t->node->ledger, &c, &note);
    if (err)
        return err;
    const struct frame f = {.kind = FRAME_PONG,
                            .epoch = BYTES(k->s->epoch, EPOCH_LEN),
                            .u.pong = {.credit = k->s->our_grant, .checkpoint = note}};
    return session_send(k->out, &f);
}

static int open_broker_note(const struct taking *k, struct bytes note, struct checkpoint *ret)
{
    const struct roster_origin *o = core_broker_origin(k->t->node);
    return o ? note_cache_open(&k->t->node->core->notes, note, &o->verifier, ret)
             : COMITY_E_UNKNOWN_MEMBER;
}

/* PONG's checkpoint is signed, but not linked to what is known: far ahead of that, a proof is asked
 * for. */
static int take_pong(const struct taking *k)
{
    struct session *s = k->s;
    struct checkpoint c;
    raise_grant(s, k->f->u.pong.credit);
    int err = open_broker_note(k, k->f->u.pong.checkpoint, &c);
    if (err)
        return err;
    const struct checkpoint *known = &s->root[s->root_count - 1];
    if (c.size == known->size && !hash_equal(&c.root, &known->root))
        return COMITY_E_EQUIVOCATION;
    if (c.size < known->size + PROVE_ENTRIES || s->proving)
        return COMITY_OK;
    s->proving = c.size;
    const struct frame f = {.kind = FRAME_PROVE,
                            .epoch = BYTES(s->epoch, EPOCH_LEN),
                            .u.prove = {.from = known->size, .to = c.size}};
    return session_send(k->out, &f);
}

static int take_prove(const struct taking *k)
{
    struct node *n = k->t->node;
    uint64_t from = k->f->u.prove.from;
    uint64_t to = k->f->u.prove.to;
    struct hash_list path = {0};
    struct buf note = BUF_INIT;
    struct checkpoint c;
    if (from == 0 || from > to || to > ledger_signed_size(n->ledger))
        return COMITY_E_INVALID;
    int err = ledger_checkpoint_from(n->ledger, to, &c, &note);
    if (!err && c.size != to)
        err = COMITY_E_UNCOVERED; /* never signed: nobody can have it */
    if (!err && from < to) {
        struct tree_source tree = ledger_tree(n->ledger);
        err = proof_consistency(&tree, from, to, &path);
    }
    struct bytes *proof = err ? NULL : arena_alloc(k->t->arena, path.count * sizeof *proof);
    if (!err && !proof)
        err = COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < path.count; i++)
        proof[i] = hash_bytes(&path.at[i]);
    if (!err) {
        const struct frame f = {.kind = FRAME_PROOF,
                                .epoch = BYTES(k->s->epoch, EPOCH_LEN),
                                .u.proof = {.from = from,
                                            .to = to,
                                            .proof = proof,
                                            .proof_count = path.count,
                                            .checkpoint = buf_bytes(&note)}};
        err = session_send(k->out, &f);
    }
    hash_list_free(&path);
    buf_free(&note);
    return err;
}

int session_check_consistency(struct turn *t, const struct checkpoint *from,
                              const struct checkpoint *to, const struct bytes *proof, size_t n)
{
    struct hash path[PROOF_CONSISTENCY_MAX];
    if (n > PROOF_CONSISTENCY_MAX)
        return COMITY_E_CONSISTENCY;
    for (size_t i = 0; i < n; i++) {
        if (proof[i].len != HASH_LEN)
            return COMITY_E_CONSISTENCY;
        memcpy(path[i].b, proof[i].data, HASH_LEN);
    }
    if (to->size < from->size)
        return COMITY_E_CONSISTENCY;
    return proof_consistency_verify(core_broker_origin(t->node)->suite, from->size, &from->root,
                                    to->size, &to->root, path, n);
}

static int take_proof(const struct taking *k)
{
    struct session *s = k->s;
    struct checkpoint c;
    struct bytes note = k->f->u.proof.checkpoint;
    struct hash from_root;
    if (!s->proving || k->f->u.proof.to != s->proving)
        return COMITY_OK;
    s->proving = 0;
    int err = open_broker_note(k, note, &c);
    if (!err)
        err = root_at(s, BYTES_NONE, k->f->u.proof.from, &from_root);
    if (err)
        return err;
    if (c.size != k->f->u.proof.to)
        return COMITY_E_CONSISTENCY;
    const struct checkpoint from = {.size = k->f->u.proof.from, .root = from_root};
    err =
        session_check_consistency(k->t, &from, &c, k->f->u.proof.proof, k->f->u.proof.proof_count);
    if (!err)
        session_see_root(k->t->node, &c, note);
    return err;
}

/* A roster comes part by part: asked for, or handed out by the broker because it is new. */
static int take_roster_part(const struct taking *k)
{
    struct session *s = k->s;
    const uint32_t part = k->f->u.roster_part.part;
    const uint64_t number = k->f->u.roster_part.number;
    if (part == 0) {
        buf_reset(&s->parts);
        s->part_number = number;
        s->part_next = 0;
    }
    if (part != s->part_next || number != s->part_number ||
        number <= roster_number(k->t->node->roster))
        return COMITY_OK;
    if (s->parts.len + k->f->u.roster_part.data.len > ROSTER_FILE_MAX)
        return COMITY_E_TOO_LARGE;
    buf_put_bytes(&s->parts, k->f->u.roster_part.data);
    s->part_next++;
    int err = buf_check(&s->parts);
    if (err || s->part_next < k->f->u.roster_part.parts)
        return err ? err : session_ask_roster(k->t->node, k->out);
    err = core_take_roster(k->t->node, k->t, buf_bytes(&s->parts));
    buf_reset(&s->parts);
    s->part_next = 0;
    /* It may have come twice in one turn. Otherwise it is not the one that was announced. */
    if (err == COMITY_E_ROSTER_OLD && k->t->roster && roster_number(k->t->roster) >= number)
        return COMITY_OK;
    if (err)
        log_event(LOG_ERROR, "roster_rejected", LOG_U64("number", number), LOG_ERR(err));
    return err;
}

static int take_recalled(const struct taking *k)
{
    return archive_take(k->t, k->f);
}

/* When a frame is taken. */
static const struct {
    bool before_welcome; /* while HELLO is out */
    bool in_session;     /* with the session's epoch */
    int (*take)(const struct taking *k);
} table[] = {
    [FRAME_WELCOME] = {true, false, take_welcome},
    [FRAME_ANSWER] = {false, true, take_answer},
    [FRAME_DELIVER] = {false, true, take_deliver},
    [FRAME_ROSTER_PART] = {false, true, take_roster_part},
    [FRAME_BYE] = {true, true, take_bye},
    [FRAME_RESYNC] = {false, true, take_resync},
    [FRAME_PING] = {false, true, take_ping},
    [FRAME_PONG] = {false, true, take_pong},
    [FRAME_PROVE] = {false, true, take_prove},
    [FRAME_PROOF] = {false, true, take_proof},
    [FRAME_RECALLED] = {false, true, take_recalled},
};

int session_take(struct turn *t, struct bytes bytes, struct node_out *out)
{
    struct session *s = &t->node->core->session;
    struct frame f;
    if (s->state == NODE_OFFLINE || s->state == NODE_REJECTED)
        return COMITY_OK;
    int err = frame_decode(t->arena, bytes, &f);
    if (err)
        return fault_is_ours(err) ? err : fail(t->node, out, err);
    s->heard_ms = t->mono_ms;
    s->ping_ms = 0;
    if ((size_t)f.kind >= sizeof table / sizeof table[0] || !table[f.kind].take)
        return fail(t->node, out, COMITY_E_UNKNOWN_MESSAGE);
    bool is_open = s->state != NODE_GREETING;
    bool is_ours = f.epoch.len == 0 || f.kind == FRAME_WELCOME ||
                   bytes_equal(f.epoch, BYTES(s->epoch, EPOCH_LEN));
    if (!is_ours || !(is_open ? table[f.kind].in_session : table[f.kind].before_welcome))
        return COMITY_OK;
    const struct taking k = {.t = t, .s = s, .f = &f, .len = bytes.len, .out = out};
    err = table[f.kind].take(&k);
    return err && !fault_is_ours(err) ? fail(t->node, out, err) : err;
}
