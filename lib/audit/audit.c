/*
 * An audit from its beginning to its verdict. See audit.h.
 */
#include "audit/claims.h"
#include "audit/finding.h"
#include "audit/internal.h"
#include "audit/parcels.h"
#include "audit/rosters.h"

#include <stdlib.h>
#include <string.h>

enum { SCRATCH_MAX = 256 * 1024 * 1024 };

int audit_list_reserve(void *at, size_t *cap, size_t count, size_t size)
{
    if (count < *cap)
        return COMITY_OK;
    void *old = NULL;
    memcpy(&old, at, sizeof old);
    size_t more = *cap ? 2 * *cap : 16;
    void *grown = reallocarray(old, more, size);
    if (!grown)
        return COMITY_E_NOMEM;
    memcpy(at, &grown, sizeof grown);
    *cap = more;
    return COMITY_OK;
}

/* ---- verdicts ---- */

const char *audit_verdict_word(enum audit_verdict v)
{
    static const char *const words[] = {[AUDIT_CONSISTENT] = "consistent",
                                        [AUDIT_WITHHELD] = "withheld",
                                        [AUDIT_UNRESOLVED] = "unresolved",
                                        [AUDIT_CONTRADICTION] = "contradiction"};
    return words[v];
}

int audit_verdict_exit(enum audit_verdict v)
{
    static const int codes[] = {[AUDIT_CONSISTENT] = COMITY_OK,
                                [AUDIT_WITHHELD] = COMITY_E_WITHHELD,
                                [AUDIT_UNRESOLVED] = COMITY_E_UNRESOLVED,
                                [AUDIT_CONTRADICTION] = COMITY_E_CONTRADICTION};
    return v == AUDIT_CONSISTENT ? 0 : comity_err_exit(codes[v]);
}

enum audit_verdict audit_verdict(const struct audit *a)
{
    static const enum audit_verdict of_class[] = {[AUDIT_CLASS_NOTE] = AUDIT_CONSISTENT,
                                                  [AUDIT_CLASS_WITHHELD] = AUDIT_WITHHELD,
                                                  [AUDIT_CLASS_UNRESOLVED] = AUDIT_UNRESOLVED,
                                                  [AUDIT_CLASS_CONTRADICTION] =
                                                      AUDIT_CONTRADICTION};
    enum audit_verdict worst = AUDIT_CONSISTENT;
    for (size_t i = 0; i < a->findings.count; i++)
        if (of_class[a->findings.at[i].class] > worst)
            worst = of_class[a->findings.at[i].class];
    return worst;
}

/* ---- life ---- */

int audit_new(const struct network *anchor, struct audit **ret)
{
    struct audit *a = calloc(1, sizeof *a);
    if (!a)
        return COMITY_E_NOMEM;
    a->anchor = *anchor;
    a->arena = arena_new(SIZE_MAX);
    a->scratch = arena_new(SCRATCH_MAX);
    if (!a->arena || !a->scratch) {
        audit_free(a);
        return COMITY_E_NOMEM;
    }
    *ret = a;
    return COMITY_OK;
}

static void free_copy(struct audit_copy *c)
{
    for (struct taken_from *t = c->senders; t; t = t->hh.next)
        pair_free(&t->pair);
    HASH_CLEAR(hh, c->senders);
    copy_free(c);
}

/* What stands in these tables lies in the arena. */
static void free_tables(struct audit *a)
{
    for (struct origin_node *o = a->origins; o; o = o->hh.next) {
        LIST_FREE(o->copies);
        LIST_FREE(o->keys);
        LIST_FREE(o->signed_by);
        LIST_FREE(o->routed);
    }
    for (struct group *g = a->groups; g; g = g->hh.next)
        json_decref(g->proof);
    HASH_CLEAR(hh, a->origins);
    HASH_CLEAR(hh, a->texts);
    HASH_CLEAR(hh, a->claims);
    HASH_CLEAR(hh, a->good_notes);
    HASH_CLEAR(hh, a->parcels);
    HASH_CLEAR(hh, a->groups);
    HASH_CLEAR(hh, a->pairs);
}

void audit_free(struct audit *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->copies.count; i++)
        free_copy(a->copies.at[i]);
    for (size_t i = 0; i < a->rosters.count; i++) {
        roster_free(a->rosters.at[i].roster);
        buf_free(&a->rosters.at[i].file);
    }
    for (size_t i = 0; i < a->findings.count; i++) {
        json_decref(a->findings.at[i].json.json);
        json_decref(a->findings.at[i].proof);
    }
    free_tables(a);
    LIST_FREE(a->copies);
    LIST_FREE(a->rosters);
    LIST_FREE(a->findings);
    arena_free(a->scratch);
    arena_free(a->arena);
    free(a);
}

void audit_set_progress(struct audit *a, audit_progress *progress, void *self)
{
    a->progress = progress;
    a->progress_self = self;
}

int audit_advance(struct audit *a, uint64_t entries)
{
    enum { EVERY = 4096 };
    uint64_t before = a->done / EVERY;
    a->done += entries;
    if (!a->progress || a->done / EVERY == before)
        return COMITY_OK;
    uint64_t done = a->done < a->total ? a->done : a->total;
    return a->progress(a->progress_self, done, a->total) ? COMITY_E_INTERRUPTED : COMITY_OK;
}

