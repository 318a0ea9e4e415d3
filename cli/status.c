/*
 * status, and plain `comity`: how things stand, and what is to be done.
 */
#include "ask.h"

#include "base/clock.h"
#include "cells.h"
#include "commands.h"

#include <string.h>

static const struct view_field fields[] = {
    {"member", N_("member"), AS_WHOLE},
    {"name", N_("name"), AS_WHOLE},
    {"link.state", N_("link"), AS_STAGE},
    {"link.since", N_("since"), AS_TIME},
    {"link.token", N_("last ended by"), AS_WHOLE},
    {"link.broker", N_("broker"), AS_WHOLE},
    {"ledger.size", N_("entries in the ledger"), AS_NUMBER},
    {"roster.number", N_("roster"), AS_NUMBER},
    {"roster.renew_by", N_("to be renewed by"), AS_DATE},
    {"outbox.undelivered", N_("without receipt"), AS_NUMBER},
    {"inbox.records", N_("records received"), AS_NUMBER},
    {"own.cases", N_("own cases"), AS_NUMBER},
    {"own.evidence", N_("own evidence"), AS_NUMBER},
    {"officers", N_("officers"), AS_NUMBER},
    {0},
};
static const struct view view = {
    .sections = (const struct view_section[]){{NULL, NULL, fields, NULL}, {0}}};

static json_int_t number(const json_t *status, const char *group, const char *name)
{
    return json_integer_value(json_object_get(json_object_get(status, group), name));
}

/* Since when the link is down, what waits for it, and whom to tell. */
static void put_link(struct cli *c, const json_t *s)
{
    const json_t *link = json_object_get(s, "link");
    const char *state = json_string_value(json_object_get(link, "state"));
    const char *since = json_string_value(json_object_get(link, "since"));
    const char *broker = json_string_value(json_object_get(link, "broker"));
    json_int_t waiting = number(s, "outbox", "undelivered");
    bool is_online = state && strcmp(state, "online") == 0;
    if (is_online && waiting > 0)
        cli_next(c,
                 ngettext("- %lld delivery is without the recipient's receipt so far: comity "
                          "evidence list --mine shows which",
                          "- %lld deliveries are without their recipients' receipts so far: comity "
                          "evidence list --mine shows which",
                          (unsigned long)waiting),
                 (long long)waiting);
    if (is_online || !json_object_get(s, "roster") || !state || strcmp(state, "rejected") == 0)
        return;
    struct buf time = BUF_INIT;
    cell_put_time(&time, since ? since : "?");
    cli_next(c,
             _("✗ The link to the broker %s is down since %s. If it stays so, tell the broker's "
               "operator."),
             broker ? broker : "", buf_str(&time));
    if (waiting > 0)
        cli_next(
            c,
            ngettext(
                "! %lld delivery waits for it; what is recorded is safe here and is sent by itself",
                "! %lld deliveries wait for it; what is recorded is safe here and is sent by "
                "itself",
                (unsigned long)waiting),
            (long long)waiting);
    buf_free(&time);
}

/* Why the node can write nothing. True when that is all that there is to say of the link, too. */
static bool put_trouble(struct cli *c, const json_t *s)
{
    const json_t *trouble = json_object_get(s, "trouble");
    const char *token = json_string_value(json_object_get(trouble, "token"));
    const char *since = json_string_value(json_object_get(trouble, "since"));
    struct buf time = BUF_INIT;
    if (!token)
        return false;
    cell_put_time(&time, since ? since : "?");
    if (comity_err_from_token(token) == COMITY_E_DISK_FULL)
        cli_next(c,
                 _("✗ The disk of this node is full since %s. Nothing is lost, and nothing new is "
                   "recorded or acknowledged: make room, and it goes on by itself."),
                 buf_str(&time));
    else
        cli_next(c,
                 _("✗ This node can write nothing since %s (%s). Nothing is lost, and it tries "
                   "again by itself; its log says more."),
                 buf_str(&time), token);
    buf_free(&time);
    return true;
}

/* How far two clocks are apart, in the largest unit that says it. */
static void put_span(struct buf *out, long long ms)
{
    const long long minutes = ms / 60000;
    if (minutes < 2 * 60)
        buf_printf(out, ngettext("%lld minute", "%lld minutes", (unsigned long)minutes), minutes);
    else if (minutes < 2 * 24 * 60)
        buf_printf(out, ngettext("%lld hour", "%lld hours", (unsigned long)(minutes / 60)),
                   minutes / 60);
    else
        buf_printf(out, ngettext("%lld day", "%lld days", (unsigned long)(minutes / 1440)),
                   minutes / 1440);
}

