/*
 * The connection to the node, and questions that several commands ask. See ask.h.
 */
#include "ask.h"

#include "base/file.h"
#include "base/text.h"
#include "site/restore.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    START_MS = 5000,
    RETRY_MS = 100
}; /* how long a node may take from its start to its socket */

/* ---- where the node is ---- */

static bool exists(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0;
}

/* A folder means the socket in it. */
static const char *socket_at(struct cli *c, const char *address)
{
    struct stat st;
    if (stat(address, &st) == 0 && S_ISDIR(st.st_mode))
        return cli_text(c, "%s/node.sock", address);
    return address;
}

int ask_find_socket(struct cli *c, const char **ret)
{
    const char *given = flag_exists(c, "node") ? flag_text(c, "node") : NULL;
    const char *environment = getenv("COMITY_NODE");
    const char *home = getenv("HOME");
    if (!given && environment && environment[0])
        given = environment;
    if (given) {
        *ret = socket_at(c, given);
        return COMITY_OK;
    }
    const char *own = cli_text(c, "%s/.comity/node.sock", home ? home : "");
    if (exists("node.sock") || exists("node.conf"))
        *ret = "node.sock";
    else if (home && exists(own))
        *ret = own;
    else
        return cli_hint(
            c,
            cli_fail(
                c, COMITY_E_UNREACHABLE,
                _("there is no node here: neither ./node.sock nor ~/.comity/node.sock exists")),
            _("say --node FOLDER, or set COMITY_NODE; comity help shows all commands"));
    return COMITY_OK;
}

/* The node's folder, when the socket lies in one. */
static const char *folder_of_node(struct cli *c)
{
    const char *slash = strrchr(c->socket, '/');
    return slash ? cli_text(c, "%.*s", (int)(slash - c->socket), c->socket) : ".";
}

/* Whether the socket lies in a node's folder: then a node that has just been started may open it.
 * Not one that must not run. */
static bool is_nodes(struct cli *c)
{
    struct site_rollback r;
    const char *dir = folder_of_node(c);
    return exists(cli_text(c, "%s/node.conf", dir)) && site_rollback_read(dir, &r) != 0;
}

static int open_patiently(struct cli *c)
{
    int err = comity_client_open(c->socket, &c->client);
    bool is_told = false;
    for (int tries = START_MS / RETRY_MS; err == COMITY_E_UNREACHABLE && tries > 0; tries--) {
        if (!is_nodes(c))
            break;
        if (!is_told && out_style_of(2).is_terminal && !c->is_json)
            fprintf(stderr, "%s\n", _("waiting for the node…"));
        is_told = true;
        usleep(RETRY_MS * 1000);
        err = comity_client_open(c->socket, &c->client);
    }
    return err;
}

/* A node that does not run because its folder was put back from an old copy: what is the matter,
 * and what to do. COMITY_OK when that is not it. */
static int fail_rolled_back(struct cli *c)
{
    struct site_rollback r;
    const char *dir = folder_of_node(c);
    if (site_rollback_read(dir, &r))
        return COMITY_OK;
    int err =
        r.known_size > r.size
            ? cli_fail(
                  c, COMITY_E_ROLLBACK,
                  _("this node was put back from an old copy: its ledger has %llu entries, the "
                    "broker has seen %llu of it. It has stopped and written nothing; what was "
                    "sent is not lost."),
                  (unsigned long long)r.size, (unsigned long long)r.known_size)
            : cli_fail(
                  c, COMITY_E_ROLLBACK,
                  _("this node was put back from an old copy: the broker has seen another "
                    "history of its ledger than these %llu entries. It has stopped and written "
                    "nothing; what was sent is not lost."),
                  (unsigned long long)r.size);
    return cli_hint(c, err,
                    _("if a newer folder is anywhere, put that back; else: comity node restore "
                      "--dir %s"),
                    dir);
}

int ask_open(struct cli *c, comity_client **ret)
{
    if (!c->client) {
        int err = ask_find_socket(c, &c->socket);
        if (err)
            return err;
        err = open_patiently(c);
        if (err == COMITY_E_UNREACHABLE && fail_rolled_back(c))
            return COMITY_E_ROLLBACK;
        if (err) {
            cli_fail_at(c, err, c->socket);
            if (err == COMITY_E_UNREACHABLE)
                cli_hint(c, err, _("is comity-node running there?"));
            if (err == COMITY_E_PERMISSION)
                cli_hint(
                    c, err,
                    _("the socket is for its owner and group: an administrator adds you to it"));
            return err;
        }
    }
    *ret = c->client;
    return COMITY_OK;
}

/* ---- questions ---- */

static int call(struct cli *c, struct comity_call *call, json_t *args, struct comity_reply *reply)
{
    comity_client *client = NULL;
    char *text = args ? json_dumps(args, JSON_COMPACT) : NULL;
    bool is_lost = args && !text;
    json_decref(args);
    if (is_lost)
        return cli_fail(c, COMITY_E_INVALID, _("an argument is not UTF-8 text"));
    int err = ask_open(c, &client);
    if (!err) {
        call->json = text;
        err = comity_client_call(client, call, reply);
        if (err)
            err = cli_fail_json(c, err, reply->json);
    }
    free(text);
    return err;
}

