/*
 * evidence push: from files on a disk to a signed record on its way, in one command that can be
 * given again.
 *
 * The files are read twice: first their digests, which with the other arguments make the request
 * id, so that a second run after a crash finds what the first one did; then to the node, which
 * hashes them on its own. What the two of them and the record say must agree.
 */
#include "ask.h"
#include "base/text.h"
#include "compose.h"
#include "domain/rules.h"
#include "evidence.h"
#include "files.h"
#include "officer.h"
#include "term.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COLLECTORS_MAX = RECORD_OFFICERS_MAX, READ_SIZE = 1024 * 1024 };

const struct flag evidence_push_flags[] = {
    {"case", N_("REF"), 0, N_("The case: REF or document number")},
    {"title", N_("TEXT"), 0, N_("What it is")},
    {"kind", N_("KIND"), 0,
     N_("1 documentary, 2 physical, 3 audiovisual, 4 electronic, 5 testimony, 6 statement, 7 "
        "expert, 8 inspection")},
    {"source", N_("TEXT"), 0, N_("Where it comes from")},
    {"place", N_("TEXT"), 0, N_("Where it was taken")},
    {"taken", N_("TIME"), 0, N_("When it was taken: \"2026-11-24 17:47\"")},
    {"method", N_("TEXT"), 0,
     N_("How it was taken; for electronic data also the method of extraction")},
    {"without-file", NULL, 0,
     N_("There is no file of it: the original lies with the bureau (documentary, audiovisual and "
        "electronic evidence has files otherwise)")},
    {"form", N_("FORM"), 0, N_("original or copy (default: original)")},
    {"code", N_("SCHEME=VALUE"), FLAG_MANY, N_("A product code: gtin=6901234567892, passport=…")},
    {"unverified-code", NULL, 0, N_("Take codes whose check fails; the record says so")},
    {NULL, NULL, 0, N_("Who collected it: two officers")},
    {"collector", N_("KEYFILE"), FLAG_MANY, N_("Key of a collector, who signs now")},
    {"co-collector", N_("LICENCE"), FLAG_MANY,
     N_("A collector who signs later: comity evidence sign; until then nothing is sent")},
    {NULL, NULL, 0, N_("Electronic data (kind 4): the extraction record")},
    {"cause", N_("TEXT"), 0, N_("Cause of the extraction")},
    {"object", N_("TEXT"), 0, N_("What it was extracted from")},
    {"process", N_("TEXT"), 0, N_("Course of the extraction")},
    {"medium", N_("TEXT"), 0, N_("The original medium, sealed or taken along")},
    {"no-medium", N_("TEXT"), 0, N_("Or why the original medium was not taken")},
    {"tool", N_("TEXT"), 0, N_("Tool")},
    {"tool-version", N_("TEXT"), 0, N_("Its version")},
    {"clock-offset", N_("MS"), 0,
     N_("Clock of the examined machine minus true time, in milliseconds")},
    {"holder", N_("NAME"), 0, N_("Holder of the original")},
    {"holder-signed", N_("HOW"), 0, N_("Whether the holder signed, refused, or was absent")},
    {"witness", N_("NAME"), 0, N_("Witness")},
    {NULL, NULL, 0, N_("The record")},
    {"from", N_("FILE"), 0, N_("Take the record from this JSON file; flags come on top of it")},
    {"doc-no", N_("NUMBER"), 0, N_("Document number")},
    {"approver", N_("TEXT"), 0, N_("The head of the bureau who approved: licence number or name")},
    {"confidentiality", N_("N"), 0, N_("Level of confidentiality, 0 to 9")},
    {"request-id", N_("TEXT"), 0,
     N_("The same id is the same push (default: derived from files, case and flags)")},
    {0},
};

