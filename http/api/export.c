/* SPDX-License-Identifier: MIT */
/*
 * The .torrent of a torrent: as it was added, or as it was put together from what peers sent.
 *
 * It may name trackers by URLs that are as good as a password, so seeing torrents is not enough.
 */
#include "http/api/priv.h"

#include <stdio.h>

/* RFC 6266, in the form of RFC 8187, whose every byte that is not plain is escaped. */
void api_name_file(struct request *r, const char *path, const char *ending, bool save)
{
	static const char plain[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~";
	const char *slash = strrchr(path, '/');
	char name[900];
	size_t n = 0;

	for (const char *p = slash != NULL ? slash + 1 : path; *p != '\0' && n + 4 < sizeof name;
		p++)
		if (strchr(plain, *p) != NULL)
			name[n++] = *p;
		else
			n += (size_t)snprintf(
				name + n, sizeof name - n, "%%%02X", (unsigned char)*p);
	name[n] = '\0';
	answer_header(r, "Content-Disposition", "%s; filename*=UTF-8''%s%s",
		save ? "attachment" : "inline", name, ending);
}

static void answer_torrent(struct request *r, const struct metainfo *m)
{
	if (m->bare) {
		answer_problem(r, 409, "no_metadata",
			"its info dictionary has not come yet: a magnet link is all there is");
		return;
	}
	api_name_file(r, m->name, ".torrent", true);
	answer_bytes(r, "application/x-bittorrent", m->raw);
}

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct request *r = request_of(ctx);
	const struct m_torrent_view *v = m != NULL ? MSG_AS(TORRENT_VIEW, *m) : NULL;

	(void)a;
	if (err == E_OK && v != NULL && v->torrents_n == 1)
		answer_torrent(r, v->torrents[0].meta);
	else
		answer_err(r, err != E_OK ? err : E_NOT_FOUND, NULL);
	request_resume(r);
}

void api_export(struct request *r)
{
	struct actor *a = request_actor(r);
	struct m_torrent_view *m;
	uint8_t infohash[20];

	if (!param_infohash(r, infohash) || !request_may_wait(r))
		return;
	m = msg_new(a, MSG_TORRENT_VIEW);
	memcpy(m->infohash, infohash, sizeof m->infohash);
	request_suspend(r);
	msg_call(a, ADDR_SESSION, m, on_view, r);
}
