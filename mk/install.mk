# make install, make uninstall: what it takes to run, under $(DESTDIR)$(PREFIX). The command finds its translations next to itself,
# so that a tree may be moved.

INSTALLED = $(PROGRAMS:$(B)/%=bin/%) $(patsubst docs/man/%,share/man/man1/%,$(wildcard docs/man/*.1)) \
             $(po_langs:%=share/locale/%/LC_MESSAGES/comity.mo)

install: all
	$(Q)for p in $(PROGRAMS); do install -D -m 0755 $$p $(DESTDIR)$(PREFIX)/bin/$${p##*/} || exit 1; done
	$(Q)for m in docs/man/*.1; do install -D -m 0644 $$m $(DESTDIR)$(PREFIX)/share/man/man1/$${m##*/} || exit 1; done
	$(Q)for l in $(po_langs); do install -D -m 0644 $(B)/locale/$$l/LC_MESSAGES/comity.mo \
	    $(DESTDIR)$(PREFIX)/share/locale/$$l/LC_MESSAGES/comity.mo || exit 1; done
uninstall:
	$(Q)rm -f $(INSTALLED:%=$(DESTDIR)$(PREFIX)/%)
.PHONY: install uninstall
