/* SPDX-License-Identifier: MIT */
/*
 * What is to be found or stored: a walk towards a target in each family of addresses, and then,
 * when something is stored, a message to the nodes at its end.
 *
 * What is stored goes to the same endpoint that gave the token, by the same socket.
 */
#include "proto/base/array.h"
#include "proto/dht/priv.h"

#define PUTS_MAX    (4 * KAD_K)
#define FOUND_MAX   1000u
#define SAMPLES_MAX 1000u

struct put {
	struct krpc_node to;
	uint8_t token_n;
	uint8_t token[KRPC_TOKEN_MAX];
};

struct kad_task {
	struct link link; /* in kad->tasks */
	struct kad *kad;
	struct kad_id target;
	uint64_t job; /* 0: of a torrent */
	enum kad_goal goal;
	const struct kad_task_ops *ops;
	void *owner;
	bool announce, seed, begun;
	struct kad_lookup *lookup[KAD_FAMILIES];
	unsigned answered;
	struct put puts[PUTS_MAX];
	unsigned puts_n, puts_next, puts_waiting, stored;
	unsigned refused;      /* KAD_PUT: nodes that say they have a newer item */
	bool outdated;         /* one was seen, with its owner's signature */
	struct kad_item *item; /* owned: to be put, or found; NULL: none */
	uint8_t salt[KAD_SALT_MAX];
	size_t salt_n;
	bool has_cas;
	int64_t cas;
	struct endpoint *found; /* owned */
	uint32_t found_n, found_room;
	struct kad_bloom seeds, peers;
	bool scraped;
	struct kad_id *samples; /* owned */
	uint32_t samples_n, samples_room;
	uint64_t samples_all;
};

/* --- the end --- */

void kad_task_free(struct kad_task **tp)
{
	struct kad_task *t = *tp;

	*tp = NULL;
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		if (t->lookup[f] != NULL)
			kad_lookup_free(&t->lookup[f]);
	kad_asked_forget(t->kad, t);
	link_remove(&t->link);
	xfree(t->item);
	xfree(t->found);
	xfree(t->samples);
	xfree(t);
}

static enum err outcome(const struct kad_task *t)
{
	if (t->answered == 0 && t->item == NULL && t->found_n == 0 && !t->scraped)
		return E_UNREACHABLE;
	switch (t->goal) {
	case KAD_GET:
		return t->item != NULL ? E_OK : E_NOT_FOUND;
	case KAD_PUT:
		/* Anybody can say so: a few do not undo what others have stored. */
		if (t->outdated || t->refused > t->stored)
			return E_EXISTS;
		return t->stored > 0 ? E_OK : E_UNREACHABLE;
	case KAD_SCRAPE:
		return t->scraped ? E_OK : E_NOT_FOUND;
	case KAD_SAMPLE:
		return E_OK;
	case KAD_PEERS:
		return t->found_n > 0 ? E_OK : E_NOT_FOUND;
	}
	return E_OK;
}

static void tell_job(const struct kad_task *t)
{
	struct kad_result r = {.job = t->job,
		.err = outcome(t),
		.answered = t->answered,
		.stored = t->stored,
		.samples = t->samples,
		.samples_n = t->samples_n,
		.samples_all = t->samples_all,
		.found = t->found,
		.found_n = t->found_n};

	if (t->goal == KAD_GET)
		r.item = t->item;
	if (t->goal == KAD_SCRAPE) {
		r.seeds = kad_bloom_count(&t->seeds);
		r.peers = kad_bloom_count(&t->peers);
	}
	t->kad->ops->done(t->kad->ctx, &r);
}

static void end(struct kad_task *t, int64_t now)
{
	if (t->job != 0)
		tell_job(t);
	else
		t->ops->done(t->owner, t->found_n, now);
	kad_task_free(&t);
}

/* --- storing --- */

static bool is_over(const struct kad_task *t)
{
	return t->lookup[KAD_V4] == NULL && t->lookup[KAD_V6] == NULL &&
	       t->puts_next == t->puts_n && t->puts_waiting == 0;
}

static void write_put(const struct kad_task *t, const struct put *p, struct krpc *m)
{
	const struct kad_config *c = &t->kad->config;

	m->token = (struct slice){p->token, p->token_n};
	if (t->job == 0) {
		m->method = KRPC_ANNOUNCE_PEER;
		m->target = t->target.b;
		m->has_port = true;
		m->port = c->port;
		m->seed = t->seed;
		return;
	}
	m->method = KRPC_PUT;
	kad_item_write(t->item, true, m);
	m->has_cas = t->has_cas;
	m->cas = t->cas;
}

static const struct kad_asker put_asker;

static void put_more(struct kad_task *t, int64_t now)
{
	while (t->puts_next < t->puts_n && t->puts_waiting < KAD_ALPHA) {
		const struct put *p = &t->puts[t->puts_next];
		struct krpc m = {0};

		write_put(t, p, &m);
		if (!kad_ask(t->kad, &p->to.at, &p->to.id, &m, &put_asker, t, now))
			return;
		t->puts_next++;
		t->puts_waiting++;
	}
	if (is_over(t))
		end(t, now);
}