static const struct compose_row rows[] = {
    {"title", "evidence.title", COMPOSE_TEXT, NEED_ALWAYS},
    {"kind", "evidence.kind", COMPOSE_EVIDENCE, NEED_ALWAYS},
    {"source", "evidence.source", COMPOSE_TEXT, NEED_ALWAYS},
    {"place", "evidence.place", COMPOSE_TEXT, NEED_ALWAYS},
    {"taken", "evidence.taken", COMPOSE_TIME, NEED_ALWAYS},
    {"method", "evidence.method", COMPOSE_TEXT, NEED_ALWAYS},
    {"form", "evidence.form", COMPOSE_FORM, NEED_NOT},
    {"code", "evidence.codes", COMPOSE_CODES, NEED_NOT},
    {"cause", "evidence.electronic.cause", COMPOSE_TEXT, NEED_ELECTRONIC},
    {"object", "evidence.electronic.object", COMPOSE_TEXT, NEED_ELECTRONIC},
    {"process", "evidence.electronic.process", COMPOSE_TEXT, NEED_ELECTRONIC},
    {"medium", "evidence.electronic.medium", COMPOSE_TEXT, NEED_NOT},
    {"no-medium", "evidence.electronic.no_medium", COMPOSE_TEXT, NEED_NOT},
    {"tool", "evidence.electronic.tool", COMPOSE_TEXT, NEED_NOT},
    {"tool-version", "evidence.electronic.tool_version", COMPOSE_TEXT, NEED_NOT},
    {"clock-offset", "evidence.electronic.clock_offset_ms", COMPOSE_SIGNED, NEED_NOT},
    {"holder", "evidence.electronic.holder", COMPOSE_TEXT, NEED_NOT},
    {"holder-signed", "evidence.electronic.holder_signed", COMPOSE_HOLDER, NEED_NOT},
    {"witness", "evidence.electronic.witness", COMPOSE_TEXT, NEED_NOT},
    {"doc-no", "doc_no", COMPOSE_TEXT, NEED_NOT},
    {"approver", "approver", COMPOSE_TEXT, NEED_NOT},
    {"confidentiality", "confidentiality", COMPOSE_NUMBER, NEED_NOT},
    {0},
};

static const struct view_field push_fields[] = {
    {"ref", N_("evidence"), AS_WHOLE},
    {"to[]", N_("sent to"), AS_WHOLE},
    {"stage", N_("stage"), AS_STAGE},
    {"record_hash", N_("record hash"), AS_WHOLE},
    {0},
};
static const struct view_field file_fields[] = {{"name", N_("file"), AS_TEXT},
                                                {"len", N_("size"), AS_SIZE},
                                                {"sha256", N_("SHA-256"), AS_WHOLE},
                                                {0}};
const struct view evidence_push_view = {
    .done = N_("The evidence is fixed in the ledger."),
    .is_ref = true,
    .sections = (const struct view_section[]){
        {NULL, NULL, push_fields, NULL},
        {"files", N_("Files"), file_fields, NULL},
        {"decisions", N_("Decisions"), evidence_decision_fields, NULL},
        {0}}};

static const struct view_field dry_fields[] = {
    {"evidence.title", N_("title"), AS_WHOLE},
    {"evidence.kind", N_("kind"), AS_EVIDENCE},
    {"evidence.form", N_("form"), AS_FORM},
    {"evidence.source", N_("source"), AS_WHOLE},
    {"evidence.place", N_("place"), AS_WHOLE},
    {"evidence.taken", N_("taken"), AS_TIME},
    {"evidence.method", N_("method"), AS_WHOLE},
    {"officers[].name", N_("collectors"), AS_WHOLE},
    {0},
};
const struct view evidence_push_dry_view = {
    .done = N_("This can be recorded. It was a dry run: nothing was written."),
    .sections = (const struct view_section[]){
        {NULL, NULL, dry_fields, NULL}, {"evidence.files", N_("Files"), file_fields, NULL}, {0}}};

/* Everything on its way. */
struct push {
    json_t *json; /* the record, as it grows */
    json_t *to;
    json_t *files; /* names and digests, as hashed here */
    struct officer collectors[COLLECTORS_MAX];
    size_t collector_count;
    struct composed record;
    const char *request_id;
};

static void push_done(struct push *p)
{
    json_decref(p->json);
    json_decref(p->to);
    json_decref(p->files);
    for (size_t i = 0; i < p->collector_count; i++)
        officer_done(&p->collectors[i]);
}

/* ---- the files ---- */

