/*
 * evidence get: files of a piece of evidence, checked on the way, never over what is there.
 */
#include "ask.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "domain/rules.h"
#include "evidence.h"
#include "files.h"
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const struct flag evidence_get_flags[] = {
    {"out", N_("FOLDER"), 0, N_("Where to write the files (default: here)")},
    {"file", N_("NAME"), FLAG_MANY, N_("Only this file")},
    {0},
};

static const struct view_field file_fields[] = {
    {"path", N_("file"), AS_WHOLE},
    {"len", N_("size"), AS_SIZE},
    {"ok", N_("as recorded"), AS_VALID},
    {"sha256", N_("SHA-256"), AS_WHOLE},
    {0},
};
const struct view evidence_get_view = {
    .sections = (const struct view_section[]){
        {"items", NULL, file_fields, N_("This evidence has no files.")}, {0}}};

/* Whether the file at ${path} is byte for byte the one that the record names. */
static bool is_same(const char *path, const json_t *file)
{
    uint8_t piece[64 * 1024];
    struct hash sha256, sm3;
    struct buf hex = BUF_INIT;
    const char *named = json_string_value(json_object_get(file, "sha256"));
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return false;
    struct file_digest *d = file_digest_new();
    ssize_t n = 0;
    while ((n = read(fd, piece, sizeof piece)) > 0)
        file_digest_add(d, BYTES(piece, (size_t)n));
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    close(fd);
    text_put_hex(&hex, hash_bytes(&sha256));
    bool same = n == 0 && named && strcmp(named, buf_str(&hex)) == 0;
    buf_free(&hex);
    return same;
}

static bool is_wanted(const struct cli *c, const char *name)
{
    size_t n = flag_count(c, "file");
    for (size_t i = 0; i < n; i++)
        if (strcmp(flag_at(c, "file", i), name) == 0)
            return true;
    return n == 0;
}

static int download(struct cli *c, const char *ref, size_t number, const char *name,
                    const char *tmp)
{
    comity_client *client = NULL;
    struct comity_reply reply = {0};
    struct progress bar;
    int err = ask_open(c, &client);
    if (err)
        return err;
    int fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return cli_fail_at(c, file_err(errno), tmp);
    const struct comity_transfer t = {
        .ref = ref, .file = cli_text(c, "%zu", number), .progress = progress_step, .self = &bar};
    progress_begin(&bar, name);
    err = comity_client_download(client, fd, &t, &reply);
    progress_end(&bar);
    if (!err && fsync(fd) != 0)
        err = cli_fail_at(c, COMITY_E_IO, tmp);
    else if (err == COMITY_E_AGAIN)
        cli_hint(c, cli_fail(c, err, _("%s has not arrived here yet"), name),
                 "comity evidence show %s", ref);
    else if (err)
        err = cli_fail_json(c, err, reply.json);
    close(fd);
    return err;
}

/* Under its own name once it is whole and right; link() refuses when something came there
 * meanwhile. */
static int settle(struct cli *c, const char *tmp, const char *path)
{
    int err = link(tmp, path) == 0 ? COMITY_OK : cli_fail_at(c, file_err(errno), path);
    unlink(tmp);
    return err;
}

static int get_one(struct cli *c, const char *ref, size_t number, const json_t *file, json_t *items)
{
    struct stat st;
    const char *name = json_string_value(json_object_get(file, "name"));
    const char *dir = flag_text(c, "out");
    if (!name || !file_name_is_safe(bytes_of(name)))
        return cli_fail(c, COMITY_E_MALFORMED,
                        _("the record names a file that must not be written"));
    const char *path = dir ? cli_text(c, "%s/%s", dir, name) : name;
    const char *tmp = cli_text(c, "%s.part-%ld", path, (long)getpid());
    bool is_there = lstat(path, &st) == 0;
    if (is_there && !is_same(path, file))
        return cli_hint(
            c, cli_fail(c, COMITY_E_EXISTS, _("%s is there already, with other content"), path),
            _("nothing is ever overwritten: --out another folder"));
    int err = is_there ? COMITY_OK : download(c, ref, number, name, tmp);
    if (!err && !is_there)
        err = settle(c, tmp, path);
    else if (err)
        unlink(tmp);
    if (!err)
        json_array_append_new(
            items, cli_json(json_pack(
                       "{s:s, s:s, s:O, s:O, s:O, s:b, s:b}", "name", name, "path", path, "len",
                       json_object_get(file, "len"), "sha256", json_object_get(file, "sha256"),
                       "sm3", json_object_get(file, "sm3"), "ok", true, "again", is_there)));
    return err;
}

static int get_all(struct cli *c, const json_t *files, json_t *items)
{
    int err = COMITY_OK;
    size_t wanted = 0;
    for (size_t i = 0; !err && i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(file, "name"));
        if (name && !is_wanted(c, name))
            continue;
        wanted++;
        err = get_one(c, c->args[0], i, file, items);
    }
    if (!err && flag_count(c, "file") && wanted < flag_count(c, "file"))
        err = cli_hint(c,
                       cli_fail(c, COMITY_E_NOT_FOUND, _("this evidence has no file of that name")),
                       "comity evidence show %s", c->args[0]);
    return err;
}

int evidence_get(struct cli *c)
{
    json_t *shown = NULL;
    const char *dir = flag_text(c, "out");
    int err = ask(c, "evidence.show", cli_json(json_pack("{s:s}", "ref", c->args[0])), &shown);
    if (err)
        return err;
    if (dir && (err = file_mkdirs(dir, 0777)) != 0)
        cli_fail_at(c, err, dir);
    json_t *items = cli_json(json_array());
    if (!err)
        err = get_all(c, json_object_get(shown, "files"), items);
    json_decref(shown);
    int kept = cli_result(c, json_pack("{s:o, s:n}", "items", items, "next"));
    return err ? err : kept;
}
