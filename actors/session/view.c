/* SPDX-License-Identifier: MIT */
/*
 * What people see of torrents: the session's record, joined with what peers and trackers know.
 *
 * The others are asked at the same time and given a second: whoever is late leaves his part empty,
 * and the answer goes out.  A torrent that came or went meanwhile is judged when the answers are
 * joined, so the view never names one that is gone.
 */
#include "actors/session/priv.h"

#include <stdlib.h>

#include "actors/msg/rules.h"
#include "proto/base/priority.h"
#include "proto/meta/wanted.h"
#include "proto/tracker/announce.h"

#define VIEW_MAGIC 0x56494557u

/* What one actor answered: peers, trackers or web seeds. */
struct reply {
	struct torrent_peers *peers; /* owned, as the next one */
	struct torrent_trackers *trackers;
	struct torrent_web_seeds *seeds;
	uint32_t n;
};

struct view {
	uint32_t magic;
	struct session *session;
	struct m_torrent_view *m; /* owned: the call to answer */
	unsigned waiting;         /* answers to come */
	unsigned replies_n;
	struct reply replies[]; /* one for each actor that answered */
};

/* --- one torrent from the session's record --- */

/* While no peers have it, what it last had; all clear when nothing is known. */
static void fill_bitfield(const struct torrent *t, struct torrent_view *v, unsigned parts)
{
	const struct bitfield *b =
		t->have.bits == 0 && t->record != NULL ? &t->record->synced : &t->have;

	v->bits = t->meta->pieces;
	v->have = t->have_n;
	if ((parts & (VIEW_BITFIELDS | VIEW_FILES | VIEW_PIECES)) == 0)
		return;
	if (b->bits == v->bits)
		v->bitfield = xmemdup(b->bytes, bitfield_bytes(v->bits));
	else
		v->bitfield = xcalloc(1, bitfield_bytes(v->bits));
}

static void fill_totals(const struct torrent *t, struct torrent_view *v)
{
	struct totals run = torrent_run_totals(t);

	v->downloaded = run.downloaded;
	v->uploaded = run.uploaded;
	v->wasted = run.wasted;
	v->downloaded_ever = t->ever.downloaded + run.downloaded;
	v->uploaded_ever = t->ever.uploaded + run.uploaded;
	v->wasted_ever = t->ever.wasted + run.wasted;
}

static unsigned sources_of(const struct torrent *t)
{
	struct source_rules rules = rules_of(t->meta, &t->wishes, t->session->config);
	unsigned bits = 0;

	for (unsigned i = 0; i < PEER_SOURCES; i++)
		bits |= source_allowed((enum peer_source)i, &rules) ? 1u << i : 0;
	return bits;
}

static void fill_turn(const struct torrent *t, struct torrent_view *v)
{
	v->place = torrent_position(t);
	v->forced = torrent_forced(t);
	v->stalled = t->slot == SLOT_STALLED;
	v->limited = (t->run & RUN_LIMIT_REACHED) != 0;
	v->sequential = t->wishes.sequential;
	v->labels = label_ref(t->wishes.labels);
	v->encryption = t->wishes.encryption;
	v->discreet = t->wishes.discreet;
	v->first_last = t->wishes.first_last;
	v->seed = t->seed;
	v->seeded = torrent_seeded(t);
}

/* While no peers have it, nothing of it is under way, and nobody is connected. */
static void fill_pieces(const struct torrent *t, struct torrent_view *v)
{
	uint32_t n = t->meta->pieces;

	v->piece_states = xcalloc(MAX(n, 1u), 1);
	v->piece_copies = xcalloc(MAX(n, 1u), 1);
	if (n == 0)
		return;
	wanted_pieces(t->meta, t->wishes.file_priority, false, v->piece_states);
	for (uint32_t i = 0; i < n; i++)
		v->piece_states[i] =
			(uint8_t)((v->piece_states[i] != PRIORITY_SKIP ? PIECE_WANTED : 0) |
				  (bits_get(v->bitfield, i) ? PIECE_HAVE : 0));
}

