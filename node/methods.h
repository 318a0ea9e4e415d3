/*
 * What can be asked of a node: one function a method, as docs/CONTROL.md describes them. The table
 * is methods.c's.
 */
#ifndef NODE_METHODS_H
#define NODE_METHODS_H

#include "control_parts.h"
#include "records.h"

#include "json/value_json.h"

/* methods_file.c */
int method_file_begin(struct call *k);
int method_file_chunk(struct call *k);
int method_file_end(struct call *k);
int method_file_abort(struct call *k);
int method_evidence_get(struct call *k);
/* methods_add.c */
int method_record_add(struct call *k);
/* methods_sign.c */
int method_record_sign(struct call *k);
/* methods_share.c */
int method_record_share(struct call *k);
/* methods_key.c */
int method_key_add(struct call *k);
int method_key_retire(struct call *k);
int method_key_list(struct call *k);
/* methods_list.c */
int method_case_list(struct call *k);
int method_evidence_list(struct call *k);
int method_recognition_list(struct call *k);
int method_inbox_list(struct call *k);
/* methods_show.c */
int method_case_show(struct call *k);
int method_evidence_show(struct call *k);
int method_record_get(struct call *k);
/* methods_track.c */
int method_track(struct call *k);
int method_wait(struct call *k);
/* methods_ledger.c */
int method_ledger_log(struct call *k);
int method_ledger_entry(struct call *k);
int method_request_find(struct call *k);

/* The own entry that was made under a request id. COMITY_E_NOT_FOUND. */
int request_find(struct call *k, struct bytes request_id, uint64_t *ret)
    __attribute__((warn_unused_result));

/* ---- what they share ---- */

/* A list that is being filled, page by page. */
struct page {
    uint64_t limit;
    struct bytes after; /* as `next` was given out; none at the beginning */
    struct value items;
    size_t count;
    char next[160]; /* where the item added last stands */
    bool is_more;
};
#define PAGE_ARGS(page)                          \
    {"limit", ARG_U64, false, &(page)->limit},   \
    {                                            \
        "after", ARG_TEXT, false, &(page)->after \
    }
enum { PAGE_DEFAULT = 50, PAGE_MAX = 500 };
void page_init(struct page *p);
int page_check(struct call *k, const struct page *p) __attribute__((warn_unused_result));
/* "AT:ORIGIN:INDEX", as records are ordered: newest first, so the page goes on below it. All are ~0
 * at the beginning. */
struct page_place {
    uint64_t at;
    uint64_t origin;
    uint64_t index;
};
int page_place(struct call *k, const struct page *p, struct page_place *ret)
    __attribute__((warn_unused_result));
/* Add ${item}, taken over. False once the page is full: then the item was not added, and there is
 * more. */
bool page_add(struct page *p, json_t *item, const struct page_place *at);
int page_finish(struct call *k, struct page *p) __attribute__((warn_unused_result));

/* Find the record that argument `ref` names, with precise words when there is none. */
int record_find(struct call *k, const char *field, struct bytes ref, struct record_row *ret)
    __attribute__((warn_unused_result));
/* Load its content, likewise. */
int record_load(struct call *k, const struct record_row *row, struct content_of *ret)
    __attribute__((warn_unused_result));
/* The kind's token. */
const char *kind_token(uint32_t kind);
/* Name of a member in the roster, or none. */
struct bytes member_name(const struct node *n, struct bytes id);

/* Renderings that several methods use (methods_list.c, methods_show.c). */
json_t *evidence_item(struct call *k, const struct record_row *r);
json_t *recognition_item(struct call *k, const struct record_row *r);
/* The evidence that the RECOGNITION ${r} is about, if it is here. COMITY_E_NOT_FOUND. */
int recognition_evidence(struct call *k, const struct record_row *r, struct record_row *ret)
    __attribute__((warn_unused_result));
/* What was decided about evidence: of a received one by us; of an own one the least favourable of
 * the newest decisions of each bureau. 0: nothing yet. */
uint32_t evidence_decision(struct call *k, const struct record_row *r);
/* "decision", unless ${decision} is 0. */
void set_decision(struct value *v, uint32_t decision);
/* [{…}] of recognitions of the evidence ${r}, and what is in its case. */
json_t *recognitions_of(struct call *k, const struct record_row *r);

#endif
