/*
 * The records that officers write and sign, as plain structs, and the words for their numbers.
 *
 * The structs mirror proto/record.proto field by field. They own nothing: every view points into
 * memory that whoever filled the struct keeps, usually the arena of the turn that decoded it. An
 * optional field that is absent is an empty view, false or 0; a field that is present but empty is
 * not a thing (lib/msg refuses it, so that a record has one spelling). Whether a record is
 * acceptable is for domain/rules.h to say; bytes are lib/msg's, JSON is lib/json's.
 */
#ifndef DOMAIN_RECORD_H
#define DOMAIN_RECORD_H

#include "base/bytes.h"

/* Numbered for ever. */
enum record_kind { RECORD_CASE = 1, RECORD_EVIDENCE = 2, RECORD_RECOGNITION = 3 };

enum {
    RECORD_SCHEMA = 1, /* the version of these structs */
    RECORD_HASH_LEN = 32,
    RECORD_OFFICERS_MAX = 16,
    RECORD_FILES_MAX = 256,
    RECORD_PARTIES_MAX = 64,
    RECORD_GOODS_MAX = 64,
    RECORD_CODES_MAX = 64, /* of one thing */
    RECORD_TESTS_MAX = 64
};

/* A place in a ledger, with the leaf that stands there, so that it means one entry for ever. */
struct record_ref {
    struct bytes origin;
    uint64_t index;
    struct bytes leaf; /* RECORD_HASH_LEN bytes */
};

struct record_officer {
    struct bytes name;
    struct bytes licence; /* number of the law enforcement licence */
};

struct record_file {
    struct bytes name;
    struct bytes mime;
    uint64_t len;        /* of the plain file */
    struct bytes sha256; /* these four: RECORD_HASH_LEN bytes */
    struct bytes sm3;
    struct bytes blob;
    struct bytes secret; /* opens the sealed blocks: not to be shown */
};

struct record_place {
    struct bytes division; /* GB/T 2260, six digits */
    struct bytes address;
    struct bytes bureau; /* member id of the bureau in charge there */
};

struct record_party {
    struct bytes name;
    struct bytes uscc; /* GB 32100 */
    bool unverified;   /* the officer insisted on a code whose check fails */
    struct bytes part; /* what this party is in the case, in words */
};

struct record_code {
    struct bytes scheme; /* "gtin", "passport", "marking" … */
    struct bytes value;
    bool unverified;
};

struct record_goods {
    struct bytes name;
    const struct record_code *codes;
    size_t code_count;
};

struct record_case {
    struct bytes title;
    struct bytes filed; /* RFC 3339, +08:00, as all times of a record */
    bool has_platform_domicile;
    struct record_place platform_domicile;
    bool has_operator_place;
    struct record_place operator_place;
    bool has_operator_domicile;
    struct record_place operator_domicile;
    bool has_violation_place;
    struct record_place violation_place;
    const struct record_party *parties;
    size_t party_count;
    struct bytes platform;
    const struct record_goods *goods;
    size_t goods_count;
    struct bytes basis; /* of jurisdiction */
};

/* Whether the holder of the original signed the extraction record. */
enum record_holder { HOLDER_SIGNED = 1, HOLDER_REFUSED = 2, HOLDER_ABSENT = 3 };

/* The extraction record of electronic data (电子数据提取笔录). */
struct record_electronic {
    struct bytes cause;
    struct bytes object;
    struct bytes method;
    struct bytes process;
    struct bytes medium;    /* the original medium … */
    struct bytes no_medium; /* … or why it was not taken */
    struct bytes tool;
    struct bytes tool_version;
    bool has_clock_offset;
    int64_t clock_offset_ms; /* of the examined machine's clock: its time minus true time */
    struct bytes holder;
    uint32_t holder_signed; /* enum record_holder; 0 when nothing is said */
    struct bytes witness;
};

/* The eight kinds of evidence of the 行政处罚法, article 46. */
enum record_evidence_kind {
    EVIDENCE_DOCUMENTARY = 1,
    EVIDENCE_PHYSICAL = 2,
    EVIDENCE_AUDIOVISUAL = 3,
    EVIDENCE_ELECTRONIC = 4,
    EVIDENCE_TESTIMONY = 5,
    EVIDENCE_STATEMENT = 6,
    EVIDENCE_EXPERT = 7,
    EVIDENCE_INSPECTION = 8
};

enum record_form { FORM_ORIGINAL = 1, FORM_COPY = 2 };

struct record_evidence {
    uint32_t kind; /* enum record_evidence_kind */
    struct bytes title;
    struct bytes source;
    struct bytes place;
    struct bytes taken;
    uint32_t form; /* enum record_form */
    struct bytes method;
    const struct record_file *files;
    size_t file_count;
    const struct record_code *codes;
    size_t code_count;
    bool has_electronic;
    struct record_electronic electronic;
};

enum record_decision {
    DECISION_DIRECT = 1,     /* taken over as it is, under an agreement */
    DECISION_VERIFIED = 2,   /* taken over after tests */
    DECISION_SUPPLEMENT = 3, /* more is needed */
    DECISION_REJECTED = 4
};

struct record_recognition {
    struct record_ref evidence;
    struct bytes
        record_hash;   /* RECORD_HASH_LEN bytes: of the evidence, what its collectors signed */
    uint32_t decision; /* enum record_decision */
    struct bytes basis;
    const struct bytes *tests;
    size_t test_count;
    struct bytes limits;
    struct record_officer reviewer;
    struct bytes agreement;
};

struct record {
    uint32_t kind;   /* enum record_kind; says which of the union is meant */
    uint32_t schema; /* RECORD_SCHEMA */
    bool has_case_ref;
    struct record_ref case_ref;
    struct bytes doc_no; /* 文号: never parsed */
    struct bytes created;
    const struct record_officer *officers; /* of EVIDENCE: the collectors */
    size_t officer_count;
    bool has_supersedes;
    struct record_ref supersedes;
    struct bytes approver; /* licence number of the bureau's head who approved, or his name */
    uint32_t confidentiality;
    union {
        struct record_case case_content;
        struct record_evidence evidence;
        struct record_recognition recognition;
    } u;
};

/* ---- words for numbers ---- */

/* What a number counts. */
enum record_vocabulary {
    TERMS_RECORD_KIND,
    TERMS_EVIDENCE_KIND,
    TERMS_FORM,
    TERMS_HOLDER,
    TERMS_DECISION
};

/* A number, its stable token (JSON, command line, never translated) and its names for people. */
struct record_term {
    uint32_t number;
    const char *token;
    const char *zh;
    const char *en;
};

/* The term of ${number}, static; NULL for a number that the vocabulary does not have. */
const struct record_term *record_term(enum record_vocabulary v, uint32_t number);
/* The term whose token is exactly ${token}; NULL when there is none. */
const struct record_term *record_term_named(enum record_vocabulary v, struct bytes token);
/* All terms of a vocabulary, ascending, ${ret_count} of them. */
const struct record_term *record_terms(enum record_vocabulary v, size_t *ret_count);
/* The token of ${number}, "UNKNOWN" for a number that the vocabulary does not have. */
const char *record_token(enum record_vocabulary v, uint32_t number);

#endif
