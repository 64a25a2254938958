/* SPDX-License-Identifier: MIT */
/*
 * Readiness of descriptors by epoll.
 *
 * Timeouts are microseconds because rate limits are finer than a millisecond; where the system has
 * no epoll_pwait2 they are rounded up to milliseconds, never down, so that a timer is not waited
 * for in a spin.
 *
 * Calm descriptors have an epoll of their own, which the first one watches while nobody rests.  So
 * what arrives for them meanwhile gathers and wakes nobody, and one look at the end of the rest
 * brings all of it; no descriptor is touched for that.
 */
#include "actors/kernel/poller.h"

#include "actors/kernel/clock.h"

#include <errno.h>
#include <limits.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define POLLER_MAGIC 0x504f4c4cu
#define BATCH_MAX    256u

struct poller {
	uint32_t magic;
	int fd;
	int calm;           /* epoll of the calm ones; -1 until there is one */
	bool watched;       /* fd watches calm */
	int64_t rest_until; /* us */
	bool no_pwait2;     /* the system does not have it */
};

struct poller *poller_new(void)
{
	struct poller *p;

	ALLOC_OBJ(p, POLLER_MAGIC);
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	must(p->fd >= 0);
	p->calm = -1;
	return p;
}

void poller_free(struct poller **pp)
{
	struct poller *p;

	TAKE_OBJ(p, pp, POLLER_MAGIC);
	close(p->fd);
	if (p->calm >= 0)
		close(p->calm);
	FREE_OBJ(p);
}

static int epoll_of(const struct poller *p, bool calm)
{
	return calm ? p->calm : p->fd;
}

/* The epoll of the calm ones is there.  false: no descriptor is left for it. */
static bool make_calm(struct poller *p)
{
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = p};

	if (p->calm >= 0)
		return true;
	p->calm = epoll_create1(EPOLL_CLOEXEC);
	if (p->calm < 0)
		return false;
	if (epoll_ctl(p->fd, EPOLL_CTL_ADD, p->calm, &ev) == 0) {
		p->watched = true;
		return true;
	}
	close(p->calm);
	p->calm = -1;
	return false;
}

static void watch_calm(struct poller *p, bool watch)
{
	struct epoll_event ev = {.events = watch ? EPOLLIN : 0, .data.ptr = p};

	if (p->watched == watch)
		return;
	must(epoll_ctl(p->fd, EPOLL_CTL_MOD, p->calm, &ev) == 0);
	p->watched = watch;
}

static enum err control(struct poller *p, int op, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = {.events = EPOLLRDHUP, .data.ptr = tag};

	CHECK_OBJ(p, POLLER_MAGIC);
	if ((events & POLL_CALM) && !make_calm(p))
		return E_NFILES;
	if (events & POLL_IN)
		ev.events |= EPOLLIN;
	if (events & POLL_OUT)
		ev.events |= EPOLLOUT;
	if (events & POLL_EDGE)
		ev.events |= EPOLLET;
	/* A level-triggered hang-up of a peer nobody wants to read from would spin. */
	else if (!(events & POLL_IN))
		ev.events &= ~(uint32_t)EPOLLRDHUP;
	if (epoll_ctl(epoll_of(p, events & POLL_CALM), op, fd, &ev) == 0)
		return E_OK;
	must(errno != EBADF && errno != EINVAL && errno != ENOENT && errno != EEXIST);
	return errno == ENOSPC ? E_NFILES : errno == ENOMEM ? E_NOMEM : E_UNSUPPORTED;
}

enum err poller_add(struct poller *p, int fd, uint32_t events, void *tag)
{
	return control(p, EPOLL_CTL_ADD, fd, events, tag);
}

enum err poller_mod(struct poller *p, int fd, uint32_t events, void *tag)
{
	return control(p, EPOLL_CTL_MOD, fd, events, tag);
}

