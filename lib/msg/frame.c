/*
 * The frames of a session. See frame.h; the bulk socket's are in bulk_frame.c.
 */
#include "msg/frame.h"

#include "base/text.h"
#include "msg/bind.h"
#include "msg/parcel.h"

#include <comity/err.h>
#include <session.pb-c.h>

enum { TOKEN_MAX = 64, DETAIL_MAX = 1024 };

const char *frame_kind_word(enum frame_kind kind)
{
    static const char *const words[] = {
        [FRAME_HELLO] = "HELLO",
        [FRAME_WELCOME] = "WELCOME",
        [FRAME_SUBMIT] = "SUBMIT",
        [FRAME_ANSWER] = "ANSWER",
        [FRAME_DELIVER] = "DELIVER",
        [FRAME_TAKEN] = "TAKEN",
        [FRAME_ROSTER_ASK] = "ROSTER_ASK",
        [FRAME_ROSTER_PART] = "ROSTER_PART",
        [FRAME_BYE] = "BYE",
        [FRAME_RESYNC] = "RESYNC",
        [FRAME_PING] = "PING",
        [FRAME_PONG] = "PONG",
        [FRAME_PROVE] = "PROVE",
        [FRAME_PROOF] = "PROOF",
        [FRAME_RECALL] = "RECALL",
        [FRAME_RECALLED] = "RECALLED",
    };
    if ((unsigned)kind >= sizeof words / sizeof words[0] || !words[kind])
        return "UNKNOWN";
    return words[kind];
}

/* Each kind's fields lie in struct frame itself, so that one struct serves for all. */

#define EPOCH BIND_BYTES(struct frame, epoch, EPOCH_LEN, EPOCH_LEN)

static const struct bind_field hello_fields[] = {
    BIND_U32(struct frame, u.hello.version),
    BIND_TEXT(struct frame, u.hello.origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_U64(struct frame, u.hello.roster),
    BIND_U64(struct frame, u.hello.taken),
    BIND_U64(struct frame, u.hello.answered),
    BIND_BYTES(struct frame, u.hello.checkpoint, 1, BIND_NOTE_MAX),
    BIND_BYTES(struct frame, u.hello.broker_note, 1, BIND_NOTE_MAX),
    BIND_U64(struct frame, u.hello.credit),
};

static const struct bind_field welcome_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.welcome.roster),
    BIND_U64(struct frame, u.welcome.parcel_seq),
    BIND_U64(struct frame, u.welcome.first_delivery),
    BIND_BYTES(struct frame, u.welcome.seen, 1, BIND_NOTE_MAX),
    BIND_BYTES(struct frame, u.welcome.checkpoint, 1, BIND_NOTE_MAX),
    BIND_BYTES_LIST(struct frame, u.welcome.proof, u.welcome.proof_count, 32, 32),
    BIND_F64(struct frame, u.welcome.clock_ms),
    BIND_U64(struct frame, u.welcome.credit),
};

static const struct bind_field submit_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.submit.parcel_seq),
    BIND_BYTES(struct frame, u.submit.parcel, 1, PARCEL_BYTES_MAX),
};

static const struct bind_field answer_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.answer.parcel_seq),
    BIND_BYTES(struct frame, u.answer.statement, 1, PARCEL_BYTES_MAX),
    BIND_U64(struct frame, u.answer.credit),
};

static const struct bind_field deliver_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.deliver.delivery_seq),
    BIND_BYTES(struct frame, u.deliver.statement, 1, PARCEL_BYTES_MAX),
    BIND_BYTES(struct frame, u.deliver.parcel, 1, PARCEL_BYTES_MAX),
};

static const struct bind_field taken_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.taken.delivery_seq),
    BIND_U64(struct frame, u.taken.credit),
};

static const struct bind_field roster_ask_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.roster_ask.number),
    BIND_U32(struct frame, u.roster_ask.part),
};

static const struct bind_field roster_part_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.roster_part.number),
    BIND_U32(struct frame, u.roster_part.part),
    BIND_U32(struct frame, u.roster_part.parts),
    BIND_BYTES(struct frame, u.roster_part.data, 1, ROSTER_PART_MAX),
};

static const struct bind_field bye_fields[] = {
    BIND_TEXT(struct frame, u.bye.token, 1, TOKEN_MAX, NULL),
    BIND_TEXT(struct frame, u.bye.detail, 1, DETAIL_MAX, NULL),
    BIND_OPT_U64(struct frame, u.bye.known_size, u.bye.has_known_size),
};

static const struct bind_field ping_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.ping.credit),
};

static const struct bind_field pong_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.pong.credit),
    BIND_BYTES(struct frame, u.pong.checkpoint, 1, BIND_NOTE_MAX),
};

static const struct bind_field prove_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.prove.from),
    BIND_U64(struct frame, u.prove.to),
};

static const struct bind_field proof_fields[] = {
    EPOCH,
    BIND_U64(struct frame, u.proof.from),
    BIND_U64(struct frame, u.proof.to),
    BIND_BYTES_LIST(struct frame, u.proof.proof, u.proof.proof_count, 32, 32),
    BIND_BYTES(struct frame, u.proof.checkpoint, 1, BIND_NOTE_MAX),
};

