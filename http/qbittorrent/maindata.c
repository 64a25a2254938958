/* SPDX-License-Identifier: MIT */
/*
 * sync/maindata: everything once, then what has changed since an answer before.
 *
 * What changed comes from the session's revisions, so its cost follows change.  Where torrents came
 * or went, or moved in a queue, all rows are looked at, because lists of others depend on them: the
 * torrents of a tracker, places in the queue.
 */
#include <stdlib.h>

#include "http/qbittorrent/fields.h"
#include "http/qbittorrent/priv.h"
#include "http/qbittorrent/sync.h"
#include "proto/base/array.h"

#define MAINDATA_MAGIC 0x4d41494eu

/* A tracker of a torrent. */
struct site {
	const char *url;
	const uint8_t *infohash;
};

struct maindata {
	uint32_t magic;
	struct actor *actor; /* borrowed */
	struct qscene scene;
	struct sync_point seen; /* what the client has, */
	bool full;              /* or nothing */
	struct msg *since;      /* owned: what changed after that; NULL: it was not asked */
	bool all;               /* call->rows are all rows, else `since` has those that count */
	bool with_sites, with_places;
	const struct torrent_row **rows; /* owned; borrowed rows: those that may be told of */
	uint32_t rows_n;
	uint8_t (*here)[20]; /* owned: sorted hashes of these */
	struct site *sites;  /* owned: sorted by url */
	uint32_t sites_n, sites_room;
	unsigned section; /* that is written */
	bool opened;      /* and its begin is, */
	uint32_t at;      /* at which of its entries */
	uint32_t rid;
};

static void free_maindata(void *ctx)
{
	struct maindata *d;

	CAST_OBJ(d, ctx, MAINDATA_MAGIC);
	msg_free(d->actor, &d->since);
	xfree(d->rows);
	xfree(d->here);
	xfree(d->sites);
	FREE_OBJ(d);
}

static struct maindata *maindata_of(const struct qcall *c)
{
	struct maindata *d;

	CAST_OBJ(d, c->work, MAINDATA_MAGIC);
	return d;
}

/* --- what has changed of a torrent --- */

/* The groups that are told: 1 << enum row_group, or-ed. */
static unsigned groups_of(const struct maindata *d, const struct torrent_row *r)
{
	unsigned groups = 0;

	if (d->full || r->born > d->seen.rev)
		return QFIELDS_ALL;
	for (unsigned g = 0; g < ROW_GROUPS; g++)
		if (r->changed[g] > d->seen.rev)
			groups |= 1u << g;
	return groups;
}

static void put_torrent(struct json_out *o, const struct maindata *d, const struct torrent_row *r)
{
	unsigned groups = groups_of(d, r), place = 0;
	bool moves = d->with_places && (groups & 1u << ROW_STATUS) == 0;
	char hex[41];

	if (groups == 0 && !moves)
		return;
	qhash_write(r->identity.infohash, hex);
	json_out_key_n(o, hex, 40);
	json_out_open(o, '{');
	qfields_put(o, &d->scene, r, groups, false);
	if (moves && qfield_find("priority", &place)) {
		json_out_key(o, "priority");
		qfield_put(o, &d->scene, r, place);
	}
	json_out_close(o, '}');
}

/* --- sections; true: all of it is written --- */

static bool put_head(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	(void)c;
	(void)end;
	json_out_open(o, '{');
	json_out_put(o, "rid", uint, d->rid);
	if (d->full)
		json_out_put(o, "full_update", bool, true);
	return true;
}

static bool put_torrents(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	(void)c;
	if (d->rows_n == 0 && !d->full)
		return true;
	if (!d->opened) {
		json_out_key(o, "torrents");
		json_out_open(o, '{');
	}
	d->opened = true;
	for (; d->at < d->rows_n && o->n < end; d->at++)
		put_torrent(o, d, d->rows[d->at]);
	if (d->at < d->rows_n)
		return false;
	json_out_close(o, '}');
	return true;
}

/* Who went and is there again has not gone. */
static bool is_here(const struct maindata *d, const uint8_t infohash[20])
{
	return d->rows_n > 0 &&
	       bsearch(infohash, d->here, d->rows_n, sizeof *d->here, qhashes_compare) != NULL;
}

static bool put_removed(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	const struct m_torrent_rows *m = d->since != NULL ? MSG_AS(TORRENT_ROWS, d->since) : NULL;
	bool any = false;

	(void)c;
	(void)end;
	for (uint32_t i = 0; !d->full && m != NULL && i < m->gone_n; i++) {
		if (is_here(d, m->gone[i].infohash))
			continue;
		if (!any) {
			json_out_key(o, "torrents_removed");
			json_out_open(o, '[');
		}
		any = true;
		json_out_hex(o, m->gone[i].infohash, 20);
	}
	if (any)
		json_out_close(o, ']');
	return true;
}

