# Fuzzing: every tests/fuzz/fuzz_*.c is a libFuzzer target with its seeds in tests/fuzz/corpus/<name>/.
#
#   make fuzz                      each for FUZZ_SECONDS, two at a time; 0 only replays the seeds
#   make fuzz FUZZ="entry frame"   some of them
#   make fuzz FUZZ_MODULES="msg domain base"   linked with these modules only, while others do not build
#   make corpus                    write the seeds of the message fuzzers anew
#
# A target is linked with all modules that FUZZ_MODULES names, built with coverage in a folder of their own.

FUZZ_SECONDS ?= 10
FUZZ         ?= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_MODULES ?= $(MODULES)

fuzz_archives := $(filter $(FUZZ_MODULES:%=$(B)/lib/lib%.a),$(all_archives))
fuzz_bins     := $(FUZZ:%=$(B)/tests/fuzz/fuzz_%)

fuzz: fuzz-build
	tests/fuzz/run.sh $(B)/fuzz $(FUZZ_SECONDS) $(FUZZ)

fuzz-build:
	$(Q)$(MAKE) --no-print-directory B=$(B)/fuzz CC=clang SAN=address,undefined WERROR= \
	    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link' fuzz-bins

# From here on in the folder of its own.
fuzz-bins: $(fuzz_bins)

$(fuzz_bins): $(B)/tests/fuzz/%: $(B)/tests/fuzz/%.o $(fuzz_archives)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(foreach m,$(FUZZ_MODULES),$(libs_$m))

corpus: $(B)/tests/fuzz/make_corpus
	$< tests/fuzz/corpus

# A decoder of lib/msg as a filter: the bytes on stdin, decoded and encoded again, to stdout.
msg_tools := $(B)/tests/fuzz/make_corpus $(B)/tests/unit/msg/recode
$(msg_tools): $(B)/%: $(B)/%.o $(call archives,msg)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(call system_libs,msg)

# What Google's implementation writes, and what ours does, must be the same bytes.
cross-check-msg: $(B)/tests/unit/msg/recode
	tests/unit/msg/cross_check.py $<

.PHONY: fuzz fuzz-build fuzz-bins corpus cross-check-msg
