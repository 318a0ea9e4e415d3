# Planted bugs: tests/bugs/NAME.patch, built in build-bug/NAME. A check that does not find them has shown nothing.
#
#   make bug BUG=synchronous-normal [TARGETS='all crash-bin']

bug:
	$(Q)B=$(abspath $(B)) scripts/bug.sh $(BUG) $(TARGETS)
.PHONY: bug
