/*
 * Rosters: cutting the file, counting the authority's signatures, following the roster in force,
 * and looking things up. See roster.h. What the content must be is checked in roster_index.c.
 *
 * The bytes are not looked at before a threshold of the keys in force here has signed their hash.
 */
#include "wire/roster.h"

#include "base/text.h"
#include "wire/lines.h"
#include "wire/network.h"
#include "wire/roster_index.h"

#include <assert.h>
#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

static const char first_line[] = "comity roster v1";

/* What 20,000 members with all that they may have decode to; the bytes alone are at most 8 MiB. */
static const size_t decoded_max = (size_t)128 * 1024 * 1024;

/* The lines of a roster's note. */
struct header {
    struct bytes network;
    uint64_t number;
    struct hash previous;
    int64_t issued_ms;
    int64_t renew_by_ms;
    struct hash bytes;
};

struct roster {
    struct buf file;
    struct bytes note, text, bytes;
    struct hash text_hash;
    struct header header;
    struct arena *arena;
    struct roster_doc doc;
    struct network network;
    struct roster_index index;
    const struct roster_member *broker;
};

static void note_hash(struct bytes text, struct hash *ret)
{
    hash_of(suite_get(SUITE_1), ret, text);
}

/* ---- opening ---- */

static bool cut_lp(struct bytes *rest, size_t max, struct bytes *ret)
{
    if (rest->len < 4)
        return false;
    size_t n = get_u32be(rest->data);
    if (n > max || n > rest->len - 4)
        return false;
    *ret = bytes_slice(*rest, 4, n);
    *rest = bytes_slice(*rest, 4 + n, rest->len);
    return true;
}

static int cut_file(struct roster *r, struct bytes file)
{
    struct bytes signatures;
    if (file.len > ROSTER_FILE_MAX)
        return COMITY_E_TOO_LARGE;
    buf_put_bytes(&r->file, file);
    int err = buf_check(&r->file);
    if (err)
        return err;
    struct bytes rest = buf_bytes(&r->file);
    if (!cut_lp(&rest, NOTE_MAX, &r->note) || !cut_lp(&rest, ROSTER_BYTES_MAX, &r->bytes) ||
        rest.len > 0)
        return COMITY_E_NOT_A_ROSTER;
    err = note_split(r->note, &r->text, &signatures);
    if (err == COMITY_E_NOT_A_NOTE || (!err && !bytes_has_prefix(r->text, "comity roster v1\n")))
        err = COMITY_E_NOT_A_ROSTER;
    return err;
}

static int read_header(struct bytes text, struct header *ret)
{
    struct lines l;
    struct header h = {0};
    struct hash none;
    note_hash(BYTES_NONE, &none);
    lines_open(&l, text, first_line);
    h.network = lines_text(&l);
    h.number = lines_u64(&l, 1, UINT64_MAX);
    lines_raw(&l, h.previous.b, sizeof h.previous.b);
    h.issued_ms = lines_time(&l);
    h.renew_by_ms = lines_time(&l);
    lines_raw(&l, h.bytes.b, sizeof h.bytes.b);
    lines_refuse_unless(&l, text_is_network(h.network), COMITY_E_MALFORMED);
    lines_refuse_unless(&l, h.renew_by_ms > h.issued_ms, COMITY_E_MALFORMED);
    lines_refuse_unless(&l, h.number > 1 || hash_equal(&h.previous, &none), COMITY_E_ROSTER_CHAIN);
    int err = lines_end(&l);
    if (!err)
        *ret = h;
    return err;
}

static int follow(const struct header *h, const struct network *in_force,
                  const struct roster *previous)
{
    if (!bytes_is(h->network, in_force->name))
        return COMITY_E_AUTHORITY;
    if (!previous)
        return COMITY_OK;
    if (h->number <= previous->header.number)
        return COMITY_E_ROSTER_OLD;
    if (h->number - 1 == previous->header.number && !hash_equal(&h->previous, &previous->text_hash))
        return COMITY_E_ROSTER_CHAIN;
    return COMITY_OK;
}

static int decode(struct roster *r)
{
    struct hash h;
    note_hash(r->bytes, &h);
    if (!hash_equal(&h, &r->header.bytes))
        return COMITY_E_SIGNATURE;
    r->arena = arena_new(decoded_max);
    if (!r->arena)
        return COMITY_E_NOMEM;
    int err = roster_doc_decode(r->arena, r->bytes, &r->doc);
    if (!err &&
        (r->doc.number != r->header.number || !bytes_equal(r->doc.network, r->header.network)))
        err = COMITY_E_MALFORMED;
    return err;
}

static void find_broker(struct roster *r)
{
    for (size_t i = 0; !r->broker && i < r->doc.member_count; i++)
        if (r->doc.members[i].role == MEMBER_BROKER)
            r->broker = &r->doc.members[i];
}

static bool same_closing(const struct roster_ledger *a, const struct roster_ledger *b)
{
    if (a->closed_size != b->closed_size || !bytes_equal(a->closed_root, b->closed_root) ||
        a->witness_count != b->witness_count)
        return false;
    for (size_t i = 0; i < a->witness_count; i++)
        if (a->witness[i].routed != b->witness[i].routed ||
            !bytes_equal(a->witness[i].broker, b->witness[i].broker))
            return false;
    return true;
}

/* A ledger that was ever listed stays listed, under its key, and a closed one stays closed where it
 * was: what it signed must be judged alike for as long as anybody holds it. */
