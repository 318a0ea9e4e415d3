/*
 * authority add, authority revoke: who comes and who goes. See authority.h; roster_draft.c makes
 * the file of it.
 */
#include "authority.h"

#include "base/text.h"
#include "json/ledger_json.h"

#include <string.h>
#include <sys/stat.h>

const struct flag roster_add_flags[] = {
    {"network", N_("FILE"), FLAG_NEEDED, N_("The network file, NET.network")},
    {"roster", N_("FILE"), 0,
     N_("The roster in force (default: NET.roster beside the network file, if there)")},
    {"out", N_("FILE"), 0,
     N_("Where to write the new one (default: it replaces the one in force)")},
    {"at", N_("FILE"), 0,
     N_("A member comes back with a successor: close its ledger at what the broker witnessed of it "
        "(`comity broker witness`)")},
    {"key", N_("FILE"), FLAG_MANY | FLAG_NEEDED, N_("An authority key that signs")},
    {"renew-in", N_("DAYS"), 0, N_("The roster must be renewed within so many days (default 366)")},
    {0},
};

const struct flag roster_revoke_flags[] = {
    {"at", N_("FILE"), FLAG_NEEDED,
     N_("What the broker witnessed last of it (`comity broker witness`); or \"nothing\"")},
    {"network", N_("FILE"), FLAG_NEEDED, N_("The network file, NET.network")},
    {"roster", N_("FILE"), 0,
     N_("The roster in force (default: NET.roster beside the network file)")},
    {"out", N_("FILE"), 0,
     N_("Where to write the new one (default: it replaces the one in force)")},
    {"key", N_("FILE"), FLAG_MANY | FLAG_NEEDED, N_("An authority key that signs")},
    {"renew-in", N_("DAYS"), 0, N_("The roster must be renewed within so many days (default 366)")},
    {0},
};

/* ---- the roster in force ---- */

/* NET.roster beside the network file. */
static const char *default_roster(struct cli *c)
{
    const char *network = flag_text(c, "network");
    size_t len = strlen(network);
    size_t tail = strlen(".network");
    if (len > tail && strcmp(network + len - tail, ".network") == 0)
        len -= tail;
    return cli_text(c, "%.*s.roster", (int)len, network);
}

static int start_first(struct cli *c, struct roster_draft *d)
{
    const struct network *n = &d->network;
    struct bytes *keys = cli_alloc(c, n->authority_count * sizeof *keys);
    for (size_t i = 0; i < n->authority_count; i++) {
        struct buf vkey = BUF_INIT;
        note_put_vkey(&vkey, &n->authority[i]);
        keys[i] = cli_copy(c, buf_bytes(&vkey));
        buf_free(&vkey);
    }
    d->doc = (struct roster_doc){.network = bytes_of(d->network.name),
                                 .number = 1,
                                 .threshold = n->threshold,
                                 .authority = keys,
                                 .authority_count = n->authority_count};
    return COMITY_OK;
}

static int start(struct cli *c, struct roster_draft *d)
{
    struct bytes file;
    struct stat st;
    const char *given = flag_text(c, "roster");
    const char *path = given ? given : default_roster(c);
    int err = roster_draft_network(c, d);
    if (err)
        return err;
    d->changes = cli_json(json_array());
    if (!given && stat(path, &st) != 0)
        return start_first(c, d);
    err = files_read(c, path, ROSTER_FILE_MAX, &file);
    if (err)
        return err;
    err = roster_open(file, &d->network, NULL, &d->current);
    if (err)
        return cli_fail_at(c, err, path);
    d->doc = *roster_doc(d->current);
    d->doc.number++;
    return COMITY_OK;
}

/* A copy of the members with room for one more. */
static struct roster_member *members_grow(struct cli *c, const struct roster_draft *d)
{
    struct roster_member *m = cli_alloc(c, (d->doc.member_count + 1) * sizeof *m);
    if (d->doc.member_count)
        memcpy(m, d->doc.members, d->doc.member_count * sizeof *m);
    return m;
}

static size_t member_place(const struct roster_doc *doc, struct bytes id, bool *ret_found)
{
    size_t i = 0;
    while (i < doc->member_count && bytes_compare(doc->members[i].id, id) < 0)
        i++;
    *ret_found = i < doc->member_count && bytes_equal(doc->members[i].id, id);
    return i;
}

/* ---- sign, show, write ---- */