static const struct bind_field recall_fields[] = {
    EPOCH,
    BIND_TEXT(struct frame, u.recall.origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_U64(struct frame, u.recall.after),
};

static const struct bind_field recalled_fields[] = {
    EPOCH,
    BIND_TEXT(struct frame, u.recalled.origin, 1, ORIGIN_MAX, bind_is_origin),
    BIND_U64(struct frame, u.recalled.parcel_seq),
    BIND_U64(struct frame, u.recalled.last),
    BIND_BYTES(struct frame, u.recalled.statement, 1, PARCEL_BYTES_MAX),
    BIND_BYTES(struct frame, u.recalled.parcel, 1, PARCEL_BYTES_MAX),
};

/* A parcel and its statement come together, and none is beyond the last one. */
static int recalled_rule(const void *self)
{
    const struct frame *f = self;
    if (!f->u.recalled.statement.data != !f->u.recalled.parcel.data)
        return COMITY_E_MALFORMED;
    return f->u.recalled.parcel_seq <= f->u.recalled.last ? COMITY_OK : COMITY_E_MALFORMED;
}

static int roster_ask_rule(const void *self)
{
    const struct frame *f = self;
    return f->u.roster_ask.part < ROSTER_PARTS_MAX ? COMITY_OK : COMITY_E_TOO_LARGE;
}

static int roster_part_rule(const void *self)
{
    const struct frame *f = self;
    if (f->u.roster_part.parts > ROSTER_PARTS_MAX)
        return COMITY_E_TOO_LARGE;
    return f->u.roster_part.part < f->u.roster_part.parts ? COMITY_OK : COMITY_E_MALFORMED;
}

static const struct bind hello_bind = BIND_OF(hello, struct frame, hello_fields, NULL);
static const struct bind welcome_bind = BIND_OF(welcome, struct frame, welcome_fields, NULL);
static const struct bind submit_bind = BIND_OF(submit, struct frame, submit_fields, NULL);
static const struct bind answer_bind = BIND_OF(answer, struct frame, answer_fields, NULL);
static const struct bind deliver_bind = BIND_OF(deliver, struct frame, deliver_fields, NULL);
static const struct bind taken_bind = BIND_OF(taken, struct frame, taken_fields, NULL);
static const struct bind roster_ask_bind =
    BIND_OF(roster_ask, struct frame, roster_ask_fields, roster_ask_rule);
static const struct bind roster_part_bind =
    BIND_OF(roster_part, struct frame, roster_part_fields, roster_part_rule);
static const struct bind bye_bind = BIND_OF(bye, struct frame, bye_fields, NULL);
static const struct bind resync_bind = {.type = &comity__resync__descriptor,
                                        .size = sizeof(struct frame)};
static const struct bind ping_bind = BIND_OF(ping, struct frame, ping_fields, NULL);
static const struct bind pong_bind = BIND_OF(pong, struct frame, pong_fields, NULL);
static const struct bind prove_bind = BIND_OF(prove, struct frame, prove_fields, NULL);
static const struct bind proof_bind = BIND_OF(proof, struct frame, proof_fields, NULL);
static const struct bind recall_bind = BIND_OF(recall, struct frame, recall_fields, NULL);
static const struct bind recalled_bind =
    BIND_OF(recalled, struct frame, recalled_fields, recalled_rule);

static int frame_rule(const void *self)
{
    const struct frame *f = self;
    return f->kind >= FRAME_HELLO && f->kind <= FRAME_LAST ? COMITY_OK : COMITY_E_UNKNOWN_MESSAGE;
}

static const struct bind_field frame_fields[] = {
    BIND_CASE(struct frame, kind, &hello_bind),
    BIND_CASE(struct frame, kind, &welcome_bind),
    BIND_CASE(struct frame, kind, &submit_bind),
    BIND_CASE(struct frame, kind, &answer_bind),
    BIND_CASE(struct frame, kind, &deliver_bind),
    BIND_CASE(struct frame, kind, &taken_bind),
    BIND_CASE(struct frame, kind, &roster_ask_bind),
    BIND_CASE(struct frame, kind, &roster_part_bind),
    BIND_CASE(struct frame, kind, &bye_bind),
    BIND_CASE(struct frame, kind, &resync_bind),
    BIND_CASE(struct frame, kind, &ping_bind),
    BIND_CASE(struct frame, kind, &pong_bind),
    BIND_CASE(struct frame, kind, &prove_bind),
    BIND_CASE(struct frame, kind, &proof_bind),
    BIND_CASE(struct frame, kind, &recall_bind),
    BIND_CASE(struct frame, kind, &recalled_bind),
};
static const struct bind frame_bind = BIND_OF(frame, struct frame, frame_fields, frame_rule);

static const struct codec_repeated frame_repeated[] = {
    {&comity__welcome__descriptor, 7, FRAME_PROOF_MAX},
    {&comity__proof__descriptor, 4, FRAME_PROOF_MAX},
};
static const struct codec_limits frame_limits = {
    .bytes_max = FRAME_BYTES_MAX,
    .depth_max = 2,
    .fields_max = 16 + FRAME_PROOF_MAX,
    .repeated = frame_repeated,
    .repeated_count = 2,
};

int frame_encode(const struct frame *f, struct buf *out)
{
    return bind_encode(f, &frame_bind, &frame_limits, out);
}

int frame_decode(struct arena *a, struct bytes bytes, struct frame *ret)
{
    if (bytes.len == 0 || codec_first_field(bytes) > FRAME_LAST)
        return COMITY_E_UNKNOWN_MESSAGE;
    return bind_decode(a, bytes, &frame_bind, &frame_limits, ret);
}
