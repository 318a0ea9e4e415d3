/*
 * evidence: the table, and all but moving files (evidence_push.c, evidence_get.c).
 */
#include "evidence.h"

#include "ask.h"
#include "base/clock.h"
#include "commands.h"
#include "compose.h"
#include "domain/rules.h"
#include "fetched.h"
#include "officer.h"
#include "term.h"

#include <string.h>
#include <unistd.h>

enum { SHARE_RETRY_MS = 250 };

static const struct flag list_flags[] = {
    {"case", N_("REF"), 0, N_("Only evidence in this case")},
    {"mine", NULL, 0, N_("Only evidence collected here")},
    {"unrecognised", NULL, 0, N_("Only evidence received about which nothing was decided here")},
    {0},
};
static const struct flag sign_flags[] = {
    {"collector", N_("KEYFILE"), 0, N_("Key of a collector whom the record names")},
    {"approver", N_("KEYFILE"), 0, N_("Key of the approver, who signs as such")},
    {"request-id", N_("TEXT"), 0, N_("The same id is the same signature")},
    {0},
};
static const struct flag forward_flags[] = {
    {"request-id", N_("TEXT"), 0,
     N_("The same id is the same hand-over (default: derived from evidence and recipients)")},
    {0},
};

static const struct view_field list_fields[] = {
    {"ref", N_("evidence"), AS_WHOLE},
    {"kind", N_("kind"), AS_EVIDENCE},
    {"title", N_("title"), AS_TEXT},
    {"case", N_("case"), AS_WHOLE},
    {"time", N_("recorded"), AS_MINUTES},
    {"files", N_("files"), AS_NUMBER},
    {"signatures", N_("signed"), AS_NUMBER},
    {"stage", N_("stage"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
    {"sender", N_("from"), AS_WHOLE},
    {0},
};
static const struct view list_view = {.sections = (const struct view_section[]){
                                          {"items", NULL, list_fields, N_("No evidence.")}, {0}}};

static const struct view_field show_fields[] = {
    {"ref", N_("evidence"), AS_WHOLE},
    {"record.evidence.title", N_("title"), AS_WHOLE},
    {"record.evidence.kind", N_("kind"), AS_EVIDENCE},
    {"record.evidence.form", N_("form"), AS_FORM},
    {"record.case_ref.ref", N_("case"), AS_WHOLE},
    {"record.evidence.source", N_("source"), AS_WHOLE},
    {"record.evidence.place", N_("place"), AS_WHOLE},
    {"record.evidence.taken", N_("taken"), AS_TIME},
    {"record.evidence.method", N_("method"), AS_WHOLE},
    {"record.officers[].name", N_("collectors"), AS_WHOLE},
    {"record.evidence.electronic.cause", N_("cause of extraction"), AS_WHOLE},
    {"record.evidence.electronic.object", N_("extracted from"), AS_WHOLE},
    {"record.evidence.electronic.process", N_("course"), AS_WHOLE},
    {"record.evidence.electronic.medium", N_("original medium"), AS_WHOLE},
    {"record.evidence.electronic.no_medium", N_("no original medium"), AS_WHOLE},
    {"record.evidence.electronic.tool", N_("tool"), AS_WHOLE},
    {"record.evidence.electronic.tool_version", N_("version"), AS_WHOLE},
    {"record.evidence.codes[].value", N_("product codes"), AS_WHOLE},
    {"time", N_("in the ledger since"), AS_TIME},
    {"sender", N_("from"), AS_WHOLE},
    {"record_hash", N_("record hash"), AS_WHOLE},
    {0},
};
static const struct view_field file_fields[] = {
    {"name", N_("file"), AS_TEXT},
    {"len", N_("size"), AS_SIZE},
    {"here", N_("here"), AS_YES},
    {"state", N_("state"), AS_STAGE},
    {"token", N_("why"), AS_WHOLE},
    {"sha256", N_("SHA-256"), AS_WHOLE},
    {0},
};
static const struct view_field signature_fields[] = {
    {"valid", NULL, AS_VALID},
    {"name", N_("person"), AS_TEXT},
    {"licence", N_("licence"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"time", N_("signed at"), AS_TIME},
    {"ref", N_("entry"), AS_WHOLE},
    {"error", N_("why"), AS_WHOLE},
    {0},
};
static const struct view_field recognition_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"decision", N_("decision"), AS_DECISION},
    {"reviewer.name", N_("reviewer"), AS_TEXT},
    {"time", N_("time"), AS_TIME},
    {"basis", N_("basis"), AS_TEXT},
    {"sender", N_("from"), AS_WHOLE},
    {0},
};
static const struct view_field recipient_fields[] = {
    {"member", N_("sent to"), AS_WHOLE},
    {"name", N_("name"), AS_TEXT},
    {"stage", N_("stage"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
    {"received.time", N_("received"), AS_TIME},
    {"token", N_("why"), AS_TEXT},
    {0},
};
static const struct view show_view = {
    .sections = (const struct view_section[]){
        {NULL, NULL, show_fields, NULL},
        {"files", N_("Files"), file_fields, NULL},
        {"signatures", N_("Signatures"), signature_fields, N_("nobody has signed")},
        {"recognitions", N_("Decisions"), recognition_fields, NULL},
        {"recipients", N_("Recipients"), recipient_fields, NULL},
        {0}}};

static const struct view_field sign_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"record.ref", N_("evidence"), AS_WHOLE},
    {"licence", N_("licence"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"signatures", N_("officers who signed"), AS_NUMBER},
    {0},
};
static const struct view sign_view = {
    .done = N_("Signed."),
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, sign_fields, NULL}, {0}}};

