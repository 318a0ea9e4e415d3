/*
 * broker: the broker's folder, and what its operator writes for the authority.
 */
#include "authority.h"
#include "commands.h"
#include "domain/date.h"
#include "ledger/ledger.h"
#include "site_command.h"
#include "store/db.h"
#include "wire/parcel.h"

#include <stdlib.h>
#include <string.h>

static const struct flag init_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED,
     N_("The folder to make; all that belongs to the broker lies in it")},
    {"network", N_("FILE"), FLAG_NEEDED, N_("The authority's network file, NET.network")},
    {"member", N_("ID"), FLAG_NEEDED, N_("The broker's member id, small letters: hub")},
    {"name", N_("NAME"), FLAG_NEEDED, N_("The broker's name, as others are to see it")},
    {"endpoint", N_("ENDPOINT"), FLAG_NEEDED,
     N_("Where nodes reach it, as the roster will say: tcp://HOST:PORT or ipc://PATH")},
    {"bulk-endpoint", N_("ENDPOINT"), FLAG_NEEDED, N_("The same for files, another port")},
    {"out", N_("FILE"), 0, N_("Where to write the join file (default: ID.join)")},
    {0},
};

static const struct flag join_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED, N_("The broker's folder")},
    {"roster", N_("FILE"), FLAG_NEEDED, N_("The newest roster")},
    {0},
};

static const struct flag witness_flags[] = {
    {"dir", N_("FOLDER"), FLAG_NEEDED, N_("The broker's folder")},
    {"before", N_("TIME"), 0,
     N_("The last checkpoint accepted by then: 2026-11-24T17:00:00+08:00 (default: the newest)")},
    {"out", N_("FILE"), 0, N_("Where to write it (default: MEMBER.witness)")},
    {0},
};

static const struct view_field witness_fields[] = {
    {"file", N_("witness file"), AS_WHOLE},
    {"origin", N_("ledger"), AS_WHOLE},
    {"size", N_("entries"), AS_NUMBER},
    {"time", N_("accepted"), AS_TIME},
    {"broker", N_("broker"), AS_WHOLE},
    {"routed", N_("routed"), AS_NUMBER},
    {"signed", N_("with the member's own signature"), AS_YES},
    {0},
};
static const struct view witness_view = {
    .sections = (const struct view_section[]){{NULL, NULL, witness_fields, NULL}, {0}}};

static int broker_init(struct cli *c)
{
    return site_command_init(c, MEMBER_BROKER);
}

static int broker_join(struct cli *c)
{
    return site_command_join(c, MEMBER_BROKER);
}

/* ---- witness ---- */

/* What the broker holds of a member's ledger, and where. */
struct finding {
    struct store *store;
    struct ledger *ledger;
    const char *origin;
    int64_t before_ms; /* INT64_MAX: no limit */
    uint64_t routed;
    uint64_t size;
    uint64_t chunk; /* of the parcel; 0: let go */
    int64_t time_ms;
    struct bytes entry; /* ROUTED, exact */
};

/* The member's newest ledger in the roster of the folder. */
static int find_origin(struct cli *c, const struct site *s, const char **id, const char **ret)
{
    struct roster *r = NULL;
    int err = site_roster(s, NULL, &r);
    if (err)
        return cli_fail_at(c, err, s->dir);
    err = authority_find_member(c, roster_doc(r), *id, id);
    const struct roster_member *m = err ? NULL : roster_member_of(r, bytes_of(*id));
    if (err) {
        roster_free(r);
        return err;
    }
    if (!m || m->ledger_count == 0)
        err = cli_fail(c, COMITY_E_UNKNOWN_MEMBER, _("the roster does not name %s"), *id);
    else
        *ret = cli_text(c, "%.*s", (int)m->ledgers[m->ledger_count - 1].origin.len,
                        (const char *)m->ledgers[m->ledger_count - 1].origin.data);
    roster_free(r);
    return err;
}

