/* SPDX-License-Identifier: MIT */
/* What is shown of one torrent: properties, trackers, web seeds, files, pieces, its .torrent. */
#include <stdio.h>

#include "actors/kernel/clock.h"
#include "http/qbittorrent/fields.h"
#include "http/qbittorrent/priv.h"
#include "proto/base/priority.h"

static void put_string(struct json_out *o, const char *s)
{
	json_out_text(o, s != NULL ? s : "");
}

/* --- properties --- */

/* Seconds to the next announce; 0: there is none. */
static int64_t next_announce(const struct torrent_view *t, int64_t now)
{
	int64_t next = 0;

	for (uint32_t i = 0; i < t->trackers_n; i++) {
		int64_t wait = t->trackers[i].next_announce - now;

		if (wait > 0 && (next == 0 || wait < next))
			next = wait;
	}
	return next;
}

static void put_swarm(struct json_out *o, const struct qcall *c, const struct row_swarm *w)
{
	uint32_t leeches = w->peers - w->seeds;

	json_out_put(o, "nb_connections", uint, w->peers);
	json_out_put(o, "nb_connections_limit", int, c->config->peers_max_per_torrent);
	json_out_put(o, "peers", uint, leeches);
	json_out_put(o, "peers_total", int, MAX(w->swarm_peers, (int32_t)leeches));
	json_out_put(o, "seeds", uint, w->seeds);
	json_out_put(o, "seeds_total", int, MAX(w->swarm_seeds, (int32_t)w->seeds));
}

static void put_rates(struct json_out *o, const struct torrent_view *t)
{
	int64_t seeded = (int64_t)t->seeded;

	json_out_put(o, "dl_limit", int, t->down_limit > 0 ? (int64_t)t->down_limit : -1);
	json_out_put(o, "dl_speed", uint, t->down_rate);
	json_out_put(o, "dl_speed_avg", int, -1); /* how long it took is not known */
	json_out_put(o, "up_limit", int, t->up_limit > 0 ? (int64_t)t->up_limit : -1);
	json_out_put(o, "up_speed", uint, t->up_rate);
	json_out_put(o, "up_speed_avg", int,
		seeded > 0 ? (int64_t)t->uploaded_ever / seeded : INT64_C(-1));
	json_out_put(o, "total_downloaded", uint, t->downloaded_ever);
	json_out_put(o, "total_downloaded_session", uint, t->downloaded);
	json_out_put(o, "total_uploaded", uint, t->uploaded_ever);
	json_out_put(o, "total_uploaded_session", uint, t->uploaded);
	json_out_put(o, "total_wasted", uint, t->wasted_ever);
	json_out_put(o, "time_elapsed", int, seeded);
	json_out_put(o, "seeding_time", int, seeded);
	json_out_put(o, "share_ratio", real, t->ratio);
	json_out_put(o, "popularity", int, 0);
	json_out_put(o, "eta", int,
		t->status == STATUS_DOWNLOADING && t->down_rate > 0
			? (int64_t)MIN(t->left / t->down_rate, (uint64_t)QFIELD_NEVER)
			: QFIELD_NEVER);
}

static void put_identity(struct json_out *o, const struct torrent_view *t)
{
	const struct metainfo *m = t->meta;

	json_out_put(o, "addition_date", int, t->added);
	json_out_put(o, "completion_date", int, t->completed_at > 0 ? t->completed_at : -1);
	json_out_put(o, "creation_date", int, m->creation_date > 0 ? m->creation_date : -1);
	json_out_put(o, "last_seen", int, -1);
	json_out_key(o, "comment");
	put_string(o, m->comment);
	json_out_key(o, "created_by");
	put_string(o, m->created_by);
	json_out_put(o, "hash", hex, t->infohash, 20);
	json_out_put(o, "infohash_v1", hex, t->infohash, 20);
	json_out_key(o, "infohash_v2");
	if (m->infohash.has_v2)
		json_out_hex(o, m->infohash.v2, sizeof m->infohash.v2);
	else
		json_out_text(o, "");
	json_out_put(o, "name", text, m->name);
	json_out_put(o, "has_metadata", bool, !m->bare);
	json_out_put(o, "is_private", bool, t->is_private);
	json_out_key(o, "private");
	if (m->bare)
		json_out_null(o);
	else
		json_out_bool(o, t->is_private);
	json_out_put(o, "save_path", text, t->path);
	json_out_put(o, "download_path", text, "");
	json_out_put(o, "total_size", int, m->bare ? -1 : (int64_t)t->size);
	json_out_put(o, "piece_size", int, m->bare ? -1 : (int64_t)t->piece_length);
	json_out_put(o, "pieces_num", int, m->bare ? -1 : (int64_t)t->bits);
	json_out_put(o, "pieces_have", uint, t->have);
}

