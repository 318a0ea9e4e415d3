/*
 * Daemons: started with a step armed, killed, reaped. See kill.h.
 */
#include "kill.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
    PIECE_MS = 3,
    STOP_MS = 20000,
    NODE_MS = 1500,
    BROKER_MS = 3000,
    RANDOM_MS = 400,
    ARGS_MAX = 24
};

extern char **environ;

/* What a process is to be told besides our own environment. */
struct setting {
    char preload[PATH_MAX + 32];
    char root[PATH_MAX + 32];
    char what[TEXT];
    char *env[4 + 256];
};

static void arm(struct campaign *c, struct setting *s, const struct step *step, const char *root)
{
    size_t n = 0;
    if (step && step->action) {
        unsigned nth = 1 + (unsigned)rand_below(&c->rand, step->spread);
        snprintf(s->preload, sizeof s->preload, "LD_PRELOAD=%s/tap.so", c->bin);
        snprintf(s->root, sizeof s->root, "COMITY_TAP_ROOT=%s", root);
        snprintf(s->what, sizeof s->what, "COMITY_TAP_DO=%s %s %s %u", step->action, step->call,
                 step->glob, nth);
        s->env[n++] = s->preload;
        s->env[n++] = s->root;
        s->env[n++] = s->what;
    }
    for (char **e = environ; *e && n < 4 + 255; e++)
        s->env[n++] = *e;
    s->env[n] = NULL;
}

/* Dies with us: a campaign that is killed leaves nothing running. */
static pid_t launch(const struct setting *s, const char *log, const char *const *argv)
{
    pid_t parent = getpid();
    pid_t pid = fork();
    if (pid < 0)
        kill_die("fork", strerror(errno));
    if (pid > 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(98);
    int fd = open(log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    int none = open("/dev/null", O_RDONLY);
    dup2(none, 0);
    dup2(fd, 1);
    dup2(fd, 2);
    execve(argv[0], (char *const *)argv, (char *const *)s->env);
    _exit(97);
}

static void log_of(const struct campaign *c, const char *who, char ret[PATH_MAX])
{
    path_put(ret, "%s/%s.log", c->dir, who);
}

void process_start(struct kill_daemon *d, const struct step *step)
{
    struct campaign *c = d->c;
    struct setting s = {0};
    char program[PATH_MAX];
    char conf[PATH_MAX];
    char log[PATH_MAX];
    bool is_hub = d->at == HUB;
    path_put(program, "%s/comity-%s", c->bin, is_hub ? "broker" : "node");
    path_put(conf, "%s/%s.conf", d->dir, is_hub ? "broker" : "node");
    log_of(c, d->id, log);
    const char *const argv[] = {program, "-c", conf, "-p", c->passphrase_file, NULL};
    arm(c, &s, step, d->dir);
    d->step = step;
    d->until_ms = 0;
    if (step)
        d->until_ms = mono_ms() + (step->action ? is_hub ? BROKER_MS : NODE_MS
                                                : 30 + (int64_t)rand_below(&c->rand, RANDOM_MS));
    d->is_read = false;
    d->pid = launch(&s, log, argv);
}

void process_kill(struct kill_daemon *d)
{
    if (d->pid)
        kill(d->pid, SIGKILL);
}

static void sleep_ms(long ms)
{
    usleep((useconds_t)ms * 1000);
}

static struct kill_daemon *reap_one(struct campaign *c, bool *ret_killed)
{
    for (size_t i = 0; i < DAEMONS; i++) {
        struct kill_daemon *d = &c->daemon[i];
        int status = 0;
        if (!d->pid || waitpid(d->pid, &status, WNOHANG) != d->pid)
            continue;
        d->pid = 0;
        *ret_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
        if (!*ret_killed)
            kill_fail(c, d->id, "it ended by itself: status 0x%x (see its log)", (unsigned)status);
        return d;
    }
    return NULL;
}

struct kill_daemon *process_reap(struct campaign *c, int ms, bool *ret_killed)
{
    int64_t until = mono_ms() + ms;
    for (;;) {
        struct kill_daemon *d = reap_one(c, ret_killed);
        if (d || mono_ms() >= until)
            return d;
        sleep_ms(PIECE_MS);
    }
}

void process_stop(struct kill_daemon *d)
{
    int status = 0;
    int64_t until = mono_ms() + STOP_MS;
    if (!d->pid)
        return;
    kill(d->pid, SIGTERM);
    while (waitpid(d->pid, &status, WNOHANG) == 0) {
        if (mono_ms() > until) {
            kill_fail(d->c, d->id, "it does not stop when it is asked to");
            kill(d->pid, SIGKILL);
            waitpid(d->pid, &status, 0);
            break;
        }
        sleep_ms(PIECE_MS);
    }
    d->pid = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        kill_fail(d->c, d->id, "it stops with status 0x%x", (unsigned)status);
}

int process_run(struct campaign *c, const struct step *step, const char *root,
                const char *const *argv)
{
    struct setting s = {0};
    char log[PATH_MAX];
    int status = 0;
    log_of(c, "commands", log);
    arm(c, &s, step, root);
    pid_t pid = launch(&s, log, argv);
    if (waitpid(pid, &status, 0) != pid)
        kill_die("waitpid", strerror(errno));
    return status;
}
