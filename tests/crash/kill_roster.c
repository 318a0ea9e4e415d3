/*
 * The next roster: made by an authority that is killed between its files and tries again, brought
 * to the broker and the bureaus by commands that are killed, too. See kill.h.
 *
 * After every death the file is the old one or the new one, whole. (What was being written beside
 * it may stay.)
 */
#include "kill.h"

#include "base/file.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

enum { TRIES_MAX = 12, ARGS_MAX = 16, ROSTER_MAX = 4 * 1024 * 1024 };

static void take_all(const char *path, struct buf *out)
{
    buf_reset(out);
    if (file_read(path, ROSTER_MAX, out))
        buf_reset(out);
}

static bool same(const struct buf *a, const struct buf *b)
{
    return bytes_equal(buf_bytes(a), buf_bytes(b));
}

/* Run ${argv}, killed at a step of ${p} unless ${is_last}. Whether it was killed. */
static bool run_armed(struct campaign *c, enum program p, bool is_last, const char *root,
                      const char *const *argv)
{
    size_t i = is_last ? step_count : step_pick(c, p);
    if (!is_last)
        c->tally[i].armed++;
    int status = process_run(c, is_last ? NULL : &steps[i], root, argv);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
        c->tally[i].hit++;
        c->cycle++;
        return true;
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        kill_fail(c, argv[1], "%s fails with status 0x%x (commands.log)", argv[2],
                  (unsigned)status);
    return false;
}

static bool is_roster(struct campaign *c, const char *comity, const char *path, const char *network)
{
    const char *const argv[] = {comity, "authority", "show", path, "--network", network, NULL};
    int status = process_run(c, NULL, c->dir, argv);
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* ---- the authority ---- */

static void make_roster(struct campaign *c, const char *comity, const char *roster)
{
    char root[PATH_MAX];
    char network[PATH_MAX];
    char key[PATH_MAX];
    char join[PATH_MAX];
    struct buf before = BUF_INIT;
    struct buf after = BUF_INIT;
    path_put(root, "%s/authority", c->dir);
    path_put(network, "%s/authority/test-net.network", c->dir);
    path_put(key, "%s/authority/test-net.authority.key", c->dir);
    path_put(join, "%s/authority/spare.join", c->dir);
    const char *const add[] = {comity,
                               "authority",
                               "add",
                               join,
                               "--network",
                               network,
                               "--key",
                               key,
                               "--passphrase-file",
                               c->passphrase_file,
                               "--yes",
                               NULL};
    const char *const revoke[] = {comity,
                                  "authority",
                                  "revoke",
                                  "330106-001",
                                  "--at",
                                  "nothing",
                                  "--network",
                                  network,
                                  "--key",
                                  key,
                                  "--passphrase-file",
                                  c->passphrase_file,
                                  "--yes",
                                  NULL};
    take_all(roster, &before);
    for (int tries = 0; tries <= TRIES_MAX; tries++) {
        run_armed(c, PROGRAM_AUTHORITY, tries == TRIES_MAX, root, c->rosters ? revoke : add);
        take_all(roster, &after);
        if (same(&before, &after))
            continue;
        if (!is_roster(c, comity, roster, network))
            kill_fail(c, "authority", "what a death left is no roster");
        break;
    }
    if (same(&before, &after))
        kill_fail(c, "authority", "no further roster after %d tries", TRIES_MAX);
    buf_free(&before);
    buf_free(&after);
}

/* ---- joining ---- */

static void join_roster(struct kill_daemon *d, const char *comity, const char *roster)
{
    struct campaign *c = d->c;
    struct buf before = BUF_INIT;
    struct buf wanted = BUF_INIT;
    struct buf after = BUF_INIT;
    char path[PATH_MAX];
    const char *const argv[] = {
        comity, d->at == HUB ? "broker" : "node", "join", "--dir", d->dir, "--roster", roster,
        NULL};
    path_put(path, "%s/roster", d->dir);
    take_all(roster, &wanted);
    take_all(path, &before);
    for (int tries = 0; tries <= TRIES_MAX; tries++) {
        bool killed = run_armed(c, PROGRAM_JOIN, tries > 0, d->dir, argv);
        take_all(path, &after);
        if (!same(&after, &wanted) && !same(&after, &before))
            kill_fail(c, d->id, "a death left half a roster");
        if (!killed)
            break;
    }
    if (!same(&after, &wanted))
        kill_fail(c, d->id, "the roster was not taken");
    if (d->pid)
        kill(d->pid, SIGHUP);
    buf_free(&before);
    buf_free(&wanted);
    buf_free(&after);
}

void roster_cycle(struct campaign *c)
{
    char comity[PATH_MAX];
    char roster[PATH_MAX];
    path_put(comity, "%s/comity", c->bin);
    path_put(roster, "%s/authority/test-net.roster", c->dir);
    if (c->rosters == 2)
        return; /* the spare member has come and gone */
    make_roster(c, comity, roster);
    c->rosters++;
    for (size_t i = 0; i < DAEMONS; i++)
        join_roster(&c->daemon[i], comity, roster);
}
