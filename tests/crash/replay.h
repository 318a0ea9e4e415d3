/*
 * A recorded day replayed: after every call that changed a file the power is cut, several times
 * over, and what may be left of that member's folder is opened and looked at.
 *
 * A state is a content that a cut may leave together with what had been said by then: the same
 * content after the same words is opened once, wherever it comes from. Opening it is what a start
 * does first, and brings it into order; what is equal after that behaves equally, so all else is
 * looked at once for each content that comes out of it.
 */
#ifndef CRASH_REPLAY_H
#define CRASH_REPLAY_H

#include "day.h"
#include "disk/image.h"

enum { FINDINGS_MAX = 8 };

/* One state, so that it can be made again. */
struct place {
    uint64_t day;
    size_t point; /* the last event that had happened */
    enum cut cut;
    uint64_t seed;
};

struct finding {
    struct place at;
    char why[400];
};

struct figures {
    uint64_t points; /* crash points: calls that changed something */
    uint64_t cuts;   /* contents that were made */
    uint64_t states; /* of these, that were opened: each for the first time */
    uint64_t starts; /* of these, whose content after opening was new, or more was due of it: the
                        daemon was started on it */
    uint64_t whole;  /* of these, whose content was new, and was looked at in full */
    uint64_t found;  /* violations */
    struct finding finding[FINDINGS_MAX];
    struct place now; /* what is being looked at */
};

struct replay_plan {
    uint64_t states;          /* open so many, unless there are no more */
    unsigned worker, workers; /* of so many that share the points, this one */
    const char *folder;       /* scratch */
    bool stops;               /* at the first violation */
};

/* ${f} is updated as it goes on, so that whoever shares its memory sees what a process that ended
 * was at. */
void replay(struct day *d, uint64_t seed, const struct replay_plan *plan, struct figures *f);
/* Only that state, telling what is done. True when nothing is wrong. */
bool replay_one(struct day *d, const struct place *at, const char *folder);

const char *cut_word(enum cut cut);

#endif
