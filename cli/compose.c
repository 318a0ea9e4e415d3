/*
 * Making a record. See compose.h; compose_value.c reads single flags.
 */
#include "compose.h"

#include "ask.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/text.h"
#include "compose_value.h"
#include "domain/code.h"
#include "domain/ref.h"
#include "domain/rules.h"
#include "files.h"
#include "ledger/ledger.h"
#include "msg/record.h"
#include "json/record_json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { RECORD_ARENA_MAX = 4 * 1024 * 1024 };

/* ---- paths ---- */

void compose_set(json_t *json, const char *path, json_t *value)
{
    size_t len = strcspn(path, ".");
    char key[64];
    if (len >= sizeof key) {
        json_decref(value);
        return;
    }
    memcpy(key, path, len);
    key[len] = 0;
    if (path[len] == 0) {
        json_object_set_new(json, key, cli_json(value));
        return;
    }
    json_t *inner = json_object_get(json, key);
    if (!json_is_object(inner)) {
        inner = cli_json(json_object());
        json_object_set_new(json, key, inner);
    }
    compose_set(inner, path + len + 1, value);
}

const json_t *compose_get(const json_t *json, const char *path)
{
    size_t len = strcspn(path, ".");
    char key[64];
    if (len >= sizeof key)
        return NULL;
    memcpy(key, path, len);
    key[len] = 0;
    const json_t *at = json_object_get(json, key);
    return path[len] == 0 || !at ? at : compose_get(at, path + len + 1);
}

/* ---- beginning ---- */

static int read_from(struct cli *c, json_t **ret)
{
    json_error_t where;
    const char *path = flag_exists(c, "from") ? flag_text(c, "from") : NULL;
    if (!path) {
        *ret = cli_json(json_object());
        return COMITY_OK;
    }
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) != 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? cli_fail(c, COMITY_E_NOT_FOUND, _("%s: no such file"), path)
                   : cli_fail_at(c, file_err(errno), path);
    int err = strcmp(path, "-") == 0 ? COMITY_OK : files_check_no_folder(c, path);
    if (err)
        return err;
    *ret = strcmp(path, "-") == 0 ? json_loadf(stdin, JSON_REJECT_DUPLICATES, &where)
                                  : json_load_file(path, JSON_REJECT_DUPLICATES, &where);
    if (*ret && json_is_object(*ret))
        return COMITY_OK;
    bool is_other = *ret != NULL;
    json_decref(*ret);
    if (is_other)
        return cli_fail(c, COMITY_E_INVALID, _("%s holds no JSON object"), path);
    return cli_fail(c, COMITY_E_INVALID, "%s:%d: %s", path, where.line, where.text);
}

int compose_begin(struct cli *c, uint32_t kind, const struct compose_row *rows, json_t **ret)
{
    json_t *json = NULL;
    int err = read_from(c, &json);
    if (err)
        return err;
    compose_set(json, "kind", json_string(record_token(TERMS_RECORD_KIND, kind)));
    compose_set(json, "schema", json_integer(RECORD_SCHEMA));
    for (const struct compose_row *r = rows; !err && r->flag; r++) {
        json_t *value = NULL;
        if (!flag_given(c, r->flag))
            continue;
        err = compose_value(c, r, &value);
        if (!err)
            compose_set(json, r->path, value);
    }
    if (err)
        json_decref(json);
    else
        *ret = json;
    return err;
}

static bool is_needed(const json_t *json, enum compose_need need)
{
    const char *kind = json_string_value(compose_get(json, "evidence.kind"));
    return need == NEED_ALWAYS ||
           (need == NEED_ELECTRONIC && kind && strcmp(kind, "electronic") == 0);
}

int compose_check_needs(struct cli *c, const json_t *json, const struct compose_row *rows)
{
    struct buf list = BUF_INIT;
    size_t n = 0;
    int err = COMITY_OK;
    for (const struct compose_row *r = rows; r->flag; r++)
        if (is_needed(json, r->need) && !compose_get(json, r->path))
            buf_printf(&list, "%s--%s", n++ ? ", " : "", r->flag);
    if (n)
        err = flag_fail_missing(c, n, buf_str(&list));
    buf_free(&list);
    return err;
}

/* ---- the request id ---- */

