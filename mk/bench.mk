# Benchmarks: see docs/PERFORMANCE.md. Figures come from here and from nowhere else.
#
#   make bench-quick    under a minute: records a second with receipts back, CPU a record, one record at a time, then an audit

BENCH_LOAD := $(B)/bench-load

$(BENCH_LOAD): $(B)/tests/bench/load.o $(all_archives)
	$(if $(V),,@echo "  LINK    $@")
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(all_libs)

bench-quick: all $(BENCH_LOAD)
	$(Q)B=$(B) tests/bench/quick.sh
.PHONY: bench-quick
