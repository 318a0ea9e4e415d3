/*
 * Signed material as JSON, for whoever has none of the ledgers: notes as text, entries and hashes
 * in base64.
 */
#include "audit/finding.h"
#include "audit/internal.h"

#include "base/file.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

json_t *proof_note(struct bytes note)
{
    return text_is_utf8(note) ? value_text(note) : value_base64(note);
}

static json_t *hashes(const struct hash_list *l)
{
    struct value v = value_array();
    json_t *json = NULL;
    for (size_t i = 0; i < l->count; i++)
        value_add(&v, value_base64(hash_bytes(&l->at[i])));
    return value_finish(&v, &json) ? NULL : json;
}

json_t *proof_entry(struct audit_copy *c, uint64_t index)
{
    struct tree_source src = leaves_source(&c->tree);
    struct hash_list path = {0};
    struct buf entry = BUF_INIT;
    struct value v = value_object();
    json_t *json = NULL;
    if (copy_entry(c, index, &entry) || index >= c->tree.leaf.count) {
        json_decref(v.json);
        v.json = NULL;
    } else {
        value_set_place(&v, bytes_of(c->origin->name), index, &c->tree.leaf.at[index]);
        value_set(&v, "entry", value_base64(buf_bytes(&entry)));
        if (index < c->covered && !proof_inclusion(&src, index, c->covered, &path)) {
            value_set(&v, "inclusion", hashes(&path));
            value_set(&v, "checkpoint", proof_note(buf_bytes(&c->note)));
        }
    }
    hash_list_free(&path);
    buf_free(&entry);
    return value_finish(&v, &json) ? NULL : json;
}

json_t *proof_consistency_of(struct audit_copy *c, uint64_t size)
{
    struct tree_source src = leaves_source(&c->tree);
    struct hash_list path = {0};
    json_t *json = NULL;
    if (size <= c->covered && !proof_consistency(&src, size, c->covered, &path))
        json = hashes(&path);
    hash_list_free(&path);
    return json ? json : json_array();
}

static int write_one(const char *dir, const struct finding *f)
{
    char *path = file_path(dir, json_string_value(json_object_get(f->json.json, "proof")));
    json_t *file = json_deep_copy(f->json.json);
    char *text = NULL;
    int err = path && file ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && (json_object_del(file, "proof") || json_object_set(file, "proof", f->proof) ||
                 !(text = json_dumps(file, JSON_INDENT(1) | JSON_PRESERVE_ORDER))))
        err = COMITY_E_NOMEM;
    if (!err)
        err = file_create(path, bytes_of(text), 0644);
    free(text);
    json_decref(file);
    free(path);
    return err;
}

int audit_write_proofs(const struct audit *a, const char *dir)
{
    int err = file_mkdirs(dir, 0755);
    for (size_t i = 0; !err && i < a->findings.count; i++)
        if (a->findings.at[i].proof)
            err = write_one(dir, &a->findings.at[i]);
    return err;
}
