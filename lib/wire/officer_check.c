/*
 * Officers' signatures under records. See officer_check.h.
 */
#include "wire/officer_check.h"

#include "domain/role.h"

#include <comity/err.h>

int officer_key_read(struct bytes origin, uint64_t index, const struct body *body,
                     struct officer_key *ret)
{
    struct officer_key k = {.origin = origin, .index = index, .is_retired = body->role_count == 0};
    if (body->note_count != 1 || body->role_count > BODY_ROLES_MAX)
        return COMITY_E_MALFORMED;
    int err = officer_open(body->notes[0], &k.enrolment);
    if (err)
        return err;
    if (!bytes_equal(k.enrolment.origin, origin))
        return COMITY_E_SIGNATURE;
    for (size_t i = 0; i < body->role_count; i++) {
        if (!key_role_token(body->roles[i]))
            return COMITY_E_ROLE;
        k.roles[k.role_count++] = body->roles[i];
    }
    *ret = k;
    return COMITY_OK;
}

/* The newest enrolment of that licence before the entry. */
static const struct officer_key *key_for(const struct officer_subject *s, struct bytes licence,
                                         const struct officer_key *keys, size_t n)
{
    const struct officer_key *found = NULL;
    for (size_t i = 0; i < n; i++)
        if (!keys[i].is_retired && keys[i].index < s->index &&
            bytes_equal(keys[i].origin, s->origin) &&
            bytes_equal(keys[i].enrolment.licence, licence) &&
            (!found || keys[i].index > found->index))
            found = &keys[i];
    return found;
}

static int check_note(const struct officer_subject *s, struct bytes note,
                      const struct officer_key *keys, size_t n)
{
    struct officer_signature sig;
    int err = officer_signature_peek(note, &sig);
    if (err)
        return COMITY_E_MALFORMED;
    if (!bytes_equal(sig.origin, s->origin))
        return COMITY_E_SIGNATURE;
    const struct officer_key *key = key_for(s, sig.licence, keys, n);
    if (!key)
        return COMITY_E_UNKNOWN_KEY;
    err = signature_role_check(sig.role, key->roles, key->role_count);
    if (!err)
        err = officer_signature_open(note, &key->enrolment.key, &sig);
    if (err)
        return err;
    if (s->has_record_hash &&
        (sig.record_kind != s->record_kind || !hash_equal(&sig.record_hash, &s->record_hash)))
        return COMITY_E_SIGNATURE;
    return COMITY_OK;
}

int officer_check(const struct officer_subject *s, const struct body *body,
                  const struct officer_key *keys, size_t n)
{
    int err = COMITY_OK;
    for (size_t i = 0; !err && i < body->note_count; i++)
        err = check_note(s, body->notes[i], keys, n);
    return err;
}
