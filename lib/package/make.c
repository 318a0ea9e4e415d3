/*
 * Making an evidence package from a member's ledger. See package.h. What is in it, and where, is
 * what verify.c and verify.sh look for; a package that does not pass is not handed out.
 */
#include "package/gather.h"

#include "base/file.h"
#include "domain/ref.h"
#include "msg/record.h"
#include "package/text.h"
#include "wire/notes.h"
#include "json/ledger_json.h"
#include "json/record_json.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_MAX = 256 * 1024 * 1024, NAME_KEPT = 60 };

/* ---- the beginning ---- */

/* A closing counts where the tree at hand has that very root there: else nothing is proven by it.
 */
static int find_closing(struct making *m)
{
    struct tree_source tree = ledger_tree(m->ledger);
    struct hash root;
    const struct roster_origin *o =
        roster_origin_of(rosters_at(m->audit, 0), bytes_of(ledger_origin(m->ledger)));
    if (!o || !o->ledger->is_closed || o->ledger->closed_size > ledger_size(m->ledger))
        return COMITY_OK;
    int err = tree_hash(&tree, 0, o->ledger->closed_size, &root);
    if (!err && bytes_equal(hash_bytes(&root), o->ledger->closed_root))
        m->closed = o->ledger;
    return err;
}

static int open_ledger(struct making *m)
{
    int err = audit_new(m->plan->anchor, &m->audit);
    if (!err)
        err = audit_add(m->audit, m->plan->site);
    if (err)
        return gather_fail(m, err, "%s", m->plan->site);
    m->store = audit_store(m->audit);
    m->db = store_db(m->store);
    m->is_node = audit_has_table(m->db, "parcel_in");
    err = rosters_collect(m->audit);
    if (!err && !rosters_at(m->audit, 0))
        err = gather_fail(m, rosters_count(m->audit) ? COMITY_E_AUTHORITY : COMITY_E_NO_ROSTER,
                          "roster");
    if (!err)
        err = ledger_open_read(m->store, &m->ledger);
    return err ? err : find_closing(m);
}

static int find_place(struct making *m)
{
    struct ref ref;
    struct origin own;
    struct buf origin = BUF_INIT;
    int err = ref_get(bytes_of(m->plan->ref), &ref);
    if (!err)
        err = text_get_origin(bytes_of(ledger_origin(m->ledger)), &own);
    if (err)
        return gather_fail(m, COMITY_E_REF, "%s", m->plan->ref);
    m->index = ref.index;
    if (ref.member.len)
        ref_put_origin(&origin, own.network, &ref);
    else
        buf_put_str(&origin, ledger_origin(m->ledger));
    err = buf_check(&origin);
    if (!err && !(m->origin = arena_copy(m->arena, buf_bytes(&origin))).data)
        err = COMITY_E_NOMEM;
    buf_free(&origin);
    m->is_own = !err && bytes_is(m->origin, ledger_origin(m->ledger));
    return err;
}

static int save_body_json(struct making *m)
{
    json_t *json = NULL;
    int err = body_to_json(m->arena, &m->record.body, 0, &json);
    char *text = err ? NULL : json_dumps(json, JSON_INDENT(1) | JSON_PRESERVE_ORDER);
    if (!err)
        err = text ? package_add(&m->files, "record/body.json", bytes_of(text)) : COMITY_E_NOMEM;
    free(text);
    json_decref(json);
    return err;
}

static int take_record(struct making *m, uint64_t *ret_own)
{
    int err = m->is_own ? gather_own(m, m->index, 0, &m->record)
                        : gather_foreign(m, m->origin, m->index, &m->record, ret_own);
    struct opening opening;
    if (!err && !m->record.has_opening) {
        err = ledger_opening(m->ledger, m->origin, m->index, m->arena, &opening);
        err = err ? err : COMITY_E_WITHHELD;
    }
    if (!err && (m->record.entry.kind != ENTRY_RECORD || !m->record.body.record.len))
        err = COMITY_E_NOT_FOUND;
    if (err)
        return gather_fail(m, err, "%s is not a record whose content is here", m->plan->ref);
    err = record_decode(m->arena, m->record.body.record, &m->content);
    if (err)
        return err;
    ledger_record_hash(m->record.suite, m->origin, m->record.opening.salt, m->record.body.record,
                       &m->record_hash);
    err = gather_save(m, "record", "record.tlog-proof", &m->record);
    return err ? err : save_body_json(m);
}

/* ---- files, roster ---- */

static char *files_folder(const struct making *m)
{
    struct stat st;
    if (m->plan->files)
        return strdup(m->plan->files);
    if (stat(m->plan->site, &st) == 0 && S_ISDIR(st.st_mode))
        return file_path(m->plan->site, "files");
    char *copy = strdup(m->plan->site);
    char *path = copy ? file_path(dirname(copy), "files") : NULL;
    free(copy);
    return path;
}

