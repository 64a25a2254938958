/* SPDX-License-Identifier: MIT */
/*
 * Host names to addresses without ever blocking the actor.
 *
 * A name server that does not answer holds a lookup for half a minute, and nothing can take it
 * back: the C library writes its answer into our memory when it pleases.  So a lookup belongs to
 * the name, not to the one who asked; askers come and go, and a name is only freed when its lookup
 * is over.
 *
 * Invariants: a host is WAITING (in `waiting`), RUNNING (in `running`, at most RESOLVER_LOOKUPS) or
 * KNOWN (in no list, nobody waits for it).
 */
#include "actors/fetch/resolve.h"

#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "actors/fetch/address_filter.h"
#include "actors/kernel/net.h"

#define RESOLVER_MAGIC 0x5245534fu
#define HOST_MAGIC     0x484f5354u
#define BUCKETS        256u
#define NAME_MAX_      253u

static const int64_t GOOD_FOR = 300 * USEC_PER_SEC;
static const int64_t BAD_FOR = 60 * USEC_PER_SEC;
static const int64_t POLL_MIN = 1 * USEC_PER_MSEC;
static const int64_t POLL_MAX = 50 * USEC_PER_MSEC;

enum host_state { HOST_WAITING, HOST_RUNNING, HOST_KNOWN };

struct host {
	uint32_t magic;
	enum host_state state;
	struct host *next; /* in its bucket */
	TAILQ_ENTRY(host) link;
	TAILQ_HEAD(, resolver_wait) waits;
	char *name; /* owned */
	struct gaicb cb;
	int64_t until; /* KNOWN: how long the answer is good */
	enum err err;
	unsigned n;
	struct endpoint at[RESOLVER_ADDRESSES];
};

TAILQ_HEAD(host_list, host);

struct resolver {
	uint32_t magic;
	struct loop *loop;
	struct loop_timer timer;
	int64_t poll; /* us to the next look */
	uint64_t seed;
	char device[NET_DEVICE_MAX + 1]; /* "": any */
	unsigned hosts_n, running_n;
	struct host_list waiting, running;
	struct host *buckets[BUCKETS];
};

/* --- addresses --- */

static bool host_has(const struct host *h, const struct endpoint *e)
{
	for (unsigned i = 0; i < h->n; i++)
		if (endpoint_same_ip(&h->at[i], e))
			return true;
	return false;
}

static void keep_answer(struct host *h, int rc, const struct addrinfo *list)
{
	unsigned family_n[2] = {0, 0};
	struct endpoint e;

	h->n = 0;
	for (; rc == 0 && list != NULL; list = list->ai_next) {
		if (!address_of_sockaddr(list->ai_addr, list->ai_family, list->ai_addrlen, &e))
			continue;
		e.port = 0;
		if (host_has(h, &e))
			continue;
		if (family_n[endpoint_is_v4(&e)]++ < RESOLVER_ADDRESSES / 2)
			h->at[h->n++] = e;
	}
	h->err = h->n > 0 ? E_OK : E_DNS;
}

/* --- hosts --- */

static unsigned bucket_of(const struct resolver *r, const char *name)
{
	uint64_t v = 0xcbf29ce484222325u ^ r->seed;

	for (; *name != '\0'; name++)
		v = (v ^ (uint8_t)*name) * 0x100000001b3u;
	return (unsigned)(v >> 32) % BUCKETS;
}

static void free_host(struct resolver *r, struct host **ph)
{
	struct host *h;

	TAKE_OBJ(h, ph, HOST_MAGIC);
	must(TAILQ_EMPTY(&h->waits));
	r->hosts_n--;
	xfree(h->name);
	FREE_OBJ(h);
}

/* The host of that name; others of its bucket whose answers are too old go on the way. */
static struct host *find_host(struct resolver *r, const char *name, int64_t now)
{
	struct host **p = &r->buckets[bucket_of(r, name)], *found = NULL;

