/* What officers write: drafts, as the methods of the control socket make them. See day.h. */
#include "day.h"

#include "dice.h"
#include "domain/role.h"
#include "msg/record.h"
#include "sample_evidence.h"
#include "wire/notes.h"

#include <comity/err.h>
#include <stdlib.h>
#include <string.h>

static const char *const licences[2] = {"33010012345", "33010012346"};

/* It was told: so it stands, whatever happens from now on. */
static void told(struct draft *draft, int err)
{
    struct office *o = draft->owner;
    MUST(err == 0);
    day_mark(o->day, o->actor,
             &(struct mark){.kind = MARK_TOLD, .number = draft->index, .hash = draft->leaf});
    if (draft->kind == ENTRY_KEY)
        o->officer_key[o->officers++] = draft->index;
}

static struct bytes keep(struct turn *t, struct buf *b)
{
    MUST(buf_check(b) == 0);
    struct bytes kept = arena_copy(turn_arena(t), buf_bytes(b));
    MUST(kept.data != NULL);
    buf_free(b);
    return kept;
}

static struct bytes *keep_names(struct turn *t, const char *const *names, size_t n)
{
    struct bytes *to = arena_alloc(turn_arena(t), (n + 1) * sizeof *to);
    MUST(to != NULL);
    for (size_t i = 0; i < n; i++)
        to[i] = bytes_of(names[i]);
    return to;
}

/* ---- notes ---- */

static void add_notes(struct actor *a, struct turn *t, void *arg)
{
    const struct notes *n = arg;
    for (size_t i = 0; i < n->count; i++) {
        struct buf body = BUF_INIT;
        char *remark = calloc(1, n->size + 32);
        MUST(remark != NULL);
        snprintf(remark, 32, "remark %u ", n->day->records++);
        memset(remark + strlen(remark), 'x', n->size);
        MUST(body_encode(&(struct body){.remark = bytes_of(remark)}, &body) == 0);
        const struct draft d = {.kind = ENTRY_NOTE,
                                .body = keep(t, &body),
                                .to = keep_names(t, n->to, n->to_count),
                                .to_count = n->to_count,
                                .done = told,
                                .owner = office_of(n->day, a)};
        int err = turn_add(t, &d);
        MUST(err == 0 || err == COMITY_E_NO_ROSTER || err == COMITY_E_CLOSED);
        free(remark);
    }
}

void day_write_notes(struct actor *a, const struct notes *n)
{
    day_turn(n->day, a, add_notes, (void *)n);
}

/* ---- officers ---- */

struct enrolment {
    struct day *day;
    size_t which;
};

static void add_key(struct actor *a, struct turn *t, void *arg)
{
    const struct enrolment *e = arg;
    struct office *o = office_of(e->day, a);
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct buf body = BUF_INIT;
    const uint32_t roles[] = {ROLE_OFFICER};
    const struct officer_enrolment officer = {.origin = bytes_of(a->party->origin),
                                              .name = bytes_of("王芳"),
                                              .licence = bytes_of(licences[e->which]),
                                              .key = *note_signer_public(o->officer[e->which])};
    MUST(officer_put_text(&text, &officer) == 0);
    MUST(note_sign(o->officer[e->which], buf_bytes(&text), &note) == 0);
    const struct bytes notes[] = {buf_bytes(&note)};
    MUST(body_encode(
             &(struct body){.notes = notes, .note_count = 1, .roles = roles, .role_count = 1},
             &body) == 0);
    const struct draft d = {.kind = ENTRY_KEY, .body = keep(t, &body), .done = told, .owner = o};
    MUST(turn_add(t, &d) == 0);
    buf_free(&text);
    buf_free(&note);
}

void day_enrol(struct day *d, struct actor *a)
{
    struct office *o = office_of(d, a);
    for (size_t i = 0; i < 2; i++) {
        char name[200];
        uint8_t seed[NOTE_SEED_LEN] = {(uint8_t)(i + 1)};
        snprintf(name, sizeof name, "%s/officer/%s", a->party->origin, licences[i]);
        MUST(note_signer_new(name, seed, &o->officer[i]) == 0);
        day_turn(d, a, add_key, &(struct enrolment){d, i});
    }
}

void day_forget_officers(struct office *o)
{
    note_signer_free(o->officer[0]);
    note_signer_free(o->officer[1]);
}

/* ---- records ---- */

struct paper {
    struct day *day;
    const struct record *record;
    const char *to[1];
    size_t to_count;
    size_t signers;
    const struct kept_file *file;
};

static struct bytes sign(const struct paper *p, const struct actor *a, struct turn *t, size_t which,
                         const struct hash *record_hash)
{
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    const struct officer_signature s = {.origin = bytes_of(a->party->origin),
                                        .licence = bytes_of(licences[which]),
                                        .role = SIGNATURE_COLLECTOR,
                                        .record_kind = p->record->kind,
                                        .record_hash = *record_hash,
                                        .time_ms = p->day->world->ms};
    MUST(officer_signature_put_text(&text, &s) == 0);
    MUST(note_sign(office_of(p->day, a)->officer[which], buf_bytes(&text), &note) == 0);
    buf_free(&text);
    return keep(t, &note);
}

