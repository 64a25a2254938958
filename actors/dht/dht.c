/* SPDX-License-Identifier: MIT */
/*
 * The DHT actor: a node (proto/dht) with sockets, a clock and messages.
 *
 * The session says which torrents are to be announced and looked for, and shards pass on what peers
 * say of their nodes; what is found goes to the shard that has the torrent.  Which torrents may be
 * known here is decided before they come (proto/peerlist/source.h).
 */
#include "actors/dht/priv.h"

#include <limits.h>

#include "actors/kernel/log.h"
#include "actors/kernel/random.h"

#define GATE_SLOTS 4096u

/* --- the node's functions --- */

static void on_send(void *ctx, int via, const struct endpoint *to, const uint8_t *p, size_t n)
{
	dht_io_send(ctx, via, to, p, n);
}

static bool on_refuses(void *ctx, const struct endpoint *at)
{
	const struct dht *d;

	CAST_OBJ(d, ctx, DHT_MAGIC);
	return blocklist_has(d->blocked, at);
}

static void on_peers(void *ctx, uint64_t tag, const struct endpoint *list, unsigned n)
{
	struct dht *d;
	struct m_peers_found *found;
	struct tref t;

	CAST_OBJ(d, ctx, DHT_MAGIC);
	memcpy(&t, &tag, sizeof t);
	found = msg_new(d->actor, MSG_PEERS_FOUND);
	found->t = t;
	found->source = PEER_DHT;
	found->peers = xmemdup(list, n * sizeof *list);
	found->n = n;
	found->seeds = -1;
	msg_send(d->actor, ADDR(ROLE_PEERS, t.shard), found);
}

static void on_done(void *ctx, const struct kad_result *r)
{
	dht_job_done(ctx, r);
}

static void on_moved(void *ctx, unsigned family, const struct endpoint *at, const struct kad_id *id)
{
	char text[ENDPOINT_TEXT];

	(void)ctx;
	(void)family;
	(void)id;
	endpoint_format(at, text, sizeof text);
	log_event(LOG_INFO, "dht_address", "at=%s", text);
}

static const struct kad_ops ops = {.send = on_send,
	.refuses = on_refuses,
	.peers = on_peers,
	.done = on_done,
	.moved = on_moved};

static void on_timer(struct loop_timer *t, int64_t now)
{
	struct dht *d = container_of(t, struct dht, timer);

	CHECK_OBJ(d, DHT_MAGIC);
	kad_tick(d->kad, now);
	dht_rearm(d);
}

/* --- messages --- */

static void on_torrent(struct actor *a, struct msg **pm)
{
	const struct m_dht_torrent *m = MSG_AS(DHT_TORRENT, *pm);
	struct dht *d = dht_of(a);
	struct kad_id id = kad_id_of(m->infohash);
	struct kad_wish wish = {.announce = m->announce, .seed = m->seed, .urgent = m->urgent};

	_Static_assert(sizeof m->t <= sizeof wish.tag, "a torrent's reference fits a tag");
	if (d->kad == NULL || actor_stopping(a))
		return;
	memcpy(&wish.tag, &m->t, sizeof m->t);
	if (m->wanted)
		kad_torrent(d->kad, &id, wish, loop_now(d->loop));
	else
		kad_torrent_drop(d->kad, &id);
	dht_rearm(d);
}

static void on_wanted(struct actor *a, struct msg **pm)
{
	const struct m_peers_wanted *m = MSG_AS(PEERS_WANTED, *pm);
	struct dht *d = dht_of(a);
	struct kad_id id = kad_id_of(m->infohash);

	if (d->kad == NULL || actor_stopping(a))
		return;
	kad_want(d->kad, &id, loop_now(d->loop));
	dht_rearm(d);
}

static void on_node(struct actor *a, struct msg **pm)
{
	const struct m_dht_node *m = MSG_AS(DHT_NODE, *pm);
	struct dht *d = dht_of(a);

	if (d->kad == NULL || !d->loaded || actor_stopping(a))
		return;
	kad_meet(d->kad, NULL, &m->at, KAD_NAMED, loop_now(d->loop));
	dht_rearm(d);
}

static struct kad_config config_of(const struct dht *d)
{
	const struct config *c = d->config;

	return (struct kad_config){
		.local = c->peers_allow_local,
		.read_only = c->dht_read_only,
		.out_rate = (uint32_t)MIN(c->dht_max_rate, (uint64_t)UINT32_MAX / 8),
		.new_nodes = (uint32_t)c->dht_new_nodes,
		.gate_slots = GATE_SLOTS,
		.port = d->port,
	};
}

