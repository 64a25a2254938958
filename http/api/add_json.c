/* SPDX-License-Identifier: MIT */
/*
 * POST /api/v1/torrents: a magnet link or a .torrent file with everything that is wished of it.
 *
 * A body of JSON or the bare .torrent; either way the wishes are parameters.  One that is there is
 * a problem that says what the new one would bring; with `merge` its trackers are taken.
 */
#include <strings.h>

#include "http/api/priv.h"
#include "proto/base/encode.h"

/* --- the answer --- */

static void put_place(struct json_out *o, const struct m_torrent_add *m)
{
	char epoch[20];

	snprintf(epoch, sizeof epoch, "%016llx", (unsigned long long)m->epoch);
	json_out_key(o, "hash");
	json_out_hex(o, m->infohash, sizeof m->infohash);
	json_out_put(o, "epoch", text, epoch);
	json_out_put(o, "rev", uint, m->rev);
}

static void say_added(struct request *r, const struct m_torrent_add *m)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	put_place(&o, m);
	json_out_put(&o, "merged", bool, m->outcome == ADD_MERGED);
	json_out_put(&o, "trackers", uint, m->trackers_n);
	json_out_close(&o, '}');
	answer_json(r, m->outcome == ADD_NEW ? 201 : 200, &o);
}

static void say_duplicate(struct request *r, const struct m_torrent_add *m)
{
	struct json_out o = {0};

	json_out_open(&o, '{');
	json_out_key(&o, "hash");
	json_out_hex(&o, m->infohash, sizeof m->infohash);
	json_out_put(&o, "trackers", uint, m->trackers_n);
	json_out_close(&o, '}');
	answer_problem_args(r, 409, "duplicate", &o, "it is here already%s",
		m->trackers_n > 0 ? ", without trackers that this one has: with "
				    "merge they are added to it"
				  : "");
}

static void say_failed(struct request *r, enum err err, const struct m_torrent_add *m)
{
	static const struct {
		enum err err;
		unsigned status;
		const char *code;
	} codes[] = {
		{E_EXISTS, 409, "place_taken"},
		{E_PATH, 422, "not_beneath_a_root"},
		{E_RANGE, 422, "no_such_file"},
		{E_SYNTAX, 422, "bad_torrent"},
		{E_NOT_FOUND, 404, "no_such_preview"},
	};
	const char *why = m->why.text[0] != '\0' ? m->why.text : err_words(err);

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].err == err) {
			answer_problem(r, codes[i].status, codes[i].code, "%s", why);
			return;
		}
	answer_err(r, err, why);
}

static void on_added(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_torrent_add *add = m != NULL ? MSG_AS(TORRENT_ADD, *m) : NULL;

	(void)a;
	if (add == NULL)
		answer_err(r, err, NULL);
	else if (err == E_OK)
		say_added(r, add);
	else if (err == E_EXISTS && add->outcome == ADD_HERE)
		say_duplicate(r, add);
	else
		say_failed(r, err, add);
	request_resume(r);
}

/* --- wishes; false: answered --- */

/* B/s; absent or empty: 0, unlimited. */
static bool read_limit(struct request *r, const char *name, uint64_t *out)
{
	const char *text;

	*out = 0;
	return param_text(r, name, &text) && (text == NULL || param_index(r, name, out));
}

static bool read_seed(struct request *r, struct m_torrent_add *m)
{
	struct seed_limits *s = &m->seed;
	int64_t *each[] = {&s->ratio, &s->time, &s->idle};

	if (!param_limit(r, "ratio", 3, &s->ratio) || !param_limit(r, "time", 0, &s->time) ||
		!param_limit(r, "idle", 0, &s->idle))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(each); i++)
		if (*each[i] == SEED_KEEP)
			*each[i] = SEED_GLOBAL;
		else
			m->seed_given = true;
	return true;
}

static bool read_labels(struct request *r, struct wishes *w)
{
	char *labels = NULL;
	bool good = api_read_labels(r, "labels", &labels);

	if (good && labels != NULL)
		w->labels = label_new(labels);
	xfree(labels);
	return good;
}

static bool read_place(struct request *r, struct m_torrent_add *m)
{
	const char *path;
	bool merge;

	if (!param_text(r, "path", &path) || !param_bool(r, "start", true, &m->start) ||
		!param_bool(r, "top", false, &m->queue_top) ||
		!param_bool(r, "choose_first", false, &m->until_files) ||
		!param_bool(r, "merge", false, &merge))
		return false;
	m->path = path != NULL ? xstrdup(path) : NULL;
	m->again = merge ? AGAIN_MERGE : AGAIN_REFUSE;
	return true;
}

