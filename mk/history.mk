# The history checker (tests/support/history): a library for the simulation, a program for the campaigns with real processes.

HISTORY_O     := $(B)/tests/support/history/history.o
HISTORY_CHECK := $(B)/history-check
HISTORY_TEST  := $(B)/tests/unit/history/test_history

$(HISTORY_CHECK): $(HISTORY_O) $(B)/tests/support/history/main.o
$(HISTORY_TEST): $(B)/%: $(B)/%.o $(HISTORY_O)
$(HISTORY_CHECK) $(HISTORY_TEST):
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ -lcmocka

UNIT_BINS += $(HISTORY_TEST)
unit-bins: $(HISTORY_TEST)
