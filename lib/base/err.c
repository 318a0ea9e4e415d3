/*
 * The table of errors, looked up by number and by token. See comity/err.h.
 */
#include <comity/err.h>
#include <stddef.h>
#include <string.h>

struct err_row {
    int err;
    int exit;
    const char *token;
    const char *text;
};

static const struct err_row rows[] = {{0, 0, "ok", "done"},
#define X(name, number, token, exit, sentence) {-(number), exit, token, sentence},
                                      COMITY_ERRORS(X)
#undef X
};

enum { ROW_COUNT = sizeof rows / sizeof rows[0] };

static const struct err_row *row_of(int err)
{
    const struct err_row *internal = &rows[0];
    for (size_t i = 0; i < ROW_COUNT; i++) {
        if (rows[i].err == err)
            return &rows[i];
        if (rows[i].err == COMITY_E_INTERNAL)
            internal = &rows[i];
    }
    return internal;
}

const char *comity_err_token(int err)
{
    return row_of(err)->token;
}

const char *comity_err_text(int err)
{
    return row_of(err)->text;
}

int comity_err_exit(int err)
{
    return row_of(err)->exit;
}

int comity_err_from_token(const char *token)
{
    for (size_t i = 0; i < ROW_COUNT; i++)
        if (strcmp(rows[i].token, token) == 0)
            return rows[i].err;
    return COMITY_E_INTERNAL;
}
