/*
 * SUBMIT: a parcel is routed or refused, inside the turn's transaction. See PROTOCOL.md, Session
 * and Refusals.
 */
#include "base/fault.h"
#include "base/log.h"
#include "parts.h"
#include "store.h"
#include "wire/parcel_claims.h"

#include <comity/err.h>
#include <string.h>

enum { REFUSALS_AN_HOUR = 60 };

static int root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    struct broker *b = self;
    return queue_root_at(b->store, origin, size, ret);
}

static int knows(void *self, struct bytes origin)
{
    struct broker *b = self;
    struct known k;
    int err = queue_known(b->store, origin, &k, NULL);
    return err ? err : k.size > 0;
}

/* Recipients are bureaus with an open ledger, none of them the sender. */
static int check_recipients(const struct broker *b, const struct parcel_facts *p)
{
    for (size_t i = 0; i < p->head.recipient_count; i++) {
        const struct roster_member *m = roster_member_of(b->roster, p->head.recipients[i]);
        if (!m || m->role != MEMBER_BUREAU)
            return COMITY_E_UNKNOWN_MEMBER;
        if (!roster_current_origin(b->roster, m))
            return COMITY_E_CLOSED;
        if (m == p->from->member)
            return COMITY_E_RECIPIENTS;
    }
    return COMITY_OK;
}

/* A parcel without entries brings a checkpoint and nothing else, and costs an entry for ever all
 * the same: one that brings nothing new is refused, so that it is counted. */
static int check_is_news(struct broker *b, const struct parcel_facts *p)
{
    struct known k;
    if (p->count > 0)
        return COMITY_OK;
    int err = queue_known(b->store, p->head.origin, &k, NULL);
    if (err)
        return err;
    return p->checkpoint.size > k.size ? COMITY_OK : COMITY_E_INVALID;
}

/* An attachment has one length, whoever names it: said before anything of the parcel is written. */
static int check_blobs(struct broker *b, const struct parcel_facts *p)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < p->head.blob_count; i++) {
        const uint8_t *blob = p->head.blobs[i].data;
        if (i > 0 && memcmp(blob, p->head.blobs[i - 1].data, HASH_LEN) == 0)
            return COMITY_E_BLOB;
        err = queue_check_blob(b->store, p->head.blobs[i]);
    }
    return err;
}

/* What the attachments of a parcel count; more than any quota when it is more than that. */
static uint64_t weigh_blobs(const struct parcel_facts *p, uint64_t quota)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < p->head.blob_count && sum <= quota; i++) {
        uint64_t weight = queue_blob_weight(get_u64be(p->head.blobs[i].data + HASH_LEN));
        sum = weight > quota ? quota + 1 : sum + weight;
    }
    return sum;
}

/*
 * What is kept for each recipient stays within the quota, and what one sender sent of it within
 * half of that: the others still reach a bureau that is away. The files that are yet to be uploaded
 * are included: once a parcel that names them is accepted it is too late to say no. A file that is
 * there for him already counts anew here, but is kept once.
 *
 * Receipts always pass. A refused parcel makes its sender say so, to the same recipient, in a
 * receipt: refusals would beget refusals. And what came in must be receipted, however much waits
 * for the one who sent it.
 */
static int check_quota(struct broker *b, const struct parcel_facts *p, size_t len)
{
    uint64_t quota = b->site->quota_bytes;
    uint64_t blobs = weigh_blobs(p, quota);
    if (p->is_receipt && p->head.blob_count == 0)
        return COMITY_OK;
    for (size_t i = 0; i < p->head.recipient_count; i++) {
        struct recipient r;
        uint64_t share = 0;
        int err = queue_recipient(b->store, p->head.recipients[i], &r);
        if (!err)
            err = queue_share(b->store, p->head.recipients[i], p->from->member->id, &share);
        if (err)
            return err;
        if (r.queued + r.held + len + blobs > quota || share + len + blobs > quota / 2)
            return COMITY_E_QUOTA;
    }
    return COMITY_OK;
}

static int verify(struct broker *b, struct session *s, struct bytes parcel,
                  struct parcel_facts **ret)
{
    const struct parcel_rules rules = {.roster = b->roster,
                                       .place = PARCEL_SUBMITTED,
                                       .sender = bytes_of(s->member),
                                       .me = bytes_of(b->site->member),
                                       .root_at = root_at,
                                       .knows = knows,
                                       .self = b,
                                       .notes = &b->notes};
    int err = parcel_verify(b->arena, parcel, &rules, ret);
    /* A successor ledger does not follow upon its predecessor's parcels in one session. */
    if (!err && !bytes_is((*ret)->head.origin, s->origin))
        err = COMITY_E_NOT_MEMBER;
    if (!err)
        err = check_is_news(b, *ret);
    if (!err)
        err = check_recipients(b, *ret);
    if (!err)
        err = check_blobs(b, *ret);
    if (!err)
        err = check_quota(b, *ret, parcel.len);
    return err;
}

