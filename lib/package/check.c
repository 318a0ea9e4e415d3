/*
 * The checks that a package is verified by, one at a time: an entry with its proof, its content, an
 * officer's enrolment. The order of what is said is that of verify.sh.
 */
#include "package/checks.h"

#include "msg/record.h"

#include <stdio.h>
#include <string.h>

void package_say(struct package_checks *c, enum package_status status, const char *check,
                 const char *what)
{
    struct value none = value_array();
    package_say_files(c, status, check, what, &none);
}

void package_say_files(struct package_checks *c, enum package_status status, const char *check,
                       const char *what, struct value *files)
{
    struct value v = value_object();
    value_set(&v, "check", json_string(check));
    value_set(&v, "what", json_string(what));
    value_set(&v, "ok", status == PACKAGE_OPEN ? json_null() : json_boolean(status == PACKAGE_OK));
    if (files->json && json_array_size(files->json) == 0)
        json_decref(files->json);
    else
        value_set(&v, "files", files->json);
    files->json = NULL;
    value_add(&c->list, v.json);
    c->failed += status == PACKAGE_FAIL;
    c->open += status == PACKAGE_OPEN;
}

static struct bytes in_folder(const struct package_checks *c, const char *folder, const char *name)
{
    char path[2 * PACKAGE_PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    return package_bytes(&c->files, path);
}

/* The way from the entry to the root, and the signature under it. */
static int prove(struct package_checks *c, const char *folder, const char *proof,
                 struct package_shown *s)
{
    struct tlog_proof p;
    struct bytes entry = in_folder(c, folder, "entry.bin");
    struct bytes text = in_folder(c, folder, proof);
    if (!entry.data || !text.data || !c->roster)
        return COMITY_E_NOT_FOUND;
    int err = entry_decode(c->arena, entry, &s->entry);
    s->has_entry = !err;
    if (!err)
        err = tlog_proof_parse(text, &p);
    if (!err)
        err = checkpoint_peek(p.note, &s->checkpoint);
    if (err)
        return err;
    s->from = roster_origin_of(c->roster, bytes_of(s->checkpoint.origin));
    if (!s->from)
        return COMITY_E_UNKNOWN_MEMBER;
    hash_leaf(s->from->suite, entry, &s->leaf);
    if (p.index != s->entry.index)
        return COMITY_E_INCLUSION;
    err = proof_inclusion_verify(s->from->suite, &s->leaf, p.index, s->checkpoint.size, p.path,
                                 p.path_count, &s->checkpoint.root);
    return err ? err : checkpoint_open(p.note, &s->from->verifier, &s->checkpoint);
}

/* The hashes of a consistency proof, one a line. */
static bool read_steps(struct bytes text, struct hash *ret, size_t *ret_count)
{
    struct bytes line;
    size_t n = 0;
    for (; bytes_next_line(&text, &line); n++)
        if (n == PROOF_CONSISTENCY_MAX || text_get_base64_exact(line, ret[n].b, HASH_LEN))
            return false;
    *ret_count = n;
    return true;
}

/* A ledger that was closed is settled at the size where it was closed, and where closing.proof
 * leads there. */
static enum package_status closing(const struct package_checks *c, const char *folder,
                                   const struct package_shown *s)
{
    struct hash steps[PROOF_CONSISTENCY_MAX], root;
    size_t n = 0;
    char path[2 * PACKAGE_PATH_MAX];
    const struct roster_ledger *l = s->from->ledger;
    const struct checkpoint *at = &s->checkpoint;
    if (!l->is_closed ||
        (l->closed_size == at->size && bytes_equal(l->closed_root, hash_bytes(&at->root))))
        return PACKAGE_OK;
    snprintf(path, sizeof path, "%s/closing.proof", folder);
    if (!package_find(&c->files, path))
        return PACKAGE_OPEN;
    if (at->size == 0 || at->size >= l->closed_size ||
        !read_steps(package_bytes(&c->files, path), steps, &n))
        return PACKAGE_FAIL;
    memcpy(root.b, l->closed_root.data, HASH_LEN);
    return proof_consistency_verify(s->from->suite, at->size, &at->root, l->closed_size, &root,
                                    steps, n)
               ? PACKAGE_FAIL
               : PACKAGE_OK;
}

void package_show(struct package_checks *c, const char *folder, const char *proof,
                  struct package_shown *ret)
{
    memset(ret, 0, sizeof *ret);
    ret->is_proven = prove(c, folder, proof, ret) == COMITY_OK;
    package_say(c, ret->is_proven ? PACKAGE_OK : PACKAGE_FAIL, "entry", folder);
    enum package_status closed = ret->is_proven ? closing(c, folder, ret) : PACKAGE_OK;
    if (closed != PACKAGE_OK)
        package_say(c, closed, "closed", folder);
}

void package_content(struct package_checks *c, const char *folder, struct package_shown *s)
{
    struct bytes salt = in_folder(c, folder, "salt.bin");
    struct bytes body = in_folder(c, folder, "body.bin");
    struct hash hash;
    if (s->is_proven && salt.len == SALT_LEN && body.data) {
        ledger_body_hash(s->from->suite, bytes_of(s->checkpoint.origin), salt, body, &hash);
        s->has_body = bytes_equal(hash_bytes(&hash), s->entry.body_hash) &&
                      body_decode(c->arena, body, &s->body) == COMITY_OK;
        s->salt = salt;
    }
    package_say(c, s->has_body ? PACKAGE_OK : PACKAGE_FAIL, "content", folder);
}

bool package_record(struct package_checks *c, const struct package_shown *s, struct record *ret,
                    struct hash *ret_hash)
{
    if (!s->has_body || !s->body.record.len || record_decode(c->arena, s->body.record, ret))
        return false;
    ledger_record_hash(s->from->suite, bytes_of(s->checkpoint.origin), s->salt, s->body.record,
                       ret_hash);
    return true;
}

bool package_officer(struct package_checks *c, const char *folder, struct officer_key *ret)
{
    struct package_shown s;
    package_show(c, folder, "entry.tlog-proof", &s);
    package_content(c, folder, &s);
    if (!s.has_body || s.entry.kind != ENTRY_KEY)
        return false;
    struct bytes origin = arena_copy(c->arena, bytes_of(s.checkpoint.origin));
    return origin.data && officer_key_read(origin, s.entry.index, &s.body, ret) == COMITY_OK &&
           !ret->is_retired;
}

bool package_signature_holds(const struct officer_subject *s, struct bytes note,
                             const struct officer_key *key, struct officer_signature *ret)
{
    const struct body one = {.notes = &note, .note_count = 1};
    return officer_check(s, &one, key, 1) == COMITY_OK &&
           officer_signature_peek(note, ret) == COMITY_OK;
}

bool package_next_folder(const struct package_files *p, const char *parent, size_t *at, char *ret)
{
    size_t n = strlen(parent);
    char last[2 * PACKAGE_PATH_MAX];
    snprintf(last, sizeof last, "%s", ret);
    for (; *at < p->file.count; ++*at) {
        const char *path = p->file.at[*at].path;
        const char *slash =
            strncmp(path, parent, n) == 0 && path[n] == '/' ? strchr(path + n + 1, '/') : NULL;
        if (!slash)
            continue;
        snprintf(ret, sizeof last, "%.*s", (int)(slash - path), path);
        if (strcmp(ret, last) != 0)
            return true;
    }
    return false;
}
