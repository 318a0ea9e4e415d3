/*
 * An error as JSON. See error_json.h.
 */
#include "json/error_json.h"

#include "json/value_json.h"

#include <comity/err.h>

static void set_optional(json_t *json, const char *key, const char *text)
{
    if (text && *text)
        (void)json_object_set_new(json, key, json_string(text)); /* fails on bad UTF-8: left out */
}

json_t *error_json(int err, const struct error_detail *d)
{
    struct value v = value_object();
    json_t *json = NULL;
    value_set(&v, "code", json_string(comity_err_token(err)));
    value_set(&v, "exit", json_integer(comity_err_exit(err)));
    value_set(&v, "message", json_string(comity_err_text(err)));
    if (value_finish(&v, &json))
        return NULL;
    if (d) {
        set_optional(json, "message", d->message);
        set_optional(json, "hint", d->hint);
        set_optional(json, "field", d->field);
    }
    return json;
}
