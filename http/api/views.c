/* SPDX-License-Identifier: MIT */
/*
 * Replies of the actors as JSON.
 *
 * Field names are the interface: none is ever renamed.  Sizes and rates are in KiB where the
 * interface has them so, in bytes where the name says bytes.  A string that is not UTF-8 after all
 * is shown with its bytes escaped.
 */
#include "http/api/priv.h"

#include "actors/kernel/clock.h"
#include "proto/base/base64.h"
#include "proto/wire/peer_id.h"

#include <stdio.h>
#include <time.h>

static json_t *text(const char *s)
{
	json_t *j = json_string(s);
	char safe[1024];

	return j != NULL ? j : json_string(log_safe(s, safe, sizeof safe));
}

static json_t *text_or_null(const char *s)
{
	return s != NULL ? text(s) : json_null();
}

static json_t *kib(uint64_t bytes)
{
	return json_real((double)bytes / 1024.0);
}

static json_t *number(uint64_t n)
{
	return json_integer((json_int_t)MIN(n, (uint64_t)INT64_MAX));
}

static json_t *base64(const uint8_t *p, size_t n)
{
	char *s = xcalloc(1, base64_len(n) + 1);
	json_t *j;

	base64_encode(p, n, s);
	j = json_string(s);
	xfree(s);
	return j;
}

