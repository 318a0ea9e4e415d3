/*
 * The cycles of the kill -9 campaign. See kill.h; kill.sh makes the network, and judges what is
 * left by the audit.
 *
 *     crash-kill DIR BIN CYCLES SEED
 *
 * DIR: a network as kill.sh lays it out. Prints what should not be as "# …", then lines of figures
 * for kill.sh. Ends with 0 when nothing was found.
 */
#include "kill.h"

#include "dice.h"

#include "crypto/keyfile.h"

#include <comity/err.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_MS = 5000, LOOK_MS = 10, ARMED_MAX = 3 };

static const char *const member[DAEMONS] = {"hub", "330100-001", "440300-001", "510100-001"};

/* ---- chance and time ---- */

uint64_t rand_next(uint64_t *state)
{
    return dice_next(state);
}

uint64_t rand_below(uint64_t *state, uint64_t n)
{
    return rand_next(state) % n;
}

int64_t mono_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t mono_ms(void)
{
    return mono_us() / 1000;
}

/* ---- what should not be ---- */

void kill_die(const char *what, const char *detail)
{
    printf("# the campaign cannot go on: %s: %s\n", what, detail);
    fflush(stdout);
    exit(2);
}

void path_put(char ret[PATH_MAX], const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(ret, PATH_MAX, format, ap);
    va_end(ap);
    if (n < 0 || n >= PATH_MAX)
        kill_die(ret, "is too long a path");
}

void kill_fail(struct campaign *c, const char *who, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    pthread_mutex_lock(&c->lock);
    if (c->failures++ < 40) {
        printf("# cycle %u, %s: ", c->cycle, who);
        vprintf(format, ap);
        putchar('\n');
        fflush(stdout);
    }
    pthread_mutex_unlock(&c->lock);
    va_end(ap);
}

/* ---- making ready ---- */

static void open_daemon(struct campaign *c, size_t i, struct bytes pass)
{
    struct kill_daemon *d = &c->daemon[i];
    struct buf detail = BUF_INIT;
    char path[PATH_MAX];
    d->c = c;
    d->at = i;
    d->leads = step_count;
    snprintf(d->id, sizeof d->id, "%s", member[i]);
    snprintf(d->dir, sizeof d->dir, "%.2000s/%s", c->dir, member[i]);
    path_put(path, "%s/keys", d->dir);
    keys_cheapen(path, c->passphrase_file);
    path_put(path, "%s/%s.conf", d->dir, i == HUB ? "broker" : "node");
    if (site_load(path, &d->site, &detail) || site_unlock(d->site, pass, &d->keys, &detail))
        kill_die(path, buf_str(&detail));
    snprintf(d->origin, sizeof d->origin, "%s", d->site->origin);
    buf_free(&detail);
}

static void open_officers(struct campaign *c, size_t i, struct bytes pass)
{
    struct bureau *b = &c->bureau[i];
    b->c = c;
    b->d = &c->daemon[i];
    for (size_t k = 0; k < OFFICERS; k++) {
        char path[PATH_MAX];
        path_put(path, "%s/%s-0%zu.key", c->dir, member[i], k + 1);
        if (keyfile_open_signer(path, KEY_OFFICER, pass, &b->officer[k]))
            kill_die(path, "cannot be opened");
    }
}

static void make_ready(struct campaign *c)
{
    struct buf pass = BUF_INIT;
    struct buf officers = BUF_INIT;
    char path[PATH_MAX];
    path_put(c->passphrase_file, "%s/passphrase", c->dir);
    path_put(c->officer_passphrase_file, "%s/officer-passphrase", c->dir);
    path_put(path, "%s/authority", c->dir);
    keys_cheapen(path, c->passphrase_file);
    if (passphrase_read(c->passphrase_file, &pass) ||
        passphrase_read(c->officer_passphrase_file, &officers))
        kill_die(c->dir, "has no passphrases");
    for (size_t i = 0; i < DAEMONS; i++)
        open_daemon(c, i, buf_bytes(&pass));
    for (size_t i = 1; i < DAEMONS; i++)
        open_officers(c, i, buf_bytes(&officers));
    buf_free(&pass);
    buf_free(&officers);
    c->history = history_new();
    c->tally = calloc(step_count, sizeof *c->tally);
    if (!c->history || !c->tally)
        kill_die("memory", "none");
}

/* ---- cycles ---- */

static size_t step_named(const char *name)
{
    for (size_t i = 0; name && i < step_count; i++)
        if (strcmp(steps[i].name, name) == 0)
            return i;
    return step_count;
}

static size_t armed_now(const struct campaign *c)
{
    size_t n = 0;
    for (size_t i = 0; i < DAEMONS; i++)
        n += c->daemon[i].pid && c->daemon[i].step;
    return n;
}

/* Start what has died, with the next step armed while not too many are: for something to be on its
 * way, most must live. */
