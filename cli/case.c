/*
 * case: filing a case, and looking at cases.
 */
#include "ask.h"
#include "commands.h"
#include "compose.h"
#include "domain/ref.h"

#include <string.h>

static const struct flag new_flags[] = {
    {"title", N_("TEXT"), 0, N_("What the case is about")},
    {"filed", N_("TIME"), 0, N_("When it was filed: \"2026-11-24 17:47\" (default: now)")},
    {"doc-no", N_("NUMBER"), 0, N_("Document number")},
    {NULL, NULL, 0, N_("Places: DIVISION[@BUREAU][:ADDRESS], as 330106@330106-001:…")},
    {"platform-domicile", N_("PLACE"), 0, N_("Domicile of the platform's operator")},
    {"operator-place", N_("PLACE"), 0,
     N_("Actual place of business of the operator on the platform")},
    {"operator-domicile", N_("PLACE"), 0,
     N_("Registered domicile of the operator on the platform")},
    {"violation-place", N_("PLACE"), 0, N_("Where the violation was committed")},
    {NULL, NULL, 0, N_("Who and what")},
    {"party", N_("NAME[:USCC[:PART]]"), FLAG_MANY,
     N_("A party, its unified social credit code, its part in the case")},
    {"platform", N_("NAME"), 0, N_("The platform")},
    {"goods", N_("NAME[:CODES]"), FLAG_MANY,
     N_("Goods, with their codes: NAME:gtin=6901234567892,passport=…")},
    {"basis", N_("TEXT"), 0, N_("Basis of jurisdiction")},
    {"unverified-code", NULL, 0, N_("Take codes whose check fails; the record says so")},
    {NULL, NULL, 0, N_("The record")},
    {"from", N_("FILE"), 0, N_("Take the record from this JSON file; flags come on top of it")},
    {"approver", N_("TEXT"), 0, N_("The head of the bureau who approved: licence number or name")},
    {"confidentiality", N_("N"), 0, N_("Level of confidentiality, 0 to 9")},
    {"again", NULL, 0, N_("File it although a case of this document number was filed here")},
    {"request-id", N_("TEXT"), 0,
     N_("The same id is the same filing (default: derived from the content)")},
    {0},
};

static const struct compose_row new_rows[] = {
    {"title", "case_content.title", COMPOSE_TEXT, NEED_ALWAYS},
    {"filed", "case_content.filed", COMPOSE_TIME, NEED_NOT},
    {"doc-no", "doc_no", COMPOSE_TEXT, NEED_NOT},
    {"platform-domicile", "case_content.platform_domicile", COMPOSE_PLACE, NEED_NOT},
    {"operator-place", "case_content.operator_place", COMPOSE_PLACE, NEED_NOT},
    {"operator-domicile", "case_content.operator_domicile", COMPOSE_PLACE, NEED_NOT},
    {"violation-place", "case_content.violation_place", COMPOSE_PLACE, NEED_NOT},
    {"party", "case_content.parties", COMPOSE_PARTIES, NEED_NOT},
    {"platform", "case_content.platform", COMPOSE_TEXT, NEED_NOT},
    {"goods", "case_content.goods", COMPOSE_GOODS, NEED_NOT},
    {"basis", "case_content.basis", COMPOSE_TEXT, NEED_NOT},
    {"approver", "approver", COMPOSE_TEXT, NEED_NOT},
    {"confidentiality", "confidentiality", COMPOSE_NUMBER, NEED_NOT},
    {0},
};

static const struct flag list_flags[] = {
    {"mine", NULL, 0, N_("Only cases filed here")},
    {"q", N_("WORDS"), 0, N_("Only cases whose title or document number contains this")},
    {0},
};

static const struct view_field new_fields[] = {{"ref", N_("case"), AS_WHOLE},
                                               {"to[]", N_("sent to"), AS_WHOLE},
                                               {"stage", N_("stage"), AS_STAGE},
                                               {0}};
static const struct view new_view = {
    .done = N_("The case is filed; the time of filing can be proven."),
    .is_ref = true,
    .sections = (const struct view_section[]){{NULL, NULL, new_fields, NULL}, {0}}};

