/* Control requests and replies: every field comes back, and what the format forbids is refused. */
#include "msg/control.h"

#include "unit/msg/samples.h"

#include <comity/err.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

static void assert_bytes(struct bytes got, struct bytes want)
{
    assert_true(bytes_equal(got, want));
}

static void request_every_field_comes_back(void **state)
{
    (void)state;
    struct control_request want = sample_request();
    struct control_request got;
    struct buf out = BUF_INIT;
    struct arena *a = arena_new(64 * 1024);
    assert_int_equal(control_request_encode(&want, &out), 0);
    assert_int_equal(control_request_decode(a, buf_bytes(&out), &got), 0);
    buf_free(&out);
    assert_true(got.id == want.id);
    assert_bytes(got.method, want.method);
    assert_bytes(got.json, want.json);
    assert_bytes(got.record, want.record);
    assert_bytes(got.salt, want.salt);
    assert_int_equal(got.note_count, 1);
    assert_bytes(got.notes[0], want.notes[0]);
    assert_bytes(got.chunk, want.chunk);
    arena_free(a);
}

static void request_wrong_values_are_invalid(void **state)
{
    (void)state;
    static uint8_t octets[CONTROL_BYTES_MAX];
    static struct bytes notes[CONTROL_NOTES_MAX + 1];
    static char method[CONTROL_METHOD_MAX + 1];
    memset(method, 'm', sizeof method);
    for (size_t i = 0; i <= CONTROL_NOTES_MAX; i++)
        notes[i] = BYTES_LIT("note");
    struct control_request r;
    struct buf out = BUF_INIT;
#define EXPECT(outcome, ...)                                                    \
    do {                                                                        \
        r = (struct control_request){.method = BYTES_LIT("m"), .notes = notes}; \
        __VA_ARGS__;                                                            \
        assert_int_equal(control_request_encode(&r, &out), outcome);            \
    } while (0)
    EXPECT(0, r.method = BYTES(method, CONTROL_METHOD_MAX));
    EXPECT(COMITY_E_INVALID, r.method = BYTES(method, CONTROL_METHOD_MAX + 1));
    EXPECT(COMITY_E_INVALID, r.method = BYTES_NONE);
    EXPECT(COMITY_E_INVALID, r.salt = BYTES(octets, 31));
    EXPECT(0, r.note_count = CONTROL_NOTES_MAX);
    EXPECT(COMITY_E_INVALID, r.note_count = CONTROL_NOTES_MAX + 1);
    EXPECT(0, r.chunk = BYTES(octets, CONTROL_CHUNK_MAX));
    EXPECT(COMITY_E_INVALID, r.chunk = BYTES(octets, CONTROL_CHUNK_MAX + 1));
    EXPECT(COMITY_E_INVALID,
           r.json = BYTES(octets, CONTROL_BYTES_MAX)); /* with the rest, too much */
#undef EXPECT
    buf_free(&out);
}

static void reply_every_field_comes_back(void **state)
{
    (void)state;
    static const int errs[] = {0, -1, -140, 1, INT_MIN, INT_MAX};
    for (size_t i = 0; i < sizeof errs / sizeof errs[0]; i++)
        for (int more = 0; more < 2; more++) {
            struct control_reply want = sample_reply();
            struct control_reply got;
            want.err = errs[i];
            want.more = more;
            struct buf out = BUF_INIT;
            struct arena *a = arena_new(64 * 1024);
            assert_int_equal(control_reply_encode(&want, &out), 0);
            assert_int_equal(control_reply_decode(a, buf_bytes(&out), &got), 0);
            buf_free(&out);
            assert_true(got.id == want.id);
            assert_int_equal(got.err, errs[i]);
            assert_bytes(got.json, want.json);
            assert_bytes(got.chunk, want.chunk);
            assert_int_equal(got.more, more);
            arena_free(a);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_every_field_comes_back),
        cmocka_unit_test(request_wrong_values_are_invalid),
        cmocka_unit_test(reply_every_field_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
