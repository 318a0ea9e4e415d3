/*
 * Load for one running node: records pushed through its control socket to one recipient, measured
 * until every receipt is back.
 *
 *     load SOCKET TO COUNT SIZE ONE_BY_ONE PID[=NAME]…
 *
 * COUNT records of SIZE bytes go in as fast as the node takes them; then ONE_BY_ONE records one
 * after the other, each waited for until its receipt is durable here. Either may be 0. Prints a
 * JSON object for each part; CPU time is that of the processes named, and of this one, per record.
 * sync_ms is what the disk takes, in the same seconds, to make 64 KiB durable in the folder where
 * this runs: other figures are to be read with it.
 */
#include "base/clock.h"
#include "crypto/hash.h"
#include "domain/record.h"
#include "msg/record.h"

#include <comity/client.h>
#include <fcntl.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { IN_FLIGHT = 4096, POLL_US = 5000, PROCESSES_MAX = 8, SYNCS = 31, SYNC_BYTES = 64 * 1024 };

static const char *argument_json;
static struct buf record_bytes = BUF_INIT;

static void die(const char *what, const char *detail)
{
    fprintf(stderr, "load: %s: %s\n", what, detail);
    exit(1);
}

static double now_s(void)
{
    struct timespec ts;
    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* A CASE record of about ${size} bytes. */
static void make_record(size_t size)
{
    char *filler = malloc(size + 1);
    if (!filler)
        die("memory", "none");
    memset(filler, 'x', size);
    filler[size] = '\0';
    size_t basis = size > 200 ? size - 200 : 1;
    filler[basis] = '\0';
    const struct record r = {
        .kind = RECORD_CASE,
        .schema = 1,
        .created = bytes_of("2026-11-24T10:00:00+08:00"),
        .u.case_content = {.title = bytes_of("counterfeit goods in a livestream shop"),
                           .filed = bytes_of("2026-11-24T10:00:00+08:00"),
                           .basis = bytes_of(filler)}};
    if (record_encode(&r, &record_bytes))
        die("record", "cannot be encoded");
    free(filler);
}

static void call_record_add(struct comity_call *call, uint8_t salt[32])
{
    random_bytes(salt, 32);
    *call = (struct comity_call){.method = "record.add",
                                 .json = argument_json,
                                 .record = {record_bytes.data, record_bytes.len},
                                 .salt = {salt, 32}};
}

static void take_reply(comity_client *c, size_t *done)
{
    struct comity_reply reply;
    int err = comity_client_receive(c, 60000, &reply);
    if (err || reply.err)
        die("record.add", err ? comity_err_text(err) : reply.json);
    (*done)++;
}

static json_t *ask(comity_client *c, const char *method, const char *json)
{
    struct comity_reply reply;
    const struct comity_call call = {.method = method, .json = json};
    if (comity_client_call(c, &call, &reply))
        die(method, reply.json);
    json_t *result = json_loads(reply.json, 0, NULL);
    if (!result)
        die(method, "not JSON");
    return result;
}

/* Wait until nothing is on its way and every receipt is back. */
static void drain(comity_client *c)
{
    double limit = now_s() + 120;
    for (;;) {
        json_t *status = ask(c, "status", NULL);
        json_t *outbox = json_object_get(status, "outbox");
        json_int_t parcels = json_integer_value(json_object_get(outbox, "parcels"));
        json_int_t undelivered = json_integer_value(json_object_get(outbox, "undelivered"));
        json_decref(status);
        if (parcels == 0 && undelivered == 0)
            return;
        if (now_s() > limit)
            die("drain", "receipts are missing after 120 s");
        usleep(POLL_US);
    }
}

struct process {
    long pid;
    const char *name;
    double cpu_s;
};

/* User and system time of ${pid}, all threads. */
static double cpu_of(long pid)
{
    char path[64];
    char line[1024];
    unsigned long user = 0;
    unsigned long system = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = fopen(path, "r");
    if (!f || !fgets(line, sizeof line, f))
        die(path, "cannot be read");
    fclose(f);
    const char *after = strrchr(line, ')');
    if (!after || sscanf(after + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
                         &system) != 2)
        die(path, "not understood");
    return (double)(user + system) / (double)sysconf(_SC_CLK_TCK);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

static double push_many(comity_client *c, size_t count)
{
    double start = now_s();
    size_t sent = 0;
    size_t done = 0;
    while (done < count) {
        while (sent < count && sent - done < IN_FLIGHT) {
            struct comity_call call;
            uint8_t salt[32];
            call_record_add(&call, salt);
            if (comity_client_send(c, &call, NULL))
                die("send", "the node went away");
            sent++;
        }
        take_reply(c, &done);
    }
    drain(c);
    return now_s() - start;
}

/* Milliseconds until the receipt of one record is durable here. */
static double push_one(comity_client *c)
{
    struct comity_call call;
    struct comity_reply reply;
    uint8_t salt[32];
    double start = now_s();
    call_record_add(&call, salt);
    if (comity_client_call(c, &call, &reply))
        die("record.add", reply.json);
    json_t *place = json_loads(reply.json, 0, NULL);
    json_t *wait = json_pack("{sOss}", "ref", json_object_get(place, "ref"), "stage", "received");
    char *text = json_dumps(wait, JSON_COMPACT);
    json_decref(ask(c, "wait", text));
    free(text);
    json_decref(wait);
    json_decref(place);
    return (now_s() - start) * 1e3;
}

/* The median of some writes made durable one after the other, in milliseconds. */
static double sync_ms(void)
{
    static const char block[SYNC_BYTES] = {1};
    double ms[SYNCS];
    char path[] = "bench-XXXXXX";
    int fd = mkstemp(path);
    if (fd < 0)
        die(path, "cannot be made");
    unlink(path);
    for (size_t i = 0; i < SYNCS; i++) {
        double start = now_s();
        if (pwrite(fd, block, sizeof block, (off_t)(i * sizeof block)) != sizeof block ||
            fdatasync(fd))
            die("disk", "cannot be written to");
        ms[i] = (now_s() - start) * 1e3;
    }
    close(fd);
    qsort(ms, SYNCS, sizeof *ms, compare_doubles);
    return ms[SYNCS / 2];
}

static void print(json_t *result)
{
    if (!result || json_dumpf(result, stdout, JSON_COMPACT | JSON_REAL_PRECISION(5)))
        die("result", "is no JSON");
    putchar('\n');
    json_decref(result);
}

static void measure_many(comity_client *c, size_t count, struct process *process, size_t n)
{
    json_t *cpu = json_object();
    for (size_t i = 0; i < n; i++)
        process[i].cpu_s = cpu_of(process[i].pid);
    double seconds = push_many(c, count);
    for (size_t i = 0; i < n; i++)
        json_object_set_new(
            cpu, process[i].name,
            json_real((cpu_of(process[i].pid) - process[i].cpu_s) / (double)count * 1e6));
    print(json_pack("{sIsIsfsfsosf}", "records", (json_int_t)count, "record_bytes",
                    (json_int_t)record_bytes.len, "seconds", seconds, "records_per_s",
                    (double)count / seconds, "cpu_us_per_record", cpu, "sync_ms", sync_ms()));
}

static void measure_singles(comity_client *c, size_t count)
{
    double *ms = calloc(count, sizeof *ms);
    if (!ms)
        die("memory", "none");
    for (size_t i = 0; i < count; i++)
        ms[i] = push_one(c);
    qsort(ms, count, sizeof *ms, compare_doubles);
    print(json_pack("{sIsfsfsf}", "one_by_one", (json_int_t)count, "p50_ms", ms[count / 2],
                    "p99_ms", ms[count * 99 / 100], "sync_ms", sync_ms()));
    free(ms);
}

int main(int argc, char **argv)
{
    if (argc < 6 || argc > 6 + PROCESSES_MAX)
        die("usage", "load SOCKET TO COUNT SIZE ONE_BY_ONE PID=NAME…");
    size_t count = strtoul(argv[3], NULL, 10);
    size_t singles = strtoul(argv[5], NULL, 10);
    size_t process_count = (size_t)argc - 6;
    struct process process[PROCESSES_MAX + 1] = {0};
    for (size_t i = 0; i < process_count; i++) {
        char *end = NULL;
        process[i].pid = strtol(argv[6 + i], &end, 10);
        process[i].name = *end == '=' ? end + 1 : argv[6 + i];
    }
    comity_client *c = NULL;
    if (crypto_init() || comity_client_open(argv[1], &c))
        die(argv[1], "nobody listens there");
    json_t *arguments = json_pack("{s[s]}", "to", argv[2]);
    char *text = json_dumps(arguments, JSON_COMPACT);
    argument_json = text;
    make_record(strtoul(argv[4], NULL, 10));

    process[process_count++] = (struct process){.pid = getpid(), .name = "load"};
    if (count)
        measure_many(c, count, process, process_count);
    if (singles)
        measure_singles(c, singles);
    json_decref(arguments);
    free(text);
    comity_client_close(c);
    buf_free(&record_bytes);
    return 0;
}
