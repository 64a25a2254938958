/* SPDX-License-Identifier: MIT */
/* Configuration texts: values and units, file syntax, every error by its words. */
#include "config/value.h"
#include "tests/unit/lib/config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

/* Prints one option of c as text. */
static char *show(const struct config *c, enum config_option o)
{
	char *buf = NULL;
	size_t n;
	FILE *f = open_memstream(&buf, &n);

	value_print(&options[o], option_field_const(c, o), f);
	fclose(f);
	return buf;
}

static void check_value(const struct config *c, enum config_option o, const char *want)
{
	char *got = show(c, o);

	assert_string_equal(got, want);
	free(got);
}

static void test_defaults(void **state)
{
	static char errors[CONFIG_ERRORS_SIZE];
	const struct config *c;

	(void)state;
	assert_int_equal(load_one("", &c, errors, sizeof errors), E_OK);
	assert_string_equal(errors, "");
	assert_int_equal(c->api_bind.n, 1);
	assert_string_equal(c->api_bind.v[0], "127.0.0.1");
	assert_int_equal(c->api_port, 8080);
	assert_string_equal(c->api_token, "");
	assert_int_equal(c->api_hosts.n, 0);
	assert_true(c->api_body_limit == 10u << 20);
	assert_true(c->api_timeout == 15000000);
	assert_string_equal(c->download_dir, "/home/u/Downloads");
	assert_int_equal(c->download_roots.n, 1);
	assert_string_equal(c->download_roots.v[0], "/home/u/Downloads");
	assert_string_equal(c->state_dir, "/home/u/.local/state/torrentd");
	assert_int_equal(c->peers_port, 6681);
	assert_int_equal(c->peers_bind.n, 2);
	assert_string_equal(c->peers_bind.v[1], "::");
	assert_true(c->tracker_verify_tls);
	assert_int_equal(c->log_level, CONFIG_LOG_INFO);
	assert_int_equal(config_source(c, OPT_api_port)->from, CONFIG_FROM_DEFAULT);
	config_unref(&c);
	assert_null(c);
}

