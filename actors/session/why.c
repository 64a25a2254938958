/* SPDX-License-Identifier: MIT */
/* Reasons: one function for each thing that a torrent can be at. */
#include "actors/session/why.h"

static const struct {
	enum err err;
	enum torrent_why why;
} troubles[] = {
	{E_NOSPACE, WHY_DISK_FULL},
	{E_PERM, WHY_NOT_WRITABLE},
	{E_READONLY, WHY_NOT_WRITABLE},
	{E_NOENT, WHY_VOLUME_MISSING},
	{E_CHANGED, WHY_FILES_CHANGED},
	{E_EXISTS, WHY_PATH_TAKEN},
	{E_PATH, WHY_PATH_REFUSED},
	{E_SYNTAX, WHY_BAD_METADATA},
};

static enum torrent_why trouble(const struct why_facts *f)
{
	for (size_t i = 0; i < ARRAY_LEN(troubles); i++)
		if (troubles[i].err == f->trouble)
			return troubles[i].why;
	return WHY_IO_ERROR;
}

static enum torrent_why stopped(const struct why_facts *f)
{
	return f->limit_reached ? WHY_STOPPED_LIMIT : WHY_STOPPED_USER;
}

static enum torrent_why queued(const struct why_facts *f)
{
	(void)f;
	return WHY_QUEUE_WAIT;
}

static enum torrent_why checking(const struct why_facts *f)
{
	(void)f;
	return WHY_CHECKING;
}

/* Nine tenths of a limit are all of it: what is shown of a rate lags behind. */
static bool uses_up(uint64_t rate, uint64_t limit)
{
	return limit > 0 && rate >= limit - limit / 10;
}

static enum torrent_why moves(uint64_t rate, uint64_t limit, uint64_t all, uint64_t all_limit)
{
	if (uses_up(rate, limit))
		return WHY_LIMIT_TORRENT;
	return uses_up(all, all_limit) ? WHY_LIMIT_GLOBAL : WHY_MOVING;
}

static enum torrent_why alone(const struct why_facts *f)
{
	if (f->now.known > 0)
		return WHY_NO_ANSWER;
	return f->trackers_fail ? WHY_TRACKER_ERROR : WHY_NO_SOURCES;
}

static enum torrent_why looking(const struct why_facts *f)
{
	return f->now.peers > 0 ? WHY_METADATA_WAIT : alone(f);
}

static enum torrent_why downloading(const struct why_facts *f)
{
	const struct swarm_counts *now = &f->now;

	if (now->down_rate > 0)
		return moves(now->down_rate, f->down_limit, f->all_down, f->all_down_limit);
	if (now->peers == 0)
		return alone(f);
	if (now->useful == 0)
		return WHY_PIECES_MISSING;
	return now->senders == 0 ? WHY_ALL_CHOKED : WHY_PEERS_SLOW;
}

static enum torrent_why seeding(const struct why_facts *f)
{
	if (f->now.up_rate == 0)
		return WHY_SEEDING_IDLE;
	return moves(f->now.up_rate, f->up_limit, f->all_up, f->all_up_limit);
}

static enum torrent_why (*const reasons[STATUS_MAX_])(const struct why_facts *) = {
	[STATUS_STOPPED] = stopped,
	[STATUS_CHECKING] = checking,
	[STATUS_DOWNLOADING] = downloading,
	[STATUS_SEEDING] = seeding,
	[STATUS_QUEUED] = queued,
	[STATUS_METADATA] = looking,
	[STATUS_ERROR] = trouble,
};

enum torrent_why why_of(const struct why_facts *f)
{
	must(f->status < STATUS_MAX_);
	if (f->refused && f->status != STATUS_STOPPED)
		return trouble(f);
	return reasons[f->status](f);
}