/* "<number>-<name>", of which nothing but letters and digits of ASCII, dot and hyphen is kept. */
static void put_name(struct buf *out, size_t number, struct bytes name)
{
    buf_printf(out, "files/%zu-", number);
    size_t from = name.len > NAME_KEPT ? name.len - NAME_KEPT : 0;
    for (size_t i = from; i < name.len; i++) {
        char c = (char)name.data[i];
        bool is_kept =
            (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
        bool is_dot = c == '.' && i + 1 < name.len;
        buf_put_u8(out, is_kept || is_dot ? (uint8_t)c : '_');
    }
}

static int take_file(struct making *m, const char *folder, const struct record_file *f,
                     size_t number)
{
    struct buf path = BUF_INIT;
    struct buf source = BUF_INIT;
    buf_printf(&source, "%s/", folder);
    text_put_hex(&source, f->sha256);
    put_name(&path, number, f->name);
    int err = buf_check(&source);
    if (!err)
        err = buf_check(&path);
    if (!err && access(buf_str(&source), R_OK) != 0)
        err = COMITY_E_AGAIN;
    if (!err)
        err = package_add_source(&m->files, buf_str(&path), buf_str(&source));
    if (!err) {
        const struct package_file *got = &m->files.file.at[m->files.file.count - 1];
        if (!bytes_equal(hash_bytes(&got->sha256), f->sha256) ||
            !bytes_equal(hash_bytes(&got->sm3), f->sm3))
            err = COMITY_E_ATTACHMENT;
        struct value v = value_object();
        value_set(&v, "path", json_string(got->path));
        value_set(&v, "name", value_text(f->name));
        value_set(&v, "sha256", value_hex(f->sha256));
        value_set(&v, "sm3", value_hex(f->sm3));
        value_add(&m->evidence, v.json);
    }
    if (err)
        gather_fail(m, err, "file %zu, %s", number, buf_str(&source));
    buf_free(&path);
    buf_free(&source);
    return err;
}

static int take_files(struct making *m)
{
    const struct record_evidence *e = &m->content.u.evidence;
    if (m->content.kind != RECORD_EVIDENCE)
        return COMITY_OK;
    char *folder = files_folder(m);
    int err = folder ? COMITY_OK : COMITY_E_NOMEM;
    for (size_t i = 0; !err && i < e->file_count; i++)
        err = take_file(m, folder, &e->files[i], i + 1);
    free(folder);
    return err;
}

static int take_roster(struct making *m)
{
    const struct roster *newest = rosters_at(m->audit, 0);
    struct bytes file = roster_file(newest);
    struct bytes note = roster_note(newest);
    enum { LP = 4 };
    int err = package_add(&m->files, "roster.note", note);
    return err ? err
               : package_add(&m->files, "roster.bin",
                             bytes_slice(file, LP + note.len + LP, file.len));
}

/* ---- the seal ---- */

/* Who seals must be an officer of the ledger at hand, enrolled and not retired. */
static int take_sealer(struct making *m)
{
    struct bytes origin = bytes_of(ledger_origin(m->ledger));
    const struct note_verifier *key = note_signer_public(m->plan->officer);
    struct bytes licence = bytes_of(key->name);
    struct gathered g;
    struct officer_key officer;
    static const char middle[] = "/officer/";
    if (!bytes_has_prefix(licence, ledger_origin(m->ledger)) ||
        !bytes_has_prefix(bytes_slice(licence, origin.len, licence.len), middle))
        return gather_fail(m, COMITY_E_UNKNOWN_KEY, "%s", key->name);
    licence = bytes_slice(licence, origin.len + sizeof middle - 1, licence.len);
    bool was_own = m->is_own;
    m->is_own = true;
    m->keys.count = 0;
    int err = gather_scan(m);
    m->is_own = was_own;
    if (!err)
        err = gather_key(m, origin, licence, UINT64_MAX, &g, &officer);
    if (!err && memcmp(officer.enrolment.key.pub, key->pub, sizeof key->pub) != 0)
        err = COMITY_E_UNKNOWN_KEY;
    if (err)
        return gather_fail(m, err, "%s", key->name);
    value_set(&m->about, "sealer", value_text(officer.enrolment.name));
    value_set(&m->about, "sealer_licence", value_text(officer.enrolment.licence));
    return gather_save(m, "seal", "entry.tlog-proof", &g);
}

static int add_texts(struct making *m)
{
    json_t *about = NULL;
    struct value *v = &m->about;
    value_set_place(v, m->origin, m->index, NULL);
    if (m->content.kind == RECORD_EVIDENCE)
        value_set_text(v, "title", m->content.u.evidence.title);
    if (m->content.kind == RECORD_CASE)
        value_set_text(v, "title", m->content.u.case_content.title);
    value_set(v, "kind", json_string(record_token(TERMS_RECORD_KIND, m->content.kind)));
    value_set(v, "time", value_time((int64_t)m->record.entry.time_ms));
    value_set(v, "record_hash", value_hex(hash_bytes(&m->record_hash)));
    value_set(v, "owner", gather_owner(m, m->origin));
    value_set(v, "made_by", gather_owner(m, bytes_of(ledger_origin(m->ledger))));
    value_set(v, "made", value_time(m->plan->now_ms));
    value_set(v, "files", m->evidence.json);
    value_set(v, "signatures", m->signers.json);
    value_set(v, "sent", m->sent.json);
    value_set(v, "accepted", m->accepted.json);
    value_set(v, "receipts", m->receipts.json);
    value_set(v, "recognitions", m->recognitions.json);
    m->evidence.json = m->signers.json = m->sent.json = m->accepted.json = m->receipts.json =
        m->recognitions.json = NULL;
    int err = value_finish(v, &about);
    m->about.json = NULL;
    if (!err)
        err = package_add_texts(&m->files, about);
    json_decref(about);
    return err;
}

/* SHA256SUMS over everything, and the officer's note over that. */
static int seal(struct making *m)
{
    struct buf sums = BUF_INIT;
    struct buf text = BUF_INIT;
    struct buf note = BUF_INIT;
    struct package_seal s = {.origin = bytes_of(ledger_origin(m->ledger)),
                             .time_ms = m->plan->now_ms};
    package_sort(&m->files);
    for (size_t i = 0; i < m->files.file.count; i++) {
        text_put_hex(&sums, hash_bytes(&m->files.file.at[i].sha256));
        buf_printf(&sums, "  %s\n", m->files.file.at[i].path);
    }
    int err = buf_check(&sums);
    if (!err) {
        hash_of(suite_get(SUITE_1), &s.sums, buf_bytes(&sums));
        err = package_put_text(&text, &s);
    }
    if (!err)
        err = note_sign(m->plan->officer, buf_bytes(&text), &note);
    if (!err)
        err = package_add(&m->files, "SHA256SUMS", buf_bytes(&sums));
    if (!err)
        err = package_add(&m->files, "SHA256SUMS.note", buf_bytes(&note));
    package_sort(&m->files);
    buf_free(&sums);
    buf_free(&text);
    buf_free(&note);
    return err;
}

/* ---- all of it ---- */

static int gather(struct making *m)
{
    uint64_t own = 0;
    int err = open_ledger(m);
    if (!err)
        err = find_place(m);
    if (!err)
        err = take_record(m, &own);
    if (!err)
        err = package_take_signatures(m);
    if (!err)
        err = package_take_way(m, own);
    if (!err)
        err = package_take_recognitions(m);
    if (!err)
        err = take_files(m);
    if (!err)
        err = take_roster(m);
    if (!err)
        err = take_sealer(m);
    if (!err)
        err = add_texts(m);
    return err ? err : seal(m);
}

/* What does not pass our own verification is not handed out. */
static int check_written(struct making *m)
{
    json_t *report = NULL;
    size_t i = 0;
    json_t *check = NULL;
    int err = package_verify(m->plan->out, m->plan->anchor, &report);
    if (err)
        return err;
    json_array_foreach(json_object_get(report, "checks"), i, check)
    {
        if (!err && json_is_false(json_object_get(check, "ok")))
            err = gather_fail(m, COMITY_E_CONTRADICTION, "%s: %s",
                              json_string_value(json_object_get(check, "check")),
                              json_string_value(json_object_get(check, "what")));
    }
    json_decref(report);
    return err;
}

static void making_done(struct making *m)
{
    ledger_close(m->ledger);
    audit_free(m->audit);
    arena_free(m->scratch);
    arena_free(m->arena);
    package_files_free(&m->files);
    LIST_FREE(m->keys);
    LIST_FREE(m->signatures);
    LIST_FREE(m->shares);
    json_decref(m->about.json);
    json_decref(m->signers.json);
    json_decref(m->sent.json);
    json_decref(m->accepted.json);
    json_decref(m->receipts.json);
    json_decref(m->recognitions.json);
    json_decref(m->evidence.json);
}

int package_make(const struct package_plan *plan, struct buf *detail)
{
    struct making m = {.plan = plan,
                       .detail = detail,
                       .arena = arena_new(ARENA_MAX),
                       .scratch = arena_new(ARENA_MAX),
                       .about = value_object(),
                       .signers = value_array(),
                       .sent = value_array(),
                       .accepted = value_array(),
                       .receipts = value_array(),
                       .recognitions = value_array(),
                       .evidence = value_array()};
    int err = m.arena && m.scratch ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && access(plan->out, F_OK) == 0)
        err = gather_fail(&m, COMITY_E_EXISTS, "%s", plan->out);
    if (!err)
        err = gather(&m);
    if (!err && (err = package_write(plan->out, &m.files, plan->now_ms)))
        gather_fail(&m, err, "%s", plan->out);
    if (!err && (err = check_written(&m)))
        package_remove(plan->out);
    making_done(&m);
    return err;
}
