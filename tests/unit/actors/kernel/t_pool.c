/* SPDX-License-Identifier: MIT */
/* Pools: limits, alignment, that pieces do not overlap, and the leak check at the end. */
#include "actors/kernel/pool.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static void pieces_are_bounded_aligned_and_apart(void **state)
{
	static const struct {
		size_t size, align;
		unsigned per_slab, max;
	} rows[] = {
		{16384, 4096, 4, 10},
		{1, 1, 3, 7},
		{24, 8, 64, 64},
		{100, 64, 16, 5},
	};
	void *p[64];

	(void)state;
	for (unsigned r = 0; r < ARRAY_LEN(rows); r++) {
		struct pool *pool =
			pool_new("t", rows[r].size, rows[r].align, rows[r].per_slab, rows[r].max);

		for (unsigned i = 0; i < rows[r].max; i++) {
			p[i] = pool_get(pool);
			assert_non_null(p[i]);
			assert_int_equal((uintptr_t)p[i] % rows[r].align, 0);
			memset(p[i], (int)i, rows[r].size);
		}
		assert_null(pool_get(pool));
		assert_int_equal(pool_lent(pool), rows[r].max);
		assert_int_equal(pool_max(pool), rows[r].max);
		for (unsigned i = 0; i < rows[r].max; i++)
			for (size_t k = 0; k < rows[r].size; k++)
				assert_int_equal(((uint8_t *)p[i])[k], i);
		for (unsigned i = 0; i < rows[r].max; i++)
			pool_put(pool, p[i]);
		pool_free(&pool);
		assert_null(pool);
	}
}

static void last_put_is_next_got(void **state)
{
	struct pool *pool = pool_new("t", 64, 8, 8, 8);
	void *a = pool_get(pool), *b = pool_get(pool);

	(void)state;
	pool_put(pool, a);
	assert_ptr_equal(pool_get(pool), a);
	pool_put(pool, b);
	pool_put(pool, a);
	assert_int_equal(pool_lent(pool), 0);
	pool_free(&pool);
}

static void its_bound_can_be_raised(void **state)
{
	struct pool *pool = pool_new("t", 64, 8, 2, 3);
	void *p[5];

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_non_null(p[i] = pool_get(pool));
	pool_raise(pool, 2);
	assert_null(pool_get(pool));
	pool_raise(pool, 5);
	for (unsigned i = 3; i < 5; i++)
		assert_non_null(p[i] = pool_get(pool));
	assert_null(pool_get(pool));
	for (unsigned i = 0; i < 5; i++)
		pool_put(pool, p[i]);
	pool_free(&pool);
}

static void missing_piece_panics(void **state)
{
	int status;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0) {
		struct pool *pool = pool_new("t", 64, 8, 8, 8);

		signal(SIGABRT, SIG_DFL);
		if (freopen("/dev/null", "w", stderr) == NULL || pool_get(pool) == NULL)
			_exit(2);
		pool_free(&pool);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pieces_are_bounded_aligned_and_apart),
		cmocka_unit_test(last_put_is_next_got),
		cmocka_unit_test(its_bound_can_be_raised),
		cmocka_unit_test(missing_piece_panics),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
