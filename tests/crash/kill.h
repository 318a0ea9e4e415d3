/*
 * The kill -9 campaign: a broker and three bureaus as real processes, officers who push, and a
 * monster that kills one process after the other, at named steps and at random times. After every
 * death what lies on the disk is held against what people were told (kill_check*.c), before the
 * process is started again.
 *
 *   kill_main.c      the cycles, and what is printed
 *   kill_process.c   daemons: started with a step armed, killed, reaped
 *   kill_steps.c     the table of steps, and which is next
 *   kill_roster.c    the authority and the joining of rosters, killed between their files
 *   kill_officers.c  who pushes what, and what he was told
 *   kill_papers.c    records, signed
 *   kill_keys.c      key files that cost nothing to open
 *   kill_check.c     a ledger: chain, checkpoints, bodies, what was acknowledged
 *   kill_check_node.c, kill_check_broker.c, kill_check_pair.c, kill_check_views.c
 *   kill_end.c       all heals, drains, stops, and the whole history is judged
 *
 * A daemon is killed inside a file call by tap.so (tests/support/disk/preload.c), which is
 * preloaded and told which one.
 */
#ifndef TESTS_CRASH_KILL_H
#define TESTS_CRASH_KILL_H

#include "crypto/note.h"
#include "history/history.h"
#include "ledger/ledger.h"
#include "site/site.h"

#include <comity/client.h>
#include <jansson.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

enum { DAEMONS = 4, NODES = 3, HUB = 0, OFFICERS = 3, TEXT = 256 };

/* ---- steps ---- */

enum program { PROGRAM_NODE, PROGRAM_BROKER, PROGRAM_AUTHORITY, PROGRAM_JOIN };

struct step {
    const char *name;
    enum program program;
    const char *action; /* as COMITY_TAP_DO has it; NULL: killed at a random time */
    const char *call;
    const char *glob;
    unsigned spread;   /* the 1st … ${spread}th such call, at random */
    const char *leads; /* the start after this step should be armed with that one */
};

extern const struct step steps[];
extern const size_t step_count;

/* How often each was armed, and hit. */
struct tally {
    unsigned armed;
    unsigned hit;
};

/* ---- what the ledgers held when they were last looked at ---- */

struct book {
    struct hash *leaf;
    struct hash *root; /* root[n]: of the first n */
    uint64_t size;
    uint64_t cap;
    uint64_t files_checked; /* rows of view_file seen so far */
};

/* ---- processes ---- */

struct kill_daemon {
    struct campaign *c;
    size_t at;
    char id[40];
    char origin[120];
    char dir[PATH_MAX / 2];
    pid_t pid;               /* 0: dead */
    const struct step *step; /* armed with it; NULL: none */
    int64_t until_ms;        /* then it is killed; 0: never */
    size_t leads;            /* the step to arm next, or step_count */
    struct site *site;
    struct site_keys keys;
    struct book book;
    bool is_read; /* the book is of this death */
};

/* ---- officers ---- */

struct push {
    char id[48];
    size_t from; /* daemon */
    unsigned to; /* bit i: daemon i */
    uint32_t kind;
    struct buf record;
    uint8_t salt[32];
    struct buf note[2];
    size_t note_count;
    uint64_t call; /* of this connection */
    bool is_open;  /* asked, and the outcome is not known */
    bool is_acked;
    uint64_t index;
    struct hash leaf;
    unsigned receipts;
};

struct bureau {
    struct campaign *c;
    struct kill_daemon *d;
    pthread_t thread;
    bool is_running;
    comity_client *client;
    struct note_signer *officer[OFFICERS];
    struct push **push;
    size_t count;
    size_t cap;
    size_t settled; /* pushes below have no open outcome */
    uint64_t rand;
    uint64_t numbered;
    uint8_t *last; /* the file brought in last */
    size_t last_len;
};

/* ---- all of it ---- */

