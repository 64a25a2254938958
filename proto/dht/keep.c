/* SPDX-License-Identifier: MIT */
/*
 * Keeping a table alive: finding the first nodes, and asking those that are known now and then.
 *
 * At first the saved nodes are asked, a few at a time; routers when those do not help.  Then the
 * buckets that have room are filled, once, and from there on one node every few seconds is asked
 * something that brings others, so that a node costs next to nothing while it is idle.
 */
#include "proto/base/array.h"
#include "proto/dht/priv.h"

#define SEEDS_AT_ONCE 8u
#define ROUTERS_AFTER (5 * USEC_PER_SEC)
#define RETRY_MIN     (5 * USEC_PER_SEC)
#define RETRY_DOUBLE  6u /* to five minutes */
#define RETRY_FAST    2u
#define FILL_EVERY    (10 * USEC_PER_SEC)
#define FILL_DEPTH    12u
#define LOOK_EVERY    (15 * 60 * USEC_PER_SEC)
#define PING_FEW      (5 * USEC_PER_SEC)
#define PING_MANY     (10 * USEC_PER_SEC) /* with MANY nodes */
#define MANY          200u
#define STALE         (10 * 60 * USEC_PER_SEC)
#define MEET_FAST     (200 * USEC_PER_MSEC) /* with fewer than FEW nodes */
#define MEET_SLOW     (1 * USEC_PER_SEC)
#define FEW           40u

bool kad_keep_ready(const struct kad_family *f)
{
	return f->open && kad_table_live(f->table) >= KAD_K;
}

/* --- strangers --- */

void kad_keep_meet(struct kad_family *f, const struct kad_seed *s, int64_t now)
{
	if (!f->open || f->meet_n == KAD_MEET_MAX || !kad_allows(f->kad, &s->node.at))
		return;
	for (unsigned i = 0; i < f->meet_n; i++)
		if (endpoint_equal(&f->meet[(f->meet_at + i) % KAD_MEET_MAX].node.at, &s->node.at))
			return;
	f->meet[(f->meet_at + f->meet_n++) % KAD_MEET_MAX] = *s;
	if (f->meet_due == INT64_MAX)
		f->meet_due = now;
}

/* What a node names beside its answer. */
static void take_named(struct kad_family *f, const struct krpc *m, int64_t now)
{
	struct slice list = f->index == KAD_V4 ? m->nodes : m->nodes6;
	struct kad_seed s = {.origin = KAD_NAMED};
	unsigned n = 0;

	while (n++ < KAD_K && krpc_node_next(&list, f->index == KAD_V6, &s.node))
		if (kad_table_wants(f->table, &s.node.id, &s.node.at))
			kad_keep_meet(f, &s, now);
}

static void on_answered(void *owner, const struct krpc_node *by, const struct krpc *m, int64_t now)
{
	struct kad_family *f = owner;

	(void)by;
	take_named(f, m, now);
	/* The first who answers may know the way to all others. */
	if (!kad_keep_ready(f) && f->self == NULL)
		f->look_due = now;
}

static void on_failed(void *owner, const struct endpoint *at, const struct krpc *error, int64_t now)
{
	(void)owner;
	(void)at;
	(void)error;
	(void)now;
}

static const struct kad_asker asker = {on_answered, NULL, on_failed};

/* Somewhere near us that has room, so that the answer helps, and others cannot tell it from a look
 * for a torrent. */
static bool ask_for_more(
	struct kad_family *f, const struct endpoint *at, const struct kad_id *id, int64_t now)
{
	unsigned depth = id != NULL ? kad_table_depth(f->table, id) : 0;
	struct kad_id target = kad_id_beside(kad_table_own(f->table), depth, &f->kad->rng);
	struct krpc m = {.method = KRPC_FIND_NODE, .target = target.b};

	if (id != NULL && !kad_table_has_room(f->table, depth))
		m = (struct krpc){.method = KRPC_PING};
	return kad_ask(f->kad, at, id, &m, &asker, f, now);
}

static void meet_next(struct kad_family *f, int64_t now)
{
	const struct kad_seed *s = &f->meet[f->meet_at];

	if (f->meet_n == 0) {
		f->meet_due = INT64_MAX;
		return;
	}
	f->meet_due = now + (kad_table_live(f->table) < FEW ? MEET_FAST : MEET_SLOW);
	if (!s->nameless && !kad_table_wants(f->table, &s->node.id, &s->node.at)) {
		f->meet_due = now;
	} else if (!ask_for_more(f, &s->node.at, s->nameless ? NULL : &s->node.id, now)) {
		return;
	}
	f->meet_at = (f->meet_at + 1) % KAD_MEET_MAX;
	f->meet_n--;
}

/* --- looking for our own id --- */

static void on_done(struct kad_lookup *l, int64_t now)
{
	struct kad_family *f = l->owner;

	f->self = NULL;
	if (!kad_keep_ready(f)) {
		f->look_due = now + (RETRY_MIN << MIN(f->tries, RETRY_DOUBLE));
		if (f->tries++ < RETRY_FAST)
			f->look_due = now + USEC_PER_SEC;
		return;
	}
	f->tries = 0;
	f->look_due = now + (f->fill <= FILL_DEPTH ? FILL_EVERY : LOOK_EVERY);
}

static const struct kad_lookup_ops ops = {.done = on_done};

