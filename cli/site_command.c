/*
 * init and join of nodes and brokers. See site_command.h.
 */
#include "site_command.h"

#include "authority.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "files.h"
#include "link/endpoint.h"
#include "secret.h"
#include "term.h"

#include <string.h>
#include <sys/stat.h>

static const struct view_field init_fields[] = {
    {"join", N_("join file"), AS_WHOLE},
    {"dir", N_("folder"), AS_WHOLE},
    {"origin", N_("ledger"), AS_WHOLE},
    {"name", N_("name"), AS_WHOLE},
    {"endpoints[]", N_("endpoints"), AS_WHOLE},
    {"fingerprint", N_("SHA-256 of the join file"), AS_HEX},
    {0},
};
const struct view site_init_view = {
    .done = N_("The folder is made."),
    .sections = (const struct view_section[]){{NULL, NULL, init_fields, NULL}, {0}}};

static const struct view_field join_fields[] = {
    {"member", N_("member"), AS_WHOLE},    {"network", N_("network"), AS_TEXT},
    {"roster", N_("roster"), AS_NUMBER},   {"members", N_("members"), AS_NUMBER},
    {"renew_by", N_("renew by"), AS_DATE}, {0},
};
const struct view site_join_view = {
    .done = N_("The roster names this member with the keys of this folder."),
    .sections = (const struct view_section[]){{NULL, NULL, join_fields, NULL}, {0}}};

static const char *program_of(enum member_role role)
{
    return role == MEMBER_BROKER ? "comity-broker" : "comity-node";
}

static const char *conf_of(enum member_role role)
{
    return role == MEMBER_BROKER ? "broker.conf" : "node.conf";
}

/* ---- init ---- */

/* tcp://HOST:PORT: a port that a socket can have. */
static int check_port(struct cli *c, const char *flag, const char *endpoint)
{
    uint64_t port = 0;
    const char *colon = strrchr(endpoint, ':');
    if (strncmp(endpoint, "tcp://", 6) != 0 || !colon || strcmp(colon, ":*") == 0)
        return COMITY_OK;
    if (text_get_u64(bytes_of(colon + 1), &port) == 0 && port >= 1 && port <= 65535)
        return COMITY_OK;
    return cli_fail(c, COMITY_E_USAGE, _("--%s: \"%s\": a port is a number from 1 to 65535"), flag,
                    endpoint);
}

static int check_endpoint(struct cli *c, const char *flag)
{
    const char *reason = NULL;
    const char *endpoint = flag_text(c, flag);
    int err = link_endpoint_check(endpoint, &reason);
    if (err)
        return cli_fail(c, COMITY_E_USAGE, _("--%s: \"%s\": %s"), flag, endpoint, _(reason));
    return check_port(c, flag, endpoint);
}

static int fill_plan(struct cli *c, enum member_role role, struct site_plan *plan)
{
    const char *file = flag_text(c, "passphrase-file");
    *plan = (struct site_plan){.dir = flag_text(c, "dir"),
                               .network = flag_text(c, "network"),
                               .role = role,
                               .member = flag_text(c, "member"),
                               .name = flag_text(c, "name")};
    if (file && strcmp(file, "-") != 0 && strncmp(file, "fd:", 3) != 0)
        plan->passphrase_file = files_absolute(c, file);
    if (role != MEMBER_BROKER)
        return COMITY_OK;
    plan->endpoint = flag_text(c, "endpoint");
    plan->endpoint_bulk = flag_text(c, "bulk-endpoint");
    int err = check_endpoint(c, "endpoint");
    if (!err)
        err = check_endpoint(c, "bulk-endpoint");
    if (!err && strcmp(plan->endpoint, plan->endpoint_bulk) == 0)
        err = cli_fail(c, COMITY_E_USAGE, _("--endpoint and --bulk-endpoint must differ"));
    return err;
}

/* Questions about the passphrase come last, when everything else is right. */
static int check_plan(struct cli *c, const struct site_plan *plan, const char *out)
{
    struct network n;
    struct bytes text;
    int err = files_check_new(c, out);
    if (!err)
        err = files_read(c, plan->network, 64 * 1024, &text);
    if (!err && network_parse(text, &n) != 0)
        err = cli_fail(c, COMITY_E_MALFORMED, _("%s is not a network file"), plan->network);
    return err;
}

static json_t *endpoints_json(const struct site_plan *plan)
{
    return plan->endpoint ? cli_json(json_pack("[s, s]", plan->endpoint, plan->endpoint_bulk))
                          : NULL;
}

