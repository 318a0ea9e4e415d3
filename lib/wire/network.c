/*
 * The authority's keys: their file, their rules, and counting their signatures. See roster.h and
 * network.h.
 */
#include "wire/network.h"

#include "base/text.h"
#include "wire/lines.h"

#include <comity/err.h>
#include <string.h>

static const char first_line[] = "comity network v1";

/* network "/authority" ["." n] */
static bool is_authority_name(struct bytes name, struct bytes network)
{
    uint64_t n = 0;
    struct bytes rest = bytes_slice(name, network.len, name.len);
    if (!bytes_equal(bytes_slice(name, 0, network.len), network) ||
        !bytes_has_prefix(rest, "/authority"))
        return false;
    rest = bytes_slice(rest, strlen("/authority"), rest.len);
    if (rest.len == 0)
        return true;
    return rest.data[0] == '.' && !text_get_u64(bytes_slice(rest, 1, rest.len), &n) && n >= 2;
}

/* The same key under two names would count twice; two keys of one name and id could not be told
 * apart. */
static bool is_same_key(const struct note_verifier *a, const struct note_verifier *b)
{
    return memcmp(a->pub, b->pub, sizeof a->pub) == 0 ||
           (a->key_id == b->key_id && strcmp(a->name, b->name) == 0);
}

/* COMITY_OK for a valid name, a threshold from 1 to the number of keys, keys named network
 * "/authority" ["." n] (n from 2), and no key twice. COMITY_E_MALFORMED, COMITY_E_BAD_KEY for a key
 * that stands there twice. */
static int check(const struct network *n)
{
    struct bytes name = bytes_of(n->name);
    if (!text_is_network(name) || n->authority_count > ROSTER_AUTHORITY_MAX || n->threshold < 1 ||
        n->threshold > n->authority_count)
        return COMITY_E_MALFORMED;
    for (size_t i = 0; i < n->authority_count; i++) {
        if (!is_authority_name(bytes_of(n->authority[i].name), name))
            return COMITY_E_MALFORMED;
        for (size_t k = 0; k < i; k++)
            if (is_same_key(&n->authority[i], &n->authority[k]))
                return COMITY_E_BAD_KEY;
    }
    return COMITY_OK;
}

static int set_name(struct network *n, struct bytes name)
{
    if (!text_is_network(name))
        return COMITY_E_MALFORMED;
    memcpy(n->name, name.data, name.len);
    return COMITY_OK;
}

int network_parse(struct bytes text, struct network *ret)
{
    struct lines l;
    struct network n = {0};
    lines_open(&l, text, first_line);
    struct bytes name = lines_text(&l);
    n.threshold = (uint32_t)lines_u64(&l, 1, ROSTER_AUTHORITY_MAX);
    while (lines_more(&l) && n.authority_count < ROSTER_AUTHORITY_MAX)
        lines_key(&l, &n.authority[n.authority_count++]);
    int err = lines_end(&l);
    if (!err)
        err = set_name(&n, name);
    if (!err)
        err = check(&n);
    if (!err)
        *ret = n;
    return err;
}

void network_put(struct buf *out, const struct network *n)
{
    line_put(out, bytes_of(first_line));
    line_put(out, bytes_of(n->name));
    line_put_u64(out, n->threshold);
    for (size_t i = 0; i < n->authority_count; i++)
        line_put_key(out, &n->authority[i]);
}

int network_of_doc(const struct roster_doc *doc, struct network *ret)
{
    struct network n = {.threshold = doc->threshold};
    if (doc->authority_count > ROSTER_AUTHORITY_MAX)
        return COMITY_E_MALFORMED;
    int err = set_name(&n, doc->network);
    while (!err && n.authority_count < doc->authority_count) {
        err = vkey_read(doc->authority[n.authority_count], &n.authority[n.authority_count]);
        n.authority_count++;
    }
    if (!err)
        err = check(&n);
    if (!err)
        *ret = n;
    return err;
}

int network_signed(const struct network *n, struct bytes note, struct bytes *ret_text)
{
    bool signed_by[ROSTER_AUTHORITY_MAX] = {false};
    struct bytes text;
    size_t count = 0;
    int err = check(n);
    if (!err)
        err = note_open_many(note, n->authority, n->authority_count, signed_by, &text);
    if (err)
        return err;
    for (size_t i = 0; i < n->authority_count; i++)
        count += signed_by[i];
    if (count < n->threshold)
        return COMITY_E_AUTHORITY;
    *ret_text = text;
    return COMITY_OK;
}
