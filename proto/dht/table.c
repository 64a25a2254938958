/* SPDX-License-Identifier: MIT */
/*
 * Contacts in one pool that grows; buckets and chains by address hold their indices.
 *
 * The pool moves when it grows: nobody keeps a pointer into it across a change.
 */
#include "proto/dht/table.h"

#include "proto/base/array.h"
#include "proto/dht/filter.h"

#define TABLE_MAGIC 0x4b544142u
#define NONE        UINT16_MAX
#define CHAINS      512u
#define SLOTS       (128u + 64 + 32 + 16 + (KAD_BUCKETS - 4) * KAD_K)

struct bucket_of {
	uint16_t first; /* of its places in slots */
	uint8_t n, spares;
	uint16_t spare[KAD_SPARES]; /* the latest last */
};

struct kad_table {
	uint32_t magic;
	struct kad_id own;
	bool local;
	uint64_t seed;
	struct kad_contact *pool; /* owned */
	uint32_t n, room;
	uint16_t free;
	unsigned live;
	struct bucket_of bucket[KAD_BUCKETS];
	uint16_t slots[SLOTS];
	uint16_t chain[CHAINS];
};

static unsigned room_of(unsigned depth)
{
	return depth < 4 ? 128u >> depth : KAD_K;
}

static unsigned depth_of(const struct kad_table *t, const struct kad_id *id)
{
	return MIN(kad_id_common(&t->own, id), KAD_BUCKETS - 1);
}

unsigned kad_table_depth(const struct kad_table *t, const struct kad_id *id)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	return depth_of(t, id);
}

struct kad_table *kad_table_new(const struct kad_id *own, bool local, uint64_t seed)
{
	struct kad_table *t;
	unsigned first = 0;

	ALLOC_OBJ(t, TABLE_MAGIC);
	t->own = *own;
	t->local = local;
	t->seed = seed;
	t->free = NONE;
	memset(t->chain, 0xff, sizeof t->chain);
	for (unsigned i = 0; i < KAD_BUCKETS; i++) {
		t->bucket[i].first = (uint16_t)first;
		first += room_of(i);
	}
	must(first == SLOTS);
	return t;
}

void kad_table_free(struct kad_table **tp)
{
	struct kad_table *t;

	TAKE_OBJ(t, tp, TABLE_MAGIC);
	xfree(t->pool);
	FREE_OBJ(t);
}

const struct kad_id *kad_table_own(const struct kad_table *t)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	return &t->own;
}

/* --- contacts by address --- */

/* One an address; where the neighbourhood counts, one an endpoint. */
static bool same_place(
	const struct kad_table *t, const struct endpoint *a, const struct endpoint *b)
{
	return t->local ? endpoint_equal(a, b) : endpoint_same_ip(a, b);
}

static uint16_t *chain_of(struct kad_table *t, const struct endpoint *at)
{
	struct endpoint e = *at;

	if (!t->local)
		e.port = 0;
	return &t->chain[endpoint_hash(&e, t->seed) % CHAINS];
}

static struct kad_contact *find_place(const struct kad_table *t, const struct endpoint *at)
{
	struct endpoint e = *at;
	uint16_t i;

	if (!t->local)
		e.port = 0;
	i = t->chain[endpoint_hash(&e, t->seed) % CHAINS];
	while (i != NONE && !same_place(t, &t->pool[i].at, at))
		i = t->pool[i].next;
	return i != NONE ? &t->pool[i] : NULL;
}

const struct kad_contact *kad_table_find(const struct kad_table *t, const struct endpoint *at)
{
	const struct kad_contact *c;

	CHECK_OBJ(t, TABLE_MAGIC);
	c = find_place(t, at);
	return c != NULL && endpoint_equal(&c->at, at) ? c : NULL;
}

static uint16_t index_of(const struct kad_table *t, const struct kad_contact *c)
{
	return (uint16_t)(c - t->pool);
}

/* A contact of nobody's bucket yet. */
static struct kad_contact *take_contact(struct kad_table *t, const struct kad_contact *from)
{
	uint16_t i = t->free, *chain;

	if (i != NONE) {
		t->free = t->pool[i].next;
	} else {
		must(t->n < NONE);
		i = (uint16_t)t->n;
		ARRAY_PUSH(t->pool, t->n, t->room, (struct kad_contact){0});
	}
	t->pool[i] = *from;
	chain = chain_of(t, &from->at);
	t->pool[i].next = *chain;
	*chain = i;
	return &t->pool[i];
}

static void give_contact(struct kad_table *t, struct kad_contact *c)
{
	uint16_t i = index_of(t, c), *p = chain_of(t, &c->at);

	while (*p != i)
		p = &t->pool[*p].next;
	*p = c->next;
	*c = (struct kad_contact){.next = t->free};
	t->free = i;
}

