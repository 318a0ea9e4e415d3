/*
 * How rules.c walks a record: where it is, the shapes that fields of text have, tables of such
 * fields, lists. Internal to lib/domain, and to lib/json, which must name fields in the same
 * way.
 *
 * The path names the field that is being looked at, as JSON would: enter() lengthens it, leave()
 * shortens it again, and a check that fails leaves it where it was.
 */
#ifndef DOMAIN_CHECK_H
#define DOMAIN_CHECK_H

#include "domain/rules.h"

/* Where we are in the record, and what was found there. */
struct check {
    char path[RECORD_PATH_MAX];
    size_t path_len;
    struct record_fault fault;
};

enum { CHECK_NO_INDEX = -1 };

/* Go into ${name}, or its element ${index}; returns what check_leave() takes to come back. */
size_t check_enter(struct check *c, const char *name, int index);
/* Go on from a list, whose name the path ends with, to its element ${index}. */
void check_enter_element(struct check *c, int index);
void check_leave(struct check *c, size_t back);

/* Note the fault ${err} at ${name} below the path ("" for the path itself), and return ${err}. */
int check_refuse(struct check *c, int err, const char *name, const char *words);
int check_refuse_too_many(struct check *c, const char *name, size_t max);

/* What the bytes of a field must look like; check.c has the table. */
enum check_shape { LINE, TEXT, TIME, LICENCE, FILE_NAME, SCHEME, MIME, HASH, ORIGIN, BUREAU };

struct check_rule {
    const char *name;
    size_t at; /* of a struct bytes in its struct */
    enum check_shape shape;
    size_t max; /* bytes */
    bool required;
};

#define RULE(type, field, ...)                            \
    {                                                     \
#field, offsetof(struct type, field), __VA_ARGS__ \
    }

int check_value(struct check *c, const char *name, struct bytes value, enum check_shape shape,
                size_t max);
/* The fields of ${thing} that ${rules} name, in their order. */
int check_fields(struct check *c, const void *thing, const struct check_rule *rules, size_t count);

#define CHECK_COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define CHECK_FIELDS(c, thing, rules) check_fields((c), (thing), (rules), CHECK_COUNT(rules))

struct check_list {
    const char *name;
    const void *first;
    size_t count;
    size_t size; /* of an element */
    size_t max;
    int (*check)(struct check *c, const void *element);
};

/* At most max elements, each of which passes its check. */
int check_list(struct check *c, const struct check_list *l);

#endif
