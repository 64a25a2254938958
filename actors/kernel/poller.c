/* SPDX-License-Identifier: MIT */
/*
 * Readiness of descriptors by epoll.
 *
 * Timeouts are microseconds because rate limits are finer than a millisecond; where the system has
 * no epoll_pwait2 they are rounded up to milliseconds, never down, so that a timer is not waited
 * for in a spin.
 */
#include "actors/kernel/poller.h"

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
	bool no_pwait2; /* the system does not have it */
};

struct poller *poller_new(void)
{
	struct poller *p;

	ALLOC_OBJ(p, POLLER_MAGIC);
	p->fd = epoll_create1(EPOLL_CLOEXEC);
	must(p->fd >= 0);
	return p;
}

void poller_free(struct poller **pp)
{
	struct poller *p;

	TAKE_OBJ(p, pp, POLLER_MAGIC);
	close(p->fd);
	FREE_OBJ(p);
}

static enum err control(struct poller *p, int op, int fd, uint32_t events, void *tag)
{
	struct epoll_event ev = {.events = EPOLLRDHUP, .data.ptr = tag};

	CHECK_OBJ(p, POLLER_MAGIC);
	if (events & POLL_IN)
		ev.events |= EPOLLIN;
	if (events & POLL_OUT)
		ev.events |= EPOLLOUT;
	if (events & POLL_EDGE)
		ev.events |= EPOLLET;
	/* A level-triggered hang-up of a peer nobody wants to read from would spin. */
	else if (!(events & POLL_IN))
		ev.events &= ~(uint32_t)EPOLLRDHUP;
	if (epoll_ctl(p->fd, op, fd, &ev) == 0)
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

void poller_del(struct poller *p, int fd)
{
	CHECK_OBJ(p, POLLER_MAGIC);
	must(epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL) == 0);
}

void poller_lost(struct poller *p, int fd)
{
	CHECK_OBJ(p, POLLER_MAGIC);
	/* Closed, it has left by itself, and its number may be somebody else's. */
	must(epoll_ctl(p->fd, EPOLL_CTL_DEL, fd, NULL) == 0 || errno == EBADF || errno == ENOENT ||
		errno == EPERM);
}

static int wait_ms(struct poller *p, struct epoll_event *ev, int max, int64_t timeout_us)
{
	int64_t ms = timeout_us < 0 ? -1 : timeout_us / 1000 + (timeout_us % 1000 != 0);

	return epoll_wait(p->fd, ev, max, (int)MIN(ms, INT_MAX));
}

static int wait_us(struct poller *p, struct epoll_event *ev, int max, int64_t timeout_us)
{
	struct timespec ts = {
		.tv_sec = timeout_us / 1000000, .tv_nsec = timeout_us % 1000000 * 1000};
	int n;

	if (timeout_us <= 0 || p->no_pwait2)
		return wait_ms(p, ev, max, timeout_us);
	n = epoll_pwait2(p->fd, ev, max, &ts, NULL);
	if (n < 0 && errno == ENOSYS) {
		p->no_pwait2 = true;
		return wait_ms(p, ev, max, timeout_us);
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

unsigned poller_wait(struct poller *p, struct poll_event *out, unsigned max, int64_t timeout_us)
{
	struct epoll_event ev[BATCH_MAX];
	int n;

	CHECK_OBJ(p, POLLER_MAGIC);
	n = wait_us(p, ev, (int)MIN(max, BATCH_MAX), timeout_us);
	if (n < 0) {
		must(errno == EINTR);
		return 0;
	}
	for (int i = 0; i < n; i++)
		out[i] = (struct poll_event){
			.tag = ev[i].data.ptr, .events = ready_of(ev[i].events)};
	return (unsigned)n;
}