/* --- buckets --- */

static void take_out(uint16_t *list, unsigned n, uint16_t what)
{
	unsigned at = 0;

	while (at < n && list[at] != what)
		at++;
	must(at < n);
	memmove(list + at, list + at + 1, (n - at - 1) * sizeof *list);
}

static void put_live(struct kad_table *t, struct bucket_of *b, struct kad_contact *c)
{
	c->live = true;
	t->slots[b->first + b->n++] = index_of(t, c);
	t->live++;
}

static void put_spare(struct kad_table *t, struct bucket_of *b, struct kad_contact *c)
{
	c->live = false;
	if (b->spares == KAD_SPARES) {
		struct kad_contact *oldest = &t->pool[b->spare[0]];

		take_out(b->spare, b->spares--, b->spare[0]);
		give_contact(t, oldest);
	}
	b->spare[b->spares++] = index_of(t, c);
}

/* Whether somebody in the bucket, other than `leaving` (or NULL), is of that network. */
static bool net_taken(const struct kad_table *t, const struct bucket_of *b,
	const struct endpoint *at, const struct kad_contact *leaving)
{
	for (unsigned i = 0; !t->local && i < b->n; i++) {
		const struct kad_contact *c = &t->pool[t->slots[b->first + i]];

		if (c != leaving && kad_filter_same_net(&c->at, at))
			return true;
	}
	return false;
}

/* The spare heard of last whose network has nobody in the bucket once `leaving` (or NULL) has gone,
 * fitting ones first; NULL: none. */
static struct kad_contact *successor(
	const struct kad_table *t, const struct bucket_of *b, const struct kad_contact *leaving)
{
	struct kad_contact *best = NULL;

	for (unsigned i = 0; i < b->spares; i++) {
		struct kad_contact *c = &t->pool[b->spare[i]];

		if (!net_taken(t, b, &c->at, leaving) && (best == NULL || c->fits >= best->fits))
			best = c;
	}
	return best;
}

static void promote(struct kad_table *t, struct bucket_of *b)
{
	struct kad_contact *best = successor(t, b, NULL);

	if (best == NULL)
		return;
	take_out(b->spare, b->spares--, index_of(t, best));
	put_live(t, b, best);
}

static void drop(struct kad_table *t, struct kad_contact *c)
{
	struct bucket_of *b = &t->bucket[depth_of(t, &c->id)];
	bool was_live = c->live;

	if (was_live) {
		take_out(t->slots + b->first, b->n--, index_of(t, c));
		t->live--;
	} else {
		take_out(b->spare, b->spares--, index_of(t, c));
	}
	give_contact(t, c);
	if (was_live)
		promote(t, b);
}

/* Who has to make room for one whose id fits: the last of those whose does not; NULL: nobody. */
static struct kad_contact *misfit(const struct kad_table *t, const struct bucket_of *b)
{
	for (unsigned i = b->n; i-- > 0;)
		if (!t->pool[t->slots[b->first + i]].fits)
			return &t->pool[t->slots[b->first + i]];
	return NULL;
}

/* One that fails; NULL: nobody does. */
static struct kad_contact *failing(const struct kad_table *t, const struct bucket_of *b)
{
	for (unsigned i = 0; i < b->n; i++)
		if (t->pool[t->slots[b->first + i]].fails > 0)
			return &t->pool[t->slots[b->first + i]];
	return NULL;
}

static bool is_full(const struct kad_table *t, const struct bucket_of *b)
{
	return b->n == room_of((unsigned)(b - t->bucket));
}

/* Takes one that has answered; true: in the bucket, else among its spares. */
static bool insert(struct kad_table *t, const struct kad_contact *from)
{
	struct bucket_of *b = &t->bucket[depth_of(t, &from->id)];
	struct kad_contact *c = take_contact(t, from), *out = NULL;
	uint16_t index = index_of(t, c);

	if (net_taken(t, b, &from->at, NULL)) {
		put_spare(t, b, c);
		return false;
	}
	if (is_full(t, b)) {
		out = failing(t, b);
		if (out == NULL && from->fits)
			out = misfit(t, b);
		if (out == NULL) {
			put_spare(t, b, c);
			return false;
		}
		take_out(t->slots + b->first, b->n--, index_of(t, out));
		t->live--;
		if (out->fails > 0)
			give_contact(t, out);
		else
			put_spare(t, b, out);
	}
	put_live(t, b, &t->pool[index]);
	return true;
}

