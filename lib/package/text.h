/*
 * What people read about a package: in the package itself, and in the report of its verification.
 */
#ifndef PACKAGE_TEXT_H
#define PACKAGE_TEXT_H

#include "package/files.h"
#include "wire/officer_check.h"
#include "json/value_json.h"

/* README.html, VERIFY.txt, verify.sh and the .proto files. ${about}: "title"?, "ref", "owner",
 * "origin", "kind", "time", "record_hash", "made_by" (a bureau), "sealer", "sealer_licence",
 * "made", "files", "signatures", "sent":[{"size","way":"record|share", "time"}],
 * "accepted":[{"name","size","time"}], "receipts":[{"member","name","time"}],
 * "recognitions":[{"name","decision","basis", "limits"?,"reviewer","licence","time"}]. */
int package_add_texts(struct package_files *p, const json_t *about)
    __attribute__((warn_unused_result));
/* {"licence","name","role","time"} of a note that an officer has signed, to ${list}. */
void package_add_signer(struct value *list, const struct officer_signature *sig,
                        const struct officer_key *key);

#endif