static const struct view_field forward_fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"record.ref", N_("evidence"), AS_WHOLE},
    {"to[]", N_("sent to"), AS_WHOLE},
    {"stage", N_("stage"), AS_STAGE},
    {0},
};
const struct view_field evidence_decision_fields[] = {
    {"decision", N_("decision"), AS_DECISION}, {"member", N_("by"), AS_WHOLE}, {0}};
static const struct view forward_view = {
    .done = N_("On its way."),
    .is_ref = true,
    .sections = (const struct view_section[]){
        {NULL, NULL, forward_fields, NULL},
        {"decisions", N_("Decisions"), evidence_decision_fields, NULL},
        {0}}};

static int evidence_list(struct cli *c)
{
    int err = COMITY_OK;
    json_t *args = ask_page(c, &err);
    if (!err && flag_given(c, "case")) {
        const char *ref = NULL;
        err = compose_case_ref(c, flag_text(c, "case"), &ref);
        if (!err)
            json_object_set_new(args, "case", cli_json(json_string(ref)));
    }
    if (flag_given(c, "mine"))
        json_object_set_new(args, "mine", json_true());
    if (flag_given(c, "unrecognised"))
        json_object_set_new(args, "unrecognised", json_true());
    if (err) {
        json_decref(args);
        return err;
    }
    return ask_list(c, "evidence.list", args);
}

static int evidence_show(struct cli *c)
{
    json_t *reply = NULL;
    int err = ask(c, "evidence.show", cli_json(json_pack("{s:s}", "ref", c->args[0])), &reply);
    if (err)
        return err;
    if (json_object_get(reply, "sender") &&
        json_array_size(json_object_get(reply, "recognitions")) == 0)
        cli_next(c, "comity recognise %s --decision … --basis … --reviewer KEYFILE", c->args[0]);
    return cli_result(c, reply);
}

/* ---- sign ---- */

static int add_signature(struct cli *c, struct bytes note)
{
    json_t *reply = NULL;
    const struct comity_bytes notes = {.data = note.data, .len = note.len};
    struct comity_call call = {.method = "record.sign", .notes = &notes, .note_count = 1};
    int err = ask_with(c, &call,
                       cli_json(json_pack("{s:s, s:s*}", "ref", c->args[0], "request_id",
                                          flag_text(c, "request-id"))),
                       &reply, NULL);
    if (err)
        return err;
    if (json_integer_value(json_object_get(reply, "signatures")) >= 2)
        cli_next(c, "comity evidence forward %s --to …", c->args[0]);
    return cli_result(c, reply);
}

