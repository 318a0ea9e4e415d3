/*
 * A daemon as it is shipped, with the disk misbehaving: built as tap.so and preloaded.
 *
 *     COMITY_TAP_ROOT   the folder whose files are meant: the daemon's own
 *     COMITY_TAP_DO     what to do and when: ACTION CALL GLOB NTH [COUNT], or with commas
 *                       between them
 *     COMITY_TAP_WHILE  a file (outside of the folder): only calls while it is there are meant
 *
 * ACTION: before (the process is killed when the call is about to be made), torn (… when half of
 * what it writes was written), after (… when it has succeeded), or the name of an error (EIO,
 * ENOSPC, EINTR, EDQUOT), with which it fails, or short (it writes one byte less than asked). CALL:
 * a word of tap_word, or any. GLOB: of the path below the root, as fnmatch has it, where * also
 * stands for a slash. The NTH such call is meant, and the COUNT - 1 behind it (0: all).
 */
#include "tap.h"

#include <errno.h>
#include <fnmatch.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum action { KILL_BEFORE, KILL_TORN, KILL_AFTER, FAIL, SHORT, LOG };

static struct {
    enum action action;
    int error;
    char call[16];
    char glob[128];
    const char *while_there; /* NULL: always */
    unsigned long nth;
    unsigned long count;
    unsigned long seen;
    bool is_now; /* the call that is being made is one that is meant */
} plan;

static void die_of(const char *what)
{
    fprintf(stderr, "tap: %s\n", what);
    _exit(99);
}

static void kill_now(void)
{
    kill(getpid(), SIGKILL);
    for (;;)
        pause();
}

static bool is_meant(const struct tap_call *c)
{
    if (strcmp(plan.call, "any") != 0 && strcmp(plan.call, tap_word(c->kind)) != 0)
        return false;
    if (fnmatch(plan.glob, c->path, 0) != 0)
        return false;
    if (plan.while_there && access(plan.while_there, F_OK) != 0)
        return false;
    plan.seen++;
    return plan.seen >= plan.nth && (plan.count == 0 || plan.seen < plan.nth + plan.count);
}

static int before(void *self, const struct tap_call *c, size_t *len)
{
    (void)self;
    plan.is_now = is_meant(c);
    if (!plan.is_now)
        return 0;
    switch (plan.action) {
    case KILL_BEFORE:
        kill_now();
        break;
    case KILL_TORN:
        if (c->kind == TAP_WRITE && *len > 1)
            *len /= 2;
        break;
    case SHORT:
        if (c->kind == TAP_WRITE && *len > 1)
            *len -= 1;
        break;
    case FAIL:
        return plan.error;
    case LOG:
        fprintf(stderr, "tap: %s %s %zu\n", tap_word(c->kind), c->path, *len);
        break;
    case KILL_AFTER:
        break;
    }
    return 0;
}

static void after(void *self, const struct tap_call *c)
{
    (void)self;
    (void)c;
    if (plan.is_now && (plan.action == KILL_AFTER || plan.action == KILL_TORN))
        kill_now();
}

static void take_action(const char *word)
{
    static const struct {
        const char *word;
        enum action action;
        int error;
    } table[] = {{"before", KILL_BEFORE, 0}, {"torn", KILL_TORN, 0}, {"after", KILL_AFTER, 0},
                 {"short", SHORT, 0},        {"log", LOG, 0},        {"EIO", FAIL, EIO},
                 {"ENOSPC", FAIL, ENOSPC},   {"EINTR", FAIL, EINTR}, {"EDQUOT", FAIL, EDQUOT}};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(word, table[i].word) == 0) {
            plan.action = table[i].action;
            plan.error = table[i].error;
            return;
        }
    die_of("COMITY_TAP_DO: no such action");
}

__attribute__((constructor)) static void begin(void)
{
    static const struct tap tap = {.before = before, .after = after};
    const char *root = getenv("COMITY_TAP_ROOT");
    const char *what = getenv("COMITY_TAP_DO");
    char action[16] = "";
    char words[256];
    if (!root || !what)
        return;
    plan.count = 1;
    plan.while_there = getenv("COMITY_TAP_WHILE");
    snprintf(words, sizeof words, "%s", what);
    for (char *comma = words; (comma = strchr(comma, ','));)
        *comma = ' ';
    if (sscanf(words, "%15s %15s %127s %lu %lu", action, plan.call, plan.glob, &plan.nth,
               &plan.count) < 4)
        die_of("COMITY_TAP_DO is not understood");
    take_action(action);
    tap_begin(root, &tap);
    plan.seen = 0; /* what was there before is not meant */
}
