/*
 * Evidence by way of the control socket: who must have signed it, how it travels, is signed later,
 * shared on, decided about, tracked and waited for.
 */
#include "office.h"

#include "base/text.h"

/* Two collectors and a reviewer in Hangzhou, one reviewer in Shenzhen. */
struct staff {
    struct desk wang, li, sun, shen;
    struct record_officer collectors[2];
};

static void staff_come(struct staff *s, struct offices *o)
{
    desk_sit(&s->wang, o, HANGZHOU, "33010012345");
    desk_sit(&s->li, o, HANGZHOU, "33010012346");
    desk_sit(&s->sun, o, HANGZHOU, "33010012347");
    desk_sit(&s->shen, o, SHENZHEN, "44030099999");
    s->collectors[0] = (struct record_officer){bytes_of("王芳"), bytes_of("33010012345")};
    s->collectors[1] = (struct record_officer){bytes_of("李强"), bytes_of("33010012346")};
    assert_int_equal(desk_enrol(&s->wang, "'officer'"), 0);
    assert_int_equal(desk_enrol(&s->li, "'officer'"), 0);
    assert_int_equal(desk_enrol(&s->sun, "'reviewer','officer'"), 0);
    assert_int_equal(desk_enrol(&s->shen, "'reviewer'"), 0);
}

static void staff_go(struct staff *s)
{
    desk_leave(&s->wang);
    desk_leave(&s->li);
    desk_leave(&s->sun);
    desk_leave(&s->shen);
}

/* Evidence signed by both collectors, added with ${args}. */
static int add_evidence(struct staff *s, const char *args)
{
    struct paper p;
    const struct record r = evidence_record(s->collectors, NULL);
    paper_write(&p, &s->wang, &r);
    paper_sign(&p, &s->wang, SIGNATURE_COLLECTOR);
    paper_sign(&p, &s->li, SIGNATURE_COLLECTOR);
    int err = paper_add(&s->wang, &p, args);
    paper_free(&p);
    return err;
}

/* Wait, by the node's own means, until the entry that was just added is received. */
static void await_received(struct desk *d)
{
    char ref[64];
    snprintf(ref, sizeof ref, "%s", answer_text(d, "ref"));
    desk_ask(d, "wait", NULL, "{'ref':'%s','stage':'received','timeout_ms':20000}", ref);
    assert_answered(d);
    assert_string_equal(answer_text(d, "stage"), "received");
}

/* ---- evidence ---- */

static void evidence_needs_two_collectors_to_be_sent(void **state)
{
    struct staff s;
    struct paper p;
    staff_come(&s, *state);
    const struct record r = evidence_record(s.collectors, NULL);
    paper_write(&p, &s.wang, &r);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_UNSIGNED);
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{\"to\":[\"" SHENZHEN "\"]}"), COMITY_E_COLLECTORS);
    assert_string_not_equal(answer_text(&s.wang, "hint"), "");
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{\"to\":[\"" SHENZHEN "\"]}"), COMITY_E_COLLECTORS);
    paper_free(&p);
    staff_go(&s);
}

static void signatures_are_held_against_the_keys_in_force(void **state)
{
    struct staff s;
    struct paper p;
    struct desk stranger;
    staff_come(&s, *state);
    desk_sit(&stranger, *state, HANGZHOU, "777");
    const struct record r = evidence_record(s.collectors, NULL);

    paper_write(&p, &s.wang, &r); /* not enrolled */
    paper_sign(&p, &stranger, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_UNKNOWN_KEY);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* enrolled, but not named by the record */
    paper_sign(&p, &s.sun, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_COLLECTORS);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* not a reviewer */
    paper_sign(&p, &s.wang, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_ROLE);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* over another record */
    p.hash.b[0] ^= 1;
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_SIGNATURE);
    paper_free(&p);

    paper_write(&p, &s.wang, &r); /* over a record of another kind */
    put_signature(&s.wang, desk_origin(&s.wang), RECORD_CASE, SIGNATURE_COLLECTOR, &p.hash,
                  &p.note[p.note_count++]);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_SIGNATURE);
    paper_free(&p);

    struct desk forger; /* by another key under the same name */
    desk_sit(&forger, *state, HANGZHOU, s.wang.licence);
    note_signer_free(forger.key);
    uint8_t seed[NOTE_SEED_LEN] = {9};
    assert_int_equal(note_signer_new(note_signer_public(s.wang.key)->name, seed, &forger.key), 0);
    paper_write(&p, &s.wang, &r);
    paper_sign(&p, &forger, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_SIGNATURE);
    paper_free(&p);
    paper_write(&p, &s.wang, &r); /* a line with the right key id, and another's signature */
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    p.note[0].data[p.note[0].len - 8] ^= 1;
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_SIGNATURE);
    paper_free(&p);
    desk_leave(&forger);

    assert_int_equal(desk_ask(&s.li, "key.retire", NULL, "{'licence':'%s'}", s.wang.licence), 0);
    paper_write(&p, &s.wang, &r); /* retired */
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), COMITY_E_RETIRED);
    assert_string_equal(answer_text(&s.wang, "field"), "notes[0]");
    paper_free(&p);
    desk_leave(&stranger);
    staff_go(&s);
}

