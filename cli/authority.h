/*
 * What the files of the noun `authority` share. Internal to them, and to broker.c for the witness
 * file.
 */
#ifndef CLI_AUTHORITY_H
#define CLI_AUTHORITY_H

#include "cli.h"
#include "files.h"
#include "msg/entry.h"
#include "wire/notes.h"
#include "wire/roster.h"

enum { NETWORK_FILE_MAX = 64 * 1024, WITNESS_FILE_MAX = 256 * 1024 };

/* A roster on its way: what stands there, what is to come. Zeroed to begin with. */
struct roster_draft {
    struct network network; /* the anchor, as given */
    struct roster *current; /* NULL: the first one is being made */
    struct roster_doc doc;  /* the next one */
    struct buf bytes;       /* the next one's bytes */
    struct buf note;        /* its note, signed or not */
    struct buf file;        /* lp(note) ‖ lp(bytes) */
    json_t *changes;        /* what the next one changes, for people */
    size_t signatures;      /* by keys that count */
    size_t needed;
};

/* Read --network. */
int roster_draft_network(struct cli *c, struct roster_draft *d) __attribute__((warn_unused_result));
/* Take the roster file at ${path}, with too few signatures perhaps, as the next one. */
int roster_draft_read(struct cli *c, struct roster_draft *d, const char *path)
    __attribute__((warn_unused_result));
/* Sign with every --key, and count. */
int roster_draft_sign(struct cli *c, struct roster_draft *d) __attribute__((warn_unused_result));
/* The command's result for the draft, written to ${path} (NULL: a dry run). */
int roster_draft_result(struct cli *c, struct roster_draft *d, const char *path)
    __attribute__((warn_unused_result));
void roster_draft_done(struct roster_draft *d);
extern const struct view roster_draft_view;

int authority_add(struct cli *c);
int authority_revoke(struct cli *c);
int authority_show(struct cli *c);
extern const struct flag roster_add_flags[];
extern const struct flag roster_revoke_flags[];
extern const struct flag authority_show_flags[];
extern const struct view authority_show_view;

/* What a roster file says: under the keys of ${anchor}, or, with NULL, by its own account, and
 * perhaps not signed by enough keys yet. A new reference. */
int authority_roster_json(struct cli *c, const char *path, struct bytes file,
                          const struct network *anchor, json_t **ret)
    __attribute__((warn_unused_result));

/* The network that a roster file names, whoever signed it; NULL when it is none. */
const char *authority_network_of(struct cli *c, struct bytes file);

/* A network file's content. */
int authority_read_network(struct cli *c, const char *path, struct network *ret)
    __attribute__((warn_unused_result));
/* The member of ${doc} that ${name} names: its id, else its name, else a part that only one has. */
int authority_find_member(struct cli *c, const struct roster_doc *doc, const char *name,
                          const char **ret_id) __attribute__((warn_unused_result));
/* A join file, and its fingerprint. */
int authority_read_join(struct cli *c, const char *path, struct join_request *ret,
                        const char **ret_fingerprint) __attribute__((warn_unused_result));
/*
 * What is known of a member's ledger at the broker: MEMBER.witness, JSON.
 *
 *     {"witness":"comity witness v1", "member","origin","size","root",
 *      "checkpoint": the member's signed note, when the broker still has it,
 *      "broker": origin, "routed": index, "time",
 *      "entry": base64 of the ROUTED entry's exact bytes,
 *      "proof": a tlog-proof of that entry, with the broker's signed checkpoint}
 *
 * It convinces by itself: the broker's signature proves that it took this checkpoint in at this
 * place of its ledger.
 */
struct witness {
    struct bytes origin;
    uint64_t size;
    struct hash root;
    struct bytes broker;
    uint64_t routed;
    int64_t time_ms; /* of the ROUTED entry */
    bool has_checkpoint;
};
/* Read and verify ${path} under the keys of ${r}. */
int witness_read(struct cli *c, const char *path, const struct roster *r, struct witness *ret)
    __attribute__((warn_unused_result));
bool witness_is(struct bytes text);

#endif
