/* SPDX-License-Identifier: MIT */
/*
 * Rows of the list: made anew of what has changed, numbered, and told to who asks.
 *
 * Whoever changes what people see marks the torrent; at the end of the turn its row is made and
 * compared with the one before, so that a mark too many costs a comparison and is no news.  Who
 * asks gets copies of rows that are there: nobody else has to be asked.
 */
#include "actors/session/priv.h"

#include "proto/base/array.h"

#define RATIO_MAX 1e9 /* more is not told apart */

/* --- one row --- */

/* Of the digits of a count, three: more are noise, and each change is sent to all who watch. */
static uint64_t three_digits(uint64_t v)
{
	uint64_t unit = 1;

	while (v / unit >= 1000)
		unit *= 10;
	return (v + unit / 2) / unit * unit;
}

/* Most torrents lie in the directory of the one before: they share its text. */
static void share_path(struct session *s, const char *path, struct label **l)
{
	if (*l != NULL && strcmp(label_text(*l), path) == 0)
		return;
	label_set(&s->last_path, path);
	label_unref(l);
	*l = label_ref(s->last_path);
}

static void fill_identity(const struct torrent *t, struct row_identity *r)
{
	memcpy(r->infohash, t->meta->infohash.v1, sizeof r->infohash);
	if (r->meta != t->meta) {
		if (r->meta != NULL)
			metainfo_unref(&r->meta);
		r->meta = metainfo_ref(t->meta);
	}
	label_set(&r->name, t->meta->name);
	share_path(t->session, t->path, &r->path);
	r->size = t->meta->size;
	r->added = t->added;
	r->is_private = t->meta->is_private;
}

static void fill_status(const struct torrent *t, struct row_status *r)
{
	r->status = torrent_status(t);
	r->why = torrent_why(t);
	label_set(&r->error, t->error);
	if (r->labels != t->wishes.labels) {
		label_unref(&r->labels);
		r->labels = label_ref(t->wishes.labels);
	}
	r->place = t->place;
	r->down_limit = t->wishes.down_limit;
	r->up_limit = t->wishes.up_limit;
	r->completed_at = t->completed_at;
	r->forced = torrent_forced(t);
	r->sequential = t->wishes.sequential;
	r->first_last = t->wishes.first_last;
	r->seed = t->seed;
}

/* In ten thousandths; all of it only when nothing is left. */
static uint32_t progress_of(const struct torrent *t, enum torrent_status status)
{
	double share;

	if (status == STATUS_CHECKING)
		return (uint32_t)(MIN((double)t->checked, 1.0) * 10000);
	if (t->meta->bare)
		return 0;
	if (t->left == 0)
		return 10000;
	share = (double)(t->wanted - MIN(t->left, t->wanted)) / (double)MAX(t->wanted, 1u);
	return MIN((uint32_t)(share * 10000), 9999u);
}

static void fill_progress(
	const struct torrent *t, struct row_progress *r, enum torrent_status status)
{
	struct totals run = torrent_run_totals(t);

	r->progress = progress_of(t, status);
	r->wanted = t->wanted;
	r->left = t->left;
	r->downloaded = t->ever.downloaded + run.downloaded;
	r->uploaded = t->ever.uploaded + run.uploaded;
	r->ratio = (uint64_t)(MIN(torrent_ratio(t, r->downloaded, r->uploaded), RATIO_MAX) * 1000);
	r->active_at = t->active_at;
	r->down_run = run.downloaded;
	r->up_run = run.uploaded;
	r->seeded = t->seeded;
	r->seed_since = t->seed_since;
}

static void fill_rates(const struct torrent *t, struct row_rates *r, enum torrent_status status)
{
	r->down = three_digits(t->counts.down_rate);
	r->up = three_digits(t->counts.up_rate);
	r->eta = -1;
	if (status == STATUS_DOWNLOADING && r->down > 0)
		r->eta = (int64_t)three_digits((t->left + r->down - 1) / r->down);
}

static void fill_swarm(const struct torrent *t, struct row_swarm *r)
{
	r->peers = t->counts.peers;
	r->seeds = t->counts.seeds;
	r->swarm_seeds = t->trackers.seeds;
	r->swarm_peers = t->trackers.peers;
}

