/* SPDX-License-Identifier: MIT */
/*
 * The walk towards a target (BEP 5): the nearest nodes that are known are asked for nearer ones,
 * until the eight nearest have answered.
 *
 * Most nodes that are named never answer, so several are asked at once, and who is silent for a
 * second gives his place to another; his answer is still taken for a while.
 *
 * Lies are cheap, and addresses are not: of a network of 256 addresses one node is asked; who names
 * several that do not answer, and none that does, is not followed any further; and besides the
 * eight nearest the eight nearest whose ids fit their addresses (BEP 42) have to have answered.
 * Somebody with many addresses can make up ids beside any target, but then they do not fit: those
 * who are asked of that kind have a limit, and the others are found behind them.
 */
#include "proto/base/array.h"
#include "proto/dht/priv.h"

#define ASKED_MAX    150u /* in a lookup that goes nowhere */
#define MISFITS_MAX  40u
#define CLASS_FITS   64u /* of CANDS_MAX */
#define LIES         3u
#define ROUTER_TRIES 3u
#define NAMED_MAX    (2 * KAD_K) /* nodes that are taken of one answer */

/* --- candidates --- */

static bool is_waited_for(const struct kad_cand *c)
{
	return c->state == CAND_ASKED || c->state == CAND_LATE;
}

/* Before it in the order. */
static bool is_nearer(
	const struct kad_lookup *l, const struct kad_cand *a, const struct kad_cand *b)
{
	if (a->nameless != b->nameless)
		return b->nameless;
	return kad_id_nearer(&l->target, &a->node.id, &b->node.id) < 0;
}

static bool is_taken(const struct kad_lookup *l, const struct krpc_node *node, bool nameless)
{
	for (uint32_t i = 0; i < l->n; i++) {
		const struct krpc_node *o = &l->cands[i].node;

		if (l->kad->config.local ? endpoint_equal(&o->at, &node->at)
					 : kad_filter_same_net(&o->at, &node->at))
			return true;
		if (!nameless && !l->cands[i].nameless && kad_id_equal(&o->id, &node->id))
			return true;
	}
	return false;
}

static void remove_at(struct kad_lookup *l, uint32_t at)
{
	memmove(&l->cands[at], &l->cands[at + 1], (l->n - at - 1) * sizeof *l->cands);
	l->n--;
}

/* Room for one of its class: the farthest that was not asked goes, if it is farther. */
static bool make_room(struct kad_lookup *l, const struct kad_cand *c)
{
	unsigned most = c->fits ? CLASS_FITS : KAD_CANDS_MAX - CLASS_FITS, n = 0;
	uint32_t farthest = UINT32_MAX;

	for (uint32_t i = 0; i < l->n; i++) {
		if (l->cands[i].fits != c->fits)
			continue;
		n++;
		if (l->cands[i].state == CAND_FRESH)
			farthest = i;
	}
	if (n < most)
		return true;
	if (farthest == UINT32_MAX || !is_nearer(l, c, &l->cands[farthest]))
		return false;
	remove_at(l, farthest);
	return true;
}

static void add(struct kad_lookup *l, const struct krpc_node *node, bool nameless, uint8_t by)
{
	struct kad_cand c = {.node = *node, .nameless = nameless, .by = by};
	uint32_t at;

	if (kad_family_of(&node->at) != l->family || !kad_allows(l->kad, &node->at) ||
		is_taken(l, node, nameless) ||
		(!nameless &&
			kad_id_equal(&node->id, kad_table_own(l->kad->family[l->family].table))))
		return;
	c.fits = !nameless && (l->kad->config.local || kad_id_fits(&node->id, &node->at));
	if (!make_room(l, &c))
		return;
	ARRAY_RESERVE(l->cands, l->n, l->room, 1);
	for (at = l->n++; at > 0 && is_nearer(l, &c, &l->cands[at - 1]); at--)
		l->cands[at] = l->cands[at - 1];
	l->cands[at] = c;
}

