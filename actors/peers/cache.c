/* SPDX-License-Identifier: MIT */
/*
 * The read cache for serving: runs of verified bytes, mapped or read ahead by a worker, shared by
 * the connections that need them.
 *
 * A run is READ_RUN_SIZE bytes of one piece, aligned within it; requests come in order, so the
 * neighbours are wanted next.  A request that crosses the boundary gets a run of its own.
 *
 * What lies in one mapped file (map.c) is served from the page cache: a worker brings it
 * there first where it is not, and the run lives as long as blocks need it.  All else is read
 * into buffers of ours, and stays until its memory is wanted.
 */
#include "actors/peers/priv.h"

#include "actors/kernel/fs.h"

#define TABLE_START 256u
/* What follows the first run of so many bytes of a piece is asked of the disk along with it. */
#define READ_AHEAD 1048576u
/* The page cache may drop what was in it: look again before sending after this long. */
#define SEEN_LASTS USEC_PER_SEC

void cache_init(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct read_cache *k = &s->cache;
	uint64_t want = s->config->store_read_cache / READ_RUN_SIZE / s->shards;
	unsigned conns = (unsigned)MAX(s->config->peers_max, 1) / s->shards + 1;

	k->soft_max = (unsigned)MAX(want, (uint64_t)8);
	k->pool = pool_new("extents", READ_RUN_SIZE, 4096, 8, k->soft_max + conns);
	k->table = xcalloc(TABLE_START, sizeof(*k->table));
	k->mask = TABLE_START - 1;
	link_init(&k->idle);
}

static uint32_t slot_of(const struct read_cache *k, struct tref t, uint32_t piece, uint32_t begin)
{
	uint64_t h = (uint64_t)t.slot * 0x9E3779B97F4A7C15u +
		     (uint64_t)piece * 0xC2B2AE3D27D4EB4Fu + begin;

	return (uint32_t)(h >> 17 ^ h) & k->mask;
}

static struct read_run *find(struct read_cache *k, struct tref t, uint32_t piece, uint32_t begin)
{
	struct read_run *x = k->table[slot_of(k, t, piece, begin)];

	while (x != NULL && !(tref_equal(x->ref, t) && x->piece == piece && x->begin == begin))
		x = x->next;
	return x;
}

static void unhash(struct read_cache *k, struct read_run *x)
{
	struct read_run **at = &k->table[slot_of(k, x->ref, x->piece, x->begin)];

	if (!x->hashed)
		return;
	while (*at != x)
		at = &(*at)->next;
	*at = x->next;
	x->hashed = false;
}

static void hash(struct read_cache *k, struct read_run *x)
{
	struct read_run **at = &k->table[slot_of(k, x->ref, x->piece, x->begin)];

	x->next = *at;
	*at = x;
	x->hashed = true;
}

static struct read_run *read_run_new(struct read_cache *k)
{
	struct read_run *x = k->spare;

	if (x == NULL) {
		ALLOC_OBJ(x, READ_RUN_MAGIC);
	} else {
		k->spare = x->next;
		*x = (struct read_run){.magic = READ_RUN_MAGIC};
	}
	link_init(&x->waiting);
	return x;
}

static void destroy(struct read_cache *k, struct read_run *x)
{
	unhash(k, x);
	link_remove(&x->lru);
	if (x->map != NULL)
		map_unref(x->map);
	k->n -= x->counted;
	if (x->buffer != NULL)
		pool_put(k->pool, x->buffer);
	x->magic = 0;
	x->next = k->spare;
	k->spare = x;
}

void cache_fini(struct shard *s)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	struct read_cache *k = &s->cache;

	while (!link_empty(&k->idle))
		destroy(k, container_of(k->idle.next, struct read_run, lru));
	must(k->n == 0);
	for (struct read_run *x = k->spare; x != NULL; x = k->spare) {
		k->spare = x->next;
		xfree(x);
	}
	pool_free(&k->pool);
	xfree(k->table);
	k->table = NULL;
}

/* --- references --- */

void read_run_unref(struct shard *s, struct read_run *x)
{
	CHECK_OBJ(x, READ_RUN_MAGIC);
	CHECK_OBJ(s, SHARD_MAGIC);
	must(x->refs > 0);
	if (--x->refs > 0)
		return;
	if (x->hashed && x->map == NULL && x->state == READ_RUN_READY &&
		s->cache.n <= s->cache.soft_max)
		link_append(&s->cache.idle, &x->lru);
	else
		destroy(&s->cache, x);
}

static void ref(struct read_run *x)
{
	link_remove(&x->lru);
	x->refs++;
}

/* --- reading --- */

/*
 * Of a file that is not mapped nobody knows whether it came from the disk.  What fits the cache is
 * not read twice: nobody needs to hurry for it.
 */
static void tell_read(struct shard *s, const struct read_run *x)
{
	struct peer_torrent *t = ptorrent_by_ref(s, x->ref);

	if (t != NULL && x->hashed && x->map != NULL &&
		swarm_layout(t->swarm)->size > s->config->store_read_cache)
		swarm_piece_read(t->swarm, x->piece, loop_now(s->loop));
}

static actor_reply_f on_read;

