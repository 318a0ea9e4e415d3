/*
 * The roster in force: who is a member, with which keys, and which ledgers are closed.
 *
 * A roster file is lp(note) ‖ lp(bytes). The note's text is
 *
 *     comity roster v1
 *     <network>
 *     <number>
 *     <base64 H(text of the previous roster's note); of roster 1: H("")>
 *     <issued, RFC 3339>
 *     <renew-by, RFC 3339>
 *     <base64 H(bytes)>
 *
 * It is accepted when a threshold of the authority keys in force here *and* a threshold of the keys
 * that it names itself have signed it, each key counted once. Past its renew-by date it stays in
 * force: an alarm, not a stop.
 *
 * A `struct roster` is verified, indexed, immutable, and may be read by several threads. Views in
 * it live as long as it.
 */
#ifndef WIRE_ROSTER_H
#define WIRE_ROSTER_H

#include "crypto/note.h"
#include "msg/roster.h"

enum { ROSTER_FILE_MAX = 4 + NOTE_MAX + 4 + ROSTER_BYTES_MAX };

/* Where trust begins: the authority's keys, from outside the thing verified. */
struct network {
    char name[33];
    uint32_t threshold;
    struct note_verifier authority[ROSTER_AUTHORITY_MAX];
    size_t authority_count;
};

/*
 * NET.network is a text file, to be compared by voice or gazette:
 *
 *     comity network v1
 *     <network>
 *     <threshold>
 *     <vkey>            one line each
 *
 * A key's name is network "/authority", or that and "." n, with n from 2. The threshold is at least
 * 1 and at most the number of keys. COMITY_E_MALFORMED; COMITY_E_BAD_KEY for a key that stands
 * there twice, or of low order. Any thread.
 */
int network_parse(struct bytes text, struct network *ret) __attribute__((warn_unused_result));
void network_put(struct buf *out, const struct network *n);

/* One ledger of a member. */
struct roster_origin {
    const struct roster_member *member;
    const struct roster_ledger *ledger;
    struct note_verifier verifier;
    const struct suite *suite;
    bool is_current; /* the member's last ledger: the only one that may still grow */
};

struct roster;

/*
 * Verify and index a roster file. The keys that must have signed are those of ${previous} where
 * there is one, else of ${anchor} (one of the two is given). The file is copied; nothing in the
 * roster points to an argument.
 *
 * With ${previous}, the number must be higher; when it is the next one, the note must name the
 * previous text's hash. A number further on stands on its signatures alone: who was away need not
 * see the rosters in between. Roster 1 names the hash of nothing. Every ledger of ${previous} is
 * still listed, under the same key and suite, and a closed one is closed at the same place
 * (COMITY_E_ROSTER_CHAIN): what was signed once is judged alike for ever.
 *
 * Errors, in the order of the checks:
 *
 *   COMITY_E_TOO_LARGE, COMITY_E_NOT_A_ROSTER
 *   COMITY_E_SIGNATURE     a line of a key in force here is wrong
 *   COMITY_E_AUTHORITY     too few signatures of the keys in force here, or another network
 *   COMITY_E_MALFORMED     the note's lines
 *   COMITY_E_ROSTER_OLD, COMITY_E_ROSTER_CHAIN
 *   COMITY_E_SIGNATURE     the bytes are not those whose hash was signed
 *   errors of roster_doc_decode
 *   COMITY_E_AUTHORITY     too few signatures of the keys that it names itself
 *
 * and when a rule about its content is broken:
 *
 *   COMITY_E_MALFORMED     A bureau's id has a bureau's form, others' have not. Names are one line.
 *                          Bureaus and brokers have a CURVE key. Brokers have two endpoints, main
 *                          and bulk, of tcp:// or ipc://; others have none. A member's ledgers have
 *                          the origins network "/" id, then ".2", ".3" without a gap, and these are
 *                          the names of their keys. All but the last are closed, with a root of 32
 *                          bytes; witnesses are origins of this network.
 *   COMITY_E_SUITE         A ledger's suite is not known here.
 *   COMITY_E_BAD_KEY       A key is of low order or stands there twice: an Ed25519 key among
 * ledgers and authority, or an X25519 key among CURVE and seal keys.
 */
int roster_open(struct bytes file, const struct network *anchor, const struct roster *previous,
                struct roster **ret) __attribute__((warn_unused_result));
void roster_free(struct roster *r);

const struct roster_doc *roster_doc(const struct roster *r);
uint64_t roster_number(const struct roster *r);
/* The exact file, the note, and the note's text. */
struct bytes roster_file(const struct roster *r);
struct bytes roster_note(const struct roster *r);
struct bytes roster_note_text(const struct roster *r);
/* H(text of the note): what the next roster names, and what a ROSTER entry refers to. */
void roster_text_hash(const struct roster *r, struct hash *ret);
int64_t roster_renew_by_ms(const struct roster *r);
/* The authority that this roster names, for what comes after it. */
const struct network *roster_network(const struct roster *r);

/* All NULL when there is none. A dozen comparisons each; ${m} is a member of this very roster. */
const struct roster_member *roster_member_of(const struct roster *r, struct bytes member_id);
const struct roster_origin *roster_origin_of(const struct roster *r, struct bytes origin);
const struct roster_member *roster_member_by_curve(const struct roster *r, const uint8_t key[32]);
/* The member's ledger that may still grow; NULL when it is closed or there is none. */
const struct roster_origin *roster_current_origin(const struct roster *r,
                                                  const struct roster_member *m);
/* The first broker; a network has one until there are several. */
const struct roster_member *roster_broker(const struct roster *r);

/* H("comity-seal-key-id/v1\n" ‖ pub)[0..8]. */
enum { SEAL_KEY_ID_LEN = 8 };
void seal_key_id(const struct suite *suite, const uint8_t pub[32], uint8_t ret[SEAL_KEY_ID_LEN]);

/*
 * Building, for the authority: the text of the note over ${bytes}. ${previous_text} is the text of
 * the previous roster's note, empty for roster 1 only. Times are cut to the second; renew-by comes
 * after issued. COMITY_E_INVALID.
 */
struct roster_issue {
    struct bytes network;
    uint64_t number;
    struct bytes previous_text;
    int64_t issued_ms;
    int64_t renew_by_ms;
};
int roster_put_note_text(struct buf *out, const struct roster_issue *issue, struct bytes bytes)
    __attribute__((warn_unused_result));

#endif
