/* SPDX-License-Identifier: MIT */
/*
 * The set of actors: who there is, threads, start and stop.
 *
 * Inboxes are opened before any thread starts, because a sender connects to a name that must exist.
 * At the end they are drained once more after the last thread has gone, because an actor that has
 * ended may still be sent to by one that has not; only then may they close.  No message may be
 * alive after that.
 */
#include "actors/kernel/actor_priv.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>

#include "actors/kernel/log_priv.h"

#define STACK_BYTES ((size_t)4 << 20)

struct actors *actors_new(const struct msg_table *table)
{
	struct actors *set;

	must(table->n >= KMSG_FIRST_USER_ && table->n <= UINT16_MAX);
	must(table->roles_n <= ROLES_MAX);
	ALLOC_OBJ(set, ACTORS_MAGIC);
	set->table = table;
	set->bus = mailbus_new();
	set->trace = xcalloc(table->n, sizeof *set->trace);
	set->live = xcalloc(table->n, sizeof *set->live);
	set->depot = xcalloc(table->n, sizeof *set->depot);
	must(pthread_mutex_init(&set->depot_lock, NULL) == 0);
	must(sem_init(&set->ready, 0, 0) == 0);
	return set;
}

static void fill_dispatch(struct actor *a)
{
	const struct msg_table *table = a->set->table;
	const struct actor_handler *h;

	for (h = a->spec->handlers; h != NULL && h->fn != NULL; h++) {
		if (h->type == KMSG_NONE) { /* everything that has no line of its own */
			for (unsigned i = KMSG_FIRST_USER_; i < table->n; i++)
				if (a->dispatch[i] == NULL)
					a->dispatch[i] = h->fn;
			continue;
		}
		must(h->type >= KMSG_FIRST_USER_ && h->type < table->n);
		must(table->types[h->type].to >> ADDR_ROLE(a->addr) & 1u);
		a->dispatch[h->type] = h->fn;
	}
}

static struct actor *add(struct actors *set, uint16_t addr, const struct actor_spec *spec,
	const void *arg, bool here)
{
	unsigned role = ADDR_ROLE(addr), index = ADDR_INDEX(addr);
	struct actor *a;

	CHECK_OBJ(set, ACTORS_MAGIC);
	must(!set->started && set->n < ACTORS_MAX);
	must(role < set->table->roles_n && set->by_addr[role][index] == 0);
	must(strcmp(spec->role_name, set->table->roles[role]) == 0);
	ALLOC_OBJ(a, ACTOR_MAGIC);
	a->addr = addr;
	a->slot = (uint8_t)set->n;
	a->here = here;
	a->set = set;
	a->types = set->table->types;
	a->spec = spec;
	a->arg = arg;
	(void)snprintf(
		a->name, sizeof a->name, index ? "%.10s.%u" : "%.15s", spec->role_name, index);
	a->hand.actor = a->name;
	a->dispatch = xcalloc(set->table->n, sizeof *a->dispatch);
	a->spares = xcalloc(set->table->n, sizeof *a->spares);
	a->live = xcalloc(set->table->n, sizeof *a->live);
	a->in = xcalloc(set->table->n, sizeof *a->in);
	a->out = xcalloc(set->table->n, sizeof *a->out);
	fill_dispatch(a);
	a->loop = loop_new();
	a->inbox = inbox_open(set->bus, a->name);
	set->list[set->n++] = a;
	set->by_addr[role][index] = (uint8_t)set->n;
	return a;
}

struct actor *actors_add(
	struct actors *set, uint16_t addr, const struct actor_spec *spec, const void *arg)
{
	return add(set, addr, spec, arg, false);
}

struct actor *actors_add_here(
	struct actors *set, uint16_t addr, const struct actor_spec *spec, const void *arg)
{
	return add(set, addr, spec, arg, true);
}

/* --- start --- */

