/* SPDX-License-Identifier: MIT */
/* A broken invariant says what, where, who had what in hand and what happened before, then aborts.
 */
#include "actors/kernel/panic.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "actors/kernel/actor.h"
#include "actors/kernel/log.h"

const char panic_version[] = "t_panic 9.9";

enum { R_MAIN, R_WEAK };
enum { M_BREAK = KMSG_FIRST_USER_, M_MAX_ };

static const struct msg_type types[M_MAX_] = {
	[KMSG_TERM] = {"TERM", sizeof(struct msg), NULL, ~0u, ~0u, 0},
	[M_BREAK] = {"BREAK", sizeof(struct msg), NULL, 1u << R_MAIN, 1u << R_WEAK, 0},
};
static const char *const roles[] = {"main", "weak"};
static const struct msg_table table = {.types = types,
	.n = M_MAX_,
	.roles = roles,
	.roles_n = ARRAY_LEN(roles)};

static void break_it(struct actor *a, struct msg **m)
{
	(void)a, (void)m;
	log_event(LOG_DEBUG, "about_to_break", LOG_NOTHING);
	must(1 + 1 == 3);
}

static const struct actor_handler handlers[] = {{M_BREAK, break_it}, {0, NULL}};
static const struct actor_spec weak_spec = {.role_name = "weak", .handlers = handlers};
static const struct actor_spec main_spec = {.role_name = "main"};

static void break_an_actor(void)
{
	struct actors *set = actors_new(&table);
	struct actor *me = actors_add_here(set, ADDR(R_MAIN, 0), &main_spec, NULL);
	struct msg *m;

	actors_add(set, ADDR(R_WEAK, 2), &weak_spec, NULL);
	actors_start(set);
	m = msg_new(me, M_BREAK);
	actor_cast(me, ADDR(R_WEAK, 2), &m);
	for (;;)
		(void)actor_turn(me, USEC_PER_SEC);
}

static void break_outside(void)
{
	must_not_reach("nobody comes here");
}

#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
static void fault(void)
{
	log_event(LOG_DEBUG, "before_the_fault", LOG_NOTHING);
	raise(SIGSEGV);
}
#endif

/* Runs fn in a child, gives its standard error and the signal that ended it. */
static int run_child(void (*fn)(void), char *text, size_t size)
{
	size_t used = 0;
	int fds[2], status;
	ssize_t n;
	pid_t pid;

	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		for (int s = 1; s < 32; s++)
			signal(s, SIG_DFL); /* cmocka's handlers are not for us */
		dup2(fds[1], STDERR_FILENO);
		panic_install();
		fn();
		_exit(0);
	}
	close(fds[1]);
	while ((n = read(fds[0], text + used, size - 1 - used)) > 0)
		used += (size_t)n;
	text[used] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? WTERMSIG(status) : 0;
}

static void dump_tells_all(void **state)
{
	static const struct {
		void (*fn)(void);
		int sig;
		const char *want[8];
	} rows[] = {
		{break_an_actor, SIGABRT,
			{"must(1 + 1 == 3) failed in break_it", "t_panic.c:", "actor: weak.2\n",
				"in hand: BREAK from 0.0", "weak.2 about_to_break",
				"version: t_panic 9.9", "backtrace:"}},
		{break_outside, SIGABRT, {"nobody comes here", "actor: main\n", "backtrace:"}},
#if !defined __SANITIZE_ADDRESS__ && !defined __SANITIZE_THREAD__
		{fault, SIGSEGV, {"panic: signal 11", "before_the_fault", "backtrace:"}},
#endif
	};
	static char text[65536];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(rows); i++) {
		int sig = run_child(rows[i].fn, text, sizeof text);

		for (unsigned k = 0; k < ARRAY_LEN(rows[i].want) && rows[i].want[k] != NULL; k++)
			if (strstr(text, rows[i].want[k]) == NULL)
				fail_msg("no \"%s\" in:\n%s", rows[i].want[k], text);
		assert_int_equal(sig, rows[i].sig);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dump_tells_all),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
