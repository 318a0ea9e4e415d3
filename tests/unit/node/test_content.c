/*
 * What a recipient makes of what was delivered: content that does not hold is refused to its
 * sender, receipts are never answered, and the two sides' views of one another stay linked.
 */
#include "world.h"

#include "../domain/sample_record.h"
#include "msg/record.h"
#include "wire/notes.h"

/* A RECORD entry for HANGZHOU, bent. */
struct bend {
    const char *licence; /* of a note by an officer whom no KEY entry enrols; NULL: none */
    size_t blobs;        /* how many of the record's two files the parcel names … */
    bool stranger;       /* … and one that no record names */
    bool bad_title;      /* break a rule of the domain */
    bool other_len;      /* its first file has another length than others say */
    size_t unsigned_by;  /* how many of its two collectors have not signed */
};

/* The collectors' keys, enrolled in CHENGDU's ledger: their KEY entries. */
static uint64_t enrolled[2];

static struct note_signer *collector_signer(const struct actor *a, size_t i, struct bytes licence)
{
    struct note_signer *s = NULL;
    char name[NOTE_KEY_NAME_MAX];
    uint8_t seed[32] = {11, (uint8_t)i};
    snprintf(name, sizeof name, "%s/officer/%.*s", a->party->origin, (int)licence.len,
             (const char *)licence.data);
    assert_int_equal(note_signer_new(name, seed, &s), 0);
    return s;
}

static struct bytes signed_note(struct turn *t, const struct note_signer *s, struct buf *text)
{
    struct buf note = BUF_INIT;
    assert_int_equal(note_sign(s, buf_bytes(text), &note), 0);
    struct bytes kept = arena_copy(turn_arena(t), buf_bytes(&note));
    buf_free(&note);
    buf_free(text);
    return kept;
}

static void took_index(struct draft *d, int err)
{
    assert_int_equal(err, 0);
    *(uint64_t *)d->owner = d->index;
}

static void enrol_collectors(struct actor *a, struct turn *t, void *arg)
{
    struct sample sample;
    (void)arg;
    sample_evidence(&sample);
    for (size_t i = 0; i < 2; i++) {
        const struct record_officer *o = &sample.record.officers[i];
        struct note_signer *s = collector_signer(a, i, o->licence);
        const struct officer_enrolment e = {.origin = bytes_of(a->party->origin),
                                            .name = o->name,
                                            .licence = o->licence,
                                            .key = *note_signer_public(s)};
        struct buf text = BUF_INIT;
        struct buf bytes = BUF_INIT;
        const uint32_t role = ROLE_OFFICER;
        assert_int_equal(officer_put_text(&text, &e), 0);
        struct bytes note = signed_note(t, s, &text);
        const struct body body = {.notes = &note, .note_count = 1, .roles = &role, .role_count = 1};
        assert_int_equal(body_encode(&body, &bytes), 0);
        const struct draft d = {.kind = ENTRY_KEY,
                                .body = arena_copy(turn_arena(t), buf_bytes(&bytes)),
                                .done = took_index,
                                .owner = &enrolled[i]};
        assert_int_equal(turn_add(t, &d), 0);
        buf_free(&bytes);
        note_signer_free(s);
    }
}

static struct bytes collector_note(const struct actor *a, struct turn *t,
                                   const struct sample *sample, size_t i, struct bytes salt,
                                   struct bytes record)
{
    struct note_signer *s = collector_signer(a, i, sample->record.officers[i].licence);
    struct officer_signature sig = {.origin = bytes_of(a->party->origin),
                                    .licence = sample->record.officers[i].licence,
                                    .role = SIGNATURE_COLLECTOR,
                                    .record_kind = RECORD_EVIDENCE,
                                    .time_ms = 1700000000000};
    struct buf text = BUF_INIT;
    ledger_record_hash(suite_get(SUITE_1), sig.origin, salt, record, &sig.record_hash);
    assert_int_equal(officer_signature_put_text(&text, &sig), 0);
    struct bytes note = signed_note(t, s, &text);
    note_signer_free(s);
    return note;
}

static struct bytes blob_of(struct turn *t, const struct record_file *f)
{
    uint8_t *b = arena_alloc(turn_arena(t), PARCEL_BLOB_LEN);
    memcpy(b, f->blob.data, HASH_LEN);
    put_u64be(b + HASH_LEN, f->len);
    return BYTES(b, PARCEL_BLOB_LEN);
}

static int compare(const void *a, const void *b)
{
    return bytes_compare(*(const struct bytes *)a, *(const struct bytes *)b);
}

