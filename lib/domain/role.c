/*
 * Roles of officers' keys and of their signatures. See role.h.
 */
#include "domain/role.h"

#include <comity/err.h>

static const struct {
    uint32_t role;
    const char *token;
} key_roles[] = {
    {ROLE_OFFICER, "officer"},
    {ROLE_APPROVER, "approver"},
    {ROLE_REVIEWER, "reviewer"},
    {ROLE_AUDITOR, "auditor"},
};

static const struct {
    uint32_t role;
    const char *token;
    uint32_t needs; /* enum key_role */
} signature_roles[] = {
    {SIGNATURE_COLLECTOR, "collector", ROLE_OFFICER},
    {SIGNATURE_APPROVER, "approver", ROLE_APPROVER},
    {SIGNATURE_REVIEWER, "reviewer", ROLE_REVIEWER},
};

enum {
    KEY_ROLE_COUNT = sizeof key_roles / sizeof key_roles[0],
    SIGNATURE_ROLE_COUNT = sizeof signature_roles / sizeof signature_roles[0]
};

const char *key_role_token(uint32_t role)
{
    for (size_t i = 0; i < KEY_ROLE_COUNT; i++)
        if (key_roles[i].role == role)
            return key_roles[i].token;
    return NULL;
}

int key_role_get(struct bytes token, uint32_t *ret)
{
    for (size_t i = 0; i < KEY_ROLE_COUNT; i++)
        if (bytes_is(token, key_roles[i].token)) {
            *ret = key_roles[i].role;
            return COMITY_OK;
        }
    return COMITY_E_INVALID;
}

const char *signature_role_token(uint32_t role)
{
    for (size_t i = 0; i < SIGNATURE_ROLE_COUNT; i++)
        if (signature_roles[i].role == role)
            return signature_roles[i].token;
    return NULL;
}

int signature_role_check(uint32_t role, const uint32_t *roles, size_t role_count)
{
    for (size_t i = 0; i < SIGNATURE_ROLE_COUNT; i++) {
        if (signature_roles[i].role != role)
            continue;
        for (size_t k = 0; k < role_count; k++)
            if (roles[k] == signature_roles[i].needs)
                return COMITY_OK;
        return COMITY_E_ROLE;
    }
    return COMITY_E_INVALID;
}
