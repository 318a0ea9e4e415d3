/*
 * Reading a site's configuration file. The only place that includes <confuse.h>.
 */
#ifndef SITE_CONF_H
#define SITE_CONF_H

#include "site/site.h"

/*
 * Fill ${s}, whose dir is set, from ${path}: a node's or a broker's configuration by the option
 * `role`. Unknown options, wrong types and values out of range are refused with file and line in
 * ${detail}, options of the other role by their names.
 */
int conf_read(const char *path, struct site *s, struct buf *detail)
    __attribute__((warn_unused_result));

/* Append the configuration that `init` writes. */
void conf_put(struct buf *out, const struct site_plan *plan);

#endif