json_t *view_time(int64_t unix_s)
{
	char s[32];
	time_t t = (time_t)unix_s;
	struct tm tm;

	if (unix_s == 0 || gmtime_r(&t, &tm) == NULL)
		return json_null();
	strftime(s, sizeof s, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return json_string(s);
}

/* --- trackers and peers --- */

static json_t *view_tracker(const struct tracker_view *t)
{
	json_t *o = json_object();

	json_object_set_new(o, "url", text(t->url));
	json_object_set_new(o, "status", json_string(t->working ? "working" : "error"));
	json_object_set_new(o, "leechers", json_integer(MAX(t->leechers, 0)));
	json_object_set_new(o, "seeders", json_integer(MAX(t->seeders, 0)));
	json_object_set_new(o, "peers", json_integer(t->peers));
	json_object_set_new(o, "lastannounce", view_time(t->last_announce));
	json_object_set_new(o, "nextannounce", view_time(t->next_announce));
	json_object_set_new(o, "tier", json_integer(t->tier));
	json_object_set_new(o, "contacted", json_boolean(t->contacted));
	json_object_set_new(o, "message", text(t->contacted ? t->message : "not contacted yet"));
	return o;
}

static json_t *view_peer(const struct peer_view *p)
{
	json_t *o = json_object();
	char id[PEER_ID_PRINTABLE], at[ENDPOINT_TEXT];

	peer_id_printable(p->id, id);
	endpoint_format(&p->at, at, sizeof at);
	json_object_set_new(o, "ID", json_string(p->connected ? id : ""));
	json_object_set_new(o, "host", json_string(at));
	json_object_set_new(o, "bitfield_base64", base64(p->bitfield, bitfield_bytes(p->bits)));
	json_object_set_new(o, "bitfield_length", json_integer(p->bits));
	json_object_set_new(o, "downrate", kib(p->down_rate));
	json_object_set_new(o, "uprate", kib(p->up_rate));
	json_object_set_new(o, "downloaded", kib(p->downloaded));
	json_object_set_new(o, "uploaded", kib(p->uploaded));
	json_object_set_new(o, "connected", json_boolean(p->connected));
	json_object_set_new(o, "relevence", json_real((double)p->relevance));
	json_object_set_new(o, "client", text(p->client));
	json_object_set_new(o, "incoming", json_boolean(p->incoming));
	json_object_set_new(o, "choking_us", json_boolean(!p->unchoked_us));
	json_object_set_new(o, "interested_in_us", json_boolean(p->interested_us));
	json_object_set_new(o, "choked", json_boolean(!p->unchoked));
	json_object_set_new(o, "interesting", json_boolean(p->interested));
	return o;
}

/* --- torrents --- */

static const char *const status_names[] = {
	[STATUS_STOPPED] = "stopped",
	[STATUS_CHECKING] = "checking",
	[STATUS_DOWNLOADING] = "downloading",
	[STATUS_SEEDING] = "seeding",
	[STATUS_QUEUED] = "queued",
	[STATUS_ERROR] = "error",
};

/* A limit on seeding, scaled; -1: as configured. */
static json_t *view_limit(int64_t n, double scale)
{
	return n < 0 ? json_integer(-1) : json_real((double)n / scale);
}

static void view_turn(json_t *o, const struct torrent_view *t)
{
	json_t *limits = json_object();

	json_object_set_new(limits, "ratio", view_limit(t->seed.ratio, 1000));
	json_object_set_new(limits, "time", json_integer(t->seed.time));
	json_object_set_new(limits, "idle", json_integer(t->seed.idle));
	json_object_set_new(o, "queue_position", json_integer(t->place));
	json_object_set_new(o, "forced", json_boolean(t->forced));
	json_object_set_new(o, "stalled", json_boolean(t->stalled));
	json_object_set_new(o, "sequential", json_boolean(t->sequential));
	json_object_set_new(o, "firstlast", json_boolean(t->first_last));
	json_object_set_new(o, "ratio", json_real(t->ratio));
	json_object_set_new(o, "seeding_seconds", number(t->seeded));
	json_object_set_new(o, "seed_limits", limits);
	json_object_set_new(o, "limit_reached", json_boolean(t->limited));
}

/* By the number that /setfilepriority takes; pad files are nobody's business. */
static json_t *view_files(const struct torrent_view *t)
{
	static const char *const names[] = {
		[PRIORITY_SKIP] = "skip",
		[PRIORITY_LOW] = "low",
		[PRIORITY_NORMAL] = "normal",
		[PRIORITY_TOP] = "high",
	};
	json_t *list = json_array();

	for (uint32_t i = 0; i < t->meta->files_n; i++) {
		const struct metainfo_file *f = &t->meta->files[i];
		const char *name = names[t->files[i].priority];
		json_t *o;

		if (f->pad)
			continue;
		o = json_object();
		json_object_set_new(o, "index", json_integer(i));
		json_object_set_new(o, "path", text(f->path));
		json_object_set_new(o, "length_bytes", number(f->length));
		json_object_set_new(o, "done_bytes", number(t->files[i].done));
		json_object_set_new(o, "priority", json_string(name != NULL ? name : "normal"));
		json_array_append_new(list, o);
	}
	return list;
}

/* What we show beyond the interface. */
static void view_extra(json_t *o, const struct torrent_view *t)
{
	char hex[41];

	hex_encode(t->infohash, 20, hex);
	json_object_set_new(o, "infohash", json_string(hex));
	json_object_set_new(o, "status", json_string(status_names[t->status]));
	json_object_set_new(o, "started", json_boolean(t->started));
	json_object_set_new(o, "path", text(t->path));
	json_object_set_new(o, "private", json_boolean(t->is_private));
	json_object_set_new(o, "size_bytes", number(t->size));
	json_object_set_new(o, "wanted_bytes", number(t->wanted));
	json_object_set_new(o, "left_bytes", number(t->left));
	json_object_set_new(o, "piece_length", number(t->piece_length));
	json_object_set_new(o, "pieces_have", number(t->have));
	json_object_set_new(o, "progress",
		json_real(t->wanted > 0 ? (double)(t->wanted - MIN(t->left, t->wanted)) /
						  (double)t->wanted
					: 1.0));
	json_object_set_new(o, "checked", json_real((double)t->checked));
	json_object_set_new(o, "downrate", kib(t->down_rate));
	json_object_set_new(o, "uprate", kib(t->up_rate));
	json_object_set_new(o, "maxdown", kib(t->down_limit));
	json_object_set_new(o, "maxup", kib(t->up_limit));
	json_object_set_new(o, "downloaded_ever", kib(t->downloaded_ever));
	json_object_set_new(o, "uploaded_ever", kib(t->uploaded_ever));
	json_object_set_new(o, "wasted_ever", kib(t->wasted_ever));
	json_object_set_new(o, "failed_pieces", number(t->failed_pieces));
	json_object_set_new(o, "added", view_time(t->added));
	json_object_set_new(o, "completed", view_time(t->completed_at));
}

json_t *view_torrent(const struct torrent_view *t)
{
	json_t *o = json_object(), *trackers = json_array(), *peers = json_array();

	for (uint32_t i = 0; i < t->trackers_n; i++)
		json_array_append_new(trackers, view_tracker(&t->trackers[i]));
	for (uint32_t i = 0; i < t->peers_n; i++)
		json_array_append_new(peers, view_peer(&t->peers[i]));
	json_object_set_new(o, "name", text(t->name));
	json_object_set_new(o, "infohash_base64", base64(t->infohash, 20));
	json_object_set_new(o, "bitfield_base64", base64(t->bitfield, bitfield_bytes(t->bits)));
	json_object_set_new(o, "bitfield_length", json_integer(t->bits));
	json_object_set_new(o, "timestarted", view_time(t->started_at));
	json_object_set_new(o, "wasted", kib(t->wasted));
	json_object_set_new(o, "downloaded", kib(t->downloaded));
	json_object_set_new(o, "uploaded", kib(t->uploaded));
	json_object_set_new(o, "error", text_or_null(t->error));
	json_object_set_new(o, "trackers", trackers);
	json_object_set_new(o, "Peers", peers);
	view_extra(o, t);
	view_turn(o, t);
	if (t->files != NULL)
		json_object_set_new(o, "files", view_files(t));
	return o;
}

json_t *view_health(const struct m_health *h)
{
	json_t *o = json_object(), *list = json_array();

	for (unsigned i = 0; i < h->n; i++) {
		const struct actor_health *a = &h->actors[i];
		json_t *one = json_object();

		json_object_set_new(one, "name", json_string(a->name));
		json_object_set_new(one, "ok", json_boolean(a->ok));
		if (!a->ok) {
			json_object_set_new(one, "handling", json_string(a->handling));
			json_object_set_new(one, "stuck_ms", json_integer(a->stuck_ms));
		}
		json_array_append_new(list, one);
	}
	json_object_set_new(o, "ok", json_boolean(h->ok));
	json_object_set_new(o, "actors", list);
	return o;
}
