/*
 * inbox: what others sent.
 */
#include "ask.h"
#include "commands.h"

static const struct flag list_flags[] = {
    {"kind", N_("KIND"), 0, N_("Only records of this kind: CASE, EVIDENCE, RECOGNITION")},
    {"from", N_("MEMBER"), 0, N_("Only what this member sent")},
    {0},
};

static const struct view_field list_fields[] = {
    {"received.time", N_("received"), AS_MINUTES},
    {"ref", N_("entry"), AS_WHOLE},
    {"kind", N_("kind"), AS_RECORD},
    {"title", N_("title"), AS_TEXT},
    {"sender", N_("from"), AS_WHOLE},
    {"case", N_("case"), AS_WHOLE},
    {"evidence", N_("evidence"), AS_WHOLE},
    {"fetched", N_("here"), AS_NUMBER},
    {"files", N_("files"), AS_NUMBER},
    {"decision", N_("decision"), AS_DECISION},
    {0},
};
static const struct view list_view = {
    .sections = (const struct view_section[]){
        {"items", NULL, list_fields, N_("Nothing was received yet.")}, {0}}};

static int inbox_list(struct cli *c)
{
    int err = COMITY_OK;
    const char *from = NULL;
    json_t *args = ask_page(c, &err);
    if (!err && flag_given(c, "from"))
        err = ask_member(c, flag_text(c, "from"), &from);
    if (from)
        json_object_set_new(args, "from", cli_json(json_string(from)));
    if (flag_given(c, "kind"))
        json_object_set_new(args, "kind", json_string(flag_text(c, "kind")));
    if (err) {
        json_decref(args);
        return err;
    }
    return ask_list(c, "inbox.list", args);
}

const struct command inbox_commands[] = {
    {.noun = "inbox",
     .verb = "list",
     .uses = USES_NODE | USES_PAGES,
     .doc = N_("What other members sent, newest first"),
     .flags = list_flags,
     .view = &list_view,
     .run = inbox_list},
    {0},
};
