# make demo: the demonstration; LANG decides its language.
demo: all
	$(Q)B=$(B) scripts/demo-story.sh
.PHONY: demo