static bool put_names(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	(void)end;
	if (d->full) {
		json_out_key(o, "categories");
		qnames_put_categories(o, c->q->names);
	}
	if (!d->full && nameset_serial(c->q->names) == d->seen.serial)
		return true;
	json_out_key(o, "tags");
	qnames_put_tags(o, c->q->names, d->full ? 0 : d->seen.serial);
	return true;
}

static bool put_sites(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	(void)c;
	if (!d->with_sites)
		return true;
	if (!d->opened) {
		json_out_key(o, "trackers");
		json_out_open(o, '{');
	}
	d->opened = true;
	for (; d->at < d->sites_n && o->n < end; d->at++) {
		const struct site *s = &d->sites[d->at];
		bool first = d->at == 0 || strcmp(s[-1].url, s->url) != 0;

		if (first && d->at > 0)
			json_out_close(o, ']');
		if (first) {
			json_out_key_text(o, s->url);
			json_out_open(o, '[');
		}
		json_out_hex(o, s->infohash, 20);
	}
	if (d->at < d->sites_n)
		return false;
	if (d->sites_n > 0)
		json_out_close(o, ']');
	json_out_close(o, '}');
	return true;
}

static void put_ratio(struct json_out *o, const struct qfacts *f)
{
	char text[32] = "-";

	if (f->ever[0] > 0 && f->ever[1] > 0)
		snprintf(text, sizeof text, "%.2f", (double)f->ever[1] / (double)f->ever[0]);
	json_out_put(o, "global_ratio", text, text);
}

/* Numbers of libtorrent's queues and caches are texts or 0, as it is with nothing to do. */
static bool put_state(struct qcall *c, struct maindata *d, struct json_out *o, size_t end)
{
	const struct qfacts *f = c->facts;

	(void)end;
	json_out_key(o, "server_state");
	json_out_open(o, '{');
	qfacts_put_transfer(o, f);
	json_out_put(o, "alltime_dl", uint, f->ever[0]);
	json_out_put(o, "alltime_ul", uint, f->ever[1]);
	put_ratio(o, f);
	json_out_put(o, "free_space_on_disk", int, MAX(c->q->space, INT64_C(0)));
	json_out_put(o, "queueing", bool, d->scene.queueing);
	json_out_put(o, "refresh_interval", int, 1500);
	json_out_put(o, "total_peer_connections", uint, f->peers);
	json_out_put(o, "total_wasted_session", int, 0);
	json_out_put(o, "use_alt_speed_limits", bool, false);
	json_out_put(o, "use_subcategories", bool, false);
	json_out_put(o, "average_time_queue", int, 0);
	json_out_put(o, "queued_io_jobs", int, 0);
	json_out_put(o, "read_cache_hits", text, "0");
	json_out_put(o, "read_cache_overload", text, "0");
	json_out_put(o, "total_buffers_size", int, 0);
	json_out_put(o, "total_queued_size", int, 0);
	json_out_put(o, "write_cache_overload", text, "0");
	json_out_close(o, '}');
	json_out_close(o, '}');
	return true;
}

static bool write_some(struct qcall *c, struct json_out *o, size_t end)
{
	static bool (*const sections[])(struct qcall *, struct maindata *, struct json_out *,
		size_t) = {put_head, put_torrents, put_removed, put_names, put_sites, put_state};
	struct maindata *d = maindata_of(c);

	for (; d->section < ARRAY_LEN(sections); d->section++) {
		if (!sections[d->section](c, d, o, end))
			return false;
		d->at = 0;
		d->opened = false;
	}
	return true;
}

/* --- making it --- */

static int compare_sites(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	int order = strcmp(x->url, y->url);

	return order != 0 ? order : memcmp(x->infohash, y->infohash, 20);
}

static void add_sites(struct maindata *d, const struct torrent_row *r)
{
	const struct metainfo *m = r->identity.meta;

	for (uint32_t i = 0; i < m->tiers_n; i++)
		for (uint32_t k = 0; k < m->tiers[i].urls_n; k++) {
			struct site one = {m->tiers[i].urls[k], r->identity.infohash};

			ARRAY_PUSH(d->sites, d->sites_n, d->sites_room, one);
		}
}

