/* A small real network for tests. See net.h. */
#include "net.h"

#include "crypto/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define MUST(call)                                                                   \
    do {                                                                             \
        int must_err = (call);                                                       \
        if (must_err) {                                                              \
            fprintf(stderr, "%s:%d: %s: %d\n", __FILE__, __LINE__, #call, must_err); \
            abort();                                                                 \
        }                                                                            \
    } while (0)

static const char network_name[] = "test-net";

static void make_party(struct net *n, struct party *p, const char *id)
{
    snprintf(p->id, sizeof p->id, "%s", id);
    snprintf(p->origin, sizeof p->origin, "%s/%s", network_name, id);
    snprintf(p->dir, sizeof p->dir, "%s/%s", n->dir, id);
    p->role = text_is_bureau_id(bytes_of(id)) ? MEMBER_BUREAU : MEMBER_BROKER;
    MUST(mkdir(p->dir, 0700));
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new(p->origin, seed, &p->keys.ledger));
    random_bytes(p->keys.curve_secret, sizeof p->keys.curve_secret);
    MUST(seal_public(p->keys.curve_secret, p->keys.curve_public));
    random_bytes(p->keys.seal[0].secret, sizeof p->keys.seal[0].secret);
    MUST(seal_public(p->keys.seal[0].secret, p->keys.seal_public));
    seal_key_id(suite_get(SUITE_1), p->keys.seal_public, p->keys.seal[0].id);
    p->keys.seal_count = 1;

    const struct site site = {.dir = p->dir, .role = p->role};
    MUST(site_open_store(&site, DB_CREATE, &p->store));
    MUST(ledger_create(p->store, p->origin, SUITE_1, BYTES_NONE));
    MUST(ledger_open(p->store, p->keys.ledger, &p->ledger));
    struct entry e = {.time_ms = 1700000000000, .kind = ENTRY_NOTE};
    MUST(ledger_begin(p->ledger));
    MUST(ledger_append(p->ledger, &e, NULL));
    MUST(ledger_sign(p->ledger));
    MUST(ledger_commit(p->ledger));
}

void party_close(struct party *p)
{
    ledger_close(p->ledger);
    store_close(p->store);
    p->ledger = NULL;
    p->store = NULL;
}

void party_open(struct party *p)
{
    const struct site site = {.dir = p->dir, .role = p->role};
    MUST(site_open_store(&site, DB_WRITE, &p->store));
    MUST(ledger_open(p->store, p->keys.ledger, &p->ledger));
}

static int compare_members(const void *a, const void *b)
{
    return bytes_compare(((const struct roster_member *)a)->id,
                         ((const struct roster_member *)b)->id);
}

/* A ledger that is closed in the next roster. */
struct closing {
    const char *id;
    uint64_t size;
    struct hash root;
};

static void issue(struct net *n, const struct closing *closed)
{
    const struct bytes endpoints[] = {bytes_of(n->endpoint[0]), bytes_of(n->endpoint[1])};
    struct roster_member members[NET_PARTIES_MAX] = {0};
    struct roster_ledger ledgers[NET_PARTIES_MAX] = {0};
    struct bytes seals[NET_PARTIES_MAX];
    struct buf vkeys[NET_PARTIES_MAX + 1] = {0};
    for (size_t i = 0; i < n->count; i++) {
        struct party *p = &n->party[i];
        note_put_vkey(&vkeys[i], note_signer_public(p->keys.ledger));
        ledgers[i] = (struct roster_ledger){
            .origin = bytes_of(p->origin), .suite = SUITE_1, .vkey = buf_bytes(&vkeys[i])};
        if (closed && strcmp(closed->id, p->id) == 0) {
            ledgers[i].is_closed = true;
            ledgers[i].closed_size = closed->size;
            ledgers[i].closed_root = hash_bytes(&closed->root);
        }
        seals[i] = BYTES(p->keys.seal_public, 32);
        members[i] = (struct roster_member){.id = bytes_of(p->id),
                                            .role = p->role,
                                            .name = bytes_of(p->id),
                                            .curve = BYTES(p->keys.curve_public, 32),
                                            .seal = &seals[i],
                                            .seal_count = p->role == MEMBER_BUREAU,
                                            .ledgers = &ledgers[i],
                                            .ledger_count = 1,
                                            .endpoints = endpoints,
                                            .endpoint_count = p->role == MEMBER_BROKER ? 2 : 0};
    }
    qsort(members, n->count, sizeof *members, compare_members);
    note_put_vkey(&vkeys[n->count], note_signer_public(n->authority));
    struct bytes authority = buf_bytes(&vkeys[n->count]);
    const struct roster_doc doc = {.network = bytes_of(network_name),
                                   .number = n->roster ? roster_number(n->roster) + 1 : 1,
                                   .threshold = 1,
                                   .authority = &authority,
                                   .authority_count = 1,
                                   .members = members,
                                   .member_count = n->count};
    struct buf bytes = BUF_INIT;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    MUST(roster_doc_encode(&doc, &bytes));
    int64_t now_ms = n->now_ms ? n->now_ms : (int64_t)time(NULL) * 1000;
    const struct roster_issue head = {.network = doc.network,
                                      .number = doc.number,
                                      .previous_text =
                                          n->roster ? roster_note_text(n->roster) : BYTES_NONE,
                                      .issued_ms = now_ms,
                                      .renew_by_ms = now_ms + 86400000};
    MUST(roster_put_note_text(&text, &head, buf_bytes(&bytes)));
    MUST(note_sign(n->authority, buf_bytes(&text), &note));
    buf_reset(&n->roster_file);
    buf_put_lp(&n->roster_file, buf_bytes(&note));
    buf_put_lp(&n->roster_file, buf_bytes(&bytes));
    struct roster *next = NULL;
    MUST(roster_open(buf_bytes(&n->roster_file), &n->network, n->roster, &next));
    roster_free(n->roster);
    n->roster = next;
    for (size_t i = 0; i <= n->count; i++)
        buf_free(&vkeys[i]);
    buf_free(&bytes);
    buf_free(&text);
    buf_free(&note);
}

