/* SPDX-License-Identifier: MIT */
/* Directories beneath the download roots, for who chooses where a torrent is to lie. */
#include "http/api/priv.h"

static void put_path(struct json_out *o, const char *above, const char *name)
{
	size_t n = above != NULL ? strlen(above) : 0;
	char *path = xcalloc(1, n + strlen(name) + 2);

	if (n > 0)
		memcpy(path, above, n);
	if (n > 0 && above[n - 1] != '/')
		path[n++] = '/';
	memcpy(path + n, name, strlen(name));
	json_out_put(o, "path", text, path);
	xfree(path);
}

static void put_folders(struct json_out *o, const struct m_folders *m)
{
	json_out_key(o, "folders");
	json_out_open(o, '[');
	for (uint32_t i = 0; i < m->folders_n; i++) {
		json_out_open(o, '{');
		json_out_put(o, "name", text, m->folders[i].name);
		put_path(o, m->path, m->folders[i].name);
		json_out_put(o, "writable", bool, m->folders[i].writable);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
}

static void put_here(struct json_out *o, const struct m_folders *m)
{
	json_out_put(o, "path", text, m->path);
	if (m->path == NULL)
		return;
	json_out_put(o, "top", bool, m->top);
	json_out_put(o, "writable", bool, m->writable);
	json_out_put(o, "free", uint, m->free);
	json_out_put(o, "total", uint, m->total);
}

static void say_failed(struct request *r, enum err err)
{
	if (err == E_PATH || err == E_IS_LINK)
		answer_problem(r, 422, "not_beneath_a_root",
			"the path lies beneath none of download.roots, or a link is on the way");
	else if (err == E_NOENT || err == E_PERM)
		answer_problem(r, err == E_NOENT ? 404 : 403,
			err == E_NOENT ? "no_such_folder" : "no_access", "%s", err_words(err));
	else
		answer_text(r, 503, "the disk does not answer: %s", err_words(err));
}

static void on_folders(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct json_out o = {0};

	(void)a;
	if (err == E_OK) {
		json_out_open(&o, '{');
		put_here(&o, MSG_AS(FOLDERS, *m));
		put_folders(&o, MSG_AS(FOLDERS, *m));
		json_out_put(&o, "more", bool, MSG_AS(FOLDERS, *m)->more);
		json_out_close(&o, '}');
		answer_json(r, 200, &o);
	} else {
		say_failed(r, err);
	}
	request_resume(r);
}

void api_folders(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_folders *m;
	const char *path;

	if (!param_text(r, "path", &path) || !request_may_wait(r))
		return;
	m = msg_new(a, MSG_FOLDERS);
	m->path = path != NULL ? xstrdup(path) : NULL;
	request_suspend(r);
	msg_call(a, ADDR(ROLE_WORKER, request_workers(r) - 1), m, on_folders, r);
}
