/*
 * Files that are part of this program.
 */
#ifndef PACKAGE_EMBED_H
#define PACKAGE_EMBED_H

#include "base/bytes.h"

/* "verify.sh", "VERIFY.txt", "style.css", "proto/ledger.proto" …; none for another name. */
struct bytes embedded_file(const char *name);

#endif
