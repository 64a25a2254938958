/* SPDX-License-Identifier: MIT */
/* The loop: timers against a model, the run queue, descriptors that vanish inside a batch, deferred
 * frees. */
#include "actors/kernel/loop.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static void one_turn(struct loop *l, int64_t max_us)
{
	loop_wait(l, max_us);
	(void)loop_run_timers(l);
	loop_run_events(l);
	loop_run_tasks(l);
	loop_run_reap(l);
}

/* --- timers --- */

#define TIMERS 500u

struct fired {
	struct loop_timer t;
	unsigned *count;
	int64_t *last;
	bool early, disorder;
};

static void note_fired(struct loop_timer *t, int64_t now)
{
	struct fired *f = container_of(t, struct fired, t);

	f->early |= t->at > now;
	f->disorder |= t->at < *f->last;
	*f->last = t->at;
	++*f->count;
}

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525u + 1013904223u;
	return *seed >> 8;
}

/* Sets, moves and removes at random, then lets a part and finally all of them fire. */
static void timers_fire_in_order(void **state)
{
	static struct fired f[TIMERS];
	struct loop *l = loop_new();
	int64_t base = loop_now(l), last = 0;
	uint32_t seed = 7;
	unsigned count = 0, set = 0;

	(void)state;
	for (unsigned i = 0; i < TIMERS; i++)
		f[i] = (struct fired){.t.fn = note_fired, .count = &count, .last = &last};
	for (unsigned i = 0; i < 5000; i++) {
		struct fired *x = &f[next_random(&seed) % TIMERS];

		if (next_random(&seed) % 3 == 0)
			loop_timer_del(l, &x->t);
		else
			loop_timer_set(l, &x->t, base - next_random(&seed) % 100000);
	}
	for (unsigned i = 0; i < TIMERS; i++)
		set += loop_timer_is_set(&f[i].t);
	assert_true(set > 100);
	one_turn(l, INT64_MAX); /* does not sleep: they are due */
	assert_int_equal(count, set);
	for (unsigned i = 0; i < TIMERS; i++)
		assert_false(f[i].early || f[i].disorder || loop_timer_is_set(&f[i].t));
	assert_int_equal(loop_deadline(l), INT64_MAX);
	loop_free(&l);
}

struct again {
	struct loop_timer t;
	struct loop *l;
	unsigned n;
};

static void set_again(struct loop_timer *t, int64_t now)
{
	struct again *x = container_of(t, struct again, t);

	x->n++;
	loop_timer_set(x->l, t, now);
}

static void timer_set_to_now_does_not_spin(void **state)
{
	struct loop *l = loop_new();
	struct again x = {.t.fn = set_again, .l = l};

	(void)state;
	loop_timer_set(l, &x.t, loop_now(l));
	one_turn(l, 0);
	assert_int_equal(x.n, 1);
	one_turn(l, INT64_MAX);
	assert_int_equal(x.n, 2);
	loop_timer_del(l, &x.t);
	loop_timer_del(l, &x.t); /* fine when not set */
	loop_free(&l);
}

static void sleep_ends_with_the_timer(void **state)
{
	struct loop *l = loop_new();
	unsigned count = 0;
	int64_t last = 0, at = clock_mono_us() + 3000;
	struct fired f = {.t.fn = note_fired, .count = &count, .last = &last};

	(void)state;
	loop_timer_set(l, &f.t, at);
	assert_int_equal(loop_deadline(l), at);
	for (int i = 0; i < 100 && count == 0; i++)
		one_turn(l, 5 * USEC_PER_SEC);
	assert_int_equal(count, 1);
	assert_false(f.early);
	assert_true(loop_now(l) >= at);
	at = clock_mono_us();
	one_turn(l, 2000); /* nothing to come: the limit ends it */
	assert_true(clock_mono_us() - at >= 1900);
	loop_free(&l);
}

/* --- tasks --- */

struct job {
	struct loop_task t;
	struct loop *l;
	char name;
	char *out;
	struct job *posts, *drops;
};

static void run_job(struct loop_task *t)
{
	struct job *j = container_of(t, struct job, t);

	j->out[strlen(j->out)] = j->name;
	if (j->posts != NULL)
		loop_task_post(j->l, &j->posts->t);
	if (j->drops != NULL)
		loop_task_del(j->l, &j->drops->t);
}

static void tasks_run_in_order_and_once(void **state)
{
	struct loop *l = loop_new();
	char out[32] = "";
	struct job j[4];

	(void)state;
	for (unsigned i = 0; i < 4; i++)
		j[i] = (struct job){.t.fn = run_job, .l = l, .name = (char)('a' + i), .out = out};
	j[0].posts = &j[0]; /* itself, for the next turn */
	j[1].drops = &j[2]; /* one that waits in the same run */
	for (unsigned i = 0; i < 4; i++) {
		loop_task_post(l, &j[i].t);
		loop_task_post(l, &j[i].t);
	}
	assert_int_equal(loop_deadline(l), 0);
	one_turn(l, INT64_MAX);
	assert_string_equal(out, "abd");
	loop_task_post(l, &j[3].t);
	j[0].posts = NULL;
	one_turn(l, INT64_MAX);
	assert_string_equal(out, "abdad");
	loop_task_post(l, &j[0].t);
	loop_task_post(l, &j[3].t);
	loop_task_del(l, &j[3].t); /* the last: the tail moves */
	loop_task_post(l, &j[2].t);
	loop_task_del(l, &j[0].t);
	one_turn(l, 0);
	assert_string_equal(out, "abdadc");
	assert_int_equal(loop_deadline(l), INT64_MAX);
	loop_free(&l);
}

