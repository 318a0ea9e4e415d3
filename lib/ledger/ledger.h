/*
 * The ledger: an append-only sequence of entries that is at once a hash chain and an RFC 6962 tree.
 *
 * Writing goes in turns: ledger_begin, any number of ledger_append, ledger_sign, proofs and
 * whatever else belongs to the turn, ledger_commit. An append after ledger_sign, or a commit of
 * appends that were not signed, is refused: what is not covered by a durable signed checkpoint
 * cannot leave the process. ledger_abort takes everything of the turn back.
 *
 * A ledger that does not match its own last checkpoint does not open for writing
 * (COMITY_E_LEDGER_DAMAGED): a flipped bit is never signed over.
 *
 * What an entry's body says is not interpreted here. One thread.
 */
#ifndef LEDGER_LEDGER_H
#define LEDGER_LEDGER_H

#include "ledger/checkpoint.h"
#include "ledger/proof.h"
#include "msg/entry.h"
#include "msg/parcel.h"
#include "store/store.h"

struct ledger;

/* Schema steps for store_migrate: put these first, in one list with the owner's own steps behind.
 */
extern const char *const ledger_schema[];
extern const size_t ledger_schema_count;

/*
 * Make an empty ledger in a migrated store: origin, suite, and the text of the predecessor's
 * closing checkpoint (without signatures) or none. COMITY_E_EXISTS when there is one;
 * COMITY_E_INVALID for an origin or a text that is none, COMITY_E_SUITE. Takes a transaction of its
 * own.
 */
int ledger_create(struct store *s, const char *origin, uint32_t suite, struct bytes predecessor)
    __attribute__((warn_unused_result));

/*
 * Open for writing: recompute what the stored tiles do not cover, compare with the stored
 * checkpoint, whose signature must be ${signer}'s. Keeps ${s} and ${signer}, which must outlive it.
 * COMITY_E_NOT_FOUND when there is none, COMITY_E_SUITE, COMITY_E_INVALID when the signer's name is
 * not the origin, COMITY_E_LEDGER_DAMAGED for everything that does not fit (a checkpoint of another
 * key included).
 */
int ledger_open(struct store *s, const struct note_signer *signer, struct ledger **ret)
    __attribute__((warn_unused_result));
/* Open for reading only (a live ledger beside its writer, or a copy): nothing is verified but what
 * is asked for. It shows the entries that the newest checkpoint covered when it was opened. */
int ledger_open_read(struct store *s, struct ledger **ret) __attribute__((warn_unused_result));
void ledger_close(struct ledger *l);

const char *ledger_origin(const struct ledger *l);
const struct suite *ledger_suite(const struct ledger *l);
/* The genesis hash: prev of entry 0. */
const struct hash *ledger_genesis(const struct ledger *l);
/* The checkpoint at which the ledger before this one was closed; false when it is the first. */
bool ledger_predecessor(const struct ledger *l, struct checkpoint *ret);
/* Entries, those of the running turn included. */
uint64_t ledger_size(const struct ledger *l);
/* Entries that the newest checkpoint covers: of this turn once ledger_sign has run. */
uint64_t ledger_signed_size(const struct ledger *l);

/* H("comity-genesis/v1\n" ‖ origin ‖ "\n" ‖ suite in decimal ‖ "\n" ‖ predecessor). */
void ledger_genesis_hash(const struct suite *suite, struct bytes origin, struct bytes predecessor,
                         struct hash *ret);
/* H("comity-body/v1\n" ‖ origin ‖ "\n" ‖ salt ‖ body). */
void ledger_body_hash(const struct suite *suite, struct bytes origin, struct bytes salt,
                      struct bytes body, struct hash *ret);
/* H("comity-record/v1\n" ‖ origin ‖ "\n" ‖ salt ‖ record): what officers sign. */
void ledger_record_hash(const struct suite *suite, struct bytes origin, struct bytes salt,
                        struct bytes record, struct hash *ret);

/*
 * Turns. A call that does not fit where the turn stands is COMITY_E_INVALID and changes nothing.
 * The store's transaction is the turn's: owners write their own rows and chunks between
 * ledger_begin and ledger_commit.
 *
 * ledger_begin: COMITY_E_PERMISSION when open for reading, COMITY_E_IO after a commit whose outcome
 * is unknown.
 */
