/*
 * The command line of a daemon, and what it says of itself to who started it: help, its version,
 * and which word it did not understand, in the language of the environment.
 */
#ifndef SITE_ARGUMENTS_H
#define SITE_ARGUMENTS_H

#include <stdbool.h>

struct arguments_switch {
    const char *name;
    char letter;
    const char *doc; /* English; translated where it is shown */
    bool *ret;
};

struct arguments_program {
    const char *name;                        /* "comity-node" */
    const char *doc;                         /* as of a switch */
    const char *config;                      /* what is read without --config */
    const struct arguments_switch *switches; /* beside the common ones; NULL, or ends with an empty
                                                row */
};

/* What every daemon takes; points into argv. */
struct arguments {
    const char *config;
    const char *passphrase_file; /* NULL: not given */
};

/*
 * Returns when the daemon is to start. Otherwise it ends the process: with 0 after --help and
 * --version, as the command does for COMITY_E_USAGE when a word is wrong. Until then no language is
 * set, so that a daemon that serves logs in English.
 */
void arguments_parse(const struct arguments_program *p, int argc, char **argv,
                     struct arguments *ret);

#endif