/* The ROUTED entry: `to` each recipient with its next delivery_seq. */
static int append_routed(struct broker *b, const struct parcel_facts *p, uint64_t parcel_seq,
                         struct entry_to *to, uint64_t *ret_index)
{
    for (size_t i = 0; i < p->head.recipient_count; i++) {
        struct recipient r;
        int err = queue_recipient(b->store, p->head.recipients[i], &r);
        if (err)
            return err;
        to[i] = (struct entry_to){.member = p->head.recipients[i], .pair_seq = r.given + 1};
    }
    struct buf ref = BUF_INIT;
    ref_routed_put(&ref, &(struct ref_routed){.parcel = p->hash, .parcel_seq = parcel_seq});
    struct entry e = {.time_ms = (uint64_t)clock_wall_ms(b->clock),
                      .kind = ENTRY_ROUTED,
                      .roster = roster_number(b->roster),
                      .has_source = true,
                      .source = {.origin = p->head.origin,
                                 .has_size = true,
                                 .size = p->checkpoint.size,
                                 .root = hash_bytes(&p->checkpoint.root)},
                      .to = to,
                      .to_count = p->head.recipient_count,
                      .ref = buf_bytes(&ref)};
    int err = buf_check(&ref);
    if (!err)
        err = ledger_append(b->ledger, &e, NULL);
    if (!err)
        *ret_index = e.index;
    buf_free(&ref);
    return err;
}

/* Attachments: what may be uploaded and fetched from now on, and what a FILE entry says is whole at
 * its reader. */
static int note_blobs(struct broker *b, const struct parcel_facts *p)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < p->head.blob_count; i++)
        for (size_t k = 0; !err && k < p->head.recipient_count; k++)
            err = queue_name_blob(b->store, p->head.blobs[i], p->from->member->id,
                                  p->head.recipients[k]);
    for (size_t i = 0; !err && i < p->count; i++)
        if (p->entries[i].kind == ENTRY_FILE && p->entries[i].ref.len == HASH_LEN)
            err = queue_file_done(b->store, p->entries[i].ref, p->from->member->id);
    return err;
}

/* By member, too: what is accepted stays in the ledger for ever. */
static void count_accepted(struct broker *b, const struct session *s, size_t len)
{
    struct account *a = session_account(&b->sessions, s->peer.key, clock_mono_ms(b->clock));
    b->count.parcels_accepted++;
    if (!a)
        return;
    a->parcels++;
    a->bytes += len;
}

static int route(struct broker *b, struct session *s, const struct parcel_facts *p,
                 uint64_t parcel_seq, struct bytes parcel)
{
    struct entry_to to[PARCEL_RECIPIENTS_MAX];
    struct queue_parcel row = {.origin = bytes_of(s->origin),
                               .parcel_seq = parcel_seq,
                               .size = p->checkpoint.size,
                               .root = p->checkpoint.root,
                               .bytes = p->head.recipient_count ? parcel : BYTES_NONE};
    uint64_t id = 0;
    int err = append_routed(b, p, parcel_seq, to, &row.routed);
    if (!err)
        err = queue_put_parcel(b->store, &row, &id);
    for (size_t i = 0; !err && i < p->head.recipient_count; i++) {
        const struct queue_put d = {.member = to[i].member,
                                    .seq = to[i].pair_seq,
                                    .parcel = id,
                                    .sender = bytes_of(s->member),
                                    .len = parcel.len};
        err = queue_put_delivery(b->store, &d);
        struct session *r = err ? NULL : session_of_member(&b->sessions, to[i].member);
        if (r)
            r->now.given = to[i].pair_seq;
    }
    if (!err)
        err = note_blobs(b, p);
    const struct known k = {
        .parcel_seq = parcel_seq, .size = p->checkpoint.size, .root = p->checkpoint.root};
    if (!err)
        err = queue_set_known(b->store, row.origin, &k, p->head.checkpoint);
    if (err)
        return err;
    if (row.bytes.data)
        parcel_cache_put(b->cache, id, parcel);
    s->now.parcel_seq = parcel_seq;
    count_accepted(b, s, parcel.len);
    return COMITY_OK;
}

