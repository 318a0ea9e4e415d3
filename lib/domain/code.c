/*
 * Check characters of the codes that records hold. See code.h.
 */
#include "domain/code.h"

#include <comity/err.h>
#include <string.h>

/* GB 32100, table 2: 31 characters, the value of each is its place. */
static const char uscc_alphabet[] = "0123456789ABCDEFGHJKLMNPQRTUWXY";
/* 3^i mod 31. */
static const uint8_t uscc_weight[USCC_LEN - 1] = {1,  3,  9,  27, 19, 26, 16, 17, 20,
                                                  29, 25, 13, 8,  24, 10, 30, 28};

/*
 * The first two digits of GB/T 2260, as of 2024-12-31. 66 is not in the standard: administrative
 * statistics and market regulators use it for the Xinjiang Production and Construction Corps.
 */
static const char provinces[][3] = {"11", "12", "13", "14", "15", "21", "22", "23", "31",
                                    "32", "33", "34", "35", "36", "37", "41", "42", "43",
                                    "44", "45", "46", "50", "51", "52", "53", "54", "61",
                                    "62", "63", "64", "65", "66", "71", "81", "82"};

static int refuse(int err, const struct code_fault *fault, struct code_fault *ret_fault)
{
    if (ret_fault)
        *ret_fault = *fault;
    return err;
}

static int wrong_length(int err, struct bytes code, const char *lengths, struct code_fault *ret)
{
    return refuse(
        err,
        &(struct code_fault){.flaw = CODE_FLAW_LENGTH, .lengths = lengths, .got_len = code.len},
        ret);
}

static int wrong_character(int err, struct bytes code, size_t i, struct code_fault *ret)
{
    return refuse(
        err,
        &(struct code_fault){.flaw = CODE_FLAW_CHARACTER, .at = i + 1, .got = (char)code.data[i]},
        ret);
}

static int wrong_check(int err, struct bytes code, char expected, struct code_fault *ret)
{
    return refuse(err,
                  &(struct code_fault){.flaw = CODE_FLAW_CHECK,
                                       .at = code.len,
                                       .got = (char)code.data[code.len - 1],
                                       .expected = expected},
                  ret);
}

static bool is_digit(uint8_t c)
{
    return c >= '0' && c <= '9';
}

static int uscc_value(uint8_t c)
{
    const char *at = c ? strchr(uscc_alphabet, c) : NULL;
    return at ? (int)(at - uscc_alphabet) : -1;
}

int code_check_uscc(struct bytes code, struct code_fault *ret_fault)
{
    if (code.len != USCC_LEN)
        return wrong_length(COMITY_E_USCC, code, "18", ret_fault);
    int sum = 0;
    for (size_t i = 0; i < USCC_LEN; i++) {
        int value = uscc_value(code.data[i]);
        if (value < 0 || (i >= 2 && i < 8 && !is_digit(code.data[i])))
            return wrong_character(COMITY_E_USCC, code, i, ret_fault);
        if (i < USCC_LEN - 1)
            sum += value * uscc_weight[i];
    }
    char expected = uscc_alphabet[(31 - sum % 31) % 31];
    if (code.data[USCC_LEN - 1] != (uint8_t)expected)
        return wrong_check(COMITY_E_USCC, code, expected, ret_fault);
    return COMITY_OK;
}

static bool is_province(struct bytes code)
{
    for (size_t i = 0; i < sizeof provinces / sizeof provinces[0]; i++)
        if (bytes_has_prefix(code, provinces[i]))
            return true;
    return false;
}

int code_check_division(struct bytes code, struct code_fault *ret_fault)
{
    if (code.len != DIVISION_LEN)
        return wrong_length(COMITY_E_DIVISION, code, "6", ret_fault);
    for (size_t i = 0; i < DIVISION_LEN; i++)
        if (!is_digit(code.data[i]))
            return wrong_character(COMITY_E_DIVISION, code, i, ret_fault);
    if (!is_province(code))
        return refuse(COMITY_E_DIVISION, &(struct code_fault){.flaw = CODE_FLAW_PROVINCE, .at = 1},
                      ret_fault);
    if (memcmp(code.data + 2, "00", 2) == 0 && memcmp(code.data + 4, "00", 2) != 0)
        return wrong_character(COMITY_E_DIVISION, code, code.data[4] != '0' ? 4 : 5, ret_fault);
    return COMITY_OK;
}

int code_check_gtin(struct bytes code, struct code_fault *ret_fault)
{
    if (code.len != 8 && code.len != 12 && code.len != 13 && code.len != 14)
        return wrong_length(COMITY_E_GTIN, code, "8, 12, 13 or 14", ret_fault);
    int sum = 0;
    for (size_t i = 0; i < code.len; i++) {
        if (!is_digit(code.data[i]))
            return wrong_character(COMITY_E_GTIN, code, i, ret_fault);
        size_t from_right = code.len - 1 - i;
        if (from_right > 0)
            sum += (code.data[i] - '0') * (from_right % 2 == 1 ? 3 : 1);
    }
    char expected = (char)('0' + (10 - sum % 10) % 10);
    if (code.data[code.len - 1] != (uint8_t)expected)
        return wrong_check(COMITY_E_GTIN, code, expected, ret_fault);
    return COMITY_OK;
}

void code_fault_put(struct buf *out, const struct code_fault *fault)
{
    switch (fault->flaw) {
    case CODE_FLAW_NONE:
        return;
    case CODE_FLAW_LENGTH:
        buf_printf(out, "it has %zu characters instead of %s", fault->got_len, fault->lengths);
        return;
    case CODE_FLAW_CHARACTER:
        if (fault->got > ' ' && fault->got <= '~')
            buf_printf(out, "character %zu cannot be '%c'", fault->at, fault->got);
        else
            buf_printf(out, "character %zu is none that such a code can have", fault->at);
        return;
    case CODE_FLAW_CHECK:
        buf_printf(out, "character %zu is '%c', but the others call for '%c'", fault->at,
                   fault->got, fault->expected);
        return;
    case CODE_FLAW_PROVINCE:
        buf_put_str(out, "no province has these first two digits");
        return;
    case CODE_FLAW_DATE:
        buf_put_str(out, "it was not in force on that day");
        return;
    }
}
