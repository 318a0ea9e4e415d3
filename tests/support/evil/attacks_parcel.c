/* Attacks by what is submitted: parcels that are wrong in one way, or come at the wrong time. */
#include "evil/attacks.h"

#include "evil/forge.h"
#include "evil/must.h"

#include <string.h>

enum { ANSWER_MS = 10000 };

static struct forge plain(const struct attack_args *a)
{
    struct forge f = {.to_count = a->to_count, .count = a->count};
    memcpy(f.to, a->to, sizeof f.to);
    return f;
}

/* Submit what was forged, and see what the broker says. */
static void submit_forged(struct evil *e, const struct forge *what,
                          void (*edit)(struct evil *e, struct parcel *p, struct parcel_head *h))
{
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    forge_parcel(e, what, &parcel);
    if (edit)
        forge_edit(e, &parcel, edit);
    evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

static void good(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    submit_forged(e, &f, NULL);
}

static void listen_only(struct evil *e, const struct attack_args *a)
{
    (void)a;
    (void)evil_greet(e);
}

/* ---- one thing wrong ---- */

#define FORGED(name, field)                                       \
    static void name(struct evil *e, const struct attack_args *a) \
    {                                                             \
        struct forge f = plain(a);                                \
        f.field;                                                  \
        submit_forged(e, &f, NULL);                               \
    }
FORGED(to_mismatch, claims_to = a->other)
FORGED(misplaced, misplaces = true)
FORGED(unlinked, is_unlinked = true)
FORGED(unlinked_to_recipient, is_unlinked_to_all = true)
FORGED(broken_prev, breaks_prev = (f.count = 3, true))
FORGED(pair_gap, pair_shift = 5)
FORGED(pair_below, pair_shift = -1)
FORGED(body, lies_about_body = true)
FORGED(rule, breaks_rule = true)
FORGED(file, names_a_file = true)
FORGED(spoilt_wrap, spoils_wrap = true)
FORGED(spoilt_sealed, spoils_sealed = true)
FORGED(sealed_for_other, seals_for = a->other)

#define EDITED(name, edit)                                        \
    static void name(struct evil *e, const struct attack_args *a) \
    {                                                             \
        struct forge f = plain(a);                                \
        submit_forged(e, &f, edit);                               \
    }

static struct bytes flipped(struct evil *e, struct bytes b, size_t at)
{
    struct bytes copy = arena_copy(e->arena, b);
    ((uint8_t *)copy.data)[at] ^= 1;
    return copy;
}

static void edit_sealed(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)h;
    p->sealed = flipped(e, p->sealed, p->sealed.len - 1);
}
EDITED(sealed_changed, edit_sealed)

static void edit_wrap(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)h;
    struct bytes *wraps = arena_alloc(e->arena, p->wrap_count * sizeof *wraps);
    memcpy(wraps, p->wraps, p->wrap_count * sizeof *wraps);
    wraps[0] = flipped(e, wraps[0], PARCEL_WRAP_LEN - 1);
    p->wraps = wraps;
}
EDITED(wrap_changed, edit_wrap)

static void edit_entry(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)p;
    struct bytes *entries = arena_alloc(e->arena, h->entry_count * sizeof *entries);
    memcpy(entries, h->entries, h->entry_count * sizeof *entries);
    entries[0] = flipped(e, entries[0], 10); /* its time */
    h->entries = entries;
}
EDITED(entry_changed, edit_entry)

static void edit_proof(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)p;
    struct bytes *proof = arena_alloc(e->arena, (h->proof_count + 1) * sizeof *proof);
    for (size_t i = 0; i < h->proof_count; i++)
        proof[i] = h->proof[i];
    proof[h->proof_count++] = hash_bytes(&e->ledger.genesis);
    h->proof = proof;
}
EDITED(proof_longer, edit_proof)

static void edit_signature(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)p;
    struct note_signer *signer = NULL;
    struct checkpoint c;
    struct buf note = BUF_INIT;
    uint8_t seed[NOTE_SEED_LEN];
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new(e->site->origin, seed, &signer));
    MUST(checkpoint_peek(h->checkpoint, &c));
    MUST(checkpoint_sign(&c, signer, &note));
    h->checkpoint = arena_copy(e->arena, buf_bytes(&note));
    note_signer_free(signer);
    buf_free(&note);
}
EDITED(signature, edit_signature)

