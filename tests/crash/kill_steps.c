/*
 * The steps at which processes are killed, by name. See kill.h.
 *
 * A step is a file call of the process as tap.so names it; `spread` says how many such calls the
 * death may wait for. A restart behind a death makes the steps of the next start reachable: the WAL
 * that was left is copied into the database, a segment's tail is cut off.
 */
#include "kill.h"

#include <string.h>

#define WAL "ledger.db-wal"
#define SEG "ledger.seg/*"

/* clang-format off */
const struct step steps[] = {
    {"node, at a random time",                       PROGRAM_NODE, NULL, NULL, NULL, 1, NULL},
    {"node, first call of its start",                PROGRAM_NODE, "before", "any", "*", 3, NULL},
    {"node, turn begins to be written",              PROGRAM_NODE, "before", "write", WAL, 160, NULL},
    {"node, half a frame of the WAL",                PROGRAM_NODE, "torn", "write", WAL, 160, NULL},
    {"node, WAL written and not synced",             PROGRAM_NODE, "before", "sync", WAL, 10, NULL},
    {"node, committed and not answered",             PROGRAM_NODE, "after", "sync", WAL, 10, NULL},
    {"node, checkpoint into the database begun",     PROGRAM_NODE, "before", "write", "ledger.db", 1, NULL},
    {"node, checkpoint half done",                   PROGRAM_NODE, "torn", "write", "ledger.db", 8, NULL},
    {"node, checkpoint not synced",                  PROGRAM_NODE, "before", "sync", "ledger.db", 1, NULL},
    {"node, checkpoint synced, WAL not cut",         PROGRAM_NODE, "before", "truncate", WAL, 1, NULL},
    {"node, WAL cut",                                PROGRAM_NODE, "after", "truncate", WAL, 1, NULL},
    {"node, segment made",                           PROGRAM_NODE, "after", "create", SEG, 1, NULL},
    {"node, segment half written",                   PROGRAM_NODE, "torn", "write", SEG, 4, "node, segment's tail to be cut"},
    {"node, segment not synced",                     PROGRAM_NODE, "before", "sync", SEG, 2, "node, segment's tail cut"},
    {"node, segment synced, before COMMIT",          PROGRAM_NODE, "after", "sync", SEG, 2, "node, segment's tail to be cut"},
    {"node, segment's tail to be cut",               PROGRAM_NODE, "before", "truncate", SEG, 1, "node, segment's tail cut"},
    {"node, segment's tail cut",                     PROGRAM_NODE, "after", "truncate", SEG, 1, NULL},
    {"node, segment punched",                        PROGRAM_NODE, "after", "punch", SEG, 2, NULL},
    {"node, file half copied",                       PROGRAM_NODE, "torn", "write", "files/tmp/*", 3, NULL},
    {"node, file not synced",                        PROGRAM_NODE, "before", "sync", "files/tmp/*", 2, NULL},
    {"node, file synced, not in its place",          PROGRAM_NODE, "before", "rename", "files/tmp/*", 2, NULL},
    {"node, file in its place, before its row",      PROGRAM_NODE, "after", "rename", "files/tmp/*", 2, NULL},
    {"node, folder of files synced",                 PROGRAM_NODE, "after", "sync_dir", "files", 2, NULL},
    {"node, fetch half done",                        PROGRAM_NODE, "torn", "write", "files/fetch/*.part", 4, NULL},
    {"node, fetch not synced",                       PROGRAM_NODE, "before", "sync", "files/fetch/*", 1, NULL},
    {"node, fetch complete, not in its place",       PROGRAM_NODE, "before", "rename", "files/fetch/*", 1, NULL},
    {"node, fetch in its place, before its row",     PROGRAM_NODE, "after", "rename", "files/fetch/*", 1, NULL},
    {"broker, at a random time",                     PROGRAM_BROKER, NULL, NULL, NULL, 1, NULL},
    {"broker, first call of its start",              PROGRAM_BROKER, "before", "any", "*", 3, NULL},
    {"broker, turn begins to be written",            PROGRAM_BROKER, "before", "write", "broker.db-wal", 160, NULL},
    {"broker, half a frame of the WAL",              PROGRAM_BROKER, "torn", "write", "broker.db-wal", 160, NULL},
    {"broker, WAL written and not synced",           PROGRAM_BROKER, "before", "sync", "broker.db-wal", 10, NULL},
    {"broker, committed and not answered",           PROGRAM_BROKER, "after", "sync", "broker.db-wal", 10, NULL},
    {"broker, checkpoint into the database begun",   PROGRAM_BROKER, "before", "write", "broker.db", 1, NULL},
    {"broker, checkpoint half done",                 PROGRAM_BROKER, "torn", "write", "broker.db", 8, NULL},
    {"broker, checkpoint synced, WAL not cut",       PROGRAM_BROKER, "before", "truncate", "broker.db-wal", 1, NULL},
    {"broker, segment made",                         PROGRAM_BROKER, "after", "create", "broker.seg/*", 1, NULL},
    {"broker, segment half written",                 PROGRAM_BROKER, "torn", "write", "broker.seg/*", 2, "broker, segment's tail cut"},
    {"broker, segment synced, before COMMIT",        PROGRAM_BROKER, "after", "sync", "broker.seg/*", 2, "broker, segment's tail cut"},
    {"broker, segment's tail cut",                   PROGRAM_BROKER, "after", "truncate", "broker.seg/*", 1, NULL},
    {"broker, blob's files made",                    PROGRAM_BROKER, "after", "create", "blobs/*.blocks", 2, NULL},
    {"broker, block half written",                   PROGRAM_BROKER, "torn", "write", "blobs/*.blocks", 3, NULL},
    {"broker, block written, its path half",         PROGRAM_BROKER, "torn", "write", "blobs/*.paths", 3, NULL},
    {"broker, blocks not synced",                    PROGRAM_BROKER, "before", "sync", "blobs/*.blocks", 2, NULL},
    {"broker, blob complete, before it is said",     PROGRAM_BROKER, "after", "sync", "blobs/*.paths", 3, NULL},
    {"broker, blob to be removed",                   PROGRAM_BROKER, "before", "unlink", "blobs/*", 1, NULL},
    {"broker, blob half removed, before its row",    PROGRAM_BROKER, "after", "unlink", "blobs/*.paths", 2, NULL},
    {"authority, roster half written",               PROGRAM_AUTHORITY, "torn", "write", "*.roster*", 1, NULL},
    {"authority, roster not synced",                 PROGRAM_AUTHORITY, "before", "sync", "*.roster*", 1, NULL},
    {"authority, roster written, not in its place",  PROGRAM_AUTHORITY, "before", "rename", "*.roster*", 1, NULL},
    {"authority, roster in its place",               PROGRAM_AUTHORITY, "after", "rename", "*.roster*", 1, NULL},
    {"join, roster half written",                    PROGRAM_JOIN, "torn", "write", "roster*", 1, NULL},
    {"join, roster written, not in its place",       PROGRAM_JOIN, "before", "rename", "roster*", 1, NULL},
    {"join, roster in its place",                    PROGRAM_JOIN, "after", "rename", "roster*", 1, NULL},
};
/* clang-format on */
const size_t step_count = sizeof steps / sizeof steps[0];

