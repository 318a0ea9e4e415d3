# What lib/audit/embed.c takes in with .incbin, which the compiler does not tell make of.
$(B)/lib/audit/embed.o: $(PROTOS) $(wildcard lib/audit/package/*)
