/*
 * authority: the keys of a network, and the rosters that they sign. This file has the table, `init`
 * and `sign`; members come and go in authority_roster.c, and authority_show.c shows files.
 */
#include "authority.h"

#include "base/text.h"
#include "commands.h"
#include "secret.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NETWORK_KEYS_MAX = ROSTER_AUTHORITY_MAX };

/* ---- init ---- */

static const struct flag init_flags[] = {
    {"keys", N_("K"), 0, N_("How many authority keys to make, one a person (default 1)")},
    {"threshold", N_("N"), 0, N_("How many of them must sign a roster (default: more than half)")},
    {0},
};

static const struct view_field init_fields[] = {
    {"file", N_("network file"), AS_WHOLE},
    {"network", N_("network"), AS_TEXT},
    {"threshold", N_("threshold"), AS_NUMBER},
    {"fingerprint", N_("SHA-256"), AS_HEX},
    {0},
};
static const struct view_field init_key_fields[] = {
    {"file", N_("key file"), AS_WHOLE},
    {"vkey", N_("public key"), AS_WHOLE},
    {0},
};
static const struct view init_view = {
    .done = N_("The network's keys are made."),
    .sections = (const struct view_section[]){
        {NULL, NULL, init_fields, NULL}, {"keys", N_("Keys"), init_key_fields, NULL}, {0}}};

/* NET/authority, NET/authority.2, … and the file of each. */
static const char *key_name(struct cli *c, const char *net, uint64_t i)
{
    return i == 0 ? cli_text(c, "%s/authority", net)
                  : cli_text(c, "%s/authority.%u", net, (unsigned)i + 1);
}

static const char *key_path(struct cli *c, const char *net, uint64_t i, uint64_t count)
{
    return count == 1 ? cli_text(c, "%s.authority.key", net)
                      : cli_text(c, "%s.authority-%u.key", net, (unsigned)i + 1);
}

static int make_keys(struct cli *c, uint64_t count, struct network *n, json_t *keys)
{
    int err = COMITY_OK;
    for (uint64_t i = 0; !err && i < count; i++) {
        struct key_public pub;
        struct buf vkey = BUF_INIT;
        const char *path = key_path(c, n->name, i, count);
        err = secret_make(c, i, path, KEY_AUTHORITY, key_name(c, n->name, i), &pub);
        if (!err)
            n->authority_count = i + 1; /* that many files are ours to remove */
        if (!err)
            err = note_verifier_make(pub.name, NOTE_TYPE_SIGNATURE, pub.pub, &n->authority[i]);
        if (!err) {
            note_put_vkey(&vkey, &n->authority[i]);
            json_array_append_new(keys, cli_json(json_pack("{s:s, s:s, s:s}", "file", path, "name",
                                                           pub.name, "vkey", buf_str(&vkey))));
        }
        buf_free(&vkey);
    }
    return err;
}

static int check_init(struct cli *c, uint64_t *ret_keys, uint64_t *ret_threshold)
{
    const char *net = c->args[0];
    if (!text_is_network(bytes_of(net)))
        return cli_fail(
            c, COMITY_E_USAGE,
            _("a network's name is small letters, digits and hyphens, a letter first, not \"%s\""),
            net);
    int err = flag_number(c, "keys", 1, NETWORK_KEYS_MAX, 1, ret_keys);
    if (!err)
        err = flag_number(c, "threshold", 1, NETWORK_KEYS_MAX, *ret_keys / 2 + 1, ret_threshold);
    if (!err && *ret_threshold > *ret_keys)
        err = cli_fail(c, COMITY_E_USAGE,
                       _("a threshold of %u needs at least as many keys: --keys %u"),
                       (unsigned)*ret_threshold, (unsigned)*ret_threshold);
    if (!err)
        err = files_check_new(c, cli_text(c, "%s.network", net));
    for (uint64_t i = 0; !err && i < *ret_keys; i++)
        err = files_check_new(c, key_path(c, net, i, *ret_keys));
    return err;
}

static int authority_init(struct cli *c)
{
    uint64_t count = 0;
    uint64_t threshold = 0;
    struct buf text = BUF_INIT;
    struct network n = {0};
    int err = check_init(c, &count, &threshold);
    if (err)
        return err;
    const char *path = cli_text(c, "%s.network", c->args[0]);
    json_t *keys = cli_json(json_array());
    strcpy(n.name, c->args[0]);
    n.threshold = (uint32_t)threshold;
    err = make_keys(c, count, &n, keys);
    if (!err) {
        network_put(&text, &n);
        err = files_create(c, path, buf_bytes(&text));
    }
    for (size_t i = 0; err && i < n.authority_count; i++)
        unlink(key_path(c, n.name, i, count));
    if (err) {
        json_decref(keys);
    } else {
        err = cli_result(c, json_pack("{s:s, s:s, s:i, s:s, s:o}", "network", n.name, "file", path,
                                      "threshold", (int)threshold, "fingerprint",
                                      files_fingerprint(c, buf_bytes(&text)), "keys", keys));
        cli_next(c,
                 _("Give %s to every member, and let them compare its SHA-256 by voice or in the "
                   "gazette."),
                 path);
        cli_next(c, _("Back up the key files: without them there is no further roster."));
        cli_next(c, "comity broker init --network %s …", path);
    }
    buf_free(&text);
    return err;
}

