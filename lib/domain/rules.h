/*
 * What makes a record acceptable.
 *
 * The same rules hold where an officer writes a record, where his node takes it, and where it is
 * received: a record that breaks one is refused, and the fault says which field of it and what is
 * wrong there. What a record alone cannot show is left to others: signatures, whether what it
 * refers to exists, whether a step fits the state of its matter. Pure functions, safe from any
 * thread.
 *
 * Sources: 市场监督管理行政处罚程序规定 (P), articles 19, 23 to 26; 行政处罚法 (L), articles
 * 42, 46.
 */
#ifndef DOMAIN_RULES_H
#define DOMAIN_RULES_H

#include "domain/record.h"

enum {
    RECORD_PATH_MAX = 96,
    RECORD_WORDS_MAX = 128,
    /* lengths of fields */
    RECORD_NAME_MAX = 512,
    RECORD_TITLE_MAX = 1024,
    RECORD_TEXT_MAX = 4096,
    RECORD_SHORT_MAX = 256,
    RECORD_LICENCE_MAX = 32,
    RECORD_FILE_NAME_MAX = 255,
    RECORD_CONFIDENTIALITY_MAX = 9
};

/* No file is longer: 16 TiB. */
#define RECORD_FILE_LEN_MAX ((uint64_t)1 << 44)

/* Which rule was broken, and where. Strings with an end mark. */
struct record_fault {
    int err;
    char path[RECORD_PATH_MAX];   /* as in JSON: "evidence.files[2].name" */
    char words[RECORD_WORDS_MAX]; /* one English clause: "is missing" */
};

/*
 * Everything that can be said about ${r} alone. COMITY_OK or the error of the first broken rule,
 * the same as in ${ret_fault}, which is written on failure only and may be NULL:
 *
 * - COMITY_E_FIELD_MISSING: a field that the kind needs is absent
 * - COMITY_E_INVALID: a value has not the shape that its field has, or is not one of its numbers
 * - COMITY_E_TOO_LARGE: a text or file is longer than its limit
 * - COMITY_E_LIMIT: there is more of something than its limit
 * - COMITY_E_UNSUPPORTED: a kind or schema of record that this version does not know
 * - COMITY_E_COLLECTORS: EVIDENCE without two collectors, or with two of one licence (L42, P23)
 * - COMITY_E_USCC, COMITY_E_GTIN: the code is wrong and not marked as unverified
 * - COMITY_E_DIVISION: the code is wrong
 * - COMITY_E_MEMBER_ID, COMITY_E_REF: what should name a bureau, or an entry, does not
 */
int record_check(const struct record *r, struct record_fault *ret_fault)
    __attribute__((warn_unused_result));

/* How far ahead of the clock a moment may lie that is told as past: clocks differ. */
enum { RECORD_AHEAD_MS = 10 * 60 * 1000 };

/*
 * Whether what ${r}, which has passed record_check, says to have happened lies in the future, seen
 * at
 * ${now_ms}: when a case was filed, when evidence was taken. COMITY_E_INVALID. For who makes a
 * record and for his node; whoever receives one holds it against no clock.
 */
int record_check_clock(const struct record *r, int64_t now_ms, struct record_fault *ret_fault)
    __attribute__((warn_unused_result));

/*
 * Does the RECOGNITION ${recognition} fit the EVIDENCE ${evidence} that it speaks of?
 * COMITY_E_REVIEWER when the reviewer is one of the collectors; COMITY_E_INVALID when either is of
 * another kind. Both have passed record_check; that the evidence is the one whose place and hash
 * the recognition names is for the caller to see to.
 */
int recognition_check(const struct record *recognition, const struct record *evidence,
                      struct record_fault *ret_fault) __attribute__((warn_unused_result));

/* A licence number: letters, digits and hyphens, at most RECORD_LICENCE_MAX. */
bool licence_is_valid(struct bytes licence);
/* The same licence: capital and small letters count as one, lest one officer be two. */
bool licence_equal(struct bytes a, struct bytes b);

/* A name under which a file can be written into any folder: one line, no slash or backslash, not
 * "." or "..". */
bool file_name_is_safe(struct bytes name);

#endif