/* The entry in which this officer has signed in this role already; NULL. */
static const json_t *find_signature(const struct fetched *f, const char *licence, const char *role)
{
    size_t i = 0;
    json_t *s = NULL;
    json_array_foreach(json_object_get(f->json, "signatures"), i, s)
    {
        const char *by = json_string_value(json_object_get(s, "licence"));
        const char *as = json_string_value(json_object_get(s, "role"));
        if (by && as && licence_equal(bytes_of(by), bytes_of(licence)) && strcmp(as, role) == 0)
            return s;
    }
    return NULL;
}

/* Signing twice is signing once: the same place is answered, and nothing is added. */
static int answer_signed(struct cli *c, const struct fetched *f, const json_t *signature)
{
    json_t *place = cli_json(json_pack("{s:s}", "ref", f->ref));
    json_t *result = cli_json(json_pack(
        "{s:O, s:o, s:O, s:O, s:I, s:b}", "ref", json_object_get(signature, "ref"), "record", place,
        "licence", json_object_get(signature, "licence"), "role",
        json_object_get(signature, "role"), "signatures",
        (json_int_t)json_array_size(json_object_get(f->json, "signatures")), "again", true));
    cli_next(c, _("This officer has signed it before; nothing was added."));
    return cli_result(c, result);
}

static int evidence_sign(struct cli *c)
{
    struct fetched f;
    struct officer o = {0};
    struct bytes note;
    bool approves = flag_given(c, "approver");
    const char *key = flag_text(c, approves ? "approver" : "collector");
    if (!key || (approves && flag_given(c, "collector")))
        return cli_fail(c, COMITY_E_USAGE,
                        _("one of --collector KEYFILE and --approver KEYFILE is needed"));
    int err = fetched_get(c, c->args[0], &f);
    if (!err && f.record.kind != RECORD_EVIDENCE)
        err = fetched_fail_kind(c, &f);
    if (err)
        return err;
    fetched_preview(c, &f);
    err = officer_open_key(c, 0, key, &o);
    const json_t *before =
        err ? NULL : find_signature(&f, o.licence, approves ? "approver" : "collector");
    if (before) {
        err = answer_signed(c, &f, before);
        officer_done(&o);
        return err;
    }
    if (!err) {
        const struct officer_signature what = {.role = approves ? SIGNATURE_APPROVER
                                                                : SIGNATURE_COLLECTOR,
                                               .record_kind = f.record.kind,
                                               .record_hash = f.hash};
        err = officer_sign_record(c, &o, &what, &note);
    }
    if (!err)
        err = add_signature(c, note);
    officer_done(&o);
    return err;
}

/* ---- forward ---- */

/* What was received can be handed on once its files are here: with --wait, that is waited for, too.
 */
static int share(struct cli *c, const json_t *to, const char *request_id, json_t **ret)
{
    char stage[16];
    uint64_t wait_ms = 0;
    int64_t start = clock_mono_ms(&clock_system);
    const char *wait = flag_text(c, "wait");
    if (wait && wait_parse(wait, stage, &wait_ms) != 0)
        return COMITY_E_USAGE; /* cannot be: it was checked before */
    int err = COMITY_OK;
    term_interrupts_begin();
    for (;;) {
        err = ask(c, "record.share",
                  cli_json(json_pack("{s:s, s:O, s:s}", "ref", c->args[0], "to", to, "request_id",
                                     request_id)),
                  ret);
        if (err != COMITY_E_AGAIN || clock_mono_ms(&clock_system) - start >= (int64_t)wait_ms)
            break;
        usleep(SHARE_RETRY_MS * 1000);
        if (term_is_interrupted()) {
            err = cli_fail(c, COMITY_E_INTERRUPTED, _("nothing was handed over yet"));
            break;
        }
    }
    term_interrupts_end();
    return err;
}

