#!/bin/sh
# Goal: a member that is revoked loses all its connections within a second, also those on which it has no session, and those for
# files, though it says nothing on them.
. "$(dirname "$0")/lib.sh"

revoke_under lurk
check_soon "the connection without a session is cut" 1 grep -q '^main closed' lurk.out
check_soon "and the one for files" 1 grep -q '^bulk closed' lurk.out
wait $connected
check_is "the others have not noticed" "$(grep -c ' online ' $HZ.log)" 1
check_is "their files neither" "$(grep -c ' bulk_connected ' $HZ.log)" 1
stop $HZ hub
done_testing
