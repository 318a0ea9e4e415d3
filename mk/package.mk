# What lib/package/embed.c takes in with .incbin, which the compiler does not tell make of.
$(B)/lib/package/embed.o: $(PROTOS) $(wildcard lib/package/embed/*)
