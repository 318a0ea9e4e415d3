/*
 * What lies between protobuf-c's types and views: lists, and the memory of one encoding. See
 * codec.h.
 */
#include "msg/codec.h"

#include <comity/err.h>
#include <string.h>

/* An encoding is made of what we hold already, so this only stops a runaway. */
enum { SCRATCH_MAX = 256 * 1024 * 1024, SCRATCH_ALIGN = 16 };

int codec_view_list(struct arena *a, const ProtobufCBinaryData *from, size_t n,
                    const struct bytes **ret)
{
    struct bytes *list = n ? arena_alloc_raw(a, n * sizeof *list) : NULL;
    if (n && !list)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        list[i] = codec_view(from[i]);
    *ret = list;
    return COMITY_OK;
}

int codec_view_text_list(struct arena *a, char *const *from, size_t n, const struct bytes **ret)
{
    struct bytes *list = n ? arena_alloc_raw(a, n * sizeof *list) : NULL;
    if (n && !list)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < n; i++)
        list[i] = codec_view_text(from[i]);
    *ret = list;
    return COMITY_OK;
}

void codec_scratch_done(struct codec_scratch *s)
{
    arena_free(s->more);
    s->more = NULL;
}

int codec_scratch_check(const struct codec_scratch *s)
{
    return s->failed ? COMITY_E_NOMEM : COMITY_OK;
}

void *codec_scratch_alloc(struct codec_scratch *s, size_t n)
{
    if (s->failed)
        return NULL;
    if (n <= sizeof s->first - s->used) {
        void *p = s->first + s->used;
        size_t size = (n + SCRATCH_ALIGN - 1) / SCRATCH_ALIGN * SCRATCH_ALIGN;
        s->used += size;
        return p;
    }
    if (!s->more)
        s->more = arena_new(SCRATCH_MAX);
    void *p = s->more ? arena_alloc_raw(s->more, n) : NULL;
    s->failed = !p;
    return p;
}

ProtobufCBinaryData *codec_data_list(struct codec_scratch *s, const struct bytes *from, size_t n)
{
    ProtobufCBinaryData *list = codec_scratch_alloc(s, n * sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        list[i] = codec_data(from[i]);
    return list;
}

static char *text_copy(struct codec_scratch *s, struct bytes text)
{
    char *copy = codec_scratch_alloc(s, text.len + 1);
    if (!copy)
        return NULL;
    if (text.len)
        memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    return copy;
}

char *codec_text(struct codec_scratch *s, struct bytes text)
{
    return text.len ? text_copy(s, text) : NULL;
}

char **codec_text_list(struct codec_scratch *s, const struct bytes *from, size_t n)
{
    char **list = codec_scratch_alloc(s, n * sizeof *list);
    for (size_t i = 0; list && i < n; i++)
        list[i] = text_copy(s, from[i]);
    return list;
}