static int open_file(struct cli *c, const char *path, int *ret_fd, uint64_t *ret_len)
{
    struct stat st;
    int fd =
        open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would let us wait for a writer */
    if (fd < 0)
        return errno == ENOENT ? cli_fail(c, COMITY_E_NOT_FOUND, _("%s: no such file"), path)
                               : cli_fail_at(c, file_err(errno), path);
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode)) {
        close(fd);
        return cli_hint(c, cli_fail(c, COMITY_E_INVALID, _("%s is not a file"), path),
                        S_ISDIR(st.st_mode) ? _("give the files in the folder, or an archive of it")
                                            : _("give a file"));
    }
    *ret_fd = fd;
    *ret_len = (uint64_t)st.st_size;
    return COMITY_OK;
}

static int digest(struct cli *c, const char *path, int fd, uint64_t len, json_t *file)
{
    struct file_digest *d = file_digest_new();
    struct hash sha256, sm3;
    struct buf hex = BUF_INIT;
    struct progress bar;
    uint8_t *piece = cli_alloc(c, READ_SIZE);
    uint64_t done = 0;
    ssize_t n = 1;
    progress_begin(&bar, cli_text(c, _("reading %s"), files_name(path)));
    while (n > 0 && (n = read(fd, piece, READ_SIZE)) > 0) {
        file_digest_add(d, BYTES(piece, (size_t)n));
        progress_step(&bar, done += (uint64_t)n, len);
    }
    progress_end(&bar);
    file_digest_finish(d, &sha256, &sm3);
    file_digest_free(d);
    if (n < 0)
        return cli_fail_at(c, file_err(errno), path);
    text_put_hex(&hex, hash_bytes(&sha256));
    json_object_set_new(file, "sha256", cli_json(json_string(buf_str(&hex))));
    buf_reset(&hex);
    text_put_hex(&hex, hash_bytes(&sm3));
    json_object_set_new(file, "sm3", cli_json(json_string(buf_str(&hex))));
    json_object_set_new(file, "len", json_integer((json_int_t)done));
    buf_free(&hex);
    return COMITY_OK;
}

/* Names and digests of all files; two of one name could not lie in one folder. */
static int read_files(struct cli *c, struct push *p)
{
    int err = COMITY_OK;
    p->files = cli_json(json_array());
    for (size_t i = 0; !err && i < c->arg_count; i++) {
        const char *path = c->args[i];
        const char *name = files_name(path);
        int fd = -1;
        uint64_t len = 0;
        if (!file_name_is_safe(bytes_of(name)))
            return cli_fail(c, COMITY_E_INVALID,
                            _("%s: that name cannot stand in a record; rename the file"), path);
        for (size_t k = 0; k < i; k++)
            if (strcmp(name, files_name(c->args[k])) == 0)
                return cli_fail(c, COMITY_E_INVALID, _("two files are called %s; rename one"),
                                name);
        err = open_file(c, path, &fd, &len);
        if (err)
            return err;
        json_t *file = cli_json(json_pack("{s:s}", "name", name));
        err = digest(c, path, fd, len, file);
        json_array_append_new(p->files, file);
        close(fd);
    }
    return err;
}

static bool has_digests(const json_t *a, const json_t *b)
{
    return json_equal(json_object_get(a, "sha256"), json_object_get(b, "sha256")) &&
           json_equal(json_object_get(a, "sm3"), json_object_get(b, "sm3"));
}

static int upload_one(struct cli *c, size_t i, const json_t *here, json_t **ret)
{
    comity_client *client = NULL;
    struct comity_reply reply = {0};
    struct progress bar;
    const char *path = c->args[i];
    const char *name = files_name(path);
    int fd = -1;
    uint64_t len = 0;
    int err = ask_open(c, &client);
    if (!err)
        err = open_file(c, path, &fd, &len);
    if (err)
        return err;
    const struct comity_transfer t = {.name = name, .progress = progress_step, .self = &bar};
    progress_begin(&bar, name);
    err = comity_client_upload(client, fd, &t, &reply);
    progress_end(&bar);
    close(fd);
    if (err)
        return cli_fail_json(c, err, reply.json);
    json_t *file = json_loadb(reply.json, reply.json_len, 0, NULL);
    if (!file)
        return cli_fail_at(c, COMITY_E_MALFORMED, "file.end");
    if (!has_digests(file, here)) {
        json_decref(file);
        return cli_hint(c,
                        cli_fail(c, COMITY_E_ATTACHMENT, _("%s changed while it was read"), path),
                        _("let it rest, and give the command again"));
    }
    *ret = file;
    return COMITY_OK;
}

