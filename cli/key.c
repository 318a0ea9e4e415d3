/*
 * key: officers' keys, from their making to their retirement.
 */
#include "ask.h"
#include "commands.h"
#include "domain/rules.h"
#include "files.h"
#include "officer.h"
#include "secret.h"
#include "wire/notes.h"

#include <string.h>
#include <unistd.h>

static const struct flag new_flags[] = {
    {"licence", N_("NUMBER"), FLAG_NEEDED, N_("The officer's licence number")},
    {"name", N_("NAME"), FLAG_NEEDED, N_("The officer's name")},
    {"role", N_("ROLES"), FLAG_NEEDED,
     N_("officer, approver, reviewer, auditor; several with commas between them")},
    {"out", N_("FILE"), 0, N_("Where to write the key (default: LICENCE.key)")},
    {0},
};
static const struct flag enrol_flags[] = {
    {"name", N_("NAME"), FLAG_NEEDED, N_("The officer's name")},
    {"role", N_("ROLES"), FLAG_NEEDED,
     N_("officer, approver, reviewer, auditor; several with commas between them")},
    {0},
};
static const struct flag list_flags[] = {
    {"all", NULL, 0, N_("Also those that were retired")},
    {"origin", N_("LEDGER"), 0,
     N_("Officers of another ledger, as far as their records came here")},
    {0},
};

static const struct view_field new_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"licence", N_("licence"), AS_WHOLE},
    {"name", N_("person"), AS_TEXT},
    {"roles[]", N_("roles"), AS_STATE},
    {"file", N_("key file"), AS_WHOLE},
    {"vkey", N_("public key"), AS_WHOLE},
    {0},
};
static const struct view new_view = {
    .done = N_("The officer is enrolled."),
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, new_fields, NULL}, {0}}};

static const struct view_field list_fields[] = {
    {"licence", N_("licence"), AS_WHOLE},       {"name", N_("person"), AS_TEXT},
    {"roles[]", N_("roles"), AS_STATE},         {"in_force", N_("in force"), AS_YES},
    {"enrolled.ref", N_("enrolled"), AS_WHOLE}, {"time", N_("since"), AS_MINUTES},
    {"retired.ref", N_("retired"), AS_WHOLE},   {0},
};
static const struct view list_view = {
    .sections = (const struct view_section[]){
        {"items", NULL, list_fields, N_("No officer is enrolled.")}, {0}}};

static const struct view_field retire_fields[] = {{"ref", N_("entry"), AS_WHOLE},
                                                  {"licence", N_("licence"), AS_WHOLE},
                                                  {"enrolled.ref", N_("enrolled"), AS_WHOLE},
                                                  {0}};
static const struct view retire_view = {
    .done = N_("The key is retired: what it signs from now on does not count."),
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, retire_fields, NULL}, {0}}};

/* "officer,reviewer" as an array of roles. */
static int read_roles(struct cli *c, json_t **ret)
{
    const char *text = flag_text(c, "role");
    json_t *roles = cli_json(json_array());
    while (*text) {
        size_t len = strcspn(text, ",");
        uint32_t role;
        if (key_role_get(BYTES(text, len), &role) != 0) {
            json_decref(roles);
            return cli_hint(c,
                            cli_fail(c, COMITY_E_USAGE, _("\"%.*s\" is no role"), (int)len, text),
                            "--role officer,approver,reviewer,auditor");
        }
        json_array_append_new(roles, cli_json(json_string(key_role_token(role))));
        text += len + (text[len] == ',');
    }
    *ret = roles;
    return COMITY_OK;
}

/* The officer's own note about the key at ${path}, and with it the entry in the ledger. */
static int enrol(struct cli *c, const char *path, const char *licence, json_t *roles)
{
    const char *origin = NULL;
    struct note_signer *signer = NULL;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    json_t *reply = NULL;
    int err = ask_origin(c, &origin);
    if (!err)
        err = secret_open(c, 0, path, KEY_OFFICER, &signer);
    if (!err) {
        const struct officer_enrolment e = {.origin = bytes_of(origin),
                                            .name = bytes_of(flag_text(c, "name")),
                                            .licence = bytes_of(licence),
                                            .key = *note_signer_public(signer)};
        err = officer_put_text(&text, &e);
        if (!err)
            err = note_sign(signer, buf_bytes(&text), &note);
        if (err)
            cli_fail(c, err, _("%s cannot be enrolled as licence %s of %s"), path, licence, origin);
    }
    if (!err) {
        const struct comity_bytes notes = {.data = note.data, .len = note.len};
        struct comity_call call = {.method = "key.add", .notes = &notes, .note_count = 1};
        err = ask_with(c, &call, cli_json(json_pack("{s:O}", "roles", roles)), &reply, NULL);
    }
    if (!err) {
        json_object_set_new(reply, "file", cli_json(json_string(path)));
        err = cli_result(c, reply);
    }
    note_signer_free(signer);
    buf_free(&text);
    buf_free(&note);
    return err;
}

