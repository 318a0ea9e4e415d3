/*
 * Reading and writing files. See files.h.
 */
#include "files.h"

#include "base/text.h"
#include "crypto/hash.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int files_read(struct cli *c, const char *path, size_t max, struct bytes *ret)
{
    struct buf b = BUF_INIT;
    int err = files_check_no_folder(c, path);
    if (err)
        return err;
    err = file_read(path, max, &b);
    if (err == COMITY_E_NOT_FOUND)
        cli_fail(c, err, _("%s: no such file"), path);
    else if (err)
        cli_fail_at(c, err, path);
    else
        *ret = cli_copy(c, buf_bytes(&b));
    buf_free(&b);
    return err;
}

static int explain(struct cli *c, int err, const char *path)
{
    if (err == COMITY_E_NOT_FOUND)
        return cli_fail(c, err, _("%s: no such folder"), path);
    return err ? cli_fail_at(c, err, path) : COMITY_OK;
}

int files_write(struct cli *c, const char *path, struct bytes content)
{
    return explain(c, file_write(path, content, 0644), path);
}

int files_create(struct cli *c, const char *path, struct bytes content)
{
    return explain(c, file_create(path, content, 0644), path);
}

/* "folder" of "folder/", too. */
static const char *without_slash(struct cli *c, const char *path)
{
    size_t n = strlen(path);
    while (n > 0 && path[n - 1] == '/')
        n--;
    return cli_text(c, "%.*s", (int)n, path);
}

int files_check_no_folder(struct cli *c, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        return COMITY_OK;
    return cli_hint(c, cli_fail(c, COMITY_E_NOT_A_FILE, _("%s is a folder"), path),
                    _("name the file in it: %s/…"), without_slash(c, path));
}

const char *files_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

int files_check_new(struct cli *c, const char *path)
{
    struct stat st;
    const char *name = files_name(path);
    const char *folder = name == path ? "." : cli_text(c, "%.*s", (int)(name - path), path);
    if (lstat(path, &st) == 0)
        return cli_hint(c, cli_fail_at(c, COMITY_E_EXISTS, path),
                        _("nothing is ever overwritten; choose another name"));
    if (access(folder, W_OK | X_OK) == 0)
        return COMITY_OK;
    return explain(
        c, errno == ENOENT || errno == ENOTDIR ? COMITY_E_NOT_FOUND : COMITY_E_PERMISSION, folder);
}

const char *files_fingerprint(struct cli *c, struct bytes content)
{
    struct hash sha256, sm3;
    struct buf hex = BUF_INIT;
    struct file_digest *d = file_digest_new();
    file_digest_add(d, content);
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    text_put_hex(&hex, hash_bytes(&sha256));
    const char *text = cli_text(c, "%s", buf_str(&hex));
    buf_free(&hex);
    return text;
}

const char *files_absolute(struct cli *c, const char *path)
{
    if (strcmp(path, "-") == 0 || strncmp(path, "fd:", 3) == 0)
        return path;
    char *whole = realpath(path, NULL);
    const char *text = whole ? cli_text(c, "%s", whole) : NULL;
    free(whole);
    return text;
}
