/*
 * What the entries of one copy say: whether each is well-formed, numbered without gap, under the
 * roster that was in force, and what it tells of other ledgers and of parcels on their way. Entries
 * that were found to be other than those signed are passed over: what they say is nobody's word.
 */
#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"
#include "audit/parcels.h"
#include "audit/rosters.h"

#include <stdlib.h>
#include <string.h>

/* Numbers given to one member, or parcels taken from one origin. */
struct numbers {
    struct bytes name;
    uint64_t next;
    uint64_t skipped; /* parcels: REFUSED entries since the last one */
    uint64_t epoch;
    UT_hash_handle hh;
};

struct reading {
    struct audit *a;
    struct audit_copy *c;
    struct numbers *members;
    struct numbers *origins;
    struct numbers *last; /* of members, looked at before */
    uint64_t epoch; /* counts the entries that were passed over: behind one, a number may be any
                       higher one */
    uint64_t roster;
    uint64_t roster_epoch;
    uint64_t last_ms;
    uint64_t backwards;
    uint64_t backwards_first;
    struct opening_reader own;
    struct opening_reader records;
    uint64_t withheld[2], withheld_first[2]; /* 0: withheld, 1: erased */
};

/* ---- numbers ---- */

static struct numbers *numbers_of(struct audit *a, struct numbers **table, struct bytes name)
{
    struct numbers *n = NULL;
    HASH_FIND(hh, *table, name.data, name.len, n);
    if (n)
        return n;
    n = arena_alloc(a->arena, sizeof *n);
    struct bytes kept = audit_intern(a, name);
    if (!n || !kept.data)
        return NULL;
    n->name = kept;
    n->next = 1;
    HASH_ADD_KEYPTR(hh, *table, kept.data, kept.len, n);
    return n;
}

static int tell_number(struct reading *r, enum audit_code code, uint64_t index, const char *of,
                       struct bytes name, uint64_t count)
{
    struct finding *f = finding_add(r->a, code, r->c->origin);
    if (f) {
        finding_index(f, index);
        finding_set(f, of, value_text(name));
        if (count)
            finding_number(f, "count", count);
        f->proof = proof_entry(r->c, index);
    }
    return finding_check(f);
}

/* One number of one entry: the next one, or, when numbers of a refused parcel become void, a range
 * that was given before. */
static int check_number(struct reading *r, const struct entry *e, const struct entry_to *to)
{
    struct numbers *n = r->last && bytes_equal(r->last->name, to->member)
                            ? r->last
                            : numbers_of(r->a, &r->members, to->member);
    uint32_t span = 1;
    if (!n)
        return COMITY_E_NOMEM;
    r->last = n;
    if (pair_is_void(e)) {
        bool ok = !pair_span(e, &span) && to->pair_seq && to->pair_seq < n->next &&
                  span <= n->next - to->pair_seq;
        audit_did(r->a, r->c, CHECK_NUMBERS, ok || n->epoch != r->epoch);
        return ok || n->epoch != r->epoch
                   ? COMITY_OK
                   : tell_number(r, AUDIT_PAIR_REUSED, e->index, "member", n->name, 0);
    }
    uint64_t expected = n->next;
    bool ok = to->pair_seq == expected || (n->epoch != r->epoch && to->pair_seq > expected);
    audit_did(r->a, r->c, CHECK_NUMBERS, ok);
    n->epoch = r->epoch;
    if (to->pair_seq >= expected)
        n->next = to->pair_seq + 1;
    if (ok)
        return COMITY_OK;
    bool is_gap = to->pair_seq > expected;
    return tell_number(r,
                       !is_gap           ? AUDIT_PAIR_REUSED
                       : r->c->is_broker ? AUDIT_DELIVERY_GAP
                                         : AUDIT_PAIR_GAP,
                       e->index, "member", n->name, is_gap ? to->pair_seq - expected : 0);
}

static int check_numbers(struct reading *r, const struct entry *e)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < e->to_count; i++)
        err = check_number(r, e, &e->to[i]);
    return err;
}

/* A broker takes the parcels of an origin in the order of parcel_seq; a refused one consumes its
 * number. */
