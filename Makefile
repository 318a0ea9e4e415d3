# Comity: one makefile for everything.
#
#   make                 the daemons, the command and the library
#   make check           every test (tests/run.sh says which)
#   make unit            the unit tests alone; `make unit-<module>` for one module
#   make crash          power cuts, five million states of them; `make bug BUG=NAME` plants a bug
#   make demo            the demonstration
#   make install         DESTDIR and PREFIX are honoured
#
# Variables: B (build folder), CC, SAN=address,undefined, V=1 (show commands), OPT (-O2 -g).

B      ?= build
CC     ?= gcc
OPT    ?= -O2 -g
SAN    ?=
V      ?=
PREFIX ?= /usr/local
Q      := $(if $(V),,@)

.DELETE_ON_ERROR:
.SUFFIXES:
all:

# ---- flags ----------------------------------------------------------------------------------------------

PKGS      := libzmq libprotobuf-c sqlite3 libcrypto libconfuse jansson libmicrohttpd libarchive
PKG_FLAGS := $(shell pkg-config --cflags $(PKGS))
HARDEN    := -fstack-protector-strong -fPIE -fno-plt $(if $(SAN),,-D_FORTIFY_SOURCE=2)
WARN      := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla -Wformat=2 -Wpointer-arith
WERROR    ?= -Werror
SANFLAGS  := $(if $(SAN),-fsanitize=$(SAN) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CFLAGS    ?= $(OPT)
ALL_CFLAGS = -std=gnu11 $(WARN) $(WERROR) $(HARDEN) $(SANFLAGS) $(CFLAGS) \
             -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -pthread \
             -Iinclude -Ilib -isystem $(B)/proto $(PKG_FLAGS)
LDFLAGS   ?=
ALL_LDFLAGS = $(SANFLAGS) -pie -pthread -Wl,-z,relro,-z,now $(LDFLAGS)

# ---- modules, lowest first: each may lean on those named behind it and on what those lean on -----------------

MODULES := base crypto domain msg store ledger wire link site json audit package client

needs_base    :=
needs_crypto  := base
needs_domain  := base
needs_msg     := domain base
needs_store   := base
needs_ledger  := store crypto msg
needs_wire    := ledger
needs_link    := wire
needs_site    := wire
needs_json    := wire
needs_audit   := json
needs_package := audit
needs_client  := json link site

# The archives of module $1 and of all below it, in link order.
closure = $1 $(foreach m,$(needs_$1),$(call closure,$m))
archives = $(foreach m,$(call uniq_last,$(call closure,$1)),$(B)/lib/lib$m.a)
# Keep each word once, the last time it is named: a lower module must come behind all that lean on it.
uniq_last = $(if $1,$(call uniq_last,$(filter-out $(lastword $1),$1)) $(lastword $1))

libs_base    :=
libs_crypto  := $(shell pkg-config --libs libcrypto)
libs_msg     := $(shell pkg-config --libs libprotobuf-c)
libs_store   := $(shell pkg-config --libs sqlite3)
libs_link    := $(shell pkg-config --libs libzmq)
libs_json    := $(shell pkg-config --libs jansson)
libs_package := $(shell pkg-config --libs libarchive)
libs_site    := $(shell pkg-config --libs libconfuse)
system_libs = $(foreach m,$(call uniq_last,$(call closure,$1)),$(libs_$m))

# ---- protocol buffers -----------------------------------------------------------------------------------

PROTOS  := $(wildcard proto/*.proto)
PB_C    := $(PROTOS:proto/%.proto=$(B)/proto/%.pb-c.c)
PB_H    := $(PROTOS:proto/%.proto=$(B)/proto/%.pb-c.h)
PB_O    := $(PB_C:.c=.o)

$(B)/proto/%.pb-c.c $(B)/proto/%.pb-c.h &: proto/%.proto
	@mkdir -p $(B)/proto
	$(if $(V),,@echo "  PROTOC  $<")
	$(Q)protoc-c --proto_path=proto --c_out=$(B)/proto $<

$(B)/proto/%.o: $(B)/proto/%.c
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-error -c -o $@ $<

INC_tests = -Itests/support -I$(word 3,$(subst /, ,$*))

# ---- objects and archives -------------------------------------------------------------------------------

define module_rules
src_$1 := $$(wildcard lib/$1/*.c)
obj_$1 := $$(src_$1:%.c=$(B)/%.o)
$(B)/lib/lib$1.a: $$(obj_$1) $(if $(filter msg,$1),$(PB_O))
	$$(if $(V),,@echo "  AR      $$@")
	@mkdir -p $$(@D)
	$(Q)rm -f $$@ && ar rcs $$@ $$^
endef
$(foreach m,$(MODULES),$(eval $(call module_rules,$m)))

proto-headers: $(PB_H)
.PHONY: proto-headers

# The generated headers come first, for the one module that includes them.
$(obj_msg): $(PB_H)

$(B)/%.o: %.c
	$(if $(V),,@echo "  CC      $<")
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -I$(firstword $(subst /, ,$*)) $(INC_$(firstword $(subst /, ,$*))) -MD -MP -c -o $@ $<

# ---- programs -------------------------------------------------------------------------------------------

obj_of = $(patsubst %.c,$(B)/%.o,$(wildcard $1/*.c))
all_archives := $(foreach m,client package audit json site link wire ledger store msg domain crypto base,$(B)/lib/lib$m.a)
all_libs     := $(foreach m,$(MODULES),$(libs_$m)) $(shell pkg-config --libs libmicrohttpd)

PROGRAMS := $(B)/comity-broker $(B)/comity-node $(B)/comity

$(B)/comity-broker: $(call obj_of,broker) $(all_archives)
$(B)/comity-node: $(call obj_of,node) $(all_archives)
$(B)/comity: $(call obj_of,cli) $(all_archives)
$(PROGRAMS):
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(all_libs)

all: $(PROGRAMS)

# ---- unit tests: tests/unit/<module>/test_*.c, each linked with its module and what lies below ------------------

# What tests share: a small real network.
SUPPORT_O := $(patsubst %.c,$(B)/%.o,$(wildcard tests/support/*.c))
SUPPORT   := $(B)/tests/support/libsupport.a
$(SUPPORT): $(SUPPORT_O)
	$(Q)rm -f $@ && ar rcs $@ $^

# Tests of broker, node and cli see all of lib/ and the program's own objects but main.
unit_needs = $(if $(filter broker node cli,$1),$(filter-out %/main.o,$(call obj_of,$1)) $(SUPPORT) $(all_archives),$(if $(filter wire site json audit package client,$1),$(SUPPORT) $(all_archives),$(call archives,$1)))
unit_libs  = $(if $(filter broker node cli wire site json audit package client,$1),$(all_libs),$(call system_libs,$1))

define unit_rules
unit_src_$1 := $$(wildcard tests/unit/$1/test_*.c)
unit_bin_$1 := $$(unit_src_$1:%.c=$(B)/%)
$$(unit_bin_$1): $(B)/%: $(B)/%.o $(call unit_needs,$1)
	$$(if $(V),,@echo "  LINK    $$@")
	$(Q)$$(CC) $$(ALL_LDFLAGS) -o $$@ $$^ $(call unit_libs,$1) -lcmocka
unit-$1: $$(unit_bin_$1)
	$$(if $$^,CMOCKA_MESSAGE_OUTPUT=TAP prove --exec '' $$^)
endef
UNITS := $(MODULES) broker node cli
$(foreach m,$(UNITS),$(eval $(call unit_rules,$m)))
UNIT_BINS := $(foreach m,$(UNITS),$(unit_bin_$m))

unit: $(UNIT_BINS)
	CMOCKA_MESSAGE_OUTPUT=TAP prove --exec '' $(UNIT_BINS)
unit-bins: $(UNIT_BINS)

.PHONY: all unit unit-bins $(UNITS:%=unit-%)

# ---- more ------------------------------------------------------------------------------------------------

-include $(wildcard mk/*.mk)

clean:
	rm -rf $(B)
.PHONY: clean

-include $(shell test -d $(B) && find $(B) -name '*.d')