int ask_with(struct cli *c, struct comity_call *what, json_t *args, json_t **ret,
             struct bytes *ret_chunk)
{
    struct comity_reply reply = {0};
    int err = call(c, what, args, &reply);
    if (err)
        return err;
    json_t *json = json_loadb(reply.json, reply.json_len, JSON_ALLOW_NUL, NULL);
    if (!json)
        return cli_fail(c, COMITY_E_MALFORMED, _("the node's answer to %s is no JSON"),
                        what->method);
    if (ret_chunk)
        *ret_chunk = cli_copy(c, BYTES(reply.chunk.data, reply.chunk.len));
    *ret = json;
    return COMITY_OK;
}

int ask(struct cli *c, const char *method, json_t *args, json_t **ret)
{
    struct comity_call what = {.method = method};
    return ask_with(c, &what, args, ret, NULL);
}

int ask_quietly(struct cli *c, const char *method, json_t *args, json_t **ret)
{
    struct failure before = c->failure;
    int err = ask(c, method, args, ret);
    if (err)
        c->failure = before;
    return err;
}

int ask_status(struct cli *c, const json_t **ret)
{
    int err = c->status ? COMITY_OK : ask(c, "status", NULL, &c->status);
    if (!err)
        *ret = c->status;
    return err;
}

int ask_origin(struct cli *c, const char **ret)
{
    const json_t *status = NULL;
    int err = ask_status(c, &status);
    if (err)
        return err;
    *ret = json_string_value(json_object_get(status, "origin"));
    return *ret ? COMITY_OK
                : cli_fail(c, COMITY_E_MALFORMED, _("the node does not say which ledger it keeps"));
}

/* ---- members ---- */

static int fail_ambiguous(struct cli *c, const char *name, const json_t *items)
{
    struct buf list = BUF_INIT;
    for (size_t i = 0; i < json_array_size(items) && i < 8; i++) {
        const json_t *m = json_array_get(items, i);
        buf_printf(&list, "%s%s %s", i ? ", " : "", json_string_value(json_object_get(m, "id")),
                   json_string_value(json_object_get(m, "name")));
    }
    int err = cli_fail(c, COMITY_E_AMBIGUOUS, _("\"%s\" names several members: %s"), name,
                       buf_str(&list));
    buf_free(&list);
    return cli_hint(c, err, _("say more of the name, or the id"));
}

int ask_member_in_roster(struct cli *c, const char *name, const char **ret)
{
    json_t *found = NULL;
    bool is_id = text_is_bureau_id(bytes_of(name));
    struct failure before = c->failure;
    int err = ask(c, "member.find", cli_json(json_pack("{s:s}", "q", name)), &found);
    if (err == COMITY_E_NO_ROSTER && is_id) {
        c->failure = before;
        *ret = name;
        return COMITY_OK;
    }
    if (err)
        return err;
    const json_t *items = json_object_get(found, "items");
    size_t n = json_array_size(items);
    if (n == 1)
        *ret =
            cli_text(c, "%s", json_string_value(json_object_get(json_array_get(items, 0), "id")));
    else if (n > 1)
        err = fail_ambiguous(c, name, items);
    else
        err =
            cli_hint(c, cli_fail(c, COMITY_E_UNKNOWN_MEMBER, _("no member is called \"%s\""), name),
                     "comity member list");
    json_decref(found);
    return err;
}

int ask_member(struct cli *c, const char *name, const char **ret)
{
    if (!text_is_bureau_id(bytes_of(name)))
        return ask_member_in_roster(c, name, ret);
    *ret = name;
    return COMITY_OK;
}

/* Oneself, or somebody twice, is a slip of who typed it. */
static int check_recipients(struct cli *c, const json_t *to)
{
    const json_t *status = NULL;
    int err = json_array_size(to) ? ask_status(c, &status) : COMITY_OK;
    const char *own = json_string_value(json_object_get(status, "member"));
    for (size_t i = 0; !err && i < json_array_size(to); i++) {
        const char *id = json_string_value(json_array_get(to, i));
        if (own && strcmp(own, id) == 0)
            err = cli_hint(c, cli_fail(c, COMITY_E_USAGE, _("--to %s is this very bureau"), id),
                           _("what is recorded stays here anyway; name the other bureaus only"));
        for (size_t k = 0; !err && k < i; k++)
            if (strcmp(json_string_value(json_array_get(to, k)), id) == 0)
                err = cli_hint(c, cli_fail(c, COMITY_E_USAGE, _("--to names %s twice"), id),
                               _("once is enough"));
    }
    return err;
}

int ask_recipients(struct cli *c, json_t **ret)
{
    json_t *to = cli_json(json_array());
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < flag_count(c, "to"); i++) {
        const char *id = NULL;
        err = ask_member(c, flag_at(c, "to", i), &id);
        if (!err)
            json_array_append_new(to, cli_json(json_string(id)));
    }
    if (!err)
        err = check_recipients(c, to);
    if (err)
        json_decref(to);
    else
        *ret = to;
    return err;
}

/* ---- lists ---- */

json_t *ask_page(struct cli *c, int *ret_err)
{
    uint64_t limit = 0;
    json_t *args = cli_json(json_object());
    *ret_err = flag_number(c, "limit", 1, 500, 50, &limit);
    json_object_set_new(args, "limit", json_integer((json_int_t)limit));
    if (flag_given(c, "after"))
        json_object_set_new(args, "after", cli_json(json_string(flag_text(c, "after"))));
    return args;
}

int ask_list(struct cli *c, const char *method, json_t *args)
{
    json_t *list = NULL;
    int err = ask(c, method, args, &list);
    if (err)
        return err;
    const char *next = json_string_value(json_object_get(list, "next"));
    if (next)
        cli_next(c, _("There is more: --after %s"), next);
    return cli_result(c, list);
}
