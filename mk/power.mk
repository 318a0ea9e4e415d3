# Power cuts (tests/crash): one day of a small network is recorded, call by call, and what a cut at any of them may leave is opened
# by the code that a start runs. The objects of both daemons and the tap go into one program.

CRASH   := $(B)/tests/crash/crash
CRASH_O := $(patsubst %.c,$(B)/%.o,$(filter-out tests/crash/kill_%,$(wildcard tests/crash/*.c)))

$(CRASH): $(CRASH_O) $(DISK_O) $(filter-out %/main.o,$(call obj_of,node) $(call obj_of,broker)) $(SUPPORT) $(all_archives)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(all_libs) -ldl

crash-bin: $(CRASH)
.PHONY: crash-bin

# As many states as an hour of two cores has room for: days that differ, each gone through until its share is opened.
crash: $(CRASH)
	$(Q)$(CRASH) --states $(or $(STATES),5000000) --days $(or $(DAYS),25) --actions 32
crash-bugs: $(CRASH)
	$(Q)B=$(abspath $(B)) tests/crash/bugs.sh --write
.PHONY: crash crash-bugs

check-build: $(CRASH)