/* Whether only a start behind another step gets there. */
static bool is_led_to(const struct step *s)
{
    for (size_t i = 0; i < step_count; i++)
        if (steps[i].leads && strcmp(steps[i].leads, s->name) == 0)
            return true;
    return false;
}

/* The one that was hit least; what was tried in vain waits a little longer. */
size_t step_pick(struct campaign *c, enum program p)
{
    size_t best = step_count;
    uint64_t best_weight = UINT64_MAX;
    for (size_t i = 0; i < step_count; i++) {
        const struct tally *t = &c->tally[i];
        if (steps[i].program != p || is_led_to(&steps[i]))
            continue;
        uint64_t weight = (t->hit * 3 + t->armed) * 16 + rand_below(&c->rand, 48);
        if (weight < best_weight) {
            best = i;
            best_weight = weight;
        }
    }
    return best;
}

bool steps_missed(const struct campaign *c)
{
    for (size_t i = 0; i < step_count; i++)
        if (c->tally[i].hit == 0)
            return true;
    return false;
}

void steps_print(const struct campaign *c, FILE *to)
{
    for (size_t i = 0; i < step_count; i++)
        fprintf(to, "step\t%u\t%u\t%s\n", c->tally[i].hit, c->tally[i].armed, steps[i].name);
}
