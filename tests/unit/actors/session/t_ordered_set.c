/* SPDX-License-Identifier: MIT */
/* The ordered set against a sorted array, step by step. */
#include "actors/session/ordered_set.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define NODES 300u
#define STEPS 20000u

struct model {
	struct ordered_set set;
	struct ordered_node nodes[NODES];
	bool in[NODES];
	const struct ordered_node *sorted[NODES];
	uint32_t n;
	uint32_t seed;
};

static uint32_t next(struct model *m)
{
	m->seed = m->seed * 1664525u + 1013904223u;
	return m->seed >> 8;
}

static uint32_t find(const struct model *m, const struct ordered_node *n)
{
	uint32_t i = 0;

	while (i < m->n && ordered_before(m->sorted[i], n))
		i++;
	return i;
}

static void put(struct model *m, uint32_t i)
{
	struct ordered_node *n = &m->nodes[i];
	uint32_t at;

	/* Few places, so that rows decide as well; negative ones and the ends, too. */
	ordered_insert(&m->set, n, (int64_t)(next(m) % 20) - 10 + (i == 7 ? INT64_MAX - 20 : 0), i);
	at = find(m, n);
	memmove(&m->sorted[at + 1], &m->sorted[at], (m->n - at) * sizeof m->sorted[0]);
	m->sorted[at] = n;
	m->n++;
	m->in[i] = true;
}

static void drop(struct model *m, uint32_t i)
{
	uint32_t at = find(m, &m->nodes[i]);

	assert_ptr_equal(m->sorted[at], &m->nodes[i]);
	assert_int_equal(ordered_rank(&m->set, &m->nodes[i]), at);
	ordered_remove(&m->set, &m->nodes[i]);
	m->n--;
	memmove(&m->sorted[at], &m->sorted[at + 1], (m->n - at) * sizeof m->sorted[0]);
	m->in[i] = false;
}

static uint32_t depth(const struct ordered_node *n)
{
	uint32_t left, right;

	if (n == NULL)
		return 0;
	left = depth(n->left);
	right = depth(n->right);
	return 1 + MAX(left, right);
}

static void compare(struct model *m)
{
	assert_int_equal(ordered_size(&m->set), m->n);
	assert_ptr_equal(ordered_first(&m->set), m->n > 0 ? m->sorted[0] : NULL);
	assert_ptr_equal(ordered_last(&m->set), m->n > 0 ? m->sorted[m->n - 1] : NULL);
	for (uint32_t i = 0; i < m->n; i++)
		assert_ptr_equal(ordered_at(&m->set, i), m->sorted[i]);
	assert_null(ordered_at(&m->set, m->n));
	assert_true(depth(m->set.root) < 40);
}

static void test_model(void **state)
{
	struct model *m = xcalloc(1, sizeof *m);

	(void)state;
	m->seed = 1;
	for (uint32_t step = 0; step < STEPS; step++) {
		uint32_t i = next(m) % NODES;
		if (m->in[i])
			drop(m, i);
		else
			put(m, i);
		if (step % 100 == 0)
			compare(m);
	}
	xfree(m);
}

/* In order, as a database is read. */
static void test_flat(void **state)
{
	const uint32_t n = 100000;
	struct ordered_node *nodes = xcalloc(n, sizeof *nodes);
	struct ordered_set set = {0};

	(void)state;
	for (uint32_t i = 0; i < n; i++)
		ordered_insert(&set, &nodes[i], (int64_t)i << 32, i);
	assert_true(depth(set.root) < 80);
	assert_int_equal(ordered_rank(&set, &nodes[77777]), 77777);
	xfree(nodes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_model),
		cmocka_unit_test(test_flat),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