static int check_parcel_seq(struct reading *r, const struct entry *e)
{
    struct ref_routed ref;
    bool is_refusal = e->kind == ENTRY_REFUSED;
    if (!r->c->is_broker || (e->kind != ENTRY_ROUTED && !is_refusal) || !e->has_source)
        return COMITY_OK;
    struct numbers *n = numbers_of(r->a, &r->origins, e->source.origin);
    if (!n)
        return COMITY_E_NOMEM;
    if (is_refusal) {
        n->skipped++;
        return COMITY_OK;
    }
    if (ref_routed_parse(e->ref, &ref))
        return COMITY_OK;
    uint64_t expected = n->next + n->skipped;
    bool ok = ref.parcel_seq == expected || (n->epoch != r->epoch && ref.parcel_seq > expected);
    audit_did(r->a, r->c, CHECK_NUMBERS, ok);
    n->skipped = 0;
    n->epoch = r->epoch;
    n->next = ref.parcel_seq + 1;
    return ok ? COMITY_OK
              : tell_number(r, AUDIT_PARCEL_GAP, e->index, "other", n->name,
                            ref.parcel_seq > expected ? ref.parcel_seq - expected : 0);
}

/* ---- rosters and the clock ---- */

static int tell_roster(struct reading *r, enum audit_code code, const struct entry *e,
                       uint64_t number)
{
    struct finding *f = finding_add(r->a, code, r->c->origin);
    if (f) {
        finding_index(f, e->index);
        finding_number(f, "number", number);
    }
    return finding_check(f);
}

static int check_roster_entry(struct reading *r, const struct entry *e)
{
    struct hash text;
    if (e->kind != ENTRY_ROSTER || e->ref.len != 8 + HASH_LEN)
        return COMITY_OK;
    uint64_t number = get_u64be(e->ref.data);
    const struct roster_file *file = rosters_find(r->a, number);
    r->roster = number;
    audit_did(r->a, r->c, CHECK_ROSTERS, file != NULL);
    if (!file)
        return tell_roster(r, AUDIT_ROSTER_MISSING, e, number);
    roster_text_hash(file->roster, &text);
    return bytes_equal(bytes_slice(e->ref, 8, HASH_LEN), hash_bytes(&text))
               ? COMITY_OK
               : tell_roster(r, AUDIT_ROSTER_OTHER, e, number);
}

/* Entries name the roster that the ledger's own ROSTER entries brought into force; one that brings
 * it names it already. */
static int check_roster(struct reading *r, const struct entry *e)
{
    uint64_t before = r->roster;
    int err = check_roster_entry(r, e);
    bool may_have_come = r->roster_epoch != r->epoch; /* with an entry that was passed over */
    r->roster_epoch = r->epoch;
    if (err || e->roster == r->roster || e->roster == before)
        return err;
    r->roster = e->roster; /* once */
    if (may_have_come)
        return COMITY_OK;
    return tell_roster(r, AUDIT_ROSTER_ORDER, e, e->roster);
}

static void check_clock(struct reading *r, const struct entry *e)
{
    bool ok = e->time_ms >= r->last_ms || r->last_ms - e->time_ms <= AUDIT_CLOCK_MS;
    audit_did(r->a, r->c, CHECK_CLOCK, ok);
    if (!ok && r->backwards++ == 0)
        r->backwards_first = e->index;
    r->last_ms = e->time_ms;
}

/* ---- what an entry tells of others ---- */

static int note_known(struct reading *r, const struct entry *e, struct origin_node *of,
                      uint64_t size)
{
    const struct known k = {.index = e->index, .of = of, .size = size};
    return LIST_ADD(r->c->known, k);
}

static int claim_source(struct reading *r, const struct entry *e, struct origin_node *of)
{
    struct hash root;
    const struct claim_at at = {
        .holder = r->c, .place = PLACE_ENTRY, .at = e->index, .index = e->index};
    if (e->source.root.len != HASH_LEN)
        return COMITY_OK;
    memcpy(root.b, e->source.root.data, HASH_LEN);
    return claim_add(r->a, of, e->source.size, &root, CLAIM_STATED, &at);
}

