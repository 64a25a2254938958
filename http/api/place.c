/* SPDX-License-Identifier: MIT */
/* A torrent's data gets another place, or its files other names. */
#include "http/api/priv.h"

/* The disk does not let it be, and all is as it was. */
static bool is_of_disk(enum err e)
{
	return e == E_IS_LINK || e == E_IS_DIR || e == E_IS_SPECIAL || e == E_PERM ||
	       e == E_READONLY || e == E_NOENT;
}

static void on_set(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_torrent_set *set = m != NULL ? MSG_AS(TORRENT_SET, *m) : NULL;

	(void)a;
	if (err == E_OK)
		answer_nothing(r);
	else if (err == E_NOT_FOUND)
		answer_problem(r, 404, "no_such_torrent", "no torrent with this infohash");
	else if (err == E_OTHER_VOLUME)
		answer_problem(r, 409, "other_volume",
			"the path lies on another volume: data is only moved within one");
	else if (is_of_disk(err))
		answer_problem(r, 409, "not_possible", "%s",
			set != NULL && set->why.text[0] != '\0' ? set->why.text : err_words(err));
	else
		answer_err(r, err, set != NULL ? set->why.text : NULL);
	request_resume(r);
}

static bool read_path(struct request *r, char **path)
{
	const char *text;

	if (!param_text(r, "path", &text))
		return false;
	if (text != NULL) {
		*path = xstrdup(text);
		return true;
	}
	answer_text(r, 422, "parameter 'path' is missing");
	return false;
}

/* One of file and from. */
static bool read_what(struct request *r, struct m_torrent_set *m)
{
	const char *file, *from;
	uint64_t n = 0;

	if (!param_text(r, "file", &file) || !param_text(r, "from", &from))
		return false;
	if ((file != NULL) == (from != NULL)) {
		answer_text(r, 422,
			"one of 'file', the number of a file, and 'from', the path of a file or "
			"directory, must be there");
		return false;
	}
	if (file != NULL && !param_index(r, "file", &n))
		return false;
	m->file = (uint32_t)n;
	m->from = from != NULL ? xstrdup(from) : NULL;
	return read_path(r, &m->to);
}

void api_place(struct request *r)
{
	struct m_torrent_set *m = msg_new(request_actor(r), MSG_TORRENT_SET);
	bool move = request_resource(r)->arg != 0;
	struct msg *h = &m->h;

	m->op = TORRENT_PLACE;
	if ((request_body_len(r) > 0 && !param_json(r)) || !param_infohash(r, m->infohash) ||
		!(move ? read_path(r, &m->path) : read_what(r, m)) || !request_may_wait(r)) {
		msg_free(request_actor(r), &h);
		return;
	}
	request_suspend(r);
	actor_call(request_actor(r), ADDR_SESSION, &h, on_set, r);
}
