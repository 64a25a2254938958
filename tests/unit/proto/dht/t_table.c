/* SPDX-License-Identifier: MIT */
/* The routing table: who comes in, who stays, and that the nearest are the nearest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "proto/dht/table.h"

#define SEC USEC_PER_SEC

static struct endpoint at(unsigned a, unsigned b, unsigned c, unsigned d)
{
	const uint8_t ip[4] = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d};

	return endpoint_from_v4(ip, 6881);
}

struct world {
	struct rng rng;
	struct kad_id own;
	struct kad_table *t;
};

static void setup(struct world *w, bool local)
{
	rng_seed(&w->rng, 4);
	w->own = kad_id_random(&w->rng);
	w->t = kad_table_new(&w->own, local, 99);
}

/* An id of that depth that does not fit any address but by chance. */
static bool add(struct world *w, unsigned depth, struct endpoint e, struct kad_id *out)
{
	struct kad_id id = kad_id_beside(&w->own, depth, &w->rng);

	if (out != NULL)
		*out = id;
	return kad_table_answered(w->t, &id, &e, SEC);
}

static void t_random(void **state)
{
	struct world w;
	struct kad_id ids[3000];
	struct endpoint eps[3000];

	(void)state;
	setup(&w, false);
	for (unsigned i = 0; i < ARRAY_LEN(ids); i++) {
		uint8_t r = (uint8_t)rng_below(&w.rng, 256);

		eps[i] = at(1 + rng_below(&w.rng, 9), rng_below(&w.rng, 256),
			rng_below(&w.rng, 256), rng_below(&w.rng, 256));
		ids[i] = rng_below(&w.rng, 2) ? kad_id_for(&eps[i], r, &w.rng)
					      : kad_id_random(&w.rng);
		(void)kad_table_answered(w.t, &ids[i], &eps[i], (int64_t)i * SEC);
		if (rng_below(&w.rng, 3) == 0)
			kad_table_failed(w.t, &eps[rng_below(&w.rng, i + 1)]);
		if (i % 100 == 0)
			kad_table_check(w.t);
	}
	kad_table_check(w.t);
	assert_true(kad_table_live(w.t) > 200);
	/* The nearest are those that a look at all gives. */
	for (unsigned i = 0; i < 200; i++) {
		struct kad_id target = i % 2 ? kad_id_random(&w.rng)
					     : kad_id_beside(&w.own, rng_below(&w.rng, 20), &w.rng);
		const struct kad_contact *near[8], *c;
		unsigned n = kad_table_nearest(w.t, &target, false, near, 8), walk = 0, nearer = 0;

		assert_int_equal(n, 8);
		for (unsigned k = 1; k < n; k++)
			assert_true(kad_id_nearer(&target, &near[k - 1]->id, &near[k]->id) < 0);
		while ((c = kad_table_next(w.t, &walk)) != NULL)
			nearer += c->fails <= 1 && kad_id_nearer(&target, &c->id, &near[7]->id) < 0;
		assert_int_equal(nearer, 7);
	}
	{
		struct kad_id moved = kad_id_random(&w.rng);
		unsigned before = kad_table_live(w.t);

		kad_table_move(w.t, &moved);
		kad_table_check(w.t);
		assert_true(kad_table_live(w.t) > before / 2);
	}
	kad_table_free(&w.t);
}

/* Among sybils half of what is told are nodes whose ids fit. */
static void t_fair(void **state)
{
	const struct kad_contact *near[8];
	struct world w;
	unsigned fits = 0;

	(void)state;
	setup(&w, false);
	for (unsigned i = 0; i < 30; i++) {
		struct endpoint e = at(20, i, 0, 1);
		struct kad_id id = kad_id_for(&e, (uint8_t)i, &w.rng);

		(void)kad_table_answered(w.t, &id, &e, SEC);
	}
	for (unsigned i = 0; i < 200; i++)
		(void)add(&w, 20 + i % 20, at(30, i, 0, 1), NULL);
	assert_int_equal(kad_table_nearest(w.t, &w.own, false, near, 8), 8);
	for (unsigned i = 0; i < 8; i++)
		assert_false(near[i]->fits);
	assert_int_equal(kad_table_fair(w.t, &w.own, near, 8), 8);
	for (unsigned i = 0; i < 8; i++) {
		fits += near[i]->fits;
		for (unsigned k = 0; k < i; k++)
			assert_ptr_not_equal(near[i], near[k]);
	}
	assert_int_equal(fits, 4);
	kad_table_free(&w.t);
}

/* One address in the table, one network in a bucket, nobody but who answered. */
static void t_places(void **state)
{
	struct world w;
	struct kad_id id;

	(void)state;
	setup(&w, false);
	assert_true(add(&w, 0, at(5, 1, 1, 1), &id));
	assert_false(add(&w, 0, at(5, 1, 1, 2), NULL)); /* the same /24 */
	assert_true(add(&w, 1, at(5, 1, 1, 3), NULL));  /* in another bucket it may */
	assert_false(kad_table_answered(w.t, &w.own, &(struct endpoint){.port = 1}, SEC));
	assert_int_equal(kad_table_live(w.t), 2);
	/* Another id at the same address: a liar, out it goes. */
	assert_false(add(&w, 3, at(5, 1, 1, 1), NULL));
	assert_null(kad_table_find(w.t, &(struct endpoint){0}));
	kad_table_check(w.t);
	assert_int_equal(kad_table_live(w.t), 2); /* the spare has its place */
	kad_table_free(&w.t);
}

