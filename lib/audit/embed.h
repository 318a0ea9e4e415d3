/*
 * Files that are part of this program. Internal to lib/audit.
 */
#ifndef AUDIT_EMBED_H
#define AUDIT_EMBED_H

#include "base/bytes.h"

/* "verify.sh", "VERIFY.txt", "style.css", "proto/ledger.proto" …; none for another name. */
struct bytes embedded_file(const char *name);

#endif
