/*
 * The network of tests/support/world.h, for tests of node/: what they send, and where they look.
 */
#ifndef TEST_NODE_WORLD_H
#define TEST_NODE_WORLD_H

#include "../../support/world.h"

#include <comity/err.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline int world_setup(void **state)
{
    *state = world_new();
    return 0;
}

static inline int world_teardown(void **state)
{
    world_free(*state);
    return 0;
}

/* ---- drafts ---- */

static inline void note_done(struct draft *d, int err)
{
    struct actor *a = d->owner;
    a->done++;
    a->done_err = err;
}

/* What to send: NOTE entries with a remark. */
struct mail {
    const char *to[4];
    size_t to_count;
    size_t count;
    size_t size; /* of each remark */
    int err;     /* what turn_add said, last */
};

static inline void add_mail(struct actor *a, struct turn *t, void *arg)
{
    struct mail *m = arg;
    struct bytes *to = arena_alloc(turn_arena(t), m->to_count * sizeof *to);
    for (size_t i = 0; i < m->to_count; i++)
        to[i] = bytes_of(m->to[i]);
    for (size_t i = 0; i < m->count; i++) {
        struct buf body = BUF_INIT;
        char *remark = calloc(1, m->size + 32);
        snprintf(remark, 32, "remark %zu ", i);
        memset(remark + strlen(remark), 'x', m->size);
        /* The body of a NOTE is interpreted by nobody. */
        assert_int_equal(body_encode(&(struct body){.record = bytes_of(remark)}, &body), 0);
        const struct draft d = {.kind = ENTRY_NOTE,
                                .body = arena_copy(turn_arena(t), buf_bytes(&body)),
                                .to = to,
                                .to_count = m->to_count,
                                .done = note_done,
                                .owner = a};
        m->err = turn_add(t, &d);
        free(remark);
        buf_free(&body);
    }
}

/* One turn that sends ${count} entries to ${to}; nothing is carried on beyond the broker's own
 * turn. */
static inline void mail(struct world *w, const char *from, const char *to, size_t count)
{
    struct mail m = {.to = {to}, .to_count = to != NULL, .count = count, .size = 100};
    actor_turn(w, actor_of(w, from), add_mail, &m);
    assert_int_equal(m.err, 0);
}

/* ---- looking ---- */

static inline uint64_t number(const struct actor *a, const char *sql)
{
    uint64_t n = 0;
    assert_int_equal(db_get_u64(store_db(a->node->store), 0, &n, sql, NULL, 0), 0);
    return n;
}

/* How many entries of ${kind} stand in the ledger. */
struct kind_count {
    uint32_t kind;
    size_t count;
    struct arena *a;
};

static inline int count_entry(void *self, uint64_t index, struct bytes entry)
{
    struct kind_count *k = self;
    struct entry e;
    (void)index;
    arena_reset(k->a);
    assert_int_equal(entry_decode(k->a, entry, &e), 0);
    k->count += e.kind == k->kind;
    return 0;
}

static inline size_t entries_of(const struct actor *a, uint32_t kind)
{
    struct kind_count k = {.kind = kind, .a = arena_new(1 << 20)};
    assert_int_equal(ledger_each(a->node->ledger, 0, ledger_size(a->node->ledger), count_entry, &k),
                     0);
    arena_free(k.a);
    return k.count;
}

static inline struct node_status status_of(const struct actor *a)
{
    struct node_status s;
    node_status(a->node, &s);
    return s;
}

#endif
