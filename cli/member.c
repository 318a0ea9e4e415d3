/*
 * member: who is in the network.
 */
#include "ask.h"
#include "commands.h"

static const struct flag list_flags[] = {
    {"role", N_("ROLE"), 0, N_("Only bureaus, brokers or auditors: bureau, broker, auditor")},
    {0},
};

static const struct view_field fields[] = {
    {"id", N_("member"), AS_WHOLE},     {"role", N_("role"), AS_STATE},
    {"name", N_("name"), AS_TEXT},      {"open", N_("open"), AS_YES},
    {"origin", N_("ledger"), AS_WHOLE}, {0},
};
static const struct view view = {
    .sections = (const struct view_section[]){{"items", NULL, fields, N_("No such member.")}, {0}}};

static int member_list(struct cli *c)
{
    int err = COMITY_OK;
    json_t *args = ask_page(c, &err);
    if (flag_given(c, "role"))
        json_object_set_new(args, "role", json_string(flag_text(c, "role")));
    if (err) {
        json_decref(args);
        return err;
    }
    return ask_list(c, "member.list", args);
}

static int member_find(struct cli *c)
{
    json_t *found = NULL;
    int err = ask(c, "member.find", cli_json(json_pack("{s:s}", "q", c->args[0])), &found);
    if (err)
        return err;
    if (json_array_size(json_object_get(found, "items")) == 0) {
        json_decref(found);
        return cli_hint(
            c, cli_fail(c, COMITY_E_UNKNOWN_MEMBER, _("no member is called \"%s\""), c->args[0]),
            "comity member list");
    }
    return cli_result(c, found);
}

const struct command member_commands[] = {
    {.noun = "member",
     .verb = "list",
     .uses = USES_NODE | USES_PAGES,
     .doc = N_("Members of the network, by id"),
     .flags = list_flags,
     .view = &view,
     .run = member_list},
    {.noun = "member",
     .verb = "find",
     .args = "NAME",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("The member that a name, or a part of it, belongs to"),
     .view = &view,
     .run = member_find},
    {0},
};
