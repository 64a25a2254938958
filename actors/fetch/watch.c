/* SPDX-License-Identifier: MIT */
/* Descriptors that a library owns, in the loop. */
#include "actors/fetch/watch.h"

#define WATCH_MAGIC 0x57415443u

struct watch {
	uint32_t magic;
	int number; /* the descriptor, watched or not */
	struct watch_set *set;
	struct loop_fd fd;
	struct loop_reap reap;
};

void watch_set_init(struct watch_set *set, struct loop *loop,
	void (*fn)(struct watch_set *, int fd, uint32_t ready))
{
	*set = (struct watch_set){.loop = loop, .fn = fn};
}

static void run(struct loop_fd *fd, uint32_t ready)
{
	struct watch *w = container_of(fd, struct watch, fd);

	CHECK_OBJ(w, WATCH_MAGIC);
	w->set->fn(w->set, w->number, ready);
}

static void reap(struct loop_reap *r)
{
	struct watch *w = container_of(r, struct watch, reap);

	CHECK_OBJ(w, WATCH_MAGIC);
	FREE_OBJ(w);
}

struct watch *watch_new(struct watch_set *set, int fd)
{
	struct watch *w;

	ALLOC_OBJ(w, WATCH_MAGIC);
	w->set = set;
	w->number = fd;
	w->fd.fn = run;
	w->fd.fd = -1;
	w->reap.fn = reap;
	return w;
}

void watch_events(struct watch *w, uint32_t events)
{
	CHECK_OBJ(w, WATCH_MAGIC);
	if (w->fd.fd >= 0)
		loop_fd_events(w->set->loop, &w->fd, events);
	else
		(void)loop_fd_add(w->set->loop, &w->fd, w->number, events);
}

void watch_end(struct watch **pw)
{
	struct watch *w;

	TAKE_OBJ(w, pw, WATCH_MAGIC);
	loop_fd_lost(w->set->loop, &w->fd);
	if (w->set->closing)
		FREE_OBJ(w);
	else
		loop_reap_later(w->set->loop, &w->reap);
}
