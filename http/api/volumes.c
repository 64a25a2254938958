/* SPDX-License-Identifier: MIT */
/* How much room there is where downloads may go, one entry a volume. */
#include "http/api/priv.h"

#include <stdio.h>

/* Whether one of the first n lies on the same volume. */
static bool is_named(const struct m_volumes *m, uint32_t n)
{
	const struct volume_view *v = &m->volumes[n];

	for (uint32_t i = 0; i < n; i++)
		if (v->err == E_OK && m->volumes[i].err == E_OK &&
			m->volumes[i].device == v->device)
			return true;
	return false;
}

static void put_paths(struct json_out *o, const struct m_volumes *m, uint32_t first)
{
	const struct volume_view *v = &m->volumes[first];

	json_out_key(o, "paths");
	json_out_open(o, '[');
	for (uint32_t i = first; i < m->volumes_n; i++)
		if (i == first || (v->err == E_OK && m->volumes[i].err == E_OK &&
					  m->volumes[i].device == v->device))
			json_out_text(o, m->volumes[i].path);
	json_out_close(o, ']');
}

static void put_volume(struct json_out *o, const struct m_volumes *m, uint32_t i)
{
	const struct volume_view *v = &m->volumes[i];
	char id[20];

	snprintf(id, sizeof id, "%llx", (unsigned long long)v->device);
	json_out_open(o, '{');
	json_out_put(o, "id", text, v->err == E_OK ? id : NULL);
	put_paths(o, m, i);
	if (v->err == E_OK) {
		json_out_put(o, "free", uint, v->free);
		json_out_put(o, "total", uint, v->total);
	}
	json_out_put(o, "error", text, v->err == E_OK ? NULL : err_words(v->err));
	json_out_close(o, '}');
}

static void render(struct json_out *o, const struct m_volumes *m)
{
	json_out_open(o, '{');
	json_out_key(o, "volumes");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < m->volumes_n; i++)
		if (!is_named(m, i))
			put_volume(o, m, i);
	json_out_close(o, ']');
	json_out_close(o, '}');
}

static void on_volumes(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct json_out o = {0};

	(void)a;
	if (err == E_PATH) {
		answer_problem(r, 422, "not_beneath_a_root",
			"the path lies beneath none of download.roots");
		request_resume(r);
		return;
	}
	if (err == E_OK)
		render(&o, MSG_AS(VOLUMES, *m));
	api_answer(r, err, 200, &o, "the disk");
}

void api_volumes(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_volumes *m;
	const char *path;

	if (!param_text(r, "path", &path) || !request_may_wait(r))
		return;
	m = msg_new(a, MSG_VOLUMES);
	m->path = path != NULL ? xstrdup(path) : NULL;
	request_suspend(r);
	msg_call(a, ADDR(ROLE_WORKER, request_workers(r) - 1), m, on_volumes, r);
}