static const struct good {
	const char *text;
	enum config_option option;
	const char *shown;
} good[] = {
	{"[api]\nport = 81", OPT_api_port, "81"},
	{"  [ api ]  \r\n\t port\t=\t81\r\n", OPT_api_port, "81"},
	{"[api]\nport=81#x\nport=82", OPT_MAX_, NULL},
	{"[api]\nport = 81 # why", OPT_api_port, "81"},
	{"api.port = 81", OPT_api_port, "81"},
	{"[log]\napi.port = 81", OPT_api_port, "81"},
	{"[api]\nport = \"81\"", OPT_api_port, "81"},
	{"[api]\nport = 0", OPT_api_port, "0"},
	{"[api]\nport = 65535", OPT_api_port, "65535"},
	{"[api]\nbody_limit = 1.5MiB", OPT_api_body_limit, "1536KiB"},
	{"[api]\nbody_limit = 2048 KiB", OPT_api_body_limit, "2MiB"},
	{"[api]\nbody_limit = 1025B", OPT_api_body_limit, "1025B"},
	{"[seed]\nratio = 1.5", OPT_seed_ratio, "1.5"},
	{"[seed]\nratio = 0", OPT_seed_ratio, "0"},
	{"[seed]\nratio = 2.000", OPT_seed_ratio, "2"},
	{"[seed]\nratio = 0.075", OPT_seed_ratio, "0.075"},
	{"[download]\nmax_rate = 10MiB/s", OPT_download_max_rate, "10MiB/s"},
	{"[download]\nmax_rate = 0", OPT_download_max_rate, "0"},
	{"[download]\nmax_rate = 0.5KiB/s", OPT_download_max_rate, "512B/s"},
	{"[upload]\nmax_rate = 1B/s", OPT_upload_max_rate, "1B/s"},
	{"[peers]\nidle_timeout = 0.5h", OPT_peers_idle_timeout, "30m"},
	{"[peers]\nidle_timeout = 90s", OPT_peers_idle_timeout, "90s"},
	{"[store]\ncheckpoint_interval = 1500ms", OPT_store_checkpoint_interval, "1500ms"},
	{"[tracker]\nverify_tls = off", OPT_tracker_verify_tls, "false"},
	{"[tracker]\nverify_tls = yes", OPT_tracker_verify_tls, "true"},
	{"[log]\nlevel = debug", OPT_log_level, "debug"},
	{"[api]\nhosts = a.example, b.example ", OPT_api_hosts, "a.example, b.example"},
	{"[api]\nhosts =", OPT_api_hosts, ""},
	{"[api]\nbase_path = /a/b-2~.c", OPT_api_base_path, "/a/b-2~.c"},
	{"[download]\ndir = /a//b/", OPT_download_dir, "/a/b"},
	{"[download]\ndir = /", OPT_download_dir, "/"},
	{"[download]\ndir = ~", OPT_download_dir, "/home/u"},
	{"[download]\ndir = ~/x", OPT_download_dir, "/home/u/x"},
	{"[download]\ndir = /a b", OPT_download_dir, "\"/a b\""},
	{"[download]\ndir = \"/a # b\" # c", OPT_download_dir, "\"/a # b\""},
	{"[download]\ndir = \"/a\\\"\\\\b\"", OPT_download_dir, "\"/a\\\"\\\\b\""},
	{"[download]\ndir = /a#b", OPT_download_dir, "\"/a#b\""},
	{"[download]\ndir=/a\nroots = /b, \"/a,c\" ,/", OPT_download_roots, "/b, \"/a,c\", /"},
	{"[api]\nbind = ::1", OPT_api_bind, "::1"},
	{"[api]\nbind = 127.9.9.9", OPT_api_bind, "127.9.9.9"},
	{"[api]\nbind = 127.0.0.1, ::1", OPT_api_bind, "127.0.0.1, ::1"},
	{"[api]\nbind =\nsocket = ~/s", OPT_api_bind, ""},
	{"[api]\nsocket = /run//s/", OPT_api_socket, "/run/s"},
	{"[api]\nsocket =", OPT_api_socket, "\"\""},
	{"[api]\ntrusted_proxies = unix, 10.0.0.0/8", OPT_api_trusted_proxies, "unix, 10.0.0.0/8"},
	{"[api]\nbind = 0.0.0.0\ntoken = 0123456789abcdef", OPT_api_bind, "0.0.0.0"},
	{"# only a comment", OPT_api_port, "8080"},
};

static void test_good_files(void **state)
{
	static char errors[CONFIG_ERRORS_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct config *c;
		enum err e = load_one(good[i].text, &c, errors, sizeof errors);
		if (good[i].option == OPT_MAX_) {
			assert_int_not_equal(e, E_OK);
			continue;
		}
		assert_string_equal(errors, "");
		assert_int_equal(e, E_OK);
		check_value(c, good[i].option, good[i].shown);
		config_unref(&c);
	}
}

#define A16  "aaaaaaaaaaaaaaaa"
#define A512 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16 A16

