/*
 * What an audit can find: every finding with its stable token and its sentences. See audit.h.
 */
#ifndef AUDIT_CODES_H
#define AUDIT_CODES_H

#include "base/bytes.h"

#include <jansson.h>

/*
 * What can be found. X(NAME, token, class, text, limit, settle): the class is what the finding is
 * at worst; text says what was found, limit what that does not prove, settle what would settle it
 * or is to be done ("" where there is nothing). They are English sentences for gettext, in which
 * {name} stands for the member `name` of the finding's JSON. Tokens are stable.
 */
#define AUDIT_CODES(X)                                                                             \
    /* one ledger */                                                                               \
    X(ENTRY_CHANGED, "entry_changed", CONTRADICTION,                                               \
      "entry {index} of {ledger} does not match: its bytes are not those that the checkpoint "     \
      "of size {size} covers",                                                                     \
      "who changed this copy, or when", "compare with another copy of this ledger")                \
    X(ENTRY_MISSING, "entry_missing", CONTRADICTION,                                               \
      "entry {index} of {ledger} is missing from this copy, and a checkpoint covers it",           \
      "who removed it, or when", "compare with another copy of this ledger")                       \
    X(ENTRY_INVALID, "entry_invalid", CONTRADICTION,                                               \
      "entry {index} of {ledger} is not a valid entry ({why})",                                    \
      "whether its owner or somebody else wrote it, unless a checkpoint covers it", "")            \
    X(LINK_BROKEN, "link_broken", CONTRADICTION,                                                   \
      "link broken: entry {index} of {ledger} does not name the entry before it",                  \
      "who broke it, unless a checkpoint covers it", "compare with another copy of this ledger")   \
    X(ROOT_MISMATCH, "root_mismatch", CONTRADICTION,                                               \
      "the entries of {ledger} do not lead to its own checkpoint of size {size}; entries below "   \
      "{index} do match",                                                                          \
      "which entry from {index} on was changed", "compare with another copy of this ledger")       \
    X(TAIL_MISSING, "tail_missing", CONTRADICTION,                                                 \
      "{ledger} holds its own signed checkpoint of size {size}, but its entries end at {index}",   \
      "who removed them", "ask for an undamaged copy")                                             \
    X(CHECKPOINT_SIGNATURE, "checkpoint_signature", CONTRADICTION,                                 \
      "the checkpoint of size {size} stored in {ledger} is not signed with the key that the "      \
      "roster gives this ledger",                                                                  \
      "who put it there", "compare with another copy of this ledger")                              \
    X(CHECKPOINT_ROW, "checkpoint_row", CONTRADICTION,                                             \
      "what {ledger} has stored beside its checkpoint of size {size} differs from the signed "     \
      "note",                                                                                      \
      "anything about the entries: the note counts, not what is stored beside it", "")             \
    X(COPY_UNREADABLE, "copy_unreadable", UNRESOLVED,                                              \
      "the copy {path} is damaged or cut off and cannot be read ({why}); it was left out",         \
      "anything about the ledger: a copy can be damaged on its way", "ask for another copy")       \
    X(COPY_TWICE, "copy_twice", NOTE,                                                              \
      "{path} and {other} are the same copy of {ledger}, byte for byte",                           \
      "anything more than one of them does", "")                                                   \
    X(COPY_RENAMED, "copy_renamed", CONTRADICTION,                                                 \
      "the copy {path} calls itself {ledger}, but its checkpoints are those of {other}; it was "   \
      "not held against the others",                                                               \
      "who changed its name, or when", "ask for another copy")                                     \
    X(UNCOVERED, "uncovered", UNRESOLVED,                                                          \
      "not covered by any checkpoint: entries {index} to {last} of {ledger}",                      \
      "that these entries are its owner's", "ask for a checkpoint that covers them")               \
    X(GENESIS, "genesis", CONTRADICTION,                                                           \
      "entry 0 of {ledger} does not begin this ledger: it names another genesis",                  \
      "what was there before", "")                                                                 \
    X(TILE_MISMATCH, "tile_mismatch", NOTE,                                                        \
      "stored hashes of {ledger} (level {level}, tile {tile}) are not those of its entries; "      \
      "the entries match the checkpoint",                                                          \
      "anything about the entries: these hashes are a copy for speed",                             \
      "restore the store from a backup")                                                           \
    X(BODY_MISMATCH, "body_mismatch", CONTRADICTION,                                               \
      "content does not match: what {other} keeps as the content of entry {index} of {ledger} "    \
      "is not what the entry commits to",                                                          \
      "who changed it; the entry itself stands",                                                   \
      "ask the owner or another recipient of the record for the content")                          \
    X(BODY_WITHHELD, "body_withheld", WITHHELD,                                                    \
      "content withheld: {other} does not show the content of {count} entries of {ledger}, the "   \
      "first of them {index}",                                                                     \
      "that anything is wrong: the entries and their proofs stand",                                \
      "ask the owner, or a recipient")                                                             \
    X(BODY_ERASED, "body_erased", WITHHELD,                                                        \
      "content erased: {other} has erased the content of {count} entries of {ledger}, the first "  \
      "of them {index}",                                                                           \
      "that anything is wrong: the entries and their proofs stand",                                \
      "ask another holder for the content")                                                        \
    X(PAIR_GAP, "pair_gap", CONTRADICTION,                                                         \
      "{ledger} counted {count} numbers to {member} that none of its entries bears, before "       \
      "entry {index}",                                                                             \
      "what, if anything, was meant by them", "")                                                  \
    X(PAIR_REUSED, "pair_reused", CONTRADICTION,                                                   \
      "entry {index} of {ledger} bears a number to {member} that was given before",                \
      "which of the two entries was sent", "ask {member} for its ledger")                          \
    X(DELIVERY_GAP, "delivery_gap", CONTRADICTION,                                                 \
      "the broker {ledger} counted {count} deliveries to {member} that none of its entries "       \
      "bears, before entry {index}",                                                               \
      "what was to be delivered", "ask {member} for its ledger")                                   \
    X(PARCEL_GAP, "parcel_gap", CONTRADICTION,                                                     \
      "{count} parcels of {other} are missing from the broker {ledger} before entry {index}",      \
      "what they held", "ask {other} for its ledger")                                              \
    X(ENTRY_FORM, "entry_form", CONTRADICTION,                                                     \
      "entry {index} of {ledger} is not formed as its kind must be ({why})", "what was meant", "") \
    X(ROSTER_UNPROVEN, "roster_unproven", CONTRADICTION,                                           \
      "roster {number} in {ledger} is not the authority's ({why})", "who made it",                 \
      "ask the authority for roster {number}")                                                     \
    X(AUTHORITY_OTHER, "authority_other", UNRESOLVED,                                              \
      "roster {number} in {ledger} is not of the authority whose network file was given ({why}), " \
      "and no other roster is",                                                                    \
      "which is the wrong one: the network file, or the ledger",                                   \
      "compare the SHA-256 of the network file with what the authority has made public")           \
    X(ROSTER_MISSING, "roster_missing", UNRESOLVED,                                                \
      "entry {index} of {ledger} says that roster {number} came into force, and no such roster "   \
      "is at hand",                                                                                \
      "that there was none", "ask the authority for roster {number}")                              \
    X(ROSTER_OTHER, "roster_other", CONTRADICTION,                                                 \
      "entry {index} of {ledger} names another roster {number} than the one at hand",              \
      "which of the two the authority handed out first", "ask the authority for roster {number}")  \
    X(ROSTER_FORK, "roster_fork", CONTRADICTION,                                                   \
      "the authority has signed two different rosters {number}", "which of its key holders did",   \
      "")                                                                                          \
    X(ROSTER_ORDER, "roster_order", CONTRADICTION,                                                 \
      "entry {index} of {ledger} names roster {number}, which was not in force there by its "      \
      "own account",                                                                               \
      "which members were known to its owner", "")                                                 \
    X(ORIGIN_UNKNOWN, "origin_unknown", UNRESOLVED,                                                \
      "no roster of the authority at hand names {ledger}: its signatures cannot be checked",       \
      "that it is no member's", "give a roster that names it")                                     \
    X(CLOSED_OTHER, "closed_other", CONTRADICTION,                                                 \
      "the roster closed {ledger} at size {size} with another root than this copy has there",      \
      "which of the two its owner showed to whom", "")                                             \
    X(CLOSED_BEYOND, "closed_beyond", NOTE,                                                        \
      "{ledger} was closed by the roster at size {size}: entries from {index} on are void",        \
      "that anything is wrong: entries made before the closing was known are usual", "")           \
    X(TIME_BACKWARDS, "time_backwards", NOTE,                                                      \
      "the clock of {ledger} went backwards {count} times, first at entry {index}",                \
      "that anybody meant it: clocks are set", "")                                                 \
    X(PARCEL_INVALID, "parcel_invalid", CONTRADICTION,                                             \
      "what {ledger} keeps as the parcel of entry {index} does not verify ({why})",                \
      "that it was so when it arrived", "ask {other} for its ledger")                              \
    X(PARCEL_OTHER, "parcel_other", CONTRADICTION,                                                 \
      "what {ledger} keeps as the parcel of entry {index} is not the one that the entry names",    \
      "which of the two arrived", "ask {other} for its ledger")                                    \
    X(PARCEL_LOST, "parcel_lost", UNRESOLVED,                                                      \
      "{ledger} does not keep the parcels of {count} entries, the first of them {index}",          \
      "that they were not what the entries say", "ask the senders for their ledgers")              \
    X(STATEMENT_INVALID, "statement_invalid", CONTRADICTION,                                       \
      "the broker's statement that {ledger} keeps for entry {index} does not verify, or is "       \
      "about another parcel ({why})",                                                              \
      "that it was so when it arrived", "ask the broker for its ledger")                           \
    X(OFFICER_SIGNATURE, "officer_signature", CONTRADICTION,                                       \
      "an officer's signature under entry {index} of {ledger} does not hold ({why})",              \
      "who wrote it", "ask {ledger} who signed")                                                   \
    X(OFFICER_UNKNOWN, "officer_unknown", UNRESOLVED,                                              \
      "the keys of {count} officers' signatures in {ledger}, the first under entry {index}, "      \
      "cannot be told",                                                                            \
      "that they were not enrolled", "ask for the KEY entries")                                    \
    X(OFFICER_RETIRED, "officer_retired", CONTRADICTION,                                           \
      "entry {index} of {ledger} bears the signature of officer {licence}, who was retired "       \
      "before",                                                                                    \
      "who used the key", "ask {ledger} who signed")                                               \
    X(OFFICER_KEY, "officer_key", CONTRADICTION,                                                   \
      "KEY entry {index} of {ledger} does not enrol or retire an officer as it must ({why})",      \
      "what was meant", "")                                                                        \
    /* several ledgers */                                                                          \
    X(FORK, "fork", CONTRADICTION,                                                                 \
      "{ledger} signed two histories: they differ at size {size}, as {other} shows",               \
      "which of the two is the true one, or who knew of both", "")                                 \
    X(COPY_OTHER, "copy_other", CONTRADICTION,                                                     \
      "the copy of {ledger}, which no checkpoint of its own covers, does not lead to its signed "  \
      "checkpoint of size {size} that {other} holds",                                              \
      "who changed this copy", "compare with another copy of this ledger")                         \
    X(COPY_SHORT, "copy_short", UNRESOLVED,                                                        \
      "the copy of {ledger} ends at {index}, and {other} holds its signed checkpoint of size "     \
      "{size}",                                                                                    \
      "that anybody cut it: a copy made earlier than {other}'s looks the same",                    \
      "ask for a copy of at least size {size}")                                                    \
    X(COPY_OLDER, "copy_older", NOTE,                                                              \
      "the copy of {ledger} ends at {index}; {other} knows it up to size {size}, made after "      \
      "this copy's last entry",                                                                    \
      "that anything is wrong: the copy was made earlier", "ask for a newer copy")                 \
    X(STATED_OTHER, "stated_other", UNRESOLVED,                                                    \
      "{other} states in entry {entry} another root of {ledger} at size {size} than {ledger} "     \
      "has, and no signed note of it is at hand",                                                  \
      "which of the two is wrong", "ask {other} for the parcel or the note behind its statement")  \
    X(RECEIPT_DENIED, "receipt_denied", CONTRADICTION,                                             \
      "{ledger} denies {count} entries that it signed and that {other} holds with proof, the "     \
      "first of them {index}",                                                                     \
      "why they are not in this copy", "")                                                         \
    X(SUPPRESSED, "suppressed", CONTRADICTION,                                                     \
      "{count} parcels of {other} that the broker accepted for {ledger} are not there, though "    \
      "later deliveries are",                                                                      \
      "whether the broker held them back or {ledger} dropped them", "")                            \
    X(NOT_RECEIVED, "not_received", UNRESOLVED,                                                    \
      "unresolved: the broker accepted {count} parcels of {other} for {ledger}, and neither "      \
      "side has a receipt",                                                                        \
      "whether the broker or the recipient lacks them",                                            \
      "ask the recipient and the broker for their newest ledgers")                                 \
    X(ON_THE_WAY, "on_the_way", NOTE,                                                              \
      "{count} parcels of {other} to {ledger} were on their way when the copies were made",        \
      "that anything is wrong", "")                                                                \
    X(NOT_ROUTED, "not_routed", CONTRADICTION,                                                     \
      "{other} holds the statement of {ledger} that it accepted parcels ({count}), and "           \
      "{ledger} has no such entry",                                                                \
      "why they are not in this copy", "")                                                         \
    X(NEVER_SENT, "never_sent", CONTRADICTION,                                                     \
      "{other} gave {count} numbers to entries for {ledger}, the first of them {number}, and "     \
      "later ones arrived, but the broker never had these",                                        \
      "why {other} held them back", "")                                                            \
    X(NUMBERS_MISSING, "numbers_missing", UNRESOLVED,                                              \
      "unresolved: {count} numbers of {other} to {ledger} never arrived, the first of them "       \
      "{number}",                                                                                  \
      "whether {other}, the broker or {ledger} lacks them",                                        \
      "ask the recipient and the broker for their newest ledgers")                                 \
    X(ENTRY_DENIED, "entry_denied", CONTRADICTION,                                                 \
      "{other} holds {count} entries of {ledger} with proof that differ from those in the "        \
      "copy, the first of them {index}",                                                           \
      "which of the two is the true one", "")                                                      \
    X(BACK_DATED, "back_dated", CONTRADICTION,                                                     \
      "the time of {count} entries of {ledger}, the first of them {index}, is earlier than "       \
      "what they were written after",                                                              \
      "that the clock of {ledger} is the wrong one, and not that of {other}", "")                  \
    X(POST_DATED, "post_dated", CONTRADICTION,                                                     \
      "the time of {count} entries of {ledger}, the first of them {index}, is later than the "     \
      "broker had them",                                                                           \
      "that the clock of {ledger} is the wrong one, and not that of {other}", "")

enum audit_class {
    AUDIT_CLASS_NOTE, /* worth saying; nothing is wrong */
    AUDIT_CLASS_WITHHELD,
    AUDIT_CLASS_UNRESOLVED,
    AUDIT_CLASS_CONTRADICTION
};

enum audit_code {
#define X(name, token, class, text, limit, settle) AUDIT_##name,
    AUDIT_CODES(X)
#undef X
        AUDIT_CODE_COUNT
};

struct audit_code_info {
    const char *token;
    enum audit_class class;
    const char *text;
    const char *limit;
    const char *settle;
};
const struct audit_code_info *audit_code_info(enum audit_code code);
/* AUDIT_CODE_COUNT for a token that is none. */
enum audit_code audit_code_from_token(const char *token);
/* "note", "withheld", "unresolved", "contradiction". */
const char *audit_class_word(enum audit_class c);
/* Append ${text} with each {name} replaced by that member of ${finding}, for text that was
 * translated. */
void audit_fill(struct buf *out, const char *text, const json_t *finding);

#endif
