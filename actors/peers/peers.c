/* SPDX-License-Identifier: MIT */
/*
 * The peers actor: a shard of the torrents, their connections, the limits and the credit they
 * share.
 *
 * Picker, choker and wire are plain function calls inside this thread; only blocks on their way to
 * or from a worker, and rare control messages, leave it.  Credit is counted in blocks: one is
 * charged when a block is asked of a peer and comes back when the store is done with it, so that a
 * slow disk slows the network and memory has a bound.
 */
#include "actors/peers/priv.h"

/* Buffers that hold no credit: the landing area, and blocks whose request became void while they
 * came in. */
#define POOL_MARGIN 64u
/* Requests of a shard's peers beyond what is every peer's own: 6 MiB. */
#define SERVED_MAX (512u * 1024)
/* What is kept of peers' words in all shards before there is a metainfo to check them by. */
#define UNVERIFIED_MAX (128u << 20)

/* --- what the swarms tell us --- */

static void on_wake(void *conn)
{
	conn_post(conn);
}

static void on_credit(void *owner, unsigned n)
{
	struct peer_torrent *t;

	CAST_OBJ(t, owner, PEER_TORRENT_MAGIC);
	shard_credit_back(t->shard, n);
}

static bool on_claim(void *owner)
{
	struct peer_torrent *t;

	CAST_OBJ(t, owner, PEER_TORRENT_MAGIC);
	if (t->shard->credit == 0)
		return false;
	t->shard->credit--;
	return true;
}

static void on_fetched(void *owner)
{
	struct peer_torrent *t;

	CAST_OBJ(t, owner, PEER_TORRENT_MAGIC);
	ptorrent_fetched(t);
}

/* --- settings --- */

static void on_global(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_peers_global *g = MSG_AS(PEERS_GLOBAL, *m);

	rates_set_global(s, g->rate);
}

static unsigned share(int all, unsigned shards)
{
	unsigned n = (unsigned)MAX(all, 1);

	return (n + shards - 1) / shards;
}

/* Blocks that may be out at once: what credit asked for, and one on its way in on each line. */
static unsigned blocks_max(const struct shard *s)
{
	return s->credit + share(s->config->peers_max, s->shards) + LANDING + POOL_MARGIN;
}

static void reconfigure(struct shard *s)
{
	for (uint32_t i = 0; i < s->torrents.n; i++)
		if (ptorrent_at(s, i) != NULL)
			ptorrent_reconfigure(ptorrent_at(s, i));
}

/* The ports are said to peers from now on. */
static void on_mapped(struct actor *a, struct msg **m)
{
	const struct m_port_mapped *at = MSG_AS(PORT_MAPPED, *m);
	struct shard *s = shard_of(a);

	s->port = at->tcp;
	s->dht_port = at->udp;
	reconfigure(s);
}

static void on_reload(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_reload *r = MSG_AS(RELOAD, *m);
	const struct config *old = s->config;

	s->config = r->config;
	r->config = old;
	rates_reconfigure(s);
	pool_raise(s->blocks, blocks_max(s));
	reconfigure(s);
	shard_keep_limit(s);
	loop_task_post(s->loop, &s->dial_task);
}

/* --- life --- */

static void make_pools(struct shard *s)
{
	uint64_t credit = s->config->store_write_buffer / BLOCK_SIZE / s->shards;

	s->credit = (unsigned)MAX(MIN(credit, (uint64_t)UINT32_MAX / 2), (uint64_t)64);
	s->blocks = pool_new("blocks", BLOCK_SIZE, 4096, 64, blocks_max(s));
	s->linear = xcalloc(1, LINEAR_SIZE);
	s->write = xcalloc(s->workers, sizeof(*s->write));
	cache_init(s);
	map_init(s);
}

