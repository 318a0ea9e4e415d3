/* Parcels of a loose ledger. See forge.h. */
#include "evil/forge.h"

#include "domain/rules.h"
#include "evil/must.h"
#include "msg/record.h"
#include "wire/parcel_internal.h"

#include <string.h>
#include <time.h>

enum { ENTRIES_MAX = 256 };

/* What the parts of one parcel share. */
struct draft {
    struct evil *e;
    const struct forge *what;
    size_t count;
    struct hash body_hash[ENTRIES_MAX];
    struct buf openings;
    uint8_t blob[PARCEL_BLOB_LEN];
    struct bytes blobs;
    struct parcel_sealed sealed;
    struct bytes wraps[EVIL_TO_MAX + 1];
    uint64_t first;
    struct checkpoint checkpoint;
    struct buf note;
};

/* ---- content ---- */

static void put_case(const struct draft *d, size_t i, struct buf *out)
{
    char title[64];
    snprintf(title, sizeof title, "case %zu of a member that is not honest", i);
    struct record r = {.kind = RECORD_CASE,
                       .schema = RECORD_SCHEMA,
                       .created = BYTES_LIT("2026-03-02T09:00:00+08:00"),
                       .u.case_content = {.title = bytes_of(title),
                                          .filed = BYTES_LIT("2026-03-02T09:00:00+08:00")}};
    if (d->what->breaks_rule)
        r.u.case_content.title = BYTES_NONE;
    else
        MUST(record_check(&r, NULL));
    MUST(record_encode(&r, out));
}

static void make_openings(struct draft *d)
{
    const struct evil *e = d->e;
    struct opening *o = arena_alloc(e->arena, d->count * sizeof *o);
    for (size_t i = 0; i < d->count; i++) {
        struct buf record = BUF_INIT;
        struct buf body = BUF_INIT;
        uint8_t salt[SALT_LEN];
        put_case(d, i, &record);
        const struct body b = {.record = buf_bytes(&record)};
        MUST(body_encode(&b, &body));
        random_bytes(salt, sizeof salt);
        o[i] = (struct opening){.salt = arena_copy(e->arena, BYTES(salt, sizeof salt)),
                                .body = arena_copy(e->arena, buf_bytes(&body))};
        ledger_body_hash(e->ledger.suite, bytes_of(e->site->origin), o[i].salt,
                         d->what->lies_about_body ? BYTES_LIT("another body") : o[i].body,
                         &d->body_hash[i]);
        buf_free(&record);
        buf_free(&body);
    }
    const struct openings all = {.opening = o, .count = d->count};
    MUST(openings_encode(&all, &d->openings));
}

/* ---- the seal ---- */

static const uint8_t *seal_key_of(const struct evil *e, const char *member)
{
    const struct roster_member *m = roster_member_of(e->roster, bytes_of(member));
    return m && m->seal_count ? m->seal[m->seal_count - 1].data : e->keys.seal_public;
}

static void seal(struct draft *d)
{
    struct evil *e = d->e;
    const struct forge *what = d->what;
    struct parcel_reader reader[EVIL_TO_MAX];
    for (size_t i = 0; i < what->to_count; i++)
        reader[i] = (struct parcel_reader){
            .member = bytes_of(what->to[i]),
            .pub = seal_key_of(e, what->seals_for ? what->seals_for : what->to[i])};
    if (what->names_a_file) {
        random_bytes(d->blob, HASH_LEN);
        put_u64be(d->blob + HASH_LEN, 1000);
        d->blobs = BYTES(d->blob, sizeof d->blob);
    }
    const struct parcel_seal_input in = {
        .suite = e->ledger.suite,
        .origin = bytes_of(e->site->origin),
        .recipients = reader,
        .recipient_count = what->to_count,
        .sender = {.member = bytes_of(e->site->member), .pub = e->keys.seal_public},
        .openings = buf_bytes(&d->openings),
        .blobs = &d->blobs,
        .blob_count = d->blobs.len ? 1 : 0};
    MUST(parcel_seal(&in, &d->sealed));
    if (what->spoils_wrap)
        d->sealed.wraps.data[PARCEL_WRAP_LEN - 1] ^= 1;
    if (what->spoils_sealed)
        d->sealed.sealed.data[0] ^= 1;
    for (size_t i = 0; i < d->sealed.wrap_count; i++)
        d->wraps[i] = BYTES(d->sealed.wraps.data + i * PARCEL_WRAP_LEN, PARCEL_WRAP_LEN);
    parcel_seal_hash(e->ledger.suite, buf_bytes(&d->sealed.sealed), d->wraps, d->sealed.wrap_count,
                     in.blobs, in.blob_count, &d->sealed.seal);
}

