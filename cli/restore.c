/*
 * node restore. See restore.h; what is done to the folder is lib/site/succession.c's.
 */
#include "restore.h"

#include "base/clock.h"
#include "files.h"
#include "secret.h"
#include "site/restore.h"
#include "site_command.h"

#include <sys/stat.h>

static const struct view_field fields[] = {
    {"before", N_("old ledger"), AS_WHOLE},
    {"size", N_("entries in this copy"), AS_NUMBER},
    {"known_size", N_("entries that the broker has seen"), AS_NUMBER},
    {"closed_size", N_("closed at"), AS_NUMBER},
    {"origin", N_("new ledger"), AS_WHOLE},
    {"join", N_("join file"), AS_WHOLE},
    {"fingerprint", N_("SHA-256 of the join file"), AS_HEX},
    {"archive", N_("the old one lies in"), AS_WHOLE},
    {0},
};
const struct view restore_view = {
    .sections = (const struct view_section[]){{NULL, NULL, fields, NULL}, {0}}};

/* Entries of the ledger in the folder. */
static int read_size(struct cli *c, const struct site *s, uint64_t *ret)
{
    struct store *store = NULL;
    struct ledger *ledger = NULL;
    int err = store_open(s->dir, site_store_name(s), DB_READ, &store);
    if (!err)
        err = ledger_open_read(store, &ledger);
    if (!err)
        *ret = ledger_signed_size(ledger);
    ledger_close(ledger);
    store_close(store);
    return err ? cli_fail_at(c, err, s->dir) : COMITY_OK;
}

/* That it is an old copy was found by the daemon, of this very ledger: nobody ends one that is in
 * order by mistake. */
static int check_found(struct cli *c, const struct site *s, struct site_rollback *ret)
{
    uint64_t size = 0;
    int err = read_size(c, s, &size);
    if (err)
        return err;
    if (site_rollback_read(s->dir, ret) == COMITY_OK && ret->size == size)
        return COMITY_OK;
    return cli_hint(
        c,
        cli_fail(c, COMITY_E_STATE,
                 _("%s is not known to be an old copy: no broker has said so of its ledger "
                   "of %llu entries"),
                 s->dir, (unsigned long long)size),
        _("start comity-node; if the broker knows more of the ledger, it says so and ends"));
}

/* ---- the first half ---- */

static int begin_result(struct cli *c, const struct site *s, const struct site_rollback *r,
                        const char *out, struct bytes join)
{
    struct join_request j;
    int err = join_open(join, &j);
    if (err)
        return cli_fail_at(c, err, out);
    err =
        cli_result(c, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s}", "dir", s->dir, "member",
                                s->member, "before", s->origin, "origin", j.ledger.name, "size",
                                (json_int_t)r->size, "known_size", (json_int_t)r->known_size,
                                "join", out, "fingerprint", files_fingerprint(c, join)));
    cli_next(c,
             _("Nothing was changed so far. Send %s to the authority, and read its SHA-256 out to "
               "them by telephone."),
             out);
    cli_next(c,
             _("The broker's operator sends them what it has seen last: comity broker witness %s "
               "--dir …"),
             s->member);
    cli_next(c,
             _("They close the old ledger there and let the new one in: comity authority add %s "
               "--at %s.witness …"),
             out, s->member);
    cli_next(c, "comity node restore --dir %s --roster …", s->dir);
    return err;
}

/* The file may lie there from the first time. */
static int write_join(struct cli *c, const char *out, struct bytes join)
{
    struct bytes there;
    struct stat st;
    if (stat(out, &st) == 0 && files_read(c, out, NOTE_MAX, &there) == 0 &&
        bytes_equal(there, join))
        return COMITY_OK;
    return files_create(c, out, join);
}

static int begin(struct cli *c, const struct site *s)
{
    struct site_rollback r = {0};
    struct bytes passphrase;
    struct buf join = BUF_INIT;
    struct buf detail = BUF_INIT;
    struct origin own = {0};
    const struct site_succession how = {.new_keys = flag_given(c, "new-keys")};
    const char *out = flag_text(c, "out");
    int err = check_found(c, s, &r);
    if (!err && text_get_origin(bytes_of(s->origin), &own))
        err = cli_fail_at(c, COMITY_E_KEY_DAMAGED, s->dir);
    if (!out)
        out = cli_text(c, "%s.%u.join", s->member, own.generation + 1);
    if (!err)
        err = secret_passphrase(c, 0, s->dir, false, &passphrase);
    if (!err && (err = site_succession_begin(s, &how, passphrase, &join, &detail)) != 0)
        cli_fail_detail(c, err, &detail);
    if (!err)
        err = write_join(c, out, buf_bytes(&join));
    if (!err)
        err = begin_result(c, s, &r, out, buf_bytes(&join));
    buf_free(&join);
    buf_free(&detail);
    return err;
}

/* ---- the second half ---- */

static int finish_result(struct cli *c, const struct site *s, const struct site_succeeded *is)
{
    int err =
        cli_result(c, json_pack("{s:s, s:s, s:s, s:s, s:I, s:I, s:s}", "dir", s->dir, "member",
                                s->member, "before", is->before, "origin", is->origin, "size",
                                (json_int_t)is->size, "closed_size", (json_int_t)is->closed_size,
                                "archive", cli_text(c, "%s/archive/%u", s->dir, is->number)));
    cli_next(
        c,
        _("Start it: comity-node --config %s/node.conf. It fetches what the broker still holds "
          "of the old ledger; comity status says what is missing."),
        s->dir);
    cli_next(c, _("Officers are enrolled anew: comity key new"));
    return err;
}

static int finish_with(struct cli *c, const struct site *s, struct bytes roster,
                       struct bytes passphrase, uint64_t least, struct site_succeeded *ret)
{
    struct buf detail = BUF_INIT;
    int err = site_succession_finish(s, roster, passphrase, least, clock_wall_ms(&clock_system),
                                     ret, &detail);
    if (err)
        cli_fail_detail(c, err, &detail);
    buf_free(&detail);
    return err;
}

static int finish(struct cli *c, const struct site *s)
{
    struct site_rollback r = {0};
    struct site_succeeded is;
    struct bytes passphrase;
    struct bytes roster;
    int err = files_read(c, flag_text(c, "roster"), ROSTER_FILE_MAX, &roster);
    if (!err)
        err = secret_passphrase(c, 0, s->dir, false, &passphrase);
    if (err)
        return err;
    if (site_rollback_read(s->dir, &r))
        r.known_size = 0;
    /* The authority may have meant it. Then somebody says so here. */
    err = finish_with(c, s, roster, passphrase, flag_given(c, "yes") ? 0 : r.known_size, &is);
    if (err == COMITY_E_ROLLBACK)
        cli_hint(c, err, _("ask the authority why; if it is meant so, say --yes"));
    return err ? err : finish_result(c, s, &is);
}

int restore_command(struct cli *c, enum member_role role)
{
    struct site *s = NULL;
    int err = site_command_load(c, role, &s);
    if (!err)
        err = flag_given(c, "roster") ? finish(c, s) : begin(c, s);
    site_free(s);
    return err;
}
