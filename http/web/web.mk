# SPDX-License-Identifier: MIT
# The page: what build.mjs makes of the TypeScript, as a table that http/web/pages.c includes.

WEB ?= yes
WEB_OUT   := build/web
WEB_TABLE := $(WEB_OUT)/page.inc
WEB_SRC   := $(wildcard http/web/src/*.ts http/web/src/*.tsx http/web/src/*/*.ts http/web/src/*/*.tsx http/web/css/*.css) \
	http/web/index.html http/web/build.mjs http/web/table.mjs http/web/tsconfig.json
# Debian's, unless there are others.
WEB_DEPS  := if [ "$(WEB)" != no ] && ! command -v npm >/dev/null; then sh config/deps.sh $(APT_WEB); fi

$(OUT)/http/web/pages.o: $(WEB_TABLE)

ifeq ($(WEB),no)
WEB_HAVE := no
else
WEB_HAVE := yes
endif

# Which of the two the table is: it is made again when the other one is wanted.
ifneq ($(filter-out deps deps-test deps-bench help clean format,$(or $(MAKECMDGOALS),all)),)
$(shell mkdir -p $(WEB_OUT); cd $(WEB_OUT); [ -e mode.$(WEB_HAVE) ] || { rm -f mode.*; touch mode.$(WEB_HAVE); })
endif

ifeq ($(WEB_HAVE),no)
$(WEB_TABLE): $(WEB_OUT)/mode.no
	@echo 'static const struct web_file files[] = {{.path = ""}};' > $@
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