void net_init(struct net *n, const char *const *ids, size_t count)
{
    net_init_at(n, ids, count, 0);
}

void net_init_at(struct net *n, const char *const *ids, size_t count, int64_t now_ms)
{
    memset(n, 0, sizeof *n);
    n->now_ms = now_ms;
    MUST(crypto_init());
    snprintf(n->endpoint[0], sizeof n->endpoint[0], "tcp://127.0.0.1:1");
    snprintf(n->endpoint[1], sizeof n->endpoint[1], "tcp://127.0.0.1:2");
    snprintf(n->dir, sizeof n->dir, "%s/comity-net-XXXXXX",
             getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp");
    if (!mkdtemp(n->dir))
        abort();
    uint8_t seed[32];
    random_bytes(seed, sizeof seed);
    MUST(note_signer_new("test-net/authority", seed, &n->authority));
    snprintf(n->network.name, sizeof n->network.name, "%s", network_name);
    n->network.threshold = 1;
    n->network.authority[0] = *note_signer_public(n->authority);
    n->network.authority_count = 1;
    for (size_t i = 0; i < count; i++)
        make_party(n, &n->party[i], ids[i]);
    n->count = count;
    issue(n, NULL);
}

void net_next_roster(struct net *n, const char *closed)
{
    struct closing c = {.id = closed};
    hash_of(suite_get(SUITE_1), &c.root, BYTES_NONE);
    issue(n, closed ? &c : NULL);
}

void net_close_ledger(struct net *n, const char *id)
{
    struct party *p = net_party(n, id);
    struct tree_source tree = ledger_tree(p->ledger);
    struct closing c = {.id = id, .size = ledger_size(p->ledger)};
    MUST(tree_hash(&tree, 0, c.size, &c.root));
    issue(n, &c);
}

void net_done(struct net *n)
{
    for (size_t i = 0; i < n->count; i++) {
        party_close(&n->party[i]);
        site_keys_wipe(&n->party[i].keys);
    }
    roster_free(n->roster);
    buf_free(&n->roster_file);
    note_signer_free(n->authority);
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", n->dir);
    if (system(command) != 0)
        abort();
}

struct party *net_party(struct net *n, const char *id)
{
    for (size_t i = 0; i < n->count; i++)
        if (strcmp(n->party[i].id, id) == 0)
            return &n->party[i];
    abort();
}

/* Bodies "body 0", "body 1" …, salted, as encoded openings; the body hashes into ${hashes}. */
static void make_openings(const struct party *p, size_t count, struct buf *out, struct hash *hashes)
{
    struct opening *o = calloc(count, sizeof *o);
    uint8_t(*salt)[SALT_LEN] = calloc(count, sizeof *salt);
    struct buf *bodies = calloc(count, sizeof *bodies);
    if (!o || !salt || !bodies)
        abort();
    for (size_t i = 0; i < count; i++) {
        char remark[32];
        snprintf(remark, sizeof remark, "body %zu", i);
        const struct body body = {.remark = bytes_of(remark)};
        MUST(body_encode(&body, &bodies[i]));
        random_bytes(salt[i], SALT_LEN);
        o[i] = (struct opening){.salt = BYTES(salt[i], SALT_LEN), .body = buf_bytes(&bodies[i])};
        ledger_body_hash(suite_get(SUITE_1), bytes_of(p->origin), o[i].salt, o[i].body, &hashes[i]);
    }
    const struct openings all = {.opening = o, .count = count};
    MUST(openings_encode(&all, out));
    for (size_t i = 0; i < count; i++)
        buf_free(&bodies[i]);
    free(bodies);
    free(salt);
    free(o);
}

static void seal_for(struct net *n, const struct party *p, const struct party_parcel *what,
                     struct bytes openings, struct parcel_sealed *ret)
{
    struct parcel_reader readers[PARCEL_RECIPIENTS_MAX];
    for (size_t i = 0; i < what->to_count; i++)
        readers[i] = (struct parcel_reader){.member = bytes_of(what->to[i]),
                                            .pub = net_party(n, what->to[i])->keys.seal_public};
    const struct parcel_seal_input in = {
        .suite = suite_get(SUITE_1),
        .origin = bytes_of(p->origin),
        .recipients = readers,
        .recipient_count = what->to_count,
        .sender = {.member = bytes_of(p->id), .pub = p->keys.seal_public},
        .openings = openings,
        .blobs = what->blobs,
        .blob_count = what->blob_count};
    MUST(parcel_seal(&in, ret));
}

static void append_run(struct net *n, struct party *p, const struct party_parcel *what,
                       const struct hash *body_hash, const struct hash *seal, uint64_t *index)
{
    MUST(ledger_begin(p->ledger));
    for (size_t i = 0; i < what->count; i++) {
        struct entry_to to[PARCEL_RECIPIENTS_MAX];
        for (size_t k = 0; k < what->to_count; k++)
            to[k] =
                (struct entry_to){.member = bytes_of(what->to[k]), .pair_seq = what->pair_seq + i};
        struct entry e = {.time_ms = 1700000000000,
                          .kind = ENTRY_RECORD,
                          .roster = roster_number(n->roster),
                          .body_hash = hash_bytes(&body_hash[i]),
                          .seal = hash_bytes(seal),
                          .to = to,
                          .to_count = what->to_count};
        if (what->file.data) {
            e.kind = ENTRY_FILE;
            e.ref = what->file;
            e.body_hash = e.seal = BYTES_NONE;
        }
        MUST(ledger_append(p->ledger, &e, NULL));
        index[i] = e.index;
    }
    MUST(ledger_sign(p->ledger));
    MUST(ledger_commit(p->ledger));
}

static int compare_since(const void *a, const void *b)
{
    return bytes_compare(((const struct parcel_since *)a)->member,
                         ((const struct parcel_since *)b)->member);
}

void party_make_parcel(struct net *n, struct party *p, const struct party_parcel *what,
                       struct buf *out)
{
    struct buf openings = BUF_INIT;
    struct buf head = BUF_INIT;
    struct parcel_sealed sealed = {0};
    struct hash *hashes = calloc(what->count, sizeof *hashes);
    uint64_t *index = calloc(what->count, sizeof *index);
    if (!hashes || !index)
        abort();
    make_openings(p, what->count, &openings, hashes);
    seal_for(n, p, what, buf_bytes(&openings), &sealed);
    append_run(n, p, what, hashes, &sealed.seal, index);

    struct bytes recipients[PARCEL_RECIPIENTS_MAX];
    struct parcel_since since[PARCEL_RECIPIENTS_MAX + 1];
    for (size_t i = 0; i < what->to_count; i++) {
        recipients[i] = bytes_of(what->to[i]);
        since[i] = (struct parcel_since){.member = recipients[i], .size = what->since};
    }
    since[what->to_count] =
        (struct parcel_since){.member = bytes_of(what->broker), .size = what->since};
    qsort(since, what->to_count + 1, sizeof *since, compare_since);
    const struct parcel_plan plan = {.index = index,
                                     .count = what->count,
                                     .recipients = recipients,
                                     .recipient_count = what->to_count,
                                     .since = since,
                                     .since_count = what->since ? what->to_count + 1 : 0,
                                     .blobs = what->blobs,
                                     .blob_count = what->blob_count};
    MUST(parcel_build(p->ledger, &plan, &head));
    struct bytes wraps[PARCEL_RECIPIENTS_MAX + 1];
    for (size_t i = 0; i < sealed.wrap_count; i++)
        wraps[i] = BYTES(sealed.wraps.data + i * PARCEL_WRAP_LEN, PARCEL_WRAP_LEN);
    struct parcel parcel = {.head = buf_bytes(&head)};
    if (!what->file.data) {
        parcel.sealed = buf_bytes(&sealed.sealed);
        parcel.wraps = wraps;
        parcel.wrap_count = sealed.wrap_count;
    }
    MUST(parcel_encode(&parcel, out));
    parcel_sealed_free(&sealed);
    buf_free(&openings);
    buf_free(&head);
    free(hashes);
    free(index);
}
