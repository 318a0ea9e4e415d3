/*
 * --wait: from a stage that is asked for to what came of it. See ask.h.
 *
 * By then everything is recorded. Whatever ends the waiting (time, Ctrl-C, a node that goes away, a
 * decision that is none for the evidence) must not look as if it had undone that: the result is
 * printed, and the failure behind it says how to go on.
 */
#include "ask.h"

#include "base/text.h"
#include "cells.h"
#include "term.h"

#include <stdlib.h>
#include <string.h>

enum { WAIT_MS_DEFAULT = 30 * 1000, WAIT_MS_MAX = 3600 * 1000, LOOK_MS = 200 };

/* The stage to be recognised is the one at which a decision is there; whether that is one for the
 * evidence is looked at then. */
static bool wants_recognition(const char *stage)
{
    return strcmp(stage, "recognised") == 0;
}

int wait_parse(const char *text, char ret_stage[16], uint64_t *ret_ms)
{
    static const char *const stages[] = {"accepted", "received", "decided", "recognised"};
    size_t len = strcspn(text, ":");
    uint64_t ms = WAIT_MS_DEFAULT;
    if (text[len] == ':') {
        struct bytes time = bytes_of(text + len + 1);
        uint64_t unit = 1000;
        if (time.len && strchr("smh", time.data[time.len - 1])) {
            char u = (char)time.data[--time.len];
            unit = u == 's' ? 1000 : u == 'm' ? 60 * 1000 : 3600 * 1000;
        }
        if (text_get_u64(time, &ms) || ms == 0 || ms > WAIT_MS_MAX / unit)
            return COMITY_E_USAGE;
        ms *= unit;
    }
    for (size_t i = 0; i < sizeof stages / sizeof stages[0]; i++)
        if (strlen(stages[i]) == len && strncmp(stages[i], text, len) == 0) {
            strcpy(ret_stage, stages[i]);
            *ret_ms = ms;
            return COMITY_OK;
        }
    return COMITY_E_USAGE;
}

int ask_check_wait(struct cli *c)
{
    char stage[16];
    uint64_t ms;
    const char *text = flag_text(c, "wait");
    if (!text || wait_parse(text, stage, &ms) == 0)
        return COMITY_OK;
    return cli_hint(c, cli_fail(c, COMITY_E_USAGE, _("--wait is not \"%s\""), text),
                    _("--wait accepted, received, decided or recognised, with a time of at most "
                      "1h: --wait received:5m"));
}

int ask_check_wait_for(struct cli *c, const json_t *to)
{
    if (flag_given(c, "wait") && json_array_size(to) == 0)
        return cli_fail(c, COMITY_E_USAGE, _("--wait needs somebody to wait for: --to MEMBER"));
    return COMITY_OK;
}

/* One question that may take an hour: asked so that Ctrl-C ends it. */
static int wait_for(struct cli *c, const char *ref, const char *stage, uint64_t ms,
                    struct comity_reply *reply)
{
    comity_client *client = NULL;
    json_t *args = cli_json(json_pack("{s:s, s:s, s:I}", "ref", ref, "stage",
                                      wants_recognition(stage) ? "decided" : stage, "timeout_ms",
                                      (json_int_t)ms));
    char *text = json_dumps(args, JSON_COMPACT);
    const struct comity_call call = {.method = "wait", .json = text};
    json_decref(args);
    int err = text ? ask_open(c, &client) : COMITY_E_NOMEM;
    if (!err)
        err = comity_client_send(client, &call, NULL);
    free(text);
    term_interrupts_begin();
    do {
        if (!err)
            err = term_is_interrupted() ? COMITY_E_INTERRUPTED
                                        : comity_client_receive(client, LOOK_MS, reply);
        if (err != COMITY_E_TIMEOUT)
            break;
        err = COMITY_OK;
    } while (true);
    term_interrupts_end();
    return err ? err : reply->err;
}

/* The words for a failed waiting. ${track}: the record whose custody shows how it goes on. */
static int fail_wait(struct cli *c, int err, const struct comity_reply *reply, const char *stage,
                     const char *track)
{
    json_t *said = err == reply->err && reply->json ? json_loads(reply->json, 0, NULL) : NULL;
    json_t *reached = json_object_get(said, "stage");
    if (reached && c->result)
        json_object_set(c->result, "stage", reached);
    if (err == COMITY_E_INTERRUPTED)
        cli_fail(c, err, _("it is recorded and goes on its way; only the waiting was ended"));
    else if (err == COMITY_E_UNREACHABLE)
        cli_fail(c, err,
                 _("the node went away during the waiting; what was recorded is safe here"));
    else if (err == COMITY_E_TIMEOUT && json_is_string(reached))
        cli_fail(c, err, _("it is safe here and goes on its way: %s so far, not %s in time"),
                 cell_word(json_string_value(reached)), cell_word(stage));
    else if (said)
        cli_fail_json(c, err, reply->json);
    else
        cli_fail_at(c, err, NULL);
    json_decref(said);
    return cli_hint(c, err, "comity track %s", track);
}

static bool is_for_it(const char *decision)
{
    return decision && (strcmp(decision, "DIRECT") == 0 || strcmp(decision, "VERIFIED") == 0);
}

/* Who was waited for to recognise it, and did not. */
static int check_decisions(struct cli *c, const json_t *decisions, const char *track)
{
    size_t i = 0;
    json_t *d = NULL;
    struct buf list = BUF_INIT;
    json_array_foreach(decisions, i, d)
    {
        const char *decision = json_string_value(json_object_get(d, "decision"));
        if (!is_for_it(decision))
            buf_printf(&list, "%s%s: %s", list.len ? "; " : "",
                       json_string_value(json_object_get(d, "member")),
                       decision ? cell_decision(decision) : "?");
    }
    int err = COMITY_OK;
    if (list.len) {
        err = cli_fail(c, COMITY_E_NOT_RECOGNISED, _("decided about, and not recognised: %s"),
                       buf_str(&list));
        cli_hint(c, err, "comity evidence show %s", track);
    }
    buf_free(&list);
    return err;
}

int ask_wait(struct cli *c, const char *ref, const char *track)
{
    char stage[16];
    uint64_t ms;
    struct comity_reply reply = {0};
    const char *text = flag_text(c, "wait");
    if (!text || wait_parse(text, stage, &ms) != 0)
        return COMITY_OK;
    c->is_recorded = true;
    int err = wait_for(c, ref, stage, ms, &reply);
    if (err)
        return fail_wait(c, err, &reply, stage, track);
    json_t *reached = json_loads(reply.json, 0, NULL);
    json_t *decisions = json_object_get(reached, "decisions");
    if (c->result)
        json_object_set(c->result, "stage", json_object_get(reached, "stage"));
    if (c->result && decisions)
        json_object_set(c->result, "decisions", decisions);
    if (wants_recognition(stage))
        err = check_decisions(c, decisions, track);
    json_decref(reached);
    return err;
}