static const struct view_field preview_fields[] = {
    {"change", NULL, AS_STATE},
    {"member", N_("member"), AS_WHOLE},
    {"role", N_("role"), AS_STATE},
    {"name", N_("name"), AS_WHOLE}, /* what is approved is read in full */
    {"origin", N_("ledger"), AS_WHOLE},
    {"size", N_("closed at"), AS_NUMBER},
    {"time", N_("witnessed"), AS_TIME},
    {"fingerprint", N_("SHA-256 of the join file"), AS_HEX},
    {0},
};
static const struct view preview = {
    .sections = (const struct view_section[]){{"changes", NULL, preview_fields, NULL}, {0}}};

static int finish(struct cli *c, struct roster_draft *d, const char *question)
{
    const char *out = flag_text(c, "out");
    const char *given = flag_text(c, "roster");
    if (!out)
        out = given ? given : default_roster(c);
    json_t *shown = cli_json(json_pack("{s:O}", "changes", d->changes));
    cli_preview(c, &preview, shown);
    json_decref(shown);
    int err = cli_is_dry_run(c) ? COMITY_OK : cli_confirm(c, "%s", question);
    if (!err)
        err = roster_draft_sign(c, d);
    if (!err && !cli_is_dry_run(c))
        err = files_write(c, out, buf_bytes(&d->file));
    return err ? err : roster_draft_result(c, d, cli_is_dry_run(c) ? NULL : out);
}

/* ---- add ---- */

int authority_read_join(struct cli *c, const char *path, struct join_request *ret,
                        const char **ret_fingerprint)
{
    struct bytes note;
    int err = files_read(c, path, NOTE_MAX, &note);
    if (err)
        return err;
    err = join_open(note, ret);
    if (err == COMITY_E_NOT_A_NOTE || err == COMITY_E_MALFORMED)
        return cli_fail(c, COMITY_E_NOT_A_NOTE, _("%s is not a join file"), path);
    if (err)
        return cli_fail_at(c, err, path);
    *ret_fingerprint = files_fingerprint(c, note);
    return COMITY_OK;
}

static struct bytes vkey_of(struct cli *c, const struct note_verifier *v)
{
    struct buf b = BUF_INIT;
    note_put_vkey(&b, v);
    struct bytes vkey = cli_copy(c, buf_bytes(&b));
    buf_free(&b);
    return vkey;
}

/* Append ${more} to a list of ${size} elements. */
static void *list_grow(struct cli *c, const void *list, size_t count, size_t size, const void *more)
{
    uint8_t *grown = cli_alloc(c, (count + 1) * size);
    if (count)
        memcpy(grown, list, count * size);
    memcpy(grown + count * size, more, size);
    return grown;
}

/* A member whose last ledger is closed comes back with the ledger that succeeds it. */
static int check_again(struct cli *c, const struct roster_member *m, const struct join_request *j)
{
    struct origin o;
    bool is_closed = m->ledger_count == 0 || m->ledgers[m->ledger_count - 1].is_closed;
    if (!is_closed)
        return cli_hint(
            c,
            cli_fail(c, COMITY_E_EXISTS, _("%.*s is a member already, and its ledger is open"),
                     (int)m->id.len, (const char *)m->id.data),
            _("where its ledger cannot be gone on with: comity broker witness %.*s, and "
              "here --at with that file"),
            (int)m->id.len, (const char *)m->id.data);
    if (m->role != j->role)
        return cli_fail(c, COMITY_E_INVALID, _("%.*s is a %s, and cannot come back as a %s"),
                        (int)m->id.len, (const char *)m->id.data, member_role_word(m->role),
                        member_role_word(j->role));
    if (text_get_origin(bytes_of(j->ledger.name), &o) != 0 || o.generation != m->ledger_count + 1)
        return cli_fail(c, COMITY_E_INVALID,
                        _("%s is not the ledger that comes next: %.*s/%.*s.%zu is"), j->ledger.name,
                        (int)o.network.len, (const char *)o.network.data, (int)m->id.len,
                        (const char *)m->id.data, m->ledger_count + 1);
    return COMITY_OK;
}

static void fill_member(struct cli *c, struct roster_member *m, const struct join_request *j)
{
    const struct roster_ledger ledger = {.origin = cli_copy(c, bytes_of(j->ledger.name)),
                                         .suite = j->suite,
                                         .vkey = vkey_of(c, &j->ledger)};
    const struct bytes seal = cli_copy(c, BYTES(j->seal, sizeof j->seal));
    m->id = j->member;
    m->role = j->role;
    m->name = j->name;
    m->curve = cli_copy(c, BYTES(j->curve, sizeof j->curve));
    /* Who comes back with the key that he had has it once. */
    bool is_new = m->seal_count == 0 ||
                  !bytes_equal(m->seal[m->seal_count - 1], BYTES(j->seal, sizeof j->seal));
    if (j->has_seal && is_new) {
        m->seal = list_grow(c, m->seal, m->seal_count, sizeof seal, &seal);
        m->seal_count++;
    }
    m->ledgers = list_grow(c, m->ledgers, m->ledger_count, sizeof ledger, &ledger);
    m->ledger_count++;
    m->endpoint_count = 0;
    for (size_t i = 0; i < 2 && j->endpoint[i].len; i++) {
        m->endpoints =
            list_grow(c, m->endpoints, m->endpoint_count, sizeof j->endpoint[i], &j->endpoint[i]);
        m->endpoint_count++;
    }
}

