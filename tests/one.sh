#!/bin/sh
# One test for prove: a program, or a script. Hostile peers meet the sanitizer build, where there is one.
case $1 in
*/e2e/5[0-9]-*) B=${SAN_B:-$B} exec sh "$@" ;;
*.sh) exec sh "$@" ;;
*) exec "$@" ;;
esac
