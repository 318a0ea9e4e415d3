/*
 * Hostile bytes for roster_open(): as a whole file, and as the content of a file that the authority
 * of the corpus has signed, so that the rules and the indexes are reached.
 *
 * That authority is one key, of the seed 00 … 01. What is accepted must find every member by every
 * index.
 */
#include "wire/roster.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct note_signer *signer;
static struct network anchor = {.name = "zhejiang", .threshold = 1, .authority_count = 1};

static void set_up(void)
{
    const uint8_t seed[NOTE_SEED_LEN] = {[NOTE_SEED_LEN - 1] = 1};
    if (signer)
        return;
    if (crypto_init() || note_signer_new("zhejiang/authority", seed, &signer))
        abort();
    anchor.authority[0] = *note_signer_public(signer);
}

static void must(bool condition)
{
    if (!condition)
        abort();
}

static void look_up(const struct roster *r)
{
    const struct roster_doc *doc = roster_doc(r);
    for (size_t i = 0; i < doc->member_count; i++) {
        const struct roster_member *m = &doc->members[i];
        const struct roster_origin *now = roster_current_origin(r, m);
        must(roster_member_of(r, m->id) == m);
        must(m->curve.len == 0 || roster_member_by_curve(r, m->curve.data) == m);
        for (size_t k = 0; k < m->ledger_count; k++) {
            const struct roster_origin *o = roster_origin_of(r, m->ledgers[k].origin);
            must(o && o->member == m && o->ledger == &m->ledgers[k]);
            must(o->is_current == (o == now));
        }
    }
}

static void try_file(struct bytes file)
{
    struct roster *r = NULL;
    if (roster_open(file, &anchor, NULL, &r) == 0)
        look_up(r);
    roster_free(r);
}

static void try_signed(struct bytes content)
{
    const struct roster_issue issue = {
        .network = bytes_of("zhejiang"), .number = 1, .renew_by_ms = 1000};
    struct buf text = BUF_INIT, note = BUF_INIT, file = BUF_INIT;
    must(roster_put_note_text(&text, &issue, content) == 0);
    must(note_sign(signer, buf_bytes(&text), &note) == 0);
    buf_put_lp(&file, buf_bytes(&note));
    buf_put_lp(&file, content);
    try_file(buf_bytes(&file));
    buf_free(&text);
    buf_free(&note);
    buf_free(&file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    set_up();
    try_file(BYTES(data, len));
    try_signed(BYTES(data, len));
    return 0;
}
