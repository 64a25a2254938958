/* SPDX-License-Identifier: MIT */
/*
 * Host names to addresses without ever blocking the actor.
 *
 * A name server that does not answer holds a lookup for a while, so a lookup belongs to the name,
 * not to the one who asked; askers come and go, and a name is only freed when its lookup is over.
 * An answer comes from within dns.c, where nobody may be called: askers get it from a task.
 *
 * Invariants: a host is WAITING (in `waiting`), RUNNING (in no list, at most RESOLVER_LOOKUPS),
 * ANSWERED (in `answered`) or KNOWN (in no list, nobody waits for it).
 */
#include "actors/fetch/resolve.h"

#include <stdio.h>
#include <stdlib.h>

#include "actors/fetch/dns.h"
#include "actors/kernel/net.h"

#define RESOLVER_MAGIC 0x5245534fu
#define HOST_MAGIC     0x484f5354u
#define BUCKETS        256u
#define NAME_MAX_      253u

enum host_state { HOST_WAITING, HOST_RUNNING, HOST_ANSWERED, HOST_KNOWN };

struct host {
	uint32_t magic;
	enum host_state state;
	struct host *next; /* in its bucket */
	TAILQ_ENTRY(host) link;
	TAILQ_HEAD(, resolver_wait) waits;
	char *name; /* owned */
	struct resolver *resolver;
	int64_t until; /* KNOWN: how long the answer is good */
	struct dns_answer answer;
};

TAILQ_HEAD(host_list, host);

struct resolver {
	uint32_t magic;
	struct loop *loop;
	const struct config *config; /* owned reference */
	struct dns *dns;             /* owned */
	struct loop_task turn;       /* hands answers on and starts what waits */
	uint64_t seed;
	unsigned hosts_n, running_n;
	struct host_list waiting, answered;
	struct host *buckets[BUCKETS];
};

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
	h->resolver = r;
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
	w->err = h->answer.err;
	w->n = h->answer.n;
	memcpy(w->at, h->answer.at, sizeof w->at);
}

/* A callback may ask again or cancel others: the list is taken from the front until it is empty. */
static void finish_host(struct resolver *r, struct host *h)
{
	struct resolver_wait *w;

	h->state = HOST_KNOWN;
	h->until = loop_now(r->loop) + h->answer.keep;
	while ((w = TAILQ_FIRST(&h->waits)) != NULL) {
		TAILQ_REMOVE(&h->waits, w, link);
		w->host = NULL;
		w->resolver = NULL;
		copy_answer(w, h);
		w->fn(w);
	}
}

/* --- lookups --- */

static void take_answer(void *ctx, const struct dns_answer *a)
{
	struct resolver *r;
	struct host *h;

	CAST_OBJ(h, ctx, HOST_MAGIC);
	r = h->resolver;
	CHECK_OBJ(r, RESOLVER_MAGIC);
	h->answer = *a;
	h->state = HOST_ANSWERED;
	TAILQ_INSERT_TAIL(&r->answered, h, link);
	r->running_n--;
	loop_task_post(r->loop, &r->turn);
}

static void start_waiting(struct resolver *r)
{
	struct host *h;

	while (r->running_n < RESOLVER_LOOKUPS && (h = TAILQ_FIRST(&r->waiting)) != NULL &&
		dns_ready(r->dns)) {
		TAILQ_REMOVE(&r->waiting, h, link);
		h->state = HOST_RUNNING;
		r->running_n++;
		dns_ask(r->dns, h->name, take_answer, h);
	}
}

static void run_turn(struct loop_task *task)
{
	struct resolver *r = container_of(task, struct resolver, turn);
	struct host *h;

	CHECK_OBJ(r, RESOLVER_MAGIC);
	while ((h = TAILQ_FIRST(&r->answered)) != NULL) {
		TAILQ_REMOVE(&r->answered, h, link);
		finish_host(r, h);
	}
	start_waiting(r);
}

/* --- outside --- */

struct resolver *resolver_new(struct loop *loop, uint64_t seed, const struct config *c)
{
	struct resolver *r;

	ALLOC_OBJ(r, RESOLVER_MAGIC);
	r->loop = loop;
	r->seed = seed;
	r->config = config_ref(c);
	r->dns = dns_new(loop, c);
	r->turn.fn = run_turn;
	TAILQ_INIT(&r->waiting);
	TAILQ_INIT(&r->answered);
	return r;
}

void resolver_free(struct resolver **pr)
{
	struct resolver *r;
	struct host *h, *next;

	TAKE_OBJ(r, pr, RESOLVER_MAGIC);
	dns_free(&r->dns);
	loop_task_del(r->loop, &r->turn);
	for (unsigned i = 0; i < BUCKETS; i++) {
		for (h = r->buckets[i]; h != NULL; h = next) {
			next = h->next;
			free_host(r, &h);
		}
	}
	config_unref(&r->config);
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

static void refuse(struct resolver_wait *w, enum err err)
{
	w->err = err;
	w->n = 0;
	answer_later(w);
}

static bool is_away(const struct resolver *r)
{
	const char *device = r->config->network_interface;

	return device[0] != '\0' && net_device_index(device) == 0;
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
	if (n == 0 || n > NAME_MAX_ || is_away(r)) {
		refuse(w, is_away(r) ? E_UNREACHABLE : E_DNS);
		return;
	}
	h = find_host(r, name, loop_now(r->loop));
	if (h != NULL && h->state == HOST_KNOWN) {
		copy_answer(w, h);
		answer_later(w);
		return;
	}
	if (h == NULL && r->hosts_n >= RESOLVER_HOSTS) {
		refuse(w, E_OVERLOAD);
		return;
	}
	if (h == NULL)
		h = add_host(r, name);
	w->host = h;
	TAILQ_INSERT_TAIL(&h->waits, w, link);
	loop_task_post(r->loop, &r->turn);
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
