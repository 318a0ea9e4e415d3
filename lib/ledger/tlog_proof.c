/*
 * C2SP tlog-proof: one record's inclusion, as a file that tools of others can check. See
 * checkpoint.h.
 */
#include "ledger/checkpoint.h"
#include "ledger/proof.h"
#include "msg/entry.h"

#include <comity/err.h>
#include <inttypes.h>
#include <string.h>

static const char first_line[] = "c2sp.org/tlog-proof@v1";
static const char index_start[] = "index ";

void tlog_proof_put(struct buf *out, uint64_t index, const struct hash *path, size_t n,
                    struct bytes note)
{
    buf_printf(out, "%s\n%s%" PRIu64 "\n", first_line, index_start, index);
    for (size_t i = 0; i < n; i++) {
        text_put_base64(out, hash_bytes(&path[i]));
        buf_put_u8(out, '\n');
    }
    buf_put_u8(out, '\n');
    buf_put_bytes(out, note);
}

/* Hashes, up to the blank line. */
static int get_path(struct bytes *rest, struct tlog_proof *p)
{
    struct bytes line;
    while (bytes_next_line(rest, &line)) {
        if (line.len == 0)
            return COMITY_OK;
        if (p->path_count == TLOG_PROOF_PATH_MAX ||
            text_get_base64_exact(line, p->path[p->path_count].b, HASH_LEN))
            return COMITY_E_MALFORMED;
        p->path_count++;
    }
    return COMITY_E_MALFORMED;
}

int tlog_proof_parse(struct bytes text, struct tlog_proof *ret)
{
    struct tlog_proof p = {0};
    struct bytes line, note_text, signatures;
    if (!bytes_next_line(&text, &line) || !bytes_is(line, first_line))
        return COMITY_E_MALFORMED;
    if (!bytes_next_line(&text, &line) || !bytes_has_prefix(line, index_start))
        return COMITY_E_MALFORMED;
    if (text_get_u64(bytes_slice(line, strlen(index_start), line.len), &p.index) ||
        p.index >= LEDGER_SIZE_MAX)
        return COMITY_E_MALFORMED;
    int err = get_path(&text, &p);
    if (!err)
        err = note_split(text, &note_text, &signatures);
    if (err)
        return err;
    p.note = text;
    *ret = p;
    return COMITY_OK;
}
