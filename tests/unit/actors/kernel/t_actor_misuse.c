/* SPDX-License-Identifier: MIT */
/* What must panic: each in a process of its own, forked while there is one thread. */
#include "tests/unit/lib/actor_rig.h"

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "actors/kernel/panic.h"

static void send_illegal(struct rig *r)
{
	struct msg *m = rig_number(r, M_TOKEN, 1);

	actor_cast(r->me, ECHO, &m);
}

static void send_twice(struct rig *r)
{
	struct msg *m = rig_number(r, M_NUMBER, 1), *again = m;

	actor_cast(r->me, ECHO, &m);
	actor_cast(r->me, ECHO, &again);
}

static void cast_a_call(struct rig *r)
{
	struct msg *m = rig_number(r, M_ECHO, 1);

	actor_cast(r->me, ECHO, &m);
}

static void call_a_cast(struct rig *r)
{
	struct msg *m = rig_number(r, M_NUMBER, 1);

	(void)actor_call(r->me, ECHO, &m, rig_on_reply, NULL);
}

static void send_to_nobody(struct rig *r)
{
	struct msg *m = rig_number(r, M_TOKEN, 1);

	actor_cast(r->me, ADDR(R_RING, 9), &m);
}

static void use_another_ones_actor(struct rig *r)
{
	(void)msg_new(actors_at(r->set, 0), M_NUMBER);
}

static void leave_one_alive(struct rig *r)
{
	(void)rig_number(r, M_NUMBER, 1);
	actors_join(r->set);
}

/* More than the pipe holds, while echo is held up. */
static void fill_a_mailbox(struct rig *r)
{
	(void)rig_call(r, M_BUFFER, RIG_HANGS);
	assert_true(actor_turn(r->me, 0));
	for (unsigned i = 0; i < 200000; i++) {
		struct msg *m = rig_number(r, M_NUMBER, i);

		actor_cast(r->me, ECHO, &m);
	}
	assert_true(actor_turn(r->me, 0));
}

static const struct misuse {
	void (*fn)(struct rig *);
	const char *says;
} misuses[] = {
	{send_illegal, "panic"},
	{send_twice, "panic"},
	{cast_a_call, "panic"},
	{call_a_cast, "panic"},
	{send_to_nobody, "panic"},
	{use_another_ones_actor, "panic"},
	{leave_one_alive, "panic"},
	{fill_a_mailbox, "the mailbox of echo is full: NUMBER from main does not fit"},
};

_Noreturn static void run_misuse(const struct misuse *m, int fd)
{
	struct rig r;

	signal(SIGABRT, SIG_DFL); /* cmocka catches it */
	panic_install();
	if (dup2(fd, STDERR_FILENO) < 0)
		_exit(2);
	rig_open(&r);
	m->fn(&r);
	_exit(0);
}

/* What it wrote, as far as there is room. */
static void read_all(int fd, char *text, size_t n)
{
	size_t at = 0;
	ssize_t got;

	while (at + 1 < n && (got = read(fd, text + at, n - 1 - at)) > 0)
		at += (size_t)got;
	text[at] = '\0';
	close(fd);
}

static void misuse_panics(void **state)
{
	char text[4096];

	(void)state;
	for (unsigned i = 0; i < ARRAY_LEN(misuses); i++) {
		int status, fds[2];
		pid_t pid;

		assert_int_equal(pipe(fds), 0);
		pid = fork();
		assert_true(pid >= 0);
		if (pid == 0)
			run_misuse(&misuses[i], fds[1]);
		close(fds[1]);
		read_all(fds[0], text, sizeof text);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGABRT ||
			strstr(text, misuses[i].says) == NULL)
			fail_msg("misuse %u: status %x, %s", i, (unsigned)status, text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(misuse_panics),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