/* --- descriptors --- */

struct end {
	struct loop_fd node;
	struct loop_reap reap;
	struct loop *l;
	struct end *kills;
	unsigned seen;
	uint32_t ready;
	unsigned *freed;
};

static void free_end(struct loop_reap *r)
{
	struct end *e = container_of(r, struct end, reap);

	++*e->freed;
	free(e);
}

static void kill_end(struct end *e)
{
	int fd = e->node.fd;

	loop_fd_del(e->l, &e->node);
	close(fd);
	loop_reap_later(e->l, &e->reap);
}

static void on_end(struct loop_fd *node, uint32_t ready)
{
	struct end *e = container_of(node, struct end, node);

	e->seen++;
	e->ready |= ready;
	if (e->kills != NULL && e->kills->node.fd >= 0)
		kill_end(e->kills);
}

static struct end *end_new(struct loop *l, int fd, uint32_t events, unsigned *freed)
{
	struct end *e = xcalloc(1, sizeof *e);

	e->l = l;
	e->node.fn = on_end;
	e->reap.fn = free_end;
	e->freed = freed;
	assert_int_equal(loop_fd_add(l, &e->node, fd, events), E_OK);
	return e;
}

/* Two are ready in one batch and each kills the other: one of the two callbacks runs. */
static void event_of_a_dead_one_is_dropped(void **state)
{
	struct loop *l = loop_new();
	unsigned freed = 0, alive;
	struct end *e[2];
	int fds[2][2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(pipe2(fds[i], O_CLOEXEC | O_NONBLOCK), 0);
		e[i] = end_new(l, fds[i][0], POLL_IN, &freed);
		assert_int_equal(write(fds[i][1], "x", 1), 1);
	}
	e[0]->kills = e[1];
	e[1]->kills = e[0];
	one_turn(l, USEC_PER_SEC);
	assert_int_equal(freed, 1);
	alive = fcntl(fds[0][0], F_GETFD) < 0; /* the index of the one that lives */
	assert_int_equal(e[alive]->seen, 1);
	kill_end(e[alive]);
	loop_run_reap(l);
	assert_int_equal(freed, 2);
	close(fds[0][1]);
	close(fds[1][1]);
	loop_free(&l);
}

static void readiness_is_what_was_asked_for(void **state)
{
	struct loop *l = loop_new();
	unsigned freed = 0;
	struct end *in, *out;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC | O_NONBLOCK), 0);
	in = end_new(l, fds[0], POLL_IN, &freed);
	out = end_new(l, fds[1], 0, &freed);
	one_turn(l, 1000);
	assert_int_equal(in->seen + out->seen, 0);
	loop_fd_events(l, &out->node, POLL_OUT);
	one_turn(l, 1000);
	assert_int_equal(out->ready, POLL_OUT);
	loop_fd_events(l, &out->node, POLL_OUT | POLL_EDGE);
	one_turn(l, 1000);
	out->seen = 0;
	one_turn(l, 1000); /* an edge is told once */
	assert_int_equal(out->seen, 0);
	kill_end(out);
	one_turn(l, USEC_PER_SEC);
	assert_int_equal(in->ready, POLL_IN | POLL_OUT | POLL_ERR); /* hang-up */
	kill_end(in);
	loop_run_reap(l);
	loop_free(&l);
}

static void unwatchable_descriptor_is_an_error(void **state)
{
	struct loop *l = loop_new();
	struct loop_fd node = {.fd = -1, .fn = on_end};
	FILE *f = tmpfile();

	(void)state;
	assert_non_null(f);
	assert_int_equal(loop_fd_add(l, &node, fileno(f), POLL_IN), E_UNSUPPORTED);
	assert_int_equal(node.fd, -1);
	loop_fd_del(l, &node);
	(void)fclose(f);
	loop_free(&l);
}

static void ignore(struct loop_fd *fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
}

/* Its number may be another descriptor's by now. */
static void a_descriptor_closed_by_others_is_lost(void **state)
{
	struct loop *l = loop_new();
	struct loop_fd node = {.fn = ignore, .fd = -1};
	int p[2];

	(void)state;
	for (unsigned reused = 0; reused < 2; reused++) {
		assert_int_equal(pipe(p), 0);
		assert_int_equal(loop_fd_add(l, &node, p[0], POLL_IN), E_OK);
		close(p[0]);
		if (reused)
			assert_int_equal(dup(p[1]), p[0]);
		loop_fd_lost(l, &node);
		assert_int_equal(node.fd, -1);
		loop_fd_lost(l, &node);
		if (reused)
			close(p[0]);
		close(p[1]);
	}
	loop_free(&l);
}

