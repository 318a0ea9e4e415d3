/*
 * A small network to be spoilt: two bureaus (the first with a closed ledger and its successor), an
 * auditor, a broker, and an authority of three keys of which two must sign. Every test changes what
 * it is about and signs the result.
 */
#ifndef UNIT_WIRE_ROSTERS_H
#define UNIT_WIRE_ROSTERS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/seal.h"
#include "wire/roster.h"

#include <comity/err.h>

#define UNUSED __attribute__((unused))

enum { HANGZHOU, NINGBO, AUDITOR, BROKER, DRAFT_MEMBERS, DRAFT_AUTHORITY = 3 };

static const int64_t issued_ms = INT64_C(1790000000000);
static const int64_t year_ms = INT64_C(31536000000);

struct draft {
    struct arena *arena;
    struct network network; /* what the document says, and the default anchor */
    struct note_signer *authority[DRAFT_AUTHORITY];
    struct bytes vkey[ROSTER_AUTHORITY_MAX];
    struct roster_member member[DRAFT_MEMBERS];
    struct roster_ledger ledger[DRAFT_MEMBERS][3];
    struct bytes seal[DRAFT_MEMBERS][2];
    struct bytes endpoint[3];
    struct roster_witness witness;
    struct roster_doc doc;
    struct roster_issue issue;
};

static inline void seed_of(uint32_t n, uint8_t ret[32])
{
    memset(ret, 0, 32);
    put_u32be(ret + 28, n);
}

/* An Ed25519 key; the same for the same ${n}. */
static inline struct note_signer *signer_of(const char *name, uint32_t n)
{
    uint8_t seed[32];
    struct note_signer *s = NULL;
    seed_of(n, seed);
    assert_int_equal(note_signer_new(name, seed, &s), 0);
    return s;
}

static inline struct bytes keep(struct draft *d, struct buf *b)
{
    assert_int_equal(buf_check(b), 0);
    struct bytes kept = arena_copy(d->arena, buf_bytes(b));
    buf_free(b);
    return kept;
}

static inline struct bytes vkey_of(struct draft *d, const char *name, uint32_t n)
{
    struct buf b = BUF_INIT;
    struct note_signer *s = signer_of(name, n);
    note_put_vkey(&b, note_signer_public(s));
    note_signer_free(s);
    return keep(d, &b);
}

/* An X25519 key; the same for the same ${n}. */
static inline struct bytes exchange_key(struct draft *d, uint32_t n)
{
    uint8_t secret[32], pub[32];
    seed_of(n + 1, secret);
    put_u32be(secret, n + 1);
    assert_int_equal(seal_public(secret, pub), 0);
    return arena_copy(d->arena, BYTES(pub, 32));
}

static inline struct roster_ledger ledger_of(struct draft *d, const char *origin, uint32_t n)
{
    return (struct roster_ledger){
        .origin = bytes_of(origin), .suite = SUITE_1, .vkey = vkey_of(d, origin, n)};
}

static inline struct roster_member member_of(struct draft *d, const char *id, uint32_t role,
                                             int place)
{
    d->seal[place][0] = exchange_key(d, 200 + (uint32_t)place);
    return (struct roster_member){.id = bytes_of(id),
                                  .role = role,
                                  .name = bytes_of("市场监督管理局"),
                                  .curve = exchange_key(d, 100 + (uint32_t)place),
                                  .seal = d->seal[place],
                                  .seal_count = 1,
                                  .ledgers = d->ledger[place],
                                  .ledger_count = 1};
}

static inline void close_ledger(struct draft *d, struct roster_ledger *l)
{
    static const uint8_t root[HASH_LEN] = {1, 2, 3};
    l->is_closed = true;
    l->closed_size = 812;
    l->closed_root = BYTES(root, sizeof root);
    l->witness = &d->witness;
    l->witness_count = 1;
}

/* Name authority key ${i} of the document. */
static inline void set_authority(struct draft *d, size_t i, const char *name, uint32_t n)
{
    note_signer_free(d->authority[i]);
    d->authority[i] = signer_of(name, n);
    d->network.authority[i] = *note_signer_public(d->authority[i]);
    d->vkey[i] = vkey_of(d, name, n);
}

