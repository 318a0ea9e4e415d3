/*
 * Views, growing buffers and arenas. See bytes.h.
 */
#include "base/bytes.h"

#include <comity/err.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bytes bytes_of(const char *s)
{
    return s ? BYTES(s, strlen(s)) : BYTES_NONE;
}

bool bytes_equal(struct bytes a, struct bytes b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.data, b.data, a.len) == 0);
}

int bytes_compare(struct bytes a, struct bytes b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int c = n ? memcmp(a.data, b.data, n) : 0;
    if (c != 0)
        return c;
    return (a.len > b.len) - (a.len < b.len);
}

bool bytes_is(struct bytes b, const char *s)
{
    return bytes_equal(b, bytes_of(s));
}

bool bytes_has_prefix(struct bytes b, const char *prefix)
{
    size_t n = strlen(prefix);
    return b.len >= n && memcmp(b.data, prefix, n) == 0;
}

struct bytes bytes_slice(struct bytes b, size_t off, size_t n)
{
    if (off > b.len)
        off = b.len;
    if (n > b.len - off)
        n = b.len - off;
    return BYTES(b.data ? b.data + off : NULL, n);
}

bool bytes_next_line(struct bytes *rest, struct bytes *ret_line)
{
    if (rest->len == 0)
        return false;
    const uint8_t *end = memchr(rest->data, '\n', rest->len);
    size_t n = end ? (size_t)(end - rest->data) : rest->len;
    *ret_line = BYTES(rest->data, n);
    size_t used = end ? n + 1 : n;
    *rest = BYTES(rest->data + used, rest->len - used);
    return true;
}

uint8_t *buf_reserve(struct buf *b, size_t n)
{
    if (b->failed)
        return NULL;
    if (n >= SIZE_MAX / 2 - b->len) {
        b->failed = true;
        return NULL;
    }
    size_t need = b->len + n + 1; /* one more for buf_str's end mark */
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        uint8_t *data = realloc(b->data, cap);
        if (!data) {
            b->failed = true;
            return NULL;
        }
        b->data = data;
        b->cap = cap;
    }
    return b->data + b->len;
}

void buf_put(struct buf *b, const void *data, size_t len)
{
    if (len == 0)
        return;
    uint8_t *to = buf_reserve(b, len);
    if (!to)
        return;
    memcpy(to, data, len);
    b->len += len;
}

void buf_put_bytes(struct buf *b, struct bytes bytes)
{
    buf_put(b, bytes.data, bytes.len);
}

void buf_put_str(struct buf *b, const char *s)
{
    buf_put_bytes(b, bytes_of(s));
}

void buf_put_u8(struct buf *b, uint8_t v)
{
    buf_put(b, &v, 1);
}

void buf_put_u32be(struct buf *b, uint32_t v)
{
    uint8_t be[4];
    put_u32be(be, v);
    buf_put(b, be, sizeof be);
}

void buf_put_u64be(struct buf *b, uint64_t v)
{
    uint8_t be[8];
    put_u64be(be, v);
    buf_put(b, be, sizeof be);
}

void buf_put_lp(struct buf *b, struct bytes bytes)
{
    if (bytes.len > UINT32_MAX) {
        b->failed = true;
        return;
    }
    buf_put_u32be(b, (uint32_t)bytes.len);
    buf_put_bytes(b, bytes);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0) {
        b->failed = true;
        return;
    }
    uint8_t *to = buf_reserve(b, (size_t)n);
    if (!to)
        return;
    va_start(ap, fmt);
    vsnprintf((char *)to, (size_t)n + 1, fmt, ap);
    va_end(ap);
    b->len += (size_t)n;
}

int buf_check(const struct buf *b)
{
    return b->failed ? COMITY_E_NOMEM : COMITY_OK;
}

const char *buf_str(struct buf *b)
{
    if (!buf_reserve(b, 0))
        return "";
    b->data[b->len] = '\0';
    return (const char *)b->data;
}

struct bytes buf_bytes(const struct buf *b)
{
    return BYTES(b->data, b->len);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
}

void buf_free(struct buf *b)
{
    if (!b)
        return;
    free(b->data);
    *b = BUF_INIT;
}