/* Whether the ROUTED entry ${f}->routed is early enough; reads it. */
static int read_routed(struct cli *c, struct finding *f, bool *ret_fits)
{
    struct buf bytes = BUF_INIT;
    struct entry e;
    int err = ledger_entry(f->ledger, f->routed, &bytes);
    if (!err) {
        f->entry = cli_copy(c, buf_bytes(&bytes));
        err = entry_decode(c->arena, f->entry, &e);
    }
    if (!err) {
        f->time_ms = (int64_t)e.time_ms;
        *ret_fits = f->time_ms <= f->before_ms;
    }
    buf_free(&bytes);
    return err;
}

/* The newest accepted parcel of the origin that is early enough and that the broker's signed
 * checkpoint covers. */
static int find_routed(struct cli *c, struct finding *f)
{
    struct db_rows *rows = NULL;
    bool fits = false;
    int err = db_query(
        store_db(f->store), &rows,
        "SELECT routed, size, chunk FROM parcel WHERE origin = ?1 AND token IS NULL AND routed < ?2"
        " ORDER BY routed DESC",
        DB_STR(f->origin), DB_U64(ledger_signed_size(f->ledger)));
    while (!err && !fits && (err = db_next(rows)) == DB_ROW) {
        f->routed = db_u64(rows, 0);
        f->size = db_u64(rows, 1);
        f->chunk = db_u64(rows, 2);
        err = read_routed(c, f, &fits);
    }
    db_done(rows);
    if (err)
        return cli_fail_at(c, err, _("the broker's ledger"));
    if (!fits)
        return cli_hint(
            c,
            cli_fail(c, COMITY_E_NOT_FOUND, _("the broker has accepted nothing of %s by then"),
                     f->origin),
            _("to close it before its first entry: comity authority revoke … --at nothing"));
    return COMITY_OK;
}

/* The member's own note: of the parcel that was routed, or the newest that is known. None is fine.
 */
static struct bytes find_note(struct cli *c, const struct finding *f)
{
    struct buf b = BUF_INIT;
    struct bytes note = BYTES_NONE;
    struct parcel p;
    struct parcel_head head;
    struct db_rows *rows = NULL;
    if (f->chunk && store_get(f->store, f->chunk, &b) == 0 &&
        parcel_decode(c->arena, cli_copy(c, buf_bytes(&b)), &p) == 0 &&
        parcel_head_decode(c->arena, p.head, &head) == 0)
        note = cli_copy(c, head.checkpoint);
    buf_free(&b);
    if (!note.len && db_query(store_db(f->store), &rows,
                              "SELECT note FROM known WHERE origin = ?1 AND size = ?2",
                              DB_STR(f->origin), DB_U64(f->size)) == 0) {
        if (db_next(rows) == DB_ROW)
            note = cli_copy(c, db_bytes(rows, 0));
        db_done(rows);
    }
    return note;
}

static int put_proof(struct finding *f, struct buf *out)
{
    struct checkpoint cp;
    struct buf note = BUF_INIT;
    struct hash_list path = {0};
    struct tree_source tree = ledger_tree(f->ledger);
    int err = ledger_checkpoint_from(f->ledger, f->routed + 1, &cp, &note);
    if (!err)
        err = proof_inclusion(&tree, f->routed, cp.size, &path);
    if (!err)
        tlog_proof_put(out, f->routed, path.at, path.count, buf_bytes(&note));
    hash_list_free(&path);
    buf_free(&note);
    return err;
}

