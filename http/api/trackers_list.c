/* SPDX-License-Identifier: MIT */
/*
 * Where a torrent's peers and pieces come from: its trackers by tier, the DHT, peer exchange, the
 * local network, and web seeds.
 */
#include "http/api/aspect.h"
#include "http/api/render.h"

/* What looks for peers without a tracker. */
static const enum peer_source others[] = {PEER_DHT, PEER_PEX, PEER_LSD};

uint32_t aspect_trackers_n(const struct torrent_view *t)
{
	return t->trackers_n + (uint32_t)ARRAY_LEN(others) + t->meta->url_list_n;
}

static void put_count(struct json_out *o, int64_t n)
{
	if (n < 0)
		json_out_null(o);
	else
		json_out_int(o, n);
}

static bool works(const struct torrent_view *t)
{
	return t->status == STATUS_DOWNLOADING || t->status == STATUS_SEEDING ||
	       t->status == STATUS_METADATA;
}

static const char *tracker_state(const struct torrent_view *torrent, const struct tracker_view *t)
{
	if (t->busy)
		return "announcing";
	if (!t->contacted)
		return works(torrent) ? "waiting" : "off";
	return t->working ? "working" : "error";
}

static void put_tracker(struct json_out *o, const struct torrent_view *torrent, uint32_t i)
{
	const struct tracker_view *t = &torrent->trackers[i];

	json_out_put(o, "kind", text, "tracker");
	json_out_put(o, "url", text, t->url);
	json_out_put(o, "tier", uint, t->tier);
	json_out_put(o, "state", text, tracker_state(torrent, t));
	json_out_put(o, "message", text, t->message[0] != '\0' ? t->message : NULL);
	json_out_key(o, "seeds");
	put_count(o, t->seeders);
	json_out_key(o, "leechers");
	put_count(o, t->leechers);
	json_out_put(o, "peers", uint, t->peers);
	json_out_key(o, "next");
	render_moment(o, t->next_announce);
	json_out_key(o, "min_next");
	render_moment(o, t->least_announce);
	json_out_key(o, "last");
	render_moment(o, t->last_announce);
}

/* Why it may not be used comes before whether anything works. */
static const char *other_state(const struct torrent_view *t, enum peer_source source)
{
	if ((t->sources >> source & 1) != 0)
		return works(t) ? "working" : "off";
	if (t->is_private)
		return "private";
	return t->discreet != DISCREET_OFF ? "discreet" : "disabled";
}

static void put_other(struct json_out *o, const struct torrent_view *t, enum peer_source source)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->peers_n; i++)
		n += t->peers[i].connected && !t->peers[i].web && t->peers[i].source == source;
	json_out_put(o, "kind", text, render_sources[source]);
	json_out_put(o, "state", text, other_state(t, source));
	json_out_put(o, "peers", uint, n);
}

static const struct web_seed_view *at_work(const struct torrent_view *t, const char *url)
{
	for (uint32_t i = 0; i < t->web_seeds_n; i++)
		if (strcmp(t->web_seeds[i].url, url) == 0)
			return &t->web_seeds[i];
	return NULL;
}

static void put_web_seed(struct json_out *o, const struct torrent_view *t, uint32_t i)
{
	const char *url = t->meta->url_list[i];
	const struct web_seed_view *s = at_work(t, url);

	json_out_put(o, "kind", text, "webseed");
	json_out_put(o, "url", text, url);
	json_out_put(o, "state", text, s != NULL ? s->state : "off");
	json_out_put(o, "message", text, s != NULL && s->error[0] != '\0' ? s->error : NULL);
	json_out_put(o, "downloaded", uint, s != NULL ? s->bytes : 0);
	json_out_key(o, "next");
	render_moment(o, s != NULL ? s->next_try : 0);
}

void aspect_tracker(struct json_out *o, const struct torrent_view *t,
	const struct aspect_wish *wish, uint32_t *at)
{
	uint32_t i = (*at)++;

	(void)wish;
	json_out_open(o, '{');
	if (i < t->trackers_n)
		put_tracker(o, t, i);
	else if (i - t->trackers_n < ARRAY_LEN(others))
		put_other(o, t, others[i - t->trackers_n]);
	else
		put_web_seed(o, t, i - t->trackers_n - (uint32_t)ARRAY_LEN(others));
	json_out_close(o, '}');
}