/* Every message has a handler in each role it is for, as far as the role is played in this set. */
static void check_handlers(const struct actors *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		const struct actor *a = set->list[i];

		for (unsigned t = KMSG_FIRST_USER_; t < set->table->n; t++) {
			if (!(a->types[t].to >> ADDR_ROLE(a->addr) & 1u) || a->dispatch[t] != NULL)
				continue;
			log_event(LOG_ERROR, "no_handler", "message=%s actor=%s",
				msg_name(a->types, (uint16_t)t), a->name);
			must_not_reach("a message has no handler");
		}
	}
}

/*
 * True when a message or a reply may go from one address to the other.  Where the table says
 * nothing of the kernel's own messages, anybody sends them.
 */
static bool may_send(const struct msg_table *table, uint16_t a, uint16_t r)
{
	uint32_t from = 1u << ADDR_ROLE(a), to = 1u << ADDR_ROLE(r);

	for (unsigned i = KMSG_NONE + 1; i < table->n; i++) {
		const struct msg_type *t = &table->types[i];
		bool call = t->deadline_ms > 0 || i < KMSG_FIRST_USER_;

		if (i < KMSG_FIRST_USER_ && t->from == 0)
			return true;
		if ((t->from & from) && (t->to & to))
			return true;
		if (call && (t->to & from) && (t->from & to))
			return true;
	}
	return false;
}

/*
 * Every outbox is opened before any thread starts: it needs a descriptor, and an actor that has a
 * message to send cannot wait for one.
 */
static void open_routes(struct actors *set)
{
	for (unsigned i = 0; i < set->n; i++) {
		struct actor *a = set->list[i];

		a->routes = xcalloc(set->n, sizeof *a->routes);
		for (unsigned k = 0; k < set->n; k++)
			if (may_send(set->table, a->addr, set->list[k]->addr))
				a->routes[k].box = outbox_open(set->bus, set->list[k]->name);
	}
}

/* How actors_join() reaches an actor: as the first actor of this thread does, or by an outbox of
 * its own. */
static void open_term(struct actors *set)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->list[i]->here)
			return;
	set->term = xcalloc(set->n, sizeof *set->term);
	for (unsigned i = 0; i < set->n; i++)
		set->term[i] = outbox_open(set->bus, set->list[i]->name);
}

static struct outbox *term_box(const struct actors *set, const struct actor *a)
{
	for (unsigned i = 0; i < set->n; i++)
		if (set->list[i]->here)
			return set->list[i]->routes[a->slot].box;
	return set->term[a->slot];
}

unsigned actors_descriptors(const struct msg_table *table, const uint16_t *addrs, unsigned n)
{
	unsigned sum = MAILBUS_DESCRIPTORS + n * (LOOP_DESCRIPTORS + 1);

	for (unsigned i = 0; i < n; i++)
		for (unsigned k = 0; k < n; k++)
			sum += may_send(table, addrs[i], addrs[k]);
	return sum;
}

static void *run_thread(void *arg)
{
	struct actor *a;

	CAST_OBJ(a, arg, ACTOR_MAGIC);
	(void)pthread_setname_np(pthread_self(), a->name);
	actor_begin(a);
	must(sem_post(&a->set->ready) == 0);
	while (actor_turn(a, INT64_MAX))
		;
	return NULL;
}

static void wait_ready(struct actors *set)
{
	while (sem_wait(&set->ready) != 0)
		continue; /* EINTR */
}

/* One after the other, in the order they were added: an init may rely on the actors before it. */
static void start_thread(struct actor *a, const pthread_attr_t *attr)
{
	int err;

	if (a->here) {
		actor_begin(a);
		return;
	}
	err = pthread_create(&a->joinable, attr, run_thread, a);
	must(err == 0);
	a->threaded = true;
	wait_ready(a->set);
}

/* Signals are for main's signalfd; only those that a fault raises in the thread itself stay open.
 */
static void block_signals(sigset_t *old)
{
	static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP, SIGSYS};
	sigset_t all;

	must(sigfillset(&all) == 0);
	for (unsigned i = 0; i < ARRAY_LEN(faults); i++)
		must(sigdelset(&all, faults[i]) == 0);
	must(pthread_sigmask(SIG_BLOCK, &all, old) == 0);
}

