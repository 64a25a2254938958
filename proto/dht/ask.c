/* SPDX-License-Identifier: MIT */
/*
 * Questions to other nodes, and the answers that are awaited.
 *
 * An answer is one when its transaction id, its sender and the node's name are the expected ones.
 * Ids are made of a keyed hash, so that nobody can foretell them.  All wait equally long: the
 * oldest are at the front of two lists, those before and behind the short wait.
 */
#include "proto/dht/priv.h"
#include "proto/meta/hash.h"

const struct slice kad_version = {(const uint8_t *)"TD\0\1", 4};

static uint32_t new_tid(struct kad *k)
{
	uint64_t n = ++k->asked.count;

	return (uint32_t)hash_keyed(k->secret, &n, sizeof n);
}

void kad_asked_init(struct kad *k)
{
	CHECK_OBJ(k, KAD_MAGIC);
	link_init(&k->asked.young);
	link_init(&k->asked.late);
}

static struct kad_question *first_of(const struct link *list)
{
	return link_empty(list) ? NULL : container_of(list->next, struct kad_question, by_age);
}

static struct kad_question **place_of(struct kad *k, uint32_t tid)
{
	struct kad_question **p = &k->asked.chain[tid % KAD_CHAINS];

	while (*p != NULL && (*p)->tid != tid)
		p = &(*p)->next;
	return p;
}

static void take_out(struct kad *k, struct kad_question *q)
{
	*place_of(k, q->tid) = q->next;
	link_remove(&q->by_age);
	k->asked.n--;
}

void kad_asked_fini(struct kad *k)
{
	struct kad_question *q;

	CHECK_OBJ(k, KAD_MAGIC);
	while ((q = first_of(&k->asked.young)) != NULL || (q = first_of(&k->asked.late)) != NULL) {
		take_out(k, q);
		xfree(q);
	}
}

static struct kad_question *remember(struct kad *k, uint32_t tid, const struct endpoint *to)
{
	struct kad_question *q = xcalloc(1, sizeof *q), **chain = &k->asked.chain[tid % KAD_CHAINS];

	q->tid = tid;
	q->at = *to;
	q->next = *chain;
	*chain = q;
	link_append(&k->asked.young, &q->by_age);
	k->asked.n++;
	return q;
}

bool kad_ask(struct kad *k, const struct endpoint *to, const struct kad_id *id, struct krpc *m,
	const struct kad_asker *asker, void *owner, int64_t now)
{
	CHECK_OBJ(k, KAD_MAGIC);
	struct kad_family *f = &k->family[kad_family_of(to)];
	uint8_t out[KRPC_IN_MAX];
	struct kad_question *q;
	uint32_t tid;
	size_t n;

	if (!f->open || k->asked.n >= KAD_ASKED_MAX || !kad_gate_ask(k->gate, to, now)) {
		k->held = true;
		k->counts.held_out++;
		return false;
	}
	do
		tid = new_tid(k);
	while (*place_of(k, tid) != NULL);
	m->kind = KRPC_QUERY;
	m->tid = (struct slice){(const uint8_t *)&tid, sizeof tid};
	m->version = kad_version;
	m->id = kad_table_own(f->table)->b;
	m->read_only = kad_says_read_only(k, now);
	n = krpc_encode(m, out, sizeof out);
	must(n > 0); /* what is asked has a bound: the largest is an item of BEP 44 */
	q = remember(k, tid, to);
	q->method = m->method;
	q->knows_id = id != NULL;
	if (id != NULL)
		q->id = *id;
	q->sent = now;
	q->asker = asker;
	q->owner = owner;
	kad_gate_asked(k->gate, to, n, now);
	kad_table_pinged(f->table, to, now);
	k->counts.queries_out++;
	k->ops->send(k->ctx, KAD_VIA_ANY, to, out, n);
	return true;
}

struct kad_question *kad_asked_take(struct kad *k, const struct endpoint *from, struct slice tid)
{
	struct kad_question *q;
	uint32_t id;

	CHECK_OBJ(k, KAD_MAGIC);
	if (tid.n != sizeof id)
		return NULL;
	memcpy(&id, tid.p, sizeof id);
	q = *place_of(k, id);
	if (q == NULL || !endpoint_equal(&q->at, from))
		return NULL;
	take_out(k, q);
	return q;
}

void kad_asked_tick(struct kad *k, int64_t now)
{
	struct kad_question *q;

	CHECK_OBJ(k, KAD_MAGIC);
	while ((q = first_of(&k->asked.late)) != NULL && now - q->sent >= KAD_LONG) {
		take_out(k, q);
		k->counts.timeouts++;
		kad_table_failed(k->family[kad_family_of(&q->at)].table, &q->at);
		if (q->asker != NULL)
			q->asker->failed(q->owner, &q->at, NULL, now);
		xfree(q);
	}
	while ((q = first_of(&k->asked.young)) != NULL && now - q->sent >= KAD_SHORT) {
		link_remove(&q->by_age);
		link_append(&k->asked.late, &q->by_age);
		if (q->asker != NULL && q->asker->late != NULL)
			q->asker->late(q->owner, &q->at, now);
	}
}

int64_t kad_asked_deadline(const struct kad *k)
{
	CHECK_OBJ(k, KAD_MAGIC);
	const struct kad_question *young = first_of(&k->asked.young);
	const struct kad_question *late = first_of(&k->asked.late);
	int64_t at = young != NULL ? young->sent + KAD_SHORT : INT64_MAX;

	return late != NULL ? MIN(at, late->sent + KAD_LONG) : at;
}

static void forget_in(const struct link *list, const void *owner)
{
	for (struct link *l = list->next; l != list; l = l->next) {
		struct kad_question *q = container_of(l, struct kad_question, by_age);

		if (q->owner == owner)
			q->asker = NULL;
	}
}

void kad_asked_forget(struct kad *k, const void *owner)
{
	CHECK_OBJ(k, KAD_MAGIC);
	forget_in(&k->asked.young, owner);
	forget_in(&k->asked.late, owner);
}