static int upload(struct cli *c, struct push *p)
{
    json_t *list = cli_json(json_array());
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < c->arg_count; i++) {
        json_t *file = NULL;
        err = upload_one(c, i, json_array_get(p->files, i), &file);
        if (!err)
            json_array_append_new(list, file);
    }
    if (err)
        json_decref(list);
    else
        compose_set(p->json, "evidence.files", list);
    return err;
}

/* ---- the collectors ---- */

static void name_officer(struct push *p, const char *name, const char *licence)
{
    json_t *list = json_object_get(p->json, "officers");
    if (!list) {
        list = cli_json(json_array());
        json_object_set_new(p->json, "officers", list);
    }
    json_array_append_new(list,
                          cli_json(json_pack("{s:s, s:s}", "name", name, "licence", licence)));
}

static int take_collectors(struct cli *c, struct push *p)
{
    size_t now = flag_count(c, "collector");
    size_t later = flag_count(c, "co-collector");
    if (now + later > COLLECTORS_MAX)
        return cli_fail(c, COMITY_E_USAGE, _("there are more than %d collectors"), COLLECTORS_MAX);
    if (now == 0)
        return cli_hint(c, cli_fail(c, COMITY_E_COLLECTORS, _("no collector signs")),
                        _("--collector KEYFILE for each of two officers, or one and --co-collector "
                          "LICENCE for the other"));
    if (now + later < 2 && !json_object_get(p->json, "officers"))
        return cli_hint(
            c,
            cli_fail(c, COMITY_E_COLLECTORS,
                     _("evidence is collected by two officers, and one is named")),
            _("a second --collector KEYFILE; or --co-collector LICENCE, who signs later"));
    if (now < 2 && flag_count(c, "to"))
        return cli_hint(c,
                        cli_fail(c, COMITY_E_COLLECTORS,
                                 _("nothing is sent before two collectors have signed")),
                        _("leave --to out, let the second one sign (comity evidence sign), then "
                          "comity evidence forward"));
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < now; i++) {
        struct officer *o = &p->collectors[i];
        err = officer_open_key(c, i, flag_at(c, "collector", i), o);
        if (err)
            break;
        p->collector_count++;
        for (size_t k = 0; k < i; k++)
            if (strcmp(p->collectors[k].licence, o->licence) == 0)
                return cli_fail(c, COMITY_E_COLLECTORS,
                                _("the two collectors are one officer, licence %s"), o->licence);
        name_officer(p, o->name, o->licence);
    }
    for (size_t i = 0; !err && i < later; i++) {
        const char *name = NULL;
        err = officer_name(c, flag_at(c, "co-collector", i), &name);
        if (!err)
            name_officer(p, name, flag_at(c, "co-collector", i));
    }
    return err;
}

static int sign_all(struct cli *c, struct push *p, struct bytes *notes)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < p->collector_count; i++) {
        const struct officer_signature what = {.role = SIGNATURE_COLLECTOR,
                                               .record_kind = RECORD_EVIDENCE,
                                               .record_hash = p->record.hash};
        err = officer_sign_record(c, &p->collectors[i], &what, &notes[i]);
    }
    return err;
}

/* ---- the record ---- */

static int describe(struct cli *c, struct push *p)
{
    json_t *place = NULL;
    int err = compose_begin(c, RECORD_EVIDENCE, rows, &p->json);
    if (!err)
        err = compose_check_needs(c, p->json, rows);
    if (!err && !flag_given(c, "case") && !json_object_get(p->json, "case_ref"))
        err = cli_hint(c, flag_fail_missing(c, 1, "--case"), "comity case list");
    if (!err && flag_given(c, "case"))
        err = compose_case(c, flag_text(c, "case"), &place);
    if (err)
        return err;
    if (place)
        json_object_set_new(p->json, "case_ref", place);
    if (!compose_get(p->json, "evidence.form"))
        compose_set(p->json, "evidence.form", json_string("original"));
    const json_t *method = compose_get(p->json, "evidence.method");
    if (compose_get(p->json, "evidence.electronic") &&
        !compose_get(p->json, "evidence.electronic.method"))
        compose_set(p->json, "evidence.electronic.method", json_deep_copy(method));
    return COMITY_OK;
}

