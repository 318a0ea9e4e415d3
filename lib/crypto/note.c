/*
 * Signed notes: keys, signing, verifying. See note.h; the format is C2SP's signed-note and
 * tlog-cosignature.
 *
 * A note may carry signatures of keys and of algorithms that are unknown here: such lines must have
 * the right form, and are passed over.
 */
#include "crypto/note.h"

#include "base/text.h"
#include "crypto/ed25519.h"

#include <comity/err.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const char line_start[] = "\xe2\x80\x94 "; /* an em dash and a space */
static const char cosignature_start[] = "cosignature/v1\n";

enum { KEY_ID_LEN = 4, COSIGNATURE_TIME_LEN = 8 };

struct note_signer {
    struct note_verifier public;
    uint32_t cosigner_key_id;
    struct ed25519_key *key;
};

/* ---- keys ---- */

/* What Unicode holds to be white space, beyond the control characters. */
static bool has_space(struct bytes name)
{
    static const char *const spaces[] = {
        " ",
        "\xc2\xa0",
        "\xe1\x9a\x80",
        "\xe2\x80\x80",
        "\xe2\x80\x81",
        "\xe2\x80\x82",
        "\xe2\x80\x83",
        "\xe2\x80\x84",
        "\xe2\x80\x85",
        "\xe2\x80\x86",
        "\xe2\x80\x87",
        "\xe2\x80\x88",
        "\xe2\x80\x89",
        "\xe2\x80\x8a",
        "\xe2\x80\xa8",
        "\xe2\x80\xa9",
        "\xe2\x80\xaf",
        "\xe2\x81\x9f",
        "\xe3\x80\x80",
    };
    for (size_t i = 0; i < sizeof spaces / sizeof spaces[0]; i++)
        if (memmem(name.data, name.len, spaces[i], strlen(spaces[i])))
            return true;
    return false;
}

/* Of any length: a line that another signer wrote may bear a longer name than ours. */
static bool name_is_valid(struct bytes name)
{
    return name.len > 0 && text_is_line(name) && !has_space(name) &&
           !memchr(name.data, '+', name.len);
}

bool note_is_key_name(struct bytes name)
{
    return name.len <= NOTE_KEY_NAME_MAX && name_is_valid(name);
}

static uint32_t key_id_of(struct bytes name, uint8_t type, const uint8_t pub[NOTE_PUB_LEN])
{
    const uint8_t between[] = {0x0a, type};
    struct hash h;
    hash_of(suite_get(SUITE_1), &h, name, BYTES(between, sizeof between), BYTES(pub, NOTE_PUB_LEN));
    return get_u32be(h.b);
}

static int verifier_make(struct bytes name, uint8_t type, const uint8_t pub[NOTE_PUB_LEN],
                         struct note_verifier *ret)
{
    if (!note_is_key_name(name) || (type != NOTE_TYPE_SIGNATURE && type != NOTE_TYPE_COSIGNATURE))
        return COMITY_E_MALFORMED;
    int err = ed25519_public_check(pub);
    if (err)
        return err;
    struct note_verifier v = {.key_id = key_id_of(name, type, pub), .type = type};
    memcpy(v.name, name.data, name.len);
    memcpy(v.pub, pub, NOTE_PUB_LEN);
    *ret = v; /* last, for ${pub} may be its own */
    return COMITY_OK;
}

int note_verifier_make(const char *name, uint8_t type, const uint8_t pub[NOTE_PUB_LEN],
                       struct note_verifier *ret)
{
    return verifier_make(bytes_of(name), type, pub, ret);
}