static void evidence_that_was_sent_is_received_and_tracked(void **state)
{
    struct staff s;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.wang);
    assert_string_equal(answer_text(&s.wang, "stage"), "received");
    assert_string_equal(text_at(&s.wang, "recipients.0.member"), SHENZHEN);
    assert_string_equal(text_at(&s.wang, "recipients.0.accepted.broker"), "test-net/hub");
    assert_memory_equal(text_at(&s.wang, "recipients.0.received.ref"), SHENZHEN "/", 11);
    assert_string_equal(text_at(&s.wang, "chain.0.stage"), "recorded");
    assert_int_equal(json_array_size(answer_at(&s.wang, "signatures")), 2);
    assert_true(json_is_true(answer_at(&s.wang, "signatures.1.valid")));
    /* … and on the other side */
    desk_ask(&s.shen, "inbox.list", NULL, "%s", "{}");
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "items.0.ref"), ref);
    assert_string_equal(text_at(&s.shen, "items.0.sender"), HANGZHOU);
    desk_ask(&s.shen, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_true(json_is_true(answer_at(&s.shen, "signatures.0.valid")));
    assert_true(json_is_true(answer_at(&s.shen, "signatures.1.valid")));
    desk_ask(&s.shen, "track", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "arrived.sender"), HANGZHOU);
    desk_ask(&s.shen, "key.list", NULL, "{'origin':'test-net/%s'}", HANGZHOU);
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 2);
    staff_go(&s);
}

