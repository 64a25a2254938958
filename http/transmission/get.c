/* SPDX-License-Identifier: MIT */
/*
 * torrent-get: the session is asked for those torrents, and only for the parts that the fields
 * need; what comes is written by fields.c.
 *
 * A few torrents are asked for one by one, more than that as all there are, of which some are
 * shown.
 */
#include "http/transmission/get.h"

#include "actors/kernel/clock.h"
#include "http/transmission/ids.h"
#include "http/transmission/priv.h"
#include "proto/base/array.h"

#define SINGLE_MAX 16u /* torrents that are asked for one by one */

/* --- what came --- */

static void add_row(struct get *g, const struct torrent_view *t, const struct tid *one)
{
	struct get_row row = {.t = t, .id = one->id, .active = one->active};

	ARRAY_PUSH(g->rows, g->rows_n, g->rows_room, row);
}

static void add_removed(struct get *g, const struct tids *ids)
{
	int64_t id;

	for (uint32_t i = 0; g->recent && tids_gone(ids, g->scene.now, i, &id); i++)
		ARRAY_PUSH(g->removed, g->removed_n, g->removed_room, id);
}

/* Of all there are, those that are meant. */
static void select_rows(struct rcall *c, struct get *g, const struct m_torrent_view *v)
{
	struct rpc *rpc = rcall_rpc(c);
	struct chosen ch;

	chosen_read(c, &ch);
	chosen_mark(&ch, rpc, ++rpc->serial);
	for (uint32_t i = 0; i < v->torrents_n; i++) {
		const struct tid *one = tids_of(rpc->ids, v->torrents[i].infohash);

		if (ch.all || one->mark == rpc->serial ||
			(ch.recent && g->scene.now - one->changed <= TIDS_RECENT))
			add_row(g, &v->torrents[i], one);
	}
}

static void read_views(struct rcall *c, struct get *g)
{
	struct tids *ids = rcall_rpc(c)->ids;

	for (unsigned i = 0; i < g->views_n; i++) {
		const struct m_torrent_view *v = MSG_AS(TORRENT_VIEW, g->views[i]);

		tids_sync(ids, v->torrents, v->torrents_n, v->all, g->scene.now);
		if (v->all)
			select_rows(c, g, v);
		else if (v->torrents_n == 1)
			add_row(g, v->torrents, tids_of(ids, v->torrents->infohash));
	}
	add_removed(g, ids);
}

/* What is not there any more is left out. */
static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	struct get *g = c->tail;

	(void)a;
	CHECK_OBJ(g, GET_MAGIC);
	if (err == E_OK && m != NULL) {
		g->views[g->views_n++] = *m;
		*m = NULL;
	} else if (err != E_NOT_FOUND) {
		g->failed = err != E_OK ? err : E_TIMEOUT;
	}
	if (--g->waiting > 0)
		return;
	if (g->failed == E_OK)
		read_views(c, g);
	rcall_end_err(c, g->failed, NULL);
}

/* --- asking --- */

static void ask(struct rcall *c, const uint8_t *infohash)
{
	struct get *g = c->tail;
	struct m_torrent_view *m = msg_new(g->actor, MSG_TORRENT_VIEW);

	m->all = infohash == NULL;
	m->parts = get_parts(g);
	if (infohash != NULL)
		memcpy(m->infohash, infohash, sizeof m->infohash);
	g->waiting++;
	msg_call(g->actor, ADDR_SESSION, m, on_view, c);
}

static void ask_chosen(struct rcall *c)
{
	struct get *g = c->tail;
	struct chosen ch;
	uint8_t(*hashes)[20];
	uint32_t n;

	chosen_read(c, &ch);
	g->recent = ch.recent;
	if (!chosen_hashes(&ch, rcall_rpc(c), SINGLE_MAX, &hashes, &n)) {
		g->views = xcalloc(1, sizeof(struct msg *));
		ask(c, NULL);
		return;
	}
	g->views = xcalloc(MAX(n, 1u), sizeof(struct msg *));
	for (uint32_t i = 0; i < n; i++)
		ask(c, hashes[i]);
	xfree(hashes);
	if (n == 0)
		rcall_done(c);
}

static struct get *get_new(const struct rcall *c)
{
	const struct config *k = rcall_config(c);
	struct get *g;

	ALLOC_OBJ(g, GET_MAGIC);
	g->actor = rcall_rpc(c)->actor;
	g->scene = (struct get_scene){.snake = c->snake,
		.now = clock_wall_s(),
		.peer_limit = (uint32_t)k->peers_max_per_torrent,
		.seed_ratio = k->seed_ratio,
		.seed_idle = k->seed_idle / USEC_PER_SEC};
	return g;
}

static bool write_tail(void *ctx, struct json_out *o, size_t end)
{
	return get_some(ctx, o, end);
}

static void free_tail(void *ctx)
{
	struct get *g = ctx;

	get_free(&g);
}

void get_torrents(struct rcall *c)
{
	const json_t *fields = rcall_arg(c, "fields"), *name;
	const char *format = rcall_text(c, "format");
	struct get *g;
	size_t i;

	if (!json_is_array(fields)) {
		rcall_end(c, RPC_PARAMS, "no fields specified");
		return;
	}
	g = get_new(c);
	c->tail = g;
	c->tail_some = write_tail;
	c->tail_free = free_tail;
	g->table = format != NULL && strcmp(format, "table") == 0;
	json_array_foreach(fields, i, name)
	{
		if (json_is_string(name))
			(void)get_add_field(g, json_string_value(name));
	}
	ask_chosen(c);
}
