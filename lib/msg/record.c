/*
 * Records. See record.h.
 *
 * Each message has a reader (protobuf-c's struct to ours, views into the arena) and a writer (the
 * other way, for as long as one encoding takes). What the two of them make of a message must be the
 * message: decoding encodes again and compares, so that there is no second list of what is
 * canonical.
 */
#include "msg/record.h"

#include "msg/codec.h"

#include <comity/err.h>
#include <record.pb-c.h>

static const struct codec_repeated record_repeated[] = {
    {&comity__record__descriptor, 6, RECORD_OFFICERS_MAX},
    {&comity__case__descriptor, 7, RECORD_PARTIES_MAX},
    {&comity__case__descriptor, 9, RECORD_GOODS_MAX},
    {&comity__goods__descriptor, 2, RECORD_CODES_MAX},
    {&comity__evidence__descriptor, 8, RECORD_FILES_MAX},
    {&comity__evidence__descriptor, 9, RECORD_CODES_MAX},
    {&comity__recognition__descriptor, 5, RECORD_TESTS_MAX},
};

static const struct codec_limits record_limits = {
    .bytes_max = RECORD_BYTES_MAX,
    .depth_max = 4, /* record, case, goods, code */
    /* the most that goods, parties and the rest can have; evidence with its files has fewer */
    .fields_max = RECORD_GOODS_MAX * (2 + 4 * RECORD_CODES_MAX) + 5 * RECORD_PARTIES_MAX + 128,
    .repeated = record_repeated,
    .repeated_count = sizeof record_repeated / sizeof record_repeated[0],
};

/* ---- lengths that the format fixes ---- */

static bool is_hash(struct bytes b)
{
    return b.len == RECORD_HASH_LEN;
}

static bool lengths_hold(const struct record *r)
{
    if ((r->has_case_ref && !is_hash(r->case_ref.leaf)) ||
        (r->has_supersedes && !is_hash(r->supersedes.leaf)))
        return false;
    if (r->kind == RECORD_RECOGNITION)
        return is_hash(r->u.recognition.evidence.leaf) && is_hash(r->u.recognition.record_hash);
    if (r->kind != RECORD_EVIDENCE)
        return true;
    for (size_t i = 0; i < r->u.evidence.file_count; i++) {
        const struct record_file *f = &r->u.evidence.files[i];
        if (!is_hash(f->sha256) || !is_hash(f->sm3) || !is_hash(f->blob) || !is_hash(f->secret))
            return false;
    }
    return true;
}

static bool counts_hold(const struct record *r)
{
    const struct record_case *k = &r->u.case_content;
    if (r->officer_count > RECORD_OFFICERS_MAX)
        return false;
    switch ((enum record_kind)r->kind) {
    case RECORD_CASE:
        if (k->party_count > RECORD_PARTIES_MAX || k->goods_count > RECORD_GOODS_MAX)
            return false;
        for (size_t i = 0; i < k->goods_count; i++)
            if (k->goods[i].code_count > RECORD_CODES_MAX)
                return false;
        return true;
    case RECORD_EVIDENCE:
        return r->u.evidence.file_count <= RECORD_FILES_MAX &&
               r->u.evidence.code_count <= RECORD_CODES_MAX;
    case RECORD_RECOGNITION:
        return r->u.recognition.test_count <= RECORD_TESTS_MAX;
    }
    return false;
}

/* ---- readers ---- */

static struct record_ref read_ref(const Comity__Ref *m)
{
    return (struct record_ref){
        .origin = codec_view_text(m->origin), .index = m->index, .leaf = codec_view(m->leaf)};
}

static struct record_officer read_officer(const Comity__Officer *m)
{
    return (struct record_officer){.name = codec_view_text(m->name),
                                   .licence = codec_view_text(m->licence)};
}

static struct record_file read_file(const Comity__File *m)
{
    return (struct record_file){.name = codec_view_text(m->name),
                                .mime = codec_view_text(m->mime),
                                .len = m->len,
                                .sha256 = codec_view(m->sha256),
                                .sm3 = codec_view(m->sm3),
                                .blob = codec_view(m->blob),
                                .secret = codec_view(m->secret)};
}

static struct record_place read_place(const Comity__Place *m)
{
    return (struct record_place){.division = codec_view_text(m->division),
                                 .address = codec_view_text(m->address),
                                 .bureau = codec_view_text(m->bureau)};
}