void poller_del(struct poller *p, int fd, bool calm)
{
	CHECK_OBJ(p, POLLER_MAGIC);
	must(epoll_ctl(epoll_of(p, calm), EPOLL_CTL_DEL, fd, NULL) == 0);
}

enum err poller_move(struct poller *p, int fd, uint32_t events, void *tag)
{
	enum err err = control(p, EPOLL_CTL_ADD, fd, events, tag);

	if (err == E_OK)
		poller_del(p, fd, !(events & POLL_CALM));
	return err;
}

void poller_lost(struct poller *p, int fd, bool calm)
{
	CHECK_OBJ(p, POLLER_MAGIC);
	/* Closed, it has left by itself, and its number may be somebody else's. */
	must(epoll_ctl(epoll_of(p, calm), EPOLL_CTL_DEL, fd, NULL) == 0 || errno == EBADF ||
		errno == ENOENT || errno == EPERM);
}

void poller_rest(struct poller *p, int64_t until)
{
	CHECK_OBJ(p, POLLER_MAGIC);
	p->rest_until = until;
}

static int wait_ms(int fd, struct epoll_event *ev, int max, int64_t timeout_us)
{
	int64_t ms = timeout_us < 0 ? -1 : timeout_us / 1000 + (timeout_us % 1000 != 0);

	return epoll_wait(fd, ev, max, (int)MIN(ms, INT_MAX));
}

static int wait_us(struct poller *p, int fd, struct epoll_event *ev, int max, int64_t timeout_us)
{
	struct timespec ts = {
		.tv_sec = timeout_us / 1000000, .tv_nsec = timeout_us % 1000000 * 1000};
	int n;

	if (timeout_us <= 0 || p->no_pwait2)
		return wait_ms(fd, ev, max, timeout_us);
	n = epoll_pwait2(fd, ev, max, &ts, NULL);
	if (n < 0 && errno == ENOSYS) {
		p->no_pwait2 = true;
		return wait_ms(fd, ev, max, timeout_us);
	}
	return n;
}

static uint32_t ready_of(uint32_t e)
{
	uint32_t r = 0;

	if (e & (EPOLLIN | EPOLLRDHUP))
		r |= POLL_IN;
	if (e & EPOLLRDHUP)
		r |= POLL_HUP;
	if (e & EPOLLOUT)
		r |= POLL_OUT;
	if (e & (EPOLLERR | EPOLLHUP))
		r |= POLL_ERR | POLL_IN | POLL_OUT;
	return r;
}

/* Adds to the n events that are there; those of the calm epoll itself only say *calm. */
static unsigned look(struct poller *p, int fd, struct poll_event *out, unsigned n, unsigned max,
	int64_t timeout_us, bool *calm)
{
	struct epoll_event ev[BATCH_MAX];
	int got = wait_us(p, fd, ev, (int)MIN(max - n, BATCH_MAX), timeout_us);

	if (got < 0) {
		must(errno == EINTR);
		return n;
	}
	for (int i = 0; i < got; i++) {
		if (ev[i].data.ptr == p)
			*calm = true;
		else
			out[n++] = (struct poll_event){
				.tag = ev[i].data.ptr, .events = ready_of(ev[i].events)};
	}
	return n;
}

unsigned poller_wait(struct poller *p, struct poll_event *out, unsigned max, int64_t timeout_us)
{
	bool rests, calm = false;
	unsigned n;
	int64_t rest;

	CHECK_OBJ(p, POLLER_MAGIC);
	if (p->calm < 0)
		return look(p, p->fd, out, 0, max, timeout_us, &calm);
	rest = p->rest_until > 0 ? p->rest_until - clock_mono_us() : 0;
	rests = rest > 0;
	watch_calm(p, !rests);
	if (rests && (timeout_us < 0 || timeout_us > rest))
		timeout_us = rest;
	n = look(p, p->fd, out, 0, max, timeout_us, &calm);
	if (rests)
		calm = clock_mono_us() >= p->rest_until;
	if (calm && n < max)
		n = look(p, p->calm, out, n, max, 0, &calm);
	return n;
}