static void start_again(struct kill_daemon *d)
{
    struct campaign *c = d->c;
    bool is_armed = armed_now(c) < ARMED_MAX && rand_below(&c->rand, 8) != 0;
    size_t i = d->leads;
    if (i == step_count)
        i = step_pick(c, d->at == HUB ? PROGRAM_BROKER : PROGRAM_NODE);
    else
        is_armed = true;
    d->leads = step_count;
    if (is_armed)
        c->tally[i].armed++;
    process_start(d, is_armed ? &steps[i] : NULL);
}

/* Those whose time has come; and somebody who is not armed when too few are. */
static void kill_due(struct campaign *c)
{
    int64_t now = mono_ms();
    for (size_t i = 0; i < DAEMONS; i++)
        if (c->daemon[i].pid && c->daemon[i].until_ms && now > c->daemon[i].until_ms)
            process_kill(&c->daemon[i]);
    uint64_t chance = rand_below(&c->rand, 2 * DAEMONS); /* the broker has half of all steps */
    struct kill_daemon *d = &c->daemon[chance < DAEMONS ? chance : HUB];
    if (armed_now(c) == 0 || (armed_now(c) < ARMED_MAX && rand_below(&c->rand, 20) == 0))
        process_kill(d);
}

static size_t random_step(const struct kill_daemon *d)
{
    for (size_t i = 0; i < step_count; i++)
        if (!steps[i].action && (steps[i].program == PROGRAM_BROKER) == (d->at == HUB))
            return i;
    return step_count;
}

static void died(struct kill_daemon *d)
{
    struct campaign *c = d->c;
    bool is_hit = d->step && d->step->action && mono_ms() <= d->until_ms;
    size_t i = is_hit ? (size_t)(d->step - steps) : random_step(d);
    c->tally[i].hit++;
    d->leads = is_hit ? step_named(d->step->leads) : step_count;
    c->cycle++;
    check_dead(d);
}

/* On a busy machine some steps are reached too late to count; a network goes on for them, for half
 * as long again. */
static bool is_over(const struct campaign *c)
{
    return c->failures || c->cycle >= c->cycles + (steps_missed(c) ? c->cycles / 2 : 0);
}

static void run_cycles(struct campaign *c)
{
    int64_t roster_at[2] = {c->cycles / 4, c->cycles / 2};
    while (!is_over(c)) {
        bool killed = false;
        if (c->rosters < 2 && c->cycle >= roster_at[c->rosters])
            roster_cycle(c);
        struct kill_daemon *d = process_reap(c, LOOK_MS, &killed);
        if (d) {
            died(d);
            start_again(d);
        } else {
            kill_due(c);
        }
    }
}

/* A segment is made once in a small network: those who make theirs first are killed at it. */
static void warm_up(struct campaign *c)
{
    static const char *const first[DAEMONS] = {"broker, segment made", "node, segment made"};
    for (size_t i = 0; i < DAEMONS; i++) {
        size_t step = step_named(first[i]);
        if (step < step_count)
            c->tally[step].armed++;
        process_start(&c->daemon[i], step < step_count ? &steps[step] : NULL);
        if (c->daemon[i].until_ms)
            c->daemon[i].until_ms += FIRST_MS;
    }
    officers_start(c);
}

static void print_figures(const struct campaign *c, int64_t cycles_ms, int64_t all_ms)
{
    size_t pushes = 0;
    for (size_t i = 1; i < DAEMONS; i++)
        pushes += c->bureau[i].count;
    printf("cycles\t%u\n", c->cycle);
    printf("cycles_ms\t%lld\nall_ms\t%lld\n", (long long)cycles_ms, (long long)all_ms);
    printf("check_us\t%lld\nrebuild_us\t%lld\nchecks\t%u\n", (long long)c->check_us,
           (long long)c->rebuild_us, c->checks);
    printf("pushes\t%zu\nasked_again\t%u\nrepeated\t%u\n", pushes, c->asked_again, c->repeated);
    printf("operations\t%llu\n", (unsigned long long)history_operations(c->history));
    for (size_t i = 0; i < DAEMONS; i++)
        printf("entries\t%llu\t%s\n", (unsigned long long)c->daemon[i].book.size, member[i]);
    steps_print(c, stdout);
}

int main(int argc, char **argv)
{
    static struct campaign c;
    if (argc != 5) {
        fprintf(stderr, "usage: crash-kill DIR BIN CYCLES SEED\n");
        return 2;
    }
    c.dir = argv[1];
    c.bin = argv[2];
    c.cycles = (unsigned)strtoul(argv[3], NULL, 10);
    c.seed = c.rand = strtoull(argv[4], NULL, 10);
    pthread_mutex_init(&c.lock, NULL);
    signal(SIGPIPE, SIG_IGN);
    if (crypto_init())
        kill_die("crypto", "does not work");
    make_ready(&c);
    int64_t begun = mono_ms();
    warm_up(&c);
    run_cycles(&c);
    int64_t killed = mono_ms();
    if (!c.failures)
        end_judge(&c);
    else
        officers_stop(&c);
    print_figures(&c, killed - begun, mono_ms() - begun);
    return c.failures ? 1 : 0;
}
