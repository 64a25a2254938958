/* SPDX-License-Identifier: MIT */
/* How an address is greeted, and what becomes of it when that is not understood. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "proto/peerlist/peerlist.h"

#define NOW (1000 * USEC_PER_SEC)

static struct peerlist *list;
static struct rng rng;
static struct endpoint at;

static int begin(void **state)
{
	(void)state;
	rng_seed(&rng, 1);
	list = peerlist_new(10, &rng);
	assert_int_equal(endpoint_parse("80.1.2.3:6881", &at), E_OK);
	assert_int_equal(peerlist_add(list, &at, PEER_TRACKER, NOW), E_OK);
	return 0;
}

static int end(void **state)
{
	(void)state;
	peerlist_check(list);
	peerlist_free(&list);
	return 0;
}

static bool is_ready(void)
{
	struct endpoint next;

	return peerlist_next(list, NOW, &next);
}

static void t_other_at_once(void **state)
{
	(void)state;
	assert_int_equal(peerlist_greeting(list, &at), PEER_GREET_UNKNOWN);
	peerlist_dialing(list, &at);
	assert_false(is_ready());
	assert_true(peerlist_regreet(list, &at, PEER_GREET_PLAIN));
	assert_true(is_ready());
	assert_int_equal(peerlist_greeting(list, &at), PEER_GREET_PLAIN);
}

/* Neither is understood: it waits as one that failed, and then begins anew. */
static void t_neither(void **state)
{
	struct peerlist_info info;

	(void)state;
	peerlist_dialing(list, &at);
	assert_true(peerlist_regreet(list, &at, PEER_GREET_PLAIN));
	peerlist_dialing(list, &at);
	assert_false(peerlist_regreet(list, &at, PEER_GREET_ENCRYPTED));
	peerlist_failed(list, &at, NOW);
	assert_false(is_ready());
	assert_true(peerlist_lookup(list, &at, &info));
	assert_int_equal(info.failures, 1);
	assert_int_equal(peerlist_greeting(list, &at), PEER_GREET_UNKNOWN);
	peerlist_dialing(list, &at);
	assert_true(peerlist_regreet(list, &at, PEER_GREET_PLAIN));
}

/* What worked is remembered, and may fail later as the first one did. */
static void t_remembered(void **state)
{
	(void)state;
	peerlist_dialing(list, &at);
	assert_true(peerlist_regreet(list, &at, PEER_GREET_ENCRYPTED));
	peerlist_dialing(list, &at);
	peerlist_connected(list, &at);
	peerlist_set_greeting(list, &at, PEER_GREET_ENCRYPTED);
	peerlist_closed(list, &at, true, NOW);
	assert_int_equal(peerlist_greeting(list, &at), PEER_GREET_ENCRYPTED);
	peerlist_dialing(list, &at);
	assert_true(peerlist_regreet(list, &at, PEER_GREET_PLAIN));
}

/* One that has come to us meanwhile, or is not in the list, is left alone. */
static void t_not_dialled(void **state)
{
	struct endpoint other = at;

	(void)state;
	other.port++;
	assert_false(peerlist_regreet(list, &other, PEER_GREET_PLAIN));
	assert_int_equal(peerlist_greeting(list, &other), PEER_GREET_UNKNOWN);
	peerlist_set_greeting(list, &other, PEER_GREET_PLAIN);
	peerlist_dialing(list, &at);
	peerlist_connected(list, &at);
	assert_false(peerlist_regreet(list, &at, PEER_GREET_PLAIN));
	peerlist_mark_seed(list, &at, true);
	assert_int_equal(peerlist_greeting(list, &at), PEER_GREET_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(t_other_at_once, begin, end),
		cmocka_unit_test_setup_teardown(t_neither, begin, end),
		cmocka_unit_test_setup_teardown(t_remembered, begin, end),
		cmocka_unit_test_setup_teardown(t_not_dialled, begin, end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
