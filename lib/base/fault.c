/*
 * Error by error, whose it is. There is no default, so that who adds an error must say. See
 * fault.h.
 */
#include "base/fault.h"

#include <comity/err.h>

enum fault fault_of(int err)
{
    switch ((enum comity_err)err) {
    case COMITY_E_NOMEM:
    case COMITY_E_DISK_FULL:
    case COMITY_E_PERMISSION:
    case COMITY_E_BUSY:
    case COMITY_E_FILES:
        return FAULT_PASSING;
    case COMITY_E_IO:
    case COMITY_E_LEDGER_DAMAGED:
    case COMITY_E_ROLLBACK:
        return FAULT_STORE;
    case COMITY_E_EXISTS:
    case COMITY_E_INTERNAL:
    case COMITY_E_USAGE:
    case COMITY_E_CONFIG:
    case COMITY_E_INTERRUPTED:
    case COMITY_E_AGAIN:
    case COMITY_E_TIMEOUT:
    case COMITY_E_UNREACHABLE:
    case COMITY_E_PUBLIC_KEY_FILE:
    case COMITY_E_NOT_A_LEDGER:
    case COMITY_E_NOT_A_KEY:
    case COMITY_E_NOT_A_FILE:
    case COMITY_E_PASSPHRASE:
    case COMITY_E_KEY_LOCKED:
    case COMITY_E_KEY_DAMAGED:
    case COMITY_E_NO_ROSTER:
    case COMITY_E_NO_ZAP:
        return FAULT_OURS;
    case COMITY_OK:
    case COMITY_E_NOT_FOUND:
    case COMITY_E_AMBIGUOUS:
    case COMITY_E_UNSUPPORTED:
    case COMITY_E_INVALID:
    case COMITY_E_LIMIT:
    case COMITY_E_QUOTA:
    case COMITY_E_MALFORMED:
    case COMITY_E_NOT_CANONICAL:
    case COMITY_E_TOO_LARGE:
    case COMITY_E_TOO_DEEP:
    case COMITY_E_VERSION:
    case COMITY_E_UNKNOWN_MESSAGE:
    case COMITY_E_NOT_A_PACKAGE:
    case COMITY_E_NOT_A_NOTE:
    case COMITY_E_NOT_A_ROSTER:
    case COMITY_E_BAD_KEY:
    case COMITY_E_SIGNATURE:
    case COMITY_E_UNSIGNED:
    case COMITY_E_UNSEAL:
    case COMITY_E_SUITE:
    case COMITY_E_UNKNOWN_KEY:
    case COMITY_E_INCLUSION:
    case COMITY_E_CONSISTENCY:
    case COMITY_E_CHAIN:
    case COMITY_E_BODY:
    case COMITY_E_WITHHELD:
    case COMITY_E_EQUIVOCATION:
    case COMITY_E_UNCOVERED:
    case COMITY_E_ERASED:
    case COMITY_E_CONTRADICTION:
    case COMITY_E_UNRESOLVED:
    case COMITY_E_UNKNOWN_MEMBER:
    case COMITY_E_CLOSED:
    case COMITY_E_NOT_RECIPIENT:
    case COMITY_E_RECIPIENTS:
    case COMITY_E_SEAL:
    case COMITY_E_PROOF:
    case COMITY_E_UNLINKED:
    case COMITY_E_PAIR_SEQ:
    case COMITY_E_STATEMENT:
    case COMITY_E_PARCEL_SEQ:
    case COMITY_E_CREDIT:
    case COMITY_E_ROSTER_OLD:
    case COMITY_E_ROSTER_CHAIN:
    case COMITY_E_AUTHORITY:
    case COMITY_E_REFUSED:
    case COMITY_E_NOT_MEMBER:
    case COMITY_E_UNKNOWN_BLOB:
    case COMITY_E_BLOB:
    case COMITY_E_ATTACHMENT:
    case COMITY_E_COLLECTORS:
    case COMITY_E_REVIEWER:
    case COMITY_E_ROLE:
    case COMITY_E_USCC:
    case COMITY_E_DIVISION:
    case COMITY_E_GTIN:
    case COMITY_E_FIELD_MISSING:
    case COMITY_E_STATE:
    case COMITY_E_MEMBER_ID:
    case COMITY_E_REF:
    case COMITY_E_RETIRED:
    case COMITY_E_REQUEST_CONFLICT:
    case COMITY_E_NOT_RECOGNISED:
        return FAULT_THEIRS;
    }
    return FAULT_OURS;
}
