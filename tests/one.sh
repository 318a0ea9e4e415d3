#!/bin/sh
# One test for prove: a program, or a script.
case $1 in *.sh) exec sh "$@" ;; *) exec "$@" ;; esac
