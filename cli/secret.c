/*
 * Passphrases and key files. See secret.h.
 */
#include "secret.h"

#include "base/text.h"
#include "files.h"
#include "term.h"

#include <stdlib.h>
#include <string.h>

enum { SECRETS_MAX = 64, NEW_MIN = 8, TRIES = 3 };

/* One a --passphrase-file, or one a key when they are asked for. */
struct passphrases {
    struct buf at[SECRETS_MAX];
};

/* Of a new key: whoever finds the file has all the time in the world to guess. */
static int check_new(struct cli *c, struct bytes passphrase)
{
    size_t n = 0;
    for (size_t i = 0; i < passphrase.len; i++)
        n += (passphrase.data[i] & 0xc0) != 0x80; /* characters, not bytes */
    if (n >= NEW_MIN)
        return COMITY_OK;
    return cli_hint(
        c, cli_fail(c, COMITY_E_INVALID, _("the passphrase has fewer than %d characters"), NEW_MIN),
        _("take several words: the file is only as safe as they are"));
}

static int ask(struct cli *c, const char *what, bool is_new, struct buf *out)
{
    struct buf again = BUF_INIT;
    int err = term_secret(
        cli_text(c, is_new ? _("New passphrase for %s: ") : _("Passphrase for %s: "), what), out);
    if (!err && out->len == 0)
        err = COMITY_E_INVALID;
    if (!err && is_new && (err = check_new(c, buf_bytes(out))) != 0)
        return err;
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

/* "fd:N", whose N is a number. */
static bool is_descriptor(const char *path, bool *ret_right)
{
    uint64_t n;
    bool is = strncmp(path, "fd:", 3) == 0;
    *ret_right = is && text_get_u64(bytes_of(path + 3), &n) == 0 && n <= 1024 * 1024;
    return is;
}

static int read_file(struct cli *c, const char *path, struct buf *out)
{
    bool is_right = false;
    if (is_descriptor(path, &is_right) && !is_right)
        return cli_fail(
            c, COMITY_E_USAGE,
            _("--passphrase-file fd:N needs the number of an open descriptor, not \"%s\""), path);
    int err = files_check_no_folder(c, path);
    if (err)
        return err;
    err = passphrase_read(path, out);
    if (err == COMITY_E_INVALID)
        return cli_fail(c, err, _("%s: the first line is empty"), path);
    if (err == COMITY_E_NOT_FOUND)
        return cli_fail(c, err, _("%s: no such file"), path);
    if (err == COMITY_E_PUBLIC_KEY_FILE)
        return cli_hint(c, cli_fail(c, err, _("others can read the passphrase in %s"), path),
                        "chmod 600 %s", path);
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
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
        err = read_file(c, path, b);
        if (!err && is_new)
            err = check_new(c, buf_bytes(b));
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

/* Whether a file that is no whole key file was one: a transcript given by mistake is not damaged.
 */
static bool was_key(const char *path)
{
    struct buf b = BUF_INIT;
    static const char mark[] = "comity key";
    bool is = file_read(path, 64 * 1024, &b) != 0 || bytes_has_prefix(buf_bytes(&b), mark) ||
              bytes_has_prefix(bytes_of(mark), buf_str(&b)) ||
              strstr(buf_str(&b), "ENCRYPTED PRIVATE KEY");
    buf_wipe(&b);
    return is;
}

/* What the public lines of a key file say, or why they cannot be read. */
int secret_public(struct cli *c, const char *path, struct key_public *ret)
{
    int err = files_check_no_folder(c, path);
    if (err)
        return err;
    err = keyfile_public(path, ret);
    if (err == COMITY_E_PUBLIC_KEY_FILE)
        return cli_hint(c, cli_fail_at(c, err, path), "chmod 600 %s", path);
    if (err == COMITY_E_NOT_FOUND)
        return cli_fail(c, err, _("%s: no such file"), path);
    if (err == COMITY_E_KEY_DAMAGED && !was_key(path))
        return cli_hint(c, cli_fail(c, COMITY_E_NOT_A_KEY, _("%s is not a key file"), path),
                        _("a key file ends in .key and begins with \"comity key v1\""));
    if (err == COMITY_E_KEY_DAMAGED)
        return cli_hint(c, cli_fail_at(c, err, path),
                        _("take the copy of it that was put in a safe place, or enrol a new key"));
    if (err == COMITY_E_PERMISSION)
        return cli_hint(c, cli_fail_at(c, err, path),
                        _("a key file belongs to one person: is this one yours?"));
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

/* Forget the nth passphrase, which was typed and did not fit. */
static void forget(struct cli *c, size_t n)
{
    buf_wipe(&c->passphrases->at[n]);
    c->passphrases->at[n] = BUF_INIT;
}

/* A person at a terminal mistypes; a file does not get better by being read again. */
static int open_signer(struct cli *c, size_t n, const char *path, enum key_use use,
                       struct note_signer **ret)
{
    struct bytes passphrase;
    int err = COMITY_E_PASSPHRASE;
    unsigned tries = flag_count(c, "passphrase-file") ? 1 : TRIES;
    for (unsigned i = 0; i < tries && err == COMITY_E_PASSPHRASE; i++) {
        if (i) {
            forget(c, n);
            term_say(_("That does not open it. Once more:"));
        }
        err = secret_passphrase(c, n, path, false, &passphrase);
        if (err)
            return err;
        err = keyfile_open_signer(path, use, passphrase, ret);
    }
    if (err == COMITY_E_PASSPHRASE)
        return cli_hint(c, cli_fail_at(c, err, path),
                        _("is it the passphrase of this key? Nobody can recover it; an "
                          "administrator can retire the key and enrol a new one"));
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

int secret_open(struct cli *c, size_t n, const char *path, enum key_use use,
                struct note_signer **ret)
{
    struct key_public pub;
    int err = secret_public(c, path, &pub);
    if (err)
        return err;
    if (pub.use != use)
        return cli_fail(c, COMITY_E_INVALID, _("%s is the key of %s for use as %s, not as %s"),
                        path, pub.name, key_use_word(pub.use), key_use_word(use));
    return open_signer(c, n, path, use, ret);
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
