/* SPDX-License-Identifier: MIT */
/* What each source of peers may do: the whole table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/peerlist/source.h"

/* Whether the source speaks of the torrent to those whom its trackers have not named. */
static const bool gossips[PEER_SOURCES] = {[PEER_DHT] = true, [PEER_PEX] = true, [PEER_LSD] = true};

static struct source_rules rules(unsigned bits)
{
	return (struct source_rules){.is_private = bits & 1,
		.discreet = bits & 2,
		.dht = bits & 4,
		.pex = bits & 8,
		.lsd = bits & 16};
}

static bool is_on(const struct source_rules *r, enum peer_source source)
{
	return (source == PEER_DHT && r->dht) || (source == PEER_PEX && r->pex) ||
	       (source == PEER_LSD && r->lsd);
}

static void test_all(void **state)
{
	(void)state;
	for (unsigned bits = 0; bits < 32; bits++)
		for (unsigned i = 0; i < PEER_SOURCES; i++) {
			struct source_rules r = rules(bits);
			bool quiet = r.is_private || r.discreet;

			assert_int_equal(source_allowed((enum peer_source)i, &r),
				!gossips[i] || (!quiet && is_on(&r, (enum peer_source)i)));
		}
}

static void test_private_hears_nobody(void **state)
{
	struct source_rules r = {.is_private = true, .dht = true, .pex = true, .lsd = true};

	(void)state;
	assert_true(source_allowed(PEER_TRACKER, &r));
	assert_true(source_allowed(PEER_MANUAL, &r));
	assert_true(source_allowed(PEER_INCOMING, &r));
	assert_false(source_allowed(PEER_DHT, &r));
	assert_false(source_allowed(PEER_PEX, &r));
	assert_false(source_allowed(PEER_LSD, &r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all), cmocka_unit_test(test_private_hears_nobody)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