static struct record_party read_party(const Comity__Party *m)
{
    return (struct record_party){.name = codec_view_text(m->name),
                                 .uscc = codec_view_text(m->uscc),
                                 .unverified = m->unverified,
                                 .part = codec_view_text(m->part)};
}

static struct record_code read_code(const Comity__ProductCode *m)
{
    return (struct record_code){.scheme = codec_view_text(m->scheme),
                                .value = codec_view_text(m->value),
                                .unverified = m->unverified};
}

/* The array ${to} of ${count} structs, each read by ${read} from ${from}; or return from the
 * function. */
#define READ_LIST(a, to, count, from, read)                                         \
    do {                                                                            \
        typeof(read((from)[0])) *list_ = arena_alloc((a), (count) * sizeof *list_); \
        if (!list_)                                                                 \
            return COMITY_E_NOMEM;                                                  \
        for (size_t i_ = 0; i_ < (count); i_++)                                     \
            list_[i_] = read((from)[i_]);                                           \
        (to) = list_;                                                               \
    } while (0)

static int read_goods(struct arena *a, const Comity__Goods *m, struct record_goods *ret)
{
    ret->name = codec_view_text(m->name);
    ret->code_count = m->n_codes;
    READ_LIST(a, ret->codes, m->n_codes, m->codes, read_code);
    return COMITY_OK;
}

static void read_optional_place(const Comity__Place *m, bool *ret_has, struct record_place *ret)
{
    *ret_has = m != NULL;
    if (m)
        *ret = read_place(m);
}

static int read_case(struct arena *a, const Comity__Case *m, struct record_case *ret)
{
    ret->title = codec_view_text(m->title);
    ret->filed = codec_view_text(m->filed);
    read_optional_place(m->platform_domicile, &ret->has_platform_domicile, &ret->platform_domicile);
    read_optional_place(m->operator_place, &ret->has_operator_place, &ret->operator_place);
    read_optional_place(m->operator_domicile, &ret->has_operator_domicile, &ret->operator_domicile);
    read_optional_place(m->violation_place, &ret->has_violation_place, &ret->violation_place);
    ret->party_count = m->n_parties;
    READ_LIST(a, ret->parties, m->n_parties, m->parties, read_party);
    ret->platform = codec_view_text(m->platform);
    ret->basis = codec_view_text(m->basis);
    struct record_goods *goods = arena_alloc(a, m->n_goods * sizeof *goods);
    if (!goods)
        return COMITY_E_NOMEM;
    int err = COMITY_OK;
    for (size_t i = 0; i < m->n_goods && !err; i++)
        err = read_goods(a, m->goods[i], &goods[i]);
    ret->goods = goods;
    ret->goods_count = m->n_goods;
    return err;
}

static struct record_electronic read_electronic(const Comity__ElectronicData *m)
{
    return (struct record_electronic){.cause = codec_view_text(m->cause),
                                      .object = codec_view_text(m->object),
                                      .method = codec_view_text(m->method),
                                      .process = codec_view_text(m->process),
                                      .medium = codec_view_text(m->medium),
                                      .no_medium = codec_view_text(m->no_medium),
                                      .tool = codec_view_text(m->tool),
                                      .tool_version = codec_view_text(m->tool_version),
                                      .has_clock_offset = m->has_clock_offset_ms,
                                      .clock_offset_ms = m->clock_offset_ms,
                                      .holder = codec_view_text(m->holder),
                                      .holder_signed = m->holder_signed,
                                      .witness = codec_view_text(m->witness)};
}

static int read_evidence(struct arena *a, const Comity__Evidence *m, struct record_evidence *ret)
{
    ret->kind = m->kind;
    ret->title = codec_view_text(m->title);
    ret->source = codec_view_text(m->source);
    ret->place = codec_view_text(m->place);
    ret->taken = codec_view_text(m->taken);
    ret->form = m->form;
    ret->method = codec_view_text(m->method);
    ret->file_count = m->n_files;
    READ_LIST(a, ret->files, m->n_files, m->files, read_file);
    ret->code_count = m->n_codes;
    READ_LIST(a, ret->codes, m->n_codes, m->codes, read_code);
    ret->has_electronic = m->electronic != NULL;
    if (m->electronic)
        ret->electronic = read_electronic(m->electronic);
    return COMITY_OK;
}