static int evidence_forward(struct cli *c)
{
    json_t *to = NULL;
    json_t *subject = NULL;
    json_t *reply = NULL;
    const char *request_id = NULL;
    struct fetched f;
    int err = ask_check_wait(c);
    if (!err && flag_count(c, "to") == 0)
        err = cli_hint(c, flag_fail_missing(c, 1, "--to"), "comity member list");
    if (!err)
        err = fetched_get(c, c->args[0], &f);
    if (!err && f.record.kind != RECORD_EVIDENCE)
        err = fetched_fail_kind(c, &f);
    if (!err)
        err = ask_recipients(c, &to);
    if (!err) {
        subject = cli_json(json_pack("{s:s}", "share", c->args[0]));
        err = compose_request_id(c, subject, to, NULL, &request_id);
    }
    if (!err)
        err = share(c, to, request_id, &reply);
    json_decref(to);
    json_decref(subject);
    if (err == COMITY_E_AGAIN)
        cli_hint(c, err, _("--wait received:5m waits for its files first"));
    if (err == COMITY_E_COLLECTORS)
        cli_hint(c, err, "comity evidence sign %s --collector KEYFILE", c->args[0]);
    if (err)
        return err;
    err = cli_result(c, reply);
    if (json_is_true(json_object_get(reply, "again")))
        cli_next(c, _("This was handed over before; nothing was added."));
    cli_next(c, "comity track %s", c->args[0]);
    return err ? err : ask_wait(c, json_string_value(json_object_get(reply, "ref")), c->args[0]);
}

const struct command evidence_commands[] = {
    {.noun = "evidence",
     .verb = "push",
     .args = "FILE…",
     .args_min = 0,
     .args_max = 256,
     .uses = USES_NODE | USES_TO | USES_WAIT | USES_PASSPHRASE | USES_DRY_RUN,
     .doc = N_("Fix evidence in the ledger with its files, sign it, send it"),
     .more = N_("The files are copied into the node and hashed there and here; the record is "
                "signed by the collectors "
                "on this side, so that their keys never reach the node. Given again, also after a "
                "crash, the same "
                "command answers the same REF and adds nothing.\n\nThe first --passphrase-file is "
                "for the first "
                "--collector, the second for the second."),
     .flags = evidence_push_flags,
     .view = &evidence_push_view,
     .dry_view = &evidence_push_dry_view,
     .run = evidence_push},
    {.noun = "evidence",
     .verb = "sign",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_PASSPHRASE,
     .doc = N_("Sign evidence as its second collector, or as approver"),
     .more = N_("The record is fetched, its hash is computed here, and what is signed is shown on "
                "a terminal."),
     .flags = sign_flags,
     .view = &sign_view,
     .run = evidence_sign},
    {.noun = "evidence",
     .verb = "forward",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_TO | USES_WAIT,
     .doc = N_("Hand evidence, own or received, to further members, with its proof and signatures"),
     .flags = forward_flags,
     .view = &forward_view,
     .run = evidence_forward},
    {.noun = "evidence",
     .verb = "list",
     .uses = USES_NODE | USES_PAGES,
     .doc = N_("Evidence, own and received, newest first"),
     .flags = list_flags,
     .view = &list_view,
     .run = evidence_list},
    {.noun = "evidence",
     .verb = "show",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("A piece of evidence: record, files, signatures, recognition, recipients"),
     .view = &show_view,
     .run = evidence_show},
    {.noun = "evidence",
     .verb = "get",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("Write the files of a piece of evidence to a folder, checked against the record"),
     .more = N_("Nothing is ever overwritten; a file that is there already and is the right one is "
                "left alone."),
     .flags = evidence_get_flags,
     .view = &evidence_get_view,
     .run = evidence_get},
    {0},
};