void actors_start(struct actors *set)
{
	pthread_attr_t attr;
	sigset_t old;

	CHECK_OBJ(set, ACTORS_MAGIC);
	must(!set->started);
	check_handlers(set);
	open_routes(set);
	open_term(set);
	set->started = true;
	must(pthread_attr_init(&attr) == 0);
	must(pthread_attr_setstacksize(&attr, STACK_BYTES) == 0);
	block_signals(&old);
	for (unsigned i = 0; i < set->n; i++)
		start_thread(set->list[i], &attr);
	must(pthread_sigmask(SIG_SETMASK, &old, NULL) == 0);
	must(pthread_attr_destroy(&attr) == 0);
}

void actors_start_here(struct actors *set)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	must(!set->started);
	check_handlers(set);
	open_routes(set);
	set->started = true;
	for (unsigned i = 0; i < set->n; i++) {
		actor_begin(set->list[i]);
		panic_hand_set(NULL);
	}
}

/* --- stop --- */

static void send_term(struct actors *set, struct actor *a)
{
	struct msg *m = xcalloc(1, msg_size(set->table->types, KMSG_TERM));

	m->magic = MSG_MAGIC;
	m->type = KMSG_TERM;
	m->to = a->addr;
	m->from = UINT16_MAX;
	m->queued = true;
	m->sent_us = clock_mono_us();
	set->live[KMSG_TERM]++;
	(void)__atomic_fetch_add(&a->mail, 1, __ATOMIC_RELAXED);
	must(outbox_send(term_box(set, a), m));
}

static void drain_left_over(struct actors *set, struct actor *a)
{
	void *p;

	while (inbox_recv(a->inbox, &p) == E_OK) {
		struct msg *m;

		CAST_OBJ(m, p, MSG_MAGIC);
		m->queued = false;
		set->live[m->type]--;
		msg_destroy(set->table->types, &m);
	}
}

static void check_nothing_lives(const struct actors *set)
{
	int64_t all = 0;

	for (unsigned t = 0; t < set->table->n; t++) {
		int64_t live = set->live[t];

		for (unsigned i = 0; i < set->n; i++)
			live += set->list[i]->live[t];
		if (live != 0)
			log_event(LOG_ERROR, "messages_alive", "type=%s n=%" PRId64,
				msg_name(set->table->types, (uint16_t)t), live);
		all += live < 0 ? -live : live;
	}
	must(all == 0);
}

/* An actor of this thread is turned by hand, but for the one that calls us: it ends here and now.
 */
static void end_here(struct actor *a)
{
	if (a->phase == ACTOR_ENDED)
		return;
	actor_enter(a);
	actor_finish(a);
	panic_hand_set(NULL);
	log_set_actor(NULL);
}

void actors_join(struct actors *set)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	must(set->started && !set->joined);
	for (unsigned i = 0; i < set->n; i++)
		if (set->list[i]->threaded)
			send_term(set, set->list[i]);
	for (unsigned i = 0; i < set->n; i++)
		if (set->list[i]->threaded)
			must(pthread_join(set->list[i]->joinable, NULL) == 0);
	for (unsigned i = 0; i < set->n; i++)
		if (!set->list[i]->threaded)
			end_here(set->list[i]);
	set->joined = true;
	for (unsigned i = 0; i < set->n; i++)
		drain_left_over(set, set->list[i]);
	check_nothing_lives(set);
}

static void free_routes(struct actor *a)
{
	for (unsigned i = 0; a->routes != NULL && i < a->set->n; i++) {
		if (a->routes[i].box != NULL)
			outbox_close(&a->routes[i].box);
		xfree(a->routes[i].v);
	}
	xfree(a->routes);
}

static void free_actor(struct actor **pa)
{
	struct actor *a;

	TAKE_OBJ(a, pa, ACTOR_MAGIC);
	log_set_actor(a->name); /* for a panic about what it left in its loop */
	loop_free(&a->loop);
	log_set_actor(NULL);
	inbox_close(&a->inbox);
	xfree(a->dispatch);
	xfree(a->spares);
	xfree(a->live);
	xfree(a->in);
	xfree(a->out);
	FREE_OBJ(a);
}

