#!/bin/sh
# One test for prove: a program, or a script; scenarios named in SAN_E2E run with the sanitizer build's programs.
case " ${SAN_E2E:-} " in *" $1 "*) B=$SAN_B ; export B ;; esac
case $1 in *.sh) exec sh "$@" ;; *) exec "$@" ;; esac
