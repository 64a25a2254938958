/* SPDX-License-Identifier: MIT */
/* What each route does: a message to the actor that knows, whose reply becomes the answer. */
#include "http/http_priv.h"

#include "actors/kernel/clock.h"

/* Requests that wait for other actors at once; beyond it the daemon is overloaded and says so. */
#define WAITING_MAX 1024u

static void suspend(struct request *r)
{
	r->suspended = true;
	r->http->waiting++;
	MHD_suspend_connection(r->conn);
}

static bool may_wait(struct request *r)
{
	if (r->http->stopping)
		answer_err(r, E_STOPPING, NULL);
	else if (r->http->waiting >= WAITING_MAX)
		answer_err(r, E_OVERLOAD, NULL);
	return !r->answered;
}

static struct request *request_of(void *ctx)
{
	struct request *r;

	CAST_OBJ(r, ctx, REQUEST_MAGIC);
	return r;
}

/* --- add
 * ------------------------------------------------------------------------------------------------------------
 */

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_add *add = m != NULL ? (struct m_torrent_add *)*m : NULL;

	(void)a;
	answer_err(r, err, add != NULL ? add->why.text : NULL);
	answer_resume(r);
}

void call_add(struct request *r)
{
	struct actor *a = r->http->actor;
	struct m_torrent_add *m;
	const char *path;
	uint64_t down, up;
	bool start;

	if (!param_text(r, "path", &path) || !param_bool(r, "start", true, &start) ||
		!param_rate(r, "maxdown", false, &down) || !param_rate(r, "maxup", false, &up))
		return;
	if (r->upload_n == 0) {
		answer_text(r, 400, "the body is empty: it must be the .torrent file");
		return;
	}
	if (!may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_ADD);
	m->body = r->upload;
	m->body_n = r->upload_n;
	r->upload = NULL;
	r->upload_n = r->upload_cap = 0;
	m->path = path != NULL && path[0] != '\0' ? xstrdup(path) : NULL;
	m->start = start;
	m->down_rate = down;
	m->up_rate = up;
	suspend(r);
	actor_call(a, ADDR_SESSION, (struct msg **)&m, on_added, r);
}

/* --- change
 * ------------------------------------------------------------------------------------------------------------
 */

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_set *set = m != NULL ? (struct m_torrent_set *)*m : NULL;

	(void)a;
	if (err == E_NOT_FOUND)
		answer_text(r, 404, "no torrent with this infohash");
	else
		answer_err(r, err, set != NULL ? set->why.text : NULL);
	answer_resume(r);
}

static bool is_global(enum torrent_op op)
{
	return op == GLOBAL_DOWN_RATE || op == GLOBAL_UP_RATE;
}

static bool has_rate(enum torrent_op op)
{
	return is_global(op) || op == TORRENT_DOWN_RATE || op == TORRENT_UP_RATE;
}

void call_set(struct request *r)
{
	struct actor *a = r->http->actor;
	enum torrent_op op = (enum torrent_op)r->route->arg;
	struct m_torrent_set *m;
	uint8_t infohash[20] = {0};
	uint64_t value = 0;
	bool with_data = false;

	if (!is_global(op) && !param_infohash(r, infohash))
		return;
	if (has_rate(op) && !param_rate(r, "rate", true, &value))
		return;
	if (op == TORRENT_REMOVE && !param_bool(r, "delete", false, &with_data))
		return;
	if (!may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_SET);
	memcpy(m->infohash, infohash, sizeof infohash);
	m->op = op;
	m->value = with_data ? 1 : value;
	suspend(r);
	actor_call(a, ADDR_SESSION, (struct msg **)&m, on_set, r);
}

/* --- look
 * ----------------------------------------------------------------------------------------------------------------
 */

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

	if (r->route->arg == 0 && !param_infohash(r, infohash))
		return;
	if (!may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	m->all = r->route->arg != 0;
	memcpy(m->infohash, infohash, sizeof infohash);
	suspend(r);
	actor_call(a, ADDR_SESSION, (struct msg **)&m, on_view, r);
}

/* --- health
 * ---------------------------------------------------------------------------------------------------------------
 */

static void on_health(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
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

	if (!may_wait(r))
		return;
	m = msg_new(a, MSG_HEALTH);
	suspend(r);
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
