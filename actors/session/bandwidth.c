/* SPDX-License-Identifier: MIT */
/*
 * Shares: what each peers actor gets of the limits on everything and on neighbours.
 *
 * Shards share no counter; each has a rate of its own, and the sum is the limit.  While bytes flow
 * a shard says twice a second what it used, and the shares follow: a limit is used up even when all
 * who want it are in one shard.  Between two divisions the sum may be exceeded by nothing, because
 * all shares are sent in one turn of this actor.
 */
#include "actors/session/priv.h"

uint64_t session_down_limit(const struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	return s->has_down_limit ? s->down_limit : s->config->download_max_rate;
}

uint64_t session_up_limit(const struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	return s->has_up_limit ? s->up_limit : s->config->upload_max_rate;
}

void shares_init(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		s->shares[k] = xcalloc(s->shards, sizeof *s->shares[k]);
}

void shares_free(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	for (unsigned k = 0; k < LIMIT_KINDS; k++)
		xfree(s->shares[k]);
}

static void send_shares(struct session *s)
{
	for (unsigned i = 0; i < s->shards; i++) {
		struct m_peers_global *g = msg_new(s->actor, MSG_PEERS_GLOBAL);

		for (unsigned k = 0; k < LIMIT_KINDS; k++)
			g->rate[k] = s->shares[k][i].rate;
		msg_send(s->actor, ADDR(ROLE_PEERS, i), g);
	}
}

void session_send_limits(struct session *s)
{
	CHECK_OBJ(s, SESSION_MAGIC);
	const uint64_t limits[LIMIT_KINDS] = {
		[LIMIT_DOWN] = session_down_limit(s),
		[LIMIT_UP] = session_up_limit(s),
		[LIMIT_LAN_DOWN] = s->config->lan_download_max_rate,
		[LIMIT_LAN_UP] = s->config->lan_upload_max_rate,
	};

	for (unsigned k = 0; k < LIMIT_KINDS; k++) {
		/* What was used of another limit says nothing. */
		if (s->shared[k] != limits[k])
			memset(s->shares[k], 0, s->shards * sizeof *s->shares[k]);
		s->shared[k] = limits[k];
		bandwidth_divide(limits[k], s->shares[k], s->shards);
	}
	send_shares(s);
}

/* Small changes are not worth a message to everybody. */
static bool differs(uint64_t a, uint64_t b)
{
	return (a > b ? a - b : b - a) > MAX(a, b) / 64;
}

/* true: somebody's share is another one now. */
static bool divide_again(struct session *s, unsigned kind)
{
	struct bandwidth v[BANDWIDTH_PARTS_MAX];
	bool changed = false;

	memcpy(v, s->shares[kind], s->shards * sizeof *v);
	bandwidth_divide(s->shared[kind], v, s->shards);
	for (unsigned i = 0; i < s->shards; i++)
		changed |= differs(v[i].rate, s->shares[kind][i].rate);
	if (changed)
		memcpy(s->shares[kind], v, s->shards * sizeof *v);
	return changed;
}

void session_on_peers_load(struct actor *a, struct msg **m)
{
	struct session *s = session_of(a);
	const struct m_peers_load *load = MSG_AS(PEERS_LOAD, *m);
	unsigned shard = ADDR_INDEX((*m)->from);
	bool changed = false;

	for (unsigned k = 0; k < LIMIT_KINDS; k++) {
		s->shares[k][shard].used = load->of[k].used;
		s->shares[k][shard].busy = load->of[k].busy;
		changed |= divide_again(s, k);
	}
	if (changed)
		send_shares(s);
}
