/* SPDX-License-Identifier: MIT */
/* Trackers as the dialect has them: announces, and scrapes of which ours are a part. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/transmission/items.h"
#include "http/transmission/priv.h"

#define PUT(legacy, snake_name, type, ...)                                                         \
	(rcall_key(o, s->snake, legacy, snake_name), json_out_##type(o, __VA_ARGS__))

/* "host:port" of a URL. */
static struct slice host_of(const char *url)
{
	const char *at = strstr(url, "://");

	at = at != NULL ? at + 3 : url;
	return (struct slice){(const uint8_t *)at, strcspn(at, "/?#")};
}

/* What stands for the site: of tracker.example.org it is example; an address is its own. */
static struct slice site_of(const char *url)
{
	struct slice host = host_of(url);
	const uint8_t *colon = memchr(host.p, ':', host.n), *dot;
	size_t begin = 0;

	if (host.n > 0 && host.p[0] != '[' && colon != NULL)
		host.n = (size_t)(colon - host.p);
	if (host.n == 0 || host.p[0] == '[' || isdigit(host.p[host.n - 1]))
		return host;
	dot = memrchr(host.p, '.', host.n);
	if (dot == NULL)
		return host;
	host.n = (size_t)(dot - host.p);
	dot = memrchr(host.p, '.', host.n);
	if (dot != NULL)
		begin = (size_t)(dot - host.p) + 1;
	return (struct slice){host.p + begin, host.n - begin};
}

/* By custom the last part of the path begins with "announce", and with "scrape" in its place the
 * address is that for scrapes; empty: there is none. */
static void put_scrape(struct json_out *o, const char *url)
{
	const char *slash = strrchr(url, '/');
	size_t head = slash != NULL ? (size_t)(slash - url) + 1 : 0;
	size_t size;
	char *text;

	if (strncmp(url, "udp://", 6) == 0) {
		json_out_text(o, url);
		return;
	}
	if (slash == NULL || strncmp(slash + 1, "announce", 8) != 0) {
		json_out_text(o, "");
		return;
	}
	size = strlen(url) + 1;
	text = xcalloc(1, size);
	snprintf(text, size, "%.*sscrape%s", (int)MIN(head, (size_t)INT32_MAX), url, slash + 9);
	json_out_text(o, text);
	xfree(text);
}

void item_tracker_list(struct json_out *o, const struct metainfo *m)
{
	char *text;
	size_t size = 1, n = 0;

	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			size += strlen(m->tiers[i].urls[k]) + 2;
	text = xcalloc(1, size);
	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++)
			n += (size_t)snprintf(text + n, size - n, "%s%s",
				n == 0   ? ""
				: k == 0 ? "\n\n"
					 : "\n",
				m->tiers[i].urls[k]);
	json_out_text(o, text);
	xfree(text);
}

static void put_url(struct json_out *o, const struct tracker_view *v, uint32_t i)
{
	json_out_put(o, "announce", text, v->url);
	json_out_put(o, "id", uint, i);
	json_out_key(o, "scrape");
	put_scrape(o, v->url);
	json_out_put(o, "sitename", slice, site_of(v->url));
	json_out_put(o, "tier", uint, v->tier);
}

void item_tracker(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	(void)s;
	json_out_open(o, '{');
	put_url(o, &t->trackers[i], i);
	json_out_close(o, '}');
}

enum announce_state { ANNOUNCE_INACTIVE, ANNOUNCE_WAITING, ANNOUNCE_QUEUED, ANNOUNCE_ACTIVE };

static enum announce_state state_of(const struct tracker_view *v, int64_t now)
{
	if (v->next_announce == 0)
		return ANNOUNCE_INACTIVE;
	return v->next_announce > now ? ANNOUNCE_WAITING : ANNOUNCE_ACTIVE;
}

static void put_announces(
	struct json_out *o, const struct get_scene *s, const struct tracker_view *v)
{
	const char *result = v->working && v->message[0] == '\0' ? "Success" : v->message;

	PUT("announceState", "announce_state", int, state_of(v, s->now));
	PUT("hasAnnounced", "has_announced", bool, v->contacted);
	PUT("lastAnnouncePeerCount", "last_announce_peer_count", uint, v->peers);
	PUT("lastAnnounceResult", "last_announce_result", text, v->contacted ? result : "");
	PUT("lastAnnounceStartTime", "last_announce_start_time", int, v->last_announce);
	PUT("lastAnnounceSucceeded", "last_announce_succeeded", bool, v->working);
	PUT("lastAnnounceTime", "last_announce_time", int, v->last_announce);
	PUT("lastAnnounceTimedOut", "last_announce_timed_out", bool, false);
	PUT("nextAnnounceTime", "next_announce_time", int, v->next_announce);
}

/* Nothing is scraped: an announce says how many there are. */
static void put_scrapes(struct json_out *o, const struct get_scene *s, const struct tracker_view *v)
{
	PUT("downloadCount", "download_count", int, -1);
	PUT("hasScraped", "has_scraped", bool, false);
	PUT("lastScrapeResult", "last_scrape_result", text, "");
	PUT("lastScrapeStartTime", "last_scrape_start_time", int, 0);
	PUT("lastScrapeSucceeded", "last_scrape_succeeded", bool, false);
	PUT("lastScrapeTime", "last_scrape_time", int, 0);
	PUT("lastScrapeTimedOut", "last_scrape_timed_out", bool, false);
	PUT("leecherCount", "leecher_count", int, v->leechers);
	PUT("nextScrapeTime", "next_scrape_time", int, 0);
	PUT("scrapeState", "scrape_state", int, ANNOUNCE_INACTIVE);
	PUT("seederCount", "seeder_count", int, v->seeders);
	if (s->snake)
		json_out_put(o, "downloader_count", int, -1);
}

void item_tracker_stat(
	struct json_out *o, const struct get_scene *s, const struct torrent_view *t, uint32_t i)
{
	const struct tracker_view *v = &t->trackers[i];

	json_out_open(o, '{');
	put_url(o, v, i);
	json_out_put(o, "host", slice, host_of(v->url));
	PUT("isBackup", "is_backup", bool, false);
	put_announces(o, s, v);
	put_scrapes(o, s, v);
	json_out_close(o, '}');
}