static void snapshot_torrent(const struct torrent *t, struct torrent_view *v, unsigned parts)
{
	v->meta = metainfo_ref(t->meta);
	v->n = t->revised.row.n;
	memcpy(v->infohash, t->meta->infohash.v1, sizeof v->infohash);
	v->ref = t->ref;
	v->status = torrent_status(t);
	v->started = torrent_started(t);
	v->path = xstrdup(t->path);
	v->size = t->meta->size;
	v->piece_length = t->meta->piece_length;
	v->wanted = t->wanted;
	v->left = t->left;
	v->checked = v->status == STATUS_CHECKING ? t->checked : 0;
	v->added = t->added;
	v->started_at = t->started_at;
	v->completed_at = t->completed_at;
	v->down_limit = t->wishes.down_limit;
	v->up_limit = t->wishes.up_limit;
	v->is_private = t->meta->is_private;
	v->sources = sources_of(t);
	v->error = t->error != NULL ? xstrdup(t->error) : NULL;
	v->seed_now = seed_limits_in_force(t);
	if ((parts & VIEW_ROW) != 0) {
		v->row = xcalloc(1, sizeof *v->row);
		row_copy(v->row, &t->revised.row);
	}
	fill_bitfield(t, v, parts);
	if ((parts & VIEW_PIECES) != 0)
		fill_pieces(t, v);
	fill_totals(t, v);
	fill_turn(t, v);
}

static void fill_files(const struct torrent *t, struct torrent_view *v)
{
	uint32_t n = t->meta->files_n;

	v->files = xcalloc(MAX(n, 1u), sizeof *v->files);
	for (uint32_t i = 0; i < n; i++)
		v->files[i] = (struct file_view){
			.done = wanted_file_done(t->meta, i, v->bitfield),
			.priority = t->wishes.file_priority != NULL ? t->wishes.file_priority[i]
								    : (uint8_t)PRIORITY_NORMAL,
		};
}

/* What the tracker actor had not heard of, or said nothing about, has the trackers that it has
 * there in the end: by the same rules. */
static void fill_trackers(const struct torrent *t, struct torrent_view *v)
{
	struct announce_url list[ANNOUNCE_TRACKERS_MAX];
	size_t n = announce_urls_of(t->meta, list);

	if (n == 0)
		return;
	v->trackers = xcalloc(n, sizeof *v->trackers);
	v->trackers_n = (uint32_t)n;
	for (size_t i = 0; i < n; i++) {
		v->trackers[i] = (struct tracker_view){
			.url = xcalloc(1, list[i].url.n + 1),
			.tier = list[i].tier,
			.leechers = -1,
			.seeders = -1,
		};
		memcpy(v->trackers[i].url, list[i].url.p, list[i].url.n);
	}
}

/* --- joining --- */

static void join_peers(const struct torrent *t, struct torrent_view *v, struct torrent_peers *p)
{
	struct totals now = {p->downloaded, p->uploaded, p->wasted};

	if (p->bits != v->bits)
		return;
	if (p->bitfield != NULL) {
		xfree(v->bitfield);
		v->bitfield = p->bitfield;
		p->bitfield = NULL;
	}
	if (p->piece_states != NULL) {
		xfree(v->piece_states);
		xfree(v->piece_copies);
		v->piece_states = p->piece_states;
		v->piece_copies = p->piece_copies;
		p->piece_states = p->piece_copies = NULL;
	}
	v->have = p->have;
	v->left = p->left;
	v->downloaded = t->base.downloaded + now.downloaded;
	v->uploaded = t->base.uploaded + now.uploaded;
	v->wasted = t->base.wasted + now.wasted;
	v->failed_pieces = p->failed_pieces;
	v->mute_dials = p->mute_dials;
	v->metadata = p->metadata;
	v->downloaded_ever = t->ever.downloaded + v->downloaded;
	v->uploaded_ever = t->ever.uploaded + v->uploaded;
	v->wasted_ever = t->ever.wasted + v->wasted;
	v->down_rate = p->down_rate;
	v->up_rate = p->up_rate;
	if (v->status == STATUS_DOWNLOADING || v->status == STATUS_SEEDING)
		v->status = v->left == 0 ? STATUS_SEEDING : STATUS_DOWNLOADING;
	view_peers_free(&v->peers, v->peers_n);
	v->peers = p->peers;
	v->peers_n = p->peers_n;
	p->peers = NULL;
}

static void join_trackers(struct torrent_view *v, struct torrent_trackers *p)
{
	view_trackers_free(&v->trackers, v->trackers_n);
	v->trackers = p->trackers;
	v->trackers_n = p->n;
	p->trackers = NULL;
}

