/* SPDX-License-Identifier: MIT */
/*
 * Who is due, and who is next, without a look at everybody.
 *
 * An actor becomes due by a message, by readiness of a descriptor, or by its own deadline, which
 * only its own turn changes, or a driver that acts in its name.  Whoever may have become due is
 * touched; a round looks at those, and at the deadlines that have come, which lie in a heap.
 *
 * Invariant: between rounds a seat that is not touched is not due, and its deadline is in the heap.
 */
#include "tests/sim/lib/priv.h"

void seat_touch(struct daemon *d, unsigned actor)
{
	struct sim *s = d->s;
	struct seat *x = &d->seats[actor];

	if (x->touched)
		return;
	x->touched = true;
	x->d = d;
	if (s->touched_n == s->touched_room) {
		s->touched_room = MAX(64u, 2 * s->touched_room);
		s->touched = xrealloc(s->touched, sizeof *s->touched * s->touched_room);
	}
	s->touched[s->touched_n++] = x;
}

/* --- the heap: 1 .. clock_n --- */

static void put_at(struct sim *s, uint32_t i, struct seat *x)
{
	s->clock[i] = x;
	x->place = i;
}

static void sift(struct sim *s, uint32_t i, struct seat *x)
{
	uint32_t kid;

	for (; i > 1 && x->at < s->clock[i / 2]->at; i /= 2)
		put_at(s, i, s->clock[i / 2]);
	for (; (kid = 2 * i) <= s->clock_n; i = kid) {
		kid += kid < s->clock_n && s->clock[kid + 1]->at < s->clock[kid]->at;
		if (s->clock[kid]->at >= x->at)
			break;
		put_at(s, i, s->clock[kid]);
	}
	put_at(s, i, x);
}

static void take_out(struct sim *s, struct seat *x)
{
	uint32_t i = x->place;
	struct seat *last;

	if (i == 0)
		return;
	x->place = 0;
	last = s->clock[s->clock_n--];
	if (last != x)
		sift(s, i, last);
}

static void set_clock(struct sim *s, struct seat *x, int64_t at)
{
	if (x->place != 0 && x->at == at)
		return;
	take_out(s, x);
	x->at = at;
	if (at == INT64_MAX)
		return;
	if (s->clock_n + 1 >= s->clock_room) {
		s->clock_room = MAX(64u, 2 * s->clock_room);
		s->clock = xrealloc(s->clock, sizeof(struct seat *) * s->clock_room);
	}
	sift(s, ++s->clock_n, x);
}

/* --- who waits for a disk --- */

void seat_busy(struct sim *s, int64_t until)
{
	if (s->turn != NULL)
		s->turn->busy = MAX(s->turn->busy, until);
}

int64_t seat_sends_at(const struct sim *s)
{
	return s->turn != NULL ? MAX(s->turn->busy, s->now) : s->now;
}

/* --- rounds --- */

static unsigned slot_of(const struct seat *x)
{
	return (unsigned)(x - x->d->seats);
}

static bool is_due(const struct seat *x, int64_t deadline)
{
	unsigned i = slot_of(x);

	return inbox_waiting(x->d->inboxes[i]) > 0 || poller_ready(x->d->pollers[i]) ||
	       deadline <= x->d->s->now;
}

static void add_due(struct sim *s, struct seat *x)
{
	if (s->due_n == s->due_room) {
		s->due_room = MAX(64u, 2 * s->due_room);
		s->due = xrealloc(s->due, sizeof *s->due * s->due_room);
	}
	s->due[s->due_n++] = x;
}

static void look_at(struct sim *s, struct seat *x)
{
	int64_t deadline;

	x->touched = false;
	if (!x->d->alive)
		return;
	deadline = actor_deadline(actors_at(x->d->set, slot_of(x)));
	if (x->busy > s->now)
		set_clock(s, x, x->busy);
	else if (is_due(x, deadline)) {
		take_out(s, x);
		add_due(s, x);
	} else {
		set_clock(s, x, deadline);
	}
}

void sched_collect(struct sim *s)
{
	must(s->due_n == 0);
	while (s->clock_n > 0 && s->clock[1]->at <= s->now) {
		struct seat *x = s->clock[1];

		take_out(s, x);
		seat_touch(x->d, slot_of(x));
	}
	for (uint32_t i = 0; i < s->touched_n; i++)
		look_at(s, s->touched[i]);
	s->touched_n = 0;
	for (unsigned i = s->due_n; i > 1; i--) {
		unsigned k = rng_below(&s->rng, i);
		struct seat *x = s->due[k];

		s->due[k] = s->due[i - 1];
		s->due[i - 1] = x;
	}
}

unsigned sched_next(struct sim *s, struct daemon **d)
{
	struct seat *x = s->due[--s->due_n];

	*d = x->d;
	s->turn = x;
	/* Where its deadline is now, the next round sees. */
	seat_touch(x->d, slot_of(x));
	return slot_of(x);
}

int64_t sched_deadline(const struct sim *s)
{
	must(s->touched_n == 0);
	return s->clock_n > 0 ? s->clock[1]->at : INT64_MAX;
}

void sched_begin(struct daemon *d)
{
	for (unsigned i = 0; i < actors_count(d->set); i++)
		seat_touch(d, i);
}

void sched_end(struct daemon *d)
{
	for (unsigned i = 0; i < SLOTS_MAX; i++)
		take_out(d->s, &d->seats[i]);
}