void kad_table_move(struct kad_table *t, const struct kad_id *own)
{
	struct kad_contact *old;
	uint32_t n;

	CHECK_OBJ(t, TABLE_MAGIC);
	old = t->pool;
	n = t->n;
	t->pool = NULL;
	t->n = t->room = t->live = 0;
	t->free = NONE;
	t->own = *own;
	memset(t->chain, 0xff, sizeof t->chain);
	for (unsigned i = 0; i < KAD_BUCKETS; i++)
		t->bucket[i].n = t->bucket[i].spares = 0;
	for (uint32_t i = 0; i < n; i++)
		if (old[i].answered > 0 && !kad_id_equal(&old[i].id, own))
			(void)insert(t, &old[i]);
	xfree(old);
}

/* --- what is heard of a node --- */

bool kad_table_answered(
	struct kad_table *t, const struct kad_id *id, const struct endpoint *at, int64_t now)
{
	struct kad_contact *c;
	struct kad_contact fresh = {.id = *id, .at = *at, .answered = now};

	CHECK_OBJ(t, TABLE_MAGIC);
	if (kad_id_equal(id, &t->own))
		return false;
	c = find_place(t, at);
	if (c != NULL && (!kad_id_equal(&c->id, id) || c->at.port != at->port)) {
		/* The one that is known stays when it is another that claims its address. */
		if (c->at.port != at->port && c->fails == 0)
			return false;
		drop(t, c);
		return false;
	}
	if (c != NULL) {
		c->answered = now;
		c->fails = 0;
		return c->live;
	}
	fresh.fits = t->local || kad_id_fits(id, at);
	return insert(t, &fresh);
}

bool kad_table_wants(const struct kad_table *t, const struct kad_id *id, const struct endpoint *at)
{
	const struct bucket_of *b;

	CHECK_OBJ(t, TABLE_MAGIC);
	if (kad_id_equal(id, &t->own) || find_place(t, at) != NULL)
		return false;
	b = &t->bucket[depth_of(t, id)];
	if (net_taken(t, b, at, NULL))
		return false;
	return !is_full(t, b) || failing(t, b) != NULL ||
	       (misfit(t, b) != NULL && kad_id_fits(id, at)) || b->spares < KAD_SPARES / 2;
}

bool kad_table_asked(
	struct kad_table *t, const struct kad_id *id, const struct endpoint *at, int64_t now)
{
	struct kad_contact *c;

	CHECK_OBJ(t, TABLE_MAGIC);
	c = find_place(t, at);
	if (c == NULL)
		return kad_table_wants(t, id, at);
	if (endpoint_equal(&c->at, at) && kad_id_equal(&c->id, id))
		c->asked_us = now;
	return false;
}

void kad_table_pinged(struct kad_table *t, const struct endpoint *at, int64_t now)
{
	struct kad_contact *c;

	CHECK_OBJ(t, TABLE_MAGIC);
	c = find_place(t, at);
	if (c != NULL && endpoint_equal(&c->at, at))
		c->pinged = now;
}

void kad_table_failed(struct kad_table *t, const struct endpoint *at)
{
	struct kad_contact *c;

	CHECK_OBJ(t, TABLE_MAGIC);
	c = find_place(t, at);
	if (c == NULL || !endpoint_equal(&c->at, at))
		return;
	c->fails++;
	if (!c->live || c->fails >= KAD_FAILS_MAX ||
		successor(t, &t->bucket[depth_of(t, &c->id)], c) != NULL)
		drop(t, c);
}

/* --- looking --- */

struct nearest {
	const struct kad_table *t;
	const struct kad_id *target;
	const struct kad_contact **out;
	unsigned n, max;
	bool fitting;
};

static void consider(struct nearest *s, const struct kad_contact *c)
{
	unsigned at;

	if (c->fails > 1 || (s->fitting && !c->fits))
		return;
	if (s->n == s->max && kad_id_nearer(s->target, &c->id, &s->out[s->n - 1]->id) >= 0)
		return;
	at = s->n < s->max ? s->n++ : s->n - 1;
	while (at > 0 && kad_id_nearer(s->target, &c->id, &s->out[at - 1]->id) < 0) {
		s->out[at] = s->out[at - 1];
		at--;
	}
	s->out[at] = c;
}

static void consider_bucket(struct nearest *s, unsigned depth)
{
	const struct bucket_of *b = &s->t->bucket[depth];

	for (unsigned i = 0; i < b->n; i++)
		consider(s, &s->t->pool[s->t->slots[b->first + i]]);
}

/*
 * The target's own bucket has the nearest; then come all deeper ones together, which part from the
 * target at the same bit, then those before it, one after the other.
 */