/* RECEIVED, RECEIPT and REFUSED: this member has dealt with a parcel. */
static int note_taken(struct reading *r, const struct entry *e, struct origin_node *of)
{
    struct ref_received received;
    struct ref_refused refused;
    bool is_refusal = e->kind == ENTRY_REFUSED;
    if (is_refusal ? ref_refused_parse(e->ref, &refused) : ref_received_parse(e->ref, &received))
        return COMITY_OK;
    struct parcel_node *n =
        parcel_node(r->a, hash_bytes(is_refusal ? &refused.parcel : &received.parcel));
    struct parcel_to *to = n ? parcel_node_to(r->a, n, r->c->origin->member) : NULL;
    if (!to)
        return COMITY_E_NOMEM;
    n->from = of;
    to->is_refused |= is_refusal;
    to->is_received |= !is_refusal;
    if (is_refusal)
        return COMITY_OK;
    n->first = e->source.index;
    n->count = received.count;
    n->has_class = true;
    n->is_receipt = e->kind == ENTRY_RECEIPT;
    int err = note_known(r, e, of, e->source.size);
    return err ? err : claim_source(r, e, of);
}

/* What the broker has accepted. */
static int note_routed(struct reading *r, const struct entry *e, struct origin_node *of)
{
    struct ref_routed ref;
    if (ref_routed_parse(e->ref, &ref))
        return COMITY_OK;
    struct parcel_node *n = parcel_node(r->a, hash_bytes(&ref.parcel));
    if (!n)
        return COMITY_E_NOMEM;
    n->from = of;
    for (size_t i = 0; i < e->to_count; i++) {
        struct parcel_to *to = parcel_node_to(r->a, n, e->to[i].member);
        if (!to)
            return COMITY_E_NOMEM;
        to->is_accepted = to->is_routed_here = true;
        to->delivery_seq = e->to[i].pair_seq;
        to->broker = r->c->origin;
        to->routed = e->index;
    }
    const struct routed_at at = {
        .size = e->source.size, .time_ms = e->time_ms, .broker = r->c->origin, .index = e->index};
    int err = LIST_ADD(of->routed, at);
    return err ? err : claim_source(r, e, of);
}

static int note_refused_by_broker(struct reading *r, const struct entry *e)
{
    struct ref_refused ref;
    if (ref_refused_parse(e->ref, &ref))
        return COMITY_OK;
    struct parcel_node *n = parcel_node(r->a, hash_bytes(&ref.parcel));
    if (!n)
        return COMITY_E_NOMEM;
    n->is_refused = true;
    return COMITY_OK;
}

static int note_others(struct reading *r, const struct entry *e)
{
    bool is_ours = e->kind == ENTRY_RECEIVED || e->kind == ENTRY_RECEIPT ||
                   e->kind == ENTRY_ROUTED || e->kind == ENTRY_REFUSED;
    if (!is_ours || !e->has_source || pair_is_void(e))
        return COMITY_OK;
    if (e->kind == ENTRY_REFUSED && r->c->is_broker)
        return note_refused_by_broker(r, e);
    struct origin_node *of = audit_origin(r->a, e->source.origin);
    if (!of)
        return COMITY_E_NOMEM;
    return e->kind == ENTRY_ROUTED ? note_routed(r, e, of) : note_taken(r, e, of);
}

/* The note of another ledger that a CHECKPOINT entry keeps. */
static int note_checkpoint(struct reading *r, const struct entry *e, const struct body *body)
{
    struct checkpoint c;
    if (e->kind != ENTRY_CHECKPOINT)
        return COMITY_OK;
    int err = body->note_count == 1 ? checkpoint_peek(body->notes[0], &c) : COMITY_E_MALFORMED;
    struct origin_node *of = err ? NULL : audit_origin(r->a, bytes_of(c.origin));
    if (!err && !of)
        return COMITY_E_NOMEM;
    if (!err && of->owner)
        err = audit_open_note(r->a, body->notes[0], &of->owner->verifier, &c);
    if (!err && (!bytes_is(e->source.origin, of->name) || e->source.size != c.size ||
                 !bytes_equal(e->source.root, hash_bytes(&c.root))))
        err = COMITY_E_CONTRADICTION;
    if (err) {
        struct finding *f = finding_add(r->a, AUDIT_ENTRY_FORM, r->c->origin);
        if (f) {
            finding_index(f, e->index);
            finding_set(f, "why", json_string(comity_err_token(err)));
        }
        return finding_check(f);
    }
    const struct claim_at at = {
        .holder = r->c, .place = PLACE_ENTRY, .at = e->index, .index = e->index};
    err = claim_add(r->a, of, c.size, &c.root, of->owner ? CLAIM_SIGNED : CLAIM_STATED, &at);
    return err ? err : note_known(r, e, of, c.size);
}

