/*
 * Writes the seeds of the message fuzzers: make_corpus FOLDER makes FOLDER/<decoder>/<n>. Their
 * outputs are in the tree, so this runs only when a message changes.
 */
#include "unit/msg/samples.h"

#include <stdio.h>

#include "base/file.h"

static int write_seeds(const char *folder, const struct decoder *d)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, d->name);
    int err = file_mkdirs(path, 0755);
    struct buf out = BUF_INIT;
    for (unsigned n = 0; !err && sample_put(d, n, &out, &err) && !err; n++) {
        snprintf(path, sizeof path, "%s/%s/%u", folder, d->name, n);
        err = file_write(path, buf_bytes(&out), 0644);
        buf_reset(&out);
    }
    buf_free(&out);
    return err;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: make_corpus FOLDER\n");
        return 2;
    }
    for (size_t i = 0; i < DECODER_COUNT; i++)
        if (write_seeds(argv[1], &decoders[i])) {
            fprintf(stderr, "make_corpus: %s: cannot write\n", decoders[i].name);
            return 1;
        }
    return 0;
}
