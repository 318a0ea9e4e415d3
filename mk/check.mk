# make check: everything. The last lines are prove's, which count it. Under ten minutes on two cores.
#
#   make check          what CI runs: plain build, sanitizer build, fuzzers, scenarios, foreign tools
#   make check-fast     the plain build's unit tests and scenarios alone
#   make clang          clang builds everything without a warning, and clang-tidy has nothing to say

SAN_B := $(B)-san

CHECKS := $(wildcard tests/check/*.sh)
E2E    := $(wildcard tests/e2e/[0-9]*.sh)

check-build: all evil unit-bins $(BENCH_LOAD) $(B)/tests/unit/msg/recode
	$(Q)$(MAKE) -s --no-print-directory B=$(SAN_B) SAN=address,undefined OPT='-O1 -g' WERROR= all evil unit-bins
.PHONY: check-build

check: check-build fuzz
	$(Q)B=$(abspath $(B)) SAN_B=$(abspath $(SAN_B)) tests/run.sh $(CHECKS) $(UNIT_BINS) $(UNIT_BINS:$(B)/%=$(SAN_B)/%) $(E2E)
check-fast: all evil unit-bins
	$(Q)B=$(abspath $(B)) tests/run.sh $(UNIT_BINS) $(E2E)
.PHONY: check check-fast

clang:
	+$(Q)$(MAKE) -s --no-print-directory B=$(B)-clang CC=clang all unit-bins
	$(Q)scripts/tidy.sh
.PHONY: clang
