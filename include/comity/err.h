/*
 * Every way in which Comity can say no.
 *
 * One table gives each error its number (the negative value that functions return), its token
 * (stable for ever: it crosses the wire, stands in JSON, in logs and in the ledger's REFUSED
 * entries), the exit code of the command, and one plain sentence, which gettext translates. Details
 * that belong to a single occurrence sit on the handle that failed, not here.
 *
 * Numbers and tokens are never reused. Exit codes: see comity(1).
 */
#ifndef COMITY_ERR_H
#define COMITY_ERR_H

#ifdef __cplusplus
extern "C" {
#endif

/* X(NAME, number, token, exit, sentence) */
#define COMITY_ERRORS(X)                                                                           \
    /* the machine */                                                                              \
    X(NOMEM, 1, "no_memory", 1, "not enough memory")                                               \
    X(IO, 2, "io_error", 1, "reading or writing a file failed")                                    \
    X(DISK_FULL, 3, "disk_full", 8, "no space left on the disk")                                   \
    X(PERMISSION, 4, "permission_denied", 4, "the operating system refuses access")                \
    X(NOT_FOUND, 5, "not_found", 5, "no such thing")                                               \
    X(EXISTS, 6, "exists", 3, "it exists already")                                                 \
    X(AMBIGUOUS, 7, "ambiguous", 5, "more than one thing answers to that name")                    \
    X(BUSY, 8, "locked", 1, "another process uses this ledger")                                    \
    X(INTERNAL, 9, "internal", 1, "an internal error; please report it")                           \
    X(USAGE, 10, "usage", 2, "the command line is not understood")                                 \
    X(CONFIG, 11, "config_invalid", 2, "the configuration file is not valid")                      \
    X(INTERRUPTED, 12, "interrupted", 130, "interrupted")                                          \
    X(AGAIN, 13, "again", 7, "nothing is there yet; try again")                                    \
    X(TIMEOUT, 14, "timeout", 6, "the stage waited for was not reached in time")                   \
    X(UNREACHABLE, 15, "unreachable", 7, "the node or broker cannot be reached")                   \
    X(PUBLIC_KEY_FILE, 16, "key_file_exposed", 4, "others can read this key file; chmod 600 it")   \
    X(UNSUPPORTED, 17, "unsupported", 3, "this version does not know how to do that")              \
    X(INVALID, 18, "invalid", 3, "a value is not valid")                                           \
    X(LIMIT, 19, "limit", 8, "a limit is exceeded")                                                \
    X(QUOTA, 20, "quota", 8, "the member's quota is used up")                                      \
    X(FILES, 21, "files_exhausted", 1, "too many files and connections are open; raise the limit") \
    /* bytes that do not parse */                                                                  \
    X(MALFORMED, 30, "malformed", 12, "these bytes are not a valid message")                       \
    X(NOT_CANONICAL, 31, "not_canonical", 12, "the encoding is not the canonical one")             \
    X(TOO_LARGE, 32, "too_large", 8, "larger than the limit")                                      \
    X(TOO_DEEP, 33, "too_deep", 12, "nested more deeply than any valid message")                   \
    X(VERSION, 34, "version", 7, "the other side speaks another version of the protocol")          \
    X(UNKNOWN_MESSAGE, 35, "unknown_message", 12, "no such kind of message")                       \
    X(NOT_A_LEDGER, 36, "not_a_ledger", 12, "this is not a Comity ledger")                         \
    X(NOT_A_PACKAGE, 37, "not_a_package", 12, "this is not an evidence package")                   \
    X(NOT_A_NOTE, 38, "not_a_note", 12, "this is not a signed note")                               \
    X(NOT_A_ROSTER, 39, "not_a_roster", 12, "this is not a roster file")                           \
    X(NOT_A_KEY, 40, "not_a_key", 12, "this is not a key file")                                    \
    X(NOT_A_FILE, 41, "not_a_file", 12, "this is a folder, not a file")                            \
    /* keys and signatures */                                                                      \
    X(PASSPHRASE, 50, "wrong_passphrase", 4, "the passphrase does not open this key file")         \
    X(KEY_LOCKED, 51, "key_locked", 4, "the key is locked; give its passphrase")                   \
    X(KEY_DAMAGED, 52, "key_damaged", 20, "the key file is damaged")                               \
    X(BAD_KEY, 53, "bad_key", 10, "this public key must not be used")                              \
    X(SIGNATURE, 54, "signature_invalid", 10, "the signature does not verify")                     \
    X(UNSIGNED, 55, "signature_missing", 10, "the signature that is needed is missing")            \
    X(UNSEAL, 56, "unseal_failed", 10, "the sealed part cannot be opened with our key")            \
    X(SUITE, 57, "suite_unknown", 3, "this cryptographic suite is not known here")                 \
    X(UNKNOWN_KEY, 58, "key_unknown", 10, "no ledger in order enrols this key")                    \
    /* the ledger */                                                                               \
    X(LEDGER_DAMAGED, 70, "ledger_damaged", 20,                                                    \
      "the ledger does not match its own last checkpoint")                                         \
    X(INCLUSION, 71, "inclusion_failed", 10, "the entry is not where the proof says")              \
    X(CONSISTENCY, 72, "consistency_failed", 10, "the two checkpoints do not share a history")     \
    X(CHAIN, 73, "chain_broken", 10, "an entry does not follow the one before it")                 \
    X(BODY, 74, "body_mismatch", 10, "the content does not match the hash in the entry")           \
    X(WITHHELD, 75, "withheld", 11, "the content is withheld here")                                \
    X(EQUIVOCATION, 76, "equivocation", 10, "two histories were signed for one ledger")            \
    X(ROLLBACK, 77, "rollback", 20,                                                                \
      "this ledger is older than what the other side has seen of it")                              \
    X(UNCOVERED, 78, "not_covered", 11, "no checkpoint covers this entry yet")                     \
    X(ERASED, 79, "erased", 11, "the content was erased here")                                     \
    X(CONTRADICTION, 80, "contradiction", 10, "a contradiction is proven")                         \
    X(UNRESOLVED, 81, "unresolved", 11, "what was given does not settle the question")             \
    /* parcels and sessions */                                                                     \
    X(UNKNOWN_MEMBER, 90, "member_unknown", 5, "no such member in the roster")                     \
    X(CLOSED, 91, "ledger_closed", 3, "this ledger is closed by the roster")                       \
    X(NOT_RECIPIENT, 92, "not_recipient", 10, "the parcel is for somebody else")                   \
    X(RECIPIENTS, 93, "recipients_mismatch", 10,                                                   \
      "the entries name other recipients than the parcel")                                         \
    X(SEAL, 94, "seal_mismatch", 10, "the sealed part is not the one that the entries commit to")  \
    X(PROOF, 95, "proof_invalid", 10, "the proof does not lead to the signed root")                \
    X(UNLINKED, 96, "unlinked", 11, "the checkpoint does not link to the last one seen")           \
    X(PAIR_SEQ, 97, "pair_seq", 10, "the pair sequence number is out of order")                    \
    X(STATEMENT, 99, "statement_invalid", 10, "the broker's statement does not match the parcel")  \
    X(PARCEL_SEQ, 100, "parcel_seq", 10, "the parcel sequence number is out of order")             \
    X(CREDIT, 102, "credit", 8, "more was sent than credit allows")                                \
    X(ROSTER_OLD, 103, "roster_old", 3, "the roster is older than the one in force")               \
    X(ROSTER_CHAIN, 105, "roster_chain", 10, "the roster does not follow the one in force")        \
    X(AUTHORITY, 106, "authority_unproven", 10, "too few of the authority's keys have signed")     \
    X(REFUSED, 107, "refused", 3, "the other side refused it")                                     \
    X(NOT_MEMBER, 108, "not_a_member", 4, "this key belongs to no member")                         \
    X(UNKNOWN_BLOB, 109, "blob_unknown", 5, "no accepted parcel names this file")                  \
    X(BLOB, 110, "blob_mismatch", 10, "the file's block does not match its identity")              \
    X(ATTACHMENT, 111, "attachment_mismatch", 10, "the records name other files than the parcel")  \
    X(NO_ROSTER, 112, "roster_missing", 7, "no roster is in force yet; join the network first")    \
    X(NO_ZAP, 113, "zap_missing", 1,                                                               \
      "the socket let a stranger in; authentication is not working")                               \
    /* the domain */                                                                               \
    X(COLLECTORS, 130, "collectors_missing", 3, "evidence needs the signatures of two collectors") \
    X(REVIEWER, 131, "reviewer_invalid", 3, "the reviewer must not be one of the collectors")      \
    X(ROLE, 132, "role_missing", 3, "the officer does not hold the role that this needs")          \
    X(USCC, 133, "uscc_invalid", 3, "the unified social credit code is wrong")                     \
    X(DIVISION, 134, "division_invalid", 3, "the division code is wrong")                          \
    X(GTIN, 135, "gtin_invalid", 3, "the product bar code is wrong")                               \
    X(FIELD_MISSING, 136, "field_missing", 3, "a field that this kind of record needs is missing") \
    X(STATE, 137, "state", 3, "this step does not fit the state that the matter is in")            \
    X(MEMBER_ID, 138, "member_id_invalid", 2, "this is not a member id")                           \
    X(REF, 139, "ref_invalid", 2, "this is not a reference to a ledger entry")                     \
    X(RETIRED, 140, "key_retired", 4, "this officer's key was retired")                            \
    X(REQUEST_CONFLICT, 141, "request_conflict", 3, "that request id was used for other content")  \
    X(NOT_RECOGNISED, 142, "not_recognised", 3, "the evidence was decided about, and not admitted")

enum comity_err {
    COMITY_OK = 0,
#define X(name, number, token, exit, sentence) COMITY_E_##name = -(number),
    COMITY_ERRORS(X)
#undef X
};

/* The stable token of ${err}, for example "ledger_closed"; "ok" for 0, "internal" for a number not
 * in the table. */
const char *comity_err_token(int err);

/* The English sentence of ${err}, as the message catalogue has it: pass it through gettext to show
 * it. */
const char *comity_err_text(int err);

/* The exit code with which the command reports ${err}. */
int comity_err_exit(int err);

/* The error that bears ${token}, or COMITY_E_INTERNAL for a token not in the table. */
int comity_err_from_token(const char *token);

#ifdef __cplusplus
}
#endif
#endif