static struct bytes stranger_note(const struct actor *a, struct turn *t, const char *licence)
{
    struct note_signer *s = NULL;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    char name[NOTE_KEY_NAME_MAX];
    uint8_t seed[32] = {5};
    snprintf(name, sizeof name, "%s/officer/%s", a->party->origin, licence);
    assert_int_equal(note_signer_new(name, seed, &s), 0);
    buf_printf(&text, "comity officer signature v1\n%s\n%s\ncollector\n2\n", a->party->origin,
               licence);
    buf_put_str(&text, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n2026-11-24T09:47:15Z\n");
    assert_int_equal(note_sign(s, buf_bytes(&text), &note), 0);
    struct bytes kept = arena_copy(turn_arena(t), buf_bytes(&note));
    note_signer_free(s);
    buf_free(&text);
    buf_free(&note);
    return kept;
}

static void add_bent(struct actor *a, struct turn *t, void *arg)
{
    const struct bend *bend = arg;
    struct sample s;
    struct buf record = BUF_INIT;
    struct buf body = BUF_INIT;
    struct bytes notes[3];
    struct body b = {.notes = notes};
    const struct bytes salt = BYTES_LIT("salt of an evidence, 32 bytes ..");
    sample_evidence(&s);
    s.files[1].blob = BYTES_LIT("another file's identity, 32 byte");
    if (bend->other_len)
        s.files[0].len += 1000;
    if (bend->bad_title)
        s.record.u.evidence.title = BYTES_LIT("two\nlines");
    assert_int_equal(record_encode(&s.record, &record), 0);
    b.record = buf_bytes(&record);
    for (size_t i = bend->unsigned_by; i < 2; i++)
        notes[b.note_count++] = collector_note(a, t, &s, i, salt, b.record);
    if (bend->licence)
        notes[b.note_count++] = stranger_note(a, t, bend->licence);
    assert_int_equal(body_encode(&b, &body), 0);
    struct bytes *to = arena_alloc(turn_arena(t), sizeof *to);
    struct bytes *blobs = arena_alloc(turn_arena(t), 3 * sizeof *blobs);
    struct draft d = {.kind = ENTRY_RECORD,
                      .salt = salt,
                      .body = arena_copy(turn_arena(t), buf_bytes(&body)),
                      .to = to,
                      .to_count = 1,
                      .blobs = blobs,
                      .enclosed_own = enrolled,
                      .enclosed_own_count = 2};
    *to = BYTES_LIT(HANGZHOU);
    for (size_t i = 0; i < bend->blobs; i++)
        blobs[d.blob_count++] = blob_of(t, &s.record.u.evidence.files[i]);
    if (bend->stranger) {
        struct record_file other = s.record.u.evidence.files[0];
        other.blob = BYTES_LIT("an identity that nobody names 32");
        blobs[d.blob_count++] = blob_of(t, &other);
    }
    qsort(blobs, d.blob_count, sizeof *blobs, compare);
    assert_int_equal(turn_add(t, &d), 0);
    buf_free(&record);
    buf_free(&body);
}

static size_t files_of_sample(void)
{
    struct sample s;
    sample_evidence(&s);
    return s.record.u.evidence.file_count;
}

static void expect(struct world *w, struct bend bend, const char *token)
{
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    const struct db_value v[] = {DB_STR(token)};
    uint64_t before = 0;
    uint64_t n = 0;
    const char *sql = "SELECT count(*) FROM parcel_in WHERE token = ?1";
    assert_int_equal(db_get_u64(store_db(b->node->store), 0, &before, sql, v, 1), 0);
    actor_turn(w, a, add_bent, &bend);
    world_run(w);
    assert_int_equal(db_get_u64(store_db(b->node->store), 0, &n, sql, v, 1), 0);
    assert_int_equal(n, before + 1);
    sql = "SELECT count(*) FROM parcel_out_to WHERE state = 2 AND token = ?1";
    assert_int_equal(db_get_u64(store_db(a->node->store), 0, &n, sql, v, 1), 0);
    assert_int_equal(n, before + 1);
}

static void content_that_does_not_hold_is_refused_to_its_sender(void **state)
{
    struct world *w = *state;
    size_t files = files_of_sample();
    world_connect_all(w);
    actor_turn(w, actor_of(w, CHENGDU), enrol_collectors, NULL);
    expect(w, (struct bend){.blobs = files, .unsigned_by = 1}, "collectors_missing");
    expect(w, (struct bend){.blobs = files, .unsigned_by = 2}, "collectors_missing");
    expect(w, (struct bend){.blobs = files, .bad_title = true}, "invalid");
    expect(w, (struct bend){.blobs = files, .licence = "X1"}, "key_unknown");
    expect(w, (struct bend){.blobs = files - 1}, "attachment_mismatch");
    expect(w, (struct bend){.blobs = files, .stranger = true}, "attachment_mismatch");
    assert_int_equal(number(actor_of(w, HANGZHOU), "SELECT count(*) FROM attachment_in"), 0);
}

static void attachments_are_registered_on_both_sides(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    struct bend good = {.blobs = files_of_sample()};
    actor_turn(w, a, enrol_collectors, NULL);
    actor_turn(w, a, add_bent, &good);
    assert_int_equal(number(a, "SELECT count(*) FROM attachment_out WHERE state = 0"), good.blobs);
    world_connect_all(w);
    assert_int_equal(number(a, "SELECT count(*) FROM attachment_out WHERE state = 1"), good.blobs);
    assert_int_equal(number(b, "SELECT count(*) FROM attachment_in WHERE state = 1"), good.blobs);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token IS NOT NULL"), 0);
    assert_int_equal(status_of(a).parcels_queued, 0);
}

static void attachment_of_another_length_is_refused_and_stops_nobody(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct bend good = {.blobs = files_of_sample()};
    struct bend bad = {.blobs = good.blobs, .other_len = true};
    world_connect_all(w);
    actor_turn(w, a, enrol_collectors, NULL);
    actor_turn(w, a, add_bent, &good);
    world_run(w);
    actor_turn(w, a, add_bent, &bad);
    world_run(w);
    assert_int_equal(number(a, "SELECT count(*) FROM parcel_out WHERE token = 'blob_mismatch'"), 1);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(status_of(a).parcels_queued, 0);
    assert_int_equal(number(actor_of(w, HANGZHOU), "SELECT count(*) FROM pair_gap"), 0);
}

/* ---- receipts, and what links ---- */

static void receipts_are_never_answered(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    for (size_t i = 0; i < 5; i++)
        mail(w, CHENGDU, HANGZHOU, 1);
    assert_true(world_run(w) < 20);
    size_t receipts = entries_of(a, ENTRY_RECEIPT);
    assert_true(receipts >= 1 && receipts <= 5);
    assert_int_equal(entries_of(b, ENTRY_RECEIPT), 0);
    uint64_t frames = a->frames_out + b->frames_out;
    for (size_t i = 0; i < 10; i++) {
        w->ms += 1000;
        world_run(w);
    }
    assert_int_equal(a->frames_out + b->frames_out, frames);
}

static void recipient_that_cannot_link_says_what_it_knows(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    struct actor *b = actor_of(w, HANGZHOU);
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    /* The sender believes that HANGZHOU was never sent anything. */
    assert_int_equal(db_run(store_db(a->node->store),
                            "UPDATE pair_out SET sent = 0 WHERE member = ?1", DB_STR(HANGZHOU)),
                     0);
    actor_kill(a);
    actor_start(w, a);
    actor_connect(a);
    world_run(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token IS NULL"), 2);
    assert_true(number(a, "SELECT ask FROM pair_out WHERE member = '330100-001'") > 0);
    /* The next parcel carries the cut that was asked for. */
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    assert_int_equal(number(a, "SELECT ask FROM pair_out WHERE member = '330100-001'"), 0);
    assert_int_equal(number(b, "SELECT count(*) FROM parcel_in WHERE token IS NULL"), 3);
}

/* ---- checkpoints ---- */

static void idle_members_do_not_keep_each_other_busy(void **state)
{
    struct world *w = *state;
    world_connect_all(w);
    mail(w, CHENGDU, HANGZHOU, 1);
    world_run(w);
    uint64_t size[WORLD_NODES];
    /* Two days, minute by minute: what was appended is published once … */
    for (size_t minute = 0; minute < 2 * 24 * 60; minute++) {
        w->ms += 60000;
        world_run(w);
    }
    for (size_t i = 0; i < WORLD_NODES; i++)
        size[i] = ledger_size(w->actor[i].node->ledger);
    uint64_t broker = ledger_size(w->broker->ledger);
    /* … and then nothing is appended any more, anywhere. */
    for (size_t hour = 0; hour < 24 * 7; hour++) {
        w->ms += 3600 * 1000;
        world_run(w);
        world_run(w);
    }
    for (size_t i = 0; i < WORLD_NODES; i++)
        assert_int_equal(ledger_size(w->actor[i].node->ledger), size[i]);
    assert_int_equal(ledger_size(w->broker->ledger), broker);
}

static void checkpoints_stand_first_and_not_too_often(void **state)
{
    struct world *w = *state;
    struct actor *a = actor_of(w, CHENGDU);
    world_connect_all(w);
    w->ms += 5000;
    size_t before = entries_of(a, ENTRY_CHECKPOINT);
    for (size_t i = 0; i < 10; i++) {
        mail(w, CHENGDU, HANGZHOU, 1);
        world_run(w);
    }
    assert_int_equal(entries_of(a, ENTRY_CHECKPOINT), before + 1);
    w->ms += 1000;
    mail(w, CHENGDU, HANGZHOU, 1);
    assert_int_equal(entries_of(a, ENTRY_CHECKPOINT), before + 2);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)
    const struct CMUnitTest tests[] = {
        T(content_that_does_not_hold_is_refused_to_its_sender),
        T(attachments_are_registered_on_both_sides),
        T(attachment_of_another_length_is_refused_and_stops_nobody),
        T(receipts_are_never_answered),
        T(recipient_that_cannot_link_says_what_it_knows),
        T(idle_members_do_not_keep_each_other_busy),
        T(checkpoints_stand_first_and_not_too_often),
    };
    return cmocka_run_group_tests_name("content", tests, NULL, NULL);
}
