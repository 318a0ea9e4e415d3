/* Hostile bytes as a .tlog-proof. What is read must be written again in the same way. */
#include "ledger/checkpoint.h"
#include "ledger/proof.h"

#include <stdlib.h>

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return crypto_init();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct tlog_proof p;
    struct checkpoint c;
    struct buf again = BUF_INIT;
    struct bytes input = BYTES(data, len);
    if (!tlog_proof_parse(input, &p)) {
        tlog_proof_put(&again, p.index, p.path, p.path_count, p.note);
        if (!bytes_equal(buf_bytes(&again), input))
            abort();
        /* Whatever size it claims, the verifier ends. */
        if (!checkpoint_peek(p.note, &c))
            (void)!proof_inclusion_verify(suite_get(SUITE_1), &c.root, p.index, c.size, p.path,
                                          p.path_count, &c.root);
    }
    buf_free(&again);
    return 0;
}