unsigned kad_table_nearest(const struct kad_table *t, const struct kad_id *target, bool fitting,
	const struct kad_contact **out, unsigned max)
{
	struct nearest s = {.t = t, .target = target, .out = out, .max = max, .fitting = fitting};
	unsigned depth;

	CHECK_OBJ(t, TABLE_MAGIC);
	if (max == 0)
		return 0;
	depth = depth_of(t, target);
	consider_bucket(&s, depth);
	if (s.n == max)
		return max;
	for (unsigned d = depth + 1; d < KAD_BUCKETS; d++)
		consider_bucket(&s, d);
	for (unsigned d = depth; s.n < max && d-- > 0;)
		consider_bucket(&s, d);
	return s.n;
}

static bool is_in(const struct kad_contact *const *list, unsigned n, const struct kad_contact *c)
{
	for (unsigned i = 0; i < n; i++)
		if (list[i] == c)
			return true;
	return false;
}

/*
 * Around a target that somebody surrounds with made up ids, those who know it know only them; but
 * for this nobody would hear of others.
 */
unsigned kad_table_fair(const struct kad_table *t, const struct kad_id *target,
	const struct kad_contact **out, unsigned max)
{
	const struct kad_contact *fit[KAD_K];
	unsigned n = kad_table_nearest(t, target, false, out, max), fits = 0, more, at = n;

	for (unsigned i = 0; i < n; i++)
		fits += out[i]->fits;
	if (fits >= max / 2 || n < max)
		return n;
	more = kad_table_nearest(t, target, true, fit, MIN(max / 2, KAD_K));
	for (unsigned i = 0; i < more; i++) {
		if (is_in(out, n, fit[i]))
			continue;
		while (at > 0 && out[at - 1]->fits)
			at--;
		out[--at] = fit[i];
	}
	return n;
}

const struct kad_contact *kad_table_next(const struct kad_table *t, unsigned *at)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	while (*at < t->n) {
		const struct kad_contact *c = &t->pool[(*at)++];

		if (c->live && c->answered > 0)
			return c;
	}
	return NULL;
}

const struct kad_contact *kad_table_stale(const struct kad_table *t, int64_t before)
{
	const struct kad_contact *c, *best = NULL;
	unsigned at = 0;

	while ((c = kad_table_next(t, &at)) != NULL) {
		int64_t heard = MAX(c->answered, c->pinged);

		if (heard < before && (best == NULL || heard < MAX(best->answered, best->pinged)))
			best = c;
	}
	return best;
}

bool kad_table_has_room(const struct kad_table *t, unsigned depth)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	must(depth < KAD_BUCKETS);
	return !is_full(t, &t->bucket[depth]);
}

unsigned kad_table_deepest(const struct kad_table *t)
{
	unsigned depth = KAD_BUCKETS - 1;

	CHECK_OBJ(t, TABLE_MAGIC);
	while (depth > 0 && t->bucket[depth].n == 0)
		depth--;
	return depth;
}

unsigned kad_table_live(const struct kad_table *t)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	return t->live;
}

struct kad_table_count kad_table_count(const struct kad_table *t, int64_t now)
{
	CHECK_OBJ(t, TABLE_MAGIC);
	struct kad_table_count n = {0};
	const struct kad_contact *c;
	unsigned at = 0;

	while ((c = kad_table_next(t, &at)) != NULL) {
		bool fresh = now - MAX(c->answered, c->asked_us) < KAD_FRESH;

		if (c->fails > 1)
			n.bad++;
		else if (fresh && c->fails == 0)
			n.good++;
		else
			n.unsure++;
		n.fits += c->fails <= 1 && c->fits;
	}
	for (unsigned d = 0; d < KAD_BUCKETS; d++)
		n.spare += t->bucket[d].spares;
	return n;
}

static void check_bucket(const struct kad_table *t, unsigned d)
{
	const struct bucket_of *b = &t->bucket[d];

	must(b->n <= room_of(d) && b->spares <= KAD_SPARES);
	for (unsigned i = 0; i < b->n; i++) {
		const struct kad_contact *c = &t->pool[t->slots[b->first + i]];

		must(c->live && depth_of(t, &c->id) == d && find_place(t, &c->at) == c);
		for (unsigned k = 0; !t->local && k < i; k++)
			must(!kad_filter_same_net(&t->pool[t->slots[b->first + k]].at, &c->at));
	}
	for (unsigned i = 0; i < b->spares; i++) {
		const struct kad_contact *c = &t->pool[b->spare[i]];

		must(!c->live && depth_of(t, &c->id) == d && find_place(t, &c->at) == c);
	}
}

void kad_table_check(const struct kad_table *t)
{
	unsigned live = 0;

	CHECK_OBJ(t, TABLE_MAGIC);
	for (unsigned d = 0; d < KAD_BUCKETS; d++) {
		check_bucket(t, d);
		live += t->bucket[d].n;
	}
	must(live == t->live);
}
