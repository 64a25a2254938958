/* SPDX-License-Identifier: MIT */
/* The peers of a torrent, in words. */
#include "http/api/aspect.h"
#include "http/api/render.h"

static void put_flag(struct json_out *o, const char *word, bool is)
{
	if (is)
		json_out_text(o, word);
}

/* What it is and does, a word each.  Names are the interface. */
static void put_flags(struct json_out *o, const struct peer_view *p)
{
	json_out_open(o, '[');
	put_flag(o, "connecting", !p->connected);
	put_flag(o, "incoming", p->incoming);
	put_flag(o, "webseed", p->web);
	put_flag(o, "encrypted", p->encryption == PEER_ENCRYPTED_RC4);
	put_flag(o, "encrypted_handshake", p->encryption == PEER_ENCRYPTED_PLAIN);
	put_flag(o, "seed", p->seed);
	put_flag(o, "upload_only", p->upload_only);
	put_flag(o, "sends", p->interested && p->unchoked_us);
	put_flag(o, "refuses", p->interested && !p->unchoked_us);
	put_flag(o, "gets", p->interested_us && p->unchoked);
	put_flag(o, "waits", p->interested_us && !p->unchoked);
	put_flag(o, "snubbed", p->snubbed);
	put_flag(o, "optimistic", p->optimistic);
	json_out_close(o, ']');
}

/* An address without its port; of a web seed there is none. */
static void put_place(struct json_out *o, const struct peer_view *p)
{
	char text[ENDPOINT_TEXT];
	struct endpoint host = p->at;

	endpoint_format(&p->at, text, sizeof text);
	json_out_put(o, "id", text, text);
	host.port = 0;
	endpoint_format_ip(&host, text, sizeof text);
	json_out_put(o, "addr", text, p->web ? NULL : text);
	json_out_put(o, "port", uint, p->web ? 0 : p->at.port);
}

void aspect_peer(struct json_out *o, const struct torrent_view *t, const struct aspect_wish *wish,
	uint32_t *i)
{
	const struct peer_view *p = &t->peers[(*i)++];

	(void)wish;
	json_out_open(o, '{');
	put_place(o, p);
	json_out_put(o, "client", text, p->client);
	json_out_put(o, "progress", real, p->bits > 0 ? (double)p->have / p->bits : 0);
	json_out_put(o, "down", uint, p->down_rate);
	json_out_put(o, "up", uint, p->up_rate);
	json_out_put(o, "downloaded", uint, p->downloaded);
	json_out_put(o, "uploaded", uint, p->uploaded);
	json_out_key(o, "flags");
	put_flags(o, p);
	json_out_put(o, "source", text, p->web ? "webseed" : render_sources[p->source]);
	json_out_key(o, "rtt");
	if (p->delay > 0)
		json_out_int(o, (p->delay + USEC_PER_MSEC - 1) / USEC_PER_MSEC);
	else
		json_out_null(o);
	json_out_key(o, "since");
	render_moment(o, p->since);
	json_out_close(o, '}');
}