static int init_result(struct cli *c, const struct site_plan *plan, const char *out,
                       struct bytes join)
{
    struct join_request j;
    int err = join_open(join, &j);
    if (err)
        return cli_fail_at(c, err, out);
    err = cli_result(c, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o*}", "dir", plan->dir,
                                  "member", plan->member, "origin", j.ledger.name, "name",
                                  plan->name, "join", out, "fingerprint",
                                  files_fingerprint(c, join), "endpoints", endpoints_json(plan)));
    cli_next(c, _("Send %s to the authority, and read its SHA-256 out to them by telephone."), out);
    cli_next(c, _("Back up %s/keys: lost keys cannot be made again."), plan->dir);
    cli_next(c, "comity %s join --dir %s --roster …",
             plan->role == MEMBER_BROKER ? "broker" : "node", plan->dir);
    return err;
}

int site_command_init(struct cli *c, enum member_role role)
{
    struct site_plan plan;
    struct bytes passphrase;
    struct buf join = BUF_INIT;
    struct buf detail = BUF_INIT;
    const char *out = flag_text(c, "out");
    if (!out)
        out = cli_text(c, "%s.join", flag_text(c, "member"));
    int err = fill_plan(c, role, &plan);
    if (!err)
        err = check_plan(c, &plan, out);
    if (!err)
        err = secret_passphrase(c, 0, plan.dir, true, &passphrase);
    if (!err) {
        mode_t before = umask(077);
        err = site_create(&plan, passphrase, clock_wall_ms(&clock_system), &join, &detail);
        umask(before);
        if (!err && role != MEMBER_BROKER && chmod(plan.dir, 0710) != 0)
            err = COMITY_E_IO; /* the socket's group must get through */
        if (err)
            cli_fail_detail(c, err, &detail);
    }
    if (!err && (err = files_create(c, out, buf_bytes(&join))) != 0)
        cli_hint(c, err, _("all is made but that copy; the join note stands in %s/join"), plan.dir);
    if (!err)
        err = init_result(c, &plan, out, buf_bytes(&join));
    buf_free(&join);
    buf_free(&detail);
    return err;
}

/* ---- join ---- */

int site_command_load(struct cli *c, enum member_role role, struct site **ret)
{
    struct buf detail = BUF_INIT;
    const char *dir = flag_text(c, "dir");
    const char *path = cli_text(c, "%s/%s", dir, conf_of(role));
    struct stat st;
    struct site *s = NULL;
    if (stat(path, &st) != 0)
        return cli_fail(c, COMITY_E_NOT_FOUND,
                        role == MEMBER_BROKER
                            ? _("%s is no broker's folder: there is no broker.conf in it")
                            : _("%s is no node's folder: there is no node.conf in it"),
                        dir);
    int err = site_load(path, &s, &detail);
    if (err)
        cli_fail_detail(c, err, &detail);
    else
        *ret = s;
    buf_free(&detail);
    return err;
}

static int join_result(struct cli *c, const struct site *s)
{
    struct roster *r = NULL;
    struct buf renew_by = BUF_INIT;
    int err = site_roster(s, NULL, &r);
    if (err)
        return cli_fail_at(c, err, s->dir);
    text_put_time(&renew_by, roster_renew_by_ms(r));
    err = cli_result(
        c, json_pack("{s:s, s:s, s:s, s:I, s:I, s:s}", "member", s->member, "origin", s->origin,
                     "network", s->network.name, "roster", (json_int_t)roster_number(r), "members",
                     (json_int_t)roster_doc(r)->member_count, "renew_by", buf_str(&renew_by)));
    cli_next(c,
             s->role == MEMBER_BROKER
                 ? _("Start it, unless it runs: %s --config %s/%s")
                 : _("Start it: %s --config %s/%s; or, when it runs, send it SIGHUP"),
             program_of(s->role), s->dir, conf_of(s->role));
    buf_free(&renew_by);
    roster_free(r);
    return err;
}

/* The roster of another network is no forgery, only the wrong file. */
static int check_network(struct cli *c, const struct site *s, struct bytes file)
{
    const char *path = flag_text(c, "roster");
    const char *network = authority_network_of(c, file);
    if (!network || strcmp(network, s->network.name) == 0)
        return COMITY_OK;
    return cli_hint(c,
                    cli_fail(c, COMITY_E_INVALID,
                             _("%s is another network's roster: of %s, not of %s"), path, network,
                             s->network.name),
                    _("ask the authority of your network for its roster"));
}

int site_command_join(struct cli *c, enum member_role role)
{
    struct site *s = NULL;
    struct bytes file;
    struct buf detail = BUF_INIT;
    int err = site_command_load(c, role, &s);
    if (!err)
        err = files_read(c, flag_text(c, "roster"), ROSTER_FILE_MAX, &file);
    if (!err)
        err = check_network(c, s, file);
    if (!err && (err = site_join(s, file, &detail)) != 0) {
        bool is_bare = strcmp(buf_str(&detail), comity_err_text(err)) == 0;
        if (is_bare)
            cli_fail_at(c, err, flag_text(c, "roster"));
        else
            cli_fail_detail(c, err, &detail);
    }
    if (!err)
        err = join_result(c, s);
    buf_free(&detail);
    site_free(s);
    return err;
}