static int close_at_witness(struct cli *c, struct roster_draft *d, struct roster_ledger *l,
                            json_t *change)
{
    struct witness w;
    const char *path = flag_text(c, "at");
    int err = witness_read(c, path, d->current, &w);
    if (err)
        return err;
    if (!bytes_equal(w.origin, l->origin))
        return cli_fail(c, COMITY_E_INVALID, _("%s is about %.*s, not about %.*s"), path,
                        (int)w.origin.len, (const char *)w.origin.data, (int)l->origin.len,
                        (const char *)l->origin.data);
    struct buf time = BUF_INIT;
    struct roster_witness *named = cli_alloc(c, sizeof *named);
    *named = (struct roster_witness){.broker = w.broker, .routed = w.routed};
    l->is_closed = true;
    l->closed_size = w.size;
    l->closed_root = cli_copy(c, hash_bytes(&w.root));
    l->witness = named;
    l->witness_count = 1;
    text_put_time(&time, w.time_ms);
    json_object_set_new(change, "time", cli_json(json_string(buf_str(&time))));
    buf_free(&time);
    return COMITY_OK;
}

static json_t *closed_json(const struct roster_member *m, const struct roster_ledger *l)
{
    return cli_json(json_pack("{s:s, s:s%, s:s, s:s%, s:s%, s:I}", "change", "closed", "member",
                              m->id.data, m->id.len, "role", member_role_word(m->role), "name",
                              m->name.data, m->name.len, "origin", l->origin.data, l->origin.len,
                              "size", (json_int_t)l->closed_size));
}

/* --at: the ledger that the newcomer of ${path} succeeds is closed in the same roster. */
static int close_before(struct cli *c, struct roster_draft *d, struct roster_member *m)
{
    if (!flag_given(c, "at") || m->ledger_count == 0 || m->ledgers[m->ledger_count - 1].is_closed)
        return COMITY_OK;
    struct roster_ledger *ledgers = cli_alloc(c, m->ledger_count * sizeof *ledgers);
    memcpy(ledgers, m->ledgers, m->ledger_count * sizeof *ledgers);
    struct roster_ledger *l = &ledgers[m->ledger_count - 1];
    json_t *change = cli_json(json_object());
    int err = close_at_witness(c, d, l, change);
    if (!err) {
        m->ledgers = ledgers;
        json_object_update_new(change, closed_json(m, l));
        json_array_append(d->changes, change);
    }
    json_decref(change);
    return err;
}

static int add_one(struct cli *c, struct roster_draft *d, const char *path)
{
    struct join_request j;
    const char *fingerprint = NULL;
    struct origin o;
    bool found = false;
    int err = authority_read_join(c, path, &j, &fingerprint);
    if (!err && (text_get_origin(bytes_of(j.ledger.name), &o) != 0 ||
                 !bytes_is(o.network, d->network.name)))
        err = cli_fail(c, COMITY_E_INVALID, _("%s asks to join the network of %s, not %s"), path,
                       j.ledger.name, d->network.name);
    if (err)
        return err;
    size_t at = member_place(&d->doc, j.member, &found);
    struct roster_member *m = members_grow(c, d);
    if (found && (err = close_before(c, d, &m[at])) != 0)
        return err;
    if (found && (err = check_again(c, &m[at], &j)) != 0)
        return err;
    if (!found) {
        memmove(&m[at + 1], &m[at], (d->doc.member_count - at) * sizeof *m);
        m[at] = (struct roster_member){0};
        d->doc.member_count++;
    }
    fill_member(c, &m[at], &j);
    d->doc.members = m;
    json_array_append_new(
        d->changes,
        cli_json(json_pack("{s:s, s:s%, s:s, s:s%, s:s, s:s}", "change",
                           found ? "readmitted" : "added", "member", j.member.data, j.member.len,
                           "role", member_role_word(j.role), "name", j.name.data, j.name.len,
                           "origin", j.ledger.name, "fingerprint", fingerprint)));
    return COMITY_OK;
}

