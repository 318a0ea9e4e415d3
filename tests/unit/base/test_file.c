/* Durable files, locks, and what the table of errors promises. */
#include "base/fault.h"
#include "base/file.h"
#include "base/log.h"

#include <comity/err.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/comity-file-XXXXXX");
    return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -rf '%s'", dir);
    return system(command);
}

static void file_write_replaces_as_a_whole(void **state)
{
    (void)state;
    char *path = file_path(dir, "f");
    struct buf got = BUF_INIT;
    assert_int_equal(file_write(path, bytes_of("one"), 0600), 0);
    assert_int_equal(file_write(path, bytes_of("two"), 0600), 0);
    assert_int_equal(file_read(path, 100, &got), 0);
    assert_true(bytes_is(buf_bytes(&got), "two"));
    assert_int_equal(file_create(path, bytes_of("three"), 0600), COMITY_E_EXISTS);
    buf_reset(&got);
    assert_int_equal(file_read(path, 100, &got), 0);
    assert_true(bytes_is(buf_bytes(&got), "two"));
    buf_reset(&got);
    assert_int_equal(file_read(path, 2, &got), COMITY_E_TOO_LARGE);
    assert_int_equal(file_read("/nonexistent/x", 2, &got), COMITY_E_NOT_FOUND);
    buf_free(&got);
    free(path);
}

static void failed_write_leaves_nothing_behind(void **state)
{
    (void)state;
    char *path = file_path(dir, "sub/f");
    assert_int_equal(file_write(path, bytes_of("x"), 0600), COMITY_E_NOT_FOUND);
    free(path);
    path = file_path(dir, "folder"); /* a file cannot take the place of a folder */
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_not_equal(file_write(path, bytes_of("x"), 0600), 0);
    char command[128];
    snprintf(command, sizeof command, "! ls -A '%s' | grep -q tmp", dir);
    assert_int_equal(system(command), 0);
    free(path);
}

static void private_file_that_others_can_read_is_refused(void **state)
{
    (void)state;
    char *path = file_path(dir, "key");
    struct buf got = BUF_INIT;
    assert_int_equal(file_write(path, bytes_of("secret"), 0600), 0);
    assert_int_equal(file_read_private(path, 100, &got), 0);
    static const mode_t open_modes[] = {0640, 0604, 0620, 0601};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(chmod(path, open_modes[i]), 0);
        assert_int_equal(file_read_private(path, 100, &got), COMITY_E_PUBLIC_KEY_FILE);
    }
    buf_free(&got);
    free(path);
}

