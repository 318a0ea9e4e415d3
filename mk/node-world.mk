# Tests that let nodes talk to the real broker's core in one process (tests/unit/node/world.h) are linked with that core. As
# flags, so that it stands before the archives; and without broker/bulk.o, whose names are also node/bulk.o's.
WORLD_TESTS := $(patsubst %.c,$(B)/%,$(shell grep -lE '"(world|office)[.]h"' tests/unit/node/test_*.c))
BROKER_CORE := $(patsubst %,$(B)/broker/%.o,broker cache deliver hello roster session store_sqlite submit)

$(WORLD_TESTS): | $(BROKER_CORE)
$(WORLD_TESTS): ALL_LDFLAGS += $(BROKER_CORE)