/* ---- entries ---- */

static size_t fill_to(struct draft *d, struct entry_to *to)
{
    const struct forge *what = d->what;
    for (size_t k = 0; k < what->to_count; k++) {
        struct evil_peer *p = evil_peer(d->e, what->to[k]);
        to[k] =
            (struct entry_to){.member = bytes_of(what->claims_to ? what->claims_to : what->to[k]),
                              .pair_seq = (uint64_t)((int64_t)p->next_now + what->pair_shift)};
        if (what->pair_shift >= 0)
            p->next_now = to[k].pair_seq + 1;
    }
    return what->to_count;
}

static void append_receipt(struct draft *d, struct entry *entry)
{
    struct buf ref = BUF_INIT;
    ref_received_put(&ref, &(struct ref_received){.parcel = *d->what->receipt_for, .count = 1});
    entry->kind = ENTRY_RECEIVED;
    entry->ref = buf_bytes(&ref);
    entry->has_source = true;
    entry->source = (struct entry_source){.origin = bytes_of(d->e->site->origin),
                                          .has_index = true,
                                          .has_size = true,
                                          .size = 1,
                                          .root = hash_bytes(d->what->receipt_for)};
    loose_append(&d->e->ledger, entry);
    buf_free(&ref);
}

static void append(struct draft *d)
{
    struct loose *l = &d->e->ledger;
    d->first = l->count;
    for (size_t i = 0; i < d->count; i++) {
        struct entry_to to[EVIL_TO_MAX];
        struct entry entry = {.time_ms = (uint64_t)time(NULL) * 1000,
                              .kind = ENTRY_RECORD,
                              .roster = roster_number(d->e->roster),
                              .to = to,
                              .to_count = fill_to(d, to)};
        if (d->what->breaks_prev && i == 1)
            entry.prev = hash_bytes(&l->genesis);
        if (d->what->receipt_for) {
            append_receipt(d, &entry);
            continue;
        }
        entry.body_hash = hash_bytes(&d->body_hash[i]);
        entry.seal = hash_bytes(&d->sealed.seal);
        loose_append(l, &entry);
        if (d->what->misplaces) {
            entry.index--;
            loose_replace_last(l, &entry);
        }
    }
    loose_sign(l, l->count, &d->checkpoint, &d->note);
}

/* ---- the head ---- */

static int compare_since(const void *a, const void *b)
{
    return bytes_compare(((const struct parcel_since *)a)->member,
                         ((const struct parcel_since *)b)->member);
}

static size_t fill_since(struct draft *d, struct parcel_since *since)
{
    const struct forge *what = d->what;
    size_t n = 0;
    for (size_t i = 0; i < what->to_count && !what->is_unlinked_to_all; i++) {
        const struct evil_peer *p = evil_peer(d->e, what->to[i]);
        if (p->sent_now && p->sent_now <= d->checkpoint.size)
            since[n++] =
                (struct parcel_since){.member = bytes_of(what->to[i]), .size = p->sent_now};
    }
    if (d->e->broker_sent && !what->is_unlinked && d->e->broker_sent <= d->checkpoint.size)
        since[n++] = (struct parcel_since){.member = d->e->broker->id, .size = d->e->broker_sent};
    qsort(since, n, sizeof *since, compare_since);
    return n;
}

