/* SPDX-License-Identifier: MIT */
/* What is to happen in the world outside the actors: a heap by time, then by order of entry. */
#include "tests/sim/lib/priv.h"

static bool before(const struct event *a, const struct event *b)
{
	return a->at != b->at ? a->at < b->at : a->seq < b->seq;
}

static void sift_up(struct sim *s, uint32_t i, struct event e)
{
	for (; i > 0 && before(&e, &s->events[(i - 1) / 2]); i = (i - 1) / 2)
		s->events[i] = s->events[(i - 1) / 2];
	s->events[i] = e;
}

static void sift_down(struct sim *s, struct event e)
{
	uint32_t i = 0;

	for (;;) {
		uint32_t kid = 2 * i + 1;

		if (kid + 1 < s->events_n && before(&s->events[kid + 1], &s->events[kid]))
			kid++;
		if (kid >= s->events_n || !before(&s->events[kid], &e))
			break;
		s->events[i] = s->events[kid];
		i = kid;
	}
	s->events[i] = e;
}

void event_at(struct sim *s, int64_t at, event_f *fn, void *p, uint64_t arg)
{
	if (s->events_n == s->events_room) {
		s->events_room = MAX(1024u, 2 * s->events_room);
		s->events = xrealloc(s->events, sizeof *s->events * s->events_room);
	}
	sift_up(s, s->events_n++,
		(struct event){.at = MAX(at, s->now),
			.seq = s->events_seq++,
			.fn = fn,
			.p = p,
			.arg = arg});
}

int64_t event_next(const struct sim *s)
{
	return s->events_n > 0 ? s->events[0].at : INT64_MAX;
}

void event_run(struct sim *s)
{
	while (s->events_n > 0 && s->events[0].at <= s->now) {
		struct event e = s->events[0];

		if (--s->events_n > 0)
			sift_down(s, s->events[s->events_n]);
		e.fn(s, e.p, e.arg);
	}
}