/* ---- sign ---- */

static const struct flag sign_flags[] = {
    {"network", N_("FILE"), FLAG_NEEDED, N_("The network file, NET.network")},
    {"key", N_("FILE"), FLAG_MANY | FLAG_NEEDED, N_("An authority key that signs")},
    {0},
};

/* Who signs sees what he signs. */
static int confirm_sign(struct cli *c, const char *path, uint64_t number)
{
    struct bytes file;
    json_t *shown = NULL;
    int err = files_read(c, path, ROSTER_FILE_MAX, &file);
    if (!err)
        err = authority_roster_json(c, path, file, NULL, &shown);
    if (err)
        return err;
    cli_preview(c, &authority_show_view, shown);
    json_decref(shown);
    return cli_confirm(c, _("Sign this as roster %llu?"), (unsigned long long)number);
}

static int authority_sign(struct cli *c)
{
    struct roster_draft d = {0};
    const char *path = c->args[0];
    int err = roster_draft_network(c, &d);
    if (!err)
        err = roster_draft_read(c, &d, path);
    if (!err)
        err = confirm_sign(c, path, d.doc.number);
    if (!err)
        err = roster_draft_sign(c, &d);
    if (!err)
        err = files_write(c, path, buf_bytes(&d.file));
    if (!err)
        err = roster_draft_result(c, &d, path);
    roster_draft_done(&d);
    return err;
}

/* ---- the table ---- */

const struct command authority_commands[] = {
    {.noun = "authority",
     .verb = "init",
     .args = "NET",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_PASSPHRASE,
     .doc = N_("Make the keys of a new network"),
     .more = N_("Writes NET.network, which all members need, and the authority's key files, "
                "encrypted under "
                "passphrases. With several keys, each belongs to one person; so many of them as "
                "the threshold says "
                "must sign each roster."),
     .flags = init_flags,
     .view = &init_view,
     .run = authority_init},
    {.noun = "authority",
     .verb = "add",
     .args = "JOINFILE…",
     .args_min = 1,
     .args_max = 20000,
     .uses = USES_PASSPHRASE | USES_YES | USES_DRY_RUN,
     .doc = N_("Let members in: sign the next roster"),
     .more = N_("A join file proves that its sender holds the keys in it, and nothing about who "
                "that is. Compare "
                "the SHA-256 that is shown with the one that the member reads out, by telephone or "
                "in person, "
                "before you say yes.\n\nWithout --roster the current one is NET.roster beside the "
                "network file, and "
                "when there is none, the first roster is made. Without --out it is replaced."),
     .flags = roster_add_flags,
     .view = &roster_draft_view,
     .run = authority_add},
    {.noun = "authority",
     .verb = "revoke",
     .args = "MEMBER",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_PASSPHRASE | USES_YES | USES_DRY_RUN,
     .doc = N_("Close a member's ledger: sign the next roster"),
     .more = N_("For a stolen or lost key, a lost ledger, or a member that leaves. What the ledger "
                "held at the "
                "checkpoint that the file given with --at witnesses stays good, and everything "
                "that the broker "
                "accepted up to there is still delivered; everything else is void, whatever time "
                "it bears. The "
                "broker's operator writes that file: comity broker witness MEMBER.\n\n--at nothing "
                "closes the "
                "ledger before its first entry: nobody accepts anything of it any more, also what "
                "was accepted "
                "by the broker and not delivered yet. That is right for a member that joined by "
                "mistake and never "
                "sent anything."),
     .flags = roster_revoke_flags,
     .view = &roster_draft_view,
     .run = authority_revoke},
    {.noun = "authority",
     .verb = "sign",
     .args = "ROSTER",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_PASSPHRASE | USES_YES,
     .doc = N_("Add a signature to a roster that has too few yet"),
     .more = N_("Where several people hold the authority's keys, `add` and `revoke` sign with "
                "those at hand, and "
                "the file goes from one to the next."),
     .flags = sign_flags,
     .view = &roster_draft_view,
     .run = authority_sign},
    {.noun = "authority",
     .verb = "show",
     .args = "FILE",
     .args_min = 1,
     .args_max = 1,
     .doc = N_("Show a network, roster, join, witness or key file"),
     .more = N_("A roster is verified against the network file given with --network; without it, "
                "only whether it "
                "agrees with itself is checked, and the output says so."),
     .flags = authority_show_flags,
     .view = &authority_show_view,
     .run = authority_show},
    {0},
};
