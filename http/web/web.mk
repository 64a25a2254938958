# SPDX-License-Identifier: MIT
# The page: what build.mjs makes of the TypeScript, as a table that http/web/pages.c includes.

WEB ?= yes
WEB_OUT   := build/web
WEB_TABLE := $(WEB_OUT)/page.inc
# An archive of make dist has it: who builds from that needs no npm.
WEB_MADE  := http/web/page.inc
# Whether there is a page, and where it comes from: its sources, or the archive.
WEB_HAVE  := $(if $(filter no,$(WEB)),no,$(if $(wildcard $(WEB_MADE)),made,yes))
WEB_SRC   := $(wildcard http/web/src/*.ts http/web/src/*.tsx http/web/src/*/*.ts http/web/src/*/*.tsx http/web/css/*.css) \
	http/web/index.html http/web/build.mjs http/web/literals.mjs http/web/table.mjs http/web/tsconfig.json
# Debian's, unless there are others.
WEB_DEPS  := if [ "$(WEB_HAVE)" = yes ] && ! command -v npm >/dev/null; then sh config/deps.sh $(APT_WEB); fi

$(OUT)/http/web/pages.o: $(WEB_TABLE)

# Which of the three the table is: it is made again when another one is wanted.
ifneq ($(filter-out deps deps-test deps-bench help clean format,$(or $(MAKECMDGOALS),all)),)
$(shell mkdir -p $(WEB_OUT); cd $(WEB_OUT); [ -e mode.$(WEB_HAVE) ] || { rm -f mode.*; touch mode.$(WEB_HAVE); })
endif

ifeq ($(WEB_HAVE),no)
$(WEB_TABLE): $(WEB_OUT)/mode.no
	@echo 'static const struct web_file files[] = {{.path = ""}};' > $@
else ifeq ($(WEB_HAVE),made)
$(WEB_TABLE): $(WEB_MADE) $(WEB_OUT)/mode.made
	@cp $< $@
else
# The packages come once for each lock file, by npm's own settings.
$(WEB_OUT)/node_modules/.stamp: http/web/package.json http/web/package-lock.json
	@$(WEB_DEPS)
	@mkdir -p $(WEB_OUT); cp $^ $(WEB_OUT)
	@echo "  NPM   $(WEB_OUT)"; cd $(WEB_OUT) && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error || \
		{ echo "the packages of the page could not be had from npm: make WEB=no builds the daemon without it"; exit 1; }
	@touch $@

$(WEB_TABLE): $(WEB_SRC) $(WEB_OUT)/node_modules/.stamp $(WEB_OUT)/mode.yes
	@echo "  WEB   $@"; node http/web/build.mjs $(WEB_OUT)
endif

DIST := torrentd-$(VERSION)
dist: $(WEB_TABLE) ## build/torrentd-VERSION.tar.gz of what is committed, with the page made: building that needs no npm
	@[ "$(WEB_HAVE)" = yes ] || { echo "make dist makes the page, which WEB=no leaves out"; exit 1; }
	@git archive --prefix=$(DIST)/ -o build/$(DIST).tar HEAD
	@tar --append -f build/$(DIST).tar --owner=0 --group=0 --mtime="@$$(git log -1 --format=%ct)" \
		--transform='s,.*,$(DIST)/$(WEB_MADE),' $(WEB_TABLE)
	@gzip -9nf build/$(DIST).tar
	@echo "build/$(DIST).tar.gz"
