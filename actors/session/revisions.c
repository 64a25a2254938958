/* SPDX-License-Identifier: MIT */
/* Revisions: the list by age, the ring of those that went, sums of what is listed. */
#include "actors/session/revisions.h"

#include "proto/base/array.h"

void revisions_init(struct revisions *rs, uint64_t epoch)
{
	*rs = (struct revisions){.epoch = epoch};
	link_init(&rs->due);
	link_init(&rs->order);
	rs->gone = xcalloc(REVISIONS_GONE, sizeof *rs->gone);
}

void revisions_fini(struct revisions *rs)
{
	must(link_empty(&rs->due) && link_empty(&rs->order));
	xfree(rs->gone);
	rs->gone = NULL;
}

struct revised *revision_next(struct revisions *rs)
{
	struct revised *r;

	if (link_empty(&rs->due))
		return NULL;
	r = container_of(rs->due.next, struct revised, due);
	link_remove(&r->due);
	return r;
}

/* --- sums --- */

static void add_sums(struct row_sums *s, const struct torrent_row *row, uint64_t sign)
{
	s->downloaded += sign * row->progress.downloaded;
	s->uploaded += sign * row->progress.uploaded;
	s->down_run += sign * row->progress.down_run;
	s->up_run += sign * row->progress.up_run;
	s->peers += sign * row->swarm.peers;
}

static void count_out(struct revisions *rs, const struct torrent_row *row)
{
	rs->counts[row->status.status]--;
	rs->down_rate -= row->rates.down;
	rs->up_rate -= row->rates.up;
	add_sums(&rs->sums, row, UINT64_MAX); /* times -1 */
}

static void count_in(struct revisions *rs, const struct torrent_row *row)
{
	rs->counts[row->status.status]++;
	rs->down_rate += row->rates.down;
	rs->up_rate += row->rates.up;
	add_sums(&rs->sums, row, 1);
}

/* --- coming, changing, going --- */

static void take(struct revised *r, struct torrent_row *now)
{
	row_fini(&r->row);
	memcpy(&r->row, now, sizeof r->row);
	memset(now, 0, sizeof *now);
}

static void be_born(struct revisions *rs, struct torrent_row *now)
{
	now->n = ++rs->last_n;
	now->born = rs->listed = rs->ordered = ++rs->rev;
	for (unsigned g = 0; g < ROW_GROUPS; g++)
		now->changed[g] = rs->rev;
}

/* false: nothing has changed. */
static bool number_groups(
	struct revisions *rs, const struct torrent_row *was, struct torrent_row *now)
{
	uint64_t rev = rs->rev + 1;

	for (unsigned g = 0; g < ROW_GROUPS; g++)
		if (!row_same(was, now, g)) {
			now->changed[g] = rev;
			rs->rev = rev;
		}
	if (now->changed[ROW_IDENTITY] == rev)
		rs->listed = rev;
	if (was->status.place != now->status.place)
		rs->ordered = rev;
	return rs->rev == rev;
}

void revision_put(struct revisions *rs, struct revised *r, struct torrent_row *now)
{
	if (r->row.n == 0) {
		be_born(rs, now);
	} else if (number_groups(rs, &r->row, now)) {
		count_out(rs, &r->row);
	} else {
		row_fini(now);
		return;
	}
	count_in(rs, now);
	take(r, now);
	link_remove(&r->order);
	link_append(&rs->order, &r->order);
}

void revision_drop(struct revisions *rs, struct revised *r)
{
	struct torrent_row none = {0};
	struct tombstone *mark;

	link_remove(&r->due);
	link_remove(&r->order);
	if (r->row.n == 0)
		return;
	count_out(rs, &r->row);
	mark = &rs->gone[rs->gone_n++ % REVISIONS_GONE];
	rs->lost = mark->rev; /* 0 while the ring has room */
	*mark = (struct tombstone){.row.n = r->row.n, .rev = ++rs->rev};
	memcpy(mark->row.infohash, r->row.identity.infohash, sizeof mark->row.infohash);
	rs->listed = rs->ordered = rs->rev;
	take(r, &none);
}

/* --- since --- */

/* The revision at which it changed last: of the groups that of the latest. */
static uint64_t age_of(const struct torrent_row *row)
{
	uint64_t rev = 0;

	for (unsigned g = 0; g < ROW_GROUPS; g++)
		rev = MAX(rev, row->changed[g]);
	return rev;
}

bool revision_reaches(const struct revisions *rs, uint64_t since)
{
	return since <= rs->rev && since >= rs->lost;
}

const struct revised *revision_since(
	const struct revisions *rs, const struct revised *r, uint64_t since)
{
	struct link *l = r != NULL ? r->order.prev : rs->order.prev;
	const struct revised *next = container_of(l, struct revised, order);

	return l != &rs->order && age_of(&next->row) > since ? next : NULL;
}

struct row_gone *revision_gone(const struct revisions *rs, uint64_t since, uint32_t *n)
{
	uint64_t kept = MIN(rs->gone_n, REVISIONS_GONE);
	struct row_gone *list = NULL;
	uint32_t room = 0;

	*n = 0;
	for (uint64_t i = 1; i <= kept; i++) {
		const struct tombstone *g = &rs->gone[(rs->gone_n - i) % REVISIONS_GONE];

		if (g->rev <= since)
			break;
		ARRAY_PUSH(list, *n, room, g->row);
	}
	return list;
}