static void on_stored(void *owner, const struct krpc_node *by, const struct krpc *m, int64_t now)
{
	struct kad_task *t = owner;

	(void)by;
	(void)m;
	t->stored++;
	t->puts_waiting--;
	put_more(t, now);
}

static void on_refused(
	void *owner, const struct endpoint *at, const struct krpc *error, int64_t now)
{
	struct kad_task *t = owner;

	(void)at;
	if (error != NULL && (error->code == KRPC_E_SEQ || error->code == KRPC_E_CAS))
		t->refused++;
	t->puts_waiting--;
	put_more(t, now);
}

static const struct kad_asker put_asker = {on_stored, NULL, on_refused};

static void note_puts(struct kad_task *t, const struct kad_lookup *l)
{
	const struct kad_cand *best[2 * KAD_K];
	unsigned n = kad_lookup_best(l, best, ARRAY_LEN(best));

	for (unsigned i = 0; i < n && t->puts_n < PUTS_MAX; i++) {
		struct put *p = &t->puts[t->puts_n++];

		p->to = best[i]->node;
		p->token_n = best[i]->token_n;
		memcpy(p->token, best[i]->token, p->token_n);
	}
}

/* --- what nodes say --- */

static bool is_found(const struct kad_task *t, const struct endpoint *e)
{
	for (uint32_t i = 0; i < t->found_n; i++)
		if (endpoint_equal(&t->found[i], e))
			return true;
	return false;
}

static void take_peers(struct kad_task *t, const struct endpoint *list, unsigned n)
{
	uint32_t before = t->found_n;

	for (unsigned i = 0; i < n && t->found_n < FOUND_MAX; i++)
		if (kad_allows(t->kad, &list[i]) && !is_found(t, &list[i]))
			ARRAY_PUSH(t->found, t->found_n, t->found_room, list[i]);
	if (t->job == 0 && t->found_n > before)
		t->ops->peers(t->owner, t->found + before, t->found_n - before);
}

static void take_filters(struct kad_task *t, const struct krpc *m)
{
	if (m->seeds == NULL || m->peers == NULL)
		return;
	t->scraped = true;
	kad_bloom_merge(&t->seeds, m->seeds);
	kad_bloom_merge(&t->peers, m->peers);
}

/* The item of the reply, if it is one that belongs to the target, newer than what we have. */
static bool take_item(struct kad_task *t, const struct krpc *m)
{
	struct kad_item item;
	struct kad_id target;
	int64_t known = t->item != NULL ? t->item->seq : INT64_MIN;

	if (kad_item_read(m, (struct slice){t->salt, t->salt_n}, &item) != 0)
		return false;
	target = kad_item_target(&item);
	if (!kad_id_equal(&target, &t->target) ||
		(item.mutable && (item.seq <= known || !kad_item_signed(&item))))
		return false;
	if (t->goal == KAD_PUT) {
		t->outdated |= item.mutable;
		return false;
	}
	xfree(t->item);
	t->item = xmemdup(&item, sizeof item);
	return !item.mutable;
}

static void take_samples(struct kad_task *t, const struct krpc *m)
{
	if (!m->has_samples)
		return;
	if (m->num > 0 && m->num < INT32_MAX)
		t->samples_all += (uint64_t)m->num;
	for (size_t i = 0; i + KAD_ID_SIZE <= m->samples.n && t->samples_n < SAMPLES_MAX;
		i += KAD_ID_SIZE) {
		struct kad_id id = kad_id_of(m->samples.p + i);
		bool known = false;

		for (uint32_t k = 0; k < t->samples_n && !known; k++)
			known = kad_id_equal(&t->samples[k], &id);
		if (!known)
			ARRAY_PUSH(t->samples, t->samples_n, t->samples_room, id);
	}
}

static bool on_heard(
	struct kad_lookup *l, const struct krpc_node *by, const struct krpc *m, int64_t now)
{
	struct kad_task *t = l->owner;
	struct endpoint list[KRPC_VALUES_MAX];
	unsigned n;

	(void)by;
	(void)now;
	t->answered++;
	switch (t->goal) {
	case KAD_PEERS:
		n = krpc_values(m->values, list, ARRAY_LEN(list));
		take_peers(t, list, n);
		return false;
	case KAD_SCRAPE:
		take_filters(t, m);
		return false;
	case KAD_SAMPLE:
		take_samples(t, m);
		return false;
	case KAD_GET:
	case KAD_PUT:
		return take_item(t, m);
	}
	return false;
}

static void on_question(struct kad_lookup *l, struct krpc *m)
{
	const struct kad_task *t = l->owner;

	m->scrape = t->goal == KAD_SCRAPE;
	m->noseed = t->goal == KAD_PEERS && t->seed;
}

