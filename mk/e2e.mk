# Scenarios with real processes: tests/e2e/NN-what-happens.sh, two at a time. ONLY names some of them: make e2e ONLY="1? 50".

ONLY        ?= [0-9][0-9]
e2e_scripts := $(sort $(foreach n,$(ONLY),$(wildcard tests/e2e/$(n)-*.sh)))

e2e: $(PROGRAMS) evil
	B=$(abspath $(B)) prove -j2 --timer --exec sh $(e2e_scripts)

.PHONY: e2e