static void add_seeds(struct kad_family *f, int64_t now)
{
	bool routers = now - f->opened >= ROUTERS_AFTER;
	unsigned saved = 0;

	for (uint32_t i = f->seeds_n; i-- > 0 && saved < SEEDS_AT_ONCE;) {
		struct kad_seed s = f->seeds[i];

		if (s.origin == KAD_ROUTER)
			continue;
		kad_lookup_add(f->self, &s.node, s.nameless);
		f->seeds[i] = f->seeds[--f->seeds_n];
		saved++;
	}
	for (uint32_t i = 0; i < f->seeds_n; i++)
		if (f->seeds[i].origin == KAD_ROUTER && (routers || saved == 0))
			kad_lookup_add(f->self, &f->seeds[i].node, true);
}

static void look(struct kad_family *f, int64_t now)
{
	struct kad_id target = *kad_table_own(f->table);

	if (kad_keep_ready(f) && f->fill <= FILL_DEPTH) {
		unsigned deepest = kad_table_deepest(f->table);

		while (f->fill <= FILL_DEPTH && !kad_table_has_room(f->table, f->fill))
			f->fill++;
		if (f->fill > deepest)
			f->fill = FILL_DEPTH + 1;
		else
			target = kad_id_beside(&target, f->fill++, &f->kad->rng);
	}
	f->look_due = INT64_MAX;
	f->self = kad_lookup_new(f->kad, f->index, &target, KRPC_FIND_NODE, &ops, f);
	if (!kad_keep_ready(f))
		add_seeds(f, now);
	kad_lookup_run(f->self, now);
}

void kad_keep_again(struct kad_family *f, int64_t now)
{
	f->tries = 0;
	f->fill = 0;
	if (f->self == NULL)
		f->look_due = now;
}

static bool is_router(const struct kad_family *f, const struct endpoint *at)
{
	for (uint32_t i = 0; i < f->seeds_n; i++)
		if (f->seeds[i].origin == KAD_ROUTER && endpoint_equal(&f->seeds[i].node.at, at))
			return true;
	return false;
}

/* Where nobody else was found, as in a network of one's own, routers are nodes like others. */
bool kad_keep_spares(const struct kad_family *f, const struct endpoint *at)
{
	if (f->tries > 0)
		return false;
	return is_router(f, at);
}

void kad_keep_seed(struct kad_family *f, const struct kad_seed *s, int64_t now)
{
	if (!f->open || f->seeds_n >= KAD_SEEDS_MAX || !kad_allows(f->kad, &s->node.at))
		return;
	if (s->origin == KAD_ROUTER && is_router(f, &s->node.at))
		return;
	ARRAY_PUSH(f->seeds, f->seeds_n, f->seeds_room, *s);
	if (!kad_keep_ready(f) && f->self == NULL)
		f->look_due = MIN(f->look_due, now);
}

/* --- our address --- */

void kad_keep_vote(struct kad_family *f, const struct endpoint *by, struct slice ip, int64_t now)
{
	struct kad *k = f->kad;
	struct endpoint at;
	struct kad_id id;

	if (!krpc_ip(ip, &at) || (!k->config.local && !endpoint_is_global(&at)) ||
		!kad_voter_vote(&f->voter, by, &at, k->seed, now))
		return;
	id = *kad_table_own(f->table);
	if (!kad_id_fits(&id, &f->voter.chosen)) {
		id = kad_id_for(&f->voter.chosen, (uint8_t)rng_below(&k->rng, 256), &k->rng);
		kad_table_move(f->table, &id);
		kad_keep_again(f, now);
	}
	if (k->ops->moved != NULL)
		k->ops->moved(k->ctx, f->index, &f->voter.chosen, &id);
}

/* --- all the time --- */

static void ping_stale(struct kad_family *f, int64_t now)
{
	const struct kad_contact *c = kad_table_stale(f->table, now - STALE);

	f->ping_due = now + (kad_table_live(f->table) < MANY ? PING_FEW : PING_MANY);
	if (c != NULL) {
		struct krpc_node node = {c->id, c->at};

		(void)ask_for_more(f, &node.at, &node.id, now);
	}
}

void kad_keep_open(struct kad_family *f, const struct kad_id *own, int64_t now)
{
	must(!f->open);
	f->open = true;
	f->table = kad_table_new(own, f->kad->config.local, f->kad->seed);
	f->opened = now;
	f->look_due = f->meet_due = INT64_MAX;
	f->ping_due = now + PING_FEW;
}

void kad_keep_close(struct kad_family *f)
{
	if (!f->open)
		return;
	if (f->self != NULL)
		kad_lookup_free(&f->self);
	kad_table_free(&f->table);
	xfree(f->seeds);
	*f = (struct kad_family){.kad = f->kad, .index = f->index};
}

void kad_keep_tick(struct kad_family *f, int64_t now)
{
	if (!f->open)
		return;
	if (f->self == NULL && now >= f->look_due)
		look(f, now);
	if (now >= f->meet_due)
		meet_next(f, now);
	if (now >= f->ping_due)
		ping_stale(f, now);
}

int64_t kad_keep_deadline(const struct kad_family *f)
{
	int64_t look = f->self == NULL ? f->look_due : INT64_MAX;

	return f->open ? MIN(look, MIN(f->meet_due, f->ping_due)) : INT64_MAX;
}