int note_verifier_parse(struct bytes vkey, struct note_verifier *ret)
{
    enum { HEX_LEN = 2 * KEY_ID_LEN };
    uint8_t id[KEY_ID_LEN];
    uint8_t key[1 + NOTE_PUB_LEN];
    if (vkey.len >= NOTE_VKEY_MAX)
        return COMITY_E_MALFORMED;
    const uint8_t *plus = memchr(vkey.data ? (const void *)vkey.data : "", '+', vkey.len);
    if (!plus)
        return COMITY_E_MALFORMED;
    size_t name_len = (size_t)(plus - vkey.data);
    struct bytes rest = bytes_slice(vkey, name_len + 1, vkey.len);
    if (rest.len < HEX_LEN + 1 || rest.data[HEX_LEN] != '+')
        return COMITY_E_MALFORMED;
    struct bytes base64 = bytes_slice(rest, HEX_LEN + 1, rest.len);
    if (text_get_hex(bytes_slice(rest, 0, HEX_LEN), id, sizeof id) ||
        text_get_base64_exact(base64, key, sizeof key))
        return COMITY_E_MALFORMED;

    struct bytes name = bytes_slice(vkey, 0, name_len);
    if (key_id_of(name, key[0], key + 1) != get_u32be(id))
        return COMITY_E_MALFORMED;
    return verifier_make(name, key[0], key + 1, ret);
}

void note_put_vkey(struct buf *out, const struct note_verifier *v)
{
    uint8_t key[1 + NOTE_PUB_LEN];
    key[0] = v->type;
    memcpy(key + 1, v->pub, NOTE_PUB_LEN);
    buf_printf(out, "%s+%08" PRIx32 "+", v->name, v->key_id);
    text_put_base64(out, BYTES(key, sizeof key));
}

int note_signer_new(const char *name, const uint8_t seed[NOTE_SEED_LEN], struct note_signer **ret)
{
    uint8_t pub[NOTE_PUB_LEN];
    struct note_signer *s = calloc(1, sizeof *s);
    if (!s)
        return COMITY_E_NOMEM;
    int err = ed25519_key_new(seed, pub, &s->key);
    if (!err)
        err = note_verifier_make(name, NOTE_TYPE_SIGNATURE, pub, &s->public);
    if (err) {
        note_signer_free(s);
        return err;
    }
    s->cosigner_key_id = key_id_of(bytes_of(name), NOTE_TYPE_COSIGNATURE, pub);
    *ret = s;
    return COMITY_OK;
}

void note_signer_free(struct note_signer *s)
{
    if (!s)
        return;
    ed25519_key_free(s->key);
    free(s);
}

const struct note_verifier *note_signer_public(const struct note_signer *s)
{
    return &s->public;
}

/* ---- the form of a note ---- */

/* One line or more, each ended by a line feed, the last one not empty; no control characters. */
static bool text_is_valid(struct bytes text)
{
    if (text.len < 2 || text.data[text.len - 1] != '\n' || text.data[text.len - 2] == '\n')
        return false;
    struct bytes line;
    while (bytes_next_line(&text, &line))
        if (!text_is_line(line))
            return false;
    return true;
}

struct signature_line {
    struct bytes name;
    uint32_t key_id;
    struct bytes signature; /* without the key id; in the buffer that the line was decoded into */
};

static int line_parse(struct bytes line, struct buf *decoded, struct signature_line *ret)
{
    if (!bytes_has_prefix(line, line_start))
        return COMITY_E_NOT_A_NOTE;
    line = bytes_slice(line, strlen(line_start), line.len);
    const uint8_t *space = memchr(line.data, ' ', line.len);
    if (!space)
        return COMITY_E_NOT_A_NOTE;
    size_t name_len = (size_t)(space - line.data);
    struct bytes name = bytes_slice(line, 0, name_len);
    buf_reset(decoded);
    int err = text_get_base64(bytes_slice(line, name_len + 1, line.len), decoded);
    if (err)
        return err == COMITY_E_NOMEM ? err : COMITY_E_NOT_A_NOTE;
    if (!name_is_valid(name) || decoded->len <= KEY_ID_LEN)
        return COMITY_E_NOT_A_NOTE;
    *ret = (struct signature_line){
        .name = name,
        .key_id = get_u32be(decoded->data),
        .signature = bytes_slice(buf_bytes(decoded), KEY_ID_LEN, decoded->len),
    };
    return COMITY_OK;
}

static int lines_check(struct bytes signatures, size_t *ret_n)
{
    struct buf decoded = BUF_INIT;
    struct signature_line parsed;
    struct bytes line;
    size_t n = 0;
    int err = COMITY_OK;
    while (!err && bytes_next_line(&signatures, &line))
        err = ++n > NOTE_SIGNATURES_MAX ? COMITY_E_NOT_A_NOTE : line_parse(line, &decoded, &parsed);
    buf_free(&decoded);
    if (!err)
        *ret_n = n;
    return err;
}

