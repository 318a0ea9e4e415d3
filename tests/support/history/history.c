/* Operations under unique ids, and what is wrong with them. See history.h. */
#include "history.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uthash.h>

enum { NAME_MAX_LEN = 63, NOWHERE = UINT32_MAX };

/* One push, by its id. */
struct push {
    UT_hash_handle hh;
    char id[NAME_MAX_LEN + 1];
    bool is_pushed;
    bool is_pushed_twice;
    bool is_contradicted;
    enum outcome outcome;
    uint32_t from;
    uint32_t to_count;
    struct {
        uint32_t member;
        uint64_t place; /* where it stands among all that was found, from 1; 0: it does not */
    } * at;             /* the recipients, and at [to_count] the sender */
    uint64_t begun;     /* when: numbers of operations */
    uint64_t done;      /* when that was told; 0: never */
};

struct member {
    UT_hash_handle hh;
    char name[NAME_MAX_LEN + 1];
    uint32_t number;
    bool is_told;        /* its ledger */
    uint64_t first_done; /* while checking: of what stands behind in its ledger, the first
                            acknowledged */
};

struct receipt {
    struct push *push;
    uint32_t by;
};

/* One line of one ledger. */
struct found {
    struct push *push;
    uint32_t from;
    uint32_t at;
};

#define LIST(type)    \
    struct {          \
        type *at;     \
        size_t count; \
        size_t cap;   \
    }

struct history {
    struct push *pushes;
    struct member *members;
    LIST(struct member *) numbered;
    LIST(struct receipt) receipts;
    LIST(struct found) found;
    uint64_t operations;
};

static void *must(void *p)
{
    if (!p) {
        fputs("history: memory\n", stderr);
        abort();
    }
    return p;
}

#define ADD(list, item)                                                           \
    do {                                                                          \
        if ((list).count == (list).cap) {                                         \
            (list).cap = (list).cap ? 2 * (list).cap : 64;                        \
            (list).at = must(realloc((list).at, (list).cap * sizeof *(list).at)); \
        }                                                                         \
        (list).at[(list).count++] = (item);                                       \
    } while (0)

const char *anomaly_word(enum anomaly a)
{
    static const char *const words[ANOMALY_COUNT] = {
        [ANOMALY_LOST] = "lost",           [ANOMALY_DUPLICATE] = "duplicate",
        [ANOMALY_PHANTOM] = "phantom",     [ANOMALY_MISROUTED] = "misrouted",
        [ANOMALY_REORDERED] = "reordered", [ANOMALY_CONTRADICTED] = "contradicted"};
    return words[a];
}

/* ---- telling --------------------------------------------------------------------------------- */

struct history *history_new(void)
{
    return must(calloc(1, sizeof(struct history)));
}

void history_free(struct history *h)
{
    struct push *p = NULL;
    struct push *next = NULL;
    HASH_ITER(hh, h->pushes, p, next)
    {
        HASH_DEL(h->pushes, p);
        free(p->at);
        free(p);
    }
    HASH_CLEAR(hh, h->members);
    for (size_t i = 0; i < h->numbered.count; i++)
        free(h->numbered.at[i]);
    free(h->numbered.at);
    free(h->receipts.at);
    free(h->found.at);
    free(h);
}

uint64_t history_operations(const struct history *h)
{
    return h->operations;
}

static uint32_t member_of(struct history *h, const char *name)
{
    struct member *m = NULL;
    HASH_FIND_STR(h->members, name, m);
    if (!m) {
        m = must(calloc(1, sizeof *m));
        snprintf(m->name, sizeof m->name, "%s", name);
        m->number = (uint32_t)h->numbered.count;
        ADD(h->numbered, m);
        HASH_ADD_STR(h->members, name, m);
    }
    return m->number;
}

static struct push *push_of(struct history *h, const char *id)
{
    struct push *p = NULL;
    HASH_FIND_STR(h->pushes, id, p);
    if (!p) {
        p = must(calloc(1, sizeof *p));
        snprintf(p->id, sizeof p->id, "%s", id);
        HASH_ADD_STR(h->pushes, id, p);
    }
    return p;
}

void history_push(struct history *h, const char *id, const char *from, const char *const *to,
                  size_t to_count)
{
    struct push *p = push_of(h, id);
    h->operations++;
    if (p->is_pushed) {
        p->is_pushed_twice = true;
        return;
    }
    p->is_pushed = true;
    p->begun = h->operations;
    p->from = member_of(h, from);
    p->at = must(calloc(to_count + 1, sizeof *p->at));
    for (size_t i = 0; i < to_count; i++)
        p->at[p->to_count++].member = member_of(h, to[i]);
    p->at[to_count].member = p->from;
}

