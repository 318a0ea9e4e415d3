/*
 * Witness files: reading and verifying. See authority.h; `broker witness` writes them.
 */
#include "authority.h"
#include "base/text.h"
#include "ledger/checkpoint.h"
#include "ledger/proof.h"

#include <string.h>

bool witness_is(struct bytes text)
{
    json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
    const char *what = json_string_value(json_object_get(json, "witness"));
    bool is = what && strcmp(what, "comity witness v1") == 0;
    json_decref(json);
    return is;
}

static struct bytes text_at(struct cli *c, const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));
    return text ? bytes_of(cli_text(c, "%s", text)) : BYTES_NONE;
}

/* The ROUTED entry says which checkpoint of which ledger was taken in. */
static int read_entry(struct cli *c, const json_t *json, struct witness *w, struct hash *ret_leaf)
{
    struct buf bytes = BUF_INIT;
    struct entry e;
    int err = text_get_base64(text_at(c, json, "entry"), &bytes);
    struct bytes exact = cli_copy(c, buf_bytes(&bytes));
    buf_free(&bytes);
    if (!err)
        err = entry_decode(c->arena, exact, &e);
    if (err)
        return err;
    if (e.kind != ENTRY_ROUTED || !e.has_source || !e.source.has_size ||
        e.source.root.len != HASH_LEN)
        return COMITY_E_STATEMENT;
    hash_leaf(suite_get(SUITE_1), exact, ret_leaf);
    w->origin = e.source.origin;
    w->size = e.source.size;
    memcpy(w->root.b, e.source.root.data, HASH_LEN);
    w->routed = e.index;
    w->time_ms = (int64_t)e.time_ms;
    return COMITY_OK;
}

/* It stands in the broker's ledger, under a checkpoint that the broker signed. */
static int check_proof(struct cli *c, const json_t *json, const struct roster *r, struct witness *w,
                       const struct hash *leaf)
{
    struct tlog_proof proof;
    struct checkpoint cp;
    int err = tlog_proof_parse(text_at(c, json, "proof"), &proof);
    if (!err)
        err = checkpoint_peek(proof.note, &cp);
    if (err)
        return err;
    const struct roster_origin *broker = roster_origin_of(r, bytes_of(cp.origin));
    if (!broker || broker->member->role != MEMBER_BROKER)
        return COMITY_E_UNKNOWN_MEMBER;
    if (proof.index != w->routed)
        return COMITY_E_STATEMENT;
    err = checkpoint_open(proof.note, &broker->verifier, &cp);
    if (!err)
        err = proof_inclusion_verify(broker->suite, leaf, proof.index, cp.size, proof.path,
                                     proof.path_count, &cp.root);
    w->broker = broker->ledger->origin;
    return err;
}

/* The member's own signature, where the file brings it along. */
static int check_checkpoint(struct cli *c, const json_t *json, const struct roster *r,
                            struct witness *w)
{
    struct checkpoint cp;
    struct bytes note = text_at(c, json, "checkpoint");
    const struct roster_origin *member = roster_origin_of(r, w->origin);
    if (!member)
        return COMITY_E_UNKNOWN_MEMBER;
    w->has_checkpoint = note.len > 0;
    if (!w->has_checkpoint)
        return COMITY_OK;
    int err = checkpoint_open(note, &member->verifier, &cp);
    if (!err && (cp.size != w->size || !hash_equal(&cp.root, &w->root)))
        err = COMITY_E_STATEMENT;
    return err;
}

int witness_read(struct cli *c, const char *path, const struct roster *r, struct witness *ret)
{
    struct bytes text;
    struct witness w = {0};
    struct hash leaf;
    int err = files_read(c, path, WITNESS_FILE_MAX, &text);
    if (err)
        return err;
    if (!witness_is(text))
        return cli_hint(c, cli_fail(c, COMITY_E_MALFORMED, _("%s is not a witness file"), path),
                        "comity broker witness MEMBER");
    json_t *json = json_loadb((const char *)text.data, text.len, 0, NULL);
    err = read_entry(c, json, &w, &leaf);
    if (!err)
        err = check_proof(c, json, r, &w, &leaf);
    if (!err)
        err = check_checkpoint(c, json, r, &w);
    json_decref(json);
    if (err)
        return cli_fail_at(c, err, path);
    *ret = w;
    return COMITY_OK;
}