static int write_witness(struct cli *c, struct finding *f, const char *member, const char *out)
{
    struct entry e;
    struct buf proof = BUF_INIT;
    struct buf entry = BUF_INIT;
    struct buf root = BUF_INIT;
    struct buf time = BUF_INIT;
    struct bytes note = find_note(c, f);
    int err = put_proof(f, &proof);
    if (!err)
        err = entry_decode(c->arena, f->entry, &e);
    if (!err && (e.kind != ENTRY_ROUTED || !e.has_source || e.source.size != f->size))
        err = COMITY_E_LEDGER_DAMAGED;
    if (err) {
        cli_fail_at(c, err, _("the broker's ledger"));
    } else {
        text_put_base64(&entry, f->entry);
        text_put_base64(&root, e.source.root);
        text_put_time(&time, f->time_ms);
        json_t *o = cli_json(json_pack(
            "{s:s, s:s, s:s, s:I, s:s, s:s, s:I, s:s, s:s, s:s}", "witness", "comity witness v1",
            "member", member, "origin", f->origin, "size", (json_int_t)f->size, "root",
            buf_str(&root), "broker", ledger_origin(f->ledger), "routed", (json_int_t)f->routed,
            "time", buf_str(&time), "entry", buf_str(&entry), "proof", buf_str(&proof)));
        if (note.len)
            json_object_set_new(o, "checkpoint",
                                cli_json(json_stringn((const char *)note.data, note.len)));
        char *text = json_dumps(o, JSON_INDENT(1));
        err = text ? files_create(c, out, bytes_of(text)) : cli_fail_at(c, COMITY_E_NOMEM, NULL);
        free(text);
        json_object_set_new(o, "file", cli_json(json_string(out)));
        json_object_set_new(o, "signed", json_boolean(note.len > 0));
        int kept = cli_result(c, o);
        err = err ? err : kept;
        cli_next(c, "comity authority revoke %s --at %s --network … --key …", member, out);
    }
    buf_free(&proof);
    buf_free(&entry);
    buf_free(&root);
    buf_free(&time);
    return err;
}

static int read_before(struct cli *c, int64_t *ret)
{
    const char *text = flag_text(c, "before");
    *ret = INT64_MAX;
    if (!text || text_get_time(bytes_of(text), ret) == 0 || date_get_time(bytes_of(text), ret) == 0)
        return COMITY_OK;
    return cli_fail(c, COMITY_E_USAGE,
                    _("--before is a time like 2026-11-24T17:00:00+08:00, not \"%s\""), text);
}

static int broker_witness(struct cli *c)
{
    struct site *s = NULL;
    struct finding f = {0};
    const char *member = c->args[0];
    const char *out = flag_text(c, "out");
    int err = read_before(c, &f.before_ms);
    if (!err)
        err = site_command_load(c, MEMBER_BROKER, &s);
    if (!err)
        err = find_origin(c, s, &member, &f.origin);
    if (!err && !out)
        out = cli_text(c, "%s.witness", member);
    if (!err)
        err = files_check_new(c, out);
    if (!err && (err = site_open_store(s, DB_READ, &f.store)) != 0)
        cli_fail_at(c, err, s->dir);
    if (!err && (err = ledger_open_read(f.store, &f.ledger)) != 0)
        cli_fail_at(c, err, s->dir);
    if (!err)
        err = find_routed(c, &f);
    if (!err)
        err = write_witness(c, &f, member, out);
    ledger_close(f.ledger);
    store_close(f.store);
    site_free(s);
    return err;
}

const struct command broker_commands[] = {
    {.noun = "broker",
     .verb = "init",
     .uses = USES_PASSPHRASE,
     .doc = N_("Make a broker's folder: keys, configuration, empty ledger, join file"),
     .more = N_(
         "The join file goes to the authority, and its SHA-256 to them by another way. When "
         "--passphrase-file "
         "names a file, its path is written into the configuration, so that the daemon finds it."),
     .flags = init_flags,
     .view = &site_init_view,
     .run = broker_init},
    {.noun = "broker",
     .verb = "join",
     .doc = N_("Take a roster into the broker's folder; a running broker sees it at once"),
     .more =
         N_("The broker hands it on to every node that is connected, or that comes back later."),
     .flags = join_flags,
     .view = &site_join_view,
     .run = broker_join},
    {.noun = "broker",
     .verb = "witness",
     .args = "MEMBER",
     .args_min = 1,
     .args_max = 1,
     .doc = N_("Write what a revocation needs: the last checkpoint accepted of a member's ledger"),
     .more = N_("The file proves by the broker's signature which checkpoint it accepted, and at "
                "which place of its "
                "own ledger. With --before it is the last one before doubt began: what came later "
                "is void once the "
                "ledger is closed there. The broker may run meanwhile."),
     .flags = witness_flags,
     .view = &witness_view,
     .run = broker_witness},
    {0},
};
