/*
 * HELLO: who is this, is its ledger in order, and does each side remember at least what the other
 * has seen? See PROTOCOL.md, Session, for the order of the checks.
 */
#include "base/fault.h"
#include "base/log.h"
#include "parts.h"
#include "store.h"

#include <comity/err.h>
#include <string.h>

enum { MIN_DELIVER_CREDIT = 1024 * 1024, FAILURES_AN_HOUR = 16 };

/* What a HELLO is checked against, and what WELCOME will say. */
struct greeting {
    const struct frame *f;
    const struct roster_member *member;
    const struct roster_origin *origin;
    struct checkpoint theirs;
    struct known known;
    struct buf seen;
    struct recipient recipient;
    uint64_t first_delivery;
    uint64_t from;       /* size of our checkpoint that they named; 0: none */
    uint64_t known_size; /* for BYE rollback, where the node is behind; 0 where we are */
    const char *detail;
    bool is_successor; /* not the member's first ledger */
    uint64_t told;     /* where it is we who are behind: what they know of us … */
    uint64_t here;     /* … and what is left of it */
};

static int check_member(struct broker *b, struct greeting *g, const uint8_t key[32])
{
    if (g->f->u.hello.version != PROTOCOL_VERSION)
        return COMITY_E_VERSION;
    g->member = roster_member_by_curve(b->roster, key);
    g->origin = roster_origin_of(b->roster, g->f->u.hello.origin);
    if (!g->member || g->member->role != MEMBER_BUREAU || !g->origin ||
        g->origin->member != g->member)
        return COMITY_E_NOT_MEMBER;
    if (g->origin->ledger->is_closed || !g->origin->is_current)
        return COMITY_E_CLOSED;
    if (g->f->u.hello.credit < MIN_DELIVER_CREDIT)
        return COMITY_E_CREDIT;
    return note_cache_open(&b->notes, g->f->u.hello.checkpoint, &g->origin->verifier, &g->theirs);
}

/* It is this broker that has lost something, of which they know ${told}, and it ${here}. */
static int behind(struct greeting *g, uint64_t told, uint64_t here)
{
    g->known_size = 0;
    g->told = told;
    g->here = here;
    return COMITY_E_ROLLBACK;
}

/* Say who knows more, in words: the operator sees the old copy that he has put back. */
static void log_behind(const struct greeting *g)
{
    log_event(LOG_ERROR, "restored_from_an_old_copy", LOG_BYTES("member", g->member->id),
              LOG_U64("told", g->told), LOG_U64("here", g->here), LOG_STR("what", g->detail),
              LOG_STR("sentence", "this member knows more of this broker than there is: the folder "
                                  "was put back from an old copy; nodes send nothing to it, and "
                                  "nothing that they have recorded is lost"));
}

/* The node must not be behind what was seen of it. */
static int check_their_history(struct broker *b, struct greeting *g)
{
    int err = queue_known(b->store, g->f->u.hello.origin, &g->known, &g->seen);
    if (err)
        return err;
    g->known_size = g->known.size;
    if (g->theirs.size == 0)
        return COMITY_E_MALFORMED; /* a ledger opens with an entry before it speaks */
    if (g->theirs.size < g->known.size)
        return COMITY_E_ROLLBACK;
    if (g->theirs.size == g->known.size && !hash_equal(&g->theirs.root, &g->known.root))
        return COMITY_E_EQUIVOCATION;
    if (g->f->u.hello.answered > g->known.parcel_seq) {
        g->detail = "the broker has lost parcels that it answered";
        return behind(g, g->f->u.hello.answered, g->known.parcel_seq);
    }
    return COMITY_OK;
}

/* What was let go cannot be given again, whoever asks. */
static uint64_t taken_of(const struct greeting *g)
{
    uint64_t taken = g->f->u.hello.taken;
    return g->is_successor && taken + 1 < g->first_delivery ? g->first_delivery - 1 : taken;
}

/*
 * A ledger that succeeds another one says HELLO for the first time: it has taken what it says, not
 * what the one before it had. What that one took and is still held is given again, for the copy
 * that was put back may be without it.
 */
static int check_successor(struct broker *b, struct greeting *g)
{
    struct bytes taker = BYTES_NONE;
    struct bytes origin = g->f->u.hello.origin;
    g->is_successor = g->member->ledger_count > 1;
    if (!g->is_successor)
        return COMITY_OK;
    int err = queue_taker(b->store, g->member->id, b->arena, &taker);
    if (err || bytes_equal(taker, origin))
        return err;
    err = queue_set_taker(b->store, g->member->id, origin, taken_of(g));
    return err ? err : queue_recipient(b->store, g->member->id, &g->recipient);
}

static int check_deliveries(struct broker *b, struct greeting *g)
{
    int err = queue_recipient(b->store, g->member->id, &g->recipient);
    if (!err)
        err = queue_first_delivery(b->store, g->member->id, &g->first_delivery);
    if (err)
        return err;
    err = check_successor(b, g);
    if (err)
        return err;
    uint64_t taken = taken_of(g);
    if (taken > g->recipient.given) {
        g->detail = "the broker has lost deliveries that it gave";
        return behind(g, taken, g->recipient.given);
    }
    if (taken < g->recipient.taken) {
        g->detail = "deliveries that were taken are not in this ledger";
        return COMITY_E_ROLLBACK;
    }
    return COMITY_OK;
}

/* A TAKEN that was lost with its connection is not said again: without this what it had taken would
 * count as waiting until it takes something more, which a queue that is full for that reason never
 * lets come. */