struct campaign {
    const char *dir;
    const char *bin; /* folder with the programs */
    char passphrase_file[PATH_MAX];
    char officer_passphrase_file[PATH_MAX];
    uint64_t seed;
    uint64_t rand;
    unsigned cycles;
    unsigned cycle;
    struct kill_daemon daemon[DAEMONS];
    struct bureau bureau[DAEMONS]; /* none at HUB */
    struct tally *tally;
    pthread_mutex_t lock; /* history, pushes, failures */
    struct history *history;
    unsigned failures;
    atomic_bool is_closing; /* nothing new is pushed */
    atomic_bool is_stopping;
    unsigned asked_again; /* pushes whose outcome was open, asked again */
    unsigned repeated;    /* answered with the place that they had already */
    unsigned rosters;
    int64_t check_us;
    int64_t rebuild_us;
    unsigned checks;
};

uint64_t rand_next(uint64_t *state);
uint64_t rand_below(uint64_t *state, uint64_t n);
int64_t mono_ms(void);
int64_t mono_us(void);

/* A path; one that is too long is the end. */
void path_put(char ret[PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What should not be: printed, counted, and the end of the campaign. */
void kill_fail(struct campaign *c, const char *who, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The campaign itself cannot go on. */
void kill_die(const char *what, const char *detail) __attribute__((noreturn));

/* kill_keys.c: every key file in ${dir} anew, under the same passphrase and a derivation that takes
 * no time: what is tested is not the derivation, and a restart would cost half a second of it. */
void keys_cheapen(const char *dir, const char *passphrase_file);

/* kill_process.c */
void process_start(struct kill_daemon *d, const struct step *step);
/* Wait at most ${ms} for any daemon's end; NULL: nobody died. ${*ret_killed}: by SIGKILL. */
struct kill_daemon *process_reap(struct campaign *c, int ms, bool *ret_killed);
void process_kill(struct kill_daemon *d);
/* SIGTERM, and it must end with 0. */
void process_stop(struct kill_daemon *d);
/* Run a program to its end, armed with ${step} (may be NULL), below ${root}. Its wait status. */
int process_run(struct campaign *c, const struct step *step, const char *root,
                const char *const *argv);

/* kill_steps.c */
size_t step_pick(struct campaign *c, enum program p);
/* Whether a step was never hit so far. */
bool steps_missed(const struct campaign *c);
void steps_print(const struct campaign *c, FILE *to);

/* kill_roster.c: the next roster, by an authority that is killed and tries again, and brought to a
 * broker and nodes by commands that are. */
void roster_cycle(struct campaign *c);

/* kill_papers.c */
struct push *paper_case(struct bureau *b, size_t filler);
struct push *paper_evidence(struct bureau *b, json_t *const *files, size_t n);
struct push *paper_recognition(struct bureau *b, const json_t *evidence);
void paper_free(struct push *p);

/* kill_officers.c */
void officers_start(struct campaign *c);
void officers_stop(struct campaign *c);
bool officers_settled(struct campaign *c);

/* kill_check.c: what lies in the folder of ${d}, which is dead. */
void check_dead(struct kill_daemon *d);
/* Bring the book of a ledger up to date; every entry that was seen before must be the same. */
void check_book(struct kill_daemon *d, struct ledger *l, struct db *db);
void check_node(struct kill_daemon *d, struct ledger *l, struct store *s);
void check_broker(struct kill_daemon *d, struct ledger *l, struct store *s);
/* ${node} and the broker, one of which is dead; ${hub_db}, ${db}: their databases. */
void check_with_broker(struct kill_daemon *node, struct db *db, struct kill_daemon *hub,
                       struct db *hub_db);
/* ${dead} and another node. */
void check_with_node(struct kill_daemon *dead, struct db *db, struct kill_daemon *other,
                     struct db *other_db);
/* It opens for writing from a copy; a node's lists are what the ledger makes of them. */
void check_rebuilt(struct kill_daemon *d);

/* kill_end.c */
void end_judge(struct campaign *c);

#endif
