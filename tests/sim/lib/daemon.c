/* SPDX-License-Identifier: MIT */
/* Daemons: a real set of actors on a simulated host, its beginning and its ends. */
#include "actors/kernel/net.h"
#include "actors/kernel/stats.h"
#include "actors/peers/priv.h"
#include "tests/sim/lib/priv.h"

#include <stdio.h>

#define WORKERS  2u
#define PORT     6681
#define ARGS_MAX 32

/* --- the beginning --- */

static const struct config *make_config(const char *const *args)
{
	static const char *const fixed[] = {"torrentd", "--download.dir=/d", "--state.dir=/s",
		"--store.workers=2", "--peers.shards=1", "--peers.allow_local=true",
		"--peers.encryption=off", "--dht.enabled=false", "--peers.lsd=false"};
	char *argv[ARGS_MAX + 1] = {0};
	char *envp[] = {NULL};
	struct config_input in = {.argv = argv, .envp = envp, .no_files = true};
	const struct config *c = NULL;
	enum config_action action;
	char errors[1024];

	for (unsigned i = 0; i < ARRAY_LEN(fixed); i++)
		argv[in.argc++] = xstrdup(fixed[i]);
	for (; args != NULL && *args != NULL && in.argc < ARGS_MAX; args++)
		argv[in.argc++] = xstrdup(*args);
	if (config_load(&in, &c, &action, errors, sizeof errors) != E_OK)
		must_not_reach(errors);
	for (int i = 0; i < in.argc; i++)
		xfree(argv[i]);
	return c;
}

static void fill_env(struct daemon *d)
{
	struct actor_env *env = &d->env;
	enum err err = E_OK;

	env->config = d->config;
	env->shards = 1;
	env->workers = WORKERS;
	env->peer_port = PORT;
	memcpy(env->peer_id, "-SM0000-", 8);
	random_bytes(env->peer_id + 8, sizeof env->peer_id - 8);
	env->peer_fds[0] = net_listen(&d->host->at, "", 128, &err);
	must(env->peer_fds[0] >= 0);
	env->peer_fds_n = 1;
}

static void add_actors(struct daemon *d)
{
	d->set = actors_new(&message_table);
	d->main = actors_add_here(d->set, ADDR_MAIN, &sim_main_spec, NULL);
	actors_add(d->set, ADDR_STATE, &sim_state_spec, &d->env);
	actors_add(d->set, ADDR_STORE, &store_spec, &d->env);
	for (unsigned i = 0; i < WORKERS; i++)
		actors_add(d->set, ADDR(ROLE_WORKER, i), &worker_spec, &d->env);
	actors_add(d->set, ADDR(ROLE_PEERS, 0), &peers_spec, &d->env);
	actors_add(d->set, ADDR_TRACKER, &sim_tracker_spec, &d->env);
	actors_add(d->set, ADDR_SESSION, &session_spec, &d->env);
	d->http = actors_add(d->set, ADDR_HTTP, &sim_http_spec, &d->env);
}

struct daemon *sim_daemon(struct host *h, const char *const *args)
{
	struct sim *s = h->s;
	struct daemon *d;

	must(h->daemon == NULL);
	ALLOC_OBJ(d, DAEMON_MAGIC);
	d->s = s;
	d->host = h;
	d->index = s->daemons_n++;
	d->host->daemon = d;
	d->host->dark = false;
	d->alive = true;
	STAILQ_INSERT_TAIL(&s->daemons, d, link);
	s->current = d;
	d->config = make_config(args);
	fill_env(d);
	add_actors(d);
	actors_start_here(d->set);
	sched_begin(d);
	s->current = NULL;
	return d;
}

/* --- the ends --- */

void sim_stop(struct daemon **pd)
{
	struct daemon *d;

	TAKE_OBJ(d, pd, DAEMON_MAGIC);
	must(d->alive);
	driver_quiesce(d);
	d->alive = false;
	sched_end(d);
	d->s->current = d;
	actors_join(d->set);
	actors_free(&d->set);
	d->s->current = NULL;
	d->host->daemon = NULL;
	config_unref(&d->config);
}

/* Its memory stays: nobody frees what a dead process had, and the world remembers where it is. */
void sim_crash(struct daemon **pd, bool power)
{
	struct daemon *d;
	struct host *h;

	TAKE_OBJ(d, pd, DAEMON_MAGIC);
	must(d->alive);
	h = d->host;
	d->alive = false;
	sched_end(d);
	sim_trace_mix(d->s, 0xdead);
	h->dark = power;
	sock_close_all(d, power);
	disk_close_all(d);
	h->daemon = NULL;
	if (!power)
		return;
	disk_power_cut(h);
	/* What was not waited for may have reached the disk all the same. */
	if (sim_below(d->s, 2) == 0)
		return;
	db_free(&h->db);
	h->db = db_clone(h->synced);
}

/* --- looking in --- */

struct actor *daemon_actor(const struct daemon *d, uint16_t addr)
{
	for (unsigned i = 0; i < actors_count(d->set); i++)
		if (actor_addr(actors_at(d->set, i)) == addr)
			return actors_at(d->set, i);
	must_not_reach("no such actor");
}

static struct shard *shard_in(const struct daemon *d)
{
	return shard_of(daemon_actor(d, ADDR(ROLE_PEERS, 0)));
}

