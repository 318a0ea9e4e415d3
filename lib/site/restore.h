/*
 * A folder that was put back from an old copy: how that is remembered, and the way out of it. See
 * docs/LEDGER.md, Rollback.
 *
 * The daemon that is told so writes the file `rollback` into its folder and ends: its ledger must
 * not grow, so it is not written there. Commands read it, to say what is the matter.
 */
#ifndef SITE_RESTORE_H
#define SITE_RESTORE_H

#include "site/site.h"

/* What was found, and when. The other side may know a larger ledger, or another one of this size.
 */
struct site_rollback {
    uint64_t size;       /* entries of the ledger here */
    uint64_t known_size; /* entries that the broker has seen of it; 0: it did not say */
    int64_t time_ms;
};

int site_rollback_write(const struct site *s, const struct site_rollback *r)
    __attribute__((warn_unused_result));
/* What the folder ${dir} remembers. COMITY_E_NOT_FOUND when it is nothing, COMITY_E_MALFORMED. */
int site_rollback_read(const char *dir, struct site_rollback *ret)
    __attribute__((warn_unused_result));
/* The ledger is in order (again): forget it. A file that is not there is fine. */
int site_rollback_forget(const struct site *s) __attribute__((warn_unused_result));

/* ---- the way out: close and succeed ---- */

/*
 * What is to succeed the ledger of ${s}: a new ledger key (with ${new_keys} also a new CURVE key,
 * and a new seal key), and the join note that asks the authority for it, in the folder `next`.
 * Nothing else is touched. Done before, it gives the same join note again. ${endpoint}: a broker's
 * two. Appended to ${join}. COMITY_E_BUSY while a daemon has the ledger.
 */
struct site_succession {
    bool new_keys;
    const char *endpoint[2];
};
int site_succession_begin(const struct site *s, const struct site_succession *how,
                          struct bytes passphrase, struct buf *join, struct buf *detail)
    __attribute__((warn_unused_result));
/* Whether it was begun: there is a key that is to come. */
bool site_succession_is_begun(const struct site *s);

/* What became of it. */
struct site_succeeded {
    char origin[ORIGIN_MAX + 1]; /* the new ledger's */
    char before[ORIGIN_MAX + 1];
    uint64_t size;        /* entries of the old one here … */
    uint64_t closed_size; /* … and where it was closed */
    unsigned number;      /* of the archive: archive/<number> */
};

/*
 * ${roster_file} closes the ledger of ${s} and lists the one begun as its successor: make that,
 * with a NOTE entry that says what happened and what of the old one's numbers must go on, move the
 * old one to archive/<number> and the new one into its place. Every step can be repeated: after a
 * crash the same call goes on, and until it is through no daemon starts. COMITY_E_CLOSED while the
 * roster has the old one open, COMITY_E_NOT_MEMBER when it has not the key that was begun,
 * COMITY_E_ROLLBACK when it closes it below ${least} entries.
 */
int site_succession_finish(const struct site *s, struct bytes roster_file, struct bytes passphrase,
                           uint64_t least, int64_t now_ms, struct site_succeeded *ret,
                           struct buf *detail) __attribute__((warn_unused_result));

/* ---- internal to lib/site ---- */

/* create.c: one turn with one entry, a NOTE that says ${remark}. */
int site_append_note(struct ledger *l, struct bytes remark, int64_t now_ms)
    __attribute__((warn_unused_result));

/* carry.c: what a new ledger's tables take over of the old ones, inside a transaction of ${to}. */

int site_carry_node(struct store *from, struct store *to, const struct site_succeeded *s)
    __attribute__((warn_unused_result));

#endif
