/*
 * What a delivered parcel says, once its bodies have matched their hashes: are they records that
 * this network takes, did the officers whose notes they bear sign them, and does the parcel name
 * the attachments that its records name?
 */
#ifndef NODE_CONTENT_H
#define NODE_CONTENT_H

#include "domain/record.h"
#include "wire/parcel.h"

struct node;

/* An attachment of a record that came with the parcel. */
struct content_file {
    const struct record_file *file;
    struct bytes origin; /* the record is entry ${index} of it */
    uint64_t index;
};

struct content {
    /* One an entry, then one an enclosure, as the openings; NULL where there is no record. */
    const struct record **records;
    const struct content_file *files;
    size_t file_count;
};

/*
 * The errors of decoding; of record_check; COMITY_E_FIELD_MISSING for a RECORD or SIGNATURE entry
 * without record or note; those of officer_check; COMITY_E_ATTACHMENT when the parcel names an
 * attachment that no record of it names, or its own records name one that the parcel does not.
 * Kinds of entries that are not known are passed over. Views into ${a}.
 */
int content_check(struct node *n, struct arena *a, const struct parcel_facts *f,
                  const struct openings *o, struct content *ret)
    __attribute__((warn_unused_result));

#endif
