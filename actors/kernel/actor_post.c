/* SPDX-License-Identifier: MIT */
/*
 * What an actor sends.
 *
 * Sends are collected by receiver and leave together at the end of the turn: the first wakes the
 * receiver, the others ride along.  Order is kept for every pair of actors.
 */
#include "actors/kernel/actor_priv.h"

#include <stdio.h>

struct actor *actors_find(const struct actors *set, uint16_t addr)
{
	unsigned at;

	CHECK_OBJ(set, ACTORS_MAGIC);
	at = ADDR_ROLE(addr) < ROLES_MAX ? set->by_addr[ADDR_ROLE(addr)][ADDR_INDEX(addr)] : 0;
	must(at != 0);
	return set->list[at - 1];
}

static void check_legal(const struct actor *a, uint16_t to, const struct msg *m)
{
	const struct msg_type *t = &a->types[m->type];

	if (m->type < KMSG_FIRST_USER_)
		return; /* the kernel's own go from anybody to anybody */
	must(t->from >> ADDR_ROLE(a->addr) & 1u);
	must(ADDR_ROLE(to) < ROLES_MAX && (t->to >> ADDR_ROLE(to) & 1u));
}

static struct route *find_route(struct actor *a, uint16_t to)
{
	struct actor *r = actors_find(a->set, to);

	/* The table foresees the way of every message; only the kernel's own may come from others,
	 * in tests. */
	if (a->routes[r->slot].box == NULL)
		a->routes[r->slot].box = outbox_open(a->set->bus, r->name);
	if (a->routes[r->slot].n == 0)
		a->dirty[a->dirty_n++] = r->slot;
	return &a->routes[r->slot];
}

static void collect(struct actor *a, uint16_t to, struct msg *m)
{
	struct route *r = find_route(a, to);

	if (r->n == r->cap) {
		r->cap = MAX(16u, r->cap * 2);
		r->v = xrealloc(r->v, sizeof *r->v * r->cap);
	}
	m->from = a->addr;
	m->to = to;
	m->queued = true;
	m->sent_us = loop_now(a->loop);
	r->v[r->n++] = m;
	stat_add(a, STAT_MSGS_OUT, 1);
	stat_count(&a->out[m->type], 1);
}

void actor_post(struct actor *a, uint16_t to, struct msg **pm)
{
	struct msg *m = *pm;

	CHECK_OBJ(a, ACTOR_MAGIC);
	*pm = NULL;
	must(a->phase == ACTOR_RUNNING || a->phase == ACTOR_DRAINING);
	must(!m->queued);
	check_legal(a, to, m);
	collect(a, to, m);
}

/* Nothing in the program may fill a mailbox (msg.def says what bounds each message): whoever did
 * has lost count. */
_Noreturn static void panic_full(const struct actor *a, const struct actor *r, const struct msg *m)
{
	char words[160];

	CHECK_OBJ(a, ACTOR_MAGIC);
	CHECK_OBJ(r, ACTOR_MAGIC);
	(void)snprintf(words, sizeof words,
		"the mailbox of %s is full: %s from %s does not fit, %u messages wait", r->name,
		msg_name(a->types, m->type), a->name, __atomic_load_n(&r->mail, __ATOMIC_RELAXED));
	must_not_reach(words);
}

void actor_flush(struct actor *a)
{
	CHECK_OBJ(a, ACTOR_MAGIC);
	for (unsigned i = 0; i < a->dirty_n; i++) {
		struct route *r = &a->routes[a->dirty[i]];
		struct actor *to = a->set->list[a->dirty[i]];

		(void)__atomic_fetch_add(&to->mail, r->n, __ATOMIC_RELAXED);
		for (unsigned k = 0; k < r->n; k++)
			if (!outbox_send(r->box, r->v[k]))
				panic_full(a, to, r->v[k]);
		r->n = 0;
	}
	a->dirty_n = 0;
}

void actor_cast(struct actor *a, uint16_t to, struct msg **m)
{
	actor_check_thread(a);
	CHECK_OBJ(*m, MSG_MAGIC);
	must((*m)->type == KMSG_TERM || a->types[(*m)->type].deadline_ms == 0);
	must((*m)->call == 0 || (*m)->reply); /* a call in hand is answered, not sent on */
	(*m)->call = 0;
	(*m)->reply = false;
	(*m)->err = E_OK;
	actor_post(a, to, m);
}

void actor_reply(struct actor *a, struct msg **pm, enum err err)
{
	struct msg *m = *pm;

	actor_check_thread(a);
	CHECK_OBJ(m, MSG_MAGIC);
	must(a->phase == ACTOR_RUNNING || a->phase == ACTOR_DRAINING);
	must(m->call != 0 && !m->reply && !m->queued && m->to == a->addr);
	*pm = NULL;
	m->reply = true;
	m->err = err;
	collect(a, m->from, m);
}
