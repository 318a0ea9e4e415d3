/* What was recorded. See trace.h. */
#include "trace.h"

#include <stdlib.h>
#include <string.h>

static struct event *next_event(struct trace *t, int party)
{
    if (t->count == t->cap) {
        t->cap = t->cap ? 2 * t->cap : 4096;
        t->at = realloc(t->at, t->cap * sizeof *t->at);
        if (!t->at)
            abort();
    }
    struct event *e = &t->at[t->count++];
    *e = (struct event){.party = party};
    return e;
}

static char *copy_text(const char *s)
{
    char *copy = s ? strdup(s) : NULL;
    if (s && !copy)
        abort();
    return copy;
}

void trace_add_call(struct trace *t, int party, const struct tap_call *call)
{
    struct event *e = next_event(t, party);
    uint8_t *data = NULL;
    if (call->kind == TAP_WRITE) {
        data = malloc((size_t)call->len + 1);
        if (!data)
            abort();
        memcpy(data, call->data, (size_t)call->len);
    }
    e->call = *call;
    e->call.path = copy_text(call->path);
    e->call.to = copy_text(call->to);
    e->call.data = data;
    t->calls++;
}

void trace_add_mark(struct trace *t, int party, const struct mark *mark)
{
    struct event *e = next_event(t, party);
    e->is_mark = true;
    e->mark = *mark;
}

void trace_free(struct trace *t)
{
    for (size_t i = 0; i < t->count; i++) {
        free((char *)t->at[i].call.path);
        free((char *)t->at[i].call.to);
        free((uint8_t *)t->at[i].call.data);
    }
    free(t->at);
    *t = (struct trace){0};
}
