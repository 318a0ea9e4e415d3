/*
 * The tables of the two stores beyond the ledger's own: schema_node.c and schema_broker.c, each
 * table with what it is for and whether it is a source or a projection. They stand in lib/ because
 * init, daemon and offline readers open the same files.
 *
 * The steps here follow those of ledger_schema in one list, so ledger_schema's number of steps is
 * frozen: a later change of the ledger's tables is a step at the end of both lists.
 */
#ifndef SITE_SCHEMA_H
#define SITE_SCHEMA_H

#include <stddef.h>

extern const char *const site_node_schema[];
extern const size_t site_node_schema_count;
extern const char *const site_broker_schema[];
extern const size_t site_broker_schema_count;

#endif
