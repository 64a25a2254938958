/* SPDX-License-Identifier: MIT */
/*
 * sync/torrentPeers: the peers of one torrent, always all of them.
 *
 * They are few and change all the time, so there is nothing to gain by telling what has changed.
 */
#include <stdio.h>

#include "http/qbittorrent/priv.h"

/* As qBittorrent writes them: D and d, U and u: who is interested and choked; K and ?: who could
 * and does not want to; E encrypted, e only its handshake; I incoming. */
static void put_flags(struct json_out *o, const struct peer_view *p)
{
	char flags[24];
	size_t n = 0;

	if (p->interested)
		flags[n++] = p->unchoked_us ? 'D' : 'd';
	else if (p->unchoked_us)
		flags[n++] = 'K';
	if (p->interested_us)
		flags[n++] = p->unchoked ? 'U' : 'u';
	else if (p->unchoked)
		flags[n++] = '?';
	if (p->incoming)
		flags[n++] = 'I';
	if (p->encryption != PEER_UNENCRYPTED)
		flags[n++] = p->encryption == PEER_ENCRYPTED_RC4 ? 'E' : 'e';
	flags[n] = '\0';
	json_out_put(o, "flags", text, flags);
}

static double progress_of(const struct peer_view *p)
{
	uint32_t have = 0;

	for (uint32_t i = 0; p->bitfield != NULL && i < p->bits; i++)
		have += bits_get(p->bitfield, i);
	return p->bits > 0 ? (double)have / p->bits : 0;
}

static void put_peer(struct json_out *o, const struct peer_view *p)
{
	char ip[ENDPOINT_TEXT];

	endpoint_format_ip(&p->at, ip, sizeof ip);
	json_out_open(o, '{');
	json_out_put(o, "client", text, p->client);
	json_out_put(o, "connection", text, "BT");
	json_out_put(o, "country", text, "");
	json_out_put(o, "country_code", text, "");
	json_out_put(o, "dl_speed", uint, p->down_rate);
	json_out_put(o, "downloaded", uint, p->downloaded);
	json_out_put(o, "files", text, "");
	put_flags(o, p);
	json_out_put(o, "flags_desc", text, "");
	json_out_put(o, "ip", text, ip);
	json_out_put(o, "port", uint, p->at.port);
	json_out_put(o, "peer_id_client", text, "");
	json_out_put(o, "progress", real, progress_of(p));
	json_out_put(o, "relevance", real, (double)p->relevance);
	json_out_put(o, "up_speed", uint, p->up_rate);
	json_out_put(o, "uploaded", uint, p->uploaded);
	json_out_close(o, '}');
}

static bool write_peers(struct qcall *c, struct json_out *o, size_t end)
{
	const struct torrent_view *t = qview_of(c);
	char name[ENDPOINT_TEXT];
	int64_t rid = 0;

	(void)end;
	(void)qcall_int(c, "rid", &rid);
	json_out_open(o, '{');
	json_out_put(o, "full_update", bool, true);
	json_out_put(o, "rid", int, rid >= 0 && rid < INT32_MAX ? rid + 1 : 1);
	json_out_put(o, "show_flags", bool, true);
	json_out_key(o, "peers");
	json_out_open(o, '{');
	for (uint32_t i = 0; i < t->peers_n; i++) {
		if (!t->peers[i].connected)
			continue;
		endpoint_format(&t->peers[i].at, name, sizeof name);
		json_out_key_text(o, name);
		put_peer(o, &t->peers[i]);
	}
	json_out_close(o, '}');
	json_out_close(o, '}');
	return true;
}

static void on_view(struct qcall *c)
{
	qcall_write(c, write_peers);
}

void qb_torrent_peers(struct qcall *c)
{
	qview_ask(c, "hash", VIEW_PEERS | VIEW_BITFIELDS, on_view);
}