static void join_web_seeds(struct torrent_view *v, struct torrent_web_seeds *p)
{
	view_web_seeds_free(&v->web_seeds, v->web_seeds_n);
	v->web_seeds = p->seeds;
	v->web_seeds_n = p->n;
	p->seeds = NULL;
}

static struct tref reply_ref(const struct reply *r, uint32_t i)
{
	if (r->peers != NULL)
		return r->peers[i].t;
	return r->trackers != NULL ? r->trackers[i].t : r->seeds[i].t;
}

/* at: place of each slot's view plus one, 0 for none. */
static void join_reply(
	struct session *s, struct torrent_view *views, const uint32_t *at, struct reply *reply)
{
	for (uint32_t i = 0; i < reply->n; i++) {
		const struct torrent *t = torrent_at(s, reply_ref(reply, i));

		if (t == NULL || at[t->ref.slot] == 0)
			continue;
		if (reply->trackers != NULL)
			join_trackers(&views[at[t->ref.slot] - 1], &reply->trackers[i]);
		else if (reply->seeds != NULL)
			join_web_seeds(&views[at[t->ref.slot] - 1], &reply->seeds[i]);
		else if (t->attached)
			join_peers(t, &views[at[t->ref.slot] - 1], &reply->peers[i]);
	}
}

static int compare_rows(const void *a, const void *b)
{
	const struct torrent *const *x = a, *const *y = b;

	return ((*x)->row > (*y)->row) - ((*x)->row < (*y)->row);
}

/* Those to be shown, oldest first; owned by the caller. */
static struct torrent **collect(
	const struct session *s, const struct m_torrent_view *m, uint32_t *n)
{
	struct torrent **list = xcalloc(MAX(s->torrents_n, 1u), sizeof(struct torrent *));
	struct torrent *one = m->all ? NULL : torrent_find(s, m->infohash);

	*n = 0;
	if (one != NULL && torrent_listed(one))
		list[(*n)++] = one;
	for (uint32_t i = 0; m->all && i < s->slots.n; i++)
		if (session_torrent(s, i) != NULL && torrent_listed(session_torrent(s, i)))
			list[(*n)++] = session_torrent(s, i);
	qsort(list, *n, sizeof *list, compare_rows);
	return list;
}

static void build(struct view *v)
{
	struct session *s = v->session;
	struct m_torrent_view *m = v->m;
	struct torrent **list = collect(s, m, &m->torrents_n);
	uint32_t *at = xcalloc(MAX(s->slots.n, 1u), sizeof *at);

	m->torrents = xcalloc(MAX(m->torrents_n, 1u), sizeof *m->torrents);
	for (uint32_t i = 0; i < m->torrents_n; i++) {
		snapshot_torrent(list[i], &m->torrents[i], m->parts);
		at[list[i]->ref.slot] = i + 1;
	}
	for (unsigned i = 0; i < v->replies_n; i++)
		join_reply(s, m->torrents, at, &v->replies[i]);
	for (uint32_t i = 0; i < m->torrents_n; i++) {
		struct torrent_view *one = &m->torrents[i];
		one->ratio = torrent_ratio(list[i], one->downloaded_ever, one->uploaded_ever);
		if ((m->parts & VIEW_FILES) != 0)
			fill_files(list[i], one);
		if ((m->parts & VIEW_TRACKERS) != 0 && one->trackers == NULL)
			fill_trackers(list[i], one);
	}
	m->down_limit = session_down_limit(s);
	m->up_limit = session_up_limit(s);
	xfree(at);
	xfree(list);
}

/* --- asking --- */

static void free_reply(struct reply *p)
{
	for (uint32_t i = 0; i < p->n; i++) {
		if (p->trackers != NULL) {
			view_trackers_free(&p->trackers[i].trackers, p->trackers[i].n);
		} else if (p->seeds != NULL) {
			view_web_seeds_free(&p->seeds[i].seeds, p->seeds[i].n);
		} else {
			xfree(p->peers[i].bitfield);
			xfree(p->peers[i].piece_states);
			xfree(p->peers[i].piece_copies);
			view_peers_free(&p->peers[i].peers, p->peers[i].peers_n);
		}
	}
	xfree(p->peers);
	xfree(p->trackers);
	xfree(p->seeds);
}

static void view_free(struct view **pv)
{
	struct view *v;

	TAKE_OBJ(v, pv, VIEW_MAGIC);
	for (unsigned i = 0; i < v->replies_n; i++)
		free_reply(&v->replies[i]);
	FREE_OBJ(v);
}