static void t_spares(void **state)
{
	struct world w;
	struct endpoint first = at(6, 0, 0, 1);
	struct kad_id id;
	unsigned live;

	(void)state;
	setup(&w, false);
	for (unsigned i = 0; i < 8; i++)
		assert_true(add(&w, 10, at(6, i, 0, 1), NULL));
	/* Alone, it may fail for long. */
	for (unsigned i = 0; i < KAD_FAILS_MAX - 1; i++)
		kad_table_failed(w.t, &first);
	assert_int_equal(kad_table_live(w.t), 8);
	/* One that answers takes the place of one that fails. */
	assert_true(add(&w, 10, at(6, 20, 0, 1), NULL));
	assert_null(kad_table_find(w.t, &first));
	/* Others are spares, and come in at the first failure. */
	assert_false(add(&w, 10, at(6, 21, 0, 1), &id));
	first = at(6, 1, 0, 1);
	kad_table_failed(w.t, &first);
	live = kad_table_live(w.t);
	assert_int_equal(live, 8);
	assert_null(kad_table_find(w.t, &first));
	first = at(6, 21, 0, 1);
	assert_true(kad_table_find(w.t, &first)->live);
	kad_table_check(w.t);
	kad_table_free(&w.t);
}

/* A node that fails stays while nobody can have its place. */
static void t_no_spare_of_its_own(void **state)
{
	struct world w;
	struct endpoint fails = at(6, 1, 0, 1), spare = at(6, 2, 0, 2);

	(void)state;
	setup(&w, false);
	for (unsigned i = 0; i < 8; i++)
		assert_true(add(&w, 10, at(6, i, 0, 1), NULL));
	assert_false(add(&w, 10, spare, NULL)); /* the network of another */
	kad_table_failed(w.t, &fails);
	assert_non_null(kad_table_find(w.t, &fails));
	assert_int_equal(kad_table_live(w.t), 8);
	fails = at(6, 2, 0, 1);
	kad_table_failed(w.t, &fails);
	assert_null(kad_table_find(w.t, &fails));
	assert_true(kad_table_find(w.t, &spare)->live);
	kad_table_check(w.t);
	kad_table_free(&w.t);
}

/* Sybils that filled a deep bucket give way to nodes whose ids fit their addresses. */
static void t_fitting_first(void **state)
{
	struct world w;
	unsigned fits = 0, found = 0;

	(void)state;
	setup(&w, false);
	for (unsigned i = 0; i < 8; i++)
		assert_true(add(&w, 5, at(7, i, 0, 1), NULL));
	for (unsigned i = 0; i < 200000 && found < 8; i++) {
		struct endpoint e = at(8, i / 65536, i / 256 % 256, i % 256);
		struct kad_id id = kad_id_for(&e, (uint8_t)i, &w.rng);

		if (kad_id_common(&id, &w.own) != 5)
			continue;
		found += kad_table_answered(w.t, &id, &e, SEC);
	}
	fits = kad_table_count(w.t, SEC).fits;
	assert_int_equal(found, 8);
	assert_int_equal(fits, 8);
	assert_int_equal(kad_table_live(w.t), 8);
	kad_table_check(w.t);
	kad_table_free(&w.t);
}

static void t_words(void **state)
{
	struct world w;
	struct endpoint e = at(9, 1, 1, 1);
	struct kad_table_count n;
	struct kad_id id;

	(void)state;
	setup(&w, false);
	assert_true(add(&w, 0, e, &id));
	n = kad_table_count(w.t, 2 * SEC);
	assert_int_equal(n.good, 1);
	assert_null(kad_table_stale(w.t, SEC));
	assert_non_null(kad_table_stale(w.t, 2 * SEC));
	n = kad_table_count(w.t, 3600 * SEC);
	assert_int_equal(n.unsure, 1);
	/* It asks us something: good again, since it once has answered. */
	assert_false(kad_table_asked(w.t, &id, &e, 3599 * SEC));
	n = kad_table_count(w.t, 3600 * SEC);
	assert_int_equal(n.good, 1);
	kad_table_failed(w.t, &e);
	kad_table_failed(w.t, &e);
	n = kad_table_count(w.t, 3600 * SEC);
	assert_int_equal(n.bad, 1);
	assert_true(kad_table_asked(w.t, &id, &(struct endpoint){.ip = {[15] = 9}, .port = 4}, 1));
	kad_table_free(&w.t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(t_random), cmocka_unit_test(t_places),
		cmocka_unit_test(t_fair), cmocka_unit_test(t_spares),
		cmocka_unit_test(t_no_spare_of_its_own), cmocka_unit_test(t_fitting_first),
		cmocka_unit_test(t_words)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