static const struct bad {
	const char *text, *errors;
} bad[] = {
	{"[api]\n\nprot = 1", "F:3: unknown option \"prot\" in [api]; did you mean \"port\"?\n"},
	{"[api]\ntoekn = 1", "F:2: unknown option \"toekn\" in [api]; did you mean \"token\"?\n"},
	{"[api]\ndir = /", "F:2: unknown option \"dir\" in [api]; did you mean \"dir\" in "
			   "[download]?\n"},
	{"[log]\nxyzzy = /",
		"F:2: unknown option \"xyzzy\" in [log]; its options are level trace\n"},
	{"port = 1", "F:1: unknown option \"port\" outside any [section]; did you mean \"port\" in "
		     "[api]?\n"},
	{"api.prot = 1", "F:1: unknown option \"api.prot\" outside any [section]; did you mean "
			 "\"api.port\"?\n"},
	{"[aip]\nport = 1\nx = 2", "F:1: unknown section [aip]; did you mean [api]?\n"},
	{"[quux-quux]",
		"F:1: unknown section [quux-quux]; the sections are [api] [download] "
		"[upload] [lan] [trash] [queue] [magnet] [seed] [peers] [network] [proxy] [store] "
		"[tracker] [dht] [blocklist] [webseed] [portmap] [state] [log] [status]\n"},
	{"[api", "F:1: a section is written [name], and the \"]\" is missing\n"},
	{"[", "F:1: a section is written [name], and the \"]\" is missing\n"},
	{"[api]\nport", "F:2: \"port\" is neither \"key = value\" nor \"[section]\"\n"},
	{"[api]\n= 3", "F:2: there is no key before the \"=\"\n"},
	{"[api]\nport = 1\nport = 2", "F:3: api.port is already set on line 2\n"},
	{"[api]\nport = 65536", "F:2: api.port: 65536 is above the maximum, 65535\n"},
	{"[api]\nport = -1", "F:2: api.port: -1 is below the minimum, 0\n"},
	{"[api]\nport = 99999999999999999999",
		"F:2: api.port: 9999999999 is above the maximum, 65535\n"},
	{"[seed]\nratio = 1.", "F:2: seed.ratio: \"1.\" is not a ratio, such as 1.5, with three "
			       "decimals at most\n"},
	{"[seed]\nratio = .5", "F:2: seed.ratio: \".5\" is not a ratio, such as 1.5, with three "
			       "decimals at most\n"},
	{"[seed]\nratio = 1.2345", "F:2: seed.ratio: \"1.2345\" is not a ratio, such as 1.5, with "
				   "three decimals at most\n"},
	{"[api]\nport = 80x", "F:2: api.port: \"80x\" is not a whole number\n"},
	{"[api]\nport =", "F:2: api.port: \"\" is not a whole number\n"},
	{"[api]\nport = \"80", "F:2: api.port: a quoted text has no closing quote\n"},
	{"[api]\nport = \"80\" 1", "F:2: api.port: something follows the closing quote\n"},
	{"[api]\nbind = a\033b", "F:2: api.bind: the value has a control character\n"},
	{"[log]\nlevel =", "F:2: log.level: \"\" is none of error|warning|info|debug\n"},
	{"[api]\nbody_limit = 10MB", "F:2: api.body_limit: \"10MB\" is not understood: a size is a "
				     "number and a unit (B, KiB, MiB, GiB, TiB), such as 10MiB\n"},
	{"[api]\nbody_limit = 1KiB\n[upload]\nmax_rate = 10MB/s",
		"F:4: upload.max_rate: \"10MB/s\" is not understood: a rate is a number and a unit "
		"(B/s, KiB/s, MiB/s, GiB/s), such as 10MiB/s\n"},
	{"[upload]\nmax_rate = 500",
		"F:2: upload.max_rate: \"500\" is not understood: a rate is a number and a unit "
		"(B/s, KiB/s, MiB/s, GiB/s), such as 10MiB/s\n"},
	{"[upload]\nmax_rate = 0.1B/s",
		"F:2: upload.max_rate: \"0.1B/s\" is not a number the daemon can hold\n"},
	{"[upload]\nmax_rate = 9223372036854775807KiB/s",
		"F:2: upload.max_rate: \"9223372036854775807KiB/s\" is not a number the daemon can "
		"hold\n"},
	{"[upload]\nmax_rate = 100GiB/s",
		"F:2: upload.max_rate: 100GiB/s is above the maximum, 64GiB/s\n"},
	{"[peers]\nidle_timeout = 1.s",
		"F:2: peers.idle_timeout: \"1.s\" is not understood: a "
		"duration is a number and a unit (us, ms, s, m, h, d), such "
		"as 90m\n"},
	{"[peers]\nidle_timeout = 1s", "F:2: peers.idle_timeout: 1s is below the minimum, 10s\n"},
	{"[tracker]\nverify_tls = maybe",
		"F:2: tracker.verify_tls: \"maybe\" is neither true nor false\n"},
	{"[log]\nlevel = info|debug",
		"F:2: log.level: \"info|debug\" is none of error|warning|info|debug\n"},
	{"[log]\nlevel =", "F:2: log.level: \"\" is none of error|warning|info|debug\n"},
	{"[api]\nhosts = a,,b", "F:2: api.hosts: the list has an empty entry\n"},
	{"[api]\nhosts = a,", "F:2: api.hosts: the list has an empty entry\n"},
	{"[peers]\nbind =", "F:2: peers.bind: the list must not be empty\n"},
	{"[peers]\nbind = 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17",
		"F:2: peers.bind: the list has more than 16 entries\n"},
	{"[state]\ndir = x", "F:2: state.dir: \"x\" is not an absolute path: begin it with / or "
			     "~/\n"},
	{"[state]\ndir = ~bob/x", "F:2: state.dir: \"~bob/x\" is not an absolute path: begin it "
				  "with / or ~/\n"},
	{"[state]\ndir = /a/../b", "F:2: state.dir: \"/a/../b\" has a part that is \".\" or "
				   "\"..\"\n"},
	{"[api]\ntoken = short", "F:2: api.token: 5 characters are too few; at least 16\n"},
	{"[api]\ntoken = " A512 A512 A512, "F:2: api.token: 768 characters are too many; at most "
					   "512\n"},
	{"[api]\ntoken = \"0123456789 abcdef\"",
		"F:2: api.token: only printable ASCII characters are allowed, no spaces\n"},
	{"[api]\ntoken = 0123456789abcdef\303\251",
		"F:2: api.token: only printable ASCII characters are allowed, no spaces\n"},
	/* Rules between options. */
	{"[network]\ndns = resolver.example",
		"network.dns has \"resolver.example\" (set at F:2): write an IP address, or "
		"address:port ([IPv6 address]:port)\n"},
	{"[proxy]\nurl = me:hidden@host:1080",
		"proxy.url (set at F:2) must begin with socks5:// or http://\n"},
	{"[proxy]\nurl = socks5://hidden@host",
		"proxy.url (set at F:2) must end with host:port, or [IPv6 address]:port\n"},
	{"[proxy]\nurl = socks5://a%4:hidden@host:1080",
		"proxy.url (set at F:2) has no good user:password before the @: write %XX for "
		"characters such as @ and %\n"},
	{"[proxy]\nfor = peers, mail", "proxy.for has \"mail\" (set at F:2): write names of peers, "
				       "trackers, webseeds, dht and blocklist\n"},
	{"[network]\ninterface = tun0, tun1", "network.interface is \"tun0, tun1\" (set at F:2): "
					      "write the name of one device, such "
					      "as tun0\n"},
	{"[blocklist]\nupdate = 9m",
		"blocklist.update is less than 10m (set at F:2): those who publish lists lock out "
		"whoever asks so often; set 10m or more, or 0 for never\n"},
	{"[blocklist]\nsources = /a, b, http:///x",
		"blocklist.sources has \"b\" (set at F:2): write the path of a file, from /, or an "
		"address that begins with http:// or https://\n"
		"blocklist.sources has \"http:///x\" (set at F:2): write the path of a file, from "
		"/, or "
		"an address that begins with http:// or https://\n"},
	{"[blocklist]\nallow = 10.0.0.0/33", "blocklist.allow has \"10.0.0.0/33\" (set at F:2): "
					     "write an IP address, or a network "
					     "such as 192.168.0.0/16\n"},
	{"[api]\nbind = 0.0.0.0\nlocal = on",
		"api.bind is 0.0.0.0 (set at F:2), which others can reach, and api.local is on: "
		"whoever is passed on to this machine could control the daemon; set api.local to "
		"auto, or bind to 127.0.0.1\n"},
	{"[api]\nuser = me\npassword = correct-horse-battery",
		"api.password (set at F:3) is no hash that begins with $y$: make one with "
		"mkpasswd\n"},
	{"[api]\nuser = me", "api.user and api.password are there together or not at all\n"},
	{"[api]\nuser = m:e\npassword = $y$j9T$0123456789",
		"api.user (set at F:2) has a colon, which ends a user's name\n"},
	{"[api]\nbase_path = /x/", "api.base_path is \"/x/\" (set at F:2): write a path such as "
				   "/torrents, of letters, "
				   "digits, - . _ ~ and no slash at its end\n"},
	{"[api]\nbase_path = xy",
		"api.base_path is \"xy\" (set at F:2): write a path such as /torrents, of letters, "
		"digits, - . _ ~ and no slash at its end\n"},
	{"[api]\nbase_path = /x/../y",
		"api.base_path is \"/x/../y\" (set at F:2): write a path such as /torrents, of "
		"letters, digits, - . _ ~ and no slash at its end\n"},
	{"[api]\nbase_path = /x//y",
		"api.base_path is \"/x//y\" (set at F:2): write a path such as /torrents, of "
		"letters, digits, - . _ ~ and no slash at its end\n"},
	{"[api]\nbase_path = /x?y",
		"api.base_path is \"/x?y\" (set at F:2): write a path such as /torrents, of "
		"letters, digits, - . _ ~ and no slash at its end\n"},
	{"[api]\nbind = here", "api.bind has \"here\" (set at F:2), which is not an IP address\n"},
	{"[peers]\nbind = ::, here",
		"peers.bind has \"here\" (set at F:2), which is not an IP address\n"},
	{"[peers]\nport = 8080", "api.port and peers.port are both 8080 on 0.0.0.0\n"},
	{"[download]\ndir = /a/b\nroots = /a/bc, /c",
		"download.dir is /a/b (set at F:2), which lies beneath none of download.roots\n"},
	{"[api]\nhosts = a:80", "api.hosts has \"a:80\" (set at F:2): write the bare name, no port "
				"and no scheme, or *.name for all beneath it\n"},
	{"[api]\nhosts = *example",
		"api.hosts has \"*example\" (set at F:2): write the bare name, no "
		"port and no scheme, or *.name for all beneath it\n"},
	{"[api]\norigins = https://a/", "api.origins has \"https://a/\" (set at F:2): write "
					"scheme://host or scheme://host:port, and nothing behind "
					"it\n"},
	{"[api]\ntrusted_proxies = 10.0.0.0/33",
		"api.trusted_proxies has \"10.0.0.0/33\" (set at F:2): write an IP address, a "
		"network such as 10.0.0.0/8, or unix\n"},
	/* All errors at once. */
	{"[api]\nport = x\nprot = 1\n[log]\nlevel = y",
		"F:2: api.port: \"x\" is not a whole number\n"
		"F:3: unknown option \"prot\" in [api]; did you mean \"port\"?\n"
		"F:5: log.level: \"y\" is none of error|warning|info|debug\n"},
};