static bool write_properties(struct qcall *c, struct json_out *o, size_t end)
{
	const struct torrent_view *t = qview_of(c);

	(void)end;
	json_out_open(o, '{');
	put_identity(o, t);
	put_rates(o, t);
	put_swarm(o, c, &c->rows->v[0]->swarm);
	json_out_put(o, "reannounce", int, next_announce(t, clock_wall_s()));
	json_out_close(o, '}');
	return true;
}

static void on_row(struct qcall *c)
{
	if (c->rows->n == 1)
		qcall_write(c, write_properties);
	else
		qcall_fail(c, 404, "the torrent has just gone");
}

static void on_properties(struct qcall *c)
{
	qrows_ask(c, qcall_param(c, "hash"), on_row);
}

void qb_torrent_properties(struct qcall *c)
{
	qview_ask(c, "hash", VIEW_TRACKERS, on_properties);
}

/* --- trackers --- */

/* The numbers are the dialect's. */
enum tracker_state {
	ANNOUNCE_DISABLED = 0,
	ANNOUNCE_NEVER = 1,
	ANNOUNCE_WORKING = 2,
	ANNOUNCE_FAILS = 4
};

static void put_tracker(struct json_out *o, const char *url, int tier, enum tracker_state state,
	const char *message, const int64_t counts[3])
{
	json_out_open(o, '{');
	json_out_put(o, "url", text, url);
	json_out_put(o, "status", int, state);
	json_out_put(o, "tier", int, tier);
	json_out_put(o, "msg", text, message);
	json_out_put(o, "num_seeds", int, counts[0]);
	json_out_put(o, "num_leeches", int, counts[1]);
	json_out_put(o, "num_peers", int, counts[2]);
	json_out_put(o, "num_downloaded", int, -1);
	json_out_close(o, '}');
}

/* Where peers come from besides: they are counted nowhere by that. */
static void put_others(struct json_out *o, const struct qcall *c, const struct torrent_view *t)
{
	const struct {
		const char *name;
		bool on;
	} others[] = {{"** [DHT] **", c->config->dht_enabled},
		{"** [PeX] **", c->config->peers_pex}, {"** [LSD] **", c->config->peers_lsd}};

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		put_tracker(o, others[i].name, -1,
			others[i].on && !t->is_private ? ANNOUNCE_WORKING : ANNOUNCE_DISABLED,
			t->is_private ? "This torrent is private" : "",
			(const int64_t[3]){0, 0, 0});
}

static enum tracker_state state_of(const struct tracker_view *v)
{
	if (!v->contacted)
		return ANNOUNCE_NEVER;
	return v->working ? ANNOUNCE_WORKING : ANNOUNCE_FAILS;
}

static bool write_trackers(struct qcall *c, struct json_out *o, size_t end)
{
	const struct torrent_view *t = qview_of(c);

	(void)end;
	json_out_open(o, '[');
	put_others(o, c, t);
	for (uint32_t i = 0; i < t->trackers_n; i++) {
		const struct tracker_view *v = &t->trackers[i];

		put_tracker(o, v->url, (int)MIN(v->tier, 255u), state_of(v), v->message,
			(const int64_t[3]){v->seeders, v->leechers, v->peers});
	}
	json_out_close(o, ']');
	return true;
}

static void on_trackers(struct qcall *c)
{
	qcall_write(c, write_trackers);
}

void qb_torrent_trackers(struct qcall *c)
{
	qview_ask(c, "hash", VIEW_TRACKERS, on_trackers);
}

/* --- web seeds --- */

static bool write_web_seeds(struct qcall *c, struct json_out *o, size_t end)
{
	const struct metainfo *m = qview_of(c)->meta;

	(void)end;
	json_out_open(o, '[');
	for (uint32_t i = 0; i < m->url_list_n; i++) {
		json_out_open(o, '{');
		json_out_put(o, "url", text, m->url_list[i]);
		json_out_close(o, '}');
	}
	json_out_close(o, ']');
	return true;
}

static void on_web_seeds(struct qcall *c)
{
	qcall_write(c, write_web_seeds);
}

void qb_torrent_web_seeds(struct qcall *c)
{
	qview_ask(c, "hash", 0, on_web_seeds);
}

/* --- files --- */

/* 0 skip, 1 normal, 6 high, 7 most; what is less than normal is normal here. */
static int priority_of(uint8_t p)
{
	return p == PRIORITY_SKIP ? 0 : p <= PRIORITY_NORMAL ? 1 : p == PRIORITY_TOP ? 7 : 6;
}