/* Where one has gone, who may know it is told everything. */
static void make_sites(struct qcall *c, struct maindata *d, uint64_t rev)
{
	const char **urls;
	uint32_t n = 0;

	for (uint32_t i = 0; i < c->rows->n; i++)
		add_sites(d, c->rows->v[i]);
	if (d->sites_n > 1)
		qsort(d->sites, d->sites_n, sizeof *d->sites, compare_sites);
	urls = xcalloc(MAX(d->sites_n, 1u), sizeof *urls);
	for (uint32_t i = 0; i < d->sites_n; i++)
		if (i == 0 || strcmp(d->sites[i - 1].url, d->sites[i].url) != 0)
			urls[n++] = d->sites[i].url;
	if (sync_trackers(c->q->sync, urls, n, rev) > d->seen.rev)
		d->full = true;
	xfree(urls);
}

/* Those that are told of, and what they are called. */
static void collect_rows(struct qcall *c, struct maindata *d)
{
	const struct m_torrent_rows *m = d->all ? NULL : MSG_AS(TORRENT_ROWS, d->since);
	uint32_t n = d->all ? c->rows->n : m->rows_n;

	d->rows = xcalloc(MAX(n, 1u), sizeof *d->rows);
	d->here = xcalloc(MAX(n, 1u), sizeof *d->here);
	for (uint32_t i = 0; i < n; i++) {
		const struct torrent_row *r = d->all ? c->rows->v[i] : &m->rows[i];

		nameset_see(c->q->names, label_text(r->status.labels));
		if (groups_of(d, r) == 0 && !d->with_places)
			continue;
		memcpy(d->here[d->rows_n], r->identity.infohash, 20);
		d->rows[d->rows_n++] = r;
	}
	if (d->rows_n > 1)
		qsort(d->here, d->rows_n, sizeof *d->here, qhashes_compare);
}

/* The first answer is the oldest: what is in the others besides is told again. */
static void make(struct qcall *c)
{
	struct maindata *d = maindata_of(c);
	const struct m_torrent_rows *m =
		d->since != NULL ? MSG_AS(TORRENT_ROWS, d->since) : qrows_head(c->rows);
	struct sync_point told = {.epoch = m->epoch_now, .rev = m->rev};

	d->scene = qscene_of(c->config, c->q->names, actor_now(c->q->actor));
	if (d->with_sites)
		make_sites(c, d, m->rev);
	collect_rows(c, d);
	told.serial = nameset_serial(c->q->names);
	told.age = nameset_age(c->q->names);
	d->rid = sync_add(c->q->sync, &told);
	qcall_write(c, write_some);
}

static void ask_all(struct qcall *c)
{
	maindata_of(c)->all = true;
	qrows_ask(c, NULL, make);
}

static void ask_everything(struct qcall *c)
{
	struct maindata *d = maindata_of(c);

	msg_free(d->actor, &d->since);
	d->full = d->with_sites = true;
	d->seen = (struct sync_point){.rev = 0};
	ask_all(c);
}

static void on_since(struct actor *a, void *ctx, enum err err, struct msg **pm)
{
	const struct m_torrent_rows *m;
	struct maindata *d;
	struct qcall *c;

	(void)a;
	CAST_OBJ(c, ctx, QCALL_MAGIC);
	if (err != E_OK || *pm == NULL) {
		qcall_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	d = maindata_of(c);
	d->since = *pm;
	*pm = NULL;
	m = MSG_AS(TORRENT_ROWS, d->since);
	d->with_sites = m->listed > d->seen.rev;
	d->with_places = m->ordered > d->seen.rev &&
			 (c->config->queue_downloads > 0 || c->config->queue_seeds > 0);
	if (m->reset)
		ask_everything(c);
	else if (d->with_sites || d->with_places)
		ask_all(c);
	else
		make(c);
}

static void ask_since(struct qcall *c)
{
	struct maindata *d = maindata_of(c);
	struct m_torrent_rows *m = msg_new(c->q->actor, MSG_TORRENT_ROWS);

	m->of = ROWS_SINCE;
	m->epoch = d->seen.epoch;
	m->since = d->seen.rev;
	msg_call(c->q->actor, ADDR_SESSION, m, on_since, c);
}

static void on_facts(struct qcall *c)
{
	struct maindata *d = maindata_of(c);
	int64_t rid = 0;

	if (qcall_int(c, "rid", &rid) && sync_find(c->q->sync, rid, &d->seen) &&
		d->seen.age == nameset_age(c->q->names))
		ask_since(c);
	else
		ask_everything(c);
}

void qb_sync_main(struct qcall *c)
{
	struct maindata *d;

	CHECK_OBJ(c, QCALL_MAGIC);
	ALLOC_OBJ(d, MAINDATA_MAGIC);
	d->actor = c->q->actor;
	c->work = d;
	c->work_free = free_maindata;
	qfacts_ask(c, on_facts);
}
