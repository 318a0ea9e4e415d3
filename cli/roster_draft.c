/*
 * The next roster, from what is decided to a signed file. See authority.h.
 */
#include "authority.h"

#include "base/clock.h"
#include "base/text.h"
#include "secret.h"

#include <string.h>

enum { NOTE_LINES = 7, NOTE_HASH_LINE = 6 };

static const struct view_field draft_fields[] = {
    {"file", N_("roster file"), AS_WHOLE},
    {"network", N_("network"), AS_TEXT},
    {"number", N_("number"), AS_NUMBER},
    {"issued", N_("issued"), AS_TIME},
    {"renew_by", N_("renew by"), AS_DATE},
    {"members", N_("members"), AS_NUMBER},
    {"signatures", N_("signatures"), AS_NUMBER},
    {"threshold", N_("needed"), AS_NUMBER},
    {"complete", N_("complete"), AS_VALID},
    {"fingerprint", N_("SHA-256"), AS_HEX},
    {0},
};
static const struct view_field change_fields[] = {
    {"change", NULL, AS_STATE},
    {"member", N_("member"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"name", N_("name"), AS_WHOLE},
    {"origin", N_("ledger"), AS_WHOLE},
    {"size", N_("closed at"), AS_NUMBER},
    {0},
};
const struct view roster_draft_view = {
    .sections = (const struct view_section[]){
        {NULL, NULL, draft_fields, NULL}, {"changes", N_("Changes"), change_fields, NULL}, {0}}};

/* The keys that must sign. */
static const struct network *authority_of(const struct roster_draft *d)
{
    return d->current ? roster_network(d->current) : &d->network;
}

int authority_read_network(struct cli *c, const char *path, struct network *ret)
{
    struct bytes text;
    int err = files_read(c, path, NETWORK_FILE_MAX, &text);
    if (!err && network_parse(text, ret) != 0)
        err = cli_fail(c, COMITY_E_MALFORMED, _("%s is not a network file"), path);
    return err;
}

int roster_draft_network(struct cli *c, struct roster_draft *d)
{
    return authority_read_network(c, flag_text(c, "network"), &d->network);
}

void roster_draft_done(struct roster_draft *d)
{
    roster_free(d->current);
    buf_free(&d->bytes);
    buf_free(&d->note);
    buf_free(&d->file);
    json_decref(d->changes);
}

/* ---- signing ---- */

static bool is_authority_key(const struct network *n, const struct note_verifier *v)
{
    for (size_t i = 0; i < n->authority_count; i++)
        if (strcmp(n->authority[i].name, v->name) == 0 &&
            memcmp(n->authority[i].pub, v->pub, sizeof v->pub) == 0)
            return true;
    return false;
}

/* Whether this key's signature stands under the note. */
static bool has_signed(const struct roster_draft *d, const struct note_verifier *v)
{
    struct bytes text;
    return note_open(buf_bytes(&d->note), v, &text) == 0;
}

static int sign_with(struct cli *c, struct roster_draft *d, size_t n, struct bytes text)
{
    struct note_signer *signer = NULL;
    struct buf signed_note = BUF_INIT;
    const char *path = flag_at(c, "key", n);
    int err = secret_open(c, n, path, KEY_AUTHORITY, &signer);
    if (!err && !is_authority_key(authority_of(d), note_signer_public(signer)))
        err = cli_fail(c, COMITY_E_AUTHORITY, _("%s is no key of the authority of %s"), path,
                       d->network.name);
    if (!err && !has_signed(d, note_signer_public(signer))) {
        err = d->note.len ? note_add_signature(signer, buf_bytes(&d->note), &signed_note)
                          : note_sign(signer, text, &signed_note);
        if (err)
            cli_fail_at(c, err, path);
    }
    if (!err && signed_note.len) {
        buf_reset(&d->note);
        buf_put_bytes(&d->note, buf_bytes(&signed_note));
    }
    buf_free(&signed_note);
    note_signer_free(signer);
    return err;
}

static int count_signatures(struct cli *c, struct roster_draft *d)
{
    bool signed_by[ROSTER_AUTHORITY_MAX] = {false};
    const struct network *n = authority_of(d);
    struct bytes text;
    int err =
        note_open_many(buf_bytes(&d->note), n->authority, n->authority_count, signed_by, &text);
    if (err)
        return cli_fail_at(c, err, NULL);
    d->signatures = 0;
    for (size_t i = 0; i < n->authority_count; i++)
        d->signatures += signed_by[i];
    d->needed = n->threshold > d->doc.threshold ? n->threshold : d->doc.threshold;
    return COMITY_OK;
}

/* What was made must pass where it will be read. */
static int check_whole(struct cli *c, const struct roster_draft *d)
{
    struct roster *again = NULL;
    int err = roster_open(buf_bytes(&d->file), d->current ? NULL : &d->network, d->current, &again);
    roster_free(again);
    if (err == COMITY_E_BAD_KEY)
        return cli_fail(c, err,
                        _("a key stands in this roster twice, or must not be used: "
                          "was a folder copied, or a join file renamed?"));
    return err ? cli_fail(c, err, _("the new roster breaks a rule: %s"), _(comity_err_text(err)))
               : COMITY_OK;
}

static int sign_text(struct cli *c, struct roster_draft *d, struct bytes text)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < flag_count(c, "key"); i++)
        err = sign_with(c, d, i, text);
    if (!err)
        err = count_signatures(c, d);
    if (err)
        return err;
    buf_reset(&d->file);
    buf_put_lp(&d->file, buf_bytes(&d->note));
    buf_put_lp(&d->file, buf_bytes(&d->bytes));
    if (buf_check(&d->file))
        return cli_fail_at(c, COMITY_E_NOMEM, NULL);
    return d->signatures >= d->needed ? check_whole(c, d) : COMITY_OK;
}

