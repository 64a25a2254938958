/* SPDX-License-Identifier: MIT */
/*
 * The torrents of a shard: coming, changing, going.
 *
 * A torrent without connections and without anybody to dial has no timer: idle torrents cost memory
 * only.
 */
#include "actors/peers/priv.h"
#include "proto/meta/wanted.h"

_Static_assert((int)CHOKE_FASTEST_UPLOAD == (int)CONFIG_CHOKER_FASTEST &&
		       (int)CHOKE_ROUND_ROBIN == (int)CONFIG_CHOKER_ROUND_ROBIN &&
		       (int)CHOKE_ANTI_LEECH == (int)CONFIG_CHOKER_ANTI_LEECH,
	"the choices of peers.seed_choker stand in the choker's order");
_Static_assert((int)SUPER_OFF == (int)CONFIG_SUPER_OFF && (int)SUPER_ON == (int)CONFIG_SUPER_ON &&
		       (int)SUPER_AUTO == (int)CONFIG_SUPER_AUTO,
	"the choices of seed.super stand in the swarm's order");

#define TOTALS_EVERY USEC_PER_SEC

/* --- the tick --- */

static void on_tick(struct loop_timer *timer, int64_t now)
{
	struct peer_torrent *t = container_of(timer, struct peer_torrent, tick);

	swarm_tick(t->swarm, now);
	pace_tick(t);
	if (now - t->told_at >= TOTALS_EVERY)
		ptorrent_report_totals(t);
	if (ptorrent_turn_over(t, now))
		ptorrent_wake(t);
	else
		ptorrent_dial(t);
	ptorrent_ask_for_peers(t, now);
}

/* --- completion --- */

/* Two that have everything have nothing to say to each other. */
static void close_seeds(struct peer_torrent *t)
{
	struct link *l = t->conns.next, *next;

	for (; l != &t->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_torrent);

		next = l->next;
		if (c->peer != NULL && swarm_is_seed(c->peer))
			conn_close(c, E_OK, "both_seed");
	}
}

void ptorrent_check_done(struct peer_torrent *t)
{
	struct m_torrent *m;

	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	if (t->done_said || !swarm_done(t->swarm))
		return;
	t->done_said = true;
	ptorrent_report_totals(t);
	m = msg_new(t->shard->actor, MSG_PEERS_DONE);
	m->t = t->ref;
	msg_send(t->shard->actor, ADDR_SESSION, m);
	peerlist_set_seeding(swarm_candidates(t->swarm), true);
	close_seeds(t);
}

/* --- what is wanted --- */

/* Runs of pieces at a time: the picker orders anew for each. */
static void set_priorities(struct peer_torrent *t)
{
	struct picker *p = swarm_picker(t->swarm);
	uint32_t n = t->meta->pieces, end;
	uint8_t *want = xcalloc(n, 1);

	wanted_pieces(t->meta, t->wishes.file_priority, t->wishes.first_last, want);
	for (uint32_t i = 0; i < n; i = end) {
		end = i + 1;
		if (picker_priority_of(p, i) == want[i])
			continue;
		while (end < n && want[end] == want[i])
			end++;
		picker_priorities(p, i, end, want[i]);
	}
	xfree(want);
}

/* Takes what w holds.  true: the peers' interest has to be counted anew. */
static bool take_wishes(struct peer_torrent *t, struct wishes *w)
{
	struct wishes before = t->wishes;
	bool changed = before.first_last != w->first_last || !wishes_same_files(&before, w);

	must(w->file_priority == NULL || w->file_priority_n == t->meta->files_n);
	if (before.sequential != w->sequential)
		picker_sequential(swarm_picker(t->swarm), w->sequential);
	wishes_move(&t->wishes, w);
	wishes_fini(&before);
	swarm_set_up_limit(t->swarm, t->wishes.up_limit);
	if (changed)
		set_priorities(t);
	return changed;
}

/* More may be wanted than before, or nothing any more. */
static void follow_wishes(struct peer_torrent *t)
{
	swarm_reconsider(t->swarm);
	if (!swarm_done(t->swarm) && t->done_said) {
		t->done_said = false;
		peerlist_set_seeding(swarm_candidates(t->swarm), false);
	}
	ptorrent_report_totals(t);
	ptorrent_check_done(t);
}

/* --- coming and going --- */

static struct swarm_config swarm_config_of(struct shard *s)
{
	return (struct swarm_config){.max_requests = (uint32_t)s->config->peers_request_queue,
		.candidates = (uint32_t)s->config->peers_candidates,
		.max_served = (uint32_t)s->config->peers_request_queue,
		.budget = &s->served,
		.unverified = &s->unverified,
		.upload_slots = (uint32_t)s->config->peers_upload_slots,
		.port = s->port,
		.version = s->version,
		.choke_seed = (enum choke_seed)s->config->peers_seed_choker,
		.super_seed = (enum swarm_super)s->config->seed_super,
		.request_timeout = s->config->peers_request_timeout,
		.allow_local = s->config->peers_allow_local};
}