static void on_reload(struct actor *a, struct msg **pm)
{
	struct m_reload *m = MSG_AS(RELOAD, *pm);
	struct dht *d = dht_of(a);
	struct kad_config c;

	config_unref(&d->config);
	d->config = m->config;
	m->config = NULL;
	if (d->kad == NULL)
		return;
	c = config_of(d);
	kad_configure(d->kad, &c, loop_now(d->loop));
	dht_boot_reload(d);
}

/* What nodes have stored of us leads nowhere now: all is announced anew, by and by. */
static void on_mapped(struct actor *a, struct msg **pm)
{
	struct dht *d = dht_of(a);
	uint16_t port = MSG_AS(PORT_MAPPED, *pm)->tcp;
	bool moved = port != d->port;
	struct kad_config c;

	d->port = port;
	if (!moved || d->kad == NULL || actor_stopping(a))
		return;
	c = config_of(d);
	kad_configure(d->kad, &c, loop_now(d->loop));
	kad_wake(d->kad, loop_now(d->loop));
	dht_rearm(d);
}

static void start_node(struct dht *d)
{
	struct kad_config c = config_of(d);
	uint8_t secret[16];

	random_bytes(secret, sizeof secret);
	d->kad = kad_new(&c, &ops, d, secret, loop_now(d->loop));
	dht_boot_start(d);
}

/* The first sockets may come late, with the network's device. */
static void on_listen(struct actor *a, struct msg **pm)
{
	struct m_peers_listen *m = MSG_AS(PEERS_LISTEN, *pm);
	struct dht *d = dht_of(a);

	if (!d->config->dht_enabled || actor_stopping(a))
		return; /* and they are closed with the message */
	d->listening = m->sockets.port;
	dht_io_stop(d);
	dht_io_start(d, m->sockets.dht, m->sockets.dht_n);
	m->sockets.dht_n = 0;
	if (d->kad == NULL && d->sockets_n > 0)
		start_node(d);
	if (d->kad == NULL)
		return;
	kad_wake(d->kad, loop_now(d->loop));
	dht_rearm(d);
}

static void on_blocklist(struct actor *a, struct msg **pm)
{
	struct m_blocklist *m = MSG_AS(BLOCKLIST_SET, *pm);
	struct dht *d = dht_of(a);
	const struct blocklist *old = d->blocked;

	d->blocked = m->list;
	m->list = old;
}

/* --- life --- */

static void *init_dht(struct actor *a, const void *arg)
{
	const struct actor_env *env = arg;
	struct dht *d;

	ALLOC_OBJ(d, DHT_MAGIC);
	d->actor = a;
	d->loop = actor_loop(a);
	d->config = config_ref(env->config);
	d->port = d->listening = env->peer_port;
	d->timer.fn = on_timer;
	for (unsigned f = 0; f < KAD_FAMILIES; f++)
		d->first[f] = UINT_MAX;
	dht_jobs_init(d);
	dht_io_start(d, env->dht_fds, env->dht_fds_n);
	if (d->config->dht_enabled && d->sockets_n > 0)
		start_node(d);
	return d;
}

static void quiesce_dht(struct actor *a)
{
	struct dht *d = dht_of(a);

	dht_save(d);
	dht_boot_stop(d);
	loop_timer_del(d->loop, &d->timer);
	dht_jobs_fini(d);
	dht_io_stop(d);
	actor_quiesced(a);
}

static void fini_dht(struct actor *a)
{
	struct dht *d = dht_of(a);

	dht_boot_stop(d);
	loop_timer_del(d->loop, &d->timer);
	dht_jobs_fini(d);
	dht_io_stop(d);
	if (d->kad != NULL)
		kad_free(&d->kad);
	blocklist_unref(&d->blocked);
	config_unref(&d->config);
	FREE_OBJ(d);
}

static const struct actor_handler handlers[] = {
	{MSG_RELOAD, on_reload},
	{MSG_DHT_TORRENT, on_torrent},
	{MSG_PEERS_WANTED, on_wanted},
	{MSG_DHT_NODE, on_node},
	{MSG_DHT_VIEW, dht_on_view},
	{MSG_DHT_JOB, dht_on_job},
	{MSG_PORT_MAPPED, on_mapped},
	{MSG_BLOCKLIST_SET, on_blocklist},
	{MSG_PEERS_LISTEN, on_listen},
	{0, NULL},
};

const struct actor_spec dht_spec = {
	.role_name = "dht",
	.handlers = handlers,
	.init = init_dht,
	.quiesce = quiesce_dht,
	.fini = fini_dht,
};