static void put_range(struct json_out *o, const struct torrent_view *t, uint32_t i)
{
	const struct metainfo_file *f = &t->meta->files[i];
	uint64_t last = f->offset + (f->length > 0 ? f->length - 1 : 0);

	json_out_key(o, "piece_range");
	json_out_open(o, '[');
	json_out_uint(o, f->offset / t->piece_length);
	json_out_uint(o, last / t->piece_length);
	json_out_close(o, ']');
}

static void put_file(struct json_out *o, const struct torrent_view *t, uint32_t i, bool first)
{
	const struct metainfo_file *f = &t->meta->files[i];
	const struct file_view *v = &t->files[i];

	json_out_open(o, '{');
	json_out_put(o, "index", uint, i);
	json_out_put(o, "name", text, f->path);
	json_out_put(o, "size", uint, f->length);
	json_out_put(
		o, "progress", real, f->length > 0 ? (double)v->done / (double)f->length : 1.0);
	json_out_put(o, "priority", int, priority_of(v->priority));
	if (first)
		json_out_put(o, "is_seed", bool, t->left == 0);
	put_range(o, t, i);
	json_out_put(o, "availability", int, -1);
	json_out_close(o, '}');
}

/* Where a list is. */
struct listing {
	uint32_t at; /* the next one */
	bool begun, some;
	uint8_t *asked; /* owned: a bit a file; NULL: all are meant */
};

static bool write_files(struct qcall *c, struct json_out *o, size_t end)
{
	const struct torrent_view *t = qview_of(c);
	struct listing *at = c->work;
	uint32_t n = t->meta->bare ? 0 : t->meta->files_n;

	if (!at->begun)
		json_out_open(o, '[');
	at->begun = true;
	for (; at->at < n && o->n < end; at->at++)
		if (at->asked == NULL || bits_get(at->asked, at->at)) {
			put_file(o, t, at->at, !at->some);
			at->some = true;
		}
	if (at->at < n)
		return false;
	json_out_close(o, ']');
	return true;
}

static void free_listing(void *ctx)
{
	struct listing *at = ctx;

	xfree(at->asked);
	xfree(at);
}

static struct listing *listing_new(struct qcall *c)
{
	c->work = xcalloc(1, sizeof(struct listing));
	c->work_free = free_listing;
	return c->work;
}

/* A list, an entry after the other. */
static void write_list(struct qcall *c, bool (*some)(struct qcall *, struct json_out *, size_t))
{
	(void)listing_new(c);
	qcall_write(c, some);
}

static void on_files(struct qcall *c)
{
	const char *indexes = qcall_param(c, "indexes");
	uint32_t n = qview_of(c)->meta->files_n;
	struct listing *at = listing_new(c);
	struct slice part;

	if (indexes != NULL)
		at->asked = xcalloc(1, bitfield_bytes(n) + 1);
	while (indexes != NULL && qlist_next(&indexes, '|', &part)) {
		uint32_t file;

		if (!qlist_number(part, &file) || file >= n) {
			qcall_fail(c, 409, "'indexes' names a file that is not there");
			return;
		}
		bits_set(at->asked, file);
	}
	qcall_write(c, write_files);
}

void qb_torrent_files(struct qcall *c)
{
	qview_ask(c, "hash", VIEW_FILES, on_files);
}

/* --- pieces --- */

/* 0 not here, 2 here; which are being fetched is not told. */
static void put_state(struct json_out *o, const struct torrent_view *t, uint32_t piece)
{
	json_out_int(o, t->bitfield != NULL && bits_get(t->bitfield, piece) ? 2 : 0);
}

static void put_hash(struct json_out *o, const struct torrent_view *t, uint32_t piece)
{
	json_out_hex(o, metainfo_hash(t->meta, piece), 20);
}

static bool write_pieces(struct qcall *c, struct json_out *o, size_t end,
	void (*put)(struct json_out *, const struct torrent_view *, uint32_t))
{
	const struct torrent_view *t = qview_of(c);
	struct listing *at = c->work;

	if (!at->begun)
		json_out_open(o, '[');
	at->begun = true;
	for (; at->at < t->meta->pieces && o->n < end; at->at++)
		put(o, t, at->at);
	if (at->at < t->meta->pieces)
		return false;
	json_out_close(o, ']');
	return true;
}

static bool write_states(struct qcall *c, struct json_out *o, size_t end)
{
	return write_pieces(c, o, end, put_state);
}

static bool write_hashes(struct qcall *c, struct json_out *o, size_t end)
{
	return write_pieces(c, o, end, put_hash);
}

static void on_states(struct qcall *c)
{
	write_list(c, write_states);
}

static void on_hashes(struct qcall *c)
{
	write_list(c, write_hashes);
}

void qb_torrent_states(struct qcall *c)
{
	qview_ask(c, "hash", VIEW_BITFIELDS, on_states);
}

void qb_torrent_hashes(struct qcall *c)
{
	qview_ask(c, "hash", 0, on_hashes);
}
