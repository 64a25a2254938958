/* SPDX-License-Identifier: MIT */
/* Who gets a slot: the table for the choker, and what its decision means (BEP 3, "choking"). */
#include "proto/swarm_priv.h"

static void say_choke(struct swarm_peer *p, bool choke, int64_t now)
{
	struct wr w = outbuf_begin(&p->out, 5);

	p->am_choking = choke;
	if (choke)
		wire_put_choke(&w);
	else
		wire_put_unchoke(&w);
	outbuf_commit(&p->out, &w);
	if (choke)
		swarm_drop_serving(p);
	else
		p->unchoked_at = now;
	p->swarm->ops->wake(p->conn);
}

void swarm_unchoke_if_room(struct swarm_peer *p, int64_t now)
{
	struct swarm *s = p->swarm;
	uint32_t taken = 0;

	if (!p->am_choking || p->upload_only || p->seed)
		return;
	for (uint32_t i = 0; i < s->peers_cap; i++)
		if (s->peers[i] != NULL && !s->peers[i]->am_choking && s->peers[i]->peer_interested)
			taken++;
	if (taken < s->config.upload_slots)
		say_choke(p, false, now);
}

void swarm_run_choker(struct swarm *s, int64_t now)
{
	struct choke_peer *v = xcalloc(s->peers_n ? s->peers_n : 1, sizeof *v);
	uint32_t n = 0;

	for (uint32_t i = 0; i < s->peers_cap; i++) {
		struct swarm_peer *p = s->peers[i];

		if (p == NULL)
			continue;
		v[n++] = (struct choke_peer){.id = i,
			.interested = p->peer_interested,
			.unchoked = !p->am_choking,
			.snubbed = p->snubbed,
			.upload_only = p->upload_only || p->seed,
			.optimistic = p->optimistic,
			.progress = (uint16_t)((uint64_t)p->has.count * 1000 / p->has.bits),
			.rate_in = meter_rate(&p->down, now),
			.rate_out = meter_rate(&p->up, now),
			.unchoked_at = p->unchoked_at,
			.connected_at = p->connected_at};
	}
	choker_run(
		&s->choker, v, n, swarm_done(s), meter_rate(&s->up, now), s->up_limit, now, s->rng);
	for (uint32_t i = 0; i < n; i++) {
		struct swarm_peer *p = s->peers[v[i].id];

		p->optimistic = v[i].optimistic;
		if (v[i].want == p->am_choking)
			say_choke(p, !v[i].want, now);
	}
	xfree(v);
}
