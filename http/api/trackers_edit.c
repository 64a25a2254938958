/* SPDX-License-Identifier: MIT */
/*
 * Changes of a torrent's trackers: one is added, moved or renamed, removed.  Parameters become one
 * change of the torrent, which answers when it is durable.
 */
#include "http/api/priv.h"

static char *copy_text(const char *text)
{
	return text != NULL ? xstrdup(text) : NULL;
}

/* false: answered. */
static bool read_tier(struct request *r, uint32_t absent, uint32_t *tier)
{
	const char *given;
	uint64_t n;

	if (!param_text(r, "tier", &given))
		return false;
	*tier = absent;
	if (given == NULL)
		return true;
	if (!param_index(r, "tier", &n))
		return false;
	*tier = (uint32_t)MIN(n, (uint64_t)TIER_KEEP - 1);
	return true;
}

/* false: answered. */
static bool read_change(struct request *r, struct tracker_change *c)
{
	const char *url, *new_url = NULL;
	uint32_t absent = c->op == TRACKERS_CHANGE ? TIER_KEEP : TIER_NEW;

	if (!param_text(r, "url", &url) ||
		(c->op == TRACKERS_CHANGE && !param_text(r, "new_url", &new_url)) ||
		(c->op != TRACKERS_REMOVE && !read_tier(r, absent, &c->tier)))
		return false;
	if (url == NULL)
		answer_text(r, 422, "parameter 'url' is missing: that of a tracker");
	else if (c->op == TRACKERS_CHANGE && new_url == NULL && c->tier == TIER_KEEP)
		answer_text(r, 422, "give 'new_url', 'tier' or both: what is to be changed");
	else {
		c->url = copy_text(url);
		c->new_url = copy_text(new_url);
		return true;
	}
	return false;
}

bool api_read_trackers(struct request *r, struct m_torrent_set *m)
{
	static const enum tracker_change_op ops[] = {[METHOD_POST] = TRACKERS_ADD,
		[METHOD_PATCH] = TRACKERS_CHANGE,
		[METHOD_DELETE] = TRACKERS_REMOVE};
	struct tracker_change c = {.op = ops[request_resource(r)->methods]};

	if (!read_change(r, &c))
		return false;
	m->trackers = xmemdup(&c, sizeof c);
	m->trackers_n = 1;
	return true;
}
