/*
 * Passphrases and key files. See secret.h.
 */
#include "secret.h"

#include "term.h"

#include <stdlib.h>
#include <string.h>

enum { SECRETS_MAX = 64 };

/* One a --passphrase-file, or one a key when they are asked for. */
struct passphrases {
    struct buf at[SECRETS_MAX];
};

static int ask(struct cli *c, const char *what, bool is_new, struct buf *out)
{
    struct buf again = BUF_INIT;
    int err = term_secret(
        cli_text(c, is_new ? _("New passphrase for %s: ") : _("Passphrase for %s: "), what), out);
    if (!err && out->len == 0)
        err = COMITY_E_INVALID;
    if (!err && is_new)
        err = term_secret(_("The same once more: "), &again);
    if (err == COMITY_E_NOT_FOUND)
        cli_hint(c,
                 cli_fail(c, err = COMITY_E_KEY_LOCKED,
                          _("%s needs its passphrase, and there is no terminal to ask on"), what),
                 _("give --passphrase-file FILE"));
    else if (err == COMITY_E_INVALID)
        cli_fail(c, err, _("the passphrase is empty"));
    else if (err)
        cli_fail_at(c, err, NULL);
    else if (is_new && !bytes_equal(buf_bytes(out), buf_bytes(&again)))
        err = cli_fail(c, COMITY_E_INVALID, _("the two passphrases differ"));
    buf_wipe(&again);
    return err;
}

int secret_passphrase(struct cli *c, size_t n, const char *what, bool is_new, struct bytes *ret)
{
    size_t files = flag_count(c, "passphrase-file");
    size_t which = files && n >= files ? files - 1 : n;
    if (which >= SECRETS_MAX)
        return cli_fail_at(c, COMITY_E_LIMIT, NULL);
    if (!c->passphrases && !(c->passphrases = calloc(1, sizeof *c->passphrases)))
        return cli_fail_at(c, COMITY_E_NOMEM, NULL);
    struct buf *b = &c->passphrases->at[which];
    int err = COMITY_OK;
    if (b->len == 0 && files) {
        const char *path = flag_at(c, "passphrase-file", which);
        err = passphrase_read(path, b);
        if (err == COMITY_E_INVALID)
            cli_fail(c, err, _("%s: the first line is empty"), path);
        else if (err)
            cli_fail_at(c, err, path);
    } else if (b->len == 0) {
        err = ask(c, what, is_new, b);
    }
    if (err) {
        buf_wipe(b);
        *b = BUF_INIT;
        return err;
    }
    *ret = buf_bytes(b);
    return COMITY_OK;
}

int secret_open(struct cli *c, size_t n, const char *path, enum key_use use,
                struct note_signer **ret)
{
    struct key_public pub;
    struct bytes passphrase;
    int err = keyfile_public(path, &pub);
    if (err == COMITY_E_PUBLIC_KEY_FILE)
        return cli_hint(c, cli_fail_at(c, err, path), "chmod 600 %s", path);
    if (err)
        return cli_fail_at(c, err, path);
    if (pub.use != use)
        return cli_fail(c, COMITY_E_INVALID, _("%s is the key of %s for use as %s, not as %s"),
                        path, pub.name, key_use_word(pub.use), key_use_word(use));
    err = secret_passphrase(c, n, path, false, &passphrase);
    if (err)
        return err;
    err = keyfile_open_signer(path, use, passphrase, ret);
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

int secret_make(struct cli *c, size_t n, const char *path, enum key_use use, const char *name,
                struct key_public *ret)
{
    struct bytes passphrase;
    int err = secret_passphrase(c, n, path, true, &passphrase);
    if (err)
        return err;
    err = keyfile_create(path, use, name, passphrase, ret);
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

void secret_forget(struct cli *c)
{
    if (!c->passphrases)
        return;
    for (size_t i = 0; i < SECRETS_MAX; i++)
        buf_wipe(&c->passphrases->at[i]);
    free(c->passphrases);
    c->passphrases = NULL;
}