static void second_collector_signs_and_then_it_is_shared(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    const struct record r = evidence_record(s.collectors, NULL);
    paper_write(&p, &s.wang, &r);
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    assert_int_equal(paper_add(&s.wang, &p, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    desk_ask(&s.wang, "status", NULL, "%s", "");
    assert_int_equal(json_integer_value(answer_at(&s.wang, "own.unsigned")), 1);
    assert_int_equal(
        desk_ask(&s.wang, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, SHENZHEN),
        COMITY_E_COLLECTORS);

    struct buf note = BUF_INIT;
    put_signature(&s.li, desk_origin(&s.li), RECORD_EVIDENCE, SIGNATURE_COLLECTOR, &p.hash, &note);
    const struct comity_bytes notes[] = {{note.data, note.len}};
    const struct comity_call with = {.notes = notes, .note_count = 1};
    desk_ask(&s.li, "record.sign", &with, "{'ref':'%s','request_id':'s'}", ref);
    assert_answered(&s.li);
    long long signed_at = answer_number(&s.li, "index");
    desk_ask(&s.li, "record.sign", &with, "{'ref':'%s','request_id':'s'}", ref);
    assert_answered(&s.li);
    assert_int_equal(answer_number(&s.li, "index"), signed_at);
    assert_true(json_is_true(answer_at(&s.li, "again")));
    assert_int_equal(answer_number(&s.li, "signatures"), 2);
    assert_int_equal(desk_ask(&s.li, "record.sign", &with, "{'ref':'%s'}", ref), COMITY_E_EXISTS);
    desk_ask(&s.wang, "status", NULL, "%s", "");
    assert_int_equal(json_integer_value(answer_at(&s.wang, "own.unsigned")), 0);

    desk_ask(&s.wang, "record.share", NULL, "{'ref':'%s','to':['%s'],'request_id':'x'}", ref,
             SHENZHEN);
    assert_answered(&s.wang);
    long long index = answer_number(&s.wang, "index");
    desk_ask(&s.li, "record.share", NULL, "{'ref':'%s','to':['%s'],'request_id':'x'}", ref,
             SHENZHEN);
    assert_int_equal(answer_number(&s.li, "index"), index);
    assert_true(json_is_true(answer_at(&s.li, "again")));
    assert_int_equal(desk_ask(&s.li, "record.share", NULL,
                              "{'ref':'%s','to':['%s'],'request_id':'x'}", ref, CHENGDU),
                     COMITY_E_REQUEST_CONFLICT);
    await_received(&s.wang);
    desk_ask(&s.shen, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&s.shen);
    assert_int_equal(json_array_size(answer_at(&s.shen, "signatures")), 2);
    assert_true(json_is_true(answer_at(&s.shen, "signatures.1.valid")));
    buf_free(&note);
    paper_free(&p);
    staff_go(&s);
}

/* What came from Hangzhou goes on to Chengdu, with everything that proves it. */
static void received_evidence_is_shared_on(void **state)
{
    struct staff s;
    struct desk chengdu;
    char ref[64];
    staff_come(&s, *state);
    desk_sit(&chengdu, *state, CHENGDU, "1");
    /* Neighbours in the same parcel, so that its proof must be narrowed. */
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.shen, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, CHENGDU);
    assert_answered(&s.shen);
    assert_string_equal(text_at(&s.shen, "record.ref"), ref);
    await_received(&s.shen);
    desk_ask(&chengdu, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_answered(&chengdu);
    assert_string_equal(answer_text(&chengdu, "sender"), SHENZHEN);
    assert_true(json_is_true(answer_at(&chengdu, "signatures.0.valid")));
    /* … and from there on again: an enclosure is enclosed. */
    desk_ask(&chengdu, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, HANGZHOU);
    assert_answered(&chengdu);
    await_received(&chengdu);
    /* What comes back is known. */
    desk_ask(&s.wang, "evidence.list", NULL, "%s", "{}");
    assert_int_equal(json_array_size(answer_at(&s.wang, "items")), 3);
    desk_ask(&s.wang, "inbox.list", NULL, "%s", "{}");
    assert_int_equal(json_array_size(answer_at(&s.wang, "items")), 0);
    staff_go(&s);
    desk_leave(&chengdu);
}

static void decide(struct desk *d, const char *ref, const char *licence, uint32_t decision,
                   struct paper *p)
{
    struct record_recognition r = {.decision = decision,
                                   .basis = bytes_of("核对原件"),
                                   .reviewer = {bytes_of("沈"), bytes_of(licence)}};
    uint8_t hash[HASH_LEN], leaf[HASH_LEN];
    desk_ask(d, "record.get", NULL, "{'ref':'%s'}", ref);
    assert_answered(d);
    assert_int_equal(text_get_hex(bytes_of(answer_text(d, "record_hash")), hash, HASH_LEN), 0);
    assert_int_equal(text_get_base64_exact(bytes_of(answer_text(d, "leaf")), leaf, HASH_LEN), 0);
    r.record_hash = BYTES(hash, HASH_LEN);
    r.evidence = (struct record_ref){bytes_of(answer_text(d, "origin")),
                                     (uint64_t)answer_number(d, "index"), BYTES(leaf, HASH_LEN)};
    static const struct bytes test = {(const uint8_t *)"sha256", 6};
    r.tests = &test;
    r.test_count = 1;
    const struct record record = {.kind = RECORD_RECOGNITION,
                                  .schema = RECORD_SCHEMA,
                                  .created = bytes_of("2026-03-03T10:15:00+08:00"),
                                  .u.recognition = r};
    paper_write(p, d, &record);
}

static void recognise(struct desk *d, const char *ref, const char *licence, struct paper *p)
{
    decide(d, ref, licence, DECISION_VERIFIED, p);
}

/* Rejected evidence must look admitted nowhere: the stage is neutral, and the decision beside it.
 */
static void rejection_is_told_wherever_the_stage_is(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64], decision_ref[64];
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_null(answer_at(&s.wang, "decision"));
    decide(&s.shen, ref, s.shen.licence, DECISION_REJECTED, &p);
    paper_sign(&p, &s.shen, SIGNATURE_REVIEWER);
    paper_add(&s.shen, &p, "{\"to\":[\"" HANGZHOU "\"]}");
    assert_answered(&s.shen);
    snprintf(decision_ref, sizeof decision_ref, "%s", answer_text(&s.shen, "ref"));
    await_received(&s.shen);

    desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'decided','timeout_ms':20000}", ref);
    assert_string_equal(answer_text(&s.wang, "stage"), "decided");
    assert_string_equal(text_at(&s.wang, "decisions.0.decision"), "REJECTED");
    assert_string_equal(text_at(&s.wang, "decisions.0.member"), SHENZHEN);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_string_equal(answer_text(&s.wang, "decision"), "REJECTED");
    assert_string_equal(text_at(&s.wang, "recipients.0.stage"), "decided");
    assert_string_equal(text_at(&s.wang, "recipients.0.decision"), "REJECTED");
    size_t links = json_array_size(answer_at(&s.wang, "chain"));
    json_t *last = json_array_get(answer_at(&s.wang, "chain"), links - 1);
    assert_string_equal(json_string_value(json_object_get(last, "stage")), "decided");
    assert_string_equal(json_string_value(json_object_get(last, "decision")), "REJECTED");
    desk_ask(&s.wang, "evidence.list", NULL, "%s", "{}");
    assert_string_equal(text_at(&s.wang, "items.0.stage"), "decided");
    assert_string_equal(text_at(&s.wang, "items.0.decision"), "REJECTED");
    desk_ask(&s.wang, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_string_equal(text_at(&s.wang, "recipients.0.decision"), "REJECTED");

    /* Who gets it sees what it is about, in the list and by itself. */
    desk_ask(&s.wang, "inbox.list", NULL, "{'kind':'RECOGNITION'}");
    assert_string_equal(text_at(&s.wang, "items.0.ref"), decision_ref);
    assert_string_equal(text_at(&s.wang, "items.0.title"), "进货单");
    assert_string_equal(text_at(&s.wang, "items.0.evidence"), ref);
    assert_string_equal(text_at(&s.wang, "items.0.decision"), "REJECTED");
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", decision_ref);
    assert_answered(&s.wang);
    assert_string_equal(answer_text(&s.wang, "title"), "进货单");
    assert_string_equal(answer_text(&s.wang, "decision"), "REJECTED");
    assert_string_equal(text_at(&s.wang, "recognition.basis"), "核对原件");
    assert_int_equal(desk_ask(&s.wang, "evidence.show", NULL, "{'ref':'%s'}", decision_ref),
                     COMITY_E_NOT_FOUND);
    assert_non_null(strstr(answer_text(&s.wang, "hint"), "comity track"));

    /* A second decision is made on purpose; then the newer one counts. */
    paper_free(&p);
    decide(&s.shen, ref, s.shen.licence, DECISION_VERIFIED, &p);
    paper_sign(&p, &s.shen, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.shen, &p, "{}"), COMITY_E_STATE);
    assert_non_null(strstr(answer_text(&s.shen, "hint"), "--again"));
    paper_add(&s.shen, &p, "{\"anew\":true,\"to\":[\"" HANGZHOU "\"]}");
    assert_answered(&s.shen);
    await_received(&s.shen);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_string_equal(answer_text(&s.wang, "decision"), "VERIFIED");
    desk_ask(&s.wang, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_int_equal(json_array_size(answer_at(&s.wang, "recognitions")), 2);
    paper_free(&p);
    staff_go(&s);
}

static void waiting_in_vain_says_how_far_it_is(void **state)
{
    struct staff s;
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    char ref[64];
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    assert_int_equal(
        desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'decided','timeout_ms':1}", ref),
        COMITY_E_TIMEOUT);
    assert_string_equal(answer_text(&s.wang, "stage"), "received");
    /* What goes to one bureau twice is told of it once. */
    desk_ask(&s.wang, "record.share", NULL, "{'ref':'%s','to':['%s']}", ref, SHENZHEN);
    assert_answered(&s.wang);
    desk_ask(&s.wang, "evidence.show", NULL, "{'ref':'%s'}", ref);
    assert_int_equal(json_array_size(answer_at(&s.wang, "recipients")), 1);
    assert_string_equal(text_at(&s.wang, "recipients.0.stage"), "received");
    staff_go(&s);
}

