/*
 * The checks that a package is verified by, one at a time, in the words and the order of verify.sh.
 */
#ifndef PACKAGE_CHECKS_H
#define PACKAGE_CHECKS_H

#include "domain/record.h"
#include "ledger/ledger.h"
#include "package/files.h"
#include "wire/officer_check.h"
#include "wire/roster.h"
#include "json/value_json.h"

enum package_status { PACKAGE_OK, PACKAGE_OPEN, PACKAGE_FAIL };

struct package_checks {
    struct package_files files;
    const struct network *anchor;
    struct roster *roster;
    struct arena *arena;
    struct value list;
    size_t failed;
    size_t open;
    bool has_other_keys; /* the roster is signed by the authority that it names, and not by that of
                            the anchor */
};

/* roots.c: "sums" and "complete"; "roster" and "authority", and the roster itself. */
void package_check_sums(struct package_checks *c);
void package_check_roster(struct package_checks *c);

void package_say(struct package_checks *c, enum package_status status, const char *check,
                 const char *what);
/* The same, about ${files} (a list of paths, taken over): those that it fails for, as they are
 * called in the package. */
void package_say_files(struct package_checks *c, enum package_status status, const char *check,
                       const char *what, struct value *files);

/* An entry that a folder shows: proven, or not. */
struct package_shown {
    bool is_proven;
    bool has_entry;
    struct entry entry;
    struct hash leaf;
    struct checkpoint checkpoint;
    const struct roster_origin *from;
    bool has_body; /* the body is what the entry commits to */
    struct bytes salt;
    struct body body;
};
/* "entry", and "closed" where the roster closed its ledger. */
void package_show(struct package_checks *c, const char *folder, const char *proof,
                  struct package_shown *ret);
/* "content" */
void package_content(struct package_checks *c, const char *folder, struct package_shown *s);
/* The record in a body that was shown. False when there is none. */
bool package_record(struct package_checks *c, const struct package_shown *s, struct record *ret,
                    struct hash *ret_hash);
/* The officer that the KEY entry in ${folder} enrols: "entry", "content"; false when it enrols
 * nobody. */
bool package_officer(struct package_checks *c, const char *folder, struct officer_key *ret);
/* Whether ${note} is the signature of the officer with ${key} on what ${s} says. */
bool package_signature_holds(const struct officer_subject *s, struct bytes note,
                             const struct officer_key *key, struct officer_signature *ret);

/* The next folder "<parent>/<name>" behind the one in ${ret}, which has room for
 * 2 * PACKAGE_PATH_MAX bytes and is "" at first; false when there is none. ${at} begins at 0. */
bool package_next_folder(const struct package_files *p, const char *parent, size_t *at, char *ret);

/* What the package is about. */
struct package_subject {
    const struct package_shown *entry;
    bool has_record;
    struct hash hash; /* of the record */
};
/* decisions.c: "signature" and "recognition" of each folder in recognitions/, and a list of what
 * each says, proven or not. */
void package_check_decisions(struct package_checks *c, const struct package_subject *s,
                             struct value *decisions);

#endif