/* Encryption may have become required, or be unwanted now. */
static void close_unfit(struct peer_torrent *t)
{
	enum config_encryption policy = greet_policy(t);
	struct link *l = t->conns.next, *next;

	for (; l != &t->conns; l = next) {
		struct conn *c = container_of(l, struct conn, in_torrent);
		bool encrypted = c->encryption != PEER_UNENCRYPTED || c->mse != NULL;

		next = l->next;
		if (c->state == CONN_CONNECTING || c->web)
			continue;
		if ((policy == CONFIG_ENCRYPTION_REQUIRED && !encrypted) ||
			(policy == CONFIG_ENCRYPTION_OFF && encrypted))
			conn_close(c, E_CANCELLED, "encryption");
	}
}

void ptorrent_reconfigure(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct swarm_config config = swarm_config_of(t->shard);

	swarm_configure(t->swarm, &config);
	ptorrent_obey_rules(t);
	ptorrent_keep_limit(t);
	close_unfit(t);
}

static void load_partials(struct peer_torrent *t, const struct partial_piece *v, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		size_t bytes = ((size_t)v[i].blocks_n + 7) / 8;

		if (v[i].piece >= t->meta->pieces ||
			picker_load_partial(
				swarm_picker(t->swarm), v[i].piece, v[i].blocks, bytes) != E_OK)
			continue;
		if (!picker_complete(swarm_picker(t->swarm), v[i].piece))
			continue;
		/* Nothing would ever come in to have it hashed: fetch it again. */
		picker_write_failed(swarm_picker(t->swarm), v[i].piece);
		blocks_drop_piece(t, v[i].piece, false);
	}
}

static void close_conns(struct peer_torrent *t, enum err why)
{
	while (!link_empty(&t->conns))
		conn_close(container_of(t->conns.next, struct conn, in_torrent), why, "torrent");
}

/* What the session knows of it, for a swarm that knows the pieces but nothing of us. */
static void load(struct peer_torrent *t, struct m_peers_add *add)
{
	struct wishes none = {.sequential = false};

	wishes_fini(&t->wishes);
	t->wishes = none;
	(void)take_wishes(t, &add->wishes);
	if (!t->meta->bare)
		picker_load_have(swarm_picker(t->swarm), &add->have);
	load_partials(t, add->partials, add->partials_n);
	t->done_said = swarm_done(t->swarm);
	t->told_left = swarm_left(t->swarm);
	peerlist_set_seeding(swarm_candidates(t->swarm), t->done_said);
	t->active = add->active;
}

static void make_swarm(struct peer_torrent *t, int64_t now)
{
	struct shard *s = t->shard;
	struct swarm_config config = swarm_config_of(s);
	struct layout layout = t->meta->bare ? (struct layout){0} : layout_of_metainfo(t->meta);

	t->swarm = swarm_new(t->meta->bare ? NULL : &layout, t->meta->infohash.v1, &config, &s->ops,
		t, &s->rng, now);
	swarm_set_info(t->swarm, t->meta->info, t->meta->is_private);
}

static void add_torrent(struct shard *s, struct m_peers_add *add, int64_t now)
{
	struct peer_torrent *t;

	ALLOC_OBJ(t, PEER_TORRENT_MAGIC);
	t->shard = s;
	t->ref = add->t;
	t->meta = add->meta;
	add->meta = NULL;
	make_swarm(t, now);
	load(t, add);
	link_init(&t->conns);
	t->tick.fn = on_tick;
	t->dial.fn = ptorrent_on_dial;
	t->told_at = now;
	t->wanted_at = now;
	ptorrent_obey_rules(t);
	rates_start(t, t->wishes.down_limit, t->wishes.up_limit);
	ptorrent_add(s, t);
	ptorrent_wake(t);
	ptorrent_take_early(t);
}

/* What was bare has its metainfo: it goes on with the connections and addresses it has. */
static void complete_torrent(struct peer_torrent *t, struct m_peers_add *add, int64_t now)
{
	struct metainfo *bare = t->meta;
	struct layout layout = layout_of_metainfo(add->meta);

	must(memcmp(bare->infohash.v1, add->meta->infohash.v1, sizeof bare->infohash.v1) == 0);
	t->meta = add->meta;
	add->meta = NULL;
	swarm_complete(t->swarm, &layout, t->meta->info, t->meta->is_private);
	metainfo_unref(&bare);
	ptorrent_close_unfit(t);
	ptorrent_close_guilty(t);
	rates_set(t, add->wishes.down_limit, add->wishes.up_limit);
	load(t, add);
	ptorrent_obey_rules(t);
	if (!t->active)
		close_conns(t, E_CANCELLED);
	swarm_introduce(t->swarm, now);
	if (t->done_said)
		close_seeds(t);
	log_event(LOG_INFO, "torrent_completed", "ih=%s pieces=%u peers=%u", ptorrent_name(t).text,
		t->meta->pieces, swarm_peers(t->swarm));
	ptorrent_dial(t);
}