static int catch_up(struct broker *b, const struct greeting *g)
{
    uint64_t taken = taken_of(g);
    if (taken == g->recipient.taken)
        return COMITY_OK;
    return queue_set_taken(b->store, g->member->id, taken, clock_wall_ms(b->clock));
}

/* What they have seen of us must be ours: else it is this broker that lost something. */
static int check_our_history(struct broker *b, struct greeting *g)
{
    struct bytes note = g->f->u.hello.broker_note;
    if (!note.data)
        return COMITY_OK;
    struct checkpoint ours;
    struct hash root;
    int err = note_cache_open(&b->notes, note, note_signer_public(b->keys->ledger), &ours);
    if (err)
        return err;
    const uint64_t size = ledger_signed_size(b->ledger);
    if (ours.size <= size)
        err = ledger_root(b->ledger, ours.size, &root);
    if (err)
        return err;
    if (ours.size > size || !hash_equal(&root, &ours.root)) {
        g->detail = "this broker's ledger does not contain a checkpoint that it signed";
        return behind(g, ours.size, size);
    }
    g->from = ours.size;
    return COMITY_OK;
}

/* One session a key and a member, and one connection: what still waits for the other one in libzmq
 * goes with it. */
static int cut_other(struct broker *b, const struct session *old, const struct link_peer *peer)
{
    return old && !link_peer_same(&old->peer, peer) ? broker_cut(b, &old->peer) : COMITY_OK;
}

static int cut_others(struct broker *b, const struct link_peer *peer, struct bytes member)
{
    const struct session *of_key = session_find(&b->sessions, peer->key);
    const struct session *of_member = session_of_member(&b->sessions, member);
    int err = cut_other(b, of_key, peer);
    return err || of_member == of_key ? err : cut_other(b, of_member, peer);
}

static struct session *open_session(struct broker *b, const struct link_peer *peer,
                                    const struct greeting *g)
{
    struct session *s = session_open(&b->sessions, peer, g->member->id);
    if (!s)
        return NULL;
    memcpy(s->origin, g->f->u.hello.origin.data, g->f->u.hello.origin.len);
    random_bytes(s->epoch, sizeof s->epoch);
    s->roster = roster_number(b->roster);
    s->heard_ms = clock_mono_ms(b->clock);
    s->now.parcel_seq = g->known.parcel_seq;
    s->now.answered = s->hello_answered = g->f->u.hello.answered;
    /* A refusal that the node has not been told of: what it submits meanwhile is built upon a
     * parcel that does not count. */
    s->now.has_refusal = g->known.refused > g->f->u.hello.answered;
    s->now.next_delivery = taken_of(g) + 1;
    s->now.given = g->recipient.given;
    s->now.deliver_granted = g->f->u.hello.credit;
    return s;
}

static int welcome(struct broker *b, struct session *s, const struct greeting *g)
{
    struct checkpoint ours;
    struct bytes note;
    struct hash_list path = {0};
    struct bytes *proof = NULL;
    int err = ledger_checkpoint(b->ledger, &ours, &note);
    if (!err && g->from && g->from < ours.size) {
        struct tree_source tree = ledger_tree(b->ledger);
        err = proof_consistency(&tree, g->from, ours.size, &path);
    }
    if (!err && !(proof = arena_alloc(b->arena, path.count * sizeof *proof)))
        err = COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < path.count; i++)
        proof[i] = hash_bytes(&path.at[i]);
    if (!err) {
        const struct frame f = {
            .kind = FRAME_WELCOME,
            .epoch = BYTES(s->epoch, EPOCH_LEN),
            .u.welcome = {.roster = roster_number(b->roster),
                          .parcel_seq = g->known.parcel_seq,
                          .first_delivery = g->first_delivery,
                          .seen = g->seen.len ? buf_bytes(&g->seen) : BYTES_NONE,
                          .checkpoint = note,
                          .proof = proof,
                          .proof_count = path.count,
                          .clock_ms = (uint64_t)clock_wall_ms(b->clock),
                          .credit = session_grant(s)}};
        s->now.checkpoint_size = ours.size;
        err = broker_send(b, &s->peer, &f);
    }
    hash_list_free(&path);
    return err;
}

/* What fails alone has made others wait for several turns before. Not without end. */
static bool is_trouble(struct broker *b, const uint8_t key[32])
{
    const struct account *a = session_account(&b->sessions, key, clock_mono_ms(b->clock));
    return a && a->failures >= FAILURES_AN_HOUR;
}

int hello_take(struct broker *b, const struct link_peer *peer, const struct frame *f)
{
    struct greeting g = {.f = f};
    struct session *s = NULL;
    if (is_trouble(b, peer->key))
        return broker_bye(b, peer, COMITY_E_LIMIT, "too much of yours has failed in this hour", 0);
    int err = check_member(b, &g, peer->key);
    if (!err)
        err = check_their_history(b, &g);
    if (!err)
        err = check_deliveries(b, &g);
    if (!err)
        err = check_our_history(b, &g);
    if (!err)
        err = catch_up(b, &g);
    if (!err)
        err = cut_others(b, peer, g.member->id);
    if (!err && !(s = open_session(b, peer, &g)))
        err = COMITY_E_NOMEM;
    if (!err)
        err = welcome(b, s, &g);
    buf_free(&g.seen);
    if (!err)
        return COMITY_OK;
    if (s)
        session_drop(&b->sessions, s);
    if (err == COMITY_E_ROLLBACK && g.told)
        log_behind(&g);
    /* A rollback is told to the node whichever of us it is that lost something. */
    if (fault_is_ours(err) && err != COMITY_E_ROLLBACK)
        return err;
    return broker_bye(b, peer, err, g.detail, err == COMITY_E_ROLLBACK ? g.known_size : 0);
}