static void recognition_travels_back_to_who_collected(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    await_received(&s.wang);
    desk_ask(&s.shen, "evidence.list", NULL, "{'unrecognised':true}");
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 1);
    recognise(&s.shen, ref, s.shen.licence, &p);
    assert_int_equal(paper_add(&s.shen, &p, "{}"), COMITY_E_UNSIGNED);
    paper_sign(&p, &s.shen, SIGNATURE_REVIEWER);
    paper_add(&s.shen, &p, "{\"to\":[\"" HANGZHOU "\"]}");
    assert_answered(&s.shen);
    await_received(&s.shen);
    desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'decided','timeout_ms':20000}", ref);
    assert_answered(&s.wang);
    desk_ask(&s.wang, "track", NULL, "{'ref':'%s'}", ref);
    assert_string_equal(answer_text(&s.wang, "stage"), "decided");
    assert_string_equal(text_at(&s.wang, "recipients.0.decisions.0.decision"), "VERIFIED");
    desk_ask(&s.wang, "recognition.list", NULL, "{'evidence':'%s'}", ref);
    assert_string_equal(text_at(&s.wang, "items.0.reviewer.licence"), s.shen.licence);
    desk_ask(&s.shen, "evidence.list", NULL, "{'unrecognised':true}");
    assert_int_equal(json_array_size(answer_at(&s.shen, "items")), 0);
    desk_ask(&s.shen, "evidence.list", NULL, "%s", "{}");
    assert_string_equal(text_at(&s.shen, "items.0.decision"), "VERIFIED");
    paper_free(&p);
    staff_go(&s);
}

