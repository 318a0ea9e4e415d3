/*
 * history-check FILE…: what is wrong with each history (history.h says how one is written), a line
 * an anomaly, and then how many operations were checked and how many anomalies there are. Exits 1
 * when there are any, 2 for a file that is no history.
 *
 * history-check --make N: write one of about N operations in which all is well, to measure with.
 */
#include "history.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void tell(void *self, enum anomaly a, const char *id, const char *at)
{
    printf("%s: %s: %s%s%s\n", (const char *)self, anomaly_word(a), id, *at ? " at " : "", at);
}

static int check_file(const char *path)
{
    struct history *h = history_new();
    uint64_t line = history_read(h, path);
    uint64_t anomalies = 0;
    if (line) {
        fprintf(stderr, "%s: line %" PRIu64 " is not of a history\n", path, line);
    } else {
        anomalies = history_check(h, tell, (void *)path);
        printf("%s: %" PRIu64 " operations, %" PRIu64 " anomalies\n", path, history_operations(h),
               anomalies);
    }
    history_free(h);
    return line ? 2 : anomalies > 0;
}

/* Ten members, each push to two of them: seven operations a push. */
static void make(unsigned long operations)
{
    const unsigned long pushes = operations / 7;
    for (unsigned long i = 0; i < pushes; i++) {
        unsigned long from = i % 10;
        printf("push id-%lu m%lu m%lu,m%lu\ndone id-%lu\n", i, from, (from + 1) % 10,
               (from + 2) % 10, i);
        printf("receipt id-%lu m%lu\nreceipt id-%lu m%lu\n", i, (from + 1) % 10, i,
               (from + 2) % 10);
    }
    for (unsigned long m = 0; m < 10; m++) {
        printf("ledger m%lu\n", m);
        for (unsigned long i = 0; i < pushes; i++)
            if ((m + 10 - i % 10) % 10 <= 2)
                printf("found id-%lu m%lu m%lu\n", i, i % 10, m);
    }
}

int main(int argc, char **argv)
{
    int worst = 0;
    if (argc == 3 && strcmp(argv[1], "--make") == 0) {
        make(strtoul(argv[2], NULL, 10));
        return 0;
    }
    if (argc < 2) {
        fputs("usage: history-check FILE... | history-check --make OPERATIONS\n", stderr);
        return 2;
    }
    for (int i = 1; i < argc; i++) {
        int rc = check_file(argv[i]);
        worst = rc > worst ? rc : worst;
    }
    return worst;
}
