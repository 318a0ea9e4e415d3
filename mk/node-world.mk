# Tests that let nodes talk to the real broker's core in one process (tests/unit/node/world.h) are linked with the broker's objects. As
# flags, so that these stand before the archives; and their objects lean on the broker's, so that a change there links them anew.
WORLD_TESTS := $(patsubst %.c,$(B)/%,$(shell grep -lE '"(world|office)[.]h"' tests/unit/node/test_*.c))
BROKER_CORE := $(filter-out %/main.o,$(call obj_of,broker))

$(WORLD_TESTS:%=%.o): $(BROKER_CORE)
$(WORLD_TESTS): ALL_LDFLAGS += $(BROKER_CORE)
