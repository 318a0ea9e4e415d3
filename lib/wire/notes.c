/*
 * What officers sign: enrolments, signatures under records, and the seals of packages. See notes.h;
 * join notes are in join.c.
 *
 * Whose key stands under a note is in the key's name, origin "/officer/" licence, and is held
 * against the note's own lines: so that a caller who picks the wrong key is refused, and is not
 * told a wrong name.
 */
#include "wire/notes.h"

#include "wire/lines.h"

#include <comity/err.h>
#include <string.h>

static const char officer_line[] = "comity officer v1";
static const char signature_line[] = "comity officer signature v1";
static const char package_line[] = "comity package v1";
static const char officer_infix[] = "/officer/";

static const char *const signature_words[] = {[SIGNATURE_COLLECTOR] = "collector",
                                              [SIGNATURE_APPROVER] = "approver",
                                              [SIGNATURE_REVIEWER] = "reviewer"};
enum { SIGNATURE_WORDS = sizeof signature_words / sizeof signature_words[0] };

const char *signature_role_word(enum signature_role role)
{
    unsigned i = (unsigned)role;
    return i > 0 && i < SIGNATURE_WORDS ? signature_words[i] : NULL;
}

/* Cut origin "/officer/" off the front of the key's name; none when that is not how it begins. */
static struct bytes licence_in(const struct note_verifier *key, struct bytes origin)
{
    struct bytes name = bytes_of(key->name);
    struct bytes rest = bytes_slice(name, origin.len, name.len);
    if (!bytes_equal(bytes_slice(name, 0, origin.len), origin) ||
        !bytes_has_prefix(rest, officer_infix))
        return BYTES_NONE;
    return bytes_slice(rest, strlen(officer_infix), rest.len);
}

static bool is_key_of(const struct note_verifier *key, struct bytes origin, struct bytes licence)
{
    return licence.len > 0 && bytes_equal(licence_in(key, origin), licence);
}

/* ---- enrolments ---- */

static int read_enrolment(struct bytes text, struct officer_enrolment *ret)
{
    struct lines l;
    struct officer_enrolment e = {0};
    lines_open(&l, text, officer_line);
    e.origin = lines_origin(&l);
    e.name = lines_text(&l);
    e.licence = lines_text(&l);
    lines_key(&l, &e.key);
    lines_refuse_unless(&l, is_key_of(&e.key, e.origin, e.licence), COMITY_E_MALFORMED);
    int err = lines_end(&l);
    if (!err)
        *ret = e;
    return err;
}

int officer_put_text(struct buf *out, const struct officer_enrolment *e)
{
    struct buf text = BUF_INIT;
    struct officer_enrolment again;
    line_put(&text, bytes_of(officer_line));
    line_put(&text, e->origin);
    line_put(&text, e->name);
    line_put(&text, e->licence);
    line_put_key(&text, &e->key);
    int err = buf_check(&text);
    if (!err)
        err = read_enrolment(buf_bytes(&text), &again);
    return lines_settle(out, &text, err);
}

int officer_open(struct bytes note, struct officer_enrolment *ret)
{
    struct officer_enrolment e;
    struct bytes text, signatures;
    int err = note_split(note, &text, &signatures);
    if (!err)
        err = read_enrolment(text, &e);
    if (!err)
        err = note_open(note, &e.key, &text);
    if (!err)
        *ret = e;
    return err;
}

/* ---- signatures under records ---- */

static int read_signature(struct bytes text, struct officer_signature *ret)
{
    struct lines l;
    struct officer_signature s = {0};
    lines_open(&l, text, signature_line);
    s.origin = lines_origin(&l);
    s.licence = lines_text(&l);
    s.role = (enum signature_role)lines_word(&l, signature_words, SIGNATURE_WORDS);
    s.record_kind = (uint32_t)lines_u64(&l, 1, UINT32_MAX);
    lines_raw(&l, s.record_hash.b, sizeof s.record_hash.b);
    s.time_ms = lines_time(&l);
    int err = lines_end(&l);
    if (!err)
        *ret = s;
    return err;
}

int officer_signature_put_text(struct buf *out, const struct officer_signature *s)
{
    struct buf text = BUF_INIT;
    struct officer_signature again;
    const char *role = signature_role_word(s->role);
    line_put(&text, bytes_of(signature_line));
    line_put(&text, s->origin);
    line_put(&text, s->licence);
    line_put(&text, bytes_of(role ? role : ""));
    line_put_u64(&text, s->record_kind);
    line_put_raw(&text, hash_bytes(&s->record_hash));
    line_put_time(&text, s->time_ms);
    int err = buf_check(&text);
    if (!err)
        err = read_signature(buf_bytes(&text), &again);
    return lines_settle(out, &text, err);
}

int officer_signature_peek(struct bytes note, struct officer_signature *ret)
{
    struct bytes text, signatures;
    int err = note_split(note, &text, &signatures);
    return err ? err : read_signature(text, ret);
}

int officer_signature_open(struct bytes note, const struct note_verifier *key,
                           struct officer_signature *ret)
{
    struct officer_signature s;
    struct bytes text;
    int err = note_open(note, key, &text);
    if (!err)
        err = read_signature(text, &s);
    if (!err && !is_key_of(key, s.origin, s.licence))
        err = COMITY_E_SIGNATURE;
    if (!err)
        *ret = s;
    return err;
}

/* ---- packages ---- */

static int read_package(struct bytes text, struct package_seal *ret)
{
    struct lines l;
    struct package_seal p = {0};
    lines_open(&l, text, package_line);
    p.origin = lines_origin(&l);
    lines_raw(&l, p.sums.b, sizeof p.sums.b);
    p.time_ms = lines_time(&l);
    int err = lines_end(&l);
    if (!err)
        *ret = p;
    return err;
}

int package_put_text(struct buf *out, const struct package_seal *p)
{
    struct buf text = BUF_INIT;
    struct package_seal again;
    line_put(&text, bytes_of(package_line));
    line_put(&text, p->origin);
    line_put_raw(&text, hash_bytes(&p->sums));
    line_put_time(&text, p->time_ms);
    int err = buf_check(&text);
    if (!err)
        err = read_package(buf_bytes(&text), &again);
    return lines_settle(out, &text, err);
}

int package_open(struct bytes note, const struct note_verifier *key, struct package_seal *ret)
{
    struct package_seal p;
    struct bytes text;
    int err = note_open(note, key, &text);
    if (!err)
        err = read_package(text, &p);
    if (!err && licence_in(key, p.origin).len == 0)
        err = COMITY_E_SIGNATURE;
    if (!err)
        *ret = p;
    return err;
}
