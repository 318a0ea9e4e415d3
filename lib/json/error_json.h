/*
 * An error as JSON, the same wherever one is shown: {"code","exit","message","hint"?,"field"?}.
 */
#ifndef JSON_ERROR_JSON_H
#define JSON_ERROR_JSON_H

#include <jansson.h>

struct error_detail {
    const char *message; /* one English sentence without a full stop; NULL: that of the error */
    const char *hint;    /* what to do next; or NULL */
    const char *field;   /* which argument or member of the record is meant; or NULL */
};

/* A new object for ${err}; ${d} may be NULL. What is not UTF-8 in it is left out. NULL without
 * memory. */
json_t *error_json(int err, const struct error_detail *d);

#endif