/* The text ends at the last blank line: signature lines are never empty, while a text may hold
 * empty lines. */
static int split(struct bytes note, struct bytes *ret_text, struct bytes *ret_signatures,
                 size_t *ret_n)
{
    if (note.len < 4 || note.len > NOTE_MAX || note.data[note.len - 1] != '\n')
        return COMITY_E_NOT_A_NOTE;
    size_t end = note.len - 1;
    while (end > 1 && !(note.data[end - 1] == '\n' && note.data[end - 2] == '\n'))
        end--;
    struct bytes text = bytes_slice(note, 0, end - 1);
    struct bytes signatures = bytes_slice(note, end, note.len);
    if (!text_is_valid(text) || signatures.len == 0)
        return COMITY_E_NOT_A_NOTE;
    int err = lines_check(signatures, ret_n);
    if (err)
        return err;
    *ret_text = text;
    *ret_signatures = signatures;
    return COMITY_OK;
}

int note_split(struct bytes note, struct bytes *ret_text, struct bytes *ret_signatures)
{
    size_t n = 0;
    return split(note, ret_text, ret_signatures, &n);
}

/* ---- signing ---- */

/* What a cosignature signs (tlog-cosignature): the time, as text, and the whole checkpoint text. */
static void put_cosigned(struct buf *out, struct bytes text, uint64_t time_s)
{
    buf_put_str(out, cosignature_start);
    buf_printf(out, "time %" PRIu64 "\n", time_s);
    buf_put_bytes(out, text);
}

static void put_line(struct buf *out, const char *name, struct bytes blob)
{
    buf_put_str(out, line_start);
    buf_put_str(out, name);
    buf_put_u8(out, ' ');
    text_put_base64(out, blob);
    buf_put_u8(out, '\n');
}

/* COMITY_OK, or what ${out} has grown by since ${start} is cut off again. */
static int settle(struct buf *out, size_t start)
{
    int err = buf_check(out);
    if (!err && out->len - start > NOTE_MAX)
        err = COMITY_E_TOO_LARGE;
    if (err)
        out->len = start;
    return err;
}

static int sign_text(const struct note_signer *s, struct bytes text, uint8_t *ret_blob)
{
    /* A note of this text would be a cosignature by the same key. */
    if (bytes_has_prefix(text, cosignature_start))
        return COMITY_E_INVALID;
    put_u32be(ret_blob, s->public.key_id);
    return ed25519_sign(s->key, text, ret_blob + KEY_ID_LEN);
}

int note_sign(const struct note_signer *s, struct bytes text, struct buf *out)
{
    uint8_t blob[KEY_ID_LEN + ED25519_SIGNATURE_LEN];
    if (!text_is_valid(text))
        return COMITY_E_INVALID;
    int err = sign_text(s, text, blob);
    if (err)
        return err;
    size_t start = out->len;
    buf_put_bytes(out, text);
    buf_put_u8(out, '\n');
    put_line(out, s->public.name, BYTES(blob, sizeof blob));
    return settle(out, start);
}

int note_add_signature(const struct note_signer *s, struct bytes note, struct buf *out)
{
    uint8_t blob[KEY_ID_LEN + ED25519_SIGNATURE_LEN];
    struct bytes text, signatures;
    size_t n = 0;
    int err = split(note, &text, &signatures, &n);
    if (err)
        return err;
    if (n >= NOTE_SIGNATURES_MAX)
        return COMITY_E_LIMIT;
    err = sign_text(s, text, blob);
    if (err)
        return err;
    size_t start = out->len;
    buf_put_bytes(out, note);
    put_line(out, s->public.name, BYTES(blob, sizeof blob));
    return settle(out, start);
}

