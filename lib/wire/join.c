/*
 * Join notes: how a member asks to stand in the roster. See notes.h.
 *
 * The note is signed by the key that it names, which proves that the key is held, and nothing about
 * who holds it: that is for the authority to find out before it lets anyone in.
 */
#include "wire/notes.h"

#include "base/text.h"
#include "crypto/seal.h"
#include "wire/lines.h"
#include "wire/member.h"

#include <comity/err.h>
#include <string.h>

static const char first_line[] = "comity join v1";
static const char *const role_words[] = {
    [MEMBER_BUREAU] = "bureau", [MEMBER_BROKER] = "broker", [MEMBER_AUDITOR] = "auditor"};
enum { ROLE_WORDS = sizeof role_words / sizeof role_words[0] };

static void read_seal(struct lines *l, struct join_request *j)
{
    struct bytes line = lines_optional(l);
    j->has_seal = line.len > 0;
    if (!l->err && j->has_seal)
        l->err = text_get_base64_exact(line, j->seal, sizeof j->seal);
    if (!l->err && j->has_seal)
        l->err = seal_public_check(j->seal);
}

static bool names_member(const struct note_verifier *ledger, struct bytes member)
{
    struct origin origin;
    return !text_get_origin(bytes_of(ledger->name), &origin) && bytes_equal(origin.member, member);
}

/* Leaves ${ret} alone unless the text is a join text, signed or not. */
static int read_text(struct bytes text, struct join_request *ret)
{
    struct lines l;
    struct join_request j = {0};
    lines_open(&l, text, first_line);
    j.member = lines_text(&l);
    j.role = lines_word(&l, role_words, ROLE_WORDS);
    j.name = lines_text(&l);
    lines_key(&l, &j.ledger);
    j.suite = (uint32_t)lines_u64(&l, 0, UINT32_MAX);
    lines_raw(&l, j.curve, sizeof j.curve);
    read_seal(&l, &j);
    size_t endpoints = 0;
    for (size_t i = 0; i < 2; i++) {
        j.endpoint[i] = lines_optional(&l);
        endpoints += j.endpoint[i].len > 0;
    }
    lines_refuse_unless(&l, member_id_fits(j.role, j.member), COMITY_E_MALFORMED);
    lines_refuse_unless(&l, names_member(&j.ledger, j.member), COMITY_E_MALFORMED);
    lines_refuse_unless(&l, member_endpoints_fit(j.role, j.endpoint, endpoints),
                        COMITY_E_MALFORMED);
    lines_refuse_unless(&l, suite_get(j.suite) != NULL, COMITY_E_SUITE);
    if (!l.err)
        l.err = seal_public_check(j.curve);
    lines_refuse_unless(&l, !j.has_seal || memcmp(j.seal, j.curve, sizeof j.seal) != 0,
                        COMITY_E_BAD_KEY);
    int err = lines_end(&l);
    if (!err)
        *ret = j;
    return err;
}

int join_put_text(struct buf *out, const struct join_request *j)
{
    struct buf text = BUF_INIT;
    struct join_request again;
    bool is_role = j->role > 0 && j->role < ROLE_WORDS;
    line_put(&text, bytes_of(first_line));
    line_put(&text, j->member);
    line_put(&text, bytes_of(is_role ? role_words[j->role] : ""));
    line_put(&text, j->name);
    line_put_key(&text, &j->ledger);
    line_put_u64(&text, j->suite);
    line_put_raw(&text, BYTES(j->curve, sizeof j->curve));
    if (j->has_seal)
        line_put_raw(&text, BYTES(j->seal, sizeof j->seal));
    else
        line_put_optional(&text, BYTES_NONE);
    line_put_optional(&text, j->endpoint[0]);
    line_put_optional(&text, j->endpoint[1]);
    int err = buf_check(&text);
    if (!err)
        err = read_text(buf_bytes(&text), &again);
    return lines_settle(out, &text, err);
}

int join_open(struct bytes note, struct join_request *ret)
{
    struct join_request j;
    struct bytes text, signatures;
    int err = note_split(note, &text, &signatures);
    if (!err)
        err = read_text(text, &j);
    if (!err)
        err = note_open(note, &j.ledger, &text);
    if (!err)
        *ret = j;
    return err;
}
