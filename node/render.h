/*
 * Renderings of a record's surroundings, for methods_show.c and methods_track.c: who signed, how
 * far it is with whom, where its files are. NULL without memory; other errors leave the detail out,
 * since the record itself can still be shown.
 */
#ifndef NODE_RENDER_H
#define NODE_RENDER_H

#include "methods.h"
#include "signatures.h"
#include "stages.h"

json_t *signatures_json(const struct record_row *r, const struct signatures *s);
json_t *files_json(struct call *k, const struct record_row *r, const struct content_of *c);
/* One object a recipient, as `track` has them. */
json_t *recipients_json(struct call *k, const struct record_row *r, const struct content_of *c,
                        struct stage_of *stages, size_t count);
/* How a received record came here; NULL also for own records. */
json_t *arrived_json(struct call *k, const struct record_row *r);

/* ---- facts behind them, for the custody chain ---- */

/* The broker's entry that routed or refused a parcel. COMITY_E_NOT_FOUND before it was answered. */
struct routed_fact {
    struct bytes broker; /* origin */
    uint64_t index;
    int64_t time_ms;
};
int routed_find(struct call *k, const struct stage_of *s, struct routed_fact *ret)
    __attribute__((warn_unused_result));

/* The recipient's RECEIVED or REFUSED entry, and our RECEIPT of it. COMITY_E_NOT_FOUND while there
 * is none. */
struct received_fact {
    struct bytes origin;
    uint64_t index;
    int64_t time_ms;
    uint64_t receipt;
    struct node *home; /* whose entry the receipt is */
};
int received_find(struct call *k, const struct stage_of *s, struct received_fact *ret)
    __attribute__((warn_unused_result));
/* The recipient's FILE entry for a blob that went there with the parcel. */
int file_received_find(struct call *k, const struct stage_of *s, struct bytes blob,
                       struct received_fact *ret) __attribute__((warn_unused_result));

#endif
