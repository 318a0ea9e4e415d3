/*
 * One sample of every message with every field set, a table of the decoders, and raw protocol
 * buffers by hand.
 *
 * For the unit tests of lib/msg and for tests/fuzz/make_corpus.c. The samples live in static
 * memory.
 */
#ifndef TEST_MSG_SAMPLES_H
#define TEST_MSG_SAMPLES_H

#include "msg/control.h"
#include "msg/entry.h"
#include "msg/frame.h"
#include "msg/parcel.h"
#include "msg/roster.h"

#include <string.h>

/* 64 bytes that all differ; a hash is 32 of them. */
static inline const uint8_t *sample_octets(void)
{
    static uint8_t octets[128];
    for (size_t i = 0; i < sizeof octets; i++)
        octets[i] = (uint8_t)(i * 5 + 1);
    return octets;
}

#define SAMPLE_HASH(n) BYTES(sample_octets() + (n), 32)
#define SAMPLE_NOTE \
    BYTES_LIT("cn-samr/330100-001\n9\nAAAA\n\n\xe2\x80\x94 cn-samr/330100-001 AAAA\n")

static inline struct entry sample_entry(void)
{
    static struct entry_to to[] = {
        {.member = BYTES_LIT("330100-001"), .pair_seq = 1},
        {.member = BYTES_LIT("330200-001"), .pair_seq = LEDGER_SIZE_MAX - 1},
        {.member = BYTES_LIT("broker-a"), .pair_seq = 300}};
    return (struct entry){
        .index = 0x030405060708,
        .time_ms = 1795513635000,
        .kind = ENTRY_SHARE,
        .roster = 300,
        .prev = SAMPLE_HASH(0),
        .body_hash = SAMPLE_HASH(1),
        .seal = SAMPLE_HASH(2),
        .has_source = true,
        .source = {.origin = BYTES_LIT("cn-samr/330100-002.2"),
                   .has_index = true,
                   .index = 0, /* set, and zero */
                   .leaf = SAMPLE_HASH(3),
                   .has_size = true,
                   .size = 17,
                   .root = SAMPLE_HASH(4)},
        .to = to,
        .to_count = 3,
        .ref = BYTES_LIT("a reference"),
    };
}

static inline struct body sample_body(void)
{
    static struct bytes notes[2];
    static const uint32_t roles[] = {1, 3, 4};
    notes[0] = SAMPLE_NOTE;
    notes[1] = BYTES_LIT("another note\n");
    return (struct body){.record = BYTES_LIT("\x08\x01 some record"),
                         .notes = notes,
                         .note_count = 2,
                         .request_id = SAMPLE_HASH(7),
                         .roles = roles,
                         .role_count = 3,
                         .remark = BYTES_LIT("\xe5\xa4\x87\xe6\xb3\xa8")};
}

static inline struct parcel_head sample_head(void)
{
    static struct bytes recipients[] = {BYTES_LIT("330100-001"), BYTES_LIT("broker-a")};
    static struct bytes entries[] = {BYTES_LIT("entry one"), BYTES_LIT("entry two")};
    static struct parcel_since since[] = {{.member = BYTES_LIT("330100-001"), .size = 4},
                                          {.member = BYTES_LIT("330100-001"), .size = 9},
                                          {.member = BYTES_LIT("broker-a"), .size = 0}};
    static struct bytes proof[2];
    static struct bytes blobs[2];
    static struct bytes inner[1];
    static struct parcel_enclosure enclosures[2];
    proof[0] = SAMPLE_HASH(1);
    proof[1] = SAMPLE_HASH(1); /* a proof may say a hash twice */
    blobs[0] = BYTES(sample_octets(), PARCEL_BLOB_LEN);
    blobs[1] = BYTES(sample_octets() + 1, PARCEL_BLOB_LEN);
    inner[0] = SAMPLE_HASH(9);
    enclosures[0] = (struct parcel_enclosure){.entry = BYTES_LIT("own entry")};
    enclosures[1] = (struct parcel_enclosure){.entry = BYTES_LIT("foreign entry"),
                                              .checkpoint = SAMPLE_NOTE,
                                              .proof = inner,
                                              .proof_count = 1,
                                              .routed = BYTES_LIT("a statement")};
    return (struct parcel_head){
        .origin = BYTES_LIT("cn-samr/330100-003"),
        .recipients = recipients,
        .recipient_count = 2,
        .entries = entries,
        .entry_count = 2,
        .checkpoint = SAMPLE_NOTE,
        .since = since,
        .since_count = 3,
        .proof = proof,
        .proof_count = 2,
        .blobs = blobs,
        .blob_count = 2,
        .enclosures = enclosures,
        .enclosure_count = 2,
    };
}

