/*
 * A decoder as a filter, for the cross-check with another implementation: recode NAME reads one
 * message from stdin and writes what decoding and encoding gives to stdout. Exits 1 with the
 * error's token on stderr.
 */
#include "unit/msg/samples.h"

#include <comity/err.h>
#include <stdio.h>
#include <stdlib.h>

enum { INPUT_MAX = 16 * 1024 * 1024, ARENA_CAP = 64 * 1024 * 1024 };

int main(int argc, char **argv)
{
    const struct decoder *d = argc == 2 ? decoder_named(argv[1]) : NULL;
    if (!d) {
        fprintf(stderr, "usage: recode DECODER\n");
        return 2;
    }
    struct buf in = BUF_INIT;
    struct buf out = BUF_INIT;
    struct arena *a = arena_new(ARENA_CAP);
    uint8_t *to = buf_reserve(&in, INPUT_MAX);
    int err = a && to ? 0 : COMITY_E_NOMEM;
    if (!err)
        in.len = fread(to, 1, INPUT_MAX, stdin);
    if (!err)
        err = d->again(a, buf_bytes(&in), &out);
    if (!err && fwrite(out.data, 1, out.len, stdout) != out.len)
        err = COMITY_E_IO;
    if (err)
        fprintf(stderr, "%s\n", comity_err_token(err));
    buf_free(&in);
    buf_free(&out);
    arena_free(a);
    return err ? 1 : 0;
}
