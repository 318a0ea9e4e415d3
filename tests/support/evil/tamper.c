/* What a broker can do to the frames that pass. See tamper.h. */
#include "evil/tamper.h"

#include "evil/loose.h"
#include "evil/must.h"
#include "link/link_internal.h"
#include "wire/parcel_internal.h"

#include <stdlib.h>
#include <string.h>

enum { DELAY_MS = 1500, CUT_MS = 250 };

void tamper_emit(struct tampering *t, const struct link_peer *to, struct buf *frame,
                 int64_t delay_ms)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 64;
        t->queue = realloc(t->queue, t->cap * sizeof *t->queue);
        if (!t->queue)
            abort();
    }
    t->queue[t->count++] = (struct emission){
        .to = *to, .frame = *frame, .due_ms = clock_mono_ms(t->broker->clock) + delay_ms};
    *frame = BUF_INIT;
}

void tamper_emit_frame(struct tampering *t, const struct link_peer *to, const struct frame *f)
{
    struct buf frame = BUF_INIT;
    MUST(frame_encode(f, &frame));
    tamper_emit(t, to, &frame, 0);
}

void tamper_emit_cut(struct tampering *t, const struct link_peer *to)
{
    struct buf none = BUF_INIT;
    tamper_emit(t, to, &none, CUT_MS);
    t->queue[t->count - 1].drop = true;
}

static void emit_copy(struct tampering *t, const struct link_peer *to, const struct buf *frame)
{
    struct buf copy = BUF_INIT;
    buf_put_bytes(&copy, buf_bytes(frame));
    MUST(buf_check(&copy));
    tamper_emit(t, to, &copy, 0);
}

static struct bytes flipped(struct tampering *t, struct bytes b, size_t at)
{
    struct bytes copy = arena_copy(t->arena, b);
    ((uint8_t *)copy.data)[at] ^= 1;
    return copy;
}

/* Only frames of one kind are touched; the others pass. */
static bool passes(struct tampering *t, const struct link_peer *to, const struct frame *f,
                   struct buf *frame, enum frame_kind kind)
{
    if (f->kind == kind) {
        t->hits++;
        return false;
    }
    tamper_emit(t, to, frame, 0);
    return true;
}

/* ---- which deliveries come, and when ---- */

static void drop(struct tampering *t, const struct link_peer *to, const struct frame *f,
                 struct buf *frame)
{
    if (!passes(t, to, f, frame, FRAME_DELIVER))
        buf_free(frame);
}

static void drop_answer(struct tampering *t, const struct link_peer *to, const struct frame *f,
                        struct buf *frame)
{
    if (!passes(t, to, f, frame, FRAME_ANSWER))
        buf_free(frame);
}

static void replay(struct tampering *t, const struct link_peer *to, const struct frame *f,
                   struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    emit_copy(t, to, frame);
    tamper_emit(t, to, frame, 0);
}

static void replay_renumbered(struct tampering *t, const struct link_peer *to,
                              const struct frame *f, struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame again = *f;
    again.u.deliver.delivery_seq++;
    tamper_emit_frame(t, to, f);
    tamper_emit_frame(t, to, &again);
    buf_free(frame);
}

/* The first waits for the second. */
static void reorder(struct tampering *t, const struct link_peer *to, const struct frame *f,
                    struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    if (t->held.len == 0 || !link_peer_same(to, &t->held_to)) {
        buf_free(&t->held);
        t->held = *frame;
        t->held_to = *to;
        *frame = BUF_INIT;
        return;
    }
    tamper_emit(t, to, frame, 0);
    tamper_emit(t, to, &t->held, 0);
}

static void delay(struct tampering *t, const struct link_peer *to, const struct frame *f,
                  struct buf *frame)
{
    (void)f;
    t->hits++;
    tamper_emit(t, to, frame, DELAY_MS);
}