/* --- rests --- */

struct heard {
	struct loop_fd node;
	unsigned times;
};

static void hear(struct loop_fd *node, uint32_t ready)
{
	(void)ready;
	container_of(node, struct heard, node)->times++;
}

struct ears {
	struct loop *l;
	int calm_pipe[2], other_pipe[2];
	struct heard calm, other;
};

static void ears_open(struct ears *e)
{
	*e = (struct ears){.l = loop_new(), .calm.node.fn = hear, .other.node.fn = hear};
	assert_int_equal(pipe2(e->calm_pipe, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(pipe2(e->other_pipe, O_CLOEXEC | O_NONBLOCK), 0);
	assert_int_equal(
		loop_fd_add(e->l, &e->calm.node, e->calm_pipe[0], POLL_IN | POLL_EDGE), E_OK);
	assert_int_equal(
		loop_fd_add(e->l, &e->other.node, e->other_pipe[0], POLL_IN | POLL_EDGE), E_OK);
	loop_fd_calm(e->l, &e->calm.node, true);
}

static void ears_close(struct ears *e)
{
	loop_fd_del(e->l, &e->calm.node);
	loop_fd_del(e->l, &e->other.node);
	loop_free(&e->l);
	for (unsigned i = 0; i < 2; i++) {
		close(e->calm_pipe[i]);
		close(e->other_pipe[i]);
	}
}

static void say(const int fds[2])
{
	assert_int_equal(write(fds[1], "x", 1), 1);
}

static void what_is_calm_waits_for_the_end_of_a_rest(void **state)
{
	struct ears e;
	int64_t until;

	(void)state;
	ears_open(&e);
	until = loop_now(e.l) + 50000;
	loop_rest(e.l, until);
	say(e.calm_pipe);
	one_turn(e.l, 0);
	assert_int_equal(e.calm.times, 0);
	assert_true(loop_rests(e.l));
	/* However long the loop would sleep, the end of the rest ends the sleep. */
	while (e.calm.times == 0)
		one_turn(e.l, 10 * USEC_PER_SEC);
	assert_true(loop_now(e.l) >= until);
	assert_false(loop_rests(e.l));
	assert_int_equal(e.calm.times, 1);
	ears_close(&e);
}

static void what_is_not_calm_ends_the_sleep(void **state)
{
	struct ears e;

	(void)state;
	ears_open(&e);
	loop_rest(e.l, loop_now(e.l) + 3600 * USEC_PER_SEC);
	say(e.calm_pipe);
	say(e.other_pipe);
	one_turn(e.l, 10 * USEC_PER_SEC);
	assert_int_equal(e.other.times, 1);
	assert_int_equal(e.calm.times, 0);
	/* An earlier end holds at once. */
	loop_rest(e.l, 0);
	one_turn(e.l, 10 * USEC_PER_SEC);
	assert_int_equal(e.calm.times, 1);
	ears_close(&e);
}

static void without_a_rest_the_calm_are_heard_at_once(void **state)
{
	struct ears e;

	(void)state;
	ears_open(&e);
	for (unsigned i = 1; i <= 3; i++) {
		char c;

		say(e.calm_pipe);
		one_turn(e.l, 10 * USEC_PER_SEC);
		assert_int_equal(e.calm.times, i);
		assert_int_equal(read(e.calm_pipe[0], &c, 1), 1);
	}
	ears_close(&e);
}

static void who_stops_being_calm_is_heard_in_the_rest(void **state)
{
	struct ears e;

	(void)state;
	ears_open(&e);
	loop_rest(e.l, loop_now(e.l) + 3600 * USEC_PER_SEC);
	say(e.calm_pipe);
	loop_fd_calm(e.l, &e.calm.node, false);
	assert_int_equal(loop_deadline(e.l), INT64_MAX);
	one_turn(e.l, 10 * USEC_PER_SEC);
	assert_int_equal(e.calm.times, 1);
	/* And back: what it is ready for is told again, once, after the rest. */
	loop_fd_calm(e.l, &e.calm.node, true);
	one_turn(e.l, 0);
	assert_int_equal(e.calm.times, 1);
	loop_rest(e.l, 0);
	one_turn(e.l, 10 * USEC_PER_SEC);
	assert_int_equal(e.calm.times, 2);
	ears_close(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(timers_fire_in_order),
		cmocka_unit_test(timer_set_to_now_does_not_spin),
		cmocka_unit_test(sleep_ends_with_the_timer),
		cmocka_unit_test(tasks_run_in_order_and_once),
		cmocka_unit_test(event_of_a_dead_one_is_dropped),
		cmocka_unit_test(readiness_is_what_was_asked_for),
		cmocka_unit_test(unwatchable_descriptor_is_an_error),
		cmocka_unit_test(a_descriptor_closed_by_others_is_lost),
		cmocka_unit_test(what_is_calm_waits_for_the_end_of_a_rest),
		cmocka_unit_test(what_is_not_calm_ends_the_sleep),
		cmocka_unit_test(without_a_rest_the_calm_are_heard_at_once),
		cmocka_unit_test(who_stops_being_calm_is_heard_in_the_rest),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