static void *peers_init(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct shard *s;

	ALLOC_OBJ(s, SHARD_MAGIC);
	s->actor = a;
	s->loop = actor_loop(a);
	s->config = config_ref(env->config);
	s->index = ADDR_INDEX(actor_addr(a));
	s->shards = env->shards;
	s->workers = env->workers;
	s->port = s->dht_port = env->peer_port;
	memcpy(s->peer_id, env->peer_id, sizeof s->peer_id);
	wire_reserved_set(s->reserved, WIRE_FAST);
	wire_reserved_set(s->reserved, WIRE_EXTENSION);
	s->away = env->peer_fds_n == 0 && s->config->network_interface[0] != '\0';
	/* Its sockets may come late. */
	s->has_dht = env->dht_fds_n > 0 ||
		     (s->config->dht_enabled && s->config->network_interface[0] != '\0');
	struct wr w = wr_of(s->version, sizeof s->version - 1);

	wr_bytes(&w, "torrentd ", 9);
	wr_bytes(&w, config_version(), strlen(config_version()));
	rng_seed(&s->rng, random_u64());
	s->ops = (struct swarm_ops){
		.wake = on_wake, .credit = on_credit, .claim = on_claim, .fetched = on_fetched};
	s->unverified.max = UNVERIFIED_MAX / s->shards;
	s->served.max = SERVED_MAX;
	link_init(&s->conns);
	link_init(&s->pending);
	link_init(&s->hungry);
	link_init(&s->dial_queue);
	keys_init(s);
	limit_init(s);
	usage_init(s);
	rates_init(s);
	ptorrents_init(s);
	s->run = conn_run;
	s->dial_task.fn = dial_on_task;
	make_pools(s);
	via_start(s);
	if (s->index == 0) {
		listener_start(s, env->peer_fds, env->peer_fds_n);
		datagram_start(s, env->datagram_fds, env->datagram_fds_n);
	}
	return s;
}

/* Stopped when everything that was lent has come home. */
static void check_quiesced(struct shard *s)
{
	if (!s->stopping || pool_lent(s->blocks) > 0 || s->cache.loading > 0)
		return;
	s->stopping = false;
	actor_quiesced(s->actor);
}

static void peers_quiesce(struct actor *a)
{
	struct shard *s = shard_of(a);

	listener_stop(s);
	datagram_stop(s);
	via_stop(s);
	for (uint32_t i = 0; i < s->torrents.n; i++) {
		struct peer_torrent *t = ptorrent_at(s, i);

		if (t != NULL)
			ptorrent_detach(&t);
	}
	/* What was accepted and has not said what it wants. */
	while (!link_empty(&s->conns))
		conn_close(container_of(s->conns.next, struct conn, in_shard), E_STOPPING, "stop");
	for (unsigned i = 0; i < LANDING; i++) {
		if (s->spare[i] != NULL)
			pool_put(s->blocks, s->spare[i]);
		s->spare[i] = NULL;
	}
	s->stopping = true;
}

static void peers_tick_end(struct actor *a)
{
	struct shard *s = shard_of(a);

	blocks_flush(s);
	rest_begin(s);
	check_quiesced(s);
}

static void peers_fini(struct actor *a)
{
	struct shard *s = shard_of(a);

	listener_stop(s);
	datagram_stop(s);
	via_stop(s);
	keys_fini(s);
	limit_fini(s);
	usage_fini(s);
	map_fini(s);
	cache_fini(s);
	pool_free(&s->blocks);
	xfree(s->linear);
	xfree(s->seal);
	xfree(s->write);
	ptorrents_fini(s);
	early_fini(s);
	if (s->dial_task.queued)
		loop_task_del(s->loop, &s->dial_task);
	blocklist_unref(&s->blocked);
	config_unref(&s->config);
	FREE_OBJ(s);
}

static const struct actor_handler handlers[] = {
	{MSG_PEERS_ADD, peers_on_add},
	{MSG_PEERS_SET, peers_on_set},
	{MSG_PEERS_REMOVE, peers_on_remove},
	{MSG_PEERS_GLOBAL, on_global},
	{MSG_PEERS_VIEW, peers_on_view},
	{MSG_PEERS_FOUND, peers_on_found},
	{MSG_PEERS_HANDOFF, peers_on_handoff},
	{MSG_PEERS_LISTEN, peers_on_listen},
	{MSG_PORT_MAPPED, on_mapped},
	{MSG_BLOCKLIST_SET, peers_on_blocklist},
	{MSG_PEERS_NETWORK, peers_on_network},
	{MSG_BLOCKS_DONE, peers_on_blocks_done},
	{MSG_RELOAD, on_reload},
	{0, NULL},
};

const struct actor_spec peers_spec = {
	.role_name = "peers",
	.handlers = handlers,
	.init = peers_init,
	.quiesce = peers_quiesce,
	.tick_end = peers_tick_end,
	.fini = peers_fini,
};