static void settle_row(struct session *s, struct torrent *t)
{
	struct torrent_row now;

	if (!torrent_listed(t)) {
		revision_drop(&s->revisions, &t->revised);
		return;
	}
	row_copy(&now, &t->revised.row);
	fill_identity(t, &now.identity);
	fill_status(t, &now.status);
	fill_progress(t, &now.progress, now.status.status);
	fill_rates(t, &now.rates, now.status.status);
	fill_swarm(t, &now.swarm);
	revision_put(&s->revisions, &t->revised, &now);
}

void session_settle_rows(struct session *s)
{
	struct revised *r;

	CHECK_OBJ(s, SESSION_MAGIC);
	while ((r = revision_next(&s->revisions)) != NULL)
		settle_row(s, container_of(r, struct torrent, revised));
}

uint64_t torrent_settle_row(struct torrent *t)
{
	CHECK_OBJ(t, TORRENT_MAGIC);
	settle_row(t->session, t);
	return t->session->revisions.rev;
}

void session_tell_rev(struct session *s, struct m_torrent_set *c)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	session_settle_rows(s);
	c->epoch = s->revisions.epoch;
	c->rev = s->revisions.rev;
}

/* --- who asks --- */

static const struct torrent *torrent_of(const struct revised *r)
{
	return (const void *)((const char *)r - offsetof(struct torrent, revised));
}

static void push(struct m_torrent_rows *m, uint32_t *room, const struct torrent *t)
{
	struct torrent_row *to;

	ARRAY_RESERVE(m->rows, m->rows_n, *room, 1);
	to = &m->rows[m->rows_n++];
	row_copy(to, &t->revised.row);
	to->position = torrent_position(t);
}

/* What has changed; the oldest of it last. */
static void tell_since(const struct session *s, struct m_torrent_rows *m)
{
	const struct revised *r = NULL;
	uint32_t room = 0;

	while ((r = revision_since(&s->revisions, r, m->since)) != NULL)
		push(m, &room, torrent_of(r));
	m->gone = revision_gone(&s->revisions, m->since, &m->gone_n);
}

/* By slot, from m->from on.  What comes to a lower slot meanwhile is younger than the first page.
 */
static void tell_page(const struct session *s, struct m_torrent_rows *m)
{
	uint32_t room = 0, slot = m->from;

	for (; slot < s->slots.n && (m->limit == 0 || m->rows_n < m->limit); slot++) {
		const struct torrent *t = session_torrent(s, slot);

		if (t != NULL && t->revised.row.n != 0)
			push(m, &room, t);
	}
	m->next = slot < s->slots.n ? slot : 0;
}

static enum err tell_one(const struct session *s, struct m_torrent_rows *m)
{
	const struct torrent *t = torrent_find(s, m->infohash);
	uint32_t room = 0;

	if (t == NULL || t->revised.row.n == 0)
		return E_NOT_FOUND;
	push(m, &room, t);
	return E_OK;
}

static enum err tell(const struct session *s, struct m_torrent_rows *m)
{
	bool other = m->epoch != s->revisions.epoch;

	if (m->of == ROWS_ONE)
		return tell_one(s, m);
	if (m->of == ROWS_SINCE)
		m->reset = other || !revision_reaches(&s->revisions, m->since);
	else
		m->reset = other && m->from > 0;
	if (m->reset)
		m->from = 0;
	if (m->of == ROWS_SINCE && !m->reset)
		tell_since(s, m);
	else if (m->of == ROWS_PAGE || m->else_page)
		tell_page(s, m);
	return E_OK;
}

void session_on_rows(struct actor *a, struct msg **pm)
{
	struct session *s = session_of(a);
	struct m_torrent_rows *m = MSG_AS(TORRENT_ROWS, *pm);
	enum err e;

	if (session_defer_early(s, pm))
		return;
	e = tell(s, m);
	m->epoch_now = s->revisions.epoch;
	m->rev = s->revisions.rev;
	m->listed = s->revisions.listed;
	m->ordered = s->revisions.ordered;
	m->sums = s->revisions.sums;
	m->down_rate = s->revisions.down_rate;
	m->up_rate = s->revisions.up_rate;
	m->down_limit = session_down_limit(s);
	m->up_limit = session_up_limit(s);
	memcpy(m->counts, s->revisions.counts, sizeof m->counts);
	actor_reply(a, pm, e);
}
