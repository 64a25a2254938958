/* SPDX-License-Identifier: MIT */
/* One torrent with all that is known of it: what the session shows of it when it is asked. */
#include "http/qbittorrent/priv.h"
#include "proto/base/encode.h"

static void on_view(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct qcall *c;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	if (err == E_NOT_FOUND || (err == E_OK && MSG_AS(TORRENT_VIEW, *m)->torrents_n != 1)) {
		qcall_fail(c, 404, "no torrent with this hash");
		return;
	}
	if (err != E_OK) {
		qcall_err(c, err, NULL);
		return;
	}
	c->view = *m;
	*m = NULL;
	c->next(c);
}

void qview_ask(struct qcall *c, const char *param, unsigned parts, qcall_f *fn)
{
	struct m_torrent_view *m;
	uint8_t infohash[20];
	const char *hash;

	CHECK_OBJ(c, QCALL_MAGIC);
	hash = qcall_need(c, param);
	if (hash == NULL)
		return;
	if (!hex_decode(hash, strlen(hash), infohash, sizeof infohash)) {
		qcall_fail(c, 404, "no torrent with this hash: a hash has 40 hex digits");
		return;
	}
	m = msg_new(c->q->actor, MSG_TORRENT_VIEW);
	memcpy(m->infohash, infohash, sizeof m->infohash);
	m->parts = parts;
	c->next = fn;
	msg_call(c->q->actor, ADDR_SESSION, m, on_view, c);
}

const struct torrent_view *qview_of(const struct qcall *c)
{
	CHECK_OBJ(c, QCALL_MAGIC);
	return &MSG_AS(TORRENT_VIEW, c->view)->torrents[0];
}

/* --- its .torrent --- */

static void on_meta(struct qcall *c)
{
	const struct metainfo *m = qview_of(c)->meta;

	if (m->bare)
		qcall_fail(c, 409, "the torrent's metadata has not come yet");
	else
		qcall_bytes(c, "application/x-bittorrent", m->raw);
}

/* It may name trackers by addresses that are as good as a password: seeing torrents is not enough.
 */
void qb_torrent_export(struct qcall *c)
{
	qview_ask(c, "hash", 0, on_meta);
}