int compose_request_id(struct cli *c, const json_t *json, const json_t *to, const json_t *files,
                       const char **ret)
{
    const char *given = flag_text(c, "request-id");
    if (given && given[0] && strlen(given) <= BODY_REQUEST_ID_MAX) {
        *ret = given;
        return COMITY_OK;
    }
    if (given)
        return cli_fail(c, COMITY_E_USAGE, _("--request-id is a text of at most %d bytes"),
                        BODY_REQUEST_ID_MAX);
    json_t *whole = cli_json(json_pack("[O, O?, O?]", json, to, files));
    char *text = json_dumps(whole, JSON_COMPACT | JSON_SORT_KEYS);
    struct hash h;
    struct buf hex = BUF_INIT;
    json_decref(whole);
    if (!text)
        return cli_fail_at(c, COMITY_E_NOMEM, NULL);
    hash_of(suite_get(SUITE_1), &h, BYTES_LIT("comity-request/v1\n"), bytes_of(text));
    free(text);
    text_put_hex(&hex, hash_bytes(&h));
    *ret = cli_text(c, "%s", buf_str(&hex));
    buf_free(&hex);
    return COMITY_OK;
}

/* Whether ${has} holds all that ${wanted} says; ${has} may say more. */
static bool says(const json_t *has, const json_t *wanted)
{
    const char *key;
    json_t *value;
    if (json_is_object(wanted)) {
        json_object_foreach((json_t *)wanted, key,
                            value) if (!says(json_object_get(has, key), value)) return false;
        return json_is_object(has);
    }
    if (json_is_array(wanted)) {
        bool same = json_array_size(has) == json_array_size(wanted);
        for (size_t i = 0; same && i < json_array_size(wanted); i++)
            same = says(json_array_get(has, i), json_array_get(wanted, i));
        return same;
    }
    return has && json_equal(has, wanted);
}

int compose_find_request(struct cli *c, const char *request_id, const json_t *json,
                         const json_t *to)
{
    json_t *found = NULL;
    json_t *args = cli_json(json_pack("{s:s}", "request_id", request_id));
    struct failure before = c->failure;
    int err = ask(c, "request.find", args, &found);
    if (err == COMITY_E_NOT_FOUND)
        c->failure = before;
    if (err)
        return err;
    json_t *recorded = NULL;
    const json_t *ref = json_object_get(found, "ref");
    err = ask_quietly(c, "record.get", cli_json(json_pack("{s:O}", "ref", ref)), &recorded);
    bool is_other = !err && !says(json_object_get(recorded, "record"), json);
    if (!err)
        json_object_update_missing(found, recorded); /* as record.add would have answered */
    json_object_del(found, "record");
    json_decref(recorded);
    if (is_other) {
        err = cli_fail(c, COMITY_E_REQUEST_CONFLICT,
                       _("request id %s was used for %s, which says something else"), request_id,
                       json_string_value(ref));
        json_decref(found);
        return err;
    }
    json_object_set_new(found, "again", json_true());
    json_object_set(found, "to", (json_t *)to);
    return cli_result(c, found);
}

/* ---- finishing ---- */

/* "evidence.files[2].name" is also "evidence.files". */
static const char *flag_of_path(const struct compose_row *rows, const char *path)
{
    for (const struct compose_row *r = rows; r && r->flag; r++) {
        size_t len = strlen(r->path);
        if (strncmp(path, r->path, len) == 0 &&
            (path[len] == 0 || path[len] == '[' || path[len] == '.'))
            return r->flag;
    }
    return NULL;
}

/* The text at ${path}, which may have "[n]" in it. */
static struct bytes text_at(const json_t *json, const char *path)
{
    while (*path && json) {
        char key[64];
        size_t len = strcspn(path, ".[");
        if (len >= sizeof key)
            return BYTES_NONE;
        memcpy(key, path, len);
        key[len] = 0;
        if (len)
            json = json_object_get(json, key);
        path += len;
        if (*path == '[') {
            json = json_array_get(json, (size_t)strtoul(path + 1, NULL, 10));
            path += strcspn(path, "]");
            path += *path == ']';
        }
        path += *path == '.';
    }
    const char *text = json_string_value(json);
    return text ? bytes_of(text) : BYTES_NONE;
}

/* What is wrong with a code, in the officer's language. */
static const char *code_words(struct cli *c, const struct code_fault *f)
{
    switch (f->flaw) {
    case CODE_FLAW_LENGTH:
        return cli_text(c, _("it has %zu characters instead of %s"), f->got_len, f->lengths);
    case CODE_FLAW_CHARACTER:
        if (f->got <= ' ' || f->got > '~')
            return cli_text(c, _("character %zu is none that such a code can have"), f->at);
        return cli_text(c, _("character %zu cannot be '%c'"), f->at, f->got);
    case CODE_FLAW_CHECK:
        return cli_text(c, _("character %zu is '%c', but the others call for '%c'"), f->at, f->got,
                        f->expected);
    case CODE_FLAW_PROVINCE:
        return _("no province has these first two digits");
    default:
        return NULL;
    }
}