static int keep_ledgers(const struct roster *r, const struct roster *previous)
{
    for (size_t i = 0; previous && i < previous->doc.member_count; i++) {
        const struct roster_member *m = &previous->doc.members[i];
        for (size_t k = 0; k < m->ledger_count; k++) {
            const struct roster_ledger *was = &m->ledgers[k];
            const struct roster_origin *is = roster_origin_of(r, was->origin);
            if (!is || is->ledger->suite != was->suite ||
                !bytes_equal(is->ledger->vkey, was->vkey) ||
                (was->is_closed && (!is->ledger->is_closed || !same_closing(was, is->ledger))))
                return COMITY_E_ROSTER_CHAIN;
        }
    }
    return COMITY_OK;
}

static int open_into(struct roster *r, struct bytes file, const struct network *in_force,
                     const struct roster *previous)
{
    int err = cut_file(r, file);
    if (!err)
        err = network_signed(in_force, r->note, &r->text);
    if (!err)
        err = read_header(r->text, &r->header);
    if (!err)
        err = follow(&r->header, in_force, previous);
    if (!err)
        err = decode(r);
    if (!err)
        err = network_of_doc(&r->doc, &r->network);
    if (!err)
        err = network_signed(&r->network, r->note, &r->text);
    if (!err)
        err = roster_index_init(&r->index, &r->doc, &r->network);
    if (!err)
        err = keep_ledgers(r, previous);
    if (err)
        return err;
    note_hash(r->text, &r->text_hash);
    find_broker(r);
    return COMITY_OK;
}

int roster_open(struct bytes file, const struct network *anchor, const struct roster *previous,
                struct roster **ret)
{
    assert(anchor || previous);
    struct roster *r = calloc(1, sizeof *r);
    if (!r)
        return COMITY_E_NOMEM;
    int err = open_into(r, file, previous ? &previous->network : anchor, previous);
    if (err)
        roster_free(r);
    else
        *ret = r;
    return err;
}

void roster_free(struct roster *r)
{
    if (!r)
        return;
    roster_index_done(&r->index);
    arena_free(r->arena);
    buf_free(&r->file);
    free(r);
}

/* ---- what it says ---- */

const struct roster_doc *roster_doc(const struct roster *r)
{
    return &r->doc;
}

uint64_t roster_number(const struct roster *r)
{
    return r->header.number;
}

struct bytes roster_file(const struct roster *r)
{
    return buf_bytes(&r->file);
}

struct bytes roster_note(const struct roster *r)
{
    return r->note;
}

struct bytes roster_note_text(const struct roster *r)
{
    return r->text;
}

void roster_text_hash(const struct roster *r, struct hash *ret)
{
    *ret = r->text_hash;
}

int64_t roster_renew_by_ms(const struct roster *r)
{
    return r->header.renew_by_ms;
}

const struct network *roster_network(const struct roster *r)
{
    return &r->network;
}

/* ---- looking things up ---- */

static int compare_to_member(const void *id, const void *member)
{
    return bytes_compare(*(const struct bytes *)id, ((const struct roster_member *)member)->id);
}

static int compare_to_curve(const void *key, const void *member)
{
    return memcmp(key, (*(const struct roster_member *const *)member)->curve.data, 32);
}

const struct roster_member *roster_member_of(const struct roster *r, struct bytes member_id)
{
    if (r->doc.member_count == 0)
        return NULL;
    return bsearch(&member_id, r->doc.members, r->doc.member_count, sizeof r->doc.members[0],
                   compare_to_member);
}

const struct roster_origin *roster_origin_of(const struct roster *r, struct bytes origin)
{
    size_t i = roster_index_find(&r->index, origin);
    return i == SIZE_MAX ? NULL : &r->index.origins[i];
}

const struct roster_member *roster_member_by_curve(const struct roster *r, const uint8_t key[32])
{
    const struct roster_member **found = bsearch(key, r->index.by_curve, r->index.curve_count,
                                                 sizeof r->index.by_curve[0], compare_to_curve);
    return found ? *found : NULL;
}

const struct roster_origin *roster_current_origin(const struct roster *r,
                                                  const struct roster_member *m)
{
    size_t i = r->index.current[m - r->doc.members];
    return i == SIZE_MAX ? NULL : &r->index.origins[i];
}

const struct roster_member *roster_broker(const struct roster *r)
{
    return r->broker;
}

void seal_key_id(const struct suite *suite, const uint8_t pub[32], uint8_t ret[SEAL_KEY_ID_LEN])
{
    struct hash h;
    hash_of(suite, &h, BYTES_LIT("comity-seal-key-id/v1\n"), BYTES(pub, 32));
    memcpy(ret, h.b, SEAL_KEY_ID_LEN);
}

/* ---- building ---- */

int roster_put_note_text(struct buf *out, const struct roster_issue *issue, struct bytes bytes)
{
    struct buf text = BUF_INIT;
    struct header again;
    struct hash previous, content;
    if ((issue->number == 1) != (issue->previous_text.len == 0))
        return COMITY_E_INVALID;
    note_hash(issue->previous_text, &previous);
    note_hash(bytes, &content);
    line_put(&text, bytes_of(first_line));
    line_put(&text, issue->network);
    line_put_u64(&text, issue->number);
    line_put_raw(&text, hash_bytes(&previous));
    line_put_time(&text, issue->issued_ms);
    line_put_time(&text, issue->renew_by_ms);
    line_put_raw(&text, hash_bytes(&content));
    int err = buf_check(&text);
    if (!err)
        err = read_header(buf_bytes(&text), &again);
    return lines_settle(out, &text, err);
}