static void put_head(struct draft *d, struct buf *out)
{
    struct loose *l = &d->e->ledger;
    struct parcel_since since[EVIL_TO_MAX + 1];
    uint64_t cut[EVIL_TO_MAX + 1];
    uint64_t index[ENTRIES_MAX];
    struct bytes entries[ENTRIES_MAX];
    struct bytes recipients[EVIL_TO_MAX];
    struct hash_list path = {0};
    for (size_t i = 0; i < d->count; i++) {
        index[i] = d->first + i;
        entries[i] = buf_bytes(&l->at[index[i]].bytes);
    }
    for (size_t i = 0; i < d->what->to_count; i++)
        recipients[i] = bytes_of(d->what->to[i]);
    size_t since_count = fill_since(d, since);
    const struct multiproof_shape shape = {
        .index = index,
        .index_count = d->count,
        .cut = cut,
        .cut_count = parcel_cuts(since, since_count, d->checkpoint.size, cut),
        .size = d->checkpoint.size};
    struct tree_source tree = loose_tree(l);
    MUST(multiproof_prove(&tree, &shape, &path));
    struct bytes *proof = arena_alloc(d->e->arena, (path.count + 1) * sizeof *proof);
    for (size_t i = 0; i < path.count; i++)
        proof[i] = hash_bytes(&path.at[i]);
    const struct parcel_head h = {.origin = bytes_of(d->e->site->origin),
                                  .recipients = recipients,
                                  .recipient_count = d->what->to_count,
                                  .entries = entries,
                                  .entry_count = d->count,
                                  .checkpoint = buf_bytes(&d->note),
                                  .since = since,
                                  .since_count = since_count,
                                  .proof = proof,
                                  .proof_count = path.count,
                                  .blobs = &d->blobs,
                                  .blob_count = d->blobs.len ? 1 : 0};
    MUST(parcel_head_encode(&h, out));
    hash_list_free(&path);
}

static void launch(struct draft *d)
{
    struct evil *e = d->e;
    if (e->flight_count == EVIL_FLIGHT_MAX)
        exit(1);
    struct evil_flight *f = &e->flight[e->flight_count++];
    *f = (struct evil_flight){
        .seq = e->parcel_seq + 1, .size = d->checkpoint.size, .count = d->count};
    for (size_t i = 0; i < d->what->to_count; i++) {
        snprintf(f->to[f->to_count++], sizeof f->to[0], "%s", d->what->to[i]);
        evil_peer(e, d->what->to[i])->sent_now = f->size;
    }
    e->broker_sent = f->size;
}

void forge_parcel(struct evil *e, const struct forge *what, struct buf *out)
{
    struct draft d = {.e = e, .what = what, .count = what->count ? what->count : 1};
    struct buf head = BUF_INIT;
    MUST(d.count <= ENTRIES_MAX ? COMITY_OK : COMITY_E_LIMIT);
    if (!what->receipt_for) {
        make_openings(&d);
        seal(&d);
    }
    append(&d);
    put_head(&d, &head);
    const struct parcel p = {.head = buf_bytes(&head),
                             .sealed = buf_bytes(&d.sealed.sealed),
                             .wraps = d.wraps,
                             .wrap_count = d.sealed.wrap_count};
    MUST(parcel_encode(&p, out));
    launch(&d);
    parcel_sealed_free(&d.sealed);
    buf_free(&d.openings);
    buf_free(&d.note);
    buf_free(&head);
}

void forge_checkpoint(struct evil *e, struct buf *out)
{
    static const struct forge nothing;
    struct draft d = {.e = e, .what = &nothing};
    struct buf head = BUF_INIT;
    loose_sign(&e->ledger, e->ledger.count, &d.checkpoint, &d.note);
    put_head(&d, &head);
    const struct parcel p = {.head = buf_bytes(&head)};
    MUST(parcel_encode(&p, out));
    launch(&d);
    buf_free(&d.note);
    buf_free(&head);
}

void forge_edit(struct evil *e, struct buf *parcel,
                void (*edit)(struct evil *e, struct parcel *p, struct parcel_head *h))
{
    struct parcel p;
    struct parcel_head h;
    struct buf head = BUF_INIT;
    struct bytes kept = arena_copy(e->arena, buf_bytes(parcel));
    MUST(parcel_decode(e->arena, kept, &p));
    MUST(parcel_head_decode(e->arena, p.head, &h));
    edit(e, &p, &h);
    MUST(parcel_head_encode(&h, &head));
    p.head = buf_bytes(&head);
    buf_reset(parcel);
    MUST(parcel_encode(&p, parcel));
    buf_free(&head);
}