static const struct view_field dry_fields[] = {
    {"case_content.title", N_("title"), AS_WHOLE},
    {"doc_no", N_("document"), AS_WHOLE},
    {"case_content.filed", N_("filed"), AS_TIME},
    {"case_content.parties[].name", N_("parties"), AS_WHOLE},
    {"case_content.platform", N_("platform"), AS_WHOLE},
    {"case_content.goods[].name", N_("goods"), AS_WHOLE},
    {0},
};
static const struct view dry_view = {
    .done = N_("This can be filed. It was a dry run: nothing was written."),
    .sections = (const struct view_section[]){{NULL, NULL, dry_fields, NULL}, {0}}};

static const struct view_field list_fields[] = {
    {"ref", N_("case"), AS_WHOLE},           {"filed", N_("filed"), AS_DATE},
    {"doc_no", N_("document"), AS_TEXT},     {"title", N_("title"), AS_TEXT},
    {"evidence", N_("evidence"), AS_NUMBER}, {"decisions", N_("decisions"), AS_NUMBER},
    {"sender", N_("from"), AS_WHOLE},        {0},
};
static const struct view list_view = {
    .sections = (const struct view_section[]){
        {"items", NULL, list_fields, N_("No case yet: comity case new --help")}, {0}}};

static const struct view_field show_fields[] = {
    {"ref", N_("case"), AS_WHOLE},
    {"record.case_content.title", N_("title"), AS_WHOLE},
    {"record.doc_no", N_("document"), AS_WHOLE},
    {"record.case_content.filed", N_("filed"), AS_TIME},
    {"time", N_("in the ledger since"), AS_TIME},
    {"sender", N_("from"), AS_WHOLE},
    {"record.case_content.parties[].name", N_("parties"), AS_WHOLE},
    {"record.case_content.platform", N_("platform"), AS_WHOLE},
    {"record.case_content.goods[].name", N_("goods"), AS_WHOLE},
    {"record.case_content.platform_domicile.division", N_("platform's domicile"), AS_WHOLE},
    {"record.case_content.operator_place.division", N_("place of business"), AS_WHOLE},
    {"record.case_content.operator_domicile.division", N_("operator's domicile"), AS_WHOLE},
    {"record.case_content.violation_place.division", N_("place of violation"), AS_WHOLE},
    {"record.case_content.basis", N_("basis of jurisdiction"), AS_WHOLE},
    {"record.approver", N_("approved by"), AS_WHOLE},
    {0},
};
static const struct view_field timeline_fields[] = {
    {"time", N_("time"), AS_TIME},
    {"what", N_("what"), AS_STAGE},
    {"ref", N_("entry"), AS_WHOLE},
    {"title", N_("title"), AS_TEXT},
    {"decision", N_("decision"), AS_DECISION},
    {"by", N_("by"), AS_TEXT},
    {"stage", N_("stage"), AS_STAGE},
    {0},
};
static const struct view_field evidence_fields[] = {
    {"ref", N_("evidence"), AS_WHOLE},
    {"kind", N_("kind"), AS_EVIDENCE},
    {"title", N_("title"), AS_TEXT},
    {"files", N_("files"), AS_NUMBER},
    {"stage", N_("stage"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
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
static const struct view show_view = {.sections = (const struct view_section[]){
                                          {NULL, NULL, show_fields, NULL},
                                          {"timeline", N_("Timeline"), timeline_fields, NULL},
                                          {"evidence", N_("Evidence"), evidence_fields, NULL},
                                          {"recipients", N_("Recipients"), recipient_fields, NULL},
                                          {0}}};

static int send_case(struct cli *c, json_t *json, const json_t *to)
{
    struct composed record = {0};
    const char *request_id = NULL;
    int err = compose_check_needs(c, json, new_rows);
    if (!err)
        err = compose_request_id(c, json, to, NULL, &request_id);
    if (err)
        return err;
    if (!cli_is_dry_run(c)) {
        err = compose_find_request(c, request_id, json, to);
        if (err != COMITY_E_NOT_FOUND)
            return err;
    }
    if (!compose_get(json, "case_content.filed"))
        compose_set(json, "case_content.filed", json_string(compose_now(c)));
    err = compose_finish(c, json, new_rows, &record);
    if (!err && cli_is_dry_run(c))
        return cli_result(c, json_incref(json));
    const struct compose_send send = {.record = &record, .to = to, .request_id = request_id};
    return err ? err : compose_send(c, &send);
}

/* Who is in charge at a place is a member, by id or by name. */
static int find_bureaus(struct cli *c, json_t *json)
{
    static const char *const places[] = {"platform-domicile", "operator-place", "operator-domicile",
                                         "violation-place"};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        const struct compose_row *row = new_rows;
        while (strcmp(row->flag, places[i]) != 0)
            row++;
        json_t *place = (json_t *)compose_get(json, row->path);
        const char *named = json_string_value(json_object_get(place, "bureau"));
        const char *id = NULL;
        if (!named || !flag_given(c, places[i]))
            continue;
        int err = ask_member_in_roster(c, named, &id);
        if (err) {
            c->failure.field = cli_text(c, "%s.bureau", row->path);
            return err;
        }
        json_object_set_new(place, "bureau", cli_json(json_string(id)));
    }
    return COMITY_OK;
}

static int case_new(struct cli *c)
{
    json_t *json = NULL;
    json_t *to = NULL;
    int err = ask_check_wait(c);
    if (!err)
        err = compose_begin(c, RECORD_CASE, new_rows, &json);
    if (!err)
        err = find_bureaus(c, json);
    if (!err)
        err = ask_recipients(c, &to);
    if (!err)
        err = ask_check_wait_for(c, to);
    if (!err)
        err = send_case(c, json, to);
    json_decref(json);
    json_decref(to);
    if (err || cli_is_dry_run(c))
        return err;
    const char *ref = json_string_value(json_object_get(c->result, "ref"));
    if (json_is_true(json_object_get(c->result, "again")))
        cli_next(c, _("This was filed before; nothing was added."));
    cli_next(c, _("Evidence in it: comity evidence push FILE… --case %s …"), ref);
    return ask_wait(c, ref, ref);
}

static int case_list(struct cli *c)
{
    int err = COMITY_OK;
    json_t *args = ask_page(c, &err);
    if (flag_given(c, "mine"))
        json_object_set_new(args, "mine", json_true());
    if (flag_given(c, "q"))
        json_object_set_new(args, "q", json_string(flag_text(c, "q")));
    if (err) {
        json_decref(args);
        return err;
    }
    return ask_list(c, "case.list", args);
}

static int case_show(struct cli *c)
{
    struct ref ref;
    json_t *found = NULL;
    bool is_ref = ref_get(bytes_of(c->args[0]), &ref) == 0;
    int err = ask(c, "case.show",
                  cli_json(json_pack("{s:s}", is_ref ? "ref" : "doc_no", c->args[0])), &found);
    if (err == COMITY_E_NOT_FOUND)
        cli_hint(c, cli_fail(c, err, _("there is no case %s here"), c->args[0]),
                 "comity case list");
    return err ? err : cli_result(c, found);
}

const struct command case_commands[] = {
    {.noun = "case",
     .verb = "new",
     .uses = USES_NODE | USES_TO | USES_WAIT | USES_DRY_RUN,
     .doc = N_("File a case: its time of filing is fixed in the ledger"),
     .more = N_("With --to other bureaus get the case at once; evidence can bring them into it "
                "later. The same "
                "command given twice files one case."),
     .flags = new_flags,
     .view = &new_view,
     .dry_view = &dry_view,
     .run = case_new},
    {.noun = "case",
     .verb = "list",
     .uses = USES_NODE | USES_PAGES,
     .doc = N_("Cases, newest first"),
     .flags = list_flags,
     .view = &list_view,
     .run = case_list},
    {.noun = "case",
     .verb = "show",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE,
     .doc = N_("A case with its timeline, evidence and recipients; REF or document number"),
     .view = &show_view,
     .run = case_show},
    {0},
};
