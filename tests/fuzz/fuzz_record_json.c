/*
 * Hostile JSON for record_from_json(): what it reads and record_check() accepts must be the same
 * record when it is written as JSON and read again, and must fit into bytes unless it is too long.
 */
#include "fuzz/round_trip.h"
#include "msg/record.h"
#include "json/record_json.h"

#include <comity/err.h>

/* ${first} is acceptable. */
static void check_again(struct arena *a, const struct record *first)
{
    struct buf bytes = BUF_INIT, again_bytes = BUF_INIT;
    struct record again;
    json_t *json = NULL;
    int err = record_encode(first, &bytes);
    if (err && err != COMITY_E_TOO_LARGE)
        abort();
    if (record_to_json(first, RECORD_JSON_SECRETS, &json) ||
        record_from_json(a, json, &again, NULL))
        abort();
    if (record_encode(&again, &again_bytes) != err ||
        !bytes_equal(buf_bytes(&bytes), buf_bytes(&again_bytes)))
        abort();
    json_decref(json);
    buf_free(&bytes);
    buf_free(&again_bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
    struct arena *a = arena_new(FUZZ_ARENA);
    struct record r;
    struct record_fault fault = {0};
    json_t *json =
        json_loadb((const char *)data, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);
    if (a && json) {
        int err = record_from_json(a, json, &r, &fault);
        if (err != fault.err)
            abort();
        if (!err && record_check(&r, NULL) == 0)
            check_again(a, &r);
    }
    json_decref(json);
    arena_free(a);
    return 0;
}
