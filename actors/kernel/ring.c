/* SPDX-License-Identifier: MIT */
/*
 * The recent events of a thread, and whose thread it is: what a panic prints.
 *
 * It lives in thread-local storage and has one owner, allocates nothing and asserts nothing,
 * because it is read when something is broken.
 */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "actors/kernel/clock.h"
#include "actors/kernel/log_priv.h"

#define RING_N    256u
#define RING_TEXT 112u

struct recent {
	int64_t at_us; /* monotonic */
	const char *actor;
	char text[RING_TEXT];
};

struct ring {
	uint64_t n; /* events ever */
	struct recent ev[RING_N];
};

static __thread const char *actor_name;
static __thread struct ring ring;

void log_set_actor(const char *name)
{
	actor_name = name;
}

const char *log_actor(void)
{
	return actor_name != NULL ? actor_name : "main";
}

void log_ring_add(const char *event, const char *text, size_t n)
{
	struct recent *r = &ring.ev[ring.n++ % RING_N];
	size_t used = MIN(strlen(event), RING_TEXT - 2);

	r->at_us = clock_mono_us();
	r->actor = log_actor();
	memcpy(r->text, event, used);
	r->text[used++] = ' ';
	n = MIN(n, RING_TEXT - 1 - used);
	memcpy(r->text + used, text, n);
	r->text[used + n] = '\0';
}

void log_write(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t w = write(fd, p, n);

		if (w <= 0)
			return; /* there is nobody to tell */
		p += w;
		n -= (size_t)w;
	}
}

void log_ring_dump(int fd)
{
	uint64_t n = ring.n, first = n > RING_N ? n - RING_N : 0;
	int64_t now = clock_mono_us();
	char line[RING_TEXT + 64];

	for (uint64_t i = first; i < n; i++) {
		const struct recent *r = &ring.ev[i % RING_N];
		int len = snprintf(line, sizeof line, "  -%" PRId64 "us %s %s\n", now - r->at_us,
			r->actor, r->text);

		log_write(fd, line, MIN((size_t)len, sizeof line - 1));
	}
}