static inline struct parcel sample_parcel(void)
{
    static struct bytes wraps[2];
    wraps[0] = BYTES(sample_octets(), PARCEL_WRAP_LEN);
    wraps[1] = BYTES(sample_octets() + 9, PARCEL_WRAP_LEN);
    return (struct parcel){
        .head = BYTES_LIT("a head"), .sealed = SAMPLE_HASH(5), .wraps = wraps, .wrap_count = 2};
}

static inline struct openings sample_openings(void)
{
    static struct opening opening[3];
    opening[0] = (struct opening){.salt = SAMPLE_HASH(3), .body = BYTES_LIT("a body")};
    opening[1] = (struct opening){.salt = BYTES_NONE};
    opening[2] = (struct opening){.salt = SAMPLE_HASH(4)};
    return (struct openings){.opening = opening, .count = 3};
}

static inline struct roster_doc sample_roster(void)
{
    static struct bytes authority[] = {BYTES_LIT("cn-samr/authority+00112233+AQ=="),
                                       BYTES_LIT("cn-samr/authority.2+00112233+AQ==")};
    static struct roster_witness witness[] = {
        {.broker = BYTES_LIT("cn-samr/broker-a"), .routed = 8}};
    static struct roster_ledger ledgers[2];
    static struct bytes seal[2];
    static struct bytes endpoints[] = {BYTES_LIT("tcp://127.0.0.1:1"),
                                       BYTES_LIT("tcp://127.0.0.1:2")};
    static struct roster_member members[2];
    seal[0] = SAMPLE_HASH(10);
    seal[1] = SAMPLE_HASH(11);
    ledgers[0] = (struct roster_ledger){.origin = BYTES_LIT("cn-samr/330100-001"),
                                        .suite = 1,
                                        .vkey = BYTES_LIT("cn-samr/330100-001+00112233+AQ=="),
                                        .is_closed = true,
                                        .closed_size = 812,
                                        .closed_root = SAMPLE_HASH(12),
                                        .witness = witness,
                                        .witness_count = 1};
    ledgers[1] = (struct roster_ledger){.origin = BYTES_LIT("cn-samr/330100-001.2"),
                                        .suite = 1,
                                        .vkey = BYTES_LIT("cn-samr/330100-001.2+00112233+AQ==")};
    members[0] = (struct roster_member){.id = BYTES_LIT("330100-001"),
                                        .role = MEMBER_BUREAU,
                                        .name = BYTES_LIT("\xe6\x9d\xad\xe5\xb7\x9e"),
                                        .curve = SAMPLE_HASH(13),
                                        .seal = seal,
                                        .seal_count = 2,
                                        .ledgers = ledgers,
                                        .ledger_count = 2};
    members[1] = (struct roster_member){.id = BYTES_LIT("broker-a"),
                                        .role = MEMBER_BROKER,
                                        .name = BYTES_LIT("Broker A"),
                                        .endpoints = endpoints,
                                        .endpoint_count = 2};
    return (struct roster_doc){.network = BYTES_LIT("cn-samr"),
                               .number = 4,
                               .threshold = 2,
                               .authority = authority,
                               .authority_count = 2,
                               .members = members,
                               .member_count = 2};
}

