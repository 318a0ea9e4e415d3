/*
 * What people read about a package: in the package itself, and in the report of its verification.
 */
#ifndef PACKAGE_TEXT_H
#define PACKAGE_TEXT_H

#include "json/value_json.h"
#include "package/files.h"
#include "wire/officer_check.h"

/* README.html, VERIFY.txt, verify.sh and the .proto files. ${about}: "title"?, "ref", "origin", "kind", "time", "record_hash",
 * "made_by", "made", "files", "signatures", "receipts". */
int package_add_texts(struct package_files *p, const json_t *about)
    __attribute__((warn_unused_result));
/* {"licence","name","role","time"} of a note that an officer has signed, to ${list}. */
void package_add_signer(struct value *list, const struct officer_signature *sig,
                        const struct officer_key *key);

#endif