void history_outcome(struct history *h, const char *id, enum outcome outcome)
{
    struct push *p = push_of(h, id);
    h->operations++;
    if (outcome == OUTCOME_UNKNOWN)
        return; /* somebody else may know */
    if (p->outcome != OUTCOME_UNKNOWN && p->outcome != outcome)
        p->is_contradicted = true;
    p->outcome = outcome;
    if (outcome == OUTCOME_DONE && !p->done)
        p->done = h->operations;
}

void history_receipt(struct history *h, const char *id, const char *by)
{
    const struct receipt r = {.push = push_of(h, id), .by = member_of(h, by)};
    h->operations++;
    ADD(h->receipts, r);
}

void history_ledger(struct history *h, const char *at)
{
    const uint32_t member = member_of(h, at); /* may move the list */
    h->operations++;
    h->numbered.at[member]->is_told = true;
}

void history_found(struct history *h, const char *id, const char *from, const char *at)
{
    const struct found f = {
        .push = push_of(h, id), .from = member_of(h, from), .at = member_of(h, at)};
    h->operations++;
    ADD(h->found, f);
}

/* ---- checking -------------------------------------------------------------------------------- */

struct checking {
    struct history *h;
    void (*tell)(void *self, enum anomaly a, const char *id, const char *at);
    void *self;
    uint64_t count;
};

static void say(struct checking *c, enum anomaly a, const struct push *p, uint32_t at)
{
    c->count++;
    if (c->tell)
        c->tell(c->self, a, p->id, at == NOWHERE ? "" : c->h->numbered.at[at]->name);
}

/* Where ${p} stands at ${at}; NULL when it was not addressed to it. */
static uint64_t *place_at(const struct push *p, uint32_t at)
{
    for (uint32_t i = 0; p->is_pushed && i <= p->to_count; i++)
        if (p->at[i].member == at)
            return &p->at[i].place;
    return NULL;
}

static uint64_t own_place(const struct push *p)
{
    return p->is_pushed ? p->at[p->to_count].place : 0;
}

static void check_found(struct checking *c)
{
    const struct history *h = c->h;
    for (size_t i = 0; i < h->found.count; i++) {
        const struct found *f = &h->found.at[i];
        uint64_t *place = place_at(f->push, f->at);
        if (!f->push->is_pushed || f->push->from != f->from || f->push->outcome == OUTCOME_FAILED)
            say(c, ANOMALY_PHANTOM, f->push, f->at);
        else if (!place)
            say(c, ANOMALY_MISROUTED, f->push, f->at);
        else if (*place)
            say(c, ANOMALY_DUPLICATE, f->push, f->at);
        else
            *place = i + 1;
    }
}

/* What has happened has happened everywhere. */
static void check_push(struct checking *c, const struct push *p)
{
    bool has_happened = p->outcome == OUTCOME_DONE;
    if (p->is_contradicted)
        say(c, ANOMALY_CONTRADICTED, p, NOWHERE);
    if (p->is_pushed_twice)
        say(c, ANOMALY_DUPLICATE, p, NOWHERE);
    if (!p->is_pushed) {
        if (p->outcome != OUTCOME_UNKNOWN)
            say(c, ANOMALY_PHANTOM, p, NOWHERE);
        return;
    }
    for (uint32_t i = 0; i <= p->to_count; i++)
        has_happened = has_happened || p->at[i].place;
    for (uint32_t i = 0; has_happened && i <= p->to_count; i++)
        if (!p->at[i].place && c->h->numbered.at[p->at[i].member]->is_told)
            say(c, ANOMALY_LOST, p, p->at[i].member);
}

static void check_receipts(struct checking *c)
{
    for (size_t i = 0; i < c->h->receipts.count; i++) {
        const struct receipt *r = &c->h->receipts.at[i];
        const uint64_t *place = place_at(r->push, r->by);
        bool is_there = place && (*place || !c->h->numbered.at[r->by]->is_told);
        if (!is_there || r->push->outcome == OUTCOME_FAILED)
            say(c, ANOMALY_CONTRADICTED, r->push, r->by);
    }
}

/* How far the sender's order has come at one member. */
struct pair {
    UT_hash_handle hh;
    uint64_t who; /* the sender's number, then the member's */
    uint64_t last;
};