	while (*p != NULL) {
		struct host *h = *p;

		if (h->state == HOST_KNOWN && h->until <= now) {
			*p = h->next;
			free_host(r, &h);
			continue;
		}
		if (strcmp(h->name, name) == 0)
			found = h;
		p = &h->next;
	}
	return found;
}

static struct host *add_host(struct resolver *r, const char *name)
{
	unsigned b = bucket_of(r, name);
	struct host *h;

	ALLOC_OBJ(h, HOST_MAGIC);
	h->name = xstrdup(name);
	h->state = HOST_WAITING;
	TAILQ_INIT(&h->waits);
	h->next = r->buckets[b];
	r->buckets[b] = h;
	r->hosts_n++;
	TAILQ_INSERT_TAIL(&r->waiting, h, link);
	return h;
}

static void copy_answer(struct resolver_wait *w, const struct host *h)
{
	w->err = h->err;
	w->n = h->n;
	memcpy(w->at, h->at, sizeof w->at);
}

/* A callback may ask again or cancel others: the list is taken from the front until it is empty. */
static void finish_host(struct resolver *r, struct host *h)
{
	struct resolver_wait *w;

	h->state = HOST_KNOWN;
	h->until = loop_now(r->loop) + (h->err == E_OK ? GOOD_FOR : BAD_FOR);
	while ((w = TAILQ_FIRST(&h->waits)) != NULL) {
		TAILQ_REMOVE(&h->waits, w, link);
		w->host = NULL;
		w->resolver = NULL;
		copy_answer(w, h);
		w->fn(w);
	}
}

/* --- lookups --- */

/*
 * ThreadSanitizer does not know threads that the C library makes for itself and dies in them; under
 * it names are looked up at once.
 */
#ifdef __SANITIZE_THREAD__
static int begin_lookup(struct host *h)
{
	(void)h;
	return 0;
}

static int poll_lookup(struct host *h)
{
	return getaddrinfo(h->cb.ar_name, NULL, h->cb.ar_request, &h->cb.ar_result);
}

static int drop_lookup(struct host *h)
{
	(void)h;
	return EAI_CANCELED;
}
#else
static int begin_lookup(struct host *h)
{
	struct sigevent quiet = {.sigev_notify = SIGEV_NONE};
	struct gaicb *list[1] = {&h->cb};

	return getaddrinfo_a(GAI_NOWAIT, list, 1, &quiet);
}

static int poll_lookup(struct host *h)
{
	return gai_error(&h->cb);
}

static int drop_lookup(struct host *h)
{
	return gai_cancel(&h->cb);
}
#endif

static void start_waiting(struct resolver *r)
{
	static const struct addrinfo hints = {
		.ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM, .ai_flags = AI_IDN};
	struct host *h;

	while (r->running_n < RESOLVER_LOOKUPS && (h = TAILQ_FIRST(&r->waiting)) != NULL) {
		TAILQ_REMOVE(&r->waiting, h, link);
		h->cb = (struct gaicb){.ar_name = h->name, .ar_request = &hints};
		if (begin_lookup(h) != 0) {
			h->err = E_DNS;
			finish_host(r, h);
			continue;
		}
		h->state = HOST_RUNNING;
		TAILQ_INSERT_TAIL(&r->running, h, link);
		r->running_n++;
		r->poll = POLL_MIN;
	}
	if (r->running_n > 0)
		loop_timer_set(r->loop, &r->timer, loop_now(r->loop) + r->poll);
}

