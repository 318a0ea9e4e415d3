/*
 * crash: what a power cut may do to a small network, tried out. See replay.h.
 *
 *   crash [--states N] [--days N] [--day SEED] [--actions N] [--jobs N] [--stop]
 *   crash --day SEED --actions N --at POINT --cut lost|kept|some|torn --seed N
 *
 * Exit status: 0 nothing is wrong, 1 something is, 2 usage.
 */
#include "replay.h"

#include "base/log.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct arguments {
    uint64_t states;
    uint64_t days;
    uint64_t day;
    uint64_t seed;
    uint64_t at; /* UINT64_MAX: everywhere */
    unsigned actions;
    unsigned jobs;
    enum cut cut;
    bool stops;
};

static double now_s(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- arguments ---- */

static int usage(void)
{
    fputs("usage: crash [--states N] [--days N] [--day SEED] [--actions N] [--jobs N] [--stop]\n"
          "       crash --day SEED --actions N --at POINT --cut lost|kept|some|torn --seed N\n",
          stderr);
    return 2;
}

static bool get_cut(const char *word, enum cut *ret)
{
    for (enum cut c = CUT_ALL_LOST; c <= CUT_TORN; c++)
        if (strcmp(word, cut_word(c)) == 0) {
            *ret = c;
            return true;
        }
    return false;
}

static bool get_arguments(int argc, char **argv, struct arguments *a)
{
    static const struct option options[] = {{"states", 1, NULL, 'n'}, {"days", 1, NULL, 'D'},
                                            {"day", 1, NULL, 'd'},    {"actions", 1, NULL, 'a'},
                                            {"jobs", 1, NULL, 'j'},   {"at", 1, NULL, 'p'},
                                            {"cut", 1, NULL, 'c'},    {"seed", 1, NULL, 's'},
                                            {"stop", 0, NULL, 'x'},   {NULL, 0, NULL, 0}};
    for (int o = 0; (o = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        uint64_t n = optarg ? strtoull(optarg, NULL, 10) : 0;
        switch (o) {
        case 'n':
            a->states = n;
            break;
        case 'D':
            a->days = n;
            break;
        case 'd':
            a->day = n;
            break;
        case 'a':
            a->actions = (unsigned)n;
            break;
        case 'j':
            a->jobs = (unsigned)n;
            break;
        case 'p':
            a->at = n;
            break;
        case 's':
            a->seed = n;
            break;
        case 'x':
            a->stops = true;
            break;
        case 'c':
            if (get_cut(optarg, &a->cut))
                break;
            return false;
        default:
            return false;
        }
    }
    return optind == argc && a->days && a->jobs && a->jobs <= 64;
}

/* ---- working ---- */

/* Memory in which the figures outlive the worker. */
static struct figures *share(unsigned jobs)
{
    void *at = mmap(NULL, jobs * sizeof(struct figures), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    MUST(at != MAP_FAILED);
    return at;
}

static void work(struct day *d, uint64_t seed, struct replay_plan plan, const char *folder,
                 struct figures *f)
{
    char path[300];
    snprintf(path, sizeof path, "%s/%u", folder, plan.worker);
    MUST(mkdir(path, 0700) == 0);
    plan.folder = path;
    replay(d, seed, &plan, f);
    _exit(0);
}

/* A worker that ended otherwise has found something, too. */
static void wait_for(pid_t pid, struct figures *f)
{
    int status = 0;
    MUST(waitpid(pid, &status, 0) == pid);
    if (status == 0)
        return;
    if (f->found < FINDINGS_MAX) {
        f->finding[f->found].at = f->now;
        snprintf(f->finding[f->found].why, sizeof f->finding[0].why,
                 "the process ended with status %#x", (unsigned)status);
    }
    f->found++;
}

static void add_figures(struct figures *sum, const struct figures *f)
{
    sum->points += f->points;
    sum->cuts += f->cuts;
    sum->states += f->states;
    sum->starts += f->starts;
    sum->whole += f->whole;
    for (uint64_t i = 0; i < f->found && i < FINDINGS_MAX; i++)
        if (sum->found + i < FINDINGS_MAX)
            sum->finding[sum->found + i] = f->finding[i];
    sum->found += f->found;
}

static void replay_day(const struct arguments *a, uint64_t seed, const char *folder,
                       struct figures *sum)
{
    struct day *d = day_record(seed, a->actions);
    struct figures *f = share(a->jobs);
    pid_t pid[64];
    char scratch[280];
    snprintf(scratch, sizeof scratch, "%s/day", folder);
    MUST(mkdir(scratch, 0700) == 0);
    fflush(stdout);
    for (unsigned i = 0; i < a->jobs; i++) {
        const struct replay_plan plan = {.states = a->states / a->days / a->jobs,
                                         .worker = i,
                                         .workers = a->jobs,
                                         .stops = a->stops};
        pid[i] = fork();
        MUST(pid[i] >= 0);
        if (pid[i] == 0)
            work(d, seed, plan, scratch, &f[i]);
    }
    for (unsigned i = 0; i < a->jobs; i++) {
        wait_for(pid[i], &f[i]);
        add_figures(sum, &f[i]);
    }
    munmap(f, a->jobs * sizeof *f);
    day_free(d);
    char command[320];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    MUST(system(command) == 0);
}

static void print_figures(const struct arguments *a, const struct figures *f, double s)
{
    for (uint64_t i = 0; i < f->found && i < FINDINGS_MAX; i++) {
        const struct place *p = &f->finding[i].at;
        printf(
            "VIOLATION: %s\n  again: crash --day %llu --actions %u --at %zu --cut %s --seed %llu\n",
            f->finding[i].why, (unsigned long long)p->day, a->actions, p->point, cut_word(p->cut),
            (unsigned long long)p->seed);
    }
    printf(
        "%llu days, %llu crash points, %llu cuts: %llu states, each opened; %llu of them started "
        "from, %llu looked at in full; %.1f s, %.0f states/s; %llu violations\n",
        (unsigned long long)a->days, (unsigned long long)f->points, (unsigned long long)f->cuts,
        (unsigned long long)f->states, (unsigned long long)f->starts, (unsigned long long)f->whole,
        s, (double)f->states / s, (unsigned long long)f->found);
}

/* ---- main ---- */

static int run(const struct arguments *a, const char *folder)
{
    struct figures sum = {0};
    double began = now_s();
    if (a->at != UINT64_MAX) {
        struct day *d = day_record(a->day, a->actions);
        log_init(LOG_DEBUG);
        bool ok = a->at < d->trace.count &&
                  replay_one(d, &(struct place){a->day, a->at, a->cut, a->seed}, folder);
        day_free(d);
        return ok ? 0 : 1;
    }
    for (uint64_t i = 0; i < a->days && !(a->stops && sum.found); i++)
        replay_day(a, a->day + i, folder, &sum);
    print_figures(a, &sum, now_s() - began);
    return sum.found ? 1 : 0;
}

int main(int argc, char **argv)
{
    struct arguments a = {.states = 20000,
                          .days = 1,
                          .day = 1,
                          .at = UINT64_MAX,
                          .actions = 32,
                          .jobs = (unsigned)sysconf(_SC_NPROCESSORS_ONLN)};
    char folder[] = "/dev/shm/comity-crash-XXXXXX";
    char elsewhere[] = "/tmp/comity-crash-XXXXXX";
    if (!get_arguments(argc, argv, &a))
        return usage();
    char *scratch = mkdtemp(folder);
    if (!scratch)
        scratch = mkdtemp(elsewhere);
    MUST(scratch && setenv("TMPDIR", scratch, 1) == 0);
    log_init((enum log_level)(LOG_ERROR + 1)); /* what the day goes through is no news */
    int status = run(&a, scratch);
    char command[64];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch);
    MUST(system(command) == 0);
    return status;
}