/* The words of a choice stand in the order of its enum. */
static void test_choices(void **state)
{
	static const struct {
		const char *text;
		enum config_option option;
		int want;
	} rows[] = {
		{"[log]\nlevel = error", OPT_log_level, CONFIG_LOG_ERROR},
		{"[log]\nlevel = warning", OPT_log_level, CONFIG_LOG_WARNING},
		{"[log]\nlevel = info", OPT_log_level, CONFIG_LOG_INFO},
		{"[log]\nlevel = debug", OPT_log_level, CONFIG_LOG_DEBUG},
		{"[seed]\nsuper = off", OPT_seed_super, CONFIG_SUPER_OFF},
		{"[seed]\nsuper = on", OPT_seed_super, CONFIG_SUPER_ON},
		{"[seed]\nsuper = auto", OPT_seed_super, CONFIG_SUPER_AUTO},
		{"[peers]\nseed_choker = fastest", OPT_peers_seed_choker, CONFIG_CHOKER_FASTEST},
		{"[peers]\nseed_choker = round-robin", OPT_peers_seed_choker,
			CONFIG_CHOKER_ROUND_ROBIN},
		{"[peers]\nseed_choker = anti-leech", OPT_peers_seed_choker,
			CONFIG_CHOKER_ANTI_LEECH},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct config *c = NULL;
		static char errors[CONFIG_ERRORS_SIZE];
		int got = -1;

		assert_int_equal(load_one(rows[i].text, &c, errors, sizeof errors), E_OK);
		switch (rows[i].option) {
		case OPT_log_level:
			got = c->log_level;
			break;
		case OPT_seed_super:
			got = c->seed_super;
			break;
		default:
			got = c->peers_seed_choker;
			break;
		}
		assert_int_equal(got, rows[i].want);
		config_unref(&c);
	}
}