static void reviewer_is_no_collector_and_the_evidence_is_that_one(void **state)
{
    struct staff s;
    struct paper p;
    char ref[64];
    staff_come(&s, *state);
    assert_int_equal(desk_ask(&s.li, "key.retire", NULL, "{'licence':'%s'}", s.li.licence), 0);
    assert_int_equal(desk_enrol(&s.li, "'officer','reviewer'"), 0);
    assert_int_equal(add_evidence(&s, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    recognise(&s.li, ref, s.li.licence, &p);
    paper_sign(&p, &s.li, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.li, &p, "{}"), COMITY_E_REVIEWER);
    paper_free(&p);
    recognise(&s.sun, ref, s.li.licence, &p); /* signed by another than the one named */
    paper_sign(&p, &s.sun, SIGNATURE_REVIEWER);
    assert_int_equal(paper_add(&s.sun, &p, "{}"), COMITY_E_REVIEWER);
    paper_free(&p);
    recognise(&s.sun, ref, s.sun.licence, &p);
    paper_sign(&p, &s.sun, SIGNATURE_REVIEWER);
    paper_add(&s.sun, &p, "{}");
    assert_answered(&s.sun);
    paper_free(&p);
    staff_go(&s);
}

/* ---- waiting ---- */

static void wait_gives_up_in_time(void **state)
{
    struct offices *o = *state;
    struct staff s;
    char ref[64];
    staff_come(&s, o);
    pthread_mutex_lock(&o->lock);
    o->w->cut = true;
    pthread_mutex_unlock(&o->lock);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    int64_t began = real_ms();
    assert_int_equal(
        desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'accepted','timeout_ms':50}", ref),
        COMITY_E_TIMEOUT);
    assert_true(real_ms() - began >= 45);
    assert_int_equal(answer_number(&s.wang, "exit"), 6);
    assert_int_equal(add_evidence(&s, "{}"), 0);
    snprintf(ref, sizeof ref, "%s", answer_text(&s.wang, "ref"));
    assert_int_equal(desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'accepted'}", ref),
                     COMITY_E_STATE);
    assert_int_equal(desk_ask(&s.wang, "wait", NULL, "{'ref':'%s','stage':'eaten'}", ref),
                     COMITY_E_USAGE);
    staff_go(&s);
}

