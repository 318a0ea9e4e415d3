/* Parcels: what is built verifies and opens; what is changed anywhere does not. */
#include "net.h"
#include "wire/parcel.h"
#include "wire/parcel_claims.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HUB "hub"
#define CHENGDU "510100-001"
#define HANGZHOU "330100-001"
#define SHENZHEN "440300-001"

struct fixture {
    struct net net;
    struct arena *arena;
    struct note_cache notes;
};

static int setup(void **state)
{
    static const char *const ids[] = {HUB, CHENGDU, HANGZHOU, SHENZHEN};
    struct fixture *f = calloc(1, sizeof *f);
    net_init(&f->net, ids, 4);
    f->arena = arena_new(64 << 20);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    arena_free(f->arena);
    net_done(&f->net);
    free(f);
    return 0;
}

static void make(struct fixture *f, const char *const *to, size_t to_count, size_t count,
                 uint64_t since, struct buf *out)
{
    const struct party_parcel what = {.to = to,
                                      .to_count = to_count,
                                      .count = count,
                                      .pair_seq = 1,
                                      .since = since,
                                      .broker = HUB};
    party_make_parcel(&f->net, net_party(&f->net, CHENGDU), &what, out);
}

static struct parcel_rules rules_for(struct fixture *f, const char *me)
{
    return (struct parcel_rules){
        .roster = f->net.roster, .place = PARCEL_DELIVERED, .me = bytes_of(me), .notes = &f->notes};
}

static const char *const both[] = {HANGZHOU, SHENZHEN};

static void every_reader_opens_and_a_stranger_does_not(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct parcel_facts *facts = NULL;
    struct openings o;
    make(f, both, 2, 5, 0, &parcel);
    static const char *const readers[] = {HANGZHOU, SHENZHEN, CHENGDU};
    for (size_t i = 0; i < 3; i++) {
        struct parcel_rules r = rules_for(f, readers[i]);
        r.place = i < 2 ? PARCEL_DELIVERED : PARCEL_FILED;
        assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), 0);
        assert_int_equal(facts->count, 5);
        assert_int_equal(parcel_unseal(f->arena, facts, bytes_of(readers[i]),
                                       net_party(&f->net, readers[i])->keys.seal, 1, &o),
                         0);
        struct body body;
        assert_int_equal(body_decode(f->arena, o.opening[4].body, &body), 0);
        assert_true(bytes_is(body.remark, "body 4"));
    }
    /* With another reader's key, and for a member that is none. */
    assert_int_equal(parcel_unseal(f->arena, facts, bytes_of(HANGZHOU),
                                   net_party(&f->net, SHENZHEN)->keys.seal, 1, &o),
                     COMITY_E_UNSEAL);
    assert_int_equal(
        parcel_unseal(f->arena, facts, bytes_of(HUB), net_party(&f->net, HUB)->keys.seal, 1, &o),
        COMITY_E_NOT_RECIPIENT);
    struct parcel_rules r = rules_for(f, HUB);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts),
                     COMITY_E_NOT_RECIPIENT);
    buf_free(&parcel);
}

/* The bytes of a head that no signature covers: who was last sent how much. Their place in
 * ${parcel}. */
static bool is_since(struct bytes parcel, size_t at)
{
    /* since elements hold member ids that follow the checkpoint note: find the last occurrence of
     * its end. */
    static const char marker[] =
        "test-net/" CHENGDU " "; /* — <key name> in the note's signature line */
    for (size_t i = 0; i + sizeof marker <= parcel.len; i++)
        if (memcmp(parcel.data + i, marker, sizeof marker - 1) == 0)
            return at > i && at < i + 300;
    return false;
}

static void no_flipped_bit_goes_through(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct buf first = BUF_INIT;
    struct parcel_facts *facts = NULL;
    make(f, both, 2, 1, 0, &first);
    make(f, both, 2, 3, 2, &parcel);
    const struct parcel_rules r = rules_for(f, HANGZHOU);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), 0);
    struct hash genuine = facts->hash;
    size_t passed = 0;
    for (size_t i = 0; i < parcel.len * 8; i += 3) { /* every third bit: each byte is hit */
        parcel.data[i / 8] ^= (uint8_t)(1 << i % 8);
        arena_reset(f->arena);
        if (parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts) == 0) {
            /* Only `since` is not covered by the checkpoint; even so the parcel has another name,
             * which no ROUTED bears. */
            assert_false(hash_equal(&facts->hash, &genuine));
            assert_true(is_since(buf_bytes(&parcel), i / 8));
            passed++;
        }
        parcel.data[i / 8] ^= (uint8_t)(1 << i % 8);
    }
    assert_true(passed < 200);
    for (size_t n = 0; n < parcel.len; n += 7) {
        arena_reset(f->arena);
        assert_int_not_equal(parcel_verify(f->arena, BYTES(parcel.data, n), &r, &facts), 0);
    }
    buf_free(&first);
    buf_free(&parcel);
}