static inline void draft_init(struct draft *d)
{
    *d = (struct draft){.arena = arena_new(1 << 20)};
    assert_non_null(d->arena);
    strcpy(d->network.name, "zhejiang");
    set_authority(d, 0, "zhejiang/authority", 1);
    set_authority(d, 1, "zhejiang/authority.2", 2);
    set_authority(d, 2, "zhejiang/authority.3", 3);
    d->network.threshold = 2;
    d->network.authority_count = DRAFT_AUTHORITY;
    d->witness = (struct roster_witness){.broker = bytes_of("zhejiang/broker"), .routed = 99};
    d->member[HANGZHOU] = member_of(d, "330100-001", MEMBER_BUREAU, HANGZHOU);
    d->member[NINGBO] = member_of(d, "330200-001", MEMBER_BUREAU, NINGBO);
    d->member[AUDITOR] = member_of(d, "auditor", MEMBER_AUDITOR, AUDITOR);
    d->member[BROKER] = member_of(d, "broker", MEMBER_BROKER, BROKER);
    d->ledger[HANGZHOU][0] = ledger_of(d, "zhejiang/330100-001", 10);
    d->ledger[HANGZHOU][1] = ledger_of(d, "zhejiang/330100-001.2", 11);
    d->ledger[NINGBO][0] = ledger_of(d, "zhejiang/330200-001", 12);
    d->ledger[BROKER][0] = ledger_of(d, "zhejiang/broker", 13);
    close_ledger(d, &d->ledger[HANGZHOU][0]);
    d->member[HANGZHOU].ledger_count = 2;
    d->member[AUDITOR].ledger_count = 0;
    d->member[AUDITOR].curve = BYTES_NONE;
    d->member[AUDITOR].seal_count = 0;
    d->endpoint[0] = bytes_of("tcp://broker.example:7400");
    d->endpoint[1] = bytes_of("ipc:///run/comity/bulk");
    d->member[BROKER].endpoints = d->endpoint;
    d->member[BROKER].endpoint_count = 2;
    d->doc = (struct roster_doc){.network = bytes_of("zhejiang"),
                                 .number = 1,
                                 .threshold = 2,
                                 .authority = d->vkey,
                                 .authority_count = DRAFT_AUTHORITY,
                                 .members = d->member,
                                 .member_count = DRAFT_MEMBERS};
    d->issue = (struct roster_issue){.network = bytes_of("zhejiang"),
                                     .number = 1,
                                     .issued_ms = issued_ms,
                                     .renew_by_ms = issued_ms + year_ms};
}

static inline void draft_done(struct draft *d)
{
    for (size_t i = 0; i < DRAFT_AUTHORITY; i++)
        note_signer_free(d->authority[i]);
    arena_free(d->arena);
}

/* Make it the roster after ${previous}. */
static inline void draft_follow(struct draft *d, const struct roster *previous)
{
    d->doc.number = d->issue.number = roster_number(previous) + 1;
    d->issue.previous_text = roster_note_text(previous);
}

/* The file of ${text} and ${bytes}, signed by those of ${signers} that are not NULL. */
static inline void file_of_text(struct buf *out, struct bytes text, struct bytes bytes,
                                struct note_signer *const *signers, size_t n)
{
    struct buf note = BUF_INIT;
    for (size_t i = 0; i < n; i++) {
        struct buf more = BUF_INIT;
        if (!signers[i])
            continue;
        if (note.len == 0)
            assert_int_equal(note_sign(signers[i], text, &more), 0);
        else
            assert_int_equal(note_add_signature(signers[i], buf_bytes(&note), &more), 0);
        buf_free(&note);
        note = more;
    }
    buf_put_lp(out, buf_bytes(&note));
    buf_put_lp(out, bytes);
    assert_int_equal(buf_check(out), 0);
    buf_free(&note);
}

/* The draft as a file signed by ${signers}. */
static inline void draft_file(const struct draft *d, struct note_signer *const *signers, size_t n,
                              struct buf *out)
{
    struct buf bytes = BUF_INIT, text = BUF_INIT;
    assert_int_equal(roster_doc_encode(&d->doc, &bytes), 0);
    assert_int_equal(roster_put_note_text(&text, &d->issue, buf_bytes(&bytes)), 0);
    file_of_text(out, buf_bytes(&text), buf_bytes(&bytes), signers, n);
    buf_free(&text);
    buf_free(&bytes);
}

/* Open the draft, signed by ${signers}. */
static inline int draft_open_by(const struct draft *d, struct note_signer *const *signers, size_t n,
                                const struct network *anchor, const struct roster *previous,
                                struct roster **ret)
{
    struct buf file = BUF_INIT;
    draft_file(d, signers, n, &file);
    int err = roster_open(buf_bytes(&file), anchor, previous, ret);
    buf_free(&file);
    return err;
}

/* Open the draft, signed by all of its authority. */
static inline int draft_open(const struct draft *d, const struct roster *previous,
                             struct roster **ret)
{
    return draft_open_by(d, d->authority, DRAFT_AUTHORITY, &d->network, previous, ret);
}

#endif
