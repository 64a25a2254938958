/* SPDX-License-Identifier: MIT */
/* Adding: a .torrent file, or a magnet link, which is a torrent as soon as it is stored. */
#include "http/api/priv.h"

#include "http/api/render.h"

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	struct m_torrent_add *add = m != NULL ? MSG_AS(TORRENT_ADD, *m) : NULL;

	(void)a;
	answer_err(r, err, add != NULL ? add->why.text : NULL);
	request_resume(r);
}

bool api_read_encryption(struct request *r, struct wishes *w)
{
	const char *text;
	unsigned i = 0;

	if (!param_text(r, "encryption", &text) ||
		(text != NULL && !param_choice(r, "encryption", encryption_words, &i)))
		return false;
	w->encryption = (enum wish_encryption)i;
	return true;
}

/* What both forms have; false: answered. */
static bool read_common(struct request *r, struct m_torrent_add *m)
{
	return param_bool(r, "start", true, &m->start) &&
	       param_rate(r, "maxdown", false, &m->wishes.down_limit) &&
	       param_rate(r, "maxup", false, &m->wishes.up_limit) &&
	       param_files(r, "skip", PRIORITY_SKIP, &m->files, &m->files_n) &&
	       param_files(r, "low", PRIORITY_LOW, &m->files, &m->files_n) &&
	       param_files(r, "high", PRIORITY_TOP, &m->files, &m->files_n) &&
	       param_bool(r, "sequential", false, &m->wishes.sequential) &&
	       param_bool(r, "firstlast", false, &m->wishes.first_last) &&
	       api_read_encryption(r, &m->wishes) && param_bool(r, "top", false, &m->queue_top);
}

/* false: answered. */
static bool read_add(struct request *r, struct m_torrent_add *m)
{
	const char *path;

	if (!param_text(r, "path", &path) || !read_common(r, m))
		return false;
	if (request_body_len(r) == 0) {
		answer_text(r, 400, "the body is empty: it must be the .torrent file");
		return false;
	}
	m->path = path != NULL ? xstrdup(path) : NULL;
	return request_may_wait(r);
}

bool api_read_discreet(struct request *r, struct m_torrent_add *m)
{
	const char *text;
	bool on = false;

	if (!param_text(r, "discreet", &text) || !param_bool(r, "discreet", false, &on))
		return false;
	m->discreet_given = text != NULL;
	m->wishes.discreet = on ? DISCREET_ON : DISCREET_OFF;
	return true;
}

/* The original interface calls it "targetdir", all others "path". */
static bool read_target(struct request *r, struct m_torrent_add *m)
{
	const char *path, *target;

	if (!param_text(r, "path", &path) || !param_text(r, "targetdir", &target))
		return false;
	if (path != NULL && target != NULL) {
		answer_text(r, 422, "'path' and 'targetdir' are the same: give one of them");
		return false;
	}
	if (path != NULL || target != NULL)
		m->path = xstrdup(path != NULL ? path : target);
	return true;
}

/* false: answered. */
static bool read_magnet(struct request *r, struct m_torrent_add *m)
{
	const char *url;

	if ((request_body_len(r) > 0 && !param_json(r)) || !param_text(r, "url", &url) ||
		!read_target(r, m) || !read_common(r, m) || !api_read_discreet(r, m))
		return false;
	if (url == NULL) {
		answer_text(r, 422, "parameter 'url' is missing: a link that begins with magnet:?");
		return false;
	}
	m->is_link = true;
	m->body_n = strlen(url);
	m->body = xmemdup(url, m->body_n);
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

void api_add_magnet(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_add *m = msg_new(a, MSG_TORRENT_ADD);
	struct msg *h = &m->h;

	if (!read_magnet(r, m)) {
		msg_free(a, &h);
		return;
	}
	request_suspend(r);
	actor_call(a, ADDR_SESSION, &h, on_added, r);
}