static void look_at_lookups(struct loop_timer *t, int64_t now)
{
	struct resolver *r = container_of(t, struct resolver, timer);
	struct host *h, *next;
	int rc;

	(void)now;
	CHECK_OBJ(r, RESOLVER_MAGIC);
	r->poll = MIN(r->poll * 2, POLL_MAX);
	for (h = TAILQ_FIRST(&r->running); h != NULL; h = next) {
		next = TAILQ_NEXT(h, link);
		rc = poll_lookup(h);
		if (rc == EAI_INPROGRESS)
			continue;
		TAILQ_REMOVE(&r->running, h, link);
		r->running_n--;
		keep_answer(h, rc, h->cb.ar_result);
		if (rc == 0 && h->cb.ar_result != NULL)
			freeaddrinfo(h->cb.ar_result);
		finish_host(r, h);
	}
	start_waiting(r);
}

/* --- outside --- */

struct resolver *resolver_new(struct loop *loop, uint64_t seed, const char *device)
{
	struct resolver *r;

	ALLOC_OBJ(r, RESOLVER_MAGIC);
	r->loop = loop;
	r->seed = seed;
	snprintf(r->device, sizeof r->device, "%s", device);
	r->poll = POLL_MIN;
	r->timer.fn = look_at_lookups;
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->running);
	return r;
}

static void free_or_leave(struct resolver *r, struct host *h)
{
	int rc = h->state == HOST_RUNNING ? drop_lookup(h) : EAI_CANCELED;

	if (rc == EAI_NOTCANCELED)
		return; /* a thread of the C library still writes to it */
	if (rc == EAI_ALLDONE && h->cb.ar_result != NULL)
		freeaddrinfo(h->cb.ar_result);
	free_host(r, &h);
}

void resolver_free(struct resolver **pr)
{
	struct resolver *r;
	struct host *h, *next;

	TAKE_OBJ(r, pr, RESOLVER_MAGIC);
	loop_timer_del(r->loop, &r->timer);
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (h = r->buckets[i]; h != NULL; h = next) {
			next = h->next;
			free_or_leave(r, h);
		}
	}
	FREE_OBJ(r);
}

static void give_answer(struct loop_task *task)
{
	struct resolver_wait *w = container_of(task, struct resolver_wait, task);

	w->resolver = NULL;
	w->fn(w);
}

static void answer_later(struct resolver_wait *w)
{
	w->task.fn = give_answer;
	loop_task_post(w->resolver->loop, &w->task);
}

void resolver_ask(struct resolver *r, struct resolver_wait *w, const char *name)
{
	size_t n = strlen(name);
	struct host *h;

	CHECK_OBJ(r, RESOLVER_MAGIC);
	must(w->resolver == NULL);
	w->resolver = r;
	w->host = NULL;
	w->n = 1;
	w->err = endpoint_parse_ip(name, n, &w->at[0]);
	if (w->err == E_OK) {
		answer_later(w);
		return;
	}
	if (r->device[0] != '\0' && net_device_index(r->device) == 0) {
		w->err = E_UNREACHABLE;
		w->n = 0;
		answer_later(w);
		return;
	}
	h = n <= NAME_MAX_ ? find_host(r, name, loop_now(r->loop)) : NULL;
	if (h != NULL && h->state == HOST_KNOWN) {
		copy_answer(w, h);
		answer_later(w);
		return;
	}
	if (h == NULL && (n > NAME_MAX_ || r->hosts_n >= RESOLVER_HOSTS)) {
		w->err = n > NAME_MAX_ ? E_DNS : E_OVERLOAD;
		w->n = 0;
		answer_later(w);
		return;
	}
	if (h == NULL)
		h = add_host(r, name);
	w->host = h;
	TAILQ_INSERT_TAIL(&h->waits, w, link);
	/* Not at once: a lookup that fails to start would answer from in here. */
	if (!loop_timer_is_set(&r->timer))
		loop_timer_set(r->loop, &r->timer, loop_now(r->loop));
}

void resolver_cancel(struct resolver_wait *w)
{
	if (w->resolver == NULL)
		return;
	if (w->host != NULL)
		TAILQ_REMOVE(&w->host->waits, w, link);
	else
		loop_task_del(w->resolver->loop, &w->task);
	w->host = NULL;
	w->resolver = NULL;
}