static const char *name_in_vain;
static void edit_origin(struct evil *e, struct parcel *p, struct parcel_head *h)
{
    (void)p;
    struct buf origin = BUF_INIT;
    buf_printf(&origin, "%s/%s", e->site->network.name, name_in_vain);
    h->origin = arena_copy(e->arena, buf_bytes(&origin));
    buf_free(&origin);
}
static void other_parcel(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    name_in_vain = a->other;
    submit_forged(e, &f, edit_origin);
}

/* RECEIVED for a parcel that was never sent to us. */
static void forged_receipt(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct hash hash;
    random_bytes(hash.b, sizeof hash.b);
    f.receipt_for = &hash;
    submit_forged(e, &f, NULL);
}

static void malformed_parcel(struct evil *e, const struct attack_args *a)
{
    (void)a;
    uint8_t junk[500];
    random_bytes(junk, sizeof junk);
    junk[0] = 0xff;
    if (!evil_greet(e))
        return;
    evil_submit(e, BYTES(junk, sizeof junk));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
}

/* ---- other histories ---- */

/* Another last entry at the size that the broker knows. */
static void fork_same_size(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    loose_cut(&e->ledger, e->broker_sent - 1);
    f.is_unlinked = f.is_unlinked_to_all = true;
    forge_parcel(e, &f, &parcel);
    evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

/* Longer than what the broker knows, with another entry in what it knows. */
static void fork_longer(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    uint64_t known = e->broker_sent;
    loose_cut(&e->ledger, known - 1);
    struct entry note = {.time_ms = 1, .kind = ENTRY_NOTE};
    loose_append(&e->ledger, &note);
    f.is_unlinked_to_all = true;
    forge_parcel(e, &f, &parcel);
    evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

/* ---- the wrong time ---- */

/* The same number once more, after the answer. */
static void replay(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    forge_parcel(e, &f, &parcel);
    uint64_t seq = evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    evil_submit_as(e, seq, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

/* The same parcel as a new one. */
static void replay_as_new(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    forge_parcel(e, &f, &parcel);
    evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    evil_submit(e, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

static void seq_skipped(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    forge_parcel(e, &f, &parcel);
    evil_submit_as(e, e->parcel_seq + 2, buf_bytes(&parcel));
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    buf_free(&parcel);
}

/* The connection is cut before the answer comes; then the same parcel is submitted again. */
static void lost_answer(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel = BUF_INIT;
    if (!evil_greet(e))
        return;
    forge_parcel(e, &f, &parcel);
    struct evil_flight flight = e->flight[e->flight_count - 1];
    uint64_t seq = evil_submit(e, buf_bytes(&parcel));
    (void)evil_wait(e, EVIL_CLOSED, 20); /* libzmq sends from another thread */
    evil_disconnect(e);
    if (evil_greet(e)) {
        e->flight[e->flight_count++] = flight;
        evil_submit_as(e, seq, buf_bytes(&parcel));
        e->parcel_seq = seq;
        evil_wait(e, FRAME_ANSWER, ANSWER_MS);
        evil_wait(e, FRAME_ANSWER, 500);
    }
    buf_free(&parcel);
}

/* One that is refused, and two good ones in flight behind it; those are sent again afterwards. */
static void refused_in_front(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    struct buf parcel[3] = {BUF_INIT, BUF_INIT, BUF_INIT};
    if (!evil_greet(e))
        return;
    for (int i = 0; i < 3; i++) {
        forge_parcel(e, &f, &parcel[i]);
        if (i == 0)
            forge_edit(e, &parcel[i], edit_sealed);
        evil_submit(e, buf_bytes(&parcel[i]));
    }
    evil_wait(e, FRAME_ANSWER, ANSWER_MS);
    evil_wait(e, FRAME_ANSWER, 300);
    if (evil_greet(e)) {
        struct buf again = BUF_INIT;
        f.count = 2;
        forge_parcel(e, &f, &again);
        evil_submit(e, buf_bytes(&again));
        evil_wait(e, FRAME_ANSWER, ANSWER_MS);
        buf_free(&again);
    }
    for (int i = 0; i < 3; i++)
        buf_free(&parcel[i]);
}

/* Refused for ever: each costs the broker an entry, until it has had enough. */
static void refused_for_ever(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    int got = FRAME_ANSWER;
    for (int i = 0; i < 100 && got == FRAME_ANSWER; i++) {
        struct buf parcel = BUF_INIT;
        if (!evil_greet(e))
            return;
        forge_parcel(e, &f, &parcel);
        forge_edit(e, &parcel, edit_sealed);
        evil_submit(e, buf_bytes(&parcel));
        got = evil_wait(e, FRAME_ANSWER, ANSWER_MS);
        buf_free(&parcel);
    }
}

/* The same checkpoint for ever: nothing in it, and an entry of the broker's each time. */
static void checkpoints(struct evil *e, const struct attack_args *a)
{
    int got = FRAME_ANSWER;
    (void)a;
    for (int i = 0; i < 100 && got == FRAME_ANSWER; i++) {
        struct buf parcel = BUF_INIT;
        if (!evil_greet(e))
            return;
        forge_checkpoint(e, &parcel);
        evil_submit(e, buf_bytes(&parcel));
        got = evil_wait(e, FRAME_ANSWER, ANSWER_MS);
        buf_free(&parcel);
    }
}

/* --count honest parcels of one entry: a history. */
static void many(struct evil *e, const struct attack_args *a)
{
    struct forge f = plain(a);
    f.count = 1;
    if (!evil_greet(e))
        return;
    for (size_t i = 0; i < a->count; i++) {
        struct buf parcel = BUF_INIT;
        forge_parcel(e, &f, &parcel);
        evil_submit(e, buf_bytes(&parcel));
        buf_free(&parcel);
        if (e->flight_count < EVIL_FLIGHT_MAX / 2 && i + 1 < a->count)
            continue;
        while (e->answered < e->parcel_seq)
            if (evil_wait(e, FRAME_ANSWER, ANSWER_MS) != FRAME_ANSWER)
                return;
        e->flight_count = 0;
    }
}

const struct attack parcel_attacks[] = {
    {"good", "an honest parcel", good, true, false},
    {"listen", "take what is delivered", listen_only, true, false},
    {"signature", "a checkpoint that another key has signed", signature, false, false},
    {"other-parcel", "a parcel in the name of --other", other_parcel, false, false},
    {"sealed-changed", "a changed sealed part", sealed_changed, false, false},
    {"wrap-changed", "a changed wrap", wrap_changed, false, false},
    {"entry-changed", "a changed entry", entry_changed, false, false},
    {"proof-longer", "a proof with a hash too many", proof_longer, false, false},
    {"to-mismatch", "entries for --other in a parcel for --to", to_mismatch, false, false},
    {"misplaced", "an entry that claims another place", misplaced, false, false},
    {"broken-prev", "an entry that does not follow the one before", broken_prev, false, false},
    {"unlinked", "no link to what the broker knows", unlinked, false, false},
    {"unlinked-to-recipient", "no link to what the recipient knows", unlinked_to_recipient, true,
     false},
    {"fork", "another history of the same size", fork_same_size, false, true},
    {"fork-longer", "another history that is longer", fork_longer, false, true},
    {"pair-gap", "numbers left out towards the recipient", pair_gap, true, false},
    {"pair-below", "a number that the recipient has had", pair_below, true, false},
    {"body", "a body that is not the one promised", body, true, false},
    {"rule", "a record that breaks a rule", rule, true, false},
    {"file", "an attachment that no record names", file, true, false},
    {"spoilt-wrap", "a wrap that does not open, and was promised so", spoilt_wrap, true, false},
    {"spoilt-sealed", "a key commitment that does not hold", spoilt_sealed, true, false},
    {"sealed-for-other", "sealed for --other instead of the recipient", sealed_for_other, true,
     false},
    {"forged-receipt", "a receipt for a parcel that never was", forged_receipt, false, false},
    {"malformed-parcel", "bytes that are no parcel", malformed_parcel, false, true},
    {"replay", "a number once more", replay, true, false},
    {"replay-as-new", "a parcel once more under a new number", replay_as_new, true, false},
    {"seq-skipped", "a number left out towards the broker", seq_skipped, false, true},
    {"lost-answer", "cut before the answer, and submitted again", lost_answer, true, false},
    {"refused-in-front", "good parcels behind one that is refused", refused_in_front, true, false},
    {"refused-for-ever", "parcels that are refused, without end", refused_for_ever, false, false},
    {"checkpoints", "a checkpoint that is known, without end", checkpoints, false, false},
    {"many", "--count honest parcels", many, false, false},
    {0}};
