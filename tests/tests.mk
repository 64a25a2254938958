# SPDX-License-Identifier: MIT
# How it is proven: every suite is a list of programs that print TAP; tests/run.py runs and counts them.

RUN := $(PYTHON) tests/run.py --out $(OUT)

test-binaries: $(UNIT_B) $(FUZZ_B) $(SIM_B)

# The packages of the browser's tests, as those of the page: once for each lock file.
BROWSER_OUT := build/browser/node_modules/.stamp
$(BROWSER_OUT): tests/browser/package.json tests/browser/package-lock.json
	@$(WEB_DEPS)
	@mkdir -p build/browser; cp $^ build/browser
	@echo "  NPM   build/browser"; cd build/browser && npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

# The page is not there in a daemon that was built without it.
QUICK := unit corpus lint sim script interop $(if $(filter yes,$(WEB_HAVE)),browser)

check: deps-test ## install what the tests need, build, run the quick suite
	@$(MAKE) --no-print-directory -j$$(nproc) daemon test-binaries $(if $(filter yes,$(WEB_HAVE)),$(BROWSER_OUT))
	@$(RUN) $(QUICK)

unit: $(UNIT_B) ## unit tests and the replay of the fuzz corpora
	@$(MAKE) --no-print-directory $(FUZZ_B)
	@$(RUN) unit corpus

lint: $(LIBS) ## layering, symbols, banned functions, layout
	@$(RUN) lint

sim: $(SIM_B) ## swarms of real actors in virtual time
	@$(RUN) sim

sim-long: $(SIM_LONG_B) ## a swarm of a thousand, for minutes
	@$(RUN) sim-long

script: daemon ## the real daemon against scripted peers, trackers and HTTP clients
	@$(RUN) script

browser: daemon $(BROWSER_OUT) ## the page in Chromium against the real daemon; pictures in build/pictures
	@$(RUN) browser

browser-long: daemon $(BROWSER_OUT) ## what the page costs, and how it is for who sees, reads and moves otherwise: a quarter of an hour
	@$(RUN) browser-long

screenshots: daemon $(BROWSER_OUT) ## make the picture of the README again
	@node tests/browser/pictures.mjs readme && cp build/pictures/readme.png docs/page-phone.png

interop: daemon ## the real daemon against real clients in a network namespace
	@$(RUN) interop

asan: ## unit, corpus, sim and script under AddressSanitizer and UBSan
	@$(MAKE) --no-print-directory FLAVOR=asan -j$$(nproc) daemon test-binaries
	@$(PYTHON) tests/run.py --out build/asan --timeout 600 unit corpus sim script

tsan: ## kernel tests and scripts under ThreadSanitizer
	@$(MAKE) --no-print-directory FLAVOR=tsan -j$$(nproc) daemon test-binaries
	@$(PYTHON) tests/run.py --out build/tsan --timeout 600 unit script

ifneq ($(filter test,$(MAKECMDGOALS)),)
ifeq ($(T),)
$(error which one? make test T=NAME, such as t_log, s_swarm, debug or style; S= is its seed)
endif
endif
test: ## any one test by its name: T=t_log, T='t_state*', T=s_swarm S=7
	@$(MAKE) --no-print-directory -j$$(nproc) daemon test-binaries $(SIM_LONG_B)
	@$(if $(S),S=$(S) INTEROP_SEED=$(S)) $(RUN) $(if $(S),-v) unit corpus lint sim sim-long script interop $(if $(wildcard $(BROWSER_OUT)),browser browser-long) --only '$(T)'

cov: ## which lines the unit tests and simulations run, by folder
	@$(MAKE) --no-print-directory FLAVOR=cov -j$$(nproc) test-binaries
	@find build/cov -name '*.gcda' -delete
	@$(PYTHON) tests/run.py --out build/cov unit sim
	@$(PYTHON) tests/cov.py build/cov

tags: ## an index of names for editors (needs ctags)
	@git ls-files '*.c' '*.h' '*.def' | ctags -L - --langmap=C:+.def -f tags

# From what make would run: no other tool is needed.
compile_commands.json: ## how each file is compiled, for editors and clang tools
	@$(MAKE) --no-print-directory -Bn all test-binaries | $(PYTHON) tests/lib/compile_commands.py > $@

fuzz: T ?= 60
fuzz: ## run every fuzz target for T seconds (default 60) with libFuzzer
	@sh config/deps.sh $(APT_BUILD) $(APT_FUZZ)
	@$(MAKE) --no-print-directory FLAVOR=fuzz -j$$(nproc) $(FUZZ:%.c=build/fuzz/%)
	@for f in $(FUZZ:tests/fuzz/f_%.c=%); do \
		mkdir -p build/fuzz/corpus/$$f; \
		echo "fuzz $$f"; build/fuzz/tests/fuzz/f_$$f -max_total_time=$(T) -timeout=10 -rss_limit_mb=1024 \
			-print_final_stats=0 -verbosity=0 build/fuzz/corpus/$$f tests/fuzz/corpus/$$f || exit 1; done

# The programs of the benches; count.so is loaded into the daemon to count its calls.
BENCH_B := $(addprefix $(OUT)/tests/bench/,blast sink floor b_picker count.so)

$(OUT)/tests/bench/blast $(OUT)/tests/bench/sink $(OUT)/tests/bench/floor: %: %.o $(OUT)/tests/bench/generator.o
	@$(CC) $(LDFLAGS) -o $@ $^ -lcrypto

$(OUT)/tests/bench/b_picker: %: %.o $(PROTO_LIBS)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(PROTO_LIBS) -Wl,--end-group -lcrypto

$(OUT)/tests/bench/count.so: tests/bench/count.c Makefile
	@mkdir -p $(@D)
	@$(CC) $(CFLAGS) -fPIC -shared -o $@ $< -ldl

bench: deps-bench ## paired runs against real clients, about three quarters of an hour; ARGS=--quick only shows that it works
	@$(MAKE) --no-print-directory -j$$(nproc) daemon bench-programs
	@$(PYTHON) tests/bench/bench.py --out $(OUT) $(ARGS)

bench-programs: $(BENCH_B)

daemon: $(DAEMON) $(CTL)
