/*
 * What a delivered parcel says. See content.h.
 */
#include "content.h"

#include "archive.h"

#include "core.h"
#include "domain/rules.h"
#include "msg/record.h"
#include "wire/officer_check.h"

#include <comity/err.h>
#include <string.h>

/* One opened entry of the parcel, or one that it encloses. */
struct item {
    const struct entry *entry;
    struct bytes origin;
    const struct suite *suite;
    struct hash leaf;
    struct opening opening;
    struct body body;
    bool has_body;
    const struct record *record;
    bool is_enclosed;
};

struct check {
    struct node *n;
    struct arena *a;
    struct item *item;
    size_t count;
    struct officer_key *keys;
    size_t key_count;
};

static int read_record(struct check *c, struct item *it)
{
    struct record *r = arena_alloc(c->a, sizeof *r);
    if (!r)
        return COMITY_E_NOMEM;
    int err = record_decode(c->a, it->body.record, r);
    if (!err)
        err = record_check(r, NULL);
    if (!err)
        it->record = r;
    return err;
}

/* Decode the body of an item whose kind is known here. */
static int read_item(struct check *c, struct item *it)
{
    uint32_t kind = it->entry->kind;
    if (!it->opening.salt.len ||
        (kind != ENTRY_RECORD && kind != ENTRY_SIGNATURE && kind != ENTRY_KEY))
        return COMITY_OK;
    int err = body_decode(c->a, it->opening.body, &it->body);
    if (err)
        return err;
    it->has_body = true;
    if (kind == ENTRY_RECORD)
        return it->body.record.len ? read_record(c, it) : COMITY_E_FIELD_MISSING;
    if (kind == ENTRY_SIGNATURE)
        return it->body.note_count ? COMITY_OK : COMITY_E_FIELD_MISSING;
    return officer_key_read(it->origin, it->entry->index, &it->body, &c->keys[c->key_count++]);
}

static int read_items(struct check *c, const struct parcel_facts *f, const struct openings *o)
{
    c->count = f->count + f->enclosure_count;
    c->item = arena_alloc(c->a, c->count * sizeof *c->item);
    c->keys = arena_alloc(c->a, c->count * sizeof *c->keys);
    if (!c->item || !c->keys)
        return COMITY_E_NOMEM;
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < c->count; i++) {
        struct item *it = &c->item[i];
        const struct parcel_enclosed *e = i < f->count ? NULL : &f->enclosures[i - f->count];
        const struct roster_origin *from = e ? e->from : f->from;
        it->entry = e ? &e->entry : &f->entries[i];
        it->leaf = e ? e->leaf : f->leaves[i];
        it->origin = from->ledger->origin;
        it->suite = from->suite;
        it->is_enclosed = e != NULL;
        if (i < o->count)
            it->opening = o->opening[i];
        err = read_item(c, it);
    }
    return err;
}

/* ---- signatures ---- */

static void hash_record(const struct item *it, struct bytes salt, struct bytes record,
                        struct hash *ret)
{
    ledger_record_hash(it->suite, it->origin, salt, record, ret);
}

/* A record that was received before. */
struct kept {
    struct opening opening;
    struct body body;
    struct record record;
};

/*
 * Into scratch memory: good until the next one is looked for. A parcel may speak of a thousand
 * records, and each may be large. COMITY_E_NOT_FOUND: its content is not here. COMITY_E_BODY: it is
 * no record.
 */
static int find_kept(struct check *c, struct bytes origin, uint64_t index, struct kept *ret)
{
    struct arena *a = c->n->core->scratch;
    arena_reset(a);
    int err = archive_opening(c->n, a, origin, index, &ret->opening);
    if (err == COMITY_E_ERASED || err == COMITY_E_WITHHELD)
        return COMITY_E_NOT_FOUND;
    if (!err)
        err = body_decode(a, ret->opening.body, &ret->body);
    if (!err && ret->body.record.len == 0)
        return COMITY_E_BODY;
    return err ? err : record_decode(a, ret->body.record, &ret->record);
}

