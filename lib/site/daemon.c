/*
 * The first steps of a daemon. See daemon.h.
 */
#include "site/daemon.h"

#include "crypto/keyfile.h"

#include <comity/err.h>
#include <malloc.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

/* As many descriptors as we may have: a connection takes one, and strangers can make connections.
 */
static void raise_files(void)
{
    struct rlimit r;
    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &r);
    }
}

void daemon_harden(void)
{
    umask(077);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    raise_files();
    /* Parcels are a few hundred KiB: by default each would be mapped, faulted in and unmapped
     * again. */
    (void)mallopt(M_MMAP_THRESHOLD, 64 * 1024 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 256 * 1024 * 1024);
}

static int unlock(const struct site *s, const char *passphrase_file, struct site_keys *ret,
                  struct buf *detail)
{
    const char *from = passphrase_file ? passphrase_file : s->passphrase_file;
    if (!from) {
        buf_put_str(detail, "give --passphrase-file, or passphrase_file in the configuration");
        return COMITY_E_KEY_LOCKED;
    }
    struct buf passphrase = BUF_INIT;
    int err = passphrase_read(from, &passphrase);
    if (err)
        buf_put_str(detail, from);
    else
        err = site_unlock(s, buf_bytes(&passphrase), ret, detail);
    buf_wipe(&passphrase);
    return err;
}

/* The address sanitizer reserves terabytes; there the cap is left out. */
static int cap_memory(uint64_t bytes)
{
#if defined(__SANITIZE_ADDRESS__)
    (void)bytes;
    return COMITY_OK;
#else
    const struct rlimit cap = {.rlim_cur = bytes, .rlim_max = bytes};
    return setrlimit(RLIMIT_AS, &cap) == 0 ? COMITY_OK : COMITY_E_LIMIT;
#endif
}

int daemon_open(const char *config, enum member_role role, const char *passphrase_file,
                struct site **ret, struct site_keys *ret_keys, struct buf *detail)
{
    struct site *s = NULL;
    int err = site_load(config, &s, detail);
    if (err)
        return err;
    log_init(s->log_level);
    if (s->role != role) {
        buf_printf(detail, "%s is not the configuration of a %s", config,
                   role == MEMBER_BROKER ? "broker" : "node");
        err = COMITY_E_CONFIG;
    }
    if (!err)
        err = cap_memory(s->memory_bytes);
    if (!err)
        err = unlock(s, passphrase_file, ret_keys, detail);
    if (err)
        site_free(s);
    else
        *ret = s;
    return err;
}

int daemon_signals(int *ret_fd)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    if (pthread_sigmask(SIG_BLOCK, &set, NULL) != 0)
        return COMITY_E_INTERNAL;
    int fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (fd < 0)
        return COMITY_E_LIMIT;
    *ret_fd = fd;
    return COMITY_OK;
}

void daemon_take_signals(int fd, bool *wants_hup, bool *wants_stop)
{
    struct signalfd_siginfo info;
    while (read(fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            *wants_hup = true;
        else
            *wants_stop = true;
    }
}

void daemon_not_started(int err, struct buf *detail)
{
    log_event(LOG_ERROR, "not_started", LOG_ERR(err), LOG_STR("sentence", comity_err_text(err)),
              LOG_STR("detail", buf_str(detail)));
}