/* Words with a number in them are no fixed sentence either; NULL for others. */
static const char *number_words(struct cli *c, const char *words)
{
    size_t n = 0;
    int end = 0;
    if (sscanf(words, "is longer than %zu bytes%n", &n, &end) == 1 && end && !words[end])
        return cli_text(c, _("is longer than %zu bytes"), n);
    if (sscanf(words, "has more than %zu elements%n", &n, &end) == 1 && end && !words[end])
        return cli_text(c, _("has more than %zu elements"), n);
    return NULL;
}

/* The words of the fault; those about codes are made anew, since they are no fixed sentences. */
static const char *fault_words(struct cli *c, const struct record_fault *f, const json_t *json)
{
    struct code_fault code = {0};
    struct bytes text = text_at(json, f->path);
    int err = f->err == COMITY_E_USCC       ? code_check_uscc(text, &code)
              : f->err == COMITY_E_GTIN     ? code_check_gtin(text, &code)
              : f->err == COMITY_E_DIVISION ? code_check_division(text, &code)
                                            : COMITY_OK;
    const char *words = err ? code_words(c, &code) : number_words(c, f->words);
    return words ? words : gettext(f->words);
}

/* The schemes that the program knows; another word may be a slip, and would be kept for ever. */
static bool is_known_scheme(const char *scheme)
{
    static const char *const known[] = {"gtin", "passport", "marking"};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (strcmp(known[i], scheme) == 0)
            return true;
    return false;
}

static const char *unknown_scheme(const json_t *codes)
{
    for (size_t i = 0; i < json_array_size(codes); i++) {
        const json_t *code = json_array_get(codes, i);
        const char *scheme = json_string_value(json_object_get(code, "scheme"));
        if (scheme && !is_known_scheme(scheme) &&
            !json_is_true(json_object_get(code, "unverified")))
            return scheme;
    }
    return NULL;
}

static int check_schemes(struct cli *c, const json_t *json)
{
    const char *unknown = unknown_scheme(compose_get(json, "evidence.codes"));
    const json_t *goods = compose_get(json, "case_content.goods");
    for (size_t i = 0; !unknown && i < json_array_size(goods); i++)
        unknown = unknown_scheme(json_object_get(json_array_get(goods, i), "codes"));
    if (!unknown)
        return COMITY_OK;
    return cli_hint(c,
                    cli_fail(c, COMITY_E_INVALID,
                             _("\"%s\" is no scheme of product codes known here"), unknown),
                    _("gtin, passport or marking; --unverified-code takes another as it stands"));
}

/* Where the fault is, in the words of who typed it: "--party 某公司: …". */
static const char *typed_place(struct cli *c, const struct record_fault *f, const char *flag,
                               const json_t *json)
{
    const char *bracket = strchr(f->path, '[');
    const char *end = bracket ? strchr(bracket, ']') : NULL;
    struct bytes name = BYTES_NONE;
    if (end)
        name = text_at(json, cli_text(c, "%.*s.name", (int)(end + 1 - f->path), f->path));
    const char *of = name.len ? cli_text(c, " %.*s", (int)name.len, (const char *)name.data) : "";
    bool is_code =
        f->err == COMITY_E_USCC || f->err == COMITY_E_GTIN || f->err == COMITY_E_DIVISION;
    return cli_text(c, is_code ? "--%s%s: %s" : "--%s%s", flag, of, _(comity_err_text(f->err)));
}

static int fail_fault(struct cli *c, const struct record_fault *f, const struct compose_row *rows,
                      const json_t *json)
{
    const char *flag = flag_of_path(rows, f->path);
    bool is_typed = flag && flag_exists(c, flag) && flag_given(c, flag);
    const char *what = is_typed ? typed_place(c, f, flag, json) : f->path;
    int err = cli_fail(c, f->err, "%s: %s", what, fault_words(c, f, json));
    c->failure.field = cli_text(c, "%s", f->path);
    if (f->err == COMITY_E_USCC || f->err == COMITY_E_GTIN)
        cli_hint(c, err, _("if it is really written so, say --unverified-code, which is recorded"));
    else if (flag && flag_exists(c, flag))
        cli_hint(c, err, f->err == COMITY_E_FIELD_MISSING ? _("add --%s") : _("mend --%s"), flag);
    return err;
}

static void mark_code(json_t *object, const char *member,
                      int (*check)(struct bytes, struct code_fault *))
{
    const char *code = json_string_value(json_object_get(object, member));
    if (code && check(bytes_of(code), NULL) != 0)
        json_object_set_new(object, "unverified", json_true());
}

static void mark_products(json_t *codes)
{
    for (size_t i = 0; i < json_array_size(codes); i++) {
        json_t *code = json_array_get(codes, i);
        const char *scheme = json_string_value(json_object_get(code, "scheme"));
        if (scheme && strcmp(scheme, "gtin") == 0)
            mark_code(code, "value", code_check_gtin);
        else if (scheme && !is_known_scheme(scheme))
            json_object_set_new(code, "unverified", json_true());
    }
}

