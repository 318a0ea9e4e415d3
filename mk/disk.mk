# The disk under a test (tests/support/disk): what a process does to its files, and what a power cut may leave of that. Its objects
# stand before libc in whatever is linked with them; tap.so does the same to a daemon as it is shipped, by LD_PRELOAD.

DISK_O    := $(patsubst %.c,$(B)/%.o,$(filter-out %/preload.c,$(wildcard tests/support/disk/*.c)))
DISK_TEST := $(B)/tests/unit/disk/test_disk

$(DISK_TEST): $(B)/%: $(B)/%.o $(DISK_O)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(libs_store) -lcmocka -ldl

UNIT_BINS += $(DISK_TEST)
unit-bins: $(DISK_TEST)

TAP_SO := $(B)/tap.so

$(TAP_SO): tests/support/disk/tap.c tests/support/disk/preload.c tests/support/disk/tap.h
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -shared -Itests/support/disk -o $@ $(filter %.c,$^) -ldl

check-build check-fast e2e: $(TAP_SO)