int note_cosign(const struct note_signer *s, struct bytes text, uint64_t time_s, struct buf *out)
{
    uint8_t blob[KEY_ID_LEN + COSIGNATURE_TIME_LEN + ED25519_SIGNATURE_LEN];
    if (!text_is_valid(text))
        return COMITY_E_INVALID;
    struct buf cosigned = BUF_INIT;
    put_cosigned(&cosigned, text, time_s);
    int err = buf_check(&cosigned);
    put_u32be(blob, s->cosigner_key_id);
    put_u64be(blob + KEY_ID_LEN, time_s);
    if (!err)
        err = ed25519_sign(s->key, buf_bytes(&cosigned), blob + KEY_ID_LEN + COSIGNATURE_TIME_LEN);
    buf_free(&cosigned);
    if (err)
        return err;
    size_t start = out->len;
    put_line(out, s->public.name, BYTES(blob, sizeof blob));
    return settle(out, start);
}

/* ---- verifying ---- */

static int verify_cosignature(const struct note_verifier *v, struct bytes text,
                              struct bytes signature)
{
    if (signature.len != COSIGNATURE_TIME_LEN + ED25519_SIGNATURE_LEN)
        return COMITY_E_SIGNATURE;
    struct buf cosigned = BUF_INIT;
    put_cosigned(&cosigned, text, get_u64be(signature.data));
    int err = buf_check(&cosigned);
    if (!err)
        err = ed25519_verify(v->pub, buf_bytes(&cosigned), signature.data + COSIGNATURE_TIME_LEN);
    buf_free(&cosigned);
    return err;
}

static int verify_signature(const struct note_verifier *v, struct bytes text,
                            struct bytes signature)
{
    if (v->type == NOTE_TYPE_COSIGNATURE)
        return verify_cosignature(v, text, signature);
    if (v->type != NOTE_TYPE_SIGNATURE || signature.len != ED25519_SIGNATURE_LEN ||
        bytes_has_prefix(text, cosignature_start))
        return COMITY_E_SIGNATURE;
    return ed25519_verify(v->pub, text, signature.data);
}

/* Set ${signed_by}[i] for each key of which a line is in ${signatures}; an error when one of those
 * does not verify. */
static int verify_lines(struct bytes text, struct bytes signatures,
                        const struct note_verifier *keys, size_t n, bool *signed_by)
{
    struct buf decoded = BUF_INIT;
    struct signature_line parsed;
    struct bytes line;
    int err = COMITY_OK;
    while (!err && bytes_next_line(&signatures, &line)) {
        err = line_parse(line, &decoded, &parsed);
        for (size_t i = 0; !err && i < n; i++) {
            if (parsed.key_id != keys[i].key_id || !bytes_is(parsed.name, keys[i].name))
                continue;
            err = verify_signature(&keys[i], text, parsed.signature);
            signed_by[i] = !err;
        }
    }
    buf_free(&decoded);
    return err;
}

int note_open(struct bytes note, const struct note_verifier *v, struct bytes *ret_text)
{
    struct bytes text, signatures;
    bool signed_by = false;
    int err = note_split(note, &text, &signatures);
    if (!err)
        err = verify_lines(text, signatures, v, 1, &signed_by);
    if (!err && !signed_by)
        err = COMITY_E_UNSIGNED;
    if (!err)
        *ret_text = text;
    return err;
}

int note_open_many(struct bytes note, const struct note_verifier *keys, size_t n, bool *ret_signed,
                   struct bytes *ret_text)
{
    struct bytes text, signatures;
    bool *signed_by = calloc(n ? n : 1, sizeof *signed_by);
    if (!signed_by)
        return COMITY_E_NOMEM;
    int err = note_split(note, &text, &signatures);
    if (!err)
        err = verify_lines(text, signatures, keys, n, signed_by);
    if (!err) {
        if (n > 0)
            memcpy(ret_signed, signed_by, n * sizeof *signed_by);
        *ret_text = text;
    }
    free(signed_by);
    return err;
}

int note_fields(struct bytes text, const char *first, struct bytes *ret_lines, size_t n)
{
    struct bytes rest = text, line;
    size_t found = 0;
    if (text.len == 0 || text.data[text.len - 1] != '\n')
        return COMITY_E_MALFORMED;
    while (bytes_next_line(&rest, &line))
        if (found++ == 0 && !bytes_is(line, first))
            return COMITY_E_MALFORMED;
    if (found != n)
        return COMITY_E_MALFORMED;
    for (size_t i = 0; i < n; i++)
        (void)bytes_next_line(&text, &ret_lines[i]);
    return COMITY_OK;
}
