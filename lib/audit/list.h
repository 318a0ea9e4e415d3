/*
 * A growing array of any type. For lib/audit and lib/package.
 */
#ifndef AUDIT_LIST_H
#define AUDIT_LIST_H

#include <comity/err.h>

#include <stddef.h>
#include <stdlib.h>

#define LIST(type)    \
    struct {          \
        type *at;     \
        size_t count; \
        size_t cap;   \
    }
int audit_list_reserve(void *at, size_t *cap, size_t count, size_t size)
    __attribute__((warn_unused_result));
/* COMITY_OK, or COMITY_E_NOMEM. */
#define LIST_ADD(list, value)                                                     \
    (audit_list_reserve(&(list).at, &(list).cap, (list).count, sizeof *(list).at) \
         ? COMITY_E_NOMEM                                                         \
         : ((list).at[(list).count++] = (value), COMITY_OK))
#define LIST_FREE(list) free((list).at)

#endif
