/* SPDX-License-Identifier: MIT */
/*
 * One actor's event loop: descriptors, a heap of timers, a run queue, deferred frees.
 *
 * The batch of events in hand may name an object that died earlier in the same turn: its node then
 * has fd -1 and is passed over, and its memory lasts until loop_run_reap().
 *
 * The heap keeps due times beside the nodes' addresses, so that sifting does not touch the nodes it
 * passes. heap[0] is not used, so that index 0 in a node can mean "not set".
 */
#include "actors/kernel/loop.h"

#define LOOP_MAGIC 0x4c4f4f50u
#define EVENTS_MAX 256u

struct slot {
	int64_t at;
	struct loop_timer *timer;
};

struct task_queue {
	struct loop_task *head;
	struct loop_task **tail;
};

struct loop {
	uint32_t magic;
	unsigned events_n;
	int64_t now; /* monotonic us */
	struct poller *poller;
	struct slot *heap; /* 1 .. heap_n */
	uint32_t heap_n, heap_cap;
	uint32_t fds_n;            /* descriptors that are added */
	uint32_t calm_n;           /* of them calm */
	int64_t rest_until;        /* monotonic us */
	struct task_queue tasks;   /* posted, for the next run */
	struct task_queue running; /* the rest of the run in hand */
	struct loop_reap *reap;
	struct poll_event events[EVENTS_MAX];
};

static void queue_clear(struct task_queue *q)
{
	q->head = NULL;
	q->tail = &q->head;
}

struct loop *loop_new(void)
{
	struct loop *l;

	ALLOC_OBJ(l, LOOP_MAGIC);
	l->poller = poller_new();
	l->now = clock_mono_us();
	queue_clear(&l->tasks);
	queue_clear(&l->running);
	return l;
}

void loop_free(struct loop **pl)
{
	struct loop *l;

	TAKE_OBJ(l, pl, LOOP_MAGIC);
	must(l->heap_n == 0);
	must(l->fds_n == 0);
	must(l->tasks.head == NULL && l->reap == NULL);
	poller_free(&l->poller);
	xfree(l->heap);
	FREE_OBJ(l);
}

int64_t loop_now(const struct loop *l)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	return l->now;
}

/* --- descriptors --- */

enum err loop_fd_add(struct loop *l, struct loop_fd *node, int fd, uint32_t events)
{
	enum err err;

	CHECK_OBJ(l, LOOP_MAGIC);
	must(fd >= 0 && node->fn != NULL);
	err = poller_add(l->poller, fd, events, node);
	node->fd = err == E_OK ? fd : -1;
	node->events = events;
	l->fds_n += err == E_OK;
	l->calm_n += err == E_OK && (events & POLL_CALM);
	return err;
}

void loop_fd_events(struct loop *l, struct loop_fd *node, uint32_t events)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	must(node->fd >= 0);
	if (events == node->events)
		return;
	must(((events ^ node->events) & POLL_CALM) == 0);
	node->events = events;
	must(poller_mod(l->poller, node->fd, events, node) == E_OK);
}

static void drop_fd(
	struct loop *l, struct loop_fd *node, void (*drop)(struct poller *, int fd, bool calm))
{
	bool calm = node->events & POLL_CALM;

	CHECK_OBJ(l, LOOP_MAGIC);
	if (node->fd < 0)
		return;
	drop(l->poller, node->fd, calm);
	node->fd = -1;
	l->calm_n -= calm;
	must(l->fds_n-- > 0);
}

void loop_fd_del(struct loop *l, struct loop_fd *node)
{
	drop_fd(l, node, poller_del);
}

void loop_fd_lost(struct loop *l, struct loop_fd *node)
{
	drop_fd(l, node, poller_lost);
}

void loop_fd_calm(struct loop *l, struct loop_fd *node, bool calm)
{
	uint32_t events = calm ? node->events | POLL_CALM : node->events & ~POLL_CALM;

	CHECK_OBJ(l, LOOP_MAGIC);
	must(node->fd >= 0);
	/* Where the system has no room for that it stays as it is: a wake-up more or a rest less.
	 */
	if (events == node->events || poller_move(l->poller, node->fd, events, node) != E_OK)
		return;
	node->events = events;
	l->calm_n = calm ? l->calm_n + 1 : l->calm_n - 1;
}

void loop_rest(struct loop *l, int64_t until)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	l->rest_until = until;
	poller_rest(l->poller, until);
}

bool loop_rests(const struct loop *l)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	return l->calm_n > 0 && l->rest_until > l->now;
}

void loop_run_events(struct loop *l)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	for (unsigned i = 0; i < l->events_n; i++) {
		struct loop_fd *node = l->events[i].tag;

		if (node->fd >= 0)
			node->fn(node, l->events[i].events);
	}
	l->events_n = 0;
}

/* --- timers --- */

static void place(struct loop *l, uint32_t i, struct slot s)
{
	l->heap[i] = s;
	s.timer->index = i;
}

