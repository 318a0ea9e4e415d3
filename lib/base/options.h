/*
 * A command line, taken apart by glibc's argp, which is told to say nothing itself: what it would
 * print is not translated where the system speaks no Chinese, nor fit for --json. What it leaves
 * behind is enough to say which word was wrong, and why.
 */
#ifndef BASE_OPTIONS_H
#define BASE_OPTIONS_H

#include "base/bytes.h"

#include <argp.h>

enum options_wrong {
    OPTIONS_RIGHT,
    OPTIONS_UNKNOWN,     /* no option is called that */
    OPTIONS_AMBIGUOUS,   /* the beginning of several */
    OPTIONS_VALUE,       /* has a value, and takes none */
    OPTIONS_VALUE_NEEDED /* the other way round */
};

/* What is wrong with a command line; points into it and into the options. */
struct options_trouble {
    enum options_wrong wrong;
    const char *word;
    const struct argp_option *option; /* NULL where none is meant */
};

/*
 * ${take} is told, in their order, of each option (its key, and its value or NULL) and each
 * argument (ARGP_KEY_ARG). ${options} ends with an empty row; argv may be permuted.
 * COMITY_E_USAGE and what is wrong; COMITY_E_NOMEM.
 */
int options_parse(const struct argp_option *options, int argc, char **argv,
                  void (*take)(void *self, int key, char *value), void *self,
                  struct options_trouble *ret) __attribute__((warn_unused_result));

/* Append a sentence about it, in the language of lang_init. */
void options_explain(struct buf *out, const struct options_trouble *t);

#endif