/* The record that a SIGNATURE entry speaks of: in this parcel, or received before. */
static int find_signed(struct check *c, const struct item *it, struct officer_subject *s)
{
    const struct entry_source *src = &it->entry->source;
    if (!it->entry->has_source || !src->has_index || !bytes_equal(src->origin, it->origin))
        return COMITY_E_MALFORMED;
    for (size_t i = 0; i < c->count; i++) {
        const struct item *r = &c->item[i];
        if (r->record && r->entry->index == src->index && bytes_equal(r->origin, src->origin)) {
            hash_record(it, r->opening.salt, r->body.record, &s->record_hash);
            s->record_kind = r->record->kind;
            s->has_record_hash = true;
            return COMITY_OK;
        }
    }
    struct kept kept;
    int err = find_kept(c, src->origin, src->index, &kept);
    if (err == COMITY_E_NOT_FOUND)
        return COMITY_OK;
    if (err)
        return err == COMITY_E_BODY ? COMITY_E_SIGNATURE : err;
    hash_record(it, kept.opening.salt, kept.body.record, &s->record_hash);
    s->record_kind = kept.record.kind;
    s->has_record_hash = true;
    return COMITY_OK;
}

static int check_signatures(struct check *c, const struct item *it)
{
    if (!it->has_body || it->body.note_count == 0 || it->entry->kind == ENTRY_KEY)
        return COMITY_OK;
    struct officer_subject s = {.origin = it->origin, .index = it->entry->index};
    int err = COMITY_OK;
    if (it->record) {
        hash_record(it, it->opening.salt, it->body.record, &s.record_hash);
        s.record_kind = it->record->kind;
        s.has_record_hash = true;
    } else {
        err = find_signed(c, it, &s);
    }
    return err ? err : officer_check(&s, &it->body, c->keys, c->key_count);
}

/* ---- whose signatures a record needs ---- */

/* Who has signed one record in one role: licences, each once. */
struct signers {
    struct bytes licence[BODY_NOTES_MAX * 2];
    size_t count;
};

static void add_signer(struct signers *s, struct bytes licence)
{
    for (size_t i = 0; i < s->count; i++)
        if (licence_equal(s->licence[i], licence))
            return;
    if (s->count < sizeof s->licence / sizeof s->licence[0])
        s->licence[s->count++] = licence;
}

static bool is_signature_of(const struct item *s, const struct item *record)
{
    const struct entry *e = s->entry;
    return s == record ||
           (e->kind == ENTRY_SIGNATURE && e->has_source && e->source.has_index &&
            e->source.index == record->entry->index && bytes_equal(s->origin, record->origin));
}

/* The officers that signed ${it} as ${role}, in its own body and in SIGNATURE entries of this
 * parcel: all verified by now. */
static int find_signers(const struct check *c, const struct item *it, enum signature_role role,
                        struct signers *ret)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct item *s = &c->item[i];
        if (!s->has_body || !is_signature_of(s, it))
            continue;
        for (size_t k = 0; k < s->body.note_count; k++) {
            struct officer_signature sig;
            int err = officer_signature_peek(s->body.notes[k], &sig);
            if (err)
                return err;
            if (sig.role == role)
                add_signer(ret, sig.licence);
        }
    }
    return COMITY_OK;
}

static int check_collectors(const struct check *c, const struct item *it)
{
    struct signers signers = {0};
    int err = find_signers(c, it, SIGNATURE_COLLECTOR, &signers);
    size_t named = 0;
    for (size_t i = 0; !err && i < signers.count; i++)
        for (size_t k = 0; k < it->record->officer_count; k++)
            if (licence_equal(signers.licence[i], it->record->officers[k].licence)) {
                named++;
                break;
            }
    return err ? err : named >= 2 ? COMITY_OK : COMITY_E_COLLECTORS;
}

/* Where the evidence is at hand, the decision must be about that very record, and by none of its
 * collectors. */
static int check_decided(struct check *c, const struct record *r)
{
    const struct record_recognition *d = &r->u.recognition;
    const struct roster_origin *from = roster_origin_of(c->n->roster, d->evidence.origin);
    struct kept kept;
    struct hash hash;
    int err =
        from ? find_kept(c, d->evidence.origin, d->evidence.index, &kept) : COMITY_E_NOT_FOUND;
    if (err)
        return err == COMITY_E_NOT_FOUND ? COMITY_OK : err;
    ledger_record_hash(from->suite, d->evidence.origin, kept.opening.salt, kept.body.record, &hash);
    if (!bytes_equal(hash_bytes(&hash), d->record_hash))
        return COMITY_E_BODY;
    return recognition_check(r, &kept.record, NULL);
}

