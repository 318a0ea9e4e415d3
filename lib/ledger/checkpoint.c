/*
 * Checkpoints as text and as signed notes. See checkpoint.h.
 */
#include "ledger/checkpoint.h"

#include "ledger/proof.h"
#include "msg/entry.h"

#include <comity/err.h>
#include <inttypes.h>
#include <string.h>

void checkpoint_put_text(struct buf *out, const struct checkpoint *c)
{
    buf_printf(out, "%s\n%" PRIu64 "\n", c->origin, c->size);
    text_put_base64(out, hash_bytes(&c->root));
    buf_put_u8(out, '\n');
}

int checkpoint_parse_text(struct bytes text, struct checkpoint *ret)
{
    struct checkpoint c = {0};
    struct bytes origin, size, root;
    if (text.len == 0 || text.data[text.len - 1] != '\n')
        return COMITY_E_MALFORMED;
    if (!bytes_next_line(&text, &origin) || !bytes_next_line(&text, &size) ||
        !bytes_next_line(&text, &root) || text.len > 0)
        return COMITY_E_MALFORMED;
    if (origin.len == 0 || origin.len > ORIGIN_MAX || !text_is_line(origin))
        return COMITY_E_MALFORMED;
    memcpy(c.origin, origin.data, origin.len);
    if (text_get_u64(size, &c.size) || c.size > LEDGER_SIZE_MAX ||
        text_get_base64_exact(root, c.root.b, HASH_LEN))
        return COMITY_E_MALFORMED;
    *ret = c;
    return COMITY_OK;
}

int checkpoint_sign(const struct checkpoint *c, const struct note_signer *signer, struct buf *out)
{
    if (strcmp(c->origin, note_signer_public(signer)->name) != 0 || c->size > LEDGER_SIZE_MAX)
        return COMITY_E_INVALID;
    struct buf text = BUF_INIT;
    checkpoint_put_text(&text, c);
    int err = buf_check(&text);
    if (!err)
        err = note_sign(signer, buf_bytes(&text), out);
    buf_free(&text);
    return err;
}

int checkpoint_open(struct bytes note, const struct note_verifier *v, struct checkpoint *ret)
{
    struct checkpoint c;
    struct bytes text;
    int err = note_open(note, v, &text);
    if (!err)
        err = checkpoint_parse_text(text, &c);
    if (!err && strcmp(c.origin, v->name) != 0)
        err = COMITY_E_MALFORMED;
    if (!err)
        *ret = c;
    return err;
}

int checkpoint_peek(struct bytes note, struct checkpoint *ret)
{
    struct bytes text, signatures;
    int err = note_split(note, &text, &signatures);
    return err ? err : checkpoint_parse_text(text, ret);
}