static void other_epoch(struct tampering *t, const struct link_peer *to, const struct frame *f,
                        struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame g = *f;
    g.epoch = flipped(t, f->epoch, 0);
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

/* ---- what a delivery says ---- */

/* Every statement is the one of the delivery before. */
static void other_statement(struct tampering *t, const struct link_peer *to, const struct frame *f,
                            struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame g = *f;
    if (t->held.len)
        g.u.deliver.statement = buf_bytes(&t->held);
    tamper_emit_frame(t, to, &g);
    buf_reset(&t->held);
    buf_put_bytes(&t->held, f->u.deliver.statement);
    buf_free(frame);
}

/* Every parcel is the one of the delivery before. */
static void other_parcel(struct tampering *t, const struct link_peer *to, const struct frame *f,
                         struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame g = *f;
    if (t->held.len)
        g.u.deliver.parcel = buf_bytes(&t->held);
    tamper_emit_frame(t, to, &g);
    buf_reset(&t->held);
    buf_put_bytes(&t->held, f->u.deliver.parcel);
    buf_free(frame);
}

static struct bytes reassemble(struct tampering *t, struct parcel *p, const struct parcel_head *h)
{
    struct buf head = BUF_INIT;
    struct buf bytes = BUF_INIT;
    MUST(parcel_head_encode(h, &head));
    p->head = buf_bytes(&head);
    MUST(parcel_encode(p, &bytes));
    struct bytes kept = arena_copy(t->arena, buf_bytes(&bytes));
    buf_free(&head);
    buf_free(&bytes);
    return kept;
}

static void take_apart(struct tampering *t, struct bytes bytes, struct parcel *p,
                       struct parcel_head *h)
{
    MUST(parcel_decode(t->arena, bytes, p));
    MUST(parcel_head_decode(t->arena, p->head, h));
}

static void changed_sealed(struct tampering *t, const struct link_peer *to, const struct frame *f,
                           struct buf *frame)
{
    struct parcel p;
    struct parcel_head h;
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame g = *f;
    take_apart(t, f->u.deliver.parcel, &p, &h);
    if (p.sealed.data)
        p.sealed = flipped(t, p.sealed, 0);
    g.u.deliver.parcel = reassemble(t, &p, &h);
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

static void changed_head(struct tampering *t, const struct link_peer *to, const struct frame *f,
                         struct buf *frame)
{
    struct parcel p;
    struct parcel_head h;
    if (passes(t, to, f, frame, FRAME_DELIVER))
        return;
    struct frame g = *f;
    take_apart(t, f->u.deliver.parcel, &p, &h);
    struct bytes *entries = arena_alloc(t->arena, h.entry_count * sizeof *entries);
    memcpy(entries, h.entries, h.entry_count * sizeof *entries);
    entries[0] = flipped(t, entries[0], 10);
    h.entries = entries;
    g.u.deliver.parcel = reassemble(t, &p, &h);
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

/* ---- what a statement says ---- */

/* Where the statement of a frame lies; NULL when it has none. */
static struct bytes *statement_of(struct frame *f)
{
    if (f->kind == FRAME_DELIVER)
        return &f->u.deliver.statement;
    return f->kind == FRAME_ANSWER && f->u.answer.statement.data ? &f->u.answer.statement : NULL;
}

/* ROUTED says another parcel, and nothing proves it. */
static void forged_routed(struct tampering *t, const struct link_peer *to, const struct frame *f,
                          struct buf *frame)
{
    struct frame g = *f;
    struct bytes *statement = statement_of(&g);
    if (!statement) {
        tamper_emit(t, to, frame, 0);
        return;
    }
    struct parcel p;
    struct parcel_head h;
    struct entry e;
    struct buf bytes = BUF_INIT;
    take_apart(t, *statement, &p, &h);
    MUST(entry_decode(t->arena, h.entries[0], &e));
    e.ref = flipped(t, e.ref, 0);
    MUST(entry_encode(&e, &bytes));
    struct bytes *entries = arena_alloc(t->arena, h.entry_count * sizeof *entries);
    memcpy(entries, h.entries, h.entry_count * sizeof *entries);
    entries[0] = buf_bytes(&bytes);
    h.entries = entries;
    *statement = reassemble(t, &p, &h);
    tamper_emit_frame(t, to, &g);
    t->hits++;
    buf_free(&bytes);
    buf_free(frame);
}

static void statement_signature(struct tampering *t, const struct link_peer *to,
                                const struct frame *f, struct buf *frame)
{
    struct frame g = *f;
    struct bytes *statement = statement_of(&g);
    if (!statement) {
        tamper_emit(t, to, frame, 0);
        return;
    }
    struct parcel p;
    struct parcel_head h;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    struct note_signer *signer = NULL;
    uint8_t seed[NOTE_SEED_LEN];
    take_apart(t, *statement, &p, &h);
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new(t->broker->site->origin, seed, &signer));
    MUST(checkpoint_peek(h.checkpoint, &c));
    MUST(checkpoint_sign(&c, signer, &note));
    h.checkpoint = buf_bytes(&note);
    *statement = reassemble(t, &p, &h);
    tamper_emit_frame(t, to, &g);
    t->hits++;
    note_signer_free(signer);
    buf_free(&note);
    buf_free(frame);
}

/* The broker's ledger, in which the newest entry was made at another time. */
static void open_fork(struct tampering *t, struct loose *l)
{
    struct entry e;
    loose_open(l, t->broker->site, t->broker->keys);
    MUST(entry_decode(t->arena, buf_bytes(&l->at[l->count - 1].bytes), &e));
    e.time_ms++;
    loose_replace_last(l, &e);
}

static void prove_in(struct tampering *t, struct loose *l, struct parcel_head *h)
{
    struct checkpoint c;
    struct buf note = BUF_INIT;
    struct hash_list path = {0};
    uint64_t *index = arena_alloc(t->arena, h->entry_count * sizeof *index);
    uint64_t *cut = arena_alloc(t->arena, (h->since_count + 1) * sizeof *cut);
    struct bytes *entries = arena_alloc(t->arena, h->entry_count * sizeof *entries);
    for (size_t i = 0; i < h->entry_count; i++) {
        struct entry e;
        MUST(entry_decode(t->arena, h->entries[i], &e));
        index[i] = e.index;
        entries[i] = arena_copy(t->arena, buf_bytes(&l->at[e.index].bytes));
    }
    loose_sign(l, l->count, &c, &note);
    const struct multiproof_shape shape = {.index = index,
                                           .index_count = h->entry_count,
                                           .cut = cut,
                                           .cut_count =
                                               parcel_cuts(h->since, h->since_count, l->count, cut),
                                           .size = l->count};
    struct tree_source tree = loose_tree(l);
    MUST(multiproof_prove(&tree, &shape, &path));
    struct bytes *proof = arena_alloc(t->arena, (path.count + 1) * sizeof *proof);
    for (size_t i = 0; i < path.count; i++)
        proof[i] = arena_copy(t->arena, hash_bytes(&path.at[i]));
    h->entries = entries;
    h->checkpoint = arena_copy(t->arena, buf_bytes(&note));
    h->proof = proof;
    h->proof_count = path.count;
    hash_list_free(&path);
    buf_free(&note);
}

/* The statement is true of another history of this broker, which is signed all the same. */
static void fork_statement(struct tampering *t, const struct link_peer *to, const struct frame *f,
                           struct buf *frame)
{
    struct frame g = *f;
    struct bytes *statement = statement_of(&g);
    if (!statement) {
        tamper_emit(t, to, frame, 0);
        return;
    }
    struct parcel p;
    struct parcel_head h;
    struct loose fork;
    take_apart(t, *statement, &p, &h);
    open_fork(t, &fork);
    prove_in(t, &fork, &h);
    *statement = reassemble(t, &p, &h);
    tamper_emit_frame(t, to, &g);
    t->hits++;
    loose_done(&fork);
    buf_free(frame);
}

/* ---- WELCOME ---- */

static void welcome_proof(struct tampering *t, const struct link_peer *to, const struct frame *f,
                          struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    struct frame g = *f;
    struct bytes *proof = arena_alloc(t->arena, (f->u.welcome.proof_count + 1) * sizeof *proof);
    for (size_t i = 0; i < f->u.welcome.proof_count; i++)
        proof[i] = f->u.welcome.proof[i];
    if (f->u.welcome.proof_count)
        proof[0] = flipped(t, proof[0], 0);
    else
        proof[g.u.welcome.proof_count++] =
            arena_copy(t->arena, BYTES(t->broker->keys->curve_public, 32));
    g.u.welcome.proof = proof;
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

static void welcome_fork(struct tampering *t, const struct link_peer *to, const struct frame *f,
                         struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    struct frame g = *f;
    struct loose fork;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    open_fork(t, &fork);
    loose_sign(&fork, fork.count, &c, &note);
    g.u.welcome.checkpoint = buf_bytes(&note);
    tamper_emit_frame(t, to, &g);
    loose_done(&fork);
    buf_free(&note);
    buf_free(frame);
}

static void welcome_ahead(struct tampering *t, const struct link_peer *to, const struct frame *f,
                          struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    struct frame g = *f;
    g.u.welcome.parcel_seq += 1000;
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

static void welcome_skips(struct tampering *t, const struct link_peer *to, const struct frame *f,
                          struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    struct frame g = *f;
    g.u.welcome.first_delivery += 1000;
    tamper_emit_frame(t, to, &g);
    buf_free(frame);
}

/* ---- the roster ---- */

static void send_roster(struct tampering *t, const struct link_peer *to, struct bytes epoch,
                        struct bytes file, uint64_t number)
{
    const struct frame part = {
        .kind = FRAME_ROSTER_PART,
        .epoch = epoch,
        .u.roster_part = {.number = number, .part = 0, .parts = 1, .data = file}};
    tamper_emit_frame(t, to, &part);
}

/* The roster in force under the next number, signed by somebody who calls himself the authority. */
static struct bytes forge_roster(struct tampering *t)
{
    const struct roster *r = t->broker->roster;
    struct bytes bytes = bytes_slice(roster_file(r), 8 + roster_note(r).len, ROSTER_FILE_MAX);
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf file = BUF_INIT;
    struct note_signer *signer = NULL;
    uint8_t seed[NOTE_SEED_LEN];
    const struct roster_issue issue = {.network = bytes_of(t->broker->site->network.name),
                                       .number = roster_number(r) + 1,
                                       .previous_text = roster_note_text(r),
                                       .issued_ms = roster_renew_by_ms(r) - 1000,
                                       .renew_by_ms = roster_renew_by_ms(r)};
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new(roster_network(r)->authority[0].name, seed, &signer));
    MUST(roster_put_note_text(&text, &issue, bytes));
    MUST(note_sign(signer, buf_bytes(&text), &note));
    buf_put_lp(&file, buf_bytes(&note));
    buf_put_lp(&file, bytes);
    struct bytes kept = arena_copy(t->arena, buf_bytes(&file));
    note_signer_free(signer);
    buf_free(&text);
    buf_free(&note);
    buf_free(&file);
    return kept;
}

static void roster_forged(struct tampering *t, const struct link_peer *to, const struct frame *f,
                          struct buf *frame)
{
    const struct bytes epoch = arena_copy(t->arena, f->epoch);
    tamper_emit(t, to, frame, 0);
    if (f->kind != FRAME_WELCOME)
        return;
    send_roster(t, to, epoch, forge_roster(t), roster_number(t->broker->roster) + 1);
    t->hits++;
}

/* WELCOME names a newer roster, and what comes is the one that everybody has. */
static void roster_old(struct tampering *t, const struct link_peer *to, const struct frame *f,
                       struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    struct frame g = *f;
    g.u.welcome.roster++;
    tamper_emit_frame(t, to, &g);
    send_roster(t, to, f->epoch, roster_file(t->broker->roster), g.u.welcome.roster);
    buf_free(frame);
}

/* ---- upsetting ---- */

static void bye_with(struct tampering *t, const struct link_peer *to, const char *token,
                     uint64_t known_size)
{
    const struct frame bye = {.kind = FRAME_BYE,
                              .u.bye = {.token = bytes_of(token),
                                        .has_known_size = known_size != 0,
                                        .known_size = known_size}};
    tamper_emit_frame(t, to, &bye);
    tamper_emit_cut(t, to);
}

static void bye_storm(struct tampering *t, const struct link_peer *to, const struct frame *f,
                      struct buf *frame)
{
    static const char *const tokens[] = {"ledger_closed", "internal", "not_a_member", "version",
                                         "no_such_token"};
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    bye_with(t, to, tokens[t->hits % 5], 0);
    buf_free(frame);
}

static void bye_rollback(struct tampering *t, const struct link_peer *to, const struct frame *f,
                         struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    bye_with(t, to, "rollback", 1000000);
    buf_free(frame);
}

static void resync_storm(struct tampering *t, const struct link_peer *to, const struct frame *f,
                         struct buf *frame)
{
    static const struct frame resync = {.kind = FRAME_RESYNC};
    tamper_emit(t, to, frame, 0);
    if (f->kind != FRAME_WELCOME)
        return;
    t->hits++;
    for (int i = 0; i < 100; i++)
        tamper_emit_frame(t, to, &resync);
}

static void garbage(struct tampering *t, const struct link_peer *to, const struct frame *f,
                    struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    frame->data[frame->len / 2] ^= 0x80;
    frame->data[0] ^= 0x80;
    tamper_emit(t, to, frame, 0);
}

/* Larger than what a node lets libzmq take in; past our own limit, too, so by hand. */
static void huge(struct tampering *t, const struct link_peer *to, const struct frame *f,
                 struct buf *frame)
{
    if (passes(t, to, f, frame, FRAME_WELCOME))
        return;
    size_t len = 4 * FRAME_BYTES_MAX;
    void *zeros = calloc(1, len);
    if (!zeros || zmq_send(t->socket->zmq, to->route, to->route_len, ZMQ_SNDMORE) < 0 ||
        zmq_send(t->socket->zmq, zeros, len, 0) < 0)
        fprintf(stderr, "evil-broker: huge frame not sent\n");
    free(zeros);
    buf_free(frame);
}

/* ---- what the core is told ---- */

/* What is submitted arrives damaged, so that the core refuses it, in good order, for nothing. */
static bool refuse(struct tampering *t, const struct link_peer *from, struct buf *frame,
                   const struct frame *f)
{
    struct parcel p;
    struct parcel_head h;
    (void)from;
    if (f->kind != FRAME_SUBMIT)
        return true;
    struct frame g = *f;
    take_apart(t, f->u.submit.parcel, &p, &h);
    if (!p.sealed.data)
        return true;
    p.sealed = flipped(t, p.sealed, 0);
    g.u.submit.parcel = reassemble(t, &p, &h);
    buf_reset(frame);
    MUST(frame_encode(&g, frame));
    t->hits++;
    return true;
}

static bool ignore_taken(struct tampering *t, const struct link_peer *from, struct buf *frame,
                         const struct frame *f)
{
    (void)from;
    (void)frame;
    t->hits += f->kind == FRAME_TAKEN;
    return f->kind != FRAME_TAKEN;
}

static bool ignore_submit(struct tampering *t, const struct link_peer *from, struct buf *frame,
                          const struct frame *f)
{
    (void)from;
    (void)frame;
    t->hits += f->kind == FRAME_SUBMIT;
    return f->kind != FRAME_SUBMIT;
}

const struct tamper tampers[] = {
    {"drop", "deliveries never come", NULL, drop},
    {"drop-answer", "answers never come", NULL, drop_answer},
    {"replay", "deliveries come twice", NULL, replay},
    {"replay-renumbered", "deliveries come twice, the second under the next number", NULL,
     replay_renumbered},
    {"reorder", "every second delivery comes first", NULL, reorder},
    {"delay", "everything comes late", NULL, delay},
    {"other-epoch", "deliveries of another epoch", NULL, other_epoch},
    {"other-statement", "deliveries with the statement of the one before", NULL, other_statement},
    {"other-parcel", "deliveries with the parcel of the one before", NULL, other_parcel},
    {"changed-sealed", "deliveries with a changed sealed part", NULL, changed_sealed},
    {"changed-head", "deliveries with a changed entry", NULL, changed_head},
    {"forged-routed", "ROUTED of another parcel", NULL, forged_routed},
    {"statement-signature", "statements that another key has signed", NULL, statement_signature},
    {"fork", "statements of another history", NULL, fork_statement},
    {"welcome-proof", "WELCOME with a proof that proves nothing", NULL, welcome_proof},
    {"welcome-fork", "WELCOME with a checkpoint of another history", NULL, welcome_fork},
    {"welcome-ahead", "WELCOME that has parcels which were never sent", NULL, welcome_ahead},
    {"welcome-skips", "WELCOME that begins far behind the last delivery", NULL, welcome_skips},
    {"roster-forged", "a roster that the authority has not signed", NULL, roster_forged},
    {"roster-old", "an old roster under a new number", NULL, roster_old},
    {"bye-storm", "BYE to every HELLO", NULL, bye_storm},
    {"bye-rollback", "BYE rollback to every HELLO", NULL, bye_rollback},
    {"resync-storm", "a hundred RESYNCs behind every WELCOME", NULL, resync_storm},
    {"garbage", "bytes that are no frame instead of WELCOME", NULL, garbage},
    {"huge", "a frame of 4 MiB instead of WELCOME", NULL, huge},
    {"refuse", "everything sealed is refused", refuse, NULL},
    {"ignore-taken", "TAKEN is not heard", ignore_taken, NULL},
    {"ignore-submit", "SUBMIT is not heard", ignore_submit, NULL},
    {0}};
