/*
 * Opening a ledger from its files. See offline.h.
 */
#include "offline.h"

#include "ask.h"
#include "base/file.h"
#include "domain/ref.h"

#include <errno.h>
#include <libgen.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_there(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

int offline_path(struct cli *c, const char **ret)
{
    const char *given = flag_text(c, "ledger");
    const char *socket = NULL;
    if (given) {
        *ret = given;
        return COMITY_OK;
    }
    if (ask_find_socket(c, &socket) == 0) {
        const char *dir = dirname(cli_text(c, "%s", socket));
        if (is_there(cli_text(c, "%s/ledger.db", dir))) {
            *ret = dir;
            return COMITY_OK;
        }
    }
    return cli_fail(
        c, COMITY_E_USAGE,
        _("say which ledger: --ledger with a node's or broker's folder, or an exported file"));
}

/* The store of a folder: "ledger" of a node, "broker" of a broker. */
static int open_folder(struct cli *c, const char *dir, struct store **ret)
{
    static const char *const names[] = {"ledger", "broker"};
    if (access(dir, R_OK | X_OK) != 0)
        return file_err(errno);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_there(cli_text(c, "%s/%s.db", dir, names[i])))
            return store_open(dir, names[i], DB_READ, ret);
    return COMITY_E_NOT_A_LEDGER;
}

/* FOLDER/ledger.db means the folder: its chunks and its -wal lie beside it. */
static const char *folder_of_store(struct cli *c, const char *path)
{
    const char *base = basename(cli_text(c, "%s", path));
    const char *dir = dirname(cli_text(c, "%s", path));
    bool is_store = strcmp(base, "ledger.db") == 0 || strcmp(base, "broker.db") == 0;
    bool is_site =
        is_there(cli_text(c, "%s/node.conf", dir)) || is_there(cli_text(c, "%s/broker.conf", dir));
    return is_store && is_site ? dir : NULL;
}

int offline_open(struct cli *c, struct offline *ret)
{
    struct offline o = {0};
    struct stat st;
    int err = offline_path(c, &o.path);
    if (err)
        return err;
    if (stat(o.path, &st) != 0)
        return errno == EACCES ? cli_fail_at(c, COMITY_E_PERMISSION, o.path)
                               : cli_fail(c, COMITY_E_NOT_FOUND, _("%s: no such file"), o.path);
    const char *folder = S_ISDIR(st.st_mode) ? o.path : folder_of_store(c, o.path);
    if (!folder && access(o.path, R_OK) != 0)
        err = file_err(errno);
    else
        err = folder ? open_folder(c, folder, &o.store) : store_open_file(o.path, &o.store);
    if (!err)
        err = ledger_open_read(o.store, &o.ledger);
    if (err == COMITY_E_NOT_FOUND || err == COMITY_E_INTERNAL)
        err = COMITY_E_NOT_A_LEDGER; /* a database, of something else */
    if (err) {
        offline_close(&o);
        return cli_fail_at(c, err, o.path);
    }
    *ret = o;
    return COMITY_OK;
}

void offline_close(struct offline *o)
{
    ledger_close(o->ledger);
    store_close(o->store);
}

int offline_index(struct cli *c, const struct offline *o, const char *text, uint64_t *ret)
{
    struct ref ref;
    struct origin own;
    const char *origin = ledger_origin(o->ledger);
    int err = ref_get(bytes_of(text), &ref);
    if (err)
        return cli_fail(c, COMITY_E_REF, _("\"%s\" is no entry's index, and no reference to one"),
                        text);
    if (ref.member.len &&
        (text_get_origin(bytes_of(origin), &own) != 0 || !bytes_equal(own.member, ref.member) ||
         own.generation != ref.generation))
        return cli_fail(c, COMITY_E_NOT_FOUND, _("%s is the ledger %s, not that of %s"), o->path,
                        origin, text);
    if (ref.index >= ledger_size(o->ledger))
        return cli_fail(c, COMITY_E_NOT_FOUND,
                        _("%s has %llu entries that its checkpoint covers, no entry %llu"), o->path,
                        (unsigned long long)ledger_size(o->ledger), (unsigned long long)ref.index);
    *ret = ref.index;
    return COMITY_OK;
}
