# Scenarios with real processes: tests/e2e/NN-what-happens.sh, two at a time. E2E names some of them: make e2e E2E="1? 5?".

E2E         ?= [0-9]*
e2e_scripts  = $(foreach n,$(E2E),$(wildcard tests/e2e/$(n)-*.sh) $(wildcard tests/e2e/$(n).sh))

e2e: $(PROGRAMS) evil
	B=$(abspath $(B)) prove -j2 --timer --exec sh $(sort $(e2e_scripts))

.PHONY: e2e
