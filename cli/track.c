/*
 * track: where a record is, and the whole chain of its custody.
 */
#include "ask.h"
#include "commands.h"

static const struct view_field fields[] = {
    {"ref", N_("entry"), AS_WHOLE},
    {"kind", N_("kind"), AS_RECORD},
    {"title", N_("title"), AS_WHOLE},
    {"time", N_("recorded"), AS_TIME},
    {"stage", N_("stage"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
    {"recognition.evidence", N_("evidence"), AS_WHOLE},
    {"recognition.case", N_("case"), AS_WHOLE},
    {"recognition.reviewer.name", N_("reviewer"), AS_WHOLE},
    {"recognition.basis", N_("basis"), AS_WHOLE},
    {"recognition.tests[]", N_("tests"), AS_WHOLE},
    {"recognition.limits", N_("limits"), AS_WHOLE},
    {"recognition.agreement", N_("agreement"), AS_WHOLE},
    {"arrived.sender", N_("from"), AS_WHOLE},
    {"arrived.received.time", N_("received"), AS_TIME},
    {"arrived.received.ref", N_("received as"), AS_WHOLE},
    {0},
};
static const struct view_field signature_fields[] = {
    {"licence", N_("licence"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"time", N_("signed at"), AS_TIME},
    {"ref", N_("entry"), AS_WHOLE},
    {0},
};
static const struct view_field recipient_fields[] = {
    {"member", N_("sent to"), AS_WHOLE},
    {"name", N_("name"), AS_TEXT},
    {"stage", N_("stage"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
    {"accepted.index", N_("broker's entry"), AS_NUMBER},
    {"received.ref", N_("their entry"), AS_WHOLE},
    {"received.receipt", N_("our receipt"), AS_WHOLE},
    {"files[].state", N_("files"), AS_STATE},
    {"token", N_("why"), AS_TEXT},
    {0},
};
static const struct view_field chain_fields[] = {
    {"time", N_("time"), AS_TIME},
    {"stage", N_("what"), AS_STAGE},
    {"decision", N_("decision"), AS_DECISION},
    {"ref", N_("entry"), AS_WHOLE},
    {"member", N_("member"), AS_WHOLE},
    {"token", N_("why"), AS_TEXT},
    {0},
};
static const struct view view = {.sections = (const struct view_section[]){
                                     {NULL, NULL, fields, NULL},
                                     {"signatures", N_("Signatures"), signature_fields, NULL},
                                     {"recipients", N_("Recipients"), recipient_fields, NULL},
                                     {"chain", N_("Chain of custody"), chain_fields, NULL},
                                     {0}}};

static int track(struct cli *c)
{
    json_t *reply = NULL;
    int err = ask_check_wait(c);
    if (!err)
        err = ask_wait(c, c->args[0], c->args[0]);
    bool is_late = err == COMITY_E_TIMEOUT || err == COMITY_E_NOT_RECOGNISED ||
                   err == COMITY_E_REFUSED || err == COMITY_E_INTERRUPTED;
    struct failure late = c->failure;
    if (!err || is_late) {
        int asked = ask(c, "track", cli_json(json_pack("{s:s}", "ref", c->args[0])), &reply);
        err = asked ? asked : cli_result(c, reply);
    }
    if (!err && is_late) {
        c->failure = late; /* shown behind what was reached */
        return late.err;
    }
    return err;
}

const struct command track_commands[] = {
    {.noun = "track",
     .args = "REF",
     .args_min = 1,
     .args_max = 1,
     .uses = USES_NODE | USES_WAIT,
     .doc = N_("Where a record is: every stage with its place in a ledger"),
     .more = N_("recorded: in our ledger. accepted: in the broker's. received: opened, checked and "
                "durable in the "
                "recipient's. decided: a reviewer there has decided, and the decision says whether "
                "it is admitted. "
                "Each is a signed fact."),
     .view = &view,
     .run = track},
    {0},
};
