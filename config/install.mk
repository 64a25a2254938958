# SPDX-License-Identifier: MIT
# What the machine must have, and where things go.

# One list: what the build and the daemon need, then what fuzzing and the tests need besides.
APT_BUILD := gcc make pkg-config libc6-dev libzmq3-dev libcurl4-openssl-dev libssl-dev \
	libmicrohttpd-dev libjansson-dev libsqlite3-dev zlib1g-dev libminiupnpc-dev libc-ares-dev libcrypt-dev
# For the page alone: make WEB=no needs neither.
APT_WEB   := nodejs npm
APT_FUZZ  := clang libclang-rt-14-dev
APT_TEST  := libcmocka-dev python3 python3-jsonschema python3-libtorrent transmission-daemon transmission-cli aria2 \
	opentracker rtorrent iproute2 util-linux curl clang-format binutils openssl nginx-light chromium caddy miniupnpd-nftables nftables miniupnpc natpmpc zbar-tools python3-zmq \
	dante-server microsocks tinyproxy-bin
APT_BENCH := python3 python3-libtorrent transmission-daemon aria2 rtorrent valgrind linux-perf strace iproute2 \
	util-linux util-linux-extra mount openssl

deps: ## install what the build needs (Debian 12, apt)
	@sh config/deps.sh $(APT_BUILD)
	@$(WEB_DEPS)

deps-test: ## install what the build and the tests need
	@sh config/deps.sh $(APT_BUILD) $(APT_TEST)
	@$(WEB_DEPS)

deps-bench: ## install what the build and the benches need
	@sh config/deps.sh $(APT_BUILD) $(APT_BENCH)

run: deps ## install what is missing, build and start the daemon in the foreground
	@$(MAKE) --no-print-directory -j$$(nproc) daemon
	@exec $(OUT)/torrentd

debug: ## build without optimisation
	@$(MAKE) --no-print-directory FLAVOR=debug -j$$(nproc) daemon

docs: $(DAEMON) $(CTL) ## make the example configuration, the manual pages and the charts again
	$(DAEMON) --print-default-config > config/torrentd.conf.example
	$(DAEMON) --print-man-1 > config/torrentd.1
	$(DAEMON) --print-man-5 > config/torrentd.conf.5
	$(CTL) --print-man > docs/torrentctl.1
	for s in bash zsh fish; do $(CTL) completion $$s > docs/torrentctl.$$s || exit 1; done
	$(PYTHON) docs/charts.py

install: $(DAEMON) $(CTL) ## install below $(DESTDIR)$(PREFIX)
	install -D -m 755 $(DAEMON) $(DESTDIR)$(PREFIX)/bin/torrentd
	install -D -m 755 $(CTL) $(DESTDIR)$(PREFIX)/bin/torrentctl
	install -D -m 644 docs/torrentctl.1 $(DESTDIR)$(PREFIX)/share/man/man1/torrentctl.1
	install -D -m 644 docs/torrentctl.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/torrentctl
	install -D -m 644 docs/torrentctl.zsh $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_torrentctl
	install -D -m 644 docs/torrentctl.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/torrentctl.fish
	install -D -m 644 config/torrentd.conf.example $(DESTDIR)$(PREFIX)/share/doc/torrentd/torrentd.conf.example
	install -D -m 644 README.md $(DESTDIR)$(PREFIX)/share/doc/torrentd/README.md
	install -D -m 644 config/torrentd.1 $(DESTDIR)$(PREFIX)/share/man/man1/torrentd.1
	install -D -m 644 config/torrentd.conf.5 $(DESTDIR)$(PREFIX)/share/man/man5/torrentd.conf.5
	install -d $(DESTDIR)$(PREFIX)/lib/systemd/system
	install -D -m 644 config/torrentd.sysusers $(DESTDIR)$(PREFIX)/lib/sysusers.d/torrentd.conf
	sed 's|@PREFIX@|$(PREFIX)|g' config/torrentd.service.in > $(DESTDIR)$(PREFIX)/lib/systemd/system/torrentd.service
	install -m 644 config/torrentd.socket $(DESTDIR)$(PREFIX)/lib/systemd/system/torrentd.socket

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(PREFIX)/bin/torrentd $(DESTDIR)$(PREFIX)/bin/torrentctl $(DESTDIR)$(PREFIX)/share/man/man1/torrentctl.1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/torrentctl $(DESTDIR)$(PREFIX)/share/zsh/site-functions/_torrentctl \
		$(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/torrentctl.fish $(DESTDIR)$(PREFIX)/lib/systemd/system/torrentd.service \
		$(DESTDIR)$(PREFIX)/lib/systemd/system/torrentd.socket \
		$(DESTDIR)$(PREFIX)/lib/sysusers.d/torrentd.conf \
		$(DESTDIR)$(PREFIX)/share/man/man1/torrentd.1 $(DESTDIR)$(PREFIX)/share/man/man5/torrentd.conf.5
	rm -rf $(DESTDIR)$(PREFIX)/share/doc/torrentd
