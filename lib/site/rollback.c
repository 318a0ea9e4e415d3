/*
 * The file `rollback` of a folder: a line that names it, and three that say what was found. See
 * restore.h.
 */
#include "site/restore.h"

#include "base/file.h"
#include "base/text.h"

#include <comity/err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROLLBACK_FILE_MAX = 1024, ROLLBACK_LINES = 4 };

#define FIRST_LINE "comity rollback v1"

int site_rollback_write(const struct site *s, const struct site_rollback *r)
{
    struct buf text = BUF_INIT;
    char *path = site_path(s, "rollback");
    buf_printf(&text, FIRST_LINE "\n%" PRIu64 "\n%" PRIu64 "\n", r->size, r->known_size);
    text_put_time(&text, r->time_ms);
    buf_put_str(&text, "\n");
    int err = path ? buf_check(&text) : COMITY_E_NOMEM;
    if (!err)
        err = file_write(path, buf_bytes(&text), 0600);
    buf_free(&text);
    free(path);
    return err;
}

int site_rollback_read(const char *dir, struct site_rollback *ret)
{
    struct bytes line[ROLLBACK_LINES];
    struct site_rollback r = {0};
    struct buf text = BUF_INIT;
    char *path = file_path(dir, "rollback");
    int err = path ? file_read(path, ROLLBACK_FILE_MAX, &text) : COMITY_E_NOMEM;
    if (!err && (note_fields(buf_bytes(&text), FIRST_LINE, line, ROLLBACK_LINES) != 0 ||
                 text_get_u64(line[1], &r.size) != 0 || text_get_u64(line[2], &r.known_size) != 0 ||
                 text_get_time(line[3], &r.time_ms) != 0))
        err = COMITY_E_MALFORMED;
    buf_free(&text);
    free(path);
    if (!err)
        *ret = r;
    return err;
}

int site_rollback_forget(const struct site *s)
{
    char *path = site_path(s, "rollback");
    int err = path ? COMITY_OK : COMITY_E_NOMEM;
    if (!err && unlink(path) != 0 && errno != ENOENT)
        err = file_err(errno);
    free(path);
    return err;
}