static void check_order_elsewhere(struct checking *c)
{
    struct pair *pairs = NULL;
    struct pair *pair = NULL;
    struct pair *next = NULL;
    for (size_t i = 0; i < c->h->found.count; i++) {
        const struct found *f = &c->h->found.at[i];
        const uint64_t who = (uint64_t)f->from << 32 | f->at;
        const uint64_t *place = place_at(f->push, f->at);
        if (f->at == f->push->from || !place || *place != i + 1 || !own_place(f->push))
            continue;
        HASH_FIND(hh, pairs, &who, sizeof who, pair);
        if (!pair) {
            pair = must(calloc(1, sizeof *pair));
            pair->who = who;
            HASH_ADD(hh, pairs, who, sizeof pair->who, pair);
        }
        if (own_place(f->push) < pair->last)
            say(c, ANOMALY_REORDERED, f->push, f->at);
        else
            pair->last = own_place(f->push);
    }
    HASH_ITER(hh, pairs, pair, next)
    {
        HASH_DEL(pairs, pair);
        free(pair);
    }
}

/* What was acknowledged before another was begun stands before it. */
static void check_order_at_the_sender(struct checking *c)
{
    for (size_t i = 0; i < c->h->numbered.count; i++)
        c->h->numbered.at[i]->first_done = UINT64_MAX;
    for (size_t i = c->h->found.count; i-- > 0;) {
        const struct push *p = c->h->found.at[i].push;
        if (own_place(p) != i + 1)
            continue;
        struct member *m = c->h->numbered.at[p->from];
        if (p->begun > m->first_done)
            say(c, ANOMALY_REORDERED, p, p->from);
        if (p->done && p->done < m->first_done)
            m->first_done = p->done;
    }
}

uint64_t history_check(struct history *h,
                       void (*tell)(void *self, enum anomaly a, const char *id, const char *at),
                       void *self)
{
    struct checking c = {.h = h, .tell = tell, .self = self};
    for (struct push *p = h->pushes; p; p = p->hh.next)
        for (uint32_t i = 0; p->is_pushed && i <= p->to_count; i++)
            p->at[i].place = 0;
    check_found(&c);
    for (const struct push *p = h->pushes; p; p = p->hh.next)
        check_push(&c, p);
    check_receipts(&c);
    check_order_elsewhere(&c);
    check_order_at_the_sender(&c);
    return c.count;
}

/* ---- from a file ----------------------------------------------------------------------------- */

enum { FIELDS_MAX = 4, LINE_LEN_MAX = 8192 };

/* Cut ${line} at its spaces. Returns how many fields there are; 0 when it is no line of ours. */
static size_t cut_line(char *line, const char *field[FIELDS_MAX])
{
    size_t n = 0;
    line[strcspn(line, "\n")] = '\0';
    for (char *at = line; at;) {
        if (n == FIELDS_MAX)
            return 0;
        char *space = strchr(at, ' ');
        if (space)
            *space = '\0';
        if (*at == '\0' || (n < 2 && strlen(at) > NAME_MAX_LEN))
            return 0;
        field[n++] = at;
        at = space ? space + 1 : NULL;
    }
    return n;
}

static bool read_push(struct history *h, const char *const *field)
{
    char list[LINE_LEN_MAX];
    const char *to[HISTORY_RECIPIENTS_MAX];
    size_t n = 0;
    char *rest = NULL;
    snprintf(list, sizeof list, "%s", field[3]);
    for (char *t = strtok_r(list, ",", &rest); t; t = strtok_r(NULL, ",", &rest)) {
        if (n == HISTORY_RECIPIENTS_MAX)
            return false;
        to[n++] = t;
    }
    history_push(h, field[1], field[2], to, n);
    return true;
}

static bool read_line(struct history *h, char *line)
{
    const char *field[FIELDS_MAX] = {0};
    const size_t n = cut_line(line, field);
    const char *word = n ? field[0] : "";
    if (n == 4 && strcmp(word, "push") == 0)
        return read_push(h, field);
    if (n == 4 && strcmp(word, "found") == 0)
        history_found(h, field[1], field[2], field[3]);
    else if (n == 3 && strcmp(word, "receipt") == 0)
        history_receipt(h, field[1], field[2]);
    else if (n == 2 && strcmp(word, "ledger") == 0)
        history_ledger(h, field[1]);
    else if (n == 2 && strcmp(word, "done") == 0)
        history_outcome(h, field[1], OUTCOME_DONE);
    else if (n == 2 && strcmp(word, "failed") == 0)
        history_outcome(h, field[1], OUTCOME_FAILED);
    else if (n == 2 && strcmp(word, "unknown") == 0)
        history_outcome(h, field[1], OUTCOME_UNKNOWN);
    else
        return false;
    return true;
}

uint64_t history_read(struct history *h, const char *path)
{
    char line[LINE_LEN_MAX];
    uint64_t number = 0;
    bool is_good = true;
    FILE *f = fopen(path, "r");
    if (!f)
        return 1;
    while (is_good && fgets(line, sizeof line, f)) {
        number++;
        is_good = read_line(h, line);
    }
    fclose(f);
    return is_good ? 0 : number;
}