void kad_lookup_add(struct kad_lookup *l, const struct krpc_node *node, bool nameless)
{
	add(l, node, nameless, 0);
}

static struct kad_cand *find(struct kad_lookup *l, const struct endpoint *at)
{
	for (uint32_t i = 0; i < l->n; i++)
		if (endpoint_equal(&l->cands[i].node.at, at))
			return &l->cands[i];
	return NULL;
}

/* --- beginning and end --- */

struct kad_lookup *kad_lookup_new(struct kad *k, unsigned family, const struct kad_id *target,
	enum krpc_method method, const struct kad_lookup_ops *ops, void *owner)
{
	CHECK_OBJ(k, KAD_MAGIC);
	const struct kad_contact *near[3 * KAD_K];
	const struct kad_table *t = k->family[family].table;
	struct kad_lookup *l;
	unsigned n;

	must(k->family[family].open);
	l = xcalloc(1, sizeof *l);
	l->kad = k;
	l->family = family;
	l->target = *target;
	l->method = method;
	l->ops = ops;
	l->owner = owner;
	link_append(&k->lookups, &l->link);
	n = kad_table_nearest(t, target, false, near, 2 * KAD_K);
	n += kad_table_nearest(t, target, true, near + n, KAD_K);
	for (unsigned i = 0; i < n; i++) {
		struct krpc_node node = {near[i]->id, near[i]->at};

		add(l, &node, false, 0);
	}
	return l;
}

void kad_lookup_free(struct kad_lookup **lp)
{
	struct kad_lookup *l = *lp;

	*lp = NULL;
	kad_asked_forget(l->kad, l);
	link_remove(&l->link);
	xfree(l->cands);
	xfree(l);
}

/* --- answers --- */

/* Who names only nodes that are not there is not believed any more. */
static void distrust(struct kad_lookup *l, uint8_t by)
{
	if (by == 0 || l->alive[by] > 0 || ++l->failed[by] < LIES)
		return;
	for (uint32_t i = l->n; i-- > 0;)
		if (l->cands[i].by == by && l->cands[i].state == CAND_FRESH)
			remove_at(l, i);
}

static void take_nodes(struct kad_lookup *l, const struct krpc *m)
{
	struct slice list = l->family == KAD_V4 ? m->nodes : m->nodes6;
	struct krpc_node node;
	unsigned n = 0;

	if (l->answers < UINT8_MAX)
		l->answers++;
	while (n++ < NAMED_MAX && krpc_node_next(&list, l->family == KAD_V6, &node))
		add(l, &node, false, l->answers);
}

static void on_answered(void *owner, const struct krpc_node *by, const struct krpc *m, int64_t now)
{
	struct kad_lookup *l = owner;
	struct kad_cand *c = find(l, &by->at);

	if (c == NULL || !is_waited_for(c))
		return;
	c->state = CAND_ALIVE;
	l->answered++;
	if (l->alive[c->by] < UINT8_MAX)
		l->alive[c->by]++;
	if (m->token.p != NULL && m->token.n <= KRPC_TOKEN_MAX && m->token.n > 0) {
		memcpy(c->token, m->token.p, m->token.n);
		c->token_n = (uint8_t)m->token.n;
	}
	take_nodes(l, m);
	if (l->ops->heard != NULL && l->ops->heard(l, by, m, now))
		l->ended = true;
	kad_lookup_run(l, now);
}

static void on_late(void *owner, const struct endpoint *at, int64_t now)
{
	struct kad_lookup *l = owner;
	struct kad_cand *c = find(l, at);

	if (c == NULL || c->state != CAND_ASKED)
		return;
	/* There are few of those, and everything depends on them: a datagram may have been lost. */
	c->state = c->nameless && c->tries < ROUTER_TRIES ? CAND_FRESH : CAND_LATE;
	kad_lookup_run(l, now);
}

static void on_failed(void *owner, const struct endpoint *at, const struct krpc *error, int64_t now)
{
	struct kad_lookup *l = owner;
	struct kad_cand *c = find(l, at);

	(void)error;
	if (c == NULL || !is_waited_for(c))
		return;
	c->state = CAND_FAILED;
	distrust(l, c->by);
	kad_lookup_run(l, now);
}