void actors_free(struct actors **pset)
{
	struct actors *set;

	TAKE_OBJ(set, pset, ACTORS_MAGIC);
	must(set->joined || !set->started);
	for (unsigned i = 0; i < set->n; i++)
		free_routes(set->list[i]);
	for (unsigned i = 0; set->term != NULL && i < set->n; i++)
		outbox_close(&set->term[i]);
	xfree(set->term);
	for (unsigned i = 0; i < set->n; i++)
		free_actor(&set->list[i]);
	mailbus_free(&set->bus);
	must(sem_destroy(&set->ready) == 0);
	must(pthread_mutex_destroy(&set->depot_lock) == 0);
	msg_depot_free(set);
	xfree(set->live);
	xfree(set->trace);
	FREE_OBJ(set);
}

/* --- looking in from outside --- */

unsigned actors_count(const struct actors *set)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	return set->n;
}

struct actor *actors_at(const struct actors *set, unsigned i)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	must(i < set->n);
	return set->list[i];
}

void actors_state(const struct actors *set, unsigned i, struct actor_state *out)
{
	const struct actor *a = actors_at(set, i);
	uint16_t handling = __atomic_load_n(&a->handling, __ATOMIC_RELAXED);

	*out = (struct actor_state){
		.addr = a->addr,
		.role = a->name,
		.handling = handling,
		.handling_name = handling ? msg_name(a->types, handling) : NULL,
		.since_us = __atomic_load_n(&a->since_us, __ATOMIC_RELAXED),
		.turns = stat_get(a, STAT_TURNS),
	};
}

static uint64_t *copy_counts(const uint64_t *from, unsigned n)
{
	uint64_t *v = xcalloc(n, sizeof *v);

	for (unsigned i = 0; i < n; i++)
		v[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	return v;
}

void actors_counters(const struct actors *set, unsigned i, struct actor_counters *out)
{
	const struct actor *a;
	uint32_t waiting;

	CHECK_OBJ(set, ACTORS_MAGIC);
	a = actors_at(set, i);
	waiting = __atomic_load_n(&a->mail, __ATOMIC_RELAXED);
	*out = (struct actor_counters){
		.handling = __atomic_load_n(&a->handling, __ATOMIC_RELAXED),
		.in = copy_counts(a->in, set->table->n),
		.out = copy_counts(a->out, set->table->n),
		.calls = __atomic_load_n(&a->calls.n, __ATOMIC_RELAXED),
		.waiting = waiting,
		.waiting_most = MAX(waiting, __atomic_load_n(&a->mail_most, __ATOMIC_RELAXED)),
		.turned_us = __atomic_load_n(&a->turned_us, __ATOMIC_RELAXED),
	};
	memcpy(out->name, a->name, sizeof out->name);
	for (unsigned s = 0; s < STAT_MAX_; s++)
		out->stats[s] = stat_get(a, (enum stat_kind)s);
}

void actor_counters_fini(struct actor_counters *c)
{
	xfree(c->in);
	xfree(c->out);
	c->in = c->out = NULL;
}

static unsigned find_type(const struct msg_table *table, const char *name)
{
	unsigned t = KMSG_NONE + 1;

	while (t < table->n && strcasecmp(name, msg_name(table->types, (uint16_t)t)) != 0)
		t++;
	return t;
}

bool actors_trace(struct actors *set, const char *const *names, size_t n, const char **unknown)
{
	CHECK_OBJ(set, ACTORS_MAGIC);
	for (unsigned t = 0; t < set->table->n; t++)
		__atomic_store_n(&set->trace[t], 0, __ATOMIC_RELAXED);
	*unknown = NULL;
	for (size_t i = 0; i < n; i++) {
		unsigned t = find_type(set->table, names[i]);

		if (t < set->table->n)
			__atomic_store_n(&set->trace[t], 1, __ATOMIC_RELAXED);
		else
			*unknown = names[i];
	}
	return *unknown == NULL;
}