int ledger_begin(struct ledger *l) __attribute__((warn_unused_result));
/* Append ${e}, whose index and prev are filled in here; prev is valid until the next append.
 * ${ret_leaf} may be NULL. Nothing has changed on failure: errors of entry_encode, COMITY_E_LIMIT
 * at LEDGER_SIZE_MAX. */
int ledger_append(struct ledger *l, struct entry *e, struct hash *ret_leaf)
    __attribute__((warn_unused_result));
/*
 * Sign the checkpoint over everything appended and put entries, tiles and note into the
 * transaction. Without appends nothing is signed and the newest checkpoint stands. On failure the
 * turn can only be aborted.
 */
int ledger_sign(struct ledger *l) __attribute__((warn_unused_result));
/*
 * Durable when it returns 0. COMITY_E_UNCOVERED for appends that were not signed: the turn goes on.
 * After any other error everything of the turn is taken back; after COMITY_E_DISK_FULL a new turn
 * may begin, otherwise none can: what the disk holds is unknown, and the process must end.
 */
int ledger_commit(struct ledger *l) __attribute__((warn_unused_result));
void ledger_abort(struct ledger *l);

/* The newest signed checkpoint: of this turn once ledger_sign has run. The note is valid until the
 * next ledger_sign, ledger_commit or ledger_abort. COMITY_E_UNCOVERED for an empty ledger. */
int ledger_checkpoint(const struct ledger *l, struct checkpoint *ret, struct bytes *ret_note)
    __attribute__((warn_unused_result));
/* The stored checkpoint of the smallest size that is at least ${size}, its note appended to
 * ${note}. COMITY_E_UNCOVERED when there is none. */
int ledger_checkpoint_from(struct ledger *l, uint64_t size, struct checkpoint *ret,
                           struct buf *note) __attribute__((warn_unused_result));
/* The root at any size up to ledger_size (COMITY_E_NOT_FOUND above). */
int ledger_root(struct ledger *l, uint64_t size, struct hash *ret)
    __attribute__((warn_unused_result));

/* Append the exact bytes of entry ${index} to ${out}, also of the running turn. COMITY_E_NOT_FOUND.
 */
int ledger_entry(struct ledger *l, uint64_t index, struct buf *out)
    __attribute__((warn_unused_result));
int ledger_leaf(struct ledger *l, uint64_t index, struct hash *ret)
    __attribute__((warn_unused_result));
/* Call ${each} for entries from … to-1 in order, until it returns non-zero, which is passed on. It
 * may read the ledger, but not append. COMITY_E_NOT_FOUND unless from <= to <= ledger_size. */
int ledger_each(struct ledger *l, uint64_t from, uint64_t to,
                int (*each)(void *self, uint64_t index, struct bytes entry), void *self)
    __attribute__((warn_unused_result));

/* The prover's view of this ledger's tree: valid as long as ${l}, for leaves below ledger_size
 * (COMITY_E_NOT_FOUND). */
struct tree_source ledger_tree(struct ledger *l);

/*
 * Bodies, of own and of received entries: a run of openings as they were sealed, by origin and
 * first index. With the entries they are the source from which everything else can be rebuilt. Only
 * within a turn (COMITY_E_INVALID). At most OPENING_RUN_MAX openings a run. Runs may overlap; what
 * was erased here stays erased when it comes again.
 */
enum { OPENING_RUN_MAX = PARCEL_ENTRIES_MAX };
int ledger_openings_put(struct ledger *l, struct bytes origin, uint64_t first,
                        const struct openings *run) __attribute__((warn_unused_result));
/*
 * The opening of entry ${index} of ${origin}; its views point into ${a}. COMITY_E_NOT_FOUND when
 * nothing was ever stored, COMITY_E_ERASED when it was erased here, COMITY_E_WITHHELD for an empty
 * opening. Where several runs hold it, the newest that is not empty counts.
 */
int ledger_opening(struct ledger *l, struct bytes origin, uint64_t index, struct arena *a,
                   struct opening *ret) __attribute__((warn_unused_result));
/* Overwrite salt and body on the disk, wherever they are. Only within a turn. COMITY_E_NOT_FOUND
 * when nothing was stored. */
int ledger_opening_erase(struct ledger *l, struct bytes origin, uint64_t index)
    __attribute__((warn_unused_result));

#endif