static int key_new(struct cli *c)
{
    const char *origin = NULL;
    const char *licence = flag_text(c, "licence");
    const char *out = flag_text(c, "out");
    struct key_public pub;
    json_t *roles = NULL;
    if (!out)
        out = cli_text(c, "%s.key", licence);
    if (!licence_is_valid(bytes_of(licence)))
        return cli_fail(c, COMITY_E_USAGE,
                        _("a licence number is letters, digits and hyphens, not \"%s\""), licence);
    int err = read_roles(c, &roles);
    if (!err)
        err = files_check_new(c, out);
    if (!err)
        err = ask_origin(c, &origin);
    if (!err)
        err = secret_make(c, 0, out, KEY_OFFICER, cli_text(c, "%s/officer/%s", origin, licence),
                          &pub);
    if (!err) {
        err = enrol(c, out, licence, roles);
        if (err == COMITY_E_UNREACHABLE)
            cli_hint(c, err, _("the key is in %s; when the node is back: comity key enrol %s …"),
                     out, out);
        else if (err)
            unlink(out); /* nothing has seen it */
    }
    if (!err) {
        cli_next(
            c, _("Keep %s and its passphrase with the officer alone, and a copy in a safe place."),
            out);
    }
    json_decref(roles);
    return err;
}

static int key_enrol(struct cli *c)
{
    struct key_public pub;
    json_t *roles = NULL;
    const char *path = c->args[0];
    int err = secret_public(c, path, &pub);
    if (err)
        return err;
    const char *mark = strstr(pub.name, "/officer/");
    if (pub.use != KEY_OFFICER || !mark)
        return cli_fail(c, COMITY_E_INVALID, _("%s is no officer's key"), path);
    err = read_roles(c, &roles);
    if (!err)
        err = enrol(c, path, mark + strlen("/officer/"), roles);
    json_decref(roles);
    return err;
}

static int key_list(struct cli *c)
{
    int err = COMITY_OK;
    json_t *args = ask_page(c, &err);
    if (flag_given(c, "all"))
        json_object_set_new(args, "all", json_true());
    if (flag_given(c, "origin"))
        json_object_set_new(args, "origin", cli_json(json_string(flag_text(c, "origin"))));
    if (err) {
        json_decref(args);
        return err;
    }
    return ask_list(c, "key.list", args);
}

static int key_retire(struct cli *c)
{
    json_t *reply = NULL;
    const char *licence = c->args[0];
    const char *name = NULL;
    int err = officer_name(c, licence, &name);
    if (!err)
        err = cli_confirm(c, _("Retire the key of %s, licence %s? It cannot be undone."), name,
                          licence);
    if (!err)
        err = ask(c, "key.retire", cli_json(json_pack("{s:s}", "licence", licence)), &reply);
    return err ? err : cli_result(c, reply);
}

const struct command key_commands[] = {
    {.noun = "key",
     .verb = "new",
     .uses = USES_NODE | USES_PASSPHRASE,
     .doc = N_("Make an officer's key, and enrol it at the node"),
     .more = N_("The key file is encrypted under the officer's passphrase and stays with the "
                "officer; the node gets "
                "the public half, signed by the key itself."),
     .flags = new_flags,
     .view = &new_view,
     .run = key_new},
    {.noun = "key",
     .verb = "enrol",
     .args = "KEYFILE",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_PASSPHRASE,
     .doc = N_("Enrol an officer's key that was made before"),
     .flags = enrol_flags,
     .view = &new_view,
     .run = key_enrol},
    {.noun = "key",
     .verb = "list",
     .uses = USES_NODE | USES_PAGES,
     .doc = N_("Officers who are enrolled"),
     .flags = list_flags,
     .view = &list_view,
     .run = key_list},
    {.noun = "key",
     .verb = "retire",
     .args = "LICENCE",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_YES,
     .doc = N_("Retire an officer's key: what it signs later does not count"),
     .view = &retire_view,
     .run = key_retire},
    {0},
};