static const struct kad_asker asker = {on_answered, on_late, on_failed};

/* --- the walk --- */

/* Some routers answer every question but those of BEP 44 and 51: they are asked what all know. */
static bool ask_cand(struct kad_lookup *l, struct kad_cand *c, int64_t now)
{
	struct krpc m = {.method = l->method, .target = l->target.b};

	if (c->nameless)
		m.method = KRPC_FIND_NODE;
	if (l->kad->family[KAD_V4].open && l->kad->family[KAD_V6].open)
		m.want = l->family == KAD_V4 ? KRPC_WANT_N4 : KRPC_WANT_N6;
	if (l->ops->question != NULL && !c->nameless)
		l->ops->question(l, &m);
	if (!kad_ask(l->kad, &c->node.at, c->nameless ? NULL : &c->node.id, &m, &asker, l, now))
		return false;
	c->state = CAND_ASKED;
	c->tries++;
	l->asked++;
	l->misfits_asked += !c->fits && !c->nameless;
	return true;
}

/* Nearest first: how many are before it that have answered or may still do. */
struct ahead {
	unsigned all, fits, waited, late, alive;
};

static void count(struct ahead *a, const struct kad_cand *c)
{
	if (c->state == CAND_FAILED)
		return;
	a->waited += c->state == CAND_ASKED;
	a->late += c->state == CAND_LATE;
	a->alive += c->state == CAND_ALIVE;
	if (c->state == CAND_LATE || c->nameless)
		return;
	a->all++;
	a->fits += c->fits;
}

static bool is_worth_asking(
	const struct kad_lookup *l, const struct kad_cand *c, const struct ahead *before)
{
	if (c->state != CAND_FRESH)
		return false;
	if (c->nameless)
		return l->answered < KAD_K;
	if (c->fits)
		return before->all < KAD_K || before->fits < KAD_K;
	return before->all < KAD_K && l->misfits_asked < MISFITS_MAX;
}

static unsigned in_flight(const struct kad_lookup *l)
{
	struct ahead all = {0};

	for (uint32_t i = 0; i < l->n; i++)
		count(&all, &l->cands[i]);
	return all.waited;
}

void kad_lookup_run(struct kad_lookup *l, int64_t now)
{
	unsigned room = KAD_ALPHA - MIN(in_flight(l), KAD_ALPHA);
	struct ahead before = {0};
	bool more = false;

	for (uint32_t i = 0; !l->ended && i < l->n; i++) {
		struct kad_cand *c = &l->cands[i];

		if (l->asked < ASKED_MAX && is_worth_asking(l, c, &before)) {
			more = true;
			if (room == 0 || !ask_cand(l, c, now))
				break;
			room--;
		}
		/* One that was passed over does not stand before others. */
		if (c->state != CAND_FRESH)
			count(&before, c);
	}
	if (more || (!l->ended && (before.waited > 0 || (before.late > 0 && before.alive < KAD_K))))
		return;
	l->ops->done(l, now);
	kad_lookup_free(&l);
}

void kad_lookups_run(struct kad *k, int64_t now)
{
	struct link *at, *next;

	CHECK_OBJ(k, KAD_MAGIC);
	for (at = k->lookups.next; at != &k->lookups; at = next) {
		next = at->next;
		kad_lookup_run(container_of(at, struct kad_lookup, link), now);
	}
}

unsigned kad_lookup_best(const struct kad_lookup *l, const struct kad_cand **out, unsigned max)
{
	unsigned all = 0, fits = 0, n = 0;

	for (uint32_t i = 0; i < l->n && n < max; i++) {
		const struct kad_cand *c = &l->cands[i];

		if (c->state != CAND_ALIVE || c->token_n == 0)
			continue;
		if (all < KAD_K || (c->fits && fits < KAD_K))
			out[n++] = c;
		all++;
		fits += c->fits;
	}
	return n;
}
