/*
 * What the files of the noun `evidence` share. Internal to them.
 */
#ifndef CLI_EVIDENCE_H
#define CLI_EVIDENCE_H

#include "cli.h"

int evidence_push(struct cli *c);
int evidence_get(struct cli *c);
extern const struct flag evidence_push_flags[];
extern const struct flag evidence_get_flags[];
extern const struct view evidence_push_view;
extern const struct view evidence_push_dry_view;
extern const struct view_field evidence_decision_fields[]; /* what --wait saw decided */
extern const struct view evidence_get_view;

#endif
