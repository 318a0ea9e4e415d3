/*
 * Asking the node. The connection is made at the first question.
 */
#ifndef CLI_ASK_H
#define CLI_ASK_H

#include "cli.h"

/* Where the node's socket is, by --node, COMITY_NODE, or where it usually lies. */
int ask_find_socket(struct cli *c, const char **ret) __attribute__((warn_unused_result));
/* The connection; its errors are the command's. */
int ask_open(struct cli *c, comity_client **ret) __attribute__((warn_unused_result));

/* Call ${method} with ${args}, a reference that is taken (NULL: none). ${ret} is a new reference.
 */
int ask(struct cli *c, const char *method, json_t *args, json_t **ret)
    __attribute__((warn_unused_result));
/* As ask, with the binary parts of ${call}, whose method is set; ${ret_chunk} (may be NULL) is the
 * reply's, in the arena. */
int ask_with(struct cli *c, struct comity_call *call, json_t *args, json_t **ret,
             struct bytes *ret_chunk) __attribute__((warn_unused_result));
/* As ask, but an error is only returned, not noted as the command's failure. */
int ask_quietly(struct cli *c, const char *method, json_t *args, json_t **ret)
    __attribute__((warn_unused_result));

/* The node's status, asked once; borrowed. */
int ask_status(struct cli *c, const json_t **ret) __attribute__((warn_unused_result));
/* The node's origin. */
int ask_origin(struct cli *c, const char **ret) __attribute__((warn_unused_result));

/* The id of the member that ${name} names: an id, or a name or a part of one that only one member
 * has. */
int ask_member(struct cli *c, const char *name, const char **ret)
    __attribute__((warn_unused_result));
/* The same, and that the roster in force names it: an id too. An id is taken as it is while there
 * is no roster. */
int ask_member_in_roster(struct cli *c, const char *name, const char **ret)
    __attribute__((warn_unused_result));
/* The members of all --to, as an array of ids; a new reference. */
int ask_recipients(struct cli *c, json_t **ret) __attribute__((warn_unused_result));

/* The arguments of a list: limit and after, as given. */
json_t *ask_page(struct cli *c, int *ret_err);
/* Ask for a list with ${args} (taken), and make it the result. */
int ask_list(struct cli *c, const char *method, json_t *args) __attribute__((warn_unused_result));

/*
 * Wait for the stage of --wait, if given, at ${ref}: behind everything else, when the result
 * stands.
 * ${track} is the record that it is about, for `comity track`. COMITY_E_TIMEOUT,
 * COMITY_E_INTERRUPTED, COMITY_E_REFUSED, COMITY_E_UNREACHABLE; COMITY_E_NOT_RECOGNISED when
 * recognition was waited for and a decision was made against it, or for more.
 */
int ask_wait(struct cli *c, const char *ref, const char *track) __attribute__((warn_unused_result));
/* Check --wait before anything is done. */
int ask_check_wait(struct cli *c) __attribute__((warn_unused_result));

/* … and that there is somebody to wait for. */
int ask_check_wait_for(struct cli *c, const json_t *to) __attribute__((warn_unused_result));

/* "stage" and "stage:30s" into its parts. COMITY_E_USAGE. */
int wait_parse(const char *text, char ret_stage[16], uint64_t *ret_ms)
    __attribute__((warn_unused_result));

#endif
