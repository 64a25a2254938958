/* SPDX-License-Identifier: MIT */
/* What each route does: a message to the actor that knows, whose reply becomes the answer. */
#include "http/api/priv.h"

#include "actors/kernel/clock.h"

/* --- add --- */

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_add *add = m != NULL ? MSG_AS(TORRENT_ADD, *m) : NULL;

	(void)a;
	answer_err(r, err, add != NULL ? add->why.text : NULL);
	request_resume(r);
}

/* false: answered. */
static bool read_add(struct request *r, struct m_torrent_add *m)
{
	const char *path;

	if (!param_text(r, "path", &path) || !param_bool(r, "start", true, &m->start) ||
		!param_rate(r, "maxdown", false, &m->wishes.down_limit) ||
		!param_rate(r, "maxup", false, &m->wishes.up_limit) ||
		!param_files(r, "skip", PRIORITY_SKIP, &m->files, &m->files_n) ||
		!param_files(r, "low", PRIORITY_LOW, &m->files, &m->files_n) ||
		!param_files(r, "high", PRIORITY_TOP, &m->files, &m->files_n) ||
		!param_bool(r, "sequential", false, &m->wishes.sequential) ||
		!param_bool(r, "firstlast", false, &m->wishes.first_last) ||
		!param_bool(r, "top", false, &m->queue_top))
		return false;
	if (request_body_len(r) == 0) {
		answer_text(r, 400, "the body is empty: it must be the .torrent file");
		return false;
	}
	m->path = path != NULL ? xstrdup(path) : NULL;
	return request_may_wait(r);
}

void api_add(struct request *r)
{
	struct actor *a = request_actor(r);
	struct msg *h = msg_new(a, MSG_TORRENT_ADD);
	struct m_torrent_add *m = container_of(h, struct m_torrent_add, h);

	if (!read_add(r, m)) {
		msg_free(a, &h);
		return;
	}
	m->body = request_body_take(r, &m->body_n);
	request_suspend(r);
	actor_call(a, ADDR_SESSION, &h, on_added, r);
}

/* --- look --- */

static json_t *all_data(const struct m_torrent_view *v)
{
	json_t *o = json_object(), *sessions = json_array();

	for (uint32_t i = 0; i < v->torrents_n; i++)
		json_array_append_new(sessions, view_torrent(&v->torrents[i]));
	json_object_set_new(o, "time", view_time(clock_wall_s()));
	json_object_set_new(o, "sessions", sessions);
	json_object_set_new(o, "maxdown", json_real((double)v->down_limit / 1024.0));
	json_object_set_new(o, "maxup", json_real((double)v->up_limit / 1024.0));
	return o;
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_view *v = m != NULL ? MSG_AS(TORRENT_VIEW, *m) : NULL;

	(void)a;
	if (err == E_OK && v != NULL && v->all)
		answer_json(r, 200, all_data(v));
	else if (err == E_OK && v != NULL && v->torrents_n == 1)
		answer_json(r, 200, view_torrent(&v->torrents[0]));
	else if (err == E_OK || err == E_NOT_FOUND)
		answer_text(r, 404, "no torrent with this infohash");
	else
		answer_err(r, err, NULL);
	request_resume(r);
}

void api_view(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_view *m;
	uint8_t infohash[20] = {0};
	bool files;

	if (request_resource(r)->arg == 0 && !param_infohash(r, infohash))
		return;
	if (!param_bool(r, "files", request_resource(r)->arg == 0, &files))
		return;
	if (!request_may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	m->all = request_resource(r)->arg != 0;
	m->files = files;
	memcpy(m->infohash, infohash, sizeof infohash);
	request_suspend(r);
	msg_call(a, ADDR_SESSION, m, on_view, r);
}

/* --- health --- */

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_health *h = m != NULL ? MSG_AS(HEALTH, *m) : NULL;

	(void)a;
	if (err == E_OK && h != NULL)
		answer_json(r, h->ok ? 200 : 503, view_health(h));
	else
		answer_text(r, 503, "the supervisor does not answer: %s", err_words(err));
	request_resume(r);
}

void api_health(struct request *r)
{
	struct actor *a = request_actor(r);
	struct msg *m;

	if (!request_may_wait(r))
		return;
	m = msg_new(a, MSG_HEALTH);
	request_suspend(r);
	actor_call(a, ADDR_MAIN, &m, on_health, r);
}

void api_index(struct request *r)
{
	json_t *o = json_object(), *list = json_object();
	const struct resources *all = request_resources(r);

	for (unsigned i = 0; i < all->n; i++)
		json_object_set_new(list, all->v[i].path, json_string(all->v[i].doc));
	json_object_set_new(o, "name", json_string("torrentd"));
	json_object_set_new(o, "version", json_string(config_version()));
	json_object_set_new(o, "endpoints", list);
	answer_json(r, 200, o);
}