/* Without files: what can be checked of the record before anything is moved. */
static int try_out(struct cli *c, struct push *p)
{
    struct composed tried = {0};
    json_t *copy = cli_json(json_deep_copy(p->json));
    int err = compose_finish(c, copy, rows, &tried);
    json_decref(copy);
    return err;
}

static int send(struct cli *c, struct push *p)
{
    struct bytes notes[COLLECTORS_MAX];
    int err = upload(c, p);
    if (!err)
        err = compose_finish(c, p->json, rows, &p->record);
    if (!err)
        err = sign_all(c, p, notes);
    const struct compose_send what = {.record = &p->record,
                                      .notes = notes,
                                      .note_count = p->collector_count,
                                      .to = p->to,
                                      .request_id = p->request_id};
    if (!err)
        err = compose_send(c, &what);
    return err;
}

static void say_next(struct cli *c, const struct push *p)
{
    const char *ref = json_string_value(json_object_get(c->result, "ref"));
    if (json_is_true(json_object_get(c->result, "again")))
        cli_next(c, _("This was pushed before; nothing was added."));
    if (p->collector_count < 2)
        cli_next(c,
                 _("The second collector signs with: comity evidence sign %s --collector KEYFILE"),
                 ref);
    else if (json_array_size(p->to))
        cli_next(c, "comity track %s", ref);
    else
        cli_next(c, "comity evidence forward %s --to …", ref);
}

/* Some kinds live in files; to forget them cannot be mended later. */
static int check_has_files(struct cli *c, const struct push *p)
{
    static const char *const needing[] = {"documentary", "audiovisual", "electronic"};
    const char *kind = json_string_value(compose_get(p->json, "evidence.kind"));
    if (c->arg_count && flag_given(c, "without-file"))
        return cli_fail(c, COMITY_E_USAGE,
                        _("--without-file contradicts the files that are given"));
    if (c->arg_count || flag_given(c, "without-file"))
        return COMITY_OK;
    for (size_t i = 0; i < sizeof needing / sizeof needing[0]; i++)
        if (kind && strcmp(kind, needing[i]) == 0) {
            int err = cli_fail(c, COMITY_E_FIELD_MISSING,
                               _("no file is given, and this kind of "
                                 "evidence has one"));
            c->failure.field = "evidence.files";
            return cli_hint(c, err,
                            _("comity evidence push FILE… …; when there is none: --without-file"));
        }
    return COMITY_OK;
}

static int push(struct cli *c, struct push *p)
{
    int err = ask_check_wait(c);
    if (!err)
        err = describe(c, p);
    if (!err)
        err = check_has_files(c, p);
    if (!err)
        err = ask_recipients(c, &p->to);
    if (!err)
        err = ask_check_wait_for(c, p->to);
    if (!err)
        err = take_collectors(c, p);
    if (!err)
        err = try_out(c, p);
    if (!err)
        err = read_files(c, p);
    if (!err)
        err = compose_request_id(c, p->json, p->to, p->files, &p->request_id);
    if (err)
        return err;
    compose_set(p->json, "evidence.files", json_deep_copy(p->files));
    if (cli_is_dry_run(c)) {
        return cli_result(c, json_incref(p->json));
    }
    err = compose_find_request(c, p->request_id, p->json, p->to);
    if (err == COMITY_E_NOT_FOUND)
        err = send(c, p);
    if (err)
        return err;
    json_object_set(c->result, "files", p->files);
    say_next(c, p);
    const char *ref = json_string_value(json_object_get(c->result, "ref"));
    return ask_wait(c, ref, ref);
}

int evidence_push(struct cli *c)
{
    struct push p = {0};
    int err = push(c, &p);
    push_done(&p);
    return err;
}
