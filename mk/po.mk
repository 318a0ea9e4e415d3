# Translations: po/zh_CN.po, for the command and what it shows of the libraries.
#
#   make po           $(B)/locale/zh_CN/LC_MESSAGES/comity.mo, which `COMITY_LOCALEDIR=$(B)/locale` makes the command speak
#   make check-po     fails when a message is untranslated, or translated with other placeholders
#   make update-po    take new messages into po/zh_CN.po, to be translated there
#
# What is extracted: _() and N_() of the command, and of what the daemons say before they serve; the sentences of errors; the words with which lib/domain says what is wrong
# with a field; findings and checks of audits.

po_langs  := $(basename $(notdir $(wildcard po/*.po)))
po_mo     := $(po_langs:%=$(B)/locale/%/LC_MESSAGES/comity.mo)
po_pot    := $(B)/po/comity.pot

XGETTEXT := xgettext --from-code=UTF-8 --language=C --keyword= --package-name=comity --add-comments=zh: \
            --no-wrap --sort-by-file -o $(po_pot)

po_cli     := $(sort $(wildcard cli/*.c cli/*.h)) lib/base/options.c lib/site/arguments.c broker/main.c node/main.c
po_domain  := $(sort $(wildcard lib/domain/*.c))
po_sources := $(po_cli) $(po_domain) lib/audit/codes.h lib/audit/report.c include/comity/err.h lib/link/endpoint.c

$(po_pot): $(po_sources) mk/po.mk
	@mkdir -p $(@D)
	$(Q)$(XGETTEXT) -k_ -kN_ -kngettext:1,2 $(po_cli)
	$(Q)$(XGETTEXT) -j -kX:5 include/comity/err.h
	$(Q)for n in 4 5 6; do $(XGETTEXT) -j -kX:$$n lib/audit/codes.h 2>&1 | grep -v "Empty msgid\|gettext(\|meta information" >&2; done; true
	$(Q)$(XGETTEXT) -j -kcheck_refuse:4 $(po_domain)
	$(Q)$(XGETTEXT) -j -krefuse:2 lib/link/endpoint.c
	$(Q)sed '/^static json_t .sentence/,/^}/d' lib/audit/report.c | \
	    xgettext --from-code=UTF-8 --language=C -a --no-wrap -o - - | sed s/CHARSET/UTF-8/ | \
	    msggrep --no-wrap -K -e ' ' - >$(@D)/report.pot
	$(Q)msgcat --use-first --no-wrap -o $(po_pot) $(po_pot) $(@D)/report.pot

$(B)/locale/%/LC_MESSAGES/comity.mo: po/%.po
	@mkdir -p $(@D)
	$(if $(V),,@echo "  MSGFMT  $@")
	$(Q)msgfmt -c -o $@ $<

po: $(po_mo)
all: po

check-po: $(po_pot) $(po_mo)
	$(Q)for l in $(po_langs); do msgcmp po/$$l.po $(po_pot) || exit 1; msgfmt -c --statistics -o /dev/null po/$$l.po; done

update-po: $(po_pot)
	for l in $(po_langs); do msgmerge --update --backup=none --no-wrap --no-fuzzy-matching po/$$l.po $(po_pot); done

.PHONY: po check-po update-po
