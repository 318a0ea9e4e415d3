/*
 * Bytes: a borrowed view, a growing buffer, an arena, and big-endian integers.
 *
 * `struct bytes` never owns. `struct buf` owns and grows; running out of memory makes it
 * sticky-failed, so that a chain of puts is checked once, at the end, by buf_check(). `struct
 * arena` hands out memory that is released all at once: a turn's decoded messages live in one, and
 * its cap bounds what hostile input can make us allocate. None of these is safe to share between
 * threads.
 */
#ifndef BASE_BYTES_H
#define BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
    const uint8_t *data;
    size_t len;
};

#define BYTES(ptr, n) ((struct bytes){.data = (const uint8_t *)(ptr), .len = (n)})
#define BYTES_NONE ((struct bytes){.data = NULL, .len = 0})
/* The bytes of a string literal, without its end mark. */
#define BYTES_LIT(literal) BYTES((literal), sizeof(literal) - 1)

/* The bytes of the string ${s}, without its end mark; none for NULL. */
struct bytes bytes_of(const char *s);
bool bytes_equal(struct bytes a, struct bytes b);
/* memcmp order; a prefix sorts first. */
int bytes_compare(struct bytes a, struct bytes b);
bool bytes_is(struct bytes b, const char *s);
bool bytes_has_prefix(struct bytes b, const char *prefix);
/* The ${n} bytes at ${off}, cut to what is there. */
struct bytes bytes_slice(struct bytes b, size_t off, size_t n);

/* Cut the first line off ${rest} (without its line feed) into ${ret_line}. False when ${rest} is
 * empty. */
bool bytes_next_line(struct bytes *rest, struct bytes *ret_line);

struct buf {
    uint8_t *data;
    size_t len;
    size_t cap;
    bool failed;
};

#define BUF_INIT ((struct buf){0})

void buf_put(struct buf *b, const void *data, size_t len);
void buf_put_bytes(struct buf *b, struct bytes bytes);
void buf_put_str(struct buf *b, const char *s);
void buf_put_u8(struct buf *b, uint8_t v);
void buf_put_u32be(struct buf *b, uint32_t v);
void buf_put_u64be(struct buf *b, uint64_t v);
/* lp(x): u32be length, then the bytes. */
void buf_put_lp(struct buf *b, struct bytes bytes);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Room for ${n} more bytes, to be written by the caller, who then adds to ${b}->len; NULL without
 * memory. */
uint8_t *buf_reserve(struct buf *b, size_t n);
/* COMITY_OK, or COMITY_E_NOMEM if any put since the last reset failed. */
int buf_check(const struct buf *b) __attribute__((warn_unused_result));
/* The content as a string: an end mark is kept behind the last byte. "" when empty or failed. */
const char *buf_str(struct buf *b);
struct bytes buf_bytes(const struct buf *b);
/* Empty it, keep the memory. */
void buf_reset(struct buf *b);
void buf_free(struct buf *b);
/* As buf_free, and overwrite the memory first. For secrets; puts may have moved earlier copies, so
 * reserve first. */
void buf_wipe(struct buf *b);

struct arena;

/* An arena that gives out at most ${cap} bytes; NULL without memory. */
struct arena *arena_new(size_t cap);
void arena_free(struct arena *a);
/* Zeroed, 16-byte aligned; NULL when the cap or the memory is used up. ${n} may be 0. */
void *arena_alloc(struct arena *a, size_t n);
/* As arena_alloc, not zeroed. */
void *arena_alloc_raw(struct arena *a, size_t n);
/* A copy of ${b} inside the arena; data is NULL on failure (never for an empty view). */
struct bytes arena_copy(struct arena *a, struct bytes b);
/* A copy with an end mark; NULL on failure. */
char *arena_strdup(struct arena *a, struct bytes b);
/* Whether ${b} lies in the arena's memory: then it lives as long as the rest. */
bool arena_has(const struct arena *a, struct bytes b);
/* Forget everything that was given out, keep the memory for the next turn. */
void arena_reset(struct arena *a);
/* Bytes given out since the last reset. */
size_t arena_used(const struct arena *a);
/* Whether something was not given since the last reset because of the cap, rather than for want of
 * memory. */
bool arena_is_spent(const struct arena *a);

/* Overwrite ${len} bytes at ${data} in a way that the compiler keeps: for secrets. */
void wipe(void *data, size_t len);

static inline void put_u32be(uint8_t out[4], uint32_t v)
{
    out[0] = (uint8_t)(v >> 24);
    out[1] = (uint8_t)(v >> 16);
    out[2] = (uint8_t)(v >> 8);
    out[3] = (uint8_t)v;
}

static inline void put_u64be(uint8_t out[8], uint64_t v)
{
    put_u32be(out, (uint32_t)(v >> 32));
    put_u32be(out + 4, (uint32_t)v);
}

static inline uint32_t get_u32be(const uint8_t in[4])
{
    return ((uint32_t)in[0] << 24) | ((uint32_t)in[1] << 16) | ((uint32_t)in[2] << 8) | in[3];
}

static inline uint64_t get_u64be(const uint8_t in[8])
{
    return ((uint64_t)get_u32be(in) << 32) | get_u32be(in + 4);
}

#endif
