/*
 * The frames of a session and of the bulk socket, between bytes and structs.
 */
#ifndef MSG_FRAME_H
#define MSG_FRAME_H

#include "base/bytes.h"

enum {
    PROTOCOL_VERSION = 1,
    EPOCH_LEN = 16,
    FRAME_BYTES_MAX = 1024 * 1024,
    BULK_FRAME_BYTES_MAX = 264 * 1024,
    FRAME_PROOF_MAX = 64,
    ROSTER_PART_MAX = 512 * 1024,
    ROSTER_PARTS_MAX = 64
};

enum frame_kind {
    FRAME_HELLO = 1,
    FRAME_WELCOME,
    FRAME_SUBMIT,
    FRAME_ANSWER,
    FRAME_DELIVER,
    FRAME_TAKEN,
    FRAME_ROSTER_ASK,
    FRAME_ROSTER_PART,
    FRAME_BYE,
    FRAME_RESYNC,
    FRAME_PING,
    FRAME_PONG,
    FRAME_PROVE,
    FRAME_PROOF,
    FRAME_RECALL,
    FRAME_RECALLED,
    FRAME_LAST = FRAME_RECALLED
};

/* One struct for all kinds: the fields that a kind has are those of its message in
 * proto/session.proto. */
struct frame {
    enum frame_kind kind;
    struct bytes epoch; /* EPOCH_LEN bytes; of every kind but HELLO, BYE, RESYNC */
    union {
        struct {
            uint32_t version;
            struct bytes origin;
            uint64_t roster;
            uint64_t taken;
            uint64_t answered;
            struct bytes checkpoint;
            struct bytes broker_note; /* or none */
            uint64_t credit;
        } hello;
        struct {
            uint64_t roster;
            uint64_t parcel_seq;
            uint64_t first_delivery;
            struct bytes seen; /* or none */
            struct bytes checkpoint;
            const struct bytes *proof;
            size_t proof_count;
            uint64_t clock_ms;
            uint64_t credit;
        } welcome;
        struct {
            uint64_t parcel_seq;
            struct bytes parcel;
        } submit;
        struct {
            uint64_t parcel_seq;
            struct bytes statement; /* or none */
            uint64_t credit;
        } answer;
        struct {
            uint64_t delivery_seq;
            struct bytes statement;
            struct bytes parcel;
        } deliver;
        struct {
            uint64_t delivery_seq;
            uint64_t credit;
        } taken;
        struct {
            uint64_t number;
            uint32_t part;
        } roster_ask;
        struct {
            uint64_t number;
            uint32_t part;
            uint32_t parts;
            struct bytes data;
        } roster_part;
        struct {
            struct bytes token;
            struct bytes detail; /* or none */
            bool has_known_size;
            uint64_t known_size;
        } bye;
        struct {
            uint64_t credit;
        } ping;
        struct {
            uint64_t credit;
            struct bytes checkpoint;
        } pong;
        struct {
            uint64_t from;
            uint64_t to;
        } prove;
        struct {
            uint64_t from;
            uint64_t to;
            const struct bytes *proof;
            size_t proof_count;
            struct bytes checkpoint;
        } proof;
        struct {
            struct bytes origin;
            uint64_t after;
        } recall;
        struct {
            struct bytes origin;
            uint64_t parcel_seq;
            uint64_t last;
            struct bytes statement; /* none, as the parcel: nothing more up to parcel_seq */
            struct bytes parcel;
        } recalled;
    } u;
};

/* "HELLO" … */
const char *frame_kind_word(enum frame_kind kind);

int frame_encode(const struct frame *f, struct buf *out) __attribute__((warn_unused_result));
/* COMITY_E_UNKNOWN_MESSAGE when no kind, or one from another version, is set. */
int frame_decode(struct arena *a, struct bytes bytes, struct frame *ret)
    __attribute__((warn_unused_result));

enum bulk_kind { BULK_PUT = 1, BULK_HAVE, BULK_ASK, BULK_GET, BULK_DATA };

struct bulk_frame {
    enum bulk_kind kind;
    struct bytes blob;  /* 32 bytes */
    uint64_t len;       /* PUT: plain length of the whole */
    uint64_t index;     /* PUT, DATA: which block; HAVE: next; GET: from */
    uint32_t count;     /* GET */
    bool complete;      /* HAVE */
    struct bytes token; /* HAVE: error token, or none */
    struct bytes block; /* PUT, DATA */
    const struct bytes *proof;
    size_t proof_count;
};

int bulk_frame_encode(const struct bulk_frame *f, struct buf *out)
    __attribute__((warn_unused_result));
int bulk_frame_decode(struct arena *a, struct bytes bytes, struct bulk_frame *ret)
    __attribute__((warn_unused_result));

#endif