static void end_one(struct view *v)
{
	struct msg *m = &v->m->h;
	enum err e;

	if (--v->waiting > 0)
		return;
	build(v);
	e = !v->m->all && v->m->torrents_n == 0 ? E_NOT_FOUND : E_OK;
	actor_reply(v->session->actor, &m, e);
	view_free(&v);
}

static void on_peers(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct view *v;

	(void)a;
	CAST_OBJ(v, ctx, VIEW_MAGIC);
	if (err == E_OK) {
		struct m_peers_view *r = container_of(*m, struct m_peers_view, h);
		if (r->torrents != NULL)
			v->replies[v->replies_n++] =
				(struct reply){.peers = r->torrents, .n = r->torrents_n};
		r->torrents = NULL;
	}
	end_one(v);
}

static void on_trackers(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct view *v;

	(void)a;
	CAST_OBJ(v, ctx, VIEW_MAGIC);
	if (err == E_OK) {
		struct m_tracker_view *r = container_of(*m, struct m_tracker_view, h);
		if (r->torrents != NULL)
			v->replies[v->replies_n++] =
				(struct reply){.trackers = r->torrents, .n = r->torrents_n};
		r->torrents = NULL;
	}
	end_one(v);
}

static void on_web_seeds(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct view *v;

	(void)a;
	CAST_OBJ(v, ctx, VIEW_MAGIC);
	if (err == E_OK) {
		struct m_webseed_view *r = MSG_AS(WEBSEED_VIEW, *m);

		v->replies[v->replies_n++] =
			(struct reply){.seeds = r->torrents, .n = r->torrents_n};
		r->torrents = NULL;
	}
	end_one(v);
}

static void ask_peers(struct view *v, unsigned shard, struct tref one)
{
	struct msg *m = msg_new(v->session->actor, MSG_PEERS_VIEW);
	struct m_peers_view *ask = container_of(m, struct m_peers_view, h);

	ask->all = v->m->all;
	ask->t = one;
	ask->parts = v->m->parts;
	v->waiting++;
	actor_call_within(
		v->session->actor, ADDR(ROLE_PEERS, shard), &m, VIEW_TIMEOUT, on_peers, v);
}

static void ask_trackers(struct view *v, struct tref one)
{
	struct msg *m = msg_new(v->session->actor, MSG_TRACKER_VIEW);
	struct m_tracker_view *ask = container_of(m, struct m_tracker_view, h);

	ask->all = v->m->all;
	ask->t = one;
	v->waiting++;
	actor_call_within(v->session->actor, ADDR_TRACKER, &m, VIEW_TIMEOUT, on_trackers, v);
}

static void ask_web_seeds(struct view *v, struct tref one)
{
	struct m_webseed_view *ask = msg_new(v->session->actor, MSG_WEBSEED_VIEW);
	struct msg *m = &ask->h;

	ask->all = v->m->all;
	ask->t = one;
	v->waiting++;
	actor_call_within(v->session->actor, ADDR_WEBSEED, &m, VIEW_TIMEOUT, on_web_seeds, v);
}

static struct view *view_new(struct session *s, struct msg **m)
{
	struct view *v = xcalloc(1, sizeof *v + (s->shards + 2) * sizeof v->replies[0]);

	v->magic = VIEW_MAGIC;
	v->session = s;
	v->m = container_of(*m, struct m_torrent_view, h);
	*m = NULL;
	return v;
}

void session_on_view(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	const struct m_torrent_view *ask = container_of(*m, struct m_torrent_view, h);
	const struct torrent *t = NULL;
	struct tref one = {0};
	struct view *v;

	if (session_defer_early(s, m))
		return;
	if (!ask->all) {
		t = torrent_find(s, ask->infohash);
		if (t == NULL || !torrent_listed(t)) {
			actor_reply(a, m, E_NOT_FOUND);
			return;
		}
		one = t->ref;
	}
	v = view_new(s, m);
	if (t != NULL)
		ask_peers(v, one.shard, one);
	for (unsigned i = 0; t == NULL && i < s->shards; i++)
		ask_peers(v, i, one);
	if ((v->m->parts & VIEW_TRACKERS) != 0)
		ask_trackers(v, one);
	if ((v->m->parts & VIEW_WEB_SEEDS) != 0 && (t != NULL ? t->told_web : s->web_n > 0))
		ask_web_seeds(v, one);
}