/* Whether this member may cost us one more REFUSED entry in this hour. */
static bool may_refuse(struct broker *b, struct session *s)
{
    struct account *a = session_account(&b->sessions, s->peer.key, clock_mono_ms(b->clock));
    return a && a->refusals++ < REFUSALS_AN_HOUR;
}

static int append_refused(struct broker *b, const struct parcel_claims *c, const char *token,
                          uint64_t *ret_index)
{
    struct buf ref = BUF_INIT;
    ref_refused_put(&ref, &(struct ref_refused){
                              .parcel = c->hash, .count = c->count, .token = bytes_of(token)});
    struct entry e = {.time_ms = (uint64_t)clock_wall_ms(b->clock),
                      .kind = ENTRY_REFUSED,
                      .roster = roster_number(b->roster),
                      .has_source = true,
                      .source = parcel_claims_source(c),
                      .ref = buf_bytes(&ref)};
    int err = buf_check(&ref);
    if (!err)
        err = ledger_append(b->ledger, &e, NULL);
    if (!err)
        *ret_index = e.index;
    buf_free(&ref);
    return err;
}

/* A well-formed parcel that cannot be taken: it consumes its number, and the session's further
 * parcels are ignored. */
static int refuse(struct broker *b, struct session *s, uint64_t parcel_seq, struct bytes parcel,
                  int why)
{
    struct parcel_claims c;
    struct known k;
    struct queue_parcel row = {
        .origin = bytes_of(s->origin), .parcel_seq = parcel_seq, .token = comity_err_token(why)};
    const struct roster_origin *o = roster_origin_of(b->roster, row.origin);
    int err = o ? parcel_read_claims(b->arena, parcel, o->suite, &c) : COMITY_E_NOT_MEMBER;
    if (err)
        return err;
    c.origin = row.origin; /* whose session it is, whatever the parcel claims */
    row.size = c.size;
    row.root = c.root;
    err = append_refused(b, &c, row.token, &row.routed);
    uint64_t id = 0;
    if (!err)
        err = queue_put_parcel(b->store, &row, &id);
    if (!err)
        err = queue_known(b->store, row.origin, &k, NULL);
    if (err)
        return err;
    k.parcel_seq = k.refused = parcel_seq;
    err = queue_set_known(b->store, row.origin, &k, BYTES_NONE);
    if (err)
        return err;
    s->now.parcel_seq = parcel_seq;
    s->now.has_refusal = true;
    b->count.parcels_refused++;
    log_event(LOG_WARN, "parcel_refused", LOG_STR("origin", s->origin),
              LOG_U64("parcel_seq", parcel_seq), LOG_STR("token", row.token),
              LOG_HEX("parcel", hash_bytes(&c.hash)));
    return COMITY_OK;
}

/* What the node has said that it was answered is not said again. */
static void answer_again(struct session *s, uint64_t seq)
{
    if (s->now.answered >= seq)
        s->now.answered = seq > s->hello_answered ? seq - 1 : s->hello_answered;
}

int submit_take(struct broker *b, struct session *s, const struct frame *f, size_t frame_len)
{
    uint64_t seq = f->u.submit.parcel_seq;
    struct bytes parcel = f->u.submit.parcel;
    if (seq == 0)
        return broker_bye(b, &s->peer, COMITY_E_PARCEL_SEQ, "parcels are counted from 1", 0);
    s->now.submit_bytes += frame_len;
    if (s->now.has_refusal && seq > s->now.parcel_seq)
        return COMITY_OK;
    if (s->now.submit_bytes > s->now.submit_granted)
        return broker_bye(b, &s->peer, COMITY_E_CREDIT, NULL, 0);
    if (seq <= s->now.parcel_seq) {
        answer_again(s, seq);
        return COMITY_OK;
    }
    if (seq != s->now.parcel_seq + 1) {
        b->count.resyncs++;
        const struct frame resync = {.kind = FRAME_RESYNC};
        return broker_send(b, &s->peer, &resync);
    }
    struct parcel_facts *p = NULL;
    int err = verify(b, s, parcel, &p);
    if (!err)
        return route(b, s, p, seq, parcel);
    if (fault_is_ours(err))
        return err;
    if (!parcel_is_undecodable(err) && may_refuse(b, s)) {
        int refused = refuse(b, s, seq, parcel, err);
        if (!refused || fault_is_ours(refused))
            return refused;
    }
    b->count.malformed++;
    return broker_bye(b, &s->peer, err, NULL, 0);
}
