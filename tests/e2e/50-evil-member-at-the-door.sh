#!/bin/sh
# Goal: whatever a member says of itself is held against what is known of it: names, versions, signatures, histories, numbers. It
# hears why it is turned away, and the others do not notice.
. "$(dirname "$0")/lib.sh"

net_init
start_online hub $HZ
EVIL=$CD
attack good --to $HZ
check_has "to begin with, an honest parcel is routed" '^routed 1 '
check_has "and received" "^delivered 1 from $HZ RECEIVED"

# turned_away ATTACK TOKEN: BYE with that token, and the end of the connection.
turned_away() {
    attack "$1" --other $SZ
    check_has "$1: bye $2" "^bye $2"
    check_has "$1: the connection is cut" '^closed'
}
turned_away other-origin not_a_member
turned_away version version
turned_away hello-signature signature_missing
turned_away hello-old 'rollback known=[1-9]'
turned_away hello-fork equivocation
turned_away hello-taken rollback
turned_away hello-answered rollback
turned_away hello-credit credit
turned_away garbage '(malformed|not_canonical|unknown_message)'
turned_away unknown-message unknown_message
turned_away two-frames malformed

attack stranger
check_has "a key of nobody's is refused in the handshake" '^denied'
attack oversize
check_has "a frame beyond the limit ends the connection" '^closed'
attack wrong-way
check_has "what only brokers say: bye" '^bye unknown_message'
attack over-credit
check_has "more than was granted: bye" '^bye credit'
attack taken-ahead
check_has "TAKEN of nothing: bye" '^bye invalid'
attack prove-nonsense
check_has "PROVE of nothing: bye" '^bye invalid'
attack no-hello
check_has "no HELLO: resync" '^resync'
attack epoch
check_has "another epoch: resync" '^resync'
attack malformed-parcel
check_has "no parcel: bye" '^bye (malformed|not_canonical)'

attack good --to $HZ
check_has "after all that, an honest parcel is routed" '^routed 2 '
check_is "the bystander has lost no session" "$(grep -c ' online ' $HZ.log)" 1
stop $HZ hub
done_testing
