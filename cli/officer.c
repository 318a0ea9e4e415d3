/*
 * Officers' keys. See officer.h. They never leave the officer's side: the node sees notes only.
 */
#include "officer.h"

#include "ask.h"
#include "base/clock.h"
#include "secret.h"

#include <string.h>

/* The licence in a key name: origin "/officer/" licence. */
static const char *licence_of(struct cli *c, const char *key_name, const char *origin)
{
    size_t len = strlen(origin);
    static const char middle[] = "/officer/";
    if (strncmp(key_name, origin, len) != 0 ||
        strncmp(key_name + len, middle, sizeof middle - 1) != 0)
        return NULL;
    return cli_text(c, "%s", key_name + len + sizeof middle - 1);
}

static int find(struct cli *c, const char *licence, json_t **ret_list, const json_t **ret)
{
    bool is_retired = false;
    int err =
        ask(c, "key.list", cli_json(json_pack("{s:i, s:b}", "limit", 500, "all", 1)), ret_list);
    if (err)
        return err;
    const json_t *items = json_object_get(*ret_list, "items");
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *o = json_array_get(items, i);
        const char *has = json_string_value(json_object_get(o, "licence"));
        if (!has || strcmp(has, licence) != 0)
            continue;
        if (json_is_true(json_object_get(o, "in_force"))) {
            *ret = o;
            return COMITY_OK;
        }
        is_retired = true;
    }
    if (is_retired)
        return cli_hint(c, cli_fail_at(c, COMITY_E_RETIRED, licence),
                        _("an administrator enrols a new key: comity key new"));
    return cli_hint(c,
                    cli_fail(c, COMITY_E_NOT_FOUND,
                             _("no officer with licence %s is enrolled at this node"), licence),
                    _("comity key list shows who is; enrol a key: comity key enrol FILE --name … "
                      "--role officer"));
}

int officer_name(struct cli *c, const char *licence, const char **ret)
{
    json_t *list = NULL;
    const json_t *o = NULL;
    int err = find(c, licence, &list, &o);
    const char *name = err ? NULL : json_string_value(json_object_get(o, "name"));
    if (name)
        *ret = cli_text(c, "%s", name);
    json_decref(list);
    return err || name ? err : cli_fail_at(c, COMITY_E_MALFORMED, "key.list");
}

int officer_open_key(struct cli *c, size_t n, const char *path, struct officer *ret)
{
    struct officer o = {0};
    const char *origin = NULL;
    int err = ask_origin(c, &origin);
    if (!err)
        err = secret_open(c, n, path, KEY_OFFICER, &o.signer);
    if (err)
        return err;
    const char *key_name = note_signer_public(o.signer)->name;
    o.licence = licence_of(c, key_name, origin);
    if (!o.licence)
        err = cli_hint(c,
                       cli_fail(c, COMITY_E_INVALID,
                                _("%s is the key %s, and this node keeps the ledger %s"), path,
                                key_name, origin),
                       _("officers of another bureau sign at their own node; take a key that was "
                         "enrolled here"));
    else
        err = officer_name(c, o.licence, &o.name);
    if (err)
        officer_done(&o);
    else
        *ret = o;
    return err;
}

void officer_done(struct officer *o)
{
    note_signer_free(o->signer);
    o->signer = NULL;
}

int officer_sign_record(struct cli *c, const struct officer *o,
                        const struct officer_signature *what, struct bytes *ret)
{
    const char *origin = NULL;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct officer_signature s = *what;
    int err = ask_origin(c, &origin);
    if (err)
        return err;
    s.origin = bytes_of(origin);
    s.licence = bytes_of(o->licence);
    s.time_ms = clock_wall_ms(&clock_system);
    err = officer_signature_put_text(&text, &s);
    if (!err)
        err = note_sign(o->signer, buf_bytes(&text), &note);
    if (err)
        cli_fail_at(c, err, o->licence);
    else
        *ret = cli_copy(c, buf_bytes(&note));
    buf_free(&text);
    buf_free(&note);
    return err;
}
