/*
 * recognise: a reviewer's signed decision about evidence.
 */
#include "ask.h"
#include "base/text.h"
#include "commands.h"
#include "compose.h"
#include "fetched.h"
#include "officer.h"

#include <string.h>

static const struct flag flags[] = {
    {"decision", N_("DECISION"), 0, N_("direct, verified, supplement, rejected")},
    {"basis", N_("TEXT"), 0, N_("What the decision rests on")},
    {"test", N_("TEXT"), FLAG_MANY, N_("A test that was made")},
    {"limits", N_("TEXT"), 0, N_("Within which limits it is admitted")},
    {"agreement", N_("ID"), 0,
     N_("The agreement under which it is taken over as it is (needed for direct)")},
    {"reviewer", N_("KEYFILE"), FLAG_NEEDED,
     N_("Key of the reviewer, who is none of the collectors")},
    {"case", N_("REF"), 0, N_("The case here in which it is used")},
    {"keep", NULL, 0, N_("Send it to nobody (default: to the bureau whose evidence it is)")},
    {"from", N_("FILE"), 0, N_("Take the record from this JSON file; flags come on top of it")},
    {"doc-no", N_("NUMBER"), 0, N_("Document number")},
    {"approver", N_("TEXT"), 0, N_("The head of the bureau who approved: licence number or name")},
    {"again", NULL, 0, N_("Decide although it was decided about here before; both stand")},
    {"request-id", N_("TEXT"), 0,
     N_("The same id is the same decision (default: derived from evidence and flags)")},
    {0},
};

static const struct compose_row rows[] = {
    {"decision", "recognition.decision", COMPOSE_DECISION, NEED_ALWAYS},
    {"basis", "recognition.basis", COMPOSE_TEXT, NEED_ALWAYS},
    {"test", "recognition.tests", COMPOSE_TEXTS, NEED_NOT},
    {"limits", "recognition.limits", COMPOSE_TEXT, NEED_NOT},
    {"agreement", "recognition.agreement", COMPOSE_TEXT, NEED_NOT},
    {"doc-no", "doc_no", COMPOSE_TEXT, NEED_NOT},
    {"approver", "approver", COMPOSE_TEXT, NEED_NOT},
    {0},
};

static const struct view_field fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"evidence", N_("evidence"), AS_WHOLE},
    {"decision", N_("decision"), AS_DECISION},
    {"to[]", N_("sent to"), AS_WHOLE},
    {"stage", N_("stage"), AS_STAGE},
    {0},
};
static const struct view view = {
    .done = N_("The decision is recorded."),
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, fields, NULL}, {0}}};

static const struct view_field dry_fields[] = {
    {"recognition.decision", N_("decision"), AS_DECISION},
    {"recognition.basis", N_("basis"), AS_WHOLE},
    {"recognition.tests[]", N_("tests"), AS_WHOLE},
    {"recognition.limits", N_("limits"), AS_WHOLE},
    {"recognition.agreement", N_("agreement"), AS_WHOLE},
    {"recognition.reviewer.name", N_("reviewer"), AS_WHOLE},
    {0},
};
static const struct view dry_view = {
    .done = N_("This can be decided. It was a dry run: nothing was written."),
    .sections = (const struct view_section[]){{NULL, NULL, dry_fields, NULL}, {0}}};

/* The member whose evidence it is, unless others were named. */
static int find_recipients(struct cli *c, const struct fetched *f, json_t **ret)
{
    const char *own = NULL;
    struct origin author;
    json_t *to = NULL;
    int err = ask_recipients(c, &to);
    if (!err)
        err = ask_origin(c, &own);
    if (err) {
        json_decref(to);
        return err;
    }
    bool is_own = strcmp(own, f->origin) == 0;
    if (json_array_size(to) == 0 && !flag_given(c, "keep") && !is_own &&
        text_get_origin(bytes_of(f->origin), &author) == 0)
        json_array_append_new(
            to, cli_json(json_stringn((const char *)author.member.data, author.member.len)));
    *ret = to;
    return COMITY_OK;
}

