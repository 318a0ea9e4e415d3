/* The version of this software. The wire protocol and the ledger format have versions of their own.
 */
#ifndef COMITY_VERSION_H
#define COMITY_VERSION_H

#define COMITY_VERSION "0.1.0"

#endif
