# SPDX-License-Identifier: MIT
# torrentd: `make help` lists what can be made.

FLAVOR  ?= release
OUT     ?= build/$(FLAVOR)
PREFIX  ?= /usr/local
DESTDIR ?=
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
PYTHON  ?= /usr/bin/python3
VERSION := $(shell cat config/VERSION)

PKGS := libzmq libcurl libcrypto libmicrohttpd jansson sqlite3 zlib miniupnpc libcares
ifneq ($(filter-out deps deps-test deps-bench bench help clean run check format,$(or $(MAKECMDGOALS),all)),)
PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS))
PKG_LIBS   := $(shell pkg-config --libs $(PKGS))
endif

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wvla \
	-Wcast-qual -Wformat=2 -Wpointer-arith -Wundef -Werror
OPT_release := -O2 -g
OPT_debug   := -Og -g3
OPT_asan    := -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
OPT_tsan    := -O1 -g -fno-omit-frame-pointer -fsanitize=thread
OPT_cov     := -O0 -g --coverage -fprofile-abs-path
OPT_fuzz    := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
OPT     := $(OPT_$(FLAVOR))
CFLAGS  += -std=c11 -D_GNU_SOURCE -pthread -I. -I$(OUT)/gen $(WARN) $(OPT) $(PKG_CFLAGS)
LDFLAGS += -pthread $(OPT)
LDLIBS  := $(PKG_LIBS) -lcrypt

# The kernel's seam: the files that tests/sim/lib replaces with fakes of the same symbols.
SEAM  := poller mailbox net fs fs_map fs_names clock random
objs   = $(patsubst %.c,$(OUT)/%.o,$(1))

# A folder is an archive: what may call what is checked folder by folder (tests/lint).
FOLDERS := $(sort $(patsubst %/,%,$(dir $(wildcard proto/*/*.c actors/*/*.c http/*/*.c)))) config
SEAM_C  := $(SEAM:%=actors/kernel/%.c)
MAIN_C  := actors/main/main.c http/ctl/main.c
sources = $(filter-out $(SEAM_C) $(MAIN_C),$(wildcard $(1)/*.c))
archive = $(OUT)/lib/$(subst /,-,$(1)).a
UNIT    := $(wildcard tests/unit/*/t_*.c tests/unit/*/*/t_*.c)
# Worlds that stand in for parts of the kernel, by the folder of actors whose tests they are for.
WORLDS  := peers session
WORLD_C  = $(wildcard tests/unit/lib/$(1)_*.c)
UNIT_LIB := $(filter-out $(foreach w,$(WORLDS),$(call WORLD_C,$w)),$(wildcard tests/unit/lib/*.c))
FUZZ    := $(wildcard tests/fuzz/f_*.c)
SIM_C   := $(wildcard tests/sim/s_*.c)
SIM_LONG := $(wildcard tests/sim/long/s_*.c)
SIM_LIB := $(wildcard tests/sim/lib/*.c)

LIB_seam := $(OUT)/lib/seam.a
LIB_sim  := $(OUT)/lib/sim.a
LIB_unit := $(OUT)/lib/unit.a
ALL_LIBS := $(foreach f,$(FOLDERS),$(call archive,$(f)))
PROTO_LIBS := $(filter $(OUT)/lib/proto-%,$(ALL_LIBS))
KERNEL_LIB := $(call archive,actors/kernel)
LIBS := $(ALL_LIBS) $(LIB_seam)
CTL_LIBS := $(foreach f,http/ctl config proto/meta proto/base,$(call archive,$(f)))
SIMLIBS := $(LIB_sim) $(filter-out $(OUT)/lib/http-%,$(ALL_LIBS))
FUZZLIBS := $(call archive,config) $(KERNEL_LIB) $(LIB_seam) $(PROTO_LIBS)

DAEMON  := $(OUT)/torrentd
CTL     := $(OUT)/torrentctl
UNIT_B  := $(UNIT:%.c=$(OUT)/%)
FUZZ_B  := $(FUZZ:%.c=$(OUT)/%)
SIM_B   := $(SIM_C:%.c=$(OUT)/%)
SIM_LONG_B := $(SIM_LONG:%.c=$(OUT)/%)

# The objects of the tests are kept, or every link would compile them again.
.SECONDARY:

.PHONY: all debug asan tsan lint unit sim sim-long script interop browser browser-long screenshots dist fuzz bench format install uninstall \
	test cov tags compile_commands.json \
	clean help run check deps deps-test daemon test-binaries docs

all: $(DAEMON) $(CTL) ## build the daemon and its command line client

$(foreach f,$(FOLDERS),$(eval $(call archive,$(f)): $(call objs,$(call sources,$(f)))))
$(LIB_seam): $(call objs,$(SEAM_C))
$(LIB_sim): $(call objs,$(SIM_LIB))
$(LIB_unit): $(call objs,$(UNIT_LIB))
$(OUT)/lib/%.a:
	@mkdir -p $(@D); rm -f $@; $(AR) rcs $@ $^

$(OUT)/%.o: %.c Makefile
	@mkdir -p $(@D)
	@echo "  CC    $<"; $(CC) $(CFLAGS) -MMD -MP -c -o $@ $<

# What the configuration code embeds: the version and the default configuration.
$(OUT)/config/config.o $(OUT)/config/print.o: CFLAGS += -DTORRENTD_VERSION='"$(VERSION)"'

$(DAEMON): $(OUT)/actors/main/main.o $(LIBS)
	@echo "  LINK  $@"; $(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(LIBS) -Wl,--end-group $(LDLIBS)

$(CTL): $(OUT)/http/ctl/main.o $(CTL_LIBS)
	@echo "  LINK  $@"; $(CC) $(LDFLAGS) -Wl,--as-needed -o $@ $< -Wl,--start-group $(CTL_LIBS) -Wl,--end-group $(LDLIBS)

$(UNIT_B): %: %.o $(LIB_unit) $(LIBS)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(LIB_unit) $(LIBS) -Wl,--end-group $(LDLIBS) -lcmocka

# They are linked as objects: in an archive every test would take those parts.
$(foreach w,$(WORLDS),$(eval $(filter $(OUT)/tests/unit/actors/$w/%,$(UNIT_B)): $(call objs,$(call WORLD_C,$w))))

$(SIM_B) $(SIM_LONG_B): %: %.o $(SIMLIBS)
	@$(CC) $(LDFLAGS) -o $@ $< -Wl,--start-group $(SIMLIBS) -Wl,--end-group $(LDLIBS)

# Under gcc a fuzz target is linked with a main that replays its corpus; FLAVOR=fuzz is libFuzzer.
ifeq ($(FLAVOR),fuzz)
CC := clang
$(OUT)/tests/fuzz/f_%: $(OUT)/tests/fuzz/f_%.o $(FUZZLIBS)
	@$(CC) $(LDFLAGS) -fsanitize=fuzzer -o $@ $< -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
else
$(OUT)/tests/fuzz/f_%: $(OUT)/tests/fuzz/f_%.o $(OUT)/tests/fuzz/replay_main.o $(FUZZLIBS)
	@$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group $(LDLIBS)
endif

-include $(shell [ -d $(OUT) ] && find $(OUT) -name '*.d')

include http/web/web.mk
include tests/tests.mk
include config/install.mk

clean: ## remove everything that was built
	rm -rf build

format: ## lay out the C sources with clang-format
	git ls-files '*.c' '*.h' | xargs clang-format -i

help: ## this list
	@grep -hE '^[a-z_.-]+:.*##' Makefile tests/tests.mk config/install.mk | \
		sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "  make %-14s %s\n", $$1, $$2}'
