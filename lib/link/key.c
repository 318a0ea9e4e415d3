/*
 * CURVE keys, raw and as libzmq wants to see them. See key.h.
 */
#include "link/key.h"

#include "base/bytes.h"
#include "link/link_internal.h"

#include <comity/err.h>
#include <string.h>

int link_key_new(uint8_t ret_secret[LINK_KEY_LEN], uint8_t ret_public[LINK_KEY_LEN])
{
    char secret[LINK_Z85_LEN + 1] = {0};
    char public[LINK_Z85_LEN + 1] = {0};
    int err = COMITY_E_UNSUPPORTED;
    if (zmq_curve_keypair(public, secret) == 0 && zmq_z85_decode(ret_secret, secret) &&
        zmq_z85_decode(ret_public, public))
        err = COMITY_OK;
    wipe(secret, sizeof secret);
    return err;
}

int link_key_public(const uint8_t secret[LINK_KEY_LEN], uint8_t ret_public[LINK_KEY_LEN])
{
    static const uint8_t zeros[LINK_KEY_LEN];
    if (memcmp(secret, zeros, sizeof zeros) == 0)
        return COMITY_E_BAD_KEY;
    char text[LINK_Z85_LEN + 1] = {0};
    char public[LINK_Z85_LEN + 1] = {0};
    int err = COMITY_E_UNSUPPORTED;
    if (zmq_z85_encode(text, secret, LINK_KEY_LEN) && zmq_curve_public(public, text) == 0 &&
        zmq_z85_decode(ret_public, public))
        err = COMITY_OK;
    wipe(text, sizeof text);
    return err;
}

void link_key_to_text(const uint8_t key[LINK_KEY_LEN], char ret_text[LINK_KEY_TEXT_LEN + 1])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < LINK_KEY_LEN; i++) {
        ret_text[2 * i] = digits[key[i] >> 4];
        ret_text[2 * i + 1] = digits[key[i] & 15];
    }
    ret_text[LINK_KEY_TEXT_LEN] = '\0';
}