/* What a verifier knows of one origin. */
struct known_roots {
    uint64_t size;
    struct hash root;
};

static int root_at(void *self, struct bytes origin, uint64_t size, struct hash *ret)
{
    struct known_roots *k = self;
    (void)origin;
    if (size != k->size)
        return COMITY_E_NOT_FOUND;
    *ret = k->root;
    return 0;
}

static int knows(void *self, struct bytes origin)
{
    (void)origin;
    return ((struct known_roots *)self)->size > 0;
}

static void history_must_be_the_one_known(void **state)
{
    struct fixture *f = *state;
    struct buf one = BUF_INIT;
    struct buf two = BUF_INIT;
    struct parcel_facts *facts = NULL;
    struct known_roots known = {0};
    struct parcel_rules r = rules_for(f, HANGZHOU);
    r.root_at = root_at;
    r.knows = knows;
    r.self = &known;
    make(f, both, 2, 2, 0, &one);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&one), &r, &facts), 0);
    assert_true(facts->is_linked);
    known = (struct known_roots){.size = facts->checkpoint.size, .root = facts->checkpoint.root};
    make(f, both, 2, 2, known.size, &two);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&two), &r, &facts), 0);
    assert_true(facts->is_linked);
    assert_int_equal(facts->since, known.size);
    /* A different past at that size. */
    known.root.b[0] ^= 1;
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&two), &r, &facts), COMITY_E_CONSISTENCY);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&one), &r, &facts), COMITY_E_EQUIVOCATION);
    /* A known ledger that does not link: a recipient takes it and is told, a broker does not take
     * it. */
    known.size = 1;
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&one), &r, &facts), 0);
    assert_false(facts->is_linked);
    r.place = PARCEL_SUBMITTED;
    r.me = bytes_of(HUB);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&one), &r, &facts), COMITY_E_UNLINKED);
    buf_free(&one);
    buf_free(&two);
}

static void closed_ledger_stands_only_as_far_as_witnessed(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct parcel_facts *facts = NULL;
    make(f, both, 2, 1, 0, &parcel);
    net_next_roster(&f->net, CHENGDU);
    struct parcel_rules r = rules_for(f, HANGZHOU);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), COMITY_E_CLOSED);
    const struct roster_witness witness = {.broker = bytes_of("test-net/hub"), .routed = 7};
    struct roster_ledger closed = {.is_closed = true,
                                   .closed_size = 2,
                                   .closed_root = BYTES("0123456789abcdef0123456789abcdef", 32),
                                   .witness = &witness,
                                   .witness_count = 1};
    const struct roster_origin o = {.ledger = &closed};
    struct hash root = {{0}};
    struct parcel_routing at = {.broker = bytes_of("test-net/hub"), .index = 7};
    assert_int_equal(roster_origin_admits(&o, 3, &root, &at), 0);
    at.index = 8;
    assert_int_equal(roster_origin_admits(&o, 3, &root, &at), COMITY_E_CLOSED);
    at = (struct parcel_routing){.broker = bytes_of("test-net/other"), .index = 1};
    assert_int_equal(roster_origin_admits(&o, 3, &root, &at), COMITY_E_CLOSED);
    assert_int_equal(roster_origin_admits(&o, 3, &root, NULL), COMITY_E_CLOSED);
    memcpy(root.b, "0123456789abcdef0123456789abcdef", 32);
    assert_int_equal(roster_origin_admits(&o, 2, &root, NULL), 0);
    buf_free(&parcel);
}

static void one_record_of_a_parcel_is_proven_by_itself(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct buf before = BUF_INIT;
    struct parcel_facts *facts = NULL;
    make(f, both, 2, 3, 0, &before);
    make(f, both, 2, 7, 2, &parcel);
    const struct parcel_rules r = rules_for(f, SHENZHEN);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), 0);
    for (size_t i = 0; i < facts->count; i++) {
        struct hash_list path = {0};
        assert_int_equal(parcel_path(facts, i, &path), 0);
        assert_int_equal(proof_inclusion_verify(facts->from->suite, &facts->leaves[i],
                                                facts->entries[i].index, facts->checkpoint.size,
                                                path.at, path.count, &facts->checkpoint.root),
                         0);
        hash_list_free(&path);
    }
    struct hash_list path = {0};
    assert_int_equal(parcel_path(facts, facts->count, &path), COMITY_E_NOT_FOUND);
    buf_free(&before);
    buf_free(&parcel);
}