static struct peer_torrent *torrent_in(const struct daemon *d, const struct content *c)
{
	return ptorrent_by_hash(shard_in(d), c->meta->infohash.v1);
}

uint32_t sim_have(const struct daemon *d, const struct content *c)
{
	struct peer_torrent *t = torrent_in(d, c);

	return t != NULL ? swarm_have(t->swarm)->count : 0;
}

bool sim_has_piece(const struct daemon *d, const struct content *c, uint32_t piece)
{
	const struct peer_torrent *t = torrent_in(d, c);

	return t != NULL && bitfield_get(swarm_have(t->swarm), piece);
}

uint64_t sim_credit_used(const struct daemon *d)
{
	uint64_t all = MAX(d->config->store_write_buffer / BLOCK_SIZE, (uint64_t)64);

	return (all - shard_in(d)->credit) * BLOCK_SIZE;
}

uint64_t sim_lent(const struct daemon *d)
{
	return (uint64_t)pool_lent(shard_in(d)->blocks) * BLOCK_SIZE;
}

static bool is_at(const struct endpoint *at, const struct host *h)
{
	return endpoint_same_ip(at, &h->at);
}

static const struct swarm_peer *peer_at(const struct peer_torrent *t, const struct host *h)
{
	for (const struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		const struct conn *k =
			(const struct conn *)(const void *)((const char *)l -
							    offsetof(struct conn, in_torrent));

		if (k->peer != NULL && is_at(&k->at, h))
			return k->peer;
	}
	return NULL;
}

uint64_t sim_given(const struct daemon *d, const struct content *c, const struct host *to)
{
	const struct swarm_peer *p = peer_at(torrent_in(d, c), to);
	struct swarm_look look;

	if (p == NULL)
		return 0;
	swarm_look(p, &look);
	return look.uploaded;
}

uint64_t sim_taken(const struct daemon *d, const struct content *c, const struct host *from)
{
	const struct swarm_peer *p = peer_at(torrent_in(d, c), from);
	struct swarm_look look;

	if (p == NULL)
		return 0;
	swarm_look(p, &look);
	return look.downloaded;
}

static unsigned open_conns(const struct peer_torrent *t, const struct host *only)
{
	unsigned n = 0;

	for (const struct link *l = t->conns.next; l != &t->conns; l = l->next) {
		const struct conn *k =
			(const struct conn *)(const void *)((const char *)l -
							    offsetof(struct conn, in_torrent));

		n += k->peer != NULL && (only == NULL || is_at(&k->at, only));
	}
	return n;
}

struct sim_totals sim_totals(const struct daemon *d, const struct content *c)
{
	const struct peer_torrent *t = torrent_in(d, c);
	struct swarm_totals n;

	if (t == NULL)
		return (struct sim_totals){0};
	swarm_totals(t->swarm, &n);
	return (struct sim_totals){
		.downloaded = n.downloaded,
		.uploaded = n.uploaded,
		.wasted = n.wasted,
		.peers = open_conns(t, NULL),
		.no_download = n.no_download,
	};
}

bool sim_banned(const struct daemon *d, const struct content *c, const struct host *by_ip)
{
	const struct peer_torrent *t = torrent_in(d, c);

	return t != NULL && peerlist_is_banned(swarm_candidates(t->swarm), &by_ip->at);
}

bool sim_connected(const struct daemon *d, const struct content *c, const struct host *other)
{
	const struct peer_torrent *t = torrent_in(d, c);

	return t != NULL && open_conns(t, other) > 0;
}

uint64_t sim_pieces_ok(const struct daemon *d)
{
	return d->pieces_ok;
}

uint64_t sim_pieces_bad(const struct daemon *d)
{
	return d->pieces_bad;
}

void sim_counts(const struct daemon *d, struct sim_counts *out)
{
	must(actors_count(d->set) == SIM_ACTORS);
	for (unsigned i = 0; i < SIM_ACTORS; i++) {
		const struct actor *a = actors_at(d->set, i);
		struct actor_state is;

		actors_state(d->set, i, &is);
		out->actor[i] = (struct sim_work){
			.turns = is.turns,
			.timers = stat_get(a, STAT_TIMERS),
			.sent = stat_get(a, STAT_MSGS_OUT),
			.received = stat_get(a, STAT_MSGS_IN),
		};
		(void)snprintf(out->actor[i].role, sizeof out->actor[i].role, "%s", is.role);
	}
	out->files = d->files;
	out->net = d->net;
}

void daemon_check(const struct daemon *d)
{
	struct shard *s = shard_in(d);

	for (uint32_t i = 0; i < s->torrents.n; i++)
		if (ptorrent_at(s, i) != NULL)
			picker_check(swarm_picker(ptorrent_at(s, i)->swarm));
}

void daemon_tap(struct daemon *d, const struct msg *m)
{
	const struct m_blocks *b = (const struct m_blocks *)(const void *)m;

	sim_trace_mix(d->s, (uint64_t)m->type << 48 | (uint64_t)m->from << 32 |
				    (uint64_t)m->to << 16 | d->index);
	if (m->type != MSG_BLOCKS_DONE)
		return;
	for (unsigned i = 0; i < b->n; i++) {
		d->pieces_ok += b->items[i].kind == BLOCK_PIECE_OK;
		d->pieces_bad += b->items[i].kind == BLOCK_PIECE_BAD;
	}
}
