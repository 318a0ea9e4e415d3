/*
 * Time, from outside: everything that needs the time is handed a clock, so that a test or a
 * simulation can hand it another one.
 */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

struct clock {
    /* Milliseconds since 1970-01-01T00:00:00Z. May jump in either direction. */
    int64_t (*wall_ms)(void *self);
    /* Milliseconds since some fixed moment. Never runs backwards. */
    int64_t (*mono_ms)(void *self);
    void *self;
};

/* How far the clocks of two machines may differ before it is worth a word. */
enum { CLOCK_TOLERANCE_MS = 5 * 60 * 1000 };

/* The machine's own clock. */
extern const struct clock clock_system;

static inline int64_t clock_wall_ms(const struct clock *c)
{
    return c->wall_ms(c->self);
}

static inline int64_t clock_mono_ms(const struct clock *c)
{
    return c->mono_ms(c->self);
}

#endif