/* Finds the place of s, starting at the hole i. */
static void sift(struct loop *l, uint32_t i, struct slot s)
{
	for (; i > 1 && s.at < l->heap[i / 2].at; i /= 2)
		place(l, i, l->heap[i / 2]);
	for (;;) {
		uint32_t kid = 2 * i;

		if (kid < l->heap_n && l->heap[kid + 1].at < l->heap[kid].at)
			kid++;
		if (kid > l->heap_n || l->heap[kid].at >= s.at)
			break;
		place(l, i, l->heap[kid]);
		i = kid;
	}
	place(l, i, s);
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t at)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	must(t->fn != NULL);
	t->at = at;
	if (t->index == 0) {
		if (l->heap_n + 1 >= l->heap_cap) {
			l->heap_cap = MAX(64u, l->heap_cap * 2);
			l->heap = xrealloc(l->heap, sizeof *l->heap * l->heap_cap);
		}
		t->index = ++l->heap_n;
	}
	must(t->index <= l->heap_n);
	sift(l, t->index, (struct slot){.at = at, .timer = t});
}

void loop_timer_del(struct loop *l, struct loop_timer *t)
{
	uint32_t i = t->index;
	struct slot last;

	CHECK_OBJ(l, LOOP_MAGIC);
	if (i == 0)
		return;
	must(i <= l->heap_n && l->heap[i].timer == t);
	t->index = 0;
	last = l->heap[l->heap_n--];
	if (last.timer != t)
		sift(l, i, last);
}

uint32_t loop_run_timers(struct loop *l)
{
	uint32_t fired = 0;

	CHECK_OBJ(l, LOOP_MAGIC);
	/* Bounded: a timer that sets itself to the present again runs in the next turn. */
	for (uint32_t left = l->heap_n; left > 0 && l->heap_n > 0 && l->heap[1].at <= l->now;
		left--) {
		struct loop_timer *t = l->heap[1].timer;

		loop_timer_del(l, t);
		t->fn(t, l->now);
		fired++;
	}
	return fired;
}

/* --- run queue --- */

void loop_task_post(struct loop *l, struct loop_task *t)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	must(t->fn != NULL);
	if (t->queued)
		return;
	t->queued = true;
	t->next = NULL;
	*l->tasks.tail = t;
	l->tasks.tail = &t->next;
}

static bool unlink_task(struct task_queue *q, struct loop_task *t)
{
	for (struct loop_task **p = &q->head; *p != NULL; p = &(*p)->next) {
		if (*p != t)
			continue;
		*p = t->next;
		if (q->tail == &t->next)
			q->tail = p;
		return true;
	}
	return false;
}

void loop_task_del(struct loop *l, struct loop_task *t)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	if (!t->queued)
		return;
	must(unlink_task(&l->tasks, t) || unlink_task(&l->running, t));
	t->queued = false;
}

void loop_run_tasks(struct loop *l)
{
	struct loop_task *t;

	CHECK_OBJ(l, LOOP_MAGIC);
	if (l->tasks.head == NULL)
		return;
	l->running = l->tasks;
	queue_clear(&l->tasks);
	while ((t = l->running.head) != NULL) {
		l->running.head = t->next;
		if (t->next == NULL)
			l->running.tail = &l->running.head;
		t->queued = false;
		t->fn(t);
	}
}

/* --- deferred frees --- */

void loop_reap_later(struct loop *l, struct loop_reap *r)
{
	CHECK_OBJ(l, LOOP_MAGIC);
	must(r->fn != NULL);
	r->next = l->reap;
	l->reap = r;
}

void loop_run_reap(struct loop *l)
{
	struct loop_reap *r;

	CHECK_OBJ(l, LOOP_MAGIC);
	must(l->events_n == 0);
	while ((r = l->reap) != NULL) {
		l->reap = r->next;
		r->fn(r);
	}
}

/* --- sleeping --- */

int64_t loop_deadline(const struct loop *l)
{
	int64_t due = INT64_MAX;

	CHECK_OBJ(l, LOOP_MAGIC);
	if (l->tasks.head != NULL)
		return 0;
	if (loop_rests(l))
		due = l->rest_until;
	return l->heap_n > 0 ? MIN(l->heap[1].at, due) : due;
}

void loop_wait(struct loop *l, int64_t max_us)
{
	int64_t due, wait = max_us;

	CHECK_OBJ(l, LOOP_MAGIC);
	due = loop_deadline(l);
	must(l->events_n == 0);
	if (due == 0)
		wait = 0;
	else if (due != INT64_MAX && wait != 0)
		wait = MIN(MAX(due - clock_mono_us(), 0), wait < 0 ? INT64_MAX : wait);
	if (wait == INT64_MAX)
		wait = -1;
	l->events_n = poller_wait(l->poller, l->events, EVENTS_MAX, wait);
	l->now = clock_mono_us();
}
