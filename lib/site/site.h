/*
 * A member's folder: its configuration, its keys, its trust anchor, and where everything lies.
 *
 *     node.conf | broker.conf     configuration (libconfuse)
 *     network                     the authority's keys, copied from NET.network at init
 *     roster                      the newest roster handed in by an administrator
 *     keys/ledger.key keys/curve.key keys/seal-1.key …   0600, encrypted
 *     ledger.db | broker.db       see store/store.h
 *     files/ | blobs/             evidence; sealed blocks
 *     node.sock                   control socket, 0660
 *
 * The folder is 0700 but for the socket's sake 0710. The commands `init` and `join` write it;
 * daemons read it. A file that does not parse stops a start and changes nothing; errors name file
 * and line.
 */
#ifndef SITE_SITE_H
#define SITE_SITE_H

#include "base/log.h"
#include "ledger/ledger.h"
#include "wire/notes.h"
#include "wire/parcel.h"

enum { SITE_SEAL_KEYS_MAX = 64 };

struct site {
    char *dir;
    enum member_role role; /* MEMBER_BUREAU: a node; MEMBER_BROKER */
    char *member;
    char *origin;
    char *name;
    uint32_t suite;
    struct network network;
    char *passphrase_file; /* as for passphrase_read */
    enum log_level log_level;
    uint64_t memory_bytes; /* cap of the address space */
    /* a node's */
    char *control;               /* path of the control socket */
    uint64_t checkpoint_entries; /* publish a checkpoint hourly when the ledger grew by more than
                                    this, else daily */
    /* a broker's */
    char *listen;         /* main endpoint to bind */
    char *listen_bulk;    /* bulk endpoint to bind */
    char *metrics;        /* "127.0.0.1:9464", or NULL: off */
    uint64_t keep_days;   /* parcels after the last TAKEN */
    uint64_t quota_bytes; /* parcels and attachments that may wait for one recipient */
};

/*
 * Read ${conf_path}, whose folder is the site. On failure ${detail} says file, line and what is
 * wrong. COMITY_E_CONFIG, COMITY_E_NOT_FOUND, COMITY_E_NOMEM.
 */
int site_load(const char *conf_path, struct site **ret, struct buf *detail)
    __attribute__((warn_unused_result));
void site_free(struct site *s);
/* "${site->dir}/${name}", to be freed. */
char *site_path(const struct site *s, const char *name);

/* The schema names of the two stores: "ledger" and "broker". */
const char *site_store_name(const struct site *s);

struct site_keys {
    struct note_signer *ledger;
    uint8_t curve_secret[32];
    uint8_t curve_public[32];
    struct parcel_key seal[SITE_SEAL_KEYS_MAX]; /* the last one is in use */
    uint8_t seal_public[32];                    /* of the last one */
    size_t seal_count;
};

/* Open all keys. COMITY_E_PASSPHRASE, COMITY_E_PUBLIC_KEY_FILE, COMITY_E_KEY_DAMAGED; ${detail}
 * names the file. */
int site_unlock(const struct site *s, struct bytes passphrase, struct site_keys *ret,
                struct buf *detail) __attribute__((warn_unused_result));
void site_keys_wipe(struct site_keys *k);

/* The roster handed in by the administrator, verified against ${previous} or the network's anchor;
 * COMITY_E_NO_ROSTER when there is none. */
int site_roster(const struct site *s, const struct roster *previous, struct roster **ret)
    __attribute__((warn_unused_result));

/* What `init` is told. */
struct site_plan {
    const char *dir;     /* must not exist, or be empty */
    const char *network; /* path of NET.network */
    enum member_role role;
    const char *member;
    const char *name;
    const char *endpoint; /* brokers: as the roster will say it, and what is bound unless `listen`
                             is edited */
    const char *endpoint_bulk;
    const char *passphrase_file; /* written into the configuration; may be NULL: the daemon is then
                                    given --passphrase-file */
};
/*
 * Make the folder, the keys (encrypted under ${passphrase}), the configuration and the empty ledger
 * whose only entry is a NOTE
 * ("ledger opened"), all durable; append the join note, which is kept in the folder as `join`, to
 * ${join}. Nothing is left behind on failure.
 */
int site_create(const struct site_plan *plan, struct bytes passphrase, int64_t now_ms,
                struct buf *join, struct buf *detail) __attribute__((warn_unused_result));
/*
 * Take ${roster_file} into the site: verified against the network's anchor (and against the roster
 * that is there), and this member must be in it with the very keys of this folder
 * (COMITY_E_NOT_MEMBER). ${detail} says what does not fit.
 */
int site_join(const struct site *s, struct bytes roster_file, struct buf *detail)
    __attribute__((warn_unused_result));

/* Open the store of a site and migrate it. */
int site_open_store(const struct site *s, enum db_mode mode, struct store **ret)
    __attribute__((warn_unused_result));

#endif