static int read_recognition(struct arena *a, const Comity__Recognition *m,
                            struct record_recognition *ret)
{
    ret->evidence = read_ref(m->evidence);
    ret->record_hash = codec_view(m->record_hash);
    ret->decision = m->decision;
    ret->basis = codec_view_text(m->basis);
    ret->limits = codec_view_text(m->limits);
    ret->reviewer = read_officer(m->reviewer);
    ret->agreement = codec_view_text(m->agreement);
    ret->test_count = m->n_tests;
    return codec_view_text_list(a, m->tests, m->n_tests, &ret->tests);
}

static int read_record(struct arena *a, const Comity__Record *m, struct record *ret)
{
    ret->kind = m->kind;
    ret->schema = m->schema;
    ret->has_case_ref = m->case_ref != NULL;
    if (m->case_ref)
        ret->case_ref = read_ref(m->case_ref);
    ret->doc_no = codec_view_text(m->doc_no);
    ret->created = codec_view_text(m->created);
    ret->officer_count = m->n_officers;
    READ_LIST(a, ret->officers, m->n_officers, m->officers, read_officer);
    ret->has_supersedes = m->supersedes != NULL;
    if (m->supersedes)
        ret->supersedes = read_ref(m->supersedes);
    ret->approver = codec_view_text(m->approver);
    ret->confidentiality = m->confidentiality;
    if (m->kind == RECORD_CASE && m->content_case == COMITY__RECORD__CONTENT_CASE_CONTENT)
        return read_case(a, m->case_content, &ret->u.case_content);
    if (m->kind == RECORD_EVIDENCE && m->content_case == COMITY__RECORD__CONTENT_EVIDENCE)
        return read_evidence(a, m->evidence, &ret->u.evidence);
    if (m->kind == RECORD_RECOGNITION && m->content_case == COMITY__RECORD__CONTENT_RECOGNITION)
        return read_recognition(a, m->recognition, &ret->u.recognition);
    return COMITY_E_MALFORMED;
}

/* ---- writers; running out of memory, and text that is none, are remembered to the end ---- */

struct writer {
    struct codec_scratch scratch;
    bool invalid;
};

static char *put_text(struct writer *w, struct bytes text)
{
    if (text.len && codec_is_text(text))
        return codec_text(&w->scratch, text);
    w->invalid |= text.len > 0;
    return NULL;
}

/* A field that must stand there, though it may be empty. */
static char *put_required(struct writer *w, struct bytes text)
{
    static char empty[] = "";
    return text.len ? put_text(w, text) : empty;
}

/* A new message of one type, or return NULL from the function. */
#define NEW_MESSAGE(w, type, init)                    \
    codec_scratch_alloc(&(w)->scratch, sizeof(type)); \
    if (!m)                                           \
        return NULL;                                  \
    *m = (type)init

/* The array of messages that ${put} makes of ${count} structs at ${from}; NULL without memory. */
#define PUT_LIST(w, type, count, from, put)                                         \
    ({                                                                              \
        type **list_ = codec_scratch_alloc(&(w)->scratch, (count) * sizeof *list_); \
        for (size_t i_ = 0; list_ && i_ < (count); i_++)                            \
            list_[i_] = put((w), &(from)[i_]);                                      \
        list_;                                                                      \
    })

static Comity__Ref *put_ref(struct writer *w, const struct record_ref *r)
{
    Comity__Ref *m = NEW_MESSAGE(w, Comity__Ref, COMITY__REF__INIT);
    m->origin = put_required(w, r->origin);
    m->index = r->index;
    m->leaf = codec_data(r->leaf);
    return m;
}

static Comity__Officer *put_officer(struct writer *w, const struct record_officer *o)
{
    Comity__Officer *m = NEW_MESSAGE(w, Comity__Officer, COMITY__OFFICER__INIT);
    m->name = put_required(w, o->name);
    m->licence = put_required(w, o->licence);
    return m;
}

static Comity__File *put_file(struct writer *w, const struct record_file *f)
{
    Comity__File *m = NEW_MESSAGE(w, Comity__File, COMITY__FILE__INIT);
    m->name = put_required(w, f->name);
    m->mime = put_text(w, f->mime);
    m->len = f->len;
    m->sha256 = codec_data(f->sha256);
    m->sm3 = codec_data(f->sm3);
    m->blob = codec_data(f->blob);
    m->secret = codec_data(f->secret);
    return m;
}

