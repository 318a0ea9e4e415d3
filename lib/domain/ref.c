/*
 * Text form of the place of an entry. See ref.h.
 */
#include "domain/ref.h"

#include "base/text.h"
#include "domain/record.h"

#include <comity/err.h>
#include <inttypes.h>
#include <string.h>

/* "member" or "member.generation", with generation >= 2. */
static int get_ledger(struct bytes text, struct ref *ret)
{
    const uint8_t *dot = text.len ? memchr(text.data, '.', text.len) : NULL;
    struct bytes member = dot ? bytes_slice(text, 0, (size_t)(dot - text.data)) : text;
    uint64_t generation = 1;
    if (dot && (text_get_u64(bytes_slice(text, member.len + 1, text.len), &generation) ||
                generation < 2 || generation > UINT32_MAX))
        return COMITY_E_REF;
    if (!text_is_member_id(member))
        return COMITY_E_REF;
    ret->member = member;
    ret->generation = (uint32_t)generation;
    return COMITY_OK;
}

int ref_get(struct bytes text, struct ref *ret)
{
    if (text.len == 0 || text.len > REF_TEXT_MAX)
        return COMITY_E_REF;
    struct ref r = {.generation = 1};
    const uint8_t *slash = memchr(text.data, '/', text.len);
    struct bytes digits = text;
    if (slash) {
        struct bytes ledger = bytes_slice(text, 0, (size_t)(slash - text.data));
        int err = get_ledger(ledger, &r);
        if (err)
            return err;
        digits = bytes_slice(text, ledger.len + 1, text.len);
    }
    if (text_get_u64(digits, &r.index))
        return COMITY_E_REF;
    *ret = r;
    return COMITY_OK;
}

static void put_ledger(struct buf *out, const struct ref *r)
{
    buf_put_bytes(out, r->member);
    if (r->generation > 1)
        buf_printf(out, ".%" PRIu32, r->generation);
}

void ref_put(struct buf *out, const struct ref *r)
{
    if (r->member.len) {
        put_ledger(out, r);
        buf_put_u8(out, '/');
    }
    buf_printf(out, "%" PRIu64, r->index);
}

int ref_of(const struct record_ref *r, struct ref *ret)
{
    struct origin o = {0};
    if (text_get_origin(r->origin, &o))
        return COMITY_E_REF;
    *ret = (struct ref){.member = o.member, .generation = o.generation, .index = r->index};
    return COMITY_OK;
}

void ref_put_origin(struct buf *out, struct bytes network, const struct ref *r)
{
    buf_put_bytes(out, network);
    buf_put_u8(out, '/');
    put_ledger(out, r);
}
