/*
 * Codes that carry their own check: unified social credit codes, division codes, product bar codes.
 *
 * A check says whether a code can be right and, when it cannot, what is wrong with it: which
 * character, and which check character the others call for. Whether a company, a place or a product
 * of that code exists is for registers to say. Pure functions, safe from any thread.
 */
#ifndef DOMAIN_CODE_H
#define DOMAIN_CODE_H

#include "base/bytes.h"

enum { USCC_LEN = 18, DIVISION_LEN = 6 };

enum code_flaw {
    CODE_FLAW_NONE,
    CODE_FLAW_LENGTH,    /* got_len is not one of the lengths that this code has */
    CODE_FLAW_CHARACTER, /* character ${at} cannot stand there */
    CODE_FLAW_CHECK,     /* character ${at} is the check character, and should be ${expected} */
    CODE_FLAW_PROVINCE,  /* no province has these first two digits */
    CODE_FLAW_DATE       /* the code was not in force on that day */
};

/* What is wrong with a code, so that a program can point at it and a translation can say it. */
struct code_fault {
    enum code_flaw flaw;
    const char *lengths; /* "18", "8, 12, 13 or 14": what the length should be */
    size_t got_len;
    size_t at; /* 1 is the first character */
    char got;
    char expected;
};

/*
 * Each returns COMITY_OK, or its own error and what is wrong in ${ret_fault} (which may be NULL,
 * and is written on failure only).
 */

/* GB 32100: 18 characters without I, O, S, V, Z; characters 3 to 8 are digits; modulo 31.
 * COMITY_E_USCC. */
int code_check_uscc(struct bytes code, struct code_fault *ret_fault)
    __attribute__((warn_unused_result));

/*
 * GB/T 2260: six digits, the first two those of a province, and no county where the prefecture is
 * all zeros ("330006"). Single codes and their dates are in a table: domain/division.h.
 * COMITY_E_DIVISION.
 */
int code_check_division(struct bytes code, struct code_fault *ret_fault)
    __attribute__((warn_unused_result));

/* GTIN-8, 12, 13 and 14 (GS1 General Specifications, 7.9): digits; weights 3 and 1; modulo 10.
 * COMITY_E_GTIN. */
int code_check_gtin(struct bytes code, struct code_fault *ret_fault)
    __attribute__((warn_unused_result));

/* One English clause that says ${fault}: "character 18 is 'X', but the others call for 'G'". */
void code_fault_put(struct buf *out, const struct code_fault *fault);

#endif