static bool read_wishes(struct request *r, struct m_torrent_add *m)
{
	struct wishes *w = &m->wishes;

	return read_place(r, m) && read_labels(r, w) &&
	       param_files(r, "skip", PRIORITY_SKIP, &m->files, &m->files_n) &&
	       param_files(r, "low", PRIORITY_LOW, &m->files, &m->files_n) &&
	       param_files(r, "high", PRIORITY_TOP, &m->files, &m->files_n) &&
	       param_bool(r, "sequential", false, &w->sequential) &&
	       param_bool(r, "first_last", false, &w->first_last) &&
	       read_limit(r, "down", &w->down_limit) && read_limit(r, "up", &w->up_limit) &&
	       read_seed(r, m) && api_read_encryption(r, w) && api_read_discreet(r, m);
}

/* --- what is added; false: answered --- */

static bool take_magnet(struct m_torrent_add *m, const char *link)
{
	m->is_link = true;
	m->body_n = strlen(link);
	m->body = xmemdup(link, m->body_n);
	return true;
}

bool api_read_base64(struct request *r, const char *text, uint8_t **body, size_t *n)
{
	*body = xcalloc(1, base64_room(strlen(text)));
	*n = base64_decode(text, strlen(text), *body);
	if (*n == 0)
		answer_problem(r, 422, "bad_torrent", "'file' is not base64");
	return *n > 0;
}

bool api_read_preview(struct request *r, const char *name, uint64_t *id)
{
	uint8_t bytes[8];
	const char *text;

	if (!param_text(r, name, &text))
		return false;
	if (text == NULL || strlen(text) != 16 || !hex_decode(text, 16, bytes, sizeof bytes)) {
		answer_text(
			r, 422, "parameter '%s' must be the 16 hex digits of a preview's id", name);
		return false;
	}
	*id = 0;
	for (size_t i = 0; i < sizeof bytes; i++)
		*id = *id << 8 | bytes[i];
	return true;
}

static bool read_json(struct request *r, struct m_torrent_add *m)
{
	const char *magnet, *file, *preview;

	if (!param_json(r) || !param_text(r, "magnet", &magnet) || !param_text(r, "file", &file) ||
		!param_text(r, "preview", &preview))
		return false;
	if ((magnet != NULL) + (file != NULL) + (preview != NULL) != 1) {
		answer_text(r, 422,
			"one of 'magnet' (a link or an info-hash), 'file' (a .torrent in base64) "
			"and 'preview' (its id) must be there");
		return false;
	}
	if (preview != NULL)
		return api_read_preview(r, "preview", &m->preview);
	return magnet != NULL ? take_magnet(m, magnet)
			      : api_read_base64(r, file, &m->body, &m->body_n);
}

static bool read_raw(struct request *r)
{
	static const char *const others[] = {"magnet", "file", "preview"};
	const char *text;

	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		if (!param_text(r, others[i], &text))
			return false;
		if (text == NULL)
			continue;
		answer_text(r, 422, "the body is the .torrent: '%s' is for JSON", others[i]);
		return false;
	}
	if (request_body_len(r) == 0)
		answer_text(r, 400, "the body is empty: it must be JSON or a .torrent file");
	return request_body_len(r) > 0;
}

/* Forms of a browser have their file taken out by the server. */
bool api_is_torrent(struct request *r)
{
	static const char *const types[] = {
		"application/x-bittorrent", "application/octet-stream", "multipart/form-data"};
	const char *type = request_header(r, "Content-Type");

	for (size_t i = 0; type != NULL && i < ARRAY_LEN(types); i++)
		if (strncasecmp(type, types[i], strlen(types[i])) == 0)
			return true;
	return false;
}

void api_add_json(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_add *m = msg_new(a, MSG_TORRENT_ADD);
	struct msg *h = &m->h;
	bool raw = api_is_torrent(r);

	if (!(raw ? read_raw(r) : read_json(r, m)) || !read_wishes(r, m) || !request_may_wait(r)) {
		msg_free(a, &h);
		return;
	}
	if (raw)
		m->body = request_body_take(r, &m->body_n);
	request_suspend(r);
	actor_call(a, ADDR_SESSION, &h, on_added, r);
}