static int check_reviewer(struct check *c, const struct item *it)
{
    struct signers signers = {0};
    int err = find_signers(c, it, SIGNATURE_REVIEWER, &signers);
    if (err)
        return err;
    if (signers.count != 1 ||
        !licence_equal(signers.licence[0], it->record->u.recognition.reviewer.licence))
        return COMITY_E_REVIEWER;
    return check_decided(c, it->record);
}

static bool is_content(const struct check *c, const struct item *it);

/* A record that is handed over has the signatures that its kind needs: the sender's word for it is
 * not enough. */
static int check_signers(struct check *c, const struct item *it)
{
    if (!it->record || !is_content(c, it))
        return COMITY_OK;
    if (it->record->kind == RECORD_EVIDENCE)
        return check_collectors(c, it);
    return it->record->kind == RECORD_RECOGNITION ? check_reviewer(c, it) : COMITY_OK;
}

/* ---- attachments ---- */

/* Whether the record is the parcel's own content: its RECORD entries, and what its SHARE entries
 * hand on. */
static bool is_content(const struct check *c, const struct item *it)
{
    if (!it->is_enclosed)
        return true;
    for (size_t i = 0; i < c->count && !c->item[i].is_enclosed; i++) {
        const struct entry *e = c->item[i].entry;
        if (e->kind == ENTRY_SHARE && e->source.index == it->entry->index &&
            bytes_equal(e->source.leaf, hash_bytes(&it->leaf)))
            return true;
    }
    return false;
}

static const struct bytes *blob_named(const struct parcel_head *h, const struct record_file *f,
                                      size_t *ret_at)
{
    uint8_t want[PARCEL_BLOB_LEN];
    if (f->blob.len != HASH_LEN)
        return NULL;
    memcpy(want, f->blob.data, HASH_LEN);
    put_u64be(want + HASH_LEN, f->len);
    size_t lo = 0;
    size_t hi = h->blob_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        int order = bytes_compare(h->blobs[mid], BYTES(want, sizeof want));
        if (order == 0) {
            *ret_at = mid;
            return &h->blobs[mid];
        }
        if (order < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return NULL;
}

static size_t count_files(const struct check *c)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        if (c->item[i].record && c->item[i].record->kind == RECORD_EVIDENCE)
            n += c->item[i].record->u.evidence.file_count;
    return n;
}

/* Hold the files of the records against the blobs of the head. */
static int check_files(struct check *c, const struct parcel_facts *f, struct content *ret)
{
    size_t total = count_files(c);
    if (total == 0)
        return f->head.blob_count ? COMITY_E_ATTACHMENT : COMITY_OK;
    struct content_file *files = arena_alloc(c->a, total * sizeof *files);
    bool *named = arena_alloc(c->a, f->head.blob_count * sizeof *named);
    if (!files || !named)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < c->count; i++) {
        const struct item *it = &c->item[i];
        if (!it->record || it->record->kind != RECORD_EVIDENCE || !is_content(c, it))
            continue;
        for (size_t k = 0; k < it->record->u.evidence.file_count; k++) {
            const struct record_file *file = &it->record->u.evidence.files[k];
            size_t at = 0;
            if (blob_named(&f->head, file, &at)) {
                named[at] = true;
                files[ret->file_count++] = (struct content_file){
                    .file = file, .origin = it->origin, .index = it->entry->index};
            } else if (!it->is_enclosed) {
                return COMITY_E_ATTACHMENT;
            }
        }
    }
    for (size_t i = 0; i < f->head.blob_count; i++)
        if (!named[i])
            return COMITY_E_ATTACHMENT;
    ret->files = files;
    return COMITY_OK;
}

int content_check(struct node *n, struct arena *a, const struct parcel_facts *f,
                  const struct openings *o, struct content *ret)
{
    struct check c = {.n = n, .a = a};
    struct content content = {0};
    int err = read_items(&c, f, o);
    for (size_t i = 0; !err && i < c.count; i++)
        err = check_signatures(&c, &c.item[i]);
    for (size_t i = 0; !err && i < c.count; i++)
        err = check_signers(&c, &c.item[i]);
    if (!err)
        err = check_files(&c, f, &content);
    if (err)
        return err;
    const struct record **records = arena_alloc(a, c.count * sizeof *records);
    if (!records)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < c.count; i++)
        records[i] = c.item[i].record;
    content.records = records;
    *ret = content;
    return COMITY_OK;
}