static void sealed_part_may_go_only_where_parcels_are_filed(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct buf bare = BUF_INIT;
    struct parcel p;
    struct parcel_facts *facts = NULL;
    make(f, both, 2, 1, 0, &parcel);
    assert_int_equal(parcel_decode(f->arena, buf_bytes(&parcel), &p), 0);
    p.sealed = BYTES_NONE;
    p.wrap_count = 0;
    assert_int_equal(parcel_encode(&p, &bare), 0);
    struct parcel_rules r = rules_for(f, HANGZHOU);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&bare), &r, &facts), COMITY_E_SEAL);
    r.place = PARCEL_FILED;
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&bare), &r, &facts), 0);
    struct openings o;
    assert_int_equal(parcel_unseal(f->arena, facts, bytes_of(HANGZHOU),
                                   net_party(&f->net, HANGZHOU)->keys.seal, 1, &o),
                     COMITY_E_UNSEAL);
    buf_free(&bare);
    buf_free(&parcel);
}

static void parcel_is_no_statement_and_claims_are_read_unverified(void **state)
{
    struct fixture *f = *state;
    struct buf parcel = BUF_INIT;
    struct parcel_facts *facts = NULL;
    struct parcel_claims c;
    make(f, both, 2, 4, 0, &parcel);
    struct parcel_rules r = rules_for(f, HANGZHOU);
    r.place = PARCEL_STATEMENT;
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), COMITY_E_STATEMENT);
    r = rules_for(f, HANGZHOU);
    r.sender = bytes_of(SHENZHEN);
    assert_int_equal(parcel_verify(f->arena, buf_bytes(&parcel), &r, &facts), COMITY_E_NOT_MEMBER);
    assert_int_equal(parcel_read_claims(f->arena, buf_bytes(&parcel), suite_get(SUITE_1), &c), 0);
    assert_true(c.count == 4 && c.has_index && c.index == 1 && c.size == 5);
    assert_true(bytes_is(c.origin, "test-net/" CHENGDU));
    assert_true(parcel_is_undecodable(COMITY_E_MALFORMED));
    assert_false(parcel_is_undecodable(COMITY_E_SEAL));
    buf_free(&parcel);
}

static void refs_round_trip_and_refuse_other_lengths(void **state)
{
    (void)state;
    struct buf out = BUF_INIT;
    struct ref_received received = {.count = 7, .known_size = 1ULL << 40};
    struct ref_received got_received;
    ref_received_put(&out, &received);
    assert_int_equal(ref_received_parse(buf_bytes(&out), &got_received), 0);
    assert_true(got_received.count == 7 && got_received.known_size == 1ULL << 40);
    assert_int_equal(ref_received_parse(BYTES(out.data, out.len - 1), &got_received),
                     COMITY_E_MALFORMED);
    buf_reset(&out);
    struct ref_routed routed = {.parcel_seq = 99};
    struct ref_routed got_routed;
    ref_routed_put(&out, &routed);
    assert_int_equal(ref_routed_parse(buf_bytes(&out), &got_routed), 0);
    assert_int_equal(got_routed.parcel_seq, 99);
    buf_reset(&out);
    struct ref_refused refused = {.count = 1, .token = bytes_of("seal_mismatch")};
    struct ref_refused got;
    ref_refused_put(&out, &refused);
    assert_int_equal(ref_refused_parse(buf_bytes(&out), &got), 0);
    assert_true(bytes_is(got.token, "seal_mismatch"));
    assert_int_equal(ref_refused_parse(BYTES(out.data, 36), &got), COMITY_E_MALFORMED);
    out.data[40] = '\n';
    assert_int_equal(ref_refused_parse(buf_bytes(&out), &got), COMITY_E_MALFORMED);
    buf_free(&out);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(every_reader_opens_and_a_stranger_does_not),
        TEST(no_flipped_bit_goes_through),
        TEST(history_must_be_the_one_known),
        TEST(closed_ledger_stands_only_as_far_as_witnessed),
        TEST(one_record_of_a_parcel_is_proven_by_itself),
        TEST(sealed_part_may_go_only_where_parcels_are_filed),
        TEST(parcel_is_no_statement_and_claims_are_read_unverified),
        cmocka_unit_test(refs_round_trip_and_refuse_other_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