static inline struct frame sample_frame(enum frame_kind kind)
{
    static struct bytes proof[2];
    proof[0] = SAMPLE_HASH(20);
    proof[1] = SAMPLE_HASH(21);
    struct frame f = {.kind = kind, .epoch = BYTES(sample_octets() + 30, EPOCH_LEN)};
    switch (kind) {
    case FRAME_HELLO:
        f.epoch = BYTES_NONE;
        f.u.hello.version = PROTOCOL_VERSION;
        f.u.hello.origin = BYTES_LIT("cn-samr/330100-001");
        f.u.hello.roster = 4;
        f.u.hello.taken = 0;
        f.u.hello.answered = 200;
        f.u.hello.checkpoint = SAMPLE_NOTE;
        f.u.hello.broker_note = BYTES_LIT("note");
        f.u.hello.credit = 1 << 20;
        break;
    case FRAME_WELCOME:
        f.u.welcome.roster = 4;
        f.u.welcome.parcel_seq = 5;
        f.u.welcome.first_delivery = 6;
        f.u.welcome.seen = BYTES_LIT("seen");
        f.u.welcome.checkpoint = SAMPLE_NOTE;
        f.u.welcome.proof = proof;
        f.u.welcome.proof_count = 2;
        f.u.welcome.clock_ms = 1795513635000;
        f.u.welcome.credit = 7;
        break;
    case FRAME_SUBMIT:
        f.u.submit.parcel_seq = 8;
        f.u.submit.parcel = BYTES_LIT("a parcel");
        break;
    case FRAME_ANSWER:
        f.u.answer.parcel_seq = 9;
        f.u.answer.statement = BYTES_LIT("a statement");
        f.u.answer.credit = 10;
        break;
    case FRAME_DELIVER:
        f.u.deliver.delivery_seq = 11;
        f.u.deliver.statement = BYTES_LIT("a statement");
        f.u.deliver.parcel = BYTES_LIT("a parcel");
        break;
    case FRAME_TAKEN:
        f.u.taken.delivery_seq = 12;
        f.u.taken.credit = 13;
        break;
    case FRAME_ROSTER_ASK:
        f.u.roster_ask.number = 14;
        f.u.roster_ask.part = 15;
        break;
    case FRAME_ROSTER_PART:
        f.u.roster_part.number = 16;
        f.u.roster_part.part = 1;
        f.u.roster_part.parts = 2;
        f.u.roster_part.data = BYTES_LIT("part of a roster");
        break;
    case FRAME_BYE:
        f.epoch = BYTES_NONE;
        f.u.bye.token = BYTES_LIT("rollback");
        f.u.bye.detail = BYTES_LIT("812 < 1024");
        f.u.bye.has_known_size = true;
        f.u.bye.known_size = 1024;
        break;
    case FRAME_RESYNC:
        f.epoch = BYTES_NONE;
        break;
    case FRAME_PING:
        f.u.ping.credit = 17;
        break;
    case FRAME_PONG:
        f.u.pong.credit = 18;
        f.u.pong.checkpoint = SAMPLE_NOTE;
        break;
    case FRAME_PROVE:
        f.u.prove.from = 19;
        f.u.prove.to = 20;
        break;
    case FRAME_PROOF:
        f.u.proof.from = 19;
        f.u.proof.to = 20;
        f.u.proof.proof = proof;
        f.u.proof.proof_count = 2;
        f.u.proof.checkpoint = SAMPLE_NOTE;
        break;
    case FRAME_RECALL:
        f.u.recall.origin = BYTES_LIT("cn-samr/330100-001");
        f.u.recall.after = 21;
        break;
    case FRAME_RECALLED:
        f.u.recalled.origin = BYTES_LIT("cn-samr/330100-001");
        f.u.recalled.parcel_seq = 22;
        f.u.recalled.last = 23;
        f.u.recalled.statement = BYTES_LIT("statement");
        f.u.recalled.parcel = BYTES_LIT("parcel");
        break;
    }
    return f;
}

static inline struct bulk_frame sample_bulk_frame(enum bulk_kind kind)
{
    static struct bytes proof[2];
    proof[0] = SAMPLE_HASH(22);
    proof[1] = SAMPLE_HASH(23);
    struct bulk_frame f = {.kind = kind, .blob = SAMPLE_HASH(24)};
    if (kind == BULK_PUT)
        f.len = 600000;
    if (kind != BULK_ASK)
        f.index = 2;
    if (kind == BULK_GET)
        f.count = 64;
    if (kind == BULK_HAVE) {
        f.complete = true;
        f.token = BYTES_LIT("quota");
    }
    if (kind == BULK_PUT || kind == BULK_DATA) {
        f.block = BYTES_LIT("a sealed block");
        f.proof = proof;
        f.proof_count = 2;
    }
    return f;
}

static inline struct control_request sample_request(void)
{
    static struct bytes notes[1];
    notes[0] = SAMPLE_NOTE;
    return (struct control_request){.id = 7,
                                    .method = BYTES_LIT("case.file"),
                                    .json = BYTES_LIT("{}"),
                                    .record = BYTES_LIT("a record"),
                                    .salt = SAMPLE_HASH(25),
                                    .notes = notes,
                                    .note_count = 1,
                                    .chunk = BYTES_LIT("\0\1\2")};
}

static inline struct control_reply sample_reply(void)
{
    return (struct control_reply){
        .id = 7, .err = -140, .json = BYTES_LIT("{}"), .chunk = BYTES_LIT("\0"), .more = true};
}

