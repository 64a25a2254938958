/* SPDX-License-Identifier: MIT */
/* Torrents that were removed and can come back. */
#include "http/api/priv.h"

#include <stdio.h>

static void put_removed(struct json_out *o, const struct shelved *t, int64_t keep)
{
	json_out_open(o, '{');
	json_out_put(o, "hash", hex, t->infohash, 20);
	json_out_put(o, "name", text, t->name);
	json_out_put(o, "size", uint, t->size);
	json_out_put(o, "path", text, t->path);
	json_out_put(o, "data", text, t->trash != NULL ? "trash" : "keep");
	json_out_put(o, "removed", int, t->at);
	json_out_put(o, "until", int, t->at + keep);
	json_out_close(o, '}');
}

static void on_removed(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct json_out o = {0};

	(void)a;
	if (err == E_OK) {
		const struct m_removed *list = MSG_AS(REMOVED_VIEW, *m);

		json_out_open(&o, '{');
		json_out_key(&o, "removed");
		json_out_open(&o, '[');
		for (uint32_t i = list->n; i > 0; i--)
			put_removed(&o, &list->list[i - 1], list->keep);
		json_out_close(&o, ']');
		json_out_close(&o, '}');
	}
	api_answer(request_of(ctx), err, 200, &o, "the session");
}

void api_removed(struct request *r)
{
	api_ask(r, ADDR_SESSION, MSG_REMOVED_VIEW, on_removed);
}

/* --- what it would be about --- */

static void on_data(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct json_out o = {0};
	char id[20];

	(void)a;
	if (err == E_OK) {
		const struct m_torrent_data *d = MSG_AS(TORRENT_DATA, *m);

		snprintf(id, sizeof id, "%llx", (unsigned long long)d->device);
		json_out_open(&o, '{');
		json_out_put(&o, "bytes", uint, d->bytes);
		json_out_put(&o, "volume", text, d->device != 0 ? id : NULL);
		json_out_put(&o, "trash", bool, d->trash);
		json_out_close(&o, '}');
		answer_json(r, 200, &o);
	} else if (err == E_NOT_FOUND) {
		answer_problem(r, 404, "no_such_torrent", "no torrent with this infohash");
	} else {
		answer_err(r, err, NULL);
	}
	request_resume(r);
}

void api_data(struct request *r)
{
	struct m_torrent_data *m = msg_new(request_actor(r), MSG_TORRENT_DATA);
	struct msg *h = &m->h;

	if (!param_infohash(r, m->infohash) || !request_may_wait(r)) {
		msg_free(request_actor(r), &h);
		return;
	}
	request_suspend(r);
	actor_call(request_actor(r), ADDR_SESSION, &h, on_data, r);
}

/* --- back, or for good --- */

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_torrent_set *set = m != NULL ? MSG_AS(TORRENT_SET, *m) : NULL;

	(void)a;
	if (err == E_OK)
		answer_nothing(r);
	else if (err == E_NOT_FOUND)
		answer_problem(r, 404, "no_such_torrent",
			"no removed torrent has this infohash: GET /api/v1/removed lists them");
	else
		answer_err(r, err, set != NULL ? set->why.text : NULL);
	request_resume(r);
}

void api_removed_set(struct request *r)
{
	struct m_torrent_set *m = msg_new(request_actor(r), MSG_TORRENT_SET);
	struct msg *h = &m->h;

	m->op = (enum torrent_op)request_resource(r)->arg;
	if (!param_infohash(r, m->infohash) || !request_may_wait(r)) {
		msg_free(request_actor(r), &h);
		return;
	}
	request_suspend(r);
	actor_call(request_actor(r), ADDR_SESSION, &h, on_set, r);
}