static void second_process_finds_the_lock_taken(void **state)
{
    (void)state;
    char *path = file_path(dir, "lock");
    int fd = -1;
    assert_int_equal(file_lock(path, &fd), 0);
    pid_t child = fork();
    if (child == 0) {
        int other = -1;
        _exit(file_lock(path, &other) == COMITY_E_BUSY ? 0 : 1);
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    close(fd);
    assert_int_equal(file_lock(path, &fd), 0);
    close(fd);
    free(path);
}

static void settle_moves_and_mkdirs_makes_parents(void **state)
{
    (void)state;
    char *deep = file_path(dir, "a/b/c");
    char *from = file_path(dir, "from");
    char *to = file_path(dir, "a/b/c/to");
    assert_int_equal(file_mkdirs(deep, 0700), 0);
    assert_int_equal(file_mkdirs(deep, 0700), 0);
    assert_int_equal(file_write(from, bytes_of("x"), 0600), 0);
    assert_int_equal(file_settle(from, to), 0);
    assert_int_equal(access(from, F_OK), -1);
    assert_int_equal(access(to, F_OK), 0);
    assert_int_equal(file_mkdirs(to, 0700), COMITY_E_EXISTS);
    free(deep);
    free(from);
    free(to);
}

static void every_error_has_its_own_token_and_an_exit_code(void **state)
{
    (void)state;
    static const int all[] = {
#define X(name, number, token, exit, sentence) COMITY_E_##name,
        COMITY_ERRORS(X)
#undef X
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        const char *token = comity_err_token(all[i]);
        assert_int_equal(comity_err_from_token(token), all[i]);
        assert_true(comity_err_exit(all[i]) > 0);
        assert_true(strlen(token) <= 40); /* fits a REFUSED entry */
        for (const char *c = token; *c; c++)
            assert_true((*c >= 'a' && *c <= 'z') || *c == '_');
        for (size_t k = 0; k < i; k++)
            assert_int_not_equal(all[i], all[k]);
    }
    assert_string_equal(comity_err_token(0), "ok");
    assert_string_equal(comity_err_token(-9999), "internal");
    assert_int_equal(comity_err_from_token("no such token"), COMITY_E_INTERNAL);
    assert_int_equal(file_err(ENOSPC), COMITY_E_DISK_FULL);
    assert_int_equal(file_err(EIO), COMITY_E_IO);
}

/* What log_event writes to stderr, caught in a pipe. */
static void log_line(const char *peer_text, char *ret, size_t max)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    int saved = dup(STDERR_FILENO);
    dup2(ends[1], STDERR_FILENO);
    log_event(LOG_WARN, "tested", LOG_STR("text", peer_text), LOG_U64("n", 7),
              LOG_HEX("id", BYTES_LIT("\x0a\xff")));
    dup2(saved, STDERR_FILENO);
    close(saved);
    close(ends[1]);
    ssize_t n = read(ends[0], ret, max - 1);
    ret[n > 0 ? n : 0] = '\0';
    close(ends[0]);
}

static void log_line_stays_one_line_whatever_a_peer_says(void **state)
{
    (void)state;
    char line[512];
    log_line("plain", line, sizeof line);
    assert_non_null(strstr(line, " warn tested text=plain n=7 id=0aff\n"));
    log_line("a\nfake error=none \"x\" \\ \x1b[31m\xc2\x9b\xff", line, sizeof line);
    assert_non_null(
        strstr(line, "text=\"a\\x0afake error=none \\\"x\\\" \\\\ \\x1b[31m\\xc2\\x9b\\xff\""));
    assert_ptr_equal(strchr(line, '\n'), line + strlen(line) - 1);
    log_line("杭州", line, sizeof line);
    assert_non_null(strstr(line, "text=\"杭州\""));
    enum log_level level;
    assert_true(log_level_from("debug", &level) && level == LOG_DEBUG);
    assert_false(log_level_from("loud", &level));
}

static void trouble_of_this_machine_is_nobody_elses_fault(void **state)
{
    (void)state;
    static const struct {
        int err;
        enum fault fault;
    } table[] = {
        {COMITY_E_SEAL, FAULT_THEIRS},       {COMITY_E_MALFORMED, FAULT_THEIRS},
        {COMITY_E_CLOSED, FAULT_THEIRS},     {COMITY_E_TOO_LARGE, FAULT_THEIRS},
        {COMITY_E_DISK_FULL, FAULT_PASSING}, {COMITY_E_FILES, FAULT_PASSING},
        {COMITY_E_IO, FAULT_STORE},          {COMITY_E_LEDGER_DAMAGED, FAULT_STORE},
        {COMITY_E_INTERNAL, FAULT_OURS},     {-9999, FAULT_OURS},
    };
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        assert_int_equal(fault_of(table[i].err), table[i].fault);
        assert_int_equal(fault_is_ours(table[i].err), table[i].fault != FAULT_THEIRS);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file_write_replaces_as_a_whole),
        cmocka_unit_test(failed_write_leaves_nothing_behind),
        cmocka_unit_test(private_file_that_others_can_read_is_refused),
        cmocka_unit_test(second_process_finds_the_lock_taken),
        cmocka_unit_test(settle_moves_and_mkdirs_makes_parents),
        cmocka_unit_test(trouble_of_this_machine_is_nobody_elses_fault),
        cmocka_unit_test(every_error_has_its_own_token_and_an_exit_code),
        cmocka_unit_test(log_line_stays_one_line_whatever_a_peer_says),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
