/* SPDX-License-Identifier: MIT */
/* Methods about the daemon as a whole: statistics, room on the disk, port, blocklist, groups, end.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "http/transmission/facts.h"
#include "http/transmission/look.h"

/* --- statistics --- */

struct totals {
	uint64_t uploaded, downloaded;
};

/* Starts and times of earlier runs are not kept, nor what removed torrents have moved. */
static void put_totals(
	struct rcall *c, const char *legacy, const char *snake, struct totals t, uint32_t added)
{
	struct json_out *o = &c->out;
	const struct rpc *rpc = rcall_rpc(c);

	rcall_key(o, c->snake, legacy, snake);
	json_out_open(o, '{');
	rcall_key(o, c->snake, "downloadedBytes", "downloaded_bytes");
	json_out_uint(o, t.downloaded);
	rcall_key(o, c->snake, "filesAdded", "files_added");
	json_out_uint(o, added);
	rcall_key(o, c->snake, "secondsActive", "seconds_active");
	json_out_int(o, (actor_now(rpc->actor) - rpc->opened) / USEC_PER_SEC);
	rcall_key(o, c->snake, "sessionCount", "session_count");
	json_out_int(o, 1);
	rcall_key(o, c->snake, "uploadedBytes", "uploaded_bytes");
	json_out_uint(o, t.uploaded);
	json_out_close(o, '}');
}

static bool is_paused(const struct torrent_view *t)
{
	return t->status == STATUS_STOPPED || t->status == STATUS_ERROR;
}

/* Only what moves data is called active. */
static void put_stats(struct rcall *c, struct look *l)
{
	struct json_out *o = &c->out;
	struct totals run = {0, 0}, ever = {0, 0}, rates = {0, 0};
	uint32_t paused = 0, active = 0;

	for (uint32_t i = 0; i < l->rows_n; i++) {
		const struct torrent_view *t = l->rows[i];

		run.uploaded += t->uploaded;
		run.downloaded += t->downloaded;
		ever.uploaded += t->uploaded_ever;
		ever.downloaded += t->downloaded_ever;
		rates.uploaded += t->up_rate;
		rates.downloaded += t->down_rate;
		paused += is_paused(t);
		active += t->up_rate + t->down_rate > 0;
	}
	rcall_key(o, c->snake, "activeTorrentCount", "active_torrent_count");
	json_out_uint(o, active);
	put_totals(c, "cumulative-stats", "cumulative_stats", ever, l->rows_n);
	put_totals(c, "current-stats", "current_stats", run, 0);
	rcall_key(o, c->snake, "downloadSpeed", "download_speed");
	json_out_uint(o, rates.downloaded);
	rcall_key(o, c->snake, "pausedTorrentCount", "paused_torrent_count");
	json_out_uint(o, paused);
	rcall_key(o, c->snake, "torrentCount", "torrent_count");
	json_out_uint(o, l->rows_n);
	rcall_key(o, c->snake, "uploadSpeed", "upload_speed");
	json_out_uint(o, rates.uploaded);
	look_free(&l);
	rcall_done(c);
}

void stats_get(struct rcall *c)
{
	look_start(c, 0, put_stats);
}

/* --- room on the disk --- */

static void put_space(struct rcall *c, const char *path, int64_t free_bytes, int64_t all)
{
	struct json_out *o = &c->out;

	json_out_put(o, "path", text, path);
	rcall_key(o, c->snake, "size-bytes", "size_bytes");
	json_out_int(o, free_bytes);
	json_out_put(o, "total_size", int, all);
}

static int64_t signed_of(uint64_t n)
{
	return (int64_t)MIN(n, (uint64_t)INT64_MAX);
}

static void on_space(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;
	const char *path = rcall_text(c, "path");

	(void)a;
	if (err == E_OK)
		err = m != NULL ? MSG_AS(VOLUMES, *m)->volumes[0].err : E_TIMEOUT;
	if (err == E_OK) {
		const struct volume_view *v = &MSG_AS(VOLUMES, *m)->volumes[0];

		put_space(c, path, signed_of(v->free), signed_of(v->total));
		rcall_done(c);
		return;
	}
	put_space(c, path, -1, -1);
	rcall_end_err(
		c, err, err == E_PATH ? "the path lies beneath none of download.roots" : NULL);
}

void free_space(struct rcall *c)
{
	struct actor *a = rcall_rpc(c)->actor;
	const char *path = rcall_text(c, "path");
	struct m_volumes *m;

	if (path == NULL || path[0] != '/') {
		rcall_end(c, path == NULL ? RPC_PARAMS : RPC_NOT_ABSOLUTE, "directory path %s",
			path == NULL ? "argument is missing" : "is not absolute");
		return;
	}
	m = msg_new(a, MSG_VOLUMES);
	m->path = xstrdup(path);
	msg_call(a, rcall_worker(c), m, on_space, c);
}

/* --- the others --- */

/* Transmission has a web site try it, and that would tell a stranger of us. */
void test_port(struct rcall *c)
{
	rcall_end(c, RPC_SYSTEM,
		"Couldn't test port: no outside service is asked; GET /network tells how the world "
		"reaches the daemon");
}

static void on_blocklist(struct actor *a, void *ctx, enum err err, struct msg **m)
{
	struct rcall *c = ctx;

	(void)a;
	if (err != E_OK || m == NULL) {
		rcall_end_err(c, err != E_OK ? err : E_TIMEOUT, NULL);
		return;
	}
	rcall_key(&c->out, c->snake, "blocklist-size", "blocklist_size");
	json_out_uint(&c->out, MSG_AS(BLOCKLIST_UPDATE, *m)->ranges);
	rcall_done(c);
}

/* The number is that of the list before: a new one takes minutes to come. */
void update_blocklist(struct rcall *c)
{
	struct actor *a = rcall_rpc(c)->actor;
	struct m_blocklist_view *m = msg_new(a, MSG_BLOCKLIST_UPDATE);

	if (rcall_config(c)->blocklist_sources.n == 0) {
		struct msg *h = &m->h;

		msg_free(a, &h);
		rcall_end(c, RPC_PARAMS, "there is no blocklist: set blocklist.sources");
		return;
	}
	msg_call(a, ADDR_BLOCKLIST, m, on_blocklist, c);
}

/* There are none. */
void groups_get(struct rcall *c)
{
	json_out_key(&c->out, "group");
	json_out_open(&c->out, '[');
	json_out_close(&c->out, ']');
	rcall_done(c);
}

/* As a signal to stop does it: what waits for an answer gets one first. */
void daemon_close(struct rcall *c)
{
	kill(getpid(), SIGTERM);
	rcall_done(c);
}
