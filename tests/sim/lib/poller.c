/* SPDX-License-Identifier: MIT */
/*
 * Readiness the way epoll reports it.
 *
 * A descriptor is queued when something happens to it.  When the queue is looked at, all that it is
 * ready for is reported, whatever it was queued for; an edge-triggered one then leaves the queue
 * until the next thing happens, a level-triggered one stays in it as long as it is ready.  Calm
 * ones have a queue of their own, which is passed over while the poller rests.  It never sleeps:
 * the scheduler lets time pass.
 */
#include "tests/sim/lib/priv.h"

struct poller *poller_new(void)
{
	struct poller *p = xcalloc(1, sizeof *p);
	struct daemon *d = sim_world()->current;

	TAILQ_INIT(&p->ready);
	TAILQ_INIT(&p->calm);
	must(d != NULL && d->pollers_n < SLOTS_MAX);
	p->d = d;
	p->slot = d->pollers_n;
	d->pollers[d->pollers_n++] = p;
	return p;
}

void poller_free(struct poller **p)
{
	must(TAILQ_EMPTY(&(*p)->ready) && TAILQ_EMPTY(&(*p)->calm));
	xfree(*p);
	*p = NULL;
}

static bool rests(const struct poller *p)
{
	return p->rest_until > p->d->s->now;
}

bool poller_ready(const struct poller *p)
{
	return !TAILQ_EMPTY(&p->ready) || (!TAILQ_EMPTY(&p->calm) && !rests(p));
}

static struct watches *queue_of(const struct watch *w)
{
	return w->events & POLL_CALM ? &w->poller->calm : &w->poller->ready;
}

static struct watch *watch_of(int fd)
{
	struct sock *k;

	CAST_OBJ(k, fd_find(fd), SOCK_MAGIC);
	return &k->watch;
}

static void queue_watch(struct watch *w)
{
	if (w->poller == NULL || w->queued)
		return;
	w->queued = true;
	seat_touch(w->poller->d, w->poller->slot);
	TAILQ_INSERT_TAIL(queue_of(w), w, link);
}

static uint32_t ready_of(const struct watch *w)
{
	const struct sock *k =
		(const struct sock *)(const void *)((const char *)w - offsetof(struct sock, watch));
	uint32_t ready = sock_ready(k);

	/* Errors and hang-ups are reported whatever was asked for, and with all else. */
	return ready & POLL_ERR ? POLL_ERR | POLL_IN | POLL_OUT : ready & w->events;
}

void sock_wake(struct sock *k)
{
	queue_watch(&k->watch);
}

enum err poller_add(struct poller *p, int fd, uint32_t events, void *tag)
{
	struct watch *w = watch_of(fd);

	must(w->poller == NULL);
	*w = (struct watch){.poller = p, .events = events, .tag = tag};
	if (ready_of(w) != 0)
		queue_watch(w);
	return E_OK;
}

enum err poller_mod(struct poller *p, int fd, uint32_t events, void *tag)
{
	struct watch *w = watch_of(fd);

	must(w->poller == p && ((w->events ^ events) & POLL_CALM) == 0);
	w->events = events;
	w->tag = tag;
	if (ready_of(w) != 0)
		queue_watch(w);
	return E_OK;
}

enum err poller_move(struct poller *p, int fd, uint32_t events, void *tag)
{
	poller_del(p, fd, !(events & POLL_CALM));
	return poller_add(p, fd, events, tag);
}

void poller_del(struct poller *p, int fd, bool calm)
{
	struct watch *w = watch_of(fd);

	must(w->poller == p && calm == ((w->events & POLL_CALM) != 0));
	if (w->queued)
		TAILQ_REMOVE(queue_of(w), w, link);
	*w = (struct watch){0};
}

void poller_lost(struct poller *p, int fd, bool calm)
{
	poller_del(p, fd, calm);
}

void poller_rest(struct poller *p, int64_t until)
{
	p->rest_until = until;
}

static unsigned take(struct watches *q, struct poll_event *out, unsigned n, unsigned max)
{
	struct watch *w, *last = TAILQ_LAST(q, watches);

	while (n < max && (w = TAILQ_FIRST(q)) != NULL) {
		uint32_t ready = ready_of(w);

		TAILQ_REMOVE(q, w, link);
		w->queued = false;
		if (ready != 0)
			out[n++] = (struct poll_event){.tag = w->tag, .events = ready};
		if (ready != 0 && !(w->events & POLL_EDGE))
			queue_watch(w);
		if (w == last)
			break;
	}
	return n;
}

unsigned poller_wait(struct poller *p, struct poll_event *out, unsigned max, int64_t timeout_us)
{
	unsigned n = take(&p->ready, out, 0, max);

	(void)timeout_us;
	return rests(p) ? n : take(&p->calm, out, n, max);
}