static Comity__Place *put_place(struct writer *w, bool has, const struct record_place *p)
{
    if (!has)
        return NULL;
    Comity__Place *m = NEW_MESSAGE(w, Comity__Place, COMITY__PLACE__INIT);
    m->division = put_required(w, p->division);
    m->address = put_text(w, p->address);
    m->bureau = put_text(w, p->bureau);
    return m;
}

static Comity__Party *put_party(struct writer *w, const struct record_party *p)
{
    Comity__Party *m = NEW_MESSAGE(w, Comity__Party, COMITY__PARTY__INIT);
    m->name = put_required(w, p->name);
    m->uscc = put_text(w, p->uscc);
    m->has_unverified = m->unverified = p->unverified;
    m->part = put_text(w, p->part);
    return m;
}

static Comity__ProductCode *put_code(struct writer *w, const struct record_code *c)
{
    Comity__ProductCode *m = NEW_MESSAGE(w, Comity__ProductCode, COMITY__PRODUCT_CODE__INIT);
    m->scheme = put_required(w, c->scheme);
    m->value = put_required(w, c->value);
    m->has_unverified = m->unverified = c->unverified;
    return m;
}

static Comity__Goods *put_goods(struct writer *w, const struct record_goods *g)
{
    Comity__Goods *m = NEW_MESSAGE(w, Comity__Goods, COMITY__GOODS__INIT);
    m->name = put_required(w, g->name);
    m->n_codes = g->code_count;
    m->codes = PUT_LIST(w, Comity__ProductCode, g->code_count, g->codes, put_code);
    return m;
}

static Comity__Case *put_case(struct writer *w, const struct record_case *k)
{
    Comity__Case *m = NEW_MESSAGE(w, Comity__Case, COMITY__CASE__INIT);
    m->title = put_required(w, k->title);
    m->filed = put_required(w, k->filed);
    m->platform_domicile = put_place(w, k->has_platform_domicile, &k->platform_domicile);
    m->operator_place = put_place(w, k->has_operator_place, &k->operator_place);
    m->operator_domicile = put_place(w, k->has_operator_domicile, &k->operator_domicile);
    m->violation_place = put_place(w, k->has_violation_place, &k->violation_place);
    m->n_parties = k->party_count;
    m->parties = PUT_LIST(w, Comity__Party, k->party_count, k->parties, put_party);
    m->platform = put_text(w, k->platform);
    m->n_goods = k->goods_count;
    m->goods = PUT_LIST(w, Comity__Goods, k->goods_count, k->goods, put_goods);
    m->basis = put_text(w, k->basis);
    return m;
}

static Comity__ElectronicData *put_electronic(struct writer *w, const struct record_electronic *e)
{
    Comity__ElectronicData *m =
        NEW_MESSAGE(w, Comity__ElectronicData, COMITY__ELECTRONIC_DATA__INIT);
    m->cause = put_required(w, e->cause);
    m->object = put_required(w, e->object);
    m->method = put_required(w, e->method);
    m->process = put_required(w, e->process);
    m->medium = put_text(w, e->medium);
    m->no_medium = put_text(w, e->no_medium);
    m->tool = put_text(w, e->tool);
    m->tool_version = put_text(w, e->tool_version);
    m->has_clock_offset_ms = e->has_clock_offset;
    m->clock_offset_ms = e->clock_offset_ms;
    m->holder = put_text(w, e->holder);
    m->has_holder_signed = e->holder_signed != 0;
    m->holder_signed = e->holder_signed;
    m->witness = put_text(w, e->witness);
    return m;
}

static Comity__Evidence *put_evidence(struct writer *w, const struct record_evidence *e)
{
    Comity__Evidence *m = NEW_MESSAGE(w, Comity__Evidence, COMITY__EVIDENCE__INIT);
    m->kind = e->kind;
    m->title = put_required(w, e->title);
    m->source = put_required(w, e->source);
    m->place = put_required(w, e->place);
    m->taken = put_required(w, e->taken);
    m->form = e->form;
    m->method = put_required(w, e->method);
    m->n_files = e->file_count;
    m->files = PUT_LIST(w, Comity__File, e->file_count, e->files, put_file);
    m->n_codes = e->code_count;
    m->codes = PUT_LIST(w, Comity__ProductCode, e->code_count, e->codes, put_code);
    if (e->has_electronic)
        m->electronic = put_electronic(w, &e->electronic);
    return m;
}

