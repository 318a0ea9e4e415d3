# make check: everything, in one runner whose last line counts it. Under ten minutes on two cores.
#
#   make check          what CI runs: plain build, sanitizer build, fuzzers, foreign tools
#   make check-fast     the plain build's unit tests and scenarios alone
#   make clang          clang builds all without a warning; clang-tidy on everything it compiles

SAN_B := $(B)-san

# Each tests/check/*.sh is one more test: TAP on stdout.
CHECKS := $(wildcard tests/check/*.sh)
E2E    := $(wildcard tests/e2e/[0-9]*.sh)

check-build: all unit-bins
	$(Q)$(MAKE) -s B=$(SAN_B) SAN=address,undefined OPT='-O1 -g' all unit-bins
.PHONY: check-build

check: check-build
	$(Q)B=$(B) SAN_B=$(SAN_B) FUZZ_SECONDS=$(FUZZ_SECONDS) tests/run.sh $(CHECKS) $(UNIT_BINS) \
		$(UNIT_BINS:$(B)/%=$(SAN_B)/%) $(E2E)
check-fast: all unit-bins
	$(Q)B=$(B) tests/run.sh $(UNIT_BINS) $(E2E)
.PHONY: check check-fast

clang:
	$(Q)$(MAKE) B=$(B)-clang CC=clang all unit-bins
	$(Q)scripts/tidy.sh
.PHONY: clang