void peers_on_add(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_peers_add *add = MSG_AS(PEERS_ADD, *m);
	struct peer_torrent *t = ptorrent_by_ref(s, add->t);

	/* The store may have been slower than the stop. */
	if (actor_stopping(a))
		return;
	if (t == NULL)
		add_torrent(s, add, actor_now(a));
	else if (t->meta->bare && !add->meta->bare)
		complete_torrent(t, add, actor_now(a));
}

void ptorrent_fetched(struct peer_torrent *t)
{
	CHECK_OBJ(t, PEER_TORRENT_MAGIC);
	struct slice info = swarm_metadata(t->swarm);
	struct m_peers_metadata *m = msg_new(t->shard->actor, MSG_PEERS_METADATA);

	m->t = t->ref;
	m->info = xmemdup(info.p, info.n);
	m->info_n = info.n;
	log_event(LOG_INFO, "metadata_fetched", "ih=%s bytes=%zu peers=%u", ptorrent_name(t).text,
		info.n, swarm_peers(t->swarm));
	msg_send(t->shard->actor, ADDR_SESSION, m);
}

void peers_on_set(struct actor *a, struct msg **m)
{
	struct m_peers_set *set = MSG_AS(PEERS_SET, *m);
	struct peer_torrent *t = ptorrent_by_ref(shard_of(a), set->t);
	bool again;

	if (t == NULL)
		return;
	rates_set(t, set->wishes.down_limit, set->wishes.up_limit);
	again = swarm_stop_download(t->swarm, set->no_download);
	if (take_wishes(t, &set->wishes)) {
		map_drop_all(
			t->shard, t->ref); /* what was in the part file may soon be in its own */
		follow_wishes(t);
	} else if (again) {
		swarm_reconsider(t->swarm);
	}
	close_unfit(t);
	if (set->active && !t->active)
		t->wanted_n = 0;
	t->active = set->active;
	ptorrent_obey_rules(t);
	if (!t->active) {
		close_conns(t, E_CANCELLED);
		map_drop_all(t->shard, t->ref); /* its file system may be unmounted */
		link_remove(&t->in_dial_queue);
	}
	ptorrent_dial(t);
}

/* The workers write out what they hold of pieces that are begun and remember it. */
static void drop_begun(struct peer_torrent *t)
{
	uint8_t *bitmap = xcalloc(1, PICKER_BITMAP_MAX);
	uint32_t iter = 0, piece;
	size_t n;

	while (picker_save_partial(swarm_picker(t->swarm), &iter, &piece, bitmap, &n))
		blocks_drop_piece(t, piece, true);
	xfree(bitmap);
}

void ptorrent_detach(struct peer_torrent **tp)
{
	struct peer_torrent *t;
	struct shard *s;

	TAKE_OBJ(t, tp, PEER_TORRENT_MAGIC);
	s = t->shard;
	t->active = false;
	ptorrent_obey_rules(t);
	close_conns(t, E_CANCELLED);
	ptorrent_report_totals(t);
	drop_begun(t);
	map_drop_all(s, t->ref);
	loop_timer_del(s->loop, &t->tick);
	link_remove(&t->in_dial_queue);
	if (t->dial.queued)
		loop_task_del(s->loop, &t->dial);
	ptorrent_remove(s, t);
	swarm_free(&t->swarm);
	wishes_fini(&t->wishes);
	metainfo_unref(&t->meta);
	FREE_OBJ(t);
}

void peers_on_remove(struct actor *a, struct msg **m)
{
	struct shard *s = shard_of(a);
	struct m_peers_remove *r = MSG_AS(PEERS_REMOVE, *m);
	struct peer_torrent *t = ptorrent_by_ref(s, r->t);
	struct swarm_totals n;

	if (t == NULL) {
		actor_reply(a, m, E_NOT_FOUND);
		return;
	}
	if (!t->meta->bare)
		bitfield_copy(&r->have, swarm_have(t->swarm));
	swarm_totals(t->swarm, &n);
	r->downloaded = n.downloaded;
	r->uploaded = n.uploaded;
	r->wasted = n.wasted;
	ptorrent_detach(&t);
	/* The blocks on their way must reach the workers before what follows from this reply does.
	 */
	blocks_flush(s);
	actor_reply(a, m, E_OK);
}