/* A copy is like the other but for what is cut. */
static void test_capped(void **state)
{
	static const struct config_cap caps[] = {{OPT_peers_max, 7}, {OPT_store_open_files, 90000}};
	const struct config *c = NULL, *cut;
	static char errors[CONFIG_ERRORS_SIZE];

	(void)state;
	assert_int_equal(load_one("[api]\nhosts = a, b\ntoken = 0123456789abcdef\n", &c, errors,
				 sizeof errors),
		E_OK);
	cut = config_capped(c, caps, ARRAY_LEN(caps));
	assert_int_equal(c->peers_max, 500);
	assert_int_equal(cut->peers_max, 7);
	assert_int_equal(cut->store_open_files, c->store_open_files);
	assert_int_equal(cut->api_hosts.n, 2);
	assert_string_equal(cut->api_hosts.v[1], "b");
	assert_int_equal(config_source(cut, OPT_api_hosts)->line, 2);
	config_unref(&c);
	assert_string_equal(cut->api_token, "0123456789abcdef");
	config_unref(&cut);
}

static void test_bad_files(void **state)
{
	static char errors[CONFIG_ERRORS_SIZE];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		const struct config *c;
		assert_int_equal(load_one(bad[i].text, &c, errors, sizeof errors), E_SYNTAX);
		assert_string_equal(errors, bad[i].errors);
		assert_null(c);
	}
}