static int make_text(struct cli *c, struct roster_draft *d, struct buf *text)
{
    uint64_t days = 0;
    int64_t now = clock_wall_ms(&clock_system);
    int err = flag_number(c, "renew-in", 1, 3660, 366, &days);
    if (err)
        return err;
    err = roster_doc_encode(&d->doc, &d->bytes);
    const struct roster_issue issue = {.network = d->doc.network,
                                       .number = d->doc.number,
                                       .previous_text =
                                           d->current ? roster_note_text(d->current) : BYTES_NONE,
                                       .issued_ms = now,
                                       .renew_by_ms = now + (int64_t)days * 86400 * 1000};
    if (!err)
        err = roster_put_note_text(text, &issue, buf_bytes(&d->bytes));
    return err ? cli_fail(c, err, _("the new roster breaks a rule: %s"), _(comity_err_text(err)))
               : COMITY_OK;
}

int roster_draft_sign(struct cli *c, struct roster_draft *d)
{
    struct buf text = BUF_INIT;
    int err = d->note.len ? COMITY_OK : make_text(c, d, &text);
    if (!err)
        err = sign_text(c, d, buf_bytes(&text));
    buf_free(&text);
    return err;
}

/* ---- a draft that others began ---- */

static bool take_lp(struct bytes *rest, struct bytes *ret)
{
    if (rest->len < 4 || get_u32be(rest->data) > rest->len - 4)
        return false;
    *ret = bytes_slice(*rest, 4, get_u32be(rest->data));
    *rest = bytes_slice(*rest, 4 + ret->len, rest->len);
    return true;
}

/* Whether the note is about these bytes: its signers signed nothing else. */
static bool note_is_about(struct bytes note, struct bytes bytes, const struct roster_doc *doc)
{
    struct bytes text, signatures, lines[NOTE_LINES];
    struct hash h;
    uint8_t named[HASH_LEN];
    uint64_t number;
    hash_of(suite_get(SUITE_1), &h, bytes);
    return note_split(note, &text, &signatures) == 0 &&
           note_fields(text, "comity roster v1", lines, NOTE_LINES) == 0 &&
           bytes_equal(lines[1], doc->network) && text_get_u64(lines[2], &number) == 0 &&
           number == doc->number &&
           text_get_base64_exact(lines[NOTE_HASH_LINE], named, HASH_LEN) == 0 &&
           memcmp(named, h.b, HASH_LEN) == 0;
}

int roster_draft_read(struct cli *c, struct roster_draft *d, const char *path)
{
    struct bytes rest, note, bytes;
    int err = files_read(c, path, ROSTER_FILE_MAX, &rest);
    if (err)
        return err;
    if (!take_lp(&rest, &note) || !take_lp(&rest, &bytes) || rest.len ||
        roster_doc_decode(c->arena, bytes, &d->doc) != 0 || !note_is_about(note, bytes, &d->doc))
        return cli_fail(c, COMITY_E_NOT_A_ROSTER, _("%s is not a roster file"), path);
    if (!bytes_is(d->doc.network, d->network.name))
        return cli_fail(c, COMITY_E_AUTHORITY, _("%s is a roster of %.*s, not of %s"), path,
                        (int)d->doc.network.len, (const char *)d->doc.network.data,
                        d->network.name);
    buf_put_bytes(&d->note, note);
    buf_put_bytes(&d->bytes, bytes);
    return buf_check(&d->note) || buf_check(&d->bytes) ? cli_fail_at(c, COMITY_E_NOMEM, NULL)
                                                       : COMITY_OK;
}

/* ---- the result ---- */

int roster_draft_result(struct cli *c, struct roster_draft *d, const char *path)
{
    struct bytes text, signatures, lines[NOTE_LINES];
    int err = note_split(buf_bytes(&d->note), &text, &signatures);
    if (!err)
        err = note_fields(text, "comity roster v1", lines, NOTE_LINES);
    if (err)
        return cli_fail_at(c, err, path);
    bool complete = d->signatures >= d->needed;
    err = cli_result(
        c,
        json_pack("{s:s*, s:s, s:I, s:s%, s:s%, s:I, s:I, s:I, s:b, s:s, s:O*}", "file", path,
                  "network", d->network.name, "number", (json_int_t)d->doc.number, "issued",
                  lines[4].data, lines[4].len, "renew_by", lines[5].data, lines[5].len, "members",
                  (json_int_t)d->doc.member_count, "signatures", (json_int_t)d->signatures,
                  "threshold", (json_int_t)d->needed, "complete", complete, "fingerprint",
                  files_fingerprint(c, buf_bytes(&d->file)), "changes", d->changes));
    if (!path) {
        cli_next(c, _("Dry run: nothing was written."));
    } else if (!complete) {
        cli_next(c, _("Not in force before %u more of the authority's keys have signed:"),
                 (unsigned)(d->needed - d->signatures));
        cli_next(c, "comity authority sign %s --network … --key …", path);
    } else {
        cli_next(c,
                 _("Give it to the broker's operator, who hands it on to all nodes: comity broker "
                   "join --dir … --roster %s"),
                 path);
        cli_next(c, _("A new member takes it with: comity node join --dir … --roster %s"), path);
    }
    return err;
}