/* What the times are worth that this node writes into its ledger. */
static void put_clock(struct cli *c, const json_t *s)
{
    const long long ms = number(s, "link", "clock_offset_ms");
    struct buf span = BUF_INIT;
    if (ms <= CLOCK_TOLERANCE_MS && ms >= -CLOCK_TOLERANCE_MS)
        return;
    put_span(&span, ms < 0 ? -ms : ms);
    cli_next(c,
             ms > 0 ? _("! This node's clock is %s behind the broker's; audits will question the "
                        "times it writes. Set the clock that is wrong.")
                    : _("! This node's clock is %s ahead of the broker's; audits will question the "
                        "times it writes. Set the clock that is wrong."),
             buf_str(&span));
    buf_free(&span);
}

/* What came back of earlier ledgers, and what did not. */
static void put_archives(struct cli *c, const json_t *s)
{
    size_t i = 0;
    json_t *a = NULL;
    json_array_foreach(json_object_get(s, "archives"), i, a)
    {
        const char *origin = json_string_value(json_object_get(a, "origin"));
        const json_t *lost = json_object_get(a, "deliveries_lost");
        json_int_t n = 0;
        size_t k = 0;
        json_t *r = NULL;
        json_array_foreach(json_object_get(a, "missing"), k, r) n +=
            json_integer_value(json_object_get(r, "last")) -
            json_integer_value(json_object_get(r, "first")) + 1;
        if (!json_is_true(json_object_get(a, "complete")))
            cli_next(c, _("! What the broker still holds of %s is on its way back"), origin);
        else if (n > 0)
            cli_next(
                c,
                ngettext("! %lld entry of %s is lost: it was in no parcel that the broker still "
                         "holds (--json says which)",
                         "! %lld entries of %s are lost: they were in no parcel that the broker "
                         "still holds (--json says which)",
                         (unsigned long)n),
                (long long)n, origin);
        if (lost)
            cli_next(c, _("! Deliveries %lld to %lld, which %s had taken, the broker has let go"),
                     (long long)json_integer_value(json_object_get(lost, "first")),
                     (long long)json_integer_value(json_object_get(lost, "last")), origin);
    }
}

/* What asks for somebody's hand, and the command to begin with. */
static void put_to_do(struct cli *c, const json_t *s)
{
    json_int_t n;
    if (!json_object_get(s, "roster"))
        cli_next(c,
                 _("! This node has not joined its network: comity node join --dir … --roster …"));
    if (json_is_true(json_object_get(json_object_get(s, "roster"), "expired")))
        cli_next(c, _("! The roster is past its date: ask the authority for a new one"));
    const char *state = json_string_value(json_object_get(json_object_get(s, "link"), "state"));
    const char *token = json_string_value(json_object_get(json_object_get(s, "link"), "token"));
    bool is_online = state && strcmp(state, "online") == 0;
    if (!is_online && token && strcmp(token, "rollback") == 0)
        cli_next(c, _("✗ The broker was put back from an old copy: it has forgotten what this node "
                      "knows of it. Nothing is sent to it; what is recorded is safe here. Tell the "
                      "broker's operator."));
    else if (state && strcmp(state, "rejected") == 0)
        cli_next(c, _("! The broker rejects this node; its operator or the authority knows more"));
    if (!put_trouble(c, s))
        put_link(c, s);
    put_clock(c, s);
    put_archives(c, s);
    if ((n = number(s, "inbox", "unrecognised")) > 0)
        cli_next(c,
                 ngettext("- %lld piece of evidence received waits for a decision: comity evidence "
                          "list --unrecognised",
                          "- %lld pieces of evidence received wait for a decision: comity evidence "
                          "list --unrecognised",
                          (unsigned long)n),
                 (long long)n);
    if ((n = number(s, "own", "unsigned")) > 0)
        cli_next(c,
                 ngettext("- %lld piece of own evidence lacks its second collector: comity "
                          "evidence list --mine",
                          "- %lld pieces of own evidence lack their second collector: comity "
                          "evidence list --mine",
                          (unsigned long)n),
                 (long long)n);
    if ((n = number(s, "outbox", "refused")) > 0)
        cli_next(c,
                 ngettext("! %lld parcel was refused: comity ledger log",
                          "! %lld parcels were refused: comity ledger log", (unsigned long)n),
                 (long long)n);
    if ((n = number(s, "files", "failed")) > 0)
        cli_next(c,
                 ngettext("! %lld attachment cannot be moved: comity inbox list",
                          "! %lld attachments cannot be moved: comity inbox list",
                          (unsigned long)n),
                 (long long)n);
    if (c->next.len == 0)
        cli_next(c, _("Nothing to do."));
}

static int status(struct cli *c)
{
    const json_t *s = NULL;
    int err = ask_status(c, &s);
    if (err)
        return err;
    put_to_do(c, s);
    return cli_result(c, json_incref(c->status));
}

const struct command status_commands[] = {
    {.noun = "status",
     .uses = USES_NODE,
     .doc = N_("How things stand, and what is to be done"),
     .view = &view,
     .run = status},
    {0},
};
