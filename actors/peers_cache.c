/* SPDX-License-Identifier: MIT */
/*
 * The read cache for serving: runs of verified bytes, read ahead by a worker, shared by the
 * connections that need them.
 *
 * An extent is EXTENT_SIZE bytes of one piece, aligned within it; requests come in order, so the
 * neighbours are wanted next.  A request that crosses the boundary gets an extent of its own.  An
 * extent that nobody needs stays until its memory is wanted.
 */
#include "actors/peers_priv.h"

#define TABLE_START 256u

void cache_init(struct shard *s)
{
	struct extent_cache *k = &s->cache;
	uint64_t want = s->config->store_read_cache / EXTENT_SIZE / s->shards;
	unsigned conns = (unsigned)MAX(s->config->peers_max, 1) / s->shards + 1;

	k->soft_max = (unsigned)MAX(want, (uint64_t)8);
	k->pool = pool_new("extents", EXTENT_SIZE, 4096, 8, k->soft_max + conns);
	k->table = xcalloc(TABLE_START, sizeof(*k->table));
	k->mask = TABLE_START - 1;
	link_init(&k->idle);
}

static uint32_t slot_of(const struct extent_cache *k, struct tref t, uint32_t piece, uint32_t begin)
{
	uint64_t h = (uint64_t)t.slot * 0x9E3779B97F4A7C15u +
		     (uint64_t)piece * 0xC2B2AE3D27D4EB4Fu + begin;

	return (uint32_t)(h >> 17 ^ h) & k->mask;
}

static struct extent *find(struct extent_cache *k, struct tref t, uint32_t piece, uint32_t begin)
{
	struct extent *x = k->table[slot_of(k, t, piece, begin)];

	while (x != NULL && !(tref_equal(x->t, t) && x->piece == piece && x->begin == begin))
		x = x->next;
	return x;
}

static void unhash(struct extent_cache *k, struct extent *x)
{
	struct extent **at = &k->table[slot_of(k, x->t, x->piece, x->begin)];

	if (!x->hashed)
		return;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->hashed = false;
}

static void hash(struct extent_cache *k, struct extent *x)
{
	struct extent **at = &k->table[slot_of(k, x->t, x->piece, x->begin)];

	x->next = *at;
	*at = x;
	x->hashed = true;
}

static void destroy(struct extent_cache *k, struct extent *x)
{
	unhash(k, x);
	link_remove(&x->lru);
	if (x->data != NULL)
		pool_put(k->pool, x->data);
	k->n--;
	FREE_OBJ(x);
}

void cache_fini(struct shard *s)
{
	struct extent_cache *k = &s->cache;

	while (!link_empty(&k->idle))
		destroy(k, container_of(k->idle.next, struct extent, lru));
	must(k->n == 0);
	pool_free(&k->pool);
	xfree(k->table);
	k->table = NULL;
}

/* --- references
 * ------------------------------------------------------------------------------------------------
 */

void extent_unref(struct shard *s, struct extent *x)
{
	CHECK_OBJ(x, EXTENT_MAGIC);
	must(x->refs > 0);
	if (--x->refs > 0)
		return;
	if (x->hashed && x->state == EXTENT_READY && s->cache.n <= s->cache.soft_max)
		link_append(&s->cache.idle, &x->lru);
	else
		destroy(&s->cache, x);
}

static void ref(struct extent *x)
{
	link_remove(&x->lru);
	x->refs++;
}

/* --- reading
 * -----------------------------------------------------------------------------------------------------
 */

static void on_read(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct extent *x;

	CAST_OBJ(x, ctx, EXTENT_MAGIC);
	s->cache.loading--;
	if (m != NULL && *m != NULL) {
		struct m_extent *e = (struct m_extent *)*m;

		x->data = e->data;
		e->data = NULL;
	}
	x->state = err == E_OK && x->data != NULL ? EXTENT_READY : EXTENT_FAILED;
	if (x->state == EXTENT_FAILED)
		unhash(&s->cache, x);
	while (!link_empty(&x->waiting)) {
		struct conn *c = container_of(x->waiting.next, struct conn, wants_extent);

		link_remove(&c->wants_extent);
		conn_post(c);
	}
	extent_unref(s, x);
}

static void load(struct shard *s, struct extent *x)
{
	struct m_extent *e = msg_new(s->actor, MSG_EXTENT_READ);
	unsigned worker = tref_worker(x->t, x->piece, s->workers);

	e->t = x->t;
	e->piece = x->piece;
	e->begin = x->begin;
	e->length = x->length;
	e->data = x->data;
	x->data = NULL; /* the worker's, until the reply */
	x->refs++;
	s->cache.loading++;
	actor_call(s->actor, ADDR(ROLE_WORKER, worker), (struct msg **)&e, on_read, x);
}

/* Makes room for one more; false: everything is in use. */
static bool make_room(struct extent_cache *k, bool must_have)
{
	if (k->n < k->soft_max)
		return true;
	if (!link_empty(&k->idle)) {
		destroy(k, container_of(k->idle.next, struct extent, lru));
		return true;
	}
	return must_have;
}

static struct extent *make(
	struct shard *s, struct ptorrent *t, const struct block_req *r, bool must_have)
{
	struct extent *x;
	uint32_t begin = r->begin / EXTENT_SIZE * EXTENT_SIZE;
	uint32_t size = layout_piece_size(&t->swarm->layout, r->piece);
	bool shared = r->begin + r->length <= begin + EXTENT_SIZE;
	uint8_t *data;

	if (!make_room(&s->cache, must_have))
		return NULL;
	data = pool_get(s->cache.pool);
	if (data == NULL)
		return NULL;
	ALLOC_OBJ(x, EXTENT_MAGIC);
	s->cache.n++;
	x->data = data;
	x->t = t->t;
	x->piece = r->piece;
	x->begin = shared ? begin : r->begin;
	x->length = shared ? MIN(EXTENT_SIZE, size - begin) : r->length;
	link_init(&x->waiting);
	if (shared)
		hash(&s->cache, x);
	load(s, x);
	return x;
}

struct extent *cache_get(struct ptorrent *t, const struct block_req *r, bool must_have)
{
	struct shard *s = t->shard;
	uint32_t begin = r->begin / EXTENT_SIZE * EXTENT_SIZE;
	struct extent *x = NULL;

	must(r->length <= EXTENT_SIZE);
	if (r->begin + r->length <= begin + EXTENT_SIZE)
		x = find(&s->cache, t->t, r->piece, begin);
	if (x == NULL)
		x = make(s, t, r, must_have);
	if (x != NULL)
		ref(x);
	return x;
}