static void test_many_errors_are_counted(void **state)
{
	static char errors[CONFIG_ERRORS_SIZE];
	const struct config *c;
	char text[200] = "";
	size_t lines = 0;

	(void)state;
	for (int i = 0; i < 25; i++)
		memcpy(text + 2 * i, "x\n", 3);
	assert_int_equal(load_one(text, &c, errors, sizeof errors), E_SYNTAX);
	for (const char *p = errors; (p = strchr(p, '\n')) != NULL; p++)
		lines++;
	assert_int_equal(lines, 21);
	assert_non_null(strstr(errors, "F:20: "));
	assert_null(strstr(errors, "F:21: "));
	assert_non_null(strstr(errors, "\nand 5 more\n"));
	/* A small buffer holds whole lines and stays terminated. */
	assert_int_equal(load_one(text, &c, errors, 80), E_SYNTAX);
	assert_true(strlen(errors) < 80);
	assert_int_equal(errors[strlen(errors) - 1], '\n');
}

static void test_nul_byte(void **state)
{
	static char errors[CONFIG_ERRORS_SIZE];
	struct config_input in = {.envp = home_env, .no_files = true};
	struct report report = report_of(errors, sizeof errors);
	char text[] = "[api]\nport = 1\0\nport = 2";
	const struct config *c = NULL;
	struct load l;

	(void)state;
	load_begin(&l, &in, &report);
	load_text(&l, "F", text, sizeof text - 1);
	assert_int_equal(load_end(&l, &c), E_SYNTAX);
	assert_string_equal(errors, "F:2: the line has a NUL byte: is this a text file?\n");
}

static void test_distance(void **state)
{
	static const struct {
		const char *a, *b;
		size_t d;
	} t[] = {
		{"", "", 0},
		{"abc", "abc", 0},
		{"abc", "", 3},
		{"", "abc", 3},
		{"port", "prot", 1},
		{"port", "ports", 1},
		{"port", "pot", 1},
		{"port", "part", 1},
		{"kitten", "sitting", 3},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++)
		assert_int_equal(option_distance(t[i].a, t[i].b), t[i].d);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_good_files),
		cmocka_unit_test(test_bad_files),
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_capped),
		cmocka_unit_test(test_many_errors_are_counted),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_distance),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