int authority_add(struct cli *c)
{
    struct roster_draft d = {0};
    int err = start(c, &d);
    for (size_t i = 0; !err && i < c->arg_count; i++)
        err = add_one(c, &d, c->args[i]);
    if (!err)
        err = finish(
            c, &d,
            d.current ? cli_text(c,
                                 ngettext("Let this member into %s, roster %llu?",
                                          "Let these members into %s, roster %llu?", c->arg_count),
                                 d.network.name, (unsigned long long)d.doc.number)
                      : cli_text(c, _("Make the FIRST roster of %s, with these members?"),
                                 d.network.name));
    roster_draft_done(&d);
    return err;
}

/* ---- revoke ---- */

static bool fits(const struct roster_member *m, struct bytes name, int way)
{
    if (way == 0)
        return bytes_equal(m->id, name);
    if (way == 1)
        return bytes_equal(m->name, name);
    return name.len && name.len <= m->name.len &&
           memmem(m->name.data, m->name.len, name.data, name.len);
}

int authority_find_member(struct cli *c, const struct roster_doc *doc, const char *name,
                          const char **ret_id)
{
    struct buf list = BUF_INIT;
    size_t count = 0;
    const struct roster_member *found = NULL;
    for (int way = 0; way < 3 && count == 0; way++)
        for (size_t i = 0; i < doc->member_count; i++) {
            const struct roster_member *m = &doc->members[i];
            if (!fits(m, bytes_of(name), way))
                continue;
            found = m;
            if (count++ < 8)
                buf_printf(&list, "%s%.*s %.*s", count > 1 ? ", " : "", (int)m->id.len,
                           (const char *)m->id.data, (int)m->name.len, (const char *)m->name.data);
        }
    int err = COMITY_OK;
    if (count == 0)
        err = cli_fail(c, COMITY_E_UNKNOWN_MEMBER, _("the roster does not name %s"), name);
    else if (count > 1)
        err = cli_hint(c,
                       cli_fail(c, COMITY_E_AMBIGUOUS, _("\"%s\" names several members: %s"), name,
                                buf_str(&list)),
                       _("say more of the name, or the id"));
    else
        *ret_id = cli_text(c, "%.*s", (int)found->id.len, (const char *)found->id.data);
    buf_free(&list);
    return err;
}

static int find_open(struct cli *c, struct roster_draft *d, const char *id,
                     struct roster_member **ret)
{
    bool found = false;
    if (!d->current)
        return cli_fail(c, COMITY_E_NO_ROSTER, _("there is no roster yet in which %s could stand"),
                        id);
    size_t at = member_place(&d->doc, bytes_of(id), &found);
    if (!found)
        return cli_fail(c, COMITY_E_UNKNOWN_MEMBER, _("the roster does not name %s"), id);
    struct roster_member *m = members_grow(c, d);
    if (m[at].ledger_count == 0 || m[at].ledgers[m[at].ledger_count - 1].is_closed)
        return cli_fail(c, COMITY_E_CLOSED, _("the ledger of %s is closed already"), id);
    d->doc.members = m;
    *ret = &m[at];
    return COMITY_OK;
}

/* Before its first entry: the root of nothing, and no witness. */
static void close_at_nothing(struct cli *c, struct roster_ledger *l)
{
    struct hash root;
    hash_of(suite_get(SUITE_1), &root, BYTES_NONE);
    l->is_closed = true;
    l->closed_root = cli_copy(c, hash_bytes(&root));
}

int authority_revoke(struct cli *c)
{
    struct roster_draft d = {0};
    struct roster_member *m = NULL;
    const char *id = c->args[0];
    bool at_nothing = strcmp(flag_text(c, "at"), "nothing") == 0;
    json_t *change = cli_json(json_object());
    int err = start(c, &d);
    if (!err)
        err = authority_find_member(c, d.current ? roster_doc(d.current) : &d.doc, id, &id);
    if (!err)
        err = find_open(c, &d, id, &m);
    if (!err) {
        struct roster_ledger *ledgers = cli_alloc(c, m->ledger_count * sizeof *ledgers);
        memcpy(ledgers, m->ledgers, m->ledger_count * sizeof *ledgers);
        struct roster_ledger *l = &ledgers[m->ledger_count - 1];
        if (at_nothing)
            close_at_nothing(c, l);
        else
            err = close_at_witness(c, &d, l, change);
        m->ledgers = ledgers;
        if (!err)
            json_object_update_new(change, closed_json(m, l));
    }
    if (!err) {
        json_array_append(d.changes, change);
        err = finish(c, &d,
                     at_nothing ? cli_text(c,
                                           _("Close the ledger of %s before its FIRST entry, so "
                                             "that nothing of it counts?"),
                                           id)
                                : cli_text(c, _("Close the ledger of %s there?"), id));
    }
    json_decref(change);
    roster_draft_done(&d);
    return err;
}
