/*
 * Records as JSON: what `--json` prints, what body.json in an evidence package shows, what `import`
 * reads.
 *
 * Members are named as the fields in proto/record.proto; numbers that stand for words are the
 * tokens of domain/record.h; hashes are hex; a reference is {"ref": "330100-001/17", "origin": …,
 * "index": …, "leaf": base64}, where "ref" is for people and may be left out when read. What is
 * absent in the record is absent in JSON. JSON is a rendering: what is signed are the bytes of
 * msg/record.h.
 */
#ifndef JSON_RECORD_JSON_H
#define JSON_RECORD_JSON_H

#include "domain/rules.h"

#include <jansson.h>

/* Show files' secrets, which open the sealed blocks. For the officer's own node only. */
enum { RECORD_JSON_SECRETS = 1 };

/*
 * A new object for ${r}; ${flags} is 0 or RECORD_JSON_SECRETS. COMITY_E_INVALID for what JSON
 * cannot say: text that is not UTF-8, a record of unknown kind, integers beyond 63 bits (nothing
 * that has passed record_check); and when memory runs out, which jansson does not tell from it.
 */
int record_to_json(const struct record *r, unsigned flags, json_t **ret)
    __attribute__((warn_unused_result));

/*
 * Read ${json} into ${ret}, whose views point into ${a}. Strict: a member that is not known, of the
 * wrong type, null, or empty text is refused, as is a required one that is missing (but not a
 * file's secret); the member and what is wrong with it are in ${ret_fault}, which is written on
 * failure only and may be NULL. COMITY_E_INVALID, COMITY_E_FIELD_MISSING, COMITY_E_LIMIT,
 * COMITY_E_NOMEM. What the values mean is for record_check() to say.
 */
int record_from_json(struct arena *a, const json_t *json, struct record *ret,
                     struct record_fault *ret_fault) __attribute__((warn_unused_result));

#endif
