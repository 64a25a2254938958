/* SPDX-License-Identifier: MIT */
/* Peer ids: ours, names of clients, and that nothing a stranger puts in one gets out raw. */
#include "proto/base/rng.h"
#include "proto/base/text.h"
#include "proto/wire/peer_id.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_ours(void **state)
{
	uint8_t id[20], random[12];
	char name[PEER_ID_CLIENT], text[PEER_ID_PRINTABLE];

	(void)state;
	for (unsigned i = 0; i < 12; i++)
		random[i] = (uint8_t)(i * 23);
	peer_id_generate(id, "0123", random);
	assert_memory_equal(id, "-TD0123-", 8);
	peer_id_printable(id, text);
	assert_int_equal(strlen(text), 20);
	peer_id_client(id, name, sizeof name);
	assert_string_equal(name, "torrentd 0.1.2.3");
}

static void test_names(void **state)
{
	static const struct {
		const char *id, *name;
	} t[] = {
		{"-qB4520-abcdefghijkl", "qBittorrent 4.5.2"},
		{"-TR2940-abcdefghijkl", "Transmission 2.94"},
		{"-TR4060-abcdefghijkl", "Transmission 4.0.6"},
		{"-LT20E0-abcdefghijkl", "libtorrent 2.0.14"},
		{"-lt0D80-abcdefghijkl", "rTorrent 0.13.8"},
		{"-UT355W-abcdefghijkl", "uTorrent 3.5.5.32"},
		{"-DE2000-abcdefghijkl", "Deluge 2.0"},
		{"-BC0207-abcdefghijkl", "BitComet 2.07"},
		{"-ZZ1234-abcdefghijkl", "ZZ 1.2.3.4"},
		{"-ZZ12345bcdefghijklm", "unknown"},
		{"A2-1-37-0-abcdefghij", "aria2 1.37.0"},
		{"M7-10-2--abcdefghijk", "Mainline 7.10.2"},
		{"S58B-----abcdefghijk", "Shadow's client 5.8.11"},
		{"T03I-----abcdefghijk", "BitTornado 0.3.18"},
		{"Something else at al", "unknown"},
		{"\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7\xf6\xf5\xf4\xf3\xf2\xf1\xf0\xef\xee\xed\xec",
			"unknown"},
		{"exbc\1\2abcdefghijklmn", "BitComet"},
		{"XBT054d-abcdefghijkl", "XBT Client"},
	};
	char name[PEER_ID_CLIENT];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		assert_int_equal(strlen(t[i].id), 20);
		peer_id_client((const uint8_t *)t[i].id, name, sizeof name);
		assert_string_equal(name, t[i].name);
	}
	peer_id_client((const uint8_t *)t[0].id, name, 6);
	assert_string_equal(name, "qBitt");
	peer_id_client((const uint8_t *)t[0].id, name, 1);
	assert_string_equal(name, "");
}

static void test_printable(void **state)
{
	static const uint8_t id[] = "-XX\"\\%\n\x7f\xff z1234567890";
	char text[PEER_ID_PRINTABLE];

	(void)state;
	peer_id_printable(id, text);
	assert_string_equal(text, "-XX%22%5C%25%0A%7F%FF%20z123456789");
}

/* Random ids, with the first bytes of known shapes, never give anything but printable ASCII. */
static void test_nothing_raw_gets_out(void **state)
{
	static const char shapes[] = "-qB4520-A2-1-37-M7-10-2--T03I-----";
	struct rng rng;

	(void)state;
	rng_seed(&rng, 1);
	for (unsigned round = 0; round < 20000; round++) {
		uint8_t id[20];
		char name[PEER_ID_CLIENT], text[PEER_ID_PRINTABLE];

		for (unsigned i = 0; i < 20; i++)
			id[i] = (uint8_t)rng_u64(&rng);
		memcpy(id, shapes + rng_below(&rng, 20), rng_below(&rng, 12));
		peer_id_client(id, name, sizeof name);
		peer_id_printable(id, text);
		for (const char *c = name; *c != '\0'; c++)
			assert_true(*c >= 0x20 && *c < 0x7f);
		for (const char *c = text; *c != '\0'; c++)
			assert_true(*c > 0x20 && *c < 0x7f && *c != '"' && *c != '\\');
	}
}

static void test_text_is_sanitised(void **state)
{
	static const struct {
		const char *in, *out;
		size_t room;
	} t[] = {
		{"plain words", "plain words", 64},
		{"two\r\nlines\x1b[31m", "two  lines [31m", 64},
		{"caf\xc3\xa9", "caf\xc3\xa9", 64},
		{"caf\xc3\xa9", "caf", 5},
		{"bad \xc3( \xff end", "bad ?( ? end", 64},
		{"c1 \xc2\x85 and \xe2\x80\xae rtl", "c1   and   rtl", 64},
		{"cut here", "cut", 4},
		{"", "", 1},
		{"x", "", 1},
	};
	char buf[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(t); i++) {
		struct slice in = {(const uint8_t *)t[i].in, strlen(t[i].in)};

		assert_int_equal(text_sanitise(buf, t[i].room, in), strlen(t[i].out));
		assert_string_equal(buf, t[i].out);
	}
	assert_int_equal(text_sanitise(buf, 64, (struct slice){(const uint8_t *)"a\0b", 3}), 3);
	assert_string_equal(buf, "a b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ours),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_printable),
		cmocka_unit_test(test_nothing_raw_gets_out),
		cmocka_unit_test(test_text_is_sanitised),
	};
	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