void buf_wipe(struct buf *b)
{
    if (b && b->data)
        wipe(b->data, b->cap);
    buf_free(b);
}

void wipe(void *data, size_t len)
{
    if (!data || len == 0)
        return;
    memset(data, 0, len);
    __asm__ __volatile__("" : : "r"(data) : "memory");
}

/* An arena is a list of blocks; after a reset the blocks are filled again in the same order. */

enum { ARENA_BLOCK = 64 * 1024, ARENA_ALIGN = 16 };

struct arena_block {
    struct arena_block *next;
    size_t cap;
    size_t used;
    _Alignas(ARENA_ALIGN) uint8_t data[];
};

struct arena {
    size_t cap;
    size_t used;
    bool is_spent;
    struct arena_block *first;
    struct arena_block *current;
};

struct arena *arena_new(size_t cap)
{
    struct arena *a = calloc(1, sizeof *a);
    if (a)
        a->cap = cap;
    return a;
}

static void free_blocks(struct arena *a)
{
    for (struct arena_block *b = a->first; b;) {
        struct arena_block *next = b->next;
        free(b);
        b = next;
    }
    a->first = NULL;
    a->current = NULL;
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    free_blocks(a);
    free(a);
}

static struct arena_block *arena_block_with_room(struct arena *a, size_t n)
{
    struct arena_block *b = a->current;
    if (b && b->cap - b->used >= n)
        return b;
    struct arena_block *last = b;
    for (b = b ? b->next : a->first; b; b = b->next) {
        b->used = 0;
        last = b;
        if (b->cap >= n)
            return a->current = b;
    }
    size_t cap = n > ARENA_BLOCK ? n : ARENA_BLOCK;
    b = malloc(sizeof *b + cap);
    if (!b)
        return NULL;
    b->next = NULL;
    b->cap = cap;
    b->used = 0;
    if (last)
        last->next = b;
    else
        a->first = b;
    return a->current = b;
}

void *arena_alloc_raw(struct arena *a, size_t n)
{
    size_t size = n > SIZE_MAX - ARENA_ALIGN ? SIZE_MAX
                  : n                        ? (n + ARENA_ALIGN - 1) / ARENA_ALIGN * ARENA_ALIGN
                                             : ARENA_ALIGN;
    if (size > a->cap - a->used) {
        a->is_spent = true;
        return NULL;
    }
    struct arena_block *b = arena_block_with_room(a, size);
    if (!b)
        return NULL;
    void *p = b->data + b->used;
    b->used += size;
    a->used += size;
    return p;
}

void *arena_alloc(struct arena *a, size_t n)
{
    void *p = arena_alloc_raw(a, n);
    if (p)
        memset(p, 0, n);
    return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
    uint8_t *p = arena_alloc_raw(a, b.len);
    if (!p)
        return BYTES_NONE;
    if (b.len)
        memcpy(p, b.data, b.len);
    return BYTES(p, b.len);
}

bool arena_has(const struct arena *a, struct bytes b)
{
    uintptr_t at = (uintptr_t)b.data;
    for (const struct arena_block *block = a->first; block; block = block->next) {
        uintptr_t start = (uintptr_t)block->data;
        if (at >= start && at - start <= block->used && b.len <= block->used - (at - start))
            return true;
        if (block == a->current)
            break; /* what is used of those behind it is from before the reset */
    }
    return false;
}

char *arena_strdup(struct arena *a, struct bytes b)
{
    char *p = arena_alloc_raw(a, b.len + 1);
    if (!p)
        return NULL;
    if (b.len)
        memcpy(p, b.data, b.len);
    p[b.len] = '\0';
    return p;
}

/*
 * Several blocks become one that holds all that was in them: a large piece that passes small blocks
 * over would otherwise leave them unused, and every turn could add some.
 */
void arena_reset(struct arena *a)
{
    a->is_spent = false;
    size_t used = a->used;
    a->used = 0;
    if (a->first && a->first->next) {
        free_blocks(a);
        (void)arena_block_with_room(a,
                                    used); /* without memory for it, the next piece tries again */
    }
    a->current = a->first;
    if (a->first)
        a->first->used = 0;
}

bool arena_is_spent(const struct arena *a)
{
    return a->is_spent;
}

size_t arena_used(const struct arena *a)
{
    return a->used;
}
