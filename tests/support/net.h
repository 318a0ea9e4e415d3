/*
 * A small network for tests, made of real keys, ledgers and rosters: an authority, a broker and
 * some bureaus, each with a ledger in a temporary folder. Everything that fails here ends the test
 * program.
 */
#ifndef SUPPORT_NET_H
#define SUPPORT_NET_H

#include "ledger/ledger.h"
#include "site/site.h"
#include "wire/parcel.h"
#include "wire/roster.h"

enum { NET_PARTIES_MAX = 8 };

/* A member: what its site would hold. */
struct party {
    char id[33];
    char origin[81];
    enum member_role role;
    char dir[256];
    struct site_keys keys;
    struct store *store;
    struct ledger *ledger;
};

struct net {
    char dir[200];
    struct note_signer *authority;
    struct network network;
    struct party party[NET_PARTIES_MAX];
    size_t count;
    struct buf roster_file;
    struct roster *roster;
    int64_t now_ms;       /* when the next roster is issued; 0: now */
    char endpoint[2][64]; /* the brokers', main and bulk; a change counts from the next roster on */
};

/* A network with these members; a bureau's id makes a bureau, any other a broker. Roster 1 names
 * them all. */
void net_init(struct net *n, const char *const *ids, size_t count);
/* The same at another time than now: of that time its rosters are. */
void net_init_at(struct net *n, const char *const *ids, size_t count, int64_t now_ms);
void net_done(struct net *n);
struct party *net_party(struct net *n, const char *id);
/* Close the ledgers (so that a daemon may open them), or open them again. */
void party_close(struct party *p);
void party_open(struct party *p);

/* Issue the next roster, in which ${closed} (or nobody, NULL) has a closed ledger of size 0. */
void net_next_roster(struct net *n, const char *closed);
/* Issue the next roster, in which the ledger of ${id} is closed as it is now. Open it. */
void net_close_ledger(struct net *n, const char *id);

/* One turn of a party: ${count} RECORD entries with bodies "body <i>" for ${to}, as one sealed
 * parcel; numbers from ${pair_seq} on. The parcel's bytes into ${out}. ${since}: size last sent to
 * everybody, 0: never. */
struct party_parcel {
    const char *const *to; /* sorted */
    size_t to_count;
    size_t count;
    uint64_t pair_seq;
    uint64_t since;
    const char *broker;        /* member id for `since` */
    const struct bytes *blobs; /* attachments that the head names: id ‖ u64be len */
    size_t blob_count;
    struct bytes file; /* if not none: FILE entries about this blob instead, so a receipt */
};
void party_make_parcel(struct net *n, struct party *p, const struct party_parcel *what,
                       struct buf *out);

#endif
