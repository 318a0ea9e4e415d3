/*
 * What a member must be. See member.h.
 */
#include "wire/member.h"

#include "base/text.h"

#include <string.h>

/* What lib/link takes. */
enum { ENDPOINT_MAX = 288, IPC_PATH_MAX = 107 };

bool member_id_fits(uint32_t role, struct bytes id)
{
    switch (role) {
    case MEMBER_BUREAU:
        return text_is_bureau_id(id);
    case MEMBER_BROKER:
    case MEMBER_AUDITOR:
        return text_is_member_id(id) && !text_is_bureau_id(id);
    default:
        return false;
    }
}

/* Whether the address can be used is found out by connecting; here it is only kept in shape. */
static bool is_endpoint(struct bytes e)
{
    enum { SCHEME_LEN = 6 };
    if (e.len <= SCHEME_LEN || e.len > ENDPOINT_MAX || !text_is_line(e) ||
        memchr(e.data, ' ', e.len))
        return false;
    if (bytes_has_prefix(e, "ipc://"))
        return e.len - SCHEME_LEN <= IPC_PATH_MAX;
    return bytes_has_prefix(e, "tcp://");
}

bool member_endpoints_fit(uint32_t role, const struct bytes *endpoints, size_t n)
{
    if (role != MEMBER_BROKER)
        return n == 0;
    return n == 2 && is_endpoint(endpoints[0]) && is_endpoint(endpoints[1]) &&
           !bytes_equal(endpoints[0], endpoints[1]);
}
