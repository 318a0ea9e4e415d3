/*
 * Asking, and showing how far things are. See term.h.
 */
#include "term.h"

#include "base/clock.h"
#include "base/lang.h"
#include "out.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

enum { SECRET_MAX = 1024, FIRST_DRAW_MS = 1000, DRAW_MS = 200, BAR = 24, LABEL_MAX = 28 };

static volatile sig_atomic_t interrupted;

static void on_interrupt(int signal_number)
{
    (void)signal_number;
    interrupted = 1;
}

/* While it is caught, an interrupt makes read() return, so that the terminal can be put right
 * again. */
static void catch_interrupt(struct sigaction *ret_before)
{
    struct sigaction act = {.sa_handler = on_interrupt};
    sigemptyset(&act.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, &act, ret_before);
}

static struct sigaction before_interrupts;

void term_interrupts_begin(void)
{
    struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&act.sa_mask);
    interrupted = 0;
    sigaction(SIGINT, NULL, &before_interrupts);
    if (before_interrupts.sa_handler != SIG_IGN)
        sigaction(SIGINT, &act, NULL);
}

void term_interrupts_end(void)
{
    sigaction(SIGINT, &before_interrupts, NULL);
}

bool term_is_interrupted(void)
{
    return interrupted != 0;
}

/* A line of at most ${max} bytes, without its end. */
static int read_line(int fd, struct buf *out, size_t max)
{
    for (;;) {
        uint8_t b;
        ssize_t n = read(fd, &b, 1);
        if (interrupted || n == 0)
            return COMITY_E_INTERRUPTED;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return COMITY_E_IO;
        if (b == '\n')
            return buf_check(out);
        if (out->len == max)
            return COMITY_E_TOO_LARGE;
        buf_put_u8(out, b);
    }
}

static void say(int fd, const char *text)
{
    if (write(fd, text, strlen(text)) < 0) {
        /* a terminal that takes no text will not give an answer either */
    }
}

void term_say(const char *text)
{
    int fd = open("/dev/tty", O_WRONLY | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return;
    say(fd, text);
    say(fd, "\n");
    close(fd);
}

int term_ask(const char *question, bool *ret)
{
    struct buf answer = BUF_INIT;
    struct sigaction before;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return COMITY_E_NOT_FOUND;
    catch_interrupt(&before);
    say(fd, question);
    say(fd, _(" [y/N] "));
    int err = read_line(fd, &answer, SECRET_MAX);
    sigaction(SIGINT, &before, NULL);
    if (err)
        say(fd, "\n");
    close(fd);
    if (!err) {
        struct bytes b = buf_bytes(&answer);
        *ret = bytes_is(b, "y") || bytes_is(b, "Y") || bytes_is(b, "yes") || bytes_is(b, "是");
    }
    buf_free(&answer);
    return err;
}

int term_secret(const char *prompt, struct buf *out)
{
    struct termios shown, hidden;
    struct sigaction before;
    int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0 || tcgetattr(fd, &shown) != 0) {
        if (fd >= 0)
            close(fd);
        return COMITY_E_NOT_FOUND;
    }
    hidden = shown;
    hidden.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    buf_reserve(out, SECRET_MAX + 1); /* so that no copy is left behind by growing */
    catch_interrupt(&before);
    say(fd, prompt);
    tcsetattr(fd, TCSAFLUSH, &hidden);
    int err = read_line(fd, out, SECRET_MAX);
    tcsetattr(fd, TCSAFLUSH, &shown);
    sigaction(SIGINT, &before, NULL);
    say(fd, "\n");
    close(fd);
    return err;
}

/* ---- progress ---- */

void progress_begin(struct progress *p, const char *label)
{
    int64_t now = clock_mono_ms(&clock_system);
    *p = (struct progress){
        .label = label, .began_ms = now, .drawn_ms = now + FIRST_DRAW_MS - DRAW_MS};
}

static void put_time_left(struct buf *out, uint64_t seconds)
{
    if (seconds >= 3600)
        buf_printf(out, "%llu:%02llu:%02llu", (unsigned long long)seconds / 3600,
                   (unsigned long long)seconds / 60 % 60, (unsigned long long)seconds % 60);
    else
        buf_printf(out, "%llu:%02llu", (unsigned long long)seconds / 60,
                   (unsigned long long)seconds % 60);
}

static void draw(struct progress *p, uint64_t done, uint64_t len, int64_t elapsed_ms)
{
    struct buf line = BUF_INIT;
    double part = len ? (double)done / (double)len : 1;
    uint64_t rate = elapsed_ms ? (uint64_t)((double)done * 1000 / (double)elapsed_ms) : 0;
    buf_put_str(&line, "\r\033[K  ");
    out_put_shown(&line, bytes_of(p->label), LABEL_MAX);
    buf_put_str(&line, "  ");
    for (int i = 0; i < BAR; i++)
        buf_put_str(&line, i < (int)(part * BAR) ? "█" : "░");
    buf_printf(&line, " %3d%%  ", (int)(part * 100));
    out_put_size(&line, rate);
    buf_put_str(&line, "/s  ");
    if (rate)
        put_time_left(&line, (len - done) / rate);
    fputs(buf_str(&line), stderr);
    fflush(stderr);
    buf_free(&line);
}

int progress_step(void *self, uint64_t done, uint64_t len)
{
    struct progress *p = self;
    int64_t now = clock_mono_ms(&clock_system);
    if (isatty(2) && now - p->drawn_ms >= DRAW_MS) {
        p->drawn_ms = now;
        p->is_shown = true;
        draw(p, done < len ? done : len, len, now - p->began_ms);
    }
    return 0;
}

void progress_end(struct progress *p)
{
    if (p->is_shown)
        fputs("\r\033[K", stderr);
    p->is_shown = false;
}