/* Other calls are answered while one waits. */
static void wait_does_not_hold_up_others(void **state)
{
    struct offices *o = *state;
    struct staff s;
    char json[200];
    uint64_t waiting = 0;
    struct comity_reply reply;
    staff_come(&s, o);
    pthread_mutex_lock(&o->lock);
    o->w->cut = true;
    pthread_mutex_unlock(&o->lock);
    assert_int_equal(add_evidence(&s, "{\"to\":[\"" SHENZHEN "\"]}"), 0);
    snprintf(json, sizeof json, "{\"ref\":\"%s\",\"stage\":\"accepted\",\"timeout_ms\":100}",
             answer_text(&s.wang, "ref"));
    const struct comity_call call = {.method = "wait", .json = json};
    assert_int_equal(comity_client_send(s.wang.client, &call, &waiting), 0);
    assert_int_equal(desk_ask(&s.wang, "status", NULL, "%s", ""), 0);
    assert_int_equal(comity_client_receive(s.wang.client, 5000, &reply), 0);
    assert_int_equal(reply.id, waiting);
    assert_int_equal(reply.err, COMITY_E_TIMEOUT);
    /* Who goes while he waits is forgotten. */
    assert_int_equal(comity_client_send(s.wang.client, &call, NULL), 0);
    assert_int_equal(comity_client_flush(s.wang.client), 0);
    staff_go(&s);
    usleep(150 * 1000);
}

/* A key counts by the order of the ledger, also when everything comes at once; and what was signed
 * before stays signed. */
static void key_retired_in_between_counts_from_there_on(void **state)
{
    struct staff s;
    struct paper p;
    long long index[3] = {0};
    int err[3] = {0};
    char licence[80];
    staff_come(&s, *state);
    const struct record r = evidence_record(s.collectors, NULL);
    paper_write(&p, &s.wang, &r);
    paper_sign(&p, &s.wang, SIGNATURE_COLLECTOR);
    paper_sign(&p, &s.li, SIGNATURE_COLLECTOR);
    const struct comity_bytes notes[] = {{p.note[0].data, p.note[0].len},
                                         {p.note[1].data, p.note[1].len}};
    /* Entries that go out are appended behind those that stay. */
    const struct comity_call add = {.method = "record.add",
                                    .json = "{\"to\":[\"" SHENZHEN "\"]}",
                                    .record = {p.record.data, p.record.len},
                                    .salt = {p.salt, SALT_LEN},
                                    .notes = notes,
                                    .note_count = 2};
    snprintf(licence, sizeof licence, "{\"licence\":\"%s\"}", s.wang.licence);
    const struct comity_call retire = {.method = "key.retire", .json = licence};
    const struct comity_call *calls[] = {&add, &retire, &add};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(comity_client_send(s.wang.client, calls[i], NULL), 0);
    for (size_t i = 0; i < 3; i++) {
        struct comity_reply reply;
        assert_int_equal(comity_client_receive(s.wang.client, 5000, &reply), 0);
        err[i] = desk_keep(&s.wang, reply.err, &reply);
        index[i] = answer_number(&s.wang, "index");
    }
    assert_int_equal(err[0], 0);
    assert_int_equal(err[1], 0);
    assert_int_equal(err[2], COMITY_E_RETIRED);
    assert_true(index[0] < index[1]);
    desk_ask(&s.wang, "evidence.show", NULL, "{'ref':'%lld'}", index[0]);
    assert_answered(&s.wang);
    assert_true(json_is_true(answer_at(&s.wang, "signatures.0.valid")));
    assert_true(json_is_true(answer_at(&s.wang, "signatures.1.valid")));
    paper_free(&p);
    staff_go(&s);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, offices_setup, offices_teardown)
    const struct CMUnitTest tests[] = {
        TEST(evidence_needs_two_collectors_to_be_sent),
        TEST(signatures_are_held_against_the_keys_in_force),
        TEST(key_retired_in_between_counts_from_there_on),
        TEST(evidence_that_was_sent_is_received_and_tracked),
        TEST(second_collector_signs_and_then_it_is_shared),
        TEST(received_evidence_is_shared_on),
        TEST(recognition_travels_back_to_who_collected),
        TEST(rejection_is_told_wherever_the_stage_is),
        TEST(waiting_in_vain_says_how_far_it_is),
        TEST(reviewer_is_no_collector_and_the_evidence_is_that_one),
        TEST(wait_gives_up_in_time),
        TEST(wait_does_not_hold_up_others),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
