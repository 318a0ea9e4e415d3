/*
 * Opening the store of a site with its schema. The tables themselves are schema_node.c's and
 * schema_broker.c's.
 */
#include "site/schema.h"
#include "site/site.h"

#include <comity/err.h>
#include <stdlib.h>

enum {
    NODE_APPLICATION_ID = 0x436d4e64 /* "CmNd" */,
    BROKER_APPLICATION_ID = 0x436d4272 /* "CmBr" */
};

/* ledger_schema and the owner's steps, one behind the other. */
static int migrate(struct store *store, uint32_t application_id, const char *const *own, size_t n)
{
    const char **steps = calloc(ledger_schema_count + n, sizeof *steps);
    if (!steps)
        return COMITY_E_NOMEM;
    for (size_t i = 0; i < ledger_schema_count + n; i++)
        steps[i] = i < ledger_schema_count ? ledger_schema[i] : own[i - ledger_schema_count];
    int err = store_migrate(store, application_id, steps, ledger_schema_count + n);
    free(steps);
    return err;
}

int site_open_store(const struct site *s, enum db_mode mode, struct store **ret)
{
    struct store *store = NULL;
    int err = store_open(s->dir, site_store_name(s), mode, &store);
    if (err)
        return err;
    if (s->role == MEMBER_BROKER)
        err = migrate(store, BROKER_APPLICATION_ID, site_broker_schema, site_broker_schema_count);
    else
        err = migrate(store, NODE_APPLICATION_ID, site_node_schema, site_node_schema_count);
    if (err) {
        store_close(store);
        return err;
    }
    *ret = store;
    return COMITY_OK;
}
