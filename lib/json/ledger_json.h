/*
 * What ledgers consist of, as JSON: entries, bodies, checkpoints, and members of the roster. Shared
 * by the node, the command and evidence packages. See docs/CONTROL.md for the shapes.
 */
#ifndef JSON_LEDGER_JSON_H
#define JSON_LEDGER_JSON_H

#include "ledger/checkpoint.h"
#include "msg/entry.h"
#include "wire/roster.h"
#include "json/value_json.h"

/* Show also prev, body_hash, seal and ref. */
enum { ENTRY_JSON_HASHES = 1 };

/* A new object for the entry of ${origin}; ${leaf} may be NULL. ${flags} is 0 or ENTRY_JSON_HASHES.
 */
int entry_to_json(struct bytes origin, const struct entry *e, const struct hash *leaf,
                  unsigned flags, json_t **ret) __attribute__((warn_unused_result));

/* {"record"?,"notes"?,"roles"?,"remark"?,"request_id"?}; ${flags} as for record_to_json. A record
 * that does not decode is shown as base64 in "record_bytes", a note that is not UTF-8 in base64.
 * ${a} is for decoding. */
int body_to_json(struct arena *a, const struct body *b, unsigned flags, json_t **ret)
    __attribute__((warn_unused_result));

/* {"id","role","name","origin"?,"open","broker"?}: origin is the member's last ledger, open whether
 * it may still grow. */
int member_to_json(const struct roster *r, const struct roster_member *m, json_t **ret)
    __attribute__((warn_unused_result));
/* "bureau", "broker", "auditor"; NULL for another number. */
const char *member_role_word(uint32_t role);

#endif
