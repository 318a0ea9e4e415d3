/*
 * The table of findings, and sentences with their blanks filled in. See codes.h.
 */
#include "audit/codes.h"

#include <string.h>

static const struct audit_code_info table[] = {
#define X(name, token, class, text, limit, settle) \
    {token, AUDIT_CLASS_##class, text, limit, settle},
    AUDIT_CODES(X)
#undef X
};

const struct audit_code_info *audit_code_info(enum audit_code code)
{
    return &table[code];
}

enum audit_code audit_code_from_token(const char *token)
{
    enum audit_code code = 0;
    while (code < AUDIT_CODE_COUNT && strcmp(table[code].token, token) != 0)
        code++;
    return code;
}

const char *audit_class_word(enum audit_class c)
{
    static const char *const words[] = {[AUDIT_CLASS_NOTE] = "note",
                                        [AUDIT_CLASS_WITHHELD] = "withheld",
                                        [AUDIT_CLASS_UNRESOLVED] = "unresolved",
                                        [AUDIT_CLASS_CONTRADICTION] = "contradiction"};
    return words[c];
}

static void put_value(struct buf *out, const json_t *value)
{
    if (json_is_string(value))
        buf_put(out, json_string_value(value), json_string_length(value));
    else if (json_is_integer(value))
        buf_printf(out, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else
        buf_put_str(out, "?");
}

void audit_fill(struct buf *out, const char *text, const json_t *finding)
{
    enum { NAME_MAX_LEN = 32 };
    for (const char *at = text; *at;) {
        char name[NAME_MAX_LEN];
        size_t len = *at == '{' ? strcspn(at + 1, "}") : NAME_MAX_LEN;
        if (*at != '{' || len >= sizeof name || at[1 + len] != '}') {
            buf_put_u8(out, (uint8_t)*at++);
            continue;
        }
        memcpy(name, at + 1, len);
        name[len] = '\0';
        put_value(out, json_object_get(finding, name));
        at += len + 2;
    }
}