/* The body: the record and its signatures. Its salt goes to ${salt}. */
static struct bytes put_body(const struct paper *p, const struct actor *a, struct turn *t,
                             struct bytes salt)
{
    struct buf record = BUF_INIT;
    struct buf body = BUF_INIT;
    struct hash hash;
    struct bytes notes[2];
    MUST(record_encode(p->record, &record) == 0);
    ledger_record_hash(ledger_suite(a->node->ledger), bytes_of(a->party->origin), salt,
                       buf_bytes(&record), &hash);
    for (size_t i = 0; i < p->signers; i++)
        notes[i] = sign(p, a, t, i, &hash);
    MUST(body_encode(
             &(struct body){.record = buf_bytes(&record), .notes = notes, .note_count = p->signers},
             &body) == 0);
    buf_free(&record);
    return keep(t, &body);
}

static struct bytes *put_blob(struct turn *t, const struct kept_file *f)
{
    struct buf b = BUF_INIT;
    struct bytes *blob = arena_alloc(turn_arena(t), sizeof *blob);
    MUST(blob != NULL);
    buf_put_bytes(&b, hash_bytes(&f->blob));
    buf_put_u64be(&b, f->len);
    *blob = keep(t, &b);
    return blob;
}

static void add_paper(struct actor *a, struct turn *t, void *arg)
{
    const struct paper *p = arg;
    struct office *o = office_of(p->day, a);
    struct buf salt = BUF_INIT;
    for (int i = 0; i < 4; i++)
        buf_put_u64be(&salt, dice_next(&p->day->dice));
    struct draft d = {.kind = ENTRY_RECORD,
                      .salt = keep(t, &salt),
                      .to = keep_names(t, p->to, p->to_count),
                      .to_count = p->to_count,
                      .enclosed_own = o->officer_key,
                      .enclosed_own_count = p->to_count ? p->signers : 0,
                      .blobs = p->file ? put_blob(t, p->file) : NULL,
                      .blob_count = p->file != NULL,
                      .done = told,
                      .owner = o};
    d.body = put_body(p, a, t, d.salt);
    int err = turn_add(t, &d);
    MUST(err == 0 || err == COMITY_E_NO_ROSTER);
}

void day_file_case(struct day *d, struct actor *a, const char *to)
{
    char title[40];
    snprintf(title, sizeof title, "案 %u", d->records++);
    const struct record r = {
        .kind = RECORD_CASE,
        .schema = RECORD_SCHEMA,
        .doc_no = bytes_of(title),
        .created = bytes_of("2026-03-02T10:15:00+08:00"),
        .u.case_content = {.title = bytes_of(title),
                           .filed = bytes_of("2026-03-02T10:00:00+08:00"),
                           .has_platform_domicile = true,
                           .platform_domicile = {.division = bytes_of("330106")},
                           .basis = bytes_of("第十条")}};
    struct paper p = {.day = d, .record = &r, .to = {to}, .to_count = to != NULL};
    day_turn(d, a, add_paper, &p);
}

void day_add_evidence(struct day *d, struct actor *a, const char *to, const struct kept_file *file,
                      size_t signers)
{
    const struct record_officer officers[2] = {{bytes_of("王芳"), bytes_of(licences[0])},
                                               {bytes_of("李强"), bytes_of(licences[1])}};
    const struct record_file f = {.name = bytes_of("照片.jpg"),
                                  .len = file ? file->len : 0,
                                  .sha256 = file ? hash_bytes(&file->sha256) : BYTES_NONE,
                                  .sm3 = file ? hash_bytes(&file->sm3) : BYTES_NONE,
                                  .blob = file ? hash_bytes(&file->blob) : BYTES_NONE,
                                  .secret = file ? BYTES(file->secret, 32) : BYTES_NONE};
    const struct record r = evidence_record(officers, file ? &f : NULL);
    struct paper p = {.day = d,
                      .record = &r,
                      .to = {to},
                      .to_count = to != NULL,
                      .signers = signers,
                      .file = file};
    day_turn(d, a, add_paper, &p);
}

/* ---- erasing ---- */

/* A note that is still there, and how it begins, which is in no other. */
static bool draw_note(struct day *d, struct actor *a, uint64_t *ret_index, char ret_text[32])
{
    struct ledger *l = a->node->ledger;
    struct arena *arena = arena_new(1 << 20);
    struct opening o;
    struct body body = {0};
    MUST(arena != NULL);
    *ret_index = day_draw(d, (unsigned)ledger_size(l));
    bool is_note = ledger_opening(l, bytes_of(a->party->origin), *ret_index, arena, &o) == 0 &&
                   body_decode(arena, o.body, &body) == 0 && body.remark.len > 32;
    for (size_t i = 0; is_note && i < 31; i++) {
        ret_text[i] = (char)body.remark.data[i];
        ret_text[i + 1] = '\0';
        if (ret_text[i] == 'x')
            break;
    }
    arena_free(arena);
    return is_note;
}

/* A note, which no projection shows. There is no command for it yet: this is what one would do. */
void day_erase(struct day *d, struct actor *a)
{
    enum { TRIES = 40 };
    struct ledger *l = a->node->ledger;
    struct mark m = {.kind = MARK_ERASING};
    for (int i = 0; i < TRIES; i++) {
        if (!draw_note(d, a, &m.number, m.who))
            continue;
        day_mark(d, a, &m);
        MUST(ledger_begin(l) == 0);
        MUST(ledger_opening_erase(l, bytes_of(a->party->origin), m.number) == 0);
        MUST(ledger_commit(l) == 0);
        m.kind = MARK_ERASED;
        day_mark(d, a, &m);
        return;
    }
}