void audit_did(struct audit *a, struct audit_copy *c, enum audit_check check, bool ok)
{
    uint64_t *did = c ? c->checked[check] : a->checked[check];
    did[0]++;
    did[1] += !ok;
}

/* ---- names ---- */

struct origin_node *audit_origin(struct audit *a, struct bytes name)
{
    struct origin_node *o = NULL;
    struct origin parts;
    if (name.len > ORIGIN_MAX)
        name.len = ORIGIN_MAX;
    HASH_FIND(hh, a->origins, name.data, name.len, o);
    if (o || !(o = arena_alloc(a->arena, sizeof *o)))
        return o;
    memcpy(o->name, name.data, name.len);
    o->member = bytes_of(o->name);
    if (text_get_origin(bytes_of(o->name), &parts) == COMITY_OK)
        o->member = parts.member;
    if (a->newest)
        o->owner = rosters_owner(a, bytes_of(o->name));
    HASH_ADD_KEYPTR(hh, a->origins, o->name, name.len, o);
    return o;
}

struct bytes audit_intern(struct audit *a, struct bytes text)
{
    struct interned *t = NULL;
    HASH_FIND(hh, a->texts, text.data, text.len, t);
    if (t)
        return t->text;
    t = arena_alloc(a->arena, sizeof *t);
    struct bytes kept = arena_copy(a->arena, text);
    if (!t || !kept.data)
        return BYTES_NONE;
    t->text = kept;
    HASH_ADD_KEYPTR(hh, a->texts, kept.data, kept.len, t);
    return kept;
}

struct audit_copy *audit_copy_of(const struct origin_node *o)
{
    return o && o->copies.count ? o->copies.at[0] : NULL;
}

/* ---- copies ---- */

int audit_add(struct audit *a, const char *path)
{
    struct audit_copy *c = NULL;
    if (a->has_run)
        return COMITY_E_STATE;
    int err = copy_open(a, path, &c);
    if (!err && LIST_ADD(a->copies, c)) {
        copy_free(c);
        err = COMITY_E_NOMEM;
    }
    return err;
}

int audit_add_unreadable(struct audit *a, const char *path, int why)
{
    if (a->has_run)
        return COMITY_E_STATE;
    struct finding *f = finding_add(a, AUDIT_COPY_UNREADABLE, NULL);
    if (f) {
        finding_set(f, "path", json_string(path));
        finding_set(f, "why", json_string(comity_err_token(why)));
    }
    return finding_check(f);
}

const char *audit_find_unreadable(struct audit *a, int *ret_why)
{
    for (size_t i = 0; i < a->copies.count; i++)
        if ((*ret_why = copy_probe(a->copies.at[i])) != COMITY_OK)
            return a->copies.at[i]->path;
    return NULL;
}

/* By what they are, so that the order in which they were given does not matter. */
static int compare_copies(const void *p, const void *q)
{
    const struct audit_copy *x = *(struct audit_copy *const *)p;
    const struct audit_copy *y = *(struct audit_copy *const *)q;
    int order = strcmp(x->origin->name, y->origin->name);
    if (order)
        return order;
    if (x->size != y->size)
        return x->size < y->size ? -1 : 1;
    order = memcmp(x->digest.b, y->digest.b, HASH_LEN);
    return order ? order : strcmp(x->path, y->path);
}

static int sort_copies(struct audit *a)
{
    if (a->copies.count)
        qsort(a->copies.at, a->copies.count, sizeof(struct audit_copy *), compare_copies);
    for (size_t i = 0; i < a->copies.count; i++) {
        struct audit_copy *c = a->copies.at[i];
        a->total += 2 * c->size;
        int err = LIST_ADD(c->origin->copies, c);
        if (err)
            return err;
    }
    return COMITY_OK;
}

/* Copies that are the same, byte for byte, stand behind one another. */
static int tell_twice(struct audit *a)
{
    for (size_t i = 1; i < a->copies.count; i++) {
        const struct audit_copy *before = a->copies.at[i - 1];
        const struct audit_copy *c = a->copies.at[i];
        if (before->origin != c->origin || !before->has_digest || !c->has_digest ||
            !hash_equal(&before->digest, &c->digest))
            continue;
        struct finding *f = finding_add(a, AUDIT_COPY_TWICE, c->origin);
        if (f) {
            finding_set(f, "path", json_string(c->path));
            finding_set(f, "other", json_string(before->path));
        }
        if (finding_check(f))
            return COMITY_E_NOMEM;
    }
    return COMITY_OK;
}

int audit_run(struct audit *a)
{
    if (a->has_run)
        return COMITY_E_STATE;
    a->has_run = true;
    int err = sort_copies(a);
    if (!err)
        err = tell_twice(a);
    if (!err)
        err = rosters_collect(a);
    for (size_t i = 0; !err && i < a->copies.count; i++)
        err = verify_ledger(a, a->copies.at[i]);
    for (size_t i = 0; !err && i < a->copies.count; i++)
        err = a->copies.at[i]->is_renamed ? COMITY_OK : parcels_verify(a, a->copies.at[i]);
    if (!err)
        err = reconcile(a);
    return err ? err : findings_settle(a);
}
