# Hostile peers for the scenarios in tests/e2e: a member and a broker that break every rule they are told to (--list says which).

evil_dir   := tests/support/evil
evil_tools := $(B)/evil-node $(B)/evil-broker
evil_o      = $(patsubst %,$(B)/$(evil_dir)/%.o,$1)

$(B)/evil-node: $(call evil_o,evil_node attacks_session attacks_parcel attacks_bulk forge peer loose) $(all_archives)
# The broker's own core, with a front of its own.
$(B)/evil-broker: $(call evil_o,evil_broker tamper loose) \
    $(filter-out $(B)/broker/main.o $(B)/broker/metrics.o,$(call obj_of,broker)) $(all_archives)
$(evil_tools):
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(all_libs)

# Variables of these objects alone: the broker's headers are not for other tests' eyes.
$(call evil_o,evil_broker tamper): INC_tests = -Itests/support -Ibroker
$(call evil_o,evil_node attacks_session attacks_parcel attacks_bulk forge peer loose): INC_tests = -Itests/support

evil: $(evil_tools)
.PHONY: evil

check-build check-fast: $(evil_tools)
