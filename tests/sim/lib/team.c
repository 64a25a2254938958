/* SPDX-License-Identifier: MIT */
/* A swarm to begin with: hosts, daemons and one torrent, of which member 0 has everything. */
#include "tests/sim/lib/priv.h"

#define KIB UINT64_C(1024)

struct line team_home_line(struct sim *s)
{
	static const uint64_t up[] = {20, 50, 100, 200, 400};
	uint64_t u = up[sim_below(s, ARRAY_LEN(up))] * KIB;

	return (struct line){.up = u,
		.down = 8 * u + 512 * KIB,
		.latency_us = 5000 + 1000 * (int64_t)sim_below(s, 75)};
}

unsigned team_add(struct team *t, struct line line, bool seed, const char *const *args)
{
	unsigned i = t->n++;

	must(i < TEAM_MAX);
	t->h[i] = sim_host(t->s, line);
	if (seed)
		sim_disk_fill(t->h[i], t->c);
	t->d[i] = sim_daemon(t->h[i], args);
	(void)sim_expect(
		t->s, sim_add(t->d[i], t->c, true) == E_OK, "daemon %u takes no torrent", i);
	return i;
}

bool team_start(
	struct team *t, struct sim *s, const struct content *c, unsigned n, struct line line)
{
	*t = (struct team){.s = s, .c = c};
	for (unsigned i = 0; i < n; i++)
		team_add(t, line, i == 0, NULL);
	return !s->failed;
}

static bool member_done(const struct team *t, unsigned i)
{
	return t->d[i] == NULL || sim_have(t->d[i], t->c) == t->c->meta->pieces;
}

bool team_done(struct sim *s, void *ctx)
{
	struct team *t = ctx;

	(void)s;
	if (!member_done(t, t->lagging))
		return false;
	for (unsigned i = 0; i < t->n; i++) {
		if (member_done(t, i))
			continue;
		t->lagging = i;
		return false;
	}
	return true;
}

bool team_finish(struct team *t, int64_t max_us)
{
	bool ok = sim_run_until(t->s, team_done, t, max_us);

	for (unsigned i = 0; i < t->n && !ok; i++)
		if (t->d[i] != NULL)
			(void)sim_expect(t->s, sim_have(t->d[i], t->c) == t->c->meta->pieces,
				"daemon %u has %u of %u pieces", i, sim_have(t->d[i], t->c),
				t->c->meta->pieces);
	for (unsigned i = 0; i < t->n && ok; i++)
		if (t->d[i] != NULL)
			ok = sim_expect(t->s, sim_disk_equals(t->h[i], t->c), "disk %u differs", i);
	return ok;
}

bool team_others_finish(struct team *t, unsigned but, int64_t max_us)
{
	struct daemon *d = t->d[but];
	bool ok;

	t->d[but] = NULL;
	ok = team_finish(t, max_us);
	t->d[but] = d;
	return ok;
}

double team_fluid(const struct team *t)
{
	double f = (double)t->c->size, up = 0, down = 0, s;

	for (unsigned i = 0; i < t->n; i++) {
		up += (double)t->h[i]->line.up;
		if (i > 0 && (down == 0 || down > (double)t->h[i]->line.down))
			down = (double)t->h[i]->line.down;
	}
	s = f * (t->n - 1) / up;
	return MAX(MAX(s, f / down), f / (double)t->h[0]->line.up);
}

void team_stop(struct team *t)
{
	for (unsigned i = 0; i < t->n; i++)
		if (t->d[i] != NULL)
			sim_stop(&t->d[i]);
}