/* The officer insists: codes whose check fails are marked. */
static void mark_unverified(json_t *json)
{
    json_t *content = json_object_get(json, "case_content");
    json_t *list = json_object_get(content, "parties");
    for (size_t i = 0; i < json_array_size(list); i++)
        mark_code(json_array_get(list, i), "uscc", code_check_uscc);
    list = json_object_get(content, "goods");
    for (size_t i = 0; i < json_array_size(list); i++)
        mark_products(json_object_get(json_array_get(list, i), "codes"));
    mark_products(json_object_get(json_object_get(json, "evidence"), "codes"));
}

int compose_finish(struct cli *c, json_t *json, const struct compose_row *rows,
                   struct composed *ret)
{
    struct record_fault fault = {0};
    const char *origin = NULL;
    const json_t *status = NULL;
    struct buf bytes = BUF_INIT;
    int err = ask_status(c, &status);
    if (!err)
        err = ask_origin(c, &origin);
    if (err)
        return err;
    const struct suite *suite =
        suite_get((uint32_t)json_integer_value(json_object_get(status, "suite")));
    if (!suite)
        return cli_fail_at(c, COMITY_E_SUITE, origin);
    if (!json_object_get(json, "created"))
        compose_set(json, "created", json_string(compose_now(c)));
    if (flag_exists(c, "unverified-code") && flag_given(c, "unverified-code"))
        mark_unverified(json);
    err = check_schemes(c, json);
    if (!err)
        err = record_from_json(c->arena, json, &ret->record, &fault);
    if (!err)
        err = record_check(&ret->record, &fault);
    if (!err)
        err = record_check_clock(&ret->record, clock_wall_ms(&clock_system), &fault);
    if (err && c->failure.err == err && !fault.err)
        return err;
    if (err)
        return fault.err ? fail_fault(c, &fault, rows, json) : cli_fail_at(c, err, NULL);
    err = record_encode(&ret->record, &bytes);
    if (err)
        cli_fail_at(c, err, _("the record"));
    else
        ret->bytes = cli_copy(c, buf_bytes(&bytes));
    buf_free(&bytes);
    random_bytes(ret->salt, sizeof ret->salt);
    ledger_record_hash(suite, bytes_of(origin), BYTES(ret->salt, SALT_LEN), ret->bytes, &ret->hash);
    return err;
}

int compose_send(struct cli *c, const struct compose_send *what)
{
    json_t *reply = NULL;
    const struct composed *r = what->record;
    struct comity_bytes *notes = cli_alloc(c, (what->note_count + 1) * sizeof *notes);
    for (size_t i = 0; i < what->note_count; i++)
        notes[i] = (struct comity_bytes){.data = what->notes[i].data, .len = what->notes[i].len};
    struct comity_call call = {.method = "record.add",
                               .record = {.data = r->bytes.data, .len = r->bytes.len},
                               .salt = {.data = r->salt, .len = sizeof r->salt},
                               .notes = notes,
                               .note_count = what->note_count};
    json_t *args = cli_json(json_pack("{s:s*}", "request_id", what->request_id));
    if (flag_exists(c, "again") && flag_given(c, "again"))
        json_object_set_new(args, "anew", json_true());
    if (json_array_size(what->to))
        json_object_set(args, "to", (json_t *)what->to);
    int err = ask_with(c, &call, args, &reply, NULL);
    return err ? err : cli_result(c, reply);
}

/* ---- cases ---- */

static int find_case(struct cli *c, const char *text, json_t **ret)
{
    struct ref ref;
    bool is_ref = ref_get(bytes_of(text), &ref) == 0;
    int err =
        ask(c, "case.show", cli_json(json_pack("{s:s}", is_ref ? "ref" : "doc_no", text)), ret);
    if (err == COMITY_E_NOT_FOUND)
        cli_hint(c, cli_fail(c, err, _("there is no case %s here"), text), "comity case list");
    return err;
}

int compose_case(struct cli *c, const char *text, json_t **ret)
{
    json_t *found = NULL;
    int err = find_case(c, text, &found);
    if (err)
        return err;
    *ret = cli_json(json_pack("{s:O, s:O, s:O}", "origin", json_object_get(found, "origin"),
                              "index", json_object_get(found, "index"), "leaf",
                              json_object_get(found, "leaf")));
    json_decref(found);
    return COMITY_OK;
}

int compose_case_ref(struct cli *c, const char *text, const char **ret)
{
    json_t *found = NULL;
    int err = find_case(c, text, &found);
    if (!err)
        *ret = cli_text(c, "%s", json_string_value(json_object_get(found, "ref")));
    json_decref(found);
    return err;
}
