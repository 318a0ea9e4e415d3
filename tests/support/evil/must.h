/* Tools for tests end at the first thing that they did not mean to go wrong. */
#ifndef EVIL_MUST_H
#define EVIL_MUST_H

#include <comity/err.h>
#include <stdio.h>
#include <stdlib.h>

#define MUST(call)                                                        \
    do {                                                                  \
        int must_err = (call);                                            \
        if (must_err) {                                                   \
            fprintf(stderr, "%s:%d: %s: %s\n", __FILE__, __LINE__, #call, \
                    comity_err_token(must_err));                          \
            exit(1);                                                      \
        }                                                                 \
    } while (0)

#endif