static void on_walked(struct kad_lookup *l, int64_t now)
{
	struct kad_task *t = l->owner;

	t->lookup[l->family] = NULL;
	if (t->announce || (t->goal == KAD_PUT && !t->outdated))
		note_puts(t, l);
	put_more(t, now);
}

static const struct kad_lookup_ops lookup_ops = {on_question, on_heard, on_walked};

/* --- the beginning --- */

static struct kad_task *new_task(struct kad *k, const struct kad_id *target, enum kad_goal goal)
{
	struct kad_task *t = xcalloc(1, sizeof *t);

	t->kad = k;
	t->target = *target;
	t->goal = goal;
	link_append(&k->tasks, &t->link);
	k->kicked = true;
	return t;
}

/* We may be among those that store it. */
static void take_own(struct kad_task *t, int64_t now)
{
	struct kad *k = t->kad;
	struct endpoint list[KRPC_VALUES_MAX];
	struct kad_bloom seeds, peers;
	const struct kad_item *item;

	switch (t->goal) {
	case KAD_GET:
		item = kad_items_find(k->items, &t->target, now);
		if (item != NULL)
			t->item = xmemdup(item, sizeof *item);
		return;
	case KAD_PEERS:
		for (unsigned f = 0; f < KAD_FAMILIES; f++)
			take_peers(t, list,
				kad_store_pick(k->store, &t->target, f == KAD_V6, t->seed, list,
					ARRAY_LEN(list), &k->rng, now));
		return;
	case KAD_SCRAPE:
		if (!kad_store_scrape(k->store, &t->target, &seeds, &peers, now))
			return;
		t->scraped = true;
		kad_bloom_merge(&t->seeds, seeds.bits);
		kad_bloom_merge(&t->peers, peers.bits);
		return;
	case KAD_PUT:
	case KAD_SAMPLE:
		return;
	}
}

static void begin(struct kad_task *t, int64_t now)
{
	static const enum krpc_method methods[] = {[KAD_GET] = KRPC_GET,
		[KAD_PUT] = KRPC_GET,
		[KAD_SCRAPE] = KRPC_GET_PEERS,
		[KAD_SAMPLE] = KRPC_SAMPLE_INFOHASHES,
		[KAD_PEERS] = KRPC_GET_PEERS};
	struct kad_lookup *l[KAD_FAMILIES] = {NULL};

	t->begun = true;
	take_own(t, now);
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		if (t->kad->family[f].open)
			t->lookup[f] = l[f] = kad_lookup_new(
				t->kad, f, &t->target, methods[t->goal], &lookup_ops, t);
	if (l[KAD_V4] == NULL && l[KAD_V6] == NULL) {
		end(t, now);
		return;
	}
	/* The end of the last one is the end of the task. */
	if (l[KAD_V4] != NULL)
		kad_lookup_run(l[KAD_V4], now);
	if (l[KAD_V6] != NULL)
		kad_lookup_run(l[KAD_V6], now);
}

struct kad_task *kad_task_torrent(struct kad *k, const struct kad_id *id, bool announce, bool seed,
	const struct kad_task_ops *task_ops, void *owner)
{
	struct kad_task *t;

	CHECK_OBJ(k, KAD_MAGIC);
	t = new_task(k, id, KAD_PEERS);
	t->ops = task_ops;
	t->owner = owner;
	t->announce = announce && k->config.port != 0;
	t->seed = seed;
	return t;
}

uint64_t kad_start(struct kad *k, const struct kad_job *job, int64_t now)
{
	struct kad_task *t;

	(void)now;
	CHECK_OBJ(k, KAD_MAGIC);
	must(job->salt.n <= KAD_SALT_MAX && (job->goal != KAD_PUT || job->item != NULL));
	t = new_task(k, &job->target, job->goal);
	t->job = ++k->jobs;
	t->salt_n = job->salt.n;
	if (job->salt.n > 0)
		memcpy(t->salt, job->salt.p, job->salt.n);
	t->has_cas = job->has_cas;
	t->cas = job->cas;
	if (job->goal == KAD_PUT) {
		t->item = xmemdup(job->item, sizeof *job->item);
		t->target = kad_item_target(t->item);
		t->salt_n = t->item->salt_n;
		memcpy(t->salt, t->item->salt, t->salt_n);
	}
	return t->job;
}

void kad_tasks_tick(struct kad *k, int64_t now)
{
	struct link *at, *next;

	CHECK_OBJ(k, KAD_MAGIC);
	for (at = k->tasks.next; at != &k->tasks; at = next) {
		struct kad_task *t = container_of(at, struct kad_task, link);

		next = at->next;
		if (!t->begun)
			begin(t, now);
		else if (t->puts_next < t->puts_n)
			put_more(t, now);
	}
}

void kad_tasks_fini(struct kad *k)
{
	CHECK_OBJ(k, KAD_MAGIC);
	while (!link_empty(&k->tasks)) {
		struct kad_task *t = container_of(k->tasks.next, struct kad_task, link);

		kad_task_free(&t);
	}
}