static Comity__Recognition *put_recognition(struct writer *w, const struct record_recognition *g)
{
    Comity__Recognition *m = NEW_MESSAGE(w, Comity__Recognition, COMITY__RECOGNITION__INIT);
    m->evidence = put_ref(w, &g->evidence);
    m->record_hash = codec_data(g->record_hash);
    m->decision = g->decision;
    m->basis = put_required(w, g->basis);
    for (size_t i = 0; i < g->test_count; i++)
        w->invalid |= !codec_is_text(g->tests[i]);
    m->n_tests = g->test_count;
    m->tests = w->invalid ? NULL : codec_text_list(&w->scratch, g->tests, g->test_count);
    m->limits = put_text(w, g->limits);
    m->reviewer = put_officer(w, &g->reviewer);
    m->agreement = put_text(w, g->agreement);
    return m;
}

static void put_content(struct writer *w, const struct record *r, Comity__Record *m)
{
    switch ((enum record_kind)r->kind) {
    case RECORD_CASE:
        m->content_case = COMITY__RECORD__CONTENT_CASE_CONTENT;
        m->case_content = put_case(w, &r->u.case_content);
        return;
    case RECORD_EVIDENCE:
        m->content_case = COMITY__RECORD__CONTENT_EVIDENCE;
        m->evidence = put_evidence(w, &r->u.evidence);
        return;
    case RECORD_RECOGNITION:
        m->content_case = COMITY__RECORD__CONTENT_RECOGNITION;
        m->recognition = put_recognition(w, &r->u.recognition);
        return;
    }
}

static void put_record(struct writer *w, const struct record *r, Comity__Record *m)
{
    m->kind = r->kind;
    m->schema = r->schema;
    m->case_ref = r->has_case_ref ? put_ref(w, &r->case_ref) : NULL;
    m->doc_no = put_text(w, r->doc_no);
    m->created = put_required(w, r->created);
    m->n_officers = r->officer_count;
    m->officers = PUT_LIST(w, Comity__Officer, r->officer_count, r->officers, put_officer);
    m->supersedes = r->has_supersedes ? put_ref(w, &r->supersedes) : NULL;
    m->approver = put_text(w, r->approver);
    m->has_confidentiality = r->confidentiality != 0;
    m->confidentiality = r->confidentiality;
    put_content(w, r, m);
}

/* ---- the whole ---- */

int record_encode(const struct record *r, struct buf *out)
{
    if (!counts_hold(r) || !lengths_hold(r))
        return COMITY_E_INVALID;
    struct writer w = {0};
    codec_scratch_init(&w.scratch);
    Comity__Record m = COMITY__RECORD__INIT;
    put_record(&w, r, &m);
    size_t before = out->len;
    int err = w.invalid ? COMITY_E_INVALID : codec_scratch_check(&w.scratch);
    if (!err)
        err = codec_encode(&m.base, out);
    if (!err && out->len - before > RECORD_BYTES_MAX)
        err = COMITY_E_TOO_LARGE;
    if (err)
        out->len = before;
    codec_scratch_done(&w.scratch);
    return err;
}

/* A kind that stands in bytes which otherwise need not be understood; 0 when they do not begin with
 * one. */
static uint32_t kind_of(struct bytes bytes)
{
    return bytes.len >= 2 && bytes.data[0] == 0x08 && bytes.data[1] < 0x80 ? bytes.data[1] : 0;
}

static int check_same(const struct record *r, struct bytes bytes)
{
    struct buf again = BUF_INIT;
    int err = record_encode(r, &again);
    if (!err && !bytes_equal(buf_bytes(&again), bytes))
        err = COMITY_E_NOT_CANONICAL;
    buf_wipe(&again); /* files' secrets */
    return err;
}

int record_decode(struct arena *a, struct bytes bytes, struct record *ret)
{
    if (kind_of(bytes) > RECORD_RECOGNITION)
        return COMITY_E_UNSUPPORTED;
    ProtobufCMessage *m = NULL;
    struct record r = {0};
    int err = codec_decode(a, bytes, &comity__record__descriptor, &record_limits, &m);
    if (!err)
        err = read_record(a, (const Comity__Record *)m, &r);
    if (!err && !lengths_hold(&r))
        err = COMITY_E_MALFORMED;
    if (!err)
        err = check_same(&r, bytes);
    if (!err)
        *ret = r;
    return err;
}