static int describe(struct cli *c, const struct fetched *f, const struct officer *reviewer,
                    json_t **ret)
{
    struct buf hex = BUF_INIT;
    json_t *json = NULL;
    json_t *place = NULL;
    int err = compose_begin(c, RECORD_RECOGNITION, rows, &json);
    if (!err)
        err = compose_check_needs(c, json, rows);
    if (!err && flag_given(c, "case"))
        err = compose_case(c, flag_text(c, "case"), &place);
    if (err) {
        json_decref(json);
        return err;
    }
    if (place)
        json_object_set_new(json, "case_ref", place);
    text_put_hex(&hex, hash_bytes(&f->hash));
    compose_set(json, "recognition.evidence",
                json_pack("{s:s, s:I, s:s%}", "origin", f->origin, "index", (json_int_t)f->index,
                          "leaf", f->leaf.data, f->leaf.len));
    compose_set(json, "recognition.record_hash", json_string(buf_str(&hex)));
    compose_set(json, "recognition.reviewer",
                json_pack("{s:s, s:s}", "name", reviewer->name, "licence", reviewer->licence));
    buf_free(&hex);
    *ret = json;
    return COMITY_OK;
}

static int decide(struct cli *c, json_t *json, const json_t *to, const struct officer *reviewer)
{
    struct composed record = {0};
    struct bytes note;
    const char *request_id = NULL;
    int err = compose_request_id(c, json, to, NULL, &request_id);
    if (!err && cli_is_dry_run(c)) {
        err = compose_finish(c, json, rows, &record);
        return err ? err : cli_result(c, json_incref(json));
    }
    if (!err)
        err = compose_find_request(c, request_id, json, to);
    if (err != COMITY_E_NOT_FOUND)
        return err;
    err = compose_finish(c, json, rows, &record);
    if (!err) {
        const struct officer_signature what = {.role = SIGNATURE_REVIEWER,
                                               .record_kind = RECORD_RECOGNITION,
                                               .record_hash = record.hash};
        err = officer_sign_record(c, reviewer, &what, &note);
    }
    const struct compose_send send = {
        .record = &record, .notes = &note, .note_count = 1, .to = to, .request_id = request_id};
    return err ? err : compose_send(c, &send);
}

static int finish(struct cli *c, const struct fetched *f, const json_t *json)
{
    const char *ref = json_string_value(json_object_get(c->result, "ref"));
    json_object_set_new(c->result, "evidence", cli_json(json_string(f->ref)));
    json_object_set(c->result, "decision", (json_t *)compose_get(json, "recognition.decision"));
    if (json_is_true(json_object_get(c->result, "again")))
        cli_next(c, _("This was decided before; nothing was added."));
    if (json_array_size(json_object_get(c->result, "to")))
        cli_next(c, "comity track %s", ref);
    return ask_wait(c, ref, ref);
}

static int recognise(struct cli *c)
{
    struct fetched f;
    struct officer reviewer = {0};
    json_t *json = NULL;
    json_t *to = NULL;
    int err = ask_check_wait(c);
    if (!err)
        err = fetched_get(c, c->args[0], &f);
    if (!err && f.record.kind != RECORD_EVIDENCE)
        err = fetched_fail_kind(c, &f);
    if (!err) {
        fetched_preview(c, &f);
        err = officer_open_key(c, 0, flag_text(c, "reviewer"), &reviewer);
    }
    if (!err)
        err = describe(c, &f, &reviewer, &json);
    if (!err)
        err = find_recipients(c, &f, &to);
    if (!err)
        err = ask_check_wait_for(c, to);
    if (!err)
        err = decide(c, json, to, &reviewer);
    if (!err && !cli_is_dry_run(c))
        err = finish(c, &f, json);
    officer_done(&reviewer);
    json_decref(json);
    json_decref(to);
    return err;
}

const struct command recognise_commands[] = {
    {.noun = "recognise",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_TO | USES_WAIT | USES_PASSPHRASE | USES_DRY_RUN,
     .doc = N_("Decide about evidence: admit it, ask for more, or reject it"),
     .more = N_("Hashes that match never mean recognition: that is a person's decision, signed "
                "with the reviewer's own "
                "key. The evidence is fetched and its hash computed here, so that the decision is "
                "about the very record "
                "that the collectors signed."),
     .flags = flags,
     .view = &view,
     .dry_view = &dry_view,
     .run = recognise},
    {0},
};