static void load(struct shard *s, struct read_run *x)
{
	struct m_extent *e = msg_new(s->actor, MSG_EXTENT_READ);
	unsigned worker = tref_worker(x->ref, x->piece, s->workers);

	e->t = x->ref;
	e->piece = x->piece;
	e->begin = x->begin;
	e->length = x->length;
	if (x->map != NULL) {
		e->map = x->data;
		e->ahead = map_left(x->map, x->data, x->ahead);
	}
	e->data = x->buffer;
	x->buffer = NULL; /* the worker's, until the reply */
	x->state = READ_RUN_LOADING;
	x->refs++;
	s->cache.loading++;
	msg_call(s->actor, ADDR(ROLE_WORKER, worker), e, on_read, x);
}

static bool start_reading(struct shard *s, struct read_run *x)
{
	x->buffer = pool_get(s->cache.pool);
	if (x->buffer == NULL)
		return false;
	s->cache.n++;
	x->counted = true;
	load(s, x);
	return true;
}

static void read_run_failed(struct shard *s, struct read_run *x)
{
	x->state = READ_RUN_FAILED;
	unhash(&s->cache, x);
}

/* From the map to a buffer of ours. */
static void unmap(struct shard *s, struct read_run *x)
{
	map_unref(x->map);
	x->map = NULL;
	x->data = NULL;
	if (!start_reading(s, x))
		read_run_failed(s, x);
}

static void wake(struct read_run *x)
{
	while (!link_empty(&x->waiting)) {
		struct conn *c = container_of(x->waiting.next, struct conn, wants_run);

		link_remove(&c->wants_run);
		conn_post(c);
	}
}

static void on_read(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct read_run *x;

	CAST_OBJ(x, ctx, READ_RUN_MAGIC);
	s->cache.loading--;
	if (m != NULL && *m != NULL && x->map == NULL) {
		struct m_extent *e = MSG_AS(EXTENT_READ, *m);

		x->data = x->buffer = e->data;
		e->data = NULL;
	}
	if (err == E_OK && x->data != NULL) {
		x->state = READ_RUN_READY;
		x->seen = loop_now(s->loop);
		tell_read(s, x);
	} else if (x->map != NULL) {
		unmap(s, x);
	} else {
		read_run_failed(s, x);
	}
	if (x->state != READ_RUN_LOADING)
		wake(x);
	read_run_unref(s, x);
}

/* Makes room for one more; false: everything is in use. */
static bool make_room(struct read_cache *k, bool must_have)
{
	if (k->n < k->soft_max)
		return true;
	if (!link_empty(&k->idle)) {
		destroy(k, container_of(k->idle.next, struct read_run, lru));
		return true;
	}
	return must_have;
}

/* false: no memory for it now. */
static bool fill(struct peer_torrent *t, struct read_run *x, bool must_have)
{
	struct shard *s = t->shard;

	x->data = map_get(t, x->piece, x->begin, x->length, &x->map);
	if (x->data == NULL)
		return make_room(&s->cache, must_have) && start_reading(s, x);
	if (fs_map_resident(x->data, x->length)) {
		x->state = READ_RUN_READY;
		x->seen = loop_now(s->loop);
		return true;
	}
	if (s->cache.loading >= s->cache.soft_max && !must_have)
		return false;
	load(s, x);
	return true;
}

static struct read_run *make(struct peer_torrent *t, const struct block_req *r, bool must_have)
{
	struct shard *s = t->shard;
	uint32_t begin = r->begin / READ_RUN_SIZE * READ_RUN_SIZE;
	uint32_t size = layout_piece_size(swarm_layout(t->swarm), r->piece);
	bool shared = r->begin + r->length <= begin + READ_RUN_SIZE;
	struct read_run *x = read_run_new(&s->cache);

	x->ref = t->ref;
	x->piece = r->piece;
	x->begin = shared ? begin : r->begin;
	x->length = shared ? MIN(READ_RUN_SIZE, size - begin) : r->length;
	x->ahead = x->begin % READ_AHEAD == 0 ? MIN(READ_AHEAD, size - x->begin) : 0;
	if (!fill(t, x, must_have)) {
		destroy(&s->cache, x);
		return NULL;
	}
	if (shared)
		hash(&s->cache, x);
	return x;
}

struct read_run *cache_get(struct peer_torrent *t, const struct block_req *r, bool must_have)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct shard *s = t->shard;
	uint32_t begin = r->begin / READ_RUN_SIZE * READ_RUN_SIZE;
	struct read_run *x = NULL;

	must(r->length <= WIRE_MAX_BLOCK); /* the swarm refuses to serve more */
	if (r->begin + r->length <= begin + READ_RUN_SIZE)
		x = find(&s->cache, t->ref, r->piece, begin);
	if (x == NULL)
		x = make(t, r, must_have);
	if (x != NULL)
		ref(x);
	return x;
}

/* --- what was mapped and is there no more --- */

bool read_run_ready(struct shard *s, struct read_run *x)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	CHECK_OBJ(x, READ_RUN_MAGIC);
	int64_t now = loop_now(s->loop);

	if (x->state == READ_RUN_READY && x->map != NULL && now - x->seen > SEEN_LASTS) {
		if (fs_map_resident(x->data, x->length))
			x->seen = now;
		else
			load(s, x);
	}
	return x->state == READ_RUN_READY;
}

void read_run_faulted(struct shard *s, struct read_run *x)
{
	CHECK_OBJ(s, SHARD_MAGIC);
	CHECK_OBJ(x, READ_RUN_MAGIC);
	if (x->map == NULL)
		return;
	map_spoil(x->map);
	unmap(s, x);
}