/* ---- the decoders, for what must hold for each ---- */

#define SAMPLE_AGAIN(type, noun)                                                         \
    static inline int noun##_again(struct arena *a, struct bytes bytes, struct buf *out) \
    {                                                                                    \
        type decoded;                                                                    \
        int err = noun##_decode(a, bytes, &decoded);                                     \
        return err ? err : noun##_encode(&decoded, out);                                 \
    }
SAMPLE_AGAIN(struct entry, entry)
SAMPLE_AGAIN(struct body, body)
SAMPLE_AGAIN(struct parcel_head, parcel_head)
SAMPLE_AGAIN(struct parcel, parcel)
SAMPLE_AGAIN(struct openings, openings)
SAMPLE_AGAIN(struct roster_doc, roster_doc)
SAMPLE_AGAIN(struct frame, frame)
SAMPLE_AGAIN(struct bulk_frame, bulk_frame)
SAMPLE_AGAIN(struct control_request, control_request)
SAMPLE_AGAIN(struct control_reply, control_reply)

struct decoder {
    const char *name;
    /* Decode, and append what that encodes to. */
    int (*again)(struct arena *a, struct bytes bytes, struct buf *out);
};

static const struct decoder decoders[] = {
    {"entry", entry_again},
    {"body", body_again},
    {"head", parcel_head_again},
    {"parcel", parcel_again},
    {"openings", openings_again},
    {"roster_doc", roster_doc_again},
    {"frame", frame_again},
    {"bulk_frame", bulk_frame_again},
    {"control_request", control_request_again},
    {"control_reply", control_reply_again},
};
enum { DECODER_COUNT = sizeof decoders / sizeof decoders[0] };

static inline const struct decoder *decoder_named(const char *name)
{
    for (size_t i = 0; i < DECODER_COUNT; i++)
        if (strcmp(decoders[i].name, name) == 0)
            return &decoders[i];
    return NULL;
}

/* The ${n}th sample of ${d}; false when there are no more. */
static inline bool sample_put(const struct decoder *d, unsigned n, struct buf *out, int *ret_err)
{
    unsigned count = d->again == frame_again        ? FRAME_LAST
                     : d->again == bulk_frame_again ? BULK_DATA
                                                    : 1;
    if (n >= count)
        return false;
#define SAMPLE_PUT(noun, make)    \
    if (d->again == noun##_again) \
    *ret_err = noun##_encode(&(make), out)
    struct entry e = sample_entry();
    struct body b = sample_body();
    struct parcel_head h = sample_head();
    struct parcel p = sample_parcel();
    struct openings o = sample_openings();
    struct roster_doc r = sample_roster();
    struct frame f = sample_frame((enum frame_kind)(n + 1));
    struct bulk_frame bf = sample_bulk_frame((enum bulk_kind)(n + 1));
    struct control_request rq = sample_request();
    struct control_reply rp = sample_reply();
    SAMPLE_PUT(entry, e);
    SAMPLE_PUT(body, b);
    SAMPLE_PUT(parcel_head, h);
    SAMPLE_PUT(parcel, p);
    SAMPLE_PUT(openings, o);
    SAMPLE_PUT(roster_doc, r);
    SAMPLE_PUT(frame, f);
    SAMPLE_PUT(bulk_frame, bf);
    SAMPLE_PUT(control_request, rq);
    SAMPLE_PUT(control_reply, rp);
#undef SAMPLE_PUT
    return true;
}

/* ---- raw protocol buffers ---- */

static inline void raw_varint(struct buf *out, uint64_t v)
{
    for (; v >= 0x80; v >>= 7)
        buf_put_u8(out, (uint8_t)(v | 0x80));
    buf_put_u8(out, (uint8_t)v);
}

static inline void raw_number(struct buf *out, uint32_t field, uint64_t v)
{
    raw_varint(out, field << 3 | 0);
    raw_varint(out, v);
}

static inline void raw_fixed64(struct buf *out, uint32_t field, uint64_t v)
{
    raw_varint(out, field << 3 | 1);
    for (unsigned i = 0; i < 8; i++)
        buf_put_u8(out, (uint8_t)(v >> (8 * i)));
}

static inline void raw_bytes(struct buf *out, uint32_t field, struct bytes b)
{
    raw_varint(out, field << 3 | 2);
    raw_varint(out, b.len);
    buf_put_bytes(out, b);
}

#endif
