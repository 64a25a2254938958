/* SPDX-License-Identifier: MIT */
/* What each route does: a message to the actor that knows, whose reply becomes the answer. */
#include "http/server/priv.h"

#include "actors/kernel/clock.h"

/* Requests that wait for other actors at once; beyond it the daemon is overloaded and says so. */
#define WAITING_MAX 1024u

void call_suspend(struct request *r)
{
	r->suspended = true;
	r->http->waiting++;
	MHD_suspend_connection(r->conn);
}

bool call_may_wait(struct request *r)
{
	if (r->http->stopping)
		answer_err(r, E_STOPPING, NULL);
	else if (r->http->waiting >= WAITING_MAX)
		answer_err(r, E_OVERLOAD, NULL);
	return !r->answered;
}

struct request *call_request(void *ctx)
{
	struct request *r;

	CAST_OBJ(r, ctx, REQUEST_MAGIC);
	return r;
}

/* --- add --- */

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = call_request(ctx);
	struct m_torrent_add *add = m != NULL ? (struct m_torrent_add *)*m : NULL;

	(void)a;
	answer_err(r, err, add != NULL ? add->why.text : NULL);
	answer_resume(r);
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
	if (r->upload_n == 0) {
		answer_text(r, 400, "the body is empty: it must be the .torrent file");
		return false;
	}
	m->path = path != NULL && path[0] != '\0' ? xstrdup(path) : NULL;
	return call_may_wait(r);
}

void call_add(struct request *r)
{
	struct actor *a = r->http->actor;
	struct msg *h = msg_new(a, MSG_TORRENT_ADD);
	struct m_torrent_add *m = container_of(h, struct m_torrent_add, h);

	if (!read_add(r, m)) {
		msg_free(a, &h);
		return;
	}
	m->body = r->upload;
	m->body_n = r->upload_n;
	r->upload = NULL;
	r->upload_n = r->upload_cap = 0;
	call_suspend(r);
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
	struct request *r = call_request(ctx);
	struct m_torrent_view *v = m != NULL ? (struct m_torrent_view *)*m : NULL;

	(void)a;
	if (err == E_OK && v != NULL && v->all)
		answer_json(r, 200, all_data(v));
	else if (err == E_OK && v != NULL && v->torrents_n == 1)
		answer_json(r, 200, view_torrent(&v->torrents[0]));
	else if (err == E_OK || err == E_NOT_FOUND)
		answer_text(r, 404, "no torrent with this infohash");
	else
		answer_err(r, err, NULL);
	answer_resume(r);
}

void call_view(struct request *r)
{
	struct actor *a = r->http->actor;
	struct m_torrent_view *m;
	uint8_t infohash[20] = {0};
	bool files;

	if (r->route->arg == 0 && !param_infohash(r, infohash))
		return;
	if (!param_bool(r, "files", r->route->arg == 0, &files))
		return;
	if (!call_may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	m->all = r->route->arg != 0;
	m->files = files;
	memcpy(m->infohash, infohash, sizeof infohash);
	call_suspend(r);
	actor_call(a, ADDR_SESSION, (struct msg **)&m, on_view, r);
}

/* --- health --- */

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = call_request(ctx);
	struct m_health *h = m != NULL ? (struct m_health *)*m : NULL;

	(void)a;
	if (err == E_OK && h != NULL)
		answer_json(r, h->ok ? 200 : 503, view_health(h));
	else
		answer_text(r, 503, "the supervisor does not answer: %s", err_words(err));
	answer_resume(r);
}

void call_health(struct request *r)
{
	struct actor *a = r->http->actor;
	struct msg *m;

	if (!call_may_wait(r))
		return;
	m = msg_new(a, MSG_HEALTH);
	call_suspend(r);
	actor_call(a, ADDR_MAIN, &m, on_health, r);
}

void call_index(struct request *r)
{
	json_t *o = json_object(), *list = json_object();
	unsigned n;
	const struct route *routes = route_list(&n);

	for (unsigned i = 0; i < n; i++)
		json_object_set_new(list, routes[i].path, json_string(routes[i].doc));
	json_object_set_new(o, "name", json_string("torrentd"));
	json_object_set_new(o, "version", json_string(config_version()));
	json_object_set_new(o, "endpoints", list);
	answer_json(r, 200, o);
}
