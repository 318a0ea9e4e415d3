# The kill -9 campaign (tests/crash/kill*): one network a run of crash-kill, which kill.sh makes and judges.
#
#   make crash-kill     10,000 deaths; CYCLES, SEED and NETWORK_CYCLES say otherwise. A part of `make crash`.
#   make crash-kill-bugs    planted bugs, each of which it must notice

KILL_TOOL := $(B)/crash-kill
KILL_O    := $(patsubst %.c,$(B)/%.o,$(wildcard tests/crash/kill_*.c))

$(KILL_O): INC_tests = -Itests/support -Inode
$(KILL_TOOL): $(KILL_O) $(HISTORY_O) $(filter-out $(B)/node/main.o,$(call obj_of,node)) $(all_archives)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(all_libs)

# In the check: 200 deaths.
CHECKS += tests/crash/kill.sh
check-build: $(KILL_TOOL) $(TAP_SO)

crash-tools: $(KILL_TOOL) $(TAP_SO)

crash-kill: all $(KILL_TOOL) $(TAP_SO)
	$(Q)B=$(abspath $(B)) CYCLES=$(or $(CYCLES),10000) tests/crash/kill.sh
crash: crash-kill

# Whether it finds what it should: planted bugs, and in which cycle.
crash-kill-bugs: all $(KILL_TOOL) $(TAP_SO)
	$(Q)B=$(abspath $(B)) tests/crash/kill_bugs.sh
.PHONY: crash-kill-bugs crash crash-kill crash-tools
