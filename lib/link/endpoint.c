/*
 * Which endpoints we use, and how to reach a bound one from here. See endpoint.h.
 */
#include "link/endpoint.h"

#include "base/text.h"

#include <comity/err.h>
#include <string.h>

static int refuse(int err, const char *reason, const char **ret_reason)
{
    if (ret_reason)
        *ret_reason = reason;
    return err;
}

int link_endpoint_check(const char *endpoint, const char **ret_reason)
{
    struct bytes e = bytes_of(endpoint);
    if (e.len == 0)
        return refuse(COMITY_E_INVALID, "no endpoint is given", ret_reason);
    bool ipc = bytes_has_prefix(e, "ipc://");
    if (!ipc && !bytes_has_prefix(e, "tcp://"))
        return refuse(COMITY_E_UNSUPPORTED, "an endpoint begins with tcp:// or ipc://", ret_reason);
    if (e.len == strlen("ipc://"))
        return refuse(COMITY_E_INVALID, "the endpoint names no address", ret_reason);
    if (ipc && e.len - strlen("ipc://") > LINK_IPC_PATH_MAX)
        return refuse(COMITY_E_TOO_LARGE,
                      "the path of an ipc endpoint may have at most 107 bytes; use a shorter "
                      "one",
                      ret_reason);
    if (e.len > LINK_ENDPOINT_MAX)
        return refuse(COMITY_E_TOO_LARGE, "the endpoint is too long", ret_reason);
    return COMITY_OK;
}

void link_endpoint_put_local(struct buf *out, const char *bound)
{
    static const char *const anywhere[] = {"tcp://0.0.0.0:", "tcp://[::]:", "tcp://*:"};
    for (size_t i = 0; i < sizeof anywhere / sizeof anywhere[0]; i++)
        if (bytes_has_prefix(bytes_of(bound), anywhere[i])) {
            buf_printf(out, "tcp://127.0.0.1:%s", bound + strlen(anywhere[i]));
            return;
        }
    buf_put_str(out, bound);
}

/* With IPv6 on, libzmq reports IPv4 addresses in their mapped form. */
void link_endpoint_put_plain(struct buf *out, const char *bound)
{
    static const char mapped[] = "tcp://[::ffff:";
    const char *end = strchr(bound, ']');
    struct bytes address = BYTES_NONE;
    if (bytes_has_prefix(bytes_of(bound), mapped) && end) {
        const char *begin = bound + strlen(mapped);
        address = BYTES(begin, (size_t)(end - begin));
    }
    if (!address.data || !memchr(address.data, '.', address.len)) {
        buf_put_str(out, bound);
        return;
    }
    buf_put_str(out, "tcp://");
    buf_put_bytes(out, address);
    buf_put_str(out, end + 1);
}

uint16_t link_endpoint_port(const char *bound)
{
    const char *colon = strrchr(bound, ':');
    uint64_t port = 0;
    if (!bytes_has_prefix(bytes_of(bound), "tcp://") || !colon ||
        text_get_u64(bytes_of(colon + 1), &port) < 0 || port > UINT16_MAX)
        return 0;
    return (uint16_t)port;
}