/* ---- content ---- */

static int check_content(struct reading *r, const struct entry *e)
{
    struct content_item it = {.copy = r->c,
                              .origin = r->c->origin,
                              .suite = r->c->suite,
                              .entry = e,
                              .records = &r->records};
    struct body body = {0};
    bool ok = false;
    if (!e->body_hash.len)
        return COMITY_OK;
    int err = opening_find(&r->own, bytes_of(r->c->origin->name), e->index, &it.opening);
    if (err == COMITY_E_WITHHELD || err == COMITY_E_NOT_FOUND || err == COMITY_E_ERASED) {
        int which = err == COMITY_E_ERASED;
        if (r->withheld[which]++ == 0)
            r->withheld_first[which] = e->index;
        return COMITY_OK;
    }
    if (err && err != COMITY_E_LEDGER_DAMAGED)
        return err;
    err = audit_content_check(r->a, &it, &body, &ok);
    if (err || !ok)
        return err;
    r->c->opened[e->index / 8] |= (uint8_t)(1u << e->index % 8);
    return note_checkpoint(r, e, &body);
}

/* ---- one entry ---- */

static int tell_form(struct reading *r, enum audit_code code, uint64_t index, const char *why)
{
    struct finding *f = finding_add(r->a, code, r->c->origin);
    if (f) {
        finding_index(f, index);
        finding_set(f, "why", json_string(why));
        f->proof = proof_entry(r->c, index);
    }
    return finding_check(f);
}

static int take_entry(void *self, uint64_t index, struct bytes bytes)
{
    struct reading *r = self;
    struct entry e;
    int err = audit_advance(r->a, index % 256 == 0 ? 256 : 0);
    if (err)
        return err;
    if (!bytes.data || copy_is_bad(r->c, index)) {
        r->epoch++;
        return COMITY_OK;
    }
    arena_reset(r->a->scratch);
    err = entry_decode(r->a->scratch, bytes, &e);
    if (err == COMITY_E_NOMEM)
        return err;
    audit_did(r->a, r->c, CHECK_ENTRIES, !err && e.index == index);
    if (err || e.index != index) {
        r->epoch++;
        return tell_form(r, AUDIT_ENTRY_INVALID, index,
                         comity_err_token(err ? err : COMITY_E_CHAIN));
    }
    const char *why = form_check(r->c, &e);
    audit_did(r->a, r->c, CHECK_FORMS, !why);
    if (why)
        err = tell_form(r, AUDIT_ENTRY_FORM, index, why);
    check_clock(r, &e);
    if (!err)
        err = check_numbers(r, &e);
    if (!err)
        err = check_parcel_seq(r, &e);
    if (!err)
        err = check_roster(r, &e);
    if (!err && !why)
        err = note_others(r, &e);
    return err ? err : check_content(r, &e);
}

/* ---- what is told once ---- */

static int tell_counts(struct reading *r)
{
    static const enum audit_code codes[] = {AUDIT_BODY_WITHHELD, AUDIT_BODY_ERASED};
    for (size_t i = 0; i < 2; i++) {
        if (!r->withheld[i])
            continue;
        struct finding *f = finding_add(r->a, codes[i], r->c->origin);
        if (f) {
            finding_index(f, r->withheld_first[i]);
            finding_number(f, "count", r->withheld[i]);
            finding_set(f, "other", json_string(r->c->origin->name));
        }
        int err = finding_check(f);
        if (err)
            return err;
    }
    if (!r->backwards)
        return COMITY_OK;
    struct finding *f = finding_add(r->a, AUDIT_TIME_BACKWARDS, r->c->origin);
    if (f) {
        finding_index(f, r->backwards_first);
        finding_number(f, "count", r->backwards);
    }
    return finding_check(f);
}

int interpret_entries(struct audit *a, struct audit_copy *c)
{
    struct reading r = {.a = a, .c = c, .own = {.copy = c}, .records = {.copy = c}};
    uint64_t size = 0;
    int err = copy_each_entry(c, take_entry, &r, &size);
    if (!err)
        err = tell_counts(&r);
    HASH_CLEAR(hh, r.members);
    HASH_CLEAR(hh, r.origins);
    opening_reader_done(&r.own);
    opening_reader_done(&r.records);
    return err;
}
